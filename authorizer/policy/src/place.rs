//! From a place in the document to the bytes of the file where it stands.

use std::ops::Range;

use authorizer_core::policy::{Place, Step};
use toml_edit::Document;

/// The text of a policy, read once for all the places that are looked for in it.
pub(crate) struct Places<'t> {
    document: Option<Document<&'t str>>,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { document: Document::parse(text).ok() }
    }

    /// The span of a place, or of the nearest thing around it that has one.
    pub(crate) fn span(&self, place: &Place) -> Option<Range<usize>> {
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
}
