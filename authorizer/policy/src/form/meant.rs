//! What an author who wrote something else has probably meant. Every text that is proposed here would be accepted.

use authorizer_core::key::ObjectKey;
use authorizer_core::policy::document::SizeDocument;
use authorizer_core::policy::parse_size;
use authorizer_core::rules::KeyPattern;
use authorizer_core::{MediaRange, OriginPattern, UnixTime};

use super::Kind;
use crate::notation::of_another_system;

/// What was meant by a word that is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meant {
    /// This word.
    Word(&'static str),
    /// Something else than a word in its place: what to do.
    Advice(&'static str),
}

/// The text that was meant, if this one is not accepted and the slip is a usual one.
pub(crate) fn text(kind: Kind, written: &str) -> Option<String> {
    match kind {
        Kind::Plain => None,
        Kind::Pattern => pattern(written),
        Kind::Instant => instant(written),
        Kind::Media => media(written),
        Kind::Origin => origin(written),
        Kind::Path => path(written),
    }
}

/// Whether a text is accepted for what it is about.
pub(crate) fn is_good(kind: Kind, written: &str) -> bool {
    match kind {
        Kind::Plain => true,
        Kind::Pattern => KeyPattern::parse(written).is_ok(),
        Kind::Instant => UnixTime::parse_rfc3339(written).is_some(),
        Kind::Media => MediaRange::parse(written).is_some(),
        Kind::Origin => OriginPattern::parse(written).is_some(),
        Kind::Path => is_path(written),
    }
}

/// The path of an address, or of an object.
fn path(written: &str) -> Option<String> {
    let plain = written.trim();
    let meant = match plain.split_once("://") {
        Some((_, rest)) => format!("/{}", rest.split_once('/')?.1),
        None => format!("/{}", plain.trim_start_matches('/')),
    };
    (meant != written && is_path(&meant)).then_some(meant)
}

fn is_path(written: &str) -> bool {
    ObjectKey::from_uri(written).is_ok_and(|key| key.to_uri() == written)
}

/// A pattern with the claim as others write it, such as `${sub}`, and without what no key begins with.
fn pattern(written: &str) -> Option<String> {
    let plain = written.trim().replace('\\', "/").replace("%20", " ");
    let rest = match plain.strip_prefix("arn:aws").and_then(|arn| arn.split_once(":::")) {
        Some((_, rest)) => Some(rest),
        None => plain.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).map(|(_, rest)| rest),
    };
    let plain = match rest {
        // The bucket is not a part of the key. Alone it does not say which keys are meant.
        Some(rest) => rest.split_once('/').filter(|(_, key)| !key.is_empty())?.1.to_owned(),
        None => plain,
    };
    let plain = claims(&plain);
    let mut segments: Vec<&str> =
        plain.split('/').map(str::trim).skip_while(|part| part.is_empty() || *part == ".").collect();
    // A folder is all that is in it.
    let is_folder = segments.len() > 1 && segments.last().is_some_and(|last| last.is_empty());
    segments.retain(|segment| !segment.is_empty());
    let mut meant = Vec::with_capacity(segments.len());
    for segment in segments {
        // `a**` and `**.jpg` are two segments, and so is `{sub}**`.
        match segment.split_once("**") {
            Some((before, after)) if segment != "**" => {
                let after = after.trim_start_matches('*');
                meant.extend((!before.is_empty()).then(|| before.to_owned()));
                meant.push("**".to_owned());
                meant.extend((!after.is_empty()).then(|| format!("*{after}")));
            }
            _ => meant.push(segment.to_owned()),
        }
    }
    if is_folder && meant.last().is_some_and(|last| last != "**") && !written.contains("//") {
        meant.push(String::new());
    }
    let meant = meant.join("/");
    let is_better = meant != written && KeyPattern::parse(&meant).is_ok();
    is_better.then_some(meant)
}

