//! `attach` and `detach` as a person meets them: what they print, where, and their exit status.

use std::fs;

use serde_json::Value;

use crate::harness::{Done, ROOT, authorizer, authorizer_with};

const PLAIN: &str = "fixtures/distributions/plain.json";
const OLDER: &str = "fixtures/distributions/older.json";
const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:3";

fn attach(more: &[&str]) -> Done {
    authorizer(&[&["attach", "--function-arn", ARN, "--behavior", "all"], more].concat())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn fixture(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

#[test]
fn attach_names_every_change_and_writes_what_update_distribution_takes() {
    let Done { code, out, err } = attach(&["--policy", "fixtures/policies/cases.toml", PLAIN]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(err);
    let config = json(&out);
    assert_eq!(config["CallerReference"], "1711000000000");
    let ours = &config["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Items"][0];
    assert_eq!(ours["LambdaFunctionARN"], ARN);
}

#[test]
fn attach_works_in_a_pipe_and_keeps_the_etag() {
    let arguments = ["attach", "--function-arn", ARN, "--behavior", "all", "--cli-input-json"];
    let Done { code, out, .. } = authorizer_with(&arguments, fixture(PLAIN));
    let input = json(&out);
    assert_eq!((code, input["IfMatch"].as_str()), (0, Some("E2QWRUHEXAMPLE")));
    assert_eq!(input.as_object().unwrap().len(), 2);
    let Done { out: config, .. } = attach(&[PLAIN]);
    assert_eq!(input["DistributionConfig"], json(&config));
}

#[test]
fn attach_writes_the_whole_export_to_a_file_from_which_detach_finds_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
    let [first, second] = [&first, &second].map(|path| path.to_str().unwrap());
    // `attach` always sets this, and `detach` leaves it.
    let before = fixture(PLAIN).replace("redirect-to-https", "https-only");
    let arguments = ["attach", "--function-arn", ARN, "--behavior", "all", "--out", first];
    assert_eq!(authorizer_with(&arguments, before.as_str()).code, 0);
    assert_eq!(json(&fs::read_to_string(first).unwrap())["ETag"], "E2QWRUHEXAMPLE");

    let detach = ["detach", "--function-arn", ARN, "--behavior", "all", first, "--out", second];
    let Done { code, out, err } = authorizer(&detach);
    assert_eq!((code, out.as_str(), fs::exists(second).unwrap()), (1, "", false));
    insta::assert_snapshot!(err);

    let Done { code, out, err } = authorizer(&[&detach[..], &["--bucket-is-closed"]].concat());
    assert_eq!((code, out.as_str()), (0, ""));
    insta::assert_snapshot!(err);
    assert_eq!(json(&fs::read_to_string(second).unwrap()), json(&before));
}

#[test]
fn attach_refuses_with_a_remedy_for_each_obstacle_and_writes_nothing() {
    let Done { code, out, err } = attach(&["--policy", "fixtures/requests/policy.toml", OLDER]);
    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(err);
    let Done { code, out, err } = attach(&["--format", "json", OLDER]);
    assert_eq!((code, out.as_str()), (1, ""));
    let told = json(&err);
    assert_eq!((&told["version"], told["obstacles"].as_array().unwrap().len()), (&1.into(), 4));
    let members: Vec<_> = told["obstacles"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["arn", "behavior", "event", "message", "obstacle", "remedy"]);
}

#[test]
fn changes_are_told_to_programs_too() {
    let Done { code, err, .. } = attach(&["--format", "json", PLAIN]);
    let told = json(&err);
    assert_eq!((code, &told["version"], &told["etag"]), (0, &1.into(), &"E2QWRUHEXAMPLE".into()));
    let change = &told["changes"][2];
    assert_eq!(change["place"]["behavior"], "default");
    assert_eq!(change["setting"], "ViewerProtocolPolicy");
    assert_eq!((&change["before"], &change["after"]), (&"redirect-to-https".into(), &"https-only".into()));
    assert_eq!(told["notes"][0]["note"], "passed_over");
}

#[test]
fn what_cannot_be_used_is_said_with_its_place_and_exits_2() {
    let of = |arn: &str| ARN.replace("us-east-1:111122223333:function:edge-authorizer:3", arn);
    for (arguments, input, expected) in [
        (vec!["--function-arn", ARN, "--behavior", "videos/*", PLAIN], String::new(), "behavior `/users/*`"),
        (vec!["--function-arn", ARN, "--behavior", "all"], String::new(), "the file is empty"),
        (vec!["--function-arn", ARN, "--behavior", "all", "missing.json"], String::new(), "cannot be read"),
        (
            vec!["--function-arn", ARN, "--behavior", "all"],
            fixture(PLAIN).replacen("\"Quantity\": 7", "\"Quantity\": 8", 1),
            "`Quantity` is 8, but `Items` has 7 at line ",
        ),
        (
            vec!["--function-arn", &of("us-east-1:111122223333:function:f:$LATEST"), "--behavior", "all"],
            fixture(PLAIN),
            "publish a version",
        ),
        (
            vec!["--function-arn", &of("eu-west-1:111122223333:function:f:1"), "--behavior", "all"],
            fixture(PLAIN),
            "another Region",
        ),
        (
            vec!["--function-arn", &of("us-east-1:111122223333:function:f"), "--behavior", "all"],
            fixture(PLAIN),
            "has no version",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all", "--cache-policy-id", "Managed-Caching"],
            fixture(PLAIN),
            "or the name of one of AWS's own",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "user/*"],
            fixture(PLAIN),
            "did you mean behavior `/users/*`?",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all", "--origin", "file"],
            fixture(PLAIN),
            "did you mean `files`?",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "default", "--origin", "files"],
            fixture(PLAIN),
            "for `--behavior all` only",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all"],
            fixture(PLAIN).replace("api.example.com", "public-files.s3.eu-central-1.amazonaws.com"),
            "`api` (bucket",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all", "--cli-input-json"],
            json(&fixture(PLAIN))["DistributionConfig"].to_string(),
            "has no `ETag`",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all"],
            "{\"Resources\": {}}".to_owned(),
            "CloudFormation's form of a distribution",
        ),
        (
            vec!["--function-arn", ARN, "--behavior", "all", "--response-headers-policy-id", "Managed-CORS"],
            fixture(PLAIN),
            "or the name of one of AWS's own",
        ),
        (vec!["--function-arn", ARN], fixture(PLAIN), "--behavior"),
    ] {
        let Done { code, out, err } = authorizer_with(&[&["attach"], &arguments[..]].concat(), input);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            err.replace("\n  │ ", " ").replace("\n        ", " ").contains(expected),
            "{arguments:?}: {err}"
        );
    }
    let both = ["--bucket-is-closed", "--remove-origin-access-control"];
    let arguments = [&["detach", "--function-arn", ARN, "--behavior", "all", PLAIN], &both[..]].concat();
    assert_eq!(authorizer(&arguments).code, 2);
}

