//! The policies of buckets and keys: who may do what, on which condition.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::export::words;

/// A policy ([AWS: grammar of the IAM JSON policy
/// language](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html)), which the AWS CLI
/// writes as a text for a bucket and a key, and as it is for a role.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

// An unknown member could widen a statement, so a document that contains one is not checked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    #[serde(default, rename = "Version")]
    _version: Option<String>,
    #[serde(default, rename = "Id")]
    _id: Option<String>,
    statement: Many<Statement>,
}

/// One of its statements.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Statement {
    #[serde(default)]
    sid: Option<String>,
    pub(super) effect: Effect,
    #[serde(default)]
    principal: Option<WrittenPrincipal>,
    #[serde(default)]
    not_principal: Option<WrittenPrincipal>,
    #[serde(default)]
    action: Many<String>,
    #[serde(default)]
    not_action: Many<String>,
    #[serde(default)]
    resource: Many<String>,
    #[serde(default)]
    not_resource: Many<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Many<Value>>>,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// The principal of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Principal {
    /// Everyone, with credentials of AWS's or without.
    Everyone,
    /// CloudFront, which signs as this service under Origin Access Control.
    CloudFront,
    /// An origin access identity of CloudFront's, or a canonical user, which is how S3 also writes one.
    AccessIdentity(String),
    /// Another: an account, a user, a role, a service, a federation.
    Other(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "`*`, or an object of lists")]
enum WrittenPrincipal {
    Text(String),
    Kinds(BTreeMap<String, Many<String>>),
}

/// One, or a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "one, or a list")]
enum Many<T> {
    List(Vec<T>),
    One(T),
}

/// The condition of a statement on the distribution.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SourceArn {
    /// No condition limits it to one distribution.
    Unsaid,
    /// It must be this distribution.
    Ours,
    /// It may be any distribution that matches a pattern.
    Pattern(String),
    /// It may be another distribution.
    Another(String),
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl<T> Many<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::List(list) => list,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written: Result<Written, _> = match Value::deserialize(deserializer)? {
            Value::String(text) => serde_json::from_str(&text),
            value => serde_json::from_value(value),
        };
        let written = written.map_err(|error| {
            serde::de::Error::custom(format!("it contains a policy with an unknown form: {}", words(&error)))
        })?;
        let statements = match written.statement {
            Many::List(list) => list,
            Many::One(one) => vec![one],
        };
        Ok(Self { statements })
    }
}

impl Document {
    /// The statements that deny something, with their places.
    pub(super) fn denies(&self) -> impl Iterator<Item = (usize, &Statement)> {
        self.statements.iter().enumerate().filter(|(_, one)| one.effect == Effect::Deny)
    }

    /// The statements that allow something, with their places.
    pub(super) fn allows(&self) -> impl Iterator<Item = (usize, &Statement)> {
        self.statements.iter().enumerate().filter(|(_, one)| one.effect == Effect::Allow)
    }
}

impl Statement {
    /// Whom it names.
    pub(super) fn principals(&self) -> Vec<Principal> {
        self.principal.as_ref().map(WrittenPrincipal::all).unwrap_or_default()
    }

    /// Whether a statement that denies is about this principal.
    pub(super) fn denies(&self, principal: &Principal) -> bool {
        match &self.not_principal {
            Some(excluded) => {
                !excluded.all().iter().any(|one| one == principal || *one == Principal::Everyone)
            }
            None => self.principals().iter().any(|one| one == principal || *one == Principal::Everyone),
        }
    }

