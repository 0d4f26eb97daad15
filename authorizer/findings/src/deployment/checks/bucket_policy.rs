//! The bucket's policy: the distribution, and nobody else, for what the policy's operations need.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::rules::{KeyPattern, Segment};

use crate::check::{Check, Severity};
use crate::deployment::documents::PolicyFile;
use crate::deployment::export::BucketSetting;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::iam::{Document, Effect, Principal, SourceArn, Statement};
use crate::deployment::request::{Holds, OurRequest, RequestKind};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static MISSING: Check = Check {
    id: "EA270",
    name: "bucket-action-missing",
    severity: Severity::Low,
    title: "the bucket policy does not allow the distribution everything that the policy's operations need",
    why: "The function allows these requests, and S3 answers 403. So a part of the policy does nothing.",
    remedy: "add the statements of infra/policies to the bucket policy, with the actions that the operations need",
};

static WITHOUT_SOURCE: Check = Check {
    id: "EA271",
    name: "bucket-without-source-arn",
    severity: Severity::High,
    title: "the bucket policy allows CloudFront, whichever distribution sends the request",
    why: "Anyone can point a distribution of any AWS account at the bucket, without this function on it. A \
     condition on the account still allows every distribution of the account. An operator that also holds if \
     the key is missing allows every distribution there is.",
    remedy: "add the condition `StringEquals` `AWS:SourceArn` with the ARN of this distribution",
};

static PATTERN: Check = Check {
    id: "EA272",
    name: "bucket-source-arn-is-a-pattern",
    severity: Severity::High,
    title: "the bucket policy allows every distribution whose ARN fits a pattern",
    why: "A distribution that somebody creates later may fit it too, without this function on it.",
    remedy: "name the one distribution, with `StringEquals`",
};

static ANOTHER: Check = Check {
    id: "EA273",
    name: "bucket-for-another-distribution",
    severity: Severity::High,
    title: "the bucket policy allows another distribution",
    why: "This function does not decide what that distribution lets viewers do with the bucket, and the export \
     does not contain it.",
    remedy: "remove the other distribution from the condition, or audit it too",
};

static PRINCIPAL: Check = Check {
    id: "EA274",
    name: "bucket-for-another-principal",
    severity: Severity::High,
    title: "the bucket policy allows another principal than CloudFront",
    why: "That principal goes past the distribution and the function. The rules do not apply to it, and the \
     decision log does not show it.",
    remedy: "remove the principal from the bucket policy",
};

static IDENTITY: Check = Check {
    id: "EA275",
    name: "bucket-for-an-access-identity",
    severity: Severity::High,
    title: "the bucket policy allows an origin access identity or a canonical user",
    why: "An identity from the time before Origin Access Control still opens the bucket, to every distribution of \
     its account that has it. S3 also writes an identity as a canonical user.",
    remedy: "remove the statement when no distribution uses the identity",
};

static PUBLIC: Check = Check {
    id: "EA276",
    name: "bucket-policy-public",
    severity: Severity::High,
    title: "the bucket policy allows everyone",
    why: "The bucket answers at its own address, past the distribution. A condition may narrow this, but the \
     check does not read it: a statement for CloudFront must name CloudFront.",
    remedy: "name `cloudfront.amazonaws.com` as the principal, with the condition on this distribution",
};

static INVERTED: Check = Check {
    id: "EA277",
    name: "bucket-policy-inverted",
    severity: Severity::High,
    title: "a statement of the bucket policy allows everything except what it names",
    why: "With `NotPrincipal`, `NotAction` or `NotResource`, a statement also allows every principal, action or \
     object that nobody thought of.",
    remedy: "write which principals, actions and objects the statement allows",
};

static MORE: Check = Check {
    id: "EA278",
    name: "bucket-action-not-needed",
    severity: Severity::Medium,
    title: "the bucket policy allows the distribution more than the policy's operations need",
    why: "Then only the function stands between a viewer and an operation that no rule has.",
    remedy: "keep only the actions that the operations need, one by one, without `*`",
};

static PLAIN: Check = Check {
    id: "EA279",
    name: "bucket-over-plain-http",
    severity: Severity::Low,
    title: "the bucket policy does not refuse plain HTTP",
    why: "CloudFront uses the viewer's protocol for its request to the bucket, and other clients choose their \
     own. A statement that denies everyone without TLS holds whatever else is set.",
    remedy: "add the statement of infra/policies/tls-policy.json",
};

