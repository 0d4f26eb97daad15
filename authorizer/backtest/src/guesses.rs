//! How a request can have been refused, where a log has the answer but not the reason.

use authorizer_core::Reason;

use super::recorded::{Came, Stage};

/// Who asked, as far as a way of being refused shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Who {
    Nobody,
    SomeHolder,
    Unknown,
}

/// All ways. The order is that of the bits of [`Guesses`].
const WAYS: [(Stage, Who); 10] = [
    (Stage::Always, Who::Unknown),
    (Stage::Unknown, Who::Unknown),
    (Stage::Credential, Who::Unknown),
    (Stage::TokenForm, Who::Unknown),
    (Stage::Trust, Who::Unknown),
    (Stage::Keys, Who::Unknown),
    (Stage::Denied, Who::Nobody),
    (Stage::Denied, Who::SomeHolder),
    (Stage::NoRule, Who::Nobody),
    (Stage::NoRule, Who::SomeHolder),
];

/// The ways in which a request can have been refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Guesses(u16);

impl Guesses {
    /// The ways with one of these reasons.
    pub(super) fn of(reasons: impl IntoIterator<Item = Reason>) -> Self {
        let mut all = Self::default();
        for reason in reasons {
            for (bit, way) in (0u32..).zip(WAYS) {
                if has(reason, way) {
                    all.0 |= 1u16.checked_shl(bit).unwrap_or_default();
                }
            }
        }
        all
    }

    /// Each way: the stage that refused the request, and who asked.
    pub(super) fn iter(self) -> impl Iterator<Item = (Stage, Came<'static>)> {
        let is_in = move |bit: u32| self.0 & 1u16.checked_shl(bit).unwrap_or_default() != 0;
        (0u32..).zip(WAYS).filter(move |(bit, _)| is_in(*bit)).map(|(_, (stage, who))| {
            let came = match who {
                Who::Nobody => Came::Nobody,
                Who::SomeHolder => Came::SomeHolder,
                Who::Unknown => Came::Unknown,
            };
            (stage, came)
        })
    }
}

/// Whether a refusal with this reason can have come about in this way.
fn has(reason: Reason, (stage, who): (Stage, Who)) -> bool {
    // Two reasons have one stage if the request was recognised before, and another one if it was not.
    let of_reason = [Stage::of(reason, false), Stage::of(reason, true)];
    of_reason.contains(&stage)
        && match (stage, who) {
            (Stage::NoRule, who) => is_told(reason, who),
            (_, _) => true,
        }
}

/// Whether the rules refuse a request of this viewer with this reason. Without a token, the reason is
/// `token_missing`, unless only a limit for an upload or a download was not met.
fn is_told(reason: Reason, who: Who) -> bool {
    let is_of_a_rule = matches!(
        reason,
        Reason::KeyNotAllowed
            | Reason::OperationNotAllowed
            | Reason::IssuerNotAllowed
            | Reason::TimeNotAllowed
            | Reason::SourceNotAllowed
            | Reason::HostNotAllowed
            | Reason::ConditionNotMet
            | Reason::InsufficientScope
    );
    match who {
        Who::Nobody => !is_of_a_rule,
        Who::SomeHolder => reason != Reason::TokenMissing,
        Who::Unknown => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_a_way_and_the_rules_tell_who_asked() {
        for reason in Reason::ALL {
            assert_ne!(Guesses::of([reason]), Guesses::default(), "{reason:?}");
        }
        let of = |reason| Guesses::of([reason]).iter().collect::<Vec<_>>();
        assert_eq!(of(Reason::TokenMissing), [(Stage::NoRule, Came::Nobody)]);
        assert_eq!(of(Reason::ConditionNotMet), [(Stage::NoRule, Came::SomeHolder)]);
        assert_eq!(
            of(Reason::DeniedByRule),
            [(Stage::Denied, Came::Nobody), (Stage::Denied, Came::SomeHolder)]
        );
        assert_eq!(of(Reason::TokenExpired), [(Stage::Trust, Came::Unknown)]);
        assert_eq!(
            of(Reason::HeaderNotAllowed),
            [
                (Stage::Always, Came::Unknown),
                (Stage::NoRule, Came::Nobody),
                (Stage::NoRule, Came::SomeHolder)
            ]
        );
    }
}
