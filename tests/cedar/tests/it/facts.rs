//! The facts about requests that a question needs: how the attributes of a request depend on one another.
//!
//! To the symbolic compiler, each attribute of `docs/audit/cedar.md` is a value of its own: a key `a/b` with the first
//! segment `x` would be a request. Here stands, in SMT-LIB, how the page says that they are made, so that the solver
//! finds only requests that there are. `told.rs` makes them of a request.
//!
//! Two of these facts rest on an argument, and not on the solver: how many segments a key may need
//! ([`segments`]), and that of the members of an array only those matter that a rule names or the key has. If one of
//! them were wrong, the solver would miss requests, and our own engine would find them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use authorizer_analysis::cedar::Shape;
use authorizer_core::checksum::ChecksumHeader;
use authorizer_core::claim_name;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::key::ObjectKey;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::policy::Policy;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{ClaimTest, Effect, KeyPattern, MetadataTerm, Rule, Segment};
use serde_json::{Map, Value, json};

use crate::request::{Asked, Said, UploadSaid};
use crate::smt::{Model, Names, all, any, literal};

/// The issuers of every policy here, by name.
pub(crate) const ISSUERS: [&str; 2] = ["staff", "guests"];

/// The greatest instant that Cedar and a calendar can write, in milliseconds: in the year 9999.
const LAST_INSTANT: u64 = 253_402_207_200_000;

const LAST_MAPPED: &str = "(_ bv281470681743360 128)";

/// What the rules of two policies name that are about an operation.
pub(crate) struct Words {
    /// How many segments a key needs at most.
    pub(crate) segments: usize,
    /// The characters beyond ASCII, with one that neither names.
    letters: BTreeSet<char>,
    /// Whether some text is so long that the limit of keys matters.
    has_long: bool,
    /// The words of `has`, by claim.
    has: BTreeMap<String, BTreeSet<String>>,
    /// The claims in keys.
    in_keys: BTreeSet<String>,
    /// The claims in metadata.
    in_metadata: BTreeSet<String>,
    /// The names of metadata.
    metadata: BTreeSet<String>,
    /// The patterns of keys.
    patterns: BTreeSet<Vec<Segment>>,
}

impl Words {
    pub(crate) fn of(documents: [&Value; 2], policies: [&Policy; 2], operation: Op) -> Self {
        let rules: Vec<&Rule> = policies.into_iter().flat_map(Policy::rules).collect();
        let rules: Vec<&Rule> =
            rules.into_iter().filter(|rule| rule.operations().contains(operation)).collect();
        let texts = documents.map(ToString::to_string).concat();
        let mut letters: BTreeSet<char> = texts.chars().filter(|one| !one.is_ascii()).collect();
        letters.extend(('\u{101}'..'\u{200}').find(|one| !letters.contains(one)));
        let mut words = Self {
            segments: segments(&rules),
            letters,
            has_long: texts.split('"').any(|text| text.len() > 100),
            has: BTreeMap::new(),
            in_keys: BTreeSet::new(),
            in_metadata: BTreeSet::new(),
            metadata: BTreeSet::new(),
            patterns: BTreeSet::new(),
        };
        for rule in rules {
            words.patterns.extend(rule.keys().iter().map(|pattern| pattern.segments().to_vec()));
            words.in_keys.extend(rule.keys().iter().flat_map(KeyPattern::claims).map(str::to_owned));
            for condition in rule.conditions() {
                if let ClaimTest::Has(word) = &condition.test {
                    words.has.entry(condition.claim.clone()).or_default().insert(word.clone());
                }
            }
            for (name, term) in &rule.terms().metadata {
                words.metadata.insert(name.clone());
                if let MetadataTerm::Claim(claim) = term {
                    words.in_metadata.insert(claim.clone());
                }
            }
        }
        words
    }
}

/// How many segments a key must be able to have, so that a longer one would show nothing new.
///
/// Take a key that one policy allows by a pattern, and that the other one does not: since a pattern denies it, or none
/// allows it. So at most two patterns must match, and others must not. Patterns fix the first and the last segments;
/// leave those as they are. Of the rest, only the places at which the two patterns have something between two `**`
/// have to stay. All other segments may be replaced by one word that no pattern names, since that makes no pattern
/// match that did not. A run of that word may be shortened to one less than the longest part between two `**` of any
/// pattern, since no part can then reach across it.
fn segments(rules: &[&Rule]) -> usize {
    let (mut first, mut last, mut longest) = (0, 1, 1);
    // For each effect: how long the parts between `**` are together, and how many there are.
    let mut floating = [(0, 0); 2];
    for rule in rules {
        for pattern in rule.keys() {
            let parts: Vec<&[Segment]> =
                pattern.segments().split(|segment| *segment == Segment::AnySegments).collect();
            let (head, rest) = parts.split_first().unwrap();
            first = first.max(head.len());
            if let Some((tail, middle)) = rest.split_last() {
                last = last.max(tail.len());
                let middle: Vec<_> = middle.iter().filter(|part| !part.is_empty()).collect();
                longest = middle.iter().map(|part| part.len()).max().unwrap_or(0).max(longest);
                let most = &mut floating[usize::from(rule.effect() == Effect::Deny)];
                most.0 = most.0.max(middle.iter().map(|part| part.len()).sum());
                most.1 = most.1.max(middle.len());
            }
        }
    }
    let [(allowed, allowing), (denied, denying)] = floating;
    first + last + allowed + denied + (allowing + denying + 1) * (longest - 1)
}

