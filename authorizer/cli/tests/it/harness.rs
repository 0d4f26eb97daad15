//! Runs the command line.

use std::path::Path;

use assert_cmd::Command;

/// The folder of the repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The program itself.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_authorizer");

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW: &str = "1800000000";

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// Runs a command to its end. What it writes for programs has to be as its schema says.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let done = Self { code: output.status.code().unwrap(), out, err };
        let arguments: Vec<&str> = command.get_args().filter_map(|one| one.to_str()).collect();
        crate::schemas::holds(&arguments, &done);
        done
    }
}

/// A command that runs in a folder and prints no colours.
pub(crate) fn command_in(folder: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env("NO_COLOR", "1").args(arguments);
    command
}

/// Runs a command in the folder of the repository.
pub(crate) fn authorizer(arguments: &[&str]) -> Done {
    Done::of(&mut command_in(ROOT, arguments))
}

/// The same, with this on its standard input.
pub(crate) fn authorizer_with(arguments: &[&str], input: impl Into<Vec<u8>>) -> Done {
    Done::of(command_in(ROOT, arguments).write_stdin(input))
}
