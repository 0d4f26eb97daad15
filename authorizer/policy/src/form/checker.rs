//! Finds the mistakes in the form of a file, one table after the other.

use std::borrow::Cow;
use std::ops::Range;

use authorizer_core::nearest;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::at::At;
use super::instead::{Instead, instead};
use super::meant::{self, Meant};
use super::values::{asked, is_a, is_right, key, quoted, whole, written_whole};
use super::{Field, Form, Kind, MAX_MISTAKES, Mistake, Table, Words, listed, of_policy, shape_of};
use crate::error::FileKind;

/// Finds the mistakes in the form of a file. What it can mend it mends; the rest it removes, or replaces by an example.
pub(crate) fn check<'t>(kind: FileKind, text: &'t str, document: &mut Spanned<DeTable<'t>>) -> Vec<Mistake> {
    let mut checker = Checker { text, top: kind.table(), mistakes: Vec::new() };
    let span = document.span();
    checker.table(kind.table(), document.get_mut(), span, &At::Top);
    checker.mistakes
}

struct Checker<'t> {
    text: &'t str,
    top: &'static Table,
    mistakes: Vec<Mistake>,
}

/// Whether a field is named by one of the words of `effect`.
fn is_effect(field: &Field, name: &str) -> bool {
    field.name == "effect" && ["allow", "deny"].contains(&name.to_lowercase().as_str())
}

/// Whether a table is one of several shapes.
fn has_shapes(form: &'static Table) -> bool {
    of_policy::SHAPES.iter().any(|shapes| shapes.iter().any(|one| std::ptr::eq(*one, form)))
}

/// Whether the words of a form are opposites: no example may choose one for the author.
fn decides(form: Form) -> bool {
    matches!(form, Form::Word(words) if (words.all)().contains(&"allow"))
}

