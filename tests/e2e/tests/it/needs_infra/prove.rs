//! `infra/prove` against Lambda's API, which has the package under AWS's own runtime clients.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use authorizer_core::{Bundle, Reason};
use authorizer_e2e::binaries::{Build, authorizer, root, run};
use authorizer_e2e::lambda::Unpacked;
use authorizer_e2e::lambda_api::{ARN, LambdaApi, Version};
use authorizer_e2e::packages::{Package, issuers, sample, sample_as_library, token};
use authorizer_e2e::runtimes::clients;
use authorizer_local::Runtime;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The hash of a zip, as Lambda has it.
pub(super) fn code_sha256(zip: &Path) -> String {
    let hex = authorizer_core::record::sha256_hex(&fs::read(zip).unwrap());
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap())
        .collect();
    STANDARD.encode(bytes)
}

/// A version of a package, and its unpacked files.
fn version(runtime: Runtime, package: &Package) -> (Version, Unpacked) {
    (Version::new(runtime, &code_sha256(&package.zip)), Unpacked::new(&package.zip))
}

fn prove(api: &LambdaApi, package: &Package, arguments: &[&str], stdin: Option<&str>) -> Output {
    let mut prove = api.command(root().join("infra/prove"));
    prove.arg(ARN).arg("--package").arg(&package.zip).args(arguments).env("AUTHORIZER", authorizer());
    if stdin.is_some() {
        prove.stdin(Stdio::piped());
    }
    let mut child = prove.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let Some(text) = stdin {
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    }
    child.wait_with_output().unwrap()
}

#[track_caller]
fn said(output: &Output, status: i32) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn the_package_is_proven_under_python_with_a_token() {
    is_proven(Runtime::Python, false, None);
}

#[test]
fn the_package_is_proven_under_node_with_a_log_in_json_and_a_token_from_standard_input() {
    is_proven(Runtime::Node, true, Some("-"));
}

fn is_proven(runtime: Runtime, json_log: bool, stdin: Option<&str>) {
    if clients(runtime).is_none() {
        return;
    }
    let package = issuers();
    let (mut version, unpacked) = version(runtime, package);
    version.json_log = json_log;
    version.states = vec!["Pending", "Pending"];
    let Some(api) = LambdaApi::start(version, unpacked.folder()) else { return };
    let token = token("ES256", "alice", &["--audience", "files-api", "--scope", "files"]);
    let line = format!("Authorization: Bearer {token}\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &line).unwrap();
    let from = stdin.unwrap_or(file.path().to_str().unwrap());
    let policy = package.policy.to_str().unwrap();
    let arguments = ["--policy", policy, "--token-file", from];
    let text = said(&prove(&api, package, &arguments, stdin.map(|_| line.as_str())), 0);
    has(
        &text,
        &[
            "ok     the version has the package's code, ",
            "ok     the native function decides under ",
            "ok     the hand-over: ",
            ", and the native function has it now (build fast, version ",
            "ok     an anonymous request (allow, allowed_by_rule)",
            "ok     a request that the token opens (allow, allowed_by_rule)",
            "ok     the same with a changed signature (refuse, signature_invalid)",
            "ok     the token elsewhere (refuse, ",
            "ok     token_missing (refuse, token_missing)",
            "note   a cold start: init ",
            " warm invocations: billed ",
            "note   memory: 30 MB at most",
            " events are decided as `authorizer replay` decides them",
        ],
    );
    let signature = token.rsplit('.').next().unwrap();
    assert!(!text.contains(signature) && !text.contains("WRONG") && !text.contains("NOT PROVEN"), "{text}");
}

#[test]
fn without_a_line_of_the_start_it_is_said_that_the_hand_over_is_not_shown_and_how_to_see_it() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let (mut version, unpacked) = version(Runtime::Python, sample());
    version.tail_of_start = false;
    version.configuration["LoggingConfig"] = json!({"LogFormat": "JSON", "LogGroup": "/lambda-edge/files"});
    let Some(api) = LambdaApi::start(version, unpacked.folder()) else { return };
    let cold = said(&prove(&api, sample(), &[], None), 0);
    let look = "aws logs filter-log-events --region us-east-1 --log-group-name /lambda-edge/files ";
    has(&cold, &["note   NOT SHOWN how the runtime handed over: the function started, ", look]);
    let warm = said(&prove(&api, sample(), &[], None), 0);
    has(
        &warm,
        &["note   NOT SHOWN how the runtime handed over: the version was already warm", "new version"],
    );
    for text in [cold, warm] {
        has(&text, &["ok     the native function decides under "]);
        assert!(!text.contains("the hand-over: "), "{text}");
    }
}

