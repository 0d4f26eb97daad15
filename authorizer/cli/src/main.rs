//! `authorizer`, the program.

fn main() -> std::process::ExitCode {
    authorizer_cli::run()
}
