//! The form of a policy: the fields of each block, with an example of each. A test compares it with the types that
//! the policy is read into.

use authorizer_core::code_flow::{EndSession, SessionToken};
use authorizer_core::credential::HeaderSetter;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::{MethodWord, S3Operation};
use authorizer_core::policy::document::{ClientSecretMethod, EffectDocument, SecretEncoding};
use authorizer_core::record::SubjectLogging;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::token::JwsAlgorithm;

use super::meant::Meant::{self, Advice, Word};
use super::words::words_of;
use super::{Field, Form, Kind, Table, Words};

const fn field(name: &'static str, form: Form, example: &'static str) -> Field {
    Field { name, form, is_needed: false, is_secret: false, is_hidden: false, example, also: &[] }
}

const fn needed(name: &'static str, form: Form, example: &'static str) -> Field {
    Field { name, form, is_needed: true, is_secret: false, is_hidden: false, example, also: &[] }
}

const TEXT: Form = Form::Text(Kind::Plain);
const SECONDS: Form = Form::Whole { most: u32::MAX as u64, is_seconds: true };
static ANY_TEXT: Form = Form::Text(Kind::Plain);
static ANY_SCALAR: Form = Form::Scalar;
static ANY: Form = Form::Any;
static PATTERN: Form = Form::Text(Kind::Pattern);
static MEDIA: Form = Form::Text(Kind::Media);
static ORIGIN: Form = Form::Text(Kind::Origin);
static ALGORITHM: Form = Form::Word(&ALGORITHMS);
static METHOD: Form = Form::Word(&METHODS);
static OPERATION: Form = Form::Word(&OPERATIONS);
static OVERRIDE: Form = Form::Word(&OVERRIDES);
static PARAMETER: Form = Form::Word(&PARAMETERS);
static A_CONDITION: Form = Form::Table(&CONDITION);

pub(super) static POLICY: Table = Table {
    what: "the policy",
    name: None,
    fields: &[
        needed("version", Form::Whole { most: u32::MAX as u64, is_seconds: false }, "version = 1"),
        Field {
            also: &["provider", "providers", "idp"],
            ..field("issuers", Form::Blocks(&ISSUER), "[[issuers]]")
        },
        Field { also: &["revocations", "revoke"], ..field("revoked", Form::Blocks(&REVOKED), "[[revoked]]") },
        Field {
            also: &["credential", "token", "tokens", "cookie", "cookies"],
            ..field("credentials", Form::Table(&CREDENTIALS), "credentials = { cookie = \"session\" }")
        },
        field("query", Form::Table(&QUERY), "query = { ignored = [\"utm_source\"] }"),
        field("cors", Form::Table(&CORS), "cors = { origins = [\"https://app.example.com\"] }"),
        Field {
            also: &["signin", "login", "log_in"],
            ..field(
                "sign_in",
                Form::Shapes(&SIGN_INS),
                "sign_in = { url = \"https://login.example.com/start\", origin = \"https://files.example.com\" }",
            )
        },
        field(
            "max_origin_headers",
            Form::Whole { most: u16::MAX as u64, is_seconds: false },
            "max_origin_headers = 20",
        ),
        Field {
            also: &["logging", "logs"],
            ..field("log", Form::Table(&LOG), "log = { subject = \"hashed\" }")
        },
        Field {
            also: &["policies", "policy", "statement", "statements", "permissions", "access"],
            ..field("rules", Form::Blocks(&RULE), "[[rules]]")
        },
        Field { also: &["accept", "ignore"], ..field("accepted", Form::Blocks(&ACCEPTED), "[[accepted]]") },
    ],
};

pub(super) static ACCEPTED: Table = Table {
    what: "an `[[accepted]]` block",
    name: None,
    fields: &[
        Field { also: &["id"], ..needed("finding", TEXT, "finding = \"EA026\"") },
        field("rule", TEXT, "rule = \"admins-delete\""),
        field("issuer", TEXT, "issuer = \"staff\""),
        field("kid", TEXT, "kid = \"2026-01\""),
        Field {
            also: &["why", "comment"],
            ..needed("reason", TEXT, "reason = \"three people have this role\"")
        },
    ],
};

