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
                table.cards role="table" {
                    caption { "Public keys. The thumbprint is that of RFC 7638, with SHA-256." }
                    thead role="rowgroup" {
                        tr role="row" {
                            th scope="col" role="columnheader" { "Key id (kid)" }
                            th scope="col" role="columnheader" { "Kind" }
                            th scope="col" role="columnheader" { "Its own alg" }
                            th scope="col" role="columnheader" { "Verifies" }
                            th scope="col" role="columnheader" { "Thumbprint" }
                        }
                    }
                    tbody role="rowgroup" { @for key in &issuer.keys { (key_row(key)) } }
                }
            }
        }
    }
}

fn key_row(key: &KeyFacts) -> Markup {
    html! {
        tr role="row" {
            th.where scope="row" role="rowheader" data-label="Key id (kid)" { @match &key.id { Some(id) => (code(id)), None => i { "none" } } }
            td role="cell" data-label="Kind" { (code(&key.kind)) }
            td role="cell" data-label="Its own alg" { @match &key.algorithm { Some(algorithm) => (code(algorithm)), None => i { "none" } } }
            td role="cell" data-label="Verifies" {
                @match &key.verifies {
                    Ok(algorithms) => (algorithms.join(", ")),
                    Err(why) => { "nothing: " (words(why)) },
                }
            }
            td.thumbprint role="cell" data-label="Thumbprint" { @match &key.thumbprint { Some(thumbprint) => (code(thumbprint)), None => i { "none" } } }
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
