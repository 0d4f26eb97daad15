//! Web origins, as browsers write them in `Origin` (RFC 6454 section 6.2), and patterns of them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `https://app.example.com`, or `https://*.example.com` for every host below the domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OriginPattern(Form);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Form {
    Exact(String),
    /// The text before and after the `*`: `https://` and `.example.com`.
    Below(String, String),
}

impl OriginPattern {
    /// Reads an origin or a pattern, in the one spelling of browsers: lower case, without a path, and without the
    /// default port of the scheme.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once("://*.") {
            Some((scheme, domain)) => {
                Origin::parse(&format!("{scheme}://{domain}"))?;
                Some(Self(Form::Below(format!("{scheme}://"), format!(".{domain}"))))
            }
            None => Origin::parse(text).map(|_| Self(Form::Exact(text.to_owned()))),
        }
    }

    /// Whether every origin that the other matches is one that this matches.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Form::Exact(exact)) => self.matches(exact),
            (Form::Below(scheme, domain), Form::Below(of, below)) => {
                scheme == of && below.ends_with(domain.as_str())
            }
            (Form::Exact(_), Form::Below(..)) => false,
        }
    }

    /// Whether an `Origin` is this origin, or matches this pattern.
    pub fn matches(&self, origin: &str) -> bool {
        match &self.0 {
            Form::Exact(exact) => exact == origin,
            Form::Below(scheme, domain) => origin
                .strip_prefix(scheme.as_str())
                .and_then(|rest| rest.strip_suffix(domain.as_str()))
                .is_some_and(is_host),
        }
    }
}

/// As the policy has it.
impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Exact(exact) => f.write_str(exact),
            Form::Below(scheme, domain) => write!(f, "{scheme}*{domain}"),
        }
    }
}

/// An origin: `https` or `http`, a host and an optional port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Origin<'t> {
    is_https: bool,
    host: &'t str,
}

impl<'t> Origin<'t> {
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let (is_https, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(authority), _) => (true, authority),
            (None, Some(authority)) => (false, authority),
            (None, None) => return None,
        };
        // An IPv6 address is in brackets, and contains colons.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host_is_whole = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => is_host(host),
        };
        let port_is_needed = port.is_none_or(|port| {
            let default = if is_https { 443 } else { 80 };
            port.parse::<u16>().is_ok_and(|number| number != default && number.to_string() == port)
        });
        (host_is_whole && port_is_needed).then_some(Self { is_https, host })
    }

    /// Whether the connection is protected against attackers on the network.
    pub(crate) fn is_secure(self) -> bool {
        self.is_https || self.is_loopback()
    }

    /// Whether it is this machine, where tests run without a certificate.
    pub(crate) fn is_loopback(self) -> bool {
        is_loopback(self.host)
    }
}

/// Whether a `Host` is a name or an address of this machine, with any port.
#[cfg(feature = "code-flow")]
pub(crate) fn is_of_this_machine(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if !port.ends_with(']') && port.parse::<u16>().is_ok() => bare,
        _ => host,
    };
    is_loopback(bare)
}

/// Whether a host is this machine in every browser: `localhost` and what is below it, 127.0.0.0/8 and `[::1]` (Secure
/// Contexts section 3.1).
fn is_loopback(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let top = host.rsplit('.').next().unwrap_or_default();
    top.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Labels of letters, digits and hyphens; a name in another script is in Punycode in an origin.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_origins_it_says() {
        for (pattern, yes, no) in [
            (
                "https://app.example.com",
                vec!["https://app.example.com"],
                vec![
                    "http://app.example.com",
                    "https://app.example.com:8443",
                    "https://APP.example.com",
                    "null",
                    "",
                ],
            ),
            (
                "http://localhost:5173",
                vec!["http://localhost:5173"],
                vec!["http://localhost", "https://localhost:5173"],
            ),
            ("https://[::1]:8443", vec!["https://[::1]:8443"], vec!["https://[::1]"]),
            (
                "https://*.example.com",
                vec!["https://a.example.com", "https://a.b.example.com"],
                vec![
                    "https://example.com",
                    "https://.example.com",
                    "https://evilexample.com",
                    "https://evil.com/.example.com",
                    "https://evil.com#.example.com",
                    "https://a@b.example.com",
                    "https://a.example.com.evil.com",
                    "https://a.example.com:8443",
                    "http://a.example.com",
                    "https://a..example.com",
                    "https://A.example.com",
                ],
            ),
            ("https://*.example.com:8443", vec!["https://a.example.com:8443"], vec!["https://a.example.com"]),
        ] {
            let parsed = OriginPattern::parse(pattern).unwrap();
            assert_eq!(parsed.to_string(), pattern);
            for origin in yes {
                assert!(parsed.matches(origin), "{pattern} should match {origin}");
            }
            for origin in no {
                assert!(!parsed.matches(origin), "{pattern} should not match {origin}");
            }
        }
    }

    #[test]
    fn a_pattern_covers_another_that_matches_nothing_more() {
        let parse = |text: &str| OriginPattern::parse(text).unwrap();
        for (one, other, covers) in [
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://*.example.com", true),
            ("https://*.example.com", "https://*.a.example.com", true),
            ("https://*.a.example.com", "https://*.example.com", false),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "http://*.example.com", false),
            ("https://*.example.com", "https://*.evilexample.com", false),
            ("https://*.example.com", "https://*.example.com:8443", false),
            ("https://a.example.com", "https://*.a.example.com", false),
            ("https://a.example.com", "https://a.example.com", true),
        ] {
            assert_eq!(parse(one).covers(&parse(other)), covers, "{one} {other}");
        }
    }

    #[test]
    fn this_machine_has_these_names_and_addresses_and_no_others() {
        for (host, is_here) in [
            ("localhost", true),
            ("app.localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("localhost.example.com", false),
            ("evillocalhost", false),
            ("127.0.0.1.example.com", false),
            ("127.1", false),
            ("128.0.0.1", false),
            ("0.0.0.0", false),
            ("[::2]", false),
            ("example.com", false),
        ] {
            for port in ["", ":1", ":8443"] {
                let text = format!("http://{host}{port}");
                assert_eq!(Origin::parse(&text).is_some_and(Origin::is_secure), is_here, "{text}");
            }
        }
    }

    /// A `Host` is not as tidy as an origin.
    #[cfg(feature = "code-flow")]
    #[test]
    fn a_host_of_this_machine_has_any_case_and_any_port() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost:80",
            "127.1.2.3:443",
            "[::1]",
            "[::1]:80",
            "App.LOCALHOST:1",
        ] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "::1",
            "localhost:x",
            "localhost:99999",
            "localhost.example:80",
            "[::1",
            "files.example",
        ] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }

    #[test]
    fn what_no_browser_writes_is_no_origin() {
        for text in [
            "",
            "*",
            "null",
            "example.com",
            "https://",
            "https://example.com/",
            "https://Example.com",
            "https://example.com:443",
            "http://example.com:80",
            "https://example.com:0443",
            "https://*",
            "https://a.*.example.com",
            "https://*example.com",
            "ftp://example.com",
            "https://a b",
            "https://é.example",
            "https://user@example.com",
            "https://example.com:",
            "https://[::1",
            "https://example..com",
        ] {
            assert_eq!(OriginPattern::parse(text), None, "{text}");
        }
    }
}
