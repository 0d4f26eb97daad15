//! A question: is there a request that these rules match and those do not? Also the search for its answer.

use std::collections::BTreeSet;

use authorizer_core::Refusal;
use authorizer_core::operation::S3Operation;
use authorizer_core::request::Resource;
use authorizer_core::rules::{Access, KeyPattern, MetadataTerm};
use authorizer_core::token::Issuer;

use super::atom::{Atom, ClaimAtom, Match, Reading, match_of, validity_of};
use super::budget::{Meter, OutOfBudget};
use super::sat::{Group, Literal, Problem};
use super::space::{Bounds, Who};
use super::theory::{self, Context};
use super::witness::Witness;
use super::{Engine, EngineError, RuleRef};
use crate::host::host_of_none;

/// Whether a policy accepts the token of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Token {
    /// It does. Also if the request does not have a token.
    Valid,
    /// It does not.
    Invalid,
}

/// What one rule adds to an upload, and another does not, or otherwise.
#[derive(Clone, Copy, Debug)]
pub struct MetadataDifference<'p> {
    /// The name of the metadata.
    pub name: &'p str,
    /// What the one makes it; none where it leaves it as it is.
    pub one: Option<&'p MetadataTerm>,
    /// What the other does.
    pub other: Option<&'p MetadataTerm>,
}

/// A question. The rules of a policy are checked only if it accepts the token.
#[derive(Clone)]
pub struct Question<'p, 'q> {
    /// What the request does.
    pub operation: S3Operation,
    /// Whose it is.
    pub who: &'q Who,
    /// Other known facts about it.
    pub bounds: &'q Bounds,
    /// For each policy, in order.
    pub tokens: &'q [Token],
    /// Rules that match, all of them.
    pub require: &'q [RuleRef],
    /// Rules that must not match.
    pub exclude: &'q [RuleRef],
    /// A pattern that the key or the prefix is of, and how it is read.
    pub within: Option<(&'p KeyPattern, Reading)>,
    /// The metadata that two rules do not make the same.
    pub difference: Option<MetadataDifference<'p>>,
}

/// The result.
#[derive(Debug)]
pub enum Answer {
    /// Such a request, confirmed by the core.
    Yes(Box<Witness>),
    /// There is no such request: one of these rules matches each candidate. Without rules, there are no candidates.
    No(Vec<RuleRef>),
}

impl Answer {
    /// The request, where there is one.
    pub fn witness(self) -> Option<Witness> {
        match self {
            Self::Yes(witness) => Some(*witness),
            Self::No(_) => None,
        }
    }
}

impl<'p> Engine<'p> {
    /// Answers a question. For a "no", it also says which rules cause it.
    ///
    /// # Errors
    /// [`EngineError`] if the analysis did not finish.
    pub fn ask(&self, question: &Question<'p, '_>) -> Result<Answer, EngineError> {
        let mut asked = OpenQuestion::new(self, question);
        let answer = match asked.answer() {
            Ok(Ok(witness)) => Ok(Answer::Yes(Box::new(witness))),
            Ok(Err(rules)) => asked.fewest(rules).map(Answer::No),
            Err(stopped) => Err(stopped),
        };
        answer.map_err(|stopped| asked.error(stopped))
    }

    /// Such a request, for a caller that does not need the reason for a "no".
    pub(crate) fn find(&self, question: &Question<'p, '_>) -> Result<Option<Witness>, EngineError> {
        let mut asked = OpenQuestion::new(self, question);
        let answer = asked.answer();
        answer.map(Result::ok).map_err(|stopped| asked.error(stopped))
    }
}

/// Why a question is not answered.
enum Stopped {
    OutOfBudget,
    Unconfirmed(EngineError),
}

impl From<OutOfBudget> for Stopped {
    fn from(OutOfBudget: OutOfBudget) -> Self {
        Self::OutOfBudget
    }
}

impl From<EngineError> for Stopped {
    fn from(error: EngineError) -> Self {
        Self::Unconfirmed(error)
    }
}

/// How many of the excluded rules are looked up in a step of the budget, among those that match.
const LOOKED_UP: usize = 64;

/// The largest number of rules that are tried one by one for whether they must be named.
const MOST_SIFTED: usize = 24;

/// A question on the way to its answer.
struct OpenQuestion<'p, 'q, 'a> {
    engine: &'a Engine<'p>,
    question: &'a Question<'p, 'q>,
    problem: Problem<'p>,
    meter: Meter,
    /// The rules that have been excluded so far.
    excluded: Vec<(RuleRef, Group)>,
    /// The issuers that must accept the token.
    issuers: Vec<&'p Issuer>,
}

