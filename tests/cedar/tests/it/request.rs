//! Random requests for a policy. Half of them are aimed at one of its rules.

use std::collections::BTreeMap;
use std::net::IpAddr;

use authorizer_analysis::posed::{Aim, Deed, PosedRequest};
use authorizer_core::checksum::ChecksumHeader;
use authorizer_core::claim_name;
use authorizer_core::key::ObjectKey;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::policy::Policy;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::rules::{ClaimTest, Condition, Effect, KeyPattern, Rule, Segment};
use authorizer_core::{Scalar, Supposed};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::policy::{INSTANTS, KEY_CLAIMS, LITERALS, ODD, OVERRIDES};

/// A request as facts, for the other engine.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Op,
    /// The key or the prefix.
    pub(crate) name: String,
    /// The issuer by name, and the claims.
    pub(crate) token: Option<(String, Map<String, Value>)>,
    pub(crate) source: IpAddr,
    /// The host, with the values of its `Host` lines.
    pub(crate) host: Said<String>,
    pub(crate) now: u64,
    pub(crate) overrides: Vec<String>,
    /// The parameters that a rule must allow, each with a value.
    pub(crate) parameters: Vec<(&'static str, &'static str)>,
    pub(crate) upload: UploadSaid,
}

/// The headers of an upload: each fact, with its header lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadSaid {
    pub(crate) length: Said<i64>,
    pub(crate) media_type: Said<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) checksums: Vec<ChecksumHeader>,
}

/// A fact, with the values of its header lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said<T> {
    pub(crate) lines: Vec<String>,
    pub(crate) is: Option<T>,
}

impl<T> Said<T> {
    fn new(lines: &[&str], is: Option<T>) -> Self {
        Self { lines: lines.iter().map(|line| (*line).to_owned()).collect(), is }
    }
}

impl<T: ToString> Said<T> {
    /// In one line, if it is known.
    pub(crate) fn plainly(is: Option<T>) -> Self {
        Self { lines: is.iter().map(ToString::to_string).collect(), is }
    }
}

type Line<T> = (&'static [&'static str], Option<T>);

const LENGTHS: [Line<i64>; 8] = [
    (&["0"], Some(0)),
    (&["5"], Some(5)),
    (&["10"], Some(10)),
    (&["11"], Some(11)),
    (&["99999999999999999999"], Some(i64::MAX)),
    (&["+5"], None),
    (&["5", "5"], None),
    (&[], None),
];

const MEDIA_TYPES: [Line<&str>; 8] = [
    (&["image/png"], Some("image/png")),
    (&["Image/PNG; a=\"b;c\""], Some("image/png")),
    (&["image/svg+xml"], Some("image/svg+xml")),
    (&["text/html"], Some("text/html")),
    (&["images/png"], Some("images/png")),
    (&["image"], None),
    (&["image/png", "image/png"], None),
    (&[], None),
];

const HOSTS: [Line<&str>; 8] = [
    (&["a.example"], Some("a.example")),
    (&["A.Example"], Some("a.example")),
    (&["b.example"], Some("b.example")),
    (&["x.a.example"], Some("x.a.example")),
    (&["y.x.a.example"], Some("y.x.a.example")),
    (&["example"], Some("example")),
    (&["a.example:443"], None),
    (&["a.example", "a.example"], None),
];

const SOURCES: [&str; 6] =
    ["203.0.113.9", "::ffff:203.0.113.9", "203.0.113.10", "198.51.100.1", "2001:db8::9", "2001:db9::1"];

fn host(dice: &mut Dice) -> Said<String> {
    let (lines, is) = dice.one(&HOSTS);
    Said::new(lines, is.map(str::to_owned))
}

impl Asked {
    /// A request with the words of the policy.
    pub(crate) fn of(dice: &mut Dice, policy: &Policy) -> Self {
        let rules: Vec<_> = policy.rules().iter().collect();
        let denying: Vec<_> = rules.iter().copied().filter(|rule| rule.effect() == Effect::Deny).collect();
        // Half of the time a deny rule: with any rule as the target, few requests would be denied.
        let target = match dice.percent(50) && !denying.is_empty() {
            true => dice.one(&denying),
            false => dice.one(&rules),
        };
        let possible: Vec<_> = policy.possible().operations.iter().collect();
        let aimed: Vec<_> =
            possible.iter().copied().filter(|one| target.operations().contains(*one)).collect();
        let operation = match aimed.as_slice() {
            [] => dice.one(&possible),
            _ if dice.percent(20) => dice.one(&possible),
            aimed => dice.one(aimed),
        };
        let token = (!dice.percent(15)).then(|| (issuer(dice, target).to_owned(), claims(dice, target)));
        let none = Map::new();
        let claims = token.as_ref().map_or(&none, |(_, claims)| claims);
        let name = name(dice, operation, target, claims);
        let mut asked = Self {
            operation,
            name,
            token,
            source: dice.one(&SOURCES).parse().unwrap(),
            host: host(dice),
            now: INSTANTS[dice.below(3)].1 - dice.below(2) as u64,
            overrides: Vec::new(),
            parameters: Vec::new(),
            upload: UploadSaid::default(),
        };
        match operation {
            Op::GetObject | Op::HeadObject | Op::GetObjectVersion | Op::HeadObjectVersion => {
                if dice.percent(30) {
                    asked.overrides = dice.some(&OVERRIDES.map(str::to_owned), 30);
                }
                if dice.percent(15) {
                    asked.parameters = vec![("partNumber", "2")];
                }
            }
            Op::PutObject | Op::CreateMultipartUpload | Op::UploadPart | Op::CompleteMultipartUpload => {
                asked.upload = upload(dice, operation, target);
            }
            Op::ListObjectsV2 => {
                if dice.percent(15) {
                    asked.parameters = vec![("fetch-owner", "true")];
                }
            }
            Op::DeleteObject | Op::AbortMultipartUpload | Op::ListParts => {}
        }
        asked
    }

