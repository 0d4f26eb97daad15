//! Whose tokens are trusted, and which of them.

use authorizer_core::Scalar;
use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::ClaimTest;

use super::claims::{asks_for_a_right, host_of};
use crate::policy::subject::{IssuerView, RuleView, PolicySubject, Use, list};
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;

pub(super) static FAMILY: Family = Family::Policy(&[
    (Check {
        id: "EA080",
        name: "issuer-over-http",
        severity: Severity::Medium,
        title: "an issuer's address is plain HTTP",
        why: "Its keys and its sign-in page are had over a line on which anybody may answer in its place, so anybody's \
              keys may end up in the key file (RFC 8414 section 2: an issuer is an `https` address).",
        remedy: "have the provider use `https`, and write that issuer",
    }, over_http),
    (Check {
        id: "EA081",
        name: "issuer-that-anyone-can-join",
        severity: Severity::High,
        title: "a rule lets in every token of an issuer that anyone can get a token from",
        why: "At this provider anyone opens an account, or runs a job, and is given a token that verifies. The audience \
              does not help where whoever asks for the token chooses it, or where the application lets anyone sign in.",
        remedy: "say who is meant: in the issuer's `required` (`hd` at Google, `repository_owner` at GitHub), in the \
                 rule's `when`, or by `{sub}` in its keys",
    }, anyone_joins),
    (Check {
        id: "EA082",
        name: "issuer-names-no-tenant",
        severity: Severity::Medium,
        title: "an issuer is that of no tenant",
        why: "`common`, `organizations`, `consumers` and `{tenantid}` stand in metadata in the place of a tenant, and in \
              no token: none of them verifies.",
        remedy: "write the issuer with the tenant's id",
    }, no_tenant),
    (Check {
        id: "EA083",
        name: "issuers-alike",
        severity: Severity::Low,
        title: "two issuers differ by a slash at the end or by capitals alone",
        why: "The value of `iss` counts to the letter, and a provider uses one of them. The other block is trusted for \
              nothing, or, at a provider that somebody else can set up under that name, for too much.",
        remedy: "keep the one that the tokens have",
    }, alike),
    (Check {
        id: "EA084",
        name: "issuer-unused",
        severity: Severity::Low,
        title: "no allow rule speaks of an issuer",
        why: "Its tokens open nothing, and a rule without `issuers`, written later, will trust them all the same.",
        remedy: "remove the block, or write the rule that was meant",
    }, unused),
    (Check {
        id: "EA085",
        name: "leeway-is-long",
        severity: Severity::Low,
        title: "an issuer's clock is forgiven more than a minute",
        why: "For that long a token lives on after its end, one that was taken among them. Clocks that are kept by NTP \
              differ by less than a second.",
        remedy: "use 60 seconds at most; 30 when absent",
    }, long_leeway),
    (Check {
        id: "EA086",
        name: "kind-of-token-is-open",
        severity: Severity::Medium,
        title: "nothing tells an issuer's access tokens from its ID tokens",
        why: "An ID token tells an application who signed in, and is kept and handed on where tokens for an API are not \
              (RFC 8725 section 3.11, RFC 9068 section 5). Here it opens files.",
        remedy: "add `token_type = \"at+jwt\"`, or the claim that says the kind to `required`, or ask for a scope in \
                 every rule (docs/providers.md)",
    }, kind_is_open),
    (Check {
        id: "EA087",
        name: "cognito-without-token-use",
        severity: Severity::Medium,
        title: "a user pool of Amazon Cognito, and no `token_use`",
        why: "Cognito's ID and access tokens have the same issuer, the same keys and no `typ`. `token_use` is what tells \
              them apart, and AWS says to check it. Without it the kind of a token rests on whether it has `aud` or \
              `client_id`, which a setting of the application changes.",
        remedy: "add `required = { token_use = \"access\" }`",
    }, cognito),
    (Check {
        id: "EA088",
        name: "no-longest-lifetime",
        severity: Severity::Informational,
        title: "an issuer's tokens may live for as long as it likes",
        why: "A token cannot be called back but by a new package, so it is trusted until it expires. A setting of the \
              provider that somebody changes makes that a year.",
        remedy: "add `max_lifetime_seconds` with what the provider is set to",
    }, no_lifetime),
    (Check {
        id: "EA089",
        name: "lifetime-is-long",
        severity: Severity::Low,
        title: "an issuer's tokens may live for more than a day",
        why: "A token that leaks, or whose subject has left, opens files until it expires.",
        remedy: "let the provider give tokens of an hour or so, and write that",
    }, long_lifetime),
    (Check {
        id: "EA090",
        name: "audiences-are-many",
        severity: Severity::Low,
        title: "an issuer's block takes more than three audiences",
        why: "Each is a service whose tokens do here as well, so any of them that is broken into can ask for files in \
              the name of its users (RFC 8725 section 3.9).",
        remedy: "give the bucket an audience of its own",
    }, many_audiences),
    (Check {
        id: "EA091",
        name: "audience-of-every-service",
        severity: Severity::Medium,
        title: "an audience that tokens for other services have",
        why: "The audience is to keep tokens for other services out, and this one is in them: the provider puts it into \
              every token, or it is that of an API of its own.",
        remedy: "give the bucket an audience of its own at the provider",
    }, every_audience),
    (Check {
        id: "EA092",
        name: "algorithm-without-key",
        severity: Severity::Low,
        title: "an issuer may sign with an algorithm that none of its keys fits",
        why: "No token with it verifies today. When a key for it turns up in the key file it is trusted, though nobody \
              has thought about it.",
        remedy: "leave the algorithm out, or fetch the keys anew (`authorizer keys fetch`)",
    }, without_key),
]);

