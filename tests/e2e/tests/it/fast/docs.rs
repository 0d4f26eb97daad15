//! The policies in the documentation are valid.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use authorizer_e2e::binaries::{root, run};
use authorizer_e2e::docs::provider_blocks;
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};
use toml_edit::DocumentMut;

/// A JWK set with a key of every kind.
fn every_kind() -> String {
    let folder = tempfile::tempdir().unwrap();
    let keys = ["RS256", "ES256", "ES384", "EdDSA"].map(|algorithm| {
        let dir = folder.path().to_str().unwrap();
        run(["token", "keygen", algorithm, "--algorithm", algorithm, "--dir", dir]);
        let set = fs::read(folder.path().join(format!("{algorithm}.jwks.json"))).unwrap();
        serde_json::from_slice::<Value>(&set).unwrap()["keys"][0].clone()
    });
    json!({ "keys": keys }).to_string()
}

#[test]
fn every_block_of_a_provider_is_one_that_a_policy_takes() {
    let keys = every_kind();
    let blocks = provider_blocks();
    assert!(blocks.len() >= 10, "{blocks:#?}");
    let mut with_sign_in = Vec::new();
    for (heading, block) in &blocks {
        let folder = tempfile::tempdir().unwrap();
        let document: DocumentMut = block.parse().unwrap_or_else(|error| panic!("{heading}: {error}"));
        for issuer in document["issuers"].as_array_of_tables().unwrap() {
            let file = folder.path().join(issuer["jwks"]["file"].as_str().unwrap());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &keys).unwrap();
        }
        // The files that a block with a sign-in names.
        let key = root().join("fixtures/policies/keys/sign-in.test-only.key");
        fs::copy(key, folder.path().join("sign-in.key")).unwrap();
        fs::write(folder.path().join("client.secret"), "a secret for tests\n").unwrap();
        let policy = folder.path().join("policy.toml");
        fs::write(&policy, format!("version = 1\n\n{block}")).unwrap();
        let loaded = PolicyFile::load(&policy).unwrap_or_else(|error| panic!("{heading}: {error:?}"));
        assert_eq!(loaded.bundle().policy().issuers().len(), 1, "{heading}");
        with_sign_in.extend(document.get("sign_in").map(|_| heading.as_str()));
    }
    let documented = ["Amazon Cognito", "Auth0", "Okta", "Microsoft Entra ID", "Google", "Keycloak"];
    assert_eq!(with_sign_in, documented);
}

#[test]
fn every_provider_has_its_block_and_cites_its_documentation() {
    let text = fs::read_to_string(root().join("docs/providers.md")).unwrap();
    let sections: Vec<_> =
        text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect();
    let blocks = provider_blocks();
    let documented: BTreeSet<_> = blocks.iter().map(|(heading, _)| heading.as_str()).collect();
    for (heading, hosts) in [
        ("Amazon Cognito", "https://docs.aws.amazon.com/cognito/"),
        ("Auth0", "https://auth0.com/docs/"),
        ("Okta", "https://developer.okta.com/docs/"),
        ("Microsoft Entra ID", "https://learn.microsoft.com/en-us/entra/"),
        ("Google", "https://developers.google.com/identity/"),
        ("Keycloak", "https://www.keycloak.org/docs/"),
        ("RFC 9068", "https://www.rfc-editor.org/rfc/rfc9068"),
    ] {
        let (_, section) = sections.iter().find(|(name, _)| *name == heading).unwrap();
        assert!(section.contains(hosts), "{heading}");
        assert!(documented.contains(heading), "{heading}");
    }
}

#[test]
fn every_script_of_infra_says_what_it_does_and_does_nothing_when_it_is_asked_for_help() {
    let mut asked = 0;
    for entry in fs::read_dir(root().join("infra")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() || path.extension().is_some() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut script = Command::new(&path);
        script.arg("--help").current_dir(folder.path()).env("OUT", folder.path().join("out"));
        let done = script.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.code(), Some(0), "{path:?}: {}", String::from_utf8_lossy(&done.stderr));
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(said.contains(&*name) && said.lines().count() > 5, "{path:?}: {said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{path:?}");
        asked += 1;
    }
    assert!(asked >= 9, "{asked}");
}
