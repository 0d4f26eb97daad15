//! The cache: what it keeps, for whom, and what goes wrong with a key that leaves something out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use authorizer_local::{DistributionConfig, Function};
use serde_json::{Value, json};

use crate::behaviors::{behavior, bucket, distribution, serve_config};
use crate::support::{Stage, empty, forward, function, text};

const ID: &str = "11111111-2222-3333-4444-555555555555";

/// Which parameters of the query are in the key.
fn policy(query: &Value, min_ttl: u64) -> Value {
    json!({"CachePolicy": {"CachePolicyConfig": {
        "Name": "mine", "MinTTL": min_ttl, "DefaultTTL": 3600, "MaxTTL": 3600,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": false, "EnableAcceptEncodingBrotli": false,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": query,
        },
    }}})
}

fn whole_query() -> Value {
    json!({"QueryStringBehavior": "all"})
}

fn no_query() -> Value {
    json!({"QueryStringBehavior": "none"})
}

/// A distribution with this cache policy. The whole query reaches the bucket, whatever the key has.
async fn caching(function: Function, policy: &Value, errors: Value) -> Stage {
    let mut cached = behavior("files");
    cached["CachePolicyId"] = json!(ID);
    let mut distribution = distribution(&[bucket("files", "files")], &[("", cached)]);
    distribution["CustomErrorResponses"] = errors;
    let policy = policy.to_string().into_bytes();
    let beside = move |name: &str| (name == format!("cache-policy-{ID}.json")).then(|| policy.clone());
    let config = DistributionConfig::read(distribution.to_string().as_bytes(), &beside).unwrap();
    serve_config(function, config).await
}

/// Each viewer is who the header says, and may have the folder of that name. What the rest of the request says is not
/// looked at.
fn by_user() -> Function {
    function(|request| {
        let user = request["headers"]["x-user"][0]["value"].as_str().unwrap_or("nobody").to_owned();
        let query = request["querystring"].as_str().unwrap();
        let lists = request["uri"] == "/" && query.ends_with(&format!("prefix=users/{user}/"));
        let reads = request["uri"].as_str().unwrap().starts_with(&format!("/users/{user}/"));
        if lists || reads || request["method"] == "PUT" {
            request
        } else {
            json!({"status": "403", "body": "no"})
        }
    })
}

async fn put(stage: &Stage, path: &str, body: &str, headers: &[(&str, &str)]) {
    assert_eq!(stage.ask("PUT", path, headers, body.to_owned()).await.status, 200, "{path}");
}

#[tokio::test]
async fn a_second_request_is_a_hit_and_the_function_decides_on_each() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let stage = caching(
        function(move |request| {
            counted.fetch_add(1, Ordering::SeqCst);
            if request["headers"]["x-refuse"].is_array() { json!({"status": "403"}) } else { request }
        }),
        &policy(&whole_query(), 0),
        Value::Null,
    )
    .await;
    put(&stage, "/a", "first", &[("x-amz-meta-a", "1")]).await;
    let answer = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((answer.header("x-cache"), answer.header("age")), ("Miss from cloudfront", ""));
    assert_eq!(stage.last_report().age, None);
    // Nobody but the cache has the first one now.
    put(&stage, "/a", "second", &[]).await;
    let hit = stage.ask("GET", "/a", &[("authorization", "Bearer other")], "").await;
    assert_eq!((hit.status, hit.body.as_str(), hit.header("x-cache")), (200, "first", "Hit from cloudfront"));
    assert!(hit.header("age").parse::<u64>().is_ok(), "{hit:?}");
    assert_eq!(hit.header("x-amz-meta-a"), "1");
    let report = stage.last_report();
    assert!(report.age.is_some() && !report.forwarded);
    let head = stage.ask("HEAD", "/a", &[], "").await;
    assert_eq!((head.header("content-length"), head.header("x-cache")), ("5", "Hit from cloudfront"));
    let tag = hit.header("etag").to_owned();
    let known = stage.ask("GET", "/a", &[("if-none-match", &tag)], "").await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!(stage.ask("GET", "/a", &[("x-refuse", "1")], "").await.status, 403);
    assert_eq!(asked.load(Ordering::SeqCst), 7, "the function ran for every request, hits included");
}

