//! The algorithms a policy can name.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A JWS `alg` that can be trusted here. A key of one kind can never verify the other kind.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum JwsAlgorithm {
    /// A signature, verified with a published public key.
    Signature(SignatureAlgorithm),
    /// HMAC with SHA-256 (RFC 7518 section 3.2), with a secret that the issuer shares with this service.
    Hs256,
}

impl JwsAlgorithm {
    /// The `alg` values, in the order of RFC 7518.
    const NAMES: [&str; 11] =
        ["HS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"];

    /// The `alg` value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.name(),
            Self::Hs256 => "HS256",
        }
    }

    /// The algorithm with this `alg` value; the comparison is case-sensitive (RFC 7515 section 4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            _ => SignatureAlgorithm::from_name(name).map(Self::Signature),
        }
    }
}

impl<'de> Deserialize<'de> for JwsAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::unknown_variant(&name, &Self::NAMES))
    }
}

impl Serialize for JwsAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A JWS `alg` of a signature (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// INVARIANT: every member is a public-key signature. `none` and HMAC are not values of this type. So a token cannot
/// request them, and a public key is never used as a secret (RFC 8725 section 2.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519, by its name in RFC 8037 or by the one in RFC 9864.
    #[serde(rename = "EdDSA", alias = "Ed25519")]
    EdDsa,
}

impl SignatureAlgorithm {
    /// All of them, in the order of RFC 7518.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The `alg` value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm with this `alg` value; the comparison is case-sensitive (RFC 7515 section 4.1.1).
    ///
    /// `Ed25519` is `EdDSA` on the one curve that is used here (RFC 9864 section 2.2). So both names mean the same in
    /// a policy, in a key and in a token.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The same, in the types of the library that verifies.
    pub fn jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Ps384 => jsonwebtoken::Algorithm::PS384,
            Self::Ps512 => jsonwebtoken::Algorithm::PS512,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_rfcs_in_every_direction() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
            assert_eq!(format!("{:?}", algorithm.jsonwebtoken()), algorithm.name());
        }
        for name in JwsAlgorithm::NAMES.into_iter().filter(|name| *name != "Ed25519") {
            assert_eq!(JwsAlgorithm::from_name(name).unwrap().name(), name);
            assert_eq!(serde_json::from_value::<JwsAlgorithm>(name.into()).unwrap().name(), name);
        }
        let ed25519 = JwsAlgorithm::Signature(SignatureAlgorithm::EdDsa);
        assert_eq!(JwsAlgorithm::from_name("Ed25519"), Some(ed25519));
        assert_eq!(serde_json::from_value::<JwsAlgorithm>("Ed25519".into()).unwrap(), ed25519);
        assert_eq!(
            serde_json::from_value::<SignatureAlgorithm>("Ed25519".into()).unwrap(),
            SignatureAlgorithm::EdDsa
        );
        assert!(
            serde_json::from_value::<JwsAlgorithm>("none".into())
                .unwrap_err()
                .to_string()
                .contains("`HS256`")
        );
        for name in
            ["none", "None", "HS256", "rs256", "ES512", "RS1", "", "ed25519", "ED25519", "Ed448", "eddsa"]
        {
            assert_eq!(SignatureAlgorithm::from_name(name), None, "{name}");
        }
    }
}
