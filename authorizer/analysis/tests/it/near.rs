//! What `explain` says would have to differ: whoever changes the request as it says sees that part hold.

use std::collections::BTreeMap;

use authorizer_analysis::parts::failing;
use authorizer_analysis::posed::{Aim, Deed, PosedRequest};
use authorizer_analysis::{Change, Explanation, explain, explain_supposing, fill_in};
use authorizer_core::rules::Access;
use authorizer_core::{Authorizer, Refusal, Supposed, UnixTime, claim_name};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::brute::policies::{Alphabet, authorizer, pair};
use crate::brute::requests::{Request, all};
use crate::random::cases;

/// A request that can be changed.
#[derive(Clone, Debug)]
struct Changeable {
    event: Value,
    token: Option<Supposed>,
    at: UnixTime,
}

impl Changeable {
    fn of(request: &Request) -> Self {
        Self { event: request.event(), token: request.token().cloned(), at: request.at() }
    }

    fn explained(&self, authorizer: &Authorizer) -> Explanation {
        let event = self.event.to_string();
        match &self.token {
            Some(token) => explain_supposing(authorizer, event.as_bytes(), token, self.at),
            None => explain(authorizer, event.as_bytes(), self.at),
        }
    }

    fn access<'a>(&self, authorizer: &'a Authorizer) -> Result<Access<'a>, Refusal> {
        let event = self.event.to_string();
        match &self.token {
            Some(token) => authorizer.access_supposing(event.as_bytes(), token, self.at),
            None => authorizer.access(event.as_bytes(), self.at),
        }
    }

    fn request(&mut self) -> &mut Map<String, Value> {
        self.event["Records"][0]["cf"]["request"].as_object_mut().unwrap()
    }

    fn pose(&mut self, deed: &Deed, aim: &Aim) {
        let posed = PosedRequest::new(deed, aim, "").unwrap();
        let event: Value = serde_json::from_slice(&posed.event()).unwrap();
        for name in ["method", "uri", "querystring"] {
            let value = event["Records"][0]["cf"]["request"][name].clone();
            self.request().insert(name.to_owned(), value);
        }
    }

    fn change(&mut self, change: &Change, authorizer: &Authorizer, asked: &Access<'_>) {
        let resource = asked.request.resource().as_str().to_owned();
        match change {
            Change::Operation(operation) => {
                let aim = match (operation.is_listing(), resource.as_str()) {
                    (true, _) => Aim::Prefix(resource),
                    // Every operation on an object has a key.
                    (false, "") => Aim::Key("x".to_owned()),
                    (false, _) => Aim::Key(resource),
                };
                self.pose(&Deed::Operation(*operation), &aim);
            }
            Change::Key(key) => {
                let posed =
                    PosedRequest::new(&Deed::Method("GET".into()), &Aim::Key(key.clone()), "").unwrap();
                self.request().insert("uri".to_owned(), posed.target().into());
            }
            Change::Prefix(prefix) => {
                self.pose(&Deed::Operation(asked.request.operation()), &Aim::Prefix(prefix.clone()));
            }
            Change::Issuer(name) => {
                let issuers = authorizer.bundle().policy().issuers();
                let issuer = issuers.iter().find(|issuer| issuer.name() == name).unwrap();
                let mut claims = self.token.take().map(|token| token.claims).unwrap_or_default();
                claims.remove("iss");
                self.token = Some(fill_in(issuer, None, claims, self.at).unwrap().supposed);
            }
            Change::Claim { name, value } => {
                let claims = &mut self.token.as_mut().unwrap().claims;
                match value {
                    Some(value) => {
                        // `put` adds to an object that is there.
                        if claim_name::find(claims, name).is_some() {
                            claim_name::put(claims, name, Value::Null);
                        }
                        claim_name::put(claims, name, value.clone());
                    }
                    None => claim_name::put(claims, name, Value::Null),
                }
            }
            Change::Time(at) => self.at = UnixTime::from_seconds(*at),
            Change::SourceIp(address) => {
                drop(self.request().insert("clientIp".into(), address.to_string().into()))
            }
            Change::WithoutParameter(name) => {
                let query = self.request()["querystring"].as_str().unwrap().to_owned();
                let left: Vec<&str> =
                    query.split('&').filter(|one| one.split('=').next() != Some(*name)).collect();
                self.request().insert("querystring".into(), left.join("&").into());
            }
            Change::WithoutHeader(name) => {
                self.request()["headers"].as_object_mut().unwrap().remove(name).unwrap();
            }
            Change::Header { name, value } => {
                let lines = json!([{"key": name, "value": value}]);
                self.request()["headers"].as_object_mut().unwrap().insert(name.to_ascii_lowercase(), lines);
            }
        }
    }
}

