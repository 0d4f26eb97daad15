//! Any bytes as the file with a secret: it is used exactly if it has the length of a secret, and no error shows it.
//!
//! The first byte chooses the encoding; the rest is the file.

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use authorizer_core::token::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};
use authorizer_policy::PolicyFile;
use miette::{GraphicalReportHandler, GraphicalTheme};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The shortest piece of a secret that must not be shown. Shorter ones are in any message by chance.
const PIECE: usize = 24;

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Some((encoding, file)) = bytes.split_first() else { return };
    let encoding = if encoding.is_multiple_of(2) { "text" } else { "base64" };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (policy, secret) = (format!("{number}.toml"), format!("{number}.secret"));
    let (policy, path) = (FOLDER.path().join(policy), FOLDER.path().join(&secret));
    let text = format!(
        "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\naudience = [\"a\"]\n\
         algorithms = [\"HS256\"]\nsecret = {{ file = \"{secret}\", encoding = \"{encoding}\" }}\n"
    );
    fs::write(&policy, text).unwrap();
    fs::write(&path, file).unwrap();
    let loaded = PolicyFile::load(&policy);
    fs::remove_file(&policy).unwrap();
    fs::remove_file(&path).unwrap();
    match loaded {
        Ok(loaded) => {
            assert!(loaded.bundle().policy().issuers()[0].has_secret());
            let line = file.strip_suffix(b"\n").unwrap_or(file);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let most = if encoding == "text" { MAX_SECRET_BYTES } else { MAX_SECRET_BYTES * 2 };
            assert!((MIN_SECRET_BYTES..=most).contains(&line.len()));
        }
        Err(error) => {
            let mut shown = error.to_string();
            let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
            handler.render_report(&mut shown, &error).unwrap();
            for piece in file.windows(PIECE) {
                let is_shown = shown.as_bytes().windows(PIECE).any(|window| window == piece);
                assert!(!is_shown || piece.iter().all(|byte| b" -\xe2\x94\x80".contains(byte)), "{shown}");
            }
        }
    }
}
