//! `action.yml` on changes whose author wants that another policy is compared than the one that they change.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::run as authorizer_run;
use authorizer_e2e::github::{BOT, Ran, Repository, Server, run, yaml};

use super::github::{FILES, POLICY, has_git, narrower, pull_request, tests_of_narrower, wider};

/// A repository with these files, and its commit.
fn repository(files: &[(&str, &str)]) -> (Repository, String) {
    let repository = Repository::new(files);
    let base = repository.git(&["rev-parse", "HEAD"]);
    (repository, base)
}

/// The folder that the repository is in.
fn folder(repository: &Repository) -> String {
    repository.git(&["rev-parse", "--show-toplevel"])
}

/// Runs the action on what the repository now has.
fn review(repository: &Repository, base: &str, inputs: &[(&str, &str)]) -> Ran {
    repository.commit(&[]);
    run(&repository.check_out(), &Server::start(true), &pull_request(base), inputs)
}

fn refused(ran: &Ran, status: i32, why: &str) {
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (status, "unknown"), "{}", ran.log);
    assert!(ran.annotations("error").iter().any(|said| said.contains(why)), "{why}: {:?}", ran.orders);
}

/// The keys of an issuer.
fn keys(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    authorizer_run([
        "token",
        "keygen",
        name,
        "--algorithm",
        "ES256",
        "--dir",
        folder.path().to_str().unwrap(),
    ]);
    fs::read_to_string(folder.path().join(format!("{name}.jwks.json"))).unwrap()
}

/// The policy with the keys of a file.
fn with_keys(file: &str) -> String {
    POLICY.replace("url = \"https://login.example.com/keys\"", &format!("file = \"{file}\""))
}

#[test]
fn a_link_to_another_policy_is_not_followed() {
    if !has_git() {
        return;
    }
    let in_a = [("policy", "a/policy.toml")];
    // The folder of the policy, or one above, leads to one that is wide before and after.
    for (policy, link, target) in [
        ("a/policy.toml", "a", "b"),
        ("a/b/policy.toml", "a", "b"),
        ("policy.toml", "policy.toml", "b/policy.toml"),
    ] {
        let inside = policy.strip_prefix("a/").unwrap_or("policy.toml");
        let (repository, base) = repository(&[(policy, POLICY), (&format!("b/{inside}"), &wider())]);
        let origin = folder(&repository);
        repository.git(&["rm", "-r", "--quiet", link]);
        symlink(target, Path::new(&origin).join(link)).unwrap();
        let ran = review(&repository, &base, &[("policy", policy)]);
        refused(&ran, 2, &format!("`{link}` is a link"));
    }
    // By `..`, the same link would be followed.
    let (repository, base) =
        repository(&[("policy.toml", POLICY), ("b/c/x", ""), ("b/policy.toml", &wider())]);
    symlink("b/c", Path::new(&folder(&repository)).join("link")).unwrap();
    let ran = review(&repository, &base, &[("policy", "link/../policy.toml")]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (0, "false"), "{}", ran.log);
    assert!(ran.summary.starts_with("`policy.toml` passes"), "{}", ran.summary);

    // The folder becomes another repository, which the workflow checks out.
    let (repository, base) = self::repository(&[("a/policy.toml", POLICY)]);
    repository.commit(&[("a/policy.toml", &wider())]);
    let workspace = repository.check_out();
    let init = Command::new("git").args(["init", "--quiet"]).current_dir(workspace.join("a")).status();
    assert!(init.unwrap().success());
    let ran = run(&workspace, &Server::start(true), &pull_request(&base), &in_a);
    refused(&ran, 2, "`a` is another repository");
}

