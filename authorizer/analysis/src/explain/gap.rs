//! What a rule lacks for a request: each part that does not hold, and what would have to differ.
//!
//! Nothing here is guessed. A change is said only if the core's own matching holds for what it leads to.

use std::fmt::Write as _;
use std::net::IpAddr;

use authorizer_core::operation::{LengthHeader, S3Operation};
use authorizer_core::policy::Policy;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::request::Resource;
use authorizer_core::rules::{
    Access, ClaimTest, Claims, Condition, Effect, IpNet, KeyPattern, MetadataTerm, PrincipalConstraint, Rule,
    Segment, is_numeric_date,
};
use authorizer_core::token::Principal;
use authorizer_core::{MediaRange, MediaType, UnixTime};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::nearest;
use crate::host::host_of;
use crate::parts::{Part, failing};
use crate::supposed::value_of;
use crate::words::{bytes_in_words, instant_in_words, on_one_line};

/// A part of a rule that does not hold for a request.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Gap {
    /// The field of the rule, such as `when.role`.
    pub part: String,
    /// What would have to be, as the rest of a sentence that begins with "if", and what is instead. `None` if nothing
    /// could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Whether the whole rule would match then: this is all that it lacks.
    pub is_all: bool,
    /// Changes of the request, each of which makes the part hold: all changes of one way together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Vec<Change>>,
}

/// One change of a request, its token or its time.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This operation.
    Operation(S3Operation),
    /// This object key.
    Key(String),
    /// This prefix of a listing.
    Prefix(String),
    /// A token of the issuer with this name in the policy.
    Issuer(String),
    /// This claim has this value; without a value, it is not there.
    Claim {
        /// The name.
        name: String,
        /// The value.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
    },
    /// This time, in seconds since 1970.
    Time(u64),
    /// This address.
    SourceIp(IpAddr),
    /// Without this query parameter.
    WithoutParameter(&'static str),
    /// Without this header.
    WithoutHeader(String),
    /// This header has this value.
    Header {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
}

/// Every part of the rule that does not hold, in the order in which they are checked.
pub(super) fn gaps(rule: &Rule, access: &Access<'_>, policy: &Policy) -> Vec<Gap> {
    let mut parts = failing(rule, access);
    // The keys are checked first.
    parts.sort_by_key(|part| *part != Part::Keys);
    let is_only = parts.len() == 1;
    let case = Case { rule, access, policy };
    parts
        .iter()
        .map(|part| {
            let Need { needs, ways, is_all } = case.need(part);
            Gap { part: part.to_string(), needs, is_all: is_only && is_all && !ways.is_empty(), ways }
        })
        .collect()
}

/// A rule and a request.
struct Case<'c> {
    rule: &'c Rule,
    access: &'c Access<'c>,
    policy: &'c Policy,
}

/// What a part needs.
struct Need {
    needs: Option<String>,
    ways: Vec<Vec<Change>>,
    /// Whether the other parts hold as before.
    is_all: bool,
}

impl Need {
    fn of(needs: String, ways: Vec<Vec<Change>>) -> Self {
        Self { needs: Some(needs), ways, is_all: true }
    }

    fn one(needs: String, change: Change) -> Self {
        Self::of(needs, vec![vec![change]])
    }
}

impl<'c> Case<'c> {
    fn need(&self, part: &Part) -> Need {
        let Self { rule, access, .. } = *self;
        match part {
            Part::Keys => self.keys(),
            Part::Operations => self.operation(),
            Part::Token | Part::Issuers => self.issuer(),
            Part::NotBefore => self.time(true),
            Part::NotAfter => self.time(false),
            Part::SourceIps => self.source(),
            Part::Hosts => self.host(),
            Part::Condition(claim) => match rule.conditions().iter().find(|one| one.claim == *claim) {
                Some(condition) => self.condition(condition),
                None => Need { needs: None, ways: Vec::new(), is_all: false },
            },
            Part::Overrides => {
                let asked = access.request.overrides().iter();
                without(asked.filter(|one| !rule.overrides().contains(one)).map(|one| one.name()).collect())
            }
            Part::Parameters => {
                let asked = access.request.extras().iter();
                without(asked.filter(|one| !rule.parameters().contains(one)).map(|one| one.name()).collect())
            }
            Part::Header => self.headers(),
            Part::MaxBytes => self.length(),
            Part::ContentTypes => self.media_type(),
            Part::Metadata(name) => self.metadata(name),
        }
    }

