//! The module and CloudFormation's template are equivalent: their settings for the way to an object are written in
//! one form and compared.

use std::collections::BTreeMap;

use authorizer_e2e::cloudformation::{linter, resources_where, template};
use serde_json::{Map, Value, json};

use super::Copy;

/// The conditions of a template for some values of its parameters, and those values.
struct Case {
    /// The module's own test that plans the same.
    run: &'static str,
    conditions: Vec<&'static str>,
    parameters: Value,
}

fn cases() -> [Case; 4] {
    let headers = json!([
        "Content-Type",
        "Content-Encoding",
        "Content-MD5",
        "Range",
        "If-Range",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Unmodified-Since",
        "x-amz-mp-object-size",
    ]);
    let everything = [
        "KeyIsOpen",
        "CanUpload",
        "CanDelete",
        "CanWrite",
        "CanUseParts",
        "CanReadVersions",
        "CanList",
        "Caches",
        "HasCors",
        "CorsTakesCredentials",
        "CorsExposesHeaders",
        "HasAlias",
        "HasCertificate",
        "KeepsAccessLogs",
        "DeliversAccessLogs",
        "LogsQueries",
    ];
    [
        Case {
            run: "by_default",
            conditions: vec![
                "KeyIsOpen",
                "CanUpload",
                "CanDelete",
                "CanWrite",
                "KeepsAccessLogs",
                "DeliversAccessLogs",
            ],
            parameters: json!({"ForwardedHeaders": headers}),
        },
        Case {
            run: "a_continuous_deployment",
            conditions: vec![
                "KeyIsOpen",
                "CanUpload",
                "CanDelete",
                "CanWrite",
                "CanList",
                "HasStaging",
                "DeploysContinuously",
                "LimitsRate",
                "KeepsAccessLogs",
                "DeliversAccessLogs",
            ],
            parameters: json!({
                "ForwardedHeaders": headers, "RateLimit": 3000,
                "ContinuousDeploymentPolicyId": "22222222-3333-4444-5555-666677778888",
                "StagingDistributionArns": ["arn:aws:cloudfront::111122223333:distribution/ESTAGING1"],
            }),
        },
        Case {
            run: "a_policy_that_only_reads",
            conditions: vec!["KeyIsOpen"],
            parameters: json!({"ForwardedHeaders": headers}),
        },
        Case {
            run: "a_policy_that_needs_everything",
            conditions: everything.to_vec(),
            parameters: json!({
                "ForwardedHeaders": headers, "CacheSeconds": 60, "CorsOrigins": ["https://app.example.com"],
                "CorsExposedHeaders": ["ETag"], "CorsMaxAgeSeconds": 300, "Alias": "files.example.com",
                "CertificateArn":
                    "arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888",
            }),
        },
    ]
}

/// A value of the template with its references filled in, with the names of the module's own tests.
fn rendered(value: &Value, parameters: &Value) -> Value {
    let render = |value: &Value| rendered(value, parameters);
    let text = |value: &Value| rendered(value, parameters).as_str().unwrap().to_owned();
    match value {
        Value::Object(members) if members.len() == 1 => {
            let (name, argument) = members.iter().next().unwrap();
            match name.as_str() {
                "Ref" => reference(argument.as_str().unwrap(), parameters),
                "Fn::GetAtt" => {
                    let parts = argument.as_array().unwrap();
                    reference(
                        &format!("{}.{}", parts[0].as_str().unwrap(), parts[1].as_str().unwrap()),
                        parameters,
                    )
                }
                "Fn::Join" => {
                    let words = render(&argument[1]);
                    let words: Vec<_> =
                        words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
                    words.join(argument[0].as_str().unwrap()).into()
                }
                "Fn::Select" => {
                    let list = render(&argument[1]);
                    list[usize::try_from(argument[0].as_u64().unwrap()).unwrap()].clone()
                }
                "Fn::Split" => text(&argument[1]).split(argument[0].as_str().unwrap()).collect(),
                "Fn::Sub" => {
                    let (whole, more) = match argument {
                        Value::Array(parts) => {
                            (parts[0].as_str().unwrap(), parts[1].as_object().unwrap().clone())
                        }
                        text => (text.as_str().unwrap(), Map::new()),
                    };
                    let mut pieces = whole.split("${");
                    let mut filled = pieces.next().unwrap().to_owned();
                    for piece in pieces {
                        let (name, after) = piece.split_once('}').unwrap();
                        let one = more.get(name).map_or_else(|| reference(name, parameters), render);
                        filled += one.as_str().unwrap();
                        filled += after;
                    }
                    filled.into()
                }
                _ => json!({name: render(argument)}),
            }
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), render(value))).collect(),
        Value::Array(items) => items.iter().map(render).collect(),
        other => other.clone(),
    }
}

