//! The code writes the parts of the documentation that repeat it.
//!
//! `make generate` runs these tests with `UPDATE_DOCS=1`: each then writes the text that it otherwise compares with the
//! committed copy.

mod command_line;
mod findings;
mod formats;
mod providers;
mod reasons;
pub(crate) mod schemas;

use std::fs;
use std::path::Path;

use crate::harness::ROOT;

/// Compares a file with the text from the code or, with `UPDATE_DOCS=1`, writes it.
#[track_caller]
pub(crate) fn holds(path: &str, expected: &str) {
    let file = Path::new(ROOT).join(path);
    let committed = fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "CI compares, and does not write");
        if committed != expected {
            fs::write(&file, expected).unwrap();
        }
        return;
    }
    let lines = committed.lines().zip(expected.lines());
    let same = lines.take_while(|(committed, expected)| committed == expected).count();
    assert!(
        committed == expected,
        "{path} differs from the code, from line {}: run `make generate`",
        same + 1
    );
}

/// A page with another part of this name: the lines between `<!-- generated: NAME, by ... -->` and
/// `<!-- end of what is generated -->`.
fn with_part(page: &str, name: &str, part: &str) -> String {
    let begins = format!("<!-- generated: {name}, by `make generate` -->\n");
    let (before, rest) = page.split_once(&begins).unwrap_or_else(|| panic!("no `{}`", begins.trim_end()));
    let (_, after) = rest.split_once("<!-- end of what is generated -->").unwrap();
    format!("{before}{begins}\n{part}\n<!-- end of what is generated -->{after}")
}
