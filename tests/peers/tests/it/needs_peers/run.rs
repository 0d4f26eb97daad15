//! The whole measurement, with few invocations.

use std::fs;
use std::process::Command;

use authorizer_e2e::{runtimes, tools};
use authorizer_local::Runtime;
use authorizer_peers::contender::{Contender, Function};
use serde_json::Value;

#[test]
fn a_run_of_one_round_measures_every_contender() {
    let clients = [Runtime::Node, Runtime::Python].map(runtimes::clients);
    if tools::installed("peers", "the peers").is_none() || clients.iter().any(Option::is_none) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("peers.json");
    let mut peers = Command::new(env!("CARGO_BIN_EXE_authorizer-peers"));
    peers.args(["--rounds", "1", "--invocations", "2", "--warm-up", "1", "--json"]).arg(&json);
    let output = peers.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for function in Function::ALL {
        for runtime in function.measured_warm() {
            let contender = Contender { function, runtime: *runtime }.to_string();
            assert!(text.contains(&contender), "{contender}\n{text}");
        }
    }
    let figures: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert!(figures["version"].is_u64(), "{figures:#}");
}
