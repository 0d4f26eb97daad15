//! `authorizer test` as a person meets it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, ROOT, authorizer, command_in};

const SAMPLE: &str = "fixtures/policies/sample.toml";

fn test(arguments: &[&str]) -> Done {
    authorizer(&[&["test"], arguments].concat())
}

/// A file of tests with this in it.
fn written(tests: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("written.tests.toml");
    fs::write(&path, tests).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

const FEW: &str = r#"version = 1

[defaults]
now    = "2027-01-15T08:00:00Z"
issuer = "sample"
claims = { sub = "alice" }

[[tests]]
name   = "owners read their files"
claims = { scope = "files" }
method = "GET"
key    = "users/alice/a"
expect = "allow"

[[tests]]
name   = "owners read the files of others"
claims = { scope = "files" }
method = "GET"
key    = ["users/bob/a", "users/carol/a<b&c"]
expect = "allow"
rule   = "owners-manage-their-files"
"#;

#[test]
fn the_sample_policy_holds_to_its_tests_and_they_cover_it_whole() {
    let Done { code, out, err } = test(&["--policy", SAMPLE, "--min-coverage", "100"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn no_part_of_the_sample_policy_can_be_struck_without_a_test_that_fails() {
    let policy = fs::read_to_string(Path::new(ROOT).join(SAMPLE)).unwrap();
    let tests = Path::new(ROOT).join("fixtures/policies/sample.tests.toml");
    for (from, to) in [
        ("keys    = [\"records/**\"]", "keys    = [\"other/**\"]"),
        ("methods = [\"DELETE\"]", "methods = [\"DELETE\", \"PUT\"]"),
        ("keys      = [\"public/**\"]", "keys      = [\"**\"]"),
        ("anonymous = true", ""),
        ("\"users/{sub}/**\"", "\"users/**\""),
        ("operations = [\"ListObjectsV2\"]", ""),
        ("when       = { scope = { has = \"files\" } }", ""),
        ("pictures/{sub}/*", "pictures/{sub}/**"),
        ("max_bytes = \"5MB\", ", ""),
        ("max_bytes = \"5MB\"", "max_bytes = 4_999_999"),
        ("content_types = [\"image/*\"], ", ""),
        ("metadata = { owner = \"{sub}\" }", "metadata = { owner = \"*\" }"),
        ("when    = { role = { equals = \"admin\" } }", ""),
        ("equals = \"admin\"", "has = \"admin\""),
        ("token_type = \"at+jwt\"", ""),
        ("[\"files-api\"]", "[\"mail-api\"]"),
    ] {
        assert!(policy.contains(from), "{from}");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        let keys = "keys/sample.jwks.json";
        fs::copy(Path::new(ROOT).join("fixtures/policies").join(keys), folder.path().join(keys)).unwrap();
        let changed = folder.path().join("policy.toml");
        fs::write(&changed, policy.replacen(from, to, 1)).unwrap();
        let Done { code, out, err } = test(&["--policy", changed.to_str().unwrap(), tests.to_str().unwrap()]);
        assert_eq!(code, 1, "{from}: {out}{err}");
        assert!(out.contains("failed "), "{from}: {out}");
    }
}

#[test]
fn what_fails_is_told_with_what_every_rule_makes_of_it() {
    let (_folder, few) = written(FEW);
    let Done { code, out, err } = test(&["--policy", SAMPLE, &few]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out.replace(&few, "few.tests.toml"));
    let json: Value =
        serde_json::from_str(&test(&["--policy", SAMPLE, &few, "--format", "json"]).out).unwrap();
    assert_eq!((&json["version"], &json["held"], &json["failed"]), (&1.into(), &1.into(), &2.into()));
    let failed = &json["tests"][1];
    assert_eq!(failed["differences"][0]["of"], "decision");
    assert_eq!(
        (&failed["reason"], &failed["rules"][2]["matches"]),
        (&"condition_not_met".into(), &false.into())
    );
    let seen = json["coverage"]["points"].as_array().unwrap().iter().filter(|point| !point["by"].is_null());
    assert_eq!(seen.count(), json["coverage"]["seen"].as_u64().unwrap() as usize);
}

#[test]
fn too_little_coverage_is_exit_1_with_what_lacks() {
    let tests = FEW.split("\n[[tests]]").take(2).collect::<Vec<_>>().join("\n[[tests]]");
    let (_folder, tests) = written(&tests);
    let covering = |least: &str| test(&["--policy", SAMPLE, &tests, "--min-coverage", least]);
    let Done { code, out, err } = covering("9");
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    insta::assert_snapshot!(out.replace(&tests, "few.tests.toml"));
    assert_eq!(covering("8").code, 0);
}

#[test]
fn the_xml_is_what_a_reader_of_junit_takes() {
    let (_folder, few) = written(FEW);
    let Done { code, out, .. } =
        test(&["--policy", SAMPLE, &few, "--min-coverage", "90", "--format", "junit"]);
    assert_eq!(code, 1);
    let read = junit_parser::from_reader(out.as_bytes()).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (4, 3, 0));
    let (tests, coverage) = (&read.suites[0], &read.suites[1]);
    assert_eq!((tests.name.as_str(), tests.tests, tests.failures), (few.as_str(), 3, 2));
    assert!(tests.cases[0].status.is_success());
    let failure = tests.cases[2].status.failure_as_ref();
    assert!(failure.message.starts_with("decision: expected allow, got refuse"), "{}", failure.message);
    assert!(
        failure.text.contains("deny nobody-deletes-records: the key matches none of"),
        "{}",
        failure.text
    );
    assert_eq!(tests.cases[1].original_name, "owners read the files of others [GET /users/bob/a]");
    assert!(coverage.cases[0].status.failure_as_ref().message.ends_with("% is less than 90 %"));
}

#[test]
fn the_tests_that_the_documentation_shows_hold_for_the_policy_that_it_shows() {
    let page = |name: &str| fs::read_to_string(Path::new(ROOT).join("docs").join(name)).unwrap();
    let block =
        |page: String| page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    let keys = folder.path().join("keys/staff.jwks.json");
    fs::copy(Path::new(ROOT).join("fixtures/policies/keys/staff.jwks.json"), keys).unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, block(page("policy.md"))).unwrap();
    fs::write(folder.path().join("policy.tests.toml"), block(page("testing.md"))).unwrap();
    let Done { code, out, err } = test(&["--policy", policy.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("5 requests: 5 passed, 0 failed\n"), "{out}");
}

#[test]
fn a_bundle_is_held_against_the_tests_of_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.json");
    let loaded = authorizer_policy::PolicyFile::load(&Path::new(ROOT).join(SAMPLE)).unwrap();
    fs::write(&bundle, loaded.bundle_json()).unwrap();
    let bundle = bundle.to_str().unwrap();
    let Done { code, out, .. } = test(&["--bundle", bundle, "fixtures/policies/sample.tests.toml"]);
    assert_eq!(code, 0, "{out}");
    let Done { code, out, err } = test(&["--bundle", bundle]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no test file is given"), "{err}");
}

#[test]
fn what_is_wrong_with_a_file_of_tests_is_shown_at_its_place() {
    let mut reports = Vec::new();
    for (from, to) in [
        ("method = \"GET\"", "methods = \"GET\""),
        ("method = \"GET\"", "operation = \"CopyObject\""),
        ("method = \"GET\"", "method = 7"),
        ("expect = \"allow\"", "expect = \"deny\""),
        ("key    = \"users/alice/a\"", "key    = \"/users/alice/a\""),
        ("issuer = \"sample\"", "issuer = \"example\""),
        ("rule   = \"owners-manage-their-files\"", "rule   = \"nobody-deletes-records\""),
        ("now    = \"2027-01-15T08:00:00Z\"", ""),
        ("version = 1", "version = 1\nversion = 1"),
    ] {
        assert!(FEW.contains(from), "{from}");
        let (folder, path) = written(&FEW.replacen(from, to, 1));
        let Done { code, out, err } = test(&["--policy", SAMPLE, &path]);
        assert_eq!((code, out.as_str()), (2, ""), "{to}: {err}");
        reports.push(err.replace(folder.path().to_str().unwrap(), "DIR"));
    }
    insta::assert_snapshot!(reports.join("\n"));
    let Done { code, err, .. } = test(&["--policy", SAMPLE, "/nonexistent/a.tests.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("name an existing tests file"), "{err}");
    let Done { code, err, .. } = test(&["--policy", "fixtures/policies/cases.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("`fixtures/policies/cases.tests.toml` does not exist"), "{err}");
}

/// The tests that a run prints, as they stand.
fn printed(out: &str) -> &str {
    out.find("\n[[tests]]").and_then(|begin| out.get(begin..)).unwrap_or_default()
}

/// Adds what is printed to the file, and runs it again.
fn completed(policy: &str, tests: &Path) {
    let path = tests.to_str().unwrap();
    let first = test(&["--policy", policy, path]);
    let text = fs::read_to_string(tests).unwrap();
    fs::write(tests, format!("{text}{}", printed(&first.out))).unwrap();
    let Done { code, out, err } = test(&["--policy", policy, path, "--min-coverage", "100"]);
    // What no request can cover stays, and is said.
    let dead = first.out.contains("no request can cover these");
    assert_eq!((code, err.as_str()), (i32::from(dead), ""), "{policy}: {out}");
    assert!(out.contains(" 0 failed\n"), "{policy}: {out}");
    assert_eq!(printed(&out), "", "{policy}");
    assert!(dead || out.contains("\ncoverage 100 %"), "{policy}: {out}");
}

#[test]
fn the_tests_that_are_printed_pass_as_they_stand_and_cover_what_was_missing() {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("few.tests.toml");
    fs::write(&tests, FEW.split("\n[[tests]]").take(2).collect::<Vec<_>>().join("\n[[tests]]")).unwrap();
    completed(SAMPLE, &tests);
    for policy in ["fixtures/policies/cases.toml", "fixtures/requests/policy.toml"] {
        fs::write(
            &tests,
            "version = 1\n\n[defaults]\nnow = \"2027-01-15T08:00:00Z\"\n\n[[tests]]\nname = \"nothing\"\n\
             anonymous = true\nmethod = \"GET\"\nkey = \"nobody-has-this-key\"\nexpect = \"refuse\"\n",
        )
        .unwrap();
        completed(policy, &tests);
    }
}

#[test]
fn the_tests_that_are_printed_for_what_init_writes_complete_it() {
    for pattern in ["per-user", "public", "tenants", "drop-box", "artifacts"] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_str().unwrap();
        let arguments = ["init", dir, "--provider", "generic", "--pattern", pattern, "--audience", "files"];
        let more =
            ["--issuer", "https://login.example.com/", "--jwks-url", "https://login.example.com/jwks.json"];
        let done = authorizer(&[arguments.as_slice(), &more].concat());
        assert_eq!(done.code, 0, "{pattern}: {}{}", done.out, done.err);
        let (policy, tests) = (folder.path().join("policy.toml"), folder.path().join("policy.tests.toml"));
        // Only the first test is left.
        let text = fs::read_to_string(&tests).unwrap();
        let few: Vec<&str> = text.split("\n[[tests]]").take(2).collect();
        fs::write(&tests, few.join("\n[[tests]]")).unwrap();
        completed(policy.to_str().unwrap(), &tests);
    }
}

#[test]
fn a_failure_names_the_line_of_its_test() {
    let (_folder, few) = written(FEW);
    let Done { out, .. } = test(&["--policy", SAMPLE, &few]);
    let line = FEW.lines().position(|line| line.contains("owners read the files of others")).unwrap();
    assert!(out.contains(&format!("({few}:{line})")), "{out}");
    let xml = test(&["--policy", SAMPLE, &few, "--format", "junit"]).out;
    assert!(xml.contains(&format!("file=\"{few}\" line=\"{line}\"")), "{xml}");
    let json: Value =
        serde_json::from_str(&test(&["--policy", SAMPLE, &few, "--format", "json"]).out).unwrap();
    assert_eq!(json["tests"][1]["line"], line);
}

#[test]
fn every_rule_and_reason_that_does_not_exist_is_named_at_once_with_the_one_that_is_meant() {
    let (_folder, few) = written(
        &FEW.replace("rule   = \"owners-manage-their-files\"", "rule   = \"owner-manages-their-files\"")
            .replace("expect = \"allow\"\n\n", "expect = \"refuse\"\nreason = \"key_not_alowed\"\n\n"),
    );
    let Done { code, out, err } = test(&["--policy", SAMPLE, &few]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    for said in [
        "`key_not_alowed` is not a reason",
        "did you mean `key_not_allowed`?",
        "does not have a rule `owner-manages-their-files`",
        "did you mean `owners-manage-their-files`?",
    ] {
        assert!(err.contains(said), "{said}: {err}");
    }
}

#[test]
fn times_and_sizes_are_written_as_everywhere() {
    let text = FEW.split("\n[[tests]]").take(2).collect::<Vec<_>>().join("\n[[tests]]");
    for now in [
        "1800000000",
        "\"1800000000\"",
        "2027-01-15T08:00:00Z",
        "2027-01-15T09:00:00+01:00",
        "\"2027-01-15T09:00:00+01:00\"",
    ] {
        let (_folder, path) = written(&text.replace("\"2027-01-15T08:00:00Z\"", now));
        let Done { code, out, err } = test(&["--policy", SAMPLE, &path]);
        assert_eq!((code, err.as_str()), (0, ""), "{now}: {out}");
    }
    for (bytes, expected) in
        [("5000000", 0), ("\"5MB\"", 0), ("\"5 MB\"", 0), ("\"5MiB\"", 1), ("\"5 mb\"", 2)]
    {
        let upload = format!(
            "method = \"PUT\"\nkey = \"pictures/alice/a\"\nexpect = \"allow\"\n\
            upload = {{ bytes = {bytes}, content_type = \"image/png\" }}\nrule = \"owners-upload-pictures\"\n"
        );
        let (_folder, path) = written(&format!("{text}\n[[tests]]\nname = \"a picture\"\n{upload}"));
        let Done { code, out, err } = test(&["--policy", SAMPLE, &path]);
        assert_eq!(code, expected, "{bytes}: {out}{err}");
    }
    for (from, to, said) in [
        ("\"2027-01-15T08:00:00Z\"", "2027-01-15", "is not a time"),
        ("method = \"GET\"", "method = \"get\"", "`get` is not a method, but `GET` is"),
        ("key    = \"users/alice/a\"", "path = \"users/alice/a\"", "a path begins with `/`"),
        ("key    = \"users/alice/a\"", "path = \"/users/alice/a?acl\"", "is a path and a query"),
    ] {
        assert!(text.contains(from), "{from}");
        let (_folder, path) = written(&text.replacen(from, to, 1));
        let Done { code, err, .. } = test(&["--policy", SAMPLE, &path]);
        assert_eq!(code, 2, "{to}");
        assert!(err.contains(said), "{to}: {err}");
    }
}

#[test]
fn a_claim_that_is_a_list_at_its_provider_is_a_list_in_the_tests_that_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(
        &policy,
        r#"version = 1
[[issuers]]
name       = "cognito"
issuer     = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"
client_id  = ["1example23456789"]
algorithms = ["RS256"]
jwks       = { url = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json" }
[[rules]]
id      = "admins"
effect  = "allow"
methods = ["DELETE"]
keys    = ["**"]
when    = { "cognito:groups" = { has = "admins" }, department = { has = "files" } }
"#,
    )
    .unwrap();
    let (_kept, tests) = written(
        "version = 1\n[defaults]\nnow = \"2027-01-15T08:00:00Z\"\n[[tests]]\nname = \"a\"\nmethod = \"GET\"\nkey = \"a\"\nissuer = \"cognito\"\nexpect = \"refuse\"\n",
    );
    let done = test(&["--policy", policy.to_str().unwrap(), &tests, "--verbose"]);
    assert!(done.out.contains("\"cognito:groups\" = [\"admins\"]"), "{}{}", done.out, done.err);
    assert!(!done.out.contains("\"cognito:groups\" = \"admins\""), "{}", done.out);
    // Of the other claim nothing is known.
    assert!(done.out.contains("department = \"files\""), "{}", done.out);
    completed(policy.to_str().unwrap(), Path::new(&tests));
}

#[test]
fn the_example_with_two_buckets_and_two_hosts_is_covered_whole() {
    let Done { code, out, .. } = test(&["--policy", "fixtures/policies/two-buckets.toml"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("coverage 100 %"), "{out}");
}

#[test]
fn a_policy_without_a_file_of_tests_is_told_where_to_write_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = |arguments: &[&str]| Done::of(&mut command_in(folder.path(), arguments));
    assert_eq!(made(&["token", "keygen", "dev"]).code, 0);
    let policy = "version = 1\n[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\naudience = [\"files\"]\n\
        algorithms = [\"EdDSA\"]\njwks = { file = \"dev.jwks.json\" }\n[[rules]]\nid = \"own\"\neffect = \"allow\"\n\
        methods = [\"GET\"]\nkeys = [\"users/{sub}/*\"]\n";
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let Done { code, err, .. } = made(&["test", "--policy", "policy.toml"]);
    assert!(code == 2 && err.contains("there are no tests yet: `policy.tests.toml`"), "{code} {err}");
    assert!(err.contains("authorizer help tests"), "{err}");

    // With no test in it, all are missing, and it does not pass.
    let tests = folder.path().join("policy.tests.toml");
    fs::write(&tests, "version = 1\n\n[defaults]\nissuer = \"staff\"\n").unwrap();
    let Done { code, out, err } = made(&["test", "--policy", "policy.toml"]);
    assert!(code == 1 && err.contains("`policy.tests.toml` does not have a test"), "{code} {err}");
    assert!(out.contains("rule       = \"own\""), "{out}");

    // A key of nobody's is said to be one.
    assert_eq!(made(&["token", "keygen", "other"]).code, 0);
    let minted =
        |key| made(&["token", "mint", "--key", key, "--policy", "policy.toml", "--subject", "alice"]);
    let (own, other) = (minted("dev.private.pem"), minted("other.private.pem"));
    assert_eq!((own.code, own.err.as_str(), other.code), (0, "", 0));
    assert!(
        other.err.contains("`other.private.pem` is not one of the keys of issuer `staff`"),
        "{}",
        other.err
    );

    // The policy is named as elsewhere.
    let argument = made(&["check", "policy.toml"]);
    assert_eq!((argument.code, &argument.out), (0, &made(&["check", "--policy", "policy.toml"]).out));
}

#[test]
fn a_zip_in_the_place_of_a_bundle_is_told_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("authorizer.zip");
    fs::write(&zip, b"PK\x03\x04\xFF").unwrap();
    let zip = zip.to_str().unwrap();
    let commands: [&[&str]; 3] = [
        &["test", "--bundle", zip, "a.tests.toml"],
        &["audit", "diff", SAMPLE, zip],
        &["audit", "matrix", "--policy", zip],
    ];
    for arguments in commands {
        let Done { code, err, .. } = authorizer(arguments);
        assert!(code == 2 && err.contains("is a zip") && err.contains("unzip -p "), "{arguments:?}: {err}");
    }
}
