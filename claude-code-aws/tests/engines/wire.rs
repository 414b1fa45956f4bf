//! The Bedrock endpoint byte for byte, without an SDK between.

use std::time::Duration;

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::base64;
use bytes::{Buf, Bytes};
use claude_code_aws::local::{Piece, Pieces, Twin};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::bedrock::REVERSE;
use crate::support::{send, twin, value};

const SONNET: &str = "global.anthropic.claude-sonnet-5-5";

async fn post(twin: &Twin, path: &str, body: &Value) -> http::Response<Bytes> {
    send(twin, "POST", path, body).await
}

fn header<'a>(response: &'a http::Response<Bytes>, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

/// Kind and payload of every frame. Both checksums of each are verified by the reader.
fn frames(mut bytes: Bytes) -> Vec<(String, Value)> {
    let mut frames = Vec::new();
    while bytes.has_remaining() {
        let message = read_message_from(&mut bytes).unwrap();
        let header = |name: &str| {
            let found = message.headers().iter().find(|header| header.name().as_str() == name).unwrap();
            found.value().as_string().unwrap().as_str().to_owned()
        };
        assert_eq!(header(":message-type"), "event");
        assert_eq!(header(":content-type"), "application/json");
        frames.push((header(":event-type"), serde_json::from_slice(message.payload()).unwrap()));
    }
    frames
}

fn converse() -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": REVERSE }] }] })
}

fn anthropic(more: Value) -> Value {
    let mut body = json!({ "max_tokens": 1000, "messages": [{ "role": "user", "content": REVERSE }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_stream_is_framed_as_the_service_frames_it() {
    let twin = twin();
    let response = post(&twin.twin, &format!("/model/{SONNET}/converse-stream"), &converse()).await;
    assert_eq!(header(&response, "content-type"), "application/vnd.amazon.eventstream");
    assert!(!header(&response, "x-amzn-requestid").is_empty());
    let frames = frames(response.into_body());
    let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let padding: Vec<_> = frames.iter().map(|(_, payload)| payload["p"].as_str().unwrap()).collect();
    assert!(padding.iter().all(|padding| alphabet.starts_with(padding)));
    assert!(padding.windows(2).any(|pair| pair[0].len() != pair[1].len()));
    let kinds: Vec<_> = frames.iter().map(|(kind, _)| kind.as_str()).collect();
    assert!(!kinds.contains(&"contentBlockStart"), "a text block has none");
    assert_eq!(kinds[0], "messageStart");
    assert_eq!(kinds[kinds.len() - 3..], ["contentBlockStop", "messageStop", "metadata"]);
    let metadata = &frames.last().unwrap().1;
    assert!(metadata["metrics"]["latencyMs"].is_u64());
    assert_eq!(metadata["usage"]["cacheReadInputTokens"], 0);
    assert_eq!(metadata["usage"]["cacheReadInputTokenCount"], 0);
}

#[tokio::test]
async fn an_arn_is_found_in_the_path_escaped_or_not() {
    let twin = twin();
    let arn = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-5-5";
    for id in [arn.to_owned(), arn.replace(':', "%3A").replace('/', "%2F")] {
        let response = post(&twin.twin, &format!("/model/{id}/converse"), &converse()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(twin.twin.sent().last().unwrap().model, arn);
    }
}

#[tokio::test]
async fn an_error_is_named_in_its_header_and_explained_in_its_body() {
    let twin = twin();
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "nothing we know" }] }] });
    let response = post(&twin.twin, &format!("/model/{SONNET}/converse-stream"), &body).await;
    assert_eq!(response.status(), 400);
    let kind = header(&response, "x-amzn-errortype");
    assert_eq!(kind, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/");
    assert!(value(&response)["message"].as_str().unwrap().contains(REVERSE));
    assert_eq!(post(&twin.twin, "/model/x/unknown", &body).await.status(), 404);
    let broken = post(&twin.twin, &format!("/model/{SONNET}/converse"), &json!([])).await;
    assert_eq!(broken.status(), 400);
}