impl<'p, 'q, 'a> OpenQuestion<'p, 'q, 'a> {
    fn new(engine: &'a Engine<'p>, question: &'a Question<'p, 'q>) -> Self {
        let meter = Meter::new(engine.budget());
        Self { engine, question, problem: Problem::new(), meter, excluded: Vec::new(), issuers: Vec::new() }
    }

    /// The error for a caller. It names the rules that the question has come to need.
    fn error(&self, stopped: Stopped) -> EngineError {
        match stopped {
            Stopped::Unconfirmed(error) => error,
            Stopped::OutOfBudget => {
                let excluded = self.excluded.iter().map(|(rule, _)| *rule);
                let involved = self.question.require.iter().copied().chain(excluded);
                EngineError::NotDecided {
                    rules: involved
                        .filter_map(|rule| self.engine.rule(rule).map(|rule| rule.id().to_owned()))
                        .collect(),
                }
            }
        }
    }

    /// A request, or the rules that prevent one. The rules that must not match are added only if a found request
    /// matches one of them: so of a thousand rules only the relevant ones cost time.
    fn answer(&mut self) -> Result<Result<Witness, Vec<RuleRef>>, Stopped> {
        if !self.set_up() {
            return Ok(Err(Vec::new()));
        }
        loop {
            let witness = match self.solve()? {
                Ok(witness) => witness,
                Err(rules) => return Ok(Err(rules)),
            };
            self.meter.spend(self.question.exclude.len().div_euclid(LOOKED_UP).saturating_add(1))?;
            let matching = self.confirm(&witness)?;
            if matching.is_empty() {
                return Ok(Ok(witness));
            }
            for rule in matching {
                self.exclude(rule, &witness)?;
            }
        }
    }

