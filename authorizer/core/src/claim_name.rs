//! The name of a claim in a policy.
//!
//! It is the name of a member of the claims set, or, if it begins with `/`, a path of names into objects: a JSON Pointer
//! (RFC 6901), with `~1` for a `/` and `~0` for a `~` in a name. A path goes through objects only: it never names a
//! member of an array, which `has` finds.
//!
//! Every claim has one name, so that names can be compared as texts. A path of one name is refused, unless that name
//! begins with `/` and so cannot be written otherwise.

use std::borrow::Cow;

use serde_json::{Map, Value};
use thiserror::Error;

/// The largest number of names in a path.
pub const MAX_DEPTH: usize = 16;

/// The claims that are never objects in a token that verifies.
const NO_OBJECTS: [&str; 11] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "scope", "scp"];

/// Why a text is not the name of a claim.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ClaimNameError {
    /// `/sub`.
    #[error("a name that begins with `/` is a path into an object, and this path has only one name")]
    OneName,
    /// `/a//b` or `/a/`.
    #[error("the path has an empty name")]
    EmptyName,
    /// A `~` that is not `~0` or `~1`.
    #[error("`~` in a path must be `~0` or `~1` (RFC 6901)")]
    Escape,
    /// `/sub/x`.
    #[error("the first claim of the path is never an object")]
    NoObject,
    /// More than [`MAX_DEPTH`] names.
    #[error("the path has more than 16 names")]
    TooDeep,
}

impl ClaimNameError {
    /// How to fix it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::OneName => {
                "write the name without the first `/`, or, if the name itself begins with it, `/~1` and the rest"
            }
            Self::EmptyName => "write it as `/realm_access/roles`",
            Self::Escape => "write `~0` for a `~` in a name, and `~1` for a `/`",
            Self::NoObject => "name the claim itself, without a path",
            Self::TooDeep => "let the issuer write the value into a claim of its own",
        }
    }
}

/// Whether a text can name a claim.
///
/// ```
/// use authorizer_core::claim_name;
///
/// assert!(claim_name::check("https://example.com/roles").is_ok());
/// assert!(claim_name::check("/realm_access/roles").is_ok());
/// assert!(claim_name::check("/https:~1~1example.com/roles").is_ok());
/// assert!(claim_name::check("/roles").is_err());
/// ```
///
/// # Errors
/// [`ClaimNameError`] for a path that is not one, or that has another name.
pub fn check(name: &str) -> Result<(), ClaimNameError> {
    let Some(path) = name.strip_prefix('/') else { return Ok(()) };
    let mut depth = 0usize;
    for one in path.split('/') {
        depth = depth.saturating_add(1);
        if one.is_empty() {
            return Err(ClaimNameError::EmptyName);
        }
        if one.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err(ClaimNameError::Escape);
        }
    }
    let first = root(name);
    match depth {
        1 if !first.starts_with('/') => Err(ClaimNameError::OneName),
        2.. if NO_OBJECTS.contains(&first.as_ref()) => Err(ClaimNameError::NoObject),
        _ if depth > MAX_DEPTH => Err(ClaimNameError::TooDeep),
        _ => Ok(()),
    }
}

/// The members on the way to a claim, the claim itself last.
pub fn path(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let (flat, path) = match name.strip_prefix('/') {
        None => (Some(Cow::Borrowed(name)), None),
        Some(path) => (None, Some(path.split('/').map(unescaped))),
    };
    flat.into_iter().chain(path.into_iter().flatten())
}

/// The member of the claims set that a claim is, or is in.
pub fn root(name: &str) -> Cow<'_, str> {
    path(name).next().unwrap_or_default()
}

/// Whether the one claim is in the object that the other is.
pub fn is_within(inner: &str, outer: &str) -> bool {
    // Only a path leads into an object.
    inner.starts_with('/') && {
        let mut names = path(inner);
        path(outer).all(|name| names.next() == Some(name)) && names.next().is_some()
    }
}

/// The name of a member of the claims set. A member that begins with `/` would be a path without this.
///
/// ```
/// use authorizer_core::claim_name;
///
/// assert_eq!(claim_name::of_member("sub"), "sub");
/// assert_eq!(claim_name::of_member("/app/roles"), "/~1app~1roles");
/// ```
pub fn of_member(member: &str) -> Cow<'_, str> {
    match member.starts_with('/') {
        true => Cow::Owned(format!("/{}", member.replace('~', "~0").replace('/', "~1"))),
        false => Cow::Borrowed(member),
    }
}

fn unescaped(name: &str) -> Cow<'_, str> {
    match name.contains('~') {
        true => Cow::Owned(name.replace("~1", "/").replace("~0", "~")),
        false => Cow::Borrowed(name),
    }
}

/// The claim with this name.
pub fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, more) = path.split_once('/').map_or((path, None), |(first, more)| (first, Some(more)));
    let mut value = claims.get(unescaped(first).as_ref())?;
    for name in more.into_iter().flat_map(|more| more.split('/')) {
        value = value.as_object()?.get(unescaped(name).as_ref())?;
    }
    Some(value)
}

/// Whether there is no such claim, and nothing but objects on the way to it.
pub fn is_free(claims: &Map<String, Value>, name: &str) -> bool {
    let mut value: Option<&Value> = None;
    for name in path(name) {
        let members = match value {
            None => claims,
            Some(Value::Object(members)) => members,
            Some(_) => return false,
        };
        match members.get(name.as_ref()) {
            None => return true,
            there => value = there,
        }
    }
    false
}

