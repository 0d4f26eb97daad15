//! The files with keys and secrets that a policy names.

use std::path::Path;

use authorizer_core::policy::document::{
    JwksDocument, PolicyDocument, SecretDocument, SecretEncoding, SignInDocument,
};
use authorizer_core::policy::{Place, PolicyProblem};
use authorizer_core::token::{PublishedKeysError, parse_jwk_set};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::error::FileKind;
use crate::file::read_file;
use crate::folder_of;

/// The standard alphabet, with padding or without; the other alphabet is mapped to it first.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The files of the issuers and of the sign-in, relative to the policy.
pub(crate) fn files(mut document: PolicyDocument) -> impl Iterator<Item = String> {
    let of_sign_in: Vec<String> =
        secrets_of_sign_in(&mut document).filter_map(|(_, secret)| secret.file.take()).collect();
    let of_issuers = document.issuers.into_iter().flat_map(|issuer| {
        let keys = issuer.jwks.and_then(|jwks| jwks.file);
        keys.into_iter().chain(issuer.secret.and_then(|secret| secret.file))
    });
    of_issuers.chain(of_sign_in)
}

/// The secrets of a code flow, each with the name of its field.
fn secrets_of_sign_in(
    document: &mut PolicyDocument,
) -> impl Iterator<Item = (&'static str, &mut SecretDocument)> {
    let flow = match &mut document.sign_in {
        Some(SignInDocument::CodeFlow(flow)) => Some(flow.as_mut()),
        Some(SignInDocument::Redirect(_)) | None => None,
    };
    flow.into_iter().flat_map(|flow| {
        let others = [
            ("previous_cookie_key", &mut flow.previous_cookie_key),
            ("client_secret", &mut flow.client_secret),
            ("client_key", &mut flow.client_key),
        ];
        let others = others.into_iter().filter_map(|(name, secret)| Some((name, secret.as_mut()?)));
        std::iter::once(("cookie_key", &mut flow.cookie_key)).chain(others)
    })
}

/// Reads the files of each issuer and of the sign-in into the document.
pub(crate) fn read_keys(document: &mut PolicyDocument, policy: &Path) -> Vec<PolicyProblem> {
    let folder = folder_of(policy);
    let mut problems = Vec::new();
    for (index, issuer) in document.issuers.iter_mut().enumerate() {
        let place = Place::member("issuers").at(index);
        // If both or neither are given, the core reports the problem.
        if let Some(JwksDocument { file: file @ Some(_), keys: keys @ None, .. }) = &mut issuer.jwks {
            match read_jwks(&folder.join(file.as_deref().unwrap_or_default())) {
                Ok(read) => (*file, *keys) = (None, Some(read)),
                Err(message) => problems.push(PolicyProblem {
                    place: place.then("jwks").then("file"),
                    message: format!("the keys of issuer `{}`: {message}", issuer.name),
                    remedy: "put the JWK set from the `jwks_uri` of the issuer into this file".into(),
                }),
            }
        }
        if let Some(secret) = &mut issuer.secret
            && let Err(problem) = read_secret("secret", secret, folder)
        {
            let (member, message, remedy) = problem;
            problems.push(PolicyProblem {
                place: place.then("secret").then(member),
                message: format!("the secret of issuer `{}`: {message}", issuer.name),
                remedy,
            });
        }
    }
    for (name, secret) in secrets_of_sign_in(document) {
        let is_cookie_key = name.ends_with("cookie_key");
        if is_cookie_key {
            // The command that makes such a file writes base64url, since 32 random bytes are not a text.
            secret.encoding = SecretEncoding::Base64;
        }
        if let Err((member, message, remedy)) = read_secret(name, secret, folder) {
            let remedy = match is_cookie_key && member == "file" {
                true => "make the file with `authorizer keys cookie-key --out NAME.key`".to_owned(),
                false => remedy,
            };
            problems.push(PolicyProblem {
                place: Place::member("sign_in").then(name).then(member),
                message: format!("`{name}` of the sign-in: {message}"),
                remedy,
            });
        }
    }
    problems
}

fn read_jwks(path: &Path) -> Result<Vec<Value>, String> {
    let text = read_file(FileKind::Policy, path).map_err(|error| error.to_string())?;
    let shown = path.display();
    parse_jwk_set(text.as_bytes()).map_err(|error| match error {
        // Of what is no object nothing is quoted: it may be a secret.
        PublishedKeysError::NoJson => match serde_json::from_str::<Value>(&text) {
            Err(error) => format!("`{shown}` is not a JSON object: {error}"),
            Ok(value) if !value.is_object() => format!("`{shown}` is not a JSON object"),
            Ok(_) => format!("`{shown}` has a member twice, so two readers could read two sets of keys"),
        },
        _ => format!("`{shown}` is not a JWK set: it does not have a `keys` array"),
    })
}

/// Reads a secret. The error does not contain any part of the file.
fn read_secret(
    name: &str,
    secret: &mut SecretDocument,
    folder: &Path,
) -> Result<(), (&'static str, String, String)> {
    if secret.value.is_some() {
        // Many people can read a policy.
        return Err((
            "value",
            "it is in the policy itself".into(),
            format!(
                "put it into a file that only people who package can read, and write `{name} = {{ file = \"...\" }}`"
            ),
        ));
    }
    let Some(file) = secret.file.take() else { return Ok(()) };
    let text = read_file(FileKind::Policy, &folder.join(file)).map_err(|error| {
        ("file", error.to_string(), "put the secret into this file; if it is not text, in base64".to_owned())
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let bytes = match secret.encoding {
        SecretEncoding::Text => line.as_bytes().to_vec(),
        SecretEncoding::Base64 => BASE64.decode(line.replace('-', "+").replace('_', "/")).map_err(|_| {
            (
                "file",
                "the file is not in base64".into(),
                "leave out `encoding` if the file contains the secret as text".to_owned(),
            )
        })?,
    };
    secret.value = Some(URL_SAFE_NO_PAD.encode(bytes));
    secret.encoding = SecretEncoding::Text;
    Ok(())
}
