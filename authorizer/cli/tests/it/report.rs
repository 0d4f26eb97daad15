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
fn the_salt_of_the_decision_log_is_in_no_report_however_it_is_written() {
    let rest = "6789abcdef0123456789abcdef";
    let salt = format!("012345{rest}");
    for (written, shows_the_rest) in [
        (format!("[log]\nclaims_salt = \"{salt}\""), true),
        (format!("[log]\nclaims_salt = \"\"\"\n{salt}\"\"\""), true),
        (format!("log = {{ subject = \"plain\", claims_salt = '{salt}' }}"), true),
        (format!("log.\"claims_salt\" = \"01234\\u0035{rest}\""), false),
    ] {
        let folder = with_secret();
        let path = folder.path().join("policy.toml");
        let text = fs::read_to_string(&path).unwrap();
        let (version, others) = text.split_once('\n').unwrap();
        let policy = match written.starts_with('[') {
            true => format!("{text}\n{written}\n"),
            false => format!("{version}\n{written}\n{others}"),
        };
        fs::write(&path, policy).unwrap();
        for arguments in [
            &["audit", "report", "policy.toml", "--format", "markdown"][..],
            &["audit", "report", "policy.toml", "--format", "html"],
            &["audit", "findings", "policy.toml"],
            &["audit", "findings", "policy.toml", "--format", "sarif"],
            &["audit", "findings", "policy.toml", "--format", "json"],
        ] {
            let done = Done::of(&mut command_in(folder.path(), arguments));
            assert!(done.code < 2, "{}", done.err);
            assert!(!done.out.contains(rest) && !done.err.contains(rest), "{written} {arguments:?}");
            if arguments[1] == "report" {
                assert_eq!(done.out.contains("version = 1"), shows_the_rest, "{written} {arguments:?}");
            }
        }
    }
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

/// A policy with tests beside it: one passes, one fails.
fn with_tests() -> TempDir {
    let folder = with_secret();
    let tests = "version = 1\n[defaults]\nnow = \"2027-01-15T08:00:00Z\"\nissuer = \"hooks\"\nclaims = { sub = \"alice\" }\n\n\
                 [[tests]]\nname = \"hooks <write>\"\nmethod = \"PUT\"\nkey = \"in/a.txt\"\nexpect = \"allow\"\n\n\
                 [[tests]]\nname = \"hooks | read\"\nmethod = \"GET\"\nkey = \"in/a.txt\"\nexpect = \"allow\"\n";
    fs::write(folder.path().join("policy.tests.toml"), tests).unwrap();
    folder
}

#[test]
fn the_results_of_the_tests_and_what_they_do_not_cover_are_in_the_report() {
    let folder = with_tests();
    let Done { code, out, err } = report(folder.path(), &["policy.toml", "--format", "markdown"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let (_, tests) = out.split_once("## Tests of the policy").unwrap();
    let (tests, _) = tests.split_once("## Issuers and keys").unwrap();
    insta::assert_snapshot!(tests);

    let Done { out: page, .. } = report(folder.path(), &["policy.toml"]);
    assert!(
        page.contains("hooks &lt;write&gt;") && page.contains("2 requests: 1 passed, 1 failed."),
        "{page}"
    );

    // The same tests under another name have to be named.
    fs::rename(folder.path().join("policy.tests.toml"), folder.path().join("other.toml")).unwrap();
    let Done { out: without, .. } = report(folder.path(), &["policy.toml"]);
    assert!(without.contains("None were given"), "{without}");
    let Done { out: with, .. } = report(folder.path(), &["policy.toml", "--tests", "other.toml"]);
    assert_eq!(with, page.replace("policy.tests.toml", "other.toml"));
}

#[test]
fn tests_that_cannot_be_read_leave_no_report() {
    let folder = with_tests();
    let tests = folder.path().join("policy.tests.toml");
    for (text, said) in [("version = 7\n", "7"), ("version = 1\n[[test]]\n", "test")] {
        fs::write(&tests, text).unwrap();
        let Done { code, out, err } = report(folder.path(), &["policy.toml"]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("policy.tests.toml") && err.contains(said), "{err}");
    }
    let Done { code, err, .. } = report(folder.path(), &["policy.toml", "--tests", "none.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("none.toml"), "{err}");
}

#[test]
fn findings_are_linked_to_their_pages_where_the_address_is_known() {
    let folder = with_secret();
    let docs = "https://git.example.com/authorizer/docs/";
    let Done { out: page, .. } = report(folder.path(), &["policy.toml", "--docs", docs]);
    let links: Vec<_> = page.split("<a href=\"https://").skip(1).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(link.starts_with("git.example.com/authorizer/docs/audit/EA"), "{link}");
    }
    let Done { out: text, .. } =
        report(folder.path(), &["policy.toml", "--docs", docs, "--format", "markdown"]);
    assert!(text.contains("](<https://git.example.com/authorizer/docs/audit/EA"), "{text}");

    for bad in
        ["javascript:alert(1)", "docs", "https://x/\"onclick", "https://x/a b", "https://x/?a", "ftp://x"]
    {
        let Done { code, out, err } = report(folder.path(), &["policy.toml", "--docs", bad]);
        assert_eq!((code, out.as_str()), (2, ""), "{bad}");
        assert!(err.contains("--docs"), "{err}");
    }
}

#[test]
fn findings_are_linked_to_the_site_too_where_its_address_is_given() {
    let folder = with_secret();
    let site = "https://docs.example.com/authorizer/1.0.0/index.html";
    let Done { out: page, .. } = report(folder.path(), &["policy.toml", "--docs", site]);
    assert!(page.contains("\"https://docs.example.com/authorizer/1.0.0/docs/audit/EA"), "{page}");
    assert!(!page.contains("index.html"), "{page}");
}

#[test]
fn a_report_may_go_to_a_device() {
    let folder = with_secret();
    let Done { code, out, err } = report(folder.path(), &["policy.toml", "--out", "/dev/null"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let Done { code, err, .. } = report(folder.path(), &["policy.toml", "--out", "/dev/full"]);
    assert_eq!(code, 2);
    assert!(err.contains("`/dev/full` cannot be written"), "{err}");
    let Done { code, err, .. } = report(folder.path(), &["policy.toml", "--out", "."]);
    assert_eq!(code, 2);
    assert!(err.contains("is not a file"), "{err}");
}
