//! A place on the way into a document.

use authorizer_core::policy::Place;

/// A place on the way into a document.
pub(super) enum At<'a> {
    Top,
    Member(&'a At<'a>, &'a str),
    Element(&'a At<'a>, usize),
}

impl At<'_> {
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Top => Place::default(),
            Self::Member(Self::Top, name) => Place::member(name),
            Self::Member(around, name) => around.place().then(name),
            Self::Element(around, index) => around.place().at(*index),
        }
    }

    /// What a message calls it: its name, or that of the list that it is in.
    pub(super) fn called(&self) -> String {
        match self {
            Self::Top => "the file".into(),
            Self::Member(_, name) => format!("`{}`", name.escape_debug()),
            Self::Element(around, _) => format!("each member of {}", around.called()),
        }
    }

    pub(super) fn is_element(&self) -> bool {
        matches!(self, Self::Element(..))
    }
}
