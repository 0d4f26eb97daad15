//! The configuration of a CloudFront distribution: reading it, putting the authorizer on its behaviors and
//! taking it off.
//!
//! [`Exported`] is what `aws cloudfront get-distribution-config` writes. [`attach`] and [`detach`] give a changed
//! copy with every change named, or the reasons why not: what they would leave open, and what cannot be judged
//! from the configuration alone. What they do not know stays as it is.

mod arn;
mod attach;
pub(crate) mod bucket;
mod change;
mod detach;
mod edit;
mod exported;
pub(crate) mod managed;
pub(crate) mod methods;
pub(crate) mod needs;
mod obstacle;
#[cfg(test)]
mod tests;
pub(crate) mod view;

pub use arn::{ArnError, FunctionName, FunctionVersion};
pub use attach::{Attachment, Behaviors, attach};
pub use change::{Change, Changed, Note, Place, Setting};
pub use detach::{BucketAfterwards, Detachment, detach};
pub use exported::{Exported, ExportedError};
pub use managed::{CachePolicyId, OriginRequestPolicyId};
pub use needs::Needs;
pub use obstacle::{Obstacle, Stopped};
pub use view::BehaviorName;
