//! The refusals, one cause at a time, and the changes.

mod properties;
mod shapes;

use authorizer_core::Bundle;
use serde_json::{Value, json};

use super::*;

pub(super) const PLAIN: &str = include_str!("../../../fixtures/distributions/plain.json");
pub(super) const OLDER: &str = include_str!("../../../fixtures/distributions/older.json");
pub(super) const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:3";

pub(super) fn read(value: &Value) -> Exported {
    Exported::read(value.to_string().as_bytes()).unwrap()
}

pub(super) fn plain() -> Value {
    serde_json::from_str(PLAIN).unwrap()
}

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// What a policy with these rules needs; a member `cors` beside them.
fn needs(rules: &Value, cors: bool) -> DistributionNeeds {
    let mut document = json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}}],
        "rules": rules,
    });
    if cors {
        document["cors"] = json!({"origins": ["https://app.example.com"]});
    }
    let document = serde_json::from_value(document).unwrap();
    DistributionNeeds::of(Bundle::read(&Bundle::write(&document).unwrap()).unwrap().policy())
}

fn rule(fields: Value) -> Value {
    let mut rule = json!({"id": "r", "effect": "allow", "keys": ["**"]});
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!([rule])
}

pub(super) fn attachment(behaviors: Behaviors) -> Attachment {
    Attachment {
        function: FunctionVersion::parse(ARN).unwrap(),
        behaviors,
        needs: None,
        origin_access_control_id: None,
        cache_policy_id: None,
        origin_request_policy_id: None,
        response_headers_policy_id: None,
        replace: false,
        turn_off: Vec::new(),
    }
}

fn pattern(text: &str) -> BehaviorName {
    BehaviorName::Pattern(text.to_owned())
}

