//! All checks.

use std::sync::LazyLock;

use super::checks::FAMILIES;
use super::finding::Check;

/// All checks, by their ids.
pub fn registry() -> &'static [&'static Check] {
    static ALL: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
        let mut all: Vec<_> = FAMILIES.iter().flat_map(|family| family.iter()).collect();
        all.sort_by_key(|check| check.id);
        all
    });
    &ALL
}
