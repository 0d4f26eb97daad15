//! What the tokens of an issuer must be.

use std::collections::BTreeSet;

use authorizer_core::token::{Issuer, JwsAlgorithm, Revocation};
use authorizer_core::{Scalar, claim_name};
use serde_json::{Map, Value, json};

use super::super::comparison::{Comparison, NEW};
use super::super::model::{Direction, Effect, TrustChange};
use super::{Asked, change, keys, of_member, only_in_one, quoted, taking, wider_if};
use crate::engine::Witness;
use crate::supposed::value_of;
use crate::words::instant_in_words;

/// The changes of one issuer: of one that is new, of one that is gone, or of one that both policies have.
pub(super) fn changes(
    comparison: &Comparison<'_>,
    before: Option<&Issuer>,
    after: Option<&Issuer>,
) -> Vec<TrustChange> {
    let Some(one) = after.or(before) else { return Vec::new() };
    let both = before.zip(after);
    let common = both.map(|(before, after)| in_common(before, after)).unwrap_or_default();
    let mut found = Found { comparison, issuer: one.issuer(), common, changes: Vec::new() };
    if both.is_none() {
        found.whole(one, wider_if(after.is_some()));
    }
    found.algorithms(before, after);
    found.changes.extend(keys::changes(before, after));
    found.list("issuers.audience", "aud", "audience_mismatch", before, after, Issuer::audience);
    found.list("issuers.client_id", "client_id", "client_mismatch", before, after, Issuer::client_ids);
    if let Some((before, after)) = both {
        found.empty_lists(before, after);
        found.token_type(before, after);
        found.required(before, after);
        found.leeway(before, after);
        found.lifetime(before, after);
        found.bound(before, after);
        found.revoked(before, after);
    }
    found.changes
}

struct Found<'a, 'p> {
    comparison: &'a Comparison<'p>,
    issuer: &'a str,
    /// Claims that both policies accept in a token.
    common: Map<String, Value>,
    changes: Vec<TrustChange>,
}

/// The audience, client and required claims that a token can have for both. So a request shows one change, even if
/// there are several.
fn in_common(before: &Issuer, after: &Issuer) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, old, new) in
        [("aud", before.audience(), after.audience()), ("client_id", before.client_ids(), after.client_ids())]
    {
        let either = if new.is_empty() { old } else { new };
        if let Some(value) = either.iter().find(|value| old.is_empty() || old.contains(value)) {
            claims.insert(name.to_owned(), value.as_str().into());
        }
    }
    for (name, value) in before.required() {
        if after.required().get(name) == Some(value) {
            claims.insert(name.clone(), value_of(value));
        }
    }
    claims
}

fn same(_: &mut Witness) {}

impl Found<'_, '_> {
    fn note(
        &mut self,
        setting: &'static str,
        what: impl Into<String>,
        values: [Option<String>; 2],
        direction: Direction,
    ) -> Option<&mut TrustChange> {
        self.changes.push(change(setting, Some(self.issuer), what, values, direction));
        self.changes.last_mut()
    }

    /// The last change, with a request for it.
    fn show(
        &mut self,
        taking: usize,
        claims: Map<String, Value>,
        adapt: &dyn Fn(&mut Witness),
        reason: &'static str,
    ) {
        let mut all = self.common.clone();
        all.extend(claims.clone());
        let request = [all, claims].into_iter().find_map(|claims| {
            self.comparison.with_token(&Asked { issuer: self.issuer, taking, claims, adapt, reason })
        });
        if let Some(change) = self.changes.last_mut() {
            change.request = request;
        }
    }

    /// An issuer that only one policy has.
    fn whole(&mut self, one: &Issuer, direction: Direction) {
        let what = match direction {
            Direction::Narrower => "its tokens are no longer accepted",
            Direction::Wider | Direction::Other => "its tokens are accepted",
        };
        let values = of_member(one.issuer().to_owned(), direction);
        self.note("issuers.issuer", what, values, direction);
        self.show(taking(direction), Map::new(), &same, "issuer_unknown");
    }

