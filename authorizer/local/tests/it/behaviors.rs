//! The distribution that you have: its behaviors, origins, policies and error pages.

use std::sync::Arc;

use authorizer_cloudfront::DistributionNeeds;
use authorizer_core::Bundle;
use authorizer_local::{Behaviors, Distribution, DistributionConfig, EmbeddedS3, Function, Settings};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Heard, Stage, client, empty, forward, function, refuse, settings, text};

const DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const ALL_BUT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

/// An origin that is a bucket.
pub(crate) fn bucket(id: &str, bucket: &str) -> Value {
    json!({
        "Id": id,
        "DomainName": format!("{bucket}.s3.eu-west-1.amazonaws.com"),
        "OriginAccessControlId": "E2QWRUHAPOMQZL",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    })
}

/// A behavior with the function, every method, and everything forwarded.
pub(crate) fn behavior(origin: &str) -> Value {
    let methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];
    json!({
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "allow-all",
        "AllowedMethods": {"Quantity": 7, "Items": methods, "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}},
        "CachePolicyId": DISABLED,
        "OriginRequestPolicyId": ALL_BUT_HOST,
        "LambdaFunctionAssociations": {"Quantity": 1, "Items": [{
            "EventType": "viewer-request",
            "LambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1",
            "IncludeBody": false,
        }]},
    })
}

/// A distribution with these origins, patterns and behaviors; the last behavior is the default one.
pub(crate) fn distribution(origins: &[Value], behaviors: &[(&str, Value)]) -> Value {
    let (default, patterns) = behaviors.split_last().unwrap();
    let patterns: Vec<Value> = patterns
        .iter()
        .map(|(pattern, behavior)| {
            let mut behavior = behavior.clone();
            behavior["PathPattern"] = json!(pattern);
            behavior
        })
        .collect();
    json!({
        "Enabled": true,
        "Origins": {"Quantity": origins.len(), "Items": origins},
        "DefaultCacheBehavior": default.1,
        "CacheBehaviors": {"Quantity": patterns.len(), "Items": patterns},
    })
}

pub(crate) fn config(distribution: &Value) -> DistributionConfig {
    DistributionConfig::read(distribution.to_string().as_bytes(), &|_| None).unwrap()
}

/// Serves a distribution. Its first bucket is `files`.
pub(crate) async fn serve(function: Function, distribution: &Value) -> Stage {
    serve_config(function, config(distribution)).await
}

