//! `action.yml`: its steps, on real repositories with real changes of a policy, and a server in the place of GitHub.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::{authorizer, root, run as authorizer_run};
use authorizer_e2e::github::{BOT, Ran, Repository, Server, run, run_with, yaml};
use authorizer_e2e::skipped::skip;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

pub(super) const POLICY: &str = r#"version = 1

[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files"]
algorithms = ["ES256"]
jwks       = { url = "https://login.example.com/keys" }

[[rules]]
id      = "readers"
effect  = "allow"
methods = ["GET"]
keys    = ["reports/**"]
when    = { groups = { has = "readers" } }
"#;

const TESTS: &str = r#"version = 1

[defaults]
now    = "2027-01-15T08:00:00Z"
issuer = "staff"

[[tests]]
name   = "readers read the reports"
claims = { sub = "alice", groups = ["readers"] }
method = "GET"
key    = "reports/a"
expect = "allow"

[[tests]]
name   = "others read nothing"
claims = { sub = "alice", groups = ["writers"] }
method = "GET"
key    = "reports/a"
expect = "refuse"
"#;

pub(super) const FILES: [(&str, &str); 2] = [("policy.toml", POLICY), ("policy.tests.toml", TESTS)];

/// A change that gives no access: it takes some away.
pub(super) fn narrower() -> String {
    POLICY.replace("reports/**", "reports/2027/**")
}

/// A change that gives access.
pub(super) fn wider() -> String {
    POLICY.replace("[\"GET\"]", "[\"GET\", \"PUT\"]")
}

/// Tests that a narrower policy passes too.
pub(super) fn tests_of_narrower() -> String {
    TESTS.replace("reports/a", "reports/2027/a")
}

/// Whether git is here. Otherwise the test is skipped.
pub(super) fn has_git() -> bool {
    let here = Command::new("git").arg("--version").output().is_ok();
    if !here {
        skip("git is not installed");
    }
    here
}

/// The event of a pull request into `base`.
pub(super) fn pull_request(base: &str) -> Value {
    json!({ "pull_request": { "number": 7, "base": { "sha": base } } })
}

/// Runs the action on a change of FILES, as the pull request 7.
fn change(server: &Server, files: &[(&str, &str)], inputs: &[(&str, &str)]) -> Ran {
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.commit(files);
    run(&repository.check_out(), server, &pull_request(&base), inputs)
}

/// Markdown without its code, which is between two runs of as many backticks.
fn without_code(markdown: &str) -> String {
    let runs = |text: &str| text.chars().take_while(|c| *c == '`').count();
    let mut rest = markdown;
    let mut left = String::new();
    while let Some((before, _)) = rest.split_once('`') {
        left.push_str(before);
        let opened = rest.split_at(before.len()).1;
        let fence = runs(opened);
        let mut inside = opened.split_at(fence).1;
        loop {
            let at = inside.find('`').unwrap_or_else(|| panic!("code has no end: {markdown}"));
            let closing = inside.split_at(at).1;
            let length = runs(closing);
            inside = closing.split_at(length).1;
            if length == fence {
                break;
            }
        }
        rest = inside;
    }
    left + rest
}

#[test]
fn the_first_run_writes_one_comment_and_later_ones_renew_it() {
    if !has_git() {
        return;
    }
    let server = Server::start(true);
    for number in 0..130 {
        server.has_comment("alice", &format!("comment {number}"));
    }
    let tests = tests_of_narrower();
    let first = change(&server, &[("policy.toml", &narrower()), ("policy.tests.toml", &tests)], &[]);
    assert_eq!(first.status, 0, "{}", first.log);
    assert_eq!(first.outputs["new-access"], "false");
    let [written] = &server.writes()[..] else { panic!("{:?}", server.writes()) };
    assert_eq!(
        (written.method.as_str(), written.path.as_str()),
        ("POST", "/repos/example/files/issues/7/comments")
    );
    assert_eq!(written.authorization, "Bearer the-token");
    let body = written.body["body"].as_str().unwrap();
    let (marker, shown) = body.split_once('\n').unwrap();
    assert!(marker.starts_with("<!-- edge-authorizer: ") && marker.ends_with(" -->"), "{marker}");
    assert!(shown.contains("`policy.toml` passes") && shown.contains("#### Narrower"), "{shown}");
    assert!(shown.contains("`base/policy.toml` compared with `change/policy.toml`"), "{shown}");
    assert!(first.summary.contains(shown.trim()), "{}", first.summary);

    // Anybody can copy the marker. The comment of the action is on the second page.
    let copied = Server::start(true);
    copied.has_comment("mallory", &format!("{marker}\nall is well"));
    assert_eq!(change(&copied, &[("policy.toml", &wider())], &[]).status, 1);
    assert_eq!((copied.comments(BOT).len(), copied.writes()[0].method.as_str()), (1, "POST"));
    server.has_comment("mallory", &format!("{marker}\nall is well"));
    let second = change(&server, &[("policy.toml", &wider())], &[("no-new-access", "false")]);
    assert_eq!(second.status, 0, "{}", second.log);
    let [_, renewed] = &server.writes()[..] else { panic!("{:?}", server.writes()) };
    assert_eq!(
        (renewed.method.as_str(), renewed.path.as_str()),
        ("PATCH", "/repos/example/files/issues/comments/130")
    );
    let [comment] = &server.comments(BOT)[..] else { panic!("{:?}", server.comments(BOT)) };
    assert!(comment.starts_with(marker) && comment.contains("#### Wider"), "{comment}");
    assert!(!comment.contains("#### Narrower"), "{comment}");
    assert_eq!(server.comments("mallory"), [format!("{marker}\nall is well")]);

    // Without a difference there is nothing to say, but what was said is renewed.
    let same = change(&server, &[], &[]);
    assert_eq!((same.status, server.writes().len()), (0, 3), "{}", same.log);
    assert!(!server.comments(BOT)[0].contains("#### Wider"));
    let silent = Server::start(true);
    assert_eq!(change(&silent, &[], &[]).status, 0);
    assert!(silent.writes().is_empty());
    let off = change(
        &silent,
        &[("policy.toml", &narrower()), ("policy.tests.toml", &tests)],
        &[("comment", "false")],
    );
    assert_eq!((off.status, silent.asked().len()), (0, 1), "{}", off.log);
}

#[test]
fn new_access_fails_unless_it_is_asked_to_warn() {
    if !has_git() {
        return;
    }
    let server = Server::start(true);
    let refused = change(&server, &[("policy.toml", &wider())], &[]);
    assert_eq!((refused.status, refused.outputs["new-access"].as_str()), (1, "true"), "{}", refused.log);
    let said = "policy.toml:: the change gives new access; the summary of the run lists it";
    assert!(refused.annotations("error").contains(&said.to_owned()), "{:?}", refused.orders);
    assert!(server.comments(BOT)[0].contains("`policy.toml` does not pass"));

    let warned = change(&server, &[("policy.toml", &wider())], &[("no-new-access", "false")]);
    assert_eq!((warned.status, warned.outputs["new-access"].as_str()), (0, "true"), "{}", warned.log);
    assert!(warned.annotations("warning").contains(&said.to_owned()), "{:?}", warned.orders);

    for input in ["no-new-access", "comment"] {
        let unusable = change(&server, &[("policy.toml", &wider())], &[(input, "maybe")]);
        assert_eq!(unusable.status, 2, "{}", unusable.log);
        assert!(
            unusable.annotations("error")[0].contains("write `true` or `false`"),
            "{:?}",
            unusable.orders
        );
    }
}

#[test]
fn secrets_that_no_repository_has_are_reviewed_without() {
    if !has_git() {
        return;
    }
    let sign_in = |key: &str| {
        format!(
            "{POLICY}\n[credentials]\ncookie = \"__Host-session\"\n\n[sign_in]\nissuer = \"staff\"\nclient_id = \"files-web\"\n\
             origin = \"https://files.example.com\"\nauthorization_endpoint = \"https://login.example.com/authorize\"\n\
             token_endpoint = \"https://login.example.com/token\"\ncookie_key = {{ file = \"{key}\" }}\n"
        )
    };
    // Beside the policy, in a folder that git does not have, out of the repository, and on the machine of who packages.
    for key in ["sign-in.key", "secrets/sign-in.key", "../sign-in.key", "/nowhere/sign-in.key"] {
        let server = Server::start(true);
        let policy = sign_in(key);
        let repository = Repository::new(&[("policy.toml", policy.as_str()), ("policy.tests.toml", TESTS)]);
        let base = repository.git(&["rev-parse", "HEAD"]);
        let narrower = policy.replace("reports/**", "reports/2027/**");
        let tests = tests_of_narrower();
        repository.commit(&[("policy.toml", narrower.as_str()), ("policy.tests.toml", tests.as_str())]);
        let inputs = [("fail-on", "never")];
        let ran = run(&repository.check_out(), &server, &pull_request(&base), &inputs);
        assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (0, "false"), "{key}: {}", ran.log);
        let said = "`sign_in.cookie_key` cannot be compared";
        assert!(ran.summary.contains(said), "{key}: {}", ran.summary);
        assert!(ran.annotations("warning").iter().any(|one| one.contains("not here")), "{key}: {}", ran.log);
    }
}

