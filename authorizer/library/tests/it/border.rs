//! The C interface, called from this process. One bundle decides in all tests: a process takes no second one.
#![allow(unsafe_code, reason = "the tests are a caller of the C interface")]

use std::ptr;
use std::slice;
use std::sync::Once;

use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_library::{Answer, authorizer_decide, authorizer_free, authorizer_start};
use serde_json::Value;

use crate::stage::{bundle, event, recorded, timeless};

const EMPTY: Answer = Answer { bytes: ptr::null_mut(), length: 0, outcome: 0 };

/// What an answer has: the outcome and the lines. The memory is given back.
fn taken(mut answer: Answer) -> (Vec<u8>, Vec<u8>) {
    let all = match answer.bytes.is_null() {
        true => Vec::new(),
        // SAFETY: the call wrote the answer.
        false => unsafe { slice::from_raw_parts(answer.bytes, answer.length) }.to_vec(),
    };
    let outcome = answer.outcome;
    // SAFETY: the call wrote the answer, and its bytes were copied.
    unsafe { authorizer_free(&raw mut answer) };
    assert!(answer.bytes.is_null() && answer.length == 0 && answer.outcome == 0);
    // SAFETY: an empty answer may be freed again.
    unsafe { authorizer_free(&raw mut answer) };
    let (outcome, lines) = all.split_at(outcome);
    (outcome.to_vec(), lines.to_vec())
}

fn start(bundle: &[u8]) -> (i32, Vec<u8>) {
    let mut answer = EMPTY;
    // SAFETY: a slice and a variable.
    let status = unsafe { authorizer_start(bundle.as_ptr(), bundle.len(), &raw mut answer) };
    let (outcome, lines) = taken(answer);
    assert_eq!(outcome, b"");
    (status, lines)
}

/// The status, the outcome and the lines.
fn decide(event: *const u8, length: usize) -> (i32, Vec<u8>, Vec<u8>) {
    let mut answer = EMPTY;
    // SAFETY: the tests pass null, a slice, or a length that is refused before a byte is read.
    let status = unsafe { authorizer_decide(event, length, 1000, &raw mut answer) };
    let (outcome, lines) = taken(answer);
    (status, outcome, lines)
}

/// The first calls in this process: what is no bundle, then the bundle, then another.
fn started() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let good = bundle();
        assert_eq!(
            decide(event("/public/x").as_ptr(), event("/public/x").len()),
            (1, vec![], vec![]),
            "no bundle yet"
        );
        for bad in [&b""[..], b"{}", b"\xff\xfe", &good[..good.len() - 2], &vec![b' '; 65 * 1024 * 1024]] {
            let (status, lines) = start(bad);
            let line: Value = serde_json::from_slice(&lines).unwrap();
            assert_eq!(status, 1, "{line}");
            assert_eq!((&line["event"], &line["reason"]), (&"start_failed".into(), &"bundle_invalid".into()));
            assert!(lines.ends_with(b"}\n"));
        }
        let mut answer = EMPTY;
        // SAFETY: null is no bundle.
        assert_eq!(unsafe { authorizer_start(ptr::null(), 7, &raw mut answer) }, 1);
        assert!(!taken(answer).1.is_empty());
        // SAFETY: null takes no answer.
        assert_eq!(unsafe { authorizer_start(good.as_ptr(), good.len(), ptr::null_mut()) }, 1);
        let (status, line) = start(&good);
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((status, &line["event"], &line["hand_over"]), (0, &"start".into(), &"library".into()));
        let (status, line) = start(&good);
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((status, &line["reason"]), (1, &"already_started".into()), "a second one");
    });
}

#[test]
fn every_recorded_event_is_decided_on_as_the_core_does() {
    started();
    let core = Authorizer::new(Bundle::read(&bundle()).unwrap());
    let mut events = recorded();
    events.push(("public".to_owned(), event("/public/x")));
    for (name, event) in events {
        let (status, outcome, lines) = decide(event.as_ptr(), event.len());
        let expected = core.authorize(&event, UnixTime::from_system(std::time::SystemTime::now()));
        assert_eq!(status, 0, "{name}");
        assert_eq!(outcome, serde_json::to_vec(&expected.outcome).unwrap(), "{name}");
        let line = serde_json::to_vec(&DecisionLine::new(&expected.record, 0)).unwrap();
        assert_eq!(timeless(&lines), timeless(&line), "{name}");
        assert!(lines.ends_with(b"}\n") && !lines[..lines.len() - 1].contains(&b'\n'), "one line: {name}");
    }
}

#[test]
fn what_is_no_event_is_refused_and_the_next_one_is_let_in() {
    started();
    let good = event("/public/x");
    let not_utf8 = [&good[..10], b"\xff\xfe\0", &good[10..]].concat();
    for (name, event, length) in [
        ("null", ptr::null(), 0),
        ("null with a length", ptr::null(), 9),
        ("nothing", good.as_ptr(), 0),
        ("cut", good.as_ptr(), good.len() - 1),
        ("not UTF-8", not_utf8.as_ptr(), not_utf8.len()),
        ("more than is read", good.as_ptr(), 64 * 1024 * 1024 + 1),
        ("more than there can be", good.as_ptr(), usize::MAX),
    ] {
        let (status, outcome, lines) = decide(event, length);
        let outcome: Value = serde_json::from_slice(&outcome).unwrap();
        assert_eq!((status, &outcome["status"]), (0, &"500".into()), "{name}: {outcome}");
        assert_eq!(timeless(&lines)["reason"], "event_malformed", "{name}");
        let (status, outcome, _) = decide(good.as_ptr(), good.len());
        let outcome: Value = serde_json::from_slice(&outcome).unwrap();
        assert_eq!((status, &outcome["uri"]), (0, &"/public/x".into()), "after {name}");
    }
}

#[test]
fn without_a_place_for_the_answer_nothing_is_done() {
    started();
    let good = event("/public/x");
    // SAFETY: null takes no answer.
    let status = unsafe { authorizer_decide(good.as_ptr(), good.len(), 1000, ptr::null_mut()) };
    assert_eq!(status, 1);
    // SAFETY: null is no answer.
    unsafe { authorizer_free(ptr::null_mut()) };
}

#[test]
fn threads_may_call_at_the_same_time() {
    started();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..50 {
                    let event = event(&format!("/public/{thread}/{number}"));
                    let (status, outcome, _) = decide(event.as_ptr(), event.len());
                    let outcome: Value = serde_json::from_slice(&outcome).unwrap();
                    assert_eq!((status, &outcome["uri"]), (0, &format!("/public/{thread}/{number}").into()));
                }
            });
        }
    });
}