fn over_http(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let plain = subject.issuers().filter(|issuer| {
        issuer.document.issuer.starts_with("http://")
            && !host_of(&issuer.document.issuer).is_some_and(super::browser::is_this_machine)
    });
    plain
        .map(|issuer| {
            let address = &issuer.document.issuer;
            issuer.found_in("issuer", format!("issuer `{}` is `{address}`", issuer.name()))
        })
        .collect()
}

/// The claims that narrow the tokens of a provider to those of somebody, if anyone can get one there.
fn narrowing(issuer: &str) -> Option<(&'static str, &'static [&'static str])> {
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    match host_of(issuer)? {
        "accounts.google.com" => Some(("any Google account that the application lets sign in", &["hd"])),
        "token.actions.githubusercontent.com" => Some((
            "any workflow of GitHub",
            &["repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref"],
        )),
        "gitlab.com" => {
            Some(("any job of GitLab", &["namespace_path", "namespace_id", "project_path", "project_id"]))
        }
        "appleid.apple.com" => Some(("any Apple account that the application lets sign in", &[])),
        "www.facebook.com" | "facebook.com" => Some(("any Facebook account that the application lets sign in", &[])),
        "login.microsoftonline.com" if issuer.contains(PERSONAL) => Some(("any Microsoft account that the application lets sign in", &[])),
        _ => None,
    }
}

fn anyone_joins(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows().filter(|rule| !rule.is_anonymous()) {
        for issuer in &rule.issuers {
            let Some((who, claims)) = narrowing(&issuer.issuer) else { continue };
            let is_narrow = |claim: &str| claim == "sub" || claims.contains(&claim);
            let by_issuer = issuer.required.keys().any(|claim| is_narrow(claim));
            let by_rule = rule.claims().iter().any(|(_, claim, reads)| match reads {
                Use::Key => true,
                Use::Condition(ClaimTest::Present(_)) | Use::Metadata => false,
                // An address of the provider's own, where it is verified, is somebody's.
                Use::Condition(_) => is_narrow(claim) || *claim == "email",
            });
            if !by_issuer && !by_rule {
                found.push(rule.found(format!("rule `{}` lets in {who}, by issuer `{}`", rule.id(), issuer.name)));
            }
        }
    }
    found
}

fn no_tenant(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let of_none = subject.issuers().filter(|issuer| {
        let address = &issuer.document.issuer;
        let of_entra = host_of(address) == Some("login.microsoftonline.com");
        let is_no_tenant = |segment: &str| ["common", "organizations", "consumers"].contains(&segment);
        address.contains('{') || (of_entra && address.split('/').any(is_no_tenant))
    });
    of_none
        .map(|issuer| {
            let address = &issuer.document.issuer;
            issuer.found_in("issuer", format!("issuer `{}` is `{address}`, in no token", issuer.name()))
        })
        .collect()
}

fn alike(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let plain = |issuer: &IssuerDocument| issuer.issuer.trim_end_matches('/').to_ascii_lowercase();
    let all: Vec<_> = subject.issuers().collect();
    let mut found = Vec::new();
    for (index, issuer) in all.iter().enumerate() {
        if let Some(before) = all.iter().take(index).find(|before| plain(before.document) == plain(issuer.document)) {
            let message = format!("issuer `{}` is nearly that of `{}`", issuer.name(), before.name());
            found.push(issuer.found_in("issuer", message));
        }
    }
    found
}

fn unused(subject: &PolicySubject<'_>) -> Vec<Observation> {
    if subject.document().rules.is_empty() {
        return Vec::new();
    }
    let is_used = |issuer: &IssuerView<'_>| {
        subject.allows().any(|rule| {
            !rule.is_anonymous() && rule.issuers.iter().any(|one| one.name == issuer.document.name)
        })
    };
    let unused = subject.issuers().filter(|issuer| !is_used(issuer));
    unused
        .map(|issuer| {
            issuer.found_in("name", format!("no allow rule speaks of issuer `{}`", issuer.name()))
        })
        .collect()
}

fn long_leeway(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let long = subject.issuers().filter(|issuer| issuer.document.leeway_seconds > 60);
    long.map(|issuer| {
        let seconds = issuer.document.leeway_seconds;
        issuer.found_in("leeway_seconds", format!("issuer `{}` is forgiven {seconds} seconds", issuer.name()))
    })
    .collect()
}

