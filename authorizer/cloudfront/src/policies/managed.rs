//! The contents of AWS's own policies.

use std::borrow::Cow;

use super::{
    AddedHeader, CachePolicy, CorsHeadersPolicy, OriginRequestPolicy, ResponseHeadersPolicy, Selection,
};

const YEAR: u64 = 31_536_000;
const DAY: u64 = 86_400;

fn these(names: &[&str]) -> Selection {
    Selection::These(names.iter().map(|name| (*name).to_owned()).collect())
}

impl CachePolicy {
    /// The ids of AWS's own.
    const OWN: [&str; 7] = [
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
        "08627262-05a9-4f76-9ded-b50ca2e3a84f",
        "2e54312d-136d-493c-8eb9-b001f22f67d2",
        "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    ];

    /// AWS's own: their ids and names, without the word `Managed-`.
    pub(crate) fn own() -> impl Iterator<Item = (&'static str, String)> {
        Self::OWN.into_iter().filter_map(|id| Some((id, Self::managed(id)?.name.into_owned())))
    }

    /// One of AWS's own
    /// ([AWS: managed cache policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html)).
    pub fn managed(id: &str) -> Option<Self> {
        let none = Self::default();
        let optimized =
            Self { min_ttl: 1, default_ttl: DAY, max_ttl: YEAR, gzip: true, brotli: true, ..none.clone() };
        let by_origin = |query| Self {
            name: Cow::Borrowed("UseOriginCacheControlHeaders"),
            max_ttl: YEAR,
            gzip: true,
            brotli: true,
            headers: these(&[
                "Host",
                "Origin",
                "X-HTTP-Method-Override",
                "X-HTTP-Method",
                "X-Method-Override",
            ]),
            cookies: Selection::All,
            query,
            ..Self::default()
        };
        Some(match id {
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" => Self { name: Cow::Borrowed("CachingDisabled"), ..none },
            "658327ea-f89d-4fab-a63d-7e88639e58f6" => {
                Self { name: Cow::Borrowed("CachingOptimized"), ..optimized }
            }
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d" => Self {
                name: Cow::Borrowed("CachingOptimizedForUncompressedObjects"),
                gzip: false,
                brotli: false,
                ..optimized
            },
            "08627262-05a9-4f76-9ded-b50ca2e3a84f" => Self {
                name: Cow::Borrowed("Elemental-MediaPackage"),
                min_ttl: 0,
                brotli: false,
                headers: these(&["Origin"]),
                query: these(&["aws.manifestfilter", "start", "end", "m"]),
                ..optimized
            },
            "2e54312d-136d-493c-8eb9-b001f22f67d2" => Self {
                name: Cow::Borrowed("Amplify"),
                min_ttl: 2,
                default_ttl: 2,
                max_ttl: 600,
                gzip: true,
                brotli: true,
                headers: these(&["Authorization", "CloudFront-Viewer-Country", "Host"]),
                cookies: Selection::All,
                query: Selection::All,
            },
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65" => by_origin(Selection::Nothing),
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe" => Self {
                name: Cow::Borrowed("UseOriginCacheControlHeaders-QueryStrings"),
                ..by_origin(Selection::All)
            },
            _ => return None,
        })
    }
}

impl OriginRequestPolicy {
    /// The ids of AWS's own.
    const OWN: [&str; 8] = [
        "b689b0a8-53d0-40ab-baf2-68738e2966ac",
        "216adef6-5c7f-47e4-b989-5492eafa07d3",
        "33f36d7e-f396-46d9-90e0-52428a34d9dc",
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
        "59781a5b-3903-41f3-afcb-af62929ccde1",
        "acba4595-bd28-49b8-b9fe-13317c0390fa",
        "bf0718e1-ba1e-49d1-88b1-f726733018ae",
        "775133bc-15f2-49f9-abea-afb2e0bf67d2",
    ];

    /// AWS's own: their ids and names, without the word `Managed-`.
    pub(crate) fn own() -> impl Iterator<Item = (&'static str, String)> {
        Self::OWN.into_iter().filter_map(|id| Some((id, Self::managed(id)?.name.into_owned())))
    }

    /// One of AWS's own
    /// ([AWS: managed origin request policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html)).
    pub fn managed(id: &str) -> Option<Self> {
        let all = |name| Self {
            name: Cow::Borrowed(name),
            headers: Selection::All,
            cookies: Selection::All,
            query: Selection::All,
        };
        let headers = |name, names: &[&str]| Self {
            name: Cow::Borrowed(name),
            headers: these(names),
            ..Self::default()
        };
        let cors = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];
        Some(match id {
            "b689b0a8-53d0-40ab-baf2-68738e2966ac" => Self {
                headers: Selection::AllBut(vec!["Host".to_owned()]),
                ..all("AllViewerExceptHostHeader")
            },
            "216adef6-5c7f-47e4-b989-5492eafa07d3" => all("AllViewer"),
            "33f36d7e-f396-46d9-90e0-52428a34d9dc" => all("AllViewerAndCloudFrontHeaders-2022-06"),
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf" => headers("CORS-S3Origin", &cors),
            "59781a5b-3903-41f3-afcb-af62929ccde1" => headers("CORS-CustomOrigin", &["Origin"]),
            "acba4595-bd28-49b8-b9fe-13317c0390fa" => {
                headers("UserAgentRefererHeaders", &["User-Agent", "Referer"])
            }
            "bf0718e1-ba1e-49d1-88b1-f726733018ae" => headers("HostHeaderOnly", &["Host"]),
            "775133bc-15f2-49f9-abea-afb2e0bf67d2" => {
                let [origin, asked_headers, asked_method] = cors;
                let names = [origin, asked_headers, asked_method, "User-Agent", "X-Forwarded-For"];
                Self {
                    query: Selection::All,
                    ..headers("Elemental-MediaTailor-PersonalizedManifests", &names)
                }
            }
            _ => return None,
        })
    }
}