static WITHOUT_PREFIX: Check = Check {
    id: "EA280",
    name: "bucket-list-without-prefix",
    severity: Severity::Low,
    title: "the bucket policy allows the distribution to list without a prefix",
    why: "The function always sends a prefix. If the query string is lost on the way, the listing is of the whole \
     bucket, and only this condition stops it.",
    remedy: "add the condition `Null` `s3:prefix` `false` to the statement",
};

static DENIES: Check = Check {
    id: "EA286",
    name: "bucket-policy-denies",
    severity: Severity::Medium,
    title: "a statement of the bucket policy denies the distribution what the policy's operations need",
    why: "The function allows these requests, and S3 answers 403 to each of them. A statement that wants an \
     encryption header denies every upload, because the function refuses that header; the bucket encrypts by \
     default anyway. If the statement is about some of the keys only, this has low severity.",
    remedy: "remove the statement, or exempt `cloudfront.amazonaws.com` from it with a condition on \
     `aws:PrincipalServiceName`",
};

static MAY_DENY: Check = Check {
    id: "EA287",
    name: "bucket-deny-not-evaluated",
    severity: Severity::Low,
    title: "a statement of the bucket policy may deny what the policy's operations need, and cannot be evaluated",
    why: "Its condition depends on something that is not known of CloudFront's request. It may deny every \
     request of the distribution, or none.",
    remedy: "check the condition by hand, with a request through the distribution; accept the finding if it is meant",
};

pub(super) static FAMILY: Family = Family::Deployment(
    &[
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
        &DENIES,
        &MAY_DENY,
    ],
    find,
);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for bucket in subject.buckets() {
        let file = format!("bucket-{bucket}/policy.json");
        match subject.bucket_setting::<PolicyFile>(&file, "NoSuchBucketPolicy") {
            None => {}
            Some(BucketSetting::Absent) => {
                let message = format!("bucket `{bucket}` has no policy, so the distribution cannot use it");
                found.push(Spot::file(file).found(&MISSING, message));
            }
            Some(BucketSetting::There(read)) => judge(subject, &bucket, &file, &read.policy, found),
        }
    }
}

fn judge(
    subject: &DeploymentSubject<'_>,
    bucket: &str,
    file: &str,
    document: &Document,
    found: &mut Vec<DeploymentFinding>,
) {
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
                    found.push(
                        spot.found(&IDENTITY, format!("the statement allows `{}`", name.escape_debug())),
                    );
                }
                Principal::Other(name) => {
                    found.push(
                        spot.found(&PRINCIPAL, format!("the statement allows `{}`", name.escape_debug())),
                    );
                }
            }
        }
    }
    if !document.statements.iter().any(|one| denies_plain_http(one, bucket)) {
        found.push(spot.clone().found(&PLAIN, format!("bucket `{bucket}` accepts plain HTTP")));
    }
    if let Some(identity) = subject.identity() {
        let ours = OurRequest {
            distribution: &identity.arn,
            account: identity.account(),
            kind: RequestKind::Object,
        };
        distribution(subject, bucket, ours, document, &spot, found);
        denied(subject, bucket, ours, document, &spot, found);
    }
}

/// What statements deny the distribution.
fn denied(
    subject: &DeploymentSubject<'_>,
    bucket: &str,
    ours: OurRequest<'_>,
    document: &Document,
    spot: &Spot,
    found: &mut Vec<DeploymentFinding>,
) {
    for (index, statement) in document.denies() {
        let objects = statement.is_about_some(&format!("arn:aws:s3:::{bucket}/"));
        let lists = statement.is_about_resource(&format!("arn:aws:s3:::{bucket}"));
        // Each by itself: a request for an object does not have what a listing has.
        let is_about = |need: &Need| {
            statement.is_about_action(need.action())
                && if need.is_listing() { lists } else { objects.is_some() }
        };
        let mut denied = BTreeSet::new();
        let mut perhaps = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        for need in needs(subject).into_iter().filter(is_about) {
            let request = need.of(ours);
            match request.is_denied(statement) {
                Holds::No => {}
                Holds::Yes => {
                    denied.insert(need);
                }
                Holds::Unknown => {
                    unknown.extend(request.unknown_keys(statement));
                    perhaps.insert(need);
                }
            }
        }
        let name = name_of(index, statement);
        let spot = spot.then("Statement").at(index);
        let certain = names(&denied);
        if !denied.is_empty() {
            let is_part = objects == Some(false) && !denied.iter().any(Need::is_listing);
            let some = if is_part { " on some of the keys" } else { "" };
            let keys = words(statement.conditions().map(|(_, key, _)| key));
            let on = if keys.is_empty() { String::new() } else { format!(", by its condition on {keys}") };
            let finding =
                spot.clone().found(&DENIES, format!("{name} denies the distribution {certain}{some}{on}"));
            found.push(if is_part { finding.severity(Severity::Low) } else { finding });
        }
        if !perhaps.is_empty() {
            let keys = words(unknown.iter().map(String::as_str));
            let message = format!(
                "{name} may deny the distribution {}: its condition on {keys} is not evaluated",
                names(&perhaps)
            );
            found.push(spot.found(&MAY_DENY, message));
        }
    }
}

