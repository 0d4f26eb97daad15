//! The origins: each a bucket's own endpoint, once, with nothing added.

use std::collections::BTreeMap;

use authorizer_cloudfront::Target;

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static PATH: Check = Check {
    id: "EA213",
    name: "origin-path",
    severity: Severity::High,
    title: "an origin puts something before the path",
    why: "S3 then sees another key than the one that was decided on.",
    remedy: "make `OriginPath` empty, and move the objects in the bucket, or change the rules",
};

static WEBSITE: Check = Check {
    id: "EA214",
    name: "website-endpoint",
    severity: Severity::High,
    title: "an origin is a bucket's website endpoint",
    why: "A website endpoint cannot use Origin Access Control, and it uses plain HTTP. Everything that it serves \
     is public, and viewers can reach it at its own address, past the distribution.",
    remedy: "use the bucket's own endpoint, `BUCKET.s3.REGION.amazonaws.com`, with an Origin Access Control",
};

static GROUP: Check = Check {
    id: "EA216",
    name: "origin-group",
    severity: Severity::Medium,
    title: "a behavior sends requests to a group of origins",
    why: "If the first origin fails, CloudFront requests the same key from the second, even if the first said \
     that it is forbidden or not there. The policy is about one bucket, and the same key may be another \
     object in the other bucket.",
    remedy: "send the behavior to one origin",
};

static TWICE: Check = Check {
    id: "EA217",
    name: "bucket-twice",
    severity: Severity::Medium,
    title: "two origins reach the same bucket",
    why: "One more behavior is enough to make the second origin a way past the authorizer, with its own Origin \
     Access Control or path. A person who looks at the first origin does not see it.",
    remedy: "keep one origin for the bucket",
};

static HEADERS: Check = Check {
    id: "EA218",
    name: "origin-adds-headers",
    severity: Severity::Medium,
    title: "an origin adds headers to the requests to S3",
    why: "A header can change which operation S3 does. CloudFront replaces the viewer's headers by these after \
     the decision.",
    remedy: "remove the `CustomHeaders` from the origin",
};

static NO_BUCKET: Check = Check {
    id: "EA219",
    name: "origin-is-no-bucket",
    severity: Severity::Medium,
    title: "a behavior with the function has an origin that is not a bucket",
    why: "The function decides on S3 operations and removes the token from the request. It relies on Origin \
     Access Control to prove where the request comes from. Another origin has no such proof, and may read a \
     request differently.",
    remedy: "remove the function from the behavior, or make its origin `BUCKET.s3.REGION.amazonaws.com`",
};

static GLOBAL: Check = Check {
    id: "EA253",
    name: "origin-without-region",
    severity: Severity::Medium,
    title: "an origin is a bucket's global endpoint, which does not name the Region",
    why: "S3 answers 307 for a new bucket outside of us-east-1, for hours or days, and CloudFront hands the redirect to \
     the viewer. In Regions that were launched after March 2019 S3 always answers 400.",
    remedy: "write the Regional endpoint, `BUCKET.s3.REGION.amazonaws.com`, with the Region of the bucket",
};

static OTHER_S3: Check = Check {
    id: "EA254",
    name: "origin-is-another-s3-host",
    severity: Severity::High,
    title: "an origin is S3, but not a bucket's own endpoint",
    why: "An access point has its own policy, which the export does not contain, and may reach the same bucket. A \
     Multi-Region Access Point also needs another signature (`sigv4a`), and an Object Lambda Access Point \
     runs code on each object. So nobody has judged who can do what through this origin.",
    remedy: "use the bucket's own endpoint, `BUCKET.s3.REGION.amazonaws.com`, with an Origin Access Control",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&PATH, &WEBSITE, &GROUP, &TWICE, &HEADERS, &NO_BUCKET, &GLOBAL, &OTHER_S3], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let origins = subject.origins();
    for one in &origins {
        let (id, domain) = (one.origin.id.escape_debug(), one.origin.domain_name.escape_debug());
        let target = Target::of(one.origin);
        if !one.origin.origin_path.is_empty() {
            let path = one.origin.origin_path.escape_debug();
            found.push(
                one.spot.then("OriginPath").found(&PATH, format!("origin `{id}` has the path `{path}`")),
            );
        }
        match &target {
            Target::Bucket(endpoint) => {
                if endpoint.region.is_none() {
                    let regional = endpoint.regional("REGION");
                    let message = format!(
                        "origin `{id}` is `{domain}`, without the Region; write `{}`",
                        regional.escape_debug()
                    );
                    found.push(one.spot.then("DomainName").found(&GLOBAL, message));
                }
            }
            Target::OtherS3(other) => {
                let message = format!("origin `{id}` (`{domain}`) is {other}");
                found.push(one.spot.then("DomainName").found(&OTHER_S3, message));
            }
            Target::Website(_) => {
                found.push(
                    one.spot.then("DomainName").found(&WEBSITE, format!("origin `{id}` is `{domain}`")),
                );
            }
            Target::Other => {
                found.push(
                    one.spot.then("DomainName").found(&NO_BUCKET, format!("origin `{id}` is `{domain}`")),
                );
            }
        }
        if let Some(bucket) = target.bucket() {
            let other = first.entry(bucket.to_owned()).or_insert(&one.origin.id);
            if *other != one.origin.id {
                let message =
                    format!("origins `{}` and `{id}` are both bucket `{bucket}`", other.escape_debug());
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
            let message = format!("{} uses the origin group `{}`", one.name, target.escape_debug());
            found.push(one.spot.then("TargetOriginId").found(&GROUP, message));
        }
    }
}
