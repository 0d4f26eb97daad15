//! Pairs of policies, the second with changes to the first, and requests for them.

use authorizer_core::event::CloudFrontHeader;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A whole request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) ip: String,
    pub(crate) at: u64,
    pub(crate) token: Token,
}

/// The token of a request.
#[derive(Clone, Debug)]
pub(crate) enum Token {
    None,
    /// A token with these claims and a valid signature.
    Supposed(Map<String, Value>),
    /// This value in `Authorization`.
    Header(&'static str),
    /// This value in the cookie `session`.
    Cookie(&'static str),
    /// This value in the query parameter `t`.
    Query(&'static str),
}

impl Request {
    pub(crate) fn event(&self) -> Vec<u8> {
        let mut headers = Map::new();
        let mut query = self.query.clone();
        let mut put = |name: &str, value: &str| {
            headers.insert(name.to_owned(), json!([CloudFrontHeader::new(name, value)]));
        };
        for (name, value) in &self.headers {
            put(name, value);
        }
        match &self.token {
            Token::Header(value) => put("authorization", value),
            Token::Cookie(value) => put("cookie", &format!("session={value}")),
            Token::Query(value) if query.is_empty() => query = format!("t={value}"),
            Token::Query(value) => query = format!("{query}&t={value}"),
            Token::None | Token::Supposed(_) => {}
        }
        let event = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request", "requestId": "r", "distributionId": "d"},
            "request": {"clientIp": self.ip, "method": self.method, "uri": self.uri, "querystring": query,
                "headers": headers},
        }}]});
        event.to_string().into_bytes()
    }

    pub(crate) fn has_no_overrides(&self) -> bool {
        let has = |text: &str| self.query.contains(text);
        !has("response-") && !has("fetch-owner") && (!has("partNumber") || has("uploadId"))
    }
}

/// One of the first, more often than not.
fn mostly<T: Clone + std::fmt::Debug + 'static>(usual: Vec<T>, others: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![3 => select(usual), 1 => select(others)]
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let one = |name: &'static str, good: Value, others: Vec<Value>| {
        mostly(vec![good], others).prop_map(move |value| (!value.is_null()).then(|| (name.to_owned(), value)))
    };
    (
        one("iss", json!("i"), vec![json!("p"), json!("p"), json!("x")]),
        one("aud", json!("a"), vec![json!(["a", "b"]), json!(["b", "a"]), json!("b")]),
        one("sub", json!("alice"), vec![json!("bob"), json!(null)]),
        one("scope", json!("files"), vec![json!("files more"), json!(["files"]), json!("more"), json!(null)]),
        one("role", json!("admin"), vec![json!("user"), json!(1), json!(["admin"]), json!(null)]),
        one("tenant", json!("red"), vec![json!(["red", "blue"]), json!("a/b"), json!(null)]),
        one("app", json!({"org": "red"}), vec![json!({"org": ["red", "users"]}), json!("red"), json!(null)]),
    )
        .prop_map(|(iss, aud, sub, scope, role, tenant, app)| {
            let more = [("exp".to_owned(), json!(2_000_000_000)), ("iat".to_owned(), json!(1_700_000_000))];
            [iss, aud, sub, scope, role, tenant, app].into_iter().flatten().chain(more).collect()
        })
}

pub(crate) fn requests() -> impl Strategy<Value = Vec<Request>> {
    prop::collection::vec(request(), 1..24)
}

