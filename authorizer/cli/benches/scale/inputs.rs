//! Events and logs of any length.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::logs::{line, subject};

/// The folder that tests and documentation share.
pub(crate) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

/// Events with the same few tokens, one per line.
pub(crate) fn events(folder: &Path, lines: usize) -> PathBuf {
    let names = ["algorithm-es256.json", "algorithm-rs256.json", "anonymous-reads-public.json"];
    let events: Vec<String> = names
        .iter()
        .map(|name| {
            let text = fs::read_to_string(Path::new(FIXTURES).join("events").join(name)).unwrap();
            serde_json::from_str::<Value>(&text).unwrap().to_string() + "\n"
        })
        .collect();
    let text: String = events.iter().map(String::as_str).cycle().take(lines).collect();
    let path = folder.join("events.jsonl");
    fs::write(&path, text).unwrap();
    path
}

/// A log: first its head, then the line of each number.
pub(crate) fn log(
    folder: &Path,
    name: &str,
    head: &str,
    lines: usize,
    write: impl Fn(u64, &mut String),
) -> PathBuf {
    let mut text = head.to_owned();
    (0..lines as u64).for_each(|number| write(number, &mut text));
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// A decision log of a bundle of [`policies`](crate::policies) with so many rules: everybody reads their own object,
/// and every fifth request is for somebody else's.
pub(crate) fn of_teams(bundle: &str, rules: usize) -> impl Fn(u64, &mut String) + use<'_> {
    let other = subject("other");
    move |number, text| {
        let team = number % (rules as u64 / 10) * 10 + 1;
        let user = format!("u{}", number % 50_021);
        let (verdict, subject) = match number % 5 {
            4 => (r#""decision":"refuse","status":403,"reason":"key_not_allowed""#.to_owned(), other.clone()),
            _ => {
                let allowed = r#""decision":"allow","reason":"allowed_by_rule""#;
                (format!(r#"{allowed},"rule":"rule-{team}""#), subject(&user))
            }
        };
        let verdict = format!(r#"{verdict},"issuer":"staff","subject":"{subject}""#);
        line(text, number, bundle, "GetObject", &format!("team-{team}/{user}/a{number}.txt"), &verdict);
    }
}
