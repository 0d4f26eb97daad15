//! `authorizer keys discover`: from an issuer's URL to the block of a policy.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::block::{Block, algorithms};
use super::error::KeysError;
use super::http::get;
use super::metadata::{Metadata, issuer};
use super::set::{JwkSet, Stored, sum};
use super::sign_in_block::{SignIn, SignInBlock};
use crate::output::{Exit, Format, line, note};
use authorizer_core::FetchUrl;
use authorizer_core::code_flow::{is_client_id, is_origin};
use authorizer_core::token::SignatureAlgorithm;

/// The longest name of an issuer.
const MAX_NAME_BYTES: usize = 64;

/// Fetch the metadata and the keys of an identity provider, and print its `[[issuers]]` block.
///
/// Fetches `/.well-known/openid-configuration`. If the provider does not have it, fetches
/// `/.well-known/oauth-authorization-server`. Exits 2 when the metadata names another issuer. If the metadata has
/// `access_token_issuer`, as that of AD FS does, the block has that issuer.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer keys discover https://login.example.com/ --audience files-api >> policy.toml\n  \
    authorizer keys discover https://login.example.com/ --audience files-api \\\n    \
    --sign-in files-web --origin https://files.example.com >> policy.toml"
)]
pub(crate) struct Args {
    /// Issuer, exactly as in the `iss` of its tokens.
    issuer: String,
    /// Name of the issuer in the policy, and of its key file [default: the issuer's host].
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    /// `aud` of the tokens for this service. Repeatable.
    #[arg(long)]
    audience: Vec<String>,
    /// `client_id` of the clients to allow. Repeatable.
    #[arg(long)]
    client_id: Vec<String>,
    /// Folder for the key file, relative to the policy. Run the command in the folder of the policy.
    #[arg(long, value_name = "DIR", default_value = "keys")]
    dir: PathBuf,
    /// Leave out the `url` from which the function fetches newer keys.
    #[arg(long)]
    bundled_only: bool,
    /// Print a `[sign_in]` block too, for a client with this id: people then sign in at the provider by OpenID Connect's
    /// code flow.
    #[arg(long, value_name = "CLIENT_ID", requires = "origin", value_parser = parse_client_id)]
    sign_in: Option<String>,
    /// The distribution's own origin, such as `https://files.example.com`.
    #[arg(long, requires = "sign_in", value_parser = parse_origin)]
    origin: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `keys discover --format json` says.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer keys discover --format json`")]
pub(crate) struct Document<'k> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The name of the issuer in the policy.
    name: &'k str,
    /// The issuer of access tokens.
    issuer: &'k str,
    /// The issuer whose metadata it is, as it was asked for.
    metadata_issuer: &'k str,
    /// The address of the metadata.
    metadata: &'k str,
    /// The address of the keys.
    jwks_uri: &'k str,
    /// The algorithms of the block.
    algorithms: &'k [SignatureAlgorithm],
    /// The file that the keys were written to.
    file: Cow<'k, str>,
    /// What happened to it.
    change: Stored,
    /// How many keys were fetched.
    keys: usize,
    /// The `[[issuers]]` block, in TOML.
    block: String,
    /// The `[sign_in]` block with its `[credentials]`, in TOML, with `--sign-in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_block: Option<String>,
    /// What to know of a sign-in at the provider, with `--sign-in`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sign_in_warnings: Vec<String>,
}

fn parse_name(name: &str) -> Result<String, String> {
    let plain = name.chars().all(is_plain) && !name.starts_with('.');
    if plain && (1..=MAX_NAME_BYTES).contains(&name.len()) {
        Ok(name.to_owned())
    } else {
        Err("use 1 to 64 letters, digits, -, _ and ., and do not begin with .".into())
    }
}

fn parse_client_id(id: &str) -> Result<String, String> {
    match is_client_id(id) {
        true => Ok(id.to_owned()),
        false => {
            Err("write the client id that the provider shows for this application, without spaces".into())
        }
    }
}

fn parse_origin(origin: &str) -> Result<String, String> {
    match is_origin(origin) {
        true => Ok(origin.to_owned()),
        false => Err("write the distribution's own address, such as https://files.example.com, without a path (http:// on \
                      this machine only)"
            .into()),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c)
}

