//! Everything that can refuse a request. This is the only place where a refusal becomes a status, headers,
//! a message for the viewer and a word for the decision log.
//!
//! The answer to the viewer follows RFC 9110, RFC 6750 section 3 and RFC 9457. It never says which rule or
//! claim would have helped. [`Refusal::reason`] goes only to the decision log.

mod reason;
mod s3_code;
#[cfg(feature = "code-flow")]
mod sign_in_error;

pub use reason::Reason;
#[cfg(feature = "code-flow")]
pub use reason::SignInReason;
pub(crate) use s3_code::S3Code;
#[cfg(feature = "code-flow")]
pub use sign_in_error::{SignInError, TokenFault};

use crate::credential::CredentialError;
use crate::event::{EventError, EventProblem};
use crate::key::KeyError;
use crate::query::QueryError;
use crate::record::logged_name;
use crate::request::{RequestError, header_name};
use crate::rules::{Mismatch, TermsMismatch};
use crate::token::{KeysUnavailable, TokenError, VerifyError};

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The function's input is not the event of one CloudFront request.
    EventMalformed(EventProblem),
    /// The function is attached to another trigger than viewer-request.
    EventWrongTrigger,
    /// The path does not contain an object key that has exactly one meaning.
    Key(KeyError),
    /// The query string is not valid here.
    Query(QueryError),
    /// A POST that is not a step of a multipart upload, under a policy that allows such steps.
    PostNotAnUpload,
    /// A header that would change the operation. Contains its lower-case name.
    HeaderNotAllowed(String),
    /// A header of the operation with a value that it cannot have, or twice. Contains its lower-case name.
    HeaderMalformed(String),
    /// A method that no rule allows on any key. Contains the methods that some rule allows, for `Allow`.
    MethodNotAllowed {
        /// The value of `Allow` (RFC 9110 section 10.2.1).
        allow: String,
    },
    /// More than one credential was sent (RFC 6750 section 2: at most one method, once).
    CredentialRepeated,
    /// The `Authorization` header does not contain a bearer token.
    CredentialScheme,
    /// The cookie, the header or the query parameter that the policy names does not contain a token.
    CredentialMalformed,
    /// The request does not have a token, and no rule allows it without one.
    TokenMissing,
    /// The token does not verify.
    Token(TokenError),
    /// The keys to verify the token are not available.
    KeysUnavailable(KeysUnavailable),
    /// A deny rule matched.
    DeniedByRule,
    /// The token verified and no rule allows the request.
    NoRule(NoRule),
    /// An upload that only fails a limit of the rules.
    Upload(UploadError),
    /// A preflight from an origin whose pages may not use the distribution.
    OriginNotAllowed,
    /// Only a scope was missing (RFC 6750 section 3.1).
    InsufficientScope {
        /// The scopes that would have been enough, separated by spaces.
        scope: String,
    },
    /// A step of a sign-in.
    #[cfg(feature = "code-flow")]
    SignIn(SignInError),
}

/// Why no allow rule matched: the first part that failed in the closest rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoRule {
    /// The object key does not match the keys of any rule.
    KeyNotAllowed,
    /// The object key matches, but only rules for other operations.
    OperationNotAllowed,
    /// The key and the operation match, but only rules for other issuers.
    IssuerNotAllowed,
    /// The rule does not apply yet, or no longer applies.
    TimeNotAllowed,
    /// The rule is for other addresses.
    SourceNotAllowed,
    /// The rule is for other hosts.
    HostNotAllowed,
    /// Only a condition on the claims does not match.
    ConditionNotMet,
    /// Only metadata does not match the value that the rule requires.
    MetadataMismatch,
}

/// What is wrong with an upload that is otherwise allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UploadError {
    /// It does not give its length.
    LengthRequired,
    /// It is too long.
    TooLarge,
    /// Its media type is not allowed there.
    ContentType,
}

