//! The pages that people see when they sign in or out: fixed sentences, no script, and nothing of the request but a path
//! of the own origin.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::sha256;
use crate::refusal::Refusal;

const STYLE: &str = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}";

/// A page, and the headers that it needs.
pub(super) struct Page {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) html: String,
}

/// Why a request is refused, with a link to try again.
pub(super) fn refused(refusal: &Refusal, again: &str) -> Page {
    let title = match refusal.status() {
        403 => "You cannot sign in here",
        502 | 503 => "You cannot sign in at the moment",
        _ => "You are not signed in",
    };
    let body = format!("<p>{}</p><p><a href=\"{}\">Try again</a></p>", text(&refusal.detail()), text(again));
    page(title, &body, false)
}

/// That nobody is signed in any more.
pub(super) fn signed_out(home: &str) -> Page {
    let body = format!("<p>You can close this page.</p><p><a href=\"{}\">Sign in again</a></p>", text(home));
    page("You are signed out", &body, false)
}

/// Asks whether a person wants to sign out: another site may have sent them here.
pub(super) fn ask_to_sign_out(path: &str) -> Page {
    let body = format!("<form method=\"post\" action=\"{}\"><button>Sign out</button></form>", text(path));
    page("Do you want to sign out?", &body, true)
}

fn page(title: &str, body: &str, has_form: bool) -> Page {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    );
    let style = STANDARD.encode(sha256(STYLE.as_bytes()));
    // A browser also checks `form-action` where the answer to a form leads to: the provider, and wherever that sends a
    // person on. So the page with a form does not have it.
    let forms = if has_form { "" } else { "; form-action 'none'" };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'{forms}"
    );
    // The Fetch standard, section 3.2: with `no-referrer` the form would be sent with `Origin: null`.
    let referrer = if has_form { "same-origin" } else { "no-referrer" };
    let headers = vec![
        ("Content-Type", "text/html; charset=utf-8".to_owned()),
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", referrer.to_owned()),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
    ];
    Page { headers, html }
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