#[test]
fn a_library_is_proven_under_python_and_refused_under_node() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let package = sample_as_library(Build::Small);
    let (python, unpacked) = version(Runtime::Python, package);
    let Some(api) = LambdaApi::start(python, unpacked.folder()) else { return };
    let text = said(&prove(&api, package, &[], None), 0);
    has(
        &text,
        &["ok     the hand-over: python3.", " keeps the process ", " as a library (build small, version "],
    );

    let (mut node, unpacked) = version(Runtime::Python, package);
    node.configuration["Runtime"] = json!("nodejs24.x");
    let Some(api) = LambdaApi::start(node, unpacked.folder()) else { return };
    let text = said(&prove(&api, package, &[], None), 1);
    has(
        &text,
        &["WRONG  the package was made with `--hand-over library`, for Python alone", "Runtime=python3.14"],
    );
}

#[test]
fn a_start_that_is_not_the_hand_over_of_this_package_stops_before_the_other_events() {
    for (start, expected) in [
        (
            json!({"hand_over": "exec", "pid": 9, "runtime_pid": 8}),
            "WRONG  the function has the process 9, and python3.14 had the process 8",
        ),
        (json!({"hand_over": "exec"}), "WRONG  the function has the process None"),
        (json!({"hand_over": "none", "pid": 9}), "WRONG  the function started without a shim"),
        (json!({"bundle_sha256": "another"}), "WRONG  it started with the bundle another"),
        (
            json!({"hand_over": "library", "pid": 8, "runtime_pid": 8}),
            "WRONG  the function says that it was started as `library`, and the package was made with `--hand-over exec`",
        ),
        (
            json!({"hand_over": "exec", "pid": 8, "runtime_pid": 8, "runtime": "nodejs24.x"}),
            "WRONG  the function was started by nodejs24.x, and the version has the Runtime python3.14",
        ),
    ] {
        let Some(text) = instead(&decides_like_the_function(&start), LONG) else { return };
        has(&text, &["ok     the native function decides", expected, "do not attach this version"]);
        assert!(!text.contains("token_missing"), "{text}");
    }
}

/// A function that logs this start and a decision as the function does, and lets every request through.
fn decides_like_the_function(start: &Value) -> String {
    let bundle = run(["check", "--format", "json", sample().policy.to_str().unwrap()]);
    let bundle: Value = serde_json::from_str(&bundle).unwrap();
    let mut line =
        json!({"event": "start", "runtime": "python3.14", "bundle_sha256": bundle["bundle_sha256"]});
    line.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
    format!(
        "import json, os, time\ndef log(line):\n    os.write(1, (json.dumps(line) + '\\n').encode())\n\
         log({line})\ndef handler(event, context):\n    log({{'log_version': 2, 'time': int(time.time()), \
         'decision': 'allow', 'bundle_sha256': {}}})\n    \
         return event['Records'][0]['cf']['request'] if event['Records'] else None\n",
        bundle["bundle_sha256"]
    )
}

