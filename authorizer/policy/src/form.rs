//! The form of a file: which fields a block has, and what may be their values.
//!
//! [`check`] finds every mistake in the form of a file before the file is read into a document, and says each in words
//! of the file's author. It also mends what it can, so that the rest of the file can be looked at too. A file without
//! such mistakes has the form that the document is read from: the two agree, which the tests prove.

mod described;
mod meant;
mod near;
mod of_policy;
mod of_tests;
mod schema;
mod syntax;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use authorizer_core::policy::{Place, PolicyProblem, Step};
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use crate::error::FileKind;
use meant::Meant;
use near::{listed, nearest};
pub use schema::schema;

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
    Size,
    /// A truth, or a list of texts.
    Checksums,
    /// A list.
    List(&'static Form),
    /// One, or a list of them.
    OneOrMany(&'static Form),
    /// A table with known fields.
    Table(&'static Table),
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
        }
    }
}

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
}

impl Mistake {
    /// A mistake that only the type knows.
    pub(crate) fn unknown(span: Option<Range<usize>>) -> Self {
        let message = "this is not what belongs here".to_owned();
        let remedy = "compare it with an example".to_owned();
        let masked = (message.clone(), remedy.clone());
        Self { place: Place::default(), span: span.unwrap_or(0..0), message, remedy, masked }
    }
}

/// The mistakes of a text that is not TOML: those, and the mistakes in the form of the blocks that are.
pub(crate) fn with_syntax<'t>(
    kind: FileKind,
    text: &'t str,
    errors: &[toml::de::Error],
    document: &mut Spanned<DeTable<'t>>,
) -> Vec<Mistake> {
    let (mut mistakes, is_open) = syntax::syntax(text, errors);
    let broken: Vec<Range<usize>> =
        mistakes.iter().map(|mistake| block_around(text, mistake.span.start)).collect();
    let last = broken.iter().map(|block| block.start).max().unwrap_or(0);
    let is_apart = |mistake: &Mistake| {
        let start = mistake.span.start;
        let is_in_broken = broken.iter().any(|block| block.contains(&start));
        let follows = is_open && start >= last;
        !is_in_broken && !follows && !mistake.place.steps().is_empty()
    };
    let others = check(kind, text, document);
    mistakes.extend(others.into_iter().filter(is_apart));
    mistakes
}

/// The bytes from the head of the block that is around a byte to the next head.
fn block_around(text: &str, at: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind("\n[").map_or(0, |head| head.saturating_add(1));
    let end = after.find("\n[").map_or(text.len(), |head| at.saturating_add(head).saturating_add(1));
    start..end
}

/// The problems with values that do not follow from a mistake in the form.
pub(crate) fn apart_from(mistakes: &[Mistake], problems: Vec<PolicyProblem>) -> Vec<PolicyProblem> {
    let is_within = |inner: &Place, outer: &Place| inner.steps().starts_with(outer.steps());
    let first = |place: &Place| match place.steps().first() {
        Some(Step::Member(name)) => Some(name.clone()),
        Some(Step::Element(_)) | None => None,
    };
    // With a mistake at the top or in an issuer's block, nobody knows which issuers there are.
    let knows_issuers = !mistakes.iter().any(|mistake| {
        mistake.place.steps().len() <= 1 || first(&mistake.place).as_deref() == Some("issuers")
    });
    let follows = |problem: &PolicyProblem| {
        let is_about_issuers = match problem.place.steps() {
            [_] | [_, _] => true,
            [_, _, Step::Member(field), ..] => {
                field == "issuers" || field == "issuer" || field == "anonymous"
            }
            [] | [..] => false,
        };
        mistakes.iter().any(|mistake| {
            is_within(&mistake.place, &problem.place) || is_within(&problem.place, &mistake.place)
        }) || (!knows_issuers && is_about_issuers)
    };
    problems.into_iter().filter(|problem| !follows(problem)).collect()
}

