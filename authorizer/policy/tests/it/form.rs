//! Mistakes in the form of a file: no word of a parser or of a programming language reaches the author, and what is read
//! without a mistake is what the types take.

use std::fs;
use std::path::Path;

use authorizer_analysis::testing::document::TestsDocument;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_policy::{AcceptedFindingsDocument, FileKind, PolicyFile, TomlFile};
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use toml::{Table, Value};

/// Words that only a programmer of Rust or a reader of TOML's grammar knows.
const WORDS: [&str; 34] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "invalid basic string",
    "invalid string",
    "untagged",
    "variant",
    "missing field",
    "unknown field",
    "expected",
    "sequence",
    "a map",
    "boolean",
    "floating",
    "datetime",
    "inline table",
    "dotted key",
    "newtype",
    "enum",
    "struct",
    "u16",
    "u32",
    "u64",
    "i64",
    "Option",
    "None",
    "Some(",
    "Document",
    "visitor",
    "deserialize",
    "serde",
    "unit value",
    "did not match",
    "this is not what belongs here",
];

/// What is shown of an error, without the lines of the file.
fn words_of(error: &dyn miette::Diagnostic) -> String {
    let mut text = String::new();
    let mut handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    handler = handler.with_context_lines(0).with_wrap_lines(false);
    handler.render_report(&mut text, error).unwrap();
    text.lines().filter(|line| line.contains('×') || line.contains("help:")).collect::<Vec<_>>().join("\n")
}

fn policy() -> String {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/full.toml")).unwrap();
    with_key_files(&text)
}

/// The same with the other shape of `[sign_in]`.
fn policy_with_code_flow() -> String {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/full.code-flow.toml")).unwrap();
    with_key_files(&text)
}

fn with_key_files(text: &str) -> String {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/policies/keys/staff.jwks.json");
    let sign_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/policies/keys/sign-in.test-only.key");
    text.replace("SIGN_IN_KEY", sign_in).replace("KEYS", keys)
}

/// A file that is changed at random, with its kind.
fn file(which: usize) -> (FileKind, String) {
    match which {
        0 => (FileKind::Policy, policy()),
        1 => (FileKind::Policy, policy_with_code_flow()),
        _ => (FileKind::Tests, tests()),
    }
}

fn tests() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/full.tests.toml")).unwrap()
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Rename(&'static str),
    Remove,
    Replace(Value),
    IntoList,
    OutOfList,
    IntoText,
    Add(&'static str, Value),
}

/// All places in a value, as paths.
fn places(value: &Value, here: &[Step], all: &mut Vec<Vec<Step>>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                let step = [here, &[Step::Member(name.clone())]].concat();
                all.push(step.clone());
                places(value, &step, all);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                let step = [here, &[Step::Element(index)]].concat();
                all.push(step.clone());
                places(value, &step, all);
            }
        }
        _ => {}
    }
}

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Element(usize),
}

fn at<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name.as_str()),
        Step::Element(index) => value.get_mut(*index),
    })
}

