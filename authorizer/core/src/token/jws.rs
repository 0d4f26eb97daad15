//! A JWS in compact serialisation, parsed strictly (RFC 7515 sections 5.2 and 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::signature::Verifier as _;
use serde_json::{Map, Value};

use super::algorithm::{JwsAlgorithm, SignatureAlgorithm};
use super::error::TokenError;
use super::json::parse_object;
use super::jwks::KeySet;
use super::media_type::same_media_type;
use super::secret::SharedSecret;
use crate::plain_json::{PlainJson, once};

/// The longest token that is read, in bytes. CloudFront limits all headers together to 20,480 bytes.
pub const MAX_TOKEN_BYTES: usize = 16_384;

/// A JWS whose parts have the right form. Nothing in it is trusted yet.
///
/// Its payload may be anything. [`claims`](Self::claims) checks that it is a claims set, which makes the JWS a token.
/// [`Issuer::verify_signature`](super::Issuer::verify_signature) checks who signed it.
#[derive(Debug)]
pub struct Jws<'t> {
    /// The signed part of the token.
    pub(super) signing_input: &'t str,
    /// The signature, still in base64url.
    pub(super) signature: &'t str,
    /// `alg`, if it can be trusted at all.
    pub(super) algorithm: Option<JwsAlgorithm>,
    /// `kid`.
    pub(super) key_id: Option<String>,
    /// `typ`.
    pub(super) token_type: Option<String>,
    /// The signed payload, decoded.
    payload: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`TokenError`] when it is not a JWS in compact serialisation, or when its header changes what the signature
    /// means.
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let mut parts = token.split('.');
        let [header, payload, signature] = match [(); 6].map(|()| parts.next()) {
            [Some(header), Some(payload), Some(signature), None, ..] => [header, payload, signature],
            [.., Some(_), None] => return Err(TokenError::Encrypted),
            _ => return Err(TokenError::Malformed),
        };
        let signed = header.len().saturating_add(1).saturating_add(payload.len());
        let signing_input = token.get(..signed).ok_or(TokenError::Malformed)?;
        if signature.is_empty() {
            return Err(TokenError::Malformed);
        }
        let header = decode(header)?;
        let JoseHeader { algorithm, key_id, token_type } = match JoseHeader::plain(&header) {
            Some(header) => header,
            None => JoseHeader::parse(&header)?,
        };
        let payload = decode(payload)?;
        Ok(Self { signing_input, signature, algorithm, key_id, token_type, payload })
    }

    /// The payload as a claims set (RFC 7519 section 7.2). It is not verified.
    ///
    /// # Errors
    /// [`TokenError`] when it is not a JSON object, or has a member twice.
    pub fn claims(&self) -> Result<Map<String, Value>, TokenError> {
        parse_object(&self.payload)
    }

    /// Whether a fitting key of the set made the signature.
    pub(super) fn verify_by_keys(
        &self,
        algorithm: SignatureAlgorithm,
        keys: &KeySet,
    ) -> Result<(), TokenError> {
        let mut candidates = keys.candidates(self.key_id.as_deref(), algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::SigningKeyUnknown);
        }
        // Text that is not base64url, or has the wrong length, is not a signature.
        let signature = decode(self.signature).map_err(|_| TokenError::SignatureInvalid)?;
        match candidates.any(|key| key.verify(self.signing_input.as_bytes(), &signature).is_ok()) {
            true => Ok(()),
            false => Err(TokenError::SignatureInvalid),
        }
    }

    /// Whether the secret made the signature.
    pub(super) fn verify_by_secret(&self, secret: &SharedSecret) -> Result<(), TokenError> {
        let signature = decode(self.signature).map_err(|_| TokenError::SignatureInvalid)?;
        match secret.verifies(&signature, self.signing_input.as_bytes()) {
            true => Ok(()),
            false => Err(TokenError::SignatureInvalid),
        }
    }
}

/// What is read of the header of a JWS.
#[derive(Debug, PartialEq)]
struct JoseHeader {
    algorithm: Option<JwsAlgorithm>,
    key_id: Option<String>,
    token_type: Option<String>,
}

impl JoseHeader {
    /// A header that has nothing but `alg`, `kid` and `typ`, as nearly all have, read without a copy of its members.
    fn plain(json: &[u8]) -> Option<Self> {
        let mut json = PlainJson::new(str::from_utf8(json).ok()?);
        let (mut algorithm, mut key_id, mut token_type) = (None, None, None);
        json.object(|json, name| {
            let slot = match name {
                "alg" => &mut algorithm,
                "kid" => &mut key_id,
                "typ" => &mut token_type,
                _ => return None,
            };
            once(slot, json.string()?)
        })?;
        json.is_at_end().then_some(())?;
        Some(Self {
            algorithm: JwsAlgorithm::from_name(algorithm?),
            key_id: key_id.map(str::to_owned),
            token_type: token_type.map(str::to_owned),
        })
    }

