//! Origin Access Control: CloudFront signs, and only CloudFront.

use authorizer_cloudfront::Target;

use crate::check::{Check, Severity};
use crate::deployment::documents::OriginAccessControlFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static NONE: Check = Check {
    id: "EA210",
    name: "no-origin-access-control",
    severity: Severity::High,
    title: "an origin that is a bucket has no Origin Access Control",
    why: "CloudFront then requests objects without a signature, and the bucket answers only if they are public. \
     So a bucket that works this way is open, and viewers can reach it at its own address, past the \
     distribution.",
    remedy: "give the origin an Origin Access Control of type `s3` that signs `always` with `sigv4`",
};

static NOT_ALWAYS: Check = Check {
    id: "EA211",
    name: "signing-not-always",
    severity: Severity::High,
    title: "an Origin Access Control does not always sign",
    why: "With `no-override`, a viewer's own `Authorization` goes to S3 instead of CloudFront's signature. The \
     request is then decided for one identity and done by another. With `never`, nothing is signed.",
    remedy: "set `SigningBehavior` to `always`",
};

static NOT_S3: Check = Check {
    id: "EA212",
    name: "signing-not-for-s3",
    severity: Severity::High,
    title: "an Origin Access Control is not of type `s3` with `sigv4`",
    why: "S3 accepts no other signature from CloudFront. This check does not know what another origin type signs.",
    remedy: "create an Origin Access Control with `OriginAccessControlOriginType` `s3` and `SigningProtocol` `sigv4`",
};

static IDENTITY: Check = Check {
    id: "EA215",
    name: "origin-access-identity",
    severity: Severity::Medium,
    title: "an origin has an origin access identity",
    why: "It is the older way for CloudFront to sign. It does not work for uploads that are signed with `sigv4`, \
     or for a bucket with a KMS key. The identity is not bound to one distribution: a bucket policy that \
     names it allows every distribution of the account that has it.",
    remedy: "make `OriginAccessIdentity` empty, and remove the identity from the bucket policy",
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
            let message = format!("`{name}` is `{}`; it must be `{must}`", value.escape_debug());
            found.push(spot.then(name).found(check, message));
        }
    };
    hold(&NOT_ALWAYS, "SigningBehavior", &config.signing_behavior, "always");
    hold(&NOT_S3, "SigningProtocol", &config.signing_protocol, "sigv4");
    hold(&NOT_S3, "OriginAccessControlOriginType", &config.origin_access_control_origin_type, "s3");
}
