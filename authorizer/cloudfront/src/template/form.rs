//! CloudFormation's form of a distribution in CloudFront's: the same members, but with lists without a count, some other
//! spellings, and a few members in another place
//! ([AWS: DistributionConfig](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-cloudfront-distribution-distributionconfig.html)).

use serde_json::{Map, Value, json};

/// The names that CloudFormation spells in another way.
const NAMES: [(&str, &str); 6] = [
    ("IPV6Enabled", "IsIPV6Enabled"),
    ("AcmCertificateArn", "ACMCertificateArn"),
    ("IamCertificateId", "IAMCertificateId"),
    ("SslSupportMethod", "SSLSupportMethod"),
    ("OriginSSLProtocols", "OriginSslProtocols"),
    ("OriginCustomHeaders", "CustomHeaders"),
];

/// The members that are numbers. A parameter gives a text.
const NUMBERS: [&str; 6] = ["ErrorCode", "ErrorCachingMinTTL", "MinTTL", "MaxTTL", "DefaultTTL", "Quantity"];

/// The members that are on or off.
const SWITCHES: [&str; 11] = [
    "Enabled",
    "Staging",
    "IPV6Enabled",
    "IsIPV6Enabled",
    "CloudFrontDefaultCertificate",
    "SmoothStreaming",
    "Compress",
    "IncludeBody",
    "IncludeCookies",
    "QueryString",
    "OriginShieldEnabled",
];

pub(super) fn of_cloudfront(config: Map<String, Value>) -> Map<String, Value> {
    let mut config = members(config);
    if let Some(Value::Object(logging)) = config.get_mut("Logging") {
        // CloudFormation has the member only where logs are on.
        logging.entry("Enabled").or_insert(Value::Bool(true));
    }
    config
}

fn members(members: Map<String, Value>) -> Map<String, Value> {
    let mut changed = Map::new();
    let mut cached_methods = None;
    for (name, value) in members {
        let value = match (name.as_str(), value) {
            ("CachedMethods", value) => {
                cached_methods = Some(member(&name, value));
                continue;
            }
            ("TrustedKeyGroups" | "TrustedSigners", Value::Array(items)) => {
                json!({"Enabled": !items.is_empty(), "Quantity": items.len(), "Items": items})
            }
            // CloudFront has a text here, and CloudFormation a number.
            ("ResponseCode", Value::Number(number)) => Value::String(number.to_string()),
            (_, value) => member(&name, value),
        };
        let spelt = NAMES.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| (*ours).to_owned());
        changed.insert(spelt.unwrap_or(name), value);
    }
    if let Some(cached) = cached_methods {
        // Without a list of its own, a behavior allows GET and HEAD.
        let allowed = changed
            .entry("AllowedMethods")
            .or_insert_with(|| json!({"Quantity": 2, "Items": ["GET", "HEAD"]}));
        if let Some(allowed) = allowed.as_object_mut() {
            allowed.insert("CachedMethods".to_owned(), cached);
        }
    }
    changed
}

fn member(name: &str, value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().map(|item| member("", item)).collect();
            // `Items` and what has it are written by hand in some places of a template.
            // The parameters of tenants have no count in CloudFront's form either.
            if matches!(name, "Items" | "ParameterDefinitions") {
                Value::Array(items)
            } else {
                json!({"Quantity": items.len(), "Items": items})
            }
        }
        Value::Object(inner) => Value::Object(members(inner)),
        Value::String(text) if NUMBERS.contains(&name) => match text.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => Value::String(text),
        },
        Value::String(text) if SWITCHES.contains(&name) && (text == "true" || text == "false") => {
            Value::Bool(text == "true")
        }
        other => other,
    }
}