/// What the policy's operations need of the bucket: an action, for one kind of request.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Need {
    /// An action on objects.
    Object(&'static str),
    /// Listings whose prefix begins with this text.
    Listing(String),
}

impl Need {
    fn action(&self) -> &'static str {
        match self {
            Self::Object(action) => action,
            Self::Listing(_) => "s3:ListBucket",
        }
    }

    fn is_listing(&self) -> bool {
        matches!(self, Self::Listing(_))
    }

    /// The request for it.
    fn of<'a>(&'a self, ours: OurRequest<'a>) -> OurRequest<'a> {
        let kind = match self {
            Self::Object(_) => RequestKind::Object,
            Self::Listing(start) => RequestKind::Listing(start),
        };
        OurRequest { kind, ..ours }
    }
}

/// What the policy's operations need of the bucket.
fn needs(subject: &DeploymentSubject<'_>) -> BTreeSet<Need> {
    let objects = subject.deployment_needs.object_actions.iter().map(|action| Need::Object(action));
    let listing = subject.distribution_needs.rules.iter().filter(|rule| rule.lists);
    let keys = listing.flat_map(|rule| &rule.keys);
    objects.chain(keys.map(|keys| Need::Listing(start_of(keys)))).collect()
}

/// The text with which each key of a pattern begins, and so each prefix of its listings.
fn start_of(keys: &KeyPattern) -> String {
    let mut start = String::new();
    for segment in keys.segments() {
        match segment {
            Segment::Literal(text) => {
                start.push_str(text);
                start.push('/');
            }
            Segment::Glob(parts) => {
                start.push_str(parts.first().map_or("", String::as_str));
                break;
            }
            Segment::Claim(_) | Segment::AnySegments => break,
        }
    }
    start
}

/// The actions, each once.
fn names(needs: &BTreeSet<Need>) -> String {
    let actions: BTreeSet<&str> = needs.iter().map(Need::action).collect();
    words(actions.into_iter())
}

/// What a statement is called.
fn name_of(index: usize, statement: &Statement) -> String {
    match statement.sid() {
        Some(sid) => format!("statement `{}`", sid.escape_debug()),
        None => format!("statement {index}"),
    }
}

fn words<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    keys.map(|key| format!("`{}`", key.escape_debug())).collect::<Vec<_>>().join(", ")
}

/// Whether it denies it to everyone, for all of the bucket, and without a further condition that would narrow this.
fn denies_plain_http(statement: &Statement, bucket: &str) -> bool {
    statement.effect == Effect::Deny
        && statement.inverted().is_none()
        && statement.principals().contains(&Principal::Everyone)
        && statement.has_action("s3:GetObject")
        && statement.has_action("s3:PutObject")
        && statement.has_resource(&format!("arn:aws:s3:::{bucket}"))
        && statement.has_resource(&format!("arn:aws:s3:::{bucket}/*"))
        && statement.conditions().count() == 1
        && [
            ("Bool", "false"),
            ("BoolIfExists", "false"),
            ("StringEquals", "false"),
            ("StringNotEquals", "true"),
        ]
        .iter()
        .any(|(operator, value)| statement.asks(operator, "aws:SecureTransport", value))
}