    fn operation(&self) -> Need {
        let (request, possible) = (&self.access.request, self.policy.possible().operations);
        let asked = request.operation();
        let is_listing = matches!(request.resource(), Resource::Prefix(_));
        let own = self.rule.operations();
        // One that the policy knows at all, and that has the same kind of target, comes first.
        let rank = |one: &S3Operation| (one.is_listing() != is_listing, one.method() != asked.method());
        let mut ways: Vec<S3Operation> = own.iter().filter(|one| possible.contains(*one)).collect();
        ways.sort_by_key(rank);
        // The limits for downloads and uploads depend on the operation.
        let is_plain = request.overrides().is_empty() && request.extras().is_empty();
        let keeps = |one: &S3Operation| is_plain && one.is_listing() == is_listing && !one.is_upload();
        let is_all = ways.iter().any(keeps);
        ways.retain(|one| keeps(one) == is_all);
        let names: Vec<&str> = match ways.is_empty() {
            true => own.iter().map(S3Operation::name).collect(),
            false => ways.iter().map(|one| one.name()).collect(),
        };
        let needs = format!("the operation was {} (it is {})", alternatives(&names), asked.name());
        Need { is_all, ..Need::of(needs, ways.into_iter().map(|one| vec![Change::Operation(one)]).collect()) }
    }

    fn issuer(&self) -> Need {
        let names: Vec<&str> = match self.rule.principals() {
            PrincipalConstraint::Issuers(names) => names.iter().map(String::as_str).collect(),
            PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer => {
                self.policy.issuers().iter().map(|issuer| issuer.name()).collect()
            }
        };
        let is = match &self.access.principal {
            Principal::Anonymous => "there is none".to_owned(),
            Principal::Verified(claims) => format!("it is from `{}`", claims.issuer().name()),
        };
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let ways = names.first().map(|name| vec![Change::Issuer((*name).to_owned())]).into_iter().collect();
        Need::of(format!("the request had a token from {} ({is})", alternatives(&quoted)), ways)
    }

    /// For a time before the rule's period, or after it.
    fn time(&self, is_before: bool) -> Need {
        let period = self.rule.period();
        let is = match self.access.at.as_seconds() {
            u64::MAX => "the clock says nothing".to_owned(),
            _ => format!("it is {}", instant_in_words(self.access.at)),
        };
        // A token that is not valid at that time is refused before the rules.
        let token = match &self.access.principal {
            Principal::Anonymous => "",
            Principal::Verified(_) => ", and the token was valid then",
        };
        let when = match (period.not_before, period.not_after) {
            (Some(first), Some(end)) => {
                format!("{} or later, and before {}", instant_in_words(first), instant_in_words(end))
            }
            (Some(first), None) => format!("{} or later", instant_in_words(first)),
            (None, Some(end)) => format!("before {}", instant_in_words(end)),
            (None, None) => "another one".to_owned(),
        };
        let now = match is_before {
            true => period.not_before.map(UnixTime::as_seconds),
            false => period.not_after.and_then(|end| end.as_seconds().checked_sub(1)),
        };
        let now = now.filter(|now| period.contains(UnixTime::from_seconds(*now)));
        let claims = self.access.claims();
        let second = |name: &str| claims.get(name).and_then(Value::as_f64);
        let is_valid = |now: u64| {
            let now = std::time::Duration::from_secs(now).as_secs_f64();
            second("exp").is_none_or(|exp| now < exp) && second("nbf").is_none_or(|nbf| nbf <= now)
        };
        Need {
            is_all: now.is_some_and(is_valid),
            ..Need::of(
                format!("the time was {when}{token} ({is})"),
                now.map(|now| vec![Change::Time(now)]).into_iter().collect(),
            )
        }
    }

