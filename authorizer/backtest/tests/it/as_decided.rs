//! A backtest of a logged request agrees with what the core decides on the whole request.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use authorizer_backtest::{Assumptions, Backtest, BacktestPolicy, Layout, Lines};
use authorizer_core::outcome::Outcome;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::record::{DecisionLine, DecisionRecord, Verdict};
use authorizer_core::{Authorized, Authorizer, Bundle, Supposed, UnixTime};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::generate::{Request, Token, policies, requests};
use crate::random::{cases, percent};

/// A policy, for the core and for a backtest.
pub(crate) struct Policy {
    pub(crate) authorizer: Authorizer,
    read: BacktestPolicy,
}

impl Policy {
    pub(crate) fn new(document: &Value) -> Self {
        let document: PolicyDocument = serde_json::from_value(document.clone()).unwrap();
        let json = Bundle::write(&document).unwrap_or_else(|error| panic!("{error}"));
        let read = BacktestPolicy::read(&json).unwrap();
        Self { authorizer: Authorizer::new(read.bundle().clone()), read }
    }

    fn read(&self) -> BacktestPolicy {
        self.read.clone()
    }

    pub(crate) fn decide(&self, request: &Request, at: u64) -> DecisionRecord<'static> {
        self.answer(request, at).record
    }

    fn answer(&self, request: &Request, at: u64) -> Authorized<'static> {
        let (event, at) = (request.event(), UnixTime::from_seconds(at));
        let authorized = match &request.token {
            Token::Supposed(claims) => {
                let supposed = Supposed { token_type: None, claims: claims.clone() };
                self.authorizer.authorize_supposing(&event, &supposed, at)
            }
            Token::None | Token::Header(_) | Token::Cookie(_) | Token::Query(_) => {
                self.authorizer.authorize(&event, at)
            }
        };
        authorized.into_owned()
    }
}

/// The result of a backtest for one line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Said {
    SameAllow,
    SameRefusal,
    NewlyAllowed,
    NewlyRefused,
    CannotBeTold,
    Preflight,
}

fn say(backtest: &Backtest, line: &str, layout: Option<&str>) -> Said {
    let layout = layout.map(|line| Arc::new(Layout::parse(line).unwrap()));
    let lines = Lines { source: "log".into(), first: 1, layout, bytes: line.as_bytes().to_vec() };
    let tally = backtest.read(&lines);
    let counts = tally.counts();
    assert_eq!(counts.all(), 1, "{line}: {counts:?} {:?}", tally.malformed());
    let said = [
        (counts.same_allow, Said::SameAllow),
        (counts.same_refusal, Said::SameRefusal),
        (counts.newly_allowed, Said::NewlyAllowed),
        (counts.newly_refused, Said::NewlyRefused),
        (counts.cannot_be_told, Said::CannotBeTold),
        (counts.preflights, Said::Preflight),
    ];
    let said = said.into_iter().find(|(count, _)| *count == 1);
    said.unwrap_or_else(|| panic!("{line}: {counts:?} {:?}", tally.malformed())).1
}

pub(crate) fn decision_line(record: &DecisionRecord<'_>) -> String {
    serde_json::to_string(&DecisionLine::new(record, 42)).unwrap()
}

/// The line of a function of before: version 1 had no time, no query and no claims.
pub(crate) fn old_line(record: &DecisionRecord<'_>) -> String {
    let record = DecisionRecord {
        time: None,
        query: None,
        query_names: None,
        host: None,
        claims: None,
        claims_salt_id: None,
        ..record.clone()
    };
    let mut line = serde_json::to_value(DecisionLine::new(&record, 42)).unwrap();
    line["log_version"] = json!(1);
    line.to_string()
}

/// The columns of access logs, from the fullest to the poorest.
const FIELDS: &str = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken \
                      x-edge-response-result-type x-edge-request-id sc-content-type sc-content-len x-host-header";

/// The same, without what the answer looked like beside its status.
const STATUS_FIELDS: &str = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken \
                             x-edge-response-result-type";

/// The same, for a log with few fields.
const FEW_FIELDS: &str = "#Fields: cs-method cs-uri-stem x-edge-result-type";

