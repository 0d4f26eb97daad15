//! Distributions in the shapes in which people have them.

use serde_json::{Map, Value, json};

use super::*;

/// What CloudFront's quota is: 75 behaviors in a distribution, beside the default one.
const MOST: usize = 75;

fn attached(value: &Value) -> Changed {
    attach(&read(value), &attachment(Behaviors::All)).unwrap()
}

/// Every member that CloudFront's model has, and that is not there, as `null`.
fn with_nulls(config: &mut Value) {
    fn fill(object: &mut Value, structure: &str) {
        let Some(members) = object.as_object_mut() else { return };
        let known = STRUCTURES.iter().find(|(name, _)| *name == structure).unwrap().1;
        for (name, member) in known {
            let value = members.entry(*name).or_insert(Value::Null);
            match member {
                Member::Judged(_) | Member::Harmless(_) => {}
                Member::Holds(inner) => fill(value, inner),
                Member::Many(inner) => {
                    let Some(list) = value.as_object_mut() else { continue };
                    if let Value::Array(items) = list.entry("Items").or_insert(Value::Null) {
                        items.iter_mut().for_each(|one| fill(one, inner));
                    }
                }
            }
        }
    }
    fill(config, "DistributionConfig");
}

#[test]
fn each_way_to_write_the_same_distribution_gets_the_same_changes() {
    let plain = plain();
    let expected = attached(&plain);
    let config = &plain["DistributionConfig"];
    let whole = json!({"ETag": "E2QWRUHEXAMPLE", "Distribution": {
        "Id": "EDFDVBD6EXAMPLE", "Status": "Deployed", "DistributionConfig": config,
    }});
    let sdk = json!({"ResponseMetadata": {"HTTPStatusCode": 200}, "ETag": "E2QWRUHEXAMPLE",
        "DistributionConfig": config});
    for (shape, has_etag) in [(config.clone(), false), (whole, true), (sdk, true)] {
        let changed = attached(&shape);
        assert_eq!(changed.changes, expected.changes);
        assert_eq!(changed.exported.config(), expected.exported.config());
        assert_eq!(changed.exported.update_input().is_some(), has_etag);
        // What is not the configuration stays.
        let mut after = Value::Object(changed.exported.whole().clone());
        let place = ["/Distribution/DistributionConfig", "/DistributionConfig", ""]
            .into_iter()
            .find(|place| after.pointer(place).is_some_and(|one| one.get("Origins").is_some()))
            .unwrap();
        *after.pointer_mut(place).unwrap() = config.clone();
        assert_eq!(after, shape);
    }
}

#[test]
fn a_dump_that_writes_null_for_what_is_not_set_is_read_as_if_it_did_not() {
    let mut nulls = plain();
    with_nulls(&mut nulls["DistributionConfig"]);
    assert!(nulls["DistributionConfig"]["DefaultCacheBehavior"]["RealtimeLogConfigArn"].is_null());
    let changed = attached(&nulls);
    assert_eq!(changed.changes, attached(&plain()).changes);
    let exported = changed.exported.config()["DefaultCacheBehavior"].as_object().unwrap();
    assert!(exported["MinTTL"].is_null());

    // What is null is written where it must be set.
    let default = &mut nulls["DistributionConfig"]["DefaultCacheBehavior"];
    for name in ["AllowedMethods", "LambdaFunctionAssociations", "FunctionAssociations", "GrpcConfig"] {
        default[name] = Value::Null;
    }
    let needs = Some(needs(&rule(json!({"methods": ["PUT"]})), false));
    let changed = attach(&read(&nulls), &Attachment { needs, ..attachment(Behaviors::All) }).unwrap();
    let default = &changed.exported.config()["DefaultCacheBehavior"];
    assert_eq!(default["AllowedMethods"]["Quantity"], 7);
    assert_eq!(default["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"], ARN);
    // The older settings are not there, so they are not told to be removed.
    let cache = CachePolicyId::parse("Managed-CachingDisabled");
    let chosen = Attachment { cache_policy_id: cache, ..attachment(Behaviors::All) };
    let changed = attach(&read(&nulls), &chosen).unwrap();
    assert!(
        changed.changes.iter().all(|one| one.setting != Setting::ForwardedValues),
        "{:?}",
        changed.changes
    );
}

#[test]
fn a_distribution_as_large_as_cloudfront_allows_is_changed_whole() {
    let mut large = plain();
    let behaviors = &mut large["DistributionConfig"]["CacheBehaviors"];
    let users = behaviors["Items"][1].clone();
    let items: Vec<Value> = (0..MOST)
        .map(|n| {
            let mut one = users.clone();
            one["PathPattern"] = json!(format!("/folder-{n}/*"));
            one
        })
        .collect();
    *behaviors = json!({"Quantity": MOST, "Items": items});
    let changed = attached(&large);
    let functions = changed.changes.iter().filter(|one| one.setting == Setting::LambdaFunctionAssociations);
    assert_eq!(functions.count(), MOST + 1);
    let after = changed.exported.config()["CacheBehaviors"]["Items"].as_array().unwrap();
    assert!(
        after.iter().all(|one| one["LambdaFunctionAssociations"]["Items"][1]["LambdaFunctionARN"] == ARN)
    );
}

