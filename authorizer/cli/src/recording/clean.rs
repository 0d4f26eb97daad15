//! An event without anything secret.
//!
//! What may be secret is found as the console finds it: every value of a header or a parameter that is not known to have
//! no secret, and every text in the form of a token. Tokens are replaced wherever they stand in the event, other texts
//! only where they may be secret: a header must not change what the key of the object is.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::policy::Policy;
use aws_lc_rs::error::Unspecified;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use thiserror::Error;

use super::signer::{Signer, Standing, spoil};
use crate::harmless::{is_harmless_header, is_harmless_parameter, is_plain_token, is_token, runs, unescaped};

/// The shortest text that is looked for in the whole event. A shorter one is replaced only where it may be secret.
const SHORTEST: usize = 12;

/// The longest name of a parameter or a cookie that stays, unless the policy has it: a secret may stand where a name
/// does. AWS's secret access keys have 40 letters.
const LONGEST_NAME: usize = 32;

/// How the cookies of AWS's Cognito libraries begin.
const COGNITO: &str = "CognitoIdentityServiceProvider.";

/// How the cookie begins by which the function knows who comes from the page to sign in.
const SIGN_IN: &str = "authorizer-sign-in-";

/// Headers for people, in which a secret of another header is replaced too. What others have decides.
const FREE_TEXTS: [&str; 2] = ["user-agent", "via"];

/// What is not escaped in a URL (RFC 3986 section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The schemes of `Authorization`, as IANA lists them, and those of AWS: not a word that may be a secret.
const SCHEMES: [&str; 14] = [
    "aws",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "digest",
    "dpop",
    "gnap",
    "hoba",
    "mutual",
    "negotiate",
    "oauth",
    "scram-sha-1",
    "scram-sha-256",
    "vapid",
];

/// Why an event has no place in a recording.
#[derive(Debug, Error)]
pub(crate) enum UnreadableEvent {
    /// It is not an event.
    #[error("its event cannot be read")]
    Form,
    /// Nobody can say what its token is.
    #[error("the keys of its token are not here, so that nothing can stand for it")]
    KeysUnavailable,
    /// The operating system did not give random bytes.
    #[error("the operating system did not give random bytes")]
    Random,
}

impl From<Unspecified> for UnreadableEvent {
    fn from(_: Unspecified) -> Self {
        Self::Random
    }
}

/// Replaces what may be secret in one event.
pub(crate) struct Cleaner<'c> {
    pub(crate) signer: &'c Signer,
    /// What a token is to the policy.
    pub(crate) standing: &'c dyn Fn(&str) -> Standing,
    /// Whether the function took the token of the request for genuine. It may have fetched keys that are not here.
    pub(crate) was_believed: bool,
    pub(crate) policy: &'c Policy,
}

/// An event, as one line of JSON.
pub(crate) struct Clean {
    pub(crate) event: String,
    /// Whether its path is as it was.
    pub(crate) has_same_path: bool,
}

impl Cleaner<'_> {
    /// The event without what may be secret.
    ///
    /// # Errors
    /// [`UnreadableEvent`]. Nothing of the event may be written then.
    pub(crate) fn clean(&self, event: &[u8]) -> Result<Clean, UnreadableEvent> {
        let mut event: Value = serde_json::from_slice(event).map_err(|_| UnreadableEvent::Form)?;
        let request = event
            .pointer_mut("/Records/0/cf/request")
            .and_then(Value::as_object_mut)
            .ok_or(UnreadableEvent::Form)?;
        // A body that reached the function is the viewer's own.
        request.remove("body");
        let mut tokens = BTreeSet::new();
        gather(&Value::Object(request.clone()), &mut tokens);
        let pieces = Pieces::of(&cookie_lines(request));
        tokens.retain(|token| !pieces.has(token));
        tokens.extend(pieces.tokens.values().map(|pieces| pieces.concat()));
        let is_only = tokens.len() == 1;
        let mut found = Found {
            cleaner: self,
            is_only,
            has_unknown: false,
            tokens: BTreeMap::new(),
            words: BTreeMap::new(),
            pieces,
        };
        let uri = request.get("uri").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(headers) = request.get_mut("headers").and_then(Value::as_object_mut) {
            found.headers(headers)?;
        }
        if let Some(query) = request.get("querystring").and_then(Value::as_str) {
            let clean = found.query(query)?;
            request.insert("querystring".into(), clean.into());
        }
        if let Some(headers) = request.get_mut("headers").and_then(Value::as_object_mut) {
            found.free_texts(headers);
        }
        found.everywhere(&mut event)?;
        if found.has_unknown {
            return Err(UnreadableEvent::KeysUnavailable);
        }
        let has_same_path =
            event.pointer("/Records/0/cf/request/uri").and_then(Value::as_str) == Some(uri.as_str());
        Ok(Clean { event: event.to_string(), has_same_path })
    }
}

