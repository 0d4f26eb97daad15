//! Text in Markdown that means nothing to Markdown, in a paragraph, a list or the cell of a table.

use crate::review::text::seen;

/// Text as text.
pub(super) fn prose(text: &str) -> String {
    if text.is_empty() {
        "*(empty)*".to_owned()
    } else {
        escaped(&seen(text), Part { first: true, last: true })
    }
}

/// Where in a text a part of it stands.
#[derive(Clone, Copy)]
struct Part {
    first: bool,
    last: bool,
}

/// Every punctuation character of ASCII may have a backslash before it (CommonMark 0.31 section 2.4); those that mean
/// something nowhere, or not here, go without. A `|` is written by its number: a table is cut into cells before anything
/// else is read. Spaces at the ends, and of several all but the last, would not be shown.
fn escaped(text: &str, part: Part) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied();
        let is_lost = || match next {
            Some(next) => next == ' ' || (part.first && escaped.is_empty()),
            None => part.last,
        };
        // Digits alone, and then a period, would begin a list.
        let is_begun = !part.first || escaped.contains(|before: char| !before.is_ascii_digit());
        let ends_word = next.is_none_or(|next| next == ' ');
        match character {
            '|' => escaped.push_str("&#124;"),
            ' ' if is_lost() => escaped.push_str("&#32;"),
            '\'' | '"' | ',' | '/' | ';' | '?' | '%' | '{' | '}' | '(' => escaped.push(character),
            ')' | '=' if is_begun => escaped.push(character),
            // `www.` and `https:` would make links.
            '.' if is_begun && !escaped.to_ascii_lowercase().ends_with("www") => escaped.push(character),
            ':' if ends_word => escaped.push(character),
            '-' if escaped.ends_with(char::is_alphanumeric) && !ends_word => escaped.push(character),
            punctuation if punctuation.is_ascii_punctuation() => escaped.extend(['\\', punctuation]),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text that a machine reads, as code. In code nothing can be escaped, so what holds a backtick or a `|`, or has spaces
/// where code would lose them, is text.
pub(super) fn code(text: &str) -> String {
    let shown = seen(text);
    let fits = !shown.is_empty()
        && !shown.contains(['`', '|'])
        && !shown.starts_with(' ')
        && !shown.ends_with(' ')
        // In the cell of a table, readers differ about it.
        && !shown.contains('\\');
    if fits { format!("`{shown}`") } else { prose(text) }
}

/// A sentence in which what is between backticks is code.
pub(super) fn words(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len().saturating_sub(1);
    let written = parts.iter().enumerate().map(|(index, part)| match (index % 2, *part) {
        (0, part) => escaped(&seen(part), Part { first: index == 0, last: index == last }),
        // A last quote that does not end is none.
        (_, part) if index == last => {
            format!("\\`{}", escaped(&seen(part), Part { first: false, last: true }))
        }
        (_, part) => code(part),
    });
    written.collect()
}

/// Lines with their numbers, as a block of code whose fence none of them has.
pub(super) fn block<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    let lines: Vec<String> = (1_usize..)
        .zip(lines)
        .map(|(number, line)| {
            let shown: Vec<_> = line.split('\t').map(seen).collect();
            format!("{number:4}  {}", shown.join("\t")).trim_end().to_owned()
        })
        .collect();
    let longest =
        lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.saturating_add(1).max(3));
    format!("{fence}text\n{}\n{fence}", lines.join("\n"))
}
