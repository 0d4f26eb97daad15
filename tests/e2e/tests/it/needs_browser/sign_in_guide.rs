//! docs/sign-in.md, as it stands: its commands, its policy, and its code for pages in Chromium.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_e2e::binaries::{Build, authorizer, bootstrap, root};
use authorizer_e2e::person::{ORIGIN, Stage};
use authorizer_e2e::providers::People;
use serde_json::json;

/// A page of Alice.
const PAGE: &str = "/users/alice/b.html";

/// The code blocks of the page: their language and their text, without the indentation of a list.
fn blocks() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/sign-in.md")).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for line in page.lines() {
        let begins = line.trim_start().strip_prefix("```");
        match (&mut open, begins) {
            (None, Some(language)) => {
                open = Some((line.len() - line.trim_start().len(), language.to_owned(), String::new()));
            }
            (Some(_), Some(_)) => {
                let (_, language, text) = open.take().unwrap();
                blocks.push((language, text));
            }
            (Some((indentation, _, text)), None) => {
                *text += line.get(*indentation..).unwrap_or_default();
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The blocks in a language.
fn blocks_in(language: &str) -> Vec<String> {
    blocks().into_iter().filter(|(one, _)| one == language).map(|(_, text)| text).collect()
}

/// Runs lines in one shell in the folder, with `authorizer` on its path, and gives what they print.
fn shell(folder: &Path, script: &str) -> String {
    let program = authorizer();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", script]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{script}\n{out}{err}");
    out + &err
}

#[test]
fn every_command_and_the_policy_of_the_guide_are_taken() {
    let Some(people) = People::start(ORIGIN) else { return };
    let issuer = &people.introduction().issuer;
    let (commands, policies) = (blocks_in("sh"), blocks_in("toml"));
    let [key, discover, package, object, rotate] = commands.try_into().unwrap();
    let [policy, opens, swapped] = policies.try_into().unwrap();
    let folder = tempfile::tempdir().unwrap();
    shell(folder.path(), &key);
    shell(folder.path(), &discover.replace("https://login.example.com/", issuer));
    let file = folder.path().join("policy.toml");
    let discovered = fs::read_to_string(&file).unwrap();
    shell(folder.path(), "authorizer check policy.toml");
    for line in ["[sign_in]", "client_id", "authorization_endpoint", "token_endpoint", "end_session_endpoint"]
    {
        assert!(discovered.contains(line), "{discovered}");
    }
    let whole = |sign_in: &str| {
        // The blocks of the guide, in the place of those that `keys discover` wrote.
        let (issuers, _) = discovered.split_once("[credentials]").unwrap();
        let sign_in = sign_in.replace("https://login.example.com", issuer);
        fs::write(&file, format!("{issuers}\n{sign_in}")).unwrap();
    };
    whole(&policy);
    let function = bootstrap(Build::Fast);
    let package = package.replace("--out", &format!("--bootstrap '{}' --out", function.display()));
    shell(folder.path(), &package);
    assert!(folder.path().join("authorizer.zip").is_file());

    shell(folder.path(), &object);
    shell(folder.path(), &rotate);
    let swap = "mv sign-in.key previous.key && mv next.key sign-in.key";
    assert!(
        fs::read_to_string(root().join("docs/sign-in.md")).unwrap().contains("`mv next.key sign-in.key`")
    );
    for (command, block) in [("true", opens), (swap, swapped)] {
        shell(folder.path(), command);
        let line = block.lines().map(str::trim).find(|line| line.starts_with("previous_cookie_key")).unwrap();
        whole(&policy.replace("[[rules]]", &format!("{line}\n\n[[rules]]")));
        let checked = shell(folder.path(), "authorizer check policy.toml");
        assert!(!checked.contains("not here"), "both keys are here: {checked}");
    }
}

#[tokio::test]
async fn the_code_of_the_guide_renews_once_for_all_tabs_and_its_form_signs_out() {
    let Some(mut stage) = Stage::start().await else { return };
    let [code] = blocks_in("js").try_into().unwrap();
    let [form] = blocks_in("html").try_into().unwrap();
    stage.go("one", PAGE);
    stage.sign_in("one", "alice");
    stage.go("two", PAGE);
    for tab in ["one", "two"] {
        stage.value(tab, &format!("{code}; 0"));
    }
    let told = stage.value("one", "session()");
    assert_eq!((&told["signed_in"], &told["subject"]), (&json!(true), &json!("alice")), "{told}");
    assert!(told["expires_at"].as_u64() < told["session_ends_at"].as_u64(), "{told}");

    stage.people.access_tokens_live(3);
    assert_eq!(stage.fetch("one", "POST", "/.auth/refresh").0, 200);
    stage.wait_for_status("one", PAGE, 401);
    stage.people.access_tokens_live(600);
    // Both begin before one of them has an answer.
    let ask = format!("request('{PAGE}').then((answer) => answer.status)");
    stage.value("one", &format!("void (window.status_of_one = {ask})"));
    assert_eq!(stage.value("two", &ask), json!(200));
    assert_eq!(stage.value("one", "window.status_of_one"), json!(200));
    let renewed = ["authorization_code 200", "refresh_token 200", "refresh_token 200"];
    assert_eq!(stage.people.exchanges(), renewed, "one renewal for both");

    // When the provider refuses, `renew` says so.
    stage.value("one", &format!("document.body.innerHTML = {form:?}"));
    let issuer = stage.issuer();
    stage.press("one", "form button", &format!("{issuer}/session/end"));
    assert_eq!(stage.value("two", "renew()"), json!(false));
    assert_eq!(stage.value("two", "session()")["signed_in"], json!(false));
}
