//! The account as a comment on a pull request: Markdown of GitHub's kind, bounded in length.
//!
//! All text of a policy is code, with a fence of more backticks than the text has. So it cannot be markup, a link or a
//! mention. What does not fit is counted.

use authorizer_analysis::{AccessChange, Replayed, RequestInWords, on_one_line, request_in_words};

use super::account::{Account, Entry, Group, What, value};

/// The longest comment, in bytes. GitHub takes 65,536 characters; the rest is for whoever posts it.
const MOST_BYTES: usize = 60_000;

/// What is kept for the line that says what was left out.
const RESERVED: usize = 500;

/// The longest text of a policy or a request on one line, in characters.
const MOST_CHARACTERS: usize = 400;

/// The account, in which the two policies have these names.
pub(super) fn markdown(account: &Account<'_>, names: &[String; 2]) -> String {
    let count = |groups: &[Group<'_>]| groups.iter().map(|group| group.entries.len()).sum::<usize>();
    let (wider, narrower) = (count(&account.wider), count(&account.narrower));
    let without = count(&account.without_effect);
    let verdict = match (account.is_same, wider) {
        (true, _) => "The policies decide the same",
        (false, 0) => "The new policy allows less",
        (false, _) => "The new policy allows more",
    };
    let mut to = format!("### {verdict}\n\n");
    let [old, new] = names.each_ref().map(|name| code(name));
    to.push_str(&format!(
        "{old} compared with {new}: {wider} wider, {narrower} narrower, {without} without effect.\n"
    ));
    if !account.is_decided {
        to.push_str("\n**Not decided:** the analysis did not finish for every change.\n");
    }
    let mut left = Left { to: &mut to, entries: 0, is_full: false };
    for (title, groups) in [
        ("Wider", &account.wider),
        ("Narrower", &account.narrower),
        ("Without effect", &account.without_effect),
    ] {
        section(&mut left, title, groups);
    }
    if !account.other_settings.is_empty() {
        left.push("\n#### No decision depends on\n\n", 0);
        for one in account.other_settings {
            left.push(&format!("- `{}`: {}, now {}\n", one.setting, code(&one.old), code(&one.new)), 1);
        }
    }
    let entries = left.entries;
    if entries > 0 {
        to.push_str(&format!(
            "\n**{entries} more are left out**, the least dangerous. `authorizer audit diff` shows all of them.\n"
        ));
    }
    to.push_str("\n<details><summary>Not compared</summary>\n\n");
    for one in account.not_compared {
        to.push_str(&format!("- {one}\n"));
    }
    to.push_str("\n</details>\n");
    to
}

/// A text that takes what fits.
struct Left<'t> {
    to: &'t mut String,
    /// How many entries did not fit.
    entries: usize,
    is_full: bool,
}

impl Left<'_> {
    /// Adds a text with so many entries. Once one does not fit, none that follows is added.
    fn push(&mut self, text: &str, entries: usize) {
        let most = MOST_BYTES.saturating_sub(RESERVED).saturating_sub(NOT_COMPARED_BYTES);
        self.is_full |= self.to.len().saturating_add(text.len()) > most;
        match self.is_full {
            true => self.entries = self.entries.saturating_add(entries),
            false => self.to.push_str(text),
        }
    }
}

/// More than the list of what is not compared has.
const NOT_COMPARED_BYTES: usize = 1_000;

fn section(left: &mut Left<'_>, title: &str, groups: &[Group<'_>]) {
    if groups.is_empty() {
        return;
    }
    left.push(&format!("\n#### {title}\n"), 0);
    for group in groups {
        let name = match group.kind {
            "section" => code(&format!("[{}]", group.name)),
            kind => format!("{kind} {}", code(&group.name)),
        };
        let about = if group.about.is_empty() { String::new() } else { format!(" ({})", group.about) };
        let mut head = format!("\n**{name}**{about}\n\n");
        for condition in group.conditions {
            head.push_str(&format!("- where {}\n", code(condition)));
        }
        left.push(&head, 0);
        for entry in &group.entries {
            left.push(&of_entry(entry), 1);
        }
        for text in &group.in_all {
            left.push(&format!("- in all: {}\n", code(text)), 0);
        }
    }
}

fn of_entry(entry: &Entry<'_>) -> String {
    let what = match &entry.what {
        What::Field(field, None, Some(new)) => format!("{}: {} is new", code(field), code(new)),
        What::Field(field, Some(old), None) => format!("{}: {} is gone", code(field), code(old)),
        What::Field(field, old, new) => {
            let [old, new] = [old, new].map(|text| code(&value(field, text.unwrap_or_default())));
            format!("{}: {old}, now {new}", code(field))
        }
        What::Words("", text) => words(text),
        What::Words(field, text) => format!("{}: {}", code(field), words(text)),
        What::Own(text) => code(text),
    };
    let note = entry.note.map(|note| format!(" ({note})")).unwrap_or_default();
    let above = if entry.is_above { " (by a request above)" } else { "" };
    let mut to = format!("- {what}{note}{above}\n");
    for change in &entry.requests {
        to.push_str(&of_request(change));
    }
    to
}

fn of_request(change: &AccessChange) -> String {
    let RequestInWords { line, origin, headers, token } = request_in_words(&change.request);
    let headers: String = headers.iter().map(|header| format!(" {}", code(header))).collect();
    format!(
        "  - {}{headers} {}, {}: before {}, after {}\n",
        code(&line),
        code(&token),
        code(&origin),
        decision(&change.old),
        decision(&change.new)
    )
}

fn decision(replayed: &Replayed) -> String {
    match (replayed.allowed, &replayed.rule) {
        (true, rule) => format!("allowed by {}", code(rule.as_deref().unwrap_or_default())),
        (false, Some(rule)) => format!("refused by {}", code(rule)),
        (false, None) => format!("refused ({})", code(&replayed.reason)),
    }
}

/// Text as code (CommonMark 0.31 section 6.1): between more backticks than it has in a row, and cut where it is long.
fn code(text: &str) -> String {
    let mut shown = on_one_line(text);
    if shown.chars().count() > MOST_CHARACTERS {
        shown = shown.chars().take(MOST_CHARACTERS).chain(['…']).collect();
    }
    let longest = shown.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.saturating_add(1));
    // A space on both sides is taken away again; without it, a backtick at the end would be one of the fence.
    let space = if shown.is_empty() || shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{shown}{space}{fence}")
}

/// A sentence of ours in which what is between backticks is code.
fn words(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { prose(part) } else { code(part) }).collect()
}

/// The words of a sentence. A value that is not between backticks is a name or a number of ours, or a type.
fn prose(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    for character in on_one_line(text).chars() {
        if matches!(character, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '@' | '|' | '~' | '!') {
            to.push('\\');
        }
        to.push(character);
    }
    to
}
