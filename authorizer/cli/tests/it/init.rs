//! `authorizer init`: every first policy is one that can be built on.

use std::fs;
use std::path::Path;

use crate::harness::{Done, command_in};

/// The providers, and what they need to be given.
const PROVIDERS: [(&str, &[&str]); 8] = [
    (
        "cognito",
        &[
            "--issuer",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
            "--client-id",
            "1example",
        ],
    ),
    ("auth0", &["--issuer", "https://example.eu.auth0.com/", "--audience", "files-api"]),
    ("okta", &["--issuer", "https://example.okta.com/oauth2/default", "--audience", "files-api"]),
    (
        "entra",
        &[
            "--issuer",
            "https://login.microsoftonline.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0",
            "--audience",
            "11111111-2222-3333-4444-555555555555",
        ],
    ),
    ("google", &["--audience", "1234-example.apps.googleusercontent.com"]),
    ("keycloak", &["--issuer", "https://login.example.com/realms/staff", "--audience", "files"]),
    ("github", &["--audience", "https://files.example.com"]),
    (
        "generic",
        &[
            "--issuer",
            "https://login.example.com/",
            "--audience",
            "files-api",
            "--jwks-url",
            "https://login.example.com/jwks.json",
        ],
    ),
];

const PATTERNS: [&str; 5] = ["per-user", "public", "tenants", "drop-box", "artifacts"];

fn run_in(folder: &Path, arguments: &[&str]) -> Done {
    Done::of(&mut command_in(folder, arguments))
}

fn init(folder: &Path, provider: &str, pattern: &str, more: &[&str]) -> Done {
    run_in(folder, &[&["init", "files", "--provider", provider, "--pattern", pattern], more].concat())
}

#[test]
fn every_first_policy_is_valid_is_tested_whole_and_has_no_findings() {
    for (provider, needs) in PROVIDERS {
        for pattern in PATTERNS {
            let folder = tempfile::tempdir().unwrap();
            let made = init(folder.path(), provider, pattern, needs);
            assert_eq!(made.code, 0, "{provider} {pattern}: {}", made.err);
            for command in [
                &["check", "files/policy.toml"][..],
                &["test", "--policy", "files/policy.toml", "--min-coverage", "100"],
                &["audit", "findings", "files/policy.toml"],
            ] {
                let done = run_in(folder.path(), command);
                let said = format!("{provider} {pattern} {command:?}: {}{}", done.out, done.err);
                assert_eq!(done.code, 0, "{said}");
                assert!(!done.err.contains("warning"), "{said}");
            }
        }
    }
}

#[test]
fn the_provider_data_has_a_starter_for_each_name_that_is_offered() {
    let help = run_in(Path::new("."), &["init", "--help"]).out;
    for (provider, _) in PROVIDERS {
        assert!(help.contains(provider), "{provider}: {help}");
    }
}

#[test]
fn what_is_missing_is_said_all_at_once_where_nobody_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let done = run_in(folder.path(), &["init"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
    for part in [
        "`--provider`, `--pattern`, `--issuer`, `--audience`, `--jwks-url` are missing",
        "one of cognito, auth0",
    ] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    let done = run_in(folder.path(), &["init", "--provider", "cognito", "--pattern", "public"]);
    for part in
        ["`--issuer`, `--client-id` are missing", "https://cognito-idp.{region}.amazonaws.com/{user pool}"]
    {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is written");
}

#[test]
fn an_issuer_of_another_provider_and_a_value_that_no_policy_takes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (provider, more, word) in [
        (
            "auth0",
            &["--issuer", "https://login.example.com/", "--audience", "a"][..],
            "`https://login.example.com/` is no issuer of Auth0",
        ),
        (
            "generic",
            &[
                "--issuer",
                "https://login.example.com/",
                "--audience",
                "a",
                "--jwks-url",
                "http://login.example.com/k",
            ],
            "`http://login.example.com/k`",
        ),
        (
            "generic",
            &["--issuer", "", "--audience", "a", "--jwks-url", "https://login.example.com/k"],
            "the policy would not be valid",
        ),
    ] {
        let done = init(folder.path(), provider, "public", more);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains(word), "{word}: {}", done.err);
    }
    assert!(!folder.path().join("files").exists(), "nothing is written");
}

