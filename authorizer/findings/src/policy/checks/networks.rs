//! Rules that ask for the viewer's address.

use authorizer_core::rules::IpNet;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA055",
            name: "source-is-everywhere",
            severity: Severity::High,
            title: "a rule's addresses are all the addresses of IPv4 or IPv6",
            why: "The rule reads as if it is for one network, but it is for every viewer with that kind of \
              address.",
            remedy: "name the networks that you mean, or remove `source_ips`",
        },
        everywhere,
    ),
    (
        Check {
            id: "EA056",
            name: "source-is-never-seen",
            severity: Severity::High,
            title: "a rule names addresses that no viewer of CloudFront has",
            why: "CloudFront sees the address that a viewer has on the internet. It never sees private, shared, \
              link-local or loopback addresses. They allow nobody in an allow rule and deny nobody in a deny \
              rule.",
            remedy: "write the public addresses from which the network reaches the internet",
        },
        never_seen,
    ),
]);

/// RFC 6890 and its registries, without the networks for documentation.
const NEVER_SEEN: [&str; 11] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

fn everywhere(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        let Some(networks) = rule.rule.sources() else { continue };
        // Two halves are the whole.
        for whole in IpNet::aggregate(&networks.to_vec()).iter().filter(|network| network.prefix_len() == 0) {
            let index = networks.iter().position(|network| network == whole);
            let place = rule.place().then("source_ips");
            let place = index.map_or(place.clone(), |index| place.at(index));
            let message = format!("rule `{}` is for all of `{whole}`", rule.id());
            let severity = if rule.is_deny() { Severity::Low } else { Severity::High };
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}

fn never_seen(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let never: Vec<IpNet> = NEVER_SEEN.iter().filter_map(|network| network.parse().ok()).collect();
    let is_never =
        |network: &IpNet| network.prefix_len() > 0 && never.iter().any(|one| one.contains(network));
    let mut found = Vec::new();
    for rule in subject.rules() {
        let networks = rule.rule.sources().unwrap_or_default();
        let all = !networks.is_empty() && networks.iter().all(is_never);
        for (index, network) in networks.iter().enumerate().filter(|(_, network)| is_never(network)) {
            let place = rule.place().then("source_ips").at(index);
            let severity = match (rule.is_deny(), all) {
                (true, true) => Severity::High,
                (true, false) | (false, true) => Severity::Medium,
                (false, false) => Severity::Low,
            };
            let message = format!("rule `{}` names `{network}`, which no viewer has", rule.id());
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}
