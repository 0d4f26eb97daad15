//! The table of who may do what, and its filter.

use std::collections::BTreeSet;

use authorizer_analysis::request_in_words;
use authorizer_core::operation::S3Operation;
use maud::{Markup, html};

use super::element::{code, heading, list, seen};
use crate::review::model::Review;
use crate::review::permissions::{Kind, Permission};

pub(super) fn section(review: &Review) -> Markup {
    let permissions = &review.permissions;
    let mut people: Vec<&str> = Vec::new();
    for one in permissions.iter().flat_map(|permission| &permission.who) {
        if !people.contains(&one.as_str()) {
            people.push(one);
        }
    }
    let operations: BTreeSet<S3Operation> =
        permissions.iter().flat_map(|permission| permission.operations.iter().copied()).collect();
    html! {
        section aria-labelledby="permissions" {
            (heading("permissions"))
            @if permissions.is_empty() {
                p { "Nobody can do anything." }
            } @else {
                (filter(&people, &operations))
                div.wide role="region" tabindex="0" aria-label="Table of permissions" {
                    (table(permissions, &people))
                }
            }
        }
    }
}

fn filter(people: &[&str], operations: &BTreeSet<S3Operation>) -> Markup {
    html! {
        form #filter hidden role="search" aria-label="Filter the permissions" autocomplete="off" {
            div.field.search {
                label for="search" { "Search the keys" }
                input #search type="search" name="keys" spellcheck="false";
            }
            div.field {
                label for="who" { "Who" }
                select #who name="who" {
                    option value="" { "everyone" }
                    @for (index, name) in people.iter().enumerate() { option value=(index) { (seen(name)) } }
                }
            }
            div.field {
                label for="operation" { "Operation" }
                select #operation name="operation" {
                    option value="" { "every operation" }
                    @for operation in operations { option value=(operation.name()) { (operation.name()) } }
                }
            }
            div.field {
                label for="effect" { "Effect" }
                select #effect name="effect" {
                    option value="" { "allow and deny" }
                    option value="allow" { "allow" }
                    option value="part" { "allow in part" }
                    option value="deny" { "deny" }
                }
            }
            button #all type="button" { "Show all" }
            output #shown role="status" {}
        }
    }
}

fn table(permissions: &[Permission], people: &[&str]) -> Markup {
    html! {
        table #permissions-table .cards role="table" {
            caption {
                "Who may do what to which keys. What no row allows is refused, and a row that denies wins over every row \
                 that allows."
            }
            thead role="rowgroup" {
                tr role="row" {
                    th scope="col" role="columnheader" { "Keys" }
                    th scope="col" role="columnheader" { "Effect" }
                    th scope="col" role="columnheader" { "Who" }
                    th scope="col" role="columnheader" { "Operations" }
                    th scope="col" role="columnheader" { "Only where" }
                    th scope="col" role="columnheader" { "By rule" }
                }
            }
            tbody role="rowgroup" { @for permission in permissions { (row(permission, people)) } }
        }
    }
}

fn row(permission: &Permission, people: &[&str]) -> Markup {
    let who: Vec<String> = permission
        .who
        .iter()
        .filter_map(|name| people.iter().position(|one| one == name))
        .map(|index| index.to_string())
        .collect();
    let operations: Vec<_> = permission.operations.iter().map(|operation| operation.name()).collect();
    // What is allowed in part is allowed.
    let effect = match &permission.kind {
        Kind::AllowInPart(..) => "allow part",
        Kind::Allow(_) => "allow",
        Kind::Deny => "deny",
    };
    html! {
        tr role="row" data-who=(who.join(" ")) data-operations=(operations.join(" ")) data-effect=(effect) {
            th.keys scope="row" role="rowheader" data-label="Keys" { (code(&permission.keys)) }
            td role="cell" data-label="Effect" { span class={ "badge " (permission.kind.class()) } { (permission.kind.word()) } }
            td.who role="cell" data-label="Who" { (list(permission.who.iter().map(|name| seen(name)))) }
            td role="cell" data-label="Operations" { (list(operations.iter().map(|name| html! { (name) }))) }
            td.where role="cell" data-label="Only where" {
                (list(permission.conditions.iter().map(|condition| html! { bdi { (seen(condition)) } })))
                @for rule in permission.kind.except() {
                    div { "not where " (code(rule)) " denies it" }
                }
            }
            td.rules role="cell" data-label="By rule" {
                (list(permission.rules.iter().map(|rule| code(rule))))
                @if let Some(witness) = permission.kind.proof() {
                    details {
                        summary { "a request that it allows" }
                        pre { @for line in request_in_words(witness).lines() { (seen(&line)) "\n" } }
                    }
                }
            }
        }
    }
}
