use super::*;
use authorizer_core::Bundle;
use serde_json::{Value, json};

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn issuer(more: Value) -> Value {
    let mut issuer = json!({"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"],
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}});
    issuer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    issuer
}

fn policy(rules: Value) -> Value {
    json!({"version": 1, "issuers": [issuer(json!({}))], "rules": rules})
}

fn authorizer(document: &Value) -> Authorizer {
    let document = serde_json::from_value(document.clone()).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn compared(old: &Value, new: &Value) -> PolicyDiff {
    diff(&authorizer(old), &authorizer(new)).unwrap()
}

fn allow(id: &str, keys: &[&str], more: Value) -> Value {
    let mut rule = json!({"id": id, "effect": "allow", "methods": ["GET"], "keys": keys});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

fn deny(id: &str, keys: &[&str], more: Value) -> Value {
    let mut rule = allow(id, keys, more);
    rule["effect"] = "deny".into();
    rule
}

fn any(id: &str, keys: &[&str]) -> Value {
    allow(id, keys, json!({}))
}

/// `granted` and `revoked`, each as operation, key, and the claims that matter.
fn shown(changes: &[AccessChange]) -> Vec<String> {
    let shown = |change: &AccessChange| {
        let request = &change.request;
        let mut claims = request.claims.clone().unwrap_or_default();
        for name in ["iss", "exp", "iat", "aud"] {
            claims.remove(name);
        }
        let who = if request.claims.is_some() { Value::from(claims).to_string() } else { "nobody".into() };
        format!("{} {} {who}", change.operation.name(), request.key)
    };
    changes.iter().map(shown).collect()
}

#[test]
fn policies_that_mean_the_same_have_no_difference() {
    let when = |test: Value| json!({"when": {"role": test}});
    for (old, new) in [
        // Renamed.
        (json!([any("a", &["x/**"])]), json!([any("b", &["x/**"])])),
        // Moved: no two of them add anything.
        (
            json!([any("a", &["x/**"]), any("b", &["y/**"])]),
            json!([any("b", &["y/**"]), any("a", &["x/**"])]),
        ),
        // Split by keys, and joined.
        (json!([any("a", &["x/**", "y/**"])]), json!([any("a", &["x/**"]), any("b", &["y/**"])])),
        // Split by the kind of key.
        (json!([any("a", &["x/**"])]), json!([any("a", &["x/*", "x/"]), any("b", &["x/*/**"])])),
        // Split by the condition.
        (
            json!([any("a", &["x"])]),
            json!([
                allow("a", &["x"], when(json!({"present": true}))),
                allow("b", &["x"], when(json!({"present": false})))
            ]),
        ),
        (
            json!([allow("a", &["x"], when(json!({"any": ["s", "t"]})))]),
            json!([
                allow("a", &["x"], when(json!({"equals": "t"}))),
                allow("b", &["x"], when(json!({"equals": "s"})))
            ]),
        ),
        // Split by operations, networks and time.
        (
            json!([any("a", &["x"])]),
            json!([
                {"id": "a", "effect": "allow", "operations": ["GetObject"], "keys": ["x"]},
                {"id": "b", "effect": "allow", "operations": ["HeadObject"], "keys": ["x"]}
            ]),
        ),
        (
            json!([allow("a", &["x"], json!({"source_ips": ["10.0.0.0/8"]}))]),
            json!([
                allow("a", &["x"], json!({"source_ips": ["10.0.0.0/9"]})),
                allow("b", &["x"], json!({"source_ips": ["10.128.0.0/9"]}))
            ]),
        ),
        // A rule that another one covers.
        (json!([any("a", &["x/**"])]), json!([any("a", &["x/**"]), any("b", &["x/*.jpg", "x/{sub}"])])),
        // A deny rule for what nothing allows, and one that takes back what was opened with it.
        (json!([any("a", &["x/**"])]), json!([any("a", &["x/**"]), deny("d", &["y/**"], json!({}))])),
        (json!([any("a", &["x/y"])]), json!([any("a", &["x/y", "z"]), deny("d", &["z"], json!({}))])),
    ] {
        let found = compared(&policy(old.clone()), &policy(new.clone()));
        assert!(found.is_empty(), "{old} {new} {:?}", shown(&found.granted));
    }
}

#[test]
fn a_difference_is_shown_by_a_request() {
    let when = |claim: &str, test: Value| json!({"when": {claim: test}});
    for (old, new, granted, revoked) in [
        (
            json!([any("a", &["x/*"])]),
            json!([any("a", &["x/**"])]),
            // The shortest is the key of the folder.
            vec!["GetObject x/ {}", "HeadObject x/ {}"],
            vec![],
        ),
        (
            json!([allow("a", &["{sub}/**"], json!({"methods": ["HEAD"]}))]),
            json!([allow("a", &["{sub}/**", "alice/**"], json!({"methods": ["HEAD"]}))]),
            vec!["HeadObject alice/ {}"],
            vec![],
        ),
        (
            json!([allow("a", &["**"], json!({"methods": ["HEAD"]})), deny("d", &["x*/**"], json!({}))]),
            json!([allow("a", &["**"], json!({"methods": ["HEAD"]})), deny("d", &["xy*/**"], json!({}))]),
            vec!["HeadObject x/ {}"],
            vec![],
        ),
        (
            json!([allow("a", &["x"], json!({"methods": ["HEAD"]}))]),
            json!([allow("a", &["x"], json!({"methods": ["HEAD"], "anonymous": true}))]),
            vec!["HeadObject x nobody"],
            vec![],
        ),
        (
            json!([allow("a", &["x"], json!({"methods": ["HEAD"], "when": {"role": {"any": ["s", "t"]}}}))]),
            json!([allow("a", &["x"], json!({"methods": ["HEAD"], "when": {"role": {"has": "s"}}}))]),
            vec![r#"HeadObject x {"role":"s other"}"#],
            vec![r#"HeadObject x {"role":"t"}"#],
        ),
        (
            json!([allow("a", &["{groups}/x"], json!({"methods": ["HEAD"]}))]),
            json!([allow(
                "a",
                &["{groups}/x"],
                json!({"methods": ["HEAD"], "when": {"groups": {"has": "staff"}}})
            )]),
            vec![],
            vec![r#"HeadObject b/x {"groups":"b"}"#],
        ),
        (
            json!([
                allow("a", &["x"], json!({"methods": ["HEAD"]})),
                deny("d", &["x"], when("role", json!({"equals": "guest"})))
            ]),
            json!([
                allow("a", &["x"], json!({"methods": ["HEAD"]})),
                deny("d", &["x"], when("role", json!({"has": "guest"})))
            ]),
            vec![],
            vec![r#"HeadObject x {"role":"guest other"}"#],
        ),
    ] {
        let found = compared(&policy(old.clone()), &policy(new.clone()));
        assert_eq!(shown(&found.granted), granted, "granted by {old} {new}");
        assert_eq!(shown(&found.revoked), revoked, "revoked by {old} {new}");
    }
}

#[test]
fn a_difference_that_only_an_odd_request_shows_is_found() {
    let list = |effect: &str, keys: &[&str]| json!({"id": format!("{effect}-{}", keys[0].len()), "effect": effect, "operations": ["ListObjectsV2"], "keys": keys});
    for (old, new, granted) in [
        // Two members of one array.
        (
            json!([allow("a", &["{g}/{g}"], json!({"methods": ["HEAD"]})), deny("d", &["a/b"], json!({}))]),
            json!([allow("a", &["{g}/{g}"], json!({"methods": ["HEAD"]}))]),
            r#"HeadObject a/b {"g":["a","b"]}"#,
        ),
        // Two claims that are the same, and two that are not.
        (
            json!([
                allow("a", &["{s}/{t}"], json!({"methods": ["HEAD"]})),
                deny("d", &["{s}/{s}", "{t}/{t}"], json!({}))
            ]),
            json!([allow("a", &["{s}/{t}"], json!({"methods": ["HEAD"]}))]),
            r#"HeadObject b/b {"s":"b","t":"b"}"#,
        ),
        (
            json!([allow("a", &["{s}/{s}"], json!({"methods": ["HEAD"]}))]),
            json!([allow("a", &["{s}/{t}"], json!({"methods": ["HEAD"]}))]),
            r#"HeadObject b/c {"s":"b","t":"c"}"#,
        ),
        // The only word that two globs hold and a third does not.
        (
            json!([allow("a", &["a*"], json!({"methods": ["HEAD"]})), deny("d", &["*a"], json!({}))]),
            json!([allow("a", &["a*"], json!({"methods": ["HEAD"]})), deny("d", &["a*a"], json!({}))]),
            "HeadObject a {}",
        ),
        // A prefix that ends within a segment.
        (
            json!([list("allow", &["**"]), list("deny", &["ab"])]),
            json!([list("allow", &["**"]), list("deny", &["a"])]),
            "ListObjectsV2 ab {}",
        ),
        // A prefix that the claim begins with.
        (
            json!([list("allow", &["**"]), list("deny", &["{sub}", "b"])]),
            json!([list("allow", &["**"]), list("deny", &["b"])]),
            r#"ListObjectsV2 a {"sub":"ac"}"#,
        ),
        // A clock that says nothing.
        (
            json!([allow(
                "a",
                &["x"],
                json!({"methods": ["HEAD"], "anonymous": true, "not_before": "1970-01-01T00:00:00Z"})
            )]),
            json!([allow("a", &["x"], json!({"methods": ["HEAD"], "anonymous": true}))]),
            "HeadObject x nobody",
        ),
    ] {
        let found = compared(&policy(old.clone()), &policy(new.clone()));
        assert_eq!(shown(&found.granted), [granted], "granted by {old} {new}");
    }
}

#[test]
fn many_globs_in_the_way_do_not_make_a_question_too_hard() {
    let words = ["secret", "private", "internal", "draft", "tmp", "backup", "old", "hidden", "conf", "key"];
    let rules = |words: &[&str]| {
        let globs: Vec<String> =
            words.iter().flat_map(|word| [format!("**/*{word}*"), format!("**/*{word}*/**")]).collect();
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        policy(json!([allow("a", &["**"], json!({"methods": ["HEAD"]})), deny("d", &globs, json!({}))]))
    };
    let (old, new) = (rules(&words), rules(&words[1..]));
    assert_eq!(shown(&compared(&old, &new).granted), ["HeadObject secret/ {}"]);
    assert_eq!(shown(&compared(&new, &old).granted), [""; 0]);
}

#[test]
fn what_an_issuers_tokens_must_be_is_compared_by_tokens() {
    let with = |more: Value| json!({"version": 1, "issuers": [issuer(more)], "rules": [any("a", &["x"])]});
    let old = with(json!({"required": {"token_use": "access"}}));
    for (new, granted, revoked) in [
        (with(json!({})), 2, 0),
        (with(json!({"required": {"token_use": "access"}, "audience": ["a", "b"]})), 2, 0),
        (with(json!({"required": {"token_use": "access", "tid": 1}})), 0, 2),
        (with(json!({"required": {"token_use": "id"}})), 2, 2),
        (with(json!({"required": {"token_use": "access"}, "token_type": "at+jwt"})), 0, 2),
        (with(json!({"required": {"token_use": "access"}, "name": "people"})), 0, 0),
    ] {
        let found = compared(&old, &new);
        assert_eq!((found.granted.len(), found.revoked.len()), (granted, revoked), "{new}");
    }
}

#[test]
fn a_token_that_is_not_revoked_any_more_is_new_access() {
    let rules = json!([allow("a", &["users/{sub}"], json!({"methods": ["HEAD"]}))]);
    let mut old = policy(rules.clone());
    old["revoked"] = json!([{"issuer": "staff", "sub": "alice", "issued_before": "2027-01-01T00:00:00Z"}]);
    let found = compared(&old, &policy(rules));
    assert_eq!(found.granted.len(), 1);
    let claims = found.granted[0].request.claims.clone().unwrap();
    assert_eq!(claims["sub"], "alice");
    assert!(claims["iat"].as_u64().unwrap() < 1_798_761_600, "{claims:?}");
    assert_eq!(found.granted[0].old.reason, "token_revoked");
}

#[test]
fn an_upload_that_may_overwrite_or_is_described_otherwise_is_a_change() {
    let put =
        |upload: Value| policy(json!([allow("a", &["x"], json!({"methods": ["PUT"], "upload": upload}))]));
    let create = json!({"create_only": true, "metadata": {"owner": "{sub}"}});
    for (old, new, expected) in [
        (&create, json!({"metadata": {"owner": "{sub}"}}), vec![("overwrite", Direction::Wider)]),
        (
            &create,
            json!({"create_only": true, "metadata": {"owner": "bob"}}),
            vec![("metadata owner", Direction::Other)],
        ),
        (
            &create,
            json!({"create_only": true, "metadata": {"owner": "*"}}),
            vec![("metadata owner", Direction::Other)],
        ),
        (&create, create.clone(), vec![]),
    ] {
        let found = compared(&put(old.clone()), &put(new.clone()));
        let changes: Vec<_> =
            found.stored_otherwise.iter().map(|change| (change.what.as_str(), change.direction)).collect();
        assert_eq!(changes, expected, "{new}");
        assert_eq!(found.grants(), !expected.is_empty());
    }
}

#[test]
fn what_no_request_could_show_is_compared_as_it_is_written() {
    let with = |more: Value| json!({"version": 1, "issuers": [issuer(more)], "rules": [any("a", &["x"])]});
    let old = with(json!({"leeway_seconds": 30, "max_lifetime_seconds": 60}));
    for (new, expected) in [
        (with(json!({"leeway_seconds": 60, "max_lifetime_seconds": 60})), vec![Direction::Wider]),
        (with(json!({"leeway_seconds": 30})), vec![Direction::Wider]),
        (with(json!({"leeway_seconds": 0, "max_lifetime_seconds": 30})), vec![Direction::Narrower; 2]),
    ] {
        let found = compared(&old, &new);
        let directions: Vec<_> = found.trust.iter().map(|change| change.direction).collect();
        assert_eq!(directions, expected, "{new}");
        assert_eq!(found.grants(), expected.contains(&Direction::Wider));
    }
}

#[test]
fn changes_of_many_rules_are_in_the_order_of_the_rules() {
    // More than one processor's share, each rule in a folder of its own, and one deny rule in each second folder.
    let rules = |wide: bool| {
        let rules = (0..100).flat_map(|number| {
            let folder = format!("team-{number}");
            let keys = if wide { format!("{folder}/**") } else { format!("{folder}/*") };
            let denied = (number % 2 == 0)
                .then(|| deny(&format!("no-{number}"), &[&format!("{folder}/x/**")], json!({})));
            [Some(any(&format!("rule-{number}"), &[&keys])), denied]
        });
        policy(rules.flatten().collect())
    };
    let (narrow, wide) = (rules(false), rules(true));
    let expected: Vec<_> =
        (0..100).flat_map(|number| [format!("rule-{number}"), format!("rule-{number}")]).collect();
    let ids = |changes: &[AccessChange]| changes.iter().map(|change| change.rule.clone()).collect::<Vec<_>>();
    let granted = compared(&narrow, &wide);
    // GET and HEAD of each.
    assert_eq!((ids(&granted.granted), granted.revoked.len()), (expected.clone(), 0));
    let revoked = compared(&wide, &narrow);
    assert_eq!((ids(&revoked.revoked), revoked.granted.len()), (expected, 0));
    assert!(compared(&wide, &wide).is_empty());
}
