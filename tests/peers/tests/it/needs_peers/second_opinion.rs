//! Mutated tokens, judged here, by `jose` and by PyJWT. Each class of disagreement is named, with the standard that
//! decides it; a disagreement of no class is a failure.
//!
//! All tokens are signed by the issuer's key, before or after they are changed: what is compared is what is made of
//! headers, claims and forms. `TOKENS` is their number, `SEED` the beginning of the random numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use authorizer_core::policy::Policy;
use authorizer_core::token::verify;
use authorizer_core::{Refusal, UnixTime};
use authorizer_e2e::binaries::root;
use authorizer_e2e::{runtimes, tools};
use authorizer_local::Runtime;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://login.example.com/";

/// A key pair for these tests alone: 32 times the same byte, in the form of RFC 8410 section 7.
const KEY: [&[u8]; 2] = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], &[7; 32]];

/// A kind of disagreement: the words that begin what is said here and what the other says, and why both are as they
/// are. An empty word stands for anything.
struct Class {
    here: &'static str,
    other: &'static str,
    because: &'static str,
}

/// Refused here, and accepted by another.
const STRICTER: &[Class] = &[
    Class {
        here: "token_duplicate_member",
        other: "ok",
        because: "RFC 7515 section 4 and RFC 7519 section 4: members are unique, or the last one counts; two readers could differ",
    },
    Class {
        here: "token_nested",
        other: "ok",
        because: "RFC 7519 section 5.2: `cty` JWT says that the payload is a token",
    },
    Class {
        here: "token_critical_header",
        other: "ok",
        because: "RFC 7515 section 4.1.11, RFC 7797 section 6: `crit`, `b64`",
    },
    Class {
        here: "token_encrypted",
        other: "ok",
        because: "RFC 7516 section 9: a header with `enc` is that of a JWE",
    },
    Class {
        here: "token_bound",
        other: "ok",
        because: "RFC 9449 section 7.1, RFC 8705 section 3: no bearer token",
    },
    Class {
        here: "token_type_mismatch",
        other: "ok",
        because: "RFC 8725 section 3.11: the type is checked, here without being asked",
    },
    Class {
        here: "token_malformed: form",
        other: "ok",
        because: "RFC 7515 section 7.1: three parts, and nothing around them",
    },
    Class {
        here: "token_malformed: encoding",
        other: "ok",
        because: "RFC 7515 section 2, RFC 4648 section 3.5: base64url without padding, and one encoding for each text",
    },
    Class {
        here: "token_malformed: header",
        other: "ok",
        because: "RFC 7515 sections 4.1.1, 4.1.4, 4.1.9 and 4.1.10: `alg`, `kid`, `typ` and `cty` are strings",
    },
    Class {
        here: "token_malformed: claims",
        other: "ok",
        because: "RFC 7519 sections 4.1.2 and 4.1.7, RFC 8693 sections 4.2 and 4.3, OpenID Connect Core 1.0 section 2: strings, and lists of scopes",
    },
    Class {
        here: "token_malformed: text",
        other: "ok",
        because: "RFC 8259 sections 2, 6, 8.1 and 8.2: JSON in UTF-8, with numbers and characters that exist",
    },
    Class {
        here: "token_time_malformed",
        other: "ok",
        because: "RFC 7519 section 2: a NumericDate is a number",
    },
    Class {
        here: "token_issued_in_future",
        other: "ok",
        because: "RFC 7519 section 4.1.6 leaves it open; a token from the future is not trusted here",
    },
    Class {
        here: "signing_key_unknown",
        other: "ok",
        because: "RFC 7515 section 4.1.4: the other was given the key, whatever `kid` says",
    },
    Class {
        here: "signature_invalid",
        other: "ok",
        because: "RFC 7515 section 2, RFC 4648 section 3.5: a signature has one encoding",
    },
    Class { here: "audience_mismatch", other: "ok", because: "RFC 7519 section 4.1.3: an array of strings" },
];

