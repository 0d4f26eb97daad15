//! The form of a file of tests. A test compares it with the types that the file is read into.

use authorizer_core::record::Verdict;

use super::meant::Meant::{self, Word};
use super::of_policy::OPERATIONS;
use super::words::words_of;
use super::{Field, Form, Kind, Table, Words};

const fn field(name: &'static str, form: Form, example: &'static str) -> Field {
    Field { name, form, is_needed: false, is_secret: false, is_hidden: false, example, also: &[] }
}

const fn needed(name: &'static str, form: Form, example: &'static str) -> Field {
    Field { name, form, is_needed: true, is_secret: false, is_hidden: false, example, also: &[] }
}

const TEXT: Form = Form::Text(Kind::Plain);
const INSTANT: Form = Form::Time;
const TEXTS: Form = Form::OneOrMany(&ANY_TEXT);
static ANY_TEXT: Form = Form::Text(Kind::Plain);
static AN_OPERATION: Form = Form::Word(&OPERATIONS);
static SOME_TEXTS: Form = Form::OneOrMany(&ANY_TEXT);
static VERDICTS: Words = Words { all: words_of::<Verdict>, meant: verdict };

pub(super) static TESTS: Table = Table {
    what: "a file of tests",
    name: None,
    fields: &[
        needed("version", Form::Whole { most: u32::MAX as u64, is_seconds: false }, "version = 1"),
        Field {
            also: &["default"],
            ..field("defaults", Form::Table(&DEFAULTS), "defaults = { now = \"2027-01-15T08:00:00Z\" }")
        },
        Field { also: &["cases", "case"], ..field("tests", Form::Blocks(&TEST), "[[tests]]") },
    ],
};

pub(super) static DEFAULTS: Table = Table {
    what: "`[defaults]`",
    name: None,
    fields: &[
        field("issuer", TEXT, "issuer = \"staff\""),
        Field { also: &["typ"], ..field("token_type", TEXT, "token_type = \"at+jwt\"") },
        Field { also: &["token"], ..field("claims", Form::AnyTable, "claims = { sub = \"alice\" }") },
        field("anonymous", Form::Truth, "anonymous = true"),
        field("headers", Form::Map(&SOME_TEXTS), "headers = { Origin = \"https://app.example.com\" }"),
        Field { also: &["hostname", "domain"], ..field("host", TEXT, "host = \"downloads.example.com\"") },
        Field { also: &["ip"], ..field("source_ip", TEXT, "source_ip = \"203.0.113.9\"") },
        Field { also: &["time", "date"], ..field("now", INSTANT, "now = \"2027-01-15T08:00:00Z\"") },
    ],
};

pub(super) static TEST: Table = Table {
    what: "a test",
    name: Some("name"),
    fields: &[
        Field { also: &["id", "title"], ..needed("name", TEXT, "name = \"users read their own files\"") },
        field("issuer", TEXT, "issuer = \"staff\""),
        Field { also: &["typ"], ..field("token_type", TEXT, "token_type = \"at+jwt\"") },
        Field { also: &["token"], ..field("claims", Form::AnyTable, "claims = { sub = \"alice\" }") },
        field("anonymous", Form::Truth, "anonymous = true"),
        Field { also: &["verb"], ..field("method", TEXTS, "method = \"GET\"") },
        field("operation", Form::OneOrMany(&AN_OPERATION), "operation = \"GetObject\""),
        field("key", TEXTS, "key = \"users/alice/a.txt\""),
        Field { also: &["uri", "url"], ..field("path", TEXTS, "path = \"/users/alice/a.txt\"") },
        field("prefix", TEXTS, "prefix = \"users/alice/\""),
        field("query", TEXT, "query = \"versionId=1\""),
        field("headers", Form::Map(&SOME_TEXTS), "headers = { Origin = \"https://app.example.com\" }"),
        field("upload", Form::Table(&FACTS), "upload = { bytes = 1000, content_type = \"image/png\" }"),
        Field { also: &["hostname", "domain"], ..field("host", TEXT, "host = \"downloads.example.com\"") },
        Field { also: &["ip"], ..field("source_ip", TEXT, "source_ip = \"203.0.113.9\"") },
        Field { also: &["time", "date"], ..field("now", INSTANT, "now = \"2027-01-15T08:00:00Z\"") },
        Field {
            also: &["expected", "result", "effect", "outcome"],
            ..needed("expect", Form::Word(&VERDICTS), "expect = \"allow\"")
        },
        field("rule", TEXT, "rule = \"users-keep-their-files\""),
        field("reason", TEXT, "reason = \"token_missing\""),
        Field {
            also: &["code"],
            ..field("status", Form::Whole { most: u16::MAX as u64, is_seconds: false }, "status = 403")
        },
    ],
};

pub(super) static FACTS: Table = Table {
    what: "`upload`",
    name: None,
    fields: &[
        Field {
            also: &["length", "size", "max_bytes"],
            ..field("bytes", Form::Size { least: 0 }, "bytes = 1000")
        },
        Field { also: &["type"], ..field("content_type", TEXT, "content_type = \"image/png\"") },
        field("metadata", Form::Map(&ANY_TEXT), "metadata = { owner = \"alice\" }"),
    ],
};

fn verdict(word: &str) -> Option<Meant> {
    Some(match word.to_ascii_lowercase().as_str() {
        "allowed" | "pass" | "ok" | "permit" | "yes" => Word("allow"),
        "deny" | "denied" | "refused" | "reject" | "rejected" | "forbid" | "forbidden" | "block"
        | "blocked" | "fail" | "no" | "disallow" | "disallowed" | "not_allow" | "not_allowed"
        | "not allowed" | "unallow" => Word("refuse"),
        _ => return None,
    })
}