#[test]
fn keys_that_are_not_of_the_tree_are_not_compared() {
    if !has_git() {
        return;
    }
    let (ours, theirs) = (keys("ours"), keys("theirs"));
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("keys.jwks.json");
    fs::write(&file, &theirs).unwrap();

    // The same file before and after, whatever is in it.
    let absolute = with_keys(file.to_str().unwrap());
    let (repository, base) = repository(&[("policy.toml", &absolute)]);
    refused(&review(&repository, &base, &[]), 1, "name it relative to the policy");
    let (repository, base) = self::repository(&[("a/policy.toml", &with_keys("../../keys.jwks.json"))]);
    let workspace = repository.check_out();
    fs::write(workspace.parent().unwrap().join("keys.jwks.json"), &theirs).unwrap();
    let ran = run(&workspace, &Server::start(true), &pull_request(&base), &[("policy", "a/policy.toml")]);
    refused(&ran, 1, "is not a file of the repository");

    // A link, in the change or in the base, to a file that is not of the same commit.
    for linked_before in [false, true] {
        let (repository, _) =
            self::repository(&[("policy.toml", &with_keys("k/a.json")), ("k/a.json", &ours)]);
        let link = Path::new(&folder(&repository)).join("k/a.json");
        let linked = || {
            fs::remove_file(&link).unwrap();
            symlink(&file, &link).unwrap();
        };
        if linked_before {
            linked();
        }
        let base = repository.commit(&[]);
        if linked_before {
            fs::remove_file(&link).unwrap();
            repository.commit(&[("k/a.json", &theirs)]);
        } else {
            linked();
        }
        refused(&review(&repository, &base, &[]), 1, "`k/a.json` is a link");
    }

    // Files of the tree are had by any path within it.
    let (repository, base) = self::repository(&[
        ("a/policy.toml", &with_keys("../k/none/../a.json")),
        ("k/a.json", &ours),
        ("k/none/x", ""),
    ]);
    let same = review(&repository, &base, &[("policy", "./a//policy.toml")]);
    assert_eq!((same.status, same.outputs["new-access"].as_str()), (0, "false"), "{}", same.log);
    repository.commit(&[("k/a.json", &theirs)]);
    let other = review(&repository, &base, &[("policy", "a/policy.toml")]);
    assert_eq!((other.status, other.outputs["new-access"].as_str()), (1, "true"), "{}", other.log);
}

#[test]
fn what_is_not_shown_is_escaped() {
    if !has_git() {
        return;
    }
    // It would turn the rest of the line around.
    let (repository, base) = repository(&[("p\u{202e}.toml", POLICY)]);
    let ran = review(&repository, &base, &[("policy", "p\u{202e}.toml"), ("min-coverage", "1")]);
    assert_eq!(ran.status, 1, "{}", ran.log);
    let said = ran.annotations("error").concat();
    assert!(said.contains(r"p\u202e.tests.toml") && !said.contains('\u{202e}'), "{said}");
}

#[test]
fn the_workflows_stop_where_something_is_missing() {
    let script = |workflow: &str, job: &str, name: &str| {
        let steps = yaml(workflow)["jobs"][job]["steps"].as_array().unwrap().clone();
        let step = steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name}"));
        step["run"].as_str().unwrap().to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let passes = |script: &str, of: &str, commit: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-e", "-c", script]).current_dir(&folder).env("REPOSITORY", of).env("COMMIT", commit);
        shell.output().unwrap().status.success()
    };
    // Without a repository, the checkout would take the caller's, and run what the change has.
    let one_action =
        script(".github/workflows/review.yml", "review", "Check that there is one action to run");
    assert!(passes(&one_action, "a/b", "c"));
    assert!(!passes(&one_action, "", "c") && !passes(&one_action, "a/b", ""));
    symlink("nowhere", folder.path().join(".edge-authorizer")).unwrap();
    assert!(!passes(&one_action, "a/b", "c"));

    let release = ".github/workflows/release.yml";
    assert!(script(release, "build", "Make the archive for arm").contains("aarch64-unknown-linux-gnu"));
    let both = script(release, "build", "Check that both are in SHA256SUMS");
    let line = |processor: &str| format!("00  authorizer-9.8.7-{processor}-unknown-linux-gnu.tar.gz\n");
    for (processors, complete) in
        [(&["x86_64"][..], false), (&["aarch64"], false), (&["aarch64", "x86_64"], true)]
    {
        let text: String = processors.iter().map(|one| line(one)).collect();
        fs::write(folder.path().join("SHA256SUMS"), text).unwrap();
        assert_eq!(passes(&both, "", ""), complete, "{processors:?}");
    }
}

#[test]
fn a_file_that_looks_like_the_policy_is_not_its_base() {
    if !has_git() {
        return;
    }
    // A wide policy of something else is removed in the same change.
    let (repository, base) = repository(&[("examples/wide.toml", &wider()), ("policy.toml", POLICY)]);
    repository.git(&["mv", "examples/wide.toml", "new.toml"]);
    let ran = review(&repository, &base, &[("policy", "new.toml")]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "true"), "{}", ran.log);
    // Nor does the name for the base count, where the base has the policy.
    let (repository, base) = self::repository(&[("wide.toml", &wider()), ("policy.toml", POLICY)]);
    repository.commit(&[("policy.toml", &wider())]);
    let ran = review(&repository, &base, &[("base-policy", "wide.toml")]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "true"), "{}", ran.log);
}

