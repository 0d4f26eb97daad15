//! Every check there is.

use std::sync::LazyLock;

use crate::check::{Catalogue, Check};
use crate::family::Family;
use crate::{deployment::checks as of_deployments, policy::checks as of_policies};

/// Every family, in the order in which they look.
pub(crate) fn families() -> impl Iterator<Item = &'static Family> {
    of_policies::FAMILIES.iter().chain(of_deployments::FAMILIES).copied()
}

/// All checks, of policies and of deployments.
pub fn catalogue() -> &'static Catalogue {
    static ALL: LazyLock<Catalogue> = LazyLock::new(|| {
        let (mut policy, mut deployment): (Vec<&'static Check>, Vec<&'static Check>) = Default::default();
        for family in families() {
            match family {
                Family::Policy(checks) => policy.extend(checks.iter().map(|(check, _)| check)),
                Family::AfterPolicy(checks, _) => policy.extend(*checks),
                Family::Deployment(checks, _) => deployment.extend(*checks),
            }
        }
        policy.sort_by_key(|check| check.id);
        deployment.sort_by_key(|check| check.id);
        Catalogue { policy, deployment }
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_and_no_name_is_of_two_checks() {
        let all: Vec<_> = catalogue().all().collect();
        for of in [|check: &Check| check.id, |check: &Check| check.name] {
            let names: BTreeSet<_> = all.iter().map(|check| of(check)).collect();
            assert_eq!(names.len(), all.len());
        }
        assert!(all.iter().all(|check| check.id.len() == 5 && check.id.starts_with("EA")));
    }
}
