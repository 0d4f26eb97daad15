//! People sign in at a provider that was not written here, with its own pages, in Chromium: through `serve`, and through
//! the package under AWS's client for Python.

use authorizer_e2e::person::{Cookie, FLOW, ORIGIN, SEALED, SESSION, SIBLING, Stage, Visit};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// A page of Alice, with a query that S3 reads.
const LINK: &str = "/users/alice/a%20page.html?response-content-language=de";

/// Another page of hers.
const OTHER: &str = "/users/alice/b.html";

/// The way back from the provider.
const CALLBACK: &str = "https://files.example.com/.auth/callback";

/// Opens Alice's page and signs in as her.
async fn signed_in() -> Option<Stage> {
    let mut stage = Stage::start().await?;
    stage.go("one", LINK);
    let page = stage.sign_in("one", "alice");
    assert_eq!(page.title, "A page of Alice", "{page:?}");
    Some(stage)
}

/// The answer of the last request for a page, its status and what it shows, which must have these words.
#[track_caller]
fn assert_shows(stage: &mut Stage, tab: &str, status: u16, words: &[&str]) {
    let (last, page) = (stage.last_visit(), stage.page(tab));
    assert_eq!((last.tab.as_str(), last.status), (tab, status), "{last:?} {page:?}");
    for word in words {
        assert!(page.text.contains(word), "no `{word}` in {page:?}");
    }
}

/// The visits after those that were there before, as path and status; those of the provider as `provider`.
fn since(stage: &mut Stage, before: usize) -> Vec<(String, u16)> {
    let short = |Visit { url, status, .. }: Visit| {
        let path = url.strip_prefix(ORIGIN).map_or_else(|| "provider".to_owned(), str::to_owned);
        (path, status)
    };
    stage.visits().into_iter().skip(before).map(short).collect()
}

/// A parameter of the query of a URL.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(one, _)| *one == name).map(|(_, value)| value).next()?;
    Some(percent_decode_str(value).decode_utf8().unwrap().into_owned())
}

/// The URL of the last callback.
fn callback(stage: &mut Stage) -> String {
    let visits = stage.visits();
    visits.into_iter().rev().find(|visit| visit.url.starts_with(CALLBACK)).unwrap().url
}

/// The same text with one character changed, near its middle: no character is padding there.
fn tampered(value: &str) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    let place = (middle..bytes.len()).find(|place| bytes[*place].is_ascii_alphanumeric()).unwrap();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

/// What holds of every cookie that the flow sets: this host's alone, for no script, not for other sites' requests.
#[track_caller]
fn assert_is_kept_well(cookie: &Cookie) {
    assert!(cookie.name.starts_with("__Host-") && cookie.value.len() <= 3_800, "{cookie:?}");
    assert_eq!((cookie.domain.as_str(), cookie.path.as_str()), ("files.example.com", "/"), "{cookie:?}");
    assert!(cookie.secure && cookie.http_only && cookie.same_site == "Lax", "{cookie:?}");
}

#[tokio::test]
async fn a_person_signs_in_at_the_provider_and_is_back_at_the_link_with_its_query() {
    let Some(mut stage) = Stage::start().await else { return };
    let at_provider = stage.go("one", LINK);
    assert!(at_provider.url.starts_with(&stage.issuer()), "{at_provider:?}");
    assert!(stage.visits().iter().any(|visit| visit.url == format!("{ORIGIN}{LINK}") && visit.status == 302));
    let asked = stage.visits().into_iter().find(|visit| visit.url.contains("/auth?")).unwrap().url;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "files-web"),
        ("redirect_uri", CALLBACK),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&asked, name).as_deref(), Some(value), "{asked}");
    }
    // 128 bits at least (RFC 9700 section 4.7.1, RFC 7636 section 7.1), in base64url.
    for name in ["state", "nonce", "code_challenge"] {
        assert!(parameter(&asked, name).unwrap().len() >= 22, "{asked}");
    }
    stage.cookies().iter().for_each(assert_is_kept_well);
    assert_eq!(stage.names(FLOW).len(), 1);
    assert_eq!(stage.names(SESSION), Vec::<String>::new());

    let page = stage.sign_in("one", "alice");
    assert_eq!((page.url.as_str(), page.title.as_str()), (&*format!("{ORIGIN}{LINK}"), "A page of Alice"));
    let cookies = stage.cookies();
    cookies.iter().for_each(assert_is_kept_well);
    assert_eq!(stage.names(FLOW), Vec::<String>::new(), "a sign-in leaves nothing of its flow");
    let token = stage.cookie(SESSION).unwrap();
    assert!(token.split('.').count() == 3 && stage.cookie(SEALED).is_some(), "{cookies:?}");
    assert_eq!(stage.value("one", "document.cookie"), json!(""), "no script reads them");

    let (status, session) = stage.fetch("one", "GET", "/.auth/session");
    let told: Value = serde_json::from_str(&session).unwrap();
    assert_eq!(
        (status, &told["signed_in"], &told["subject"]),
        (200, &json!(true), &json!("alice")),
        "{told}"
    );
    assert_eq!(told["renewable"], json!(true), "{told}");
    for part in token.split('.') {
        assert!(!session.contains(part), "{session}");
    }
    assert_eq!(stage.fetch("one", "GET", "/users/bob/a%20page.html").0, 403, "she reads what is hers");
    assert_eq!(stage.people.exchanges(), ["authorization_code 200"]);

    stage.logged("session_started");
    let code = parameter(&callback(&mut stage), "code").unwrap();
    let state = parameter(&asked, "state").unwrap();
    let written = [stage.served.stdout().text(), stage.served.stderr().text()].concat();
    for secret in [code.as_str(), &state, token.rsplit('.').next().unwrap()] {
        assert!(!written.contains(secret), "{written}");
    }
}

