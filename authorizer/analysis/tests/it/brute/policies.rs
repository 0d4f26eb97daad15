//! Policies at random, over what the requests are made of.

use authorizer_core::{Authorizer, Bundle};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::requests::NOON;

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// What policies and requests of one test are about; all else stays as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Alphabet {
    Keys,
    KeyedClaims,
    Conditions,
    Listings,
    Uploads,
    PlacesAndTimes,
    Tokens,
    /// Three claims in keys, which two rules can have in the same place.
    ManyClaims,
    /// Values of claims that no key can have as a segment, and others that are special.
    Words,
    /// Claims in claims, in keys and conditions.
    Nested,
    /// Hosts and wildcards, within each other.
    Hosts,
    /// The times of a token, against periods, leeways and longest lifetimes.
    TokenTimes,
}

/// What a claim's value can be beside a plain segment.
pub(crate) const SPECIAL: [&str; 9] = ["", ".", "..", "a/b", "x a/b", "A\\b", "\u{e9}", "a  b", LONG];

/// 300 bytes.
pub(crate) const LONG: &str = "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\
    llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\
    llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll\
    llllllllllllllll";

pub(crate) fn authorizer(document: &Value) -> Option<Authorizer> {
    let document = serde_json::from_value(document.clone()).unwrap();
    // The core refuses some, such as a listing that no pattern could hold. They are not policies.
    let bytes = Bundle::write(&document).ok()?;
    Some(Authorizer::new(Bundle::read(&bytes).unwrap()))
}

/// An old and a new policy, which have most of their rules in common.
pub(crate) fn pair(alphabet: Alphabet) -> impl Strategy<Value = (Value, Value)> {
    let rules = prop::collection::vec(rule(alphabet), 1..5);
    let kept = prop::collection::vec(prop::bool::weighted(0.8), 5);
    let more = prop::collection::vec(rule(alphabet), 0..3);
    (rules, kept, more, any::<bool>(), issuers(alphabet), issuers(alphabet)).prop_map(
        move |(rules, kept, more, ahead, old_issuers, new_issuers)| {
            let mut kept: Vec<Value> =
                rules.iter().zip(kept).filter(|(_, kept)| *kept).map(|(rule, _)| rule.clone()).collect();
            kept.splice(if ahead { 0..0 } else { kept.len()..kept.len() }, more);
            (policy(&old_issuers, rules), policy(&new_issuers, kept))
        },
    )
}

fn policy(issuers: &[Value], rules: Vec<Value>) -> Value {
    let mut rules = rules;
    for (index, rule) in rules.iter_mut().enumerate() {
        rule["id"] = format!("r{index}").into();
    }
    json!({"version": 1, "issuers": issuers, "rules": rules})
}

fn issuer(name: &str, more: &Value) -> Value {
    let mut issuer = json!({
        "name": name, "issuer": name, "audience": ["a"], "algorithms": ["EdDSA"], "leeway_seconds": 0,
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}
    });
    issuer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    issuer
}

fn issuers(alphabet: Alphabet) -> BoxedStrategy<Vec<Value>> {
    if alphabet == Alphabet::TokenTimes {
        let leeways = select(vec![0, 2, 5]);
        let lives = prop::option::of(select(vec![1, 4, 9]));
        return (leeways, lives)
            .prop_map(|(leeway, life)| {
                let mut more = json!({"leeway_seconds": leeway});
                more["max_lifetime_seconds"] = life.map_or(Value::Null, Value::from);
                vec![issuer("i", &more)]
            })
            .boxed();
    }
    if alphabet == Alphabet::Nested {
        let required = select(vec![json!({}), json!({}), json!({"required": {"/o/p": "a"}})]);
        return required.prop_map(|more| vec![issuer("i", &more)]).boxed();
    }
    if alphabet != Alphabet::Tokens {
        return Just(vec![issuer("i", &json!({}))]).boxed();
    }
    let variants = vec![
        json!({}),
        json!({"audience": ["b"]}),
        json!({"audience": ["a", "b"]}),
        json!({"client_id": ["c"]}),
        json!({"client_id": ["c"], "audience": []}),
        json!({"required": {"role": "x"}}),
        json!({"required": {"role": "x"}, "bound_by": "role", "audience": []}),
        json!({"accept_bound_tokens": true}),
        json!({"token_type": "at+jwt"}),
    ];
    let one = select(variants);
    (one.clone(), one, prop::bool::weighted(0.8))
        .prop_map(|(first, second, both)| {
            let mut issuers = vec![issuer("i", &first)];
            if both {
                issuers.push(issuer("j", &second));
            }
            issuers
        })
        .boxed()
}

