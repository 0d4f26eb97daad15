//! `tests/run`, with a stand-in for cargo: one failure hides no other, and nothing that failed or was skipped is
//! left out of the end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use authorizer_e2e::binaries::root;

/// What a run printed, in lines, and whether it passed.
struct Ran {
    lines: Vec<String>,
    passed: bool,
}

impl Ran {
    fn says(&self, line: &str) -> bool {
        self.lines.iter().any(|one| one.trim() == line)
    }
}

/// Runs `tests/run fast`. `built` and `tested` are what cargo does as `cargo build` and `cargo test`, in shell.
fn run(built: &str, tested: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\ncase $1 in\nbuild) {built};;\ntest) {tested};;\nesac\n")).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(root().join("tests/run"))
        .arg("fast")
        .env("CARGO", &cargo)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    Ran { lines, passed: output.status.success() }
}

/// `cargo build` of the test binaries of two crates, which have the same name.
fn two_crates() -> String {
    let binary = |package: &str, path: &str| {
        format!(
            r#"echo '{{"reason":"compiler-artifact","package_id":"path+file:///a/{package}#authorizer-{package}@0.1.0","target":{{"name":"it"}},"profile":{{"test":true}},"executable":"{}/{path}"}}'"#,
            root().display()
        )
    };
    format!("{}; {}", binary("core", "target/debug/deps/it-1"), binary("cli", "target/debug/deps/it-2"))
}

/// One test binary of `cargo test`.
fn binary(path: &str, tests: &[&str], closing: &str) -> String {
    let mut shell = format!("echo '     Running tests/it/main.rs ({path})'; ");
    for line in tests {
        shell += &format!("echo 'test {line}'; ");
    }
    shell + &format!("echo 'test result: {closing}; 0 measured; 0 filtered out; finished in 0.10s'; ")
}

#[test]
fn a_broken_test_in_each_of_two_crates_is_named_at_the_end_together_with_the_other() {
    let tested = binary(
        "target/debug/deps/it-1",
        &["keys::a ... ok", "keys::b ... FAILED"],
        "FAILED. 1 passed; 1 failed; 0 ignored",
    ) + &binary(
        "target/debug/deps/it-2",
        &["c - should panic ... FAILED", "d ... ignored, it takes a minute"],
        "FAILED. 0 passed; 1 failed; 1 ignored",
    ) + "exit 101";
    let ran = run(&two_crates(), &tested);
    assert!(!ran.passed);
    assert!(ran.says("authorizer-core (it): keys::b"), "{:#?}", ran.lines);
    assert!(ran.says("authorizer-cli (it): c"), "{:#?}", ran.lines);
    assert!(ran.says("authorizer-cli (it): d: it takes a minute"), "{:#?}", ran.lines);
    assert_eq!(ran.lines.last().unwrap(), "1 passed, 2 failed, 1 skipped");
}

#[test]
fn what_a_test_skipped_itself_is_named_and_is_not_counted_as_passed() {
    let tested =
        binary("target/debug/deps/it-1", &["a ... ok", "b ... ok"], "ok. 2 passed; 0 failed; 0 ignored")
            + r#"echo 'b: the browser: needs chromium' >>"$AUTHORIZER_SKIPPED""#;
    let ran = run(&two_crates(), &tested);
    assert!(ran.passed);
    assert!(ran.says("b: the browser: needs chromium"), "{:#?}", ran.lines);
    assert_eq!(ran.lines.last().unwrap(), "1 passed, 0 failed, 1 skipped");
}

#[test]
fn a_test_binary_that_dies_is_a_failure_and_so_are_tests_that_do_not_compile() {
    let died =
        "echo '     Running tests/it/main.rs (target/debug/deps/it-1)'; echo 'test a ... ok'; exit 101";
    let ran = run(&two_crates(), died);
    assert!(!ran.passed);
    assert!(ran.says("authorizer-core (it): ended before its last test"), "{:#?}", ran.lines);

    let ran = run("exit 101", "exit 0");
    assert!(!ran.passed);
    assert!(ran.says("tests: the tests do not compile"), "{:#?}", ran.lines);
}
