//! The token of a logged request: its claims, as far as the log has them, and such that the decision is the recorded one.

use std::collections::BTreeSet;

use authorizer_analysis::{fill_in, value_of};
use authorizer_core::claim_name;
use authorizer_core::key::ObjectKey;
use authorizer_core::logged_claims::{ClaimDigest, ClaimHasher, LoggedClaims};
use authorizer_core::record::{SubjectLogging, sha256_hex};
use authorizer_core::rules::{ClaimTest, Rule, RulePart};
use authorizer_core::token::{Issuer, parse_claims};
use authorizer_core::{Authorizer, Scalar, Supposed, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Guess, RebuildError, Recorded};
use crate::trace::DecisionTrace;

/// The most combinations of claims that are tried.
const MOST_TRIES: usize = 2_000;

/// The decision log cuts subjects to this number of characters.
const CUT_SUBJECT: usize = 256;

/// Why a claim is not known: the log has its hash.
const HASH_ONLY: &str = "the log has its hash, of a text that is in no rule and in no segment of the key";

/// The same, of the subject.
const SUBJECT_HASH_ONLY: &str = "the log has its hash, which no segment of the key and no rule has";

/// Why a claim is not known: the log does not have it.
const NOT_LOGGED: &str = "no log has it";

/// Why a claim is not known: the log has it with another salt, or does not say with which.
const OTHER_SALT: &str = "the log has its hash, with a salt that the policy does not have";

/// Claims that a token of an issuer has in any case.
const FILLED: [&str; 5] = ["iss", "aud", "exp", "iat", "nbf"];

/// The holder of a token that verified.
pub(super) struct Holder<'h> {
    pub(super) decision: &'h DecisionTrace,
    /// The policy that decided, and the one that will.
    pub(super) policies: [&'h Authorizer; 2],
    /// The request, without a token.
    pub(super) event: Vec<u8>,
    pub(super) now: UnixTime,
    pub(super) recorded: Recorded,
}

/// A claim that no log has, and what it may be. The first is tried first; `None` stands for no such claim.
struct Open {
    name: String,
    values: Vec<Option<Value>>,
    /// Why it is not known.
    why: &'static str,
}

/// The claims of a token, without a look at its signature.
pub(super) fn of_token(token: &str) -> Option<Supposed> {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (header, claims) = (parts.next()??, parts.next()??);
    let header: Map<String, Value> = serde_json::from_slice(&header).ok()?;
    let token_type = header.get("typ").and_then(Value::as_str).map(str::to_owned);
    Some(Supposed { token_type, claims: parse_claims(&claims).ok()? })
}

