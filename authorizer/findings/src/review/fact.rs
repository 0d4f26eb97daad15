//! What a report says of a thing, apart from how it is written.

/// Words of ours, or text of the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    /// A phrase of this program; what is between backticks is code.
    Words(String),
    /// Text that somebody else wrote, exactly.
    Text(String),
}

/// A name, and what there is of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fact {
    /// What is told.
    pub(super) name: &'static str,
    /// Each value.
    pub(super) values: Vec<Shown>,
}

/// Facts that belong together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Section {
    /// What they are about.
    pub(super) title: &'static str,
    /// The facts.
    pub(super) facts: Vec<Fact>,
}

impl Fact {
    /// In words of ours.
    pub(super) fn words(name: &'static str, words: impl Into<String>) -> Self {
        Self { name, values: vec![Shown::Words(words.into())] }
    }

    /// In the policy's own text; in these words where there is none.
    pub(super) fn text<T: Into<String>>(
        name: &'static str,
        texts: impl IntoIterator<Item = T>,
        none: &str,
    ) -> Self {
        let values: Vec<_> = texts.into_iter().map(|text| Shown::Text(text.into())).collect();
        if values.is_empty() { Self::words(name, none) } else { Self { name, values } }
    }
}
