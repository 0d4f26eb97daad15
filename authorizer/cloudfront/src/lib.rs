//! The configuration of a CloudFront distribution: parsing it, attaching the authorizer to its behaviors, and
//! detaching it. Pure: no I/O.
//!
//! 1. [`Exported`] is what `aws cloudfront get-distribution-config` writes. What of it the authorizer cares about is
//!    its [`View`](view::View); what is not known stays as it is.
//! 2. [`DistributionNeeds`] is what an access policy asks of a distribution: which methods, which query parameters.
//! 3. [`attach`] and [`detach`] give a changed copy with every change named ([`Changed`]), or the reasons why not
//!    ([`Stopped`]): what they would leave open, and what cannot be judged from the configuration alone.
//! 4. What a configuration has and nobody here knows is an [`UnknownMember`].
//! 5. [`Target`] says which bucket an origin is, [`MethodSet`] which methods a behavior can let in, and [`Forwarding`]
//!    what AWS's own origin request policies send on.
//! 6. [`CachePolicy`], [`OriginRequestPolicy`] and [`ResponseHeadersPolicy`] are what these policies say, AWS's own too.
//! 7. A [`PathPattern`] says which paths a behavior takes, an [`Order`] which behaviors get no request, and a [`Fit`] which
//!    keys of rules they have.
//! 8. A [`CorsDifference`] is one between a response headers policy and `[cors]`.
//! 9. A [`Template`] is a distribution as CloudFormation has it, brought into CloudFront's form.

mod arn;
mod attach;
mod bucket;
mod change;
mod cors;
mod detach;
mod edit;
mod exported;
mod fit;
mod managed;
mod members;
mod methods;
mod needs;
mod obstacle;
mod order;
mod path_pattern;
mod policies;
mod steps;
mod template;
#[cfg(test)]
mod tests;
pub mod view;

pub use arn::{ArnError, FunctionName, FunctionVersion};
pub use attach::{Attachment, Behaviors, Feature, attach};
pub use bucket::{Endpoint, OtherS3, Target};
pub use change::{Change, Changed, Note, Place, Setting};
pub use cors::{CorsDifference, NamesApart};
pub use detach::{BucketAfterwards, Detachment, detach};
pub use exported::{Exported, ExportedError, UpdateInput};
pub use fit::{Fit, NotListed};
pub use managed::{CachePolicyId, Forwarding, OriginRequestPolicyId, ResponseHeadersPolicyId};
pub use members::{Member, STRUCTURES, UnknownMember, unknown_beside, unknown_in, unknown_in_distribution};
pub use methods::MethodSet;
pub use needs::{DistributionNeeds, RuleKeys};
pub use obstacle::{Obstacle, Stopped};
pub use order::{Order, Undecided, Unreached, WhyUndecided};
pub use path_pattern::{Escapes, PathPattern, normalized_path};
pub use policies::{
    AddedHeader, CachePolicy, CorsHeadersPolicy, OriginRequestPolicy, PolicyError, ResponseHeadersPolicy,
    Selection, SigningBehavior,
};
pub use template::{Template, TemplateError};
pub use view::BehaviorName;
