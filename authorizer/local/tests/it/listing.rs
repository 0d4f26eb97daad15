//! Listing the bucket.

use crate::support::{Answer, Stage, forward};

async fn stage(keys: &[&str]) -> Stage {
    let stage = Stage::with(forward()).await;
    for key in keys {
        assert_eq!(stage.ask("PUT", key, &[], "hello").await.status, 200, "{key}");
    }
    stage
}

async fn list(stage: &Stage, query: &str) -> Answer {
    stage.ask("GET", &format!("/?list-type=2{query}"), &[], "").await
}

/// Keys and common prefixes.
fn listed<'a>(answer: &'a Answer) -> (Vec<&'a str>, Vec<&'a str>) {
    let prefixes = answer.elements("CommonPrefixes").into_iter();
    let inner = |prefix: &'a str| prefix.strip_prefix("<Prefix>")?.strip_suffix("</Prefix>");
    (answer.elements("Key"), prefixes.map(|prefix| inner(prefix).unwrap()).collect())
}

#[tokio::test]
async fn a_listing_has_the_keys_of_the_prefix_in_the_order_of_their_bytes() {
    let keys =
        ["/a", "/a-b", "/dir/1", "/dir/sub/2", "/dir.txt", "/Z", "/%C3%A9", "/%EF%BF%BD", "/%F0%9F%98%80"];
    let stage = stage(&keys).await;
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("", &["Z", "a", "a-b", "dir.txt", "dir/1", "dir/sub/2", "\u{e9}", "\u{fffd}", "\u{1f600}"], &[]),
        ("&delimiter=/", &["Z", "a", "a-b", "dir.txt", "\u{e9}", "\u{fffd}", "\u{1f600}"], &["dir/"]),
        ("&prefix=di", &["dir.txt", "dir/1", "dir/sub/2"], &[]),
        ("&prefix=di&delimiter=/", &["dir.txt"], &["dir/"]),
        ("&prefix=dir/&delimiter=/", &["dir/1"], &["dir/sub/"]),
        ("&prefix=dir/sub/2", &["dir/sub/2"], &[]),
        ("&prefix=dir/sub/3", &[], &[]),
        ("&prefix=../files/", &[], &[]),
        ("&start-after=dir/1&delimiter=/", &["\u{e9}", "\u{fffd}", "\u{1f600}"], &["dir/"]),
    ];
    for (query, keys, prefixes) in cases {
        let answer = list(&stage, query).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        assert_eq!(listed(&answer), (keys.to_vec(), prefixes.to_vec()), "{query}");
        assert_eq!(answer.elements("KeyCount"), [(keys.len() + prefixes.len()).to_string()], "{query}");
        assert_eq!(answer.elements("IsTruncated"), ["false"], "{query}");
    }
    let answer = list(&stage, "&prefix=a").await;
    assert_eq!(answer.elements("Size"), ["5", "5"]);
    assert_eq!(answer.elements("ETag")[0], "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(answer.elements("StorageClass"), ["STANDARD", "STANDARD"]);
    assert_eq!((answer.elements("Name"), answer.elements("MaxKeys")), (vec!["files"], vec!["1000"]));
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_repetition() {
    let stage = stage(&["/a", "/b/1", "/b/2", "/b/", "/c/1", "/c/2", "/d"]).await;
    for (query, all) in [
        ("", vec!["a", "b/", "b/1", "b/2", "c/1", "c/2", "d"]),
        ("&delimiter=/", vec!["a", "b/", "c/", "d"]),
        ("&prefix=b/&delimiter=/", vec!["b/", "b/1", "b/2"]),
    ] {
        for most in 1..=all.len() {
            let (mut seen, mut token): (Vec<String>, _) = (Vec::new(), String::new());
            loop {
                let answer = list(&stage, &format!("{query}&max-keys={most}{token}")).await;
                let (keys, prefixes) = listed(&answer);
                assert!(keys.len() + prefixes.len() <= most, "{query} {most}");
                let mut page: Vec<String> = keys.into_iter().chain(prefixes).map(str::to_owned).collect();
                page.sort();
                seen.extend(page);
                let next = answer.elements("NextContinuationToken");
                assert_eq!(answer.elements("IsTruncated"), [if next.is_empty() { "false" } else { "true" }]);
                match next.first() {
                    Some(next) => token = format!("&continuation-token={next}"),
                    None => break,
                }
            }
            assert_eq!(seen, all, "{query} {most}");
        }
    }
    let none = list(&stage, "&max-keys=0").await;
    assert_eq!((none.elements("KeyCount"), none.elements("IsTruncated")), (vec!["0"], vec!["false"]));
    assert_eq!(list(&stage, "&max-keys=5000").await.elements("MaxKeys"), ["1000"]);
    for query in
        ["&max-keys=-1", "&max-keys=x", "&continuation-token=**", "&continuation-token=", "&encoding-type=x"]
    {
        assert_eq!(list(&stage, query).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn encoding_type_url_encodes_what_xml_could_not_carry() {
    let stage =
        stage(&["/a%20b", "/a%2Bb", "/%3C&%3E", "/x%01y", "/test_file(3).png", "/d%20d/%C3%A9"]).await;
    let answer = list(&stage, "&encoding-type=url&delimiter=/&start-after=%20").await;
    assert_eq!(answer.elements("EncodingType"), ["url"]);
    let (keys, prefixes) = listed(&answer);
    assert_eq!(keys, ["%3C%26%3E", "a+b", "a%2Bb", "test_file%283%29.png", "x%01y"]);
    assert_eq!(prefixes, ["d+d/"]);
    assert_eq!((answer.elements("Delimiter"), answer.elements("StartAfter")), (vec!["/"], vec!["+"]));
    let answer = list(&stage, "&encoding-type=url&prefix=d%20d/").await;
    assert_eq!(answer.elements("Key"), ["d+d/%C3%A9"]);
    assert_eq!(answer.elements("Prefix"), ["d+d/"]);
}

#[tokio::test]
async fn without_an_encoding_a_control_character_is_a_reference() {
    let stage = stage(&["/x%01y", "/%0D%0A"]).await;
    let answer = list(&stage, "&prefix=").await;
    assert_eq!(answer.elements("Key"), ["&#xD;&#xA;", "x&#x1;y"]);
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    // An empty delimiter is none, and is not told.
    let answer = list(&stage, "&delimiter=").await;
    assert_eq!((listed(&answer).0.len(), answer.elements("Delimiter")), (2, vec![]));
}

#[tokio::test]
async fn nothing_but_objects_is_listed() {
    let stage = stage(&["/a"]).await;
    let started = stage.ask("POST", "/upload?uploads", &[], "").await;
    let id = started.elements("UploadId")[0];
    let part = stage.ask("PUT", &format!("/upload?partNumber=1&uploadId={id}"), &[], "part").await;
    assert_eq!(part.status, 200);
    std::fs::create_dir_all(stage.folder("objects/empty/folder")).unwrap();
    std::os::unix::fs::symlink(stage.data.path(), stage.folder("objects/link")).unwrap();
    std::fs::write(stage.folder("objects/by-hand.txt"), "not an object").unwrap();
    let answer = list(&stage, "").await;
    assert_eq!(listed(&answer), (vec!["a"], vec![]), "{}", answer.body);
    assert_eq!(list(&stage, "&delimiter=/").await.elements("Prefix"), [""]);
}

#[tokio::test]
async fn the_older_listing_is_as_s3_has_it() {
    let stage = stage(&["/a", "/b/1", "/b/2", "/c"]).await;
    let first = stage.ask("GET", "/?delimiter=/&max-keys=2", &[], "").await;
    assert_eq!((listed(&first), first.elements("NextMarker")), ((vec!["a"], vec!["b/"]), vec!["b/"]));
    let second = stage.ask("GET", "/?delimiter=/&max-keys=2&marker=b/", &[], "").await;
    assert_eq!((listed(&second), second.elements("IsTruncated")), ((vec!["c"], vec![]), vec!["false"]));
    let plain = stage.ask("GET", "/?max-keys=1", &[], "").await;
    assert_eq!((plain.elements("Key"), plain.elements("NextMarker")), (vec!["a"], vec![]));
}
