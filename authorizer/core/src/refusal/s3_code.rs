//! The error codes of S3 in answers to AWS's SDKs.

/// An error code of S3 ([AWS: error responses](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)).
///
/// An SDK acts on some codes: it follows a redirect, or corrects its clock and signs again. None of these is here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum S3Code {
    AccessDenied,
    EntityTooLarge,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    MissingContentLength,
    ServiceUnavailable,
}

impl S3Code {
    /// The code of a refusal with this status.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            401 | 403 => Self::AccessDenied,
            405 => Self::MethodNotAllowed,
            411 => Self::MissingContentLength,
            413 => Self::EntityTooLarge,
            503 => Self::ServiceUnavailable,
            500..=599 => Self::InternalError,
            _ => Self::InvalidRequest,
        }
    }

    /// Its spelling.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::InternalError => "InternalError",
            Self::InvalidRequest => "InvalidRequest",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::MissingContentLength => "MissingContentLength",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }
}
