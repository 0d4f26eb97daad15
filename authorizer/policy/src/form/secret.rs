//! Where the secrets of a file are. What is secret is a fact of the form: it does not depend on the name that the author
//! used for the field or for its table.

use std::ops::Range;

use authorizer_core::nearest;
use toml::de::{DeTable, DeValue};

use super::values::takes;
use super::{Field, Form, Table, of_policy};
use crate::error::FileKind;

/// Texts of this length can be a secret or a salt, and words of a form are shorter.
const LONG: usize = 16;

/// Shorter texts are in words by chance.
const TELLING: usize = 8;

/// The name of a field with a secret, as it has to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Named {
    /// `claims_salt`.
    Salt,
    /// `secret`.
    Secret,
    /// Another name.
    Otherwise,
}

/// The secrets of a file, and what may be one.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    spans: Vec<(Range<usize>, Named)>,
    /// The spans of values; the names of files are not in them.
    values: Vec<Range<usize>>,
    texts: Vec<String>,
}

impl Secrets {
    /// The secrets of a text, of which this is read.
    pub(crate) fn of(kind: FileKind, text: &str, document: &DeTable<'_>) -> Self {
        let mut secrets = Self::default();
        secrets.table(Some(kind.table()), document);
        secrets.comments(text);
        secrets
    }

    /// Whether bytes are of a secret, and under which name it is.
    pub(crate) fn at(&self, span: &Range<usize>) -> Option<Named> {
        let mut at = self.spans.iter().filter(|(secret, _)| overlap(secret, span)).map(|(_, named)| *named);
        let first = at.next()?;
        Some(if first == Named::Otherwise {
            at.find(|named| *named != first).unwrap_or(first)
        } else {
            first
        })
    }

    /// Whether the lines of a span, or the lines around them, have a secret.
    pub(crate) fn is_beside(&self, text: &str, span: &Range<usize>) -> bool {
        let before = text.get(..span.start).unwrap_or_default();
        let after = text.get(span.end..).unwrap_or_default();
        let start = before.rmatch_indices('\n').nth(1).map_or(0, |(at, _)| at);
        let end = after.match_indices('\n').nth(1).map_or(text.len(), |(at, _)| span.end.saturating_add(at));
        self.at(&(start..end)).is_some()
    }

    /// Whether words quote a secret.
    pub(crate) fn is_in(&self, words: &str) -> bool {
        self.texts.iter().any(|text| words.contains(text.as_str()))
    }