/// Whether what the block itself asks keeps ID tokens out, or lets in nothing else.
fn says_the_kind(issuer: &IssuerDocument) -> bool {
    // `JWT` is what ID tokens have, too.
    let by_type = issuer.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("jwt"));
    let by_claim = issuer.required.iter().any(|(claim, value)| {
        let is_kind = ["token_use", "typ", "token_type", "idtyp", "gty"].contains(&claim.as_str());
        is_kind && *value != Scalar::Boolean(true)
    });
    // The audience of an ID token is the id of a client (OpenID Connect Core section 2), and no client's is a URI.
    let is_uri = |audience: &String| audience.contains("://");
    let by_audience = !issuer.audience.is_empty() && issuer.audience.iter().all(is_uri);
    // It is a claim of access tokens (RFC 9068 section 2.2), and of no ID token.
    let by_client = !issuer.client_id.is_empty();
    // Google's access tokens are opaque, so the application has nothing else to send.
    let only_id_tokens = issuer.issuer == "https://accounts.google.com";
    // Not of people: there are no ID tokens.
    let of_jobs = issuer.issuer == "https://token.actions.githubusercontent.com";
    by_type || by_claim || by_audience || by_client || only_id_tokens || of_jobs
}

fn kind_is_open(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers().filter(|issuer| !is_cognito(issuer.document)) {
        if says_the_kind(issuer.document) {
            continue;
        }
        let opens = |rule: &RuleView<'_>| {
            !rule.is_anonymous()
                && !asks_for_a_right(rule)
                && rule.issuers.iter().any(|one| one.name == issuer.document.name)
        };
        if let Some(rule) = subject.allows().find(opens) {
            let message = format!(
                "an ID token of issuer `{}` for the same audience does for rule `{}`, which asks for no scope",
                issuer.name(),
                rule.id()
            );
            found.push(issuer.found_in("name", message));
        }
    }
    found
}

fn is_cognito(issuer: &IssuerDocument) -> bool {
    host_of(&issuer.issuer).is_some_and(|host| host.starts_with("cognito-idp.") && host.contains(".amazonaws.com"))
}

fn cognito(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject
        .issuers()
        .filter(|issuer| is_cognito(issuer.document) && !issuer.document.required.contains_key("token_use"));
    open.map(|issuer| {
        let name = issuer.name();
        let (severity, message) = match issuer.document.client_id.is_empty() {
            true => (Severity::Medium, format!("issuer `{name}` takes ID tokens, and does not say so")),
            false => (Severity::Low, format!("issuer `{name}` does not say that it takes access tokens alone")),
        };
        issuer.found_in("name", message).severity(severity)
    })
    .collect()
}

fn no_lifetime(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject.issuers().filter(|issuer| issuer.document.max_lifetime_seconds.is_none());
    open.map(|issuer| {
        let message = format!("issuer `{}` has no `max_lifetime_seconds`", issuer.name());
        issuer.found_in("name", message)
    })
    .collect()
}

fn long_lifetime(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let long =
        subject.issuers().filter(|issuer| issuer.document.max_lifetime_seconds.is_some_and(|most| most > 86_400));
    long.map(|issuer| {
        let seconds = issuer.document.max_lifetime_seconds.unwrap_or_default();
        let message = format!("tokens of issuer `{}` may live for {seconds} seconds", issuer.name());
        issuer.found_in("max_lifetime_seconds", message)
    })
    .collect()
}

fn many_audiences(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let many = subject.issuers().filter(|issuer| issuer.document.audience.len() > 3);
    many.map(|issuer| {
        let message = format!("issuer `{}` takes {}", issuer.name(), list(&issuer.document.audience));
        issuer.found_in("audience", message)
    })
    .collect()
}

fn every_audience(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let document = issuer.document;
        // Auth0's.
        let own_apis = ["/userinfo", "/api/v2/"]
            .map(|path| format!("{}{path}", document.issuer.trim_end_matches('/')));
        for (index, audience) in document.audience.iter().enumerate() {
            let why = match audience.as_str() {
                "*" => "is a text like any other, and no pattern",
                "account" if document.issuer.contains("/realms/") => "is in nearly every token of Keycloak",
                "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => "is Microsoft Graph's",
                other if other == document.issuer => "is the issuer's own",
                other if own_apis.iter().any(|api| api == other) => "is that of an API of the provider",
                _ => continue,
            };
            let place = issuer.place().then("audience").at(index);
            let message = format!("issuer `{}`: the audience `{audience}` {why}", issuer.name());
            found.push(issuer.found_at(place, message));
        }
    }
    found
}

fn without_key(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    // What a URL will give is not known.
    for issuer in subject.issuers().filter(|issuer| issuer.keys_url().is_none()) {
        for (index, algorithm) in issuer.signature_algorithms() {
            if !issuer.keys().any(|key| key.verifies(&[algorithm])) {
                let place = issuer.place().then("algorithms").at(index);
                let message = format!("no key of issuer `{}` fits {}", issuer.name(), algorithm.name());
                found.push(issuer.found_at(place, message));
            }
        }
    }
    found
}
