//! The form of a file: which fields a block has, and what may be their values.
//!
//! [`check`] finds every mistake in the form of a file before the file is read into a document, and says each in words
//! of the file's author. It also mends what it can, so that the rest of the file can be looked at too. A file without
//! such mistakes has the form that the document is read from: the two agree, which the tests prove.

mod around;
mod at;
mod checker;
mod described;
mod instead;
mod meant;
mod of_accepted;
mod of_policy;
mod of_tests;
mod schema;
mod secret;
mod syntax;
mod values;
mod words;

use std::ops::Range;

use authorizer_core::nearest;
use authorizer_core::policy::{Place, Step};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::FileKind;
use meant::Meant;
use values::quoted;

pub(crate) use around::{apart_from, apart_from_keys, with_syntax};
pub(crate) use checker::check;
pub use schema::schema;
pub(crate) use secret::{Named, Secrets, is_log, is_unknown, names_secret, sounds_secret, without_examples};

/// The words as a person lists them: "`a`, `b` and `c`".
pub(crate) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// What may be written at a place.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A text.
    Text(Kind),
    /// One of several words.
    Word(&'static Words),
    /// `true` or `false`.
    Truth,
    /// A whole number from 0.
    Whole {
        /// The greatest.
        most: u64,
        /// Whether it is a number of seconds.
        is_seconds: bool,
    },
    /// A text, a whole number or a truth.
    Scalar,
    /// A number of bytes, or a text such as `25MB`.
    Size {
        /// The least.
        least: u64,
    },
    /// A time: a text, a date of TOML, or seconds since 1970.
    Time,
    /// A truth, or a list of texts.
    Checksums,
    /// A list.
    List(&'static Form),
    /// One, or a list of them.
    OneOrMany(&'static Form),
    /// A table with known fields.
    Table(&'static Table),
    /// A table with one of several shapes, which its fields tell: `[sign_in]`.
    Shapes(&'static [&'static Table]),
    /// Blocks such as `[[rules]]`.
    Blocks(&'static Table),
    /// A table with names that the author chooses.
    Map(&'static Form),
    /// A table of anything.
    AnyTable,
    /// Anything.
    Any,
}

/// What a text is about: for usual slips.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Nothing that is known here.
    Plain,
    /// A key pattern.
    Pattern,
    /// A time.
    Instant,
    /// A media type.
    Media,
    /// The origin of a web page.
    Origin,
    /// The path of a request.
    Path,
}

/// The words that may be written, and what is meant by others.
pub(crate) struct Words {
    all: fn() -> &'static [&'static str],
    meant: fn(&str) -> Option<Meant>,
}

/// A block or table with known fields.
pub(crate) struct Table {
    /// What messages call it.
    what: &'static str,
    /// The field with its name.
    name: Option<&'static str>,
    fields: &'static [Field],
}

/// A field.
pub(crate) struct Field {
    name: &'static str,
    form: Form,
    is_needed: bool,
    /// Whether its value is secret, under whatever name it is written.
    is_secret: bool,
    /// Whether it is not offered to the author.
    is_hidden: bool,
    /// How it is written.
    example: &'static str,
    /// What others call it.
    also: &'static [&'static str],
}

impl FileKind {
    fn table(self) -> &'static Table {
        match self {
            Self::Policy => &of_policy::POLICY,
            Self::Tests => &of_tests::TESTS,
            Self::Accepted => &of_accepted::FINDINGS,
        }
    }
}

/// The most mistakes that are looked for: the file is not one of this kind, or they have one cause.
pub(crate) const MAX_MISTAKES: usize = 1000;

/// A mistake in the form of a file.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    /// The place in the document.
    pub(crate) place: Place,
    /// The bytes in the file.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) remedy: String,
    /// The message and the remedy without any of the author's values: for a place beside a secret.
    pub(crate) masked: (String, String),
    /// The place that the document has what is here, if it is a misspelt field.
    pub(crate) meant: Option<Place>,
}

impl Mistake {
    /// A mistake that only the type knows.
    pub(crate) fn unknown(span: Option<Range<usize>>) -> Self {
        let message = "this is not what belongs here".to_owned();
        let remedy = "compare it with an example".to_owned();
        let masked = (message.clone(), remedy.clone());
        Self { place: Place::default(), span: span.unwrap_or(0..0), message, remedy, masked, meant: None }
    }
}

