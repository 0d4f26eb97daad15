//! `authorizer serve` over HTTPS, with curl as the viewer.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::served::Served;
use authorizer_e2e::skipped::skip;
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// Whether curl is there. If not, the test is skipped.
fn has_curl() -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        skip("HTTPS of the local distribution: curl is not installed");
    }
    found
}

/// Runs curl: its exit status and its output.
fn curl(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("curl").env_clear().arg("--silent").args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn start(folder: &Path, more: &[&str]) -> Served {
    let more = more.iter().map(OsStr::new);
    Served::start(folder, [OsStr::new("--sample"), folder.as_os_str()].into_iter().chain(more))
}

#[test]
fn an_authority_is_made_once_for_clients_to_trust_and_its_key_is_for_its_owner_alone() {
    if !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (ca, key) = (folder.path().join("tls/ca.pem"), folder.path().join("tls/ca.key.pem"));
    let mut before = None;
    for _ in 0..2 {
        let served = start(folder.path(), &["--tls"]);
        let said = served.introduction().join("\n");
        assert!(said.contains(&format!("clients must trust {}", ca.display())), "{said}");
        let files = (fs::read(&ca).unwrap(), fs::read(&key).unwrap());
        assert_eq!(*before.get_or_insert(files.clone()), files, "the authority is kept");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let local = format!("https://localhost:{}/none", served.addr().port());
        let ca = ca.to_str().unwrap();
        for (url, arguments, expected) in [
            (format!("{}/none", served.base()), &["--cacert", ca][..], (Some(0), "401 2")),
            (local.clone(), &["--cacert", ca], (Some(0), "401 2")),
            (local.clone(), &["--cacert", ca, "--http1.1"], (Some(0), "401 1.1")),
            (local.clone(), &["--cacert", ca, "--no-alpn", "--tls-max", "1.2"], (Some(0), "401 1.1")),
            // CURLE_PEER_FAILED_VERIFICATION.
            (local.clone(), &[], (Some(60), "000 0")),
            // It vouches for no other name.
            (
                "https://files.example/none".to_owned(),
                &["--cacert", ca, "--connect-to", &format!("::{}", served.addr())],
                (Some(60), "000 0"),
            ),
        ] {
            let show = ["--output", "/dev/null", "--write-out", "%{http_code} %{http_version}", &url];
            let (code, said) = curl(&[&show, arguments].concat());
            assert_eq!((code, said.as_str()), expected, "{url} {arguments:?}");
        }
        // Without TLS.
        let (code, said) = curl(&[&served.base().replace("https", "http")]);
        assert!(code == Some(0) && said.contains("use https://"), "{said}");
        drop(served);
    }
}

#[test]
fn a_certificate_that_was_given_is_the_one_that_is_shown() {
    if !has_curl() {
        return;
    }
    for (name, base) in [("files.example", "https://127.0.0.1:"), ("localhost", "https://localhost:")] {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = (folder.path().join("given.pem"), folder.path().join("given.key.pem"));
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        fs::write(&file, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
        let served = start(folder.path(), &["--tls-cert", file, "--tls-key", key]);
        assert!(served.base().starts_with(base), "{}", served.base());
        assert_eq!(served.stderr().text().contains("is not for 127.0.0.1 or localhost"), name != "localhost");
        assert!(!folder.path().join("tls").exists());
        let to = format!("::{}", served.addr());
        let bearer = format!("Authorization: {}", served.bearer("alice"));
        let url = format!("https://{name}/users/alice/none");
        let fixed = ["--cacert", file, "--connect-to", &to, "--header", &bearer];
        let (code, said) = curl(&[&fixed[..], &[url.as_str()]].concat());
        assert!(code == Some(0) && said.contains("<Code>NoSuchKey</Code>"), "{code:?} {said}");
    }
}

#[test]
fn a_cookie_of_the_sign_in_is_secure_and_comes_back_over_https() {
    if !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path(), &[]));
    let policy = folder.path().join("policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    let sign_in = "[sign_in]\nurl = \"https://login.example.com/start\"\norigin = \"https://localhost\"\n";
    let credentials = "[credentials]\nheader = \"authorization\"\ncookie = \"session\"\n";
    fs::write(&policy, format!("{text}\n{credentials}{sign_in}")).unwrap();
    let served = start(folder.path(), &["--tls"]);
    let (ca, jar) = (folder.path().join("tls/ca.pem"), folder.path().join("jar"));
    let url = format!("https://localhost:{}/users/alice/page", served.addr().port());
    let (ca, jar) = (ca.to_str().unwrap(), jar.to_str().unwrap());
    let page = ["--include", "--http1.1", "--cacert", ca, "--cookie", jar, "--cookie-jar", jar];
    let page = [&page[..], &["--header", "Accept: text/html", "--header", "Sec-Fetch-Mode: navigate", &url]]
        .concat();
    let (_, first) = curl(&page);
    assert!(first.starts_with("HTTP/1.1 302 "), "{first}");
    let marker = first.lines().find(|line| line.starts_with("set-cookie: __Host-")).unwrap();
    assert!(marker.contains("; Secure; HttpOnly"), "{marker}");
    let (_, second) = curl(&page);
    assert!(second.starts_with("HTTP/1.1 401 "), "who comes back is told why: {second}");
}
