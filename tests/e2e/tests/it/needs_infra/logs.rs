//! `infra/logs`, `infra/alarms` and `infra/cloudformation/alarms.yaml`: log groups, alarms and the dashboard.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{
    Faults, assert_found_broken, lint, linter, path, resources_where, template,
};
use authorizer_e2e::ministack::Ministack;
use serde_json::{Value, json};

const TEMPLATE: &str = "alarms.yaml";

/// The Regions that a file of infra names.
fn regions_of(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("infra").join(file)).unwrap();
    let is_region = |word: &&str| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.len() == 3
            && parts[0].len() == 2
            && parts[2].len() == 1
            && parts[2].as_bytes()[0].is_ascii_digit()
    };
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(is_region).map(str::to_owned).collect()
}

#[test]
fn the_13_regions_that_run_functions_are_in_one_file_and_in_the_template() {
    let regions = regions_of("regions.txt");
    assert_eq!(regions.len(), 13, "{regions:?}");
    assert_eq!(regions_of("cloudformation/alarms.yaml"), regions);
    for script in ["logs", "alarms", "export", "rollout"] {
        let text = fs::read_to_string(root().join("infra").join(script)).unwrap();
        assert!(text.contains("regions.txt") && regions_of(script).len() <= 1, "{script}");
    }
}

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
            ("TreatMissingData: notBreaching", "TreatMissingData: notBreach", "E3030"),
            ("Statistic: Maximum", "Statistic: Highest", "E3030"),
            ("FilterPattern: \"\"", "Pattern: \"\"", "E3002"),
            ("!Ref Told]", "!Ref Tell]", "E1020"),
        ],
    );
}

/// The alarms: the metric, its dimensions, and whether they are of the one Region that has CloudFront's metrics.
const ALARMS: [(&str, &str, &str, &str); 8] = [
    ("StartFailed", "", "start_failed", ""),
    ("InvalidResult", "", "invalid_result", ""),
    ("Errors", "AWS/Lambda", "Errors", "us-east-1.${FunctionName}"),
    ("Throttles", "AWS/Lambda", "Throttles", "us-east-1.${FunctionName}"),
    ("ConcurrencyNearQuota", "AWS/Lambda", "ConcurrentExecutions", ""),
    ("ExecutionErrors", "AWS/CloudFront", "LambdaExecutionError", "Global"),
    ("ValidationErrors", "AWS/CloudFront", "LambdaValidationError", "Global"),
    ("LimitExceeded", "AWS/CloudFront", "LambdaLimitExceededErrors", "Global"),
];

/// The function's line as it is, and as Lambda's JSON format would wrap it.
const START_FAILED: &str = "{ ($.event = \"start_failed\") || ($.message.event = \"start_failed\") || \
    ($.message = \"*start_failed*\") }";

/// What would leave a failure untold. Empty if nothing does.
fn faults(resources: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    let told = json!([{"Ref": "Told"}]);
    for (name, namespace, metric, dimension) in ALARMS {
        let alarm = &resources[name]["Properties"];
        let space = if namespace.is_empty() { json!({"Ref": "FunctionName"}) } else { json!(namespace) };
        faults.unless(
            alarm["Namespace"] == space
                && alarm["MetricName"] == metric
                && (alarm["Threshold"] == 1 || alarm["Threshold"] == json!({"Ref": "Concurrency"}))
                && alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold",
            &format!("{name} at the first {metric}"),
        );
        let dimensions = alarm["Dimensions"].to_string();
        faults.unless(
            if dimension.is_empty() { alarm["Dimensions"].is_null() } else { dimensions.contains(dimension) },
            &format!("{name} of this function"),
        );
        faults.unless(alarm["AlarmActions"] == told, &format!("{name} told to somebody"));
        faults.unless(alarm["AlarmDescription"].is_string(), &format!("{name} says what to do"));
        // Most of these metrics have no value while all is well.
        faults.unless(
            alarm["TreatMissingData"] == "notBreaching",
            &format!("{name} quiet where nothing happens"),
        );
    }
    for (name, group, pattern, metric) in [
        ("StartFailedLines", json!({"Ref": "LogGroupName"}), START_FAILED, "start_failed"),
        (
            "InvalidResultLines",
            json!({"Fn::Sub": "/aws/cloudfront/LambdaEdge/${DistributionId}"}),
            "",
            "invalid_result",
        ),
    ] {
        let filter = &resources[name]["Properties"];
        let one = json!([
            {"MetricNamespace": {"Ref": "FunctionName"}, "MetricName": metric, "MetricValue": "1"}
        ]);
        faults.unless(
            filter["LogGroupName"] == group
                && filter["FilterPattern"] == pattern
                && filter["MetricTransformations"] == one,
            &format!("{name} counted"),
        );
    }
    faults.0
}

#[test]
fn every_failure_of_the_function_is_an_alarm() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    let resources = resources_where(&template, &["Tells", "IsHome"]);
    assert_eq!(faults(&resources), [""; 0]);
    // In other Regions without CloudFront's metrics, and without a topic if nobody is told.
    let elsewhere = resources_where(&template, &[]);
    let missing = |name: &str| elsewhere.get(name).is_none();
    assert!(["Told", "ExecutionErrors", "LimitExceeded", "Dashboard"].into_iter().all(missing));
    for (place, value, fault) in [
        ("Throttles/Properties/MetricName", json!("Errors"), "Throttles at the first Throttles"),
        ("Errors/Properties/Dimensions/0/Value", json!({"Ref": "FunctionName"}), "Errors of this function"),
        ("Errors/Properties/Threshold", json!(100), "Errors at the first Errors"),
        ("StartFailed/Properties/AlarmActions", Value::Null, "StartFailed told to somebody"),
        (
            "StartFailed/Properties/TreatMissingData",
            json!("breaching"),
            "StartFailed quiet where nothing happens",
        ),
        ("StartFailedLines/Properties/FilterPattern", json!("start_failed"), "StartFailedLines counted"),
        (
            "InvalidResultLines/Properties/LogGroupName",
            json!({"Ref": "LogGroupName"}),
            "InvalidResultLines counted",
        ),
    ] {
        let mut changed = resources.clone();
        *changed.pointer_mut(&format!("/{place}")).unwrap() = value;
        assert_eq!(faults(&changed), [fault], "{place}");
    }
}