/// The remedy for a text that has the right form and is still not accepted, if the slip is a usual one.
pub(crate) fn remedy(kind: FileKind, document: &DeTable<'_>, place: &Place) -> Option<String> {
    let mut form = Form::Table(kind.table());
    let mut value: Option<&DeValue<'_>> = None;
    for step in place.steps() {
        let next = match (step, value) {
            (Step::Member(name), None) => document.iter().find(|(key, _)| key.get_ref() == name),
            (Step::Member(name), Some(DeValue::Table(table))) => {
                table.iter().find(|(key, _)| key.get_ref() == name)
            }
            (Step::Element(_) | Step::Member(_), _) => None,
        };
        let element = match (step, value) {
            (Step::Element(index), Some(DeValue::Array(list))) => list.get(*index),
            _ => None,
        };
        let found = next.map(|(_, value)| value).or(element)?.get_ref();
        value = Some(found);
        form = match (step, form) {
            (Step::Member(name), Form::Table(table)) => table.field(name)?.form,
            (Step::Member(_), Form::Map(form)) => *form,
            (Step::Element(_), Form::List(form) | Form::OneOrMany(form)) => *form,
            (Step::Element(_), Form::Blocks(table)) => Form::Table(table),
            _ => return None,
        };
        form = form.shaped(found);
    }
    match (form, value) {
        (Form::Text(Kind::Plain), Some(DeValue::String(text))) if is_an_issuer(place) => {
            let names = issuers(document);
            match nearest(text, names.iter().copied()) {
                Some(name) if name == text => None,
                Some(name) => {
                    Some(format!("did you mean `{name}`? Write the `name` of an `[[issuers]]` block"))
                }
                None if names.is_empty() => None,
                None => Some(format!(
                    "write the `name` of an `[[issuers]]` block: {}",
                    listed(names.into_iter().take(20))
                )),
            }
        }
        // A text that is good as such has another problem.
        (Form::Text(kind), Some(DeValue::String(text))) if meant::is_good(kind, text) => None,
        (Form::Time, Some(DeValue::String(text))) if meant::is_good(Kind::Instant, text) => None,
        (Form::Text(kind), Some(DeValue::String(text))) => {
            let meant = meant::text(kind, text)?;
            Some(format!("write `{}`", quoted(&meant)))
        }
        (Form::Time, Some(DeValue::String(text))) => {
            let meant = meant::text(Kind::Instant, text)?;
            Some(format!("write `{}`", quoted(&meant)))
        }
        _ => None,
    }
}

/// Whether an issuer is named at a place.
fn is_an_issuer(place: &Place) -> bool {
    match place.steps() {
        [Step::Member(list), _, Step::Member(field), ..] => {
            (list == "rules" && field == "issuers") || (list == "revoked" && field == "issuer")
        }
        [Step::Member(table), Step::Member(field)] => table == "sign_in" && field == "issuer",
        [] | [..] => false,
    }
}

/// The names of the issuers of a policy.
fn issuers<'d>(document: &'d DeTable<'_>) -> Vec<&'d str> {
    let blocks = document.get("issuers").and_then(|issuers| issuers.get_ref().as_array());
    let names = blocks.into_iter().flat_map(|blocks| blocks.iter());
    names.filter_map(|issuer| issuer.get_ref().as_table()?.get("name")?.get_ref().as_str()).collect()
}

impl Form {
    /// The form of this value: of several shapes, the one that its fields tell.
    fn shaped(self, value: &DeValue<'_>) -> Self {
        match self {
            Self::Shapes(shapes) => value
                .as_table()
                .and_then(|table| shape_of(shapes, table))
                .or(shapes.first().copied())
                .map_or(self, Self::Table),
            other => other,
        }
    }

    /// The tables that it may have.
    fn tables(self) -> Vec<&'static Table> {
        match self {
            Self::Table(table) | Self::Blocks(table) => vec![table],
            Self::Map(form) => form.tables(),
            Self::Shapes(shapes) => shapes.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// The shape that the fields of a table tell. The first field of a shape is in no other: it decides, and that of a later
/// shape before that of an earlier one. Otherwise the shape with the most fields that are in no other; `None` if there is no
/// such field.
fn shape_of(shapes: &'static [&'static Table], table: &DeTable<'_>) -> Option<&'static Table> {
    let has = |name: &str| table.keys().any(|key| key.get_ref() == name);
    let by_head = shapes.iter().rev().find(|shape| shape.fields.first().is_some_and(|field| has(field.name)));
    if let Some(shape) = by_head {
        return Some(shape);
    }
    let knows = |shape: &Table, name: &str| {
        shape.fields.iter().any(|field| field.name == name || field.also.contains(&name))
    };
    let telling = |shape: &Table| {
        let names = table.keys().map(|key| key.get_ref().as_ref());
        names
            .filter(|name| knows(shape, name) && shapes.iter().filter(|one| knows(one, name)).count() == 1)
            .count()
    };
    let best = shapes.iter().rev().max_by_key(|shape| telling(shape))?;
    (telling(best) > 0).then_some(best)
}

impl Table {
    fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of the fields that an author is told of.
    fn offered(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|field| !field.is_hidden).map(|field| field.name)
    }

    /// The field that was meant by another name.
    fn meant(&self, name: &str) -> Option<&'static Field> {
        let plain = name.to_lowercase().replace('-', "_");
        self.fields
            .iter()
            .find(|field| field.also.contains(&plain.as_str()))
            .or_else(|| self.field(nearest(name, self.offered())?))
    }

