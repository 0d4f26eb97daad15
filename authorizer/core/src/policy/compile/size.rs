//! A number of bytes, as a person writes it.

use super::super::document::SizeDocument;

/// The units, and how many bytes each is.
const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// The number of bytes that a policy or a test says; `None` if the text is not such a number, or does not fit into 64 bits.
pub fn parse_size(size: &SizeDocument) -> Option<u64> {
    let text = match size {
        SizeDocument::Bytes(bytes) => return Some(*bytes),
        SizeDocument::Text(text) => text,
    };
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(name, bytes)| text.strip_suffix(name).map(|digits| (digits, *bytes)))
        .unwrap_or((text, 1));
    let digits = digits.trim_end_matches(' ');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        let size = |text: &str| parse_size(&SizeDocument::Text(text.into()));
        for (text, bytes) in [
            ("0", 0),
            ("12", 12),
            ("12B", 12),
            ("1kB", 1_000),
            ("1KB", 1_000),
            ("25MB", 25_000_000),
            ("25 MB", 25_000_000),
            ("5GB", 5_000_000_000),
            ("1KiB", 1_024),
            ("5MiB", 5_242_880),
            ("1GiB", 1_073_741_824),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "+1MB", "1.5MB", "1mb", "1 M", "1e3", " 1MB", "1_000", "99999999999GB"] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(parse_size(&SizeDocument::Bytes(7)), Some(7));
    }
}