/// A host as a name: `[::1]` has colons.
fn name_of(issuer: &FetchUrl) -> String {
    let host = issuer.host().trim_matches(['[', ']']);
    host.chars().take(MAX_NAME_BYTES).map(|c| if is_plain(c) { c } else { '-' }).collect()
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let issuer = issuer(&args.issuer)?;
    let metadata = Metadata::fetch(&issuer)?;
    let set = JwkSet::usable(get(&metadata.jwks_uri)?, metadata.jwks_uri.as_str())?;
    let keys = set.keys();
    let algorithms = algorithms(&keys, metadata.algorithms.as_deref());
    if algorithms.is_empty() {
        let named = metadata.algorithms.unwrap_or_default().join(", ");
        return Err(KeysError::NoAlgorithm { issuer: issuer.to_string(), named }.into());
    }
    let name = args.name.clone().unwrap_or_else(|| name_of(&issuer));
    let asked = args.sign_in.as_deref().zip(args.origin.as_deref());
    let asked = asked.map(|(client_id, origin)| SignIn { client_id, origin });
    // Before anything is written.
    let sign_in =
        asked.as_ref().map(|asked| SignInBlock::of(&name, issuer.as_str(), &metadata, asked)).transpose()?;
    let mut sign_in_warnings = sign_in.as_ref().map(SignInBlock::warnings).unwrap_or_default();
    if sign_in.is_some() && metadata.access_token_issuer.is_some() {
        sign_in_warnings.push(format!(
            "the sign-in checks an ID token too, whose issuer is `{issuer}`, so with this `[[issuers]]` block nobody can sign \
             in: write `issuer = \"{issuer}\"` and the client's id as `audience` in a block of its own, name that block in \
             `[sign_in]`, and add `session_token = \"id_token\"`"
        ));
    }
    let file = args.dir.join(format!("{name}.jwks.json"));
    let stored = set.store(&file)?;
    set.note_skipped();
    // The block is for access tokens. AD FS gives them another issuer than its ID tokens.
    let token_issuer = metadata.access_token_issuer.as_deref().unwrap_or(issuer.as_str());
    let block = Block {
        name: &name,
        issuer: token_issuer,
        audience: &args.audience,
        client_id: &args.client_id,
        algorithms: &algorithms,
        jwks_uri: &metadata.jwks_uri,
        file: &file,
        asks: !args.bundled_only,
    };
    match args.format {
        Format::Json => line(json!(Document {
            version: 1,
            name: &name,
            issuer: token_issuer,
            metadata_issuer: issuer.as_str(),
            metadata: metadata.address.as_str(),
            jwks_uri: metadata.jwks_uri.as_str(),
            algorithms: &algorithms,
            file: file.to_string_lossy(),
            change: stored,
            keys: keys.len(),
            block: block.to_string(),
            sign_in_block: sign_in.map(|block| block.to_string()),
            sign_in_warnings,
        }))?,
        Format::Text => {
            line(block.to_string().trim_end())?;
            if let Some(block) = &sign_in {
                line(format_args!("\n{}", block.to_string().trim_end()))?;
            }
            if token_issuer != issuer.as_str() {
                note(format_args!(
                    "the metadata of `{issuer}` says that access tokens have the issuer `{}` \
                     (`access_token_issuer`), so the block has that one; ID tokens have `{issuer}`",
                    token_issuer.escape_debug()
                ));
            }
            note(format_args!("{} ({}): {}", file.display(), stored.word(), sum(&keys)));
            if !block.is_whole() {
                note(
                    "the block is not complete: add `--audience` or `--client-id`, to say who the tokens are for",
                );
            }
            for warning in sign_in_warnings {
                note(format_args!("warning: {warning}"));
            }
        }
    }
    Ok(Exit::Held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_a_name_is_a_file() {
        for (issuer, name) in [
            ("https://login.example.com:8443/realms/x", "login.example.com"),
            ("http://[::1]:4000/", "--1"),
            ("http://127.0.0.1:4000", "127.0.0.1"),
        ] {
            assert_eq!(name_of(&FetchUrl::parse(issuer).unwrap()), name);
        }
        for name in ["staff", "a.b-c_1"] {
            assert!(parse_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "a/b", "../a", "a b", "é", &"a".repeat(65)] {
            assert!(parse_name(name).is_err(), "{name}");
        }
    }
}
