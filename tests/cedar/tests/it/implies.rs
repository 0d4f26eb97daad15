//! A second engine for `audit diff`: whether a policy allows only what another one allows, by Cedar's symbolic compiler
//! and a solver, against what our own engine finds.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use authorizer_analysis::cedar::{self, Shape, Translation};
use authorizer_analysis::{AccessChange, EngineError, Witness, diff};
use authorizer_core::Authorizer;
use authorizer_core::UnixTime;
use authorizer_core::checksum::ChecksumHeader;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::record::Verdict;
use cedar_policy::{
    ActionConstraint, Decision, EntityId, EntityTypeName, EntityUid, PolicySet, RequestEnv, Schema,
};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::{Decision as Verdicts, DecisionWithModel, LocalSolver, Solver, SolverError};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, SmtLibScript as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Runtime;

use crate::dice::Dice;
use crate::facts::{Facts, ISSUERS, Words};
use crate::pair::pair;
use crate::request::{Asked, Said, UploadSaid};
use crate::skipped::skip;
use crate::smt::Model;
use crate::told::told;
use crate::{Counts, WORKERS, authorizer, keys, number, root};

/// The number of pairs of policies. `RANDOM_CASES` sets a percentage of it, `AUTHORIZER_CEDAR_SEED` selects others.
const PAIRS: usize = 200;

/// What a question may cost the solver, in its own steps: the same on every machine.
const STEPS: &str = "--rlimit-per=2000000";

/// The last second that Cedar and a calendar can write.
const LAST_SECOND: u64 = 253_402_207_200;

/// Keys of more segments are not looked at.
const MOST_SEGMENTS: usize = 24;

/// The path of the solver, or why there is none.
fn solver() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("CVC5") {
        return Ok(path.into());
    }
    let status = Command::new(root().join("tests/tools/cvc5/install")).status().unwrap();
    let folder = root().join(".tools/cvc5");
    let skipped = std::fs::read_to_string(folder.join("SKIPPED")).unwrap_or_default();
    assert!(status.success(), "tests/tools/cvc5/install: {status} {skipped}");
    if skipped.is_empty() { Ok(folder.join("cvc5")) } else { Err(skipped.trim().to_owned()) }
}

/// cvc5, which is told the facts beside what the symbolic compiler asks.
///
/// Each question has a process of its own: one that goes on takes twice the time.
struct Told {
    path: PathBuf,
    facts: Option<Facts>,
    script: Vec<u8>,
    model: Model,
}

impl Told {
    fn new(path: PathBuf) -> Self {
        Self { path, facts: None, script: Vec::new(), model: Model::default() }
    }

    /// A solver that was given all but the command to solve.
    async fn given(&mut self) -> Result<LocalSolver, SolverError> {
        let mut command = tokio::process::Command::new(&self.path);
        command.args(["--lang=smt", "--strings-exp", STEPS]).kill_on_drop(true);
        let mut cvc5 = LocalSolver::from_command(&mut command)?;
        let script = String::from_utf8(std::mem::take(&mut self.script)).unwrap();
        let facts = self.facts.as_ref().map(|facts| facts.write(&script)).unwrap_or_default();
        cvc5.smtlib_input().write_all(format!("{script}{facts}").as_bytes()).await?;
        Ok(cvc5)
    }
}

impl Solver for Told {
    fn smtlib_input(&mut self) -> &mut (dyn tokio::io::AsyncWrite + Unpin + Send) {
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        Ok(self.script.set_option("produce-models", "true").await?)
    }

    async fn check_sat(&mut self) -> Result<Verdicts, SolverError> {
        self.given().await?.check_sat().await
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        Ok(match self.given().await?.check_sat_with_model().await? {
            DecisionWithModel::Sat { model } => {
                let (own, rest) = Model::split_off(&model);
                self.model = own;
                DecisionWithModel::Sat { model: rest }
            }
            other => other,
        })
    }
}

/// One of two policies that are compared.
struct Side {
    authorizer: Authorizer,
    cedar: PolicySet,
}

