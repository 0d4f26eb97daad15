//! The table as one self-contained page, without scripts and links.

use std::collections::BTreeSet;

use authorizer_analysis::{Cell, Matrix, who_in_words};
use authorizer_core::operation::S3Operation;
use authorizer_findings::deployment::Reach;

use super::reach::{NOT_SHOWN, through, undecided, unverified};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#111;background:#fff}\
table{border-collapse:collapse}th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}\
th{background:#eee}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.except{color:#8a1f11}\
@media print{body{margin:0}}";

/// The page.
pub(super) fn page(table: &Matrix, bundle_sha256: &str) -> String {
    let mut html = head("Who may do what");
    html.push_str(&format!(
        "<p>Policy bundle <code>{}</code>. A request that the core allows proves each filled cell. Every \
         request that the core allows belongs to a filled cell.</p>\n",
        escaped(bundle_sha256)
    ));
    let rows = table.rows.iter().map(|row| Line {
        who: who_in_words(&row.who, &row.sessions),
        keys: &row.keys,
        conditions: &row.conditions,
        cells: &row.cells,
        through: None,
    });
    push_table(&mut html, &rows.collect::<Vec<_>>());
    html.push_str("</body>\n</html>");
    html
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

fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

fn push_table(html: &mut String, rows: &[Line<'_>]) {
    let used: BTreeSet<S3Operation> =
        rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.operation)).collect();
    html.push_str("<table>\n<thead><tr><th>Who</th><th>Keys</th><th>Where</th>");
    for operation in &used {
        html.push_str(&format!("<th>{}</th>", operation.name()));
    }
    if rows.iter().any(|row| row.through.is_some()) {
        html.push_str("<th>Through</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str(&format!(
            "<tr><td>{}</td><td><code>{}</code></td><td>{}</td>",
            lines(&row.who),
            escaped(row.keys),
            lines(row.conditions)
        ));
        for operation in &used {
            let cell = row.cells.iter().find(|cell| cell.operation == *operation);
            html.push_str(&format!("<td>{}</td>", cell.map(shown).unwrap_or_default()));
        }
        if let Some(ways) = &row.through {
            html.push_str(&format!("<td>{}</td>", lines(ways)));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
}

/// The page of buckets.
pub(super) fn reach_page(all: &Reach) -> String {
    let mut html = head("Who may do what to which bucket");
    for bucket in &all.buckets {
        html.push_str(&format!("<h2>Bucket <code>{}</code></h2>\n", escaped(&bucket.bucket)));
        for one in undecided(bucket) {
            html.push_str(&format!("<p class=\"except\">Warning: {}</p>\n", escaped(&one)));
        }
        let rows = bucket.rows.iter().map(|row| Line {
            who: who_in_words(&row.who, &row.sessions),
            keys: &row.keys,
            conditions: &row.conditions,
            cells: &row.cells,
            through: Some(row.through.iter().map(through).collect()),
        });
        push_table(&mut html, &rows.collect::<Vec<_>>());
    }
    html.push_str("<h2>What is not shown</h2>\n<ul>\n");
    for one in &all.elsewhere {
        html.push_str(&format!(
            "<li>{} {} goes to {}, which is not known to be a bucket.</li>\n",
            escaped(&one.distribution),
            escaped(&one.behavior),
            escaped(&one.origin)
        ));
    }
    for one in unverified(all).into_iter().chain(NOT_SHOWN) {
        html.push_str(&format!("<li>{}</li>\n", escaped(one)));
    }
    html.push_str("</ul>\n</body>\n</html>");
    html
}

fn shown(cell: &Cell) -> String {
    let except: String = cell
        .except
        .iter()
        .map(|rule| format!("<br><span class=\"except\">not where {} denies it</span>", escaped(rule)))
        .collect();
    format!("{}{except}", lines(&cell.rules))
}

fn lines(texts: &[String]) -> String {
    texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("<br>")
}

/// Escapes text for HTML, as text or as the value of an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_says_is_never_markup() {
        assert_eq!(escaped("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
    }
}
