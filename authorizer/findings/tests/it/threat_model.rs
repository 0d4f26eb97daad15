//! The threat model names a test for each defence of the sign-in, and each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::root;

/// The names of all functions of the sources below a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_built = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
        if path.is_dir() && !is_built {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let of_line = |line: &str| {
                let (_, rest) = line.split_once("fn ")?;
                rest.split_once('(').map(|(name, _)| name.to_owned())
            };
            names.extend(text.lines().filter_map(of_line));
        }
    }
}

#[test]
fn every_attack_on_the_sign_in_has_a_defence_and_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let (_, section) = page.split_once("\n## The sign-in at the edge\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut known = BTreeSet::new();
    for folder in ["authorizer", "tests"] {
        functions(&root().join(folder), &mut known);
    }
    let rows: Vec<_> = section.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [attack, defence, tests] = cells.as_slice() else { panic!("{row}") };
        assert!(!attack.is_empty() && !defence.is_empty(), "{row}");
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {attack}");
        for name in named {
            assert!(known.contains(name), "no test is called `{name}`: {attack}");
        }
    }
}
