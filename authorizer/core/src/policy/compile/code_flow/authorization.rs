//! What the policy asks of the authorization endpoint: scopes, and parameters of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::document::{CodeFlowDocument, IssuerDocument};
use super::super::super::problem::{Place, Problems};
use super::endpoints::{OF_AUTHORIZATION, parameters_of};
use crate::fetch_url::FetchUrl;

/// What belongs into the body of a request to the token endpoint, and is a secret there.
const NEVER_IN_AN_ADDRESS: [&str; 4] =
    ["client_secret", "client_assertion", "code_verifier", "id_token_hint"];

pub(super) fn check_scopes(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let place = place.then("scopes");
    let mut seen = BTreeSet::new();
    for (index, scope) in document.scopes.iter().enumerate() {
        // RFC 6749 appendix A.4.
        let is_one =
            !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_one {
            problems.add(
                place.at(index),
                format!("`{}` is not one scope", scope.escape_debug()),
                "write each scope on its own, without spaces and quotes: `scopes = [\"openid\", \"email\"]`",
            );
        } else if !seen.insert(scope.as_str()) {
            problems.add(place.at(index), format!("`{scope}` is listed twice"), "remove one");
        }
    }
    if !document.scopes.iter().any(|scope| scope == "openid") {
        problems.add(
            place,
            "`scopes` does not have `openid`, so the provider does not give an ID token",
            "add `\"openid\"`",
        );
    }
}

/// What the policy adds to the query of the authorization endpoint.
pub(super) fn check_parameters(
    document: &CodeFlowDocument,
    endpoint: Option<&FetchUrl>,
    place: &Place,
    problems: &mut Problems,
) {
    let parameters: &BTreeMap<String, String> = &document.authorization_parameters;
    for (name, value) in parameters {
        let place = || place.then("authorization_parameters").then(name);
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | ':' | '[' | ']');
        if name.is_empty() || !name.chars().all(is_plain) {
            problems.add(
                place(),
                format!("`{}` is not the name of a parameter", name.escape_debug()),
                "use letters, digits, `-`, `_`, `.`, `~`, `:`, `[` and `]`",
            );
        } else if OF_AUTHORIZATION.contains(&name.as_str()) {
            let remedy = match name.as_str() {
                "scope" => "remove it, and name the scopes in `scopes`",
                "client_id" => "remove it: `client_id` of `[sign_in]` is sent",
                "redirect_uri" => "remove it: `origin` and `redirect_path` make it",
                _ => "remove it",
            };
            problems.add(place(), format!("the sign-in sets `{name}` itself"), remedy);
        } else if NEVER_IN_AN_ADDRESS.contains(&name.as_str()) {
            problems.add(
                place(),
                format!("`{name}` does not belong in an address, which histories and logs keep"),
                "remove it; a secret of the client is `client_secret = { file = \"...\" }`",
            );
        } else if endpoint.is_some_and(|url| parameters_of(url).any(|other| other == name)) {
            problems.add(
                place(),
                format!("the query of `authorization_endpoint` has `{name}` already"),
                "remove it here or there: no parameter may come twice",
            );
        } else if value.is_empty() || value.chars().any(char::is_control) {
            problems.add(
                place(),
                format!("the value of `{name}` is empty, or has control characters"),
                "write the value that the provider asks for, or remove the parameter",
            );
        } else if name == "prompt" && value.split(' ').any(|word| word == "none") {
            problems.add(
                place(),
                "with `prompt` = `none` the provider does not show a page, so nobody can sign in",
                "remove it, or write `login`, `consent` or `select_account`",
            );
        }
    }
}