fn pattern(alphabet: Alphabet) -> BoxedStrategy<String> {
    let segments: &[&str] = match alphabet {
        Alphabet::Keys => &["a", "b", "a*", "*b", "*", "**", "*a*", "ab"],
        Alphabet::KeyedClaims => &["a", "b", "*", "**", "{sub}", "{g}", "{sub}", "{g}", "{g}", "a*"],
        Alphabet::Listings => &["a", "b", "ab", "*", "**", "**", "{sub}", "{g}", "a*", "*b"],
        Alphabet::Conditions
        | Alphabet::PlacesAndTimes
        | Alphabet::Hosts
        | Alphabet::Tokens
        | Alphabet::TokenTimes => &["a", "**"],
        Alphabet::Uploads => &["a", "{sub}"],
        Alphabet::ManyClaims => &["{sub}", "{g}", "{h}", "{g}", "{h}", "a", "*", "**"],
        Alphabet::Words => &["a", "{sub}", "{g}", "*", "a*", "**"],
        Alphabet::Nested => &["a", "{/o/p}", "{/o/q/r}", "{o}", "{sub}", "{/o/q}", "**"],
    };
    let most = match alphabet {
        Alphabet::Keys | Alphabet::KeyedClaims | Alphabet::Listings | Alphabet::ManyClaims => 4,
        Alphabet::Words | Alphabet::Nested => 3,
        _ => 2,
    };
    prop::collection::vec(select(segments.to_vec()), 1..most).prop_map(|segments| segments.join("/")).boxed()
}

fn condition(alphabet: Alphabet) -> BoxedStrategy<Option<Value>> {
    let tests: Vec<Value> = match alphabet {
        Alphabet::Conditions => vec![
            json!({"role": {"equals": "x"}}),
            json!({"role": {"equals": 1}}),
            json!({"role": {"any": ["x", "y", true]}}),
            json!({"role": {"has": "x"}}),
            json!({"role": {"has": "x y"}}),
            json!({"role": {"present": true}}),
            json!({"role": {"present": false}}),
            json!({"scope": {"has": "x"}}),
            json!({"scope": {"has": "y"}}),
            json!({"scope": {"equals": "x y"}}),
            json!({"scope": {"has": "x"}, "role": {"equals": "x"}}),
            json!({"sub": {"equals": "a"}}),
            json!({"role": {"starts_with": "x"}}),
            json!({"role": {"starts_with": "x y"}}),
            json!({"scope": {"starts_with": "x "}}),
            json!({"scope": {"starts_with": "y"}}),
            json!({"sub": {"starts_with": "a"}}),
        ],
        Alphabet::KeyedClaims | Alphabet::Listings => vec![
            json!({"sub": {"starts_with": "a"}}),
            json!({"sub": {"starts_with": "c "}}),
            json!({"g": {"starts_with": "b"}}),
            json!({"sub": {"equals": "a"}}),
            json!({"sub": {"has": "b"}}),
            json!({"g": {"has": "a"}}),
            json!({"g": {"equals": "b"}}),
            json!({"g": {"present": true}}),
        ],
        Alphabet::Tokens => vec![
            json!({"aud": {"has": "a"}}),
            json!({"aud": {"equals": "b"}}),
            json!({"role": {"equals": "x"}}),
            json!({"role": {"equals": "y"}}),
        ],
        Alphabet::Uploads => vec![json!({"sub": {"equals": "a"}}), json!({"g": {"present": true}})],
        Alphabet::ManyClaims => vec![
            json!({"g": {"has": "a"}}),
            json!({"h": {"has": "b"}, "g": {"has": "a"}}),
            json!({"h": {"equals": "a"}}),
            json!({"sub": {"any": ["a", "b"]}}),
            json!({"sub": {"starts_with": "a"}, "g": {"starts_with": "a"}}),
            json!({"h": {"starts_with": "b"}}),
            json!({"g": {"present": false}}),
        ],
        Alphabet::Words => {
            let words =
                SPECIAL.into_iter().filter(|word| !word.is_empty() && !word.contains(' ') && *word != LONG);
            let has = words.flat_map(|word| [json!({"sub": {"has": word}}), json!({"g": {"has": word}})]);
            let equals = SPECIAL
                .into_iter()
                .flat_map(|text| [json!({"sub": {"equals": text}}), json!({"g": {"any": [text, "a"]}})]);
            let begins = ["a", "a/", "x ", "x a", "x a/b", "A\\", "l", "\u{e9}", "."]
                .into_iter()
                .flat_map(|text| ["sub", "g"].map(|claim| json!({claim: {"starts_with": text}})));
            let both = json!({"sub": {"starts_with": "x a"}, "g": {"starts_with": "x"}});
            has.chain(equals).chain(begins).chain([both]).chain([json!({"g": {"present": true}})]).collect()
        }
        Alphabet::TokenTimes => {
            let times = [-6, -1, 0, 3, 7].map(|after| NOON + after);
            let equals = times
                .into_iter()
                .flat_map(|at| ["exp", "iat", "nbf"].map(|name| json!({name: {"equals": at}})));
            equals
                .chain([json!({"iat": {"present": false}}), json!({"nbf": {"present": true}})])
                .chain([json!({"exp": {"equals": NOON + 3}, "iat": {"any": [NOON, NOON - 6]}})])
                .collect()
        }
        Alphabet::Nested => vec![
            json!({"/o/p": {"equals": "a"}}),
            json!({"/o/p": {"has": "b"}}),
            json!({"/o/p": {"starts_with": "a"}, "/o/q/r": {"present": true}}),
            json!({"/o/p": {"present": false}}),
            json!({"/o/q/r": {"equals": "b"}}),
            json!({"/o/q": {"present": true}}),
            json!({"/o/q": {"equals": "b"}}),
            json!({"o": {"present": true}}),
            json!({"o": {"has": "a"}}),
            json!({"o": {"present": false}}),
            json!({"o": {"present": true}, "/o/q/r": {"present": false}}),
        ],
        Alphabet::Keys | Alphabet::PlacesAndTimes | Alphabet::Hosts => return Just(None).boxed(),
    };
    prop::option::weighted(0.5, select(tests)).boxed()
}

