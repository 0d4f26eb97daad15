//! What was found, and what of it the policy accepts.

use maud::{Markup, html};

use super::super::{Placed, Report};
use super::{code, heading, line_link, seen, words};

pub(super) fn section(report: &Report) -> Markup {
    html! {
        section aria-labelledby="findings" {
            (heading("findings"))
            @if report.open.is_empty() { p { "None that the policy does not accept." } }
            @for alike in report.alike() { (article(alike)) }
        }
    }
}

fn article(alike: &[Placed]) -> Markup {
    let Some(Placed { finding: first, .. }) = alike.first() else { return html! {} };
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
                        bdi { (words(&one.finding.message)) }
                        " (" (line_link(one.line, Some(one.column))) ", " (code(&one.finding.place.to_string())) ")"
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

pub(super) fn accepted(report: &Report) -> Markup {
    html! {
        section aria-labelledby="accepted" {
            (heading("accepted"))
            @if report.accepted.is_empty() {
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
                        tbody { @for one in &report.accepted { (accepted_row(one)) } }
                    }
                }
            }
        }
    }
}

fn accepted_row(one: &Placed) -> Markup {
    let severity = one.finding.severity.name();
    html! {
        tr {
            th scope="row" { (one.finding.check.id) " " (one.finding.check.name) }
            td { span class={ "badge " (severity) } { (severity) } }
            td.where { bdi { (words(&one.finding.message)) } " (" (line_link(one.line, Some(one.column))) ")" }
            td.where {
                @if let Some(accepted) = &one.finding.accepted { bdi { (seen(&accepted.reason)) } }
                @if let Some(line) = one.accepted_at { " (" (line_link(line, None)) ")" }
            }
        }
    }
}