pub(super) static ISSUER: Table = Table {
    what: "an `[[issuers]]` block",
    name: Some("name"),
    fields: &[
        Field { also: &["id"], ..needed("name", TEXT, "name = \"staff\"") },
        Field { also: &["iss", "url"], ..needed("issuer", TEXT, "issuer = \"https://login.example.com/\"") },
        Field {
            also: &["aud", "audiences"],
            ..field("audience", Form::List(&ANY_TEXT), "audience = [\"files-api\"]")
        },
        Field {
            also: &["client", "clients", "client_ids"],
            ..field("client_id", Form::List(&ANY_TEXT), "client_id = [\"1example23456789\"]")
        },
        field("bound_by", TEXT, "bound_by = \"azp\""),
        Field {
            also: &["alg", "algs"],
            ..needed("algorithms", Form::List(&ALGORITHM), "algorithms = [\"RS256\"]")
        },
        Field {
            also: &["jwks_uri", "jwks_url", "jwks_file", "keys", "key"],
            ..field("jwks", Form::Table(&JWKS), "jwks = { file = \"keys/staff.jwks.json\" }")
        },
        Field {
            is_secret: true,
            ..field("secret", Form::Table(&SECRET), "secret = { file = \"staff.secret\" }")
        },
        Field { also: &["typ", "type"], ..field("token_type", TEXT, "token_type = \"at+jwt\"") },
        Field {
            also: &["require", "required_claims", "claims"],
            ..field("required", Form::Map(&ANY_SCALAR), "required = { token_use = \"access\" }")
        },
        Field { also: &["leeway", "clock_skew"], ..field("leeway_seconds", SECONDS, "leeway_seconds = 30") },
        Field {
            also: &["max_lifetime", "lifetime", "max_age"],
            ..field("max_lifetime_seconds", SECONDS, "max_lifetime_seconds = 3600")
        },
        field("accept_bound_tokens", Form::Truth, "accept_bound_tokens = true"),
    ],
};

pub(super) static JWKS: Table = Table {
    what: "`jwks`",
    name: None,
    fields: &[
        Field { also: &["path"], ..field("file", TEXT, "file = \"keys/staff.jwks.json\"") },
        field("keys", Form::List(&ANY), "keys = []"),
        Field {
            also: &["uri", "jwks_uri"],
            ..field("url", TEXT, "url = \"https://login.example.com/.well-known/jwks.json\"")
        },
        Field { also: &["max_age", "ttl"], ..field("max_age_seconds", SECONDS, "max_age_seconds = 3600") },
        Field { also: &["max_stale"], ..field("max_stale_seconds", SECONDS, "max_stale_seconds = 86400") },
    ],
};

pub(super) static SECRET: Table = Table {
    what: "`secret`",
    name: None,
    fields: &[
        Field { is_secret: true, also: &["path"], ..field("file", TEXT, "file = \"staff.secret\"") },
        Field { is_secret: true, ..field("encoding", Form::Word(&ENCODINGS), "encoding = \"base64\"") },
        // It is read to be refused: a secret is in a file of its own.
        Field { is_secret: true, is_hidden: true, ..field("value", TEXT, "file = \"staff.secret\"") },
    ],
};

pub(super) static REVOKED: Table = Table {
    what: "a `[[revoked]]` block",
    name: None,
    fields: &[
        needed("issuer", TEXT, "issuer = \"staff\""),
        field("jti", TEXT, "jti = \"4f2c9a\""),
        Field { also: &["subject", "user"], ..field("sub", TEXT, "sub = \"alice\"") },
        Field {
            also: &["iat", "before"],
            ..field("issued_before", Form::Text(Kind::Instant), "issued_before = \"2026-01-31T00:00:00Z\"")
        },
    ],
};

