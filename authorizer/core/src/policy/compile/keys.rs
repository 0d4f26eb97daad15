//! `jwks` and `secret` of an issuer.

use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::document::{IssuerDocument, JwksDocument, SecretDocument};
use super::super::problem::{Place, Problems};
use crate::fetch_url::FetchUrl;
use crate::token::{JwsAlgorithm, KeySet, KeySource, RemoteKeys, SharedSecret, SignatureAlgorithm};

/// The age at which keys are fetched again, in seconds: the limits, and the default.
const MAX_AGE: RangeInclusive<u32> = 60..=86_400;
const DEFAULT_MAX_AGE: u32 = 3_600;

/// The age up to which old keys are used, in seconds: the limit, and the default.
const GREATEST_MAX_STALE: u32 = 604_800;
const DEFAULT_MAX_STALE: u32 = 86_400;

pub(super) fn compile_keys(
    document: &IssuerDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<KeySource> {
    match (&document.jwks, &document.secret) {
        (Some(jwks), None) => compile_jwks(document, jwks, place, problems),
        (None, Some(secret)) => compile_secret(document, secret, place, problems),
        (Some(_), Some(_)) | (None, None) => {
            problems.add(
                place.clone(),
                "an issuer must have either `jwks` or `secret`",
                "write `jwks = { file = \"keys/NAME.jwks.json\" }`, or `secret = { file = \"NAME.secret\" }` for HS256",
            );
            None
        }
    }
}

fn compile_jwks(
    document: &IssuerDocument,
    jwks: &JwksDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<KeySource> {
    let mut algorithms: Vec<SignatureAlgorithm> = Vec::with_capacity(document.algorithms.len());
    for (index, algorithm) in document.algorithms.iter().enumerate() {
        match algorithm {
            JwsAlgorithm::Signature(algorithm) => algorithms.push(*algorithm),
            JwsAlgorithm::Hs256 => problems.add(
                place.then("algorithms").at(index),
                "HS256 is verified with a secret, not with published keys",
                "remove it; an issuer of HS256 tokens has `secret` instead of `jwks`",
            ),
        }
    }
    let place = place.then("jwks");
    let remote = compile_remote(jwks, &place, problems);
    let bundled = match (&jwks.file, &jwks.keys) {
        (None, Some(keys)) => match KeySet::from_jwks(keys, &algorithms) {
            Ok(keys) => Some(keys),
            Err(error) => {
                // Without an algorithm no key is usable either, but that problem is already reported.
                if !algorithms.is_empty() {
                    problems.add(
                        place.clone(),
                        error.to_string(),
                        "use the public keys that the issuer publishes at its `jwks_uri`, as they are",
                    );
                }
                return None;
            }
        },
        (Some(_), None) => {
            problems.add(
                place.clone(),
                "the key file was not read",
                "package the policy with `authorizer package`",
            );
            return None;
        }
        (None, None) if jwks.url.is_some() => None,
        (Some(_), Some(_)) | (None, None) => {
            problems.add(
                place.clone(),
                "the keys of an issuer must come from a file, from a URL, or from both",
                "write `jwks = { file = \"keys/NAME.jwks.json\" }`",
            );
            return None;
        }
    };
    Some(KeySource::Published { algorithms, bundled: bundled.map(Arc::new), remote })
}

fn compile_remote(jwks: &JwksDocument, place: &Place, problems: &mut Problems) -> Option<RemoteKeys> {
    let Some(text) = &jwks.url else {
        for (name, value) in
            [("max_age_seconds", jwks.max_age_seconds), ("max_stale_seconds", jwks.max_stale_seconds)]
        {
            if value.is_some() {
                problems.add(
                    place.then(name),
                    "keys from a file are not fetched again",
                    "add the `url` of the issuer's `jwks_uri`, or remove this",
                );
            }
        }
        return None;
    };
    let url = FetchUrl::parse(text).map_err(|error| {
        problems.add(
            place.then("url"),
            format!("keys cannot be fetched from `{}`: {error}", text.escape_debug()),
            "write the issuer's `jwks_uri`, with `https://`; plain `http://` is for loopback addresses",
        );
    });
    let max_age_seconds = jwks.max_age_seconds.unwrap_or(DEFAULT_MAX_AGE);
    if !MAX_AGE.contains(&max_age_seconds) {
        problems.add(
            place.then("max_age_seconds"),
            format!("`max_age_seconds` cannot be {max_age_seconds}"),
            format!("use {} to {}", MAX_AGE.start(), MAX_AGE.end()),
        );
    }
    let max_stale_seconds = jwks.max_stale_seconds.unwrap_or(DEFAULT_MAX_STALE);
    if !(max_age_seconds..=GREATEST_MAX_STALE).contains(&max_stale_seconds) {
        problems.add(
            place.then("max_stale_seconds"),
            format!("`max_stale_seconds` cannot be {max_stale_seconds}"),
            format!("use {max_age_seconds} (`max_age_seconds`) to {GREATEST_MAX_STALE}"),
        );
    }
    Some(RemoteKeys { url: url.ok()?, max_age_seconds, max_stale_seconds })
}

fn compile_secret(
    document: &IssuerDocument,
    secret: &SecretDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<KeySource> {
    for (index, algorithm) in document.algorithms.iter().enumerate() {
        if let JwsAlgorithm::Signature(algorithm) = algorithm {
            problems.add(
                place.then("algorithms").at(index),
                format!("{} is verified with published keys, not with a secret", algorithm.name()),
                "write `algorithms = [\"HS256\"]`, or use `jwks` instead of `secret`",
            );
        }
    }
    let place = place.then("secret");
    let Some(value) = secret.value.as_ref().filter(|_| secret.file.is_none()) else {
        let (what, remedy) = match (&secret.file, &secret.value) {
            (Some(_), None) => ("the file was not read", "package the policy with `authorizer package`"),
            _ => ("a secret must come from one file", "write `secret = { file = \"NAME.secret\" }`"),
        };
        problems.add(place, what, remedy);
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| "the secret is not in base64url".to_owned());
    match bytes.and_then(|bytes| SharedSecret::new(&bytes).map_err(|error| error.to_string())) {
        Ok(secret) => Some(KeySource::Secret(secret)),
        Err(message) => {
            problems.add(place, message, "use at least 32 random bytes, and let the issuer use the same");
            None
        }
    }
}
