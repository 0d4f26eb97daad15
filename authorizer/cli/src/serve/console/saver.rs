//! Adds a request to the tests of the policy, with the decision that it has now.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use authorizer_analysis::testing::document::TestsDocument;
use authorizer_analysis::testing::{Coverage, Suite, run};
use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::{FileKind, PolicyFileError, TomlFile};
use serde_json::{Map, Value, json};
use thiserror::Error;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use super::asked::{Asked, AskedError, Who};
use crate::save::{SaveError, replace_edited};
use crate::time::show;

/// The longest name of a test.
const MAX_NAME: usize = 200;

/// Why a test was not saved.
#[derive(Debug, Error)]
pub(super) enum SaveTestError {
    #[error(transparent)]
    Asked(#[from] AskedError),
    #[error("the tests cannot be read: {0}; run `authorizer test` for the place")]
    File(Box<PolicyFileError>),
    #[error("the claims have a value that TOML does not have, such as null or a very large number")]
    Value,
    #[error("the tests file has another form than `[[tests]]` blocks: write the test by hand")]
    Form,
    #[error("the test would not hold with the `[defaults]` of the file ({0}): write it by hand")]
    Defaults(String),
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The tests file of the policy. Its path is set when `serve` starts.
pub(super) struct Saver {
    pub(super) path: PathBuf,
    lock: Mutex<()>,
}

impl Saver {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, lock: Mutex::new(()) }
    }

    /// Adds a test to the file, and returns it as it stands there.
    pub(super) fn save(
        &self,
        asked: &Asked,
        name: &str,
        authorizer: &Authorizer,
    ) -> Result<Value, SaveTestError> {
        let _one_at_a_time = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match self.path.try_exists() {
            Ok(false) => None,
            _ => {
                let file: TomlFile<TestsDocument> = TomlFile::load(FileKind::Tests, &self.path)
                    .map_err(|error| SaveTestError::File(Box::new(error)))?;
                Some(file.text().to_owned())
            }
        };
        let before = found.clone().unwrap_or_else(|| "version = 1\n".to_owned());
        let read = |text: &str| toml::from_str::<TestsDocument>(text).map_err(|_| SaveTestError::Form);
        let document = read(&before)?;
        let names: BTreeSet<&str> = document.tests.iter().map(|test| test.name.as_str()).collect();
        let explanation = asked.explained(authorizer)?;
        let record = &explanation.record;
        let wanted = usable(name).unwrap_or_else(|| {
            let target = asked.target.chars().take(80).collect::<String>();
            let decided = format!("{} {target}: {}", asked.method, record.reason);
            usable(&decided).unwrap_or_else(|| "a request".to_owned())
        });
        let name = free(&wanted, &names);
        let mut expected =
            json!({"expect": record.decision.word(), "reason": record.reason, "status": record.status});
        if let (Some(rule), Some(members)) = (&record.rule, expected.as_object_mut()) {
            members.insert("rule".into(), rule.as_ref().into());
        }
        let has_sources = authorizer.bundle().policy().rules().iter().any(|rule| rule.sources().is_some());
        let entry = entry(asked, &name, expected, has_sources).ok_or(SaveTestError::Value)?;
        let between = if before.ends_with('\n') { "\n" } else { "\n\n" };
        let after = format!("{before}{between}{entry}");
        // The file is what it was, and one test more.
        let mut whole = read(&after)?;
        let added = whole.tests.pop().ok_or(SaveTestError::Form)?;
        if whole != document {
            return Err(SaveTestError::Form);
        }
        // The test holds, whatever the other tests are.
        let alone = TestsDocument { tests: vec![added], ..whole };
        let policy = authorizer.bundle().policy();
        let suite = Suite::compile(&alone, policy).map_err(|problems| {
            let told = problems.first().map(|one| format!("{}; {}", one.message, one.remedy));
            SaveTestError::Defaults(told.unwrap_or_default())
        })?;
        let results = run(&suite, authorizer, &mut Coverage::of(policy));
        if let Some(difference) = results.iter().flat_map(|result| &result.differences).next() {
            let told = format!("{}: {} instead of {}", difference.of, difference.actual, difference.expected);
            return Err(SaveTestError::Defaults(told));
        }
        replace_edited(&self.path, found.as_deref(), after.as_bytes())?;
        Ok(json!({"path": self.path.to_string_lossy(), "name": name, "text": entry}))
    }
}

/// The `[[tests]]` block. `None` if a value cannot be written.
fn entry(asked: &Asked, name: &str, expected: Value, has_sources: bool) -> Option<String> {
    let mut test = Table::new();
    test.insert("name", value(name));
    match &asked.who {
        Who::Anonymous => {
            test.insert("anonymous", value(true));
        }
        Who::Token { issuer, claims, token_type } => {
            if let Some(issuer) = issuer {
                test.insert("issuer", value(issuer));
            }
            if let Some(token_type) = token_type {
                test.insert("token_type", value(token_type));
            }
            let text = if claims.trim().is_empty() { "{}" } else { claims };
            let claims: Map<String, Value> = serde_json::from_str(text).ok()?;
            test.insert("claims", Item::Value(table(&claims)?.into()));
        }
    }
    test.insert("method", value(&asked.method));
    test.insert(if asked.target.starts_with('/') { "path" } else { "key" }, value(&asked.target));
    if !asked.query.is_empty() {
        test.insert("query", value(&asked.query));
    }
    let posed = asked.posed().ok()?;
    let mut headers = InlineTable::new();
    for (name, line) in posed.headers() {
        // One that was sent twice is a list.
        match headers.get_mut(name) {
            None => {
                headers.insert(name, line.as_str().into());
            }
            Some(toml_edit::Value::Array(lines)) => lines.push(line.as_str()),
            Some(one) => {
                let mut lines = Array::new();
                lines.push(one.as_str()?);
                lines.push(line.as_str());
                *one = lines.into();
            }
        }
    }
    if !headers.is_empty() {
        test.insert("headers", Item::Value(headers.into()));
    }
    if has_sources {
        test.insert("source_ip", value(posed.source().to_string()));
    }
    test.insert("now", value(instant(asked.at())?));
    for (name, word) in expected.as_object()? {
        if !word.is_null() {
            test.insert(name, Item::Value(of_json(word)?));
        }
    }
    let mut tests = ArrayOfTables::new();
    tests.push(test);
    let mut document = DocumentMut::new();
    document.insert("tests", Item::ArrayOfTables(tests));
    Some(document.to_string())
}

fn instant(at: UnixTime) -> Option<String> {
    let seconds = u32::try_from(at.as_seconds()).ok()?;
    Some(show(seconds.into()))
}

fn of_json(json: &Value) -> Option<toml_edit::Value> {
    Some(match json {
        Value::Null => return None,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None if number.is_f64() => number.as_f64()?.into(),
            None => return None,
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(all) => all.iter().map(of_json).collect::<Option<Array>>()?.into(),
        Value::Object(members) => table(members)?.into(),
    })
}

fn table(members: &Map<String, Value>) -> Option<InlineTable> {
    let mut table = InlineTable::new();
    for (name, one) in members {
        table.insert(name, of_json(one)?);
    }
    Some(table)
}

/// A name as tests may have it.
fn usable(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn free(wanted: &str, taken: &BTreeSet<&str>) -> String {
    let others = (2..u32::MAX).map(|number| format!("{wanted} ({number})"));
    std::iter::once(wanted.to_owned())
        .chain(others)
        .find(|name| !taken.contains(name.as_str()))
        .unwrap_or_default()
}
