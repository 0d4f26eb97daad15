//! The console of `serve` in a real browser: requests as they come, the form, the policy; by keyboard, at 390 and at
//! 1,600 pixels, accessible; texts of others stay text; and nobody else's page gets anything.

use std::fs;

use authorizer_e2e::binaries::{root, run};
use authorizer_e2e::browser::Browser;
use authorizer_e2e::document::Document;
use authorizer_e2e::served::Served;
use serde_json::json;

const WIDE: u32 = 1_600;
const PHONE: u32 = 390;

const KEYS: &str = "#rows tr:not([hidden]) .key";

/// Markup that would set `window.hurt`, if it were one.
const EVIL: &str = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>";

#[track_caller]
fn assert_quiet(page: &mut Document<'_>) {
    assert_eq!(page.complaints(), Vec::<String>::new());
    assert_eq!(page.requested(), Vec::<String>::new(), "it asks nobody but its console");
}

/// A value that the page must come to have.
fn wait_until(page: &mut Document<'_>, condition: &str) {
    let waited = format!(
        "new Promise((done, failed) => {{ const end = Date.now() + 60000; const look = () => {{ \
         if ({condition}) done(true); else if (Date.now() > end) failed(new Error('in vain')); \
         else setTimeout(look, 50); }}; look(); }})"
    );
    assert_eq!(page.value(&waited), json!(true), "{condition}");
}

fn text_of(page: &mut Document<'_>, selector: &str) -> String {
    page.shown(selector).join("\n")
}

async fn send_some(served: &Served) {
    let (alice, bob) = (served.bearer("alice"), served.bearer("bob"));
    let viewer = &served.viewer;
    let put = [("authorization", alice.as_str()), ("content-type", "text/plain")];
    viewer.ask("PUT", "/users/alice/report.txt", &put, "hello").await;
    viewer.ask("GET", "/users/alice/report.txt", &[("authorization", &alice)], "").await;
    viewer.ask("GET", "/users/alice/report.txt", &[("authorization", &bob)], "").await;
    viewer.ask("GET", "/users/alice/report.txt", &[], "").await;
    viewer.ask("DELETE", "/records/2026.csv", &[("authorization", &served.bearer("admin"))], "").await;
    viewer.ask("GET", "/public/none.html", &[], "").await;
}

#[tokio::test]
async fn requests_are_listed_as_they_come_and_opened_by_keyboard() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let mut page = Document::visit(&mut browser, served.console(), WIDE);
    wait_until(&mut page, "document.getElementById('link').textContent === 'live'");
    send_some(&served).await;
    wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 6");
    assert_eq!(page.shown(KEYS)[0], "public/none.html", "the newest is the first");
    let rows = text_of(&mut page, "#rows tr");
    let denied = rows.lines().find(|line| line.contains("records/2026.csv")).unwrap().to_owned();
    for word in ["DELETE", "admin by sample", "refused", "nobody-deletes-records:21", "denied_by_rule", "403"]
    {
        assert!(denied.contains(word), "{word}: {denied}");
    }

    page.write("Filter", "bob");
    assert_eq!(page.shown(KEYS), ["users/alice/report.txt"]);
    assert_eq!(page.shown("#count"), ["1 of 6 requests"]);
    page.write("Filter", "");
    page.choose("Decision", "Allowed");
    assert_eq!(page.shown(KEYS).len(), 3);
    page.choose("Decision", "Refused");
    assert_eq!(page.shown(KEYS).len(), 3);

    // From the filter over the list of decisions, the button and the table to the first row.
    page.value("document.getElementById('filter').focus()");
    for _ in 0..4 {
        page.press("Tab");
    }
    page.press("ArrowDown");
    page.press("ArrowDown");
    page.press("ArrowUp");
    page.press("Enter");
    page.wait_for("#detail h2");
    let detail = text_of(&mut page, "#detail");
    for word in [
        "GET users/alice/report.txt",
        "refused 401 token_missing",
        "nobody-deletes-records (line 21)",
        "the key matches none of `records/**`",
        "owners-manage-their-files (line 34)",
        "the request does not have a token",
        "ANSWER OF THE FUNCTION",
        "www-authenticate: Bearer",
    ] {
        assert!(detail.contains(word), "{word}: {detail}");
    }
    page.press("Escape");
    assert_eq!(page.shown("#detail"), Vec::<String>::new());
    assert_eq!(
        page.value("document.activeElement.querySelector('.key').textContent"),
        json!("users/alice/report.txt")
    );

    page.choose("Decision", "All");
    page.press("Tab");
    page.value("[...document.querySelectorAll('#rows tr')].at(-1).focus()");
    page.press("Enter");
    page.wait_for("#detail h2");
    let detail = text_of(&mut page, "#detail");
    for word in [
        "PUT users/alice/report.txt",
        "allowed by rule owners-manage-their-files",
        "matches",
        "\"sub\": \"alice\"",
        "FORWARDED TO S3",
        "PUT /users/alice/report.txt",
        "S3 SAID",
        "etag:",
        "Not shown, because they may have a token: header authorization.",
    ] {
        assert!(detail.contains(word), "{word}: {detail}");
    }
    // A rule leads to its line.
    page.value("document.querySelector('#detail button.link').click()");
    assert!(
        page.shown(".text .shown")[0].contains("owners-manage-their-files"),
        "{:?}",
        page.shown(".text .shown")
    );
    let token = served.bearer("alice");
    let signature = token.rsplit('.').next().unwrap();
    let whole = page.value("document.documentElement.outerHTML").to_string();
    assert!(!whole.contains(signature) && !whole.contains("eyJ"), "a token is on the page");
    assert_quiet(&mut page);
}

