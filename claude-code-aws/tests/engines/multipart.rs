use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};

use crate::support::{code, put, read, twin};

const FIVE_MIB: usize = 5 * 1024 * 1024;

async fn begin(s3: &Client, key: &str) -> String {
    let request = s3.create_multipart_upload().bucket("shelf").key(key).content_type("text/x-big");
    let upload =
        request.metadata("id", "1").checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    upload.upload_id().unwrap().to_owned()
}

async fn part(s3: &Client, key: &str, upload: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let request = s3.upload_part().bucket("shelf").key(key).upload_id(upload).part_number(number);
    let done = request.body(body.into()).send().await.unwrap();
    let sum = done.checksum_crc32().unwrap();
    CompletedPart::builder().part_number(number).e_tag(done.e_tag().unwrap()).checksum_crc32(sum).build()
}

fn parts(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn parts_become_one_object_in_the_order_of_their_numbers() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let upload = begin(&s3, "k").await;
    let last = part(&s3, "k", &upload, 2, b"end".to_vec()).await;
    let first = part(&s3, "k", &upload, 1, vec![b'a'; FIVE_MIB]).await;
    let listed = s3.list_parts().bucket("shelf").key("k").upload_id(&upload).send().await.unwrap();
    let numbers: Vec<_> = listed.parts().iter().filter_map(|part| part.part_number()).collect();
    assert_eq!(numbers, [1, 2]);
    let complete = s3.complete_multipart_upload().bucket("shelf").key("k").upload_id(&upload);
    let done = complete.multipart_upload(parts(vec![first, last])).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    assert!(done.checksum_crc32().unwrap().ends_with("-2"));
    let got = s3.get_object().bucket("shelf").key("k").send().await.unwrap();
    assert_eq!((got.content_type(), got.metadata().unwrap()["id"].as_str()), (Some("text/x-big"), "1"));
    let body = got.body.collect().await.unwrap().to_vec();
    assert_eq!(body.len(), FIVE_MIB + 3);
    assert!(body.ends_with(b"aaend"));
    let again = s3.list_parts().bucket("shelf").key("k").upload_id(&upload).send().await;
    assert_eq!(code(again), "NoSuchUpload");
}

#[tokio::test]
async fn an_upload_leaves_the_object_alone_until_it_is_complete() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"before").await;
    let upload = begin(&s3, "k").await;
    part(&s3, "k", &upload, 1, b"new".to_vec()).await;
    assert_eq!(read(&s3, "shelf", "k").await, b"before");
    s3.abort_multipart_upload().bucket("shelf").key("k").upload_id(&upload).send().await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"before");
    let late = s3.upload_part().bucket("shelf").key("k").upload_id(&upload).part_number(1);
    assert_eq!(code(late.body(Vec::new().into()).send().await), "NoSuchUpload");
}

#[tokio::test]
async fn a_completion_that_names_the_wrong_parts_is_refused() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let upload = begin(&s3, "k").await;
    let one = part(&s3, "k", &upload, 1, b"small".to_vec()).await;
    let two = part(&s3, "k", &upload, 2, b"end".to_vec()).await;
    let complete = |named: Vec<CompletedPart>| {
        let request = s3.complete_multipart_upload().bucket("shelf").key("k").upload_id(&upload);
        request.multipart_upload(parts(named)).send()
    };
    assert_eq!(code(complete(vec![one.clone(), two.clone()]).await), "EntityTooSmall");
    assert_eq!(code(complete(vec![two.clone(), one.clone()]).await), "InvalidPartOrder");
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    assert_eq!(code(complete(vec![wrong]).await), "InvalidPart");
    complete(vec![one]).await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"small");
}

#[tokio::test]
async fn a_part_may_be_copied_from_a_stored_object() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "source", b"0123456789").await;
    let upload = begin(&s3, "k").await;
    let copy = |range: &str| {
        let request = s3.upload_part_copy().bucket("shelf").key("k").upload_id(&upload).part_number(1);
        request.copy_source("shelf/source").copy_source_range(range).send()
    };
    assert_eq!(code(copy("bytes=20-30").await), "InvalidRange");
    let copied = copy("bytes=2-5").await.unwrap().copy_part_result.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag(copied.e_tag().unwrap());
    let part = part.checksum_crc32(copied.checksum_crc32().unwrap()).build();
    let complete = s3.complete_multipart_upload().bucket("shelf").key("k").upload_id(&upload);
    complete.multipart_upload(parts(vec![part])).send().await.unwrap();
    assert_eq!(read(&s3, "shelf", "k").await, b"2345");
}
