//! What the answer to a refused request shows of its reason.
//!
//! An access log has the status of the answer, and the type and length of its body. A body of another type is a custom
//! error response of CloudFront, whose status says nothing. The function writes the same body for the same reason,
//! except for CloudFront's id of the request, which the log has too. For a policy that signs people in, a browser may get
//! a page instead, which is the same for all reasons with a status; a custom error response can be a page too, so that only
//! one of exactly this length counts. CloudFront does not compress a body of less than 1,000 bytes ([AWS: serving compressed
//! files](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html)).

use std::sync::LazyLock;

use authorizer_core::credential::CredentialError;
use authorizer_core::key::KeyError;
use authorizer_core::operation::{Method, S3Operation};
use authorizer_core::outcome::{refusal_bodies, refusal_page};
use authorizer_core::{KeysUnavailable, NoRule, Reason, Refusal, TokenError, UploadError};

use super::access::Values;
use crate::facts::Requested;

/// The status of the answer that sends a person to sign in, whatever is wrong with the token.
const SIGN_IN: u16 = 302;

/// An answer of the function.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Answer<'l> {
    method: &'l str,
    status: Option<u16>,
    media_type: Option<&'l str>,
    length: Option<usize>,
    /// The id of the request, which is part of the body.
    request_id: Option<&'l str>,
}

impl<'l> Answer<'l> {
    pub(super) fn of(values: &'l Values<'_>) -> Self {
        Self {
            method: values.method.as_deref().unwrap_or_default(),
            status: values.status.as_deref().and_then(|text| text.parse().ok()),
            media_type: values.content_type.as_deref(),
            length: values.content_length.as_deref().and_then(|text| text.parse().ok()),
            request_id: values.request_id.as_deref(),
        }
    }

    /// Whether the log can have the type and length of a body: the answer to HEAD and the way to sign in do not have one.
    fn has_body(&self) -> bool {
        self.method != Method::Head.as_str() && self.status != Some(SIGN_IN)
    }

    /// The media type of the body.
    fn media_type(&self) -> Option<&'l str> {
        self.media_type.filter(|_| self.has_body())
    }

    /// The length of the body without the id of the request; `None` if the log does not have it.
    fn rest(&self) -> Option<usize> {
        let id = self.request_id?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/.~".contains(&byte);
        // A length that is less than that of the id fits no reason.
        let rest = self.length?.saturating_sub(id.len());
        (self.has_body() && id.bytes().all(is_plain)).then_some(rest)
    }

    /// Whether nothing but the status shows that this is the function's own answer, and no custom error response.
    pub(super) fn has_only_status(&self) -> bool {
        self.status.is_some_and(|status| status != SIGN_IN)
            && self.media_type().is_none()
            && self.rest().is_none()
    }
}

/// The reasons that have such an answer to this request; none if the function never answers like that. Without a
/// status, all.
pub(super) fn reasons(answer: &Answer<'_>, asked: Option<&Requested>) -> Vec<Reason> {
    let fits = |reason: &Reason| match answer.status {
        None => true,
        Some(SIGN_IN) => *reason == Reason::TokenMissing || reason.status() == 401,
        Some(status) => reason.status() == status,
    };
    let is_safe = [Method::Get, Method::Head].iter().any(|method| method.as_str() == answer.method);
    let uploads = asked.is_none_or(|asked| asked.operations.any(S3Operation::is_upload));
    let can_be = |reason: &Reason| match reason {
        // Only a page that changes something is refused for its origin. A preflight is not compared.
        Reason::OriginNotAllowed => !is_safe,
        Reason::LengthRequired
        | Reason::TooLarge
        | Reason::ContentTypeNotAllowed
        | Reason::MetadataMismatch => uploads,
        _ => true,
    };
    let (logged_type, rest) = (answer.media_type(), answer.rest());
    let has_body = |bodies: &Bodies| {
        bodies.iter().any(|(media_type, length)| {
            logged_type.is_none_or(|logged| logged == *media_type)
                && length.zip(rest).is_none_or(|(length, rest)| length == rest)
        })
    };
    let is_page = |length: usize| logged_type.is_none_or(is_html) && rest == Some(length);
    let all = BODIES.iter().filter(|(reason, bodies, page)| {
        fits(reason) && can_be(reason) && (has_body(bodies) || is_page(*page))
    });
    all.map(|(reason, _, _)| *reason).collect()
}

