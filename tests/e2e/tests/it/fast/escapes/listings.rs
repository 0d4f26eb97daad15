//! Listings that include other people's objects.

use super::Who::Alice;
use super::{Attempt, Scene};

#[test]
fn no_listing_shows_more_than_her_own_folder() {
    Scene::set().refuses(&LISTINGS);
}

#[rustfmt::skip]
const LISTINGS: [Attempt; 43] = [
    (Alice, "GET /", &[], "", 400, "the old listing, of all"),
    (Alice, "GET /?prefix=users/alice/", &[], "", 400, "the old listing, of her own"),
    (Alice, "GET /?marker=users/alice/&prefix=users/alice/", &[], "", 400, "the old listing, with its marker"),
    (Alice, "GET /?list-type=2", &[], "", 403, "all"),
    (Alice, "GET /?list-type=2&prefix=", &[], "", 403, "all"),
    (Alice, "GET /?list-type=2&prefix", &[], "", 403, "all"),
    (Alice, "GET /?list-type=2&delimiter=/", &[], "", 403, "the names of all folders"),
    (Alice, "GET /?list-type=2&prefix=users/&delimiter=/", &[], "", 403, "the names of all users"),
    (Alice, "GET /?list-type=2&prefix=users", &[], "", 403, "all users"),
    (Alice, "GET /?list-type=2&prefix=users/a", &[], "", 403, "all whose name begins as hers"),
    (Alice, "GET /?list-type=2&prefix=users/alice", &[], "", 403, "alice2, too"),
    (Alice, "GET /?list-type=2&prefix=users/alice%2", &[], "", 400, "no escape"),
    (Alice, "GET /?list-type=2&prefix=users/bob/", &[], "", 403, "Bob's"),
    (Alice, "GET /?list-type=2&prefix=users%2Fbob%2F", &[], "", 403, "Bob's, encoded"),
    (Alice, "GET /?list-type=2&prefix=%75sers/%62ob/", &[], "", 403, "Bob's, encoded"),
    (Alice, "GET /?list-type=2&prefix=users/*/", &[], "", 403, "no wildcard"),
    (Alice, "GET /?list-type=2&prefix=users/{sub}/", &[], "", 403, "the pattern's own words"),
    (Alice, "GET /?list-type=2&prefix=pictures/alice/", &[], "", 403, "a rule that lists nothing"),
    (Alice, "GET /?list-type=2&prefix=users/alice/../bob/", &[], "", 400, "up and down"),
    (Alice, "GET /?list-type=2&prefix=users/alice/%2e%2e/bob/", &[], "", 400, "up and down, encoded"),
    (Alice, "GET /?list-type=2&prefix=/users/alice/", &[], "", 400, "a slash at the start"),
    (Alice, "GET /?list-type=2&prefix=users//alice/", &[], "", 400, "an empty segment"),
    (Alice, "GET /?list-type=2&prefix=users/alice//", &[], "", 400, "an empty segment at the end"),
    (Alice, "GET /?list-type=2&prefix=users%5Cbob%5C", &[], "", 400, "backslashes"),
    (Alice, "GET /?list-type=2&prefix=users/alice/%00", &[], "", 400, "what C takes for an end"),
    (Alice, "GET /?list-type=2&prefix=users/alice/%ff", &[], "", 400, "no UTF-8"),
    (Alice, "GET /?list-type=2&prefix=users/al+ice/", &[], "", 403, "a plus is a space"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&prefix=users/bob/", &[], "", 400, "the second of two"),
    (Alice, "GET /?list-type=2&prefix=users/bob/&prefix=users/alice/", &[], "", 400, "the first of two"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&%70refix=users/bob/", &[], "", 400, "the second, encoded"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&Prefix=users/bob/", &[], "", 400, "the second, in capitals"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&prefix[]=users/bob/", &[], "", 400, "the second, as a list"),
    (Alice, "GET /?list-type=2;prefix=users/bob/&prefix=users/alice/", &[], "", 400, "another separator"),
    (Alice, "GET /?list-type=2&list-type=1&prefix=users/alice/", &[], "", 400, "two kinds"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&versions", &[], "", 400, "the versions, too"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&uploads", &[], "", 400, "the uploads, too"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&fetch-owner=true", &[], "", 400, "the owners, too"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&delimiter=x", &[], "", 400, "another delimiter"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&max-keys=1001", &[], "", 400, "more than a page"),
    (Alice, "GET /?list-type=2&prefix=users/alice/&encoding-type=xml", &[], "", 400, "another encoding"),
    (Alice, "GET /?list-type=2&prefix=users/alice/", &["x-amz-optional-object-attributes: RestoreStatus"], "", 400, "more of each"),
    (Alice, "HEAD /?list-type=2&prefix=users/alice/", &[], "", 400, "no listing has a HEAD"),
    (Alice, "POST /?list-type=2&prefix=users/alice/", &[], "", 400, "no listing is posted"),
];
