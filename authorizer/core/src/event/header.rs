//! One line of a header.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

/// One header line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct CloudFrontHeader<'e> {
    /// The name in the viewer's own spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'e, str>>,
    /// The value.
    pub value: Cow<'e, str>,
    /// Fields that this version does not know. Apart, because there are none: without them a header is small enough that
    /// the list of the headers is one of the allocations that cost least.
    #[serde(flatten)]
    pub other: Option<Box<Map<String, Value>>>,
}

impl<'e> CloudFrontHeader<'e> {
    /// A header line that this function writes.
    pub fn new(key: impl Into<Cow<'e, str>>, value: impl Into<Cow<'e, str>>) -> Self {
        Self { key: Some(key.into()), value: value.into(), other: None }
    }

    /// The line as owned data.
    pub fn into_owned(self) -> CloudFrontHeader<'static> {
        CloudFrontHeader { key: self.key.map(owned), value: owned(self.value), other: self.other }
    }
}

pub(super) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
