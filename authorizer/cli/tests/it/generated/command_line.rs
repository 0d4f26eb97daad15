//! `docs/cli.md`: every command with its arguments, options and examples.

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command};

use super::holds;

const HEAD: &str = "# The command line

<!-- generated: all of this page, by `make generate` -->

For whoever looks up a command or an option.

`authorizer COMMAND --help` says the same in a terminal. Results go to standard output, and everything else to standard
error. The exit status is 0 for success, 1 for findings, refusals or differences, and 2 for input that cannot be used.
If the reader of the result stops, as `head` does, it is 141, without a message. With `--format json` or `sarif`, an
error is also a document of that format on standard output; `attach` and `detach` write it to standard error.
`replay` writes decisions only, so what is wrong with its events is on standard error.

The same in every command:

- A policy is `--policy FILE`. Where it is the only file that a command reads, it may also be the argument:
  `authorizer audit findings policy.toml`. `audit diff` takes two policies as its arguments.
- A file that is read may be `-`, standard input, once in a command. Key files of such a policy are relative to the
  current folder. `serve` reads its policy again when it changes, so it takes no `-`.
- A time is seconds since 1970 or RFC 3339: `1800000000`, `2027-01-15T08:00:00Z`, `2027-01-15T09:00:00+01:00`.
- A duration is a number of seconds, or `90s`, `15m`, `1h`, `30d`.
- A size is a number of bytes, or `5MB`, `5 MB`, `5MiB`. It is in policies and tests.
- `--color auto|always|never` is for the text, the messages and the help. `auto` is colours on a terminal, unless
  the environment has `NO_COLOR`; elsewhere, colours if it has `CLICOLOR_FORCE`.

";

#[test]
fn the_reference_of_the_command_line_is_the_command_line() {
    let mut whole = authorizer_cli::command();
    whole.build();
    let mut page = HEAD.to_owned();
    for command in leaves(&whole) {
        let name = name(command);
        let anchor = name.replace(' ', "-");
        writeln!(page, "- [`{name}`](#{anchor}): {}", sentence(&about(command))).unwrap();
    }
    for command in leaves(&whole) {
        page += "\n";
        section(command, &mut page);
    }
    holds("docs/cli.md", &page);
}

/// The commands that do something themselves, in the order of the help.
fn leaves(command: &Command) -> Vec<&Command> {
    let mut below = command.get_subcommands().peekable();
    let is_itself = below.peek().is_none() || command.is_args_conflicts_with_subcommands_set();
    is_itself.then_some(command).into_iter().chain(below.flat_map(leaves)).collect()
}

fn name(command: &Command) -> String {
    command.get_bin_name().unwrap().to_owned()
}

fn about(command: &Command) -> String {
    command.get_about().unwrap().to_string()
}

fn section(command: &Command, page: &mut String) {
    let long = command.get_long_about().map_or_else(|| about(command), ToString::to_string);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap().trim_end();
    write!(page, "## {}\n\n{}\n\n```text\n{usage}\n```\n", name(command), sentence(&long)).unwrap();
    let (grouped, first): (Vec<_>, Vec<_>) = command
        .get_arguments()
        .filter(|argument| is_ours(argument))
        .partition(|argument| argument.get_help_heading().is_some());
    // The options of a heading stand together.
    let of_headings = grouped.chunk_by(|one, next| one.get_help_heading() == next.get_help_heading());
    for list in [first.as_slice()].into_iter().chain(of_headings).filter(|list| !list.is_empty()) {
        if let Some(heading) = list[0].get_help_heading() {
            write!(page, "\n{heading}:\n").unwrap();
        }
        page.push('\n');
        list.iter().for_each(|argument| writeln!(page, "- {}", item(argument)).unwrap());
    }
    if let Some(examples) = command.get_after_help() {
        write!(page, "\n```text\n{}\n```\n", examples.to_string().trim_end()).unwrap();
    }
}

/// Whether an argument is not one that clap gives to every command.
fn is_ours(argument: &Arg) -> bool {
    let action = argument.get_action();
    !argument.is_hide_set()
        && !matches!(
            action,
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        )
}

fn item(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).unwrap().to_string();
    let mut text = format!("`{argument}`: {}", sentence(&help));
    if argument.get_action().takes_values() {
        let values = argument.get_possible_values();
        if !values.is_empty() {
            let values: Vec<_> = values.iter().map(value).collect();
            write!(text, " One of {}.", values.join("; ")).unwrap();
        }
        let defaults: Vec<_> =
            argument.get_default_values().iter().map(|one| one.to_str().unwrap()).collect();
        if !defaults.is_empty() && !argument.is_hide_default_value_set() {
            write!(text, " Default: `{}`.", defaults.join(" ")).unwrap();
        }
    }
    text
}

fn value(value: &PossibleValue) -> String {
    match value.get_help() {
        Some(help) => format!("`{}` ({})", value.get_name(), within(&plain(&help.to_string()))),
        None => format!("`{}`", value.get_name()),
    }
}

/// Text that continues a sentence: "For people" becomes "for people".
fn within(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

/// Adds the full stop that clap leaves out at the end.
fn sentence(text: &str) -> String {
    let text = plain(text.trim_end());
    if text.ends_with(['.', '!', '?', ']']) { text } else { text + "." }
}

/// Escapes text so that only code is Markdown.
fn plain(text: &str) -> String {
    let mut parts = text.split('`');
    let mut plain = String::new();
    while let Some(words) = parts.next() {
        plain += &words.replace('<', "\\<").replace('*', "\\*");
        if let Some(code) = parts.next() {
            write!(plain, "`{code}`").unwrap();
        }
    }
    plain
}
