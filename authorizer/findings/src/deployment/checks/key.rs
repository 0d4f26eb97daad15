//! The KMS key of the bucket, if it has one.

use crate::check::{Check, Severity};
use crate::deployment::documents::{DescribedKeyFile, EncryptionFile, Identity, PolicyFile};
use crate::deployment::export::BucketSetting;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::iam::{Document, Principal, SourceArn, Statement};
use crate::deployment::needs::DeploymentNeeds;
use crate::deployment::request::{Holds, OurRequest, RequestKind};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static MISSING: Check = Check {
    id: "EA290",
    name: "key-without-distribution",
    severity: Severity::Low,
    title: "the bucket's KMS key does not allow the distribution to use it",
    why: "S3 answers 403 to every request for an object under the key, so the policy does nothing. AWS's own key, \
     `aws/s3`, has a policy that nobody can change.",
    remedy: "give the bucket a key of your own, and add the statement of infra/policies/key-policy.json to the key's \
     policy",
};

static WIDE: Check = Check {
    id: "EA291",
    name: "key-policy-too-wide",
    severity: Severity::High,
    title: "the key's policy allows everyone, or CloudFront whichever distribution sends the request",
    why: "The key is the second lock on the bucket. A statement for everyone, or without the one distribution, \
     removes this lock for anyone who gets past the first.",
    remedy: "name `cloudfront.amazonaws.com`, with the condition `StringEquals` `AWS:SourceArn` of this distribution",
};

static OTHERS: Check = Check {
    id: "EA292",
    name: "key-for-another-principal",
    severity: Severity::Medium,
    title: "the key's policy allows another principal to use the key, or a foreign one to administer it",
    why: "A principal that may use the key or create grants can read the objects if the bucket allows it, or give others \
     that right. AWS writes `kms:*` for the account into a new key's policy, which leaves this to every IAM policy of \
     the account; that has low severity. A service, or a principal of another account, that administers the key can \
     give itself its use, or disable or delete the key, so that nobody can read the objects.",
    remedy: "leave the account only the administration of the key, without `kms:Decrypt`, `kms:Encrypt`, \
     `kms:GenerateDataKey*`, `kms:ReEncrypt*` and `kms:CreateGrant`; leave other accounts and services nothing",
};

static MORE: Check = Check {
    id: "EA293",
    name: "key-action-not-needed",
    severity: Severity::Low,
    title: "the key's policy allows the distribution more than the policy's operations need",
    why: "Reading needs `kms:Decrypt`. Writing also needs `kms:GenerateDataKey*` and `kms:Encrypt`. A request \
     does nothing else with the key.",
    remedy: "keep only the actions that the operations need",
};

static NO_BUCKET_KEY: Check = Check {
    id: "EA294",
    name: "bucket-key-off",
    severity: Severity::Informational,
    title: "the bucket has a KMS key but no S3 Bucket Key",
    why: "Every request also makes a request to KMS. That costs money, and KMS throttles before S3 does.",
    remedy: "set `BucketKeyEnabled` to true",
};

static DENIES: Check = Check {
    id: "EA295",
    name: "key-policy-denies",
    severity: Severity::Medium,
    title: "a statement of the key's policy denies the distribution the use of the key",
    why: "S3 answers 403 to every request for an object under the key. A statement whose condition cannot be \
     evaluated has low severity: it may deny every use, or none.",
    remedy: "remove the statement, or exempt `cloudfront.amazonaws.com` from it",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&MISSING, &WIDE, &OTHERS, &MORE, &NO_BUCKET_KEY, &DENIES], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for bucket in subject.buckets() {
        let file = format!("bucket-{bucket}/encryption.json");
        let absent = "ServerSideEncryptionConfigurationNotFoundError";
        let Some(BucketSetting::There(read)) = subject.bucket_setting::<EncryptionFile>(&file, absent) else {
            continue;
        };
        for (index, rule) in read.server_side_encryption_configuration.rules.iter().enumerate() {
            let spot = Spot::file(&file).then("ServerSideEncryptionConfiguration/Rules").at(index);
            let Some(default) = &rule.apply_server_side_encryption_by_default else { continue };
            if !default.algorithm.starts_with("aws:kms") {
                continue;
            }
            if !rule.bucket_key_enabled {
                let message = format!("bucket `{bucket}` makes a request to KMS for every object");
                found.push(spot.clone().found(&NO_BUCKET_KEY, message));
            }
            let Some(key) = default.key.as_deref().filter(|key| !key.ends_with("alias/aws/s3")) else {
                let message = format!("bucket `{bucket}` uses AWS's own key, which no distribution can use");
                found.push(spot.found(&MISSING, message));
                continue;
            };
            let Some(name) = key_name(subject, key) else { continue };
            let file = format!("key-{name}.json");
            let Some(read) = subject.read::<PolicyFile>(&file) else { continue };
            let Some(identity) = subject.identity() else { continue };
            judge(&subject.deployment_needs, &identity, &file, &read.policy, found);
        }
    }
}

