//! `replay` in the middle of a pipe: its input may be slow, and its reader may stop.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::harness::{NOW, PROGRAM, ROOT, authorizer, authorizer_with};

fn replay(events: &str) -> Child {
    Command::new(PROGRAM)
        .current_dir(ROOT)
        .args(["replay", "--policy", "fixtures/policies/cases.toml", "--now", "1800000000"])
        .args(["--format", "json", events])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// An event of the fixtures, as a line.
fn event() -> String {
    let path = Path::new(ROOT).join("fixtures/events/anonymous-reads-public.json");
    serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap().to_string() + "\n"
}

fn number(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap()
}

#[test]
fn each_line_is_answered_before_the_next_one_comes() {
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let event = event();
    for expected in 1..=5 {
        // The beginning of the next line does not delay the result of this one.
        let (beginning, rest) = event.split_at(event.len() / 2);
        if expected == 1 {
            input.write_all(beginning.as_bytes()).unwrap();
        }
        input.write_all(rest.as_bytes()).unwrap();
        input.write_all(beginning.as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(number(&line), expected);
    }
    drop(input);
    // The last line was cut off, so it is not an event.
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("event_malformed"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn it_ends_when_nobody_reads_its_result_though_the_input_goes_on() {
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let event = event();
    input.write_all(event.as_bytes()).unwrap();
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    drop(output);
    input.write_all(event.as_bytes()).unwrap();
    // The input is still open.
    assert_eq!(child.wait().unwrap().code(), Some(141));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    drop(input);
}

#[test]
fn a_slow_reader_gets_every_line_in_order() {
    const LINES: u64 = 3000;
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let (event, output) = (event(), child.stdout.take().unwrap());
    let sender = thread::spawn(move || {
        for _ in 0..LINES {
            input.write_all(event.as_bytes()).unwrap();
        }
    });
    // A byte at a time, so that the command has to wait for room in the pipe.
    let mut output = BufReader::with_capacity(1, output);
    let mut lines = 0;
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        lines += 1;
        assert_eq!(number(&line), lines);
        line.clear();
    }
    sender.join().unwrap();
    assert_eq!((lines, child.wait().unwrap().code()), (LINES, Some(0)));
}

#[test]
fn an_error_comes_after_what_was_replayed_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    for name in ["a.json", "b.json", "d.jsonl"] {
        write(name, event().as_bytes());
    }
    write("c.json", &vec![b' '; 2 * 1024 * 1024]);
    let output = replay(folder.path().to_str().unwrap()).wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sources: Vec<_> = lines.iter().map(|line| line["source"].as_str().unwrap_or_default()).collect();
    assert_eq!(sources, ["a.json", "b.json", ""]);
    assert!(lines[2]["error"]["message"].as_str().unwrap().contains("c.json"), "{out}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("c.json` contains an event of more than 1 MiB"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

/// The source, line and item of each decision on an input, and the exit status. Where that is 2, the error comes last.
fn places(input: &str, file: Option<&str>) -> (Vec<String>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = match file {
        Some(name) => {
            fs::write(folder.path().join(name), input).unwrap();
            replay(folder.path().join(name).to_str().unwrap())
        }
        None => replay("-"),
    };
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let sender = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    sender.join().unwrap();
    let of = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        format!("{} {} {}", line["decision"].as_str().unwrap(), line["line"], line["item"])
    };
    let (out, code) = (String::from_utf8(output.stdout).unwrap(), output.status.code());
    let mut lines: Vec<&str> = out.lines().collect();
    if code == Some(2) {
        let last: Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
        assert!(last["error"]["message"].is_string(), "{last}");
    }
    (lines.into_iter().map(of).collect(), code)
}

#[test]
fn events_are_pretty_printed_in_arrays_or_one_after_the_other_on_standard_input_and_in_files() {
    let one = event();
    let one = one.trim_end();
    let pretty = format!("{:#}", serde_json::from_str::<Value>(one).unwrap());
    let next = pretty.lines().count() + 1;
    let array = format!("{:#}", serde_json::from_str::<Value>(&format!("[{one},{one}]")).unwrap());
    let allow = |line: &str, item: &str| format!("allow {line} {item}");
    let on_lines = |lines: &[usize]| lines.iter().map(|line| allow(&line.to_string(), "null")).collect();
    let items = |line: &str, items: &[u8]| items.iter().map(|item| allow(line, &item.to_string())).collect();
    let cases: [(String, Vec<String>); 9] = [
        (format!("{pretty}\n{pretty}\n"), on_lines(&[1, next])),
        (format!("{pretty}\n\n{pretty}"), on_lines(&[1, next + 1])),
        (format!("{one}\n{pretty}\n{one}\n"), on_lines(&[1, 2, next + 1])),
        (format!("{pretty}\r\n{one}\r\n").replace("\r\n", "\n").replace('\n', "\r\n"), on_lines(&[1, next])),
        (format!("{pretty}{pretty}\n"), items("1", &[1, 2])),
        (format!("{one}{one}\n\n"), items("1", &[1, 2])),
        (format!("{one} {one}\n[{one}]\n"), [items("1", &[1, 2]), items("2", &[1])].concat()),
        (
            format!("{array}\n{array}\n"),
            [items("1", &[1, 2]), items(&(array.lines().count() + 1).to_string(), &[1, 2])].concat(),
        ),
        (format!("[\n{one},\n{one}\n]\n{one}\n"), [items("1", &[1, 2]), on_lines(&[5])].concat()),
    ];
    for (input, expected) in &cases {
        assert_eq!(places(input, Some("events.jsonl")), (expected.clone(), Some(0)), "{input}");
        let (found, code) = places(input, None);
        assert_eq!((found.len(), code), (expected.len(), Some(0)), "{input}");
        assert!(found.iter().all(|one| one.starts_with("allow")), "{input}");
        let (found, code) = places(input, Some("events.json"));
        assert_eq!((found.len(), code), (expected.len(), Some(0)), "{input}");
    }
    for file in [None, Some("events.json")] {
        assert_eq!(places(&array, file), (items("null", &[1, 2]), Some(0)));
    }
    assert_eq!(places("[]", None), (vec![], Some(2)), "nothing to replay is no success");
}

#[test]
fn what_is_cut_off_or_no_json_takes_no_other_event_with_it() {
    let one = event();
    let one = one.trim_end();
    let pretty = format!("{:#}", serde_json::from_str::<Value>(one).unwrap());
    let cut = pretty.rsplit_once("\n}").unwrap().0;
    let (half, _) = one.split_at(one.len() / 2);
    for (input, expected) in [
        (format!("{{\n{one}\n{one}\n"), vec!["refuse 1 null", "allow 2 null", "allow 3 null"]),
        (format!("{half}\n{one}\n"), vec!["refuse 1 null", "allow 2 null"]),
        (format!("{{\"a\":\n{one}\n{one}\n"), vec!["refuse 1 null", "allow 2 null", "allow 3 null"]),
        (format!("no event\n}}\n{one}\n"), vec!["refuse 1 null", "refuse 2 null", "allow 3 null"]),
        (format!("{one} x\n{one}\n"), vec!["refuse 1 null", "allow 2 null"]),
        (format!("[1]\n[[{one}]]\n{one}"), vec!["refuse 1 null", "refuse 2 null", "allow 3 null"]),
        // The lines of one JSON text are no events, also where its end is missing.
        (format!("{one}\n{cut}\n"), vec!["allow 1 null", "refuse 2 null"]),
    ] {
        let expected = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(places(&input, Some("events.jsonl")), (expected, Some(1)), "{input}");
    }
    let long = format!("[\n{}{one}\n]\n", format!("{one},\n").repeat(4000));
    for file in [None, Some("events.jsonl"), Some("events.json")] {
        assert_eq!(
            places(&long, file),
            (vec![], Some(2)),
            "longer than a text can be: none of its lines is an event"
        );
    }
}

#[test]
fn outcomes_of_an_array_are_compared_with_recorded_ones() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let one = event();
    let events = write("events.jsonl", &format!("[{0},{0}]\n{0}\n", one.trim_end()));
    let fixed = ["replay", "--policy", "fixtures/policies/cases.toml", "--now", "1800000000"];
    let recorded = authorizer(&[fixed.as_slice(), &["--format", "json", &events]].concat()).out;
    let recorded = write("recorded", &recorded);
    let held = authorizer(&[fixed.as_slice(), &["--expect", &recorded, &events]].concat());
    assert_eq!((held.code, held.out.as_str()), (0, "3 events, 0 differences from what was recorded\n"));
}

#[test]
fn what_is_not_json_is_named_with_its_line_and_its_lines_are_not_events() {
    let event = fs::read_to_string(Path::new(ROOT).join("fixtures/events/algorithm-es256.json")).unwrap();
    let value: Value = serde_json::from_str(&event).unwrap();
    let pretty = format!("{value:#}");
    let policy = ["replay", "--policy", "fixtures/policies/cases.toml", "--now", NOW, "-"];
    let lines = pretty.lines().count();
    let comma = format!("{},\n}}", pretty.strip_suffix("\n}").unwrap());
    for (text, line) in [
        // A comma before the last bracket.
        (comma.clone(), lines),
        (format!("[\n{pretty},\n]"), lines + 2),
        (format!("[{value},\n{value},\n]"), 3),
        (format!("{value}\n{comma}"), lines + 1),
    ] {
        let done = authorizer_with(&policy, text);
        assert_eq!(done.code, 2, "{}{}", done.out, done.err);
        assert!(done.err.contains(&format!("line {line}: this is not JSON: ")), "{line}: {}", done.err);
        assert!(!done.out.contains("event_malformed"), "{}", done.out);
    }
    // A mark of the encoding, and the line ends of another system.
    for text in [
        format!("\u{feff}{pretty}"),
        format!("\u{feff}{value}\n{value}"),
        pretty.replace('\n', "\r\n"),
        format!("[{value},\r\n{value}]\r\n"),
        format!("{pretty}\n\n{value}\n[{value}, {value}]"),
        // RFC 7464: a sequence of JSON texts.
        format!("\u{1e}{value}\n\u{1e}{value}\n"),
        format!("\u{1e}{pretty}\n\u{1e}{pretty}\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // A `.json` file is what the function gets, so that a mark makes its event malformed.
        let file = folder.path().join(if text.starts_with('\u{feff}') { "e.jsonl" } else { "e.json" });
        fs::write(&file, &text).unwrap();
        let done = authorizer_with(&policy, text.as_str());
        assert_eq!(done.code, 0, "{}{}", done.out, done.err);
        let [start @ .., _] = policy;
        let of_file = authorizer(&[start.as_slice(), &[file.to_str().unwrap()]].concat());
        assert_eq!((of_file.code, of_file.out.lines().count()), (0, done.out.lines().count()), "{text}");
    }
    // A line that was cut off is one event, and the next one is another.
    let done = authorizer_with(&policy, format!("{}\n{value}\n", value.to_string().get(..100).unwrap()));
    assert!(
        done.out.contains("1 allowed, 1 refused") && done.out.contains("EOF while parsing"),
        "{}",
        done.out
    );
    assert_eq!(authorizer_with(&policy, " \n").code, 2);
}