impl ResponseHeadersPolicy {
    /// The ids of AWS's own.
    const OWN: [&str; 5] = [
        "60669652-455b-4ae9-85a4-c4c02393f86c",
        "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
        "67f7725c-6f97-4210-82d7-5512b31e9d03",
        "e61eb60c-9c35-4d20-a928-2b84e02af89c",
        "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
    ];

    /// AWS's own: their ids and names, without the word `Managed-`.
    pub(crate) fn own() -> impl Iterator<Item = (&'static str, String)> {
        Self::OWN.into_iter().filter_map(|id| Some((id, Self::managed(id)?.name.into_owned())))
    }

    /// One of AWS's own
    /// ([AWS: managed response headers policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html)).
    pub fn managed(id: &str) -> Option<Self> {
        let every = CorsHeadersPolicy { origins: vec!["*".to_owned()], ..CorsHeadersPolicy::default() };
        let preflight = CorsHeadersPolicy {
            methods: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(str::to_owned).to_vec(),
            exposed: vec!["*".to_owned()],
            ..every.clone()
        };
        let security = || {
            let header = |name: &str, value: &str, replaces| AddedHeader {
                name: name.to_owned(),
                value: value.to_owned(),
                replaces,
            };
            vec![
                header("Strict-Transport-Security", "max-age=31536000", false),
                header("X-Content-Type-Options", "nosniff", true),
                header("X-Frame-Options", "SAMEORIGIN", false),
                header("X-XSS-Protection", "1; mode=block", false),
                header("Referrer-Policy", "strict-origin-when-cross-origin", false),
            ]
        };
        let (name, cors, added) = match id {
            "60669652-455b-4ae9-85a4-c4c02393f86c" => ("SimpleCORS", Some(every), Vec::new()),
            "5cc3b908-e619-4b99-88e5-2cf7f45965bd" => ("CORS-With-Preflight", Some(preflight), Vec::new()),
            "67f7725c-6f97-4210-82d7-5512b31e9d03" => ("SecurityHeadersPolicy", None, security()),
            "e61eb60c-9c35-4d20-a928-2b84e02af89c" => {
                ("CORS-and-SecurityHeadersPolicy", Some(every), security())
            }
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63" => {
                ("CORS-with-preflight-and-SecurityHeadersPolicy", Some(preflight), security())
            }
            _ => return None,
        };
        Some(Self { name: Cow::Borrowed(name), cors, added, removed: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed::{Caching, CorsHeaders, Forwarding};

    #[test]
    fn each_policy_of_aws_is_judged_by_what_it_does() {
        assert_eq!(CachePolicy::own().count(), CachePolicy::OWN.len());
        let caching: Vec<_> = CachePolicy::OWN.map(Caching::of).to_vec();
        use Caching::{Disabled, Host, WithoutQuery};
        assert_eq!(caching, [Disabled, WithoutQuery, WithoutQuery, WithoutQuery, Host, Host, Host]);
        assert_eq!(OriginRequestPolicy::own().count(), OriginRequestPolicy::OWN.len());
        let forwarding: Vec<_> = OriginRequestPolicy::OWN.map(Forwarding::of).to_vec();
        use Forwarding::{AllButHost, Unknown};
        assert_eq!(
            forwarding,
            [
                AllButHost,
                Forwarding::Host,
                Forwarding::Host,
                Forwarding::WithoutQuery,
                Forwarding::WithoutQuery,
                Forwarding::WithoutQuery,
                Forwarding::Host,
                Unknown
            ]
        );
        assert_eq!(ResponseHeadersPolicy::own().count(), ResponseHeadersPolicy::OWN.len());
        let cors: Vec<_> = ResponseHeadersPolicy::OWN.map(CorsHeaders::of).to_vec();
        use CorsHeaders::{Every, EveryAndExposed};
        assert_eq!(cors, [Every, EveryAndExposed, CorsHeaders::None, Every, EveryAndExposed]);
        for id in ["", "0a1b2c3d-0000-4000-8000-000000000000"] {
            assert_eq!(Caching::of(id), Caching::Unknown);
            assert_eq!((Forwarding::of(id), CorsHeaders::of(id)), (Unknown, CorsHeaders::Unknown));
        }
    }
}
