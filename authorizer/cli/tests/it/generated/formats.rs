//! `docs/formats.md`: what commands write, as examples.

use std::fs;
use std::path::Path;

use super::{holds, with_part};
use crate::harness::{Done, ROOT, authorizer, command_in};

#[test]
fn the_examples_of_output_formats_are_what_the_commands_write() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), "version = 2\n").unwrap();
    let arguments = ["audit", "findings", "--format", "json", "policy.toml"];
    let broken = Done::of(&mut command_in(folder.path(), &arguments)).out;
    let checked = authorizer(&["check", "--format", "json", "fixtures/policies/sample.toml"]).out;
    let mut page = fs::read_to_string(Path::new(ROOT).join("docs/formats.md")).unwrap();
    for (name, out) in [("error", broken), ("check", checked)] {
        page = with_part(&page, name, &format!("```json\n{}\n```\n", out.trim_end()));
    }
    holds("docs/formats.md", &page);
}