    fn source(&self) -> Need {
        let networks = self.rule.sources().unwrap_or_default();
        let names: Vec<String> = networks.iter().map(ToString::to_string).collect();
        let needs = format!("the address was in {} (it is {})", alternatives(&names), self.access.source);
        // The address after the network's own, where there is one.
        let way = networks.first().map(|network: &IpNet| network.hosts().next().unwrap_or(network.addr()));
        Need::of(needs, way.map(|address| vec![Change::SourceIp(address)]).into_iter().collect())
    }

    fn host(&self) -> Need {
        let hosts = self.rule.hosts().unwrap_or_default();
        let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let is = match &self.access.host {
            Some(host) => format!("it is {host}"),
            None => "the request does not have exactly one `Host` that is a host name".to_owned(),
        };
        let way = hosts.first().and_then(host_of);
        let way = way.map(|value| vec![Change::Header { name: "Host".to_owned(), value }]);
        Need::of(format!("the host was {} ({is})", alternatives(&names)), way.into_iter().collect())
    }

    fn headers(&self) -> Need {
        let Some(upload) = self.access.request.upload() else { return without_headers(Vec::new()) };
        let terms = self.rule.terms();
        let checksums = upload.checksums.iter().filter(|(_, one)| !terms.checksums.takes(**one));
        let metadata = upload.metadata.keys().filter(|name| !terms.metadata.contains_key(*name));
        let metadata = metadata.map(|name| format!("x-amz-meta-{name}"));
        without_headers(checksums.map(|(name, _)| name.clone()).chain(metadata).collect())
    }

    fn length(&self) -> Need {
        let most = self.rule.terms().max_bytes.unwrap_or_default();
        let operation = self.access.request.operation();
        let header = operation.length().unwrap_or(LengthHeader::ContentLength);
        let length = self.access.request.upload().and_then(|upload| match header {
            LengthHeader::ContentLength => upload.length,
            LengthHeader::ObjectSize => upload.object_size,
        });
        let words = bytes_in_words(most);
        let needs = match length {
            Some(length) => {
                format!("the upload was at most {words} long (it is {})", bytes_in_words(length))
            }
            None => format!("the upload gave its length in `{}`, at most {words}", header.name()),
        };
        let length = length.unwrap_or(most).min(most);
        Need::one(needs, Change::Header { name: header.name().to_owned(), value: length.to_string() })
    }

    fn media_type(&self) -> Need {
        let ranges = self.rule.terms().content_types.as_deref().unwrap_or_default();
        let names: Vec<String> = ranges.iter().map(|range| format!("`{range}`")).collect();
        let is = match self.access.request.upload().and_then(|upload| upload.media_type.as_ref()) {
            Some(one) => format!("it is `{one}`"),
            None => "there is none that can be read".to_owned(),
        };
        let way = example_of(ranges).map(|value| Change::Header { name: "content-type".to_owned(), value });
        let needs = format!("the content type was {} ({is})", alternatives(&names));
        Need::of(needs, way.map(|way| vec![way]).into_iter().collect())
    }

    fn metadata(&self, name: &str) -> Need {
        let header = format!("x-amz-meta-{name}");
        let is = self.access.request.upload().and_then(|upload| upload.metadata.get(name));
        let claims = self.access.claims();
        let value = match self.rule.terms().metadata.get(name) {
            Some(MetadataTerm::Literal(text)) => Some(text.as_str()),
            Some(MetadataTerm::Claim(claim)) => {
                let value = claims.get(claim).and_then(Value::as_str);
                let usable = |value: &&str| !value.is_empty() && authorizer_core::upload::is_metadata(value);
                let Some(value) = value.filter(usable) else {
                    let text = is.map_or("x", String::as_str);
                    let needs = format!(
                        "the claim `{}` was a text that a header can have{}",
                        on_one_line(claim),
                        self.instead(claim)
                    );
                    let change = Change::Claim { name: claim.clone(), value: Some(text.into()) };
                    return Need { is_all: false, ..Need::of(needs, self.with_token(vec![change])) };
                };
                Some(value)
            }
            Some(MetadataTerm::Any) | None => None,
        };
        let needs = format!(
            "the metadata `{name}` was {:?}, or was left out{}",
            value.unwrap_or_default(),
            is.map(|is| format!(" (it is {})", shown(&Value::from(is.as_str())))).unwrap_or_default()
        );
        let set = value.map(|value| vec![Change::Header { name: header.clone(), value: value.to_owned() }]);
        Need::of(needs, set.into_iter().chain([vec![Change::WithoutHeader(header)]]).collect())
    }

