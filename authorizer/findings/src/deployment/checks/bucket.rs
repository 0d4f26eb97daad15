//! The bucket, beside its policy: private, its owner's, and with a way back.

use crate::deployment::documents::{AclFile, OwnershipFile, PublicAccessBlockFile, VersioningFile};
use crate::deployment::export::Answer;
use crate::deployment::finding::{Finding, Spot};
use crate::deployment::subject::Subject;
use crate::{Check, Severity};

static ACL: Check = Check::of_deployment(
    ("EA281", "bucket-acl"),
    Severity::High,
    "the bucket's access control list allows somebody besides its owner",
    "Everyone whom the list names goes past the distribution and the function. A group such as AllUsers is \
     everyone. Another account or the log delivery has medium severity.",
    "set Object Ownership to *bucket owner enforced*, which turns the list off",
);

static OWNERSHIP: Check = Check::of_deployment(
    ("EA282", "ownership-not-enforced"),
    Severity::Medium,
    "access control lists are on, or the bucket's owner does not own every object",
    "Then a person who writes an object can make it public, or the object belongs to another account, \
     whatever the policies say.",
    "set Object Ownership to *bucket owner enforced*",
);

static PUBLIC: Check = Check::of_deployment(
    ("EA283", "public-access-not-blocked"),
    Severity::Medium,
    "Block Public Access is not fully on for the bucket",
    "Then one careless statement or access control list makes the bucket public. The export does not contain \
     what the account blocks.",
    "turn all four settings of Block Public Access on",
);

static WEBSITE: Check = Check::of_deployment(
    ("EA284", "bucket-is-a-website"),
    Severity::Low,
    "the bucket has a website endpoint",
    "It serves everything that is public, past the distribution. If nothing is public, it has no use.",
    "delete the bucket's website configuration",
);

static VERSIONS: Check = Check::of_deployment(
    ("EA285", "bucket-without-versions"),
    Severity::Low,
    "the policy allows writing, deleting or reading versions, and the bucket keeps no versions",
    "What a stolen token overwrites or deletes is lost. A rule that reads versions has nothing to read.",
    "turn versioning on",
);

pub(super) static CHECKS: &[&Check] = &[&ACL, &OWNERSHIP, &PUBLIC, &WEBSITE, &VERSIONS];

pub(super) fn find(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for bucket in subject.buckets() {
        let file = |name: &str| format!("bucket-{bucket}/{name}.json");
        if let Some(read) = subject.read(&file("acl"), found) {
            acl(&file("acl"), &read, found);
        }
        ownership(subject, &file("ownership-controls"), found);
        public_access(subject, &file("public-access-block"), found);
        let website = file("website");
        let answer = subject.answer::<serde_json::Value>(&website, "NoSuchWebsiteConfiguration", found);
        if let Some(Answer::There(_)) = answer {
            found.push(Spot::file(website).found(&WEBSITE, format!("bucket `{bucket}` is a website")));
        }
        let versioning = file("versioning");
        let wanted = subject.demands.writes || subject.demands.reads_versions;
        if let Some(read) = subject.read::<VersioningFile>(&versioning, found)
            && wanted
            && read.status.as_deref() != Some("Enabled")
        {
            let message = format!("versioning of bucket `{bucket}` is not on");
            found.push(Spot::file(versioning).found(&VERSIONS, message));
        }
    }
}

fn acl(file: &str, read: &AclFile, found: &mut Vec<Finding>) {
    for (index, grant) in read.grants.iter().enumerate() {
        let grantee = &grant.grantee;
        if grantee.uri.is_none() && grantee.id.as_deref() == Some(read.owner.id.as_str()) {
            continue;
        }
        let uri = grantee.uri.as_deref().unwrap_or_default();
        let everyone = ["/AllUsers", "/AuthenticatedUsers"].iter().any(|group| uri.ends_with(group));
        let severity = if everyone { Severity::High } else { Severity::Medium };
        let who = grantee.uri.as_deref().or(grantee.id.as_deref()).unwrap_or("somebody");
        let message = format!("the list grants {} to `{}`", grant.permission.escape_debug(), who.escape_debug());
        found.push(Spot::file(file).then("Grants").at(index).found(&ACL, message).severity(severity));
    }
}

fn ownership(subject: &Subject<'_>, file: &str, found: &mut Vec<Finding>) {
    match subject.answer::<OwnershipFile>(file, "OwnershipControlsNotFoundError", found) {
        None => {}
        Some(Answer::Absent) => {
            found.push(Spot::file(file).found(&OWNERSHIP, "the bucket has no ownership controls"));
        }
        Some(Answer::There(read)) => {
            let rules = &read.ownership_controls.rules;
            let enforced = matches!(rules.as_slice(), [rule] if rule.object_ownership == "BucketOwnerEnforced");
            if !enforced {
                let all: Vec<_> = rules.iter().map(|rule| rule.object_ownership.escape_debug().to_string()).collect();
                let message = format!("`ObjectOwnership` is `{}`; it must be `BucketOwnerEnforced`", all.join(", "));
                found.push(Spot::file(file).then("OwnershipControls").found(&OWNERSHIP, message));
            }
        }
    }
}

fn public_access(subject: &Subject<'_>, file: &str, found: &mut Vec<Finding>) {
    match subject.answer::<PublicAccessBlockFile>(file, "NoSuchPublicAccessBlockConfiguration", found) {
        None => {}
        Some(Answer::Absent) => found.push(Spot::file(file).found(&PUBLIC, "the bucket has no Block Public Access setting")),
        Some(Answer::There(read)) => {
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
