//! What of a recorded request may be shown. A token may be in many places, and a policy that changes may make them
//! others, so only what cannot have one is shown: everything else is a name without its value.

use authorizer_core::credential::CredentialPlaces;
use authorizer_core::event::{CloudFrontHeaders, CloudFrontRequest};
use serde_json::{Map, Value};

use crate::harmless::{is_harmless_header, is_harmless_parameter, is_token, runs};

/// What stands in the place of a value that is not shown.
const HIDDEN: &str = "hidden";

/// What stands in the place of a token.
const TOKEN: &str = "[token]";

/// The shortest value that is looked for in other places. Shorter ones are no tokens.
const SHORTEST: usize = 12;

/// The most values of one request that are looked for in other places. A usual request has a few.
const MOST_SECRETS: usize = 64;

/// The members of a decision whose texts are the authorizer's own. A viewer who sends the same text elsewhere must not
/// change what is said about the request.
const OWN: [&str; 9] =
    ["bundle_sha256", "decision", "effect", "id", "issuer", "operation", "reason", "rule", "token_in"];

/// The longest name of a query parameter or a cookie that is shown.
const LONGEST_NAME: usize = 40;

/// A request without the values that may be secret.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownRequest {
    /// The path.
    pub(super) path: String,
    /// The query, with the parameters whose values are shown.
    pub(super) query: String,
    /// The headers whose values are shown.
    pub(super) headers: Vec<(String, String)>,
    /// The names of what is not shown.
    pub(super) hidden: Vec<String>,
    /// Whether the path and the query are as they were sent, but for the parameters that are not shown.
    pub(super) is_same_target: bool,
    /// The values that are not shown, the longest first.
    secrets: Vec<String>,
    /// There are too many of them to look for each: no long text of the viewer is shown.
    has_too_many: bool,
}

impl ShownRequest {
    /// What of a request may be shown.
    pub(super) fn of(request: &CloudFrontRequest<'_>, places: &CredentialPlaces) -> Self {
        let mut shown = Self::default();
        let mut query = Vec::new();
        for pair in request.querystring.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if is_harmless_parameter(name) && places.query.as_deref() != Some(name) {
                query.push(pair.to_owned());
            } else {
                shown.hide(format!("parameter {}", short(name)), value);
                shown.secrets.extend(unescaped(value));
            }
        }
        let lines = request.headers.iter().flat_map(|(name, lines)| {
            lines.as_slice().iter().map(move |line| (name.as_ref(), line.value.as_ref()))
        });
        for (name, value) in lines {
            let is_of_policy = places.header.as_ref().is_some_and(|header| header.name() == name);
            if is_harmless_header(name) && !is_of_policy {
                shown.headers.push((name.to_owned(), value.to_owned()));
                continue;
            }
            shown.hide(format!("header {name}"), value);
            let parts = value.split([' ', ';', ',', '=']).map(|part| part.trim().to_owned());
            shown.secrets.extend(parts.filter(|part| part.len() >= SHORTEST));
        }
        shown.secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        shown.secrets.dedup();
        shown.has_too_many = shown.secrets.len() > MOST_SECRETS;
        let query = query.join("&");
        shown.query = shown.scrub(&query);
        shown.path = shown.scrub(&request.uri);
        shown.is_same_target = shown.query == query && shown.path == request.uri;
        if !shown.is_same_target {
            shown.hidden.push("a part of the path or the query".to_owned());
        }
        shown.headers =
            shown.headers.iter().map(|(name, value)| (name.clone(), shown.scrub(value))).collect();
        shown
    }

    fn hide(&mut self, name: String, value: &str) {
        let name = scrub(&name);
        if !self.hidden.contains(&name) {
            self.hidden.push(name);
        }
        if value.len() >= SHORTEST {
            self.secrets.push(value.to_owned());
        }
    }

    /// The headers that are shown as they were sent.
    pub(super) fn whole_headers(&self) -> impl Iterator<Item = &(String, String)> {
        self.headers.iter().filter(|(_, value)| !value.contains(TOKEN) && value != HIDDEN)
    }

    /// A text of the viewer without tokens, and without what this request hides.
    pub(super) fn scrub(&self, text: &str) -> String {
        if self.has_too_many && text.len() >= SHORTEST {
            return HIDDEN.to_owned();
        }
        let text =
            self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), TOKEN));
        scrub(&text)
    }

    /// The same for every text of a decision, but for the authorizer's own.
    pub(super) fn scrub_decision(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.scrub(text).into(),
            Value::Array(all) => all.iter().map(|one| self.scrub_decision(one)).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, one)| {
                    let is_own = OWN.contains(&name.as_str());
                    (scrub(name), if is_own { scrub_all(one) } else { self.scrub_decision(one) })
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

/// Headers of an answer, or of a request that goes to the bucket, as they may be shown.
pub(super) fn headers<'h>(lines: impl Iterator<Item = (&'h str, &'h str)>) -> Vec<(String, String)> {
    lines
        .map(|(name, value)| match name.to_ascii_lowercase().as_str() {
            // A page to sign in. Its query has the state of the way back.
            "location" => (name.to_owned(), scrub(value.split(['?', '#']).next().unwrap_or_default())),
            lower if is_harmless_header(lower) => (name.to_owned(), scrub(value)),
            _ => (name.to_owned(), HIDDEN.to_owned()),
        })
        .collect()
}