impl Side {
    fn of(document: &Value) -> (Self, Shape) {
        let authorizer = authorizer(document);
        let translation = Translation::of(authorizer.bundle().policy()).unwrap();
        (Self { cedar: translation.policies().parse().unwrap(), authorizer }, translation.shape().clone())
    }

    /// The policies of Cedar that are about an operation.
    fn about(&self, operation: Op) -> BTreeSet<String> {
        let action = uid("Action", operation.name());
        let is_about = |policy: &&cedar_policy::Policy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::In(actions) => actions.contains(&action),
            ActionConstraint::Eq(one) => one == action,
        };
        self.cedar.policies().filter(is_about).map(|policy| policy.id().to_string()).collect()
    }

    /// Whether our core allows it.
    fn allows(&self, asked: &Asked) -> bool {
        let event = asked.request().event();
        let now = UnixTime::from_seconds(asked.now);
        let record = match asked.supposed() {
            Some(supposed) => self.authorizer.authorize_supposing(&event, &supposed, now).record,
            None => self.authorizer.authorize(&event, now).record,
        };
        record.decision == Verdict::Allow
    }

    /// Whether Cedar's own engine does.
    fn allows_in_cedar(&self, asked: &Asked, shape: &Shape) -> bool {
        let (request, entities) = told(asked, shape, None);
        let response = cedar_policy::Authorizer::new().is_authorized(&request, &self.cedar, &entities);
        assert_eq!(response.diagnostics().errors().count(), 0);
        response.decision() == Decision::Allow
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), EntityId::new(id))
}

/// Whether what one policy allows, the other allows.
enum Answer {
    Yes,
    No(Box<Asked>),
    /// The solver took too many steps, or gave up.
    Undecided,
}

/// Asks the solver.
struct Oracle {
    runtime: Runtime,
    compiler: CedarSymCompiler<Told>,
}

impl Oracle {
    fn new(path: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, compiler: CedarSymCompiler::new(Told::new(path)).unwrap() }
    }

    fn implies(&mut self, facts: &Facts, [from, to]: [&CompiledPolicySet; 2]) -> Result<Answer, String> {
        let solver = self.compiler.solver_mut();
        solver.facts = Some(facts.clone());
        solver.model = Model::default();
        let asked = self.compiler.check_implies_with_counterexample_opt(from, to);
        match self.runtime.block_on(asked) {
            Ok(None) => Ok(Answer::Yes),
            Ok(Some(_)) => Ok(Answer::No(Box::new(facts.request(&self.compiler.solver().model)))),
            Err(Error::SolverUnknown) => Ok(Answer::Undecided),
            Err(error) => Err(format!("the symbolic compiler: {error}")),
        }
    }
}

/// Two policies, and what both engines make of them.
struct Pair {
    documents: [Value; 2],
    sides: [Side; 2],
    shape: Arc<Shape>,
    schema: Schema,
}

impl Pair {
    fn new(documents: [Value; 2]) -> Self {
        let [(old, one), (new, other)] = [&documents[0], &documents[1]].map(Side::of);
        let shape = one.with(&other);
        let (schema, _) = Schema::from_cedarschema_str(&cedar::schema(&shape)).unwrap();
        Self { sides: [old, new], shape: Arc::new(shape), schema, documents }
    }

    /// Operations that no policy tells apart, and that have the same facts: each answer is one for all of them.
    fn groups(&self) -> Vec<Vec<Op>> {
        let mut groups: BTreeMap<_, Vec<Op>> = BTreeMap::new();
        for operation in Op::ALL {
            let facts = [
                operation.is_listing(),
                operation.is_upload(),
                operation.reads_object(),
                operation.has_length(),
                operation.describes_object(),
                ChecksumHeader::all_of(operation).any(|one| one == ChecksumHeader::Kind),
            ];
            let about = [0, 1].map(|side| self.sides[side].about(operation));
            groups.entry((about, facts)).or_default().push(operation);
        }
        groups.into_values().collect()
    }

