//! The schemas of policies and tests in Taplo, with which editors complete and underline TOML.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use authorizer_e2e::{binaries, tools};

/// Taplo's judgement of all TOML files in a folder: the names of those that it refuses, and what it says.
fn refused(taplo: &Path, folder: &Path, schema: Option<&str>) -> (BTreeSet<String>, String) {
    let mut command = Command::new(taplo.join("node"));
    command.arg(taplo.join("node_modules/@taplo/cli/dist/cli.js")).arg("check").current_dir(folder);
    if let Some(schema) = schema {
        let schema = binaries::root().join("docs/schemas").join(schema).canonicalize().unwrap();
        command.arg("--schema").arg(format!("file://{}", schema.to_str().unwrap()));
    }
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<_> =
        files.filter(|name| Path::new(name).extension().is_some_and(|end| end == "toml")).collect();
    let done = command.args(&files).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains(&format!("total={}", files.len())), "{said}");
    let invalid = said.lines().filter(|line| line.contains("invalid file error="));
    let names = invalid.map(|line| {
        let path = line.rsplit_once("path=\"").unwrap().1.trim_end_matches('"');
        Path::new(path).file_name().unwrap().to_str().unwrap().to_owned()
    });
    let names: BTreeSet<String> = names.collect();
    assert_eq!(done.status.success(), names.is_empty(), "{said}");
    (names, said)
}

