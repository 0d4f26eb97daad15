//! The warnings of `check` about what a policy does in silence.

use authorizer_core::Authorizer;
use authorizer_findings::policy::{PolicySubject, in_silence};
use authorizer_policy::PolicyFile;

use crate::time::now_or;

/// Adds a warning for each rule that nobody can match, each claim and value that the provider's tokens do not have, and
/// each media type that nobody sends.
pub(crate) fn warn_of_silence(file: &mut PolicyFile) {
    let authorizer = Authorizer::new(file.bundle().clone());
    let found = in_silence(&PolicySubject::new(file.document(), &authorizer, now_or(None)));
    file.warn(found.into_iter().map(|finding| {
        let message = format!("{} ({})", finding.message, finding.check.id);
        (finding.check.id, finding.place, message, finding.check.remedy)
    }));
}