fn upload(alphabet: Alphabet) -> BoxedStrategy<Value> {
    if alphabet == Alphabet::Words {
        let owners = vec!["a/b", "x a/b", "{sub}", "{g}", "{sub}", "{exp}"];
        let one = prop::option::of(select(owners));
        return (one.clone(), prop::option::weighted(0.2, one))
            .prop_map(|(owner, other)| {
                let named = [("o", owner), ("p", other.flatten())];
                let metadata: Map<String, Value> = named
                    .into_iter()
                    .filter_map(|(name, term)| Some((name.to_owned(), json!(term?))))
                    .collect();
                if metadata.is_empty() { json!({}) } else { json!({"metadata": metadata}) }
            })
            .boxed();
    }
    (
        prop::option::of(select(vec![1, 10])),
        prop::option::of(select(vec![json!(["image/*"]), json!(["image/png", "text/x"]), json!(["*/*"])])),
        any::<bool>(),
        prop::option::of(select(vec!["*", "a", "b", "{sub}", "{g}"])),
        prop::option::of(select(vec![
            json!(true),
            json!(["crc32"]),
            json!(["sha256"]),
            json!(["sha256", "crc32"]),
        ])),
    )
        .prop_map(|(bytes, types, create, owner, checksums)| {
            let mut upload = Map::new();
            upload.extend(bytes.map(|bytes| ("max_bytes".into(), json!(bytes))));
            upload.extend(types.map(|types| ("content_types".into(), types)));
            upload.extend(create.then(|| ("create_only".into(), json!(true))));
            upload.extend(owner.map(|owner| ("metadata".into(), json!({"o": owner}))));
            upload.extend(checksums.map(|checksums| ("checksums".into(), checksums)));
            Value::Object(upload)
        })
        .boxed()
}

