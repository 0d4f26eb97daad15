//! What `authorizer serve` says when it cannot serve HTTPS. That it can is tested end to end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;

use crate::harness::{Done, command_in};

/// A folder with two certificates and their keys.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["files.example".to_owned()]).unwrap();
        fs::write(folder.path().join(format!("{name}.pem")), cert.pem()).unwrap();
        fs::write(folder.path().join(format!("{name}.key.pem")), signing_key.serialize_pem()).unwrap();
    }
    folder
}

/// Starts it, and it ends at once: exit 2, nothing on standard output, and these words in one diagnostic.
fn assert_refused(folder: &Path, more: &[&str], words: &[&str]) {
    let sample = folder.join("sample");
    let listens = more.contains(&"--listen");
    let listen = if listens { &[][..] } else { &["--listen", "127.0.0.1:0"] };
    let fixed = ["serve", "--sample", sample.to_str().unwrap()];
    let done = Done::of(&mut command_in(folder, &[&fixed, listen, more].concat()));
    // As one line: the test does not check where the diagnostic wraps.
    let said = done.err.replace(['│', '\n'], " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{more:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{more:?}: `{word}` is not in: {said}");
    }
}

#[test]
fn what_is_wrong_with_a_given_certificate_is_named_with_its_file() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("empty.pem"), "").unwrap();
    let one = fs::read_to_string(path.join("one.pem")).unwrap();
    fs::write(path.join("broken.pem"), one.replacen('M', "!", 1)).unwrap();
    fs::write(
        path.join("encrypted.pem"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    for (certificate, key, words) in [
        ("none.pem", "one.key.pem", &["none.pem", "cannot be read"][..]),
        ("one.pem", "none.pem", &["none.pem", "cannot be read"]),
        ("empty.pem", "one.key.pem", &["empty.pem", "does not contain a certificate in PEM"]),
        ("broken.pem", "one.key.pem", &["broken.pem", "does not contain certificates in PEM"]),
        ("one.key.pem", "one.key.pem", &["one.key.pem", "does not contain a certificate in PEM"]),
        ("one.pem", "one.pem", &["one.pem", "does not contain a private key in PEM"]),
        ("one.pem", "encrypted.pem", &["encrypted.pem", "the key is encrypted", "openssl pkey"]),
        ("one.pem", "two.key.pem", &["one.pem", "two.key.pem", "cannot be used together", "help:"]),
    ] {
        assert_refused(path, &["--tls-cert", certificate, "--tls-key", key], words);
    }
}

#[test]
fn options_for_https_that_do_not_go_together_are_refused() {
    let folder = folder();
    for (arguments, words) in [
        (&["--tls-cert", "one.pem"][..], &["--tls-key <FILE>"][..]),
        (&["--tls-key", "one.key.pem"], &["--tls-cert <FILE>"]),
        (&["--tls", "--tls-cert", "one.pem", "--tls-key", "one.key.pem"], &["cannot be used with"]),
    ] {
        assert_refused(folder.path(), arguments, words);
    }
}

#[test]
fn the_development_certificate_is_for_this_machine_only() {
    let folder = folder();
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8443"] {
        let words = [addr, "is not a loopback address", "--tls-cert FILE --tls-key FILE"];
        assert_refused(folder.path(), &["--tls", "--listen", addr], &words);
    }
    assert!(!folder.path().join("sample/tls").exists());
}

#[test]
fn an_authority_that_is_not_whole_or_not_private_is_not_used() {
    let folder = folder();
    let (sample, tls) = (folder.path().join("sample"), folder.path().join("sample/tls"));
    let (file, key) = (tls.join("ca.pem"), tls.join("ca.key.pem"));
    let pem = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let write = |path: &Path, text: &str, mode: u32| {
        let _ = fs::remove_file(path);
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir_all(&tls).unwrap();
    let whole = KeyPair::generate().unwrap().serialize_pem();
    write(&file, &pem("one.pem"), 0o644);
    assert_refused(folder.path(), &["--tls"], &["ca.key.pem", "cannot be read"]);
    write(&key, &whole, 0o600);
    let other = "`ca.pem` is not the certificate of `ca.key.pem`";
    assert_refused(folder.path(), &["--tls"], &[tls.to_str().unwrap(), other, "remove that folder"]);
    write(&key, "no key", 0o600);
    assert_refused(folder.path(), &["--tls"], &["development authority", "ca.key.pem"]);
    for mode in [0o640, 0o604, 0o644] {
        write(&key, &whole, mode);
        assert_refused(folder.path(), &["--tls"], &["other users can read", "ca.key.pem", "chmod 600"]);
    }
    assert!(sample.join("policy.toml").exists(), "the rest of the sample is there");
}