/// What is known from each of them, with the policy that decided and without.
fn known_by(fields: &str) -> (&'static str, &'static str) {
    match fields {
        FIELDS => ("answer, old", "answer"),
        STATUS_FIELDS => ("access, old", "access"),
        _ => ("few fields, old", "few fields"),
    }
}

/// As CloudFront writes it. 1800000000 is 2027-01-15T08:00:00Z.
fn access_lines(request: &Request, before: &Authorized<'_>) -> [(String, &'static str); 3] {
    let encode = |text: &str| text.replace('%', "%25").replace('~', "%7E").replace('"', "%22");
    let (method, stem) = (&request.method, encode(&request.uri));
    let query = if request.query.is_empty() { "-".to_owned() } else { encode(&request.query) };
    let (status, result, answer) = match &before.outcome {
        // S3 answers what it likes.
        Outcome::Forward(_) => ("200".to_owned(), "Miss", "application/xml\t243".to_owned()),
        Outcome::Respond(answer) => {
            let length = answer.body.as_ref().map_or("-".to_owned(), |body| body.len().to_string());
            let media_type = &answer.headers.get("content-type").unwrap().first().unwrap().value;
            (answer.status.clone(), "LambdaGeneratedResponse", format!("{media_type}\t{length}"))
        }
    };
    let seconds = request.at - 1_800_000_000;
    let time = format!("08:{:02}:{:02}", seconds / 60, seconds % 60);
    let ip = &request.ip;
    let host = request.headers.iter().find(|(name, _)| *name == "host").map_or("-", |(_, host)| host);
    // The generator's events have this id.
    let id = "r";
    let start = format!("2027-01-15\t{time}\t{ip}\t{method}\t{stem}\t{query}\t{status}\t0.100\t{result}");
    [
        (format!("{start}\t{id}\t{answer}\t{host}"), FIELDS),
        (start, STATUS_FIELDS),
        (format!("{method}\t{stem}\t{result}"), FEW_FIELDS),
    ]
}

/// The lines for a refused request whose answer a custom error response of CloudFront has replaced.
fn replaced_lines(request: &Request, before: &DecisionRecord<'_>) -> Vec<(String, &'static str)> {
    if before.decision != Verdict::Refuse {
        return Vec::new();
    }
    let (method, stem) = (&request.method, request.uri.replace('%', "%25"));
    let line = |status: u16, result: &str, media_type: &str| {
        format!("{method}\t{stem}\t{status}\t{result}\t{media_type}")
    };
    let fields = "#Fields: cs-method cs-uri-stem sc-status x-edge-response-result-type sc-content-type";
    let errors = [404, 412, 416, 403, 200].map(|status| (line(status, "Error", "text/html"), fields));
    // The answer to HEAD does not show that it was replaced.
    let answers = [401, 403, 404, 411]
        .into_iter()
        .filter(|_| method != "HEAD")
        .map(|status| (line(status, "LambdaGeneratedResponse", "text/html"), fields));
    errors.into_iter().chain(answers).collect()
}

/// The true result.
fn truth(before: Verdict, after: Verdict) -> Said {
    match (before, after) {
        (Verdict::Allow, Verdict::Allow) => Said::SameAllow,
        (Verdict::Allow, _) => Said::NewlyRefused,
        (_, Verdict::Allow) => Said::NewlyAllowed,
        (_, _) => Said::SameRefusal,
    }
}

