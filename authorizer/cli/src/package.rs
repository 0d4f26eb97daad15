//! `authorizer package`: the zip that Lambda@Edge runs.
//!
//! The same binary, policy and keys give the same bytes. So a reviewer can make the zip, and compare its SHA-256 with
//! the one that Lambda shows.

mod archive;
mod binary;
mod report;
mod verify;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use authorizer_core::code_flow::ClientAuthentication;
use authorizer_core::policy::Policy;
use authorizer_core::policy::document::JwksDocument;
use authorizer_core::token::Issuer;
use authorizer_core::{BuiltWith, SignIn};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::devkey::DEVELOPMENT_ONLY;
use crate::output::{Exit, Format, line, note};
use crate::policy::PolicyFileArgs;
use crate::policy::warn;
use crate::release::{About, Release};
use crate::save;

use archive::{Archive, Entry};
use binary::{BinaryError, Kind};
pub(crate) use report::Report;
pub(crate) use verify::Verdict;

/// The files that start `bootstrap` under the two runtimes of Lambda@Edge.
const PYTHON_SHIM: &str = include_str!("../../edge/shims/index.py");
const NODE_SHIM: &str = include_str!("../../edge/shims/index.mjs");

/// The handler that calls the library.
const LIBRARY_HANDLER: &str = include_str!("../../library/handler/index.py");

/// The limit of Lambda for unpacked files ("Lambda quotas", Lambda Developer Guide).
const MAX_UNPACKED_BYTES: u64 = 250_000_000;

/// The limit of CloudFront for a viewer-request function ("Quotas on Lambda@Edge", CloudFront Developer Guide).
const MAX_ZIP_BYTES: usize = 50_000_000;

/// What CloudFront's API took for a viewer-request function, whatever AWS's pages say: larger ones were refused in 2023,
/// and in March and October 2024 (awslabs/cognito-at-edge issue 93, among others). Nobody has said since that it changed.
const SURE_ZIP_BYTES: usize = 1_048_576;

/// Make the zip to deploy: the function, the files that start it, and the policy with its keys.
///
/// The same binary, policy and keys give the same bytes on every machine. Prints the SHA-256 to compare with what is
/// deployed. A release has the function inside; a program that was built from the sources takes it from `--bootstrap`.
///
/// With `--verify` it exits 0 if a zip is what this release makes of the bundle in it, and 1 if not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  authorizer package --policy policy.toml
  authorizer package --policy policy.toml --hand-over library
  authorizer package --policy policy.toml --bootstrap \"$(authorizer/edge/build small)\"
  authorizer package --verify dist/authorizer.zip")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyFileArgs,
    /// Say whether the function in this zip is that of this release, and make nothing.
    #[arg(
        long,
        value_name = "ZIP",
        group = "PolicyFileArgs",
        conflicts_with_all = ["bootstrap", "build", "hand_over", "print_build", "out"]
    )]
    verify: Option<PathBuf>,
    /// Binary of the function, as `authorizer/edge/build` of a clone makes it: the program, or the library with
    /// `--hand-over library` [default: the one that is inside a release].
    #[arg(long, value_name = "PATH")]
    bootstrap: Option<PathBuf>,
    /// Build of the function that is inside a release [default: the one that the policy takes].
    #[arg(long, value_enum, conflicts_with = "bootstrap")]
    build: Option<Build>,
    /// How the managed runtime hands the work to the function.
    #[arg(long, value_enum, default_value_t)]
    hand_over: HandOver,
    /// Print which build of the function the policy takes, `small` or `fast`, and make nothing.
    ///
    /// `small` is for policies for which nothing is fetched at the edge.
    #[arg(long, conflicts_with_all = ["bootstrap", "build", "format"])]
    print_build: bool,
    /// File for the zip.
    #[arg(long, value_name = "PATH", default_value = "dist/authorizer.zip")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How the managed runtime hands the work to the function.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HandOver {
    /// The runtime's process becomes the function. For Python and Node.js.
    #[default]
    Exec,
    /// A Python handler calls the function as a library. For Python only.
    Library,
}

