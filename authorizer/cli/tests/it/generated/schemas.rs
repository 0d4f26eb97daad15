//! The JSON Schemas of the files that people write: for editors, and for those who have only the repository.

use crate::generated::holds;
use crate::harness::authorizer;

#[test]
fn the_committed_schemas_are_those_that_the_command_prints() {
    for (kind, file) in [("policy", "policy.schema.json"), ("tests", "policy.tests.schema.json")] {
        let done = authorizer(&["schema", kind]);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        holds(&format!("docs/schemas/{file}"), &done.out);
    }
}
