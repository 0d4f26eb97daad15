//! What is known of providers, in policies that are against it.

use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_findings::Severity::{self, High, Low, Medium};
use authorizer_findings::policy::{PolicySubject, findings};
use serde_json::{Value, json};

const COGNITO: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE";
const ENTRA: &str = "https://login.microsoftonline.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0";
const ENTRA_V1: &str = "https://sts.windows.net/6babcaad-604b-40ac-a9d7-9fd97c0b779f/";
const KEYCLOAK: &str = "https://login.example.com/realms/staff";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const UUID: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// The severities of what a check finds in a policy with this issuer and this rule.
fn of(id: &str, issuer: &str, block: &Value, rule: &Value) -> Vec<Severity> {
    with(id, issuer, block, rule, json!({}))
}

/// The same, with more members of the policy.
fn with(id: &str, issuer: &str, block: &Value, rule: &Value, more: Value) -> Vec<Severity> {
    let mut one = json!({"name": "one", "issuer": issuer, "algorithms": ["EdDSA"], "jwks": {"keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}});
    one.as_object_mut().unwrap().extend(block.as_object().unwrap().clone());
    let mut written = json!({"id": "r", "effect": "allow", "methods": ["GET"], "keys": ["a/**"]});
    written.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let mut document = json!({"version": 1, "issuers": [one], "rules": [written]});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let document = serde_json::from_value(document).unwrap();
    let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
    let now = UnixTime::from_seconds(1_800_000_000);
    let found = findings(&PolicySubject::new(&document, &authorizer, now));
    found.iter().filter(|finding| finding.check.id == id).map(|finding| finding.severity).collect()
}

#[test]
fn a_claim_that_the_provider_never_gives_is_found_in_whatever_rule() {
    let audience = json!({"audience": [UUID]});
    for (issuer, block, rule, expected) in [
        (ENTRA, &audience, json!({"when": {"role": {"equals": "admin"}}}), vec![Medium]),
        (ENTRA_V1, &audience, json!({"when": {"role": {"has": "admin"}}}), vec![Medium]),
        (ENTRA, &audience, json!({"when": {"role": {"has": "x"}}, "effect": "deny"}), vec![High]),
        (ENTRA, &audience, json!({"when": {"group": {"has": "x"}}}), vec![Medium]),
        (ENTRA, &audience, json!({"keys": ["a/{client_id}/**"]}), vec![Medium]),
        (ENTRA, &audience, json!({"when": {"roles": {"has": "admin"}}}), vec![]),
        (COGNITO, &audience, json!({"when": {"cognito:group": {"has": "x"}}}), vec![Medium]),
        (COGNITO, &audience, json!({"when": {"groups": {"has": "x"}}}), vec![Medium]),
        (KEYCLOAK, &audience, json!({"when": {"realm_access": {"has": "x"}}}), vec![Medium]),
        (KEYCLOAK, &audience, json!({"when": {"/realm_access/roles": {"has": "x"}}}), vec![]),
        ("https://login.example.com/", &audience, json!({"when": {"role": {"has": "admin"}}}), vec![]),
    ] {
        assert_eq!(of("EA034", issuer, block, &rule), expected, "{issuer} {rule}");
    }
    let id = json!({"audience": ["a"], "required": {"token_use": "id"}});
    let scope = json!({"when": {"scope": {"has": "x"}}});
    assert_eq!(of("EA034", COGNITO, &id, &scope), [Medium]);
    let access = json!({"client_id": ["a"], "required": {"token_use": "access"}});
    assert_eq!(of("EA034", COGNITO, &access, &scope), []);
}

#[test]
fn a_value_that_no_token_has_is_found_in_the_block_and_in_rules() {
    let required = |claim: &str, value: Value| json!({"audience": ["a"], "required": {claim: value}});
    let nothing = json!({});
    for (issuer, block, expected) in [
        (COGNITO, required("token_use", json!("acess")), vec![Medium]),
        (COGNITO, required("token_use", json!("Access")), vec![Medium]),
        (COGNITO, required("token_use", json!("id")), vec![]),
        (KEYCLOAK, required("typ", json!("bearer")), vec![Medium]),
        (KEYCLOAK, required("typ", json!("Bearer")), vec![]),
        (KEYCLOAK, required("typ", json!("DPoP")), vec![]),
        ("https://login.example.com/", required("email_verified", json!("true")), vec![Medium]),
        ("https://login.example.com/", required("email_verified", json!(true)), vec![]),
        ("https://appleid.apple.com", required("email_verified", json!("true")), vec![]),
        ("https://login.example.com/", required("phone_number_verified", json!("true")), vec![Medium]),
        (ENTRA, required("ver", json!("1.0")), vec![Medium]),
        ("https://gitlab.com", required("ref_protected", json!(true)), vec![Medium]),
        ("https://gitlab.com", required("ref_protected", json!("true")), vec![]),
    ] {
        assert_eq!(of("EA052", issuer, &block, &nothing), expected, "{issuer} {block}");
    }
    let google = json!({"audience": ["a"], "required": {"hd": "example.com"}});
    for (when, effect, expected) in [
        (json!({"email_verified": {"equals": "true"}}), "allow", vec![Medium]),
        (json!({"email_verified": {"equals": "false"}}), "deny", vec![High]),
        (json!({"email_verified": {"any": [true, "true"]}}), "allow", vec![Low]),
        (json!({"email_verified": {"equals": true}}), "allow", vec![]),
        (json!({"email_verified": {"present": true}}), "allow", vec![]),
    ] {
        let rule = json!({"when": when, "effect": effect});
        assert_eq!(of("EA052", "https://accounts.google.com", &google, &rule), expected, "{rule}");
    }
}

#[test]
fn has_of_several_words_and_claims_with_slashes_are_found() {
    let block = json!({"audience": [UUID]});
    for (word, effect, expected) in [
        ("ops,admin", "allow", vec![Medium]),
        ("ops;admin", "deny", vec![High]),
        ("ops|admin", "allow", vec![Medium]),
        ("CN=ops,OU=groups,DC=example", "allow", vec![]),
        ("ops", "allow", vec![]),
    ] {
        let rule = json!({"when": {"groups": {"has": word}}, "effect": effect});
        assert_eq!(of("EA053", ENTRA, &block, &rule), expected, "{word}");
    }
    for (issuer, key, expected) in [
        (GITHUB, "a/{repository}/**", vec![Medium]),
        (GITHUB, "a/{sub}/**", vec![Medium]),
        (GITHUB, "a/{repository_id}/**", vec![]),
        ("https://gitlab.com", "a/{project_path}/**", vec![Medium]),
        (KEYCLOAK, "a/{groups}/**", vec![Medium]),
        ("https://oidc.circleci.com/org/1", "a/{sub}/**", vec![Medium]),
        (ENTRA, "a/{sub}/**", vec![]),
    ] {
        let found = of("EA054", issuer, &block, &json!({"keys": ["b/**", key]}));
        assert_eq!(found, expected, "{issuer} {key}");
    }
}

#[test]
fn an_audience_that_no_token_has_is_found() {
    let rule = json!({});
    for (issuer, block, expected) in [
        (ENTRA, json!({"audience": [format!("api://{UUID}")]}), vec![Medium]),
        (ENTRA, json!({"audience": ["https://files.example.com"]}), vec![Medium]),
        (ENTRA, json!({"audience": [UUID, format!("api://{UUID}")]}), vec![Low]),
        (ENTRA, json!({"audience": [UUID]}), vec![]),
        (ENTRA_V1, json!({"audience": [format!("api://{UUID}")]}), vec![]),
        (COGNITO, json!({"audience": ["1example"], "required": {"token_use": "access"}}), vec![Medium]),
        (
            COGNITO,
            json!({"audience": ["https://files.example.com"], "required": {"token_use": "access"}}),
            vec![],
        ),
        (COGNITO, json!({"client_id": ["1example"], "required": {"token_use": "access"}}), vec![]),
        (COGNITO, json!({"audience": ["1example"], "required": {"token_use": "id"}}), vec![]),
        (COGNITO, json!({"client_id": ["1example"], "required": {"token_use": "id"}}), vec![Medium]),
        ("https://login.example.com/", json!({"audience": ["files"]}), vec![]),
    ] {
        assert_eq!(of("EA057", issuer, &block, &rule), expected, "{issuer} {block}");
    }
}

#[test]
fn any_account_is_let_in_if_one_pattern_of_a_rule_asks_for_none() {
    let google = "https://accounts.google.com";
    let block = json!({"audience": ["a"]});
    for (rule, is_found) in [
        (json!({"keys": ["a/**"]}), true),
        (json!({"keys": ["users/{sub}/**", "a/**"]}), true),
        (json!({"keys": ["a/**"], "when": {"email_verified": {"equals": true}}}), true),
        (json!({"keys": ["a/**"], "when": {"hd": {"present": true}}}), true),
        (json!({"keys": ["users/{sub}/**"]}), false),
        (json!({"keys": ["a/**"], "when": {"hd": {"equals": "example.com"}}}), false),
        (json!({"keys": ["a/**"], "when": {"sub": {"any": ["1", "2"]}}}), false),
    ] {
        let expected = if is_found { vec![High] } else { vec![] };
        assert_eq!(of("EA081", google, &block, &rule), expected, "{rule}");
    }
    let domain = json!({"audience": ["a"], "required": {"hd": "example.com"}});
    assert_eq!(of("EA081", google, &domain, &json!({})), []);
}

#[test]
fn any_account_is_let_in_by_a_beginning_that_does_not_name_an_owner() {
    let google = "https://accounts.google.com";
    let block = json!({"audience": ["a"]});
    for (issuer, claim, beginning, is_found) in [
        (GITHUB, "sub", "repo:", true),
        (GITHUB, "sub", "repo:octo", true),
        (GITHUB, "sub", "repo:octo/", false),
        (GITHUB, "sub", "repo:octo/site:", false),
        (GITHUB, "repository_owner", "octo", true),
        (GITHUB, "repository_owner_id", "1", true),
        (GITHUB, "repository", "octo/", false),
        (GITHUB, "repository", "octo", true),
        ("https://gitlab.com", "sub", "project_path:", true),
        ("https://gitlab.com", "sub", "project_path:group/", false),
        ("https://gitlab.com", "namespace_path", "group", true),
        (google, "email", "alice@", true),
        (google, "hd", "example", true),
        (google, "sub", "1", true),
    ] {
        let rule = json!({"keys": ["a/**"], "when": {claim: {"starts_with": beginning}}});
        let expected = if is_found { vec![High] } else { vec![] };
        assert_eq!(of("EA081", issuer, &block, &rule), expected, "{claim} {beginning}");
    }
}

#[test]
fn a_header_of_a_proxy_is_judged_by_who_is_said_to_add_it() {
    let audience = json!({"audience": ["a"]});
    for (header, set_by, added, disagree) in [
        ("Cf-Access-Jwt-Assertion", Some("clients"), vec![Medium], vec![Severity::Informational]),
        ("X-Goog-Iap-Jwt-Assertion", Some("clients"), vec![Medium], vec![Severity::Informational]),
        ("cf-access-jwt-assertion", Some("proxy"), vec![], vec![]),
        ("cf-access-jwt-assertion", None, vec![], vec![]),
        ("x-token", Some("clients"), vec![], vec![Severity::Informational]),
    ] {
        let mut more = json!({
            "credentials": {"header": header},
            "cors": {"origins": ["https://app.example.com"], "credentials": true},
        });
        if let Some(set_by) = set_by {
            more["credentials"]["header_set_by"] = json!(set_by);
        }
        let of = |id| with(id, "https://login.example.com/", &audience, &json!({}), more.clone());
        assert_eq!(of("EA129"), added, "{header} {set_by:?}");
        assert_eq!(of("EA125"), disagree, "{header} {set_by:?}");
    }
}

#[test]
fn a_path_is_judged_by_where_it_begins_and_ends() {
    let audience = json!({"audience": ["a"]});
    for (id, when, expected) in [
        ("EA030", json!({"/user_metadata/team": {"equals": "x"}}), vec![High]),
        ("EA030", json!({"/app_metadata/team": {"equals": "x"}}), vec![]),
        ("EA035", json!({"/realmAccess/roles": {"has": "x"}}), vec![Medium]),
        ("EA035", json!({"/realm_access/roles": {"has": "x"}}), vec![]),
        ("EA037", json!({"/realm_access/roles": {"equals": "x"}}), vec![Medium]),
        ("EA037", json!({"/realm_access/roles": {"starts_with": "x"}}), vec![Medium]),
        ("EA037", json!({"/realm_access/roles": {"has": "x"}}), vec![]),
        ("EA058", json!({"sub": {"starts_with": "repo:octo/site"}}), vec![Medium]),
        ("EA058", json!({"sub": {"starts_with": "repo:octo/site:"}}), vec![]),
        // Within a name, as many write names.
        ("EA058", json!({"sub": {"starts_with": "octo-"}}), vec![Medium]),
        ("EA058", json!({"sub": {"starts_with": "octo_"}}), vec![Medium]),
        ("EA058", json!({"sub": {"starts_with": "octo."}}), vec![Medium]),
        ("EA058", json!({"sub": {"starts_with": "octo/"}}), vec![]),
        ("EA031", json!({"/profile/email": {"equals": "a@x.org"}}), vec![High]),
        (
            "EA031",
            json!({"/profile/email": {"equals": "a@x.org"}, "/profile/email_verified": {"equals": true}}),
            vec![],
        ),
        (
            "EA031",
            json!({"/profile/email": {"equals": "a@x.org"}, "email_verified": {"equals": true}}),
            vec![High],
        ),
        ("EA031", json!({"/email/domain": {"equals": "x.org"}}), vec![]),
        // An object is no text.
        ("EA001", json!({"/a/b": {"equals": "x"}, "a": {"equals": "y"}}), vec![Medium]),
        ("EA001", json!({"/a/b": {"equals": "x"}, "a": {"present": true}}), vec![]),
        ("EA001", json!({"/a/b": {"starts_with": "x"}, "/a/b/c": {"present": true}}), vec![Medium]),
    ] {
        let rule = json!({"when": when});
        assert_eq!(of(id, "https://login.example.com/", &audience, &rule), expected, "{id} {rule}");
    }
    for (id, key, expected) in [
        ("EA031", "mail/{/profile/email}/**", vec![High]),
        ("EA033", "users/{/profile/upn}/**", vec![Medium]),
        ("EA033", "users/{/upn/id}/**", vec![]),
    ] {
        let rule = json!({"keys": [key]});
        assert_eq!(of(id, "https://login.example.com/", &audience, &rule), expected, "{id} {rule}");
    }
}