#[test]
fn a_name_is_a_branch_and_not_a_tag() {
    if !has_git() {
        return;
    }
    let (repository, base) = repository(&FILES);
    repository.git(&["switch", "--quiet", "--create", "change"]);
    let change = repository.commit(&[("policy.toml", &wider())]);
    repository.git(&["tag", "main"]);
    let workspace = repository.check_out();
    let git = |words: &[&str]| Command::new("git").args(words).current_dir(&workspace).status().unwrap();
    assert!(git(&["tag", "main", &change]).success());
    for (name, outcome) in [("main", "true"), ("refs/heads/main", "true"), ("refs/tags/main", "false")] {
        let ran = run(&workspace, &Server::start(true), &pull_request("none"), &[("base", name)]);
        assert_eq!(ran.outputs["new-access"], outcome, "{name}: {}", ran.log);
        assert_eq!(ran.summary.contains(&format!("Base: `{base}`. Change: `{change}`")), outcome == "true");
    }
}

#[test]
fn a_finding_that_the_change_accepts_counts() {
    if !has_git() {
        return;
    }
    let open = POLICY.replace("when    = { groups = { has = \"readers\" } }", "anonymous = true");
    let accepts = |reason: &str| {
        let entry =
            |id: &str, of: &str| format!("\n[[accepted]]\nfinding = \"{id}\"\n{of}\nreason = \"{reason}\"\n");
        open.clone() + &entry("EA088", "issuer = \"staff\"") + &entry("EA084", "issuer = \"staff\"")
    };
    let inputs = [("fail-on", "low")];
    let said = "the policy accepts findings that its base does not accept: 1";
    let (repository, base) = repository(&[("policy.toml", &open)]);
    // The text of an entry does not choose which entry it is.
    repository.commit(&[("policy.toml", &accepts("accepted[0]"))]);
    let ran = review(&repository, &base, &inputs);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "false"), "{}", ran.log);
    assert!(ran.annotations("error").iter().any(|error| error.ends_with(said)), "{:?}", ran.orders);
    let warned = review(&repository, &base, &[inputs[0], ("no-new-access", "false")]);
    assert!(!warned.log.contains(said), "{}", warned.log);
    assert!(warned.annotations("warning").iter().any(|one| one.contains("accepted, and not by the base")));

    let base = repository.git(&["rev-parse", "HEAD"]);
    let known = review(&repository, &base, &inputs);
    assert!(!known.log.contains(said), "{}", known.log);
    assert!(known.annotations("notice").iter().any(|one| one.contains("accepted (accepted[0])")));
    assert!(known.summary.contains(" 2 accepted"), "{}", known.summary);
}

#[test]
fn the_file_of_the_findings_replaces_a_link_and_needs_a_place() {
    if !has_git() {
        return;
    }
    let (repository, base) = repository(&FILES);
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "as it was").unwrap();
    symlink(&victim, Path::new(&folder(&repository)).join("findings.sarif")).unwrap();
    repository.commit(&[("folder/x", "")]);
    let ran = review(&repository, &base, &[("sarif", "findings.sarif")]);
    assert_eq!((ran.status, fs::read_to_string(&victim).unwrap().as_str()), (0, "as it was"), "{}", ran.log);
    // What else was found is still said.
    let ran = review(&repository, &base, &[("sarif", "folder")]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (1, "false"), "{}", ran.log);
    assert!(ran.summary.contains("`folder` cannot be written"), "{}", ran.summary);
}

#[test]
fn a_checkout_in_a_folder_is_reviewed_with_names_of_its_own() {
    if !has_git() {
        return;
    }
    let (repository, base) = repository(&FILES);
    repository.commit(&[("policy.toml", &narrower()), ("policy.tests.toml", &tests_of_narrower())]);
    let server = Server::start(true);
    run(&repository.check_out(), &server, &pull_request(&base), &[]);
    let root = repository.check_out();
    let outer = root.with_file_name("outer");
    fs::create_dir(&outer).unwrap();
    fs::rename(&root, outer.join("sub")).unwrap();
    // The runner of the tests asks git for the commit, which is not in the workspace itself.
    let event = serde_json::json!({
        "after": base, "pull_request": { "number": 7, "base": { "sha": base }, "head": { "sha": "h" } }
    });
    let ran = run(&outer, &server, &event, &[("policy", "sub/policy.toml")]);
    assert_eq!((ran.status, ran.outputs["new-access"].as_str()), (0, "false"), "{}", ran.log);
    assert!(
        ran.summary.contains("`change/policy.toml`") && ran.summary.contains("Change: `h`"),
        "{}",
        ran.summary
    );
    assert!(
        ran.orders.iter().all(|order| order.attributes.get("file").is_none_or(|file| file == "policy.toml"))
    );
    assert_eq!(server.comments(BOT).len(), 1, "one comment for one policy");
}
