//! The checks of a policy, a file for each family. A new one is a line here.

use crate::family::families;

families! {
    analysis,
    anonymous,
    breadth,
    browser,
    claims,
    conditions,
    deny,
    duplicates,
    hosts,
    issuers,
    key_source,
    keys,
    media_types,
    networks,
    openings,
    patterns,
    providers,
    published_keys,
    revoked,
    rsa,
    shared,
    sign_in,
    times,
    unread,
    uploads,
    // These look at what became of the others.
    undecided,
    accepted,
    once,
}
