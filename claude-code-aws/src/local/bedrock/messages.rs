//! The Messages API: `/v1/messages` in JSON and as server-sent events, and its token count.

use http::Response;
use serde_json::json;

use super::anthropic::{self, Answer};
use super::target::Door;
use super::{Bedrock, Outcome, wire};
use crate::local::body::Body;
use crate::local::brain::Question;

/// Answers `/v1/messages`.
pub(super) async fn respond(bedrock: &Bedrock, body: &[u8]) -> Response<Body> {
    let question = match question(body, true) {
        Ok(question) => question,
        Err(message) => return wire::message_error("ValidationException", 400, &message),
    };
    let (model, streaming) = (question.model.clone(), question.streaming);
    let (reply, faults) = bedrock.ask(question, Door::Messages).await;
    match reply {
        Outcome::Error { code, status, message } => wire::message_error(&code, status, &message),
        Outcome::Answer { text, stop, usage } => {
            let answer = Answer { model, text, stop, usage };
            if streaming {
                wire::server_sent(&answer.events(), &faults)
            } else {
                wire::json_with(&answer.message(), &faults)
            }
        }
    }
}

/// Answers `/v1/messages/count_tokens` with an estimate.
pub(super) fn count(body: &[u8]) -> Response<Body> {
    match question(body, false) {
        Ok(question) => wire::json(&json!({ "input_tokens": question.input_tokens() })),
        Err(message) => wire::message_error("ValidationException", 400, &message),
    }
}

/// Reads a body. `max_tokens` is required for an answer and has no place in a count.
fn question(body: &[u8], needs_limit: bool) -> Result<Question, String> {
    let mut request = anthropic::read(body)?;
    let model = request.model.take().ok_or("model: Field required")?;
    if needs_limit && request.max_tokens.is_none() {
        return Err("max_tokens: Field required".to_owned());
    }
    let streaming = request.stream.unwrap_or(false);
    request.into_question(model, streaming)
}
