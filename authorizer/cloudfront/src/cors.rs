//! Whether the CORS headers of S3's answers, which a response headers policy gives them, are those of `[cors]`.

use std::collections::BTreeSet;
use std::fmt;

use authorizer_core::cors::{AllowedOrigins, Cors};

use super::policies::CorsHeadersPolicy;

/// A difference between `[cors]` of an access policy and the CORS headers of S3's answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CorsDifference {
    /// S3's answers get none, and there is `[cors]`.
    Missing,
    /// S3's answers get some, and there is no `[cors]`.
    NotWanted,
    /// They replace those of the function's answers.
    Overrides,
    /// The origins whose pages may read.
    Origins(NamesApart),
    /// The headers that pages may read.
    Exposed(NamesApart),
    /// Whether pages may send credentials.
    Credentials {
        /// Whether the response headers policy lets them.
        given: bool,
    },
}

/// What only one of two lists of names has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamesApart {
    /// What only the response headers policy has.
    pub more: Vec<String>,
    /// What only the access policy has.
    pub fewer: Vec<String>,
}

impl CorsDifference {
    /// Compares them. `given` are the CORS headers of the behavior's response headers policy, if it has both.
    pub fn all(wanted: Option<&Cors>, given: Option<&CorsHeadersPolicy>) -> Vec<Self> {
        let (wanted, given) = match (wanted, given) {
            (None, None) => return Vec::new(),
            (Some(_), None) => return vec![Self::Missing],
            (None, Some(_)) => return vec![Self::NotWanted],
            (Some(wanted), Some(given)) => (wanted, given),
        };
        let origins = match wanted.origins() {
            AllowedOrigins::Any => vec!["*".to_owned()],
            AllowedOrigins::Listed(patterns) => patterns.iter().map(ToString::to_string).collect(),
        };
        // With credentials, `*` is a header of this name (Fetch standard, "CORS-exposed header-name list").
        let exposes_all = !given.credentials;
        let differ = given.credentials != wanted.credentials();
        let found = [
            given.replaces.then_some(Self::Overrides),
            // A browser writes an origin in lower case, and nobody here has seen whether CloudFront compares it so.
            NamesApart::of(&origins, &given.origins, true).map(Self::Origins),
            NamesApart::of(&lower(wanted.exposed_headers()), &lower(&given.exposed), exposes_all)
                .map(Self::Exposed),
            differ.then_some(Self::Credentials { given: given.credentials }),
        ];
        found.into_iter().flatten().collect()
    }
}

/// Names of headers, whose case says nothing.
fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

impl NamesApart {
    /// `None` if the lists say the same. `star_is_all` says whether `*` of the second stands for every name.
    fn of(wanted: &[String], given: &[String], star_is_all: bool) -> Option<Self> {
        let [wanted, given] = [wanted, given].map(|names| names.iter().cloned().collect::<BTreeSet<_>>());
        let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
        let fewer = if star_is_all && given.contains("*") { Vec::new() } else { only(&wanted, &given) };
        let apart = Self { more: only(&given, &wanted), fewer };
        (!apart.more.is_empty() || !apart.fewer.is_empty()).then_some(apart)
    }
}

impl fmt::Display for NamesApart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |names: &[String]| {
            let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
            names.join(", ")
        };
        if !self.more.is_empty() {
            write!(f, "include {}, which the policy does not have", listed(&self.more))?;
        }
        match (self.more.is_empty(), self.fewer.is_empty()) {
            (_, true) => Ok(()),
            (true, false) => write!(f, "lack {}, which the policy has", listed(&self.fewer)),
            (false, false) => write!(f, ", and lack {}", listed(&self.fewer)),
        }
    }
}

impl fmt::Display for CorsDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there are no CORS headers, but the policy has `[cors]`"),
            Self::NotWanted => f.write_str("there are CORS headers, but the policy has no `[cors]`"),
            Self::Overrides => f.write_str("`OriginOverride` is true"),
            Self::Origins(apart) => write!(f, "the origins {apart}"),
            Self::Exposed(apart) => write!(f, "the exposed headers {apart}"),
            Self::Credentials { given } => {
                write!(f, "credentials are {given} here, and {} in the policy", !given)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::ResponseHeadersPolicy;
    use authorizer_core::Bundle;
    use serde_json::{Value, json};

    fn cors(wanted: &Value) -> Option<Cors> {
        let rule =
            json!({"id": "all", "effect": "allow", "anonymous": true, "methods": ["GET"], "keys": ["**"]});
        let document = json!({"version": 1, "cors": wanted, "rules": [rule]});
        let document = serde_json::from_value(document).unwrap();
        let bundle = Bundle::read(&Bundle::write(&document).unwrap()).unwrap();
        bundle.policy().cors().cloned()
    }

    fn given(origins: &[&str], exposed: &[&str], credentials: bool) -> CorsHeadersPolicy {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        CorsHeadersPolicy {
            origins: texts(origins),
            exposed: texts(exposed),
            credentials,
            ..CorsHeadersPolicy::default()
        }
    }

    #[test]
    fn each_difference_is_told_and_nothing_else() {
        let app = json!({"origins": ["https://app.example.com", "https://*.example.org"], "exposed_headers": ["ETag"]});
        let origins = &["https://*.example.org", "https://app.example.com"];
        let mut overrides = given(origins, &["etag"], false);
        overrides.replaces = true;
        let simple = ResponseHeadersPolicy::managed("60669652-455b-4ae9-85a4-c4c02393f86c").unwrap().cors;
        let preflight = ResponseHeadersPolicy::managed("5cc3b908-e619-4b99-88e5-2cf7f45965bd").unwrap().cors;
        for (wanted, given, said) in [
            (&Value::Null, None, vec![]),
            (&app, None, vec!["there are no CORS headers, but the policy has `[cors]`"]),
            (&Value::Null, simple.clone(), vec!["there are CORS headers, but the policy has no `[cors]`"]),
            (&app, Some(given(origins, &["etag"], false)), vec![]),
            (
                &app,
                Some(given(&["https://*.example.org", "https://App.example.com"], &["ETag"], false)),
                vec![
                    "the origins include `https://App.example.com`, which the policy does not have, and lack \
                     `https://app.example.com`",
                ],
            ),
            (&app, Some(overrides), vec!["`OriginOverride` is true"]),
            (
                &app,
                Some(given(&origins[..1], &["ETag", "x-amz-meta-a"], true)),
                vec![
                    "the origins lack `https://app.example.com`, which the policy has",
                    "the exposed headers include `x-amz-meta-a`, which the policy does not have",
                    "credentials are true here, and false in the policy",
                ],
            ),
            (
                &app,
                Some(given(&["https://a.example.com", "https://app.example.com"], &["*"], true)),
                vec![
                    "the origins include `https://a.example.com`, which the policy does not have, and lack \
                     `https://*.example.org`",
                    "the exposed headers include `*`, which the policy does not have, and lack `etag`",
                    "credentials are true here, and false in the policy",
                ],
            ),
            // `*` is every origin, and, without credentials, every header.
            (
                &app,
                preflight,
                vec![
                    "the origins include `*`, which the policy does not have",
                    "the exposed headers include `*`, which the policy does not have",
                ],
            ),
            (&json!({"origins": ["*"]}), simple.clone(), vec![]),
            (
                &json!({"origins": ["*"], "exposed_headers": ["ETag"]}),
                simple,
                vec!["the exposed headers lack `etag`, which the policy has"],
            ),
        ] {
            let found = CorsDifference::all(cors(wanted).as_ref(), given.as_ref());
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), said, "{wanted}");
        }
    }
}