/// Finds the mistakes in the form of a file. What it can mend it mends; the rest it removes, or replaces by an example.
pub(crate) fn check<'t>(kind: FileKind, text: &'t str, document: &mut Spanned<DeTable<'t>>) -> Vec<Mistake> {
    let mut checker = Checker { text, top: kind.table(), mistakes: Vec::new() };
    let span = document.span();
    checker.table(kind.table(), document.get_mut(), span, &At::Top);
    checker.mistakes
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
        value = Some(next.map(|(_, value)| value).or(element)?.get_ref());
        form = match (step, form) {
            (Step::Member(name), Form::Table(table)) => table.field(name)?.form,
            (Step::Member(_), Form::Map(form)) => *form,
            (Step::Element(_), Form::List(form) | Form::OneOrMany(form)) => *form,
            (Step::Element(_), Form::Blocks(table)) => Form::Table(table),
            _ => return None,
        };
    }
    match (form, value) {
        (Form::Text(kind), Some(DeValue::String(text))) => {
            let meant = meant::text(kind, text)?;
            Some(format!("write `{}`", quoted(&meant)))
        }
        _ => None,
    }
}

/// A place on the way into a document.
enum At<'a> {
    Top,
    Member(&'a At<'a>, &'a str),
    Element(&'a At<'a>, usize),
}

impl At<'_> {
    fn place(&self) -> Place {
        match self {
            Self::Top => Place::default(),
            Self::Member(Self::Top, name) => Place::member(name),
            Self::Member(around, name) => around.place().then(name),
            Self::Element(around, index) => around.place().at(*index),
        }
    }

    /// What a message calls it: its name, or that of the list that it is in.
    fn called(&self) -> String {
        match self {
            Self::Top => "the file".into(),
            Self::Member(_, name) => format!("`{}`", name.escape_debug()),
            Self::Element(around, _) => format!("each member of {}", around.called()),
        }
    }

    fn is_element(&self) -> bool {
        matches!(self, Self::Element(..))
    }
}

impl Table {
    fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field that was meant by another name.
    fn meant(&self, name: &str) -> Option<&'static Field> {
        let plain = name.to_lowercase().replace('-', "_");
        self.fields
            .iter()
            .find(|field| field.also.contains(&plain.as_str()))
            .or_else(|| self.field(nearest(name, self.fields.iter().map(|field| field.name))?))
    }

    /// The table, at this one or below it, that has a field of this name.
    fn holder(&'static self, name: &str) -> Option<(&'static Self, &'static Field)> {
        if let Some(field) = self.field(name) {
            return Some((self, field));
        }
        self.fields.iter().find_map(|field| match field.form {
            Form::Table(table) | Form::Blocks(table) => table.holder(name),
            Form::Map(Form::Table(table)) => Self::holder(table, name),
            _ => None,
        })
    }
}

impl Field {
    /// The value of its example.
    fn value(&self) -> Option<&'static str> {
        self.example.split_once(" = ").map(|(_, value)| value)
    }

    /// The value of its example, read.
    fn read(&self) -> Option<DeValue<'static>> {
        DeValue::parse(self.value()?).ok().map(Spanned::into_inner)
    }
}

/// A text in quotes, as TOML writes it.
fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c.is_control() => written.extend(c.escape_unicode()),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// A value as it could be written on one line, if it is short.
fn written(value: &DeValue<'_>) -> Option<String> {
    let written = match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(list) => {
            let members: Option<Vec<String>> = list.iter().map(|value| written(value.get_ref())).collect();
            format!("[{}]", members?.join(", "))
        }
        DeValue::Table(_) => return None,
    };
    (written.len() <= 80).then_some(written)
}

/// What a value is, in plain words.
fn is_a(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What a form asks for, in plain words.
fn asked(form: Form) -> String {
    match form {
        Form::Text(_) | Form::Word(_) => "one text in quotes".into(),
        Form::Truth => "`true` or `false`, without quotes".into(),
        Form::Whole { is_seconds: true, .. } => "a whole number of seconds, without quotes".into(),
        Form::Whole { .. } => "a whole number, without quotes".into(),
        Form::Scalar => "one text, one whole number, or `true` or `false`".into(),
        Form::Size => "a number of bytes, or a text such as `\"10MB\"`".into(),
        Form::Checksums => "`true`, or a list such as `[\"sha256\"]`".into(),
        Form::List(_) => "a list in brackets".into(),
        Form::OneOrMany(_) => "one text in quotes, or a list of them in brackets".into(),
        Form::Table(_) | Form::Map(_) | Form::AnyTable => "a table in braces".into(),
        Form::Blocks(_) => "written as blocks, each with a head in double brackets".into(),
        Form::Any => "a value".into(),
    }
}

struct Checker<'t> {
    text: &'t str,
    top: &'static Table,
    mistakes: Vec<Mistake>,
}