pub(super) static CREDENTIALS: Table = Table {
    what: "`[credentials]`",
    name: None,
    fields: &[
        field("header", TEXT, "header = \"Cf-Access-Jwt-Assertion\""),
        field("header_set_by", Form::Word(&SETTERS), "header_set_by = \"proxy\""),
        Field { also: &["cookies", "cookie_name"], ..field("cookie", TEXT, "cookie = \"session\"") },
        Field { also: &["parameter", "query_parameter"], ..field("query", TEXT, "query = \"access_token\"") },
    ],
};

pub(super) static QUERY: Table = Table {
    what: "`[query]`",
    name: None,
    fields: &[Field {
        also: &["ignore", "parameters"],
        ..field("ignored", Form::List(&ANY_TEXT), "ignored = [\"utm_source\"]")
    }],
};

pub(super) static LOG: Table = Table {
    what: "`[log]`",
    name: None,
    fields: &[
        Field { also: &["sub"], ..field("subject", Form::Word(&SUBJECTS), "subject = \"hashed\"") },
        Field {
            is_secret: true,
            also: &["salt", "key", "claim_salt"],
            ..field("claims_salt", TEXT, "claims_salt = \"...\", with what `openssl rand -hex 32` prints")
        },
    ],
};

pub(super) static CORS: Table = Table {
    what: "`[cors]`",
    name: None,
    fields: &[
        Field {
            also: &["allow_origins", "allowed_origins", "allow_origin"],
            ..needed("origins", Form::List(&ORIGIN), "origins = [\"https://app.example.com\"]")
        },
        Field {
            also: &["allow_credentials", "cookies"],
            ..field("credentials", Form::Truth, "credentials = true")
        },
        Field {
            also: &["expose_headers", "headers"],
            ..field("exposed_headers", Form::List(&ANY_TEXT), "exposed_headers = [\"ETag\"]")
        },
        Field { also: &["max_age"], ..field("max_age_seconds", SECONDS, "max_age_seconds = 600") },
    ],
};

/// The shapes of `[sign_in]`, each told by its first field.
static SIGN_INS: [&Table; 2] = [&SIGN_IN, &CODE_FLOW];

/// All tables with several shapes.
pub(super) static SHAPES: [&[&Table]; 1] = [&SIGN_INS];

pub(super) static SIGN_IN: Table = Table {
    what: "`[sign_in]` with `url`",
    name: None,
    fields: &[
        needed("url", TEXT, "url = \"https://login.example.com/start\""),
        needed("origin", TEXT, "origin = \"https://files.example.com\""),
        Field {
            also: &["return_to", "redirect_parameter"],
            ..field("return_parameter", TEXT, "return_parameter = \"return_to\"")
        },
    ],
};