    /// Any header.
    fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let mut header = parse_object(json)?;
        // Parameters that name or fetch a key (jku, jwk, x5u, x5c: RFC 8725 section 3.10) are never read, so they
        // are not refused. Parameters that change what a signature means are refused. `zip` is a parameter of JWE
        // only (RFC 7516 section 4.1.3): in a JWS it is not understood, and so ignored (RFC 7515 section 4).
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(TokenError::CriticalHeader);
        }
        if header.contains_key("enc") {
            return Err(TokenError::Encrypted);
        }
        // RFC 7519 section 5.2: `JWT` says that the payload is a token. Any other type is for the application
        // (RFC 7515 section 4.1.10); here the payload is JSON, whatever it is called.
        if take_string(&mut header, "cty")?.is_some_and(|payload_type| is_token(&payload_type)) {
            return Err(TokenError::Nested);
        }
        let algorithm = match header.get("alg") {
            Some(Value::String(name)) => JwsAlgorithm::from_name(name),
            _ => return Err(TokenError::Malformed),
        };
        let key_id = take_string(&mut header, "kid")?;
        let token_type = take_string(&mut header, "typ")?;
        Ok(Self { algorithm, key_id, token_type })
    }
}

/// Whether a `cty` says that the payload is a token, with parameters of the media type or without.
fn is_token(payload_type: &str) -> bool {
    let media_type = payload_type.split(';').next().unwrap_or_default();
    same_media_type(media_type.trim(), "JWT")
}

/// Base64url without padding, in its canonical form (RFC 7515 section 2, RFC 4648 section 3.5).
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

