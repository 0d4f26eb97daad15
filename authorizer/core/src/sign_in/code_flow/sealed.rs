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
