//! Finds the position of a place of the document in the file.

use std::ops::Range;

use authorizer_core::policy::{Place, Step};
use toml_edit::Document;

/// The text of a policy, parsed once to find many places in it.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    document: Option<Document<&'t str>>,
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
        Self { text, document: Document::parse(text).ok() }
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
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Position {
            line: before.matches('\n').count().saturating_add(1),
            column: line.chars().count().saturating_add(1),
        }
    }
}