fn is_scheme(word: &str) -> bool {
    ["s3", "https", "http"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// `{sub}` for `${sub}`, `{{sub}}`, `{{ sub }}`, `#{sub}`, `{ sub }` and `${jwt:sub}`.
fn claims(written: &str) -> String {
    let mut meant = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        let name = name.trim_start_matches(['{', '$']).trim();
        let name = of_another_system(name).unwrap_or(name);
        let tail = tail.trim_start_matches('}');
        meant.push_str(before.strip_suffix(['$', '#', '%']).unwrap_or(before));
        meant.push('{');
        meant.push_str(name);
        meant.push('}');
        rest = tail;
    }
    meant.push_str(rest);
    meant
}

/// A time in UTC with its `T` and its `Z`. A date alone is its first second.
fn instant(written: &str) -> Option<String> {
    let plain = written.trim();
    let plain = plain.strip_suffix("UTC").unwrap_or(plain).trim_end().to_uppercase();
    let plain = plain.strip_suffix("+00:00").unwrap_or(&plain).replacen(' ', "T", 1).replace('/', "-");
    let plain = plain.strip_suffix('Z').unwrap_or(&plain);
    let candidates = [format!("{plain}Z"), format!("{plain}:00Z"), format!("{plain}T00:00:00Z")];
    candidates.into_iter().find(|one| one != written && UnixTime::parse_rfc3339(one).is_some())
}

/// The types of the endings and of the kinds that people write in the place of a media type.
const MEDIA: [(&str, &str); 18] = [
    ("image", "image/*"),
    ("images", "image/*"),
    ("video", "video/*"),
    ("audio", "audio/*"),
    ("text", "text/*"),
    ("*", "*/*"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
    ("zip", "application/zip"),
    ("csv", "text/csv"),
    ("txt", "text/plain"),
    ("mp4", "video/mp4"),
    ("mp3", "audio/mpeg"),
];

fn media(written: &str) -> Option<String> {
    let plain = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let ending = plain.trim_start_matches(['*', '.']);
    let ending = if ending.is_empty() { plain.as_str() } else { ending };
    let meant = match MEDIA.iter().find(|(name, _)| *name == ending) {
        Some((_, meant)) => (*meant).to_owned(),
        None => plain,
    };
    (meant != written && MediaRange::parse(&meant).is_some()).then_some(meant)
}

fn origin(written: &str) -> Option<String> {
    let plain = written.trim().to_ascii_lowercase();
    let (scheme, rest) = plain.split_once("://").unwrap_or(("https", &plain));
    let host = rest.split('/').next().unwrap_or_default();
    let host = match scheme {
        "https" => host.strip_suffix(":443").unwrap_or(host),
        _ => host.strip_suffix(":80").unwrap_or(host),
    };
    let meant = format!("{scheme}://{host}");
    (meant != written && host.contains('.') && OriginPattern::parse(&meant).is_some()).then_some(meant)
}

/// The seconds of a duration such as `1h`, `30 minutes` and `3600s`.
pub(crate) fn seconds(written: &str) -> Option<u64> {
    let plain = written.trim().to_ascii_lowercase();
    let at = plain.find(|c: char| !c.is_ascii_digit()).unwrap_or(plain.len());
    let (digits, unit) = plain.split_at_checked(at)?;
    let number: u64 = digits.parse().ok()?;
    let seconds: u64 = match unit.trim() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds)
}

/// A size as a policy writes it: `10MB` for `10 mb`, `10M` and `10 megabytes`, `1500MB` for `1.5GB`.
pub(crate) fn size(written: &str) -> Option<String> {
    let plain = written.trim().replace(['_', ','], "");
    let at = plain.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(plain.len());
    let (number, unit) = plain.split_at_checked(at)?;
    let (unit, smaller) = match unit.trim().to_ascii_lowercase().trim_end_matches('s') {
        "" | "b" | "byte" => ("B", None),
        "k" | "kb" | "kilobyte" => ("kB", Some(("B", 1000))),
        "m" | "mb" | "megabyte" | "meg" => ("MB", Some(("kB", 1000))),
        "g" | "gb" | "gigabyte" => ("GB", Some(("MB", 1000))),
        "t" | "tb" | "terabyte" => ("TB", Some(("GB", 1000))),
        "ki" | "kib" | "kibibyte" => ("KiB", Some(("B", 1024))),
        "mi" | "mib" | "mebibyte" => ("MiB", Some(("KiB", 1024))),
        "gi" | "gib" | "gibibyte" => ("GiB", Some(("MiB", 1024))),
        _ => return None,
    };
    let (number, unit): (u64, _) = match (number.split_once('.'), smaller) {
        (None, Some(("GB", thousand))) => (number.parse::<u64>().ok()?.checked_mul(thousand)?, "GB"),
        (None, _) => (number.parse().ok()?, unit),
        // One digit after the point, as people write it.
        (Some((whole, tenth)), Some((smaller, thousand))) if tenth.len() == 1 && unit != "TB" => {
            let tenths = whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)?;
            (tenths.checked_mul(thousand)?.checked_div(10)?, smaller)
        }
        (Some(_), _) => return None,
    };
    let meant = if unit == "B" { number.to_string() } else { format!("{number}{unit}") };
    (number > 0 && meant != written).then_some(meant)
}

