//! What a rule asks for, in words, for those who read a report.

use authorizer_core::UnixTime;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::rules::{ClaimTest, Condition, MetadataTerm, Rule};
use jiff::Timestamp;

/// What a rule asks for beside its keys, its operations and whom it speaks of; each a phrase, in a fixed order. Of
/// the terms, those that are of one of the operations.
pub fn conditions_in_words(rule: &Rule, operations: OperationSet) -> Vec<String> {
    let mut phrases: Vec<String> = rule.conditions().iter().map(condition).collect();
    phrases.extend(rule.sources().map(|sources| {
        let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
        format!("from {}", sources.join(" or "))
    }));
    phrases.extend(rule.period().not_before.map(|first| format!("from {} on", instant(first))));
    phrases.extend(rule.period().not_after.map(|end| format!("before {}", instant(end))));
    let of = |some: &[S3Operation]| some.iter().any(|operation| operations.contains(*operation));
    let terms = rule.terms();
    if of(&[S3Operation::PutObject, S3Operation::UploadPart, S3Operation::CompleteMultipartUpload]) {
        phrases.extend(terms.max_bytes.map(|most| format!("at most {most} bytes")));
    }
    if of(&[S3Operation::PutObject, S3Operation::CreateMultipartUpload]) {
        phrases.extend(terms.content_types.as_ref().map(|types| {
            let types: Vec<String> = types.iter().map(ToString::to_string).collect();
            format!("of type {}", types.join(" or "))
        }));
        phrases.extend(terms.metadata.iter().map(|(name, term)| match term {
            MetadataTerm::Any => format!("with metadata {name} or without"),
            MetadataTerm::Claim(claim) => format!("with metadata {name} = {{{claim}}}"),
            MetadataTerm::Literal(text) => format!("with metadata {name} = {text:?}"),
        }));
    }
    if terms.create_only && of(&[S3Operation::PutObject, S3Operation::CompleteMultipartUpload]) {
        phrases.push("nothing overwritten".to_owned());
    }
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
