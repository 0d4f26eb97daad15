//! The deployment package with keys that must be fetched from the issuer, under each runtime of Lambda@Edge.

use authorizer_e2e::binaries::Build;
use authorizer_e2e::lambda::{OF_KEYS, Process, Said, Unpacked, event, is_decision};
use authorizer_e2e::packages::{Package, sample, sample_as_library};
use authorizer_e2e::providers::{Before, OpenId};
use authorizer_e2e::under;
use authorizer_local::Runtime;
use authorizer_policy::PolicyFile;
use serde_json::Value;

under! { [natively = Native, under_python = Python, under_node = Node] [
    keys_are_asked_for_within_an_invocation,
] }

under! { [as_a_library = Python] [
    the_library_asks_for_keys_within_a_call,
] }

async fn keys_are_asked_for_within_an_invocation(runtime: Runtime) {
    asks_for_keys(runtime, sample()).await;
}

async fn the_library_asks_for_keys_within_a_call(runtime: Runtime) {
    asks_for_keys(runtime, sample_as_library(Build::Fast)).await;
}

async fn asks_for_keys(runtime: Runtime, package: &Package) {
    let Some(mut provider) = OpenId::start() else { return };
    let resource = "https://files.example.com/";
    let told = provider.introduction().clone();
    let unpacked = Unpacked::new(&package.zip);
    let policy = unpacked.folder().join("policy.toml");
    let text = format!(
        r#"version = 1

[[issuers]]
name       = "login"
issuer     = "{}"
audience   = ["{resource}"]
algorithms = ["ES256"]
jwks       = {{ url = "{}" }}

[[rules]]
id      = "own"
effect  = "allow"
methods = ["GET"]
keys    = ["users/{{sub}}/**"]
"#,
        told.issuer, told.jwks_uri
    );
    std::fs::write(&policy, text).unwrap();
    std::fs::write(unpacked.file("bundle.json"), PolicyFile::load(&policy).unwrap().bundle_json()).unwrap();
    let mut process = Process::start(runtime, unpacked.folder()).await;
    process.ready().await;
    let ask = async |process: &mut Process, token: &str| {
        let bearer = format!("Bearer {token}");
        let uri = format!("/users/{}/x", told.client_id);
        match process.invoke(event("GET", &uri, "", &[("Authorization", &bearer)]).into()).await {
            Said::Response(response) => serde_json::from_slice::<Value>(&response).unwrap(),
            said => panic!("{said:?}"),
        }
    };
    // The log lines come through another pipe than the answers.
    let has_fetched = |process: &Process, decisions: usize, times: usize| {
        process.stdout().wait_for("the decisions' lines", |all| {
            let decided = all.iter().filter(|line| is_decision(line)).count();
            (decided == decisions).then(|| all.iter().filter(|line| line.contains(OF_KEYS)).count())
        }) == times
    };
    let first = provider.token(resource, "files");
    for _ in 0..3 {
        assert!(ask(&mut process, &first).await["uri"].is_string());
    }
    assert!(has_fetched(&process, 3, 1));
    provider.rotate(Before::Dropped);
    let second = provider.token(resource, "files");
    assert!(ask(&mut process, &second).await["uri"].is_string());
    assert_eq!(ask(&mut process, &first).await["status"], "401");
    // The first token names a removed key, so the function fetched the keys to check.
    assert!(has_fetched(&process, 5, 3));
    drop(provider);
    assert!(ask(&mut process, &second).await["uri"].is_string());
    let (stdout, stderr) = process.stop();
    assert_eq!(stderr, Vec::<String>::new());
    for secret in [&first, &second].map(|token| token.rsplit('.').next().unwrap()) {
        assert!(!stdout.join("\n").contains(secret));
    }
}
