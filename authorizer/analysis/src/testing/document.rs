//! The tests of a policy as a person writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use authorizer_core::operation::S3Operation;
use authorizer_core::policy::document::SizeDocument;
use authorizer_core::record::Verdict;
use serde::de::value::StrDeserializer;
use serde::de::{MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The only version of the format so far.
pub const TESTS_VERSION: u32 = 1;

/// A file of tests.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TestsDocument {
    /// [`TESTS_VERSION`].
    pub version: u32,
    /// The values for every test that does not set its own.
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
    /// Claims. The claims of a test replace them one by one.
    pub claims: Map<String, Value>,
    /// The request does not have a token.
    pub anonymous: bool,
    /// Headers. The headers of a test replace them one by one.
    pub headers: BTreeMap<String, OneOrMany<String>>,
    /// The host of the request.
    pub host: Option<String>,
    /// The viewer's address.
    pub source_ip: Option<String>,
    /// The instant of the decision.
    pub now: Option<InstantDocument>,
}

/// `[[tests]]`: one request, or one for each method and key, and the expected result.
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
    /// The request does not have a token.
    #[serde(default)]
    pub anonymous: bool,
    /// HTTP methods.
    pub method: Option<OneOrMany<String>>,
    /// Operations, instead of methods.
    pub operation: Option<OneOrMany<S3Operation>>,
    /// Object keys.
    pub key: Option<OneOrMany<String>>,
    /// Paths as a viewer sends them, instead of keys.
    pub path: Option<OneOrMany<String>>,
    /// Prefixes of listings, instead of keys.
    pub prefix: Option<OneOrMany<String>>,
    /// The query string as a viewer sends it.
    #[serde(default)]
    pub query: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, OneOrMany<String>>,
    /// The facts about an upload.
    #[serde(default)]
    pub upload: UploadFactsDocument,
    /// The host of the request, as its `Host` header says it.
    pub host: Option<String>,
    /// The viewer's address.
    pub source_ip: Option<String>,
    /// The instant of the decision.
    pub now: Option<InstantDocument>,
    /// The expected decision: `allow`, `refuse`, `preflight` or `sign_in`.
    pub expect: Verdict,
    /// The rule that must decide.
    pub rule: Option<String>,
    /// The expected word of the decision log.
    pub reason: Option<String>,
    /// The expected status of the answer.
    pub status: Option<u16>,
}

/// `upload`: the facts about an upload.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct UploadFactsDocument {
    /// The length, as `max_bytes` of a policy is written.
    pub bytes: Option<SizeDocument>,
    /// The media type.
    pub content_type: Option<String>,
    /// The metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// An instant: a number of seconds since 1970, or the text of a time. A date and time of TOML is the text of it.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantDocument(pub String);

/// Written by hand, because a reader of TOML shows a date as a table of one member.
impl<'de> Deserialize<'de> for InstantDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Instant;

        impl<'de> Visitor<'de> for Instant {
            type Value = InstantDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time, such as \"2026-12-31T23:59:59Z\", or seconds since 1970")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(InstantDocument(text.to_owned()))
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Self::Value, E> {
                Ok(InstantDocument(seconds.to_string()))
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Self::Value, E> {
                Ok(InstantDocument(seconds.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                match members.next_entry::<String, String>()? {
                    Some((name, text)) if name.starts_with("$__toml") => Ok(InstantDocument(text)),
                    Some(_) | None => Err(serde::de::Error::invalid_type(Unexpected::Map, &self)),
                }
            }
        }

        deserializer.deserialize_any(Instant)
    }
}

/// One value, written without an array, or many in an array.
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

/// Written by hand, because the messages of an untagged enum do not say what is wrong.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an array of strings")
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
