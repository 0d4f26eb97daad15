//! What is known of the request that CloudFront makes of S3 or KMS, and what a `Deny` statement makes of it.

use serde_json::Value;

use super::iam::{Effect, Principal, Statement, could_begin, matches};

/// The request of this distribution.
#[derive(Clone, Copy, Debug)]
pub(super) struct OurRequest<'a> {
    /// The distribution's ARN.
    pub(super) distribution: &'a str,
    /// Its account.
    pub(super) account: &'a str,
    /// What it asks for.
    pub(super) kind: RequestKind<'a>,
}

/// What is asked for, as far as condition keys depend on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RequestKind<'a> {
    /// An object, or a key.
    Object,
    /// A listing. The function always sends its prefix, which begins with this text.
    Listing(&'a str),
}

/// Whether a condition or a statement holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Holds {
    No,
    /// It depends on what is not known here.
    Unknown,
    Yes,
}

/// What is known of a condition key.
enum Known<'a> {
    /// The request does not have it.
    Absent,
    /// It has this value.
    Is(&'a str),
    /// It has it, with a value of this version or a newer one.
    AtLeast(f64),
    /// It has it, with a value that begins with this text.
    Begins(&'a str),
    /// It has it, and this is most likely its value.
    Probably(&'a str),
    Unknown,
}

impl OurRequest<'_> {
    /// Whether a statement denies the request, apart from its actions and resources.
    pub(super) fn is_denied(self, statement: &Statement) -> Holds {
        if statement.effect != Effect::Deny || !statement.denies(&Principal::CloudFront) {
            return Holds::No;
        }
        let each = statement.conditions().map(|(operator, key, values)| self.holds(operator, key, values));
        each.min().unwrap_or(Holds::Yes)
    }

    /// Whether the conditions of a statement that allows something hold for the request.
    pub(super) fn is_allowed(self, statement: &Statement) -> Holds {
        let each = statement.conditions().map(|(operator, key, values)| self.holds(operator, key, values));
        each.min().unwrap_or(Holds::Yes)
    }

    /// The condition keys that are not known here.
    pub(super) fn unknown_keys(self, statement: &Statement) -> Vec<String> {
        self.keys_that(statement, Holds::Unknown)
    }

    /// The condition keys of the conditions that hold, do not, or cannot be evaluated.
    pub(super) fn keys_that(self, statement: &Statement, wanted: Holds) -> Vec<String> {
        let those = statement
            .conditions()
            .filter(|(operator, key, values)| self.holds(operator, key, values) == wanted);
        let mut keys: Vec<String> = those.map(|(_, key, _)| key.to_owned()).collect();
        keys.dedup();
        keys
    }

    /// One condition
    /// ([AWS: condition operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html)).
    fn holds(self, operator: &str, key: &str, values: &[Value]) -> Holds {
        let operator = operator.to_ascii_lowercase();
        let (each, operator) = match operator.split_once(':') {
            Some((each, operator)) => (Some(each), operator.to_owned()),
            None => (None, operator.clone()),
        };
        let (operator, if_exists) = match operator.strip_suffix("ifexists") {
            Some(operator) => (operator.to_owned(), true),
            None => (operator, false),
        };
        let known = self.known(&key.to_ascii_lowercase());
        let texts: Vec<String> = values.iter().map(text_of).collect();
        let is_negated = operator.contains("not");
        match (known, operator.as_str()) {
            (Known::Unknown, _) => Holds::Unknown,
            (Known::Absent, "null") => yes(texts.iter().any(|text| text == "true")),
            (Known::Is(_) | Known::AtLeast(_) | Known::Begins(_), "null") => {
                yes(texts.iter().any(|text| text == "false"))
            }
            (Known::Absent, _) if !KNOWN_OPERATORS.contains(&operator.as_str()) => Holds::Unknown,
            (Known::Absent, _) => match each {
                Some("forallvalues") => Holds::Yes,
                Some("foranyvalue") => yes(if_exists),
                _ => yes(if_exists || is_negated),
            },
            (Known::Is(value), operator) => match compare(operator, value, &texts) {
                Some(matched) => yes(matched != is_negated),
                None => Holds::Unknown,
            },
            (Known::AtLeast(version), operator) => at_least(version, operator, &texts),
            (Known::Begins(_), _) if each.is_some() => Holds::Unknown,
            (Known::Begins(start), operator) => begins(start, operator, &texts),
            (Known::Probably(_), "null") => Holds::Unknown,
            (Known::Probably(value), operator) => match compare(operator, value, &texts) {
                Some(true) => yes(!is_negated),
                Some(false) | None => Holds::Unknown,
            },
        }
    }

    /// What the request of CloudFront has under a condition key. The function forwards no `x-amz-*` header but those of
    /// an operation, and CloudFront signs as a service, from no VPC.
    fn known(&self, key: &str) -> Known<'_> {
        match key {
            "aws:securetransport" => Known::Is("true"),
            "aws:sourcearn" => Known::Is(self.distribution),
            "aws:sourceaccount" => Known::Is(self.account),
            "aws:principalisawsservice" => Known::Is("true"),
            "aws:principalservicename" | "aws:principalservicenameslist" => {
                Known::Is("cloudfront.amazonaws.com")
            }
            "aws:viaawsservice" => Known::Is("false"),
            "s3:authtype" => Known::Is("REST-HEADER"),
            "s3:signatureversion" => Known::Is("AWS4-HMAC-SHA256"),
            // AWS's endpoints take nothing older.
            "s3:tlsversion" => Known::AtLeast(1.2),
            "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" | "aws:sourcevpcarn" => Known::Absent,
            // A service is no member of an organization, and has no tags and no MFA.
            "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:multifactorauthpresent"
            | "aws:multifactorauthage" => Known::Absent,
            // The bucket's account, which no export contains. It is the distribution's, as a rule.
            "s3:resourceaccount" | "aws:resourceaccount" => Known::Probably(self.account),
            "s3:prefix" | "s3:delimiter" | "s3:max-keys" => match self.kind {
                RequestKind::Listing(start) if key == "s3:prefix" => Known::Begins(start),
                RequestKind::Listing(_) => Known::Unknown,
                RequestKind::Object => Known::Absent,
            },
            _ if key.starts_with("aws:principaltag/") => Known::Absent,
            _ if ABSENT_HEADERS.contains(&key) => Known::Absent,
            _ if key.starts_with("s3:requestobjecttag") || key.starts_with("s3:x-amz-grant-") => {
                Known::Absent
            }
            _ if key.starts_with("s3:object-lock-") => Known::Absent,
            _ => Known::Unknown,
        }
    }
}

