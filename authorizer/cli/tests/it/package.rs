//! `authorizer package`, as a person runs it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use authorizer_core::BuiltWith;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::elf::Elf;
use crate::formats::{assert_valid, validator};
use crate::harness::{Done, command_in};

const POLICY: &str = r#"
version = 1

[credentials]
header = "authorization"

[[rules]]
id = "anyone-reads-public"
effect = "allow"
methods = ["GET"]
keys = ["public/**"]
anonymous = true
"#;

/// A folder with a policy and a binary that Lambda could run.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    fs::write(folder.path().join("bootstrap"), Elf::default().bytes()).unwrap();
    folder
}

fn package(folder: &Path, more: &[&str]) -> Done {
    let fixed = ["package", "--policy", "policy.toml", "--bootstrap", "bootstrap"];
    Done::of(&mut command_in(folder, &[fixed.as_slice(), more].concat()))
}

fn which_build(folder: &Path) -> Done {
    Done::of(&mut command_in(folder, &["package", "--policy", "policy.toml", "--print-build"]))
}

/// Exit 2, nothing on standard output, no zip, and every one of the words on standard error.
fn assert_refused(folder: &Path, words: &[&str]) {
    let done = package(folder, &[]);
    // As one line: the test does not check where the diagnostic wraps.
    let stderr = done.err.replace(['│', '\n'], " ");
    let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(done.code, 2, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
    }
    assert!(done.out.is_empty());
    assert!(!folder.join("dist/authorizer.zip").exists());
}

#[test]
fn the_same_inputs_give_the_same_zip_in_another_folder_on_another_day() {
    let [here, there] = [folder(), folder()];
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["policy.toml", "bootstrap"] {
        File::options().write(true).open(there.path().join(name)).unwrap().set_modified(long_ago).unwrap();
    }
    let zips = [&here, &there].map(|folder| {
        let done = package(folder.path(), &[]);
        assert_eq!(done.code, 0, "{done:?}");
        fs::read(folder.path().join("dist/authorizer.zip")).unwrap()
    });
    assert_eq!(zips[0], zips[1]);
}

#[test]
fn the_zip_holds_the_binary_the_shims_and_the_bundle_in_order_and_only_the_binary_may_be_executed() {
    let folder = folder();
    assert_eq!(package(folder.path(), &["--out", "a.zip"]).code, 0);
    let mut zip = zip::ZipArchive::new(File::open(folder.path().join("a.zip")).unwrap()).unwrap();
    let mut entries = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        entries.push((file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o7777, bytes));
    }
    let shims = Path::new(env!("CARGO_MANIFEST_DIR")).join("../edge/shims");
    assert_eq!(
        entries.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect::<Vec<_>>(),
        [("bootstrap", 0o755), ("index.py", 0o644), ("index.mjs", 0o644), ("bundle.json", 0o644)]
    );
    assert_eq!(entries[0].2, Elf::default().bytes());
    assert_eq!(entries[1].2, fs::read(shims.join("index.py")).unwrap());
    assert_eq!(entries[2].2, fs::read(shims.join("index.mjs")).unwrap());
    authorizer_core::Bundle::read(&entries[3].2).unwrap();
}

#[test]
fn the_zip_of_the_library_holds_it_its_handler_and_the_bundle_and_nothing_for_node() {
    let folders = [folder(), folder()];
    let zips = folders.each_ref().map(|folder| {
        fs::write(folder.path().join("bootstrap"), Elf::library().bytes()).unwrap();
        let done = package(folder.path(), &["--hand-over", "library", "--out", "a.zip", "--format", "json"]);
        assert_eq!(done.code, 0, "{done:?}");
        let report: Value = serde_json::from_str(&done.out).unwrap();
        assert_valid(&validator("package"), &report);
        assert_eq!(report["hand_over"], "library");
        assert_eq!(report["runtimes"], serde_json::json!(["python3.14"]), "not Node.js");
        fs::read(folder.path().join("a.zip")).unwrap()
    });
    assert_eq!(zips[0], zips[1], "the same inputs give the same bytes");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&zips[0])).unwrap();
    let mut entries = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        entries.push((file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o7777, bytes));
    }
    assert_eq!(
        entries.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect::<Vec<_>>(),
        [("libauthorizer.so", 0o755), ("index.py", 0o644), ("bundle.json", 0o644)]
    );
    let handler = Path::new(env!("CARGO_MANIFEST_DIR")).join("../library/handler/index.py");
    assert_eq!(entries[0].2, Elf::library().bytes());
    assert_eq!(entries[1].2, fs::read(handler).unwrap());
    authorizer_core::Bundle::read(&entries[2].2).unwrap();
}

