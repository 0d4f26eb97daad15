//! The list of S3's checksums: one in the core, and the same in AWS's service model and in what is deployed.

use std::collections::BTreeSet;

use authorizer_core::checksum::ChecksumAlgorithm;

/// Each header of each operation of S3, from botocore's service model.
const MODEL: &str = include_str!("../../../../fixtures/s3-model.tsv");
const STACK: &str = include_str!("../../../../infra/cloudformation/stack.yaml");
const TERRAFORM: &str = include_str!("../../../../infra/terraform/variables.tf");
const SCRIPT: &str = include_str!("../../../../infra/parameters");

/// What stands between two texts, the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[test]
fn the_list_of_checksums_is_the_same_everywhere() {
    let words: BTreeSet<&str> = ChecksumAlgorithm::ALL.into_iter().map(ChecksumAlgorithm::word).collect();
    let others = ["algorithm", "mode", "type"];

    let headers = MODEL.lines().filter_map(|line| line.split('\t').nth(1)?.strip_prefix("x-amz-checksum-"));
    let headers: BTreeSet<&str> = headers.filter(|name| !others.contains(name)).collect();
    assert_eq!(headers, words, "botocore");

    for (name, text) in [("stack.yaml", STACK), ("variables.tf", TERRAFORM)] {
        let listed: BTreeSet<&str> = between(text, "checksum-(", ")").split('|').collect();
        let expected = words.iter().copied().chain(others).collect();
        assert_eq!(listed, expected, "{name}");
    }

    // In the same order: `checksums = true` takes the first of them.
    let listed: Vec<&str> = between(SCRIPT, "\nCHECKSUMS = \"", "\"").split(' ').collect();
    assert_eq!(listed, ChecksumAlgorithm::ALL.map(ChecksumAlgorithm::word), "infra/parameters");
}
