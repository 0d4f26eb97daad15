//! Where tokens come from, pages of other origins, signing in, and the log.

use authorizer_core::credential::HeaderSetter;
use authorizer_core::policy::Place;
use authorizer_core::policy::document::SignInDocument;
use authorizer_core::record::SubjectLogging;

use super::claims::host_of;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::{About, Observation};
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA120",
            name: "token-in-the-address",
            severity: Severity::Medium,
            title: "a token may be in the query string of an address",
            why: "Addresses are stored where tokens should not be: in CloudFront's access logs, in the browser's \
              history and wherever somebody pastes the link (RFC 9700 section 4.3.2).",
            remedy: "remove `query`; for a client that cannot send a header, use tokens that are valid for \
                 minutes, and accept the finding",
        },
        in_the_address,
    ),
    (
        Check {
            id: "EA121",
            name: "cookie-without-prefix",
            severity: Severity::Low,
            title: "the cookie's name does not begin with `__Host-` or `__Secure-`",
            why: "Any host of the same domain may set a cookie of that name, and make people work under a token \
              that is not theirs. A browser accepts a `__Host-` cookie only from the host itself, and both \
              kinds only over TLS (draft-ietf-httpbis-rfc6265bis section 4.1.3).",
            remedy: "name it `__Host-session`, or `__Secure-session` if another host signs people in",
        },
        without_prefix,
    ),
    (
        Check {
            id: "EA122",
            name: "cors-for-every-origin",
            severity: Severity::Low,
            title: "pages of every origin may use the distribution",
            why: "If somebody is tricked into opening a page, that page may use any token that it gets. Through \
              the browser of a person in the office network, it may also read what is open to the addresses \
              of that network.",
            remedy: "name the origins",
        },
        every_origin,
    ),
    (
        Check {
            id: "EA123",
            name: "cors-for-strangers",
            severity: Severity::High,
            title: "an origin with `*` includes hosts that anyone can have, or may send credentials",
            why: "Every page below that domain may send people's cookies and read the answers. One forgotten \
              host is enough, or one host that a stranger rents below the domain.",
            remedy: "name the origins",
        },
        strangers,
    ),
    (
        Check {
            id: "EA124",
            name: "cors-over-http",
            severity: Severity::Medium,
            title: "an origin uses plain HTTP",
            why: "An attacker on the network can change that origin's pages, and so use the distribution as \
              those pages may.",
            remedy: "serve the application over `https`, and write that origin",
        },
        cors_over_http,
    ),
    (
        Check {
            id: "EA125",
            name: "cors-and-cookie-disagree",
            severity: Severity::Informational,
            title: "only one of the token cookie and `credentials` in `[cors]` is set",
            why: "A browser sends a cookie to another origin only if `credentials` is on, and `credentials` does \
              nothing else. For pages of other origins, one without the other does nothing.",
            remedy: "remove the one that you do not need, or set the other too",
        },
        disagree,
    ),
    (
        Check {
            id: "EA126",
            name: "sign-in-on-another-site",
            severity: Severity::Low,
            title: "the sign-in page is on another site",
            why: "That site learns the address that the person wanted, with its key, and it cannot set the \
              cookie. A page of your own must take the token from it and set the cookie. That page must not \
              send people on to every address that it is given.",
            remedy: "sign in on a host of the same domain, or accept the finding and name the page that sets the \
                 cookie",
        },
        another_site,
    ),
    (
        Check {
            id: "EA127",
            name: "development-address",
            severity: Severity::Low,
            title: "the policy has an address of the developer's own machine",
            why: "Somebody added it to try something. On every machine something else may listen there, and the \
              policy trusts its pages or its tokens.",
            remedy: "keep it in a policy for development",
        },
        development,
    ),
    (
        Check {
            id: "EA128",
            name: "subject-in-plain",
            severity: Severity::Informational,
            title: "the decision log shows each `sub` in plain text",
            why: "The log says which person fetched what and when, in every Region where CloudFront answered. \
              That is personal data, and you must keep and delete it as such.",
            remedy: "use `hashed`, which still distinguishes people, or accept the finding and say what the log \
                 is for",
        },
        in_plain,
    ),
    (
        Check {
            id: "EA129",
            name: "header-that-a-proxy-adds",
            severity: Severity::Medium,
            title: "`header_set_by` says that clients set a header which a proxy adds",
            why: "The proxy adds the header to every request of a person who is signed in, whoever's page makes it. \
              With `clients`, the `Origin` of a request with it is not checked. So a page of another origin can \
              write and delete in that person's name.",
            remedy: "write `header_set_by = \"proxy\"`, or remove the line, because that is the default",
        },
        added_by_a_proxy,
    ),
]);

