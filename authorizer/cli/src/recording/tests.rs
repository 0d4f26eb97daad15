//! Every recorded event of the repository, recorded anew: no token is in it, and it is decided as before.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};

use crate::harmless::unescaped;

use super::{Clean, Cleaner, RecordingKeys, Signer, Standing, is_same_decision};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

/// 2027-01-15T08:00:00Z, the time of the fixtures.
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// A policy, and what a recording under it needs.
struct Recorder {
    live: Authorizer,
    signer: Signer,
    replaying: Authorizer,
}

impl Recorder {
    fn new(policy: &Path) -> Self {
        let file = PolicyFile::load(policy).unwrap();
        let document = file.document().clone();
        let mut signer = Signer::new();
        signer.prepare(&document).unwrap();
        let keys = serde_json::to_vec(&signer.public()).unwrap();
        let keys: RecordingKeys = serde_json::from_slice(&keys).unwrap();
        let replaying = Authorizer::new(keys.bundle_of(&document).unwrap());
        Self { live: Authorizer::new(file.into_bundle()), signer, replaying }
    }

    fn clean(&self, event: &[u8]) -> Option<Clean> {
        let live = self.live.authorize(event, NOW);
        let was_believed = live.record.issuer.is_some();
        let standing = |token: &str| Standing::of(&self.live.verify_signature(token, NOW));
        let policy = self.live.bundle().policy();
        Cleaner { signer: &self.signer, standing: &standing, was_believed, policy }.clean(event).ok()
    }

    /// The decision before and after.
    fn decisions(&self, event: &[u8], clean: &str) -> (Value, Value) {
        let before = serde_json::to_value(self.live.authorize(event, NOW).record).unwrap();
        let after = serde_json::to_value(self.replaying.authorize(clean.as_bytes(), NOW).record).unwrap();
        (before, after)
    }
}

static OF_TOKENS: LazyLock<Recorder> =
    LazyLock::new(|| Recorder::new(&Path::new(FIXTURES).join("policies/cases.toml")));
static OF_REQUESTS: LazyLock<Recorder> =
    LazyLock::new(|| Recorder::new(&Path::new(FIXTURES).join("requests/policy.toml")));

/// The events of a folder, with their names.
fn events(folder: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(Path::new(FIXTURES).join(folder)).unwrap().map(|file| file.unwrap().path());
    let mut events: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    events.sort();
    events
}

/// Records all events of a folder. Returns those that cannot be recorded, because they are decided in another way.
fn record_all(recorder: &Recorder, folder: &str) -> Vec<String> {
    let mut otherwise = Vec::new();
    let events = events(folder);
    assert!(events.len() > 100, "{folder}");
    for (name, event) in events {
        let Some(clean) = recorder.clean(&event) else {
            otherwise.push(format!("{name}: no event"));
            continue;
        };
        let text = String::from_utf8_lossy(&event);
        for signature in signatures(&text) {
            assert!(!clean.event.contains(signature), "{name}: {signature} is in {}", clean.event);
        }
        let (before, after) = recorder.decisions(&event, &clean.event);
        if !is_same_decision(&before, &after, clean.has_same_path) {
            otherwise.push(format!("{name}: {} became {}", before["reason"], after["reason"]));
        }
    }
    otherwise
}

/// The third parts of all tokens in a text.
fn signatures(text: &str) -> impl Iterator<Item = &str> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(move |c| !is_of_token(c)).filter(|run| run.starts_with("eyJ")).filter_map(|token| {
        let signature = token.split('.').nth(2)?;
        (signature.len() > 20).then_some(signature)
    })
}

#[test]
fn each_reason_for_a_refusal_of_a_token_survives() {
    assert_eq!(
        record_all(&OF_TOKENS, "events"),
        [
            // `serve` makes its events itself, so none is malformed.
            "event-body-is-not-base64: \"event_malformed\" became \"allowed_by_rule\"",
            "event-cut-off: no event",
            "event-empty: no event",
            "event-header-name-twice: \"event_malformed\" became \"allowed_by_rule\"",
            "event-lone-surrogate: no event",
            "event-nested-too-deep: no event",
            "event-no-record: no event",
            "event-null: no event",
            "event-of-api-gateway: no event",
            "event-of-the-lambda-console: no event",
            "event-uri-twice: \"event_malformed\" became \"token_missing\"",
            "event-with-byte-order-mark: no event",
            "event-with-text-behind-it: no event",
            // Nobody knows what the keys would have said.
            "keys-that-nobody-gives: no event",
            // A member that is there twice may hide a token behind escapes.
            "token-sub-twice-by-an-escape: \"token_duplicate_member\" became \"token_malformed\"",
        ]
    );
}

#[test]
fn each_hostile_request_is_recorded_as_it_was_decided() {
    assert_eq!(record_all(&OF_REQUESTS, "requests/events"), Vec::<String>::new());
}

