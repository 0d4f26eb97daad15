//! Who can do what to a bucket, through every behavior of every distribution that reaches it.
//!
//! One policy says what one function lets in. A bucket may be the origin of several behaviors, of several distributions,
//! with several policies, and what matters for its objects is what any of them lets in: their union.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_analysis::{Cell, Matrix, Row};
use authorizer_cloudfront::Target;
use authorizer_cloudfront::view::{Behavior, BehaviorName};
use authorizer_core::Authorizer;
use schemars::JsonSchema;
use serde::Serialize;

use super::documents::{FunctionConfiguration, Identity};
use super::export::{Export, ExportError};

/// A distribution, and a policy that a function of it decides by.
#[derive(Debug)]
pub struct Deployed<'a> {
    /// The name of the policy for the reader: its file.
    pub policy: &'a str,
    /// What `infra/export` wrote.
    pub export: &'a Export,
    /// The policy.
    pub authorizer: &'a Authorizer,
    /// Its table.
    pub matrix: &'a Matrix,
    /// The SHA-256 of the package with the policy, in base64. None: that the function has this policy is taken on trust.
    pub code_sha256: Option<&'a str>,
}

/// What any of the distributions lets in, for each bucket.
#[derive(Debug, Serialize)]
pub struct Reach {
    /// The buckets, by their names.
    pub buckets: Vec<BucketReach>,
    /// Behaviors whose origin is not known to be a bucket.
    pub elsewhere: Vec<Elsewhere>,
}

/// What any of the distributions lets in, for one bucket.
#[derive(Debug, JsonSchema, Serialize)]
pub struct BucketReach {
    /// The bucket's name.
    pub bucket: String,
    /// The behaviors for which no policy is known: what they let in is in no row.
    pub undecided: Vec<Undecided>,
    /// The rows, in the order of the distributions and of the rules.
    pub rows: Vec<ReachRow>,
}

/// A row of the table of a bucket.
#[derive(Debug, JsonSchema, Serialize)]
pub struct ReachRow {
    /// `anonymous` for requests without a token, and the `iss` of tokens.
    pub who: Vec<String>,
    /// Those of the `iss` whose people can also come with the session of a sign-in at the edge, and not only with a
    /// bearer token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    /// The pattern of the bucket's keys, with the origin's path before it.
    pub keys: String,
    /// The other conditions, in words.
    pub conditions: Vec<String>,
    /// The operations that are allowed, each for at least some of the keys.
    pub cells: Vec<Cell>,
    /// The ways to the bucket on which this is so.
    pub through: Vec<Through>,
}

/// The way from viewers to a bucket: behaviors of one distribution that decide by one policy.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Through {
    /// The distribution's domain name.
    pub distribution: String,
    /// The path patterns of the behaviors; `default` for the default one.
    pub behaviors: Vec<String>,
    /// The file of the policy.
    pub policy: String,
    /// Whether the code of the function is the package that holds the policy.
    pub verified: bool,
}

/// A behavior that reaches a bucket without a policy that is known.
#[derive(Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Undecided {
    /// The distribution's domain name.
    pub distribution: String,
    /// Its path pattern; `default` for the default one.
    pub behavior: String,
    /// The methods that it lets through.
    pub methods: Vec<String>,
    /// Why no policy is known for it.
    pub why: WhyUndecided,
}

/// Why no policy is known for a behavior.
#[derive(Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyUndecided {
    /// It has no Lambda@Edge function on viewer-request: whoever asks gets through.
    NoFunction,
    /// Its function is none of the packages; or no package was given, and the export has several functions.
    OtherFunction(String),
    /// Some requests do not pass the function: those of gRPC, or all with Smooth Streaming.
    PastFunction(&'static str),
}

/// A behavior whose origin is not known to be a bucket.
#[derive(Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Elsewhere {
    /// The distribution's domain name.
    pub distribution: String,
    /// Its path pattern; `default` for the default one.
    pub behavior: String,
    /// The origin's domain name.
    pub origin: String,
}

/// Behaviors that reach the same keys of the same bucket in the same way.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Group {
    bucket: String,
    /// Where it is among the deployed ones.
    deployed: usize,
    origin_path: String,
    methods: Vec<String>,
}

