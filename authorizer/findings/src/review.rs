//! One document for whoever reviews a policy: who may do what, the findings, the issuers and their keys, and the rules.
//!
//! What it says is gathered once ([`Review`]), in words and in the policy's own text; each form only writes it down.
//! All text of the policy is somebody else's: `text` says how it is shown.

mod fact;
mod html;
mod issuers;
mod markdown;
mod model;
mod permissions;
mod scope;
mod settings;
mod tested;
#[cfg(test)]
mod tests;
mod text;

pub use html::html;
pub use markdown::markdown;
pub use model::Review;
pub use tested::Tested;