/// A token of nobody.
const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// An event with these headers and this query.
fn event(headers: &[(&str, &str)], query: &str) -> Vec<u8> {
    let mut lines = serde_json::Map::new();
    for (name, value) in headers {
        let line = json!({"key": name, "value": value});
        let all = lines.entry(name.to_lowercase()).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(line);
    }
    let event = json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d.example", "distributionId": "E", "eventType": "viewer-request", "requestId": "r"},
        "request": {"clientIp": "127.0.0.1", "method": "GET", "uri": "/public/a.txt", "querystring": query, "headers": lines},
    }}]});
    event.to_string().into_bytes()
}

#[test]
fn what_may_be_secret_is_in_no_place() {
    let secret = "s3cr3tValue0123456789";
    let short = "sh0rt9";
    for (headers, query) in [
        (vec![("Authorization", format!("Basic {secret}="))], String::new()),
        (vec![("Authorization", secret.to_owned())], String::new()),
        (vec![("Authorization", "sh0rt9".to_owned())], String::new()),
        (vec![("Authorization", format!("sh0rt9 {secret}"))], String::new()),
        (
            vec![("Authorization", format!("Digest username=\"{secret}\", response=\"{short}\""))],
            String::new(),
        ),
        (vec![("Cookie", format!("a={short}; b={secret}; {secret}"))], String::new()),
        (vec![("X-Api-Key", secret.to_owned()), ("User-Agent", format!("curl {secret}"))], String::new()),
        (vec![("Referer", format!("https://a.example/?t={secret}"))], String::new()),
        (vec![("Proxy-Authorization", format!("Bearer {secret}"))], String::new()),
        (vec![], format!("access_token={secret}&x={short}")),
        (vec![], format!("access_token=%73{secret}")),
        (vec![], secret.to_owned()),
        (vec![], format!("{secret}{secret}{secret}=1")),
        (vec![("X-Note", format!("{short}\t{secret}"))], String::new()),
        (vec![("Cookie", format!("{secret}==; {secret}=; x={short}="))], String::new()),
        (vec![("Cookie", format!("x.LastAuthUser={secret}"))], String::new()),
        (vec![("X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key", secret.to_owned())], String::new()),
        (vec![], format!("{secret}==")),
        (vec![], format!("state=https%3A%2F%2Fapp%2F%3Faccess_token%3D{JWT}%26client_secret%3D{secret}")),
        (
            vec![(
                "Cookie",
                format!("s=%7B%22access_token%22%3A%22{JWT}%22%2C%22other%22%3A%22{secret}%22%7D"),
            )],
            String::new(),
        ),
        (vec![("Cookie", format!("both={JWT}|{secret}"))], String::new()),
        (vec![("X-Tokens", format!("{JWT}:{secret}"))], String::new()),
        (vec![("Authorization", format!("Bearer eyJhbGciOiJSUzI1NiJ9:{secret}"))], String::new()),
        (vec![("Cookie", format!("s=s%3A{JWT}%2F{secret}%2B"))], String::new()),
        (vec![("Cookie", format!("s=eyJhIjoiYiJ9eyJhIjoiYiJ9/{secret}"))], String::new()),
        (vec![("User-Agent", format!("curl {secret}"))], format!("k={secret}")),
        (vec![], secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()),
        (vec![], format!("k={}", secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>())),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let clean = OF_TOKENS.clean(&event(&headers, &query)).unwrap().event;
        let plain = unescaped(&clean).unwrap_or_default();
        for text in [&clean, &plain] {
            assert!(!text.contains(secret) && !text.contains(short), "{text}");
        }
    }
    // A password in another script, as browsers escape it.
    let clean = OF_TOKENS.clean(&event(&[], "password=%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C")).unwrap();
    assert!(clean.event.contains("password=%C3%A9") && !clean.event.contains("%D0"), "{}", clean.event);
}

/// A token of the fixtures that is accepted, in its parts.
fn accepted() -> [String; 3] {
    accepted_by(&OF_TOKENS, "events")
}