    /// Its name, if it has one.
    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref().filter(|sid| !sid.is_empty())
    }

    /// Its conditions: operator, key and values. All must hold.
    pub(super) fn conditions(&self) -> impl Iterator<Item = (&str, &str, &[Value])> {
        self.condition.iter().flat_map(|(operator, keys)| {
            keys.iter().map(|(key, values)| (operator.as_str(), key.as_str(), values.as_slice()))
        })
    }

    /// Whether a statement that denies is about an action, by `Action` or by `NotAction`.
    pub(super) fn is_about_action(&self, action: &str) -> bool {
        let excluded = self.not_action.as_slice();
        if excluded.is_empty() {
            return self.has_action(action);
        }
        let action = action.to_ascii_lowercase();
        !excluded.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &action))
    }

    /// Whether a statement that denies is about a resource, by `Resource` or by `NotResource`.
    pub(super) fn is_about_resource(&self, resource: &str) -> bool {
        let excluded = self.not_resource.as_slice();
        if excluded.is_empty() {
            return self.resource.as_slice().is_empty() || self.has_resource(resource);
        }
        !excluded.iter().any(|pattern| matches(pattern, resource))
    }

    /// Whether it is about some of the resources whose names begin so, or about all of them (`true`).
    pub(super) fn is_about_some(&self, prefix: &str) -> Option<bool> {
        let whole = format!("{prefix}*");
        let excluded = self.not_resource.as_slice();
        if !excluded.is_empty() {
            let none = excluded.iter().any(|pattern| matches(pattern, &whole));
            let part = excluded.iter().any(|pattern| could_begin(pattern, prefix));
            return (!none).then_some(!part);
        }
        let patterns = self.resource.as_slice();
        if patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, &whole)) {
            return Some(true);
        }
        patterns.iter().any(|pattern| could_begin(pattern, prefix)).then_some(false)
    }

    /// The first of its members that excludes something, and so includes everything else.
    pub(super) fn inverted(&self) -> Option<&'static str> {
        if self.not_principal.is_some() {
            Some("NotPrincipal")
        } else if !self.not_action.as_slice().is_empty() {
            Some("NotAction")
        } else if !self.not_resource.as_slice().is_empty() {
            Some("NotResource")
        } else {
            None
        }
    }

    /// Its actions, as they are written.
    pub(super) fn actions(&self) -> &[String] {
        self.action.as_slice()
    }

    /// Whether it has an action. Names of actions are compared without regard to case.
    pub(super) fn has_action(&self, action: &str) -> bool {
        self.actions()
            .iter()
            .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
    }

    /// Whether it is about all of a resource, which may itself end in a `*`.
    pub(super) fn has_resource(&self, resource: &str) -> bool {
        self.resource.as_slice().iter().any(|pattern| matches(pattern, resource))
    }

    /// Whether it has a condition under an operator on a key, with this one value. As in IAM, texts are compared exactly,
    /// and `true` and `false` without regard to case.
    pub(super) fn asks(&self, operator: &str, key: &str, value: &str) -> bool {
        let is_text =
            ["StringEquals", "StringNotEquals"].iter().any(|one| one.eq_ignore_ascii_case(operator));
        self.condition.iter().any(|(name, keys)| {
            name.eq_ignore_ascii_case(operator)
                && keys.iter().any(|(name, values)| {
                    let is_same =
                        |text: &str| if is_text { text == value } else { text.eq_ignore_ascii_case(value) };
                    let is = |one: &Value| text_of(one).is_some_and(is_same);
                    name.eq_ignore_ascii_case(key) && matches!(values.as_slice(), [one] if is(one))
                })
        })
    }

    /// What it says of the distribution that asks. All conditions must hold, and of the values of one any: one
    /// condition that names ours alone is enough.
    pub(super) fn source_arn(&self, ours: &str) -> SourceArn {
        let mut said = SourceArn::Unsaid;
        for (operator, keys) in &self.condition {
            let Some(is_pattern) = operator_on_arns(operator) else { continue };
            for (_, values) in keys.iter().filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")) {
                let values: Vec<_> =
                    values.as_slice().iter().map(|one| text_of(one).unwrap_or_default()).collect();
                let pattern = values.iter().find(|one| is_pattern && one.contains(['*', '?']));
                let another = values.iter().find(|one| **one != ours);
                match (pattern, another) {
                    (Some(pattern), _) => said = SourceArn::Pattern((*pattern).to_owned()),
                    (None, Some(another)) => said = SourceArn::Another((*another).to_owned()),
                    (None, None) if values.is_empty() => {}
                    (None, None) => return SourceArn::Ours,
                }
            }
        }
        said
    }

    /// Whether it could hold for this distribution: it has no condition, or a value matches.
    pub(super) fn could_be(&self, ours: &str) -> bool {
        self.condition.iter().all(|(operator, keys)| {
            let Some(is_pattern) = operator_on_arns(operator) else { return true };
            keys.iter().filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")).all(|(_, values)| {
                let mut texts = values.as_slice().iter().filter_map(text_of);
                texts.any(|text| if is_pattern { matches(text, ours) } else { text == ours })
            })
        })
    }
}

