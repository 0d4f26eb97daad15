//! What a policy says beside rules and issuers: where tokens are, what browsers may do, the log, and what is revoked.

use authorizer_core::code_flow::{EndSession, SessionToken};
use authorizer_core::credential::HeaderSetter;
use authorizer_core::policy::document::{
    ClientSecretMethod, CodeFlowDocument, CorsDocument, PolicyDocument, RevokedDocument, SignInDocument,
    SignInRedirectDocument,
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
            facts: match &document.sign_in {
                None => no_sign_in(),
                Some(SignInDocument::Redirect(one)) => redirect(one),
                Some(SignInDocument::CodeFlow(flow)) => code_flow(flow),
            },
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

fn redirect(sign_in: &SignInRedirectDocument) -> Vec<Fact> {
    vec![
        Fact::text("Address", [&sign_in.url], ""),
        Fact::text("Origin of the distribution", [&sign_in.origin], ""),
        Fact::text("Parameter that says where to return to", [&sign_in.return_parameter], ""),
    ]
}

/// Everything of the code flow. Of keys and secrets, only whether the policy has them.
fn code_flow(flow: &CodeFlowDocument) -> Vec<Fact> {
    let CodeFlowDocument {
        issuer,
        client_id,
        origin,
        scopes,
        authorization_endpoint,
        authorization_parameters,
        token_endpoint,
        end_session_endpoint,
        end_session,
        id_token_hint,
        response_iss,
        session_token,
        redirect_path,
        sign_out_path,
        refresh,
        session_seconds,
        cookie_key: _,
        previous_cookie_key,
        client_secret,
        client_key,
        client_authentication,
    } = flow;
    let parameters = authorization_parameters.iter().map(|(name, value)| format!("{name}={value}"));
    let sign_out = match end_session {
        EndSession::RpInitiated => "RP-initiated logout",
        EndSession::Cognito => "Cognito's `/logout`",
    };
    let renewed = match refresh {
        true => "with a refresh token, which an encrypted cookie keeps",
        false => "no: people sign in again when the token expires",
    };
    let keys = match previous_cookie_key {
        None => "one, in the package",
        Some(_) => "two, in the package: the second only opens",
    };
    let proof = match (client_secret, client_key, client_authentication) {
        (Some(_), _, Some(ClientSecretMethod::ClientSecretPost)) => {
            "`client_secret_post`: a secret in the package, sent in the body"
        }
        (Some(_), _, Some(ClientSecretMethod::ClientSecretBasic) | None) => {
            "`client_secret_basic`: a secret in the package"
        }
        (None, Some(_), _) => "`private_key_jwt`: a private key in the package",
        (None, None, _) => "a public client: PKCE alone",
    };
    let hint = if *id_token_hint { "sent; an encrypted cookie keeps it" } else { "not sent" };
    let answer = if *response_iss { "must be in every answer" } else { "is compared where it is there" };
    vec![
        Fact::words("How", "OpenID Connect's code flow with PKCE, by the function itself"),
        Fact::text("Issuer", [issuer], ""),
        Fact::text("Client", [client_id], ""),
        Fact::text("Origin of the distribution", [origin], ""),
        Fact::text("Scopes", scopes, "none"),
        Fact::text("Address", [authorization_endpoint], ""),
        Fact::text("Parameters of the address beside those of the flow", parameters, "none"),
        Fact::text("Token endpoint", [token_endpoint], ""),
        Fact::words("How the client proves itself", proof),
        Fact::words("`iss` in the answer of the provider (RFC 9207)", answer),
        Fact::words(
            "Token that rules read",
            match session_token {
                SessionToken::AccessToken => "the access token",
                SessionToken::IdToken => "the ID token",
            },
        ),
        Fact::words(
            "Who comes with a session",
            "people of this issuer: each permission of the issuer holds for a session as for a bearer token",
        ),
        Fact::words("Renewed", renewed),
        Fact::words("A session ends after", format!("{session_seconds} s")),
        Fact::words("Keys that encrypt cookies", keys),
        Fact::text("Path that the provider sends people back to", [redirect_path], ""),
        Fact::text("Path that signs people out", [sign_out_path], ""),
        Fact::text(
            "Sign-out at the provider",
            end_session_endpoint,
            "none: people stay signed in there",
        ),
        Fact::words("Form of that sign-out", sign_out),
        Fact::words("ID token at that sign-out", hint),
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
