//! What shells and `man` read.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Done, command_in};

#[test]
fn the_completions_of_a_shell_know_every_command_and_the_shell_takes_them() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = Done::of(&mut command_in(".", &["completions", shell]));
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        for word in ["backtest", "dev-issuer", "bundled-only"] {
            assert!(done.out.contains(word), "{shell}: {word}");
        }
    }
    let bash = Done::of(&mut command_in(".", &["completions", "bash"])).out;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("authorizer.bash"), bash).unwrap();
    let script = "source authorizer.bash; COMP_WORDS=(authorizer au); COMP_CWORD=1; \
                  _authorizer authorizer au authorizer; echo \"${COMPREPLY[*]}\"";
    if let Ok(output) = Command::new("bash").args(["-c", script]).current_dir(folder.path()).output() {
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "audit", "{:?}", output.stderr);
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let done = Done::of(&mut command_in(folder.path(), &["man", "man1"]));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let page = |name: &str| fs::read_to_string(Path::new(folder.path()).join("man1").join(name)).unwrap();
    for (name, word) in [
        ("authorizer.1", "authorizer\\-check(1)"),
        ("authorizer-check.1", "check"),
        ("authorizer-audit-diff.1", "no\\-new\\-access"),
        ("authorizer-token-mint.1", "expires\\-in"),
    ] {
        let page = page(name);
        assert!(page.contains(".TH authorizer") && page.contains(word), "{name}: {page}");
    }
    assert_eq!(done.out, "the pages are written to man1\n");
}
