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
def post_raw(path, body):
    try: return urllib.request.urlopen(urllib.request.Request(api + path, body, method="POST")).status
    except urllib.error.HTTPError as error: return [error.code, json.load(error)["errorType"]]
def get(path):
    try: return urllib.request.urlopen(api + path).status
    except urllib.error.HTTPError as error: return [error.code, json.load(error)["errorType"]]
said = []
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
    if case == "/waits": 
        open("waiting-%d" % os.getpid(), "w").close()
        while not os.path.exists("go"): time.sleep(0.01)
    if case == "/eats": eaten = bytearray(os.urandom(1)) * (200 << 20)
    if case == "/eats-and-returns": bytearray(os.urandom(1)) * (200 << 20)
    if case == "/leaves": 
        if os.fork() == 0:
            os.setsid()
            open("left-%d" % os.getpid(), "w").close()
            while True: time.sleep(600)
    if case == "/forks":
        if os.fork() == 0:
            eaten = bytearray(os.urandom(1)) * (200 << 20)
            while True: time.sleep(600)
        time.sleep(600)
    if case == "/garbage": post_raw(f"invocation/{request_id}/response", b"\xff\x00 no JSON"); continue
    if case == "/large": said.append(post_raw(f"invocation/{request_id}/response", b" " * (7 << 20))); continue
    if case == "/answers-another":
        said.append(post_raw("invocation/00000000-0000-4000-8000-000000000000/response", b"{}"))
    if case == "/asks-again": said.append(get("invocation/next"))
    if case == "/says": 
        post(f"invocation/{request_id}/response", {"status": "403", "body": json.dumps(said)})
        continue
    if case == "/fails": post(f"invocation/{request_id}/error", {"errorType": "Oops", "errorMessage": "sorry"}); continue
    decision = json.dumps({"request_id": cf["config"]["requestId"], "decision": "refuse", "path": case})
    if case != "/silent" and case != "/late": print(decision, flush=True)
    post(f"invocation/{request_id}/response", {"status": "403", "body": f"{os.getpid()} {count} {0 < left <= 5000}"})
    if case == "/late": print(decision, flush=True)
    if case == "/twice": said.append(post_raw(f"invocation/{request_id}/response", b"{}"))
    if case == "/hangs-after": time.sleep(600)
    if case == "/eats-after": eaten = bytearray(os.urandom(1)) * (200 << 20); time.sleep(600)
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

/// The processes that run.
fn pids(stage: &Stage) -> Vec<u32> {
    match stage.running.function() {
        Function::Packaged(packaged) => packaged.pids(),
        Function::InProcess(_) => Vec::new(),
    }
}

fn folder(stage: &Stage) -> &Path {
    match stage.running.function() {
        Function::Packaged(packaged) => packaged.folder(),
        Function::InProcess(_) => panic!("not a package"),
    }
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waits = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waits).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// How many files of the function's folder begin so.
fn count(folder: &Path, start: &str) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with(start)).count()
}

#[tokio::test]
async fn as_many_processes_run_as_requests_at_once_up_to_the_limit_and_then_it_is_throttled() {
    let function = bootstrap().with_concurrency(3.try_into().unwrap());
    let stage = Stage::with(Function::Packaged(function)).await;
    assert_eq!(pids(&stage).len(), 1, "one is started with the distribution");
    let folder = folder(&stage).to_owned();
    let (first, second, third, fourth) =
        tokio::join!(get(&stage, "/waits"), get(&stage, "/waits"), get(&stage, "/waits"), async {
            until("three run", || count(&folder, "waiting-") == 3).await;
            let fourth = get(&stage, "/a").await;
            std::fs::write(folder.join("go"), "").unwrap();
            fourth
        });
    assert_eq!(fourth.0, 503);
    let mut bodies: Vec<_> = [first, second, third]
        .into_iter()
        .map(|(status, body)| {
            assert_eq!(status, 403);
            body
        })
        .collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!((bodies.len(), pids(&stage).len()), (3, 3), "each in a process of its own: {bodies:?}");
    let reports = stage.heard.reports.lock().unwrap().clone();
    let throttled = reports.iter().find(|report| report.path == "/a").unwrap();
    let problem = throttled.problem.as_ref().unwrap();
    for words in ["throttled", "3 processes", "--concurrency"] {
        assert!(problem.contains(words), "{problem}");
    }
    assert_eq!(throttled.usage, None);
    for report in reports.iter().filter(|report| report.path == "/waits") {
        assert_eq!(report.record.as_ref().unwrap()["request_id"], report.request_id.as_str());
    }
    // All three are used again, and nobody is turned away.
    let again = tokio::join!(get(&stage, "/a"), get(&stage, "/a"), get(&stage, "/a"));
    assert_eq!((again.0.0, again.1.0, again.2.0, pids(&stage).len()), (403, 403, 403, 3));
}

#[tokio::test]
async fn one_request_after_another_needs_one_process_and_is_never_throttled() {
    let function = bootstrap().with_concurrency(1.try_into().unwrap());
    let stage = Stage::with(Function::Packaged(function)).await;
    let pid = pid(&stage).unwrap();
    for count in 1..=20 {
        assert_eq!(get(&stage, "/a").await, (403, format!("{pid} {count} True")));
    }
}