fn request() -> impl Strategy<Value = Request> {
    let asked = mostly(
        vec![("GET", ""), ("GET", ""), ("PUT", ""), ("DELETE", ""), ("HEAD", ""), ("POST", "uploads")],
        vec![
            ("GET", "response-expires=x"),
            ("GET", "partNumber=2"),
            ("GET", "utm=a"),
            ("GET", "v=1&utm=a"),
            ("GET", "response-content-type=text%2Fplain&x-id=GetObject"),
            ("GET", "versionId=v"),
            ("GET", "acl"),
            ("GET", "list-type=2&prefix="),
            ("PUT", "partNumber=1&uploadId=u"),
            ("POST", "uploadId=u"),
            ("POST", ""),
            ("DELETE", "versionId=v"),
            ("PATCH", ""),
            ("OPTIONS", ""),
        ],
    );
    let uri = mostly(
        vec!["/users/alice/x", "/users/alice/x", "/red/alice/x", "/public/x"],
        vec![
            "/users/alice/",
            "/users/bob/x",
            "/public/%7Ex",
            "/a%2Fb/x",
            "/red%2Fx",
            "/a//b",
            "/a/../b",
            "/",
        ],
    );
    let listed =
        select(vec!["", "users%2F", "users%2Falice%2F", "users%2Fal", "public%2F", "red%2Falice%2Fx"]);
    let headers = subsequence(
        vec![
            ("content-length", "5"),
            ("content-type", "image/png"),
            ("x-amz-meta-owner", "alice"),
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
            ("x-amz-mp-object-size", "7"),
            ("x-amz-acl", "private"),
            ("origin", "https://app.example.com"),
            ("access-control-request-method", "GET"),
            ("range", "bytes=0-1"),
        ],
        0..2,
    );
    let good = subsequence(
        vec![
            ("content-length", "4"),
            ("content-type", "image/png"),
            ("x-amz-meta-owner", "alice"),
            ("x-amz-mp-object-size", "3"),
        ],
        2..4,
    );
    let headers = prop_oneof![2 => Just(Vec::new()), 2 => good, 1 => headers];
    let token = prop_oneof![
        5 => Just(Token::None),
        25 => claims().prop_map(Token::Supposed),
        1 => select(vec!["Basic eA==", "Bearer a.b.c", "Bearer x"]).prop_map(Token::Header),
        1 => select(vec!["a.b.c", ""]).prop_map(Token::Cookie),
        1 => select(vec!["a.b.c", ""]).prop_map(Token::Query),
    ];
    let ip =
        select(vec!["203.0.113.9", "203.0.113.200", "198.51.100.1", "::ffff:203.0.113.9", "2001:db8::1"]);
    let host = mostly(
        vec!["a.example", "A.example", "b.example", "x.a.example"],
        vec!["a.example:443", "a.example.", "c.example"],
    );
    (asked, uri, listed, headers, token, (ip, host), 0..120u64).prop_map(
        |((method, query), uri, listed, headers, token, (ip, host), seconds)| {
            let is_listing = query.starts_with("list-type") || (uri == "/" && method == "GET");
            let (uri, query) = match is_listing {
                true => ("/", format!("list-type=2&prefix={listed}")),
                false => (uri, query.to_owned()),
            };
            // Most other requests would be refused for headers that only an upload has.
            let is_upload = ["PUT", "POST"].contains(&method) || seconds % 8 == 0;
            let headers = headers
                .into_iter()
                .filter(|(name, _)| is_upload || !name.starts_with("x-amz-"))
                .chain([("host", host)])
                .map(|(name, value)| (name, value.to_owned()))
                .collect();
            let at = 1_800_000_000 + seconds;
            Request { method: method.into(), uri: uri.into(), query, headers, ip: ip.into(), at, token }
        },
    )
}

