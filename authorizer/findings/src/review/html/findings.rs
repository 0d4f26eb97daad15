//! What was found, and what of it the policy accepts.

use maud::{Markup, html};

use super::element::{code, heading, line_link, seen, words};
use crate::check::Check;
use crate::report::ReportedFinding;
use crate::review::model::Review;

pub(super) fn section(review: &Review) -> Markup {
    html! {
        section aria-labelledby="findings" {
            (heading("findings"))
            @if review.findings.open().next().is_none() { p { "None that the policy does not accept." } }
            @for alike in review.findings.alike() { (article(review, &alike)) }
        }
    }
}

fn article(review: &Review, alike: &[&ReportedFinding]) -> Markup {
    let Some(first) = alike.first() else { return html! {} };
    let severity = first.severity.name();
    html! {
        article class=(severity) {
            h3 {
                span class={ "badge " (severity) } { (severity) }
                span { (first.check.id) " " (first.check.name) }
            }
            ul {
                @for one in alike {
                    li {
                        bdi { (words(&one.message)) }
                        " (" (line_link(one.region.line, Some(one.region.column))) ", " (code(&one.place)) ")"
                    }
                }
            }
            dl.facts {
                dt { "Why" } dd { (words(first.check.why)) }
                dt { "Remedy" } dd { (words(first.check.remedy)) }
                dt { "Page" } dd { (page(review, first.check)) }
            }
        }
    }
}

/// The page of a check, as a link where the report knows an address.
fn page(review: &Review, check: &Check) -> Markup {
    html! {
        @match review.address_of(check) {
            Some(address) => a href=(address) rel="noreferrer" { code { (check.page()) } },
            None => code { (check.page()) },
        }
    }
}

pub(super) fn accepted(review: &Review) -> Markup {
    html! {
        section aria-labelledby="accepted" {
            (heading("accepted"))
            @if review.findings.accepted().next().is_none() {
                p { "None." }
            } @else {
                div.wide role="region" tabindex="0" aria-label="Table of accepted findings" {
                    table.cards role="table" {
                        caption { "Found, and meant to be so: the policy says why." }
                        thead role="rowgroup" {
                            tr role="row" {
                                th scope="col" role="columnheader" { "Finding" }
                                th scope="col" role="columnheader" { "Severity" }
                                th scope="col" role="columnheader" { "What was found" }
                                th scope="col" role="columnheader" { "Reason that the policy gives" }
                            }
                        }
                        tbody role="rowgroup" { @for one in review.findings.accepted() { (accepted_row(review, one)) } }
                    }
                }
            }
        }
    }
}

fn accepted_row(review: &Review, one: &ReportedFinding) -> Markup {
    let severity = one.severity.name();
    html! {
        tr role="row" {
            th scope="row" role="rowheader" data-label="Finding" {
                @match review.address_of(one.check) {
                    Some(address) => a href=(address) rel="noreferrer" { (one.check.id) },
                    None => (one.check.id),
                }
                " " (one.check.name)
            }
            td role="cell" data-label="Severity" { span class={ "badge " (severity) } { (severity) } }
            td.where role="cell" data-label="What was found" { bdi { (words(&one.message)) } " (" (line_link(one.region.line, Some(one.region.column))) ")" }
            td.where role="cell" data-label="Reason that the policy gives" {
                @if let Some(accepted) = &one.accepted {
                    bdi { (seen(&accepted.reason)) }
                    " (" (line_link(accepted.line, None)) ")"
                }
            }
        }
    }
}