    fn algorithms(&mut self, before: Option<&Issuer>, after: Option<&Issuer>) {
        let names = |issuer: Option<&Issuer>| -> Vec<&str> {
            issuer.map(Issuer::algorithms).unwrap_or_default().into_iter().map(JwsAlgorithm::name).collect()
        };
        for (name, direction) in only_in_one(&names(before), &names(after)) {
            let what = match direction {
                Direction::Narrower => format!("trusted algorithm removed: {name}"),
                Direction::Wider | Direction::Other => format!("trusted algorithm added: {name}"),
            };
            self.note("issuers.algorithms", what, of_member(name.to_owned(), direction), direction);
        }
    }

    /// `audience` and `client_id`.
    fn list(
        &mut self,
        setting: &'static str,
        claim: &str,
        reason: &'static str,
        before: Option<&Issuer>,
        after: Option<&Issuer>,
        of: fn(&Issuer) -> &[String],
    ) {
        let values = |issuer: Option<&Issuer>| issuer.map(|one| of(one).to_vec()).unwrap_or_default();
        let is_of_both = before.is_some() && after.is_some();
        // An empty list of clients takes every client: `empty_lists` tells of it.
        if setting == "issuers.client_id"
            && is_of_both
            && (values(before).is_empty() || values(after).is_empty())
        {
            return;
        }
        for (value, direction) in only_in_one(&values(before), &values(after)) {
            let what = match direction {
                Direction::Narrower => format!("`{claim}` may no longer be {}", quoted(&value)),
                Direction::Wider | Direction::Other => format!("`{claim}` may be {}", quoted(&value)),
            };
            self.note(setting, what, of_member(value.clone(), direction), direction);
            if is_of_both {
                let claims = [(claim.to_owned(), Value::from(value))].into_iter().collect();
                self.show(taking(direction), claims, &same, reason);
            }
        }
    }

    /// Without an audience, a token must not name any; without clients, it may be issued to any.
    fn empty_lists(&mut self, before: &Issuer, after: &Issuer) {
        let (had, has) = (!before.audience().is_empty(), !after.audience().is_empty());
        if had != has {
            let direction = wider_if(had);
            let what = match has {
                true => "tokens without `aud` are no longer accepted",
                false => "tokens without `aud` are accepted",
            };
            let shown = |has: bool| Some(if has { "required" } else { "absent" }.to_owned());
            self.note("issuers.audience", what, [shown(had), shown(has)], direction);
            let drop = |request: &mut Witness| {
                request.claims.as_mut().and_then(|claims| claims.remove("aud"));
            };
            self.show(taking(direction), Map::new(), &drop, "audience_mismatch");
        }
        let (had, has) = (!before.client_ids().is_empty(), !after.client_ids().is_empty());
        if had != has {
            let direction = wider_if(had);
            let what = match has {
                true => "`client_id` must be one of the list",
                false => "`client_id` may be anything",
            };
            let shown = |issuer: &Issuer| {
                let ids = issuer.client_ids();
                Some(if ids.is_empty() { "any".to_owned() } else { ids.join(", ") })
            };
            self.note("issuers.client_id", what, [shown(before), shown(after)], direction);
            let drop = |request: &mut Witness| {
                request.claims.as_mut().and_then(|claims| claims.remove("client_id"));
            };
            self.show(taking(direction), Map::new(), &drop, "client_mismatch");
        }
    }

