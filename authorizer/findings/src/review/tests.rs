//! Whatever a policy says, a report shows it and does not become it. The oracles are other people's readers of HTML and
//! of Markdown.

use std::fs;

use authorizer_core::UnixTime;
use authorizer_policy::PolicyFile;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use pulldown_cmark::{Event, Options, Parser, Tag};
use scraper::{Html, Node, Selector};
use serde_json::{Value, json};

use super::text::seen;
use super::{Review, html, markdown};

/// Texts that somebody wrote to be more than text.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></script></pre></title><svg onload=alert(1)>",
    "--><!--[if IE]>",
    "]]>&lt;b&gt;&#60;i&#62;&amp",
    "`code` *b* _i_ ~~s~~ | cell | [a](javascript:alert(1)) ![i](http://x/y)",
    "\\`\\|\\<b> <http://x.example/> <!-- --> \\",
    "# h  \u{2028}- l  1. n",
    "\u{202e}txt.exe\u{2066}\u{200b}\u{feff}",
    "``` ``` ~~~ $x$ [^1] [x]: /u",
    "javascript:alert(1)",
    "  two  spaces  ",
    "مرحبا שלום 文件",
];

/// A policy with this text in every place that takes any.
fn policy_with(text: &str) -> (String, Value) {
    let quoted = toml_edit::Value::from(text).to_string();
    let quoted = quoted.trim();
    let comment: String = text.chars().filter(|c| !c.is_control()).collect();
    let policy = format!(
        "version = 1\n# {comment}\n[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\n\
         audience = [\"a\", {quoted}]\nalgorithms = [\"EdDSA\"]\njwks = {{ file = \"keys.json\" }}\n\
         required = {{ {quoted} = {quoted} }}\n\
         [[accepted]]\nfinding = \"EA088\"\nissuer = \"staff\"\nreason = {quoted}\n\
         [[accepted]]\nfinding = {quoted}\nreason = {quoted}\n\
         [[revoked]]\nissuer = \"staff\"\nsub = {quoted}\n\
         [[rules]]\nid = \"read\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"a/**\"]\n\
         when = {{ {quoted} = {{ any = [\"x\", {quoted}] }} }}\n\
         [[rules]]\nid = \"keep\"\neffect = \"deny\"\nmethods = [\"GET\"]\nkeys = [\"a/b/*\"]\n\
         when = {{ role = {{ has = \"x\" }}, group = {{ equals = {quoted} }} }}\n"
    );
    // RFC 8037 appendix A.2.
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": text});
    (policy, json!({"keys": [key]}))
}

/// The report of a policy with this text; none where it is no policy.
fn report_with(text: &str) -> Option<Review> {
    let folder = tempfile::tempdir().unwrap();
    let (policy, keys) = policy_with(text);
    fs::write(folder.path().join("keys.json"), keys.to_string()).unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).unwrap();
    let file = PolicyFile::load(&path).ok()?;
    Review::of(&path, &file, UnixTime::from_seconds(1_800_000_000)).ok()
}

/// A report with this text and the one with a harmless text; none where it is no policy, or where the text itself is
/// found at fault, as an audience `*` is, so that there is more to tell.
fn reports(text: &str) -> Option<(Review, Review)> {
    let (report, plain) = (report_with(text)?, report_with("plain")?);
    let found = |review: &Review| {
        let (open, accepted) = (review.findings.open(), review.findings.accepted());
        open.chain(accepted).map(|one| (one.check.id, one.region.line)).collect::<Vec<_>>()
    };
    (found(&report) == found(&plain)).then_some((report, plain))
}

/// The elements of a page and the names of their attributes, but for those that stand around what text has: the number
/// of lines, names of characters, and words and code.
fn skeleton(page: &Html) -> Vec<String> {
    let elements = page.tree.nodes().filter_map(|node| match node.value() {
        Node::Element(element) => Some(element),
        Node::Comment(_) => panic!("the page has no comment"),
        _ => None,
    });
    elements
        .filter(|element| {
            let class = element.attr("class").unwrap_or_default();
            !(matches!(element.name(), "code" | "i") || class == "named")
        })
        .map(|element| {
            let names: Vec<_> = element.attrs().map(|(name, _)| name).collect();
            format!("{} {names:?}", element.name())
        })
        .collect()
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    page.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
}

fn is_shown_in_html(text: &str) -> Result<bool, TestCaseError> {
    let Some((report, plain)) = reports(text) else { return Ok(false) };
    let plain_page = Html::parse_document(&html(&plain));
    let page = Html::parse_document(&html(&report));
    prop_assert_eq!(skeleton(&page), skeleton(&plain_page));
    prop_assert_eq!(texts(&page, "script"), texts(&plain_page, "script"));
    // Only the bundle's SHA-256 differs.
    let styles =
        |page: &Html, review: &Review| texts(page, "style").concat().replace(&review.bundle_sha256, "");
    prop_assert_eq!(styles(&page, &report), styles(&plain_page, &plain));
    let shown = if text.is_empty() { "(empty)".to_owned() } else { seen(text) };
    let reasons = texts(&page, "section[aria-labelledby=accepted] td bdi");
    prop_assert!(reasons.contains(&seen(text)), "{reasons:?}");
    let ids = texts(&page, "section[aria-labelledby=issuers] tbody th");
    prop_assert_eq!(ids, vec![shown.clone()]);
    prop_assert!(texts(&page, "dd .value").contains(&shown));
    let conditions = texts(&page, ".where bdi");
    prop_assert!(conditions.iter().any(|one| one.starts_with(&seen(text))), "{:?}", conditions);
    Ok(true)
}

/// What a reader of Markdown sees: the blocks with their kinds, and the text of each.
fn read(document: &str) -> Vec<(String, String)> {
    let mut blocks = vec![(String::new(), String::new())];
    for event in Parser::new_ext(document, Options::all().difference(Options::ENABLE_SMART_PUNCTUATION)) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => blocks.push((format!("code {kind:?}"), String::new())),
            // What is no text of ours is told apart, and what stands around it is not.
            Event::Start(tag @ (Tag::Paragraph | Tag::Heading { .. } | Tag::Item | Tag::TableCell)) => {
                blocks.push((format!("{tag:?}").split('(').next().unwrap().to_owned(), String::new()));
            }
            Event::Start(Tag::List(_) | Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::Emphasis)
            | Event::End(_) => {}
            Event::Text(text) | Event::Code(text) => blocks.last_mut().unwrap().1.push_str(&text),
            other => blocks.push((format!("{other:?}"), String::new())),
        }
    }
    blocks
}

fn is_shown_in_markdown(text: &str) -> Result<bool, TestCaseError> {
    let Some((report, plain)) = reports(text) else { return Ok(false) };
    let plain = read(&markdown(&plain));
    let blocks = read(&markdown(&report));
    let kinds = |blocks: &[(String, String)]| blocks.iter().map(|(kind, _)| kind.clone()).collect::<Vec<_>>();
    prop_assert_eq!(kinds(&blocks), kinds(&plain));
    let shown = if text.is_empty() { "(empty)".to_owned() } else { seen(text) };
    let whole = blocks.iter().filter(|(_, block)| *block == shown).count();
    // The reason in its cell, and the key's id in its.
    prop_assert!(whole >= 2, "{:#?}", blocks);
    Ok(true)
}

#[test]
fn hostile_text_is_text_on_the_page_and_in_markdown() {
    for text in HOSTILE {
        assert!(is_shown_in_html(text).unwrap(), "{text}");
        assert!(is_shown_in_markdown(text).unwrap(), "{text}");
    }
}

#[test]
fn a_long_text_is_shown_whole() {
    let long = "<&|`".repeat(5_000);
    assert!(is_shown_in_html(&long).unwrap());
    assert!(is_shown_in_markdown(&long).unwrap());
}

#[test]
fn the_policy_as_written_is_the_file_with_its_lines_numbered() {
    for text in HOSTILE {
        let report = report_with(text).unwrap();
        let page = Html::parse_document(&html(&report));
        let lines: Vec<_> = texts(&page, "pre.toml .line > span:nth-child(2)");
        let expected: Vec<_> = report.text.lines().map(|line| format!("{}\n", seen(line))).collect();
        assert_eq!(lines, expected);
        let blocks = read(&markdown(&report));
        let (_, block) = blocks.iter().find(|(kind, _)| kind.starts_with("code")).unwrap();
        let numbered: Vec<_> =
            expected.iter().enumerate().map(|(at, line)| format!("{:4}  {line}", at + 1)).collect();
        let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(block), trimmed(&numbered.concat()));
    }
}

/// Any text, and texts of the characters that mean something to the two languages.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-<>&\"'`|*_~\\[\\]()!#+.:;=\\\\$^/@{} 0-9a-c\t\n\u{202e}\u{200b}]{0,24}",
        proptest::collection::vec(proptest::sample::select(HOSTILE.as_slice()), 1..4)
            .prop_map(|parts| parts.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_of_a_policy_becomes_markup(text in any_text()) {
        prop_assume!(is_shown_in_html(&text)?);
    }

    #[test]
    fn no_text_of_a_policy_becomes_markdown(text in any_text()) {
        prop_assume!(is_shown_in_markdown(&text)?);
    }
}
