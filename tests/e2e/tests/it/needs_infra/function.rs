//! `infra/`: the template and the policies that put the function in front of a bucket.
//!
//! cfn-lint knows CloudFormation's schemas, but not the rules of Lambda@Edge. Those are checked here, on the
//! template that cfn-lint has parsed.

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{
    Faults, as_set, assert_found_broken, lint, linter, path, python, template,
};
use serde_json::{Value, json};

const TEMPLATE: &str = "function.yaml";

/// The problems of a template: what CloudFront would refuse, and what would allow more than the function needs. Empty
/// if the template fits Lambda@Edge ("Restrictions on Lambda@Edge" and "Set up IAM permissions and roles for
/// Lambda@Edge", CloudFront Developer Guide).
fn faults(template: &Value) -> Vec<String> {
    let resources = &template["Resources"];
    let types: Value = resources.as_object().unwrap().values().map(|one| one["Type"].clone()).collect();
    let rules = template["Rules"].as_object().into_iter().flat_map(|rules| rules.values());
    let mut assertions = rules.flat_map(|rule| rule["Assertions"].as_array().into_iter().flatten());
    let in_us_east_1 = json!({"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]});
    let only = ["AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Lambda::Version"];

    let mut faults = Faults::default();
    faults.unless(as_set(&types) == only, "a role, a function and a version, and nothing else");
    faults.unless(assertions.any(|one| one["Assert"] == in_us_east_1), "a rule that the Region is us-east-1");
    function_faults(&mut faults, &resources["Function"]["Properties"], template);
    role_faults(&mut faults, &resources["Role"]["Properties"]);
    version_faults(&mut faults, &resources["Version"], template);
    faults.0
}

/// Every property that the function may have: Lambda@Edge accepts all of them.
const PROPERTIES: [&str; 11] = [
    "Architectures",
    "Code",
    "Description",
    "FunctionName",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "Role",
    "Runtime",
    "Timeout",
];

/// The decision log's group.
const LOG_GROUP: &str = "/lambda-edge/${FunctionName}";

fn function_faults(faults: &mut Faults, function: &Value, template: &Value) {
    for property in function.as_object().unwrap().keys() {
        faults.unless(PROPERTIES.contains(&property.as_str()), &format!("no {property} on the function"));
    }
    let name = json!({"Fn::Sub": ["${FunctionName}-${Suffix}", {"Suffix": {"Fn::Select": [
        0, {"Fn::Split": ["-", {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}]},
    ]}}]});
    faults
        .unless(function["FunctionName"] == name, "a new name for each stack, since the old one stays taken");
    // The name has the suffix, a hyphen and eight digits of the stack's UUID: 64 at most (Lambda, CreateFunction).
    faults.unless(
        template["Parameters"]["FunctionName"]["AllowedPattern"] == "^[A-Za-z0-9_-]{1,55}$",
        "a name that has room for its suffix",
    );
    // A group below /aws/lambda gets us-east-1 in its name (CloudFront, "Edge function logs").
    faults.unless(
        function["LoggingConfig"]
            == json!({
                "LogFormat": "JSON",
                "LogGroup": {"Fn::Sub": LOG_GROUP},
                "ApplicationLogLevel": "INFO",
                "SystemLogLevel": {"Ref": "SystemLogLevel"},
            })
            && template["Outputs"]["LogGroupName"]["Value"] == json!({"Fn::Sub": LOG_GROUP}),
        "one log group of the same name in all Regions, in JSON",
    );
    faults.unless(
        template["Parameters"]["SystemLogLevel"]["Default"] == "WARN",
        "of Lambda's own lines only the warnings",
    );
    faults.unless(function["Architectures"] == json!(["x86_64"]), "x86_64");
    faults.unless(function["MemorySize"] == 128, "128 MB");
    let seconds = function["Timeout"].as_u64().unwrap_or_default();
    faults.unless((1..=5).contains(&seconds), "at most 5 seconds");
    faults.unless(function["PackageType"] == "Zip", "a zip");
    faults.unless(function["Handler"] == "index.handler", "index.handler, which both shims have");
    faults.unless(function["Role"] == json!({"Fn::GetAtt": ["Role", "Arn"]}), "the role of this template");
    faults.unless(function["Runtime"] == json!({"Ref": "Runtime"}), "the runtime that was asked for");
    let runtime = &template["Parameters"]["Runtime"];
    faults.unless(
        as_set(&runtime["AllowedValues"]) == ["nodejs24.x", "python3.13", "python3.14"],
        "only runtimes that have an execve()",
    );
    faults
        .unless(runtime["Default"] == "python3.14", "the runtime whose execve() is stable, if none is named");
    for part in ["S3Bucket", "S3Key", "S3ObjectVersion"] {
        faults.unless(function["Code"][part]["Ref"].is_string(), &format!("{part} from a parameter"));
    }
}

fn role_faults(faults: &mut Faults, role: &Value) {
    let is_one = |list: &Value| list.as_array().is_some_and(|list| list.len() == 1);

    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    let principals = &trust[0]["Principal"];
    faults.unless(
        is_one(trust)
            && trust[0]["Effect"] == "Allow"
            && trust[0]["Action"] == "sts:AssumeRole"
            && principals.as_object().is_some_and(|kinds| kinds.len() == 1)
            && as_set(&principals["Service"]) == ["edgelambda.amazonaws.com", "lambda.amazonaws.com"],
        "a role that lambda and edgelambda may assume, and nobody else",
    );

    let grants = &role["Policies"][0]["PolicyDocument"]["Statement"];
    let arn = ["arn:${AWS::Partition}:logs", "*", "${AWS::AccountId}:log-group", LOG_GROUP, "*"];
    let log_groups = json!([{"Fn::Sub": arn.join(":")}]);
    // Without logs:CreateLogGroup: a group that Lambda creates never expires.
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"];
    faults.unless(
        is_one(&role["Policies"])
            && is_one(grants)
            && grants[0]["Effect"] == "Allow"
            && as_set(&grants[0]["Action"]) == actions
            && grants[0]["Resource"] == log_groups,
        "a role that may write the function's own log in every Region, and nothing else",
    );
    faults.unless(role["ManagedPolicyArns"].is_null(), "no managed policy");
}

fn version_faults(faults: &mut Faults, version: &Value, template: &Value) {
    let properties = &version["Properties"];
    faults.unless(properties["FunctionName"] == json!({"Ref": "Function"}), "a version of the function");
    faults.unless(
        properties["CodeSha256"] == json!({"Ref": "CodeSha256"})
            && template["Parameters"]["CodeSha256"]["Default"].is_null(),
        "a version only of the package that was named",
    );
    // Lambda does not publish the same zip twice: a version that a failed deployment left would stop the next one.
    for (policy, value) in [("DeletionPolicy", "RetainExceptOnCreate"), ("UpdateReplacePolicy", "Retain")] {
        faults.unless(version[policy] == value, &format!("{policy} {value} on the version"));
    }

    let function = &template["Resources"]["Function"]["Properties"];
    let published_for = properties["Description"]["Fn::Sub"].as_str().unwrap_or_default();
    let changes = [
        "${CodeSha256}".to_owned(),
        "${Runtime}".to_owned(),
        function["Handler"].as_str().unwrap_or_default().to_owned(),
        function["Architectures"][0].as_str().unwrap_or_default().to_owned(),
        format!("{} MB", function["MemorySize"]),
        format!("{} s", function["Timeout"]),
        "${SystemLogLevel}".to_owned(),
    ];
    faults.unless(
        changes.iter().all(|change| published_for.contains(change.as_str())),
        "a version published for every change of the function",
    );
    faults.unless(
        template["Outputs"]["VersionArn"]["Value"] == json!({"Ref": "Version"}),
        "the numbered version as an output",
    );
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
            ("python3.14", "python3", "W1030"),
            ("nodejs24.x", "nodejs18.x", "W1030"),
            ("MemorySize: 128", "MemorySize: 64", "E3034"),
            ("- x86_64", "- x64", "E3030"),
            ("!GetAtt Role.Arn", "!GetAtt Rule.Arn", "E1010"),
            ("CodeSha256: !Ref", "CodeHash: !Ref", "E3002"),
            ("Assert: !Equals [!Ref AWS::Region, us-east-1]", "Assert: !Sub us-east-1", "E1701"),
            ("DeletionPolicy: Retain", "DeletionPolicy: Keep", "E3035"),
            ("UpdateReplacePolicy: Retain", "UpdateReplacePolicy: RetainExceptOnCreate", "E3036"),
            ("LogFormat: JSON", "LogFormat: Json", "E3030"),
        ],
    );
}

