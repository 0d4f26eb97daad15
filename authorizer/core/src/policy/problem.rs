//! What is wrong with a policy, and where.

use std::fmt;

/// One thing that is wrong with a policy: where, what, and how to mend it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyProblem {
    /// The place in the document.
    pub place: Place,
    /// What is wrong: lower case, no period, the author's words in backticks.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

/// A place in a document, such as `rules[1].keys[0]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Place(Vec<Step>);

/// One step into a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// The member of an object or table.
    Member(String),
    /// The element of an array, from 0.
    Element(usize),
}

impl Place {
    /// A place at the top of the document.
    pub fn member(name: &str) -> Self {
        Self(vec![Step::Member(name.into())])
    }

    /// The member `name` of what is here.
    #[must_use]
    pub fn then(&self, name: &str) -> Self {
        self.step(Step::Member(name.into()))
    }

    /// The element `index` of what is here.
    #[must_use]
    pub fn at(&self, index: usize) -> Self {
        self.step(Step::Element(index))
    }

    /// The steps from the top.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len().saturating_add(1));
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if index == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(element) => write!(f, "[{element}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.message, self.remedy)
    }
}
