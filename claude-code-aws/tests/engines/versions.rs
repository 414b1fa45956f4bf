use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::support::{Temporary, code, put, read, twin};

async fn set(s3: &Client, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    let request = s3.put_bucket_versioning().bucket("shelf").versioning_configuration(configuration);
    request.send().await.unwrap();
}

async fn versioned() -> (Temporary, Client) {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    set(&s3, BucketVersioningStatus::Enabled).await;
    (twin, s3)
}

/// Every version of the bucket, oldest first within a key: id, bytes, whether it is the latest.
async fn ids(s3: &Client) -> Vec<String> {
    let listed = s3.list_object_versions().bucket("shelf").send().await.unwrap();
    listed.versions().iter().rev().map(|version| version.version_id().unwrap().to_owned()).collect()
}

async fn read_version(s3: &Client, id: &str) -> Vec<u8> {
    let got = s3.get_object().bucket("shelf").key("k").version_id(id).send().await.unwrap();
    assert_eq!(got.version_id(), Some(id));
    got.body.collect().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_bucket_says_whether_it_keeps_versions() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let status = || async { s3.get_bucket_versioning().bucket("shelf").send().await.unwrap().status };
    assert_eq!(status().await, None);
    set(&s3, BucketVersioningStatus::Enabled).await;
    assert_eq!(status().await, Some(BucketVersioningStatus::Enabled));
    set(&s3, BucketVersioningStatus::Suspended).await;
    assert_eq!(status().await, Some(BucketVersioningStatus::Suspended));
}

#[tokio::test]
async fn each_version_is_read_by_its_id() {
    let (_twin, s3) = versioned().await;
    for body in [b"b0", b"b1", b"b2"] {
        put(&s3, "shelf", "k", body).await;
    }
    let ids = ids(&s3).await;
    assert_eq!(ids.len(), 3);
    for (id, body) in ids.iter().zip([b"b0", b"b1", b"b2"]) {
        assert_eq!(read_version(&s3, id).await, body);
    }
    assert_eq!(read(&s3, "shelf", "k").await, b"b2");
    let listed = s3.list_objects_v2().bucket("shelf").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(1));
    let unknown = s3.get_object().bucket("shelf").key("k").version_id("none").send().await;
    assert_eq!(code(unknown), "NoSuchVersion");
}

#[tokio::test]
async fn a_delete_marker_hides_the_object_until_it_is_removed() {
    let (_twin, s3) = versioned().await;
    put(&s3, "shelf", "k", b"kept").await;
    let deleted = s3.delete_object().bucket("shelf").key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap();
    assert_eq!(code(s3.get_object().bucket("shelf").key("k").send().await), "NoSuchKey");
    assert_eq!(s3.list_objects_v2().bucket("shelf").send().await.unwrap().key_count(), Some(0));
    let by_id = s3.get_object().bucket("shelf").key("k").version_id(marker).send().await;
    assert_eq!(code(by_id), "MethodNotAllowed");
    let listed = s3.list_object_versions().bucket("shelf").send().await.unwrap();
    assert_eq!((listed.versions().len(), listed.delete_markers().len()), (1, 1));
    assert_eq!(listed.delete_markers()[0].is_latest(), Some(true));
    s3.delete_object().bucket("shelf").key("k").version_id(marker).send().await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"kept");
}

#[tokio::test]
async fn removing_the_latest_version_uncovers_the_one_before() {
    let (_twin, s3) = versioned().await;
    put(&s3, "shelf", "k", b"b0").await;
    put(&s3, "shelf", "k", b"b1").await;
    let ids = ids(&s3).await;
    s3.delete_object().bucket("shelf").key("k").version_id(&ids[1]).send().await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"b0");
    s3.delete_object().bucket("shelf").key("k").version_id(&ids[0]).send().await.unwrap();
    assert_eq!(code(s3.get_object().bucket("shelf").key("k").send().await), "NoSuchKey");
    s3.delete_bucket().bucket("shelf").send().await.unwrap();
}

#[tokio::test]
async fn what_was_there_before_versioning_is_the_version_null() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"before").await;
    set(&s3, BucketVersioningStatus::Enabled).await;
    put(&s3, "shelf", "k", b"after").await;
    assert_eq!(read_version(&s3, "null").await, b"before");
    set(&s3, BucketVersioningStatus::Suspended).await;
    put(&s3, "shelf", "k", b"suspended").await;
    assert_eq!(read_version(&s3, "null").await, b"suspended");
    // The version with an id of its own survives the suspension.
    assert_eq!(ids(&s3).await.len(), 2);
}

#[tokio::test]
async fn versions_are_listed_in_pages() {
    let (_twin, s3) = versioned().await;
    for n in 0..5 {
        put(&s3, "shelf", "a", &[n]).await;
        put(&s3, "shelf", "b", &[n]).await;
    }
    s3.delete_object().bucket("shelf").key("a").send().await.unwrap();
    let (mut seen, mut key, mut id) = (Vec::new(), None, None);
    loop {
        let request = s3.list_object_versions().bucket("shelf").max_keys(3);
        let page = request.set_key_marker(key).set_version_id_marker(id).send().await.unwrap();
        seen.extend(page.versions().iter().map(|v| v.version_id().unwrap().to_owned()));
        seen.extend(page.delete_markers().iter().map(|v| v.version_id().unwrap().to_owned()));
        (key, id) =
            (page.next_key_marker().map(str::to_owned), page.next_version_id_marker().map(str::to_owned));
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (11, 11));
}
