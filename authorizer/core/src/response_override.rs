//! The response headers that a download may override, instead of those that are stored with the object.

use serde::{Deserialize, Serialize};

/// A query parameter of GetObject and HeadObject
/// ([AWS: overriding response headers](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseOverride {
    /// `response-cache-control`.
    ResponseCacheControl,
    /// `response-content-disposition`.
    ResponseContentDisposition,
    /// `response-content-encoding`.
    ResponseContentEncoding,
    /// `response-content-language`.
    ResponseContentLanguage,
    /// `response-content-type`.
    ResponseContentType,
    /// `response-expires`.
    ResponseExpires,
}

impl ResponseOverride {
    /// All of them, in the order in which they go to S3.
    pub const ALL: [Self; 6] = [
        Self::ResponseCacheControl,
        Self::ResponseContentDisposition,
        Self::ResponseContentEncoding,
        Self::ResponseContentLanguage,
        Self::ResponseContentType,
        Self::ResponseExpires,
    ];

    /// The name of the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResponseCacheControl => "response-cache-control",
            Self::ResponseContentDisposition => "response-content-disposition",
            Self::ResponseContentEncoding => "response-content-encoding",
            Self::ResponseContentLanguage => "response-content-language",
            Self::ResponseContentType => "response-content-type",
            Self::ResponseExpires => "response-expires",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_a_policy_is_the_name_of_the_parameter() {
        for one in ResponseOverride::ALL {
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
    }
}