#[test]
fn every_reason_of_a_refusal_is_classed_and_those_that_need_no_token_have_an_event() {
    let prove = root().join("infra/prove");
    let output = Command::new(&prove).arg("--reasons").output().unwrap();
    let classes: Value = serde_json::from_str(&said(&output, 0)).unwrap();
    let words = |class: &str| -> BTreeSet<String> {
        classes[class].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let all: Vec<String> = classes.as_object().unwrap().keys().flat_map(|class| words(class)).collect();
    let once: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(once, BTreeSet::from(Reason::WORDS), "class the reason in infra/prove");
    assert_eq!(once.len(), all.len(), "a reason is in two classes");

    // For the sample, and for a policy that has everything that an event could be about.
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let text = fs::read_to_string(root().join("fixtures/policies/sample.toml")).unwrap();
    let keys = format!("file = {:?}", root().join("fixtures/policies/keys/sample.jwks.json"));
    let multipart = r#"operations = ["ListObjectsV2", "CreateMultipartUpload", "UploadPart"]"#;
    let text = text
        .replace("file = \"keys/sample.jwks.json\"", &keys)
        .replace(r#"operations = ["ListObjectsV2"]"#, multipart)
        .replace("[log]", "[credentials]\ncookie = \"session\"\nquery = \"access_token\"\n\n[cors]\norigins = [\"https://app.example.com\"]\n\n[log]");
    fs::write(&policy, text).unwrap();
    for (policy, classes) in
        [(root().join("fixtures/policies/sample.toml"), &["event"][..]), (policy, &["event", "policy"])]
    {
        let zip = bundle_alone(folder.path(), &policy);
        let output = Command::new(&prove).arg("--print-events").arg("--package").arg(&zip).output().unwrap();
        let lines: Vec<Value> =
            said(&output, 0).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: String = lines.iter().map(|line| format!("{}\n", line["event"])).collect();
        let file = folder.path().join("events.jsonl");
        fs::write(&file, events).unwrap();
        let policy = policy.to_str().unwrap();
        let mut replay = Command::new(authorizer());
        replay.args(["replay", "--policy", policy, "--format", "json"]).arg(file);
        let decided = String::from_utf8(replay.output().unwrap().stdout).unwrap();
        let reasons: BTreeSet<String> = decided
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["reason"].as_str().unwrap().to_owned())
            .collect();
        for class in classes {
            let missed: Vec<_> = words(class).difference(&reasons).cloned().collect();
            assert!(missed.is_empty(), "{policy}: no event for {missed:?}");
        }
    }
}

/// A zip that has only the bundle.
fn bundle_alone(folder: &Path, policy: &Path) -> PathBuf {
    let zip = folder.join("bundle.zip");
    let mut writer = zip::ZipWriter::new(fs::File::create(&zip).unwrap());
    writer.start_file("bundle.json", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(authorizer_policy::PolicyFile::load(policy).unwrap().bundle_json()).unwrap();
    writer.finish().unwrap();
    zip
}

#[test]
fn another_package_than_the_deployed_one_is_a_difference() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let (deployed, unpacked) = version(Runtime::Python, sample());
    let Some(api) = LambdaApi::start(deployed, unpacked.folder()) else { return };
    let text = said(&prove(&api, issuers(), &[], None), 1);
    has(
        &text,
        &["WRONG  the version has the code ", "name the zip that was deployed", "do not attach this version"],
    );
    assert!(!api.asked().iter().any(|path| path.ends_with("/invocations")), "{:?}", api.asked());

    // Even if Lambda says that the code is the same.
    let claimed = Version::new(Runtime::Python, &code_sha256(&issuers().zip));
    let api = LambdaApi::start(claimed, unpacked.folder()).unwrap();
    let text = said(&prove(&api, issuers(), &[], None), 1);
    let bundle = Bundle::read(&fs::read(unpacked.file("bundle.json")).unwrap()).unwrap();
    has(&text, &["WRONG  the function decides by the bundle ", bundle.sha256()]);
}

/// The function's own file, replaced by this, under Python.
fn instead(code: &str, timeout: Duration) -> Option<String> {
    clients(Runtime::Python)?;
    let package = sample();
    let (mut version, unpacked) = version(Runtime::Python, package);
    version.timeout = timeout;
    fs::write(unpacked.file("index.py"), code).unwrap();
    let api = LambdaApi::start(version, unpacked.folder())?;
    Some(said(&prove(&api, package, &[], None), 1))
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_function_that_does_not_hand_over_lets_nothing_pass_here() {
    let passes = "def handler(event, context):\n    return event['Records'][0]['cf']['request'] if event['Records'] else {}\n";
    let Some(text) = instead(passes, LONG) else { return };
    has(
        &text,
        &["WRONG  no line of the decision log", "did not take over the process of ", "another Runtime"],
    );
    let keeps =
        "def handler(event, context):\n    raise RuntimeError('bootstrap did not replace this process')\n";
    let text = instead(keeps, LONG).unwrap();
    has(&text, &["failed with RuntimeError: bootstrap did not replace", "deploy with another Runtime"]);
}

#[test]
fn a_function_that_throws_or_answers_late_is_not_to_be_attached() {
    let throws = "def handler(event, context):\n    raise ValueError('no')\n";
    let Some(text) = instead(throws, LONG) else { return };
    has(&text, &["WRONG  event_malformed: the function failed with ValueError: no", "do not attach"]);
    let late = "import time\ndef handler(event, context):\n    time.sleep(60)\n";
    let text = instead(late, Duration::from_secs(1)).unwrap();
    has(&text, &["Sandbox.Timedout", "The limit of a viewer-request function is 5 seconds"]);
}

#[test]
fn a_function_that_answers_otherwise_than_replay_is_named_event_by_event() {
    // As an older Node.js starts it: this is no difference by itself.
    let child = json!({"hand_over": "child", "pid": 9, "runtime_pid": 8});
    let Some(text) = instead(&decides_like_the_function(&child), LONG) else { return };
    has(
        &text,
        &[
            "note   python3.14 waits in the process 8 for the native function in the process 9",
            "WRONG  token_missing (refuse, token_missing):",
            "the answer is {",
            "its log has decision \"allow\", and `replay` \"refuse\"",
            "do not attach this version",
        ],
    );
    assert!(!text.contains("ok     token_missing"), "{text}");
}

#[test]
fn a_bootstrap_that_cannot_run_is_said_with_what_to_do() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let (version, unpacked) = version(Runtime::Python, sample());
    fs::set_permissions(unpacked.file("bootstrap"), fs::Permissions::from_mode(0o644)).unwrap();
    let Some(api) = LambdaApi::start(version, unpacked.folder()) else { return };
    let text = said(&prove(&api, sample(), &[], None), 1);
    has(&text, &["Runtime.ExitError", "bootstrap_not_executable", "package again"]);
}

#[test]
fn what_cloudfront_refuses_of_a_function_is_named() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let (mut version, unpacked) = version(Runtime::Python, sample());
    version.configuration["MemorySize"] = json!(512);
    version.configuration["Timeout"] = json!(30);
    version.configuration["Environment"] = json!({"Variables": {"A": "B"}});
    version.configuration["EphemeralStorage"] = json!({"Size": 1024});
    version.configuration["DeadLetterConfig"] = json!({"TargetArn": "arn:aws:sqs:us-east-1:1:dead"});
    version.configuration["Handler"] = json!("index.main");
    version.configuration["Runtime"] = json!("nodejs20.x");
    let Some(api) = LambdaApi::start(version, unpacked.folder()) else { return };
    let text = said(&prove(&api, sample(), &[], None), 1);
    has(
        &text,
        &[
            "the function's MemorySize, 512",
            "the function's Timeout, 30",
            "the function's Environment",
            "the function's EphemeralStorage",
            "the function's DeadLetterConfig",
            "the Handler index.main: it must be index.handler",
            "the Runtime nodejs20.x, and the package is for python3.14, python3.13, nodejs24.x",
            "NOT CHECKED here: whether the function's role trusts edgelambda.amazonaws.com",
            "7 wrong",
        ],
    );
}

