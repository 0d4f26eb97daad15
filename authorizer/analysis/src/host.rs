//! Hosts that stand for others.

use std::collections::BTreeSet;

use authorizer_core::rules::{HostPattern, is_host_name};

use crate::posed::POSED_HOST;

/// The characters of a label, those that are easy to read first.
const CHARACTERS: [char; 38] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '_',
];

/// Every label, the shortest first: each number from 0 on has one of its own.
fn label(number: usize) -> String {
    let mut characters: Vec<char> = Vec::new();
    let mut left = number.saturating_add(1);
    while left > 0 {
        left = left.saturating_sub(1);
        let digit = left.checked_rem(CHARACTERS.len()).unwrap_or_default();
        characters.extend(CHARACTERS.get(digit));
        left = left.checked_div(CHARACTERS.len()).unwrap_or_default();
    }
    characters.into_iter().rev().collect()
}

/// A host below a domain, such as `.example.com`, that is not one of these names. Without a domain it is one label, which
/// no wildcard matches. `None` if there is no such host: the names take all the room that the domain leaves.
pub(crate) fn host_below(domain: &str, names: &BTreeSet<&str>) -> Option<String> {
    // Of one label more than there are names below the domain, one is free. Where there is room for three characters
    // and more, the names that take all labels would be more than a policy can have.
    let below = names.iter().filter(|name| name.ends_with(domain)).count();
    let long = (0..=below).map(|number| format!("host{number}"));
    let short = (0..=below).map(label);
    let mut labels = ["files".to_owned()].into_iter().chain(long).chain(short);
    labels.find_map(|label| {
        let host = format!("{label}{domain}");
        (is_host_name(&host) && !names.contains(host.as_str())).then_some(host)
    })
}

/// A host that none of the patterns matches, one that reads as a name if there is one.
pub(crate) fn host_of_none(patterns: &[&HostPattern]) -> Option<String> {
    let names: BTreeSet<&str> = patterns.iter().map(|one| one.as_str()).collect();
    let domains = [".example.net", ""].into_iter().filter_map(|domain| host_below(domain, &names));
    let mut hosts = [POSED_HOST.to_owned()].into_iter().chain(domains);
    hosts.find(|host| !patterns.iter().any(|one| one.matches(host)))
}

/// A host that the pattern matches. `None` if there is no room for one: a host name has at most 253 characters.
pub fn host_of(pattern: &HostPattern) -> Option<String> {
    match pattern.below() {
        Some(domain) => host_below(domain, &BTreeSet::new()),
        None => Some(pattern.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_below_a_domain_is_another_one_than_those_that_are_named() {
        let names = BTreeSet::from(["files.example.com", "host0.example.com", "files"]);
        assert_eq!(host_below(".example.com", &names).as_deref(), Some("host1.example.com"));
        assert_eq!(host_below(".example.org", &names).as_deref(), Some("files.example.org"));
        assert_eq!(host_below("", &names).as_deref(), Some("host0"));
        // There is room for one character.
        let long = format!(".{}", vec!["a".repeat(62); 4].join("."));
        let pattern = HostPattern::parse(&format!("*{long}")).unwrap();
        let host = host_of(&pattern).unwrap();
        assert_eq!(host, format!("a{long}"));
        assert!(pattern.matches(&host));
        assert_eq!(host_below(&long, &BTreeSet::from([host.as_str()])), Some(format!("b{long}")));
    }

    #[test]
    fn a_host_is_found_as_long_as_the_domain_leaves_room_for_one() {
        // There is room for this many characters.
        let domain =
            |room: usize| format!(".{}.{}", vec!["a".repeat(62); 3].join("."), "a".repeat(63 - room));
        let single: Vec<String> = CHARACTERS.iter().map(char::to_string).collect();
        for room in [1, 2, 3] {
            let domain = domain(room);
            assert_eq!(domain.len(), 253 - room);
            let named: Vec<String> = single.iter().map(|label| format!("{label}{domain}")).collect();
            let names: BTreeSet<&str> = named.iter().map(String::as_str).collect();
            let expected = (room > 1).then(|| format!("aa{domain}"));
            assert_eq!(host_below(&domain, &names), expected, "{room}");
        }
        // All of two characters are named, but one.
        let domain = domain(2);
        let pairs = CHARACTERS.iter().flat_map(|a| CHARACTERS.iter().map(move |b| format!("{a}{b}")));
        let all: Vec<String> =
            single.iter().cloned().chain(pairs).map(|label| format!("{label}{domain}")).collect();
        let mut names: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(host_below(&domain, &names), None);
        let free = format!("zz{domain}");
        assert!(names.remove(free.as_str()));
        assert_eq!(host_below(&domain, &names), Some(free));
    }

    #[test]
    fn a_host_of_no_pattern_reads_as_a_name_if_it_can() {
        let of = |texts: &[&str]| {
            let patterns: Vec<_> = texts.iter().map(|text| HostPattern::parse(text).unwrap()).collect();
            host_of_none(&patterns.iter().collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(of(&["a.example.com"]), POSED_HOST);
        assert_eq!(of(&["*.cloudfront.net", "files.example.net"]), "host0.example.net");
        assert_eq!(of(&["*.net", "files"]), "host0");
    }

    #[test]
    fn each_label_comes_once() {
        let labels: Vec<String> = (0..38 + 38 * 38 + 1).map(label).collect();
        assert_eq!((labels[0].as_str(), labels[37].as_str(), labels[38].as_str()), ("a", "_", "aa"));
        assert_eq!(labels[38 + 38 * 38], "aaa");
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len());
    }
}
