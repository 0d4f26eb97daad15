//! Random policies with few words, so that random requests with the same words often match them.

use authorizer_core::operation::S3Operation as Op;
use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// The claims that keys and metadata use.
pub(crate) const KEY_CLAIMS: [&str; 4] = ["sub", "org", "https://example.com/tenant", "/app/org"];

/// A word that few keys have room for.
pub(crate) const LONG: &str = concat!(
    "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll",
    "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
);

/// The values of claims that are not segments of a key, not metadata, or hardly: directory groups, scopes that are
/// URLs, and what only a mistake or an attacker sends.
pub(crate) const ODD: [&str; 8] = ["files/write", "CORP\\admins", ".", "..", "", " ", "é", LONG];

/// What a text may have to start with: what is special in a pattern of Cedar, too.
const BEGINNINGS: [&str; 6] = ["a", "a ", "files/", "CORP\\", "*", "b"];

pub(crate) const LITERALS: [&str; 6] = ["a", "b", "ab", "ba", "a.b", "é"];
const GLOBS: [&str; 7] = ["*", "a*", "*b", "a*b", "*.b", "*a*", "é*"];

/// The instants at which rules begin and end.
pub(crate) const INSTANTS: [(&str, u64); 3] = [
    ("2026-01-01T00:00:00Z", 1_767_225_600),
    ("2027-01-01T00:00:00Z", 1_798_761_600),
    ("2028-02-29T12:30:01Z", 1_835_440_201),
];

const HOSTS: [&str; 4] = ["a.example", "*.a.example", "*.example", "b.example"];

const NETWORKS: [&str; 6] =
    ["203.0.113.0/24", "203.0.113.9", "0.0.0.0/0", "2001:db8::/32", "2001:db8::9", "::/0"];

const READS: [&str; 4] = ["GetObject", "HeadObject", "GetObjectVersion", "HeadObjectVersion"];
const MEASURED: [&str; 3] = ["PutObject", "UploadPart", "CompleteMultipartUpload"];
const DESCRIBED: [&str; 2] = ["PutObject", "CreateMultipartUpload"];

/// A policy of one to five rules, for two issuers.
pub(crate) fn document(dice: &mut Dice, keys: &Value) -> Value {
    let issuer = |name: &str| {
        json!({"name": name, "issuer": format!("https://{name}.example/"), "audience": ["files"],
            "algorithms": ["EdDSA"], "jwks": {"keys": keys}})
    };
    let count = 1 + dice.below(5);
    let mut rules: Vec<Value> = (0..count).map(|index| rule(dice, index)).collect();
    // Without an allow rule, no request reaches a rule.
    if rules.iter().all(|rule| rule["effect"] == "deny") {
        rules.push(json!({"id": "all", "effect": "allow", "operations": names(&Op::ALL), "keys": ["**"],
            "anonymous": true}));
    }
    json!({"version": 1, "issuers": [issuer("staff"), issuer("guests")], "rules": rules})
}

fn names(operations: &[Op]) -> Vec<&'static str> {
    operations.iter().map(|operation| operation.name()).collect()
}

pub(crate) fn rule(dice: &mut Dice, index: usize) -> Value {
    let allows = dice.percent(60);
    let anonymous = allows && dice.percent(25);
    let mut operations = match dice.below(3) {
        0 => names(&Op::ALL),
        1 => names(&dice.some(&Op::ALL, 50)),
        _ if dice.percent(30) => vec!["PutObject", "CreateMultipartUpload"],
        _ => names(&dice.some(&Op::ALL, 20)),
    };
    let mut keys: Vec<String> = (0..1 + dice.below(3)).map(|_| pattern(dice, !anonymous)).collect();
    if operations.contains(&"ListObjectsV2") && !keys.iter().any(|key| key.ends_with("**")) {
        keys.push(format!("{}/**", dice.one(&LITERALS)));
    }
    let mut rule =
        json!({"id": format!("rule-{index}"), "effect": if allows { "allow" } else { "deny" }, "keys": keys});
    // As `methods` only if that means the same: in a deny rule, `methods` covers more.
    if dice.percent(30) {
        rule["methods"] = json!(dice.some(&["GET", "HEAD", "PUT", "DELETE"], 40));
    }
    if allows && rule["methods"].is_array() {
        for (method, opened) in [("GET", &READS[..2]), ("HEAD", &READS[1..2]), ("PUT", &MEASURED[..1])] {
            if rule["methods"].as_array().unwrap().contains(&json!(method)) {
                operations.extend(opened);
            }
        }
    }
    rule["operations"] = json!(operations);
    if anonymous {
        rule["anonymous"] = true.into();
    } else if allows || dice.percent(30) {
        rule["issuers"] = json!(dice.some(&["staff", "guests"], 60));
    }
    if !anonymous && dice.percent(if allows { 45 } else { 30 }) {
        rule["when"] = conditions(dice);
    }
    if dice.percent(15) {
        rule["source_ips"] = json!(dice.some(&NETWORKS, 35));
    }
    if allows && dice.percent(15) {
        rule["hosts"] = json!(dice.some(&HOSTS, 35));
    }
    match dice.below(8) {
        0 => rule["not_before"] = INSTANTS[dice.below(3)].0.into(),
        1 => rule["not_after"] = INSTANTS[dice.below(3)].0.into(),
        2 => {
            rule["not_before"] = INSTANTS[dice.below(2)].0.into();
            rule["not_after"] = INSTANTS[2].0.into();
        }
        _ => {}
    }
    let has = |of: &[&str]| operations.iter().any(|operation| of.contains(operation));
    if allows && has(&READS) && dice.percent(40) {
        rule["response_overrides"] = json!(dice.some(&OVERRIDES, 50));
    }
    if allows && (has(&READS) || has(&["ListObjectsV2"])) && dice.percent(40) {
        let names = [("partNumber", has(&READS)), ("fetch-owner", has(&["ListObjectsV2"]))];
        let names: Vec<_> = names.iter().filter(|(_, applies)| *applies).map(|(name, _)| *name).collect();
        rule["parameters"] = json!(names);
    }
    if allows && has(&[MEASURED.as_slice(), &DESCRIBED].concat()) && dice.percent(75) {
        let upload = upload(dice, has(&MEASURED), has(&DESCRIBED), anonymous);
        if !upload.is_empty() {
            rule["upload"] = upload.into();
        }
    }
    rule
}