/// The tokens of a value that are not escaped.
fn gather(value: &Value, tokens: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let plain = unescaped(text);
            let text = plain.as_deref().unwrap_or(text);
            tokens.extend(runs(text).filter(|run| is_plain_token(run)).map(str::to_owned));
        }
        Value::Array(all) => all.iter().for_each(|one| gather(one, tokens)),
        Value::Object(members) => members.values().for_each(|one| gather(one, tokens)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The values of all `Cookie` lines.
fn cookie_lines(request: &Map<String, Value>) -> Vec<String> {
    let lines = request.get("headers").and_then(|headers| headers.get("cookie")).and_then(Value::as_array);
    let values = lines.into_iter().flatten().filter_map(|line| line.get("value").and_then(Value::as_str));
    values.map(str::to_owned).collect()
}

/// What was found in one event, each with what stands for it.
struct Found<'f> {
    cleaner: &'f Cleaner<'f>,
    /// Whether the event has one token only.
    is_only: bool,
    /// Whether it has a token of which nobody can say whether it is signed.
    has_unknown: bool,
    tokens: BTreeMap<String, String>,
    words: BTreeMap<String, String>,
    pieces: Pieces,
}

impl Found<'_> {
    /// What stands for a token.
    fn token(&mut self, token: &str) -> Result<String, Unspecified> {
        if let Some(known) = self.tokens.get(token) {
            return Ok(known.clone());
        }
        let standing = match self.is_only && self.cleaner.was_believed {
            true => Standing::Signed,
            false => (self.cleaner.standing)(token),
        };
        self.has_unknown |= standing == Standing::Unknown;
        let stands = self.cleaner.signer.replace(token, standing)?;
        self.tokens.insert(token.to_owned(), stands.clone());
        Ok(stands)
    }

    /// What stands for a word that may be secret. The same word is replaced by the same everywhere.
    fn word(&mut self, word: &str) -> Result<String, Unspecified> {
        if is_token(word) {
            return self.without_tokens(word, Rest::Spoilt);
        }
        if word.len() < SHORTEST {
            return spoil(word);
        }
        if let Some(known) = self.words.get(word) {
            return Ok(known.clone());
        }
        let stands = spoil(word)?;
        self.words.insert(word.to_owned(), stands.clone());
        Ok(stands)
    }

    /// A text with other tokens in the place of its own, escaped as they were.
    fn without_tokens(&mut self, text: &str, rest: Rest) -> Result<String, Unspecified> {
        let other = |run: &str| match rest {
            Rest::Kept => Ok(run.to_owned()),
            Rest::Spoilt => spoil(run),
        };
        let mut clean = String::with_capacity(text.len());
        for run in runs(text) {
            match unescaped(run) {
                _ if !is_token(run) => clean.push_str(&other(run)?),
                None => clean.push_str(&self.token(run)?),
                Some(plain) => {
                    let mut without = String::with_capacity(plain.len());
                    for run in runs(&plain) {
                        match is_plain_token(run) {
                            true => without.push_str(&self.token(run)?),
                            false => without.push_str(&other(run)?),
                        }
                    }
                    clean.extend(utf8_percent_encode(&without, ESCAPED));
                }
            }
        }
        Ok(clean)
    }

    fn headers(&mut self, headers: &mut Map<String, Value>) -> Result<(), Unspecified> {
        let named = self.cleaner.policy.credentials().header.as_ref();
        for (name, lines) in headers.iter_mut() {
            if is_harmless_header(name) && named.is_none_or(|header| header.name() != name) {
                continue;
            }
            for line in lines.as_array_mut().into_iter().flatten() {
                let Some(Value::String(value)) = line.get_mut("value") else { continue };
                *value = match name.as_str() {
                    "authorization" => self.authorization(value)?,
                    "cookie" => self.cookies(value)?,
                    _ => self.words(value)?,
                };
            }
        }
        Ok(())
    }

    /// Headers for people, after everything else.
    fn free_texts(&self, headers: &mut Map<String, Value>) {
        for name in FREE_TEXTS {
            for line in headers.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(Value::String(value)) = line.get_mut("value") {
                    *value = self.without_words(value);
                }
            }
        }
    }

    /// The scheme stays.
    fn authorization(&mut self, value: &str) -> Result<String, Unspecified> {
        let (scheme, rest) = value.split_at(value.find(' ').unwrap_or(value.len()));
        match SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
            true => Ok(format!("{scheme}{}", self.words(rest)?)),
            false => self.words(value),
        }
    }

    /// The names of cookies stay, and so does the name of a user by which Cognito's libraries choose one.
    fn cookies(&mut self, line: &str) -> Result<String, Unspecified> {
        let mut clean = Vec::new();
        for pair in line.split(';') {
            clean.push(match pair.split_once('=') {
                Some((name, value)) if self.stays(name.trim(), value) => match name.trim() {
                    name if name.starts_with(COGNITO) && name.ends_with(".LastAuthUser") => pair.to_owned(),
                    trimmed => match self.piece(trimmed)? {
                        Some(piece) => format!("{name}={piece}"),
                        None => format!("{name}={}", self.words(value)?),
                    },
                },
                Some(_) | None => self.words(pair)?,
            });
        }
        Ok(clean.join(";"))
    }

    /// Whether what stands where the name of a cookie does is one.
    fn stays(&self, name: &str, value: &str) -> bool {
        let cookie = self.cleaner.policy.credentials().cookie.as_ref();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let is_of_policy = cookie.is_some_and(|cookie| cookie.is_of(name) || cookie.is_of(stem));
        // Base64 ends with `=`.
        let is_short = is_name(name) && !value.trim_matches('=').is_empty();
        let is_ours = name.strip_prefix("__Host-").unwrap_or(name).starts_with(SIGN_IN);
        is_of_policy || is_short || is_ours || name.starts_with(COGNITO)
    }

    /// What stands for a piece of a token that is split over cookies.
    fn piece(&mut self, name: &str) -> Result<Option<String>, Unspecified> {
        let Some(stem) = self.pieces.stem_of(name) else { return Ok(None) };
        if let Some(pieces) = self.pieces.tokens.remove(&stem) {
            let stands = self.token(&pieces.concat())?;
            self.pieces.split(&stem, &pieces, &stands);
        }
        Ok(self.pieces.stand_ins.get(name).cloned())
    }

    fn query(&mut self, query: &str) -> Result<String, Unspecified> {
        let named = self.cleaner.policy.credentials().query.clone();
        let mut clean = Vec::new();
        for pair in query.split('&') {
            let (name, value) =
                pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
            let is_named = named.as_deref() == Some(name);
            let is_known = is_harmless_parameter(name) || self.is_ignored(name);
            clean.push(match value {
                None if is_known || is_named => pair.to_owned(),
                Some(_) if is_harmless_parameter(name) && !is_named => {
                    self.without_tokens(pair, Rest::Kept)?
                }
                Some(value) if is_known || is_named => format!("{name}={}", self.words(value)?),
                Some(value) if is_name(name) && !value.trim_matches('=').is_empty() => {
                    format!("{name}={}", self.words(value)?)
                }
                Some(_) | None => self.words(pair)?,
            });
        }
        Ok(clean.join("&"))
    }

    /// Whether the policy names this parameter, as one to drop.
    fn is_ignored(&self, name: &str) -> bool {
        self.cleaner.policy.ignored_parameters().iter().any(|ignored| ignored == name)
    }

    /// A text in which every word may be secret.
    fn words(&mut self, text: &str) -> Result<String, Unspecified> {
        let is_between = |letter: char| matches!(letter, ' ' | '\t' | ';' | ',' | '=' | '"');
        let mut clean = String::with_capacity(text.len());
        for word in text.split_inclusive(is_between) {
            let (word, end) = match word.char_indices().next_back() {
                Some((last, letter)) if is_between(letter) => {
                    word.split_at_checked(last).unwrap_or((word, ""))
                }
                _ => (word, ""),
            };
            clean.push_str(&if is_plain(word) { word.to_owned() } else { self.word(word)? });
            clean.push_str(end);
        }
        Ok(clean)
    }

    /// A text without the words that were replaced elsewhere, the longest first.
    fn without_words(&self, text: &str) -> String {
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        words.iter().fold(text.to_owned(), |text, (word, stands)| text.replace(word.as_str(), stands))
    }

    /// Replaces tokens in every text of the event.
    fn everywhere(&mut self, value: &mut Value) -> Result<(), Unspecified> {
        match value {
            Value::String(text) => {
                let is_done = |found: &Self, run: &str| {
                    found.tokens.values().any(|stands| stands == run) || found.pieces.is_stand_in(run)
                };
                if runs(text).any(|run| is_token(run) && !is_done(self, run)) {
                    let mut clean = String::with_capacity(text.len());
                    for run in runs(text) {
                        match is_token(run) && !is_done(self, run) {
                            true => clean.push_str(&self.without_tokens(run, Rest::Kept)?),
                            false => clean.push_str(run),
                        }
                    }
                    *text = clean;
                }
                Ok(())
            }
            Value::Array(all) => all.iter_mut().try_for_each(|one| self.everywhere(one)),
            Value::Object(members) => members.values_mut().try_for_each(|one| self.everywhere(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

/// What becomes of a text beside its tokens.
#[derive(Clone, Copy)]
enum Rest {
    Kept,
    /// It may be secret too.
    Spoilt,
}

/// Whether a text can only be the name of a parameter or a cookie.
fn is_name(text: &str) -> bool {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'[' | b']' | b'%');
    text.len() <= LONGEST_NAME && text.bytes().all(is_of_name)
}

/// Whether a word is too common to be a secret: an empty one, `true`, `false` or a small number.
fn is_plain(word: &str) -> bool {
    let is_small = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_small || matches!(word, "true" | "false")
}

/// Tokens that are split over cookies: `NAME.0`, `NAME.1` and so on, on one line or on several.
struct Pieces {
    /// By the name of the cookie without its number: the pieces, in order.
    tokens: BTreeMap<String, Vec<String>>,
    /// The cookies that are pieces, with the names that they are pieces of.
    stems: BTreeMap<String, String>,
    /// What stands for each piece.
    stand_ins: BTreeMap<String, String>,
}

impl Pieces {
    fn of(lines: &[String]) -> Self {
        let mut numbered: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
        let mut repeated = BTreeSet::new();
        let pairs = lines.iter().flat_map(|line| line.split(';'));
        for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
            if let Some((stem, number)) = name.rsplit_once('.')
                && let Ok(number) = number.parse::<usize>()
                && numbered.entry(stem).or_default().insert(number, value).is_some()
            {
                // Several tokens in pieces: each piece is a word.
                repeated.insert(stem);
            }
        }
        let mut made = Self { tokens: BTreeMap::new(), stems: BTreeMap::new(), stand_ins: BTreeMap::new() };
        for (stem, pieces) in numbered {
            let is_whole = !repeated.contains(stem) && pieces.keys().copied().eq(0..pieces.len());
            let all: Vec<String> = pieces.values().map(|piece| (*piece).to_owned()).collect();
            if is_whole && is_plain_token(&all.concat()) {
                let names = pieces.keys().map(|number| (format!("{stem}.{number}"), stem.to_owned()));
                made.stems.extend(names);
                made.tokens.insert(stem.to_owned(), all);
            }
        }
        made
    }

    /// Whether this is a piece of a token, or a part of one.
    fn has(&self, run: &str) -> bool {
        self.tokens.values().flatten().any(|piece| piece.contains(run))
    }

    fn stem_of(&self, name: &str) -> Option<String> {
        self.stems.get(name).cloned()
    }

    /// Splits what stands for a token as the token was.
    fn split(&mut self, stem: &str, pieces: &[String], stands: &str) {
        let mut rest = stands;
        for (number, piece) in pieces.iter().enumerate() {
            // The last has what is left.
            let is_last = number.saturating_add(1) == pieces.len();
            let end = if is_last { rest.len() } else { piece.len().min(rest.len()) };
            let (own, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            self.stand_ins.insert(format!("{stem}.{number}"), own.to_owned());
            rest = after;
        }
    }

    fn is_stand_in(&self, run: &str) -> bool {
        self.stand_ins.values().any(|piece| piece.contains(run))
    }
}
