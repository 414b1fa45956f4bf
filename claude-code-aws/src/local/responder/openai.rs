//! Relay to a server with OpenAI's chat completions: llama.cpp, Ollama, vLLM, LM Studio. One attempt per call, over the
//! same HTTP stack as the AWS SDK.

use std::collections::VecDeque;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use claude_code_core::provider::message::Role;
use claude_code_core::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};
use claude_code_core::{Error, ErrorKind, ModelId, Result, Usage};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};

use crate::anthropic::endpoint::Endpoint;
use crate::anthropic::error::Damage;
use crate::anthropic::sse::Events;
use crate::anthropic::{collect, data, first};
use crate::model_service::context_length::{says_too_long, too_long};
use crate::model_service::faults::{self, WORDS, by_status, printable};
use crate::secret::Secret;

/// An error's body beyond this is not read.
const MAX_ERROR: usize = 64 << 10;
/// A whole answer in one JSON is no longer than this.
const MAX_WHOLE: usize = 64 << 20;

/// A server with OpenAI's chat completions.
#[derive(Clone)]
pub(crate) struct OpenAi {
    connector: SharedHttpConnector,
    endpoint: Endpoint,
    key: Option<Secret>,
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAi").field("host", &self.endpoint.host).finish_non_exhaustive()
    }
}

impl OpenAi {
    /// Whether a URL is that of such a server: `…/v1` or `…/chat/completions`. Any other is a Messages API's.
    pub(crate) fn is_url(url: &str) -> bool {
        let url = url.trim_end_matches('/');
        url.ends_with("/v1") || url.ends_with("/chat/completions")
    }

    /// The server at this URL, with the key of OPENAI_API_KEY if there is one. Fails for an address that is not
    /// acceptable, and without a key where the server is not near.
    pub(crate) fn new(url: &str, key: Option<Secret>, connector: SharedHttpConnector) -> Result<Self> {
        let base = url.trim_end_matches('/').trim_end_matches("/chat/completions");
        let endpoint = Endpoint::checked("--answers", &format!("{base}/chat/completions"), false)?;
        if key.is_none() && !endpoint.is_near {
            return Err(Error::new(ErrorKind::Credentials, "no key for this server: set OPENAI_API_KEY"));
        }
        if key.as_ref().is_some_and(|key| bearer(key).is_none()) {
            return Err(Error::new(ErrorKind::Credentials, "OPENAI_API_KEY has characters that no key has"));
        }
        Ok(OpenAi { connector, endpoint, key })
    }

    async fn send(&self, call: &ModelCall) -> Result<Open, ProviderError> {
        let request = self.request(call).map_err(|_| {
            ProviderError::new(ErrorKind::InvalidRequest, Billing::No, "the request could not be built")
        })?;
        call.sent_flag.mark();
        let sent = self.connector.call(request).await;
        let response = sent.map_err(|failed| faults::connection(&failed))?;
        let status = response.status().as_u16();
        if status != 200 {
            let retry_after = faults::retry_after(|name| response.headers().get(name));
            let body = serde_json::from_slice::<Value>(&first(response, MAX_ERROR).await).unwrap_or_default();
            return Err(ProviderError { retry_after, ..refused(&call.model, status, &body["error"]) });
        }
        let kind = response.headers().get("content-type").unwrap_or_default();
        let whole = kind.starts_with("application/json");
        let mut open = Open {
            body: response.into_body(),
            events: Some(Events::default()),
            answer: Answer::new(&call.model),
            ready: VecDeque::new(),
            fault: None,
        };
        if whole {
            // A server that does not stream answers at once, whatever it was asked.
            let body = collect(&mut open.body, MAX_WHOLE).await?;
            let body = serde_json::from_slice::<Value>(&body).map_err(|_| Damage::Json)?;
            open.events = None;
            open.ready = open.answer.read(&body)?.into();
            open.ready.extend(open.answer.finish());
        }
        Ok(open)
    }

    fn request(&self, call: &ModelCall) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = http::Request::post(self.endpoint.messages.clone())
            .header("content-type", "application/json")
            .header("accept", "text/event-stream, application/json");
        if let Some(value) = self.key.as_ref().and_then(bearer) {
            request = request.header("authorization", value);
        }
        let body = serde_json::to_vec(&body(call))?;
        Ok(HttpRequest::try_from(request.body(SdkBody::from(body))?)?)
    }
}

