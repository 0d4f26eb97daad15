//! Finds the rules that match a key: all key patterns of a policy as one tree, and a walk through it.
//!
//! Patterns that begin with the same segments share nodes. For these rules
//!
//! ```text
//! 0  users/{sub}/**
//! 1  users/alice/inbox/*.txt
//! 2  **/sealed/**
//! 3  users/{sub}/**/notes
//! ```
//!
//! the tree is
//!
//! ```text
//! o-- users --o-- alice --o-- inbox --o-- *.txt --> 1
//! |           `-- {sub} --o-- ** ----------> 0
//! |                          `-- notes ----> 3
//! `-- ** -----o-- sealed -o-- ** ----------> 2
//! ```
//!
//! A walk reads a key segment by segment. It is at all nodes at once that the segments so far lead to. A literal is
//! found by binary search; each glob and each claim of a node is tried. A `**` is never left again. A pattern that
//! ends at a node matches when the key ends there. A pattern that ends in a `**` matches as soon as the walk reaches
//! it with a segment left.
//!
//! The cost is bounded for every input of a viewer. A tree has one way to each node, so each node is continued from
//! at most once per segment, and a key has at most 512 segments. A claim is read and sorted once, and checked at most
//! once per segment for all nodes, because it may be an array of thousands. Nothing here is recursive or hashed.

mod index_set;
mod trie;
mod walk;
mod work;

pub(crate) use index_set::IndexSet;
use trie::Trie;
use walk::Walk;

use super::claims::Claims;
use super::rule::{Effect, Rule};
use crate::operation::S3Operation;
use crate::request::Resource;

pub(crate) use walk::Found;

/// The key patterns of all rules of a policy.
#[derive(Clone, Debug)]
pub(super) struct Matcher(Trie);

impl Matcher {
    /// Creates the tree of these rules.
    pub(super) fn new(rules: &[Rule]) -> Self {
        Self(Trie::new(rules))
    }