/// The headers in which well-known proxies put a token: Cloudflare Access, Google's Identity-Aware Proxy, oauth2-proxy
/// (behind `auth_request`), Pomerium, and Azure's App Service.
const OF_PROXIES: [&str; 6] = [
    "cf-access-jwt-assertion",
    "x-auth-request-access-token",
    "x-goog-iap-jwt-assertion",
    "x-ms-token-aad-access-token",
    "x-ms-token-aad-id-token",
    "x-pomerium-jwt-assertion",
];

fn found(place: Place, message: impl Into<String>) -> Observation {
    Observation::new(About::Policy, place, message)
}

/// Whether a host is the machine that asks for it.
pub(super) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "::1"
}

fn in_the_address(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let name = subject.document().credentials.query.iter();
    name.map(|name| {
        found(Place::member("credentials").then("query"), format!("a token may be in `?{name}=...`"))
    })
    .collect()
}

fn without_prefix(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let cookie = subject.document().credentials.cookie.iter();
    cookie
        .filter(|name| !name.starts_with("__Host-") && !name.starts_with("__Secure-"))
        .map(|name| {
            let place = Place::member("credentials").then("cookie");
            found(place, format!("the cookie is `{name}`, which any host of the domain may set"))
        })
        .collect()
}

/// The origins, each with its place, and whether cookies go with it.
fn origins<'p>(subject: &PolicySubject<'p>) -> impl Iterator<Item = (Place, &'p str, bool)> + use<'p> {
    subject.document().cors.iter().flat_map(|cors| {
        cors.origins.iter().enumerate().map(|(index, origin)| {
            (Place::member("cors").then("origins").at(index), origin.as_str(), cors.credentials)
        })
    })
}

fn every_origin(subject: &PolicySubject<'_>) -> Vec<Observation> {
    origins(subject)
        .filter(|(_, origin, _)| *origin == "*")
        .map(|(place, ..)| found(place, "`*` allows pages of every origin to use the distribution"))
        .collect()
}

fn strangers(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let below = origins(subject).filter_map(|(place, origin, credentials)| {
        let (_, domain) = origin.split_once("://*.")?;
        let domain = domain.split(':').next().unwrap_or_default();
        // A name below which names are given to strangers is a public suffix; one that is in no list is somebody's.
        let suffix = psl::suffix(domain.as_bytes()).filter(psl::Suffix::is_known);
        let is_rented = suffix.is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes());
        let (severity, why) = match (is_rented, credentials) {
            (true, true) => (Severity::High, "allows hosts that anyone can have, with people's cookies"),
            (true, false) => (Severity::Medium, "allows hosts that anyone can have"),
            (false, true) => (Severity::Medium, "allows every host below it to send people's cookies"),
            (false, false) => return None,
        };
        Some(found(place, format!("`{origin}` {why}")).severity(severity))
    });
    below.collect()
}

fn cors_over_http(subject: &PolicySubject<'_>) -> Vec<Observation> {
    origins(subject)
        .filter(|(_, origin, _)| {
            origin.starts_with("http://") && !host_of(origin).is_some_and(is_this_machine)
        })
        .map(|(place, origin, credentials)| {
            let severity = if credentials { Severity::Medium } else { Severity::Low };
            found(place, format!("an attacker on the network can change pages of `{origin}`"))
                .severity(severity)
        })
        .collect()
}

