//! `authorizer backtest` as a person meets it, and the examples of its page.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::generated::holds;
use crate::harness::{Done, ROOT, authorizer, authorizer_with};

const NEW: &str = "fixtures/logs/new.toml";
const OLD: &str = "fixtures/logs/old.toml";

fn backtest(arguments: &[&str], input: &[u8]) -> Done {
    authorizer_with(&[&["backtest", "--policy", NEW, "--old", OLD], arguments].concat(), input)
}

fn json(arguments: &[&str], input: &[u8]) -> Value {
    let done = backtest(&[&["--format", "json"], arguments].concat(), input);
    assert_eq!(done.err, "");
    serde_json::from_str(&done.out).unwrap()
}

fn log(name: &str) -> String {
    format!("fixtures/logs/{name}")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(Path::new(ROOT).join(log(name))).unwrap()
}

#[test]
fn the_decision_logs_of_the_fixtures_were_decided_by_the_old_policy() {
    let done = authorizer(&["check", "--format", "json", OLD]);
    let summary: Value = serde_json::from_str(&done.out).unwrap();
    let sha256 = summary["bundle_sha256"].as_str().unwrap();
    let text = String::from_utf8(read("decisions.jsonl")).unwrap();
    let named = text.lines().filter(|line| line.contains(sha256)).count();
    assert_eq!(named, 15, "old.toml has the bundle {sha256}");
}

#[test]
fn each_kind_of_log_is_read_and_what_would_change_is_said() {
    for name in
        ["decisions.jsonl", "subscription.jsonl", "firehose.gz", "tail.txt", "access.log", "access-v2.jsonl"]
    {
        let done = backtest(&[&log(name)], b"");
        assert_eq!(done.err, "", "{name}");
        insta::assert_snapshot!(format!("backtest_{name}"), format!("{}exit {}\n", done.out, done.code));
    }
}

#[test]
fn the_json_holds_all_that_the_text_does() {
    let value = json(&[&log("decisions.jsonl"), &log("access.log")], b"");
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn a_log_is_the_same_whatever_it_is_packed_in_and_wherever_it_comes_from() {
    let without_sources = |mut value: Value| {
        for list in ["groups", "malformed"] {
            for group in value[list].as_array_mut().unwrap() {
                group.as_object_mut().unwrap().remove("examples");
            }
        }
        value
    };
    let plain = without_sources(json(&[&log("access.log")], b""));
    assert_eq!(without_sources(json(&[&log("access.log.gz")], b"")), plain);
    assert_eq!(without_sources(json(&["-"], &read("access.log"))), plain);
    assert_eq!(without_sources(json(&["-"], &read("access.log.gz"))), plain);
    assert_eq!(without_sources(json(&[&log("access-v2.jsonl")], b"")), plain);

    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("2027/01");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("E.2027-01-15-08.abc.gz"), read("access.log.gz")).unwrap();
    fs::write(below.join(".hidden"), "not a log").unwrap();
    assert_eq!(without_sources(json(&[folder.path().to_str().unwrap()], b"")), plain);
}

#[test]
fn another_delimiter_is_that_of_the_fields_line_or_is_named() {
    let tabs = String::from_utf8(read("access.log")).unwrap();
    let counts = |value: &Value| value["counts"].clone();
    let expected = counts(&json(&["-"], tabs.as_bytes()));
    for (name, delimiter) in [("comma", ","), ("semicolon", ";"), ("pipe", "|"), ("space", " ")] {
        let lines = tabs.replace('\t', delimiter);
        assert_eq!(counts(&json(&["--delimiter", name, "-"], lines.as_bytes())), expected, "{name}");
        let fields = lines.lines().nth(1).unwrap();
        let names = fields.replacen("#Fields: ", "", 1).replace(' ', delimiter);
        let with_names = lines.replace(fields, &format!("#Fields: {names}"));
        assert_eq!(counts(&json(&["-"], with_names.as_bytes())), expected, "{name}");
        // Without either, nothing is guessed.
        if delimiter != " " {
            let done = backtest(&["-"], lines.as_bytes());
            assert!(done.code == 2 && done.err.contains("--delimiter"), "{}", done.err);
        }
    }
}

