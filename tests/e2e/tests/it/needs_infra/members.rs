//! The members of CloudFront's structures, against the service model of the botocore that is installed.

use std::fs;

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{parsed, python};
use authorizer_e2e::tools::installed;
use serde_json::Value;

#[test]
fn botocore_has_no_member_of_cloudfronts_structures_that_is_not_known() {
    let Some(sdk) = installed("sdk", "AWS's SDK") else { return };
    let script = root().join("fixtures/distributions/members.py");
    let theirs = parsed(&python(sdk, &[script.to_str().unwrap()]));
    let ours: Value =
        serde_json::from_slice(&fs::read(root().join("fixtures/distributions/members.json")).unwrap())
            .unwrap();
    let structures = theirs["structures"].as_object().unwrap();
    assert!(structures.len() > 40, "{theirs}");
    let mut missing = Vec::new();
    for (structure, members) in structures {
        for (name, kind) in members.as_object().unwrap() {
            if ours["structures"][structure][name] != *kind {
                missing.push(format!("{structure}.{name}"));
            }
        }
    }
    let source = &theirs["source"];
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "{source}: run members.py, and judge what is new in members.rs"
    );
}
