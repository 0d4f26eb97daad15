//! What two policies differ in, found by the analysis, against what is found by trying every request there is over
//! small alphabets. The core decides on each, so that the two have nothing in common but the rules.

pub(crate) mod policies;
pub(crate) mod requests;

use std::collections::BTreeSet;

use authorizer_analysis::{
    AccessChange, Analysis, Difference, Direction, Effect, PolicyDiff, Query, Reach, diff, query,
};
use authorizer_core::event::CloudFrontRequest;
use authorizer_core::key::ObjectKey;
use authorizer_core::operation::S3Operation;
use authorizer_core::outcome::Outcome;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::record::DecisionRecord;
use authorizer_core::rules::{Claims, KeyPattern, Rule};
use authorizer_core::{Authorized, Authorizer};
use proptest::prelude::*;
use serde_json::{Value, json};

use self::policies::{Alphabet, authorizer, pair};
use self::requests::Request;
use crate::random::cases;

/// Who was let in by what rule, and was not by the other policy.
type Access = (String, String, Option<String>);

/// What a policy makes of every request.
struct Tried {
    record: DecisionRecord<'static>,
    /// What goes on to S3, if it does.
    forwarded: Option<Box<CloudFrontRequest<'static>>>,
}

fn try_all(requests: &[Request], authorizer: &Authorizer) -> Vec<Tried> {
    let tried = |request: &Request| {
        let Authorized { outcome, record } = request.authorize(authorizer);
        let forwarded = match outcome {
            Outcome::Forward(request) => Some(request),
            Outcome::Respond(_) => None,
        };
        Tried { record, forwarded }
    };
    requests.iter().map(tried).collect()
}

/// Every access in one that the other does not have.
fn by_trying(requests: &[Request], from: &[Tried], to: &[Tried], open: &[Tried]) -> BTreeSet<Access> {
    let mut found = BTreeSet::new();
    for (request, ((before, after), open)) in requests.iter().zip(from.iter().zip(to).zip(open)) {
        // Where the policy looks at no token, one that has all rules open says whether its times are refused.
        let is_of_time = is_of_time(&before.record) || is_of_time(&open.record);
        if after.forwarded.is_some() && before.forwarded.is_none() && !is_of_time {
            let record = &after.record;
            let (rule, operation) = (record.rule.as_deref().unwrap(), record.operation.as_deref().unwrap());
            found.insert((rule.to_owned(), operation.to_owned(), request.issuer()));
        }
    }
    found
}

/// Whether a token is refused for its times. What issuers ask of these is compared as it is written.
fn is_of_time(record: &DecisionRecord<'_>) -> bool {
    let reasons = [
        "token_expired",
        "token_not_yet_valid",
        "token_issued_in_future",
        "token_lifetime_too_long",
        "token_time_malformed",
    ];
    reasons.contains(&record.reason.as_ref())
}

fn by_analysis(changes: &[AccessChange]) -> BTreeSet<Access> {
    changes
        .iter()
        .map(|change| (change.rule.clone(), change.operation.name().to_owned(), change.issuer.clone()))
        .collect()
}

/// Whether S3 does not get the same of something that both let in.
fn is_stored_otherwise(old: &[Tried], new: &[Tried]) -> bool {
    old.iter().zip(new).any(|(old, new)| match (&old.forwarded, &new.forwarded) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    })
}

/// The same issuers, and a rule for everything.
fn with_all_open(policy: &Value) -> Option<Authorizer> {
    let operations: Vec<_> = S3Operation::ALL.iter().map(|one| one.name()).collect();
    let mut open = policy.clone();
    open["rules"] = json!([{"id": "all", "effect": "allow", "operations": operations, "keys": ["**"]}]);
    authorizer(&open)
}