#[test]
fn a_program_is_not_packaged_as_a_library_nor_a_library_as_a_program() {
    for (binary, hand_over, words) in [
        (
            Elf::default(),
            "library",
            ["is a program, not the function as a library", "authorizer/edge/build small library"],
        ),
        (Elf::library(), "exec", ["is the function as a library, not the program", "--hand-over library"]),
        (
            Elf { symbols: &["authorizer_start", "authorizer_free"], ..Elf::library() },
            "library",
            ["is a library or an object file, not the function", "authorizer/edge/build"],
        ),
    ] {
        let folder = folder();
        fs::write(folder.path().join("bootstrap"), binary.bytes()).unwrap();
        let done = package(folder.path(), &["--hand-over", hand_over]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
        let err = done.err.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(err.contains(word), "`{word}` is not in: {err}");
        }
        assert!(!folder.path().join("dist/authorizer.zip").exists());
    }
}

#[test]
fn the_report_has_the_digests_of_the_zip_and_of_the_bundle() {
    let folder = folder();
    let done = package(folder.path(), &["--format", "json"]);
    let report: Value = serde_json::from_str(&done.out).unwrap();
    let zip = fs::read(folder.path().join("dist/authorizer.zip")).unwrap();
    let sha256 = digest(&SHA256, &zip);
    let hex: String = sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_valid(&validator("package"), &report);
    assert_eq!(report["version"], 1);
    assert_eq!(report["package"], "dist/authorizer.zip");
    assert_eq!(report["hand_over"], "exec");
    assert_eq!(report["bytes"], zip.len());
    assert_eq!(report["sha256"], *hex);
    assert_eq!(report["code_sha256"], *STANDARD.encode(sha256));
    let bundle = authorizer_policy::PolicyFile::load(&folder.path().join("policy.toml")).unwrap();
    let bundle = authorizer_core::Bundle::read(bundle.bundle_json()).unwrap();
    assert_eq!(report["bundle_sha256"], bundle.sha256());
    assert_eq!(report["runtimes"], serde_json::json!(["python3.14", "nodejs24.x"]));
    let entries = report["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0]["name"], "bootstrap");
    assert_eq!(entries[0]["bytes"], Elf::default().bytes().len());

    let text = package(folder.path(), &[]).out;
    for word in [&hex, &STANDARD.encode(sha256), bundle.sha256(), "index.py", "python3.14 or nodejs24.x"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_package_that_was_there_is_replaced_whole_and_survives_a_refusal() {
    let folder = folder();
    let out = folder.path().join("a.zip");
    fs::write(&out, "the old one").unwrap();
    fs::write(folder.path().join("policy.toml"), "version = 2").unwrap();
    assert_eq!(package(folder.path(), &["--out", "a.zip"]).code, 2);
    assert_eq!(fs::read(&out).unwrap(), b"the old one");
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    assert_eq!(package(folder.path(), &["--out", "a.zip"]).code, 0);
    assert!(fs::read(&out).unwrap().starts_with(b"PK"));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");
}

#[test]
fn a_binary_that_lambda_cannot_run_is_refused_with_what_it_lacks() {
    let whole = Elf::default().bytes();
    let cases: [(Vec<u8>, &[&str]); 8] = [
        (b"#!/bin/sh\necho hello\n".to_vec(), &["`bootstrap` is not an ELF file"]),
        (whole[..whole.len() / 2].to_vec(), &["`bootstrap` is cut short or damaged"]),
        (
            Elf { machine: 183, ..Elf::default() }.bytes(),
            &["is made for aarch64, but Lambda@Edge runs x86_64"],
        ),
        (Elf { interpreter: None, ..Elf::default() }.bytes(), &["is a library or an object file"]),
        (
            Elf { interpreter: Some("/lib/ld-musl-x86_64.so.1"), ..Elf::default() }.bytes(),
            &["Lambda's machine does not have: `/lib/ld-musl-x86_64.so.1`"],
        ),
        (
            Elf { libraries: &["libc.so.6", "libssl.so.3"], ..Elf::default() }.bytes(),
            &["Lambda's machine does not have: `libssl.so.3`"],
        ),
        (
            Elf { versions: &["GLIBC_2.34", "GLIBC_2.35", "GLIBC_2.39"], ..Elf::default() }.bytes(),
            &["Lambda's glibc 2.34 does not have: `GLIBC_2.35`, `GLIBC_2.39`"],
        ),
        (
            Elf { versions: &["GLIBC_2.34", "GLIBC_ABI_DT_RELR"], ..Elf::default() }.bytes(),
            &["Lambda's glibc 2.34 does not have: `GLIBC_ABI_DT_RELR`"],
        ),
    ];
    for (bytes, words) in cases {
        let folder = folder();
        fs::write(folder.path().join("bootstrap"), bytes).unwrap();
        assert_refused(folder.path(), words);
        assert_refused(folder.path(), &["`authorizer/edge/build` makes a binary that Lambda can run"]);
    }
}

#[test]
fn what_only_newer_glibcs_have_may_be_asked_for_weakly() {
    let folder = folder();
    let elf = Elf { weak_versions: &["GLIBC_2.39"], ..Elf::default() };
    fs::write(folder.path().join("bootstrap"), elf.bytes()).unwrap();
    assert_eq!(package(folder.path(), &[]).code, 0);
}

#[test]
fn a_policy_that_needs_keys_fetched_takes_a_binary_that_says_it_can() {
    let [can, cannot] = BuiltWith::ALL.map(|one| one.marker().as_bytes());
    let both = [can, cannot].concat();
    for (padding, code, word) in [
        (can, 0, ""),
        (cannot, 2, "was built without `remote-keys`"),
        (b"nothing of the kind".as_slice(), 2, "does not say whether it can fetch keys"),
        (&both, 2, "does not say whether it can fetch keys"),
    ] {
        let folder = folder();
        let issuer = "[[issuers]]\nname = \"login\"\nissuer = \"https://login.example.com/\"\naudience = [\"a\"]\n\
                      algorithms = [\"RS256\"]\njwks = { url = \"https://login.example.com/jwks.json\" }\n";
        fs::write(folder.path().join("policy.toml"), format!("{POLICY}\n{issuer}")).unwrap();
        let elf = Elf { padding: padding.to_vec(), ..Elf::default() };
        fs::write(folder.path().join("bootstrap"), elf.bytes()).unwrap();
        let done = package(folder.path(), &[]);
        assert_eq!(done.code, code, "{}", done.err);
        assert!(done.err.contains(word), "{}", done.err);
        let asked = which_build(folder.path());
        assert_eq!((asked.code, asked.out.as_str()), (0, "fast\n"), "{}", asked.err);
        // A policy that does not fetch keys works with any binary.
        fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
        assert_eq!(package(folder.path(), &[]).code, 0);
        let asked = which_build(folder.path());
        assert_eq!((asked.code, asked.out.as_str()), (0, "small\n"), "{}", asked.err);
    }
}

/// A policy whose people sign in at the edge; the keys of the issuer are in the file, so that only tokens are fetched.
const SIGN_IN: &str = r#"
version = 1

[[issuers]]
name = "login"
issuer = "https://login.example.com/"
audience = ["a"]
algorithms = ["EdDSA"]
jwks = { keys = [{ kty = "OKP", crv = "Ed25519", kid = "a", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }

[credentials]
cookie = "__Host-session"

[sign_in]
issuer = "login"
client_id = "files-web"
origin = "https://files.example.com"
authorization_endpoint = "https://login.example.com/authorize"
token_endpoint = "https://login.example.com/token"
cookie_key = { file = "sign-in.key" }
"#;

#[test]
fn a_policy_that_signs_people_in_takes_the_fast_build_and_its_zip_is_a_secret() {
    use std::os::unix::fs::PermissionsExt as _;
    let [can, cannot] = BuiltWith::ALL.map(|one| one.marker().as_bytes());
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("policy.toml"), SIGN_IN).unwrap();
    let made = Done::of(&mut command_in(at, &["keys", "cookie-key", "--out", "sign-in.key"]));
    assert_eq!(made.code, 0, "{}", made.err);
    let asked = which_build(at);
    assert_eq!((asked.code, asked.out.as_str()), (0, "fast\n"), "{}", asked.err);
    let binary = |padding: &[u8]| {
        let elf = Elf { padding: padding.to_vec(), ..Elf::default() };
        fs::write(at.join("bootstrap"), elf.bytes()).unwrap();
    };
    binary(cannot);
    assert_refused(
        at,
        &["a `[sign_in]` with `issuer`, which fetches tokens", "`authorizer/edge/build fast`"],
    );
    binary(b"nothing of the kind");
    assert_refused(at, &["does not say whether it can fetch tokens"]);
    binary(can);
    let done = package(at, &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("the zip is a secret: it contains the key of the sign-in's cookies"),
        "{}",
        done.err
    );
    let mode = fs::metadata(at.join("dist/authorizer.zip")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(at.join("client.secret"), "a secret for tests").unwrap();
    fs::write(at.join("policy.toml"), format!("{SIGN_IN}client_secret = {{ file = \"client.secret\" }}\n"))
        .unwrap();
    let done = package(at, &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("and the client's secret"), "{}", done.err);
    assert!(!done.err.contains("a secret for tests"), "{}", done.err);
}

#[test]
fn files_that_are_missing_are_named_with_a_remedy() {
    let no_binary = folder();
    fs::remove_file(no_binary.path().join("bootstrap")).unwrap();
    assert_refused(no_binary.path(), &["`bootstrap` cannot be read", "`authorizer/edge/build` makes"]);
    let no_policy = folder();
    fs::remove_file(no_policy.path().join("policy.toml")).unwrap();
    assert_refused(no_policy.path(), &["`policy.toml` cannot be read", "name an existing policy file"]);
}

#[test]
fn a_policy_that_is_not_valid_is_shown_at_its_place() {
    let folder = folder();
    fs::write(folder.path().join("policy.toml"), POLICY.replace("effect", "efect")).unwrap();
    assert_refused(folder.path(), &["`efect`", "policy.toml:9"]);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_and_a_folder_is_not_replaced() {
    let folder = folder();
    fs::create_dir(folder.path().join("folder.zip")).unwrap();
    for (out, word) in [
        // A file in the place of a folder is refused for root too.
        ("policy.toml/a.zip", "`policy.toml/a.zip` cannot be written"),
        ("folder.zip", "`folder.zip` is not a file"),
        ("/dev/null", "`/dev/null` is not a file"),
    ] {
        let done = package(folder.path(), &["--out", out]);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains(word), "{}", done.err);
        assert!(done.out.is_empty());
    }
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_large_zip_is_made_with_a_warning() {
    let folder = folder();
    // Noise, which compression cannot make smaller.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    });
    let large = Elf { padding: noise.take(9_000_000).collect(), ..Elf::default() };
    fs::write(folder.path().join("bootstrap"), large.bytes()).unwrap();
    let done = package(folder.path(), &["--out", "a.zip"]);
    assert_eq!(done.code, 0);
    assert!(done.err.starts_with("warning: the zip has 90"), "{}", done.err);
    assert!(done.err.contains("1048576 (InvalidLambdaFunctionAssociation: "), "{}", done.err);
    assert!(fs::metadata(folder.path().join("a.zip")).unwrap().len() > 9_000_000);
}