/// A version under a policy whose keys are fetched, behind a stand-in for AWS's command line. The token is the operator's.
struct Fetched {
    folder: tempfile::TempDir,
    token: String,
}

impl Fetched {
    fn new(library: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.toml");
        let text = "version = 1\n[[issuers]]\nname = \"away\"\nissuer = \"https://away.example.com/\"\n\
            audience = [\"files-api\"]\nalgorithms = [\"EdDSA\"]\njwks = { url = \"http://127.0.0.1:9/jwks\" }\n\
            [[rules]]\nid = \"own\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"users/{sub}/**\"]\n";
        fs::write(&policy, text).unwrap();
        let zip = bundle_alone(folder.path(), &policy);
        if library {
            let file = fs::OpenOptions::new().read(true).write(true).open(&zip).unwrap();
            let mut writer = zip::ZipWriter::new_append(file).unwrap();
            writer.start_file("libauthorizer.so", zip::write::SimpleFileOptions::default()).unwrap();
            writer.finish().unwrap();
        }
        let bundle = authorizer_policy::PolicyFile::load(&policy).unwrap().bundle_json().to_vec();
        fs::write(folder.path().join("bundle.json"), bundle).unwrap();
        let token = Self::token(&json!({"sub": "alice"}));
        fs::write(folder.path().join("token"), &token).unwrap();
        // A Python of a version manager would put its own programs before ours.
        let python =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        let python = String::from_utf8(python.stdout).unwrap();
        for (name, text) in [
            ("aws", include_str!("prove_aws.py").to_owned()),
            ("python3", format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.trim())),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder, token }
    }

    /// A token with these claims beside those of the issuer, and any signature.
    fn token(claims: &Value) -> String {
        let mut all = json!({"iss": "https://away.example.com/", "aud": "files-api", "iat": 1, "exp": 4_102_444_800_u32});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "k1"});
        let signature: Vec<u8> = (0..64).map(|at: u8| at.wrapping_mul(37).wrapping_add(11)).collect();
        let parts = [header.to_string().into_bytes(), all.to_string().into_bytes(), signature];
        parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    fn prove(&self, fault: &str, start: Option<&Value>, arguments: &[&str]) -> Output {
        let mut prove = Command::new(root().join("infra/prove"));
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        prove.arg(ARN).arg("--package").arg(self.folder.path().join("bundle.zip")).args(arguments);
        prove.env("PATH", path).env("AUTHORIZER", authorizer()).env("FOLDER", self.folder.path());
        prove.env("FAULT", fault).envs(start.map(|start| ("START", start.to_string()))).output().unwrap()
    }
}

#[test]
fn what_hangs_on_a_fetched_key_is_of_this_version_and_bundle_and_refused_unless_the_token_opens_it() {
    let fetched = Fetched::new(false);
    let file = fetched.folder.path().join("token");
    let arguments = ["--token-file", file.to_str().unwrap()];
    let text = said(&fetched.prove("", None, &arguments), 0);
    has(
        &text,
        &[
            "ok     a request with the token (allow, allowed_by_rule): by the function alone, which fetched the keys of away",
            "because `replay` fetches no keys: signing_key_unknown, a request with the token, the same with a changed signature",
        ],
    );
    assert!(!text.contains("WRONG") && !text.contains("NOT PROVEN"), "{text}");
    for (fault, expected) in [
        (
            "allows all",
            &["WRONG  signing_key_unknown (allow,", "no issuer has signed its token", "2 wrong"][..],
        ),
        ("lets pass", &["that it is refused, and the answer has no status: {", "2 wrong"]),
        ("another status", &["its log has status 503, and the answer \"401\"", "2 wrong"]),
        ("another issuer", &["by the issuer \"near\", and the token names away", "NOT PROVEN that a token"]),
        ("another request", &["the answer is not the request", "NOT PROVEN that a token"]),
        ("another bundle", &["it decided by the bundle another", "3 wrong"]),
        ("another version", &["version 2 answered", "3 wrong"]),
    ] {
        let text = said(&fetched.prove(fault, None, &arguments), 1);
        has(&text, expected);
        // Not a part of the token, nor of the one that is made from it, is printed, wherever a value was cut.
        for part in fetched
            .token
            .split('.')
            .skip(1)
            .flat_map(|part| [part.split_at(24).0, part.split_at(part.len() - 9).1])
        {
            assert!(!text.contains(part), "{fault}: {part} is in\n{text}");
        }
    }
}

#[test]
fn a_token_that_opened_nothing_proves_nothing_and_says_so() {
    let fetched = Fetched::new(false);
    let file = fetched.folder.path().join("token");
    let arguments = ["--token-file", file.to_str().unwrap()];
    let text = said(&fetched.prove("fetches nothing", None, &arguments), 2);
    has(
        &text,
        &[
            "note   NOT PROVEN that a token opens anything: no request with this one was allowed",
            "infra/prove: the token opened nothing that was tried (keys_unavailable)",
        ],
    );
    let text =
        said(&fetched.prove("", None, &["--token-file", arguments[1], "--request", "GET /users/bob/x"]), 2);
    has(&text, &["NOT PROVEN", "the token opened nothing that was tried (signature_invalid)"]);
    // No rule has a key for it.
    fs::write(&file, Fetched::token(&json!({}))).unwrap();
    let text = said(&fetched.prove("", None, &arguments), 2);
    has(&text, &["no rule for tokens has a key that this token's claims can fill"]);
    // Without one it is a note, as before.
    let text = said(&fetched.prove("", None, &[]), 0);
    has(&text, &["note   NOT PROVEN that a token opens anything: give one with --token-file"]);
}

#[test]
fn a_library_is_started_as_one_in_the_process_of_the_runtime() {
    let fetched = Fetched::new(true);
    let start = |how: &str, pid: u32| json!({"event": "start", "hand_over": how, "pid": pid, "runtime_pid": 8, "runtime": "python3.14"});
    let text = said(&fetched.prove("", Some(&start("library", 8)), &[]), 0);
    has(&text, &["ok     the hand-over: python3.14 keeps the process 8"]);
    for (start, expected) in [
        (start("exec", 8), "started as `exec`, and the package was made with `--hand-over library`"),
        (start("child", 9), "started as `child`, and the package was made with `--hand-over library`"),
        (start("library", 9), "a library stays in the runtime's process"),
        (start("none", 8), "the function started without a shim (hand_over: none)"),
    ] {
        let text = said(&fetched.prove("", Some(&start), &[]), 1);
        has(&text, &["WRONG  ", expected, "eploy the zip that was made, unchanged"]);
    }
}

#[test]
fn every_error_of_lambda_says_what_to_do_and_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let policy = root().join("fixtures/policies/sample.toml");
    let package = Package { zip: bundle_alone(folder.path(), &policy), policy };
    let of = |changes: &dyn Fn(&mut Version)| {
        let mut version = Version::new(Runtime::Python, &code_sha256(&package.zip));
        changes(&mut version);
        LambdaApi::start(version, folder.path())
    };
    for (status, code, remedy) in [
        (403, "AccessDeniedException", "need lambda:InvokeFunction and lambda:GetFunctionConfiguration"),
        (404, "ResourceNotFoundException", "aws lambda list-versions-by-function"),
        (429, "TooManyRequestsException", "throttles this account"),
        (409, "ResourceConflictException", "longer --wait"),
        (502, "InvalidZipFileException", "upload the file that `authorizer package` made"),
        (502, "InvalidRuntimeException", "another Runtime"),
        (502, "KMSAccessDeniedException", "look at the key"),
        (500, "ServiceException", "run it again"),
        (403, "ExpiredTokenException", "sign in again"),
    ] {
        let Some(api) = of(&|version| version.refuses = Some((status, code))) else { return };
        let text = said(&prove(&api, &package, &[], None), 2);
        has(&text, &["infra/prove: aws lambda invoke: ", code, remedy]);
    }
    let api = of(&|version| version.states = vec!["Pending"; 100]).unwrap();
    let text = said(&prove(&api, &package, &["--wait", "0.2"], None), 2);
    has(&text, &["is not active after 0.2 seconds", "longer --wait"]);
    let api = of(&|version| version.states = vec!["Failed"]).unwrap();
    let text = said(&prove(&api, &package, &[], None), 2);
    has(&text, &["could not create the version (InvalidZipFileException): The zip cannot be opened"]);
}

#[test]
fn what_cannot_be_proven_is_refused_before_lambda_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let policy = root().join("fixtures/policies/sample.toml");
    let zip = bundle_alone(folder.path(), &policy);
    let other = folder.path().join("other.toml");
    let text = fs::read_to_string(&policy).unwrap().replace("public/**", "open/**");
    let keys = format!("file = {:?}", root().join("fixtures/policies/keys/sample.jwks.json"));
    fs::write(&other, text.replace("file = \"keys/sample.jwks.json\"", &keys)).unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "two words").unwrap();
    let stale = folder.path().join("stale");
    fs::write(&stale, "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MX0.AAAA").unwrap();
    let arn = |text: &str| ARN.replace("us-east-1", "eu-central-1").replace("edge-authorizer:1", text);
    let [zip, other, token, stale] = [&zip, &other, &token, &stale].map(|path| path.to_str().unwrap());
    for (function, arguments, message) in [
        (arn("edge-authorizer:1").as_str(), &["--package", zip][..], "us-east-1"),
        (ARN.trim_end_matches(":1"), &["--package", zip], "only a numbered version"),
        (&format!("{}:$LATEST", ARN.trim_end_matches(":1")), &["--package", zip], "only a numbered version"),
        (&format!("{}:live", ARN.trim_end_matches(":1")), &["--package", zip], "only a numbered version"),
        ("edge-authorizer:1", &["--package", zip], "is not the ARN of a function"),
        (ARN, &["--package", "/nonexistent.zip"], "make package POLICY="),
        (ARN, &["--package", zip, "--policy", other], "is not made from"),
        (ARN, &["--package", zip, "--token-file", "/nonexistent"], "the token's file"),
        (ARN, &["--package", zip, "--token-file", token], "must have one line"),
        (ARN, &["--package", zip, "--token-file", stale], "the token opens nothing that was tried"),
        (ARN, &["--package", zip, "--events", "/nonexistent"], "write one event per line"),
    ] {
        let mut prove = Command::new(root().join("infra/prove"));
        prove.arg(function).args(arguments).env("AUTHORIZER", authorizer()).env("PATH", "/usr/bin:/bin");
        // Nothing may be asked of anybody.
        prove.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            prove.env("PATH", path);
        }
        has(&said(&prove.output().unwrap(), 2), &["infra/prove: ", message]);
    }
}
