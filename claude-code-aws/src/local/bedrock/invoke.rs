//! InvokeModel and InvokeModelWithResponseStream in Anthropic's format, and CountTokens.

use aws_smithy_types::base64;
use http::Response;
use serde_json::{Value, json};

use super::anthropic::{self, Events};
use super::converse::{self, LATENCY_MS};
use super::{Bedrock, Call, Outcome, frames, rules, style, target, wire};
use crate::local::responder::fault::Fault;
use crate::local::responder::{Question, Reply, Usage};
use crate::local::server::body::Body;

/// Answers InvokeModel and InvokeModelWithResponseStream.
pub(super) async fn respond(
    bedrock: &Bedrock,
    model: String,
    streaming: bool,
    call: &Call<'_>,
) -> Response<Body> {
    let question = match question(model.clone(), streaming, call.body) {
        Ok(question) => question,
        Err(message) => return wire::exception("ValidationException", 400, &message),
    };
    let input_tokens = question.input_tokens();
    let (outcome, faults) = bedrock.ask(question, call).await;
    match outcome {
        Outcome::Error(refused) => wire::refused(&refused, &faults),
        Outcome::Answer(told) if streaming => {
            let style = frames::Chunks::new(Events::new(model, told.begun(input_tokens)));
            let mut response = wire::event_stream(style::body(style, told, &faults), &faults);
            wire::insert(&mut response, "x-amzn-bedrock-content-type", "application/json");
            response
        }
        Outcome::Answer(told) => match told.whole().await {
            Ok((text, end)) => whole(&anthropic::message(&model, &text, &end), end.usage, &faults),
            Err(refused) => wire::refused(&refused, &faults),
        },
    }
}

fn whole(message: &Value, usage: Usage, faults: &[Fault]) -> Response<Body> {
    let mut response = wire::json_with(message, faults);
    let Usage { input_tokens, output_tokens, .. } = usage;
    wire::insert(&mut response, "x-amzn-bedrock-input-token-count", &input_tokens.to_string());
    wire::insert(&mut response, "x-amzn-bedrock-output-token-count", &output_tokens.to_string());
    wire::insert(&mut response, "x-amzn-bedrock-invocation-latency", &LATENCY_MS.to_string());
    response
}

pub(super) fn question(model: String, streaming: bool, body: &[u8]) -> Result<Question, String> {
    let request = anthropic::read(body)?;
    if request.anthropic_version.is_none() {
        return Err("anthropic_version: Field required".to_owned());
    }
    if request.max_tokens.is_none() {
        return Err("max_tokens: Field required".to_owned());
    }
    // Both belong to the Messages API; here the path says them.
    let misplaced = [("model", request.model.is_some()), ("stream", request.stream.is_some())];
    if let Some((name, _)) = misplaced.iter().find(|(_, there)| *there) {
        return Err(format!("{name}: Extra inputs are not permitted"));
    }
    request.into_question(model, streaming)
}

/// Answers CountTokens with an estimate, for the models that have it.
pub(super) fn count(bedrock: &Bedrock, model: String, call: &Call<'_>) -> Response<Body> {
    let refused = match target::resolve(&model, call, &bedrock.control) {
        Ok(target) => rules::check_count(target),
        Err(refusal) => Some(refusal),
    };
    if let Some(Reply::Error { code, status, message }) = refused {
        return wire::exception(&code, status, &message);
    }
    match counted(model, call.body) {
        Ok(question) => wire::json(&json!({ "inputTokens": question.input_tokens() })),
        Err(message) => wire::exception("ValidationException", 400, &message),
    }
}

/// The question inside a CountTokens request, in either of its two forms.
fn counted(model: String, body: &[u8]) -> Result<Question, String> {
    let request: Value =
        serde_json::from_slice(body).map_err(|error| format!("the request is not JSON: {error}"))?;
    if let Some(inner) = request.pointer("/input/converse") {
        return converse::question(model, false, inner.to_string().as_bytes());
    }
    let inner = request.pointer("/input/invokeModel/body").and_then(Value::as_str);
    let inner = inner.ok_or("input has one member, converse or invokeModel")?;
    let inner =
        base64::decode(inner).map_err(|error| format!("input.invokeModel.body is not base64: {error}"))?;
    anthropic::read(&inner)?.into_question(model, false)
}
