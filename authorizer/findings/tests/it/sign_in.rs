//! The findings about the code flow, each found and not found, and what none of them may show.

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_findings::Severity;
use authorizer_findings::policy::{PolicyFinding, PolicySubject, findings};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const SECRET: &str = "a secret of the client, 32 bytes";

fn secret(bytes: &[u8]) -> Value {
    json!({"value": URL_SAFE_NO_PAD.encode(bytes)})
}

/// A policy with a public client, about which there is nothing to say but where its key is.
fn base() -> Value {
    json!({
        "version": 1,
        "issuers": [{
            "name": "staff", "issuer": "https://login.example.com/", "audience": ["files-api"],
            "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
        }],
        "credentials": {"cookie": "__Host-session"},
        "sign_in": {
            "issuer": "staff", "client_id": "files-web", "origin": "https://files.example.com",
            "scopes": ["openid", "files"],
            "authorization_endpoint": "https://login.example.com/authorize",
            "token_endpoint": "https://login.example.com/token",
            "end_session_endpoint": "https://login.example.com/logout",
            "cookie_key": secret(&[7; 32])
        },
        "rules": [{"id": "read", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"]}]
    })
}

/// The policy with other members: JSON pointers; `null` takes one away.
fn with(edits: &[(&str, Value)]) -> Value {
    let mut policy = base();
    for (pointer, value) in edits {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = policy.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Object(members), Value::Null) => {
                members.remove(name);
            }
            (parent, value) => parent[name] = value.clone(),
        }
    }
    policy
}

fn found_in(policy: &Value) -> Vec<PolicyFinding> {
    let document: PolicyDocument = serde_json::from_value(policy.clone()).unwrap();
    let bytes = Bundle::write(&document).unwrap_or_else(|error| panic!("{error:?}"));
    let authorizer = Authorizer::new(Bundle::read(&bytes).unwrap());
    findings(&PolicySubject::new(&document, &authorizer, UnixTime::from_seconds(1_800_000_000)))
}

/// Of a check: where, what, and how grave.
fn of(check: &str, edits: &[(&str, Value)]) -> Vec<(String, String, Severity)> {
    let found = found_in(&with(edits)).into_iter().filter(|one| one.check.id == check);
    found.map(|one| (one.place.to_string(), one.message, one.severity)).collect()
}

fn places(check: &str, edits: &[(&str, Value)]) -> Vec<String> {
    of(check, edits).into_iter().map(|(place, ..)| place).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn keys_and_secrets_in_the_package_are_found_and_never_shown() {
    assert_eq!(places("EA150", &[]), ["sign_in.cookie_key"]);
    assert_eq!(places("EA151", &[]), NOTHING);
    let edits = [
        ("/sign_in/previous_cookie_key", secret(&[8; 32])),
        ("/sign_in/client_secret", secret(SECRET.as_bytes())),
    ];
    let found = of("EA151", &edits);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0.as_str(), found[0].2), ("sign_in.client_secret", Severity::Medium));
    assert!(of("EA150", &edits)[0].1.contains("both"));
    let all = format!("{:?}", found_in(&with(&edits)));
    for text in [SECRET.to_owned(), URL_SAFE_NO_PAD.encode(SECRET), URL_SAFE_NO_PAD.encode([7; 32])] {
        assert!(!all.contains(&text));
    }
    let redirect = json!({"url": "https://login.example.com/start", "origin": "https://files.example.com"});
    assert_eq!(places("EA150", &[("/sign_in", redirect)]), NOTHING);
}

#[test]
fn a_session_is_long_if_it_is_renewed_for_more_than_a_day() {
    let long = |refresh: bool, seconds: u32| {
        let edits = [("/sign_in/refresh", json!(refresh)), ("/sign_in/session_seconds", json!(seconds))];
        of("EA152", &edits).into_iter().map(|(_, _, severity)| severity).collect::<Vec<_>>()
    };
    assert_eq!(long(true, 86_400), []);
    assert_eq!(long(true, 86_401), [Severity::Low]);
    assert_eq!(long(true, 2_592_000), [Severity::Medium]);
    // Without a refresh token, it ends with its first token.
    assert_eq!(long(false, 2_592_000), []);
}

#[test]
fn a_rule_that_names_the_folder_of_an_own_path_is_found_and_a_rule_for_everything_is_not() {
    let keys = |keys: &[&str]| places("EA153", &[("/rules/0/keys", json!(keys))]);
    assert_eq!(keys(&["a/*", ".auth/session"]), ["rules[0].keys[1]"]);
    for named in [".auth/**", ".auth/*", ".auth/{sub}", ".auth/sess*", ".auth/sign-out", "**/x", "*/session"] {
        let is_found = named.starts_with('.');
        assert_eq!(keys(&[named]).len(), usize::from(is_found), "{named}");
    }
    for other in ["**", ".auth/other", ".auth/session/x", ".auth", "auth/session", "{sub}/session"] {
        assert_eq!(keys(&[other]), NOTHING, "{other}");
    }
    let edits = [
        ("/sign_in/redirect_path", json!("/app/callback")),
        ("/rules/0/keys", json!(["app/**"])),
    ];
    let found = of("EA153", &edits);
    assert!(found.len() == 1 && found[0].1.contains("`/app/callback`"), "{found:?}");
}

