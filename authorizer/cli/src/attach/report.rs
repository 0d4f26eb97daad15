//! Prints what was changed, or why nothing was, on standard error.

use authorizer_cloudfront::{Change, Changed, Note, Obstacle, Stopped};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::config::ConfigArgs;
use super::error::AttachError;
use crate::output::{Exit, Format, note};

/// Prints the result, and writes the changed configuration, if there is one.
pub(super) fn finish(
    result: Result<Changed, Stopped>,
    config: &ConfigArgs,
    format: Format,
) -> miette::Result<Exit> {
    match result {
        Ok(changed) => {
            match format {
                Format::Text => changed_text(&changed),
                Format::Json => note(changed_json(&changed)),
            }
            config.write(&changed.exported)?;
            Ok(Exit::Held)
        }
        Err(Stopped::Obstacles(obstacles)) => {
            match format {
                Format::Text => obstacles_text(&obstacles),
                Format::Json => note(obstacles_json(&obstacles)),
            }
            Ok(Exit::Findings)
        }
        Err(Stopped::NoSuchBehavior(name, there)) => Err(AttachError::NoSuchBehavior { name, there }.into()),
        Err(Stopped::NoSuchOrigin(id, there)) => Err(AttachError::NoSuchOrigin { id, there }.into()),
        Err(Stopped::SeveralBuckets(there)) => Err(AttachError::SeveralBuckets { there }.into()),
        Err(Stopped::NoBucket) => Err(AttachError::NoBucket.into()),
        Err(Stopped::Broken(error)) => Err(AttachError::Broken(error).into()),
    }
}

fn changed_text(changed: &Changed) {
    if changed.changes.is_empty() {
        note("nothing to change");
    }
    changed.changes.iter().for_each(|change| note(format_args!("{} {change}", "change".bold())));
    changed.notes.iter().for_each(|one| note(format_args!("{}   {one}", "note".dimmed())));
}

fn obstacles_text(obstacles: &[Obstacle]) {
    for obstacle in obstacles {
        note(format_args!("{} {obstacle}", "refused".red()));
        note(format_args!("        {}", obstacle.remedy().dimmed()));
    }
    note("nothing was written");
}

fn changed_json(changed: &Changed) -> Value {
    let change = |one: &Change| with_message(json!(one), one.to_string());
    let told = |one: &Note| with_message(json!(one), one.to_string());
    json!({
        "version": 1,
        "etag": changed.exported.etag(),
        "changes": changed.changes.iter().map(change).collect::<Vec<_>>(),
        "notes": changed.notes.iter().map(told).collect::<Vec<_>>(),
    })
}

fn obstacles_json(obstacles: &[Obstacle]) -> Value {
    let told = |one: &Obstacle| {
        let mut told = with_message(json!(one), one.to_string());
        if let Value::Object(members) = &mut told {
            members.insert("remedy".to_owned(), one.remedy().into());
        }
        told
    };
    json!({"version": 1, "obstacles": obstacles.iter().map(told).collect::<Vec<_>>()})
}

fn with_message(mut value: Value, message: String) -> Value {
    if let Value::Object(members) = &mut value {
        members.insert("message".to_owned(), message.into());
    }
    value
}