/// Accepted here, and refused by another.
const WIDER: &[Class] = &[Class {
    here: "ok",
    other: "InvalidAlgorithmError Algorithm not supported",
    because: "RFC 9864 section 2.2: `Ed25519` is a name of EdDSA on this curve",
}];

/// Random numbers that are the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The members of an object, as JSON.
type Members = Vec<(String, String)>;

const HEADERS: &[(&str, &[&str])] = &[
    (
        "alg",
        &[r#""Ed25519""#, r#""eddsa""#, r#""none""#, r#""HS256""#, r#""ES256""#, "7", "null", r#"["EdDSA"]"#],
    ),
    ("kid", &[r#""other""#, r#""""#, "7", "null"]),
    (
        "typ",
        &[
            r#""JWT""#,
            r#""at+jwt""#,
            r#""application/at+jwt""#,
            r#""jwt""#,
            r#""JOSE""#,
            r#""logout+jwt""#,
            "7",
            "null",
        ],
    ),
    ("zip", &[r#""NONE""#, r#""DEF""#, "null", "1"]),
    ("cty", &[r#""JWT""#, r#""jwt""#, r#""application/json""#, r#""application/jwt""#, "7", "null"]),
    ("enc", &[r#""A128GCM""#, "null"]),
    ("crit", &[r#"["exp"]"#, "[]", r#"["b64"]"#, r#"["zip"]"#, "null", r#""exp""#]),
    ("b64", &["true", "false", "null"]),
    ("jku", &[r#""https://evil.example/""#, "7"]),
    ("jwk", &[r#"{"kty":"OKP"}"#, "7"]),
    ("x5c", &[r#"["MII"]"#, "7"]),
    ("x5t#S256", &[r#""AA""#, "7"]),
    ("iss", &[r#""https://evil.example/""#]),
];

const CLAIMS: &[(&str, &[&str])] = &[
    ("iss", &[r#""https://login.example.com""#, r#""""#, "null", "7", r#"["https://login.example.com/"]"#]),
    (
        "aud",
        &[
            r#""other""#,
            r#"["other","files"]"#,
            r#"["files",7]"#,
            "[]",
            r#"[["files"]]"#,
            r#"{"files":1}"#,
            "null",
            r#""files other""#,
            r#""Files""#,
        ],
    ),
    (
        "exp",
        &[
            "1799990000",
            "1800090000.5",
            "1.80009e9",
            r#""1800090000""#,
            "null",
            "true",
            "[1800090000]",
            "1e300",
            "0",
            "-1",
            "18000900000000000000000",
        ],
    ),
    ("nbf", &["1800090000", "1799990000.5", r#""1799990000""#, "null", "1e300", "-1"]),
    ("iat", &["1800090000", "1799990000.5", r#""1799990000""#, "null", "true", "1e300", "-1", "0"]),
    ("sub", &["7", "null", r#"["alice"]"#, r#""""#, "true"]),
    ("jti", &["7", "null", r#""a""#, r#"["a"]"#, "false", "{}"]),
    ("client_id", &["7", "null", r#""a""#, r#"["a"]"#]),
    ("azp", &["7", "null", r#""a""#, r#"["a"]"#]),
    ("scope", &["7", "null", r#""a b""#, r#"["a","b"]"#, r#"["a",7]"#, "{}"]),
    ("scp", &["7", r#"["a","b"]"#, r#"[["a"]]"#]),
    ("cnf", &[r#"{"jkt":"AA"}"#, "null", "{}"]),
    (
        "n",
        &[
            "9007199254740993",
            "18446744073709551616",
            "1e400",
            "-0",
            "01",
            "NaN",
            "1.",
            r#""\ud800""#,
            r#""\u0000""#,
            "[1,]",
        ],
    ),
    ("deep", &["[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"]),
];

fn changed(dice: &mut Dice, mut members: Members, values: &[(&str, &[&str])]) -> Members {
    for _ in 0..dice.below(3) {
        match dice.below(10) {
            0 if !members.is_empty() => drop(members.remove(dice.below(members.len()))),
            1 if !members.is_empty() => {
                let (name, value) = dice.one(&members).clone();
                let name = if dice.below(2) == 0 { name } else { spelled(&name) };
                members.push((name, value));
            }
            2 if !members.is_empty() => {
                let at = dice.below(members.len());
                members[at].0 = spelled(&members[at].0);
            }
            _ => {
                let (name, values) = *dice.one(values);
                let value = (*dice.one(values)).to_owned();
                members.retain(|(known, _)| known != name);
                members.push((name.to_owned(), value));
            }
        }
    }
    members
}

/// The same name, with its first character as an escape.
fn spelled(name: &str) -> String {
    match name.strip_prefix(|first: char| first.is_ascii_alphabetic()) {
        Some(rest) => format!("\\u{:04x}{rest}", name.as_bytes()[0]),
        None => name.to_owned(),
    }
}

fn written(dice: &mut Dice, members: &Members) -> Vec<u8> {
    let space = *dice.one(&["", "", "", " ", "\n"]);
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{space}{value}")).collect();
    let object = format!("{{{}}}", members.join(&format!(",{space}")));
    match dice.below(60) {
        0 => format!("[{object}]").into_bytes(),
        1 => format!("{object}{object}").into_bytes(),
        2 => format!("\u{feff}{object}").into_bytes(),
        3 => [object.as_bytes(), b"\xff"].concat(),
        4 => format!(" {object}\r\n").into_bytes(),
        _ => object.into_bytes(),
    }
}

fn token(dice: &mut Dice, key: &EncodingKey) -> String {
    let text = |name: &str, value: &str| (name.to_owned(), format!("\"{value}\""));
    let number = |name: &str, value: u64| (name.to_owned(), value.to_string());
    let header = vec![text("alg", "EdDSA"), text("kid", "k")];
    let claims = vec![
        text("iss", ISSUER),
        text("aud", "files"),
        text("sub", "alice"),
        number("iat", NOW - 3600),
        number("exp", NOW + 3600),
    ];
    let header = changed(dice, header, HEADERS);
    let claims = changed(dice, claims, CLAIMS);
    let mut parts =
        [written(dice, &header), written(dice, &claims)].map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    if dice.below(25) == 0 {
        let at = dice.below(2);
        parts[at] = reencoded(dice, &parts[at]);
    }
    let signed = parts.join(".");
    let mut signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, Algorithm::EdDSA).unwrap();
    if dice.below(25) == 0 {
        signature = reencoded(dice, &signature);
    }
    let token = format!("{signed}.{signature}");
    match dice.below(100) {
        0 => format!("{token}."),
        1 => format!("{token}.{signature}"),
        2 => signed,
        3 => format!("{signed}."),
        4 => format!(" {token}"),
        5 => format!("{token} "),
        _ => token,
    }
}

/// Another text, of which some readers make the same bytes.
fn reencoded(dice: &mut Dice, part: &str) -> String {
    let last = part.chars().last().unwrap_or('A');
    let next = char::from(last as u8 + 1);
    let body = &part[..part.len().saturating_sub(1)];
    match dice.below(6) {
        0 => format!("{part}="),
        1 => format!("{part}=="),
        2 => format!("{body}{next}"),
        3 => part.replace('-', "+").replace('_', "/"),
        4 => body.to_owned(),
        _ => format!("{part}A"),
    }
}

/// What is made of a token here: `ok`, or the reason word. A malformed token has what is malformed after it.
fn here(policy: &Policy, token: &str) -> String {
    match verify(token, policy.issuers(), UnixTime::from_seconds(NOW)) {
        Ok(_) => "ok".to_owned(),
        Err(error) => match Refusal::from(error).reason() {
            "token_malformed" => format!("token_malformed: {}", malformed(token)),
            reason => reason.to_owned(),
        },
    }
}

/// What of a token is malformed, in the order in which it is read.
fn malformed(token: &str) -> &'static str {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return "form" };
    if signature.is_empty() || token.trim() != token {
        return "form";
    }
    let object = |part: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| "encoding")?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|_| "text")
    };
    let header = match object(header) {
        Ok(header) => header,
        Err(what) => return what,
    };
    let is_text = |name: &str| header.get(name).is_none_or(Value::is_string);
    if !["alg", "kid", "typ", "cty"].into_iter().all(is_text) || !header.contains_key("alg") {
        return "header";
    }
    object(claims).map_or_else(|what| what, |_| "claims")
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn run(program: &Path, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn other_libraries_make_the_same_of_tokens_or_it_is_known_why_not() {
    let (Some(peers), Some(_)) = (tools::installed("peers", "the peers"), runtimes::clients(Runtime::Node))
    else {
        return;
    };
    let (count, seed) = (from_environment("TOKENS", 20_000), from_environment("SEED", 1));
    let key = EncodingKey::from_ed_der(&KEY.concat());
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap()).unwrap();
    jwk["kid"] = "k".into();
    let document = json!({"version": 1, "issuers": [{"name": "a", "issuer": ISSUER, "audience": ["files"],
        "algorithms": ["EdDSA"], "jwks": {"keys": [jwk]}}]});
    let policy = Policy::compile(&serde_json::from_value(document).unwrap()).unwrap();
    let mut dice = Dice(seed);
    let tokens: Vec<String> = (0..count).map(|_| token(&mut dice, &key)).collect();

    let folder = tempfile::tempdir().unwrap();
    let asked = json!({"now": NOW, "leeway": 30, "issuer": ISSUER, "audience": "files", "key": jwk});
    fs::write(folder.path().join("asked.json"), asked.to_string()).unwrap();
    fs::write(folder.path().join("tokens.txt"), tokens.join("\n")).unwrap();
    let scripts = root().join("tests/peers/second_opinion");
    let node = root().join(".tools/runtimes/node/bin/node");
    run(&node, &[&scripts.join("jose.mjs"), peers, folder.path()]);
    run(&peers.join("bin/python"), &[&scripts.join("pyjwt.py"), folder.path()]);
    let said = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    compare(&policy, &tokens, &[("jose", said("jose.txt")), ("PyJWT", said("pyjwt.txt"))]);
}

/// Counts the disagreements by class, and fails for one that has none.
fn compare(policy: &Policy, tokens: &[String], others: &[(&str, String)]) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut unknown: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    let (mut accepted, mut agreed) = (0, 0);
    for (name, said) in others {
        let said: Vec<&str> = said.split('\n').collect();
        assert_eq!(said.len(), tokens.len(), "{name}");
        for (token, said) in tokens.iter().zip(said) {
            let here = here(policy, token);
            accepted += usize::from(here == "ok");
            if (here == "ok") == (said == "ok") {
                agreed += 1;
                continue;
            }
            let classes = if here == "ok" { WIDER } else { STRICTER };
            let class =
                classes.iter().find(|class| here.starts_with(class.here) && said.starts_with(class.other));
            match class {
                Some(class) => *counts.entry((name, class.because)).or_default() += 1,
                None => {
                    let words: String = said.chars().take(60).collect();
                    unknown.entry(format!("{name}: {here} / {words}")).or_insert((0, token)).0 += 1;
                }
            }
        }
    }
    eprintln!("{} tokens: {accepted} accepted here, {agreed} verdicts agree", tokens.len());
    for ((name, because), count) in &counts {
        eprintln!("{count:6} {name}: {because}");
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(accepted > tokens.len() / 4 && agreed > tokens.len(), "both outcomes are asked for often");
}
