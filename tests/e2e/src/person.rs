//! People who sign in at a provider, in Chromium, for a distribution of `authorizer serve` over HTTPS. Nothing here is
//! ours but the distribution: npm `oidc-provider` has the pages to sign in and out.
//!
//! The browser finds the distribution, and a sibling on the same domain, under their own names:
//! `tests/tools/browser/person.mjs` carries out what a person does.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_local::Runtime;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::{Build, bootstrap, root, run};
use crate::browser::Browser;
use crate::providers::People;
use crate::runtimes::clients;
use crate::served::Served;

/// The distribution's origin.
pub const ORIGIN: &str = "https://files.example.com";

/// The origin of another host of the same domain. It shows the public files.
pub const SIBLING: &str = "https://other.example.com";

/// The name of the cookie of the token.
pub const SESSION: &str = "__Host-session";

/// The name of the cookie of what is sealed.
pub const SEALED: &str = "__Host-session-sealed";

/// The beginning of the names of the cookies of a sign-in that has begun.
pub const FLOW: &str = "__Host-authorizer-flow-";

/// The pages in the bucket: the key, the title, and the body.
const PAGES: [(&str, &str, &str); 5] = [
    ("users/alice/a page.html", "A page of Alice", "<p>what only Alice reads</p>"),
    ("users/alice/b.html", "B page of Alice", "<p>what only Alice reads, too</p>"),
    ("users/bob/a page.html", "A page of Bob", "<p>what only Bob reads</p>"),
    (
        "public/app.html",
        "The application",
        "<form method='post' action='/.auth/sign-out'><button>Sign out</button></form>\
         <a href='/.auth/sign-out'>Sign out</a>",
    ),
    (
        "public/other.html",
        "Another application",
        "<form method='post' action='https://files.example.com/.auth/sign-out'><button>Win</button></form>\
         <a href='https://files.example.com/.auth/sign-out'>Look</a>",
    ),
];

/// The provider, the distribution and the browser.
#[derive(Debug)]
pub struct Stage {
    /// The provider.
    pub people: People,
    /// The distribution.
    pub served: Served,
    /// The browser.
    pub browser: Browser,
    _folder: TempDir,
}

/// What a tab shows.
#[derive(Clone, Debug, Deserialize)]
pub struct Page {
    /// Its URL.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A request for a page, and its answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Visit {
    /// The tab.
    pub tab: String,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The status.
    pub status: u16,
    /// What the browser was told to remove (`Clear-Site-Data`).
    pub clears: String,
}

/// A cookie of the browser.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its host, or its domain with a dot before it.
    pub domain: String,
    /// Its path.
    pub path: String,
    /// When it expires, in Unix time.
    pub expires: f64,
    /// Whether scripts cannot read it.
    pub http_only: bool,
    /// Whether it is only sent over HTTPS.
    pub secure: bool,
    /// Which requests of other sites it goes with.
    pub same_site: String,
}

impl Stage {
    /// Starts it, with the policy that decides in the process of `serve`, if everything could be installed.
    pub async fn start() -> Option<Self> {
        Self::start_deciding(|policy| Some(vec!["--policy".to_owned(), policy.to_str()?.to_owned()])).await
    }

    /// Starts it, with a package that AWS's client for Python starts.
    pub async fn start_package() -> Option<Self> {
        clients(Runtime::Python)?;
        Self::start_deciding(|policy| {
            let zip = policy.with_extension("zip").to_str()?.to_owned();
            let (policy, function) = (policy.to_str()?.to_owned(), bootstrap(Build::Fast));
            run(["package", "--policy", &policy, "--bootstrap", function.to_str()?, "--out", &zip]);
            Some(["--function", &zip, "--runtime", "python"].map(str::to_owned).to_vec())
        })
        .await
    }