fn take_string(header: &mut Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(TokenError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn error(header: &str, payload: &str) -> Option<TokenError> {
        Jws::parse(&token(header, payload)).and_then(|jws| jws.claims()).err()
    }

    #[test]
    fn a_token_is_taken_apart() {
        let token = token(
            r#"{"alg":"RS256","kid":"k","typ":"at+jwt","jku":"https://evil.example"}"#,
            r#"{"iss":"i"}"#,
        );
        let jws = Jws::parse(&token).unwrap();
        assert_eq!(jws.algorithm, Some(JwsAlgorithm::Signature(SignatureAlgorithm::Rs256)));
        assert_eq!(jws.key_id.as_deref(), Some("k"));
        assert_eq!(jws.token_type.as_deref(), Some("at+jwt"));
        assert_eq!(jws.claims().unwrap()["iss"], "i");
        assert_eq!(format!("{}.{}", jws.signing_input, jws.signature), token);
    }

    /// Whether the header is plain; then it is read as any header is.
    fn is_plain(header: &[u8]) -> bool {
        let plain = JoseHeader::plain(header);
        if let Some(plain) = &plain {
            let any = JoseHeader::parse(header);
            assert_eq!(Ok(plain), any.as_ref(), "{}", String::from_utf8_lossy(header));
        }
        plain.is_some()
    }

    #[test]
    fn a_plain_header_is_read_as_any_header_is() {
        let mut plain = 0;
        for usual in [
            r#"{"alg":"RS256","kid":"k/é","typ":"at+jwt"}"#,
            " {\n\t\"typ\" : \"JWT\" ,\r\"alg\":\"none\" } ",
            r#"{"alg":""}"#,
        ] {
            assert!(is_plain(usual.as_bytes()), "{usual}");
            // Every cut, every byte lost, and every place with another byte or one more.
            for at in 0..=usual.len() {
                let (before, after) = usual.as_bytes().split_at(at);
                plain += usize::from(is_plain(before));
                for rest in [after, after.get(1..).unwrap_or_default()] {
                    plain += usize::from(is_plain(&[before, rest].concat()));
                    for byte in 0..=u8::MAX {
                        plain += usize::from(is_plain(&[before, &[byte], rest].concat()));
                    }
                }
            }
        }
        assert!(plain > 1_000, "{plain}");
    }

    proptest! {
        #[test]
        fn a_header_of_mixed_members_is_read_as_any_header_is(
            members in prop::collection::vec(
                prop::sample::select(vec![
                    r#""alg":"RS256""#,
                    r#""alg":"none""#,
                    r#""alg":["RS256"]"#,
                    r#""\u0061lg":"ES256""#,
                    r#""kid":"k""#,
                    r#""kid":"\u006b""#,
                    r#""kid":7"#,
                    r#""typ":"JWT""#,
                    r#""typ":null"#,
                    r#""crit":["exp"]"#,
                    r#""enc":"A128GCM""#,
                    r#""cty":"JWT""#,
                    r#""b64":"x""#,
                    r#""jku":"https://x""#,
                ]),
                0..5,
            ),
            space in prop::sample::select(vec!["", " ", "\n", "\u{a0}", "\0", ","]),
        ) {
            let header = format!("{space}{{{}}}{space}", members.join(&format!("{space},{space}")));
            is_plain(header.as_bytes());
        }
    }

    #[test]
    fn a_header_that_changes_what_the_signature_means_is_refused() {
        for (header, expected) in [
            (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, TokenError::CriticalHeader),
            (r#"{"alg":"RS256","b64":false}"#, TokenError::CriticalHeader),
            (r#"{"alg":"RS256","enc":"A128GCM"}"#, TokenError::Encrypted),
            (r#"{"alg":"RS256","enc":null,"zip":"DEF"}"#, TokenError::Encrypted),
            (r#"{"alg":"RS256","cty":"JWT"}"#, TokenError::Nested),
            (r#"{"alg":"RS256","cty":"jwt"}"#, TokenError::Nested),
            (r#"{"alg":"RS256","cty":"application/JWT"}"#, TokenError::Nested),
            (r#"{"alg":"RS256","cty":"Application/jwt; charset=utf-8"}"#, TokenError::Nested),
            (r#"{"alg":"RS256","cty":" JWT "}"#, TokenError::Nested),
            (r#"{"alg":"RS256","cty":7}"#, TokenError::Malformed),
            (r#"{"alg":"RS256","cty":null}"#, TokenError::Malformed),
            (r#"{"alg":"RS256","cty":["JWT"]}"#, TokenError::Malformed),
            (r#"{"alg":"RS256","zip":"DEF","crit":["zip"]}"#, TokenError::CriticalHeader),
            (r#"{"alg":"RS256","alg":"RS256"}"#, TokenError::DuplicateMember),
            (r#"{"alg":1}"#, TokenError::Malformed),
            (r#"{}"#, TokenError::Malformed),
            (r#"{"alg":"RS256","kid":7}"#, TokenError::Malformed),
            (r#"{"alg":"RS256","typ":null}"#, TokenError::Malformed),
            ("RS256", TokenError::Malformed),
        ] {
            assert_eq!(error(header, "{}"), Some(expected), "{header}");
        }
        assert_eq!(
            error(r#"{"alg":"RS256"}"#, r#"{"sub":"a","sub":"b"}"#),
            Some(TokenError::DuplicateMember)
        );
        for name in ["none", "HS512", "hs256", "nOnE"] {
            let token = token(&format!(r#"{{"alg":"{name}"}}"#), "{}");
            assert_eq!(Jws::parse(&token).unwrap().algorithm, None, "{name}");
        }
    }

    #[test]
    fn parameters_that_mean_nothing_in_a_signed_token_are_ignored() {
        for header in [
            r#"{"alg":"RS256","zip":"NONE"}"#,
            r#"{"alg":"RS256","zip":"DEF"}"#,
            r#"{"alg":"RS256","zip":"RS256"}"#,
            r#"{"alg":"RS256","zip":null}"#,
            r#"{"alg":"RS256","zip":["DEF"]}"#,
            r#"{"alg":"RS256","cty":"application/json"}"#,
            r#"{"alg":"RS256","cty":"json"}"#,
            r#"{"alg":"RS256","cty":"text/JWT"}"#,
            r#"{"alg":"RS256","cty":""}"#,
            r#"{"alg":"RS256","jwk":{},"x5c":7,"x5t":null,"x5t#S256":"","x5u":"","jku":[],"epk":{},"p2c":1}"#,
        ] {
            assert_eq!(error(header, "{}"), None, "{header}");
        }
    }

    #[test]
    fn a_token_of_another_form_is_refused() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(Jws::parse(&good).is_ok());
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        for (token, expected) in [
            (String::new(), TokenError::Malformed),
            ("..".into(), TokenError::Malformed),
            ("a.b".into(), TokenError::Malformed),
            (format!("{good}.x"), TokenError::Malformed),
            (format!("{good}.x.y"), TokenError::Encrypted),
            (format!("{header}.e30."), TokenError::Malformed),
            (format!("{header}..c2ln"), TokenError::Malformed),
            (format!("{header}=.e30.c2ln"), TokenError::Malformed),
            (format!("{header}.e31.c2ln"), TokenError::Malformed),
            (format!("{header}.e3+.c2ln"), TokenError::Malformed),
            (format!("{header}.e30 .c2ln"), TokenError::Malformed),
            (format!("{header}.{}.c2ln", "e".repeat(MAX_TOKEN_BYTES)), TokenError::TooLong),
        ] {
            assert_eq!(Jws::parse(&token).and_then(|jws| jws.claims()).err(), Some(expected), "{token}");
        }
    }

    proptest! {
        #[test]
        fn no_token_panics(token in "\\PC*", header in "\\PC*", payload in "\\PC*") {
            let _ = Jws::parse(&token);
            let _ = Jws::parse(&self::token(&header, &payload)).map(|jws| jws.claims());
        }
    }
}
