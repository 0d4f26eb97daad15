//! The function of `infra/cloudformation/backtest.yaml`: parts of the logs on several machines have the result of the
//! whole on one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};

/// AWS's library for Python, as far as the function uses it, with folders as buckets: each key is the name of a file.
const BOTO3: &str = r#"
import pathlib
import shutil
import urllib.parse


class S3:
    def file(self, bucket, key):
        path = pathlib.Path(bucket, urllib.parse.quote("=" + key, safe=""))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def keys(self, bucket):
        return sorted(urllib.parse.unquote(path.name)[1:] for path in pathlib.Path(bucket).iterdir())

    def download_file(self, bucket, key, to):
        shutil.copy(self.file(bucket, key), to)

    def upload_file(self, of, bucket, key):
        shutil.copy(of, self.file(bucket, key))

    def put_object(self, Bucket, Key, Body):
        self.file(Bucket, Key).write_bytes(Body)

    def get_paginator(self, name):
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket, Prefix):
        for key in self.keys(Bucket):
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key}]}
        yield {}


def client(name):
    assert name == "s3"
    return S3()
"#;

/// What the state machine does, with two files for each function. A part is done twice, as after a failure.
const MACHINE: &str = r#"
import json
import os

import boto3
import index

keys = boto3.client("s3").keys(os.environ["LOG_BUCKET"])
items = [{"Key": "2027/"}] + [{"Key": key} for key in keys]
batches = [items[at : at + 2] for at in range(0, len(items), 2)]
for batch in batches + batches[:2]:
    index.handler({"Items": batch, "BatchInput": {"run": "r1"}}, None)
print(json.dumps(index.handler({"run": "r1"}, None)))
"#;

/// The code of the function, as it stands in the template.
fn code() -> String {
    let template = fs::read_to_string(root().join("infra/cloudformation/backtest.yaml")).unwrap();
    let (_, code) = template.split_once("        ZipFile: |\n").unwrap();
    let lines = code.lines().take_while(|line| line.is_empty() || line.starts_with("          "));
    lines.map(|line| format!("{}\n", line.get(10..).unwrap_or_default())).collect()
}

/// A folder with the function, the tool and a bucket of logs.
struct Machine(tempfile::TempDir);

impl Machine {
    /// With these files of `fixtures/logs` under these keys.
    fn new(logs: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for (name, text) in [("boto3.py", BOTO3), ("machine.py", MACHINE), ("index.py", &code())] {
            fs::write(machine.at(name), text).unwrap();
        }
        for folder in ["bucket", "results", "tool"] {
            fs::create_dir(machine.at(folder)).unwrap();
        }
        for (policy, name) in [("new.toml", "policy.json"), ("old.toml", "old.json")] {
            let policy = PolicyFile::load(&fixture(policy)).unwrap();
            fs::write(machine.at("tool").join(name), policy.bundle_json()).unwrap();
        }
        std::os::unix::fs::symlink(authorizer(), machine.at("tool/authorizer")).unwrap();
        let keys = logs.iter().map(|(_, key)| *key).collect::<Vec<_>>();
        let put = "import json, sys, boto3\n\
                   for name, key in zip(*json.loads(sys.argv[1])):\n    \
                       boto3.client('s3').upload_file(name, 'bucket', key)\n";
        let names = logs.iter().map(|(name, _)| fixture(name)).collect::<Vec<_>>();
        machine.python(&["-c", put, &json!([names, keys]).to_string()]);
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn python(&self, arguments: &[&str]) -> Output {
        let done = self.python_as_it_ends(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done
    }

    fn python_as_it_ends(&self, arguments: &[&str]) -> Output {
        Command::new("python3")
            .args(arguments)
            .current_dir(self.0.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LOG_BUCKET", self.at("bucket"))
            .env("RESULT_BUCKET", self.at("results"))
            .env("OPTIONS", "--assume reads --depth 2")
            .env("TOOL", self.at("tool"))
            .output()
            .unwrap()
    }

    /// What the state machine returns, and the result that it wrote.
    fn run(&self) -> (Value, Value) {
        let told = serde_json::from_slice(&self.python(&["machine.py"]).stdout).unwrap();
        let read = "import boto3, sys\n\
                    sys.stdout.write(boto3.client('s3').file('results', 'backtest/r1/result.json').read_text())";
        (told, serde_json::from_slice(&self.python(&["-c", read]).stdout).unwrap())
    }
}

fn fixture(name: &str) -> PathBuf {
    root().join("fixtures/logs").join(name)
}

#[test]
fn parts_on_several_machines_have_the_result_of_the_whole_on_one() {
    let logs = [
        ("access.log.gz", "2027/01/15/E.2027-01-15-08.a.gz"),
        ("access.log", "2027/01/15/E.2027-01-15-09.b"),
        ("access-v2.jsonl", "2027/01/16/year=2027/v2"),
        ("decisions.jsonl", "2027/01/16/decisions"),
        ("firehose.gz", "2027/02/01/firehose.gz"),
    ];
    let machine = Machine::new(&logs);
    let (told, merged) = machine.run();
    assert_eq!(told["exit"], 1);
    for (name, key) in logs {
        let to = machine.at("logs").join(key);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(fixture(name), to).unwrap();
    }
    let whole = run(&machine.at("logs"), &machine.at("tool"));
    assert!(whole["requests"].as_u64().unwrap() > 30, "{whole}");
    assert_eq!(merged, whole);
}

#[test]
fn each_key_is_a_file_of_its_own_whatever_it_looks_like() {
    // The last names of these are the same, or they are hidden, above the folder, or both a file and a folder.
    let keys =
        ["2027/x", "2027//x", "2027/./x", "2027/../x", "/2027/x", ".hidden/x", ".x", "a", "a/b", "a/b/"];
    let machine = Machine::new(&keys.map(|key| ("access.log", key)));
    let (_, merged) = machine.run();
    // What ends in a slash is no log.
    let requests = run_file(&machine, &fixture("access.log"))["requests"].as_u64().unwrap();
    assert_eq!(merged["requests"].as_u64().unwrap(), requests * 9);
    // The result names keys, the first three of each group.
    let sources: Vec<_> = merged["groups"][0]["examples"].as_array().unwrap().iter().collect();
    let sources: Vec<_> = sources.iter().map(|example| example["source"].as_str().unwrap()).collect();
    assert_eq!(sources, [".hidden/x", ".x", "/2027/x"]);
}

#[test]
fn a_merge_without_a_result_fails() {
    let machine = Machine::new(&[]);
    let done = machine.python_as_it_ends(&["machine.py"]);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && error.contains("returned non-zero exit status 2"), "{error}");
    assert_eq!(fs::read_dir(machine.at("results")).unwrap().count(), 0);
}

/// The same logs on one machine. Their names are their keys.
fn run(logs: &Path, tool: &Path) -> Value {
    backtest(logs, tool, Path::new("2027"))
}

fn run_file(machine: &Machine, file: &Path) -> Value {
    backtest(&machine.at("bucket"), &machine.at("tool"), file)
}

fn backtest(folder: &Path, tool: &Path, logs: &Path) -> Value {
    let done = Command::new(authorizer())
        .current_dir(folder)
        .args(["backtest", "--format", "json", "--assume", "reads", "--depth", "2", "--bundle"])
        .arg(tool.join("policy.json"))
        .arg("--old")
        .arg(tool.join("old.json"))
        .arg(logs)
        .output()
        .unwrap();
    serde_json::from_slice(&done.stdout).unwrap()
}
