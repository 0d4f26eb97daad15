//! `authorizer test`: the unit tests of a policy.

mod entry;
mod error;
mod json;
mod junit;
mod outcome;
mod text;

pub(crate) use self::json::Document;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use authorizer_analysis::testing::document::TestsDocument;
use authorizer_analysis::testing::{Coverage, Suite, run as run_suite, suggest};
use authorizer_core::Authorizer;
use authorizer_core::policy::Place;
use authorizer_core::token::Issuer;
use authorizer_policy::providers::{ClaimType, Provider};
use authorizer_policy::{FileKind, PolicyFileError, TomlFile};
use clap::ValueEnum;

use self::error::TestError;
use self::outcome::{FileResults, Outcome};
use crate::output::{Exit, note};
use crate::policy::PolicyArgs;

/// Run the unit tests of a policy, and measure how much of it they cover.
///
/// For each part of a rule that no test covers, prints a test that does, ready to be added to the test file, or says that
/// no request can. `authorizer help tests` describes the test files and the coverage. Exits 1 when a test fails, or when the
/// coverage is below --min-coverage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer test --policy policy.toml --min-coverage 100\n\n\
    Run the same tests on the bundle of a package:\n  \
    authorizer test --bundle bundle.json policy.tests.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Test files (default: NAME.tests.toml beside the policy NAME.toml).
    tests: Vec<PathBuf>,
    /// Lowest coverage that passes, in percent (default: any coverage passes).
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
    /// Also list the tests that pass, and what no test covers.
    #[arg(long)]
    verbose: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,
}

/// The output format of test results.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum TestFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
    /// For tools that show test results: JUnit XML.
    Junit,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let authorizer = args.policy.authorizer()?;
    let files = match (args.tests.as_slice(), args.policy.path()) {
        ([], Some(policy)) if policy != Path::new("-") => {
            let beside = tests_beside(policy);
            match beside.try_exists() {
                Ok(false) => return Err(TestError::NoTestsBeside(beside).into()),
                // Another error is found when the file is read.
                Ok(true) | Err(_) => vec![beside],
            }
        }
        // Nothing is beside standard input or a bundle.
        ([], _) => return Err(TestError::NoTests.into()),
        (files, _) => files.to_vec(),
    };
    // All files are read before any test runs: the result is complete, or an error.
    let files = files.into_iter().map(|path| load(&path, &authorizer)).collect::<Result<Vec<_>, _>>()?;
    let mut coverage = Coverage::of(authorizer.bundle().policy());
    let mut results = Vec::with_capacity(files.len());
    for file in &files {
        results.push(FileResults {
            path: file.path.clone(),
            lines: file.lines.clone(),
            results: run_suite(&file.suite, &authorizer, &mut coverage),
        });
    }
    let lacking = match files.last() {
        Some(last) if coverage.missing().next().is_some() && args.format != TestFormat::Junit => {
            let names =
                files.iter().flat_map(|file| file.document.tests.iter().map(|test| test.name.clone()));
            let names: BTreeSet<String> = names.collect();
            suggest(&authorizer, &coverage, &last.document.defaults, &names, &lists_of)
        }
        Some(_) | None => Vec::new(),
    };
    let outcome = Outcome { files: results, coverage, lacking, min_coverage: args.min_coverage };
    match args.format {
        TestFormat::Text => text::write(&outcome, args.verbose)?,
        TestFormat::Json => json::write(&outcome, authorizer.bundle())?,
        TestFormat::Junit => junit::write(&outcome)?,
    }
    // No test holds what a file without tests promises.
    let mut is_complete = true;
    for file in files.iter().filter(|file| file.suite.is_empty()) {
        note(format_args!("`{}` does not have a test: add a `[[tests]]` block", file.path.display()));
        is_complete = false;
    }
    let holds = is_complete && outcome.failed() == 0 && outcome.covers_enough();
    Ok(if holds { Exit::Held } else { Exit::Findings })
}

/// The claims that are lists in the tokens of an issuer whose provider is known.
fn lists_of(issuer: &Issuer) -> Vec<String> {
    let claims = Provider::of(issuer.issuer()).map(|provider| &provider.claims);
    let claims = claims.into_iter().flatten().filter(|(_, claim)| claim.form == ClaimType::List);
    claims.map(|(name, _)| name.clone()).collect()
}

/// The tests of the policy NAME.toml: NAME.tests.toml beside it.
pub(crate) fn tests_beside(policy: &Path) -> PathBuf {
    policy.with_extension("tests.toml")
}

/// A file of tests.
pub(crate) struct TestsFile {
    path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    document: TestsDocument,
    /// The tests in it.
    pub(crate) suite: Suite,
    /// The line of each test, from 1.
    lines: Vec<usize>,
}

/// Reads a file of tests.
pub(crate) fn load(path: &Path, authorizer: &Authorizer) -> Result<TestsFile, PolicyFileError> {
    let file: TomlFile<TestsDocument> = TomlFile::load(FileKind::Tests, path)?;
    let suite = Suite::compile(file.document(), authorizer.bundle().policy());
    let suite = suite.map_err(|problems| file.problems(problems))?;
    let places = file.places();
    let line =
        |test| places.span(&Place::member("tests").at(test)).map(|span| places.position(span.start).line);
    let lines = (0..file.document().tests.len()).map_while(line).collect();
    let (text, document) = (file.text().to_owned(), file.document().clone());
    Ok(TestsFile { path: path.to_owned(), text, document, suite, lines })
}