    /// The request itself.
    pub(crate) fn request(&self) -> PosedRequest {
        let aim = match self.operation {
            Op::ListObjectsV2 => Aim::Prefix(self.name.clone()),
            _ => Aim::Key(self.name.clone()),
        };
        let overrides = self.overrides.iter().map(|name| format!("{name}=0"));
        let parameters = self.parameters.iter().map(|(name, value)| format!("{name}={value}"));
        let query: Vec<_> = overrides.chain(parameters).collect();
        let mut request = PosedRequest::new(&Deed::Operation(self.operation), &aim, &query.join("&"))
            .unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let length = match self.operation {
            Op::CompleteMultipartUpload => "x-amz-mp-object-size",
            _ => "Content-Length",
        };
        let upload = &self.upload;
        for (name, lines) in [(length, &upload.length.lines), ("Content-Type", &upload.media_type.lines)] {
            for line in lines {
                request = request.with_header(name, line);
            }
        }
        for (name, value) in &upload.metadata {
            request = request.with_header(format!("x-amz-meta-{name}"), value);
        }
        for (name, value) in upload.checksums.iter().map(|one| one.example()) {
            request = request.with_header(name, value);
        }
        for line in &self.host.lines {
            request = request.with_header("Host", line);
        }
        request.with_source(self.source)
    }

    /// The token that it comes with.
    pub(crate) fn supposed(&self) -> Option<Supposed> {
        let (issuer, claims) = self.token.as_ref()?;
        let mut claims = claims.clone();
        claims.insert("iss".into(), format!("https://{issuer}.example/").into());
        claims.insert("aud".into(), "files".into());
        claims.insert("exp".into(), (self.now + 3600).into());
        Some(Supposed { token_type: None, claims })
    }
}

fn issuer(dice: &mut Dice, target: &Rule) -> &'static str {
    use authorizer_core::rules::PrincipalConstraint::{AnyIssuer, Everyone, Issuers};
    let known = ["staff", "guests"];
    match target.principals() {
        Issuers(names) if dice.percent(85) => known.into_iter().find(|one| names[0] == *one).unwrap(),
        Issuers(_) | AnyIssuer | Everyone => dice.one(&known),
    }
}

fn claims(dice: &mut Dice, target: &Rule) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut texts = vec!["a", "b", "ab", "a/b", "", ".", "é", "=?a", " a", "b a"];
    if dice.percent(20) {
        texts.extend(ODD);
    }
    if dice.percent(90) {
        claims.insert("sub".into(), dice.one(&texts).into());
    }
    for name in &KEY_CLAIMS[1..] {
        let value = match dice.below(6) {
            0 | 1 => json!(dice.one(&texts)),
            2 | 3 => json!(dice.some(&texts, 30)),
            4 => json!(["a", 7, null, ["b"], "b"]),
            _ => dice.one(&[json!(7), json!(null), json!({"a": "b"}), json!([])]),
        };
        if dice.percent(85) {
            claim_name::put(&mut claims, name, value);
        }
    }
    for name in ["role", "teams", "n", "flag", "has"] {
        if dice.percent(60) {
            let any = [
                json!("a"),
                json!("b a"),
                json!("a  b"),
                json!("c"),
                json!(1),
                json!(1.0),
                json!(-7.0),
                json!(1.5),
                json!(1e300),
                json!(u64::MAX),
                json!(true),
                json!(false),
                json!(null),
                json!(["a", "c"]),
                json!(["b", 1, true]),
                json!({"a": 1}),
            ];
            claims.insert(name.into(), dice.one(&any));
        }
    }
    for Condition { claim, test } in target.conditions() {
        if dice.percent(80) {
            let value = match test {
                ClaimTest::Equals(value) => scalar(value),
                ClaimTest::Any(values) => scalar(&dice.one(values)),
                ClaimTest::Has(word) => {
                    dice.one(&[json!(word), json!(format!("c {word}")), json!([word, "c"])])
                }
                ClaimTest::StartsWith(beginning) => {
                    dice.one(&[json!(beginning), json!(format!("{beginning}c")), json!([beginning])])
                }
                ClaimTest::Present(true) => dice.one(&[json!(0), json!("a")]),
                ClaimTest::Present(false) => json!(null),
            };
            // Another `sub` than a text is refused before the rules (RFC 7519 section 4.1.2).
            if claim != "sub" || value.is_string() {
                claim_name::put(&mut claims, claim, value);
            }
        }
    }
    claims
}

