//! The JSON Schemas of the files: no right file is underlined, and what has the wrong form is.

use std::fs;
use std::path::{Path, PathBuf};

use authorizer_policy::{FileKind, schema};
use jsonschema::Validator;
use serde_json::{Map, Value as Json};
use toml::Value;

pub(crate) fn validator(kind: FileKind) -> Validator {
    jsonschema::validator_for(&schema(kind)).unwrap()
}

/// A document of TOML as JSON. A date or a fraction is no value that any field takes, except the time of a test.
pub(crate) fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(_) => Json::Null,
        Value::Boolean(truth) => (*truth).into(),
        Value::Datetime(_) => Json::Null,
        Value::Array(list) => list.iter().map(json_of).collect(),
        Value::Table(table) => {
            table.iter().map(|(name, value)| (name.clone(), json_of(value))).collect::<Map<_, _>>().into()
        }
    }
}

fn is_valid(validator: &Validator, text: &str) -> Result<(), String> {
    let value: Value = toml::from_str(text).unwrap();
    validator.validate(&json_of(&value)).map_err(|error| format!("{error} at {}", error.instance_path()))
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
fn every_policy_and_every_file_of_tests_here_is_valid() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut files = Vec::new();
    for folder in ["fixtures", "docs", "tests/e2e/policies", "tests/peers", "authorizer/policy/tests/it"] {
        toml_files(&root.join(folder), &mut files);
    }
    let (policy, tests) = (validator(FileKind::Policy), validator(FileKind::Tests));
    let (mut policies, mut of_tests) = (0, 0);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let Ok(table) = toml::from_str::<toml::Table>(&text) else { continue };
        let validator = match () {
            () if table.contains_key("tests") => {
                of_tests += 1;
                &tests
            }
            () if table.contains_key("rules") && table.contains_key("version") => {
                policies += 1;
                &policy
            }
            () => continue,
        };
        is_valid(validator, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert!(policies >= 10 && of_tests >= 2, "{policies} policies, {of_tests} files of tests");
}

#[test]
fn what_a_schema_can_know_is_underlined() {
    let policy = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/full.toml")).unwrap();
    let tests = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/full.tests.toml")).unwrap();
    let (of_policy, of_tests) = (validator(FileKind::Policy), validator(FileKind::Tests));
    is_valid(&of_policy, &policy).unwrap();
    is_valid(&of_tests, &tests).unwrap();
    let rule = "version = 1\n[[rules]]\nid = \"a\"\neffect = \"allow\"\nkeys = [\"a\"]\n";
    is_valid(&of_policy, rule).unwrap();
    for wrong in [
        rule.replace("effect", "efect"),
        rule.replace("id = \"a\"\n", ""),
        rule.replace("\"allow\"", "\"permit\""),
        rule.replace("[\"a\"]", "\"a\""),
        rule.replace("[[rules]]", "[rules]"),
        rule.replace("version = 1", "version = \"1\""),
        rule.replace("version = 1\n", ""),
        format!("{rule}methods = [\"POST\"]\n"),
        format!("{rule}method = [\"GET\"]\n"),
        format!("{rule}operations = [\"s3:GetObject\"]\n"),
        format!("{rule}anonymous = \"true\"\n"),
        format!("{rule}not_after = 2026-12-31T00:00:00Z\n"),
        format!("{rule}not_after = \"2026-12-31\"\n"),
        format!("{rule}upload = {{ max_bytes = \"10 megabytes\" }}\n"),
        format!("{rule}upload = {{ checksums = [\"sha3\"] }}\n"),
        format!("{rule}when = {{ groups = \"admins\" }}\n"),
        format!("{rule}when = {{ groups = {{ equals = [\"admins\"] }} }}\n"),
        format!("{rule}when = {{ groups = {{ contains = \"admins\" }} }}\n"),
    ] {
        assert!(is_valid(&of_policy, &wrong).is_err(), "{wrong}");
    }
    let test = "version = 1\n[[tests]]\nname = \"a\"\nkey = \"a\"\nexpect = \"allow\"\n";
    is_valid(&of_tests, test).unwrap();
    for wrong in [
        test.replace("\"allow\"", "\"deny\""),
        test.replace("name = \"a\"\n", ""),
        test.replace("key", "keys"),
        format!("{test}status = \"403\"\n"),
        format!("{test}now = -1\n"),
        format!("{test}now = [\"2027-01-15T08:00:00Z\"]\n"),
    ] {
        assert!(is_valid(&of_tests, &wrong).is_err(), "{wrong}");
    }
}