    fn condition(&self, condition: &Condition) -> Need {
        let name = &condition.claim;
        let is = self.access.claims().get(name);
        let values = match &condition.test {
            ClaimTest::Equals(value) => vec![Some(value_of(value))],
            ClaimTest::Any(values) => values.iter().map(|value| Some(value_of(value))).collect(),
            ClaimTest::Has(word) => with_word(is, word),
            ClaimTest::StartsWith(beginning) => vec![Some(beginning.as_str().into())],
            ClaimTest::Present(true) => match is_numeric_date(name) {
                true => vec![Some(self.access.at.as_seconds().into())],
                false => vec![Some("x".into())],
            },
            ClaimTest::Present(false) => vec![None],
        };
        let ways: Vec<(Option<Value>, bool)> = values
            .into_iter()
            .filter(|value| condition.holds(value.as_ref()))
            .map(|value| {
                let changed = nearest::with_claim(&self.own_claims(), name, value.as_ref());
                let keeps =
                    changed.is_some_and(|changed| self.holds_but(&Part::Condition(name.clone()), &changed));
                (value, keeps)
            })
            .collect();
        let is_all = ways.iter().any(|(_, keeps)| *keeps);
        let kept: Vec<Option<Value>> =
            ways.into_iter().filter(|(_, keeps)| *keeps == is_all).map(|(value, _)| value).collect();
        // Only these values are known to leave the other parts as they are.
        let is_only_these = is_all && self.is_read_elsewhere(name);
        let needs = self.test_in_words(condition, &kept, is_only_these);
        let change = |value| Change::Claim { name: name.clone(), value };
        let ways = kept.into_iter().flat_map(|value| self.with_token(vec![change(value)])).collect();
        Need { is_all, ..Need::of(format!("{needs}{}", self.instead(name)), ways) }
    }

    /// What a claim would have to be: one of these values, or whatever the test takes.
    fn test_in_words(&self, condition: &Condition, values: &[Option<Value>], is_only_these: bool) -> String {
        let claim = format!("the claim `{}`", on_one_line(&condition.claim));
        let of_values = || {
            let words: Vec<String> = values.iter().flatten().map(shown).collect();
            format!("{claim} was {}", alternatives(&words))
        };
        match &condition.test {
            ClaimTest::Equals(value) => format!("{claim} was {value}"),
            ClaimTest::Any(all) if values.is_empty() => {
                format!(
                    "{claim} was {}",
                    alternatives(&all.iter().map(ToString::to_string).collect::<Vec<_>>())
                )
            }
            ClaimTest::Any(_) => of_values(),
            ClaimTest::Present(false) => format!("the token did not have {claim}"),
            ClaimTest::Has(_) | ClaimTest::StartsWith(_) | ClaimTest::Present(true) if is_only_these => {
                of_values()
            }
            // In a text, it would be several words.
            ClaimTest::Has(word) if word.contains(' ') => {
                format!("{claim} was an array with {}", shown(&word.as_str().into()))
            }
            ClaimTest::Has(word) => format!("{claim} held {}", shown(&word.as_str().into())),
            ClaimTest::StartsWith(beginning) => {
                format!("{claim} began with {}", shown(&beginning.as_str().into()))
            }
            ClaimTest::Present(true) => format!("the token had {claim}"),
        }
    }

