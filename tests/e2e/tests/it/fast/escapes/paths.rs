//! Paths that lead to Bob's objects, or that are ambiguous.

use super::Scene;
use super::Who::Alice;

#[test]
fn no_spelling_of_a_path_leads_out_of_her_folder() {
    let mut scene = Scene::set();
    let long = format!("/users/alice/{}", "a".repeat(1025));
    let mut surprises = Vec::new();
    for (target, expected, why) in PATHS.into_iter().chain([(long.as_str(), 400, "longer than a key")]) {
        for (method, query) in [
            ("GET", ""),
            ("HEAD", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("POST", "?uploads"),
            ("GET", "?versionId=null"),
        ] {
            let request = scene.request(Alice, &format!("{method} {target}{query}"), &[], "");
            surprises.extend(scene.surprise(&request, expected, why));
        }
    }
    scene.ends(&surprises);
}

const PATHS: [(&str, u16, &str); 58] = [
    ("/users/bob/x", 403, "Bob's, as it is"),
    ("/users/%62ob/x", 403, "a letter encoded"),
    ("/users/%62%6f%62/%78", 403, "every letter encoded"),
    ("/%75%73%65%72%73/bob/x", 403, "the folder encoded"),
    ("/users%2Fbob%2Fx", 403, "encoded slashes are slashes"),
    ("/users%2fbob/x", 403, "in small letters too"),
    ("/users/bob/x/", 403, "another key to S3"),
    ("/users/bob", 403, "another key to S3"),
    ("/users/", 403, "the folder of all"),
    ("/users", 403, "the folder of all, as a key"),
    ("/users/alice", 403, "the name of her folder is not a key below it"),
    ("/users/Alice/x", 403, "keys have case"),
    ("/users/alice2/x", 403, "whose name begins with hers"),
    ("/users/alic/x", 403, "whose name hers begins with"),
    ("/users/alice%20/x", 403, "a space is part of a name"),
    ("/users/%20alice/x", 403, "a space is part of a name"),
    ("/users/%7Bsub%7D/x", 403, "the pattern's own words"),
    ("/users/*/x", 403, "the pattern's own words"),
    ("/files/users/alice/x", 403, "the bucket in the path"),
    ("/files/users/bob/x", 403, "the bucket in the path"),
    ("/*", 403, "not a wildcard"),
    ("/users/alice/../bob/x", 400, "up and down"),
    ("/users/alice/%2e%2e/bob/x", 400, "dots encoded"),
    ("/users/alice/%2E%2E/bob/x", 400, "dots encoded"),
    ("/users/alice/.%2e/bob/x", 400, "one dot encoded"),
    ("/users/alice/%2e./bob/x", 400, "the other"),
    ("/users/alice/..%2fbob%2fx", 400, "slashes encoded"),
    ("/users/alice%2f..%2fbob%2fx", 400, "slashes encoded"),
    ("/users/alice%2F%2E%2E%2Fbob%2Fx", 400, "all of it encoded"),
    ("/users/alice/a/../../bob/x", 400, "two up"),
    ("/../users/bob/x", 400, "above the top"),
    ("/users/alice/..", 400, "up, at the end"),
    ("/users/alice/../", 400, "up, at the end"),
    ("/users/alice/.", 400, "a dot is dropped by some"),
    ("/users/./bob/x", 400, "a dot is dropped by some"),
    ("/users/alice/./x", 400, "a dot is dropped by some, in her own"),
    ("/%2e/users/bob/x", 400, "a dot encoded"),
    ("//users/bob/x", 400, "an empty segment is dropped by some"),
    ("/users//bob/x", 400, "an empty segment is dropped by some"),
    ("/users/alice//x", 400, "an empty segment is dropped by some, in her own"),
    ("/users/alice/%2fx", 400, "an empty segment, encoded"),
    ("/%2Fusers/bob/x", 400, "an empty segment, encoded"),
    ("/users/alice/..\\bob\\x", 400, "backslashes are slashes to some"),
    ("/users\\bob\\x", 400, "backslashes are slashes to some"),
    ("/users/alice/..%5cbob%5cx", 400, "backslashes encoded"),
    ("/users/alice/%5c..%5c..%5cbob", 400, "backslashes encoded"),
    ("/users/bob/x%00", 400, "what C takes for an end"),
    ("/users/alice/%00/x", 400, "what C takes for an end"),
    ("/users/alice/a%0d%0aHost:%20b", 400, "a line break"),
    ("/users/alice/a%0ab", 400, "a line break"),
    ("/users/alice/a%7fb", 400, "a control character"),
    ("/users/alice/%c0%ae%c0%ae/bob/x", 400, "dots in overlong UTF-8"),
    ("/users/alice/%c0%af..%c0%afbob", 400, "slashes in overlong UTF-8"),
    ("/users/alice/%ff", 400, "not UTF-8"),
    ("/users/alice/%u002e%u002e/bob/x", 400, "not an escape"),
    ("/users/alice/%", 400, "not an escape"),
    ("/users/alice/a+b", 400, "a plus is a space to S3"),
    ("/users/+alice/x", 400, "a plus is a space to S3"),
];