#[test]
fn grpc_and_smooth_streaming_are_turned_off_when_that_is_asked_and_nothing_else_is() {
    let mut open = plain();
    let default = &mut open["DistributionConfig"]["DefaultCacheBehavior"];
    default["GrpcConfig"] = json!({"Enabled": true});
    default["SmoothStreaming"] = json!(true);
    assert_eq!(obstacles(attach(&read(&open), &attachment(Behaviors::All))), ["grpc", "smooth_streaming"]);
    let half = Attachment { turn_off: vec![Feature::Grpc], ..attachment(Behaviors::All) };
    assert_eq!(obstacles(attach(&read(&open), &half)), ["smooth_streaming"]);
    let both =
        Attachment { turn_off: vec![Feature::Grpc, Feature::SmoothStreaming], ..attachment(Behaviors::All) };
    let changed = attach(&read(&open), &both).unwrap();
    let told: Vec<String> = changed.changes.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(
            &"the default behavior: GrpcConfig was {\"Enabled\":true}, becomes {\"Enabled\":false}"
                .to_owned()
        ),
        "{told:?}"
    );
    assert_eq!(changed.exported.config()["DefaultCacheBehavior"]["SmoothStreaming"], false);
    assert_eq!(changed.changes.len(), attached(&plain()).changes.len() + 2);
    // A behavior that was not chosen, and that has the function already.
    let mut kept = Value::Object(attached(&plain()).exported.whole().clone());
    kept["DistributionConfig"]["CacheBehaviors"]["Items"][1]["GrpcConfig"] = json!({"Enabled": true});
    let one = attachment(Behaviors::Named(vec![BehaviorName::Default]));
    assert_eq!(obstacles(attach(&read(&kept), &one)), ["grpc"]);
}

#[test]
fn what_lets_nobody_in_or_may_tell_tokens_is_said() {
    let told = |change: fn(&mut Map<String, Value>, &mut Map<String, Value>)| -> Vec<String> {
        let mut config = plain();
        let object = config["DistributionConfig"].as_object_mut().unwrap();
        let mut default = object["DefaultCacheBehavior"].as_object().unwrap().clone();
        change(object, &mut default);
        object.insert("DefaultCacheBehavior".to_owned(), default.into());
        let before: Vec<String> = attached(&plain()).notes.iter().map(ToString::to_string).collect();
        let notes = attached(&config).notes.into_iter().map(|one| one.to_string());
        notes.filter(|one| !before.contains(one)).collect()
    };
    let set = |name: &'static str| name.to_owned();
    for (said, change) in [
        (
            "MissingKey",
            (|_, default| {
                default.insert(
                    "TrustedKeyGroups".to_owned(),
                    json!({"Enabled": true, "Quantity": 1, "Items": ["11112222-aaaa-bbbb-cccc-333344445555"]}),
                );
            }) as fn(&mut Map<String, Value>, &mut Map<String, Value>),
        ),
        ("(TrustedSigners)", |_, default| {
            default.insert(
                "TrustedSigners".to_owned(),
                json!({"Enabled": true, "Quantity": 1, "Items": ["self"]}),
            );
        }),
        ("real-time logs", |_, default| {
            default.insert(
                "RealtimeLogConfigArn".to_owned(),
                json!("arn:aws:cloudfront::111122223333:realtime-log-config/all"),
            );
        }),
        ("ViewerMtlsConfig is `required`", |config, _| {
            config.insert("ViewerMtlsConfig".to_owned(), json!({"Mode": "required"}));
        }),
        ("connection function cf1", |config, _| {
            config.insert("ConnectionFunctionAssociation".to_owned(), json!({"Id": "cf1"}));
        }),
    ] {
        let notes = told(change);
        assert!(matches!(notes.as_slice(), [one] if one.contains(&set(said))), "{said}: {notes:?}");
    }
    let direct = told(|config, _| drop(config.insert("ConnectionMode".to_owned(), json!("direct"))));
    assert_eq!(direct, Vec::<String>::new());
}

