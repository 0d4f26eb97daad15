//! From a place in the document to the bytes of the file where it stands.

use std::ops::Range;

use authorizer_core::policy::{Place, Step};
use toml_edit::Document;

/// The span of a place in the text of a policy, or of the nearest thing around it that has one.
pub(crate) fn span(text: &str, place: &Place) -> Option<Range<usize>> {
    let document = Document::parse(text).ok()?;
    let mut item = document.as_item();
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
