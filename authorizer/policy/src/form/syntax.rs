//! A file that is not TOML: what is wrong, in plain words.
//!
//! What the parser says is only used to know which kind of slip it is; its words are not shown.

use std::ops::Range;

use authorizer_core::policy::Place;

use super::values::{key, quoted};
use super::{MAX_MISTAKES, Mistake};

/// The names that stand in double brackets.
const BLOCKS: [&str; 5] = ["rules", "issuers", "revoked", "accepted", "tests"];

/// The mistakes that keep a text from being TOML, one for each line; and whether the last is something that is not
/// closed.
pub(crate) fn syntax(text: &str, errors: &[toml::de::Error]) -> (Vec<Mistake>, bool) {
    let mut mistakes: Vec<Mistake> = Vec::new();
    let mut last: Option<Range<usize>> = None;
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        if last.as_ref().is_some_and(|line| span.start <= line.end) {
            continue;
        }
        if mistakes.len() >= MAX_MISTAKES {
            break;
        }
        let line = line_around(text, span.start);
        last = Some(line.clone());
        let said = said(text, &span, &line, error.message());
        mistakes.push(Mistake {
            meant: None,
            place: Place::default(),
            span: said.at.unwrap_or(span),
            masked: (said.message.masked.unwrap_or_else(|| said.message.full.clone()), said.remedy_masked),
            message: said.message.full,
            remedy: said.remedy,
        });
        // What follows something that is not closed is not what it seems.
        if said.is_open {
            return (mistakes, true);
        }
    }
    (mistakes, false)
}

/// A head such as `[rules]`, of a block of which there can be several.
pub(super) struct Head {
    /// Its bytes in the text that has double brackets.
    pub(super) mended: Range<usize>,
    pub(super) mistake: Mistake,
}

/// The text with `[[rules]]` for `[rules]`, if a block of which there can be several has single brackets.
pub(super) fn with_double_brackets(text: &str) -> Option<(String, Vec<Head>)> {
    let mut mended = String::with_capacity(text.len());
    let mut heads = Vec::new();
    let mut start = 0_usize;
    for line in text.split_inclusive('\n') {
        let head = line.split('#').next().unwrap_or_default().trim();
        let name = head.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match name.map(str::trim).filter(|name| BLOCKS.contains(name)) {
            Some(name) => {
                let at = start..start.saturating_add(head.len());
                let message = format!("`[{name}]` is one block, and there can be several");
                let remedy = format!("write `[[{name}]]`, with double brackets, above each");
                let place = Place::member(name);
                let masked = (message.clone(), remedy.clone());
                let from = mended.len();
                mended.push_str(&line.replacen(head, &format!("[{head}]"), 1));
                let mended = from..from.saturating_add(head.len()).saturating_add(2);
                heads.push(Head {
                    mended,
                    mistake: Mistake { place, span: at, message, remedy, masked, meant: None },
                });
            }
            None => mended.push_str(line),
        }
        start = start.saturating_add(line.len());
    }
    (!heads.is_empty()).then_some((mended, heads))
}

struct Message {
    full: String,
    masked: Option<String>,
}

struct Said {
    message: Message,
    remedy: String,
    remedy_masked: String,
    at: Option<Range<usize>>,
    is_open: bool,
}

impl Said {
    /// A mistake whose words hold nothing of the file.
    fn plain(message: &str, remedy: &str) -> Self {
        Self {
            message: Message { full: message.into(), masked: None },
            remedy: remedy.into(),
            remedy_masked: remedy.into(),
            at: None,
            is_open: false,
        }
    }

    /// A mistake whose words may hold a value of the file.
    fn quoting(message: String, masked: &str, remedy: String, remedy_masked: &str) -> Self {
        Self {
            message: Message { full: message, masked: Some(masked.into()) },
            remedy,
            remedy_masked: remedy_masked.into(),
            at: None,
            is_open: false,
        }
    }

    fn at(mut self, at: Range<usize>) -> Self {
        self.at = Some(at);
        self
    }

    fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

const LINE: &str = "write `name = value`, with texts in quotes; a block begins with `[name]` or `[[name]]`";

/// The bytes of the line around a byte, without its end.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let length = after.find(['\r', '\n']).unwrap_or(after.len());
    start..before.len().saturating_add(length)
}

