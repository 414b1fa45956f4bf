//! Answers as bytes: Bedrock's event streams and errors, the Messages API's events.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::REVERSE;

pub const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// One event's frame.
pub fn frame(event: &str, payload: Value) -> Vec<u8> {
    message(&[(":message-type", "event"), (":event-type", event)], payload)
}

/// An exception's frame.
pub fn exception(name: &str, text: &str) -> Vec<u8> {
    message(&[(":message-type", "exception"), (":exception-type", name)], json!({ "message": text }))
}

fn message(headers: &[(&str, &str)], payload: Value) -> Vec<u8> {
    let mut message = Message::new(payload.to_string());
    let headers = headers.iter().chain([&(":content-type", "application/json")]);
    for (name, value) in headers {
        message = message
            .add_header(Header::new((*name).to_owned(), HeaderValue::String((*value).to_owned().into())));
    }
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

pub fn delta(index: i32, text: &str) -> Vec<u8> {
    frame(
        "contentBlockDelta",
        json!({ "contentBlockIndex": index, "delta": { "text": text }, "p": "abcdef" }),
    )
}

/// A whole answer, frame by frame, in pieces of 16 characters.
pub fn converse(text: &str, stop: &str) -> Vec<Vec<u8>> {
    let mut frames = vec![frame("messageStart", json!({ "role": "assistant" }))];
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(16) {
        frames.push(delta(0, &piece.iter().collect::<String>()));
    }
    if !text.is_empty() {
        frames.push(frame("contentBlockStop", json!({ "contentBlockIndex": 0 })));
    }
    frames.push(frame("messageStop", json!({ "stopReason": stop })));
    frames.push(metadata());
    frames
}

pub fn metadata() -> Vec<u8> {
    let usage = json!({ "inputTokens": 100, "outputTokens": 40, "totalTokens": 140 });
    frame("metadata", json!({ "usage": usage, "metrics": { "latencyMs": 10 } }))
}

/// An answer in bytes as HTTP has it, its end told by the connection's.
pub fn ok(content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The reversing function as a whole HTTP answer.
pub fn reverse() -> Vec<u8> {
    ok(EVENT_STREAM, &converse(REVERSE, "end_turn").concat())
}

/// An error as Bedrock writes it.
pub fn refusal(status: u16, code: &str, text: &str, headers: &str) -> Vec<u8> {
    let body = json!({ "message": text }).to_string();
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\nx-amzn-errortype: {code}:http://internal/\r\n\
         x-amzn-requestid: 11111111-2222-3333-4444-555555555555\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// An answer in server-sent events.
pub fn sse(text: &str, stop: &str) -> Vec<String> {
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let mut events = vec![
        event(
            json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message", "role": "assistant",
            "content": [], "usage": { "input_tokens": 100, "output_tokens": 1 } } }),
        ),
        event(
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        ),
        event(json!({ "type": "ping" })),
    ];
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(16) {
        let text: String = piece.iter().collect();
        let delta = json!({ "type": "text_delta", "text": text });
        events.push(event(json!({ "type": "content_block_delta", "index": 0, "delta": delta })));
    }
    events.push(event(json!({ "type": "content_block_stop", "index": 0 })));
    events.push(event(json!({ "type": "message_delta", "delta": { "stop_reason": stop },
        "usage": { "output_tokens": 40 } })));
    events.push(event(json!({ "type": "message_stop" })));
    events
}
