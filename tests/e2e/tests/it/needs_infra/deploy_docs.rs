//! docs/deploy.md names only parameters, targets, scripts, log fields and reasons that exist.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use authorizer_e2e::binaries::root;
use authorizer_e2e::cloudformation::{linter, template};

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The texts between backticks, on one line each.
fn quoted(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// The blocks without a language: queries of CloudWatch Logs Insights.
fn queries(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<(bool, String)> = None;
    for line in text.lines() {
        match &mut block {
            Some((is_query, inside)) if line == "```" => {
                if *is_query {
                    blocks.push(std::mem::take(inside));
                }
                block = None;
            }
            Some((_, inside)) => {
                inside.push_str(line);
                inside.push('\n');
            }
            None => {
                if let Some(language) = line.strip_prefix("```") {
                    block = Some((language.is_empty(), String::new()));
                }
            }
        }
    }
    blocks
}

#[test]
fn every_parameter_and_output_that_it_names_is_one_of_the_template() {
    let Some(linter) = linter() else { return };
    let templates = ["stack.yaml", "function.yaml"].map(|name| template(linter, name));
    let known = |name: &str| {
        let sections = templates.iter().flat_map(|one| [&one["Parameters"], &one["Outputs"]]);
        sections.into_iter().any(|section| section.get(name).is_some())
    };
    let page = text("docs/deploy.md");
    let table = page.split("| parameter | |").nth(1).unwrap().split("\n\n").next().unwrap();
    let named: Vec<&str> = table.lines().filter_map(|row| row.split('|').nth(1)).flat_map(quoted).collect();
    assert!(named.len() >= 8, "{named:?}");
    for name in named.iter().chain(&["KeyIsFor", "DomainName", "DistributionId", "Listing"]) {
        assert!(known(name), "{name}");
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}

#[test]
fn every_query_asks_for_fields_that_the_log_has() {
    let log = text("docs/decision-log.md");
    let mut known: BTreeSet<&str> =
        log.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    // The fields of a function that cannot start, and CloudWatch's own.
    known.extend(["event", "message", "@timestamp"]);
    // Those of Lambda's own line at the end of a request, in JSON.
    known.extend(["type", "record", "metrics", "durationMs", "initDurationMs", "maxMemoryUsedMB"]);
    let words = [
        "filter",
        "stats",
        "fields",
        "sort",
        "by",
        "as",
        "asc",
        "desc",
        "and",
        "in",
        "like",
        "count",
        "min",
        "max",
        "pct",
        "bin",
        "ispresent",
    ];
    let queries = queries(&text("docs/deploy.md"));
    assert!(queries.len() >= 9, "{queries:?}");
    for query in &queries {
        let mut names: BTreeSet<String> = BTreeSet::new();
        // Strings and patterns are values; the word after `as` is a new name.
        let bare: String = query.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let bare: Vec<&str> =
            bare.lines().map(|line| line.split("like /").next().unwrap_or_default()).collect();
        let bare = bare.join("\n");
        let tokens: Vec<&str> = bare
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@'))
            .filter(|t| !t.is_empty())
            .collect();
        let given: BTreeSet<&str> =
            tokens.windows(2).filter(|pair| pair[0] == "as").map(|pair| pair[1]).collect();
        for token in tokens {
            let is_number = token.starts_with(|c: char| c.is_ascii_digit());
            if !(words.contains(&token) || given.contains(token) || is_number) {
                names.insert(token.to_owned());
            }
        }
        for name in names {
            assert!(known.contains(name.as_str()), "{name} in\n{query}");
        }
        for value in
            query.split('"').skip(1).step_by(2).filter(|value| value.contains('_') && !value.contains("=="))
        {
            assert!(log.contains(value), "{value} in\n{query}");
        }
    }
}

#[test]
fn every_target_and_script_that_it_names_is_there() {
    let makefile = text("Makefile");
    let page = text("docs/deploy.md");
    let mut targets = 0;
    for rest in page.split("make ").skip(1) {
        let target: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        if ["deploy", "attach", "detach", "run"].contains(&target.as_str()) {
            assert!(makefile.contains(&format!("\n{target}:")), "{target}");
            targets += 1;
        }
    }
    assert!(targets >= 6, "{targets}");
    for script in ["deploy", "attach", "smoke", "parameters", "logs", "alarms"] {
        assert!(page.contains(&format!("infra/{script}")), "{script}");
        assert!(root().join("infra").join(script).is_file(), "{script}");
    }
    for link in page.split("](../").skip(1) {
        let path = link.split([')', '#']).next().unwrap();
        assert!(root().join(path).exists(), "{path}");
    }
}

/// Runs `make` for a target: its exit status and its output.
fn make(arguments: &[&str]) -> (i32, String) {
    let mut make = Command::new("make");
    // Without the settings of a `make` that runs the tests.
    make.args(arguments)
        .current_dir(root())
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .env_remove("POLICY");
    let output = make.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

#[test]
fn make_deploy_checks_before_it_acts_in_this_order() {
    let (status, text) = make(&["--dry-run", "deploy", "POLICY=a.toml"]);
    assert_eq!(status, 0, "{text}");
    let mut rest = text.as_str();
    for step in [
        "authorizer check a.toml",
        "authorizer test --policy a.toml",
        "authorizer audit findings a.toml",
        "package --policy a.toml",
        "infra/deploy dist/authorizer.zip",
    ] {
        (_, rest) =
            rest.split_once(step).unwrap_or_else(|| panic!("{step} is not where it should be:\n{text}"));
    }
}

#[test]
fn make_deploys_and_attaches_no_policy_that_was_not_named() {
    for target in ["deploy", "attach"] {
        // Without a build, which this test does not need.
        let (status, text) = make(&["--old-file=build", target, "AUTHORIZER=false"]);
        assert_eq!(status, 2, "{text}");
        assert!(text.contains(&format!("make {target}: set POLICY=...")), "{text}");
        assert!(!text.contains("infra/"), "{text}");
    }
}