/// What it lets the distribution do, and whether only it.
fn distribution(
    subject: &DeploymentSubject<'_>,
    bucket: &str,
    request: OurRequest<'_>,
    document: &Document,
    spot: &Spot,
    found: &mut Vec<DeploymentFinding>,
) {
    let ours = request.distribution;
    let needed = needs(subject);
    let mut missing = needed.clone();
    let mut never: BTreeSet<String> = BTreeSet::new();
    let mut perhaps: BTreeMap<Need, usize> = BTreeMap::new();
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
                found.push(
                    condition.found(&PATTERN, format!("the statement allows `{}`", pattern.escape_debug())),
                );
            }
            SourceArn::Another(arn) => {
                found.push(
                    condition.found(&ANOTHER, format!("the statement allows `{}`", arn.escape_debug())),
                );
            }
        }
        if !statement.could_be(ours) {
            continue;
        }
        let is_needed =
            |pattern: &&String| needed.iter().any(|one| one.action().eq_ignore_ascii_case(pattern));
        let more = statement.actions().iter().filter(|pattern| !is_needed(pattern));
        let more: Vec<_> = more.map(|pattern| format!("`{}`", pattern.escape_debug())).collect();
        if !more.is_empty() {
            found.push(spot.then("Action").found(&MORE, format!("the statement allows {}", more.join(", "))));
        }
        let lists = statement.has_action("s3:ListBucket")
            && statement.has_resource(&format!("arn:aws:s3:::{bucket}"));
        if lists && !statement.asks("Null", "s3:prefix", "false") {
            found.push(spot.found(&WITHOUT_PREFIX, "the statement allows `s3:ListBucket` without a prefix"));
        }
        let is_about = |need: &&Need| {
            let resource = match need {
                Need::Listing(_) => format!("arn:aws:s3:::{bucket}"),
                Need::Object(_) => format!("arn:aws:s3:::{bucket}/*"),
            };
            statement.has_action(need.action()) && statement.has_resource(&resource)
        };
        for need in needed.iter().filter(is_about) {
            let request = need.of(request);
            let holds = match request.is_allowed(statement) {
                Holds::Unknown if request.unknown_keys(statement).iter().all(|key| is_narrow(key)) => {
                    Holds::Yes
                }
                holds => holds,
            };
            match holds {
                Holds::Yes => {
                    missing.remove(need);
                    perhaps.remove(need);
                }
                Holds::No => never.extend(request.keys_that(statement, Holds::No)),
                Holds::Unknown if missing.remove(need) => {
                    perhaps.insert(need.clone(), index);
                }
                Holds::Unknown => {}
            }
        }
    }
    for (index, statement) in document.allows() {
        let those: BTreeSet<Need> =
            perhaps.iter().filter(|(_, at)| **at == index).map(|(need, _)| need.clone()).collect();
        if those.is_empty() {
            continue;
        }
        let unknown = those.iter().flat_map(|need| need.of(request).unknown_keys(statement));
        let keys: BTreeSet<String> = unknown.filter(|key| !is_narrow(key)).collect();
        let message = format!(
            "{} may not allow the distribution {}: its condition on {} is not evaluated",
            name_of(index, statement),
            names(&those),
            words(keys.iter().map(String::as_str))
        );
        found.push(spot.then("Statement").at(index).then("Condition").found(&MISSING, message));
    }
    if !missing.is_empty() {
        let why = match never.is_empty() {
            true => String::new(),
            false => format!(
                "; a condition on {} never holds for its requests",
                words(never.iter().map(String::as_str))
            ),
        };
        let starts = missing.iter().filter_map(|need| match need {
            Need::Listing(start) if !start.is_empty() => Some(start.as_str()),
            Need::Listing(_) | Need::Object(_) => None,
        });
        let starts = words(starts);
        let listed = if starts.is_empty() { starts } else { format!(", for listings of {starts}") };
        let missing = names(&missing);
        let message =
            format!("no statement allows the distribution {missing} on all of `{bucket}`{listed}{why}");
        found.push(spot.clone().found(&MISSING, message));
    }
}

/// Whether a condition key that is not known may be in a statement that allows: it narrows the statement to what the
/// operator wants to be listed, or to the operator's own organization, which AWS sends for a service and no export names.
fn is_narrow(key: &str) -> bool {
    ["s3:prefix", "aws:SourceOrgID", "aws:SourceOrgPaths"].iter().any(|one| one.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefixes_of_a_rules_listings_begin_as_its_keys_do() {
        for (keys, start) in [
            ("users/{sub}/**", "users/"),
            ("**", ""),
            ("a/b/**", "a/b/"),
            ("a/pre*/**", "a/pre"),
            ("{sub}/a/**", ""),
        ] {
            assert_eq!(start_of(&KeyPattern::parse(keys).unwrap()), start, "{keys}");
        }
    }
}
