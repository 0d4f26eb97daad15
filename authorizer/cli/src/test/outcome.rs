//! The results of the test files.

use std::path::PathBuf;

use authorizer_analysis::testing::{Coverage, Suggestion, TestResult};

/// The results of one file.
pub(crate) struct FileResults {
    pub(crate) path: PathBuf,
    /// The line of each test, from 1.
    pub(crate) lines: Vec<usize>,
    pub(crate) results: Vec<TestResult>,
}

impl FileResults {
    /// The line of the test that a result is of.
    pub(crate) fn line(&self, result: &TestResult) -> Option<usize> {
        self.lines.get(result.index).copied()
    }
}

/// The results of all files.
pub(crate) struct Outcome {
    pub(crate) files: Vec<FileResults>,
    pub(crate) coverage: Coverage,
    /// What is missing in the coverage. Not looked for where the output format has no place for it.
    pub(crate) lacking: Vec<Suggestion>,
    pub(crate) min_coverage: Option<u8>,
}

impl Outcome {
    /// The results of all files, in their order.
    pub(crate) fn results(&self) -> impl Iterator<Item = &TestResult> {
        self.files.iter().flat_map(|file| &file.results)
    }

    pub(crate) fn failed(&self) -> usize {
        self.results().filter(|result| !result.held()).count()
    }

    pub(crate) fn covers_enough(&self) -> bool {
        self.min_coverage.is_none_or(|least| self.coverage.percent() >= least)
    }
}
