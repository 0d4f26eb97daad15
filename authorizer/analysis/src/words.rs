//! What a rule asks for, and what a request is, in words, for those who read a report.

use authorizer_core::UnixTime;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::rules::{ClaimTest, Condition, MetadataTerm, Period, Rule, RulePart};
use jiff::Timestamp;
use serde_json::Value;

use crate::engine::Witness;

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
            RulePart::Overrides(_) | RulePart::Parameters(_) => {}
            RulePart::Conditions(conditions) => phrases.extend(conditions.iter().map(condition)),
            RulePart::Sources(networks) => sources.extend(networks.map(|networks| {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                format!("from {}", networks.join(" or "))
            })),
            RulePart::Hosts(hosts) => sources.extend(hosts.map(|hosts| {
                let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
                format!("on host {}", hosts.join(" or "))
            })),
            RulePart::Period(Period { not_before, not_after }) => {
                terms.extend(not_before.map(|first| format!("from {} on", instant_in_words(first))));
                terms.extend(not_after.map(|end| format!("before {}", instant_in_words(end))));
            }
            RulePart::Checksums(checksums) => {
                if !checksums.is_empty() && operations.any(S3Operation::is_upload) {
                    terms.push(format!("with a checksum by {checksums}, or without"));
                }
            }
            RulePart::MaxBytes(most) => {
                if operations.any(S3Operation::has_length) {
                    terms.extend(most.map(|most| format!("at most {}", bytes_in_words(most))));
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

/// A request, part by part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestInWords {
    /// The method, the path and the query.
    pub line: String,
    /// The address that it comes from, and when.
    pub origin: String,
    /// A line for each header.
    pub headers: Vec<String>,
    /// The claims of its token, or that there is none.
    pub token: String,
}

impl RequestInWords {
    /// The parts, one below the other.
    pub fn lines(self) -> impl Iterator<Item = String> {
        [self.line, self.origin].into_iter().chain(self.headers).chain([self.token])
    }
}

/// The request that shows something.
pub fn request_in_words(witness: &Witness) -> RequestInWords {
    let query = match witness.querystring.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let at = match witness.at.as_seconds() {
        u64::MAX => "by a clock that says nothing".to_owned(),
        _ => format!("at {}", instant_in_words(witness.at)),
    };
    RequestInWords {
        line: format!("{} {}{query}", witness.method, witness.uri),
        origin: format!("from {} {at}", witness.source),
        headers: witness.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        token: match (&witness.claims, &witness.token_type) {
            (None, _) => "without a token".to_owned(),
            (Some(claims), None) => format!("token {}", Value::from(claims.clone())),
            (Some(claims), Some(token_type)) => {
                format!("token typ {} {}", Value::from(token_type.as_str()), Value::from(claims.clone()))
            }
        },
    }
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
        ClaimTest::StartsWith(beginning) => format!("{claim} starts with {beginning:?}"),
        ClaimTest::Present(true) => format!("{claim} is there"),
        ClaimTest::Present(false) => format!("{claim} is not there"),
    }
}

/// A text of a policy on one line: what cannot be seen, or would begin a line, is written as an escape.
pub fn on_one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

/// A number of bytes in the largest unit that says it exactly: `10 MB`, `1.5 MB`, `64 KiB`, `1,234,567 bytes`.
///
/// The units are those of the SI (kB, MB, GB) and of IEC 80000-13 (KiB, MiB, GiB).
pub fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 8] = [
        (1 << 40, "TiB"),
        (1_000_000_000_000, "TB"),
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "kB"),
    ];
    let tenths = u128::from(bytes).saturating_mul(10);
    for (unit, name) in UNITS {
        if bytes < unit || !tenths.is_multiple_of(unit.into()) {
            continue;
        }
        let whole = in_thousands(bytes.checked_div(unit).unwrap_or(bytes));
        let tenth = tenths.checked_div(unit.into()).and_then(|tenths| tenths.checked_rem(10));
        return match tenth.unwrap_or_default() {
            0 => format!("{whole} {name}"),
            tenth => format!("{whole}.{tenth} {name}"),
        };
    }
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{} bytes", in_thousands(bytes)),
    }
}

/// The digits of a number in groups of three.
fn in_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (after, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if after > 0 && after.is_multiple_of(3) {
            grouped.push(',');
        }
    }
    grouped
}

/// An instant as RFC 3339 has it.
pub fn instant_in_words(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_seconds()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds}"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bytes_in_words, request_in_words};
    use crate::engine::{Bounds, Engine, Question, RuleRef, Token, Who};
    use crate::posed::POSED_HOST;
    use crate::sample::authorizer_of;
    use authorizer_core::operation::S3Operation;

    #[test]
    fn a_request_has_its_host_if_a_rule_of_the_policy_has_hosts() {
        let of = |hosts: Option<&str>| {
            let rule = |id: &str| json!({"id": id, "effect": "allow", "methods": ["GET"], "keys": [format!("{id}/**")], "anonymous": true});
            let mut one = rule("one");
            if let Some(host) = hosts {
                one["hosts"] = json!([host]);
            }
            let authorizer = authorizer_of(json!({"version": 1, "issuers": [], "rules": [one, rule("two")]}));
            let sides = [&authorizer];
            let question = Question {
                operation: S3Operation::GetObject,
                who: &Who::Anonymous,
                bounds: &Bounds::default(),
                tokens: &[Token::Valid],
                require: &[RuleRef { side: 0, rule: 1 }],
                exclude: &[],
                within: None,
                difference: None,
            };
            request_in_words(&Engine::new(&sides).find(&question).unwrap().unwrap()).headers
        };
        assert_eq!(of(None), Vec::<String>::new());
        assert_eq!(of(Some("a.example.com")), [format!("host: {POSED_HOST}")]);
        assert_eq!(of(Some(POSED_HOST)), ["host: files.example.net"]);
    }

    #[test]
    fn bytes_are_said_in_the_largest_unit_that_is_exact() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (1_024, "1 KiB"),
            (1_536, "1.5 KiB"),
            (1_234_567, "1,234,567 bytes"),
            (10_000_000, "10 MB"),
            (10_485_760, "10 MiB"),
            (10_485_761, "10,485,761 bytes"),
            (1_500_000, "1.5 MB"),
            (5_000_000_000, "5 GB"),
            (5_368_709_120, "5 GiB"),
            (1_048_576_000_000, "1,000,000 MiB"),
            (u64::MAX, "18,446,744,073,709,551,615 bytes"),
        ] {
            assert_eq!(bytes_in_words(bytes), words, "{bytes}");
        }
    }
}