fn reference(name: &str, parameters: &Value) -> Value {
    let known = match name {
        "AWS::Partition" => "aws",
        "AWS::AccountId" => "111122223333",
        "AWS::StackName" | "Name" | "FunctionName" | "Function" => "edge-authorizer",
        "AWS::StackId" => {
            "arn:aws:cloudformation:us-east-1:111122223333:stack/edge-authorizer/1a2b3c4d-5e6f-1111-2222-333344445555"
        }
        "SystemLogLevel" => "WARN",
        "WebAcl.Arn" => "arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge-authorizer-rate/1",
        "Bucket" => "files-1",
        "Bucket.Arn" => "arn:aws:s3:::files-1",
        "Bucket.RegionalDomainName" => "files-1.s3.eu-central-1.amazonaws.com",
        "LogBucket" => "files-logs-1",
        "LogBucket.Arn" => "arn:aws:s3:::files-logs-1",
        "Distribution" | "DistributionId" => "EDFDVBD6EXAMPLE",
        "Version" | "VersionArn" => "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1",
        "Runtime" => "python3.14",
        "OriginAccessControl.Id" => "E327GJI25M56DG",
        other => return parameters.get(other).cloned().unwrap_or_else(|| json!({"of": other})),
    };
    known.into()
}

/// Sorts a list whose order does not matter.
fn sorted(list: &Value) -> Value {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.sort_by_key(ToString::to_string);
    items.into()
}

