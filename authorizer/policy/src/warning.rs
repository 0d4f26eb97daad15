//! Warnings about a policy that can be used.

use authorizer_core::policy::Place;
use authorizer_core::policy::document::{IssuerDocument, PolicyDocument, RuleDocument};
use authorizer_core::rules::{KeyPattern, is_numeric_date};
use authorizer_core::token::KeysUrl;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::place::Places;

/// Something in a valid policy that a person should know, at its place in the file.
#[derive(Clone, Debug, Diagnostic, Error)]
#[error("{message}")]
#[diagnostic(severity(Warning))]
pub struct PolicyWarning {
    /// What the warning is about.
    pub message: String,
    /// What would be better.
    #[help]
    pub remedy: &'static str,
    /// The file.
    #[source_code]
    source_code: NamedSource<String>,
    /// The place.
    #[label("{place}")]
    at: Option<SourceSpan>,
    /// The place in words, such as `issuers[0].secret`.
    pub place: String,
}

pub(crate) fn warnings(
    document: &PolicyDocument,
    source_code: &NamedSource<String>,
    text: &str,
) -> Vec<PolicyWarning> {
    let issuers = document.issuers.iter().enumerate().filter_map(|(index, issuer)| {
        let (member, message, remedy) = warning(issuer)?;
        Some((Place::member("issuers").at(index).then(member), message, remedy))
    });
    let rules = document.rules.iter().enumerate();
    let rules = rules.flat_map(|(index, rule)| times_as_texts(rule, &Place::member("rules").at(index)));
    let mut warned = issuers.chain(rules).peekable();
    // Most policies do not have warnings, and then this does not search for places in a long text.
    if warned.peek().is_none() {
        return Vec::new();
    }
    let places = Places::of(text);
    let at_its_place = |(place, message, remedy): (Place, String, &'static str)| PolicyWarning {
        message,
        remedy,
        source_code: source_code.clone(),
        at: places.line_span(&place).map(SourceSpan::from),
        place: place.to_string(),
    };
    warned.map(at_its_place).collect()
}

/// The claims of a rule that must be texts, and are numbers in every token.
fn times_as_texts(rule: &RuleDocument, place: &Place) -> Vec<(Place, String, &'static str)> {
    let mut warned = Vec::new();
    for (index, pattern) in rule.keys.iter().enumerate() {
        let claims = KeyPattern::parse(pattern).ok();
        let claims = claims.iter().flat_map(KeyPattern::claims);
        warned.extend(claims.filter(|claim| is_numeric_date(claim)).map(|claim| {
            let message = format!("`{{{claim}}}` is a number in every token, so the pattern matches no key");
            (place.then("keys").at(index), message, "use a claim that is a string, such as `{sub}`")
        }));
    }
    let metadata = rule.upload.iter().flat_map(|upload| &upload.metadata);
    warned.extend(metadata.filter_map(|(name, value)| {
        let claim = value.strip_prefix('{')?.strip_suffix('}')?;
        let message =
            format!("`{{{claim}}}` is a number in every token, so rule `{}` matches no upload", rule.id);
        let place = place.then("upload").then("metadata").then(name);
        is_numeric_date(claim).then_some((
            place,
            message,
            "use a claim that is a string, or remove the metadata",
        ))
    }));
    warned
}

fn warning(issuer: &IssuerDocument) -> Option<(&'static str, String, &'static str)> {
    if issuer.secret.is_some() {
        let message = format!(
            "everybody who can read the zip has the secret of `{}`, and can make tokens with any claims",
            issuer.name
        );
        return Some(("secret", message, "let the issuer sign with a key pair, and use its `jwks`"));
    }
    let url = issuer.jwks.as_ref()?.url.as_ref()?;
    let is_of_this_machine = KeysUrl::parse(url).is_ok_and(|url| !url.is_https());
    is_of_this_machine.then(|| {
        let message =
            format!("the keys of `{}` are fetched from the machine that runs the function", issuer.name);
        (
            "jwks",
            message,
            "use this with `authorizer serve` only; deploy a policy with the `https` address of the provider",
        )
    })
}
