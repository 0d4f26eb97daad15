//! The words and fields that a type is read from, asked of the type itself: so that no list of them is kept twice.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The fields of a struct.
#[cfg(test)]
pub(crate) fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    words_of::<T>()
}

/// The words of an enum, as a file writes them.
pub(crate) fn words_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    T::deserialize(Asked).err().map_or(&[], |Names(names)| names)
}

/// Reads nothing: a type says what it expects, and gets an error with that.
struct Asked;

/// What a type expects.
#[derive(Debug)]
struct Names(&'static [&'static str]);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Names {}

impl de::Error for Names {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

impl<'de> Deserializer<'de> for Asked {
    type Error = Names;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
        Err(Names(&[]))
    }

    /// A type that is written by hand names its words when it gets another one.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Names> {
        visitor.visit_str("")
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Names> {
        Err(Names(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Names> {
        Err(Names(words))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::operation::{MethodWord, S3Operation};
    use authorizer_core::policy::document::EffectDocument;
    use authorizer_core::token::JwsAlgorithm;

    #[test]
    fn a_type_says_its_words() {
        assert_eq!(words_of::<EffectDocument>(), ["allow", "deny"]);
        assert_eq!(words_of::<MethodWord>(), MethodWord::ALL.map(MethodWord::as_str));
        assert_eq!(words_of::<S3Operation>(), S3Operation::ALL.map(S3Operation::name));
        assert!(words_of::<JwsAlgorithm>().contains(&"RS256"));
    }
}