/// The settings of the template.
pub(in super::super) fn of_template(resources: &Value, parameters: &Value) -> Value {
    let of = |name: &str| rendered(&resources[name]["Properties"], parameters);
    let (function, role, key) = (of("Function"), of("Role"), of("Key"));
    let logging = &function["LoggingConfig"];
    let (rate, rules) = (of("WebAcl"), of("WebAcl")["Rules"].clone());
    let (bucket, logs) = (of("Bucket"), of("LogBucket"));
    let config = &of("Distribution")["DistributionConfig"];
    let behavior = &config["DefaultCacheBehavior"];
    let origin = &config["Origins"][0];
    let control = &of("OriginAccessControl")["OriginAccessControlConfig"];
    let requests = &of("OriginRequestPolicy")["OriginRequestPolicyConfig"];
    let cache = &of("CachePolicy")["CachePolicyConfig"];
    let cache_key = &cache["ParametersInCacheKeyAndForwardedToOrigin"];
    let answers = &of("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"];
    let (cors, security) = (&answers["CorsConfig"], &answers["SecurityHeadersConfig"]);
    let block = |bucket: &Value| {
        let block = &bucket["PublicAccessBlockConfiguration"];
        let names = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
        names.map(|name| block[name].clone())
    };
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    json!({
        "function": {
            "logging": [logging["LogFormat"], logging["LogGroup"], logging["ApplicationLogLevel"],
                logging["SystemLogLevel"]],
            "runtime": function["Runtime"], "handler": function["Handler"],
            "memory": function["MemorySize"], "timeout": function["Timeout"],
            "architectures": function["Architectures"], "package": function["PackageType"],
        },
        "trust": role["AssumeRolePolicyDocument"]["Statement"],
        "grants": role["Policies"][0]["PolicyDocument"]["Statement"],
        "key": key["KeyPolicy"]["Statement"],
        "key rotation": key["EnableKeyRotation"],
        "bucket": of("BucketPolicy")["PolicyDocument"]["Statement"],
        "ownership": bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        "public access block": block(&bucket),
        "versioning": bucket["VersioningConfiguration"]["Status"],
        "encryption": [
            encryption["BucketKeyEnabled"], encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        ],
        "uploads end after days":
            bucket["LifecycleConfiguration"]["Rules"][0]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"],
        "signing": [
            control["OriginAccessControlOriginType"], control["SigningProtocol"], control["SigningBehavior"]
        ],
        "origins": config["Origins"].as_array().unwrap().len(),
        "origin": [origin["DomainName"], origin["OriginAccessControlId"], origin["OriginPath"]],
        "other behaviors": config["CacheBehaviors"],
        "protocol": behavior["ViewerProtocolPolicy"],
        "methods": sorted(&behavior["AllowedMethods"]),
        "cached methods": sorted(&behavior["CachedMethods"]),
        "compress": behavior["Compress"],
        "functions": behavior["LambdaFunctionAssociations"].as_array().unwrap().iter()
            .map(|one| json!([one["EventType"], one["LambdaFunctionARN"], one["IncludeBody"]])).collect::<Value>(),
        "caching": if cache.is_null() { behavior["CachePolicyId"].clone() } else {
            json!([cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"],
                cache_key["CookiesConfig"]["CookieBehavior"], cache_key["HeadersConfig"]["HeaderBehavior"],
                cache_key["QueryStringsConfig"]["QueryStringBehavior"],
                cache_key["EnableAcceptEncodingBrotli"], cache_key["EnableAcceptEncodingGzip"]])
        },
        "forwarded": [requests["CookiesConfig"]["CookieBehavior"],
            requests["QueryStringsConfig"]["QueryStringBehavior"], requests["HeadersConfig"]["HeaderBehavior"],
            sorted(&requests["HeadersConfig"]["Headers"])],
        "cors": if cors.is_null() { Value::Null } else {
            json!([sorted(&cors["AccessControlAllowOrigins"]["Items"]),
                sorted(&cors["AccessControlAllowMethods"]["Items"]),
                sorted(&cors["AccessControlAllowHeaders"]["Items"]),
                sorted(&cors["AccessControlExposeHeaders"]["Items"]), cors["AccessControlAllowCredentials"],
                cors["AccessControlMaxAgeSec"], cors["OriginOverride"]])
        },
        "added headers": answers["CustomHeadersConfig"]["Items"].as_array().into_iter().flatten()
            .map(|one| json!([one["Header"], one["Value"], one["Override"]])).collect::<Value>(),
        "removed headers": answers["RemoveHeadersConfig"]["Items"].as_array().into_iter().flatten()
            .map(|one| one["Header"].clone()).collect::<Value>(),
        "content security policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "security headers": [security["ContentTypeOptions"]["Override"],
            security["StrictTransportSecurity"]["AccessControlMaxAgeSec"],
            security["StrictTransportSecurity"]["IncludeSubdomains"],
            security["StrictTransportSecurity"]["Preload"], security["StrictTransportSecurity"]["Override"]],
        "http": [config["HttpVersion"], config["IPV6Enabled"]],
        "rate": [rate["Name"], rate["Scope"], rules],
        "aliases": config["Aliases"].as_array().cloned().unwrap_or_default(),
        "tls": [config["ViewerCertificate"]["AcmCertificateArn"],
            config["ViewerCertificate"]["MinimumProtocolVersion"]],
        "errors": config["CustomErrorResponses"].as_array().unwrap().iter()
            .map(|one| json!([one["ErrorCode"], one["ErrorCachingMinTTL"]])).collect::<Value>(),
        "logged": of("AccessLogDelivery")["RecordFields"].as_array().map(|_| sorted(&of("AccessLogDelivery")["RecordFields"])),
        "log bucket": if logs.is_null() { Value::Null } else {
            json!([logs["OwnershipControls"]["Rules"][0]["ObjectOwnership"], block(&logs),
                of("LogBucketPolicy")["PolicyDocument"]["Statement"], of("AccessLogSource")["LogType"],
                of("AccessLogSource")["ResourceArn"], of("AccessLogDestination")["DestinationResourceArn"],
                of("AccessLogDestination")["OutputFormat"], bucket["LoggingConfiguration"]["DestinationBucketName"],
                bucket["LoggingConfiguration"]["LogFilePrefix"]])
        },
    })
}