fn obstacles(result: Result<Changed, Stopped>) -> Vec<String> {
    match result {
        Err(Stopped::Obstacles(obstacles)) => {
            assert!(obstacles.iter().all(|one| !one.remedy().is_empty()));
            obstacles.iter().map(|one| json!(one)["obstacle"].as_str().unwrap().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_distribution_gets_the_function_and_nothing_that_it_did_not_need() {
    let changed = attach(&read(&plain()), &attachment(Behaviors::All)).unwrap();
    let changes: Vec<_> = changed.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            format!("behavior `/users/*`: the viewer-request function was not set, becomes {ARN}"),
            format!("the default behavior: the viewer-request function was not set, becomes {ARN}"),
            "the default behavior: ViewerProtocolPolicy was redirect-to-https, becomes https-only".to_owned(),
        ]
    );
    assert_eq!(changed.exported.etag(), Some("E2QWRUHEXAMPLE"));
    let mut expected = plain();
    let ours = json!({"LambdaFunctionARN": ARN, "EventType": "viewer-request", "IncludeBody": false});
    let default = &mut expected["DistributionConfig"]["DefaultCacheBehavior"];
    default["ViewerProtocolPolicy"] = json!("https-only");
    default["LambdaFunctionAssociations"] = json!({"Quantity": 1, "Items": [ours]});
    let users =
        &mut expected["DistributionConfig"]["CacheBehaviors"]["Items"][1]["LambdaFunctionAssociations"];
    users["Quantity"] = json!(2);
    users["Items"].as_array_mut().unwrap().push(ours);
    assert_eq!(Value::Object(changed.exported.whole().clone()), expected);
}

#[test]
fn each_thing_that_would_leave_the_bucket_open_or_operations_changed_is_refused_by_its_name() {
    let origin = "/DistributionConfig/Origins/Items/0";
    let default = "/DistributionConfig/DefaultCacheBehavior";
    let users = "/DistributionConfig/CacheBehaviors/Items/1";
    let lists = Some(needs(&rule(json!({"operations": ["ListObjectsV2"]})), false));
    let cors = Some(needs(&rule(json!({"methods": ["GET"]})), true));
    let creates = Some(needs(&rule(json!({"methods": ["PUT"], "upload": {"create_only": true}})), false));
    let lambda = |arn: &str| {
        json!({"Quantity": 1, "Items": [
            {"LambdaFunctionARN": arn, "EventType": "viewer-request", "IncludeBody": false}
        ]})
    };
    let function = |event: &str| {
        json!({"Quantity": 1, "Items": [
            {"FunctionARN": "arn:aws:cloudfront::111122223333:function/f", "EventType": event}
        ]})
    };
    let another = "arn:aws:lambda:us-east-1:111122223333:function:another:1";
    for (place, member, value, needs, expected) in [
        (default, "LambdaFunctionAssociations", lambda(another), None, vec!["other_function"]),
        (default, "FunctionAssociations", function("viewer-request"), None, vec!["other_function"]),
        (users, "FunctionAssociations", function("viewer-response"), None, vec!["other_function"]),
        (origin, "OriginAccessControlId", json!(""), None, vec!["no_origin_access_control"]),
        (origin, "OriginPath", json!("/private"), None, vec!["origin_path"]),
        (
            origin,
            "DomainName",
            json!("private-files.s3-website.eu-central-1.amazonaws.com"),
            None,
            vec!["not_a_bucket"],
        ),
        (origin, "S3OriginConfig", Value::Null, None, vec!["not_a_bucket"]),
        (
            origin,
            "S3OriginConfig",
            json!({"OriginAccessIdentity": "origin-access-identity/cloudfront/E127EXAMPLE51Z"}),
            None,
            vec!["no_origin_access_control"],
        ),
        (default, "CachePolicyId", json!("0a1b2c3d-0000-4000-8000-000000000000"), None, vec!["cache_policy"]),
        (default, "CachePolicyId", Value::Null, None, vec!["cache_policy"]),
        (
            default,
            "CachePolicyId",
            json!("658327ea-f89d-4fab-a63d-7e88639e58f6"),
            None,
            vec!["cache_without_query"],
        ),
        (
            default,
            "CachePolicyId",
            json!("83da9c7e-98b4-4e11-a168-04f0df8e2c65"),
            None,
            vec!["cache_with_host"],
        ),
        (default, "GrpcConfig", json!({"Enabled": true}), None, vec!["grpc"]),
        (users, "GrpcConfig", json!({"Enabled": true}), None, vec!["grpc"]),
        (default, "SmoothStreaming", json!(true), None, vec!["smooth_streaming"]),
        (default, "EdgeBypassConfig", json!({"Enabled": true}), None, vec!["unknown_member"]),
        ("/DistributionConfig", "NewMode", json!("open"), None, vec!["unknown_member"]),
        (origin, "NewOrigin", json!(["x"]), None, vec!["unknown_member"]),
        (default, "Compress", json!(true), cors.clone(), vec!["no_response_headers_policy"; 2]),
        (
            default,
            "ResponseHeadersPolicyId",
            json!("67f7725c-6f97-4210-82d7-5512b31e9d03"),
            cors.clone(),
            vec!["no_response_headers_policy", "no_cors_headers"],
        ),
        (
            default,
            "ResponseHeadersPolicyId",
            json!("60669652-455b-4ae9-85a4-c4c02393f86c"),
            cors.clone(),
            vec!["no_response_headers_policy", "cors_for_everyone"],
        ),
        (
            default,
            "ResponseHeadersPolicyId",
            json!("0a1b2c3d-0000-4000-8000-000000000000"),
            cors,
            vec!["no_response_headers_policy"],
        ),
        (
            users,
            "CachePolicyId",
            json!("658327ea-f89d-4fab-a63d-7e88639e58f6"),
            lists.clone(),
            vec!["cache_without_query"],
        ),
        (default, "OriginRequestPolicyId", Value::Null, None, vec!["origin_request_policy"]),
        (
            default,
            "OriginRequestPolicyId",
            json!("0a1b2c3d-0000-4000-8000-000000000000"),
            None,
            vec!["origin_request_policy"],
        ),
        (
            default,
            "OriginRequestPolicyId",
            json!("216adef6-5c7f-47e4-b989-5492eafa07d3"),
            None,
            vec!["host_forwarded"],
        ),
        (
            default,
            "OriginRequestPolicyId",
            json!("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"),
            None,
            vec!["query_lost"],
        ),
        (default, "Compress", json!(true), creates, vec!["cookies_forwarded", "cookies_forwarded"]),
        ("/DistributionConfig", "DefaultRootObject", json!("index.html"), lists, vec!["default_root_object"]),
    ] {
        let mut changed = plain();
        changed.pointer_mut(place).unwrap()[member] = value.clone();
        let wanted = Attachment { needs, ..attachment(Behaviors::All) };
        assert_eq!(obstacles(attach(&read(&changed), &wanted)), expected, "{place} {member} {value}");
    }
}

#[test]
fn a_behavior_that_was_not_named_and_reaches_the_bucket_is_a_way_past() {
    let named = |names: &[BehaviorName]| attachment(Behaviors::Named(names.to_vec()));
    let default_only = named(&[BehaviorName::Default]);
    assert_eq!(obstacles(attach(&read(&plain()), &default_only)), ["way_past"]);
    assert_eq!(obstacles(attach(&read(&plain()), &named(&[pattern("users/*")]))), ["way_past"]);
    // With and without the slash, it is the same pattern.
    assert!(attach(&read(&plain()), &named(&[pattern("users/*"), BehaviorName::Default])).is_ok());

    // The same bucket by another origin and another endpoint, or as the second of a group.
    let mut twice = plain();
    let config = &mut twice["DistributionConfig"];
    let mut second = config["Origins"]["Items"][0].clone();
    second["Id"] = json!("again");
    second["DomainName"] = json!("private-files.s3-website.eu-central-1.amazonaws.com");
    config["Origins"]["Items"].as_array_mut().unwrap().push(second);
    config["Origins"]["Quantity"] = json!(3);
    config["CacheBehaviors"]["Items"][0]["TargetOriginId"] = json!("again");
    let both = named(&[BehaviorName::Default, pattern("/users/*")]);
    assert_eq!(obstacles(attach(&read(&twice), &both)), ["way_past"]);

    let mut group = plain();
    let config = &mut group["DistributionConfig"];
    config["OriginGroups"] = json!({"Quantity": 1, "Items": [
        {"Id": "group", "Members": {"Quantity": 2, "Items": [{"OriginId": "api"}, {"OriginId": "files"}]}}
    ]});
    config["CacheBehaviors"]["Items"][0]["TargetOriginId"] = json!("group");
    assert_eq!(obstacles(attach(&read(&group), &both)), ["way_past"]);
    // `all` includes it, but its other origin is not a bucket.
    assert_eq!(obstacles(attach(&read(&group), &attachment(Behaviors::All))), ["not_a_bucket"]);

    // A second behavior with the same pattern, which CloudFront does not allow, does not count as guarded.
    let mut same = plain();
    let behaviors = &mut same["DistributionConfig"]["CacheBehaviors"];
    let users = behaviors["Items"][1].clone();
    behaviors["Items"].as_array_mut().unwrap().push(users);
    behaviors["Quantity"] = json!(3);
    assert_eq!(obstacles(attach(&read(&same), &attachment(Behaviors::All))), ["way_past"]);
}

#[test]
fn an_older_distribution_is_brought_into_shape_once_everything_is_chosen() {
    let older: Value = serde_json::from_str(OLDER).unwrap();
    let all = attachment(Behaviors::All);
    assert_eq!(
        obstacles(attach(&read(&older), &all)),
        ["other_function", "cache_policy", "origin_request_policy", "no_origin_access_control"]
    );
    let chosen = Attachment {
        needs: Some(needs(&rule(json!({"methods": ["GET"]})), false)),
        origin_access_control_id: Some("E3".to_owned()),
        cache_policy_id: CachePolicyId::parse("Managed-CachingDisabled"),
        origin_request_policy_id: OriginRequestPolicyId::parse("Managed-AllViewerExceptHostHeader"),
        response_headers_policy_id: ResponseHeadersPolicyId::parse("0a1b2c3d-0000-4000-8000-00000000000e"),
        replace: true,
        ..all
    };
    let changed = attach(&read(&older), &chosen).unwrap();
    let global = changed.notes.iter().find(|one| matches!(one, Note::GlobalEndpoint { .. })).unwrap();
    assert!(global.to_string().ends_with("write `private-files.s3.REGION.amazonaws.com`"), "{global}");
    let settings: Vec<_> = changed.changes.iter().map(|one| one.setting.name()).collect();
    assert_eq!(
        settings,
        [
            "FunctionAssociations",
            "LambdaFunctionAssociations",
            "ViewerProtocolPolicy",
            "AllowedMethods",
            "CachedMethods",
            "CachePolicyId",
            "OriginRequestPolicyId",
            "ResponseHeadersPolicyId",
            "ForwardedValues",
            "MinTTL",
            "DefaultTTL",
            "MaxTTL",
            "OriginAccessControlId",
            "OriginAccessIdentity",
        ]
    );
    let config = changed.exported.config();
    let behavior = &config["DefaultCacheBehavior"];
    let methods = json!({"Quantity": 2, "Items": ["GET", "HEAD"],
        "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}});
    assert_eq!(behavior["AllowedMethods"], methods);
    assert_eq!(behavior["FunctionAssociations"], json!({"Quantity": 0}));
    assert!(behavior.get("ForwardedValues").is_none());
    assert_eq!(config["Origins"]["Items"][0]["S3OriginConfig"]["OriginAccessIdentity"], "");
    // A second attach changes nothing.
    assert_eq!(attach(&changed.exported, &chosen).unwrap().changes, []);
}

#[test]
fn the_methods_are_the_fewest_of_cloudfronts_that_the_policy_needs() {
    let set = |fields: Value, cors: bool| needs(&rule(fields), cors).methods.methods().len();
    for (fields, cors, count) in [
        (json!({"methods": ["GET"]}), false, 2),
        (json!({"methods": ["HEAD"]}), false, 2),
        (json!({"operations": ["ListObjectsV2", "GetObjectVersion", "ListParts"]}), false, 2),
        (json!({"methods": ["GET"]}), true, 3),
        (json!({"methods": ["PUT"]}), false, 7),
        (json!({"methods": ["GET", "DELETE"]}), true, 7),
        (json!({"operations": ["CreateMultipartUpload"]}), false, 7),
        (json!({"operations": ["AbortMultipartUpload"]}), false, 7),
    ] {
        assert_eq!(set(fields.clone(), cors), count, "{fields}");
    }
}

#[test]
fn another_version_takes_the_place_of_the_last_and_what_was_confirmed_need_not_be_again() {
    let own = "0a1b2c3d-0000-4000-8000-000000000000";
    let confirmed = Attachment {
        cache_policy_id: CachePolicyId::parse(own),
        origin_request_policy_id: OriginRequestPolicyId::parse(own),
        ..attachment(Behaviors::All)
    };
    let first = attach(&read(&plain()), &confirmed).unwrap();
    let next = ARN.replace(":3", ":4");
    let next = Attachment { function: FunctionVersion::parse(&next).unwrap(), ..attachment(Behaviors::All) };
    let changed = attach(&first.exported, &next).unwrap();
    let befores: Vec<_> = changed.changes.iter().map(|one| one.before.as_deref()).collect();
    assert_eq!(befores, [Some(ARN); 2]);
    // Only one behavior changes: the other stays guarded by the older version.
    let one = Attachment { behaviors: Behaviors::Named(vec![BehaviorName::Default]), ..next };
    let changed = attach(&first.exported, &one).unwrap();
    assert_eq!(changed.changes.len(), 1);
    let other = Note::OtherVersion { behavior: pattern("/users/*"), arn: ARN.to_owned() };
    assert!(changed.notes.contains(&other), "{:?}", changed.notes);
}

#[test]
fn what_the_configuration_does_not_show_is_said() {
    let own = "0a1b2c3d-0000-4000-8000-000000000000";
    let mut config = plain();
    let default = &mut config["DistributionConfig"]["DefaultCacheBehavior"];
    default["LambdaFunctionAssociations"] = json!({"Quantity": 1, "Items": [
        {"LambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:rewrite:1",
            "EventType": "origin-request"}
    ]});
    config["DistributionConfig"]["ContinuousDeploymentPolicyId"] = json!("c");
    config["DistributionConfig"]["CustomErrorResponses"] = json!({"Quantity": 3, "Items": [
        {"ErrorCode": 403, "ResponsePagePath": "/sorry.html", "ResponseCode": "200"},
        {"ErrorCode": 404, "ResponsePagePath": "/sorry.html", "ResponseCode": "404"},
        {"ErrorCode": 500, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 0},
    ]});
    let rules = json!({"methods": ["GET"], "response_overrides": ["response-content-disposition"]});
    let told = |attachment: &Attachment| -> Vec<String> {
        let notes = attach(&read(&config), attachment).unwrap().notes;
        assert!(notes.iter().all(|note| !note.to_string().is_empty()));
        notes.iter().map(|note| json!(note)["note"].as_str().unwrap().to_owned()).collect()
    };
    let needs = Some(needs(&rule(rules), false));
    assert_eq!(
        told(&Attachment { needs: needs.clone(), ..attachment(Behaviors::All) }),
        [
            "dropped_overrides",
            "origin_request",
            "dropped_overrides",
            "passed_over",
            "on_response",
            "origin_access_control",
            "error_page",
            "continuous_deployment",
            "bucket_policy",
        ]
    );
    let named = Attachment {
        needs,
        cache_policy_id: CachePolicyId::parse(own),
        origin_request_policy_id: OriginRequestPolicyId::parse(own),
        response_headers_policy_id: ResponseHeadersPolicyId::parse(own),
        ..attachment(Behaviors::Named(vec![BehaviorName::Default, pattern("users/*")]))
    };
    assert_eq!(
        told(&named),
        [
            "cache_policy",
            "origin_request_policy",
            "origin_request",
            "cache_policy",
            "origin_request_policy",
            "on_response",
            "origin_access_control",
            "error_page",
            "continuous_deployment",
            "bucket_policy",
        ]
    );
    assert!(told(&attachment(Behaviors::All)).contains(&"no_policy".to_owned()));
}

/// A distribution with a bucket for each of two folders, and one for the rest.
fn three_buckets() -> Value {
    let mut config = plain();
    let whole = &mut config["DistributionConfig"];
    let origin = whole["Origins"]["Items"][0].clone();
    let behavior = whole["DefaultCacheBehavior"].clone();
    let mut origins = vec![origin.clone()];
    let mut behaviors = Vec::new();
    for name in ["photos", "papers"] {
        let (mut origin, mut behavior) = (origin.clone(), behavior.clone());
        origin["Id"] = json!(name);
        origin["DomainName"] = json!(format!("{name}.s3.us-east-1.amazonaws.com"));
        behavior["PathPattern"] = json!(format!("{name}/*"));
        behavior["TargetOriginId"] = json!(name);
        origins.push(origin);
        behaviors.push(behavior);
    }
    whole["Origins"] = json!({"Quantity": 3, "Items": origins});
    whole["CacheBehaviors"] = json!({"Quantity": 2, "Items": behaviors});
    config
}

#[test]
fn several_buckets_behind_one_function_are_told_with_the_rules_whose_keys_go_to_several() {
    let all = || Behaviors::Named(vec![BehaviorName::Default, pattern("photos/*"), pattern("papers/*")]);
    let told = |keys: &[&str]| -> Vec<String> {
        let rules: Vec<Value> = keys
            .iter()
            .enumerate()
            .map(|(index, one)| json!({"id": format!("rule-{index}"), "effect": "allow", "methods": ["GET"], "keys": [one]}))
            .collect();
        let needs = Some(needs(&json!(rules), false));
        let changed = attach(&read(&three_buckets()), &Attachment { needs, ..attachment(all()) }).unwrap();
        let ours = |note: &Note| {
            matches!(
                note,
                Note::NoRule { .. } | Note::SeveralBuckets { .. } | Note::KeysOfSeveralBuckets { .. }
            )
        };
        changed.notes.iter().filter(|note| ours(note)).map(ToString::to_string).collect()
    };
    let fitting = told(&["photos/**", "papers/{sub}/**", "users/{sub}/**"]);
    assert_eq!(fitting.len(), 1, "{fitting:#?}");
    assert!(fitting[0].contains("papers, ") && fitting[0].contains("%2F"), "{fitting:#?}");
    let wide = told(&["photos/**", "**", "papers/**"]);
    assert_eq!(wide.len(), 2, "{wide:#?}");
    assert!(wide[1].starts_with("rules rule-1 have keys in several of the buckets"), "{wide:#?}");
    let none = told(&["photos/**"]);
    assert_eq!(none.len(), 2, "{none:#?}");
    assert!(none[0].contains("`papers/*` has no key of an allow rule"), "{none:#?}");
}

#[test]
fn what_goes_to_another_bucket_than_was_meant_is_noted() {
    let told = |config: &Value, rule: Value| -> Vec<String> {
        let mut whole = json!({"id": "r", "effect": "allow", "methods": ["GET"], "keys": ["photos/**"]});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        let all = read(config).view().behaviors().map(|(name, _)| name).collect();
        let needs = Some(needs(&json!([whole]), false));
        let changed =
            attach(&read(config), &Attachment { needs, ..attachment(Behaviors::Named(all)) }).unwrap();
        let ours = |note: &Note| {
            matches!(note, Note::AnonymousBySlash { .. } | Note::NotListed { .. } | Note::Unreached { .. })
        };
        changed.notes.iter().filter(|note| ours(note)).map(ToString::to_string).collect()
    };
    let buckets = three_buckets();
    let listing = json!({"operations": ["ListObjectsV2"]});
    assert_eq!(told(&buckets, json!({})), Vec::<String>::new());
    let anonymous = told(&buckets, json!({"anonymous": true}));
    assert_eq!(anonymous.len(), 1, "{anonymous:#?}");
    assert!(anonymous[0].starts_with("rules r let everybody in without a token"), "{anonymous:#?}");
    // The last bucket has no later one.
    let last = json!({"anonymous": true, "keys": ["users/**", "notes.txt"]});
    assert_eq!(told(&buckets, last), Vec::<String>::new());
    let listed = told(&buckets, listing.clone());
    assert_eq!(listed.len(), 1, "{listed:#?}");
    assert!(listed[0].ends_with("whatever its prefix, and goes to the default behavior"), "{listed:#?}");
    // A pattern before it that has the path `/`.
    let mut first = buckets.clone();
    let mut all = first["DistributionConfig"]["CacheBehaviors"]["Items"][0].clone();
    all["PathPattern"] = json!("*");
    first["DistributionConfig"]["CacheBehaviors"] = json!({"Quantity": 1, "Items": [all]});
    let told_of_first = told(&first, listing);
    assert_eq!(
        told_of_first,
        ["the default behavior gets no request: behavior `*`, before it, takes each of its paths"]
    );
    let mut twice = buckets;
    twice["DistributionConfig"]["CacheBehaviors"]["Items"][1]["PathPattern"] = json!("/photos/new/*");
    let said = told(&twice, json!({}));
    assert!(
        said[0].starts_with("behavior `/photos/new/*` gets no request: behavior `photos/*`"),
        "{said:#?}"
    );
}

#[test]
fn what_was_not_decided_of_path_patterns_is_noted() {
    let mut config = three_buckets();
    let behaviors = &mut config["DistributionConfig"]["CacheBehaviors"]["Items"];
    behaviors[0]["PathPattern"] = json!("p%61pers/*");
    let told = |chosen: &str| -> Vec<String> {
        let attachment = Attachment { replace: true, ..attachment(Behaviors::Named(vec![pattern(chosen)])) };
        let notes = match attach(&read(&config), &attachment) {
            Ok(changed) => changed.notes,
            Err(stopped) => panic!("{stopped:?}"),
        };
        let ours = |note: &Note| matches!(note, Note::OrderUndecided { .. } | Note::Unreached { .. });
        notes.iter().filter(|note| ours(note)).map(ToString::to_string).collect()
    };
    // Whichever of the two has the function.
    for chosen in ["papers/*", "p%61pers/*"] {
        let said = told(chosen);
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(
            said[0].starts_with(
                "not decided: whether a behavior before it takes each path of behavior `papers/*`. "
            ),
            "{said:#?}"
        );
    }
    let rules = ["a", "b", "c", "d", "e", "f", "g"].map(str::to_owned).to_vec();
    let note = Note::KeysUndecided { rules, behaviors: vec![pattern("p/*")] };
    assert!(
        note.to_string().contains("for rules a, b, c, d, e and 2 more, and for behavior `p/*`. "),
        "{note}"
    );
}

#[test]
fn a_managed_response_headers_policy_is_held_to_the_cors_of_the_policy() {
    let wanted = |name: &str, exposed: Value| {
        let mut document = json!({"version": 1, "rules": rule(json!({"methods": ["GET"]})),
            "cors": {"origins": ["*"], "exposed_headers": exposed}});
        document["rules"][0]["anonymous"] = json!(true);
        let bundle = Bundle::write(&serde_json::from_value(document).unwrap()).unwrap();
        Attachment {
            needs: Some(DistributionNeeds::of(Bundle::read(&bundle).unwrap().policy())),
            response_headers_policy_id: ResponseHeadersPolicyId::parse(name),
            cache_policy_id: CachePolicyId::parse("Managed-CachingDisabled"),
            ..attachment(Behaviors::All)
        }
    };
    for (name, exposed, expected) in [
        ("Managed-SimpleCORS", json!([]), None),
        ("Managed-SimpleCORS", json!(["ETag"]), Some("headers_not_exposed")),
        ("Managed-CORS-and-SecurityHeadersPolicy", json!(["ETag"]), Some("headers_not_exposed")),
        ("Managed-CORS-With-Preflight", json!(["ETag"]), None),
        ("Managed-CORS-with-preflight-and-SecurityHeadersPolicy", json!(["ETag"]), None),
        ("Managed-SecurityHeadersPolicy", json!([]), Some("no_cors_headers")),
    ] {
        match attach(&read(&plain()), &wanted(name, exposed)) {
            Ok(_) => assert_eq!(expected, None, "{name}"),
            stopped => assert_eq!(obstacles(stopped), [expected.unwrap_or("none"); 2], "{name}"),
        }
    }
}

#[test]
fn a_managed_response_headers_policy_with_more_than_the_cors_of_the_policy_is_told() {
    let with = |name: &str, cors: Option<Value>| {
        let mut document = json!({"version": 1, "rules": rule(json!({"methods": ["GET"]}))});
        document["rules"][0]["anonymous"] = json!(true);
        if let Some(cors) = cors {
            document["cors"] = cors;
        }
        let bundle = Bundle::write(&serde_json::from_value(document).unwrap()).unwrap();
        let attachment = Attachment {
            needs: Some(DistributionNeeds::of(Bundle::read(&bundle).unwrap().policy())),
            response_headers_policy_id: ResponseHeadersPolicyId::parse(name),
            cache_policy_id: CachePolicyId::parse("Managed-CachingDisabled"),
            ..attachment(Behaviors::All)
        };
        attach(&read(&plain()), &attachment)
    };
    for (name, is_wanted) in [
        ("Managed-SimpleCORS", false),
        ("Managed-CORS-With-Preflight", false),
        ("Managed-SecurityHeadersPolicy", true),
        ("0a1b2c3d-0000-4000-8000-000000000000", true),
    ] {
        match with(name, None) {
            Ok(_) => assert!(is_wanted, "{name}"),
            stopped => {
                assert!(!is_wanted, "{name}");
                assert_eq!(obstacles(stopped), ["cors_not_wanted"; 2], "{name}");
            }
        }
    }
    for (name, exposed, is_told) in [
        ("Managed-SimpleCORS", json!([]), false),
        ("Managed-CORS-With-Preflight", json!([]), true),
        ("Managed-CORS-With-Preflight", json!(["ETag"]), true),
    ] {
        let changed = with(name, Some(json!({"origins": ["*"], "exposed_headers": exposed}))).unwrap();
        let told = changed.notes.iter().filter(|note| matches!(note, Note::EveryHeaderExposed { .. }));
        assert_eq!(told.count(), if is_told { 2 } else { 0 }, "{name} {exposed}");
    }
}

#[test]
fn a_cache_without_query_strings_will_do_where_nothing_is_read_by_them() {
    let optimized = CachePolicyId::parse("Managed-CachingOptimized");
    let wanted = |fields: Value| Attachment {
        needs: Some(needs(&rule(fields), false)),
        cache_policy_id: optimized.clone(),
        ..attachment(Behaviors::All)
    };
    assert!(attach(&read(&plain()), &wanted(json!({"methods": ["GET"]}))).is_ok());
    for by_query in [
        json!({"methods": ["GET"], "response_overrides": ["response-expires"]}),
        json!({"methods": ["GET"], "parameters": ["partNumber"]}),
        json!({"operations": ["GetObjectVersion"]}),
        json!({"operations": ["ListParts"]}),
    ] {
        let refused = obstacles(attach(&read(&plain()), &wanted(by_query.clone())));
        assert_eq!(refused, ["cache_without_query"; 2], "{by_query}");
    }
}

#[test]
fn detaching_says_what_keeps_the_bucket_shut() {
    let attached = attach(&read(&plain()), &attachment(Behaviors::All)).unwrap().exported;
    let function = FunctionName::parse(ARN).unwrap();
    let off = |behaviors, bucket| Detachment { function: function.clone(), behaviors, bucket };
    let unsaid = off(Behaviors::All, BucketAfterwards::Unsaid);
    assert_eq!(obstacles(detach(&attached, &unsaid)), ["left_open", "left_open"]);

    let unsigned = detach(&attached, &off(Behaviors::All, BucketAfterwards::Unsigned)).unwrap();
    let origin = &unsigned.exported.config()["Origins"]["Items"][0];
    assert_eq!(origin["OriginAccessControlId"], "");
    assert_eq!(unsigned.changes.len(), 3);

    let default = Behaviors::Named(vec![BehaviorName::Default]);
    let shared = off(default.clone(), BucketAfterwards::Unsigned);
    assert_eq!(obstacles(detach(&attached, &shared)), ["origin_shared"]);
    assert_eq!(detach(&attached, &off(default, BucketAfterwards::Closed)).unwrap().changes.len(), 1);

    let api = off(Behaviors::Named(vec![pattern("api/*")]), BucketAfterwards::Closed);
    assert_eq!(obstacles(detach(&attached, &api)), ["not_attached"]);
    let nowhere = off(Behaviors::All, BucketAfterwards::Closed);
    assert_eq!(obstacles(detach(&read(&plain()), &nowhere)), ["not_attached"; 3]);
}

#[test]
fn what_is_no_export_is_refused_with_its_place() {
    let mut twice = PLAIN.replacen("\"Comment\"", "\"DefaultRootObject\"", 1);
    for (text, expected) in [
        (String::new(), "the file is empty"),
        (" \n".to_owned(), "the file is empty"),
        ("An error occurred".to_owned(), "not valid JSON: expected value at line 1 column 1"),
        ("[]".to_owned(), "not a distribution's configuration: it is not an object"),
        ("{}".to_owned(), "not a distribution's configuration: missing field `Origins` at line 1 column 2"),
        (
            "{\"Distribution\": {}, \"ETag\": \"E\"}".to_owned(),
            "not a distribution's configuration: missing field `DistributionConfig` at line 1 column ",
        ),
        (
            "{\"Type\": \"AWS::CloudFront::Distribution\", \"Properties\": {}}".to_owned(),
            "this is CloudFormation's form of a distribution, not CloudFront's",
        ),
        (
            "{\"Resources\": {}}".to_owned(),
            "this is CloudFormation's form of a distribution, not CloudFront's",
        ),
        (
            "{\"DistributionConfig\": {\"Origins\": []}}".to_owned(),
            "this is CloudFormation's form of a distribution, not CloudFront's",
        ),
        (
            "{\"DistributionList\": {}}".to_owned(),
            "this is the output of `list-distributions`, not of `get-distribution-config`",
        ),
        (
            PLAIN.replacen("\"TargetOriginId\": \"api\"", "\"TargetOriginId\": \"apis\"", 1),
            "a behavior's `TargetOriginId` is `apis`, but no origin has this id",
        ),
        (
            PLAIN.replacen("\"PathPattern\"", "\"Pattern\"", 1),
            "one of the `CacheBehaviors` has no `PathPattern`",
        ),
        (
            PLAIN.replacen("\"Quantity\": 7", "\"Quantity\": 6", 1),
            "not a distribution's configuration: `Quantity` is 6, but `Items` has 7 at line ",
        ),
        (
            PLAIN.replacen("\"LambdaFunctionARN\"", "\"LambdaFunctionArn\"", 1),
            "not a distribution's configuration: missing field `LambdaFunctionARN` at line ",
        ),
        (
            std::mem::take(&mut twice),
            "not a distribution's configuration: duplicate field `DefaultRootObject` at line ",
        ),
    ] {
        let error = Exported::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let there = Stopped::NoSuchBehavior(pattern("x"), vec![]).to_string();
    assert_eq!(there, "the distribution does not have behavior `x`");
    let nobody = attach(&read(&plain()), &attachment(Behaviors::Named(vec![pattern("x")])));
    assert!(matches!(nobody, Err(Stopped::NoSuchBehavior(_, there)) if there.len() == 3));
    let mut no_bucket = plain();
    no_bucket["DistributionConfig"]["Origins"]["Items"][0]["DomainName"] = json!("files.example.com");
    let all = attach(&read(&no_bucket), &attachment(Behaviors::All));
    assert!(matches!(all, Err(Stopped::NoBucket)));
}

#[test]
fn what_else_changes_requests_and_responses_is_noted() {
    let mut whole = plain();
    let config = &mut whole["DistributionConfig"];
    let other = ARN.replace("edge-authorizer:3", "other:1");
    let on = |event: &str| json!({"LambdaFunctionARN": other, "EventType": event, "IncludeBody": false});
    config["DefaultCacheBehavior"]["LambdaFunctionAssociations"] =
        json!({"Quantity": 2, "Items": [on("origin-response"), on("viewer-response")]});
    for origin in config["Origins"]["Items"].as_array_mut().unwrap() {
        origin["CustomHeaders"] =
            json!({"Quantity": 1, "Items": [{"HeaderName": "x-amz-acl", "HeaderValue": "public-read"}]});
    }
    let changed = attach(&read(&whole), &attachment(Behaviors::All)).unwrap();
    let told: Vec<String> = changed.notes.iter().map(ToString::to_string).collect();
    for (part, count) in [
        ("other:1 on origin-response, which can change what viewers get", 1),
        ("other:1 on viewer-response, which can change what viewers get", 1),
        ("adds `x-amz-acl` to the requests after", 1),
    ] {
        assert_eq!(told.iter().filter(|one| one.contains(part)).count(), count, "{part}: {told:#?}");
    }
}

/// Sessions are renewed and ended by POST, whatever the rules allow.
#[test]
fn a_policy_with_the_code_flow_needs_every_method() {
    let issuer = json!({"name": "staff", "issuer": "https://login.example.com/", "audience": ["a"],
        "algorithms": ["EdDSA"], "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}});
    let mut document = json!({
        "version": 1, "issuers": [issuer], "credentials": {"cookie": "__Host-session"},
        "rules": rule(json!({"methods": ["GET"]})),
    });
    let needs = |document: &Value| {
        let document = serde_json::from_value(document.clone()).unwrap();
        DistributionNeeds::of(Bundle::read(&Bundle::write(&document).unwrap()).unwrap().policy())
    };
    assert_eq!(needs(&document).methods, MethodSet::Read);
    document["sign_in"] = json!({
        "issuer": "staff", "client_id": "files-web", "origin": "https://files.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        // 32 bytes of zero.
        "cookie_key": {"value": "A".repeat(43)}
    });
    assert_eq!(needs(&document).methods, MethodSet::All);
}
