//! The CORS headers of S3's answers, which the response headers policy gives them, and the policy's `[cors]`.

use authorizer_cloudfront::{CorsDifference, CorsHeadersPolicy};

use crate::check::{Check, Severity};
use crate::deployment::documents::{CorsConfig, ResponseHeadersPolicyFile};
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static MISSING: Check = Check {
    id: "EA250",
    name: "cors-not-on-objects",
    severity: Severity::Low,
    title: "the policy has `[cors]`, but S3's answers get no CORS headers",
    why: "Pages of other origins can read the function's refusals, but no objects.",
    remedy: "give the behavior a response headers policy with the origins, the credentials and the exposed headers \
     of `[cors]`",
};

static DIFFERS: Check = Check {
    id: "EA251",
    name: "cors-differs",
    severity: Severity::Medium,
    title: "the CORS headers of S3's answers differ from those of the policy",
    why: "If the response headers policy allows an origin or credentials that `[cors]` does not, pages read \
     objects that the policy does not allow them to read. If it allows less, or exposes other headers, this \
     has low severity.",
    remedy: "make the response headers policy say what `[cors]` says",
};

static OVERRIDES: Check = Check {
    id: "EA252",
    name: "cors-overridden",
    severity: Severity::Medium,
    title: "the response headers policy overrides the function's CORS headers",
    why: "The function answers preflights and refusals with the CORS headers for that key and that origin. With \
     origin override, these answers get the distribution's headers instead, for every key.",
    remedy: "set `OriginOverride` of the CORS headers to false",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&MISSING, &DIFFERS, &OVERRIDES], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let wanted = subject.distribution_needs.cors.as_ref();
    for one in subject.behaviors() {
        let id = one.behavior.response_headers_policy_id.as_deref().filter(|id| !id.is_empty());
        let missing = || {
            one.spot.clone().found(&MISSING, format!("{} does not give S3's answers CORS headers", one.name))
        };
        let Some(id) = id else {
            found.extend(wanted.is_some().then(missing));
            continue;
        };
        let file = format!("response-headers-policy-{id}.json");
        let Some(read) = subject.read::<ResponseHeadersPolicyFile>(&file) else { continue };
        let spot = Spot::file(file).then("ResponseHeadersPolicy/ResponseHeadersPolicyConfig/CorsConfig");
        let given = read.response_headers_policy.response_headers_policy_config.cors_config;
        for difference in CorsDifference::all(wanted, given.map(CorsHeadersPolicy::from).as_ref()) {
            let (check, spot, severity) = match &difference {
                CorsDifference::Missing => {
                    found.push(missing());
                    continue;
                }
                CorsDifference::NotWanted => (&DIFFERS, spot.clone(), Severity::Medium),
                CorsDifference::Overrides => (&OVERRIDES, spot.then("OriginOverride"), Severity::Medium),
                CorsDifference::Origins(apart) => {
                    let severity = if apart.more.is_empty() { Severity::Low } else { Severity::Medium };
                    (&DIFFERS, spot.then("AccessControlAllowOrigins"), severity)
                }
                CorsDifference::Exposed(_) => {
                    (&DIFFERS, spot.then("AccessControlExposeHeaders"), Severity::Low)
                }
                CorsDifference::Credentials { given } => {
                    let severity = if *given { Severity::Medium } else { Severity::Low };
                    (&DIFFERS, spot.then("AccessControlAllowCredentials"), severity)
                }
            };
            found.push(spot.found(check, difference.to_string()).severity(severity));
        }
    }
}

impl From<CorsConfig> for CorsHeadersPolicy {
    /// What is compared of it.
    fn from(config: CorsConfig) -> Self {
        Self {
            origins: config.access_control_allow_origins.0,
            credentials: config.access_control_allow_credentials,
            exposed: config.access_control_expose_headers.0,
            replaces: config.origin_override,
            ..Self::default()
        }
    }
}