fn said(text: &str, span: &Range<usize>, line: &Range<usize>, error: &str) -> Said {
    let shown = text.get(line.clone()).unwrap_or_default();
    let trimmed = shown.trim();
    let is = |beginning: &str| error.starts_with(beginning);
    if text.trim_start().starts_with('{') {
        return Said::plain("the file is not TOML: it looks like JSON", LINE).open();
    }
    if trimmed.starts_with("//") || trimmed.starts_with("/*") || trimmed.starts_with("--") {
        return Said::plain("a comment does not begin like this", "begin a comment with `#`")
            .at(line.clone());
    }
    let quotes = ['“', '”', '„', '‘', '’'];
    let is_typographic = word_around(text, span, line).is_some_and(|(_, word)| word.contains(quotes))
        || text.get(span.clone()).is_some_and(|shown| shown.contains(quotes))
        || (is("invalid basic string") && trimmed.ends_with(quotes));
    if is_typographic && !is("duplicate key") {
        return Said::plain(
            "these quotes are typographic ones, as word processors write them",
            "write straight quotes: `\"` at the beginning and at the end of a text",
        )
        .at(line.clone());
    }
    if is("duplicate key") {
        return duplicate(text, span, line, trimmed);
    }
    if is("invalid unquoted key") || is("unquoted keys cannot be empty") {
        return unquoted_key(text, span, line, shown);
    }
    if is("unclosed array table") || is("unclosed table") || is("missing table open") {
        let double = trimmed.starts_with("[[");
        let (open, close) = if double { ("[[", "]]") } else { ("[", "]") };
        return Said::plain(
            "the head of this block is not closed",
            &format!(
                "a head stands on a line of its own, between `{open}` and `{close}`, such as `[[rules]]`"
            ),
        )
        .at(line.clone());
    }
    if is("unclosed array") {
        return Said::plain("a list is not closed", "write `]` after its last member").open();
    }
    if is("unclosed inline table") {
        return Said::plain("a table in braces is not closed", "write `}` after its last field").open();
    }
    if is("invalid basic string") || is("invalid multi-line basic string") || is("missing escaped value") {
        return text_value(text, span, shown, error);
    }
    if is("invalid literal string") || is("invalid multi-line literal string") {
        return Said::plain(
            "a text in single quotes is not closed",
            "write `'` at its end, on the same line",
        )
        .open();
    }
    if is("missing comma") {
        // The next line begins something else: the list, or the table, ends before it.
        let before = text.get(line.start..span.start).unwrap_or_default();
        if before.trim().is_empty() && (trimmed.contains('=') || trimmed.starts_with('[')) {
            let end = text.get(..line.start).unwrap_or_default().trim_end().len();
            return Said::plain(
                "a list is not closed before this line",
                "write `]` after the last member of the list that begins above",
            )
            .at(end.saturating_sub(1)..end)
            .open();
        }
        return Said::plain("a comma is missing before this", "write a comma between two members");
    }
    if is("extra comma") {
        return Said::plain("there is a comma too many", "remove it");
    }
    if is("missing assignment")
        || is("key with no value")
        || is("invalid key-value pair")
        || is("unexpected content")
    {
        if let Some((name, _)) = trimmed.split_once(':')
            && !name.contains(['=', '"'])
            && !name.is_empty()
        {
            return Said::plain("a field and its value are separated by `=`, not by `:`", LINE)
                .at(line.clone());
        }
        return Said::plain("this line is not a field with a value", LINE).at(line.clone());
    }
    if is("missing value for key") || is("missing value") {
        return Said::plain("the value is missing", "write a value after `=`, or remove the line")
            .at(line.clone());
    }
    if is("extra `=`") || is("unexpected `=`") || is("extra assignment") {
        return Said::plain(
            "there is an `=` too many",
            "write one `=` between a field and its value; within braces, a comma between two fields",
        );
    }
    if is("unexpected key or value") && !trimmed.contains('=') {
        return Said::plain("this line is not a field with a value", LINE).at(line.clone());
    }
    if is("carriage return") || is("invalid comment character") {
        return Said::plain("there is a control character here", "remove it");
    }
    if is("cannot extend value") {
        return Said::plain(
            "this name goes into something that already has a value",
            "write the fields of one table in one place",
        );
    }
    if is("cannot recurse") || is("recursion limit") {
        return Said::plain(
            "tables and lists are nested too deep here",
            "a policy needs at most five levels",
        )
        .open();
    }
    value(text, span, line, shown)
}

/// A name that is there a second time.
fn duplicate(text: &str, span: &Range<usize>, line: &Range<usize>, trimmed: &str) -> Said {
    let name = text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'', ' ']);
    let head = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .filter(|head| !head.starts_with('['));
    match head {
        Some(head) if BLOCKS.contains(&head.trim()) => Said::plain(
            &format!("`[{}]` is there twice", head.trim()),
            &format!("write `[[{}]]`, with double brackets, above each", head.trim()),
        )
        .at(line.clone()),
        Some(_) => Said::plain("this block is there twice", "write all of its fields below one head")
            .at(line.clone()),
        None => Said::quoting(
            format!("`{}` is written twice", name.escape_debug()),
            "a field is written twice",
            "remove one; for several values write a list; for a second block, write its head above it".into(),
            "remove one",
        ),
    }
}

