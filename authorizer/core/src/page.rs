//! The pages that people see when they sign in or out, or are refused: fixed sentences, no script, and nothing of the
//! request but its id and a path of the own origin.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::sha256;
use crate::refusal::{Refusal, status_description};

const STYLE: &str = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}\
                     code{overflow-wrap:anywhere}";

/// The media type of a page.
pub(crate) const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// A page, and the headers that it needs.
pub(crate) struct Page {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) html: String,
}

/// Why a step of a sign-in is refused, with a link to try again.
pub(crate) fn sign_in_refused(refusal: &Refusal, request_id: &str, again: &str) -> Page {
    let title = match refusal.status() {
        403 => "You cannot sign in here",
        502 | 503 => "You cannot sign in at the moment",
        _ => "You are not signed in",
    };
    let body = format!(
        "<p>{}</p><p><a href=\"{}\">Try again</a></p>{}",
        text(&refusal.detail()),
        text(again),
        for_help(refusal.reason(), request_id)
    );
    page(title, &body, Forms::None)
}

/// That a request for an object is refused. It depends on the status alone, so that it never says which rule would have
/// helped; the decision log has the reason under this id.
pub(crate) fn refused(status: u16, request_id: &str) -> String {
    let (title, sentence) = match status {
        401 => ("You are not signed in", "Open the page again, and sign in."),
        403 => (
            "You do not have access",
            "You cannot open this. If you should have access, ask who runs this site.",
        ),
        500..=599 => ("This does not work at the moment", "Try again later."),
        _ => ("This cannot be opened", "The address, or what was sent with it, is not valid here."),
    };
    let class = format!("{status} {}", status_description(status));
    html(title, &format!("<p>{sentence}</p>{}", for_help(&class, request_id)))
}

/// What somebody who helps needs, to find the line of the decision log.
fn for_help(what: &str, request_id: &str) -> String {
    format!(
        "<p>If you ask for help, send this: <code>{}</code>, request <code>{}</code></p>",
        text(what),
        text(request_id)
    )
}

/// That nobody is signed in any more.
pub(crate) fn signed_out(home: &str) -> Page {
    let body = format!("<p>You can close this page.</p><p><a href=\"{}\">Sign in again</a></p>", text(home));
    page("You are signed out", &body, Forms::None)
}

/// Asks whether a person wants to sign out: another site may have sent them here.
pub(crate) fn ask_to_sign_out(path: &str) -> Page {
    let body = format!("<form method=\"post\" action=\"{}\"><button>Sign out</button></form>", text(path));
    page("Do you want to sign out?", &body, Forms::One)
}

fn page(title: &str, body: &str, forms: Forms) -> Page {
    let mut headers = vec![("Content-Type", MEDIA_TYPE.to_owned())];
    headers.extend(guards_with(forms));
    Page { headers, html: html(title, body) }
}

fn html(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    )
}

/// What a browser must not do with a page without a form.
pub(crate) fn guards() -> [(&'static str, String); 3] {
    guards_with(Forms::None)
}

/// Whether a page has a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Forms {
    None,
    One,
}

fn guards_with(forms: Forms) -> [(&'static str, String); 3] {
    let style = STANDARD.encode(sha256(STYLE.as_bytes()));
    // A browser also checks `form-action` where the answer to a form leads to: the provider, and wherever that sends a
    // person on. So the page with a form does not have it. The Fetch standard, section 3.2: with `no-referrer` the form
    // would be sent with `Origin: null`.
    let (action, referrer) = match forms {
        Forms::None => ("; form-action 'none'", "no-referrer"),
        Forms::One => ("", "same-origin"),
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'{action}"
    );
    [
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", referrer.to_owned()),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
    ]
}

/// Text that is only text, also in an attribute.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::SignInError;

    #[test]
    fn what_a_page_shows_of_a_request_is_only_text() {
        let evil = "\"><script>alert('x')</script>&";
        let refusal = Refusal::from(SignInError::StateUnknown);
        for html in [
            sign_in_refused(&refusal, evil, evil).html,
            refused(403, evil),
            signed_out(evil).html,
            ask_to_sign_out(evil).html,
        ] {
            assert!(!html.contains("<script") && !html.contains(evil) && !html.contains('\''), "{html}");
        }
    }

    #[test]
    fn a_refused_page_depends_on_the_status_alone() {
        let html = refused(403, "id==");
        assert!(html.contains("<code>403 Forbidden</code>, request <code>id==</code>"), "{html}");
        for status in [400, 401, 403, 405, 411, 413, 415, 500, 503] {
            let html = refused(status, "id==");
            assert!(
                html.contains(&format!("<code>{status} {}</code>", status_description(status))),
                "{html}"
            );
        }
    }
}