#[test]
fn the_function_is_one_that_lambda_at_edge_takes_and_may_do_no_more_than_log() {
    let Some(linter) = linter() else { return };
    assert_eq!(faults(&template(linter, TEMPLATE)), [""; 0]);
}

#[test]
fn what_cfn_lint_lets_through_and_cloudfront_or_a_reviewer_would_not_is_found() {
    let Some(linter) = linter() else { return };
    let whole = template(linter, TEMPLATE);
    for (place, value, fault) in [
        (
            "Function/Properties/Environment",
            json!({"Variables": {"A": "b"}}),
            "no Environment on the function",
        ),
        ("Function/Properties/Layers", json!(["arn"]), "no Layers on the function"),
        ("Function/Properties/VpcConfig", json!({"SubnetIds": ["s"]}), "no VpcConfig on the function"),
        ("Function/Properties/TracingConfig", json!({"Mode": "Active"}), "no TracingConfig on the function"),
        ("Function/Properties/Architectures", json!(["arm64"]), "x86_64"),
        ("Function/Properties/MemorySize", json!(256), "128 MB"),
        ("Function/Properties/Timeout", json!(6), "at most 5 seconds"),
        ("Function/Properties/Runtime", json!("provided.al2023"), "the runtime that was asked for"),
        (
            "Role/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service",
            json!(["lambda.amazonaws.com"]),
            "a role that lambda and edgelambda may assume, and nobody else",
        ),
        (
            "Role/Properties/AssumeRolePolicyDocument/Statement/0/Principal/AWS",
            json!("*"),
            "a role that lambda and edgelambda may assume, and nobody else",
        ),
        ("Role/Properties/ManagedPolicyArns", json!(["arn"]), "no managed policy"),
        (
            "Role/Properties/Policies/0/PolicyDocument/Statement/0/Action",
            json!("logs:*"),
            "a role that may write the function's own log in every Region, and nothing else",
        ),
        (
            "Role/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
            json!("*"),
            "a role that may write the function's own log in every Region, and nothing else",
        ),
        (
            "Role/Properties/Policies/0/PolicyDocument/Statement/0/Action",
            json!(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]),
            "a role that may write the function's own log in every Region, and nothing else",
        ),
        (
            "Function/Properties/FunctionName",
            json!({"Ref": "FunctionName"}),
            "a new name for each stack, since the old one stays taken",
        ),
        (
            "Function/Properties/LoggingConfig/LogGroup",
            json!({"Fn::Sub": "/aws/lambda/${FunctionName}"}),
            "one log group of the same name in all Regions, in JSON",
        ),
        (
            "Function/Properties/LoggingConfig/LogFormat",
            json!("Text"),
            "one log group of the same name in all Regions, in JSON",
        ),
        (
            "Function/Properties/LoggingConfig/ApplicationLogLevel",
            json!("WARN"),
            "one log group of the same name in all Regions, in JSON",
        ),
        ("Version/DeletionPolicy", json!("Retain"), "DeletionPolicy RetainExceptOnCreate on the version"),
        ("Version/Properties/CodeSha256", Value::Null, "a version only of the package that was named"),
        ("Version/UpdateReplacePolicy", json!("Delete"), "UpdateReplacePolicy Retain on the version"),
        (
            "Version/Properties/Description",
            json!("the authorizer"),
            "a version published for every change of the function",
        ),
        ("Url", json!({"Type": "AWS::Lambda::Url"}), "a role, a function and a version, and nothing else"),
    ] {
        let mut changed = whole.clone();
        let (parent, name) = format!("/Resources/{place}")
            .rsplit_once('/')
            .map(|(parent, name)| (parent.to_owned(), name.to_owned()))
            .unwrap();
        changed.pointer_mut(&parent).unwrap()[name] = value;
        let found = faults(&changed);
        assert!(found.iter().any(|one| one == fault), "{place}: {found:?}");
    }
    let mut anywhere = whole;
    anywhere["Rules"] = json!({});
    assert_eq!(faults(&anywhere), ["a rule that the Region is us-east-1"]);
}

