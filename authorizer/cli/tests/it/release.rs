//! What a release is, beside a program that cargo built: `--version`, `infra`, and the function that is inside it.
//!
//! `tests/e2e` makes a whole archive. Here something small is put behind the program, as `authorizer/cli/release/archive.py`
//! does it.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use authorizer_core::BuiltWith;
use serde_json::{Value, json};
use tempfile::TempDir;
use walkdir::WalkDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::elf::Elf;
use crate::harness::{Done, PROGRAM, ROOT, authorizer, command_in};

const VERSION: &str = env!("CARGO_PKG_VERSION");

const POLICY: &str = "version = 1\n\n[credentials]\nheader = \"authorization\"\n\n[[rules]]\nid = \"anyone-reads-public\"\n\
                      effect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"public/**\"]\nanonymous = true\n";

const ISSUER: &str = "\n[[issuers]]\nname = \"login\"\nissuer = \"https://login.example.com/\"\naudience = [\"a\"]\n\
                      algorithms = [\"RS256\"]\njwks = { url = \"https://login.example.com/jwks.json\" }\n";

/// A binary of the function that says what it is.
fn function(build: &str, is_library: bool) -> Vec<u8> {
    let [can, cannot] = BuiltWith::ALL.map(|one| one.marker());
    let padding = format!("{}{build}", if build == "fast" { can } else { cannot });
    let elf = if is_library { Elf::library() } else { Elf::default() };
    Elf { padding: padding.into_bytes(), ..elf }.bytes()
}

/// A folder with a policy and a program that is a release of this version.
struct Released {
    folder: TempDir,
}

impl Released {
    fn new() -> Self {
        Self::of_version(VERSION)
    }

    fn of_version(version: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
        let program = folder.path().join("authorizer");
        fs::copy(PROGRAM, &program).unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&program).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        let mut zip = ZipWriter::new(file);
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let about = json!({ "version": version, "commit": "c0ffee", "rust": "rustc 1" }).to_string();
        let mut add = |name: &str, bytes: &[u8]| {
            zip.start_file(name, stored).unwrap();
            zip.write_all(bytes).unwrap();
        };
        add("release.json", about.as_bytes());
        for build in ["small", "fast"] {
            add(&format!("{build}/bootstrap"), &function(build, false));
            add(&format!("{build}/libauthorizer.so"), &function(build, true));
        }
        zip.finish().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(self.path("authorizer"));
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").args(arguments);
        Done::of(&mut command)
    }

    fn packed(&self, name: &str, entry: &str) -> Vec<u8> {
        let mut zip = zip::ZipArchive::new(fs::File::open(self.path(name)).unwrap()).unwrap();
        let mut bytes = Vec::new();
        zip.by_name(entry).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }
}

/// One line, wherever the diagnostic wraps.
fn on_one_line(text: &str) -> String {
    text.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_version_names_the_commit_and_the_formats_and_is_unknown_where_nobody_said_it() {
    let built = authorizer(&["--version"]);
    let lines: Vec<_> = built.out.lines().collect();
    assert_eq!(
        lines,
        [
            &format!("authorizer {VERSION}"),
            "commit          unknown",
            "bundle format   1",
            "policy version  1",
            "function        not inside: this program is not a release",
        ]
    );
    assert_eq!(authorizer(&["-V"]).out, format!("authorizer {VERSION}\n"), "one line for programs");
    let released = Released::new().run(&["--version"]);
    assert_eq!(released.code, 0, "{}", released.err);
    assert!(released.out.contains("commit          c0ffee\n"), "{}", released.out);
    assert!(released.out.contains("function        inside, small and fast\n"), "{}", released.out);
}

#[test]
fn a_release_makes_packages_of_the_build_that_the_policy_takes_without_a_bootstrap() {
    let released = Released::new();
    let done = released.run(&["package", "--policy", "policy.toml", "--out", "a.zip", "--format", "json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        report["release"],
        json!({ "build": "small", "version": VERSION, "commit": "c0ffee", "rust": "rustc 1" })
    );
    assert_eq!(released.packed("a.zip", "bootstrap"), function("small", false));

    // The same as of a program without anything inside, from the same binary.
    fs::write(released.path("bootstrap"), function("small", false)).unwrap();
    let arguments = ["package", "--policy", "policy.toml", "--bootstrap", "bootstrap", "--out", "b.zip"];
    assert_eq!(Done::of(&mut command_in(released.folder.path(), &arguments)).code, 0);
    assert_eq!(fs::read(released.path("a.zip")).unwrap(), fs::read(released.path("b.zip")).unwrap());

    for (more, entry, expected) in [
        (vec!["--build", "fast"], "bootstrap", function("fast", false)),
        (vec!["--hand-over", "library"], "libauthorizer.so", function("small", true)),
    ] {
        let arguments = [vec!["package", "--policy", "policy.toml", "--out", "c.zip"], more].concat();
        let done = released.run(&arguments);
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.contains(&format!("of release {VERSION}, commit c0ffee")), "{}", done.out);
        assert_eq!(released.packed("c.zip", entry), expected);
    }

    fs::write(released.path("policy.toml"), format!("{POLICY}{ISSUER}")).unwrap();
    assert_eq!(released.run(&["package", "--policy", "policy.toml", "--out", "d.zip"]).code, 0);
    assert_eq!(released.packed("d.zip", "bootstrap"), function("fast", false));
    let refused = released.run(&["package", "--policy", "policy.toml", "--build", "small"]);
    assert_eq!(refused.code, 2);
    assert!(on_one_line(&refused.err).contains("the build `small` cannot fetch keys"), "{}", refused.err);
}

#[test]
fn a_program_without_the_function_says_where_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    fs::write(folder.path().join("a.zip"), "").unwrap();
    for (arguments, remedy) in [
        (vec!["package", "--policy", "policy.toml"], "$(authorizer/edge/build small)"),
        (vec!["package", "policy.toml", "--hand-over", "library"], "$(authorizer/edge/build small library)"),
    ] {
        let done = Done::of(&mut command_in(folder.path(), &arguments));
        let err = on_one_line(&done.err);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{err}");
        for word in
            ["the function is not inside it", "take `authorizer` from a release", "in a clone", remedy]
        {
            assert!(err.contains(word), "`{word}` is not in: {err}");
        }
    }
}

#[test]
fn a_function_that_is_damaged_or_of_another_version_is_not_used() {
    let other = Released::of_version("9.9.9");
    let damaged = Released::new();
    let mut bytes = fs::read(damaged.path("authorizer")).unwrap();
    let text = b"rustc 1";
    let at = bytes.windows(text.len()).rposition(|found| found == text).unwrap();
    bytes[at] = b'R';
    fs::write(damaged.path("authorizer"), bytes).unwrap();
    for (released, word) in [(&other, "it is of version 9.9.9"), (&damaged, "`release.json`: ")] {
        let done = released.run(&["package", "--policy", "policy.toml"]);
        let err = on_one_line(&done.err);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{err}");
        assert!(err.contains("the function that is in this program is damaged"), "{err}");
        assert!(err.contains(word), "{err}");
        assert!(released.run(&["--version"]).out.contains("is damaged"));
    }
}

#[test]
fn a_zip_of_this_release_holds_and_each_change_to_it_is_named() {
    let released = Released::new();
    for more in [&[][..], &["--build", "fast"], &["--hand-over", "library"]] {
        let package = [&["package", "--policy", "policy.toml", "--out", "a.zip"], more].concat();
        assert_eq!(released.run(&package).code, 0);
        let done = released.run(&["package", "--verify", "a.zip", "--format", "json"]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
        let verdict: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(verdict["is_of_release"], true);
        let text = released.run(&["package", "--verify", "a.zip"]);
        assert_eq!(text.code, 0);
        assert!(text.out.starts_with("a.zip is what this release makes\n"), "{}", text.out);
    }

    assert_eq!(released.run(&["package", "--policy", "policy.toml", "--out", "a.zip"]).code, 0);
    let bundle = released.packed("a.zip", "bundle.json");
    let python = released.packed("a.zip", "index.py");
    let node = released.packed("a.zip", "index.mjs");
    let small = function("small", false);
    let other = Elf { padding: b"of somebody else".to_vec(), ..Elf::default() }.bytes();
    let whole: [(&str, &[u8]); 4] =
        [("bootstrap", &small), ("index.py", &python), ("index.mjs", &node), ("bundle.json", &bundle)];
    let with = |at: usize, entry: (&'static str, &'static [u8])| {
        let mut entries: Vec<(&str, &[u8])> = whole.to_vec();
        entries[at] = entry;
        entries
    };
    let leaked: &'static [u8] = other.leak();
    for (entries, name, is) in [
        (with(0, ("bootstrap", leaked)), "bootstrap", "other"),
        (with(1, ("index.py", b"import os")), "index.py", "other"),
        (with(3, ("bundle.json", b"{}")), "bundle.json", "other"),
        (with(2, ("sitecustomize.py", b"import os")), "sitecustomize.py", "unknown"),
        (whole[..3].to_vec(), "bundle.json", "missing"),
    ] {
        let mut zip = ZipWriter::new(fs::File::create(released.path("b.zip")).unwrap());
        for (name, bytes) in entries {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        let done = released.run(&["package", "--verify", "b.zip", "--format", "json"]);
        assert_eq!((done.code, done.err.as_str()), (1, ""), "{name}");
        let verdict: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(verdict["is_of_release"], false);
        let entry =
            verdict["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
        assert_eq!(entry["is"], is, "{verdict}");
    }
}

#[test]
fn a_zip_with_bytes_of_its_own_between_the_right_files_is_not_of_this_release() {
    let released = Released::new();
    assert_eq!(released.run(&["package", "--policy", "policy.toml", "--out", "a.zip"]).code, 0);
    let zip = fs::read(released.path("a.zip")).unwrap();
    // What stands before the first file moves all offsets; many programs read such a zip.
    fs::write(released.path("b.zip"), [b"#!/bin/sh\n".as_slice(), &zip].concat()).unwrap();
    let done = released.run(&["package", "--verify", "b.zip"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains("has the files of this release, but was not packed by it"), "{}", done.out);
}

#[test]
fn what_is_no_zip_cannot_be_verified() {
    let released = Released::new();
    fs::write(released.path("empty.zip"), "").unwrap();
    assert_eq!(released.run(&["package", "--policy", "policy.toml", "--out", "whole.zip"]).code, 0);
    let whole = fs::read(released.path("whole.zip")).unwrap();
    fs::write(released.path("half.zip"), &whole[..whole.len() / 2]).unwrap();
    // The checksum of its first file (APPNOTE 4.3.12).
    let at = whole.windows(4).position(|window| window == b"PK\x01\x02").unwrap() + 16;
    fs::write(released.path("damaged.zip"), [&whole[..at], &[!whole[at]], &whole[at + 1..]].concat())
        .unwrap();
    for (name, word) in [
        ("policy.toml", "`policy.toml` is not a zip, or not a whole one"),
        ("half.zip", "`half.zip` is not a zip, or not a whole one"),
        ("empty.zip", "`empty.zip` is empty"),
        ("damaged.zip", "`damaged.zip` is a damaged zip"),
        ("missing.zip", "cannot be read"),
        (".", "is a folder"),
    ] {
        let done = released.run(&["package", "--verify", name]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{name}");
        assert!(on_one_line(&done.err).contains(word), "{}", done.err);
    }
    for more in [["--policy", "policy.toml"], ["--out", "b.zip"], ["--bootstrap", "policy.toml"]] {
        let done = released.run(&[&["package", "--verify", "a.zip"], more.as_slice()].concat());
        assert_eq!(done.code, 2);
        assert!(done.err.contains("cannot be used with"), "{}", done.err);
    }
}

/// The files of `infra` that git has, as far as a folder can say.
fn files_of_infra() -> Vec<(String, bool)> {
    let infra = Path::new(ROOT).join("infra");
    let is_made = |name: &str| {
        // The scripts of the action for GitHub, which run from the repository.
        name == "github"
            || name == "node_modules"
            || name == "__pycache__"
            || name.starts_with(".terraform")
            || name.contains(".tfstate")
    };
    let entries = WalkDir::new(&infra).sort_by_file_name().into_iter();
    let mut files: Vec<_> = entries
        .filter_entry(|entry| !is_made(entry.file_name().to_str().unwrap()))
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&infra).unwrap().to_str().unwrap().to_owned();
            (name, entry.metadata().unwrap().permissions().mode() & 0o100 != 0)
        })
        .collect();
    files.sort();
    files
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[test]
fn infra_writes_every_file_of_the_folder_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = || Done::of(&mut command_in(folder.path(), &["infra", "--out", "a/b"]));
    let done = run();
    let files = files_of_infra();
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, format!("{0} of {0} files are written to a/b\n", files.len()));
    let out = folder.path().join("a/b");
    for (name, is_program) in &files {
        let (here, there) = (Path::new(ROOT).join("infra").join(name), out.join(name));
        let [here, written] = [&here, &there].map(|path| fs::read(path).unwrap());
        // In a page, links to files of a clone are words; the next test reads those.
        let is_of_clone =
            |line: &[u8]| name.ends_with(".md") && has(line, b"](../") || has(line, b"](github/");
        let [here, written] =
            [&here, &written].map(|text| text.split(|&byte| byte == b'\n').collect::<Vec<_>>());
        assert_eq!(here.len(), written.len(), "{name}");
        for (here, written) in here.iter().zip(&written) {
            assert!(here == written || is_of_clone(here), "{name}: {}", String::from_utf8_lossy(written));
        }
        assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o100 != 0, *is_program, "{name}");
    }

    fs::remove_file(out.join("deploy")).unwrap();
    assert_eq!(run().out, format!("1 of {} files are written to a/b\n", files.len()));
    fs::remove_file(out.join("deploy")).unwrap();
    fs::write(out.join("prove"), "my own").unwrap();
    let refused = run();
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    let err = on_one_line(&refused.err);
    assert!(
        err.contains(
            "a file in `a/b` has another text than in this version, and nothing is written: `prove`"
        ),
        "{err}"
    );
    assert!(err.contains("to another folder with `--out`"), "{err}");
    assert!(!out.join("deploy").exists(), "nothing was written");
    assert_eq!(fs::read_to_string(out.join("prove")).unwrap(), "my own");

    for (name, _) in files.iter().filter(|(name, _)| name != "deploy").take(12) {
        fs::write(out.join(name), "my own").unwrap();
    }
    let err = on_one_line(&run().err);
    assert!(err.contains("13 files in `a/b` have another text") && err.contains("and 3 more"), "{err}");

    // The files of a clone are those of this version.
    let clone = Path::new(ROOT).join("infra");
    let done = Done::of(&mut command_in(folder.path(), &["infra", "--out", clone.to_str().unwrap()]));
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(done.out.starts_with("0 of "), "{}", done.out);
}

#[test]
fn every_link_of_the_written_files_leads_to_a_written_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Done::of(&mut command_in(folder.path(), &["infra", "--out", "here"])).code, 0);
    let out = folder.path().join("here");
    let (mut pages, mut followed) = (0, 0);
    for (name, _) in files_of_infra().iter().filter(|(name, _)| name.ends_with(".md")) {
        pages += 1;
        let page = fs::read_to_string(out.join(name)).unwrap();
        for (_, after) in page.match_indices("](").map(|(at, _)| page.split_at(at + 2)) {
            let to = after.split([')', '#']).next().unwrap();
            if to.is_empty() || to.contains(':') {
                continue;
            }
            let there = out.join(name).parent().unwrap().join(to).canonicalize();
            assert!(
                there.is_ok_and(|there| there.starts_with(out.canonicalize().unwrap())),
                "{name}: `{to}`"
            );
            followed += 1;
        }
    }
    assert!(pages >= 5 && followed >= 15, "{pages} {followed}");
    let readme = fs::read_to_string(out.join("README.md")).unwrap();
    assert!(readme.contains("docs/deploy.md says how to deploy"), "{readme}");
    // What needs a clone says so, and stands after what does not.
    for script in ["deploy", "attach", "prove", "rollout", "smoke", "drift", "advice.sh"] {
        let text = fs::read_to_string(out.join(script)).unwrap();
        for line in text
            .lines()
            .filter(|line| line.contains("make package") || line.contains("target/release/authorizer,"))
        {
            assert!(line.contains("clone"), "{script}: {line}");
        }
    }
}

#[test]
fn a_policy_of_a_newer_version_is_answered_with_the_way_up_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["2", "0x10", "4_000_000_000"] {
        let text = format!("version = {version}\nsurprise = true\n\n[[rules]]\nnew = 1\n");
        fs::write(folder.path().join("policy.toml"), &text).unwrap();
        fs::write(folder.path().join("policy.tests.toml"), text).unwrap();
        for arguments in [&["check", "policy.toml"][..], &["test", "--policy", "policy.toml"]] {
            let done = Done::of(&mut command_in(folder.path(), arguments));
            let err = on_one_line(&done.err);
            assert_eq!(done.code, 2, "{err}");
            assert!(err.contains("is of a newer release of `authorizer`: take that one"), "{err}");
            assert!(!err.contains("surprise = true` ") && !err.contains("unknown"), "{err}");
            assert!(err.contains("1 problem"), "{err}");
        }
    }
    fs::write(folder.path().join("policy.toml"), "version = 0\n").unwrap();
    let done = Done::of(&mut command_in(folder.path(), &["check", "policy.toml"]));
    assert!(on_one_line(&done.err).contains("write `version = 1`"), "{}", done.err);
}
