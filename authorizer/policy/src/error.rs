//! What is wrong with a policy file, for a person to read.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use authorizer_core::BundleError;
use authorizer_core::policy::PolicyProblem;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::de::DeTable;

use crate::form::{self, Mistake};
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

    /// The command that prints what may be in such a file.
    fn reference(self) -> &'static str {
        match self {
            Self::Policy => "authorizer help policy",
            Self::Tests => "authorizer help tests",
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
    /// The file is not TOML, does not have the form of its kind, or its values are not valid together.
    #[error(
        "the {} cannot be used: {found} problem{}{}",
        .kind.noun(),
        if *.found == 1 { "" } else { "s" },
        if *.found > MAX_SHOWN { ", of which the first 50 are shown" } else { "" }
    )]
    #[diagnostic(help("`{}` prints what may be in the file", .kind.reference()))]
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
    /// The mistakes in the form of a file, and the problems with its values.
    pub(crate) fn of(
        kind: FileKind,
        source_code: &NamedSource<String>,
        text: &str,
        mistakes: Vec<Mistake>,
        problems: Vec<PolicyProblem>,
    ) -> Self {
        let has_mistakes = !mistakes.is_empty();
        let places = if problems.is_empty() { Places::of("") } else { Places::of(text) };
        // Mistakes come in the order of the file, and a field that is missing after those that are there.
        let mut last = 0;
        let mistakes = mistakes.into_iter().map(|mistake| {
            last = last.max(mistake.span.start);
            (last, Found::Mistake(mistake))
        });
        let problems = problems.into_iter().map(|problem| {
            let start =
                if has_mistakes { places.span(&problem.place).map_or(0, |span| span.start) } else { 0 };
            (start, Found::Problem(problem))
        });
        let mut found: Vec<(usize, Found)> = mistakes.chain(problems).collect();
        if has_mistakes {
            found.sort_by_key(|(start, _)| *start);
        }
        let table = DeTable::parse(text).ok();
        let mut shown: Vec<ProblemReport> = Vec::new();
        let mut same = 0_usize;
        let all = found.len();
        for (_, one) in found.into_iter().take(MAX_SHOWN) {
            let report = match one {
                Found::Mistake(mistake) => of_mistake(source_code, text, mistake),
                Found::Problem(mut problem) => {
                    let better =
                        table.as_ref().and_then(|table| form::remedy(kind, table.get_ref(), &problem.place));
                    problem.remedy = better.unwrap_or(problem.remedy);
                    of_problem(source_code, text, &places, problem)
                }
            };
            // Of what is not shown, two mistakes may look the same.
            let is_same = report.at.is_none()
                && shown.iter().any(|one| one.message == report.message && one.remedy == report.remedy);
            match is_same {
                true => same = same.saturating_add(1),
                false => shown.push(report),
            }
        }
        Self::Problems { kind, found: all.saturating_sub(same), shown }
    }
}

/// What was found in a file.
enum Found {
    Mistake(Mistake),
    Problem(PolicyProblem),
}

/// A mistake at its place. A line that may contain a secret is not shown, and neither are words that may quote it.
fn of_mistake(source_code: &NamedSource<String>, text: &str, mistake: Mistake) -> ProblemReport {
    let Mistake { place, span, message, remedy, masked } = mistake;
    let label = if place.steps().is_empty() { "here".to_owned() } else { place.to_string() };
    if is_of_a_secret(text, span.clone()) {
        let (message, remedy) = match is_of(SALT, text, span) {
            true => (
                "`claims_salt` does not have the right form",
                "write `claims_salt = \"...\"`, with what `openssl rand -hex 32` prints",
            ),
            false => ("`secret` does not have the right form", "write `secret = { file = \"...\" }`"),
        };
        return ProblemReport {
            message: message.into(),
            remedy: remedy.into(),
            source_code: hidden(source_code),
            at: None,
            label,
        };
    }
    if is_beside_a_secret(text, &span) {
        let line = text.get(..span.start).unwrap_or_default().matches('\n').count().saturating_add(1);
        let (message, remedy) = masked;
        let message = format!("{message} (line {line}, not shown because a secret is near)");
        return ProblemReport { message, remedy, source_code: hidden(source_code), at: None, label };
    }
    // A label is under one line.
    let shown = text.get(span.clone()).unwrap_or_default();
    let length = shown.find(['\r', '\n']).unwrap_or(shown.len());
    let at = SourceSpan::from(span.start..span.start.saturating_add(length));
    ProblemReport { message, remedy, source_code: source_code.clone(), at: Some(at), label }
}

fn of_problem(
    source_code: &NamedSource<String>,
    text: &str,
    places: &Places<'_>,
    problem: PolicyProblem,
) -> ProblemReport {
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
    // The head of a table is of its own table.
    let is_head = if line.0.is_empty() { line.1 } else { line.0 }.trim_start().starts_with('[');
    [line.0, line.1, if is_head { "" } else { table }].iter().any(|part| part.contains(word))
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

/// The text of a policy that cannot be read, for a person: without each line that may have a secret, and without what
/// comes after such a line in its table, because a secret may go on there. The lines keep their numbers.
pub fn without_secrets(text: &str) -> String {
    let names_one = |line: &str| {
        let line = line.to_ascii_lowercase();
        ["secret", "salt"].iter().any(|word| line.contains(word))
    };
    // A text of several lines may have one anywhere.
    let is_long = text.contains("\"\"\"") || text.contains("'''");
    let hides_all = is_long && text.lines().any(names_one);
    let (mut is_in_log, mut is_hidden) = (false, false);
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with('[') {
            is_in_log = is_log(start);
            // A line with quotation marks may be one of an array.
            is_hidden &= start.contains(['"', '\'', ',']);
        }
        let is_of_one = names_one(line) || may_be_a_salt(line, is_in_log);
        // What a comment says ends with its line.
        is_hidden |= is_of_one && !start.starts_with('#');
        if !hides_all && !is_of_one && (!is_hidden || start.is_empty()) {
            shown.push_str(line);
        } else {
            shown.push_str("# (hidden: this line may have a secret)");
            shown.push_str(if line.ends_with('\n') { "\n" } else { "" });
        }
    }
    shown
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
