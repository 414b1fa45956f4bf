//! Bedrock and the Messages API keep the one contract of providers, each from bytes of its own wire.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::provider::ModelProvider;
use claude_code_core::testing::provider_contract::{Case, TEXT, holds};
use serde_json::json;

use super::bytes::{converse, exception, frame, sse};
use super::in_process::{Piece, Replies, Reply};
use super::replayed;

fn of_bedrock(case: Case) -> Reply {
    let usage = json!({ "inputTokens": 100, "outputTokens": 40, "totalTokens": 140, "cacheReadInputTokens": 7,
        "cacheWriteInputTokens": 8, "cacheDetails": [{ "ttl": "5m", "inputTokens": 5 }, { "ttl": "1h", "inputTokens": 3 }] });
    let mut frames = converse(TEXT, if let Case::Stopped(reason) = case { reason } else { "end_turn" });
    frames.pop();
    frames.push(frame("metadata", json!({ "usage": usage, "metrics": { "latencyMs": 10 } })));
    let last = frames.len() - 1;
    match case {
        Case::Whole | Case::Stopped(_) => {}
        Case::WithoutUsage => frames.truncate(last),
        Case::Cut => frames.truncate(3),
        Case::Broken => return Reply::stream(frames[..3].to_vec()).then(Piece::Break),
        Case::Disordered => drop(frames.remove(last - 2)),
        Case::UnknownEvent => frames.insert(2, frame("somethingNew", json!({ "a": 1 }))),
        Case::Throttled => {
            return Reply::refusal(429, "ThrottlingException", "slow").header("retry-after", "7");
        }
        Case::Unauthorised => return Reply::refusal(403, "InvalidSignatureException", "no"),
        Case::FailedMidway => {
            frames.truncate(3);
            frames.push(exception("internalServerException", "midway"));
        }
        Case::Unavailable => return Reply::refusal(503, "ServiceUnavailableException", "later"),
        Case::SamplingRefused => {
            return Reply::refusal(400, "ValidationException", "`temperature` is deprecated for this model.");
        }
        other => panic!("no bytes for {other:?}"),
    }
    Reply::stream(frames)
}

fn error_of(status: u16, code: &str, text: &str) -> Reply {
    let body = json!({ "type": "error", "error": { "type": code, "message": text }, "request_id": "req_1" });
    Reply { status, ..Reply::stream([body.to_string().into_bytes()]) }.with_type("application/json")
}

fn of_messages(case: Case) -> Reply {
    let reason = if let Case::Stopped(reason) = case { reason } else { "end_turn" };
    let mut events = sse(TEXT, reason);
    let last = events.len() - 1;
    let usage = json!({ "output_tokens": 40, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 8,
        "cache_creation": { "ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 3 } });
    let delta = json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": usage });
    events[last - 1] = format!("event: message_delta\ndata: {delta}\n\n");
    match case {
        Case::Whole | Case::Stopped(_) => {}
        Case::WithoutUsage => {
            let delta = json!({ "type": "message_delta", "delta": { "stop_reason": reason } });
            events[last - 1] = format!("data: {delta}\n\n");
            events[0] = "data: {\"type\":\"message_start\",\"message\":{}}\n\n".into();
        }
        Case::Cut => events.truncate(5),
        Case::Broken => {
            let bytes = events[..5].concat().into_bytes();
            return Reply::stream([bytes]).with_type("text/event-stream").then(Piece::Break);
        }
        Case::Disordered => drop(events.remove(last - 2)),
        Case::UnknownEvent => events.insert(4, "event: new\ndata: {\"type\":\"something_new\"}\n\n".into()),
        Case::Throttled => return error_of(429, "rate_limit_error", "slow").header("retry-after", "7"),
        Case::Unauthorised => return error_of(401, "authentication_error", "invalid x-api-key"),
        Case::FailedMidway => {
            events.truncate(5);
            let error =
                json!({ "type": "error", "error": { "type": "overloaded_error", "message": "midway" } });
            events.push(format!("event: error\ndata: {error}\n\n"));
        }
        Case::Unavailable => return error_of(529, "overloaded_error", "Overloaded"),
        Case::SamplingRefused => return error_of(400, "invalid_request_error", "temperature: not supported"),
        other => panic!("no bytes for {other:?}"),
    }
    // Pieces of eleven bytes cut events, lines and characters alike.
    let bytes = events.concat().into_bytes();
    Reply::stream(bytes.chunks(11).map(<[u8]>::to_vec)).with_type("text/event-stream; charset=utf-8")
}

/// The Messages API as these replies play it.
pub fn messages(replies: &Replies) -> Anthropic {
    let settings =
        Settings { api_key: Some(claude_code_aws::Secret::new("sk-ant-key")), ..Settings::default() };
    Anthropic::new(&settings, SharedHttpConnector::new(replies.clone()), true).unwrap()
}

#[tokio::test]
async fn bedrock_keeps_the_contract() {
    holds(&|case| {
        let replies = Replies::new([of_bedrock(case)]);
        let counted = replies.clone();
        (Arc::new(replayed(&replies)) as Arc<dyn ModelProvider>, Arc::new(move || counted.sends()))
    })
    .await;
}

#[tokio::test]
async fn the_messages_api_keeps_the_contract() {
    holds(&|case| {
        let replies = Replies::new([of_messages(case)]);
        let counted = replies.clone();
        (Arc::new(messages(&replies)) as Arc<dyn ModelProvider>, Arc::new(move || counted.sends()))
    })
    .await;
}
