//! Listings by two users.

use serde_json::{Value, json};

use super::Scene;

fn keys<'a>(pages: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    let contents = pages.into_iter().flat_map(|page| page["Contents"].as_array().into_iter().flatten());
    contents.map(|object| object["Key"].as_str().unwrap()).collect()
}

fn prefixes(page: &Value) -> Vec<&str> {
    let prefixes = page["CommonPrefixes"].as_array().into_iter().flatten();
    prefixes.map(|one| one["Prefix"].as_str().unwrap()).collect()
}

#[test]
fn each_user_lists_what_is_below_their_own_prefix_and_nothing_else() {
    let Some(mut scene) = Scene::set() else { return };
    let names: Vec<String> = (0..7).map(|number| format!("users/alice/{number}")).collect();
    for key in names.iter().map(String::as_str).chain(["users/alice/deep/x", "users/alice/deep er/y"]) {
        scene.alice("put_object", json!({"Key": key, "Body": ""})).result();
    }
    for key in ["users/bob/a", "users/bob/b"] {
        scene.bob("put_object", json!({"Key": key, "Body": ""})).result();
    }
    scene.stage.bucket_log();

    let all = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/"}));
    assert_eq!(all.result()["KeyCount"], 9);
    assert!(keys([all.result()]).iter().all(|key| key.starts_with("users/alice/")));
    let bobs = scene.bob("list_objects_v2", json!({"Prefix": "users/bob/"}));
    assert_eq!(keys([bobs.result()]), ["users/bob/a", "users/bob/b"]);

    let level = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/", "Delimiter": "/"}));
    assert_eq!(keys([level.result()]), names);
    assert_eq!(prefixes(level.result()), ["users/alice/deep er/", "users/alice/deep/"]);
    let deeper = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/deep er"}));
    assert_eq!(keys([deeper.result()]), ["users/alice/deep er/y"]);
    let after = json!({"Prefix": "users/alice/", "StartAfter": "users/alice/5", "MaxKeys": 1});
    assert_eq!(keys([scene.alice("list_objects_v2", after).result()]), ["users/alice/6"]);

    // The SDK's own paginator, which sends back the tokens from S3.
    let pages = scene.alice(
        "paginate",
        json!({
            "Operation": "list_objects_v2", "Prefix": "users/alice/", "PaginationConfig": {"PageSize": 2},
        }),
    );
    let pages = pages.result().as_array().unwrap();
    assert_eq!(
        pages.iter().map(|page| page["KeyCount"].as_u64().unwrap()).collect::<Vec<_>>(),
        [2, 2, 2, 2, 1]
    );
    assert_eq!(keys(pages), keys([all.result()]));
    let log = scene.stage.bucket_log();
    assert!(log.iter().all(|line| line.operation.as_deref() == Some("ListObjectsV2") && line.status == 200));
    assert_eq!(log.len(), 10);

    // With a continuation token from bob's listing, alice still sees only her own prefix.
    let bobs = scene.bob("list_objects_v2", json!({"Prefix": "users/bob/", "MaxKeys": 1}));
    let token = &bobs.result()["NextContinuationToken"];
    let hers = scene.alice("list_objects_v2", json!({"Prefix": "users/alice/", "ContinuationToken": token}));
    assert!(keys([hers.result()]).iter().all(|key| key.starts_with("users/alice/")));
    scene.stage.bucket_log();

    for (args, status) in [
        (json!({}), 403),
        (json!({"Prefix": ""}), 403),
        (json!({"Prefix": "users/"}), 403),
        (json!({"Prefix": "users/alice"}), 403),
        (json!({"Prefix": "users/bob/"}), 403),
        (json!({"Prefix": "users/bob/", "Delimiter": "/"}), 403),
        (json!({"Prefix": "users/alice/../bob/"}), 400),
        (json!({"Prefix": "/users/alice/"}), 400),
        (json!({"Prefix": "users/alice//"}), 400),
        (json!({"Prefix": "users/alice/", "Delimiter": "b"}), 400),
        (json!({"Prefix": "users/alice/", "FetchOwner": true}), 400),
    ] {
        assert_eq!(scene.alice("list_objects_v2", args.clone()).refused(), status, "{args}");
        assert!(scene.stage.bucket_log().is_empty(), "{args}");
    }
}
