//! The policy as its file has it: the text, its errors at their lines, its findings and its matrix.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use authorizer_analysis::matrix;
use authorizer_core::policy::Place;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_findings::report::{Report, json as findings_json};
use authorizer_policy::{PolicyFile, files_of, without_secrets};
use serde_json::{Value, json};

use crate::failure::{json_of, problems_of};
use crate::input::read_limited;

/// The longest text that is shown.
const MAX_TEXT: usize = 1024 * 1024;

/// The state of the files of a policy, as their folders have it.
pub(super) type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// A policy file, and what was last found out about it.
pub(super) struct ReviewedFile {
    pub(super) path: PathBuf,
    review: Mutex<Option<(Vec<u8>, Arc<Value>)>>,
}

impl ReviewedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, review: Mutex::new(None) }
    }

    /// Changes when one of the files does.
    pub(super) fn stamp(&self) -> Stamp {
        let look = |file: PathBuf| {
            let found = fs::metadata(&file).ok().and_then(|found| Some((modified(&found)?, found.len())));
            (file, found)
        };
        files_of(&self.path).into_iter().map(look).collect()
    }

    /// The text, without what may be a secret, and what is wrong with it.
    pub(super) fn shown(&self) -> Value {
        match PolicyFile::load(&self.path) {
            Ok(file) => {
                let places = file.places();
                let rules = file.document().rules.iter().enumerate().map(|(index, rule)| {
                    let span = places.span(&Place::member("rules").at(index).then("id"));
                    let line = span.map(|span| places.position(span.start).line);
                    json!({"id": rule.id, "line": line})
                });
                let warnings: Vec<Value> = file.warnings().iter().flat_map(|one| problems_of(one)).collect();
                json!({
                    "text": cut(&file.shown_text()), "sha256": file.bundle().sha256(), "errors": [],
                    "warnings": warnings, "rules": rules.collect::<Vec<_>>(),
                })
            }
            Err(error) => {
                let told = json_of(&error);
                let errors = told.pointer("/error/problems").cloned().unwrap_or_default();
                json!({
                    "text": read(&self.path).map(|text| cut(&without_secrets(&text))), "sha256": null,
                    "errors": errors, "warnings": [], "rules": null, "message": error.to_string(),
                })
            }
        }
    }

    /// The findings and the matrix. They take their time once for each state of the policy; the analysis has budgets of
    /// its own.
    pub(super) fn reviewed(&self) -> Arc<Value> {
        // Held while the analysis runs: two at once would only be slower.
        let mut last = self.review.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match PolicyFile::load(&self.path) {
            Ok(file) => file,
            Err(error) => return Arc::new(json!({"error": error.to_string()})),
        };
        let state = [file.text().as_bytes(), file.bundle_json()].concat();
        if let Some((of, review)) = &*last
            && *of == state
        {
            return Arc::clone(review);
        }
        let now = UnixTime::from_system(SystemTime::now());
        let authorizer = Authorizer::new(file.bundle().clone());
        let found = findings(&PolicySubject::new(file.document(), &authorizer, now));
        let report = Report::of_policy(&self.path, &file, now, found);
        let review = Arc::new(json!({
            "sha256": file.bundle().sha256(), "findings": findings_json(&report), "matrix": rows(&authorizer),
        }));
        *last = Some((state, Arc::clone(&review)));
        review
    }
}

/// The matrix, without the requests that prove it.
pub(super) fn rows(authorizer: &Authorizer) -> Value {
    match matrix(authorizer) {
        Ok(table) => {
            let row = |row: &authorizer_analysis::Row| {
                let cell = |cell: &authorizer_analysis::Cell| json!({"operation": cell.operation.name(), "rules": cell.rules, "except": cell.except});
                json!({
                    "who": row.who, "conditions": row.conditions, "keys": row.keys,
                    "cells": row.cells.iter().map(cell).collect::<Vec<_>>(),
                })
            };
            json!({"rows": table.rows.iter().map(row).collect::<Vec<_>>()})
        }
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn modified(found: &Metadata) -> Option<SystemTime> {
    found.modified().ok()
}

fn read(path: &Path) -> Option<String> {
    String::from_utf8(read_limited(path, MAX_TEXT).ok()?).ok()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_policy_is_shown_without_lines_that_may_have_a_secret() {
        let text = "version = 1\nlog = { claims_salt = \"aaaa\" }\n[log]\nsubject = \"plain\"\nclaims_sal = \"bbbb\"\n\
                    [[issuers]]\nname = \"x\"\nsecret = \"cccc\"\n[[rules]]\nid = \n";
        let shown = without_secrets(text);
        assert_eq!(shown.lines().count(), text.lines().count(), "the lines stay where they are");
        for secret in ["aaaa", "bbbb", "cccc"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        for line in ["version = 1", "subject = \"plain\"", "name = \"x\"", "id = "] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        let long = "version = 1\nnote = \"\"\"\ndddd\n\"\"\"\nsecret = 1\n";
        assert!(!without_secrets(long).contains("dddd"));
    }

    #[test]
    fn what_comes_after_the_word_secret_in_its_table_is_not_shown_either() {
        for table in [
            "[issuers.secret]\nvalue = \"dddd\"\n",
            "[[issuers]]\nsecret = {\n  value = \"dddd\"\n}\n",
            "[[issuers]]\nsecret = [\n  [\"dddd\"],\n  [\"dddd\"]\n]\n",
            "\"log\" = { key = \"dddd\" }\n",
            "log.claims = {\n  key = \"dddd\"\n}\n",
            "[ \"log\" ] # it\nkey = \"dddd\"\n",
            "[[issuers]]\n# The secret is below.\nSECRET = \"dddd\"\n",
        ] {
            let text = format!("version = 1\n{table}\n[[rules]]\nid = \"it-stays\"\neffect = \n");
            let shown = without_secrets(&text);
            assert!(!shown.contains("dddd"), "{shown}");
            assert!(
                shown.starts_with("version = 1\n") && shown.contains("\nid = \"it-stays\"\neffect = \n"),
                "{shown}"
            );
            assert_eq!(shown.lines().count(), text.lines().count());
        }
    }
}
