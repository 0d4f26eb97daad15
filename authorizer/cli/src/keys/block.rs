//! The `[[issuers]]` block of a provider.

use std::fmt;
use std::path::Path;

use authorizer_core::FetchUrl;
use authorizer_core::token::SignatureAlgorithm;
use authorizer_findings::jwk::Key;
use authorizer_policy::providers::{MeantFor, Provider};
use toml_edit::Value;

/// Advice for a provider that is not known, as the lines of a comment.
const ADVICE: [&str; 2] = [
    "For access tokens as in RFC 9068, add: token_type = \"at+jwt\"",
    "For others, find what keeps ID tokens out: a claim for `required`, or an audience that they never have.",
];

/// A block that is ready to paste. Only the audience or the client id is missing, if it is not given.
#[derive(Debug)]
pub(super) struct Block<'b> {
    pub(super) name: &'b str,
    pub(super) issuer: &'b str,
    pub(super) audience: &'b [String],
    pub(super) client_id: &'b [String],
    pub(super) algorithms: &'b [SignatureAlgorithm],
    pub(super) jwks_uri: &'b FetchUrl,
    pub(super) file: &'b Path,
    /// Whether the function fetches newer keys.
    pub(super) asks: bool,
}

impl Block<'_> {
    /// Whether the block is complete, so that `authorizer check` accepts it.
    pub(super) fn is_whole(&self) -> bool {
        !(self.audience.is_empty() && self.client_id.is_empty())
    }
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = Provider::of(self.issuer);
        let text = |value: &str| Value::from(value).to_string();
        let file = self.file.to_string_lossy();
        let algorithms = list(self.algorithms.iter().map(|algorithm| algorithm.name()));
        if !self.asks {
            writeln!(f, "# The keys come from {}", self.jwks_uri)?;
        }
        match provider {
            Some(provider) => provider.advice.iter().try_for_each(|line| writeln!(f, "# {line}"))?,
            None => ADVICE.iter().try_for_each(|line| writeln!(f, "# {line}"))?,
        }
        writeln!(f, "[[issuers]]")?;
        writeln!(f, "name       = {}", text(self.name))?;
        writeln!(f, "issuer     = {}", text(self.issuer))?;
        if !self.audience.is_empty() {
            writeln!(f, "audience   = {}", list(self.audience.iter().map(String::as_str)))?;
        }
        if !self.client_id.is_empty() {
            writeln!(f, "client_id  = {}", list(self.client_id.iter().map(String::as_str)))?;
        }
        if !self.is_whole() {
            let name = match provider.map_or(MeantFor::Audience, Provider::meant_for) {
                MeantFor::Audience => "audience ",
                MeantFor::ClientId => "client_id",
            };
            writeln!(f, "{name}  = [] # who the tokens are for: `authorizer check` requires a value")?;
        }
        writeln!(f, "algorithms = {algorithms}")?;
        let url = if self.asks { format!(", url = {}", text(self.jwks_uri.as_str())) } else { String::new() };
        writeln!(f, "jwks       = {{ file = {}{url} }}", text(&file))?;
        if let Some(required) = provider.and_then(Provider::required) {
            writeln!(f, "required   = {required}")?;
        }
        Ok(())
    }
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    Value::Array(values.collect()).to_string()
}

/// The algorithms of the block: those that a policy can name, that the keys are for, and that the metadata names. If
/// neither the metadata nor the key names one, an RSA key is for RS256, as in RFC 9068 section 4: the block must not
/// allow more than somebody asked for.
pub(super) fn algorithms(keys: &[Key], metadata: Option<&[String]>) -> Vec<SignatureAlgorithm> {
    let by_default = |algorithm| {
        matches!(
            algorithm,
            SignatureAlgorithm::Rs256
                | SignatureAlgorithm::Es256
                | SignatureAlgorithm::Es384
                | SignatureAlgorithm::EdDsa
        )
    };
    let fits = |algorithm: &SignatureAlgorithm| {
        keys.iter().filter(|key| key.algorithms().contains(algorithm)).any(|key| match metadata {
            Some(named) => named.iter().any(|name| SignatureAlgorithm::from_name(name) == Some(*algorithm)),
            None => key.algorithm.is_some() || by_default(*algorithm),
        })
    };
    SignatureAlgorithm::ALL.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use authorizer_findings::jwk::Standing;

    use super::*;

    fn key(algorithm: Option<&str>, usable: &[SignatureAlgorithm]) -> Key {
        Key {
            id: None,
            kind: None,
            curve: None,
            bits: None,
            algorithm: algorithm.map(str::to_owned),
            usage: None,
            thumbprint: None,
            standing: Standing::Usable(usable.to_vec()),
        }
    }

    #[test]
    fn an_algorithm_is_named_when_policy_keys_and_metadata_agree() {
        use SignatureAlgorithm::{EdDsa, Es256, Ps256, Rs256, Rs384};
        let rsa = || key(None, &[Rs256, Rs384, Ps256]);
        let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (keys, metadata, expected) in [
            (vec![rsa()], named(&["RS256", "HS256", "none"]), vec![Rs256]),
            (vec![rsa()], named(&["PS256", "RS256"]), vec![Rs256, Ps256]),
            (vec![rsa()], named(&["ES256"]), vec![]),
            (vec![key(Some("EdDSA"), &[EdDsa])], named(&["Ed25519"]), vec![EdDsa]),
            (vec![key(Some("Ed25519"), &[EdDsa])], named(&["EdDSA"]), vec![EdDsa]),
            (vec![rsa()], named(&[]), vec![]),
            (vec![rsa()], None, vec![Rs256]),
            (vec![key(Some("PS256"), &[Ps256])], None, vec![Ps256]),
            (vec![key(Some("ES256"), &[Es256]), rsa()], named(&["RS256", "ES256"]), vec![Rs256, Es256]),
            (vec![key(None, &[EdDsa]), key(None, &[Es256])], None, vec![Es256, EdDsa]),
        ] {
            assert_eq!(algorithms(&keys, metadata.as_deref()), expected, "{keys:?} {metadata:?}");
        }
    }

    #[test]
    fn what_is_written_is_toml_whatever_it_holds() {
        let odd = "a\"b\\c\n\u{1b}'";
        let audience = [odd.to_owned(), "x".to_owned()];
        let address = FetchUrl::parse("https://keys.example.com/jwks").unwrap();
        let block = Block {
            name: "n",
            issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
            audience: &audience,
            client_id: &[],
            algorithms: &[SignatureAlgorithm::Rs256],
            jwks_uri: &address,
            file: Path::new(odd),
            asks: true,
        };
        let text = block.to_string();
        let read: toml_edit::DocumentMut = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
        let issuer = &read["issuers"][0];
        assert_eq!(issuer["audience"][0].as_str(), Some(odd));
        assert_eq!(issuer["jwks"]["file"].as_str(), Some(odd));
        assert_eq!(issuer["jwks"]["url"].as_str(), Some("https://keys.example.com/jwks"));
        assert_eq!(issuer["required"]["token_use"].as_str(), Some("access"));
        assert!(!text.contains('\u{1b}'));
    }
}
