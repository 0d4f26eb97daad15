//! Why a distribution's configuration cannot be changed.

use std::path::PathBuf;

use authorizer_cloudfront::{BehaviorName, ExportedError};
use authorizer_core::nearest;
use miette::Diagnostic;
use thiserror::Error;

/// Why a distribution's configuration cannot be changed.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum AttachError {
    /// Not what the AWS CLI exports.
    #[error("`{path}` cannot be used: {source}")]
    #[diagnostic(help(
        "use the complete output of `aws cloudfront get-distribution-config --id ID --output json`"
    ))]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ExportedError,
    },
    /// The distribution does not have this behavior.
    #[error("this distribution does not have {name}")]
    #[diagnostic(help("{}", behaviors_there(.name, .there)))]
    NoSuchBehavior {
        /// The behavior.
        name: BehaviorName,
        /// The behaviors of the distribution.
        there: Vec<BehaviorName>,
    },
    /// The distribution does not have this origin.
    #[error("this distribution does not have the origin `{}`", .id.escape_debug())]
    #[diagnostic(help("{}", origins_there(.id, .there)))]
    NoSuchOrigin {
        /// The origin.
        id: String,
        /// The origins of the distribution.
        there: Vec<String>,
    },
    /// Several buckets.
    #[error("the behaviors of this distribution reach several buckets")]
    #[diagnostic(help(
        "an access policy is about one bucket: choose its origin with --origin; there is {}",
        origins_of(.there)
    ))]
    SeveralBuckets {
        /// Each origin, and its bucket.
        there: Vec<(String, String)>,
    },
    /// Origins beside named behaviors.
    #[error("--origin is for `--behavior all` only")]
    #[diagnostic(help("use `--behavior all`, or leave out --origin"))]
    OriginWithoutAll,
    /// No ETag, which the input of `update-distribution` needs.
    #[error("the configuration has no `ETag`, which --cli-input-json needs")]
    #[diagnostic(help(
        "use the complete output of `aws cloudfront get-distribution-config --id ID --output json`, or leave out \
         --cli-input-json"
    ))]
    NoETag,
    /// No behavior reaches a bucket.
    #[error("no behavior of this distribution has a bucket as its origin")]
    #[diagnostic(help("check that this is the right distribution"))]
    NoBucket,
    /// The result is not a configuration.
    #[error("the changed configuration cannot be read: {0}")]
    #[diagnostic(help("nothing was written; please report this, with the configuration"))]
    Broken(ExportedError),
}

fn behaviors_there(name: &BehaviorName, there: &[BehaviorName]) -> String {
    let words = |name: &BehaviorName| match name {
        BehaviorName::Default => "default".to_owned(),
        BehaviorName::Pattern(pattern) => pattern.clone(),
    };
    let all: Vec<String> = there.iter().map(ToString::to_string).collect();
    let found = meant(&words(name), &there.iter().map(words).collect::<Vec<_>>());
    with_guess(found.and_then(|index| all.get(index)).cloned(), &all)
}

fn origins_there(id: &str, there: &[String]) -> String {
    let all: Vec<String> = there.iter().map(|one| format!("`{}`", one.escape_debug())).collect();
    with_guess(meant(id, there).and_then(|index| all.get(index)).cloned(), &all)
}

fn origins_of(there: &[(String, String)]) -> String {
    let one = |(origin, bucket): &(String, String)| {
        format!("`{}` (bucket `{}`)", origin.escape_debug(), bucket.escape_debug())
    };
    there.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn with_guess(guess: Option<String>, all: &[String]) -> String {
    let all = format!("it has {}", all.join(", "));
    guess.map_or(all.clone(), |guess| format!("did you mean {guess}? {all}"))
}

/// The text that was perhaps meant. Slashes, stars and the case are what is mistaken most.
fn meant(text: &str, there: &[String]) -> Option<usize> {
    let bare = |text: &str| text.trim_matches(['/', '*']).to_owned();
    let all: Vec<String> = there.iter().map(|one| bare(one)).collect();
    let near = nearest(&bare(text), all.iter().map(String::as_str))?;
    all.iter().position(|one| one == near)
}
