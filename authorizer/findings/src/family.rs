//! How a check is registered.
//!
//! One file in `policy/checks` or `deployment/checks` is one check, or a tight family of them: its `FAMILY` says what
//! its checks are and how they look. The list of the families of a folder (`families!` in `checks.rs`) names it; there
//! is nothing else to touch but its page in `docs/audit` and its fixtures.

use crate::check::{Catalogue, Check};
use crate::deployment::finding::DeploymentFinding;
use crate::deployment::subject::DeploymentSubject;
use crate::policy::finding::{Observation, PolicyFinding};
use crate::policy::subject::PolicySubject;

/// How a check looks at a policy.
pub(crate) type LookAtPolicy = fn(&PolicySubject<'_>) -> Vec<Observation>;

/// Checks that look at one thing.
pub(crate) enum Family {
    /// Each looks at the policy by itself.
    Policy(&'static [(Check, LookAtPolicy)]),
    /// They look at what became of the other checks of the policy, which have all looked by then.
    AfterPolicy(&'static [&'static Check], fn(&PolicySubject<'_>, &Catalogue, &mut Vec<PolicyFinding>)),
    /// They look at the deployment together.
    Deployment(&'static [&'static Check], fn(&DeploymentSubject<'_>, &mut Vec<DeploymentFinding>)),
}

/// The files of a folder of checks, in the order in which they look.
macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*

        /// Every family of this folder.
        pub(crate) static FAMILIES: &[&crate::family::Family] = &[$(&$family::FAMILY),*];
    };
}

pub(crate) use families;
