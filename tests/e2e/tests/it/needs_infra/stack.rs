//! `infra/cloudformation/stack.yaml`: bucket, key, function and distribution in one.
//!
//! cfn-lint knows CloudFormation's schemas. This module checks the meaning of the values for CloudFront, S3 and KMS,
//! and that there is no way around the function.

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{
    Faults, as_set, assert_found_broken, lint, linter, path, resources_where, template,
};
use serde_json::{Value, json};

const TEMPLATE: &str = "stack.yaml";

/// Every condition, except those of features that are off by default.
const ALL: [&str; 15] = [
    "KeyIsOpen",
    "CanUpload",
    "CanDelete",
    "CanUseParts",
    "CanReadVersions",
    "CanList",
    "CanWrite",
    "Caches",
    "HasCors",
    "CorsExposesHeaders",
    "HasAlias",
    "HasCertificate",
    "HasWebAcl",
    "KeepsAccessLogs",
    "DeliversAccessLogs",
];

const READ_ONLY: [&str; 3] = ["KeyIsOpen", "KeepsAccessLogs", "DeliversAccessLogs"];

#[test]
fn the_template_has_no_finding_of_cfn_lints() {
    let Some(linter) = linter() else { return };
    assert_eq!(lint(linter, &[path(TEMPLATE)]), []);
}

#[test]
fn cfn_lint_stops_a_template_that_cloudformation_would_not_take() {
    let Some(linter) = linter() else { return };
    let key_of = "distribution/${DistributionId}";
    assert_found_broken(
        linter,
        TEMPLATE,
        &[
            // The cycle that the parameter avoids: key, distribution, bucket, key.
            (key_of, "distribution/${Distribution}", "E3004"),
            ("OriginAccessControlOriginType: s3", "OriginAccessControlOriginType: bucket", "E3031"),
            ("ViewerProtocolPolicy: https-only", "ViewerProtocolPolicy: https", "E3030"),
            ("EventType: viewer-request", "Event: viewer-request", "E3002"),
            ("!GetAtt Bucket.RegionalDomainName", "!GetAtt Bucket.RegionalName", "E1010"),
            ("!Ref OriginRequestPolicy\n", "!Ref RequestPolicy\n", "E1020"),
            ("LogType: ACCESS_LOGS", "LogKind: ACCESS_LOGS", "E3002"),
            ("  HasCors: !Not", "  HasCorsOrigins: !Not", "E1028"),
            ("DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: RetainUnlessCreated", "E3035"),
            ("Scope: CLOUDFRONT", "Scope: GLOBAL", "E3030"),
        ],
    );
}

#[test]
fn no_failure_of_this_stack_can_take_a_replicated_function_with_it() {
    let Some(linter) = linter() else { return };
    let [stack, function] = [TEMPLATE, "function.yaml"].map(|name| template(linter, name));
    for (name, resource) in stack["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        assert!(!kind.starts_with("AWS::Lambda::") && !kind.starts_with("AWS::IAM::"), "{name}: {kind}");
    }
    assert_eq!(stack["Rules"]["OnlyInUsEast1"], function["Rules"]["OnlyInUsEast1"]);
    assert_eq!(stack["Outputs"]["VersionArn"]["Value"], json!({"Ref": "VersionArn"}));
    // The delivery of logs, which can fail for many reasons, begins with the second deployment.
    let first = resources_where(&stack, &["CanUpload", "KeepsAccessLogs"]);
    let second = resources_where(&stack, &["KeyIsOpen", "KeepsAccessLogs", "DeliversAccessLogs"]);
    let delivers = |resources: &Value| {
        let types = resources.as_object().unwrap().values().map(|one| one["Type"].as_str().unwrap());
        types.filter(|kind| kind.starts_with("AWS::Logs::")).count()
    };
    assert_eq!((delivers(&first), delivers(&second)), (0, 3));
    let both = json!({"Fn::And": [{"Condition": "KeepsAccessLogs"}, {"Condition": "KeyIsOpen"}]});
    assert_eq!(stack["Conditions"]["DeliversAccessLogs"], both);
}

