//! The files with keys and secrets that a policy names.

use std::io::ErrorKind;
use std::path::Path;

use authorizer_core::policy::document::{
    JwksDocument, PolicyDocument, SecretDocument, SecretEncoding, SignInDocument,
};
use authorizer_core::policy::{Place, PolicyProblem, stand_in};
use authorizer_core::token::{PublishedKeysError, parse_jwk_set};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::error::{FileKind, PolicyFileError};
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

/// What a secret is whose file does not exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WithoutFile {
    /// A problem: the policy is to decide for viewers.
    IsProblem,
    /// A fixed value, in a review.
    TakesStandIn,
}

/// A file of a secret that is not there.
pub(crate) struct NotHere {
    /// As the policy names it.
    pub(crate) file: String,
    /// The field of the secret.
    pub(crate) place: Place,
}

/// What came of reading the files.
pub(crate) struct Read {
    pub(crate) problems: Vec<PolicyProblem>,
    /// Those that a stand-in was taken for.
    pub(crate) not_here: Vec<NotHere>,
}

/// Reads the files of each issuer and of the sign-in into the document.
pub(crate) fn read_keys(document: &mut PolicyDocument, policy: &Path, without: WithoutFile) -> Read {
    let folder = folder_of(policy);
    let mut read = Read { problems: Vec::new(), not_here: Vec::new() };
    for (index, issuer) in document.issuers.iter_mut().enumerate() {
        let place = Place::member("issuers").at(index);
        // If both or neither are given, the core reports the problem.
        if let Some(JwksDocument { file: file @ Some(_), keys: keys @ None, .. }) = &mut issuer.jwks {
            match read_jwks(&folder.join(file.as_deref().unwrap_or_default())) {
                Ok(set) => (*file, *keys) = (None, Some(set)),
                Err((message, remedy)) => read.problems.push(PolicyProblem {
                    place: place.then("jwks").then("file"),
                    message: format!("the keys of issuer `{}`: {message}", issuer.name),
                    remedy: remedy.into(),
                }),
            }
        }
        if let Some(secret) = &mut issuer.secret {
            let place = place.then("secret");
            let stand_in = without.stand_in(|| stand_in::secret_of(&issuer.issuer));
            match read_secret("secret", secret, folder, stand_in) {
                Ok(None) => {}
                Ok(Some(file)) => read.not_here.push(NotHere { file, place }),
                Err((member, message, remedy)) => read.problems.push(PolicyProblem {
                    place: place.then(member),
                    message: format!("the secret of issuer `{}`: {message}", issuer.name),
                    remedy,
                }),
            }
        }
    }
    for (name, secret) in secrets_of_sign_in(document) {
        let is_cookie_key = name.ends_with("cookie_key");
        if is_cookie_key {
            // The command that makes such a file writes base64url, since 32 random bytes are not a text.
            secret.encoding = SecretEncoding::Base64;
        }
        let stand_in = without.stand_in(|| match name {
            "cookie_key" => stand_in::COOKIE_KEY.to_vec(),
            "previous_cookie_key" => stand_in::PREVIOUS_COOKIE_KEY.to_vec(),
            "client_key" => stand_in::CLIENT_KEY.into(),
            _ => stand_in::CLIENT_SECRET.into(),
        });
        let place = Place::member("sign_in").then(name);
        match read_secret(name, secret, folder, stand_in) {
            Ok(None) => {}
            Ok(Some(file)) => read.not_here.push(NotHere { file, place }),
            Err((member, message, remedy)) => {
                let remedy = match name {
                    // What is in the file is not as `encoding` says.
                    _ if member != "file" || (!is_cookie_key && secret.encoding == SecretEncoding::Base64) => remedy,
                    "cookie_key" => "make the first key with `authorizer keys cookie-key --out NAME.key`; if the policy is in \
                                     use, get its key back: a new key ends everybody's session"
                        .to_owned(),
                    "previous_cookie_key" => {
                        "name the file of the key before, or remove this: then the sessions that it sealed end".to_owned()
                    }
                    "client_key" => "put the private key of the client into this file, as a JWK in JSON".to_owned(),
                    _ => "put the secret that the provider shows for the client into this file, on one line".to_owned(),
                };
                // What is said of a secret has its place in words.
                read.problems.push(PolicyProblem { place: place.then(member), message, remedy });
            }
        }
    }
    read
}

