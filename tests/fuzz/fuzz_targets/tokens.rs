#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| authorizer_fuzz_properties::tokens::check(bytes));
