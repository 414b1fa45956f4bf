//! The Messages API: `/v1/messages` in JSON and as server-sent events, and its token count.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::anthropic::{self, Events};
use super::style::{self, Style};
use super::{Bedrock, Call, Outcome, target, wire};
use crate::local::responder::{End, Question, Reply};
use crate::local::server::body::Body;

/// Answers `/v1/messages`.
pub(super) async fn respond(bedrock: &Bedrock, call: &Call<'_>) -> Response<Body> {
    let question = match question(call.body, true) {
        Ok(question) => question,
        Err(message) => return wire::message_error("ValidationException", 400, &message),
    };
    let (model, streaming, input_tokens) =
        (question.model.clone(), question.streaming, question.input_tokens());
    let (outcome, faults) = bedrock.ask(question, call).await;
    match outcome {
        Outcome::Error(refused) => wire::message_refused(&refused, &faults),
        Outcome::Answer(told) if streaming => {
            let style = Sse(Events::new(model, told.begun(input_tokens)));
            wire::server_sent(style::body(style, told, &faults), &faults)
        }
        Outcome::Answer(told) => match told.whole().await {
            Ok((text, end)) => wire::json_with(&anthropic::message(&model, &text, &end), &faults),
            Err(refused) => wire::message_refused(&refused, &faults),
        },
    }
}

/// Server-sent events.
struct Sse(Events);

fn sent(events: Vec<(&'static str, Value)>) -> Vec<Bytes> {
    events.iter().map(|(name, data)| Bytes::from(format!("event: {name}\ndata: {data}\n\n"))).collect()
}

impl Style for Sse {
    fn begin(&mut self) -> Vec<Bytes> {
        sent(self.0.begin())
    }

    fn text(&mut self, text: &str) -> Vec<Bytes> {
        sent(self.0.text(text))
    }

    fn end(&mut self, end: &End) -> Vec<Bytes> {
        sent(self.0.end(end))
    }

    fn exception(&self, code: &str, message: &str) -> Bytes {
        let error = wire::error_body(code, 200, message).0;
        Bytes::from(format!("event: error\ndata: {error}\n\n"))
    }
}

/// Answers `/v1/messages/count_tokens` with an estimate, for models that there are.
pub(super) fn count(bedrock: &Bedrock, call: &Call<'_>) -> Response<Body> {
    let question = match question(call.body, false) {
        Ok(question) => question,
        Err(message) => return wire::message_error("ValidationException", 400, &message),
    };
    match target::resolve(&question.model, call, &bedrock.control) {
        Err(Reply::Error { code, status, message }) => wire::message_error(&code, status, &message),
        _ => wire::json(&json!({ "input_tokens": question.input_tokens() })),
    }
}

/// Reads a body. `max_tokens` is required for an answer and has no place in a count.
pub(super) fn question(body: &[u8], needs_limit: bool) -> Result<Question, String> {
    let mut request = anthropic::read(body)?;
    let model = request.model.take().ok_or("model: Field required")?;
    if needs_limit && request.max_tokens.is_none() {
        return Err("max_tokens: Field required".to_owned());
    }
    let streaming = request.stream.unwrap_or(false);
    request.into_question(model, streaming)
}