/// What becomes of a value.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mended {
    /// It is as the form asks.
    Good,
    /// It cannot be used.
    Unusable,
}

impl<'t> Checker<'t> {
    fn add(
        &mut self,
        at: &At<'_>,
        span: Range<usize>,
        message: String,
        remedy: String,
        masked: (String, String),
    ) {
        self.mistakes.push(Mistake { place: at.place(), span, message, remedy, masked });
    }

    /// Checks the fields of a table.
    fn table(&mut self, form: &'static Table, table: &mut DeTable<'t>, span: Range<usize>, at: &At<'_>) {
        let mut lost = Vec::new();
        let mut renamed = Vec::new();
        let mut seen = 0_u64;
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            let index = form.fields.iter().position(|field| field.name == name);
            let bit = |index: usize| 1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
            match index.and_then(|index| Some((index, form.fields.get(index)?))) {
                Some((index, field)) => {
                    seen |= bit(index);
                    if self.value(field, field.form, value, &At::Member(at, name)) == Mended::Unusable {
                        lost.push((name.to_owned(), Some(field)));
                    }
                }
                None => {
                    let meant = self.unknown(form, name, key.span(), value, at);
                    if let Some(field) = meant {
                        let index = form.fields.iter().position(|one| one.name == field.name);
                        seen |= index.map_or(0, bit);
                        let is_good =
                            self.value(field, field.form, value, &At::Member(at, name)) == Mended::Good;
                        if is_good {
                            renamed.push((name.to_owned(), field));
                        }
                    }
                    lost.push((name.to_owned(), None));
                }
            }
        }
        self.missing(form, table, seen, &span, at);
        // Most tables have no mistakes.
        if lost.is_empty() && self.mistakes.is_empty() {
            return;
        }
        for (name, field) in renamed {
            if !table.contains_key(field.name)
                && let Some(value) = table.get(name.as_str())
            {
                let value = value.clone();
                table.insert(Spanned::new(value.span(), Cow::Borrowed(field.name)), value);
            }
        }
        for (name, _) in &lost {
            table.remove(name.as_str());
        }
        for field in form.fields.iter().filter(|field| field.is_needed) {
            if !table.contains_key(field.name)
                && let Some(value) = field.read()
            {
                table.insert(
                    Spanned::new(span.clone(), Cow::Borrowed(field.name)),
                    Spanned::new(span.clone(), value),
                );
            }
        }
    }

    /// The needed fields that are not there.
    fn missing(
        &mut self,
        form: &'static Table,
        table: &DeTable<'t>,
        seen: u64,
        span: &Range<usize>,
        at: &At<'_>,
    ) {
        for (index, field) in form.fields.iter().enumerate().filter(|(_, field)| field.is_needed) {
            let bit = 1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
            if seen & bit != 0 {
                continue;
            }
            let name = form.name.and_then(|name| table.get(name)).and_then(|name| name.get_ref().as_str());
            let message = match name {
                Some(name) => {
                    format!("{} does not have `{}`: `{}`", form.what, field.name, name.escape_debug())
                }
                None => format!("{} does not have `{}`", form.what, field.name),
            };
            let remedy = match at {
                At::Top => format!("add `{}` as the first line", field.example),
                At::Member(..) | At::Element(..) => match field.form {
                    Form::Word(words) => {
                        format!(
                            "add `{}`; the words are {}",
                            field.example,
                            listed((words.all)().iter().copied())
                        )
                    }
                    _ => format!("add a line such as `{}`", field.example),
                },
            };
            let masked = (format!("{} does not have `{}`", form.what, field.name), remedy.clone());
            // Of a file without any block the span is the whole text.
            let span = if matches!(at, At::Top) { 0..0 } else { span.clone() };
            self.add(at, span, message, remedy, masked);
        }
    }

    /// A field that is not known. Returns the field that was meant.
    fn unknown(
        &mut self,
        form: &'static Table,
        name: &str,
        span: Range<usize>,
        value: &Spanned<DeValue<'t>>,
        at: &At<'_>,
    ) -> Option<&'static Field> {
        let shown = name.escape_debug().to_string();
        let meant = form.meant(name);
        let here =
            format!("the fields of {} are {}", form.what, listed(form.fields.iter().map(|field| field.name)));
        let remedy = match meant {
            Some(field) => {
                let value = written(value.get_ref()).filter(|_| takes(field.form, value.get_ref()));
                match value {
                    Some(value) => format!("did you mean `{}`? Write `{} = {value}`", field.name, field.name),
                    None => format!("did you mean `{}`? Write `{}`", field.name, field.example),
                }
            }
            None => match self.elsewhere(form, name, value.get_ref()) {
                Some(remedy) => remedy,
                None => here,
            },
        };
        let message = format!("`{shown}` is not a field of {}", form.what);
        let masked_name = if name.len() <= 24 { format!("`{shown}`") } else { "this".into() };
        let masked_remedy = match meant {
            Some(field) => format!("did you mean `{}`? Write `{}`", field.name, field.example),
            None => remedy.clone(),
        };
        let masked = (format!("{masked_name} is not a field of {}", form.what), masked_remedy);
        self.add(&At::Member(at, name), span, message, remedy, masked);
        meant
    }

    /// Where a field belongs that is not one of this table.
    fn elsewhere(&self, form: &'static Table, name: &str, value: &DeValue<'_>) -> Option<String> {
        if form.what == of_policy::CONDITION.what && matches!(value, DeValue::Table(_)) {
            return Some(
                "a claim's name with dots is written in quotes, `\"a.b\" = { ... }`, and a claim within a claim as a \
                 path, `\"/a/b\" = { ... }`"
                    .into(),
            );
        }
        let (holder, field) = form.holder(name).or_else(|| self.top.holder(name))?;
        Some(match std::ptr::eq(holder, self.top) {
            true if field.example.starts_with('[') => {
                format!("it belongs to the top of the file, as a block of its own: `{}`", field.example)
            }
            true => "it belongs to the top of the file, above the first line that begins with `[`".into(),
            false => format!("it belongs into {}: write `{}` there", holder.what, field.example),
        })
    }

    /// Checks one value.
    fn value(
        &mut self,
        field: &'static Field,
        form: Form,
        value: &mut Spanned<DeValue<'t>>,
        at: &At<'_>,
    ) -> Mended {
        let span = value.span();
        match (form, value.get_mut()) {
            (Form::Any, _)
            | (Form::Text(_), DeValue::String(_))
            | (Form::Truth, DeValue::Boolean(_))
            | (Form::Scalar, DeValue::String(_) | DeValue::Boolean(_))
            | (Form::Checksums, DeValue::Boolean(_))
            | (Form::AnyTable, DeValue::Table(_)) => Mended::Good,
            (Form::Word(words), DeValue::String(word)) => {
                if (words.all)().contains(&word.as_ref()) {
                    return Mended::Good;
                }
                self.word(field, words, word, span, at)
            }
            (Form::Whole { most, .. }, DeValue::Integer(number)) => {
                match whole(number)
                    .is_some_and(|number| u64::try_from(number).is_ok_and(|number| number <= most))
                {
                    true => Mended::Good,
                    false => {
                        let message =
                            format!("{} is too large, or negative: {}", at.called(), number.as_str());
                        let masked = format!("{} is too large, or negative", at.called());
                        self.wrong(field, span, (message, masked), None, at)
                    }
                }
            }
            (Form::Scalar, DeValue::Integer(number)) => {
                match whole(number).and_then(|number| i64::try_from(number).ok()) {
                    Some(_) => Mended::Good,
                    None => {
                        let message = format!("{} is too large: {}", at.called(), number.as_str());
                        let masked = format!("{} is too large", at.called());
                        let remedy = "claims are compared with whole numbers of at most 64 bits; a longer one is a text in quotes";
                        self.wrong(field, span, (message, masked), Some(remedy.into()), at)
                    }
                }
            }
            (Form::Size, DeValue::Integer(number)) => {
                match whole(number).is_some_and(|number| number > 0 && u64::try_from(number).is_ok()) {
                    true => Mended::Good,
                    false => {
                        let message = format!("{} is not a number of bytes above 0", at.called());
                        self.wrong(field, span, (message.clone(), message), None, at)
                    }
                }
            }
            (Form::Size, DeValue::String(text)) => {
                if meant::is_size(text) {
                    return Mended::Good;
                }
                let message = format!("`{}` is not a size", text.escape_debug());
                let meant = meant::size(text);
                let remedy = match &meant {
                    Some(meant) if meant.bytes().all(|byte| byte.is_ascii_digit()) => {
                        format!("write `{} = {meant}`", field.name)
                    }
                    Some(meant) => format!(
                        "write `{} = \"{meant}\"`; units are `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`",
                        field.name
                    ),
                    None => format!(
                        "write `{}`, or a number of bytes; units are `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`",
                        field.example
                    ),
                };
                self.wrong(field, span, (message, "this is not a size".into()), Some(remedy), at)
            }
            (Form::List(member), DeValue::Array(list)) => self.list(field, *member, list, at),
            (Form::Checksums, DeValue::Array(list)) => self.list(field, Form::Text(Kind::Plain), list, at),
            (Form::OneOrMany(member), DeValue::Array(list)) => self.list(field, *member, list, at),
            (Form::OneOrMany(member), DeValue::String(_)) => self.value(field, *member, value, at),
            (Form::Table(form), DeValue::Table(table)) => {
                self.table(form, table, span, at);
                Mended::Good
            }
            (Form::Map(member), DeValue::Table(table)) => {
                let mut lost = Vec::new();
                for (key, value) in table.iter_mut() {
                    let name: &str = key.get_ref();
                    if self.value(field, *member, value, &At::Member(at, name)) == Mended::Unusable {
                        lost.push(name.to_owned());
                    }
                }
                for name in lost {
                    table.remove(name.as_str());
                }
                Mended::Good
            }
            (Form::Blocks(form), DeValue::Array(list)) => {
                let mut lost = false;
                for (index, value) in list.iter_mut().enumerate() {
                    let span = value.span();
                    let at = At::Element(at, index);
                    match value.get_mut() {
                        DeValue::Table(table) => self.table(form, table, span, &at),
                        _ => {
                            let message = format!("a member of `{}` is not a table", field.name);
                            self.wrong(field, span, (message.clone(), message), None, &at);
                            lost = true;
                        }
                    }
                }
                if lost { Mended::Unusable } else { Mended::Good }
            }
            (Form::Blocks(form), DeValue::Table(table)) => {
                let head = format!("[{}]", field.name);
                let is_head = self.text.get(span.clone()).is_some_and(|text| text.starts_with('['));
                let (message, remedy) = match is_head {
                    true => (
                        format!("`{head}` is one block, and there can be several"),
                        format!("write `[{head}]`, with double brackets, above each"),
                    ),
                    false => (
                        format!("`{}` is one table, and there can be several", field.name),
                        format!("write `[{head}]` on a line of its own, and the fields below it"),
                    ),
                };
                self.add(at, span.clone(), message.clone(), remedy.clone(), (message, remedy));
                self.table(form, table, span.clone(), &At::Element(at, 0));
                let one = std::mem::take(table);
                let mut list = DeArray::new();
                list.push(Spanned::new(span, DeValue::Table(one)));
                *value.get_mut() = DeValue::Array(list);
                Mended::Good
            }
            (form, _) => self.mistyped(field, form, value, span, at),
        }
    }

    fn list(&mut self, field: &'static Field, member: Form, list: &mut DeArray<'t>, at: &At<'_>) -> Mended {
        let mut lost = Vec::new();
        for (index, value) in list.iter_mut().enumerate() {
            if self.value(field, member, value, &At::Element(at, index)) == Mended::Unusable {
                lost.push(index);
            }
        }
        if lost.is_empty() {
            return Mended::Good;
        }
        // What is lost leaves an example in its place, so that the others keep their places.
        let kept =
            list.iter().enumerate().find(|(index, _)| !lost.contains(index)).map(|(_, value)| value.clone());
        let is_left = kept.is_some();
        for (index, value) in list.iter_mut().enumerate() {
            if let (true, Some(kept)) = (lost.contains(&index), &kept) {
                value.clone_from(kept);
            }
        }
        // An empty list would be a mistake that nobody made.
        if is_left { Mended::Good } else { Mended::Unusable }
    }

    /// A mistake at a value that is left out of what is looked at further.
    fn wrong(
        &mut self,
        field: &'static Field,
        span: Range<usize>,
        (message, masked): (String, String),
        remedy: Option<String>,
        at: &At<'_>,
    ) -> Mended {
        let example = format!("write for example `{}`", field.example);
        self.add(at, span, message, remedy.unwrap_or_else(|| example.clone()), (masked, example));
        Mended::Unusable
    }

    /// A word that is not known.
    fn word(
        &mut self,
        field: &'static Field,
        words: &'static Words,
        word: &str,
        span: Range<usize>,
        at: &At<'_>,
    ) -> Mended {
        let all = (words.all)();
        let known = format!("the words of `{}` are {}", field.name, listed(all.iter().copied()));
        let remedy = match (words.meant)(word).or_else(|| nearest(word, all.iter().copied()).map(Meant::Word))
        {
            Some(Meant::Word(word)) if at.is_element() => format!("write `\"{word}\"`; {known}"),
            Some(Meant::Word(word)) => format!("write `{} = \"{word}\"`; {known}", field.name),
            Some(Meant::Advice(advice)) => advice.into(),
            None => known.clone(),
        };
        let message = format!("`{}` is not a word of `{}`", word.escape_debug(), field.name);
        self.add(at, span, message, remedy, (format!("this is not a word of `{}`", field.name), known));
        Mended::Unusable
    }

    /// A value of another type than the form asks for.
    fn mistyped(
        &mut self,
        field: &'static Field,
        form: Form,
        value: &mut Spanned<DeValue<'t>>,
        span: Range<usize>,
        at: &At<'_>,
    ) -> Mended {
        let masked = format!("{} must be {}", at.called(), asked(form));
        let message = match (form, value.get_ref()) {
            (Form::Scalar, DeValue::Array(_)) if field.name == "equals" => {
                "`equals` takes one value, and this is a list".to_owned()
            }
            (_, value) => format!("{masked}, and this is {}", is_a(value)),
        };
        let meant = instead(field, form, value.get_ref(), at);
        let example = match (at, field.form) {
            // The example is of the whole field, not of a member.
            (At::Member(_, name), Form::Map(Form::Table(_))) if *name != field.name => {
                format!("write for example `{} = {{ equals = \"admin\" }}`", key(name))
            }
            (At::Member(_, name), Form::Map(_)) if *name != field.name => {
                format!("write for example `{} = \"a text\"`", key(name))
            }
            _ => format!("write for example `{}`", field.example),
        };
        let (remedy, mended) = match meant {
            Some(Instead { remedy, value }) => (remedy, value),
            None => (example.clone(), None),
        };
        let masked_remedy = format!("write for example `{}`", field.example);
        self.add(at, span, message, remedy, (masked, masked_remedy));
        match mended {
            Some(mended) => {
                *value.get_mut() = mended;
                Mended::Good
            }
            None => Mended::Unusable,
        }
    }
}

