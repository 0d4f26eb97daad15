//! The lines of a text that is not TOML which may have a secret. Where a text can be read, its form says what is secret
//! ([`Secrets`](crate::form::Secrets)).

use std::ops::Range;

use crate::form::{Named, is_log, is_unknown, names_secret, sounds_secret};

/// The secret that the line of a span in a text that is not TOML is of.
pub(crate) fn secret_of_line(text: &str, span: &Range<usize>) -> Option<Named> {
    let (before, after) = text.split_at_checked(span.start).unwrap_or((text, ""));
    let line = (before.rsplit('\n').next().unwrap_or_default(), after.lines().next().unwrap_or_default());
    let line = format!("{}{}", line.0, line.1);
    let name = line.split(['=', ':']).next().map(bare).unwrap_or_default();
    let member = name.rsplit('.').next().map(bare).unwrap_or_default();
    match member {
        "secret" => Some(Named::Secret),
        "claims_salt" => Some(Named::Salt),
        _ => {
            (sounds_secret(member) || is_unknown(&line) || (line.contains(['=', ':']) && names_secret(&line)))
                .then_some(Named::Otherwise)
        }
    }
}

/// For each line of a text that is not TOML, whether its table mentions a secret anywhere: a string of several lines may
/// contain one.
pub(crate) fn lines_with_secrets(text: &str) -> Vec<bool> {
    let (mut with, mut start, mut is_in_log) = (Vec::new(), 0_usize, false);
    for (place, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('[') {
            start = place;
            is_in_log = is_log(bare(line.split('#').next().unwrap_or_default()));
        }
        let is_of_one = names_secret(line) || may_be_a_secret(line, is_in_log) || is_unknown(line);
        let before = place > start && with.last().copied().unwrap_or_default();
        with.push(is_of_one || before);
        if is_of_one && !before {
            // And the lines of the table that were before it.
            with.iter_mut().skip(start).for_each(|line| *line = true);
        }
    }
    with
}

/// Whether a line may have a secret or a salt under another name, as a mistake. In `[log]`, only `subject` cannot.
fn may_be_a_secret(line: &str, is_in_log: bool) -> bool {
    let name = line.split_once(['=', ':']).map_or("", |(name, _)| name.trim());
    let is_of_log =
        is_in_log || is_log(bare(name)) || name.split_once('.').is_some_and(|(table, _)| is_log(bare(table)));
    let member = name.rsplit('.').next().map(bare).unwrap_or_default();
    let is_other = !line.trim().is_empty() && !line.trim_start().starts_with('[') && member != "subject";
    (!member.is_empty() && sounds_secret(member)) || (is_of_log && is_other)
}

/// The text of a policy that cannot be read, for a person: without each line that may have a secret, and without what
/// comes after such a line in its table, because a secret may go on there. The lines keep their numbers.
pub fn without_secrets(text: &str) -> String {
    // A text of several lines may have one anywhere.
    let is_long = text.contains("\"\"\"") || text.contains("'''");
    let hides_all = is_long && text.lines().any(names_secret);
    let (mut is_in_log, mut is_hidden) = (false, false);
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with('[') {
            is_in_log = is_log(bare(start.split('#').next().unwrap_or_default()));
            // A line with quotation marks may be one of an array.
            is_hidden &= start.contains(['"', '\'', ',']);
        }
        let is_of_one = names_secret(line) || may_be_a_secret(line, is_in_log);
        // What a comment says ends with its line.
        is_hidden |= is_of_one && !start.starts_with('#');
        if !hides_all && !is_of_one && (!is_hidden || start.is_empty()) {
            shown.push_str(line);
        } else {
            shown.push_str("# (hidden: this line may have a secret)");
            shown.push_str(if line.ends_with('\n') { "\n" } else { "" });
        }
    }
    shown
}

/// A name without the brackets and quotes around it.
fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\''))
}
