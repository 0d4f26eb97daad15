//! The rules that a request can have to do with, without asking each.

use std::collections::HashMap;

use authorizer_analysis::folders::Folder;
use authorizer_core::request::Resource;
use authorizer_core::rules::Rule;

/// The rules of a policy, by their ids and by how their keys begin.
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

    /// The place of the rule with this id.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The places of the rules that a request for this may match, in order: each of the others has no pattern that
    /// does, whatever the claims are.
    pub(super) fn places_for(&self, resource: &Resource) -> Vec<usize> {
        match resource {
            Resource::Object(key) => self.root.on_the_way(key.segments()),
            // What is listed may be anything below.
            Resource::Prefix(prefix) => self.root.below(prefix.parts().0.into_iter()),
        }
    }
}
