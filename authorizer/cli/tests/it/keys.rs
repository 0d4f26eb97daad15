//! `authorizer keys` as a person meets it, against a provider on a loopback address.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Done, command_in};
use crate::provider::{Provider, json_answer};

/// Runs a command in a folder. The environment names a proxy that does not exist: nothing may use it.
fn keys(folder: &Path, arguments: &[&str]) -> Done {
    let mut command = command_in(folder, arguments);
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(proxy, "http://127.0.0.1:1");
    }
    Done::of(&mut command)
}

/// The public key of a pair that `token keygen` makes, as a JWK.
fn jwk(folder: &Path, name: &str, algorithm: &str) -> Value {
    let arguments = ["token", "keygen", name, "--algorithm", algorithm, "--dir", "made"];
    assert_eq!(keys(folder, &arguments).code, 0);
    let set = fs::read(folder.join(format!("made/{name}.jwks.json"))).unwrap();
    serde_json::from_slice::<Value>(&set).unwrap()["keys"][0].clone()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[track_caller]
fn refused(done: &Done, message: &str) {
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
    assert!(done.err.contains(message), "`{message}` is not in:\n{}", done.err);
    assert!(done.err.contains("help:") && !done.err.contains("panicked"), "{}", done.err);
}

#[test]
fn discover_writes_the_keys_and_a_block_that_check_takes_once_it_is_whole() {
    let folder = folder();
    let at = folder.path();
    let set = json!({"keys": [jwk(at, "a", "ES256"), jwk(at, "b", "EdDSA")]}).to_string();
    let provider = Provider::start();
    provider.answers("/jwks", json_answer(&set));
    let metadata = json!({
        "issuer": provider.url(""), "jwks_uri": provider.url("/jwks"),
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
    });
    provider.answers("/.well-known/openid-configuration", json_answer(&metadata.to_string()));

    let done = keys(at, &["keys", "discover", &provider.url(""), "--name", "staff"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("keys/staff.jwks.json (new): 2 keys, 2 of which a policy can use"),
        "{}",
        done.err
    );
    assert!(done.err.contains("the block is not complete"), "{}", done.err);
    assert!(done.out.contains("algorithms = [\"ES256\"]"), "{}", done.out);
    assert_eq!(fs::read_to_string(at.join("keys/staff.jwks.json")).unwrap(), set, "as it was fetched");
    fs::write(at.join("policy.toml"), format!("version = 1\n\n{}", done.out)).unwrap();
    let checked = keys(at, &["check", "policy.toml"]);
    assert_eq!(checked.code, 2);
    assert!(checked.err.contains("has no audience"), "{}", checked.err);

    for whole in [["--audience", "files-api"], ["--client-id", "web"]] {
        let done = keys(at, &["keys", "discover", &provider.url(""), whole[0], whole[1]]);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(!done.err.contains("not complete"), "{}", done.err);
        assert!(done.out.contains("name       = \"127.0.0.1\""), "{}", done.out);
        fs::write(at.join("policy.toml"), format!("version = 1\n\n{}", done.out)).unwrap();
        let checked = keys(at, &["check", "policy.toml"]);
        assert_eq!(checked.code, 0);
        assert!(
            checked.err.contains("are fetched from the machine that runs the function"),
            "{}",
            checked.err
        );
    }
    let bundled = ["keys", "discover", &provider.url(""), "--audience", "files-api", "--bundled-only"];
    let done = keys(at, &bundled);
    assert!(!done.out.contains("url"), "{}", done.out);
    fs::write(at.join("policy.toml"), format!("version = 1\n\n{}", done.out)).unwrap();
    assert_eq!(
        (keys(at, &["check", "policy.toml"]).code, keys(at, &["check", "policy.toml"]).err),
        (0, String::new())
    );
    let done = keys(at, &["keys", "discover", &provider.url(""), "--name", "staff", "--format", "json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&told["version"], &told["change"], &told["keys"]),
        (&1.into(), &"unchanged".into(), &2.into())
    );
    assert_eq!(told["algorithms"], json!(["ES256"]));
}

#[test]
fn discover_writes_a_sign_in_that_check_takes_once_its_key_is_made() {
    let folder = folder();
    let at = folder.path();
    let provider = Provider::start();
    provider.answers("/jwks", json_answer(&json!({"keys": [jwk(at, "a", "ES256")]}).to_string()));
    let metadata = json!({
        "issuer": provider.url(""), "jwks_uri": provider.url("/jwks"),
        "authorization_endpoint": provider.url("/auth"), "token_endpoint": provider.url("/token"),
        "end_session_endpoint": provider.url("/session/end"), "response_types_supported": ["code", "none"],
        "code_challenge_methods_supported": ["S256"], "scopes_supported": ["openid", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
    });
    let answer = |metadata: &Value| {
        provider.answers("/.well-known/openid-configuration", json_answer(&metadata.to_string()));
    };
    answer(&metadata);
    let (issuer, origin) = (provider.url(""), "https://files.example.com");
    let discover = [
        "keys",
        "discover",
        &issuer,
        "--name",
        "staff",
        "--audience",
        "files-api",
        "--bundled-only",
        "--sign-in",
        "files-web",
        "--origin",
        origin,
    ];
    let done = keys(at, &discover);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.err.contains("warning"), "{}", done.err);
    for line in [
        "cookie = \"__Host-session\"",
        "issuer                 = \"staff\"",
        "scopes                 = [\"openid\", \"offline_access\"]",
        "prompt = \"consent\"",
        "response_iss           = true",
        "https://files.example.com/.auth/callback",
    ] {
        assert!(done.out.contains(line), "{line}: {}", done.out);
    }
    fs::write(at.join("policy.toml"), format!("version = 1\n\n{}", done.out)).unwrap();
    let checked = keys(at, &["check", "policy.toml"]);
    assert_eq!(checked.code, 0, "a review needs no key: {}", checked.err);
    assert!(checked.err.contains("`sign-in.key` (`sign_in.cookie_key`) is not here"), "{}", checked.err);
    let packaged = keys(at, &["package", "policy.toml"]);
    refused(&packaged, "authorizer keys cookie-key --out");
    assert!(packaged.err.contains("a new key ends everybody's session"), "{}", packaged.err);
    let made = keys(at, &["keys", "cookie-key", "--out", "sign-in.key"]);
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let checked = keys(at, &["check", "policy.toml"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(
        checked.err.contains("`authorization_endpoint` is an address of this machine"),
        "{}",
        checked.err
    );
    assert!(checked.err.contains("`sign_in.token_endpoint`"), "{}", checked.err);

    let told = keys(at, &[discover.as_slice(), &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert!(told["sign_in_block"].as_str().unwrap().contains("[sign_in]"), "{told}");

    // What a provider may lack, and what is said of it.
    for (member, value, says) in [
        ("code_challenge_methods_supported", json!(["plain"]), "without S256"),
        ("code_challenge_methods_supported", Value::Null, "does not say whether it checks PKCE"),
        ("end_session_endpoint", Value::Null, "people sign out of this distribution alone"),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_post"]), "if it wants a secret"),
    ] {
        let mut metadata = metadata.clone();
        metadata[member] = value;
        answer(&metadata);
        let done = keys(at, &discover);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.err.contains("warning: ") && done.err.contains(says), "{says}: {}", done.err);
    }
    for (member, value, says) in [
        ("response_types_supported", json!(["id_token"]), "`code` in its `response_types_supported`"),
        ("authorization_endpoint", Value::Null, "an `authorization_endpoint`"),
        ("token_endpoint", json!("ftp://login.example.com/token"), "a `token_endpoint`"),
    ] {
        let mut metadata = metadata.clone();
        metadata[member] = value;
        answer(&metadata);
        refused(&keys(at, &discover), says);
        assert_eq!(keys(at, &discover[..8]).code, 0, "the keys alone are good");
    }
    // What `check` would refuse is not written.
    for (client_id, origin) in [
        ("files web", "https://files.example.com"),
        ("", "https://files.example.com"),
        ("files-web", "https://files.example.com/"),
        ("files-web", "http://files.example.com"),
        ("files-web", "files.example.com"),
    ] {
        let asked = ["keys", "discover", &issuer, "--sign-in", client_id, "--origin", origin];
        let done = keys(at, &asked);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
        assert!(done.err.contains("write the "), "{}", done.err);
    }
    // One without the other.
    assert_eq!(keys(at, &["keys", "discover", &issuer, "--sign-in", "files-web"]).code, 2);
}

#[test]
fn a_cookie_key_is_random_readable_by_its_owner_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let at = folder.path();
    for name in ["a.key", "new/b.key"] {
        let done = keys(at, &["keys", "cookie-key", "--out", name]);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        assert!(
            done.out.contains(name) && done.out.contains("keep it out of version control"),
            "{}",
            done.out
        );
        let mode = fs::metadata(at.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let [a, b] = ["a.key", "new/b.key"].map(|name| fs::read_to_string(at.join(name)).unwrap());
    assert!(a != b && a.len() == 44 && a.ends_with('\n'), "43 characters of base64url are 32 bytes");
    refused(&keys(at, &["keys", "cookie-key", "--out", "a.key"]), "already exists, and is not overwritten");
    assert_eq!(fs::read_to_string(at.join("a.key")).unwrap(), a);
}

#[test]
fn discover_finds_the_metadata_of_a_provider_that_knows_no_openid_connect() {
    let folder = folder();
    let at = folder.path();
    let provider = Provider::start();
    provider.answers("/jwks", json_answer(&json!({"keys": [jwk(at, "a", "RS256")]}).to_string()));
    let issuer = provider.url("/tenant");
    let metadata = json!({"issuer": issuer, "jwks_uri": provider.url("/jwks")}).to_string();
    provider.answers("/.well-known/oauth-authorization-server/tenant", json_answer(&metadata));
    let done = keys(at, &["keys", "discover", &issuer]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("algorithms = [\"RS256\"]"), "{}", done.out);
    assert_eq!(
        provider.asked(),
        [
            "/tenant/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/tenant",
            "/jwks"
        ]
    );
}

/// [MS-OIDCE] section 2.2.3.2: the issuer of access tokens may be another than that of ID tokens.
#[test]
fn discover_writes_the_issuer_of_access_tokens() {
    let folder = folder();
    let at = folder.path();
    let provider = Provider::start();
    provider.answers("/keys", json_answer(&json!({"keys": [jwk(at, "a", "RS256")]}).to_string()));
    let (issuer, trust) = (provider.url("/adfs"), "http://fs.example.com/adfs/services/trust");
    let metadata = json!({"issuer": issuer, "jwks_uri": provider.url("/keys"), "access_token_issuer": trust});
    provider.answers("/adfs/.well-known/openid-configuration", json_answer(&metadata.to_string()));
    let discover = ["keys", "discover", &issuer, "--name", "adfs", "--audience", "api", "--bundled-only"];
    let done = keys(at, &discover);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains(&format!("issuer     = \"{trust}\"")), "{}", done.out);
    assert!(done.err.contains(&format!("ID tokens have `{issuer}`")), "{}", done.err);
    fs::write(at.join("policy.toml"), format!("version = 1\n\n{}", done.out)).unwrap();
    assert_eq!(keys(at, &["check", "policy.toml"]).code, 0);
    let done = keys(at, &[discover.as_slice(), &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&told["issuer"], &told["metadata_issuer"]), (&json!(trust), &json!(issuer)));
    assert!(told["block"].as_str().unwrap().contains(trust));
    // A sign-in checks an ID token, which has the other issuer.
    let (authorize, token) = (provider.url("/authorize"), provider.url("/token"));
    let endpoints = json!({"issuer": issuer, "jwks_uri": provider.url("/keys"), "access_token_issuer": trust,
        "authorization_endpoint": authorize, "token_endpoint": token});
    provider.answers("/adfs/.well-known/openid-configuration", json_answer(&endpoints.to_string()));
    let sign_in = ["--sign-in", "files-web", "--origin", "https://files.example.com"];
    let done = keys(at, &[discover.as_slice(), &sign_in].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains(&format!("write `issuer = \"{issuer}\"`")), "{}", done.err);
    assert!(done.err.contains("session_token = \"id_token\""), "{}", done.err);
}

/// RFC 7517 section 5: keys that cannot be used are ignored.
#[test]
fn one_key_that_cannot_be_used_does_not_take_the_others_with_it() {
    let folder = folder();
    let at = folder.path();
    let good = jwk(at, "a", "RS256");
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        (key["kid"], key[name]) = ("b\u{1b}[2J".into(), value);
        key
    };
    let zeros = format!("AA{}", good["n"].as_str().unwrap());
    let provider = Provider::start();
    let jwks = provider.url("/jwks");
    let fetch = ["keys", "fetch", jwks.as_str(), "--out", "fetched.json"];
    fs::write(
        at.join("policy.toml"),
        "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\naudience = [\"a\"]\n\
         algorithms = [\"RS256\", \"EdDSA\"]\njwks = { file = \"set.json\" }\n",
    )
    .unwrap();
    let point = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (bad, why) in [
        (with("n", "AQAB".into()), "it has 17 bits, not 2048 to 8192"),
        (with("n", json!(null)), "it has no `n`"),
        (json!({"kty": "RSA", "kid": "b", "x5c": ["MII"]}), "a certificate (`x5c`) alone is not read"),
        (with("n", zeros.into()), "its `n` has leading zeros"),
        (with("e", "AQ".into()), "its numbers are not a valid public key"),
        (json!({"kty": "OKP", "crv": "Ed25519", "kid": "b", "x": point}), "small order"),
        (
            json!({"kty": "EC", "crv": "secp256k1", "kid": "b"}),
            "keys on the curve `secp256k1` are not used here",
        ),
        (json!({"kty": "AKP"}), "key 1 (without `kid`)"),
    ] {
        let set = json!({"keys": [good, bad]}).to_string();
        fs::write(at.join("set.json"), &set).unwrap();
        let checked = keys(at, &["check", "policy.toml"]);
        assert_eq!(checked.code, 0, "{why}: {}", checked.err);
        provider.answers("/jwks", json_answer(&set));
        let fetched = keys(at, &fetch);
        assert_eq!(fetched.code, 0, "{why}: {}", fetched.err);
        let inspected = keys(at, &["keys", "inspect", "set.json"]);
        assert_eq!(inspected.code, 0, "{why}: {}", inspected.out);
        let words =
            |text: &str| text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        let mut texts = vec![checked.err, fetched.err];
        if !why.contains("kid") {
            texts.push(inspected.out);
        }
        for text in texts {
            assert!(words(&text).contains(why), "{why}: {text}");
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
        // Alone, it is of no use to anybody.
        let alone = json!({"keys": [serde_json::from_str::<Value>(&set).unwrap()["keys"][1]]}).to_string();
        fs::write(at.join("set.json"), &alone).unwrap();
        provider.answers("/jwks", json_answer(&alone));
        let codes = [&["check", "policy.toml"][..], &fetch, &["keys", "inspect", "set.json"]];
        assert_eq!(codes.map(|arguments| keys(at, arguments).code), [2, 2, 1], "{why}");
    }
    let twice = json!({"keys": [good]}).to_string();
    let twice = format!("{}, \"keys\": []}}", twice.strip_suffix('}').unwrap());
    fs::write(at.join("set.json"), &twice).unwrap();
    provider.answers("/jwks", json_answer(&twice));
    for arguments in [&["check", "policy.toml"][..], &fetch, &["keys", "inspect", "set.json"]] {
        let done = keys(at, arguments);
        assert_eq!(done.code, 2);
        assert!(done.err.contains("twice"), "{}", done.err);
    }
    let null = json!({"keys": [with("d", json!(null))]}).to_string();
    fs::write(at.join("set.json"), &null).unwrap();
    assert_eq!(keys(at, &["check", "policy.toml"]).code, 0, "null counts as absent");
}

#[test]
fn discover_refuses_what_is_not_the_issuers_and_writes_nothing() {
    let folder = folder();
    let at = folder.path();
    let provider = Provider::start();
    provider.answers("/jwks", json_answer(&json!({"keys": [jwk(at, "a", "ES256")]}).to_string()));
    provider.answers("/secret", json_answer(r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#));
    let metadata = |issuer: &str, jwks: &str, algorithms: &[&str]| {
        let document = json!({
            "issuer": issuer, "jwks_uri": jwks, "id_token_signing_alg_values_supported": algorithms,
        });
        json_answer(&document.to_string())
    };
    let (issuer, jwks) = (provider.url(""), provider.url("/jwks"));
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: https://login.example.com/\r\nContent-Length: 0\r\n\r\n";
    for (answer, message) in [
        (metadata(&provider.url("/"), &jwks, &["ES256"]), "they differ by the slash at the end"),
        (metadata("https://login.example.com\u{1b}[2J", &jwks, &["ES256"]), "names another issuer"),
        (
            metadata(&issuer, "http://keys.example.com/", &["ES256"]),
            "without TLS, anyone on the network can replace the answer",
        ),
        (metadata(&issuer, &provider.url("/gone"), &["ES256"]), "answers 404, not 200"),
        (metadata(&issuer, &provider.url("/secret"), &["ES256"]), "private key material (`k`)"),
        (metadata(&issuer, &jwks, &["RS256"]), "is for an algorithm that its metadata names (RS256)"),
        (json_answer(r#"{"issuer": 7}"#), "not the metadata of a provider"),
        (json_answer("<html>"), "not the metadata of a provider"),
        (elsewhere.to_owned(), "redirects are not followed"),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(), "does not publish metadata"),
    ] {
        provider.answers("/.well-known/openid-configuration", answer);
        let done = keys(at, &["keys", "discover", &issuer, "--audience", "x"]);
        refused(&done, message);
        assert!(!done.err.contains('\u{1b}'), "{:?}", done.err);
        assert!(!at.join("keys").exists(), "{message}");
    }
    refused(
        &keys(at, &["keys", "discover", "http://login.example.com/"]),
        "without TLS, anyone on the network can replace the answer",
    );
    refused(&keys(at, &["keys", "discover", "https://login.example.com/?tenant=x"]), "it has a query");
}

#[test]
fn fetch_replaces_the_file_whole_or_not_at_all() {
    let folder = folder();
    let at = folder.path();
    let provider = Provider::start();
    let jwks = provider.url("/jwks");
    let fetch = ["keys", "fetch", jwks.as_str(), "--out", "keys/staff.jwks.json"];
    let file = at.join("keys/staff.jwks.json");
    let first = json!({"keys": [jwk(at, "a", "ES256")]}).to_string();
    for (set, said) in [
        (first.clone(), "is new: 1 key, 1 of which a policy can use"),
        (first, "is unchanged"),
        (json!({"keys": [jwk(at, "b", "EdDSA")]}).to_string(), "has changed"),
    ] {
        provider.answers("/jwks", json_answer(&set));
        let done = keys(at, &fetch);
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        assert!(done.out.contains(said), "{}", done.out);
        assert_eq!(fs::read_to_string(&file).unwrap(), set);
    }
    let before = fs::read(&file).unwrap();
    let private =
        fs::read_to_string(at.join("made/a.jwks.json")).unwrap().replace("\"x\"", "\"d\": \"AA\", \"x\"");
    let long = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(1024 * 1024));
    for (answer, message) in [
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(), "answers 404, not 200"),
        (
            "HTTP/1.1 301 Moved\r\nLocation: /jwks2\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "redirects are not followed",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"keys\": [".to_owned(), "is not complete"),
        (json_answer(&long), "longer than 262144 bytes"),
        (json_answer("{\"keys\": ["), "this is not JSON"),
        (json_answer("[]"), "this is not a JWK set"),
        (json_answer("{\"keys\": []}"), "no key of the JWK set can verify"),
        (json_answer(&private), "private key material (`d`)"),
    ] {
        provider.answers("/jwks", answer);
        refused(&keys(at, &fetch), message);
        assert_eq!(fs::read(&file).unwrap(), before, "{message}");
    }
    let plain = ["keys", "fetch", "http://login.example.com/jwks", "--out", "keys/staff.jwks.json"];
    refused(&keys(at, &plain), "without TLS, anyone on the network can replace the answer");
    refused(
        &keys(at, &["keys", "fetch", &jwks.replace("http:", "https:"), "--out", "x"]),
        "cannot be reached",
    );
    assert_eq!(fs::read_dir(at.join("keys")).unwrap().count(), 1, "nothing is left beside the file");
}

#[test]
fn inspect_tells_of_each_key_and_exits_1_where_a_policy_would_be_refused() {
    let folder = folder();
    let at = folder.path();
    let mut other = jwk(at, "b", "RS256");
    other["use"] = "enc".into();
    other["kid"] = "for \u{1b}[2J encryption".into();
    let set = json!({"keys": [jwk(at, "a", "ES256"), other]});
    fs::write(at.join("set.json"), set.to_string()).unwrap();
    let done = keys(at, &["keys", "inspect", "set.json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    for said in ["2 keys, 1 of which a policy can use", "usable with ES256", "its `use` is `enc`, not `sig`"]
    {
        assert!(done.out.contains(said), "{said}:\n{}", done.out);
    }
    assert!(!done.out.contains('\u{1b}'), "{:?}", done.out);

    let key = &set["keys"][0];
    let done = keys(at, &["keys", "inspect", "set.json", "--format", "json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    // `token keygen` uses the thumbprint as the key id.
    assert_eq!(told["keys"][0]["thumbprint"], key["kid"]);
    assert_eq!(told["keys"][0]["standing"], "usable");
    assert_eq!(told["keys"][1]["standing"], "passed_over");
    assert_eq!(told["keys"][1]["bits"], 2048);

    let mut private = set.clone();
    private["keys"][0]["d"] = "c2VjcmV0LXNjYWxhcg".into();
    for (set, said) in [
        (private, "refused: it holds private key material (`d`)"),
        (json!({"keys": [set["keys"][1]]}), "no key of the JWK set can verify"),
        (json!({"keys": vec![key; 65]}), "65 keys, more than 64"),
    ] {
        fs::write(at.join("bad.json"), set.to_string()).unwrap();
        let done = keys(at, &["keys", "inspect", "bad.json"]);
        assert_eq!((done.code, done.err.as_str()), (1, ""));
        assert!(done.out.contains(said), "{said}:\n{}", done.out);
        assert!(!done.out.contains("c2VjcmV0LXNjYWxhcg"), "{}", done.out);
    }
    fs::write(at.join("text"), "keys").unwrap();
    refused(&keys(at, &["keys", "inspect", "text"]), "this is not JSON");
    refused(&keys(at, &["keys", "inspect", "nowhere"]), "cannot be read");
}
