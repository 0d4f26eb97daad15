//! docs/ci.md: its examples, as they stand, and `.pre-commit-hooks.yaml`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::github::{Repository, yaml};
use authorizer_e2e::skipped::skip;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::github::{FILES, narrower, release, tests_of_narrower, wider};

/// The examples of the page.
fn examples() -> Vec<Value> {
    let page = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    blocks.map(|block| serde_yaml_ng::from_str(block.strip_prefix("yaml\n").unwrap()).unwrap()).collect()
}

fn lines(commands: &Value) -> Vec<&str> {
    commands.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

/// Whether the commands succeed in a checkout of a repository whose `main` was changed, with the variables of a
/// pipeline.
fn succeeds(commands: &[&str], policy: &str, tests: &str, base: &str) -> bool {
    let repository = Repository::new(&FILES);
    let before = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["switch", "--quiet", "--create", "change"]);
    repository.commit(&[("policy.toml", policy), ("policy.tests.toml", tests)]);
    let workspace = repository.check_out();
    let folder = tempfile::tempdir().unwrap();
    let archive = release(folder.path());
    let sum: String = digest(&SHA256, &archive).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut shell = Command::new("bash");
    shell.args(["-eo", "pipefail", "-c", &commands.join("\n")]).current_dir(&workspace);
    shell.env("AUTHORIZER_ARCHIVE", format!("file://{}", folder.path().join("archive.tar.gz").display()));
    shell
        .env("AUTHORIZER_SHA256", sum)
        .env(base, if base.ends_with("_SHA") { &before } else { "refs/heads/main" });
    let output = shell.output().unwrap();
    let reached = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() || reached.contains("\nwider\n"), "{output:?}");
    assert!(fs::read_to_string(workspace.join("tests.xml")).unwrap().contains("<testsuite"));
    output.status.success()
}

#[test]
fn the_pipelines_of_the_page_pass_a_change_unless_it_gives_access() {
    if Command::new("git").arg("--version").output().is_err() {
        return skip("git is not installed");
    }
    let examples = examples();
    let gitlab = examples.iter().find_map(|one| one.get("review-policy")).unwrap();
    let gitlab = [lines(&gitlab["before_script"]), lines(&gitlab["script"])].concat();
    let codebuild = examples.iter().find_map(|one| one.get("phases")).unwrap();
    let codebuild =
        [lines(&codebuild["install"]["commands"]), lines(&codebuild["build"]["commands"])].concat();
    for (commands, base) in
        [(gitlab, "CI_MERGE_REQUEST_DIFF_BASE_SHA"), (codebuild, "CODEBUILD_WEBHOOK_BASE_REF")]
    {
        assert!(commands.iter().any(|line| line.contains(&format!("\"${base}\""))), "{commands:?}");
        assert!(succeeds(&commands, &narrower(), &tests_of_narrower(), base));
        assert!(!succeeds(&commands, &wider(), FILES[1].1, base));
    }
}

#[test]
fn the_workflows_of_the_page_give_inputs_and_permissions_that_the_action_takes() {
    let (action, called) = (yaml("action.yml"), yaml(".github/workflows/review.yml"));
    let page = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for kind in ["inputs", "outputs"] {
        for name in action[kind].as_object().unwrap().keys() {
            assert!(page.contains(&format!("\n| `{name}` | ")), "docs/ci.md does not have {name}");
        }
    }
    let (mut steps, mut calls) = (0, 0);
    for example in examples() {
        let Some(job) = example.pointer("/jobs/review") else { continue };
        // `edited` is a pull request that gets another base.
        let types = lines(&example["on"]["pull_request"]["types"]);
        assert!(["opened", "synchronize", "reopened", "edited"].iter().all(|kind| types.contains(kind)));
        assert_eq!(job["permissions"], called["jobs"]["review"]["permissions"]);
        if let Some(uses) = job["uses"].as_str() {
            assert_eq!(uses, "OWNER/edge-authorizer/.github/workflows/review.yml@COMMIT");
            let inputs = &called["on"]["workflow_call"]["inputs"];
            assert!(job["with"].as_object().unwrap().keys().all(|name| !inputs[name].is_null()));
            calls += 1;
            continue;
        }
        for step in job["steps"].as_array().unwrap() {
            let uses = step["uses"].as_str().unwrap();
            if uses == "OWNER/edge-authorizer@COMMIT" {
                assert!(
                    step["with"].as_object().unwrap().keys().all(|name| !action["inputs"][name].is_null())
                );
                steps += 1;
            } else {
                // The same commits as in the workflows of the project, which dependabot renews.
                let ours = fs::read_to_string(root().join(".github/workflows/review.yml")).unwrap();
                assert!(ours.contains(uses), "{uses}");
            }
        }
    }
    assert_eq!((steps, calls), (1, 1));
}

#[test]
fn the_hooks_of_the_page_exist_and_fail_for_a_policy_that_is_wrong() {
    let examples = examples();
    let asked = examples.iter().find_map(|one| one.pointer("/repos/0/hooks")).unwrap().as_array().unwrap();
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hooks = hooks.as_array().unwrap();
    let ids = |hooks: &[Value]| hooks.iter().map(|hook| hook["id"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(asked), ids(hooks));
    let program = authorizer();
    let runs = |hook: &Value, args: &Value, folder: &Path| {
        let entry = hook["entry"].as_str().unwrap().split(' ').collect::<Vec<_>>();
        assert_eq!(entry[0], "authorizer");
        let mut command = Command::new(&program);
        command.args(&entry[1..]).args(args.as_array().map_or(Vec::new(), |_| lines(args)));
        if hook["pass_filenames"] != false {
            command.args(["policy.toml"]);
        }
        command.current_dir(folder).output().unwrap().status.success()
    };
    let covered = FILES[1].1.to_owned()
        + "\n[[tests]]\nname = \"nothing else is read\"\nclaims = { sub = \"alice\", groups = [\"readers\"] }\n\
           method = \"GET\"\nkey = \"a\"\nexpect = \"refuse\"\n";
    for (policy, good) in [(FILES[0].1.to_owned(), true), (FILES[0].1.replace("effect ", "efect "), false)] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.toml"), policy).unwrap();
        fs::write(folder.path().join("policy.tests.toml"), &covered).unwrap();
        for (hook, asked) in hooks.iter().zip(asked) {
            assert_eq!(hook["id"], asked["id"]);
            assert_eq!(runs(hook, &hook["args"], folder.path()), good, "{hook}");
            assert_eq!(runs(hook, &asked["args"], folder.path()), good, "{asked}");
        }
    }
}
