//! The key nearest to another one that a pattern matches, and the claims by which a pattern would match a key.

use authorizer_core::claim_name;
use authorizer_core::key::ObjectKey;
use authorizer_core::rules::{Claims, KeyPattern, Segment};
use serde_json::{Map, Value};

/// What stands where a pattern leaves open what does.
const ANY: &str = "x";

/// The longest table of segments that is filled. A key has at most 1,024 bytes, so nearly every one is shorter.
const MOST_CELLS: usize = 65_536;

/// A key that the pattern matches, and the number of segments in which it differs from this one. It keeps as much of the
/// key as can be kept; the core confirms it.
pub(super) fn key(pattern: &KeyPattern, key: &str, claims: Claims<'_>) -> Option<(ObjectKey, usize)> {
    let whole: Vec<&str> = key.split('/').collect();
    // A slash at the end is an empty segment, which only the end can have.
    let without_end = whole.strip_suffix(&[""]).unwrap_or(&whole);
    [whole.as_slice(), without_end, &[]].into_iter().find_map(|segments| {
        let (cost, near) = Alignment::of(pattern, segments, claims)?.written();
        let near = ObjectKey::new(near).ok().filter(|near| pattern.matches(near, claims))?;
        Some((near, cost))
    })
}

/// The claims of a pattern, each with the segment of the key that it would have to be for the pattern to match. No
/// pattern without a claim has any.
pub(super) fn bindings(pattern: &KeyPattern, key: &str) -> Option<Map<String, Value>> {
    let segments: Vec<&str> = key.split('/').collect();
    let alignment = Alignment::of(pattern, &segments, Claims::Unknown)?;
    let mut bound = Map::new();
    for (segment, text) in alignment.kept() {
        if let Segment::Claim(name) = segment
            && bound.insert(name.clone(), text.into()).is_some_and(|other| other != text)
        {
            return None;
        }
    }
    (alignment.cost(0, 0) == 0 && !bound.is_empty()).then_some(bound)
}

/// The values that a claim can have in a key.
pub(super) fn values<'c>(claims: Claims<'c>, name: &str) -> Vec<&'c str> {
    let texts = match claims.get(name) {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(members)) => members.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    let is_segment = |text: &&str| Segment::Claim(name.to_owned()).matches(text, claims);
    texts.into_iter().filter(is_segment).filter(|text| ObjectKey::new((*text).to_owned()).is_ok()).collect()
}

/// A claims set in which a claim is this; `None` if another claim is in the way.
pub(super) fn with_claim(
    claims: &Map<String, Value>,
    name: &str,
    value: Option<&Value>,
) -> Option<Map<String, Value>> {
    let mut changed = claims.clone();
    let path: Vec<String> = claim_name::path(name).map(|name| name.into_owned()).collect();
    let (last, objects) = path.split_last()?;
    let mut members = &mut changed;
    for name in objects {
        members = members.entry(name.clone()).or_insert_with(|| Map::new().into()).as_object_mut()?;
    }
    match value {
        Some(value) => members.insert(last.clone(), value.clone()),
        None => members.remove(last),
    };
    Some(changed)
}

/// The cheapest way to make the segments of a key those that a pattern matches.
struct Alignment<'a> {
    pattern: &'a [Segment],
    key: &'a [&'a str],
    claims: Claims<'a>,
    /// The text for each segment of the pattern where the key does not have one; `None` if there is none.
    written: Vec<Option<String>>,
    /// The cost from a segment of the pattern and one of the key on.
    costs: Vec<usize>,
}

/// What becomes of the next segments.
#[derive(Clone, Copy)]
enum Step {
    /// The segment of the key stays.
    Keep,
    /// Another one stands in its place.
    Replace,
    /// A segment is put before it.
    Insert,
    /// It is left out.
    Leave,
    /// `**` takes it.
    Take,
    /// `**` takes nothing more.
    Pass,
}

/// More than any key costs.
const NEVER: usize = usize::MAX;

