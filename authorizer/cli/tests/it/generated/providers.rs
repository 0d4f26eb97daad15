//! The table of the facts about providers.

use std::fs;
use std::path::Path;

use authorizer_policy::providers::{self, Kind, Never, Provider, Tokens};

use super::{holds, with_part};
use crate::harness::ROOT;

const PAGE: &str = "docs/providers.md";

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Access => "access",
        Kind::Id => "ID, or of a job",
    }
}

/// A row for each kind of tokens; one for a provider of which only the issuer is known.
fn rows(provider: &Provider) -> Vec<String> {
    let quoted = |names: Vec<&str>| match names.is_empty() {
        true => "-".to_owned(),
        false => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    };
    let slash = quoted(provider.with_slash().collect());
    let never = |kind: Option<Kind>| {
        let of = |never: &&Never| never.only.is_none() || never.only == kind;
        quoted(provider.never.iter().filter(|(_, never)| of(never)).map(|(name, _)| name.as_str()).collect())
    };
    let sources: Vec<_> =
        (1..).zip(&provider.sources).map(|(number, page)| format!("[{number}]({page})")).collect();
    let sources = sources.join(" ");
    let row = |tokens: Option<(Kind, &Tokens)>| {
        let of = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let says = tokens.map(|(_, tokens)| {
            tokens.says.iter().map(|(claim, value)| format!("`{claim} = \"{value}\"`")).collect::<Vec<_>>()
        });
        let columns = [
            provider.name.clone(),
            // More than an address is a sentence.
            match provider.issuer.contains(", ") {
                true => provider.issuer.clone(),
                false => format!("`{}`", provider.issuer),
            },
            of(tokens.map(|(one, _)| kind(one))),
            of(tokens.map(|(_, tokens)| tokens.audience.as_str())),
            of(tokens.and_then(|(_, tokens)| tokens.client.as_deref())),
            of(tokens.and_then(|(_, tokens)| tokens.typ.as_deref())),
            says.filter(|says| !says.is_empty()).map_or("-".to_owned(), |says| says.join(", ")),
            slash.clone(),
            never(tokens.map(|(kind, _)| kind)),
            sources.clone(),
        ];
        format!("| {} |\n", columns.join(" | "))
    };
    let kinds: Vec<_> = provider.kinds().collect();
    match kinds.is_empty() {
        true => vec![row(None)],
        false => kinds.into_iter().map(|kind| row(Some(kind))).collect(),
    }
}

#[test]
fn the_table_of_providers_is_the_data() {
    let mut table = "| provider | issuer | tokens | `aud` | client | `typ` | a claim that says the kind | claims with `/` | claims that it never has | sources |\n".to_owned();
    table += "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    table.extend(providers::all().iter().flat_map(rows));
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE)).unwrap();
    holds(PAGE, &with_part(&page, "facts about providers", &table));
}
