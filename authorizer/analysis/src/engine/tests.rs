//! What a question costs, and the kinds of value that a claim can have.

use authorizer_core::Authorizer;
use serde_json::{Value, json};

use super::{Answer, Bounds, Budget, Engine, EngineError, Question, RuleRef, Token, Who};
use crate::sample::authorizer_of;
use crate::{Analysis, Reach, diff, matrix};
use authorizer_core::operation::S3Operation;

fn authorizer(rules: Value) -> Authorizer {
    with_issuer(json!({}), rules)
}

fn with_issuer(more: Value, rules: Value) -> Authorizer {
    let mut issuer =
        json!({"name": "i", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"], "leeway_seconds": 60});
    issuer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    authorizer_of(json!({"version": 1, "issuers": [issuer], "rules": rules}))
}

fn rule(effect: &str, id: &str, keys: &[String], when: Value) -> Value {
    json!({"id": id, "effect": effect, "methods": ["GET"], "keys": keys, "when": when})
}

/// A pattern with so many claims.
fn claims(name: &str, count: usize, end: &str) -> String {
    let claims: Vec<String> = (0..count).map(|number| format!("{{{name}{number}}}")).collect();
    format!("x/{}/{end}", claims.join("/"))
}

/// Whether a request exists that both rules match and none of the others, and the steps that it took to say so.
fn asked(authorizer: &Authorizer, require: &[usize], exclude: &[usize]) -> (Result<bool, EngineError>, u64) {
    asked_within(&Budget::for_rules(2), authorizer, require, exclude)
}

fn asked_within(
    budget: &Budget,
    authorizer: &Authorizer,
    require: &[usize],
    exclude: &[usize],
) -> (Result<bool, EngineError>, u64) {
    let sides = [authorizer];
    let engine = Engine::within(&sides, budget);
    let refs =
        |rules: &[usize]| rules.iter().map(|rule| RuleRef { side: 0, rule: *rule }).collect::<Vec<_>>();
    let before = budget.left();
    let answer = engine.ask(&Question {
        operation: S3Operation::GetObject,
        who: &Who::Token("i".into()),
        bounds: &Bounds::default(),
        tokens: &[Token::Valid],
        require: &refs(require),
        exclude: &refs(exclude),
        within: None,
        difference: None,
    });
    (answer.map(|answer| matches!(answer, Answer::Yes(_))), before.saturating_sub(budget.left()))
}

/// Few enough that a debug build needs no second.
const FEW: u64 = 60_000;

#[test]
fn many_claims_in_the_keys_of_two_rules_are_decided_in_few_steps() {
    for count in [1, 4, 8, 12, 20] {
        let authorizer = authorizer(json!([
            rule("allow", "own", &[claims("a", count, "**")], json!({})),
            rule("deny", "no", &[claims("b", count, "secret/**")], json!({})),
            rule("allow", "all", &["x/**".into()], json!({})),
            rule("allow", "same", &[claims("a", count, "y")], json!({})),
            rule("deny", "twice", &[claims("b", count, "secret/**"), claims("c", count, "*")], json!({})),
        ]));
        for (require, exclude, expected) in [
            (&[0, 1][..], &[][..], true),
            (&[0, 4], &[], true),
            (&[0], &[1], true),
            (&[0, 1], &[2], false),
            (&[3], &[0], false),
            (&[3], &[1], true),
            (&[0], &[1, 4], true),
        ] {
            let (answer, steps) = asked(&authorizer, require, exclude);
            assert_eq!(answer, Ok(expected), "{count} {require:?} {exclude:?}");
            assert!(steps < FEW, "{count} {require:?} {exclude:?}: {steps} steps");
        }
    }
}

#[test]
fn one_rule_against_two_with_four_claims_and_conditions_is_decided() {
    let when = |names: [&str; 4]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), json!({"has": "r"})))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let authorizer = authorizer(json!([
        rule("allow", "one", &["x/{a}/{b}/{c}/{d}/**".into()], when(["a", "b", "c", "d"])),
        rule("allow", "two", &["x/{e}/{f}/{g}/{h}/**".into()], when(["e", "f", "g", "h"])),
        rule("allow", "three", &["*/{a}/{d}/**".into()], when(["a", "b", "e", "h"])),
    ]));
    for (require, exclude, expected) in
        [(&[0][..], &[1, 2][..], true), (&[0, 1], &[], true), (&[0, 1], &[2], true), (&[0, 1, 2], &[], true)]
    {
        let (answer, steps) = asked(&authorizer, require, exclude);
        assert_eq!(answer, Ok(expected), "{require:?} {exclude:?}");
        assert!(steps < FEW, "{require:?} {exclude:?}: {steps} steps");
    }
}