/// A number that TOML can write in several ways.
fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A key as TOML writes it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// Whether a value has the type that a form asks for.
fn takes(form: Form, value: &DeValue<'_>) -> bool {
    match form {
        Form::Text(_) => value.is_str(),
        Form::Word(words) => value.as_str().is_some_and(|word| (words.all)().contains(&word)),
        Form::Truth => value.is_bool(),
        Form::Whole { .. } => value.is_integer(),
        Form::Scalar => value.is_str() || value.is_integer() || value.is_bool(),
        Form::Size => value.is_integer() || value.as_str().is_some_and(meant::is_size),
        Form::Checksums => value.is_bool() || value.is_array(),
        Form::List(member) => {
            value.as_array().is_some_and(|list| list.iter().all(|value| takes(*member, value.get_ref())))
        }
        Form::OneOrMany(member) => takes(*member, value) || takes(Form::List(member), value),
        Form::Table(_) | Form::Map(_) | Form::AnyTable => value.is_table(),
        Form::Blocks(_) => value.is_array(),
        Form::Any => true,
    }
}

/// What to write instead of a value of the wrong type.
struct Instead {
    remedy: String,
    value: Option<DeValue<'static>>,
}

/// A value of the wrong type, written as was probably meant.
fn instead(field: &'static Field, form: Form, value: &DeValue<'_>, at: &At<'_>) -> Option<Instead> {
    let name = match at {
        At::Member(_, name) => Some(key(name)),
        At::Top | At::Element(..) => None,
    };
    let assigned = |text: &str| match &name {
        Some(name) => format!("write `{name} = {text}`"),
        None => format!("write `{text}`"),
    };
    let owned = |text: String| {
        let remedy = assigned(&text);
        let value = own(&text);
        Some(Instead { remedy, value })
    };
    match (form, value) {
        (Form::Text(_), DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_)) => {
            owned(quoted(&written(value)?))
        }
        (Form::Text(_) | Form::Word(_), DeValue::Array(list)) => match list.iter().collect::<Vec<_>>().as_slice() {
            [one] if takes(form, one.get_ref()) => owned(written(one.get_ref())?),
            _ if field.name == "has" => Some(Instead {
                remedy: "`has` looks for one member: write `has = \"a\"`, or a rule for each; for several values of one \
                         text use `any = [...]`"
                    .into(),
                value: None,
            }),
            _ => None,
        },
        (Form::Truth, DeValue::String(text)) => {
            let truth = match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" | "y" => "true",
                "false" | "no" | "off" | "0" | "n" | "" => "false",
                _ => return None,
            };
            owned(truth.into())
        }
        (Form::Truth, DeValue::Integer(number)) => match number.as_str() {
            "1" => owned("true".into()),
            "0" => owned("false".into()),
            _ => None,
        },
        (Form::Whole { is_seconds, most }, DeValue::String(text)) => {
            let number = match is_seconds {
                true => meant::seconds(text)?,
                false => text.trim().replace('_', "").parse().ok()?,
            };
            (number <= most).then(|| owned(number.to_string())).flatten()
        }
        (Form::Whole { .. }, DeValue::Float(number)) => {
            let (whole, fraction) = number.as_str().split_once('.')?;
            let is_whole = fraction.bytes().all(|byte| byte == b'0') && whole.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| owned(whole.to_owned())).flatten()
        }
        (Form::Scalar, DeValue::Array(list)) if field.name == "equals" => {
            let members = written(value)?;
            let first = list.iter().next().and_then(|value| written(value.get_ref())).unwrap_or_else(|| "\"a\"".into());
            Some(Instead {
                remedy: format!(
                    "for one of several values write `any = {members}`; if the claim is a list, write `has = {first}`"
                ),
                value: None,
            })
        }
        (Form::Scalar, DeValue::Float(_)) => Some(Instead {
            remedy: "claims are compared with texts, whole numbers, `true` and `false`".into(),
            value: None,
        }),
        (Form::Scalar, DeValue::Datetime(_)) => owned(quoted(&written(value)?)),
        (Form::Size, DeValue::Float(number)) => {
            let whole = number.as_str().split('.').next()?;
            let is_whole = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| owned(whole.to_owned())).flatten()
        }
        (Form::List(member), DeValue::String(text)) => {
            // Several in one text, as people write scopes.
            let parts: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
            let parts = if parts.len() > 1 && !text.contains('/') { parts } else { vec![text.as_ref()] };
            let parts: Option<Vec<String>> = parts.into_iter().map(|part| of_member(*member, part)).collect();
            match parts {
                Some(parts) if !parts.is_empty() => owned(format!("[{}]", parts.join(", "))),
                _ => None,
            }
        }
        (Form::List(member), DeValue::Integer(_) | DeValue::Boolean(_)) if takes(*member, value) => {
            owned(format!("[{}]", written(value)?))
        }
        (Form::Checksums, DeValue::String(text)) => match text.as_ref() {
            "true" | "false" => owned(text.to_string()),
            _ => owned(format!("[{}]", quoted(text))),
        },
        (Form::Table(table), DeValue::String(text)) => {
            let holds = |name: &str| table.field(name).is_some();
            let inner = match text {
                text if holds("url") && holds("file") && text.starts_with("http") => format!("url = {}", quoted(text)),
                text if holds("file") => format!("file = {}", quoted(text)),
                text if holds("equals") => {
                    let name = name?;
                    if holds(&name) {
                        return Some(Instead {
                            remedy: format!(
                                "name the claim that is tested: `when = {{ role = {{ {name} = {} }} }}`",
                                quoted(text)
                            ),
                            value: None,
                        });
                    }
                    return Some(Instead {
                        remedy: format!(
                            "write `{name} = {{ equals = {text} }}`, or `{name} = {{ has = {text} }}` if the claim is a \
                             list or a text of several words",
                            text = quoted(text)
                        ),
                        value: None,
                    });
                }
                _ => return None,
            };
            owned(format!("{{ {inner} }}"))
        }
        (Form::Table(table), DeValue::Integer(_) | DeValue::Boolean(_)) if table.field("equals").is_some() => {
            owned(format!("{{ equals = {} }}", written(value)?))
        }
        (Form::Table(table), DeValue::Array(_)) if table.field("equals").is_some() => {
            let name = name?;
            let members = written(value)?;
            Some(Instead {
                remedy: format!(
                    "write `{name} = {{ any = {members} }}` for one of these values; if the claim is a list, write \
                     `{name} = {{ has = \"...\" }}` with the one that it must contain"
                ),
                value: None,
            })
        }
        (Form::Table(_), DeValue::Array(_)) if !at.is_element() => {
            Some(Instead {
                remedy: format!("write one block, `[{name}]`, with single brackets", name = name?),
                value: None,
            })
        }
        (Form::Map(_), DeValue::String(text)) if field.name == "when" => {
            let word = text.rsplit([' ', '=', ':']).next().map(|word| word.trim_matches(['"', '\''])).unwrap_or_default();
            let word = if word.is_empty() { "admin" } else { word };
            Some(Instead {
                remedy: format!(
                    "name the claim and a test of it, such as `when = {{ role = {{ equals = {word} }} }}` or `when = \
                     {{ groups = {{ has = {word} }} }}`",
                    word = quoted(word)
                ),
                value: None,
            })
        }
        _ => None,
    }
}

