//! The function of `infra/cloudformation/backtest.yaml`: parts of the logs on several machines have the result of the
//! whole on one.

use std::fs;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_policy::PolicyFile;
use serde_json::Value;

/// AWS's library for Python, as far as the function uses it, with folders as buckets.
const BOTO3: &str = r#"
import pathlib
import shutil


class S3:
    def file(self, bucket, key):
        path = pathlib.Path(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

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
        files = sorted(path for path in pathlib.Path(Bucket, Prefix).rglob("*") if path.is_file())
        for path in files:
            yield {"Contents": [{"Key": str(path.relative_to(Bucket))}]}
        yield {}


def client(name):
    assert name == "s3"
    return S3()
"#;

/// What the state machine does, with two files for each function. A part is done twice, as after a failure.
const MACHINE: &str = r#"
import json
import pathlib
import sys

import index

keys = sorted(str(path.relative_to("logs")) for path in pathlib.Path("logs").rglob("*") if path.is_file())
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

#[test]
fn parts_on_several_machines_have_the_result_of_the_whole_on_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let logs = root().join("fixtures/logs");
    let put = |from: &str, to: &str| {
        let to = at("logs").join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(logs.join(from), to).unwrap();
    };
    put("access.log.gz", "2027/01/15/E.2027-01-15-08.a.gz");
    put("access.log", "2027/01/15/E.2027-01-15-09.b");
    put("access-v2.jsonl", "2027/01/16/year=2027/v2");
    put("decisions.jsonl", "2027/01/16/decisions");
    put("firehose.gz", "2027/02/01/firehose.gz");
    fs::create_dir_all(at("tool")).unwrap();
    for (policy, name) in [("new.toml", "policy.json"), ("old.toml", "old.json")] {
        let policy = PolicyFile::load(&logs.join(policy)).unwrap();
        fs::write(at("tool").join(name), policy.bundle_json()).unwrap();
    }
    std::os::unix::fs::symlink(authorizer(), at("tool").join("authorizer")).unwrap();
    for (name, text) in [("boto3.py", BOTO3), ("machine.py", MACHINE), ("index.py", &code())] {
        fs::write(at(name), text).unwrap();
    }
    let machine = Command::new("python3")
        .arg("machine.py")
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOG_BUCKET", at("logs"))
        .env("RESULT_BUCKET", at("results"))
        .env("OPTIONS", "--assume reads --depth 2")
        .env("TOOL", at("tool"))
        .output()
        .unwrap();
    assert!(machine.status.success(), "{}", String::from_utf8_lossy(&machine.stderr));
    let told: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!(told["exit"], 1);

    let whole = run(&at("logs"), &at("tool"));
    let merged: Value =
        serde_json::from_slice(&fs::read(at("results/backtest/r1/result.json")).unwrap()).unwrap();
    assert!(whole["requests"].as_u64().unwrap() > 30, "{whole}");
    assert_eq!(merged, whole);
}

/// The same logs on one machine.
fn run(logs: &Path, tool: &Path) -> Value {
    let done = Command::new(authorizer())
        .current_dir(logs)
        .args(["backtest", "--format", "json", "--assume", "reads", "--depth", "2", "--bundle"])
        .arg(tool.join("policy.json"))
        .arg("--old")
        .arg(tool.join("old.json"))
        .arg(".")
        .output()
        .unwrap();
    serde_json::from_slice(&done.stdout).unwrap()
}
