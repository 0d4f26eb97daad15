//! Rules that ask for the request's host.

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
        title: "a rule names hosts that no distribution has, or a whole top-level domain",
        why: "CloudFront sends a request to a distribution by its host, and calls the function only for hosts of the \
              distribution: its own name and its alternate domain names, which a public certificate must cover. An \
              address, a name of one label and names such as `files.internal` cannot be one of them. `*.com` is every \
              name of the distribution that ends in `.com`, so it limits nearly nothing.",
        remedy: "write an alternate domain name of the distribution, or its own name",
    },
    never_routed,
)]);

/// Domains that no public certificate can be for: RFC 6761, RFC 6762, RFC 7686, and what ICANN keeps for private use. The
/// names for documentation are left out.
const NEVER_PUBLIC: [&str; 6] = ["internal", "invalid", "local", "localhost", "onion", "test"];

/// Whether no host of the pattern can be a name of a distribution.
fn is_never(host: &HostPattern) -> bool {
    let last = last_label(host);
    // No public domain is a number: such a text is an address, or nothing.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_one_label = host.below().is_none() && last == host.as_str();
    is_one_label || is_number || NEVER_PUBLIC.contains(&last)
}

/// Whether it has all names below a top-level domain.
fn is_wide(host: &HostPattern) -> bool {
    host.below().is_some_and(|domain| domain.strip_prefix('.') == Some(last_label(host)))
}

fn last_label(host: &HostPattern) -> &str {
    host.as_str().rsplit('.').next().unwrap_or_default()
}

fn never_routed(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        let hosts = rule.rule.hosts().unwrap_or_default();
        let is_idle = hosts.iter().all(is_never);
        for (index, host) in hosts.iter().enumerate() {
            let (message, severity) = if is_never(host) {
                let message =
                    format!("rule `{}` names `{host}`, which cannot be a name of a distribution", rule.id());
                // A rule with no other hosts allows nothing.
                (message, if is_idle { Severity::Medium } else { Severity::Low })
            } else if is_wide(host) {
                let message = format!(
                    "rule `{}` names `{host}`: every `.{}` name of the distribution, so nearly no limit",
                    rule.id(),
                    last_label(host)
                );
                (message, Severity::Medium)
            } else {
                continue;
            };
            found.push(rule.found_at(rule.place().then("hosts").at(index), message).severity(severity));
        }
    }
    found
}
