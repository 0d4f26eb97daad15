//! Path patterns, as CloudFront compares them
//! ([AWS: path pattern](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesPathPattern.html)).

/// Whether a pattern matches a path: `*` is any text, `?` any one character, and case matters. A slash at the beginning
/// of the pattern changes nothing.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.strip_prefix('/').unwrap_or(pattern).chars().collect();
    let path: Vec<char> = path.strip_prefix('/').unwrap_or(path).chars().collect();
    let (mut p, mut t) = (0_usize, 0_usize);
    // Where the last star was, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = path.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p = p.saturating_add(1);
            }
            Some(one) if *one == '?' || one == letter => {
                p = p.saturating_add(1);
                t = t.saturating_add(1);
            }
            _ => match star {
                Some((at, reach)) => {
                    let reach = reach.saturating_add(1);
                    star = Some((at, reach));
                    p = at.saturating_add(1);
                    t = reach;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|one| *one == '*')
}

/// The path that patterns are compared with: "CloudFront normalizes URI paths consistent with RFC 3986 and then matches
/// the path with the correct cache behavior". What is sent on is the path as it came. Nobody here has seen which
/// normalisations these are: here, escapes of unreserved characters are decoded, the others are in upper case, dot
/// segments are removed, and several slashes are one.
pub(super) fn normalized(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            Some(byte) => {
                decoded.push_str(&format!("%{byte:02X}"));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_with_slash = false;
    for segment in decoded.split('/') {
        ends_with_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let slash = if ends_with_slash && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_matches_as_cloudfront_says() {
        for (pattern, path, is) in [
            ("*", "/", true),
            ("*", "/a/b", true),
            ("images/*.jpg", "/images/a/b.jpg", true),
            ("/images/*.jpg", "/images/.jpg", true),
            ("images/*.jpg", "/images/a.JPG", false),
            ("images/*.jpg", "/x/images/a.jpg", false),
            ("a??.html", "/abc.html", true),
            ("a??.html", "/ab.html", false),
            ("a*b*c", "/a-b-b-c", true),
            ("a*b*c", "/a-b-b-", false),
            ("**", "/a", true),
            ("", "/", true),
            ("", "/a", false),
            ("a?", "/aé", true),
        ] {
            assert_eq!(matches(pattern, path), is, "{pattern} {path}");
        }
    }

    #[test]
    fn the_path_that_selects_a_behavior_is_normalised() {
        for (path, selected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("//a///b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/%61%2fb%7e", "/a%2Fb~"),
            ("/%2e%2E/a", "/a"),
            ("/a%zz%", "/a%zz%"),
            ("/é", "/é"),
        ] {
            assert_eq!(normalized(path), selected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_obvious_one(pattern in "[ab*?]{0,8}", path in "[ab]{0,8}") {
            fn obvious(pattern: &str, path: &str) -> bool {
                let mut letters = pattern.chars();
                match letters.next() {
                    None => path.is_empty(),
                    Some('*') => {
                        let rest = letters.as_str();
                        (0..=path.len()).any(|at| obvious(rest, path.get(at..).unwrap()))
                    }
                    Some(one) => {
                        let mut path = path.chars();
                        path.next().is_some_and(|two| one == '?' || one == two)
                            && obvious(letters.as_str(), path.as_str())
                    }
                }
            }
            prop_assert_eq!(matches(&pattern, &path), obvious(&pattern, &path));
        }

        #[test]
        fn no_path_makes_the_normaliser_panic(path in "\\PC{0,40}") {
            let once = normalized(&path);
            prop_assert!(once.starts_with('/'));
        }
    }
}
