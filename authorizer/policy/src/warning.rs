//! Warnings about a policy that can be used.

use std::sync::Arc;

use authorizer_core::FetchUrl;
use authorizer_core::policy::document::{
    ConditionDocument, DEFAULT_SESSION_SECONDS, IssuerDocument, PolicyDocument, RuleDocument, SignInDocument,
};
use authorizer_core::policy::{Place, Policy};
use authorizer_core::rules::{HostPattern, KeyPattern, is_numeric_date};
use authorizer_core::token::KeySet;
use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;
use toml::de::DeTable;

use crate::error::FileKind;
use crate::form::Secrets;
use crate::keys::NotHere;
use crate::notation::{address, has_index, is_odd, is_placeholder, meant_path, of_another_system};
use crate::place::{Places, Position};

/// Something in a valid policy that a person should know, at its place in the file.
#[derive(Clone, Debug, Diagnostic, Error)]
#[error("{message}")]
#[diagnostic(severity(Warning))]
pub struct PolicyWarning {
    /// What the warning is about.
    pub message: String,
    /// What would be better.
    #[help]
    pub remedy: &'static str,
    /// The file.
    #[source_code]
    source_code: NamedSource<Arc<String>>,
    /// The place.
    #[label("{place}")]
    at: Option<SourceSpan>,
    /// The place in words, such as `issuers[0].secret`.
    pub place: String,
    /// The id of the warning, which never changes: that of the finding, or words such as `star-alone`.
    pub id: &'static str,
    /// Where the place is in the file.
    pub position: Option<Position>,
}

/// A warning without its position: the id, the place, the message and the remedy.
pub(crate) type Warned = (&'static str, Place, String, &'static str);

pub(crate) fn warnings(
    document: &PolicyDocument,
    source_code: &NamedSource<String>,
    text: &str,
) -> Vec<PolicyWarning> {
    let issuers = document.issuers.iter().enumerate().flat_map(|(index, issuer)| {
        [warning(issuer), scheme_as_type(issuer), no_key_set(issuer)].into_iter().flatten().map(
            move |(id, member, message, remedy)| {
                (id, Place::member("issuers").at(index).then(member), message, remedy)
            },
        )
    });
    let rules = document.rules.iter().enumerate().flat_map(|(index, rule)| {
        let warned = move |(claim, condition): (&String, &ConditionDocument)| {
            let message = words_of_an_array(claim, condition)?;
            let place = Place::member("rules").at(index).then("when").then(claim).then("has");
            Some((
                "has-with-a-space",
                place,
                message,
                "leave it if the claim is an array; otherwise name one word",
            ))
        };
        rule.when.iter().filter_map(warned)
    });
    let times = document.rules.iter().enumerate();
    let times = times.flat_map(|(index, rule)| times_as_texts(rule, || Place::member("rules").at(index)));
    let literal = document.rules.iter().enumerate();
    let literal =
        literal.flat_map(|(index, rule)| other_notations(rule, || Place::member("rules").at(index)));
    let sign_in = document.sign_in.iter().flat_map(of_sign_in(document));
    let hosts = hosts_without_sign_in(document);
    let all =
        issuers.chain(rules).chain(times).chain(literal).chain(paths(document)).chain(sign_in).chain(hosts);
    at_their_places(once_of_this_machine(all.collect()).into_iter(), source_code, text)
}

/// Several addresses of this machine are one thing to know: the first has the warning, which names the others.
fn once_of_this_machine(mut warned: Vec<Warned>) -> Vec<Warned> {
    let is_one = |one: &Warned| one.0.ends_with("-of-this-machine");
    let others: Vec<String> =
        warned.iter().filter(|one| is_one(one)).skip(1).map(|one| format!("`{}`", one.1)).collect();
    let mut seen = false;
    warned.retain_mut(|one| {
        if !is_one(one) {
            return true;
        }
        let is_first = !std::mem::replace(&mut seen, true);
        if is_first && !others.is_empty() {
            one.2 = format!("{}; so is the address of {}", one.2, others.join(", "));
        }
        is_first
    });
    warned
}