#[test]
fn a_token_that_may_only_read_costs_the_comment_and_nothing_else() {
    if !has_git() {
        return;
    }
    let tests = tests_of_narrower();
    let files = [("policy.toml", &*narrower()), ("policy.tests.toml", &tests)];
    let server = Server::start(false);
    let ran = change(&server, &files, &[]);
    assert_eq!(ran.status, 0, "{}", ran.log);
    assert!(server.comments(BOT).is_empty());
    assert!(ran.summary.contains("#### Narrower"), "{}", ran.summary);
    assert!(ran.annotations("notice").iter().any(|said| said.contains("no comment") && said.contains("403")));
    // New access fails here too.
    assert_eq!(change(&server, &[("policy.toml", &wider())], &[]).status, 1);
    assert!(!ran.log.contains("the-token"));
}

#[test]
fn the_findings_are_sarif_that_names_the_file_of_the_repository() {
    if !has_git() {
        return;
    }
    let text =
        fs::read_to_string(root().join("fixtures/schemas/sarif-2.1.0/sarif-schema-2.1.0.json")).unwrap();
    // In the published schema, one pattern has a `]` too many. ECMA-262 reads it as a character, others as an error.
    let schema = serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", r"[a-zA-Z]{2}\\]?$")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let open = POLICY.replace("when    = { groups = { has = \"readers\" } }", "anonymous = true");
    let broken = POLICY.replace("effect ", "efect ");
    for (policy, finds) in [(POLICY, true), (&open, true), (&broken, false)] {
        let repository = Repository::new(&FILES);
        let base = repository.git(&["rev-parse", "HEAD"]);
        repository.commit(&[("policy.toml", policy)]);
        let workspace = repository.check_out();
        let server = Server::start(true);
        let ran = run(&workspace, &server, &pull_request(&base), &[("sarif", "findings.sarif")]);
        assert_eq!(ran.outputs["sarif"], "findings.sarif", "{}", ran.log);
        let sarif: Value =
            serde_json::from_slice(&fs::read(workspace.join("findings.sarif")).unwrap()).unwrap();
        let errors: Vec<_> = schema.iter_errors(&sarif).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert_eq!(!results.is_empty(), finds, "{sarif}");
        for one in results {
            assert_eq!(one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "policy.toml");
            // Each finding is also said beside its line.
            let title = format!("{} (", one["ruleId"].as_str().unwrap());
            let line = one["locations"][0]["physicalLocation"]["region"]["startLine"].to_string();
            assert!(ran.orders.iter().any(|order| {
                let attribute = |name: &str| order.attributes.get(name).is_some_and(|value| *value == line);
                attribute("line") && order.attributes["title"].starts_with(&title)
            }));
        }
    }
    // The lowest severity that fails is an input.
    let server = Server::start(true);
    for (level, status) in [("low", 1), ("never", 0)] {
        let ran = change(&server, &[], &[("fail-on", level), ("policy", "policy.toml")]);
        assert_eq!(ran.status, status, "{level}: {}", ran.log);
    }
    assert_eq!(change(&server, &[], &[("fail-on", "all")]).status, 2);
}