fn bearer(key: &Secret) -> Option<http::HeaderValue> {
    let mut value = http::HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn body(call: &ModelCall) -> Value {
    let text = |blocks: &[claude_code_core::provider::message::TextBlock], between: &str| {
        blocks.iter().map(|block| &*block.text).collect::<Vec<_>>().join(between)
    };
    let mut messages = Vec::with_capacity(call.messages.len() + 1);
    if !call.system.is_empty() {
        messages.push(json!({ "role": "system", "content": text(&call.system, "\n\n") }));
    }
    messages.extend(call.messages.iter().map(|message| {
        let role = if message.role == Role::User { "user" } else { "assistant" };
        json!({ "role": role, "content": text(&message.blocks, "\n") })
    }));
    let mut body = json!({
        "model": call.model.as_str(),
        "messages": messages,
        "max_tokens": call.max_tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if let Some(temperature) = call.temperature {
        body["temperature"] = temperature.into();
    }
    body
}

/// Why a send was refused: by status, and by the words where the prompt does not fit.
fn refused(model: &ModelId, status: u16, error: &Value) -> ProviderError {
    let text = error["message"].as_str().or(error.as_str()).unwrap_or_default();
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default();
    if says_too_long(&text.to_lowercase()) || code == "context_length_exceeded" {
        return too_long(model, text);
    }
    let mut fault = by_status("the server", model, code, status);
    match status {
        401 => fault.message = "the server refused the key: check OPENAI_API_KEY".to_owned(),
        400 | 422 if !text.is_empty() => {
            fault.message = format!("{model} refused the request: {}", printable(text, WORDS));
        }
        _ => {}
    }
    if code == "insufficient_quota" {
        fault.kind = ErrorKind::Quota;
    }
    fault.status = Some(status);
    fault.code = Some(printable(code, 64)).filter(|code| !code.is_empty());
    fault
}

impl ModelProvider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        let provider = self.clone();
        stream::once(async move { provider.send(&call).await })
            .flat_map(|open| match open {
                Ok(open) => opened(open),
                Err(fault) => stream::once(async move { Err(fault) }).boxed(),
            })
            .boxed()
    }
}

fn opened(open: Open) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
    stream::unfold(Some(open), |open| async move {
        let mut open = open?;
        match open.next().await {
            Ok(Some(event)) => Some((Ok(event), Some(open))),
            Ok(None) => None,
            Err(fault) => Some((Err(fault), None)),
        }
    })
    .boxed()
}

/// A call whose answer arrives.
struct Open {
    body: SdkBody,
    /// None once the bytes have ended.
    events: Option<Events>,
    answer: Answer,
    ready: VecDeque<ModelEvent>,
    /// What ends the answer, after all that is ready.
    fault: Option<ProviderError>,
}

impl Open {
    async fn next(&mut self) -> Result<Option<ModelEvent>, ProviderError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            let Some(events) = self.events.as_mut() else { return Ok(None) };
            let found = match data(&mut self.body).await? {
                Some(bytes) => events.feed(&bytes)?,
                None => {
                    let last = self.events.take().map(Events::finish).transpose()?.flatten();
                    last.into_iter().chain([DONE.to_owned()]).collect()
                }
            };
            for event in found {
                if event.trim() == DONE {
                    self.events = None;
                    self.ready.extend(self.answer.finish());
                    break;
                }
                let event = serde_json::from_str(&event).map_err(|_| Damage::Json.into());
                match event.and_then(|event| self.answer.read(&event)) {
                    Ok(events) => self.ready.extend(events),
                    Err(fault) => {
                        // What came before it in the same bytes is told first.
                        self.fault = Some(fault);
                        self.events = None;
                        break;
                    }
                }
            }
        }
    }
}

/// What ends a stream of OpenAI's.
const DONE: &str = "[DONE]";

/// An answer as far as it was read.
struct Answer {
    model: ModelId,
    stop: Option<StopReason>,
    usage: Option<Usage>,
}

impl Answer {
    fn new(model: &ModelId) -> Self {
        Answer { model: model.clone(), stop: None, usage: None }
    }

    /// Reads one event, or a whole answer: its text stands in `message` instead of `delta`.
    fn read(&mut self, event: &Value) -> Result<Vec<ModelEvent>, ProviderError> {
        if !event["error"].is_null() {
            let status = event["error"]["code"].as_u64().and_then(|code| u16::try_from(code).ok());
            let fault = refused(&self.model, status.unwrap_or(500), &event["error"]);
            return Err(ProviderError { paid: Billing::Maybe, ..fault });
        }
        let mut found = Vec::new();
        let choice = &event["choices"][0];
        let part = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        let thought = part["reasoning_content"].as_str().or(part["reasoning"].as_str()).unwrap_or_default();
        if !thought.is_empty() {
            found.push(ModelEvent::Thinking { chars: thought.chars().count() });
        }
        if let Some(text) = part["content"].as_str().filter(|text| !text.is_empty()) {
            found.push(ModelEvent::Text(text.to_owned()));
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.stop = Some(stop(reason));
        }
        let count = |name: &str| event["usage"][name].as_u64();
        if let (Some(input), Some(output)) = (count("prompt_tokens"), count("completion_tokens")) {
            self.usage = Some(usage(input, output, &event["usage"]));
        }
        Ok(found)
    }

    /// The end: nothing where no reason was given, which is a cut.
    fn finish(&mut self) -> Vec<ModelEvent> {
        let stop = self.stop.take().map(|reason| ModelEvent::Stop { reason, detail: None });
        let usage = self.usage.take().filter(|_| stop.is_some()).map(ModelEvent::Usage);
        stop.into_iter().chain(usage).collect()
    }
}

fn usage(input: u64, output: u64, figures: &Value) -> Usage {
    // OpenAI counts what was read from a cache among the prompt's tokens; Bedrock does not.
    let cached = figures["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0).min(input);
    Usage { cache_read_input_tokens: cached, ..Usage::new(input - cached, output) }
}

fn stop(reason: &str) -> StopReason {
    match reason {
        "stop" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        "content_filter" => StopReason::ContentFiltered,
        "tool_calls" | "function_call" => StopReason::from_wire("tool_use"),
        other => StopReason::from_wire(other),
    }
}
