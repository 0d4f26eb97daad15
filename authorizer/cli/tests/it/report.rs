//! `authorizer audit report`, as files. `tests/e2e/tests/it/needs_browser/report.rs` tests the page in a browser.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Done, NOW, ROOT, command_in};

const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

fn report(folder: &Path, arguments: &[&str]) -> Done {
    Done::of(&mut command_in(folder, &[&["audit", "report", "--now", NOW], arguments].concat()))
}

/// The policy of the picture in the docs.
fn review(format: &str) -> String {
    let Done { code, out, err } =
        report(Path::new(ROOT), &["tests/e2e/policies/review.toml", "--format", format]);
    assert_eq!((code, err.as_str()), (0, ""));
    out
}

/// A policy with a shared secret in a file, and a finding.
fn with_secret() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policy = "version = 1\n\n[[issuers]]\nname = \"hooks\"\nissuer = \"https://hooks.example.com/\"\n\
                  audience = [\"files-api\"]\nalgorithms = [\"HS256\"]\nsecret = { file = \"hooks.secret\" }\n\n\
                  [[rules]]\nid = \"hooks-write\"\neffect = \"allow\"\nmethods = [\"PUT\"]\nkeys = [\"in/**\"]\n";
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    fs::write(folder.path().join("hooks.secret"), SECRET).unwrap();
    folder
}

#[test]
fn markdown_says_all_of_it() {
    insta::assert_snapshot!(review("markdown"));
}

#[test]
fn the_same_policy_and_instant_give_the_same_bytes_wherever_it_lies() {
    for format in ["html", "markdown"] {
        let (one, other) = (with_secret(), with_secret());
        let arguments = ["policy.toml", "--format", format];
        let Done { out: first, .. } = report(one.path(), &arguments);
        let path = other.path().join("policy.toml");
        let Done { out: second, .. } = report(Path::new("/"), &[path.to_str().unwrap(), "--format", format]);
        assert!(!first.is_empty());
        assert_eq!(first, second);
        assert!(!second.contains(other.path().to_str().unwrap()), "the folder is nobody's business");
    }
}

#[test]
fn a_secret_is_named_and_never_shown() {
    let folder = with_secret();
    for format in ["html", "markdown"] {
        let Done { code, out, .. } = report(folder.path(), &["policy.toml", "--format", format]);
        assert_eq!(code, 0);
        assert!(out.contains("hooks.secret"), "{out}");
        // In base64url, as in the bundle.
        for secret in [SECRET, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6"] {
            assert!(!out.contains(secret), "{format}");
        }
    }
}

#[test]
fn a_report_goes_into_a_file_whole_or_not_at_all() {
    let folder = with_secret();
    let out = folder.path().join("report.html");
    fs::write(&out, "before").unwrap();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "version = 2\n").unwrap();
    let Done { code, out: printed, err } = report(folder.path(), &["broken.toml", "--out", "report.html"]);
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(err.contains("broken.toml"), "{err}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "before");

    let Done { code, out: printed, err } = report(folder.path(), &["policy.toml", "--out", "report.html"]);
    assert_eq!((code, printed.as_str(), err.as_str()), (0, "", ""));
    let Done { out: expected, .. } = report(folder.path(), &["policy.toml"]);
    assert_eq!(fs::read_to_string(&out).unwrap(), expected);
}

#[test]
fn the_page_names_nothing_that_could_be_loaded() {
    let page = review("html");
    for loads in
        ["src=", "<link", "@import", "url(", "@font-face", "http-equiv=\"refresh\"", "<iframe", "<base"]
    {
        assert!(!page.contains(loads), "{loads}");
    }
    let links = page.split("href=\"").skip(1);
    let elsewhere: Vec<_> = links.filter(|rest| !rest.starts_with('#')).collect();
    assert_eq!(elsewhere, Vec::<&str>::new());
}
