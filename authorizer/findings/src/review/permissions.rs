//! Who may do what: the rows of the matrix, and the deny rules as they are written.

use authorizer_analysis::{Cell, Matrix, Row, Witness, conditions_in_words};
use authorizer_core::operation::S3Operation;
use authorizer_core::policy::Policy;
use authorizer_core::rules::{ClaimTest, Effect, KeyPattern, PrincipalConstraint, Rule};

/// One line of the table.
#[derive(Debug)]
pub(super) struct Permission {
    pub(super) kind: Kind,
    /// `anonymous`, for whoever comes without a token, and the policy's names for the issuers of tokens.
    pub(super) who: Vec<String>,
    pub(super) operations: Vec<S3Operation>,
    pub(super) keys: String,
    /// What is asked for beside, in words.
    pub(super) conditions: Vec<String>,
    pub(super) rules: Vec<String>,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Kind {
    /// Requests are let in; this one is.
    Allow(Box<Witness>),
    /// Some are let in, this one among them, and these deny rules keep out others.
    AllowInPart(Box<Witness>, Vec<String>),
    /// A deny rule, which wins over every allow rule.
    Deny,
}

impl Kind {
    /// The word for it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "Allow",
            Self::AllowInPart(..) => "Allow in part",
            Self::Deny => "Deny",
        }
    }

    /// The word that the page filters and colours by.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::AllowInPart(..) => "part",
            Self::Deny => "deny",
        }
    }

    /// The deny rules that keep out some.
    pub(super) fn except(&self) -> &[String] {
        match self {
            Self::AllowInPart(_, except) => except,
            Self::Allow(_) | Self::Deny => &[],
        }
    }

    /// A request that is let in.
    pub(super) fn proof(&self) -> Option<&Witness> {
        match self {
            Self::Allow(request) | Self::AllowInPart(request, _) => Some(request),
            Self::Deny => None,
        }
    }
}

/// What is let in, then what is denied.
pub(super) fn of(table: Matrix, policy: &Policy) -> Vec<Permission> {
    let mut permissions: Vec<Permission> = table.rows.into_iter().flat_map(allowed).collect();
    let denies = policy.rules().iter().filter(|rule| rule.effect() == Effect::Deny);
    permissions.extend(denies.flat_map(|rule| rule.keys().iter().map(|keys| denied(policy, rule, keys))));
    permissions
}

/// The operations of a row that the same rules let in, together.
fn allowed(row: Row) -> Vec<Permission> {
    let mut permissions: Vec<Permission> = Vec::new();
    // The section on the sign-in says whose rows hold for sessions.
    let Row { who, sessions: _, conditions, keys, cells } = row;
    for Cell { operation, rules, except, request } in cells {
        let same = permissions.iter_mut().find(|one| one.rules == rules && one.kind.except() == except);
        if let Some(one) = same {
            one.operations.push(operation);
            continue;
        }
        let request = Box::new(request);
        permissions.push(Permission {
            kind: if except.is_empty() { Kind::Allow(request) } else { Kind::AllowInPart(request, except) },
            who: who.clone(),
            operations: vec![operation],
            keys: keys.clone(),
            conditions: conditions.clone(),
            rules,
        });
    }
    permissions
}

fn denied(policy: &Policy, rule: &Rule, keys: &KeyPattern) -> Permission {
    Permission {
        kind: Kind::Deny,
        who: denied_people(policy, rule, keys),
        operations: rule.operations().iter().collect(),
        keys: keys.to_string(),
        conditions: conditions_in_words(rule, rule.operations()),
        rules: vec![rule.id().to_owned()],
    }
}

/// Whom a deny rule speaks of: who has no token has no claim either, so one that asks for a claim says nothing of them.
fn denied_people(policy: &Policy, rule: &Rule, keys: &KeyPattern) -> Vec<String> {
    let all = policy.issuers().iter().map(|issuer| issuer.name().to_owned());
    let needs_claim = keys.claims().next().is_some()
        || rule.conditions().iter().any(|condition| condition.test != ClaimTest::Present(false));
    match rule.principals() {
        PrincipalConstraint::Issuers(names) => names.clone(),
        PrincipalConstraint::Everyone if !needs_claim => {
            std::iter::once("anonymous".to_owned()).chain(all).collect()
        }
        PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer => all.collect(),
    }
}

#[cfg(test)]
mod tests {
    use authorizer_core::policy::document::PolicyDocument;
    use serde_json::{Value, json};

    use super::*;

    /// Whom the only deny rule, with these members, is said to speak of.
    fn denied_by(members: Value) -> Vec<String> {
        // RFC 8037 appendix A.2.
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let issuer = |name: &str| {
            json!({"name": name, "issuer": format!("https://{name}.example.com/"), "audience": ["a"],
                "algorithms": ["EdDSA"], "jwks": {"keys": [key]}})
        };
        let mut rule = json!({"id": "no", "effect": "deny", "methods": ["GET"], "keys": ["a/**"]});
        rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let document = json!({"version": 1, "issuers": [issuer("one"), issuer("two")], "rules": [rule]});
        let document: PolicyDocument = serde_json::from_value(document).unwrap();
        let policy = Policy::compile(&document).unwrap();
        let mut denied = of(Matrix { rows: Vec::new() }, &policy);
        assert_eq!(denied.len(), 1);
        denied.remove(0).who
    }

    #[test]
    fn a_deny_rule_speaks_of_those_without_a_token_unless_it_asks_for_a_claim() {
        let all = ["anonymous", "one", "two"];
        assert_eq!(denied_by(json!({})), all);
        assert_eq!(denied_by(json!({"when": {"role": {"present": false}}})), all);
        assert_eq!(denied_by(json!({"when": {"role": {"present": true}}})), ["one", "two"]);
        assert_eq!(denied_by(json!({"when": {"role": {"equals": "x"}}})), ["one", "two"]);
        assert_eq!(denied_by(json!({"keys": ["a/{sub}/*"]})), ["one", "two"]);
        assert_eq!(denied_by(json!({"issuers": ["two"]})), ["two"]);
    }
}
