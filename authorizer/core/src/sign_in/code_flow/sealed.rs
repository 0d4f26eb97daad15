//! What only this function can make and read: AES-256-GCM (NIST SP 800-38D) with a random nonce each, as base64url of
//! the nonce, the ciphertext and the tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::random::Random;
use super::settings::CodeFlow;

/// The longest text that is opened, in bytes. All headers of a request have at most 20,480.
const MAX_SEALED_BYTES: usize = 20_480;

/// What is sealed. One is never read as the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// What is needed when a person comes back from the provider.
    Flow,
    /// What is needed to renew and to end a session.
    Session,
}

/// The keys of one policy, and what its cookies are bound to.
pub(super) struct Sealer<'p> {
    flow: &'p CodeFlow,
    issuer: &'p str,
}

impl<'p> Sealer<'p> {
    pub(super) fn new(flow: &'p CodeFlow, issuer: &'p str) -> Self {
        Self { flow, issuer }
    }

    /// Seals with the current key. `None` if there is no random nonce.
    pub(super) fn seal(&self, kind: Kind, content: &impl Serialize, random: &Random<'_>) -> Option<String> {
        let mut bytes = serde_json::to_vec(content).ok()?;
        let mut nonce = [0; NONCE_LEN];
        let bound_to = self.bound_to(kind)?;
        random.fill_nonce(&mut nonce, &bound_to, &bytes)?;
        let key = cipher(self.flow.cookie_keys.first()?)?;
        let aad = Aad::from(bound_to);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes).ok()?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut bytes);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what one of the keys sealed, as this kind and for this client of this issuer.
    pub(super) fn open<T: DeserializeOwned>(&self, kind: Kind, text: &str) -> Option<T> {
        if text.len() > MAX_SEALED_BYTES {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let aad = self.bound_to(kind)?;
        self.flow.cookie_keys.iter().find_map(|key| {
            let mut bytes = sealed.to_vec();
            let aad = Aad::from(aad.as_slice());
            let opened = cipher(key)?.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut bytes);
            serde_json::from_slice(opened.ok()?).ok()
        })
    }

    /// The additional data: text that cannot be read in two ways.
    fn bound_to(&self, kind: Kind) -> Option<Vec<u8>> {
        let kind = match kind {
            Kind::Flow => "flow",
            Kind::Session => "session",
        };
        let CodeFlow { cookie, origin, client_id, .. } = self.flow;
        serde_json::to_vec(&["authorizer sign-in 1", kind, cookie, origin, self.issuer, client_id]).ok()
    }
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::super::random::RandomSource;
    use super::super::settings::{ClientAuthentication, SessionToken};
    use super::*;
    use crate::fetch_url::FetchUrl;
    use crate::time::UnixTime;

    fn flow(keys: &[u8]) -> CodeFlow {
        let url = |text| FetchUrl::parse(text).unwrap();
        CodeFlow {
            issuer: 0,
            client_id: "web".to_owned(),
            origin: "https://files.example.com".to_owned(),
            scopes: vec!["openid".to_owned()],
            authorization_endpoint: url("https://login.example/authorize"),
            authorization_parameters: Default::default(),
            token_endpoint: url("https://login.example/token"),
            end_session: None,
            id_token_hint: false,
            response_iss: false,
            session_token: SessionToken::AccessToken,
            redirect_path: "/.auth/callback".to_owned(),
            sign_out_path: "/.auth/sign-out".to_owned(),
            refresh: false,
            session_seconds: 3_600,
            cookie: "__Host-session".to_owned(),
            cookie_keys: keys.iter().map(|byte| [*byte; 32]).collect(),
            client_authentication: ClientAuthentication::None,
        }
    }

    fn opens(flow: &CodeFlow, issuer: &str, kind: Kind, text: &str) -> bool {
        Sealer::new(flow, issuer).open::<Vec<String>>(kind, text).is_some()
    }

    fn sealed(flow: &CodeFlow, event: &[u8]) -> String {
        let (source, now) = (RandomSource::Seeded([3; 32]), UnixTime::from_seconds(1));
        let random = Random::new(&source, event, now);
        Sealer::new(flow, "i").seal(Kind::Flow, &["content"], &random).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_as_it_is_and_in_no_other_way() {
        let own = flow(&[1]);
        let text = sealed(&own, b"e");
        let opened = Sealer::new(&own, "i").open::<Vec<String>>(Kind::Flow, &text);
        assert_eq!(opened.as_deref(), Some(&["content".to_owned()][..]));
        assert!(!text.contains("content"));
        assert!(opens(&flow(&[2, 1]), "i", Kind::Flow, &text), "a key before the current one opens");
        assert!(!opens(&flow(&[2, 3]), "i", Kind::Flow, &text));
        assert!(!opens(&own, "j", Kind::Flow, &text));
        assert!(!opens(&own, "i", Kind::Session, &text));
        for change in [
            |flow: &mut CodeFlow| flow.client_id.push('x'),
            |flow: &mut CodeFlow| flow.origin.push('x'),
            |flow: &mut CodeFlow| flow.cookie.push('x'),
        ] {
            let mut other = flow(&[1]);
            change(&mut other);
            assert!(!opens(&other, "i", Kind::Flow, &text));
        }
        // Each bit, each cut, and each mixture of two.
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        let other = URL_SAFE_NO_PAD.decode(sealed(&own, b"f")).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(!opens(&own, "i", Kind::Flow, &URL_SAFE_NO_PAD.encode(changed)), "{at} {bit}");
            }
            assert!(!opens(&own, "i", Kind::Flow, &URL_SAFE_NO_PAD.encode(&bytes[..at])));
            if at > 0 {
                let mixed = [&bytes[..at], &other[at..]].concat();
                assert!(!opens(&own, "i", Kind::Flow, &URL_SAFE_NO_PAD.encode(mixed)), "{at}");
            }
        }
        for text in ["", "A", "!", &"A".repeat(30_000), &format!("{text}=")] {
            assert!(!opens(&own, "i", Kind::Flow, text));
        }
    }

    #[test]
    fn a_nonce_is_used_once() {
        let own = flow(&[1]);
        let source = RandomSource::System;
        let nonces: std::collections::BTreeSet<String> = (0..1_000)
            .map(|_| {
                let random = Random::new(&source, b"e", UnixTime::from_seconds(1));
                let text = Sealer::new(&own, "i").seal(Kind::Flow, &["content"], &random).unwrap();
                text.get(..16).unwrap().to_owned()
            })
            .collect();
        assert_eq!(nonces.len(), 1_000);
        // Given random bytes are the same each time, and differ within a decision.
        let source = RandomSource::Seeded([3; 32]);
        let random = || Random::new(&source, b"e", UnixTime::from_seconds(1));
        let one = random();
        assert_eq!(one.text(), random().text());
        assert_ne!(one.text(), random().text());
    }
}
