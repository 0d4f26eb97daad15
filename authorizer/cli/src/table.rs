//! Tables for people: wrapped at the terminal's width, and as wide as they are in a file or a pipe.

use authorizer_analysis::on_one_line;
use comfy_table::{ContentArrangement, Table, presets};

/// Draws a table. A cell of several lines is one with line breaks.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| shown(&cell))));
    let lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Text in which only line breaks are left of what a terminal does not show as it is: control characters, and those that
/// turn the text around or show nothing.
fn shown(text: &str) -> String {
    text.split('\n').map(on_one_line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn what_a_cell_says_does_not_reach_the_terminal_as_more_than_text() {
        let drawn = table(["keys", "who"], [["a\u{1b}[31m\u{202e}/**".to_owned(), "b\nc".to_owned()]]);
        assert!(drawn.contains("a\\u{1b}[31m\\u{202e}/**"), "{drawn}");
        assert_eq!(drawn.lines().filter(|line| line.contains('c')).count(), 1, "{drawn}");
    }
}
