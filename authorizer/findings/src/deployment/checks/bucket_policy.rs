//! The bucket's policy: the distribution, and nobody else, for what the policy's operations need.

use std::collections::BTreeSet;

use crate::deployment::documents::PolicyFile;
use crate::deployment::export::Answer;
use crate::deployment::finding::{Finding, Spot};
use crate::deployment::iam::{Document, Effect, Principal, SourceArn, Statement};
use crate::deployment::subject::{Subject, note};
use crate::{Check, Severity};

static MISSING: Check = Check::of_deployment(
    ("EA270", "bucket-action-missing"),
    Severity::Low,
    "the bucket policy does not allow the distribution everything that the policy's operations need",
    "The function allows these requests, and S3 answers 403. So a part of the policy does nothing.",
    "add the statements of infra/policies to the bucket policy, with the actions that the operations need",
);

static WITHOUT_SOURCE: Check = Check::of_deployment(
    ("EA271", "bucket-without-source-arn"),
    Severity::High,
    "the bucket policy allows CloudFront, whichever distribution sends the request",
    "Anyone can point a distribution of any AWS account at the bucket, without this function on it. A \
     condition on the account still allows every distribution of the account. An operator that also holds if \
     the key is missing allows every distribution there is.",
    "add the condition `StringEquals` `AWS:SourceArn` with the ARN of this distribution",
);

static PATTERN: Check = Check::of_deployment(
    ("EA272", "bucket-source-arn-is-a-pattern"),
    Severity::High,
    "the bucket policy allows every distribution whose ARN fits a pattern",
    "A distribution that somebody creates later may fit it too, without this function on it.",
    "name the one distribution, with `StringEquals`",
);

static ANOTHER: Check = Check::of_deployment(
    ("EA273", "bucket-for-another-distribution"),
    Severity::High,
    "the bucket policy allows another distribution",
    "This function does not decide what that distribution lets viewers do with the bucket, and the export \
     does not contain it.",
    "remove the other distribution from the condition, or audit it too",
);

static PRINCIPAL: Check = Check::of_deployment(
    ("EA274", "bucket-for-another-principal"),
    Severity::High,
    "the bucket policy allows another principal than CloudFront",
    "That principal goes past the distribution and the function. The rules do not apply to it, and the \
     decision log does not show it.",
    "remove the principal from the bucket policy",
);

static IDENTITY: Check = Check::of_deployment(
    ("EA275", "bucket-for-an-access-identity"),
    Severity::High,
    "the bucket policy allows an origin access identity or a canonical user",
    "An identity from the time before Origin Access Control still opens the bucket, to every distribution of \
     its account that has it. S3 also writes an identity as a canonical user.",
    "remove the statement when no distribution uses the identity",
);

static PUBLIC: Check = Check::of_deployment(
    ("EA276", "bucket-policy-public"),
    Severity::High,
    "the bucket policy allows everyone",
    "The bucket answers at its own address, past the distribution. A condition may narrow this, but the \
     check does not read it: a statement for CloudFront must name CloudFront.",
    "name `cloudfront.amazonaws.com` as the principal, with the condition on this distribution",
);

static INVERTED: Check = Check::of_deployment(
    ("EA277", "bucket-policy-inverted"),
    Severity::High,
    "a statement of the bucket policy allows everything except what it names",
    "With `NotPrincipal`, `NotAction` or `NotResource`, a statement also allows every principal, action or \
     object that nobody thought of.",
    "write which principals, actions and objects the statement allows",
);

static MORE: Check = Check::of_deployment(
    ("EA278", "bucket-action-not-needed"),
    Severity::Medium,
    "the bucket policy allows the distribution more than the policy's operations need",
    "Then only the function stands between a viewer and an operation that no rule has.",
    "keep only the actions that the operations need, one by one, without `*`",
);

static PLAIN: Check = Check::of_deployment(
    ("EA279", "bucket-over-plain-http"),
    Severity::Low,
    "the bucket policy does not refuse plain HTTP",
    "CloudFront uses the viewer's protocol for its request to the bucket, and other clients choose their \
     own. A statement that denies everyone without TLS holds whatever else is set.",
    "add the statement of infra/policies/tls-policy.json",
);

static WITHOUT_PREFIX: Check = Check::of_deployment(
    ("EA280", "bucket-list-without-prefix"),
    Severity::Low,
    "the bucket policy allows the distribution to list without a prefix",
    "The function always sends a prefix. If the query string is lost on the way, the listing is of the whole \
     bucket, and only this condition stops it.",
    "add the condition `Null` `s3:prefix` `false` to the statement",
);

pub(super) static CHECKS: &[&Check] = &[
    &MISSING,
    &WITHOUT_SOURCE,
    &PATTERN,
    &ANOTHER,
    &PRINCIPAL,
    &IDENTITY,
    &PUBLIC,
    &INVERTED,
    &MORE,
    &PLAIN,
    &WITHOUT_PREFIX,
];

