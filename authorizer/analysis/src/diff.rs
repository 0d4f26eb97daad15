//! What a new policy allows that the old one did not, and what it no longer allows.
//!
//! Two policies are compared by their decisions, not by their text. An access is granted if one policy refuses some
//! request and the other forwards it. Each access comes with such a request, which the core has decided with both
//! policies. Without such a request, nothing is reported as granted: rules that were renamed, moved, split or joined,
//! and have the same meaning, are not a difference.
//!
//! A policy forwards a request if some allow rule matches and no deny rule does. The other policy refuses it if it
//! does not accept the token, if no allow rule matches, or if some deny rule does: each is a separate question to
//! the engine (`comparison.rs`). The first allow rule that matches also decides what is stored, so this is compared
//! too if both policies forward the request.
//!
//! One request does not say all that a rule gained. So the text of the rules is compared too, part by part
//! (`parts.rs`): each pattern, operation, condition, limit, network and time that a rule gained or lost is an entry,
//! and for each the engine is asked for a request that it alone lets in or shuts out (`shown.rs`). If there is none,
//! the entry says that it has no effect. What decides whose token is believed, and what an answer does, is compared
//! setting by setting (`trust.rs`).

mod comparison;
mod danger;
mod model;
mod pairs;
mod parts;
mod same;
mod shown;
mod trust;

use authorizer_core::Authorizer;

use self::comparison::{Comparison, NEW, OLD};
pub use self::model::{
    AccessChange, ChangeKind, Direction, Effect, NOT_COMPARED, PartChange, PolicyDiff, RuleChange,
    SettingChange, StorageChange, TrustChange,
};
use self::same::Sameness;
use crate::engine::EngineError;

/// Compares two policies.
///
/// ```
/// use authorizer_analysis::diff;
/// use authorizer_core::{Authorizer, Bundle};
/// use serde_json::json;
///
/// fn authorizer(keys: &str) -> Result<Authorizer, Box<dyn std::error::Error>> {
///     let rule = json!({"id": "public", "effect": "allow", "methods": ["GET"], "keys": [keys], "anonymous": true});
///     let document = serde_json::from_value(json!({"version": 1, "rules": [rule]}))?;
///     Ok(Authorizer::new(Bundle::read(&Bundle::write(&document)?)?))
/// }
///
/// let found = diff(&authorizer("public/*")?, &authorizer("public/**")?)?;
/// assert!(!found.granted.is_empty() && found.revoked.is_empty());
/// // Each access that is granted comes with a request that only the new policy lets in.
/// assert!(found.granted.iter().all(|change| !change.old.allowed && change.new.allowed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EngineError`]: the analysis did not finish.
pub fn diff(old: &Authorizer, new: &Authorizer) -> Result<PolicyDiff, EngineError> {
    let sides = [old, new];
    let policies = sides.map(|side| side.bundle().policy());
    let same = Sameness::of(&sides);
    let pairs = pairs::pair(policies, &same);
    let (drafts, extras) = parts::drafts(policies, &pairs);
    let comparison = Comparison::new(&sides, same, &extras);
    let granted = comparison.granted(OLD, NEW)?;
    let revoked = comparison.granted(NEW, OLD)?;
    let stored_otherwise = comparison.stored_otherwise()?;
    let known = shown::Found::of(&granted, &revoked, &stored_otherwise);
    let rules = shown::rules(&comparison, &drafts, &known)?;
    let trust = trust::changes(&comparison, policies);
    let mut not_compared = trust::not_here(policies);
    not_compared.extend(NOT_COMPARED);
    let other_settings = trust::other_settings(policies, &pairs);
    let mut found =
        PolicyDiff { granted, revoked, stored_otherwise, trust, rules, other_settings, not_compared };
    danger::sort(&mut found);
    Ok(found)
}

#[cfg(test)]
mod tests;
