//! The bucket, beside its policy: private, its owner's, and with a way back.

use crate::check::{Check, Severity};
use crate::deployment::documents::{
    AclFile, OwnershipFile, PublicAccessBlock, PublicAccessBlockFile, VersioningFile,
};
use crate::deployment::export::BucketSetting;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static ACL: Check = Check {
    id: "EA281",
    name: "bucket-acl",
    severity: Severity::High,
    title: "the bucket's access control list allows somebody besides its owner",
    why: "Everyone whom the list names goes past the distribution and the function. A group such as AllUsers is \
     everyone. Another account or the log delivery has medium severity.",
    remedy: "set Object Ownership to *bucket owner enforced*, which turns the list off",
};

static OWNERSHIP: Check = Check {
    id: "EA282",
    name: "ownership-not-enforced",
    severity: Severity::Medium,
    title: "access control lists are on, or the bucket's owner does not own every object",
    why: "Then a person who writes an object can make it public, or the object belongs to another account, \
     whatever the policies say.",
    remedy: "set Object Ownership to *bucket owner enforced*",
};

static PUBLIC: Check = Check {
    id: "EA283",
    name: "public-access-not-blocked",
    severity: Severity::Medium,
    title: "Block Public Access is not fully on for the bucket",
    why: "Then one careless statement or access control list makes the bucket public. A setting that is on for the \
     whole account counts too.",
    remedy: "turn all four settings of Block Public Access on",
};

static WEBSITE: Check = Check {
    id: "EA284",
    name: "bucket-is-a-website",
    severity: Severity::Low,
    title: "the bucket has a website endpoint",
    why: "It serves everything that is public, past the distribution. If nothing is public, it has no use.",
    remedy: "delete the bucket's website configuration",
};

static VERSIONS: Check = Check {
    id: "EA285",
    name: "bucket-without-versions",
    severity: Severity::Low,
    title: "the policy allows writing, deleting or reading versions, and the bucket keeps no versions",
    why: "What a stolen token overwrites or deletes is lost. A rule that reads versions has nothing to read.",
    remedy: "turn versioning on",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&ACL, &OWNERSHIP, &PUBLIC, &WEBSITE, &VERSIONS], find);

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
        let message =
            format!("the list grants {} to `{}`", grant.permission.escape_debug(), who.escape_debug());
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
            let enforced =
                matches!(rules.as_slice(), [rule] if rule.object_ownership == "BucketOwnerEnforced");
            if !enforced {
                let all: Vec<_> =
                    rules.iter().map(|rule| rule.object_ownership.escape_debug().to_string()).collect();
                let message =
                    format!("`ObjectOwnership` is `{}`; it must be `BucketOwnerEnforced`", all.join(", "));
                found.push(Spot::file(file).then("OwnershipControls").found(&OWNERSHIP, message));
            }
        }
    }
}

/// What S3 says where nothing is blocked.
const NO_BLOCK: &str = "NoSuchPublicAccessBlockConfiguration";

fn public_access(subject: &DeploymentSubject<'_>, file: &str, found: &mut Vec<DeploymentFinding>) {
    let of_account = subject
        .bucket_setting::<PublicAccessBlockFile>("account-public-access-block.json", NO_BLOCK)
        .and_then(|said| match said {
            BucketSetting::There(read) => Some(read.public_access_block_configuration),
            BucketSetting::Absent => None,
        });
    let on = |one: fn(&PublicAccessBlock) -> bool| of_account.as_ref().is_some_and(one);
    let whole = [
        on(|one| one.block_public_acls),
        on(|one| one.ignore_public_acls),
        on(|one| one.block_public_policy),
        on(|one| one.restrict_public_buckets),
    ];
    match subject.bucket_setting::<PublicAccessBlockFile>(file, NO_BLOCK) {
        None => {}
        Some(BucketSetting::Absent) if whole == [true; 4] => {}
        Some(BucketSetting::Absent) => {
            found.push(Spot::file(file).found(&PUBLIC, "the bucket has no Block Public Access setting"))
        }
        Some(BucketSetting::There(read)) => {
            let block = read.public_access_block_configuration;
            let off: Vec<_> = [
                ("BlockPublicAcls", block.block_public_acls),
                ("IgnorePublicAcls", block.ignore_public_acls),
                ("BlockPublicPolicy", block.block_public_policy),
                ("RestrictPublicBuckets", block.restrict_public_buckets),
            ]
            .into_iter()
            .zip(whole)
            .filter(|((_, on), whole)| !on && !whole)
            .map(|((name, _), _)| format!("`{name}`"))
            .collect();
            if !off.is_empty() {
                let spot = Spot::file(file).then("PublicAccessBlockConfiguration");
                found.push(spot.found(&PUBLIC, format!("{} is off", off.join(", "))));
            }
        }
    }
}
