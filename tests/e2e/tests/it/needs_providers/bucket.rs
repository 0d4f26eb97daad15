//! The bucket without a distribution, judged by programs that were not written here: the suite of `object_store`, and
//! rclone.

use std::fs;
use std::process::{Command, Output};
use std::sync::Arc;

use authorizer_e2e::tools::installed;
use authorizer_local::{Credentials, EmbeddedS3, Observer, RequestReport};
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: &RequestReport) {}

    fn function_log(&self, _: &str) {}
}

/// A bucket that runs in parallel with the test, which may block.
struct Bucket {
    runtime: Runtime,
    s3: EmbeddedS3,
    credentials: Credentials,
    data: TempDir,
}

impl Bucket {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let credentials = Credentials::random().unwrap();
        let data = tempfile::tempdir().unwrap();
        let start = EmbeddedS3::start(data.path(), "files", &credentials, "us-east-1", Arc::new(Nobody));
        let s3 = runtime.block_on(start).unwrap();
        Self { runtime, s3, credentials, data }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.s3.addr())
    }

    fn stop(self) {
        self.runtime.block_on(self.s3.stop());
    }
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// The tests of the suite that fail, and why that is right.
const EXPECTED: [(&str, &str); 0] = [];

/// How many tests the suite has in each of its three modes: without checksums, with SHA-256, and with CRC64NVME.
const TESTS: usize = 18;

#[test]
fn the_suite_of_object_store_passes() {
    let Some(folder) = installed("s3-suite", "the suite of object_store") else { return };
    let bucket = Bucket::start();
    let mut suite = Command::new(folder.join("bin/suite"));
    suite.env_clear().args([&bucket.endpoint(), "files"]);
    suite.args([bucket.credentials.access_key(), bucket.credentials.secret_key()]);
    let output = suite.output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed: Vec<&str> = lines.lines().filter_map(|line| line.strip_prefix("failed ")).collect();
    let is_expected = |line: &&&str| !EXPECTED.iter().any(|(name, _)| line.starts_with(&format!("{name}:")));
    let surprises: Vec<_> = failed.iter().filter(is_expected).collect();
    assert!(surprises.is_empty(), "{surprises:#?}\n{}", text(&output));
    assert_eq!(failed.len(), EXPECTED.len() * 3, "one passes that was expected to fail: {lines}");
    assert_eq!(lines.lines().count(), TESTS * 3, "{}", text(&output));
    assert!(output.status.success(), "{}", text(&output));
    bucket.stop();
}

#[test]
fn rclone_checks_and_syncs_the_bucket_itself() {
    let Some(folder) = installed("rclone", "rclone") else { return };
    let bucket = Bucket::start();
    let (home, tree) = (bucket.data.path().join("home"), bucket.data.path().join("tree"));
    fs::create_dir_all(tree.join("a/deep")).unwrap();
    fs::create_dir_all(&home).unwrap();
    let config = home.join("rclone.conf");
    let remote = format!(
        "[s3]\ntype = s3\nprovider = Other\nendpoint = {}\nregion = us-east-1\naccess_key_id = {}\n\
         secret_access_key = {}\nlist_version = 2\nno_check_bucket = true\n",
        bucket.endpoint(),
        bucket.credentials.access_key(),
        bucket.credentials.secret_key()
    );
    fs::write(&config, remote).unwrap();
    let rclone = |arguments: &[&str]| {
        let mut command = Command::new(folder.join("bin/rclone"));
        command.env_clear().env("HOME", &home).arg("--config").arg(&config);
        command.args(["--retries", "1", "--low-level-retries", "1"]).args(arguments).output().unwrap()
    };
    let local = tree.to_str().unwrap();
    for (name, bytes) in [
        ("a.txt", b"a".to_vec()),
        ("a/b.txt", b"b".to_vec()),
        ("a/deep/c+d e\u{e9}.txt", b"c".to_vec()),
        ("empty", Vec::new()),
        ("large", (0..12_000_000_u32).map(|i| (i % 251) as u8).collect()),
    ] {
        fs::write(tree.join(name), bytes).unwrap();
    }
    let long = format!("a/{}", "l".repeat(240));
    fs::write(tree.join(&long), "long").unwrap();
    let sync = ["--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", "sync", local, "s3:files/tree"];
    let check = ["check", "--download", local, "s3:files/tree"];
    let hashes = ["check", local, "s3:files/tree"];
    for round in 0..3 {
        for arguments in [&sync[..], &check, &hashes] {
            let done = rclone(arguments);
            assert!(done.status.success(), "round {round}: {arguments:?}: {}", text(&done));
        }
        // What changed and what is gone goes over too.
        fs::write(tree.join("a/b.txt"), format!("changed {round}")).unwrap();
        let _ = fs::remove_file(tree.join(&long));
        if round == 0 {
            let differs = rclone(&hashes);
            assert!(!differs.status.success(), "{}", text(&differs));
        }
    }
    let listed = rclone(&["lsf", "-R", "--files-only", "s3:files"]);
    let mut names: Vec<String> = text(&listed).lines().map(str::to_owned).collect();
    names.sort();
    assert_eq!(
        names,
        ["tree/a.txt", "tree/a/b.txt", "tree/a/deep/c+d e\u{e9}.txt", "tree/empty", "tree/large"]
    );
    // An object beside a folder of its name, which a file system does not have.
    assert!(rclone(&["copyto", &format!("{local}/a.txt"), "s3:files/tree/a"]).status.success());
    assert_eq!(text(&rclone(&["cat", "s3:files/tree/a"])), "a");
    assert!(text(&rclone(&["cat", "s3:files/tree/a/b.txt"])).starts_with("changed"));
    let purged = rclone(&["delete", "s3:files/tree"]);
    assert!(purged.status.success(), "{}", text(&purged));
    assert_eq!(text(&rclone(&["lsf", "-R", "s3:files"])), "");
    bucket.stop();
}