    /// The places of the rules with a key pattern that matches, as [`Rule::examine`] matches it: for a listing the
    /// pattern of an allow rule must match every key that begins with the prefix, and the pattern of a deny rule some
    /// key. The rules must be those of [`new`](Self::new).
    ///
    /// With an operation, rules that do not apply to it may be left out: where many patterns are the same, they are.
    pub(super) fn speaking_of(
        &self,
        rules: &[Rule],
        resource: &Resource,
        claims: Claims<'_>,
        operation: Option<S3Operation>,
    ) -> Found {
        let mut walk = Walk::new(&self.0, claims, operation);
        match resource {
            Resource::Object(key) => {
                walk.read_key(key);
                walk.found()
            }
            Resource::Prefix(prefix) => {
                walk.read_prefix(prefix);
                let around = walk.around(prefix);
                let mut found = walk.found();
                let is_deny =
                    |place: &usize| rules.get(*place).is_some_and(|rule| rule.effect == Effect::Deny);
                for place in around.into_iter().filter(is_deny) {
                    found.rules.insert(place);
                }
                found
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::work::Work;
    use super::*;
    use crate::key::ObjectKey;
    use crate::operation::OperationSet;
    use crate::prefix::KeyPrefix;
    use crate::rules::{KeyPattern, Period, PrincipalConstraint, UploadTerms};
    use serde_json::{Value, json};

    fn rule(effect: Effect, keys: &[&str]) -> Rule {
        Rule {
            id: String::new(),
            effect,
            operations: OperationSet::default(),
            keys: keys.iter().map(|key| KeyPattern::parse(key).unwrap()).collect(),
            principals: PrincipalConstraint::Everyone,
            period: Period::default(),
            sources: None,
            hosts: None,
            conditions: Vec::new(),
            overrides: Vec::new(),
            parameters: Vec::new(),
            terms: UploadTerms::default(),
        }
    }

    fn rules() -> Vec<Rule> {
        let allow = |keys: &[&str]| rule(Effect::Allow, keys);
        vec![
            allow(&["users/{sub}/**"]),
            allow(&["users/alice/inbox/*.txt", "users/*/inbox/a.txt"]),
            rule(Effect::Deny, &["**/sealed/**", "sealed"]),
            allow(&["users/{sub}/**/notes", "users/{sub}/**"]),
            allow(&["a/**/**/z", "a/**/**", "a/"]),
            rule(Effect::Deny, &["{groups}/{groups}/x*"]),
            allow(&["**"]),
        ]
    }

    fn claims() -> Value {
        json!({"sub": "alice", "groups": ["red", "blue", "", "x/y", "..", 7]})
    }

    #[test]
    fn a_walk_finds_the_rules_that_speak_of_a_key_in_order_and_each_once() {
        let (rules, claims) = (rules(), claims());
        let matcher = Matcher::new(&rules);
        for (text, expected) in [
            ("users/alice/x", vec![0, 3, 6]),
            ("users/alice/", vec![0, 3, 6]),
            ("users/alice", vec![6]),
            ("users/bob/x", vec![6]),
            ("users/alice/inbox/a.txt", vec![0, 1, 3, 6]),
            ("users/bob/inbox/a.txt", vec![1, 6]),
            ("users/bob/inbox/b.txt", vec![6]),
            ("users/alice/sealed/b", vec![0, 2, 3, 6]),
            ("sealed/b", vec![2, 6]),
            ("sealed/", vec![2, 6]),
            ("sealed", vec![2, 6]),
            ("x/sealed", vec![6]),
            ("users/alice/notes", vec![0, 3, 6]),
            ("a", vec![6]),
            ("a/", vec![4, 6]),
            ("a/z", vec![4, 6]),
            ("a/b/c/z", vec![4, 6]),
            ("red/blue/x1", vec![5, 6]),
            ("blue/blue/x", vec![5, 6]),
            ("red/green/x1", vec![6]),
            ("7/7/x", vec![6]),
        ] {
            let found =
                matcher.speaking_of(&rules, &object(text), Claims::Known(claims.as_object().unwrap()), None);
            assert_eq!(found.rules.into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_walk_finds_what_holds_all_of_a_listing_and_what_denies_any_of_it() {
        let (rules, claims) = (rules(), claims());
        let matcher = Matcher::new(&rules);
        for (text, expected) in [
            ("", vec![2, 5, 6]),
            ("users/alice/", vec![0, 2, 3, 6]),
            ("users/alice", vec![2, 6]),
            ("users/bob/", vec![2, 6]),
            ("a/", vec![2, 4, 6]),
            ("a", vec![2, 6]),
            ("re", vec![2, 5, 6]),
            ("red/", vec![2, 5, 6]),
            ("red/bl", vec![2, 5, 6]),
            ("red/g", vec![2, 6]),
            ("red/blue/y", vec![2, 6]),
            ("x/sealed/", vec![2, 6]),
        ] {
            let found =
                matcher.speaking_of(&rules, &prefix(text), Claims::Known(claims.as_object().unwrap()), None);
            assert_eq!(found.rules.into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    /// What a walk did up to the end of the whole segments, and after it.
    fn work(trie: &Trie, resource: &Resource, claims: &Value) -> (Work, Work) {
        let mut walk = Walk::new(trie, Claims::Known(claims.as_object().unwrap()), None);
        match resource {
            Resource::Object(key) => walk.read_key(key),
            Resource::Prefix(prefix) => walk.read_prefix(prefix),
        }
        let read = std::mem::take(&mut walk.work);
        if let Resource::Prefix(prefix) = resource {
            walk.around(prefix);
        }
        (read, walk.work)
    }

    fn object(key: &str) -> Resource {
        Resource::Object(ObjectKey::new(key.into()).unwrap())
    }

    fn prefix(prefix: &str) -> Resource {
        Resource::Prefix(KeyPrefix::new(prefix.into()).unwrap())
    }

    fn of_each(count: usize, key: impl Fn(usize) -> String) -> Vec<Rule> {
        (0..count).map(|index| rule(Effect::Deny, &[&key(index)])).collect()
    }

    #[test]
    fn what_a_walk_does_is_the_same_for_ten_rules_and_for_ten_thousand() {
        let claims = claims();
        for (key, pattern) in [
            ("projects/p7/docs/a/b", "projects/p{i}/docs/**"),
            ("projects/p7/alice/a.jpg", "projects/p{i}/{sub}/*.jpg"),
            ("a/b/c/sealed7/d", "**/sealed{i}/**"),
            ("a/b/c/d/e", "{sub}/{groups}/p{i}/*"),
        ] {
            for resource in [object(key), prefix(&format!("{key}/"))] {
                let done = [10, 10_000].map(|count| {
                    let rules = of_each(count, |index| pattern.replace("{i}", &index.to_string()));
                    work(&Trie::new(&rules), &resource, &claims)
                });
                assert_eq!(done[0].0, done[1].0, "{pattern}");
                // All that a `**` could still match in a listing is visited.
                if !pattern.starts_with("**") {
                    assert_eq!(done[0].1, done[1].1, "{pattern}");
                }
            }
        }
    }

    #[test]
    fn rules_with_one_pattern_are_sifted_by_operation() {
        use crate::operation::S3Operation::{DeleteObject, GetObject, PutObject};
        let of = |effect, operation| Rule {
            operations: [operation].into_iter().collect(),
            ..rule(effect, &["a/**"])
        };
        let mut rules: Vec<Rule> = (0..100).map(|_| of(Effect::Allow, GetObject)).collect();
        rules.push(of(Effect::Deny, PutObject));
        rules.push(of(Effect::Allow, DeleteObject));
        let matcher = Matcher::new(&rules);
        for (operation, count, are_more) in [
            (Some(GetObject), 100, true),
            (Some(PutObject), 1, true),
            (Some(DeleteObject), 1, true),
            (None, 102, false),
        ] {
            for resource in [object("a/b"), prefix("a/")] {
                let found = matcher.speaking_of(&rules, &resource, Claims::None, operation);
                assert_eq!(
                    (found.rules.into_iter().count(), found.are_more),
                    (count, are_more),
                    "{operation:?}"
                );
            }
        }
        rules.truncate(101);
        let matcher = Matcher::new(&rules);
        let found = matcher.speaking_of(&rules, &object("a/b"), Claims::None, Some(GetObject));
        assert!(!found.are_more, "a deny rule that does not apply keeps nobody out");
    }

    #[test]
    fn the_longest_key_and_the_longest_claim_cost_no_more_than_each_node_once_for_each_segment() {
        let groups: Vec<String> = (0..3_000).map(|index| format!("g{index:04}")).collect();
        let claims = json!({"groups": groups, "sub": "a"});
        let many = ["**/{groups}/x{i}/**/y", "**/a/**/*{i}/{groups}/x", "**/{sub}/**/{groups}/{i}/**/**/a/*"];
        // First few segments: an error that multiplies the work would not finish with many.
        for (segments, depth, count) in [(20, 4, 0), (512, 200, 50)] {
            let mut rules = of_each(1, |_| format!("{}**", "**/*/".repeat(depth)));
            for pattern in many {
                rules.extend(of_each(count, |index| pattern.replace("{i}", &index.to_string())));
            }
            let trie = Trie::new(&rules);
            let key = format!("{}a", "a/".repeat(segments - 1));
            for resource in [object(&key), prefix(&key)] {
                let (read, around) = work(&trie, &resource, &claims);
                assert!(read.nodes > segments * depth, "this is meant to be much: {read:?}");
                assert!(read.nodes <= segments * trie.nodes(), "{read:?}");
                assert!(read.wild <= segments * trie.nodes(), "{read:?}");
                assert!(around.nodes <= 2 * trie.nodes(), "{around:?}");
                if count > 0 {
                    assert_eq!(read.claims, 2, "an array is read once: {read:?}");
                    assert_eq!(around.claims, 0, "an array is read once: {around:?}");
                }
                assert!(read.questions <= 2 * segments, "{read:?}");
            }
        }
    }
}
