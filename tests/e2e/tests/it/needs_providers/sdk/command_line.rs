//! AWS's command line, versions 1 and 2.

use std::fs;

use authorizer_e2e::sdk::CommandLine;
use authorizer_e2e::stage::Stage;

use super::{digest_of, fill};

#[test]
fn the_command_line_copies_lists_and_removes_and_gets_no_further() {
    copies_lists_and_removes(CommandLine::V1, &Stage::start());
}

#[test]
fn over_https_it_does_the_same() {
    copies_lists_and_removes(CommandLine::V1, &Stage::start_https());
}

#[test]
fn so_does_version_2() {
    copies_lists_and_removes(CommandLine::V2, &Stage::start());
}

#[test]
fn so_does_version_2_over_https() {
    copies_lists_and_removes(CommandLine::V2, &Stage::start_https());
}

fn copies_lists_and_removes(aws: CommandLine, stage: &Stage) {
    if !aws.is_installed() {
        return;
    }
    let (alice, bob) = (stage.token("alice"), stage.token("bob"));
    let (up, down) = (stage.folder().join("up"), stage.folder().join("down"));
    let (up_name, down_name) = (up.to_str().unwrap(), down.to_str().unwrap());
    let sha256 = fill(&up, 20_000_000);
    let well = |token: &str, arguments: &[&str]| {
        let (well, text) = aws.run(stage, token, arguments);
        assert!(well, "{arguments:?}: {text}");
        text
    };
    let object = "s3://files/users/alice/a film.bin";
    well(&alice, &["s3", "cp", "--no-progress", up_name, object]);
    assert_eq!(digest_of(&stage.file("users/alice/a film.bin")), sha256);
    well(&alice, &["s3", "cp", "--no-progress", object, down_name]);
    assert_eq!(digest_of(&down), sha256);
    let listed = well(&alice, &["s3", "ls", "s3://files/users/alice/"]);
    assert!(listed.contains("20000000 a film.bin"), "{listed}");

    let tree = stage.folder().join("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    fs::write(tree.join("deep/a+b é.txt"), "hers").unwrap();
    let (tree, copy) = (tree.to_str().unwrap(), stage.folder().join("copy"));
    well(&alice, &["s3", "sync", tree, "s3://files/users/alice/tree/"]);
    well(&alice, &["s3", "sync", "s3://files/users/alice/tree/", copy.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(copy.join("deep/a+b é.txt")).unwrap(), "hers");
    well(&alice, &["s3", "rm", "--recursive", "s3://files/users/alice/tree/"]);

    // Requests for bob's objects, or for other operations, do not reach S3.
    stage.bucket_log();
    fs::remove_file(&down).unwrap();
    for (token, arguments) in [
        (&bob, ["s3", "cp", object, down_name]),
        (&bob, ["s3", "cp", up_name, object]),
        (&bob, ["s3", "ls", "--recursive", "s3://files/users/alice/"]),
        (&bob, ["s3", "rm", "--only-show-errors", object]),
        (&alice, ["s3", "ls", "--recursive", "s3://files/users/"]),
        (&bob, ["s3", "cp", object, "s3://files/users/bob/stolen"]),
    ] {
        let (well, text) = aws.run(stage, token, &arguments);
        assert!(!well, "{arguments:?}: {text}");
        // What comes before a copy is HEAD, whose answer has no body.
        let says = ["(403)", "(AccessDenied)"].iter().any(|said| text.contains(said));
        assert!(says, "{arguments:?}: {text}");
        assert!(stage.bucket_log().is_empty(), "{arguments:?}");
    }
    assert!(!down.exists());
    well(&alice, &["s3", "rm", object]);
    assert_eq!(stage.bucket_lines(), ["DeleteObject /users/alice/a%20film.bin 204"]);
    assert!(stage.keys().is_empty());
}
