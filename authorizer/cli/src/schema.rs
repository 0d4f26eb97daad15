//! `authorizer schema`: the forms of what people and programs write and read.

use authorizer_core::record::DecisionLine;
use authorizer_findings::report::ReportDocument;
use authorizer_policy::{FileKind, schema};
use clap::ValueEnum;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::output::{Exit, line};
use crate::{attach, audit, backtest, check, explain, failure, keys, package, replay, serve, test, token};

/// The names of the files that `authorizer init` writes.
pub(crate) const POLICY_FILE: &str = "policy.schema.json";
pub(crate) const TESTS_FILE: &str = "policy.tests.schema.json";

/// Print a JSON Schema: of a kind of file, or of what a command writes with `--format json`.
///
/// An editor that knows TOML, such as Visual Studio Code with Even Better TOML or any with Taplo, completes and underlines
/// a file whose first line is `#:schema ./policy.schema.json`. `authorizer init` writes both schemas of files.
///
/// The schema of an output format is that of this version of the program.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  authorizer schema policy > policy.schema.json
  authorizer schema tests > policy.tests.schema.json
  authorizer schema findings > findings.schema.json")]
pub(crate) struct Args {
    /// What the schema is of.
    #[arg(value_enum, value_name = "NAME")]
    kind: Kind,
}

/// Something that has a schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// A policy, for editors.
    Policy,
    /// The tests of a policy, for editors.
    Tests,
    /// `attach` and `detach`.
    Attach,
    /// `backtest` and `backtest merge`.
    Backtest,
    /// `audit cedar`.
    Cedar,
    /// `check`.
    Check,
    /// A line of the decision log.
    DecisionLog,
    /// `audit diff`.
    Diff,
    /// What any command writes in the place of its result, if there is none.
    Error,
    /// `explain`.
    Explain,
    /// `audit findings` and `audit deployment`.
    Findings,
    /// `keys discover`.
    KeysDiscover,
    /// `keys fetch`.
    KeysFetch,
    /// `keys inspect`.
    KeysInspect,
    /// `audit matrix`.
    Matrix,
    /// `package`.
    Package,
    /// `package --verify`.
    PackageVerify,
    /// `audit query`.
    Query,
    /// `replay`.
    Replay,
    /// `serve`.
    Serve,
    /// `test`.
    Test,
    /// `token inspect`.
    TokenInspect,
}

impl Kind {
    fn text(self) -> String {
        match self {
            Self::Policy => text(FileKind::Policy),
            Self::Tests => text(FileKind::Tests),
            Self::Attach => of::<attach::Document<'_>>(),
            Self::Backtest => of::<backtest::Document<'_>>(),
            Self::Cedar => of::<audit::CedarDocument<'_>>(),
            Self::Check => of::<check::CheckLine>(),
            Self::DecisionLog => of::<DecisionLine<'_>>(),
            Self::Diff => of::<audit::DiffDocument<'_>>(),
            Self::Error => of::<failure::ErrorDocument>(),
            Self::Explain => of::<explain::Document<'_>>(),
            Self::Findings => of::<ReportDocument<'_>>(),
            Self::KeysDiscover => of::<keys::DiscoverDocument<'_>>(),
            Self::KeysFetch => of::<keys::FetchDocument<'_>>(),
            Self::KeysInspect => of::<keys::InspectDocument<'_>>(),
            Self::Matrix => of::<audit::MatrixDocument<'_>>(),
            Self::Package => of::<package::Report<'_>>(),
            Self::PackageVerify => of::<package::Verdict<'_>>(),
            Self::Query => of::<audit::QueryDocument<'_>>(),
            Self::Replay => of::<replay::ReplayLine<'_>>(),
            Self::Serve => of::<serve::ServeLine<'_>>(),
            Self::Test => of::<test::Document<'_>>(),
            Self::TokenInspect => of::<token::InspectDocument<'_>>(),
        }
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    line(args.kind.text())?;
    Ok(Exit::Held)
}

/// The JSON Schema of a kind of file, for people to read, too.
pub(crate) fn text(kind: FileKind) -> String {
    format!("{:#}", schema(kind))
}

/// The schema of what is written of a type, as `docs/formats.md` promises it: new members may come, and a member without a
/// value is left out or is `null`.
fn of<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(Promised);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    // A schema has text for keys, so it can always be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

/// Makes a schema say what is promised, and not more.
#[derive(Clone, Debug)]
struct Promised;

impl Transform for Promised {
    fn transform(&mut self, schema: &mut Schema) {
        // A type that is also read may refuse members that it does not know.
        if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            schema.remove("additionalProperties");
        }
        let optional: Vec<String> = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, member)| may_be_null(member))
            .map(|(name, _)| name.clone())
            .collect();
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !optional.iter().any(|one| name == one));
            if required.is_empty() {
                schema.remove("required");
            }
        }
        // The code's documentation has links, and lines of its own.
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace("[`", "`").replace("`]", "`").replace('\n', " ");
        }
        transform_subschemas(self, schema);
    }
}

/// Whether a member with this schema may be `null`.
fn may_be_null(member: &Value) -> bool {
    match member.get("type") {
        Some(Value::String(one)) => one == "null",
        Some(Value::Array(several)) => several.iter().any(|one| one == "null"),
        _ => member.get("anyOf").and_then(Value::as_array).into_iter().flatten().any(may_be_null),
    }
}
