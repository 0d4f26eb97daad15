//! The CORS headers of S3's answers, which the response headers policy gives them, and the policy's `[cors]`.

use std::collections::BTreeSet;

use authorizer_core::policy::document::CorsDocument;

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
    let wanted = subject.reviewed.policy.cors.as_ref();
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
        match (wanted, read.response_headers_policy.response_headers_policy_config.cors_config) {
            (None, None) => {}
            (Some(_), None) => found.push(missing()),
            (None, Some(_)) => {
                found.push(spot.found(&DIFFERS, "there are CORS headers, but the policy has no `[cors]`"));
            }
            (Some(wanted), Some(given)) => compare(wanted, &given, &spot, found),
        }
    }
}

fn compare(wanted: &CorsDocument, given: &CorsConfig, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    if given.origin_override {
        found.push(spot.then("OriginOverride").found(&OVERRIDES, "`OriginOverride` is true"));
    }
    let origins = Sets::of(&wanted.origins, &given.access_control_allow_origins.0);
    let exposed = Sets::of(&wanted.exposed_headers, &given.access_control_expose_headers.0);
    let credentials = (wanted.credentials, given.access_control_allow_credentials);
    let more = if origins.more.is_empty() { Severity::Low } else { Severity::Medium };
    let opened = if credentials == (false, true) { Severity::Medium } else { Severity::Low };
    for (member, words, severity) in [
        ("AccessControlAllowOrigins", origins.words("the origins"), more),
        ("AccessControlExposeHeaders", exposed.words("the exposed headers"), Severity::Low),
        (
            "AccessControlAllowCredentials",
            (credentials.0 != credentials.1).then(|| {
                format!("credentials are {} here, and {} in the policy", credentials.1, credentials.0)
            }),
            opened,
        ),
    ] {
        if let Some(words) = words {
            found.push(spot.then(member).found(&DIFFERS, words).severity(severity));
        }
    }
}

/// What only one of two lists has, whatever the case.
struct Sets {
    more: Vec<String>,
    fewer: Vec<String>,
}

impl Sets {
    fn of(wanted: &[String], given: &[String]) -> Self {
        let lower =
            |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect::<BTreeSet<_>>();
        let (wanted, given) = (lower(wanted), lower(given));
        let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
        Self { more: only(&given, &wanted), fewer: only(&wanted, &given) }
    }

    fn words(&self, what: &str) -> Option<String> {
        let listed = |names: &[String]| {
            let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
            names.join(", ")
        };
        match (self.more.is_empty(), self.fewer.is_empty()) {
            (true, true) => None,
            (false, true) => {
                Some(format!("{what} include {}, which the policy does not have", listed(&self.more)))
            }
            (true, false) => Some(format!("{what} lack {}, which the policy has", listed(&self.fewer))),
            (false, false) => Some(format!(
                "{what} include {}, which the policy does not have, and lack {}",
                listed(&self.more),
                listed(&self.fewer)
            )),
        }
    }
}
