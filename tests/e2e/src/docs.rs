//! The policies in the documentation.

use std::fs;

use crate::binaries::root;

/// The TOML blocks of docs/providers.md, each with the heading of its section.
pub fn provider_blocks() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("docs/providers.md")).unwrap();
    let mut blocks = Vec::new();
    let mut heading = String::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line) {
            (Some(_), "```") => blocks.push((heading.clone(), block.take().unwrap())),
            (Some(inside), line) => {
                inside.push_str(line);
                inside.push('\n');
            }
            (None, "```toml") => block = Some(String::new()),
            (None, line) => {
                if let Some(name) = line.strip_prefix("## ") {
                    heading = name.to_owned();
                }
            }
        }
    }
    assert!(block.is_none(), "the last block does not end");
    blocks
}
