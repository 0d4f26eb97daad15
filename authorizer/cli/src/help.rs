//! `authorizer help`: the help of a command, and the references that are built in.

use std::fmt::Write as _;

use authorizer_core::{Reason, nearest};
use authorizer_findings::{Check, catalogue};
use clap::Command;
use miette::Diagnostic;
use thiserror::Error;

use crate::output::{Exit, line};

/// Print the help of a command, or a reference.
///
/// `help policy` prints what may be in a policy, `help tests` what may be in a file of tests, `help providers` what is
/// known of identity providers, `help findings` how policies are audited, `help exactness` how exact that is, `help logs`
/// the log formats of a backtest, `help cedar` how rules become Cedar policies, `help sign-in` how people sign in, `help EA010`
/// what a finding means, and `help token_expired` what a reason of a refusal means. `help tutorial` is the way from nothing to
/// a bucket, `help local` is about the distribution on a laptop, `help deploy` about AWS, and `help attaching` about a
/// distribution that exists.
///
/// Words after a reference print only the sections with these words in their headings. Without a topic: the help of
/// `authorizer`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer help check\n  authorizer help policy uploads\n  authorizer help EA010"
)]
pub(crate) struct Args {
    /// Command, reference (policy, tests, providers, findings, exactness, logs, cedar, sign-in, tutorial, local, deploy,
    /// attaching), id of a finding, or reason of a refusal.
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// The references, by their topics. None is the name of a command.
const REFERENCES: [(&str, &str); 12] = [
    ("policy", include_str!("../../../docs/policy.md")),
    ("tests", include_str!("../../../docs/testing.md")),
    ("providers", include_str!("../../../docs/providers.md")),
    ("findings", include_str!("../../../docs/audit/README.md")),
    ("exactness", include_str!("../../../docs/audit/exactness.md")),
    ("logs", include_str!("../../../docs/backtest.md")),
    ("cedar", include_str!("../../../docs/audit/cedar.md")),
    ("sign-in", include_str!("../../../docs/sign-in.md")),
    ("tutorial", include_str!("../../../docs/tutorial.md")),
    ("local", include_str!("../../../docs/local.md")),
    ("deploy", include_str!("../../../docs/deploy.md")),
    ("attaching", include_str!("../../../docs/attach.md")),
];

/// Why nothing can be printed.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum HelpError {
    /// There is no such topic.
    #[error("there is no help on `{topic}`")]
    #[diagnostic(help("{remedy}"))]
    Topic {
        /// What was asked for.
        topic: String,
        /// What there is.
        remedy: String,
    },
    /// No section has these words.
    #[error("no section of `{topic}` has `{words}` in its heading")]
    #[diagnostic(help("the sections are: {sections}"))]
    Section {
        /// The reference.
        topic: &'static str,
        /// What was asked for.
        words: String,
        /// The headings.
        sections: String,
    },
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    line(text(&args.topic)?.trim_end())?;
    Ok(Exit::Held)
}

fn text(topic: &[String]) -> Result<String, HelpError> {
    let mut whole = crate::command();
    whole.build();
    let Some((first, rest)) = topic.split_first() else {
        return Ok(whole.render_long_help().ansi().to_string());
    };
    if let Some((name, page)) = REFERENCES.iter().find(|(name, _)| *name == first.as_str()) {
        let page = plain(page);
        return if rest.is_empty() { Ok(page) } else { sections(name, &page, &rest.join(" ")) };
    }
    if let Some(check) = catalogue().all().find(|check| check.id.eq_ignore_ascii_case(first)) {
        return Ok(of_check(check));
    }
    if let ([], Some(reason)) = (rest, Reason::ALL.into_iter().find(|reason| reason.word() == first.as_str()))
    {
        return Ok(of_reason(reason));
    }
    let mut command: &mut Command = &mut whole;
    for name in topic {
        command = command.find_subcommand_mut(name).ok_or_else(|| unknown(topic))?;
    }
    Ok(command.render_long_help().ansi().to_string())
}

fn unknown(topic: &[String]) -> HelpError {
    let whole = crate::command();
    let commands = whole.get_subcommands().map(Command::get_name);
    let names = commands.chain(REFERENCES.iter().map(|(name, _)| *name)).chain(Reason::WORDS);
    let topic = topic.join(" ");
    let hint = nearest(&topic, names)
        .map_or_else(String::new, |name| format!("did you mean `authorizer help {name}`? "));
    let remedy = format!(
        "{hint}Topics are the commands, the ids of findings, the reasons of refusals, and {}",
        names_of_references()
    );
    HelpError::Topic { topic, remedy }
}

