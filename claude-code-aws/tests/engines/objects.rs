use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, Tag, Tagging};
use bytes::Bytes;
use claude_code_aws::local::{Body, Service, Twin, handle};
use http_body_util::BodyExt;

use crate::support::{code, put, read, twin};

#[tokio::test]
async fn an_object_comes_back_with_its_metadata() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let put = s3
        .put_object()
        .bucket("shelf")
        .key("a/b.py")
        .body(Bytes::from_static(b"print('hello')\n").into())
        .content_type("text/x-python")
        .content_disposition("attachment; filename=\"b.py\"")
        .metadata("language", "python")
        .metadata("id", "0192")
        .send()
        .await
        .unwrap();
    let got = s3.get_object().bucket("shelf").key("a/b.py").send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/x-python"));
    assert_eq!(got.content_disposition(), Some("attachment; filename=\"b.py\""));
    assert_eq!(got.metadata().unwrap()["language"], "python");
    assert_eq!(got.metadata().unwrap()["id"], "0192");
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.content_length(), Some(15));
    assert_eq!(got.version_id(), None);
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"print('hello')\n");
    let head = s3.head_object().bucket("shelf").key("a/b.py").send().await.unwrap();
    assert_eq!((head.content_length(), head.e_tag()), (Some(15), put.e_tag()));
}

#[tokio::test]
async fn the_etag_is_the_md5_of_the_bytes() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let put = s3
        .put_object()
        .bucket("shelf")
        .key("k")
        .body(Bytes::from_static(b"hello").into())
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
}

#[tokio::test]
async fn what_is_missing_has_its_own_error() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    assert_eq!(code(s3.get_object().bucket("shelf").key("none").send().await), "NoSuchKey");
    assert_eq!(code(s3.head_object().bucket("shelf").key("none").send().await), "NotFound");
    assert_eq!(code(s3.get_object().bucket("nothing").key("none").send().await), "NoSuchBucket");
    assert_eq!(code(s3.head_bucket().bucket("nothing").send().await), "NotFound");
    let put = s3.put_object().bucket("nothing").key("k").body(Bytes::from_static(b"x").into());
    assert_eq!(code(put.send().await), "NoSuchBucket");
    assert_eq!(code(s3.get_bucket_lifecycle_configuration().bucket("shelf").send().await), "NotImplemented");
}

#[tokio::test]
async fn buckets_are_created_once_listed_and_deleted_when_empty() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    assert_eq!(code(s3.create_bucket().bucket("shelf").send().await), "BucketAlreadyOwnedByYou");
    s3.create_bucket().bucket("attic").send().await.unwrap();
    s3.head_bucket().bucket("attic").send().await.unwrap();
    let listed = s3.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["attic", "shelf"]);
    put(&s3, "shelf", "k", b"x").await;
    assert_eq!(code(s3.delete_bucket().bucket("shelf").send().await), "BucketNotEmpty");
    s3.delete_object().bucket("shelf").key("k").send().await.unwrap();
    s3.delete_bucket().bucket("shelf").send().await.unwrap();
    assert_eq!(code(s3.head_bucket().bucket("shelf").send().await), "NotFound");
}

#[tokio::test]
async fn keys_may_be_long_nested_and_of_any_script() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let long = "k".repeat(1000);
    let keys = [long.as_str(), "conf", "conf/b", "../x", "a b+c&d=e?f#g", "naïve/文件.py", "a//b", "%2F"];
    for key in keys {
        put(&s3, "shelf", key, key.as_bytes()).await;
    }
    for key in keys {
        assert_eq!(read(&s3, "shelf", key).await, key.as_bytes(), "{key}");
    }
    let listed = s3.list_objects_v2().bucket("shelf").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(8));
}

#[tokio::test]
async fn ranges_give_a_part_and_say_of_how_much() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"0123456789").await;
    for (range, bytes, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-100", "56789", "bytes 5-9/10"),
    ] {
        let got = s3.get_object().bucket("shelf").key("k").range(range).send().await.unwrap();
        assert_eq!(got.content_range(), Some(shown));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes.as_bytes());
    }
    let beyond = s3.get_object().bucket("shelf").key("k").range("bytes=10-").send().await;
    assert_eq!(code(beyond), "InvalidRange");
}

#[tokio::test]
async fn put_if_absent_has_one_winner() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let puts = (0..8).map(|n: u8| {
        s3.put_object().bucket("shelf").key("k").if_none_match("*").body(vec![n; 10].into()).send()
    });
    let done = futures_util::future::join_all(puts).await;
    let (won, lost): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|lost| code(lost) == "PreconditionFailed"));
}

