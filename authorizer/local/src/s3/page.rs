//! One page of a listing: its keys, its rolled-up prefixes, and the beginning of the next page.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html>

use std::ops::ControlFlow;

/// The parameters of a listing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Only keys that begin with it.
    pub(crate) prefix: &'a str,
    /// Keys that contain it after the prefix are rolled up to it.
    pub(crate) delimiter: Option<&'a str>,
    /// Only keys and rolled-up prefixes that sort after it.
    pub(crate) after: &'a str,
    /// How many keys and rolled-up prefixes, at most.
    pub(crate) most: usize,
}

/// A page, in the order of the keys' UTF-8 bytes.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Page<E> {
    pub(crate) entries: Vec<(String, E)>,
    pub(crate) prefixes: Vec<String>,
    /// The last entry of the page, if more follow.
    pub(crate) last: Option<String>,
}

impl<E> Page<E> {
    /// Keys and rolled-up prefixes together.
    pub(crate) fn len(&self) -> usize {
        self.entries.len().saturating_add(self.prefixes.len())
    }
}

/// Something that goes through sorted keys: it passes each from the given bytes on, until it is told to stop.
pub(crate) trait Keys<E> {
    /// Why it fails.
    type Error;

    /// Goes through the keys from these bytes on.
    fn scan(
        &mut self,
        from: &[u8],
        each: &mut dyn FnMut(String, E) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;
}

impl Wanted<'_> {
    /// The page that begins after `after`. What is rolled up is passed over, not gone through.
    pub(crate) fn page<E, K: Keys<E>>(&self, keys: &mut K) -> Result<Page<E>, K::Error> {
        let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), last: None };
        let mut last: Option<String> = None;
        let mut from = Some(self.beginning());
        while let Some(at) = from.take() {
            keys.scan(&at, &mut |key, entry| {
                if self.most == 0 || !key.starts_with(self.prefix) {
                    return ControlFlow::Break(());
                }
                if page.len() >= self.most {
                    page.last.clone_from(&last);
                    return ControlFlow::Break(());
                }
                match self.roll_up(&key) {
                    Some(prefix) => {
                        from = successor(prefix.as_bytes());
                        last = Some(prefix.to_owned());
                        page.prefixes.push(prefix.to_owned());
                        ControlFlow::Break(())
                    }
                    None => {
                        last = Some(key.clone());
                        page.entries.push((key, entry));
                        ControlFlow::Continue(())
                    }
                }
            })?;
        }
        Ok(page)
    }

    /// The first bytes that can be on the page.
    fn beginning(&self) -> Vec<u8> {
        let after = self.after.as_bytes();
        if after < self.prefix.as_bytes() || after.is_empty() {
            return self.prefix.as_bytes().to_vec();
        }
        // A previous page already contains this rolled-up prefix, and so all keys below it.
        let is_listed = self.roll_up(self.after) == Some(self.after);
        let next = || after.iter().copied().chain([0]).collect();
        if is_listed { successor(after).unwrap_or_else(next) } else { next() }
    }

    /// The key up to and with the first delimiter after the prefix.
    fn roll_up<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix)?;
        let (before, _) = rest.split_once(delimiter)?;
        key.get(..[self.prefix, before, delimiter].map(str::len).into_iter().sum())
    }
}

