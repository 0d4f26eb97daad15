//! The sign-in at the edge: what its package gives away, how long a session lasts, and what does not fit together.

use authorizer_core::code_flow::SessionToken;
use authorizer_core::policy::Place;
use authorizer_core::policy::document::{ClientSecretMethod, CodeFlowDocument, SignInDocument};
use authorizer_core::rules::{KeyPattern, Segment};
use authorizer_policy::providers::Provider;

use super::claims::host_of;
use super::keys::are_one_site;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::{About, Observation};
use crate::policy::subject::{PolicySubject, list};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA150",
            name: "cookie-key-in-package",
            severity: Severity::Informational,
            title: "the key that encrypts cookies is in the package",
            why: "Whoever has the zip can read the encrypted cookies of a browser that they get hold of: the \
                  refresh token of a session, and the `state` and PKCE verifier of a sign-in. They cannot make a \
                  token, because only the provider can.",
            remedy: "treat the zip as a secret, make a key for each distribution, make a new one when somebody \
                     who had it leaves, and accept the finding",
        },
        cookie_key,
    ),
    (
        Check {
            id: "EA151",
            name: "client-secret-in-package",
            severity: Severity::Medium,
            title: "a secret or a private key of the client is in the package",
            why: "Whoever can read the zip can act as this client at the provider: where it is built and deployed, \
                  in Lambda, and in every copy. For a flow with PKCE, a secret adds little.",
            remedy: "register a public client with PKCE and remove it; if the provider has no such client, use \
                     this one for nothing else, and accept the finding",
        },
        client_secret,
    ),
    (
        Check {
            id: "EA152",
            name: "long-session",
            severity: Severity::Medium,
            title: "a session is renewed for longer than a day",
            why: "Whoever gets the cookies of a browser can use them until the session ends: a person who forgets \
                  to sign out, a lost laptop. Nothing at the edge can end one session; the provider can refuse its \
                  refresh token.",
            remedy: "set `session_seconds` to a working day, such as 43200; people who are still signed in at the \
                     provider do not see the next sign-in",
        },
        long_session,
    ),
    (
        Check {
            id: "EA153",
            name: "rule-at-a-path-of-the-sign-in",
            severity: Severity::Low,
            title: "an allow rule names keys whose paths the function answers itself",
            why: "The function answers these paths before it looks at a rule, so the rule does not open the object \
                  there. A viewer reaches such an object only with another spelling of its path.",
            remedy: "give the objects other keys, or change `redirect_path` or `sign_out_path`",
        },
        rule_at_own_path,
    ),
    (
        Check {
            id: "EA154",
            name: "id-and-access-tokens",
            severity: Severity::Medium,
            title: "ID tokens and access tokens of the issuer that people sign in at are both accepted",
            why: "An ID token says to one client who signed in. It has no scopes, and clients show it to others \
                  more freely than an access token. If both are accepted, whoever has either can use it as a bearer \
                  token (RFC 9068 section 5, RFC 8725 section 3.11).",
            remedy: "let `audience` name only what the session's token has, or tell the kinds apart by \
                     `token_type` or `required`",
        },
        both_kinds,
    ),
    (
        Check {
            id: "EA155",
            name: "sign-in-endpoint-of-another-site",
            severity: Severity::Low,
            title: "people or their codes are sent to another site than the issuer's own",
            why: "Whoever owns the token endpoint gets every code and refresh token, and the client's secret. \
                  Whoever owns the authorization endpoint can show people a false login page.",
            remedy: "use the addresses of the issuer's own metadata (`authorizer keys discover`); if they are at \
                     another site, accept the finding",
        },
        another_site,
    ),
    (
        Check {
            id: "EA156",
            name: "sign-out-here-only",
            severity: Severity::Low,
            title: "the sign-out does not end the session at the provider",
            why: "Who signs out here is still signed in at the provider. The next person at that machine opens a \
                  page, and is signed in under the first one's name without a question.",
            remedy: "set `end_session_endpoint` to the address of the provider's metadata, or accept the finding if \
                     the provider has none",
        },
        here_only,
    ),
    (
        Check {
            id: "EA157",
            name: "client-secret-in-the-body",
            severity: Severity::Low,
            title: "the client's secret is sent in the body of the request",
            why: "RFC 6749 section 2.3.1 does not recommend it: bodies are logged where `Authorization` is not.",
            remedy: "remove `client_authentication`: `client_secret_basic` is the default. Accept the finding if \
                     the provider takes nothing else",
        },
        in_the_body,
    ),
    (
        Check {
            id: "EA158",
            name: "refresh-and-scope-disagree",
            severity: Severity::Low,
            title: "only one of `refresh` and the scope `offline_access` is set",
            why: "Most providers give a refresh token only for `offline_access`: without it, sessions end with \
                  their first token. With it and without `refresh`, the provider gives out a token of long life \
                  that nobody uses.",
            remedy: "set both, or remove both",
        },
        refresh_and_scope,
    ),
    (
        Check {
            id: "EA159",
            name: "cors-for-sessions",
            severity: Severity::Low,
            title: "`[cors]` lets pages of other origins use sessions, or seems to",
            why: "The cookie of a session is `SameSite=Lax`. Browsers send it with requests of pages of the same \
                  site only, so such pages can read and write in the name of whoever is signed in. For pages of \
                  other sites, `credentials` does nothing.",
            remedy: "remove `credentials`, or name only origins of the same site that you trust with sessions, and \
                     accept the finding",
        },
        cors,
    ),
]);

