//! The origins: each a bucket's own endpoint, once, with nothing added.

use std::collections::BTreeMap;

use authorizer_cloudfront::Target;

use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::check::{Check, Severity};
use crate::family::Family;

static PATH: Check = Check {
    id: "EA213",
    name: "origin-path",
    severity: Severity::High,
    title: "an origin puts something before the path",
    why: "S3 then sees another key than the one that was decided on.",
    remedy: "make `OriginPath` empty, and move what is below it in the bucket, or the rules",
};

static WEBSITE: Check = Check {
    id: "EA214",
    name: "website-endpoint",
    severity: Severity::High,
    title: "an origin is a bucket's website endpoint",
    why: "It takes no Origin Access Control and speaks plain HTTP: what it serves is public, and its own address goes past \
     the distribution.",
    remedy: "use the bucket's own endpoint, `BUCKET.s3.REGION.amazonaws.com`, with an Origin Access Control",
};

static GROUP: Check = Check {
    id: "EA216",
    name: "origin-group",
    severity: Severity::Medium,
    title: "a behavior sends requests to a group of origins",
    why: "When the first origin fails, CloudFront asks the second for the same key, also where the first has said that it \
     is forbidden or not there. The policy speaks of one bucket, and the same key may be another object in the other.",
    remedy: "send the behavior to one origin",
};

static TWICE: Check = Check {
    id: "EA217",
    name: "bucket-twice",
    severity: Severity::Medium,
    title: "two origins reach the same bucket",
    why: "A second origin is one behavior away from being a way past the authorizer, with an Origin Access Control or a \
     path of its own. Nobody who looks at the first sees it.",
    remedy: "keep one origin for the bucket",
};

static HEADERS: Check = Check {
    id: "EA218",
    name: "origin-adds-headers",
    severity: Severity::Medium,
    title: "an origin adds headers to what is sent to S3",
    why: "To S3 a header can make an operation another one, and CloudFront puts these in the place of the viewer's after \
     the decision.",
    remedy: "take the `CustomHeaders` off the origin",
};

static NO_BUCKET: Check = Check {
    id: "EA219",
    name: "origin-is-no-bucket",
    severity: Severity::Medium,
    title: "a behavior with the function has an origin that is no bucket",
    why: "The function decides on operations of S3, takes the token out of the request, and leaves it to Origin Access \
     Control to prove where it comes from. Another origin has no such proof, and may read a request otherwise.",
    remedy: "take the function off the behavior, or make its origin `BUCKET.s3.REGION.amazonaws.com`",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&PATH, &WEBSITE, &GROUP, &TWICE, &HEADERS, &NO_BUCKET], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let origins = subject.origins();
    for one in &origins {
        let (id, domain) = (one.origin.id.escape_debug(), one.origin.domain_name.escape_debug());
        let target = Target::of(one.origin);
        if !one.origin.origin_path.is_empty() {
            let path = one.origin.origin_path.escape_debug();
            found.push(one.spot.then("OriginPath").found(&PATH, format!("origin `{id}` has the path `{path}`")));
        }
        match &target {
            Target::Bucket(_) => {}
            Target::Website(_) => {
                found.push(one.spot.then("DomainName").found(&WEBSITE, format!("origin `{id}` is `{domain}`")));
            }
            Target::Other => {
                found.push(one.spot.then("DomainName").found(&NO_BUCKET, format!("origin `{id}` is `{domain}`")));
            }
        }
        if let Some(bucket) = target.bucket() {
            let other = first.entry(bucket.to_owned()).or_insert(&one.origin.id);
            if *other != one.origin.id {
                let message = format!("origins `{}` and `{id}` are both bucket `{bucket}`", other.escape_debug());
                found.push(one.spot.clone().found(&TWICE, message));
            }
        }
        let headers = one.origin.custom_headers.0.iter();
        let headers: Vec<_> = headers.map(|one| format!("`{}`", one.header_name.escape_debug())).collect();
        if !headers.is_empty() {
            let message = format!("origin `{id}` adds {}", headers.join(", "));
            found.push(one.spot.then("CustomHeaders").found(&HEADERS, message));
        }
    }
    for one in subject.behaviors() {
        let target = &one.behavior.target_origin_id;
        if subject.view().origin_groups.0.iter().any(|group| group.id == *target) {
            let message = format!("{} is sent to the group `{}`", one.name, target.escape_debug());
            found.push(one.spot.then("TargetOriginId").found(&GROUP, message));
        }
    }
}