pub(super) static CODE_FLOW: Table = Table {
    what: "`[sign_in]` with `issuer`",
    name: None,
    fields: &[
        Field { also: &["provider", "idp", "issuer_name"], ..needed("issuer", TEXT, "issuer = \"staff\"") },
        Field {
            also: &["client", "clientid", "app_client_id", "user_pool_app_id"],
            ..needed("client_id", TEXT, "client_id = \"files-web\"")
        },
        Field {
            also: &["base_url", "app_url"],
            ..needed("origin", TEXT, "origin = \"https://files.example.com\"")
        },
        Field {
            also: &["scope", "oauth_scopes"],
            ..field("scopes", Form::List(&ANY_TEXT), "scopes = [\"openid\", \"email\"]")
        },
        Field {
            also: &["authorize_endpoint", "authorization_url", "authorize_url", "auth_url", "login_url"],
            ..needed(
                "authorization_endpoint",
                TEXT,
                "authorization_endpoint = \"https://login.example.com/authorize\"",
            )
        },
        Field {
            also: &[
                "extra_parameters",
                "authorization_params",
                "extra_params",
                "audience",
                "prompt",
                "resource",
                "acr_values",
            ],
            ..field(
                "authorization_parameters",
                Form::Map(&ANY_TEXT),
                "authorization_parameters = { audience = \"files-api\" }",
            )
        },
        Field {
            also: &["token_url", "token_uri", "redeem_url"],
            ..needed("token_endpoint", TEXT, "token_endpoint = \"https://login.example.com/token\"")
        },
        Field {
            also: &[
                "logout_endpoint",
                "logout_url",
                "logout_uri",
                "end_session_url",
                "end_session_uri",
                "backend_logout_url",
            ],
            ..field(
                "end_session_endpoint",
                TEXT,
                "end_session_endpoint = \"https://login.example.com/logout\"",
            )
        },
        field("end_session", Form::Word(&ENDS), "end_session = \"cognito\""),
        field("id_token_hint", Form::Truth, "id_token_hint = true"),
        Field {
            also: &["authorization_response_iss_parameter_supported"],
            ..field("response_iss", Form::Truth, "response_iss = true")
        },
        Field {
            also: &["token", "session"],
            ..field("session_token", Form::Word(&SESSION_TOKENS), "session_token = \"id_token\"")
        },
        Field {
            also: &[
                "redirect_uri",
                "redirect_url",
                "callback",
                "callback_path",
                "callback_url",
                "callback_uri",
                "redirect_path_sign_in",
            ],
            ..field("redirect_path", Form::Text(Kind::Path), "redirect_path = \"/.auth/callback\"")
        },
        Field {
            also: &["logout_path", "signout_path", "log_out_path", "redirect_path_sign_out"],
            ..field("sign_out_path", Form::Text(Kind::Path), "sign_out_path = \"/.auth/sign-out\"")
        },
        Field {
            also: &["refresh_token", "use_refresh_token", "cookie_refresh", "renew"],
            ..field("refresh", Form::Truth, "refresh = true")
        },
        Field {
            also: &["session_duration", "session_lifetime", "cookie_expire", "max_age", "max_age_seconds"],
            ..field("session_seconds", SECONDS, "session_seconds = 43200")
        },
        Field {
            is_secret: true,
            also: &[
                "cookie_secret",
                "secret",
                "hmac_secret",
                "nonce_signing_secret",
                "session_secret",
                "session_key",
            ],
            ..needed("cookie_key", Form::Table(&FLOW_SECRET), "cookie_key = { file = \"sign-in.key\" }")
        },
        Field {
            is_secret: true,
            also: &["old_cookie_key", "previous_key", "previous_cookie_secret"],
            ..field(
                "previous_cookie_key",
                Form::Table(&FLOW_SECRET),
                "previous_cookie_key = { file = \"sign-in-old.key\" }",
            )
        },
        Field {
            is_secret: true,
            also: &["client_secret_file", "user_pool_app_secret"],
            ..field(
                "client_secret",
                Form::Table(&FLOW_SECRET),
                "client_secret = { file = \"client.secret\" }",
            )
        },
        Field {
            is_secret: true,
            also: &["private_key", "private_key_jwt", "client_jwk", "client_assertion_key"],
            ..field("client_key", Form::Table(&FLOW_SECRET), "client_key = { file = \"client.jwk\" }")
        },
        Field {
            also: &["token_endpoint_auth_method", "client_auth_method", "auth_method"],
            ..field(
                "client_authentication",
                Form::Word(&CLIENT_METHODS),
                "client_authentication = \"client_secret_post\"",
            )
        },
    ],
};

pub(super) static FLOW_SECRET: Table = Table {
    what: "a secret of `[sign_in]`",
    name: None,
    fields: &[
        Field { is_secret: true, also: &["path"], ..field("file", TEXT, "file = \"sign-in.key\"") },
        Field { is_secret: true, ..field("encoding", Form::Word(&ENCODINGS), "encoding = \"base64\"") },
        // It is read to be refused: a secret is in a file of its own.
        Field { is_secret: true, is_hidden: true, ..field("value", TEXT, "file = \"sign-in.key\"") },
    ],
};