#[tokio::test]
async fn the_form_tries_sends_copies_and_saves() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let mut page = Document::visit(&mut browser, served.console(), WIDE);
    wait_until(&mut page, "document.getElementById('who').options.length === 3");
    page.click("Try and send");
    page.choose("Method", "PUT");
    page.write("Key, or path with its slash", "users/alice/new.txt");
    page.write("Body", "from the form");
    page.write("Headers, one a line", "Content-Type: text/plain");
    page.value("document.querySelector('#asked .main').click()");
    page.wait_for("#result h2");
    let result = text_of(&mut page, "#result");
    for word in [
        "Tried: nothing was sent",
        "allowed by rule owners-manage-their-files (line 34)",
        "PUT /users/alice/new.txt",
    ] {
        assert!(result.contains(word), "{word}: {result}");
    }
    assert!(!served.file("users/alice/new.txt").exists());

    page.value("document.getElementById('send').click()");
    wait_until(
        &mut page,
        "document.getElementById('result').textContent.includes('The distribution answered 200.')",
    );
    assert_eq!(fs::read_to_string(served.file("users/alice/new.txt")).unwrap(), "from the form");

    page.value("document.getElementById('curl').click()");
    wait_until(&mut page, "document.getElementById('result').textContent.includes('curl -i')");
    let curl = text_of(&mut page, "#result pre");
    assert!(
        curl.contains("TOKEN=$(authorizer token mint")
            && curl.contains("Bearer $TOKEN")
            && !curl.contains("eyJ"),
        "{curl}"
    );

    page.choose("Persona", "No token");
    assert_eq!(page.shown("#claims"), Vec::<String>::new());
    page.write("Name of the test, to save", "nobody uploads");
    page.value("document.getElementById('save').click()");
    wait_until(&mut page, "document.getElementById('result').textContent.includes('Saved')");
    let tests = fs::read_to_string(served.folder().join("policy.tests.toml")).unwrap();
    assert!(
        tests.contains("name = \"nobody uploads\"") && tests.contains("reason = \"token_missing\""),
        "{tests}"
    );
    page.write("Headers, one a line", "no colon");
    page.value("document.getElementById('send').click()");
    wait_until(&mut page, "document.getElementById('result').textContent.includes('NAME: VALUE')");

    // A recorded request is replayed, saved, copied, and put into the form.
    page.click("Requests");
    wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 1");
    page.value("document.querySelector('#rows tr').click()");
    page.wait_for("#detail h2");
    page.value("[...document.querySelectorAll('#detail button')].find((one) => one.textContent === 'Copy as curl').click()");
    wait_until(&mut page, "document.getElementById('detail-result').textContent.includes('curl -i')");
    page.value("[...document.querySelectorAll('#detail button')].find((one) => one.textContent === 'Save as test').click()");
    wait_until(&mut page, "document.getElementById('detail-result').textContent.includes('Saved')");
    page.click("Replay");
    wait_until(
        &mut page,
        "document.getElementById('detail').textContent.includes('The decision is the same.')",
    );
    page.click("Use in the form");
    assert_eq!(page.value("document.getElementById('target').value"), json!("/users/alice/new.txt"));
    assert_eq!(page.value("document.getElementById('who').value"), json!("issuer:sample"));
    assert_quiet(&mut page);
}