pub(crate) const OVERRIDES: [&str; 3] =
    ["response-expires", "response-content-type", "response-cache-control"];

fn pattern(dice: &mut Dice, with_claims: bool) -> String {
    let mut segments = Vec::new();
    for _ in 0..1 + dice.below(4) {
        segments.push(match dice.below(10) {
            0..4 => dice.one(&LITERALS).to_owned(),
            4 | 5 => dice.one(&GLOBS).to_owned(),
            6 | 7 if with_claims => format!("{{{}}}", dice.one(&KEY_CLAIMS)),
            _ => "**".to_owned(),
        });
    }
    match dice.below(10) {
        0..4 => segments.push("**".to_owned()),
        4 => segments.push(String::new()),
        _ => {}
    }
    segments.join("/")
}

fn conditions(dice: &mut Dice) -> Value {
    let mut when = Map::new();
    for _ in 0..1 + dice.below(2) {
        let claim =
            dice.one(&["role", "teams", "n", "flag", "org", "sub", "has", "/app/org", "/realm_access/roles"]);
        when.insert(claim.to_owned(), test(dice, claim));
    }
    when.into()
}

fn test(dice: &mut Dice, claim: &str) -> Value {
    let mut scalars =
        vec![json!("a"), json!("b"), json!(1), json!(-7), json!(true), json!(false), json!("a b")];
    if dice.percent(20) {
        scalars = ODD.map(Value::from).to_vec();
    }
    match dice.below(6) {
        0 => json!({"equals": dice.one(&scalars)}),
        1 => json!({"any": dice.some(&scalars, 40)}),
        2 | 3 if dice.percent(30) => {
            // A scope is only what can stand in a header.
            let possible =
                |word: &&str| !["", " "].contains(word) && (claim != "teams" || !word.contains(['\\', 'é']));
            json!({"has": dice.one(&ODD.into_iter().filter(possible).collect::<Vec<_>>())})
        }
        2 | 3 => json!({"has": dice.one(&["a", "b"])}),
        4 => json!({"starts_with": dice.one(&BEGINNINGS)}),
        _ => json!({"present": dice.percent(70)}),
    }
}

fn upload(dice: &mut Dice, measured: bool, described: bool, anonymous: bool) -> Map<String, Value> {
    let mut upload = Map::new();
    if measured && dice.percent(50) {
        upload.insert("max_bytes".into(), dice.one(&[json!(10), json!("1kB"), json!("9000000000GB")]));
    }
    if described && dice.percent(50) {
        let types = ["image/*", "image/png", "TEXT/HTML", "*/*"];
        upload.insert("content_types".into(), json!(dice.some(&types, 30)));
    }
    if described && dice.percent(60) {
        let mut metadata = Map::new();
        for (name, term) in [("label", "*"), ("kind", "k"), ("owner-of", "{sub}"), ("org", "{org}")] {
            if dice.percent(60) && !(anonymous && term.starts_with('{')) {
                metadata.insert(name.into(), term.into());
            }
        }
        if !metadata.is_empty() {
            upload.insert("metadata".into(), metadata.into());
        }
    }
    if dice.percent(40) {
        let named = dice.some(&["crc32", "sha256", "md5"], 40);
        upload.insert("checksums".into(), if dice.percent(30) { true.into() } else { json!(named) });
    }
    upload
}
