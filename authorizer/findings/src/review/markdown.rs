//! The report as Markdown, of GitHub's kind.
//!
//! Text of the policy is code where it can be, and else text with every character of meaning to Markdown taken out of
//! meaning ([`escape`]).

mod escape;

use std::fmt::Write as _;

use crate::report::ReportedFinding;

use self::escape::{block, code, prose, words};
use super::fact::{Fact, Shown};
use super::issuers::{IssuerFacts, KeyFacts};
use super::model::{Review, TOOL};
use super::permissions::Permission;
use super::scope::{self, summary_words};
use super::tested::{NO_TESTS, Tested, decided, expected};

/// The review as Markdown, of GitHub's kind.
pub fn markdown(review: &Review) -> String {
    let mut to = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut to, review);
    to
}

fn write(to: &mut String, review: &Review) -> std::fmt::Result {
    writeln!(to, "# Access review: {}\n", code(&review.name))?;
    writeln!(to, "- Bundle, SHA-256: `{}`", review.bundle_sha256)?;
    writeln!(to, "- Policy file, SHA-256: `{}`", review.policy_sha256)?;
    writeln!(to, "- Looked at as of {}", review.now)?;
    writeln!(to, "- Written by {TOOL}")?;

    writeln!(to, "\n## Summary\n\n| severity | findings |\n| --- | ---: |")?;
    for (severity, number) in review.findings.counts() {
        writeln!(to, "| {} | {number} |", severity.name())?;
    }
    writeln!(to, "| accepted | {} |\n\n{}", review.findings.accepted().count(), summary_words(review))?;

    permissions(to, &review.permissions)?;
    writeln!(to, "\n## Findings")?;
    if review.findings.open().next().is_none() {
        writeln!(to, "\nNone that the policy does not accept.")?;
    }
    for alike in review.findings.alike() {
        findings(to, review, &alike)?;
    }
    accepted(to, &review.findings.accepted().collect::<Vec<_>>())?;

    writeln!(to, "\n## Tests of the policy\n")?;
    match &review.tested {
        None => writeln!(to, "{}", words(NO_TESTS))?,
        Some(tested) => tests(to, tested)?,
    }

    writeln!(to, "\n## Issuers and keys")?;
    if review.issuers.is_empty() {
        writeln!(to, "\nNone: no token is trusted.")?;
    }
    for issuer in &review.issuers {
        one_issuer(to, issuer)?;
    }
    writeln!(to, "\n## Settings")?;
    for section in &review.settings {
        writeln!(to, "\n### {}\n", section.title)?;
        facts(to, &section.facts)?;
    }
    writeln!(to, "\n## The policy as written\n\n{}", block(review.lines()))?;

    writeln!(to, "\n## What was checked")?;
    for paragraph in scope::checked(review) {
        writeln!(to, "\n{}", words(&paragraph))?;
    }
    writeln!(to, "\n### What was not\n")?;
    scope::not_checked().iter().try_for_each(|one| writeln!(to, "- {}", words(one)))?;

    writeln!(
        to,
        "\n## Sign-off\n\nWhoever signs has read this report, of the bundle `{}`, whole.\n\n\
         | reviewer | date | decision: approved, or refused because |\n| --- | --- | --- |\n| | | |\n| | | |",
        review.bundle_sha256
    )
}

fn tests(to: &mut String, tested: &Tested) -> std::fmt::Result {
    writeln!(to, "{}", tested.words())?;
    for file in &tested.files {
        writeln!(
            to,
            "\n### File {}\n\n- SHA-256: `{}`\n\n| test | request | expected | result |\n| --- | --- | --- | --- |",
            code(&file.name),
            file.sha256
        )?;
        for one in &file.results {
            let result = match one.held() {
                true => "passed".to_owned(),
                false => format!("**failed**: {}", prose(&decided(&one.record))),
            };
            let request = code(&format!("{} {}", one.method, one.target));
            writeln!(
                to,
                "| {} | {request} | {} | {result} |",
                prose(&one.name),
                prose(&expected(&one.expected))
            )?;
        }
    }
    let missing: Vec<_> = tested.missing().collect();
    if !missing.is_empty() {
        writeln!(to, "\n### What no test covers\n")?;
    }
    missing.into_iter().try_for_each(|(rule, field, lacking)| {
        let field = field.map(|field| format!(" {}", code(&field))).unwrap_or_default();
        writeln!(to, "- {}{field}: {}", code(rule), words(&lacking))
    })
}

