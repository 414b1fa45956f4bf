//! Credentials: none, ended, renewed; and a clock that is wrong. Rows 17 and 18.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::SystemClock;
use claude_code_aws::{Clock, ErrorKind, GenerateRequest};
use claude_code_core::testing;
use futures_util::future::join_all;

use super::bytes::converse;
use super::in_process::{Piece, Replies, Reply};
use super::{REVERSE, paused, request, sdk};

const NONE: &str = "no AWS credentials found (environment, ~/.aws, SSO, role). Offline: Client.local() or --offline. \
                    Or: aws sso login, AWS_BEARER_TOKEN_BEDROCK, provider=\"anthropic\"";

fn good() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn"))
}

/// Gives credentials and counts how often it was asked; without a secret it has none.
#[derive(Debug, Default)]
struct Counted {
    asked: AtomicUsize,
    empty: bool,
}

impl ProvideCredentials for Counted {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Provided::ready(match self.empty {
            true => Err(CredentialsError::not_loaded("none here")),
            false => Ok(Credentials::new("a", "b", None, None, "counted")),
        })
    }
}

fn bedrock(counted: &Arc<Counted>, replies: &Replies) -> Bedrock {
    let replies = SharedHttpConnector::new(replies.clone());
    let config = sdk()
        .credentials_provider(SharedCredentialsProvider::new(counted.clone() as Arc<dyn ProvideCredentials>))
        .http_client(http_client_fn(move |_, _| replies.clone()))
        .build();
    Bedrock::new(&config)
}

#[tokio::test(start_paused = true)]
async fn ended_credentials_are_renewed_once_for_all_who_wait() {
    for code in ["ExpiredTokenException", "UnrecognizedClientException", "InvalidToken"] {
        let counted = Arc::<Counted>::default();
        let ended = Reply::refusal(403, code, "The security token included in the request is expired");
        // All are under way with the old ones when the first is refused.
        let ended = ended.before(Piece::Wait(Duration::from_millis(50)));
        let replies = Replies::by(move |nth, _| if nth < 50 { ended.clone() } else { good() });
        let client = testing::builder(Arc::new(bedrock(&counted, &replies))).build();
        let callers =
            (0..50).map(|n| {
                let client = client.clone();
                async move {
                    client.generate(GenerateRequest { prompt: format!("reverse {n}"), ..request() }).await
                }
            });
        assert!(join_all(callers).await.iter().all(Result::is_ok), "{code}");
        assert_eq!(counted.asked.load(Ordering::SeqCst), 2, "{code}: loaded once, renewed once");
        assert_eq!(replies.sends(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_stay_ended_are_an_error_after_one_retry() {
    let replies = Replies::new([Reply::refusal(403, "ExpiredTokenException", "expired")]);
    let error = paused(&replies).generate(request()).await.unwrap_err();
    assert_eq!((error.kind(), replies.sends()), (ErrorKind::Credentials, 2));
    assert!(error.message().contains("aws sso login"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_credentials_give_the_three_ways_to_go_on() {
    let replies = Replies::new([good()]);
    let empty = Arc::new(Counted { empty: true, ..Counted::default() });
    let client = testing::builder(Arc::new(bedrock(&empty, &replies))).build();
    let error = client.generate(request()).await.unwrap_err();
    assert_eq!((error.kind(), error.message(), replies.sends()), (ErrorKind::Credentials, NONE, 0));
}

/// The standard chain of the SDK in an environment that has nothing, in a process of its own.
#[test]
fn an_empty_environment_gives_the_same_message() {
    let name = "credentials::child_without_credentials";
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env_clear()
        .env("WIRE_CHILD", "1")
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&format!("told: {NONE}")), "{told} {}", String::from_utf8_lossy(&output.stderr));
}

/// Helper process: connects in the environment that it was given.
#[tokio::test]
#[ignore = "helper process of another test"]
async fn child_without_credentials() {
    std::env::var_os("WIRE_CHILD").expect("a helper process is started by its test");
    let client = claude_code_aws::connect(claude_code_aws::Config::from_env().unwrap()).await.unwrap();
    let error = client.generate(request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    println!("told: {}", error.message());
}

fn date(offset: i64) -> String {
    DateTime::from_secs(SystemClock.now().seconds() + offset).fmt(Format::HttpDate).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_an_hour_off_is_corrected_once() {
    for (offset, code) in [(3600, "SignatureDoesNotMatch"), (-3600, "InvalidSignatureException")] {
        let skewed = Reply::refusal(403, code, "Signature not yet current").header("date", &date(offset));
        let replies = Replies::new([skewed.clone(), good().header("date", &date(offset))]);
        let g = paused(&replies).generate(request()).await.unwrap();
        assert_eq!(g.attempts.len(), 2);
        let replies = Replies::new([skewed]);
        let error =
            paused(&replies).generate(request().with_timeout(Duration::from_secs(60))).await.unwrap_err();
        assert_eq!((error.kind(), replies.sends()), (ErrorKind::Credentials, 2));
        assert!(error.message().contains("clock"), "{error}");
    }
}
