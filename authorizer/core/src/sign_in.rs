//! Where people with a browser and without a token that is accepted are sent: to a sign-in that sets the cookie, or
//! through OpenID Connect's code flow, which this function does itself.

#[cfg(feature = "code-flow")]
pub mod code_flow;
mod navigation;
mod redirect;
mod set_cookie;

#[cfg(feature = "code-flow")]
use code_flow::CodeFlow;
#[cfg(feature = "code-flow")]
pub(crate) use navigation::is_of_a_window;
pub(crate) use redirect::Next;
pub use redirect::SignInRedirect;

/// `[sign_in]`, compiled.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// One redirect, with `url`.
    Redirect(SignInRedirect),
    /// The code flow, with `issuer`.
    #[cfg(feature = "code-flow")]
    CodeFlow(Box<CodeFlow>),
}

impl SignIn {
    /// The one redirect, if that is what the policy has.
    pub fn redirect(&self) -> Option<&SignInRedirect> {
        match self {
            Self::Redirect(redirect) => Some(redirect),
            #[cfg(feature = "code-flow")]
            Self::CodeFlow(_) => None,
        }
    }

    /// The code flow, if that is what the policy has.
    #[cfg(feature = "code-flow")]
    pub fn code_flow(&self) -> Option<&CodeFlow> {
        match self {
            Self::Redirect(_) => None,
            Self::CodeFlow(flow) => Some(flow),
        }
    }

    /// The distribution's own origin, where people return to.
    pub fn origin(&self) -> &str {
        match self {
            Self::Redirect(redirect) => redirect.origin(),
            #[cfg(feature = "code-flow")]
            Self::CodeFlow(flow) => flow.origin(),
        }
    }
}