fn compare(requests: &[Request], old: &Value, new: &Value) -> Result<(), TestCaseError> {
    let (Some(open_old), Some(open_new)) = (with_all_open(old), with_all_open(new)) else { return Ok(()) };
    let (Some(old), Some(new)) = (authorizer(old), authorizer(new)) else { return Ok(()) };
    let found = diff(&old, &new).unwrap();
    let (by_old, by_new) = (try_all(requests, &old), try_all(requests, &new));
    let [open_old, open_new] = [open_old, open_new].map(|open| try_all(requests, &open));
    let granted = by_trying(requests, &by_old, &by_new, &open_old);
    let revoked = by_trying(requests, &by_new, &by_old, &open_new);
    for (changes, tried, from, to) in
        [(&found.granted, granted, &old, &new), (&found.revoked, revoked, &new, &old)]
    {
        let missed: Vec<_> = tried.difference(&by_analysis(changes)).cloned().collect();
        prop_assert!(missed.is_empty(), "the analysis did not find {missed:?}");
        for change in changes {
            let (refused, allowed) = (change.request.replay(from), change.request.replay(to));
            prop_assert!(!refused.allowed && allowed.allowed, "{change:?} does not replay");
            prop_assert_eq!(allowed.rule.as_deref(), Some(change.rule.as_str()));
        }
    }
    names_all_of(&found, &old, &new)?;
    prop_assert!(
        !found.stored_otherwise.is_empty() || !is_stored_otherwise(&by_old, &by_new),
        "the analysis has found nothing that is stored otherwise"
    );
    for change in &found.stored_otherwise {
        let request = Request::of(&change.access.request);
        let request = [request];
        prop_assert!(
            is_stored_otherwise(&try_all(&request, &old), &try_all(&request, &new)),
            "{change:?} does not replay"
        );
    }
    Ok(())
}

/// Each part of a rule that is told with a request is decided on as told. And nothing is granted or taken away without
/// an entry for a part of a rule, or for whose tokens are believed, that says so.
fn names_all_of(found: &PolicyDiff, old: &Authorizer, new: &Authorizer) -> Result<(), TestCaseError> {
    let parts = || found.rules.iter().flat_map(|rule| &rule.parts);
    for part in parts() {
        for (change, from, to) in [(&part.opens, old, new), (&part.closes, new, old)] {
            let Some(change) = change else { continue };
            let (refused, allowed) = (change.request.replay(from), change.request.replay(to));
            let is_stored = allowed.allowed && refused.allowed && part.part.starts_with("upload.");
            prop_assert!(is_stored || (!refused.allowed && allowed.allowed), "{part:?} does not replay");
        }
        prop_assert_eq!(
            part.effect == Effect::Decides,
            part.opens.is_some() || part.closes.is_some(),
            "{:?}",
            part
        );
    }
    for (changes, other) in [(&found.granted, Direction::Narrower), (&found.revoked, Direction::Wider)] {
        let by_rules = parts().any(|part| part.effect == Effect::Decides && part.direction != other);
        let by_trust = found.trust.iter().any(|one| one.effect == Effect::Decides && one.direction != other);
        prop_assert!(changes.is_empty() || by_rules || by_trust, "no entry says why: {changes:?}");
    }
    Ok(())
}

/// Who is let in by what rule, by trying every request for keys of the pattern.
fn let_in(requests: &[Request], tried: &[Tried], pattern: &KeyPattern) -> BTreeSet<Access> {
    let is_of = |request: &Request, record: &DecisionRecord<'_>| {
        let claims = request.claims().map_or(Claims::None, Claims::Known);
        let text = record.key.clone().unwrap();
        match record.operation.as_deref() {
            Some("ListObjectsV2") => pattern.holds_any(&KeyPrefix::new(text.into_owned()).unwrap(), claims),
            _ => pattern.matches(&ObjectKey::new(text.into_owned()).unwrap(), claims),
        }
    };
    let mut found = BTreeSet::new();
    for (request, Tried { record, forwarded }) in requests.iter().zip(tried) {
        if forwarded.is_some() && is_of(request, record) {
            let (rule, operation) = (record.rule.as_deref().unwrap(), record.operation.as_deref().unwrap());
            found.insert((rule.to_owned(), operation.to_owned(), request.issuer()));
        }
    }
    found
}

