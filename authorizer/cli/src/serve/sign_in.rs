//! Where people return to after a sign-in: `[sign_in] origin` of the policy, which is the deployed distribution, or what
//! `--sign-in-origin` says instead.

use std::net::SocketAddr;

use authorizer_core::policy::PolicyProblem;
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
    /// No browser is there.
    #[error("`--sign-in-origin {origin}` is not an origin that people can return to")]
    #[diagnostic(help("{}", how_to_write(.origin)))]
    NotAnOrigin { origin: String },
    /// The policy with this origin.
    #[error("with `--sign-in-origin {origin}`, the policy cannot be used: {problem}")]
    #[diagnostic(help("{remedy}"))]
    Unusable { origin: String, problem: String, remedy: String },
    /// The bundle of a package, which would not start either.
    #[error("the `bundle.json` of the package cannot be read")]
    #[diagnostic(help("make the package again with `make package`"))]
    NoBundle,
}

impl SignInOriginError {
    fn unusable(origin: &str, error: &BundleError) -> Self {
        let origin = origin.escape_debug().to_string();
        let problems = match error {
            BundleError::Policy(problems) => problems.as_slice(),
            BundleError::TooLarge
            | BundleError::Unreadable(_)
            | BundleError::Format(_)
            | BundleError::Altered
            | BundleError::CodeFlow => &[],
        };
        match problems.first() {
            Some(_) if problems.iter().any(|one| one.place.to_string() == "sign_in.origin") => {
                Self::NotAnOrigin { origin }
            }
            Some(PolicyProblem { place, message, remedy }) => {
                Self::Unusable { origin, problem: format!("`{place}`: {message}"), remedy: remedy.clone() }
            }
            None => Self::Unusable {
                origin,
                problem: error.to_string(),
                remedy: "use the address of this server, such as `--sign-in-origin https://localhost:8443`"
                    .to_owned(),
            },
        }
    }
}

/// How the origin must be written.
fn how_to_write(origin: &str) -> String {
    let bare = origin.trim_end_matches('/');
    match bare.split_once("://") {
        Some((_, host)) if bare != origin && !host.contains(['/', '?', '#']) => {
            format!("remove the slash at the end: `--sign-in-origin {bare}`")
        }
        _ => "write the address of this server without a path, such as `--sign-in-origin https://localhost:8443`; \
              `http` is for this machine only"
            .to_owned(),
    }
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
    let unusable = |error| SignInOriginError::unusable(origin, &error);
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
    let unusable = |error| SignInOriginError::unusable(origin, &error);
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
        } else if sign_in.origin() != served.base {
            note(format!(
                "open {} in the browser, not {}: the cookies of a sign-in belong to that origin",
                sign_in.origin().escape_debug(),
                served.base
            ));
            served.warn_of(sign_in.origin());
        }
        return;
    };
    let shown = origin.escape_debug();
    note(format!(
        "{} after a sign-in people return to {shown}, and not where {decided_by} says: open {shown} in the browser",
        "warning:".yellow(),
    ));
    served.warn_of(origin);
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
    /// Says that a browser which opens the origin does not get here by itself.
    fn warn_of(&self, origin: &str) {
        if let Some(unlike) = self.unlike(origin) {
            note(format!("{} {unlike}", "warning:".yellow()));
        }
    }

    /// What of an origin is not as this server listens: the scheme, or the port.
    fn unlike(&self, origin: &str) -> Option<String> {
        let (scheme, host) = origin.split_once("://")?;
        let is_https = scheme == "https";
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let port = port.unwrap_or(if is_https { 443 } else { 80 });
        let here = self.addr.port();
        let origin = origin.escape_debug();
        match (is_https, self.base.starts_with("https://")) {
            (true, false) => Some(format!(
                "{origin} is HTTPS, but this server speaks plain HTTP: add `--tls`, or let a proxy answer there"
            )),
            (false, true) => Some(format!(
                "{origin} is plain HTTP, but this server speaks HTTPS: use an origin with `https`"
            )),
            _ if port != here => Some(format!(
                "{origin} is at port {port}, but this server listens at port {here}: change `--listen`, or let a proxy \
                 answer there"
            )),
            _ => None,
        }
    }

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

    #[test]
    fn an_origin_with_another_scheme_or_port_is_told() {
        let addr = "127.0.0.1:8443".parse().unwrap();
        for (base, origin, says) in [
            ("https://localhost:8443", "https://localhost:8443", None),
            ("http://127.0.0.1:8443", "http://localhost:8443", None),
            ("http://127.0.0.1:8443", "https://localhost:8443", Some("speaks plain HTTP: add `--tls`")),
            ("https://localhost:8443", "http://localhost:8443", Some("speaks HTTPS")),
            (
                "https://localhost:8443",
                "https://localhost:8453",
                Some("at port 8453, but this server listens at port 8443"),
            ),
            ("https://localhost:8443", "https://localhost", Some("at port 443,")),
            ("http://127.0.0.1:8443", "http://[::1]", Some("at port 80,")),
        ] {
            let said = Served { base, addr }.unlike(origin);
            assert_eq!(said.is_some(), says.is_some(), "{origin}: {said:?}");
            assert!(says.is_none_or(|says| said.is_some_and(|said| said.contains(says))), "{origin}");
        }
    }

    #[test]
    fn how_an_origin_is_written() {
        for (origin, says) in [
            (
                "https://localhost:8453/",
                "remove the slash at the end: `--sign-in-origin https://localhost:8453`",
            ),
            ("https://localhost:8453/a/", "without a path"),
            ("localhost:8453", "such as `--sign-in-origin https://localhost:8443`"),
        ] {
            assert!(how_to_write(origin).contains(says), "{origin}");
        }
    }
}
