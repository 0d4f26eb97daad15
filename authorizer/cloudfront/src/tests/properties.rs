//! Properties of every distribution, checked on the JSON itself by an independent reading.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;

const NONE: &str = "";
const OWN: &str = "0a1b2c3d-0000-4000-8000-000000000000";
const DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const SECURITY: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";
const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_BUT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";
const ANOTHER: &str = "arn:aws:lambda:us-east-1:111122223333:function:another:1";

fn origin() -> impl Strategy<Value = Value> {
    let domains = [
        "one.s3.eu-central-1.amazonaws.com",
        "one.s3.eu-central-1.amazonaws.com",
        "one.s3.amazonaws.com",
        "two.s3.eu-central-1.amazonaws.com",
        "api.example.com",
    ];
    (select(domains.to_vec()), select(vec!["E1", "E1", "E1", NONE]), select(vec![NONE, NONE, NONE, "oai"]))
        .prop_map(|(domain, control, identity)| {
            json!({"DomainName": domain, "OriginPath": "", "OriginAccessControlId": control,
                "S3OriginConfig": {"OriginAccessIdentity": identity}, "ConnectionAttempts": 3})
        })
}

fn list(items: Vec<Value>) -> Value {
    if items.is_empty() { json!({"Quantity": 0}) } else { json!({"Quantity": items.len(), "Items": items}) }
}

fn behavior() -> impl Strategy<Value = Value> {
    let lambda = select(vec![
        vec![],
        vec![],
        vec![(ARN, "viewer-request")],
        vec![(ANOTHER, "viewer-request")],
        vec![(ANOTHER, "origin-request"), (ANOTHER, "viewer-response")],
    ]);
    let methods = select(vec![
        vec!["HEAD", "GET"],
        vec!["HEAD", "GET", "OPTIONS"],
        vec!["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"],
    ]);
    (
        0..3usize,
        lambda,
        any::<bool>(),
        methods,
        select(vec!["allow-all", "https-only", "redirect-to-https"]),
        select(vec![DISABLED, DISABLED, OWN, OPTIMIZED, NONE]),
        select(vec![ALL_BUT_HOST, ALL_BUT_HOST, OWN, ALL_VIEWER, NONE]),
    )
        .prop_map(|(origin, lambda, function, methods, protocol, cache, request)| {
            let lambda = lambda.iter().map(
                |(arn, event)| json!({"LambdaFunctionARN": arn, "EventType": event, "IncludeBody": false}),
            );
            let functions = function.then(|| json!({"FunctionARN": "f", "EventType": "viewer-response"}));
            let methods: Vec<Value> = methods.into_iter().map(Value::from).collect();
            let mut allowed = list(methods.clone());
            allowed["CachedMethods"] = list(methods.into_iter().take(3).collect());
            let mut behavior = json!({
                "TargetOriginId": origin.to_string(), "ViewerProtocolPolicy": protocol,
                "LambdaFunctionAssociations": list(lambda.collect()),
                "FunctionAssociations": list(functions.into_iter().collect()), "Compress": true,
                "AllowedMethods": allowed,
            });
            if !request.is_empty() {
                behavior["OriginRequestPolicyId"] = json!(request);
            }
            if cache.is_empty() {
                behavior["ForwardedValues"] = json!({"QueryString": false});
                behavior["MinTTL"] = json!(0);
            } else {
                behavior["CachePolicyId"] = json!(cache);
            }
            behavior
        })
}

fn distribution() -> impl Strategy<Value = Value> {
    (vec(origin(), 3), vec(behavior(), 1..4), select(vec![NONE, "index.html"])).prop_map(
        |(mut origins, mut behaviors, root)| {
            for (n, origin) in origins.iter_mut().enumerate() {
                origin["Id"] = json!(n.to_string());
            }
            let default = behaviors.pop().unwrap();
            for (n, behavior) in behaviors.iter_mut().enumerate() {
                behavior["PathPattern"] = json!(format!("p{n}/*"));
            }
            json!({"ETag": "E", "DistributionConfig": {
                "DefaultRootObject": root, "Origins": list(origins), "DefaultCacheBehavior": default,
                "CacheBehaviors": list(behaviors), "OriginGroups": {"Quantity": 0}, "Enabled": true,
            }})
        },
    )
}