/// The same, with objects that are in the first bucket from the start.
async fn serve_with(function: Function, distribution: &Value, objects: &[(&str, &str)]) -> Stage {
    let prepared = settings(function);
    for (key, content) in objects {
        let file = prepared.0.data_dir.join("files").join(key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    start(prepared, config(distribution)).await
}

pub(crate) async fn serve_config(function: Function, config: DistributionConfig) -> Stage {
    start(settings(function), config).await
}

async fn start(
    (settings, heard, data): (Settings, Arc<Heard>, TempDir),
    config: DistributionConfig,
) -> Stage {
    let credentials = settings.credentials.clone();
    let running =
        Distribution::start_with(settings, Behaviors::Distribution(Box::new(config))).await.unwrap();
    Stage { running, heard, credentials, data, client: client() }
}

fn with(mut behavior: Value, edit: impl FnOnce(&mut Value)) -> Value {
    edit(&mut behavior);
    behavior
}

#[tokio::test]
async fn the_first_pattern_that_matches_selects_the_behavior_and_each_origin_is_its_own_bucket() {
    let mut images = bucket("images", "pictures");
    images["OriginPath"] = json!("/web");
    let distribution = distribution(
        &[bucket("files", "files"), images],
        &[
            ("images/private/*", behavior("files")),
            ("/images/*.png", behavior("images")),
            ("", behavior("files")),
        ],
    );
    let stage = serve(forward(), &distribution).await;
    for path in ["/images/a.png", "/images/private/a.png", "/images/a.PNG", "/%69mages/b.png"] {
        assert_eq!(stage.call("PUT", path, text(path)).await.0, 200, "{path}");
    }
    let is_in = |bucket: &str, key: &str| EmbeddedS3::file(stage.data.path(), bucket, key).is_some();
    assert!(is_in("pictures", "web/images/a.png"), "the origin path is in front of the key");
    assert!(is_in("files", "images/private/a.png") && is_in("files", "images/a.PNG"));
    let buckets: Vec<_> = stage.running.buckets().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(buckets, ["files", "pictures"]);
    let report = stage.heard.bucket.lock().unwrap()[0].clone();
    assert_eq!(report.path, "/pictures/web/images/a.png");
}

#[tokio::test]
async fn a_method_that_a_behavior_does_not_allow_is_403_without_the_function() {
    let read = with(behavior("files"), |one| {
        one["AllowedMethods"] = json!({"Quantity": 2, "Items": ["GET", "HEAD"]});
    });
    let distribution = distribution(&[bucket("files", "files")], &[("", read)]);
    let stage = serve(function(|_| panic!("the function was asked")), &distribution).await;
    let answer = stage.ask("PUT", "/a", &[], "x").await;
    assert_eq!((answer.status, answer.header("x-cache")), (403, "Error from cloudfront"));
    let sentence = "This distribution is not configured to allow the HTTP request method that was used for this \
         request. The distribution supports only cachable requests.";
    assert!(answer.body.contains(sentence), "{}", answer.body);
    assert!(stage.last_report().problem.unwrap().contains("GET, HEAD"));
}

#[tokio::test]
async fn plain_http_is_sent_to_https_or_refused_as_the_behavior_says() {
    let protocol = |policy: &str| with(behavior("files"), |one| one["ViewerProtocolPolicy"] = json!(policy));
    let distribution = distribution(
        &[bucket("files", "files")],
        &[("only/*", protocol("https-only")), ("", protocol("redirect-to-https"))],
    );
    assert!(config(&distribution).wants_https());
    let stage = serve(function(|_| panic!("the function was asked")), &distribution).await;
    let answer = stage.ask("GET", "/only/a", &[], "").await;
    assert_eq!(answer.status, 403);
    for (method, status) in [("GET", 301), ("PUT", 307)] {
        let answer = stage.ask(method, "/a?b=c", &[("host", "files.example")], "").await;
        assert_eq!((answer.status, answer.header("location")), (status, "https://files.example/a?b=c"));
        assert_eq!(answer.header("x-cache"), "Redirect from cloudfront");
    }
    assert!(stage.last_report().problem.unwrap().contains("--tls"));
}

#[tokio::test]
async fn what_a_policy_does_not_forward_does_not_reach_the_bucket() {
    // Managed-CORS-S3Origin: neither the content type nor the query.
    let narrow = with(behavior("files"), |one| {
        one["OriginRequestPolicyId"] = json!("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf");
    });
    let distribution =
        distribution(&[bucket("files", "files")], &[("narrow/*", narrow), ("", behavior("files"))]);
    let stage = serve(forward(), &distribution).await;
    let headers = [("content-type", "text/x-mine"), ("x-amz-meta-a", "1"), ("if-none-match", "*")];
    for (path, kind, meta) in [("/wide/a", "text/x-mine", "1"), ("/narrow/a", "binary/octet-stream", "")] {
        assert_eq!(stage.ask("PUT", &format!("{path}?x-id=PutObject"), &headers, "x").await.status, 200);
        let answer = stage.ask("GET", path, &[], "").await;
        assert_eq!((answer.header("content-type"), answer.header("x-amz-meta-a")), (kind, meta), "{path}");
    }
    let queries: Vec<_> = stage.heard.bucket.lock().unwrap().iter().map(|one| one.query.clone()).collect();
    assert_eq!(queries, ["x-id=PutObject", "", "", ""]);
    // `create_only` needs the header: without it, the second upload overwrites.
    assert_eq!(stage.ask("PUT", "/wide/a", &headers, "y").await.status, 412);
    assert_eq!(stage.ask("PUT", "/narrow/a", &headers, "y").await.status, 200);
    assert_eq!(
        config(&distribution).lost(&["If-None-Match", "Origin"]),
        [("narrow/*".to_owned(), vec!["If-None-Match"])]
    );
}

#[tokio::test]
async fn without_a_distribution_only_the_headers_of_the_policy_reach_the_bucket() {
    let (settings, heard, data) = settings(forward());
    let credentials = settings.credentials.clone();
    let list: Arc<[String]> = vec!["Content-Type".to_owned()].into();
    let behaviors = Behaviors::Policy(Arc::new(move || Arc::clone(&list)));
    let running = Distribution::start_with(settings, behaviors).await.unwrap();
    let stage = Stage { running, heard, credentials, data, client: client() };
    let headers = [("content-type", "text/x-mine"), ("x-amz-meta-a", "1")];
    assert_eq!(stage.ask("PUT", "/a?x-id=PutObject", &headers, "x").await.status, 200);
    let answer = stage.ask("GET", "/a", &[], "").await;
    assert_eq!((answer.header("content-type"), answer.header("x-amz-meta-a")), ("text/x-mine", ""));
    assert_eq!(stage.heard.bucket.lock().unwrap()[0].query, "x-id=PutObject");
}

#[tokio::test]
async fn a_response_headers_policy_is_that_of_the_behavior() {
    // Managed-CORS-and-SecurityHeadersPolicy.
    let secured = with(behavior("files"), |one| {
        one["ResponseHeadersPolicyId"] = json!("e61eb60c-9c35-4d20-a928-2b84e02af89c");
    });
    let distribution =
        distribution(&[bucket("files", "files")], &[("secured/*", secured), ("", behavior("files"))]);
    let stage = serve(forward(), &distribution).await;
    let page = [("origin", "https://app.example.com")];
    for (path, policy, cors) in [("/secured/a", "nosniff", "*"), ("/a", "", "")] {
        stage.call("PUT", path, text("x")).await;
        let answer = stage.ask("GET", path, &page, "").await;
        assert_eq!(answer.header("x-content-type-options"), policy, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), cors, "{path}");
        assert_eq!(answer.header("cache-control"), "", "the policy of the templates is not this one's");
    }
    let stage = serve(refuse(), &distribution).await;
    let answer = stage.ask("GET", "/secured/a", &page, "").await;
    assert_eq!((answer.status, answer.header("x-frame-options")), (403, "SAMEORIGIN"));
}

#[tokio::test]
async fn the_default_root_object_is_what_a_request_for_the_root_gets_after_the_function() {
    let mut distribution = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
    distribution["DefaultRootObject"] = json!("index.html");
    let stage = serve_with(
        function(|request| {
            assert_ne!(request["uri"], "/index.html", "the function sees what the viewer sent");
            request
        }),
        &distribution,
        &[("index.html", "home")],
    )
    .await;
    assert_eq!(stage.get("/").await, (200, "home".into()));
    // A listing is a request for `/` too.
    assert_eq!(stage.get("/?list-type=2&prefix=users/").await, (200, "home".into()));
}

#[tokio::test]
async fn an_error_page_takes_the_place_of_the_origins_error_and_not_of_a_refusal() {
    let mut distribution = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
    distribution["CustomErrorResponses"] = json!({"Quantity": 2, "Items": [
        {"ErrorCode": 404, "ResponsePagePath": "/errors/404.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0},
        {"ErrorCode": 403, "ResponsePagePath": "/errors/404.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0},
    ]});
    let stage = serve(forward(), &distribution).await;
    assert_eq!(stage.get("/missing").await.0, 404, "there is no page yet");
    assert_eq!(stage.call("PUT", "/errors/404.html", text("sorry")).await.0, 200);
    assert_eq!(stage.get("/missing").await, (200, "sorry".into()));
    let stage = serve(refuse(), &distribution).await;
    assert_eq!(stage.get("/missing").await, (403, "{}".into()));
}

#[tokio::test]
async fn what_is_not_here_is_told_and_answered_with_502() {
    let without = |mut behavior: Value| {
        behavior["LambdaFunctionAssociations"] = json!({"Quantity": 0});
        behavior
    };
    let other = with(without(behavior("files")), |one| {
        one["FunctionAssociations"] = json!({"Quantity": 1, "Items": [
            {"EventType": "viewer-request", "FunctionARN": "arn:aws:cloudfront::111122223333:function/x"},
        ]});
    });
    let signed = with(behavior("files"), |one| {
        one["TrustedKeyGroups"] = json!({"Enabled": true, "Quantity": 1, "Items": ["k"]});
    });
    let distribution = distribution(
        &[
            bucket("files", "files"),
            json!({"Id": "api", "DomainName": "api.example.com", "CustomOriginConfig": {"HTTPPort": 80}}),
        ],
        &[
            ("api/*", behavior("api")),
            ("other/*", other),
            ("signed/*", signed),
            ("open/*", without(behavior("files"))),
            ("", behavior("files")),
        ],
    );
    let config = config(&distribution);
    let rows: Vec<_> = config.rows().into_iter().map(|row| (row.pattern, row.function, row.origin)).collect();
    let row = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(
        rows,
        [
            row("api/*", "yes", "api (absent)"),
            row("other/*", "absent", "files"),
            row("signed/*", "yes", "files"),
            row("open/*", "no", "files"),
            row("default", "yes", "files"),
        ]
    );
    let notes = config.notes().join("\n");
    assert!(notes.contains("viewer-request (CloudFront Function)"), "{notes}");

    let stage = serve(forward(), &distribution).await;
    for (path, reason) in
        [("/api/x", "the origin `api`"), ("/other/x", "the functions of behavior `other/*`")]
    {
        let answer = stage.ask("GET", path, &[], "").await;
        assert_eq!(answer.status, 502, "{path}");
        assert!(
            answer.body.contains(reason) && answer.body.contains("not on this machine"),
            "{}",
            answer.body
        );
    }
    let answer = stage.ask("GET", "/signed/x", &[], "").await;
    assert_eq!(answer.error(), (403, "MissingKey"));
    // CloudFront serves it to everyone, and so does the local distribution.
    let stage = serve_with(refuse(), &distribution, &[("open/a", "open")]).await;
    assert_eq!(stage.get("/open/a").await, (200, "open".into()));
    assert_eq!(stage.get("/a").await.0, 403);
}

#[tokio::test]
async fn an_origin_without_access_control_is_not_signed_for_and_one_with_host_is_not_found() {
    let mut unsigned = bucket("unsigned", "public");
    unsigned["OriginAccessControlId"] = json!("");
    let host = with(behavior("files"), |one| {
        one["OriginRequestPolicyId"] = json!("216adef6-5c7f-47e4-b989-5492eafa07d3");
    });
    let distribution = distribution(
        &[bucket("files", "files"), unsigned],
        &[("unsigned/*", behavior("unsigned")), ("", host)],
    );
    let stage = serve(forward(), &distribution).await;
    assert_eq!(stage.get("/unsigned/a").await.0, 403, "S3 serves only signed requests");
    let answer = stage.ask("GET", "/a", &[], "").await;
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch"));
    assert!(stage.last_report().problem.unwrap().contains("`Host`"));
}

/// A distribution with the buckets `files` and `copies` as one origin group, which fails over for these statuses.
fn group(statuses: &Value, second: &Value) -> Value {
    let mut distribution =
        distribution(&[bucket("files", "files"), second.clone()], &[("", behavior("both"))]);
    distribution["OriginGroups"] = json!({"Quantity": 1, "Items": [{
        "Id": "both",
        "FailoverCriteria": {"StatusCodes": {"Quantity": 1, "Items": statuses}},
        "Members": {"Quantity": 2, "Items": [{"OriginId": "files"}, {"OriginId": "copies"}]},
    }]});
    distribution
}

#[tokio::test]
async fn the_second_origin_of_a_group_is_asked_for_the_statuses_of_the_group_and_only_to_read() {
    let copies = bucket("copies", "copies");
    let start_with_copy =
        async |distribution: &Value| start_with_copies(distribution, &[("a", "copy")]).await;
    let stage = start_with_copy(&group(&json!([404]), &copies)).await;
    assert_eq!(config(&group(&json!([404]), &copies)).rows()[0].origin, "files, then copies");
    assert_eq!(stage.get("/a").await, (200, "copy".into()));
    assert!(stage.last_report().second_origin);
    assert_eq!(stage.call("HEAD", "/a", empty()).await.0, 200);
    assert_eq!(stage.get("/b").await.0, 404);
    // A write goes to the first one, whatever it answers.
    let before = stage.heard.bucket.lock().unwrap().len();
    assert_eq!(stage.call("PUT", "/a?partNumber=1&uploadId=none", text("new")).await.0, 404);
    assert_eq!(stage.heard.bucket.lock().unwrap().len(), before + 1);
    assert_eq!(stage.call("PUT", "/a", text("first")).await.0, 200);
    assert_eq!(stage.get("/a").await, (200, "first".into()));
    assert!(!stage.last_report().second_origin);
    assert_eq!(stage.call("DELETE", "/a", empty()).await.0, 204);
    assert_eq!(stage.get("/a").await, (200, "copy".into()));

    let stage = start_with_copy(&group(&json!([500, "503"]), &copies)).await;
    assert_eq!(stage.get("/a").await.0, 404);
    let elsewhere =
        json!({"Id": "copies", "DomainName": "api.example.com", "CustomOriginConfig": {"HTTPPort": 80}});
    let stage = serve(forward(), &group(&json!([404]), &elsewhere)).await;
    assert_eq!(stage.get("/a").await.0, 502);
    assert!(stage.last_report().problem.unwrap().contains("the origin `copies`"));
}

/// Starts a distribution with objects in its second bucket, `copies`.
async fn start_with_copies(distribution: &Value, objects: &[(&str, &str)]) -> Stage {
    let prepared = settings(forward());
    for (key, content) in objects {
        let file = prepared.0.data_dir.join("copies").join(key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    start(prepared, config(distribution)).await
}

#[tokio::test]
async fn an_error_page_of_a_group_comes_from_the_second_origin_if_the_first_one_does_not_have_it() {
    let pages = json!({"Quantity": 1, "Items": [
        {"ErrorCode": 404, "ResponsePagePath": "/errors/404.html", "ResponseCode": "410", "ErrorCachingMinTTL": 0},
    ]});
    let copies = bucket("copies", "copies");
    for (statuses, expected) in [(json!([404]), Some("of the copy")), (json!([500]), None)] {
        let mut distribution = group(&statuses, &copies);
        distribution["CustomErrorResponses"] = pages.clone();
        let stage = start_with_copies(&distribution, &[("errors/404.html", "of the copy")]).await;
        let (status, body) = stage.get("/missing").await;
        assert_eq!(status, if expected.is_some() { 410 } else { 404 }, "{statuses}");
        assert_eq!(body == "of the copy", expected.is_some());
        let asked: Vec<_> = stage.heard.bucket.lock().unwrap().iter().map(|one| one.path.clone()).collect();
        let of = |path: &str| match expected {
            Some(_) => vec![format!("/files{path}"), format!("/copies{path}")],
            None => vec![format!("/files{path}")],
        };
        assert_eq!(asked, [of("/missing"), of("/errors/404.html")].concat());
        // Once the first one has a page, it is that page.
        assert_eq!(stage.call("PUT", "/errors/404.html", text("of the first")).await.0, 200);
        assert_eq!(stage.get("/missing").await, (410, "of the first".into()));
        let head = stage.ask("HEAD", "/missing", &[], "").await;
        assert_eq!((head.status, head.header("content-length")), (410, "12"));
    }
}

#[tokio::test]
async fn the_second_origin_is_asked_for_options_only_where_its_answers_are_cached() {
    let copies = bucket("copies", "copies");
    for caches in [true, false] {
        let mut distribution = group(&json!([400, 403, 404, 405, 501]), &copies);
        if caches {
            distribution["DefaultCacheBehavior"]["AllowedMethods"]["CachedMethods"] =
                json!({"Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"]});
        }
        let stage = start_with_copies(&distribution, &[("a", "copy")]).await;
        let preflight = [("origin", "https://app.example.com"), ("access-control-request-method", "PUT")];
        let answer = stage.ask("OPTIONS", "/a", &preflight, "").await;
        assert!(answer.status >= 400, "no bucket has a CORS configuration: {answer:?}");
        assert_eq!(stage.last_report().second_origin, caches);
        let asked = stage.heard.bucket.lock().unwrap().len();
        assert_eq!(asked, if caches { 2 } else { 1 });
        // What was said of OPTIONS is not the answer to a GET.
        assert_eq!(stage.get("/a").await, (200, "copy".into()));
    }
}

#[test]
fn a_behavior_that_no_path_selects_is_told() {
    let patterns = ["a/*", "b/*.jpg", "/a/*", "a/b/?", "*", "c"];
    let behaviors: Vec<(&str, Value)> =
        patterns.into_iter().chain([""]).map(|pattern| (pattern, behavior("files"))).collect();
    let config = config(&distribution(&[bucket("files", "files")], &behaviors));
    assert_eq!(
        config.warnings(),
        [
            "behavior `/a/*` is never selected: behavior `a/*` before it takes all of its paths",
            "behavior `a/b/?` is never selected: behavior `a/*` before it takes all of its paths",
            "behavior `c` is never selected: behavior `*` before it takes all of its paths",
            "the default behavior is never selected: behavior `*` before it takes all of its paths",
        ]
    );
    let twice = [("a", behavior("files")), ("a", behavior("files")), ("", behavior("files"))];
    let config = self::config(&distribution(&[bucket("files", "files")], &twice));
    assert!(
        config.warnings()[0].starts_with("two behaviors have the pattern `a`"),
        "{:?}",
        config.warnings()
    );
    // An escape in a pattern is what it is, here.
    let escapes = [("%61", behavior("files")), ("a", behavior("files")), ("", behavior("files"))];
    let config = self::config(&distribution(&[bucket("files", "files")], &escapes));
    assert_eq!(config.warnings(), Vec::<String>::new());
    // Longer than CloudFront lets a pattern be.
    let (near, long) = (format!("*{}b*", "a".repeat(500)), "a".repeat(1000));
    let long =
        [(near.as_str(), behavior("files")), (long.as_str(), behavior("files")), ("", behavior("files"))];
    let config = self::config(&distribution(&[bucket("files", "files")], &long));
    assert!(
        matches!(config.warnings(), [one] if one.starts_with("it is not decided whether behavior `aaa")),
        "{:?}",
        config.warnings()
    );
}

/// What a policy needs whose one rule, without a token, is for these keys, with this `[cors]`.
fn needs(rule: &Value, cors: &Value) -> DistributionNeeds {
    let mut all = json!({"id": "r", "effect": "allow", "anonymous": true});
    all.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let document = serde_json::from_value(json!({"version": 1, "cors": cors, "rules": [all]})).unwrap();
    DistributionNeeds::of(Bundle::read(&Bundle::write(&document).unwrap()).unwrap().policy())
}

#[test]
fn where_the_distribution_and_the_policy_do_not_fit_is_told() {
    // Managed-SimpleCORS.
    let simple = with(behavior("files"), |one| {
        one["ResponseHeadersPolicyId"] = json!("60669652-455b-4ae9-85a4-c4c02393f86c");
    });
    let other = |mut behavior: Value| {
        behavior["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"] =
            json!("arn:aws:lambda:us-east-1:111122223333:function:another:1");
        behavior
    };
    let buckets = [bucket("files", "files"), bucket("photos", "photos")];
    let reads = json!({"methods": ["GET"], "keys": ["**"]});
    let lists = json!({"methods": ["GET"], "operations": ["ListObjectsV2"], "keys": ["photos/**"]});
    let of_photos =
        |default: Value| distribution(&buckets, &[("photos/*", behavior("photos")), ("", default)]);
    let alone = |behavior: Value| distribution(&buckets, &[("", behavior)]);
    let (none, any) = (Value::Null, json!({"origins": ["*"]}));
    let app = json!({"origins": ["https://app.example.com"]});
    for (distribution, rule, cors, said) in [
        (alone(behavior("files")), &reads, &none, vec![]),
        (alone(simple.clone()), &reads, &any, vec![]),
        (
            alone(behavior("files")),
            &reads,
            &any,
            vec![
                "the default behavior: CORS of S3's answers: there are no CORS headers, but the policy has `[cors]`",
            ],
        ),
        (
            alone(simple.clone()),
            &reads,
            &none,
            vec![
                "the default behavior: CORS of S3's answers: there are CORS headers, but the policy has no `[cors]`",
            ],
        ),
        (
            alone(simple.clone()),
            &reads,
            &app,
            vec![
                "the default behavior: CORS of S3's answers: the origins include `*`, which the policy does not have",
            ],
        ),
        // What another function is for is not this policy's.
        (
            distribution(&buckets, &[("other/*", other(simple.clone())), ("", behavior("files"))]),
            &reads,
            &none,
            vec![],
        ),
        (
            of_photos(behavior("files")),
            &lists,
            &none,
            vec![
                "rules r list keys of a bucket that is never listed: a listing is a request for `/`, whatever its prefix, \
                 and goes to the default behavior",
            ],
        ),
        (of_photos(behavior("photos")), &lists, &none, vec![]),
        (
            distribution(&buckets, &[("photos/*", other(behavior("photos"))), ("", behavior("files"))]),
            &lists,
            &none,
            vec![],
        ),
    ] {
        assert_eq!(config(&distribution).misfits(&needs(rule, cors)), said, "{rule} {cors}");
    }
}

/// The configuration with an Origin Access Control of this setting beside it.
fn signing(distribution: &Value, behavior: &str) -> DistributionConfig {
    let control = json!({"OriginAccessControl": {"OriginAccessControlConfig": {
        "SigningProtocol": "sigv4", "SigningBehavior": behavior, "OriginAccessControlOriginType": "s3",
    }}});
    let beside = |name: &str| {
        (name == "origin-access-control-E2QWRUHAPOMQZL.json").then(|| control.to_string().into_bytes())
    };
    DistributionConfig::read(distribution.to_string().as_bytes(), &beside).unwrap()
}

#[tokio::test]
async fn an_access_control_signs_as_its_setting_says() {
    // The viewer's own `Authorization` reaches the bucket only where a policy selects it.
    let passes_on = with(behavior("files"), |one| {
        one["ForwardedValues"] = json!({
            "QueryString": true,
            "Cookies": {"Forward": "none"},
            "Headers": {"Quantity": 1, "Items": ["Authorization"]},
        });
        let one = one.as_object_mut().unwrap();
        one.remove("CachePolicyId");
        one.remove("OriginRequestPolicyId");
    });
    let distribution =
        distribution(&[bucket("files", "files")], &[("passed/*", passes_on), ("", behavior("files"))]);
    let token = [("authorization", "Bearer of-the-viewer")];
    for (setting, plain, with_token) in [("always", 200, 200), ("no-override", 200, 403), ("never", 403, 403)]
    {
        let config = signing(&distribution, setting);
        assert!(!config.notes().join(" ").contains("Origin Access Control"), "{setting}");
        let stage = serve_config(forward(), config).await;
        assert_eq!(stage.ask("PUT", "/a", &[], "a").await.status, plain, "{setting}");
        for path in ["/b", "/passed/b"] {
            let answer = stage.ask("PUT", path, &token, "b").await;
            assert_eq!(answer.status, with_token, "{setting} {path}: {}", answer.body);
        }
    }
    for config in [config(&distribution), signing(&distribution, "sometimes")] {
        let notes = config.notes().join("\n");
        let command = "aws cloudfront get-origin-access-control --id E2QWRUHAPOMQZL";
        assert!(notes.contains("served as one that signs `always`") && notes.contains(command), "{notes}");
    }
}

#[tokio::test]
async fn a_bucket_keeps_versions_as_the_template_or_the_export_says() {
    let file = |said: &str| {
        let said = said.to_owned();
        move |name: &str| (name == "bucket-files/versioning.json").then(|| said.clone().into_bytes())
    };
    let written = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
    let read = |said: &str| DistributionConfig::read(written.to_string().as_bytes(), &file(said)).unwrap();
    let of_template = |properties: Value| {
        let mut config = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
        config["Origins"] = json!([bucket("files", "files")]);
        config["CacheBehaviors"] = json!([]);
        let default = &mut config["DefaultCacheBehavior"];
        let associations = default["LambdaFunctionAssociations"]["Items"].clone();
        default["LambdaFunctionAssociations"] = associations;
        default["AllowedMethods"] = json!(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]);
        config["Origins"][0]["DomainName"] = json!({"Fn::GetAtt": "Files.RegionalDomainName"});
        let template = json!({"Resources": {
            "Files": {"Type": "AWS::S3::Bucket", "Properties": properties},
            "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}},
        }});
        DistributionConfig::of_template(&template, &Default::default(), &|_| None).unwrap()
    };
    for (config, by_settings, keeps) in [
        (read(r#"{"Status": "Enabled"}"#), false, true),
        (read(r#"{"Status": "Suspended"}"#), true, false),
        (read("{}"), true, false),
        (read(r#"{"NotRead": "AccessDenied"}"#), true, true),
        (config(&written), true, true),
        (config(&written), false, false),
        (of_template(json!({"VersioningConfiguration": {"Status": "Enabled"}})), false, true),
        (of_template(json!({"VersioningConfiguration": {"Status": "Suspended"}})), true, false),
        (of_template(json!({})), true, false),
    ] {
        let (mut settings, heard, data) = settings(forward());
        settings.bucket_options.versions = by_settings;
        let credentials = settings.credentials.clone();
        let behaviors = Behaviors::Distribution(Box::new(config));
        let running = Distribution::start_with(settings, behaviors).await.unwrap();
        let stage = Stage { running, heard, credentials, data, client: client() };
        let put = stage.ask("PUT", "/a", &[], "a").await;
        assert_eq!((put.status, !put.header("x-amz-version-id").is_empty()), (200, keeps));
    }
}

#[test]
fn what_is_set_and_not_known_and_what_is_missing_are_named() {
    let mut written = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
    written["EdgeBypass"] = json!(true);
    written["WebACLId"] = json!("arn:aws:wafv2:us-east-1:111122223333:global/webacl/x/1");
    let notes = config(&written).notes().join("\n");
    assert!(notes.contains("`EdgeBypass` is set, but this version does not know it"), "{notes}");
    assert!(notes.contains("`WebACLId`: the firewall is not here"), "{notes}");

    let read = |value: &Value, beside: &dyn Fn(&str) -> Option<Vec<u8>>| {
        DistributionConfig::read(value.to_string().as_bytes(), beside).map_err(|error| error.to_string())
    };
    let id = "11111111-2222-3333-4444-555555555555";
    written["DefaultCacheBehavior"]["OriginRequestPolicyId"] = json!(id);
    let error = read(&written, &|_| None).unwrap_err();
    assert_eq!(error, format!("the origin request policy `{id}` of the default behavior is not known"));
    let error = read(&written, &|_| Some(b"{}".to_vec())).unwrap_err();
    assert!(error.starts_with(&format!("`origin-request-policy-{id}.json`: not an origin")), "{error}");
    let found = read(&written, &|name| {
        if name != format!("origin-request-policy-{id}.json") {
            return None;
        }
        let config = json!({
            "Name": "mine",
            "Bypass": true,
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Range"]}},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "all"},
        });
        Some(json!({"OriginRequestPolicy": {"OriginRequestPolicyConfig": config}}).to_string().into_bytes())
    });
    let found = found.unwrap();
    assert_eq!(found.lost(&["Range", "If-Match"]), [("default".to_owned(), vec!["If-Match"])]);
    let notes = found.notes().join("\n");
    assert!(notes.contains(&format!("`Bypass` in `origin-request-policy-{id}.json` is set, but")), "{notes}");
    written["DefaultCacheBehavior"]["ViewerProtocolPolicy"] = json!("https-sometimes");
    let error = read(&written, &|_| None).unwrap_err();
    assert_eq!(
        error,
        "`ViewerProtocolPolicy` of the default behavior is `https-sometimes`, which is not known"
    );
}

#[test]
fn the_older_settings_of_a_behavior_are_read_too() {
    let older = include_bytes!("../../../../fixtures/distributions/older.json");
    let config = DistributionConfig::read(older, &|_| None).unwrap();
    let row = &config.rows()[0];
    assert_eq!((row.cache.as_str(), row.function.as_str()), ("older settings", "absent"));
}

#[tokio::test]
async fn a_head_request_gets_the_error_page_without_its_body() {
    let mut distribution = distribution(&[bucket("files", "files")], &[("", behavior("files"))]);
    distribution["CustomErrorResponses"] = json!({"Quantity": 1, "Items": [
        {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 0},
    ]});
    let stage = serve_with(forward(), &distribution, &[("404.html", "sorry")]).await;
    let response = stage.send(Request::head(stage.url("/missing")).body(empty()).unwrap()).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-length"]),
        (404, &"5".parse().unwrap())
    );
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
}
