//! Finds the position of a place of the document in the file.

use std::ops::Range;

use authorizer_core::policy::{Place, Step};
use toml_edit::Document;

/// The text of a policy, parsed once to find many places in it.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    document: Option<Document<&'t str>>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A position in a file, as editors count: from 1, in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let after = text.match_indices('\n').map(|(end, _)| end.saturating_add(1));
        let lines = std::iter::once(0).chain(after).collect();
        Self { text, document: Document::parse(text).ok(), lines }
    }

    /// The bytes of a place, or of the nearest item around it that is in the file.
    pub fn span(&self, place: &Place) -> Option<Range<usize>> {
        let mut item = self.document.as_ref()?.as_item();
        let mut span = None;
        for step in place.steps() {
            let next = match step {
                Step::Member(name) => item.get(name),
                Step::Element(index) => item.get(*index),
            };
            let Some(next) = next else { break };
            span = next.span().or(span);
            item = next;
        }
        span
    }

    /// The same, but only the first line: a label is under one line.
    pub fn line_span(&self, place: &Place) -> Option<Range<usize>> {
        let span = self.span(place)?;
        let shown = self.text.get(span.clone())?;
        let length = shown.find(['\r', '\n']).unwrap_or(shown.len());
        Some(span.start..span.start.saturating_add(length))
    }

    /// The position of a byte.
    pub fn position(&self, byte: usize) -> Position {
        let byte = if self.text.is_char_boundary(byte) { byte } else { self.text.len() };
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default();
        let before = self.text.get(start..byte).unwrap_or_default();
        Position { line, column: before.chars().count().saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_line_and_the_character_of_a_byte() {
        let text = "a\n\n\u{e9}b\n";
        for (byte, line, column) in [
            (0, 1, 1),
            (1, 1, 2),
            (2, 2, 1),
            (3, 3, 1),
            (5, 3, 2),
            (6, 3, 3),
            (7, 4, 1),
            (4, 4, 1),
            (99, 4, 1),
        ] {
            assert_eq!(Places::of(text).position(byte), Position { line, column }, "{byte}");
        }
    }
}
