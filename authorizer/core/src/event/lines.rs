//! The lines of one header.

use std::fmt;
use std::ops::Deref;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::header::CloudFrontHeader;

/// The lines of one header, as a slice. Nearly always there is one line, and then no list is allocated.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct HeaderLines<'e>(
    #[cfg_attr(feature = "tools", schemars(with = "Vec<CloudFrontHeader<'e>>"))] Lines<'e>,
);

#[derive(Clone, Debug, Default)]
enum Lines<'e> {
    #[default]
    None,
    One([CloudFrontHeader<'e>; 1]),
    Many(Vec<CloudFrontHeader<'e>>),
}

impl<'e> HeaderLines<'e> {
    /// Adds a line after the others.
    pub fn push(&mut self, line: CloudFrontHeader<'e>) {
        match &mut self.0 {
            Lines::None => self.0 = Lines::One([line]),
            Lines::One(_) => {
                if let Lines::One([first]) = std::mem::take(&mut self.0) {
                    self.0 = Lines::Many(vec![first, line]);
                }
            }
            Lines::Many(lines) => lines.push(line),
        }
    }

    /// The lines.
    pub fn as_slice(&self) -> &[CloudFrontHeader<'e>] {
        match &self.0 {
            Lines::None => &[],
            Lines::One(line) => line,
            Lines::Many(lines) => lines,
        }
    }

    /// The same lines as owned data.
    pub fn into_owned(self) -> HeaderLines<'static> {
        HeaderLines(match self.0 {
            Lines::None => Lines::None,
            Lines::One([line]) => Lines::One([line.into_owned()]),
            Lines::Many(lines) => Lines::Many(lines.into_iter().map(CloudFrontHeader::into_owned).collect()),
        })
    }
}

impl<'e> Deref for HeaderLines<'e> {
    type Target = [CloudFrontHeader<'e>];

    fn deref(&self) -> &Self::Target {
        self.as_slice()
    }
}

impl<'e> From<CloudFrontHeader<'e>> for HeaderLines<'e> {
    fn from(line: CloudFrontHeader<'e>) -> Self {
        Self(Lines::One([line]))
    }
}

impl<'e> FromIterator<CloudFrontHeader<'e>> for HeaderLines<'e> {
    fn from_iter<I: IntoIterator<Item = CloudFrontHeader<'e>>>(lines: I) -> Self {
        let mut all = Self::default();
        lines.into_iter().for_each(|line| all.push(line));
        all
    }
}

impl PartialEq for HeaderLines<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for HeaderLines<'_> {}

impl Serialize for HeaderLines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for HeaderLines<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinesVisitor;

        impl<'de> Visitor<'de> for LinesVisitor {
            type Value = HeaderLines<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the lines of a header")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut lines = HeaderLines::default();
                while let Some(line) = sequence.next_element()? {
                    lines.push(line);
                }
                Ok(lines)
            }
        }

        deserializer.deserialize_seq(LinesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn lines_are_those_that_were_written_however_many() {
        let line = |n: usize| json!({"key": "Via", "value": n.to_string()});
        for count in 0..5 {
            let written = Value::Array((0..count).map(line).collect()).to_string();
            let lines: HeaderLines<'_> = serde_json::from_str(&written).unwrap();
            assert_eq!(lines.len(), count);
            assert!(lines.iter().enumerate().all(|(n, line)| line.value == n.to_string()));
            assert_eq!(serde_json::to_string(&lines).unwrap(), written);
            assert_eq!(lines.clone().into_owned(), lines);
            assert_eq!(lines.iter().cloned().collect::<HeaderLines<'_>>(), lines);
        }
        for written in ["{}", "null", "[1]", "[{}]", "\"a\""] {
            assert!(serde_json::from_str::<HeaderLines<'_>>(written).is_err(), "{written}");
        }
    }
}
