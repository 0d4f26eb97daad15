//! The report as one page that needs nothing else.
//!
//! What the policy says goes into the page as text, through maud's escaping, and into no attribute, no script and no
//! style: rows are told apart by numbers. The page's own security policy lets nothing be loaded and nothing run but the
//! one script, by its hash.

mod element;
mod findings;
mod permissions;
mod tests;
mod trust;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::element::{SECTIONS, code, heading, seen, seen_in_line, words};
use super::model::{Review, TOOL};
use super::scope::{self, summary_words};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The review as one page that needs nothing else.
pub fn html(review: &Review) -> String {
    let style = style(review);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_security_policy(&style));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                // The browser prints the title on every page, where it prints no margin boxes.
                title { "Access review: " (seen(&review.name)) ", bundle " (short(&review.bundle_sha256)) }
                style { (PreEscaped(&style)) }
            }
            body {
                a.skip href="#permissions" { "Skip to the permissions" }
                (header(review))
                main {
                    (summary(review))
                    (permissions::section(review))
                    (findings::section(review))
                    (findings::accepted(review))
                    (tests::section(review))
                    (trust::issuers(review))
                    (trust::settings(review))
                    (rules(review))
                    (scope_section(review))
                    (tests::sign_off(review))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut page = page.into_string();
    page.push('\n');
    page
}

/// What stands at the foot of every printed page: the bundle, of which only the digits of its SHA-256 are said, and the
/// number of the page.
fn style(review: &Review) -> String {
    let bundle: String = review.bundle_sha256.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{STYLE}@page {{ @bottom-left {{ content: \"Bundle, SHA-256: {bundle}\"; }} }}\n")
}

/// The first digits of a SHA-256, by which a person tells two of them apart.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Nothing is loaded from anywhere, nothing runs but what stands here, and nothing is sent.
fn content_security_policy(style: &str) -> String {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(style),
        hash(SCRIPT)
    )
}

fn header(review: &Review) -> Markup {
    html! {
        header {
            button #dark type="button" aria-pressed="false" hidden { "Dark colors" }
            h1 { "Access review: " (code(&review.name)) }
            dl.facts {
                dt { "Bundle, SHA-256" } dd { code { (review.bundle_sha256) } }
                dt { "Policy file, SHA-256" } dd { code { (review.policy_sha256) } }
                dt { "Looked at as of" } dd { (review.now) }
                dt { "Written by" } dd { (TOOL) }
            }
            nav aria-label="Sections" {
                ul {
                    @for (id, title) in SECTIONS { li { a href={ "#" (id) } { (title) } } }
                }
            }
        }
    }
}

fn summary(review: &Review) -> Markup {
    let count = |number: usize, class: &str, what: &str| {
        html! { li class=(if number == 0 { "none" } else { class }) { b { (number) } (what) } }
    };
    html! {
        section aria-labelledby="summary" {
            (heading("summary"))
            ul.counts {
                @for (severity, number) in review.findings.counts() { (count(number, severity.name(), severity.name())) }
                (count(review.findings.accepted().count(), "accepted", "accepted"))
            }
            p { (summary_words(review)) }
        }
    }
}

fn rules(review: &Review) -> Markup {
    html! {
        section aria-labelledby="rules" {
            (heading("rules"))
            p.quiet { "The file " (code(&review.name)) ", whole. Characters that show nothing are named." }
            pre.toml {
                @for (number, line) in (1_usize..).zip(review.lines()) {
                    span.line id={ "L" (number) } { span.number { (number) " " } span { (seen_in_line(line)) "\n" } }
                }
            }
        }
    }
}

fn scope_section(review: &Review) -> Markup {
    html! {
        section aria-labelledby="checked" {
            (heading("checked"))
            @for paragraph in scope::checked(review) { p { (words(&paragraph)) } }
            h3 { "What was not" }
            ul { @for one in scope::not_checked() { li { (words(one)) } } }
        }
    }
}
