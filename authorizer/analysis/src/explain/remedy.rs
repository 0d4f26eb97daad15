//! What would have to differ for a request that is refused before any rule is checked.

use authorizer_core::operation::{Method, S3Operation};
use authorizer_core::policy::Policy;
use authorizer_core::token::Issuer;
use authorizer_core::{KeysUnavailable, Refusal, SignIn, Supposed, TokenError, UnixTime, claim_name};
use serde_json::{Map, Value};

use super::gap::{alternatives, shown};
use crate::words::instant_in_words;

/// What would have to differ, as a sentence. The viewer is not told all of it.
pub(super) fn remedy(
    refusal: &Refusal,
    method: Option<&str>,
    policy: &Policy,
    supposed: Option<&Supposed>,
    now: UnixTime,
) -> String {
    let fixed = match refusal {
        Refusal::EventMalformed(_) => "The event would have to be the one that CloudFront sends.",
        Refusal::EventWrongTrigger => "The `eventType` of the event would have to be `viewer-request`.",
        Refusal::Key(_) => "The path would have to be the percent-encoded form of one object key.",
        Refusal::Query(_) => "The query would have to be one that an allowed operation takes.",
        Refusal::PostNotAnUpload => {
            "The query would have to be `uploads` or have `uploadId`, or the method be PUT."
        }
        Refusal::HeaderNotAllowed(name) => {
            return format!("The request would have to be without the header `{name}`.");
        }
        Refusal::HeaderMalformed(name) => {
            return format!(
                "The header `{name}` would have to come once, with a value that S3 takes, or not at all."
            );
        }
        Refusal::MethodNotAllowed { allow } => return of_method(method.unwrap_or_default(), allow),
        Refusal::CredentialRepeated => "The request would have to have exactly one credential.",
        Refusal::CredentialScheme => "The header would have to be `Authorization: Bearer TOKEN`.",
        Refusal::CredentialMalformed => {
            "The cookie, header or parameter would have to hold a token, or be left out."
        }
        Refusal::TokenMissing => "The request would have to have a token.",
        Refusal::Token(error) => return of_token(*error, policy, supposed, now),
        Refusal::KeysUnavailable(why) => return of_keys(why, policy),
        Refusal::OriginNotAllowed => "`Origin` would have to be one of the `origins` under `[cors]`.",
        Refusal::SignIn(_) => "The person would have to sign in, in a browser that keeps the session.",
        // These come from the rules.
        Refusal::DeniedByRule
        | Refusal::NoRule(_)
        | Refusal::Upload(_)
        | Refusal::InsufficientScope { .. } => "A rule would have to allow the request.",
    };
    fixed.to_owned()
}

/// Where the start of a sign-in sends a person.
pub(super) fn sent_to(sign_in: &SignIn, policy: &Policy, is_of_other_host: bool) -> String {
    match sign_in {
        SignIn::CodeFlow(flow) if is_of_other_host => {
            format!("The person is sent to the same page of `{}`, where the sign-in begins.", flow.origin())
        }
        SignIn::Redirect(redirect) => {
            format!("The person is sent to `{}` to sign in.", redirect.url())
        }
        SignIn::CodeFlow(flow) => {
            let issuer = policy.issuers().get(flow.issuer()).map(Issuer::name).unwrap_or_default();
            let endpoint = flow.authorization_endpoint().as_str();
            format!("The person is sent to the provider, issuer `{issuer}`, to sign in: `{endpoint}`.")
        }
    }
}

