//! Where an issuer's keys come from, and what stands in their place.

use authorizer_core::FetchUrl;

use super::claims::host_of;
use super::keys::are_one_site;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA093",
            name: "secret-is-shared",
            severity: Severity::Medium,
            title: "an issuer signs with a secret that this service has too",
            why: "With HS256, anyone who can verify a token can make one. The secret is in the zip and in every \
              copy of it: where it is built and deployed, in Lambda, and in the repository if somebody was \
              careless. Each of these places can sign as the issuer.",
            remedy: "make the issuer sign with ES256, EdDSA or RS256; if it cannot, use the secret for this \
                 service only, and accept the finding",
        },
        shared_secret,
    ),
    (
        Check {
            id: "EA094",
            name: "keys-of-another-site",
            severity: Severity::Medium,
            title: "an issuer's keys are fetched from another site than its own",
            why: "The owner of that address decides which tokens are valid here. If the name is mistyped, given \
              up or sold, a stranger decides.",
            remedy: "use the `jwks_uri` of the issuer's own metadata (`authorizer keys discover`); if that is at \
                 another site, accept the finding",
        },
        another_site,
    ),
    (
        Check {
            id: "EA095",
            name: "keys-from-afar-alone",
            severity: Severity::Low,
            title: "an issuer's keys are fetched, and the package has none",
            why: "A function that has just started knows no key. The first request waits for the provider. While \
              the provider cannot be reached, every token gets 503.",
            remedy: "add `file` beside `url`: the keys in the package work at once",
        },
        from_afar_alone,
    ),
    (
        Check {
            id: "EA096",
            name: "keys-serve-long-after",
            severity: Severity::Low,
            title: "keys stay valid for more than a day after the last possible fetch",
            why: "If the provider withdraws a leaked key, the function trusts it for as long as somebody can \
              stop the function from fetching keys.",
            remedy: "set `max_stale_seconds` to at most 86400, which is also the default",
        },
        serve_long_after,
    ),
    (
        Check {
            id: "EA097",
            name: "keys-of-this-machine",
            severity: Severity::High,
            title: "an issuer's keys are fetched from the machine that runs the function",
            why: "Plain `http` is only for a loopback address, which is for `authorizer serve`. At the edge \
              nobody answers there, so every token that needs those keys gets 503.",
            remedy: "deploy a policy with the provider's `https` address",
        },
        of_this_machine,
    ),
]);

/// A day.
const DAY: u32 = 86_400;

fn shared_secret(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let shared = subject.issuers().filter(|issuer| issuer.document.secret.is_some());
    shared
        .map(|issuer| {
            issuer.found_in(
                "secret",
                format!("anyone who has the package can sign for issuer `{}`", issuer.name()),
            )
        })
        .collect()
}

fn another_site(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let there = issuer.keys_url().and_then(host_of);
        let (Some(there), Some(here)) = (there, host_of(&issuer.document.issuer)) else { continue };
        if !are_one_site(here, there) {
            let place = issuer.place().then("jwks").then("url");
            let message = format!("the keys of issuer `{}` are fetched from `{there}`", issuer.name());
            found.push(issuer.found_at(place, message));
        }
    }
    found
}

fn of_this_machine(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let url = issuer.keys_url().and_then(|url| FetchUrl::parse(url).ok());
        if let Some(url) = url.filter(|url| !url.is_https()) {
            let place = issuer.place().then("jwks").then("url");
            found.push(
                issuer.found_at(
                    place,
                    format!("the keys of issuer `{}` are fetched from `{url}`", issuer.name()),
                ),
            );
        }
    }
    found
}

fn from_afar_alone(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let alone =
        subject.issuers().filter(|issuer| issuer.keys_url().is_some() && issuer.keys().next().is_none());
    alone
        .map(|issuer| {
            let place = issuer.place().then("jwks").then("url");
            issuer.found_at(place, format!("the package has no key of issuer `{}`", issuer.name()))
        })
        .collect()
}

fn serve_long_after(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let stale = issuer.document.jwks.as_ref().and_then(|jwks| jwks.max_stale_seconds);
        if let Some(seconds) = stale.filter(|seconds| *seconds > DAY) {
            let place = issuer.place().then("jwks").then("max_stale_seconds");
            let message = format!("keys of issuer `{}` stay valid for {seconds} seconds", issuer.name());
            found.push(issuer.found_at(place, message));
        }
    }
    found
}
