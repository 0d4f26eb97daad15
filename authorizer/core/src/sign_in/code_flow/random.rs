//! Random bytes. They are the one thing that the core takes from the system.

use std::cell::Cell;
use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::time::UnixTime;

/// Where the random bytes of a sign-in come from.
#[derive(Clone, Default)]
pub enum RandomSource {
    /// The system's generator.
    #[default]
    System,
    /// This seed, the event and the instant: the same decision again has the same bytes. Only for tests and for replay,
    /// never where people sign in.
    Seeded([u8; 32]),
}

impl fmt::Debug for RandomSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Seeded(_) => "Seeded",
        })
    }
}

/// The random bytes of one decision.
pub(crate) struct Random<'c> {
    source: &'c RandomSource,
    event: &'c [u8],
    now: UnixTime,
    drawn: Cell<u64>,
}

impl<'c> Random<'c> {
    pub(crate) fn new(source: &'c RandomSource, event: &'c [u8], now: UnixTime) -> Self {
        // An event of a file of lines comes with the end of its line.
        Self { source, event: event.trim_ascii(), now, drawn: Cell::new(0) }
    }

    /// Fills the bytes; `None` if the system has none.
    pub(crate) fn fill(&self, bytes: &mut [u8]) -> Option<()> {
        match self.source {
            RandomSource::System => SystemRandom::new().fill(bytes).ok(),
            RandomSource::Seeded(seed) => {
                for chunk in bytes.chunks_mut(32) {
                    let mut digest = self.seeded(seed)?;
                    digest.update(self.event);
                    for (to, from) in chunk.iter_mut().zip(digest.finish().as_ref()) {
                        *to = *from;
                    }
                }
                Some(())
            }
        }
    }

    /// Fills the nonce of what is sealed. With a seed it depends on that too: AES-GCM is broken by a nonce that two different
    /// texts have, and another policy may make another text of the same event.
    pub(crate) fn fill_nonce(&self, nonce: &mut [u8], bound_to: &[u8], content: &[u8]) -> Option<()> {
        match self.source {
            RandomSource::System => self.fill(nonce),
            RandomSource::Seeded(seed) => {
                let mut digest = self.seeded(seed)?;
                for part in [bound_to, content, self.event] {
                    digest.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
                    digest.update(part);
                }
                for (to, from) in nonce.iter_mut().zip(digest.finish().as_ref()) {
                    *to = *from;
                }
                Some(())
            }
        }
    }

    /// What each drawing begins with.
    fn seeded(&self, seed: &[u8; 32]) -> Option<Context> {
        let count = self.drawn.get();
        self.drawn.set(count.checked_add(1)?);
        let mut digest = Context::new(&SHA256);
        digest.update(seed);
        digest.update(&count.to_be_bytes());
        digest.update(&self.now.as_seconds().to_be_bytes());
        Some(digest)
    }

    /// 256 random bits as text that is its own encoding in a URL: 43 characters, as a PKCE verifier is made
    /// (RFC 7636 section 4.1).
    pub(crate) fn text(&self) -> Option<String> {
        let mut bytes = [0; 32];
        self.fill(&mut bytes)?;
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }
}