#[tokio::test]
async fn several_tabs_sign_in_at_once_and_each_is_back_at_its_own_link() {
    let Some(mut stage) = Stage::start().await else { return };
    stage.go("one", LINK);
    stage.go("two", OTHER);
    assert_eq!(stage.names(FLOW).len(), 2, "each has its own");
    let two = stage.sign_in("two", "alice");
    assert_eq!((two.url, two.title.as_str()), (format!("{ORIGIN}{OTHER}"), "B page of Alice"));
    let one = stage.sign_in("one", "alice");
    assert_eq!((one.url, one.title.as_str()), (format!("{ORIGIN}{LINK}"), "A page of Alice"));
    assert_eq!(stage.names(FLOW), Vec::<String>::new());

    // Many that nobody finishes do not fill the browser, and the last can be finished.
    stage.forget_all();
    for tab in 0..11 {
        stage.go(&format!("tab {tab}"), OTHER);
    }
    assert!(stage.names(FLOW).len() <= 8, "{:?}", stage.names(FLOW));
    let last = stage.sign_in("tab 10", "alice");
    assert_eq!(last.title, "B page of Alice");
}

#[tokio::test]
async fn an_expired_token_is_renewed_by_a_page_that_asks_and_by_a_link_that_is_opened() {
    let Some(mut stage) = signed_in().await else { return };
    let first = stage.cookie(SESSION).unwrap();
    stage.people.access_tokens_live(2);
    let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
    assert_eq!(
        (status, &told["signed_in"], &told["subject"]),
        (200, &json!(true), &json!("alice")),
        "{told}"
    );
    let second = stage.cookie(SESSION).unwrap();
    assert_ne!(first, second);
    stage.logged("session_renewed");

    stage.wait_for_status("one", OTHER, 401);
    stage.logged("token_missing");
    let (_, told) = stage.fetch_json("one", "GET", "/.auth/session");
    assert_eq!(told["signed_in"], json!(false), "{told}");
    stage.people.access_tokens_live(600);
    let before = stage.visits().len();
    let page = stage.go("one", OTHER);
    assert_eq!((page.url, page.title.as_str()), (format!("{ORIGIN}{OTHER}"), "B page of Alice"));
    let seen = since(&mut stage, before);
    assert_eq!(seen, [(OTHER.to_owned(), 302), (OTHER.to_owned(), 200)], "without the provider's pages");
    assert_eq!(
        stage.people.exchanges(),
        ["authorization_code 200", "refresh_token 200", "refresh_token 200"],
        "one attempt each"
    );
    assert_eq!(stage.fetch("one", "GET", OTHER).0, 200);
}