fn rule() -> impl Strategy<Value = Value> {
    let patterns = vec![
        "users/{sub}/**",
        "users/{sub}/*",
        "users/alice/**",
        "users/**",
        "{tenant}/{sub}/*",
        "{tenant}/**",
        "{/app/org}/**",
        "{app}/**",
        "public/**",
        "**",
        "*/alice/*",
        "red/**",
    ];
    let operations = vec![
        "GetObject",
        "HeadObject",
        "PutObject",
        "DeleteObject",
        "GetObjectVersion",
        "ListObjectsV2",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
    ];
    let who = select(vec!["anonymous", "any", "staff", "staff", "both", "both", "partner"]);
    let when = select(vec![
        json!({}),
        json!({}),
        json!({}),
        json!({}),
        json!({}),
        json!({"scope": {"has": "files"}}),
        json!({"role": {"equals": "admin"}}),
        json!({"role": {"any": ["admin", "user"]}}),
        json!({"role": {"equals": "user"}, "scope": {"has": "files"}}),
        json!({"tenant": {"present": true}}),
        json!({"role": {"present": false}}),
        json!({"role": {"starts_with": "ad"}}),
        json!({"/app/org": {"equals": "red"}}),
        json!({"app": {"present": true}}),
        json!({"sub": {"starts_with": "ali"}}),
        json!({"sub": {"equals": "alice"}}),
    ]);
    let sources = select(vec![
        json!(null),
        json!(null),
        json!(null),
        json!(null),
        json!(null),
        json!(null),
        json!(null),
        json!(["203.0.113.0/24"]),
        json!(["203.0.113.0/25"]),
        json!(["203.0.113.0/24", "2001:db8::/32"]),
    ]);
    let hosts = prop_oneof![
        // A rule with hosts rarely decides, and an older log does not have the host.
        9 => Just(json!(null)),
        1 => select(vec![
            json!(["a.example"]),
            json!(["a.example", "*.a.example"]),
            json!(["*.example"]),
            json!(["b.example", "x.a.example"]),
        ]),
    ];
    let time =
        select(vec![None, None, None, None, None, None, None, None, Some(0), Some(30), Some(60), Some(90)]);
    let upload = select(vec![
        json!(null),
        json!(null),
        json!(null),
        json!(null),
        json!({"max_bytes": 5}),
        json!({"max_bytes": 4, "content_types": ["image/*"]}),
        json!({"content_types": ["image/png"], "metadata": {"owner": "{sub}"}}),
        json!({"metadata": {"owner": "*"}, "checksums": true}),
        json!({"metadata": {"owner": "alice"}}),
        json!({"checksums": ["sha256"]}),
        json!({"checksums": ["crc32", "sha256"]}),
    ]);
    let overrides = select(vec![
        json!(null),
        json!(["response-expires"]),
        json!(["response-expires", "response-content-type"]),
        json!([
            "response-cache-control",
            "response-content-disposition",
            "response-content-encoding",
            "response-content-language",
            "response-content-type",
            "response-expires"
        ]),
    ]);
    (
        prop::bool::weighted(0.15),
        subsequence(patterns, 2..6),
        subsequence(operations, 5..10),
        who,
        when,
        (sources, hosts),
        (time.clone(), time),
        upload,
        overrides,
    )
        .prop_map(
            |(deny, keys, operations, who, when, (sources, hosts), (begins, ends), upload, overrides)| {
                let mut rule = json!({"effect": if deny { "deny" } else { "allow" }});
                let reads_claims = when.as_object().is_some_and(|when| !when.is_empty())
                    || keys.iter().any(|key| key.contains('{'))
                    || upload.to_string().contains("{sub}");
                let lists = deny || keys.iter().any(|key| key.ends_with("**"));
                let operations: Vec<_> = operations
                    .into_iter()
                    .filter(|operation| lists || *operation != "ListObjectsV2")
                    .collect();
                rule["keys"] = json!(keys);
                rule["operations"] = json!(operations);
                if when.as_object().is_some_and(|when| !when.is_empty()) {
                    rule["when"] = when;
                }
                match who {
                    "anonymous" if !deny && !reads_claims => rule["anonymous"] = json!(true),
                    "staff" => rule["issuers"] = json!(["staff"]),
                    "partner" => rule["issuers"] = json!(["partner"]),
                    "both" => rule["issuers"] = json!(["staff", "partner"]),
                    // An allow rule that reads a claim names its issuers.
                    _ if !deny && reads_claims => rule["issuers"] = json!(["staff"]),
                    _ => {}
                }
                let instant =
                    |seconds: u64| format!("2027-01-15T08:{:02}:{:02}Z", seconds / 60, seconds % 60);
                if let Some(begins) = begins {
                    rule["not_before"] = json!(instant(begins));
                }
                if let Some(ends) = ends.filter(|ends| begins.is_none_or(|begins| begins < *ends)) {
                    rule["not_after"] = json!(instant(ends));
                }
                if !sources.is_null() {
                    rule["source_ips"] = sources;
                }
                if !deny && !hosts.is_null() {
                    rule["hosts"] = hosts;
                }
                let has = |names: &[&str]| operations.iter().any(|operation| names.contains(operation));
                let uploads = ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"];
                if !deny && !upload.is_null() && has(&uploads) {
                    rule["upload"] = upload;
                }
                let extras = overrides.as_array().map_or(0, Vec::len);
                let has_part = has(&["GetObject", "HeadObject", "GetObjectVersion"]);
                let parameters = [("partNumber", has_part), ("fetch-owner", has(&["ListObjectsV2"]))];
                let parameters: Vec<_> =
                    parameters.iter().filter(|(_, applies)| *applies).map(|(name, _)| *name).collect();
                if !deny && extras > 1 && !parameters.is_empty() {
                    rule["parameters"] = json!(parameters);
                }
                if !deny && !overrides.is_null() && has(&["GetObject", "HeadObject", "GetObjectVersion"]) {
                    rule["response_overrides"] = overrides;
                }
                rule
            },
        )
        .prop_filter("a rule that a policy can have", is_valid)
}