    /// The table, at this one or below it, that has a field of this name.
    fn holder(&'static self, name: &str) -> Option<(&'static Self, &'static Field)> {
        if let Some(field) = self.field(name) {
            return Some((self, field));
        }
        self.fields
            .iter()
            .find_map(|field| field.form.tables().into_iter().find_map(|table| table.holder(name)))
    }
}

impl Field {
    /// The value of its example.
    fn value(&self) -> Option<&'static str> {
        self.example.split_once(" = ").map(|(_, value)| value)
    }

    /// Whether its value is secret, or has one in it.
    fn holds_secret(&self) -> bool {
        self.is_secret
            || self.form.tables().into_iter().any(|table| table.fields.iter().any(Self::holds_secret))
    }

    /// The value of its example, read.
    fn read(&self) -> Option<DeValue<'static>> {
        DeValue::parse(self.value()?).ok().map(Spanned::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accepted::{AcceptedFindingDocument, AcceptedFindingsDocument};
    use crate::form::values::takes;
    use crate::form::words::fields_of;
    use authorizer_analysis::testing::document::{
        DefaultsDocument, TestDocument, TestsDocument, UploadFactsDocument,
    };
    use authorizer_core::policy::document::{
        AcceptedDocument, CodeFlowDocument, ConditionDocument, CorsDocument, CredentialsDocument,
        IssuerDocument, JwksDocument, LogDocument, PolicyDocument, QueryDocument, RevokedDocument,
        RuleDocument, SecretDocument, SignInRedirectDocument, UploadDocument,
    };

    #[test]
    fn a_table_has_the_fields_of_its_type() {
        for (table, fields) in [
            (&of_policy::POLICY, fields_of::<PolicyDocument>()),
            (&of_policy::ACCEPTED, fields_of::<AcceptedDocument>()),
            (&of_policy::ISSUER, fields_of::<IssuerDocument>()),
            (&of_policy::JWKS, fields_of::<JwksDocument>()),
            (&of_policy::SECRET, fields_of::<SecretDocument>()),
            (&of_policy::REVOKED, fields_of::<RevokedDocument>()),
            (&of_policy::CREDENTIALS, fields_of::<CredentialsDocument>()),
            (&of_policy::QUERY, fields_of::<QueryDocument>()),
            (&of_policy::LOG, fields_of::<LogDocument>()),
            (&of_policy::CORS, fields_of::<CorsDocument>()),
            (&of_policy::SIGN_IN, fields_of::<SignInRedirectDocument>()),
            (&of_policy::CODE_FLOW, fields_of::<CodeFlowDocument>()),
            (&of_policy::FLOW_SECRET, fields_of::<SecretDocument>()),
            (&of_policy::RULE, fields_of::<RuleDocument>()),
            (&of_policy::UPLOAD, fields_of::<UploadDocument>()),
            (&of_policy::CONDITION, fields_of::<ConditionDocument>()),
            (&of_tests::TESTS, fields_of::<TestsDocument>()),
            (&of_tests::DEFAULTS, fields_of::<DefaultsDocument>()),
            (&of_tests::TEST, fields_of::<TestDocument>()),
            (&of_tests::FACTS, fields_of::<UploadFactsDocument>()),
            (&of_accepted::FINDINGS, fields_of::<AcceptedFindingsDocument>()),
            (&of_accepted::FINDING, fields_of::<AcceptedFindingDocument>()),
        ] {
            let names: Vec<_> = table.fields.iter().map(|field| field.name).collect();
            assert_eq!(names, fields, "{}", table.what);
            for field in table.fields {
                assert!(field.also.iter().all(|name| !names.contains(name)), "{}", field.name);
                if let Some(value) = field.read().filter(|_| field.name != "value") {
                    assert!(takes(field.form, &value), "{}: {}", field.name, field.example);
                }
                if let Form::Word(words) = field.form {
                    assert!(!(words.all)().is_empty(), "{}", field.name);
                }
            }
        }
    }
}