#[test]
fn what_is_wrong_is_said_beside_its_line() {
    if !has_git() {
        return;
    }
    let server = Server::start(true);
    let broken = change(&server, &[("policy.toml", &POLICY.replace("effect ", "efect "))], &[]);
    assert_eq!((broken.status, broken.outputs["new-access"].as_str()), (1, "unknown"), "{}", broken.log);
    let errors = broken.annotations("error");
    let line = "policy.toml:12: `efect` is not a field of a rule. Remedy: did you mean `effect`? Write `effect = \"allow\"`";
    assert!(errors.contains(&line.to_owned()), "{errors:?}");

    let failing =
        change(&server, &[("policy.tests.toml", &TESTS.replacen("\"allow\"", "\"refuse\"", 1))], &[]);
    assert_eq!(failing.status, 1, "{}", failing.log);
    let errors = failing.annotations("error");
    let line = "policy.tests.toml:7: readers read the reports: decision: expected refuse, was allow";
    assert!(errors.contains(&line.to_owned()), "{errors:?}");

    let uncovered = change(&server, &[], &[("min-coverage", "100")]);
    assert_eq!((uncovered.status, uncovered.outputs["coverage"].as_str()), (1, "75"), "{}", uncovered.log);
    assert_eq!(change(&server, &[], &[("min-coverage", "75")]).status, 0);
    for least in ["101", "-1", "7x"] {
        let ran = change(&server, &[], &[("min-coverage", least)]);
        assert_eq!(ran.status, 2, "{least}: {}", ran.log);
    }

    let elsewhere = [("policy.tests.toml", "version = 1\n"), ("more/one.toml", TESTS)];
    assert_eq!(change(&server, &elsewhere, &[("tests", "more/one.toml\n")]).status, 0);

    let repository = Repository::new(&[FILES[0]]);
    let base = repository.git(&["rev-parse", "HEAD"]);
    let workspace = repository.check_out();
    for (inputs, status) in [(&[][..], 0), (&[("min-coverage", "1")], 1)] {
        let untested = run(&workspace, &server, &pull_request(&base), inputs);
        assert_eq!(untested.status, status, "{}", untested.log);
        assert!(untested.log.contains("the policy has no tests"), "{}", untested.log);
    }
}