#[test]
fn both_kinds_of_tokens_are_found_unless_something_tells_them_apart() {
    let audience = |audience: &[&str], token: &str, more: &[(&'static str, Value)]| {
        let mut edits = vec![
            ("/issuers/0/audience", json!(audience)),
            ("/sign_in/session_token", json!(token)),
        ];
        edits.extend(more.iter().cloned());
        places("EA154", &edits)
    };
    let found = ["issuers[0].audience"];
    assert_eq!(audience(&["files-api"], "access_token", &[]), NOTHING);
    assert_eq!(audience(&["files-api", "files-web"], "access_token", &[]), found);
    assert_eq!(audience(&["files-web"], "id_token", &[]), NOTHING);
    assert_eq!(audience(&["files-web", "files-api"], "id_token", &[]), found);
    let typed = [("/issuers/0/token_type", json!("at+jwt"))];
    assert_eq!(audience(&["files-api", "files-web"], "access_token", &typed), NOTHING);
    let required = [("/issuers/0/required", json!({"token_use": "access"}))];
    assert_eq!(audience(&["files-api", "files-web"], "access_token", &required), NOTHING);
}

#[test]
fn an_endpoint_of_another_site_is_found_but_for_those_of_the_provider() {
    let at = |member: &'static str, address: &str| places("EA155", &[(member, json!(address))]);
    assert_eq!(at("/sign_in/token_endpoint", "https://sso.example.com/token"), NOTHING);
    assert_eq!(at("/sign_in/token_endpoint", "https://example.net/token"), ["sign_in.token_endpoint"]);
    assert_eq!(
        at("/sign_in/authorization_endpoint", "https://example.net/authorize"),
        ["sign_in.authorization_endpoint"]
    );
    assert_eq!(at("/sign_in/end_session_endpoint", "https://example.net/x"), ["sign_in.end_session_endpoint"]);
    let cognito = |domain: &str| {
        places(
            "EA155",
            &[
                ("/issuers/0/issuer", json!("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a")),
                ("/sign_in/authorization_endpoint", json!(format!("https://{domain}/oauth2/authorize"))),
                ("/sign_in/token_endpoint", json!(format!("https://{domain}/oauth2/token"))),
                ("/sign_in/end_session_endpoint", Value::Null),
            ],
        )
    };
    assert_eq!(cognito("files.auth.eu-central-1.amazoncognito.com"), NOTHING);
    assert_eq!(cognito("notamazoncognito.com").len(), 2);
}

#[test]
fn a_sign_out_that_is_only_here_is_found() {
    assert_eq!(places("EA156", &[]), NOTHING);
    assert_eq!(places("EA156", &[("/sign_in/end_session_endpoint", Value::Null)]), ["sign_in.issuer"]);
}

#[test]
fn a_secret_in_the_body_is_found() {
    let edits = |method: &str| {
        [
            ("/sign_in/client_secret", secret(SECRET.as_bytes())),
            ("/sign_in/client_authentication", json!(method)),
        ]
    };
    assert_eq!(places("EA157", &edits("client_secret_basic")), NOTHING);
    assert_eq!(places("EA157", &edits("client_secret_post")), ["sign_in.client_authentication"]);
}

#[test]
fn refresh_and_its_scope_go_together_but_where_the_provider_needs_none() {
    let both = |refresh: bool, scopes: &[&str], issuer: &str| {
        places(
            "EA158",
            &[
                ("/sign_in/refresh", json!(refresh)),
                ("/sign_in/scopes", json!(scopes)),
                ("/issuers/0/issuer", json!(issuer)),
            ],
        )
    };
    let here = "https://login.example.com/";
    assert_eq!(both(false, &["openid"], here), NOTHING);
    assert_eq!(both(true, &["openid", "offline_access"], here), NOTHING);
    assert_eq!(both(true, &["openid"], here), ["sign_in.refresh"]);
    assert_eq!(both(false, &["openid", "offline_access"], here), ["sign_in.scopes[1]"]);
    let cognito = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1";
    assert_eq!(both(true, &["openid"], cognito), NOTHING);
    assert_eq!(both(true, &["openid"], "https://tenant.eu.auth0.com/"), ["sign_in.refresh"]);
}

#[test]
fn pages_that_can_use_sessions_are_told_from_those_that_cannot() {
    let cors = |origins: &[&str], credentials: bool| {
        of("EA159", &[("/cors", json!({"origins": origins, "credentials": credentials}))])
    };
    assert_eq!(cors(&["https://app.example.com"], false), []);
    let found = cors(&["https://app.example.com", "https://app.example.net"], true);
    assert_eq!(found.len(), 2);
    assert!(found[0].1.contains("can use the sessions") && found[1].1.contains("another site"), "{found:?}");
    // One without the other is as it must be: no page of another origin needs the cookie.
    assert_eq!(places("EA125", &[("/cors", json!({"origins": ["https://app.example.com"]}))]), NOTHING);
}

#[test]
fn an_address_of_the_developers_machine_is_found_in_each_member() {
    for member in ["authorization_endpoint", "token_endpoint", "end_session_endpoint", "origin"] {
        let pointer = format!("/sign_in/{member}");
        let value = if member == "origin" { "http://localhost:8080" } else { "http://localhost:8080/x" };
        let found = places("EA127", &[(&pointer, json!(value))]);
        assert_eq!(found, [format!("sign_in.{member}")]);
    }
}