#[tokio::test]
async fn what_the_function_answers_itself_is_not_kept_and_each_cookie_of_it_arrives() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let answers = function(move |request| {
        if request["uri"] != "/.auth/session" {
            return request;
        }
        let count = counted.fetch_add(1, Ordering::SeqCst);
        let cookie = |name: &str| json!({"key": "Set-Cookie", "value": format!("__Host-{name}={count}; Secure; Path=/")});
        let headers = json!({"set-cookie": [cookie("a"), cookie("b"), cookie("c")],
            "cache-control": [{"key": "Cache-Control", "value": "no-store"}]});
        json!({"status": "200", "headers": headers, "body": count.to_string()})
    });
    let stage = caching(answers, &policy(&no_query(), 60), Value::Null).await;
    for count in 0..3 {
        let answer = stage.ask("GET", "/.auth/session", &[], "").await;
        assert_eq!(
            (answer.body, answer.headers["x-cache"].to_str().unwrap()),
            (count.to_string(), "LambdaGeneratedResponse from cloudfront")
        );
        let set: Vec<_> =
            answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        let expected = ["a", "b", "c"].map(|name| format!("__Host-{name}={count}; Secure; Path=/"));
        assert_eq!(set, expected);
    }
}

#[tokio::test]
async fn an_object_in_the_cache_is_only_for_whom_the_function_lets_in() {
    let stage = caching(by_user(), &policy(&no_query(), 0), Value::Null).await;
    put(&stage, "/users/alice/a", "hers", &[]).await;
    assert_eq!(stage.ask("GET", "/users/alice/a", &[("x-user", "alice")], "").await.body, "hers");
    assert_eq!(stage.ask("GET", "/users/alice/a", &[("x-user", "alice")], "").await.header("age"), "0");
    let refused = stage.ask("GET", "/users/alice/a", &[("x-user", "bob")], "").await;
    assert_eq!((refused.status, refused.body.as_str()), (403, "no"));
    // The refusal was not kept.
    assert_eq!(stage.ask("GET", "/users/alice/a", &[("x-user", "alice")], "").await.body, "hers");
}

#[tokio::test]
async fn a_key_without_the_query_shows_one_viewers_listing_to_the_next() {
    for (query, leaks) in [(no_query(), true), (whole_query(), false)] {
        let stage = caching(by_user(), &policy(&query, 0), Value::Null).await;
        put(&stage, "/users/alice/secret-plan", "x", &[]).await;
        put(&stage, "/users/bob/b", "x", &[]).await;
        let list = |user: &'static str| {
            let stage = &stage;
            async move {
                let path = format!("/?list-type=2&prefix=users/{user}/");
                stage.ask("GET", &path, &[("x-user", user)], "").await
            }
        };
        assert!(list("alice").await.body.contains("secret-plan"));
        let bobs = list("bob").await;
        assert_eq!(bobs.status, 200, "the function lets bob list his own folder");
        assert_eq!(bobs.body.contains("secret-plan"), leaks, "{}", bobs.body);
        assert_eq!(bobs.header("x-cache") == "Hit from cloudfront", leaks);
    }
}

#[tokio::test]
async fn a_response_override_that_the_key_leaves_out_changes_what_others_get() {
    let but = json!({"QueryStringBehavior": "allExcept", "QueryStrings": {"Quantity": 1, "Items": ["response-content-type"]}});
    for (query, leaks) in [(but, true), (whole_query(), false)] {
        let stage = caching(by_user(), &policy(&query, 0), Value::Null).await;
        put(&stage, "/users/alice/a", "<script>", &[("content-type", "text/plain")]).await;
        let alice = [("x-user", "alice")];
        let chosen = stage.ask("GET", "/users/alice/a?response-content-type=text/html", &alice, "").await;
        assert_eq!(chosen.header("content-type"), "text/html");
        let next = stage.ask("GET", "/users/alice/a", &alice, "").await;
        assert_eq!(next.header("content-type"), if leaks { "text/html" } else { "text/plain" });
    }
}

#[tokio::test]
async fn an_error_is_kept_for_ten_seconds_even_where_nothing_else_is() {
    // Managed-CachingDisabled, whose key has no query.
    let config =
        crate::behaviors::config(&distribution(&[bucket("files", "files")], &[("", behavior("files"))]));
    let stage = serve_config(forward(), config).await;
    assert_eq!(stage.get("/late").await.0, 404);
    put(&stage, "/late", "here", &[]).await;
    let still = stage.ask("GET", "/late", &[], "").await;
    assert_eq!((still.status, still.header("x-cache")), (404, "Error from cloudfront"));
    assert!(stage.last_report().age.is_some());
    assert_eq!(stage.running.invalidator().unwrap().invalidate("/late"), 1);
    assert_eq!(stage.get("/late").await, (200, "here".into()));
    put(&stage, "/late", "again", &[]).await;
    assert_eq!(stage.get("/late").await, (200, "again".into()), "objects are not kept");

    let at_once = json!({"Quantity": 1, "Items": [{"ErrorCode": 404, "ErrorCachingMinTTL": 0}]});
    let stage = caching(forward(), &policy(&whole_query(), 0), at_once).await;
    assert_eq!(stage.get("/late").await.0, 404);
    put(&stage, "/late", "here", &[]).await;
    assert_eq!(stage.get("/late").await, (200, "here".into()));
}

