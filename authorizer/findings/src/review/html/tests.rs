//! The policy's own tests, and where the reviewers sign.

use authorizer_analysis::testing::TestResult;
use maud::{Markup, html};

use super::element::{code, heading, list, seen, words};
use crate::review::model::Review;
use crate::review::tested::{NO_TESTS, Tested, TestedFile, decided, expected};

pub(super) fn section(review: &Review) -> Markup {
    html! {
        section aria-labelledby="tests" {
            (heading("tests"))
            @match &review.tested {
                None => p { (words(NO_TESTS)) },
                Some(tested) => (results(tested)),
            }
        }
    }
}

fn results(tested: &Tested) -> Markup {
    let missing: Vec<_> = tested.missing().collect();
    html! {
        p { (tested.words()) }
        @for file in &tested.files { (one_file(file)) }
        @if !missing.is_empty() {
            h3 { "What no test covers" }
            (list(missing.into_iter().map(|(rule, field, lacking)| html! {
                (code(rule)) @if let Some(field) = field { " " (code(&field)) } ": " (words(&lacking))
            })))
        }
    }
}

fn one_file(file: &TestedFile) -> Markup {
    html! {
        h3 { "File " (code(&file.name)) }
        dl.facts { dt { "SHA-256" } dd { code { (file.sha256) } } }
        div.wide role="region" tabindex="0" aria-label="Table of tests" {
            table.cards role="table" {
                caption { "Each request that the tests make, and what the function's own code decided." }
                thead role="rowgroup" {
                    tr role="row" {
                        th scope="col" role="columnheader" { "Test" }
                        th scope="col" role="columnheader" { "Request" }
                        th scope="col" role="columnheader" { "Expected" }
                        th scope="col" role="columnheader" { "Result" }
                    }
                }
                tbody role="rowgroup" { @for result in &file.results { (row(result)) } }
            }
        }
    }
}

fn row(result: &TestResult) -> Markup {
    html! {
        tr role="row" {
            th.where scope="row" role="rowheader" data-label="Test" { bdi { (seen(&result.name)) } }
            td.where role="cell" data-label="Request" { (code(&format!("{} {}", result.method, result.target))) }
            td role="cell" data-label="Expected" { bdi { (seen(&expected(&result.expected))) } }
            td role="cell" data-label="Result" {
                @if result.held() { span.badge.allow { "passed" } }
                @else { span.badge.deny { "failed" } " " bdi { (seen(&decided(&result.record))) } }
            }
        }
    }
}

/// Two reviewers have room to sign, on paper or in a copy.
pub(super) fn sign_off(review: &Review) -> Markup {
    html! {
        section aria-labelledby="sign-off" {
            (heading("sign-off"))
            p {
                "Whoever signs has read this report, of the bundle " code { (review.bundle_sha256) } ", whole."
            }
            div.sign-off {
                @for _ in 0..2 {
                    dl {
                        @for line in ["Reviewer", "Date", "Decision: approved, or refused because", "Signature"] {
                            div { dt { (line) } dd {} }
                        }
                    }
                }
            }
        }
    }
}
