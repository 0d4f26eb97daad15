//! Origin Access Control: CloudFront signs, and only CloudFront.

use authorizer_cloudfront::Target;

use crate::deployment::documents::OriginAccessControlFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::check::{Check, Severity};
use crate::family::Family;

static NONE: Check = Check {
    id: "EA210",
    name: "no-origin-access-control",
    severity: Severity::High,
    title: "an origin that is a bucket has no Origin Access Control",
    why: "CloudFront then asks the bucket as anybody would, and the bucket can only answer what is public. To be of any \
     use such a bucket is open, and its own address goes past the distribution.",
    remedy: "give the origin an Origin Access Control of type `s3` that signs `always` with `sigv4`",
};

static NOT_ALWAYS: Check = Check {
    id: "EA211",
    name: "signing-not-always",
    severity: Severity::High,
    title: "an Origin Access Control does not always sign",
    why: "With `no-override` a viewer's own `Authorization` goes to S3 in the place of CloudFront's signature, so that a \
     request is decided on by one identity and done by another; with `never` nothing is signed.",
    remedy: "set `SigningBehavior` to `always`",
};

static NOT_S3: Check = Check {
    id: "EA212",
    name: "signing-not-for-s3",
    severity: Severity::High,
    title: "an Origin Access Control is not of type `s3` with `sigv4`",
    why: "S3 takes no other signature of CloudFront's, and what another origin type signs is not judged here.",
    remedy: "make an Origin Access Control with `OriginAccessControlOriginType` `s3` and `SigningProtocol` `sigv4`",
};

static IDENTITY: Check = Check {
    id: "EA215",
    name: "origin-access-identity",
    severity: Severity::Medium,
    title: "an origin has an origin access identity",
    why: "It is the older way for CloudFront to sign, which works neither for uploads that are signed with `sigv4` nor for \
     a bucket with a KMS key. The identity is not bound to one distribution: a bucket policy that still names it lets \
     every distribution of the account in that has it.",
    remedy: "make `OriginAccessIdentity` empty, and take the identity out of the bucket's policy",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&NONE, &NOT_ALWAYS, &NOT_S3, &IDENTITY], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.origins() {
        let id = one.origin.id.escape_debug();
        if let Some(config) = &one.origin.s3_origin_config
            && !config.origin_access_identity.is_empty()
        {
            let identity = config.origin_access_identity.escape_debug();
            let spot = one.spot.then("S3OriginConfig/OriginAccessIdentity");
            found.push(spot.found(&IDENTITY, format!("origin `{id}` has `{identity}`")));
        }
        let Target::Bucket(_) = Target::of(one.origin) else { continue };
        let control = &one.origin.origin_access_control_id;
        if control.is_empty() {
            found.push(one.spot.found(&NONE, format!("origin `{id}` has no `OriginAccessControlId`")));
            continue;
        }
        let file = format!("origin-access-control-{control}.json");
        if let Some(read) = subject.read(&file) {
            judge(&file, &read, found);
        }
    }
}

fn judge(file: &str, read: &OriginAccessControlFile, found: &mut Vec<DeploymentFinding>) {
    let config = &read.origin_access_control.origin_access_control_config;
    let spot = Spot::file(file).then("OriginAccessControl/OriginAccessControlConfig");
    let mut hold = |check, name: &str, value: &str, must: &str| {
        if value != must {
            let message = format!("`{name}` is `{}`, and not `{must}`", value.escape_debug());
            found.push(spot.then(name).found(check, message));
        }
    };
    hold(&NOT_ALWAYS, "SigningBehavior", &config.signing_behavior, "always");
    hold(&NOT_S3, "SigningProtocol", &config.signing_protocol, "sigv4");
    hold(&NOT_S3, "OriginAccessControlOriginType", &config.origin_access_control_origin_type, "s3");
}
