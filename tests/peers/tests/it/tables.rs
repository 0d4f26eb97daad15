//! `tests/bench/tables`, over estimates as Criterion writes them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use authorizer_e2e::binaries::root;
use authorizer_e2e::skipped::skip;
use serde_json::{Value, json};

fn estimate(folder: &Path, name: [&str; 3], throughput: Value, nanoseconds: f64) {
    let folder = folder.join(name.join("-")).join("new");
    fs::create_dir_all(&folder).unwrap();
    let [group, function, value] = name.map(|part| Some(part).filter(|part| !part.is_empty()));
    let benchmark =
        json!({"group_id": group, "function_id": function, "value_str": value, "throughput": throughput});
    fs::write(folder.join("benchmark.json"), benchmark.to_string()).unwrap();
    let estimates = json!({"median": {"point_estimate": nanoseconds}});
    fs::write(folder.join("estimates.json"), estimates.to_string()).unwrap();
}

fn tables(folder: &Path) -> Output {
    Command::new("python3").arg(root().join("tests/bench/tables")).arg(folder).output().unwrap()
}

#[test]
fn the_tables_have_the_medians_of_the_benches_and_their_ratios() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("the tables of the benches: python3 is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let nothing = tables(folder.path());
    assert!(!nothing.status.success() && nothing.stdout.is_empty(), "{nothing:?}");

    for (kind, time) in [("bare", 16_000.0), ("new", 18_400.0), ("repeated", 2_500.0)] {
        estimate(folder.path(), ["algorithm", kind, "RS256"], Value::Null, time);
    }
    for (rules, time) in [("10", 900.0), ("100", 1_000.0), ("1000", 1_500.0), ("10000", 2_400.0)] {
        estimate(folder.path(), ["rules", "allowed", rules], Value::Null, time);
    }
    estimate(folder.path(), ["outcome", "forwarded", ""], Value::Null, 2_000_000.0);
    estimate(folder.path(), ["replay", "json", ""], json!({"Elements": 1000}), 1e9);
    let output = tables(folder.path());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for row in [
        "| RS256 | 16.00 us | 18.40 us | 1.15 | 2.50 us |",
        "| allowed | 900 ns | 1.00 us | 1.50 us | 2.40 us | 1.50 us |",
        "| forwarded | 2.00 ms |",
        "| replay json | 1,000 |",
    ] {
        assert!(text.lines().any(|line| line == row), "{row}\n{text}");
    }
}
