//! Tokens and keys of other people's identity providers, with the command line and the distribution.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use authorizer_core::{Authorizer, UnixTime};
use authorizer_e2e::binaries::run_in;
use authorizer_e2e::docs::provider_blocks;
use authorizer_e2e::providers::{Before, Cognito, OpenId};
use authorizer_e2e::served::Served;
use authorizer_e2e::stage::Stage;
use authorizer_jwks::{Fetcher, LiveAuthorizer};
use authorizer_local::Invocation;
use authorizer_policy::PolicyFile;
use bytes::Bytes;
use serde_json::Value;
use toml_edit::{DocumentMut, value};

/// The audience of the access tokens.
const RESOURCE: &str = "https://files.example.com/";

/// Writes a policy with this block, under which everyone with a scope has a folder.
fn write_policy(folder: &Path, name: &str, block: &str, scope: &str) {
    let policy = format!(
        r#"version = 1

{block}
[[rules]]
id      = "owners-manage-their-files"
effect  = "allow"
methods = ["GET", "PUT"]
keys    = ["users/{{sub}}/**"]
when    = {{ scope = {{ has = "{scope}" }} }}
"#
    );
    fs::write(folder.join(name), policy).unwrap();
}

fn serve(folder: &Path) -> Served {
    let (policy, data) = (folder.join("policy.toml"), folder.join("data"));
    let arguments = [OsStr::new("--policy"), policy.as_os_str(), OsStr::new("--data"), data.as_os_str()];
    Served::start(folder, arguments)
}

/// Runs a command that must succeed, and returns its output.
#[track_caller]
fn held(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run_in(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    out
}

/// Writes and reads an object with a token: both must get this status.
#[track_caller]
fn uses(served: &Served, token: &str, path: &str, status: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    // Each runtime needs its own connections.
    let viewer = authorizer_e2e::viewer::Viewer::of(served.addr());
    let answers = runtime.block_on(async {
        let put = viewer.ask("PUT", path, &headers, "mine").await;
        [put, viewer.ask("GET", path, &headers, "").await]
    });
    assert_eq!(answers.map(|answer| answer.status), [status; 2], "{path}");
}

/// The result of a token under a policy: `None` if it is valid, otherwise the reason.
fn refusal(folder: &Path, policy: &str, token: &str) -> Option<String> {
    let (code, out, err) =
        run_in(folder, &["token", "inspect", token, "--policy", policy, "--format", "json"]);
    assert_eq!(err, "");
    let told: Value = serde_json::from_str(&out).unwrap();
    let checked = &told["checked"];
    assert_eq!(code == 0, checked["accepted"] == true, "{out}");
    checked["reason"].as_str().map(str::to_owned)
}

#[test]
fn a_discovered_provider_opens_what_the_policy_opens_and_fetch_mends_what_a_rotation_broke() {
    let Some(mut provider) = OpenId::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (at, told) = (folder.path(), provider.introduction().clone());
    let discover =
        ["keys", "discover", &told.issuer, "--name", "login", "--audience", RESOURCE, "--bundled-only"];
    let block = held(at, &discover);
    assert!(block.contains("algorithms = [\"ES256\"]"), "{block}");
    write_policy(at, "policy.toml", &format!("{block}token_type = \"at+jwt\"\n"), "files");
    let served = serve(at);

    let first = provider.token(RESOURCE, "files");
    let own = format!("/users/{}/x", told.client_id);
    uses(&served, &first, &own, 200);
    uses(&served, &first, "/users/somebody/x", 403);
    uses(&served, &provider.token(RESOURCE, "photos"), &own, 403);
    let for_another = provider.token("https://photos.example.com/", "files");
    uses(&served, &for_another, &own, 401);
    assert_eq!(refusal(at, "policy.toml", &for_another).as_deref(), Some("audience_mismatch"));

    // The policy is read again when its key file changes.
    let fetch = || {
        let before = served.stderr().all().len();
        let said = held(at, &["keys", "fetch", &told.jwks_uri, "--out", "keys/login.jwks.json"]);
        served.stderr().wait_for("that the policy was read again", |lines| {
            lines.iter().skip(before).find(|line| line.contains("policy read again")).map(drop)
        });
        said
    };
    provider.rotate(Before::Kept);
    let second = provider.token(RESOURCE, "files");
    uses(&served, &first, &own, 200);
    uses(&served, &second, &own, 401);
    assert_eq!(refusal(at, "policy.toml", &second).as_deref(), Some("signing_key_unknown"));
    assert!(fetch().contains("keys/login.jwks.json has changed: 2 keys, 2 of which a policy can use"));
    uses(&served, &first, &own, 200);
    uses(&served, &second, &own, 200);

    let key = provider.rotate(Before::Dropped);
    let third = provider.token(RESOURCE, "files");
    uses(&served, &third, &own, 401);
    assert!(fetch().contains("has changed: 1 key,"));
    uses(&served, &third, &own, 200);
    uses(&served, &second, &own, 401);
    let inspected = held(at, &["keys", "inspect", "keys/login.jwks.json"]);
    assert!(inspected.contains(&key) && inspected.contains("usable with ES256"), "{inspected}");
    let unchanged = held(at, &["keys", "fetch", &told.jwks_uri, "--out", "keys/login.jwks.json"]);
    assert!(unchanged.contains("is unchanged"), "{unchanged}");
}

/// The policy has the URL of the provider, and nothing else updates the keys.
#[test]
fn while_requests_flow_a_rotation_of_the_keys_refuses_no_good_token() {
    let Some(mut provider) = OpenId::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (at, told) = (folder.path(), provider.introduction().clone());
    let discover = ["keys", "discover", &told.issuer, "--name", "login", "--audience", RESOURCE];
    let block = held(at, &discover);
    write_policy(at, "policy.toml", &block, "files");
    let served = serve(at);
    let own = format!("/users/{}/x", told.client_id);
    uses(&served, &provider.token(RESOURCE, "files"), &own, 200);

    let newest = Mutex::new(provider.token(RESOURCE, "files"));
    let (rounds, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let flow = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let viewer = authorizer_e2e::viewer::Viewer::of(served.addr());
            let mut statuses = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                let bearer = format!("Bearer {}", newest.lock().unwrap());
                let headers = [("authorization", bearer.as_str())];
                statuses.push(runtime.block_on(viewer.ask("GET", &own, &headers, "")).status);
                rounds.fetch_add(1, Ordering::SeqCst);
            }
            statuses
        };
        let flows = [scope.spawn(flow), scope.spawn(flow), scope.spawn(flow)];
        for before in [Before::Kept, Before::Dropped, Before::Kept, Before::Dropped] {
            provider.rotate(before);
            *newest.lock().unwrap() = provider.token(RESOURCE, "files");
            let seen = rounds.load(Ordering::SeqCst);
            while rounds.load(Ordering::SeqCst) < seen + 30 {
                thread::yield_now();
            }
        }
        is_over.store(true, Ordering::SeqCst);
        for flow in flows {
            let statuses = flow.join().unwrap();
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        }
    });
    // Each rotation caused one fetch, however many requests needed it at once.
    let fetched =
        served.stderr().all().iter().filter(|line| line.contains("the keys of login were fetched")).count();
    assert_eq!(fetched, 4);
}

