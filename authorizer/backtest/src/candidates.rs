//! An index that finds the rules that may match a request, without testing every rule.

use std::collections::HashMap;

use authorizer_analysis::folders::Folder;
use authorizer_core::request::Resource;
use authorizer_core::rules::Rule;

/// The rules of a policy, indexed by id and by the beginning of their keys.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    ids: HashMap<String, usize>,
    root: Folder,
}

impl Candidates {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let ids = rules.iter().enumerate().map(|(place, rule)| (rule.id().to_owned(), place)).collect();
        Self { ids, root: Folder::of(rules) }
    }

    /// The index of the rule with this id.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The indexes of the rules that may match a request for this resource, in order. The other rules do not have a
    /// pattern that matches it, whatever the claims are.
    pub(super) fn places_for(&self, resource: &Resource) -> Vec<usize> {
        match resource {
            Resource::Object(key) => self.root.on_the_way(key.segments()),
            // A listing can return any key below its prefix.
            Resource::Prefix(prefix) => self.root.below(prefix.parts().0.into_iter()),
        }
    }
}