/// What a person should know of a sign-in by the code flow: who has the client's secret, what is of this machine, and how
/// long a session is. `package` says that a zip with a `cookie_key` is a secret, which is so in every such policy.
fn of_sign_in(document: &PolicyDocument) -> impl Fn(&SignInDocument) -> Vec<Warned> {
    move |sign_in| {
        let SignInDocument::CodeFlow(flow) = sign_in else { return Vec::new() };
        let place = Place::member("sign_in");
        let mut warned = Vec::new();
        for (member, is_there) in
            [("client_secret", flow.client_secret.is_some()), ("client_key", flow.client_key.is_some())]
        {
            if is_there {
                let message = format!(
                    "everybody who can read the zip has `{member}`, and can act as the client `{}`",
                    flow.client_id.escape_debug()
                );
                let remedy = "register the application as a public client with PKCE, if the provider has them, and remove \
                              this";
                warned.push(("client-secret-in-zip", place.then(member), message, remedy));
            }
        }
        for (member, url) in [
            ("authorization_endpoint", Some(&flow.authorization_endpoint)),
            ("token_endpoint", Some(&flow.token_endpoint)),
            ("end_session_endpoint", flow.end_session_endpoint.as_ref()),
        ] {
            if url.is_some_and(|url| FetchUrl::parse(url).is_ok_and(|url| !url.is_https())) {
                let message = format!("`{member}` is an address of this machine");
                let remedy = "use this with `authorizer serve` only; deploy a policy with the `https` address of the \
                              provider";
                warned.push(("endpoint-of-this-machine", place.then(member), message, remedy));
            }
        }
        let issuer = document.issuers.iter().find(|issuer| issuer.name == flow.issuer);
        let longest = issuer.and_then(|issuer| issuer.max_lifetime_seconds);
        let is_longer = |longest: &u32| {
            !flow.refresh
                && *longest < flow.session_seconds
                && flow.session_seconds != DEFAULT_SESSION_SECONDS
        };
        if let Some(longest) = longest.filter(is_longer) {
            let message = format!(
                "without `refresh`, a session ends with its token: after {longest} seconds at the latest, \
                 `max_lifetime_seconds` of `{}`",
                flow.issuer.escape_debug()
            );
            let remedy = "write `refresh = true`, or a `session_seconds` that is not longer";
            warned.push(("session-longer-than-token", place.then("session_seconds"), message, remedy));
        }
        warned
    }
}

/// Rules that need a token and that nobody who signs in by the code flow can use: their hosts are not that of `origin`, and
/// the session belongs to that one.
fn hosts_without_sign_in(document: &PolicyDocument) -> Vec<Warned> {
    let Some(SignInDocument::CodeFlow(flow)) = &document.sign_in else { return Vec::new() };
    let Some((_, authority)) = flow.origin.split_once("://") else { return Vec::new() };
    // `Host` has the port, and no rule matches it then.
    let has_origin = |hosts: &Vec<String>| {
        hosts.iter().any(|host| HostPattern::parse(host).is_some_and(|host| host.matches(authority)))
    };
    let rules = document.rules.iter().enumerate();
    let warned = rules.filter_map(|(index, rule)| {
        let hosts = rule.hosts.as_ref().filter(|hosts| !rule.anonymous && !has_origin(hosts))?;
        let message = format!(
            "people who sign in cannot use rule `{}`: they are sent to `{authority}`, the host of `origin`, which is not one \
             of its {} `hosts`",
            rule.id.escape_debug(),
            hosts.len()
        );
        let remedy = "add the host of `origin`, or leave it if only clients that bring their own token use this rule";
        Some(("hosts-without-sign-in", Place::member("rules").at(index).then("hosts"), message, remedy))
    });
    warned.collect()
}