impl From<EventError> for Refusal {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Malformed(problem) => Self::EventMalformed(problem),
            EventError::WrongTrigger => Self::EventWrongTrigger,
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::MethodNotAllowed { allow } => Self::MethodNotAllowed { allow },
            RequestError::Key(error) => Self::Key(error),
            RequestError::Query(error) => Self::Query(error),
            RequestError::PostNotAnUpload => Self::PostNotAnUpload,
            RequestError::HeaderNotAllowed(name) => Self::HeaderNotAllowed(name),
            RequestError::HeaderMalformed(name) => Self::HeaderMalformed(name),
        }
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Repeated => Self::CredentialRepeated,
            CredentialError::Scheme => Self::CredentialScheme,
            CredentialError::Malformed | CredentialError::CookieMalformed => Self::CredentialMalformed,
        }
    }
}

#[cfg(feature = "code-flow")]
impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Token(error) => Self::Token(error),
            VerifyError::KeysUnavailable(why) => Self::KeysUnavailable(why),
        }
    }
}

impl From<Mismatch<'_>> for Refusal {
    /// The refusal of a request that no rule allows, from the mismatch of the closest rule.
    fn from(mismatch: Mismatch<'_>) -> Self {
        match mismatch {
            Mismatch::Key => Self::NoRule(NoRule::KeyNotAllowed),
            Mismatch::Operation => Self::NoRule(NoRule::OperationNotAllowed),
            Mismatch::Host => Self::NoRule(NoRule::HostNotAllowed),
            Mismatch::Principal => Self::NoRule(NoRule::IssuerNotAllowed),
            Mismatch::Period => Self::NoRule(NoRule::TimeNotAllowed),
            Mismatch::Source => Self::NoRule(NoRule::SourceNotAllowed),
            Mismatch::Condition(_) => Self::NoRule(NoRule::ConditionNotMet),
            Mismatch::Override(asked) => Self::Query(QueryError::not_allowed(asked.name())),
            Mismatch::Parameter(asked) => Self::Query(QueryError::not_allowed(asked.name())),
            Mismatch::Terms(terms) => match terms {
                TermsMismatch::Header(name) => Self::HeaderNotAllowed(header_name(&name)),
                TermsMismatch::LengthRequired => Self::Upload(UploadError::LengthRequired),
                TermsMismatch::TooLarge => Self::Upload(UploadError::TooLarge),
                TermsMismatch::MediaType => Self::Upload(UploadError::ContentType),
                TermsMismatch::Metadata(_) => Self::NoRule(NoRule::MetadataMismatch),
            },
        }
    }
}

impl Refusal {
    /// The words of all reasons.
    ///
    /// ```
    /// use authorizer_core::{Refusal, TokenError};
    ///
    /// let refusal = Refusal::Token(TokenError::Expired);
    /// assert_eq!((refusal.status(), refusal.reason()), (401, "token_expired"));
    /// assert!(Refusal::REASONS.contains(&refusal.reason()));
    /// ```
    ///
    /// These are exactly the words that [`reason`](Self::reason) can return.
    pub const REASONS: [&'static str; Reason::ALL.len()] = Reason::WORDS;

    /// The HTTP status, 400 to 503.
    pub fn status(&self) -> u16 {
        self.kind().status()
    }

    /// The word in the decision log. It is stable, so that alarms can depend on it. It never contains anything
    /// that the viewer sent.
    pub fn reason(&self) -> &'static str {
        self.kind().word()
    }

