//! The form of a file of accepted findings. A test compares it with the types that the file is read into.

use super::{Field, Form, Kind, Table};

const fn text(name: &'static str, example: &'static str, also: &'static [&'static str]) -> Field {
    let form = Form::Text(Kind::Plain);
    Field { name, form, is_needed: true, is_secret: false, is_hidden: false, example, also }
}

pub(super) static FINDINGS: Table = Table {
    what: "a file of accepted findings",
    name: None,
    fields: &[Field {
        name: "accepted",
        form: Form::Blocks(&FINDING),
        is_needed: false,
        is_secret: false,
        is_hidden: false,
        example: "[[accepted]]",
        also: &["accept", "ignore", "findings", "finding"],
    }],
};

pub(super) static FINDING: Table = Table {
    what: "an `[[accepted]]` block",
    name: Some("finding"),
    fields: &[
        text("finding", "finding = \"EA297\"", &["id"]),
        text("file", "file = \"distribution.json\"", &["path"]),
        text("severity", "severity = \"medium\"", &["level"]),
        text("message", "message = \"...\"", &["text"]),
        text("seen", "seen = \"...\"", &["digest"]),
        text("reason", "reason = \"it is a public page\"", &["why", "comment"]),
    ],
};