/// The id, the field of the issuer, the message and the remedy.
type OfIssuer = (&'static str, &'static str, String, &'static str);

/// `token_type = "Bearer"`: that is what stands before a token, and no token has it as its `typ`.
fn scheme_as_type(issuer: &IssuerDocument) -> Option<OfIssuer> {
    let typ = issuer.token_type.as_deref().filter(|typ| typ.eq_ignore_ascii_case("bearer"))?;
    let message =
        format!("`{typ}` is the word before a token in `Authorization`, not the `typ` in a token's header");
    Some((
        "scheme-as-token-type",
        "token_type",
        message,
        "remove the line, or write `at+jwt` or `JWT`, as the tokens have it",
    ))
}

/// An address that is the issuer's, or that of its metadata: neither has keys, so that every fetch would fail.
fn no_key_set(issuer: &IssuerDocument) -> Option<OfIssuer> {
    let url = issuer.jwks.as_ref()?.url.as_deref()?;
    let path =
        url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    let is_metadata = path.ends_with("openid-configuration") || path.ends_with("oauth-authorization-server");
    if !path.is_empty() && !is_metadata {
        return None;
    }
    let message = format!("`{}` is not the address of a key set", url.escape_debug());
    let remedy = "write the `jwks_uri` of the issuer's metadata, which `authorizer keys discover` finds, or leave it if \
                  the keys are at this address";
    Some(("address-without-keys", "jwks", message, remedy))
}

/// Patterns that another notation gives another meaning. `$sub`, `:sub`, `<sub>` and `%sub%` are these letters here, `*`
/// alone does not match a key with a slash, no key has the name of its bucket, and nothing is a regular expression.
fn other_notations(rule: &RuleDocument, place: impl Fn() -> Place) -> Vec<Warned> {
    let mut warned = Vec::new();
    for (index, pattern) in rule.keys.iter().enumerate() {
        // Most patterns have no warning, so no place is built for them.
        let place = || place().then("keys").at(index);
        if pattern == "*" {
            let message = "`*` matches the keys without a `/` only".to_owned();
            let remedy = "write `**` for every key, or leave it if only those are meant";
            warned.push(("star-alone", place(), message, remedy));
        } else if let Some(start) = address(pattern) {
            let message =
                format!("the pattern begins with `{}`, which is not a part of a key", start.escape_debug());
            let remedy = "write only the keys, without the bucket and what stands before it, such as `public/**`, or `**` \
                          for every key; leave it if the keys contain these letters";
            warned.push(("bucket-in-pattern", place(), message, remedy));
        } else if pattern.starts_with('^')
            || pattern.ends_with('$')
            || pattern.contains(".+")
            || pattern.split_once('(').is_some_and(|(_, rest)| rest.contains('|') && rest.contains(')'))
        {
            let message =
                "a pattern is not a regular expression: `^`, `$`, `+`, `(` and `|` are these characters in a key"
                    .to_owned();
            let remedy = "write `*` within a segment, `**` for any number of segments, and one pattern for each \
                          alternative, or leave it if the keys contain these characters";
            warned.push(("regular-expression", place(), message, remedy));
        } else if let Some(segment) = pattern.split('/').find(|segment| is_placeholder(segment)) {
            let message =
                format!("`{}` stands for these letters in a key, not for a claim", segment.escape_debug());
            let remedy =
                "write a claim in braces, such as `{sub}`, or leave it if the keys contain these letters";
            warned.push(("other-placeholder", place(), message, remedy));
        }
    }
    warned
}

/// The names of claims that read like a path into an object.
fn paths(document: &PolicyDocument) -> Vec<Warned> {
    let mut warned = Vec::new();
    for (index, issuer) in document.issuers.iter().enumerate() {
        let place = |claim: &str| Place::member("issuers").at(index).then("required").then(claim);
        warned.extend(issuer.required.keys().filter_map(|claim| path(claim, || place(claim))));
    }
    for (index, rule) in document.rules.iter().enumerate() {
        let place = || Place::member("rules").at(index);
        warned.extend(rule.when.keys().filter_map(|claim| path(claim, || place().then("when").then(claim))));
        for (at, key) in rule.keys.iter().enumerate() {
            let claims = key.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            warned.extend(claims.filter_map(|(claim, _)| path(claim, || place().then("keys").at(at))));
        }
        for (name, value) in rule.upload.iter().flat_map(|upload| &upload.metadata) {
            let claim = value.strip_prefix('{').and_then(|value| value.strip_suffix('}'));
            let place = || place().then("upload").then("metadata").then(name);
            warned.extend(claim.and_then(|claim| path(claim, place)));
        }
    }
    warned
}

/// What is said of the name of a claim that reads like a path into an object.
fn path(claim: &str, place: impl FnOnce() -> Place) -> Option<Warned> {
    if let Some(meant) = of_another_system(claim) {
        let (claim, meant) = (claim.escape_debug(), meant.escape_debug());
        let message = format!("`{claim}` is the name of a claim here, and not the claim `{meant}`");
        let remedy = "write the name that the claim has in the token, such as `sub`, or leave it if the tokens have \
                      a claim with this name";
        return Some(("claim-of-another-notation", place(), message, remedy));
    }
    if is_odd(claim) {
        let message = format!("`{}` is the name of one claim here", claim.escape_debug());
        let remedy = "write the name that the claim has in the token, such as `sub`; for several words write \
                      several patterns; or leave it if the tokens have a claim with this name";
        return Some(("claim-of-another-notation", place(), message, remedy));
    }
    if has_index(claim) {
        let claim = claim.escape_debug();
        let message = format!("a number in `{claim}` is the name of a member, not a place in an array");
        let remedy = "test an array with `has`, or leave it if the object has this member";
        return Some(("number-in-claim-path", place(), message, remedy));
    }
    let path = meant_path(claim)?;
    let claim = claim.escape_debug();
    let message =
        format!("`{claim}` is the name of one claim, not a path into an object, which is written `{path}`");
    let remedy = "write the path so, or leave it if the tokens have a claim with this name";
    Some(("claim-with-dots", place(), message, remedy))
}

/// The warning that names the files of secrets that a review does without.
pub(crate) fn not_here(
    files: &[NotHere],
    source_code: &NamedSource<String>,
    text: &str,
) -> Vec<PolicyWarning> {
    let Some(first) = files.first() else { return Vec::new() };
    let named: Vec<String> =
        files.iter().map(|one| format!("`{}` (`{}`)", one.file.escape_debug(), one.place)).collect();
    let (are, them) = if files.len() == 1 { ("is", "it") } else { ("are", "them") };
    let message = format!(
        "{} {are} not here: the policy is reviewed without {them}, so the SHA-256 of its bundle is not that of the \
                 package",
        named.join(", ")
    );
    let remedy = "leave it so where nobody packages the policy: a secret belongs into no repository. `package` and `serve` \
                  need the file";
    at_their_places(
        std::iter::once(("secret-not-here", first.place.clone(), message, remedy)),
        source_code,
        text,
    )
}

/// Warnings about the keys that the policy does not use.
pub(crate) fn key_warnings(
    policy: &Policy,
    source_code: &NamedSource<String>,
    text: &str,
) -> Vec<PolicyWarning> {
    let warned = policy.issuers().iter().enumerate().flat_map(|(index, issuer)| {
        let skipped = issuer.bundled_keys().map(KeySet::skipped).unwrap_or_default();
        skipped.iter().map(move |key| {
            let name = match &key.key_id {
                Some(id) => format!("the key `{}`", id.escape_debug()),
                None => format!("key {} (without `kid`)", key.index),
            };
            let message = format!("{name} of `{}` is not used: {}", issuer.name(), key.why);
            let remedy = "no token that it signed is accepted; `authorizer keys inspect FILE` shows each key";
            ("key-not-used", Place::member("issuers").at(index).then("jwks"), message, remedy)
        })
    });
    at_their_places(warned, source_code, text)
}

/// Warnings at their places. They share one text, in which no secret is shown.
pub(crate) fn at_their_places(
    warned: impl Iterator<Item = Warned>,
    source_code: &NamedSource<String>,
    text: &str,
) -> Vec<PolicyWarning> {
    let mut warned = warned.peekable();
    // Most policies do not have warnings, and then this does not search for places in a long text.
    if warned.peek().is_none() {
        return Vec::new();
    }
    let places = Places::of(text);
    let (table, _) = DeTable::parse_recoverable(text);
    let shown = Secrets::of(FileKind::Policy, text, table.get_ref()).masked(text);
    let shown = NamedSource::new(source_code.name(), Arc::new(shown)).with_language("TOML");
    let at_its_place = |(id, place, message, remedy): Warned| {
        let span = places.line_span(&place);
        PolicyWarning {
            message,
            remedy,
            source_code: shown.clone(),
            position: span.as_ref().map(|span| places.position(span.start)),
            at: span.map(SourceSpan::from),
            place: place.to_string(),
            id,
        }
    };
    warned.map(at_its_place).collect()
}

/// The claims of a rule that must be texts, and are numbers in every token.
fn times_as_texts(rule: &RuleDocument, place: impl Fn() -> Place) -> Vec<Warned> {
    let mut warned = Vec::new();
    // Most patterns do not have a claim that may be a time, and are not parsed for it.
    let may_have = |pattern: &String| ["{exp}", "{nbf}", "{iat}"].iter().any(|claim| pattern.contains(claim));
    for (index, pattern) in rule.keys.iter().enumerate().filter(|(_, pattern)| may_have(pattern)) {
        let claims = KeyPattern::parse(pattern).ok();
        let claims = claims.iter().flat_map(KeyPattern::claims);
        warned.extend(claims.filter(|claim| is_numeric_date(claim)).map(|claim| {
            let message = format!("`{{{claim}}}` is a number in every token, so the pattern matches no key");
            (
                "number-as-text",
                place().then("keys").at(index),
                message,
                "use a claim that is a string, such as `{sub}`",
            )
        }));
    }
    let metadata = rule.upload.iter().flat_map(|upload| &upload.metadata);
    warned.extend(metadata.filter_map(|(name, value)| {
        let claim = value.strip_prefix('{')?.strip_suffix('}')?;
        is_numeric_date(claim).then(|| {
            let message =
                format!("`{{{claim}}}` is a number in every token, so rule `{}` matches no upload", rule.id);
            let place = place().then("upload").then("metadata").then(name);
            ("number-as-text", place, message, "use a claim that is a string, or remove the metadata")
        })
    }));
    warned
}

/// `has` with a space: a string is read word by word, so it is found in an array only.
fn words_of_an_array(claim: &str, condition: &ConditionDocument) -> Option<String> {
    let member = condition.has.as_ref().filter(|member| member.contains(' '))?;
    let (claim, member) = (claim.escape_debug(), member.escape_debug());
    Some(format!(
        "`{member}` has a space, so it is found only if `{claim}` is an array: of a string, `has` means one word"
    ))
}

fn warning(issuer: &IssuerDocument) -> Option<OfIssuer> {
    if issuer.secret.is_some() {
        let message = format!(
            "everybody who can read the zip has the secret of `{}`, and can make tokens with any claims",
            issuer.name
        );
        return Some((
            "shared-secret",
            "secret",
            message,
            "let the issuer sign with a key pair, and use its `jwks`",
        ));
    }
    let url = issuer.jwks.as_ref()?.url.as_ref()?;
    let is_of_this_machine = FetchUrl::parse(url).is_ok_and(|url| !url.is_https());
    is_of_this_machine.then(|| {
        let message =
            format!("the keys of `{}` are fetched from the machine that runs the function", issuer.name);
        (
            "keys-of-this-machine",
            "jwks",
            message,
            "use this with `authorizer serve` only; deploy a policy with the `https` address of the provider",
        )
    })
}
