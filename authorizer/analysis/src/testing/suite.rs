//! Tests that can be run: each is one request by a principal, at a time, with the expected result.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use authorizer_core::policy::{Place, Policy, PolicyProblem, parse_size};
use authorizer_core::record::{Verdict, reasons};
use authorizer_core::rules::{Effect, is_host_name};
use authorizer_core::{Supposed, UnixTime, nearest};
use serde_json::{Map, Value};

use super::document::{OneOrMany, TESTS_VERSION, TestDocument, TestsDocument};
use crate::instant::parse_instant;
use crate::posed::{Aim, Deed, PosedRequest, PosedUpload};
use crate::supposed::fill_in;

/// The tests of a policy. Its issuers and rules are already looked up.
#[derive(Clone, Debug)]
pub struct Suite {
    pub(super) cases: Vec<Case>,
}

/// One request, and the expected result.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The place of its test in the document.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) request: PosedRequest,
    pub(super) token: Option<Supposed>,
    pub(super) now: UnixTime,
    pub(super) expected: Expected,
}

/// The expected result of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    /// The expected decision.
    pub decision: Verdict,
    /// The rule that must decide, if the test names one.
    pub rule: Option<String>,
    /// The word of the decision log, if the test names one.
    pub reason: Option<String>,
    /// The status of the answer, if the test names one.
    pub status: Option<u16>,
}

impl Suite {
    /// Reads tests for a policy.
    ///
    /// # Errors
    /// Everything that is wrong with them, in the order of the document.
    pub fn compile(document: &TestsDocument, policy: &Policy) -> Result<Self, Vec<PolicyProblem>> {
        let mut compiler = Compiler { document, policy, problems: Vec::new() };
        let cases = compiler.compile();
        if compiler.problems.is_empty() { Ok(Self { cases }) } else { Err(compiler.problems) }
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are no requests.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }
}

struct Compiler<'d> {
    document: &'d TestsDocument,
    policy: &'d Policy,
    problems: Vec<PolicyProblem>,
}