#[test]
fn the_base_is_the_policy_before_the_change_wherever_it_was() {
    if !has_git() {
        return;
    }
    let server = Server::start(true);
    let tests = tests_of_narrower();

    // A policy that is new has nothing before it, and all of its access is new.
    let repository = Repository::new(&[("README.md", "files")]);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.commit(&FILES);
    let new = run(&repository.check_out(), &server, &pull_request(&base), &[]);
    assert_eq!((new.status, new.outputs["new-access"].as_str()), (1, "true"), "{}", new.log);
    assert!(new.summary.contains("`no policy` compared with `change/policy.toml`"), "{}", new.summary);

    // A policy that is renamed is compared with itself, with the keys that it had.
    let keys = tempfile::tempdir().unwrap();
    let key = |name: &str| {
        let folder = keys.path().to_str().unwrap();
        authorizer_run(["token", "keygen", name, "--algorithm", "ES256", "--dir", folder]);
        fs::read_to_string(keys.path().join(format!("{name}.jwks.json"))).unwrap()
    };
    let (one, other) = (key("one"), key("other"));
    let with_keys =
        POLICY.replace("url = \"https://login.example.com/keys\"", "file = \"keys/staff.jwks.json\"");
    let repository = Repository::new(&[
        ("a/old.toml", &with_keys),
        ("a/keys/staff.jwks.json", &one),
        ("a/old.tests.toml", TESTS),
    ]);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["mv", "a", "b"]);
    repository.git(&["mv", "b/old.toml", "b/policy.toml"]);
    repository.git(&["mv", "b/old.tests.toml", "b/policy.tests.toml"]);
    repository.commit(&[]);
    let in_b = [("policy", "b/policy.toml"), ("base-policy", "a/old.toml")];
    let unnamed = run(&repository.check_out(), &server, &pull_request(&base), &in_b[..1]);
    assert_eq!((unnamed.status, unnamed.outputs["new-access"].as_str()), (1, "true"), "{}", unnamed.log);
    let renamed = run(&repository.check_out(), &server, &pull_request(&base), &in_b);
    assert_eq!((renamed.status, renamed.outputs["new-access"].as_str()), (0, "false"), "{}", renamed.log);
    assert!(
        renamed
            .annotations("notice")
            .contains(&"b/policy.toml:: the policy was `a/old.toml` before".to_owned())
    );
    // The same policy with another key in its file trusts another key.
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.commit(&[("b/keys/staff.jwks.json", &other)]);
    let rekeyed = run(&repository.check_out(), &server, &pull_request(&base), &in_b);
    assert_eq!((rekeyed.status, rekeyed.outputs["new-access"].as_str()), (1, "true"), "{}", rekeyed.log);

    // A policy that is gone is not reviewed in silence.
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["rm", "--quiet", "policy.toml"]);
    repository.commit(&[]);
    let gone = run(&repository.check_out(), &server, &pull_request(&base), &[]);
    assert_eq!(gone.status, 2, "{}", gone.log);
    assert!(gone.annotations("error")[0].contains("`policy.toml` does not exist"), "{:?}", gone.orders);

    // What is merged is compared with what it is merged into, which may be newer than the base of the event.
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["switch", "--quiet", "--create", "change"]);
    repository.commit(&[("README.md", "a change of something else")]);
    repository.git(&["switch", "--quiet", "main"]);
    repository.commit(&[("policy.toml", &wider())]);
    repository.git(&["merge", "--quiet", "--no-ff", "--message=merge", "change"]);
    let merged = run(&repository.check_out(), &server, &pull_request(&base), &[]);
    assert_eq!((merged.status, merged.outputs["new-access"].as_str()), (0, "false"), "{}", merged.log);

    // Only GitHub's own merge says so. If the change's own commit is checked out, its author chose the parents.
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["switch", "--quiet", "--create", "change"]);
    repository.commit(&[("policy.toml", &wider())]);
    repository.git(&["switch", "--quiet", "--create", "other", &base]);
    repository.commit(&[]);
    repository.git(&["switch", "--quiet", "change"]);
    repository.git(&["merge", "--quiet", "--no-ff", "--message=merge", "other"]);
    let mut event = pull_request(&base);
    event["after"] = "2".repeat(40).into();
    let own = run(&repository.check_out(), &server, &event, &[]);
    assert_eq!((own.status, own.outputs["new-access"].as_str()), (1, "true"), "{}", own.log);

    // A push is compared with what was there before, a group with its base, and anything with what is asked for.
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "reviewed"]);
    repository.commit(&[("policy.toml", &narrower()), ("policy.tests.toml", &tests)]);
    repository.commit(&[]);
    let workspace = repository.check_out();
    let pushed = |before: &str| json!({ "ref": "refs/heads/main", "before": before });
    let zeros = "0".repeat(40);
    let queue =
        json!({ "ref": "refs/heads/gh-readonly-queue/main/pr-7", "merge_group": { "base_sha": base } });
    for (event, inputs, narrows) in [
        (pushed(&base), &[][..], true),
        (queue, &[], true),
        (pushed(&zeros), &[("no-new-access", "false")], false),
        (pushed(&zeros), &[("base", "refs/tags/reviewed")], true),
        (json!({ "ref": "refs/heads/main" }), &[("no-new-access", "false")], false),
    ] {
        let ran = run(&workspace, &server, &event, inputs);
        assert_eq!(ran.status, 0, "{event}: {}", ran.log);
        assert_eq!(ran.summary.contains("#### Narrower"), narrows, "{event}: {}", ran.summary);
        assert_eq!(ran.outputs["new-access"], if narrows { "false" } else { "not compared" });
    }

    // What must give no access is compared, or fails.
    let ran = run(&workspace, &server, &pushed(&zeros), &[]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "not compared"), "{}", ran.log);
    assert!(ran.annotations("error")[0].contains("nothing was compared"), "{:?}", ran.orders);

    // A base that cannot be had is no base in which everything was allowed.
    let unknown = "1".repeat(40);
    let ran = run(&workspace, &server, &pushed(&unknown), &[]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "unknown"), "{}", ran.log);
    assert!(ran.summary.contains("it is not known whether the change gives new access: git fetch"));

    // The checkout is left as it was.
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).current_dir(&workspace).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["worktree", "list"]).lines().count(), 1);

    // If the checkout did not keep its token, the base is fetched with the one of the inputs.
    let server = Server::start(true);
    git(&["remote", "set-url", "origin", &format!("{}/example/files", server.url())]);
    let ran = run(&workspace, &server, &pushed(&unknown), &[]);
    assert_eq!(ran.status, 1, "{}", ran.log);
    let asked = server.asked();
    let sent: Vec<_> = asked.iter().map(|one| (one.path.as_str(), one.authorization.as_str())).collect();
    let refs = "/example/files/info/refs?service=git-upload-pack";
    // base64 of `x-access-token:the-token`
    assert_eq!(sent, [(refs, ""), (refs, "basic eC1hY2Nlc3MtdG9rZW46dGhlLXRva2Vu")]);
}