fn wanted() -> impl Strategy<Value = Attachment> {
    let behaviors = prop_oneof![
        3 => Just(Behaviors::All),
        1 => Just(Behaviors::Named(vec![BehaviorName::Default])),
        1 => Just(Behaviors::Named(vec![BehaviorName::Default, pattern("p0/*")])),
    ];
    let policies = select(vec![
        None,
        Some(needs(&rule(json!({"methods": ["GET"]})), false)),
        Some(needs(&rule(json!({"methods": ["GET", "PUT"], "operations": ["ListObjectsV2"]})), true)),
    ]);
    (
        behaviors,
        policies,
        proptest::option::weighted(0.8, Just("E9".to_owned())),
        proptest::option::weighted(0.8, select(vec![DISABLED, DISABLED, OWN, OPTIMIZED])),
        proptest::option::weighted(0.8, select(vec![ALL_BUT_HOST, ALL_BUT_HOST, OWN, ALL_VIEWER])),
        proptest::option::of(select(vec![OWN, SECURITY])),
        proptest::bool::weighted(0.8),
    )
        .prop_map(|(behaviors, needs, control, cache, request, headers, replace)| Attachment {
            needs,
            origin_access_control_id: control,
            cache_policy_id: cache.and_then(CachePolicyId::parse),
            origin_request_policy_id: request.and_then(OriginRequestPolicyId::parse),
            response_headers_policy_id: headers.and_then(ResponseHeadersPolicyId::parse),
            replace,
            ..attachment(behaviors)
        })
}

/// The behaviors of a configuration, with the JSON of their origins.
fn behaviors(whole: &Value) -> Vec<(Value, Value)> {
    let config = &whole["DistributionConfig"];
    let patterns = config["CacheBehaviors"]["Items"].as_array().cloned().unwrap_or_default();
    let origin = |behavior: &Value| {
        let id = &behavior["TargetOriginId"];
        config["Origins"]["Items"].as_array().unwrap().iter().find(|one| one["Id"] == *id).unwrap().clone()
    };
    patterns
        .into_iter()
        .chain([config["DefaultCacheBehavior"].clone()])
        .map(|one| (one.clone(), origin(&one)))
        .collect()
}

fn function_of(behavior: &Value) -> Option<String> {
    let items = behavior["LambdaFunctionAssociations"]["Items"].as_array()?;
    let ours = items.iter().find(|one| one["EventType"] == "viewer-request")?;
    ours["LambdaFunctionARN"].as_str().map(str::to_owned)
}

fn bucket_of(origin: &Value) -> Option<String> {
    let domain = origin["DomainName"].as_str().unwrap();
    domain.split_once(".s3.").map(|(bucket, _)| bucket.to_owned())
}

/// Where two values differ: the path of names to the setting.
fn differences(before: &Value, after: &Value, way: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                way.push(name.clone());
                let null = Value::Null;
                differences(one.get(name).unwrap_or(&null), other.get(name).unwrap_or(&null), way, found);
                way.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (n, (one, other)) in one.iter().zip(other).enumerate() {
                way.push(n.to_string());
                differences(one, other, way, found);
                way.pop();
            }
        }
        (one, other) if one == other => {}
        _ => drop(found.insert(way.clone())),
    }
}

/// The settings that changed, each with its place as the output names it.
fn changed_settings(before: &Value, after: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    differences(before, after, &mut Vec::new(), &mut found);
    let name = |way: &[String]| {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["DistributionConfig", "DefaultCacheBehavior", "AllowedMethods", "CachedMethods", ..] => {
                ("default".to_owned(), "CachedMethods".to_owned())
            }
            ["DistributionConfig", "DefaultCacheBehavior", setting, ..] => {
                ("default".to_owned(), (*setting).to_owned())
            }
            ["DistributionConfig", "CacheBehaviors", "Items", n, "AllowedMethods", "CachedMethods", ..] => {
                (format!("p{n}/*"), "CachedMethods".to_owned())
            }
            ["DistributionConfig", "CacheBehaviors", "Items", n, setting, ..] => {
                (format!("p{n}/*"), (*setting).to_owned())
            }
            ["DistributionConfig", "Origins", "Items", n, "S3OriginConfig", setting]
            | ["DistributionConfig", "Origins", "Items", n, setting] => {
                ((*n).to_owned(), (*setting).to_owned())
            }
            other => panic!("{other:?} changed"),
        }
    };
    found.iter().map(|way| name(way)).collect()
}

fn told_settings(changes: &[Change]) -> BTreeSet<(String, String)> {
    let place = |place: &Place| match place {
        Place::Behavior(BehaviorName::Default) => "default".to_owned(),
        Place::Behavior(BehaviorName::Pattern(pattern)) => pattern.clone(),
        Place::Origin(id) => id.clone(),
    };
    changes.iter().map(|one| (place(&one.place), one.setting.name().to_owned())).collect()
}

/// Adds an unknown member to every object.
fn strew(value: &mut Value, unknown: &Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(|one| strew(one, unknown));
            members.insert("Unknown".to_owned(), unknown.clone());
        }
        Value::Array(items) => items.iter_mut().for_each(|one| strew(one, unknown)),
        _ => {}
    }
}