impl Compiler<'_> {
    fn add(&mut self, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        let problem = PolicyProblem { place, message: message.into(), remedy: remedy.into() };
        // A problem in the defaults applies to every test, and is reported once.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn compile(&mut self) -> Vec<Case> {
        let document = self.document;
        if document.version != TESTS_VERSION {
            self.add(
                Place::member("version"),
                format!("version `{}` is not supported", document.version),
                format!("write `version = {TESTS_VERSION}`"),
            );
        }
        let mut names = BTreeSet::new();
        let mut cases = Vec::new();
        for (index, test) in document.tests.iter().enumerate() {
            let place = Place::member("tests").at(index);
            if test.name.trim().is_empty() || test.name.chars().any(char::is_control) {
                self.add(
                    place.then("name"),
                    "this is not a usable name",
                    "write the sentence that the test proves",
                );
            } else if !names.insert(test.name.as_str()) {
                self.add(place.then("name"), "this name is used twice", "give each test its own name");
            }
            cases.extend(self.compile_test(index, test, &place));
        }
        cases
    }

    fn compile_test(&mut self, index: usize, test: &TestDocument, place: &Place) -> Vec<Case> {
        let expected = self.expected(test, place);
        let now = self.now(test, place);
        let token = self.token(test, place, now);
        let source = self.source(test, place);
        let host = self.host(test, place);
        let requests = self.requests(test, place);
        let bytes = self.bytes(test, place);
        let many = requests.len() > 1;
        let mut cases = Vec::with_capacity(requests.len());
        for (deed, mut request) in requests {
            request = self.with_headers(test, request);
            if let Some(host) = &host {
                request = request.with_header("Host", host);
            }
            let upload = PosedUpload {
                bytes,
                content_type: test.upload.content_type.clone(),
                metadata: test.upload.metadata.clone(),
            };
            request = upload.put_into(&deed, request);
            if let Some(source) = source {
                request = request.with_source(source);
            }
            let name = match (many, &deed) {
                (false, _) => test.name.clone(),
                (true, Deed::Method(_)) => {
                    format!("{} [{} {}]", test.name, request.method(), request.target())
                }
                (true, Deed::Operation(one)) => {
                    format!("{} [{} {}]", test.name, one.name(), request.target())
                }
            };
            let token = token.clone();
            cases.push(Case { index, name, request, token, now, expected: expected.clone() });
        }
        cases
    }

    fn expected(&mut self, test: &TestDocument, place: &Place) -> Expected {
        if let Some(id) = &test.rule {
            let place = place.then("rule");
            let rule = self.policy.rules().iter().find(|rule| rule.id() == id);
            match (rule.map(|rule| rule.effect()), test.expect) {
                (None, _) => self.add(
                    place,
                    format!("the policy does not have a rule `{}`", id.escape_debug()),
                    did_you_mean(id, self.policy.rules().iter().map(|rule| rule.id()))
                        .unwrap_or_else(|| "write the `id` of one of its rules".to_owned()),
                ),
                (Some(Effect::Allow), Verdict::Allow) | (Some(Effect::Deny), Verdict::Refuse) => {}
                (Some(_), Verdict::Preflight) => {
                    self.add(place, "a preflight is decided without a rule", "remove `rule`");
                }
                (Some(_), Verdict::SignIn) => {
                    self.add(place, "a step of a sign-in is decided without a rule", "remove `rule`");
                }
                (Some(Effect::Deny), Verdict::Allow) => {
                    self.add(
                        place,
                        format!("`{id}` is a deny rule, and cannot allow a request"),
                        "name an allow rule",
                    );
                }
                (Some(Effect::Allow), Verdict::Refuse) => self.add(
                    place,
                    format!("`{id}` is an allow rule, and cannot refuse a request"),
                    "name a deny rule, or the `reason` for which no rule allows it",
                ),
            }
        }
        if let Some(reason) = &test.reason
            && !reasons().any(|known| known == reason)
        {
            self.add(
                place.then("reason"),
                format!("`{}` is not a reason of the decision log", reason.escape_debug()),
                did_you_mean(reason, reasons()).unwrap_or_else(|| {
                    "write the reason that `authorizer explain` shows for the request".to_owned()
                }),
            );
        }
        Expected {
            decision: test.expect,
            rule: test.rule.clone(),
            reason: test.reason.clone(),
            status: test.status,
        }
    }

    fn now(&mut self, test: &TestDocument, place: &Place) -> UnixTime {
        let (text, place) = match (&test.now, &self.document.defaults.now) {
            (Some(text), _) => (text, place.then("now")),
            (None, Some(text)) => (text, Place::member("defaults").then("now")),
            (None, None) => {
                self.add(
                    place.clone(),
                    "the test does not have a time, so its result depends on the day",
                    "write `now = \"2026-12-31T23:59:59Z\"` here, or once under `[defaults]`",
                );
                return UnixTime::from_seconds(0);
            }
        };
        parse_instant(&text.0).unwrap_or_else(|remedy| {
            self.add(place, format!("`{}` is not a time", text.0.escape_debug()), remedy);
            UnixTime::from_seconds(0)
        })
    }

    fn bytes(&mut self, test: &TestDocument, place: &Place) -> Option<u64> {
        let size = test.upload.bytes.as_ref()?;
        let bytes = parse_size(size);
        if bytes.is_none() {
            self.add(
                place.then("upload").then("bytes"),
                "this is not a number of bytes",
                "write it as in a policy: `5000000`, `\"5MB\"` or `\"5 MiB\"`",
            );
        }
        bytes
    }

    fn source(&mut self, test: &TestDocument, place: &Place) -> Option<IpAddr> {
        let (text, place) = match (&test.source_ip, &self.document.defaults.source_ip) {
            (Some(text), _) => (text, place.then("source_ip")),
            (None, Some(text)) => (text, Place::member("defaults").then("source_ip")),
            (None, None) => return None,
        };
        let address = text.parse();
        if address.is_err() {
            self.add(
                place,
                format!("`{}` is not an address", text.escape_debug()),
                "write `203.0.113.9` or `2001:db8::1`",
            );
        }
        address.ok()
    }

    /// The host. A `Host` among the headers is for requests that have several, or none that is a name.
    fn host(&mut self, test: &TestDocument, place: &Place) -> Option<String> {
        let defaults = &self.document.defaults;
        let has = |headers: &BTreeMap<String, OneOrMany<String>>| {
            headers.keys().any(|name| name.eq_ignore_ascii_case("host"))
        };
        let (host, place) = match (&test.host, has(&test.headers)) {
            (Some(_), true) => {
                self.add(place.then("host"), "the test has both `host` and a `Host` header", "remove one");
                return None;
            }
            (Some(host), false) => (host, place.then("host")),
            // What a test says of a header comes before any default.
            (None, true) => return None,
            (None, false) => (defaults.host.as_ref()?, Place::member("defaults").then("host")),
        };
        if test.host.is_none() && has(&defaults.headers) {
            self.add(place, "the defaults have both `host` and a `Host` header", "remove one");
            return None;
        }
        if !is_host_name(&host.to_ascii_lowercase()) {
            self.add(
                place,
                format!("`{}` is not a host name", host.escape_debug()),
                "write `downloads.example.com`, without a port; for another `Host`, write it in `headers`",
            );
            return None;
        }
        Some(host.clone())
    }

    /// If a test describes the principal, the defaults for the principal are not used.
    fn token(&mut self, test: &TestDocument, place: &Place, now: UnixTime) -> Option<Supposed> {
        let defaults = &self.document.defaults;
        let says = |issuer: &Option<String>, kind: &Option<String>, has_claims: bool| {
            issuer.is_some() || kind.is_some() || has_claims
        };
        let test_says = says(&test.issuer, &test.token_type, test.claims.is_some());
        let defaults_say = says(&defaults.issuer, &defaults.token_type, !defaults.claims.is_empty());
        match (test.anonymous, test_says, defaults.anonymous, defaults_say) {
            (true, true, ..) | (false, false, true, true) => {
                let place = if test.anonymous { place.then("anonymous") } else { Place::member("defaults") };
                self.add(
                    place,
                    "the request cannot be both with and without a token",
                    "remove `anonymous`, or remove `issuer`, `claims` and `token_type`",
                );
                None
            }
            (true, false, ..) | (false, false, true, false) => None,
            (false, false, false, false) => {
                self.add(
                    place.clone(),
                    "the test does not say who sends the request",
                    "write `issuer = \"...\"`, with `claims` if it matters, or `anonymous = true`",
                );
                None
            }
            (false, true, ..) | (false, false, false, true) => self.supposed(test, place, now),
        }
    }

    fn supposed(&mut self, test: &TestDocument, place: &Place, now: UnixTime) -> Option<Supposed> {
        let defaults = &self.document.defaults;
        let mut claims = defaults.claims.clone();
        claims.extend(test.claims.clone().unwrap_or_default());
        if let Some(name) = claims.iter().find_map(|(name, value)| holds_datetime(value).then_some(name)) {
            let message =
                format!("the claim `{}` contains a date, which JSON does not have", name.escape_debug());
            self.add(place.then("claims"), message, "write a text, or the number of seconds since 1970");
            return None;
        }
        let token_type = test.token_type.clone().or_else(|| defaults.token_type.clone());
        let (name, issuer_place) = match (&test.issuer, &defaults.issuer) {
            (Some(name), _) => (name, place.then("issuer")),
            (None, Some(name)) => (name, Place::member("defaults").then("issuer")),
            // A test without an issuer must give the whole token, so that an incomplete token can be tested.
            (None, None) => return Some(Supposed { token_type, claims }),
        };
        let Some(issuer) = self.policy.issuers().iter().find(|issuer| issuer.name() == name) else {
            self.add(
                issuer_place,
                format!("the policy does not have an issuer `{}`", name.escape_debug()),
                did_you_mean(name, self.policy.issuers().iter().map(|issuer| issuer.name()))
                    .unwrap_or_else(|| "write the `name` of one of its issuers".to_owned()),
            );
            return None;
        };
        match fill_in(issuer, token_type, claims, now) {
            Ok(filled) => Some(filled.supposed),
            Err(error) => {
                self.add(place.clone(), error.to_string(), "remove `iss`, or remove `issuer`");
                None
            }
        }
    }

    /// One request for each method and target.
    fn requests(&mut self, test: &TestDocument, place: &Place) -> Vec<(Deed, PosedRequest)> {
        let deeds: Vec<Deed> = match (&test.method, &test.operation) {
            (Some(methods), None) => {
                let mut deeds = Vec::new();
                for method in methods.as_slice() {
                    match Deed::of_method(method) {
                        Ok(deed) => deeds.push(deed),
                        Err(error) => {
                            self.add(place.then("method"), error.to_string(), error.remedy());
                            return Vec::new();
                        }
                    }
                }
                deeds
            }
            (None, Some(operations)) => operations.as_slice().iter().copied().map(Deed::Operation).collect(),
            (None, None) if test.prefix.is_some() => vec![Deed::Method("GET".into())],
            (Some(_), Some(_)) => {
                self.add(place.then("operation"), "the test has both `method` and `operation`", "remove one");
                return Vec::new();
            }
            (None, None) => {
                self.add(place.clone(), "the test does not have a method", "write `method = \"GET\"`");
                return Vec::new();
            }
        };
        let fields = [
            ("key", &test.key, Aim::Key as fn(String) -> Aim),
            ("path", &test.path, Aim::Path),
            ("prefix", &test.prefix, Aim::Prefix),
        ];
        let mut stated =
            fields.into_iter().filter_map(|(name, texts, aim)| Some((name, texts.as_ref()?, aim)));
        let (name, texts, aim) = match (stated.next(), stated.next()) {
            (Some(one), None) => one,
            (first, _) => {
                let what = if first.is_none() {
                    "the test does not have a target"
                } else {
                    "the test has several targets"
                };
                self.add(place.clone(), what, "write exactly one of `key`, `path` and `prefix`");
                return Vec::new();
            }
        };
        if deeds.is_empty() || texts.as_slice().is_empty() {
            self.add(place.clone(), "an empty array does not send a request", "add a value");
        }
        let mut requests = Vec::new();
        for (index, text) in texts.as_slice().iter().enumerate() {
            let place = match texts {
                OneOrMany::One(_) => place.then(name),
                OneOrMany::Many(_) => place.then(name).at(index),
            };
            let aim = aim(text.clone());
            if let Err(error) = aim.check() {
                self.add(place.clone(), error.to_string(), error.remedy());
                continue;
            }
            for deed in &deeds {
                match PosedRequest::new(deed, &aim, &test.query) {
                    Ok(request) => requests.push((deed.clone(), request)),
                    Err(error) => self.add(place.clone(), error.to_string(), error.remedy()),
                }
            }
        }
        requests
    }

    fn with_headers(&self, test: &TestDocument, mut request: PosedRequest) -> PosedRequest {
        // `host` replaces a header of the defaults, too.
        let is_stated = |name: &str| {
            test.headers.keys().any(|stated| stated.eq_ignore_ascii_case(name))
                || (test.host.is_some() && name.eq_ignore_ascii_case("host"))
        };
        let inherited = self.document.defaults.headers.iter().filter(|(name, _)| !is_stated(name));
        for (name, values) in inherited.chain(&test.headers) {
            for value in values.as_slice() {
                request = request.with_header(name, value);
            }
        }
        request
    }
}

/// The remedy for a word that is not known but is like one that is.
fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|one| format!("did you mean `{one}`?"))
}

/// What a TOML date looks like for a reader of JSON.
fn holds_datetime(value: &Value) -> bool {
    let is_date = |members: &Map<String, Value>| members.keys().any(|name| name.starts_with("$__toml"));
    match value {
        Value::Object(members) => is_date(members) || members.values().any(holds_datetime),
        Value::Array(members) => members.iter().any(holds_datetime),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