#[test]
fn texts_of_eight_claims_are_decided_as_well() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let metadata = |prefix: &str| -> Value {
        let each = names.iter().map(|name| (format!("{prefix}{name}"), json!(format!("{{{name}}}"))));
        each.collect::<serde_json::Map<_, _>>().into()
    };
    let put = |id: &str, keys: &str, metadata: Value| json!({"id": id, "effect": "allow", "methods": ["PUT"], "keys": [keys], "upload": {"metadata": metadata}});
    let authorizer = authorizer(json!([
        put("all", "**", metadata("m")),
        put("keyed", "x/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", metadata("m")),
        put("other", "x/{h}/{g}/{f}/{e}/{d}/{c}/{b}/{a}", metadata("n")),
    ]));
    let analysis = Analysis::new(&authorizer);
    assert!(matches!(analysis.reach(1), Ok(Reach::Covered(by)) if by == [0]));
    assert!(matches!(analysis.reach(2), Ok(Reach::Decides(_))));
}

#[test]
fn what_cannot_be_decided_within_the_budget_names_its_rules_and_costs_no_more() {
    let stars =
        |letters: &str| format!("*{}*", letters.chars().map(String::from).collect::<Vec<_>>().join("*"));
    let authorizer = authorizer(json!([
        rule("allow", "by-letter", &["*a*".into(), "*b*".into(), "*c*".into(), "*d*".into()], json!({})),
        rule("allow", "by-all", &[stars("abcdefghij")], json!({})),
    ]));
    let (answer, steps) = asked(&authorizer, &[1], &[0]);
    assert_eq!(answer, Ok(false));
    let budget = Budget::of_steps(steps + steps / 2, steps - 1);
    let (answer, spent) = asked_within(&budget, &authorizer, &[1], &[0]);
    let error = answer.unwrap_err();
    assert_eq!(error, EngineError::NotDecided { rules: vec!["by-all".into(), "by-letter".into()] });
    assert_eq!(
        error.to_string(),
        "not decided: rules `by-all` and `by-letter` cannot be analysed within the budget"
    );
    assert_eq!(spent, steps, "the same question takes the same steps");
    // The next one takes what is left, and no other is looked into.
    assert!(asked_within(&budget, &authorizer, &[1], &[0]).0.is_err());
    assert_eq!(budget.left(), 0);
    assert!(asked_within(&budget, &authorizer, &[0], &[]).0.is_err());
}

#[test]
fn a_word_that_is_no_segment_is_a_value_of_a_claim_in_metadata_and_in_keys() {
    let put = |keys: &str, when: Value, metadata: Value| {
        let mut rule =
            json!({"id": "up", "effect": "allow", "methods": ["PUT"], "keys": [keys], "when": when});
        if metadata != json!({}) {
            rule["upload"] = json!({"metadata": metadata});
        }
        authorizer(json!([rule]))
    };
    let long = "l/".repeat(150);
    for word in
        ["files/write", "CORP\\admins", ".", "..", "https://www.googleapis.com/auth/drive", &long, "\u{e9}"]
    {
        for (keys, metadata) in
            [("u/**", json!({"g": "{scope1}"})), ("u/{scope1}/x", json!({})), ("u/**", json!({}))]
        {
            let equals = put(keys, json!({"scope1": {"equals": word}}), metadata.clone());
            let has = put(keys, json!({"scope1": {"has": word}}), metadata.clone());
            let found = diff(&equals, &has).unwrap();
            let is_text = metadata != json!({});
            // What is not ASCII can be in no metadata.
            let is_wider = !(is_text && word == "\u{e9}");
            assert_eq!(!found.granted.is_empty(), is_wider, "{word} {keys} {metadata}");
            assert!(found.revoked.is_empty(), "{word} {keys} {metadata}");
        }
    }
}