#[test]
fn the_policy_is_shown_with_its_errors_as_it_is_edited_its_findings_and_its_matrix() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let mut page = Document::visit(&mut browser, served.console(), WIDE);
    page.click("Policy");
    wait_until(&mut page, "document.querySelectorAll('#policy-text [data-line]').length > 50");
    assert_eq!(page.shown("#policy-state"), ["The policy can be used."]);
    wait_until(&mut page, "document.getElementById('link').textContent === 'live'");
    let good = fs::read_to_string(served.policy()).unwrap();
    let broken = good.replace("methods = [\"DELETE\"]", "methods = [\"FETCH\"]");
    let line = broken.lines().position(|line| line.contains("FETCH\"")).unwrap() + 1;
    fs::write(served.policy(), broken).unwrap();
    wait_until(&mut page, "document.querySelectorAll('#policy-text .wrong').length === 1");
    assert!(page.shown("#policy-state")[0].contains("1 problem. The last good policy still decides."));
    let wrong = format!("[data-line='{line}'].wrong .note");
    assert_eq!(page.shown(&wrong).len(), 1, "{:?}", page.shown(".wrong"));
    assert_eq!(page.shown("#policy-errors button"), [format!("Line {line}")]);
    let evil = format!("# {EVIL}\n{good}");
    fs::write(served.policy(), evil).unwrap();
    wait_until(&mut page, "document.querySelectorAll('#policy-text .wrong').length === 0");
    assert!(page.shown("#policy-text [data-line='1']")[0].contains(EVIL));
    page.click("Findings and matrix");
    page.wait_for("#matrix table");
    let matrix = text_of(&mut page, "#matrix");
    assert!(
        matrix.contains("users/{sub}/**")
            && matrix.contains("PutObject")
            && matrix.contains("scope has \"files\""),
        "{matrix}"
    );
    assert!(text_of(&mut page, "#findings").contains("EA026"));
    assert_eq!(page.value("typeof window.hurt"), json!("undefined"));
    assert_quiet(&mut page);
}

