//! Cache policies and origin request policies, by their ids, and what AWS's own do.

use std::fmt;

use crate::policies::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy, Selection};

/// How the names of AWS's own policies begin.
const MANAGED: &str = "Managed-";

/// A parameter of a listing. A policy that leaves it out makes the request another operation.
const ANY_PARAMETER: &str = "list-type";

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
        match ResponseHeadersPolicy::managed(id).map(|policy| policy.cors) {
            None => Self::Unknown,
            Some(None) => Self::None,
            Some(Some(cors)) if cors.exposed.is_empty() => Self::Every,
            Some(Some(_)) => Self::EveryAndExposed,
        }
    }
}

/// The id of the one of AWS's own policies that a text names, with or without the word `Managed-`, in any case; or the
/// text itself, if it has the form of an id.
fn id_of(text: &str, own: impl Iterator<Item = (&'static str, String)>) -> Option<String> {
    let start = text.get(..MANAGED.len()).filter(|start| start.eq_ignore_ascii_case(MANAGED));
    let short = start.and_then(|start| text.get(start.len()..)).unwrap_or(text);
    let mut named = own.filter(|(_, name)| name.eq_ignore_ascii_case(short));
    named.next().map(|(id, _)| id.to_owned()).or_else(|| is_id(text).then(|| text.to_owned()))
}

impl CachePolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        id_of(text, CachePolicy::own()).map(Self)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OriginRequestPolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        id_of(text, OriginRequestPolicy::own()).map(Self)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResponseHeadersPolicyId {
    /// An id, or the name of one of AWS's own policies.
    pub fn parse(text: &str) -> Option<Self> {
        id_of(text, ResponseHeadersPolicy::own()).map(Self)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Caching {
    /// Which requests this policy distinguishes.
    pub(crate) fn of(id: &str) -> Self {
        match CachePolicy::managed(id) {
            Some(policy) if policy.is_disabled() => Self::Disabled,
            Some(policy) if policy.headers.has_header("host") => Self::Host,
            Some(policy) if !policy.query.has(ANY_PARAMETER) => Self::WithoutQuery,
            Some(_) | None => Self::Unknown,
        }
    }
}

impl Forwarding {
    /// What this policy forwards.
    pub fn of(id: &str) -> Self {
        match OriginRequestPolicy::managed(id) {
            Some(policy) if policy.headers.has_header("host") => Self::Host,
            Some(policy) if !policy.query.has(ANY_PARAMETER) => Self::WithoutQuery,
            Some(policy) if matches!(policy.headers, Selection::AllBut(_)) => Self::AllButHost,
            // It forwards query strings, but only some headers.
            Some(_) | None => Self::Unknown,
        }
    }
}

/// The value of a setting; for the id of one of AWS's own policies, with its name.
pub(crate) struct Named<'a>(pub(crate) &'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = CachePolicy::own().chain(OriginRequestPolicy::own()).chain(ResponseHeadersPolicy::own());
        match own.into_iter().find(|(id, _)| *id == self.0) {
            Some((id, name)) => write!(f, "{id} ({MANAGED}{name})"),
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
