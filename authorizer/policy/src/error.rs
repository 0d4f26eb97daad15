//! What is wrong with a policy file, for a person to read.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use authorizer_core::BundleError;
use authorizer_core::policy::PolicyProblem;
use authorizer_core::policy::document::POLICY_VERSION;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::de::DeTable;

use crate::form::{self, MAX_MISTAKES, Mistake, Named, Secrets};
use crate::lines::{lines_with_secrets, secret_of_line};
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
    /// The findings of a deployment that are accepted.
    Accepted,
}

impl FileKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Tests => "tests",
            Self::Accepted => "accepted findings",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::Policy | Self::Tests => "a",
            Self::Accepted => "an",
        }
    }

    /// The version of such files, if they have one.
    pub(crate) fn version(self) -> Option<u32> {
        match self {
            Self::Policy => Some(POLICY_VERSION),
            // `TESTS_VERSION` of the analysis.
            Self::Tests => Some(1),
            Self::Accepted => None,
        }
    }

    /// The command that prints what may be in such a file.
    fn reference(self) -> &'static str {
        match self {
            Self::Policy => "authorizer help policy",
            Self::Tests => "authorizer help tests",
            Self::Accepted => "authorizer help audit deployment",
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
    #[error("`{path}` is a folder, not {} {} file", .kind.article(), .kind.noun())]
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
    /// The file is a zip.
    #[error("`{path}` is a zip, not {} {} file", .kind.article(), .kind.noun())]
    #[diagnostic(help(
        "the policy of a package is its `bundle.json`: `unzip -p {} bundle.json >bundle.json` takes it out, for commands that \
         read a bundle",
        .path.display()
    ))]
    Zip {
        /// The kind of the file.
        kind: FileKind,
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
        match (*.more, *.found > MAX_SHOWN) {
            (true, _) => " or more, of which the first 50 are shown",
            (false, true) => ", of which the first 50 are shown",
            (false, false) => "",
        }
    )]
    #[diagnostic(help("`{}` prints what may be in the file", .kind.reference()))]
    Problems {
        /// The kind of the file.
        kind: FileKind,
        /// How many were found.
        found: usize,
        /// Whether there may be more, which were not looked for.
        more: bool,
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
        let more = mistakes.len() >= MAX_MISTAKES;
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
        let (table, errors) = DeTable::parse_recoverable(text);
        let shown_text = Shown {
            secrets: Secrets::of(kind, text, table.get_ref()),
            is_toml: errors.is_empty(),
            lines_with_secrets: if errors.is_empty() { Vec::new() } else { lines_with_secrets(text) },
            text,
            source_code,
        };
        let mut shown: Vec<ProblemReport> = Vec::new();
        let mut lines: Vec<usize> = Vec::new();
        let mut same = 0_usize;
        let all = found.len();
        for (start, one) in found.into_iter().take(MAX_SHOWN) {
            let report = match one {
                Found::Mistake(mistake) => shown_text.mistake(mistake),
                Found::Problem(mut problem) => {
                    let better =
                        form::remedy(kind, table.get_ref(), &problem.place).filter(|_| errors.is_empty());
                    problem.remedy = better.unwrap_or(problem.remedy);
                    shown_text.problem(&places, problem)
                }
            };
            // Of one line that is not shown, two mistakes may look the same.
            let line = shown_text.line(start);
            let is_same = report.at.is_none()
                && shown.iter().zip(&lines).any(|(one, other)| {
                    *other == line && one.message == report.message && one.remedy == report.remedy
                });
            match is_same {
                true => same = same.saturating_add(1),
                false => {
                    shown.push(report);
                    lines.push(line);
                }
            }
        }
        Self::Problems { kind, found: all.saturating_sub(same), more, shown }
    }
}

/// What was found in a file.
enum Found {
    Mistake(Mistake),
    Problem(PolicyProblem),
}

/// A file, of which lines are shown.
struct Shown<'t> {
    secrets: Secrets,
    is_toml: bool,
    /// Of a text that is not TOML.
    lines_with_secrets: Vec<bool>,
    text: &'t str,
    source_code: &'t NamedSource<String>,
}

