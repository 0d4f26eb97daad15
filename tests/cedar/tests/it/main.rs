//! A comparison with another engine: random policies, translated by `authorizer audit cedar`, and random requests,
//! decided by our core and by the `cedar-policy` crate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test stops at its first failure"
)]

mod dice;
mod facts;
mod implies;
mod pair;
mod policy;
mod request;
#[path = "../../../e2e/src/skipped.rs"]
#[allow(unreachable_pub, reason = "the end-to-end tests, whose file it is, offer it")]
mod skipped;
mod smt;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use authorizer_analysis::cedar::Translation;
use authorizer_analysis::parts::failing;
use authorizer_core::operation::S3Operation;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::record::Verdict;
use authorizer_core::rules::{Access, Effect};
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_policy::PolicyFile;
use cedar_policy::{
    Context, Decision, Entities, EntityUid, PolicySet, Request, Schema, ValidationMode, Validator,
};
use serde_json::{Value, json};

use dice::Dice;
use request::Asked;
use told::told;

/// The folder of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The number of requests, in all and per policy. `RANDOM_CASES` sets a percentage of it, `AUTHORIZER_CEDAR_PAIRS`
/// another number, and `AUTHORIZER_CEDAR_SEED`, a number, selects other requests.
const PAIRS: usize = 100_000;
const REQUESTS: usize = 100;
const WORKERS: usize = 2;

/// RFC 8037 appendix A.2.
fn keys() -> Value {
    json!([{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}])
}

/// The number of times that each outcome occurred.
type Counts = BTreeMap<String, usize>;

/// A number from the environment.
fn number(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn cedar_decides_what_the_core_decides() {
    let pairs = number("AUTHORIZER_CEDAR_PAIRS", PAIRS * number("RANDOM_CASES", 100) / 100);
    let seed = number("AUTHORIZER_CEDAR_SEED", 0) as u64;
    let policies = pairs.div_ceil(REQUESTS).div_ceil(WORKERS);
    let counts = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || decide(Dice(seed.wrapping_mul(WORKERS as u64) + worker as u64), policies))
            })
            .collect();
        let mut all = Counts::new();
        for worker in workers {
            for (what, count) in worker.join().unwrap() {
                *all.entry(what).or_default() += count;
            }
        }
        all
    });
    eprintln!("{counts:#?}");
    let count = |what: &str| counts.get(what).copied().unwrap_or_default();
    let decided = ["allowed", "denied", "by default"].map(count);
    let all: usize = decided.iter().sum();
    assert!(all >= pairs, "{all}");
    // A policy that always allows, or always refuses, would prove nothing.
    assert!(decided.iter().all(|one| *one * 5 >= all), "{decided:?} of {all}");
    for operation in S3Operation::ALL {
        for decision in ["allowed", "denied", "by default"] {
            assert!(
                count(&format!("{decision} {}", operation.name())) * 200 >= all,
                "{decision} {operation:?}"
            );
        }
    }
    // Each part of a rule was at some time the only one that failed; and Cedar was rarely told of a match.
    for part in [
        "keys",
        "operations",
        "issuers",
        "not_before",
        "not_after",
        "source_ips",
        "hosts",
        "when equals",
        "when any",
        "when has",
        "when present",
        "response_overrides",
        "parameters",
        "upload",
        "upload.max_bytes",
        "upload.content_types",
        "upload.metadata.owner-of",
        "upload.metadata.kind",
    ] {
        assert!(count(&format!("only {part}")) * 5000 >= all, "{part}");
    }
    assert!(count("told of a match") > 0 && count("told of a match") * 2 < all);
}

fn decide(mut dice: Dice, policies: usize) -> Counts {
    let mut counts = Counts::new();
    let keys = keys();
    for _ in 0..policies {
        let document = policy::document(&mut dice, &keys);
        let authorizer = authorizer(&document);
        let translation = Translation::of(authorizer.bundle().policy()).unwrap();
        let cedar = Cedar::new(&translation);
        for index in 0..REQUESTS {
            let asked = Asked::of(&mut dice, authorizer.bundle().policy());
            // The first request of each policy is also checked against the schema.
            let schema = (index == 0).then_some(&cedar.schema);
            compare(&authorizer, &translation, &cedar, &asked, schema, &mut counts).unwrap_or_else(|what| {
                panic!("{what}\n{asked:#?}\n{document:#}\n{}", translation.policies())
            });
        }
    }
    counts
}

fn authorizer(document: &Value) -> Authorizer {
    let parsed: PolicyDocument = serde_json::from_value(document.clone()).unwrap();
    let bundle = Bundle::write(&parsed).unwrap_or_else(|error| panic!("{error}\n{document:#}"));
    Authorizer::new(Bundle::read(&bundle).unwrap())
}

/// A translation that was parsed and validated.
struct Cedar {
    policies: PolicySet,
    schema: Schema,
}

impl Cedar {
    fn new(translation: &Translation) -> Self {
        let policies: PolicySet = translation
            .policies()
            .parse()
            .unwrap_or_else(|error| panic!("{error:?}\n{}", translation.policies()));
        let (schema, warnings) = Schema::from_cedarschema_str(translation.schema())
            .unwrap_or_else(|error| panic!("{error:?}\n{}", translation.schema()));
        assert_eq!(warnings.count(), 0);
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        let errors: Vec<_> = result.validation_errors().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}\n{}", translation.policies(), translation.schema());
        Self { policies, schema }
    }
}

/// The ids of rules that match.
fn matching(authorizer: &Authorizer, access: &Access<'_>, effect: Effect) -> BTreeSet<String> {
    let rules = authorizer.bundle().policy().rules().iter();
    let matching = rules.filter(|rule| rule.effect() == effect && rule.examine(access).is_ok());
    matching.map(|rule| rule.id().to_owned()).collect()
}