    /// Its name in the decision log.
    pub fn kind(&self) -> Reason {
        match self {
            Self::EventMalformed(_) => Reason::EventMalformed,
            Self::EventWrongTrigger => Reason::EventWrongTrigger,
            Self::Key(error) => match error {
                KeyError::Missing => Reason::KeyMissing,
                KeyError::EscapeMalformed => Reason::KeyEscapeMalformed,
                KeyError::NotUtf8 => Reason::KeyNotUtf8,
                KeyError::EmptySegment => Reason::KeyEmptySegment,
                KeyError::DotSegment => Reason::KeyDotSegment,
                KeyError::ControlCharacter => Reason::KeyControlCharacter,
                KeyError::Backslash => Reason::KeyBackslash,
                KeyError::RawPlus => Reason::KeyRawPlus,
                KeyError::RawDelimiter => Reason::KeyRawDelimiter,
                KeyError::Soap => Reason::KeySoap,
                KeyError::TooLong => Reason::KeyTooLong,
            },
            Self::Query(QueryError::NotAllowed(_)) => Reason::QueryNotAllowed,
            Self::Query(QueryError::Malformed(_) | QueryError::Unreadable) => Reason::QueryMalformed,
            Self::PostNotAnUpload => Reason::PostNotAnUpload,
            Self::HeaderNotAllowed(_) => Reason::HeaderNotAllowed,
            Self::HeaderMalformed(_) => Reason::HeaderMalformed,
            Self::MethodNotAllowed { .. } => Reason::MethodNotAllowed,
            Self::CredentialRepeated => Reason::CredentialRepeated,
            Self::CredentialScheme => Reason::CredentialScheme,
            Self::CredentialMalformed => Reason::CredentialMalformed,
            Self::TokenMissing => Reason::TokenMissing,
            Self::Token(error) => match error {
                TokenError::TooLong => Reason::TokenTooLong,
                TokenError::Malformed => Reason::TokenMalformed,
                TokenError::DuplicateMember => Reason::TokenDuplicateMember,
                TokenError::Encrypted => Reason::TokenEncrypted,
                TokenError::Nested => Reason::TokenNested,
                TokenError::CriticalHeader => Reason::TokenCriticalHeader,
                TokenError::IssuerUnknown => Reason::IssuerUnknown,
                TokenError::AlgorithmNotAllowed => Reason::AlgorithmNotAllowed,
                TokenError::SigningKeyUnknown => Reason::SigningKeyUnknown,
                TokenError::SignatureInvalid => Reason::SignatureInvalid,
                TokenError::TypeMismatch => Reason::TokenTypeMismatch,
                TokenError::TimeMalformed => Reason::TokenTimeMalformed,
                TokenError::Expired => Reason::TokenExpired,
                TokenError::NotYetValid => Reason::TokenNotYetValid,
                TokenError::IssuedInFuture => Reason::TokenIssuedInFuture,
                TokenError::LifetimeTooLong => Reason::TokenLifetimeTooLong,
                TokenError::AudienceMismatch => Reason::AudienceMismatch,
                TokenError::ClientMismatch => Reason::ClientMismatch,
                TokenError::RequiredClaimMismatch => Reason::RequiredClaimMismatch,
                TokenError::Bound => Reason::TokenBound,
                TokenError::Revoked => Reason::TokenRevoked,
            },
            Self::KeysUnavailable(_) => Reason::KeysUnavailable,
            Self::DeniedByRule => Reason::DeniedByRule,
            Self::NoRule(furthest) => match furthest {
                NoRule::KeyNotAllowed => Reason::KeyNotAllowed,
                NoRule::OperationNotAllowed => Reason::OperationNotAllowed,
                NoRule::IssuerNotAllowed => Reason::IssuerNotAllowed,
                NoRule::TimeNotAllowed => Reason::TimeNotAllowed,
                NoRule::SourceNotAllowed => Reason::SourceNotAllowed,
                NoRule::HostNotAllowed => Reason::HostNotAllowed,
                NoRule::ConditionNotMet => Reason::ConditionNotMet,
                NoRule::MetadataMismatch => Reason::MetadataMismatch,
            },
            Self::Upload(error) => match error {
                UploadError::LengthRequired => Reason::LengthRequired,
                UploadError::TooLarge => Reason::TooLarge,
                UploadError::ContentType => Reason::ContentTypeNotAllowed,
            },
            Self::OriginNotAllowed => Reason::OriginNotAllowed,
            Self::InsufficientScope { .. } => Reason::InsufficientScope,
            #[cfg(feature = "code-flow")]
            Self::SignIn(error) => error.kind(),
        }
    }