#[tokio::test]
async fn a_refresh_token_that_another_tab_has_used_costs_at_most_a_new_sign_in() {
    let Some(mut stage) = signed_in().await else { return };
    // This provider takes a second use for theft, and ends the session (RFC 9700 section 4.14.2).
    let sealed = stage.cookie(SEALED).unwrap();
    assert_eq!(stage.fetch("one", "POST", "/.auth/refresh").0, 200);
    assert_ne!(stage.cookie(SEALED).unwrap(), sealed, "it is another token");
    stage.keep(SEALED, &sealed);
    let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
    assert_eq!((status, &told["reason"]), (401, &json!("session_refresh_refused")), "{told}");
    assert_eq!(stage.people.exchanges().last().unwrap(), "refresh_token 400");

    // A link that is opened with such a token leads to a new sign-in, not round.
    stage.forget(SESSION);
    stage.keep(SEALED, &sealed);
    let before = stage.visits().len();
    let page = stage.go("one", OTHER);
    assert!(page.url.starts_with(&stage.issuer()), "{page:?}");
    assert_eq!(since(&mut stage, before)[0], (OTHER.to_owned(), 302));
    assert_eq!(stage.consent("one").title, "B page of Alice", "the provider still knows her");
}

#[tokio::test]
async fn a_provider_that_is_away_is_a_page_that_says_so_and_a_later_attempt_succeeds() {
    let Some(mut stage) = Stage::start().await else { return };
    stage.go("one", LINK);
    stage.people.is_away(true);
    let page = stage.sign_in("one", "alice");
    assert!(page.url.starts_with(CALLBACK), "{page:?}");
    assert_shows(&mut stage, "one", 503, &[]);
    stage.logged("sign_in_provider_unavailable");
    assert_eq!(stage.names(SESSION), Vec::<String>::new());
    stage.people.is_away(false);
    let issuer = stage.issuer();
    stage.press("one", "a", &issuer);
    assert_eq!(stage.consent("one").title, "A page of Alice");

    // What there is stays until it expires.
    stage.people.is_away(true);
    let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
    assert_eq!((status, &told["reason"]), (503, &json!("sign_in_provider_unavailable")), "{told}");
    assert_eq!(stage.fetch("one", "GET", OTHER).0, 200);
    // Without a token that is accepted, an opened link says it too, and tries again when it is opened again.
    stage.forget(SESSION);
    stage.go("one", OTHER);
    assert_shows(&mut stage, "one", 503, &[]);
    assert!(stage.cookie(SEALED).is_some(), "the session is not lost");
    stage.people.is_away(false);
    assert_eq!(stage.go("one", OTHER).title, "B page of Alice");
}

#[tokio::test]
async fn who_signs_out_is_out_at_the_provider_too_and_back_shows_nothing() {
    let Some(mut stage) = signed_in().await else { return };
    let issuer = stage.issuer();
    stage.go("one", OTHER);
    stage.go("one", "/public/app.html");
    let asked = stage.press("one", "form button", &format!("{issuer}/session/end"));
    assert_eq!(stage.names("__Host-"), Vec::<String>::new(), "nothing is left here, whatever follows there");
    // The pages that a browser keeps in memory for `Back` go too. The driver of this one does not keep any.
    let sign_out = format!("{ORIGIN}/.auth/sign-out");
    let left = stage.visits().into_iter().find(|visit| visit.url == sign_out).unwrap();
    assert_eq!((left.method.as_str(), left.status), ("POST", 303));
    assert_eq!(left.clears, "\"cache\"");
    let page = stage.press("one", "button:has-text('Yes')", &format!("{ORIGIN}/.auth/signed-out"));
    assert_shows(&mut stage, "one", 200, &[]);
    stage.logged("session_ended_by_user");
    assert!(!asked.text.contains("Alice"), "{page:?}");

    // Back over the provider's page and the application.
    let mut shown = Vec::new();
    for _ in 0..3 {
        shown.push(stage.back("one"));
    }
    for page in &shown {
        assert!(!page.text.contains("what only Alice reads"), "{shown:#?}");
    }
    let page = stage.go("two", LINK);
    assert!(page.url.starts_with(&issuer), "{page:?}");
    let (_, told) = {
        stage.go("three", "/public/app.html");
        stage.fetch_json("three", "GET", "/.auth/session")
    };
    assert_eq!(told["signed_in"], json!(false), "{told}");
    assert_eq!(stage.sign_in("two", "alice").title, "A page of Alice", "after the password");

    // A link on an own page signs out; an address that is typed asks first.
    let typed = stage.go("two", "/.auth/sign-out");
    assert_shows(&mut stage, "two", 403, &[]);
    assert!(stage.cookie(SESSION).is_some(), "{typed:?}");
    stage.press("two", "button", &format!("{issuer}/session/end"));
    assert_eq!(stage.names("__Host-"), Vec::<String>::new());
    stage.go("one", OTHER);
    stage.consent("one");
    stage.go("one", "/public/app.html");
    stage.press("one", "a", &format!("{issuer}/session/end"));
    assert_eq!(stage.names("__Host-"), Vec::<String>::new());
}

