//! What is wrong with a policy, and where.

use std::collections::BTreeSet;
use std::fmt;

use crate::claim_name;

/// The longest name or id, in characters. They are on every line of the decision log.
const MAX_NAME: usize = 64;

/// One thing that is wrong with a policy: where, what, and how to fix it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyProblem {
    /// The place in the document.
    pub place: Place,
    /// What is wrong: lower case, no period, the author's words in backticks.
    pub message: String,
    /// How to fix it.
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

    /// The member `name` of this place.
    #[must_use]
    pub fn then(&self, name: &str) -> Self {
        self.step(Step::Member(name.into()))
    }

    /// The element `index` of this place.
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

/// The problems so far. All are found in one pass, so that a policy can be fixed in one pass.
#[derive(Default)]
pub(super) struct Problems(Vec<PolicyProblem>);

impl Problems {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order in which they were found.
    pub(super) fn into_vec(self) -> Vec<PolicyProblem> {
        self.0
    }

    pub(super) fn add(&mut self, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(PolicyProblem { place, message: message.into(), remedy: remedy.into() });
    }

    /// Checks the name of a claim, which stands at this place.
    pub(super) fn check_claim(&mut self, place: impl FnOnce() -> Place, name: &str) {
        if let Err(error) = claim_name::check(name) {
            self.add(
                place(),
                format!("`{}` is not the name of a claim: {error}", name.escape_debug()),
                error.remedy(),
            );
        }
    }

    /// A name that appears in the log. It must be safe to print and to search for.
    pub(super) fn check_name<'d>(
        &mut self,
        place: impl FnOnce() -> Place,
        name: &'d str,
        seen: &mut BTreeSet<&'d str>,
    ) {
        let printable = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(printable) {
            self.add(
                place(),
                format!("`{}` is not a usable name", name.escape_debug()),
                format!("use 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`"),
            );
        } else if !seen.insert(name) {
            self.add(place(), format!("`{name}` is used twice"), "give each its own name");
        }
    }

    pub(super) fn check_strings(&mut self, place: &Place, strings: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, text) in strings.iter().enumerate() {
            if text.is_empty() {
                self.add(place.at(index), "an empty string matches no token", "write a value, or remove it");
            } else if !seen.insert(text.as_str()) {
                self.add(place.at(index), format!("`{text}` is listed twice"), "remove one");
            }
        }
    }
}