/// A text as the member of a list, as it was probably meant.
fn of_member(form: Form, text: &str) -> Option<String> {
    match form {
        Form::Word(words) => {
            let all = (words.all)();
            if all.contains(&text) {
                return Some(quoted(text));
            }
            match (words.meant)(text).or_else(|| nearest(text, all.iter().copied()).map(Meant::Word)) {
                Some(Meant::Word(word)) => Some(quoted(word)),
                Some(Meant::Advice(_)) | None => None,
            }
        }
        Form::Text(kind) => Some(quoted(&meant::text(kind, text).unwrap_or_else(|| text.to_owned()))),
        _ => Some(quoted(text)),
    }
}

/// Reads a value that outlives its text.
fn own(text: &str) -> Option<DeValue<'static>> {
    owned(DeValue::parse(text).ok()?.get_ref())
}

/// A copy of a value. Numbers and dates cannot be copied so; they are not looked at further.
fn owned(value: &DeValue<'_>) -> Option<DeValue<'static>> {
    Some(match value {
        DeValue::String(text) => DeValue::String(Cow::Owned(text.to_string())),
        DeValue::Boolean(truth) => DeValue::Boolean(*truth),
        DeValue::Array(list) => {
            let mut copy = DeArray::new();
            for value in list.iter() {
                copy.push(Spanned::new(value.span(), owned(value.get_ref())?));
            }
            DeValue::Array(copy)
        }
        DeValue::Table(table) => {
            let mut copy = DeTable::new();
            for (key, value) in table {
                let name = Spanned::new(key.span(), Cow::Owned(key.get_ref().to_string()));
                copy.insert(name, Spanned::new(value.span(), owned(value.get_ref())?));
            }
            DeValue::Table(copy)
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::words::fields_of;
    use authorizer_analysis::testing::document::{
        DefaultsDocument, TestDocument, TestsDocument, UploadFactsDocument,
    };
    use authorizer_core::policy::document::{
        AcceptedDocument, ConditionDocument, CorsDocument, CredentialsDocument, IssuerDocument, JwksDocument,
        LogDocument, PolicyDocument, QueryDocument, RevokedDocument, RuleDocument, SecretDocument,
        SignInDocument, UploadDocument,
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
            (&of_policy::SIGN_IN, fields_of::<SignInDocument>()),
            (&of_policy::RULE, fields_of::<RuleDocument>()),
            (&of_policy::UPLOAD, fields_of::<UploadDocument>()),
            (&of_policy::CONDITION, fields_of::<ConditionDocument>()),
            (&of_tests::TESTS, fields_of::<TestsDocument>()),
            (&of_tests::DEFAULTS, fields_of::<DefaultsDocument>()),
            (&of_tests::TEST, fields_of::<TestDocument>()),
            (&of_tests::FACTS, fields_of::<UploadFactsDocument>()),
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
