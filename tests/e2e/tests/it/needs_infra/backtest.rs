//! `infra/cloudformation/backtest.yaml`: a backtest of more logs than one machine reads. What its function does is in
//! `fast/backtest.rs`.

use authorizer_e2e::cloudformation::{assert_found_broken, lint, linter, path, template};

const TEMPLATE: &str = "backtest.yaml";

#[test]
fn the_template_has_no_finding_of_cfn_lints() {
    let Some(linter) = linter() else { return };
    assert_eq!(lint(linter, &[path(TEMPLATE)]), []);
}

#[test]
fn cfn_lint_stops_a_template_that_cloudformation_would_not_take() {
    let Some(linter) = linter() else { return };
    assert_found_broken(
        linter,
        TEMPLATE,
        &[
            ("AWS::StepFunctions::StateMachine", "AWS::StepFunctions::StateMachines", "E3006"),
            ("!GetAtt Function.Arn", "!GetAtt Functions.Arn", "E1010"),
            ("RetentionInDays: 30", "RetentionInDays: 31", "E3030"),
            // The state machine itself.
            ("Type: Map", "Type: Maps", "E3601"),
            ("StartAt: Parts", "StartAt: Part", "E3601"),
        ],
    );
}

#[test]
fn a_part_and_the_merge_are_of_the_same_run() {
    let Some(linter) = linter() else { return };
    let resources = template(linter, TEMPLATE)["Resources"].clone();
    let states = &resources["StateMachine"]["Properties"]["Definition"]["States"];
    let run = "$$.Execution.Name";
    assert_eq!(states["Parts"]["ItemBatcher"]["BatchInput"]["run.$"], run);
    assert_eq!(states["Merge"]["Parameters"]["Payload"]["run.$"], run);
    assert_eq!(states["Parts"]["ItemProcessor"]["ProcessorConfig"]["Mode"], "DISTRIBUTED");
}