    /// Whether more than the condition on a claim may depend on it: another part of the rule, or whether the token is valid.
    fn is_read_elsewhere(&self, name: &str) -> bool {
        let rule = self.rule;
        let in_keys = rule.keys().iter().flat_map(KeyPattern::claims);
        let in_metadata = rule.terms().metadata.values().filter_map(|term| match term {
            MetadataTerm::Claim(claim) => Some(claim.as_str()),
            MetadataTerm::Literal(_) | MetadataTerm::Any => None,
        });
        let in_conditions =
            rule.conditions().iter().map(|one| one.claim.as_str()).filter(|other| *other != name);
        // A path may lead into another claim.
        let is_path = |one: &str| one.starts_with('/');
        let is_same = |other: &str| other == name || is_path(other) || is_path(name);
        let in_required = match &self.access.principal {
            Principal::Anonymous => false,
            Principal::Verified(claims) => claims.issuer().required().iter().any(|(other, _)| is_same(other)),
        };
        is_numeric_date(name) || in_required || in_keys.chain(in_metadata).chain(in_conditions).any(is_same)
    }

    /// The value of a claim, in parentheses.
    fn instead(&self, name: &str) -> String {
        match (&self.access.principal, self.access.claims().get(name)) {
            (Principal::Anonymous, _) => " (there is no token)".to_owned(),
            (Principal::Verified(_), Some(is)) => format!(" (it is {})", shown(is)),
            (Principal::Verified(_), None) => " (the token does not have it)".to_owned(),
        }
    }

    /// The changes, for a token that has to be there.
    fn with_token(&self, mut changes: Vec<Change>) -> Vec<Vec<Change>> {
        if matches!(self.access.principal, Principal::Verified(_)) {
            return vec![changes];
        }
        let first = match self.rule.principals() {
            PrincipalConstraint::Issuers(names) => names.first().map(String::as_str),
            PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer => {
                self.policy.issuers().first().map(|issuer| issuer.name())
            }
        };
        let Some(first) = first else { return Vec::new() };
        changes.insert(0, Change::Issuer(first.to_owned()));
        vec![changes]
    }

    fn own_claims(&self) -> Map<String, Value> {
        match &self.access.principal {
            Principal::Anonymous => Map::new(),
            Principal::Verified(verified) => verified.claims().clone(),
        }
    }

    /// Whether all that reads claims, but this part, holds for these as it does for the token's own.
    fn holds_but(&self, part: &Part, claims: &Map<String, Value>) -> bool {
        let claims = Claims::Known(claims);
        let (rule, own) = (self.rule, self.access.claims());
        let keys = *part == Part::Keys
            || rule.keys().iter().any(|pattern| self.matches(pattern, claims))
            || !rule.keys().iter().any(|pattern| self.matches(pattern, own));
        let conditions = rule.conditions().iter().all(|one| {
            *part == Part::Condition(one.claim.clone())
                || one.holds(claims.get(&one.claim))
                || !one.holds(own.get(&one.claim))
        });
        let terms = self.access.request.upload().is_none_or(|upload| {
            let check = |claims| rule.terms().check(self.access.request.operation(), upload, claims).is_ok();
            check(claims) || !check(own)
        });
        keys && conditions && terms
    }

    fn matches(&self, pattern: &KeyPattern, claims: Claims<'_>) -> bool {
        match (self.access.request.resource(), self.rule.effect()) {
            (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, claims),
            (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, claims),
            (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, claims),
        }
    }