    async fn start_deciding(decides: impl FnOnce(&Path) -> Option<Vec<String>>) -> Option<Self> {
        let people = People::start(ORIGIN)?;
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path()).await;
        let (certificate, key) = certificate(folder.path());
        let policy = policy(folder.path(), &people.introduction().issuer);
        let mut arguments = decides(&policy)?;
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        arguments.extend(["--data".to_owned(), path(&folder.path().join("data"))]);
        arguments.extend(["--tls-cert".to_owned(), path(&certificate), "--tls-key".to_owned(), path(&key)]);
        let served = Served::start(folder.path(), arguments.iter().map(OsStr::new));
        let port = served.addr().port();
        // No other name leads anywhere, least of all off this machine.
        let hosts = format!(
            "--host-resolver-rules=MAP files.example.com:443 127.0.0.1:{port}, \
             MAP other.example.com:443 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        );
        let switches = [hosts.as_str(), "--ignore-certificate-errors", "--no-proxy-server"];
        let browser = Browser::start_with(&switches.map(str::to_owned))?;
        Some(Self { people, served, browser, _folder: folder })
    }

    /// The provider's address.
    pub fn issuer(&self) -> String {
        self.people.introduction().issuer.clone()
    }

    /// Opens a link in a tab, as if typed: a URL, or a path of the distribution.
    pub fn go(&mut self, tab: &str, link: &str) -> Page {
        let url = if link.starts_with('/') { format!("{ORIGIN}{link}") } else { link.to_owned() };
        self.browser.command(json!({"action": "go", "tab": tab, "url": url}));
        self.page(tab)
    }

    /// Presses something in a tab that leads to a page whose URL begins so.
    pub fn press(&mut self, tab: &str, selector: &str, to: &str) -> Page {
        self.browser.command(json!({"action": "lead", "tab": tab, "selector": selector, "to": to}));
        self.page(tab)
    }

    /// Signs in on the provider's page in a tab, consents, and is back at the distribution.
    pub fn sign_in(&mut self, tab: &str, who: &str) -> Page {
        let page = self.page(tab);
        assert!(page.url.starts_with(&self.issuer()), "not at the provider: {page:?}");
        for (name, text) in [("login", who), ("password", "any")] {
            let selector = format!("input[name={name}]");
            self.browser.command(json!({"action": "fill", "tab": tab, "selector": selector, "text": text}));
        }
        self.browser.command(json!({"action": "click", "tab": tab, "button": "Sign-in"}));
        self.consent(tab)
    }

    /// Consents on the provider's page in a tab, and is back at the distribution.
    pub fn consent(&mut self, tab: &str) -> Page {
        self.press(tab, "button:has-text('Continue')", ORIGIN)
    }

    /// Goes back in a tab.
    pub fn back(&mut self, tab: &str) -> Page {
        self.browser.command(json!({"action": "back", "tab": tab}));
        self.page(tab)
    }

    /// What a tab shows.
    pub fn page(&mut self, tab: &str) -> Page {
        serde_json::from_value(self.browser.command(json!({"action": "shows", "tab": tab}))).unwrap()
    }

    /// The requests for pages so far.
    pub fn visits(&mut self) -> Vec<Visit> {
        serde_json::from_value(self.browser.command(json!({"action": "visits"}))).unwrap()
    }

    /// The last request for a page.
    pub fn last_visit(&mut self) -> Visit {
        self.visits().pop().unwrap()
    }

    /// The value of an expression in the page of a tab.
    pub fn value(&mut self, tab: &str, expression: &str) -> Value {
        self.browser.command(json!({"action": "value", "tab": tab, "of": expression}))["value"].take()
    }

    /// Makes the page of a tab send a request with `fetch`: its status, and the text of the answer.
    pub fn fetch(&mut self, tab: &str, method: &str, url: &str) -> (u64, String) {
        let answer = self.value(
            tab,
            &format!(
                "fetch({url:?}, {{ method: {method:?}, redirect: 'manual' }})\
                 .then(async (answer) => [answer.status, await answer.text()])"
            ),
        );
        (answer[0].as_u64().unwrap(), answer[1].as_str().unwrap().to_owned())
    }

