//! `[log]`.

use std::collections::BTreeSet;

use super::super::document::LogDocument;
use super::super::problem::{Place, Problems};
use crate::logged_claims::{ClaimHasher, MAX_CLAIMS, MAX_SALT, MIN_SALT, MIN_SALT_CHARACTERS};
use crate::rules::{Rule, RulePart};

/// What makes the digests of claims, if the policy has a salt. `sub` is written as `subject` says, and not as a claim.
pub(super) fn compile_log(log: &LogDocument, rules: &[Rule], problems: &mut Problems) -> Option<ClaimHasher> {
    let salt = log.claims_salt.as_deref()?;
    let is_usable =
        (MIN_SALT..=MAX_SALT).contains(&salt.len()) && salt.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_usable {
        problems.add(
            Place::member("log").then("claims_salt"),
            format!("the salt is not {MIN_SALT} to {MAX_SALT} characters of printable ASCII without spaces"),
            "write what `openssl rand -hex 32` prints",
        );
        return None;
    }
    if salt.bytes().collect::<BTreeSet<_>>().len() < MIN_SALT_CHARACTERS {
        problems.add(
            Place::member("log").then("claims_salt"),
            format!(
                "the salt has fewer than {MIN_SALT_CHARACTERS} different characters, so it can be guessed"
            ),
            "write what `openssl rand -hex 32` prints",
        );
        return None;
    }
    let names: BTreeSet<&str> =
        rules.iter().flat_map(Rule::parts).flat_map(RulePart::claims).filter(|name| *name != "sub").collect();
    Some(ClaimHasher::new(salt, names.into_iter().take(MAX_CLAIMS).map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::Policy;

    fn compiled(salt: &str) -> Result<Policy, String> {
        let document = json!({"version": 1, "log": {"claims_salt": salt}, "issuers": [], "rules": [
            {"id": "a", "effect": "deny", "methods": ["GET"], "keys": ["x/{tenant}/{sub}"],
                "when": {"role": {"equals": "a"}, "sub": {"present": true}}},
            {"id": "b", "effect": "deny", "methods": ["GET"], "keys": ["**"], "when": {"role": {"has": "b"}}}]});
        let document = serde_json::from_value(document).unwrap();
        assert!(!format!("{document:?}").contains(salt) || salt.is_empty());
        Policy::compile(&document).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn a_salt_opts_in_to_the_claims_that_rules_read() {
        let policy = compiled(&"0123456789abcdef".repeat(2)).unwrap();
        assert_eq!(policy.claim_hasher().unwrap().names(), ["role", "tenant"]);
        assert!(!format!("{policy:?}").contains("0123456789abcdef"));
        for salt in ["", "short", &"a b ".repeat(10), &"\u{e9}".repeat(40), &"x".repeat(257)] {
            let problem = compiled(salt).unwrap_err();
            assert!(problem.starts_with("log.claims_salt: the salt is not 32 to 256"), "{problem}");
            assert!(!problem.contains("a b ") && !problem.contains("xxxx"), "{problem}");
        }
        for salt in ["x".repeat(256), "0123456".repeat(10)] {
            let problem = compiled(&salt).unwrap_err();
            assert!(problem.starts_with("log.claims_salt: the salt has fewer than 8 different"), "{problem}");
            assert!(!problem.contains(&salt), "{problem}");
        }
        assert!(compiled(&"01234567".repeat(32)).is_ok());
    }
}
