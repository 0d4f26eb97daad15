//! A package in its own process. The `bootstrap` here is a script that speaks the Runtime API.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use authorizer_local::{
    Distribution, Function, Packaged, PackagedError, Runtime, RuntimeClients, StartError,
};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Stage, empty, settings};

/// Speaks the Runtime API; the path of the request selects the outcome of the invocation.
const BOOTSTRAP: &str = r##"#!/usr/bin/env python3
import json, os, sys, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
def post(path, body):
    urllib.request.urlopen(urllib.request.Request(api + path, json.dumps(body).encode(), method="POST")).read()
print("started in", sorted(k for k in os.environ if k.startswith("SECRET")), flush=True)
if os.path.exists("init-error"):
    post("init/error", {"errorType": "Runtime.InitError", "errorMessage": "no policy"})
    sys.exit(1)
count = 0
while True:
    with urllib.request.urlopen(api + "invocation/next") as event:
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
        deadline = int(event.headers["Lambda-Runtime-Deadline-Ms"])
        assert event.headers["Lambda-Runtime-Invoked-Function-Arn"].startswith("arn:aws:lambda:us-east-1:")
        assert event.headers["Lambda-Runtime-Trace-Id"]
        cf = json.load(event)["Records"][0]["cf"]
    count += 1
    case = cf["request"]["uri"]
    left = deadline - time.time() * 1000
    if case == "/dies": print("about to die", flush=True); os._exit(7)
    if case == "/hangs": time.sleep(600)
    if case == "/fails": post(f"invocation/{request_id}/error", {"errorType": "Oops", "errorMessage": "sorry"}); continue
    decision = json.dumps({"request_id": cf["config"]["requestId"], "decision": "refuse", "path": case})
    if case != "/silent" and case != "/late": print(decision, flush=True)
    post(f"invocation/{request_id}/response", {"status": "403", "body": f"{os.getpid()} {count} {0 < left <= 5000}"})
    if case == "/late": print(decision, flush=True)
    if case == "/dies-after": os._exit(3)
"##;

fn package(folder: &Path, files: &[(&str, u32, &str)]) -> PathBuf {
    let path = folder.join("function.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, mode, text) in files {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn packaged(files: &[(&str, u32, &str)]) -> Packaged {
    let folder = tempfile::tempdir().unwrap();
    let zip = package(folder.path(), files);
    Packaged::unpack(&zip, Runtime::Native, &RuntimeClients::in_dir("none")).unwrap()
}

fn bootstrap() -> Packaged {
    packaged(&[("bootstrap", 0o755, BOOTSTRAP)])
}

fn pid(stage: &Stage) -> Option<u32> {
    match stage.running.function() {
        Function::Packaged(packaged) => packaged.pid(),
        Function::InProcess(_) => None,
    }
}

async fn get(stage: &Stage, path: &str) -> (u16, String) {
    let (status, body) = stage.call("GET", path, empty()).await;
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn one_process_serves_request_after_request_and_its_decisions_reach_their_reports() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    let pid = pid(&stage).unwrap();
    for (count, path) in ["/a", "/b", "/late"].into_iter().enumerate() {
        assert_eq!(get(&stage, path).await, (403, format!("{pid} {} True", count + 1)));
        let report = stage.last_report();
        let record = report.record.unwrap();
        assert_eq!((&record["request_id"], &record["path"]), (&report.request_id.into(), &path.into()));
    }
    get(&stage, "/silent").await;
    assert_eq!(stage.last_report().record, None);
    assert_eq!(*stage.heard.log.lock().unwrap(), ["started in []"]);
}

#[tokio::test]
async fn viewers_at_once_take_their_turns() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    let answers = tokio::join!(get(&stage, "/a"), get(&stage, "/b"), get(&stage, "/c"), get(&stage, "/d"));
    for (status, _) in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!(status, 403);
    }
    for report in stage.heard.reports.lock().unwrap().iter() {
        assert_eq!(report.record.as_ref().unwrap()["path"], report.path);
    }
}

#[tokio::test]
async fn a_process_that_dies_costs_its_request_and_is_started_again() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    let first = pid(&stage).unwrap();
    assert_eq!(get(&stage, "/dies").await.0, 503);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains("exit status: 7") && problem.contains("about to die"), "{problem}");
    assert_eq!(pid(&stage), None);
    assert!(problem.contains("ended while it served the request"));

    let (status, body) = get(&stage, "/a").await;
    let second = pid(&stage).unwrap();
    assert_eq!((status, body), (403, format!("{second} 1 True")));
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_process_that_dies_between_requests_costs_none() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    for _ in 0..3 {
        assert_eq!(get(&stage, "/dies-after").await.0, 403);
    }
}

