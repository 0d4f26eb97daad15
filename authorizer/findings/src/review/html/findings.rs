//! What was found, and what of it the policy accepts.

use maud::{Markup, html};

use super::element::{code, heading, line_link, seen, words};
use crate::report::ReportedFinding;
use crate::review::model::Review;

pub(super) fn section(review: &Review) -> Markup {
    html! {
        section aria-labelledby="findings" {
            (heading("findings"))
            @if review.findings.open().next().is_none() { p { "None that the policy does not accept." } }
            @for alike in review.findings.alike() { (article(&alike)) }
        }
    }
}

fn article(alike: &[&ReportedFinding]) -> Markup {
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
                dt { "Page" } dd { code { (first.check.page()) } }
            }
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
                    table {
                        caption { "Found, and meant to be so: the policy says why." }
                        thead {
                            tr {
                                th scope="col" { "Finding" }
                                th scope="col" { "Severity" }
                                th scope="col" { "What was found" }
                                th scope="col" { "Reason that the policy gives" }
                            }
                        }
                        tbody { @for one in review.findings.accepted() { (accepted_row(one)) } }
                    }
                }
            }
        }
    }
}

fn accepted_row(one: &ReportedFinding) -> Markup {
    let severity = one.severity.name();
    html! {
        tr {
            th scope="row" { (one.check.id) " " (one.check.name) }
            td { span class={ "badge " (severity) } { (severity) } }
            td.where { bdi { (words(&one.message)) } " (" (line_link(one.region.line, Some(one.region.column))) ")" }
            td.where {
                @if let Some(accepted) = &one.accepted {
                    bdi { (seen(&accepted.reason)) }
                    " (" (line_link(accepted.line, None)) ")"
                }
            }
        }
    }
}