/// The same for headers as CloudFront has them.
pub(super) fn cloudfront_headers(all: &CloudFrontHeaders<'_>) -> Vec<(String, String)> {
    headers(all.iter().flat_map(|(name, lines)| {
        lines.as_slice().iter().map(move |line| (name.as_ref(), line.value.as_ref()))
    }))
}

/// A text without anything that has the form of a token.
pub(super) fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for run in runs(text) {
        clean.push_str(if is_token(run) { TOKEN } else { run });
    }
    clean
}

/// The same for every text of a value.
pub(super) fn scrub_all(value: &Value) -> Value {
    walk(value, &scrub)
}

fn walk(value: &Value, clean: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => clean(text).into(),
        Value::Array(all) => all.iter().map(|one| walk(one, clean)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, one)| (clean(name), walk(one, clean)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn short(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some(_) => "(long name)".to_owned(),
        None => name.to_owned(),
    }
}

fn unescaped(value: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    (text.len() >= SHORTEST && text != value).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::event::ViewerRequestEvent;
    use serde_json::json;

    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

    #[test]
    fn what_has_the_form_of_a_token_is_not_shown() {
        for (text, clean) in [
            (JWT.to_owned(), "[token]".to_owned()),
            (format!("a {JWT} b"), "a [token] b".into()),
            (format!("/users/{JWT}/x.txt"), "/users/[token]/x.txt".into()),
            ("eyJhbGciOiJFZERTQSJ9".into(), "[token]".into()),
            (format!("é{JWT}é"), "é[token]é".into()),
            ("d111111abcdef8.cloudfront.net".into(), "d111111abcdef8.cloudfront.net".into()),
            ("users/alice/a.b.c <img onerror=x>".into(), "users/alice/a.b.c <img onerror=x>".into()),
            (String::new(), String::new()),
        ] {
            assert_eq!(scrub(&text), clean, "{text}");
        }
        assert_eq!(scrub_all(&json!({JWT: [JWT, 1]})), json!({"[token]": ["[token]", 1]}));
    }

    #[test]
    fn a_token_is_shown_in_no_place_of_a_request() {
        // Not a JWT, so that only its place can say what it is.
        let token = "opaque-token-0123456789";
        let line = |name: &str, value: String| json!([{"key": name, "value": value}]);
        let event = json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d.example", "distributionId": "E", "eventType": "viewer-request", "requestId": "r"},
            "request": {
                "clientIp": "127.0.0.1", "method": "GET", "uri": format!("/a/{token}"),
                "querystring": format!("prefix=a%2F&access_token={token}&{}=1", "n".repeat(60)),
                "headers": {
                    "authorization": line("Authorization", format!("Bearer {token}")),
                    "cookie": line("Cookie", format!("a=b; token={token}")),
                    "x-token": line("X-Token", token.to_owned()),
                    "referer": line("Referer", format!("https://a.example/?t={token}")),
                    "user-agent": line("User-Agent", format!("curl {token} {JWT}")),
                    "x-amz-security-token": line("x-amz-security-token", token.to_owned()),
                    "content-type": line("Content-Type", "<img src=x onerror=alert(1)>".to_owned()),
                }
            }
        }}]})
        .to_string();
        let event = ViewerRequestEvent::parse(event.as_bytes()).unwrap();
        let shown = ShownRequest::of(&event.request, &CredentialPlaces::default());
        let text = format!("{:?} {:?} {:?} {:?}", shown.path, shown.query, shown.headers, shown.hidden);
        assert!(!text.contains("0123456789") && !text.contains("eyJ"), "{text}");
        assert_eq!(shown.query, "prefix=a%2F");
        assert_eq!(shown.path, "/a/[token]");
        assert!(!shown.is_same_target);
        assert_eq!(
            shown.whole_headers().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["content-type"]
        );
        assert_eq!(
            shown.headers,
            [
                ("content-type".to_owned(), "<img src=x onerror=alert(1)>".to_owned()),
                ("user-agent".to_owned(), "curl [token] [token]".to_owned())
            ]
        );
        assert_eq!(
            shown.hidden,
            [
                "parameter access_token",
                "parameter (long name)",
                "header authorization",
                "header cookie",
                "header referer",
                "header x-amz-security-token",
                "header x-token",
                "a part of the path or the query"
            ]
        );
    }

    fn shown_with(headers: &[(String, String)]) -> ShownRequest {
        let lines =
            |(name, value): &(String, String)| (name.to_lowercase(), json!([{"key": name, "value": value}]));
        let headers: Map<String, Value> = headers.iter().map(lines).collect();
        let event = json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d.example", "distributionId": "E", "eventType": "viewer-request", "requestId": "r"},
            "request": {"clientIp": "127.0.0.1", "method": "GET", "uri": "/users/alice/plans.txt", "querystring": "", "headers": headers},
        }}]})
        .to_string();
        let event = ViewerRequestEvent::parse(event.as_bytes()).unwrap();
        ShownRequest::of(&event.request, &CredentialPlaces::default())
    }

    #[test]
    fn a_viewer_cannot_change_what_is_said_of_the_decision() {
        let note = "key_not_allowed bundle_sha256 nobody-deletes-records users/alice/plans.txt";
        let shown = shown_with(&[("X-Note".to_owned(), note.to_owned())]);
        let decision = json!({
            "record": {"reason": "key_not_allowed", "rule": "nobody-deletes-records", "bundle_sha256": "a", "key": "users/alice/plans.txt"},
            "rules": [{"id": "nobody-deletes-records", "effect": "deny"}],
        });
        let mut as_shown = decision.clone();
        as_shown["record"]["key"] = TOKEN.into();
        assert_eq!(shown.scrub_decision(&decision), as_shown);
        assert_eq!(shown.path, "/[token]");
    }

    #[test]
    fn of_a_request_with_too_many_hidden_values_no_long_text_is_shown() {
        let parts =
            |count: usize| (0..count).map(|number| format!("a-long-value-{number:04}")).collect::<Vec<_>>();
        let few = shown_with(&[("X-Note".to_owned(), parts(60).join(" "))]);
        assert_eq!((few.path.as_str(), few.is_same_target), ("/users/alice/plans.txt", true));
        let many = shown_with(&[("X-Note".to_owned(), parts(1_500).join(" "))]);
        assert_eq!((many.path.as_str(), many.is_same_target), (HIDDEN, false));
        assert_eq!(many.scrub("a-long-value-1499"), HIDDEN);
    }

    #[test]
    fn nothing_of_a_sign_in_is_shown_but_names() {
        let line = |name: &str, value: String| json!([{"key": name, "value": value}]);
        let secrets = ["SplxlOBeZQQYbYS6WxSbIA", "af0ifjsldkjaf0ifjsldkj", "c2VhbGVkLXZhbHVlLW9mLWEtZmxvdw"];
        let [code, state, sealed] = secrets;
        let event = json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d.example", "distributionId": "E", "eventType": "viewer-request", "requestId": "r"},
            "request": {
                "clientIp": "127.0.0.1", "method": "GET", "uri": "/.auth/callback",
                "querystring": format!("code={code}&state={state}&iss=https%3A%2F%2Flogin.example.com%2F"),
                "headers": {
                    "cookie": line("Cookie", format!("__Host-authorizer-flow-0a1b2c3d={sealed}; __Host-session-sealed={sealed}")),
                    "referer": line("Referer", format!("https://login.example.com/?state={state}")),
                    "accept": line("Accept", "text/html".to_owned()),
                }
            }
        }}]})
        .to_string();
        let event = ViewerRequestEvent::parse(event.as_bytes()).unwrap();
        let shown = ShownRequest::of(&event.request, &CredentialPlaces::default());
        let text = format!("{:?} {:?} {:?} {:?}", shown.path, shown.query, shown.headers, shown.hidden);
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        assert_eq!((shown.path.as_str(), shown.query.as_str()), ("/.auth/callback", ""));
        assert!(
            ["parameter code", "parameter state", "header cookie"].iter().all(|name| text.contains(name)),
            "{text}"
        );
        let location = format!("https://login.example.com/logout?id_token_hint={JWT}&state={state}");
        let answer = [("Location", location.as_str()), ("Set-Cookie", sealed)];
        let text = format!("{:?}", headers(answer.into_iter()));
        assert!(!text.contains("eyJ") && secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }

    #[test]
    fn cookies_and_the_way_back_from_a_sign_in_are_not_shown() {
        let lines = [
            ("Location", "https://login.example.com/authorize?state=abc#x"),
            ("Set-Cookie", "state=abc"),
            ("ETag", "\"1\""),
        ];
        let shown = headers(lines.into_iter());
        let shown: Vec<_> = shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("Location", "https://login.example.com/authorize"),
                ("Set-Cookie", "hidden"),
                ("ETag", "\"1\"")
            ]
        );
    }
}