/// The settings of the module, from the values that Terraform planned.
fn of_module(planned: &BTreeMap<String, Value>) -> Value {
    let of = |address: &str| planned.get(address).cloned().unwrap_or_default();
    let statements = |address: &str, member: &str| -> Value {
        let document = of(address);
        let document: Value = serde_json::from_str(document[member].as_str().unwrap()).unwrap();
        document["Statement"].clone()
    };
    let function = of("module.function.aws_lambda_function.this");
    let logging = &function["logging_config"][0];
    let rate = of("aws_wafv2_web_acl.rate[0]");
    let rules = rate["rule_json"].as_str().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let distribution = of("aws_cloudfront_distribution.this");
    let behavior = &distribution["default_cache_behavior"][0];
    let origin = &distribution["origin"][0];
    let control = of("aws_cloudfront_origin_access_control.this");
    let requests = of("aws_cloudfront_origin_request_policy.this");
    let cache = of("aws_cloudfront_cache_policy.this[0]");
    let cache_key = &cache["parameters_in_cache_key_and_forwarded_to_origin"][0];
    let answers = of("aws_cloudfront_response_headers_policy.this");
    let (cors, security) = (&answers["cors_config"][0], &answers["security_headers_config"][0]);
    let transport = &security["strict_transport_security"][0];
    let certificate = &distribution["viewer_certificate"][0];
    let block = |which: &str| {
        let block = of(&format!("aws_s3_bucket_public_access_block.{which}"));
        let names =
            ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
        names.map(|name| block[name].clone())
    };
    let ownership = |which: &str| {
        of(&format!("aws_s3_bucket_ownership_controls.{which}"))["rule"][0]["object_ownership"].clone()
    };
    let encryption = &of("aws_s3_bucket_server_side_encryption_configuration.files")["rule"][0];
    let fields = &of("aws_cloudwatch_log_delivery.access[0]")["record_fields"];
    // The module has an empty list, and the template omits it.
    let unless_empty = |list: &Value| if *list == json!([]) { Value::Null } else { list.clone() };
    json!({
        "function": {
            "logging": [logging["log_format"], logging["log_group"], logging["application_log_level"],
                logging["system_log_level"]],
            "runtime": function["runtime"], "handler": function["handler"],
            "memory": function["memory_size"], "timeout": function["timeout"],
            "architectures": function["architectures"], "package": function["package_type"],
        },
        "trust": statements("module.function.aws_iam_role.this", "assume_role_policy"),
        "grants": statements("module.function.aws_iam_role_policy.log", "policy"),
        "key": statements("aws_kms_key_policy.files", "policy"),
        "key rotation": of("aws_kms_key.files")["enable_key_rotation"],
        "bucket": statements("aws_s3_bucket_policy.files", "policy"),
        "ownership": ownership("files"),
        "public access block": block("files"),
        "versioning": of("aws_s3_bucket_versioning.files")["versioning_configuration"][0]["status"],
        "encryption": [
            encryption["bucket_key_enabled"],
            encryption["apply_server_side_encryption_by_default"][0]["sse_algorithm"]
        ],
        "uploads end after days": of("aws_s3_bucket_lifecycle_configuration.files")["rule"][0]
            ["abort_incomplete_multipart_upload"][0]["days_after_initiation"],
        "signing": [
            control["origin_access_control_origin_type"], control["signing_protocol"], control["signing_behavior"]
        ],
        "origins": distribution["origin"].as_array().unwrap().len(),
        "origin": [origin["domain_name"], origin["origin_access_control_id"], origin["origin_path"]],
        "other behaviors": unless_empty(&distribution["ordered_cache_behavior"]),
        "protocol": behavior["viewer_protocol_policy"],
        "methods": sorted(&behavior["allowed_methods"]),
        "cached methods": sorted(&behavior["cached_methods"]),
        "compress": behavior["compress"],
        "functions": behavior["lambda_function_association"].as_array().unwrap().iter()
            .map(|one| json!([one["event_type"], one["lambda_arn"], one["include_body"]])).collect::<Value>(),
        "caching": if cache.is_null() { behavior["cache_policy_id"].clone() } else {
            json!([cache["min_ttl"], cache["default_ttl"], cache["max_ttl"],
                cache_key["cookies_config"][0]["cookie_behavior"],
                cache_key["headers_config"][0]["header_behavior"],
                cache_key["query_strings_config"][0]["query_string_behavior"],
                cache_key["enable_accept_encoding_brotli"], cache_key["enable_accept_encoding_gzip"]])
        },
        "forwarded": [requests["cookies_config"][0]["cookie_behavior"],
            requests["query_strings_config"][0]["query_string_behavior"],
            requests["headers_config"][0]["header_behavior"],
            sorted(&requests["headers_config"][0]["headers"][0]["items"])],
        "cors": if cors.is_null() { Value::Null } else {
            json!([sorted(&cors["access_control_allow_origins"][0]["items"]),
                sorted(&cors["access_control_allow_methods"][0]["items"]),
                sorted(&cors["access_control_allow_headers"][0]["items"]),
                sorted(&cors["access_control_expose_headers"][0]["items"]),
                cors["access_control_allow_credentials"], cors["access_control_max_age_sec"],
                cors["origin_override"]])
        },
        "added headers": answers["custom_headers_config"][0]["items"].as_array().into_iter().flatten()
            .map(|one| json!([one["header"], one["value"], one["override"]])).collect::<Value>(),
        "removed headers": answers["remove_headers_config"][0]["items"].as_array().into_iter().flatten()
            .map(|one| one["header"].clone()).collect::<Value>(),
        "content security policy": security["content_security_policy"][0]["content_security_policy"],
        "security headers": [security["content_type_options"][0]["override"],
            transport["access_control_max_age_sec"], transport["include_subdomains"], transport["preload"],
            transport["override"]],
        "http": [distribution["http_version"], distribution["is_ipv6_enabled"]],
        "rate": [rate["name"], rate["scope"], rules],
        "aliases": distribution["aliases"],
        "tls": [certificate["acm_certificate_arn"], certificate["minimum_protocol_version"]],
        "errors": distribution["custom_error_response"].as_array().unwrap().iter()
            .map(|one| json!([one["error_code"], one["error_caching_min_ttl"]])).collect::<Value>(),
        "logged": fields.as_array().map(|_| sorted(fields)),
        "log bucket": if fields.is_null() { Value::Null } else {
            let source = of("aws_cloudwatch_log_delivery_source.access[0]");
            let destination = of("aws_cloudwatch_log_delivery_destination.access[0]");
            let logging = of("aws_s3_bucket_logging.files[0]");
            json!([ownership("logs[0]"), block("logs[0]"), statements("aws_s3_bucket_policy.logs[0]", "policy"),
                source["log_type"], source["resource_arn"],
                destination["delivery_destination_configuration"][0]["destination_resource_arn"],
                destination["output_format"], logging["target_bucket"], logging["target_prefix"]])
        },
    })
}

