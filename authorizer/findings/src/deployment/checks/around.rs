//! What else reaches the objects, or tells of them: around the distribution, and around the function.

use authorizer_cloudfront::Target;
use authorizer_cloudfront::view::Origin;

use super::key::key_names;
use crate::check::{Check, Severity};
use crate::deployment::documents::{
    AccessGrantsFile, AccessPointsFile, ContinuousDeploymentFile, DistributionsFile, FunctionConfiguration,
    GrantsFile, InventoryFile, LogGroups, LogGroupsFile, NotificationFile, PolicyFile, ReplicationFile,
};
use crate::deployment::export::BucketSetting;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::iam::Principal;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static COPIED: Check = Check {
    id: "EA237",
    name: "bucket-is-replicated",
    severity: Severity::Medium,
    title: "objects are copied to another bucket",
    why: "The function does not guard the copies, and the export does not contain the other bucket. A deleted object may \
     stay there.",
    remedy: "end the replication, or review the other bucket as well",
};

static LISTED: Check = Check {
    id: "EA238",
    name: "bucket-inventory",
    severity: Severity::Low,
    title: "an inventory writes the keys of all objects into a bucket",
    why: "Keys can contain names of users and of customers. Whoever reads the inventory's bucket reads them all, \
     whatever the rules say about listing.",
    remedy: "remove the inventory, or review who reads its bucket",
};

static TOLD: Check = Check {
    id: "EA239",
    name: "bucket-notifies",
    severity: Severity::Informational,
    title: "the bucket tells others of its objects",
    why: "A notification has the key and the size of each object. A function that gets it often reads the object too, \
     with a role of its own.",
    remedy: "review who gets the notifications, and what they may do with the bucket",
};

static POINT: Check = Check {
    id: "EA288",
    name: "access-point-of-the-bucket",
    severity: Severity::High,
    title: "an access point reaches the bucket",
    why: "It is another address of the same objects, with its own policy. The function does not decide on what comes that \
     way. An access point that does not allow everyone has medium severity.",
    remedy: "delete the access point, or review its policy as that of the bucket",
};

static GRANTED: Check = Check {
    id: "EA289",
    name: "access-granted",
    severity: Severity::Medium,
    title: "S3 Access Grants give somebody access to the bucket",
    why: "Whoever has the grant gets credentials for the objects, past the distribution and the function. The rules do not \
     apply, and the decision log does not show it.",
    remedy: "delete the grant, or review it with the policy",
};

static KEY_GRANTED: Check = Check {
    id: "EA296",
    name: "key-granted",
    severity: Severity::Medium,
    title: "a grant lets another principal use the bucket's key",
    why: "A grant allows the use of the key beside the key's policy, and no policy shows it.",
    remedy: "retire the grant, if nobody needs it",
};

static OTHER: Check = Check {
    id: "EA297",
    name: "another-distribution-of-the-account",
    severity: Severity::Medium,
    title: "another distribution of the account has the bucket as an origin",
    why: "It has its own behaviors and functions, which the export does not contain. If the bucket's policy allows it too, \
     viewers go past this function.",
    remedy: "remove the bucket from the other distribution, or export and audit it too",
};

static LOGS: Check = Check {
    id: "EA269",
    name: "logs-never-expire",
    severity: Severity::Low,
    title: "a log group of the function keeps its lines for ever",
    why: "The decision log has keys, hashed subjects and addresses of viewers. Lambda makes a log group in each Region in \
     which the function runs, and it never expires unless somebody says when.",
    remedy: "set the retention of the function's log group in this Region",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&COPIED, &LISTED, &TOLD, &POINT, &GRANTED, &KEY_GRANTED, &OTHER, &LOGS], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for bucket in subject.buckets() {
        let file = |name: &str| format!("bucket-{bucket}/{name}.json");
        let replication = file("replication");
        let absent = "ReplicationConfigurationNotFoundError";
        if let Some(BucketSetting::There(read)) =
            subject.bucket_setting::<ReplicationFile>(&replication, absent)
        {
            for (index, rule) in read.replication_configuration.rules.iter().enumerate() {
                if rule.status != "Disabled" {
                    let to = rule.destination.bucket.escape_debug();
                    let spot = Spot::file(&replication).then("ReplicationConfiguration/Rules").at(index);
                    found.push(spot.found(&COPIED, format!("objects are copied to `{to}`")));
                }
            }
        }
        let inventory = file("inventory");
        if let Some(read) = subject.read::<InventoryFile>(&inventory) {
            for (index, one) in read.inventory_configuration_list.iter().enumerate() {
                let spot = Spot::file(&inventory).then("InventoryConfigurationList").at(index);
                let id = one.id.escape_debug();
                found.push(spot.found(&LISTED, format!("inventory `{id}` lists the objects")));
            }
        }
        let notification = file("notification");
        if let Some(read) = subject.read::<NotificationFile>(&notification) {
            let names: Vec<_> =
                read.configurations.keys().map(|name| format!("`{}`", name.escape_debug())).collect();
            if !names.is_empty() {
                let spot = Spot::file(&notification).then("Configurations");
                found.push(spot.found(&TOLD, format!("the bucket has {}", names.join(", "))));
            }
        }
        access_points(subject, &bucket, found);
        access_grants(subject, &bucket, found);
        for key in key_names(subject, &bucket) {
            grants(subject, &key, found);
        }
    }
    distributions(subject, found);
    log_groups(subject, found);
}