#[test]
fn two_logs_in_one_stream_each_have_their_own_columns() {
    let other = b"#Version: 1.0\n#Fields: sc-status cs-uri-stem cs-method x-edge-result-type\n\
                  200\t/records/a\tPUT\tMiss\n";
    let both = [read("access.log"), other.to_vec()].concat();
    let (one, two) = (json(&["-"], &read("access.log")), json(&["-"], &both));
    let refused = |value: &Value| value["counts"]["newly_refused"].as_u64().unwrap();
    assert_eq!(refused(&two), refused(&one) + 1);
    assert_eq!(two["malformed"], Value::Array(Vec::new()));
}

#[test]
fn the_exit_tells_whether_anything_would_change() {
    let line = |number: usize| {
        let text = String::from_utf8(read("decisions.jsonl")).unwrap();
        text.lines().nth(number - 1).unwrap().to_owned()
    };
    // Allowed as before, refused now, cannot be told.
    let (same, changed, open) = (line(1), line(11), line(5));
    for (lines, strict, code) in [
        (vec![&same], false, 0),
        (vec![&same], true, 0),
        (vec![&same, &changed], false, 1),
        (vec![&same, &open], false, 0),
        (vec![&same, &open], true, 1),
    ] {
        let input = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let arguments: &[&str] = if strict { &["--strict", "-"] } else { &["-"] };
        assert_eq!(backtest(arguments, input.as_bytes()).code, code, "{input} {strict}");
    }
    let half = format!("{same}\n{{\n");
    assert_eq!(backtest(&["-"], half.as_bytes()).code, 0);
    let strict = backtest(&["--strict", "-"], half.as_bytes());
    assert_eq!(strict.code, 1);
    assert!(strict.out.contains("-:2: the line ends within a JSON object"), "{}", strict.out);
}

#[test]
fn an_access_log_shows_who_is_newly_let_in_by_the_answer_that_they_got() {
    let refused = |status: u16, length: usize| {
        format!(
            "#Fields: cs-method cs-uri-stem cs-uri-query sc-status x-edge-result-type x-edge-request-id sc-content-len\n\
             GET\t/shared/plan.pdf\t-\t{status}\tLambdaGeneratedResponse\ta007==\t{length}\n"
        )
    };
    // `shared/` is opened for everyone. Whoever came without a token, or with one that no rule let in, is let in.
    for (log, exit, newly_allowed) in [
        (refused(401, 129), 1, 1),
        (refused(403, 143), 1, 1),
        // A token that is not valid is still refused.
        (refused(401, 120), 0, 0),
        // No answer of the function has this length.
        (refused(401, 12), 0, 0),
    ] {
        let done = backtest(&["--format", "json", "-"], log.as_bytes());
        let value: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(
            (done.code, value["counts"]["newly_allowed"].as_i64()),
            (exit, Some(newly_allowed)),
            "{log}"
        );
    }
    // The columns of the stack, which logs no queries by default: then it is assumed that a read asked for no headers.
    let without_query = refused(403, 143).replace(" cs-uri-query", "").replace("\t-\t", "\t");
    assert_eq!(backtest(&["-"], without_query.as_bytes()).code, 0);
    assert_eq!(backtest(&["--assume", "reads", "-"], without_query.as_bytes()).code, 1);
    // Without the policy that decided, whether a token would be valid is not known.
    let alone = authorizer_with(&["backtest", "--policy", NEW, "-"], refused(403, 143).as_bytes());
    assert_eq!(alone.code, 0);
    assert!(alone.out.contains("cannot be told            1"), "{}", alone.out);
}

#[test]
fn an_assumption_that_a_line_contradicts_is_named_with_the_number_of_lines() {
    let line = r#"{"log_version":1,"method":"GET","operation":"GetObject","key":"shared/plan.pdf","decision":"refuse","status":400,"reason":"query_not_allowed","issuer":"staff"}"#;
    let done = backtest(&["--assume", "reads,tokens,uploads", "-"], line.as_bytes());
    assert!(
        done.out.contains(
            "with the object\n  not for 1 request, whose lines show that it is wrong\nassumed: every upload"
        ),
        "{}",
        done.out
    );
    assert!(done.out.contains("newly allowed             0"), "{}", done.out);
    assert_eq!(done.code, 0);
}

