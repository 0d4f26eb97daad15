//! The keys of an issuer: which are trusted, for what, and which of them a token without a `kid` may be signed with.

use authorizer_core::token::{Issuer, JwsAlgorithm, KeyFacts, KeySet, RemoteKeys, SignatureAlgorithm};

use super::super::model::{Direction, TrustChange};
use super::{change, of_member, only_in_one, quoted, wider_if};
use crate::words::on_one_line;

/// The changes of the keys, the secret, and where keys are fetched.
pub(super) fn changes(before: Option<&Issuer>, after: Option<&Issuer>) -> Vec<TrustChange> {
    let Some(one) = after.or(before) else { return Vec::new() };
    let mut found = Found { issuer: one.issuer(), changes: Vec::new() };
    let facts = |issuer: Option<&Issuer>| {
        issuer.and_then(Issuer::bundled_keys).map(KeySet::facts).unwrap_or_default()
    };
    let (old, new) = (facts(before), facts(after));
    found.keys(&old, &new);
    if let Some((before, after)) = before.zip(after) {
        found.without_kid(before, after, &old, &new);
    }
    let keeps = before.is_some() && after.is_some_and(|after| after.bundled_keys().is_some());
    found.remote(before.and_then(Issuer::remote_keys), after.and_then(Issuer::remote_keys), keeps);
    found.secret(before, after);
    found.changes
}

struct Found<'a> {
    issuer: &'a str,
    changes: Vec<TrustChange>,
}

/// A key as a person finds it again: by its `kid`, and by what no other key has.
fn named(key: &KeyFacts) -> String {
    let kid = key.key_id.as_deref().map_or("without a kid".to_owned(), quoted);
    format!("{kid}, thumbprint {}", quoted(&key.thumbprint))
}

/// The same as a value.
fn value(key: &KeyFacts) -> String {
    let kid = key.key_id.as_deref().map_or("without a kid".to_owned(), on_one_line);
    format!("{kid}, thumbprint {}", key.thumbprint)
}

fn listed(algorithms: &[SignatureAlgorithm]) -> String {
    algorithms.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ")
}