/// Of a method that no rule of the policy opens.
fn of_method(method: &str, allow: &str) -> String {
    let open: Vec<&str> = allow.split(", ").filter(|one| !one.is_empty()).collect();
    let another = match open.as_slice() {
        [] => String::new(),
        open => format!("the method would have to be {}", alternatives(open)),
    };
    match Method::parse(&method.to_ascii_uppercase()) {
        Some(known) if known.as_str() != method => {
            format!("Methods are in capitals: it would have to be `{}`.", known.as_str())
        }
        Some(known) => {
            let operations = S3Operation::ALL.into_iter().filter(|operation| operation.method() == known);
            let operations: Vec<&str> = operations.map(S3Operation::name).collect();
            let or = if another.is_empty() { String::new() } else { format!(", or {another}") };
            format!("No rule opens {method}: a rule would have to allow {}{or}.", alternatives(&operations))
        }
        None if method == "OPTIONS" => {
            "OPTIONS is for preflights: the policy would have to have `[cors]`, and the \
                                        request `Origin` and `Access-Control-Request-Method`."
                .to_owned()
        }
        None if another.is_empty() => {
            "No rule can open this method, and no rule opens another one.".to_owned()
        }
        None => format!("No rule can open this method: {another}."),
    }
}

/// Of keys that would have to be fetched, which nobody does here.
fn of_keys(why: &KeysUnavailable, policy: &Policy) -> String {
    let issuer = match why {
        KeysUnavailable::NotAsked(wanted) => policy.issuers().get(wanted.issuer()),
        KeysUnavailable::NoAnswer => None,
    };
    match issuer.filter(|issuer| issuer.bundled_keys().is_some()) {
        Some(issuer) => format!(
            "The key file of issuer `{}` does not have the key of this token, and this command does not fetch keys. Put the \
             issuer's present keys into the file. A token of a recording has the `kid` of the recording: decide on it with \
             `authorizer replay --recording DIR`.",
            issuer.name()
        ),
        None => {
            "The keys of the issuer would have to be there: give the policy a key file to decide without the network."
                .to_owned()
        }
    }
}

