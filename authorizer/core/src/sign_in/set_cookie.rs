//! `Set-Cookie`.

use std::fmt;

/// The value of a `Set-Cookie` line (RFC 6265bis section 4.1). No script can read the cookie, and other sites send it only
/// when a person follows a link. No text in it may contain what ends an attribute.
pub(super) struct SetCookie<'s> {
    pub(super) name: &'s str,
    pub(super) value: &'s str,
    pub(super) path: &'s str,
    /// In seconds; 0 clears the cookie.
    pub(super) max_age: u64,
    /// Whether it is limited to `https`.
    pub(super) secure: bool,
}

impl fmt::Display for SetCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, path, max_age, secure } = self;
        let secure = if *secure { "; Secure" } else { "" };
        write!(f, "{name}={value}; Path={path}; Max-Age={max_age}{secure}; HttpOnly; SameSite=Lax")
    }
}
