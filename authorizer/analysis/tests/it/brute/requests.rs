//! Every request over a small alphabet.

use authorizer_analysis::Witness;
use authorizer_core::{Authorized, Authorizer, Supposed, UnixTime};
use serde_json::{Map, Value, json};

use super::policies::{Alphabet, LONG, SPECIAL};

type Header = (&'static str, &'static str);

const CRC: Header = ("x-amz-checksum-crc32", "AAAAAA==");
const SHA: Header = ("x-amz-sdk-checksum-algorithm", "SHA256");

/// The integrity headers of a request.
const SUMS: [&[Header]; 6] = [
    &[],
    &[CRC],
    &[SHA],
    &[("x-amz-checksum-md5", "AAAAAAAAAAAAAAAAAAAAAA==")],
    &[CRC, SHA],
    &[("x-amz-checksum-type", "COMPOSITE")],
];

/// 2027-01-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_798_804_800;

/// An event, and the token that is supposed to have come with it.
pub(crate) struct Request {
    event: Vec<u8>,
    token: Option<Supposed>,
    at: UnixTime,
}

impl Request {
    /// The request of a witness.
    pub(crate) fn of(witness: &Witness) -> Self {
        Self {
            event: witness.event.to_string().into_bytes(),
            token: witness
                .claims
                .clone()
                .map(|claims| Supposed { token_type: witness.token_type.clone(), claims }),
            at: witness.at,
        }
    }

    /// The event.
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.event).unwrap()
    }

    pub(crate) fn token(&self) -> Option<&Supposed> {
        self.token.as_ref()
    }

    pub(crate) fn at(&self) -> UnixTime {
        self.at
    }

    pub(crate) fn claims(&self) -> Option<&Map<String, Value>> {
        self.token.as_ref().map(|token| &token.claims)
    }

    pub(crate) fn issuer(&self) -> Option<String> {
        Some(self.token.as_ref()?.claims["iss"].as_str().unwrap().to_owned())
    }

    pub(crate) fn authorize(&self, authorizer: &Authorizer) -> Authorized<'static> {
        let authorized = match &self.token {
            Some(token) => authorizer.authorize_supposing(&self.event, token, self.at),
            None => authorizer.authorize(&self.event, self.at),
        };
        authorized.into_owned()
    }
}

/// A request before its token.
#[derive(Clone)]
struct Plain {
    method: &'static str,
    uri: String,
    query: String,
    headers: Vec<(&'static str, &'static str)>,
    source: &'static str,
    at: u64,
}

impl Plain {
    fn new(method: &'static str, uri: impl Into<String>, query: impl Into<String>) -> Self {
        let (uri, query) = (uri.into(), query.into());
        Self { method, uri, query, headers: Vec::new(), source: "192.0.2.1", at: NOON.unsigned_abs() }
    }

    fn with(&self, claims: Option<&Map<String, Value>>) -> Request {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            let lines = headers.entry(*name).or_insert_with(|| json!([]));
            lines.as_array_mut().unwrap().push(json!({"key": name, "value": value}));
        }
        let event = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request"},
            "request": {"clientIp": self.source, "method": self.method, "uri": self.uri,
                "querystring": self.query, "headers": headers}
        }}]});
        let at = self.at;
        let token = claims.map(|claims| {
            let mut claims = claims.clone();
            let token_type = claims.remove("TYP").map(|typ| typ.as_str().unwrap().to_owned());
            claims.entry("exp").or_insert(json!(at + 60));
            Supposed { token_type, claims }
        });
        Request { event: event.to_string().into_bytes(), token, at: UnixTime::from_seconds(at) }
    }
}

/// Keys of one and two segments, and some of three and of folders.
fn keys(letters: &[&str]) -> Vec<String> {
    let mut keys: Vec<String> = letters.iter().map(|one| (*one).to_owned()).collect();
    for one in letters {
        keys.push(format!("{one}/"));
        for other in letters {
            keys.push(format!("{one}/{other}"));
            keys.push(format!("{one}/{other}/{one}"));
            keys.push(format!("{one}/{one}/{other}"));
        }
    }
    keys
}

/// Every choice of the claims' values; null is for absent.
fn claims(fixed: &Value, choices: &[(&str, Vec<Value>)]) -> Vec<Map<String, Value>> {
    let mut all = vec![fixed.as_object().unwrap().clone()];
    for (name, values) in choices {
        all = all
            .iter()
            .flat_map(|claims| {
                values.iter().map(|value| {
                    let mut claims = claims.clone();
                    if !value.is_null() {
                        claims.insert((*name).to_owned(), value.clone());
                    }
                    claims
                })
            })
            .collect();
    }
    all
}

fn with_tokens(plain: &[Plain], claims: &[Map<String, Value>]) -> Vec<Request> {
    let tokens = || claims.iter().map(Some).chain([None]);
    plain.iter().flat_map(|plain| tokens().map(move |claims| plain.with(claims))).collect()
}