/// A name with characters that need quotes.
fn unquoted_key(text: &str, span: &Range<usize>, line: &Range<usize>, shown: &str) -> Said {
    let (at, name) = word_around(text, span, line).unwrap_or((span.clone(), ""));
    if name.ends_with(':') || shown.trim().is_empty() || name.is_empty() {
        return Said::plain("a field and its value are separated by `=`, not by `:`", LINE).at(line.clone());
    }
    if !shown.contains('=') {
        return Said::plain("this line is not a field with a value", LINE).at(line.clone());
    }
    Said::quoting(
        format!("the name `{}` needs quotes", name.escape_debug()),
        "a name needs quotes",
        format!(
            "write `{}`: only letters, digits, `-` and `_` stand without quotes",
            if name.contains('.') || key(name) == name { quoted(name) } else { key(name) }
        ),
        "write it in quotes: only letters, digits, `-` and `_` stand without quotes",
    )
    .at(at)
}

/// A text that is not closed, or that has an escape that is none.
fn text_value(text: &str, span: &Range<usize>, shown: &str, error: &str) -> Said {
    let is_escape = error.starts_with("missing escaped value") || shown.contains('\\');
    if is_escape && text.get(..span.end).is_some_and(|before| before.contains('\\')) {
        return Said::plain(
            "a backslash has a meaning in a text in double quotes",
            "write two backslashes, or the text in single quotes; a key has `/`, not a backslash",
        );
    }
    if error.starts_with("invalid multi-line") {
        return Said::plain("a text in three quotes is not closed", "write `\"\"\"` at its end").open();
    }
    Said::plain("a text is not closed", "write `\"` at its end, on the same line").open()
}

/// A value that TOML does not know, such as a text without quotes.
fn value(text: &str, span: &Range<usize>, line: &Range<usize>, shown: &str) -> Said {
    let Some((name, written)) = shown.split_once('=') else {
        return Said::plain("this line is not a field with a value", LINE).at(line.clone());
    };
    let (name, written) = (name.trim(), written.split(" #").next().unwrap_or_default().trim());
    let masked = "a value is not written as TOML writes it";
    let advice = "a text stands in quotes; a number, `true` and `false` stand without";
    let simple = !written.is_empty() && !written.contains(['"', '\'', '[', ']', '{', '}', '=', ',']);
    let start = text.get(line.clone()).and_then(|shown| shown.find(written)).unwrap_or(0);
    let start = line.start.saturating_add(start);
    let at = start..start.saturating_add(written.len());
    match written.to_ascii_lowercase().as_str() {
        "yes" | "on" | "no" | "off" => {
            let truth =
                if ["yes", "on"].contains(&written.to_ascii_lowercase().as_str()) { "true" } else { "false" };
            Said::plain("this is neither `true` nor `false`", &format!("write `{name} = {truth}`")).at(at)
        }
        "true" => Said::plain("`true` is written in lower case", &format!("write `{name} = true`")).at(at),
        "false" => Said::plain("`false` is written in lower case", &format!("write `{name} = false`")).at(at),
        "null" | "none" | "nil" => Said::plain("TOML has no empty value", "remove the line").at(at),
        _ if simple => Said::quoting(
            format!("`{}` is not in quotes", written.escape_debug()),
            masked,
            format!("write `{name} = {}`: a text stands in quotes", quoted(written)),
            advice,
        )
        .at(at),
        _ => match word_around(text, span, line) {
            Some((at, word)) if !word.contains(char::is_alphanumeric) => {
                let remedy = match word {
                    _ if word.starts_with("//") => "write a comment after `#`",
                    _ if word.starts_with('(') => "write a list in `[` and `]`",
                    _ => "remove it",
                };
                Said::plain(&format!("`{}` does not belong here", word.escape_debug()), remedy).at(at)
            }
            Some((at, word)) => Said::quoting(
                format!("`{}` is not in quotes", word.escape_debug()),
                masked,
                format!("write `{}`: a text stands in quotes", quoted(word)),
                advice,
            )
            .at(at),
            None => Said::plain(masked, advice).at(line.clone()),
        },
    }
}

/// The word without quotes at this place of a list or a table in braces.
fn word_around<'t>(
    text: &'t str,
    span: &Range<usize>,
    line: &Range<usize>,
) -> Option<(Range<usize>, &'t str)> {
    let stops = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '=' | '[' | ']' | '"' | '\'');
    let before = text.get(line.start..span.start)?;
    let after = text.get(span.start..line.end)?;
    let start = before.char_indices().rev().find(|(_, c)| stops(*c));
    let start =
        start.map_or(line.start, |(at, c)| line.start.saturating_add(at).saturating_add(c.len_utf8()));
    let end = span.start.saturating_add(after.find(stops).unwrap_or(after.len()));
    let word = text.get(start..end)?;
    (!word.is_empty()).then_some((start..end, word))
}
