//! The role that the function runs with.

use crate::check::{Check, Severity};
use crate::deployment::documents::{AttachedFile, InlineFile, RoleFile, RolePolicyFile};
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::iam::{Document, Principal};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static TRUST: Check = Check {
    id: "EA267",
    name: "role-trust",
    severity: Severity::Medium,
    title: "the function's role is not for Lambda and Lambda@Edge only",
    why: "Anyone else who can assume the role can write the decision log, and do everything else that the role \
     may do. A missing service has low severity: CloudFront's replicas cannot assume the role, and every \
     request is an error.",
    remedy: "let `lambda.amazonaws.com` and `edgelambda.amazonaws.com` assume the role, and nobody else",
};

static MORE: Check = Check {
    id: "EA268",
    name: "role-may-do-more",
    severity: Severity::Medium,
    title: "the function's role may do more than write its log",
    why: "The function calls no AWS service. If the role may read the bucket, for example, a fault in the \
     function opens the bucket too, past Origin Access Control. The export does not say what a policy that \
     is attached to the role allows.",
    remedy: "leave the role only `logs:CreateLogGroup`, `logs:CreateLogStream` and `logs:PutLogEvents`, in an inline \
     policy",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&TRUST, &MORE], find);

/// Who runs the function: Lambda, and CloudFront's replicas of it.
const SERVICES: [&str; 2] = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"];

/// What writing a log needs.
const LOG: [&str; 3] = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.functions() {
        let role = one.configuration.role.rsplit('/').next().unwrap_or_default();
        let file = |name: &str| format!("role-{role}/{name}.json");
        if let Some(read) = subject.read::<RoleFile>(&file("role")) {
            let spot = Spot::file(file("role")).then("Role/AssumeRolePolicyDocument");
            trust(&read.role.assume_role_policy_document, &spot, found);
        }
        if let Some(read) = subject.read::<AttachedFile>(&file("attached")) {
            for (index, attached) in read.attached_policies.iter().enumerate() {
                // AWS's own for exactly this.
                if attached.policy_arn == "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" {
                    continue;
                }
                let spot = Spot::file(file("attached")).then("AttachedPolicies").at(index);
                let message = format!("the role has `{}` attached", attached.policy_arn.escape_debug());
                found.push(spot.found(&MORE, message));
            }
        }
        let Some(read) = subject.read::<InlineFile>(&file("inline")) else { continue };
        for name in read.policy_names {
            let file = file(&format!("policy-{name}"));
            let Some(read) = subject.read::<RolePolicyFile>(&file) else { continue };
            rights(&read.policy_document, &Spot::file(file).then("PolicyDocument"), found);
        }
    }
}

fn trust(document: &Document, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    let mut missing = SERVICES.to_vec();
    for (index, statement) in document.allows() {
        let spot = spot.then("Statement").at(index);
        if let Some(member) = statement.inverted() {
            found.push(spot.then(member).found(&TRUST, format!("the statement has `{member}`")));
            continue;
        }
        for principal in statement.principals() {
            let name = match principal {
                Principal::Other(name) | Principal::AccessIdentity(name) => name,
                Principal::CloudFront => "cloudfront.amazonaws.com".to_owned(),
                Principal::Everyone => "*".to_owned(),
            };
            if SERVICES.contains(&name.as_str()) {
                missing.retain(|service| *service != name);
            } else {
                let message = format!("`{}` can assume the role", name.escape_debug());
                found.push(spot.then("Principal").found(&TRUST, message));
            }
        }
    }
    if !missing.is_empty() {
        let message = format!("`{}` cannot assume the role", missing.join("`, `"));
        found.push(spot.clone().found(&TRUST, message).severity(Severity::Low));
    }
}

fn rights(document: &Document, spot: &Spot, found: &mut Vec<DeploymentFinding>) {
    for (index, statement) in document.allows() {
        let spot = spot.then("Statement").at(index);
        if let Some(member) = statement.inverted() {
            found.push(spot.then(member).found(&MORE, format!("the statement has `{member}`")));
            continue;
        }
        let is_log = |action: &&String| LOG.iter().any(|log| log.eq_ignore_ascii_case(action));
        let more = statement.actions().iter().filter(|action| !is_log(action));
        let more: Vec<_> = more.map(|action| format!("`{}`", action.escape_debug())).collect();
        if !more.is_empty() {
            found.push(spot.then("Action").found(&MORE, format!("the statement allows {}", more.join(", "))));
        }
    }
}