/// Why a package cannot be made.
#[derive(Debug, Diagnostic, Error)]
enum PackageError {
    /// The binary cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help(
        "`authorizer/edge/build` makes the function's binary, and prints its path; it is in a clone of the project"
    ))]
    BinaryUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Lambda cannot run the binary.
    #[error("`{path}` {source}")]
    #[diagnostic(help(
        "`authorizer/edge/build` makes a binary that Lambda can run, and prints its path; it is in a clone of the project"
    ))]
    Binary {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BinaryError,
    },
    /// A library for a program, or the other way round.
    #[error("`{path}` {is}")]
    #[diagnostic(help("{remedy}"))]
    OtherHandOver {
        /// The file.
        path: PathBuf,
        /// What it is.
        is: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The binary does not start with this policy.
    #[error("the policy has {}, but `{path}` was built without `remote-keys`", .fetches.has())]
    #[diagnostic(help("{}", .fetches.remedy()))]
    NoRemoteKeys {
        /// The file.
        path: PathBuf,
        /// What is fetched.
        fetches: Fetches,
    },
    /// The binary might not start with this policy.
    #[error("the policy has {}, but `{path}` does not say whether it can fetch {}", .fetches.has(), .fetches.noun())]
    #[diagnostic(help("build it with `authorizer/edge/build`, from the same version as this program"))]
    Unmarked {
        /// The file.
        path: PathBuf,
        /// What is fetched.
        fetches: Fetches,
    },
    /// Nothing to make a package of.
    #[error("this program is not a release, and the function is not inside it")]
    #[diagnostic(help(
        "take `authorizer` from a release, which `make dist` makes in a clone of the project; or build the function there, \
         and name it: `--bootstrap \"$(authorizer/edge/build {build}{library})\"`"
    ))]
    NoFunction {
        /// The build that the policy takes.
        build: &'static str,
        /// What makes a library of it.
        library: &'static str,
    },
    /// The build that was asked for does not start with this policy.
    #[error("the policy has {}, but the build `small` cannot fetch {}", .fetches.has(), .fetches.noun())]
    #[diagnostic(help("{}", .fetches.without_small()))]
    CannotFetch {
        /// What is fetched.
        fetches: Fetches,
    },
    /// A key of a development server.
    #[error(
        "issuer `{issuer}` has a development key of `authorizer serve --dev-issuer`, which anyone could have made"
    )]
    #[diagnostic(help("put only the keys that the issuer publishes into its JWK set"))]
    DevelopmentKey {
        /// The issuer.
        issuer: String,
    },
    /// More than Lambda unpacks.
    #[error("`{path}` is larger than the 250 MB that Lambda unpacks")]
    #[diagnostic(help("`authorizer/edge/build` makes a binary without debugging information"))]
    BinaryTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// More than CloudFront accepts.
    #[error("the zip has {bytes} bytes, but CloudFront accepts at most 50 MB")]
    #[diagnostic(help("`authorizer/edge/build` makes a binary of about two megabytes; use that one"))]
    ZipTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The zip cannot be made.
    #[error("the zip cannot be made: {0}")]
    Zip(#[source] zip::result::ZipError),
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    if let Some(zip) = &args.verify {
        return verify::run(zip, args.format);
    }
    let file = PolicyFile::load(args.policy.path())?;
    let fetches = Fetches::of(file.bundle().policy());
    let build = Build::of(fetches);
    if args.print_build {
        line(build.name())?;
        return Ok(Exit::Held);
    }
    warn(&file);
    if let Some(issuer) = with_development_key(&file) {
        return Err(PackageError::DevelopmentKey { issuer: issuer.to_owned() }.into());
    }
    let function = match &args.bootstrap {
        Some(path) => Function::built(path, fetches, args.hand_over)?,
        None => Function::of_release(args.build.unwrap_or(build), fetches, args.hand_over)?,
    };
    let archive = Archive::write(&args.hand_over.entries(&function.binary, file.bundle_json()))
        .map_err(PackageError::Zip)?;
    let bytes = archive.bytes().len();
    if bytes > MAX_ZIP_BYTES {
        return Err(PackageError::ZipTooLarge { bytes }.into());
    }
    let policy = file.bundle().policy();
    let of_sign_in = secrets_of_sign_in(policy);
    let has_secret = policy.issuers().iter().any(Issuer::has_secret) || policy.claim_hasher().is_some();
    match has_secret || of_sign_in.is_some() {
        true => save::replace_private(&args.out, archive.bytes())?,
        false => save::replace(&args.out, archive.bytes())?,
    }
    if let Some(secrets) = of_sign_in {
        note(format_args!(
            "warning: the zip is a secret: it contains {secrets}. Keep it, and the function's code in Lambda, where only \
             people who may have that can read it"
        ));
    }
    if bytes > SURE_ZIP_BYTES {
        note(format_args!(
            "warning: {}",
            too_large(bytes, fetches, function.built_with, function.release.is_some())
        ));
    }
    Report::new(&args.out, args.hand_over, &archive, file.bundle().sha256(), function.release.as_ref())
        .print(args.format)?;
    Ok(Exit::Held)
}

/// The name of an issuer with a key that is only for development.
fn with_development_key(file: &PolicyFile) -> Option<&str> {
    let marked = |key: &serde_json::Value| key.get(DEVELOPMENT_ONLY).is_some();
    let keys_of = |jwks: &JwksDocument| jwks.keys.iter().flatten().any(marked);
    let issuer = file.document().issuers.iter().find(|issuer| issuer.jwks.as_ref().is_some_and(keys_of))?;
    Some(&issuer.name)
}

