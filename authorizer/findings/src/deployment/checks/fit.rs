//! Whether the behaviors and the names of the distribution fit the rules.

use std::collections::BTreeSet;

use authorizer_cloudfront::{Escapes, Fit};
use authorizer_core::rules::{Effect, HostPattern};

use super::order::UNDECIDED;
use crate::check::{Check, Severity};
use crate::deployment::documents::DistributionsFile;
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static SEVERAL: Check = Check {
    id: "EA298",
    name: "rule-of-several-buckets",
    severity: Severity::Medium,
    title: "a rule has keys that may be in several buckets",
    why: "An event does not name its behavior, so a rule decides in the same way for each bucket behind the function. \
      The viewer chooses the bucket by how they write the path: CloudFront compares it with the path patterns without \
      decoding `%2F`, which is a slash of the key only.",
    remedy: "begin each key pattern with the folder of one behavior, and keep no object of that folder in another bucket; \
      or use a distribution for each bucket",
};

static NO_RULE: Check = Check {
    id: "EA299",
    name: "behavior-without-a-rule",
    severity: Severity::Low,
    title: "no allow rule has a key of a behavior",
    why: "The function refuses every request there. So the path pattern, or the rule for it, is not what was meant.",
    remedy: "remove the behavior, or write a rule with keys that begin as its path pattern does",
};

static ANONYMOUS: Check = Check {
    id: "EA256",
    name: "anonymous-rule-of-another-bucket",
    severity: Severity::Low,
    title: "a rule without a token opens the same keys of another bucket, by a path with `%2F`",
    why: "As far as is known, CloudFront does not decode `%2F` before it compares a path with the path patterns. A path with \
      `%2F` for a slash is not a path of the folder, and goes to a later behavior, often the default one. The key stays the \
      same. So everybody gets at this key of that behavior's bucket, if there is such an object.",
    remedy: "keep no object of the rule's folders in that bucket, and accept the finding with this as the reason; or use a \
      distribution for each bucket",
};

static NOT_LISTED: Check = Check {
    id: "EA257",
    name: "listing-of-another-bucket",
    severity: Severity::Medium,
    title: "a rule lists keys of a bucket that is never listed",
    why: "A listing is a request for `/`, and its prefix is in the query. So CloudFront sends every listing to the behavior \
      that has the path `/`, which is the default one unless a pattern such as `/` or `*` comes first. Keys in the bucket of another \
      behavior are never listed. The answer is a listing of the wrong bucket, usually an empty one.",
    remedy: "give the bucket that must be listed the default behavior, a behavior with the path pattern `/` and the function, \
      or a distribution of its own; or take the listing out of the rule",
};

static NO_SUCH_HOST: Check = Check {
    id: "EA246",
    name: "host-of-another-distribution",
    severity: Severity::Medium,
    title: "a rule names a host that is not a name of the distribution",
    why: "CloudFront sends a request to a distribution by its host, so no request for another host comes to the function. \
      A part of the rule, or all of it, allows nothing. If the name moves to the distribution later, the rule \
      allows on it at once.",
    remedy: "add the name to the distribution's alternate domain names, or remove it from `hosts`",
};

static NAME_WITHOUT_RULE: Check = Check {
    id: "EA249",
    name: "name-without-a-rule",
    severity: Severity::Low,
    title: "no allow rule is for a name of the distribution",
    why: "Every allow rule has `hosts`, and none of them is this alternate domain name. The function refuses every \
      request there.",
    remedy: "add the name to the `hosts` of a rule, or remove it from the distribution",
};

pub(super) static FAMILY: Family = Family::Deployment(
    &[&SEVERAL, &NO_RULE, &ANONYMOUS, &NOT_LISTED, &NO_SUCH_HOST, &NAME_WITHOUT_RULE],
    find,
);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    paths(subject, found);
    hosts(subject, found);
}