fn permissions(to: &mut String, permissions: &[Permission]) -> std::fmt::Result {
    writeln!(to, "\n## Permissions\n")?;
    if permissions.is_empty() {
        return writeln!(to, "Nobody can do anything.");
    }
    writeln!(
        to,
        "What no row allows is refused, and a row that denies wins over every row that allows.\n\n\
         | keys | effect | who | operations | only where | by rule |\n| --- | --- | --- | --- | --- | --- |"
    )?;
    for one in permissions {
        let mut places: Vec<_> = one.conditions.iter().map(|condition| prose(condition)).collect();
        places.extend(one.kind.except().iter().map(|rule| format!("not where {} denies it", code(rule))));
        let operations: Vec<_> = one.operations.iter().map(|operation| operation.name()).collect();
        writeln!(
            to,
            "| {} | {} | {} | {} | {} | {} |",
            code(&one.keys),
            one.kind.word(),
            codes(&one.who),
            operations.join(", "),
            places.join("; "),
            codes(&one.rules)
        )?;
    }
    Ok(())
}

fn findings(to: &mut String, review: &Review, alike: &[&ReportedFinding]) -> std::fmt::Result {
    let Some(first) = alike.first() else { return Ok(()) };
    let check = first.check;
    writeln!(to, "\n### {}: {} {}\n", first.severity.name(), check.id, check.name)?;
    for ReportedFinding { message, place, region, .. } in alike {
        let (message, place, line, column) = (words(message), code(place), region.line, region.column);
        writeln!(to, "- {message} (line {line}, column {column}, {place})")?;
    }
    let page = match review.address_of(check) {
        Some(address) => format!("[`{}`](<{address}>)", check.page()),
        None => format!("`{}`", check.page()),
    };
    writeln!(to, "\nWhy: {}\n\nRemedy: {}\n\nPage: {page}", words(check.why), words(check.remedy))
}

fn accepted(to: &mut String, accepted: &[&ReportedFinding]) -> std::fmt::Result {
    writeln!(to, "\n## Accepted findings\n")?;
    if accepted.is_empty() {
        return writeln!(to, "None.");
    }
    writeln!(
        to,
        "| finding | severity | what was found | line | reason that the policy gives |\n\
         | --- | --- | --- | --- | --- |"
    )?;
    for finding in accepted {
        let line = finding.region.line;
        let reason = finding.accepted.as_ref().map(|accepted| accepted.reason.as_str()).unwrap_or_default();
        writeln!(
            to,
            "| {} {} | {} | {} | {line} | {} |",
            finding.check.id,
            finding.check.name,
            finding.severity.name(),
            words(&finding.message),
            prose(reason)
        )?;
    }
    Ok(())
}

fn one_issuer(to: &mut String, issuer: &IssuerFacts) -> std::fmt::Result {
    writeln!(to, "\n### Issuer {}\n", code(&issuer.name))?;
    facts(to, &issuer.facts)?;
    if issuer.keys.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "\nPublic keys in the file; the thumbprint is that of RFC 7638, with SHA-256:\n\n\
         | key id (kid) | kind | its own alg | verifies | thumbprint |\n| --- | --- | --- | --- | --- |"
    )?;
    for KeyFacts { id, kind, algorithm, thumbprint, verifies } in &issuer.keys {
        let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "none".to_owned(), code);
        let verifies = match verifies {
            Ok(algorithms) => algorithms.join(", "),
            Err(why) => format!("nothing: {}", words(why)),
        };
        writeln!(
            to,
            "| {} | {} | {} | {verifies} | {} |",
            or_none(id),
            code(kind),
            or_none(algorithm),
            or_none(thumbprint)
        )?;
    }
    Ok(())
}

fn facts(to: &mut String, facts: &[Fact]) -> std::fmt::Result {
    facts.iter().try_for_each(|fact| {
        let values: Vec<_> = fact.values.iter().map(shown).collect();
        writeln!(to, "- {}: {}", prose(fact.name), values.join(", "))
    })
}

fn shown(value: &Shown) -> String {
    match value {
        Shown::Words(text) => words(text),
        Shown::Text(text) => code(text),
    }
}

fn codes(texts: &[String]) -> String {
    texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ")
}
