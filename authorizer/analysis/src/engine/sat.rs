//! The boolean part: which atoms must be true, before the theories are asked.

use std::collections::HashMap;

use batsat::{Callbacks, Lit, Solver, SolverInterface as _, SolverOpts, Var, clause, lbool};

use super::atom::Atom;
use super::budget::{Meter, OutOfBudget};

/// An atom of a problem, by its number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct AtomId(usize);

/// An atom that holds, or does not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Literal {
    pub(crate) atom: AtomId,
    pub(crate) holds: bool,
}

impl Literal {
    pub(crate) fn yes(atom: AtomId) -> Self {
        Self { atom, holds: true }
    }

    pub(crate) fn no(atom: AtomId) -> Self {
        Self { atom, holds: false }
    }
}

/// How many pairs of clauses are looked at in a step.
const STEP: usize = 256;

/// The steps of a conflict in the solver.
const STEPS_OF_A_CONFLICT: u64 = 16;

/// A group of clauses. An answer can be traced back to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Group(usize);

/// Stops the solver after so many conflicts.
#[derive(Debug, Default)]
struct Conflicts {
    left: u64,
}

impl Callbacks for Conflicts {
    fn on_new_clause(&mut self, _: &[Lit], kind: clause::Kind) {
        if matches!(kind, clause::Kind::Learnt) {
            self.left = self.left.saturating_sub(1);
        }
    }

    fn stop(&self) -> bool {
        self.left == 0
    }
}

/// Clauses over atoms. SAT solving is `batsat`'s, a MiniSat.
pub(crate) struct Problem<'p> {
    solver: Solver<Conflicts>,
    atoms: Vec<Option<Atom<'p>>>,
    variables: Vec<Var>,
    by_name: HashMap<String, AtomId>,
    clauses: Vec<(Vec<Literal>, Option<Group>)>,
    groups: Vec<Lit>,
}

impl<'p> Problem<'p> {
    pub(crate) fn new() -> Self {
        Self {
            solver: Solver::new(SolverOpts::default(), Conflicts::default()),
            atoms: Vec::new(),
            variables: Vec::new(),
            by_name: HashMap::new(),
            clauses: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// The number of an atom; the same for the same statement.
    pub(crate) fn atom(&mut self, atom: Atom<'p>) -> AtomId {
        let name = atom.name();
        if let Some(known) = self.by_name.get(&name) {
            return *known;
        }
        let id = self.push(Some(atom));
        self.by_name.insert(name, id);
        id
    }

    /// A proposition that does not belong to a theory.
    pub(crate) fn auxiliary(&mut self) -> AtomId {
        self.push(None)
    }

    fn push(&mut self, atom: Option<Atom<'p>>) -> AtomId {
        let id = AtomId(self.atoms.len());
        self.atoms.push(atom);
        self.variables.push(self.solver.new_var_default());
        id
    }

    /// The meaning of an atom; `None` for an auxiliary one.
    pub(crate) fn statement(&self, id: AtomId) -> Option<&Atom<'p>> {
        self.atoms.get(id.0).and_then(Option::as_ref)
    }

    /// A new group.
    pub(crate) fn group(&mut self) -> Group {
        let variable = self.solver.new_var_default();
        self.groups.push(Lit::new(variable, true));
        Group(self.groups.len().saturating_sub(1))
    }

    /// Requires that one of the literals is true.
    pub(crate) fn clause(&mut self, literals: Vec<Literal>, group: Option<Group>) {
        let mut lits: Vec<Lit> = literals.iter().filter_map(|literal| self.lit(*literal)).collect();
        if let Some(switch) = group.and_then(|group| self.groups.get(group.0)) {
            lits.push(!*switch);
        }
        self.solver.add_clause_reuse(&mut lits);
        self.clauses.push((literals, group));
    }

    fn lit(&self, literal: Literal) -> Option<Lit> {
        self.variables.get(literal.atom.0).map(|variable| Lit::new(*variable, literal.holds))
    }

    /// Literals that satisfy every clause, and no more of them than that takes; or the groups without which there
    /// might be some.
    pub(crate) fn solve(
        &mut self,
        groups: &[Group],
        meter: &mut Meter,
    ) -> Result<Result<Vec<Literal>, Vec<Group>>, OutOfBudget> {
        let switches: Vec<Lit> =
            groups.iter().filter_map(|group| self.groups.get(group.0)).copied().collect();
        // A clause is looked at for each literal that is chosen.
        meter.spend(self.clauses.len().saturating_mul(self.clauses.len()).div_euclid(STEP))?;
        let allowed = meter.left().div_euclid(STEPS_OF_A_CONFLICT).saturating_add(1);
        self.solver.cb_mut().left = allowed;
        let found = self.solver.solve_limited(&switches);
        let conflicts = allowed.saturating_sub(self.solver.cb().left);
        let steps = conflicts.saturating_mul(STEPS_OF_A_CONFLICT);
        meter.spend(usize::try_from(steps).unwrap_or(usize::MAX))?;
        if found == lbool::TRUE {
            return Ok(Ok(self.implicant(groups)));
        }
        if found != lbool::FALSE {
            return Err(OutOfBudget);
        }
        let core = self.solver.unsat_core();
        let is_in_core = |group: &&Group| {
            self.groups.get(group.0).is_some_and(|switch| core.iter().any(|lit| lit.var() == switch.var()))
        };
        Ok(Err(groups.iter().filter(is_in_core).copied().collect()))
    }

    /// Of what holds in the solver's model, one literal for each clause: what it says of the other atoms is of no
    /// matter, and the theories need not agree to it.
    fn implicant(&self, groups: &[Group]) -> Vec<Literal> {
        let mut chosen: Vec<Literal> = Vec::new();
        let mut order: Vec<&(Vec<Literal>, Option<Group>)> = self
            .clauses
            .iter()
            .filter(|(_, group)| group.is_none_or(|group| groups.contains(&group)))
            .collect();
        order.sort_by_key(|(literals, _)| literals.len());
        for (literals, _) in order {
            if literals.iter().any(|literal| chosen.contains(literal)) {
                continue;
            }
            let true_ones = literals.iter().filter(|literal| {
                self.lit(**literal).is_some_and(|lit| self.solver.value_lit(lit) == lbool::TRUE)
            });
            chosen.extend(true_ones.min_by_key(|literal| self.cost(**literal)));
        }
        chosen
    }

    /// How much work a literal causes.
    fn cost(&self, literal: Literal) -> u8 {
        match self.statement(literal.atom) {
            None => 0,
            Some(
                Atom::Source(_)
                | Atom::Host(_)
                | Atom::Period(..)
                | Atom::IssuedBefore(_)
                | Atom::Type(_)
                | Atom::Length(_)
                | Atom::Media(_)
                | Atom::Overrides(_)
                | Atom::Parameters(_)
                | Atom::Checksums(_),
            ) => 2,
            Some(Atom::Names(_) | Atom::MetadataIs(..) | Atom::MetadataAbsent(_) | Atom::SameText(..)) => 3,
            Some(Atom::Claim(..)) => 1,
            Some(Atom::Key(..)) => 4,
        }
    }
}