#[tokio::test]
async fn a_function_over_its_deadline_is_503_and_its_process_is_ended() {
    let function = bootstrap().with_deadline(Duration::from_secs(1));
    let stage = Stage::with(Function::Packaged(function)).await;
    let first = pid(&stage).unwrap();
    assert_eq!(get(&stage, "/hangs").await.0, 503);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains("longer than 1000 ms"), "{problem}");
    assert_eq!(get(&stage, "/a").await.0, 403);
    assert_ne!(pid(&stage).unwrap(), first);
}

#[tokio::test]
async fn an_error_that_the_function_reports_is_503_and_the_process_serves_on() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    let first = pid(&stage).unwrap();
    assert_eq!(get(&stage, "/fails").await.0, 503);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains("Oops: sorry"), "{problem}");
    assert_eq!(get(&stage, "/a").await, (403, format!("{first} 2 True")));
}

#[tokio::test]
async fn a_function_that_cannot_start_is_told_with_its_last_lines() {
    let dies = "#!/bin/sh\necho 'reading the policy'\necho 'no such issuer' >&2\nexit 4\n";
    let (broken, _heard, _data) = settings(Function::Packaged(packaged(&[("bootstrap", 0o755, dies)])));
    let error = Distribution::start(broken).await.unwrap_err();
    assert!(matches!(error, StartError::Function(_)));
    let text = error.to_string();
    for part in ["did not start", "exit status: 4", "reading the policy", "no such issuer"] {
        assert!(text.contains(part), "{text}");
    }

    let files = [("bootstrap", 0o755, BOOTSTRAP), ("init-error", 0o644, "")];
    let (broken, _heard, _data) = settings(Function::Packaged(packaged(&files)));
    let text = Distribution::start(broken).await.unwrap_err().to_string();
    assert!(text.contains("Runtime.InitError: no policy"), "{text}");

    let (broken, _heard, _data) = settings(Function::Packaged(packaged(&[("bootstrap", 0o644, BOOTSTRAP)])));
    let text = Distribution::start(broken).await.unwrap_err().to_string();
    assert!(text.contains("did not start: Permission denied"), "{text}");
}

#[tokio::test]
async fn stopping_the_distribution_ends_the_process_and_its_children() {
    let forks = format!("#!/bin/sh\necho $$ \npython3 ./handler\n# {}\n", "not exec: a shell with a child");
    let files = [("bootstrap", 0o755, forks.as_str()), ("handler", 0o755, BOOTSTRAP)];
    let stage = Stage::with(Function::Packaged(packaged(&files))).await;
    let (_, body) = get(&stage, "/a").await;
    let handler: u32 = body.split(' ').next().unwrap().parse().unwrap();
    let shell = pid(&stage).unwrap();
    assert_ne!(handler, shell);
    let Stage { running, client, .. } = stage;
    drop(client);
    running.stop().await;
    let runs = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    let ended = async {
        while runs(handler) || runs(shell) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
}

#[tokio::test]
async fn a_package_without_its_handler_or_its_runtime_client_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let zip = package(folder.path(), &[("index.mjs", 0o644, ""), ("index.py", 0o644, "")]);
    let clients = RuntimeClients::in_dir(folder.path().join("runtimes"));
    let unpack = |runtime| Packaged::unpack(&zip, runtime, &clients).unwrap_err();
    assert!(matches!(unpack(Runtime::Native), PackagedError::NoHandler(name) if name == "bootstrap"));
    for runtime in [Runtime::Python, Runtime::Node] {
        let error = unpack(runtime);
        assert!(matches!(&error, PackagedError::NoRuntimeClient(_)), "{error}");
        assert!(error.to_string().contains("make runtimes"));
    }
    let zip = package(folder.path(), &[("libauthorizer.so", 0o755, ""), ("index.py", 0o644, "")]);
    for runtime in [Runtime::Native, Runtime::Node] {
        let error = Packaged::unpack(&zip, runtime, &clients).unwrap_err();
        assert!(matches!(&error, PackagedError::OnlyPython), "{error}");
    }
    assert!(matches!(
        Packaged::unpack(&zip, Runtime::Python, &clients),
        Err(PackagedError::NoRuntimeClient(_))
    ));
}