fn access_points(subject: &DeploymentSubject<'_>, bucket: &str, found: &mut Vec<DeploymentFinding>) {
    let file = format!("bucket-{bucket}/access-points.json");
    let Some(read) = subject.read::<AccessPointsFile>(&file) else { return };
    for (index, point) in read.access_point_list.iter().enumerate() {
        let beside = format!("bucket-{bucket}/access-point-{}.json", point.name);
        let policy = subject.bucket_setting::<PolicyFile>(&beside, "NoSuchAccessPointPolicy");
        let open = match &policy {
            Some(BucketSetting::There(read)) => read.policy.allows().any(|(_, statement)| {
                statement.inverted().is_some() || statement.principals().contains(&Principal::Everyone)
            }),
            Some(BucketSetting::Absent) | None => false,
        };
        let severity = if open { Severity::High } else { Severity::Medium };
        let whom = if open { ", and its policy allows everyone" } else { "" };
        let message = format!("access point `{}` reaches the bucket{whom}", point.name.escape_debug());
        let spot = Spot::file(&file).then("AccessPointList").at(index);
        found.push(spot.found(&POINT, message).severity(severity).beside(beside));
    }
}

fn access_grants(subject: &DeploymentSubject<'_>, bucket: &str, found: &mut Vec<DeploymentFinding>) {
    let file = format!("bucket-{bucket}/access-grants.json");
    let absent = "AccessGrantsInstanceNotExistsError";
    let Some(BucketSetting::There(read)) = subject.bucket_setting::<AccessGrantsFile>(&file, absent) else {
        return;
    };
    for (index, grant) in read.access_grants_list.iter().enumerate() {
        let scope = grant.grant_scope.strip_prefix("s3://").unwrap_or(&grant.grant_scope);
        // A scope may end in a `*`, and be of every bucket.
        let of = scope.split(['/', '*']).next().unwrap_or_default();
        let is_whole = of == scope || scope.get(of.len()..).is_some_and(|rest| rest.starts_with('/'));
        if of != bucket && (is_whole || !bucket.starts_with(of)) {
            continue;
        }
        let (permission, scope) = (grant.permission.escape_debug(), grant.grant_scope.escape_debug());
        let spot = Spot::file(&file).then("AccessGrantsList").at(index);
        found.push(spot.found(&GRANTED, format!("a grant gives `{permission}` on `{scope}`")));
    }
}

/// What neither reads nor writes an object, nor lets others do so.
const NO_USES: [&str; 7] =
    ["DescribeKey", "GetPublicKey", "RetireGrant", "Sign", "Verify", "GenerateMac", "VerifyMac"];

fn grants(subject: &DeploymentSubject<'_>, key: &str, found: &mut Vec<DeploymentFinding>) {
    let file = format!("key-{key}-grants.json");
    let Some(read) = subject.read::<GrantsFile>(&file) else { return };
    for (index, grant) in read.grants.iter().enumerate() {
        let uses = |operation: &String| !NO_USES.contains(&operation.as_str());
        if grant.operations.iter().any(uses) {
            let who = grant.grantee_principal.as_deref().or(grant.grantee_service_principal.as_deref());
            let who = who.unwrap_or("somebody").escape_debug();
            let spot = Spot::file(&file).then("Grants").at(index);
            found.push(spot.found(&KEY_GRANTED, format!("a grant lets `{who}` use the key")));
        }
    }
}