#[tokio::test]
async fn what_the_uploader_says_about_caching_counts_unless_the_policy_has_a_minimum() {
    for (min_ttl, kept) in [(0, false), (60, true)] {
        let stage = caching(forward(), &policy(&whole_query(), min_ttl), Value::Null).await;
        put(&stage, "/a", "first", &[("cache-control", "private, no-store")]).await;
        stage.get("/a").await;
        put(&stage, "/a", "second", &[]).await;
        let expected = if kept { "first" } else { "second" };
        assert_eq!(stage.get("/a").await.1, expected, "{min_ttl}");
    }
}

#[tokio::test]
async fn an_invalidation_removes_what_it_names_and_nothing_else() {
    let stage = caching(forward(), &policy(&whole_query(), 0), Value::Null).await;
    let mut before = BTreeMap::new();
    for path in ["/a/1", "/a/2", "/b"] {
        put(&stage, path, "first", &[]).await;
        before.insert(path, stage.get(path).await.1);
        put(&stage, path, "second", &[]).await;
    }
    assert_eq!(stage.running.invalidator().unwrap().invalidate("/a/*"), 2);
    for (path, expected) in [("/a/1", "second"), ("/a/2", "second"), ("/b", "first")] {
        assert_eq!(stage.get(path).await.1, expected, "{path}");
    }
}

#[tokio::test]
async fn a_large_object_a_part_that_is_not_there_and_another_method_pass_through() {
    let stage = caching(forward(), &policy(&whole_query(), 0), Value::Null).await;
    let large = "a".repeat(9 * 1024 * 1024);
    put(&stage, "/large", &large, &[]).await;
    assert_eq!(stage.get("/large").await.1.len(), large.len());
    let again = stage.ask("GET", "/large", &[], "").await;
    assert_eq!(again.header("x-cache"), "Miss from cloudfront");
    put(&stage, "/a", "0123", &[]).await;
    for _ in 0..2 {
        let part = stage.ask("GET", "/a", &[("range", "bytes=1-2")], "").await;
        assert_eq!((part.status, part.body.as_str()), (206, "12"));
        assert_eq!(part.header("x-cache"), "Miss from cloudfront");
    }
    assert_eq!(stage.call("DELETE", "/a", empty()).await.0, 204);
    assert_eq!(stage.call("PUT", "/a", text("new")).await.0, 200);
    assert_eq!(stage.get("/a").await.1, "new");
}

#[tokio::test]
async fn a_part_of_an_object_in_the_cache_comes_from_there() {
    let stage = caching(forward(), &policy(&whole_query(), 0), Value::Null).await;
    put(&stage, "/a", "0123", &[]).await;
    assert_eq!(stage.get("/a").await, (200, "0123".into()));
    put(&stage, "/a", "other", &[]).await;
    let part = stage.ask("GET", "/a", &[("range", "bytes=1-2")], "").await;
    assert_eq!((part.status, part.body.as_str(), part.header("x-cache")), (206, "12", "Hit from cloudfront"));
    assert_eq!((part.header("content-range"), part.header("content-length")), ("bytes 1-2/4", "2"));
    // Only the origin says that there is no such part: it has another object by now.
    let beyond = stage.ask("GET", "/a", &[("range", "bytes=4-4")], "").await;
    assert_eq!(
        (beyond.status, beyond.body.as_str(), beyond.header("x-cache")),
        (206, "r", "Miss from cloudfront")
    );
    // An origin that sends the whole object in the place of a part fills the cache.
    let stage = caching(forward(), &policy(&whole_query(), 0), Value::Null).await;
    put(&stage, "/a", "0123", &[]).await;
    let whole = stage.ask("GET", "/a", &[("range", "bytes=2-1")], "").await;
    assert_eq!((whole.status, whole.body.as_str()), (200, "0123"));
    let part = stage.ask("GET", "/a", &[("range", "bytes=-1")], "").await;
    assert_eq!((part.status, part.body.as_str(), part.header("x-cache")), (206, "3", "Hit from cloudfront"));
}

#[tokio::test]
async fn without_a_distribution_nothing_is_kept() {
    let stage = Stage::with(forward()).await;
    assert!(stage.running.invalidator().is_none());
    assert_eq!(stage.get("/a").await.0, 404);
    put(&stage, "/a", "here", &[]).await;
    assert_eq!(stage.get("/a").await.1, "here");
}