pub(super) fn find(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for bucket in subject.buckets() {
        let file = format!("bucket-{bucket}/policy.json");
        match subject.answer::<PolicyFile>(&file, "NoSuchBucketPolicy", found) {
            None => {}
            Some(Answer::Absent) => {
                let message = format!("bucket `{bucket}` has no policy, so the distribution cannot use it");
                found.push(Spot::file(file).found(&MISSING, message));
            }
            Some(Answer::There(read)) => judge(subject, &bucket, &file, &read.policy, found),
        }
    }
}

fn judge(subject: &Subject<'_>, bucket: &str, file: &str, document: &Document, found: &mut Vec<Finding>) {
    let spot = Spot::file(file).then("Policy");
    for (index, statement) in document.allows() {
        let spot = spot.then("Statement").at(index);
        if let Some(member) = statement.inverted() {
            found.push(spot.then(member).found(&INVERTED, format!("the statement has `{member}`")));
            continue;
        }
        for principal in statement.principals() {
            let spot = spot.then("Principal");
            match principal {
                Principal::CloudFront => {}
                Principal::Everyone => found.push(spot.found(&PUBLIC, "the statement allows everyone")),
                Principal::AccessIdentity(name) => {
                    found.push(spot.found(&IDENTITY, format!("the statement allows `{}`", name.escape_debug())));
                }
                Principal::Other(name) => {
                    found.push(spot.found(&PRINCIPAL, format!("the statement allows `{}`", name.escape_debug())));
                }
            }
        }
    }
    if !document.statements.iter().any(denies_plain_http) {
        found.push(spot.clone().found(&PLAIN, format!("bucket `{bucket}` accepts plain HTTP")));
    }
    if let Some(identity) = note(subject.identity(), found) {
        distribution(subject, bucket, &identity.arn, document, &spot, found);
    }
}

fn denies_plain_http(statement: &Statement) -> bool {
    statement.effect == Effect::Deny
        && statement.inverted().is_none()
        && statement.principals().contains(&Principal::Everyone)
        && statement.has_action("s3:GetObject")
        && statement.has_action("s3:PutObject")
        && statement.asks("Bool", "aws:SecureTransport", "false")
}

/// What it lets the distribution do, and whether only it.
fn distribution(
    subject: &Subject<'_>,
    bucket: &str,
    ours: &str,
    document: &Document,
    spot: &Spot,
    found: &mut Vec<Finding>,
) {
    let demands = &subject.demands;
    let list = demands.lists.then_some("s3:ListBucket");
    let needed: BTreeSet<&str> = demands.object_actions.iter().copied().chain(list).collect();
    let mut missing = needed.clone();
    for (index, statement) in document.allows() {
        if statement.inverted().is_some() || !statement.principals().contains(&Principal::CloudFront) {
            continue;
        }
        let spot = spot.then("Statement").at(index);
        let condition = spot.then("Condition");
        match statement.source_arn(ours) {
            SourceArn::Ours => {}
            SourceArn::Unsaid => {
                found.push(spot.clone().found(&WITHOUT_SOURCE, "no condition names this distribution"));
            }
            SourceArn::Pattern(pattern) => {
                found.push(condition.found(&PATTERN, format!("the statement allows `{}`", pattern.escape_debug())));
            }
            SourceArn::Another(arn) => {
                found.push(condition.found(&ANOTHER, format!("the statement allows `{}`", arn.escape_debug())));
            }
        }
        if !statement.could_be(ours) {
            continue;
        }
        let is_needed = |pattern: &&String| needed.iter().any(|one| one.eq_ignore_ascii_case(pattern));
        let more = statement.actions().iter().filter(|pattern| !is_needed(pattern));
        let more: Vec<_> = more.map(|pattern| format!("`{}`", pattern.escape_debug())).collect();
        if !more.is_empty() {
            found.push(spot.then("Action").found(&MORE, format!("the statement allows {}", more.join(", "))));
        }
        let lists = statement.has_action("s3:ListBucket") && statement.has_resource(&format!("arn:aws:s3:::{bucket}"));
        if lists && !statement.asks("Null", "s3:prefix", "false") {
            found.push(spot.found(&WITHOUT_PREFIX, "the statement allows `s3:ListBucket` without a prefix"));
        }
        missing.retain(|action| {
            let resource = match *action {
                "s3:ListBucket" => format!("arn:aws:s3:::{bucket}"),
                _ => format!("arn:aws:s3:::{bucket}/*"),
            };
            !(statement.has_action(action) && statement.has_resource(&resource))
        });
    }
    if !missing.is_empty() {
        let actions: Vec<_> = missing.iter().map(|action| format!("`{action}`")).collect();
        let message = format!("no statement allows the distribution {} on all of `{bucket}`", actions.join(", "));
        found.push(spot.clone().found(&MISSING, message));
    }
}