#[test]
fn parts_are_merged_in_any_order_to_the_result_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let logs = ["decisions.jsonl", "access.log.gz", "firehose.gz", "tail.txt"].map(log);
    let mut parts = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let part = at(&format!("parts/{number}.json"));
        let done = backtest(&["--assume", "reads", "--partial", &part, log], b"");
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""));
        parts.push(part);
    }
    let whole =
        backtest(&[&["--assume", "reads"], logs.each_ref().map(String::as_str).as_slice()].concat(), b"");
    let merge = |files: &[&str]| authorizer(&[&["backtest", "merge"], files].concat());
    let forward: Vec<&str> = parts.iter().map(String::as_str).collect();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    for files in [forward.as_slice(), &backward, &[&at("parts")]] {
        let merged = merge(files);
        assert_eq!((merged.out, merged.code, merged.err), (whole.out.clone(), 1, String::new()), "{files:?}");
    }
    // A merge of merges.
    let (half, other) = (at("half.json"), at("other.json"));
    assert_eq!(merge(&["--partial", &half, &parts[3], &parts[1]]).code, 0);
    assert_eq!(merge(&["--partial", &other, &parts[0], &parts[2]]).code, 0);
    assert_eq!(merge(&[&half, &other]).out, whole.out);

    let unlike = at("unlike.json");
    assert_eq!(backtest(&["--partial", &unlike, &logs[0]], b"").code, 0);
    let whole_part = fs::read_to_string(&parts[0]).unwrap();
    for (name, text) in [
        ("cut.json", whole_part.get(..whole_part.len() / 2).unwrap().to_owned()),
        ("version.json", whole_part.replace("\"partial_version\":1", "\"partial_version\":9")),
        ("counts.json", whole_part.replace("\"newly_refused\":1", "\"newly_refused\":7")),
    ] {
        fs::write(at(name), text).unwrap();
    }
    for (file, message) in [
        ("unlike.json", "cannot be merged: --assume differs"),
        ("cut.json", "is not a partial result"),
        ("version.json", "has version 9 of partial results, which is not supported"),
        ("counts.json", "its counts contradict each other"),
    ] {
        let done = merge(&[&parts[0], &at(file)]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{file}");
        assert!(done.err.contains(message) && done.err.contains("help:"), "{file}: {}", done.err);
    }
    // A part without a request is a part; all parts together must have one.
    let (nothing, empty) = (at("nothing.json"), at("empty.log"));
    fs::write(&empty, "").unwrap();
    assert_eq!(backtest(&["--assume", "reads", "--partial", &nothing, &empty], b"").code, 0);
    assert_eq!(merge(&[&nothing, &parts[0]]).code, 1);
    assert!(merge(&[&nothing]).err.contains("the logs do not contain a request"));
}

#[test]
fn logs_of_both_versions_and_of_the_function_are_read_from_the_folders_that_they_are_delivered_to() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let packed = |name: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&read(name)).unwrap();
        encoder.finish().unwrap()
    };
    put("E.2027-01-15-08.abc.gz", &read("access.log.gz"));
    put("AWSLogs/123456789012/CloudFront/E/2027/01/15/08/E.2027-01-15-08.def.gz", &packed("access-v2.jsonl"));
    put(
        "aws-account-id=123456789012/DistributionId=E/year=2027/month=01/day=15/hour=08/x",
        &read("access-v2.jsonl"),
    );
    // W3C with another delimiter.
    let spaces = String::from_utf8(read("access.log")).unwrap().replace('\t', " ");
    put("spaces/E.2027-01-15-09.ghi", spaces.as_bytes());
    put("firehose/2027/01/15/08/stream-1-2027", &read("firehose.gz"));
    put("decisions/decisions.jsonl.gz", &packed("decisions.jsonl"));
    let count = |arguments: &[&str]| {
        let value = json(arguments, b"");
        assert_eq!(value["malformed"], Value::Array(Vec::new()), "{value}");
        value["requests"].as_u64().unwrap()
    };
    let (access, firehose) = (count(&[&log("access.log")]), count(&[&log("firehose.gz")]));
    let decisions = count(&[&log("decisions.jsonl")]);
    let all = count(&[folder.path().to_str().unwrap()]);
    assert_eq!(all, 4 * access + firehose + decisions);
}

