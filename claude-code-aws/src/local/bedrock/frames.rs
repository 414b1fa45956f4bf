//! The frames of an event stream, byte for byte as the service sends them, one `Bytes` each, so that whoever
//! plays them can delay, cut or damage any one of them.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::base64;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use serde_json::{Value, json};

use super::converse::{LATENCY_MS, usage};
use crate::local::brain::{StopReason, Usage};

/// Characters of text in one delta: about five tokens, as the service groups them.
const DELTA_CHARS: usize = 20;

/// What the service pads with, so that the length of a frame tells nothing about its text.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The frames of ConverseStream for a text. There is no contentBlockStart: the service sends one for tools
/// only. Usage comes last, after messageStop.
pub(super) fn converse(text: &str, stop: StopReason, spent: Usage) -> Vec<Bytes> {
    let mut events = vec![("messageStart", json!({ "role": "assistant" }))];
    let deltas = deltas(text);
    let any = !deltas.is_empty();
    events.extend(
        deltas.into_iter().map(|delta| {
            ("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": delta } }))
        }),
    );
    if any {
        events.push(("contentBlockStop", json!({ "contentBlockIndex": 0 })));
    }
    events.push(("messageStop", json!({ "stopReason": stop.as_str() })));
    events.push(("metadata", json!({ "metrics": { "latencyMs": LATENCY_MS }, "usage": usage(spent) })));
    let frames = events.into_iter().enumerate();
    frames.map(|(at, (kind, payload))| event(kind, padded(payload, at))).collect()
}

/// A text in pieces of [`DELTA_CHARS`] characters; none for an empty one.
pub(super) fn deltas(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(DELTA_CHARS).map(|piece| piece.iter().collect()).collect()
}

/// The payload with its padding, whose length differs from frame to frame but not from run to run.
fn padded(mut payload: Value, at: usize) -> Value {
    let length = 1 + at * 23 % PADDING.len();
    if let Some(members) = payload.as_object_mut() {
        members.insert("p".to_owned(), Value::from(&PADDING[..length]));
    }
    payload
}

/// The frames of InvokeModelWithResponseStream: each event of the Messages API in base64, in a frame of its own.
pub(super) fn chunks(events: &[(&'static str, Value)]) -> Vec<Bytes> {
    let chunk = |(at, (_, event)): (usize, &(&'static str, Value))| {
        let payload = json!({ "bytes": base64::encode(event.to_string()) });
        self::event("chunk", padded(payload, at))
    };
    events.iter().enumerate().map(chunk).collect()
}

/// One event frame.
fn event(kind: &str, payload: Value) -> Bytes {
    frame(":event-type", kind, "event", payload)
}

/// The frame of an exception within a stream, named in lower camel case as in `throttlingException`.
pub(super) fn exception(code: &str, message: &str) -> Bytes {
    frame(":exception-type", code, "exception", json!({ "message": message }))
}

fn frame(name: &'static str, kind: &str, message_type: &'static str, payload: Value) -> Bytes {
    let text = |text: &str| HeaderValue::String(text.to_owned().into());
    let message = Message::new(payload.to_string())
        .add_header(Header::new(name, text(kind)))
        .add_header(Header::new(":content-type", text("application/json")))
        .add_header(Header::new(":message-type", text(message_type)));
    let mut bytes = Vec::new();
    // Fails only for headers longer than any here.
    if let Err(error) = write_message_to(&message, &mut bytes) {
        tracing::error!("cannot write a frame: {error}");
    }
    bytes.into()
}
