use super::*;
use crate::members::unknown_in_distribution;
use serde_json::json;

fn read(document: &Value) -> Result<Template, String> {
    Template::read(document, &BTreeMap::new()).map_err(|error| error.to_string())
}

/// A template with a distribution of these properties, beside a bucket and three policies.
fn template(config: &Value) -> Value {
    json!({
        "Parameters": {
            "Methods": {"Type": "CommaDelimitedList", "Default": "GET, HEAD,OPTIONS"},
            "Seconds": {"Type": "Number", "Default": 60},
            "Open": {"Type": "String", "Default": "no"},
            "VersionArn": {"Type": "String"},
        },
        "Mappings": {"Hosts": {"us-east-1": {"api": "api.example.com"}}},
        "Conditions": {
            "IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "yes"]},
            "IsClosed": {"Fn::Not": [{"Condition": "IsOpen"}]},
        },
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Named": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "files-${AWS::AccountId}"}}},
            "Access": {"Type": "AWS::CloudFront::OriginAccessControl"},
            "Cache": {"Type": "AWS::CloudFront::CachePolicy", "Properties": {"CachePolicyConfig": {
                "Name": "c", "MinTTL": 0, "DefaultTTL": {"Ref": "Seconds"}, "MaxTTL": {"Ref": "Seconds"},
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    "EnableAcceptEncodingGzip": false,
                    "HeadersConfig": {"HeaderBehavior": "none"},
                    "CookiesConfig": {"CookieBehavior": "none"},
                    "QueryStringsConfig": {"QueryStringBehavior": "all"},
                },
            }}},
            "NotThere": {"Type": "AWS::CloudFront::CachePolicy", "Condition": "IsOpen", "Properties": {"X": 1}},
            "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}},
        },
    })
}

fn config() -> Value {
    json!({
        "Enabled": "true",
        "IPV6Enabled": true,
        "Comment": {"Ref": "Missing"},
        "Logging": {"Fn::If": ["IsOpen", {"Bucket": "logs"}, {"Ref": "AWS::NoValue"}]},
        "Origins": [
            {
                "Id": "bucket",
                "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
                "OriginAccessControlId": {"Fn::GetAtt": "Access.Id"},
                "S3OriginConfig": {"OriginAccessIdentity": ""},
                "OriginCustomHeaders": [{"HeaderName": "x-a", "HeaderValue": {"Fn::Join": ["-", ["a", "b"]]}}],
            },
            {
                "Id": "api",
                "DomainName": {"Fn::FindInMap": ["Hosts", {"Ref": "AWS::Region"}, "api"]},
                "CustomOriginConfig": {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]},
            },
        ],
        "DefaultCacheBehavior": {
            "TargetOriginId": "bucket",
            "ViewerProtocolPolicy": {"Fn::If": ["IsClosed", "https-only", "allow-all"]},
            "AllowedMethods": {"Ref": "Methods"},
            "CachedMethods": {"Fn::Split": [",", "GET,HEAD"]},
            "CachePolicyId": {"Ref": "Cache"},
            "LambdaFunctionAssociations": [
                {"EventType": "viewer-request", "LambdaFunctionARN": {"Ref": "VersionArn"}, "IncludeBody": false},
            ],
        },
        "CacheBehaviors": [{
            "PathPattern": {"Fn::Select": [1, ["a/*", "b/*"]]},
            "TargetOriginId": "api",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "TrustedKeyGroups": ["k"],
        }],
        "CustomErrorResponses": [{"ErrorCode": 404, "ResponseCode": 200, "ResponsePagePath": "/index.html"}],
    })
}

