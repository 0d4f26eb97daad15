//! What was found, as it is told: one [`Report`] for a policy and for a deployment, and one writer for each form.

mod json;
mod model;
mod region;
mod sarif;
mod text;

pub use json::{ReportDocument, json};
pub use model::{LookedAt, Report, ReportedAcceptance, ReportedFinding};
pub use region::Region;
pub use sarif::{sarif, uri_of};
pub use text::text;
