//! The requests of AWS's model of S3, each with what the core makes of it: `fixtures/s3-model.tsv`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use authorizer_core::operation::S3Operation;
use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use serde_json::{Value, json};

use crate::binaries::root;

/// One request of the model: `tests/tools/sdk/model.py` writes them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModelRequest {
    /// The operation in the model.
    pub operation: String,
    /// The query parameter or header that is added to the smallest request for it; empty for that one.
    pub part: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
}

/// The table, which is reviewed as a diff when it changes.
pub fn table() -> PathBuf {
    root().join("fixtures/s3-model.tsv")
}

impl ModelRequest {
    /// Reads a line of the script.
    pub fn from_json(line: &str) -> Self {
        let (operation, part, method, path, query, headers) = serde_json::from_str(line).unwrap();
        Self { operation, part, method, path, query, headers }
    }

    /// Reads a line of the table, without its last column.
    pub fn from_line(line: &str) -> Self {
        let mut cells = line.split('\t').map(str::to_owned);
        let mut next = || cells.next().unwrap();
        let (operation, part, request, headers) = (next(), next(), next(), next());
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header =
            |text: &str| text.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            operation,
            part,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.split(" | ").filter_map(header).collect(),
        }
    }

    /// The line of the table.
    pub fn line(&self, authorizer: &Authorizer) -> String {
        let target =
            if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) };
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!(
            "{}\t{}\t{} {target}\t{}\t{}",
            self.operation,
            self.part,
            self.method,
            headers.join(" | "),
            self.comes_to(authorizer)
        )
    }

    /// The names of the query parameters.
    pub fn parameters(&self) -> BTreeSet<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split('=').next())
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// What the core makes of it. Fails if another operation would be forwarded than the one in the model.
    fn comes_to(&self, authorizer: &Authorizer) -> String {
        let line = |(name, value): &(String, String)| {
            (name.to_ascii_lowercase(), json!([{"key": name, "value": value}]))
        };
        let headers: serde_json::Map<String, Value> = self.headers.iter().map(line).collect();
        let event = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request"},
            "request": {"clientIp": "203.0.113.9", "method": self.method, "uri": self.path,
                "querystring": self.query, "headers": headers},
        }}]});
        let event = event.to_string();
        let decided = authorizer.authorize(event.as_bytes(), UnixTime::from_seconds(1_800_000_000));
        let request = match decided.outcome {
            Outcome::Respond(answer) => return format!("{} {}", answer.status, decided.record.reason),
            Outcome::Forward(request) => request,
        };
        let operation = S3Operation::named(decided.record.operation.as_deref().unwrap()).unwrap();
        assert_eq!(operation.api_name(), self.operation, "{self:?}");
        let is_in_query =
            |name: &str| request.querystring.split('&').any(|pair| pair.split('=').next() == Some(name));
        let fate = match self.part.as_str() {
            "" => "",
            part if is_in_query(part) || request.headers.contains_key(part) => ", with it",
            _ => ", without it",
        };
        format!("{}{fate}", operation.name())
    }
}

/// Decides under a policy in which everything that a rule can allow is allowed.
pub fn all_allowed() -> Authorizer {
    let operations: Vec<_> = S3Operation::ALL.into_iter().map(S3Operation::name).collect();
    let policy = json!({"version": 1, "max_origin_headers": 40, "rules": [{
        "id": "all", "effect": "allow", "anonymous": true, "operations": operations, "keys": ["**"],
        "parameters": ["partNumber", "fetch-owner"],
        "response_overrides": ["response-cache-control", "response-content-disposition",
            "response-content-encoding", "response-content-language", "response-content-type",
            "response-expires"],
        "upload": {"checksums": true, "metadata": {"a": "*"}},
    }]});
    Authorizer::new(Bundle::read(&Bundle::write(&serde_json::from_value(policy).unwrap()).unwrap()).unwrap())
}