fn compare(
    authorizer: &Authorizer,
    translation: &Translation,
    cedar: &Cedar,
    asked: &Asked,
    schema: Option<&Schema>,
    counts: &mut Counts,
) -> Result<(), String> {
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    let event = asked.request().event();
    let now = UnixTime::from_seconds(asked.now);
    let (record, access) = match asked.supposed() {
        Some(supposed) => (
            authorizer.authorize_supposing(&event, &supposed, now).record,
            authorizer.access_supposing(&event, &supposed, now),
        ),
        None => (authorizer.authorize(&event, now).record, authorizer.access(&event, now)),
    };
    let access = access.map_err(|refusal| format!("no rule was asked: {}", refusal.reason()))?;
    let denying = matching(authorizer, &access, Effect::Deny);
    let allowing = matching(authorizer, &access, Effect::Allow);
    let (word, decision, deciding) = match (record.decision, &record.rule) {
        (Verdict::Allow, Some(_)) => ("allowed", Decision::Allow, &allowing),
        (Verdict::Refuse, Some(_)) => ("denied", Decision::Deny, &denying),
        (Verdict::Refuse, None) => ("by default", Decision::Deny, &denying),
        other => return Err(format!("{other:?}")),
    };
    if record.rule.as_deref().is_some_and(|rule| !deciding.contains(rule)) {
        return Err(format!("{:?} is not one of {deciding:?}", record.rule));
    }
    let (request, entities) = told(asked, translation.shape(), schema);
    let response = cedar_policy::Authorizer::new().is_authorized(&request, &cedar.policies, &entities);
    let errors: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
    let rule = |id| cedar.policies.annotation(id, "rule").unwrap().to_owned();
    let reasons: BTreeSet<String> = response.diagnostics().reason().map(rule).collect();
    if response.decision() != decision || reasons != *deciding || !errors.is_empty() {
        return Err(format!(
            "ours: {word} by {deciding:?} ({})\nCedar: {:?} by {reasons:?}\n{errors:#?}",
            record.reason,
            response.decision()
        ));
    }
    count(word.to_owned());
    count(format!("{word} {}", asked.operation.name()));
    if !translation.shape().matched.is_empty() {
        count("told of a match".to_owned());
    }
    for rule in authorizer.bundle().policy().rules() {
        let failing = failing(rule, &access);
        if failing.is_empty() != rule.examine(&access).is_ok() {
            return Err(format!("{}: {failing:?}, {:?}", rule.id(), rule.examine(&access)));
        }
        if let [part] = failing.as_slice() {
            let condition = rule
                .conditions()
                .iter()
                .find(|condition| part.to_string() == format!("when.{}", condition.claim));
            count(match condition {
                Some(condition) => format!("only when {}", test_name(&condition.test)),
                None => format!("only {part}"),
            });
        }
    }
    Ok(())
}

fn test_name(test: &authorizer_core::rules::ClaimTest) -> &'static str {
    use authorizer_core::rules::ClaimTest::{Any, Equals, Has, Present, StartsWith};
    match test {
        Equals(_) => "equals",
        Any(_) => "any",
        Has(_) => "has",
        StartsWith(_) => "starts_with",
        Present(_) => "present",
    }
}

#[test]
fn the_translations_of_the_fixtures_are_valid() {
    for file in ["policies/sample.toml", "policies/cases.toml", "requests/policy.toml"] {
        let path = root().join("fixtures").join(file);
        assert!(fs::exists(&path).unwrap(), "{file}");
        let policy = PolicyFile::load(&path).unwrap();
        let translation = Translation::of(policy.bundle().policy()).unwrap();
        let cedar = Cedar::new(&translation);
        let rules: BTreeSet<_> =
            cedar.policies.policies().map(|policy| policy.annotation("rule").unwrap().to_owned()).collect();
        assert_eq!(rules.len(), policy.bundle().policy().rules().len(), "{file}");
        let ids: BTreeSet<_> =
            cedar.policies.policies().map(|policy| policy.annotation("id").unwrap().to_owned()).collect();
        assert_eq!(ids.len(), cedar.policies.policies().count(), "{file}: an id stands twice");
    }
}

#[test]
fn the_request_that_the_documentation_shows_is_valid_and_allowed() {
    let page = fs::read_to_string(root().join("docs/audit/cedar.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [request, entities] = blocks.as_slice() else { panic!("{}", blocks.len()) };
    let policy = PolicyFile::load(&root().join("fixtures/policies/sample.toml")).unwrap();
    let cedar = Cedar::new(&Translation::of(policy.bundle().policy()).unwrap());
    let request: Value = serde_json::from_str(request).unwrap();
    let uid = |name: &str| request[name].as_str().unwrap().parse::<EntityUid>().unwrap();
    let action = uid("action");
    let context =
        Context::from_json_value(request["context"].clone(), Some((&cedar.schema, &action))).unwrap();
    let request =
        Request::new(uid("principal"), action, uid("resource"), context, Some(&cedar.schema)).unwrap();
    let entities = Entities::from_json_str(entities, Some(&cedar.schema)).unwrap();
    let response = cedar_policy::Authorizer::new().is_authorized(&request, &cedar.policies, &entities);
    let rules: Vec<_> =
        response.diagnostics().reason().map(|id| cedar.policies.annotation(id, "rule").unwrap()).collect();
    assert_eq!((response.decision(), rules), (Decision::Allow, vec!["owners-manage-their-files"]));
    assert_eq!(response.diagnostics().errors().count(), 0);
}