#[test]
fn names_that_look_like_commands_or_markup_do_nothing() {
    if !has_git() {
        return;
    }
    const NAME: &str = "po`l\n::set-output name=new-access::false\n##[error]x @everyone <img src=x>$(touch a)%0A--> `` ,:.toml";
    let server = Server::start(true);
    let hostile = POLICY
        .replace("reports/**", "re`ports @everyone <img src=x>/**")
        .replace("has = \"readers\"", "has = \"a\\n::add-mask::a\\n::error::b ``` <b> @everyone\"")
        .replace("\"GET\"", "\"PUT\"");
    let tests = TESTS.replace("readers read the reports", "x\\n::add-mask::readers\\n##[add-mask]x");
    let bad_id = POLICY.replace("\"readers\"\neffect", "\"a\\n::error::b @everyone\"\neffect");
    for (policy, outcome) in [(&hostile, "true"), (&bad_id, "unknown")] {
        let repository = Repository::new(&[(NAME, POLICY), ("tests.toml", &tests)]);
        let base = repository.git(&["rev-parse", "HEAD"]);
        // As the author of a pull request names it.
        repository.git(&["switch", "--quiet", "--create", "a`;$(touch${IFS}b)@everyone"]);
        repository.commit(&[(NAME, policy)]);
        let workspace = repository.check_out();
        let event = json!({
            "pull_request": {
                "number": 7, "base": { "sha": base, "ref": "--upload-pack=touch c" }, "title": "::error::@everyone",
                "head": { "ref": "a`;$(touch${IFS}b)@everyone" },
            },
        });
        let ran = run(&workspace, &server, &event, &[("policy", NAME), ("tests", "tests.toml")]);
        assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, outcome), "{}", ran.log);
        let names: BTreeSet<_> = ran.orders.iter().map(|order| order.name.as_str()).collect();
        assert!(names.is_subset(&BTreeSet::from(["error", "warning", "notice"])), "{names:?}: {}", ran.log);
        assert!(ran.orders.iter().any(|order| order.attributes.get("file").is_some_and(|file| file == NAME)));
        for text in [Some(&ran.summary), server.comments(BOT).first()].into_iter().flatten() {
            let shown = without_code(text.trim_start_matches(|c| c != '\n'));
            for part in ["@", "<img", "<b>", "::", "##["] {
                assert!(!shown.contains(part), "{part}: {shown}\n{text}");
            }
        }
        let files = fs::read_dir(&workspace).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<_> = files.map(|name| name.to_string_lossy().into_owned()).collect();
        assert_eq!(files, BTreeSet::from([".git", NAME, "tests.toml"].map(str::to_owned)));
    }
    // What a base looks like that is an option, or names two branches.
    let repository = Repository::new(&FILES);
    let workspace = repository.check_out();
    for base in ["--upload-pack=touch d", "-h", "main:refs/heads/other", ""] {
        let ran = run(&workspace, &server, &pull_request("x; touch e"), &[("base", base)]);
        assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "unknown"), "{base}: {}", ran.log);
    }
    assert!(
        !workspace.join("touch d").exists() && !workspace.join("d").exists() && !workspace.join("e").exists()
    );
    let branches =
        Command::new("git").args(["branch", "--list", "other"]).current_dir(&workspace).output().unwrap();
    assert!(branches.stdout.is_empty());
}

