//! The request's host.

use std::collections::BTreeSet;

use authorizer_core::rules::HostPattern;

use super::{Context, Said};
use crate::engine::atom::Atom;
use crate::host::host_below;
use crate::posed::POSED_HOST;

/// A host that fits the statements.
///
/// Names and wildcards divide the hosts into classes: each name of a list; for each wildcard the other hosts below its
/// domain, and below no longer one; and the hosts of no list. One host of each class is tried. A request without a host
/// is of the last class: no rule can tell it from a host that no list has.
pub(super) fn solve(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<String> {
    let lists: Vec<(&[HostPattern], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Host(hosts) => Some((*hosts, *holds)),
            _ => None,
        })
        .collect();
    let patterns = || lists.iter().flat_map(|(hosts, _)| hosts.iter());
    let names: BTreeSet<&str> =
        patterns().filter(|one| one.below().is_none()).map(HostPattern::as_str).collect();
    let candidates: Vec<String> = match &context.bounds.host {
        Some(host) => vec![host.clone()],
        None => {
            let domains: BTreeSet<&str> = patterns().filter_map(HostPattern::below).collect();
            let below = domains.into_iter().filter_map(|domain| host_below(domain, &names));
            let named = names.iter().map(|name| (*name).to_owned());
            // Of no list, if it can be: a name that reads as one.
            let other = host_below(".example.net", &names);
            let posed = [POSED_HOST.to_owned()];
            named.chain(below).chain(posed).chain(other).chain(host_below("", &names)).collect()
        }
    };
    let is_as_said = |host: &String| {
        lists.iter().all(|(hosts, holds)| hosts.iter().any(|one| one.matches(host)) == *holds)
    };
    candidates.into_iter().find(is_as_said)
}