/// The longest names that AWS takes, by the type of a resource.
const NAME_LIMITS: [(&str, &str, usize); 7] = [
    // CreateOriginAccessControl, "Name": at most 64.
    ("OriginAccessControl", "OriginAccessControlConfig/Name", 64),
    // 128 for each kind of policy.
    ("OriginRequestPolicy", "OriginRequestPolicyConfig/Name", 128),
    ("CachePolicy", "CachePolicyConfig/Name", 128),
    ("ResponseHeadersPolicy", "ResponseHeadersPolicyConfig/Name", 128),
    // CreateWebACL, "Name": at most 128.
    ("WebAcl", "Name", 128),
    // PutDeliverySource and PutDeliveryDestination, "name": at most 60.
    ("AccessLogSource", "Name", 60),
    ("AccessLogDestination", "Name", 60),
];

/// The names that can be too long for what they name, where `Name` takes as many characters as its pattern says.
fn too_long(template: &Value) -> Vec<&'static str> {
    let pattern = template["Parameters"]["Name"]["AllowedPattern"].as_str().unwrap();
    let most = pattern.strip_prefix("^[A-Za-z][A-Za-z0-9-]{0,").and_then(|rest| rest.strip_suffix("}$"));
    let longest = "a".repeat(most.unwrap().parse::<usize>().unwrap() + 1);
    let is_too_long = |(resource, place, limit): &(&'static str, &str, usize)| {
        let name = template.pointer(&format!("/Resources/{resource}/Properties/{place}/Fn::Sub")).unwrap();
        name.as_str().unwrap().replace("${Name}", &longest).len() > *limit
    };
    NAME_LIMITS.iter().filter(|one| is_too_long(one)).map(|(resource, ..)| *resource).collect()
}

#[test]
fn no_name_can_be_longer_than_its_limit() {
    let Some(linter) = linter() else { return };
    let mut template = template(linter, TEMPLATE);
    assert_eq!(too_long(&template), [""; 0]);
    template["Parameters"]["Name"]["AllowedPattern"] = json!("^[A-Za-z][A-Za-z0-9-]{0,63}$");
    assert_eq!(too_long(&template), ["OriginAccessControl", "AccessLogSource", "AccessLogDestination"]);
}

#[test]
fn every_parameter_says_what_it_is_and_takes_nothing_else() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter["Description"].is_string(), "{name}");
        let constraints = ["AllowedPattern", "AllowedValues", "MinLength", "MaxValue"];
        assert!(constraints.iter().any(|constraint| !parameter[constraint].is_null()), "{name}");
    }
    for (name, output) in template["Outputs"].as_object().unwrap() {
        assert!(output["Description"].is_string(), "{name}");
    }
}

/// The problems of a template: a way around the function, more permissions than intended, or a request at S3 that is
/// not the one that was decided on. Empty if there are none.
fn faults(resources: &Value, conditions: &[&str]) -> Vec<String> {
    let is = |condition: &str| conditions.contains(&condition);
    let mut faults = Faults::default();
    distribution_faults(&mut faults, &resources["Distribution"]["Properties"]["DistributionConfig"], &is);
    way_to_s3_faults(&mut faults, resources, &is);
    bucket_faults(&mut faults, resources, &is);
    faults.unless(
        resources["Key"]["Properties"]["EnableKeyRotation"] == true,
        "a key whose material is renewed every year",
    );
    let logs = is("KeepsAccessLogs").then_some("LogBucket");
    for kept in ["Key", "Bucket"].into_iter().chain(logs) {
        // Retain would leave a key and buckets behind each failed first deployment.
        faults.unless(
            resources[kept]["DeletionPolicy"] == "RetainExceptOnCreate"
                && resources[kept]["UpdateReplacePolicy"] == "Retain",
            &format!("{kept} kept when the stack goes"),
        );
    }
    faults.0
}

