//! Why a command ended, in the output format that was asked for: a program that reads JSON, SARIF or JUnit XML gets a
//! document also when the policy is broken, or the arguments are.

use std::env;
use std::fmt;
use std::path::Path;

use authorizer_findings::report::uri_of;
use clap::ArgMatches;
use miette::{
    Diagnostic, LabeledSpan, MietteHandler, MietteHandlerOpts, ReportHandler as _, Severity, SourceCode,
};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::output::has_colored_notes;
use crate::unread::Unread;

/// How errors and warnings are shown: the messages hold their causes, and lines are not wrapped, so that a path can be
/// copied.
pub(crate) fn handler() -> MietteHandler {
    MietteHandlerOpts::new().without_cause_chain().wrap_lines(false).color(has_colored_notes()).build()
}

/// An error as people read it: what it is, then each of its problems at its place, then what to do.
pub(crate) struct Shown<'e>(pub(crate) &'e dyn Diagnostic);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut problems = self.0.related().into_iter().flatten().peekable();
        if problems.peek().is_none() {
            return write!(f, "{:?}", ByHandler(self.0));
        }
        write!(f, "{:?}", ByHandler(&Head(self.0)))?;
        for problem in problems {
            write!(f, "\n{:?}", ByHandler(problem))?;
        }
        match self.0.help() {
            Some(help) => write!(f, "\n{help}"),
            None => Ok(()),
        }
    }
}

/// A diagnostic as the handler shows it.
struct ByHandler<'e>(&'e dyn Diagnostic);

impl fmt::Debug for ByHandler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        handler().debug(self.0, f)
    }
}

/// The message of an error alone.
struct Head<'e>(&'e dyn Diagnostic);

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

impl std::error::Error for Head<'_> {}

impl Diagnostic for Head<'_> {
    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// The output formats for programs that can tell an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Json,
    Sarif,
    /// `attach` and `detach` write their JSON to standard error: standard output is the configuration.
    JsonBeside,
    /// The results of tests.
    Junit,
}

impl Form {
    /// The format that these arguments ask for, in any command that has it.
    pub(crate) fn of(arguments: &ArgMatches) -> Option<Self> {
        let (name, arguments) = arguments.subcommand()?;
        if arguments.subcommand().is_some() {
            return Self::of(arguments);
        }
        Self::named(arguments.try_get_raw("format").ok()??.next_back()?.to_str()?, name)
    }

    /// The same, for arguments that clap refused.
    pub(crate) fn of_unread(arguments: &Unread) -> Option<Self> {
        Self::named(arguments.value("format")?, arguments.command())
    }

    fn named(format: &str, command: &str) -> Option<Self> {
        match (format, command) {
            ("json", "attach" | "detach") => Some(Self::JsonBeside),
            ("json", _) => Some(Self::Json),
            ("sarif", _) => Some(Self::Sarif),
            ("junit", "test") => Some(Self::Junit),
            _ => None,
        }
    }

    /// The document of this form for an error.
    pub(crate) fn document(self, error: &dyn Diagnostic) -> String {
        match self {
            Self::Json | Self::JsonBeside => json_of(error).to_string(),
            Self::Sarif => sarif_of(error).to_string(),
            Self::Junit => junit_of(error),
        }
    }
}

/// Why the arguments cannot be used.
#[derive(Debug, Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    remedy: Option<String>,
}

impl UsageError {
    /// The words of clap: a paragraph with what is wrong, then those with what is right.
    pub(crate) fn of(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let mut paragraphs = text.split("\n\n").map(on_one_line).filter(|text| !text.is_empty());
        let first = paragraphs.next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
        let remedy = paragraphs.collect::<Vec<_>>().join(" ");
        Self { message, remedy: Some(remedy).filter(|text| !text.is_empty()) }
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Diagnostic for UsageError {
    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.remedy.as_ref().map(|text| Box::new(text) as Box<dyn fmt::Display>)
    }
}

/// The document that stands for the result when a command cannot do what it was asked for.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "An error of `authorizer`, in the place of its result")]
pub(crate) struct ErrorDocument {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// Why there is no result.
    error: ErrorMembers,
}

/// Why there is no result.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ErrorMembers {
    /// What is wrong, in one sentence.
    message: String,
    /// Each problem. There is at least one.
    #[schemars(length(min = 1))]
    problems: Vec<Problem>,
}