impl Holder<'_> {
    fn decider(&self) -> &Authorizer {
        self.policies[0]
    }

    /// Whether the policy that is taken to have decided did.
    fn is_own(&self) -> bool {
        let decided = self.recorded.bundle_sha256.as_deref();
        decided.is_none_or(|sha256| sha256 == self.decider().bundle().sha256())
    }

    /// Whether the line can be of this token: its issuer has this name, and the subject and the claims are its own, as
    /// far as the line has them.
    pub(super) fn has(&self, token: &Supposed, issuer: &str) -> bool {
        let mut issuers = self.policies.iter().flat_map(|policy| policy.bundle().policy().issuers());
        let Some(issuer) = issuers.find(|one| one.name() == issuer) else { return false };
        let text = |name| token.claims.get(name).and_then(Value::as_str);
        let policy = self.decider().bundle().policy();
        let is_subject = match (self.decision.text("subject"), text("sub")) {
            (Some(logged), Some(subject)) => {
                logged == digest_of(issuer, subject)
                    || logged == subject.chars().take(CUT_SUBJECT).collect::<String>()
            }
            (Some(_), None) => false,
            // It would be in the line, unless the policy that decided omits it.
            (None, Some(_)) => !self.is_own() || policy.subject_logging() == SubjectLogging::Omitted,
            (None, None) => true,
        };
        // Another bundle can have logged other claims.
        let are_claims = match (self.logged(), self.hasher().filter(|_| self.is_own())) {
            (Some(logged), Some(hasher)) => logged == hasher.digests(&token.claims),
            (_, _) => true,
        };
        text("iss") == Some(issuer.issuer()) && is_subject && are_claims
    }

    /// The claims of the line.
    fn logged(&self) -> Option<LoggedClaims> {
        serde_json::from_value(self.decision.members.get("claims")?.clone()).ok()
    }

    /// What made these claims, if the policy has its salt. Digests with another salt tell nothing.
    fn hasher(&self) -> Option<&ClaimHasher> {
        let hasher = self.decider().bundle().policy().claim_hasher()?;
        (self.decision.text("claims_salt_id") == Some(hasher.salt_id())).then_some(hasher)
    }

    /// A token of this issuer.
    pub(super) fn token(&self, issuer: &str, guesses: &mut Vec<Guess>) -> Result<Supposed, RebuildError> {
        let issuers = self.decider().bundle().policy().issuers();
        let issuer = issuers
            .iter()
            .find(|one| one.name() == issuer)
            .ok_or_else(|| RebuildError::UnknownIssuer(issuer.to_owned()))?;
        let (mut known, mut open) = (Map::new(), Vec::new());
        if !self.is_own() {
            let why = "another bundle decided: its issuer of this name is taken to be the policy's";
            guesses.push(Guess::new("the issuer", issuer.issuer().to_owned(), why));
        }
        self.subject(issuer, &mut known, &mut open, guesses);
        let (logged, hasher) = (self.logged(), self.hasher());
        let has_aud = self.is_own()
            && hasher.is_some()
            && logged.as_ref().is_some_and(|logged| logged.get("aud").is_some());
        for name in self.names().into_iter().chain(has_aud.then_some("aud")) {
            let digest = logged.as_ref().and_then(|logged| logged.get(name));
            match (digest, hasher) {
                (Some(ClaimDigest::One(digest)), Some(hasher)) if self.is_begun(name, digest, hasher) => {
                    let other = json!(self.other(&self.candidates(name)));
                    open.push(self.begun(name, other, HASH_ONLY));
                }
                (Some(digest), Some(hasher)) => {
                    if let Some(value) = self.recover(name, digest, hasher, issuer, guesses) {
                        claim_name::put(&mut known, name, value);
                    }
                }
                (Some(_), None) => open.push(self.open(name, OTHER_SALT)),
                (None, _) => open.push(self.open(name, NOT_LOGGED)),
            }
        }
        Ok(self.fit(issuer, &known, open, guesses))
    }

    /// The claims that rules of both policies read, beside `sub`: first those of the rule that decided.
    fn names(&self) -> Vec<&str> {
        let rules = || self.policies.into_iter().flat_map(|policy| policy.bundle().policy().rules());
        let is_named = |rule: &&Rule| Some(rule.id()) == self.recorded.rule.as_deref();
        let first: BTreeSet<&str> = rules().filter(is_named).flat_map(claims_of).collect();
        let others: BTreeSet<&str> =
            rules().flat_map(claims_of).filter(|name| !first.contains(name)).collect();
        let is_open = |name: &&str| *name != "sub" && !FILLED.contains(name);
        first.into_iter().chain(others).filter(is_open).collect()
    }

    /// The values that rules could tell from others: the constants of their tests, and the segments of the key.
    fn candidates(&self, name: &str) -> Vec<Scalar> {
        let mut all = BTreeSet::new();
        let mut is_in_keys = name == "sub";
        for rule in self.policies.into_iter().flat_map(|policy| policy.bundle().policy().rules()) {
            for test in rule.conditions().iter().filter(|one| one.claim == name).map(|one| &one.test) {
                match test {
                    ClaimTest::Equals(scalar) => all.extend([scalar.clone()]),
                    ClaimTest::Any(scalars) => all.extend(scalars.iter().cloned()),
                    ClaimTest::Has(word) => all.extend([Scalar::String(word.clone())]),
                    ClaimTest::StartsWith(text) => all.extend([Scalar::String(text.clone())]),
                    ClaimTest::Present(_) => {}
                }
            }
            is_in_keys |= rule
                .keys()
                .iter()
                .flat_map(authorizer_core::rules::KeyPattern::claims)
                .any(|one| one == name);
        }
        let key = self.decision.text("key").unwrap_or_default();
        let segments = key.split('/').filter(|segment| is_in_keys && !segment.is_empty());
        let segments = segments.filter(|segment| ObjectKey::new((*segment).to_owned()).is_ok());
        segments.map(|segment| Scalar::String(segment.to_owned())).chain(all).collect()
    }

    /// A text that no rule tells from others, also with more characters after it: it does not begin like a value of a
    /// rule or a segment of the key.
    fn other(&self, candidates: &[Scalar]) -> String {
        let texts: Vec<&str> =
            candidates.iter().filter_map(text_of).filter(|text| !text.is_empty()).collect();
        let is_free = |word: &String| {
            !texts.iter().any(|text| text.starts_with(word.as_str()) || word.starts_with(text))
        };
        let words = ('a'..='z').chain('0'..='9').map(|first| format!("{first}-unknown"));
        let unknown = "unknown".to_owned();
        [unknown.clone()].into_iter().chain(words).find(is_free).unwrap_or(unknown)
    }

    fn open(&self, name: &str, why: &'static str) -> Open {
        let candidates = self.candidates(name);
        let values = candidates.iter().map(|scalar| Some(value_of(scalar))).collect::<Vec<_>>();
        // A value that is in no rule, for `present`.
        let other = [Some(json!(self.other(&candidates)))];
        Open { name: name.to_owned(), values: [None].into_iter().chain(values).chain(other).collect(), why }
    }

    /// The texts that a rule asks this claim to begin with.
    fn beginnings(&self, name: &str) -> BTreeSet<&str> {
        let rules = self.policies.into_iter().flat_map(|policy| policy.bundle().policy().rules());
        let conditions = rules.flat_map(Rule::conditions).filter(|one| one.claim == name);
        conditions
            .filter_map(|one| match &one.test {
                ClaimTest::StartsWith(text) => Some(text.as_str()),
                ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) | ClaimTest::Present(_) => None,
            })
            .collect()
    }

    /// Whether a digest is of a text that is not known, which could begin as a rule asks.
    fn is_begun(&self, name: &str, digest: &str, hasher: &ClaimHasher) -> bool {
        name != "aud"
            && !self.beginnings(name).is_empty()
            && !self.candidates(name).iter().any(|one| hasher.digest(name, one) == digest)
    }

    /// A claim of which only the hash is known: this value, or one that begins as a rule asks.
    fn begun(&self, name: &str, other: Value, why: &'static str) -> Open {
        let begun = self.beginnings(name).into_iter().map(|text| Some(json!(format!("{text}unknown"))));
        Open { name: name.to_owned(), values: [Some(other)].into_iter().chain(begun).collect(), why }
    }

    fn subject(
        &self,
        issuer: &Issuer,
        known: &mut Map<String, Value>,
        open: &mut Vec<Open>,
        guesses: &mut Vec<Guess>,
    ) {
        let logging = self.decider().bundle().policy().subject_logging();
        let logged = self.decision.text("subject");
        let logging = match (self.is_own(), logged) {
            (true, _) => logging,
            // The policy of another bundle may have another `[log]`.
            (false, None) => SubjectLogging::Omitted,
            (false, Some(subject)) if is_digest(subject) => SubjectLogging::Hashed,
            (false, Some(_)) => SubjectLogging::Plain,
        };
        let mut guess = |value: &str, why: &str| {
            guesses.push(Guess::new("the claim `sub`", value.to_owned(), why));
            known.insert("sub".to_owned(), json!(value));
        };
        match (logged, logging) {
            (None, SubjectLogging::Omitted) => open.push(self.open("sub", NOT_LOGGED)),
            // It would be in the log.
            (None, SubjectLogging::Plain | SubjectLogging::Hashed) => {}
            (Some(subject), SubjectLogging::Hashed) => {
                let is_it = |text: &String| digest_of(issuer, text) == subject;
                let candidates = self.candidates("sub");
                let mut texts = candidates.iter().filter_map(text_of).map(str::to_owned);
                match texts.find(is_it) {
                    Some(text) => {
                        known.insert("sub".to_owned(), json!(text));
                    }
                    None => {
                        let other = format!("{}-subject", self.other(&candidates));
                        match self.beginnings("sub").is_empty() {
                            true => guess(&other, SUBJECT_HASH_ONLY),
                            false => open.push(self.begun("sub", json!(other), SUBJECT_HASH_ONLY)),
                        }
                    }
                }
            }
            (Some(subject), SubjectLogging::Plain | SubjectLogging::Omitted) => {
                if !self.is_own() {
                    guess(subject, "another bundle decided: the log is taken to have it plain");
                } else if subject.chars().count() < CUT_SUBJECT {
                    known.insert("sub".to_owned(), json!(subject));
                } else {
                    guess(subject, "the log cuts a long subject");
                }
            }
        }
    }

    /// The value of a claim whose digest is in the line; `None` if the token does not have it.
    fn recover(
        &self,
        name: &str,
        digest: &ClaimDigest,
        hasher: &ClaimHasher,
        issuer: &Issuer,
        guesses: &mut Vec<Guess>,
    ) -> Option<Value> {
        let mut candidates = self.candidates(name);
        if name == "aud" {
            candidates.extend(issuer.audience().iter().cloned().map(Scalar::String));
        }
        let other = self.other(&candidates);
        let find =
            |digest: &str| candidates.iter().find(|one| hasher.digest(name, one) == digest).map(value_of);
        let mut unknown = 0usize;
        let text = |digest: &Option<String>| {
            let found = digest.as_deref().and_then(find).and_then(|value| value.as_str().map(str::to_owned));
            found.unwrap_or_else(|| {
                unknown = unknown.saturating_add(1);
                format!("{other}-{unknown}")
            })
        };
        let value = match digest {
            ClaimDigest::Absent => return None,
            ClaimDigest::One(digest) => find(digest).unwrap_or_else(|| {
                unknown = 1;
                json!(other)
            }),
            ClaimDigest::Words { whole, words } => match find(whole) {
                Some(value) => value,
                None => json!(words.iter().map(text).collect::<Vec<_>>().join(" ")),
            },
            ClaimDigest::Members(members) => json!(members.iter().map(text).collect::<Vec<_>>()),
            ClaimDigest::Other(_) => {
                unknown = 1;
                json!({})
            }
        };
        if unknown > 0 {
            let why = "the log has its hash; what is unknown is in no rule and in no segment of the key";
            guesses.push(Guess::new(format!("the claim `{name}`"), value.to_string(), why));
        }
        Some(value)
    }

    /// The first combination of what is open with which the decision is the recorded one.
    fn fit(
        &self,
        issuer: &Issuer,
        known: &Map<String, Value>,
        open: Vec<Open>,
        guesses: &mut Vec<Guess>,
    ) -> Supposed {
        let with = |chosen: &[usize]| {
            let mut claims = known.clone();
            for (one, place) in open.iter().zip(chosen) {
                if let Some(Some(value)) = one.values.get(*place) {
                    claim_name::put(&mut claims, &one.name, value.clone());
                }
            }
            claims
        };
        let filled = |claims| fill_in(issuer, None, claims, self.now).ok();
        let is_as_recorded = |chosen: &[usize]| {
            filled(with(chosen)).is_some_and(|token| {
                let decided = self.decider().authorize_supposing(&self.event, &token.supposed, self.now);
                self.recorded.is(&decided.record, true) == Some(true)
            })
        };
        let mut chosen = vec![0; open.len()];
        let mut fits = is_as_recorded(&chosen);
        for _ in 1..MOST_TRIES {
            if fits || !next(&mut chosen, &open) {
                break;
            }
            fits = is_as_recorded(&chosen);
        }
        if !fits {
            chosen.fill(0);
        }
        let result = if fits { "; with this the decision is the recorded one" } else { "" };
        for (one, place) in open.iter().zip(&chosen) {
            let value = one.values.get(*place).cloned().flatten().map(|value| value.to_string());
            let why = format!("{}{result}", one.why);
            guesses.push(Guess::new(format!("the claim `{}`", one.name), value, why));
        }
        let claims = with(&chosen);
        match filled(claims.clone()) {
            Some(token) => {
                let names = token.filled.join(", ");
                guesses.push(Guess::new("filled in", names, "every token of the issuer has them"));
                token.supposed
            }
            // The claims do not name another issuer.
            None => Supposed { token_type: None, claims },
        }
    }
}

/// The next combination: the first place counts fastest.
fn next(chosen: &mut [usize], open: &[Open]) -> bool {
    for (place, one) in chosen.iter_mut().zip(open) {
        *place = place.saturating_add(1);
        if *place < one.values.len() {
            return true;
        }
        *place = 0;
    }
    false
}

/// The hash of a subject, as the log has it.
fn digest_of(issuer: &Issuer, subject: &str) -> String {
    sha256_hex(&[issuer.issuer().as_bytes(), b"\n", subject.as_bytes()].concat())
}

/// Whether a logged subject can be a hash. A plain one hardly looks like this.
fn is_digest(subject: &str) -> bool {
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    subject.len() == 64 && subject.bytes().all(is_lower_hex)
}

fn text_of(scalar: &Scalar) -> Option<&str> {
    match scalar {
        Scalar::String(text) => Some(text),
        Scalar::Integer(_) | Scalar::Boolean(_) => None,
    }
}

/// The claims that a rule reads.
fn claims_of(rule: &Rule) -> Vec<&str> {
    rule.parts().into_iter().flat_map(RulePart::claims).collect()
}