/// The function to package.
#[derive(Debug)]
struct Function {
    binary: Vec<u8>,
    built_with: Option<BuiltWith>,
    /// The release and the build that it is, unless somebody built it.
    release: Option<OfRelease>,
}

/// A function of a release.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OfRelease {
    /// The build.
    build: Build,
    #[serde(flatten)]
    about: About,
}

impl Function {
    /// What somebody built, for a policy that fetches this.
    fn built(path: &Path, fetches: Option<Fetches>, hand_over: HandOver) -> Result<Self, PackageError> {
        let binary = read_binary(path, hand_over)?;
        let built_with = binary::built_with(&binary);
        match (fetches, built_with) {
            (None, _) | (Some(_), Some(BuiltWith { remote_keys: true })) => {
                Ok(Self { binary, built_with, release: None })
            }
            (Some(fetches), Some(BuiltWith { remote_keys: false })) => {
                Err(PackageError::NoRemoteKeys { path: path.to_owned(), fetches })
            }
            (Some(fetches), None) => Err(PackageError::Unmarked { path: path.to_owned(), fetches }),
        }
    }

    /// What is inside this program, for a policy that fetches this.
    fn of_release(build: Build, fetches: Option<Fetches>, hand_over: HandOver) -> miette::Result<Self> {
        if let (Build::Small, Some(fetches)) = (build, fetches) {
            return Err(PackageError::CannotFetch { fetches }.into());
        }
        let mut release = Release::of_this_program()?.ok_or_else(|| hand_over.no_function(build))?;
        let binary = release.function(build, hand_over)?;
        let built_with = binary::built_with(&binary);
        Ok(Self { binary, built_with, release: Some(OfRelease { build, about: release.about().clone() }) })
    }
}

impl HandOver {
    /// The error of a program without the function.
    fn no_function(self, build: Build) -> PackageError {
        let library = match self {
            Self::Exec => "",
            Self::Library => " library",
        };
        PackageError::NoFunction { build: build.name(), library }
    }

    /// The name of the function's binary in a package.
    pub(crate) fn binary_name(self) -> &'static str {
        match self {
            Self::Exec => "bootstrap",
            Self::Library => "libauthorizer.so",
        }
    }

    /// The files of the package.
    fn entries<'e>(self, binary: &'e [u8], bundle: &'e [u8]) -> Vec<Entry<'e>> {
        let bundle = Entry { name: "bundle.json", mode: 0o644, bytes: bundle };
        match self {
            Self::Exec => vec![
                Entry { name: self.binary_name(), mode: 0o755, bytes: binary },
                Entry { name: "index.py", mode: 0o644, bytes: PYTHON_SHIM.as_bytes() },
                Entry { name: "index.mjs", mode: 0o644, bytes: NODE_SHIM.as_bytes() },
                bundle,
            ],
            Self::Library => vec![
                Entry { name: self.binary_name(), mode: 0o755, bytes: binary },
                Entry { name: "index.py", mode: 0o644, bytes: LIBRARY_HANDLER.as_bytes() },
                bundle,
            ],
        }
    }

    /// The runtimes of Lambda for it, the best first. Python's execve() is stable, and that of Node.js is experimental. AWS
    /// supports python3.14 until 2029-06-30 and nodejs24.x until 2028-04-30 (Lambda Developer Guide, "Lambda runtimes").
    fn runtimes(self) -> &'static [&'static str] {
        match self {
            Self::Exec => &["python3.14", "nodejs24.x"],
            Self::Library => &["python3.14"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Library => "library",
        }
    }
}

/// The builds of the function that `authorizer/edge/build` makes.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Build {
    /// Cannot fetch keys; its zip fits 1,048,576 bytes.
    Small,
    /// Compiled for speed, and for every policy.
    Fast,
}

/// What the function fetches with a policy, if it fetches something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fetches {
    /// Keys, from the `url` of an issuer.
    Keys,
    /// Tokens, for the code of a sign-in; keys too, if an issuer has a `url`.
    Tokens,
}

impl Fetches {
    fn of(policy: &Policy) -> Option<Self> {
        let has_url = policy.issuers().iter().any(|issuer| issuer.remote_keys().is_some());
        match policy.sign_in().and_then(SignIn::code_flow) {
            Some(_) => Some(Self::Tokens),
            None => has_url.then_some(Self::Keys),
        }
    }

    /// What the policy has for that.
    fn has(self) -> &'static str {
        match self {
            Self::Keys => "a `url` to fetch keys from",
            Self::Tokens => "a `[sign_in]` with `issuer`, which fetches tokens",
        }
    }

    fn without_small(self) -> &'static str {
        match self {
            Self::Keys => "leave `--build small` out; or remove the `url` and name a key `file` only",
            Self::Tokens => "leave `--build small` out",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Tokens => "tokens",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Keys => {
                "build it with `authorizer/edge/build fast`, or `fast library` for a library; or remove the `url` and \
                 name a key `file` only, which `authorizer keys fetch` makes"
            }
            Self::Tokens => "build it with `authorizer/edge/build fast`, or `fast library` for a library",
        }
    }
}