/// What the policy asks for how people sign in. The question goes through the browser, so it only counts if the answer is
/// checked.
pub(super) fn check_enforced(
    document: &CodeFlowDocument,
    endpoint: Option<&FetchUrl>,
    issuer: Option<&IssuerDocument>,
    place: &Place,
    problems: &mut Problems,
) {
    let in_address = |name: &str| endpoint.is_some_and(|url| parameters_of(url).any(|other| other == name));
    let of = |name: &str| place.then("authorization_parameters").then(name);
    let max_age = document.authorization_parameters.get("max_age");
    if max_age
        .is_some_and(|age| !age.bytes().all(|byte| byte.is_ascii_digit()) || age.parse::<u32>().is_err())
    {
        problems.add(
            of("max_age"),
            "`max_age` is not a number of seconds",
            "write digits, such as `\"3600\"`",
        );
    }
    if in_address("max_age") {
        problems.add(
            place.then("authorization_endpoint"),
            "`max_age` in the query of this address is not checked in the answer",
            "write it in `authorization_parameters`, where it is",
        );
    }
    let asks_acr = document.authorization_parameters.contains_key("acr_values");
    if (asks_acr || in_address("acr_values"))
        && issuer.is_some_and(|issuer| !issuer.required.contains_key("acr"))
    {
        let place = if asks_acr { of("acr_values") } else { place.then("authorization_endpoint") };
        problems.add(
            place,
            "`acr_values` is only a wish, which a person can take out of the address, and no token is checked for it",
            "add `required = { acr = \"...\" }` to the issuer, or remove it",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{assert_problems, problems};

    #[test]
    fn every_problem_of_what_is_asked_is_found_at_its_place() {
        assert_problems(&[
            ("scopes", json!(["openid", "files.read"]), None),
            ("scopes", json!(["files"]), Some("sign_in.scopes")),
            ("scopes", json!([]), Some("sign_in.scopes")),
            ("scopes", json!(["openid", "openid"]), Some("sign_in.scopes[1]")),
            ("scopes", json!(["openid", "a b"]), Some("sign_in.scopes[1]")),
            ("scopes", json!(["openid", ""]), Some("sign_in.scopes[1]")),
            ("authorization_parameters", json!({"audience": "files-api", "ui_locales": "de"}), None),
            (
                "authorization_parameters",
                json!({"state": "a"}),
                Some("sign_in.authorization_parameters.state"),
            ),
            (
                "authorization_parameters",
                json!({"request": "a"}),
                Some("sign_in.authorization_parameters.request"),
            ),
            (
                "authorization_parameters",
                json!({"tenant": "b"}),
                Some("sign_in.authorization_parameters.tenant"),
            ),
            ("authorization_parameters", json!({"max_age": "3600"}), None),
            (
                "authorization_parameters",
                json!({"max_age": "1h"}),
                Some("sign_in.authorization_parameters.max_age"),
            ),
            (
                "authorization_parameters",
                json!({"max_age": "+1"}),
                Some("sign_in.authorization_parameters.max_age"),
            ),
            (
                "authorization_parameters",
                json!({"acr_values": "urn:mfa"}),
                Some("sign_in.authorization_parameters.acr_values"),
            ),
            (
                "authorization_endpoint",
                json!("https://login.example.com/a?acr_values=x"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://login.example.com/a?max_age=1"),
                Some("sign_in.authorization_endpoint"),
            ),
            ("authorization_parameters", json!({"a b": "c"}), Some("sign_in.authorization_parameters.a b")),
            ("authorization_parameters", json!({"a": ""}), Some("sign_in.authorization_parameters.a")),
            (
                "authorization_parameters",
                json!({"client_secret": "a"}),
                Some("sign_in.authorization_parameters.client_secret"),
            ),
            (
                "authorization_parameters",
                json!({"prompt": "none"}),
                Some("sign_in.authorization_parameters.prompt"),
            ),
            ("authorization_parameters", json!({"prompt": "select_account"}), None),
        ]);
    }

    #[test]
    fn what_is_asked_of_the_sign_in_is_checked_in_the_token() {
        let asked = ("/sign_in/authorization_parameters", json!({"acr_values": "urn:mfa"}));
        let checked = ("/issuers/0/required", json!({"acr": "urn:mfa"}));
        assert_eq!(problems(&[asked, checked]), Vec::<String>::new());
    }
}