fn of_token(error: TokenError, policy: &Policy, supposed: Option<&Supposed>, now: UnixTime) -> String {
    let none = Map::new();
    let claims = supposed.map_or(&none, |supposed| &supposed.claims);
    let issuer = claims.get("iss").and_then(Value::as_str);
    let issuer = policy.issuers().iter().find(|one| Some(one.issuer()) == issuer);
    // A token of the request itself is not read here, so its values are not said.
    let is = |name: &str| match (supposed, claims.get(name)) {
        (None, _) => String::new(),
        (Some(_), Some(value)) => format!(" (it is {})", shown(value)),
        (Some(_), None) => " (the token does not have it)".to_owned(),
    };
    let fixed = match error {
        TokenError::TooLong => "The token would have to be shorter.",
        TokenError::Malformed => {
            "The token would have to be a signed JWT, whose `sub`, `jti`, `client_id` and `azp` are texts and whose `scope` \
             and `scp` are a text or an array of texts."
        }
        TokenError::DuplicateMember => "The token would have to have each member once.",
        TokenError::Encrypted | TokenError::Nested => {
            "The token would have to be a signed JWT, not an encrypted or nested one."
        }
        TokenError::CriticalHeader => "The header of the token would have to be without `crit` and `b64`.",
        TokenError::IssuerUnknown => {
            let known: Vec<String> =
                policy.issuers().iter().map(|one| format!("`{}` ({})", one.issuer(), one.name())).collect();
            return format!("The claim `iss` would have to be {}{}.", alternatives(&known), is("iss"));
        }
        TokenError::AlgorithmNotAllowed => "`alg` would have to be one of the issuer's `algorithms`.",
        TokenError::SigningKeyUnknown => {
            "`kid` would have to be that of one of the issuer's keys. A token of a recording has the `kid` of the recording: \
             decide on it with `authorizer replay --recording DIR`."
        }
        TokenError::SignatureInvalid => "The token would have to be signed with a key of its issuer.",
        TokenError::TypeMismatch => {
            return match issuer.and_then(Issuer::token_type) {
                Some(expected) => format!("`typ` in the header of the token would have to be `{expected}`."),
                None => "`typ` in the header of the token would have to be that of its issuer.".to_owned(),
            };
        }
        TokenError::TimeMalformed => {
            return match issuer.and_then(Issuer::max_lifetime_seconds) {
                Some(_) => {
                    "`exp` and `iat` would have to be there, and be numbers, as `nbf` where it is there."
                }
                None => {
                    "`exp` would have to be there, and be a number, as `nbf` and `iat` where they are there."
                }
            }
            .to_owned();
        }
        TokenError::Expired | TokenError::NotYetValid | TokenError::IssuedInFuture => {
            let leeway = issuer.map(Issuer::leeway_seconds).unwrap_or_default();
            let (name, relation, is_end) = match error {
                TokenError::NotYetValid => ("nbf", "or later", false),
                TokenError::IssuedInFuture => ("iat", "or later", false),
                _ => ("exp", "earlier than", true),
            };
            let at = claims.get(name).and_then(Value::as_f64);
            let now = instant_in_words(now);
            return match at.and_then(|at| bound(at, leeway, is_end)) {
                Some(at) if is_end => format!(
                    "The time would have to be {relation} {at} (it is {now}), which is `exp` plus the leeway."
                ),
                Some(at) => format!(
                    "The time would have to be {at} {relation} (it is {now}), which is `{name}` less the leeway."
                ),
                None if is_end => format!("`{name}` would have to be later than {now}: get a new token."),
                None => format!("`{name}` would have to be {now} or earlier."),
            };
        }
        TokenError::LifetimeTooLong => {
            return match issuer.and_then(Issuer::max_lifetime_seconds) {
                Some(most) => format!("`exp` would have to be at most {most} seconds after `iat`."),
                None => "`exp` would have to be sooner after `iat`.".to_owned(),
            };
        }
        TokenError::AudienceMismatch => {
            return match issuer {
                Some(issuer) if issuer.audience().is_empty() => format!(
                    "The token would have to be without `aud`{}, or the issuer `{}` have an `audience` that is in it.",
                    is("aud"),
                    issuer.name()
                ),
                Some(issuer) => one_of("aud", Some(issuer.audience()), "audience", &is("aud")),
                None => "The claim `aud` would have to be one of the `audience` of its issuer, or not be there if the issuer \
                         has none."
                    .to_owned(),
            };
        }
        TokenError::ClientMismatch => {
            return one_of("client_id", issuer.map(Issuer::client_ids), "client_id", &is("client_id"));
        }
        TokenError::RequiredClaimMismatch => {
            let lacking = issuer.and_then(|issuer| {
                issuer
                    .required()
                    .iter()
                    .find(|(name, value)| claim_name::find(claims, name).is_none_or(|claim| *value != claim))
            });
            return match lacking {
                Some((name, value)) => {
                    let is = match claim_name::find(claims, name) {
                        Some(is) => format!(" (it is {})", shown(is)),
                        None => " (the token does not have it)".to_owned(),
                    };
                    format!("The claim `{name}` would have to be {value}{is}.")
                }
                None => "The claims under `required` of its issuer would have to be as there.".to_owned(),
            };
        }
        TokenError::Bound => {
            "The token would have to be without `cnf`, or its issuer have `accept_bound_tokens`."
        }
        TokenError::Revoked => "The token would have to be one that `revoked` of its issuer does not list.",
    };
    fixed.to_owned()
}

fn one_of(claim: &str, values: Option<&[String]>, field: &str, is: &str) -> String {
    match values {
        Some(values) if !values.is_empty() => {
            let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("The claim `{claim}` would have to be {}{is}.", alternatives(&quoted))
        }
        _ => format!("The claim `{claim}` would have to be one of the `{field}` of its issuer{is}."),
    }
}

/// The instant with which a claim's time and the leeway end or begin.
fn bound(at: f64, leeway: u32, is_end: bool) -> Option<String> {
    let leeway = f64::from(leeway);
    let at = if is_end { at + leeway } else { at - leeway };
    // A fraction counts: the first whole second that is not before it.
    let at = at.ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the two bounds")]
    (0.0..=253_402_300_799.0).contains(&at).then(|| instant_in_words(UnixTime::from_seconds(at as u64)))
}