/// The number of unknown members, without those in settings that attach may remove.
fn strewn(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let own = usize::from(members.contains_key("Unknown"));
            let goes = |name: &str| ["ForwardedValues", "FunctionAssociations"].contains(&name);
            let within = members.iter().filter(|(name, _)| !goes(name)).map(|(_, one)| strewn(one));
            within.chain([own]).sum()
        }
        Value::Array(items) => {
            items.iter().filter(|one| one["EventType"] != "viewer-request").map(strewn).sum()
        }
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn after_attach_nobody_reaches_the_bucket_past_the_function(
        whole in distribution(), attachment in wanted(),
    ) {
        let Ok(changed) = attach(&read(&whole), &attachment) else { return Ok(()) };
        let after = behaviors(&Value::Object(changed.exported.whole().clone()));
        let guarded: BTreeSet<_> = after
            .iter()
            .filter(|(behavior, _)| function_of(behavior).as_deref() == Some(ARN))
            .filter_map(|(_, origin)| bucket_of(origin))
            .collect();
        prop_assert!(!guarded.is_empty());
        for (behavior, origin) in &after {
            if bucket_of(origin).is_none_or(|bucket| !guarded.contains(&bucket)) {
                continue;
            }
            prop_assert_eq!(function_of(behavior), Some(ARN.to_owned()));
            let is_chosen = match (&attachment.behaviors, behavior["PathPattern"].as_str()) {
                (Behaviors::All | Behaviors::OfOrigins(_), _) | (Behaviors::Named(_), None) => true,
                (Behaviors::Named(names), Some(name)) => names.contains(&pattern(name)),
            };
            if !is_chosen {
                continue;
            }
            prop_assert_ne!(&behavior["OriginRequestPolicyId"], ALL_VIEWER);
            prop_assert!(behavior["OriginRequestPolicyId"].is_string() && behavior["CachePolicyId"].is_string());
            prop_assert_ne!(&origin["OriginAccessControlId"], "");
            prop_assert_eq!(&origin["S3OriginConfig"]["OriginAccessIdentity"], "");
            prop_assert_eq!(&behavior["FunctionAssociations"]["Quantity"], 0);
            // CloudFront does not allow a legacy cache setting beside a policy that was set here.
            if attachment.cache_policy_id.is_some() {
                prop_assert!(behavior.get("ForwardedValues").is_none() && behavior.get("MinTTL").is_none());
            }
        }
    }

    #[test]
    fn every_change_is_told_and_nothing_is_told_that_is_none(whole in distribution(), attachment in wanted()) {
        let Ok(changed) = attach(&read(&whole), &attachment) else { return Ok(()) };
        let after = Value::Object(changed.exported.whole().clone());
        prop_assert_eq!(changed_settings(&whole, &after), told_settings(&changed.changes));
        for change in &changed.changes {
            prop_assert_ne!(&change.before, &change.after);
        }
        // A second attach changes nothing.
        let again = attach(&changed.exported, &attachment).unwrap();
        prop_assert_eq!(again.changes, vec![]);
    }

    #[test]
    fn detach_takes_off_what_attach_put_on_and_nothing_else(whole in distribution(), attachment in wanted()) {
        let Ok(shaped) = attach(&read(&whole), &attachment) else { return Ok(()) };
        let function = FunctionName::parse(ARN).unwrap();
        let off = Detachment { function, behaviors: Behaviors::All, bucket: BucketAfterwards::Closed };
        let bare = detach(&shaped.exported, &off).unwrap().exported;
        let after = Value::Object(bare.whole().clone());
        prop_assert!(behaviors(&after).iter().all(|(one, _)| function_of(one).as_deref() != Some(ARN)));
        // Its settings are already right, so attach sets only the function.
        if let Ok(attached) = attach(&bare, &attachment) {
            let back = detach(&attached.exported, &off).unwrap().exported;
            prop_assert_eq!(Value::Object(back.whole().clone()), after);
        }
    }

    #[test]
    fn what_nobody_knows_stays(whole in distribution(), attachment in wanted()) {
        // What is set and not known stops it; what is off stays.
        let mut set = whole.clone();
        strew(&mut set, &json!({"Quantity": 1, "Items": [null, 1.5, "x"]}));
        prop_assert!(attach(&read(&set), &attachment).is_err());
        let mut whole = whole;
        strew(&mut whole, &json!({"Quantity": 0, "Items": [null, 0.0, "", false]}));
        let Ok(changed) = attach(&read(&whole), &attachment) else { return Ok(()) };
        let after = Value::Object(changed.exported.whole().clone());
        for (way, setting) in changed_settings(&whole, &after) {
            let told = told_settings(&changed.changes).contains(&(way.clone(), setting.clone()));
            prop_assert!(told, "{} {}", way, setting);
        }
        prop_assert!(strewn(&whole) > 10);
        prop_assert_eq!(strewn(&whole), strewn(&after));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200), cut in 0..PLAIN.len(), with in any::<u8>()) {
        let _ = Exported::read(&bytes);
        let mut broken = PLAIN.as_bytes().to_vec();
        broken[cut] = with;
        if let Ok(exported) = Exported::read(&broken) {
            let _ = attach(&exported, &attachment(Behaviors::All));
        }
        let _ = Exported::read(&PLAIN.as_bytes()[..cut]);
    }
}
