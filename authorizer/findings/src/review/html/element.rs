//! The pieces that a page is made of.

use maud::{Markup, html};

use crate::review::fact::{Fact, Shown};
use crate::review::text::{Piece, pieces};

/// The sections of the page: the id and the title of each.
pub(super) const SECTIONS: [(&str, &str); 10] = [
    ("summary", "Summary"),
    ("permissions", "Permissions"),
    ("findings", "Findings"),
    ("accepted", "Accepted findings"),
    ("tests", "Tests of the policy"),
    ("issuers", "Issuers and keys"),
    ("settings", "Settings"),
    ("rules", "The policy as written"),
    ("checked", "What was checked"),
    ("sign-off", "Sign-off"),
];

/// The heading of a section.
pub(super) fn heading(of: &str) -> Markup {
    let title = SECTIONS.iter().find(|(id, _)| *id == of).map(|(_, title)| *title).unwrap_or_default();
    html! { h2 id=(of) { (title) } }
}

/// Text of the policy.
pub(super) fn seen(text: &str) -> Markup {
    html! {
        @for piece in pieces(text) {
            @match piece {
                Piece::Plain(plain) => (plain),
                Piece::Named(name) => span.named { (name) },
            }
        }
    }
}

/// The same of a line of the file, where a tab is a tab.
pub(super) fn seen_in_line(line: &str) -> Markup {
    html! {
        @for (index, part) in line.split('\t').enumerate() {
            @if index > 0 { "\t" }
            (seen(part))
        }
    }
}

/// Text of the policy that a machine reads.
pub(super) fn code(text: &str) -> Markup {
    html! { @if text.is_empty() { i { "(empty)" } } @else { code { (seen(text)) } } }
}

/// A sentence: what is between backticks is code. Of one that quotes the policy, the worst that a backtick in a quote
/// does is to set the wrong words in another type.
pub(super) fn words(text: &str) -> Markup {
    let last = text.matches('`').count();
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (seen(part)) }
            // A last quote that does not end is none.
            @else if index == last { "`" (seen(part)) }
            @else { (code(part)) }
        }
    }
}

fn shown(value: &Shown) -> Markup {
    match value {
        Shown::Words(text) => words(text),
        Shown::Text(text) => code(text),
    }
}

pub(super) fn facts(facts: &[Fact]) -> Markup {
    html! {
        dl.facts {
            @for fact in facts {
                dt { (fact.name) }
                dd { @for value in &fact.values { span.value { (shown(value)) } } }
            }
        }
    }
}

pub(super) fn list(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! { ul { @for item in items { li { (item) } } } }
}

/// A place in the policy, further down in the page.
pub(super) fn line_link(line: usize, column: Option<usize>) -> Markup {
    html! {
        a href={ "#L" (line) } { "line " (line) @if let Some(column) = column { ", column " (column) } }
    }
}
