//! What a walk does, counted where tests ask: a bound on it is held by counting, not by a clock.

/// How often a walk did what it does most. Counts nothing but in tests.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Work {
    /// Nodes gone on from, each time.
    #[cfg(test)]
    pub(super) nodes: usize,
    /// Globs and claims held against a segment.
    #[cfg(test)]
    pub(super) wild: usize,
    /// Claims read.
    #[cfg(test)]
    pub(super) claims: usize,
    /// Segments looked for in a claim.
    #[cfg(test)]
    pub(super) questions: usize,
}

/// One thing of these.
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
