//! The site of the documentation, as a person opens it from a folder, without a server.

use authorizer_e2e::browser::Browser;
use authorizer_e2e::document::Document;
use authorizer_e2e::site::Site;

#[test]
fn the_site_is_searched_from_a_folder_and_asks_nobody_for_anything() {
    let Some(mut browser) = Browser::start() else { return };
    let Some(site) = Site::make() else { return };
    let address = format!("file://{}/docs/policy.html", site.folder.display());
    let mut page = Document::visit(&mut browser, &address, 1_280);
    page.click("Toggle Searchbar");
    page.wait_for("#mdbook-searchbar");
    for (words, found) in [
        ("EA021", "../docs/audit/EA021.html"),
        ("token_expired", "../docs/decision-log.html"),
        ("no-new-access", "../docs/audit/diff.html"),
    ] {
        page.value("document.getElementById('mdbook-searchbar').select()");
        for key in words.chars() {
            page.press(&key.to_string());
        }
        page.wait_for(&format!(":nth-match(#mdbook-searchresults a[href*='{found}'], 1)"));
    }
    // The address of a reason is a place on the page.
    let reason = format!("file://{}/docs/decision-log.html#token_expired", site.folder.display());
    let mut page = Document::visit(&mut browser, &reason, 1_280);
    page.wait_for("td:has(#token_expired)");
    assert!(
        page.value("document.querySelector(':target') !== null && window.scrollY > 500").as_bool().unwrap()
    );
    let far: Vec<_> = page.requested().into_iter().filter(|url| !url.starts_with("file://")).collect();
    assert_eq!(far, Vec::<String>::new());
    assert_eq!(page.complaints(), Vec::<String>::new());
}