/// Headers that the function refuses or removes on every request.
const ABSENT_HEADERS: [&str; 9] = [
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-acl",
    "s3:x-amz-storage-class",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-website-redirect-location",
    "s3:requestobjecttagkeys",
];

const KNOWN_OPERATORS: [&str; 26] = [
    "stringequals",
    "stringnotequals",
    "stringequalsignorecase",
    "stringnotequalsignorecase",
    "stringlike",
    "stringnotlike",
    "numericequals",
    "numericnotequals",
    "numericlessthan",
    "numericlessthanequals",
    "numericgreaterthan",
    "numericgreaterthanequals",
    "dateequals",
    "datenotequals",
    "datelessthan",
    "datelessthanequals",
    "dategreaterthan",
    "dategreaterthanequals",
    "bool",
    "binaryequals",
    "ipaddress",
    "notipaddress",
    "arnequals",
    "arnlike",
    "arnnotequals",
    "arnnotlike",
];

/// A condition on a version that is this one or newer: only what no newer version can change is said.
fn at_least(version: f64, operator: &str, texts: &[String]) -> Holds {
    let bounds: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
    let Some(bounds) = bounds else { return Holds::Unknown };
    let (up_to, below) =
        (bounds.iter().all(|bound| *bound <= version), bounds.iter().all(|bound| *bound < version));
    match operator {
        "numericlessthan" if up_to => Holds::No,
        "numericlessthanequals" | "numericequals" if below => Holds::No,
        "numericgreaterthanequals" if up_to => Holds::Yes,
        "numericgreaterthan" | "numericnotequals" if below => Holds::Yes,
        _ => Holds::Unknown,
    }
}