pub(super) static RULE: Table = Table {
    what: "a rule",
    name: Some("id"),
    fields: &[
        Field { also: &["name", "sid"], ..needed("id", TEXT, "id = \"users-keep-their-files\"") },
        Field {
            also: &["action", "allow", "deny"],
            ..needed("effect", Form::Word(&EFFECTS), "effect = \"allow\"")
        },
        Field {
            also: &["verbs", "verb", "http_methods"],
            ..field("methods", Form::List(&METHOD), "methods = [\"GET\", \"PUT\"]")
        },
        Field {
            also: &["actions", "s3_operations", "permissions"],
            ..field("operations", Form::List(&OPERATION), "operations = [\"ListObjectsV2\"]")
        },
        Field {
            also: &[
                "path",
                "paths",
                "pattern",
                "patterns",
                "prefix",
                "prefixes",
                "resource",
                "resources",
                "objects",
            ],
            ..needed("keys", Form::List(&PATTERN), "keys = [\"users/{sub}/**\"]")
        },
        field("issuers", Form::List(&ANY_TEXT), "issuers = [\"staff\"]"),
        Field {
            also: &["condition", "conditions", "claims", "if", "where", "require", "required"],
            ..field("when", Form::Map(&A_CONDITION), "when = { scope = { has = \"files\" } }")
        },
        Field { also: &["public", "everyone"], ..field("anonymous", Form::Truth, "anonymous = true") },
        Field {
            also: &["ips", "ip", "networks", "source_networks", "addresses"],
            ..field("source_ips", Form::List(&ANY_TEXT), "source_ips = [\"203.0.113.0/24\"]")
        },
        Field {
            also: &["host", "hostnames", "hostname", "domains", "domain"],
            ..field("hosts", Form::List(&ANY_TEXT), "hosts = [\"downloads.example.com\"]")
        },
        Field {
            also: &["nbf", "from", "valid_from", "starts"],
            ..field("not_before", Form::Text(Kind::Instant), "not_before = \"2026-01-31T00:00:00Z\"")
        },
        Field {
            also: &["exp", "until", "valid_until", "expires", "ends"],
            ..field("not_after", Form::Text(Kind::Instant), "not_after = \"2026-12-31T23:59:59Z\"")
        },
        Field {
            also: &["uploads", "limits"],
            ..field(
                "upload",
                Form::Table(&UPLOAD),
                "upload = { max_bytes = \"10MB\", content_types = [\"image/*\"] }",
            )
        },
        field(
            "response_overrides",
            Form::List(&OVERRIDE),
            "response_overrides = [\"response-content-disposition\"]",
        ),
        field("parameters", Form::List(&PARAMETER), "parameters = [\"partNumber\"]"),
    ],
};

pub(super) static UPLOAD: Table = Table {
    what: "`upload`",
    name: None,
    fields: &[
        Field {
            also: &["max_size", "size", "max_length", "limit"],
            ..field("max_bytes", Form::Size { least: 1 }, "max_bytes = \"10MB\"")
        },
        Field {
            also: &["content_type", "types", "type", "media_types", "mime_types"],
            ..field("content_types", Form::List(&MEDIA), "content_types = [\"image/*\"]")
        },
        Field {
            also: &["no_overwrite", "immutable"],
            ..field("create_only", Form::Truth, "create_only = true")
        },
        field("metadata", Form::Map(&ANY_TEXT), "metadata = { owner = \"{sub}\" }"),
        Field { also: &["checksum"], ..field("checksums", Form::Checksums, "checksums = [\"sha256\"]") },
    ],
};

pub(super) static CONDITION: Table = Table {
    what: "a condition",
    name: None,
    fields: &[
        Field { also: &["eq", "is", "value"], ..field("equals", Form::Scalar, "equals = \"admin\"") },
        Field {
            also: &["in", "any_of", "one_of", "values"],
            ..field("any", Form::List(&ANY_SCALAR), "any = [\"admin\", \"editor\"]")
        },
        Field { also: &["contains", "includes", "member"], ..field("has", TEXT, "has = \"admin\"") },
        Field {
            also: &["begins_with", "prefix", "like"],
            ..field("starts_with", TEXT, "starts_with = \"repo:octo/site:\"")
        },
        Field { also: &["exists"], ..field("present", Form::Truth, "present = true") },
    ],
};

