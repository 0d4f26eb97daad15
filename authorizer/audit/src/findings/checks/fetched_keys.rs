//! Keys that are asked for, and secrets.

use authorizer_core::token::KeysUrl;

use super::claims::host_of;
use super::subject::{IssuerView, Subject};
use super::{Check, Found, Severity};

pub(super) static CHECKS: &[Check] = &[
    Check {
        id: "EA093",
        name: "tokens-by-a-secret",
        severity: Severity::Medium,
        title: "an issuer's tokens are made with a secret that the zip holds",
        why: "HS256 is no signature: whoever can verify a token can make one. The secret is with everyone who can read \
              the zip, the function's code or the file it came from, and a token that they make looks like any other.",
        remedy: "have the issuer sign with a key pair, and name its `jwks`",
        run: by_secret,
    },
    Check {
        id: "EA094",
        name: "keys-of-this-machine",
        severity: Severity::High,
        title: "an issuer's keys are asked for on the machine that runs the function",
        why: "An `http` address is that of the machine itself, which is for `authorizer serve`. At the edge nobody \
              answers there, and every token that needs those keys is refused with 503.",
        remedy: "write the provider's `https` address",
        run: of_this_machine,
    },
    Check {
        id: "EA095",
        name: "keys-of-another-host",
        severity: Severity::Medium,
        title: "an issuer's keys are asked for at a host of somebody else's",
        why: "Whoever holds that host decides who is let in: what it answers takes the place of all keys of the issuer. \
              A host under the issuer's own domain is taken for its own, and so are those of Google and Microsoft that \
              their issuers name.",
        remedy: "write the `jwks_uri` of the issuer's metadata; accept the finding where it does name another host",
        run: of_another_host,
    },
    Check {
        id: "EA096",
        name: "keys-only-asked-for",
        severity: Severity::Informational,
        title: "an issuer's keys are in no file",
        why: "The first request after each start of the function waits for the provider, and where it does not answer, \
              requests with a token of it are refused with 503 until it does.",
        remedy: "add the keys of today as `file`: `authorizer keys fetch URL --out FILE`",
        run: only_asked_for,
    },
    Check {
        id: "EA097",
        name: "keys-serve-long",
        severity: Severity::Low,
        title: "an issuer's keys serve for more than a day when no newer ones can be had",
        why: "Whoever has a withdrawn key, and can keep the function from the provider, has until then.",
        remedy: "use a `max_stale_seconds` of a day or less",
        run: serve_long,
    },
];

/// A day.
const LONG_SECONDS: u32 = 86_400;

/// Issuers whose metadata names keys at another domain: Google's own tokens, Firebase's, and Entra ID's version 1.
const KNOWN: [(&str, &str); 3] = [
    ("accounts.google.com", "www.googleapis.com"),
    ("securetoken.google.com", "www.googleapis.com"),
    ("sts.windows.net", "login.microsoftonline.com"),
];

fn of_issuers<'p>(
    subject: &Subject<'p>,
    member: &str,
    judge: impl Fn(IssuerView<'p>) -> Option<String>,
) -> Vec<Found> {
    let found = |issuer: IssuerView<'p>| Some(issuer.found_in(member, judge(issuer)?));
    subject.issuers().filter_map(found).collect()
}

fn url_of(issuer: IssuerView<'_>) -> Option<KeysUrl> {
    KeysUrl::parse(issuer.keys_url()?).ok()
}

fn by_secret(subject: &Subject<'_>) -> Vec<Found> {
    of_issuers(subject, "secret", |issuer| {
        let has = issuer.document.secret.is_some();
        has.then(|| format!("whoever has the secret of issuer `{}` can make tokens of it", issuer.name()))
    })
}

fn of_this_machine(subject: &Subject<'_>) -> Vec<Found> {
    of_issuers(subject, "jwks", |issuer| {
        let url = url_of(issuer).filter(|url| !url.is_https())?;
        Some(format!("the keys of issuer `{}` are asked for at `{url}`", issuer.name()))
    })
}

fn of_another_host(subject: &Subject<'_>) -> Vec<Found> {
    of_issuers(subject, "jwks", |issuer| {
        let url = url_of(issuer).filter(KeysUrl::is_https)?;
        let own = host_of(&issuer.document.issuer);
        let is_known = own.is_some_and(|own| KNOWN.contains(&(own, url.host())));
        let is_own = own.is_some_and(|own| own == url.host() || is_same_domain(own, url.host()));
        (!is_known && !is_own)
            .then(|| format!("the keys of issuer `{}` are asked for at `{}`", issuer.name(), url.host()))
    })
}

/// Whether two hosts are under one domain that somebody registered, by the public suffix list.
fn is_same_domain(one: &str, other: &str) -> bool {
    let domain = |host: &str| psl::domain_str(host).map(str::to_ascii_lowercase);
    domain(one).is_some_and(|one| Some(one) == domain(other))
}

fn only_asked_for(subject: &Subject<'_>) -> Vec<Found> {
    of_issuers(subject, "jwks", |issuer| {
        let jwks = issuer.document.jwks.as_ref()?;
        let is_bare = jwks.url.is_some() && jwks.keys.is_none() && jwks.file.is_none();
        is_bare.then(|| format!("no file brings the keys of issuer `{}`", issuer.name()))
    })
}

fn serve_long(subject: &Subject<'_>) -> Vec<Found> {
    of_issuers(subject, "jwks", |issuer| {
        let most = issuer.document.jwks.as_ref()?.max_stale_seconds.filter(|most| *most > LONG_SECONDS)?;
        Some(format!("the keys of issuer `{}` serve for {most} seconds", issuer.name()))
    })
}
