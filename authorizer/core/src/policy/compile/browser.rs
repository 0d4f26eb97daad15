//! `[credentials]`, `[cors]` and `[sign_in]`.

use super::super::document::{
    CorsDocument, CredentialsDocument, PolicyDocument, SignInDocument, SignInRedirectDocument,
};
use super::super::problem::{Place, Problems};
use crate::cors::{AllowedOrigins, Cors};
use crate::credential::{CookieName, CredentialPlaces, TokenHeader, TokenHeaderError};
use crate::media_type::is_token;
use crate::operation::{is_known_to_s3, is_s3_parameter};
use crate::origin::OriginPattern;
use crate::sign_in::SignInRedirect;

/// A day: browsers do not remember an answer to a preflight for longer.
const MAX_AGE_SECONDS: u32 = 86_400;

pub(super) fn compile_credentials(
    document: &CredentialsDocument,
    problems: &mut Problems,
) -> CredentialPlaces {
    let place = Place::member("credentials");
    let header = compile_header(document, &place, problems);
    let cookie = document.cookie.as_ref().map(|name| (name, CookieName::parse(name)));
    if let Some((name, None)) = &cookie {
        problems.add(
            place.then("cookie"),
            format!("`{}` is not the name of a cookie", name.escape_debug()),
            "write a name such as `session`, or a pattern with one `*` that is not its beginning, such as \
             `CognitoIdentityServiceProvider.CLIENT_ID.*.accessToken`",
        );
    }
    let is_parameter = |name: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.', '~'].contains(&c);
        !name.is_empty() && name.chars().all(is_plain) && !is_s3_parameter(name)
    };
    if let Some(name) = document.query.as_ref().filter(|name| !is_parameter(name)) {
        problems.add(
            place.then("query"),
            format!("tokens cannot be taken from the query parameter `{}`", name.escape_debug()),
            "write a name that S3 does not use, such as `access_token`",
        );
    }
    CredentialPlaces { header, cookie: cookie.and_then(|(_, name)| name), query: document.query.clone() }
}

/// A header besides `Authorization`.
fn compile_header(
    document: &CredentialsDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<TokenHeader> {
    let name = &document.header;
    if name.eq_ignore_ascii_case("authorization") {
        if document.header_set_by.is_some() {
            problems.add(
                place.then("header_set_by"),
                "clients set `Authorization` themselves",
                "remove this, or name another header in `header`",
            );
        }
        return None;
    }
    let place = place.then("header");
    match TokenHeader::new(name, document.header_set_by.unwrap_or_default()) {
        Ok(header) => return Some(header),
        Err(TokenHeaderError::Name) => problems.add(
            place,
            format!("`{}` is not the name of a header", name.escape_debug()),
            "write a name such as `Cf-Access-Jwt-Assertion`, or remove the line",
        ),
        Err(TokenHeaderError::Taken) => problems.add(
            place,
            format!("tokens cannot be taken from the header `{name}`, which means something else"),
            "name a header that S3, CloudFront, HTTP and the browser do not use, such as \
             `Cf-Access-Jwt-Assertion`, or remove the line",
        ),
        Err(TokenHeaderError::LoadBalancer) => problems.add(
            place,
            "the token in `x-amzn-oidc-data` is not a standard JWS: the load balancer pads its parts with `=`, and \
             its keys are not in a JWK set",
            "let clients send the identity provider's own token, in `Authorization`",
        ),
    }
    None
}

/// `[query]`: the names of query parameters that reads drop. None can be one that S3 knows, in any case: whoever reads
/// the policy must not take a request for another one.
pub(super) fn compile_ignored(document: &PolicyDocument, problems: &mut Problems) -> Vec<String> {
    let place = Place::member("query").then("ignored");
    let names = &document.query.ignored;
    if names.len() > MAX_IGNORED {
        problems.add(
            place.clone(),
            format!("`ignored` names {} parameters", names.len()),
            format!("name at most {MAX_IGNORED}"),
        );
    }
    for (index, name) in names.iter().enumerate() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.', '~'].contains(&c);
        let place = || place.at(index);
        if names.iter().take(index).any(|before| before == name) {
            problems.add(place(), format!("`{}` is listed twice", name.escape_debug()), "remove one");
        } else if name.is_empty() || name.len() > MAX_PARAMETER_NAME || !name.chars().all(is_plain) {
            problems.add(
                place(),
                format!("`{}` is not the name of a query parameter", name.escape_debug()),
                format!("use 1 to {MAX_PARAMETER_NAME} letters, digits, `-`, `_`, `.` or `~`; there are no patterns"),
            );
        } else if is_known_to_s3(name) {
            problems.add(
                place(),
                format!("S3 knows the query parameter `{name}`, so a request with it is another request"),
                "remove it from the list",
            );
        } else if document.credentials.query.as_ref().is_some_and(|token| token.eq_ignore_ascii_case(name)) {
            problems.add(
                place(),
                format!("the query parameter `{name}` contains the token"),
                "remove it from the list, or from `[credentials]`",
            );
        }
    }
    names.clone()
}

