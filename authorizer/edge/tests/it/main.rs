//! The binary of the function, as it is linked.
#![allow(clippy::unwrap_used, reason = "a test stops at its first failure")]

use authorizer_core::BuiltWith;

#[test]
fn the_binary_says_what_it_was_built_with_and_nothing_else() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_bootstrap")).unwrap();
    for one in BuiltWith::ALL {
        let marker = one.marker().as_bytes();
        let says = binary.windows(marker.len()).any(|window| window == marker);
        assert_eq!(says, one.remote_keys == cfg!(feature = "remote-keys"), "{one:?}");
    }
}