/// The id of a key, which a bucket may name by an alias.
fn key_name(subject: &DeploymentSubject<'_>, key: &str) -> Option<String> {
    let name = key.rsplit(':').next().unwrap_or(key);
    match name.strip_prefix("alias/") {
        Some(alias) => {
            let file = format!("alias-{}.json", alias.replace('/', "-"));
            Some(subject.read::<DescribedKeyFile>(&file)?.key_metadata.key_id)
        }
        None => Some(key.rsplit('/').next().unwrap_or(key).to_owned()),
    }
}

/// The ids of the keys under which a bucket encrypts, without AWS's own.
pub(super) fn key_names(subject: &DeploymentSubject<'_>, bucket: &str) -> Vec<String> {
    let file = format!("bucket-{bucket}/encryption.json");
    let absent = "ServerSideEncryptionConfigurationNotFoundError";
    let Some(BucketSetting::There(read)) = subject.bucket_setting::<EncryptionFile>(&file, absent) else {
        return Vec::new();
    };
    let rules = read.server_side_encryption_configuration.rules.into_iter();
    let defaults = rules.filter_map(|rule| rule.apply_server_side_encryption_by_default);
    let keys = defaults.filter(|one| one.algorithm.starts_with("aws:kms")).filter_map(|one| one.key);
    keys.filter(|key| !key.ends_with("alias/aws/s3")).filter_map(|key| key_name(subject, &key)).collect()
}

/// What reads or writes objects under the key, or lets others do so.
const USES: [&str; 6] = [
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:CreateGrant",
];

/// Whether a principal is not of this account: of another one, or a service.
fn is_foreign(name: &str, ours: &str) -> bool {
    let account = if name.starts_with("arn:") { name.split(':').nth(4) } else { Some(name) };
    account != Some(ours)
}

/// What somebody can do with actions that administer a key.
fn administration(statement: &Statement) -> Vec<String> {
    let each = ADMINISTRATION.iter().filter_map(|(can, actions)| {
        let has = actions.iter().filter(|action| statement.has_action(action));
        let has: Vec<_> = has.map(|action| format!("`{action}`")).collect();
        (!has.is_empty()).then(|| format!("{can} ({})", has.join(", ")))
    });
    each.collect()
}

/// What actions that administer a key can do to it, for somebody who must not.
const ADMINISTRATION: [(&str, &[&str]); 2] = [
    // A replica has a key policy of its own, which whoever makes it writes.
    ("give itself or others the use of the key", &["kms:PutKeyPolicy", "kms:ReplicateKey"]),
    (
        "take the key away from those who need it",
        &[
            "kms:DeleteImportedKeyMaterial",
            "kms:DisableKey",
            "kms:ImportKeyMaterial",
            "kms:RetireGrant",
            "kms:RevokeGrant",
            "kms:ScheduleKeyDeletion",
            "kms:UpdatePrimaryRegion",
        ],
    ),
];