/// A folder with these files.
fn folder(files: impl IntoIterator<Item = (String, String)>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn toml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            toml_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn taplo_accepts_every_policy_and_every_file_of_tests() {
    let Some(taplo) = tools::installed("taplo", "Taplo") else { return };
    let mut files = Vec::new();
    for below in ["fixtures", "docs", "tests/e2e/policies", "tests/peers", "authorizer/policy/tests/it"] {
        toml_files(&binaries::root().join(below), &mut files);
    }
    let (mut policies, mut tests) = (Vec::new(), Vec::new());
    for (index, path) in files.iter().enumerate() {
        let text = fs::read_to_string(path).unwrap();
        let has = |line: &str| text.lines().any(|one| one.trim() == line);
        let file = (format!("{index}.toml"), text.clone());
        match () {
            () if has("[[tests]]") => tests.push(file),
            () if has("[[rules]]") && text.lines().any(|line| line.starts_with("version")) => {
                policies.push(file)
            }
            () => {}
        }
    }
    assert!(
        policies.len() >= 10 && tests.len() >= 2,
        "{} policies, {} files of tests",
        policies.len(),
        tests.len()
    );
    for (schema, files_of_kind) in [("policy.schema.json", policies), ("policy.tests.schema.json", tests)] {
        let folder = folder(files_of_kind);
        let (names, said) = refused(taplo, folder.path(), Some(schema));
        let named = |name: &String| &files[name.trim_end_matches(".toml").parse::<usize>().unwrap()];
        assert!(names.is_empty(), "{:?}: {said}", names.iter().map(named).collect::<Vec<_>>());
    }
}

#[test]
fn taplo_finds_the_schemas_of_what_init_writes_and_refuses_what_they_can_know() {
    let Some(taplo) = tools::installed("taplo", "Taplo") else { return };
    let (client, audience) = ("--client-id", "--audience");
    for (provider, issuer, meant_for, pattern) in [
        (
            "cognito",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
            client,
            "per-user",
        ),
        ("auth0", "https://example.eu.auth0.com/", audience, "public"),
        ("keycloak", "https://login.example.com/realms/files", audience, "tenants"),
        ("okta", "https://example.okta.com/oauth2/default", audience, "drop-box"),
        ("github", "https://token.actions.githubusercontent.com", audience, "artifacts"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, _, said) = binaries::run_in(
            folder.path(),
            &[
                "init",
                "--provider",
                provider,
                "--issuer",
                issuer,
                meant_for,
                "https://github.com/example",
                "--pattern",
                pattern,
            ],
        );
        assert_eq!(code, 0, "{provider}: {said}");
        let (names, said) = refused(taplo, folder.path(), None);
        assert!(names.is_empty(), "{said}");
        // The first line of each file names its schema.
        for (file, from, to) in
            [("policy.toml", "effect", "efect"), ("policy.tests.toml", "expect", "expected")]
        {
            let path = folder.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
        }
        let (names, said) = refused(taplo, folder.path(), None);
        assert_eq!(Vec::from_iter(names), ["policy.tests.toml", "policy.toml"], "{said}");
    }
}

#[test]
fn taplo_refuses_each_mistake_that_a_schema_can_know() {
    let Some(taplo) = tools::installed("taplo", "Taplo") else { return };
    let rule = "version = 1\n[[rules]]\nid = \"a\"\neffect = \"allow\"\nkeys = [\"a\"]\n";
    let issuer = "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\naudience = [\"a\"]\n\
                  algorithms = [\"RS256\"]\njwks = { url = \"https://a.example/keys\" }\n";
    let test = "version = 1\n[[tests]]\nname = \"a\"\nkey = \"a\"\nexpect = \"allow\"\n";
    let policies = [
        rule.replace("effect", "efect"),
        rule.replace("id = \"a\"\n", ""),
        rule.replace("\"allow\"", "\"permit\""),
        rule.replace("[\"a\"]", "\"a\""),
        rule.replace("[[rules]]", "[rules]"),
        rule.replace("[[rules]]", "[[rule]]"),
        rule.replace("version = 1", "version = \"1\""),
        rule.replace("version = 1\n", ""),
        format!("{rule}methods = [\"POST\"]\n"),
        format!("{rule}methods = \"GET\"\n"),
        format!("{rule}method = [\"GET\"]\n"),
        format!("{rule}operations = [\"s3:GetObject\"]\n"),
        format!("{rule}operations = [\"LIST\"]\n"),
        format!("{rule}anonymous = \"true\"\n"),
        format!("{rule}not_after = \"2026-12-31\"\n"),
        format!("{rule}upload = {{ max_bytes = \"10 megabytes\" }}\n"),
        format!("{rule}upload = {{ checksums = [\"sha3\"] }}\n"),
        format!("{rule}when = \"groups = admins\"\n"),
        format!("{rule}when = {{ groups = \"admins\" }}\n"),
        format!("{rule}when = {{ groups = {{ equals = [\"admins\"] }} }}\n"),
        format!("{rule}when = {{ groups = {{ contains = \"admins\" }} }}\n"),
        format!("{rule}conditions = {{ groups = {{ has = \"admins\" }} }}\n"),
        issuer.replace("RS256", "rs256"),
        issuer.replace("[\"a\"]", "\"a\""),
        issuer.replace("jwks", "jwks_uri"),
        issuer.replace("url", "uri"),
        format!("{issuer}leeway_seconds = \"60\"\n"),
    ];
    let tests = [
        test.replace("\"allow\"", "\"deny\""),
        test.replace("name = \"a\"\n", ""),
        test.replace("key", "keys"),
        test.replace("[[tests]]", "[[test]]"),
        format!("{test}status = \"403\"\n"),
        format!("{test}anonymous = \"yes\"\n"),
        format!("{test}upload = {{ bytes = \"10 megabytes\" }}\n"),
        format!("{test}now = [\"2027-01-15T08:00:00Z\"]\n"),
    ];
    for (schema, good, wrong) in [
        ("policy.schema.json", vec![rule.to_owned(), issuer.to_owned()], policies.to_vec()),
        ("policy.tests.schema.json", vec![test.to_owned()], tests.to_vec()),
    ] {
        let good = good.into_iter().enumerate().map(|(index, text)| (format!("good{index}.toml"), text));
        let all = wrong.iter().enumerate().map(|(index, text)| (format!("{index}.toml"), text.clone()));
        let folder = folder(good.chain(all));
        let (names, said) = refused(taplo, folder.path(), Some(schema));
        let missed: Vec<&String> = wrong
            .iter()
            .enumerate()
            .filter(|(index, _)| !names.contains(&format!("{index}.toml")))
            .map(|(_, text)| text)
            .collect();
        assert!(missed.is_empty(), "Taplo accepts {missed:#?}");
        assert_eq!(names.len(), wrong.len(), "{said}");
    }
}