#[test]
fn a_template_is_the_distribution_that_cloudfront_would_have() {
    let template = read(&template(&config())).unwrap();
    let exported = &template.distribution;
    assert_eq!(unknown_in_distribution(exported.config()), []);
    let view = exported.view();
    let [bucket, api] = view.origins.0.as_slice() else { panic!("{view:?}") };
    assert_eq!(bucket.domain_name, "bucket.s3.us-east-1.amazonaws.com");
    assert_eq!(bucket.origin_access_control_id, "Access");
    assert_eq!(bucket.custom_headers.0[0].header_value, "a-b");
    assert_eq!(api.domain_name, "api.example.com");
    let default = &view.default_cache_behavior;
    assert_eq!(default.viewer_protocol_policy, "https-only");
    let methods = default.allowed_methods.as_ref().unwrap();
    assert_eq!(methods.allowed.0, ["GET", "HEAD", "OPTIONS"]);
    assert_eq!(methods.cached_methods.0, ["GET", "HEAD"]);
    assert_eq!(default.viewer_request().unwrap().arn, r#"unresolved {"Ref":"VersionArn"}"#);
    assert_eq!(default.cache_policy_id.as_deref(), Some("Cache"));
    assert_eq!(template.cache_policies["Cache"].default_ttl, 60);
    assert!(!template.cache_policies.contains_key("NotThere"));
    let [behavior] = view.cache_behaviors.0.as_slice() else { panic!("{view:?}") };
    assert_eq!(behavior.path_pattern.as_deref(), Some("b/*"));
    assert_eq!(behavior.signatures_required(), ["TrustedKeyGroups"]);
    assert_eq!(view.custom_error_responses.0[0].response_code, "200");
    assert!(!view.logging.enabled);
}

#[test]
fn alternate_domain_names_are_those_that_the_template_alone_says() {
    let import = json!({"Fn::ImportValue": "name"});
    for (aliases, expected) in [
        (json!(["a.example.com", "*.example.org"]), vec!["a.example.com", "*.example.org"]),
        (json!([{"Ref": "VersionArn"}]), vec![]),
        (json!([import]), vec![]),
        (import.clone(), vec![]),
        (json!({"Ref": "Missing"}), vec![]),
        (
            json!([{"Ref": "Missing"}, "a.example.com", import, {"Fn::Sub": "b.${Open}"}]),
            vec!["a.example.com", "b.no"],
        ),
        (json!({"Ref": "Methods"}), vec!["GET", "HEAD", "OPTIONS"]),
        (json!({"Fn::If": ["IsOpen", ["a"], {"Ref": "AWS::NoValue"}]}), vec![]),
        (json!({"Fn::If": ["IsClosed", [import, "a.example.com"], []]}), vec!["a.example.com"]),
        (json!({"Fn::If": ["Missing", ["a"], ["b"]]}), vec![]),
        (json!([{"Fn::If": ["IsClosed", import, "b"]}, "c.example.com", 1, null]), vec!["c.example.com"]),
        (json!("a.example.com"), vec!["a.example.com"]),
        (json!({"Quantity": 1, "Items": ["a.example.com"]}), vec!["a.example.com"]),
        (json!(null), vec![]),
    ] {
        let mut config = config();
        config["Aliases"] = aliases.clone();
        let template = read(&template(&config)).unwrap();
        assert_eq!(template.distribution.view().aliases.0, expected, "{aliases}");
    }
}

#[test]
fn the_parameters_of_tenants_are_read() {
    let definitions = json!([{"Name": "bucket", "Definition": {"StringSchema": {"Required": true}}}]);
    for definitions in [definitions.clone(), json!({"Fn::If": ["IsClosed", definitions, []]})] {
        let mut config = config();
        config["TenantConfig"] = json!({"ParameterDefinitions": definitions});
        let exported = read(&template(&config)).unwrap().distribution;
        assert_eq!(exported.view().tenants().as_deref(), Some("`TenantConfig` has parameters"));
        assert_eq!(unknown_in_distribution(exported.config()), []);
    }
}

#[test]
fn what_only_cloudformation_knows_is_named_with_its_place() {
    let with = |path: &str, value: Value| {
        let mut config = config();
        *config.pointer_mut(path).unwrap() = value;
        read(&template(&config)).unwrap_err()
    };
    let domain = "/Origins/0/DomainName";
    for (value, why) in [
        (json!({"Fn::ImportValue": "x"}), "`Fn::ImportValue` is known only to CloudFormation"),
        (json!({"Ref": "VersionArn"}), "the parameter `VersionArn` has no default"),
        (json!({"Ref": "Nothing"}), "`Nothing` is neither a parameter nor a resource"),
        (json!({"Fn::Sub": "${Nothing}.example"}), "`Nothing` is neither a parameter nor a resource"),
        (json!({"Fn::GetAtt": ["Nothing", "DomainName"]}), "`Nothing` is not a resource"),
        (json!({"Fn::If": ["Nothing", "a", "b"]}), "the template has no condition `Nothing`"),
    ] {
        let place = "Distribution/DistributionConfig/Origins/0/DomainName";
        assert_eq!(with(domain, value), format!("{place}: {why}"));
    }
    let error = with("/DefaultCacheBehavior/TargetOriginId", json!("other"));
    assert_eq!(error, "`Distribution`: a behavior's `TargetOriginId` is `other`, but no origin has this id");
    let mut several = template(&config());
    several["Resources"]["Second"] = several["Resources"]["Distribution"].clone();
    assert_eq!(read(&several).unwrap_err(), "the template has several distributions: Distribution, Second");
    assert_eq!(read(&json!({"Resources": {}})).unwrap_err(), TemplateError::NoDistribution.to_string());
    assert_eq!(read(&json!({})).unwrap_err(), TemplateError::NotATemplate.to_string());
}

#[test]
fn a_value_can_be_given_for_a_parameter_that_is_there() {
    let mut config = config();
    config["Origins"][0]["DomainName"] = json!({"Fn::Sub": "${VersionArn}.s3.us-east-1.amazonaws.com"});
    let template = template(&config);
    let values = |name: &str| BTreeMap::from([(name.to_owned(), "mine".to_owned())]);
    let read = Template::read(&template, &values("VersionArn")).unwrap();
    assert_eq!(read.distribution.view().origins.0[0].domain_name, "mine.s3.us-east-1.amazonaws.com");
    let error = Template::read(&template, &values("Other")).unwrap_err().to_string();
    assert_eq!(error, "Parameters: the template has no parameter `Other`");
}

#[test]
fn a_value_that_the_parameter_does_not_take_is_refused_as_cloudformation_refuses_it() {
    let read = |parameter: Value, value: Option<&str>| {
        let mut template = template(&config());
        template["Parameters"]["Stage"] = parameter;
        let values = value.map(|value| ("Stage".to_owned(), value.to_owned())).into_iter().collect();
        Template::read(&template, &values).map(|_| ()).map_err(|error| error.to_string())
    };
    let stage = json!({"Type": "String", "AllowedValues": ["test", "prod", 1, true], "Default": "test"});
    for value in [None, Some("prod"), Some("1"), Some("true")] {
        assert_eq!(read(stage.clone(), value), Ok(()), "{value:?}");
    }
    let wrong = "Parameters/Stage: the value is `Prod`, but must be one of `test`, `prod`, `1`, `true`";
    assert_eq!(read(stage, Some("Prod")), Err(wrong.to_owned()));
    let list = json!({"Type": "CommaDelimitedList", "AllowedValues": ["GET", "PUT"]});
    assert_eq!(read(list.clone(), Some("GET, PUT")), Ok(()));
    assert!(read(list, Some("GET, POST")).unwrap_err().contains("`POST`"));
    let number = json!({"Type": "Number", "MinValue": 1, "MaxValue": "10"});
    assert_eq!(read(number.clone(), Some("10")), Ok(()));
    assert!(read(number.clone(), Some("0")).unwrap_err().contains("`MinValue`"));
    for other in ["inf", "NaN", "-infinity"] {
        assert!(read(number.clone(), Some(other)).unwrap_err().contains("must be a number"), "{other}");
    }
    assert!(read(number, Some("ten")).unwrap_err().contains("must be a number"));
    let length = json!({"Type": "String", "MinLength": 2, "MaxLength": 3});
    assert_eq!(read(length.clone(), Some("äöü")), Ok(()));
    assert!(read(length, Some("a")).unwrap_err().contains("`MinLength`"));
    let list = json!({"Type": "CommaDelimitedList", "MinLength": 9});
    assert_eq!(read(list, Some("a")), Ok(()));
    // A default that CloudFormation would not take is not used either.
    let default = json!({"Type": "String", "AllowedValues": ["a"], "Default": "b"});
    assert_eq!(read(default.clone(), Some("a")), Ok(()));
    assert!(read(default, None).unwrap_err().contains("must be one of `a`"));
}

#[test]
fn a_template_that_refers_to_itself_without_end_is_refused() {
    let mut endless = template(&config());
    endless["Conditions"]["IsOpen"] = json!({"Fn::Not": [{"Condition": "IsClosed"}]});
    let error = read(&endless).unwrap_err();
    assert!(
        error.contains("the conditions refer to one another without end: IsClosed > IsOpen > IsClosed"),
        "{error}"
    );
    let mut endless = template(&config());
    endless["Resources"]["Bucket"]["Properties"] = json!({"BucketName": {"Ref": "Bucket"}});
    let read = read(&endless).unwrap();
    assert_eq!(read.distribution.view().origins.0[0].domain_name, "bucket.s3.us-east-1.amazonaws.com");
}

#[test]
fn buckets_say_whether_they_keep_versions_and_access_controls_when_they_sign() {
    let mut document = template(&config());
    let resources = document["Resources"].as_object_mut().unwrap();
    let versions =
        |status: Value| json!({"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": status}});
    let status = json!({"Fn::If": ["IsOpen", "Suspended", "Enabled"]});
    resources.insert("Kept".into(), versions(json!({"Status": status})));
    resources.insert("Suspended".into(), versions(json!({"Status": "Suspended"})));
    resources.insert("Elsewhere".into(), versions(json!({"Fn::ImportValue": "x"})));
    let mut absent = versions(json!({"Status": "Enabled"}));
    absent["Condition"] = json!("IsOpen");
    resources.insert("Absent".into(), absent);
    for (id, signs) in
        [("Signs", json!("always")), ("Yields", json!("no-override")), ("Never", json!("never"))]
    {
        let config = json!({"Name": {"Ref": "Missing"}, "SigningBehavior": signs});
        let properties = json!({"OriginAccessControlConfig": config});
        let control = json!({"Type": "AWS::CloudFront::OriginAccessControl", "Properties": properties});
        resources.insert(id.into(), control);
    }
    let template = read(&document).unwrap();
    let versions: Vec<_> = template.versions.iter().map(|(name, keeps)| (name.as_str(), *keeps)).collect();
    let named = ("files-111122223333", false);
    assert_eq!(versions, [("bucket", false), named, ("kept", true), ("suspended", false)]);
    let controls: Vec<_> = template.access_controls.iter().map(|(id, signs)| (id.as_str(), *signs)).collect();
    assert_eq!(
        controls,
        [
            ("Access", SigningBehavior::Unknown),
            ("Never", SigningBehavior::Never),
            ("Signs", SigningBehavior::Always),
            ("Yields", SigningBehavior::NoOverride),
        ]
    );
}