/// Puts together what each distribution lets in. A distribution with several policies is there once for each.
///
/// # Errors
/// An export does not contain the configuration of a distribution.
pub fn reach(deployed: &[Deployed<'_>]) -> Result<Reach, ExportError> {
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    let mut undecided: BTreeMap<String, Vec<Undecided>> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    for (index, one) in deployed.iter().enumerate() {
        let exported = one.export.distribution()?;
        let distribution = name_of(one.export);
        let arns = exported.view().behaviors().filter_map(|(_, behavior)| behavior.viewer_request());
        let functions = arns.map(|function| function.arn.as_str()).collect::<BTreeSet<_>>().len();
        for (name, behavior) in exported.view().behaviors() {
            let behavior_name = match name {
                BehaviorName::Default => "default".to_owned(),
                BehaviorName::Pattern(pattern) => pattern,
            };
            for origin in exported.view().origins_of(behavior) {
                let Some(bucket) = Target::of(origin).bucket().map(str::to_owned) else {
                    elsewhere.push(Elsewhere {
                        distribution: distribution.clone(),
                        behavior: behavior_name.clone(),
                        origin: origin.domain_name.clone(),
                    });
                    continue;
                };
                let methods = methods_of(behavior);
                match policy_of(behavior, functions, one, deployed) {
                    Decides::This => {
                        let origin_path = origin.origin_path.clone();
                        let group = Group { bucket, deployed: index, origin_path, methods };
                        groups.entry(group).or_default().push(behavior_name.clone());
                    }
                    Decides::AnotherOfThem => {}
                    Decides::Unknown(why) => {
                        let distribution = distribution.clone();
                        let behavior = behavior_name.clone();
                        let found = Undecided { distribution, behavior, methods, why };
                        undecided.entry(bucket).or_default().push(found);
                    }
                }
            }
        }
    }
    let mut buckets: BTreeMap<String, Vec<ReachRow>> = BTreeMap::new();
    for (group, mut behaviors) in groups {
        let Some(one) = deployed.get(group.deployed) else { continue };
        behaviors.sort();
        behaviors.dedup();
        let through = Through {
            distribution: name_of(one.export),
            behaviors,
            policy: one.policy.to_owned(),
            verified: one.code_sha256.is_some(),
        };
        let rows = buckets.entry(group.bucket.clone()).or_default();
        for row in &one.matrix.rows {
            add(rows, row_of(row, one.authorizer, &group), &through);
        }
    }
    for bucket in undecided.keys() {
        buckets.entry(bucket.clone()).or_default();
    }
    elsewhere.sort();
    elsewhere.dedup();
    let buckets = buckets.into_iter().map(|(bucket, rows)| {
        let mut undecided = undecided.remove(&bucket).unwrap_or_default();
        undecided.sort();
        undecided.dedup();
        BucketReach { bucket, undecided, rows }
    });
    Ok(Reach { buckets: buckets.collect(), elsewhere })
}

/// Which policy decides on a behavior.
enum Decides {
    /// That of the deployed one that is looked at.
    This,
    /// That of another one with the same export, where the behavior is counted.
    AnotherOfThem,
    /// None that is known.
    Unknown(WhyUndecided),
}

fn policy_of(behavior: &Behavior, functions: usize, one: &Deployed<'_>, all: &[Deployed<'_>]) -> Decides {
    let Some(function) = behavior.viewer_request() else {
        return Decides::Unknown(WhyUndecided::NoFunction);
    };
    if behavior.grpc_config.enabled {
        return Decides::Unknown(WhyUndecided::PastFunction("gRPC"));
    }
    if behavior.smooth_streaming {
        return Decides::Unknown(WhyUndecided::PastFunction("Smooth Streaming"));
    }
    let code = code_of(one.export, &function.arn);
    // A policy that is taken on trust is that of the one function. Of several, nobody knows which.
    let is_of = |deployed: &Deployed<'_>| match deployed.code_sha256 {
        Some(package) => code.as_deref() == Some(package),
        None => functions == 1,
    };
    if is_of(one) {
        return Decides::This;
    }
    let same_export = |other: &&Deployed<'_>| std::ptr::eq(other.export, one.export);
    if all.iter().filter(same_export).any(is_of) {
        return Decides::AnotherOfThem;
    }
    Decides::Unknown(WhyUndecided::OtherFunction(function.arn.clone()))
}

/// `CodeSha256` of a function's version, as Lambda says.
fn code_of(export: &Export, arn: &str) -> Option<String> {
    let mut named = arn.rsplitn(3, ':');
    let (number, name) = (named.next()?, named.next()?);
    let configuration: FunctionConfiguration = export.read(&format!("function-{name}-{number}.json")).ok()?;
    (configuration.function_arn == arn).then_some(configuration.code_sha256)
}

/// The distribution's domain name; where the export does not say it, that it does not.
fn name_of(export: &Export) -> String {
    let identity = export.read::<Identity>("identity.json").ok();
    identity.and_then(|identity| identity.domain_name).unwrap_or_else(|| "(no identity.json)".to_owned())
}

/// GET and HEAD are those of a behavior that does not say.
fn methods_of(behavior: &Behavior) -> Vec<String> {
    match &behavior.allowed_methods {
        Some(methods) => methods.allowed.0.clone(),
        None => vec!["GET".to_owned(), "HEAD".to_owned()],
    }
}

/// A row of the policy's table, as it is for the bucket. None where the behavior allows none of the methods.
fn row_of(row: &Row, authorizer: &Authorizer, group: &Group) -> Option<ReachRow> {
    let issuers = authorizer.bundle().policy().issuers();
    let of_tokens = |name: &String| {
        let issuer = issuers.iter().find(|issuer| issuer.name() == name);
        issuer.map_or_else(|| name.clone(), |issuer| issuer.issuer().to_owned())
    };
    let allowed =
        |cell: &&Cell| group.methods.iter().any(|method| method == cell.operation.method().as_str());
    let cells: Vec<Cell> = row.cells.iter().filter(allowed).cloned().collect();
    let folder = group.origin_path.trim_matches('/');
    let keys = if folder.is_empty() { row.keys.clone() } else { format!("{folder}/{}", row.keys) };
    (!cells.is_empty()).then(|| ReachRow {
        who: row.who.iter().map(of_tokens).collect(),
        sessions: row.sessions.iter().map(of_tokens).collect(),
        keys,
        conditions: row.conditions.clone(),
        cells,
        through: Vec::new(),
    })
}

/// Adds a row, or the way to the row that says the same.
fn add(rows: &mut Vec<ReachRow>, row: Option<ReachRow>, through: &Through) {
    let Some(mut row) = row else { return };
    let says = |row: &ReachRow| {
        let cells = row.cells.iter().map(|cell| (cell.operation, cell.rules.clone(), cell.except.clone()));
        let people = (row.who.clone(), row.sessions.clone());
        (people, row.keys.clone(), row.conditions.clone(), cells.collect::<Vec<_>>())
    };
    let new = says(&row);
    match rows.iter_mut().find(|known| says(known) == new) {
        Some(known) => known.through.push(through.clone()),
        None => {
            row.through.push(through.clone());
            rows.push(row);
        }
    }
}