impl<'a> Alignment<'a> {
    fn of(pattern: &'a KeyPattern, key: &'a [&'a str], claims: Claims<'a>) -> Option<Self> {
        let pattern = pattern.segments();
        let (rows, columns) = (pattern.len().saturating_add(1), key.len().saturating_add(1));
        let cells = rows.checked_mul(columns).filter(|cells| *cells <= MOST_CELLS)?;
        let written = pattern.iter().map(|segment| text_of(segment, claims)).collect();
        let mut alignment = Self { pattern, key, claims, written, costs: vec![NEVER; cells] };
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                let cost = alignment.best(row, column).map_or(NEVER, |(_, cost)| cost);
                let cost = if row == pattern.len() { key.len().saturating_sub(column) } else { cost };
                if let Some(cell) =
                    alignment.costs.get_mut(row.saturating_mul(columns).saturating_add(column))
                {
                    *cell = cost;
                }
            }
        }
        (alignment.cost(0, 0) != NEVER).then_some(alignment)
    }

    fn cost(&self, row: usize, column: usize) -> usize {
        let columns = self.key.len().saturating_add(1);
        self.costs.get(row.saturating_mul(columns).saturating_add(column)).copied().unwrap_or(NEVER)
    }

    /// The cheapest step here, and the cost with all that follow it.
    fn best(&self, row: usize, column: usize) -> Option<(Step, usize)> {
        let segment = self.pattern.get(row)?;
        let text = self.key.get(column);
        let (down, right) = (row.saturating_add(1), column.saturating_add(1));
        let is_last = down == self.pattern.len();
        let can_write = self.written.get(row).is_some_and(Option::is_some);
        let mut best = None;
        let mut offer = |step, own: usize, rest: usize| {
            let cost = own.saturating_add(rest);
            if cost != NEVER && best.is_none_or(|(_, least)| cost < least) {
                best = Some((step, cost));
            }
        };
        if *segment == Segment::AnySegments {
            match text {
                Some(_) => offer(
                    Step::Take,
                    0,
                    if is_last && right == self.key.len() { 0 } else { self.cost(row, right) },
                ),
                None if is_last => offer(Step::Insert, 1, 0),
                None => {}
            }
            if !is_last {
                offer(Step::Pass, 0, self.cost(down, column));
            }
            return best;
        }
        if let Some(text) = text {
            if segment.matches(text, self.claims) {
                offer(Step::Keep, 0, self.cost(down, right));
            }
            if can_write {
                offer(Step::Replace, 1, self.cost(down, right));
            }
            offer(Step::Leave, 1, self.cost(row, right));
        }
        if can_write {
            offer(Step::Insert, 1, self.cost(down, column));
        }
        best
    }

    /// The cost, and the key.
    fn written(&self) -> (usize, String) {
        let mut segments: Vec<&str> = Vec::new();
        self.walk(|row, column, step| match step {
            Step::Keep | Step::Take => segments.extend(self.key.get(column)),
            Step::Replace | Step::Insert => {
                segments.push(self.written.get(row).and_then(Option::as_deref).unwrap_or(ANY));
            }
            Step::Leave | Step::Pass => {}
        });
        (self.cost(0, 0), segments.join("/"))
    }

    /// The segments of the pattern that a segment of the key stays for.
    fn kept(&self) -> Vec<(&'a Segment, &'a str)> {
        let mut kept = Vec::new();
        self.walk(|row, column, step| {
            if let (Step::Keep, Some(segment), Some(text)) =
                (step, self.pattern.get(row), self.key.get(column))
            {
                kept.push((segment, *text));
            }
        });
        kept
    }

    fn walk(&self, mut visit: impl FnMut(usize, usize, Step)) {
        let (mut row, mut column) = (0usize, 0usize);
        // Each step goes on in the pattern or in the key, so this ends.
        while let Some((step, _)) = self.best(row, column) {
            visit(row, column, step);
            match step {
                Step::Keep | Step::Replace => {
                    (row, column) = (row.saturating_add(1), column.saturating_add(1));
                }
                Step::Insert | Step::Pass => row = row.saturating_add(1),
                Step::Leave => column = column.saturating_add(1),
                Step::Take => {
                    column = column.saturating_add(1);
                    // The last `**` needs one segment, and has it.
                    if row.saturating_add(1) == self.pattern.len() && column == self.key.len() {
                        row = self.pattern.len();
                    }
                }
            }
        }
    }
}