    /// The same as [`detail`](Self::detail), for somebody else than the viewer: with the name of a query parameter only
    /// as the decision log has it. Another one could be a secret.
    pub fn logged_detail(&self) -> String {
        let of = |name: &str| logged_name(name).to_owned();
        match self {
            Self::Query(QueryError::NotAllowed(name)) => {
                Self::Query(QueryError::NotAllowed(of(name))).detail()
            }
            Self::Query(QueryError::Malformed(name)) => Self::Query(QueryError::Malformed(of(name))).detail(),
            other => other.detail(),
        }
    }

    /// The message for the viewer, in the `detail` of the problem document (RFC 9457 section 3.1.4).
    pub fn detail(&self) -> String {
        let fixed = match self {
            Self::EventMalformed(_) | Self::EventWrongTrigger => {
                "The authorizer cannot read the request that CloudFront sent to it."
            }
            Self::Key(error) => match error {
                KeyError::Missing => {
                    "The path does not contain an object key. Send the request to /OBJECT-KEY."
                }
                KeyError::EscapeMalformed => {
                    "The path has a % that is not followed by two hexadecimal digits. Encode % itself as %25."
                }
                KeyError::NotUtf8 => "The decoded path is not UTF-8.",
                KeyError::EmptySegment => "The path has an empty segment (//).",
                KeyError::DotSegment => "The path has a segment . or .., encoded or not.",
                KeyError::ControlCharacter => "The path has a control character, encoded or not.",
                KeyError::Backslash => "The path has a backslash, encoded or not.",
                KeyError::RawPlus => {
                    "The path has a raw +, which S3 reads as a space. Encode a plus as %2B and a space as %20."
                }
                KeyError::RawDelimiter => "The path has a raw space, # or ?. Percent-encode it.",
                KeyError::Soap => {
                    "S3 does not serve an object with the key soap at this kind of address. Give it another key."
                }
                KeyError::TooLong => "The object key is longer than the 1,024 bytes of UTF-8 that S3 allows.",
            },
            Self::Query(error) => {
                return match error {
                    QueryError::NotAllowed(name) => format!(
                        "The query parameter {name} is not allowed here. Send the request without it."
                    ),
                    QueryError::Malformed(name) => format!(
                        "The query parameter {name} is missing, appears twice, or has an invalid value."
                    ),
                    QueryError::Unreadable => {
                        "The query string is malformed. Encode a plus as %2B, a space as %20, and % as %25."
                            .to_owned()
                    }
                };
            }
            Self::PostNotAnUpload => {
                "POST is only for multipart uploads (?uploads, ?uploadId). To upload in one request, use PUT."
            }
            Self::HeaderNotAllowed(name) => {
                return format!(
                    "The request header {name} is not allowed here. Send the request without it."
                );
            }
            Self::HeaderMalformed(name) => {
                return format!(
                    "The request header {name} has a value that is not allowed here, or appears twice. Correct the \
                     value, or send the request without the header."
                );
            }
            Self::MethodNotAllowed { allow } => return method_detail(allow),
            Self::CredentialRepeated => "More than one credential was sent. Send exactly one.",
            Self::CredentialScheme => "The Authorization header is not a bearer token.",
            Self::CredentialMalformed => "The cookie, header or query parameter does not contain a token.",
            Self::TokenMissing => "The request must have a bearer token.",
            Self::Token(error) => return format!("{}.", token_description(*error)),
            Self::KeysUnavailable(_) => "The token cannot be verified at the moment. Try again later.",
            Self::NoRule(NoRule::MetadataMismatch) => {
                "The metadata of the upload does not have the values that are required here."
            }
            Self::DeniedByRule | Self::NoRule(_) | Self::InsufficientScope { .. } => {
                "Access to this object with this method is not allowed."
            }
            Self::Upload(error) => match error {
                UploadError::LengthRequired => {
                    "The upload must have a Content-Length. To complete a multipart upload, send \
                     x-amz-mp-object-size."
                }
                UploadError::TooLarge => "The upload is larger than the limit here.",
                UploadError::ContentType => {
                    "The upload must have one well-formed Content-Type that is allowed here."
                }
            },
            Self::OriginNotAllowed => "Pages from this origin cannot use this service.",
            #[cfg(feature = "code-flow")]
            Self::SignIn(error) => error.detail(),
        };
        fixed.to_owned()
    }

