//! A browser with a cookie jar, as far as a sign-in needs one.

use std::collections::BTreeMap;

use authorizer_core::Authorizer;

use super::provider::Provider;
use super::site::{AUTHORIZE, Got, ORIGIN, Sent, answer};

/// More than any way from a page back to it needs.
const MOST_HOPS: usize = 8;

pub(crate) struct Browser<'a> {
    pub(crate) site: &'a Authorizer,
    pub(crate) provider: &'a Provider,
    /// Each with the instant at which it ends.
    pub(crate) jar: BTreeMap<String, (String, u64)>,
    pub(crate) now: u64,
    /// Whether it keeps a cookie of this name.
    pub(crate) keeps: fn(&str) -> bool,
    /// What something before CloudFront makes of the `Host`.
    pub(crate) host: Option<&'static str>,
    requests: u64,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(site: &'a Authorizer, provider: &'a Provider, now: u64) -> Self {
        Self { site, provider, jar: BTreeMap::new(), now, keeps: |_| true, host: None, requests: 0 }
    }

    pub(crate) fn cookie(&self) -> String {
        let live = self.jar.iter().filter(|(_, (_, end))| *end > self.now);
        live.map(|(name, (value, _))| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.jar.iter().filter(|(_, (_, end))| *end > self.now).map(|(name, _)| name.as_str()).collect()
    }

    /// One request, without what comes after it.
    pub(crate) fn send(&mut self, method: &'static str, target: &str, headers: &[(&str, &str)]) -> Got {
        let mut headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let cookie = self.cookie();
        assert!(cookie.len() < 18_000, "a browser must be able to send its cookies: {}", cookie.len());
        if !cookie.is_empty() {
            headers.push(("cookie".to_owned(), cookie));
        }
        if let Some(host) = self.host {
            headers.push(("host".to_owned(), host.to_owned()));
        }
        self.requests += 1;
        let sent = Sent { method, target: target.to_owned(), headers };
        let got = answer(self.site, self.provider, &sent, self.requests, self.now);
        for line in got.cookies() {
            let (pair, rest) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let seconds = rest.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
            let end = self.now + seconds.parse::<u64>().unwrap();
            match end > self.now && (self.keeps)(name) {
                true => self.jar.insert(name.to_owned(), (value.to_owned(), end)),
                false => self.jar.remove(name),
            };
        }
        got
    }

    /// CloudFront's id of the last request.
    pub(crate) fn id(&self) -> String {
        format!("r{}", self.requests)
    }

    /// A person opens an address.
    pub(crate) fn navigate(&mut self, target: &str) -> Got {
        self.send("GET", target, &NAVIGATION)
    }

    pub(crate) fn post(&mut self, target: &str) -> Got {
        self.send("POST", target, &[("origin", ORIGIN), ("sec-fetch-mode", "cors"), ("accept", "*/*")])
    }

    /// A person opens a page, and signs in as this user wherever they are asked to. Every way ends.
    pub(crate) fn open(&mut self, page: &str, user: &str) -> Got {
        let mut target = page.to_owned();
        for _ in 0..MOST_HOPS {
            let got = self.navigate(&target);
            if !matches!(got.status, Some(302 | 303)) {
                return got;
            }
            let location = got.location().to_owned();
            target = match location.starts_with(AUTHORIZE) {
                true => path_of(&self.provider.sign_in(&location, user)),
                false => path_of(&location),
            };
        }
        panic!("the browser goes round: {target}");
    }
}

pub(crate) const NAVIGATION: [(&str, &str); 4] = [
    ("accept", "text/html,*/*;q=0.8"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];

pub(crate) fn path_of(location: &str) -> String {
    location.strip_prefix(ORIGIN).unwrap().to_owned()
}
