//! The results of the test files.

use std::path::PathBuf;

use authorizer_analysis::testing::{Coverage, TestResult};

/// The results of one file.
pub(crate) struct FileResults {
    pub(crate) path: PathBuf,
    pub(crate) results: Vec<TestResult>,
}

/// The results of all files.
pub(crate) struct Outcome {
    pub(crate) files: Vec<FileResults>,
    pub(crate) coverage: Coverage,
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
