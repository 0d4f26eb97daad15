//! `authorizer audit report` in a real browser, as a file from the disk: its content, also without its script; that
//! it is accessible; that it does not send requests; and that texts of a policy stay text.

use std::fs;
use std::path::{Path, PathBuf};

use authorizer_e2e::binaries::{root, run};
use authorizer_e2e::browser::Browser;
use authorizer_e2e::document::{Document, Scripts};
use serde_json::json;
use tempfile::TempDir;

/// 2027-01-15T08:00:00Z.
const NOW: &str = "1800000000";

const WIDTH: u32 = 1200;

/// A report in its own folder.
struct Report {
    path: PathBuf,
    _folder: TempDir,
}

impl Report {
    fn of(policy: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        let arguments = ["audit", "report", "--now", NOW, "--out"].map(Into::into);
        run(arguments.into_iter().chain([path.clone().into_os_string(), policy.as_os_str().to_owned()]));
        Self { path, _folder: folder }
    }

    /// The report of the policy that is pictured in docs/audit/report.md.
    fn sample() -> Self {
        Self::of(&root().join("tests/e2e/policies/review.toml"))
    }

    /// The report of the fixture policy, with texts that try to be markup.
    fn hostile() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| json!(text).to_string();
        let script = text("<script>window.hurt=1</script><img src=x onerror='window.hurt=1'>");
        let quotes = text("\"'><svg onload=\"window.hurt=1\"></style></title></pre>");
        let turned = text("\u{202e}gpj.exe\u{2066} שלום \u{200b}");
        let long = text(&"very-long-".repeat(200));
        let policy = format!(
            "version = 1\n# <!-- </pre><script>window.hurt=1</script>\n[[issuers]]\nname = \"staff\"\n\
             issuer = \"https://login.example.com/\"\naudience = [{script}, {quotes}, {turned}, {long}]\n\
             algorithms = [\"EdDSA\"]\njwks = {{ file = \"keys.json\" }}\nrequired = {{ {quotes} = {script} }}\n\
             [[accepted]]\nfinding = \"EA088\"\nissuer = \"staff\"\nreason = {script}\n\
             [[rules]]\nid = \"read\"\neffect = \"allow\"\nmethods = [\"GET\"]\n\
             keys = [\"<script>window.hurt=1</script>/**\", \"\\\"onclick='window.hurt=1'/*\"]\n\
             when = {{ {script} = {{ any = [{quotes}, {turned}, {long}] }} }}\n"
        );
        // RFC 8037 appendix A.2.
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "\"><script>window.hurt=1</script>\u{202e}"});
        fs::write(folder.path().join("keys.json"), json!({"keys": [key]}).to_string()).unwrap();
        let path = folder.path().join("policy.toml");
        fs::write(&path, policy).unwrap();
        Self::of(&path)
    }
}

const KEYS: &str = "#permissions-table tbody th";

/// Checks that there were no complaints and no requests.
#[track_caller]
fn assert_quiet(document: &mut Document<'_>) {
    assert_eq!(document.complaints(), Vec::<String>::new());
    assert_eq!(document.requested(), Vec::<String>::new());
}

#[test]
fn the_table_is_searched_and_filtered() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    let all =
        ["public/**", "users/{sub}/**", "users/{sub}/**", "users/**", "records/**", "**", "**", "records/**"];
    assert_eq!(page.shown(KEYS), all);
    assert_eq!(page.shown("#shown"), ["8 of 8 rows"]);

    page.write("Search the keys", "USERS/");
    assert_eq!(page.shown(KEYS), ["users/{sub}/**", "users/{sub}/**", "users/**"]);
    assert_eq!(page.shown("#shown"), ["3 of 8 rows"]);
    page.choose("Who", "scanner");
    assert_eq!(page.shown(KEYS), ["users/**"]);
    page.click("Show all");
    assert_eq!(page.shown(KEYS), all);

    page.choose("Who", "anonymous");
    assert_eq!(page.shown(KEYS), ["public/**", "records/**"]);
    page.choose("Effect", "deny");
    assert_eq!(page.shown(KEYS), ["records/**"]);
    page.choose("Who", "everyone");
    page.choose("Effect", "allow in part");
    assert_eq!(page.shown(KEYS), ["**"]);
    page.choose("Effect", "allow");
    page.choose("Operation", "DeleteObject");
    assert_eq!(page.shown(KEYS), ["users/{sub}/**", "**"]);
    page.write("Search the keys", "no such key");
    assert_eq!(page.shown(KEYS), Vec::<String>::new());
    assert_eq!(page.shown("#shown"), ["0 of 8 rows"]);
    assert_quiet(&mut page);
}

