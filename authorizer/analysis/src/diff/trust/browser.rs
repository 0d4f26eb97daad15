//! What decides in a browser: where a token may be, and which pages may use the distribution.

use std::collections::BTreeSet;

use authorizer_core::cors::{AllowedOrigins, Cors};
use authorizer_core::credential::{CredentialPlaces, HeaderSetter, TokenHeader};
use authorizer_core::policy::Policy;
use authorizer_core::OriginPattern;

use super::super::model::{Direction, Effect, TrustChange};
use super::{change, of_member, only_in_one, quoted, wider_if};

/// The changes of `[credentials]`, `[query]` and `[cors]`.
pub(super) fn changes(old: &Policy, new: &Policy) -> Vec<TrustChange> {
    let (before, after) = (old.credentials(), new.credentials());
    let mut changes = Vec::new();
    let header = |places: &CredentialPlaces| places.header.as_ref().map(|header| header.name().to_owned());
    changes.extend(place("credentials.header", "header", &header(before), &header(after)));
    changes.extend(header_setter(before, after));
    let cookie = |places: &CredentialPlaces| places.cookie.as_ref().map(ToString::to_string);
    changes.extend(place("credentials.cookie", "cookie", &cookie(before), &cookie(after)));
    changes.extend(place("credentials.query", "query parameter", &before.query, &after.query));
    changes.extend(ignored(old.ignored_parameters(), new.ignored_parameters()));
    changes.extend(cors(old.cors(), new.cors()));
    changes
}

/// A place of a token.
fn place(
    setting: &'static str,
    place: &str,
    before: &Option<String>,
    after: &Option<String>,
) -> Option<TrustChange> {
    let (what, direction) = match (before, after) {
        (before, after) if before == after => return None,
        (_, None) => {
            let name = quoted(before.as_deref().unwrap_or_default());
            (format!("a token may no longer be in the {place} {name}"), Direction::Narrower)
        }
        (None, Some(name)) => (format!("a token may be in the {place} {}", quoted(name)), Direction::Wider),
        (Some(before), Some(after)) => (
            format!("a token may be in the {place} {}, not in {}", quoted(after), quoted(before)),
            Direction::Other,
        ),
    };
    Some(change(setting, None, what, [before.clone(), after.clone()], direction))
}

/// Who adds the header of a token: where it is a proxy, pages of other origins cannot write with it.
fn header_setter(before: &CredentialPlaces, after: &CredentialPlaces) -> Option<TrustChange> {
    let setter = |places: &CredentialPlaces| places.header.as_ref().map(TokenHeader::set_by);
    // A header that was not there had nobody who added it, and a new one is as strict as can be unless it says more.
    let (old, new) = (setter(before).unwrap_or(HeaderSetter::Proxy), setter(after)?);
    let word = |setter| match setter {
        HeaderSetter::Proxy => "proxy",
        HeaderSetter::Clients => "clients",
    };
    let (what, direction) = match new {
        _ if old == new => return None,
        HeaderSetter::Clients => (
            "clients set the header of the token, so the `Origin` of a request with it is not checked",
            Direction::Wider,
        ),
        HeaderSetter::Proxy => (
            "a proxy sets the header of the token, so the `Origin` of a request with it is checked",
            Direction::Narrower,
        ),
    };
    let values = [setter(before).map(|_| word(old).to_owned()), Some(word(new).to_owned())];
    Some(change("credentials.header_set_by", None, what, values, direction))
}

/// The query parameters that reads drop: a request with one of them is let in where it was refused.
fn ignored(before: &[String], after: &[String]) -> Vec<TrustChange> {
    let changes = only_in_one(before, after).into_iter().map(|(name, direction)| {
        let what = match direction {
            Direction::Narrower => format!("reads no longer drop the query parameter {}", quoted(&name)),
            Direction::Wider | Direction::Other => {
                format!("reads drop the query parameter {}", quoted(&name))
            }
        };
        change("query.ignored", None, what, of_member(name, direction), direction)
    });
    changes.collect()
}

fn cors(before: Option<&Cors>, after: Option<&Cors>) -> Vec<TrustChange> {
    let mut changes = origins(before, after);
    let credentials = |cors: Option<&Cors>| cors.is_some_and(Cors::credentials);
    let (had, has) = (credentials(before), credentials(after));
    if had != has {
        let what = match has {
            true => "pages of other origins may send cookies",
            false => "pages of other origins may no longer send cookies",
        };
        let values = [Some(had.to_string()), Some(has.to_string())];
        changes.push(change("cors.credentials", None, what, values, wider_if(has)));
    }
    let headers = |cors: Option<&Cors>| -> Vec<String> {
        let names = cors.map(Cors::exposed_headers).unwrap_or_default();
        let names: BTreeSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.into_iter().collect()
    };
    for (name, direction) in only_in_one(&headers(before), &headers(after)) {
        let what = match direction {
            Direction::Narrower => {
                format!("pages of other origins may no longer read the response header {}", quoted(&name))
            }
            Direction::Wider | Direction::Other => {
                format!("pages of other origins may read the response header {}", quoted(&name))
            }
        };
        changes.push(change("cors.exposed_headers", None, what, of_member(name, direction), direction));
    }
    if let Some((before, after)) = before.zip(after) {
        let (old, new) = (before.max_age_seconds(), after.max_age_seconds());
        if old != new {
            let what =
                format!("a browser may go by the answer to a preflight for {new} seconds, not for {old}");
            let values = [Some(old.to_string()), Some(new.to_string())];
            changes.push(change("cors.max_age_seconds", None, what, values, wider_if(new > old)));
        }
    }
    changes
}

/// The origins whose pages may use the distribution, one by one.
fn origins(before: Option<&Cors>, after: Option<&Cors>) -> Vec<TrustChange> {
    let texts = |cors: Option<&Cors>| match cors.map(Cors::origins) {
        None => Vec::new(),
        Some(AllowedOrigins::Any) => vec!["*".to_owned()],
        Some(AllowedOrigins::Listed(listed)) => listed.iter().map(ToString::to_string).collect(),
    };
    let mut changes = Vec::new();
    for (origin, direction) in only_in_one(&texts(before), &texts(after)) {
        let other = match direction {
            Direction::Narrower => after,
            Direction::Wider | Direction::Other => before,
        };
        let is_covered = match other.map(Cors::origins) {
            None => false,
            Some(AllowedOrigins::Any) => true,
            Some(AllowedOrigins::Listed(listed)) => OriginPattern::parse(&origin)
                .is_some_and(|origin| listed.iter().any(|other| other.covers(&origin))),
        };
        let name = quoted(&origin);
        let what = match (origin.as_str(), direction) {
            ("*", Direction::Narrower) => {
                "pages of every origin may no longer use the distribution".to_owned()
            }
            ("*", _) => "pages of every origin (`*`) may use the distribution".to_owned(),
            (_, Direction::Narrower) => format!("pages of {name} may no longer use the distribution"),
            (_, Direction::Wider | Direction::Other) => format!("pages of {name} may use the distribution"),
        };
        let mut change = change("cors.origins", None, what, of_member(origin, direction), direction);
        if is_covered {
            change.effect = Effect::None;
        }
        changes.push(change);
    }
    changes
}
