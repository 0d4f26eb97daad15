//! What has been decided of the claims on the way along a key.
//!
//! The segments of a key are named texts, which stand for themselves, and words of classes that no pattern can tell
//! apart. A word of a class that no claim has to be is a new one each time, so nothing needs to be remembered of it.

use std::collections::BTreeMap;

use super::claim::Claim;

/// A set of slots, as bits.
pub(super) type Slots = u128;

/// The largest number of claims in keys.
pub(super) const MOST_SLOTS: usize = 128;

/// The set of one slot.
pub(super) fn bit(slot: usize) -> Slots {
    u32::try_from(slot).ok().and_then(|slot| 1u128.checked_shl(slot)).unwrap_or(0)
}

/// A segment that the path may use.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// Its text; or words of a class, of which one stands for all.
    pub(super) words: Vec<String>,
    pub(super) is_class: bool,
}

impl Letter {
    pub(super) fn text(&self) -> &str {
        self.words.first().map(String::as_str).unwrap_or_default()
    }

    pub(super) fn pick(&self, at: usize) -> Pick {
        if self.is_class { Pick::New(at) } else { Pick::Named(at) }
    }
}

/// A segment of a path.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Pick {
    /// A new word of the class with this place among the letters.
    New(usize),
    /// The named text with this place.
    Named(usize),
    /// The value of this slot, a word of a class.
    Of(usize),
}

/// A claim that can stand in a key.
pub(super) struct Slot<'s> {
    pub(super) claim: &'s Claim<'s>,
    pub(super) holds: Holds,
    /// Whether it can be a text that is not a segment of the path.
    pub(super) is_free: bool,
}

/// What a slot can hold.
pub(super) enum Holds {
    /// One text.
    Text,
    /// Any number of them.
    Members {
        /// What is known to be in it, or not.
        known: BTreeMap<String, bool>,
        /// Whether nothing else is in it.
        is_closed: bool,
    },
}

impl Slot<'_> {
    pub(super) fn name(&self) -> &str {
        &self.claim.name
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.holds, Holds::Text)
    }

    fn is_given(&self) -> bool {
        self.claim.given.is_some()
    }

    /// Whether what is decided of it matters after the last pattern that asks for it.
    fn is_tied(&self) -> bool {
        self.is_text() && (self.claim.is_compared || !self.is_free)
    }

    /// Whether a segment can be decided to be its value although no pattern needs it here.
    pub(super) fn is_of_use(&self) -> bool {
        self.claim.is_asked || self.is_tied()
    }
}

/// The claims that patterns ask for a segment in: those that must match the key, and those that must not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) asked: Slots,
    pub(super) refused: Slots,
}

impl Look {
    fn has(self, slot: usize) -> bool {
        (self.asked | self.refused) & bit(slot) != 0
    }
}

/// What has been decided.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Mind {
    /// The value of each text that is known.
    pub(super) values: BTreeMap<usize, Value>,
    /// Whether a segment that can come again is in a slot. Of a text that is known, nothing.
    decided: BTreeMap<(usize, Pick), bool>,
}

/// The value of a text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Value {
    /// The named text with this place among the letters.
    Named(usize),
    /// A word of its own of this class.
    Own(usize),
    /// The same as that of this slot.
    Same(usize),
}

impl Mind {
    /// How many things have been decided.
    pub(super) fn size(&self) -> usize {
        self.values.len().saturating_add(self.decided.len())
    }

    /// The slots with words of their own.
    pub(super) fn owners(&self) -> impl Iterator<Item = usize> {
        let own = |(slot, value): (&usize, &Value)| matches!(value, Value::Own(_)).then_some(*slot);
        self.values.iter().filter_map(own)
    }

    /// The letter that a segment is, or is a word of.
    pub(super) fn letter<'l>(&self, pick: Pick, letters: &'l [Letter]) -> Option<&'l Letter> {
        let at = match pick {
            Pick::New(at) | Pick::Named(at) => at,
            Pick::Of(slot) => match self.values.get(&slot) {
                Some(Value::Own(at)) => *at,
                Some(Value::Named(_) | Value::Same(_)) | None => return None,
            },
        };
        letters.get(at)
    }

    /// Whether it has been decided that a text is not the value of a slot.
    pub(super) fn refuses(&self, slot: usize, pick: Pick) -> bool {
        self.decided.get(&(slot, pick)) == Some(&false)
    }

    /// What is left of it when only these slots are asked for from now on.
    pub(super) fn of_what_is_ahead(&self, ahead: Slots, slots: &[Slot<'_>]) -> Self {
        let matters = |slot: usize| ahead & bit(slot) != 0 || slots.get(slot).is_some_and(Slot::is_tied);
        let mut values: BTreeMap<usize, Value> = self
            .values
            .iter()
            .filter(|(slot, _)| matters(**slot))
            .map(|(slot, value)| (*slot, *value))
            .collect();
        // A word that another has is still one that can come again.
        let shared: Vec<usize> = values
            .values()
            .filter_map(|value| match value {
                Value::Same(owner) => Some(*owner),
                Value::Named(_) | Value::Own(_) => None,
            })
            .collect();
        for owner in shared {
            values.extend(self.values.get(&owner).map(|value| (owner, *value)));
        }
        let is_kept = |pick: &Pick| match pick {
            Pick::Of(owner) => values.contains_key(owner),
            Pick::New(_) | Pick::Named(_) => true,
        };
        let decided = self.decided.iter().filter(|((slot, pick), _)| matters(*slot) && is_kept(pick));
        let decided = decided.map(|(key, is_in)| (*key, *is_in)).collect();
        Self { values, decided }
    }

    /// Notes that a segment is the value of a text.
    fn bind(&mut self, slot: usize, value: Value) {
        self.values.insert(slot, value);
        self.decided.retain(|(of, _), _| *of != slot);
    }
}