/// The facts for one question: requests for an operation, with a token or without.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) words: Arc<Words>,
    pub(crate) shape: Arc<Shape>,
    pub(crate) operation: Op,
    pub(crate) has_token: bool,
}

/// Writes facts.
struct Writer<'q> {
    facts: &'q Facts,
    names: Names<'q>,
    text: String,
}

impl Facts {
    /// The facts about what a script of the symbolic compiler is about.
    pub(crate) fn write(&self, script: &str) -> String {
        let mut writer = Writer { facts: self, names: Names::of(script), text: String::new() };
        writer.characters();
        writer.key();
        writer.issuers();
        for (index, claim) in self.claims().iter().enumerate() {
            writer.claim(index, claim);
        }
        writer.attributes_of_key();
        writer.context();
        writer.text
    }

    fn kind(&self) -> &'static str {
        if self.has_token { "Viewer" } else { "Anonymous" }
    }

    /// How many segments there are at most.
    fn segments(&self) -> usize {
        self.words.segments
    }

    /// The claims that are told to Cedar, and those that tell which patterns match.
    fn claims(&self) -> BTreeSet<String> {
        self.shape.claims.iter().chain(&self.words.in_keys).cloned().collect()
    }

    /// The patterns that are told.
    fn matched(&self) -> impl Iterator<Item = KeyPattern> {
        let patterns = self.shape.matched.iter().map(|pattern| KeyPattern::parse(pattern).unwrap());
        patterns.filter(|pattern| self.words.patterns.contains(pattern.segments()))
    }

    /// At which indices a claim may stand for a segment.
    fn places(&self, claim: &str) -> BTreeSet<usize> {
        let mut places = BTreeSet::new();
        for pattern in &self.words.patterns {
            let is_it = |segment: &Segment| matches!(segment, Segment::Claim(name) if name == claim);
            let head = parts(pattern).0;
            places.extend((0..head.len()).filter(|at| is_it(&head[*at])));
            if pattern[head.len()..].iter().any(is_it) {
                places.extend(0..self.segments());
            }
        }
        places
    }

    /// The request that a model is.
    pub(crate) fn request(&self, model: &Model) -> Asked {
        let segments = self.key_of(model);
        let claims = || -> Map<String, Value> {
            let mut token = Map::new();
            let claims = self.claims().into_iter().enumerate();
            for (index, claim) in claims.filter(|(index, _)| model.is(&format!("claim_{index}"))) {
                claim_name::put(&mut token, &claim, self.claim_of(model, index, &claim, &segments));
            }
            token
        };
        let issuer = ISSUERS.iter().position(|issuer| model.is(&format!("issuer_{issuer}"))).unwrap_or(0);
        let source = match (model.is("v6"), model.bits("address_6"), model.bits("address_4")) {
            (true, Some(address), _) => IpAddr::V6(address.into()),
            (_, _, Some(address)) => IpAddr::V4(u32::try_from(address).unwrap().into()),
            _ => IpAddr::V4([192, 0, 2, 1].into()),
        };
        let overrides = ResponseOverride::ALL.iter().map(|one| one.name());
        Asked {
            operation: self.operation,
            name: segments.join("/"),
            token: self.has_token.then(|| (ISSUERS[issuer].to_owned(), claims())),
            source,
            host: Said::plainly(model.text("host").filter(|_| model.is("has_host"))),
            now: model.bits("now").map_or(0, |now| u64::try_from(now).unwrap() / 1000),
            overrides: overrides
                .filter(|name| model.is(&format!("override_{name}")))
                .map(str::to_owned)
                .collect(),
            parameters: self
                .parameters()
                .filter(|(name, _)| model.is(&format!("parameter_{name}")))
                .collect(),
            upload: if self.operation.is_upload() { self.upload_of(model) } else { UploadSaid::default() },
        }
    }

    /// The parameters that a rule must allow and that the operation can have, each with a value.
    fn parameters(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of = ExtraParameter::ALL.into_iter().filter(|one| one.is_of(self.operation));
        of.map(|one| match one {
            ExtraParameter::PartNumber => (one.name(), "2"),
            ExtraParameter::FetchOwner => (one.name(), "true"),
        })
    }

    fn key_of(&self, model: &Model) -> Vec<String> {
        if model.text("segment_0").is_none() {
            return vec!["a".to_owned()];
        }
        (0..self.segments())
            .take_while(|index| *index == 0 || model.is(&format!("exists_{index}")))
            .map(|index| model.text(&format!("segment_{index}")).unwrap())
            .collect()
    }

    /// The value of a claim that is there.
    fn claim_of(&self, model: &Model, index: usize, claim: &str, segments: &[String]) -> Value {
        let of = |what: &str| format!("{what}_{index}");
        if model.is(&of("is_text")) {
            return model.text(&of("text")).unwrap().into();
        }
        if model.is(&of("is_number")) {
            return (model.bits(&of("number")).unwrap() as u64 as i64).into();
        }
        if model.is(&of("is_truth")) {
            return model.is(&of("truth")).into();
        }
        if !model.is(&of("is_array")) {
            return json!({"neither": "text nor number"});
        }
        let mut members = BTreeSet::new();
        for (at, word) in self.words.has.get(claim).into_iter().flatten().enumerate() {
            if model.is(&format!("word_{index}_{at}")) {
                members.insert(word.clone());
            }
        }
        for (at, segment) in segments.iter().enumerate() {
            if is_segment(segment) && model.is(&format!("stands_{index}_{at}")) {
                members.insert(segment.clone());
            }
        }
        // A member may be needed of which only is known how it begins, or that it can be a segment.
        let last = segments.len() - 1;
        let begins = model.is(&format!("begins_{index}_{last}")).then(|| segments[last].as_str());
        let could = model.is(&of("could_stand")).then_some("");
        for beginning in begins.into_iter().chain(could) {
            if !members.iter().any(|member| is_segment(member) && member.starts_with(beginning)) {
                members.insert(format!("{beginning}~unlike"));
            }
        }
        members.into_iter().collect()
    }

    fn upload_of(&self, model: &Model) -> UploadSaid {
        let is_there = |one: &ChecksumHeader| model.is(&format!("checksum_{}", one.word()));
        let checksums = ChecksumHeader::all_of(self.operation).filter(is_there).collect();
        let mut upload = UploadSaid { checksums, ..UploadSaid::default() };
        let length = model.is("has_length").then(|| model.bits("length")).flatten();
        upload.length = Said::plainly(length.map(|length| i64::try_from(length).unwrap()));
        let media_type = model.is("has_media_type").then(|| model.text("media_type")).flatten();
        upload.media_type = Said::plainly(media_type);
        for (index, name) in self.metadata().enumerate() {
            if model.is(&format!("name_{index}")) {
                let value = model.text(&format!("metadata_{index}")).unwrap_or_else(|| "x".to_owned());
                upload.metadata.insert(name, value);
            }
        }
        upload
    }

    /// The names of metadata that a request may have: those that a rule knows, and another.
    fn metadata(&self) -> impl Iterator<Item = String> {
        self.words.metadata.iter().cloned().chain(["unlike".to_owned()])
    }
}