fn judge(
    needs: &DeploymentNeeds,
    identity: &Identity,
    file: &str,
    document: &Document,
    found: &mut Vec<DeploymentFinding>,
) {
    let root = format!("arn:aws:iam::{}:root", identity.account());
    let mut missing: Vec<&str> = vec!["kms:Decrypt"];
    missing.extend(needs.uploads.then_some("kms:GenerateDataKey"));
    let spot = Spot::file(file).then("Policy");
    let ours =
        OurRequest { distribution: &identity.arn, account: identity.account(), kind: RequestKind::Object };
    for (index, statement) in document.allows() {
        let spot = spot.then("Statement").at(index);
        if let Some(member) = statement.inverted() {
            found.push(spot.then(member).found(&WIDE, format!("the statement has `{member}`")));
            continue;
        }
        let uses = USES.iter().any(|action| statement.has_action(action));
        for principal in statement.principals() {
            match principal {
                Principal::CloudFront => {
                    cloudfront(needs, statement, &identity.arn, &spot, found);
                    let may_hold = ours.is_allowed(statement) != Holds::No;
                    if statement.could_be(&identity.arn) && may_hold {
                        missing.retain(|action| !statement.has_action(action));
                    }
                }
                Principal::Everyone => {
                    found.push(spot.then("Principal").found(&WIDE, "the statement allows everyone"));
                }
                Principal::AccessIdentity(name) | Principal::Other(name) if uses => {
                    let is_account = name == root || name == identity.account();
                    let severity = if is_account { Severity::Low } else { Severity::Medium };
                    let message = format!("`{}` may use the key", name.escape_debug());
                    found.push(spot.then("Principal").found(&OTHERS, message).severity(severity));
                }
                Principal::AccessIdentity(name) | Principal::Other(name) => {
                    let can = administration(statement);
                    if !can.is_empty() && is_foreign(&name, identity.account()) {
                        let message = format!(
                            "`{}`, which is not of this account, may {}",
                            name.escape_debug(),
                            can.join(", and ")
                        );
                        found.push(spot.then("Principal").found(&OTHERS, message));
                    }
                }
            }
        }
    }
    for (index, statement) in document.denies() {
        let holds = ours.is_denied(statement);
        let mut needed = vec!["kms:Decrypt"];
        needed.extend(needs.uploads.then_some("kms:GenerateDataKey"));
        needed.retain(|action| statement.is_about_action(action));
        if holds == Holds::No || needed.is_empty() {
            continue;
        }
        let actions: Vec<_> = needed.iter().map(|action| format!("`{action}`")).collect();
        let spot = spot.then("Statement").at(index);
        found.push(if holds == Holds::Yes {
            spot.found(&DENIES, format!("a statement denies the distribution {}", actions.join(", ")))
        } else {
            let keys: Vec<_> =
                ours.unknown_keys(statement).iter().map(|key| format!("`{}`", key.escape_debug())).collect();
            let (actions, keys) = (actions.join(", "), keys.join(", "));
            let message = format!(
                "a statement may deny the distribution {actions}: its condition on {keys} is not evaluated"
            );
            spot.found(&DENIES, message).severity(Severity::Low)
        });
    }
    if !missing.is_empty() {
        let actions: Vec<_> = missing.iter().map(|action| format!("`{action}`")).collect();
        found.push(
            spot.found(&MISSING, format!("no statement allows the distribution {}", actions.join(", "))),
        );
    }
}

fn cloudfront(
    needs: &DeploymentNeeds,
    statement: &Statement,
    ours: &str,
    spot: &Spot,
    found: &mut Vec<DeploymentFinding>,
) {
    let wide = match statement.source_arn(ours) {
        SourceArn::Ours => None,
        SourceArn::Unsaid => Some("no condition names this distribution".to_owned()),
        SourceArn::Pattern(arn) | SourceArn::Another(arn) => {
            Some(format!("the statement allows `{}`", arn.escape_debug()))
        }
    };
    if let Some(wide) = wide {
        found.push(spot.clone().found(&WIDE, wide));
    }
    let reading: &[&str] = &["kms:Decrypt"];
    let writing: &[&str] = &[
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKey*",
        "kms:GenerateDataKeyWithoutPlaintext",
    ];
    let writing = if needs.uploads { writing } else { &[] };
    let is_needed =
        |pattern: &&String| reading.iter().chain(writing).any(|needed| needed.eq_ignore_ascii_case(pattern));
    let more = statement.actions().iter().filter(|pattern| !is_needed(pattern));
    let more: Vec<_> = more.map(|pattern| format!("`{}`", pattern.escape_debug())).collect();
    if !more.is_empty() {
        found.push(spot.then("Action").found(&MORE, format!("the statement allows {}", more.join(", "))));
    }
}