/// Whether a text is a size as a policy writes it.
pub(crate) fn is_size(text: &str) -> bool {
    parse_size(&SizeDocument::Text(text.to_owned())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_slip_is_understood() {
        for (kind, written, meant) in [
            (Kind::Pattern, "/users/{sub}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/${sub}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/{{sub}}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/{{ sub }}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/{ sub }/*", Some("users/{sub}/*")),
            (Kind::Pattern, "users/{sub}**", Some("users/{sub}/**")),
            (Kind::Pattern, "public/**.jpg", Some("public/**/*.jpg")),
            (Kind::Pattern, "s3://bucket/public/**", Some("public/**")),
            (Kind::Pattern, "https://files.example.com/public/**", Some("public/**")),
            (Kind::Pattern, "arn:aws-cn:s3:::bucket/users/${sub}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/${jwt:sub}/**", Some("users/{sub}/**")),
            (Kind::Pattern, "users/${claims.email}/**", Some("users/{email}/**")),
            (Kind::Pattern, "HTTPS://files.example.com/public/**", Some("public/**")),
            (Kind::Pattern, "https://files.example.com", None),
            (Kind::Pattern, "s3://bucket", None),
            (Kind::Pattern, "s3://bucket/", None),
            (Kind::Pattern, "public//a", Some("public/a")),
            (Kind::Pattern, "./public/a", Some("public/a")),
            (Kind::Pattern, "/", None),
            (Kind::Pattern, "users/[a-z]+", None),
            (Kind::Pattern, "users/{sub}/**", None),
            (Kind::Instant, "2026-12-31", Some("2026-12-31T00:00:00Z")),
            (Kind::Instant, "2026-12-31 23:59:59", Some("2026-12-31T23:59:59Z")),
            (Kind::Instant, "2026-12-31T23:59:59", Some("2026-12-31T23:59:59Z")),
            (Kind::Instant, "2026-12-31T23:59:59+00:00", Some("2026-12-31T23:59:59Z")),
            (Kind::Instant, "2026-12-31T23:59:59+01:00", None),
            (Kind::Instant, "tomorrow", None),
            (Kind::Media, "image", Some("image/*")),
            (Kind::Media, ".png", Some("image/png")),
            (Kind::Media, "text/html; charset=utf-8", Some("text/html")),
            (Kind::Origin, "app.example.com", Some("https://app.example.com")),
            (Kind::Origin, "https://app.example.com/", Some("https://app.example.com")),
            (Kind::Origin, "https://App.example.com:443/a", Some("https://app.example.com")),
        ] {
            assert_eq!(text(kind, written).as_deref(), meant, "{written}");
        }
        for (written, meant) in
            [("1h", Some(3600)), ("30 minutes", Some(1800)), ("60", Some(60)), ("soon", None)]
        {
            assert_eq!(seconds(written), meant, "{written}");
        }
        for (written, meant) in [
            ("10 mb", Some("10MB")),
            ("10M", Some("10MB")),
            ("10 megabytes", Some("10MB")),
            ("1.5GB", Some("1500MB")),
            ("10_000_000", Some("10000000")),
            ("1TB", Some("1000GB")),
            ("2 mib", Some("2MiB")),
            ("big", None),
            ("0mb", None),
            ("10MB", None),
        ] {
            assert_eq!(size(written).as_deref(), meant, "{written}");
            assert!(meant.is_none_or(is_size));
        }
    }
}