#[tokio::test]
async fn each_request_says_what_it_used_and_the_first_of_a_process_its_start() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    let pid = pid(&stage).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        get(&stage, "/a").await;
        seen.push(stage.last_report().usage.unwrap());
    }
    assert_eq!((seen[0].pid, seen[1].pid), (pid, pid));
    let cold = seen[0].cold_start.clone().unwrap();
    assert_eq!(seen[1].cold_start, None);
    for usage in &seen {
        assert!(usage.duration > Duration::ZERO && usage.duration < Duration::from_secs(5), "{usage:?}");
    }
    if Packaged::limits_memory() {
        // Python takes some milliseconds to start, and some megabytes.
        assert!(
            cold.cpu.unwrap() > Duration::from_millis(1) && cold.duration > Duration::from_millis(1),
            "{cold:?}"
        );
        for usage in &seen {
            assert!(
                usage.cpu.unwrap() > Duration::ZERO && usage.cpu.unwrap() < Duration::from_secs(1),
                "{usage:?}"
            );
            assert!((4 << 20..128 << 20).contains(&usage.memory.unwrap()), "{usage:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_function_with_more_than_128_mb_is_ended_and_its_request_is_503_with_the_reason() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    // What it gave back before it answered counts, and so does what it forked.
    for path in ["/eats", "/eats-and-returns", "/forks"] {
        let before = pid(&stage);
        assert_eq!(get(&stage, path).await.0, 503, "{path}");
        let problem = stage.last_report().problem.unwrap();
        assert!(problem.contains("MB of memory") && problem.contains("above 128 MB"), "{path}: {problem}");
        assert_eq!(pid(&stage), None, "{path}");
        until("it is ended", || before.is_none_or(|pid| !runs(pid))).await;
    }
    assert_eq!(get(&stage, "/a").await.0, 403);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_function_does_after_its_answer_costs_its_process_and_no_request() {
    let function = bootstrap().with_deadline(Duration::from_secs(2));
    let stage = Stage::with(Function::Packaged(function)).await;
    for (path, words) in [("/hangs-after", "did not request its next event"), ("/eats-after", "MB of memory")]
    {
        assert_eq!(get(&stage, path).await.0, 403, "{path}");
        let first = pid(&stage).unwrap();
        // Another request has a process of its own in the meantime.
        assert_eq!(get(&stage, "/a").await.0, 403, "{path}");
        until("it is ended", || !runs(first)).await;
        until("it is told", || stage.heard.log.lock().unwrap().iter().any(|line| line.contains(words))).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_that_is_killed_while_it_waits_costs_no_request() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    for _ in 0..5 {
        let pid = pid(&stage).unwrap();
        let id = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        until("it has ended", || !runs(pid)).await;
        assert_eq!(get(&stage, "/a").await.0, 403);
    }
}

#[tokio::test]
async fn a_process_without_a_request_for_a_while_is_ended() {
    let function = bootstrap().with_idle_limit(Duration::from_millis(200));
    let stage = Stage::with(Function::Packaged(function)).await;
    let first = pid(&stage).unwrap();
    until("it is ended", || pids(&stage).is_empty() && !runs(first)).await;
    assert_eq!(get(&stage, "/a").await.0, 403);
    assert!(stage.last_report().usage.unwrap().cold_start.is_some());
}

#[tokio::test]
async fn what_is_no_answer_is_refused_as_the_runtime_api_of_aws_refuses_it() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    assert_eq!(get(&stage, "/large").await.0, 503);
    let problem = stage.last_report().problem.unwrap();
    assert!(problem.contains("Function.ResponseSizeTooLarge"), "{problem}");
    assert_eq!(get(&stage, "/garbage").await.0, 502);
    for path in ["/answers-another", "/asks-again", "/twice"] {
        let (status, body) = get(&stage, path).await;
        // Its own answer came, and no other took its place.
        assert!(status == 403 && body.ends_with(" True"), "{path}: {body}");
    }
    let (_, said) = get(&stage, "/says").await;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let invalid = |code: u16, kind: &str| serde_json::json!([code, kind]);
    let expected = [
        invalid(413, "RequestEntityTooLarge"),
        invalid(400, "InvalidRequestID"),
        invalid(403, "InvalidStateTransition"),
        invalid(403, "InvalidStateTransition"),
    ];
    assert_eq!(said, serde_json::Value::from_iter(expected));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn stopping_ends_what_has_left_the_process_group_too() {
    let stage = Stage::with(Function::Packaged(bootstrap())).await;
    assert_eq!(get(&stage, "/leaves").await.0, 403);
    let folder = folder(&stage).to_owned();
    until("it has left", || count(&folder, "left-") == 1).await;
    let names =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: u32 = names.into_iter().find_map(|name| name.strip_prefix("left-")?.parse().ok()).unwrap();
    let Stage { running, client, .. } = stage;
    drop(client);
    running.stop().await;
    until("it is ended", || !runs(left)).await;
    until("the folder is gone", || !folder.exists()).await;
}