    fn token_type(&mut self, before: &Issuer, after: &Issuer) {
        let (old, new) = (before.token_type(), after.token_type());
        if old == new {
            return;
        }
        let tried = [None, Some("JWT"), Some("at+jwt"), old, new];
        let only = |one: &Issuer, other: &Issuer| {
            tried.into_iter().find(|kind| one.takes_type(*kind) && !other.takes_type(*kind))
        };
        let (gained, lost) = (only(after, before), only(before, after));
        let direction = match (gained, lost) {
            (Some(_), None) => Direction::Wider,
            (None, Some(_)) => Direction::Narrower,
            (Some(_), Some(_)) | (None, None) => Direction::Other,
        };
        let shown = |kind: Option<&str>| kind.unwrap_or("JWT, at+jwt or none").to_owned();
        let what = format!("`typ` of its tokens: {}, now {}", quoted(&shown(old)), quoted(&shown(new)));
        let note = self.note("issuers.token_type", what, [Some(shown(old)), Some(shown(new))], direction);
        if gained.is_none() && lost.is_none() {
            // Another spelling of the same type.
            note.into_iter().for_each(|change| change.effect = Effect::None);
            return;
        }
        if let Some(kind) = gained.or(lost) {
            let kind = kind.map(str::to_owned);
            let set = move |request: &mut Witness| request.token_type.clone_from(&kind);
            let taking = if gained.is_some() { NEW } else { taking(direction) };
            self.show(taking, Map::new(), &set, "token_type_mismatch");
        }
    }

    fn required(&mut self, before: &Issuer, after: &Issuer) {
        let names: BTreeSet<&String> = before.required().keys().chain(after.required().keys()).collect();
        for name in names {
            let (old, new) = (before.required().get(name), after.required().get(name));
            if old == new {
                continue;
            }
            let shown = |value: Option<&Scalar>| value.map(ToString::to_string);
            let words =
                |value: Option<&Scalar>| shown(value).map_or("anything".to_owned(), |text| quoted(&text));
            let direction = match (old, new) {
                (Some(_), None) => Direction::Wider,
                (None, Some(_)) => Direction::Narrower,
                (Some(_), Some(_)) | (None, None) => Direction::Other,
            };
            let what = format!("the claim {} must be {}, now {}", quoted(name), words(old), words(new));
            self.note("issuers.required", what, [shown(old), shown(new)], direction);
            // A token that has what the taking policy requires, and not what the other does.
            let value = if direction == Direction::Narrower { old } else { new };
            let value = value.map(value_of);
            let set = |request: &mut Witness| {
                if let Some(claims) = request.claims.as_mut() {
                    match value.clone() {
                        Some(value) => claim_name::put(claims, name, value),
                        None => claim_name::remove(claims, name),
                    }
                }
            };
            self.show(taking(direction), Map::new(), &set, "required_claim_mismatch");
        }
    }

    fn leeway(&mut self, before: &Issuer, after: &Issuer) {
        let (old, new) = (before.leeway_seconds(), after.leeway_seconds());
        if old == new {
            return;
        }
        let direction = wider_if(new > old);
        let values = [Some(old.to_string()), Some(new.to_string())];
        self.note("issuers.leeway_seconds", format!("leeway_seconds: {old}, now {new}"), values, direction);
        // Expired for the one, and not for the other.
        let less = u64::from(old.min(new));
        let expire = |request: &mut Witness| {
            let at = request.at.as_seconds();
            if let (Some(claims), Some(expires)) = (request.claims.as_mut(), at.checked_sub(less)) {
                claims.insert("exp".to_owned(), expires.into());
                claims.insert("iat".to_owned(), expires.saturating_sub(1).into());
            }
        };
        self.show(taking(direction), Map::new(), &expire, "token_expired");
    }

