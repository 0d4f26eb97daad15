//! Hosts that stand for others.

use std::collections::BTreeSet;

use authorizer_core::rules::{HostPattern, is_host_name};

/// A host below a domain, such as `.example.com`, that is not one of these names. Without a domain it is one label, which
/// no wildcard matches. `None` if there is no such host.
pub(crate) fn host_below(domain: &str, names: &BTreeSet<&str>) -> Option<String> {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    let short = LETTERS.chars().map(String::from);
    // Of so many, one is not among the names.
    let long = (0..=names.len()).map(|number| format!("host{number}"));
    let mut labels = ["files".to_owned()].into_iter().chain(long).chain(short);
    labels.find_map(|label| {
        let host = format!("{label}{domain}");
        (is_host_name(&host) && !names.contains(host.as_str())).then_some(host)
    })
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
}
