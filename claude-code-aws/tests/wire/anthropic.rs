//! The Messages API: what is sent, where it may be, and what its answers mean.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::connect::config::Provider;
use claude_code_aws::model::capability::{CacheTtl, Effort};
use claude_code_aws::select::Reach;
use claude_code_aws::{Client, Config, ErrorKind, GenerateRequest, Policy, Secret, Tier};
use claude_code_core::testing;
use serde_json::Value;

use super::bytes::{ok, sse};
use super::contract::messages;
use super::in_process::{Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{REVERSE, quick};

fn answer() -> Reply {
    Reply::stream(sse(REVERSE, "end_turn").into_iter().map(String::into_bytes)).with_type("text/event-stream")
}

fn client(replies: &Replies) -> Client {
    let policy = Policy { reach: Reach::AnthropicApi, ..Policy::default() };
    testing::builder(Arc::new(messages(replies))).with_policy(policy).build()
}

fn refusal(status: u16, body: &str) -> Reply {
    Reply { status, ..Reply::stream([body.as_bytes().to_vec()]) }.with_type("application/json")
}

#[tokio::test(start_paused = true)]
async fn a_request_has_what_every_server_takes_and_nothing_else() {
    let replies = Replies::new([answer()]);
    let file = "def value():\n    return 1\n\n".repeat(800);
    let asked = GenerateRequest::new("reverse").with_model("sonnet").with_effort(Effort::Low);
    let g = client(&replies)
        .generate(asked.with_file("a.py", file).with_temperature(0.5).with_prompt_cache(CacheTtl::OneHour))
        .await
        .unwrap();
    assert!(g.accepted && g.model == "claude-sonnet-5-5", "{}", g.model);
    let body: Value = serde_json::from_str(&replies.bodies()[0]).unwrap();
    assert_eq!(body["model"], "claude-sonnet-5-5");
    assert!(body["max_tokens"].as_u64().unwrap() > 0 && body["stream"] == true);
    assert_eq!(body["output_config"]["effort"], "low");
    assert_eq!(body["messages"][0]["content"][0]["cache_control"]["ttl"], "1h");
    let mut names: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["max_tokens", "messages", "model", "output_config", "stream", "system"]);
}