/// The time of day this many seconds after noon.
fn rfc_3339(after: i64) -> String {
    let seconds = 12 * 3600 + after;
    format!("2027-01-01T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn rule(alphabet: Alphabet) -> BoxedStrategy<Value> {
    let operations = match alphabet {
        Alphabet::Listings => vec!["ListObjectsV2", "GetObject"],
        Alphabet::Uploads => vec!["PutObject", "CompleteMultipartUpload"],
        Alphabet::Keys | Alphabet::KeyedClaims => vec!["GetObject", "DeleteObject"],
        Alphabet::Words => vec!["PutObject"],
        Alphabet::Nested => vec!["GetObject", "ListObjectsV2"],
        Alphabet::Conditions
        | Alphabet::PlacesAndTimes
        | Alphabet::Hosts
        | Alphabet::Tokens
        | Alphabet::ManyClaims
        | Alphabet::TokenTimes => vec!["GetObject"],
    };
    let count = operations.len();
    let denies = match alphabet {
        Alphabet::KeyedClaims | Alphabet::Listings | Alphabet::ManyClaims | Alphabet::Nested => 0.5,
        _ => 0.3,
    };
    let networks =
        vec![json!(["10.0.0.0/8"]), json!(["10.0.0.1"]), json!(["::/0"]), json!(["0.0.0.0/0", "::/1"])];
    let hosts = subsequence(
        vec!["a.example", "*.a.example", "*.example", "b.example", "x.a.example", "*.x.a.example"],
        1..=3,
    );
    let (epoch, first, second) = ("1970-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z");
    let periods = vec![
        (None, None),
        (Some(epoch), None),
        (Some(first), None),
        (None, Some(second)),
        (Some(first), Some(second)),
    ];
    let place = (
        prop::option::of(select(networks)),
        select(periods),
        prop::option::of(subsequence(vec!["response-content-type", "response-expires"], 1..=2)),
        (any::<bool>(), prop::option::weighted(0.8, hosts)),
    );
    (
        prop::bool::weighted(denies),
        subsequence(operations, 1..=count),
        prop::collection::vec(pattern(alphabet), 1..3),
        condition(alphabet),
        prop::bool::weighted(if matches!(alphabet, Alphabet::PlacesAndTimes | Alphabet::Hosts) {
            0.6
        } else {
            0.25
        }),
        upload(alphabet),
        (place, (prop::option::of(select(vec![-4, 1])), prop::option::of(select(vec![2, 6])))),
        prop::option::weighted(0.9, select(vec![json!(["i"]), json!(["j"]), json!(["i", "j"])])),
    )
        .prop_map(move |(denies, operations, keys, when, anonymous, upload, (place, period), issuers)| {
            let mut keys = keys;
            // Else no prefix is wholly within, and the core refuses the rule.
            if matches!(alphabet, Alphabet::Listings | Alphabet::Nested)
                && !denies
                && !keys[0].ends_with("**")
            {
                keys[0].push_str("/**");
            }
            let reads_claims = when.is_some() || keys.iter().any(|key| key.contains('{'));
            let mut rule = json!({
                "effect": if denies { "deny" } else { "allow" }, "operations": operations, "keys": keys
            });
            let fields = rule.as_object_mut().unwrap();
            fields.extend(when.map(|when| ("when".to_owned(), when)));
            let is_upload =
                matches!(alphabet, Alphabet::Uploads | Alphabet::Words) && !denies && upload != json!({});
            if is_upload {
                fields.insert("upload".to_owned(), upload.clone());
            }
            let reads_metadata = is_upload && upload.to_string().contains('{');
            if anonymous && !denies && !reads_claims && !reads_metadata {
                fields.insert("anonymous".to_owned(), json!(true));
            } else if alphabet == Alphabet::Tokens {
                fields.extend(issuers.map(|issuers| ("issuers".to_owned(), issuers)));
            }
            if alphabet == Alphabet::TokenTimes {
                let (first, end) = period;
                fields.extend(first.map(|at| ("not_before".to_owned(), json!(rfc_3339(at)))));
                fields.extend(end.map(|at| ("not_after".to_owned(), json!(rfc_3339(at)))));
            }
            let (networks, (first, end), overrides, (parts, hosts)) = place;
            if alphabet == Alphabet::Hosts && !denies {
                fields.extend(hosts.map(|hosts| ("hosts".to_owned(), json!(hosts))));
            }
            if alphabet == Alphabet::PlacesAndTimes {
                fields.extend(networks.map(|networks| ("source_ips".to_owned(), networks)));
                fields.extend(first.map(|first| ("not_before".to_owned(), json!(first))));
                fields.extend(end.map(|end| ("not_after".to_owned(), json!(end))));
                let overrides = overrides.filter(|_| !denies);
                fields.extend(overrides.map(|names| ("response_overrides".to_owned(), json!(names))));
                let parts = (parts && !denies).then(|| ("parameters".to_owned(), json!(["partNumber"])));
                fields.extend(parts);
            }
            rule
        })
        .boxed()
}