impl Shown<'_> {
    /// The number of the line of a byte.
    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count().saturating_add(1)
    }

    /// The secret that bytes are of.
    fn secret_at(&self, span: &Range<usize>) -> Option<Named> {
        self.secrets.at(span).or_else(|| (!self.is_toml).then(|| secret_of_line(self.text, span))?)
    }

    fn is_beside_secret(&self, span: &Range<usize>) -> bool {
        // The lines that are shown: those of the span, with one line around them.
        let first = self.line(span.start).saturating_sub(2);
        let shown = first..self.line(span.end).saturating_add(1);
        self.secrets.is_beside(self.text, span)
            || self
                .lines_with_secrets
                .get(first..shown.end.min(self.lines_with_secrets.len()))
                .is_some_and(|lines| lines.contains(&true))
    }

    /// A mistake at its place. A line that may contain a secret is not shown, and neither are words that may quote it.
    fn mistake(&self, mistake: Mistake) -> ProblemReport {
        let Mistake { place, span, message, remedy, masked, meant: _ } = mistake;
        let mut label = if place.steps().is_empty() { "here".to_owned() } else { place.to_string() };
        if self.secrets.is_in(&label) {
            label = "here".to_owned();
        }
        let secret = self.secret_at(&span);
        let line = self.line(span.start);
        // An example of ours quotes nothing, whatever the author has written.
        let is_in = |words: &str| self.secrets.is_in(&form::without_examples(words));
        let quotes = |words: &(String, String)| is_in(&words.0) || is_in(&words.1);
        let words = match secret {
            Some(Named::Salt) => Some((
                "`claims_salt` does not have the right form".to_owned(),
                "write `claims_salt = \"...\"`, with what `openssl rand -hex 32` prints".to_owned(),
            )),
            Some(Named::Secret) => Some((
                "`secret` does not have the right form".to_owned(),
                "write `secret = { file = \"...\" }`".to_owned(),
            )),
            Some(Named::Otherwise) | None => None,
        };
        let full = (message, remedy);
        let is_hidden = words.is_some() || secret.is_some() || self.is_beside_secret(&span) || quotes(&full);
        if !is_hidden {
            // A label is under one line.
            let shown = self.text.get(span.clone()).unwrap_or_default();
            let length = shown.find(['\r', '\n']).unwrap_or(shown.len());
            let at = SourceSpan::from(span.start..span.start.saturating_add(length));
            let (message, remedy) = full;
            return ProblemReport {
                message,
                remedy,
                source_code: self.source_code.clone(),
                at: Some(at),
                label,
            };
        }
        let (message, remedy) = words.unwrap_or_else(|| {
            let (message, remedy) = if quotes(&masked) { unsaid() } else { masked };
            (format!("{message} (line {line}, not shown because a secret is near)"), remedy)
        });
        ProblemReport { message, remedy, source_code: hidden(self.source_code), at: None, label }
    }

    fn problem(&self, places: &Places<'_>, problem: PolicyProblem) -> ProblemReport {
        let PolicyProblem { place, mut message, mut remedy } = problem;
        let span = places.span(&place);
        let line = places.line_span(&place);
        if self.secrets.is_in(&message) || self.secrets.is_in(&remedy) {
            (message, remedy) = unsaid();
        }
        let is_secret = span.is_some_and(|span| self.secret_at(&span).is_some())
            || line.as_ref().is_some_and(|line| self.is_beside_secret(line));
        ProblemReport {
            at: line.clone().filter(|_| !is_secret).map(SourceSpan::from),
            // Without the line, the message has the place in words.
            message: match (is_secret, line) {
                (false, _) => message,
                (true, Some(line)) => format!("`{place}` (line {}): {message}", self.line(line.start)),
                (true, None) => format!("`{place}`: {message}"),
            },
            label: place.to_string(),
            remedy,
            source_code: if is_secret { hidden(self.source_code) } else { self.source_code.clone() },
        }
    }
}

/// What is said where all words would quote a secret.
fn unsaid() -> (String, String) {
    ("this does not have the right form".into(), "compare it with an example".into())
}

/// The name of the file, without its text.
fn hidden(source_code: &NamedSource<String>) -> NamedSource<String> {
    NamedSource::new(source_code.name(), String::new())
}