/// The plans of the module's own tests, by the name of the run and then by address.
fn plans(copy: &Copy) -> BTreeMap<String, BTreeMap<String, Value>> {
    copy.done(".", &["get"]);
    let text = copy.done(".", &["test", "-json", "-verbose", "-filter=tests/whole.tftest.hcl"]);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let planned = lines.filter(|line| line["type"] == "test_plan").map(|line| {
        let changes = line["test_plan"]["resource_changes"].as_array().unwrap().iter();
        let of = |one: &Value| (one["address"].as_str().unwrap().to_owned(), one["change"]["after"].clone());
        (line["@testrun"].as_str().unwrap().to_owned(), changes.map(of).collect())
    });
    planned.collect()
}

#[test]
fn the_module_and_the_template_come_to_the_same() {
    let (Some(copy), Some(linter)) = (Copy::make(), linter()) else { return };
    // Without conditions: what they decide on is in the other one.
    let function = template(linter, "function.yaml")["Resources"].clone();
    let template = template(linter, "stack.yaml");
    let plans = plans(&copy);
    for Case { run, conditions, parameters } in cases() {
        let mut resources = resources_where(&template, &conditions);
        resources.as_object_mut().unwrap().extend(function.as_object().unwrap().clone());
        let (ours, theirs) = (of_module(&plans[run]), of_template(&resources, &parameters));
        for (name, one) in ours.as_object().unwrap() {
            assert_eq!(*one, theirs[name], "{run}: {name}");
        }
        assert_eq!(ours.as_object().unwrap().len(), theirs.as_object().unwrap().len());
    }
}
