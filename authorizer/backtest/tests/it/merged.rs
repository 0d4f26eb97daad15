//! Tallies of parts of the logs add up to that of the whole, in any order.

use authorizer_backtest::{Backtest, BacktestPolicy, Lines, Partial, Tally};
use authorizer_core::Bundle;
use proptest::prelude::*;
use serde_json::json;

use crate::random::cases;

fn backtest() -> Backtest {
    let document = serde_json::from_value(json!({"version": 1, "rules": [
        {"id": "public", "effect": "allow", "methods": ["GET"], "keys": ["a/**", "b/**"], "anonymous": true}]}));
    let bundle = Bundle::write(&document.unwrap()).unwrap();
    Backtest::new(BacktestPolicy::read(&bundle).unwrap(), None)
}

/// One line, in one file.
type Line = (&'static str, u64, String);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = prop_oneof![
        // Newly refused, cannot be told, the same, not compared, malformed.
        ("[a-e]", "[xy]").prop_map(|(folder, key)| format!(
            r#"{{"log_version":1,"method":"PUT","operation":"PutObject","key":"{folder}/{key}","decision":"allow","reason":"allowed_by_rule","rule":"r"}}"#
        )),
        "[a-c]/[xy]".prop_map(|key| format!(
            r#"{{"log_version":1,"method":"GET","operation":"GetObject","key":"{key}","decision":"refuse","reason":"query_not_allowed"}}"#
        )),
        Just(r#"{"log_version":1,"reason":"preflight_answered","decision":"preflight"}"#.to_owned()),
        Just(r#"{"log_version":2,"reason":"session_told","decision":"sign_in","status":200}"#.to_owned()),
        "(x|START RequestId: 1|\\{)",
    ];
    prop::collection::vec((prop::sample::select(vec!["log", "log.gz", "a/log"]), 1..9u64, line), 1..40)
}

fn tally_of(lines: &[Line]) -> Tally {
    let backtest = backtest();
    let mut tally = Tally::default();
    for (source, first, text) in lines {
        let bytes = text.clone().into_bytes();
        tally.add(backtest.read(&Lines { source: (*source).into(), first: *first, layout: None, bytes }));
    }
    tally
}

/// A tally as another machine gets it.
fn sent(tally: Tally) -> Tally {
    let json = serde_json::to_vec(&Partial::new(backtest().basis(), tally)).unwrap();
    let read = Partial::read(&json).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(read.basis(), &backtest().basis());
    read.into_tally()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(300)) })]
    #[test]
    fn tallies_add_up_to_the_same_in_any_order_and_in_any_grouping(
        lines in lines(),
        shuffled in any::<prop::sample::Index>(),
        cut in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let whole = tally_of(&lines).summary();
        let mut turned = lines.clone();
        turned.rotate_left(shuffled.index(lines.len()));
        turned.reverse();
        prop_assert_eq!(&tally_of(&turned).summary(), &whole);
        let (one, other) = (cut.0.index(lines.len()), cut.1.index(lines.len()));
        let (first, last) = (one.min(other), one.max(other));
        let parts = || (
            sent(tally_of(&turned[..first])),
            sent(tally_of(&turned[first..last])),
            sent(tally_of(&turned[last..])),
        );
        let added = |mut one: Tally, other: Tally| {
            one.add(other);
            one
        };
        let (a, b, c) = parts();
        prop_assert_eq!(&added(added(a, b), c).summary(), &whole);
        let (a, b, c) = parts();
        prop_assert_eq!(&added(a, sent(added(b, c))).summary(), &whole);
        let (a, b, c) = parts();
        prop_assert_eq!(&added(added(c, a), b).summary(), &whole);
    }
}

#[test]
fn a_part_with_another_basis_or_another_count_is_told() {
    let basis = backtest().basis();
    assert_eq!(basis.difference(&basis), None);
    assert_eq!(basis.difference(&backtest().by_depth(2).basis()), Some("--depth"));
    let now = authorizer_core::UnixTime::from_seconds(1);
    assert_eq!(basis.difference(&backtest().at(now).basis()), Some("--now"));
    let line = ("log", 1, r#"{"log_version":1,"method":"PUT","operation":"PutObject","key":"a/x","decision":"allow","reason":"allowed_by_rule"}"#.to_owned());
    let partial = Partial::new(basis, tally_of(&[line]));
    let json = serde_json::to_value(&partial).unwrap();
    let read = |value: &serde_json::Value| Partial::read(value.to_string().as_bytes());
    assert!(read(&json).is_ok());
    for (pointer, value) in [
        ("/summary/counts/newly_refused", json!(2)),
        ("/summary/others/1", json!(1)),
        ("/summary/groups", json!([])),
        ("/summary/counts", json!({})),
        ("/partial_version", json!(2)),
        ("/basis/depth", json!("1")),
    ] {
        let mut changed = json.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(read(&changed).is_err(), "{pointer}");
    }
}