#[tokio::test]
async fn what_others_say_stays_text() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let key = served.folder().join("keys/sample.private.pem");
    let key = key.to_str().unwrap();
    let claims = ["--issuer", "https://login.example.com/", "--audience", "files-api", "--subject", EVIL];
    let role = format!("role={EVIL}");
    let token = run([["token", "mint", "--key", key].as_slice(), &claims, &["--claim", &role]].concat());
    let token = format!("Bearer {}", token.trim());
    let path = "/public/%3Cimg%20src=x%20onerror=window.hurt=1%3E%3Cscript%3Ewindow.hurt=1%3C%2Fscript%3E";
    let headers = [("authorization", token.as_str()), ("user-agent", EVIL)];
    served.viewer.ask("GET", path, &headers, "").await;
    served
        .viewer
        .ask("GET", "/public/a?prefix=%3Cimg%3E&%3Cb%3E=1", &[("user-agent", EVIL), ("origin", EVIL)], "")
        .await;
    for width in [WIDE, PHONE] {
        let mut page = Document::visit(&mut browser, served.console(), width);
        wait_until(&mut page, "document.querySelectorAll('#rows tr').length >= 2");
        for row in 0..2 {
            page.value(&format!("document.querySelectorAll('#rows tr')[{row}].click()"));
            let opened = format!(
                "document.querySelectorAll('#rows tr')[{row}].getAttribute('aria-selected') === 'true'"
            );
            wait_until(&mut page, &opened);
        }
        let detail = text_of(&mut page, "#detail");
        assert!(detail.contains(EVIL), "{detail}");
        let elements = "document.querySelectorAll('img, svg, iframe, object, embed, b, main script').length";
        assert_eq!(page.value(elements), json!(0));
        let handlers = "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())\
                        .filter((name) => name.startsWith('on') || name === 'style').length";
        assert_eq!(page.value(handlers), json!(0));
        assert_eq!(page.value("typeof window.hurt"), json!("undefined"));
        let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(page.value(wide), json!(0), "a long text does not push the page apart");
        assert_quiet(&mut page);
    }
    // If a text became markup after all, the page's Content-Security-Policy would still block it.
    let mut page = Document::visit(&mut browser, served.console(), 1_000);
    let written = "(() => { try { document.body.innerHTML = '<b>'; return 'written'; } catch { return 'refused'; } })()";
    assert_eq!(page.value(written), json!("refused"));
    let fetched = format!("fetch('{}/public/a').then(() => 'answered', () => 'blocked')", served.base());
    assert_eq!(page.value(&fetched), json!("blocked"));
    assert_eq!(page.value("document.referrer + document.cookie"), json!(""));
}

#[tokio::test]
async fn a_key_with_a_line_separator_does_not_blind_the_page() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let ask = async |path: &str| {
        served.viewer.ask("GET", path, &[], "").await;
    };
    ask("/public/before").await;
    ask("/public/a%E2%80%A8b%E2%80%A9c%C2%85d").await;
    let mut page = Document::visit(&mut browser, served.console(), WIDE);
    wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 2");
    ask("/public/%E2%80%A8").await;
    ask("/public/after").await;
    wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 4");
    assert_eq!(page.shown(KEYS)[0], "public/after");
    assert_eq!(page.shown("#link"), ["live"]);
    assert_quiet(&mut page);
}

#[test]
fn a_page_that_is_left_open_stops_to_ask_when_serve_has_ended() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let mut page = Document::visit(&mut browser, served.console(), WIDE);
    wait_until(&mut page, "document.getElementById('link').textContent === 'live'");
    drop(served);
    wait_until(&mut page, "document.getElementById('link').textContent.startsWith('serve has ended')");
    page.click("Findings and matrix");
    wait_until(
        &mut page,
        "document.getElementById('review-state').textContent.startsWith('serve has ended')",
    );
}

#[tokio::test]
async fn everyone_can_use_it_at_any_width_in_any_colors() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    send_some(&served).await;
    served.viewer.ask("GET", &format!("/public/{}", "long-".repeat(150)), &[], "").await;
    for width in [WIDE, PHONE] {
        let mut page = Document::visit(&mut browser, served.console(), width);
        wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 7");
        for view in ["Requests", "Try and send", "Policy", "Findings and matrix"] {
            page.click(view);
            match view {
                "Requests" => {
                    page.value("document.querySelectorAll('#rows tr')[5].click()");
                    page.wait_for("#detail h2");
                    page.value("document.querySelector('#detail details').open = true");
                }
                "Try and send" => {
                    page.value("document.querySelector('#asked .main').click()");
                    page.wait_for("#result h2");
                }
                "Policy" => page.wait_for("#policy-text [data-line='1']"),
                _ => page.wait_for("#matrix table"),
            }
            for colors in ["light", "dark"] {
                page.media("screen", colors);
                // The color of a button changes over a moment.
                wait_until(&mut page, "document.getAnimations().length === 0");
                let (barriers, passes) = page.barriers();
                assert_eq!(barriers, Vec::<serde_json::Value>::new(), "{view} {colors} {width}");
                assert!(passes > 10, "axe looked at {passes} things only");
            }
            let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(page.value(wide), json!(0), "{view} {width}: nothing is beside the screen");
        }
        assert_quiet(&mut page);
    }
}