/// Makes the claim with this name this value. Objects on the way are made, also in the place of other values; an
/// object in the place of an object adds its members, and those of the objects in it.
pub fn put(claims: &mut Map<String, Value>, name: &str, value: Value) {
    let mut path: Vec<Cow<'_, str>> = path(name).collect();
    let Some(last) = path.pop() else { return };
    let mut members = claims;
    for name in path {
        let inner = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        let Value::Object(inner) = inner else { return };
        members = inner;
    }
    match (members.get_mut(last.as_ref()), value) {
        (Some(Value::Object(there)), Value::Object(more)) => add(there, more),
        (_, value) => drop(members.insert(last.into_owned(), value)),
    }
}

fn add(members: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (members.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(more)) => add(there, more),
            (_, value) => drop(members.insert(name, value)),
        }
    }
}

/// Takes the claim with this name away.
pub fn remove(claims: &mut Map<String, Value>, name: &str) {
    let mut path: Vec<Cow<'_, str>> = path(name).collect();
    let Some(last) = path.pop() else { return };
    let mut members = claims;
    for name in path {
        let Some(Value::Object(inner)) = members.get_mut(name.as_ref()) else { return };
        members = inner;
    }
    members.remove(last.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_has_one_name() {
        for name in [
            "sub",
            "a.b",
            "",
            "~",
            "a~2",
            "https://example.com/roles",
            "kubernetes.io/x",
            "/a/b",
            "/~1a",
            "/~1a/b",
            "/kubernetes.io/namespace",
            "/https:~1~1example.com~1claims/roles",
            "/a~0b/c~01",
            "/roles/0",
            "/cnf/jkt",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for (name, error) in [
            ("/", ClaimNameError::EmptyName),
            ("//", ClaimNameError::EmptyName),
            ("/a/", ClaimNameError::EmptyName),
            ("/a//b", ClaimNameError::EmptyName),
            ("/roles", ClaimNameError::OneName),
            ("/a~0", ClaimNameError::OneName),
            ("/sub", ClaimNameError::OneName),
            ("/a/b~", ClaimNameError::Escape),
            ("/a~2/b", ClaimNameError::Escape),
            ("/sub/a", ClaimNameError::NoObject),
            ("/scp/a/b", ClaimNameError::NoObject),
            ("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", ClaimNameError::TooDeep),
        ] {
            assert_eq!(check(name), Err(error), "{name}");
        }
    }

    #[test]
    fn a_path_leads_through_objects_only() {
        let claims = json!({
            "a": {"b": {"c": 1}, "l": [{"c": 2}], "0": "zero", "t": "text", "": 3},
            "/a/b": "flat", "a~b": {"c/d": 4}, "/n": 5, "n": {"x": null},
        });
        let claims = claims.as_object().unwrap();
        for (name, value) in [
            ("/a/b/c", Some(json!(1))),
            ("/a/b", Some(json!({"c": 1}))),
            ("/a/0", Some(json!("zero"))),
            ("/a/l/0", None),
            ("/a/l/0/c", None),
            ("/a/t/x", None),
            ("/a/b/c/d", None),
            ("/b/a", None),
            ("/~1a~1b", Some(json!("flat"))),
            ("/a~0b/c~1d", Some(json!(4))),
            ("/~1n", Some(json!(5))),
            ("/n/x", Some(json!(null))),
            ("n", Some(json!({"x": null}))),
            ("a/b", None),
        ] {
            assert_eq!(find(claims, name), value.as_ref(), "{name}");
        }
    }

    #[test]
    fn every_member_of_the_claims_set_has_a_name() {
        for member in ["sub", "", "a/b", "a~b", "/", "/a", "/a/b", "/a~1b", "//", "https://x.org/a"] {
            let claims = Map::from_iter([(member.to_owned(), json!(1))]);
            let name = of_member(member);
            assert_eq!(find(&claims, &name), Some(&json!(1)), "{member}");
            assert_eq!(path(&name).collect::<Vec<_>>(), [member]);
        }
    }

    #[test]
    fn what_is_put_is_found() {
        let mut claims = Map::new();
        for (name, value) in [
            ("a", json!("text")),
            ("/a/b", json!(1)),
            ("/a/c~1d", json!([2])),
            ("a", json!({})),
            ("/~1a", json!(3)),
        ] {
            put(&mut claims, name, value.clone());
            assert!(value == json!({}) || find(&claims, name) == Some(&value), "{name}");
        }
        for (name, free) in
            [("/a/x", true), ("/x/y", true), ("x", true), ("a", false), ("/a/b", false), ("/a/b/c", false)]
        {
            assert_eq!(is_free(&claims, name), free, "{name}");
        }
        for name in ["/a/b/c", "/x/y", "y", "/a/b", "/~1a"] {
            remove(&mut claims, name);
            assert_eq!(find(&claims, name), None, "{name}");
        }
        assert_eq!(Value::Object(claims), json!({"a": {"c/d": [2]}}));
        let mut claims = Map::new();
        put(&mut claims, "/a/b/c", json!(1));
        put(&mut claims, "a", json!({"b": {"d": 2}, "e": {}}));
        assert_eq!(Value::Object(claims), json!({"a": {"b": {"c": 1, "d": 2}, "e": {}}}));
    }

    #[test]
    fn a_claim_is_within_the_objects_on_its_path() {
        for (inner, outer, expected) in [
            ("/a/b", "a", true),
            ("/a/b/c", "a", true),
            ("/a/b/c", "/a/b", true),
            ("/a/b", "/a/b", false),
            ("/a/b", "/a/b/c", false),
            ("/a/bc", "/a/b", false),
            ("/~1a/b", "/~1a", true),
            ("/~1a/b", "a", false),
            ("/a.b/c", "a.b", true),
            ("a", "a", false),
            ("a/b", "a", false),
        ] {
            assert_eq!(is_within(inner, outer), expected, "{inner} {outer}");
        }
    }
}
