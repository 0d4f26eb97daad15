//! Cache policies and origin request policies, by their ids, and what AWS's own do.

use std::fmt;

/// The id of a cache policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CachePolicyId(String);

/// The id of a response headers policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseHeadersPolicyId(String);

/// The id of an origin request policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OriginRequestPolicyId(String);

/// Which requests a cache policy distinguishes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Caching {
    /// It caches nothing.
    Disabled,
    /// It caches, and its key has no query string: it treats two listings as one.
    WithoutQuery,
    /// Its key has `Host`, which CloudFront then also forwards.
    Host,
    /// Not one of AWS's own, or one that was not checked here.
    Unknown,
}

/// The parts of a request that an origin request policy forwards.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Forwarding {
    /// Query strings and headers, but not `Host`; and cookies.
    AllButHost,
    /// `Host` too: S3 would look for a bucket with the name of the viewer's domain.
    Host,
    /// No query strings: the request becomes another operation.
    WithoutQuery,
    /// Not one of AWS's own, or one that was not checked here.
    Unknown,
}

/// The CORS headers that a response headers policy adds to the answers of S3. AWS's own never allow credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CorsHeaders {
    /// None at all.
    None,
    /// For every origin; pages read only the headers that every page may read.
    Every,
    /// For every origin and every header.
    EveryAndExposed,
    /// Not one of AWS's own.
    Unknown,
}

impl CorsHeaders {
    /// What this policy adds.
    pub(crate) fn of(id: &str) -> Self {
        let known = RESPONSE_HEADERS_POLICIES.into_iter().find(|(_, known, _)| *known == id);
        known.map_or(Self::Unknown, |(_, _, cors)| cors)
    }
}

/// AWS's own cache policies
/// ([AWS: managed cache policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html)).
pub(crate) const CACHE_POLICIES: [(&str, &str, Caching); 7] = [
    ("Managed-CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", Caching::Disabled),
    ("Managed-CachingOptimized", "658327ea-f89d-4fab-a63d-7e88639e58f6", Caching::WithoutQuery),
    (
        "Managed-CachingOptimizedForUncompressedObjects",
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
        Caching::WithoutQuery,
    ),
    // Its key has some query strings, of manifests.
    ("Managed-Elemental-MediaPackage", "08627262-05a9-4f76-9ded-b50ca2e3a84f", Caching::WithoutQuery),
    ("Managed-Amplify", "2e54312d-136d-493c-8eb9-b001f22f67d2", Caching::Host),
    ("Managed-UseOriginCacheControlHeaders", "83da9c7e-98b4-4e11-a168-04f0df8e2c65", Caching::Host),
    (
        "Managed-UseOriginCacheControlHeaders-QueryStrings",
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
        Caching::Host,
    ),
];

/// AWS's own origin request policies
/// ([AWS: managed origin request policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html)).
pub(crate) const ORIGIN_REQUEST_POLICIES: [(&str, &str, Forwarding); 8] = [
    ("Managed-AllViewerExceptHostHeader", "b689b0a8-53d0-40ab-baf2-68738e2966ac", Forwarding::AllButHost),
    ("Managed-AllViewer", "216adef6-5c7f-47e4-b989-5492eafa07d3", Forwarding::Host),
    (
        "Managed-AllViewerAndCloudFrontHeaders-2022-06",
        "33f36d7e-f396-46d9-90e0-52428a34d9dc",
        Forwarding::Host,
    ),
    ("Managed-CORS-S3Origin", "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", Forwarding::WithoutQuery),
    ("Managed-CORS-CustomOrigin", "59781a5b-3903-41f3-afcb-af62929ccde1", Forwarding::WithoutQuery),
    ("Managed-UserAgentRefererHeaders", "acba4595-bd28-49b8-b9fe-13317c0390fa", Forwarding::WithoutQuery),
    ("Managed-HostHeaderOnly", "bf0718e1-ba1e-49d1-88b1-f726733018ae", Forwarding::Host),
    // It forwards query strings, but of the headers only those of a browser that plays.
    (
        "Managed-Elemental-MediaTailor-PersonalizedManifests",
        "775133bc-15f2-49f9-abea-afb2e0bf67d2",
        Forwarding::Unknown,
    ),
];

/// AWS's own response headers policies
/// ([AWS: managed response headers policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html)).
pub(crate) const RESPONSE_HEADERS_POLICIES: [(&str, &str, CorsHeaders); 5] = [
    ("Managed-SimpleCORS", "60669652-455b-4ae9-85a4-c4c02393f86c", CorsHeaders::Every),
    ("Managed-CORS-With-Preflight", "5cc3b908-e619-4b99-88e5-2cf7f45965bd", CorsHeaders::EveryAndExposed),
    ("Managed-SecurityHeadersPolicy", "67f7725c-6f97-4210-82d7-5512b31e9d03", CorsHeaders::None),
    ("Managed-CORS-and-SecurityHeadersPolicy", "e61eb60c-9c35-4d20-a928-2b84e02af89c", CorsHeaders::Every),
    (
        "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
        "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
        CorsHeaders::EveryAndExposed,
    ),
];

