//! Every recorded event of the repository, recorded anew: no token is in it, and it is decided as before.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};

use super::{Cleaner, RecordingKeys, Signer, Standing, is_same_decision};

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

    fn clean(&self, event: &[u8]) -> Option<String> {
        let live = self.live.authorize(event, NOW);
        let was_believed = live.record.issuer.is_some();
        let standing = |token: &str| Standing::of(&self.live.verify_signature(token, NOW), was_believed);
        let places = self.live.bundle().policy().credentials();
        Cleaner { signer: &self.signer, standing: &standing, places }.clean(event).ok()
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
            assert!(!clean.contains(signature), "{name}: {signature} is in {clean}");
        }
        let (before, after) = recorder.decisions(&event, &clean);
        if !is_same_decision(&before, &after) {
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
            "keys-that-nobody-gives: \"keys_unavailable\" became \"signing_key_unknown\"",
        ]
    );
}

#[test]
fn each_hostile_request_is_recorded_as_it_was_decided() {
    assert_eq!(record_all(&OF_REQUESTS, "requests/events"), Vec::<String>::new());
}

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
        (vec![("X-Note", format!("{short}\t{secret}"))], format!("prefix={secret}")),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let clean = OF_TOKENS.clean(&event(&headers, &query)).unwrap();
        assert!(!clean.contains(secret) && !clean.contains(short), "{clean}");
    }
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
    assert_eq!(
        serde_json::from_str::<Value>(&clean).unwrap(),
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
        let clean = OF_TOKENS.clean(&event).unwrap();
        let by_policy = OF_TOKENS.live.authorize(clean.as_bytes(), NOW);
        assert!(by_policy.record.subject.is_none(), "{name}: a token of the recording is accepted");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
