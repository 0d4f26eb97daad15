//! Counts the steps of a walk in tests: a bound on the work is checked by counting, not by a clock.

/// The number of the most frequent steps of a walk. It only counts in tests.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Work {
    /// Nodes that were continued from.
    #[cfg(test)]
    pub(super) nodes: usize,
    /// Globs and claims that were checked against a segment.
    #[cfg(test)]
    pub(super) wild: usize,
    /// Claims read.
    #[cfg(test)]
    pub(super) claims: usize,
    /// Segments that were looked up in a claim.
    #[cfg(test)]
    pub(super) questions: usize,
}

/// Counts one step.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    Node,
    Wild,
    Claim,
    Question,
}

impl Work {
    #[cfg(not(test))]
    pub(super) fn count(&mut self, _: Counted) {}

    #[cfg(test)]
    pub(super) fn count(&mut self, what: Counted) {
        let count = match what {
            Counted::Node => &mut self.nodes,
            Counted::Wild => &mut self.wild,
            Counted::Claim => &mut self.claims,
            Counted::Question => &mut self.questions,
        };
        *count = count.saturating_add(1);
    }
}
