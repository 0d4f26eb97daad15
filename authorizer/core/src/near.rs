//! Did you mean ...?

use strsim::osa_distance;

/// The word that was perhaps meant: one that differs in case, in `-` and `_`, or in a few letters. Never one that says the
/// opposite. Words of more than 64 bytes are not compared.
pub fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // The time grows with the product of the lengths, and no word is so long.
    if written.len() > LONGEST {
        return None;
    }
    let plain = |word: &str| word.trim().to_lowercase().replace(['-', ' ', '.'], "_");
    // What negates is never near what does not: `disallow` is not `allow`, and `not_equals` is not `equals`.
    let is_negative = negates(written);
    let written = plain(written);
    // A third of the letters may differ, but of very short words only one.
    let most = written.chars().count().div_ceil(3).clamp(1, 4);
    words
        .into_iter()
        .filter(|word| word.len() <= LONGEST && negates(word) == is_negative)
        .map(|word| {
            let word_plain = plain(word);
            let compact = |text: &str| text.replace('_', "");
            let distance = osa_distance(&written, &word_plain);
            (if compact(&written) == compact(&word_plain) { 0 } else { distance }, word)
        })
        .filter(|(distance, word)| *distance <= most && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The most bytes of a word.
const LONGEST: usize = 64;

/// Whether a word begins as those do that say the opposite.
fn negates(word: &str) -> bool {
    const BEGINNINGS: [&str; 11] = ["!", "^", "~", "not", "un", "dis", "non", "no_", "dont", "never", "exc"];
    let word = word.trim().to_lowercase().replace(['-', ' ', '.'], "_");
    BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let fields =
            ["id", "effect", "methods", "operations", "keys", "issuers", "when", "anonymous", "source_ips"];
        for (written, meant) in [
            ("method", Some("methods")),
            ("issuer", Some("issuers")),
            ("Keys", Some("keys")),
            ("source-ips", Some("source_ips")),
            ("sourceIps", Some("source_ips")),
            ("anonymus", Some("anonymous")),
            ("efect", Some("effect")),
            ("wen", Some("when")),
            ("x", None),
            ("zebra", None),
            ("limits", None),
            ("not_effect", None),
            ("!keys", None),
        ] {
            assert_eq!(nearest(written, fields), meant, "{written}");
        }
    }
}