/// The archive of a release, in which the program is this one.
pub(super) fn release(folder: &Path) -> Vec<u8> {
    let name = "authorizer-9.8.7-x86_64-unknown-linux-gnu";
    let program = folder.join(name).join("authorizer");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", authorizer().display())).unwrap();
    let made = Command::new("sh")
        .args(["-ec", "chmod +x \"$1/authorizer\"; tar -czf archive.tar.gz \"$1\"", "sh", name])
        .current_dir(folder)
        .status();
    assert!(made.unwrap().success());
    fs::read(folder.join("archive.tar.gz")).unwrap()
}

#[test]
fn a_release_is_used_if_it_has_its_checksum() {
    if !has_git() || !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    const RELEASE: &str = "/example/edge-authorizer/releases/download/v9.8.7";
    const NAME: &str = "authorizer-9.8.7-x86_64-unknown-linux-gnu.tar.gz";
    let folder = tempfile::tempdir().unwrap();
    let archive = release(folder.path());
    let sum: String = digest(&SHA256, &archive).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let server = Server::start(true);
    server.has_file(&format!("{RELEASE}/{NAME}"), archive);
    server.has_file(
        &format!("{RELEASE}/SHA256SUMS"),
        format!("{}  other\n{sum}  {NAME}\n", "0".repeat(64)).into(),
    );
    let repository = Repository::new(&FILES);
    let base = repository.git(&["rev-parse", "HEAD"]);
    let workspace = repository.check_out();
    let run = |inputs: &[(&str, &str)]| run_with(&workspace, &server, &pull_request(&base), inputs);
    for inputs in [&[("version", "9.8.7")][..], &[("version", "v9.8.7"), ("sha256", &sum)]] {
        let ran = run(inputs);
        assert_eq!(ran.status, 0, "{}", ran.log);
        assert!(ran.outputs["authorizer"].ends_with("/authorizer"), "{:?}", ran.outputs);
        assert!(ran.log.contains("EA088"), "{}", ran.log);
    }
    let wrong = run(&[("version", "9.8.7"), ("sha256", &"0".repeat(64))]);
    assert_eq!((wrong.status, wrong.outputs["authorizer"].as_str()), (1, ""), "{}", wrong.log);
    assert!(wrong.annotations("error")[0].contains("it is not used"), "{}", wrong.log);
    server.has_file(&format!("{RELEASE}/SHA256SUMS"), format!("{}  {NAME}\n", "0".repeat(64)).into());
    assert_eq!(run(&[("version", "9.8.7")]).status, 1);
    // The release of the sources is not there, nor are these.
    let version = env!("CARGO_PKG_VERSION");
    let own = run(&[]);
    assert!(
        own.annotations("error")[0].contains(&format!("/v{version}/authorizer-{version}-")),
        "{}",
        own.log
    );
    for inputs in [[("version", "9.8.7; touch a")], [("repository", "../../x")], [("authorizer", "/no/such")]]
    {
        let ran = run(&inputs);
        assert_eq!((ran.status, ran.annotations("error").len()), (1, 1), "{}", ran.log);
    }
}