/// Whether a text can be a whole segment.
fn is_segment(text: &str) -> bool {
    !text.contains('/') && ObjectKey::new(text.to_owned()).is_ok()
}

/// The segments of a pattern before the first `**`; and if there is one, those between it and the last `**`, and those
/// after that.
fn parts(pattern: &[Segment]) -> (&[Segment], Option<[&[Segment]; 2]>) {
    let is_any = |segment: &Segment| *segment == Segment::AnySegments;
    let (Some(first), Some(last)) = (pattern.iter().position(is_any), pattern.iter().rposition(is_any))
    else {
        return (pattern, None);
    };
    let floating = if first < last { &pattern[first + 1..last] } else { &[] };
    // Beside the first and the last `**`, more of them mean nothing, and the translation leaves them out.
    let from = floating.iter().position(|segment| !is_any(segment));
    let to = floating.iter().rposition(|segment| !is_any(segment));
    let floating = from.zip(to).map_or(&[][..], |(from, to)| &floating[from..=to]);
    (&pattern[..first], Some([floating, &pattern[last + 1..]]))
}

/// The texts of segments, if they are literals.
fn literals(segments: &[Segment]) -> Option<Vec<&str>> {
    fn text(segment: &Segment) -> Option<&str> {
        match segment {
            Segment::Literal(text) => Some(text),
            Segment::Glob(_) | Segment::Claim(_) | Segment::AnySegments => None,
        }
    }
    segments.iter().map(text).collect()
}

/// Cedar's `like` of an attribute: texts, and `None` for a star.
fn like(parts: &[Option<&str>]) -> String {
    let part = |part: &Option<&str>| match part {
        Some(text) => format!(" (str.to_re {})", literal(text)),
        None => " (re.* re.allchar)".to_owned(),
    };
    format!("(str.in_re ATTRIBUTE (re.++{}))", parts.iter().map(part).collect::<String>())
}

