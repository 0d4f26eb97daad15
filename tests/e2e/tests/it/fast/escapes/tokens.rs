//! Invalid credentials.

use super::Who::{Alice, Nobody};
use super::{Attempt, Scene};

#[test]
fn what_is_no_token_opens_nothing() {
    let mut scene = Scene::set();
    let mut surprises = Vec::new();
    let (alice, bob) = (scene.alice.clone(), scene.bob.clone());
    let swapped = [alice.rsplit_once('.').unwrap().0, bob.rsplit_once('.').unwrap().1].join(".");
    let cookie = format!("Cookie: token={bob}; access_token={bob}");
    for (who, headers, status, why) in [
        (Nobody, vec![format!("Authorization: Bearer {swapped}")], 401, "another token's signature"),
        (Nobody, vec![format!("Authorization: Bearer {bob} ")], 403, "Bob's token, on what is hers"),
        (Nobody, vec![format!("Authorization: bearer {bob}x")], 401, "a letter more"),
        (Nobody, vec![format!("Authorization: Token {alice}")], 401, "another scheme"),
        (Nobody, vec![cookie], 401, "a cookie"),
        (Nobody, vec![format!("X-Authorization: Bearer {alice}")], 401, "another header"),
        (Nobody, vec![format!("Proxy-Authorization: Bearer {alice}")], 401, "another header"),
        (Alice, vec![format!("Authorization: Bearer {bob}")], 400, "two tokens"),
        (Alice, vec!["Connection: authorization".to_owned()], 401, "a token for the connection only"),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let request = scene.request(who, "GET /users/alice/x", &headers, "");
        surprises.extend(scene.surprise(&request, status, why));
    }
    scene.ends(&surprises);
}

#[test]
fn without_a_token_nothing_is_asked_of_s3() {
    Scene::set().refuses(&STRANGERS);
}

#[rustfmt::skip]
const STRANGERS: [Attempt; 14] = [
    (Nobody, "GET /users/bob/x", &[], "", 401, "no token"),
    (Nobody, "HEAD /users/bob/x", &[], "", 401, "no token"),
    (Nobody, "PUT /users/bob/x", &[], "evil", 401, "no token"),
    (Nobody, "DELETE /users/bob/x", &[], "", 401, "no token"),
    (Nobody, "GET /?list-type=2&prefix=users/bob/", &[], "", 401, "no token"),
    (Nobody, "GET /?list-type=2", &[], "", 401, "no token"),
    (Nobody, "POST /users/bob/x?uploads", &[], "", 401, "no token"),
    (Nobody, "GET /users/bob/up?uploadId={bob}", &[], "", 401, "no token"),
    (Nobody, "GET /users/bob/x?access_token=a", &[], "", 400, "a token in the query (RFC 6750 section 2.3)"),
    (Nobody, "GET /users/bob/x", &["Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=b"], "", 401, "a signature of hers"),
    (Nobody, "GET /users/bob/x", &["Authorization: AWS a:b"], "", 401, "a signature of the old kind"),
    (Nobody, "GET /users/bob/x", &["Authorization: Basic YTpi"], "", 401, "a password"),
    (Nobody, "GET /users/bob/x", &["Authorization: Bearer"], "", 401, "no token"),
    (Nobody, "GET /users/bob/x", &["Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ."], "", 401, "no signature"),
];