#[test]
fn nothing_is_replaced() {
    for name in ["policy.toml", "policy.tests.toml"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::write(folder.path().join("files").join(name), "mine").unwrap();
        let done = init(folder.path(), "github", "artifacts", &["--audience", "files"]);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains("already exists"), "{}", done.err);
        assert_eq!(fs::read_dir(folder.path().join("files")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(folder.path().join("files").join(name)).unwrap(), "mine");
    }
    // Somebody else's list of ignored files stays.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/.gitignore"), "mine").unwrap();
    let done = init(folder.path(), "github", "artifacts", &["--audience", "files"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("stays as it is"), "{}", done.out);
    assert_eq!(fs::read_to_string(folder.path().join("files/.gitignore")).unwrap(), "mine");
}

#[test]
fn both_fields_that_say_who_tokens_are_for_are_written() {
    for (provider, more, fields) in [
        ("google", &["--audience", "a", "--client-id", "c"][..], [Some("a"), Some("c")]),
        ("google", &["--audience", "a"], [Some("a"), None]),
        (
            "cognito",
            &[PROVIDERS[0].1, &["--audience", "https://files.example.com"]].concat(),
            [Some("https://files.example.com"), Some("1example")],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let done = init(folder.path(), provider, "public", more);
        assert_eq!(done.code, 0, "{}", done.err);
        let policy = fs::read_to_string(folder.path().join("files/policy.toml")).unwrap();
        let policy: toml::Table = policy.parse().unwrap();
        let issuer = policy["issuers"][0].as_table().unwrap();
        let written = ["audience", "client_id"].map(|field| issuer.get(field)?.as_array()?.first()?.as_str());
        assert_eq!(written, fields, "{provider} {more:?}");
    }
    // Its tokens have an audience, so a client alone would refuse them all.
    let folder = tempfile::tempdir().unwrap();
    let done = init(folder.path(), "google", "public", &["--client-id", "c"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("`--audience` is missing"), "{}", done.err);
}

#[test]
fn values_are_quoted_as_toml_whatever_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let odd = "a\"b\\c\n[[rules]]";
    let done = init(folder.path(), "github", "artifacts", &["--audience", odd]);
    assert_eq!(done.code, 0, "{}", done.err);
    let policy: toml::Table =
        fs::read_to_string(folder.path().join("files/policy.toml")).unwrap().parse().unwrap();
    assert_eq!(policy["issuers"][0]["audience"][0].as_str(), Some(odd));
}

#[test]
fn a_token_by_the_policy_is_one_that_the_policy_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (provider, needs) = PROVIDERS[0];
    assert_eq!(init(folder.path(), provider, "per-user", needs).code, 0);
    let made = run_in(folder.path(), &["token", "keygen", "dev", "--algorithm", "RS256"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let policy = folder.path().join("files/policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    // The key of the test in the place of the provider's.
    let url =
        "url = \"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE/.well-known/jwks.json\"";
    assert!(text.contains(url), "{text}");
    fs::write(&policy, text.replace(url, "file = \"../dev.jwks.json\"")).unwrap();
    let mint = |more: &[&str]| {
        let fixed = ["token", "mint", "--key", "dev.private.pem", "--policy", "files/policy.toml"];
        run_in(folder.path(), &[&fixed[..], more].concat())
    };
    for more in [
        &["--subject", "alice"][..],
        &["--issuer", "cognito"],
        &["--issuer", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"],
    ] {
        let token = mint(more);
        assert_eq!(token.code, 0, "{}", token.err);
        let inspected = Done::of(
            command_in(folder.path(), &["token", "inspect", "-", "--policy", "files/policy.toml"])
                .write_stdin(token.out),
        );
        assert_eq!(inspected.code, 0, "{}{}", inspected.out, inspected.err);
    }
    // One RSA key signs with several algorithms; a key of another kind with none of the issuer's.
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replace("[\"RS256\"]", "[\"PS384\", \"RS256\"]")).unwrap();
    let token = mint(&[]);
    let header = token.out.split('.').next().unwrap();
    let header = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).unwrap();
    assert!(String::from_utf8(header).unwrap().contains("PS384"), "{}", token.err);
    fs::write(&policy, &text).unwrap();
    let own = run_in(folder.path(), &["token", "keygen", "other", "--algorithm", "ES256"]);
    assert_eq!(own.code, 0, "{}", own.err);
    let other = ["token", "mint", "--key", "other.private.pem", "--policy", "files/policy.toml"];
    let refused = run_in(folder.path(), &other);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("ES256, which is none of the `algorithms` of issuer `cognito`"),
        "{}",
        refused.err
    );

    // What is given stays, whether or not the policy takes it.
    let token = mint(&["--claim", "token_use=id"]);
    let inspected = Done::of(
        command_in(folder.path(), &["token", "inspect", "-", "--policy", "files/policy.toml"])
            .write_stdin(token.out),
    );
    assert_eq!(inspected.code, 1, "{}{}", inspected.out, inspected.err);
    let other = mint(&["--issuer", "okta"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains("its issuers are: cognito"), "{}", other.err);
}
