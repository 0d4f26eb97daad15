//! How much work a question may take. It is counted in steps, so an answer is the same on every machine. What a
//! comparison of patterns holds in memory is never more than a few times the patterns, so bytes need no count.

/// The steps that are left to a command, and the most that one question may take of them.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    of_one: usize,
}

/// The steps that are left to one question.
#[derive(Debug)]
pub(crate) struct Steps {
    left: usize,
}

/// A question has no more steps: it is not decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OutOfSteps;

impl Budget {
    pub(crate) fn new(all: usize, of_one: usize) -> Self {
        Self { left: all, of_one }
    }

    /// Asks one question, which takes a step at least.
    pub(crate) fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Steps) -> Result<T, OutOfSteps>,
    ) -> Result<T, OutOfSteps> {
        let given = self.left.min(self.of_one);
        let mut steps = Steps { left: given };
        let answer = steps.take(1).and_then(|()| question(&mut steps));
        self.left = self.left.saturating_sub(given.saturating_sub(steps.left));
        answer
    }

    /// Whether every further question is one that is not decided.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }
}

impl Steps {
    /// Takes that many of them. If there are fewer, none is left.
    pub(crate) fn take(&mut self, steps: usize) -> Result<(), OutOfSteps> {
        let left = self.left.checked_sub(steps);
        self.left = left.unwrap_or_default();
        left.map(drop).ok_or(OutOfSteps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_takes_no_more_than_its_share_and_all_no_more_than_there_is() {
        let mut budget = Budget::new(25, 10);
        assert_eq!(budget.ask(|steps| steps.take(9)), Ok(()));
        // What a question asked for and did not get is spent.
        assert_eq!(budget.ask(|steps| steps.take(10)), Err(OutOfSteps));
        assert_eq!(budget.ask(|steps| steps.take(4)), Ok(()));
        assert!(budget.is_spent());
        assert_eq!(budget.ask(|_| Ok(())), Err(OutOfSteps));
    }
}