    fn keys(&self) -> Need {
        let claims = self.access.claims();
        let is = self.access.request.resource().as_str();
        let near =
            self.rule.keys().iter().filter_map(|pattern| Some((pattern, self.nearest(pattern, claims)?)));
        let near = near.min_by_key(|(_, (_, cost))| *cost);
        let bound = self.rule.keys().iter().find_map(|pattern| self.bound(pattern));
        let mut needs = String::new();
        let mut ways = Vec::new();
        if let Some((pattern, (key, _))) = near {
            needs.push_str(&self.in_words(pattern, &key, is, claims));
            ways.push(vec![match self.access.request.resource() {
                Resource::Object(_) => Change::Key(key),
                Resource::Prefix(_) => Change::Prefix(key),
            }]);
        }
        // A way that breaks another part is said only where there is no other.
        if let Some((bound, keeps)) = bound.filter(|(_, keeps)| *keeps || ways.is_empty()) {
            if !needs.is_empty() {
                needs.push_str(", or if ");
            }
            let mut changes = Vec::new();
            for (index, (name, value)) in bound.into_iter().enumerate() {
                let and = if index > 0 { " and " } else { "" };
                let _ = write!(
                    needs,
                    "{and}the claim `{}` was {}{}",
                    on_one_line(&name),
                    shown(&value),
                    self.instead(&name)
                );
                changes.push(Change::Claim { name, value: Some(value) });
            }
            let is_all = !ways.is_empty() || keeps;
            ways.extend(self.with_token(changes));
            return Need { is_all, ..Need::of(needs, ways) };
        }
        match ways.is_empty() {
            true => Need { needs: self.without_value(), ways, is_all: false },
            false => Need::of(needs, ways),
        }
    }

    /// A pattern has a claim that the token does not have, or not as a text that a key can hold.
    fn without_value(&self) -> Option<String> {
        let claims = self.access.claims();
        let lacking = |pattern: &KeyPattern| {
            pattern.claims().find(|name| nearest::values(claims, name).is_empty()).map(str::to_owned)
        };
        let name = self.rule.keys().iter().find_map(lacking)?;
        let instead = self.instead(&name);
        Some(format!(
            "the claim `{}` was a text without a slash, and the key had it{instead}",
            on_one_line(&name)
        ))
    }

    /// The nearest key or prefix that the pattern matches, and how near it is.
    fn nearest(&self, pattern: &KeyPattern, claims: Claims<'_>) -> Option<(String, usize)> {
        let resource = self.access.request.resource();
        if let Resource::Object(_) = resource {
            let (key, cost) = nearest::key(pattern, resource.as_str(), claims)?;
            return Some((key.as_str().to_owned(), cost));
        }
        // All keys that begin with the prefix, or one of them.
        let whole = resource.as_str().rsplit_once('/').map_or("", |(whole, _)| whole);
        let below = [format!("{whole}/x"), "x".to_owned()];
        below.iter().map(|text| text.trim_start_matches('/')).find_map(|text| {
            let (key, cost) = nearest::key(pattern, text, claims)?;
            let folder =
                key.as_str().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            [folder, key.as_str().to_owned()]
                .into_iter()
                .find(|one| {
                    KeyPrefix::new(one.clone()).is_ok_and(|one| match self.rule.effect() {
                        Effect::Allow => pattern.holds_all(&one, claims),
                        Effect::Deny => pattern.holds_any(&one, claims),
                    })
                })
                .map(|one| (one, cost))
        })
    }

    /// The claims by which the pattern would match, and whether the rest of the rule holds with them.
    fn bound(&self, pattern: &KeyPattern) -> Option<(Map<String, Value>, bool)> {
        let resource = self.access.request.resource();
        let text = match resource {
            Resource::Object(_) => resource.as_str().to_owned(),
            Resource::Prefix(_) => format!("{}x", resource.as_str()),
        };
        let bound = nearest::bindings(pattern, &text)?;
        let mut claims = self.own_claims();
        for (name, value) in &bound {
            claims = nearest::with_claim(&claims, name, Some(value))?;
        }
        if !self.matches(pattern, Claims::Known(&claims)) {
            return None;
        }
        let keeps = self.holds_but(&Part::Keys, &claims);
        // Of a claim that is already so, nothing has to differ.
        let own = self.access.claims();
        let differ = bound.into_iter().filter(|(name, value)| own.get(name) != Some(value)).collect();
        Some((differ, keeps))
    }

