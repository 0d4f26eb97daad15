//! The checks of a deployment, a file for each family. A new one is a line here.

use crate::family::families;

families! {
    access_control,
    answers,
    around,
    bucket,
    bucket_policy,
    cache,
    code,
    connection,
    cors,
    errors,
    fit,
    forwarding,
    function,
    functions,
    key,
    methods,
    order,
    origins,
    past_function,
    role,
    unknown,
    viewer,
    // It looks at what the others could not judge.
    not_judged,
}
