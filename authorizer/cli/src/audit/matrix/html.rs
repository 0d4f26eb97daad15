//! The table as one self-contained page, without scripts and links.

use std::collections::BTreeSet;

use authorizer_analysis::{Cell, Matrix, who_in_words};
use authorizer_core::operation::S3Operation;
use authorizer_findings::deployment::Reach;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::reach::{NOT_SHOWN, through, undecided, unverified};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#111;background:#fff}\
table{border-collapse:collapse}th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}\
th{background:#eee}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.except{color:#8a1f11}\
@media print{body{margin:0}}";

/// The page.
pub(super) fn page(table: &Matrix, bundle_sha256: &str) -> String {
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| Line {
            who: who_in_words(&row.who, &row.sessions),
            keys: &row.keys,
            conditions: &row.conditions,
            cells: &row.cells,
            through: None,
        })
        .collect();
    let content = html! {
        p {
            "Policy bundle " code { (bundle_sha256) } ". A request that the core allows proves each filled cell. Every \
             request that the core allows belongs to a filled cell."
        }
        "\n"
        (table_of(&rows))
    };
    whole("Who may do what", &content)
}

/// The page of buckets.
pub(super) fn reach_page(all: &Reach) -> String {
    let content = html! {
        @for bucket in &all.buckets {
            h2 { "Bucket " code { (bucket.bucket) } } "\n"
            @for one in undecided(bucket) { p.except { "Warning: " (one) } "\n" }
            (table_of(&bucket.rows.iter().map(|row| Line {
                who: who_in_words(&row.who, &row.sessions),
                keys: &row.keys,
                conditions: &row.conditions,
                cells: &row.cells,
                through: Some(row.through.iter().map(through).collect()),
            }).collect::<Vec<_>>()))
        }
        h2 { "What is not shown" } "\n"
        ul {
            "\n"
            @for one in &all.elsewhere {
                li {
                    (one.distribution) " " (one.behavior) " goes to " (one.origin) ", which is not known to be a bucket."
                }
                "\n"
            }
            @for one in unverified(all).into_iter().chain(NOT_SHOWN) { li { (one) } "\n" }
        }
        "\n"
    };
    whole("Who may do what to which bucket", &content)
}

/// A page that needs nothing else. Its lines are for whoever compares two of them.
fn whole(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            "\n"
            head {
                "\n"
                meta charset="utf-8"; "\n"
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"; "\n"
                title { (title) } "\n"
                style { (PreEscaped(STYLE)) } "\n"
            }
            "\n"
            body { "\n" h1 { (title) } "\n" (content) }
            "\n"
        }
    };
    page.into_string()
}

/// A row of a table.
struct Line<'r> {
    who: Vec<String>,
    keys: &'r str,
    conditions: &'r [String],
    cells: &'r [Cell],
    /// The ways to a bucket, in a table of one.
    through: Option<Vec<String>>,
}

fn table_of(rows: &[Line<'_>]) -> Markup {
    let used: BTreeSet<S3Operation> =
        rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.operation)).collect();
    html! {
        table {
            "\n"
            thead {
                tr {
                    th { "Who" } th { "Keys" } th { "Where" }
                    @for operation in &used { th { (operation.name()) } }
                    @if rows.iter().any(|row| row.through.is_some()) { th { "Through" } }
                }
            }
            "\n"
            tbody {
                "\n"
                @for row in rows {
                    tr {
                        td { (lines(&row.who)) }
                        td { code { (visible(row.keys)) } }
                        td { (lines(row.conditions)) }
                        @for operation in &used {
                            td {
                                @for cell in row.cells.iter().filter(|cell| cell.operation == *operation) {
                                    (shown(&cell.rules, &cell.except))
                                }
                            }
                        }
                        @if let Some(ways) = &row.through { td { (lines(ways)) } }
                    }
                    "\n"
                }
            }
            "\n"
        }
        "\n"
    }
}

fn shown(rules: &[String], except: &[String]) -> Markup {
    html! {
        (lines(rules))
        @for rule in except { br; span.except { "not where " (visible(rule)) " denies it" } }
    }
}

fn lines(texts: &[String]) -> Markup {
    html! {
        @for (index, text) in texts.iter().enumerate() {
            @if index > 0 { br; }
            (visible(text))
        }
    }
}

/// The text, with the characters that nobody sees by their numbers: some would turn the order of the others around.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => visible.push(character),
            other => visible.extend(other.escape_debug()),
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_says_is_never_markup() {
        let text = "</code><script>&\"'";
        let texts = [text.to_owned(), text.to_owned()];
        let (who, ways) = (texts.to_vec(), Some(texts.to_vec()));
        let row = Line { who, keys: text, conditions: &texts, cells: &[], through: ways };
        for (page, times) in [
            (table_of(&[row]).into_string(), 7),
            (shown(&texts, &texts).into_string(), 4),
            (whole(text, &html! { (text) }), 3),
        ] {
            assert_eq!(page.matches("&lt;/code&gt;&lt;script&gt;&amp;").count(), times, "{page}");
            assert!(!page.contains("<script"), "{page}");
        }
    }

    #[test]
    fn a_character_that_turns_the_others_around_is_shown_by_its_number() {
        assert_eq!(visible("\u{e9}\u{202e}\"'\\<x>"), "\u{e9}\\u{202e}\"'\\<x>");
    }
}
