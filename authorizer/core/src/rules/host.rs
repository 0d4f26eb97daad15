//! The host that a request is for, and patterns of hosts.

use std::fmt;

use crate::event::CloudFrontHeaders;
use crate::origin::is_host;

/// The longest name (RFC 1035 section 2.3.4, as text without the last dot).
const MAX_NAME: usize = 253;

/// The longest label (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// A host as `hosts` of a rule names it: `downloads.example.com`, or `*.example.org` for every name below the domain, at
/// any depth. This is what the same text means as an alternate domain name of a distribution
/// ([AWS: wildcards](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/alternate-domain-names-wildcard.html)).
///
/// INVARIANT: a host name in lower case, which `*.` may precede.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct HostPattern(String);

impl HostPattern {
    /// Reads a host name or a wildcard, in lower case.
    ///
    /// ```
    /// use authorizer_core::rules::HostPattern;
    ///
    /// let wildcard = HostPattern::parse("*.example.org").unwrap();
    /// assert!(wildcard.matches("a.example.org") && wildcard.matches("a.b.example.org"));
    /// assert!(!wildcard.matches("example.org") && !wildcard.matches("badexample.org"));
    /// assert_eq!(HostPattern::parse("Example.org:443"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        // There is always room for a label in place of the `*`.
        (is_name(name) && text.len() <= MAX_NAME).then(|| Self(text.to_owned()))
    }

    /// Whether this is the host, or the host is below the domain. The host is a name in lower case.
    pub fn matches(&self, host: &str) -> bool {
        match self.below() {
            Some(domain) => host.len() > domain.len() && host.ends_with(domain),
            None => self.0 == host,
        }
    }

    /// Whether every host that the other matches is one that this matches.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.below(), other.below()) {
            (_, None) => self.matches(&other.0),
            (Some(domain), Some(below)) => below.ends_with(domain),
            (None, Some(_)) => false,
        }
    }

    /// Of a wildcard, what each of its hosts ends with, such as `.example.org`.
    pub fn below(&self) -> Option<&str> {
        self.0.strip_prefix('*')
    }

    /// As the policy has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is a host name in lower case, without a port or a last dot.
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME && is_host(text) && text.split('.').all(|label| label.len() <= MAX_LABEL)
}

/// The host of a request, in lower case: what its only `Host` says. `None` if it has none or several, and if it is not a
/// host name. Then no rule with `hosts` matches.
pub(crate) fn host_of(headers: &CloudFrontHeaders<'_>) -> Option<String> {
    match headers.get("host")?.as_slice() {
        [line] => Some(line.value.to_ascii_lowercase()).filter(|host| is_name(host)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloudFrontHeader;

    #[test]
    fn a_pattern_is_a_name_or_a_wildcard_of_whole_labels() {
        let long = format!("{}.example.com", "a".repeat(63));
        for text in
            ["downloads.example.com", "*.example.com", "localhost", "xn--bcher-kva.example", "a_b.c", &long]
        {
            assert_eq!(HostPattern::parse(text).map(|one| one.to_string()).as_deref(), Some(text));
        }
        let too_long = format!("{}.example.com", "a".repeat(64));
        let longest = vec!["a".repeat(50); 5].join(".");
        for text in [
            "",
            "*",
            "*.",
            "**.example.com",
            "*example.com",
            "a.*.example.com",
            ".example.com",
            "example.com.",
            "a..b",
            "Example.com",
            "example.com:443",
            "https://example.com",
            "example.com/a",
            "bücher.example",
            "[::1]",
            "a b",
            &too_long,
            &longest,
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_wildcard_matches_the_names_below_its_domain_at_any_depth() {
        let of = |text: &str| HostPattern::parse(text).unwrap();
        for (pattern, yes, no) in [
            (
                "*.example.org",
                vec!["a.example.org", "a.b.example.org"],
                vec!["example.org", "badexample.org", "a.example.org.evil.example", "example.com", ""],
            ),
            (
                "a.example.org",
                vec!["a.example.org"],
                vec!["b.a.example.org", "example.org", "aa.example.org"],
            ),
        ] {
            for host in yes {
                assert!(of(pattern).matches(host) && of(pattern).covers(&of(host)), "{pattern} {host}");
            }
            for host in no {
                assert!(!of(pattern).matches(host), "{pattern} {host}");
            }
        }
        assert!(of("*.example.org").covers(&of("*.b.example.org")));
        assert!(of("*.example.org").covers(&of("*.example.org")));
        assert!(!of("*.b.example.org").covers(&of("*.example.org")));
        assert!(!of("a.example.org").covers(&of("*.a.example.org")));
        assert!(!of("*.example.org").covers(&of("*.badexample.org")));
    }

    #[test]
    fn a_host_is_exactly_one_name_without_a_port() {
        let host = |values: &[&str]| {
            let mut headers = CloudFrontHeaders::new();
            for value in values {
                headers.entry("host".into()).or_default().push(CloudFrontHeader::new("Host", *value));
            }
            host_of(&headers)
        };
        assert_eq!(host(&["Downloads.Example.com"]).as_deref(), Some("downloads.example.com"));
        for values in [
            &[][..],
            &[""],
            &["a.example", "a.example"],
            &["a.example", "b.example"],
            &["a.example:443"],
            &["a.example."],
            &[" a.example"],
            &["a.example, b.example"],
            &["*.example"],
            &["a@b.example"],
            &["[::1]"],
            &["\u{212a}.example"],
        ] {
            assert_eq!(host(values), None, "{values:?}");
        }
    }
}
