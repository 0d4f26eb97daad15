//! What a person sees when a policy file is wrong: file, line, column, what is wrong, and how to fix it.

use std::fs;
use std::path::Path;

use authorizer_core::Bundle;
use authorizer_policy::{PolicyFile, PolicyFileError};
use miette::{GraphicalReportHandler, GraphicalTheme};

const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

const POLICY: &str = r#"version = 1

[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = { file = "keys.json" }

[[rules]]
id      = "own"
effect  = "allow"
methods = ["GET", "PUT"]
keys    = ["users/{sub}/**"]
when    = { scope = { has = "files" } }

[[rules]]
id        = "public"
effect    = "allow"
methods   = ["GET"]
keys      = ["public/**"]
anonymous = true
"#;

/// An error, as it is shown without colour.
fn shown(error: &PolicyFileError) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(110)
        .render_report(&mut text, error)
        .unwrap();
    text
}

/// The report on a policy.
fn report(policy: &str, keys: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    if let Some(keys) = keys {
        fs::write(folder.path().join("keys.json"), keys).unwrap();
    }
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).unwrap();
    match PolicyFile::load(&path) {
        Ok(_) => "no problem".into(),
        Err(error) => shown(&error).replace(&folder.path().display().to_string(), "DIR"),
    }
}

fn changed(from: &str, to: &str) -> String {
    assert!(POLICY.contains(from), "{from}");
    report(&POLICY.replacen(from, to, 1), Some(KEYS))
}

#[test]
fn a_good_policy_gives_the_same_bundle_in_any_folder() {
    let bundle = || {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("keys.json"), KEYS).unwrap();
        fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
        PolicyFile::load(&folder.path().join("policy.toml")).unwrap().bundle_json().to_vec()
    };
    assert_eq!(bundle(), bundle());
    let read = Bundle::read(&bundle()).unwrap();
    assert_eq!(read.policy().rules().len(), 2);
    assert_eq!(read.policy().rules()[0].keys()[0].to_string(), "users/{sub}/**");
}

#[test]
fn problems_are_shown_at_their_places() {
    let policy = POLICY
        .replace("audience   = [\"files-api\"]\n", "")
        .replace("users/{sub}/**", "users/{sub}**")
        .replace("has = \"files\"", "has = \"files\", present = true")
        .replace("\"public\"", "\"own\"");
    insta::assert_snapshot!(report(&policy, Some(KEYS)));
}

#[test]
fn of_very_many_problems_the_first_are_shown() {
    let mut policy = POLICY.to_owned();
    for index in 0..3000 {
        policy += &format!(
            "[[rules]]\nid = \"r{index}\"\neffect = \"deny\"\nmethods = [\"GET\"]\nkeys = [\"/a\"]\n"
        );
    }
    let report = report(&policy, Some(KEYS));
    assert!(report.contains("3000 problems, of which the first 50 are shown"));
    assert_eq!(report.matches("is not a key pattern").count(), 50);
}

#[test]
fn an_unknown_field_is_shown_at_its_place() {
    insta::assert_snapshot!(changed("anonymous = true", "anonymus = true"));
}

#[test]
fn a_value_of_the_wrong_type_is_shown_at_its_place() {
    insta::assert_snapshot!(changed("methods = [\"GET\", \"PUT\"]", "methods = [\"GET\", \"POST\"]"));
}

#[test]
fn text_that_is_not_toml_is_shown_at_its_place() {
    insta::assert_snapshot!(changed("id      = \"own\"", "id      = \"own"));
}