/// How a field is written.
fn example_of(field: &Field) -> String {
    match field.form {
        Form::Word(words) if decides(field.form) => {
            format!("the words of `{}` are {}", field.name, listed((words.all)().iter().copied()))
        }
        _ => format!("write for example `{}`", field.example),
    }
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
    /// Whether there are so many mistakes that nobody reads more.
    fn is_full(&self) -> bool {
        self.mistakes.len() >= MAX_MISTAKES
    }

    fn add(
        &mut self,
        at: &At<'_>,
        span: Range<usize>,
        message: String,
        remedy: String,
        masked: (String, String),
    ) {
        if self.is_full() {
            return;
        }
        self.mistakes.push(Mistake { place: at.place(), span, message, remedy, masked, meant: None });
    }

    /// Checks the fields of a table.
    fn table(&mut self, form: &'static Table, table: &mut DeTable<'t>, span: Range<usize>, at: &At<'_>) {
        let mut lost = Vec::new();
        let mut renamed = Vec::new();
        let mut seen = 0_u64;
        for (key, value) in table.iter_mut() {
            if self.is_full() {
                return;
            }
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
                    let named = self.mistakes.len();
                    let meant = self.unknown(form, name, key.span(), value, at);
                    if let Some(field) = meant {
                        if let Some(mistake) = self.mistakes.get_mut(named) {
                            mistake.meant = Some(At::Member(at, field.name).place());
                        }
                        let index = form.fields.iter().position(|one| one.name == field.name);
                        seen |= index.map_or(0, bit);
                        // `deny = true` names the word itself: its value has no further meaning.
                        let before = self.mistakes.len();
                        let is_good = !is_effect(field, name)
                            && self.value(field, field.form, value, &At::Member(at, field.name))
                                == Mended::Good
                            && (!has_shapes(form) || is_right(field.form, value.get_ref()));
                        if has_shapes(form) {
                            self.join(before, field, &At::Member(at, field.name));
                        }
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

    /// Makes one mistake of a name and of the value below it, which is meant to be that of another field.
    fn join(&mut self, before: usize, field: &'static Field, at: &At<'_>) {
        let named_at = self.mistakes.len().saturating_sub(1);
        let [.., named, valued] = self.mistakes.as_mut_slice() else { return };
        if named_at != before || valued.place != at.place() {
            return;
        }
        let mut rest = valued.remedy.chars();
        let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
        named.remedy = format!("did you mean `{}`? {first}{}", field.name, rest.as_str());
        self.mistakes.truncate(before);
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
        let here = format!("the fields of {} are {}", form.what, listed(form.offered()));
        // A name that another shape of the same table has is not a slip.
        if let Some(remedy) = self.of_other_shape(form, name) {
            let message = format!("`{shown}` is not a field of {}", form.what);
            let masked = (message.clone(), remedy.clone());
            self.add(&At::Member(at, name), span, message, remedy, masked);
            return None;
        }
        let remedy = match meant {
            Some(field) if is_effect(field, name) => {
                format!("did you mean `effect`? Write `effect = \"{}\"`", name.to_lowercase())
            }
            Some(field) => {
                let before = self.text.get(..span.start).unwrap_or_default();
                let is_taken = is_right(field.form, value.get_ref());
                let is_path = !is_taken && matches!(field.form, Form::Text(Kind::Path));
                // A secret is not repeated, also not in the table that it is in.
                match Some(value.get_ref()).filter(|_| !field.holds_secret()).and_then(written_whole) {
                    _ if before.ends_with("[[") => format!("did you mean `[[{}]]`?", field.name),
                    _ if before.ends_with('[') && matches!(field.form, Form::Blocks(_)) => {
                        format!("did you mean `[[{}]]`?", field.name)
                    }
                    _ if before.ends_with('[') => format!("did you mean `[{}]`?", field.name),
                    Some(value) if is_taken => {
                        format!("did you mean `{}`? Write `{} = {value}`", field.name, field.name)
                    }
                    _ if is_path => {
                        let meant = value.get_ref().as_str().and_then(|text| meant::text(Kind::Path, text));
                        let written = meant.map(|path| format!("{} = {}", field.name, quoted(&path)));
                        let written = written.unwrap_or_else(|| field.example.to_owned());
                        format!("did you mean `{}`? Write `{written}`", field.name)
                    }
                    // Its value has a mistake of its own.
                    _ if !is_taken => format!("did you mean `{}`?", field.name),
                    _ if decides(field.form) => format!("did you mean `{}`?", field.name),
                    _ => format!("did you mean `{}`? Write `{}`", field.name, field.example),
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
            Some(field) if is_effect(field, name) => remedy.clone(),
            Some(field) if decides(field.form) => format!("did you mean `{}`?", field.name),
            Some(field) => format!("did you mean `{}`? Write `{}`", field.name, field.example),
            None => remedy.clone(),
        };
        let masked = (format!("{masked_name} is not a field of {}", form.what), masked_remedy);
        self.add(&At::Member(at, name), span, message, remedy, masked);
        meant
    }

    /// What to do with a field that another shape of the same table has.
    fn of_other_shape(&self, form: &'static Table, name: &str) -> Option<String> {
        let shapes =
            of_policy::SHAPES.iter().find(|shapes| shapes.iter().any(|one| std::ptr::eq(*one, form)))?;
        let other = shapes.iter().find(|one| !std::ptr::eq(**one, form) && one.field(name).is_some())?;
        let head = form.fields.first()?;
        let other_head = other.fields.first()?;
        Some(match other_head.name == name {
            true => format!("write either `{name}` or `{}`: remove one", head.name),
            false => format!("`{name}` belongs to {}: remove it here", other.what),
        })
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
            false => format!("it belongs in {}: write `{}` there", holder.what, field.example),
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
        if let (Form::Shapes(shapes), DeValue::Table(table)) = (form, value.get_ref())
            && shape_of(shapes, table).is_none()
        {
            return self.shapeless(field, shapes, span, at);
        }
        let form = form.shaped(value.get_ref());
        match (form, value.get_mut()) {
            (Form::Any, _)
            | (Form::Text(_), DeValue::String(_))
            | (Form::Truth, DeValue::Boolean(_))
            | (Form::Scalar, DeValue::String(_) | DeValue::Boolean(_))
            | (Form::Checksums, DeValue::Boolean(_))
            | (Form::Time, DeValue::String(_) | DeValue::Datetime(_))
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
            (Form::Time, DeValue::Integer(number)) => {
                match whole(number).is_some_and(|number| (0..=i128::from(i64::MAX)).contains(&number)) {
                    true => Mended::Good,
                    false => {
                        let message = format!("{} is not a number of seconds since 1970", at.called());
                        self.wrong(field, span, (message.clone(), message), None, at)
                    }
                }
            }
            (Form::Size { least }, DeValue::Integer(number)) => {
                match whole(number).is_some_and(|number| u64::try_from(number).is_ok_and(|one| one >= least))
                {
                    true => Mended::Good,
                    false => {
                        let above = if least == 0 { "" } else { " above 0" };
                        let message = format!("{} is not a number of bytes{above}", at.called());
                        self.wrong(field, span, (message.clone(), message), None, at)
                    }
                }
            }
            (Form::Size { .. }, DeValue::String(text)) => {
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
                    if self.is_full() {
                        break;
                    }
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
                    if self.is_full() {
                        break;
                    }
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

    /// A table of which no field tells what it is.
    fn shapeless(
        &mut self,
        field: &'static Field,
        shapes: &'static [&'static Table],
        span: Range<usize>,
        at: &At<'_>,
    ) -> Mended {
        let heads = || shapes.iter().filter_map(|shape| shape.fields.first());
        let names = listed(heads().map(|head| head.name)).replace(" and ", " or ");
        let message = match field.name {
            "sign_in" => {
                "a `[sign_in]` needs `url` (a sign-in of your own) or `issuer` (the code flow)".to_owned()
            }
            _ => format!("{} does not have {names}", at.called()),
        };
        let examples = heads().map(|head| format!("`{}`", head.example)).collect::<Vec<_>>().join(" or ");
        let remedy = format!("add {examples}; `authorizer help policy` says what belongs to each");
        self.wrong(field, span, (message.clone(), message), Some(remedy), at)
    }

    fn list(&mut self, field: &'static Field, member: Form, list: &mut DeArray<'t>, at: &At<'_>) -> Mended {
        let mut lost = Vec::new();
        for (index, value) in list.iter_mut().enumerate() {
            if self.is_full() {
                break;
            }
            if self.value(field, member, value, &At::Element(at, index)) == Mended::Unusable {
                lost.push(index);
            }
        }
        if lost.is_empty() {
            return Mended::Good;
        }
        // What is lost leaves an example in its place, so that the others keep their places.
        let kept = list
            .iter()
            .enumerate()
            .find(|(index, _)| lost.binary_search(index).is_err())
            .map(|(_, value)| value.clone());
        let is_left = kept.is_some();
        for (index, value) in list.iter_mut().enumerate() {
            if let (true, Some(kept)) = (lost.binary_search(&index).is_ok(), &kept) {
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
        let example = example_of(field);
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
            Some(Meant::Word(word)) => {
                let meant = match at.is_element() {
                    true => format!("write `\"{word}\"`"),
                    false => format!("write `{} = \"{word}\"`", field.name),
                };
                // A long list hides what is meant.
                if all.len() > 6 { meant } else { format!("{meant}; {known}") }
            }
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
            _ => example_of(field),
        };
        let (remedy, mended) = match meant {
            Some(Instead { remedy, value }) => (remedy, value),
            None => (example.clone(), None),
        };
        self.add(at, span, message, remedy, (masked, example_of(field)));
        match mended {
            Some(mended) => {
                *value.get_mut() = mended;
                Mended::Good
            }
            None => Mended::Unusable,
        }
    }
}
