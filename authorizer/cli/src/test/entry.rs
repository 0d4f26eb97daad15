//! A test as it is written in a file of tests.

use std::collections::BTreeMap;

use authorizer_analysis::testing::document::{OneOrMany, TestDocument};
use authorizer_core::operation::S3Operation;
use authorizer_core::policy::document::SizeDocument;
use serde_json::Value as Json;
use toml_edit::{Array, InlineTable, Value};

/// The `[[tests]]` block of a test.
pub(super) fn toml_of(test: &TestDocument) -> String {
    // By its names, so that a field that is added is written.
    let TestDocument {
        name,
        issuer,
        token_type,
        claims,
        anonymous,
        method,
        operation,
        key,
        path,
        prefix,
        query,
        headers,
        upload,
        host,
        source_ip,
        now,
        expect,
        rule,
        reason,
        status,
    } = test;
    let text = |text: &String| Value::from(text.as_str());
    let texts = |texts: &OneOrMany<String>| one_or_many(texts, |text| Value::from(text.as_str()));
    let operations =
        |operations: &OneOrMany<S3Operation>| one_or_many(operations, |one| Value::from(one.name()));
    let upload = {
        let mut table = InlineTable::new();
        match &upload.bytes {
            Some(SizeDocument::Bytes(bytes)) => {
                drop(table.insert("bytes", i64::try_from(*bytes).unwrap_or(i64::MAX).into()));
            }
            Some(SizeDocument::Text(size)) => drop(table.insert("bytes", text(size))),
            None => {}
        }
        if let Some(content_type) = &upload.content_type {
            table.insert("content_type", text(content_type));
        }
        if !upload.metadata.is_empty() {
            table.insert("metadata", table_of(&upload.metadata, text));
        }
        (!table.is_empty()).then(|| Value::from(table))
    };
    let fields = [
        ("name", Some(text(name))),
        ("issuer", issuer.as_ref().map(text)),
        ("token_type", token_type.as_ref().map(text)),
        ("claims", claims.as_ref().and_then(|claims| of_json(&Json::Object(claims.clone())))),
        ("anonymous", anonymous.then(|| true.into())),
        ("method", method.as_ref().map(texts)),
        ("operation", operation.as_ref().map(operations)),
        ("key", key.as_ref().map(texts)),
        ("path", path.as_ref().map(texts)),
        ("prefix", prefix.as_ref().map(texts)),
        ("query", (!query.is_empty()).then(|| text(query))),
        ("headers", (!headers.is_empty()).then(|| table_of(headers, texts))),
        ("upload", upload),
        ("host", host.as_ref().map(text)),
        ("source_ip", source_ip.as_ref().map(text)),
        ("now", now.as_ref().map(|now| text(&now.0))),
        ("expect", Some(Value::from(expect.word()))),
        ("rule", rule.as_ref().map(text)),
        ("reason", reason.as_ref().map(text)),
        ("status", status.map(|status| i64::from(status).into())),
    ];
    let mut block = "[[tests]]".to_owned();
    let said = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let said: Vec<(&str, Value)> = said.collect();
    let width = said.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in said {
        block.push_str(&format!("\n{name:width$} = {}", value.to_string().trim()));
    }
    block
}

fn one_or_many<T>(values: &OneOrMany<T>, value: impl Fn(&T) -> Value) -> Value {
    match values {
        OneOrMany::One(one) => value(one),
        OneOrMany::Many(many) => many.iter().map(value).collect::<Array>().into(),
    }
}

fn table_of<T>(members: &BTreeMap<String, T>, value: impl Fn(&T) -> Value) -> Value {
    let mut table = InlineTable::new();
    for (name, member) in members {
        table.insert(name, value(member));
    }
    table.into()
}

/// A value of JSON, without what TOML does not have.
fn of_json(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(members) => members.iter().filter_map(of_json).collect::<Array>().into(),
        Json::Object(members) => {
            let mut table = InlineTable::new();
            for (name, member) in members {
                if let Some(member) = of_json(member) {
                    table.insert(name, member);
                }
            }
            table.into()
        }
    })
}
