//! One page of a listing: its keys, its rolled-up prefixes, and the beginning of the next page.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html>

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
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Page<'a> {
    pub(crate) keys: Vec<&'a str>,
    pub(crate) prefixes: Vec<&'a str>,
    /// The last entry of the page, if more follow.
    pub(crate) last: Option<&'a str>,
}

impl Page<'_> {
    /// Keys and rolled-up prefixes together.
    pub(crate) fn len(&self) -> usize {
        self.keys.len().saturating_add(self.prefixes.len())
    }
}

impl Wanted<'_> {
    /// The page that begins after `after`. The keys are sorted.
    pub(crate) fn page<'a>(&self, keys: &'a [String]) -> Page<'a> {
        let mut page = Page::default();
        let mut last = None;
        for key in keys {
            let rolled_up = self.roll_up(key);
            let is_listed = match rolled_up {
                // A previous page already contains this rolled-up prefix.
                Some(prefix) => page.prefixes.last() == Some(&prefix) || prefix == self.after,
                None => false,
            };
            if is_listed || !key.starts_with(self.prefix) || key.as_str() <= self.after {
                continue;
            }
            if page.len() >= self.most {
                page.last = last;
                break;
            }
            match rolled_up {
                Some(prefix) => page.prefixes.push(prefix),
                None => page.keys.push(key),
            }
            last = Some(rolled_up.unwrap_or(key));
        }
        page
    }

    /// The key up to and with the first delimiter after the prefix.
    fn roll_up<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix)?;
        let (before, _) = rest.split_once(delimiter)?;
        key.get(..[self.prefix, before, delimiter].map(str::len).into_iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: [&str; 8] = ["a", "a-b", "a/", "a/1", "a/b/2", "a/b/3", "b", "é"];

    fn sorted(keys: &[&str]) -> Vec<String> {
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_page_has_the_keys_and_the_prefixes_that_s3_would_list() {
        let keys = sorted(&KEYS);
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
            let page = wanted.page(&keys);
            assert_eq!((page.keys.as_slice(), page.prefixes.as_slice()), (listed, prefixes), "{wanted:?}");
            assert_eq!(page.last, None);
        }
    }

    #[test]
    fn a_page_that_holds_nothing_has_nothing_after_it() {
        let wanted = Wanted { prefix: "", delimiter: None, after: "", most: 0 };
        assert_eq!(wanted.page(&sorted(&KEYS)), Page::default());
    }

    proptest! {
        #[test]
        fn the_pages_together_are_the_listing(
            keys in proptest::collection::btree_set("[a/]{1,6}", 0..24),
            prefix in "[a/]{0,3}",
            delimiter in proptest::option::of(Just("/")),
            most in 1_usize..5,
        ) {
            let keys: Vec<String> = keys.into_iter().collect();
            let whole = Wanted { prefix: &prefix, delimiter, after: "", most: usize::MAX };
            let whole_page = whole.page(&keys);
            let (mut listed, mut prefixes, mut after) = (Vec::new(), Vec::new(), String::new());
            loop {
                let page = Wanted { after: &after, most, ..whole }.page(&keys);
                prop_assert!(page.len() <= most);
                listed.extend(page.keys);
                prefixes.extend(page.prefixes);
                match page.last {
                    Some(last) => after = last.to_owned(),
                    None => break,
                }
            }
            prop_assert_eq!((listed, prefixes), (whole_page.keys, whole_page.prefixes));
        }
    }
}