impl WithoutFile {
    fn stand_in(self, value: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
        (self == Self::TakesStandIn).then(value)
    }
}

/// Where a JWK set comes from.
const JWK_SET: &str = "`authorizer keys fetch --out FILE URL` writes the JWK set of an issuer to this file, with the \
                       `jwks_uri` of the issuer as URL; for development, `authorizer token keygen NAME` makes a key pair";

/// Reads a JWK set. The error is a message and a remedy.
fn read_jwks(path: &Path) -> Result<Vec<Value>, (String, &'static str)> {
    let text = read_file(FileKind::Policy, path).map_err(|error| (error.to_string(), JWK_SET))?;
    let shown = path.display();
    if text.contains("PRIVATE KEY-----") {
        let remedy = "name the file with the public keys: `authorizer token keygen` writes it as `NAME.jwks.json`, beside \
                      `NAME.private.pem`";
        return Err((format!("`{shown}` is a private key, and a policy takes public keys alone"), remedy));
    }
    let keys = parse_jwk_set(text.as_bytes()).map_err(|error| match error {
        // Of what is no object nothing is quoted: it may be a secret.
        PublishedKeysError::NoJson => match serde_json::from_str::<Value>(&text) {
            Err(error) => format!("`{shown}` is not a JSON object: {error}"),
            Ok(value) if !value.is_object() => format!("`{shown}` is not a JSON object"),
            Ok(_) => format!("`{shown}` has a member twice, so two readers could read two sets of keys"),
        },
        _ => format!("`{shown}` is not a JWK set: it does not have a `keys` array"),
    });
    keys.map_err(|message| (message, JWK_SET))
}

/// Reads a secret. If its file does not exist and something stands for it, returns the name of the file. The error does not
/// contain any part of the file.
fn read_secret(
    name: &str,
    secret: &mut SecretDocument,
    folder: &Path,
    stand_in: Option<Vec<u8>>,
) -> Result<Option<String>, (&'static str, String, String)> {
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
    let Some(file) = secret.file.take() else { return Ok(None) };
    let is_cookie_key = name.ends_with("cookie_key");
    let read = match (read_file(FileKind::Policy, &folder.join(&file)), stand_in) {
        (Err(error), Some(stand_in)) if is_not_there(&error) => Err(stand_in),
        (Err(error), _) => {
            let remedy = "put the secret into this file; if it is not text, in base64".to_owned();
            return Err(("file", error.to_string(), remedy));
        }
        (Ok(text), _) => Ok(text),
    };
    let (bytes, not_here) = match read {
        Err(stand_in) => (stand_in, Some(file)),
        Ok(text) => {
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let bytes = match secret.encoding {
                SecretEncoding::Text => line.as_bytes().to_vec(),
                SecretEncoding::Base64 => {
                    BASE64.decode(line.replace('-', "+").replace('_', "/")).map_err(|_| {
                        let message = match is_cookie_key {
                            true => format!("`{}` is not 32 bytes in base64url", file.escape_debug()),
                            false => "the file is not in base64".to_owned(),
                        };
                        let remedy = "leave out `encoding` if the file contains the secret as text";
                        ("file", message, remedy.to_owned())
                    })?
                }
            };
            (bytes, None)
        }
    };
    secret.value = Some(URL_SAFE_NO_PAD.encode(bytes));
    secret.encoding = SecretEncoding::Text;
    Ok(not_here)
}

/// Whether a file does not exist. One that cannot be read, or is something else, is another matter.
fn is_not_there(error: &PolicyFileError) -> bool {
    matches!(error, PolicyFileError::Unreadable { source, .. } if source.kind() == ErrorKind::NotFound)
}
