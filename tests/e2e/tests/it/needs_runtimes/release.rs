//! The archive of a release, where there is nothing else: in a namespace of its own, in a folder that has the unpacked archive
//! and the libraries of C that its program is linked with, and neither a shell nor a compiler.
//!
//! The program is the one of the tests, in the place of one that is built for a release, which takes many minutes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use authorizer_core::record::sha256_hex;
use authorizer_e2e::binaries::{Build, authorizer, bootstrap, library, root, scratch};
use authorizer_e2e::packages::{sample, sample_as_library, small_sample};
use authorizer_e2e::served::Lines;
use authorizer_e2e::skipped::skip;
use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the archive in a folder, and returns its path. `before` is done in the shell first.
fn make(out: &Path, before: &str) -> PathBuf {
    let script = format!("{before}; exec authorizer/cli/release/build");
    let mut command = Command::new("sh");
    command.args(["-euc", &script]).current_dir(root()).env("DIST_OUT", out).env("DIST_PROGRAM", program());
    command.env("CARGO_TARGET_DIR", scratch().ancestors().nth(2).unwrap()).stdin(Stdio::null());
    let made = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(made.status.success(), "{}", made.status);
    PathBuf::from(String::from_utf8(made.stdout).unwrap().lines().last().unwrap())
}

/// The program of the tests, without what only a debugger reads, which is most of it.
fn program() -> PathBuf {
    let stripped = scratch().join("release-program");
    fs::create_dir_all(scratch()).unwrap();
    let strip = Command::new("strip").arg("-o").arg(&stripped).arg(authorizer()).status();
    if strip.is_ok_and(|status| status.success()) { stripped } else { authorizer() }
}

fn unpack(archive: &Path, folder: &Path) -> PathBuf {
    let status = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder).status().unwrap();
    assert!(status.success());
    folder.join(archive.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap())
}

/// Checks the lines `SHA256  NAME` of a file, and returns the names.
fn check_sums(folder: &Path) -> Vec<String> {
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let line = |line: &str| {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(sha256_hex(&fs::read(folder.join(name)).unwrap()), sum, "{name}");
        name.to_owned()
    };
    sums.lines().map(line).collect()
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    files.push(entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
    }
    files.sort();
    files
}

/// A folder as the root of a namespace, with the archive and what its program is linked with.
struct Bare {
    root: TempDir,
    /// The program, in it.
    program: String,
}

impl Bare {
    fn of(archive: &Path) -> Self {
        let bare = tempfile::tempdir().unwrap();
        let unpacked = unpack(archive, bare.path());
        for folder in ["proc", "tmp", "work"] {
            fs::create_dir(bare.path().join(folder)).unwrap();
        }
        let listed = Command::new("ldd").arg(unpacked.join("authorizer")).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let libraries: Vec<_> = listed.split_whitespace().filter(|word| word.starts_with('/')).collect();
        assert!(!libraries.is_empty(), "{listed}");
        for library in libraries {
            let copy = bare.path().join(library.trim_start_matches('/'));
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(library, copy).unwrap();
        }
        let name = unpacked.file_name().unwrap().to_str().unwrap();
        Self { program: format!("/{name}/authorizer"), root: bare }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    /// The program with these arguments, in `/work` of the namespace.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"]);
        // Of the new root.
        command.args(["--mount-proc=/proc", "--wd=/work"]).arg("--root").arg(self.root.path());
        command.arg(&self.program).args(arguments).env_clear().env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs it to its end; what it printed, if this is its exit status.
    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().unwrap();
        let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(done.status.code(), Some(code), "{arguments:?}\n{out}{err}");
        out
    }

    /// Why there can be no such namespace on this machine.
    fn why_not(&self) -> Option<String> {
        match self.command(&["-V"]).output() {
            Ok(done) if done.status.success() => None,
            Ok(done) => Some(format!(
                "no namespace without a toolchain can be made (unshare): {}",
                String::from_utf8_lossy(&done.stderr).trim()
            )),
            Err(error) => Some(format!("unshare cannot be run: {error}")),
        }
    }
}

/// A server in the namespace, which ends with it.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status_of(addr: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "{head}\r\nHost: {addr}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

