//! What is told of two policies.

use authorizer_core::operation::S3Operation;
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{Replayed, Witness};

/// Whether a change allows more.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It allows more.
    Wider,
    /// It allows less.
    Narrower,
    /// Both, or unknown: it allows something else.
    Other,
}

/// The differences between two policies.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct PolicyDiff {
    /// What the new policy allows and the old one does not.
    pub granted: Vec<AccessChange>,
    /// What the old policy allows and the new one does not.
    pub revoked: Vec<AccessChange>,
    /// What both allow, but store differently.
    pub stored_otherwise: Vec<StorageChange>,
    /// Changes of whose tokens are believed, and of what an answer does, setting by setting. The most dangerous first.
    pub trust: Vec<TrustChange>,
    /// Each part of a rule that is not as it was. The most dangerous rule first, and of a rule the most dangerous
    /// part.
    pub rules: Vec<RuleChange>,
    /// Settings that are not as they were, and on which no decision depends.
    pub other_settings: Vec<SettingChange>,
    /// What was not compared, in words.
    pub not_compared: Vec<&'static str>,
}

/// What no comparison of two policies covers.
pub const NOT_COMPARED: &[&str] = &[
    "keys that an issuer publishes under `jwks.url`: only the address and the times are compared, and the keys in the policy",
    "the bytes of secrets: only whether they are the same",
    "`[[accepted]]`, which no decision reads",
    "the bucket, its policy and the distribution: use `authorizer audit deployment`",
];

/// Whether a change of the text changes a decision.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It does.
    Decides,
    /// It does not: for every request, the other policy decides the same by other rules, or no request is concerned.
    None,
    /// The analysis did not finish.
    NotDecided,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Only the new policy has it.
    Added,
    /// Only the old policy has it.
    Removed,
    /// Both have it, under one id, with different parts.
    Changed,
}

/// A rule that is not in both policies, or not the same in both.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RuleChange {
    /// Its id.
    pub rule: String,
    /// `allow` or `deny`.
    pub effect: &'static str,
    /// What became of it.
    pub change: ChangeKind,
    /// The conditions and limits of the rule as it is now, or as it was before it was removed; in words.
    pub conditions: Vec<String>,
    /// Its parts that are not as they were; for a rule that was added or removed, what it opens or closes.
    pub parts: Vec<PartChange>,
}

/// A part of a rule that is not as it was.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PartChange {
    /// Its field in the policy, such as `keys` or `upload.max_bytes`.
    pub part: String,
    /// Its value in the old policy; absent if only the new policy has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Its value in the new policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Whether the new policy allows more by it.
    pub direction: Direction,
    /// Whether any decision depends on it.
    pub effect: Effect,
    /// A request that the new policy allows because of it, or changes less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<Box<AccessChange>>,
    /// A request that the new policy refuses because of it, or changes more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Box<AccessChange>>,
}

/// Something whose trust changed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TrustChange {
    /// The setting in the policy, such as `issuers.audience`.
    pub setting: &'static str,
    /// The issuer, by its `iss`; `None` if the change is not about an issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What is trusted, in words, with its values.
    pub what: String,
    /// The value in the old policy; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value in the new policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Whether more is trusted.
    pub direction: Direction,
    /// Whether anything depends on it.
    pub effect: Effect,
    /// A request that shows it, where one can be made without the issuer's keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<AccessChange>>,
}

/// A setting on which no decision depends.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct SettingChange {
    /// The setting in the policy, such as `log.subject`.
    pub setting: &'static str,
    /// Its value in the old policy.
    pub old: String,
    /// Its value in the new policy.
    pub new: String,
}

/// An operation that one policy allows and the other does not.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AccessChange {
    /// The rule that allows it.
    pub rule: String,
    /// The operation.
    pub operation: S3Operation,
    /// The issuer of the token, by its `iss`; `None` for a request without a token.
    pub issuer: Option<String>,
    /// A request that shows it.
    pub request: Witness,
    /// The decision of the old policy.
    pub old: Replayed,
    /// The decision of the new policy.
    pub new: Replayed,
}

/// An upload that both policies allow, but that they change in different ways.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct StorageChange {
    /// `overwrite`, or the metadata that differs, as `metadata NAME`.
    pub what: String,
    /// Whether the change allows more.
    pub direction: Direction,
    /// The same as for an access, for the rule of the new policy.
    #[serde(flatten)]
    pub access: AccessChange,
}

impl PolicyDiff {
    /// Whether the policies decide the same, as far as they are compared.
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty()
            && self.revoked.is_empty()
            && self.stored_otherwise.is_empty()
            && self.trust.iter().all(|change| change.effect == Effect::None)
            && self.parts().all(|part| part.effect == Effect::None)
    }

    /// Whether anything new is allowed, stored or trusted.
    pub fn grants(&self) -> bool {
        let widens = |direction: Direction| direction != Direction::Narrower;
        !self.granted.is_empty()
            || self.stored_otherwise.iter().any(|change| widens(change.direction))
            || self.trust.iter().any(|change| change.effect != Effect::None && widens(change.direction))
            || self.parts().any(|part| part.effect != Effect::None && widens(part.direction))
    }

    /// Whether the analysis did not finish for some part: its effect is not known.
    pub fn is_undecided(&self) -> bool {
        self.parts().any(|part| part.effect == Effect::NotDecided)
    }

    fn parts(&self) -> impl Iterator<Item = &PartChange> {
        self.rules.iter().flat_map(|rule| &rule.parts)
    }
}