    /// The same, for an answer in JSON.
    pub fn fetch_json(&mut self, tab: &str, method: &str, url: &str) -> (u64, Value) {
        let (status, text) = self.fetch(tab, method, url);
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// Waits until a `fetch` of a page gets this status: a token has expired.
    pub fn wait_for_status(&mut self, tab: &str, url: &str, status: u16) {
        let waited = format!(
            "new Promise((done, failed) => {{ const end = Date.now() + 60000; const look = async () => {{ \
             const {{ status }} = await fetch({url:?}, {{ cache: 'no-store' }}); \
             if (status === {status}) done(true); else if (Date.now() > end) failed(new Error(status)); \
             else setTimeout(look, 100); }}; look(); }})"
        );
        assert_eq!(self.value(tab, &waited), json!(true), "{status}");
    }

    /// The cookies that the distribution gets.
    pub fn cookies(&mut self) -> Vec<Cookie> {
        let all: Vec<Cookie> =
            serde_json::from_value(self.browser.command(json!({"action": "jar"}))).unwrap();
        all.into_iter().filter(|cookie| cookie.domain.ends_with("example.com")).collect()
    }

    /// The names of these cookies that begin so.
    pub fn names(&mut self, beginning: &str) -> Vec<String> {
        let names = self.cookies().into_iter().map(|cookie| cookie.name);
        names.filter(|name| name.starts_with(beginning)).collect()
    }

    /// A cookie of the distribution.
    pub fn cookie(&mut self, name: &str) -> Option<String> {
        self.cookies().into_iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value)
    }

    /// Puts a cookie into the browser, as the distribution sets it.
    pub fn keep(&mut self, name: &str, value: &str) {
        let cookie = json!({"name": name, "value": value, "url": format!("{ORIGIN}/"), "secure": true,
            "httpOnly": true, "sameSite": "Lax"});
        self.browser.command(json!({"action": "keep", "cookies": [cookie]}));
    }

    /// Removes the cookies of a name from the browser.
    pub fn forget(&mut self, name: &str) {
        self.browser.command(json!({"action": "forget", "name": name}));
    }

    /// Makes it the browser of somebody else: without any cookie, the provider's included.
    pub fn forget_all(&mut self) {
        self.browser.command(json!({"action": "forget"}));
    }

    /// Waits for a line of the distribution's log with this word.
    pub fn logged(&self, word: &str) -> String {
        let has_it = |lines: &[String]| lines.iter().find(|line| line.contains(word)).cloned();
        self.served.stdout().wait_for(word, has_it)
    }
}

/// Puts the pages into the bucket, with their type.
async fn fill(folder: &Path) {
    let served = Served::sample_in(folder);
    let admin = served.bearer("admin");
    for (key, title, body) in PAGES {
        let path = format!("/{}", key.replace(' ', "%20"));
        let headers = [("authorization", admin.as_str()), ("content-type", "text/html; charset=utf-8")];
        let html = format!("<!doctype html><title>{title}</title><link rel='icon' href='data:,'>{body}");
        let answer = served.viewer.ask("PUT", &path, &headers, &html).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// A certificate for the two hosts, and its key.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let names = ["files.example.com", "other.example.com"].map(str::to_owned).to_vec();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let (file, key) = (folder.join("host.pem"), folder.join("host.key.pem"));
    fs::write(&file, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    (file, key)
}

/// The policy, with its key for cookies.
fn policy(folder: &Path, issuer: &str) -> PathBuf {
    let text = fs::read_to_string(root().join("tests/e2e/policies/sign-in.toml")).unwrap();
    let policy = folder.join("sign-in.toml");
    fs::write(&policy, text.replace("{issuer}", issuer).replace("{origin}", ORIGIN)).unwrap();
    run(["keys", "cookie-key", "--out", folder.join("sign-in.key").to_str().unwrap()]);
    policy
}