#[tokio::test]
async fn over_tcp_with_the_default_connector_it_works_and_sends_its_headers() {
    let body = sse(REVERSE, "end_turn").concat();
    for toxic in [None, Some(Toxic::Slicer(5)), Some(Toxic::Latency(Duration::from_millis(100)))] {
        let server = Server::start([Script { bytes: ok("text/event-stream", body.as_bytes()), toxic }]).await;
        let vars = [
            ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
            ("ANTHROPIC_API_KEY", "sk-ant-secret"),
            ("ANTHROPIC_BASE_URL", server.url.as_str()),
        ];
        let mut config = Config::from_vars(vars.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
        assert_eq!(config.provider, Provider::Anthropic);
        assert!(!format!("{config:?}").contains("sk-ant"));
        config.policy = Policy { reach: config.policy.reach, ..quick() };
        let client = claude_code_aws::connect(config).await.unwrap();
        assert!(client.generate("reverse a string").await.unwrap().accepted);
        let head = server.request(0).to_lowercase();
        assert!(head.starts_with("post /v1/messages http/1.1\r\n"), "{head}");
        for header in
            ["anthropic-version: 2023-06-01", "x-api-key: sk-ant-secret", "content-type: application/json"]
        {
            assert!(head.contains(header), "{header}");
        }
        assert_eq!(server.sends(), 1);
    }
}

#[tokio::test]
async fn a_cut_at_any_byte_is_never_success() {
    let bytes = sse(REVERSE, "end_turn").concat().into_bytes();
    let end = bytes.windows(14).rposition(|w| w == b"\"message_stop\"").unwrap() + 15;
    for at in 0..bytes.len() {
        let replies = Replies::new([Reply::stream([bytes[..at].to_vec()]).with_type("text/event-stream")]);
        let request = GenerateRequest::new("reverse").with_model("sonnet").with_max_sends(1);
        let result = client(&replies).generate(request).await;
        assert_eq!(result.is_ok(), at >= end, "cut at {at} of {}", bytes.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_stream_is_understood() {
    let body = r#"{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"```python a.py\nx = 1\n"},
        {"type":"text","text":"```\n"}],"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":6}}"#;
    let replies = Replies::new([refusal(200, body)]);
    let g = client(&replies).generate(GenerateRequest::new("x").with_model("sonnet")).await.unwrap();
    assert_eq!((g.text.as_str(), g.usage.output_tokens), ("```python a.py\nx = 1\n```\n", 6));
    let empty = r#"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":0}}"#;
    let replies = Replies::new([refusal(200, empty)]);
    assert_eq!(client(&replies).generate("x").await.unwrap_err().kind(), ErrorKind::Empty);
}

#[tokio::test(start_paused = true)]
async fn errors_of_any_shape_have_their_kind() {
    let table = [
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 5 > 4"}}"#,
            ErrorKind::ContextTooLong,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            ErrorKind::Quota,
        ),
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            ErrorKind::Credentials,
        ),
        (
            403,
            r#"{"type":"error","error":{"type":"permission_error","message":"no"}}"#,
            ErrorKind::AccessDenied,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"}}"#,
            ErrorKind::NotFound,
        ),
        (
            413,
            r#"{"type":"error","error":{"type":"request_too_large","message":"no"}}"#,
            ErrorKind::ContextTooLong,
        ),
        (
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}"#,
            ErrorKind::Quota,
        ),
        (500, r#"{"type":"error","error":{"type":"api_error","message":"oops"}}"#, ErrorKind::Unavailable),
        (504, r#"{"type":"error","error":{"type":"timeout_error","message":"slow"}}"#, ErrorKind::Timeout),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ErrorKind::Unavailable,
        ),
        (
            404,
            r#"{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}"#,
            ErrorKind::NotFound,
        ),
        (
            401,
            r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            ErrorKind::Credentials,
        ),
        (
            403,
            r#"{"error":{"message":"Not for you","type":"invalid_request_error","code":null}}"#,
            ErrorKind::AccessDenied,
        ),
        (408, "<html>Request Timeout</html>", ErrorKind::Timeout),
        (503, r#"{"error":{"type":"invalid_request_error","message":"busy"}}"#, ErrorKind::Unavailable),
        (301, "<html>Moved Permanently</html>", ErrorKind::InvalidRequest),
        (308, "", ErrorKind::InvalidRequest),
        (503, r#"{"error":"loading model"}"#, ErrorKind::Unavailable),
        (401, "<html>no</html>", ErrorKind::Credentials),
    ];
    for (status, body, kind) in table {
        let replies = Replies::new([refusal(status, body).header("request-id", "req_7")]);
        let request = GenerateRequest::new("x").with_model("sonnet").with_max_sends(1);
        let error = client(&replies).generate(request).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert_eq!(error.request_id(), Some("req_7"));
    }
}

#[test]
fn a_server_may_stand_on_this_machine_or_behind_https_and_nowhere_else() {
    let connector = || SharedHttpConnector::new(Replies::new([answer()]));
    let at = |url: &str, strict: bool| {
        let settings = Settings {
            api_key: Some(Secret::new("k")),
            base_url: Some(url.to_owned()),
            ..Settings::default()
        };
        Anthropic::new(&settings, connector(), strict).map_err(|error| error.kind())
    };
    for url in
        ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9", "https://example.com/anthropic"]
    {
        assert!(at(url, true).is_ok(), "{url}");
    }
    for url in ["http://10.0.0.7:8080", "http://192.168.1.2", "http://[fd00::1]:80"] {
        assert!(at(url, false).is_ok(), "{url}");
        assert_eq!(at(url, true).unwrap_err(), ErrorKind::InvalidRequest, "{url} inside Lambda");
    }
    for url in [
        "http://example.com",
        "http://169.254.169.254/",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://user:pw@127.0.0.1",
        "nonsense",
        "http://2130706433.example",
    ] {
        assert_eq!(at(url, false).unwrap_err(), ErrorKind::InvalidRequest, "{url}");
    }
}

#[tokio::test]
async fn a_missing_key_is_named_and_a_local_server_needs_none() {
    let vars = [("CLAUDE_CODE_AWS_PROVIDER".to_owned(), "anthropic".to_owned())];
    let error = claude_code_aws::connect(Config::from_vars(vars).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.message().contains("ANTHROPIC_API_KEY"), "{error}");
    let local =
        Settings { api_key: None, base_url: Some("http://127.0.0.1:8080/v1".into()), ..Settings::default() };
    assert!(Anthropic::new(&local, SharedHttpConnector::new(Replies::new([answer()])), true).is_ok());
}

#[tokio::test(start_paused = true)]
async fn bedrocks_own_messages_endpoint_is_asked_for_the_models_ids_without_a_profile() {
    let base = "https://bedrock-mantle.us-east-1.api.aws/anthropic";
    let vars = [("CLAUDE_CODE_AWS_PROVIDER", "anthropic"), ("ANTHROPIC_BASE_URL", base)];
    let config = Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let replies = Replies::new([answer()]);
    let settings = Settings { api_key: Some(Secret::new("a key")), ..config.anthropic.clone() };
    let provider = Anthropic::new(&settings, SharedHttpConnector::new(replies.clone()), true).unwrap();
    let client = testing::builder(Arc::new(provider)).with_policy(config.policy).build();
    for tier in Tier::ALL {
        let g = client.generate(GenerateRequest::new("reverse").with_tier(tier)).await.unwrap();
        assert!(g.model.starts_with("anthropic.claude-") && g.receipt.total().is_priced(), "{}", g.model);
    }
    let body: Value = serde_json::from_str(&replies.bodies()[0]).unwrap();
    assert_eq!(body["model"], "anthropic.claude-haiku-5-5");
    let path = "bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages";
    assert!(replies.targets().iter().all(|target| target == path), "{:?}", replies.targets());
}