fn scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::String(text) => json!(text),
        Scalar::Integer(number) => json!(number),
        Scalar::Boolean(truth) => json!(truth),
    }
}

/// A key that one of the rule's patterns is about, as it is or changed; for a listing, a beginning of one.
fn name(dice: &mut Dice, operation: Op, target: &Rule, claims: &Map<String, Value>) -> String {
    let mut segments = match dice.percent(90) {
        true => {
            let pattern = dice.one(target.keys());
            instance(dice, &pattern, claims)
        }
        false => (0..1 + dice.below(4)).map(|_| dice.one(&LITERALS).to_owned()).collect(),
    };
    if dice.percent(15) {
        let at = dice.below(segments.len());
        match dice.below(3) {
            0 => segments[at] = dice.one(&LITERALS).to_owned(),
            1 => segments.insert(at, dice.one(&LITERALS).to_owned()),
            _ => drop(segments.remove(at)),
        }
    }
    let mut name = segments.join("/");
    if operation == Op::ListObjectsV2 {
        if dice.percent(50) {
            let ends: Vec<_> = name.char_indices().map(|(at, _)| at).collect();
            if !ends.is_empty() {
                name.truncate(dice.one(&ends));
            }
        }
        return if KeyPrefix::new(name.clone()).is_ok() { name } else { String::new() };
    }
    if ObjectKey::new(name.clone()).is_ok() { name } else { dice.one(&LITERALS).to_owned() }
}

fn instance(dice: &mut Dice, pattern: &KeyPattern, claims: &Map<String, Value>) -> Vec<String> {
    let mut segments = Vec::new();
    for segment in pattern.segments() {
        match segment {
            Segment::Literal(text) => segments.push(text.clone()),
            Segment::Glob(parts) => segments.push(parts.join(dice.one(&["", "a", "b", "x"]))),
            Segment::AnySegments => {
                segments.extend((0..dice.below(3)).map(|_| dice.one(&LITERALS).to_owned()));
            }
            Segment::Claim(name) => {
                let texts: Vec<&str> = match claim_name::find(claims, name) {
                    Some(Value::String(text)) => vec![text],
                    Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
                    _ => vec!["a"],
                };
                let usable: Vec<_> =
                    texts.into_iter().filter(|text| !text.is_empty() && !text.contains('/')).collect();
                segments.push(if usable.is_empty() { "a" } else { dice.one(&usable) }.to_owned());
            }
        }
    }
    if segments.is_empty() { vec!["a".to_owned()] } else { segments }
}

fn checksums(dice: &mut Dice, operation: Op, target: &Rule) -> Vec<ChecksumHeader> {
    let all: Vec<_> = ChecksumHeader::all_of(operation).collect();
    let known: Vec<_> = all.iter().copied().filter(|one| target.terms().checksums.takes(*one)).collect();
    if !dice.percent(if known.is_empty() { 10 } else { 50 }) {
        return Vec::new();
    }
    let of = if known.is_empty() || dice.percent(20) { &all } else { &known };
    dice.some(of, 20)
}

fn upload(dice: &mut Dice, operation: Op, target: &Rule) -> UploadSaid {
    // A total size that is not a number is refused before the rules.
    let lengths: Vec<_> =
        LENGTHS.into_iter().filter(|(lines, length)| length.is_some() || lines.is_empty()).collect();
    let mut upload = UploadSaid {
        length: {
            let (lines, length) = match operation {
                Op::CompleteMultipartUpload => dice.one(&lengths),
                _ if dice.percent(60) => dice.one(&LENGTHS[..3]),
                _ => dice.one(&LENGTHS),
            };
            Said::new(lines, length)
        },
        checksums: checksums(dice, operation, target),
        ..UploadSaid::default()
    };
    if matches!(operation, Op::PutObject | Op::CreateMultipartUpload) {
        let (lines, media_type) =
            if dice.percent(50) { dice.one(&MEDIA_TYPES[..2]) } else { dice.one(&MEDIA_TYPES) };
        upload.media_type = Said::new(lines, media_type.map(str::to_owned));
        if dice.percent(40) {
            let all = ["label", "kind", "owner-of", "org"];
            let known: Vec<_> =
                all.into_iter().filter(|name| target.terms().metadata.contains_key(*name)).collect();
            let of = if known.is_empty() || dice.percent(20) { all.as_slice() } else { &known };
            for name in dice.some(of, 30) {
                upload.metadata.insert(name.to_owned(), dice.one(&["a", "b", "k", "x y"]).to_owned());
            }
        }
    }
    upload
}