impl ErrorMembers {
    /// What is said of this error.
    pub(crate) fn of(error: &dyn Diagnostic) -> Self {
        Self { message: error.to_string(), problems: problems(error) }
    }
}

/// The error as one JSON object.
pub(crate) fn json_of(error: &dyn Diagnostic) -> Value {
    json!(ErrorDocument { version: 1, error: ErrorMembers::of(error) })
}

/// Its problems, each as [`json_of`] has it.
pub(crate) fn problems_of(error: &dyn Diagnostic) -> Vec<Value> {
    problems(error).into_iter().map(|problem| json!(problem)).collect()
}

/// The error as SARIF 2.1.0: a run that was not successful (section 3.20.14), with a notification per problem.
fn sarif_of(error: &dyn Diagnostic) -> Value {
    let here = env::current_dir().ok();
    let told: Vec<Value> = problems(error).iter().map(|one| one.to_notification(here.as_deref())).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "authorizer", "semanticVersion": env!("CARGO_PKG_VERSION")}},
            "invocations": [{"executionSuccessful": false, "toolExecutionNotifications": told}],
            "columnKind": "unicodeCodePoints",
            "results": [],
        }],
    })
}

/// The error as JUnit XML: a suite whose one case could not be run.
fn junit_of(error: &dyn Diagnostic) -> String {
    let text = |one: &Problem| {
        let place = one.place.iter().map(|at| format!("{}:{}:{}: ", at.file, at.line, at.column));
        let remedy = one.remedy.iter().map(|remedy| format!(". Remedy: {remedy}"));
        place.chain([one.message.clone()]).chain(remedy).collect::<String>()
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let described = problems(error).iter().map(text).collect::<Vec<_>>().join("\n");
    status.set_message(error.to_string()).set_description(described);
    let mut suite = TestSuite::new("authorizer");
    suite.add_test_case(TestCase::new("the tests can be run", status));
    let mut report = Report::unnamed();
    report.add_test_suite(suite);
    // Only the name of an attribute could be invalid in XML, and none is set.
    report.to_string().map(|xml| xml.trim_end().to_owned()).unwrap_or_default()
}

/// One problem. If it has a place in a file, also the file, the line and the column.
#[derive(Debug, JsonSchema, Serialize)]
struct Problem {
    /// What is wrong.
    message: String,
    /// What to do, if that is known.
    remedy: Option<String>,
    #[serde(flatten)]
    place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, JsonSchema, Serialize)]
struct Place {
    /// The place in words, such as `rules[1].keys[0]`, if it has some.
    #[serde(rename = "place")]
    name: Option<String>,
    /// The file; `-` is standard input.
    file: String,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    line: usize,
    /// The column, from 1. It counts characters.
    #[schemars(range(min = 1))]
    column: usize,
}

/// The problems of an error: those that it lists, or itself.
fn problems(error: &dyn Diagnostic) -> Vec<Problem> {
    let listed: Vec<Problem> =
        error.related().into_iter().flatten().map(|one| problem(one, error.source_code())).collect();
    if listed.is_empty() { vec![problem(error, None)] } else { listed }
}

fn problem(error: &dyn Diagnostic, around: Option<&dyn SourceCode>) -> Problem {
    Problem {
        message: error.to_string(),
        remedy: error.help().map(|help| help.to_string()),
        place: place(error, error.source_code().or(around)),
    }
}

fn place(error: &dyn Diagnostic, source: Option<&dyn SourceCode>) -> Option<Place> {
    let label = error.labels()?.next()?;
    // With a line before it the contents would begin there.
    let contents = source?.read_span(label.inner(), 0, 0).ok()?;
    Some(Place {
        name: label.label().filter(|name| *name != "here").map(str::to_owned),
        file: contents.name()?.to_owned(),
        line: contents.line().saturating_add(1),
        column: contents.column().saturating_add(1),
    })
}

impl Problem {
    fn to_notification(&self, here: Option<&Path>) -> Value {
        let text = match &self.remedy {
            Some(remedy) => format!("{}. Remedy: {remedy}", self.message),
            None => self.message.clone(),
        };
        let location = self.place.iter().map(|place| {
            json!({"physicalLocation": {
                "artifactLocation": {"uri": uri_of(Path::new(&place.file), here)},
                "region": {"startLine": place.line, "startColumn": place.column},
            }})
        });
        json!({"level": "error", "message": {"text": text}, "locations": location.collect::<Vec<_>>()})
    }
}
