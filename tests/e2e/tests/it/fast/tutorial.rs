//! docs/tutorial.md, as it stands.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::served::Served;

/// The code blocks of the page: their language and their text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for part in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = part.split_once('\n').unwrap();
        blocks.push((language.to_owned(), text.to_owned()));
    }
    blocks
}

/// Runs lines in one shell in the folder, with `authorizer` on its path; what it printed.
fn shell(folder: &Path, script: &str) -> String {
    let program = authorizer();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{script}\n{out}{err}");
    out
}

/// The lines of a block for a server at another address, with each `curl` printing its status alone; and the statuses
/// that the page promises.
fn with_statuses(block: &str, served: &Served) -> (String, Vec<String>) {
    let mut promised = Vec::new();
    let script = block.lines().map(|line| {
        let line = line.replace("http://127.0.0.1:8080", &format!("http://{}", served.addr()));
        match line.strip_prefix("curl -i ") {
            Some(rest) => {
                let (rest, status) = rest.rsplit_once(" # ").expect("each request says its status");
                promised.push(status.to_owned());
                format!("curl -sS -o /dev/null -w '%{{http_code}}\\n' {rest}")
            }
            None => line,
        }
    });
    let script: Vec<_> = script.collect();
    (script.join("\n"), promised)
}

#[test]
fn every_command_of_the_tutorial_does_what_the_page_says() {
    let page = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let blocks = blocks(&page);
    let languages: Vec<_> = blocks.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["sh", "sh", "sh", "toml", "sh"]);
    let [init, serve, first, rules, second] = [0, 1, 2, 3, 4].map(|index| blocks[index].1.as_str());
    let folder = tempfile::tempdir().unwrap();
    shell(folder.path(), init);
    assert!(init.ends_with("\ncd photos"), "{init}");
    let photos = folder.path().join("photos");
    shell(&photos, "authorizer test --policy policy.toml --min-coverage 100");

    assert_eq!(serve.trim(), "authorizer serve --policy policy.toml --dev-issuer");
    let path = |name: &str| photos.join(name);
    let (policy, keys, data) = (path("policy.toml"), path(".local/dev-issuer"), path(".local/data"));
    let arguments = ["--policy".as_ref(), policy.as_os_str(), "--data".as_ref(), data.as_os_str()];
    let arguments = arguments.into_iter().chain([OsStr::new("--dev-issuer"), keys.as_os_str()]);
    let served = Served::start(folder.path(), arguments);
    served.stderr().wait_for("the warning", |lines| {
        lines.iter().any(|line| line.contains("tokens of development keys are accepted")).then_some(())
    });

    let run = |block: &str, before: &str| {
        let (script, promised) = with_statuses(block, &served);
        let out = shell(&photos, &format!("{before}\n{script}"));
        let statuses: Vec<_> =
            out.lines().filter(|line| line.len() == 3 && line.parse::<u16>().is_ok()).collect();
        assert_eq!(statuses, promised, "{script}\n{out}");
    };
    run(first, "");
    let text = fs::read_to_string(&policy).unwrap();
    let (head, _) = text.split_once("# Each user keeps").unwrap();
    fs::write(&policy, format!("{head}{rules}")).unwrap();
    served.stderr().wait_for("the new policy", |lines| {
        lines.iter().any(|line| line.contains("policy read again")).then_some(())
    });
    let mint = first.lines().next().unwrap();
    run(second, mint);

    // What was good for this server is good for no other.
    let key = fs::read(keys.join("development-only-RS256.private.pem")).unwrap();
    let (status, _, stderr) = served.interrupt();
    assert!(status.success(), "{}", stderr.text());
    assert!(!keys.join("development-only-RS256.private.pem").exists(), "the key goes with the server");
    fs::write(path("old.pem"), key).unwrap();
    let arguments = ["--policy".as_ref(), policy.as_os_str(), "--data".as_ref(), data.as_os_str()];
    let arguments = arguments.into_iter().chain([OsStr::new("--dev-issuer"), keys.as_os_str()]);
    let served = Served::start(folder.path(), arguments);
    let old = mint.replace(".local/dev-issuer/development-only-RS256.private.pem", "old.pem");
    let request = format!(
        "curl -sS -o /dev/null -w '%{{http_code}}' -H \"Authorization: Bearer $TOKEN\" http://{}/users/alice/cat.jpg",
        served.addr()
    );
    let status = shell(&photos, &format!("{old}\n{request}"));
    assert!(["401", "503"].contains(&status.as_str()), "{status}");
}

#[test]
fn development_keys_are_for_this_machine_and_go_into_no_package() {
    let folder = tempfile::tempdir().unwrap();
    let init = "authorizer init files --provider github --pattern artifacts --audience files";
    shell(folder.path(), init);
    let refused = |arguments: &[&str]| {
        let output = Command::new(authorizer()).args(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let serve = ["serve", "--policy", "files/policy.toml", "--dev-issuer", "--listen", "0.0.0.0:0"];
    assert!(refused(&serve).contains("listens on this machine alone"));
    for more in [["--sample", ".local"], ["--function", "a.zip"]] {
        assert!(refused(&[&["serve", "--dev-issuer"], &more[..]].concat()).contains("cannot be used with"));
    }

    // A key set of a development server, copied into a policy.
    let (policy, keys) = (folder.path().join("files/policy.toml"), folder.path().join("keys"));
    let own = ["private.pem", "jwks.json"].map(|end| keys.join(format!("RS256.{end}")));
    fs::create_dir(&keys).unwrap();
    for file in &own {
        fs::write(file, "the user's").unwrap();
    }
    let arguments = ["--policy".as_ref(), policy.as_os_str(), OsStr::new("--dev-issuer"), keys.as_os_str()];
    let data = folder.path().join("data");
    let arguments = arguments.into_iter().chain(["--data".as_ref(), data.as_os_str()]);
    let served = Served::start(folder.path(), arguments);
    let set = keys.join("development-only-RS256.jwks.json");
    fs::copy(&set, folder.path().join("files/dev.jwks.json")).unwrap();
    // What another server has put there meanwhile stays.
    fs::write(&set, "of another server").unwrap();
    assert!(served.interrupt().0.success());
    let left = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(left.collect::<BTreeSet<_>>(), BTreeSet::from([own[0].clone(), own[1].clone(), set]));
    let text = fs::read_to_string(&policy).unwrap();
    let with_key = text.replace("{ url = ", "{ file = \"dev.jwks.json\", url = ");
    assert_ne!(with_key, text);
    fs::write(&policy, with_key).unwrap();
    let said = refused(&["package", "--policy", "files/policy.toml", "--bootstrap", "none"]);
    assert!(said.contains("issuer `github` has a development key"), "{said}");
}
