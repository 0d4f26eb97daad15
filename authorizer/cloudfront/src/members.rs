//! The members of CloudFront's structures, as far as they are known here: a configuration is read closed-world.
//!
//! Each member, down to the values, is judged by a check, or is listed as harmless with the reason. A test compares the
//! table with AWS's own service model (`fixtures/distributions/members.json`). Whatever else is set in a configuration is an
//! [`UnknownMember`]: AWS adds members to these structures each year, and one of them opened a way past Lambda@Edge.

use serde_json::{Map, Value};

use Member::{Harmless, Holds, Judged, Many};

/// What is known of a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Member {
    /// A check reads it: the id of its finding. It is a value, or a counted list of values.
    Judged(&'static str),
    /// It changes nothing about who can do what, for this reason.
    Harmless(&'static str),
    /// It is a structure, or a list of structures.
    Holds(&'static str),
    /// It is a counted list (`Quantity`, `Items`) of structures.
    Many(&'static str),
}

/// A member that is set and that is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownMember {
    /// The steps to the structure that has it.
    pub place: Vec<String>,
    /// Its name.
    pub name: String,
}

const NOT_A_BUCKET: &str =
    "only of an origin that is not a bucket with Origin Access Control, which is judged";
const LESS_IS_SHOWN: &str = "a browser shows less because of it, and nothing more";
const NO_BROWSER_DOES: &str = "no browser of today acts on it";

/// The structures, each with its members.
pub const STRUCTURES: &[(&str, &[(&str, Member)])] = &[
    (
        "DistributionConfig",
        &[
            ("Aliases", Judged("EA246")),
            ("AnycastIpListId", Harmless("the addresses at which CloudFront answers")),
            ("CacheBehaviors", Many("CacheBehavior")),
            ("CacheTagConfig", Holds("CacheTagConfig")),
            ("CallerReference", Harmless("a text of the caller")),
            ("Comment", Harmless("a text of the caller")),
            ("ConnectionFunctionAssociation", Holds("ConnectionFunctionAssociation")),
            ("ConnectionMode", Judged("EA245")),
            ("ContinuousDeploymentPolicyId", Judged("EA227")),
            ("CustomErrorResponses", Many("CustomErrorResponse")),
            ("DefaultCacheBehavior", Holds("CacheBehavior")),
            ("DefaultRootObject", Judged("EA222")),
            ("Enabled", Harmless("a distribution that is off answers nobody")),
            ("HttpVersion", Harmless("every version of HTTP comes to the function in the same form")),
            ("IsIPV6Enabled", Harmless("the function reads both kinds of addresses")),
            ("Logging", Holds("LoggingConfig")),
            ("OriginGroups", Many("OriginGroup")),
            ("Origins", Many("Origin")),
            ("PriceClass", Harmless("which edge locations answer")),
            ("Restrictions", Holds("Restrictions")),
            ("Staging", Judged("EA227")),
            ("TenantConfig", Holds("TenantConfig")),
            ("ViewerCertificate", Holds("ViewerCertificate")),
            ("ViewerMtlsConfig", Holds("ViewerMtlsConfig")),
            (
                "WebACLId",
                Harmless("a firewall refuses requests before the function, and allows none past it"),
            ),
        ],
    ),
    (
        "CacheBehavior",
        &[
            ("AllowedMethods", Holds("AllowedMethods")),
            ("CachePolicyId", Judged("EA230")),
            ("Compress", Harmless("how an answer is encoded on the way to the viewer")),
            ("DefaultTTL", Judged("EA232")),
            (
                "FieldLevelEncryptionId",
                Harmless("it encrypts fields of HTML forms, and the function refuses forms"),
            ),
            ("ForwardedValues", Holds("ForwardedValues")),
            ("FunctionAssociations", Many("FunctionAssociation")),
            ("GrpcConfig", Holds("GrpcConfig")),
            ("LambdaFunctionAssociations", Many("LambdaFunctionAssociation")),
            ("MaxTTL", Judged("EA232")),
            ("MinTTL", Judged("EA232")),
            ("OriginRequestPolicyId", Judged("EA240")),
            ("PathPattern", Judged("EA201")),
            ("RealtimeLogConfigArn", Judged("EA229")),
            ("ResponseHeadersPolicyId", Judged("EA250")),
            ("SmoothStreaming", Judged("EA207")),
            ("TargetOriginId", Judged("EA216")),
            ("TrustedKeyGroups", Holds("Trusted")),
            ("TrustedSigners", Holds("Trusted")),
            ("ViewerProtocolPolicy", Judged("EA220")),
        ],
    ),
    (
        "AllowedMethods",
        &[
            ("CachedMethods", Harmless("an answer to OPTIONS comes from the function, and is not cached")),
            ("Items", Judged("EA224")),
            ("Quantity", Judged("EA224")),
        ],
    ),
    (
        "ForwardedValues",
        &[
            ("Cookies", Holds("CookiePreference")),
            ("Headers", Judged("EA232")),
            ("QueryString", Judged("EA232")),
            ("QueryStringCacheKeys", Judged("EA232")),
        ],
    ),
    ("CookiePreference", &[("Forward", Judged("EA232")), ("WhitelistedNames", Judged("EA232"))]),
    ("FunctionAssociation", &[("EventType", Judged("EA205")), ("FunctionARN", Judged("EA205"))]),
    ("GrpcConfig", &[("Enabled", Judged("EA206"))]),
    (
        "LambdaFunctionAssociation",
        &[
            ("EventType", Judged("EA203")),
            ("IncludeBody", Judged("EA204")),
            ("LambdaFunctionARN", Judged("EA202")),
        ],
    ),
    // `TrustedKeyGroups` and `TrustedSigners`.
    ("Trusted", &[("Enabled", Judged("EA209")), ("Items", Judged("EA209")), ("Quantity", Judged("EA209"))]),
    ("CacheTagConfig", &[("HeaderName", Harmless("a mark on what is cached, for invalidation"))]),
    ("ConnectionFunctionAssociation", &[("Id", Judged("EA247"))]),
    (
        "CustomErrorResponse",
        &[
            ("ErrorCachingMinTTL", Judged("EA226")),
            ("ErrorCode", Judged("EA226")),
            ("ResponseCode", Judged("EA225")),
            ("ResponsePagePath", Judged("EA225")),
        ],
    ),
    (
        "LoggingConfig",
        &[
            ("Bucket", Harmless("where the logs go; what is in them is judged")),
            ("Enabled", Judged("EA228")),
            ("IncludeCookies", Judged("EA228")),
            ("Prefix", Harmless("where the logs go; what is in them is judged")),
        ],
    ),
    (
        "OriginGroup",
        &[
            ("FailoverCriteria", Holds("OriginGroupFailoverCriteria")),
            ("Id", Judged("EA216")),
            ("Members", Many("OriginGroupMember")),
            ("SelectionCriteria", Judged("EA216")),
        ],
    ),
    (
        "OriginGroupFailoverCriteria",
        &[("StatusCodes", Harmless("when the second origin is asked; each origin of a group is judged"))],
    ),
    ("OriginGroupMember", &[("OriginId", Judged("EA216"))]),
    (
        "Origin",
        &[
            ("ConnectionAttempts", Harmless("how often CloudFront tries to connect")),
            ("ConnectionTimeout", Harmless("how long CloudFront tries to connect")),
            ("CustomHeaders", Many("OriginCustomHeader")),
            ("CustomOriginConfig", Holds("CustomOriginConfig")),
            ("DomainName", Judged("EA219")),
            ("Id", Judged("EA217")),
            ("OriginAccessControlId", Judged("EA210")),
            ("OriginPath", Judged("EA213")),
            ("OriginShield", Holds("OriginShield")),
            ("ResponseCompletionTimeout", Harmless("how long CloudFront waits for an answer")),
            ("S3OriginConfig", Holds("S3OriginConfig")),
            ("VpcOriginConfig", Holds("VpcOriginConfig")),
        ],
    ),
    // An origin with one of these is not a bucket with Origin Access Control, and that is what is judged (EA219).
    (
        "CustomOriginConfig",
        &[
            ("HTTPPort", Harmless(NOT_A_BUCKET)),
            ("HTTPSPort", Harmless(NOT_A_BUCKET)),
            ("IpAddressType", Harmless(NOT_A_BUCKET)),
            ("OriginHttpVersion", Harmless(NOT_A_BUCKET)),
            ("OriginKeepaliveTimeout", Harmless(NOT_A_BUCKET)),
            ("OriginMtlsConfig", Holds("OriginMtlsConfig")),
            ("OriginProtocolPolicy", Judged("EA219")),
            ("OriginReadTimeout", Harmless(NOT_A_BUCKET)),
            ("OriginSslProtocols", Harmless(NOT_A_BUCKET)),
        ],
    ),
    ("OriginMtlsConfig", &[("ClientCertificateArn", Harmless(NOT_A_BUCKET))]),
    (
        "VpcOriginConfig",
        &[
            ("OriginHttpVersion", Harmless(NOT_A_BUCKET)),
            ("OriginKeepaliveTimeout", Harmless(NOT_A_BUCKET)),
            ("OriginReadTimeout", Harmless(NOT_A_BUCKET)),
            ("OwnerAccountId", Harmless(NOT_A_BUCKET)),
            ("VpcOriginId", Judged("EA219")),
        ],
    ),
    // `ConnectionMode`, which is judged, says whether tenants are served.
    ("TenantConfig", &[("ParameterDefinitions", Holds("ParameterDefinition"))]),
    ("ParameterDefinition", &[("Definition", Holds("ParameterDefinitionSchema")), ("Name", Judged("EA245"))]),
    ("ParameterDefinitionSchema", &[("StringSchema", Holds("StringSchemaConfig"))]),
    (
        "StringSchemaConfig",
        &[
            ("Comment", Harmless("a text of the caller")),
            ("DefaultValue", Harmless("a value of a tenant; that there are tenants is judged")),
            ("Required", Harmless("whether a tenant must have a value; that there are tenants is judged")),
        ],
    ),
    ("OriginCustomHeader", &[("HeaderName", Judged("EA218")), ("HeaderValue", Judged("EA218"))]),
    (
        "OriginShield",
        &[
            ("Enabled", Harmless("another layer of the same cache, behind the function")),
            ("OriginShieldRegion", Harmless("another layer of the same cache, behind the function")),
        ],
    ),
    (
        "S3OriginConfig",
        &[
            ("OriginAccessIdentity", Judged("EA215")),
            ("OriginReadTimeout", Harmless("how long CloudFront waits for an answer")),
        ],
    ),
    ("Restrictions", &[("GeoRestriction", Holds("GeoRestriction"))]),
    (
        "GeoRestriction",
        &[
            ("Items", Harmless("it refuses countries, and allows nothing")),
            ("Quantity", Harmless("it refuses countries, and allows nothing")),
            ("RestrictionType", Harmless("it refuses countries, and allows nothing")),
        ],
    ),
    (
        "ViewerCertificate",
        &[
            ("ACMCertificateArn", Harmless("which certificate; which TLS is judged")),
            ("Certificate", Harmless("an older name of the certificate")),
            ("CertificateSource", Harmless("an older name of the certificate's kind")),
            ("CloudFrontDefaultCertificate", Judged("EA221")),
            ("IAMCertificateId", Harmless("which certificate; which TLS is judged")),
            ("MinimumProtocolVersion", Judged("EA221")),
            ("SSLSupportMethod", Judged("EA221")),
        ],
    ),
    ("ViewerMtlsConfig", &[("Mode", Judged("EA248")), ("TrustStoreConfig", Holds("TrustStoreConfig"))]),
    (
        "TrustStoreConfig",
        &[
            (
                "AdvertiseTrustStoreCaNames",
                Harmless("what a viewer is told; that certificates are asked for is judged"),
            ),
            (
                "IgnoreCertificateExpiry",
                Harmless("the function decides by the token, whichever certificate a viewer has"),
            ),
            ("TrustStoreId", Judged("EA248")),
        ],
    ),
    (
        "CachePolicyConfig",
        &[
            ("Comment", Harmless("a text of the caller")),
            ("DefaultTTL", Harmless("it lies between `MinTTL` and `MaxTTL`, which are judged")),
            ("MaxTTL", Judged("EA231")),
            ("MinTTL", Judged("EA231")),
            ("Name", Harmless("a text of the caller")),
            ("ParametersInCacheKeyAndForwardedToOrigin", Holds("ParametersInCacheKeyAndForwardedToOrigin")),
        ],
    ),
    (
        "ParametersInCacheKeyAndForwardedToOrigin",
        &[
            ("CookiesConfig", Holds("CookiesConfig")),
            ("EnableAcceptEncodingBrotli", Harmless("it normalizes `Accept-Encoding`")),
            ("EnableAcceptEncodingGzip", Harmless("it normalizes `Accept-Encoding`")),
            ("HeadersConfig", Holds("HeadersConfig")),
            ("QueryStringsConfig", Holds("QueryStringsConfig")),
        ],
    ),
    ("CookiesConfig", &[("CookieBehavior", Judged("EA243")), ("Cookies", Judged("EA243"))]),
    ("HeadersConfig", &[("HeaderBehavior", Judged("EA240")), ("Headers", Judged("EA240"))]),
    ("QueryStringsConfig", &[("QueryStringBehavior", Judged("EA241")), ("QueryStrings", Judged("EA241"))]),
    (
        "OriginRequestPolicyConfig",
        &[
            ("Comment", Harmless("a text of the caller")),
            ("CookiesConfig", Holds("CookiesConfig")),
            ("HeadersConfig", Holds("HeadersConfig")),
            ("Name", Harmless("a text of the caller")),
            ("QueryStringsConfig", Holds("QueryStringsConfig")),
        ],
    ),
    (
        "OriginAccessControlConfig",
        &[
            ("Description", Harmless("a text of the caller")),
            ("Name", Harmless("a text of the caller")),
            ("OriginAccessControlOriginType", Judged("EA212")),
            ("SigningBehavior", Judged("EA211")),
            ("SigningProtocol", Judged("EA212")),
        ],
    ),
    (
        "ResponseHeadersPolicyConfig",
        &[
            ("Comment", Harmless("a text of the caller")),
            ("CorsConfig", Holds("ResponseHeadersPolicyCorsConfig")),
            ("CustomHeadersConfig", Many("ResponseHeadersPolicyCustomHeader")),
            ("Name", Harmless("a text of the caller")),
            ("RemoveHeadersConfig", Many("ResponseHeadersPolicyRemoveHeader")),
            ("SecurityHeadersConfig", Holds("ResponseHeadersPolicySecurityHeadersConfig")),
            ("ServerTimingHeadersConfig", Holds("ResponseHeadersPolicyServerTimingHeadersConfig")),
        ],
    ),
    (
        "ResponseHeadersPolicyCorsConfig",
        &[
            ("AccessControlAllowCredentials", Judged("EA251")),
            ("AccessControlAllowHeaders", Harmless("for preflights, which the function answers")),
            ("AccessControlAllowMethods", Harmless("for preflights, which the function answers")),
            ("AccessControlAllowOrigins", Judged("EA251")),
            ("AccessControlExposeHeaders", Judged("EA251")),
            ("AccessControlMaxAgeSec", Harmless("for preflights, which the function answers")),
            ("OriginOverride", Judged("EA252")),
        ],
    ),
    (
        "ResponseHeadersPolicyCustomHeader",
        &[("Header", Judged("EA233")), ("Override", Judged("EA233")), ("Value", Judged("EA233"))],
    ),
    ("ResponseHeadersPolicyRemoveHeader", &[("Header", Judged("EA233"))]),
    (
        "ResponseHeadersPolicySecurityHeadersConfig",
        &[
            ("ContentSecurityPolicy", Holds("ResponseHeadersPolicyContentSecurityPolicy")),
            ("ContentTypeOptions", Holds("ResponseHeadersPolicyContentTypeOptions")),
            ("FrameOptions", Holds("ResponseHeadersPolicyFrameOptions")),
            ("ReferrerPolicy", Holds("ResponseHeadersPolicyReferrerPolicy")),
            ("StrictTransportSecurity", Holds("ResponseHeadersPolicyStrictTransportSecurity")),
            ("XSSProtection", Holds("ResponseHeadersPolicyXSSProtection")),
        ],
    ),
    (
        "ResponseHeadersPolicyContentSecurityPolicy",
        &[("ContentSecurityPolicy", Judged("EA234")), ("Override", Judged("EA234"))],
    ),
    ("ResponseHeadersPolicyContentTypeOptions", &[("Override", Judged("EA234"))]),
    (
        "ResponseHeadersPolicyFrameOptions",
        &[("FrameOption", Harmless(LESS_IS_SHOWN)), ("Override", Harmless(LESS_IS_SHOWN))],
    ),
    (
        "ResponseHeadersPolicyReferrerPolicy",
        &[
            ("Override", Harmless("what pages from the bucket tell the pages that they link to")),
            ("ReferrerPolicy", Harmless("what pages from the bucket tell the pages that they link to")),
        ],
    ),
    (
        "ResponseHeadersPolicyStrictTransportSecurity",
        &[
            ("AccessControlMaxAgeSec", Harmless(LESS_IS_SHOWN)),
            ("IncludeSubdomains", Harmless(LESS_IS_SHOWN)),
            ("Override", Harmless(LESS_IS_SHOWN)),
            ("Preload", Harmless(LESS_IS_SHOWN)),
        ],
    ),
    (
        "ResponseHeadersPolicyXSSProtection",
        &[
            ("ModeBlock", Harmless(NO_BROWSER_DOES)),
            ("Override", Harmless(NO_BROWSER_DOES)),
            ("Protection", Harmless(NO_BROWSER_DOES)),
            ("ReportUri", Harmless(NO_BROWSER_DOES)),
        ],
    ),
    (
        "ResponseHeadersPolicyServerTimingHeadersConfig",
        &[
            ("Enabled", Harmless("it tells the viewer how long the cache took")),
            ("SamplingRate", Harmless("it tells the viewer how long the cache took")),
        ],
    ),
];

/// The members of `DistributionConfig` that are set and that are not known.
pub fn unknown_in_distribution(config: &Map<String, Value>) -> Vec<UnknownMember> {
    let mut found = Vec::new();
    members_of("DistributionConfig", config, &mut Vec::new(), &mut found);
    found
}

/// The members of a structure, and of those in it, that are set and that are not known.
pub fn unknown_in(structure: &str, value: &Value) -> Vec<UnknownMember> {
    let mut found = Vec::new();
    structure_of(structure, value, &mut Vec::new(), &mut found);
    found
}

/// The members of a structure of another service that are set and that have none of these names, without those of the
/// structures in it.
pub fn unknown_beside(known: &[&str], value: &Value) -> Vec<UnknownMember> {
    let Value::Object(members) = value else { return Vec::new() };
    let unknown = members.iter().filter(|(name, value)| !known.contains(&name.as_str()) && !is_off(value));
    unknown.map(|(name, _)| UnknownMember { place: Vec::new(), name: name.clone() }).collect()
}

fn structure_of(name: &str, value: &Value, place: &mut Vec<String>, found: &mut Vec<UnknownMember>) {
    match value {
        Value::Array(items) => each(name, items, place, found),
        Value::Object(members) => members_of(name, members, place, found),
        // A value of another kind is an error of the form, or is not set.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn members_of(
    name: &str,
    members: &Map<String, Value>,
    place: &mut Vec<String>,
    found: &mut Vec<UnknownMember>,
) {
    let known = STRUCTURES.iter().find(|(structure, _)| *structure == name).map_or(&[][..], |(_, all)| *all);
    for (member, value) in members {
        match known.iter().find(|(one, _)| one == member).map(|(_, known)| *known) {
            Some(Judged(_) | Harmless(_)) => {
                place.push(member.clone());
                counted_values(value, place, found);
                place.pop();
            }
            Some(Holds(inner)) => {
                place.push(member.clone());
                structure_of(inner, value, place, found);
                place.pop();
            }
            Some(Many(inner)) => {
                place.push(member.clone());
                counted(inner, value, place, found);
                place.pop();
            }
            None if is_off(value) => {}
            None => found.push(UnknownMember { place: place.clone(), name: member.clone() }),
        }
    }
}

fn each(name: &str, items: &[Value], place: &mut Vec<String>, found: &mut Vec<UnknownMember>) {
    for (index, item) in items.iter().enumerate() {
        place.push(index.to_string());
        structure_of(name, item, place, found);
        place.pop();
    }
}

fn counted(name: &str, list: &Value, place: &mut Vec<String>, found: &mut Vec<UnknownMember>) {
    let empty = Map::new();
    for (member, value) in list.as_object().unwrap_or(&empty) {
        match (member.as_str(), value) {
            ("Quantity", _) => {}
            ("Items", Value::Array(items)) => {
                place.push(member.clone());
                each(name, items, place, found);
                place.pop();
            }
            (_, value) if is_off(value) => {}
            _ => found.push(UnknownMember { place: place.clone(), name: member.clone() }),
        }
    }
}

/// Of a counted list of values, only the count and the values are known.
fn counted_values(list: &Value, place: &[String], found: &mut Vec<UnknownMember>) {
    let Value::Object(members) = list else { return };
    for (member, value) in members {
        if member != "Quantity" && member != "Items" && !is_off(value) {
            found.push(UnknownMember { place: place.to_vec(), name: member.clone() });
        }
    }
}

/// Whether a value says that something is off: null, false, 0, empty, or all of it is.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_off),
        Value::Object(members) => members.values().all(is_off),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;

    type Structures = BTreeMap<String, BTreeMap<String, String>>;

    fn model() -> Structures {
        let text = include_str!("../../../fixtures/distributions/members.json");
        let said: Value = serde_json::from_str(text).unwrap();
        assert!(said["source"].as_str().unwrap().starts_with("botocore "));
        assert_eq!(said["licence"], "Apache-2.0");
        serde_json::from_value(said["structures"].clone()).unwrap()
    }

    fn members(name: &str) -> &'static [(&'static str, Member)] {
        STRUCTURES
            .iter()
            .find(|(one, _)| *one == name)
            .unwrap_or_else(|| panic!("{name} is not in the table"))
            .1
    }

    /// Whether a kind of the model has no members of its own.
    fn is_value(kind: &str) -> bool {
        ["value", "many"].contains(&kind)
    }

    /// Compares a structure of the table with one of the model, and goes on into both.
    fn compare(model: &Structures, theirs: &str, ours: &str, seen: &mut BTreeSet<(String, String)>) {
        if !seen.insert((theirs.to_owned(), ours.to_owned())) {
            return;
        }
        let mut known: BTreeSet<&str> = members(ours).iter().map(|(name, _)| *name).collect();
        if theirs == "DefaultCacheBehavior" {
            known.remove("PathPattern");
        }
        let all: BTreeSet<&str> = model[theirs].keys().map(String::as_str).collect();
        assert_eq!(known, all, "{theirs}");
        for (name, member) in members(ours) {
            let Some(kind) = model[theirs].get(*name) else { continue };
            match member {
                Judged(_) => assert!(is_value(kind), "{theirs}.{name} is judged as a whole, but is a {kind}"),
                Harmless(why) => {
                    assert!(is_value(kind), "{theirs}.{name} is harmless as a whole, but is a {kind}");
                    assert!(why.len() > 10, "{theirs}.{name}");
                }
                Holds(inner) => compare(model, kind, inner, seen),
                Many(inner) => compare(model, kind.strip_prefix("many ").unwrap(), inner, seen),
            }
        }
    }

    #[test]
    fn each_member_that_cloudfronts_own_model_has_is_judged_or_harmless_for_a_reason() {
        let (model, mut seen) = (model(), BTreeSet::new());
        for root in [
            "DistributionConfig",
            "CachePolicyConfig",
            "OriginRequestPolicyConfig",
            "ResponseHeadersPolicyConfig",
            "OriginAccessControlConfig",
        ] {
            compare(&model, root, root, &mut seen);
        }
        let used: BTreeSet<&str> = seen.iter().map(|(_, ours)| ours.as_str()).collect();
        assert_eq!(used, STRUCTURES.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>());
    }

    #[test]
    fn a_member_that_is_set_and_not_known_is_named_wherever_it_is() {
        let named = |config: &Value| -> Vec<String> {
            let all = unknown_in("DistributionConfig", config).into_iter();
            all.map(|one| [one.place, vec![one.name]].concat().join("/")).collect()
        };
        for (config, expected) in [
            (json!({"EdgeBypass": true}), "EdgeBypass"),
            (
                json!({"DefaultCacheBehavior": {"EdgeBypassConfig": {"Enabled": true}}}),
                "DefaultCacheBehavior/EdgeBypassConfig",
            ),
            (
                json!({"DefaultCacheBehavior": {"GrpcConfig": {"Mode": "all"}}}),
                "DefaultCacheBehavior/GrpcConfig/Mode",
            ),
            (
                json!({"CacheBehaviors": {"Quantity": 2, "Items": [{}, {"New": "x"}]}}),
                "CacheBehaviors/Items/1/New",
            ),
            (json!({"CacheBehaviors": {"Quantity": 0, "Others": [{"A": 1}]}}), "CacheBehaviors/Others"),
            (
                json!({"Origins": {"Items": [{"S3OriginConfig": {"New": 1}}]}}),
                "Origins/Items/0/S3OriginConfig/New",
            ),
            (
                json!({"Origins": {"Items": [{"CustomHeaders": {"Items": [{"New": "x"}]}}]}}),
                "Origins/Items/0/CustomHeaders/Items/0/New",
            ),
            (
                json!({"DefaultCacheBehavior": {"LambdaFunctionAssociations": {"Items": [{"When": "never"}]}}}),
                "DefaultCacheBehavior/LambdaFunctionAssociations/Items/0/When",
            ),
            (json!({"ViewerCertificate": {"Insecure": [false, true]}}), "ViewerCertificate/Insecure"),
            (
                json!({"Origins": {"Items": [{"CustomOriginConfig": {"OriginMtlsConfig": {"New": "x"}}}]}}),
                "Origins/Items/0/CustomOriginConfig/OriginMtlsConfig/New",
            ),
            (
                json!({"OriginGroups": {"Items": [{"FailoverCriteria": {"Always": true}}]}}),
                "OriginGroups/Items/0/FailoverCriteria/Always",
            ),
            (
                json!({"TenantConfig": {"ParameterDefinitions": [{"Definition": {"New": {"A": 1}}}]}}),
                "TenantConfig/ParameterDefinitions/0/Definition/New",
            ),
            (json!({"Restrictions": {"GeoRestriction": {"Else": "x"}}}), "Restrictions/GeoRestriction/Else"),
            (json!({"Aliases": {"Quantity": 1, "Items": ["a.example"], "New": "x"}}), "Aliases/New"),
            (
                json!({"DefaultCacheBehavior": {"AllowedMethods": {"CachedMethods": {"Items": [], "New": true}}}}),
                "DefaultCacheBehavior/AllowedMethods/CachedMethods/New",
            ),
        ] {
            assert_eq!(named(&config), [expected], "{config}");
        }
        let off = json!({"A": null, "B": false, "C": "", "D": [], "E": {}, "F": {"Enabled": false, "Quantity": 0},
            "DefaultCacheBehavior": {"G": {"Items": [], "H": {"I": null}}}});
        assert_eq!(named(&off), Vec::<String>::new());
        assert_eq!(unknown_in("CachePolicyConfig", &json!({"Name": "x", "KeyMode": "none"})).len(), 1);
    }
}
