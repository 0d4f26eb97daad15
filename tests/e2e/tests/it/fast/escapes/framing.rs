//! Requests whose raw form could be read in two ways.

use super::Scene;

#[test]
fn no_form_of_a_request_is_read_in_two_ways() {
    let mut scene = Scene::set();
    let mut surprises = Vec::new();
    let long = format!("GET /users/alice/x?{} HTTP/1.1\r\nHost: h\r\n{{auth}}\r\n", "a".repeat(9_000));
    let large =
        format!("GET /users/alice/x HTTP/1.1\r\nHost: h\r\n{{auth}}X: {}\r\n\r\n", "a".repeat(30_000));
    let made = [
        (long.as_str(), 413, "a URL beyond CloudFront's limit"),
        (large.as_str(), 413, "headers beyond CloudFront's limit"),
    ];
    for (request, expected, why) in FORMS.into_iter().chain(made) {
        let auth = format!("Connection: close\r\nAuthorization: Bearer {}\r\n", scene.alice);
        let request = request.replace("{auth}", &auth);
        surprises.extend(scene.surprise(&request, expected, why));
    }
    scene.ends(&surprises);
}

#[rustfmt::skip]
const FORMS: [(&str, u16, &str); 42] = [
    ("GET /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "Bob's, in the plainest form"),
    ("GET /users/alice/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n{auth}\r\n", 400, "two hosts"),
    ("GET /users/alice/x HTTP/1.1\r\n{auth}\r\n", 400, "no host"),
    ("GET http://files.example.com/users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "an absolute target"),
    ("GET http://other.example/users/bob/x HTTP/1.1\r\nHost: files.example.com\r\n{auth}\r\n", 403, "an absolute target elsewhere"),
    ("GET http://files.example.com/users/alice/../bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "an absolute target, up and down"),
    ("GET http://files.example.com//users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "an absolute target with two slashes"),
    ("GET http://files.example.com HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "an absolute target without a path"),
    ("GET http://files.example.com?list-type=2 HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "an absolute target without a path, and a listing"),
    ("PUT http://files.example.com/users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 4\r\n\r\nevil", 403, "an absolute target, written"),
    ("GET users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "no target"),
    ("GET ?list-type=2 HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "no target"),
    ("GET /users/bob/x HTTP/1.0\r\n{auth}\r\n", 400, "HTTP/1.0, without a host"),
    ("GET /users/bob/x HTTP/1.0\r\nHost: h\r\n{auth}\r\n", 403, "HTTP/1.0"),
    ("GET /users/bob/x HTTP/1.2\r\nHost: h\r\n{auth}\r\n", 400, "a version yet to come"),
    ("GET /users/bob/x\r\n\r\n", 400, "HTTP/0.9"),
    ("OPTIONS * HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 400, "the server itself"),
    ("CONNECT files:443 HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "a tunnel"),
    ("TRACE /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "an echo of what the distribution adds"),
    ("PATCH /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 405, "a method that S3 does not have"),
    ("OPTIONS /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 405, "S3's own answers to preflights"),
    ("get /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}\r\n", 403, "methods have case"),
    ("GET /users/alice/x HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 4\r\n\r\nevil", 403, "a GET with a body"),
    ("GET /users/alice/x HTTP/1.1\r\nHost: h\r\n{auth}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 403, "a GET with chunks"),
    ("PUT /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 403, "two lengths, to Bob's"),
    ("PUT /pictures/alice/a HTTP/1.1\r\nHost: h\r\n{auth}Content-Type: image/png\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "two lengths, where there is a limit"),
    ("PUT /pictures/alice/a HTTP/1.1\r\nHost: h\r\n{auth}Content-Type: image/png\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 411, "the same, in the other order"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400, "two lengths that differ"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: +1\r\n\r\nx", 400, "a length with a sign"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 0x1\r\n\r\nx", 400, "a length in another base"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 1, 2\r\n\r\nx", 400, "a list of lengths"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "an unknown coding"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, "a coding after the chunks"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}x-amz-copy-source : files/users/bob/x\r\nContent-Length: 0\r\n\r\n", 400, "a space before the colon"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth} x-amz-copy-source: files/users/bob/x\r\nContent-Length: 0\r\n\r\n", 400, "a folded header"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}X: a\r\n\tx-amz-copy-source: files/users/bob/x\r\nContent-Length: 0\r\n\r\n", 400, "a folded header"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}X: a\nx-amz-copy-source: files/users/bob/x\r\nContent-Length: 0\r\n\r\n", 400, "a bare line feed"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}X: a\rx-amz-copy-source: files/users/bob/x\r\nContent-Length: 0\r\n\r\n", 400, "a bare carriage return"),
    ("PUT /users/alice/new HTTP/1.1\r\nHost: h\r\n{auth}Content-Type: a\0b\r\nContent-Length: 0\r\n\r\n", 400, "a control character"),
    ("GET /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", 403, "another protocol"),
    ("PUT /users/bob/x HTTP/1.1\r\nHost: h\r\n{auth}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n", 403, "refused before the body is sent"),
    ("GET /users/alice/x#/../../bob/x HTTP/1.1\r\nHost: h\r\n{auth}X-Original-URL: /users/bob/x\r\nx-amz-acl: private\r\n\r\n", 400, "a fragment, and another path in a header"),
];
