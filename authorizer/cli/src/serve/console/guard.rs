//! Who may use the console: the person who has the address that `serve` printed, in a page of the console itself.
//!
//! Any page that the person's browser shows can send requests to this machine, and a name of another site can come to
//! mean this machine (DNS rebinding). So each request needs the secret of this start, a `Host` that is the console's
//! own, and no sign of another origin.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AsHeaderName, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method, Uri};

/// The header with the secret. A page of another origin cannot send it: its browser would ask first (CORS), and gets no
/// permission.
pub(super) const SECRET_HEADER: &str = "x-console-secret";

/// What requests must show.
pub(super) struct Guard {
    secret: String,
    hosts: [String; 3],
}

/// What a request may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admitted {
    /// The page itself.
    Page,
    /// What the page asks for.
    Api,
}

impl Guard {
    /// A guard for a port, with a new secret of 256 bits.
    pub(super) fn new(port: u16) -> Result<Self, Unspecified> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(Self::with_secret(port, URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn with_secret(port: u16, secret: String) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
        Self { secret, hosts }
    }

    /// The address of the page. Whoever has it may use the console.
    pub(super) fn url(&self) -> String {
        let [host, ..] = &self.hosts;
        format!("http://{host}/{}", self.secret)
    }

    /// A command that a person at this machine can give the console: a POST with this JSON.
    pub(super) fn command(&self, api: &str, json: &str) -> String {
        let [host, ..] = &self.hosts;
        format!(
            "curl http://{host}/api/{api} -H '{SECRET_HEADER}: {}' -H 'origin: http://{host}' \
             -H 'content-type: application/json' -d '{json}'",
            self.secret
        )
    }

    /// What this request may have. `None`: nothing, and it is not told why.
    pub(super) fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Admitted> {
        // A target with a host of its own is for proxies.
        if uri.authority().is_some() {
            return None;
        }
        let host = the_one(headers, HOST)?;
        if !self.hosts.iter().any(|own| own == host) {
            return None;
        }
        let is_read = match *method {
            Method::GET => true,
            Method::POST => false,
            _ => return None,
        };
        // Browsers send it with every POST, and with a GET of another origin that wants to read the answer.
        let is_from_here = match headers.contains_key(ORIGIN) {
            true => the_one(headers, ORIGIN)?.strip_prefix("http://") == Some(host),
            false => is_read,
        };
        if !is_from_here {
            return None;
        }
        match headers.contains_key(SECRET_HEADER) {
            true => {
                let is_same = is_absent_or(headers, "sec-fetch-site", "same-origin");
                let is_json = is_read || the_one(headers, CONTENT_TYPE) == Some("application/json");
                let has_secret = self.is_secret(the_one(headers, SECRET_HEADER)?);
                (is_same && is_json && has_secret && uri.path().starts_with("/api/")).then_some(Admitted::Api)
            }
            // The page is a document of its own, and never part of another one.
            false => {
                let is_document = is_absent_or(headers, "sec-fetch-dest", "document");
                let is_page =
                    is_read && uri.query().is_none() && self.is_secret(uri.path().strip_prefix('/')?);
                (is_document && is_page).then_some(Admitted::Page)
            }
        }
    }

    fn is_secret(&self, given: &str) -> bool {
        verify_slices_are_equal(given.as_bytes(), self.secret.as_bytes()).is_ok()
    }
}

/// The value of a header that was sent exactly once.
fn the_one(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn is_absent_or(headers: &HeaderMap, name: &str, value: &str) -> bool {
    !headers.contains_key(name) || the_one(headers, name) == Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const SECRET: &str = "the-secret-of-this-start";

    fn admitted(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<Admitted> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        let guard = Guard::with_secret(8081, SECRET.to_owned());
        guard.admit(&method.parse().unwrap(), &uri.parse().unwrap(), &map)
    }

    const OWN: (&str, &str) = ("host", "127.0.0.1:8081");
    const WITH: (&str, &str) = (SECRET_HEADER, SECRET);
    const JSON: (&str, &str) = ("content-type", "application/json");
    const HERE: (&str, &str) = ("origin", "http://127.0.0.1:8081");

    #[test]
    fn the_address_of_each_start_has_a_secret_of_its_own() {
        let [one, two] = [(); 2].map(|()| Guard::new(1).unwrap().url());
        assert_ne!(one, two);
        assert_eq!(one.len(), "http://127.0.0.1:1/".len() + 43);
    }

    #[test]
    fn the_page_is_for_whoever_has_its_address() {
        let page = "/the-secret-of-this-start";
        for host in ["127.0.0.1:8081", "localhost:8081", "[::1]:8081"] {
            assert_eq!(admitted("GET", page, &[("host", host)]), Some(Admitted::Page), "{host}");
        }
        assert_eq!(admitted("GET", page, &[OWN, ("sec-fetch-dest", "document")]), Some(Admitted::Page));
        for (method, uri, headers) in [
            ("GET", "/", vec![OWN]),
            ("GET", "/the-secret-of-this-star", vec![OWN]),
            ("GET", "/the-secret-of-this-start/", vec![OWN]),
            ("GET", "/the-secret-of-this-start?x", vec![OWN]),
            ("GET", "http://127.0.0.1:8081/the-secret-of-this-start", vec![OWN]),
            ("GET", page, vec![]),
            ("GET", page, vec![OWN, OWN]),
            ("GET", page, vec![("host", "127.0.0.1")]),
            ("GET", page, vec![("host", "127.0.0.1:8082")]),
            ("GET", page, vec![("host", "rebound.example:8081")]),
            ("GET", page, vec![("host", "localhost.:8081")]),
            ("GET", page, vec![OWN, ("origin", "http://other.example")]),
            ("GET", page, vec![OWN, ("sec-fetch-dest", "iframe")]),
            ("POST", page, vec![OWN, HERE, JSON]),
            ("HEAD", page, vec![OWN]),
            ("OPTIONS", page, vec![OWN]),
        ] {
            assert_eq!(admitted(method, uri, &headers), None, "{method} {uri} {headers:?}");
        }
    }

    #[test]
    fn the_api_is_for_the_page_alone() {
        let read = "/api/state";
        assert_eq!(admitted("GET", read, &[OWN, WITH]), Some(Admitted::Api));
        assert_eq!(
            admitted("GET", read, &[OWN, WITH, ("sec-fetch-site", "same-origin")]),
            Some(Admitted::Api)
        );
        assert_eq!(admitted("POST", "/api/try", &[OWN, WITH, HERE, JSON]), Some(Admitted::Api));
        let localhost = [("host", "localhost:8081"), ("origin", "http://localhost:8081"), WITH, JSON];
        assert_eq!(admitted("POST", "/api/try", &localhost), Some(Admitted::Api));
        for (method, headers) in [
            ("GET", vec![OWN]),
            ("GET", vec![OWN, (SECRET_HEADER, "")]),
            ("GET", vec![OWN, (SECRET_HEADER, "the-secret-of-this-starT")]),
            ("GET", vec![OWN, WITH, WITH]),
            ("GET", vec![WITH]),
            ("GET", vec![("host", "rebound.example:8081"), WITH]),
            ("GET", vec![OWN, WITH, ("origin", "http://localhost:8081")]),
            ("GET", vec![OWN, WITH, ("origin", "null")]),
            ("GET", vec![OWN, WITH, ("sec-fetch-site", "cross-site")]),
            ("GET", vec![OWN, WITH, ("sec-fetch-site", "same-site")]),
            ("POST", vec![OWN, WITH, JSON]),
            ("POST", vec![OWN, HERE, JSON]),
            ("POST", vec![OWN, WITH, HERE]),
            ("POST", vec![OWN, WITH, HERE, ("content-type", "text/plain")]),
            ("POST", vec![OWN, WITH, JSON, ("origin", "http://127.0.0.1:8082")]),
            ("POST", vec![OWN, WITH, JSON, ("origin", "https://127.0.0.1:8081")]),
            ("POST", vec![OWN, WITH, JSON, HERE, HERE]),
            ("PUT", vec![OWN, WITH, HERE, JSON]),
            ("OPTIONS", vec![OWN, WITH, HERE, JSON]),
        ] {
            assert_eq!(admitted(method, read, &headers), None, "{method} {headers:?}");
        }
        assert_eq!(admitted("GET", "/", &[OWN, WITH]), None);
    }
}
