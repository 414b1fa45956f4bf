use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;

use crate::support::{Temporary, put, twin};

async fn shelf(keys: &[&str]) -> (Temporary, Client) {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    for key in keys {
        put(&s3, "shelf", key, b"x").await;
    }
    (twin, s3)
}

/// Keys and common prefixes of all pages, in the order of the pages, and the number of pages.
async fn all(
    s3: &Client,
    prefix: &str,
    delimiter: Option<&str>,
    size: i32,
) -> (Vec<String>, Vec<String>, usize) {
    let request = s3.list_objects_v2().bucket("shelf").prefix(prefix).max_keys(size);
    let mut pages = request.set_delimiter(delimiter.map(str::to_owned)).into_paginator().send();
    let (mut keys, mut groups, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some(page) = pages.try_next().await.unwrap() {
        let entries = page.contents().len() + page.common_prefixes().len();
        assert_eq!(usize::try_from(page.key_count().unwrap()).unwrap(), entries);
        assert!(entries <= usize::try_from(size).unwrap());
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        groups.extend(page.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
        count += 1;
    }
    (keys, groups, count)
}

#[tokio::test]
async fn every_page_size_gives_the_same_keys() {
    let keys = ["a", "a/b", "a/c", "b", "b/c/d", "c"];
    let (_twin, s3) = shelf(&keys).await;
    for size in 1..=7 {
        let (listed, groups, _) = all(&s3, "", None, size).await;
        assert_eq!((listed, groups.len()), (keys.map(str::to_owned).to_vec(), 0), "pages of {size}");
    }
}

#[tokio::test]
async fn a_delimiter_groups_keys_across_pages() {
    let (_twin, s3) = shelf(&["a.txt", "src/x", "src/y/z", "src/z", "srcs", "test/1", "test/2", "zoo"]).await;
    for size in 1..=6 {
        let (keys, groups, _) = all(&s3, "", Some("/"), size).await;
        assert_eq!(keys, ["a.txt", "srcs", "zoo"], "pages of {size}");
        assert_eq!(groups, ["src/", "test/"], "pages of {size}");
    }
    let (keys, groups, _) = all(&s3, "src/", Some("/"), 10).await;
    assert_eq!((keys, groups), (vec!["src/x".to_owned(), "src/z".to_owned()], vec!["src/y/".to_owned()]));
}

#[tokio::test]
async fn a_prefix_is_any_beginning_of_a_key() {
    let (_twin, s3) = shelf(&["ab", "abc", "abd/e", "ac", "ÿ", "\u{10ffff}a"]).await;
    assert_eq!(all(&s3, "ab", None, 2).await.0, ["ab", "abc", "abd/e"]);
    assert_eq!(all(&s3, "ÿ", None, 2).await.0, ["ÿ"]);
    assert_eq!(all(&s3, "\u{10ffff}", None, 2).await.0, ["\u{10ffff}a"]);
    assert_eq!(all(&s3, "x", None, 2).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_listing_starts_after_a_key() {
    let (_twin, s3) = shelf(&["a", "b", "c", "d/1", "d/2"]).await;
    let listed = s3.list_objects_v2().bucket("shelf").start_after("b").send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["c", "d/1", "d/2"]);
    let empty = s3.list_objects_v2().bucket("shelf").max_keys(0).send().await.unwrap();
    assert_eq!((empty.key_count(), empty.is_truncated()), (Some(0), Some(false)));
}

#[tokio::test]
async fn version_one_of_the_listing_pages_by_marker() {
    let (_twin, s3) = shelf(&["a", "b/1", "b/2", "c"]).await;
    let (mut seen, mut marker) = (Vec::new(), None::<String>);
    loop {
        let request = s3.list_objects().bucket("shelf").delimiter("/").max_keys(1);
        let page = request.set_marker(marker.clone()).send().await.unwrap();
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        seen.extend(page.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
        marker = page.next_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(seen, ["a", "b/", "c"]);
}

#[tokio::test]
async fn names_are_escaped_where_the_client_asks_for_it() {
    let (_twin, s3) = shelf(&["a b/ü+.py"]).await;
    let request = s3.list_objects_v2().bucket("shelf").encoding_type(EncodingType::Url);
    let listed = request.send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("a%20b/%C3%BC%2B.py"));
}

#[tokio::test]
async fn more_than_a_thousand_keys_come_in_several_pages() {
    let names: Vec<String> = (0..1100).map(|n| format!("many/{n:04}")).collect();
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let puts =
        names.iter().map(|key| s3.put_object().bucket("shelf").key(key).body(Vec::new().into()).send());
    for done in futures_util::future::join_all(puts).await {
        done.unwrap();
    }
    put(&s3, "shelf", "one", b"x").await;
    let (keys, _, pages) = all(&s3, "many/", None, 1000).await;
    assert_eq!((keys, pages), (names, 2));
    let (keys, groups, _) = all(&s3, "", Some("/"), 1000).await;
    assert_eq!((keys, groups), (vec!["one".to_owned()], vec!["many/".to_owned()]));
}
