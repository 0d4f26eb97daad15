//! Every way in which a policy can get wider, one by one: `diff` names each, with the old and the new value, and the
//! other way round it names what got narrower. The list has every field of the policy.

use std::collections::BTreeSet;

use authorizer_analysis::{Direction, Effect, PolicyDiff, TrustChange, diff, matrix};
use authorizer_core::policy::document::{
    AcceptedDocument, CodeFlowDocument, ConditionDocument, CorsDocument, CredentialsDocument, IssuerDocument, JwksDocument,
    LogDocument, PolicyDocument, QueryDocument, RevokedDocument, RuleDocument, SecretDocument,
    SignInRedirectDocument, UploadDocument,
};
use authorizer_core::rules::RulePart;
use authorizer_core::{Authorizer, Bundle};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// RFC 8037 appendix A.2, and its thumbprint of appendix A.3.
const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

/// RFC 8032 section 7.1, test 2.
const OTHER_KEY: &str = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";

fn key(kid: &str, x: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
}

/// RFC 7515 appendix A.3.1.
fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "e1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

/// A policy that has every field.
fn base() -> Value {
    json!({
        "version": 1,
        "issuers": [
            {
                "name": "staff", "issuer": "https://login.example.com/", "audience": ["files-api"],
                "client_id": ["app"], "algorithms": ["EdDSA"], "token_type": "at+jwt",
                "jwks": {"keys": [key("k1", KEY), key("k2", OTHER_KEY)], "url": "https://login.example.com/jwks",
                    "max_age_seconds": 3600, "max_stale_seconds": 7200},
                "required": {"token_use": "access", "/app/org": "o"}, "leeway_seconds": 30, "max_lifetime_seconds": 3600
            },
            {
                "name": "partner", "issuer": "https://partner.example.net/", "audience": ["files-api"],
                "algorithms": ["HS256"], "secret": {"value": "A".repeat(43)}
            }
        ],
        "revoked": [
            {"issuer": "staff", "jti": "t1"},
            {"issuer": "staff", "sub": "mallory"},
            {"issuer": "staff", "sub": "eve", "issued_before": "2027-01-01T00:00:00Z"}
        ],
        "credentials": {"header": "authorization", "cookie": "session", "query": "access_token"},
        "cors": {"origins": ["https://app.example.com"], "exposed_headers": ["ETag"], "max_age_seconds": 600},
        "sign_in": {"url": "https://login.example.com/start", "origin": "https://files.example.com",
            "return_parameter": "to"},
        "log": {"subject": "hashed"},
        "accepted": [{"finding": "EA026", "rule": "read", "issuer": "staff", "kid": "k1", "reason": "known"}],
        "rules": [
            {
                "id": "seal", "effect": "deny", "methods": ["PUT", "DELETE"], "keys": ["records/**"],
                "when": {"role": {"any": ["guest", "user"]}}, "not_before": "2026-01-01T00:00:00Z"
            },
            {
                "id": "public", "effect": "allow", "methods": ["GET"], "keys": ["public/**"], "anonymous": true
            },
            {
                "id": "upload", "effect": "allow", "methods": ["PUT"], "keys": ["in/{sub}/*"],
                "issuers": ["staff"], "source_ips": ["10.0.0.0/8"], "hosts": ["files.example.com"],
                "not_before": "2026-01-01T00:00:00Z", "not_after": "2028-01-01T00:00:00Z",
                "when": {"scope": {"has": "write"}},
                "upload": {"max_bytes": 5_000_000, "content_types": ["image/png"], "create_only": true,
                    "metadata": {"owner": "{sub}", "via": "web"}}
            },
            {
                "id": "read", "effect": "allow", "methods": ["GET"], "keys": ["shared/*"], "issuers": ["staff"],
                "when": {"role": {"equals": "reader"}, "mfa": {"present": true}, "team": {"starts_with": "ops/eu/"},
                    "/realm_access/roles": {"has": "staff"}},
                "response_overrides": ["response-content-type"]
            },
            {
                "id": "admin", "effect": "allow", "methods": ["GET", "PUT", "DELETE"],
                "operations": ["ListObjectsV2"], "keys": ["records/**"], "issuers": ["staff", "partner"]
            }
        ]
    })
}

/// The key of RFC 7515 appendix A.3.1, as a file of `client_key` has it.
fn client_key(kid: &str) -> Value {
    let key = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid,
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"});
    secret(key.to_string().as_bytes())
}

/// A secret as a bundle has it.
fn secret(bytes: &[u8]) -> Value {
    json!({"value": URL_SAFE_NO_PAD.encode(bytes)})
}

const COOKIE: &str = "__Host-session";

/// `[sign_in]` with every field, but one of the two ways of the client to prove itself.
fn code_flow() -> Value {
    json!({
        "issuer": "staff", "client_id": "files-web", "origin": "https://files.example.com",
        "scopes": ["openid", "files"],
        "authorization_endpoint": "https://login.example.com/authorize",
        "authorization_parameters": {"audience": "files-api"},
        "token_endpoint": "https://login.example.com/token",
        "end_session_endpoint": "https://login.example.com/logout", "end_session": "rp_initiated",
        "id_token_hint": false, "response_iss": true, "session_token": "access_token",
        "redirect_path": "/.auth/callback", "sign_out_path": "/.auth/sign-out",
        "refresh": false, "session_seconds": 43200,
        "cookie_key": secret(&[1; 32]),
        "client_secret": secret(b"a secret of the client, 32 bytes"),
        "client_authentication": "client_secret_basic"
    })
}

/// The same policy with the code flow.
fn flow_base() -> Value {
    let client = json!(["app", "files-web"]);
    let edits = [
        ("/credentials/cookie", json!(COOKIE)),
        ("/issuers/0/client_id", client),
        ("/sign_in", code_flow()),
    ];
    edited(base(), &edits)
}

/// What `diff` has to name.
struct Named {
    /// The id of a rule, or nothing for a setting.
    rule: &'static str,
    /// The part of the rule, or the setting.
    what: &'static str,
    old: Option<&'static str>,
    new: Option<&'static str>,
    /// Whether a request shows it.
    is_shown: bool,
}

const fn of(
    rule: &'static str,
    what: &'static str,
    old: Option<&'static str>,
    new: Option<&'static str>,
) -> Named {
    Named { rule, what, old, new, is_shown: true }
}

/// What no request can show, without the keys of an issuer or a browser.
const fn written(what: &'static str, old: Option<&'static str>, new: Option<&'static str>) -> Named {
    Named { rule: "", what, old, new, is_shown: false }
}

/// One way to make the policy wider.
struct Mutation {
    /// The field of the policy, as [`fields`] writes it.
    field: &'static str,
    /// What is set, by JSON pointers; `null` takes a member away.
    edits: Vec<(&'static str, Value)>,
    named: Vec<Named>,
}

fn to(field: &'static str, edits: Vec<(&'static str, Value)>, named: Vec<Named>) -> Mutation {
    Mutation { field, edits, named }
}

fn edited(mut document: Value, edits: &[(&str, Value)]) -> Value {
    for (pointer, value) in edits {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match (parent, value) {
            (Value::Object(members), Value::Null) => assert!(members.remove(name).is_some(), "{pointer}"),
            (Value::Object(members), value) => {
                members.insert(name.to_owned(), value.clone());
            }
            (Value::Array(members), Value::Null) => {
                members.remove(name.parse().unwrap());
            }
            (Value::Array(members), value) if name == "-" => members.push(value.clone()),
            (Value::Array(members), value) => members[name.parse::<usize>().unwrap()] = value.clone(),
            (other, _) => panic!("{pointer} is in {other}"),
        }
    }
    document
}

