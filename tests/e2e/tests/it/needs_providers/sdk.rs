//! AWS's SDK for Python and AWS's command line against the distribution: their default requests, with a bearer token
//! instead of a signature.

mod checksums;
mod command_line;
mod listing;
mod model;
mod objects;
mod pictures;
mod transfers;

use std::io::Write as _;
use std::path::Path;

use authorizer_e2e::sdk::{AS_ADVISED, Called, Sdk};
use authorizer_e2e::stage::Stage;
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// A distribution, the SDK, and the tokens of two users.
struct Scene {
    stage: Stage,
    sdk: Sdk,
    alice: String,
    bob: String,
}

impl Scene {
    /// `None` if the SDK could not be installed.
    fn set() -> Option<Self> {
        Self::on(Stage::start())
    }

    fn on(stage: Stage) -> Option<Self> {
        let sdk = Sdk::of(&stage)?;
        let (alice, bob) = (stage.token("alice"), stage.token("bob"));
        Some(Self { stage, sdk, alice, bob })
    }

    /// A call by Alice, with the SDK configured as the documentation advises.
    fn alice(&mut self, name: &str, args: Value) -> Called {
        self.sdk.call(&self.alice, AS_ADVISED, name, args)
    }

    /// The same call by Bob.
    fn bob(&mut self, name: &str, args: Value) -> Called {
        self.sdk.call(&self.bob, AS_ADVISED, name, args)
    }
}

/// Writes a file with this number of bytes, in which no two blocks are the same, and returns its digest.
fn fill(file: &Path, bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut content = Vec::with_capacity(bytes + 8);
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(bytes);
    std::fs::File::create(file).unwrap().write_all(&content).unwrap();
    digest(&content)
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    context.finish().as_ref().to_vec()
}

fn digest_of(file: &Path) -> Vec<u8> {
    digest(&std::fs::read(file).unwrap())
}
