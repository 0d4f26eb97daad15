//! What each operation, parameter and header of AWS's model of S3 comes to.

use std::collections::BTreeSet;
use std::fs;

use authorizer_core::Bundle;
use authorizer_e2e::s3_model::{ModelRequest, all_allowed, table};
use serde_json::json;

/// After a change that is meant: `UPDATE_FIXTURES=1`, then read the diff.
#[test]
fn each_request_of_the_model_comes_to_what_the_table_says() {
    let written = fs::read_to_string(table()).unwrap();
    let authorizer = all_allowed();
    let requests: Vec<_> = written.lines().map(ModelRequest::from_line).collect();
    assert!(requests.len() > 600, "{}", requests.len());
    let decided: String = requests.iter().map(|one| one.line(&authorizer) + "\n").collect();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(table(), &decided).unwrap();
        return;
    }
    for (seen, expected) in decided.lines().zip(written.lines()) {
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_policy_cannot_drop_a_parameter_of_the_model() {
    let written = fs::read_to_string(table()).unwrap();
    let requests: Vec<_> = written.lines().map(ModelRequest::from_line).collect();
    let names: BTreeSet<&str> = requests.iter().flat_map(ModelRequest::parameters).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        for name in [name.to_owned(), name.to_uppercase(), name.to_lowercase()] {
            let policy = json!({"version": 1, "rules": [], "query": {"ignored": [name]}});
            let bundle = Bundle::write(&serde_json::from_value(policy).unwrap());
            let read = bundle.map(|bundle| Bundle::read(&bundle));
            let said = format!("{read:?}");
            assert!(said.contains("Member(\"ignored\"), Element(0)"), "{name}: {said}");
        }
    }
}
