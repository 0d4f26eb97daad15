//! The bucket, beside its policy: private, its owner's, and with a way back.

use crate::deployment::documents::{AclFile, OwnershipFile, PublicAccessBlockFile, VersioningFile};
use crate::deployment::export::BucketSetting;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::check::{Check, Severity};
use crate::family::Family;

static ACL: Check = Check {
    id: "EA281",
    name: "bucket-acl",
    severity: Severity::High,
    title: "the bucket's access control list lets somebody in beside its owner",
    why: "Whoever it names goes past the distribution and the function. A group such as AllUsers is everybody; another \
     account or the log delivery is of medium severity.",
    remedy: "set Object Ownership to *bucket owner enforced*, under which no list has an effect",
};

static OWNERSHIP: Check = Check {
    id: "EA282",
    name: "ownership-not-enforced",
    severity: Severity::Medium,
    title: "the bucket's owner does not own every object, or access control lists have an effect",
    why: "An object can then be made public by whoever writes it, or belong to another account, whatever the policies say.",
    remedy: "set Object Ownership to *bucket owner enforced*",
};

static PUBLIC: Check = Check {
    id: "EA283",
    name: "public-access-not-blocked",
    severity: Severity::Medium,
    title: "Block Public Access is not on, whole, for the bucket",
    why: "One careless statement or list then makes the bucket public. What the account blocks is not in the export.",
    remedy: "turn all four settings of Block Public Access on",
};

static WEBSITE: Check = Check {
    id: "EA284",
    name: "bucket-is-a-website",
    severity: Severity::Low,
    title: "the bucket has a website endpoint",
    why: "It serves whatever becomes public, past the distribution, and has no use where nothing is.",
    remedy: "delete the bucket's website configuration",
};

static VERSIONS: Check = Check {
    id: "EA285",
    name: "bucket-without-versions",
    severity: Severity::Low,
    title: "the policy writes, deletes or reads versions, and the bucket keeps none",
    why: "What a stolen token overwrites or deletes is gone. A rule that reads versions has nothing to read.",
    remedy: "turn versioning on",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&ACL, &OWNERSHIP, &PUBLIC, &WEBSITE, &VERSIONS], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for bucket in subject.buckets() {
        let file = |name: &str| format!("bucket-{bucket}/{name}.json");
        if let Some(read) = subject.read(&file("acl")) {
            acl(&file("acl"), &read, found);
        }
        ownership(subject, &file("ownership-controls"), found);
        public_access(subject, &file("public-access-block"), found);
        let website = file("website");
        let answer = subject.bucket_setting::<serde_json::Value>(&website, "NoSuchWebsiteConfiguration");
        if let Some(BucketSetting::There(_)) = answer {
            found.push(Spot::file(website).found(&WEBSITE, format!("bucket `{bucket}` is a website")));
        }
        let versioning = file("versioning");
        let wanted = subject.deployment_needs.writes || subject.deployment_needs.reads_versions;
        if let Some(read) = subject.read::<VersioningFile>(&versioning)
            && wanted
            && read.status.as_deref() != Some("Enabled")
        {
            let message = format!("versioning of bucket `{bucket}` is not on");
            found.push(Spot::file(versioning).found(&VERSIONS, message));
        }
    }
}

fn acl(file: &str, read: &AclFile, found: &mut Vec<DeploymentFinding>) {
    for (index, grant) in read.grants.iter().enumerate() {
        let grantee = &grant.grantee;
        if grantee.uri.is_none() && grantee.id.as_deref() == Some(read.owner.id.as_str()) {
            continue;
        }
        let uri = grantee.uri.as_deref().unwrap_or_default();
        let everyone = ["/AllUsers", "/AuthenticatedUsers"].iter().any(|group| uri.ends_with(group));
        let severity = if everyone { Severity::High } else { Severity::Medium };
        let who = grantee.uri.as_deref().or(grantee.id.as_deref()).unwrap_or("somebody");
        let message = format!("it grants {} to `{}`", grant.permission.escape_debug(), who.escape_debug());
        found.push(Spot::file(file).then("Grants").at(index).found(&ACL, message).severity(severity));
    }
}

fn ownership(subject: &DeploymentSubject<'_>, file: &str, found: &mut Vec<DeploymentFinding>) {
    match subject.bucket_setting::<OwnershipFile>(file, "OwnershipControlsNotFoundError") {
        None => {}
        Some(BucketSetting::Absent) => {
            found.push(Spot::file(file).found(&OWNERSHIP, "the bucket has no ownership controls"));
        }
        Some(BucketSetting::There(read)) => {
            let rules = &read.ownership_controls.rules;
            let enforced = matches!(rules.as_slice(), [rule] if rule.object_ownership == "BucketOwnerEnforced");
            if !enforced {
                let all: Vec<_> = rules.iter().map(|rule| rule.object_ownership.escape_debug().to_string()).collect();
                let message = format!("`ObjectOwnership` is `{}`, and not `BucketOwnerEnforced`", all.join(", "));
                found.push(Spot::file(file).then("OwnershipControls").found(&OWNERSHIP, message));
            }
        }
    }
}

fn public_access(subject: &DeploymentSubject<'_>, file: &str, found: &mut Vec<DeploymentFinding>) {
    match subject.bucket_setting::<PublicAccessBlockFile>(file, "NoSuchPublicAccessBlockConfiguration") {
        None => {}
        Some(BucketSetting::Absent) => found.push(Spot::file(file).found(&PUBLIC, "the bucket has no such setting")),
        Some(BucketSetting::There(read)) => {
            let block = read.public_access_block_configuration;
            let off: Vec<_> = [
                ("BlockPublicAcls", block.block_public_acls),
                ("IgnorePublicAcls", block.ignore_public_acls),
                ("BlockPublicPolicy", block.block_public_policy),
                ("RestrictPublicBuckets", block.restrict_public_buckets),
            ]
            .into_iter()
            .filter(|(_, on)| !on)
            .map(|(name, _)| format!("`{name}`"))
            .collect();
            if !off.is_empty() {
                let spot = Spot::file(file).then("PublicAccessBlockConfiguration");
                found.push(spot.found(&PUBLIC, format!("{} is off", off.join(", "))));
            }
        }
    }
}
