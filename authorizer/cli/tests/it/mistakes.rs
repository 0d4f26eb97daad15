//! Typical mistakes in the policy of the tutorial, and what its author is told: each has a snapshot of the whole text,
//! which someone who is no programmer must be able to act on.

use std::fs;
use std::path::Path;

use crate::harness::{Done, ROOT, authorizer, command_in};

/// The policy of the tutorial, as it is at its end.
const ISSUER: &str = r#"version = 1

[[issuers]]
name       = "cognito"
issuer     = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"
client_id  = ["1example23456789"]
algorithms = ["RS256"]
jwks       = { url = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json" }
required   = { token_use = "access" }

"#;

/// The block of the tutorial that begins with `[cors]`.
fn policy() -> String {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/tutorial.md")).unwrap();
    let block = page.split("```toml\n").find(|block| block.starts_with("[cors]")).unwrap();
    format!("{ISSUER}{}", block.split("```").next().unwrap())
}

/// Each mistake: its name, what is changed, and into what.
const MISTAKES: &[(&str, &[(&str, &str)])] = &[
    // The shape of a value.
    ("equals_with_a_list", &[("{ has = \"admins\" }", "{ equals = [\"admins\", \"owners\"] }")]),
    ("has_with_a_list", &[("{ has = \"admins\" }", "{ has = [\"admins\", \"owners\"] }")]),
    ("when_with_a_text", &[("{ \"cognito:groups\" = { has = \"admins\" } }", "\"group = admins\"")]),
    ("a_condition_without_a_test", &[("{ has = \"admins\" }", "\"admins\"")]),
    ("a_condition_that_is_a_list", &[("{ has = \"admins\" }", "[\"admins\"]")]),
    ("a_list_left_out", &[("operations = [\"ListObjectsV2\"]", "operations = \"list\"")]),
    ("methods_in_one_text", &[("methods    = [\"GET\", \"PUT\"]", "methods    = \"GET, PUT\"")]),
    ("keys_without_brackets", &[("[\"public/**\"]", "\"public/**\"")]),
    ("a_truth_in_quotes", &[("anonymous = true", "anonymous = \"true\"")]),
    ("a_truth_in_other_words", &[("anonymous = true", "anonymous = yes")]),
    ("a_truth_in_capitals", &[("anonymous = true", "anonymous = True")]),
    ("a_number_in_quotes", &[("version = 1", "version = \"1\"")]),
    ("one_audience_without_brackets", &[("[\"1example23456789\"]", "\"1example23456789\"")]),
    (
        "jwks_with_the_address_alone",
        &[(
            "{ url = \"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json\" }",
            "\"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json\"",
        )],
    ),
    (
        "a_host_with_a_scheme",
        &[(
            "keys      = [\"public/**\"]",
            "keys      = [\"public/**\"]\nhosts     = [\"https://Files.example.com/\"]",
        )],
    ),
    (
        "hosts_of_a_deny_rule",
        &[(
            "anonymous = true",
            "anonymous = true\n\n[[rules]]\nid      = \"no-drafts\"\neffect  = \"deny\"\nmethods = [\"GET\"]\nkeys    = \
             [\"public/drafts/**\"]\nhosts   = [\"files.example.com\"]",
        )],
    ),
    (
        "a_time_in_seconds",
        &[("keys      = [\"public/**\"]", "keys      = [\"public/**\"]\nnot_after = 1798761600")],
    ),
    (
        "a_date_without_quotes",
        &[("keys      = [\"public/**\"]", "keys      = [\"public/**\"]\nnot_after = 2026-12-31")],
    ),
    (
        "a_date_without_a_time",
        &[("keys      = [\"public/**\"]", "keys      = [\"public/**\"]\nnot_after = \"2026-12-31\"")],
    ),
    (
        "a_duration",
        &[("algorithms = [\"RS256\"]", "algorithms = [\"RS256\"]\nmax_lifetime_seconds = \"1h\"")],
    ),
    ("a_size_with_a_space", &[("\"10MB\"", "\"10 mb\"")]),
    ("a_size_without_quotes", &[("\"10MB\"", "10MB")]),
    // Blocks and names.
    ("single_brackets", &[("[[rules]]\nid        = \"anyone", "[rules]\nid        = \"anyone")]),
    ("single_brackets_everywhere", &[("[[rules]]", "[rules]")]),
    ("a_block_in_the_singular", &[("[[rules]]", "[[rule]]")]),
    ("double_brackets_for_one", &[("[cors]", "[[cors]]")]),
    ("a_name_that_needs_quotes", &[("\"cognito:groups\"", "cognito:groups")]),
    ("a_field_in_the_singular", &[("methods    =", "method     =")]),
    ("the_issuer_of_a_rule", &[("keys    = [\"**\"]", "keys    = [\"**\"]\nissuer  = \"cognito\"")]),
    ("another_name_for_when", &[("when    = { \"cognito:groups\"", "conditions = { \"cognito:groups\"")]),
    (
        "another_name_for_when_and_no_test",
        &[(
            "when    = { \"cognito:groups\" = { has = \"admins\" } }",
            "conditions = { \"cognito:groups\" = \"admins\" }",
        )],
    ),
    (
        "another_name_for_jwks",
        &[(
            "jwks       = { url = \"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json\" }",
            "jwks_uri = { url = \"https://login.example.com/jwks.json\" }",
        )],
    ),
    (
        "another_name_for_upload",
        &[(
            "upload     = { max_bytes = \"10MB\", content_types = [\"image/*\"] }",
            "uploads = { max_bytes = \"10MB\", content_types = [\"image/*\"] }",
        )],
    ),
    ("a_field_of_another_name", &[("keys      = [\"public/**\"]", "path      = \"/public/*\"")]),
    (
        "a_field_of_upload_beside_it",
        &[("upload     = { max_bytes = \"10MB\", content_types = [\"image/*\"] }", "max_bytes  = \"10MB\"")],
    ),
    (
        "a_field_that_is_missing",
        &[("effect    = \"allow\"\nmethods   = [\"GET\"]\n", "methods   = [\"GET\"]\n")],
    ),
    ("a_field_twice", &[("anonymous = true", "anonymous = true\nmethods   = [\"HEAD\"]")]),
    ("the_version_left_out", &[("version = 1\n\n", "")]),
    // Words.
    ("post_in_methods", &[("[\"GET\", \"PUT\"]", "[\"GET\", \"POST\"]")]),
    ("list_in_methods", &[("[\"GET\", \"PUT\"]", "[\"GET\", \"PUT\", \"LIST\"]")]),
    ("a_method_in_lower_case", &[("[\"DELETE\"]", "[\"delete\"]")]),
    (
        "an_operation_of_iam",
        &[("operations = [\"ListObjectsV2\"]", "operations = [\"s3:ListBucket\", \"s3:DeleteObject\"]")],
    ),
    (
        "an_operation_as_a_method",
        &[("methods = [\"DELETE\"]", "methods = [\"s3:DeleteObject\", \"DeleteObject\"]")],
    ),
    ("another_word_for_the_effect", &[("effect  = \"allow\"", "effect  = \"Permit\"")]),
    ("an_algorithm_in_lower_case", &[("[\"RS256\"]", "[\"rs256\"]")]),
    ("a_word_without_quotes", &[("effect  = \"allow\"", "effect  = allow")]),
    // Values.
    ("a_key_with_a_leading_slash", &[("\"public/**\"", "\"/public/**\"")]),
    ("a_claim_as_in_a_shell", &[("users/{sub}/**", "users/${sub}/**")]),
    ("a_claim_as_in_a_template", &[("users/{sub}/**", "users/{{sub}}/**")]),
    ("a_claim_within_a_segment", &[("users/{sub}/**", "users/user-{sub}/**")]),
    ("a_regular_expression", &[("\"public/**\"", "\"public/.+[.]jpg\"")]),
    ("an_origin_without_a_scheme", &[("\"https://photos.example.com\"", "\"photos.example.com/\"")]),
    ("a_media_type_by_its_ending", &[("\"image/*\"", "\".png\"")]),
    ("a_claim_in_a_rule_for_everyone", &[("\"public/**\"", "\"public/{sub}/**\"")]),
    ("an_issuer_that_there_is_not", &[("keys    = [\"**\"]", "keys    = [\"**\"]\nissuers = [\"congito\"]")]),
    // What is not TOML.
    ("a_text_that_is_not_closed", &[("\"admins-delete\"", "\"admins-delete")]),
    ("a_list_that_is_not_closed", &[("[\"GET\", \"PUT\"]", "[\"GET\", \"PUT\"")]),
    ("a_colon_for_an_equals_sign", &[("effect    = \"allow\"", "effect: \"allow\"")]),
    ("quotes_of_a_word_processor", &[("\"admins-delete\"", "“admins-delete”")]),
    ("a_comment_of_another_language", &[("[cors]", "// pages\n[cors]")]),
    ("a_comma_that_is_missing", &[("[\"GET\", \"PUT\"]", "[\"GET\" \"PUT\"]")]),
    // Several at once.
    (
        "several_mistakes_at_once",
        &[
            ("methods    = [\"GET\", \"PUT\"]", "method     = \"get\""),
            ("\"10MB\"", "\"10 mb\""),
            ("anonymous = true", "anonymous = \"yes\""),
            ("\"public/**\"", "\"/public/**\""),
            ("{ has = \"admins\" }", "{ equals = [\"admins\"] }"),
        ],
    ),
    (
        "a_name_without_quotes_and_others",
        &[
            ("\"cognito:groups\"", "cognito:groups"),
            ("operations = [\"ListObjectsV2\"]", "operations = [\"LIST\"]"),
            ("origins = [", "origin = ["),
        ],
    ),
];

/// What is valid, and does something in silence.
const SILENT: &[(&str, &[(&str, &str)])] = &[
    ("a_star_alone", &[("[\"**\"]", "[\"*\"]")]),
    ("a_claim_with_a_dollar", &[("users/{sub}/**", "users/$sub/**")]),
    ("a_claim_as_a_shell_writes_it", &[("users/{sub}/**", "users/$(sub)/**")]),
    ("a_claim_of_a_token_by_name", &[("users/{sub}/**", "users/{jwt:sub}/**")]),
    ("a_claim_of_claims", &[("users/{sub}/**", "users/{claims.sub}/**")]),
    ("a_claim_as_iam_writes_it", &[("users/{sub}/**", "users/{cognito-identity.amazonaws.com:sub}/**")]),
    ("an_arn", &[("public/**", "arn:aws:s3:::photos/public/**")]),
    ("the_host_of_a_bucket", &[("public/**", "photos.s3.eu-west-1.amazonaws.com/public/**")]),
    ("a_regular_expression", &[("public/**", "^public/.*$")]),
    ("a_media_type_that_does_not_exist", &[("\"image/*\"", "\"image/jpg\"")]),
    ("a_claim_that_is_misspelt", &[("\"cognito:groups\"", "\"cognito:group\"")]),
    ("a_claim_that_the_provider_does_not_give", &[("\"cognito:groups\"", "groups")]),
    (
        "a_condition_that_no_token_meets",
        &[("{ \"cognito:groups\" = { has = \"admins\" } }", "{ token_use = { equals = \"id\" } }")],
    ),
    ("a_rule_that_nobody_can_match", &[("keys    = [\"**\"]", "keys    = [\"{exp}/**\"]")]),
    (
        "the_scheme_as_a_token_type",
        &[("algorithms = [\"RS256\"]", "algorithms = [\"RS256\"]\ntoken_type = \"Bearer\"")],
    ),
];

fn checked(changes: &[(&str, &str)]) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let mut text = policy();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(folder.path().join("policy.toml"), text).unwrap();
    Done::of(&mut command_in(folder.path(), &["check", "policy.toml"]))
}

