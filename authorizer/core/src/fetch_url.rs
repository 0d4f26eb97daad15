//! The addresses that something may be fetched from: keys, and tokens for a code.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, Scheme};
use thiserror::Error;

/// The longest address, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// An address whose answer is known to come from its host: `https`, or plain `http` that does not leave this machine.
///
/// INVARIANT: it has a host, and does not have a user, a password or a fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchUrl {
    text: String,
    uri: Uri,
}

/// Why an address cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum FetchUrlError {
    /// Not an absolute URL with a host.
    #[error("it is not an address that begins with `https://`")]
    NoUrl,
    /// An attacker on the network could replace the keys.
    #[error("without TLS, anyone on the network can replace the answer")]
    Plain,
    /// `user:password@`.
    #[error("it contains a user or a password")]
    User,
    /// The part after `#` is never sent.
    #[error("it has a fragment (`#`)")]
    Fragment,
}

impl FetchUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`FetchUrlError`] for an address that must not be used.
    pub fn parse(text: &str) -> Result<Self, FetchUrlError> {
        if text.len() > MAX_URL_BYTES {
            return Err(FetchUrlError::NoUrl);
        }
        let uri: Uri = text.parse().map_err(|_| FetchUrlError::NoUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(FetchUrlError::NoUrl);
        };
        if authority.as_str().contains('@') {
            return Err(FetchUrlError::User);
        }
        // The parser removes it silently.
        if text.contains('#') {
            return Err(FetchUrlError::Fragment);
        }
        if !is_host(authority.host()) || !has_usable_port(authority) {
            return Err(FetchUrlError::NoUrl);
        }
        if *scheme == Scheme::HTTP {
            if !is_loopback(authority.host()) {
                return Err(FetchUrlError::Plain);
            }
        } else if *scheme != Scheme::HTTPS {
            return Err(FetchUrlError::NoUrl);
        }
        Ok(Self { text: text.to_owned(), uri })
    }

    /// The address in its original spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed address.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Whether it has a query.
    pub fn has_query(&self) -> bool {
        self.uri.query().is_some()
    }

    /// Whether TLS verifies the host; otherwise it is this machine.
    pub fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The same host with another path.
    ///
    /// # Errors
    /// [`FetchUrlError`] when the result is not a valid address.
    pub fn with_path(&self, path: &str) -> Result<Self, FetchUrlError> {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map(Authority::as_str).unwrap_or_default();
        Self::parse(&format!("{scheme}://{authority}{path}"))
    }
}

impl fmt::Display for FetchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name as in DNS (RFC 1123 section 2.1), or an address.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// The parser reads an invalid port as an absent one.
fn has_usable_port(authority: &Authority) -> bool {
    match authority.as_str().get(authority.host().len()..) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }),
        None => false,
    }
}

/// `localhost` does not leave the machine either (RFC 6761 section 6.3).
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tls_or_this_machine_vouches_for_is_an_address() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/x?version=1",
            "HTTPS://LOGIN.example.com/",
            "http://127.0.0.1:4000/jwks",
            "http://127.9.9.9/",
            "http://[::1]:4000/",
            "http://localhost:80",
        ] {
            assert_eq!(FetchUrl::parse(good).map(|address| address.to_string()), Ok(good.to_owned()));
        }
        for (bad, error) in [
            ("", FetchUrlError::NoUrl),
            ("login.example.com", FetchUrlError::NoUrl),
            ("/jwks", FetchUrlError::NoUrl),
            ("file:///etc/passwd", FetchUrlError::NoUrl),
            ("ftp://login.example.com/", FetchUrlError::NoUrl),
            ("https:///jwks", FetchUrlError::NoUrl),
            ("https://login.example.com:99999/", FetchUrlError::NoUrl),
            ("https://login.example.com:0/", FetchUrlError::NoUrl),
            ("https://login.example.com:+80/", FetchUrlError::NoUrl),
            ("https://login.example.com:443x/", FetchUrlError::NoUrl),
            ("https://login.example.com:/", FetchUrlError::NoUrl),
            ("https://login..example.com/", FetchUrlError::NoUrl),
            ("https://-/", FetchUrlError::NoUrl),
            ("https://*.example.com/", FetchUrlError::NoUrl),
            ("https://[::1%25lo]/", FetchUrlError::NoUrl),
            ("https://login.example.com/ jwks", FetchUrlError::NoUrl),
            ("http://login.example.com/", FetchUrlError::Plain),
            ("http://169.254.169.254/", FetchUrlError::Plain),
            ("http://localhost.example.com/", FetchUrlError::Plain),
            ("http://127.0.0.1.example.com/", FetchUrlError::Plain),
            ("http://0.0.0.0/", FetchUrlError::Plain),
            ("http://localhost@example.com/", FetchUrlError::User),
            ("https://user:secret@login.example.com/", FetchUrlError::User),
            ("https://login.example.com/#jwks", FetchUrlError::Fragment),
        ] {
            assert_eq!(FetchUrl::parse(bad).err(), Some(error), "{bad}");
        }
    }
}
