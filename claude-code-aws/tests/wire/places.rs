//! The same model in another place, where places were configured: after safe faults only.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::{Client, Config, ErrorKind, GenerateRequest, Policy};
use claude_code_core::testing;

use super::bytes::{converse, ok, sse};
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server};
use super::{REVERSE, request, sdk};

fn good() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn"))
}

fn busy() -> Reply {
    Reply::refusal(503, "ServiceUnavailableException", "unavailable")
}

fn client(replies: &Replies, regions: &[&str], policy: Policy) -> Client {
    let places: Vec<Arc<str>> = regions.iter().map(|region| Arc::from(*region)).collect();
    let replies = SharedHttpConnector::new(replies.clone());
    let config = sdk().http_client(http_client_fn(move |_, _| replies.clone())).build();
    let provider = Arc::new(Bedrock::new(&config).with_regions(&places));
    testing::builder(provider).with_policy(Policy { places, ..policy }).build()
}

fn hosts(replies: &Replies) -> Vec<String> {
    let region = |target: &String| target.split('.').nth(1).unwrap_or_default().to_owned();
    replies.targets().iter().map(region).collect()
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_unavailable_gives_way_to_the_next_one_with_the_same_model() {
    let replies = Replies::by(|nth, _| if nth < 3 { busy() } else { good() });
    let client = client(&replies, &["us-west-2", "eu-west-1"], Policy::default());
    let g = client.generate(request()).await.unwrap();
    assert_eq!(hosts(&replies), ["us-east-1", "us-east-1", "us-east-1", "us-west-2"]);
    let told: Vec<(&str, &str)> = g.attempts.iter().map(|a| (a.why.as_str(), a.outcome.as_str())).collect();
    assert_eq!(
        told,
        [
            ("first", "unavailable"),
            ("retry", "unavailable"),
            ("retry", "unavailable"),
            ("failover to us-west-2", "complete")
        ]
    );
    assert!(
        g.attempts.iter().all(|attempt| attempt.model == super::MODEL),
        "the id is sent as given everywhere"
    );
    let lone = Replies::new([good()]);
    let cost = super::paused(&lone).generate(request()).await.unwrap().receipt.total();
    assert_eq!(g.receipt.total(), cost, "a global profile costs the same from each region");
    // The region rests: the next request begins where the last one was answered.
    let g = client.generate(GenerateRequest { prompt: "reverse again".into(), ..request() }).await.unwrap();
    assert_eq!((hosts(&replies)[4].as_str(), g.attempts.len()), ("us-west-2", 1));
    assert!(
        g.warnings.iter().any(|warning| warning.contains("in us-west-2 is asked first")),
        "{:?}",
        g.warnings
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_may_have_been_paid_for_goes_nowhere_else() {
    for broken in [good().before(Piece::Break), Reply::refusal(500, "InternalServerException", "failed")] {
        let replies = Replies::new([broken]);
        let error =
            client(&replies, &["us-west-2"], Policy::default()).generate(request()).await.unwrap_err();
        assert_eq!(
            hosts(&replies),
            ["us-east-1", "us-east-1"],
            "{}: its one repeat and nothing more",
            error.kind()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_geography_is_not_left_and_an_arn_stays_in_its_region() {
    let denied = || Reply::refusal(403, "AccessDeniedException", "no");
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let table: [(&str, &[&str]); 3] = [
        ("us.anthropic.claude-sonnet-5-5", &["us-east-1", "us-west-2"]),
        ("global.anthropic.claude-sonnet-5-5", &["us-east-1", "eu-west-1", "us-west-2"]),
        (arn, &["us-east-1"]),
    ];
    for (model, asked) in table {
        let replies = Replies::new([denied()]);
        let client = client(&replies, &["eu-west-1", "us-west-2"], Policy::default());
        let error = client.generate(GenerateRequest::new("reverse").with_model(model)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert_eq!(hosts(&replies), asked, "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_true_everywhere_is_not_asked_elsewhere() {
    let retired = Reply::refusal(
        404,
        "ResourceNotFoundException",
        "This model version has reached the end of its life.",
    );
    let replies = Replies::new([retired, good()]);
    let client = client(&replies, &["us-west-2"], Policy::default());
    // Without a given model the chain goes on to another model, here and not in the other region.
    let g = client.generate(GenerateRequest::new("reverse a string")).await.unwrap();
    assert_eq!(hosts(&replies), ["us-east-1", "us-east-1"]);
    assert_eq!(g.attempts[1].why, "fallback");
}

#[tokio::test(start_paused = true)]
async fn the_same_model_elsewhere_comes_before_another_model() {
    let quota = || Reply::refusal(400, "ServiceQuotaExceededException", "quota");
    let replies = Replies::by(move |nth, _| if nth < 2 { quota() } else { good() });
    let client = client(&replies, &["us-west-2"], Policy::default());
    let g = client.generate(GenerateRequest::new("reverse a string")).await.unwrap();
    let told: Vec<&str> = g.attempts.iter().map(|attempt| attempt.why.as_str()).collect();
    assert_eq!(told, ["first", "failover to us-west-2", "fallback"]);
    assert!(g.attempts[0].model == g.attempts[1].model && g.attempts[1].model != g.attempts[2].model);
    assert_eq!(hosts(&replies), ["us-east-1", "us-west-2", "us-east-1"]);
}

#[tokio::test]
async fn a_messages_server_that_is_down_gives_way_to_the_next_one() {
    let busy = b"HTTP/1.1 529 Overloaded\r\ncontent-length: 2\r\nretry-after-ms: 1\r\n\r\n{}".to_vec();
    let down = Server::start([Script::new(busy)]).await;
    let up =
        Server::start([Script::new(ok("text/event-stream", sse(REVERSE, "end_turn").concat().as_bytes()))])
            .await;
    let vars = [
        ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
        ("ANTHROPIC_API_KEY", "sk-ant-secret"),
        ("ANTHROPIC_BASE_URL", &down.url),
        ("CLAUDE_CODE_AWS_FAILOVER_URLS", &up.url),
        ("CLAUDE_CODE_AWS_STORE", "none"),
    ];
    let config = Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let client = claude_code_aws::connect(config).await.unwrap();
    let request =
        GenerateRequest::new("reverse").with_model("claude-sonnet-5-5").with_timeout(Duration::from_secs(20));
    let g = client.generate(request).await.unwrap();
    assert_eq!((down.sends(), up.sends()), (3, 1));
    let place = up.url.trim_start_matches("http://");
    assert_eq!(g.attempts[3].why, format!("failover to {place}"));
}