/// How often a part was made to hold, by its field; and how often a change led to a request that no rule is checked for.
#[derive(Default)]
struct Seen {
    held: BTreeMap<String, usize>,
    turned: usize,
    whole: usize,
}

fn examine(authorizer: &Authorizer, request: &Changeable, seen: &mut Seen) -> Result<(), TestCaseError> {
    let Ok(access) = request.access(authorizer) else { return Ok(()) };
    let explanation = request.explained(authorizer);
    let nearest = explanation.nearest_first();
    let nearest: Vec<_> = nearest
        .iter()
        .map(|rule| (!rule.matches, !rule.matches && rule.effect == "deny", rule.gaps.len()))
        .collect();
    prop_assert!(nearest.is_sorted(), "{:?}", nearest);
    for rule in &explanation.rules {
        let own = &authorizer.bundle().policy().rules()[rule.index];
        prop_assert_eq!(rule.matches, rule.gaps.is_empty(), "{:?}", rule);
        for gap in &rule.gaps {
            for way in &gap.ways {
                let mut changed = request.clone();
                for change in way {
                    changed.change(change, authorizer, &access);
                }
                let Ok(access) = changed.access(authorizer) else {
                    seen.turned += 1;
                    continue;
                };
                let left: Vec<String> = failing(own, &access).iter().map(ToString::to_string).collect();
                prop_assert!(
                    !left.contains(&gap.part),
                    "{:?} does not make {} hold in {:?} {:#}",
                    way,
                    gap.part,
                    own,
                    request.event
                );
                *seen.held.entry(gap.part.clone()).or_default() += 1;
                if gap.is_all {
                    prop_assert!(
                        left.is_empty(),
                        "{:?} leaves {:?} in {:?} {:#}",
                        way,
                        left,
                        own,
                        request.event
                    );
                    seen.whole += 1;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn whoever_changes_a_request_as_it_is_said_sees_that_part_hold() {
    let alphabets = [
        Alphabet::Keys,
        Alphabet::KeyedClaims,
        Alphabet::Conditions,
        Alphabet::Listings,
        Alphabet::Uploads,
        Alphabet::PlacesAndTimes,
        Alphabet::Hosts,
        Alphabet::Tokens,
        Alphabet::ManyClaims,
        Alphabet::Words,
        Alphabet::Nested,
        Alphabet::TokenTimes,
    ];
    let mut seen = Seen::default();
    for alphabet in alphabets {
        let requests = all(alphabet);
        // Few of these have a rule for one issuer and a token of the other.
        let usual = if alphabet == Alphabet::Tokens { 96 } else { 24 };
        let config =
            ProptestConfig { cases: cases(usual), failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let own = std::cell::RefCell::new(&mut seen);
        let result = runner.run(&(pair(alphabet), any::<prop::sample::Index>()), |((policy, _), from)| {
            let Some(authorizer) = authorizer(&policy) else { return Ok(()) };
            // About thirty of them, spread over all.
            let step = (requests.len() / 30).max(1);
            for request in requests.iter().skip(from.index(step)).step_by(step) {
                examine(&authorizer, &Changeable::of(request), &mut own.borrow_mut())?;
            }
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{alphabet:?}: {error}"));
    }
    let Seen { held, turned, whole } = seen;
    let all: usize = held.values().sum();
    // Fewer cases than usual may not come to every part.
    if cases(24) < 24 {
        return;
    }
    assert!(turned * 10 < all && whole > 100, "{held:?} {turned} {whole}");
    for part in [
        "keys",
        "operations",
        "issuers",
        "source_ips",
        "hosts",
        "not_before",
        "not_after",
        "when.sub",
        "when.scope",
        "response_overrides",
        "parameters",
        "upload",
        "upload.max_bytes",
        "upload.content_types",
        "upload.metadata.o",
        "when./o/p",
        "token",
    ] {
        assert!(held.contains_key(part), "{part}: {held:?}");
    }
}

/// What a request lacks of the only rule of a policy, as the rest of a sentence that begins with "would match if".
fn lacking(rule: Value, deed: Deed, key: &str, claims: Option<Value>) -> (String, bool) {
    let mut own = json!({"id": "r", "effect": "allow"});
    own.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let others =
        json!({"id": "others", "effect": "allow", "methods": ["GET", "PUT", "DELETE"], "keys": ["other"]});
    let policy = json!({"version": 1, "rules": [own, others], "issuers": [
        {"name": "staff", "issuer": "https://staff/", "audience": ["a"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}
    ]});
    let authorizer = authorizer(&policy).unwrap_or_else(|| panic!("{policy:#}"));
    let at = UnixTime::from_seconds(1_800_000_000);
    let event = PosedRequest::new(&deed, &Aim::Key(key.to_owned()), "").unwrap().event();
    let issuer = authorizer.bundle().policy().issuers().first().unwrap();
    let explanation = match claims {
        Some(claims) => {
            let claims = claims.as_object().unwrap().clone();
            let token = fill_in(issuer, None, claims, at).unwrap().supposed;
            explain_supposing(&authorizer, &event, &token, at)
        }
        None => explain(&authorizer, &event, at),
    };
    let [gap] = explanation.rules[0].gaps.as_slice() else { panic!("{explanation:?}") };
    (gap.needs.clone().unwrap(), gap.is_all)
}

#[test]
fn the_sentence_names_only_what_was_seen_to_make_the_whole_rule_match() {
    let get = || Deed::Method("GET".into());
    let reads = |more: Value| {
        let mut rule = json!({"methods": ["GET"], "keys": ["**"]});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    // An upload has limits, and a listing has no key.
    let rule = json!({"operations": ["GetObject", "PutObject", "ListObjectsV2"], "keys": ["**"],
        "upload": {"max_bytes": 10}});
    let said = lacking(rule, Deed::Method("DELETE".into()), "a", Some(json!({"sub": "alice"})));
    assert_eq!(said, ("the operation was GetObject (it is DeleteObject)".to_owned(), true));
    // The key has a value of the same claim: no other value leaves it as it is.
    for test in [json!({"any": ["x", "y"]}), json!({"starts_with": "x"})] {
        let rule = reads(json!({"keys": ["{role}/**"], "when": {"role": test}}));
        let said = lacking(rule, get(), "x/a", Some(json!({"sub": "alice", "role": ["x"]})));
        assert_eq!(said, ("the claim `role` was \"x\" (it is [\"x\"])".to_owned(), true), "{test}");
    }
    // A claim that nothing else reads may be anything that the condition takes.
    let rule = reads(json!({"when": {"role": {"starts_with": "x"}}}));
    let said = lacking(rule, get(), "a", Some(json!({"sub": "alice", "role": "y"})));
    assert_eq!(said, ("the claim `role` began with \"x\" (it is \"y\")".to_owned(), true));
    // Both ends of a period, and a token that is no longer valid then.
    let rule = || reads(json!({"not_before": "2028-01-01T00:00:00Z", "not_after": "2029-01-01T00:00:00Z"}));
    let claims = |exp: u64| Some(json!({"sub": "alice", "exp": exp}));
    let needs = "the time was 2028-01-01T00:00:00Z or later, and before 2029-01-01T00:00:00Z, and the token was valid \
        then (it is 2027-01-15T08:00:00Z)";
    assert_eq!(lacking(rule(), get(), "a", claims(1_900_000_000)), (needs.to_owned(), true));
    assert_eq!(lacking(rule(), get(), "a", claims(1_800_000_600)), (needs.to_owned(), false));
    let open = reads(json!({"not_after": "2026-01-01T00:00:00Z", "anonymous": true}));
    let needs = "the time was before 2026-01-01T00:00:00Z (it is 2027-01-15T08:00:00Z)";
    assert_eq!(lacking(open, get(), "a", None), (needs.to_owned(), true));
}
