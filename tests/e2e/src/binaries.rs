//! The programs under test, built from the sources that the tests were built from.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The command line, `authorizer`.
pub fn authorizer() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("authorizer-cli", "authorizer")).clone()
}

/// The client of `docs/examples/rust`.
pub fn files_client() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("files-client", "files-client")).clone()
}

/// The environment variable with a folder of freshly built programs, such as `target/debug`.
const PROGRAMS: &str = "AUTHORIZER_PROGRAMS";

/// A program of the workspace. Unless the programs were built before, cargo builds it once per process, so that it
/// is never old; cargo's own lock lets only one test process build. A build of one package has other features than a
/// build of all, so cargo builds the dependencies once more.
fn built(package: &str, program: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(PROGRAMS) {
        let path = root().join(folder).join(program);
        assert!(path.is_file(), "{PROGRAMS}: `{}` does not exist", path.display());
        return path;
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", package, "--bin", program]);
    cargo.arg("--message-format=json-render-diagnostics");
    if profile().file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    let messages = output(&mut cargo);
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    };
    messages.lines().filter_map(executable).next_back().expect("cargo names the executable")
}

/// A build of the edge function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Build {
    /// For every policy, compiled for speed.
    Fast,
    /// Without the code that fetches keys, and small.
    Small,
}

impl Build {
    /// Its name for `authorizer/edge/build`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Small => "small",
        }
    }
}

/// The edge function's binary, made for Lambda by `authorizer/edge/build`.
pub fn bootstrap(build: Build) -> PathBuf {
    static FAST: OnceLock<PathBuf> = OnceLock::new();
    static SMALL: OnceLock<PathBuf> = OnceLock::new();
    let path = match build {
        Build::Fast => &FAST,
        Build::Small => &SMALL,
    };
    path.get_or_init(|| {
        let printed = output(Command::new(root().join("authorizer/edge/build")).arg(build.name()));
        PathBuf::from(printed.lines().last().expect("the build names the binary"))
    })
    .clone()
}

/// The same as a library, for a package that was made with `--hand-over library`.
pub fn library(build: Build) -> PathBuf {
    static FAST: OnceLock<PathBuf> = OnceLock::new();
    static SMALL: OnceLock<PathBuf> = OnceLock::new();
    let path = match build {
        Build::Fast => &FAST,
        Build::Small => &SMALL,
    };
    path.get_or_init(|| {
        let printed =
            output(Command::new(root().join("authorizer/edge/build")).args([build.name(), "library"]));
        PathBuf::from(printed.lines().last().expect("the build names the library"))
    })
    .clone()
}

/// An example of the edge function's package, made like the `fast` build.
pub fn edge_example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let build = root().join("authorizer/edge/build");
        let printed = output(Command::new(build).args(["fast", "--examples"]));
        Path::new(printed.lines().last().expect("the build names the binary")).with_file_name("examples")
    });
    folder.join(name)
}

/// Runs `authorizer` and returns its output.
pub fn run<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> String {
    output(Command::new(authorizer()).args(arguments.into_iter().map(Into::into)))
}

/// Runs `authorizer` in a folder: its exit status, and its output on both streams.
pub fn run_in(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(authorizer());
    let output =
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1").output();
    let output = output.unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

/// A folder in the target folder for files that the tests make once and keep.
pub fn scratch() -> PathBuf {
    profile().join("authorizer-e2e")
}

/// The profile's folder in the target folder, such as `target/debug`: programs are in it, tests in its `deps`.
fn profile() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap();
    if folder.ends_with("deps") { folder.parent().unwrap().to_owned() } else { folder.to_owned() }
}

fn output(command: &mut Command) -> String {
    // The tests may have been built in another folder than the default.
    command.current_dir(root()).env("CARGO_TARGET_DIR", profile().parent().unwrap());
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
