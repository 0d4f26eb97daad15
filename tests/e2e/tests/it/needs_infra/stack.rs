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
const ALL: [&str; 14] = [
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
];

const READ_ONLY: [&str; 2] = ["KeyIsOpen", "KeepsAccessLogs"];

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
        ],
    );
}

#[test]
fn the_function_is_the_one_of_the_template_without_a_distribution() {
    let Some(linter) = linter() else { return };
    let [whole, alone] = [TEMPLATE, "function.yaml"].map(|name| template(linter, name));
    for name in ["Role", "Function", "Version"] {
        assert_eq!(whole["Resources"][name], alone["Resources"][name], "{name}");
    }
    for (name, parameter) in alone["Parameters"].as_object().unwrap() {
        assert_eq!(&whole["Parameters"][name], parameter, "{name}");
    }
    assert_eq!(whole["Rules"]["OnlyInUsEast1"], alone["Rules"]["OnlyInUsEast1"]);
    for name in ["VersionArn", "FunctionName", "LogGroupName"] {
        assert_eq!(whole["Outputs"][name]["Value"], alone["Outputs"][name]["Value"], "{name}");
    }
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
    for kept in ["Key", "Bucket", "Version"] {
        faults.unless(
            resources[kept]["DeletionPolicy"] == "Retain"
                && resources[kept]["UpdateReplacePolicy"] == "Retain",
            &format!("{kept} kept when the stack goes"),
        );
    }
    faults.0
}

fn distribution_faults(faults: &mut Faults, config: &Value, is: &impl Fn(&str) -> bool) {
    let behavior = &config["DefaultCacheBehavior"];
    let viewer_request = json!([
        {"EventType": "viewer-request", "LambdaFunctionARN": {"Ref": "Version"}, "IncludeBody": false}
    ]);
    let methods: &[&str] = match (is("CanWrite"), is("HasCors")) {
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
    faults.unless(config["HttpVersion"] == "http2and3", "HTTP/2 and HTTP/3");
    faults.unless(config["WebACLId"].is_null() != is("HasWebAcl"), "the web ACL that was named");
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
    if is("KeepsAccessLogs") {
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
    for conditions in [&ALL[..], &READ_ONLY, &["HasCors"], &["CanWrite", "CanDelete"], &[]] {
        assert_eq!(faults(&resources_where(&template, conditions), conditions), [""; 0], "{conditions:?}");
    }
}

#[test]
fn what_cfn_lint_lets_through_and_a_reviewer_would_not_is_found() {
    let Some(linter) = linter() else { return };
    let whole = resources_where(&template(linter, TEMPLATE), &ALL);
    const BEHAVIOR: &str = "Distribution/Properties/DistributionConfig/DefaultCacheBehavior";
    const CONFIG: &str = "Distribution/Properties/DistributionConfig";
    const REQUEST: &str = "OriginRequestPolicy/Properties/OriginRequestPolicyConfig";
    const KEY: &str = "CachePolicy/Properties/CachePolicyConfig/ParametersInCacheKeyAndForwardedToOrigin";
    const OAC: &str = "OriginAccessControl/Properties/OriginAccessControlConfig";
    let latest = json!({"Fn::GetAtt": ["Function", "Arn"]});
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
        (CONFIG, "WebACLId", Value::Null, "the web ACL that was named"),
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
    ] {
        let mut changed = whole.clone();
        let place = format!("/{place}/{name}");
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{place}"));
        match parent {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            members => members[name] = value,
        }
        let found = faults(&changed, &ALL);
        assert!(found.iter().any(|one| one == fault), "{place}: {found:?}");
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
