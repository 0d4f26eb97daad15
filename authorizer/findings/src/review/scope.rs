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
        0 => "It gave up on no rule.".to_owned(),
        1 => "It gave up on one rule; finding `EA019` names it.".to_owned(),
        more => format!("It gave up on {more} rules; the findings `EA019` name them."),
    };
    vec![
        "The permissions are exact. The analysis searches all requests, not a sample: each row that allows was proved by \
         a request on which the function's own code decided, and every request that is let in is of one of these rows. \
         A row holds for some keys of its pattern at least; what a deny rule keeps out of it is named. The rows that deny \
         are the deny rules as they are written. How, and within what limits: `docs/audit/exactness.md`."
            .to_owned(),
        format!(
            "The findings are those of {checks} checks, held against the policy, its issuers and the keys of its files, at \
             the instant above. Which of them rest on the same analysis, and which read the policy as it is written: \
             `docs/audit/README.md`. {gave_up}"
        ),
        "The rules and all that stands below them are the policy file's. The bundle's SHA-256 is that of the policy that \
         decides: the function writes it on every line of its decision log, so a log tells whether what was reviewed is \
         what decides."
            .to_owned(),
    ]
}

/// What was not looked at, or is taken for granted.
pub(super) fn not_checked() -> [&'static str; 5] {
    [
        "What is deployed: the distribution, the bucket, its policy and its key. This is a report on a policy.",
        "Keys that an issuer publishes at a URL: the report asks nobody. Only the keys of files are in it.",
        "Who can get a token: a signature is taken to hold, so a row says what a token with these claims may do.",
        "Whether an object is there, and what CloudFront lets through before the function. Requests longer than CloudFront \
         takes are not told apart from others.",
        "The times of rules: a rule whose period is over or to come is in the table, with its period.",
    ]
}
