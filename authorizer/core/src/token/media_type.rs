//! Media types in the header of a token.

/// RFC 7515 sections 4.1.9 and 4.1.10: `typ` and `cty` are media types, and `application/` may be left out. Media types
/// are compared without regard to case.
pub(super) fn same_media_type(a: &str, b: &str) -> bool {
    fn short(media_type: &str) -> &str {
        match media_type.split_once('/') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
            _ => media_type,
        }
    }
    short(a).eq_ignore_ascii_case(short(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_and_the_long_form_of_a_type_are_the_same() {
        assert!(same_media_type("at+jwt", "at+jwt"));
        assert!(same_media_type("AT+JWT", "application/at+jwt"));
        assert!(!same_media_type("jwt", "at+jwt"));
        assert!(!same_media_type("text/at+jwt", "at+jwt"));
    }
}