#[test]
fn a_key_file_that_is_none_is_shown_at_its_place() {
    let private = KEYS.replace("\"x\"", "\"d\":\"AA\",\"x\"");
    let too_short = KEYS.replace("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AA");
    let files = [None, Some("-----BEGIN PUBLIC KEY-----"), Some("{}"), Some(&private), Some(&too_short)];
    insta::assert_snapshot!(files.map(|keys| report(POLICY, keys)).join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = PolicyFile::load(Path::new("/nonexistent/policy.toml")).unwrap_err();
    assert!(missing.to_string().starts_with("`/nonexistent/policy.toml` cannot be read"), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    assert!(PolicyFile::load(folder.path()).is_err());
    let path = folder.path().join("policy.toml");
    fs::write(&path, b"version = \xff").unwrap();
    assert!(PolicyFile::load(&path).unwrap_err().to_string().ends_with("is not UTF-8 text"));
}

/// The result of a policy with an issuer of HS256 tokens, and this text in its secret file.
fn with_secret(secret: &str, file: &[u8]) -> Result<PolicyFile, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("staff.secret"), file).unwrap();
    let policy = POLICY
        .replace("algorithms = [\"EdDSA\"]", "algorithms = [\"HS256\"]")
        .replace("jwks       = { file = \"keys.json\" }", &format!("secret     = {secret}"));
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).unwrap();
    PolicyFile::load(&path).map_err(|error| shown(&error))
}

#[test]
fn a_secret_is_read_as_its_file_holds_it_and_warned_of() {
    let file = r#"{ file = "staff.secret" }"#;
    let base64 = r#"{ file = "staff.secret", encoding = "base64" }"#;
    let bundle = |secret: &str, bytes: &[u8]| with_secret(secret, bytes).unwrap().bundle_json().to_vec();
    let plain = bundle(file, b"a test secret, of thirty-two bytes");
    for line in ["a test secret, of thirty-two bytes\n", "a test secret, of thirty-two bytes\r\n"] {
        assert_eq!(bundle(file, line.as_bytes()), plain);
    }
    assert_ne!(
        bundle(file, b"a test secret, of thirty-two bytes\n\n"),
        plain,
        "only one line end is left out"
    );
    for encoded in
        ["YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw==", "YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw"]
    {
        assert_eq!(bundle(base64, encoded.as_bytes()), plain);
    }
    let loaded = with_secret(file, b"a test secret, of thirty-two bytes").unwrap();
    let [warning] = loaded.warnings() else { panic!("{:?}", loaded.warnings()) };
    assert_eq!(warning.place, "issuers[0].secret");
    assert!(warning.message.contains("everybody who can read the zip has the secret of `staff`"));
}

#[test]
fn an_error_beside_a_secret_does_not_show_it() {
    const SECRET: &str = "YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw";
    let issuer = "[[issuers]]\nname = \"a\"\nissuer = \"https://a/\"\n";
    for (text, place) in [
        (format!("version = 1\n{issuer}[issuers.secret]\nvalue = \"{SECRET}\"\n[[rules]\n"), "line 7"),
        (format!("version = 1\n{issuer}secret = {{ value = \"{SECRET}\" }}\nalgorithms = 5\n"), "line 6"),
        (format!("version = 1\n{issuer}secret = \"\"\"\n{SECRET}\"\"\"\nalgorithms = = 5\n"), "line 7"),
        (format!("version = 1\n{issuer}algorithms = 5\nsecret = {{ value = \"{SECRET}\" }}\n"), "line 5"),
        (
            format!(
                "version = 1\n{issuer}audience = [\"\"]\nsecret = {{ value = \"{SECRET}\" }}\nalgorithms = [\"HS256\"]\n"
            ),
            "issuers[0].secret.value",
        ),
        (format!("version = 1\n[log]\nclaims_salt = \"{SECRET}\nsubject = \"plain\"\n"), "`claims_salt`"),
        (format!("version = 1\n[log]\nclaims_salt = [\"{SECRET}\"]\n"), "`claims_salt`"),
        (format!("version = 1\n[log]\nclaims_salt = \"{SECRET} {SECRET}\"\n"), "log.claims_salt"),
        (format!("version = 1\n[log]\nsubject = \"x\"\nclaims_salt = \"{SECRET}\"\n"), "line 3"),
        // Under a wrong name, or in a wrong place.
        (format!("version = 1\n[log]\nclaim_salt = \"{SECRET}\"\n"), "line 3"),
        (format!("version = 1\n[log]\nclaim_salt = {SECRET}\n"), "line 3"),
        (format!("version = 1\n[log]\nSalt = \"{SECRET}\"\n"), "line 3"),
        (format!("version = 1\n[log] # claims\nkey = \"{SECRET}\"\n"), "line 3"),
        (format!("version = 1\n[ \"log\" ]\nclaims_slat = \"\"\"\n{SECRET}\"\"\"\n"), "line 3"),
        (format!("version = 1\n[log]\nsubject = 5\n# was {SECRET}\n"), "line 3"),
        (format!("version = 1\nlog = {{ key = \"{SECRET}\" }}\n"), "line 2"),
        (format!("version = 1\nlog.key = \"{SECRET}\"\n"), "line 2"),
        (format!("version = 1\n[query]\nsalt = \"{SECRET}\"\n"), "line 3"),
        (format!("version = 1\n[logs]\nsalt = \"{SECRET}\"\n"), "line 2"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, &text).unwrap();
        let shown = format!("{:?}", miette::Report::new(PolicyFile::load(&path).unwrap_err()));
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains(place), "{place}: {shown}");
    }
}

