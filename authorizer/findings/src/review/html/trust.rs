//! Whose tokens are trusted, by which keys, and where they are found.

use maud::{Markup, html};

use super::element::{code, facts, heading, words};
use crate::review::issuers::{IssuerFacts, KeyFacts};
use crate::review::model::Review;

pub(super) fn issuers(review: &Review) -> Markup {
    html! {
        section aria-labelledby="issuers" {
            (heading("issuers"))
            @if review.issuers.is_empty() { p { "None: no token is trusted." } }
            @for issuer in &review.issuers { (one(issuer)) }
        }
    }
}

fn one(issuer: &IssuerFacts) -> Markup {
    html! {
        h3 { "Issuer " (code(&issuer.name)) }
        (facts(&issuer.facts))
        @if !issuer.keys.is_empty() {
            h4 { "Keys in the file" }
            div.wide role="region" tabindex="0" aria-label="Table of keys in the file" {
                table {
                    caption { "Public keys. The thumbprint is that of RFC 7638, with SHA-256." }
                    thead {
                        tr {
                            th scope="col" { "Key id (kid)" }
                            th scope="col" { "Kind" }
                            th scope="col" { "Its own alg" }
                            th scope="col" { "Verifies" }
                            th scope="col" { "Thumbprint" }
                        }
                    }
                    tbody { @for key in &issuer.keys { (key_row(key)) } }
                }
            }
        }
    }
}

fn key_row(key: &KeyFacts) -> Markup {
    html! {
        tr {
            th.where scope="row" { @match &key.id { Some(id) => (code(id)), None => i { "none" } } }
            td { (code(&key.kind)) }
            td { @match &key.algorithm { Some(algorithm) => (code(algorithm)), None => i { "none" } } }
            td {
                @match &key.verifies {
                    Ok(algorithms) => (algorithms.join(", ")),
                    Err(why) => { "nothing: " (words(why)) },
                }
            }
            td.thumbprint { @match &key.thumbprint { Some(thumbprint) => (code(thumbprint)), None => i { "none" } } }
        }
    }
}

pub(super) fn settings(review: &Review) -> Markup {
    html! {
        section aria-labelledby="settings" {
            (heading("settings"))
            @for section in &review.settings {
                h3 { (section.title) }
                (facts(&section.facts))
            }
        }
    }
}