/// What is asked of a middle: literals and `**` between `**`; and what segments of the key that means.
fn middle_is(head: usize, floating: &[Segment], tail: usize) -> (String, Vec<Option<&Segment>>) {
    let mut text = vec![None];
    let mut segments = vec![None; head];
    segments.push(Some(&Segment::AnySegments));
    for segment in floating {
        segments.push(Some(segment));
        match segment {
            Segment::Literal(literal) => text.extend([Some("/"), Some(literal), Some("/")]),
            // Two stars in a row are the same as one.
            _ if text.last() == Some(&None) => {}
            _ => text.push(None),
        }
    }
    segments.push(Some(&Segment::AnySegments));
    segments.extend(vec![None; tail]);
    match tail {
        0 => text.extend([Some("/"), None, Some("/")]),
        _ => text.push(None),
    }
    (like(&text), segments)
}

impl Writer<'_> {
    fn assert(&mut self, fact: &str) {
        writeln!(self.text, "(assert {fact})").unwrap();
    }

    /// A constant of our own, whose value is in the model.
    fn constant(&mut self, name: &str, sort: &str) -> String {
        let name = format!("{}{name}", Model::OWN);
        writeln!(self.text, "(declare-const {name} {sort})").unwrap();
        name
    }

    /// A constant for the value of a term.
    fn known(&mut self, name: &str, sort: &str, term: &str) -> String {
        let name = self.constant(name, sort);
        self.assert(&format!("(= {name} {term})"));
        name
    }

    /// Which texts there are: of printable ASCII, and a few letters.
    fn characters(&mut self) {
        let letters: String = self
            .facts
            .words
            .letters
            .iter()
            .map(|one| format!(" (str.to_re {})", literal(&one.to_string())))
            .collect();
        let ranges = |ranges: &[(char, char)]| -> String {
            let range = |(from, to): &(char, char)| {
                format!("(re.range {} {})", literal(&from.to_string()), literal(&to.to_string()))
            };
            ranges.iter().map(range).collect::<Vec<_>>().join(" ")
        };
        let all = ranges(&[(' ', '~')]);
        // Neither a slash nor a backslash.
        let segment = ranges(&[(' ', '.'), ('0', '['), (']', '~')]);
        let lower = ranges(&[('a', 'z'), ('0', '9'), ('+', '+'), ('-', '.')]);
        writeln!(
            self.text,
            "(define-fun text_re () RegLan (re.* (re.union {all}{letters})))\n\
            (define-fun segment_re () RegLan (re.* (re.union {segment}{letters})))\n\
            (define-fun type_re () RegLan (re.++ (re.+ (re.union {lower})) (str.to_re \"/\") (re.+ (re.union {lower}))))\n\
            (define-fun label_re () RegLan (re.+ (re.union (re.range \"a\" \"z\") (re.range \"0\" \"9\"))))\n\
            (define-fun host_re () RegLan (re.++ label_re (re.* (re.++ (str.to_re \".\") label_re))))\n\
            (define-fun is_segment ((s String)) Bool (and (str.in_re s segment_re) (not (= s \"\")) (not (= s \".\")) (not (= s \"..\"))))\n\
            (define-fun is_header ((s String)) Bool (and (str.in_re s (re.+ (re.range \" \" \"~\"))) \
            (not (str.prefixof \" \" s)) (not (str.suffixof \" \" s)) (not (str.contains s \"=?\"))))"
        )
        .unwrap();
    }

    fn segment(&self, index: usize) -> String {
        format!("{}segment_{index}", Model::OWN)
    }

    /// Whether there is a segment at this index. There is always a first one.
    fn exists(&self, index: usize) -> String {
        match index {
            0 => "true".to_owned(),
            _ if index >= self.facts.segments() => "false".to_owned(),
            _ => format!("{}exists_{index}", Model::OWN),
        }
    }

    /// Whether this is the index of the last segment.
    fn is_last(&self, index: usize) -> String {
        all(&[self.exists(index), format!("(not {})", self.exists(index + 1))])
    }

    /// The segments of the key or the prefix.
    fn key(&mut self) {
        for index in 0..self.facts.segments() {
            self.constant(&format!("segment_{index}"), "String");
            if index > 0 {
                self.constant(&format!("exists_{index}"), "Bool");
            }
        }
        for index in 0..self.facts.segments() {
            let segment = self.segment(index);
            let (exists, last) = (self.exists(index), self.is_last(index));
            if index > 1 {
                self.assert(&format!("(=> {exists} {})", self.exists(index - 1)));
            }
            if index > 0 {
                self.assert(&format!("(=> (not {exists}) (= {segment} \"\"))"));
            }
            self.assert(&format!("(=> {} (is_segment {segment}))", self.exists(index + 1)));
            // The last segment of a prefix is the beginning of one. That of an object is empty only below a folder.
            let last_may_be = match (self.facts.operation.is_listing(), index) {
                (true, _) => format!("(str.in_re {segment} segment_re)"),
                (false, 0) => format!("(is_segment {segment})"),
                (false, _) => format!("(or (= {segment} \"\") (is_segment {segment}))"),
            };
            self.assert(&format!("(=> {last} {last_may_be})"));
        }
        if self.facts.words.has_long {
            // Most characters are ASCII.
            let lengths: String = (0..self.facts.segments())
                .map(|index| format!(" (str.len {})", self.segment(index)))
                .collect();
            self.assert(&format!("(<= (+{lengths} 0) {})", 1000 - self.facts.segments()));
        }
    }

    fn attributes_of_key(&mut self) {
        let kind = if self.facts.operation.is_listing() { "Prefix" } else { "Object" };
        let (Some(function), Some(resource)) =
            (self.names.get(&format!("attrs[{kind}]")), self.names.get("\"resource\""))
        else {
            return;
        };
        let resource = format!("({function} {resource})");
        let attribute = |names: &Names<'_>, name: &str, kind: &str| {
            Some(names.attribute(&["key", "count"], name, kind, &resource)).filter(|one| names.reads(one))
        };
        let segments = self.facts.segments();
        if let Some(count) = attribute(&self.names, "count", "(_ BitVec 64)") {
            for index in 0..segments {
                self.assert(&format!("(=> {} (= {count} (_ bv{} 64)))", self.is_last(index), index + 1));
            }
        }
        for place in 0..self.facts.shape.first {
            if let Some(attribute) = attribute(&self.names, &format!("s{place}"), "String") {
                let segment = if place < segments { self.segment(place) } else { "\"\"".to_owned() };
                self.assert(&format!("(= {attribute} {segment})"));
            }
        }
        for place in 0..self.facts.shape.last {
            if let Some(attribute) = attribute(&self.names, &format!("e{place}"), "String") {
                for last in 0..segments {
                    let segment = last.checked_sub(place).map_or("\"\"".to_owned(), |at| self.segment(at));
                    self.assert(&format!("(=> {} (= {attribute} {segment}))", self.is_last(last)));
                }
            }
        }
        for (number, pattern) in self.facts.words.patterns.iter().enumerate() {
            let asked = match parts(pattern) {
                (head, None) => attribute(&self.names, "key", "String").zip(literals(head).map(|texts| {
                    let all = head.iter().map(Some).collect::<Vec<_>>();
                    (format!("(= ATTRIBUTE {})", literal(&texts.join("/"))), all)
                })),
                (head, Some([[], []])) => {
                    attribute(&self.names, "key", "String").zip(literals(head).map(|texts| {
                        let folder: String = texts.iter().map(|text| format!("{text}/")).collect();
                        let all = head.iter().chain([&Segment::AnySegments]).map(Some).collect();
                        (like(&[Some(&folder), None]), all)
                    }))
                }
                (head, Some([floating, tail])) => {
                    let name = format!("m{}_{}", head.len(), tail.len());
                    let is_literal =
                        |one: &&Segment| matches!(one, Segment::Literal(_) | Segment::AnySegments);
                    let middle = !floating.is_empty() && floating.iter().all(|one| is_literal(&one));
                    let attribute = middle.then(|| attribute(&self.names, &name, "String")).flatten();
                    attribute.map(|attribute| (attribute, middle_is(head.len(), floating, tail.len())))
                }
            };
            if let Some((attribute, (test, segments))) = asked {
                let holds = self.pattern(&format!("key_{number}"), &segments);
                self.assert(&format!("(= {} {holds})", test.replace("ATTRIBUTE", &attribute)));
            }
        }
    }

    fn issuers(&mut self) {
        let (Some(ancestors), Some(issuer), Some(principal)) = (
            self.names.get("ancs[Viewer, Issuer]"),
            self.names.get("Issuer"),
            self.names.get("\"principal\""),
        ) else {
            return;
        };
        let each = ISSUERS.map(|name| {
            let is = format!("(= ({ancestors} {principal}) (set.singleton ({issuer} {})))", literal(name));
            self.known(&format!("issuer_{name}"), "Bool", &is)
        });
        self.assert(&any(&each));
    }

    /// The claim by its name, if the script is about it.
    fn claim_term(&self, claim: &str) -> Option<String> {
        let attributes = self.names.get(&format!("attrs[{}]", self.facts.kind()))?;
        let principal = self.names.get("\"principal\"")?;
        let known: Vec<&str> = self.facts.shape.claims.iter().map(String::as_str).collect();
        let claims = self.names.attribute(&["claims"], "claims", "R", &format!("({attributes} {principal})"));
        known.contains(&claim).then(|| self.names.attribute(&known, claim, "(Option R", &claims))
    }

    fn claim(&mut self, index: usize, claim: &str) {
        let of = |what: &str| format!("{what}_{index}");
        let there = self.constant(&of("claim"), "Bool");
        let is_array = self.constant(&of("is_array"), "Bool");
        let mut kinds = vec![is_array.clone()];
        let scalars =
            [("text", "String"), ("number", "(_ BitVec 64)"), ("truth", "Bool")].map(|(name, sort)| {
                let (is, value) =
                    (self.constant(&of(&format!("is_{name}")), "Bool"), self.constant(&of(name), sort));
                kinds.push(is.clone());
                (name, sort, is, value)
            });
        let [words, segments, beginnings] =
            ["words", "segments", "beginnings"].map(|name| self.constant(&of(name), "(Set String)"));
        let [(_, _, is_text, text), ..] = &scalars;
        if let Some(option) = self.claim_term(claim) {
            let record = self.names.record(&["words", "segments"]);
            self.assert(&format!("(= {there} (not (= {option} (as none (Option {record})))))"));
            let attribute = |names: &Names<'_>, name: &str, kind: &str| {
                names.attribute(&["words", "segments"], name, kind, &format!("(val {option})"))
            };
            for (name, sort, is, value) in &scalars {
                let told = attribute(&self.names, name, &format!("(Option {sort})"));
                self.assert(&format!(
                    "(=> {there} (= {told} (ite {is} (some {value}) (as none (Option {sort})))))"
                ));
            }
            for (name, set) in [("words", &words), ("segments", &segments), ("beginnings", &beginnings)] {
                let told = attribute(&self.names, name, "(Set");
                if self.names.reads(&told) {
                    self.assert(&format!("(=> {there} (= {told} {set}))"));
                }
            }
            let header = attribute(&self.names, "header", "(Option String)");
            if self.facts.words.in_metadata.contains(claim) {
                self.assert(&format!(
                    "(=> {there} (= {header} (ite (and {is_text} (is_header {text})) (some {text}) (as none (Option String)))))"
                ));
            }
        }
        if !self.facts.has_token {
            self.assert(&format!("(not {there})"));
            return;
        }
        // Another `sub` than a text is refused before the rules (RFC 7519 section 4.1.2).
        if claim == "sub" {
            self.assert(&format!("(=> {there} {is_text})"));
        }
        // It is one of these, or something else.
        for (at, one) in kinds.iter().enumerate() {
            for other in &kinds[at + 1..] {
                self.assert(&format!("(not (and {one} {other}))"));
            }
        }
        self.assert(&format!("(=> {is_text} (str.in_re {text} text_re))"));
        self.words(index, claim, &words, [is_text, text, &is_array]);
        if self.facts.words.in_keys.contains(claim) {
            self.in_keys(index, claim, [&segments, &beginnings], [is_text, text, &is_array]);
        }
    }

    fn words(&mut self, index: usize, claim: &str, words: &str, [is_text, text, array]: [&str; 3]) {
        let facts = self.facts;
        for (at, word) in facts.words.has.get(claim).into_iter().flatten().enumerate() {
            let is = self.known(
                &format!("word_{index}_{at}"),
                "Bool",
                &format!("(set.member {} {words})", literal(word)),
            );
            // Between spaces.
            let re = |text: &str| format!("(str.to_re {})", literal(text));
            let any = "(re.* re.allchar)";
            let readings = match word.contains(' ') {
                true => "re.none".to_owned(),
                false => format!(
                    "(re.union {} (re.++ {} {any}) (re.++ {any} {}) (re.++ {any} {} {any}))",
                    re(word),
                    re(&format!("{word} ")),
                    re(&format!(" {word}")),
                    re(&format!(" {word} "))
                ),
            };
            self.assert(&format!("(=> {is_text} (= {is} (str.in_re {text} {readings})))"));
            self.assert(&format!("(or {is_text} {array} (not {is}))"));
        }
    }

    /// The values that can be segments of a key, and how they begin.
    fn in_keys(
        &mut self,
        index: usize,
        claim: &str,
        [segments, beginnings]: [&str; 2],
        [is_text, text, array]: [&str; 3],
    ) {
        let facts = self.facts;
        let empty = "(as set.empty (Set String))";
        self.assert(&format!(
            "(=> {is_text} (= {segments} (ite (is_segment {text}) (set.singleton {text}) {empty})))"
        ));
        self.assert(&format!("(or {is_text} {array} (= {segments} {empty}))"));
        self.assert(&format!("(not (set.member \"\" {segments}))"));
        let could =
            self.known(&format!("could_stand_{index}"), "Bool", &format!("(not (= {segments} {empty}))"));
        // Of the members of an array only those matter that the key has, or that a rule names.
        let mut members = Vec::new();
        for (at, word) in facts.words.has.get(claim).into_iter().flatten().enumerate() {
            let stands = format!("(set.member {} {segments})", literal(word));
            let is_word = format!("{}word_{index}_{at}", Model::OWN);
            match is_segment(word) {
                true => self.assert(&format!("(=> {array} (= {stands} {is_word}))")),
                false => self.assert(&format!("(not {stands})")),
            }
            members.push((stands, literal(word)));
        }
        for at in facts.places(claim) {
            let stands = self.known(
                &format!("stands_{index}_{at}"),
                "Bool",
                &format!("(set.member {} {segments})", self.segment(at)),
            );
            members.push((stands, self.segment(at)));
        }
        if !facts.operation.is_listing() {
            return;
        }
        for at in 0..facts.segments() {
            let (last, place) = (self.is_last(at), self.segment(at));
            let begins = self.known(
                &format!("begins_{index}_{at}"),
                "Bool",
                &format!("(set.member {place} {beginnings})"),
            );
            let is_it = all(&[could.clone(), format!("(str.prefixof {place} {text})")]);
            self.assert(&format!("(=> (and {last} {is_text}) (= {begins} {is_it}))"));
            self.assert(&format!("(=> (and {last} {begins}) {could})"));
            self.assert(&format!("(=> (and {last} {could} (= {place} \"\")) {begins})"));
            for (stands, member) in &members {
                self.assert(&format!(
                    "(=> (and {last} {array} {stands} (str.prefixof {place} {member})) {begins})"
                ));
            }
        }
    }

    fn context(&mut self) {
        let Some(context) = self.names.get("\"context\"") else { return };
        let attribute = |names: &Names<'_>, name: &str, kind: &str| {
            names.attribute(&["now", "source"], name, kind, context)
        };
        let now = attribute(&self.names, "now", "Datetime");
        let now = self.known("now", "(_ BitVec 64)", &format!("(datetimeVal {now})"));
        self.assert(&format!("(and (bvsge {now} (_ bv0 64)) (bvsle {now} (_ bv{LAST_INSTANT} 64)))"));
        let source = attribute(&self.names, "source", "IPAddr");
        let v6 = self.constant("v6", "Bool");
        let (four, six) =
            (self.constant("address_4", "(_ BitVec 32)"), self.constant("address_6", "(_ BitVec 128)"));
        self.assert(&format!(
            "(= {source} (ite {v6} (V6 {six} (as none (Option (_ BitVec 7)))) (V4 {four} (as none (Option (_ BitVec 5))))))"
        ));
        // An IPv4 address in the form of IPv6 is the IPv4 address.
        self.assert(&format!("(not (= ((_ extract 127 32) {six}) ((_ extract 127 32) {LAST_MAPPED})))"));
        if self.facts.shape.hosts {
            let option = attribute(&self.names, "host", "(Option String)");
            let has = self.constant("has_host", "Bool");
            let host = self.constant("host", "String");
            self.assert(&format!("(= {option} (ite {has} (some {host}) (as none (Option String))))"));
            self.assert(&format!("(str.in_re {host} host_re)"));
        }
        let overrides = attribute(&self.names, "overrides", "(Set");
        self.overrides(&overrides);
        let parameters = attribute(&self.names, "parameters", "(Set");
        let all: Vec<_> = self.facts.parameters().map(|(name, _)| name.to_owned()).collect();
        self.subset(&parameters, all.into_iter(), |name, _| format!("parameter_{name}"));
        if !self.facts.shape.matched.is_empty() {
            let matched = attribute(&self.names, "matched", "(Set");
            for (number, pattern) in self.facts.matched().enumerate() {
                let segments: Vec<_> = pattern.segments().iter().map(Some).collect();
                // A prefix: whether every key that begins like this matches.
                let could = !self.facts.operation.is_listing()
                    || segments.last() == Some(&Some(&Segment::AnySegments));
                let holds =
                    if could { self.pattern(&number.to_string(), &segments) } else { "false".to_owned() };
                self.assert(&format!("(= (set.member {} {matched}) {holds})", literal(&pattern.to_string())));
            }
        }
        if self.facts.operation.is_upload() {
            let upload = attribute(&self.names, "upload", "R");
            self.upload(&upload);
        }
    }

    fn overrides(&mut self, overrides: &str) {
        if !self.facts.operation.reads_object() {
            self.assert(&format!("(= {overrides} (as set.empty (Set String)))"));
            return;
        }
        self.subset(overrides, ResponseOverride::ALL.iter().map(|one| one.name().to_owned()), |name, _| {
            format!("override_{name}")
        });
    }

    /// A set has only these members, and each has a constant that says whether it is one.
    fn subset(&mut self, set: &str, of: impl Iterator<Item = String>, name: impl Fn(&str, usize) -> String) {
        let mut all = "(as set.empty (Set String))".to_owned();
        for (index, member) in of.enumerate() {
            let member_of = format!("(set.member {} {set})", literal(&member));
            self.known(&name(&member, index), "Bool", &member_of);
            all = format!("(set.insert {} {all})", literal(&member));
        }
        self.assert(&format!("(set.subset {set} {all})"));
    }

    fn upload(&mut self, upload: &str) {
        let attribute = |names: &Names<'_>, name: &str, kind: &str| {
            names.attribute(&["checksums", "names"], name, kind, upload)
        };
        let operation = self.facts.operation;
        let sums = attribute(&self.names, "checksums", "(Set");
        let possible = ChecksumHeader::all_of(operation).map(|one| one.word().to_owned());
        self.subset(&sums, possible, |word, _| format!("checksum_{word}"));
        for (name, sort, may_be) in [
            ("length", "(_ BitVec 64)", operation.has_length()),
            ("media_type", "String", operation.describes_object()),
        ] {
            let option = attribute(&self.names, name, &format!("(Option {sort})"));
            let none = format!("(as none (Option {sort}))");
            if !may_be {
                self.assert(&format!("(= {option} {none})"));
                continue;
            }
            let has = self.constant(&format!("has_{name}"), "Bool");
            let value = self.constant(name, sort);
            self.assert(&format!("(= {option} (ite {has} (some {value}) {none}))"));
            self.assert(&match name {
                "length" => format!("(bvsge {value} (_ bv0 64))"),
                _ => format!("(str.in_re {value} type_re)"),
            });
        }
        let names = attribute(&self.names, "names", "(Set");
        if !operation.describes_object() {
            self.assert(&format!("(= {names} (as set.empty (Set String)))"));
            return;
        }
        self.subset(&names, self.facts.metadata(), |_, index| format!("name_{index}"));
        let read: Vec<&str> = self.facts.shape.metadata.iter().map(String::as_str).collect();
        let metadata = attribute(&self.names, "metadata", "R");
        for (index, name) in self.facts.metadata().enumerate() {
            if read.contains(&name.as_str()) {
                let option = self.names.attribute(&read, &name, "(Option String)", &metadata);
                let value = self.constant(&format!("metadata_{index}"), "String");
                self.assert(&format!("(is_header {value})"));
                self.assert(&format!(
                    "(= {option} (ite {}name_{index} (some {value}) (as none (Option String))))",
                    Model::OWN
                ));
            }
        }
    }

    /// Whether the key matches a pattern; `None` stands for any one segment.
    fn pattern(&mut self, number: &str, segments: &[Option<&Segment>]) -> String {
        let name = |part: usize, at: usize| format!("matches_{number}_{part}_{at}");
        let most = self.facts.segments();
        // From the last part on, and from the end of the key on.
        let first_any = segments.iter().position(|one| *one == Some(&Segment::AnySegments));
        for (part, segment) in segments.iter().enumerate().rev() {
            // Before a `**`, each part has its place.
            let is_fixed = first_any.is_none_or(|any| part < any);
            for at in (0..=most).rev().filter(|at| !is_fixed || *at == part) {
                let more = |part: usize, at: usize| match (part == segments.len(), at > most) {
                    (_, true) => "false".to_owned(),
                    (true, _) if at == 0 => "false".to_owned(),
                    (true, _) => format!("(not {})", self.exists(at)),
                    (false, _) => name(part, at),
                };
                let exists = self.exists(at);
                let holds = match segment {
                    Some(Segment::AnySegments) if part + 1 == segments.len() => exists,
                    Some(Segment::AnySegments) => {
                        any(&[more(part + 1, at), all(&[exists, more(part, at + 1)])])
                    }
                    _ if at == most => "false".to_owned(),
                    None => all(&[exists, more(part + 1, at + 1)]),
                    Some(segment) => all(&[exists, self.stands(segment, at), more(part + 1, at + 1)]),
                };
                writeln!(self.text, "(define-fun {} () Bool {holds})", name(part, at)).unwrap();
            }
        }
        name(0, 0)
    }

    /// Whether a segment of a pattern, other than `**`, stands for the segment at an index.
    fn stands(&self, segment: &Segment, at: usize) -> String {
        let place = self.segment(at);
        match segment {
            Segment::Literal(text) => format!("(= {place} {})", literal(text)),
            Segment::Glob(parts) => {
                let texts = parts.iter().map(|part| format!("(str.to_re {})", literal(part)));
                let re = texts.collect::<Vec<_>>().join(" (re.* re.allchar) ");
                format!("(and (not (= {place} \"\")) (str.in_re {place} (re.++ {re})))")
            }
            Segment::Claim(claim) => {
                let index = self.facts.claims().iter().position(|one| one == claim).unwrap();
                match self.facts.has_token {
                    true => format!("(and {0}claim_{index} {0}stands_{index}_{at})", Model::OWN),
                    false => "false".to_owned(),
                }
            }
            Segment::AnySegments => "false".to_owned(),
        }
    }
}
