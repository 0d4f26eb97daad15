//! What `starts_with` asks of the text that a claim is.

use crate::engine::atom::ClaimAtom;

/// The beginning that a text must have, and those that it must not have.
pub(super) struct Beginning<'t> {
    /// The longest of those that it must have. Two of which neither begins the other fit no text.
    asked: &'t str,
    /// Beginnings to keep away from.
    avoided: Vec<&'t str>,
}

impl<'t> Beginning<'t> {
    /// Of these tests; `None` if none of them is about a beginning. `more` are other beginnings to keep away from.
    pub(super) fn of(tests: &'t [(ClaimAtom<'_>, bool)], more: &'t [String]) -> Option<Self> {
        let all = || tests.iter().filter_map(|(test, holds)| Some((test.beginning()?, *holds)));
        all().next()?;
        let asked = all().filter(|(_, holds)| *holds).map(|(text, _)| text).max_by_key(|text| text.len());
        let avoided = all().filter(|(_, holds)| !holds).map(|(text, _)| text);
        Some(Self {
            asked: asked.unwrap_or_default(),
            avoided: avoided.chain(more.iter().map(String::as_str)).collect(),
        })
    }

    /// Texts that begin so, and have these words, and in them `filler`, which is part of no text that a test names. A
    /// text that passes the tests has the words of one of these, or is one of [`whole`](Self::whole): the beginning
    /// goes on as nothing does that a test names, or its last word is one of those that must be there.
    pub(super) fn texts(&self, words: &[&str], filler: &str) -> Vec<String> {
        let with = |base: &str| {
            let way_off = self.way_off(base, filler)?;
            Some(words.iter().fold(format!("{base}{way_off}{filler}"), |text, word| format!("{text} {word}")))
        };
        let completed = self.whole(words).into_iter().map(|whole| format!("{whole} "));
        [self.asked.to_owned()].into_iter().chain(completed).filter_map(|base| with(&base)).collect()
    }

    /// The beginning, its last word made into one of those that must be there.
    pub(super) fn whole(&self, words: &[&str]) -> Vec<String> {
        let last = self.asked.rsplit(' ').next().unwrap_or_default();
        let rest = words.iter().filter_map(|word| word.strip_prefix(last));
        rest.map(|rest| format!("{}{rest}", self.asked)).collect()
    }

    /// What comes after a text so that it is on the way to no beginning to keep away from; nothing if `filler` already
    /// is a way off.
    fn way_off(&self, base: &str, filler: &str) -> Option<String> {
        let taken: Vec<char> =
            self.avoided.iter().filter_map(|avoided| avoided.strip_prefix(base)?.chars().next()).collect();
        if filler.chars().next().is_some_and(|first| !taken.contains(&first)) {
            return Some(String::new());
        }
        let of_headers =
            ('a'..='z').chain('0'..='9').chain('A'..='Z').chain("-_~!$&'()+,;:@^`|<>#%.".chars());
        let mut all = of_headers.chain('\u{100}'..'\u{2000}');
        all.find(|character| !taken.contains(character)).map(String::from)
    }
}