/// Whether an operator that holds a key to values reads them as patterns; none for one that holds it to nothing
/// ([AWS: condition operators](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html)).
/// `...IfExists` and `ForAllValues:` hold where the key is not there.
fn operator_on_arns(operator: &str) -> Option<bool> {
    let operator = operator.to_ascii_lowercase();
    let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
    match operator {
        "stringequals" => Some(false),
        "stringlike" | "arnlike" | "arnequals" => Some(true),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Principal {
    fn of(kind: &str, name: &str) -> Self {
        match kind {
            // An ARN with a `*` for the account is every account.
            "AWS" if name == "*" || name.contains(":iam::*:") => Self::Everyone,
            "AWS" if name.contains(":iam::cloudfront:user/") => Self::AccessIdentity(name.to_owned()),
            "CanonicalUser" => Self::AccessIdentity(name.to_owned()),
            "Service" if name == "cloudfront.amazonaws.com" => Self::CloudFront,
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl WrittenPrincipal {
    fn all(&self) -> Vec<Principal> {
        match self {
            Self::Text(text) => vec![Principal::of("AWS", text)],
            Self::Kinds(kinds) => kinds
                .iter()
                .flat_map(|(kind, names)| names.as_slice().iter().map(|name| Principal::of(kind, name)))
                .collect(),
        }
    }
}

/// Whether an IAM pattern, in which `*` is any text and `?` any character, matches a text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    read(pattern, text).last().copied().unwrap_or(false)
}

/// Whether a pattern matches some text that begins so.
pub(super) fn could_begin(pattern: &str, prefix: &str) -> bool {
    read(pattern, prefix).contains(&true)
}

/// The places in a pattern at which it may be when a text was read.
fn read(pattern: &str, text: &str) -> Vec<bool> {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // The places in the pattern at which what was read so far may have come.
    let mut at = vec![false; pattern.len().saturating_add(1)];
    if let Some(first) = at.first_mut() {
        *first = true;
    }
    skip_stars(&pattern, &mut at);
    for c in text {
        let mut next = vec![false; at.len()];
        for (index, p) in pattern.iter().enumerate() {
            if !at.get(index).copied().unwrap_or(false) {
                continue;
            }
            let to = if *p == '*' { index } else { index.saturating_add(1) };
            if (*p == '*' || *p == '?' || *p == c)
                && let Some(place) = next.get_mut(to)
            {
                *place = true;
            }
        }
        skip_stars(&pattern, &mut next);
        at = next;
    }
    at
}

fn skip_stars(pattern: &[char], at: &mut [bool]) {
    for (index, p) in pattern.iter().enumerate() {
        let here = at.get(index).copied().unwrap_or(false);
        if here
            && *p == '*'
            && let Some(next) = at.get_mut(index.saturating_add(1))
        {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OURS: &str = "arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE";

    fn statement(principal: &Value, condition: &Value) -> Statement {
        let written =
            json!({"Effect": "Allow", "Principal": principal, "Action": "s3:Get*", "Condition": condition});
        serde_json::from_value(written).unwrap()
    }

    #[test]
    fn a_pattern_fits_what_iam_says_it_fits() {
        for (pattern, text, fits) in [
            ("s3:getobject", "s3:getobject", true),
            ("s3:get*", "s3:getobject", true),
            ("*", "", true),
            ("s3:*object", "s3:getobject", true),
            ("s3:*object", "s3:getobjectacl", false),
            ("s3:get?bject", "s3:getobject", true),
            ("s3:getobject?", "s3:getobject", false),
            ("a*b*c", "aXbXbc", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
        for (pattern, prefix, could) in [
            ("arn:aws:s3:::b/secret/*", "arn:aws:s3:::b/", true),
            ("arn:aws:s3:::b*", "arn:aws:s3:::b/", true),
            ("*", "arn:aws:s3:::b/", true),
            ("arn:aws:s3:::b", "arn:aws:s3:::b/", false),
            ("arn:aws:s3:::c/*", "arn:aws:s3:::b/", false),
        ] {
            assert_eq!(could_begin(pattern, prefix), could, "{pattern} {prefix}");
        }
    }

    #[test]
    fn only_a_condition_that_must_be_met_holds_a_statement_to_our_distribution() {
        let other = OURS.replace("EDF", "EOTHER");
        for (condition, expected) in [
            (json!({"StringEquals": {"AWS:SourceArn": OURS}}), SourceArn::Ours),
            (json!({"stringequals": {"aws:sourcearn": [OURS]}}), SourceArn::Ours),
            (json!({"ArnLike": {"aws:SourceArn": OURS}}), SourceArn::Ours),
            (json!({}), SourceArn::Unsaid),
            (json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}), SourceArn::Unsaid),
            (json!({"StringEqualsIfExists": {"aws:SourceArn": OURS}}), SourceArn::Unsaid),
            (json!({"ForAllValues:StringEquals": {"aws:SourceArn": OURS}}), SourceArn::Unsaid),
            (json!({"StringNotEquals": {"aws:SourceArn": OURS}}), SourceArn::Unsaid),
            (json!({"StringEquals": {"aws:SourceArn": []}}), SourceArn::Unsaid),
            (json!({"StringEquals": {"aws:SourceArn": [OURS, other]}}), SourceArn::Another(other.clone())),
            (json!({"ArnLike": {"aws:SourceArn": "arn:*"}}), SourceArn::Pattern("arn:*".to_owned())),
            // For StringEquals a `*` is a plain character, so this allows nobody.
            (json!({"StringEquals": {"aws:SourceArn": "arn:*"}}), SourceArn::Another("arn:*".to_owned())),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:*"}, "StringEquals": {"aws:SourceArn": OURS}}),
                SourceArn::Ours,
            ),
        ] {
            let statement = statement(&json!({"Service": "cloudfront.amazonaws.com"}), &condition);
            assert_eq!(statement.source_arn(OURS), expected, "{condition}");
        }
    }

    #[test]
    fn a_principal_is_told_in_each_of_its_spellings() {
        let identity = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1";
        for (principal, expected) in [
            (json!("*"), Principal::Everyone),
            (json!({"AWS": "*"}), Principal::Everyone),
            (json!({"AWS": ["*"]}), Principal::Everyone),
            (json!({"Service": "cloudfront.amazonaws.com"}), Principal::CloudFront),
            (
                json!({"AWS": "cloudfront.amazonaws.com"}),
                Principal::Other("cloudfront.amazonaws.com".to_owned()),
            ),
            (json!({"AWS": identity}), Principal::AccessIdentity(identity.to_owned())),
            (json!({"CanonicalUser": "79a5"}), Principal::AccessIdentity("79a5".to_owned())),
            (json!({"AWS": "111122223333"}), Principal::Other("111122223333".to_owned())),
        ] {
            assert_eq!(statement(&principal, &json!({})).principals(), [expected], "{principal}");
        }
    }

    #[test]
    fn a_member_that_is_not_known_is_not_passed_over() {
        let read = |text: Value| serde_json::from_value::<Document>(Value::String(text.to_string()));
        assert!(read(json!({"Statement": []})).is_ok());
        assert!(read(json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}})).is_ok());
        for text in [
            json!({"Statement": [{"Effect": "Allow", "Principals": "*"}]}),
            json!({"Statement": [{"Effect": "allow"}]}),
            json!({"statement": []}),
            json!([]),
        ] {
            assert!(read(text.clone()).is_err(), "{text}");
        }
    }
}