fn paths(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let rules = &subject.distribution_needs.rules;
    let fit =
        Fit::of(subject.view(), |behavior| behavior.viewer_request().is_some(), rules, Escapes::NotKnown);
    let behaviors = || subject.config().then("CacheBehaviors");
    let quoted = |buckets: &BTreeSet<String>| {
        let each: Vec<_> = buckets.iter().map(|one| format!("`{}`", one.escape_debug())).collect();
        each.join(" and ")
    };
    for (id, buckets) in &fit.of_several {
        let message = format!("rule `{id}` may have keys in {}", quoted(buckets));
        found.push(behaviors().found(&SEVERAL, message));
    }
    for (id, buckets) in &fit.anonymous_of_several {
        let message = format!("rule `{id}` may have keys in {}, by a path with `%2F`", quoted(buckets));
        found.push(behaviors().found(&ANONYMOUS, message));
    }
    for one in &fit.not_listed {
        let (rule, buckets, listing) = (&one.rule, quoted(&one.buckets), &one.listing);
        let message =
            format!("rule `{rule}` lists keys that may be in {buckets}, but a listing goes to {listing}");
        // A part of its keys is listed.
        let severity = if one.partly { Severity::Low } else { NOT_LISTED.severity };
        found.push(behaviors().found(&NOT_LISTED, message).severity(severity));
    }
    for id in &fit.undecided_rules {
        let message = format!(
            "in which buckets the keys of rule `{id}` may be is not decided: to compare them with the path patterns takes too \
             many steps"
        );
        found.push(behaviors().found(&UNDECIDED, message));
    }
    // A behavior that reaches no bucket is a finding of its own.
    let reach_one =
        || subject.all_behaviors().into_iter().filter(|one| !subject.buckets_of(one.behavior).is_empty());
    found.extend(reach_one().filter(|one| fit.without_rule.contains(&one.name)).map(|one| {
        let message = format!("no allow rule has a key of {}", one.name);
        one.spot.found(&NO_RULE, message)
    }));
    found.extend(reach_one().filter(|one| fit.undecided_behaviors.contains(&one.name)).map(|one| {
        let message = format!(
            "whether an allow rule has a key of {} is not decided: to compare its path pattern with the keys takes too many \
             steps",
            one.name
        );
        one.spot.found(&UNDECIDED, message)
    }));
}

fn hosts(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let allows = || subject.policy().rules().iter().filter(|rule| rule.effect() == Effect::Allow);
    let view = subject.view();
    // The names of tenants are not here, and a staging distribution is used on the names of another one.
    if allows().all(|rule| rule.hosts().is_none()) || view.tenants().is_some() || view.staging {
        return;
    }
    let aliases: Vec<_> = view
        .aliases
        .0
        .iter()
        .enumerate()
        .filter_map(|(index, alias)| Some((index, HostPattern::parse(&alias.to_ascii_lowercase())?)))
        .collect();
    let own = own_name(subject);
    let spot = subject.config().then("Aliases");
    for rule in allows() {
        for host in rule.hosts().unwrap_or_default() {
            let is_alias = aliases.iter().any(|(_, alias)| meet(alias, host));
            // If the name that CloudFront gave is not known, it may be this one.
            let is_own = match &own {
                Some(own) => host.matches(own),
                None => host.as_str().ends_with(".cloudfront.net"),
            };
            if !is_alias && !is_own {
                let message =
                    format!("rule `{}` names `{host}`, which the distribution does not have", rule.id());
                found.push(spot.clone().found(&NO_SUCH_HOST, message));
            }
        }
    }
    let is_for = |alias: &HostPattern| {
        allows().any(|rule| rule.hosts().is_none_or(|hosts| hosts.iter().any(|host| meet(alias, host))))
    };
    for (index, alias) in aliases.iter().filter(|(_, alias)| !is_for(alias)) {
        let message = format!("no allow rule is for `{alias}`");
        found.push(spot.then("Items").at(*index).found(&NAME_WITHOUT_RULE, message));
    }
}

/// Whether some host is of both.
fn meet(one: &HostPattern, other: &HostPattern) -> bool {
    one.covers(other) || other.covers(one)
}

/// The name that CloudFront gave to the distribution, if the export has it.
fn own_name(subject: &DeploymentSubject<'_>) -> Option<String> {
    let ours = subject.identity()?.arn;
    let read = subject.read::<DistributionsFile>("distributions.json")?;
    let own = read.items.into_iter().find(|one| one.arn == ours)?;
    own.domain_name.map(|name| name.to_ascii_lowercase())
}