#[test]
fn a_parameter_takes_what_the_commands_print_and_says_what_it_takes() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    let takes = |parameter: &str, value: &str| {
        let pattern = template["Parameters"][parameter]["AllowedPattern"].as_str().unwrap();
        let whole = "import re, sys; print(bool(re.fullmatch(sys.argv[1], sys.argv[2])))";
        let output = python(linter, &["-c", whole, pattern, value]);
        String::from_utf8(output.stdout).unwrap().trim() == "True"
    };
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let empty_in_hexadecimal = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (parameter, value, taken) in [
        ("CodeSha256", empty, true),
        ("CodeSha256", empty_in_hexadecimal, false),
        ("CodeSha256", empty.trim_end_matches('='), false),
        ("CodeSha256", &empty.replace('+', "-"), false),
        ("CodeSha256", "", false),
        ("FunctionName", "edge-authorizer_2", true),
        ("FunctionName", &"a".repeat(55), true),
        ("FunctionName", &"a".repeat(56), false),
        ("FunctionName", "arn:aws:lambda:us-east-1:111122223333:function:authorizer", false),
        ("CodeBucket", "code.example-1", true),
        ("CodeBucket", "s3://code.example-1", false),
        ("CodeObjectVersion", "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo", true),
        ("CodeObjectVersion", "", false),
    ] {
        assert_eq!(takes(parameter, value), taken, "{parameter}: {value}");
    }
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter["Description"].is_string(), "{name}");
        let constraints = ["AllowedPattern", "AllowedValues", "MinLength"];
        assert!(constraints.iter().any(|constraint| !parameter[constraint].is_null()), "{name}");
    }
}

