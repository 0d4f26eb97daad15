//! The methods that a behavior allows, and those that the policy could allow.

use authorizer_core::SignIn;
use authorizer_core::operation::Method;

use crate::check::{Check, Severity};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static MISSING: Check = Check {
    id: "EA223",
    name: "method-not-let-in",
    severity: Severity::Low,
    title: "a behavior refuses a method that the policy could allow",
    why: "CloudFront itself answers 403 and does not call the function. So a part of the policy does nothing.",
    remedy: "allow the smallest of CloudFront's three method sets that contains what the policy allows",
};

static MORE: Check = Check {
    id: "EA224",
    name: "method-without-a-rule",
    severity: Severity::Low,
    title: "a behavior allows methods that no rule could allow",
    why: "Only the function refuses these methods. If CloudFront refuses them, nothing depends on the function.",
    remedy: "allow the smallest of CloudFront's three method sets that contains what the policy allows",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&MISSING, &MORE], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let possible = subject.policy().possible();
    let asked = possible.operations.methods().map(Method::as_str);
    let asked = asked.chain(possible.preflights.then_some("OPTIONS"));
    // Sessions are renewed and ended by POST, which no rule speaks of.
    let is_flow = subject.policy().sign_in().and_then(SignIn::code_flow).is_some();
    let mut asked: Vec<_> = asked.collect();
    if is_flow && !asked.contains(&"POST") {
        asked.push("POST");
    }
    let least = subject.distribution_needs.methods.methods();
    for one in subject.behaviors() {
        let spot = one.spot.then("AllowedMethods");
        let allowed: Vec<&str> = match &one.behavior.allowed_methods {
            Some(methods) => methods.allowed.0.iter().map(String::as_str).collect(),
            None => vec!["GET", "HEAD"],
        };
        let listed =
            |methods: Vec<&str>| methods.iter().map(|one| one.escape_debug().to_string()).collect::<Vec<_>>();
        let missing = listed(asked.iter().copied().filter(|method| !allowed.contains(method)).collect());
        if !missing.is_empty() {
            let message = format!("{} does not allow {}", one.name, missing.join(", "));
            found.push(spot.clone().found(&MISSING, message));
        }
        let more = listed(allowed.iter().copied().filter(|method| !least.contains(method)).collect());
        if !more.is_empty() {
            let message = format!("{} allows {}", one.name, more.join(", "));
            found.push(spot.found(&MORE, message));
        }
    }
}
