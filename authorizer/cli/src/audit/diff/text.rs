//! The account for people, on a terminal.

use authorizer_analysis::{AccessChange, NOT_COMPARED, on_one_line};
use owo_colors::OwoColorize as _;

use super::account::{Account, Entry, Group, What, value};
use crate::audit::request;
use crate::output::{OutputError, line};

pub(super) fn write(account: &Account<'_>) -> Result<(), OutputError> {
    if account.is_same {
        line("the policies decide the same")?;
    }
    if !account.is_decided {
        line("not decided: the analysis did not finish for every change")?;
    }
    section(&"wider".red().to_string(), &account.wider)?;
    section(&"narrower".green().to_string(), &account.narrower)?;
    section("without effect", &account.without_effect)?;
    if !account.other_settings.is_empty() {
        line("no decision depends on")?;
        for one in account.other_settings {
            line(format_args!(
                "  {}: `{}`, now `{}`",
                one.setting,
                on_one_line(&one.old),
                on_one_line(&one.new)
            ))?;
        }
    }
    if account.is_same || account.not_compared.len() > NOT_COMPARED.len() {
        line("not compared")?;
        account.not_compared.iter().try_for_each(|one| line(format_args!("  {one}")))?;
    }
    Ok(())
}

fn section(title: &str, groups: &[Group<'_>]) -> Result<(), OutputError> {
    if groups.is_empty() {
        return Ok(());
    }
    line(title)?;
    groups.iter().try_for_each(group)
}

fn group(group: &Group<'_>) -> Result<(), OutputError> {
    let name = on_one_line(&group.name);
    let title = match group.kind {
        "section" => format!("[{name}]"),
        kind => format!("{kind} {name}"),
    };
    let about = if group.about.is_empty() { String::new() } else { format!(" ({})", group.about) };
    line(format_args!("  {}{about}", title.bold()))?;
    for condition in group.conditions {
        line(format_args!("    where {}", on_one_line(condition)))?;
    }
    group.entries.iter().try_for_each(entry)?;
    group.in_all.iter().try_for_each(|text| line(format_args!("    in all: {}", on_one_line(text))))
}

fn entry(entry: &Entry<'_>) -> Result<(), OutputError> {
    let what = match &entry.what {
        What::Field(field, None, Some(new)) => {
            format!("{}: `{}` is new", on_one_line(field), on_one_line(new))
        }
        What::Field(field, Some(old), None) => {
            format!("{}: `{}` is gone", on_one_line(field), on_one_line(old))
        }
        What::Field(field, old, new) => {
            let [old, new] = [old, new].map(|text| on_one_line(&value(field, text.unwrap_or_default())));
            format!("{}: `{old}`, now `{new}`", on_one_line(field))
        }
        What::Words("", text) => on_one_line(text),
        What::Words(field, text) => format!("{field}: {}", on_one_line(text)),
        What::Own(text) => on_one_line(text),
    };
    let note = entry.note.map(|note| format!(" ({note})")).unwrap_or_default();
    let above = if entry.is_above { " (by a request above)" } else { "" };
    line(format_args!("    {what}{note}{above}"))?;
    entry.requests.iter().try_for_each(|change| shown(change))
}

fn shown(change: &AccessChange) -> Result<(), OutputError> {
    request::write(&change.request, "      ")?;
    line(format_args!("        before  {}", request::decision(&change.old)))?;
    line(format_args!("        after   {}", request::decision(&change.new)))
}