/// A text that a segment of a pattern matches.
fn text_of(segment: &Segment, claims: Claims<'_>) -> Option<String> {
    match segment {
        Segment::Literal(text) => Some(text.clone()),
        Segment::Glob(parts) => [parts.join(ANY), parts.concat()]
            .into_iter()
            .find(|text| segment.matches(text, claims) && ObjectKey::new(text.clone()).is_ok()),
        Segment::Claim(name) => values(claims, name).first().map(|text| (*text).to_owned()),
        Segment::AnySegments => Some(ANY.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_nearest_key_keeps_what_can_be_kept() {
        let claims = json!({"sub": "alice", "groups": ["", "red", "blue"], "n": 7});
        let claims = Claims::Known(claims.as_object().unwrap());
        for (pattern, from, expected) in [
            ("users/{sub}/**", "users/bob/a/b.txt", Some(("users/alice/a/b.txt", 1))),
            ("users/{sub}/**", "users/alice", Some(("users/alice/x", 1))),
            ("users/{sub}/**", "a.txt", Some(("users/alice/a.txt", 2))),
            ("users/{n}/**", "users/7/a", None),
            ("{groups}/*", "green/a/b", Some(("red/a", 2))),
            ("a/*/c", "a/b/d", Some(("a/b/c", 1))),
            ("a/*/c", "a/b/", Some(("a/b/c", 1))),
            ("**/z", "a/b", Some(("a/b/z", 1))),
            ("**/z", "a/", Some(("a/z", 1))),
            ("*.jpg", "a.png", Some(("x.jpg", 1))),
            ("a/", "a", Some(("a/", 1))),
            ("**", "a", Some(("a", 0))),
        ] {
            let pattern = KeyPattern::parse(pattern).unwrap();
            let near = key(&pattern, from, claims);
            let near = near.as_ref().map(|(near, cost)| (near.as_str(), *cost));
            assert_eq!(near, expected, "{pattern} from {from}");
        }
    }

    #[test]
    fn the_claims_by_which_a_pattern_would_match_are_the_segments_of_the_key() {
        let bound =
            |pattern: &str, key: &str| bindings(&KeyPattern::parse(pattern).unwrap(), key).map(Value::from);
        assert_eq!(bound("users/{sub}/**", "users/bob/a"), Some(json!({"sub": "bob"})));
        assert_eq!(bound("{a}/{b}/{a}", "x/y/x"), Some(json!({"a": "x", "b": "y"})));
        assert_eq!(bound("{a}/{a}", "x/y"), None);
        assert_eq!(bound("users/{sub}/**", "users/bob"), None);
        assert_eq!(bound("users/**", "users/bob"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_key_that_matches_is_its_own_nearest_and_every_other_one_has_one(
            pattern in "(a|b|\\*|\\*\\*|a\\*|\\*b\\*|\\{sub\\})(/(a|b|\\*|\\*\\*|\\*a|a\\*b|\\{sub\\})){0,4}/?",
            from in "[ab]{1,3}(/[ab]{1,3}){0,5}/?"
        ) {
            let claims = json!({"sub": "ab"});
            let claims = Claims::Known(claims.as_object().unwrap());
            let pattern = KeyPattern::parse(&pattern).unwrap();
            let own = ObjectKey::new(from.clone()).unwrap();
            let (near, cost) = key(&pattern, &from, claims).expect("a key");
            prop_assert!(pattern.matches(&near, claims));
            if pattern.matches(&own, claims) {
                prop_assert_eq!((near, cost), (own, 0));
            }
        }
    }
}