#[tokio::test]
async fn no_callback_but_that_of_a_flow_of_this_browser_gets_a_session() {
    let Some(mut stage) = Stage::start().await else { return };
    let issuer = stage.issuer();
    let no_session = |stage: &mut Stage| assert_eq!(stage.names(SESSION), Vec::<String>::new());
    // An answer that was made up.
    for query in [
        "",
        "?code=a",
        "?code=a&state=b",
        "?state=b",
        "?error=access_denied&state=b",
        "?code=a&code=b&state=c",
    ] {
        stage.go("made up", &format!("{CALLBACK}{query}"));
        assert_shows(&mut stage, "made up", 400, &[]);
        no_session(&mut stage);
    }
    stage.logged("sign_in_state_unknown");

    // The answer to another browser: Bob's, which he makes Alice open (RFC 9700 section 4.7).
    stage.go("one", LINK);
    let flow = stage.names(FLOW).pop().unwrap();
    let sealed = stage.cookie(&flow).unwrap();
    stage.forget(&flow);
    let page = stage.sign_in("one", "bob");
    let answered = callback(&mut stage);
    assert!(page.url.starts_with(CALLBACK), "{page:?}");
    assert_shows(&mut stage, "one", 400, &[]);
    no_session(&mut stage);

    // The cookie of the flow with one character changed, and under the name of another flow.
    for (name, value) in [(flow.clone(), tampered(&sealed)), (format!("{FLOW}00000000"), sealed.clone())] {
        stage.keep(&name, &value);
        stage.go("one", &answered);
        assert_shows(&mut stage, "one", 400, &[]);
        no_session(&mut stage);
        stage.forget(&name);
    }
    // The answer of another provider (RFC 9207).
    stage.keep(&flow, &sealed);
    let iss = answered.split('&').find(|pair| pair.contains("iss=")).unwrap();
    for instead in ["iss=https%3A%2F%2Fother.example.com", "is=none"] {
        stage.keep(&flow, &sealed);
        let name_before = if iss.contains('?') { "" } else { "&" };
        stage
            .go("one", &answered.replace(&format!("{name_before}{iss}"), &format!("{name_before}{instead}")));
        assert_shows(&mut stage, "one", 400, &[]);
        no_session(&mut stage);
    }
    assert_eq!(stage.people.exchanges(), Vec::<String>::new(), "none of them reached the provider");

    // The right one, once: its flow is over. Twice: the provider refuses the code.
    stage.keep(&flow, &sealed);
    stage.go("one", &answered);
    assert!(stage.cookie(SESSION).is_some());
    stage.forget(SESSION);
    stage.forget(SEALED);
    stage.go("one", &answered);
    assert_shows(&mut stage, "one", 400, &[]);
    no_session(&mut stage);
    stage.keep(&flow, &sealed);
    stage.go("one", &answered);
    assert_shows(&mut stage, "one", 400, &[]);
    stage.logged("sign_in_code_refused");
    no_session(&mut stage);
    assert_eq!(stage.people.exchanges(), ["authorization_code 200", "authorization_code 400"]);

    // Who changes their mind is told how to begin again.
    stage.forget_all();
    stage.go("one", LINK);
    let page = stage.press("one", "a:has-text('Cancel')", CALLBACK);
    assert_shows(&mut stage, "one", 403, &[]);
    stage.logged("sign_in_denied");
    no_session(&mut stage);
    stage.press("one", "a", &issuer);
    assert_eq!(stage.sign_in("one", "alice").title, "A page of Alice", "{page:?}");
}