/// The test sets the clock, so that it does not wait for keys to age.
#[test]
fn a_withdrawn_key_stops_working_within_the_stated_age_and_a_dead_provider_within_the_other() {
    let Some(mut provider) = OpenId::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (at, told) = (folder.path(), provider.introduction().clone());
    let block = format!(
        r#"[[issuers]]
name       = "login"
issuer     = "{}"
audience   = ["{RESOURCE}"]
algorithms = ["ES256"]
jwks       = {{ url = "{}", max_age_seconds = 60, max_stale_seconds = 180 }}
"#,
        told.issuer, told.jwks_uri
    );
    write_policy(at, "policy.toml", &block, "files");
    let bundle = PolicyFile::load(&at.join("policy.toml")).unwrap().into_bundle();
    let live = Arc::new(LiveAuthorizer::new(Authorizer::new(bundle), Fetcher::new().unwrap()));
    let later = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&later);
    let stage = Stage::deciding(folder, move |event: Bytes| {
        let (live, later) = (Arc::clone(&live), Arc::clone(&clock));
        async move {
            let now = || {
                let now = UnixTime::from_system(SystemTime::now()).as_seconds();
                UnixTime::from_seconds(now + later.load(Ordering::SeqCst))
            };
            let (authorized, _) = live.authorize(&event, now, Duration::from_secs(5)).await;
            Invocation {
                result: serde_json::to_vec(&authorized.outcome).unwrap().into(),
                record: None,
                usage: None,
            }
        }
    });
    let own = format!("/users/{}/x", told.client_id);
    let asks = |token: &str| stage.ask(token, "PUT", &own, &[], "mine");
    let first = provider.token(RESOURCE, "files");
    assert_eq!(asks(&first).status, 200);
    provider.rotate(Before::Dropped);
    later.store(55, Ordering::SeqCst);
    assert_eq!(asks(&first).status, 200, "nobody has a reason to ask yet");
    later.store(61, Ordering::SeqCst);
    assert_eq!(asks(&first).status, 401, "the keys were asked for again");
    let second = provider.token(RESOURCE, "files");
    assert_eq!(asks(&second).status, 200, "its key came with that answer");

    // The provider has stopped: the last good keys are used until they are too old.
    drop(provider);
    later.store(61 + 170, Ordering::SeqCst);
    assert_eq!(asks(&second).status, 200);
    later.store(61 + 181, Ordering::SeqCst);
    let refused = asks(&second);
    assert_eq!((refused.status, refused.header("retry-after")), (503, "10"));
}