impl Found<'_> {
    fn note(
        &mut self,
        setting: &'static str,
        what: impl Into<String>,
        values: [Option<String>; 2],
        direction: Direction,
    ) {
        self.changes.push(change(setting, Some(self.issuer), what, values, direction));
    }

    fn keys(&mut self, old: &[KeyFacts], new: &[KeyFacts]) {
        let id = |key: &KeyFacts| (key.key_id.clone(), key.thumbprint.clone());
        let ids = |keys: &[KeyFacts]| keys.iter().map(id).collect::<Vec<_>>();
        for ((key_id, thumbprint), direction) in only_in_one(&ids(old), &ids(new)) {
            let key = KeyFacts { key_id, thumbprint, algorithms: Vec::new() };
            let what = match direction {
                Direction::Narrower => format!("trusted key removed: {}", named(&key)),
                Direction::Wider | Direction::Other => format!("trusted key added: {}", named(&key)),
            };
            self.note("issuers.jwks", what, of_member(value(&key), direction), direction);
        }
        // The algorithms of a key that both have, wherever it is in the set, and however often.
        let verifies = |keys: &[KeyFacts], key: &KeyFacts| -> Vec<SignatureAlgorithm> {
            let all =
                keys.iter().filter(|other| id(other) == id(key)).flat_map(|other| other.algorithms.clone());
            SignatureAlgorithm::ALL.into_iter().filter(|one| all.clone().any(|other| other == *one)).collect()
        };
        let mut seen = Vec::new();
        for key in new {
            let (before, after) = (verifies(old, key), verifies(new, key));
            if before.is_empty() || before == after || seen.contains(&id(key)) {
                continue;
            }
            seen.push(id(key));
            let is_wider = after.iter().any(|one| !before.contains(one));
            let is_narrower = before.iter().any(|one| !after.contains(one));
            let direction = if is_wider && is_narrower { Direction::Other } else { wider_if(is_wider) };
            let what = format!("the key {} verifies {}, now {}", named(key), listed(&before), listed(&after));
            let values = [Some(listed(&before)), Some(listed(&after))];
            self.note("issuers.jwks", what, values, direction);
        }
    }

    /// RFC 7515 section 4.1.4 makes `kid` optional. A token without it is accepted only while exactly one key fits its
    /// algorithm: so a key that is taken away can let tokens in, also one that is in the set twice.
    fn without_kid(&mut self, before: &Issuer, after: &Issuer, old: &[KeyFacts], new: &[KeyFacts]) {
        let fitting = |issuer: &Issuer, keys: &[KeyFacts], algorithm: SignatureAlgorithm| -> Vec<KeyFacts> {
            if !issuer.algorithms().contains(&JwsAlgorithm::Signature(algorithm)) {
                return Vec::new();
            }
            keys.iter().filter(|key| key.algorithms.contains(&algorithm)).cloned().collect()
        };
        for algorithm in SignatureAlgorithm::ALL {
            let (old, new) = (fitting(before, old, algorithm), fitting(after, new, algorithm));
            let (direction, key, others) = match (old.as_slice(), new.as_slice()) {
                ([_, _, ..], [only]) => (Direction::Wider, only, old.len()),
                ([only], [_, _, ..]) => (Direction::Narrower, only, new.len()),
                // With no key before or none now, the key itself is the change; so it is with another one.
                ([], _) | (_, []) | ([_], [_]) | ([_, _, ..], [_, _, ..]) => continue,
            };
            let name = algorithm.name();
            let what = match direction {
                Direction::Narrower => format!(
                    "tokens without a `kid`, signed with {name} by the key {}, are no longer accepted: {others} keys \
                     fit them now, and only 1 did",
                    named(key)
                ),
                Direction::Wider | Direction::Other => format!(
                    "tokens without a `kid`, signed with {name} by the key {}, are accepted: only this key fits them \
                     now, and {others} did",
                    named(key)
                ),
            };
            let counts = [old.len(), new.len()].map(|count| match count {
                1 => Some(format!("1 key for {name}")),
                several => Some(format!("{several} keys for {name}")),
            });
            self.note("issuers.jwks.kid", what, counts, direction);
        }
    }

    fn remote(&mut self, before: Option<&RemoteKeys>, after: Option<&RemoteKeys>, keeps: bool) {
        let urls = [before, after].map(|remote| remote.map(|remote| remote.url.to_string()));
        let setting = "issuers.jwks.url";
        let url = |remote: &RemoteKeys| quoted(&remote.url.to_string());
        match (before, after) {
            (None, Some(remote)) => {
                self.note(
                    setting,
                    format!("its keys are fetched from {}", url(remote)),
                    urls,
                    Direction::Wider,
                );
            }
            (Some(remote), None) => {
                // Keys that are fetched replace those in the policy. Without a URL, nothing does.
                let (rest, direction) = match keeps {
                    true => (
                        ": the keys in the policy are trusted even if the issuer withdraws them",
                        Direction::Other,
                    ),
                    false => ("", Direction::Narrower),
                };
                self.note(
                    setting,
                    format!("its keys are no longer fetched from {}{rest}", url(remote)),
                    urls,
                    direction,
                );
            }
            (Some(one), Some(other)) => {
                if one.url != other.url {
                    let what = format!("its keys are fetched from {}, not from {}", url(other), url(one));
                    self.note(setting, what, urls, Direction::Other);
                }
                // A key that the issuer has withdrawn is trusted for so long.
                for (setting, name, old, new) in [
                    (
                        "issuers.jwks.max_age_seconds",
                        "max_age_seconds",
                        one.max_age_seconds,
                        other.max_age_seconds,
                    ),
                    (
                        "issuers.jwks.max_stale_seconds",
                        "max_stale_seconds",
                        one.max_stale_seconds,
                        other.max_stale_seconds,
                    ),
                ] {
                    if old != new {
                        let values = [Some(old.to_string()), Some(new.to_string())];
                        self.note(setting, format!("{name}: {old}, now {new}"), values, wider_if(new > old));
                    }
                }
            }
            (None, None) => {}
        }
    }

    fn secret(&mut self, before: Option<&Issuer>, after: Option<&Issuer>) {
        let has = |issuer: Option<&Issuer>| issuer.is_some_and(Issuer::has_secret);
        let (what, direction) = match (has(before), has(after)) {
            (false, true) => ("it shares a secret with this service", Direction::Wider),
            (true, false) => ("it no longer shares a secret with this service", Direction::Narrower),
            (true, true) if before.zip(after).is_some_and(|(one, other)| !other.has_secret_of(one)) => {
                // Who signs is not known, so nobody may take it for the same.
                let is_compared = ![before, after].into_iter().flatten().any(Issuer::has_stand_in_secret);
                let what = match is_compared {
                    true => "its secret is different",
                    false => {
                        "its secret cannot be compared: the file is here for one of the two policies only"
                    }
                };
                (what, Direction::Other)
            }
            (true, true) | (false, false) => return,
        };
        self.note("issuers.secret", what, [None, None], direction);
    }
}