/// Every request of an alphabet.
pub(crate) fn all(alphabet: Alphabet) -> Vec<Request> {
    let base = json!({"iss": "i", "aud": "a"});
    let each = |methods: &[&'static str], keys: Vec<String>| -> Vec<Plain> {
        keys.iter()
            .flat_map(|key| methods.iter().map(move |m| Plain::new(m, format!("/{key}"), "")))
            .collect()
    };
    let people = [
        ("sub", vec![json!(null), json!("a"), json!("b"), json!("c b")]),
        (
            "g",
            vec![
                json!(null),
                json!("a"),
                json!("b"),
                json!([]),
                json!(["a"]),
                json!(["a", "b"]),
                json!(["c"]),
                json!(7),
            ],
        ),
    ];
    match alphabet {
        Alphabet::Keys => with_tokens(
            &each(&["GET", "DELETE"], keys(&["a", "b", "ab", "ba", "aba", "c"])),
            &claims(&base, &[]),
        ),
        Alphabet::KeyedClaims => {
            with_tokens(&each(&["GET"], keys(&["a", "b", "c"])), &claims(&base, &people))
        }
        Alphabet::Listings => {
            let prefixes = [
                "", "a", "b", "ab", "c", "a/", "b/", "c/", "ab/", "a/a", "a/c", "b/a", "a/b/", "c/b/",
                "a/ab/", "abc/", "a/b/a/", "b/b/", "c/c",
            ];
            let plain: Vec<_> = prefixes
                .iter()
                .map(|prefix| Plain::new("GET", "/", format!("list-type=2&prefix={prefix}")))
                .collect();
            with_tokens(&plain, &claims(&base, &people))
        }
        Alphabet::Conditions => {
            let role = vec![
                json!(null),
                json!("x"),
                json!("y"),
                json!("z"),
                json!("x y"),
                json!("x yz"),
                json!(1),
                json!(1.0),
                json!(true),
                json!(["x"]),
                json!(["z"]),
                json!(["x y"]),
            ];
            let scope = vec![
                json!(null),
                json!("x"),
                json!("x y"),
                json!("y x"),
                json!(["y"]),
                json!(["x", "y"]),
                json!("z"),
                // Of such a token nothing is believed.
                json!(7),
                json!(["x", 1]),
            ];
            let sub = vec![json!(null), json!("a"), json!("ab"), json!("b")];
            let claims = claims(&base, &[("role", role), ("scope", scope), ("sub", sub)]);
            with_tokens(&each(&["GET"], vec!["a".into(), "c".into(), "a/a".into()]), &claims)
        }
        Alphabet::Uploads => {
            let mut plain = Vec::new();
            for (method, query, length) in
                [("PUT", "", "content-length"), ("POST", "uploadId=1", "x-amz-mp-object-size")]
            {
                for size in [None, Some("10"), Some("11")] {
                    for kind in [None, Some("image/png"), Some("image/x"), Some("z/z")] {
                        for owner in [None, Some("a"), Some("b"), Some("c")] {
                            for sum in SUMS {
                                // What is described is stored with a PUT alone.
                                if method == "POST" && (kind.is_some() || owner.is_some()) {
                                    continue;
                                }
                                let mut one = Plain::new(method, "/a", query);
                                one.headers.extend(size.map(|size| (length, size)));
                                one.headers.extend(kind.map(|kind| ("content-type", kind)));
                                one.headers.extend(owner.map(|owner| ("x-amz-meta-o", owner)));
                                // The completion alone may have the kind of its checksum.
                                if method == "PUT" && sum.iter().any(|(name, _)| name.ends_with("-type")) {
                                    continue;
                                }
                                one.headers.extend(sum);
                                plain.push(one);
                            }
                        }
                    }
                }
            }
            let people = [
                ("sub", vec![json!(null), json!("a"), json!("é")]),
                ("g", vec![json!(null), json!("a"), json!("b"), json!(["a"])]),
            ];
            with_tokens(&plain, &claims(&base, &people))
        }
        Alphabet::Hosts => {
            let hosts = [
                &[][..],
                &["a.example"],
                &["A.Example"],
                &["b.example"],
                &["c.example"],
                &["x.a.example"],
                &["y.a.example"],
                &["z.x.a.example"],
                &["example"],
                &["other.test"],
                &["a.example:443"],
                &["a.example."],
                &[".a.example"],
                &["a.example", "a.example"],
            ];
            let mut plain = Vec::new();
            for host in hosts {
                for key in ["/a", "/c"] {
                    let mut one = Plain::new("GET", key, "");
                    one.headers.extend(host.iter().map(|host| ("host", *host)));
                    plain.push(one);
                }
            }
            with_tokens(&plain, &claims(&base, &[]))
        }
        Alphabet::PlacesAndTimes => {
            let day = 86_400;
            let mut plain = Vec::new();
            for source in ["192.0.2.1", "10.0.0.1", "10.9.9.9", "::1", "ffff::1"] {
                let noon = NOON.unsigned_abs();
                for at in [0, noon - day, noon, noon + day, u64::MAX] {
                    for query in [
                        "",
                        "response-content-type=x",
                        "response-expires=x",
                        "response-content-type=x&response-expires=x",
                        "response-cache-control=x",
                        "partNumber=1",
                        "partNumber=1&response-expires=x",
                    ] {
                        let one = Plain::new("GET", "/a", query);
                        plain.push(Plain { source, at, ..one });
                    }
                }
            }
            let until_the_end =
                |request: &Request| request.at.as_seconds() != u64::MAX || request.token.is_none();
            let plain: Vec<Plain> = plain;
            let mut requests = Vec::new();
            for one in &plain {
                requests.push(one.with(None));
                if one.at != u64::MAX {
                    requests.push(one.with(Some(base.as_object().unwrap())));
                }
            }
            requests.retain(until_the_end);
            requests
        }
        Alphabet::ManyClaims => {
            let groups = vec![json!(null), json!("a"), json!([]), json!(["a"]), json!(["a", "b"])];
            let people = [
                ("sub", vec![json!(null), json!("a"), json!("b")]),
                ("g", groups.clone()),
                ("h", [groups, vec![json!("b a"), json!(["c"])]].concat()),
            ];
            with_tokens(&each(&["GET"], keys(&["a", "b", "c"])), &claims(&base, &people))
        }
        Alphabet::Words => {
            let mut plain = Vec::new();
            for key in ["a", "a  b", "c", "a/a", "c/a"] {
                let uri = format!("/{}", key.replace(' ', "%20"));
                for owner in [None, Some("a/b"), Some("x a/b"), Some("y")] {
                    for other in [None, Some("a/b")] {
                        let mut one = Plain::new("PUT", &uri, "");
                        one.headers.extend(owner.map(|owner| ("x-amz-meta-o", owner)));
                        one.headers.extend(other.map(|other| ("x-amz-meta-p", other)));
                        plain.push(one);
                    }
                }
            }
            let special = SPECIAL.into_iter().map(|text| json!(text));
            let texts = special.chain([json!(null), json!("a"), json!("x A\\b")]);
            let groups = [json!(null), json!("a"), json!("a/b"), json!("x a/b"), json!(".."), json!([])];
            let arrays = [json!(["a", "a/b"]), json!([LONG, "A\\b", ".."])];
            let people = [("sub", texts.collect()), ("g", groups.into_iter().chain(arrays).collect())];
            with_tokens(&plain, &claims(&base, &people))
        }
        Alphabet::Nested => {
            let inner = [json!(null), json!("a"), json!("b"), json!("c"), json!(["a", "b"]), json!({})];
            let mut objects = vec![json!(null), json!("a"), json!("b"), json!(["a"]), json!(7)];
            for p in &inner {
                for q in inner.iter().cloned().chain(["a", "b", "c"].map(|r| json!({"r": r}))) {
                    // null is for absent here, too.
                    let members = [("p", p), ("q", &q)].into_iter().filter(|(_, value)| !value.is_null());
                    objects.push(members.map(|(name, value)| (name.to_owned(), value.clone())).collect());
                }
            }
            let people = [("sub", vec![json!(null), json!("a")]), ("o", objects)];
            let mut plain = each(&["GET"], keys(&["a", "b", "c"]));
            let prefixes = ["", "a", "a/", "b/", "c/", "a/b", "a/a/", "b/a/"];
            plain.extend(
                prefixes.iter().map(|prefix| Plain::new("GET", "/", format!("list-type=2&prefix={prefix}"))),
            );
            with_tokens(&plain, &claims(&base, &people))
        }
        Alphabet::TokenTimes => {
            let mut requests = Vec::new();
            let time = |after: i64| json!(NOON + after);
            let half = |after: i64| json!((NOON + after) as f64 + 0.5);
            let choices = [
                ("exp", vec![time(-6), time(-1), time(0), time(3), half(3), time(7)]),
                ("iat", vec![json!(null), time(-12), time(-6), time(-1), half(-1), time(0), time(5)]),
                ("nbf", vec![json!(null), time(0), time(7)]),
            ];
            let tokens = claims(&base, &choices);
            for after in [-12, -9, -7, -6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7, 8, 11] {
                let one = Plain { at: (NOON + after).unsigned_abs(), ..Plain::new("GET", "/a", "") };
                requests.extend(tokens.iter().map(|token| one.with(Some(token))));
            }
            requests
        }
        Alphabet::Tokens => {
            let choices = [
                (
                    "aud",
                    vec![json!(null), json!("a"), json!("b"), json!(["a", "b"]), json!(["b"]), json!("c")],
                ),
                ("client_id", vec![json!(null), json!("c"), json!("d")]),
                ("cnf", vec![json!(null), json!({"jkt": "AA"})]),
                ("role", vec![json!(null), json!("x"), json!("y")]),
                ("TYP", vec![json!(null), json!("at+jwt"), json!("JWT"), json!("other")]),
                ("iss", vec![json!("i"), json!("j")]),
            ];
            with_tokens(&each(&["GET"], vec!["a".into(), "c".into()]), &claims(&json!({}), &choices))
        }
    }
}