#[tokio::test]
async fn requests_that_the_service_refuses_are_refused() {
    let twin = twin();
    let message = |role: &str, text: &str| json!({ "role": role, "content": [{ "text": text }] });
    let cases = [
        json!({ "messages": [] }),
        json!({ "messages": [message("assistant", "hello")] }),
        json!({ "messages": [message("user", " ")] }),
        json!({ "messages": [message("robot", REVERSE)] }),
        json!({ "messages": [{ "role": "user", "content": [] }] }),
        json!({ "messages": [message("user", REVERSE)], "inferenceConfig": { "maxTokens": 0 } }),
        json!({ "messages": [message("user", REVERSE)], "inferenceConfig": { "topP": 0.5 } }),
        json!({ "messages": [message("user", REVERSE)], "additionalModelRequestFields": { "top_k": 5 } }),
        json!({
            "messages": [message("user", REVERSE)],
            "additionalModelRequestFields": { "thinking": { "type": "enabled", "budget_tokens": 2000 } },
        }),
    ];
    for body in cases {
        let response = post(&twin.twin, &format!("/model/{SONNET}/converse"), &body).await;
        assert_eq!(response.status(), 400, "{body}");
        assert!(header(&response, "x-amzn-errortype").starts_with("ValidationException:"));
    }
    for defaults in [json!({ "temperature": 1.0 }), json!({ "topP": 0.99, "maxTokens": 1000 })] {
        let body = json!({ "messages": [message("user", REVERSE)], "inferenceConfig": defaults });
        assert_eq!(post(&twin.twin, &format!("/model/{SONNET}/converse"), &body).await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefix_up_to_a_cache_point_is_written_once_and_read_as_long_as_it_lives() {
    let twin = twin();
    let long = "context ".repeat(1_000);
    let converse = |ttl: &str, system: &str| {
        json!({
            "system": [{ "text": system }, { "cachePoint": { "type": "default", "ttl": ttl } }],
            "messages": [{ "role": "user", "content": [{ "text": REVERSE }] }],
        })
    };
    let figures = async |path: &str, body: Value| {
        let usage = value(&post(&twin.twin, path, &body).await)["usage"].clone();
        ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"]
            .map(|name| usage[name].as_u64().unwrap())
    };
    let (whole, minute) = (format!("/model/{SONNET}/converse"), Duration::from_secs(60));
    assert_eq!(figures(&whole, converse("5m", &long)).await, [12, 0, 2_000]);
    assert_eq!(figures(&whole, converse("5m", &long)).await, [12, 2_000, 0]);
    assert_eq!(
        figures(&whole, converse("5m", &long.replacen("context", "Context", 1))).await,
        [12, 0, 2_000]
    );
    assert_eq!(figures(&whole, converse("5m", "short")).await, [14, 0, 0], "below the model's least");
    let other = "/model/global.anthropic.claude-haiku-5-5/converse";
    assert_eq!(figures(other, converse("1h", &long)).await, [12, 0, 2_000], "each model has its own");
    tokio::time::advance(6 * minute).await;
    assert_eq!(figures(&whole, converse("5m", &long)).await, [12, 0, 2_000]);
    assert_eq!(figures(other, converse("1h", &long)).await, [12, 2_000, 0]);

    let block = json!({ "type": "text", "text": long, "cache_control": { "type": "ephemeral" } });
    let mut body = anthropic(json!({ "model": "claude-opus-5-5", "system": [block] }));
    body["stream"] = json!(true);
    for expected in ["\"cache_creation_input_tokens\":2000", "\"cache_read_input_tokens\":2000"] {
        let events = post(&twin.twin, "/v1/messages", &body).await;
        let events = String::from_utf8(events.body().to_vec()).unwrap();
        assert_eq!(events.matches(expected).count(), 2, "at its start and at its end: {events}");
    }
}

#[tokio::test]
async fn a_stop_sequence_ends_the_answer_before_itself() {
    let twin = twin();
    let mut body = converse();
    body["inferenceConfig"] = json!({ "stopSequences": ["def "] });
    let answer = value(&post(&twin.twin, &format!("/model/{SONNET}/converse"), &body).await);
    assert_eq!(answer["stopReason"], "stop_sequence");
    let text = answer["output"]["message"]["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("\"\"\"Reversing strings.\"\"\"\n\n\n"), "{text}");
}

#[tokio::test]
async fn the_stop_sequence_that_was_met_is_named_in_every_style_of_anthropics_format() {
    let twin = twin();
    let stops = json!({ "model": "claude-sonnet-5-5", "stop_sequences": ["nowhere", "def "] });
    let message = value(&post(&twin.twin, "/v1/messages", &anthropic(stops.clone())).await);
    assert_eq!(
        (&message["stop_reason"], &message["stop_sequence"]),
        (&json!("stop_sequence"), &json!("def "))
    );
    let mut streamed = anthropic(stops);
    streamed["stream"] = json!(true);
    let events = post(&twin.twin, "/v1/messages", &streamed).await;
    let events = String::from_utf8(events.body().to_vec()).unwrap();
    assert!(events.contains(r#""stop_sequence":"def ""#), "{events}");
    let none =
        value(&post(&twin.twin, "/v1/messages", &anthropic(json!({ "model": "claude-sonnet-5-5" }))).await);
    assert_eq!(none["stop_sequence"], Value::Null);
}

#[tokio::test]
async fn the_messages_api_answers_in_json() {
    let twin = twin();
    let body = anthropic(json!({ "model": "claude-sonnet-5-5" }));
    let response = post(&twin.twin, "/v1/messages", &body).await;
    assert!(header(&response, "request-id").starts_with("req_"));
    let message = value(&response);
    assert_eq!((&message["type"], &message["stop_reason"]), (&json!("message"), &json!("end_turn")));
    assert_eq!(message["usage"]["input_tokens"], 12);
    assert!(message["content"][0]["text"].as_str().unwrap().contains("def reverse_string("));
}

#[tokio::test]
async fn the_messages_api_streams_the_same_text_as_events() {
    let twin = twin();
    let plain =
        value(&post(&twin.twin, "/v1/messages", &anthropic(json!({ "model": "claude-opus-5-5" }))).await);
    let body = anthropic(json!({ "model": "claude-opus-5-5", "stream": true }));
    let response = post(&twin.twin, "/v1/messages", &body).await;
    assert!(header(&response, "content-type").starts_with("text/event-stream"));
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    let (mut streamed, mut kinds) = (String::new(), Vec::new());
    for event in text.split_terminator("\n\n") {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap()));
        streamed.push_str(data["delta"]["text"].as_str().unwrap_or_default());
        kinds.push(data["type"].as_str().unwrap().to_owned());
    }
    kinds.dedup();
    let expected = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(json!(streamed), plain["content"][0]["text"]);
}

#[tokio::test]
async fn the_messages_api_has_its_own_errors() {
    let twin = twin();
    let cases = [
        (json!({}), 400, "invalid_request_error"),
        (json!({ "model": "gpt-x" }), 404, "not_found_error"),
        (json!({ "model": "claude-3-5-sonnet-20241022" }), 404, "not_found_error"),
        (json!({ "model": "claude-sonnet-5-5", "temperature": 0.5 }), 400, "invalid_request_error"),
        (json!({ "model": "claude-sonnet-5-5", "max_tokens": null }), 400, "invalid_request_error"),
    ];
    for (more, status, kind) in cases {
        let response = post(&twin.twin, "/v1/messages", &anthropic(more)).await;
        let body = value(&response);
        assert_eq!((response.status().as_u16(), &body["error"]["type"]), (status, &json!(kind)), "{body}");
        assert_eq!(body["type"], "error");
    }
    for (model, status) in [("gpt-x", 404), ("claude-3-5-sonnet-20241022", 404), ("claude-sonnet-5-5", 200)] {
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": REVERSE }] });
        let counted = post(&twin.twin, "/v1/messages/count_tokens", &body).await;
        assert_eq!(counted.status(), status, "counting for {model}");
    }
}

#[tokio::test]
async fn tokens_are_counted_alike_in_every_style() {
    let twin = twin();
    let inner = base64::encode(anthropic(json!({ "anthropic_version": "bedrock-2023-05-31" })).to_string());
    for input in [json!({ "converse": converse() }), json!({ "invokeModel": { "body": inner } })] {
        let response = post(
            &twin.twin,
            "/model/anthropic.claude-haiku-4-5-20251001-v1:0/count-tokens",
            &json!({ "input": input }),
        )
        .await;
        assert_eq!(value(&response), json!({ "inputTokens": 12 }));
    }
    let body = json!({ "model": "claude-sonnet-5-5", "messages": [{ "role": "user", "content": REVERSE }] });
    let response = post(&twin.twin, "/v1/messages/count_tokens", &body).await;
    assert_eq!(value(&response), json!({ "input_tokens": 12 }));
}

#[tokio::test]
async fn invoke_model_speaks_anthropics_format_whole_and_in_chunks() {
    let twin = twin();
    let client = twin.twin.bedrock_client();
    let body = anthropic(json!({ "anthropic_version": "bedrock-2023-05-31" })).to_string();
    let blob = || aws_sdk_bedrockruntime::primitives::Blob::new(body.clone());
    let whole = client.invoke_model().model_id(SONNET).body(blob()).send().await.unwrap();
    let whole: Value = serde_json::from_slice(whole.body().as_ref()).unwrap();
    let request = client.invoke_model_with_response_stream().model_id(SONNET).body(blob());
    let mut stream = request.send().await.unwrap();
    let (mut text, mut last) = (String::new(), Value::Null);
    while let Some(event) = stream.body.recv().await.unwrap() {
        last = serde_json::from_slice(event.as_chunk().unwrap().bytes().unwrap().as_ref()).unwrap();
        text.push_str(last["delta"]["text"].as_str().unwrap_or_default());
    }
    assert_eq!(json!(text), whole["content"][0]["text"]);
    assert_eq!(last["type"], "message_stop");
    assert_eq!(last["amazon-bedrock-invocationMetrics"]["inputTokenCount"], 12);
}

#[tokio::test]
async fn invoke_model_refuses_what_belongs_to_the_other_api() {
    let twin = twin();
    let version = json!("bedrock-2023-05-31");
    let cases = [
        json!({}),
        json!({ "anthropic_version": version, "model": SONNET }),
        json!({ "anthropic_version": version, "stream": true }),
        json!({ "anthropic_version": version, "max_tokens": null }),
        json!({ "anthropic_version": version, "max_token": 5 }),
    ];
    for more in cases {
        let response = post(&twin.twin, &format!("/model/{SONNET}/invoke"), &anthropic(more.clone())).await;
        assert_eq!(response.status(), 400, "{more}");
    }
    let unknown = anthropic(json!({ "model": "claude-sonnet-5-5", "response_format": {} }));
    let said = value(&post(&twin.twin, "/v1/messages", &unknown).await);
    assert_eq!(said["error"]["message"], "response_format: Extra inputs are not permitted");
}

#[tokio::test]
async fn the_newest_version_of_anthropics_api_takes_no_sampling_parameters() {
    let twin = twin();
    for (version, status) in [("bedrock-2023-05-31", 200), ("2026-10-21", 400)] {
        let body = anthropic(json!({ "anthropic_version": version, "temperature": 0.2 }));
        let answer = post(&twin.twin, "/model/us.anthropic.claude-sonnet-4-6/invoke", &body).await;
        assert_eq!(answer.status(), status, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn pieces_wait_break_and_stall_as_written() {
    let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
    let started = tokio::time::Instant::now();
    let slow = Pieces::new([bytes("a"), Piece::Wait(Duration::from_secs(30)), bytes("b")]);
    assert_eq!(slow.collect().await.unwrap().to_bytes(), "ab");
    assert_eq!(started.elapsed(), Duration::from_secs(30));
    let mut broken = Pieces::new([bytes("a"), Piece::Break("reset".to_owned()), bytes("b")]);
    assert!(broken.frame().await.unwrap().is_ok());
    assert_eq!(broken.frame().await.unwrap().unwrap_err().to_string(), "reset");
    assert!(broken.frame().await.is_none());
    let stalled = Pieces::new([bytes("a"), Piece::Stall]);
    let waited = tokio::time::timeout(Duration::from_secs(3600), stalled.collect()).await;
    assert!(waited.is_err());
}