fn is_html(media_type: &str) -> bool {
    media_type.split(';').next() == Some("text/html")
}

/// The media types of the bodies that an answer can have; with their lengths, without the id of the request, if the
/// answer always has the same text.
type Bodies = [(&'static str, Option<usize>); 2];

/// All reasons, each with its bodies and the length of its page, without the id of the request.
static BODIES: LazyLock<Vec<(Reason, Bodies, usize)>> = LazyLock::new(|| {
    // The id is part of the body, even if it is empty.
    let bodies = |refusal: &Refusal| refusal_bodies(refusal, Some(""));
    let of = |reason| match refusal_of(reason) {
        Some(refusal) => bodies(&refusal).map(|(media_type, body)| (media_type, Some(body.len()))),
        None => bodies(&Refusal::TokenMissing).map(|(media_type, _)| (media_type, None)),
    };
    Reason::ALL
        .into_iter()
        .filter(|reason| !matches!(reason, Reason::SignIn(_)))
        .map(|reason| (reason, of(reason), refusal_page(reason.status(), "").len()))
        .collect()
});

/// A refusal for this reason; `None` if the text of the answer depends on more than the reason.
fn refusal_of(reason: Reason) -> Option<Refusal> {
    Some(match reason {
        // The name of the parameter or header, or the allowed methods, are part of the text. An event that cannot be
        // read does not have an id.
        Reason::QueryNotAllowed
        | Reason::QueryMalformed
        | Reason::HeaderNotAllowed
        | Reason::HeaderMalformed
        | Reason::MethodNotAllowed
        | Reason::EventMalformed => return None,
        // These have other bodies, and are not of requests for objects.
        Reason::SignIn(_) => return None,
        Reason::EventWrongTrigger => Refusal::EventWrongTrigger,
        Reason::KeyMissing => Refusal::Key(KeyError::Missing),
        Reason::KeyEscapeMalformed => Refusal::Key(KeyError::EscapeMalformed),
        Reason::KeyNotUtf8 => Refusal::Key(KeyError::NotUtf8),
        Reason::KeyEmptySegment => Refusal::Key(KeyError::EmptySegment),
        Reason::KeyDotSegment => Refusal::Key(KeyError::DotSegment),
        Reason::KeyControlCharacter => Refusal::Key(KeyError::ControlCharacter),
        Reason::KeyBackslash => Refusal::Key(KeyError::Backslash),
        Reason::KeyRawPlus => Refusal::Key(KeyError::RawPlus),
        Reason::KeyRawDelimiter => Refusal::Key(KeyError::RawDelimiter),
        Reason::KeySoap => Refusal::Key(KeyError::Soap),
        Reason::KeyTooLong => Refusal::Key(KeyError::TooLong),
        Reason::PostNotAnUpload => Refusal::PostNotAnUpload,
        Reason::CredentialRepeated => CredentialError::Repeated.into(),
        Reason::CredentialScheme => CredentialError::Scheme.into(),
        Reason::CredentialMalformed => CredentialError::Malformed.into(),
        Reason::TokenMissing => Refusal::TokenMissing,
        Reason::TokenTooLong => Refusal::Token(TokenError::TooLong),
        Reason::TokenMalformed => Refusal::Token(TokenError::Malformed),
        Reason::TokenDuplicateMember => Refusal::Token(TokenError::DuplicateMember),
        Reason::TokenEncrypted => Refusal::Token(TokenError::Encrypted),
        Reason::TokenNested => Refusal::Token(TokenError::Nested),
        Reason::TokenCriticalHeader => Refusal::Token(TokenError::CriticalHeader),
        Reason::IssuerUnknown => Refusal::Token(TokenError::IssuerUnknown),
        Reason::AlgorithmNotAllowed => Refusal::Token(TokenError::AlgorithmNotAllowed),
        Reason::SigningKeyUnknown => Refusal::Token(TokenError::SigningKeyUnknown),
        Reason::SignatureInvalid => Refusal::Token(TokenError::SignatureInvalid),
        Reason::TokenTypeMismatch => Refusal::Token(TokenError::TypeMismatch),
        Reason::TokenTimeMalformed => Refusal::Token(TokenError::TimeMalformed),
        Reason::TokenExpired => Refusal::Token(TokenError::Expired),
        Reason::TokenNotYetValid => Refusal::Token(TokenError::NotYetValid),
        Reason::TokenIssuedInFuture => Refusal::Token(TokenError::IssuedInFuture),
        Reason::AudienceMismatch => Refusal::Token(TokenError::AudienceMismatch),
        Reason::ClientMismatch => Refusal::Token(TokenError::ClientMismatch),
        Reason::RequiredClaimMismatch => Refusal::Token(TokenError::RequiredClaimMismatch),
        Reason::TokenLifetimeTooLong => Refusal::Token(TokenError::LifetimeTooLong),
        Reason::TokenBound => Refusal::Token(TokenError::Bound),
        Reason::TokenRevoked => Refusal::Token(TokenError::Revoked),
        Reason::KeysUnavailable => Refusal::KeysUnavailable(KeysUnavailable::NoAnswer),
        Reason::DeniedByRule => Refusal::DeniedByRule,
        Reason::KeyNotAllowed => Refusal::NoRule(NoRule::KeyNotAllowed),
        Reason::OperationNotAllowed => Refusal::NoRule(NoRule::OperationNotAllowed),
        Reason::IssuerNotAllowed => Refusal::NoRule(NoRule::IssuerNotAllowed),
        Reason::TimeNotAllowed => Refusal::NoRule(NoRule::TimeNotAllowed),
        Reason::SourceNotAllowed => Refusal::NoRule(NoRule::SourceNotAllowed),
        Reason::HostNotAllowed => Refusal::NoRule(NoRule::HostNotAllowed),
        Reason::ConditionNotMet => Refusal::NoRule(NoRule::ConditionNotMet),
        Reason::InsufficientScope => Refusal::InsufficientScope { scope: String::new() },
        Reason::LengthRequired => Refusal::Upload(UploadError::LengthRequired),
        Reason::TooLarge => Refusal::Upload(UploadError::TooLarge),
        Reason::ContentTypeNotAllowed => Refusal::Upload(UploadError::ContentType),
        Reason::MetadataMismatch => Refusal::NoRule(NoRule::MetadataMismatch),
        Reason::OriginNotAllowed => Refusal::OriginNotAllowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons_of(status: u16, length: Option<usize>) -> Vec<Reason> {
        let answer = Answer {
            method: "GET",
            status: Some(status),
            media_type: Some("application/problem+json"),
            length,
            request_id: Some("id=="),
        };
        reasons(&answer, None)
    }

    fn length_of(refusal: &Refusal) -> Option<usize> {
        refusal_bodies(refusal, Some("id==")).first().map(|(_, body)| body.len())
    }

    #[test]
    fn a_refusal_is_of_its_reason_and_its_answer_leads_back_to_it() {
        for reason in Reason::ALL {
            let Some(refusal) = refusal_of(reason) else { continue };
            assert_eq!(refusal.kind(), reason);
            let found = reasons_of(reason.status(), length_of(&refusal));
            assert!(found.contains(&reason) || reason == Reason::OriginNotAllowed, "{reason:?} {found:?}");
        }
    }

    #[test]
    fn the_answer_tells_a_missing_token_from_one_that_is_refused() {
        assert_eq!(reasons_of(401, length_of(&Refusal::TokenMissing)), [Reason::TokenMissing]);
        assert_eq!(reasons_of(401, length_of(&Refusal::Token(TokenError::Expired))), [Reason::TokenExpired]);
        assert!(reasons_of(401, length_of(&Refusal::Token(TokenError::Bound))).len() > 10);
        // Without a length, only the status.
        assert!(reasons_of(401, None).contains(&Reason::TokenMissing));
        assert!(reasons_of(302, Some(0)).contains(&Reason::TokenExpired));
        // Neither this length nor this status is one of the function's.
        assert_eq!(reasons_of(401, Some(12)), []);
        assert_eq!(reasons_of(404, None), []);
    }

    #[test]
    fn a_text_that_depends_on_the_policy_has_any_length() {
        for allow in ["", "GET", "GET, HEAD, PUT"] {
            let refusal = Refusal::MethodNotAllowed { allow: allow.to_owned() };
            assert_eq!(reasons_of(405, length_of(&refusal)), [Reason::MethodNotAllowed], "{allow}");
        }
    }

    #[test]
    fn an_answer_of_another_type_is_not_the_functions() {
        let reasons_of = |method, status, media_type, length| {
            let answer =
                Answer { method, status: Some(status), media_type, length, request_id: Some("id==") };
            reasons(&answer, None).len()
        };
        for status in [400, 401, 403, 405, 500, 503] {
            for length in [None, length_of(&Refusal::TokenMissing)] {
                assert_eq!(reasons_of("GET", status, Some("text/html"), length), 0, "{status}");
            }
            for media_type in [None, Some("application/problem+json"), Some("application/xml")] {
                assert!(reasons_of("GET", status, media_type, None) > 0, "{status}");
            }
        }
        // These answers have no body.
        assert!(reasons_of("HEAD", 403, Some("text/html"), None) > 0);
        assert!(reasons_of("GET", 302, Some("text/html"), Some(0)) > 0);
    }

    #[test]
    fn a_page_is_of_the_reasons_with_its_status_and_no_other_page_is_the_functions() {
        let reasons_of = |status, media_type, length| {
            let answer =
                Answer { method: "GET", status: Some(status), media_type, length, request_id: Some("id==") };
            reasons(&answer, None)
        };
        for media_type in [None, Some("text/html"), Some("text/html; charset=utf-8")] {
            for status in [400, 401, 403, 405, 503] {
                let length = refusal_page(status, "id==").len();
                let found = reasons_of(status, media_type, Some(length));
                assert!(
                    found.iter().all(|reason| reason.status() == status) && !found.is_empty(),
                    "{found:?}"
                );
                if media_type.is_some() {
                    assert_eq!(reasons_of(status, media_type, Some(length + 1)), [], "{status}");
                    assert_eq!(reasons_of(status, media_type, None), [], "{status}");
                }
            }
        }
    }

    #[test]
    fn an_answer_that_shows_only_its_status_may_be_another_ones() {
        let has_only_status = |method, status, media_type, length| {
            Answer { method, status, media_type, length, request_id: Some("id==") }.has_only_status()
        };
        assert!(has_only_status("GET", Some(403), None, None));
        assert!(has_only_status("HEAD", Some(403), Some("application/problem+json"), Some(9)));
        assert!(!has_only_status("GET", Some(403), Some("application/problem+json"), None));
        assert!(!has_only_status("GET", Some(403), None, Some(140)));
        // Without a status, nothing is concluded from it; and no custom error response is a 302.
        assert!(!has_only_status("GET", None, None, None));
        assert!(!has_only_status("GET", Some(302), None, None));
    }

    #[test]
    fn no_body_is_so_long_that_it_could_be_compressed() {
        let longest = BODIES
            .iter()
            .flat_map(|(_, bodies, page)| bodies.iter().filter_map(|(_, length)| *length).chain([*page]))
            .max();
        // An id has 56 characters.
        assert!(longest.is_some_and(|length| length + 56 < 1000), "{longest:?}");
    }
}
