//! The tests of a policy as a person writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use authorizer_core::operation::S3Operation;
use authorizer_core::record::Verdict;
use serde::de::value::StrDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The one version of the format so far.
pub const TESTS_VERSION: u32 = 1;

/// A file of tests.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TestsDocument {
    /// [`TESTS_VERSION`].
    pub version: u32,
    /// What holds of every test that does not say otherwise.
    #[serde(default)]
    pub defaults: DefaultsDocument,
    /// The tests.
    #[serde(default)]
    pub tests: Vec<TestDocument>,
}

/// `[defaults]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultsDocument {
    /// The policy's name for the issuer of the token.
    pub issuer: Option<String>,
    /// `typ` of the token's header.
    pub token_type: Option<String>,
    /// Claims; those of a test go before them, one by one.
    pub claims: Map<String, Value>,
    /// Requests come without a token.
    pub anonymous: bool,
    /// Headers; those of a test go before them, one by one.
    pub headers: BTreeMap<String, OneOrMany<String>>,
    /// The viewer's address.
    pub source_ip: Option<String>,
    /// The instant of the decision.
    pub now: Option<String>,
}

/// `[[tests]]`: one request, or one for each method and key, and what must come of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TestDocument {
    /// The sentence that the test proves, unique in the file.
    pub name: String,
    /// The policy's name for the issuer of the token.
    pub issuer: Option<String>,
    /// `typ` of the token's header.
    pub token_type: Option<String>,
    /// Claims of the token.
    pub claims: Option<Map<String, Value>>,
    /// The request comes without a token.
    #[serde(default)]
    pub anonymous: bool,
    /// HTTP methods.
    pub method: Option<OneOrMany<String>>,
    /// Operations, in place of methods.
    pub operation: Option<OneOrMany<S3Operation>>,
    /// Object keys.
    pub key: Option<OneOrMany<String>>,
    /// Paths as a viewer sends them, in place of keys.
    pub path: Option<OneOrMany<String>>,
    /// Prefixes of listings, in place of keys.
    pub prefix: Option<OneOrMany<String>>,
    /// The query string as a viewer sends it.
    #[serde(default)]
    pub query: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, OneOrMany<String>>,
    /// What is uploaded.
    #[serde(default)]
    pub upload: UploadFactsDocument,
    /// The viewer's address.
    pub source_ip: Option<String>,
    /// The instant of the decision.
    pub now: Option<String>,
    /// What must be decided: `allow`, `refuse` or `preflight`.
    pub expect: Verdict,
    /// The rule that must decide.
    pub rule: Option<String>,
    /// The word that the decision log must have.
    pub reason: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
}

/// `upload`: what is uploaded.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct UploadFactsDocument {
    /// The length.
    pub bytes: Option<u64>,
    /// The media type.
    pub content_type: Option<String>,
    /// The metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// One, written by itself, or many in an array.
#[derive(Clone, Debug, PartialEq)]
pub enum OneOrMany<T> {
    /// `"a"`.
    One(T),
    /// `["a", "b"]`.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// By hand, since the messages of an untagged enum say nothing of what was wrong.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an array of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(StrDeserializer::new(text)).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = array.next_element()? {
                    many.push(one);
                }
                Ok(OneOrMany::Many(many))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}