fn front() -> impl Strategy<Value = Value> {
    let (staff, partner) = (issuer("staff", "i"), issuer("partner", "p"));
    let changed = |name: &str, value: Value| {
        let mut staff = staff.clone();
        staff[name] = value;
        staff
    };
    let changes = vec![
        changed("audience", json!(["b"])),
        changed("required", json!({"role": "admin"})),
        changed("issuer", json!("x")),
    ];
    let staff = prop_oneof![6 => Just(staff), 1 => select(changes)];
    let revoked = mostly(
        vec![json!([])],
        vec![
            json!([{"issuer": "staff", "sub": "bob"}]),
            json!([{"issuer": "staff", "sub": "alice"}]),
            json!([{"issuer": "partner", "sub": "bob"}]),
        ],
    );
    let query = mostly(vec![json!({})], vec![json!({"ignored": ["utm"]}), json!({"ignored": ["utm", "v"]})]);
    let credentials = select(vec![
        json!({}),
        json!({}),
        json!({"cookie": "session"}),
        json!({"cookie": "session", "query": "t"}),
    ]);
    let cors = select(vec![
        json!(null),
        json!(null),
        json!({"origins": ["https://app.example.com"], "credentials": true}),
        json!({"origins": ["https://other.example.com"]}),
    ]);
    let subject = select(vec!["hashed", "hashed", "plain", "omitted"]);
    let exchanged = prop::bool::weighted(0.1);
    // Claims are logged with one of two salts, or not at all.
    let salt = select(vec![None, Some("0123456789"), Some("0123456789"), Some("9876543210")]);
    (staff, exchanged, revoked, (credentials, query), cors, (subject, salt)).prop_map(
        move |(mut staff, exchanged, revoked, (credentials, query), cors, (subject, salt))| {
            let mut partner = partner.clone();
            if exchanged {
                // The same issuers, with other names.
                std::mem::swap(&mut staff["name"], &mut partner["name"]);
            }
            let mut policy = json!({"version": 1, "issuers": [staff, partner], "credentials": credentials,
                "query": query, "revoked": revoked, "log": {"subject": subject}});
            if let Some(salt) = salt {
                policy["log"]["claims_salt"] = json!(salt.repeat(4));
            }
            if !cors.is_null() {
                policy["cors"] = cors;
            }
            policy
        },
    )
}

/// The change to a rule in the second policy.
#[derive(Clone, Debug)]
enum Change {
    Keep,
    Drop,
    Take(&'static str),
    Replace,
}

/// A policy, and a changed version of it.
pub(crate) fn policies() -> impl Strategy<Value = (Value, Value)> {
    let change = prop_oneof![
        6 => Just(Change::Keep),
        1 => Just(Change::Drop),
        3 => select(vec!["keys", "operations", "when", "source_ips", "hosts", "not_before", "not_after", "upload",
            "response_overrides", "parameters"]).prop_map(Change::Take),
        1 => Just(Change::Replace),
    ];
    let rules = prop::collection::vec((rule(), change, rule()), 1..5);
    (front(), front(), prop::bool::weighted(0.75), rules, prop::collection::vec(rule(), 0..2)).prop_map(
        |(front, other, same_front, rules, more)| {
            let (mut old, mut new) = (front.clone(), if same_front { front } else { other });
            let mut lists = (Vec::new(), Vec::new());
            for (rule, change, other) in rules {
                lists.0.push(rule.clone());
                match change {
                    Change::Keep => lists.1.push(rule),
                    Change::Drop => {}
                    Change::Take(part) => lists.1.push(changed(rule, part, &other)),
                    Change::Replace => lists.1.push(other),
                }
            }
            lists.1.extend(more);
            for (policy, rules, prefix) in [(&mut old, lists.0, "old"), (&mut new, lists.1, "new")] {
                let rules = rules.into_iter().enumerate().map(|(index, mut rule)| {
                    rule["id"] = json!(format!("{prefix}-{index}"));
                    rule
                });
                policy["rules"] = rules.collect();
            }
            (old, new)
        },
    )
}

/// The rule with a part of another, if the result is a valid rule.
fn changed(rule: Value, part: &str, other: &Value) -> Value {
    let mut changed = rule.clone();
    match other.get(part) {
        Some(value) => changed[part] = value.clone(),
        None => {
            changed.as_object_mut().unwrap().remove(part);
        }
    }
    if is_valid(&changed) { changed } else { rule }
}

fn issuer(name: &str, iss: &str) -> Value {
    json!({"name": name, "issuer": iss, "audience": ["a"], "algorithms": ["EdDSA"],
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}})
}

fn is_valid(rule: &Value) -> bool {
    let mut rule = rule.clone();
    rule["id"] = json!("x");
    let policy =
        json!({"version": 1, "issuers": [issuer("staff", "i"), issuer("partner", "p")], "rules": [rule]});
    let document = serde_json::from_value(policy).unwrap();
    authorizer_core::policy::Policy::compile(&document).is_ok()
}