fn distributions(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let file = "distributions.json";
    let Some(read) = subject.read::<DistributionsFile>(file) else { return };
    let ours = subject.identity().map(|one| one.arn);
    let (buckets, staging) = (subject.buckets(), our_staging(subject));
    for (index, other) in read.items.iter().enumerate() {
        // Our own staging distribution is looked at with the policy that uses it.
        let is_our_staging = other.domain_name.as_ref().is_some_and(|name| staging.contains(name));
        if Some(&other.arn) == ours.as_ref() || is_our_staging {
            continue;
        }
        let target =
            |domain: &String| Target::of(&Origin { domain_name: domain.clone(), ..Origin::default() });
        let reaches =
            |domain: &&String| target(domain).bucket().is_some_and(|bucket| buckets.contains(bucket));
        let may_reach = |domain: &&String| target(domain).any_bucket().is_some();
        let reached = other.origins.iter().find(reaches).map(|domain| (domain, ""));
        let perhaps =
            || other.origins.iter().find(may_reach).map(|one| (one, ", which may reach the bucket"));
        if let Some((domain, may)) = reached.or_else(perhaps) {
            let (id, domain) = (other.id.escape_debug(), domain.escape_debug());
            let spot = Spot::file(file).then("Items").at(index);
            found.push(spot.found(&OTHER, format!("distribution `{id}` has the origin `{domain}`{may}")));
        }
    }
}

/// The domain names of the staging distributions of our own continuous deployment policy.
fn our_staging(subject: &DeploymentSubject<'_>) -> Vec<String> {
    if subject.view().continuous_deployment_policy_id.is_empty() {
        return Vec::new();
    }
    let read = subject.read::<ContinuousDeploymentFile>("continuous-deployment-policy.json");
    let config = read.map(|one| one.continuous_deployment_policy.continuous_deployment_policy_config);
    config.map(|one| one.staging_distribution_dns_names.0).unwrap_or_default()
}

fn log_groups(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for function in subject.functions() {
        let arn = function.version.to_string();
        let Some(name) = arn.split(':').nth(6) else { continue };
        let file = format!("log-groups-{name}.json");
        let Some(read) = subject.read::<LogGroupsFile>(&file) else { continue };
        for (region, said) in &read.regions {
            let spot = Spot::file(&file).then("Regions").then(region);
            match said {
                LogGroups::Read { log_groups } => {
                    let mut groups = log_groups.iter();
                    // The prefix may also be that of another function's name.
                    let ours = log_group(&function.configuration, name);
                    if groups.any(|one| one.log_group_name == ours && one.retention_in_days.is_none()) {
                        let message =
                            format!("`{}` in {} never expires", ours.escape_debug(), region.escape_debug());
                        found.push(spot.found(&LOGS, message));
                    }
                }
                LogGroups::NotRead { not_read } => {
                    subject.note(spot, format!("the export could not read it: {}", not_read.escape_debug()));
                }
            }
        }
    }
}

/// The function's log group. Lambda@Edge adds its home Region to the default name only
/// ([AWS: edge function logs](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-logs.html)).
fn log_group(function: &FunctionConfiguration, name: &str) -> String {
    let own = function.logging_config.as_ref().and_then(|config| config.log_group.clone());
    own.filter(|group| *group != format!("/aws/lambda/{name}"))
        .unwrap_or_else(|| format!("/aws/lambda/us-east-1.{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_group_has_the_home_region_in_its_name_only_by_default() {
        for (config, group) in [
            (json!(null), "/aws/lambda/us-east-1.files"),
            (json!({"LogFormat": "Text", "LogGroup": "/aws/lambda/files"}), "/aws/lambda/us-east-1.files"),
            (json!({"LogFormat": "JSON", "LogGroup": "/lambda-edge/files"}), "/lambda-edge/files"),
        ] {
            let function = json!({
                "FunctionArn": "a", "Role": "r", "Timeout": 5, "MemorySize": 128, "CodeSha256": "", "LoggingConfig": config,
            });
            assert_eq!(log_group(&serde_json::from_value(function).unwrap(), "files"), group);
        }
    }
}
