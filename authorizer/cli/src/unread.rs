//! Arguments before clap has read them, or after it refused them: which command they name, and the values of its
//! options.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};
use clap_lex::{OsStrExt as _, ParsedArg, RawArgs};

/// What can be read of arguments that may be wrong, by the program's own description of them: clap stops at the first
/// mistake, and what is asked for may come after it.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// The innermost command that is named.
    command: String,
    /// The last value of each option, by its long name.
    values: BTreeMap<String, OsString>,
}

impl Unread {
    /// Reads the arguments of `program`. The first is the program.
    pub(crate) fn of(mut program: Command, arguments: impl IntoIterator<Item = OsString>) -> Self {
        // Then each command has the global options too.
        program.build();
        let mut here = &program;
        let mut read = Self::default();
        // The option before, and how many more values it takes.
        let mut open: Option<(&Arg, usize)> = None;
        let arguments = RawArgs::new(arguments);
        let mut cursor = arguments.cursor();
        arguments.next(&mut cursor);
        while let Some(argument) = arguments.next(&mut cursor) {
            if let Some((option, most)) = open.take().filter(|(option, _)| is_value(option, &argument)) {
                read.note(option, argument.to_value_os());
                open = Some((option, most.saturating_sub(1))).filter(|(_, most)| *most > 0);
            } else if argument.is_escape() {
                break;
            } else if let Some((name, value)) = argument.to_long() {
                let option = name.ok().and_then(|name| find(here, &|one| has_name(one, name)));
                open = option.and_then(|option| read.open(option, value));
            } else if let Some(mut letters) = argument.to_short() {
                while let Some(Ok(letter)) = letters.next_flag() {
                    let Some(option) = find(here, &|one| has_letter(one, letter)) else { break };
                    if option.get_action().takes_values() {
                        let value = letters.next_value_os().filter(|value| !value.is_empty());
                        open = read.open(option, value.map(|value| value.strip_prefix("=").unwrap_or(value)));
                        break;
                    }
                }
            } else if let Some(below) = here.find_subcommand(argument.to_value_os()) {
                here = below;
            }
        }
        here.get_name().clone_into(&mut read.command);
        read
    }

    /// The innermost command that is named; the program itself if none is.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// The last value of an option, by its long name.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        self.values.get(option)?.to_str()
    }

    /// Notes the value that is attached to an option. If there is none: the option, and how many values may follow it.
    fn open<'c>(&mut self, option: &'c Arg, attached: Option<&OsStr>) -> Option<(&'c Arg, usize)> {
        if let Some(value) = attached {
            self.note(option, value);
            return None;
        }
        let most = option.get_num_args().map_or(0, |range| range.max_values());
        Some((option, most)).filter(|(_, most)| *most > 0 && !option.is_require_equals_set())
    }

    fn note(&mut self, option: &Arg, value: &OsStr) {
        if let Some(name) = option.get_long() {
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Whether an argument is a value of the option before it.
fn is_value(option: &Arg, argument: &ParsedArg<'_>) -> bool {
    option.is_allow_hyphen_values_set()
        || (option.is_allow_negative_numbers_set() && argument.is_negative_number())
        || !(argument.is_escape() || argument.is_long() || argument.is_short())
}

/// An option of a command. If it does not have it, the option may be one of a command below, and stand in the wrong place.
fn find<'c>(command: &'c Command, is: &dyn Fn(&Arg) -> bool) -> Option<&'c Arg> {
    let own = command.get_arguments().find(|option| is(option));
    own.or_else(|| command.get_subcommands().find_map(|below| find(below, is)))
}

fn has_name(option: &Arg, name: &str) -> bool {
    let is_alias = || option.get_all_aliases().is_some_and(|aliases| aliases.contains(&name));
    option.get_long() == Some(name) || is_alias()
}

