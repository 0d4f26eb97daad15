//! Where tokens come from, pages of other origins, signing in, and the log.

use authorizer_core::policy::Place;
use authorizer_core::record::SubjectLogging;

use super::claims::host_of;
use crate::policy::subject::PolicySubject;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::{About, Observation};

pub(super) static FAMILY: Family = Family::Policy(&[
    (Check {
        id: "EA120",
        name: "token-in-the-address",
        severity: Severity::Medium,
        title: "a token may come in the query of an address",
        why: "Addresses are kept where tokens should not be: in CloudFront's own access logs, in the browser's history \
              and in whatever the link is pasted into (RFC 9700 section 4.3.2).",
        remedy: "leave `query` out; for what can send no header give tokens of minutes, and accept this",
    }, in_the_address),
    (Check {
        id: "EA121",
        name: "cookie-without-prefix",
        severity: Severity::Low,
        title: "the cookie's name has no `__Host-` or `__Secure-`",
        why: "Any host of the same domain may set a cookie of that name, and so have people work under a token that is \
              not theirs. Of a cookie whose name begins so a browser takes only what the host itself has set, over TLS \
              (draft-ietf-httpbis-rfc6265bis section 4.1.3).",
        remedy: "call it `__Host-session`, or `__Secure-session` where signing in is another host's",
    }, without_prefix),
    (Check {
        id: "EA122",
        name: "cors-for-every-origin",
        severity: Severity::Low,
        title: "pages of every origin may use the distribution",
        why: "A page that somebody is tricked into opening may use a token that it gets hold of, and may read what is \
              open to addresses of the office network through the browser of whoever is in it.",
        remedy: "name the origins",
    }, every_origin),
    (Check {
        id: "EA123",
        name: "cors-for-strangers",
        severity: Severity::High,
        title: "an origin with `*` below a domain where anyone can have a host, or with credentials",
        why: "Every page below that domain may send people's cookies and read the answers: one forgotten host, or one \
              host that a stranger rents below a domain that is rented out, does for all.",
        remedy: "name the origins",
    }, strangers),
    (Check {
        id: "EA124",
        name: "cors-over-http",
        severity: Severity::Medium,
        title: "an origin is plain HTTP",
        why: "Anybody on the way may write that origin's pages, and so use the distribution as they may.",
        remedy: "serve the application over `https`, and write that origin",
    }, cors_over_http),
    (Check {
        id: "EA125",
        name: "cors-and-cookie-disagree",
        severity: Severity::Informational,
        title: "pages of other origins may send credentials and there is no cookie, or the other way round",
        why: "A browser sends a cookie to another origin only where `credentials` is on, and there is no other use for \
              it. One of the two does nothing.",
        remedy: "leave out the one that is not needed",
    }, disagree),
    (Check {
        id: "EA126",
        name: "sign-in-on-another-site",
        severity: Severity::Low,
        title: "the page to sign in at is of another site",
        why: "The address that somebody wanted, with its key, is told to that site, and it cannot set the cookie: a page \
              of your own has to take the token from it and do that, and must not send people on to wherever it is \
              told.",
        remedy: "sign in on a host of the same domain, or accept this with the name of the page that sets the cookie",
    }, another_site),
    (Check {
        id: "EA127",
        name: "development-address",
        severity: Severity::Low,
        title: "an address of the developer's own machine",
        why: "It was let in to try something. On every machine something else may listen there, and the policy trusts \
              its pages or its tokens.",
        remedy: "keep it in a policy for development",
    }, development),
    (Check {
        id: "EA128",
        name: "subject-in-plain",
        severity: Severity::Informational,
        title: "the decision log has each `sub` in plain",
        why: "The log then says which person fetched what and when, in every Region where CloudFront has answered. That \
              is personal data, to be kept and deleted as such.",
        remedy: "use `hashed`, which still tells people apart, or accept this with what the log is kept for",
    }, in_plain),
]);

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
        found(Place::member("credentials").then("query"), format!("a token may come as `?{name}=...`"))
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
        .map(|(place, ..)| found(place, "`*` lets pages of every origin use the distribution"))
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
            (true, true) => (Severity::High, "lets in hosts that anyone can have, with people's cookies"),
            (true, false) => (Severity::Medium, "lets in hosts that anyone can have"),
            (false, true) => (Severity::Medium, "lets every host below it send people's cookies"),
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
            found(place, format!("pages of `{origin}` may be anybody's")).severity(severity)
        })
        .collect()
}

fn disagree(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(cors) = &subject.document().cors else { return Vec::new() };
    match (cors.credentials, subject.has_cookie()) {
        (true, false) => {
            vec![found(Place::member("cors").then("credentials"), "cookies may be sent, and none is a token")]
        }
        (false, true) => vec![found(
            Place::member("credentials").then("cookie"),
            "the cookie is a token, and pages of the other origins may not send it",
        )],
        (true, true) | (false, false) => Vec::new(),
    }
}

fn another_site(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(sign_in) = &subject.document().sign_in else { return Vec::new() };
    let (Some(there), Some(here)) = (host_of(&sign_in.url), host_of(&sign_in.origin)) else { return Vec::new() };
    let site = |host: &str| psl::domain(host.as_bytes()).map(|domain| domain.as_bytes().to_vec());
    // Of a host without a domain, such as an address, the host is the site.
    let is_same = there == here || (site(there).is_some() && site(there) == site(here));
    if is_same {
        return Vec::new();
    }
    let message = format!("people sign in at `{there}`, which can set no cookie for `{here}`");
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
            let message = format!("the keys of issuer `{}` are asked for at `{address}`", issuer.name());
            here.push(issuer.found_at(place, message));
        }
    }
    for (place, origin, _) in origins(subject).filter(|(_, origin, _)| is_here(origin)) {
        here.push(found(place, format!("pages of `{origin}` may use the distribution")));
    }
    if let Some(sign_in) = &subject.document().sign_in {
        for (member, address) in [("url", &sign_in.url), ("origin", &sign_in.origin)] {
            if is_here(address) {
                let place = Place::member("sign_in").then(member);
                here.push(found(place, format!("people are sent to `{address}`")));
            }
        }
    }
    here
}

fn in_plain(subject: &PolicySubject<'_>) -> Vec<Observation> {
    match subject.document().log.subject {
        SubjectLogging::Plain => {
            vec![found(Place::member("log").then("subject"), "the decision log names people by their `sub`")]
        }
        SubjectLogging::Hashed | SubjectLogging::Omitted => Vec::new(),
    }
}
