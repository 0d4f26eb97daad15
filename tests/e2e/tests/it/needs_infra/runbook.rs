//! docs/runbook.md: its commands exist, and do what the page says, as far as that can be seen without AWS.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::{authorizer, root};

fn page() -> String {
    fs::read_to_string(root().join("docs/runbook.md")).unwrap()
}

/// Runs the command line in a folder, with a file as its standard input: the exit status, and all that it said.
fn run(folder: &Path, line: &str, input: Option<&str>) -> (i32, String) {
    let mut command = Command::new(authorizer());
    command.args(line.split_whitespace()).current_dir(folder).env("NO_COLOR", "1");
    if let Some(input) = input {
        command.stdin(File::open(folder.join(input)).unwrap());
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

/// The sample policy with a key of our own, and a token of it.
fn deployed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), "token keygen dev --dir keys", None).0, 0);
    let sample = fs::read_to_string(root().join("fixtures/policies/sample.toml")).unwrap();
    let policy = sample.replace("keys/sample.jwks.json", "keys/dev.jwks.json");
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let mint = "token mint --key keys/dev.private.pem --policy policy.toml --subject alice --scope files";
    let (status, token) = run(folder.path(), mint, None);
    assert_eq!(status, 0, "{token}");
    fs::write(folder.path().join("leaked.token"), token).unwrap();
    folder
}

const INSPECT: &str = "token inspect --policy policy.toml -";

#[test]
fn the_block_of_the_page_revokes_the_leaked_token_and_opens_nothing() {
    let folder = deployed();
    let folder = folder.path();
    assert!(page().contains("authorizer token inspect --policy policy.toml - < leaked.token"));
    let (status, text) = run(folder, INSPECT, Some("leaked.token"));
    assert_eq!(status, 0, "{text}");

    let page = page();
    let block = page.split("[[revoked]]\n").nth(1).unwrap().split("```").next().unwrap();
    // The time of the page is before that of the token.
    let block = block.replace("2026-11-24", "2099-01-01");
    fs::copy(folder.join("policy.toml"), folder.join("policy.before.toml")).unwrap();
    let policy = fs::read_to_string(folder.join("policy.toml")).unwrap();
    fs::write(folder.join("policy.toml"), format!("{policy}\n[[revoked]]\n{block}")).unwrap();
    let (status, text) = run(folder, "check policy.toml", None);
    assert_eq!(status, 0, "{text}");
    let (status, text) = run(folder, INSPECT, Some("leaked.token"));
    assert!(status == 1 && text.contains("refused by the policy: token_revoked"), "{text}");
    let (status, text) = run(folder, "audit diff policy.before.toml policy.toml", None);
    assert!(status == 1 && text.contains("narrower") && !text.contains("wider"), "{text}");
}

#[test]
fn without_the_leaked_key_in_the_package_its_tokens_do_not_verify() {
    let folder = deployed();
    let folder = folder.path();
    assert_eq!(run(folder, "token keygen next --dir keys", None).0, 0);
    fs::rename(folder.join("keys/next.jwks.json"), folder.join("keys/dev.jwks.json")).unwrap();
    let (status, text) = run(folder, "keys inspect keys/dev.jwks.json", None);
    assert_eq!(status, 0, "{text}");
    let (status, text) = run(folder, INSPECT, Some("leaked.token"));
    assert!(status == 1 && text.contains("signing_key_unknown"), "{text}");
}

#[test]
fn every_command_of_the_page_exists() {
    let page = page();
    let folder = tempfile::tempdir().unwrap();
    let commands: Vec<&str> =
        page.lines().map(str::trim).filter_map(|line| line.strip_prefix("authorizer ")).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let count = if ["check", "backtest"].contains(&words[0]) { 1 } else { 2 };
        let (status, text) = run(folder.path(), &format!("{} --help", words[..count].join(" ")), None);
        assert_eq!(status, 0, "{command}: {text}");
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(text.contains(option), "{command}: {option}");
        }
    }
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(page.contains("make deploy ") && makefile.contains("\ndeploy:"));
    assert!(page.contains(" infra/deploy ") && root().join("infra/deploy").is_file());
    let alarms = fs::read_to_string(root().join("infra/cloudformation/alarms.yaml")).unwrap();
    for alarm in ["Throttles", "ConcurrencyNearQuota", "LimitExceeded"] {
        assert!(page.contains(&format!("`{alarm}`")) && alarms.contains(&format!("  {alarm}:\n")), "{alarm}");
    }
}