#[test]
fn the_line_of_a_function_that_does_not_start_has_what_the_filter_looks_for() {
    let source = fs::read_to_string(root().join("authorizer/edge/src/log.rs")).unwrap();
    assert!(source.contains("\"event\": \"start_failed\""), "{source}");
}

#[test]
fn the_dashboard_is_json_and_shows_each_region() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    let body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body =
        body.replace("${FunctionName}", "files-1a2b3c4d").replace("${DistributionId}", "EDFDVBD6EXAMPLE");
    assert!(!body.contains("${"), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let by_region = widgets.iter().filter(|one| one["properties"]["metrics"].as_array().unwrap().len() == 13);
    assert_eq!((widgets.len(), by_region.count()), (8, 5));
}

fn said(output: &Output, status: i32) -> String {
    let text =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// Runs `infra/logs` in two Regions.
fn logs(aws: &Ministack, groups: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut logs = aws.command(root().join("infra/logs"));
    logs.args(groups).env("REGIONS", "us-east-1 eu-west-1").envs(settings.iter().copied()).output().unwrap()
}

fn groups(aws: &Ministack, region: &str) -> Vec<(String, u64)> {
    let read = aws.aws(&["logs", "describe-log-groups", "--region", region]);
    let groups = read["logGroups"].as_array().unwrap().iter();
    let pair = |one: &Value| {
        (
            one["logGroupName"].as_str().unwrap().to_owned(),
            one["retentionInDays"].as_u64().unwrap_or_default(),
        )
    };
    groups.map(pair).collect()
}

#[test]
fn the_groups_are_there_and_end_in_each_region_also_where_aws_made_one_before() {
    let Some(aws) = Ministack::start() else { return };
    let cloudfronts = "/aws/cloudfront/LambdaEdge/EDFDVBD6EXAMPLE";
    aws.aws(&["logs", "create-log-group", "--region", "eu-west-1", "--log-group-name", cloudfronts]);
    said(&logs(&aws, &["/lambda-edge/files", cloudfronts], &[]), 0);
    let expected = [(cloudfronts.to_owned(), 365), ("/lambda-edge/files".to_owned(), 365)];
    for region in ["us-east-1", "eu-west-1"] {
        assert_eq!(groups(&aws, region), expected, "{region}");
    }
    assert_eq!(groups(&aws, "us-west-2"), []);
    said(&logs(&aws, &["/lambda-edge/files"], &[("RETENTION_DAYS", "30")]), 0);
    assert_eq!(groups(&aws, "eu-west-1")[1].1, 30);
}

#[test]
fn what_aws_refuses_in_one_region_does_not_stop_the_others_and_is_told() {
    let Some(aws) = Ministack::start() else { return };
    // AWS takes certain numbers of days only.
    let text = said(&logs(&aws, &["/lambda-edge/files"], &[("RETENTION_DAYS", "0")]), 1);
    assert!(text.contains("not complete in: us-east-1 eu-west-1"), "{text}");
    let text = said(&logs(&aws, &[], &[]), 2);
    assert!(text.contains("give the names of the groups"), "{text}");
    let text = said(&logs(&aws, &["/lambda-edge/files"], &[("KEY_ID", "1234abcd")]), 2);
    assert!(text.contains("must be the id of a multi-Region key"), "{text}");
}

#[test]
fn the_alarms_are_deployed_in_each_region_and_told_there() {
    let Some(aws) = Ministack::start() else { return };
    let id = "EDFDVBD6EXAMPLE";
    said(&logs(&aws, &["/lambda-edge/files", &format!("/aws/cloudfront/LambdaEdge/{id}")], &[]), 0);
    let mut alarms = aws.command(root().join("infra/alarms"));
    alarms.args(["files-function", id]).env("REGIONS", "us-east-1 eu-west-1").env("EMAIL", "a@example.com");
    alarms.env("FUNCTION_NAME", "files-1a2b3c4d").env("LOG_GROUP", "/lambda-edge/files");
    said(&alarms.output().unwrap(), 0);
    // Without those of us-east-1 alone: the emulator does not know AWS::Region in a condition.
    for region in ["us-east-1", "eu-west-1"] {
        let read = aws.aws(&["cloudwatch", "describe-alarms", "--region", region]);
        let alarms = read["MetricAlarms"].as_array().unwrap();
        assert_eq!(alarms.len(), 5, "{region}: {alarms:?}");
        for alarm in alarms {
            let actions = alarm["AlarmActions"].to_string();
            assert!(actions.contains(&format!("arn:aws:sns:{region}:")), "{region}: {alarm}");
        }
        let filters = aws.aws(&["logs", "describe-metric-filters", "--region", region]);
        assert_eq!(filters["metricFilters"].as_array().unwrap().len(), 2, "{region}");
    }
    // A Region in which a group is missing is named, with what to do.
    alarms.env("REGIONS", "us-west-2");
    let text = said(&alarms.output().unwrap(), 1);
    assert!(
        text.contains("not complete in: us-west-2") && text.contains("infra/logs /lambda-edge/files"),
        "{text}"
    );
}
