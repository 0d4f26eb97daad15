//! JSON in random spellings, with its meaning. Nothing here is read back.

use proptest::prelude::*;
use proptest::sample::select;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Json {
    /// `null`, `true` or `false`.
    Word(&'static str),
    Number(String),
    Text(Text),
    Array(Vec<Json>),
    Object(Vec<(Text, Json)>),
    /// Text that is not JSON (RFC 8259), or that is nested deeper or has a larger number than is read here.
    Unreadable(String),
}

/// A string, and its spelling between the quotation marks.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) value: String,
    written: String,
}

impl Text {
    pub(super) fn plain(value: &str) -> Self {
        Self { value: value.into(), written: value.into() }
    }

    /// The same string in another spelling.
    pub(super) fn spell(&mut self, spellings: &[u8]) {
        self.written.clear();
        for (character, spelling) in self.value.chars().zip(spellings.iter().cycle()) {
            write_character(character, *spelling, &mut self.written);
        }
    }
}

impl Json {
    pub(super) fn text(value: &str) -> Self {
        Self::Text(Text::plain(value))
    }

    pub(super) fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.value),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.parse().unwrap()),
            _ => None,
        }
    }

    pub(super) fn write(&self, space: &str, out: &mut String) {
        match self {
            Self::Word(word) => out.push_str(word),
            Self::Number(text) | Self::Unreadable(text) => out.push_str(text),
            Self::Text(text) => write_text(text, out),
            Self::Array(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    out.push_str(if index == 0 { space } else { "," });
                    value.write(space, out);
                }
                out.push_str(space);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    out.push_str(space);
                    write_text(name, out);
                    out.push_str(space);
                    out.push(':');
                    out.push_str(space);
                    value.write(space, out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(text: &Text, out: &mut String) {
    out.push('"');
    out.push_str(&text.written);
    out.push('"');
}

/// Any string: each character as it is or escaped, by its short escape or by its number (RFC 8259 section 7).
fn text() -> impl Strategy<Value = Text> {
    let character = prop_oneof![
        8 => proptest::char::range(' ', '~'),
        1 => select(vec!['\0', '\u{1}', '\n', '\t', '\u{7f}', '"', '\\', '/', '\u{feff}', '\u{2028}', '\u{fffd}']),
        1 => any::<char>(),
    ];
    (prop::collection::vec(character, 0..8), spellings()).prop_map(|(characters, spellings)| {
        let mut text = Text::plain(&String::from_iter(characters));
        text.spell(&spellings);
        text
    })
}

/// How to write the characters of a string, over and over.
pub(super) fn spellings() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..6u8, 1..8)
}

fn write_character(character: char, spelling: u8, out: &mut String) {
    let by_number = |upper: bool| {
        character.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| {
            text + &if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") }
        })
    };
    match (character, spelling) {
        (_, 0) => out.push_str(&by_number(true)),
        ('\n', 1) => out.push_str("\\n"),
        ('\t', 1) => out.push_str("\\t"),
        ('/', 1) => out.push_str("\\/"),
        ('"' | '\\', 1..) => {
            out.push('\\');
            out.push(character);
        }
        ('\0'..='\u{1f}', _) => out.push_str(&by_number(false)),
        _ => out.push(character),
    }
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i64>().prop_map(Json::number),
        any::<u64>().prop_map(Json::number),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|n| Json::Number(format!("{n:e}"))),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?".prop_map(Json::Number),
        select(vec!["0", "-0", "-0.0", "0e9999", "1E400", "7", "7.0", "70e-1", "9007199254740993"]).prop_map(
            |text| if text == "1E400" { Json::Unreadable(text.into()) } else { Json::number(text) }
        ),
    ]
}

fn unreadable() -> impl Strategy<Value = Json> {
    let texts = [
        "NaN",
        "-Infinity",
        "01",
        "-01",
        "+1",
        ".5",
        "1.",
        "1e",
        "-",
        "0x10",
        "1_000",
        "undefined",
        "True",
        "nul",
        "'a'",
        "\"\\x41\"",
        "\"\\u00g0\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\n\"",
        "\"\0\"",
        "[1,]",
        "[,1]",
        "[1",
        "[1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1",
        "{\"a\" 1}",
        "/**/1",
        "1 2",
        ",",
        "-1e999",
    ];
    prop_oneof![
        8 => select(texts.to_vec()).prop_map(|text| Json::Unreadable(text.into())),
        1 => (150..4000usize).prop_map(|depth| Json::Unreadable("[".repeat(depth) + &"]".repeat(depth))),
        1 => (150..1000usize).prop_map(|depth| {
            Json::Unreadable("{\"\":".repeat(depth) + "0" + &"}".repeat(depth))
        }),
    ]
}

/// Any value; sometimes one that cannot be read, or an object with a member twice.
pub(super) fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        20 => select(vec!["null", "true", "false"]).prop_map(Json::Word),
        30 => number(),
        30 => text().prop_map(Json::Text),
        1 => unreadable(),
    ];
    leaf.prop_recursive(6, 32, 5, |inner| {
        let name = prop_oneof![1 => select(vec!["a", "iss", "sub"]).prop_map(Text::plain), 3 => text()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::vec((name, inner.clone()), 0..5).prop_map(Json::Object),
            (inner, 1..60usize)
                .prop_map(|(value, depth)| (0..depth).fold(value, |value, _| Json::Array(vec![value]))),
        ]
    })
}
