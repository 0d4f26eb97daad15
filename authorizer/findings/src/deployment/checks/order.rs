//! Whether CloudFront sends requests to each behavior.

use std::collections::BTreeSet;

use authorizer_cloudfront::view::Behavior;
use authorizer_cloudfront::{Escapes, Order, Unreached, WhyUndecided};

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

/// Also found of keys that were not compared with the path patterns.
pub(super) static UNDECIDED: Check = Check {
    id: "EA258",
    name: "path-patterns-not-decided",
    severity: Severity::Low,
    title: "a question about path patterns was not decided",
    why: "Whether a behavior gets a request, or in which buckets the keys of a rule may be, follows from the path patterns. \
      Here it does not: AWS does not document what a `%` in a path pattern means, or the patterns are too long to compare. \
      The checks that ask this (EA255 to EA257, EA298, EA299) may miss something: treat it as unchecked.",
    remedy: "use no `%` and fewer characters in the path patterns, and fewer characters in the keys",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&UNREACHED, &UNDECIDED], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let all = subject.all_behaviors();
    let guarded: Vec<_> = subject.behaviors().into_iter().map(|one| one.spot).collect();
    let concerns = |index: usize| all.get(index).is_none_or(|one| guarded.contains(&one.spot));
    let order = Order::of(subject.view(), Escapes::NotKnown, concerns);
    for one in &order.undecided {
        let (Some(later), Some(earlier)) = (all.get(one.index), all.get(one.before)) else { continue };
        let (later_name, earlier) = (&later.name, &earlier.name);
        let message = match one.why {
            WhyUndecided::Escape => format!(
                "whether {later_name} gets a request is not decided: it depends on what `%` means in its path pattern or in \
                 that of {earlier}, before it"
            ),
            WhyUndecided::Steps => format!(
                "whether {later_name} gets a request is not decided: to compare its path pattern with that of {earlier}, \
                 before it, takes too many steps"
            ),
        };
        found.push(later.spot.clone().found(&UNDECIDED, message));
    }
    for Unreached { index, by } in order.unreached {
        let (Some(one), Some(first)) = (all.get(index), all.get(by)) else { continue };
        if !guarded.contains(&one.spot) && !guarded.contains(&first.spot) {
            continue;
        }
        // With the same origin and the same function, only other settings are lost. Some of them limit access.
        let leads = |at: &BehaviorAt<'_>| {
            let function = at.behavior.viewer_request().map(|one| one.arn.clone());
            (at.behavior.target_origin_id.clone(), function)
        };
        let limits = limits_lost(one.behavior, first.behavior);
        let is_same = leads(one) == leads(first) && limits.is_empty();
        let severity = if is_same { Severity::Low } else { UNREACHED.severity };
        let lost: Vec<_> = limits.iter().map(|limit| format!("`{limit}`")).collect();
        let lost = if lost.is_empty() {
            String::new()
        } else {
            format!(", and its {} limits nobody", lost.join(" and "))
        };
        let message =
            format!("{} gets no request: {}, before it, takes each of its paths{lost}", one.name, first.name);
        found.push(one.spot.clone().found(&UNREACHED, message).severity(severity));
    }
}

/// The settings of a behavior that limit access, and that the one which gets its requests does not have.
fn limits_lost(of: &Behavior, first: &Behavior) -> Vec<&'static str> {
    let asked = first.signatures_required();
    let mut lost: Vec<_> =
        of.signatures_required().into_iter().filter(|setting| !asked.contains(setting)).collect();
    if !methods_of(first).is_subset(&methods_of(of)) {
        lost.push("AllowedMethods");
    }
    // `https-only` and `redirect-to-https` refuse plain HTTP.
    let is_plain = |behavior: &Behavior| behavior.viewer_protocol_policy == "allow-all";
    if is_plain(first) && !is_plain(of) {
        lost.push("ViewerProtocolPolicy");
    }
    let arns = |behavior: &Behavior| -> BTreeSet<(String, String)> {
        let functions = behavior.function_associations.0.iter();
        functions.map(|one| (one.event_type.clone(), one.arn.clone())).collect()
    };
    if !arns(of).is_subset(&arns(first)) {
        lost.push("FunctionAssociations");
    }
    let arns = |behavior: &Behavior| -> BTreeSet<(String, String)> {
        let functions = behavior.lambda_function_associations.0.iter();
        functions.map(|one| (one.event_type.clone(), one.arn.clone())).collect()
    };
    if !arns(of).is_subset(&arns(first)) {
        lost.push("LambdaFunctionAssociations");
    }
    lost
}

/// GET and HEAD are those of a behavior that does not say.
fn methods_of(behavior: &Behavior) -> BTreeSet<&str> {
    match &behavior.allowed_methods {
        Some(methods) => methods.allowed.0.iter().map(String::as_str).collect(),
        None => BTreeSet::from(["GET", "HEAD"]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_setting_that_limits_access_is_lost_if_the_earlier_behavior_does_not_have_it() {
        let behavior = |more: &Value| -> Behavior {
            let mut written = json!({"TargetOriginId": "bucket", "ViewerProtocolPolicy": "https-only"});
            written.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(written).unwrap()
        };
        let signed = json!({"TrustedKeyGroups": {"Enabled": true, "Quantity": 1, "Items": ["k"]}});
        let deleting = json!({"AllowedMethods": {"Quantity": 3, "Items": ["GET", "HEAD", "DELETE"]}});
        let plain = json!({"ViewerProtocolPolicy": "allow-all"});
        let function = json!({"FunctionAssociations": {"Quantity": 1,
            "Items": [{"FunctionARN": "arn:aws:cloudfront::111122223333:function/f", "EventType": "viewer-request"}]}});
        for (of, first, expected) in [
            (json!({}), json!({}), vec![]),
            (signed.clone(), json!({}), vec!["TrustedKeyGroups"]),
            (signed.clone(), signed.clone(), vec![]),
            (json!({}), signed, vec![]),
            (json!({}), deleting.clone(), vec!["AllowedMethods"]),
            (deleting, json!({}), vec![]),
            (json!({}), plain.clone(), vec!["ViewerProtocolPolicy"]),
            (plain, json!({}), vec![]),
            (function.clone(), json!({}), vec!["FunctionAssociations"]),
            (json!({}), function, vec![]),
            (json!({"Compress": true}), json!({}), vec![]),
        ] {
            assert_eq!(limits_lost(&behavior(&of), &behavior(&first)), expected, "{of} {first}");
        }
    }
}
