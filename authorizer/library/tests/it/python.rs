//! The handler of the package, in Python by `ctypes`, with the library of this build.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use authorizer_core::{Authorizer, Bundle, UnixTime};
use serde_json::Value;
use tempfile::TempDir;

use crate::stage::{bundle, event, recorded, timeless};

/// Reads events, one a line, and prints what the handler returns; `null` if it raises.
const CALLER: &str = r#"
import json, sys, index
class Context:
    def get_remaining_time_in_millis(self): return 4000
for line in sys.stdin:
    try: answer = index.handler(json.loads(line), Context())
    except RuntimeError: answer = None
    print("answer", json.dumps(answer), flush=True)
"#;

/// The `cdylib`, which cargo puts beside the tests.
fn library() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.with_file_name("libauthorizer_library.so");
    assert!(path.is_file(), "{}", path.display());
    path
}

/// A folder as `authorizer package --hand-over library` fills it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let handler = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler/index.py");
    symlink(library(), folder.path().join("libauthorizer.so")).unwrap();
    fs::copy(handler, folder.path().join("index.py")).unwrap();
    fs::write(folder.path().join("bundle.json"), bundle()).unwrap();
    folder
}

/// Python, if this machine has it.
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("python3 is not installed: skipped");
    }
    found
}

fn run(folder: &Path, events: &[Vec<u8>]) -> Output {
    let mut python = Command::new("python3");
    python.args(["-c", CALLER]).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child =
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text: Vec<u8> = events.iter().flat_map(|event| [event, &b"\n"[..]].concat()).collect();
    let writer = std::thread::spawn(move || {
        // It may end before it has read everything.
        let _ = stdin.write_all(&text);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn every_recorded_event_is_answered_and_logged_as_the_core_does() {
    if !has_python() {
        return;
    }
    let core = Authorizer::new(Bundle::read(&bundle()).unwrap());
    // As the runtime's client reads them: what is JSON, each member once.
    let read =
        |(_, event): (String, Vec<u8>)| Some(serde_json::from_slice::<Value>(&event).ok()?.to_string());
    let events: Vec<Vec<u8>> = recorded()
        .into_iter()
        .filter_map(read)
        .chain([String::from_utf8(event("/public/x")).unwrap()])
        .map(String::into_bytes)
        .collect();
    let folder = folder();
    let output = run(folder.path(), &events);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut lines = stdout.lines();
    let start: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!((&start["event"], &start["hand_over"]), (&"start".into(), &"library".into()));
    assert!(start["runtime"].as_str().unwrap().starts_with("python3."), "{start}");
    assert_eq!(
        (&start["runtime_pid"], &start["bundle_sha256"]),
        (&start["pid"], &core.bundle().sha256().into())
    );
    for event in &events {
        let expected = core.authorize(event, UnixTime::from_system(std::time::SystemTime::now()));
        let line =
            serde_json::to_vec(&authorizer_core::record::DecisionLine::new(&expected.record, 0)).unwrap();
        assert_eq!(timeless(lines.next().unwrap().as_bytes()), timeless(&line));
        let answer: Value =
            serde_json::from_str(lines.next().unwrap().strip_prefix("answer ").unwrap()).unwrap();
        assert_eq!(answer, serde_json::to_value(&expected.outcome).unwrap());
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn what_cannot_start_writes_one_line_and_ends_before_an_event() {
    if !has_python() {
        return;
    }
    type Spoil = fn(&Path);
    let cases: [(&str, &str, Spoil); 5] = [
        ("library_not_loaded", "no such file", |folder| {
            fs::remove_file(folder.join("libauthorizer.so")).unwrap()
        }),
        ("library_not_loaded", "invalid elf header", |folder| {
            fs::remove_file(folder.join("libauthorizer.so")).unwrap();
            fs::write(folder.join("libauthorizer.so"), "not a library".repeat(20)).unwrap();
        }),
        ("library_not_loaded", "authorizer_start", |folder| {
            fs::remove_file(folder.join("libauthorizer.so")).unwrap();
            // A library of another kind: one that this process has loaded.
            let maps = fs::read_to_string("/proc/self/maps").unwrap();
            let libc = maps
                .lines()
                .filter_map(|line| line.split_whitespace().nth(5))
                .find(|path| path.contains("libc."));
            symlink(libc.unwrap(), folder.join("libauthorizer.so")).unwrap();
        }),
        ("bundle_missing", "bundle.json", |folder| fs::remove_file(folder.join("bundle.json")).unwrap()),
        ("bundle_invalid", "bundle.json", |folder| fs::write(folder.join("bundle.json"), "{}").unwrap()),
    ];
    for (reason, says, spoil) in cases {
        let folder = folder();
        spoil(folder.path());
        let output = run(folder.path(), &[event("/public/x")]);
        assert_eq!(output.status.code(), Some(1), "{reason}: {output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(stdout.lines().count(), 1, "{stdout}");
        let line: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&line["event"], &line["reason"]), (&"start_failed".into(), &reason.into()), "{line}");
        assert!(line["message"].as_str().unwrap().to_lowercase().contains(says), "{line}");
        assert_eq!(output.stderr, b"");
    }
}
