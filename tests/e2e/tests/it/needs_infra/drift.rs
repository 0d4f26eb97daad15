//! `infra/cloudformation/drift.yaml`: the check of a deployment on a schedule.

use authorizer_e2e::cloudformation::{assert_found_broken, lint, linter, path, template};
use serde_json::json;

const TEMPLATE: &str = "drift.yaml";

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
            ("AWS::CodeBuild::Project", "AWS::CodeBuild::Projekt", "E3006"),
            ("!GetAtt Check.Arn", "!GetAtt Checks.Arn", "E1010"),
            ("RetentionInDays: 400", "RetentionInDays: 401", "E3030"),
        ],
    );
}

#[test]
fn every_end_but_success_is_told() {
    let Some(linter) = linter() else { return };
    let resources = template(linter, TEMPLATE)["Resources"].clone();
    let told = &resources["NotHeld"]["Properties"]["EventPattern"]["detail"]["build-status"];
    // CodeBuild's states at the end of a build are these and SUCCEEDED.
    assert_eq!(*told, json!(["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]));
    assert_eq!(resources["Check"]["Properties"]["ServiceRole"], json!({"Fn::GetAtt": ["Role", "Arn"]}));
}