#[tokio::test]
async fn conditions_on_the_etag_are_kept() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"one").await;
    let etag = s3.head_object().bucket("shelf").key("k").send().await.unwrap().e_tag().unwrap().to_owned();
    let get = || s3.get_object().bucket("shelf").key("k");
    get().if_match(&etag).send().await.unwrap();
    assert_eq!(code(get().if_match("\"other\"").send().await), "PreconditionFailed");
    let unchanged = get().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    get().if_none_match("\"other\"").send().await.unwrap();
    let put = |key: &str, etag: &str| {
        let put = s3.put_object().bucket("shelf").key(key).if_match(etag);
        put.body(Bytes::from_static(b"two").into()).send()
    };
    assert_eq!(code(put("k", "\"other\"").await), "PreconditionFailed");
    assert_eq!(code(put("none", &etag).await), "NoSuchKey");
    put("k", &etag).await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"two");
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_metadata_as_told() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let body = Bytes::from_static(b"text");
    let put = s3.put_object().bucket("shelf").key("a b").body(body.into()).metadata("from", "a");
    put.tagging("team=core").content_type("text/plain").send().await.unwrap();
    s3.copy_object().copy_source("shelf/a%20b").bucket("shelf").key("kept").send().await.unwrap();
    let kept = s3.get_object().bucket("shelf").key("kept").send().await.unwrap();
    assert_eq!((kept.content_type(), kept.tag_count()), (Some("text/plain"), Some(1)));
    assert_eq!(kept.metadata().unwrap()["from"], "a");
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), b"text");
    let replace =
        s3.copy_object().copy_source("shelf/a%20b").bucket("shelf").key("new").metadata("from", "b");
    let directive = aws_sdk_s3::types::MetadataDirective::Replace;
    replace.metadata_directive(directive).content_type("text/x-b").send().await.unwrap();
    let new = s3.head_object().bucket("shelf").key("new").send().await.unwrap();
    assert_eq!((new.content_type(), new.metadata().unwrap()["from"].as_str()), (Some("text/x-b"), "b"));
    let itself = s3.copy_object().copy_source("shelf/new").bucket("shelf").key("new").send().await;
    assert_eq!(code(itself), "InvalidRequest");
    let none = s3.copy_object().copy_source("shelf/none").bucket("shelf").key("x").send().await;
    assert_eq!(code(none), "NoSuchKey");
}

#[tokio::test]
async fn a_batch_deletes_what_is_there_and_what_is_not() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "a", b"x").await;
    put(&s3, "shelf", "b", b"x").await;
    let ids = ["a", "b", "none"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(ids.to_vec())).build().unwrap();
    let done = s3.delete_objects().bucket("shelf").delete(delete).send().await.unwrap();
    assert_eq!((done.deleted().len(), done.errors().len()), (3, 0));
    assert_eq!(s3.list_objects_v2().bucket("shelf").send().await.unwrap().key_count(), Some(0));
}

#[tokio::test]
async fn tags_are_set_read_and_removed() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"x").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let set = |tags: Vec<Tag>| {
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        s3.put_object_tagging().bucket("shelf").key("k").tagging(tagging).send()
    };
    let tags = || async {
        let got = s3.get_object_tagging().bucket("shelf").key("k").send().await.unwrap();
        got.tag_set
    };
    set(vec![tag("team", "core"), tag("kind", "a b")]).await.unwrap();
    assert_eq!(tags().await, vec![tag("team", "core"), tag("kind", "a b")]);
    let twice = vec![tag("team", "a"), tag("team", "b")];
    assert_eq!(code(set(twice).await), "InvalidTag");
    s3.delete_object_tagging().bucket("shelf").key("k").send().await.unwrap();
    assert_eq!(tags().await, vec![]);
}

#[tokio::test]
async fn objects_are_there_after_a_restart() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"kept").await;
    drop(s3);
    let twin = twin.reopened();
    assert_eq!(read(&twin.twin.s3_client(), "shelf", "k").await, b"kept");
}

#[tokio::test]
async fn a_bucket_may_stand_in_the_path_too() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"x").await;
    let config = aws_sdk_s3::config::Builder::from(&twin.twin.sdk_config()).force_path_style(true).build();
    assert_eq!(read(&Client::from_conf(config), "shelf", "k").await, b"x");
}

async fn send(twin: &Twin, method: &str, url: &str, body: &'static str) -> (u16, Bytes) {
    let host = url.split('/').nth(2).unwrap();
    let body: Body = http_body_util::Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed();
    let request = http::Request::builder().method(method).uri(url).header("host", host);
    let request = request.header("content-length", body_length(&body)).body(body).unwrap();
    let response = handle(twin.engines(), Service::S3, request).await.unwrap();
    let status = response.status().as_u16();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

fn body_length(body: &Body) -> u64 {
    http_body::Body::size_hint(body).exact().unwrap()
}

#[tokio::test]
async fn presigned_urls_work_for_whoever_has_them_and_not_when_changed() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let hour = || PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap();
    let upload = s3.put_object().bucket("shelf").key("k").presigned(hour()).await.unwrap();
    assert_eq!(send(&twin.twin, "PUT", upload.uri(), "text").await.0, 200);
    let download = s3.get_object().bucket("shelf").key("k").presigned(hour()).await.unwrap();
    assert_eq!(send(&twin.twin, "GET", download.uri(), "").await, (200, Bytes::from("text")));
    let changed = download.uri().replace("/k?", "/other?");
    assert_eq!(send(&twin.twin, "GET", &changed, "").await.0, 403);
    let bare = download.uri().split('?').next().unwrap();
    assert_eq!(send(&twin.twin, "GET", bare, "").await.0, 403);
}

#[tokio::test]
async fn an_object_overwritten_while_it_is_read_is_never_torn() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let write = |n: u8| {
        let put = s3.put_object().bucket("shelf").key("k").metadata("n", n.to_string());
        put.body(vec![n; 50_000].into()).send()
    };
    write(0).await.unwrap();
    let writer = async {
        for n in 1..30 {
            write(n).await.unwrap();
        }
    };
    let reader = async {
        for _ in 0..60 {
            let got = s3.get_object().bucket("shelf").key("k").send().await.unwrap();
            let n: u8 = got.metadata().unwrap()["n"].parse().unwrap();
            let body = got.body.collect().await.unwrap().to_vec();
            assert!(body.len() == 50_000 && body.iter().all(|byte| *byte == n));
        }
    };
    tokio::join!(writer, reader);
}
