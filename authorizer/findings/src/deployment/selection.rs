//! Which headers, cookies or query parameters a cache policy or an origin request policy means.

use serde::Deserialize;

use authorizer_cloudfront::view::List;

/// Names that a CloudFront policy selects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Selection {
    Nothing,
    These(Vec<String>),
    AllBut(Vec<String>),
    All,
}

/// As the AWS CLI writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Chosen(pub(super) Selection);

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object that says which headers, cookies or query parameters")]
struct Written {
    #[serde(alias = "HeaderBehavior", alias = "CookieBehavior", alias = "QueryStringBehavior")]
    behavior: String,
    #[serde(default, alias = "Headers", alias = "Cookies", alias = "QueryStrings")]
    names: List<String>,
}

impl TryFrom<Written> for Chosen {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let names = written.names.0;
        Ok(Self(match written.behavior.as_str() {
            "none" => Selection::Nothing,
            "whitelist" => Selection::These(names),
            "allExcept" => Selection::AllBut(names),
            // The second adds headers of CloudFront's own.
            "all" | "allViewer" | "allViewerAndWhitelistCloudFront" => Selection::All,
            other => return Err(format!("`{}` is not a known behavior", other.escape_debug())),
        }))
    }
}

impl Selection {
    /// Whether a name is selected. Header names do not have a case (RFC 9110 section 5.1); no two parameters or
    /// cookies that matter here differ by it.
    pub(super) fn has(&self, name: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        match self {
            Self::Nothing => false,
            Self::These(names) => listed(names),
            Self::AllBut(names) => !listed(names),
            Self::All => true,
        }
    }

    /// Whether any name is selected.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::These(names) => names.is_empty(),
            Self::AllBut(_) | Self::All => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_choose_means_what_cloudfront_says_and_any_other_is_not_judged() {
        let read = |text: &str| serde_json::from_str::<Chosen>(text).map(|written| written.0);
        for (text, a, b) in [
            (r#"{"HeaderBehavior": "none"}"#, false, false),
            (r#"{"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["A"]}}"#, true, false),
            (
                r#"{"QueryStringBehavior": "allExcept", "QueryStrings": {"Quantity": 1, "Items": ["a"]}}"#,
                false,
                true,
            ),
            (r#"{"CookieBehavior": "all", "Cookies": {"Quantity": 0}}"#, true, true),
            (r#"{"HeaderBehavior": "allViewer"}"#, true, true),
        ] {
            let selection = read(text).unwrap();
            assert_eq!((selection.has("a"), selection.has("b")), (a, b), "{text}");
        }
        for text in [
            r#"{"HeaderBehavior": "most"}"#,
            "{}",
            r#"{"HeaderBehavior": "none", "Headers": {"Quantity": 1}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