    fn lifetime(&mut self, before: &Issuer, after: &Issuer) {
        let (old, new) = (before.max_lifetime_seconds(), after.max_lifetime_seconds());
        if old == new {
            return;
        }
        let direction = wider_if(new.unwrap_or(u32::MAX) > old.unwrap_or(u32::MAX));
        let shown = |life: Option<u32>| life.map_or("none".to_owned(), |life| life.to_string());
        let what = format!("max_lifetime_seconds: {}, now {}", shown(old), shown(new));
        self.note("issuers.max_lifetime_seconds", what, [Some(shown(old)), Some(shown(new))], direction);
        // A second longer than the shorter of the two.
        let less = old.unwrap_or(u32::MAX).min(new.unwrap_or(u32::MAX));
        let lengthen = |request: &mut Witness| {
            let at = request.at.as_seconds();
            if let Some(claims) = request.claims.as_mut() {
                claims.insert("iat".to_owned(), at.into());
                claims.insert("exp".to_owned(), at.saturating_add(u64::from(less)).saturating_add(1).into());
            }
        };
        self.show(taking(direction), Map::new(), &lengthen, "token_lifetime_too_long");
    }

    /// `accept_bound_tokens`: a token with `cnf` is taken from whoever bears it.
    fn bound(&mut self, before: &Issuer, after: &Issuer) {
        let (old, new) = (before.accepts_bound_tokens(), after.accepts_bound_tokens());
        if old == new {
            return;
        }
        let direction = wider_if(new);
        let what = match new {
            true => "tokens that are bound to a key (`cnf`) are accepted from anyone",
            false => "tokens that are bound to a key (`cnf`) are no longer accepted",
        };
        let values = [Some(old.to_string()), Some(new.to_string())];
        self.note("issuers.accept_bound_tokens", what, values, direction);
        // A thumbprint of a key of the client (RFC 9449 section 6.1).
        let claims = [("cnf".to_owned(), json!({"jkt": "AA"}))].into_iter().collect();
        self.show(taking(direction), claims, &same, "token_bound");
    }

    fn revoked(&mut self, before: &Issuer, after: &Issuer) {
        let lists = [before.revoked(), after.revoked()];
        for (entry, is_listed) in only_in_one(lists[0], lists[1]) {
            // More is revoked: less is allowed.
            let (direction, other) = match is_listed {
                Direction::Wider => (Direction::Narrower, lists[0]),
                Direction::Narrower | Direction::Other => (Direction::Wider, lists[1]),
            };
            let words = entry_in_words(&entry, quoted);
            let shown = entry_in_words(&entry, |text| format!("{text:?}"));
            let what = match direction {
                Direction::Wider | Direction::Other => format!("no longer revoked: tokens with {words}"),
                Direction::Narrower => format!("revoked: tokens with {words}"),
            };
            let values = match direction {
                Direction::Wider | Direction::Other => [Some(shown), None],
                Direction::Narrower => [None, Some(shown)],
            };
            let is_covered = other.iter().any(|one| covers(one, &entry));
            let note = self.note("revoked", what, values, direction);
            if is_covered {
                note.into_iter().for_each(|change| change.effect = Effect::None);
                continue;
            }
            let named = [("jti", &entry.token_id), ("sub", &entry.subject)];
            let claims = named
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.clone()?))))
                .collect();
            self.show(taking(direction), claims, &same, "token_revoked");
        }
    }
}

/// Whether every token that the other entry revokes is revoked by this one.
fn covers(one: &Revocation, other: &Revocation) -> bool {
    let is = |one: &Option<String>, other: &Option<String>| one.is_none() || one == other;
    is(&one.token_id, &other.token_id)
        && is(&one.subject, &other.subject)
        && one.issued_before.is_none_or(|first| other.issued_before.is_some_and(|second| second <= first))
}

/// An entry, with each of its values as `shown` has it.
fn entry_in_words(entry: &Revocation, shown: fn(&str) -> String) -> String {
    let Revocation { token_id, subject, issued_before } = entry;
    let mut parts = Vec::new();
    parts.extend(token_id.as_ref().map(|id| format!("jti {}", shown(id))));
    parts.extend(subject.as_ref().map(|subject| format!("sub {}", shown(subject))));
    parts.extend(issued_before.map(|at| format!("iat before {}", shown(&instant_in_words(at)))));
    parts.join(" and ")
}
