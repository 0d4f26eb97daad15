//! The words of what a sign-in does, for the decision log.

/// What the function did for a person who signs in, is signed in, or signs out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInWord {
    /// A session began.
    Started,
    /// A session has a new token.
    Renewed,
    /// The person signed out.
    Ended,
    /// A page was told who is signed in.
    StatusShown,
    /// The page after a sign-out was shown.
    SignedOutShown,
}

impl SignInWord {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Started, Self::Renewed, Self::Ended, Self::StatusShown, Self::SignedOutShown];

    /// The word in the decision log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Started => "session_started",
            Self::Renewed => "session_renewed",
            Self::Ended => "session_ended_by_user",
            Self::StatusShown => "session_told",
            Self::SignedOutShown => "signed_out_told",
        }
    }

    /// The meaning: the rest of a sentence that begins with "the request".
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Started => "came back from the provider, and a session began",
            Self::Renewed => "got a new token for its session",
            Self::Ended => "signed its person out",
            Self::StatusShown => "asked who is signed in",
            Self::SignedOutShown => "is for the page that says that nobody is signed in any more",
        }
    }
}
