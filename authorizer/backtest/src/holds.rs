//! Three answers to whether something holds: no, yes, and that it depends on what is not known.

use super::missing::MissingSet;

/// Whether something holds, by what a log says of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    /// It does not, whatever the log leaves out.
    No,
    /// It may or may not: these would tell.
    Open(MissingSet),
    /// It does, whatever the log leaves out.
    Yes,
}

impl Holds {
    /// For what is known.
    pub(super) fn known(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// Whether both hold.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Open(one), Self::Open(other)) => Self::Open(one.with(other)),
            (Self::Open(missing), Self::Yes) | (Self::Yes, Self::Open(missing)) => Self::Open(missing),
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// Yes where something else shows it, and this where nothing does.
    pub(super) fn or_shown(self, shown: impl FnOnce() -> bool) -> Self {
        match self {
            Self::Open(_) if shown() => Self::Yes,
            Self::No | Self::Open(_) | Self::Yes => self,
        }
    }
}
