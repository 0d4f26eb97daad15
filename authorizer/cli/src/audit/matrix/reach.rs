//! `audit matrix --deployment`: who may do what to each bucket, through any of the distributions that reach it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authorizer_analysis::{Matrix, matrix, who_in_words};
use authorizer_core::{Authorizer, Bundle};
use authorizer_findings::deployment::{BucketReach, Deployed, Export, Reach, Through, WhyUndecided, reach};
use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use super::text::{by_rules, operations_of, rules_of, where_of};
use super::{Document, TableFormat, csv, html};
use crate::audit::deployment::{DeploymentError, read};
use crate::audit::policies;
use crate::audit::unanswered::UnansweredError;
use crate::output::{Exit, OutputError, line};
use crate::table::table;

/// An export, and the policy that decides there.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    export: PathBuf,
    policy: PathBuf,
}

/// Reads `EXPORT_DIR=POLICY`.
pub(super) fn pair(text: &str) -> Result<Pair, String> {
    match text.rsplit_once('=') {
        Some((export, policy)) if !export.is_empty() && !policy.is_empty() => {
            Ok(Pair { export: export.into(), policy: policy.into() })
        }
        _ => Err("write EXPORT_DIR=POLICY, such as export-files=dist/files.zip".to_owned()),
    }
}

/// Why the table cannot be made.
#[derive(Debug, Diagnostic, Error)]
enum ReachError {
    /// Which function has which policy cannot be told from a policy alone.
    #[error("`{export}` is given with several policies, and `{policy}` is not a package")]
    #[diagnostic(help(
        "name the packages (zip) of an export with several functions: their hashes say which function has which policy"
    ))]
    NotTold { export: PathBuf, policy: PathBuf },
}

/// A policy, and the hash of the package that it is in.
struct Loaded {
    authorizer: Authorizer,
    matrix: Matrix,
    code_sha256: Option<String>,
}

pub(super) fn run(pairs: &[Pair], format: TableFormat) -> miette::Result<Exit> {
    let mut exports: BTreeMap<&Path, Export> = BTreeMap::new();
    let mut policies: Vec<(&Pair, Loaded)> = Vec::new();
    for pair in pairs {
        if !exports.contains_key(pair.export.as_path()) {
            exports.insert(&pair.export, read::export(&pair.export)?);
        }
        policies.push((pair, load(&pair.policy)?));
    }
    for (pair, loaded) in &policies {
        let with_it = pairs.iter().filter(|other| other.export == pair.export).count();
        if with_it > 1 && loaded.code_sha256.is_none() {
            let (export, policy) = (pair.export.clone(), pair.policy.clone());
            return Err(ReachError::NotTold { export, policy }.into());
        }
    }
    let names: Vec<String> = policies.iter().map(|(pair, _)| pair.policy.display().to_string()).collect();
    let mut deployed = Vec::new();
    for ((pair, loaded), policy) in policies.iter().zip(&names) {
        let Some(export) = exports.get(pair.export.as_path()) else { continue };
        let (authorizer, matrix) = (&loaded.authorizer, &loaded.matrix);
        let code_sha256 = loaded.code_sha256.as_deref();
        deployed.push(Deployed { policy, export, authorizer, matrix, code_sha256 });
    }
    let all = reach(&deployed).map_err(|source| {
        let path = pairs.first().map(|pair| pair.export.clone()).unwrap_or_default();
        DeploymentError::NoExport { path, source }
    })?;
    match format {
        TableFormat::Text => write(&all)?,
        TableFormat::Csv => csv::write_reach(&all)?,
        TableFormat::Json => {
            let (buckets, elsewhere) = (&all.buckets, &all.elsewhere);
            line(json!(Document::Deployment { version: 1, buckets, elsewhere }))?;
        }
        TableFormat::Html => line(html::reach_page(&all))?,
    }
    Ok(Exit::Held)
}