/// The same commit gives the same bytes; what is in the archive; and all of it at work where there is nothing else. One test,
/// since each archive takes seconds.
#[test]
fn an_archive_is_the_same_each_time_and_its_program_needs_nothing_else() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let other_temporary = tempfile::tempdir().unwrap();
    let elsewhere =
        format!("umask 077; TMPDIR='{}' TZ=Asia/Tokyo; export TMPDIR TZ", other_temporary.path().display());
    let archives = [make(folders[0].path(), "umask 022"), make(folders[1].path(), &elsewhere)];
    let [first, second] = archives.each_ref().map(|archive| fs::read(archive).unwrap());
    assert!(first == second, "the archive is the same in another folder, with another umask and time zone");
    let name = archives[0].file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap();
    assert_eq!(check_sums(folders[0].path()), [format!("{name}.cdx.json"), format!("{name}.tar.gz")]);

    let unpacked = tempfile::tempdir().unwrap();
    let unpacked = unpack(&archives[0], unpacked.path());
    everything_is_in_it(&unpacked);
    let bare = Bare::of(&archives[0]);
    if let Some(reason) = bare.why_not() {
        return skip(&reason);
    }
    it_works_where_there_is_nothing_else(&bare);
}

fn everything_is_in_it(unpacked: &Path) {
    let files = files_in(unpacked);
    let listed: Vec<_> = files.iter().filter(|name| *name != "SHA256SUMS").cloned().collect();
    let mut sums = check_sums(unpacked);
    sums.sort();
    assert_eq!(sums, listed);
    for name in [
        "LICENSE",
        "INSTALL.md",
        "CHANGELOG.md",
        "authorizer.cdx.json",
        "completions/_authorizer",
        "completions/authorizer.bash",
        "completions/authorizer.fish",
        "licences/rust-standard-library.html",
        "licences/zig-start-files.txt",
        "man/authorizer.1",
        "man/authorizer-audit-diff.1",
    ] {
        assert!(files.iter().any(|file| file == name), "{name}");
    }
    let modes =
        files.iter().map(|name| (name, fs::metadata(unpacked.join(name)).unwrap().permissions().mode()));
    let can_run: Vec<_> =
        modes.filter(|(_, mode)| mode & 0o111 != 0).map(|(name, _)| name.as_str()).collect();
    assert_eq!(can_run, ["authorizer"]);

    let licences = fs::read_to_string(unpacked.join("licences/third-party.txt")).unwrap();
    let bill: Value =
        serde_json::from_str(&fs::read_to_string(unpacked.join("authorizer.cdx.json")).unwrap()).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert_eq!(bill["metadata"]["component"]["version"], VERSION);
    let components: BTreeMap<_, _> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one))
        .collect();
    // Linked into the function, into the library, into the program; and used by tests alone.
    for linked in ["lambda_runtime", "aws-lc-sys", "libsqlite3-sys", "clap", "authorizer-library"] {
        assert!(components.contains_key(linked), "{linked}");
    }
    for not_linked in ["proptest", "criterion", "clap_derive", "authorizer-e2e"] {
        assert!(!components.contains_key(not_linked), "{not_linked}");
    }
    for (name, component) in &components {
        let version = component["version"].as_str().unwrap();
        let is_file = component["type"] == "file";
        if !is_file && !name.starts_with("authorizer-") {
            assert!(component["purl"].as_str().unwrap().starts_with("pkg:cargo/"), "{component}");
            assert_eq!(component["hashes"][0]["content"].as_str().unwrap().len(), 64, "{component}");
            assert!(licences.contains(&format!("{name} {version} (")), "the licence of {name}");
        }
    }
    for (build, file) in [
        (Build::Small, bootstrap(Build::Small)),
        (Build::Fast, bootstrap(Build::Fast)),
        (Build::Small, library(Build::Small)),
        (Build::Fast, library(Build::Fast)),
    ] {
        let name = if file.extension().is_some() { "libauthorizer.so" } else { "bootstrap" };
        let component = components[format!("{}/{name}", build.name()).as_str()];
        assert_eq!(component["hashes"][0]["content"], sha256_hex(&fs::read(file).unwrap()));
    }
}