#[test]
fn an_error_in_a_log_without_a_salt_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    for (text, line) in [
        ("version = 1\n[log]\nsubject = \"x\"\n[query]\nignored = [\"salt=\"]\n", "subject = \"x\""),
        ("version = 1\nlog.subject = \"x\"\n", "log.subject = \"x\""),
        ("version = 1\n[query]\nignored = [\"log\", \"basalt\", 5]\n", "ignored = ["),
    ] {
        std::fs::write(&path, text).unwrap();
        let shown = format!("{:?}", miette::Report::new(PolicyFile::load(&path).unwrap_err()));
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_secret_that_cannot_be_used_is_an_error_that_does_not_show_it() {
    for (secret, file, message) in [
        (r#"{ file = "staff.secret" }"#, "too short, really", "the secret has 17 bytes, fewer than the 32"),
        (
            r#"{ file = "staff.secret", encoding = "base64" }"#,
            "too short, really",
            "the file is not in base64",
        ),
        (r#"{ file = "elsewhere" }"#, "", "cannot be read"),
        (r#"{ value = "YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw" }"#, "", "it is in the policy itself"),
        (r#"{}"#, "", "a secret must come from one file"),
        (r#"{ file = "staff.secret", encoding = "hex" }"#, "", "`secret` does not have the right form"),
        (
            r#"{ value = 7, key = "YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw" }"#,
            "",
            "`secret` does not have the right form",
        ),
        (r#""YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw""#, "", "`secret` does not have the right form"),
        (r#"YSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw"#, "", "`secret` does not have the right form"),
        (
            "\"\"\"\nYSB0ZXN0IHNlY3JldCwgb2YgdGhpcnR5LXR3byBieXRlcw\"\"\"",
            "",
            "`secret` does not have the right form",
        ),
    ] {
        let report = with_secret(secret, file.as_bytes()).unwrap_err();
        // A long path breaks the line.
        let words: Vec<_> = report.split_whitespace().filter(|word| *word != "│").collect();
        assert!(words.join(" ").contains(message), "{secret}: {report}");
        assert!(!report.contains("too short, really") && !report.contains("YSB0ZXN0"), "{report}");
    }
}

#[test]
fn keys_that_are_asked_for_on_this_machine_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    for (url, warnings) in [("http://127.0.0.1:4000/jwks", 1), ("https://login.example.com/jwks", 0)] {
        fs::write(&path, POLICY.replace("file = \"keys.json\"", &format!("url = \"{url}\""))).unwrap();
        assert_eq!(PolicyFile::load(&path).unwrap().warnings().len(), warnings, "{url}");
    }
}

#[test]
fn a_time_of_the_token_in_a_key_or_in_metadata_is_warned_of() {
    for (keys, upload, places) in [
        (
            r#"["a/**"]"#,
            "metadata = { until = \"{exp}\", owner = \"{sub}\" }",
            vec!["rules[0].upload.metadata.until"],
        ),
        (r#"["a/{sub}", "{iat}/**"]"#, "max_bytes = 7", vec!["rules[0].keys[1]"]),
        (r#"["a/{sub}"]"#, "metadata = { owner = \"{sub}\" }", vec![]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let policy = format!(
            "version = 1\n[[issuers]]\nname = \"i\"\nissuer = \"i\"\naudience = [\"a\"]\n\
             algorithms = [\"EdDSA\"]\njwks = {{ url = \"https://login.example.com/jwks\" }}\n\
             [[rules]]\nid = \"up\"\neffect = \"allow\"\nmethods = [\"PUT\"]\nkeys = {keys}\n\
             upload = {{ {upload} }}\n"
        );
        fs::write(&path, policy).unwrap();
        let loaded = PolicyFile::load(&path).unwrap();
        let warned: Vec<_> = loaded.warnings().iter().map(|warning| warning.place.as_str()).collect();
        assert_eq!(warned, places, "{keys} {upload}");
    }
}

#[test]
fn a_member_with_a_space_is_warned_of_because_a_string_never_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let rule = "\n[[rules]]\nid = \"a\"\neffect = \"deny\"\nmethods = [\"GET\"]\nkeys = [\"**\"]\n";
    let issuer = POLICY
        .split("\n[[rules]]")
        .next()
        .unwrap()
        .replace("file = \"keys.json\"", "url = \"https://a.example/keys\"");
    for (member, warned) in [("Domain Users", true), (" ", true), ("Domain-Users", false)] {
        let when = format!("when = {{ groups = {{ has = \"{member}\" }} }}\n");
        fs::write(&path, format!("{issuer}{rule}{when}")).unwrap();
        let loaded = PolicyFile::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let places: Vec<_> = loaded.warnings().iter().map(|warning| warning.place.as_str()).collect();
        let expected: &[&str] = if warned { &["rules[0].when.groups.has"] } else { &[] };
        assert_eq!(places, expected, "{member}");
        for warning in loaded.warnings() {
            assert!(warning.message.contains("only if `groups` is an array"), "{}", warning.message);
        }
    }
}

#[test]
fn an_address_that_has_no_keys_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    for (url, warned) in [
        ("https://a.example", true),
        ("https://a.example/", true),
        ("https://a.example/pool/.well-known/openid-configuration", true),
        ("https://a.example/.well-known/oauth-authorization-server", true),
        ("https://a.example/.well-known/jwks.json", false),
        ("https://a.example/keys", false),
    ] {
        fs::write(&path, POLICY.replace("file = \"keys.json\"", &format!("url = \"{url}\""))).unwrap();
        let loaded = PolicyFile::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let ids: Vec<_> = loaded.warnings().iter().map(|warning| warning.id).collect();
        assert_eq!(ids.contains(&"address-without-keys"), warned, "{url}: {ids:?}");
    }
}

#[test]
fn a_claim_that_reads_like_a_path_is_warned_of_at_each_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(folder.path().join("keys.json"), KEYS).unwrap();
    for (name, warned) in [
        ("realm_access.roles", true),
        ("resource_access.files-app.roles", true),
        ("app_metadata.tenant", true),
        ("app_metadata.org", true),
        ("realm_access/roles", true),
        ("realm_access[0]", true),
        (".roles", true),
        ("https://example.com/roles", false),
        ("jwt:sub", true),
        ("claims.sub", true),
        ("$.sub", true),
        ("jwt.claims.sub", true),
        ("JWT:cognito:groups", true),
        ("cognito-identity.amazonaws.com:sub", true),
        ("sub|lower", true),
        ("a,b", true),
        ("@sub", true),
        ("oidc.circleci.com/project-id", false),
        ("auth.example.com/roles", false),
        ("user.example.com", false),
        ("cognito:groups", false),
        ("custom:tenant", false),
        ("urn:zitadel:iam:org:project:roles", false),
        ("kubernetes.io", false),
        ("urn:example:a.b", false),
        ("roles", false),
    ] {
        let policy = POLICY
            .replace("jwks       =", &format!("required   = {{ \"{name}\" = \"a\" }}\njwks       ="))
            .replace("users/{sub}/**", &format!("users/{{{name}}}/**"))
            .replace("scope = { has = \"files\" }", &format!("\"{name}\" = {{ has = \"files\" }}"))
            .replace(
                "when    =",
                &format!("upload  = {{ metadata = {{ owner = \"{{{name}}}\" }} }}\nwhen    ="),
            );
        fs::write(&path, policy).unwrap();
        let loaded = PolicyFile::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let mut places: Vec<_> = loaded.warnings().iter().map(|warning| warning.place.clone()).collect();
        places.sort();
        let expected = [
            format!("issuers[0].required.{name}"),
            "rules[0].keys[0]".to_owned(),
            "rules[0].upload.metadata.owner".to_owned(),
            format!("rules[0].when.{name}"),
        ];
        assert_eq!(places, if warned { expected.to_vec() } else { Vec::new() }, "{name}");
        assert!(loaded.warnings().iter().all(|warning| warning.message.contains(name)), "{name}");
    }
}

#[test]
fn a_path_to_a_claim_within_a_claim_can_stand_wherever_a_claim_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(folder.path().join("keys.json"), KEYS).unwrap();
    let load = |name: &str| {
        let policy = POLICY
            .replace("jwks       =", &format!("required   = {{ \"{name}\" = \"a\" }}\njwks       ="))
            .replace("users/{sub}/**", &format!("users/{{{name}}}/**"))
            .replace("scope = { has = \"files\" }", &format!("\"{name}\" = {{ starts_with = \"files\" }}"))
            .replace(
                "when    =",
                &format!("upload  = {{ metadata = {{ owner = \"{{{name}}}\" }} }}\nwhen    ="),
            );
        fs::write(&path, policy).unwrap();
        PolicyFile::load(&path)
    };
    for name in ["/realm_access/roles", "/kubernetes.io/namespace", "/https:~1~1a.example~1b/c~0d", "/~1name"]
    {
        let loaded = load(name).unwrap_or_else(|error| panic!("{error:?}"));
        assert!(loaded.warnings().is_empty(), "{name}: {:?}", loaded.warnings());
    }
    // What the warning shows can be written so.
    for name in ["realm_access.roles", "realm_access/roles", ".roles.a", "https://example.com/claims.role"] {
        let loaded = load(name).unwrap_or_else(|error| panic!("{error:?}"));
        let message = &loaded.warnings().first().expect("a warning").message;
        let shown =
            message.split("written `").nth(1).and_then(|rest| rest.split('`').next()).expect("a path");
        let loaded = load(shown).unwrap_or_else(|error| panic!("{shown}: {error:?}"));
        assert!(loaded.warnings().is_empty(), "{shown}: {:?}", loaded.warnings());
    }
    let loaded = load("/groups/0").unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(loaded.warnings().len(), 4, "{:?}", loaded.warnings());
    assert!(loaded.warnings()[0].message.contains("not a place in an array"));
    for (name, says) in [
        ("/roles", "has only one name"),
        ("/sub", "has only one name"),
        ("/a//b", "has an empty name"),
        ("/a/", "has an empty name"),
        ("/a~2/b", "must be `~0` or `~1`"),
        ("/sub/a", "is never an object"),
        ("/scope/a", "is never an object"),
    ] {
        let report = shown(&load(name).unwrap_err());
        // On one line, whatever breaks it for the width of a terminal.
        let words = report.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert_eq!(words.matches(says).count(), 4, "{name}: {report}");
    }
}

#[test]
fn a_beginning_is_not_empty_and_the_only_test() {
    for (test, says) in [
        ("starts_with = \"\"", "every text begins with an empty `starts_with`"),
        ("starts_with = \"a\", has = \"a\"", "must have exactly one test"),
        ("starts_with = 7", "must be one text in quotes"),
        ("startswith = \"a\"", "starts_with"),
    ] {
        let report = changed("has = \"files\"", test);
        assert!(report.contains(says), "{report}");
    }
    assert_eq!(changed("has = \"files\"", "starts_with = \"repo:octo/site:\""), "no problem");
}

#[test]
fn a_finding_is_not_accepted_without_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(folder.path().join("keys.json"), KEYS).unwrap();
    for (reason, is_good) in [("", false), (" \t", false), ("three people have this role", true)] {
        let accepted =
            format!("\n[[accepted]]\nfinding = \"EA010\"\nrule = \"own\"\nreason = \"{reason}\"\n");
        fs::write(&path, format!("{POLICY}{accepted}")).unwrap();
        match PolicyFile::load(&path) {
            Ok(_) => assert!(is_good, "{reason:?}"),
            Err(error) => {
                let shown = shown(&error);
                assert!(
                    !is_good && shown.contains("an accepted finding has no reason"),
                    "{reason:?}: {shown}"
                );
                assert!(shown.contains("accepted[0].reason"), "{shown}");
            }
        }
    }
}
