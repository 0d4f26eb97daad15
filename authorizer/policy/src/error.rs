//! What is wrong with a policy file, for a person to read.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use authorizer_core::BundleError;
use authorizer_core::policy::PolicyProblem;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::place::Places;

/// The most problems that are shown. More problems have one cause, or the file is not a policy.
const MAX_SHOWN: usize = 50;

/// The kind of a file. Messages about the file name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileKind {
    /// A policy.
    Policy,
    /// The unit tests of a policy.
    Tests,
}

impl FileKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Tests => "tests",
        }
    }

    fn page(self) -> &'static str {
        match self {
            Self::Policy => "docs/policy.md",
            Self::Tests => "docs/testing.md",
        }
    }
}

/// Why a policy file, or the file of its tests, cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name an existing {} file that you can read", .kind.noun()))]
    Unreadable {
        /// The kind of the file.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a folder.
    #[error("`{path}` is a folder, not a {} file", .kind.noun())]
    #[diagnostic(help("name a file in it"))]
    Folder {
        /// The kind of the file.
        kind: FileKind,
        /// The folder.
        path: PathBuf,
    },
    /// The file is larger than any bundle may be.
    #[error("`{path}` is larger than 16 MiB")]
    #[diagnostic(help("check that this is the policy file: keys and rules are much smaller"))]
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
    /// Not TOML, or not the TOML of its kind.
    #[error("{message}")]
    #[diagnostic(help("{} describes every field and its values", .kind.page()))]
    Syntax {
        /// The kind of the file.
        kind: FileKind,
        /// What is wrong.
        message: String,
        /// The file.
        #[source_code]
        source_code: Arc<NamedSource<String>>,
        /// The place.
        #[label("here")]
        at: Option<SourceSpan>,
    },
    /// The values in the file are not valid together.
    #[error(
        "the {} cannot be used: {found} problem{}{}",
        .kind.noun(),
        if *.found == 1 { "" } else { "s" },
        if *.found > MAX_SHOWN { ", of which the first 50 are shown" } else { "" }
    )]
    Problems {
        /// The kind of the file.
        kind: FileKind,
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
    /// How to fix it.
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
    pub(crate) fn syntax(
        kind: FileKind,
        source_code: NamedSource<String>,
        text: &str,
        message: &str,
        at: Option<Range<usize>>,
    ) -> Self {
        // A line that may contain a secret is not shown, and neither is a message that may quote it.
        if at.clone().is_some_and(|at| is_of_a_secret(text, at)) {
            let message = match at.is_some_and(|at| is_of(SALT, text, at)) {
                true => "`claims_salt` does not have the right form: write `claims_salt = \"...\"`, with what `openssl \
                         rand -hex 32` prints"
                    .into(),
                false => "`secret` does not have the right form: write `secret = { file = \"...\" }`".into(),
            };
            return Self::Syntax { kind, message, source_code: Arc::new(hidden(&source_code)), at: None };
        }
        if let Some(at) = at.clone().filter(|at| is_beside_a_secret(text, at)) {
            let line = text.get(..at.start).unwrap_or_default().matches('\n').count().saturating_add(1);
            let message = format!("{} (line {line}, not shown because a secret is near)", message.trim_end());
            return Self::Syntax { kind, message, source_code: Arc::new(hidden(&source_code)), at: None };
        }
        Self::Syntax {
            kind,
            message: message.trim_end().to_owned(),
            source_code: Arc::new(source_code),
            at: at.map(SourceSpan::from),
        }
    }

    pub(crate) fn problems(
        kind: FileKind,
        source_code: &NamedSource<String>,
        text: &str,
        problems: Vec<PolicyProblem>,
    ) -> Self {
        let places = Places::of(text);
        let found = problems.len();
        let report = |problem: PolicyProblem| {
            let span = places.span(&problem.place);
            let line = places.line_span(&problem.place);
            let is_secret = span.is_some_and(|span| is_of_a_secret(text, span))
                || line.as_ref().is_some_and(|line| is_beside_a_secret(text, line));
            let message = match is_secret {
                // Without the line, the message has the place in words.
                true => format!("`{}`: {}", problem.place, problem.message),
                false => problem.message,
            };
            ProblemReport {
                at: line.filter(|_| !is_secret).map(SourceSpan::from),
                label: problem.place.to_string(),
                message,
                remedy: problem.remedy,
                source_code: if is_secret { hidden(source_code) } else { source_code.clone() },
            }
        };
        Self::Problems { kind, found, shown: problems.into_iter().take(MAX_SHOWN).map(report).collect() }
    }
}

/// The member with the salt of the decision log.
const SALT: &str = "claims_salt";

/// The words that are in the lines of secrets.
const SECRETS: [&str; 2] = ["secret", SALT];

/// Whether the first line of the span, or the head of its table, mentions a secret.
fn is_of_a_secret(text: &str, span: Range<usize>) -> bool {
    SECRETS.iter().any(|word| is_of(word, text, span.clone()))
}

/// Whether the first line of the span, or the head of its table, mentions this word.
fn is_of(word: &str, text: &str, span: Range<usize>) -> bool {
    let (before, after) = text.split_at_checked(span.start).unwrap_or((text, ""));
    let line = (before.rsplit('\n').next().unwrap_or_default(), after.lines().next().unwrap_or_default());
    let table = before.rsplit("\n[").next().and_then(|table| table.lines().next()).unwrap_or_default();
    [line.0, line.1, table].iter().any(|part| part.contains(word))
}

/// Whether the lines that are shown for a span, with one line around them, are in a table that mentions a secret
/// anywhere: a string of several lines may contain one.
fn is_beside_a_secret(text: &str, span: &Range<usize>) -> bool {
    let line_of = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count();
    let shown = line_of(span.start).saturating_sub(1)..=line_of(span.end).saturating_add(1);
    let (mut is_shown, mut is_secret, mut is_in_log) = (false, false, false);
    text.lines().enumerate().any(|(place, line)| {
        if line.trim_start().starts_with('[') {
            (is_shown, is_secret) = (false, false);
            is_in_log = is_log(line);
        }
        is_shown |= shown.contains(&place);
        is_secret |= SECRETS.iter().any(|word| line.contains(word)) || may_be_a_salt(line, is_in_log);
        is_shown && is_secret
    })
}

/// Whether a line may have a salt under another name, as a mistake. In `[log]`, only `subject` cannot.
fn may_be_a_salt(line: &str, is_in_log: bool) -> bool {
    let name = line.split_once('=').map_or("", |(name, _)| name.trim());
    let is_of_log = is_in_log || is_log(name) || name.split_once('.').is_some_and(|(table, _)| is_log(table));
    let member = name.rsplit('.').next().map(bare).unwrap_or_default();
    let is_other = !line.trim().is_empty() && !line.trim_start().starts_with('[') && member != "subject";
    name.to_ascii_lowercase().contains("salt") || (is_of_log && is_other)
}

/// Whether this is `[log]`, or its name.
fn is_log(text: &str) -> bool {
    bare(text.split('#').next().unwrap_or_default()) == "log"
}

/// A name without the brackets and quotes around it.
fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\''))
}

/// The name of the file, without its text.
fn hidden(source_code: &NamedSource<String>) -> NamedSource<String> {
    NamedSource::new(source_code.name(), String::new())
}