#[test]
fn each_step_runs_a_script_that_is_there_with_inputs_that_exist() {
    let action = yaml("action.yml");
    let inputs: BTreeSet<_> = action["inputs"].as_object().unwrap().keys().cloned().collect();
    let mut used = BTreeSet::new();
    for step in action["runs"]["steps"].as_array().unwrap() {
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "{run}");
        let script = run.split("$GITHUB_ACTION_PATH/").nth(1).unwrap().trim_end_matches('"');
        let text = fs::read_to_string(root().join(script)).unwrap();
        for (name, value) in step["env"].as_object().unwrap() {
            assert!(text.contains(&format!("    {name} ")), "{script} does not describe {name}");
            assert!(text.contains(&format!("\"{name}\"")), "{script} does not read {name}");
            let names =
                value.as_str().unwrap().split_whitespace().filter_map(|word| word.strip_prefix("inputs."));
            used.extend(names.map(str::to_owned));
        }
        let help =
            Command::new(root().join(script)).arg("--help").env("PYTHONDONTWRITEBYTECODE", "1").output();
        let help = help.unwrap();
        assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains(script), "{script}");
    }
    assert_eq!(used, inputs);

    // The workflow for others has the same inputs, with the same defaults.
    let workflow = yaml(".github/workflows/review.yml");
    let steps = workflow["jobs"]["review"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == "review").unwrap();
    for (name, value) in step["with"].as_object().unwrap() {
        assert!(inputs.contains(name), "{name}");
        if name != "repository" {
            assert_eq!(*value, format!("${{{{ inputs.{name} }}}}"));
            let (one, other) = (&workflow["on"]["workflow_call"]["inputs"][name], &action["inputs"][name]);
            let default = one["default"].as_str().map_or_else(|| one["default"].to_string(), str::to_owned);
            assert_eq!(default, other["default"].as_str().unwrap(), "{name}");
        }
    }

    // Other people's actions are named by a commit.
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("uses: "))
        {
            let pinned = line.split_once('@').is_some_and(|(_, rest)| {
                let (commit, version) = rest.split_once(" # v").unwrap_or_default();
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()) && !version.is_empty()
            });
            assert!(pinned || line.starts_with("./.edge-authorizer"), "{path:?}: {line}");
        }
    }
}