fn disagree(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(cors) = &subject.document().cors else { return Vec::new() };
    match (cors.credentials, subject.has_cookie()) {
        // A proxy that adds the header knows people by a cookie of its own.
        (true, false) if subject.has_ambient_token() => Vec::new(),
        (true, false) => {
            vec![found(
                Place::member("cors").then("credentials"),
                "`credentials` is on, but the policy has no token cookie",
            )]
        }
        // The cookie of a session is `SameSite=Lax`: pages of other sites never send it.
        (false, true) if is_flow(subject) => Vec::new(),
        (false, true) => vec![found(
            Place::member("credentials").then("cookie"),
            "the cookie is a token, but pages of other origins may not send it",
        )],
        (true, true) | (false, false) => Vec::new(),
    }
}

fn is_flow(subject: &PolicySubject<'_>) -> bool {
    subject.document().sign_in.as_ref().is_some_and(|sign_in| sign_in.code_flow().is_some())
}

fn another_site(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(sign_in) = subject.document().sign_in.as_ref().and_then(SignInDocument::redirect) else {
        return Vec::new();
    };
    let (Some(there), Some(here)) = (host_of(&sign_in.url), host_of(&sign_in.origin)) else {
        return Vec::new();
    };
    let site = |host: &str| psl::domain(host.as_bytes()).map(|domain| domain.as_bytes().to_vec());
    // Of a host without a domain, such as an address, the host is the site.
    let is_same = there == here || (site(there).is_some() && site(there) == site(here));
    if is_same {
        return Vec::new();
    }
    let message = format!("people sign in at `{there}`, which cannot set a cookie for `{here}`");
    vec![found(Place::member("sign_in").then("url"), message)]
}

fn development(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_here = |address: &str| host_of(address).is_some_and(is_this_machine);
    let mut here = Vec::new();
    for issuer in subject.issuers().filter(|issuer| is_here(&issuer.document.issuer)) {
        let message = format!("issuer `{}` is `{}`", issuer.name(), issuer.document.issuer);
        here.push(issuer.found_in("issuer", message));
    }
    for issuer in subject.issuers() {
        if let Some(address) = issuer.keys_url().filter(|address| is_here(address)) {
            let place = issuer.place().then("jwks").then("url");
            let message = format!("the keys of issuer `{}` are fetched from `{address}`", issuer.name());
            here.push(issuer.found_at(place, message));
        }
    }
    for (place, origin, _) in origins(subject).filter(|(_, origin, _)| is_here(origin)) {
        here.push(found(place, format!("pages of `{origin}` may use the distribution")));
    }
    for (member, address) in subject.document().sign_in.iter().flat_map(sign_in_addresses) {
        if is_here(address) {
            let place = Place::member("sign_in").then(member);
            let what = if member == "token_endpoint" { "codes are" } else { "people are" };
            here.push(found(place, format!("{what} sent to `{address}`")));
        }
    }
    here
}

/// The addresses of a sign-in, each with its member.
fn sign_in_addresses(sign_in: &SignInDocument) -> Vec<(&'static str, &str)> {
    match sign_in {
        SignInDocument::Redirect(redirect) => vec![("url", &redirect.url), ("origin", &redirect.origin)],
        SignInDocument::CodeFlow(flow) => {
            let end = flow.end_session_endpoint.as_deref();
            let addresses = [
                ("authorization_endpoint", flow.authorization_endpoint.as_str()),
                ("token_endpoint", &flow.token_endpoint),
                ("origin", &flow.origin),
            ];
            addresses.into_iter().chain(end.map(|end| ("end_session_endpoint", end))).collect()
        }
    }
}

fn added_by_a_proxy(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let places = &subject.document().credentials;
    let header = places.header.to_ascii_lowercase();
    let is_clients = places.header_set_by == Some(HeaderSetter::Clients);
    if !is_clients || !OF_PROXIES.contains(&header.as_str()) {
        return Vec::new();
    }
    let place = Place::member("credentials").then("header_set_by");
    vec![found(place, format!("a proxy adds the header `{header}`, but the policy says that clients set it"))]
}

fn in_plain(subject: &PolicySubject<'_>) -> Vec<Observation> {
    match subject.document().log.subject {
        SubjectLogging::Plain => {
            vec![found(Place::member("log").then("subject"), "the decision log names people by their `sub`")]
        }
        SubjectLogging::Hashed | SubjectLogging::Omitted => Vec::new(),
    }
}
