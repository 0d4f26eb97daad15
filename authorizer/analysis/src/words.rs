//! The conditions of a rule, in words, for the readers of a report.

use authorizer_core::UnixTime;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::rules::{ClaimTest, Condition, MetadataTerm, Period, Rule, RulePart};
use jiff::Timestamp;

/// The conditions of a rule besides its keys, operations and principals, each as a phrase, in a fixed order. Includes
/// only the terms that apply to one of the operations.
pub fn conditions_in_words(rule: &Rule, operations: OperationSet) -> Vec<String> {
    // The conditions and the addresses come before the period.
    let (mut phrases, mut sources, mut terms) = (Vec::new(), Vec::new(), Vec::new());
    for part in rule.parts() {
        match part {
            // The readers of the phrases see these next to them.
            RulePart::Effect(_) | RulePart::Operations(_) | RulePart::Principals(_) | RulePart::Keys(_) => {}
            // They allow something, and are not conditions.
            RulePart::Overrides(_) | RulePart::Checksums(_) => {}
            RulePart::Conditions(conditions) => phrases.extend(conditions.iter().map(condition)),
            RulePart::Sources(networks) => sources.extend(networks.map(|networks| {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                format!("from {}", networks.join(" or "))
            })),
            RulePart::Period(Period { not_before, not_after }) => {
                terms.extend(not_before.map(|first| format!("from {} on", instant(first))));
                terms.extend(not_after.map(|end| format!("before {}", instant(end))));
            }
            RulePart::MaxBytes(most) => {
                if operations.any(S3Operation::has_length) {
                    terms.extend(most.map(|most| format!("at most {most} bytes")));
                }
            }
            RulePart::ContentTypes(types) => {
                if operations.any(S3Operation::describes_object) {
                    terms.extend(types.map(|types| {
                        let types: Vec<String> = types.iter().map(ToString::to_string).collect();
                        format!("of type {}", types.join(" or "))
                    }));
                }
            }
            RulePart::Metadata(metadata) => {
                if operations.any(S3Operation::describes_object) {
                    terms.extend(metadata.iter().map(|(name, term)| match term {
                        MetadataTerm::Any => format!("with metadata {name} or without"),
                        MetadataTerm::Claim(claim) => format!("with metadata {name} = {{{claim}}}"),
                        MetadataTerm::Literal(text) => format!("with metadata {name} = {text:?}"),
                    }));
                }
            }
            RulePart::CreateOnly(is_so) => {
                if is_so && operations.any(S3Operation::creates_object) {
                    terms.push("nothing overwritten".to_owned());
                }
            }
        }
    }
    phrases.append(&mut sources);
    phrases.append(&mut terms);
    phrases
}

fn condition(condition: &Condition) -> String {
    let claim = &condition.claim;
    match &condition.test {
        ClaimTest::Equals(value) => format!("{claim} is {value}"),
        ClaimTest::Any(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{claim} is {}", values.join(" or "))
        }
        ClaimTest::Has(word) => format!("{claim} has {word:?}"),
        ClaimTest::Present(true) => format!("{claim} is there"),
        ClaimTest::Present(false) => format!("{claim} is not there"),
    }
}

fn instant(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_seconds()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds}"), |at| at.to_string())
}
