//! Recorded Bedrock streams, byte for byte, through the real SDK and our provider.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use claude_code_aws::answer::file::sha256_hex;
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::provider::message::{Message, TextBlock};
use claude_code_aws::provider::{ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};
use claude_code_aws::{ModelId, Usage};
use futures_util::StreamExt;
use serde_json::Value;

use super::corpus::{at_least, print_count, records};

/// Answers every request with the same recorded bytes.
#[derive(Clone, Debug)]
pub struct Replay {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
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
    ModelCall::new(ModelId::new("us.anthropic.claude-sonnet-5").unwrap(), vec![Message::user("u")], 100)
        .with_system(vec![TextBlock::new("s")])
}

/// What a stream came to: text, stop reason, usage, and the error that ended it.
#[derive(Debug, Default)]
pub struct Read {
    pub text: String,
    pub stop: Option<StopReason>,
    pub usage: Option<Usage>,
    pub fault: Option<ProviderError>,
}

impl Read {
    /// Where it is not what another parser found.
    pub fn differs(&self, expected: &Value) -> Option<String> {
        if let Some(fault) = &self.fault {
            return Some(format!("{fault:?}"));
        }
        if self.stop.as_ref().map(StopReason::as_str) != expected["stop_reason"].as_str() {
            return Some(format!("stop {:?}", self.stop));
        }
        if expected["text_sha256"].as_str() != Some(&sha256_hex(self.text.as_bytes())) {
            return Some(format!("text of {} characters", self.text.chars().count()));
        }
        let usage = self.usage.unwrap_or_default();
        let figures = [
            ("input_tokens", usage.input_tokens),
            ("output_tokens", usage.output_tokens),
            ("cache_read_tokens", usage.cache_read_input_tokens),
            ("cache_write_tokens", usage.cache_creation_input_tokens()),
        ];
        let wrong = figures.iter().find(|(name, figure)| expected[*name].as_u64().unwrap_or(0) != *figure);
        wrong.map(|(name, figure)| format!("{name} {figure} is not {}", expected[*name]))
    }
}

pub async fn read(provider: &dyn ModelProvider) -> Read {
    let mut events = provider.stream(call());
    let mut read = Read::default();
    while let Some(event) = events.next().await {
        match event {
            Ok(ModelEvent::Text(piece)) => read.text += &piece,
            Ok(ModelEvent::Stop { reason, .. }) => assert!(read.stop.replace(reason).is_none()),
            Ok(ModelEvent::Usage(usage)) => read.usage = Some(usage),
            Ok(_) => {}
            Err(fault) => {
                assert!(events.next().await.is_none(), "after an error the stream ends");
                read.fault = Some(fault);
                break;
            }
        }
    }
    read
}

pub fn body(record: &Value) -> Vec<u8> {
    let response = &record["response"];
    match response["body_base64"].as_str() {
        Some(encoded) => aws_smithy_types::base64::decode(encoded).unwrap(),
        None => response["body_text"].as_str().unwrap_or("").as_bytes().to_vec(),
    }
}

pub const EVENT_STREAM: &[(&str, &str)] = &[("content-type", "application/vnd.amazon.eventstream")];

#[tokio::test]
async fn recorded_converse_streams_give_their_expected_values() {
    let all = records("bedrock.jsonl");
    let (mut ran, mut whole, mut wrong) = (0, 0, Vec::new());
    for record in all.iter().filter(|r| r["operation"] == "converse-stream") {
        let expected = &record["expected"];
        let id = record["id"].as_str().unwrap();
        let read = read(&provider(200, EVENT_STREAM, body(record))).await;
        ran += 1;
        if expected["stop_reason"].is_null() {
            assert!(read.stop.is_none(), "{id}: a stream without its stop is never complete");
            continue;
        }
        if !record["model"].as_str().unwrap_or("").contains("claude") && read.fault.is_some() {
            // Other models' streams end as they like; they must only not be taken for whole.
            continue;
        }
        whole += 1;
        wrong.extend(read.differs(expected).map(|what| format!("{id}: {what}")));
    }
    print_count("bedrock.jsonl (converse-stream)", ran, all.len());
    println!(
        "of these {whole} complete ones were compared with their expected values, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(whole >= at_least("bedrock.jsonl", 10, 3), "{whole}");
}

#[tokio::test]
async fn recorded_errors_give_typed_errors() {
    let all = records("bedrock.jsonl");
    let (mut ran, mut of_converse) = (0, 0);
    for record in &all {
        let status = record["response"]["status"].as_u64().unwrap() as u16;
        let operation = record["operation"].as_str().unwrap();
        if status == 200 || !(operation.starts_with("converse") || operation.starts_with("invoke")) {
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
        let read = read(&provider(status, &headers, body(record))).await;
        let fault = read.fault.unwrap_or_else(|| panic!("{}: an error status is an error", record["id"]));
        let expected = record["expected"]["error"]["code"].as_str();
        println!("{}: {expected:?} -> {:?} {:?} {}", record["id"], fault.kind, fault.code, fault.message);
        assert_eq!((fault.status, fault.code.as_deref()), (Some(status), expected), "{}", record["id"]);
        ran += 1;
        of_converse += usize::from(operation.starts_with("converse"));
    }
    print_count("bedrock.jsonl (errors of converse and invoke)", ran, all.len());
    let least = at_least("bedrock.jsonl", 10, 2);
    assert!(of_converse >= least / 2 && ran >= least, "{of_converse} of {ran}");
}