/// A condition on a text of which the start is known.
fn begins(start: &str, operator: &str, texts: &[String]) -> Holds {
    let is_pattern = match operator {
        "stringequals" | "stringnotequals" => false,
        "stringlike" | "stringnotlike" => true,
        _ => return Holds::Unknown,
    };
    let whole = format!("{start}*");
    let all = is_pattern && texts.iter().any(|text| matches(text, &whole));
    let any =
        texts.iter().any(|text| if is_pattern { could_begin(text, start) } else { text.starts_with(start) });
    let is_negated = operator.contains("not");
    match (all, any) {
        (true, _) => yes(!is_negated),
        (false, true) => Holds::Unknown,
        (false, false) => yes(is_negated),
    }
}

fn yes(holds: bool) -> Holds {
    if holds { Holds::Yes } else { Holds::No }
}

/// Whether a value is one of the texts, without the `Not` of the operator.
fn compare(operator: &str, value: &str, texts: &[String]) -> Option<bool> {
    let any = |one: fn(&str, &str) -> bool| Some(texts.iter().any(|text| one(text, value)));
    match operator {
        "stringequals" | "stringnotequals" => any(|text, value| text == value),
        "stringequalsignorecase" | "stringnotequalsignorecase" | "bool" => {
            any(|text, value| text.eq_ignore_ascii_case(value))
        }
        "stringlike" | "stringnotlike" | "arnequals" | "arnlike" | "arnnotequals" | "arnnotlike" => {
            any(matches)
        }
        _ => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE";

    fn denied(principal: Value, condition: Value) -> Holds {
        let mut written =
            json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition});
        for (name, value) in principal.as_object().unwrap() {
            written[name] = value.clone();
        }
        let statement: Statement = serde_json::from_value(written).unwrap();
        OurRequest { distribution: OURS, account: "111122223333", kind: RequestKind::Object }
            .is_denied(&statement)
    }

    #[test]
    fn a_condition_is_held_against_what_is_known_of_cloudfronts_request() {
        let other = OURS.replace("EDF", "EOTHER");
        for (condition, expected) in [
            (json!({}), Holds::Yes),
            // What each upload lacks.
            (json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}), Holds::Yes),
            (json!({"Null": {"s3:x-amz-server-side-encryption": true}}), Holds::Yes),
            (json!({"Null": {"s3:x-amz-server-side-encryption": "false"}}), Holds::No),
            (json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}), Holds::Yes),
            (
                json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": ["aws:kms", "AES256"]}}),
                Holds::Yes,
            ),
            (json!({"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}}), Holds::Yes),
            (
                json!({"StringNotLike": {"S3:X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "*key/1*"}}),
                Holds::Yes,
            ),
            (json!({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}), Holds::No),
            (json!({"StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}), Holds::Yes),
            (json!({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}}), Holds::Yes),
            (json!({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["a"]}}), Holds::No),
            // TLS, networks, organizations.
            (json!({"Bool": {"aws:SecureTransport": "false"}}), Holds::No),
            (json!({"Bool": {"aws:SecureTransport": true}}), Holds::Yes),
            (json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}), Holds::No),
            (json!({"NumericLessThan": {"s3:TlsVersion": 1.3}}), Holds::Unknown),
            (json!({"NumericLessThanEquals": {"s3:TlsVersion": 1.1}}), Holds::No),
            (json!({"NumericLessThanEquals": {"s3:TlsVersion": 1.2}}), Holds::Unknown),
            (json!({"NumericEquals": {"s3:TlsVersion": ["1.0", "1.1"]}}), Holds::No),
            (json!({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}), Holds::Yes),
            (json!({"NumericNotEquals": {"s3:TlsVersion": "1.2"}}), Holds::Unknown),
            (json!({"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}), Holds::Yes),
            (json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}), Holds::Yes),
            (json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}), Holds::No),
            (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), Holds::Unknown),
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}), Holds::Yes),
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"},
                    "Bool": {"aws:PrincipalIsAWSService": "false"}}),
                Holds::No,
            ),
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"},
                    "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                Holds::Unknown,
            ),
            // Which distribution.
            (json!({"StringNotEquals": {"AWS:SourceArn": OURS}}), Holds::No),
            (json!({"StringNotEquals": {"AWS:SourceArn": other}}), Holds::Yes),
            (json!({"ArnNotLike": {"AWS:SourceArn": "arn:aws:cloudfront::111122223333:*"}}), Holds::No),
            (json!({"StringNotEquals": {"aws:SourceAccount": "444455556666"}}), Holds::Yes),
            // What is not known is never an answer.
            (json!({"StringEquals": {"aws:Something": "x"}}), Holds::Unknown),
            (json!({"StringResembles": {"s3:x-amz-acl": "x"}}), Holds::Unknown),
            (json!({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}), Holds::Unknown),
        ] {
            assert_eq!(denied(json!({"Principal": "*"}), condition.clone()), expected, "{condition}");
        }
    }

    const LISTING: RequestKind<'_> = RequestKind::Listing("users/");

    #[test]
    fn a_listing_has_a_prefix_and_an_object_has_none() {
        let holds = |kind: RequestKind<'_>, condition: Value| {
            let written =
                json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition});
            let statement: Statement = serde_json::from_value(written).unwrap();
            OurRequest { distribution: OURS, account: "111122223333", kind }.is_allowed(&statement)
        };
        for (kind, condition, expected) in [
            (LISTING, json!({"Null": {"s3:prefix": "false"}}), Holds::Yes),
            (LISTING, json!({"Null": {"s3:prefix": "true"}}), Holds::No),
            (LISTING, json!({"StringLike": {"s3:prefix": "users/*"}}), Holds::Yes),
            (LISTING, json!({"NumericLessThan": {"s3:max-keys": "9"}}), Holds::Unknown),
            (RequestKind::Object, json!({"Null": {"s3:prefix": "false"}}), Holds::No),
            (RequestKind::Object, json!({"StringLike": {"s3:prefix": "users/*"}}), Holds::No),
            // No prefix of ours begins in another way than the rule's keys do.
            (LISTING, json!({"StringLike": {"s3:prefix": ["zzz/*", "users/a*"]}}), Holds::Unknown),
            (LISTING, json!({"StringEquals": {"s3:prefix": "users/"}}), Holds::Unknown),
            (LISTING, json!({"StringLike": {"s3:prefix": "zzz/*"}}), Holds::No),
            (LISTING, json!({"StringEquals": {"s3:prefix": ["zzz/", "users"]}}), Holds::No),
            (LISTING, json!({"StringNotLike": {"s3:prefix": "users/*"}}), Holds::No),
            (LISTING, json!({"StringNotLike": {"s3:prefix": "users/a*"}}), Holds::Unknown),
            (LISTING, json!({"StringNotLike": {"s3:prefix": "zzz/*"}}), Holds::Yes),
            (LISTING, json!({"ForAllValues:StringLike": {"s3:prefix": "users/*"}}), Holds::Unknown),
            // The bucket's account is not in the export. If it is the distribution's, it is the right one.
            (
                RequestKind::Object,
                json!({"StringEquals": {"s3:ResourceAccount": "111122223333"}}),
                Holds::Yes,
            ),
            (
                RequestKind::Object,
                json!({"StringEquals": {"aws:ResourceAccount": "444455556666"}}),
                Holds::Unknown,
            ),
            (
                RequestKind::Object,
                json!({"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}),
                Holds::No,
            ),
            (
                RequestKind::Object,
                json!({"StringNotEquals": {"aws:ResourceAccount": "444455556666"}}),
                Holds::Unknown,
            ),
            // A condition that no request of ours meets, beside one that each meets.
            (
                RequestKind::Object,
                json!({"StringEquals": {"aws:SourceArn": OURS, "s3:x-amz-server-side-encryption": "aws:kms"}}),
                Holds::No,
            ),
        ] {
            assert_eq!(holds(kind, condition.clone()), expected, "{kind:?} {condition}");
        }
    }

    #[test]
    fn a_statement_denies_whom_it_names() {
        for (principal, expected) in [
            (json!({"Principal": "*"}), Holds::Yes),
            (json!({"Principal": {"AWS": "*"}}), Holds::Yes),
            (json!({"Principal": {"Service": "cloudfront.amazonaws.com"}}), Holds::Yes),
            (json!({"Principal": {"Service": ["s3.amazonaws.com", "cloudfront.amazonaws.com"]}}), Holds::Yes),
            (json!({"Principal": {"Service": "lambda.amazonaws.com"}}), Holds::No),
            (json!({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}), Holds::No),
            (json!({"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}), Holds::Yes),
            (json!({"NotPrincipal": {"Service": "cloudfront.amazonaws.com"}}), Holds::No),
        ] {
            assert_eq!(denied(principal.clone(), json!({})), expected, "{principal}");
        }
    }
}