#[test]
fn the_documented_blocks_of_cognito_tell_access_tokens_from_id_tokens() {
    let Some(mut provider) = Cognito::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (at, told) = (folder.path(), provider.introduction().clone());
    let (alice, bob) = (provider.sign_in("alice"), provider.sign_in("bob"));

    // Its tokens and its metadata name AWS as the issuer, which does not match this address.
    let (code, out, err) = run_in(at, &["keys", "discover", &told.address]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains(&told.issuer) && err.contains("its address at `cognito-idp`"), "{err}");
    assert!(!at.join("keys").exists());
    let fetched = held(at, &["keys", "fetch", &told.jwks_uri, "--out", "keys/cognito.jwks.json"]);
    assert!(fetched.contains("is new: 1 key, 1 of which a policy can use"), "{fetched}");

    // The documentation's blocks, with this pool and this client.
    let blocks: Vec<DocumentMut> = provider_blocks()
        .into_iter()
        .filter(|(heading, _)| heading == "Amazon Cognito")
        .map(|(_, block)| {
            let mut document: DocumentMut = block.parse().unwrap();
            let issuer = document["issuers"].as_array_of_tables_mut().unwrap().get_mut(0).unwrap();
            issuer["issuer"] = value(&told.issuer);
            for field in ["client_id", "audience"] {
                if let Some(values) = issuer.get_mut(field) {
                    *values = value(toml_edit::Array::from_iter([told.client_id.as_str()]));
                }
            }
            document
        })
        .collect();
    let [access, id, ..] = blocks.as_slice() else { panic!("{blocks:?}") };
    // With an audience instead of the client id, the ID token gets as far as the check of its required claims.
    let audience = access.to_string().replace("client_id ", "audience ");
    let lax: String = audience
        .lines()
        .filter(|line| !line.starts_with("required"))
        .map(|line| format!("{line}\n"))
        .collect();
    let scope = "aws.cognito.signin.user.admin";
    for (name, block) in [
        ("policy.toml", &access.to_string()),
        ("id.toml", &id.to_string()),
        ("audience.toml", &audience),
        ("lax.toml", &lax),
    ] {
        write_policy(at, name, block, scope);
    }
    for (policy, token, reason) in [
        ("policy.toml", &alice.access_token, None),
        ("policy.toml", &alice.id_token, Some("audience_mismatch")),
        ("id.toml", &alice.id_token, None),
        ("id.toml", &alice.access_token, Some("audience_mismatch")),
        ("audience.toml", &alice.id_token, Some("required_claim_mismatch")),
        ("lax.toml", &alice.id_token, None),
    ] {
        assert_eq!(refusal(at, policy, token).as_deref(), reason, "{policy}");
    }

    // With the keys in a file, and with keys fetched from the pool.
    let remote = access
        .to_string()
        .replace("{ file = \"keys/cognito.jwks.json\" }", &format!("{{ url = \"{}\" }}", told.jwks_uri));
    let elsewhere = tempfile::tempdir().unwrap();
    write_policy(elsewhere.path(), "policy.toml", &remote, scope);
    let own = format!("/users/{}/x", alice.sub);
    let asking = serve(elsewhere.path());
    uses(&asking, &alice.access_token, &own, 200);
    uses(&asking, &alice.id_token, &own, 401);
    let served = serve(at);
    uses(&served, &alice.access_token, &own, 200);
    uses(&served, &bob.access_token, &format!("/users/{}/x", bob.sub), 200);
    uses(&served, &bob.access_token, &own, 403);
    uses(&served, &alice.id_token, &own, 401);
}
