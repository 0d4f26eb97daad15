//! Whose tokens are trusted, and which of them.

use authorizer_core::Scalar;
use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::ClaimTest;
use authorizer_policy::providers::{Anyone, Provider};

use super::claims::{asks_for_a_right, host_of};
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{IssuerView, PolicySubject, RuleView, list};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA080",
            name: "issuer-over-http",
            severity: Severity::Medium,
            title: "an issuer's address uses plain HTTP",
            why: "The issuer's keys and its sign-in page come over a connection on which an attacker can answer \
              in its place. So an attacker's keys may get into the key file. An issuer is an `https` address \
              (RFC 8414 section 2).",
            remedy: "make the provider use `https`, and write that issuer",
        },
        over_http,
    ),
    (
        Check {
            id: "EA081",
            name: "issuer-that-anyone-can-join",
            severity: Severity::High,
            title: "a rule accepts every token of an issuer at which anyone can get a token",
            why: "At this provider anyone can open an account, or run a job, and get a token that verifies. The \
              audience does not help if the person who requests the token chooses it, or if the application \
              lets anyone sign in.",
            remedy: "say who is meant: in the issuer's `required` (`hd` at Google, `repository_owner` at \
                 GitHub), in the rule's `when`, or by `{sub}` in its keys",
        },
        anyone_joins,
    ),
    (
        Check {
            id: "EA082",
            name: "issuer-names-no-tenant",
            severity: Severity::Medium,
            title: "an issuer's address does not name a tenant",
            why: "`common`, `organizations`, `consumers` and `{tenantid}` stand for a tenant in metadata, but \
              never in a token. So no token of this issuer verifies.",
            remedy: "write the issuer with the tenant's id",
        },
        no_tenant,
    ),
    (
        Check {
            id: "EA083",
            name: "issuers-alike",
            severity: Severity::Low,
            title: "two issuers differ only in a slash at the end or in capitals",
            why: "The value of `iss` must match exactly, and a provider uses one of the two. The other block \
              accepts nothing. Or it accepts too much, if somebody else can set up that name at the \
              provider.",
            remedy: "keep the one that the tokens have",
        },
        alike,
    ),
    (
        Check {
            id: "EA084",
            name: "issuer-unused",
            severity: Severity::Low,
            title: "no allow rule accepts an issuer's tokens",
            why: "These tokens give access to nothing. But a rule without `issuers` that somebody writes later \
              accepts them.",
            remedy: "remove the block, or write the rule that is missing",
        },
        unused,
    ),
    (
        Check {
            id: "EA085",
            name: "leeway-is-long",
            severity: Severity::Low,
            title: "an issuer's leeway is more than a minute",
            why: "An expired token is valid for that much longer, and so is a stolen one. Clocks that use NTP \
              differ by less than a second.",
            remedy: "set `leeway_seconds` to at most 60 (default: 30)",
        },
        long_leeway,
    ),
    (
        Check {
            id: "EA086",
            name: "kind-of-token-is-open",
            severity: Severity::Medium,
            title: "nothing distinguishes an issuer's access tokens from its ID tokens",
            why: "An ID token tells an application who signed in. It is stored and passed on where tokens for an \
              API are not (RFC 8725 section 3.11, RFC 9068 section 5). Here it gives access to files.",
            remedy: "add `token_type = \"at+jwt\"`, or add the claim that says the kind to `required`, or \
                 require a scope in every rule (`authorizer help providers`)",
        },
        kind_is_open,
    ),
    (
        Check {
            id: "EA087",
            name: "cognito-without-token-use",
            severity: Severity::Medium,
            title: "the block of an Amazon Cognito user pool does not require `token_use`",
            why: "Cognito's ID and access tokens have the same issuer, the same keys and no `typ`. Only \
              `token_use` distinguishes them, and AWS says to check it. Without it the kind of a token \
              depends on whether it has `aud` or `client_id`, which a setting of the application changes.",
            remedy: "add `required = { token_use = \"access\" }`",
        },
        cognito,
    ),
    (
        Check {
            id: "EA088",
            name: "no-longest-lifetime",
            severity: Severity::Informational,
            title: "an issuer's block sets no longest lifetime for tokens",
            why: "Only a new package can revoke a token, so a token is trusted until it expires. Somebody can \
              change a setting of the provider and make that a year.",
            remedy: "set `max_lifetime_seconds` to the lifetime that the provider is set to",
        },
        no_lifetime,
    ),
    (
        Check {
            id: "EA089",
            name: "lifetime-is-long",
            severity: Severity::Low,
            title: "an issuer's tokens may be valid for more than a day",
            why: "A token that leaks, or whose owner left, gives access until it expires.",
            remedy: "set the provider to a lifetime of about an hour, and write that in `max_lifetime_seconds`",
        },
        long_lifetime,
    ),
    (
        Check {
            id: "EA090",
            name: "audiences-are-many",
            severity: Severity::Low,
            title: "an issuer's block accepts more than three audiences",
            why: "Each audience is a service whose tokens are accepted here. An attacker who breaks into one of \
              them can get files in the name of its users (RFC 8725 section 3.9).",
            remedy: "give the bucket an audience of its own",
        },
        many_audiences,
    ),
    (
        Check {
            id: "EA091",
            name: "audience-of-every-service",
            severity: Severity::High,
            title: "an audience is also in tokens for other services",
            why: "The audience should keep tokens for other services out, but they have this one too. The \
              provider puts it into every token, or it belongs to an API of the provider.",
            remedy: "give the bucket an audience of its own at the provider",
        },
        every_audience,
    ),
    (
        Check {
            id: "EA092",
            name: "algorithm-without-key",
            severity: Severity::Low,
            title: "an issuer may sign with an algorithm that fits none of its keys",
            why: "No token with this algorithm verifies today. If a key for it comes into the key file later, it \
              is trusted, although nobody reviewed it.",
            remedy: "remove the algorithm, or fetch the keys again (`authorizer keys fetch`)",
        },
        without_key,
    ),
]);

