//! `authorizer audit`, as a person and a program meet it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_sarif::sarif::Sarif;
use tempfile::TempDir;

use crate::harness::{Done, NOW, ROOT, authorizer};
use crate::sarif::schema;

fn findings(arguments: &[&str]) -> Done {
    authorizer(&[&["audit", "findings", "--now", NOW], arguments].concat())
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&findings(&[&["--format", "json"], arguments].concat()).out).unwrap()
}

fn fixture(check: &str, name: &str) -> String {
    format!("fixtures/audit/findings/{check}/{name}.toml")
}

#[test]
fn a_person_is_told_where_what_why_and_how_to_mend_it() {
    let Done { code, out, err } = findings(&["fixtures/policies/sample.toml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn a_finding_that_is_accepted_is_told_with_its_reason() {
    let Done { code, out, .. } = findings(&["--fail-on", "low", &fixture("EA140", "quiet")]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out);
}

#[test]
fn a_program_is_told_the_same() {
    let report = json(&[&fixture("EA021", "triggers")]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn the_exit_says_whether_there_is_a_finding_of_that_severity() {
    for (check, fail_on, code) in [
        ("EA021", "high", 1),
        ("EA021", "never", 0),
        ("EA022", "high", 0),
        ("EA022", "medium", 1),
        ("EA026", "medium", 0),
        ("EA026", "low", 1),
        ("EA088", "low", 0),
    ] {
        let done = findings(&["--fail-on", fail_on, &fixture(check, "triggers")]);
        assert_eq!(done.code, code, "{check} {fail_on}: {}", done.out);
    }
    assert_eq!(findings(&[&fixture("EA022", "triggers")]).code, 1, "medium is the default");
    assert_eq!(findings(&[&fixture("EA022", "quiet")]).code, 0);
    let Done { code, out, err } = findings(&["/nonexistent/policy.toml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("cannot be read"), "{err}");
}

#[test]
fn what_expires_is_held_against_the_instant_that_was_given() {
    let path = fixture("EA050", "quiet");
    assert_eq!(json(&[&path])["findings"], Value::Array(Vec::new()));
    let later = ["audit", "findings", "--format", "json", "--now", "2028-01-01T00:00:00Z", &path];
    let report: Value = serde_json::from_str(&authorizer(&later).out).unwrap();
    assert_eq!(report["findings"][0]["id"], "EA050");
}

#[test]
fn sarif_is_valid_by_the_schema_of_the_standard() {
    let schema = schema();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for path in [
        "fixtures/policies/sample.toml".to_owned(),
        "fixtures/requests/policy.toml".to_owned(),
        fixture("EA140", "quiet"),
        fixture("EA105", "triggers"),
        fixture("EA010", "quiet"),
    ] {
        let Done { out, err, .. } = findings(&["--format", "sarif", &path]);
        let sarif: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let errors: Vec<_> = validator
            .iter_errors(&sarif)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{path}");
        // A second reader, which checks the closed lists of words.
        let read: Sarif = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(read.runs.len(), 1);
        let broken = out.replacen("\"note\"", "\"notice\"", 1);
        assert!(
            !validator.is_valid(&serde_json::from_str(&broken).unwrap()),
            "the schema would take anything"
        );
    }
}

#[test]
fn sarif_links_each_check_to_its_page_where_the_address_is_known() {
    let policy = fixture("EA021", "triggers");
    for (docs, begins, ends) in [
        ("https://git.example.com/authorizer/docs", "https://git.example.com/authorizer/docs/audit/", "md"),
        ("https://docs.example.com/1.0.0/index.html", "https://docs.example.com/1.0.0/docs/audit/", "html"),
    ] {
        let Done { out, .. } = findings(&["--format", "sarif", "--docs", docs, &policy]);
        let sarif: Value = serde_json::from_str(&out).unwrap();
        let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.len() > 50, "{}", rules.len());
        for rule in rules {
            let page = format!("{begins}{}.{ends}", rule["id"].as_str().unwrap());
            assert_eq!(rule["helpUri"], page);
            let help = rule["help"]["markdown"].as_str().unwrap();
            assert!(help.contains(&format!("](<{page}>)")), "{help}");
        }
    }
    let Done { code, err, .. } = findings(&["--docs", "docs", &policy]);
    assert_eq!(code, 2);
    assert!(err.contains("--docs"), "{err}");
}

#[test]
fn sarif_says_what_json_says_and_no_more() {
    let path = fixture("EA140", "quiet");
    let sarif: Value = serde_json::from_str(&findings(&["--format", "sarif", &path]).out).unwrap();
    let run = &sarif["runs"][0];
    let report = json(&[&path]);
    let (results, listed) = (run["results"].as_array().unwrap(), report["findings"].as_array().unwrap());
    assert_eq!(results.len(), listed.len());
    for (result, finding) in results.iter().zip(listed) {
        assert_eq!(result["ruleId"], finding["id"]);
        let rule =
            &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], finding["id"]);
        assert_eq!(result["partialFingerprints"]["finding/v1"], finding["fingerprint"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], path);
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert_eq!(place["region"]["startColumn"], finding["column"]);
        let is_suppressed = !result["suppressions"].as_array().unwrap().is_empty();
        assert_eq!(is_suppressed, !finding["accepted"].is_null());
    }
    let mut shown = run["results"].clone();
    // It changes with every check that is added.
    shown[0]["ruleIndex"].take();
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    insta::assert_snapshot!(serde_json::to_string_pretty(&run["tool"]["driver"]["rules"][0]).unwrap());
}

/// The column counts characters, so text before the place does not change it.
#[test]
fn a_finding_has_the_line_and_the_column_of_what_it_is_about() {
    for (check, place, text) in [
        ("EA020", "rules[0].anonymous", "true"),
        ("EA055", "rules[0].source_ips", "["),
        ("EA063", "rules[0].upload.content_types[0]", "\"image/*\""),
        ("EA085", "issuers[0].leeway_seconds", "120"),
        ("EA101", "issuers[0].jwks", "{ file"),
        ("EA122", "cors.origins[0]", "\"*\""),
        ("EA130", "revoked[0].issued_before", "\"2026-12-01T08:00:00Z\""),
        ("EA140", "accepted[0].finding", "\"EA999\""),
    ] {
        let path = fixture(check, "triggers");
        let report = json(&[&path]);
        let found = report["findings"].as_array().unwrap();
        let finding = found.iter().find(|one| one["id"] == check).unwrap();
        assert_eq!(finding["place"], place, "{check}");
        let number = |name: &str| usize::try_from(finding[name].as_u64().unwrap()).unwrap();
        let file = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        let line = file.lines().nth(number("line") - 1).unwrap();
        let rest: String = line.chars().skip(number("column") - 1).collect();
        assert!(rest.starts_with(text), "{check}: {rest}");
    }
}

/// People copy the blocks of docs/providers.md. Their findings may say that a setting is missing, but not that they are
/// open. A setting is missing if nothing else shows the kind of a token, and the page says so.
#[test]
fn what_the_documentation_tells_people_to_write_has_no_findings_of_medium_or_above() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/providers.md")).unwrap();
    let folder = providers_folder();
    let mut count = 0;
    for (index, block) in text.split("```toml\n").skip(1).enumerate() {
        let block = block.split("```").next().unwrap();
        let path = folder.path().join(format!("{index}.toml"));
        fs::write(&path, format!("version = 1\n\n{block}")).unwrap();
        let Done { code, out, err } = findings(&["--fail-on", "medium", path.to_str().unwrap()]);
        assert_eq!((code, err.as_str()), (0, ""), "{block}\n{out}");
        count += 1;
    }
    assert!(count >= 10);
}

/// A folder with a key file for each provider.
fn providers_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::create_dir(&keys).unwrap();
    let read = |name: &str| -> Value {
        let path = Path::new(ROOT).join("fixtures/policies/keys").join(name);
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let all =
        ["staff.jwks.json", "partner.jwks.json"].map(|name| read(name)["keys"].as_array().unwrap().clone());
    let set = serde_json::json!({"keys": all.concat()}).to_string();
    for name in [
        "access", "cognito", "auth0", "okta", "entra", "google", "keycloak", "supabase", "firebase",
        "cluster", "clerk", "adfs", "login", "other",
    ] {
        fs::write(keys.join(format!("{name}.jwks.json")), &set).unwrap();
    }
    // The files that a block with a sign-in names.
    let key = Path::new(ROOT).join("fixtures/policies/keys/sign-in.test-only.key");
    fs::copy(key, folder.path().join("sign-in.key")).unwrap();
    fs::write(folder.path().join("client.secret"), "a secret for tests\n").unwrap();
    folder
}