/// Whether a text is one of AWS's own names, with or without the word `Managed-`, in any case.
fn is_named(text: &str, name: &str) -> bool {
    let short = name.strip_prefix("Managed-").unwrap_or(name);
    text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(short)
}

impl CachePolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        let named = CACHE_POLICIES.into_iter().find(|(name, ..)| is_named(text, name));
        named.map(|(_, id, _)| Self(id.to_owned())).or_else(|| is_id(text).then(|| Self(text.to_owned())))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OriginRequestPolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        let named = ORIGIN_REQUEST_POLICIES.into_iter().find(|(name, ..)| is_named(text, name));
        named.map(|(_, id, _)| Self(id.to_owned())).or_else(|| is_id(text).then(|| Self(text.to_owned())))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResponseHeadersPolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        let named = RESPONSE_HEADERS_POLICIES.into_iter().find(|(name, ..)| is_named(text, name));
        named.map(|(_, id, _)| Self(id.to_owned())).or_else(|| is_id(text).then(|| Self(text.to_owned())))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Caching {
    /// Which requests this policy distinguishes.
    pub(crate) fn of(id: &str) -> Self {
        let known = CACHE_POLICIES.into_iter().find(|(_, known, _)| *known == id);
        known.map_or(Self::Unknown, |(_, _, caching)| caching)
    }
}

impl Forwarding {
    /// What this policy forwards.
    pub fn of(id: &str) -> Self {
        let known = ORIGIN_REQUEST_POLICIES.into_iter().find(|(_, known, _)| *known == id);
        known.map_or(Self::Unknown, |(_, _, forwarding)| forwarding)
    }
}

/// The value of a setting; for the id of one of AWS's own policies, with its name.
pub(crate) struct Named<'a>(pub(crate) &'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cache = CACHE_POLICIES.into_iter().map(|(name, id, _)| (name, id));
        let known = cache.chain(ORIGIN_REQUEST_POLICIES.into_iter().map(|(name, id, _)| (name, id)));
        let mut known = known.chain(RESPONSE_HEADERS_POLICIES.into_iter().map(|(name, id, _)| (name, id)));
        match known.find(|(_, id)| *id == self.0) {
            Some((name, id)) => write!(f, "{id} ({name})"),
            // Quotes are not escaped: a setting may be JSON.
            None => self.0.chars().try_for_each(|c| match c {
                '"' | '\'' | '\\' => write!(f, "{c}"),
                c => write!(f, "{}", c.escape_debug()),
            }),
        }
    }
}

/// Whether a text has the form of the id of a policy, as CloudFront makes them: 32 hexadecimal digits in five groups.
fn is_id(text: &str) -> bool {
    let groups = text.split('-').map(|group| {
        let is_hexadecimal = group.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        is_hexadecimal.then_some(group.len())
    });
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_own_policies_go_by_their_names_and_no_other_name_is_taken_for_an_id() {
        for (text, id) in [
            ("Managed-CachingDisabled", Some("4135ea2d-6df8-44a3-9df3-4b5a84be39ad")),
            ("0a1b2c3d-0000-4000-8000-000000000000", Some("0a1b2c3d-0000-4000-8000-000000000000")),
            ("Managed-CachingDisabeld", None),
            ("Managed-AllViewer", None),
            ("caching disabled", None),
            ("mine", None),
            ("E2QWRUHAPOMQZL", None),
            ("0a1b2c3d-0000-4000-8000-00000000000", None),
            ("0a1b2c3d-0000-4000-8000-00000000000g", None),
            ("0A1B2C3D-0000-4000-8000-000000000000", None),
            ("0a1b2c3d-0000-4000-8000-000000000000-", None),
            ("-0a1b2c3d-0000-4000-8000-00000000000", None),
            ("", None),
        ] {
            assert_eq!(CachePolicyId::parse(text).as_ref().map(CachePolicyId::as_str), id, "{text}");
        }
        let all = OriginRequestPolicyId::parse("Managed-AllViewerExceptHostHeader").unwrap();
        assert_eq!(Forwarding::of(all.as_str()), Forwarding::AllButHost);
        assert_eq!(Caching::of(all.as_str()), Caching::Unknown);
        assert!(Named(all.as_str()).to_string().contains("Managed-AllViewerExceptHostHeader"));
        for (text, id) in [
            ("CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
            ("managed-cachingdisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
            ("UseOriginCacheControlHeaders", "83da9c7e-98b4-4e11-a168-04f0df8e2c65"),
        ] {
            assert_eq!(CachePolicyId::parse(text).unwrap().as_str(), id, "{text}");
        }
        let cors = ResponseHeadersPolicyId::parse("CORS-With-Preflight").unwrap();
        assert_eq!(cors.as_str(), "5cc3b908-e619-4b99-88e5-2cf7f45965bd");
        assert!(Named(cors.as_str()).to_string().contains("Managed-CORS-With-Preflight"));
        assert!(ResponseHeadersPolicyId::parse("Managed-CORS").is_none());
    }
}
