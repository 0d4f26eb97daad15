//! `[[revoked]]` entries that do nothing, or too much.

use authorizer_core::UnixTime;
use authorizer_core::policy::Place;
use authorizer_core::policy::document::RevokedDocument;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::{About, Observation};
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA130",
            name: "revocation-is-over",
            severity: Severity::Informational,
            title: "all tokens of a deny-list entry have expired",
            why: "With the issuer's `max_lifetime_seconds`, no token from before that time is still valid. The \
              entry says that a token is still in use, and every package contains the entry.",
            remedy: "remove the entry",
        },
        over,
    ),
    (
        Check {
            id: "EA131",
            name: "revocation-of-what-is-to-come",
            severity: Severity::Low,
            title: "a deny-list entry refuses tokens that are not issued yet",
            why: "Until that time a new token does not help: a person who signs in again is refused again.",
            remedy: "write the time at which the leak was closed, which is not in the future",
        },
        to_come,
    ),
]);

fn each<'p>(
    subject: &PolicySubject<'p>,
    test: impl Fn(&'p RevokedDocument, UnixTime) -> bool,
    what: &str,
) -> Vec<Observation> {
    let mut found = Vec::new();
    for (index, entry) in subject.document().revoked.iter().enumerate() {
        if let Some(before) = entry.issued_before.as_deref().and_then(UnixTime::parse_rfc3339)
            && test(entry, before)
        {
            let place = Place::member("revoked").at(index).then("issued_before");
            found.push(Observation::new(
                About::Issuer(entry.issuer.clone()),
                place,
                format!("the entry for tokens of issuer `{}` {what}", entry.issuer),
            ));
        }
    }
    found
}

fn over(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_over = |entry: &RevokedDocument, before: UnixTime| {
        let issuer = subject.document().issuers.iter().find(|issuer| issuer.name == entry.issuer);
        issuer.and_then(|issuer| Some((issuer.max_lifetime_seconds?, issuer.leeway_seconds))).is_some_and(
            |(most, leeway)| {
                let end = before.as_seconds().saturating_add(most.into()).saturating_add(leeway.into());
                end <= subject.now().as_seconds()
            },
        )
    };
    each(subject, is_over, "covers only tokens that have expired")
}

fn to_come(subject: &PolicySubject<'_>) -> Vec<Observation> {
    each(subject, |_, before| before > subject.now(), "refuses tokens that are not issued yet")
}