/// The secrets of a sign-in that are in the bundle, as a sentence names them.
fn secrets_of_sign_in(policy: &Policy) -> Option<&'static str> {
    let flow = policy.sign_in().and_then(SignIn::code_flow)?;
    Some(match flow.client_authentication() {
        ClientAuthentication::None => "the key of the sign-in's cookies",
        ClientAuthentication::SecretBasic(_) | ClientAuthentication::SecretPost(_) => {
            "the key of the sign-in's cookies and the client's secret"
        }
        ClientAuthentication::PrivateKeyJwt(_) => {
            "the key of the sign-in's cookies and the client's private key"
        }
    })
}

impl Build {
    /// The build for what a policy fetches.
    fn of(fetches: Option<Fetches>) -> Self {
        match fetches {
            Some(_) => Self::Fast,
            None => Self::Small,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Fast => "fast",
        }
    }
}

/// What to say of a zip that CloudFront may refuse: the limit, how the refusal reads, and the way out.
fn too_large(
    bytes: usize,
    fetches: Option<Fetches>,
    built_with: Option<BuiltWith>,
    is_release: bool,
) -> String {
    let way_out = match (fetches, built_with) {
        (Some(Fetches::Tokens), _) => {
            "ask AWS Support which size it takes for your account; a `[sign_in]` with `url` in the place of `issuer` \
             fits the build `small`, if nothing else is fetched"
        }
        (Some(Fetches::Keys), _) if is_release => {
            "fetch the keys with `authorizer keys fetch`, and name them with `file` in place of `url`"
        }
        (Some(Fetches::Keys), _) => {
            "fetch the keys with `authorizer keys fetch`, name them with `file` in place of `url`, and package the \
             binary of `authorizer/edge/build small`"
        }
        (None, Some(BuiltWith { remote_keys: false })) => {
            "make the policy smaller: its rules and keys are in the zip"
        }
        (None, _) if is_release => "leave `--build fast` out: `small` is enough for this policy",
        (None, _) => "package the binary of `authorizer/edge/build small`, which is enough for this policy",
    };
    format!(
        "the zip has {bytes} bytes. AWS's pages allow a viewer-request function 50 MB, but CloudFront was seen to \
         refuse more than {SURE_ZIP_BYTES} (InvalidLambdaFunctionAssociation: \"The function code size is larger than \
         the maximum allowed size\"). If it does: {way_out}"
    )
}

fn read_binary(path: &Path, hand_over: HandOver) -> Result<Vec<u8>, PackageError> {
    let unreadable = |source| PackageError::BinaryUnreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_UNPACKED_BYTES.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_UNPACKED_BYTES) {
        return Err(PackageError::BinaryTooLarge { path: path.to_owned() });
    }
    let kind =
        binary::check(&bytes).map_err(|source| PackageError::Binary { path: path.to_owned(), source })?;
    let (is, remedy) = match (hand_over, kind) {
        (HandOver::Exec, Kind::Program) | (HandOver::Library, Kind::Library) => return Ok(bytes),
        (HandOver::Exec, Kind::Library) => (
            "is the function as a library, not the program `bootstrap`",
            "write `--hand-over library`, or package the program that `authorizer/edge/build` makes",
        ),
        (HandOver::Library, Kind::Program) => (
            "is a program, not the function as a library",
            "leave `--hand-over library` out, or package the library that `authorizer/edge/build small library` makes \
             (`fast` for a policy with a `url`)",
        ),
    };
    Err(PackageError::OtherHandOver { path: path.to_owned(), is, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_says_the_limit_the_error_and_the_way_out_of_its_own_build() {
        let [can, cannot] = BuiltWith::ALL.map(Some);
        for (fetches, built_with, is_release, way_out) in [
            (Some(Fetches::Keys), can, false, "binary of `authorizer/edge/build small`"),
            (Some(Fetches::Keys), can, true, "`authorizer keys fetch`"),
            (Some(Fetches::Tokens), can, true, "a `[sign_in]` with `url` in the place of `issuer`"),
            (None, can, false, "`authorizer/edge/build small`, which is enough"),
            (None, can, true, "leave `--build fast` out"),
            (None, None, false, "`authorizer/edge/build small`, which is enough"),
            (None, cannot, true, "make the policy smaller"),
        ] {
            let said = too_large(2_000_000, fetches, built_with, is_release);
            for part in ["2000000", "1048576", "InvalidLambdaFunctionAssociation", way_out] {
                assert!(said.contains(part), "{said}");
            }
        }
    }
}
