//! The configuration of a CloudFront distribution: parsing it, attaching the authorizer to its behaviors, and
//! detaching it. Pure: no I/O.
//!
//! 1. [`Exported`] is the output of `aws cloudfront get-distribution-config`. Its [`View`](view::View) has the parts
//!    that the authorizer reads. Unknown members are not changed.
//! 2. [`Needs`] is what an access policy needs from a distribution: methods and query parameters.
//! 3. [`attach`] and [`detach`] return a changed copy with a list of every change ([`Changed`]), or the reasons why
//!    nothing was changed ([`Stopped`]): what would stay open, and what the configuration alone cannot show.
//! 4. [`Target`] says which bucket an origin is, [`MethodSet`] which methods a behavior can allow, and [`Forwarding`]
//!    what AWS's own origin request policies forward.

mod arn;
mod attach;
mod bucket;
mod change;
mod detach;
mod edit;
mod exported;
mod managed;
mod methods;
mod needs;
mod obstacle;
#[cfg(test)]
mod tests;
pub mod view;

pub use arn::{ArnError, FunctionName, FunctionVersion};
pub use attach::{Attachment, Behaviors, attach};
pub use bucket::Target;
pub use change::{Change, Changed, Note, Place, Setting};
pub use detach::{BucketAfterwards, Detachment, detach};
pub use exported::{Exported, ExportedError, UpdateInput};
pub use managed::{CachePolicyId, Forwarding, OriginRequestPolicyId};
pub use methods::MethodSet;
pub use needs::Needs;
pub use obstacle::{Obstacle, Stopped};
pub use view::BehaviorName;
