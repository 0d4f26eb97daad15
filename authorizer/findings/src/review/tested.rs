//! The policy's own tests: which ones were run, what came of each, and what of the policy they cover.

use std::path::Path;

use authorizer_analysis::testing::{Coverage, Expected, Suite, TestResult, run};
use authorizer_core::Authorizer;
use authorizer_core::record::{DecisionRecord, sha256_hex};

/// The results of a policy's tests.
#[derive(Debug)]
pub struct Tested {
    pub(super) files: Vec<TestedFile>,
    pub(super) coverage: Coverage,
}

/// A file of tests, and what came of them.
#[derive(Debug)]
pub(super) struct TestedFile {
    /// Its name, without its folder.
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) results: Vec<TestResult>,
}

impl Tested {
    /// Before any test.
    pub fn new(authorizer: &Authorizer) -> Self {
        Self { files: Vec::new(), coverage: Coverage::of(authorizer.bundle().policy()) }
    }

    /// Runs the tests of a file, whose text is only needed for its SHA-256.
    pub fn add(&mut self, path: &Path, text: &str, suite: &Suite, authorizer: &Authorizer) {
        self.files.push(TestedFile {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256: sha256_hex(text.as_bytes()),
            results: run(suite, authorizer, &mut self.coverage),
        });
    }

    /// Every result, in the order of the files.
    pub(super) fn results(&self) -> impl Iterator<Item = &TestResult> {
        self.files.iter().flat_map(|file| &file.results)
    }

    /// How many passed and failed, and how much they cover, in a sentence.
    pub(super) fn words(&self) -> String {
        let all = self.results().count();
        let passed = self.results().filter(|result| result.held()).count();
        let (seen, points) = self.coverage.count();
        let requests = if all == 1 { "request" } else { "requests" };
        format!(
            "{all} {requests}: {passed} passed, {} failed. They cover {} % of the policy: {seen} of {points} points.",
            all.saturating_sub(passed),
            self.coverage.percent()
        )
    }

    /// What no test covers: the rule, the field of it if it is one, and the missing test in words.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, Option<String>, String)> {
        self.coverage.missing().map(|(rule, point)| (rule, point.field(), point.lacking()))
    }
}

/// The sentence for a report without tests.
pub(super) const NO_TESTS: &str = "None were given: nothing shows that the policy does what its authors meant. `authorizer help tests` says how to write them.";

/// What a test expects, in words.
pub(super) fn expected(expected: &Expected) -> String {
    let mut words = vec![expected.decision.word().to_owned()];
    words.extend(expected.rule.as_ref().map(|rule| format!("rule {rule}")));
    words.extend(expected.reason.clone());
    words.extend(expected.status.map(|status| status.to_string()));
    words.join(", ")
}

/// What was decided, in words.
pub(super) fn decided(record: &DecisionRecord<'_>) -> String {
    let rule = record.rule.as_deref().map(|rule| format!(", rule {rule}")).unwrap_or_default();
    format!("{}, {}{rule}", record.decision.word(), record.reason)
}
