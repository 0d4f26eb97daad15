//! The tests that `suggest` writes: with them, everything that a request can cover is covered.

use std::collections::BTreeSet;

use authorizer_analysis::testing::document::{DefaultsDocument, TESTS_VERSION, TestsDocument};
use authorizer_analysis::testing::{Coverage, Suggested, Suite, run, suggest};
use authorizer_core::{Authorizer, Bundle};
use authorizer_policy::PolicyFile;
use proptest::prelude::*;
use serde_json::json;

use crate::brute::policies::{Alphabet, authorizer, pair};
use crate::random::cases;
use crate::root;

/// Adds what is suggested; returns the points that stay open, and why.
fn completed(authorizer: &Authorizer, defaults: &DefaultsDocument) -> Result<Vec<String>, TestCaseError> {
    let policy = authorizer.bundle().policy();
    let mut coverage = Coverage::of(policy);
    let suggested = suggest(authorizer, &coverage, defaults, &BTreeSet::new(), &|_| Vec::new());
    let mut open = Vec::new();
    let mut tests = Vec::new();
    for one in &suggested {
        match &one.what {
            Suggested::Test(test) => tests.push(test.as_ref().clone()),
            Suggested::Covered => {}
            what => open.push(format!("{} {:?}: {what:?}", one.rule, one.point)),
        }
    }
    let document = TestsDocument { version: TESTS_VERSION, defaults: defaults.clone(), tests };
    if document.tests.is_empty() {
        return Ok(open);
    }
    let suite =
        Suite::compile(&document, policy).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
    for result in run(&suite, authorizer, &mut coverage) {
        prop_assert!(result.held(), "{result:?}");
    }
    prop_assert_eq!(coverage.missing().count(), open.len(), "{:?}", open);
    Ok(open)
}

#[test]
fn a_part_that_does_nothing_is_said_to_be_so() {
    let policy = json!({"version": 1, "issuers": [], "rules": [
        {"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["a/**"], "anonymous": true},
        {"id": "fewer", "effect": "allow", "methods": ["GET"], "keys": ["a/b/**"], "anonymous": true}
    ]});
    let open = completed(&authorizer(&policy).unwrap(), &defaults()).unwrap();
    assert_eq!(open, ["fewer Decides: Nothing", "fewer KeyAlone(0): Nothing"]);
}

fn defaults() -> DefaultsDocument {
    serde_json::from_value(json!({"now": "2027-01-15T08:00:00Z"})).unwrap()
}

#[test]
fn what_is_suggested_covers_all_of_the_fixtures() {
    for path in
        ["fixtures/policies/sample.toml", "fixtures/policies/cases.toml", "fixtures/requests/policy.toml"]
    {
        let file = PolicyFile::load(&root().join(path)).unwrap();
        let authorizer = Authorizer::new(Bundle::read(file.bundle_json()).unwrap());
        let issuer = authorizer.bundle().policy().issuers()[0].name();
        let claims = json!({"sub": "alice", "scope": "files", "role": "admin"});
        for more in [
            json!({}),
            json!({"issuer": issuer, "claims": claims}),
            json!({"anonymous": true, "source_ip": "203.0.113.9", "headers": {"X-Amz-Acl": "private"}}),
        ] {
            let mut defaults = json!({"now": "2027-01-15T08:00:00Z"});
            defaults.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let defaults = serde_json::from_value(defaults).unwrap();
            let open = completed(&authorizer, &defaults).unwrap();
            assert!(open.iter().all(|one| one.ends_with("Nothing")), "{path} {more}: {open:#?}");
        }
    }
}

#[test]
fn what_is_suggested_for_any_policy_passes_and_covers_what_it_is_for() {
    for alphabet in [
        Alphabet::Keys,
        Alphabet::KeyedClaims,
        Alphabet::Conditions,
        Alphabet::Listings,
        Alphabet::Uploads,
        Alphabet::PlacesAndTimes,
        Alphabet::Hosts,
        Alphabet::Tokens,
        Alphabet::ManyClaims,
        Alphabet::Words,
        Alphabet::Nested,
        Alphabet::TokenTimes,
    ] {
        let config =
            ProptestConfig { cases: cases(12), failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let result = runner.run(&pair(alphabet), |(policy, _)| {
            let Some(authorizer) = authorizer(&policy) else { return Ok(()) };
            let open = completed(&authorizer, &defaults())?;
            // Before 1970 there is no time that a test could say.
            let is_before_all = |one: &str| {
                one.ends_with("FailsAlone(NotBefore): Unwritable") && policy.to_string().contains("1970")
            };
            let undecided: Vec<_> =
                open.iter().filter(|one| !one.ends_with("Nothing") && !is_before_all(one)).collect();
            prop_assert!(undecided.is_empty(), "{:#?} {:#}", undecided, policy);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{alphabet:?}: {error}"));
    }
}