/// The ways in which the claims can have a segment: for which it is the value, and what that decides.
///
/// Where only patterns that must match the key ask for a claim, it is best to have the segment; where only those
/// ask that must not, it is best not to: so these are not tried both ways, unless that decides on more than this
/// segment.
pub(super) fn readings(
    mind: &Mind,
    pick: Pick,
    letter: &Letter,
    look: Look,
    slots: &[Slot<'_>],
) -> Vec<Read> {
    let mut all = vec![(0, mind.clone(), pick)];
    // Texts come first: a new word that one of them has is a word that can come again.
    let texts = || slots.iter().enumerate().filter(|(slot, one)| look.has(*slot) && one.is_text());
    for (slot, one) in texts() {
        all = all
            .into_iter()
            .flat_map(|(is_in, mind, pick)| of_text(slot, one, is_in, mind, pick, letter, look))
            .collect();
    }
    if matches!(pick, Pick::New(_)) {
        for (is_in, mind, pick) in all.iter_mut().filter(|(_, _, pick)| matches!(pick, Pick::Of(_))) {
            // Those that were decided on before the word was one that can come again.
            for (slot, _) in texts().filter(|(slot, one)| *is_in & bit(*slot) == 0 && one.is_of_use()) {
                if !mind.values.contains_key(&slot) {
                    mind.decided.insert((slot, *pick), false);
                }
            }
        }
    }
    for (slot, one) in slots.iter().enumerate().filter(|(slot, _)| look.has(*slot)) {
        let Holds::Members { known, is_closed } = &one.holds else { continue };
        let mut next = Vec::new();
        for (is_in, mind, pick) in all {
            let text = match pick {
                Pick::Named(_) => Some(letter.text()),
                Pick::New(_) | Pick::Of(_) => None,
            };
            let known = text.and_then(|text| known.get(text).copied()).or(is_closed.then_some(false));
            let known = known.or_else(|| best_member(slot, one, pick, look));
            let known = known.or_else(|| mind.decided.get(&(slot, pick)).copied());
            if let Some(known) = known {
                next.push((if known { is_in | bit(slot) } else { is_in }, mind, pick));
                continue;
            }
            for decided in [true, false] {
                let mut mind = mind.clone();
                if !matches!(pick, Pick::New(_)) {
                    mind.decided.insert((slot, pick), decided);
                }
                next.push((if decided { is_in | bit(slot) } else { is_in }, mind, pick));
            }
        }
        all = next;
    }
    all
}

/// The slots that have a segment, what that decides, and what the segment is then.
type Read = (Slots, Mind, Pick);

/// Whether it is best that an array has the segment, or that it does not; `None` where it depends.
fn best_member(slot: usize, one: &Slot<'_>, pick: Pick, look: Look) -> Option<bool> {
    let (is_asked, is_refused) = match pick {
        // A new word is not seen again.
        Pick::New(_) => (look.asked & bit(slot) != 0, look.refused & bit(slot) != 0),
        Pick::Named(_) | Pick::Of(_) => (one.claim.is_asked, one.claim.is_refused),
    };
    match (is_asked, is_refused) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) | (false, false) => None,
    }
}

/// The ways in which a text can have the segment.
fn of_text(
    slot: usize,
    one: &Slot<'_>,
    is_in: Slots,
    mind: Mind,
    pick: Pick,
    letter: &Letter,
    look: Look,
) -> Vec<Read> {
    let yes = is_in | bit(slot);
    if one.is_given() {
        let is_it = matches!(pick, Pick::Named(_)) && one.claim.may_be(letter.text());
        return vec![(if is_it { yes } else { is_in }, mind, pick)];
    }
    let has = match (mind.values.get(&slot), pick) {
        (Some(Value::Named(value)), Pick::Named(at)) => Some(*value == at),
        (Some(Value::Own(_)), Pick::Of(owner)) => Some(owner == slot),
        (Some(Value::Same(value)), Pick::Of(owner)) => Some(*value == owner),
        (Some(_), _) => Some(false),
        (None, _) => (!one.claim.may_be(letter.text()) || mind.refuses(slot, pick)).then_some(false),
    };
    if let Some(has) = has {
        return vec![(if has { yes } else { is_in }, mind, pick)];
    }
    let mut ways = Vec::new();
    let is_needed_here = look.asked & bit(slot) != 0 || one.claim.is_compared;
    let (may_be, value, after) = match pick {
        Pick::New(at) => (is_needed_here, Value::Own(at), Pick::Of(slot)),
        Pick::Named(at) => (one.is_of_use(), Value::Named(at), pick),
        Pick::Of(owner) => (one.is_of_use(), Value::Same(owner), pick),
    };
    if may_be {
        let mut mind = mind.clone();
        mind.bind(slot, value);
        ways.push((yes, mind, after));
    }
    let mut mind = mind;
    if one.is_of_use() && !matches!(pick, Pick::New(_)) {
        mind.decided.insert((slot, pick), false);
    }
    ways.push((is_in, mind, pick));
    ways
}
