//! The policy that a command decides by: a policy file, or the bundle of a package.

use std::path::{Path, PathBuf};

use authorizer_core::code_flow::RandomSource;
use authorizer_core::policy::Place;
use authorizer_core::{Authorizer, Bundle, BundleError, MAX_BUNDLE_BYTES};
use authorizer_policy::{PolicyFile, PolicyFileError};
use miette::Diagnostic;
use thiserror::Error;

use crate::input::read_limited;
use crate::output::note;

/// Neither a policy nor a bundle is given.
#[derive(Debug, Diagnostic, Error)]
#[error("no policy is given")]
#[diagnostic(help("add `--policy FILE` or `--bundle FILE`"))]
pub(crate) struct NoPolicyError;

/// A bundle cannot be used.
#[derive(Debug, Diagnostic, Error)]
#[error("`{path}`: {source}")]
#[diagnostic(help("package the policy again with `authorizer package`"))]
pub(crate) struct UnusableBundleError {
    /// The file.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) source: BundleError,
}

/// A package was named, and not its bundle.
#[derive(Debug, Diagnostic, Error)]
#[error("`{path}` is a zip, not the `bundle.json` of a package")]
#[diagnostic(help(
    "take it out of the package with `unzip -p {} bundle.json >bundle.json`, and name `bundle.json`",
    .path.display()
))]
pub(crate) struct ZipError {
    path: PathBuf,
}

/// Reads the bytes of the `bundle.json` of a package.
pub(crate) fn read_bundle_json(path: &Path) -> miette::Result<Vec<u8>> {
    let bytes = read_limited(path, MAX_BUNDLE_BYTES)?;
    match bytes.starts_with(b"PK\x03\x04") {
        true => Err(ZipError { path: path.to_owned() }.into()),
        false => Ok(bytes),
    }
}

/// Reads the `bundle.json` of a package.
pub(crate) fn read_bundle(path: &Path) -> miette::Result<Bundle> {
    let bundle = Bundle::read(&read_bundle_json(path)?);
    Ok(bundle.map_err(|source| UnusableBundleError { path: path.to_owned(), source })?)
}

/// The most warnings that are shown. More warnings have one cause.
const MAX_WARNINGS: usize = 50;

/// Prints the warnings about a policy.
pub(crate) fn warn(file: &PolicyFile) {
    for warning in file.warnings().iter().take(MAX_WARNINGS) {
        note(format_args!("{:?}", miette::Report::new(warning.clone())));
    }
    let more = file.warnings().len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        note(format_args!("{more} more warnings are not shown; `authorizer check --format json` prints all"));
    }
}

/// Reads a policy for a command that decides nothing for viewers: the files of its secrets need not be there. Says which
/// are not.
pub(crate) fn for_review(path: &Path) -> Result<PolicyFile, PolicyFileError> {
    let file = PolicyFile::load_for_review(path)?;
    if let Some(warning) = file.secrets_not_here() {
        note(format_args!("{:?}", miette::Report::new(warning.clone())));
    }
    Ok(file)
}

/// The policy file of a command that has no other argument: it may be named as the argument, or as elsewhere.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PolicyFileArgs {
    /// Policy file (TOML), or `-` for standard input.
    #[arg(value_name = "POLICY")]
    argument: Option<PathBuf>,
    /// The same as POLICY.
    #[arg(long = "policy", value_name = "FILE")]
    option: Option<PathBuf>,
}

impl PolicyFileArgs {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        // The group of clap requires one of them.
        self.argument.as_deref().or(self.option.as_deref()).unwrap_or(Path::new("-"))
    }
}

/// A policy file or a bundle, of a command that has no other argument: exactly one of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PolicyOrBundleArgs {
    /// Policy file (TOML), or `-` for standard input.
    #[arg(value_name = "POLICY")]
    argument: Option<PathBuf>,
    /// The same as POLICY.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// `bundle.json` of a package, instead of a policy file.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

impl PolicyOrBundleArgs {
    /// As other commands have it.
    pub(crate) fn args(&self) -> PolicyArgs {
        PolicyArgs::of(self.argument.clone().or_else(|| self.policy.clone()), self.bundle.clone())
    }
}

/// Where the rules of a policy are in its file. A bundle has no lines.
#[derive(Debug, Default)]
pub(crate) struct RuleLines {
    file: PathBuf,
    lines: Vec<usize>,
}

impl RuleLines {
    fn of(path: &Path, file: &PolicyFile) -> Self {
        let places = file.places();
        let line =
            |rule| places.span(&Place::member("rules").at(rule)).map(|span| places.position(span.start).line);
        let rules = file.bundle().policy().rules().len();
        Self { file: path.to_owned(), lines: (0..rules).map_while(line).collect() }
    }

    /// The file and the line of the rule with this index, the line from 1.
    pub(crate) fn of_rule(&self, rule: usize) -> Option<(&Path, usize)> {
        Some((&self.file, *self.lines.get(rule)?))
    }
}

/// Whoever replays or explains a request gets the same outcome each time. No person gets it.
pub(crate) const SAME_EACH_TIME: RandomSource = RandomSource::Seeded([0; 32]);

/// A policy file or a bundle: exactly one of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PolicyArgs {
    /// Policy file (TOML), or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// `bundle.json` of a package, instead of a policy file.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

impl PolicyArgs {
    /// Of a command that has more to choose from.
    pub(crate) fn of(policy: Option<PathBuf>, bundle: Option<PathBuf>) -> Self {
        Self { policy, bundle }
    }

    /// The policy file, if it is not a bundle.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.policy.as_deref()
    }

    /// Reads the policy.
    pub(crate) fn authorizer(&self) -> miette::Result<Authorizer> {
        Ok(self.with_lines()?.0)
    }

    /// Reads the policy, and where its rules are.
    pub(crate) fn with_lines(&self) -> miette::Result<(Authorizer, RuleLines)> {
        let (bundle, lines) = match (&self.policy, &self.bundle) {
            (Some(path), _) => {
                let file = for_review(path)?;
                let lines = RuleLines::of(path, &file);
                (file.into_bundle(), lines)
            }
            (None, Some(path)) => (read_bundle(path)?, RuleLines::default()),
            // The group of clap requires one of them.
            (None, None) => return Err(NoPolicyError.into()),
        };
        Ok((Authorizer::new(bundle).with_random(SAME_EACH_TIME), lines))
    }

    /// The bytes of its `bundle.json`.
    pub(crate) fn bundle_json(&self) -> miette::Result<Vec<u8>> {
        match (&self.policy, &self.bundle) {
            (Some(path), _) => Ok(for_review(path)?.bundle_json().to_vec()),
            (None, Some(path)) => read_bundle_json(path),
            (None, None) => Err(NoPolicyError.into()),
        }
    }

    /// The file that was named.
    pub(crate) fn named(&self) -> &Path {
        self.policy.as_deref().or(self.bundle.as_deref()).unwrap_or(Path::new(""))
    }
}
