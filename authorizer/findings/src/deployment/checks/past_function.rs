//! Features of a behavior for which CloudFront runs no function, or which let nobody in.

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static GRPC: Check = Check {
    id: "EA206",
    name: "behavior-takes-grpc",
    severity: Severity::High,
    title: "a behavior takes gRPC, for which CloudFront runs no Lambda function",
    why: "CloudFront proxies every request with `Content-Type: application/grpc` directly to the origin. It does not \
     run the function for it, and signs the request. So a viewer can go past the authorizer with one header.",
    remedy: "set `Enabled` of `GrpcConfig` to false, with `authorizer attach --turn-off grpc`",
};

static SMOOTH: Check = Check {
    id: "EA207",
    name: "behavior-streams-smoothly",
    severity: Severity::High,
    title: "a behavior streams in Microsoft's Smooth Streaming format, for which CloudFront runs no Lambda function",
    why: "AWS does not support Lambda@Edge with Smooth Streaming. CloudFront reads the path of such a request in its \
     own way, and what it requests from the bucket is not what the function decided on.",
    remedy: "set `SmoothStreaming` to false, with `authorizer attach --turn-off smooth-streaming`",
};

static SIGNED: Check = Check {
    id: "EA209",
    name: "signed-urls-required",
    severity: Severity::Medium,
    title: "a behavior requires CloudFront's own signed URLs or cookies beside the token",
    why: "CloudFront answers 403 with `MissingKey` to every viewer who brings only a token, so nobody gets in with what \
     the policy allows. The answer looks like a refusal of the function, but is not in its log.",
    remedy: "remove the trusted key groups and signers from the behavior, if viewers do not also sign their URLs",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&GRPC, &SMOOTH, &SIGNED], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    for one in subject.behaviors() {
        let (name, behavior, spot) = (&one.name, one.behavior, &one.spot);
        if behavior.grpc_config.enabled {
            let message = format!("{name} takes gRPC");
            found.push(spot.then("GrpcConfig").then("Enabled").found(&GRPC, message));
        }
        if behavior.smooth_streaming {
            let message = format!("{name} has `SmoothStreaming` on");
            found.push(spot.then("SmoothStreaming").found(&SMOOTH, message));
        }
        for setting in behavior.signatures_required() {
            let message = format!("{name} has `{setting}`, so it requires signed URLs or cookies");
            found.push(spot.then(setting).found(&SIGNED, message));
        }
    }
}