fn over_http(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let plain = subject.issuers().filter(|issuer| {
        issuer.document.issuer.starts_with("http://")
            // The issuer of AD FS's access tokens is a name; its metadata and keys are at `https://HOST/adfs`.
            && !issuer.document.issuer.ends_with("/adfs/services/trust")
            && !host_of(&issuer.document.issuer).is_some_and(super::browser::is_this_machine)
    });
    plain
        .map(|issuer| {
            let address = &issuer.document.issuer;
            issuer.found_in("issuer", format!("issuer `{}` is `{address}`", issuer.name()))
        })
        .collect()
}

fn anyone_joins(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows().filter(|rule| !rule.is_anonymous()) {
        for issuer in &rule.issuers {
            let anyone = Provider::of(&issuer.issuer).and_then(|provider| provider.anyone.as_ref());
            let Some(anyone) = anyone else { continue };
            let Anyone { who, narrowed_by, .. } = anyone;
            let is_narrow = |claim: &str| claim == "sub" || narrowed_by.iter().any(|one| one == claim);
            let by_issuer = issuer.required.keys().any(|claim| is_narrow(claim));
            let by_rule = rule.rule.conditions().iter().any(|condition| match &condition.test {
                ClaimTest::Present(_) => false,
                // A verified address of the provider's own domain belongs to one person.
                ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) => {
                    is_narrow(&condition.claim) || condition.claim == "email"
                }
                // Anyone can choose a name that begins with another's.
                ClaimTest::StartsWith(beginning) => anyone.names_an_owner(&condition.claim, beginning),
            });
            // One pattern without a claim is enough.
            let open = rule.patterns().find(|(_, pattern)| pattern.claims().next().is_none());
            let Some((place, pattern)) = open.filter(|_| !by_issuer && !by_rule) else { continue };
            let is_all = rule.rule.keys().iter().all(|pattern| pattern.claims().next().is_none());
            let name = &issuer.name;
            found.push(match is_all {
                true => rule.found(format!("rule `{}` allows {who}, through issuer `{name}`", rule.id())),
                false => rule.found_at(
                    place,
                    format!("rule `{}` allows {who} on `{pattern}`, through issuer `{name}`", rule.id()),
                ),
            });
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
            issuer.found_in(
                "issuer",
                format!("issuer `{}` is `{address}`, which tokens never have", issuer.name()),
            )
        })
        .collect()
}

