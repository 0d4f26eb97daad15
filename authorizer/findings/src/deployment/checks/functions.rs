//! The functions on a behavior: ours, on the viewer's request, and none beside it.

use authorizer_cloudfront::view::VIEWER_REQUEST;
use authorizer_cloudfront::{FunctionVersion, Target};

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::{BehaviorAt, DeploymentSubject};
use crate::family::Family;

static WITHOUT: Check = Check {
    id: "EA201",
    name: "behavior-without-function",
    severity: Severity::High,
    title: "a behavior reaches a bucket, and no function sees the viewer's request",
    why: "CloudFront signs every request of this behavior for the bucket, and the bucket policy allows the whole \
     distribution. So everyone may use every object, with every method that the behavior allows. CloudFront \
     reads the path in its own way when it picks a behavior, so a path pattern does not separate behaviors \
     safely.",
    remedy: "put the function on it with `authorizer attach --behavior all`, or remove the behavior",
};

static NO_VERSION: Check = Check {
    id: "EA202",
    name: "function-is-no-version",
    severity: Severity::High,
    title: "the function on a behavior is not a numbered version in us-east-1",
    why: "`$LATEST` and an alias can be other code tomorrow, without a change of the distribution, and nobody \
     reviewed that code. CloudFront accepts only a numbered version, so this value is not what runs.",
    remedy: "publish a version, and put its ARN on the behavior",
};

static WRONG_EVENT: Check = Check {
    id: "EA203",
    name: "function-on-another-event",
    severity: Severity::High,
    title: "a behavior has a Lambda function, but not on viewer-request",
    why: "An origin event happens only if the cache has no answer. So the cache gives the next viewer, without a \
     decision, what the first viewer was allowed. A response event happens after the operation.",
    remedy: "put the function on `viewer-request`",
};

static BODY: Check = Check {
    id: "EA204",
    name: "body-included",
    severity: Severity::Low,
    title: "the function receives the body of an upload",
    why: "The decision does not use the body. CloudFront sends up to 40 KB of it with each event, which costs \
     time. What a viewer uploads is then in the memory of the function.",
    remedy: "set `IncludeBody` to false",
};

static BESIDE: Check = Check {
    id: "EA205",
    name: "function-beside",
    severity: Severity::High,
    title: "another function is on the same behavior as the authorizer",
    why: "A function on origin-request can change the key, the headers and the origin after the decision, and \
     Origin Access Control signs the result. A function on a response can reveal what was refused. It was \
     not reviewed with the policy.",
    remedy: "remove it from the behavior, or review it as part of the authorizer",
};

pub(super) static FAMILY: Family =
    Family::Deployment(&[&WITHOUT, &NO_VERSION, &WRONG_EVENT, &BODY, &BESIDE], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let buckets = subject.buckets();
    for one in subject.all_behaviors() {
        let reached = subject.buckets_of(one.behavior);
        let lambdas = &one.behavior.lambda_function_associations.0;
        if one.behavior.viewer_request().is_some() {
            continue;
        }
        let Some(bucket) = reached.first() else {
            // An access point and the like: the bucket behind it may be the same.
            for origin in subject.view().origins_of(one.behavior) {
                if let Some(other) = Target::of(origin).any_bucket() {
                    let id = origin.id.escape_debug();
                    let message =
                        format!("{} reaches {other} (origin `{id}`) without the authorizer", one.name);
                    found.push(one.spot.clone().found(&WITHOUT, message));
                }
            }
            continue;
        };
        if !lambdas.is_empty() {
            let events: Vec<_> =
                lambdas.iter().map(|one| format!("`{}`", one.event_type.escape_debug())).collect();
            let spot = one.spot.then("LambdaFunctionAssociations");
            found.push(spot.found(
                &WRONG_EVENT,
                format!("{} has a function on {}, but not on `viewer-request`", one.name, events.join(", ")),
            ));
            continue;
        }
        let guarded = !reached.is_disjoint(&buckets);
        let message =
            format!("{} reaches the bucket `{}` without the authorizer", one.name, bucket.escape_debug());
        let finding = one.spot.clone().found(&WITHOUT, message);
        // A bucket that no behavior guards may be meant for everybody.
        found.push(if guarded { finding } else { finding.severity(Severity::Medium) });
    }
    for one in subject.behaviors() {
        on_viewer_request(&one, found);
        beside(&one, found);
    }
}

fn on_viewer_request(one: &BehaviorAt<'_>, found: &mut Vec<DeploymentFinding>) {
    for (index, association) in one.behavior.lambda_function_associations.0.iter().enumerate() {
        let spot = one.spot.then("LambdaFunctionAssociations/Items").at(index);
        if association.event_type != VIEWER_REQUEST {
            continue;
        }
        if let Err(why) = FunctionVersion::parse(&association.arn) {
            let message = format!("{}: `{}` {why}", one.name, association.arn.escape_debug());
            found.push(spot.then("LambdaFunctionARN").found(&NO_VERSION, message));
        }
        if association.include_body {
            found.push(
                spot.then("IncludeBody").found(&BODY, format!("{} sends the body to the function", one.name)),
            );
        }
    }
}

fn beside(one: &BehaviorAt<'_>, found: &mut Vec<DeploymentFinding>) {
    // Where none is on the viewer's request, that is the finding.
    if one.behavior.viewer_request().is_none() {
        return;
    }
    let mut tell = |list: &str, index, event: &str, arn: &str| {
        let message =
            format!("{} also has a function on `{}`: {}", one.name, event.escape_debug(), arn.escape_debug());
        found.push(one.spot.then(list).at(index).found(&BESIDE, message));
    };
    for (index, lambda) in one.behavior.lambda_function_associations.0.iter().enumerate() {
        if lambda.event_type != VIEWER_REQUEST {
            tell("LambdaFunctionAssociations/Items", index, &lambda.event_type, &lambda.arn);
        }
    }
    for (index, function) in one.behavior.function_associations.0.iter().enumerate() {
        tell("FunctionAssociations/Items", index, &function.event_type, &function.arn);
    }
}