/// A policy's only statement.
fn only_statement(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("infra/policies").join(name)).unwrap();
    let mut policy: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(policy["Version"], "2012-10-17", "{name}");
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1, "{name}");
    policy["Statement"][0].take()
}

#[test]
fn each_policy_lets_cloudfront_in_for_the_one_distribution_and_for_what_the_authorizer_forwards() {
    let distribution =
        json!({"AWS:SourceArn": "arn:aws:cloudfront::ACCOUNT_ID:distribution/DISTRIBUTION_ID"});
    let only_for_it = json!({"StringEquals": distribution});
    // Without a prefix, S3 would list the whole bucket. So a request that lost its query string must list nothing.
    let only_with_a_prefix = json!({"StringEquals": distribution, "Null": {"s3:prefix": "false"}});
    for (name, sid, actions, resource, condition) in [
        (
            "bucket-policy.json",
            "AllowCloudFrontServicePrincipalReadWriteDelete",
            json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
            "arn:aws:s3:::BUCKET/*",
            &only_for_it,
        ),
        (
            "list-policy.json",
            "AllowCloudFrontServicePrincipalList",
            json!(["s3:ListBucket"]),
            "arn:aws:s3:::BUCKET",
            &only_with_a_prefix,
        ),
        (
            "key-policy.json",
            "AllowCloudFrontServicePrincipalSSE-KMS",
            json!(["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"]),
            "*",
            &only_for_it,
        ),
    ] {
        let expected = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": actions,
            "Resource": resource,
            "Condition": condition,
        });
        assert_eq!(only_statement(name), expected, "{name}");
    }
}