    fn match_of(&self, at: RuleRef) -> Option<Match<'p>> {
        let Question { operation, who, .. } = self.question;
        // If no rule of the policy allows the operation, its deny rules are not reached either.
        if !self.engine.recognised(at.side).contains(*operation) {
            return None;
        }
        match_of(self.engine.rule(at)?, *operation, who, self.engine.issuer(at.side, who))
    }

    /// Writes down the conditions. Returns whether they can be met at all.
    fn set_up(&mut self) -> bool {
        for (side, token) in self.question.tokens.iter().enumerate() {
            if !self.set_up_token(side, *token) {
                return false;
            }
        }
        for rule in self.question.require {
            let Some(Match { atoms, keys }) = self.match_of(*rule) else { return false };
            for atom in atoms {
                self.require(atom);
            }
            let keys = keys.into_iter().map(|key| Literal::yes(self.problem.atom(key))).collect();
            self.problem.clause(keys, None);
        }
        if let Some((pattern, reading)) = self.question.within {
            if !super::could_match(pattern, reading, self.question.who) {
                return false;
            }
            self.require(Atom::Key(pattern, reading));
        }
        self.question.difference.is_none_or(|difference| self.set_up_difference(difference))
    }

    fn require(&mut self, atom: Atom<'p>) {
        let id = self.problem.atom(atom);
        self.problem.clause(vec![Literal::yes(id)], None);
    }

    fn refuse(&mut self, atom: Atom<'p>) {
        let id = self.problem.atom(atom);
        self.problem.clause(vec![Literal::no(id)], None);
    }

    fn set_up_token(&mut self, side: usize, token: Token) -> bool {
        if *self.question.who == Who::Anonymous {
            return token != Token::Invalid;
        }
        let Some(issuer) = self.engine.issuer(side, self.question.who) else { return token != Token::Valid };
        let validity = validity_of(issuer);
        match token {
            Token::Valid => {
                self.issuers.push(issuer);
                for atom in validity.atoms {
                    self.require(atom);
                }
                for revocation in validity.revocations {
                    let not_all = revocation.into_iter().map(|atom| Literal::no(self.problem.atom(atom)));
                    let not_all = not_all.collect();
                    self.problem.clause(not_all, None);
                }
            }
            Token::Invalid => {
                let mut some: Vec<Literal> =
                    validity.atoms.into_iter().map(|atom| Literal::no(self.problem.atom(atom))).collect();
                for revocation in validity.revocations {
                    let is_revoked = self.problem.auxiliary();
                    for atom in revocation {
                        let atom = self.problem.atom(atom);
                        self.problem.clause(vec![Literal::no(is_revoked), Literal::yes(atom)], None);
                    }
                    some.push(Literal::yes(is_revoked));
                }
                self.problem.clause(some, None);
            }
        }
        true
    }

    /// Without the header, one rule makes the metadata something that the other does not.
    fn set_up_difference(&mut self, difference: MetadataDifference<'p>) -> bool {
        use MetadataTerm::{Any, Claim, Literal as Text};
        self.require(Atom::MetadataAbsent(difference.name));
        match (difference.one, difference.other) {
            (None | Some(Any), None | Some(Any)) => false,
            (Some(Text(one)), Some(Text(other))) => one != other,
            (Some(Text(text)), Some(Claim(claim))) | (Some(Claim(claim)), Some(Text(text))) => {
                self.refuse(Atom::Claim(claim, ClaimAtom::Is(text)));
                true
            }
            (Some(Claim(one)), Some(Claim(other))) => {
                self.refuse(Atom::SameText(one, other));
                one != other
            }
            (Some(Text(_) | Claim(_)), None | Some(Any)) | (None | Some(Any), Some(Text(_) | Claim(_))) => {
                true
            }
        }
    }

    /// A request that meets the conditions so far, or the rules that prevent one.
    fn solve(&mut self) -> Result<Result<Witness, Vec<RuleRef>>, OutOfBudget> {
        let groups: Vec<Group> = self.excluded.iter().map(|(_, group)| *group).collect();
        self.solve_without(&groups)
    }

    /// A host that no rule has, for a request of any host; `None` if no rule has one.
    fn other_host(&mut self) -> Result<Option<String>, OutOfBudget> {
        let hosts = self.engine.hosts();
        if hosts.is_empty() {
            return Ok(None);
        }
        self.meter.spend(hosts.len().div_euclid(16).saturating_add(1))?;
        Ok(host_of_none(&hosts))
    }

    fn solve_without(&mut self, groups: &[Group]) -> Result<Result<Witness, Vec<RuleRef>>, OutOfBudget> {
        loop {
            let literals = match self.problem.solve(groups, &mut self.meter)? {
                Ok(literals) => literals,
                Err(core) => {
                    let of_core = self.excluded.iter().filter(|(_, group)| core.contains(group));
                    return Ok(Err(of_core.map(|(rule, _)| *rule).collect()));
                }
            };
            let context = Context {
                operation: self.question.operation,
                who: self.question.who,
                issuers: &self.issuers,
                bounds: self.question.bounds,
            };
            let problem = &self.problem;
            let statement = |id| problem.statement(id).cloned();
            match theory::check(context, &literals, statement, &mut self.meter)? {
                Ok(model) => {
                    let other = if model.host.is_none() { self.other_host()? } else { None };
                    return Ok(Ok(Witness::of(model, other, |path| self.engine.is_own_path(path))));
                }
                Err(conflict) => {
                    let not_all = conflict
                        .into_iter()
                        .map(|one| Literal { atom: one.atom, holds: !one.holds })
                        .collect();
                    self.problem.clause(not_all, None);
                }
            }
        }
    }

    /// The rules that match the witness although they must not, as the core examines them. Also checks that all other
    /// conditions are met.
    fn confirm(&self, witness: &Witness) -> Result<Vec<RuleRef>, EngineError> {
        let mut matching = BTreeSet::new();
        for (side, token) in self.question.tokens.iter().enumerate() {
            let Some(authorizer) = self.engine.authorizer(side) else { continue };
            let access = match (witness.access(authorizer), token) {
                (Ok(_), Token::Invalid) => {
                    return Err(EngineError::unconfirmed(witness, "the token is accepted".to_owned()));
                }
                (Ok(access), Token::Valid) => access,
                (Err(Refusal::Token(_)), Token::Invalid) => continue,
                (Err(Refusal::Token(error)), Token::Valid) => {
                    return Err(EngineError::unconfirmed(
                        witness,
                        format!("the token is refused: {error:?}"),
                    ));
                }
                // No rule of this policy allows the operation, so no allow rule matches either.
                (Err(refusal), _) => match self.question.require.iter().any(|rule| rule.side == side) {
                    true => {
                        return Err(EngineError::unconfirmed(
                            witness,
                            format!("it is refused: {}", refusal.reason()),
                        ));
                    }
                    false => continue,
                },
            };
            if let Some((pattern, reading)) = self.question.within
                && !is_within(pattern, reading, &access)
            {
                return Err(EngineError::unconfirmed(witness, format!("the key does not match `{pattern}`")));
            }
            let own: BTreeSet<usize> =
                authorizer.bundle().policy().matching(&access).map(|(place, _)| place).collect();
            let rules = self.engine.rules(side).len();
            let matches = |rule: &&RuleRef| {
                rule.side == side
                    && match rule.rule < rules {
                        true => own.contains(&rule.rule),
                        false => self.engine.rule(**rule).is_some_and(|rule| rule.examine(&access).is_ok()),
                    }
            };
            for rule in self.question.require.iter().filter(|rule| rule.side == side) {
                if !matches(&rule) {
                    let id = self.engine.rule(*rule).map(|rule| rule.id()).unwrap_or_default();
                    return Err(EngineError::unconfirmed(witness, format!("rule `{id}` does not match")));
                }
            }
            matching.extend(self.question.exclude.iter().filter(matches).copied());
        }
        Ok(matching.into_iter().collect())
    }

    fn exclude(&mut self, rule: RuleRef, witness: &Witness) -> Result<(), EngineError> {
        let id = || self.engine.rule(rule).map(|rule| rule.id().to_owned()).unwrap_or_default();
        if self.excluded.iter().any(|(known, _)| *known == rule) {
            return Err(EngineError::unconfirmed(witness, format!("rule `{}` matches", id())));
        }
        let Some(Match { atoms, keys }) = self.match_of(rule) else {
            return Err(EngineError::unconfirmed(witness, format!("rule `{}` matches", id())));
        };
        let group = self.problem.group();
        self.excluded.push((rule, group));
        let atoms: Vec<Literal> =
            atoms.into_iter().map(|atom| Literal::no(self.problem.atom(atom))).collect();
        for key in keys {
            let mut clause = vec![Literal::no(self.problem.atom(key))];
            clause.extend(&atoms);
            self.problem.clause(clause, Some(group));
        }
        Ok(())
    }

    /// Removes rules from the reason for a "no" that are not needed in it.
    fn fewest(&mut self, rules: Vec<RuleRef>) -> Result<Vec<RuleRef>, Stopped> {
        let mut needed = rules;
        if needed.len() > MOST_SIFTED {
            return Ok(needed);
        }
        let mut index = 0;
        while index < needed.len() {
            let mut fewer = needed.clone();
            fewer.remove(index);
            let groups: Vec<Group> = self
                .excluded
                .iter()
                .filter(|(rule, _)| fewer.contains(rule))
                .map(|(_, group)| *group)
                .collect();
            match self.solve_without(&groups)? {
                Err(_) => needed = fewer,
                Ok(_) => index = index.saturating_add(1),
            }
        }
        Ok(needed)
    }
}

/// Whether the pattern, so read, matches the target, as the core decides.
pub(super) fn is_within(pattern: &KeyPattern, reading: Reading, access: &Access<'_>) -> bool {
    match (access.request.resource(), reading) {
        (Resource::Object(key), Reading::Exactly) => pattern.matches(key, access.claims()),
        (Resource::Prefix(prefix), Reading::Whole) => pattern.holds_all(prefix, access.claims()),
        (Resource::Prefix(prefix), Reading::Touched) => pattern.holds_any(prefix, access.claims()),
        (Resource::Object(_), Reading::Whole | Reading::Touched)
        | (Resource::Prefix(_), Reading::Exactly) => false,
    }
}
