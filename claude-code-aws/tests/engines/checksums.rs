use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};
use bytes::Bytes;

use crate::support::{code, twin};

const BODY: &[u8] = b"hello";

#[tokio::test]
async fn the_sdks_own_checksum_is_stored_and_given_back() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let body = || ByteStream::from(Bytes::from_static(BODY));
    let put = s3.put_object().bucket("shelf").key("k").body(body()).send().await.unwrap();
    assert_eq!(put.checksum_crc32(), Some("NhCmhg=="));
    let head = s3.head_object().bucket("shelf").key("k").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(head.send().await.unwrap().checksum_crc32(), Some("NhCmhg=="));
    for (algorithm, key) in [
        (ChecksumAlgorithm::Sha256, "sha256"),
        (ChecksumAlgorithm::Sha1, "sha1"),
        (ChecksumAlgorithm::Crc32C, "crc32c"),
        (ChecksumAlgorithm::Crc64Nvme, "crc64nvme"),
    ] {
        s3.put_object()
            .bucket("shelf")
            .key(key)
            .body(body())
            .checksum_algorithm(algorithm)
            .send()
            .await
            .unwrap();
        // The SDK checks what it reads against what it was given.
        let got = s3.get_object().bucket("shelf").key(key).checksum_mode(ChecksumMode::Enabled).send();
        assert_eq!(got.await.unwrap().body.collect().await.unwrap().to_vec(), BODY, "{key}");
    }
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_leaves_nothing() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let put = || s3.put_object().bucket("shelf").key("k").body(Bytes::from_static(BODY).into());
    let refused = [
        put().checksum_crc32("AAAAAA==").send().await,
        put().checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").send().await,
        put().checksum_crc64_nvme("AAAAAAAAAAA=").send().await,
        put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await,
    ];
    for refused in refused {
        assert_eq!(code(refused), "BadDigest");
        assert_eq!(code(s3.head_object().bucket("shelf").key("k").send().await), "NotFound");
    }
    put().content_md5("XUFAKrxLKna5cZ2REBfFkg==").checksum_crc32("NhCmhg==").send().await.unwrap();
}

#[tokio::test]
async fn a_wrong_checksum_leaves_what_was_there() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    crate::support::put(&s3, "shelf", "k", b"before").await;
    let put = s3.put_object().bucket("shelf").key("k").body(Bytes::from_static(BODY).into());
    assert_eq!(code(put.checksum_crc32("AAAAAA==").send().await), "BadDigest");
    assert_eq!(crate::support::read(&s3, "shelf", "k").await, b"before");
}

#[tokio::test]
async fn a_file_is_uploaded_with_its_checksum_in_the_trailer() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    let path = twin.directory.path().join("upload.txt");
    let text = "line\n".repeat(40_000);
    std::fs::write(&path, &text).unwrap();
    let body = ByteStream::from_path(&path).await.unwrap();
    let put = s3.put_object().bucket("shelf").key("k").body(body).send().await.unwrap();
    assert!(put.checksum_crc32().is_some());
    assert_eq!(crate::support::read(&s3, "shelf", "k").await, text.as_bytes());
    let head = s3.head_object().bucket("shelf").key("k").send().await.unwrap();
    assert_eq!(head.content_encoding(), None);
}