    /// The `WWW-Authenticate` challenge, if the refusal has one (RFC 6750 section 3).
    pub fn challenge(&self, realm: &str) -> Option<String> {
        match self {
            // RFC 6750 section 3: a request without a bearer token does not get an error code.
            Self::TokenMissing | Self::CredentialScheme => Some(format!("Bearer realm=\"{realm}\"")),
            Self::CredentialRepeated => Some(format!(
                "Bearer realm=\"{realm}\", error=\"invalid_request\", error_description=\"More than one credential\""
            )),
            Self::Token(error) => Some(invalid_token(realm, token_description(*error))),
            Self::CredentialMalformed => Some(invalid_token(realm, NOT_VALID_HERE)),
            #[cfg(feature = "code-flow")]
            Self::SignIn(error) => {
                (error.kind().status() == 401).then(|| format!("Bearer realm=\"{realm}\""))
            }
            Self::InsufficientScope { scope } => {
                Some(format!("Bearer realm=\"{realm}\", error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            Self::EventMalformed(_)
            | Self::EventWrongTrigger
            | Self::Key(_)
            | Self::Query(_)
            | Self::PostNotAnUpload
            | Self::HeaderNotAllowed(_)
            | Self::HeaderMalformed(_)
            | Self::MethodNotAllowed { .. }
            | Self::KeysUnavailable(_)
            | Self::DeniedByRule
            | Self::NoRule(_)
            | Self::Upload(_)
            | Self::OriginNotAllowed => None,
        }
    }
}

/// `allow` is the value of the header. It has OPTIONS if preflights are answered, and only these are.
fn method_detail(allow: &str) -> String {
    let preflights = if allow.ends_with("OPTIONS") {
        " OPTIONS is only for preflights, which have Origin and Access-Control-Request-Method."
    } else {
        ""
    };
    match allow {
        "" => "No method is allowed here.".to_owned(),
        _ => format!("This method is not allowed here. The methods are: {allow}.{preflights}"),
    }
}

/// The message for a token that does not verify.
const NOT_VALID_HERE: &str = "The token is not valid here";

/// A client can act on "expired" (get a new token) and on "not yet" (fix its clock). Anything
/// more would help an attacker to find out what is trusted here.
fn token_description(error: TokenError) -> &'static str {
    match error {
        TokenError::Expired => "The token has expired",
        TokenError::NotYetValid | TokenError::IssuedInFuture => "The token is not valid yet",
        TokenError::TooLong
        | TokenError::Malformed
        | TokenError::DuplicateMember
        | TokenError::Encrypted
        | TokenError::Nested
        | TokenError::CriticalHeader
        | TokenError::IssuerUnknown
        | TokenError::AlgorithmNotAllowed
        | TokenError::SigningKeyUnknown
        | TokenError::SignatureInvalid
        | TokenError::TypeMismatch
        | TokenError::TimeMalformed
        | TokenError::LifetimeTooLong
        | TokenError::AudienceMismatch
        | TokenError::ClientMismatch
        | TokenError::RequiredClaimMismatch
        | TokenError::Bound
        | TokenError::Revoked => NOT_VALID_HERE,
    }
}

/// The challenge for a token that does not verify (RFC 6750 section 3.1).
fn invalid_token(realm: &str, description: &str) -> String {
    format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{description}\"")
}

/// The reason phrase of a status this function answers with (RFC 9110 section 15).
pub(crate) fn status_description(status: u16) -> &'static str {
    match status {
        #[cfg(feature = "code-flow")]
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        #[cfg(feature = "code-flow")]
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        #[cfg(feature = "code-flow")]
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