/// The answers about one policy.
fn examine(requests: &[Request], document: &Value) -> Result<(), TestCaseError> {
    let Some(policy) = authorizer(document) else { return Ok(()) };
    let tried = try_all(requests, &policy);
    for text in ["**", "a/**", "*/{sub}", "{g}/a"] {
        let pattern = KeyPattern::parse(text).unwrap();
        let asked = Query { keys: Some(vec![pattern.clone()]), ..Query::default() };
        let mut answer = BTreeSet::new();
        for permission in query(&policy, &asked).unwrap() {
            for shown in permission.operations {
                let issuer = shown.request.claims.map(|claims| claims["iss"].as_str().unwrap().to_owned());
                answer.insert((permission.rule.clone(), shown.operation.name().to_owned(), issuer));
            }
        }
        let missed: Vec<_> = let_in(requests, &tried, &pattern).difference(&answer).cloned().collect();
        prop_assert!(missed.is_empty(), "within {text} the analysis did not find {missed:?}");
    }
    let deciding: BTreeSet<&str> = tried.iter().filter_map(|tried| tried.record.rule.as_deref()).collect();
    let analysis = Analysis::new(&policy);
    for (index, rule) in policy.bundle().policy().rules().iter().enumerate() {
        let reach = analysis.reach(index).unwrap();
        let decides = matches!(reach, Reach::Decides(_));
        prop_assert!(decides || !deciding.contains(rule.id()), "{} decides", rule.id());
        if let Reach::Covered(by) = &reach {
            prop_assert!(!by.contains(&index) && !by.is_empty());
        }
        let seen = match &reach {
            Reach::Decides(witness) => Some(&**witness),
            Reach::Covered(_) | Reach::Impossible => None,
        };
        let mut without = document.clone();
        without["rules"].as_array_mut().unwrap().remove(index);
        let Some(without) = authorizer(&without) else { continue };
        let is_redundant = matches!(analysis.difference(index, None).unwrap(), Difference::Redundant);
        let of_seen = matches!(analysis.difference(index, seen).unwrap(), Difference::Redundant);
        prop_assert_eq!(is_redundant, of_seen, "{}", rule.id());
        let changes = try_all(requests, &without).iter().zip(&tried).any(|(without, with)| {
            without.forwarded.as_deref().map(s3_sees) != with.forwarded.as_deref().map(s3_sees)
        });
        prop_assert!(!(is_redundant && changes), "{} makes a difference", rule.id());
        // A rule may leave others less room for the checksums of `true`, and so make a difference by what it forwards.
        let others = policy.bundle().policy().rules().iter().filter(|other| other.id() != rule.id());
        let leaves_room =
            others.map(Rule::terms).eq(without.bundle().policy().rules().iter().map(Rule::terms));
        if is_redundant && leaves_room {
            let found = diff(&policy, &without).unwrap();
            prop_assert!(found.is_empty(), "{} makes a difference to the comparison", rule.id());
        }
    }
    Ok(())
}

fn s3_sees(request: &CloudFrontRequest<'_>) -> Value {
    serde_json::to_value(request).unwrap()
}

macro_rules! agree {
    ($name:ident, $of_one:ident, $alphabet:expr) => {
        proptest! {
            // Each policy is asked about without each of its rules, too.
            #![proptest_config(ProptestConfig::with_cases(cases(32)))]
            #[test]
            fn $of_one((_, policy) in pair($alphabet)) {
                thread_local! {
                    static REQUESTS: Vec<Request> = requests::all($alphabet);
                }
                REQUESTS.with(|requests| examine(requests, &policy))?;
            }
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(cases(256)))]
            #[test]
            fn $name((old, new) in pair($alphabet)) {
                thread_local! {
                    static REQUESTS: Vec<Request> = requests::all($alphabet);
                }
                REQUESTS.with(|requests| compare(requests, &old, &new))?;
            }
        }
    };
}

agree!(
    a_difference_in_keys_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_keys_is_found_wherever_trying_finds_it,
    Alphabet::Keys
);
agree!(
    a_difference_in_claims_in_keys_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_claims_in_keys_is_found_wherever_trying_finds_it,
    Alphabet::KeyedClaims
);
agree!(
    a_difference_in_conditions_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_conditions_is_found_wherever_trying_finds_it,
    Alphabet::Conditions
);
agree!(
    a_difference_in_listings_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_listings_is_found_wherever_trying_finds_it,
    Alphabet::Listings
);
agree!(
    a_difference_in_uploads_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_uploads_is_found_wherever_trying_finds_it,
    Alphabet::Uploads
);
agree!(
    a_difference_in_places_and_times_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_places_and_times_is_found_wherever_trying_finds_it,
    Alphabet::PlacesAndTimes
);
agree!(
    a_difference_in_hosts_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_hosts_is_found_wherever_trying_finds_it,
    Alphabet::Hosts
);
agree!(
    a_difference_in_tokens_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_tokens_is_found_wherever_trying_finds_it,
    Alphabet::Tokens
);
agree!(
    a_difference_in_many_claims_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_many_claims_is_found_wherever_trying_finds_it,
    Alphabet::ManyClaims
);
agree!(
    a_difference_in_special_words_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_special_words_is_found_wherever_trying_finds_it,
    Alphabet::Words
);
agree!(
    a_difference_in_nested_claims_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_nested_claims_is_found_wherever_trying_finds_it,
    Alphabet::Nested
);
agree!(
    a_difference_in_times_of_tokens_is_found_exactly_where_trying_finds_one,
    what_is_let_in_by_times_of_tokens_is_found_wherever_trying_finds_it,
    Alphabet::TokenTimes
);
