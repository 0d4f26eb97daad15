//! Which headers, cookies or query parameters a cache policy or an origin request policy means.

use serde::Deserialize;

use authorizer_cloudfront::Selection;
use authorizer_cloudfront::view::List;

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
        Selection::of(&written.behavior, written.names.0).map(Self)
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
            assert_eq!((selection.has_header("a"), selection.has_header("b")), (a, b), "{text}");
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
