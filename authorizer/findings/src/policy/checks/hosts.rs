//! Rules that ask for the request's host.

use std::net::Ipv4Addr;

use authorizer_core::rules::HostPattern;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[(
    Check {
        id: "EA074",
        name: "host-is-never-routed",
        severity: Severity::Medium,
        title: "a rule names hosts that no distribution has",
        why: "CloudFront sends a request to a distribution by its host, and calls the function only for hosts of the \
              distribution: its own name and its alternate domain names, which a public certificate must cover. An \
              address, a name of one label, `*.com` and names such as `files.internal` cannot be one of them.",
        remedy: "write an alternate domain name of the distribution, or its own name",
    },
    never_routed,
)]);

/// Domains that no public certificate can be for: RFC 6761, RFC 6762, RFC 7686, and what ICANN keeps for private use. The
/// names for documentation are left out.
const NEVER_PUBLIC: [&str; 6] = ["internal", "invalid", "local", "localhost", "onion", "test"];

fn is_never(host: &HostPattern) -> bool {
    let name = host.as_str().strip_prefix("*.").unwrap_or(host.as_str());
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.') || name.parse::<Ipv4Addr>().is_ok() || NEVER_PUBLIC.contains(&last)
}

fn never_routed(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        let hosts = rule.rule.hosts().unwrap_or_default();
        // Such a rule allows nothing.
        let severity = if hosts.iter().all(is_never) { Severity::Medium } else { Severity::Low };
        for (index, host) in hosts.iter().enumerate().filter(|(_, host)| is_never(host)) {
            let place = rule.place().then("hosts").at(index);
            let message = format!("rule `{}` names `{host}`, which cannot be a name of a distribution", rule.id());
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}
