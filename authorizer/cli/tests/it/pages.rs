//! The commands in the documentation: each is one that the program takes, and those that can be run here do what their
//! page says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_policy::PolicyFile;
use clap::error::ErrorKind;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::audit_deployment::{names, package};
use crate::harness::{PROGRAM, ROOT};

/// The pages, by their paths.
fn pages() -> Vec<(String, String)> {
    let read = |path: &Path| {
        let name = path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let mut pages: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| read(&Path::new(ROOT).join(name)))
        .into_iter()
        .collect();
    for folder in ["docs", "infra"] {
        let files = WalkDir::new(Path::new(ROOT).join(folder)).sort_by_file_name().into_iter();
        let files = files.filter_entry(|entry| entry.file_name() != "node_modules").map(Result::unwrap);
        let files = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "md"));
        pages.extend(files.map(|entry| read(entry.path())));
    }
    pages
}

fn page(name: &str) -> String {
    pages().into_iter().find(|(path, _)| path == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// The command lines of a page: those of its blocks for a shell, and of the examples in the reference.
fn lines(page: &str) -> Vec<String> {
    let (mut lines, mut block) = (Vec::new(), None);
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                block = Some((language.to_string(), String::new()));
            }
            Event::Text(words) => {
                if let Some((_, text)) = &mut block {
                    text.push_str(&words);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some((language, text)) = block.take() else { continue };
                let text = text.replace("\\\n", " ");
                let typed = text.lines().map(str::trim);
                match language.as_str() {
                    "sh" => lines.extend(typed.map(str::to_owned)),
                    "console" => {
                        lines.extend(typed.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned))
                    }
                    "text" if text.starts_with("Example") => lines.extend(typed.map(str::to_owned)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    lines
}

/// The words of a line as a shell reads them; what ends a command is a word of its own.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"'), '\\') | (None, '\\') => word.extend(letters.next()),
            (Some(_), _) => word.push(letter),
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#') if word.is_empty() => break,
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, '|' | ';' | '&' | '<' | '>' | '(' | ')') => {
                words.push(std::mem::take(&mut word));
                words.push(letter.to_string());
            }
            (None, _) => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The commands of a line, each with its arguments.
fn commands(line: &str) -> Vec<Vec<String>> {
    let ends = |word: &String| ["|", ";", "&", "<", ">", "(", ")"].contains(&word.as_str());
    let sets = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })
    };
    let words = words(line);
    let commands =
        words.split(ends).map(|words| words.iter().skip_while(|word| sets(word)).cloned().collect());
    commands.filter(|words: &Vec<String>| !words.is_empty()).collect()
}

#[test]
fn a_line_is_read_as_a_shell_reads_it() {
    let read = |line: &str| commands(line).into_iter().map(|words| words.join("_")).collect::<Vec<_>>();
    for (line, commands) in [
        ("a --b 'c d' | e > f # g", vec!["a_--b_c d", "e", "f"]),
        ("T=$(a b --c 'd=[\"e\"]') # 200", vec!["a_b_--c_d=[\"e\"]"]),
        ("A=1 b \"$(c)\" && d # e", vec!["b_$(c)", "d"]),
        ("# a", vec![]),
    ] {
        assert_eq!(read(line), commands, "{line}");
    }
}

