//! Packages for the tests. Packing takes seconds, so a package is kept in the target folder until the function, the
//! policy or the packer changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use authorizer_core::record::sha256_hex;
use authorizer_policy::PolicyFile;

use crate::binaries::{Build, authorizer, bootstrap, library, root, run, scratch};
use crate::fixtures::Suite;
use crate::served::Served;

/// A policy and its package.
#[derive(Clone, Debug)]
pub struct Package {
    /// The policy file.
    pub policy: PathBuf,
    /// The zip.
    pub zip: PathBuf,
}

/// The algorithms of the issuers of [`issuers`], which are also their names.
pub const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];

/// The policy for the recorded events of a suite.
pub fn suite(suite: Suite) -> &'static Package {
    static TOKENS: OnceLock<Package> = OnceLock::new();
    static REQUESTS: OnceLock<Package> = OnceLock::new();
    let (package, name) = match suite {
        Suite::Tokens => (&TOKENS, "tokens"),
        Suite::Requests => (&REQUESTS, "requests"),
    };
    package.get_or_init(|| locked(|_| pack(name, suite.policy())))
}

/// The same, with the function as a library.
pub fn suite_as_library(suite: Suite) -> &'static Package {
    static TOKENS: OnceLock<Package> = OnceLock::new();
    static REQUESTS: OnceLock<Package> = OnceLock::new();
    let (package, name) = match suite {
        Suite::Tokens => (&TOKENS, "tokens-library"),
        Suite::Requests => (&REQUESTS, "requests-library"),
    };
    package.get_or_init(|| locked(|_| pack_library(name, suite.policy(), Build::Fast)))
}

/// The policy that `authorizer serve --sample` writes, with the keys of that folder.
pub fn sample() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let make = |folder: &Path| {
        let folder = folder.join("sample");
        let policy = folder.join("policy.toml");
        if fs::read_to_string(&policy).ok() != Some(sample_policy()) {
            // It may exist in an older form.
            let _ = fs::remove_file(&policy);
            drop(Served::sample_in(&folder));
        }
        pack("sample", policy)
    };
    PACKAGE.get_or_init(|| locked(make))
}

/// The same, with the small build.
pub fn small_sample() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let policy = sample().policy.clone();
    PACKAGE.get_or_init(|| locked(|_| pack_with("small-sample", policy, &bootstrap(Build::Small))))
}

/// The sample, with the function as a library in this build.
pub fn sample_as_library(build: Build) -> &'static Package {
    static FAST: OnceLock<Package> = OnceLock::new();
    static SMALL: OnceLock<Package> = OnceLock::new();
    let policy = sample().policy.clone();
    let (package, name) = match build {
        Build::Fast => (&FAST, "sample-library"),
        Build::Small => (&SMALL, "small-sample-library"),
    };
    package.get_or_init(|| locked(|_| pack_library(name, policy, build)))
}

/// The rules of the sample for three issuers, one for each kind of signature; [`token`] signs for them.
pub fn issuers() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let make = |folder: &Path| {
        let folder = folder.join("issuers");
        let mut text = "version = 1\n".to_owned();
        for algorithm in ALGORITHMS {
            let keys = folder.join("keys");
            if !keys.join(format!("{algorithm}.jwks.json")).exists() {
                run([
                    "token",
                    "keygen",
                    algorithm,
                    "--algorithm",
                    algorithm,
                    "--dir",
                    keys.to_str().unwrap(),
                ]);
            }
            text += &format!(
                "[[issuers]]\nname = \"{algorithm}\"\nissuer = \"https://{algorithm}.example/\"\n\
                 audience = [\"files-api\"]\nalgorithms = [\"{algorithm}\"]\n\
                 jwks = {{ file = \"keys/{algorithm}.jwks.json\" }}\ntoken_type = \"at+jwt\"\n"
            );
        }
        let sample = sample_policy();
        // With several issuers, a rule that reads claims names them.
        for rule in sample.split("[[rules]]\n").skip(1) {
            let (fields, after) = rule.split_once("\n\n").unwrap_or((rule.trim_end(), ""));
            let reads_claims = fields.contains("{sub}") || fields.contains("\nwhen ");
            let named = if reads_claims { format!("\nissuers = {ALGORITHMS:?}") } else { String::new() };
            text += &format!("[[rules]]\n{fields}{named}\n\n{after}");
        }
        let policy = folder.join("policy.toml");
        fs::write(&policy, text).unwrap();
        pack("issuers", policy)
    };
    PACKAGE.get_or_init(|| locked(make))
}

/// The same, with the small build.
pub fn small_issuers() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    let policy = issuers().policy.clone();
    PACKAGE.get_or_init(|| locked(|_| pack_with("small-issuers", policy, &bootstrap(Build::Small))))
}

/// The policy of [`issuers`], with the function as a library in this build.
pub fn issuers_as_library(build: Build) -> &'static Package {
    static FAST: OnceLock<Package> = OnceLock::new();
    static SMALL: OnceLock<Package> = OnceLock::new();
    let policy = issuers().policy.clone();
    let (package, name) = match build {
        Build::Fast => (&FAST, "issuers-library"),
        Build::Small => (&SMALL, "small-issuers-library"),
    };
    package.get_or_init(|| locked(|_| pack_library(name, policy, build)))
}

/// Mints a token of one of the issuers of [`issuers`] with `authorizer token mint`.
pub fn token(algorithm: &str, subject: &str, more: &[&str]) -> String {
    let keys = issuers().policy.with_file_name("keys");
    let key = keys.join(format!("{algorithm}.private.pem"));
    let issuer = format!("https://{algorithm}.example/");
    let fixed = ["token", "mint", "--key", key.to_str().unwrap(), "--issuer", &issuer, "--subject", subject];
    run(fixed.iter().chain(more)).trim_end().to_owned()
}

fn sample_policy() -> String {
    fs::read_to_string(root().join("fixtures/policies/sample.toml")).unwrap()
}

/// Other test processes wait. The lock goes with the process.
fn locked(make: impl FnOnce(&Path) -> Package) -> Package {
    let folder = scratch();
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let package = make(&folder);
    lock.unlock().unwrap();
    package
}

fn pack(name: &str, policy: PathBuf) -> Package {
    pack_with(name, policy, &bootstrap(Build::Fast))
}

fn pack_with(name: &str, policy: PathBuf, bootstrap: &Path) -> Package {
    pack_as(name, policy, bootstrap, "exec")
}

fn pack_library(name: &str, policy: PathBuf, build: Build) -> Package {
    pack_as(name, policy, &library(build), "library")
}

fn pack_as(name: &str, policy: PathBuf, bootstrap: &Path, hand_over: &str) -> Package {
    let authorizer = authorizer();
    let bundle = PolicyFile::load(&policy).unwrap().bundle_json().to_vec();
    let made_of = [fs::read(&authorizer).unwrap(), fs::read(bootstrap).unwrap(), bundle];
    let made_of = sha256_hex(made_of.map(|bytes| sha256_hex(&bytes)).concat().as_bytes());
    let (zip, stamp) = (scratch().join(format!("{name}.zip")), scratch().join(format!("{name}.stamp")));
    if !zip.exists() || fs::read_to_string(&stamp).ok().as_deref() != Some(&made_of) {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let (binary, out) = (path(bootstrap), path(&zip));
        let policy = path(&policy);
        let package = ["package", "--policy", &policy, "--hand-over", hand_over];
        run(package.into_iter().chain(["--bootstrap", &binary, "--out", &out]));
        fs::write(&stamp, made_of).unwrap();
    }
    Package { policy, zip }
}
