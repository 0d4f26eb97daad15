//! The templates of `infra/cloudformation`, checked and parsed by cfn-lint.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value};

use crate::binaries::root;
use crate::tools::installed;

/// cfn-lint's folder, if it could be installed on this machine. Otherwise the test says so and is skipped; with
/// `CI=true` it fails.
pub fn linter() -> Option<&'static Path> {
    installed("infra", "cfn-lint")
}

/// Runs the Python of a tool, without the caller's configuration, which could turn a rule off.
pub fn python(tool: &Path, arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    let mut python = Command::new(tool.join("bin/python"));
    python.args(arguments).current_dir(nowhere.path()).env("HOME", nowhere.path());
    python.output().unwrap()
}

/// The output of a tool, as JSON.
#[track_caller]
pub fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The file of a template.
pub fn path(name: &str) -> PathBuf {
    root().join("infra/cloudformation").join(name)
}

/// The findings of cfn-lint in templates: the file's name and the id of the broken rule, informational ones
/// included.
pub fn lint(linter: &Path, templates: &[PathBuf]) -> Vec<(String, String)> {
    let script = linter.join("bin/cfn-lint");
    let mut arguments = vec![script.to_str().unwrap(), "--include-checks=I", "--format=json", "--"];
    arguments.extend(templates.iter().map(|template| template.to_str().unwrap()));
    let output = python(linter, &arguments);
    let findings = parsed(&output);
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.is_empty(), output.status.success(), "{output:?}");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    findings.iter().map(|finding| (word(&finding["Filename"]), word(&finding["Rule"]["Id"]))).collect()
}

/// Breaks a template in each of these ways, by replacing a text, and fails unless cfn-lint finds the named rule
/// broken.
pub fn assert_found_broken(linter: &Path, name: &str, cases: &[(&str, &str, &str)]) {
    let whole = std::fs::read_to_string(path(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broken: Vec<PathBuf> = (0..cases.len()).map(|n| folder.path().join(format!("{n}.yaml"))).collect();
    for (path, (text, instead, _)) in broken.iter().zip(cases) {
        assert!(whole.contains(text), "{text}");
        std::fs::write(path, whole.replace(text, instead)).unwrap();
    }
    let found = lint(linter, &broken);
    for (path, (_, instead, rule)) in broken.iter().zip(cases) {
        let expected = (path.to_str().unwrap().to_owned(), (*rule).to_owned());
        assert!(found.contains(&expected), "{instead}: {rule} is not in {found:?}");
    }
}

/// A template, with CloudFormation's short forms expanded.
pub fn template(linter: &Path, name: &str) -> Value {
    let decode = "import json, sys; from cfnlint.decode import cfn_yaml
print(json.dumps(cfn_yaml.load(sys.argv[1])))";
    parsed(&python(linter, &["-c", decode, path(name).to_str().unwrap()]))
}

/// A template's resources if only these conditions hold: without those of other conditions, and with each `Fn::If`
/// resolved.
pub fn resources_where(template: &Value, conditions: &[&str]) -> Value {
    let defined = template["Conditions"].as_object().unwrap();
    for condition in conditions {
        assert!(defined.contains_key(*condition), "no condition {condition}");
    }
    let holds = |condition: &Value| conditions.contains(&condition.as_str().unwrap());
    let resources = template["Resources"].as_object().unwrap().iter();
    let there = resources.filter(|(_, resource)| resource.get("Condition").is_none_or(holds));
    there.map(|(name, resource)| (name.clone(), decided(resource, &holds).unwrap())).collect()
}

/// A value with each `Fn::If` resolved; `None` for `AWS::NoValue`.
fn decided(value: &Value, holds: &impl Fn(&Value) -> bool) -> Option<Value> {
    match value {
        Value::Object(members) if members.get("Ref").is_some_and(|name| name == "AWS::NoValue") => None,
        Value::Object(members) => match members.get("Fn::If").and_then(Value::as_array) {
            Some(choice) => decided(if holds(&choice[0]) { &choice[1] } else { &choice[2] }, holds),
            None => {
                let members = members.iter();
                let left = members.filter_map(|(name, value)| Some((name.clone(), decided(value, holds)?)));
                Some(Value::Object(left.collect::<Map<_, _>>()))
            }
        },
        Value::Array(items) => {
            Some(Value::Array(items.iter().filter_map(|item| decided(item, holds)).collect()))
        }
        other => Some(other.clone()),
    }
}

/// The words of a list, or a single word, in order.
pub fn as_set(list: &Value) -> Vec<&str> {
    let mut words: Vec<&str> = match list {
        Value::Array(list) => list.iter().map(|word| word.as_str().unwrap_or("not a word")).collect(),
        word => vec![word.as_str().unwrap_or("not a word")],
    };
    words.sort_unstable();
    words
}

/// The missing properties of a template.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<String>);

impl Faults {
    /// Records a missing property.
    pub fn unless(&mut self, held: bool, what: &str) {
        if !held {
            self.0.push(what.to_owned());
        }
    }
}