fn alike(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let plain = |issuer: &IssuerDocument| issuer.issuer.trim_end_matches('/').to_ascii_lowercase();
    let all: Vec<_> = subject.issuers().collect();
    let mut found = Vec::new();
    for (index, issuer) in all.iter().enumerate() {
        if let Some(before) =
            all.iter().take(index).find(|before| plain(before.document) == plain(issuer.document))
        {
            let message =
                format!("issuer `{}` has nearly the same address as `{}`", issuer.name(), before.name());
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
            issuer.found_in("name", format!("no allow rule accepts tokens of issuer `{}`", issuer.name()))
        })
        .collect()
}

fn long_leeway(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let long = subject.issuers().filter(|issuer| issuer.document.leeway_seconds > 60);
    long.map(|issuer| {
        let seconds = issuer.document.leeway_seconds;
        issuer.found_in(
            "leeway_seconds",
            format!("issuer `{}` has a leeway of {seconds} seconds", issuer.name()),
        )
    })
    .collect()
}

/// Whether the block itself refuses ID tokens, or accepts nothing else.
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
    // It is a claim of access tokens (RFC 9068 section 2.2), not of ID tokens.
    let by_client = !issuer.client_id.is_empty();
    // Some providers have one kind of tokens for others: Google's access tokens are opaque, and jobs are not people.
    let is_only_kind = Provider::of(&issuer.issuer).is_some_and(|provider| provider.kinds().count() == 1);
    by_type || by_claim || by_audience || by_client || is_only_kind
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
                "an ID token of issuer `{}` for the same audience is enough for rule `{}`, which requires no scope",
                issuer.name(),
                rule.id()
            );
            found.push(issuer.found_in("name", message));
        }
    }
    found
}

fn is_cognito(issuer: &IssuerDocument) -> bool {
    host_of(&issuer.issuer)
        .is_some_and(|host| host.starts_with("cognito-idp.") && host.contains(".amazonaws.com"))
}

fn cognito(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject
        .issuers()
        .filter(|issuer| is_cognito(issuer.document) && !issuer.document.required.contains_key("token_use"));
    open.map(|issuer| {
        let name = issuer.name();
        let (severity, message) = match issuer.document.client_id.is_empty() {
            true => (
                Severity::Medium,
                format!("issuer `{name}` accepts ID tokens, and its block does not say so"),
            ),
            false => (
                Severity::Low,
                format!("the block of issuer `{name}` does not say that it accepts access tokens only"),
            ),
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
    let long = subject
        .issuers()
        .filter(|issuer| issuer.document.max_lifetime_seconds.is_some_and(|most| most > 86_400));
    long.map(|issuer| {
        let seconds = issuer.document.max_lifetime_seconds.unwrap_or_default();
        let message = format!("tokens of issuer `{}` may be valid for {seconds} seconds", issuer.name());
        issuer.found_in("max_lifetime_seconds", message)
    })
    .collect()
}

fn many_audiences(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let many = subject.issuers().filter(|issuer| issuer.document.audience.len() > 3);
    many.map(|issuer| {
        let message = format!("issuer `{}` accepts {}", issuer.name(), list(&issuer.document.audience));
        issuer.found_in("audience", message)
    })
    .collect()
}

fn every_audience(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let document = issuer.document;
        // Auth0's.
        let own_apis =
            ["/userinfo", "/api/v2/"].map(|path| format!("{}{path}", document.issuer.trim_end_matches('/')));
        for (index, audience) in document.audience.iter().enumerate() {
            let why = match audience.as_str() {
                "*" => "is plain text here, not a pattern",
                "account" if document.issuer.contains("/realms/") => "is in nearly every token of Keycloak",
                "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => {
                    "belongs to Microsoft Graph"
                }
                other if other == document.issuer => "is the issuer's own address",
                other if own_apis.iter().any(|api| api == other) => "belongs to an API of the provider",
                _ => continue,
            };
            let place = issuer.place().then("audience").at(index);
            let message = format!("issuer `{}`: the audience `{audience}` {why}", issuer.name());
            let severity = if audience == "*" { Severity::Medium } else { Severity::High };
            found.push(issuer.found_at(place, message).severity(severity));
        }
    }
    found
}

fn without_key(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    // The keys from a URL are not known here.
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
