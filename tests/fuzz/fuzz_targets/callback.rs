#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    authorizer_fuzz_properties::callback::check(text);
});