#[test]
fn without_its_script_the_page_is_whole() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let sections = |page: &mut Document<'_>| page.shown("main section > h2");
    let with = sections(&mut Document::open(&mut browser, &report.path, Scripts::On, WIDTH));
    let mut page = Document::open(&mut browser, &report.path, Scripts::Off, WIDTH);
    assert_eq!(sections(&mut page), with);
    assert_eq!(with.len(), 10);
    assert_eq!(page.shown(KEYS).len(), 8);
    assert_eq!(page.shown("#filter, #dark"), Vec::<String>::new(), "what would do nothing is not there");
    assert_eq!(page.requested(), Vec::<String>::new());
}

/// The color behind the page.
fn background(page: &mut Document<'_>) -> String {
    page.value("getComputedStyle(document.body).backgroundColor").as_str().unwrap().to_owned()
}

const LIGHT: &str = "rgb(255, 255, 255)";
const DARK: &str = "rgb(20, 23, 28)";

#[test]
fn it_is_dark_where_the_system_is_or_the_reader_says_so_and_light_on_paper() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    // The button shows it too, after the page was told.
    let is = |page: &mut Document<'_>, color: &str, pressed: bool| {
        page.wait_for(&format!("#dark[aria-pressed=\"{pressed}\"]"));
        assert_eq!(background(page), color);
    };
    page.media("screen", "light");
    is(&mut page, LIGHT, false);
    page.media("screen", "dark");
    is(&mut page, DARK, true);
    page.media("print", "dark");
    assert_eq!(background(&mut page), LIGHT);

    page.media("screen", "dark");
    is(&mut page, DARK, true);
    page.click("Dark colors");
    is(&mut page, LIGHT, false);
    page.media("screen", "light");
    is(&mut page, LIGHT, false);
    page.click("Dark colors");
    is(&mut page, DARK, true);
    page.media("print", "light");
    assert_eq!(background(&mut page), LIGHT);
    assert_quiet(&mut page);
}

#[test]
fn on_paper_are_all_rows_and_nothing_that_needs_a_screen() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    // About the width of A4 between the margins.
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, 680);
    page.write("Search the keys", "public");
    assert_eq!(page.shown(KEYS), ["public/**"]);
    page.media("print", "light");
    assert_eq!(page.shown(KEYS).len(), 8, "a filter on the screen does not cut what is signed");
    assert_eq!(page.shown("#filter, #dark, nav, .skip"), Vec::<String>::new());
    let cut = page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(cut, json!(0), "nothing is beside the paper");
    assert_quiet(&mut page);
}

#[test]
fn every_printed_page_has_the_bundle_and_its_number() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let page = fs::read_to_string(&report.path).unwrap();
    let (_, after) = page.split_once("Bundle, SHA-256</dt><dd><code>").unwrap();
    let bundle = after.get(..64).unwrap();
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    let pages = page.printed();
    assert!(pages.len() > 3, "{pages:#?}");
    for (number, text) in (1..).zip(&pages) {
        assert!(text.contains(&format!("Bundle, SHA-256: {bundle}")), "{number}: {text}");
        assert!(text.contains(&format!("Page {number} of {}", pages.len())), "{number}: {text}");
    }
    let last = pages.last().unwrap();
    for line in ["Reviewer", "Date", "Decision", "Signature"] {
        assert_eq!(last.matches(line).count(), 2, "{line}: {last}");
    }
    assert_quiet(&mut page);
}

#[test]
fn on_a_phone_every_table_fits_and_every_cell_says_what_it_is() {
    let Some(mut browser) = Browser::start() else { return };
    for report in [Report::sample(), Report::hostile()] {
        let mut page = Document::open(&mut browser, &report.path, Scripts::On, 360);
        let tables = "document.querySelectorAll('table').length";
        assert!(page.value(tables).as_u64().unwrap() >= 3);
        let cut = "[...document.querySelectorAll('.wide, html')]\
                   .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className)";
        assert_eq!(page.value(cut), json!([]), "nothing is beside the screen");
        let unnamed = "[...document.querySelectorAll('tbody th, tbody td')]\
                       .filter((one) => getComputedStyle(one, '::before').content !== JSON.stringify(one.dataset.label))\
                       .length";
        assert_eq!(page.value(unnamed), json!(0));
        let headers = "[...document.querySelectorAll('table')].every((table) => {\
                       const names = [...table.querySelectorAll('thead th')].map((one) => one.textContent);\
                       return [...table.querySelectorAll('tbody tr')].every((row) =>\
                       names.join() === [...row.children].map((one) => one.dataset.label).join()); })";
        assert_eq!(page.value(headers), json!(true), "a cell is named as its column is");
        assert_quiet(&mut page);
    }
}

