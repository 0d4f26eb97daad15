//! Whether CloudFront sends requests to each behavior.

use authorizer_cloudfront::Unreached;

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::{BehaviorAt, DeploymentSubject};
use crate::family::Family;

static UNREACHED: Check = Check {
    id: "EA255",
    name: "behavior-never-reached",
    severity: Severity::Medium,
    title: "a behavior gets no request, because one before it takes all of its paths",
    why: "CloudFront sends a request to the first behavior whose path pattern matches. So the function, the bucket and the \
      settings of this behavior are never used, whatever they say: its requests are decided and answered as those of the \
      behavior before it.",
    remedy: "put the behavior with the narrower path pattern first, or remove the behavior that gets no request",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&UNREACHED], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let all = subject.all_behaviors();
    let guarded: Vec<_> = subject.behaviors().into_iter().map(|one| one.spot).collect();
    for Unreached { index, by } in Unreached::all(subject.view()) {
        let (Some(one), Some(first)) = (all.get(index), all.get(by)) else { continue };
        if !guarded.contains(&one.spot) && !guarded.contains(&first.spot) {
            continue;
        }
        // With the same origin and the same function, only other settings are lost.
        let leads = |at: &BehaviorAt<'_>| {
            let function = at.behavior.viewer_request().map(|one| one.arn.clone());
            (at.behavior.target_origin_id.clone(), function)
        };
        let is_same = leads(one) == leads(first);
        let severity = if is_same { Severity::Low } else { UNREACHED.severity };
        let message = format!("{} gets no request: {}, before it, takes each of its paths", one.name, first.name);
        found.push(one.spot.clone().found(&UNREACHED, message).severity(severity));
    }
}
