//! The policy of these tests, read a second time: from `docs/policy.md` and the RFCs, and from the generated parts
//! instead of the text.

use std::collections::BTreeSet;

use super::document::Document;
use super::json::{Json, Text};
use super::{Made, NOW, Who};

pub(super) const LEEWAY: f64 = 10.0;

/// JSON that is nested deeper is not read. A provider's tokens are not a tenth as deep.
const MAX_DEPTH: usize = 127;

/// Whether the token is one of its issuer's, for this service, and valid now.
pub(super) fn is_good(made: &Made) -> bool {
    made.token.len() <= 16_384 && is_well_formed(&made.header) && is_well_formed(&made.claims) && {
        let header = Members(&made.header.members);
        let claims = Members(&made.claims.members);
        header_is_good(header, made.who) && claims_are_good(claims, made.who)
    }
}

#[derive(Clone, Copy)]
struct Members<'a>(&'a [(Text, Json)]);

impl<'a> Members<'a> {
    fn get(self, name: &str) -> Option<&'a Json> {
        self.0.iter().find(|(written, _)| written.value == name).map(|(_, value)| value)
    }
}

fn header_is_good(header: Members<'_>, who: Who) -> bool {
    let refused = ["crit", "b64", "enc"];
    // RFC 9864 section 2.2: two names of one algorithm.
    let algorithm = header.get("alg").and_then(Json::as_text);
    let algorithm = if algorithm == Some("Ed25519") { Some("EdDSA") } else { algorithm };
    // RFC 7519 section 5.2: `JWT` alone says that the payload is a token.
    let payload_fits = header.get("cty").is_none_or(|kind| {
        kind.as_text().is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            !["jwt", "application/jwt"].contains(&kind.as_str())
        })
    });
    let key_id_fits = match header.get("kid") {
        // Each of the three keys is the only key of its issuer that fits its algorithm.
        None => true,
        Some(id) => id.as_text() == Some(who.key_id()),
    };
    let type_fits = match (header.get("typ"), who) {
        (None, Who::Partner) => true,
        (None, Who::Staff | Who::StaffByCurve) => false,
        (Some(kind), _) => kind.as_text().is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            kind == "at+jwt" || (kind == "jwt" && who == Who::Partner)
        }),
    };
    refused.iter().all(|name| header.get(name).is_none())
        && payload_fits
        && algorithm == Some(who.algorithm().name())
        && key_id_fits
        && type_fits
}

fn claims_are_good(claims: Members<'_>, who: Who) -> bool {
    let text = |name: &str| claims.get(name).and_then(Json::as_text);
    let date = |name: &str| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_number().map(Some),
    };
    let (Some(Some(expires)), Some(not_before), Some(issued_at)) = (date("exp"), date("nbf"), date("iat"))
    else {
        return false;
    };
    let in_time = NOW as f64 - LEEWAY < expires
        && [not_before, issued_at].into_iter().flatten().all(|date| date <= NOW as f64 + LEEWAY);
    let is_short = match (who, issued_at) {
        (Who::Partner, _) => true,
        (_, Some(issued_at)) => expires - issued_at <= 120.0,
        (_, None) => false,
    };
    let is_old = issued_at.is_none_or(|issued_at| issued_at < NOW as f64 - 5.0);
    let is_revoked = match who {
        Who::Partner => text("sub") == Some("bob") && is_old,
        Who::Staff | Who::StaffByCurve => text("jti") == Some("stolen"),
    };
    let ours = |audience: &str| ["files", "more files"].contains(&audience);
    let is_for_us = match (who, claims.get("aud")) {
        // Named by client: an audience would mean another service.
        (Who::Partner, audience) => audience.is_none() && text("client_id") == Some("p"),
        (_, Some(Json::Text(audience))) => ours(&audience.value),
        (_, Some(Json::Array(many))) => {
            many.iter().all(|one| one.as_text().is_some()) && many.iter().filter_map(Json::as_text).any(ours)
        }
        (_, _) => false,
    };
    let required = who == Who::Partner
        || (text("token_use") == Some("access")
            && claims.get("tenant").and_then(Json::as_number) == Some(7.0)
            && matches!(claims.get("active"), Some(Json::Word("true"))));
    text("iss") == Some(who.issuer())
        && ["sub", "jti", "client_id", "azp"]
            .into_iter()
            .all(|name| claims.get(name).is_none_or(|value| value.as_text().is_some()))
        && ["scope", "scp"].into_iter().all(|name| match claims.get(name) {
            None | Some(Json::Text(_)) => true,
            Some(Json::Array(members)) => members.iter().all(|one| one.as_text().is_some()),
            Some(_) => false,
        })
        // RFC 7800: bound to a key, and only the partner's may be used without it.
        && (who == Who::Partner || claims.get("cnf").is_none())
        && in_time
        && is_short
        && !is_revoked
        && is_for_us
        && required
}

fn is_well_formed(document: &Document) -> bool {
    let object = Json::Object(document.members.clone());
    let (before, after) = document.around;
    before.iter().chain(after).all(|byte| b" \t\r\n".contains(byte))
        && is_readable(&object)
        && depth(&object) <= MAX_DEPTH
}

/// Whether it can be read at all, and no object in it has a member twice.
fn is_readable(value: &Json) -> bool {
    match value {
        Json::Unreadable(_) => false,
        Json::Word(_) | Json::Number(_) | Json::Text(_) => true,
        Json::Array(values) => values.iter().all(is_readable),
        Json::Object(members) => {
            let names: BTreeSet<&str> = members.iter().map(|(name, _)| name.value.as_str()).collect();
            names.len() == members.len() && members.iter().all(|(_, value)| is_readable(value))
        }
    }
}

/// The nesting depth of arrays and objects.
fn depth(value: &Json) -> usize {
    match value {
        Json::Unreadable(_) | Json::Word(_) | Json::Number(_) | Json::Text(_) => 0,
        Json::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or_default(),
    }
}
