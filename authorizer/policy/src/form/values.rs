//! Values of a file: what they are, what a form asks for, and how they are written.

use toml::de::{DeInteger, DeValue};

use super::{Form, Kind, meant};

/// A text in quotes, as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            c if c.is_control() => written.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// A value as it could be written on one line, if it is short.
pub(super) fn written(value: &DeValue<'_>) -> Option<String> {
    let written = match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
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

/// The same, and a table in braces.
pub(super) fn written_whole(value: &DeValue<'_>) -> Option<String> {
    let DeValue::Table(table) = value else { return written(value) };
    let members: Option<Vec<String>> = table
        .iter()
        .map(|(name, value)| Some(format!("{} = {}", key(name.get_ref()), written_whole(value.get_ref())?)))
        .collect();
    let written = match members?.as_slice() {
        [] => "{}".to_owned(),
        members => format!("{{ {} }}", members.join(", ")),
    };
    (written.len() <= 80).then_some(written)
}

/// Whether a value and all that is in it have the types that a form asks for, under the names that it knows.
pub(super) fn is_right(form: Form, value: &DeValue<'_>) -> bool {
    match (form.shaped(value), value) {
        // An address in the place of a path is told of on its own.
        (Form::Text(Kind::Path), DeValue::String(text)) => meant::is_good(Kind::Path, text),
        (Form::Table(form), DeValue::Table(table)) => table.iter().all(|(name, value)| {
            form.field(name.get_ref()).is_some_and(|field| is_right(field.form, value.get_ref()))
        }),
        (Form::Map(form), DeValue::Table(table)) => {
            table.iter().all(|(_, value)| is_right(*form, value.get_ref()))
        }
        (form, _) => takes(form, value),
    }
}

/// What a value is, in plain words.
pub(super) fn is_a(value: &DeValue<'_>) -> &'static str {
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
pub(super) fn asked(form: Form) -> String {
    match form {
        Form::Text(_) | Form::Word(_) => "one text in quotes".into(),
        Form::Truth => "`true` or `false`, without quotes".into(),
        Form::Whole { is_seconds: true, .. } => "a whole number of seconds, without quotes".into(),
        Form::Whole { .. } => "a whole number, without quotes".into(),
        Form::Scalar => "one text, one whole number, or `true` or `false`".into(),
        Form::Time => "a time such as `\"2027-01-15T08:00:00Z\"`, or seconds since 1970".into(),
        Form::Size { .. } => "a number of bytes, or a text such as `\"10MB\"`".into(),
        Form::Checksums => "`true`, or a list such as `[\"sha256\"]`".into(),
        Form::List(_) => "a list in brackets".into(),
        Form::OneOrMany(_) => "one text in quotes, or a list of them in brackets".into(),
        Form::Table(table) if table.field("equals").is_some() => "a test in braces".into(),
        Form::Table(_) | Form::Shapes(_) | Form::Map(_) | Form::AnyTable => "a table in braces".into(),
        Form::Blocks(_) => "written as blocks, each with a head in double brackets".into(),
        Form::Any => "a value".into(),
    }
}

/// A number that TOML can write in several ways.
pub(super) fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A key as TOML writes it.
pub(super) fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// Whether a value has the type that a form asks for.
pub(super) fn takes(form: Form, value: &DeValue<'_>) -> bool {
    match form {
        Form::Text(_) => value.is_str(),
        Form::Word(words) => value.as_str().is_some_and(|word| (words.all)().contains(&word)),
        Form::Truth => value.is_bool(),
        Form::Whole { .. } => value.is_integer(),
        Form::Scalar => value.is_str() || value.is_integer() || value.is_bool(),
        Form::Time => value.is_str() || value.is_integer() || value.is_datetime(),
        Form::Size { .. } => value.is_integer() || value.as_str().is_some_and(meant::is_size),
        Form::Checksums => value.is_bool() || value.is_array(),
        Form::List(member) => {
            value.as_array().is_some_and(|list| list.iter().all(|value| takes(*member, value.get_ref())))
        }
        Form::OneOrMany(member) => takes(*member, value) || takes(Form::List(member), value),
        Form::Table(_) | Form::Shapes(_) | Form::Map(_) | Form::AnyTable => value.is_table(),
        Form::Blocks(_) => value.is_array(),
        Form::Any => true,
    }
}