static EFFECTS: Words = Words { all: words_of::<EffectDocument>, meant: effect };
static METHODS: Words = Words { all: words_of::<MethodWord>, meant: method };
pub(super) static OPERATIONS: Words = Words { all: words_of::<S3Operation>, meant: operation };
static ALGORITHMS: Words = Words { all: words_of::<JwsAlgorithm>, meant: algorithm };
static OVERRIDES: Words = Words { all: words_of::<ResponseOverride>, meant: response_override };
static PARAMETERS: Words = Words { all: words_of::<ExtraParameter>, meant: parameter };
static ENCODINGS: Words = Words { all: words_of::<SecretEncoding>, meant: encoding };
static ENDS: Words = Words { all: words_of::<EndSession>, meant: end };
static SESSION_TOKENS: Words = Words { all: words_of::<SessionToken>, meant: session_token };
static CLIENT_METHODS: Words = Words { all: words_of::<ClientSecretMethod>, meant: client_method };
static SETTERS: Words = Words { all: words_of::<HeaderSetter>, meant: setter };
static SUBJECTS: Words = Words { all: words_of::<SubjectLogging>, meant: subject };

fn effect(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().as_str() {
        "permit" | "grant" | "accept" | "yes" | "true" => Word("allow"),
        "forbid" | "block" | "refuse" | "reject" | "no" | "false" | "disallow" | "disallowed" | "denied"
        | "denies" | "not_allow" | "not_allowed" | "not allow" | "not allowed" | "unallow" | "drop" => {
            Word("deny")
        }
        _ => return None,
    })
}

/// `s3:GetObject`, as IAM writes it.
fn of_iam(word: &str) -> &str {
    match word.split_at_checked(3) {
        Some((service, name)) if service.eq_ignore_ascii_case("s3:") => name,
        _ => word,
    }
}

fn method(word: &str) -> Option<Meant> {
    let plain = of_iam(word.trim()).to_ascii_lowercase();
    Some(match plain.as_str() {
        "get" | "read" | "download" | "view" | "getobject" => Word("GET"),
        "head" | "headobject" => Word("HEAD"),
        "put" | "write" | "upload" | "putobject" | "create" | "patch" => Word("PUT"),
        "delete" | "remove" | "deleteobject" => Word("DELETE"),
        "list" | "listobjects" | "listobjectsv2" | "listbucket" => Advice(
            "listing has no word in `methods`: write `operations = [\"ListObjectsV2\"]` beside it or in its place",
        ),
        "post" => Advice(
            "an upload is `methods = [\"PUT\"]`; an upload in parts needs `operations = [\"CreateMultipartUpload\", \
             \"UploadPart\", \"CompleteMultipartUpload\", \"AbortMultipartUpload\"]`",
        ),
        "options" => Advice("remove it: a preflight needs no rule, `[cors]` answers it"),
        "*" | "all" | "any" | "**" => {
            Advice("name each method: `methods = [\"GET\", \"PUT\", \"DELETE\"]`; HEAD goes with GET")
        }
        _ => {
            return named_operation(&plain)
                .map(|_| Advice("this is an operation: name it in `operations`, not in `methods`"));
        }
    })
}

/// The operation with this name, whatever its case.
fn named_operation(word: &str) -> Option<&'static str> {
    words_of::<S3Operation>().iter().copied().find(|name| name.eq_ignore_ascii_case(word))
}