#[test]
fn everyone_can_use_it() {
    let Some(mut browser) = Browser::start() else { return };
    for report in [Report::sample(), Report::hostile()] {
        for width in [WIDTH, 360] {
            let mut page = Document::open(&mut browser, &report.path, Scripts::On, width);
            page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            for (media, colors) in [("screen", "light"), ("screen", "dark"), ("print", "light")] {
                page.media(media, colors);
                let (barriers, passes) = page.barriers();
                assert_eq!(barriers, Vec::<serde_json::Value>::new(), "{media} {colors} {width}");
                assert!(passes > 10, "axe looked at {passes} things only");
            }
            assert_quiet(&mut page);
        }
    }
}

#[test]
fn a_keyboard_is_enough() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    let focused = "document.activeElement.innerText || document.activeElement.id";
    page.press("Tab");
    assert_eq!(page.value(focused), json!("Skip to the permissions"));
    page.press("Enter");
    page.press("Tab");
    assert_eq!(page.value(focused), json!("search"), "the first thing there");
    page.press("r");
    assert_eq!(page.shown("#shown"), ["5 of 8 rows"]);
    // Past the three lists and the button to the table, and into it.
    for _ in 0..5 {
        page.press("Tab");
    }
    let region = page.value("document.activeElement.getAttribute('aria-label')");
    assert_eq!(region, json!("Table of permissions"));
    page.press("Tab");
    page.press("Enter");
    assert_eq!(page.value("document.querySelectorAll('details[open]').length"), json!(1));
    assert_quiet(&mut page);
}

#[test]
fn what_a_policy_says_does_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::hostile();
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    assert_eq!(page.shown(KEYS), ["<script>window.hurt=1</script>/**", "\"onclick='window.hurt=1'/*"]);
    page.write("Search the keys", "<script>");
    assert_eq!(page.shown(KEYS), ["<script>window.hurt=1</script>/**"]);
    let kid = "\"><script>window.hurt=1</script>⟨U+202E⟩";
    assert_eq!(page.shown("section[aria-labelledby=issuers] tbody th"), [kid]);
    let elements = "document.querySelectorAll('script, img, svg, iframe, object, embed, style').length";
    assert_eq!(page.value(elements), json!(2), "the page's own script and style");
    let handlers = "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())\
                    .filter((name) => name.startsWith('on') || name === 'style').length";
    assert_eq!(page.value(handlers), json!(0));
    assert_eq!(page.value("typeof window.hurt"), json!("undefined"));
    let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(page.value(wide), json!(0), "a long text does not push the page apart");
    assert_quiet(&mut page);
}

/// If a text of a policy became markup after all, the page's Content-Security-Policy would still block it.
#[test]
fn the_page_lets_nothing_run_and_nothing_be_asked_for() {
    let Some(mut browser) = Browser::start() else { return };
    let report = Report::sample();
    let text = fs::read_to_string(&report.path).unwrap();
    let evil = "<h1><script>window.hurt=1</script><img src='http://127.0.0.1:9/a' onerror='window.hurt=1'>\
                <link rel='stylesheet' href='http://127.0.0.1:9/b'><b id='styled' style='color: rgb(1, 2, 3)'>x</b>\
                <iframe src='http://127.0.0.1:9/c'></iframe><base href='http://127.0.0.1:9/'>";
    assert_eq!(text.matches("<h1>").count(), 1);
    let path = report.path.with_file_name("evil.html");
    fs::write(&path, text.replace("<h1>", evil)).unwrap();
    let mut page = Document::open(&mut browser, &path, Scripts::On, WIDTH);
    assert_eq!(page.value("typeof window.hurt"), json!("undefined"));
    assert_eq!(
        page.value("getComputedStyle(document.getElementById('styled')).color === 'rgb(1, 2, 3)'"),
        json!(false)
    );
    assert_eq!(page.value("document.baseURI"), page.value("location.href"));
    let fetched = "fetch('http://127.0.0.1:9/d').then(() => 'answered', () => 'blocked')";
    assert_eq!(page.value(fetched), json!("blocked"));
    let written = "(() => { try { document.body.innerHTML = '<b>'; return 'written'; } catch { return 'refused'; } })()";
    assert_eq!(page.value(written), json!("refused"));
    assert_eq!(page.requested(), Vec::<String>::new());
    assert_eq!(page.shown("#shown"), ["8 of 8 rows"], "and its own script runs");
    let complaints = page.complaints();
    for directive in ["script-src", "img-src", "style-src", "base-uri", "connect-src"] {
        assert!(complaints.iter().any(|one| one.contains(directive)), "{directive}: {complaints:#?}");
    }
}

/// Makes the picture again: `cargo test -p authorizer-e2e --test it needs_browser::report -- --ignored`.
#[test]
#[ignore = "it writes into docs"]
fn the_picture_in_the_docs() {
    let mut browser = Browser::start().expect("a picture takes a browser");
    let report = Report::sample();
    let picture = root().join("docs/audit/report.png");
    let mut page = Document::open(&mut browser, &report.path, Scripts::On, WIDTH);
    page.picture(&picture, 1790);
    assert!(fs::metadata(picture).unwrap().len() < 300_000);
}