fn apply(document: &mut Value, place: &[Step], change: &Change) {
    let Some((last, around)) = place.split_last() else { return };
    let Some(around) = at(document, around) else { return };
    let old = match last {
        Step::Member(name) => around.get(name.as_str()).cloned(),
        Step::Element(index) => around.get(*index).cloned(),
    };
    let Some(old) = old else { return };
    let new = match change {
        Change::Rename(name) => {
            if let (Value::Table(table), Step::Member(old_name)) = (around, last) {
                table.remove(old_name);
                table.insert((*name).to_owned(), old);
            }
            return;
        }
        Change::Remove => {
            match (around, last) {
                (Value::Table(table), Step::Member(name)) => drop(table.remove(name)),
                (Value::Array(list), Step::Element(index)) => drop(list.remove(*index)),
                _ => {}
            }
            return;
        }
        Change::Add(name, value) => {
            if let Value::Table(table) = around {
                table.insert((*name).to_owned(), value.clone());
            }
            return;
        }
        Change::Replace(value) => value.clone(),
        Change::IntoList => Value::Array(vec![old]),
        Change::OutOfList => match old {
            Value::Array(list) if !list.is_empty() => list.into_iter().next().unwrap(),
            other => other,
        },
        Change::IntoText => Value::String(old.to_string()),
    };
    if let Some(value) = at(document, place) {
        *value = new;
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = select(vec![
        "",
        "a",
        "true",
        "1",
        "10 mb",
        "1h",
        "GET",
        "s3:GetObject",
        "LIST",
        "/a",
        "${sub}",
        "2026-01-01",
        "*",
        "Bearer",
        "image",
        "none",
        "\u{e9}\n\"",
        "https://a.example/",
    ])
    .prop_map(|text| Value::String(text.into()));
    let date = select(vec!["1979-05-27T07:32:00Z", "1979-05-27", "07:32:00"])
        .prop_map(|text| Value::Datetime(text.parse().unwrap()));
    let number = select(vec![0, 1, -1, 1 << 17, 1 << 33, i64::MAX, i64::MIN]).prop_map(Value::Integer);
    let float = select(vec![0.5, 10.0, -1e300, f64::INFINITY, f64::NAN]).prop_map(Value::Float);
    let leaf = prop_oneof![4 => text, 1 => date, 2 => number, 1 => float, 1 => any::<bool>().prop_map(Value::Boolean)];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let name = select(vec!["a", "has", "equals", "file", "url", "max_bytes", "a b", "sub"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((name, inner), 0..3).prop_map(|fields| {
                Value::Table(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let name = select(vec![
        "method",
        "issuer",
        "rule",
        "rules",
        "Keys",
        "x",
        "a.b",
        "",
        "condition",
        "max-bytes",
        "version",
        "effect",
        "cognito:groups",
        "secret",
        "claims_salt",
        "name",
        "id",
        "upload",
        "status",
        "url",
        "issuer",
        "return_parameter",
        "cookie_key",
        "redirect_uri",
    ]);
    prop_oneof![
        name.clone().prop_map(Change::Rename),
        Just(Change::Remove),
        value().prop_map(Change::Replace),
        Just(Change::IntoList),
        Just(Change::OutOfList),
        Just(Change::IntoText),
        (name, value()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

/// Checks what is said of a file, and that what is accepted has the form of its type, and the other way round.
fn check(path: &Path, kind: FileKind, text: &str) {
    fs::write(path, text).unwrap();
    let (said, is_form_good, is_type_good) = match kind {
        FileKind::Policy => (
            PolicyFile::load(path).err().map(|error| words_of(&error)),
            TomlFile::<PolicyDocument>::load(kind, path).is_ok(),
            toml::from_str::<PolicyDocument>(text).is_ok(),
        ),
        FileKind::Tests => {
            let loaded = TomlFile::<TestsDocument>::load(kind, path);
            let is_good = loaded.is_ok();
            (
                loaded.err().map(|error| words_of(&error)),
                is_good,
                toml::from_str::<TestsDocument>(text).is_ok(),
            )
        }
        FileKind::Accepted => {
            let loaded = TomlFile::<AcceptedFindingsDocument>::load(kind, path);
            let is_good = loaded.is_ok();
            let is_type_good = toml::from_str::<AcceptedFindingsDocument>(text).is_ok();
            (loaded.err().map(|error| words_of(&error)), is_good, is_type_good)
        }
    };
    // The schema underlines no file that is good, and every file whose form is wrong. It may know more than the form.
    let is_valid = toml::from_str::<Value>(text)
        .map(|value| crate::schema::validator(kind).is_valid(&crate::schema::json_of(&value)));
    assert!(said.is_some() || kind == FileKind::Tests || is_valid == Ok(true), "{text}");
    assert!(is_form_good || is_valid != Ok(true), "{text}");
    // The types take some lists in the place of a table, and texts that are no sizes: the form is stricter.
    assert!(!is_form_good || is_type_good, "{text}");
    if let Some(said) = said {
        // The author's own words may be any; they stand between backticks.
        let plain: String = said.split('`').step_by(2).collect();
        let plain = plain.replace("If-None-Match", "");
        for word in WORDS {
            assert!(!plain.contains(word), "{word}: {said}\n{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_mistake_is_told_in_the_words_of_a_parser(
        which in 0..3_usize,
        changes in prop::collection::vec((any::<Index>(), change()), 1..4),
    ) {
        let (kind, text) = file(which);
        let mut document = Value::Table(toml::from_str::<Table>(&text).unwrap());
        for (index, change) in &changes {
            let mut all = Vec::new();
            places(&document, &[], &mut all);
            if !all.is_empty() {
                let place = index.get(&all).clone();
                apply(&mut document, &place, change);
            }
        }
        let text = toml::to_string(&document).unwrap();
        let folder = tempfile::tempdir().unwrap();
        check(&folder.path().join("a.toml"), kind, &text);
    }

    #[test]
    fn a_text_that_is_not_toml_is_told_in_plain_words(
        which in 0..3_usize,
        at in any::<Index>(),
        length in 0_usize..4,
        inserted in select(vec![
            "", "\"", "'", "[", "]", "{", "}", "=", ",", ":", "#", "\n", " ", "\\", "a", "1", "“", "\"\"\"", "[rules]\n",
            "//", "\r", "\u{1}", ".", "[[",
        ]),
    ) {
        let (kind, text) = file(which);
        let start = at.index(text.len());
        let end = start.saturating_add(length).min(text.len());
        prop_assume!(text.is_char_boundary(start) && text.is_char_boundary(end));
        let (before, after) = (text.get(..start).unwrap(), text.get(end..).unwrap());
        let text = format!("{before}{inserted}{after}");
        let folder = tempfile::tempdir().unwrap();
        check(&folder.path().join("a.toml"), kind, &text);
    }
}

/// A text that stands for a secret.
const MARKER: &str = "hunter2hunter2hunter2hunter2hunter2";

/// Policies with a secret in it, under its own name.
const WITH_SECRET: [&str; 8] = [
    "[sign_in]\nissuer = \"staff\"\nclient_id = \"a\"\norigin = \"https://files.example.com\"\n\
     cookie_key = \"MARKER\"\n",
    "[sign_in]\nissuer = \"staff\"\nclient_id = \"a\"\norigin = \"https://files.example.com\"\n\
     client_secret = { value = \"MARKER\" }\n",
    "[log]\nclaims_salt = \"MARKER\"\nsubject = \"plain\"\n",
    "log = { claims_salt = \"MARKER\" }\n",
    "[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\naudience = [\"a\"]\nalgorithms = [\"HS256\"]\n\
     secret = \"MARKER\"\n",
    "[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\naudience = [\"a\"]\nalgorithms = [\"HS256\"]\n\
     secret = { value = \"MARKER\" }\n",
    "[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\naudience = [\"a\"]\nalgorithms = [\"HS256\"]\n\
     [issuers.secret]\nvalue = \"MARKER\"\n",
    "issuers = [{ name = \"staff\", issuer = \"https://login.example.com/\", audience = [\"a\"], algorithms = [\"HS256\"], \
     secret = { value = \"MARKER\" } }]\n",
];

/// A rule with mistakes of its own, and one that is warned of.
const RULES: &str =
    "[[rules]]\nid = \"a\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"*\"]\nanonymous = true\n";

/// Everything that is said of a policy, and of the same file as tests.
fn all_said(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, text).unwrap();
    let mut said = String::new();
    let mut say = |error: &dyn miette::Diagnostic| {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        handler.with_wrap_lines(false).render_report(&mut said, error).unwrap();
    };
    match PolicyFile::load(&path) {
        Ok(file) => file.warnings().iter().for_each(|warning| say(warning)),
        Err(error) => say(&error),
    }
    if let Err(error) = TomlFile::<TestsDocument>::load(FileKind::Tests, &path) {
        say(&error);
    }
    said
}

/// Other names of fields and tables with a secret.
const SECRET_NAMES: [(&str, &[&str]); 6] = [
    (
        "cookie_key",
        &[
            "cookie_key",
            "cookie-key",
            "cookieKey",
            "cookie_secret",
            "previous_cookie_key",
            "session_key",
            "key",
            "x",
        ],
    ),
    (
        "client_secret",
        &["client_secret", "client-secret", "clientSecret", "client_key", "private_key", "secret", "x"],
    ),
    ("log", &["log", "Log", "LOG", "logs", "logging", "lgo", "x", "loggs"]),
    (
        "claims_salt",
        &[
            "claims_salt",
            "salt",
            "Salt",
            "key",
            "claim_salt",
            "claims-salt",
            "claimsSalt",
            "claims_slat",
            "x",
        ],
    ),
    (
        "secret",
        &["secret", "Secret", "SECRET", "secrets", "secret_key", "secretKey", "secrt", "client_secret", "x"],
    ),
    ("issuers", &["issuers", "issuer", "Issuers", "providers", "idp", "x"]),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn a_secret_is_never_shown_whatever_its_field_is_called(
        which in 0..WITH_SECRET.len(),
        names in prop::collection::vec(any::<Index>(), SECRET_NAMES.len()),
        value in select(vec!["value", "Value", "vale", "key", "x"]),
        changes in prop::collection::vec((any::<Index>(), change()), 0..3),
        cut in prop::option::of(any::<Index>()),
        is_written_anew in any::<bool>(),
    ) {
        let mut text = format!("version = 1\n{}{RULES}", WITH_SECRET[which]);
        for ((name, others), index) in SECRET_NAMES.iter().zip(&names) {
            // What is not TOML is looked at as text: a name that says nothing is not known there.
            let other = Some(index.get(others)).filter(|other| is_written_anew || **other != "x").unwrap_or(name);
            for (before, after) in [("", " ="), ("[", "]"), ("[[", "]]"), ("[[", "]]"), (".", "]"), ("[", ".")] {
                text = text.replace(&format!("{before}{name}{after}"), &format!("{before}{other}{after}"));
            }
        }
        text = text.replace("value =", &format!("{value} =")).replace("MARKER", MARKER);
        if is_written_anew {
            let mut document = Value::Table(toml::from_str::<Table>(&text).unwrap());
            for (index, change) in &changes {
                let mut all = Vec::new();
                places(&document, &[], &mut all);
                // A secret under the name of another field or block, or in a text, is not known to be one.
                let is_elsewhere = match change {
                    Change::Rename(name) | Change::Add(name, _) => !matches!(*name, "x" | "a.b" | "" | "secret" | "claims_salt"),
                    Change::IntoText => true,
                    Change::Remove | Change::Replace(_) | Change::IntoList | Change::OutOfList => false,
                };
                if !all.is_empty() && !is_elsewhere {
                    let place = index.get(&all).clone();
                    apply(&mut document, &place, change);
                }
            }
            text = toml::to_string(&document).unwrap();
        } else if let Some(cut) = cut {
            // A character is lost, outside of the secret.
            let at = cut.index(text.len());
            let start = text.find(MARKER).unwrap();
            if !(start..start.saturating_add(MARKER.len())).contains(&at) {
                text.remove(at);
            }
        }
        let said = all_said(&text);
        prop_assert!(!said.contains(MARKER), "{said}\n{text}");
    }
}

#[test]
fn a_key_under_a_slip_that_is_near_to_another_field_is_not_shown() {
    for name in ["ession_key", "session_tokn", "origins", "scope_key", "cookie"] {
        let flow = WITH_SECRET[0].replace("cookie_key", name).replace("MARKER", MARKER);
        let said = all_said(&format!("version = 1\n{flow}{RULES}"));
        assert!(said.contains(name), "{said}");
        assert!(!said.contains(MARKER), "{said}");
    }
}

#[test]
fn a_line_with_the_word_secret_has_its_own_message() {
    let rule = |id: &str| {
        format!("[[rules]]\nid = \"{id}\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = \"secrets/**\"\n")
    };
    let said = all_said(&format!("version = 1\n{}{}", rule("a"), rule("secret-files")));
    assert_eq!(said.matches("`keys` must be a list in brackets").count(), 2, "{said}");
    assert!(!said.contains("`secret` does not have"), "{said}");
}

#[test]
fn no_remedy_turns_a_denial_into_an_allowance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for (from, to) in [
        ("effect = \"allow\"", "effect = \"disallow\""),
        ("effect = \"allow\"", "effect = \"unallow\""),
        ("effect = \"allow\"", "deny = true"),
        ("effect = \"allow\"", "deny = [\"a/**\"]"),
        ("effect = \"allow\"", "effect = false"),
        ("methods = [\"GET\"]", "methods = [\"!GET\"]"),
        ("anonymous = true", "when = { role = { not_equals = \"a\" } }"),
    ] {
        fs::write(&path, format!("version = 1\n{}", RULES.replace(from, to))).unwrap();
        let said = words_of(&PolicyFile::load(&path).unwrap_err());
        for wrong in ["rite `effect = \"allow\"`", "rite `\"GET\"`", "did you mean `equals`"] {
            assert!(!said.contains(wrong), "{to}: {said}");
        }
        assert!(to != "deny = true" || said.contains("rite `effect = \"deny\"`"), "{said}");
    }
    let tests = tests().replacen("expect = \"allow\"", "expect = \"disallow\"", 1);
    fs::write(&path, tests).unwrap();
    let said = words_of(&TomlFile::<TestsDocument>::load(FileKind::Tests, &path).unwrap_err());
    assert!(said.contains("write `expect = \"refuse\"`"), "{said}");
}

#[test]
fn a_remedy_names_fields_that_there_are_and_is_toml() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for (from, to, remedy) in [
        ("keys = [\"*\"]", "path = \"public/*\"", "write `keys = [\"public/*\"]`"),
        ("keys = [\"*\"]", "keys = \"a\\nb\"", "write `keys = [\"a\\nb\"]`"),
        ("anonymous = true", "when = { a = { equals = [0x10] } }", "write `any = [0x10]`"),
    ] {
        fs::write(&path, format!("version = 1\n{}", RULES.replace(from, to))).unwrap();
        let said = words_of(&PolicyFile::load(&path).unwrap_err());
        assert!(said.contains(remedy), "{to}: {said}");
    }
    fs::write(&path, "version = 1\n[[rules]]\neffect = allow # the admin\u{2019}s rule\n").unwrap();
    let said = words_of(&PolicyFile::load(&path).unwrap_err());
    assert!(!said.contains("typographic") && said.contains("`allow` is not in quotes"), "{said}");
}

#[test]
fn very_many_mistakes_come_to_an_end() {
    for text in [
        format!("version = 1\n{}", RULES.replace("\"*\"", &"1,".repeat(20_000))),
        (0..5_000).map(|index| format!("a{index} = 1\n")).collect(),
        "[rules]\n".repeat(1_500),
        "a = = 1\n".repeat(1_500),
        format!("version = 1\n{}", RULES.replace("\"*\"", "/a").repeat(1_100).replace("effect", "efect")),
        format!(
            "version = 1\n{}",
            RULES.replace("anonymous = true", &format!("issuers = [\"{}\"]", "a".repeat(50_000)))
        ),
        format!("version = 1\n{}", RULES.replace("GET", &"a".repeat(50_000))),
    ] {
        // A few seconds in all; with a loop in a loop, hours.
        assert!(!all_said(&text).is_empty());
    }
}

/// The flow's `[sign_in]`, changed, and what must be said.
#[test]
fn a_sign_in_with_fields_of_its_other_shape_or_of_other_products_is_told_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let said = |text: &str| {
        fs::write(&path, text).unwrap();
        match PolicyFile::load(&path) {
            Ok(_) => String::new(),
            Err(error) => words_of(&error),
        }
    };
    let flow = policy_with_code_flow();
    for (from, to, expected) in [
        (
            "refresh = true",
            "return_parameter = \"back\"",
            "belongs to `[sign_in]` with `url`: remove it here",
        ),
        (
            "refresh = true",
            "url = \"https://login.example.com/\"",
            "write either `url` or `issuer`: remove one",
        ),
        ("client_id = \"files-web\"\n", "", "`[sign_in]` with `issuer` does not have `client_id`"),
        ("cookie_key = { file = \"SIGN_IN_KEY\" }", "", "does not have `cookie_key`"),
        (
            "redirect_path = \"/sign-in/callback\"",
            "callback_path = \"/cb\"",
            "Write `redirect_path = \"/cb\"`",
        ),
        ("redirect_path = \"/sign-in/callback\"", "redirect_path = \"cb\"", "write `\"/cb\"`"),
        (
            "redirect_path = \"/sign-in/callback\"",
            "redirect_uri = \"https://files.example.com/cb\"",
            "did you mean `redirect_path`? Write `redirect_path = \"/cb\"`",
        ),
        (
            "end_session_endpoint = \"https://login.example.com/logout\"",
            "end_session_uri = \"https://login.example.com/logout\"",
            "did you mean `end_session_endpoint`?",
        ),
        (
            "scopes = [\"openid\", \"offline_access\"]",
            "scope = \"openid files\"",
            "did you mean `scopes`? Write `scopes = [\"openid\", \"files\"]`",
        ),
        ("issuer = \"staff\"\nclient_id", "issuer = \"stuff\"\nclient_id", "did you mean `staff`?"),
        ("session_token = \"id_token\"", "session_token = \"id\"", "write `session_token = \"id_token\"`"),
        (
            "client_authentication = \"client_secret_post\"",
            "client_authentication = \"private_key_jwt\"",
            "name the file of the private key",
        ),
        ("end_session = \"cognito\"", "end_session = \"oidc\"", "write `end_session = \"rp_initiated\"`"),
        ("refresh = true", "audience = \"files-api\"", "did you mean `authorization_parameters`?"),
    ] {
        let from = with_key_files(from);
        assert!(flow.contains(&from), "{from}");
        let said = said(&flow.replace(&from, to));
        assert!(said.contains(expected), "{to}: {said}");
    }
    // One slip, one problem.
    for (from, to) in [
        ("redirect_path = \"/sign-in/callback\"", "redirect_uri = \"https://files.example.com/cb\""),
        ("scopes = [\"openid\", \"offline_access\"]", "scope = \"openid files\""),
    ] {
        let said = said(&flow.replace(from, to));
        assert!(said.contains("cannot be used: 1 problem"), "{to}: {said}");
    }
    // The name of an example is not a secret, although it stands where one could.
    let key = with_key_files("cookie_key = { file = \"SIGN_IN_KEY\" }");
    for written in ["cookie_key = \"sign-in.key\"", "cookie_secret = { file = \"sign-in.key\" }"] {
        fs::write(&path, flow.replace(&key, written)).unwrap();
        let error = words_of(&PolicyFile::load(&path).unwrap_err());
        assert!(
            error.contains("rite for example `cookie_key = { file = \"sign-in.key\" }`")
                || error
                    .contains("did you mean `cookie_key`? Write `cookie_key = { file = \"sign-in.key\" }`"),
            "{error}"
        );
        assert!(!error.contains("does not have the right form"), "{error}");
    }
    // A name of a secret of another product: the line is not shown, and the message says what to write.
    fs::write(&path, flow.replace("cookie_key", "cookie_secret")).unwrap();
    let error = words_of(&PolicyFile::load(&path).unwrap_err());
    assert!(error.contains("did you mean `cookie_key`?"), "{error}");
    let redirect = "version = 1\n[sign_in]\norigin = \"https://files.example.com\"\n";
    let needs = "a `[sign_in]` needs `url` (a sign-in of your own) or `issuer` (the code flow)";
    assert!(said(redirect).contains(needs), "{}", said(redirect));
    let scopes = format!("{redirect}url = \"https://login.example.com/\"\nscopes = [\"openid\"]\n");
    assert!(said(&scopes).contains("`scopes` belongs to `[sign_in]` with `issuer`"), "{}", said(&scopes));
}

#[test]
fn a_secret_of_the_sign_in_that_cannot_be_used_does_not_show_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let flow = policy_with_code_flow();
    let key = with_key_files("cookie_key = { file = \"SIGN_IN_KEY\" }");
    for (file, says) in [
        (Some("AAAA"), "a key for cookies is 32 bytes in base64url, and this is 3"),
        (Some("hunter2 hunter2"), "`key` is not 32 bytes in base64url"),
        (Some(""), "and this is 0"),
        (None, "cannot be read"),
    ] {
        if let Some(file) = file {
            fs::write(folder.path().join("key"), file).unwrap();
        } else {
            fs::remove_file(folder.path().join("key")).unwrap();
        }
        fs::write(&path, flow.replace(&key, "cookie_key = { file = \"key\" }")).unwrap();
        let error = words_of(&PolicyFile::load(&path).unwrap_err());
        assert!(error.contains(says), "{error}");
        assert!(error.contains("authorizer keys cookie-key"), "{error}");
        assert!(error.contains("a new key ends everybody's session"), "{error}");
        assert!(error.contains("(line "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    fs::write(&path, flow.replace(&key, &format!("{key}\nprevious_{key}"))).unwrap();
    let error = words_of(&PolicyFile::load(&path).unwrap_err());
    assert!(error.contains("`previous_cookie_key` is the same key as `cookie_key`"), "{error}");
    let loaded = {
        fs::write(&path, &flow).unwrap();
        PolicyFile::load(&path).unwrap()
    };
    let ids: Vec<_> = loaded.warnings().iter().map(|warning| warning.id).collect();
    assert_eq!(ids, ["client-secret-in-zip"]);
    let files = authorizer_policy::files_of(&path);
    assert_eq!(files.len(), 4, "the policy, the keys and two files of the sign-in: {files:?}");
    let stored = String::from_utf8(loaded.bundle_json().to_vec()).unwrap();
    assert!(stored.contains("dGhpcyBpcyBhIHRlc3Qga2V5LCBuZXZlciB1c2UgaXQ"), "{stored}");
    assert!(!stored.contains("sign-in.test-only.key"), "{stored}");
}

#[test]
fn a_key_file_called_dash_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let good = policy();
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/policies/keys/staff.jwks.json");
    assert!(good.contains(keys));
    fs::write(&path, good.replace(keys, "-")).unwrap();
    fs::copy(keys, folder.path().join("-")).unwrap();
    PolicyFile::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
}

#[test]
fn the_files_that_are_changed_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for text in [policy(), policy_with_code_flow()] {
        fs::write(&path, text).unwrap();
        PolicyFile::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
    }
    fs::write(&path, tests()).unwrap();
    TomlFile::<TestsDocument>::load(FileKind::Tests, &path).unwrap_or_else(|error| panic!("{error:?}"));
}

#[test]
fn a_review_does_without_a_secret_whose_file_does_not_exist_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let flow = policy_with_code_flow();
    let key = with_key_files("cookie_key = { file = \"SIGN_IN_KEY\" }");
    let secret = with_key_files("client_secret = { file = \"SIGN_IN_KEY\", encoding = \"text\" }");
    let method = "client_authentication = \"client_secret_post\"\n";
    let cookies = "cookie_key = { file = \"no.key\" }\nprevious_cookie_key = { file = \"older.key\" }";
    for (client, named) in [
        ("client_secret = { file = \"no.secret\", encoding = \"base64\" }", "no.secret"),
        ("client_key = { file = \"no.jwk\" }", "no.jwk"),
    ] {
        let text = flow.replace(&key, cookies).replace(&secret, client);
        let text = if named == "no.jwk" { text.replace(method, "") } else { text };
        fs::write(&path, text).unwrap();
        let loaded = PolicyFile::load_for_review(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let warning = loaded.secrets_not_here().unwrap().to_string();
        for file in ["no.key", "older.key", named] {
            assert!(warning.contains(&format!("`{file}`")), "{warning}");
        }
        let ids = loaded.warnings().iter().filter(|one| one.id == "secret-not-here").count();
        assert_eq!(ids, 1, "one warning for all");
        let error = words_of(&PolicyFile::load(&path).unwrap_err());
        assert!(error.contains("3 problems"), "who decides for viewers needs them: {error}");
    }
    // What is there and cannot be used is an error still, and so is a file of keys that verify tokens.
    fs::write(folder.path().join("bad"), "AAAA").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    for (from, to, says) in [
        (key.as_str(), "cookie_key = { file = \"bad\" }", "and this is 3"),
        (key.as_str(), "cookie_key = { file = \"folder\" }", "is a folder"),
        ("jwks = { file = \"KEYS\" }", "jwks = { file = \"no.json\" }", "cannot be read"),
    ] {
        let from = with_key_files(from);
        assert!(flow.contains(&from), "{from}");
        fs::write(&path, flow.replace(&from, to)).unwrap();
        let error = words_of(&PolicyFile::load_for_review(&path).unwrap_err());
        assert!(error.contains(says), "{error}");
    }
    // All are here: nothing is said.
    fs::write(&path, &flow).unwrap();
    assert!(PolicyFile::load_for_review(&path).unwrap().secrets_not_here().is_none());
}

#[test]
fn several_addresses_of_this_machine_are_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let local = policy_with_code_flow()
        .replace("_endpoint = \"https://login.example.com", "_endpoint = \"http://127.0.0.1:4000");
    fs::write(&path, local).unwrap();
    let loaded = PolicyFile::load(&path).unwrap();
    let of: Vec<_> = loaded.warnings().iter().filter(|one| one.id == "endpoint-of-this-machine").collect();
    assert_eq!(of.len(), 1);
    assert!(of.iter().all(|one| one.message.contains("`sign_in.token_endpoint`")), "{of:?}");
}

/// A session belongs to one host name.
#[test]
fn a_rule_for_other_hosts_than_that_of_the_sign_in_is_a_warning_unless_it_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for (more, is_warned) in [
        ("hosts = [\"downloads.example.com\"]", true),
        ("hosts = [\"downloads.example.com\", \"files.example.com\"]", false),
        ("hosts = [\"*.example.com\"]", false),
        ("hosts = [\"downloads.example.com\"]\nanonymous = true", false),
        ("", false),
    ] {
        let rule = "\n[[rules]]\nid = \"by-host\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"by-host/**\"]\n";
        fs::write(&path, format!("{}{rule}{more}\n", policy_with_code_flow())).unwrap();
        let loaded = PolicyFile::load(&path).unwrap();
        let of: Vec<_> = loaded.warnings().iter().filter(|one| one.id == "hosts-without-sign-in").collect();
        assert_eq!(of.len(), usize::from(is_warned), "{more}");
        for one in of {
            assert!(one.place.ends_with(".hosts") && one.position.is_some(), "{one:?}");
            assert!(
                one.message.contains("`by-host`") && one.message.contains("`files.example.com`"),
                "{one}"
            );
        }
    }
}