    /// The text with `*` for each byte of a secret, so that all places stay where they are.
    pub(crate) fn masked(&self, text: &str) -> String {
        if self.values.is_empty() {
            return text.to_owned();
        }
        let mut secret = vec![false; text.len()];
        for span in &self.values {
            if let Some(bytes) = secret.get_mut(span.clone()) {
                bytes.fill(true);
            }
        }
        let mut masked = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            match secret.get(at) {
                Some(true) if !matches!(c, '\n' | '\r') => {
                    masked.extend(std::iter::repeat_n('*', c.len_utf8()));
                }
                _ => masked.push(c),
            }
        }
        masked
    }

    fn table(&mut self, form: Option<&'static Table>, table: &DeTable<'_>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let exact = form.and_then(|form| form.field(name));
            let field = exact.or_else(|| form?.meant(name));
            let is_secret = match exact {
                Some(field) => field.is_secret,
                None => field.is_some_and(|field| field.is_secret) || sounds_secret(name),
            };
            let span = key.span();
            let of = |form: Option<&'static Table>, other| form.is_some_and(|form| std::ptr::eq(form, other));
            if is_secret {
                let named = match exact.map(|field| field.name) {
                    Some("claims_salt") => Named::Salt,
                    Some("secret") => Named::Secret,
                    Some(_) if of(form, &of_policy::SECRET) => Named::Secret,
                    _ => Named::Otherwise,
                };
                self.mark(exact, named, span, value.get_ref(), value.span());
            } else if of(form, &of_policy::LOG) && field.is_none() {
                self.mark(None, Named::Otherwise, span, value.get_ref(), value.span());
            } else {
                // A table in the place of a text is another field than its name says.
                let is_other = exact.is_none()
                    && value.get_ref().is_table()
                    && field.is_some_and(|field| !takes(field.form, value.get_ref()));
                // Of the many fields of a code flow, one that is no secret can be nearer to a slip than the secret is.
                let is_slip = exact.is_none() && of(form, &of_policy::CODE_FLOW);
                let is_open = form.is_some_and(|form| form.may_hold_secret())
                    && (field.is_none() || is_other || is_slip);
                if is_open || of(form, &of_policy::LOG) {
                    self.long_texts(value.get_ref(), value.span());
                }
                self.value(field.map(|field| field.form), value.get_ref(), value.span());
            }
        }
    }

    fn value(&mut self, form: Option<Form>, value: &DeValue<'_>, span: Range<usize>) {
        let form = form.map(|form| form.shaped(value));
        let inner = match form {
            Some(Form::Table(table) | Form::Blocks(table)) => Some(table),
            // The author chooses these names, and what is in them is no secret.
            Some(Form::AnyTable | Form::Any) => return,
            Some(Form::Map(Form::Table(table))) => {
                for (_, value) in value.as_table().into_iter().flatten() {
                    self.value(Some(Form::Table(table)), value.get_ref(), value.span());
                }
                return;
            }
            Some(Form::Map(_)) => return,
            _ => None,
        };
        match value {
            DeValue::Table(table) => self.table(inner, table),
            DeValue::Array(list) => {
                for value in list.iter() {
                    self.value(form, value.get_ref(), value.span());
                }
            }
            value => {
                if inner.is_some_and(Table::may_hold_secret) {
                    self.long_texts(value, span);
                }
            }
        }
    }

    /// Marks the texts that are long enough for a secret and are not addresses.
    fn long_texts(&mut self, value: &DeValue<'_>, span: Range<usize>) {
        match value {
            DeValue::String(text) if text.len() >= LONG && !text.starts_with("http") => {
                self.mark(None, Named::Otherwise, span.clone(), value, span);
            }
            DeValue::Array(list) => {
                list.iter().for_each(|value| self.long_texts(value.get_ref(), value.span()));
            }
            DeValue::Table(table) => {
                table.iter().for_each(|(_, value)| self.long_texts(value.get_ref(), value.span()));
            }
            _ => {}
        }
    }

    /// Marks a field and all that is in it.
    fn mark(
        &mut self,
        field: Option<&'static Field>,
        named: Named,
        key: Range<usize>,
        value: &DeValue<'_>,
        span: Range<usize>,
    ) {
        let start = key.start.min(span.start);
        // The fields below a head are far from it, and are marked on their own.
        self.spans.push((key.clone(), named));
        if !value.is_table() || start == key.start {
            self.spans.push((start..span.end.max(key.end), named));
        }
        let is_table_of_secret = matches!(field.map(|field| field.form), Some(Form::Table(_)));
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let name: &str = key.get_ref();
                    let inner = of_policy::SECRET.field(name).filter(|_| is_table_of_secret);
                    self.mark(inner, named, key.span(), value.get_ref(), value.span());
                }
            }
            DeValue::Array(list) => {
                for value in list.iter() {
                    self.mark(None, named, value.span(), value.get_ref(), value.span());
                }
            }
            DeValue::String(text) => {
                if field.is_some_and(|field| matches!(field.name, "file" | "encoding")) {
                    return;
                }
                self.values.push(span);
                if text.len() >= TELLING {
                    self.texts.push(text.to_string());
                    let escaped = text.escape_debug().to_string();
                    self.texts.extend((escaped != *text).then_some(escaped));
                }
            }
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                self.values.push(span);
            }
        }
    }

    /// Comments may have a secret that was there before.
    fn comments(&mut self, text: &str) {
        let mut start = 0_usize;
        let mut is_in_secret = false;
        for line in text.split_inclusive('\n') {
            let plain = line.trim_start();
            if plain.starts_with('[') {
                let head = plain.split('#').next().unwrap_or_default();
                let name = head.rsplit('.').next().unwrap_or_default();
                let name =
                    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\''));
                is_in_secret = sounds_secret(name) || is_log(name);
            }
            if let Some(at) = line.find('#') {
                let comment = line.get(at..).unwrap_or_default();
                let is_old = comment.contains(['=', ':']) && mentions_secret(comment);
                if is_old || (is_in_secret && !plain.starts_with('[')) {
                    let span = start.saturating_add(at)..start.saturating_add(line.trim_end().len());
                    self.values.push(span.clone());
                    self.spans.push((span, Named::Otherwise));
                }
            }
            start = start.saturating_add(line.len());
        }
    }
}

