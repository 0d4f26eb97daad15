//! Prints what was changed, or why nothing was, on standard error.

use authorizer_cloudfront::{Change, Changed, Note, Obstacle, Stopped};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
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

/// What `attach --format json` and `detach --format json` say on standard error.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(
    title = "`authorizer attach --format json` and `authorizer detach --format json`, on standard error"
)]
#[serde(untagged)]
pub(crate) enum Document<'c> {
    /// The configuration was written.
    Changed {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The `ETag` of the configuration that was read, if it has one.
        etag: Option<&'c str>,
        /// The changes, in the order of the behaviors.
        changes: Vec<Told<'c, Change>>,
        /// What the configuration does not show, or what may be intended.
        notes: Vec<Told<'c, Note>>,
    },
    /// Nothing was written.
    Stopped {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// Why not. There is at least one.
        obstacles: Vec<ToldObstacle<'c>>,
    },
}

/// A change or a note, with its words.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Told<'c, T> {
    #[serde(flatten)]
    what: &'c T,
    /// The same for a person.
    message: String,
}

/// An obstacle, with its words.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ToldObstacle<'c> {
    #[serde(flatten)]
    told: Told<'c, Obstacle>,
    /// What to do.
    remedy: String,
}

impl<'c, T: ToString> Told<'c, T> {
    fn all(what: &'c [T]) -> Vec<Self> {
        what.iter().map(Self::of).collect()
    }

    fn of(what: &'c T) -> Self {
        Self { what, message: what.to_string() }
    }
}

fn changed_json(changed: &Changed) -> Value {
    json!(Document::Changed {
        version: 1,
        etag: changed.exported.etag(),
        changes: Told::all(&changed.changes),
        notes: Told::all(&changed.notes),
    })
}

fn obstacles_json(obstacles: &[Obstacle]) -> Value {
    let told = |one| ToldObstacle { told: Told::of(one), remedy: one.remedy().into() };
    json!(Document::Stopped { version: 1, obstacles: obstacles.iter().map(told).collect() })
}
