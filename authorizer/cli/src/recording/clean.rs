//! An event without anything secret.
//!
//! What may be secret is found as the console finds it: every value of a header or a parameter that is not known to have
//! no secret, and every text in the form of a token. It is replaced wherever it stands in the event.

use std::collections::BTreeMap;

use authorizer_core::credential::CredentialPlaces;
use aws_lc_rs::error::Unspecified;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use thiserror::Error;

use super::signer::{Signer, Standing, spoil};
use crate::harmless::{is_harmless_header, is_harmless_parameter, token_in};

/// The shortest text that is looked for in the whole event. A shorter one is replaced only where it may be secret.
const SHORTEST: usize = 12;

/// The longest scheme of an `Authorization` header; IANA's list has none of more than 21 letters.
const LONGEST_SCHEME: usize = 24;

/// Why an event has no place in a recording.
#[derive(Debug, Error)]
pub(crate) enum UnreadableEvent {
    /// It is not an event.
    #[error("its event cannot be read")]
    Form,
    /// There are no random bytes.
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
    pub(crate) places: &'c CredentialPlaces,
}

impl Cleaner<'_> {
    /// The event, as one line of JSON.
    ///
    /// # Errors
    /// [`UnreadableEvent`]. Nothing of the event may be written then.
    pub(crate) fn clean(&self, event: &[u8]) -> Result<String, UnreadableEvent> {
        let mut event: Value = serde_json::from_slice(event).map_err(|_| UnreadableEvent::Form)?;
        let request = event
            .pointer_mut("/Records/0/cf/request")
            .and_then(Value::as_object_mut)
            .ok_or(UnreadableEvent::Form)?;
        let mut found = Found { cleaner: self, secrets: BTreeMap::new() };
        if let Some(headers) = request.get_mut("headers").and_then(Value::as_object_mut) {
            found.headers(headers)?;
        }
        if let Some(query) = request.get("querystring").and_then(Value::as_str) {
            let clean = found.query(query)?;
            request.insert("querystring".into(), clean.into());
        }
        // A body that reached the function is the viewer's own.
        request.remove("body");
        found.tokens_in(&Value::Object(request.clone()))?;
        found.replace_all(&mut event);
        Ok(event.to_string())
    }
}

/// The secrets of one event, each with what stands for it.
struct Found<'f> {
    cleaner: &'f Cleaner<'f>,
    secrets: BTreeMap<String, String>,
}