#[test]
fn a_time_of_the_token_is_in_no_metadata_and_in_no_key() {
    let rules = json!([
        {"id": "up", "effect": "allow", "methods": ["PUT"], "keys": ["u/**"], "upload": {"metadata": {"until": "{exp}"}}},
        {"id": "key", "effect": "allow", "methods": ["GET"], "keys": ["u/{iat}/**"]},
        {"id": "no", "effect": "deny", "methods": ["GET"], "keys": ["{nbf}"]},
        {"id": "get", "effect": "allow", "methods": ["GET"], "keys": ["*"]},
    ]);
    let authorizer = authorizer(rules);
    let analysis = Analysis::new(&authorizer);
    for rule in 0..3 {
        assert!(matches!(analysis.reach(rule), Ok(Reach::Impossible)), "{rule}");
    }
    let table = matrix(&authorizer).unwrap();
    assert_eq!(table.rows.iter().map(|row| row.keys.as_str()).collect::<Vec<_>>(), ["*"]);
}

#[test]
fn a_time_that_a_condition_names_is_found_within_leeway_lifetime_and_period() {
    // 2027-01-15T08:00:00Z.
    let exp = 1_800_000_000;
    for (end, life, decides) in [
        // The token may be used for a minute before it was issued, and no longer than its lifetime before that.
        ("2027-01-15T07:54:01Z", 300, true),
        ("2027-01-15T07:54:00Z", 300, false),
        ("2027-01-15T07:59:00Z", 1, true),
        ("2027-01-15T07:58:59Z", 1, false),
    ] {
        let rules = json!([{"id": "r", "effect": "allow", "methods": ["GET"], "keys": ["**"],
            "when": {"exp": {"equals": exp}}, "not_after": end}]);
        let authorizer = with_issuer(json!({"max_lifetime_seconds": life}), rules);
        let reach = Analysis::new(&authorizer).reach(0).unwrap();
        assert_eq!(matches!(reach, Reach::Decides(_)), decides, "{end} {life}");
    }
    for (start, decides) in [("2027-01-15T08:00:59Z", true), ("2027-01-15T08:01:00Z", false)] {
        let rules = json!([{"id": "r", "effect": "allow", "methods": ["GET"], "keys": ["**"],
            "when": {"exp": {"equals": exp}}, "not_before": start}]);
        let authorizer = with_issuer(json!({"max_lifetime_seconds": 30}), rules);
        let reach = Analysis::new(&authorizer).reach(0).unwrap();
        assert_eq!(matches!(reach, Reach::Decides(_)), decides, "{start}");
    }
}

#[test]
fn a_claim_that_the_question_gives_must_pass_the_tests_of_the_rules() {
    let rules = json!([
        {"id": "r", "effect": "allow", "methods": ["PUT"], "keys": ["u/{scope1}/**"], "when": {"scope1": {"has": "a"}},
            "upload": {"metadata": {"g": "{scope1}"}}}
    ]);
    let authorizer = authorizer(rules);
    for (given, is_let_in) in [
        (json!("a"), true),
        (json!("b a"), true),
        (json!("b"), false),
        (json!("a/b a"), false),
        (json!(["a"]), false),
        (json!(7), false),
    ] {
        let claims = json!({"scope1": given}).as_object().unwrap().clone();
        let bounds = Bounds { claims, ..Bounds::default() };
        let found = crate::query(&authorizer, &crate::Query { bounds, ..crate::Query::default() }).unwrap();
        assert_eq!(!found.is_empty(), is_let_in, "{given}");
    }
}
