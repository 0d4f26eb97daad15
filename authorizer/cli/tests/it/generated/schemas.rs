//! The JSON Schemas, for editors and for those who have only the repository.

use crate::generated::holds;
use crate::harness::authorizer;

/// The names that `authorizer schema` takes.
pub(crate) fn names() -> Vec<String> {
    let command = authorizer_cli::command();
    let schema = command.find_subcommand("schema").unwrap();
    let kind = schema.get_arguments().find(|argument| argument.get_id() == "kind").unwrap();
    kind.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

#[test]
fn the_committed_schemas_are_those_that_the_command_prints() {
    let names = names();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let file = if name == "tests" { "policy.tests" } else { name.as_str() };
        let done = authorizer(&["schema", &name]);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        holds(&format!("docs/schemas/{file}.schema.json"), &done.out);
    }
}