/// A day.
const DAY: u32 = 86_400;

/// Thirty days, the most that a policy can have.
const MONTH: u32 = 2_592_000;

/// The providers that give a refresh token without `offline_access`, and refuse or ignore that scope.
const WITHOUT_OFFLINE_ACCESS: [&str; 3] = ["Amazon Cognito", "Google", "Keycloak"];

fn place(member: &str) -> Place {
    Place::member("sign_in").then(member)
}

fn found(member: &str, message: impl Into<String>) -> Observation {
    Observation::new(About::Policy, place(member), message)
}

fn flow<'p>(subject: &PolicySubject<'p>) -> Option<&'p CodeFlowDocument> {
    subject.document().sign_in.as_ref().and_then(SignInDocument::code_flow)
}

fn cookie_key(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(flow) = flow(subject) else { return Vec::new() };
    let keys = match flow.previous_cookie_key {
        None => "anyone who has the package can read encrypted cookies: it contains their key",
        Some(_) => "anyone who has the package can read encrypted cookies: it contains both of their keys",
    };
    vec![found("cookie_key", keys)]
}

fn client_secret(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(flow) = flow(subject) else { return Vec::new() };
    let (member, what) = match (&flow.client_secret, &flow.client_key) {
        (Some(_), _) => ("client_secret", "secret"),
        (None, Some(_)) => ("client_key", "private key"),
        (None, None) => return Vec::new(),
    };
    let client = flow.client_id.escape_debug();
    vec![found(
        member,
        format!("anyone who has the package can act as client `{client}`: it contains its {what}"),
    )]
}

fn long_session(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let long = flow(subject).filter(|flow| flow.refresh && flow.session_seconds > DAY);
    let Some(seconds) = long.map(|flow| flow.session_seconds) else { return Vec::new() };
    let severity = if seconds >= MONTH { Severity::Medium } else { Severity::Low };
    let message = format!("a session is renewed until {seconds} seconds after the sign-in");
    vec![found("session_seconds", message).severity(severity)]
}

/// Whether the pattern writes the first segment of the path out, and matches the rest for some viewer. A rule for every
/// key does not mean this one.
fn names(pattern: &KeyPattern, path: &str) -> bool {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let is_named = match (pattern.segments().first(), parts.first()) {
        (Some(Segment::Literal(first)), Some(part)) => first == part,
        (Some(Segment::Glob(_) | Segment::Claim(_) | Segment::AnySegments) | None, _) | (_, None) => false,
    };
    is_named && could_match(pattern.segments(), &parts)
}

fn could_match(pattern: &[Segment], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Segment::AnySegments, rest)), _) => {
            (0..=parts.len()).any(|taken| parts.get(taken..).is_some_and(|parts| could_match(rest, parts)))
        }
        (Some(_), None) => false,
        (Some((segment, rest)), Some((part, parts))) => {
            let is_so = match segment {
                Segment::Literal(text) => text == part,
                Segment::Claim(_) | Segment::AnySegments => true,
                Segment::Glob(texts) => {
                    texts.first().is_none_or(|first| part.starts_with(first.as_str()))
                        && texts.last().is_none_or(|last| part.ends_with(last.as_str()))
                }
            };
            is_so && could_match(rest, parts)
        }
    }
}

fn rule_at_own_path(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let paths = subject.policy().sign_in().and_then(authorizer_core::SignIn::code_flow);
    let Some(paths) = paths.map(authorizer_core::code_flow::CodeFlow::paths) else { return Vec::new() };
    let mut all = Vec::new();
    for rule in subject.allows() {
        for (place, pattern) in rule.patterns() {
            let own: Vec<&str> = paths.into_iter().filter(|path| names(pattern, path)).collect();
            if !own.is_empty() {
                let message = format!(
                    "`{pattern}` of rule `{}` does not open {}, which the function answers itself",
                    rule.id(),
                    list(&own)
                );
                all.push(rule.found_at(place, message));
            }
        }
    }
    all
}

