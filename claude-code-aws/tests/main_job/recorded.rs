//! Recorded Bedrock streams, byte for byte, through the real SDK and our provider.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::file::sha256_hex;
use claude_code_aws::message::{Message, TextBlock};
use claude_code_aws::provider::{ModelCall, ModelEvent, ModelProvider, StopReason};
use claude_code_aws::{ModelId, Usage};
use futures_util::StreamExt;
use serde_json::Value;

use super::corpus::{print_count, records};

/// Answers every request with the same recorded bytes.
#[derive(Clone, Debug)]
struct Replay {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpConnector for Replay {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let response = response.body(SdkBody::from(self.body.clone())).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(response).unwrap()))
    }
}

pub fn provider(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Bedrock {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let replay = Replay { status, headers, body };
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(replay.clone()));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .http_client(client)
        .build();
    Bedrock::new(&config)
}

pub fn call() -> ModelCall {
    ModelCall {
        model: ModelId::new("us.anthropic.claude-sonnet-5").unwrap(),
        system: vec![TextBlock::new("s")],
        messages: vec![Message::user("u")],
        max_tokens: 100,
        temperature: None,
        effort: None,
        thinking: None,
        metadata: Default::default(),
        guardrail: None,
        service_tier: None,
        place: None,
        departure: Default::default(),
    }
}

/// What a stream came to: text, stop reason, usage, and the error that ended it.
pub async fn read(
    provider: &Bedrock,
) -> (String, Option<StopReason>, Option<Usage>, Option<claude_code_aws::provider::ProviderError>) {
    let mut events = provider.stream(call());
    let (mut text, mut stop, mut used) = (String::new(), None, None);
    while let Some(event) = events.next().await {
        match event {
            Ok(ModelEvent::Text(piece)) => text += &piece,
            Ok(ModelEvent::Stop { reason, .. }) => assert!(stop.replace(reason).is_none()),
            Ok(ModelEvent::Usage(usage)) => used = Some(usage),
            Ok(_) => {}
            Err(error) => {
                assert!(events.next().await.is_none(), "after an error the stream ends");
                return (text, stop, used, Some(error));
            }
        }
    }
    (text, stop, used, None)
}

fn body(record: &Value) -> Vec<u8> {
    let response = &record["response"];
    match response["body_base64"].as_str() {
        Some(encoded) => aws_smithy_types::base64::decode(encoded).unwrap(),
        None => response["body_text"].as_str().unwrap_or("").as_bytes().to_vec(),
    }
}

const EVENT_STREAM: &[(&str, &str)] = &[("content-type", "application/vnd.amazon.eventstream")];

#[tokio::test]
async fn recorded_converse_streams_give_their_expected_values() {
    let all = records("bedrock.jsonl");
    let (mut ran, mut whole) = (0, 0);
    for record in all.iter().filter(|r| r["operation"] == "converse-stream") {
        let expected = &record["expected"];
        let id = record["id"].as_str().unwrap();
        let (text, stop, usage, error) = read(&provider(200, EVENT_STREAM, body(record))).await;
        ran += 1;
        if expected["stop_reason"].is_null() {
            assert!(stop.is_none(), "{id}: a stream without its stop is never complete");
            continue;
        }
        if !record["model"].as_str().unwrap_or("").contains("claude") && error.is_some() {
            // Other models' streams end as they like; they must only not be taken for whole.
            continue;
        }
        whole += 1;
        assert!(error.is_none(), "{id}: {error:?}");
        assert_eq!(stop.unwrap().as_str(), expected["stop_reason"].as_str().unwrap(), "{id}");
        assert_eq!(sha256_hex(text.as_bytes()), expected["text_sha256"].as_str().unwrap(), "{id}");
        let usage = usage.unwrap();
        assert_eq!(usage.input_tokens, expected["input_tokens"].as_u64().unwrap(), "{id}");
        assert_eq!(usage.output_tokens, expected["output_tokens"].as_u64().unwrap(), "{id}");
        let cached = |name: &str| expected[name].as_u64().unwrap_or(0);
        assert_eq!(usage.cache_read_input_tokens, cached("cache_read_tokens"), "{id}");
        assert_eq!(usage.cache_creation_input_tokens(), cached("cache_write_tokens"), "{id}");
    }
    print_count("bedrock.jsonl (converse-stream)", ran, all.len());
    println!("of these {whole} complete ones were equal to their expected values");
    assert!(all.is_empty() || whole >= 10);
}

#[tokio::test]
async fn recorded_errors_of_converse_give_typed_errors() {
    let all = records("bedrock.jsonl");
    let mut ran = 0;
    for record in &all {
        let status = record["response"]["status"].as_u64().unwrap() as u16;
        if status == 200 || !record["operation"].as_str().unwrap().starts_with("converse") {
            continue;
        }
        let headers: Vec<(String, String)> = record["response"]["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())))
            .filter(|(name, _)| name.starts_with("x-amzn") || name == "content-type")
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (.., error) = read(&provider(status, &headers, body(record))).await;
        let error = error.unwrap_or_else(|| panic!("{}: an error status is an error", record["id"]));
        println!(
            "{}: {} -> {:?} {:?} {}",
            record["id"], record["expected"]["error_code"], error.kind, error.code, error.message
        );
        assert_eq!(error.status, Some(status));
        if let Some(code) = record["expected"]["error_code"].as_str() {
            assert_eq!(error.code.as_deref(), Some(code), "{}", record["id"]);
        }
        ran += 1;
    }
    print_count("bedrock.jsonl (errors of converse)", ran, all.len());
}