fn it_works_where_there_is_nothing_else(bare: &Bare) {
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()).output().unwrap();
    let commit = String::from_utf8(commit.stdout).unwrap();
    let said = bare.run(0, &["--version"]);
    assert!(said.starts_with(&format!("authorizer {VERSION}\ncommit          {}", commit.trim())), "{said}");
    assert!(said.contains("function        inside, small and fast"), "{said}");

    // A policy from the first line to the zip.
    bare.run(
        0,
        &[
            "init",
            "photos",
            "--provider",
            "cognito",
            "--pattern",
            "per-user",
            "--client-id",
            "1example23456789",
            "--issuer",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
        ],
    );
    let policy = "photos/policy.toml";
    bare.run(0, &["check", policy]);
    bare.run(0, &["test", "--policy", policy, "--min-coverage", "100"]);
    bare.run(0, &["audit", "findings", policy]);
    bare.run(0, &["audit", "matrix", policy]);
    bare.run(0, &["audit", "diff", policy, policy]);
    fs::copy(root().join("fixtures/distributions/plain.json"), bare.path("plain.json")).unwrap();
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:3";
    let attach = ["attach", "--function-arn", arn, "--behavior", "all", "plain.json"];
    assert!(bare.run(0, &attach).contains(arn));
    bare.run(0, &["infra", "--out", "infra"]);
    assert_eq!(
        fs::read(bare.path("infra/cloudformation/stack.yaml")).unwrap(),
        fs::read(root().join("infra/cloudformation/stack.yaml")).unwrap()
    );

    // What is packaged here is what the clone packages.
    let folder = sample().policy.parent().unwrap().to_owned();
    fs::create_dir(bare.path("keys")).unwrap();
    fs::copy(&sample().policy, bare.path("sample.toml")).unwrap();
    for key in fs::read_dir(folder.join("keys")).unwrap().map(Result::unwrap) {
        fs::copy(key.path(), bare.path("keys").join(key.file_name())).unwrap();
    }
    for (more, clone) in [
        (&[][..], small_sample()),
        (&["--build", "fast"], sample()),
        (&["--hand-over", "library"], sample_as_library(Build::Small)),
    ] {
        let package = [&["package", "--policy", "sample.toml", "--out", "sample.zip"], more].concat();
        bare.run(0, &package);
        let [here, there] =
            [&bare.path("sample.zip"), &clone.zip].map(|zip| sha256_hex(&fs::read(zip).unwrap()));
        assert_eq!(here, there, "{more:?}");
    }
    assert!(bare.run(0, &["package", "--verify", "sample.zip"]).contains("is what this release makes"));
    fs::write(bare.path("sample.zip"), "PK").unwrap();
    bare.run(2, &["package", "--verify", "sample.zip"]);

    // The distribution, to which requests come from outside.
    let mut serve = bare.command(&["serve", "--sample", "local", "--listen", "127.0.0.1:0"]);
    let mut serving = Serving(serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let lines = Lines::read(serving.0.stdout.take().unwrap());
    let said = Lines::read(serving.0.stderr.take().unwrap());
    let first = lines.find(|lines| {
        lines
            .iter()
            .any(|line| line.contains("Ctrl-C stops"))
            .then(|| lines[0].replace("localhost", "127.0.0.1"))
    });
    let first = first.unwrap_or_else(|| panic!("it did not start:\n{}\n{}", lines.text(), said.text()));
    let (_, addr) = first.split_once("://").unwrap();
    let addr: String = addr.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    let addr: SocketAddr = addr.trim_end_matches([':', '.']).parse().unwrap();
    assert_eq!(status_of(addr, "GET /users/alice/a.txt HTTP/1.1"), "HTTP/1.1 401 Unauthorized");
    // The whole line of the header.
    let line =
        |name: &str| fs::read_to_string(bare.path("local/tokens").join(name)).unwrap().trim().to_owned();
    for (name, status) in [("alice", "HTTP/1.1 403 Forbidden"), ("admin", "HTTP/1.1 404 Not Found")] {
        assert_eq!(status_of(addr, &format!("GET /nothing/here HTTP/1.1\r\n{}", line(name))), status);
    }
}
