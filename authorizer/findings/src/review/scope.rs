//! What a report rests on, in words: what is between backticks is code.

use crate::catalogue::catalogue;

use super::model::Review;

/// What the policy has, in a sentence.
pub(super) fn summary_words(review: &Review) -> String {
    let some = |count: usize, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    };
    let keys = review.issuers.iter().map(|issuer| issuer.keys.len()).sum();
    format!(
        "The policy has {} and {}, {} and {} in its files.",
        some(review.counts.allow, "rule that allows", "rules that allow"),
        some(review.counts.deny, "that denies", "that deny"),
        some(review.issuers.len(), "issuer", "issuers"),
        some(keys, "key", "keys"),
    )
}

/// What was looked at, and how.
pub(super) fn checked(review: &Review) -> Vec<String> {
    let checks = catalogue().policy.len();
    let gave_up = review.findings.findings().iter().filter(|one| one.check.id == "EA019").count();
    let gave_up = match gave_up {
        0 => "The analysis finished for every rule.".to_owned(),
        1 => "The analysis did not finish for one rule; finding `EA019` names it.".to_owned(),
        more => format!("The analysis did not finish for {more} rules; the findings `EA019` name them."),
    };
    vec![
        "The permissions are exact. The analysis searches all requests, not a sample. For each row that allows, the \
         function's own code decided a request that shows it, and every allowed request belongs to one of these rows. \
         A row holds for at least some keys of its pattern; it names the deny rules that take keys out of it. The rows \
         that deny are the deny rules as they are written. `authorizer help exactness` says how, and where the limits are."
            .to_owned(),
        format!(
            "{checks} checks were made on the policy, its issuers and the keys of its files, as of the time above. \
             `authorizer help findings` says which of them use the same analysis, and which read the policy as it is \
             written. {gave_up}"
        ),
        "The rules and the settings below them are those of the policy file. The SHA-256 of the bundle is on every line \
         of the function's decision log: it shows whether the reviewed policy is the one that decides."
            .to_owned(),
    ]
}

/// What was not looked at, or is taken for granted.
pub(super) fn not_checked() -> [&'static str; 5] {
    [
        "The deployment: the distribution, the bucket, its policy and its key. This is a report on a policy.",
        "Keys that an issuer publishes at a URL: the report fetches nothing. It contains only the keys of files.",
        "Who can get a token: the report assumes that a signature is valid, so a row says what a token with these claims \
         may do.",
        "Whether an object exists, and what CloudFront lets through before the function. The report does not consider \
         CloudFront's limits on the length of a request.",
        "The times of rules: a rule whose period has ended or has not begun is in the table, with its period.",
    ]
}
