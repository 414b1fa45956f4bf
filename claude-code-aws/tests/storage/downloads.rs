use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use claude_code_aws::testing::store_contract;
use claude_code_aws::{Clock, ErrorKind, GenerationStore, Scope};

use super::{HandClock, results, twin};

/// Credentials that end in so many seconds; none: never.
fn ending_in(seconds: Option<u64>) -> Option<SharedCredentialsProvider> {
    let end = seconds.map(|seconds| SystemTime::now() + Duration::from_secs(seconds));
    Some(SharedCredentialsProvider::new(Credentials::new("AK", "not-a-secret", None, end, "test")))
}

fn life(url: &str) -> u64 {
    let (_, rest) = url.split_once("X-Amz-Expires=").unwrap();
    rest.split('&').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn links_live_an_hour_or_a_minute_less_than_the_credentials() {
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    let store = results(&twin, &clock);
    let g = store_contract::generation("linked", 0, &[("a.py", "a = 1\n"), ("b/c d.html", "<p>\n")]);
    store.put(&Scope::local(), &g).await.unwrap();
    for (left, lives) in [(None, 3600..=3600), (Some(7200), 3600..=3600), (Some(300), 235..=240)] {
        let store = store.clone().with_credentials(ending_in(left));
        let links = store.download(&Scope::local(), "linked").await.unwrap();
        assert_eq!(links.len(), 2);
        for (link, file) in links.iter().zip(&g.files) {
            assert_eq!((Some(&link.path), &link.sha256), (file.path.as_ref(), &file.sha256()));
            assert!(lives.contains(&life(&link.url)), "{left:?}: {}", life(&link.url));
            assert_eq!(link.expires_at, clock.now().plus(Duration::from_secs(life(&link.url))));
            let signed = [
                "response-content-disposition=attachment",
                "response-content-type=text%2Fplain%3B%20charset%3Dutf-8",
            ];
            assert!(signed.iter().all(|part| link.url.contains(part)), "{}", link.url);
            assert!(!format!("{link:?}").contains("Signature"), "a link is as good as the file");
        }
    }
}

#[tokio::test]
async fn credentials_about_to_end_give_no_link_and_another_scope_finds_nothing() {
    let (_dir, twin) = twin().await;
    let store = results(&twin, &HandClock::now());
    store.put(&Scope::local(), &store_contract::generation("linked", 0, &[("a.py", "a\n")])).await.unwrap();
    let late = store.clone().with_credentials(ending_in(Some(50)));
    assert_eq!(late.download(&Scope::local(), "linked").await.unwrap_err().kind(), ErrorKind::Credentials);
    let other = Scope::authenticated("somebody else");
    assert_eq!(store.download(&other, "linked").await.unwrap_err().kind(), ErrorKind::NotFound);
}