#[test]
fn a_distribution_of_tenants_is_refused_by_the_setting_that_says_so() {
    let parameters = json!({"ParameterDefinitions": [
        {"Name": "bucket", "Definition": {"StringSchema": {"Required": true}}}
    ]});
    for (member, value, setting) in [
        ("ConnectionMode", json!("tenant-only"), "`ConnectionMode` is `tenant-only`"),
        ("ConnectionMode", json!("another"), "`ConnectionMode` is `another`"),
        ("TenantConfig", parameters, "`TenantConfig` has parameters"),
    ] {
        let mut config = plain();
        config["DistributionConfig"][member] = value;
        let refused = match attach(&read(&config), &attachment(Behaviors::All)) {
            Err(Stopped::Obstacles(refused)) => refused,
            other => panic!("{setting}: {other:?}"),
        };
        let [one @ Obstacle::Tenants { .. }] = refused.as_slice() else { panic!("{refused:?}") };
        assert!(one.to_string().starts_with(setting), "{one}");
        assert!(one.remedy().contains("standard distribution"));
    }
    for (member, value) in [
        ("ConnectionMode", json!("direct")),
        ("TenantConfig", json!({})),
        ("TenantConfig", json!({"ParameterDefinitions": []})),
        ("TenantConfig", json!(null)),
    ] {
        let mut config = plain();
        config["DistributionConfig"][member] = value.clone();
        assert!(attach(&read(&config), &attachment(Behaviors::All)).is_ok(), "{member} {value}");
    }
}

#[test]
fn an_origin_that_is_s3_and_no_bucket_is_refused_by_what_it_is() {
    for (domain, is) in [
        ("mfzexample12ab.accesspoint.s3-global.amazonaws.com", "an S3 Multi-Region Access Point"),
        ("mine-111122223333.s3-accesspoint.eu-central-1.amazonaws.com", "an S3 access point"),
        ("mine-abcdef-s3alias.s3.eu-central-1.amazonaws.com", "an S3 access point"),
        ("mine-1.s3-object-lambda.eu-central-1.amazonaws.com", "an S3 Object Lambda Access Point"),
        ("private-files.s3.cn-north-1.amazonaws.com.cn", "a bucket of another AWS partition"),
        ("private-files.s3-accelerate.amazonaws.com", "an endpoint of S3 Transfer Acceleration"),
    ] {
        let mut config = plain();
        config["DistributionConfig"]["Origins"]["Items"][0]["DomainName"] = json!(domain);
        let refused = match attach(&read(&config), &attachment(Behaviors::All)) {
            Err(Stopped::Obstacles(refused)) => refused,
            other => panic!("{domain}: {other:?}"),
        };
        let said: Vec<String> = refused.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|one| one.contains(is)), "{domain}: {said:?}");
    }
    // On a behavior that was not chosen, it may be the same bucket.
    let mut config = plain();
    config["DistributionConfig"]["Origins"]["Items"][1]["DomainName"] =
        json!("mine-abcdef-s3alias.s3.eu-central-1.amazonaws.com");
    assert_eq!(obstacles(attach(&read(&config), &attachment(Behaviors::All))), ["may_reach"]);
    // S3 itself, with the bucket in the path, is a way past as well.
    config["DistributionConfig"]["Origins"]["Items"][1]["DomainName"] =
        json!("s3.eu-central-1.amazonaws.com");
    config["DistributionConfig"]["Origins"]["Items"][1]["OriginPath"] = json!("/private-files");
    let named = attachment(Behaviors::Named(vec![BehaviorName::Default, pattern("/users/*")]));
    assert_eq!(obstacles(attach(&read(&config), &named)), ["way_past"]);
}

#[test]
fn all_is_about_one_bucket_and_an_origin_says_which() {
    let mut two = plain();
    let config = &mut two["DistributionConfig"];
    let mut second = config["Origins"]["Items"][0].clone();
    second["Id"] = json!("public");
    second["DomainName"] = json!("public-files.s3.eu-central-1.amazonaws.com");
    config["Origins"]["Items"][1] = {
        second["Id"] = json!("api");
        second
    };
    let several = attach(&read(&two), &attachment(Behaviors::All));
    let named = [("files", "private-files"), ("api", "public-files")];
    let named = named.map(|(origin, bucket)| (origin.to_owned(), bucket.to_owned()));
    assert!(matches!(several, Err(Stopped::SeveralBuckets(there)) if there == named));

    let of = |ids: &[&str]| Behaviors::OfOrigins(ids.iter().map(|id| (*id).to_owned()).collect());
    let changed = attach(&read(&two), &attachment(of(&["files"]))).unwrap();
    assert_eq!(changed.changes.len(), attached(&plain()).changes.len());
    let public = &changed.exported.config()["CacheBehaviors"]["Items"][0];
    assert_eq!(public, &two["DistributionConfig"]["CacheBehaviors"]["Items"][0]);
    // Where the function is already, that is the bucket.
    let next = FunctionVersion::parse(&ARN.replace(":3", ":4")).unwrap();
    let again = Attachment { function: next, ..attachment(Behaviors::All) };
    assert_eq!(attach(&changed.exported, &again).unwrap().changes.len(), 2);

    let both = attach(&read(&two), &attachment(of(&["files", "api"]))).unwrap();
    let functions = both.changes.iter().filter(|one| one.setting == Setting::LambdaFunctionAssociations);
    assert_eq!(functions.count(), 3);
    let nobody = attach(&read(&two), &attachment(of(&["fils"])));
    assert!(matches!(nobody, Err(Stopped::NoSuchOrigin(id, there)) if id == "fils" && there.len() == 2));
}
