//! Where something stands in a file.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A part of a file, as editors count: from 1, in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Region {
    /// Where it begins.
    pub line: usize,
    /// The same.
    pub column: usize,
    /// Where it ends.
    pub end_line: usize,
    /// The same; this column is not part of it.
    pub end_column: usize,
}

impl Default for Region {
    fn default() -> Self {
        Self { line: 1, column: 1, end_line: 1, end_column: 1 }
    }
}

impl Region {
    /// The place that a pointer (RFC 6901) leads to, or the nearest around it: what a text in the file holds has no
    /// place of its own.
    pub(super) fn of_pointer(text: &str, pointer: &str) -> Self {
        let found = value_of(text, pointer).unwrap_or("");
        // The value is a part of the text, so that the distance of their beginnings is its place.
        let start = found.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let before = text.get(..start).unwrap_or_default();
        let count = |text: &str| text.chars().count();
        let column = count(before.rsplit('\n').next().unwrap_or_default()).saturating_add(1);
        let shown = found.lines().next().unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Self { line, column, end_line: line, end_column: column.saturating_add(count(shown)) }
    }
}

fn value_of<'t>(text: &'t str, pointer: &str) -> Option<&'t str> {
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let Some(next) = child(here.get(), &step) else { break };
        here = next;
    }
    Some(here.get())
}

fn child<'t>(text: &'t str, step: &str) -> Option<&'t RawValue> {
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return items.get(step.parse::<usize>().ok()?).copied();
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    members.get(step).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_its_line_and_column_or_to_the_nearest_around_it() {
        let text = "{\n  \"é\": 1, \"a/b\": [\n    true, {\"c\": \"x\"}\n  ],\n  \"Policy\": \"{}\"\n}\n";
        for (pointer, line, column, end_column) in [
            ("", 1, 1, 2),
            ("/é", 2, 8, 9),
            ("/a~1b", 2, 18, 19),
            ("/a~1b/1/c", 3, 17, 20),
            ("/a~1b/7", 2, 18, 19),
            ("/Policy/Statement/0", 5, 13, 17),
            ("/none", 1, 1, 2),
        ] {
            let region = Region { line, column, end_line: line, end_column };
            assert_eq!(Region::of_pointer(text, pointer), region, "{pointer}");
        }
        assert_eq!(Region::of_pointer("no json", "/a"), Region::default());
    }
}
