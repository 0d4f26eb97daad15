//! Key patterns that do not name what they look like.

use std::collections::BTreeSet;

use authorizer_core::rules::{KeyPattern, Segment};
use unicode_normalization::{char::is_combining_mark, is_nfc};

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA011",
            name: "pattern-twice",
            severity: Severity::Informational,
            title: "a rule names a pattern or a host twice",
            why: "One of the two was meant to be another one, or nobody knows why it is there.",
            remedy: "remove one of them, or write the one that you mean",
        },
        twice,
    ),
    (
        Check {
            id: "EA070",
            name: "pattern-not-composed",
            severity: Severity::High,
            title: "a pattern writes an accented letter as two characters instead of one",
            why: "Keys are compared byte for byte. Most keyboards and applications write one character \
              (Unicode's form NFC), which looks the same but is another key. An allow rule does not allow \
              that key, and a deny rule does not deny it.",
            remedy: "type the pattern again with a keyboard, or name both forms",
        },
        not_composed,
    ),
    (
        Check {
            id: "EA071",
            name: "pattern-with-the-invisible",
            severity: Severity::High,
            title: "a pattern contains an invisible character",
            why: "A zero-width character, a direction character or a special space was copied with the pattern. \
              The pattern looks right in review, but it names other keys than it shows.",
            remedy: "remove the character",
        },
        invisible,
    ),
    (
        Check {
            id: "EA072",
            name: "pattern-of-a-folder-alone",
            severity: Severity::High,
            title: "a pattern ends in `/` and names nothing inside the folder",
            why: "To S3, `reports/` is one key: an empty object that some tools create for a folder. The pattern \
              matches nothing below it.",
            remedy: "add `**` to the pattern for what is in the folder",
        },
        folder_alone,
    ),
    (
        Check {
            id: "EA073",
            name: "pattern-with-a-plus",
            severity: Severity::Informational,
            title: "a pattern contains `+`, which viewers must write as `%2B`",
            why: "S3 reads a raw `+` in a path as a space, so the authorizer refuses it. A link with a raw `+` \
              gets 400, whatever the rule allows.",
            remedy: "choose a name without `+`, or make sure that links are encoded",
        },
        plus,
    ),
]);

/// The texts of a pattern, without its wildcards.
fn texts(pattern: &KeyPattern) -> impl Iterator<Item = &str> {
    pattern
        .segments()
        .iter()
        .flat_map(|segment| match segment {
            Segment::Literal(text) => std::slice::from_ref(text).iter(),
            Segment::Glob(parts) => parts.iter(),
            Segment::AnySegments | Segment::Claim(_) => [].iter(),
        })
        .map(String::as_str)
}

fn twice(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        let mut seen = BTreeSet::new();
        for (place, pattern) in rule.patterns() {
            if !seen.insert(pattern.to_string()) {
                found.push(rule.found_at(place, format!("rule `{}` names `{pattern}` twice", rule.id())));
            }
        }
        let mut seen = BTreeSet::new();
        for (index, host) in rule.rule.hosts().unwrap_or_default().iter().enumerate() {
            if !seen.insert(host) {
                let place = rule.place().then("hosts").at(index);
                found.push(
                    rule.found_at(place, format!("rule `{}` names the host `{host}` twice", rule.id())),
                );
            }
        }
    }
    found
}

fn not_composed(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_apart = |text: &str| !is_nfc(text) || text.starts_with(is_combining_mark);
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, pattern) in rule.patterns() {
            if texts(pattern).any(is_apart) {
                let message = format!(
                    "rule `{}` names `{}`, which writes an accent as a separate character",
                    rule.id(),
                    with_marks(&pattern.to_string())
                );
                let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

fn invisible(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, pattern) in rule.patterns() {
            if let Some(character) = texts(pattern).flat_map(str::chars).find(|c| is_invisible(*c)) {
                let point = u32::from(character);
                let message = format!("rule `{}` has the character U+{point:04X} in a pattern", rule.id());
                let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

/// Unicode's Default_Ignorable_Code_Point as far as names of files have been seen with it, and its spaces but one.
fn is_invisible(character: char) -> bool {
    (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

fn folder_alone(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, pattern) in rule.patterns() {
            let is_folder = matches!(pattern.segments(), [_, .., Segment::Literal(last)] if last.is_empty());
            let below = format!("{pattern}**");
            if is_folder && !rule.document.keys.contains(&below) {
                let message = format!(
                    "rule `{}` names `{pattern}`, but nothing inside the folder: that is `{below}`",
                    rule.id()
                );
                let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

fn plus(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        for (place, pattern) in rule.patterns() {
            if texts(pattern).any(|text| text.contains('+')) {
                found.push(rule.found_at(place, format!("rule `{}` names `{pattern}`", rule.id())));
            }
        }
    }
    found
}

/// With each combining mark by its number, so that the difference can be seen.
fn with_marks(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match is_combining_mark(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    shown
}
