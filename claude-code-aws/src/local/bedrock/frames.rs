//! The frames of an event stream, byte for byte as the service sends them, one `Bytes` each, so that whoever
//! plays them can delay, cut or damage any one of them.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::base64;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use serde_json::{Value, json};

use super::anthropic::Events;
use super::converse::{LATENCY_MS, metadata, tool_id};
use super::style::Style;
use crate::local::responder::End;

/// What the service pads with, so that the length of a frame tells nothing about its text.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// ConverseStream. There is no contentBlockStart: the service sends one for tools only. Usage comes last, after
/// messageStop.
#[derive(Default)]
pub(super) struct Converse {
    /// Frames so far.
    at: usize,
    has_text: bool,
}

impl Converse {
    fn event(&mut self, kind: &str, payload: Value) -> Bytes {
        self.at += 1;
        event(kind, padded(payload, self.at - 1))
    }
}

impl Style for Converse {
    fn begin(&mut self) -> Vec<Bytes> {
        vec![self.event("messageStart", json!({ "role": "assistant" }))]
    }

    fn text(&mut self, text: &str) -> Vec<Bytes> {
        self.has_text = true;
        vec![self.event("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": text } }))]
    }

    fn end(&mut self, end: &End) -> Vec<Bytes> {
        let mut frames = Vec::with_capacity(3);
        if self.has_text {
            frames.push(self.event("contentBlockStop", json!({ "contentBlockIndex": 0 })));
        }
        if let Some(tool) = &end.tool_use {
            let index = usize::from(self.has_text);
            let start = json!({ "toolUse": { "toolUseId": tool_id(), "name": tool.name } });
            let delta = json!({ "toolUse": { "input": tool.input.to_string() } });
            frames
                .push(self.event("contentBlockStart", json!({ "contentBlockIndex": index, "start": start })));
            frames
                .push(self.event("contentBlockDelta", json!({ "contentBlockIndex": index, "delta": delta })));
            frames.push(self.event("contentBlockStop", json!({ "contentBlockIndex": index })));
        }
        frames.push(self.event("messageStop", json!({ "stopReason": end.stop_reason.as_str() })));
        frames.push(self.event("metadata", metadata(end)));
        frames
    }

    fn exception(&self, code: &str, message: &str) -> Bytes {
        exception(code, message)
    }
}

/// InvokeModelWithResponseStream: each event of the Messages API in base64, in a frame of its own.
pub(super) struct Chunks {
    events: Events,
    /// Frames so far.
    at: usize,
}

impl Chunks {
    pub(super) fn new(events: Events) -> Self {
        Chunks { events, at: 0 }
    }

    fn frames(&mut self, events: Vec<(&'static str, Value)>) -> Vec<Bytes> {
        let mut frames = Vec::with_capacity(events.len());
        for (_, event) in events {
            let payload = json!({ "bytes": base64::encode(event.to_string()) });
            frames.push(self::event("chunk", padded(payload, self.at)));
            self.at += 1;
        }
        frames
    }
}

impl Style for Chunks {
    fn begin(&mut self) -> Vec<Bytes> {
        let events = self.events.begin();
        self.frames(events)
    }

    fn text(&mut self, text: &str) -> Vec<Bytes> {
        let events = self.events.text(text);
        self.frames(events)
    }

    fn end(&mut self, end: &End) -> Vec<Bytes> {
        let mut events = self.events.end(end);
        // The service puts its own count into the last event, beside what the model sent.
        if let Some((_, last)) = events.last_mut() {
            last["amazon-bedrock-invocationMetrics"] = json!({
                "inputTokenCount": end.usage.input_tokens,
                "outputTokenCount": end.usage.output_tokens,
                "invocationLatency": LATENCY_MS,
                "firstByteLatency": LATENCY_MS,
            });
        }
        self.frames(events)
    }

    fn exception(&self, code: &str, message: &str) -> Bytes {
        exception(code, message)
    }
}

/// The payload with its padding, whose length differs from frame to frame but not from run to run.
fn padded(mut payload: Value, at: usize) -> Value {
    let length = 1 + at * 23 % PADDING.len();
    if let Some(members) = payload.as_object_mut() {
        members.insert("p".to_owned(), Value::from(&PADDING[..length]));
    }
    payload
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