fn accepted_by(recorder: &Recorder, folder: &str) -> [String; 3] {
    let is_accepted = |event: &[u8]| recorder.live.authorize(event, NOW).record.issuer.is_some();
    let (_, event) = events(folder).into_iter().find(|(_, event)| is_accepted(event)).unwrap();
    let text = String::from_utf8(event).unwrap();
    let run = text.split(|c: char| c != '.' && c != '-' && c != '_' && !c.is_ascii_alphanumeric());
    let token = run.into_iter().find(|run| run.starts_with("eyJ")).unwrap();
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

#[test]
fn a_token_is_found_behind_escapes_too() {
    let [header, payload, signature] = accepted();
    for dot in ["%2E", "%2e", "%252E"] {
        let token = format!("{header}{dot}{payload}{dot}{signature}");
        for (headers, query) in [
            (vec![], format!("list-type=2&prefix={token}")),
            (vec![], format!("t={token}")),
            (vec![("User-Agent", token.clone())], String::new()),
        ] {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let clean = OF_TOKENS.clean(&event(&headers, &query)).unwrap().event;
            assert!(!clean.contains(&signature), "{dot}: {clean}");
        }
    }
}

#[test]
fn a_token_in_a_claim_is_not_kept() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let inner = accepted().join(".");
    let signature = inner.rsplit_once('.').unwrap().1;
    let within = URL_SAFE_NO_PAD.encode(&inner);
    for claims in [
        json!({"sub": "a", "idp": [{"token": inner}]}).to_string(),
        json!({"sub": "a", inner.as_str(): 1}).to_string(),
        json!({"sub": "a", "idp": within}).to_string(),
        format!(r#"{{"sub": "a", "idp": "{inner}", "idp": "b"}}"#),
    ] {
        let [header, payload] =
            [r#"{"alg":"EdDSA"}"#, claims.as_str()].map(|part| URL_SAFE_NO_PAD.encode(part));
        let bearer = format!("Bearer {header}.{payload}.c2lnbmF0dXJlLW9mLW5vYm9keQ");
        let clean = OF_TOKENS.clean(&event(&[("Authorization", &bearer)], "")).unwrap().event;
        let kept = clean.split("Bearer ").nth(1).unwrap().split('.').nth(1).unwrap();
        let text = URL_SAFE_NO_PAD.decode(kept).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(signature) && !text.contains(&within), "{text}");
    }
}

#[test]
fn a_token_in_pieces_stays_one() {
    let token = accepted_by(&OF_REQUESTS, "requests/events").join(".");
    let cookie = OF_REQUESTS.live.bundle().policy().credentials().cookie.as_ref().unwrap().to_string();
    let (first, second) = token.split_at(40);
    let one_line = vec![("Cookie", format!("{cookie}.0={first}; theme=dark; {cookie}.1={second}"))];
    let lines = vec![("Cookie", format!("{cookie}.1={second}")), ("Cookie", format!("{cookie}.0={first}"))];
    for headers in [one_line, lines] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let event = event(&headers, "");
        let clean = OF_REQUESTS.clean(&event).unwrap();
        let (before, after) = OF_REQUESTS.decisions(&event, &clean.event);
        assert!(before["issuer"].is_string() && is_same_decision(&before, &after, true), "{before} {after}");
        let (_, signature) = second.rsplit_once('.').unwrap();
        assert!(!clean.event.contains(signature), "{}", clean.event);
    }
}

#[test]
fn a_token_that_nobody_signed_is_not_signed_for_the_recording() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    // Without a key id, what is wrong with the claims is said before the signature is looked at.
    let [_, payload, _] = accepted();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["exp"] = json!(1_799_999_990);
    let parts = [r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned(), claims.to_string()];
    let [header, payload] = parts.map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([1; 64]));
    let bearer = format!("Bearer {token}");
    let clean = OF_TOKENS.clean(&event(&[("Authorization", &bearer)], "")).unwrap().event;
    let earlier = UnixTime::from_seconds(1_799_999_900);
    let record = OF_TOKENS.replaying.authorize(clean.as_bytes(), earlier).record;
    assert_eq!(record.reason, "signature_invalid");
}

#[test]
fn a_header_does_not_change_the_key() {
    let mut event: Value =
        serde_json::from_slice(&event(&[("X-Path", "/users/alice/secret-report")], "")).unwrap();
    event["Records"][0]["cf"]["request"]["uri"] = json!("/users/alice/secret-report");
    let clean = OF_TOKENS.clean(event.to_string().as_bytes()).unwrap();
    assert!(
        clean.has_same_path && clean.event.contains(r#""uri":"/users/alice/secret-report""#),
        "{}",
        clean.event
    );
    assert_eq!(clean.event.matches("secret-report").count(), 1, "{}", clean.event);
}

#[test]
fn what_is_known_to_have_no_secret_stays() {
    let headers = [
        ("Host", "files.example.com"),
        ("Content-Type", "application/pdf"),
        ("X-Amz-Meta-Owner", "alice-in-the-wonderland"),
        ("Range", "bytes=0-1"),
    ];
    let event = event(&headers, "versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY");
    let clean = OF_TOKENS.clean(&event).unwrap();
    assert!(clean.has_same_path);
    assert_eq!(
        serde_json::from_str::<Value>(&clean.event).unwrap(),
        serde_json::from_slice::<Value>(&event).unwrap()
    );
}

#[test]
fn the_policy_of_a_recording_trusts_its_keys_alone() {
    let accepted = events("events")
        .into_iter()
        .filter(|(_, event)| OF_TOKENS.live.authorize(event, NOW).record.subject.is_some());
    let mut count = 0;
    for (name, event) in accepted {
        let by_recording = OF_TOKENS.replaying.authorize(&event, NOW);
        assert!(by_recording.record.subject.is_none(), "{name}: a real token is accepted");
        let clean = OF_TOKENS.clean(&event).unwrap().event;
        let by_policy = OF_TOKENS.live.authorize(clean.as_bytes(), NOW);
        assert!(by_policy.record.subject.is_none(), "{name}: a token of the recording is accepted");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