impl Found<'_> {
    /// What stands for a text. The same text is replaced by the same everywhere.
    fn stand_in(&mut self, secret: &str) -> Result<String, Unspecified> {
        if let Some(known) = self.secrets.get(secret) {
            return Ok(known.clone());
        }
        let stands = match token_in(secret) == Some(secret) {
            true => self.cleaner.signer.replace(secret, (self.cleaner.standing)(secret))?,
            false => spoil(secret)?,
        };
        self.secrets.insert(secret.to_owned(), stands.clone());
        Ok(stands)
    }

    fn headers(&mut self, headers: &mut Map<String, Value>) -> Result<(), Unspecified> {
        let places = self.cleaner.places;
        for (name, lines) in headers {
            let is_of_policy = places.header.as_ref().is_some_and(|header| header.name() == name);
            if is_harmless_header(name) && !is_of_policy {
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

    /// The scheme stays.
    fn authorization(&mut self, value: &str) -> Result<String, Unspecified> {
        let is_scheme = |word: &str| {
            word.len() <= LONGEST_SCHEME
                && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
        };
        match value.split_once(' ') {
            Some((scheme, rest)) if is_scheme(scheme) => Ok(format!("{scheme} {}", self.words(rest)?)),
            _ if is_scheme(value) => Ok(value.to_owned()),
            _ => self.words(value),
        }
    }

    /// The names of cookies stay, and so does the name of a user by which Cognito's libraries choose one.
    fn cookies(&mut self, line: &str) -> Result<String, Unspecified> {
        let mut pieces = Pieces::of(line);
        let mut clean = Vec::new();
        for pair in line.split(';') {
            clean.push(match pair.split_once('=') {
                Some((name, _)) if name.ends_with(".LastAuthUser") => pair.to_owned(),
                Some((name, value)) => match pieces.take(name.trim(), |token| self.stand_in(token))? {
                    Some(piece) => format!("{name}={piece}"),
                    None => format!("{name}={}", self.words(value)?),
                },
                None => self.words(pair)?,
            });
        }
        Ok(clean.join(";"))
    }

    fn query(&mut self, query: &str) -> Result<String, Unspecified> {
        let mut clean = Vec::new();
        for pair in query.split('&') {
            clean.push(match pair.split_once('=') {
                Some((name, _))
                    if is_harmless_parameter(name) && self.cleaner.places.query.as_deref() != Some(name) =>
                {
                    pair.to_owned()
                }
                Some((name, value)) => {
                    let plain = percent_decode_str(value).decode_utf8().ok();
                    match plain.as_deref().filter(|plain| token_in(plain) == Some(*plain)) {
                        Some(token) => format!("{name}={}", self.stand_in(token)?),
                        None => format!("{name}={}", self.words(value)?),
                    }
                }
                None => pair.to_owned(),
            });
        }
        Ok(clean.join("&"))
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
            let stands = match word.len() {
                _ if is_plain(word) => word.to_owned(),
                ..SHORTEST => spoil(word)?,
                _ => self.stand_in(word)?,
            };
            clean.push_str(&stands);
            clean.push_str(end);
        }
        Ok(clean)
    }

    /// Notes every text in the form of a token, wherever it is.
    fn tokens_in(&mut self, value: &Value) -> Result<(), Unspecified> {
        match value {
            Value::String(text) => {
                let mut rest = text.as_str();
                while let Some(token) = token_in(rest) {
                    let is_ours = self.secrets.values().any(|stands| stands == token);
                    if !is_ours {
                        self.stand_in(token)?;
                    }
                    rest = rest.split_once(token).map_or("", |(_, after)| after);
                }
                Ok(())
            }
            Value::Array(all) => all.iter().try_for_each(|one| self.tokens_in(one)),
            Value::Object(members) => members.values().try_for_each(|one| self.tokens_in(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// Replaces what is known, the longest first, in every text of the event.
    fn replace_all(&self, value: &mut Value) {
        let mut secrets: Vec<_> =
            self.secrets.iter().filter(|(secret, _)| secret.len() >= SHORTEST).collect();
        secrets.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        walk(value, &|text| {
            let replaced = |text: String, (secret, stands): &(&String, &String)| {
                if text.contains(secret.as_str()) { text.replace(secret.as_str(), stands) } else { text }
            };
            secrets.iter().fold(text.to_owned(), replaced)
        });
    }
}

/// Whether a word is so common that it is no secret: nothing, a truth value or a small number.
fn is_plain(word: &str) -> bool {
    let is_small = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_small || matches!(word, "true" | "false")
}

fn walk(value: &mut Value, clean: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(all) => all.iter_mut().for_each(|one| walk(one, clean)),
        Value::Object(members) => members.values_mut().for_each(|one| walk(one, clean)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Tokens that are split over cookies: `NAME.0`, `NAME.1` and so on.
struct Pieces<'l> {
    /// By the name of the cookie without its number: the pieces, in order.
    tokens: BTreeMap<&'l str, Vec<&'l str>>,
    /// What stands for each piece.
    stand_ins: BTreeMap<String, String>,
}

impl<'l> Pieces<'l> {
    fn of(line: &'l str) -> Self {
        let mut numbered: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
        let mut repeated = Vec::new();
        for (name, value) in line.split(';').filter_map(|pair| pair.trim().split_once('=')) {
            if let Some((stem, number)) = name.rsplit_once('.')
                && let Ok(number) = number.parse::<usize>()
                && numbered.entry(stem).or_default().insert(number, value).is_some()
            {
                // Several tokens in pieces: their pieces are replaced one by one.
                repeated.push(stem);
            }
        }
        numbered.retain(|stem, pieces| {
            !repeated.contains(stem) && pieces.keys().copied().eq(0..pieces.len()) && pieces.len() > 1
        });
        let tokens = numbered.into_iter().map(|(stem, pieces)| (stem, pieces.into_values().collect()));
        Self { tokens: tokens.collect(), stand_ins: BTreeMap::new() }
    }

    /// What stands for a piece, if the pieces are a token together.
    fn take(
        &mut self,
        name: &str,
        stand_in: impl FnOnce(&str) -> Result<String, Unspecified>,
    ) -> Result<Option<String>, Unspecified> {
        let Some((stem, _)) = name.rsplit_once('.') else { return Ok(None) };
        if let Some(pieces) = self.tokens.remove(stem) {
            let token = pieces.concat();
            if token_in(&token) == Some(token.as_str()) {
                let stands = stand_in(&token)?;
                let mut rest = stands.as_str();
                for (number, piece) in pieces.iter().enumerate() {
                    // As long as they were. The last has what is left.
                    let is_last = number.saturating_add(1) == pieces.len();
                    let end = if is_last { rest.len() } else { piece.len().min(rest.len()) };
                    let (own, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                    self.stand_ins.insert(format!("{stem}.{number}"), own.to_owned());
                    rest = after;
                }
            }
        }
        Ok(self.stand_ins.get(name).cloned())
    }
}