#[test]
fn a_condition_is_decided_once() {
    let mut wide = template(&config());
    for n in 0..26 {
        let next = json!({"Condition": format!("C{}", n + 1)});
        wide["Conditions"][format!("C{n}")] = json!({"Fn::And": [next, next]});
    }
    wide["Conditions"]["C26"] = json!({"Fn::Equals": ["a", "a"]});
    wide["Resources"]["Distribution"]["Condition"] = json!("C0");
    assert!(read(&wide).is_ok());
    // The first that decides is the last that is looked at.
    wide["Conditions"]["C0"] = json!({"Fn::Or": [{"Condition": "C1"}, {"Condition": "Nothing"}]});
    assert!(read(&wide).is_ok());
    wide["Conditions"]["C0"] = json!({"Fn::And": [{"Condition": "C1"}, {"Condition": "Nothing"}]});
    assert!(read(&wide).unwrap_err().contains("no condition `Nothing`"));
    wide["Conditions"]["C0"] = json!({"Fn::And": "C1"});
    assert!(read(&wide).unwrap_err().contains("`Fn::And` is not a condition"));
}

#[test]
fn a_template_that_multiplies_its_values_is_refused_soon() {
    let refused = |value: Value| {
        let mut config = config();
        config["Origins"][0]["DomainName"] = value;
        let error = read(&template(&config)).unwrap_err();
        assert!(error.contains("too often"), "{error}");
    };
    let twice = |value: Value| json!({"Fn::Sub": ["${A}${A}${A}", {"A": value}]});
    refused((0..28).fold(json!("a"), |value, _| twice(value)));
    // Few values with much text are as much work.
    refused((0..6).fold(json!("a".repeat(100_000)), |value, _| twice(value)));
    let nots = |value: Value| json!({"Fn::Equals": [twice(value.clone()), twice(value)]});
    let inner = (0..12).fold(json!("a"), |value, _| nots(value));
    refused(json!({"Fn::If": ["IsOpen", "a", inner]}));
    let items: Vec<Value> = (0..1_000).map(|_| json!("a")).collect();
    refused(json!({"Fn::Join": ["b".repeat(100_000), items]}));
}

#[test]
fn two_buckets_that_would_be_one_folder_are_an_error() {
    let mut both = template(&config());
    both["Resources"]["BUCKET"] = json!({"Type": "AWS::S3::Bucket"});
    let error = read(&both).unwrap_err();
    assert!(error.contains("the buckets `BUCKET` and `Bucket` would both be `bucket` here"), "{error}");
    both["Resources"]["BUCKET"]["Properties"] = json!({"BucketName": "other"});
    assert!(read(&both).is_ok());
    both["Resources"]["BUCKET"]["Properties"] = json!({"BucketName": "bucket"});
    assert!(read(&both).is_err());
}