fn operation(word: &str) -> Option<Meant> {
    let plain = of_iam(word.trim());
    if let Some(name) = named_operation(plain) {
        return Some(Word(name));
    }
    Some(match plain.to_ascii_lowercase().as_str() {
        "get" | "read" | "download" | "view" => Word("GetObject"),
        "head" => Word("HeadObject"),
        "put" | "write" | "upload" | "create" => Word("PutObject"),
        "delete" | "remove" => Word("DeleteObject"),
        "list" | "listbucket" | "listobjects" | "listobjectsv1" => Word("ListObjectsV2"),
        "post" | "multipart" | "multipartupload" => Advice(
            "an upload in parts needs `operations = [\"CreateMultipartUpload\", \"UploadPart\", \
             \"CompleteMultipartUpload\", \"AbortMultipartUpload\"]`",
        ),
        "listmultipartuploadparts" => Word("ListParts"),
        "*" | "all" | "any" | "**" => Advice(
            "name each operation: `operations = [\"GetObject\", \"HeadObject\", \"PutObject\", \"DeleteObject\", \
             \"ListObjectsV2\"]`",
        ),
        "copyobject"
        | "uploadpartcopy"
        | "deleteobjects"
        | "headbucket"
        | "getobjectacl"
        | "putobjectacl"
        | "getobjecttagging"
        | "putobjecttagging"
        | "deleteobjectversion" => Advice("remove it: no rule can allow this operation"),
        _ => return None,
    })
}

fn algorithm(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().as_str() {
        "none" => Advice(
            "a token without a signature is never accepted: name what the issuer signs with, such as `RS256`",
        ),
        "hs384" | "hs512" => Advice(
            "of the algorithms with a secret only `HS256` is known; better is a key pair, such as `RS256`",
        ),
        "es512" | "es256k" => {
            Advice("write what the issuer signs with, of `ES256`, `ES384`, `RS256`, `PS256` or `EdDSA`")
        }
        "rsa" => Word("RS256"),
        "ecdsa" => Word("ES256"),
        _ => return None,
    })
}

fn response_override(word: &str) -> Option<Meant> {
    let plain = word.to_ascii_lowercase();
    let long = format!("response-{plain}");
    words_of::<ResponseOverride>().iter().copied().find(|name| *name == plain || *name == long).map(Word)
}

fn parameter(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "partnumber" => Word("partNumber"),
        "fetchowner" => Word("fetch-owner"),
        _ => return None,
    })
}

fn encoding(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().as_str() {
        "base64url" | "b64" => Word("base64"),
        "plain" | "raw" | "utf-8" | "utf8" => Word("text"),
        "hex" => Advice("hexadecimal is not known: write the secret as text or in base64"),
        _ => return None,
    })
}

fn end(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
        "oidc" | "rp" | "rp_initiated_logout" | "openid" | "standard" | "default" => Word("rp_initiated"),
        "aws" | "amazon" | "amazon_cognito" => Word("cognito"),
        "none" | "off" | "false" => {
            Advice("remove it, and `end_session_endpoint`: people then sign out here alone")
        }
        _ => return None,
    })
}

fn session_token(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
        "access" | "accesstoken" | "at" => Word("access_token"),
        "id" | "idtoken" | "identity" => Word("id_token"),
        "refresh" | "refresh_token" => {
            Advice("no rule can read a refresh token: write `access_token` or `id_token`")
        }
        _ => return None,
    })
}

fn client_method(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
        "basic" | "client_secret" | "header" => Word("client_secret_basic"),
        "post" | "body" => Word("client_secret_post"),
        "none" | "public" | "pkce" => {
            Advice("remove it: a client without a secret has PKCE alone, which is the default")
        }
        "private_key_jwt" | "private_key" => Advice(
            "remove it, and name the file of the private key: `client_key = { file = \"client.jwk\" }`",
        ),
        "client_secret_jwt" => Advice(
            "it is not known here: use `client_secret_basic`, `client_secret_post`, or a key with `client_key`",
        ),
        "tls_client_auth" | "self_signed_tls_client_auth" => {
            Advice("a certificate of the client is not known here: use a key with `client_key`")
        }
        _ => return None,
    })
}

fn setter(word: &str) -> Option<Meant> {
    matches!(word, "client" | "viewer" | "browser").then_some(Word("clients"))
}

fn subject(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().as_str() {
        "hash" | "sha256" => Word("hashed"),
        "clear" | "full" | "text" | "true" => Word("plain"),
        "none" | "off" | "no" | "omit" | "false" | "hidden" => Word("omitted"),
        _ => return None,
    })
}