fn names_of_references() -> String {
    REFERENCES.map(|(name, _)| format!("`{name}`")).join(", ")
}

/// As the decision log and the answer have it.
fn of_reason(reason: Reason) -> String {
    let (word, status, meaning) = (reason.word(), reason.status(), reason.meaning());
    format!("{word}, status {status}\n\nThe request {meaning}.")
}

fn of_check(check: &Check) -> String {
    let mut text = format!("{} {}: {}\n\n", check.id, check.name, check.title);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "severity  {}\nwhy       {}\nremedy    {}\n\nTo accept it, write into the policy, with the `rule`, `issuer` or \
         `kid` that\nthe finding names:\n\n  [[accepted]]\n  finding = \"{}\"\n  rule    = \"...\"\n  reason  = \"...\"",
        check.severity.name(),
        check.why,
        check.remedy,
        check.id
    );
    text
}

/// The sections with these words in their headings.
fn sections(topic: &'static str, page: &str, words: &str) -> Result<String, HelpError> {
    let wanted = words.to_lowercase();
    let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let mut headings = Vec::new();
    let mut found = String::new();
    // Of the section that is being printed.
    let mut open: Option<usize> = None;
    let mut is_code = false;
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        if !is_code && line.starts_with("##") {
            let (depth, heading) = (level(line), line.trim_start_matches('#').trim());
            headings.push(heading.to_owned());
            if open.is_some_and(|around| depth <= around) {
                open = None;
            }
            if open.is_none() && heading.to_lowercase().contains(&wanted) {
                open = Some(depth);
            }
        }
        if open.is_some() {
            found.push_str(line);
            found.push('\n');
        }
    }
    match found.is_empty() {
        true => Err(HelpError::Section { topic, words: words.to_owned(), sections: headings.join("; ") }),
        false => Ok(found),
    }
}

/// A page without what only its folder has: links to other pages are their words alone, and comments are left out.
fn plain(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        let link = after.split_once("](").and_then(|(words, after)| {
            let (target, tail) = after.split_once(')')?;
            let is_link = !words.contains(['\n', '[', ']']) && !target.contains([' ', '\n']);
            is_link.then_some((words, target, tail))
        });
        match link {
            Some((words, target, tail)) => {
                text.push_str(words);
                if target.starts_with("http") {
                    text.push_str(&format!(" ({target})"));
                }
                rest = tail;
            }
            None => {
                text.push('[');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text.lines().filter(|line| !line.starts_with("<!--")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(topic: &[&str]) -> Result<String, HelpError> {
        let text = text(&topic.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Ok(anstream::adapter::strip_str(&text).to_string())
    }

    #[test]
    fn a_command_a_reference_a_section_and_a_finding_have_help() {
        for (topic, says) in [
            (vec![], "Usage: authorizer"),
            (vec!["check"], "Usage: authorizer check"),
            (vec!["audit", "diff"], "Usage: authorizer audit diff"),
            (vec!["policy"], "## `[[rules]]`: who may do what"),
            (vec!["policy", "uploads"], "| `max_bytes` |"),
            (vec!["tests"], "## `[defaults]`"),
            (vec!["ea010"], "rule-twice"),
            (vec!["sign-in", "in your pages"], "/.auth/session"),
            (vec!["tutorial"], "authorizer init photos"),
            (vec!["local", "as at cloudfront"], "**Trusted key groups and signers**"),
            (vec!["deploy", "the whole stack"], "`CacheSeconds`"),
            (vec!["attaching"], "# Attach: a policy, a package, a distribution"),
            (vec!["attach"], "Usage: authorizer attach"),
            (vec!["sign_in_state_unknown"], "status 400\n\nThe request comes back from the provider"),
        ] {
            let text = help(&topic).unwrap();
            assert!(text.contains(says), "{topic:?}: {text}");
            // A file that an example writes is none of this repository's.
            assert!(!text.contains("docs/"), "{topic:?}");
        }
        assert!(!help(&["policy", "uploads"]).unwrap().contains("Key patterns\n"));
        assert!(help(&["token_expired", "more"]).is_err());
        assert!(help(&["polcy"]).unwrap_err().to_string().contains("polcy"));
        assert!(help(&["policy", "zebra"]).is_err());
        assert!(help(&["audit", "zebra"]).is_err());
        for (topic, _) in REFERENCES {
            assert!(crate::command().find_subcommand(topic).is_none(), "{topic} is a command");
            let help = help(&["help"]).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(&format!("`help {topic}`")), "{topic}: {help}");
        }
    }
}