/// No word of a parser, and no place that only the repository has.
fn assert_plain(name: &str, text: &str) {
    for word in
        ["expected", "invalid type", "variant", "unknown field", "missing field", "serde", "docs/", "Error:"]
    {
        assert!(!text.contains(word), "{name}: {word}\n{text}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_to_write_instead() {
    assert!(MISTAKES.len() >= 40);
    let good = checked(&[]);
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{}", good.err);
    for (name, changes) in MISTAKES {
        let done = checked(changes);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{name}: {}", done.err);
        assert_plain(name, &done.err);
        assert!(done.err.contains("policy.toml:"), "{name}: {}", done.err);
        assert!(done.err.contains("help: "), "{name}: {}", done.err);
        insta::assert_snapshot!(format!("mistake_{name}"), done.err);
    }
}

#[test]
fn what_a_policy_does_in_silence_is_warned_of() {
    for (name, changes) in SILENT {
        let done = checked(changes);
        assert_eq!(done.code, 0, "{name}: {}", done.err);
        assert!(done.err.contains("policy.toml:"), "{name}: nothing is said");
        assert_plain(name, &done.err);
        insta::assert_snapshot!(format!("silent_{name}"), done.err);
    }
}

/// Mistakes in a file of tests, beside the sample policy.
const TESTS: &[(&str, &str)] = &[
    (
        "a_test_without_expect",
        "version = 1\n\n[[tests]]\nname = \"a\"\nmethod = \"GET\"\nkey = \"a\"\nanonymous = true\nnow = \"2027-01-15T08:00:00Z\"\n",
    ),
    (
        "several_mistakes_of_tests",
        "version = 1\n\n[default]\nnow = 2027-01-15T08:00:00Z\n\n[[test]]\nname = \"a\"\nmethods = [\"GET\"]\nkeys = [\"a\"]\n\
         anonymous = \"true\"\nexpect = \"deny\"\nstatus = \"403\"\nupload = { bytes = \"10 mb\" }\n\
         operation = \"s3:GetObject\"\n",
    ),
    (
        "tests_in_single_brackets",
        "version = 1\n\n[tests]\nname = \"a\"\nmethod = \"GET\"\nkey = \"a\"\nexpect = \"allow\"\nanonymous = true\nnow = \"2027-01-15T08:00:00Z\"\n",
    ),
    (
        "claims_as_a_text",
        "version = 1\n\n[[tests]]\nname = \"a\"\nclaims = \"sub = alice\"\nmethod = \"GET\"\nkey = \"a\"\nexpect = \"allow\"\n",
    ),
];

#[test]
fn a_mistake_in_a_file_of_tests_is_told_in_the_same_way() {
    for (name, text) in TESTS {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.tests.toml"), text).unwrap();
        let policy = Path::new(ROOT).canonicalize().unwrap().join("fixtures/policies/sample.toml");
        let arguments = ["test", "--policy", policy.to_str().unwrap(), "a.tests.toml"];
        let done = Done::of(&mut command_in(folder.path(), &arguments));
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{name}: {}", done.err);
        assert_plain(name, &done.err);
        insta::assert_snapshot!(format!("mistake_{name}"), done.err);
    }
}

#[test]
fn the_references_are_in_the_program() {
    for (topic, says) in [
        (vec!["help", "policy"], "# The policy"),
        (vec!["help", "policy", "conditions"], "### Conditions"),
        (vec!["help", "tests"], "# Test a policy"),
        (vec!["help", "deploy", "logs"], "Regions"),
        (vec!["help", "EA069"], "media-type-unknown"),
        (vec!["help", "check"], "Usage: authorizer check"),
        (vec!["help", "audit", "diff"], "Usage: authorizer audit diff"),
        (vec!["help"], "Usage: authorizer"),
    ] {
        let done = authorizer(&topic);
        assert_eq!(done.code, 0, "{topic:?}: {}", done.err);
        assert!(done.out.contains(says), "{topic:?}: {}", done.out);
    }
    let done = authorizer(&["help", "polcy"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("did you mean `authorizer help policy`"), "{}", done.err);
}