/// The first bytes after all that begin with these.
fn successor(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut next = bytes.to_vec();
    while let Some(last) = next.pop() {
        if let Some(more) = last.checked_add(1) {
            next.push(more);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: [&str; 8] = ["a", "a-b", "a/", "a/1", "a/b/2", "a/b/3", "b", "é"];

    /// Sorted keys, and how many of them a listing went through.
    struct Sorted(Vec<String>, usize);

    impl Sorted {
        fn of(keys: &[&str]) -> Self {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            Self(keys, 0)
        }

        fn page(&mut self, wanted: &Wanted<'_>) -> Page<()> {
            wanted.page(self).unwrap()
        }
    }

    impl Keys<()> for Sorted {
        type Error = std::convert::Infallible;

        fn scan(
            &mut self,
            from: &[u8],
            each: &mut dyn FnMut(String, ()) -> ControlFlow<()>,
        ) -> Result<(), Self::Error> {
            for key in self.0.iter().filter(|key| key.as_bytes() >= from) {
                self.1 = self.1.saturating_add(1);
                if each(key.clone(), ()).is_break() {
                    break;
                }
            }
            Ok(())
        }
    }

    fn names(page: &Page<()>) -> Vec<&str> {
        page.entries.iter().map(|(key, ())| key.as_str()).collect()
    }

    #[test]
    fn a_page_has_the_keys_and_the_prefixes_that_s3_would_list() {
        /// Prefix, delimiter, after; keys, prefixes.
        type Case = (
            &'static str,
            Option<&'static str>,
            &'static str,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: [Case; 13] = [
            ("", None, "", &KEYS, &[]),
            ("", Some("/"), "", &["a", "a-b", "b", "é"], &["a/"]),
            ("a", Some("/"), "", &["a", "a-b"], &["a/"]),
            ("a/", Some("/"), "", &["a/", "a/1"], &["a/b/"]),
            ("a/b", Some("/"), "", &[], &["a/b/"]),
            ("a/b/", Some("/"), "", &["a/b/2", "a/b/3"], &[]),
            ("a/b/3", None, "", &["a/b/3"], &[]),
            ("none", Some("/"), "", &[], &[]),
            ("", Some("/"), "a/", &["b", "é"], &[]),
            ("", Some("/"), "a/1", &["b", "é"], &["a/"]),
            ("", None, "a/b/2", &["a/b/3", "b", "é"], &[]),
            ("a/", Some("/"), "a/", &["a/1"], &["a/b/"]),
            ("", Some("b/"), "", &["a", "a-b", "a/", "a/1", "b", "é"], &["a/b/"]),
        ];
        for (prefix, delimiter, after, listed, prefixes) in cases {
            let wanted = Wanted { prefix, delimiter, after, most: 1_000 };
            let page = Sorted::of(&KEYS).page(&wanted);
            assert_eq!(names(&page), listed, "{wanted:?}");
            assert_eq!(page.prefixes, prefixes, "{wanted:?}");
            assert_eq!(page.last, None);
        }
    }

    #[test]
    fn a_page_that_holds_nothing_has_nothing_after_it() {
        let wanted = Wanted { prefix: "", delimiter: None, after: "", most: 0 };
        let page = Sorted::of(&KEYS).page(&wanted);
        assert_eq!((page.len(), page.last), (0, None));
    }

    #[test]
    fn what_is_rolled_up_is_not_gone_through() {
        let keys: Vec<String> = (0..1_000).map(|i| format!("{}/{i:03}", i / 500)).collect();
        let mut keys = Sorted(keys, 0);
        let wanted = Wanted { prefix: "", delimiter: Some("/"), after: "", most: 1_000 };
        assert_eq!(keys.page(&wanted).prefixes, ["0/", "1/"]);
        assert_eq!(keys.1, 2);
    }

    proptest! {
        #[test]
        fn the_pages_together_are_the_listing(
            keys in proptest::collection::btree_set("[a/]{1,6}", 0..24),
            prefix in "[a/]{0,3}",
            delimiter in proptest::option::of(Just("/")),
            most in 1_usize..5,
        ) {
            let mut keys = Sorted(keys.into_iter().collect(), 0);
            let whole = Wanted { prefix: &prefix, delimiter, after: "", most: usize::MAX };
            let whole_page = keys.page(&whole);
            let (mut listed, mut prefixes, mut after) = (Vec::new(), Vec::new(), String::new());
            loop {
                let page = keys.page(&Wanted { after: &after, most, ..whole });
                prop_assert!(page.len() <= most);
                listed.extend(page.entries);
                prefixes.extend(page.prefixes);
                match page.last {
                    Some(last) => after = last,
                    None => break,
                }
            }
            prop_assert_eq!((listed, prefixes), (whole_page.entries, whole_page.prefixes));
        }
    }
}