#[tokio::test]
async fn a_cookie_that_was_changed_or_is_anothers_opens_nothing_of_anybody_else() {
    let Some(mut stage) = signed_in().await else { return };
    let (token, sealed) = (stage.cookie(SESSION).unwrap(), stage.cookie(SEALED).unwrap());
    stage.keep(SESSION, &tampered(&token));
    assert_eq!(stage.fetch("one", "GET", OTHER).0, 401);
    stage.keep(SESSION, &token);
    stage.keep(SEALED, &tampered(&sealed));
    let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
    assert_eq!((status, &told["reason"]), (401, &json!("session_missing")), "{told}");
    // One kind of sealed cookie is not another, and a token is neither.
    for value in [token.as_str(), "", "a", &"A".repeat(3_800)] {
        stage.keep(SEALED, value);
        let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
        assert_eq!((status, &told["reason"]), (401, &json!("session_missing")), "{told}");
    }
    stage.keep(SESSION, &sealed);
    assert_eq!(stage.fetch("one", "GET", OTHER).0, 401);
    assert_eq!(stage.people.exchanges(), ["authorization_code 200"], "nothing of it reached the provider");

    // Bob's token beside Alice's sealed cookie: what is renewed is one person's, and all of it.
    stage.forget_all();
    stage.go("one", "/users/bob/a%20page.html");
    assert_eq!(stage.sign_in("one", "bob").title, "A page of Bob");
    stage.keep(SEALED, &sealed);
    let (status, _) = stage.fetch("one", "POST", "/.auth/refresh");
    let (_, told) = stage.fetch_json("one", "GET", "/.auth/session");
    let reads = |stage: &mut Stage, path| stage.fetch("one", "GET", path).0 == 200;
    let is_of = (reads(&mut stage, OTHER), reads(&mut stage, "/users/bob/a%20page.html"));
    match status {
        200 => assert_eq!((&told["subject"], is_of), (&json!("alice"), (true, false)), "{told}"),
        _ => assert!(status == 401 && !is_of.0, "{status} {told} {is_of:?}"),
    }
}

#[tokio::test]
async fn another_host_of_the_domain_plants_no_cookie_and_neither_renews_nor_signs_out() {
    let Some(mut stage) = Stage::start().await else { return };
    stage.go("other", &format!("{SIBLING}/public/other.html"));
    let planted = [SESSION, "__Host-session.0", SEALED, "__Host-authorizer-flow-00000000", "plain"];
    for name in planted {
        let set = format!("document.cookie = '{name}=planted; Domain=example.com; Path=/; Secure'");
        stage.value("other", &set);
    }
    let kept: Vec<_> = stage.cookies().into_iter().map(|cookie| (cookie.name, cookie.domain)).collect();
    assert_eq!(
        kept,
        [("plain".to_owned(), ".example.com".to_owned())],
        "only one has a name that it can set"
    );
    stage.go("one", LINK);
    assert_eq!(stage.sign_in("one", "alice").title, "A page of Alice");

    // Cookies come with its requests, since it is the same site. So the origin is looked at.
    let page = stage.press("other", "form button", &format!("{ORIGIN}/.auth/sign-out"));
    assert_shows(&mut stage, "other", 403, &[]);
    stage.logged("sign_in_cross_site");
    assert!(stage.cookie(SESSION).is_some(), "{page:?}");
    stage.back("other");
    stage.press("other", "a", &format!("{ORIGIN}/.auth/sign-out"));
    assert_shows(&mut stage, "other", 403, &[]);
    assert!(stage.cookie(SESSION).is_some());
    stage.back("other");
    let before = (stage.cookie(SESSION), stage.cookie(SEALED));
    for (path, method) in [("refresh", "POST"), ("sign-out", "POST"), ("session", "GET"), ("refresh", "GET")]
    {
        for mode in ["no-cors", "cors"] {
            let sent = format!(
                "fetch('{ORIGIN}/.auth/{path}', {{ method: '{method}', mode: '{mode}', credentials: 'include' }})\
                 .then((answer) => answer.text(), () => '')"
            );
            assert_eq!(stage.value("other", &sent), json!(""), "{path} {mode}: it reads nothing");
        }
    }
    assert_eq!((stage.cookie(SESSION), stage.cookie(SEALED)), before);
    assert_eq!(stage.people.exchanges(), ["authorization_code 200"]);
    assert_eq!(stage.fetch("one", "GET", OTHER).0, 200, "she is still signed in");
}