/// The number of times each answer was given, by what was known.
type Seen = RefCell<BTreeMap<(&'static str, Said), u32>>;

fn check(
    seen: &Seen,
    known: &'static str,
    backtest: &Backtest,
    line: &str,
    layout: Option<&str>,
    truth: Said,
) -> Result<(), TestCaseError> {
    let said = say(backtest, line, layout);
    *seen.borrow_mut().entry((known, said)).or_default() += 1;
    prop_assert!(
        [truth, Said::CannotBeTold, Said::Preflight].contains(&said),
        "by {known} it is {said:?}, and so it is {truth:?}: {line}"
    );
    Ok(())
}

/// The same requests every time, known to cover every possible answer; other requests if the environment says how
/// many.
fn runner(usual: u32) -> TestRunner {
    let config = Config { cases: cases(usual), failure_persistence: None, ..Config::default() };
    match percent() {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}

/// Whether so few cases were tried that an answer may not have occurred.
fn are_few() -> bool {
    percent().is_some_and(|percent| percent < 100)
}

#[test]
fn whatever_a_log_leaves_out_what_is_said_of_it_is_what_the_core_decides() {
    let seen = Seen::default();
    let mut runner = runner(200);
    let result = runner.run(&(policies(), requests()), |((old, new), requests)| {
        let (old, new) = (Policy::new(&old), Policy::new(&new));
        let with_old = Backtest::new(new.read(), Some(old.read()));
        let without = Backtest::new(new.read(), None);
        let itself = Backtest::new(old.read(), None);
        for request in requests {
            let answered = old.answer(&request, request.at);
            let before = answered.record.clone();
            let after = new.decide(&request, request.at);
            let truth = truth(before.decision, after.decision);
            let line = decision_line(&before);
            let old_line = old_line(&before);
            let event = json!({"message": old_line, "timestamp": request.at * 1000 + 17}).to_string();
            let check = |known, backtest: &Backtest, line: &str, layout| {
                check(&seen, known, backtest, line, layout, truth)
            };
            check("event, old", &with_old, &event, None)?;
            check("line, old", &with_old, &old_line, None)?;
            check("event", &without, &event, None)?;
            check("line", &without, &old_line, None)?;
            check("line 2, old", &with_old, &line, None)?;
            check("line 2", &without, &line, None)?;
            // The log omits the subject.
            let omitted = DecisionRecord { subject: None, ..before.clone() };
            check("no subject, old", &with_old, &decision_line(&omitted), None)?;
            // Another bundle decided than the given one.
            let other = DecisionRecord { bundle_sha256: "0".repeat(64).into(), ..before.clone() };
            check("other bundle, old", &with_old, &decision_line(&other), None)?;
            // With the same policy that decided, nothing changes.
            for line in [&line, &old_line] {
                let same = say(&itself, line, None);
                prop_assert!(
                    [self::truth(before.decision, before.decision), Said::Preflight].contains(&same),
                    "by itself: {same:?} {line}"
                );
            }
            if before.decision != Verdict::Preflight {
                for (line, fields) in access_lines(&request, &answered) {
                    let known = known_by(fields);
                    check(known.0, &with_old, &line, Some(fields))?;
                    check(known.1, &without, &line, Some(fields))?;
                }
            }
            for (line, fields) in replaced_lines(&request, &before) {
                check("replaced, old", &with_old, &line, Some(fields))?;
                check("replaced", &without, &line, Some(fields))?;
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    if are_few() {
        return;
    }
    let seen = seen.into_inner();
    // The fullest log gives every possible answer, and the poorest gives more than "cannot be told".
    for said in [Said::SameAllow, Said::SameRefusal, Said::NewlyAllowed, Said::NewlyRefused] {
        assert!(seen.get(&("event, old", said)).is_some_and(|count| *count > 5), "{seen:#?}");
        assert!(seen.get(&("line 2, old", said)).is_some_and(|count| *count > 5), "{seen:#?}");
    }
    // What version 2 adds tells more.
    let open = |known| seen.get(&(known, Said::CannotBeTold)).copied().unwrap_or_default();
    assert!(open("line 2, old") * 4 < open("line, old") * 3, "{seen:#?}");
    for known in ["line", "access", "few fields", "access, old"] {
        assert!(seen.contains_key(&(known, Said::SameRefusal)), "{seen:#?}");
    }
    assert!(seen.contains_key(&("access, old", Said::SameAllow)), "{seen:#?}");
    // The answer shows who is newly let in, and its status alone shows some of them.
    let newly_allowed = |known| seen.get(&(known, Said::NewlyAllowed)).copied().unwrap_or_default();
    assert!(newly_allowed("answer, old") > newly_allowed("access, old"), "{seen:#?}");
    assert!(newly_allowed("access, old") > 0, "{seen:#?}");
}

/// A request that does not meet an assumption, and whose line shows it, has a result that follows from the line alone.
/// Where a request meets the assumption, it has the result of the core, too.
#[test]
fn an_assumption_that_a_line_contradicts_is_not_used_for_it() {
    let seen = Seen::default();
    let mut runner = runner(400);
    let contradicted = RefCell::new(BTreeMap::new());
    let result = runner.run(&(policies(), requests()), |((old, new), requests)| {
        let (old, new) = (Policy::new(&old), Policy::new(&new));
        let backtest = Backtest::new(new.read(), Some(old.read()));
        for request in requests {
            let before = old.decide(&request, request.at);
            let truth = truth(before.decision, new.decide(&request, request.at).decision);
            // The rules refuse a parameter, or what is uploaded, after the operation is known.
            let is_of_rules = before.operation.is_some();
            let refuses = |reasons: &[&str]| is_of_rules && reasons.contains(&before.reason.as_ref());
            let (of_reads, of_uploads) = (
                refuses(&["query_not_allowed"]),
                refuses(&[
                    "header_not_allowed",
                    "length_required",
                    "too_large",
                    "content_type_not_allowed",
                    "metadata_mismatch",
                ]),
            );
            let is_upload = before.operation.as_deref().is_none_or(|name| {
                authorizer_core::operation::S3Operation::named(name)
                    .is_none_or(|operation| operation.is_upload())
            });
            // From version 2 on, a line has the parameters themselves.
            let names =
                is_of_rules.then(|| before.query.as_deref().or(before.query_names.as_deref())).flatten();
            let has_names = names.is_some_and(|names| {
                names.contains("response-")
                    || names.contains("fetch-owner")
                    || (names.contains("partNumber") && !names.contains("uploadId"))
            });
            let reads = Assumptions { reads: true, ..Assumptions::default() };
            let uploads = Assumptions { uploads: true, ..Assumptions::default() };
            let is_plain = request.has_no_overrides();
            let (old_line, line) = (old_line(&before), decision_line(&before));
            for (known, line, assumptions, is_met, is_contradicted) in [
                ("reads", &old_line, reads, is_plain, of_reads),
                ("uploads", &old_line, uploads, !is_upload, of_uploads),
                ("reads", &line, reads, is_plain, of_reads || has_names),
                ("uploads", &line, uploads, !is_upload, of_uploads),
            ] {
                prop_assert!(!(is_met && is_contradicted), "{known} {line}");
                let backtest = backtest.clone().assuming(assumptions);
                if is_met || is_contradicted {
                    check(&seen, known, &backtest, line, None, truth)?;
                }
                let lines = Lines { source: "l".into(), first: 1, layout: None, bytes: line.clone().into() };
                let counts = backtest.read(&lines).counts().contradicted;
                prop_assert_eq!(
                    counts.reads + counts.uploads,
                    u64::from(is_contradicted),
                    "{} {}",
                    known,
                    line
                );
                *contradicted.borrow_mut().entry(known).or_insert(0) += u32::from(is_contradicted);
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    if are_few() {
        return;
    }
    let contradicted = contradicted.into_inner();
    assert!(
        contradicted["reads"] > 10 && contradicted["uploads"] > 10,
        "{contradicted:?} {:#?}",
        seen.borrow()
    );
}

#[test]
fn tokens_that_are_taken_to_be_as_before_are_so_between_policies_that_trust_alike() {
    let seen = Seen::default();
    let mut runner = runner(100);
    let tokens = Assumptions { tokens: true, ..Assumptions::default() };
    let result = runner.run(&(policies(), requests()), |((old, mut new), requests)| {
        for part in ["issuers", "revoked", "credentials", "cors", "log", "query"] {
            new[part] = old[part].clone();
        }
        let (old, new) = (Policy::new(&old), Policy::new(&new));
        let backtest = Backtest::new(new.read(), None).assuming(tokens);
        for request in requests {
            let answered = old.answer(&request, request.at);
            let before = &answered.record;
            let truth = truth(before.decision, new.decide(&request, request.at).decision);
            check(&seen, "line, tokens", &backtest, &old_line(before), None, truth)?;
            check(&seen, "line 2, tokens", &backtest, &decision_line(before), None, truth)?;
            if before.decision != Verdict::Preflight {
                for (line, fields) in access_lines(&request, &answered) {
                    check(&seen, "access, tokens", &backtest, &line, Some(fields), truth)?;
                }
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    if are_few() {
        return;
    }
    let seen = seen.into_inner();
    for said in [Said::SameAllow, Said::SameRefusal, Said::NewlyAllowed, Said::NewlyRefused] {
        assert!(seen.contains_key(&("line, tokens", said)), "{seen:#?}");
    }
}

#[test]
fn at_another_instant_it_is_what_the_core_would_decide_then() {
    let seen = Seen::default();
    let mut runner = runner(100);
    let result = runner.run(&(policies(), requests(), 0..120u64), |((old, new), requests, later)| {
        let (old, new) = (Policy::new(&old), Policy::new(&new));
        // The generator's tokens are valid at both instants.
        let now = 1_800_000_000 + later;
        let backtest = Backtest::new(new.read(), Some(old.read())).at(UnixTime::from_seconds(now));
        for request in requests {
            let answered = old.answer(&request, request.at);
            let before = &answered.record;
            let truth = truth(before.decision, new.decide(&request, now).decision);
            check(&seen, "line, now", &backtest, &old_line(before), None, truth)?;
            check(&seen, "line 2, now", &backtest, &decision_line(before), None, truth)?;
            if before.decision != Verdict::Preflight {
                for (line, fields) in access_lines(&request, &answered) {
                    check(&seen, "access, now", &backtest, &line, Some(fields), truth)?;
                }
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    if are_few() {
        return;
    }
    let seen = seen.into_inner();
    for said in [Said::SameAllow, Said::SameRefusal, Said::NewlyAllowed, Said::NewlyRefused] {
        assert!(seen.contains_key(&("line, now", said)), "{seen:#?}");
    }
}

/// The result for a line between two policies that differ in one part. It is the same for both versions of the line.
fn between(part: &str, old: Value, new: Value, line: &Value) -> Said {
    let policy = |value: Value| {
        let mut policy = json!({"version": 1, "credentials": {"cookie": "session"},
            "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"], "jwks":
                {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
            "rules": [{"id": "all", "effect": "allow", "operations": ["GetObject", "PutObject"], "keys": ["**"]}]});
        if !value.is_null() {
            policy[part] = value;
        }
        Policy::new(&policy)
    };
    let (old, new) = (policy(old), policy(new));
    let mut line = line.clone();
    line["bundle_sha256"] = json!(old.read.bundle().sha256());
    let backtest = Backtest::new(new.read(), Some(old.read()));
    let [first, second] = [1, 2].map(|version| {
        line["log_version"] = json!(version);
        say(&backtest, &line.to_string(), None)
    });
    assert_eq!(first, second, "{line}");
    second
}

#[test]
fn a_write_by_a_cookie_depends_on_the_pages_that_may_use_it() {
    let pages = json!({"origins": ["https://app.example.com"], "credentials": true});
    let line = |method: &str, operation: &str| {
        json!({"method": method, "operation": operation, "key": "x", "decision": "allow", "rule": "all",
            "reason": "allowed_by_rule", "issuer": "staff", "subject": "s"})
    };
    let (put, get) = (line("PUT", "PutObject"), line("GET", "GetObject"));
    assert_eq!(between("cors", pages.clone(), pages.clone(), &put), Said::SameAllow);
    assert_eq!(between("cors", pages.clone(), json!(null), &put), Said::CannotBeTold);
    // Any page may read.
    assert_eq!(between("cors", pages.clone(), json!(null), &get), Said::SameAllow);
    let mut refused = put;
    (refused["decision"], refused["reason"], refused["status"]) =
        (json!("refuse"), json!("origin_not_allowed"), json!(403));
    refused.as_object_mut().unwrap().remove("issuer");
    assert_eq!(between("cors", json!(null), json!(null), &refused), Said::SameRefusal);
    assert_eq!(between("cors", json!(null), pages, &refused), Said::CannotBeTold);
}

#[test]
fn what_was_no_token_wherever_it_was_is_none_where_it_is_looked_for_still() {
    let line = json!({"method": "GET", "operation": "GetObject", "key": "x", "decision": "refuse",
        "reason": "token_malformed", "status": 401});
    let cookie = json!({"cookie": "session"});
    assert_eq!(between("credentials", cookie.clone(), cookie.clone(), &line), Said::SameRefusal);
    // The malformed token may have been in this cookie, and another cookie may contain a valid one.
    assert_eq!(between("credentials", cookie, json!({"cookie": "other"}), &line), Said::CannotBeTold);
}

#[test]
fn what_another_policy_dropped_from_the_query_is_not_dropped_now() {
    let line = json!({"method": "GET", "operation": "GetObject", "key": "x", "decision": "allow", "rule": "all",
        "reason": "allowed_by_rule", "issuer": "staff", "subject": "s"});
    let ignored = json!({"ignored": ["utm_source"]});
    assert_eq!(between("query", ignored.clone(), ignored.clone(), &line), Said::SameAllow);
    assert_eq!(between("query", json!(null), ignored.clone(), &line), Said::SameAllow);
    // The request may have had the parameter, whether or not the line has what went to S3.
    assert_eq!(between("query", ignored.clone(), json!(null), &line), Said::CannotBeTold);
    // The request may have been refused only for the parameter.
    let mut refused = json!({"method": "GET", "key": "x", "decision": "refuse", "reason": "query_not_allowed",
        "status": 400});
    assert_eq!(between("query", json!(null), ignored.clone(), &refused), Said::CannotBeTold);
    assert_eq!(between("query", ignored.clone(), ignored.clone(), &refused), Said::SameRefusal);
    refused["query_names"] = json!("utm_source&acl");
    assert_eq!(between("query", ignored.clone(), json!(null), &refused), Said::SameRefusal);
}

#[test]
fn claims_with_another_salt_tell_nothing() {
    let policy = |salt: &str, value: &str| {
        Policy::new(&json!({"version": 1, "log": {"claims_salt": salt},
            "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"], "jwks":
                {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
            "rules": [{"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["**"],
                "when": {"role": {"equals": value}}}]}))
    };
    const SALT: &str = "0123456789abcdef0123456789abcdef";
    let old = policy(SALT, "reader");
    let hasher = old.authorizer.bundle().policy().claim_hasher().unwrap();
    let line = |salt_id: Option<&str>| {
        let mut line = json!({"log_version": 2, "time": 1_800_000_000, "method": "GET", "operation": "GetObject",
            "key": "x", "decision": "allow", "rule": "all", "reason": "allowed_by_rule", "issuer": "staff",
            "subject": authorizer_core::record::sha256_hex(b"i\nalice"), "bundle_sha256": "lost",
            "claims": {"role": hasher.of_text("role", "reader")}});
        if let Some(id) = salt_id {
            line["claims_salt_id"] = json!(id);
        }
        line.to_string()
    };
    // The policy that decided is lost.
    let said = |new: &Policy, line: &str| {
        let tokens = Assumptions { tokens: true, ..Assumptions::default() };
        let backtest = Backtest::new(new.read(), None).assuming(tokens);
        let lines = Lines { source: "log".into(), first: 1, layout: None, bytes: line.as_bytes().to_vec() };
        (say(&backtest, line, None), backtest.read(&lines).counts().contradicted.tokens)
    };
    let own = line(Some(hasher.salt_id()));
    assert_eq!(said(&old, &own), (Said::SameAllow, 0));
    assert_eq!(said(&policy(SALT, "editor"), &own), (Said::NewlyRefused, 0));
    let other = policy("fedcba9876543210fedcba9876543210", "reader");
    assert_eq!(said(&other, &own), (Said::CannotBeTold, 1));
    // A line that does not name its salt.
    assert_eq!(said(&old, &line(None)), (Said::CannotBeTold, 0));
}

#[test]
fn where_people_sign_in_a_read_may_have_had_more_than_one_token() {
    let sign_in = json!({"url": "https://login.example.com/", "origin": "https://files.example.com"});
    let refused = json!({"method": "GET", "operation": "GetObject", "key": "x", "decision": "refuse",
        "reason": "credential_repeated", "status": 400});
    assert_eq!(between("sign_in", json!(null), json!(null), &refused), Said::SameRefusal);
    assert_eq!(between("sign_in", json!(null), sign_in.clone(), &refused), Said::CannotBeTold);
    let allowed = json!({"method": "GET", "operation": "GetObject", "key": "x", "decision": "allow", "rule": "all",
        "reason": "allowed_by_rule", "issuer": "staff", "subject": "s"});
    assert_eq!(between("sign_in", sign_in.clone(), sign_in.clone(), &allowed), Said::SameAllow);
    assert_eq!(between("sign_in", json!(null), sign_in.clone(), &allowed), Said::SameAllow);
    assert_eq!(between("sign_in", sign_in, json!(null), &allowed), Said::CannotBeTold);
}

#[test]
fn a_token_of_an_issuer_that_is_no_longer_trusted_is_not_taken_to_verify() {
    let policy = |name: &str, revoked: Value| {
        Policy::new(&json!({"version": 1, "revoked": revoked,
            "issuers": [{"name": name, "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"], "jwks":
                {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
            "rules": [{"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["**"],
                "response_overrides": ["response-cache-control", "response-content-disposition",
                    "response-content-encoding", "response-content-language", "response-content-type",
                    "response-expires"], "parameters": ["partNumber"]}]}))
    };
    let digest = authorizer_core::record::sha256_hex(b"i\nalice");
    let line = json!({"log_version": 1, "method": "GET", "operation": "GetObject", "key": "x",
        "decision": "allow", "rule": "all", "reason": "allowed_by_rule", "issuer": "staff", "subject": digest});
    let tokens = Assumptions { tokens: true, ..Assumptions::default() };
    let said = |name: &str, revoked: Value| {
        say(&Backtest::new(policy(name, revoked).read(), None).assuming(tokens), &line.to_string(), None)
    };
    assert_eq!(said("staff", json!([])), Said::SameAllow);
    assert_eq!(said("staff", json!([{"issuer": "staff", "sub": "bob"}])), Said::SameAllow);
    assert_eq!(said("others", json!([])), Said::CannotBeTold);
    assert_eq!(said("staff", json!([{"issuer": "staff", "sub": "alice"}])), Said::CannotBeTold);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(2000)) })]
    #[test]
    fn whatever_a_log_holds_each_line_is_counted(
        lines in prop::collection::vec(
            prop_oneof![
                "\\PC{0,40}",
                "[\\x00-\\x7f]{0,60}",
                "(GET|PUT|OPTIONS|x)\t(/|/a|//|/a%2520|/%|-)\t(-|a=b|%)\t(Hit|Error|Lambda[A-Za-z]{0,20}|-)(\t|)",
                r#"\{"(log_version|cs-method|awslogs|messageType|message|event|type)":(1|2|"x"|null|\{\}|\["a"\]),?("timestamp":1|"key":"a"|"reason":"r"|"data":"H4sI")?\}?"#,
                r#"(2027-01-15T08:00:00Z|1|x y) ?(\{|\{\}|START RequestId: 1|\{"log_version":1\})"#,
            ],
            1..8,
        ),
        has_columns in any::<bool>(),
    ) {
        let policy = BacktestPolicy::read(&bundle()).unwrap();
        let fields = "#Fields: cs-method cs-uri-stem cs-uri-query x-edge-result-type";
        let layout = has_columns.then(|| Arc::new(Layout::parse(fields).unwrap()));
        let bytes = lines.join("\n").into_bytes();
        let counted = String::from_utf8_lossy(&bytes)
            .split('\n')
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .count();
        let tally = Backtest::new(policy, None).read(&Lines { source: "log".into(), first: 1, layout, bytes });
        // A line may contain several objects, or no request.
        prop_assert!(tally.counts().all() >= counted as u64, "{:?}", tally.counts());
    }
}

fn bundle() -> Vec<u8> {
    let document = serde_json::from_value(json!({"version": 1, "rules": [
        {"id": "public", "effect": "allow", "methods": ["GET"], "keys": ["a/**"], "anonymous": true}]}));
    Bundle::write(&document.unwrap()).unwrap()
}
