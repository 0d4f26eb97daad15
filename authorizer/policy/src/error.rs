//! What is wrong with a policy file, for a person to read.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use authorizer_core::BundleError;
use authorizer_core::policy::PolicyProblem;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::place::Places;

/// The most problems that are shown. A file with more has one cause, or is no policy.
const MAX_SHOWN: usize = 50;

/// Why a policy file cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name a policy file that exists and that you may read"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is larger than any bundle may be.
    #[error("`{path}` is larger than 16 MiB")]
    #[diagnostic(help("name the policy file; keys and rules do not take so much"))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("`{path}` is not UTF-8 text")]
    #[diagnostic(help("save the file as UTF-8"))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// Not TOML, or not the TOML of a policy.
    #[error("{message}")]
    #[diagnostic(help("docs/policy.md has every field and what it may hold"))]
    Syntax {
        /// What is wrong.
        message: String,
        /// The file.
        #[source_code]
        source_code: NamedSource<String>,
        /// The place.
        #[label("here")]
        at: Option<SourceSpan>,
    },
    /// The policy does not hold together.
    #[error(
        "the policy cannot be used: {found} problem{}{}",
        if *.found == 1 { "" } else { "s" },
        if *.found > MAX_SHOWN { ", of which the first 50 are shown" } else { "" }
    )]
    Problems {
        /// How many were found.
        found: usize,
        /// The first of them, at most 50.
        #[related]
        shown: Vec<ProblemReport>,
    },
    /// The bundle cannot be made.
    #[error("`{path}`: {source}")]
    Bundle {
        /// The policy file.
        path: PathBuf,
        /// Why.
        source: BundleError,
    },
}

/// One problem of a policy, at its place in the file.
#[derive(Debug, Diagnostic, Error)]
#[error("{message}")]
pub struct ProblemReport {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[help]
    pub remedy: String,
    /// The file.
    #[source_code]
    source_code: NamedSource<String>,
    /// The place.
    #[label("{label}")]
    at: Option<SourceSpan>,
    /// The place in words, such as `rules[1].keys[0]`.
    label: String,
}

impl PolicyFileError {
    pub(crate) fn syntax(source_code: NamedSource<String>, message: &str, at: Option<Range<usize>>) -> Self {
        Self::Syntax { message: message.trim_end().to_owned(), source_code, at: at.map(SourceSpan::from) }
    }

    pub(crate) fn problems(
        source_code: NamedSource<String>,
        text: &str,
        problems: Vec<PolicyProblem>,
    ) -> Self {
        let places = Places::of(text);
        let found = problems.len();
        let report = |problem: PolicyProblem| ProblemReport {
            at: places.line_span(&problem.place).map(SourceSpan::from),
            label: problem.place.to_string(),
            message: problem.message,
            remedy: problem.remedy,
            source_code: source_code.clone(),
        };
        Self::Problems { found, shown: problems.into_iter().take(MAX_SHOWN).map(report).collect() }
    }
}
