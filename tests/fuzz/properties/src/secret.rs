//! Any bytes as the file with a secret: it is used exactly if it has the length of a secret, and no error shows it.
//!
//! The first byte chooses the encoding; the rest is the file.

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use authorizer_core::token::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};
use authorizer_policy::{PolicyFile, PolicyFileError};
use miette::{GraphicalReportHandler, GraphicalTheme};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The shortest piece of a secret that must not be shown. Shorter ones are in any message by chance.
const PIECE: usize = 24;

/// What errors say of files that have nothing to do with the one that is tried. A file that holds a piece of such a text
/// is not shown by an error that says it again.
static UNRELATED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let long = [b'x'; MAX_SECRET_BYTES * 2 + 1];
    let files: [&[u8]; 5] = [b"", b"short", &long, b"no base64: *", b"no text: \xff\xff"];
    let errors = |encoding| move |file: &&[u8]| Some(shown(&load(encoding, file).err()?));
    ["text", "base64"].into_iter().flat_map(|encoding| files.iter().filter_map(errors(encoding))).collect()
});

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    let Some((encoding, file)) = bytes.split_first() else { return };
    let encoding = if encoding.is_multiple_of(2) { "text" } else { "base64" };
    match load(encoding, file) {
        Ok(loaded) => {
            assert!(loaded.bundle().policy().issuers()[0].has_secret());
            let line = file.strip_suffix(b"\n").unwrap_or(file);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let most = if encoding == "text" { MAX_SECRET_BYTES } else { MAX_SECRET_BYTES * 2 };
            assert!((MIN_SECRET_BYTES..=most).contains(&line.len()));
        }
        Err(error) => {
            let shown = shown(&error);
            let has = |text: &str, piece: &[u8]| text.as_bytes().windows(PIECE).any(|window| window == piece);
            for piece in file.windows(PIECE).filter(|piece| has(&shown, piece)) {
                assert!(UNRELATED.iter().any(|text| has(text, piece)), "{shown}");
            }
        }
    }
}

/// Loads a policy whose secret is this file.
fn load(encoding: &str, file: &[u8]) -> Result<PolicyFile, PolicyFileError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // Names of one length, so that what an error draws beside a name does not change with it.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = FOLDER.path().join(format!("{number:020}"));
    fs::create_dir(&folder).unwrap();
    let text = format!(
        "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\naudience = [\"a\"]\n\
         algorithms = [\"HS256\"]\nsecret = {{ file = \"a.secret\", encoding = \"{encoding}\" }}\n"
    );
    fs::write(folder.join("a.toml"), text).unwrap();
    fs::write(folder.join("a.secret"), file).unwrap();
    let loaded = PolicyFile::load(&folder.join("a.toml"));
    fs::remove_dir_all(&folder).unwrap();
    loaded
}

/// All that a person sees of an error, without the number of its folder.
fn shown(error: &PolicyFileError) -> String {
    let mut shown = error.to_string();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, error).unwrap();
    let prefix = format!("{}/", FOLDER.path().display());
    let mut parts = shown.split(&prefix);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.get(20..).unwrap_or_default())
}