fn authorizer(document: &Value) -> Authorizer {
    let document: PolicyDocument = serde_json::from_value(document.clone()).unwrap();
    let bytes = Bundle::write(&document).unwrap_or_else(|error| panic!("{error:?}"));
    Authorizer::new(Bundle::read(&bytes).unwrap())
}

fn compared(old: &Value, new: &Value) -> PolicyDiff {
    diff(&authorizer(old), &authorizer(new)).unwrap()
}

const NEW_ISSUER: &str = "https://new.example.org/";
const STAFF: &str = "https://login.example.com/";
const PARTNER: &str = "https://partner.example.net/";
const ANONYMOUS: &str = "requests without a token";

#[allow(clippy::too_many_lines, reason = "a table")]
fn rules() -> Vec<Mutation> {
    let in_2025 = "2025-01-01T00:00:00Z";
    let in_2030 = "2030-01-01T00:00:00Z";
    vec![
        // Keys.
        to(
            "rules.keys",
            vec![("/rules/3/keys", json!(["shared/*", "users/**"]))],
            vec![of("read", "keys", None, Some("users/**"))],
        ),
        to(
            "rules.keys",
            vec![("/rules/1/keys", json!(["public/**", "help.txt", "users/**"]))],
            vec![of("public", "keys", None, Some("help.txt")), of("public", "keys", None, Some("users/**"))],
        ),
        to(
            "rules.keys",
            vec![("/rules/3/keys", json!(["shared/**"]))],
            vec![of("read", "keys", None, Some("shared/**"))],
        ),
        to(
            "rules.keys",
            vec![("/rules/2/keys", json!(["in/{sub}/*", "in/*/*"]))],
            vec![of("upload", "keys", None, Some("in/*/*"))],
        ),
        to(
            "rules.keys",
            vec![("/rules/0/keys", json!(["records/2020/**"]))],
            vec![of("seal", "keys", Some("records/**"), None)],
        ),
        // Operations.
        to(
            "rules.methods",
            vec![("/rules/3/methods", json!(["GET", "DELETE"]))],
            vec![of("read", "operations", None, Some("DeleteObject"))],
        ),
        to(
            "rules.operations",
            vec![("/rules/3/operations", json!(["GetObjectVersion"]))],
            vec![of("read", "operations", None, Some("GetObjectVersion"))],
        ),
        to(
            "rules.operations",
            vec![("/rules/1/operations", json!(["ListObjectsV2"]))],
            vec![of("public", "operations", None, Some("ListObjectsV2"))],
        ),
        to(
            "rules.methods",
            vec![("/rules/0/methods", json!(["PUT"]))],
            vec![of("seal", "operations", Some("DeleteObject"), None)],
        ),
        to(
            "rules.methods",
            vec![("/rules/0/methods", json!(["DELETE"]))],
            vec![of("seal", "operations", Some("PutObject"), None)],
        ),
        // Principals.
        to(
            "rules.anonymous",
            vec![("/rules/4/anonymous", json!(true)), ("/rules/4/issuers", Value::Null)],
            vec![of("admin", "anonymous", None, Some(ANONYMOUS))],
        ),
        to(
            "rules.issuers",
            vec![("/rules/3/issuers", json!(["staff", "partner"]))],
            vec![of("read", "issuers", None, Some(PARTNER))],
        ),
        to(
            "rules.issuers",
            vec![("/rules/0/issuers", json!(["partner"]))],
            vec![of("seal", "issuers", Some(STAFF), None)],
        ),
        // Conditions.
        to(
            "rules.when",
            vec![("/rules/2/when", Value::Null)],
            vec![of("upload", "when.scope", Some("has = \"write\""), None)],
        ),
        to(
            "rules.when.equals",
            vec![("/rules/3/when/role", json!({"equals": "intern"}))],
            vec![of("read", "when.role", Some("equals = \"reader\""), Some("equals = \"intern\""))],
        ),
        to(
            "rules.when.any",
            vec![("/rules/3/when/role", json!({"any": ["reader", "intern"]}))],
            vec![of(
                "read",
                "when.role",
                Some("equals = \"reader\""),
                Some("any = [\"reader\", \"intern\"]"),
            )],
        ),
        to(
            "rules.when.has",
            vec![("/rules/2/when/scope", json!({"has": "read"}))],
            vec![of("upload", "when.scope", Some("has = \"write\""), Some("has = \"read\""))],
        ),
        to(
            "rules.when.starts_with",
            vec![("/rules/3/when/team", json!({"starts_with": "ops/"}))],
            vec![of("read", "when.team", Some("starts_with = \"ops/eu/\""), Some("starts_with = \"ops/\""))],
        ),
        to(
            "rules.when.starts_with",
            vec![
                ("/rules/0/when/role/any", Value::Null),
                ("/rules/0/when/role/starts_with", json!("guest-")),
            ],
            vec![of(
                "seal",
                "when.role",
                Some("any = [\"guest\", \"user\"]"),
                Some("starts_with = \"guest-\""),
            )],
        ),
        to(
            "rules.when",
            vec![(
                "/rules/3/when",
                json!({"role": {"equals": "reader"}, "mfa": {"present": true},
                "team": {"starts_with": "ops/eu/"}}),
            )],
            vec![of("read", "when./realm_access/roles", Some("has = \"staff\""), None)],
        ),
        to(
            "rules.when.present",
            vec![("/rules/3/when/mfa", Value::Null)],
            vec![of("read", "when.mfa", Some("present = true"), None)],
        ),
        to(
            "rules.when.any",
            vec![("/rules/0/when/role", json!({"any": ["guest"]}))],
            vec![of("seal", "when.role", Some("any = [\"guest\", \"user\"]"), Some("any = [\"guest\"]"))],
        ),
        to(
            "rules.when",
            vec![("/rules/0/when/team", json!({"equals": "x"}))],
            vec![of("seal", "when.team", None, Some("equals = \"x\""))],
        ),
        // Networks.
        to(
            "rules.source_ips",
            vec![("/rules/2/source_ips", json!(["10.0.0.0/8", "192.0.2.0/24"]))],
            vec![of("upload", "source_ips", None, Some("192.0.2.0/24"))],
        ),
        to(
            "rules.source_ips",
            vec![("/rules/2/source_ips", Value::Null)],
            vec![of("upload", "source_ips", Some("10.0.0.0/8"), Some("any address"))],
        ),
        to(
            "rules.source_ips",
            vec![("/rules/0/source_ips", json!(["192.0.2.0/24"]))],
            vec![of("seal", "source_ips", Some("any address"), Some("192.0.2.0/24"))],
        ),
        // Hosts.
        to(
            "rules.hosts",
            vec![("/rules/2/hosts", json!(["files.example.com", "*.example.org"]))],
            vec![of("upload", "hosts", None, Some("*.example.org"))],
        ),
        to(
            "rules.hosts",
            vec![("/rules/2/hosts", json!(["*.example.com", "files.example.com"]))],
            vec![of("upload", "hosts", None, Some("*.example.com"))],
        ),
        to(
            "rules.hosts",
            vec![("/rules/2/hosts", Value::Null)],
            vec![of("upload", "hosts", Some("files.example.com"), Some("any host"))],
        ),
        // Times.
        to(
            "rules.not_before",
            vec![("/rules/2/not_before", json!(in_2025))],
            vec![of("upload", "not_before", Some("2026-01-01T00:00:00Z"), Some(in_2025))],
        ),
        to(
            "rules.not_before",
            vec![("/rules/2/not_before", Value::Null)],
            vec![of("upload", "not_before", Some("2026-01-01T00:00:00Z"), Some("any time"))],
        ),
        to(
            "rules.not_before",
            vec![("/rules/0/not_before", json!(in_2030))],
            vec![of("seal", "not_before", Some("2026-01-01T00:00:00Z"), Some(in_2030))],
        ),
        to(
            "rules.not_after",
            vec![("/rules/2/not_after", json!(in_2030))],
            vec![of("upload", "not_after", Some("2028-01-01T00:00:00Z"), Some(in_2030))],
        ),
        to(
            "rules.not_after",
            vec![("/rules/2/not_after", Value::Null)],
            vec![of("upload", "not_after", Some("2028-01-01T00:00:00Z"), Some("any time"))],
        ),
        to(
            "rules.not_after",
            vec![("/rules/0/not_after", json!(in_2030))],
            vec![of("seal", "not_after", Some("any time"), Some(in_2030))],
        ),
        // Uploads and downloads.
        to(
            "rules.upload.max_bytes",
            vec![("/rules/2/upload/max_bytes", json!("6MB"))],
            vec![of("upload", "upload.max_bytes", Some("5000000"), Some("6000000"))],
        ),
        to(
            "rules.upload.max_bytes",
            vec![("/rules/2/upload/max_bytes", Value::Null)],
            vec![of("upload", "upload.max_bytes", Some("5000000"), Some("no limit"))],
        ),
        // It does not vanish behind a new key.
        to(
            "rules.upload.max_bytes",
            vec![
                ("/rules/2/upload/max_bytes", json!(6_000_000)),
                ("/rules/2/keys", json!(["in/{sub}/*", "pictures/**"])),
            ],
            vec![
                of("upload", "upload.max_bytes", Some("5000000"), Some("6000000")),
                of("upload", "keys", None, Some("pictures/**")),
            ],
        ),
        to(
            "rules.upload.content_types",
            vec![("/rules/2/upload/content_types", json!(["image/png", "text/html"]))],
            vec![of("upload", "upload.content_types", None, Some("text/html"))],
        ),
        to(
            "rules.upload.content_types",
            vec![("/rules/2/upload/content_types", json!(["image/*"]))],
            vec![of("upload", "upload.content_types", None, Some("image/*"))],
        ),
        to(
            "rules.upload.content_types",
            vec![("/rules/2/upload/content_types", Value::Null)],
            vec![of("upload", "upload.content_types", Some("image/png"), Some("any type"))],
        ),
        to(
            "rules.upload.create_only",
            vec![("/rules/2/upload/create_only", Value::Null)],
            vec![of("upload", "upload.create_only", Some("true"), Some("false"))],
        ),
        to(
            "rules.upload.metadata",
            vec![("/rules/2/upload/metadata/note", json!("*"))],
            vec![of("upload", "upload.metadata.note", None, Some("*"))],
        ),
        to(
            "rules.upload.metadata",
            vec![("/rules/2/upload/metadata/owner", json!("*"))],
            vec![of("upload", "upload.metadata.owner", Some("{sub}"), Some("*"))],
        ),
        to(
            "rules.upload.metadata",
            vec![("/rules/2/upload/metadata/via", json!("app"))],
            vec![of("upload", "upload.metadata.via", Some("web"), Some("app"))],
        ),
        to(
            "rules.upload.metadata",
            vec![("/rules/2/upload/metadata/via", Value::Null)],
            vec![of("upload", "upload.metadata.via", Some("web"), None)],
        ),
        to(
            "rules.upload.checksums",
            vec![("/rules/2/upload/checksums", json!(["sha256", "crc32"]))],
            vec![
                of("upload", "upload.checksums", None, Some("crc32")),
                of("upload", "upload.checksums", None, Some("sha256")),
            ],
        ),
        // The headers of the policy leave room for none, and one there is at least.
        to(
            "rules.upload.checksums",
            vec![("/rules/2/upload/checksums", json!(true))],
            vec![of("upload", "upload.checksums", None, Some("crc32"))],
        ),
        to(
            "rules.response_overrides",
            vec![(
                "/rules/3/response_overrides",
                json!(["response-content-type", "response-content-disposition"]),
            )],
            vec![of("read", "response_overrides", None, Some("response-content-disposition"))],
        ),
        to(
            "rules.parameters",
            vec![("/rules/3/parameters", json!(["partNumber"]))],
            vec![of("read", "parameters", None, Some("partNumber"))],
        ),
        to(
            "rules.parameters",
            vec![("/rules/4/parameters", json!(["fetch-owner"]))],
            vec![of("admin", "parameters", None, Some("fetch-owner"))],
        ),
        // Whole rules.
        to(
            "rules.id",
            vec![(
                "/rules/-",
                json!({"id": "press", "effect": "allow", "methods": ["GET", "DELETE"], "anonymous": true,
                    "keys": ["press/*", "news/**"]}),
            )],
            vec![
                of("press", "keys", None, Some("press/*")),
                of("press", "keys", None, Some("news/**")),
                of("press", "operations", None, Some("GetObject")),
                of("press", "operations", None, Some("DeleteObject")),
                of("press", "anonymous", None, Some(ANONYMOUS)),
            ],
        ),
        to(
            "rules.id",
            vec![("/rules/0", Value::Null)],
            vec![
                of("seal", "keys", Some("records/**"), None),
                of("seal", "operations", Some("PutObject"), None),
                of("seal", "operations", Some("DeleteObject"), None),
            ],
        ),
        to(
            "rules.effect",
            vec![("/rules/0/effect", json!("allow")), ("/rules/0/issuers", json!(["staff"]))],
            vec![of("seal", "keys", Some("records/**"), None)],
        ),
    ]
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn trust() -> Vec<Mutation> {
    let shown = |what, old, new| of("", what, old, new);
    let k1 = "k1, thumbprint kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert!(k1.ends_with(THUMBPRINT));
    vec![
        to(
            "issuers.issuer",
            vec![
                (
                    "/issuers/-",
                    json!({"name": "new", "issuer": NEW_ISSUER, "audience": ["files-api", "x"],
                        "algorithms": ["EdDSA"], "jwks": {"keys": [key("k1", KEY)]}}),
                ),
                ("/rules/3/issuers", json!(["staff", "new"])),
            ],
            vec![
                shown("issuers.issuer", None, Some(NEW_ISSUER)),
                written("issuers.algorithms", None, Some("EdDSA")),
                written("issuers.jwks", None, Some(k1)),
                written("issuers.audience", None, Some("x")),
                of("read", "issuers", None, Some(NEW_ISSUER)),
            ],
        ),
        to(
            "issuers.audience",
            vec![("/issuers/0/audience", json!(["files-api", "other-api"]))],
            vec![shown("issuers.audience", None, Some("other-api"))],
        ),
        to(
            "issuers.audience",
            vec![("/issuers/0/audience", json!(["other-api"]))],
            vec![shown("issuers.audience", None, Some("other-api"))],
        ),
        to(
            "issuers.audience",
            vec![("/issuers/0/audience", json!([]))],
            vec![shown("issuers.audience", Some("required"), Some("absent"))],
        ),
        to(
            "issuers.client_id",
            vec![("/issuers/0/client_id", json!(["app", "cli"]))],
            vec![shown("issuers.client_id", None, Some("cli"))],
        ),
        to(
            "issuers.client_id",
            vec![("/issuers/0/client_id", json!([]))],
            vec![shown("issuers.client_id", Some("app"), Some("any"))],
        ),
        to(
            "issuers.algorithms",
            vec![("/issuers/0/algorithms", json!(["EdDSA", "RS256"]))],
            vec![written("issuers.algorithms", None, Some("RS256"))],
        ),
        to(
            "issuers.jwks.keys",
            vec![("/issuers/0/jwks/keys/1/kid", json!("k3"))],
            vec![written("issuers.jwks", None, Some("k3, thumbprint"))],
        ),
        // The same `kid`, another key.
        to(
            "issuers.jwks.keys",
            vec![("/issuers/0/jwks/keys/1/x", json!(KEY))],
            vec![written(
                "issuers.jwks",
                None,
                Some("k2, thumbprint kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            )],
        ),
        to(
            "issuers.jwks.keys",
            vec![("/issuers/0/jwks/keys/-", p256()), ("/issuers/0/algorithms", json!(["EdDSA", "ES256"]))],
            vec![
                written("issuers.jwks", None, Some("e1, thumbprint")),
                written("issuers.algorithms", None, Some("ES256")),
            ],
        ),
        // A key that is taken away lets tokens without a `kid` in.
        to(
            "issuers.jwks.keys",
            vec![("/issuers/0/jwks/keys/1", Value::Null)],
            vec![written("issuers.jwks.kid", Some("2 keys for EdDSA"), Some("1 key for EdDSA"))],
        ),
        to(
            "issuers.jwks.url",
            vec![("/issuers/0/jwks/url", json!("https://keys.example.org/jwks"))],
            vec![written(
                "issuers.jwks.url",
                Some("https://login.example.com/jwks"),
                Some("https://keys.example.org/jwks"),
            )],
        ),
        to(
            "issuers.jwks.max_age_seconds",
            vec![("/issuers/0/jwks/max_age_seconds", json!(7200))],
            vec![written("issuers.jwks.max_age_seconds", Some("3600"), Some("7200"))],
        ),
        to(
            "issuers.jwks.max_stale_seconds",
            vec![("/issuers/0/jwks/max_stale_seconds", json!(86_400))],
            vec![written("issuers.jwks.max_stale_seconds", Some("7200"), Some("86400"))],
        ),
        to(
            "issuers.secret.value",
            vec![("/issuers/1/secret/value", json!("B".repeat(42) + "A"))],
            vec![written("issuers.secret", None, None)],
        ),
        to(
            "issuers.token_type",
            vec![("/issuers/0/token_type", Value::Null)],
            vec![shown("issuers.token_type", Some("at+jwt"), Some("JWT, at+jwt or none"))],
        ),
        to(
            "issuers.token_type",
            vec![("/issuers/0/token_type", json!("id+jwt"))],
            vec![shown("issuers.token_type", Some("at+jwt"), Some("id+jwt"))],
        ),
        to(
            "issuers.required",
            vec![("/issuers/0/required/token_use", Value::Null)],
            vec![shown("issuers.required", Some("\"access\""), None)],
        ),
        to(
            "issuers.required",
            vec![("/issuers/0/required", json!({"token_use": "access"}))],
            vec![shown("issuers.required", Some("\"o\""), None)],
        ),
        to(
            "issuers.required",
            vec![("/issuers/0/required/token_use", json!("id"))],
            vec![shown("issuers.required", Some("\"access\""), Some("\"id\""))],
        ),
        to(
            "issuers.leeway_seconds",
            vec![("/issuers/0/leeway_seconds", json!(120))],
            vec![shown("issuers.leeway_seconds", Some("30"), Some("120"))],
        ),
        to(
            "issuers.max_lifetime_seconds",
            vec![("/issuers/0/max_lifetime_seconds", json!(86_400))],
            vec![shown("issuers.max_lifetime_seconds", Some("3600"), Some("86400"))],
        ),
        to(
            "issuers.max_lifetime_seconds",
            vec![("/issuers/0/max_lifetime_seconds", Value::Null)],
            vec![shown("issuers.max_lifetime_seconds", Some("3600"), Some("none"))],
        ),
        to(
            "issuers.accept_bound_tokens",
            vec![("/issuers/0/accept_bound_tokens", json!(true))],
            vec![shown("issuers.accept_bound_tokens", Some("false"), Some("true"))],
        ),
        to(
            "query.ignored",
            vec![("/query", json!({"ignored": ["utm_source"]}))],
            vec![written("query.ignored", None, Some("utm_source"))],
        ),
        to(
            "revoked.jti",
            vec![("/revoked/0", Value::Null)],
            vec![shown("revoked", Some("jti \"t1\""), None)],
        ),
        to(
            "revoked.sub",
            vec![("/revoked/1", Value::Null)],
            vec![shown("revoked", Some("sub \"mallory\""), None)],
        ),
        to(
            "revoked.issued_before",
            vec![("/revoked/2/issued_before", json!("2026-01-01T00:00:00Z"))],
            vec![shown("revoked", Some("sub \"eve\" and iat before \"2027-01-01T00:00:00Z\""), None)],
        ),
        to(
            "revoked.issuer",
            vec![("/revoked/0/issuer", json!("partner"))],
            vec![shown("revoked", Some("jti \"t1\""), None)],
        ),
        to(
            "credentials.header",
            vec![("/credentials/header", json!("Cf-Access-Jwt-Assertion"))],
            vec![written("credentials.header", None, Some("cf-access-jwt-assertion"))],
        ),
        to(
            "credentials.cookie",
            vec![("/credentials/cookie", json!("token"))],
            vec![written("credentials.cookie", Some("session"), Some("token"))],
        ),
        to(
            "credentials.cookie",
            vec![("/credentials/cookie", json!("session.*"))],
            vec![written("credentials.cookie", Some("session"), Some("session.*"))],
        ),
        to(
            "credentials.query",
            vec![("/credentials/query", json!("token"))],
            vec![written("credentials.query", Some("access_token"), Some("token"))],
        ),
        to(
            "cors.origins",
            vec![("/cors/origins/-", json!("https://partner.example.org"))],
            vec![written("cors.origins", None, Some("https://partner.example.org"))],
        ),
        to(
            "cors.origins",
            vec![("/cors/origins/-", json!("https://*.example.net"))],
            vec![written("cors.origins", None, Some("https://*.example.net"))],
        ),
        to(
            "cors.origins",
            vec![("/cors/origins", json!(["*"]))],
            vec![written("cors.origins", None, Some("*"))],
        ),
        to(
            "cors.credentials",
            vec![("/cors/credentials", json!(true))],
            vec![written("cors.credentials", Some("false"), Some("true"))],
        ),
        to(
            "cors.exposed_headers",
            vec![("/cors/exposed_headers", json!(["ETag", "x-amz-meta-owner"]))],
            vec![written("cors.exposed_headers", None, Some("x-amz-meta-owner"))],
        ),
        to(
            "cors.max_age_seconds",
            vec![("/cors/max_age_seconds", json!(86_400))],
            vec![written("cors.max_age_seconds", Some("600"), Some("86400"))],
        ),
        to(
            "sign_in.url",
            vec![("/sign_in/url", json!("https://evil.example/start?x=1"))],
            vec![written(
                "sign_in.url",
                Some("https://login.example.com/start"),
                Some("https://evil.example/start?x=1"),
            )],
        ),
        to(
            "sign_in.origin",
            vec![("/sign_in/origin", json!("https://other.example.com"))],
            vec![written(
                "sign_in.origin",
                Some("https://files.example.com"),
                Some("https://other.example.com"),
            )],
        ),
        to(
            "sign_in.return_parameter",
            vec![("/sign_in/return_parameter", json!("back"))],
            vec![written("sign_in.return_parameter", Some("to"), Some("back"))],
        ),
    ]
}

/// Everything of `[sign_in]` with `issuer`.
#[allow(clippy::too_many_lines, reason = "a table")]
fn flow() -> Vec<Mutation> {
    let text = |field: &'static str, pointer, old, new: &'static str| {
        to(field, vec![(pointer, json!(new))], vec![written(field, Some(old), Some(new))])
    };
    vec![
        to(
            "sign_in.issuer",
            vec![
                ("/issuers/-", json!({"name": "guests", "issuer": NEW_ISSUER, "audience": ["files-api"],
                    "algorithms": ["EdDSA"], "jwks": {"keys": [key("k1", KEY)]}})),
                ("/sign_in/issuer", json!("guests")),
            ],
            vec![written("sign_in.issuer", Some(STAFF), Some(NEW_ISSUER))],
        ),
        text("sign_in.client_id", "/sign_in/client_id", "files-web", "other"),
        text(
            "sign_in.origin",
            "/sign_in/origin",
            "https://files.example.com",
            "https://other.example.com",
        ),
        to(
            "sign_in.scopes",
            vec![("/sign_in/scopes/-", json!("offline_access"))],
            vec![written("sign_in.scopes", None, Some("offline_access"))],
        ),
        text(
            "sign_in.authorization_endpoint",
            "/sign_in/authorization_endpoint",
            "https://login.example.com/authorize",
            "https://evil.example/authorize",
        ),
        to(
            "sign_in.authorization_parameters",
            vec![("/sign_in/authorization_parameters/audience", json!("everything"))],
            vec![written(
                "sign_in.authorization_parameters",
                Some("audience=files-api"),
                Some("audience=everything"),
            )],
        ),
        to(
            "sign_in.authorization_parameters",
            vec![("/sign_in/authorization_parameters/prompt", json!("login"))],
            vec![written("sign_in.authorization_parameters", None, Some("prompt=login"))],
        ),
        text(
            "sign_in.token_endpoint",
            "/sign_in/token_endpoint",
            "https://login.example.com/token",
            "https://evil.example/token",
        ),
        to(
            "sign_in.end_session_endpoint",
            vec![("/sign_in/end_session_endpoint", Value::Null)],
            vec![written("sign_in.end_session_endpoint", Some("https://login.example.com/logout"), None)],
        ),
        text(
            "sign_in.end_session_endpoint",
            "/sign_in/end_session_endpoint",
            "https://login.example.com/logout",
            "https://evil.example/logout",
        ),
        text("sign_in.end_session", "/sign_in/end_session", "rp_initiated", "cognito"),
        to(
            "sign_in.id_token_hint",
            vec![("/sign_in/id_token_hint", json!(true))],
            vec![written("sign_in.id_token_hint", Some("false"), Some("true"))],
        ),
        to(
            "sign_in.response_iss",
            vec![("/sign_in/response_iss", json!(false))],
            vec![written("sign_in.response_iss", Some("true"), Some("false"))],
        ),
        to(
            "sign_in.session_token",
            vec![
                ("/sign_in/session_token", json!("id_token")),
                // What an ID token has.
                ("/issuers/0/audience/-", json!("files-web")),
                ("/issuers/0/client_id", Value::Null),
                ("/issuers/0/token_type", Value::Null),
                ("/issuers/0/required", json!({"/app/org": "o"})),
            ],
            vec![written("sign_in.session_token", Some("access_token"), Some("id_token"))],
        ),
        text("sign_in.redirect_path", "/sign_in/redirect_path", "/.auth/callback", "/.auth/back"),
        text("sign_in.sign_out_path", "/sign_in/sign_out_path", "/.auth/sign-out", "/.auth/bye"),
        to(
            "sign_in.refresh",
            vec![("/sign_in/refresh", json!(true)), ("/sign_in/scopes/-", json!("offline_access"))],
            vec![written("sign_in.refresh", Some("false"), Some("true"))],
        ),
        to(
            "sign_in.session_seconds",
            vec![("/sign_in/session_seconds", json!(86_400))],
            vec![written("sign_in.session_seconds", Some("43200"), Some("86400"))],
        ),
        to(
            "sign_in.cookie_key",
            vec![("/sign_in/cookie_key", secret(&[2; 32]))],
            vec![written("sign_in.cookie_key", Some(MARK_OF_ONES), Some(MARK_OF_TWOS))],
        ),
        to(
            "sign_in.previous_cookie_key",
            vec![("/sign_in/previous_cookie_key", secret(&[2; 32]))],
            vec![written("sign_in.previous_cookie_key", None, Some(MARK_OF_TWOS))],
        ),
        to(
            "sign_in.client_secret",
            vec![("/sign_in/client_secret", secret(b"another secret, it has 32 bytes."))],
            vec![written("sign_in.client_secret", None, None)],
        ),
        to(
            "sign_in.client_secret",
            vec![("/sign_in/client_secret", Value::Null), ("/sign_in/client_authentication", Value::Null)],
            vec![written("sign_in.client_authentication", Some("client_secret_basic"), Some("none"))],
        ),
        to(
            "sign_in.client_key",
            vec![
                ("/sign_in/client_secret", Value::Null),
                ("/sign_in/client_authentication", Value::Null),
                ("/sign_in/client_key", client_key("c1")),
            ],
            vec![written(
                "sign_in.client_authentication",
                Some("client_secret_basic"),
                Some("private_key_jwt"),
            )],
        ),
        text(
            "sign_in.client_authentication",
            "/sign_in/client_authentication",
            "client_secret_basic",
            "client_secret_post",
        ),
    ]
}

/// The marks of the keys of 32 bytes 1 and 2: of the SHA-256 of `authorizer cookie key ` and the key.
const MARK_OF_ONES: &str = "1f42a7b6";
const MARK_OF_TWOS: &str = "c8ae0b7a";

/// A value that is named is the expected one, or begins with it where it has more.
fn is(actual: Option<&str>, expected: Option<&str>) -> bool {
    match (actual, expected) {
        (Some(actual), Some(expected)) => {
            actual == expected || (expected.ends_with("thumbprint") && actual.starts_with(expected))
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether `found` names it: as wider, or, where the policies are exchanged, as narrower.
fn names(found: &PolicyDiff, named: &Named, not: Direction) -> bool {
    let (old, new) = if not == Direction::Narrower { (named.old, named.new) } else { (named.new, named.old) };
    if named.rule.is_empty() {
        return found.trust.iter().any(|change| {
            change.setting == named.what
                && is(change.old.as_deref(), old)
                && is(change.new.as_deref(), new)
                && change.direction != not
                && change.effect == Effect::Decides
                && (!named.is_shown || change.request.is_some())
        });
    }
    found.rules.iter().filter(|rule| rule.rule == named.rule).flat_map(|rule| &rule.parts).any(|part| {
        let request = if not == Direction::Narrower { &part.opens } else { &part.closes };
        // What can be stored by both is shown by a request that both allow.
        let request = request.as_ref().or(part.opens.as_ref().filter(|_| part.direction == Direction::Other));
        part.part == named.what
            && is(part.old.as_deref(), old)
            && is(part.new.as_deref(), new)
            && part.direction != not
            && part.effect == Effect::Decides
            && request.is_some()
    })
}

#[test]
fn every_widening_is_named_with_its_values_and_a_request() {
    let (redirect, code_flow) = (base(), flow_base());
    assert!(compared(&redirect, &redirect).is_empty() && compared(&code_flow, &code_flow).is_empty());
    let with = |old, all: Vec<Mutation>| all.into_iter().map(move |one| (old, one));
    let mutations: Vec<_> =
        with(&redirect, [rules(), trust()].concat_all()).chain(with(&code_flow, flow())).collect();
    assert!(mutations.len() >= 80, "{}", mutations.len());
    let mut missing = Vec::new();
    for (old, Mutation { field, edits, named }) in mutations {
        let new = edited(old.clone(), &edits);
        for (before, after, not) in [(old, &new, Direction::Narrower), (&new, old, Direction::Wider)] {
            let found = compared(before, after);
            if not == Direction::Narrower {
                assert!(found.grants(), "{field} {edits:?} is not new access");
            }
            assert!(!found.is_empty(), "{field} {edits:?}");
            for one in named.iter().filter(|one| !names(&found, one, not)) {
                missing.push(format!(
                    "{field} {not:?}: {} {} {:?} {:?}\n  of {:?}\n  and {:?}",
                    one.rule,
                    one.what,
                    one.old,
                    one.new,
                    found
                        .rules
                        .iter()
                        .flat_map(|rule| rule.parts.iter().map(|part| (
                            &rule.rule,
                            &part.part,
                            &part.old,
                            &part.new,
                            part.direction,
                            part.effect,
                            part.opens.is_some(),
                            part.closes.is_some()
                        )))
                        .collect::<Vec<_>>(),
                    found
                        .trust
                        .iter()
                        .map(|one| (
                            one.setting,
                            &one.old,
                            &one.new,
                            one.direction,
                            one.effect,
                            one.request.is_some()
                        ))
                        .collect::<Vec<_>>(),
                ));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

trait ConcatAll<T> {
    fn concat_all(self) -> Vec<T>;
}

impl<T, const N: usize> ConcatAll<T> for [Vec<T>; N] {
    fn concat_all(self) -> Vec<T> {
        self.into_iter().flatten().collect()
    }
}

/// What is written otherwise and decides the same is told as such, and is no new access.
#[test]
fn what_has_no_effect_is_told_as_having_none() {
    let old = base();
    for edits in [
        // Another pattern of the rule, and another rule, allow it.
        vec![("/rules/1/keys", json!(["public/**", "public/a/*"]))],
        vec![(
            "/rules/-",
            json!({"id": "logo", "effect": "allow", "methods": ["GET"], "anonymous": true, "keys": ["public/logo.svg"]}),
        )],
        // A deny rule for what nothing allows.
        vec![("/rules/0/keys", json!(["records/**", "nothing/**"]))],
        vec![("/cors/origins", json!(["https://app.example.com", "https://app.example.com"]))],
        // Revoked twice.
        vec![("/revoked/-", json!({"issuer": "staff", "jti": "t1", "sub": "mallory"}))],
    ] {
        let new = edited(old.clone(), &edits);
        for (before, after) in [(&old, &new), (&new, &old)] {
            let found = compared(before, after);
            assert!(found.is_empty() && !found.grants(), "{edits:?} {found:?}");
            let parts = found.rules.iter().flat_map(|rule| &rule.parts);
            assert!(parts.clone().all(|part| part.effect == Effect::None), "{edits:?}");
            assert!(edits[0].0.starts_with("/cors") || parts.count() + found.trust.len() > 0, "{edits:?}");
            assert!(!found.not_compared.is_empty());
        }
    }
    let wide = edited(old.clone(), &[("/cors/origins", json!(["https://*.example.com"]))]);
    let both = edited(
        old.clone(),
        &[("/cors/origins", json!(["https://*.example.com", "https://app.example.com"]))],
    );
    assert!(compared(&wide, &both).is_empty());
    assert!(compared(&old, &wide).grants());
}

#[test]
fn a_setting_on_which_no_decision_depends_is_told_apart() {
    let old = base();
    let new = edited(
        old.clone(),
        &[
            ("/log/subject", json!("plain")),
            ("/log/claims_salt", json!("0123456789abcdef0123456789abcdef")),
            ("/issuers/1/name", json!("partners")),
            ("/rules/4/issuers", json!(["staff", "partners"])),
            ("/rules/1/id", json!("open")),
            ("/accepted", Value::Null),
        ],
    );
    let found = compared(&old, &new);
    assert!(found.is_empty() && found.rules.is_empty(), "{found:?}");
    let settings: Vec<_> =
        found.other_settings.iter().map(|one| (one.setting, one.old.as_str(), one.new.as_str())).collect();
    assert_eq!(
        settings,
        [
            ("log.subject", "hashed", "plain"),
            ("log.claims_salt", "not logged", "hashed"),
            ("issuers.name", "partner", "partners"),
            ("rules.id", "public", "open")
        ]
    );
}

#[test]
fn another_salt_is_told_and_not_shown() {
    let (one, other) = ("0123456789abcdef".repeat(2), "fedcba9876543210".repeat(2));
    let with = |salt: &str| edited(base(), &[("/log/claims_salt", json!(salt))]);
    let told = |old: &Value, new: &Value| {
        let found = compared(old, new);
        assert!(found.is_empty() && !format!("{found:?}").contains(&one));
        found.other_settings.into_iter().map(|change| (change.old, change.new)).collect::<Vec<_>>()
    };
    let pair = |old: &str, new: &str| vec![(old.to_owned(), new.to_owned())];
    assert_eq!(told(&with(&one), &with(&one)), []);
    assert_eq!(told(&with(&one), &with(&other)), pair("hashed", "hashed with another salt"));
    assert_eq!(told(&with(&one), &base()), pair("hashed", "not logged"));
}

/// The texts that must not be in anything that is written for people.
fn has_no_secret(told: &PolicyDiff) {
    let told = format!("{told:?}");
    let keys = [secret(&[1; 32]), secret(&[2; 32]), secret(b"a secret of the client, 32 bytes"), client_key("c1")];
    for key in keys {
        assert!(!told.contains(key["value"].as_str().unwrap()));
    }
    assert!(!told.contains("a secret of the client") && !told.contains("jpsQnnGQmL"));
}

/// From one redirect, or no sign-in, to the code flow, every setting is told with its value; and back.
#[test]
fn a_flow_that_comes_or_goes_is_told_setting_by_setting() {
    let new = edited(flow_base(), &[("/sign_in/previous_cookie_key", secret(&[2; 32])), ("/sign_in/refresh", json!(true)),
        ("/sign_in/id_token_hint", json!(true))]);
    let redirect = edited(flow_base(), &[("/sign_in", base()["sign_in"].clone())]);
    let none = edited(redirect.clone(), &[("/sign_in", Value::Null)]);
    for old in [&redirect, &none] {
        let (there, back) = (compared(old, &new), compared(&new, old));
        has_no_secret(&there);
        let settings = |found: &PolicyDiff| -> BTreeSet<_> {
            found.trust.iter().map(|change| change.setting).collect()
        };
        for setting in [
            "sign_in",
            "sign_in.issuer",
            "sign_in.client_id",
            "sign_in.scopes",
            "sign_in.authorization_endpoint",
            "sign_in.authorization_parameters",
            "sign_in.token_endpoint",
            "sign_in.end_session_endpoint",
            "sign_in.id_token_hint",
            "sign_in.session_token",
            "sign_in.redirect_path",
            "sign_in.sign_out_path",
            "sign_in.refresh",
            "sign_in.session_seconds",
            "sign_in.cookie_key",
            "sign_in.previous_cookie_key",
            "sign_in.client_authentication",
        ] {
            assert!(settings(&there).contains(setting) && settings(&back).contains(setting), "{setting}");
        }
        let has_origin = |found: &PolicyDiff| settings(found).contains("sign_in.origin");
        assert_eq!((has_origin(&there), has_origin(&back)), (old == &none, old == &none));
        assert!(there.grants());
        // What the rules say of the paths of the function counts again.
        let narrower = |change: &&TrustChange| change.direction != Direction::Narrower;
        let wider: Vec<_> = back.trust.iter().filter(narrower).map(|change| change.setting).collect();
        let again = ["sign_in.url", "sign_in.return_parameter", "sign_in.authorization_parameters", "sign_in"];
        assert!(wider.iter().all(|setting| again.contains(setting)), "{wider:?}");
        let first = there.trust.first().unwrap();
        assert!(first.setting.ends_with("endpoint") || first.setting == "sign_in.issuer", "{first:?}");
    }
}

/// Keys that rotate are told by marks, so a reader sees that the new previous key is the key of before.
#[test]
fn another_key_of_cookies_is_told_by_its_mark() {
    let old = flow_base();
    let rotated = [("/sign_in/cookie_key", secret(&[2; 32])), ("/sign_in/previous_cookie_key", secret(&[1; 32]))];
    let new = edited(old.clone(), &rotated);
    let found = compared(&old, &new);
    has_no_secret(&found);
    let told: Vec<_> =
        found.trust.iter().map(|one| (one.setting, one.old.as_deref(), one.new.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("sign_in.cookie_key", Some(MARK_OF_ONES), Some(MARK_OF_TWOS)),
            ("sign_in.previous_cookie_key", None, Some(MARK_OF_ONES)),
        ]
    );
}

/// The other private key of the same client.
#[test]
fn another_private_key_of_the_client_is_told_and_not_shown() {
    let with = |kid: &str| {
        edited(
            flow_base(),
            &[
                ("/sign_in/client_secret", Value::Null),
                ("/sign_in/client_authentication", Value::Null),
                ("/sign_in/client_key", client_key(kid)),
            ],
        )
    };
    let found = compared(&with("c1"), &with("c2"));
    has_no_secret(&found);
    let told: Vec<_> = found.trust.iter().map(|one| (one.setting, one.direction)).collect();
    assert_eq!(told, [("sign_in.client_key", Direction::Other)]);
    assert!(compared(&with("c1"), &with("c1")).is_empty());
}

/// A rule for a key whose path the function answers itself: the object is there in another spelling, and the audit says
/// what the core decides.
#[test]
fn an_object_at_a_path_of_the_function_is_asked_for_in_another_spelling() {
    let rule = |key: &str| {
        json!({"id": "open", "effect": "allow", "methods": ["GET", "PUT"], "keys": [key], "issuers": ["staff"]})
    };
    for key in [".auth/session", ".auth/callback", ".auth/*"] {
        let document = edited(flow_base(), &[("/rules", json!([rule(key)]))]);
        let authorizer = authorizer(&document);
        let table = matrix(&authorizer).unwrap();
        let [row] = table.rows.as_slice() else { panic!("{:?}", table.rows) };
        assert_eq!((row.who.as_slice(), row.sessions.as_slice()), (["staff".to_owned()].as_slice(), ["staff".to_owned()].as_slice()));
        for cell in &row.cells {
            assert!(cell.request.replay(&authorizer).allowed, "{key}: {}", cell.request.uri);
            let own = ["/.auth/session", "/.auth/callback"];
            assert!(!own.contains(&cell.request.uri.as_str()), "{key}");
        }
    }
    let without = edited(flow_base(), &[("/rules", json!([rule("a/*")])), ("/sign_in", Value::Null)]);
    let table = matrix(&authorizer(&without)).unwrap();
    assert!(table.rows.iter().all(|row| row.sessions.is_empty()));
}

/// A duplicate of a key is a second key that fits, to the core: so that it is gone lets tokens in.
#[test]
fn a_key_that_is_gone_may_let_tokens_without_a_kid_in() {
    let with = |keys: Value| edited(base(), &[("/issuers/0/jwks", json!({"keys": keys}))]);
    let (one, two) = (key("k1", KEY), key("k2", OTHER_KEY));
    let only = with(json!([one]));
    for (old, is_wider) in [
        (with(json!([one, one])), true),
        (with(json!([one, two])), true),
        (with(json!([one, two, two])), true),
        (with(json!([one])), false),
    ] {
        let found = compared(&old, &only);
        let named = found.trust.iter().filter(|change| change.setting == "issuers.jwks.kid");
        let named: Vec<_> = named.map(|change| change.direction).collect();
        assert_eq!(named, if is_wider { vec![Direction::Wider] } else { vec![] });
        assert_eq!(found.grants(), is_wider);
        let back = compared(&only, &old);
        let is_narrower = back
            .trust
            .iter()
            .any(|change| change.setting == "issuers.jwks.kid" && change.direction == Direction::Narrower);
        assert_eq!(is_narrower, is_wider);
    }
    // With keys of two kinds, each is the only one that fits its algorithm.
    let mixed = edited(with(json!([one, p256()])), &[("/issuers/0/algorithms", json!(["EdDSA", "ES256"]))]);
    let less = edited(with(json!([one])), &[("/issuers/0/algorithms", json!(["EdDSA", "ES256"]))]);
    assert!(!compared(&mixed, &less).grants());
}

#[test]
fn an_address_of_keys_that_is_gone_keeps_the_keys_of_the_policy() {
    let old = base();
    let new = edited(old.clone(), &[("/issuers/0/jwks", json!({"keys": old["issuers"][0]["jwks"]["keys"]}))]);
    let found = compared(&old, &new);
    let change = found.trust.iter().find(|change| change.setting == "issuers.jwks.url").unwrap();
    assert_eq!((change.direction, found.grants()), (Direction::Other, true));
    assert!(change.what.contains("https://login.example.com/jwks"));
}

/// Where a proxy adds the header, the `Origin` of a write is checked.
#[test]
fn who_adds_the_header_is_told() {
    let with = |set_by: &str| {
        let places = json!({"header": "X-Token", "header_set_by": set_by});
        edited(base(), &[("/sign_in", Value::Null), ("/credentials", places)])
    };
    for (old, new, direction) in
        [("proxy", "clients", Direction::Wider), ("clients", "proxy", Direction::Narrower)]
    {
        let found = compared(&with(old), &with(new));
        let told: Vec<_> = found.trust.iter().map(|change| (change.setting, change.direction)).collect();
        assert_eq!(told, [("credentials.header_set_by", direction)]);
        assert_eq!(found.grants(), direction == Direction::Wider);
    }
    // A new header.
    let without = edited(base(), &[("/sign_in", Value::Null), ("/credentials", json!({}))]);
    let told = |old: &Value, new: &Value| -> Vec<_> {
        compared(old, new).trust.into_iter().map(|one| (one.setting, one.old, one.new)).collect()
    };
    let header = |old: Option<&str>, new: Option<&str>| {
        ("credentials.header", old.map(str::to_owned), new.map(str::to_owned))
    };
    let setter = ("credentials.header_set_by", None, Some("clients".to_owned()));
    assert_eq!(told(&without, &with("clients")), [header(None, Some("x-token")), setter]);
    assert_eq!(told(&without, &with("proxy")), [header(None, Some("x-token"))]);
    assert_eq!(told(&with("clients"), &without), [header(Some("x-token"), None)]);
}

/// The most dangerous comes first.
#[test]
fn what_opens_most_is_told_first() {
    let old = base();
    let new = edited(
        old.clone(),
        &[
            ("/rules/1/keys", json!(["public/**", "help.txt", "users/**"])),
            ("/rules/3/keys", json!(["shared/*", "more/*"])),
            ("/rules/2/upload/max_bytes", json!(6_000_000)),
        ],
    );
    let found = compared(&old, &new);
    let told: Vec<_> = found
        .rules
        .iter()
        .flat_map(|rule| rule.parts.iter().map(|part| (rule.rule.as_str(), part.new.as_deref().unwrap())))
        .collect();
    assert_eq!(
        told,
        [("public", "users/**"), ("public", "help.txt"), ("upload", "6000000"), ("read", "more/*")]
    );
}

/// Fields whose change is not told as wider or narrower, and why.
const OTHER_FIELDS: &[(&str, &str)] = &[
    ("version", "there is one"),
    ("issuers.name", "told among the settings on which no decision depends"),
    ("issuers.bound_by", "says which claim of `required` binds a token; `required` decides, and is compared"),
    ("issuers.jwks.file", "read into `keys` before anything is compiled"),
    ("issuers.secret.file", "read into `value` before anything is compiled"),
    ("issuers.secret.encoding", "how that file is read"),
    (
        "credentials.header_set_by",
        "nothing without a header of its own: `who_adds_the_header_is_told` compares it",
    ),
    ("max_origin_headers", "decides nothing but which checksums `true` stands for, which are told"),
    ("log.subject", "told among the settings on which no decision depends"),
    ("log.claims_salt", "told among the settings on which no decision depends"),
    ("accepted.finding", "not compared, and listed as such"),
    ("accepted.rule", "not compared, and listed as such"),
    ("accepted.issuer", "not compared, and listed as such"),
    ("accepted.kid", "not compared, and listed as such"),
    ("accepted.reason", "not compared, and listed as such"),
];

#[test]
fn the_list_has_every_field_of_the_policy() {
    let listed: BTreeSet<&str> =
        [rules(), trust(), flow()].concat_all().iter().map(|mutation| mutation.field).collect();
    let others: BTreeSet<&str> = OTHER_FIELDS.iter().map(|(field, _)| *field).collect();
    assert!(listed.is_disjoint(&others));
    let fields = fields();
    for field in &fields {
        assert!(listed.contains(field) || others.contains(field), "no mutation of `{field}`");
    }
    for field in listed.iter().chain(&others) {
        assert!(fields.contains(field), "the policy has no field `{field}`");
    }
    // And every part of a rule.
    let policy = authorizer(&base());
    for part in policy.bundle().policy().rules().iter().flat_map(authorizer_core::rules::Rule::parts) {
        for field in fields_of(part) {
            assert!(listed.contains(field), "no mutation of `{field}`");
        }
    }
}

/// The fields of a part of a rule. A part that is added does not compile until it has some.
fn fields_of(part: RulePart<'_>) -> &'static [&'static str] {
    match part {
        RulePart::Effect(_) => &["rules.effect"],
        RulePart::Operations(_) => &["rules.methods", "rules.operations"],
        RulePart::Principals(_) => &["rules.issuers", "rules.anonymous"],
        RulePart::Keys(_) => &["rules.keys"],
        RulePart::Period(_) => &["rules.not_before", "rules.not_after"],
        RulePart::Sources(_) => &["rules.source_ips"],
        RulePart::Hosts(_) => &["rules.hosts"],
        RulePart::Conditions(_) => &[
            "rules.when",
            "rules.when.equals",
            "rules.when.any",
            "rules.when.has",
            "rules.when.starts_with",
            "rules.when.present",
        ],
        RulePart::Overrides(_) => &["rules.response_overrides"],
        RulePart::Parameters(_) => &["rules.parameters"],
        RulePart::Checksums(_) => &["rules.upload.checksums"],
        RulePart::MaxBytes(_) => &["rules.upload.max_bytes"],
        RulePart::ContentTypes(_) => &["rules.upload.content_types"],
        RulePart::Metadata(_) => &["rules.upload.metadata"],
        RulePart::CreateOnly(_) => &["rules.upload.create_only"],
    }
}

/// The names of the members of a struct. Its pattern names every one of them, so a field that is added does not
/// compile until it is here.
macro_rules! members {
    ($fields:ident, $prefix:literal, $type:ident { $($member:ident),* }) => {
        let _ = |document: &$type| {
            let $type { $($member: _),* } = document;
        };
        $($fields.insert(concat!($prefix, stringify!($member)));)*
    };
}

/// Every field of a policy that has no fields of its own.
fn fields() -> BTreeSet<&'static str> {
    let mut fields = BTreeSet::new();
    members!(
        fields,
        "",
        PolicyDocument {
            version,
            issuers,
            revoked,
            credentials,
            query,
            cors,
            sign_in,
            max_origin_headers,
            log,
            rules,
            accepted
        }
    );
    members!(
        fields,
        "issuers.",
        IssuerDocument {
            name,
            issuer,
            audience,
            client_id,
            algorithms,
            jwks,
            secret,
            token_type,
            required,
            leeway_seconds,
            max_lifetime_seconds,
            bound_by,
            accept_bound_tokens
        }
    );
    members!(fields, "issuers.jwks.", JwksDocument { file, keys, url, max_age_seconds, max_stale_seconds });
    members!(fields, "issuers.secret.", SecretDocument { file, encoding, value });
    members!(fields, "revoked.", RevokedDocument { issuer, jti, sub, issued_before });
    members!(fields, "credentials.", CredentialsDocument { header, header_set_by, cookie, query });
    members!(fields, "query.", QueryDocument { ignored });
    members!(fields, "cors.", CorsDocument { origins, credentials, exposed_headers, max_age_seconds });
    members!(fields, "sign_in.", SignInRedirectDocument { url, origin, return_parameter });
    // Their keys and secrets are told as a whole: what their files are, is read before anything is compiled.
    members!(
        fields,
        "sign_in.",
        CodeFlowDocument {
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
            cookie_key,
            previous_cookie_key,
            client_secret,
            client_key,
            client_authentication
        }
    );
    members!(fields, "log.", LogDocument { subject, claims_salt });
    members!(fields, "accepted.", AcceptedDocument { finding, rule, issuer, kid, reason });
    members!(
        fields,
        "rules.",
        RuleDocument {
            id,
            effect,
            methods,
            operations,
            keys,
            issuers,
            when,
            anonymous,
            source_ips,
            hosts,
            not_before,
            not_after,
            upload,
            response_overrides,
            parameters
        }
    );
    members!(
        fields,
        "rules.upload.",
        UploadDocument { max_bytes, content_types, create_only, metadata, checksums }
    );
    members!(fields, "rules.when.", ConditionDocument { equals, any, has, starts_with, present });
    // These only have other fields.
    for name in [
        "issuers",
        "issuers.jwks",
        "issuers.secret",
        "revoked",
        "credentials",
        "query",
        "cors",
        "sign_in",
        "log",
        "rules",
        "rules.upload",
        "accepted",
    ] {
        assert!(fields.remove(name), "{name}");
    }
    fields
}