/// Words without the examples of fields with secrets, which are the same for every file.
pub(crate) fn without_examples(words: &str) -> String {
    let tables = [
        &of_policy::ISSUER,
        &of_policy::SECRET,
        &of_policy::LOG,
        &of_policy::CODE_FLOW,
        &of_policy::FLOW_SECRET,
    ];
    let fields = tables.into_iter().flat_map(|table| table.fields).filter(|field| field.is_secret);
    fields.fold(words.to_owned(), |words, field| words.replace(field.example, ""))
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    // A span without bytes is at a place.
    let end = |span: &Range<usize>| span.end.max(span.start.saturating_add(1));
    one.start < end(other) && other.start < end(one)
}

/// Whether a text has a word of secrets.
pub(crate) fn mentions_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    ["secret", "salt", "password", "cookie_key", "client_key"].iter().any(|word| text.contains(word))
}

/// Whether a name is one of a secret, or near one.
pub(crate) fn sounds_secret(name: &str) -> bool {
    mentions_secret(name) || nearest(name, ["secret", "claims_salt"]).is_some()
}

/// Whether a line has a word that is the name of a secret, or near one.
pub(crate) fn names_secret(line: &str) -> bool {
    let stops = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
    mentions_secret(line) || line.split(stops).any(sounds_secret)
}

/// Whether a line that cannot be read has a name that no field has, with something long behind it: it may be a secret.
pub(crate) fn is_unknown(line: &str) -> bool {
    let is_known = |name: &str| {
        // A salt is called so, too, and nothing but a secret is called `value`.
        name != "key"
            && name != "value"
            && (of_policy::POLICY.holder(name).is_some() || super::of_tests::TESTS.holder(name).is_some())
    };
    let stops = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(['=', ':']) {
        let name = before.trim_end_matches(stops).rsplit(stops).next().unwrap_or_default();
        let value = after.split('=').next().unwrap_or_default();
        let is_long = value.split_whitespace().any(|word| word.len() >= LONG);
        if !is_known(name) && is_long && !after.starts_with("//") {
            return true;
        }
        rest = after;
    }
    // A line without a name may be the rest of one.
    !line.contains(['=', ':']) && !line.trim_start().starts_with(['[', '#']) && line.trim().len() >= LONG
}

/// Whether a name is `log`, or what others call it.
pub(crate) fn is_log(name: &str) -> bool {
    let log =
        |table: &Table| table.field(name).or_else(|| table.meant(name)).is_some_and(|one| one.name == "log");
    log(&of_policy::POLICY)
}

impl Table {
    /// Whether it, or a table in it, has a secret.
    pub(crate) fn may_hold_secret(&'static self) -> bool {
        [
            &of_policy::POLICY,
            &of_policy::ISSUER,
            &of_policy::JWKS,
            &of_policy::SECRET,
            &of_policy::LOG,
            &of_policy::CODE_FLOW,
            &of_policy::FLOW_SECRET,
        ]
        .iter()
        .any(|table| std::ptr::eq(*table, self))
            || std::ptr::eq(self, &super::of_tests::TESTS)
    }
}
