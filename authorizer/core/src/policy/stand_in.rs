//! What stands for a secret in a review, where its file is not there: one fixed value for each field. Who reviews a policy
//! needs no secret. Nothing that decides for viewers may have one of these: `authorizer_policy` reads them for reviews only.

/// For `cookie_key`.
pub const COOKIE_KEY: &[u8; 32] = b"review stand-in: the cookie key.";

/// For `previous_cookie_key`. It is not that of `cookie_key`, which a policy may not repeat.
pub const PREVIOUS_COOKIE_KEY: &[u8; 32] = b"review stand-in: an earlier key.";

/// For `client_secret`.
pub const CLIENT_SECRET: &str = "review stand-in: the secret of the client";

/// For `client_key`: the key of RFC 7517 appendix A.2, which everybody has.
pub const CLIENT_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"review stand-in","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;

/// For `secret` of the issuer with this `iss`: no two issuers of a policy share it.
pub fn secret_of(issuer: &str) -> Vec<u8> {
    format!("review stand-in: the secret of the issuer {issuer}").into_bytes()
}