/// The most parameters that can be ignored, and the longest name of one.
const MAX_IGNORED: usize = 16;
const MAX_PARAMETER_NAME: usize = 64;

pub(super) fn compile_cors(document: &CorsDocument, problems: &mut Problems) -> Option<Cors> {
    let place = Place::member("cors");
    for (index, name) in document.exposed_headers.iter().enumerate() {
        // `*` means every header, but a browser that sends credentials reads it as a header with that name.
        if !is_token(name) || name == "*" {
            problems.add(
                place.then("exposed_headers").at(index),
                format!("`{}` is not the name of a header", name.escape_debug()),
                "name the headers one by one, such as `ETag`",
            );
        }
    }
    if document.max_age_seconds > MAX_AGE_SECONDS {
        problems.add(
            place.then("max_age_seconds"),
            format!("no browser remembers an answer for {} seconds", document.max_age_seconds),
            format!("use at most {MAX_AGE_SECONDS}"),
        );
    }
    Some(Cors {
        origins: compile_origins(document, &place.then("origins"), problems)?,
        credentials: document.credentials,
        exposed_headers: document.exposed_headers.clone(),
        max_age_seconds: document.max_age_seconds,
    })
}

fn compile_origins(
    document: &CorsDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<AllowedOrigins> {
    let origins = &document.origins;
    if origins.is_empty() {
        problems.add(place.clone(), "no origin is allowed", "name an origin, or remove `[cors]`");
        return None;
    }
    if let Some(index) = origins.iter().position(|origin| origin == "*") {
        if document.credentials {
            problems.add(
                place.at(index),
                "every page of every origin could send a user's cookies",
                "name the origins, or remove `credentials`",
            );
        } else if origins.len() > 1 {
            problems.add(place.at(index), "`*` already allows every origin", "remove the other origins");
        }
        return Some(AllowedOrigins::Any);
    }
    let mut patterns = Vec::with_capacity(origins.len());
    for (index, text) in origins.iter().enumerate() {
        match OriginPattern::parse(text) {
            Some(pattern) => patterns.push(pattern),
            None => problems.add(
                place.at(index),
                format!("`{}` is not an origin", text.escape_debug()),
                "write it as browsers do: `https://app.example.com`, lower case, with a port only where it is \
                 not the scheme's own and without a path, or `https://*.example.com`",
            ),
        }
    }
    Some(AllowedOrigins::Listed(patterns))
}

/// If the token cannot come with the request, a person who returns from signing in is sent there again, without end.
pub(super) fn check_sign_in_is_of_use(policy: &PolicyDocument, problems: &mut Problems) {
    let Some(sign_in) = &policy.sign_in else { return };
    if policy.credentials.cookie.is_none() {
        let remedy = match sign_in {
            SignInDocument::Redirect(_) => {
                "add `[credentials]` with `cookie = \"...\"`, the cookie that signing in sets"
            }
            #[cfg(feature = "code-flow")]
            SignInDocument::CodeFlow(_) => {
                "add `[credentials]` with `cookie = \"__Host-session\"`, the cookie of the session"
            }
        };
        problems.add(
            Place::member("sign_in"),
            "a browser that opens a page can only send a token in a cookie, but `[credentials]` does not name one",
            remedy,
        );
    }
    if policy.issuers.is_empty() {
        problems.add(
            Place::member("sign_in"),
            "the policy does not trust an issuer, so a sign-in does not allow anything",
            "add an `[[issuers]]` block, or remove `[sign_in]`",
        );
    }
}

pub(super) fn compile_redirect(
    document: &SignInRedirectDocument,
    problems: &mut Problems,
) -> Option<SignInRedirect> {
    let SignInRedirectDocument { url, origin, return_parameter } = document;
    // Each value is tried together with valid values of the others, so that the invalid one is named.
    const GOOD: &str = "https://example.com";
    for (name, tried, remedy) in [
        (
            "url",
            SignInRedirect::new(url, GOOD, "r"),
            "write an address with `https://` (`http://` on this machine only) and without `#` and spaces",
        ),
        (
            "origin",
            SignInRedirect::new(GOOD, origin, "r"),
            "write the distribution's own address, such as `https://files.example.com`, without a path",
        ),
        (
            "return_parameter",
            SignInRedirect::new(GOOD, GOOD, return_parameter),
            "use letters, digits, `-`, `_` and `.`",
        ),
    ] {
        if tried.is_none() {
            problems.add(
                Place::member("sign_in").then(name),
                "this value cannot be used for sign-in",
                remedy,
            );
        }
    }
    SignInRedirect::new(url, origin, return_parameter)
}