#[tokio::test]
async fn no_link_leads_to_another_host() {
    let Some(mut stage) = Stage::start().await else { return };
    let issuer = stage.issuer();
    for (index, link) in [
        "//other.example.com/public/other.html",
        "/%2F%2Fother.example.com/public/other.html",
        "/%5C%5Cother.example.com/",
        "/users/alice/%2e%2e/%2e%2e//other.example.com",
        "/.other.example.com/",
        "/@other.example.com/",
        "/users/alice/x%0d%0aLocation:%20https:%2F%2Fother.example.com",
        "/users/alice/b.html?response-content-language=https://other.example.com/",
    ]
    .into_iter()
    .enumerate()
    {
        let tab = format!("tab {index}");
        let page = stage.go(&tab, &format!("{ORIGIN}{link}"));
        if page.url.starts_with(&issuer) {
            stage.sign_in(&tab, "alice");
            stage.forget_all();
        }
    }
    // Nor does a callback, or an own page.
    for link in [
        "/.auth/callback?return=https://other.example.com/",
        "/.auth/callback?code=a&state=https://other.example.com/",
        "/.auth/sign-out?post_logout_redirect_uri=https://other.example.com/",
        "/.auth/signed-out?return_to=https://other.example.com/",
    ] {
        let page = stage.go("own", &format!("{ORIGIN}{link}"));
        let leads = stage.value(
            "own",
            "[...document.querySelectorAll('[href], [action]')].map((one) => one.href || one.action)",
        );
        for to in leads.as_array().unwrap() {
            assert!(to.as_str().unwrap().starts_with(&format!("{ORIGIN}/")), "{link}: {to} {page:?}");
        }
    }
    let visits = stage.visits();
    assert!(visits.len() > 12, "{visits:#?}");
    let hosts = [format!("{ORIGIN}/"), format!("{issuer}/")];
    for visit in visits {
        assert!(hosts.iter().any(|host| visit.url.starts_with(host)), "{visit:?}");
    }
}

#[tokio::test]
async fn a_browser_that_drops_the_session_and_a_token_that_is_not_accepted_do_not_go_round() {
    let Some(mut stage) = signed_in().await else { return };
    // As if the browser had not kept what it just got.
    stage.forget(SESSION);
    stage.forget(SEALED);
    let before = stage.visits().len();
    stage.go("one", LINK);
    assert_eq!(since(&mut stage, before), [(LINK.to_owned(), 401)]);
    stage.logged("session_not_kept");
    let issuer = stage.issuer();
    // The page says what to do, and another page is not in the way.
    stage.go("two", OTHER);
    assert_eq!(stage.consent("two").title, "B page of Alice");

    // A token for another API is not accepted, however often it is asked for.
    stage.people.access_tokens_are_for("https://another.example.com/");
    stage.forget(SESSION);
    let before = stage.visits().len();
    let page = stage.go("three", LINK);
    // With a refresh token, there is one attempt without the provider's pages.
    if page.url.starts_with(&issuer) {
        stage.consent("three");
    }
    assert_shows(&mut stage, "three", 403, &[]);
    stage.logged("sign_in_token_refused");
    let seen = since(&mut stage, before);
    assert!(seen.len() <= 8, "{seen:#?}");
    stage.go("three", "/public/app.html");
    assert_eq!(stage.fetch("three", "GET", OTHER).0, 401);
}

#[tokio::test]
async fn the_package_under_the_python_client_signs_in_renews_and_signs_out() {
    let Some(mut stage) = Stage::start_package().await else { return };
    stage.go("one", LINK);
    stage.go("two", OTHER);
    let page = stage.sign_in("one", "alice");
    assert_eq!((page.url, page.title.as_str()), (format!("{ORIGIN}{LINK}"), "A page of Alice"));
    assert_eq!(stage.sign_in("two", "alice").title, "B page of Alice");
    stage.cookies().iter().for_each(assert_is_kept_well);
    stage.people.access_tokens_live(2);
    let (status, told) = stage.fetch_json("one", "POST", "/.auth/refresh");
    assert_eq!((status, &told["subject"]), (200, &json!("alice")), "{told}");
    stage.wait_for_status("one", OTHER, 401);
    // Not the page that a sign-in has just led back to: without a token there, the browser dropped it.
    stage.people.is_away(true);
    stage.go("one", LINK);
    assert_shows(&mut stage, "one", 503, &[]);
    stage.people.is_away(false);
    stage.people.access_tokens_live(600);
    assert_eq!(stage.go("one", LINK).title, "A page of Alice");
    let answered = callback(&mut stage);
    stage.go("two", &answered);
    assert_shows(&mut stage, "two", 400, &[]);
    stage.go("one", "/public/app.html");
    let issuer = stage.issuer();
    stage.press("one", "form button", &format!("{issuer}/session/end"));
    stage.press("one", "button:has-text('Yes')", &format!("{ORIGIN}/.auth/signed-out"));
    assert_eq!(stage.names("__Host-"), Vec::<String>::new());
    assert!(stage.go("one", LINK).url.starts_with(&issuer));
}
