//! What every answer of S3 has: the ids of its request, and XML that can be read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use s3s::{Body, HttpResponse};

use crate::random;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// The two ids by which AWS's support finds a request.
struct Ids {
    request: String,
    host: String,
}

impl Ids {
    /// `None` if the machine cannot give random bytes: the answer is good without them.
    fn new() -> Option<Self> {
        let request = random::bytes::<8>().ok()?.iter().map(|byte| format!("{byte:02X}")).collect();
        Some(Self { request, host: STANDARD.encode(random::bytes::<57>().ok()?) })
    }
}

/// Completes an answer.
pub(crate) fn complete(mut answer: HttpResponse) -> HttpResponse {
    let ids = Ids::new();
    let is_error = answer.status().is_client_error() || answer.status().is_server_error();
    let is_xml = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/xml");
    // An object may have this type too, and is not touched. What `s3s` has written is in memory.
    let is_written_here = is_xml && !answer.headers().contains_key(header::ACCEPT_RANGES);
    if is_written_here && let Some(body) = answer.body().bytes() {
        let changed = xml(&body, ids.as_ref().filter(|_| is_error));
        if changed.is_some() {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
        }
        *answer.body_mut() = Body::from(changed.map_or(body, Bytes::from));
    }
    if let Some(ids) = ids {
        for (name, value) in [(REQUEST_ID, ids.request), (HOST_ID, ids.host)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.headers_mut().insert(name, value);
            }
        }
    }
    answer
}

/// The XML with the ids of an error, and with a reference for each character that XML cannot have or that its readers
/// would take for another: S3 writes `&#x1;`, which XML 1.0 does not allow either, and `&#xD;`. `s3s` puts no space between
/// elements, so such a character is always of a key.
fn xml(body: &[u8], ids: Option<&Ids>) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let is_odd = |character: char| character < ' ' || matches!(character, '\u{fffe}' | '\u{ffff}');
    if ids.is_none() && !text.contains(is_odd) {
        return None;
    }
    let mut written = String::with_capacity(text.len().saturating_add(256));
    for character in text.chars() {
        if is_odd(character) {
            written.push_str(&format!("&#x{:X};", u32::from(character)));
        } else {
            written.push(character);
        }
    }
    if let Some(ids) = ids
        && let Some(all_but_the_end) = written.strip_suffix("</Error>")
    {
        let (request, host) = (&ids.request, &ids.host);
        written = format!("{all_but_the_end}<RequestId>{request}</RequestId><HostId>{host}</HostId></Error>");
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_xml_cannot_have_is_a_reference() {
        for (before, after) in [
            ("<Key>a\u{1}b</Key>", Some("<Key>a&#x1;b</Key>")),
            ("<Key>\r\n\t</Key>", Some("<Key>&#xD;&#xA;&#x9;</Key>")),
            ("<Key>\u{fffe}\u{ffff}</Key>", Some("<Key>&#xFFFE;&#xFFFF;</Key>")),
            ("<Key>\u{e9} \u{7f} \u{2028} \u{ff21}</Key>", None),
        ] {
            assert_eq!(xml(before.as_bytes(), None).as_deref(), after, "{before:?}");
        }
    }

    #[test]
    fn an_error_tells_the_ids_of_its_header() {
        let mut answer = HttpResponse::new(Body::from("<Error><Code>NoSuchKey</Code></Error>".to_owned()));
        *answer.status_mut() = http::StatusCode::NOT_FOUND;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        let answer = complete(answer);
        let id = answer.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        assert!(id.len() == 16 && answer.headers()[HOST_ID].len() == 76);
        let body = String::from_utf8(answer.body().bytes().unwrap().to_vec()).unwrap();
        assert!(
            body.contains(&format!("<RequestId>{id}</RequestId>")) && body.ends_with("</Error>"),
            "{body}"
        );
    }

    #[test]
    fn an_object_that_is_xml_is_not_touched() {
        let text = "<Error>\n</Error>";
        let mut answer = HttpResponse::new(Body::from(text.to_owned()));
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        answer.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        assert_eq!(complete(answer).body().bytes().unwrap(), text);
    }
}