#[test]
fn every_command_of_the_documentation_is_one_that_the_program_make_or_a_script_takes() {
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    let is_target = |name: &str| makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
    let (mut wrong, mut taken) = (Vec::new(), [0; 3]);
    for (path, text) in pages() {
        for line in lines(&text) {
            for command in commands(&line) {
                match command[0].as_str() {
                    name if name == "authorizer" || name.ends_with("/release/authorizer") => {
                        taken[0] += 1;
                        let words = command.iter().map(|word| match word.as_str() {
                            // What stands for a value that has a form.
                            "$CODE_SHA256" => "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                            "$VERSION_ARN" => {
                                "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:3"
                            }
                            word => word,
                        });
                        match authorizer_cli::command().try_get_matches_from(words) {
                            Err(error)
                                if !matches!(
                                    error.kind(),
                                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
                                ) =>
                            {
                                wrong.push(format!("{path}: {line}\n{error}"));
                            }
                            _ => {}
                        }
                    }
                    "make" => {
                        taken[1] += 1;
                        let targets = command[1..]
                            .iter()
                            .filter(|word| !word.contains(['=', '$', '-']) || is_target(word));
                        let unknown: Vec<_> = targets.filter(|name| !is_target(name)).collect();
                        if !unknown.is_empty() {
                            wrong.push(format!("{path}: {line}: no target {unknown:?}"));
                        }
                    }
                    script
                        if ["infra/", "tests/", "docs/", ".ci/"].iter().any(|at| script.starts_with(at)) =>
                    {
                        taken[2] += 1;
                        if !Path::new(ROOT).join(script).is_file() {
                            wrong.push(format!("{path}: {line}: no {script}"));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(taken[0] > 100 && taken[1] > 10 && taken[2] > 10, "{taken:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a line in the folder, with `authorizer` on its path; the exit status, and what it said.
fn shell(folder: &Path, line: &str) -> (Option<i32>, String) {
    let path =
        format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-euc", line])
        .current_dir(folder)
        .envs([("PATH", path.as_str()), ("CODE_SHA256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whether a line can be run here: by this program alone, without a server, the network and a package of the function.
fn runs_here(line: &str) -> bool {
    let is_own = line.starts_with("authorizer ");
    is_own
        && !["serve", "keys discover", "keys fetch", "package", "replay --policy changed.toml"]
            .iter()
            .any(|name| line.strip_prefix("authorizer ").is_some_and(|rest| rest.starts_with(name)))
}

#[test]
fn the_commands_of_the_guides_run_in_a_clone_as_they_stand() {
    for (name, at_least) in
        [("README.md", 7), ("docs/attach.md", 6), ("docs/replay.md", 6), ("docs/audit.md", 8)]
    {
        let folder = tempfile::tempdir().unwrap();
        symlink(Path::new(ROOT).join("fixtures"), folder.path().join("fixtures")).unwrap();
        // `make run` has made it.
        fs::create_dir(folder.path().join(".local")).unwrap();
        let mut ran = 0;
        for line in lines(&page(name)).iter().filter(|line| runs_here(line)) {
            let expected = if line.contains("# exits 1") { 1 } else { 0 };
            let (code, said) = shell(folder.path(), line);
            assert_eq!(code, Some(expected), "{name}: {line}\n{said}");
            ran += 1;
        }
        assert!(ran >= at_least, "{name}: {ran}");
    }
}

/// A folder as the pages for a policy of one's own have it.
fn own() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Path::new(ROOT).join("fixtures/policies"), folder.path());
    for name in ["keys", "dist", "export"] {
        fs::create_dir(to.join(name)).unwrap();
    }
    fs::copy(from.join("keys/sample.jwks.json"), to.join("keys/sample.jwks.json")).unwrap();
    let text =
        |name: &str| fs::read_to_string(from.join(name)).unwrap().replace("= \"sample\"", "= \"staff\"");
    let policy = text("sample.toml");
    let change = policy.replace("keys      = [\"public/**\"]", "keys      = [\"public/news/*\"]");
    assert_ne!(policy, change);
    let policies = [("policy.toml", &policy), ("main.toml", &policy), ("change.toml", &change)];
    for (name, text) in policies {
        fs::write(to.join(name), text).unwrap();
    }
    fs::write(to.join("policy.tests.toml"), text("sample.tests.toml")).unwrap();
    fs::write(to.join("bundle.json"), PolicyFile::load(&to.join("policy.toml")).unwrap().bundle_json())
        .unwrap();
    let (zip, _) = package(to, "fixtures/policies/sample.toml");
    fs::rename(zip, to.join("dist/authorizer.zip")).unwrap();
    for name in names() {
        let path = to.join("export").join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(Path::new(ROOT).join("fixtures/deployments/good").join(&name), path).unwrap();
    }
    folder
}

#[test]
fn the_commands_of_the_pages_for_a_policy_of_ones_own_run_as_they_stand() {
    for (name, at_least) in [
        ("docs/audit/README.md", 5),
        ("docs/audit/cedar.md", 2),
        ("docs/audit/diff.md", 4),
        ("docs/audit/report.md", 3),
        ("docs/testing.md", 5),
    ] {
        let folder = own();
        let mut ran = 0;
        // Two deployments are another story: `audit_reach` has them.
        for line in lines(&page(name)).iter().filter(|line| runs_here(line) && !line.contains("export-files"))
        {
            let (code, said) = shell(folder.path(), line);
            // 1 is an answer too: findings, differences, coverage.
            assert!(matches!(code, Some(0 | 1)), "{name}: {line}\n{said}");
            ran += 1;
        }
        assert!(ran >= at_least, "{name}: {ran}");
    }
}
