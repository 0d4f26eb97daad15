//! Whether a request is a person who opens a page.

use crate::event::{CloudFrontHeaders, CloudFrontRequest, HeaderLines};

/// A GET with which a browser opens a page for a person (Fetch Metadata Request Headers, sections 2.1 and 2.2). One that
/// only loads it beforehand (`Sec-Purpose: prefetch`, section 2.5; older: `Purpose`) would set the marker of a way that
/// nobody went.
pub(super) fn is_navigation(request: &CloudFrontRequest<'_>) -> bool {
    request.method == "GET" && !is_beforehand(&request.headers) && is_of_a_window(&request.headers)
}

/// Whether a browser shows the answer as a page of its own, which is not part of another: it goes to this address, by
/// whatever method.
pub(crate) fn is_of_a_window(headers: &CloudFrontHeaders<'_>) -> bool {
    has_one_line(headers, "sec-fetch-mode", "navigate")
        && (has_one_line(headers, "sec-fetch-dest", "document") || !headers.contains_key("sec-fetch-dest"))
        && accepts_html(headers)
}

/// Whether a header has exactly one line, with this value.
pub(super) fn has_one_line(headers: &CloudFrontHeaders<'_>, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|lines| matches!(lines.as_slice(), [line] if line.value == value))
}

/// Whether a browser only loads it in case that somebody opens it.
pub(super) fn is_beforehand(headers: &CloudFrontHeaders<'_>) -> bool {
    ["sec-purpose", "purpose"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .any(|lines| lines.as_slice().iter().any(|line| line.value.to_ascii_lowercase().contains("prefetch")))
}

fn accepts_html(headers: &CloudFrontHeaders<'_>) -> bool {
    let lines = headers.get("accept").map(HeaderLines::as_slice).unwrap_or_default();
    lines.iter().flat_map(|line| line.value.split(',')).any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim_matches([' ', '\t']).eq_ignore_ascii_case("text/html")
    })
}

/// Whether who sent this request is shown a page: a browser that goes to an address, by whatever method. A browser that
/// is too old for Fetch Metadata counts if it takes HTML.
#[cfg(feature = "code-flow")]
pub(super) fn shows_pages(headers: &CloudFrontHeaders<'_>) -> bool {
    let modes = headers.get("sec-fetch-mode").map(HeaderLines::as_slice).unwrap_or_default();
    accepts_html(headers) && modes.iter().all(|line| line.value == "navigate")
}
