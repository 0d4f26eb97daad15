//! What a question may cost, in steps and bytes.
//!
//! Both are counted, and no clock is read: so a question is decided on every machine, or on none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The steps of one command, before those for each rule. About ten seconds of one processor in a release build.
const STEPS: u64 = 6_000_000;

/// The steps of one command for each rule of a policy: about ten times what a usual rule needs.
const STEPS_OF_A_RULE: u64 = 20_000;

/// The part of the steps that one question may take, so that one hard rule leaves the others decided.
const SHARE: u64 = 4;

/// The bytes that one question may hold at a time. Two processors ask two at once.
const BYTES: u64 = 256 << 20;

/// The steps that are left for the questions of one command. Clones share them.
#[derive(Clone, Debug)]
pub struct Budget {
    left: Arc<AtomicU64>,
    share: u64,
}

impl Budget {
    /// For questions about policies with this many rules.
    pub fn for_rules(rules: usize) -> Self {
        let rules = u64::try_from(rules).unwrap_or(u64::MAX);
        Self::of_steps(STEPS.saturating_add(rules.saturating_mul(STEPS_OF_A_RULE)), STEPS / SHARE)
    }

    /// For the tests that a policy lacks, however many rules it has.
    pub(crate) fn for_suggestions() -> Self {
        Self::of_steps(STEPS, STEPS / SHARE)
    }

    /// With this many steps in all, and for one question.
    pub(crate) fn of_steps(steps: u64, share: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(steps)), share }
    }

    /// The steps that are left.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes steps from it, or what is left.
    pub(crate) fn take(&self, steps: u64) {
        let less = |left: u64| Some(left.saturating_sub(steps));
        // It never fails, since there is always a next value.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OutOfBudget;

/// What one question has spent so far.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    spent: u64,
    limit: u64,
    held: u64,
}

impl Meter {
    pub(crate) fn new(budget: &Budget) -> Self {
        let limit = budget.left().min(budget.share);
        Self { budget: budget.clone(), spent: 0, limit, held: 0 }
    }

    /// Counts steps.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), OutOfBudget> {
        self.spent = self.spent.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        if self.spent > self.limit { Err(OutOfBudget) } else { Ok(()) }
    }

    /// Counts bytes that are held from now on.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), OutOfBudget> {
        self.held = self.held.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.held > BYTES { Err(OutOfBudget) } else { Ok(()) }
    }

    /// The bytes that are held.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// All bytes beyond these are given back.
    pub(crate) fn release_to(&mut self, held: u64) {
        self.held = self.held.min(held);
    }

    /// The steps that may still be spent.
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    /// Does something with no more than these steps; `None` if they do not suffice, though there are others left.
    pub(crate) fn within<T>(
        &mut self,
        steps: u64,
        mut run: impl FnMut(&mut Self) -> Result<T, OutOfBudget>,
    ) -> Result<Option<T>, OutOfBudget> {
        let (limit, held) = (self.limit, self.held);
        self.limit = limit.min(self.spent.saturating_add(steps));
        let result = run(self);
        self.limit = limit;
        match result {
            Ok(found) => Ok(Some(found)),
            Err(OutOfBudget) => {
                self.release_to(held);
                // What went over is counted, too.
                self.spend(0).map(|()| None)
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.budget.take(self.spent);
    }
}

#[cfg(test)]
impl Meter {
    pub(crate) fn for_tests() -> Self {
        Self::new(&Budget::for_rules(2))
    }
}
