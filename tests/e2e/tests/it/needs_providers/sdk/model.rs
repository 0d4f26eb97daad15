//! The table of AWS's model of S3 has every request of the model that the installed SDK has.

use std::fs;
use std::process::Command;

use authorizer_e2e::binaries::root;
use authorizer_e2e::s3_model::{ModelRequest, all_allowed, table};
use authorizer_e2e::sdk::folder;

/// When the SDK's lock changes: `UPDATE_FIXTURES=1`, then read the diff.
#[test]
fn the_table_has_every_request_of_the_model() {
    let Some(folder) = folder() else { return };
    let script = root().join("tests/tools/sdk/model.py");
    let output = Command::new(folder.join("bin/python")).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let model = String::from_utf8(output.stdout).unwrap();
    let authorizer = all_allowed();
    let lines = model.lines().map(|line| ModelRequest::from_json(line).line(&authorizer));
    let lines: Vec<String> = lines.collect();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(table(), lines.join("\n") + "\n").unwrap();
    }
    let written = fs::read_to_string(table()).unwrap();
    for (seen, expected) in lines.iter().zip(written.lines()) {
        assert_eq!(seen, expected);
    }
    assert_eq!(lines.len(), written.lines().count());
}