#[test]
fn attach_turns_off_what_goes_past_the_function_and_takes_awss_own_policies_by_name() {
    let open = fixture(PLAIN).replacen("\"SmoothStreaming\": false", "\"SmoothStreaming\": true", 1);
    let arguments = ["attach", "--function-arn", ARN, "--behavior", "all", "--format", "json"];
    let Done { code, err, .. } = authorizer_with(&arguments, open.as_str());
    assert_eq!((code, &json(&err)["obstacles"][0]["obstacle"]), (1, &"smooth_streaming".into()), "{err}");
    let more = ["--turn-off", "smooth-streaming", "--response-headers-policy-id", "SimpleCORS"];
    let Done { code, out, err } = authorizer_with(&[&arguments[..], &more].concat(), open);
    assert_eq!(code, 0, "{err}");
    let default = &json(&out)["DefaultCacheBehavior"];
    assert_eq!(default["SmoothStreaming"], false);
    assert_eq!(default["ResponseHeadersPolicyId"], "60669652-455b-4ae9-85a4-c4c02393f86c");
    assert!(err.contains("Managed-SimpleCORS"), "{err}");
}

#[test]
fn the_example_of_two_buckets_fits_its_policy_and_says_what_a_wider_rule_would_open() {
    let buckets = ["--origin", "photos", "--origin", "papers", "fixtures/distributions/two-buckets.json"];
    let told = |policy: &str| {
        let Done { code, out, err } =
            attach(&[&buckets[..], &["--format", "json", "--policy", policy]].concat());
        assert_eq!(code, 0, "{err}");
        let config = json(&out);
        for behavior in [&config["DefaultCacheBehavior"], &config["CacheBehaviors"]["Items"][0]] {
            assert_eq!(behavior["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"], ARN);
        }
        let notes = json(&err)["notes"].as_array().unwrap().clone();
        notes.iter().map(|one| one["note"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let fits = ["origin_access_control", "origin_access_control", "several_buckets", "bucket_policy"];
    assert_eq!(told("fixtures/policies/two-buckets.toml"), fits);
    let folder = tempfile::tempdir().unwrap();
    let wider = folder.path().join("wider.toml");
    let keys = format!("{ROOT}/fixtures/policies/keys/sample.jwks.json");
    let text = fixture("fixtures/policies/two-buckets.toml").replace("keys/sample.jwks.json", &keys);
    let more = "[[rules]]\nid = \"all\"\neffect = \"allow\"\nmethods = [\"GET\"]\n\
        operations = [\"ListObjectsV2\"]\nkeys = [\"photos/public/**\"]\nanonymous = true\n";
    fs::write(&wider, format!("{text}\n{more}")).unwrap();
    let notes = told(wider.to_str().unwrap());
    assert_eq!(notes[3..5], ["anonymous_by_slash", "not_listed"], "{notes:?}");
}
