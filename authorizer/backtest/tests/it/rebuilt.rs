//! A request that is rebuilt from its lines is decided on as it was, where the lines have enough of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use authorizer_backtest::{Asker, Given, Layout, Lines, RebuildError, Trace, rebuild};
use authorizer_core::UnixTime;
use authorizer_core::record::{DecisionRecord, Verdict};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::as_decided::{Policy, decision_line, old_line};
use crate::generate::{Request, policies, requests};
use crate::random::{cases, percent};

const FIELDS: &str = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken \
                      x-edge-response-result-type x-edge-request-id";

fn access_line(request: &Request, before: Verdict) -> String {
    let encode = |text: &str| text.replace('%', "%25");
    let (method, stem, ip) = (&request.method, encode(&request.uri), &request.ip);
    let query = if request.query.is_empty() { "-".to_owned() } else { encode(&request.query) };
    let (status, result) = match before {
        Verdict::Allow => ("200", "Miss"),
        Verdict::Refuse | Verdict::Preflight => ("403", "LambdaGeneratedResponse"),
    };
    let seconds = request.at - 1_800_000_000;
    let time = format!("08:{:02}:{:02}", seconds / 60, seconds % 60);
    format!("2027-01-15\t{time}\t{ip}\t{method}\t{stem}\t{query}\t{status}\t0.100\t{result}\tr")
}

fn read(trace: &mut Trace, line: &str, fields: Option<&str>) {
    let layout = fields.map(|fields| Arc::new(Layout::parse(fields).unwrap()));
    let bytes = format!("{line}\n").into_bytes();
    trace.read(&Lines { source: "log".into(), first: 1, layout, bytes });
}

/// Whether the rebuilt request is decided on as the recorded one was; `None` if it cannot be rebuilt.
fn is_decided_alike(policy: &Policy, trace: &Trace, before: &DecisionRecord<'_>) -> Option<bool> {
    let now = UnixTime::from_seconds(1_800_000_000);
    let rebuilt = match rebuild(trace, &policy.authorizer, &policy.authorizer, Given::default(), now) {
        Ok(rebuilt) => rebuilt,
        Err(RebuildError::NoPath) => return None,
        Err(error) => panic!("{error:?}: {before:?}"),
    };
    let event = rebuilt.request.event();
    let record = match &rebuilt.asker {
        Asker::Anonymous => policy.authorizer.authorize(&event, rebuilt.now).record,
        Asker::Token(supposed) => policy.authorizer.authorize_supposing(&event, supposed, rebuilt.now).record,
    };
    let is_alike =
        (record.decision, &record.reason, &record.rule) == (before.decision, &before.reason, &before.rule);
    // What is said of it is so.
    if trace.lines.iter().any(|line| line.kind == "decision log") {
        assert_eq!(rebuilt.is_as_recorded(&record), Some(is_alike), "{before:?} {record:?}");
    }
    Some(is_alike)
}

#[test]
fn what_is_rebuilt_from_logs_is_decided_on_as_it_was() {
    let config = Config { cases: cases(100), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    // By what is known: how many are decided alike, how many otherwise, and how many cannot be rebuilt.
    let seen: RefCell<BTreeMap<(&str, bool), [u32; 3]>> = RefCell::default();
    let result = runner.run(&(policies(), requests()), |((old, _), requests)| {
        let policy = Policy::new(&old);
        for request in requests {
            let before = policy.decide(&request, request.at);
            let (line, old_line) = (decision_line(&before), old_line(&before));
            let access = access_line(&request, before.decision);
            for (known, decision, access) in [
                ("both", Some(&line), Some(&access)),
                ("decision", Some(&line), None),
                ("old decision", Some(&old_line), None),
                ("access", None, Some(&access)),
            ] {
                let mut trace = Trace::of("r");
                if let Some(line) = decision {
                    read(&mut trace, line, None);
                }
                if let Some(line) = access {
                    read(&mut trace, line, Some(FIELDS));
                }
                if trace.lines.is_empty() {
                    // An event that could not be read has no id.
                    continue;
                }
                let is_alike = is_decided_alike(&policy, &trace, &before);
                let place = match is_alike {
                    Some(true) => 0,
                    Some(false) => 1,
                    None => 2,
                };
                let is_allowed = before.decision == Verdict::Allow;
                seen.borrow_mut().entry((known, is_allowed)).or_default()[place] += 1;
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let seen = seen.into_inner();
    println!("{seen:?}");
    if percent().is_some_and(|percent| percent < 100) {
        return;
    }
    for (known, share) in [("both", 98), ("decision", 90), ("old decision", 80)] {
        let [alike, otherwise, none] = seen[&(known, true)];
        assert!(alike * 100 >= (alike + otherwise + none) * share, "{known}: {seen:?}");
    }
}
