//! The modules in the layout of a Terraform registry ("Standard Module Structure"): each has a README with its inputs and
//! outputs, the examples too, and no file is outside of the folder.

use std::fs;
use std::path::{Path, PathBuf};

use authorizer_e2e::binaries::root;

const MODULES: [&str; 4] = ["", "modules/function", "examples/whole", "examples/function-only"];

fn folder() -> PathBuf {
    root().join("infra/terraform")
}

/// A block of a module's file, as `terraform fmt` writes it.
struct Block {
    name: String,
    lines: Vec<String>,
}

/// The blocks of one kind in a folder's files, by name.
fn blocks(module: &Path, kind: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut files: Vec<_> = fs::read_dir(module).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "tf"));
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix(&format!("{kind} \"")) {
                let name = name.trim_end_matches("\" {").to_owned();
                let inside = lines.by_ref().take_while(|line| *line != "}").map(str::to_owned).collect();
                found.push(Block { name, lines: inside });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

impl Block {
    /// An argument's value on one line; `None` if the block does not have it.
    fn argument(&self, name: &str) -> Option<String> {
        let begins = |line: &&String| {
            line.strip_prefix("  ")
                .is_some_and(|rest| rest.split_once(" = ").is_some_and(|(key, _)| key.trim() == name))
        };
        let at = self.lines.iter().position(|line| begins(&line))?;
        let first = self.lines[at].split_once(" = ").unwrap().1;
        let closing = match first.chars().last().unwrap() {
            '{' | '(' | '[' => |line: &str| line.starts_with("  ") && !line.starts_with("   "),
            'T' if first == "<<-EOT" => |line: &str| line.trim() == "EOT",
            _ => return Some(first.trim_matches('"').to_owned()),
        };
        let rest = &self.lines[at + 1..];
        let end = rest.iter().position(|line| closing(line)).unwrap();
        let inside = rest[..end].iter().map(|line| line.trim().replace("   ", " "));
        if first == "<<-EOT" {
            return Some(inside.collect::<Vec<_>>().join(" "));
        }
        let words = inside.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let words: Vec<_> = words.map(|word| word.trim_end_matches(',').to_owned()).collect();
        Some(format!("{first} {} {}", words.join(", "), rest[end].trim()))
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn inputs(module: &Path) -> String {
    let variables = blocks(module, "variable");
    let mut table = "| name | what | type | default |\n| --- | --- | --- | --- |\n".to_owned();
    for variable in variables {
        let said =
            |name: &str| variable.argument(name).unwrap_or_else(|| panic!("{}: no {name}", variable.name));
        let default = match variable.argument("default") {
            None => "required".to_owned(),
            // A text without quotes: the empty one, and words.
            Some(text) if text.is_empty() => "`\"\"`".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        table += &format!(
            "| `{}` | {} | `{}` | {default} |\n",
            variable.name,
            cell(&said("description")),
            said("type")
        );
    }
    table
}

fn outputs(module: &Path) -> String {
    let mut table = "| name | what |\n| --- | --- |\n".to_owned();
    for output in blocks(module, "output") {
        let said =
            output.argument("description").unwrap_or_else(|| panic!("{}: no description", output.name));
        table += &format!("| `{}` | {} |\n", output.name, cell(&said));
    }
    table
}

fn with_part(page: &str, name: &str, part: &str) -> String {
    let begins = format!("<!-- generated: {name}, by `make generate` -->\n");
    let (before, rest) = page.split_once(&begins).unwrap_or_else(|| panic!("no `{begins}`"));
    let (_, after) = rest.split_once("<!-- end of what is generated -->").unwrap();
    format!("{before}{begins}\n{part}\n<!-- end of what is generated -->{after}")
}

#[test]
fn each_module_and_example_has_its_inputs_and_outputs_in_its_readme() {
    for module in MODULES {
        let module = folder().join(module);
        let readme = module.join("README.md");
        let page = fs::read_to_string(&readme).unwrap();
        let expected = with_part(&with_part(&page, "inputs", &inputs(&module)), "outputs", &outputs(&module));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&readme, &expected).unwrap();
        }
        let committed = fs::read_to_string(&readme).unwrap();
        assert!(committed == expected, "{}: run this test with UPDATE_DOCS=1", readme.display());
        // Nothing is left out by the reader of blocks.
        let variables = fs::read_dir(&module).unwrap().map(|entry| entry.unwrap().path());
        let files = variables.filter(|file| file.extension().is_some_and(|end| end == "tf"));
        let text: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
        for kind in ["variable", "output"] {
            let there = text.lines().filter(|line| line.starts_with(&format!("{kind} "))).count();
            assert_eq!(blocks(&module, kind).len(), there, "{kind} of {}", module.display());
        }
    }
}

#[test]
fn the_module_is_laid_out_as_a_registry_reads_it_and_needs_no_file_outside_of_its_folder() {
    for file in ["main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "LICENSE"] {
        assert!(folder().join(file).is_file(), "{file}");
    }
    let same = |one: PathBuf, other: PathBuf| {
        assert_eq!(fs::read(&one).unwrap(), fs::read(other).unwrap(), "{one:?}")
    };
    same(folder().join("LICENSE"), root().join("LICENSE"));
    // The copies are the published policies.
    let mut policies = 0;
    for entry in fs::read_dir(root().join("infra/policies")).unwrap() {
        let entry = entry.unwrap();
        same(folder().join("policies").join(entry.file_name()), entry.path());
        policies += 1;
    }
    assert_eq!(fs::read_dir(folder().join("policies")).unwrap().count(), policies);
    for module in ["", "modules/function"] {
        for entry in fs::read_dir(folder().join(module)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "tf") {
                assert!(!fs::read_to_string(&path).unwrap().contains("../"), "{}", path.display());
            }
        }
    }
}