fn has_letter(option: &Arg, letter: char) -> bool {
    let is_alias = || option.get_all_short_aliases().is_some_and(|aliases| aliases.contains(&letter));
    option.get_short() == Some(letter) || is_alias()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(program: Command, arguments: &[&str]) -> (String, Option<String>) {
        let arguments = ["authorizer"].iter().chain(arguments).map(OsString::from);
        let read = Unread::of(program, arguments);
        (read.command().to_owned(), read.value("format").map(str::to_owned))
    }

    #[test]
    fn the_command_and_its_format_are_found_among_mistakes() {
        for (arguments, command, format) in [
            (vec![], "authorizer", None),
            (vec!["--format", "json"], "authorizer", Some("json")),
            (vec!["--color", "never", "attach", "--format", "json", "WRONG"], "attach", Some("json")),
            (vec!["--color=never", "attach", "--format=json", "WRONG"], "attach", Some("json")),
            (vec!["--color", "attach", "detach", "--format", "json"], "detach", Some("json")),
            (vec!["--wrong", "attach", "--wrong", "--format", "json"], "attach", Some("json")),
            (vec!["--wrong=audit", "attach", "--format", "json"], "attach", Some("json")),
            (vec!["--format", "json", "attach"], "attach", Some("json")),
            (vec!["wrong", "--format", "json"], "authorizer", Some("json")),
            (vec!["audit", "findings", "--format", "sarif", "--wrong"], "findings", Some("sarif")),
            (vec!["audit", "--color", "never", "findings", "--format", "sarif"], "findings", Some("sarif")),
            (vec!["test", "--format", "json", "--format", "junit"], "test", Some("junit")),
            // What an option takes as its value is neither a command nor an option.
            (vec!["explain", "--request-id", "--format", "json"], "explain", None),
            (vec!["explain", "--request-id=--format", "--format", "json"], "explain", Some("json")),
            (vec!["audit", "matrix", "--deployment", "a=b", "c=d", "--format", "csv"], "matrix", Some("csv")),
            (vec!["serve", "--dev-issuer", "--format", "json"], "serve", Some("json")),
            (vec!["serve", "--dev-issuer", "dir", "--format", "json"], "serve", Some("json")),
            // `--package` is another name of `--function`.
            (vec!["serve", "--package", "test", "--format", "json"], "serve", Some("json")),
            // An option without its value.
            (vec!["check", "--policy", "--format", "json"], "check", Some("json")),
            (vec!["check", "--format"], "check", None),
            // Nothing after `--` is an option or a command.
            (vec!["check", "--", "--format", "json"], "check", None),
            (vec!["--", "check", "--format", "json"], "authorizer", None),
            (vec!["explain", "-", "--format", "json"], "explain", Some("json")),
            (vec!["-x", "check", "-", "--format", "json"], "check", Some("json")),
        ] {
            let expected = (command.to_owned(), format.map(str::to_owned));
            assert_eq!(read(crate::command(), &arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn short_options_and_aliases_are_read_as_clap_reads_them() {
        let program = || {
            let format = Arg::new("format").long("format").short('f').alias("form");
            let inner = Command::new("inner").alias("within").arg(format);
            let many = Arg::new("many").long("many").short('m').require_equals(true).num_args(0..=1);
            let quiet = Arg::new("quiet").short('q').action(clap::ArgAction::SetTrue);
            let offset = Arg::new("offset").short('o').allow_negative_numbers(true);
            Command::new("authorizer").args([many, quiet, offset]).subcommand(inner)
        };
        for (arguments, command, format) in [
            (vec!["within", "-f", "json"], "inner", Some("json")),
            (vec!["inner", "-fjson"], "inner", Some("json")),
            (vec!["inner", "-f=json"], "inner", Some("json")),
            (vec!["inner", "--form", "json"], "inner", Some("json")),
            (vec!["-qo", "-1", "inner", "-fjson"], "inner", Some("json")),
            (vec!["-o", "inner", "within"], "inner", None),
            (vec!["-m", "inner", "-fjson"], "inner", Some("json")),
        ] {
            let expected = (command.to_owned(), format.map(str::to_owned));
            assert_eq!(read(program(), &arguments), expected, "{arguments:?}");
            // All of these have no mistake, so clap says the same.
            let all = ["authorizer"].iter().chain(&arguments);
            let parsed = program().try_get_matches_from(all).unwrap();
            let (name, below) = parsed.subcommand().unwrap();
            assert_eq!((name, below.get_one::<String>("format").map(String::as_str)), (command, format));
        }
    }
}
