//! What to write instead of a value of the wrong type.

use std::borrow::Cow;

use authorizer_core::nearest;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::at::At;
use super::meant::{self, Meant};
use super::values::{key, quoted, takes, written};
use super::{Field, Form, Kind};

/// What to write instead of a value of the wrong type.
pub(super) struct Instead {
    pub(super) remedy: String,
    pub(super) value: Option<DeValue<'static>>,
}

/// A value of the wrong type, written as was probably meant.
pub(super) fn instead(
    field: &'static Field,
    form: Form,
    value: &DeValue<'_>,
    at: &At<'_>,
) -> Option<Instead> {
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
        (Form::Text(Kind::Instant), DeValue::Datetime(_)) => {
            let written = written(value)?;
            owned(quoted(&meant::text(Kind::Instant, &written).unwrap_or(written)))
        }
        (
            Form::Text(Kind::Plain),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_),
        ) => owned(quoted(&written(value)?)),
        (Form::Text(_) | Form::Word(_), DeValue::Array(list)) => {
            match list.iter().collect::<Vec<_>>().as_slice() {
                [one] if takes(form, one.get_ref()) => owned(written(one.get_ref())?),
                [first, ..] if field.name == "has" => Some(Instead {
                    remedy: format!(
                        "`has` looks for one member: write `has = {}` here, and one more rule for each other member",
                        written(first.get_ref())?
                    ),
                    value: None,
                }),
                _ => None,
            }
        }
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
            let is_whole =
                fraction.bytes().all(|byte| byte == b'0') && whole.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| owned(whole.to_owned())).flatten()
        }
        (Form::Scalar, DeValue::Array(list)) if field.name == "equals" => {
            let members = written(value)?;
            let first = list
                .iter()
                .next()
                .and_then(|value| written(value.get_ref()))
                .unwrap_or_else(|| "\"a\"".into());
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
        (Form::Size { .. }, DeValue::Float(number)) => {
            let whole = number.as_str().split('.').next()?;
            let is_whole = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| owned(whole.to_owned())).flatten()
        }
        (Form::List(member), DeValue::String(text)) => {
            // Several in one text, as people write scopes.
            let is_words = matches!(member, Form::Word(_)) || field.name == "scopes";
            let separates = |c: char| c == ',' || (is_words && c == ' ');
            let parts: Vec<&str> =
                text.split(separates).map(str::trim).filter(|part| !part.is_empty()).collect();
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
        // This is the secret itself: nothing repeats it, and nothing opens a file of this name.
        (Form::Table(_), DeValue::String(_)) if field.is_secret => Some(Instead {
            remedy: format!("put it into a file, and write `{}`", field.example),
            value: None,
        }),
        (Form::Table(table), DeValue::String(text)) => {
            let holds = |name: &str| table.field(name).is_some();
            let inner = match text {
                text if holds("url") && holds("file") && text.starts_with("http") => {
                    format!("url = {}", quoted(text))
                }
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
        (Form::Table(table), DeValue::Integer(_) | DeValue::Boolean(_))
            if table.field("equals").is_some() =>
        {
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
        (Form::Table(_), DeValue::Array(list))
            if !at.is_element() && list.iter().all(|value| value.get_ref().is_table()) =>
        {
            Some(Instead {
                remedy: format!("write one block, `[{name}]`, with single brackets", name = name?),
                value: None,
            })
        }
        (Form::Map(_), DeValue::String(text)) if field.name == "when" => {
            let word = text
                .rsplit([' ', '=', ':'])
                .next()
                .map(|word| word.trim_matches(['"', '\'']))
                .unwrap_or_default();
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
pub(super) fn of_member(form: Form, text: &str) -> Option<String> {
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
pub(super) fn own(text: &str) -> Option<DeValue<'static>> {
    owned(DeValue::parse(text).ok()?.get_ref())
}

/// A copy of a value. Numbers and dates cannot be copied so; they are not looked at further.
pub(super) fn owned(value: &DeValue<'_>) -> Option<DeValue<'static>> {
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