/// Reads a package, a bundle or a policy.
fn load(path: &Path) -> miette::Result<Loaded> {
    let is_zip = path.extension().is_some_and(|extension| extension == "zip");
    let (authorizer, code_sha256) = if is_zip {
        let package = read::package(path)?;
        let bundle = Bundle::read(&package.bundle).map_err(|source| DeploymentError::NoPackage {
            path: path.to_owned(),
            message: source.to_string(),
        })?;
        (Authorizer::new(bundle), Some(package.code_sha256))
    } else {
        (policies::load(path)?, None)
    };
    let matrix = matrix(&authorizer).map_err(UnansweredError)?;
    Ok(Loaded { authorizer, matrix, code_sha256 })
}

/// What the table cannot know.
pub(super) const NOT_SHOWN: [&str; 4] = [
    "Only the distributions that were given are in the table; others may reach the same bucket.",
    "Access by IAM, by the bucket's policy and by presigned URLs is not in the table: run `authorizer audit deployment` \
     for each distribution, which also checks that no request gets past the function.",
    "A staging distribution is not in the table, although some viewers are sent to it.",
    "A row of a behavior holds for the paths that CloudFront gives to the behavior.",
];

/// A way to a bucket, in a line.
pub(super) fn through(way: &Through) -> String {
    let trust = if way.verified { "" } else { " (not verified)" };
    format!("{} {} by {}{trust}", way.distribution, way.behaviors.join(" "), way.policy)
}

/// What is not decided by any policy that is known, in lines.
pub(super) fn undecided(bucket: &BucketReach) -> impl Iterator<Item = String> {
    bucket.undecided.iter().map(|one| {
        let methods = one.methods.join(", ");
        let why = match &one.why {
            WhyUndecided::NoFunction => {
                format!("has no function on viewer-request: anyone gets through with {methods}")
            }
            WhyUndecided::PastFunction(what) => {
                format!("has {what} on, and CloudFront runs no function for it: anyone may get through with {methods}")
            }
            WhyUndecided::OtherFunction(arn) => {
                format!(
                    "has the function {arn}, which is none of the packages that were given: what it lets through is not known"
                )
            }
        };
        format!("{} {} {why}", one.distribution, one.behavior)
    })
}

/// That the packages were not given, where they were not.
pub(super) fn unverified(all: &Reach) -> Option<&'static str> {
    let mut ways = all.buckets.iter().flat_map(|bucket| &bucket.rows).flat_map(|row| &row.through);
    ways.any(|way| !way.verified).then_some(
        "Not verified: a policy was given and not its package, so the table trusts that the function has this policy.",
    )
}

fn write(all: &Reach) -> Result<(), OutputError> {
    if all.buckets.is_empty() {
        line("no behavior reaches a bucket")?;
    }
    for bucket in &all.buckets {
        line(format_args!("bucket {}", bucket.bucket))?;
        for one in undecided(bucket) {
            line(format_args!("  warning: {}", one.escape_debug()))?;
        }
        let headings = ["keys", "who", "only where", "operations", "by rule", "through"];
        let rows = bucket.rows.iter().flat_map(|row| {
            let conditions = row.conditions.join("\n");
            by_rules(&row.cells).into_iter().map(move |cells| {
                [
                    row.keys.clone(),
                    who_in_words(&row.who, &row.sessions).join("\n"),
                    where_of(&conditions, &cells),
                    operations_of(&cells),
                    rules_of(&cells),
                    row.through.iter().map(through).collect::<Vec<_>>().join("\n"),
                ]
            })
        });
        if bucket.rows.is_empty() {
            line("  no policy lets anybody do anything")?;
        } else {
            line(table(headings, rows))?;
        }
        line("")?;
    }
    for one in &all.elsewhere {
        let (distribution, behavior, origin) = (&one.distribution, &one.behavior, &one.origin);
        line(format_args!(
            "not shown: {distribution} {} goes to {}, which is not known to be a bucket",
            behavior.escape_debug(),
            origin.escape_debug()
        ))?;
    }
    for one in unverified(all).into_iter().chain(NOT_SHOWN) {
        line(one)?;
    }
    Ok(())
}