fn both_kinds(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(flow) = flow(subject) else { return Vec::new() };
    let Some(issuer) = subject.issuers().find(|issuer| issuer.name() == flow.issuer) else {
        return Vec::new();
    };
    let document = issuer.document;
    if document.token_type.is_some() || !document.required.is_empty() {
        return Vec::new();
    }
    let client = flow.client_id.escape_debug();
    let others: Vec<&String> = document.audience.iter().filter(|one| **one != flow.client_id).collect();
    // An ID token's `aud` is its client (OpenID Connect Core 1.0 section 2).
    let takes_id_tokens = document.audience.contains(&flow.client_id);
    let message = match flow.session_token {
        SessionToken::IdToken if !others.is_empty() || !document.client_id.is_empty() => format!(
            "issuer `{}` accepts the ID tokens of client `{client}`, and tokens for others too",
            issuer.name()
        ),
        SessionToken::AccessToken if takes_id_tokens => format!(
            "issuer `{}` accepts tokens whose `aud` is `{client}`, as the ID tokens of this client have it, beside \
             the access tokens of sessions",
            issuer.name()
        ),
        SessionToken::IdToken | SessionToken::AccessToken => return Vec::new(),
    };
    vec![issuer.found_in("audience", message)]
}

/// Whether the provider is known to have its endpoints there.
fn is_of_provider(issuer: &str, endpoint: &str) -> bool {
    let is_below = |host: &str, domain: &str| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    are_one_site(issuer, endpoint)
        || (issuer.starts_with("cognito-idp.") && is_below(endpoint, "amazoncognito.com"))
        || (issuer == "accounts.google.com" && is_below(endpoint, "googleapis.com"))
}

fn another_site(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(flow) = flow(subject) else { return Vec::new() };
    let issuer = subject.issuers().find(|issuer| issuer.name() == flow.issuer);
    let Some(here) = issuer.and_then(|issuer| host_of(&issuer.document.issuer)) else { return Vec::new() };
    let addresses = [
        ("authorization_endpoint", Some(&flow.authorization_endpoint), "people sign in at"),
        ("token_endpoint", Some(&flow.token_endpoint), "codes become tokens at"),
        ("end_session_endpoint", flow.end_session_endpoint.as_ref(), "people sign out at"),
    ];
    let mut all = Vec::new();
    for (member, address, what) in addresses {
        let Some(there) = address.and_then(|address| host_of(address)) else { continue };
        if !is_of_provider(here, there) {
            all.push(found(member, format!("{what} `{there}`, but the issuer is at `{here}`")));
        }
    }
    all
}

fn here_only(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let without = flow(subject).filter(|flow| flow.end_session_endpoint.is_none());
    let observation = |flow: &CodeFlowDocument| {
        let issuer = flow.issuer.escape_debug();
        found("issuer", format!("who signs out here is still signed in at issuer `{issuer}`"))
    };
    without.map(observation).into_iter().collect()
}

fn in_the_body(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_post = |flow: &&CodeFlowDocument| {
        flow.client_secret.is_some()
            && flow.client_authentication == Some(ClientSecretMethod::ClientSecretPost)
    };
    let observation = |_| {
        found("client_authentication", "`client_secret_post` sends the secret of the client in the body")
    };
    flow(subject).filter(is_post).map(observation).into_iter().collect()
}

fn refresh_and_scope(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let Some(flow) = flow(subject) else { return Vec::new() };
    let asked = flow.scopes.iter().position(|scope| scope == "offline_access");
    let issuer = subject.issuers().find(|issuer| issuer.name() == flow.issuer);
    let provider = issuer.and_then(|issuer| Provider::of(&issuer.document.issuer));
    let gives_anyway = provider.is_some_and(|one| WITHOUT_OFFLINE_ACCESS.contains(&one.name.as_str()));
    match (flow.refresh, asked) {
        (true, None) if !gives_anyway => {
            let message = "sessions are renewed, but the scope `offline_access` is not asked for";
            vec![found("refresh", message)]
        }
        (false, Some(index)) => {
            let message = "the scope `offline_access` asks for a refresh token, which nobody uses";
            vec![Observation::new(About::Policy, place("scopes").at(index), message)]
        }
        (true, None | Some(_)) | (false, None) => Vec::new(),
    }
}

fn cors(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let (Some(flow), Some(cors)) = (flow(subject), &subject.document().cors) else { return Vec::new() };
    let Some(here) = host_of(&flow.origin).filter(|_| cors.credentials) else { return Vec::new() };
    let mut all = Vec::new();
    for (index, origin) in cors.origins.iter().enumerate() {
        let Some(there) = host_of(origin) else { continue };
        let shown = origin.escape_debug();
        let message = match are_one_site(here, there.trim_start_matches("*.")) {
            true => format!("pages of `{shown}` can use the sessions of people who are signed in"),
            false => format!("browsers send no session with requests of pages of `{shown}`: it is another site"),
        };
        let place = Place::member("cors").then("origins").at(index);
        all.push(Observation::new(About::Policy, place, message));
    }
    all
}