    /// The keys that the pattern matches, if they have a simple name.
    fn in_words(&self, pattern: &KeyPattern, near: &str, is: &str, claims: Claims<'_>) -> String {
        let what = match self.access.request.resource() {
            Resource::Object(_) => "key",
            Resource::Prefix(_) => "prefix",
        };
        if let [head @ .., last] = pattern.segments()
            && let Some(begin) = head_of(head, claims)
        {
            let segments: Vec<&str> = is.split('/').collect();
            if *last == Segment::AnySegments && !head.is_empty() {
                let own = match segments.get(..head.len()) {
                    Some(own) if segments.len() > head.len() => format!("begins with `{}/`", own.join("/")),
                    _ => format!("is `{is}`"),
                };
                let begins: Vec<String> = begin.iter().map(|one| format!("`{}`", on_one_line(one))).collect();
                return format!("the {what} began with {} (it {})", alternatives(&begins), on_one_line(&own));
            }
        }
        let is_literal = pattern.segments().iter().all(|one| matches!(one, Segment::Literal(_)));
        match is_literal {
            true => format!("the {what} was `{}` (it is `{}`)", on_one_line(near), on_one_line(is)),
            false => format!(
                "the {what} matched `{}`, as `{}` does (it is `{}`)",
                on_one_line(&pattern.to_string()),
                on_one_line(near),
                on_one_line(is)
            ),
        }
    }
}

/// The beginnings that fixed segments stand for, with a slash at the end. `None` where one is open, or there are many.
fn head_of(head: &[Segment], claims: Claims<'_>) -> Option<Vec<String>> {
    /// More than these are not named.
    const MOST: usize = 4;
    let mut begin = vec![String::new()];
    for segment in head {
        let texts: Vec<&str> = match segment {
            Segment::Literal(text) => vec![text],
            Segment::Claim(name) => nearest::values(claims, name),
            Segment::Glob(_) | Segment::AnySegments => return None,
        };
        begin = begin.iter().flat_map(|one| texts.iter().map(move |text| format!("{one}{text}/"))).collect();
        if begin.is_empty() || begin.len() > MOST {
            return None;
        }
    }
    Some(begin)
}

fn without(names: Vec<&'static str>) -> Need {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let way = names.into_iter().map(Change::WithoutParameter).collect();
    Need::of(format!("the query did not have {}", alternatives(&quoted)), vec![way])
}

fn without_headers(names: Vec<String>) -> Need {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", on_one_line(name))).collect();
    let way = names.into_iter().map(Change::WithoutHeader).collect();
    Need::of(format!("the request did not have the header {}", alternatives(&quoted)), vec![way])
}

/// Values of a claim that have this word, the one nearest to what it is first.
fn with_word(is: Option<&Value>, word: &str) -> Vec<Option<Value>> {
    let more = match is {
        Some(Value::String(words)) if !words.is_empty() => Some(format!("{words} {word}").into()),
        Some(Value::Array(members)) => {
            Some(members.iter().cloned().chain([Value::from(word)]).collect::<Vec<_>>().into())
        }
        Some(Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_))
        | None => None,
    };
    [more, Some(word.into()), Some(vec![word].into())].into_iter().flatten().map(Some).collect()
}

/// A media type in one of the ranges.
fn example_of(ranges: &[MediaRange]) -> Option<String> {
    let known = [
        "image/png",
        "text/plain",
        "application/json",
        "application/octet-stream",
        "video/mp4",
        "audio/mpeg",
    ];
    let own = ranges.iter().map(ToString::to_string);
    let own = own.map(|one| one.replace("/*", "/x").replace('*', "x"));
    let fits = |text: &String| {
        MediaType::parse(text).is_some_and(|one| ranges.iter().any(|range| range.contains(&one)))
    };
    known.into_iter().map(str::to_owned).chain(own).find(fits)
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn alternatives(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A value of a claim, cut if it is long.
pub(super) fn shown(value: &Value) -> String {
    /// More characters are not shown.
    const MOST: usize = 200;
    let text = value.to_string();
    let short: String = text.chars().take(MOST).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("{}{more}", on_one_line(&short))
}