    fn words(&self, operation: Op) -> Arc<Words> {
        let policies = [0, 1].map(|side| self.sides[side].authorizer.bundle().policy());
        Arc::new(Words::of([&self.documents[0], &self.documents[1]], policies, operation))
    }

    fn compiled(&self, operation: Op, kind: &str) -> [CompiledPolicySet; 2] {
        let name = |name: &str| name.parse::<EntityTypeName>().unwrap();
        let resource = if operation.is_listing() { "Prefix" } else { "Object" };
        let environment = RequestEnv::new(name(kind), uid("Action", operation.name()), name(resource));
        [0, 1].map(|side| {
            CompiledPolicySet::compile(&self.sides[side].cedar, &environment, &self.schema).unwrap()
        })
    }

    /// Decides a request that one side allows and the other does not, by all that can.
    fn confirm(&self, asked: &Asked, from: usize, to: usize) -> Result<(), String> {
        for (side, expected) in [(from, true), (to, false)] {
            let ours = self.sides[side].allows(asked);
            let cedar = self.sides[side].allows_in_cedar(asked, &self.shape);
            if (ours, cedar) != (expected, expected) {
                return Err(format!("side {side} allows it: core {ours}, Cedar {cedar}, claimed {expected}"));
            }
        }
        Ok(())
    }
}

/// By whom what is granted: the operation, and whether there is a token.
fn granted(changes: &[AccessChange]) -> BTreeMap<(Op, bool), &AccessChange> {
    changes.iter().map(|change| ((change.operation, change.issuer.is_some()), change)).collect()
}

/// The request of one of our own answers, as facts.
fn asked_of(witness: &Witness) -> Asked {
    let header = |name: &str| {
        let values = witness.headers.iter().filter(|(one, _)| one.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.clone()).next()
    };
    let length = ["content-length", "x-amz-mp-object-size"].into_iter().find_map(header);
    let length = length.map(|length| length.parse().unwrap_or(i64::MAX));
    let metadata = witness
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone())));
    let overrides = witness.querystring.split(['&', '=']).filter(|name| name.starts_with("response-"));
    let issuer = |claims: &serde_json::Map<String, Value>| {
        let named = |name: &&str| claims["iss"] == format!("https://{name}.example/");
        ISSUERS.into_iter().find(named).unwrap().to_owned()
    };
    Asked {
        operation: witness.operation,
        name: witness.key.clone(),
        token: witness.claims.as_ref().map(|claims| (issuer(claims), claims.clone())),
        source: witness.source,
        host: Said::plainly(header("host")),
        now: witness.at.as_seconds().min(LAST_SECOND),
        overrides: overrides.map(str::to_owned).collect(),
        parameters: [("partNumber", "2"), ("fetch-owner", "true")]
            .into_iter()
            .filter(|(name, _)| witness.querystring.split(['&', '=']).any(|one| one == *name))
            .collect(),
        upload: UploadSaid {
            length: Said::plainly(length),
            media_type: Said::plainly(header("content-type")),
            metadata: metadata.collect(),
            checksums: ChecksumHeader::all_of(witness.operation)
                .filter(|one| witness.headers.iter().any(|(name, _)| name == one.example().0))
                .collect(),
        },
    }
}

