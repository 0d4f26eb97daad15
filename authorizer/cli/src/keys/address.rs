//! The addresses that keys may be fetched from.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

/// An address whose answer can be believed to come from its host: `https`, or plain `http` that does not leave
/// this machine.
///
/// INVARIANT: it has a host, and neither a user, a password nor a fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    text: String,
    uri: Uri,
}

/// Why an address cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AddressError {
    /// Not an absolute URL with a host.
    NoUrl,
    /// Anyone on the way could give other keys.
    Plain,
    /// `user:password@`.
    User,
    /// What comes after `#` is never sent.
    Fragment,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUrl => "this is no address that begins with `https://`",
            Self::Plain => "keys that come without TLS could be anybody's",
            Self::User => "it holds a user or a password",
            Self::Fragment => "it has a fragment (`#`)",
        })
    }
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError::NoUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(AddressError::NoUrl);
        };
        if authority.as_str().contains('@') {
            return Err(AddressError::User);
        }
        // The parser drops it silently.
        if text.contains('#') {
            return Err(AddressError::Fragment);
        }
        if authority.host().is_empty() {
            return Err(AddressError::NoUrl);
        }
        if *scheme == Scheme::HTTP {
            if !is_loopback(authority.host()) {
                return Err(AddressError::Plain);
            }
        } else if *scheme != Scheme::HTTPS {
            return Err(AddressError::NoUrl);
        }
        Ok(Self { text: text.to_owned(), uri })
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    pub(super) fn has_query(&self) -> bool {
        self.uri.query().is_some()
    }

    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// The same host, another path.
    pub(super) fn with_path(&self, path: &str) -> Result<Self, AddressError> {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        Self::parse(&format!("{scheme}://{authority}{path}"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `localhost` never leaves the machine either (RFC 6761 section 6.3).
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
            assert_eq!(Address::parse(good).map(|address| address.to_string()), Ok(good.to_owned()));
        }
        for (bad, error) in [
            ("", AddressError::NoUrl),
            ("login.example.com", AddressError::NoUrl),
            ("/jwks", AddressError::NoUrl),
            ("file:///etc/passwd", AddressError::NoUrl),
            ("ftp://login.example.com/", AddressError::NoUrl),
            ("https:///jwks", AddressError::NoUrl),
            ("https://login.example.com/ jwks", AddressError::NoUrl),
            ("http://login.example.com/", AddressError::Plain),
            ("http://169.254.169.254/", AddressError::Plain),
            ("http://localhost.example.com/", AddressError::Plain),
            ("http://127.0.0.1.example.com/", AddressError::Plain),
            ("http://0.0.0.0/", AddressError::Plain),
            ("http://localhost@example.com/", AddressError::User),
            ("https://user:secret@login.example.com/", AddressError::User),
            ("https://login.example.com/#jwks", AddressError::Fragment),
        ] {
            assert_eq!(Address::parse(bad).err(), Some(error), "{bad}");
        }
    }
}
