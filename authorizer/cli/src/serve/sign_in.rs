//! Where people return to after a sign-in: `[sign_in] origin` of the policy, which is the deployed distribution, or what
//! `--sign-in-origin` says instead.

use std::net::SocketAddr;

use authorizer_core::policy::document::{PolicyDocument, SignInDocument};
use authorizer_core::{Bundle, BundleError};
use authorizer_local::Packaged;
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use thiserror::Error;

use super::decider::Decider;
use crate::output::note;
use crate::recording::document_of;
use crate::save::SaveError;

/// Why people cannot return to the origin of `--sign-in-origin`.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum SignInOriginError {
    /// Nobody is sent to sign in.
    #[error("the policy does not have `[sign_in]`, so nobody returns from there")]
    #[diagnostic(help("leave out `--sign-in-origin`, or add `[sign_in]` to the policy"))]
    NoSignIn,
    /// The policy with this origin.
    #[error("with `--sign-in-origin {origin}`, {error}")]
    #[diagnostic(help("use the address of this server, such as `--sign-in-origin https://localhost:8443`"))]
    Unusable { origin: String, error: BundleError },
    /// The bundle of a package, which would not start either.
    #[error("the `bundle.json` of the package cannot be read")]
    #[diagnostic(help("make the package again with `make package`"))]
    NoBundle,
}

/// Writes the origin into a policy. Nothing happens to one without `[sign_in]`.
pub(super) fn set_origin(document: &mut PolicyDocument, origin: &str) {
    match &mut document.sign_in {
        None => {}
        Some(SignInDocument::Redirect(redirect)) => origin.clone_into(&mut redirect.origin),
        Some(SignInDocument::CodeFlow(flow)) => origin.clone_into(&mut flow.origin),
    }
}

/// The bundle of a policy whose origin was set.
pub(super) fn bundle_at(document: &PolicyDocument, origin: &str) -> Result<Bundle, SignInOriginError> {
    let unusable = |error| SignInOriginError::Unusable { origin: origin.to_owned(), error };
    Ok(Bundle::write_and_read(document).map_err(unusable)?.1)
}

/// Writes the origin into the unpacked package. The zip stays as it is.
pub(super) fn set_origin_of_package(packaged: &Packaged, origin: &str) -> miette::Result<()> {
    let path = packaged.folder().join("bundle.json");
    let bytes = std::fs::read(&path).map_err(|_| SignInOriginError::NoBundle)?;
    // Before it is written anew: a package that was damaged must not become a whole one.
    Bundle::read(&bytes).map_err(|_| SignInOriginError::NoBundle)?;
    let mut document = document_of(&bytes).ok_or(SignInOriginError::NoBundle)?;
    if document.sign_in.is_none() {
        return Err(SignInOriginError::NoSignIn.into());
    }
    set_origin(&mut document, origin);
    let unusable = |error| SignInOriginError::Unusable { origin: origin.to_owned(), error };
    let (bytes, _) = Bundle::write_and_read(&document).map_err(unusable)?;
    Ok(std::fs::write(&path, bytes).map_err(|source| SaveError::Unwritable { path, source })?)
}

/// Says where people return to, if that is not where the policy says, or not here.
pub(super) fn warn(decider: &Decider, chosen: Option<&str>, decided_by: &str, served: &Served<'_>) {
    let document = decider.document();
    let Some(sign_in) = &document.sign_in else { return };
    let Some(origin) = chosen else {
        if !served.is_at(sign_in.origin()) {
            note(format!(
                "{} after a sign-in people return to {}, as the policy says; to sign in here, add `--sign-in-origin {}`",
                "warning:".yellow(),
                sign_in.origin().escape_debug(),
                served.base
            ));
        }
        return;
    };
    note(format!(
        "{} after a sign-in people return to {}, and not where {decided_by} says: open {origin} in the browser",
        "warning:".yellow(),
        origin.escape_debug(),
    ));
    if let SignInDocument::CodeFlow(flow) = sign_in {
        let redirect = format!("{origin}{}", flow.redirect_path);
        note(format!(
            "the provider must know the redirect URI {} for the client {}",
            redirect.escape_debug(),
            flow.client_id.escape_debug()
        ));
    }
}

/// Where this server is.
pub(super) struct Served<'s> {
    pub(super) base: &'s str,
    pub(super) addr: SocketAddr,
}

impl Served<'_> {
    /// Whether an origin may be this server. A name of another machine is not; one of this machine is, at this port.
    fn is_at(&self, origin: &str) -> bool {
        let Some((_, host)) = origin.split_once("://") else { return false };
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        origin == self.base || (is_here && port == self.addr.port().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_of_this_machine_at_this_port_is_here() {
        let served = Served { base: "https://files.test:8443", addr: "127.0.0.1:8443".parse().unwrap() };
        for (origin, is_here) in [
            ("https://files.test:8443", true),
            ("https://localhost:8443", true),
            ("http://127.0.0.1:8443", true),
            ("https://localhost:8080", false),
            ("https://localhost", false),
            ("https://files.example.com", false),
            ("https://files.example.com:8443", false),
            ("", false),
        ] {
            assert_eq!(served.is_at(origin), is_here, "{origin}");
        }
    }
}