/// Asks both engines about a pair, in both directions.
fn compare(oracle: &mut Oracle, pair: &Pair, counts: &mut Counts) -> Result<(), String> {
    let mut count = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
    count("pairs");
    let [old, new] = [0, 1].map(|side| &pair.sides[side].authorizer);
    let found = match diff(old, new) {
        Ok(found) => found,
        Err(EngineError::NotDecided { .. }) => {
            count("pairs not decided");
            return Ok(());
        }
        Err(error) => return Err(format!("our own engine: {error}")),
    };
    for (changes, from, to) in [(&found.granted, 1, 0), (&found.revoked, 0, 1)] {
        for change in changes {
            let asked = asked_of(&change.request);
            let cedar = [from, to].map(|side| pair.sides[side].allows_in_cedar(&asked, &pair.shape));
            if cedar != [true, false] {
                return Err(format!("our answer, by Cedar: {cedar:?} {asked:#?}"));
            }
        }
    }
    let (granted, revoked) = (granted(&found.granted), granted(&found.revoked));
    let mut is_decided = true;
    for operations in pair.groups() {
        let words = pair.words(operations[0]);
        if words.segments > MOST_SEGMENTS {
            count("questions not asked: keys are too long");
            is_decided = false;
            continue;
        }
        for has_token in [false, true] {
            let compiled = pair.compiled(operations[0], if has_token { "Viewer" } else { "Anonymous" });
            let facts = Facts {
                words: Arc::clone(&words),
                shape: Arc::clone(&pair.shape),
                operation: operations[0],
                has_token,
            };
            for (changes, from, to) in [(&granted, 1, 0), (&revoked, 0, 1)] {
                let answer = oracle.implies(&facts, [&compiled[from], &compiled[to]])?;
                count("questions");
                let ours: Vec<_> = operations.iter().map(|one| changes.get(&(*one, has_token))).collect();
                let what = || format!("{operations:?}, with a token {has_token}, from {from} to {to}");
                match answer {
                    Answer::Yes => {
                        if let Some(change) = ours.iter().flatten().next() {
                            return Err(format!(
                                "{}: Cedar proves that there is none, ours {change:#?}",
                                what()
                            ));
                        }
                        count("questions with the answer yes");
                    }
                    Answer::No(asked) => {
                        for operation in &operations {
                            let asked = Asked { operation: *operation, ..(*asked).clone() };
                            pair.confirm(&asked, from, to).map_err(|error| {
                                format!("{}: Cedar's answer is wrong: {error} {asked:#?}", what())
                            })?;
                        }
                        if ours.iter().any(Option::is_none) {
                            return Err(format!(
                                "{}: ours proves that there is none, Cedar {asked:#?}",
                                what()
                            ));
                        }
                        count("questions with the answer no");
                    }
                    Answer::Undecided => {
                        is_decided = false;
                        count("questions not decided");
                    }
                }
            }
        }
    }
    if !is_decided {
        count("pairs not decided");
    }
    Ok(())
}

#[test]
fn what_a_policy_allows_that_another_does_not_both_engines_find() {
    let path = match solver() {
        Ok(path) => path,
        Err(why) => return skip(&why),
    };
    let pairs = (PAIRS * number("RANDOM_CASES", 100) / 100).max(1);
    let seed = number("AUTHORIZER_CEDAR_SEED", 0);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut oracle = Oracle::new(path.clone());
        let (mut counts, mut failures) = (Counts::new(), Vec::new());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= pairs {
                return (counts, failures);
            }
            // Each pair has its own numbers, so that it is the same in every run.
            let mut dice = Dice((seed * 1_000_000 + index) as u64);
            let (old, new) = pair(&mut dice, &keys());
            let pair = Pair::new([old, new]);
            if let Err(what) = compare(&mut oracle, &pair, &mut counts) {
                let [old, new] = &pair.documents;
                eprintln!("pair {index}: {what}\n{old}\n{new}\n");
                failures.push(index);
            }
        }
    };
    let mut counts = Counts::new();
    let mut failures = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            let (more, failed) = worker.join().unwrap();
            failures.extend(failed);
            for (what, count) in more {
                *counts.entry(what).or_default() += count;
            }
        }
    });
    eprintln!("{counts:#?}");
    assert!(failures.is_empty(), "the engines differ on the pairs {failures:?}");
    let count = |what: &str| counts.get(what).copied().unwrap_or_default();
    let not_decided = count("pairs not decided");
    assert!(not_decided * 50 <= pairs, "{not_decided} of {pairs} pairs are not decided");
    // Answers of one kind only would prove nothing.
    for answer in ["questions with the answer yes", "questions with the answer no"] {
        assert!(count(answer) * 20 >= count("questions"), "{answer}");
    }
}
