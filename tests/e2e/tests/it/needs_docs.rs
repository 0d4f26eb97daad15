//! The site of the documentation, by mdBook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use authorizer_core::Reason;
use authorizer_e2e::pages::{pages, target};
use authorizer_e2e::site::Site;
use percent_encoding::percent_decode_str;
use scraper::{Html, Selector};

/// A page of the site.
struct Made {
    ids: BTreeSet<String>,
    /// What is shown or followed when a person asks for it.
    links: Vec<String>,
    /// What the browser loads by itself.
    loaded: Vec<String>,
}

fn made(text: &str) -> Made {
    let html = Html::parse_document(text);
    let all = |selector: &str, attribute: &str| -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector).filter_map(|one| Some(one.attr(attribute)?.to_owned())).collect()
    };
    Made {
        ids: all("[id]", "id").into_iter().collect(),
        links: all("a[href]", "href"),
        loaded: [
            all("link[href]", "href"),
            all("[src]", "src"),
            all("form[action]", "action"),
            all("object", "data"),
        ]
        .concat(),
    }
}

#[test]
fn every_link_of_the_site_leads_to_a_file_of_it_and_nothing_is_loaded_from_elsewhere() {
    let Some(site) = Site::make() else { return };
    let files: BTreeMap<_, _> = site.files().into_iter().collect();
    let html: BTreeMap<_, _> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .map(|(name, path)| (name.as_str(), made(&fs::read_to_string(path).unwrap())))
        .collect();
    assert!(html.len() > 200, "{}", html.len());
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for (name, page) in &html {
        wrong.extend(
            page.loaded.iter().filter(|link| link.contains(':')).map(|link| format!("{name}: {link}")),
        );
        for link in page.links.iter().chain(&page.loaded) {
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            followed += 1;
            let link = percent_decode_str(link).decode_utf8().unwrap();
            let leads = target(name, &link).is_some_and(|(path, anchor)| match anchor {
                Some(anchor) => html.get(path.as_str()).is_some_and(|page| page.ids.contains(&anchor)),
                None => files.contains_key(&path),
            });
            if !leads {
                wrong.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(followed > 2_000, "{followed}");
    assert_eq!(wrong, Vec::<String>::new());
    // Fonts and pictures of the styles too.
    for (name, path) in files.iter().filter(|(name, _)| name.ends_with(".css")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains("@import") && !text.contains("//fonts."), "{name}");
        let far = ["url(http", "url('http", "url(\"http", "url(//"].iter().any(|far| text.contains(far));
        assert!(!far, "{name}");
    }
    for reason in Reason::ALL {
        assert!(html["docs/decision-log.html"].ids.contains(reason.word()), "{}", reason.word());
    }
    // What GitHub calls a heading, the site calls it too: links from elsewhere hold in both.
    for (name, page) in pages() {
        let Some(made) = html.get(format!("{}.html", name.trim_end_matches(".md")).as_str()) else {
            continue;
        };
        let lost: Vec<_> = page.anchors.difference(&made.ids).collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    }
}

#[test]
fn the_site_is_in_a_folder_of_its_version_is_found_from_above_can_be_searched_and_is_the_same_twice() {
    let Some(site) = Site::make() else { return };
    let version = site.folder.file_name().unwrap().to_str().unwrap();
    let lead = fs::read_to_string(site.out().join("index.html")).unwrap();
    assert!(lead.contains(&format!("url={version}/index.html")), "{lead}");
    let index = fs::read_to_string(site.folder.join("index.html")).unwrap();
    assert!(index.contains(&format!("Edge authorizer {version}</title>")), "{index}");
    let files = site.files();
    let (_, search) = files.iter().find(|(name, _)| name.starts_with("searchindex")).unwrap();
    let search = fs::read_to_string(search).unwrap();
    for words in ["EA021", "token_expired", "no-new-access"] {
        assert!(search.contains(words), "{words}");
    }
    let again = Site::make().unwrap();
    for ((name, one), (other_name, other)) in files.iter().zip(again.files()) {
        assert_eq!(*name, other_name);
        assert!(fs::read(one).unwrap() == fs::read(other).unwrap(), "{name}");
    }
    assert_eq!(files.len(), again.files().len());
}