fn distribution_faults(faults: &mut Faults, config: &Value, is: &impl Fn(&str) -> bool) {
    let behavior = &config["DefaultCacheBehavior"];
    let viewer_request = json!([
        {"EventType": "viewer-request", "LambdaFunctionARN": {"Ref": "VersionArn"}, "IncludeBody": false}
    ]);
    let methods: &[&str] = match (is("CanWrite") || is("SignsIn"), is("HasCors")) {
        (true, _) => &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
        (false, true) => &["GET", "HEAD", "OPTIONS"],
        (false, false) => &["GET", "HEAD"],
    };
    let cache = if is("Caches") {
        json!({"Ref": "CachePolicy"})
    } else {
        json!("4135ea2d-6df8-44a3-9df3-4b5a84be39ad")
    };
    let certificate = &config["ViewerCertificate"];
    let tls = if is("HasCertificate") {
        certificate["MinimumProtocolVersion"] == "TLSv1.2_2021"
            && certificate["SslSupportMethod"] == "sni-only"
    } else {
        *certificate == json!({"CloudFrontDefaultCertificate": true})
    };
    let errors = config["CustomErrorResponses"].as_array().into_iter().flatten();
    let kept: Vec<_> = errors.filter(|error| error["ErrorCachingMinTTL"] != 0).collect();
    let listed = config["CustomErrorResponses"].as_array().map_or(0, Vec::len);
    let origins = &config["Origins"];
    let is_only = |list: &Value| list.as_array().is_some_and(|list| list.len() == 1);

    faults.unless(behavior["LambdaFunctionAssociations"] == viewer_request, "the version on viewer-request");
    faults.unless(behavior["FunctionAssociations"].is_null(), "no CloudFront Function beside it");
    faults.unless(config["CacheBehaviors"].is_null(), "no behavior without the function");
    faults.unless(as_set(&behavior["AllowedMethods"]) == methods, "the methods that the rules need");
    faults.unless(as_set(&behavior["CachedMethods"]) == ["GET", "HEAD"], "only reads in the cache");
    faults.unless(behavior["ViewerProtocolPolicy"] == "https-only", "no token over plain HTTP");
    faults.unless(behavior["CachePolicyId"] == cache, "nothing in the cache, or the policy of this template");
    faults.unless(
        behavior["OriginRequestPolicyId"] == json!({"Ref": "OriginRequestPolicy"}),
        "the origin request policy of this template",
    );
    faults.unless(
        behavior["ResponseHeadersPolicyId"] == json!({"Ref": "ResponseHeadersPolicy"}),
        "the response headers policy of this template",
    );
    faults.unless(behavior["Compress"] == false, "objects as they are stored");
    faults.unless(behavior["TargetOriginId"] == origins[0]["Id"], "the bucket behind the behavior");
    faults.unless(config["DefaultRootObject"].is_null(), "no default root object");
    faults.unless(listed == 8 && kept.is_empty(), "no error in the cache");
    faults.unless(tls, "TLS 1.2 or later for one's own name");
    // CloudFront has no continuous deployment for a distribution with HTTP/3.
    let http = if is("UsesHttp3") { "http2and3" } else { "http2" };
    faults.unless(config["HttpVersion"] == http, "no HTTP/3 unless that was asked");
    let web_acl = if is("HasWebAcl") {
        json!({"Ref": "WebAclArn"})
    } else if is("LimitsRate") {
        json!({"Fn::GetAtt": ["WebAcl", "Arn"]})
    } else {
        Value::Null
    };
    faults.unless(config["WebACLId"] == web_acl, "the web ACL that was named, or the one with a rate");
    let continuous = config["ContinuousDeploymentPolicyId"].is_null() != is("DeploysContinuously");
    faults.unless(continuous, "the continuous deployment that was named");
    faults.unless(is_only(origins) && config["OriginGroups"].is_null(), "one origin");
    faults.unless(origins[0]["OriginPath"].is_null(), "no origin path");
    faults.unless(
        origins[0]["DomainName"] == json!({"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}),
        "the bucket's own endpoint",
    );
    faults.unless(
        origins[0]["S3OriginConfig"] == json!({"OriginAccessIdentity": ""}),
        "no origin access identity",
    );
    faults.unless(
        origins[0]["OriginAccessControlId"] == json!({"Fn::GetAtt": ["OriginAccessControl", "Id"]}),
        "the origin access control of this template",
    );
}

fn way_to_s3_faults(faults: &mut Faults, resources: &Value, is: &impl Fn(&str) -> bool) {
    let control = &resources["OriginAccessControl"]["Properties"]["OriginAccessControlConfig"];
    let request = &resources["OriginRequestPolicy"]["Properties"]["OriginRequestPolicyConfig"];
    let cache = &resources["CachePolicy"]["Properties"]["CachePolicyConfig"];
    let response = &resources["ResponseHeadersPolicy"]["Properties"]["ResponseHeadersPolicyConfig"];
    let whole = json!({"QueryStringBehavior": "all"});
    let none = json!({"CookieBehavior": "none"});

    let kept =
        json!({"Items": [{"Header": "Cache-Control", "Value": "private, no-cache", "Override": false}]});
    faults.unless(is("BrowsersMayKeep") || response["CustomHeadersConfig"] == kept, "browsers keep nothing");
    let sandbox = json!({"ContentSecurityPolicy": "sandbox", "Override": false});
    let policy = &response["SecurityHeadersConfig"]["ContentSecurityPolicy"];
    faults.unless(
        if is("SandboxesUploads") { *policy == sandbox } else { policy.is_null() },
        "uploads in a sandbox where that was asked",
    );
    let removed = json!({"Items": [{"Header": "x-amz-server-side-encryption-aws-kms-key-id"}]});
    faults.unless(response["RemoveHeadersConfig"] == removed, "the key is not named");
    faults.unless(control["SigningBehavior"] == "always", "every request signed");
    faults.unless(control["SigningProtocol"] == "sigv4", "signed with SigV4");
    faults.unless(control["OriginAccessControlOriginType"] == "s3", "signed for S3");
    faults.unless(request["QueryStringsConfig"] == whole, "query strings whole");
    faults.unless(request["CookiesConfig"] == none, "no cookies");
    faults.unless(
        request["HeadersConfig"]
            == json!({"HeaderBehavior": "whitelist", "Headers": {"Ref": "ForwardedHeaders"}}),
        "only the headers that were named",
    );
    faults.unless(cache.is_null() != is("Caches"), "a cache policy where something is cached");
    if is("Caches") {
        let key = &cache["ParametersInCacheKeyAndForwardedToOrigin"];
        let seconds = json!({"Ref": "CacheSeconds"});
        faults.unless(
            cache["MinTTL"] == 0 && cache["DefaultTTL"] == seconds && cache["MaxTTL"] == seconds,
            "objects in the cache as long as was said, and no longer",
        );
        faults.unless(key["QueryStringsConfig"] == whole, "query strings whole in the cache key");
        faults.unless(
            key["CookiesConfig"] == none && key["HeadersConfig"] == json!({"HeaderBehavior": "none"}),
            "nothing of the viewer's own in the cache key",
        );
    }
    let cors = &response["CorsConfig"];
    faults.unless(cors.is_null() != is("HasCors"), "CORS headers where the policy has [cors]");
    faults.unless(
        cors.is_null() || cors["OriginOverride"] == false,
        "the function's own answers to preflights as they are",
    );
    faults.unless(
        response["SecurityHeadersConfig"]["ContentTypeOptions"] == json!({"Override": true}),
        "no guessing at types",
    );
}

fn bucket_faults(faults: &mut Faults, resources: &Value, is: &impl Fn(&str) -> bool) {
    let bucket = &resources["Bucket"]["Properties"];
    let owner = json!([{"ObjectOwnership": "BucketOwnerEnforced"}]);
    let private = json!({
        "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
    });
    let encryption = json!([{
        "BucketKeyEnabled": true,
        "ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
        },
    }]);
    let stale = &bucket["LifecycleConfiguration"]["Rules"][0]["AbortIncompleteMultipartUpload"];

    faults.unless(bucket["VersioningConfiguration"]["Status"] == "Enabled", "versions");
    faults.unless(
        bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == encryption,
        "the key of this template, and a bucket key",
    );
    faults.unless(stale["DaysAfterInitiation"] == 7, "stale uploads aborted");
    faults.unless(bucket["WebsiteConfiguration"].is_null(), "no website");
    faults.unless(bucket["CorsConfiguration"].is_null(), "no CORS headers of S3's own");
    let logs = is("KeepsAccessLogs").then_some("LogBucket");
    for name in ["Bucket"].into_iter().chain(logs) {
        let bucket = &resources[name]["Properties"];
        faults.unless(bucket["OwnershipControls"]["Rules"] == owner, &format!("{name} without ACLs"));
        faults.unless(
            bucket["PublicAccessBlockConfiguration"] == private,
            &format!("{name} closed to the public"),
        );
    }
    if is("LimitsRate") {
        let acl = &resources["WebAcl"]["Properties"];
        let rule = &acl["Rules"][0];
        let limit = json!({"RateBasedStatement": {
            "AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": {"Ref": "RateLimit"},
        }});
        faults.unless(
            acl["Scope"] == "CLOUDFRONT"
                && acl["DefaultAction"] == json!({"Allow": {}})
                && rule["Action"] == json!({"Block": {}})
                && rule["Statement"] == limit,
            "a limit on the requests of one address",
        );
        faults.unless(
            [acl, rule].iter().all(|one| one["VisibilityConfig"]["SampledRequestsEnabled"] == false),
            "no samples of requests, which hold tokens",
        );
    }
    if is("KeepsAccessLogs") {
        let delivery = &resources["LogBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
        // As the console and CreateDelivery write it: with another wording they add a statement, and the stack drifts.
        let account = json!({"Ref": "AWS::AccountId"});
        let source = "arn:${AWS::Partition}:logs:us-east-1:${AWS::AccountId}:delivery-source:${Name}-access";
        let expected = json!({
            "Sid": "AWSLogDeliveryWrite1",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": {"Fn::Sub": "${LogBucket.Arn}/cloudfront/*"},
            "Condition": {
                "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": {"Fn::Sub": source}},
            },
        });
        faults.unless(*delivery == expected, "the statement for log delivery in AWS's own wording");
    }
    if is("DeliversAccessLogs") {
        let destination = &bucket["LoggingConfiguration"]["DestinationBucketName"];
        faults.unless(*destination == json!({"Ref": "LogBucket"}), "S3's own log");
        let fields = as_set(&resources["AccessLogDelivery"]["Properties"]["RecordFields"]);
        let told = ["cs(Cookie)", "cs(Referer)", "cs-uri-query"];
        faults.unless(
            fields.contains(&"x-edge-request-id") && !told.iter().any(|field| fields.contains(field)),
            "access logs that hold no token",
        );
    }
}

#[test]
fn nothing_of_the_stack_leaves_a_way_around_the_function() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    let limited = ["LimitsRate", "UsesHttp3", "DeploysContinuously", "KeepsAccessLogs"];
    for conditions in
        [&ALL[..], &READ_ONLY, &["HasCors"], &["SignsIn"], &["CanWrite", "CanDelete"], &limited, &[]]
    {
        assert_eq!(faults(&resources_where(&template, conditions), conditions), [""; 0], "{conditions:?}");
    }
}

#[test]
fn what_cfn_lint_lets_through_and_a_reviewer_would_not_is_found() {
    let Some(linter) = linter() else { return };
    let all = [&ALL[..13], &["LimitsRate", "KeepsAccessLogs", "DeliversAccessLogs"]].concat();
    let all: Vec<_> = all.into_iter().filter(|one| *one != "HasWebAcl").collect();
    let whole = resources_where(&template(linter, TEMPLATE), &all);
    const BEHAVIOR: &str = "Distribution/Properties/DistributionConfig/DefaultCacheBehavior";
    const CONFIG: &str = "Distribution/Properties/DistributionConfig";
    const REQUEST: &str = "OriginRequestPolicy/Properties/OriginRequestPolicyConfig";
    const KEY: &str = "CachePolicy/Properties/CachePolicyConfig/ParametersInCacheKeyAndForwardedToOrigin";
    const OAC: &str = "OriginAccessControl/Properties/OriginAccessControlConfig";
    const DELIVERY: &str = "LogBucketPolicy/Properties/PolicyDocument/Statement/0";
    let latest = json!("arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer");
    for (place, name, value, fault) in [
        (
            BEHAVIOR,
            "LambdaFunctionAssociations/0/EventType",
            json!("origin-request"),
            "the version on viewer-request",
        ),
        (BEHAVIOR, "LambdaFunctionAssociations/0/LambdaFunctionARN", latest, "the version on viewer-request"),
        (BEHAVIOR, "LambdaFunctionAssociations/0/IncludeBody", json!(true), "the version on viewer-request"),
        (
            BEHAVIOR,
            "FunctionAssociations",
            json!([{"EventType": "viewer-request"}]),
            "no CloudFront Function beside it",
        ),
        (BEHAVIOR, "AllowedMethods", json!(["GET", "HEAD"]), "the methods that the rules need"),
        (BEHAVIOR, "ViewerProtocolPolicy", json!("redirect-to-https"), "no token over plain HTTP"),
        (
            BEHAVIOR,
            "CachePolicyId",
            json!("658327ea-f89d-4fab-a63d-7e88639e58f6"),
            "nothing in the cache, or the policy of this template",
        ),
        (BEHAVIOR, "OriginRequestPolicyId", Value::Null, "the origin request policy of this template"),
        (BEHAVIOR, "Compress", json!(true), "objects as they are stored"),
        (CONFIG, "CacheBehaviors", json!([{"PathPattern": "public/*"}]), "no behavior without the function"),
        (CONFIG, "DefaultRootObject", json!("index.html"), "no default root object"),
        (CONFIG, "CustomErrorResponses/0/ErrorCachingMinTTL", json!(10), "no error in the cache"),
        (
            CONFIG,
            "ViewerCertificate/MinimumProtocolVersion",
            json!("TLSv1"),
            "TLS 1.2 or later for one's own name",
        ),
        (CONFIG, "WebACLId", Value::Null, "the web ACL that was named, or the one with a rate"),
        (CONFIG, "HttpVersion", json!("http2and3"), "no HTTP/3 unless that was asked"),
        (
            CONFIG,
            "ContinuousDeploymentPolicyId",
            json!("22222222-3333-4444-5555-666677778888"),
            "the continuous deployment that was named",
        ),
        ("WebAcl/Properties", "Scope", json!("REGIONAL"), "a limit on the requests of one address"),
        (
            "WebAcl/Properties",
            "Rules/0/Action",
            json!({"Count": {}}),
            "a limit on the requests of one address",
        ),
        (
            "WebAcl/Properties",
            "Rules/0/VisibilityConfig/SampledRequestsEnabled",
            json!(true),
            "no samples of requests, which hold tokens",
        ),
        (
            DELIVERY,
            "Sid",
            json!("AWSLogsDeliveryWrite"),
            "the statement for log delivery in AWS's own wording",
        ),
        (
            DELIVERY,
            "Resource",
            json!({"Fn::Sub": "${LogBucket.Arn}/*"}),
            "the statement for log delivery in AWS's own wording",
        ),
        (CONFIG, "Origins/0/OriginPath", json!("/public"), "no origin path"),
        (
            CONFIG,
            "Origins/0/DomainName",
            json!("b.s3-website-us-east-1.amazonaws.com"),
            "the bucket's own endpoint",
        ),
        (
            CONFIG,
            "Origins/0/OriginAccessControlId",
            Value::Null,
            "the origin access control of this template",
        ),
        (
            CONFIG,
            "Origins/0/S3OriginConfig/OriginAccessIdentity",
            json!("origin-access-identity/cloudfront/E1"),
            "no origin access identity",
        ),
        (OAC, "SigningBehavior", json!("no-override"), "every request signed"),
        (REQUEST, "QueryStringsConfig/QueryStringBehavior", json!("none"), "query strings whole"),
        (REQUEST, "CookiesConfig/CookieBehavior", json!("all"), "no cookies"),
        (REQUEST, "HeadersConfig/HeaderBehavior", json!("allViewer"), "only the headers that were named"),
        (
            KEY,
            "QueryStringsConfig/QueryStringBehavior",
            json!("none"),
            "query strings whole in the cache key",
        ),
        (
            "CachePolicy/Properties/CachePolicyConfig",
            "MinTTL",
            json!(60),
            "objects in the cache as long as was said, and no longer",
        ),
        (
            "Bucket/Properties",
            "PublicAccessBlockConfiguration/BlockPublicPolicy",
            json!(false),
            "Bucket closed to the public",
        ),
        (
            "LogBucket/Properties",
            "OwnershipControls/Rules/0/ObjectOwnership",
            json!("ObjectWriter"),
            "LogBucket without ACLs",
        ),
        ("Bucket/Properties", "VersioningConfiguration/Status", json!("Suspended"), "versions"),
        ("Bucket/Properties", "WebsiteConfiguration", json!({"IndexDocument": "i"}), "no website"),
        ("Bucket/Properties", "CorsConfiguration", json!({"CorsRules": []}), "no CORS headers of S3's own"),
        (
            "Bucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0",
            "BucketKeyEnabled",
            json!(false),
            "the key of this template, and a bucket key",
        ),
        (
            "AccessLogDelivery/Properties",
            "RecordFields/0",
            json!("cs(Cookie)"),
            "access logs that hold no token",
        ),
        ("Bucket", "DeletionPolicy", json!("Delete"), "Bucket kept when the stack goes"),
        ("Key", "DeletionPolicy", json!("Retain"), "Key kept when the stack goes"),
        ("LogBucket", "UpdateReplacePolicy", json!("Delete"), "LogBucket kept when the stack goes"),
    ] {
        let mut changed = whole.clone();
        let place = format!("/{place}/{name}");
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{place}"));
        match parent {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            members => members[name] = value,
        }
        let found = faults(&changed, &all);
        assert!(found.iter().any(|one| one == fault), "{place}: {found:?}");
    }
}

#[test]
fn a_staging_distribution_may_do_what_the_distribution_may() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    for (place, distribution, ours) in [
        ("/BucketPolicy/Properties/PolicyDocument/Statement", "${Distribution}", 0..2),
        ("/Key/Properties/KeyPolicy/Statement", "${DistributionId}", 1..2),
    ] {
        let of = |conditions: &[&str]| statements(&resources_where(&template, conditions), place);
        let alone = of(&["KeyIsOpen", "CanUpload", "CanList"]);
        let mut with = of(&["KeyIsOpen", "CanUpload", "CanList", "HasStaging"]);
        for statement in &mut with[ours] {
            let source = &mut statement["Condition"]["StringEquals"]["AWS:SourceArn"];
            assert_eq!(*source, json!([distribution, "${Staging}"]));
            *source = json!(distribution);
        }
        // Nothing else is different.
        assert_eq!(with, alone);
    }
}

/// The only statement of a published policy, for the stack's own bucket and distribution.
fn published(name: &str, distribution: &str) -> Value {
    let text = std::fs::read_to_string(root().join("infra/policies").join(name)).unwrap();
    let ours = text
        .replace("arn:aws:s3:::BUCKET/*", "BUCKET/*")
        .replace("arn:aws:s3:::BUCKET", "BUCKET")
        .replace("arn:aws:cloudfront::ACCOUNT_ID:distribution/DISTRIBUTION_ID", distribution);
    let policy: Value = serde_json::from_str(&ours).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1, "{name}");
    policy["Statement"][0].clone()
}

/// A statement of the template in the form of a document, with CloudFormation's references filled in.
fn as_published(statement: &Value) -> Value {
    match statement {
        Value::Object(members) if members.len() == 1 && members.contains_key("Fn::GetAtt") => {
            assert_eq!(members["Fn::GetAtt"], json!(["Bucket", "Arn"]));
            json!("BUCKET")
        }
        // The distribution, and the staging distributions of a parameter.
        Value::Object(members) if members.len() == 1 && members.contains_key("Fn::Split") => {
            let [text, more] = &members["Fn::Split"][1]["Fn::Sub"].as_array().unwrap()[..] else { panic!() };
            assert_eq!(*more, json!({"Staging": {"Fn::Join": [",", {"Ref": "StagingDistributionArns"}]}}));
            let distributions = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/";
            text.as_str().unwrap().replace(distributions, "").split(',').collect()
        }
        Value::Object(members) if members.len() == 1 && members.contains_key("Fn::Sub") => {
            let text = members["Fn::Sub"].as_str().unwrap();
            let distributions = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/";
            json!(text.replace("${Bucket.Arn}", "BUCKET").replace(distributions, ""))
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), as_published(value))).collect()
        }
        Value::Array(items) => items.iter().map(as_published).collect(),
        other => other.clone(),
    }
}

fn statements(resources: &Value, policy: &str) -> Vec<Value> {
    resources.pointer(policy).unwrap().as_array().unwrap().iter().map(as_published).collect()
}

#[test]
fn each_statement_on_the_bucket_is_the_published_one_and_there_is_no_other() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    for (conditions, actions, lists) in [
        (&["CanUpload", "CanDelete"][..], &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"][..], false),
        (&["CanDelete"], &["s3:GetObject", "s3:DeleteObject"], false),
        (&["CanReadVersions", "CanList"], &["s3:GetObject", "s3:GetObjectVersion"], true),
        (
            &["CanUpload", "CanUseParts", "CanList"],
            &["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            true,
        ),
    ] {
        let found = statements(
            &resources_where(&template, conditions),
            "/BucketPolicy/Properties/PolicyDocument/Statement",
        );
        let mut objects = published("bucket-policy.json", "${Distribution}");
        objects["Action"] = json!(actions);
        let listing = lists.then(|| published("list-policy.json", "${Distribution}"));
        let tls = published("tls-policy.json", "${Distribution}");
        let expected: Vec<Value> = [Some(objects), listing, Some(tls)].into_iter().flatten().collect();
        assert_eq!(found, expected, "{conditions:?}");
    }
}

#[test]
fn the_key_is_used_by_the_one_distribution_and_administered_by_those_who_cannot_use_it() {
    let Some(linter) = linter() else { return };
    let template = template(linter, TEMPLATE);
    let key_statements = |conditions: &[&str]| {
        statements(&resources_where(&template, conditions), "/Key/Properties/KeyPolicy/Statement")
    };
    let whole = key_statements(&["KeyIsOpen", "CanUpload"]);
    assert_eq!(whole.len(), 2);
    assert_eq!(whole[1], published("key-policy.json", "${DistributionId}"));
    let mut reads = published("key-policy.json", "${DistributionId}");
    reads["Action"] = json!(["kms:Decrypt"]);
    assert_eq!(key_statements(&["KeyIsOpen"])[1], reads);
    // Before the second deployment, nobody can use it.
    assert_eq!(key_statements(&["CanUpload"]), whole[..1]);

    let administration = &whole[0];
    assert_eq!(administration["Sid"], "AllowAdministrationByTheAccount");
    assert_eq!(
        administration["Principal"],
        json!({"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"})
    );
    for action in as_set(&administration["Action"]) {
        // The uses of a key, and the ways to give them to others (AWS KMS: permissions for key users).
        let uses = [
            "Decrypt",
            "Encrypt",
            "GenerateData",
            "GenerateMac",
            "ReEncrypt",
            "CreateGrant",
            "Sign",
            "Derive",
        ];
        assert!(!uses.iter().any(|word| action.contains(word)) && !action.contains('*'), "{action}");
    }
    // Without these, the account could not fix the policy or delete the key.
    for needed in ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:RevokeGrant"] {
        assert!(as_set(&administration["Action"]).contains(&needed), "{needed}");
    }
}
