//! JSON Schema of the files: for editors, which complete and underline with it.
//!
//! It is written from the same tables that the files are checked with, so it cannot say something else. It is draft 7,
//! the newest that Taplo and Visual Studio Code's TOML extensions read in full.

use authorizer_core::checksum::ChecksumAlgorithm;
use serde_json::{Map, Value, json};

use super::described::description;
use super::{Field, Form, Kind, Table};
use crate::error::FileKind;

/// The JSON Schema of a kind of file. It accepts each file that has the right form. It does not look at what the values
/// mean, such as whether an issuer that a rule names exists: `authorizer check` does.
pub fn schema(kind: FileKind) -> Value {
    let mut schema = object(kind.table());
    let title = match kind {
        FileKind::Policy => "Policy of the edge authorizer",
        FileKind::Tests => "Tests of a policy of the edge authorizer",
        FileKind::Accepted => "Accepted findings of a deployment of the edge authorizer",
    };
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        members.insert("title".to_owned(), title.into());
    }
    schema
}

fn object(table: &Table) -> Value {
    let offered = table.fields.iter().filter(|field| !field.is_hidden);
    let properties: Map<String, Value> =
        offered.map(|field| (field.name.to_owned(), property(table, field))).collect();
    let required: Vec<&str> =
        table.fields.iter().filter(|field| field.is_needed).map(|field| field.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(table: &Table, field: &Field) -> Value {
    let mut schema = of(field.form);
    if let Some(members) = schema.as_object_mut() {
        let described = description(table.what, field.name).unwrap_or_default();
        members.insert("description".to_owned(), format!("{described}\n\n{}", field.example).into());
    }
    schema
}

fn of(form: Form) -> Value {
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    match form {
        Form::Text(Kind::Instant) => {
            json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"})
        }
        Form::Text(Kind::Plain | Kind::Pattern | Kind::Media | Kind::Origin | Kind::Path) => {
            json!({"type": "string"})
        }
        Form::Word(words) => json!({"type": "string", "enum": (words.all)()}),
        Form::Truth => json!({"type": "boolean"}),
        Form::Whole { most, .. } => json!({"type": "integer", "minimum": 0, "maximum": most}),
        Form::Scalar => json!({"type": ["string", "integer", "boolean"]}),
        // Editors give a date of TOML as a text.
        Form::Time => json!({"type": ["string", "integer"], "minimum": 0}),
        Form::Size { least } => json!({"anyOf": [
            {"type": "integer", "minimum": least},
            {"type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$"},
        ]}),
        Form::Checksums => {
            let names = ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::word);
            json!({"anyOf": [
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string", "enum": names}},
            ]})
        }
        Form::List(form) => json!({"type": "array", "items": of(*form)}),
        Form::OneOrMany(Form::Text(Kind::Plain)) => json!({"anyOf": [{"type": "string"}, texts()]}),
        Form::OneOrMany(form) => json!({"anyOf": [of(*form), {"type": "array", "items": of(*form)}]}),
        Form::Table(table) => object(table),
        Form::Shapes(shapes) => {
            let shapes: Vec<Value> = shapes.iter().map(|table| object(table)).collect();
            json!({"type": "object", "oneOf": shapes})
        }
        Form::Blocks(table) => json!({"type": "array", "items": object(table)}),
        Form::Map(form) => json!({"type": "object", "additionalProperties": of(*form)}),
        Form::AnyTable => json!({"type": "object"}),
        Form::Any => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::form::described::DESCRIBED;

    fn fields(table: &'static Table, all: &mut BTreeSet<(&'static str, &'static str)>) {
        for field in table.fields {
            all.insert((table.what, field.name));
            let mut form = &field.form;
            while let Form::List(inner) | Form::OneOrMany(inner) | Form::Map(inner) = form {
                form = inner;
            }
            for inner in form.tables() {
                fields(inner, all);
            }
        }
    }

    #[test]
    fn each_field_is_described_and_nothing_else() {
        let mut all = BTreeSet::new();
        for kind in [FileKind::Policy, FileKind::Tests] {
            fields(kind.table(), &mut all);
        }
        let described: BTreeSet<_> = DESCRIBED.iter().map(|(what, field, _)| (*what, *field)).collect();
        assert_eq!(described, all);
        assert_eq!(described.len(), DESCRIBED.len());
    }
}