#[test]
fn a_policy_that_decided_itself_changes_nothing() {
    let done = authorizer(&["backtest", "--policy", OLD, "--format", "json", &log("decisions.jsonl")]);
    let value: Value = serde_json::from_str(&done.out).unwrap();
    // All but the line of another bundle.
    assert_eq!((done.code, &value["counts"]["cannot_be_told"]), (0, &1.into()));
    assert_eq!(
        value["counts"]["same_allow"].as_u64().unwrap() + value["counts"]["same_refusal"].as_u64().unwrap(),
        14
    );
}

#[test]
fn what_decided_before_may_be_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let old = authorizer_policy::PolicyFile::load(&Path::new(ROOT).join(OLD)).unwrap();
    let bundle = folder.path().join("bundle.json");
    fs::write(&bundle, old.bundle_json()).unwrap();
    let arguments = ["backtest", "--policy", NEW, "--old", bundle.to_str().unwrap(), &log("decisions.jsonl")];
    assert_eq!(authorizer(&arguments).out, backtest(&[&log("decisions.jsonl")], b"").out);
}

#[test]
fn what_cannot_be_used_is_one_diagnostic_and_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&read("access.log")).unwrap();
    let packed = packed.finish().unwrap();
    let cut = write("cut.gz", packed.get(..packed.len() / 2).unwrap());
    let parquet = write("log.parquet", b"PAR1 and more");
    let empty = write("empty.log", b"");
    let text = write("notes.txt", b"a\nb\n");
    let only_platform = write("start.log", b"START RequestId: 1 Version: 2\n");
    for (arguments, message) in [
        (vec!["no-such.log"], "`no-such.log` cannot be read"),
        (vec![cut.as_str()], "is damaged"),
        (vec![parquet.as_str()], "is in the Parquet format"),
        (vec![empty.as_str()], "the logs do not contain a request"),
        (vec![only_platform.as_str()], "the logs do not contain a request"),
        (vec![text.as_str()], "none of 2 lines can be read"),
    ] {
        let done = backtest(&arguments, b"");
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains(message) && done.err.contains("help:"), "{}", done.err);
    }
}

#[test]
fn no_query_of_a_log_is_shown_since_it_may_hold_a_token() {
    let log = "#Fields: cs-method cs-uri-stem cs-uri-query sc-status x-edge-result-type\n\
               GET\t/users/alice/a\taccess_token=secret\t200\tMiss\n\
               GET\t/public/a\tsecret%25zz\t200\tMiss\n";
    for format in ["text", "json"] {
        let done = backtest(&["--format", format, "-"], log.as_bytes());
        assert!(done.out.contains("users/alice/a") && !done.out.contains("secret"), "{}", done.out);
    }
}

/// The blocks that begin with ```console: a command after `$ `, and what it prints.
#[test]
fn the_examples_of_the_page_print_what_stands_there() {
    let path = "docs/backtest.md";
    let text = fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let mut actual = String::new();
    let mut blocks = 0;
    let mut rest = text.as_str();
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("```\n").unwrap();
        let command = block.lines().next().unwrap();
        let words: Vec<_> = command.strip_prefix("$ authorizer ").unwrap().split(' ').collect();
        let done = authorizer(&words);
        assert_eq!(done.err, "", "{command}");
        actual.push_str(&format!("{before}```console\n{command}\n{}```\n", done.out));
        blocks += 1;
        rest = after;
    }
    actual.push_str(rest);
    assert!(blocks >= 3);
    holds(path, &actual);
}
