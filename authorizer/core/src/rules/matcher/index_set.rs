//! A set of indexes of a list.

/// How many words of bits stand in the set itself, so that the set of a short list allocates nothing.
const FIRST: usize = 4;

/// Indexes into a list of known length, with one bit each. They come out in order and once each, in whatever order
/// and however often they were added.
#[derive(Debug)]
pub(crate) struct IndexSet {
    first: [u64; FIRST],
    more: Vec<u64>,
}

impl IndexSet {
    /// Creates an empty set for a list of this length.
    pub(super) fn none_of(length: usize) -> Self {
        Self { first: [0; FIRST], more: vec![0; length.div_ceil(64).saturating_sub(FIRST)] }
    }

    fn word(&mut self, place: usize) -> Option<&mut u64> {
        match place.checked_sub(FIRST) {
            None => self.first.get_mut(place),
            Some(place) => self.more.get_mut(place),
        }
    }

    /// Adds an index, and says whether it is new.
    pub(super) fn insert(&mut self, index: usize) -> bool {
        let Some(word) = self.word(index >> 6) else { return false };
        let before = *word;
        *word |= 1 << (index & 63);
        before != *word
    }
}

/// The indexes, in order.
impl IntoIterator for IndexSet {
    type Item = usize;
    type IntoIter = InOrder;

    fn into_iter(self) -> InOrder {
        InOrder { left: self, word: 0 }
    }
}

/// The indexes of a set, in order. Each is removed when it is returned.
pub(crate) struct InOrder {
    left: IndexSet,
    word: usize,
}

impl Iterator for InOrder {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let word = self.left.word(self.word)?;
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= word.wrapping_sub(1);
                return Some(self.word << 6 | bit);
            }
            self.word = self.word.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_out_in_order_and_each_once() {
        for far in [199, 255, 256, 257, 399] {
            let mut places = IndexSet::none_of(400);
            for (place, is_new) in [(130, true), (0, true), (63, true), (130, false), (64, true), (far, true)]
            {
                assert_eq!(places.insert(place), is_new, "{place}");
            }
            assert!(!places.insert(far));
            assert_eq!(places.into_iter().collect::<Vec<_>>(), [0, 63, 64, 130, far]);
        }
    }
}
