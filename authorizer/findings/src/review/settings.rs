//! What a policy says beside rules and issuers: where tokens are, what browsers may do, the log, and what is revoked.

use authorizer_core::credential::HeaderSetter;
use authorizer_core::policy::document::{
    CorsDocument, PolicyDocument, RevokedDocument, SignInDocument, SignInRedirectDocument,
};
use authorizer_core::record::SubjectLogging;

use super::fact::{Fact, Section};

/// The sections, always the same ones: what a policy does not have is said, too.
pub(super) fn of(document: &PolicyDocument) -> Vec<Section> {
    vec![
        credentials(document),
        Section {
            title: "Pages of other origins (CORS)",
            facts: document.cors.as_ref().map_or_else(no_cors, cors),
        },
        Section {
            title: "Sign-in",
            facts: document
                .sign_in
                .as_ref()
                .and_then(SignInDocument::redirect)
                .map_or_else(no_sign_in, sign_in),
        },
        Section { title: "Revoked tokens", facts: revoked(&document.revoked) },
        Section {
            title: "Decision log",
            facts: vec![
                Fact::words("Subject", subject(document.log.subject)),
                Fact::words("Claims that rules read", claims(document.log.claims_salt.is_some())),
            ],
        },
    ]
}

fn credentials(document: &PolicyDocument) -> Section {
    let places = &document.credentials;
    Section {
        title: "Where a token is found",
        facts: vec![
            Fact::text("Header", [&places.header], ""),
            Fact::words("Who adds the header", header_setter(document)),
            Fact::text("Cookie", &places.cookie, "none"),
            Fact::text("Query parameter", &places.query, "none"),
            Fact::text("Query parameters that reads drop", &document.query.ignored, "none"),
        ],
    }
}

fn header_setter(document: &PolicyDocument) -> &'static str {
    let places = &document.credentials;
    match places.header_set_by.unwrap_or_default() {
        _ if places.header.eq_ignore_ascii_case("authorization") => "the client",
        HeaderSetter::Clients => "the client; `Authorization` is read too",
        HeaderSetter::Proxy => {
            "a proxy, whoever's page asks: writes from pages of other origins are refused; `Authorization` is read too"
        }
    }
}

fn no_cors() -> Vec<Fact> {
    vec![Fact::words("Origins", "none: OPTIONS is refused")]
}

fn cors(cors: &CorsDocument) -> Vec<Fact> {
    vec![
        Fact::text("Origins", &cors.origins, "none"),
        Fact::words("Cookies", if cors.credentials { "may be sent" } else { "are not sent" }),
        Fact::text("Exposed headers", &cors.exposed_headers, "those that every page may read"),
        Fact::words("A preflight is remembered for", format!("{} s", cors.max_age_seconds)),
    ]
}

fn no_sign_in() -> Vec<Fact> {
    vec![Fact::words("Address", "none: a person without a token gets the 401")]
}

fn sign_in(sign_in: &SignInRedirectDocument) -> Vec<Fact> {
    vec![
        Fact::text("Address", [&sign_in.url], ""),
        Fact::text("Origin of the distribution", [&sign_in.origin], ""),
        Fact::text("Parameter that says where to return to", [&sign_in.return_parameter], ""),
    ]
}

fn revoked(entries: &[RevokedDocument]) -> Vec<Fact> {
    if entries.is_empty() {
        return vec![Fact::words("Entries", "none")];
    }
    let all = entries.iter().map(|entry| {
        let parts = [("jti", &entry.jti), ("sub", &entry.sub), ("issued_before", &entry.issued_before)];
        let parts =
            parts.into_iter().filter_map(|(name, value)| Some(format!("{name} = {}", value.as_ref()?)));
        Fact::text("Of issuer", std::iter::once(entry.issuer.clone()).chain(parts), "")
    });
    all.collect()
}

fn claims(are_logged: bool) -> &'static str {
    if are_logged { "hashed, with the salt of the policy" } else { "omitted" }
}

fn subject(logging: SubjectLogging) -> &'static str {
    match logging {
        SubjectLogging::Plain => "as the token has it",
        SubjectLogging::Hashed => "hashed, with its issuer",
        SubjectLogging::Omitted => "omitted",
    }
}
