//! A reader that stops, such as `head`: every command ends quietly, and that is no fault of its input.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{NOW, PROGRAM, ROOT, authorizer};

/// The exit status and the messages of a command whose reader is gone before it writes.
fn without_reader(arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = Command::new(PROGRAM)
        .current_dir(ROOT)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn every_command_ends_quietly_with_141_when_nobody_reads_its_result() {
    const POLICY: &str = "fixtures/policies/cases.toml";
    const SAMPLE: &str = "fixtures/policies/sample.toml";
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    assert_eq!(authorizer(&["token", "keygen", "k", "--dir", keys.to_str().unwrap()]).code, 0);
    let (key, jwks) = (keys.join("k.private.pem"), keys.join("k.jwks.json"));
    let (key, jwks) = (key.to_str().unwrap(), jwks.to_str().unwrap());
    let token = authorizer(&["token", "mint", "--key", key, "--issuer", "i"]).out;
    let event = "fixtures/events/algorithm-es256.json";
    let mut commands = vec![
        vec!["--help"],
        vec!["check", "-h"],
        vec!["check", "--format", "json", "--nope"],
        vec!["audit", "cedar", SAMPLE],
        vec!["audit", "report", SAMPLE, "--format", "markdown"],
        vec!["token", "mint", "--key", key, "--issuer", "i"],
    ];
    for format in ["text", "json"] {
        commands.extend([
            vec!["check", "--format", format, SAMPLE],
            vec!["audit", "query", "--policy", SAMPLE, "--format", format],
            vec!["replay", "--policy", POLICY, "--now", NOW, "--format", format, "fixtures/events"],
            vec!["explain", "--policy", POLICY, "--now", NOW, "--format", format, event],
            vec!["token", "inspect", "--format", format, token.trim()],
            vec!["keys", "inspect", "--format", format, jwks],
        ]);
    }
    for format in ["text", "json", "markdown"] {
        commands.push(vec!["audit", "diff", "--format", format, SAMPLE, POLICY]);
    }
    for format in ["text", "json", "sarif"] {
        commands.push(vec!["audit", "findings", "--now", NOW, "--format", format, SAMPLE]);
    }
    for format in ["text", "json", "csv", "html"] {
        commands.push(vec!["audit", "matrix", "--policy", SAMPLE, "--format", format]);
    }
    for format in ["text", "json", "junit"] {
        commands.push(vec!["test", "--policy", SAMPLE, "--format", format]);
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        commands.push(vec!["completions", shell]);
    }
    let pages = folder.path().join("man");
    commands.push(vec!["man", pages.to_str().unwrap()]);
    let new = folder.path().join("new");
    let new = ["token", "keygen", "l", "--dir", new.to_str().unwrap()];
    commands.push(new.to_vec());
    let logs = "fixtures/logs";
    commands.push(vec!["backtest", "--policy", SAMPLE, logs]);
    commands.push(vec![
        "serve",
        "--policy",
        SAMPLE,
        "--listen",
        "127.0.0.1:0",
        "--data",
        folder.path().to_str().unwrap(),
    ]);
    for arguments in commands {
        let (code, said) = without_reader(&arguments);
        // What is wrong with the arguments themselves would be said.
        assert_eq!((code, said.as_str()), (Some(141), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_still() {
    for arguments in [
        vec!["--help"],
        vec!["--version"],
        vec!["audit", "diff", "-h"],
        vec!["check", "fixtures/policies/sample.toml"],
        vec!["audit", "matrix", "--policy", "fixtures/policies/sample.toml", "--format", "csv"],
    ] {
        let full = fs::OpenOptions::new().write(true).open(Path::new("/dev/full")).unwrap();
        let done = Command::new(PROGRAM).current_dir(ROOT).args(&arguments).stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&done.stderr).contains("cannot be written"));
    }
}