#[test]
fn a_page_of_another_origin_a_rebound_name_and_a_missing_secret_get_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let served = Served::sample();
    let url = served.console().to_owned();
    let (base, secret) = url.rsplit_once('/').unwrap();
    let port = base.rsplit_once(':').unwrap().1.to_owned();
    let put = json!({"method": "PUT", "target": "users/alice/stolen", "body": "x",
        "who": {"kind": "token", "issuer": "sample", "claims": "{\"sub\": \"alice\", \"scope\": \"files\"}"}})
    .to_string();
    for tab in ["stranger", "sibling"] {
        browser.open(tab);
        // Even if a page of another origin knew the secret.
        for (path, known) in
            [("/api/state", true), ("/api/state", false), ("/api/events", true), ("/", false)]
        {
            let headers = if known { json!({"x-console-secret": secret}) } else { json!({}) };
            let seen = browser.send(tab, json!({"url": format!("{base}{path}"), "headers": headers}));
            assert_eq!(
                (seen.failure(), seen.status()),
                (Some("TypeError: Failed to fetch"), None),
                "{tab} {path}"
            );
        }
        for (headers, mode) in [
            (json!({"x-console-secret": secret, "content-type": "application/json"}), "cors"),
            (json!({"content-type": "text/plain"}), "no-cors"),
        ] {
            let request = json!({"url": format!("{base}/api/send"), "method": "POST", "headers": headers, "mode": mode, "body": put});
            let seen = browser.send(tab, request);
            assert_ne!(seen.status(), Some(200), "{seen:?}");
            assert_eq!(seen.text(), "");
        }
        let seen = browser.send(tab, json!({"url": url, "mode": "no-cors"}));
        assert_eq!(seen.text(), "", "{seen:?}");
    }
    assert!(!served.file("users/alice/stolen").exists());

    // Such a name means this machine, and a page of it would be of the console's own origin to a browser.
    for address in [
        format!("http://rebound.localhost:{port}/{secret}"),
        format!("http://rebound.localhost:{port}/api/state"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/{}", "A".repeat(43)),
        format!("http://127.0.0.1:{port}/api/state"),
    ] {
        let (_, status) = browser.visit(&address);
        assert_eq!(status, 403, "{address}");
    }
    let localhost = format!("http://localhost:{port}/{secret}");
    let mut page = Document::visit(&mut browser, &localhost, WIDE);
    wait_until(&mut page, "document.getElementById('link').textContent === 'live'");

    // Nor is it shown in a frame of another page.
    browser.open("app");
    browser.frame("app", &url);
    let complaints = browser.complaints().join("\n");
    assert!(complaints.contains("frame-ancestors") || complaints.contains("403"), "{complaints}");
}

/// Makes the pictures again: `cargo test -p authorizer-e2e --test it needs_browser::console -- --ignored`.
#[tokio::test]
#[ignore = "it writes into docs"]
async fn the_pictures_in_the_docs() {
    let mut browser = Browser::start().expect("a picture takes a browser");
    let folder = std::path::Path::new("/tmp/authorizer-console");
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let served = Served::sample_in(folder);
    send_some(&served).await;
    let small = |path: &std::path::Path| assert!(fs::metadata(path).unwrap().len() < 150_000, "{path:?}");
    {
        let mut page = Document::visit(&mut browser, served.console(), 1_500);
        wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 6");
        page.media("screen", "light");
        page.value("document.querySelectorAll('#rows tr')[3].click()");
        page.wait_for("#detail h2");
        let path = root().join("docs/console.png");
        page.picture(&path, 620);
        small(&path);
    }
    let mut page = Document::visit(&mut browser, served.console(), PHONE);
    wait_until(&mut page, "document.querySelectorAll('#rows tr').length === 6");
    page.media("screen", "dark");
    let path = root().join("docs/console-phone.png");
    page.picture(&path, 900);
    small(&path);
    let _ = fs::remove_dir_all(folder);
}
