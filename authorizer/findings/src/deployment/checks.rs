//! The checks of a deployment, a file for each family. A new one is a line here.

use crate::family::families;

families! {
    access_control,
    bucket,
    bucket_policy,
    cache,
    code,
    cors,
    errors,
    forwarding,
    function,
    functions,
    key,
    methods,
    origins,
    role,
    viewer,
    // It looks at what the others could not judge.
    not_judged,
}
