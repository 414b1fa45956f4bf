//! From the Messages API's events to the core's, with their order enforced: nothing but the order tells that an event
//! was lost on the way.

use std::collections::BTreeMap;

use claude_code_core::money::usage_figures::UsageFigures;
use claude_code_core::provider::{ModelEvent, ProviderError, StopReason};
use serde_json::Value;

use super::error::{self, Damage};
use crate::model_service::redact::Sent;
use crate::model_service::usage;

/// An answer as far as it was read.
#[derive(Default)]
pub(super) struct Answer {
    started: bool,
    /// Whether each block is still open.
    blocks: BTreeMap<u64, bool>,
    stop: Option<(StopReason, Option<String>)>,
    /// The largest figure of each kind.
    usage: UsageFigures,
    /// The output count of the first event, which is no final one.
    seed: Option<u64>,
    /// Whether the model wrote anything.
    wrote: bool,
    ended: bool,
}

impl Answer {
    /// Reads one event. Gives what it means for the answer; nothing behind its end.
    pub(super) fn read(&mut self, sent: Sent<'_>, data: &str) -> Result<Vec<ModelEvent>, ProviderError> {
        if self.ended || data.trim() == "[DONE]" {
            return Ok(Vec::new());
        }
        let event: Value = serde_json::from_str(data).map_err(|_| Damage::Json)?;
        match event["type"].as_str().unwrap_or_default() {
            "ping" => Ok(vec![ModelEvent::Alive]),
            "message_start" => {
                let first = !std::mem::replace(&mut self.started, true);
                self.require(first)?;
                let mut first = usage::of_messages(&event["message"]["usage"]);
                self.seed = first.output_tokens.take();
                self.usage.merge(&first);
                Ok(vec![ModelEvent::Alive])
            }
            "content_block_start" => self.begin_block(&event),
            "content_block_delta" => self.delta(&event),
            "content_block_stop" => {
                self.in_block(&event)?;
                self.blocks.insert(index(&event), false);
                Ok(vec![ModelEvent::Alive])
            }
            "message_delta" => {
                // A later one may have more counts, but no second reason.
                let again = self.stop.is_some() && event["delta"]["stop_reason"].is_string();
                self.require(self.started && self.is_between_blocks() && !again)?;
                // Where its documentation once had it, some servers still put it: below `delta`.
                for usage in [&event["usage"], &event["delta"]["usage"]] {
                    self.usage.merge(&usage::of_messages(usage));
                }
                self.note_stop(&event["delta"]);
                Ok(vec![ModelEvent::Alive])
            }
            "message_stop" => {
                // Bedrock's InvokeModel reports here; of cache reads and writes, now and then, only here.
                self.usage.merge(&usage::of_messages(&event["usage"]));
                let metrics = &event["amazon-bedrock-invocationMetrics"];
                self.usage.merge(&usage::of_invocation_metrics(metrics));
                self.end()
            }
            "error" => Err(error::in_stream(sent, &event)),
            _ if event["error"].is_object() => Err(error::in_stream(sent, &event)),
            _ => Ok(vec![ModelEvent::Skipped]),
        }
    }

    /// Reads a whole answer in one JSON, as servers send it that do not stream.
    pub(super) fn read_whole(sent: Sent<'_>, body: &[u8]) -> Result<Vec<ModelEvent>, ProviderError> {
        let message: Value = serde_json::from_slice(body).map_err(|_| Damage::Json)?;
        if message["error"].is_object() {
            return Err(error::in_stream(sent, &message));
        }
        let content = message["content"].as_array().ok_or(Damage::Json)?;
        let mut answer = Answer { started: true, ..Answer::default() };
        answer.usage = usage::of_messages(&message["usage"]);
        answer.note_stop(&message);
        let mut events: Vec<ModelEvent> = content.iter().map(block).collect();
        answer.wrote = events.iter().any(is_written);
        events.extend(answer.end()?);
        Ok(events)
    }

    /// Whether its last event was read.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    fn begin_block(&mut self, event: &Value) -> Result<Vec<ModelEvent>, ProviderError> {
        let fits = self.started && self.stop.is_none() && self.is_between_blocks();
        let fresh = self.blocks.insert(index(event), true).is_none();
        self.require(fits && fresh)?;
        let begun = block(&event["content_block"]);
        self.wrote |= is_written(&begun);
        Ok(vec![begun])
    }

    fn delta(&mut self, event: &Value) -> Result<Vec<ModelEvent>, ProviderError> {
        self.in_block(event)?;
        let delta = &event["delta"];
        let found = match delta["type"].as_str().unwrap_or_default() {
            "text_delta" => ModelEvent::Text(delta["text"].as_str().ok_or(Damage::Json)?.to_owned()),
            "thinking_delta" => ModelEvent::Thinking { chars: chars(&delta["thinking"]) },
            "signature_delta" => ModelEvent::Thinking { chars: 0 },
            _ => ModelEvent::Skipped,
        };
        self.wrote |= is_written(&found);
        Ok(vec![found])
    }

    fn end(&mut self) -> Result<Vec<ModelEvent>, ProviderError> {
        self.require(self.started && self.is_between_blocks())?;
        let (reason, detail) = self.stop.take().ok_or(Damage::Order)?;
        self.ended = true;
        let (note, mut usage) = usage::bill(&self.usage, self.wrote);
        // A model that wrote nothing is billed no output, whatever the first event said.
        if let Some(ModelEvent::Usage(usage)) = &mut usage
            && usage.output_tokens > 0
        {
            usage.output_tokens = usage.output_tokens.max(self.seed.unwrap_or(0));
        }
        Ok(note.into_iter().chain([ModelEvent::Stop { reason, detail }]).chain(usage).collect())
    }

    fn note_stop(&mut self, found: &Value) {
        if let Some(reason) = found["stop_reason"].as_str() {
            let category = found["stop_details"]["category"].as_str();
            self.stop = Some((StopReason::from_wire(reason), category.map(printable)));
        }
    }

    /// Whether each block that began has ended.
    fn is_between_blocks(&self) -> bool {
        self.blocks.values().all(|open| !open)
    }

    fn in_block(&self, event: &Value) -> Result<(), ProviderError> {
        self.require(self.started && self.blocks.get(&index(event)) == Some(&true))
    }

    fn require(&self, fits: bool) -> Result<(), ProviderError> {
        if fits { Ok(()) } else { Err(Damage::Order.into()) }
    }
}

fn index(event: &Value) -> u64 {
    event["index"].as_u64().unwrap_or(0)
}

fn chars(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}

fn printable(text: &str) -> String {
    crate::model_service::faults::printable(text, 64)
}

/// Whether the model wrote something that is billed as output.
fn is_written(event: &ModelEvent) -> bool {
    matches!(event, ModelEvent::Text(_) | ModelEvent::Thinking { .. })
}

/// A block as it begins, or whole.
fn block(block: &Value) -> ModelEvent {
    match block["type"].as_str().unwrap_or_default() {
        "text" => match block["text"].as_str().unwrap_or_default() {
            "" => ModelEvent::Alive,
            text => ModelEvent::Text(text.to_owned()),
        },
        "thinking" => ModelEvent::Thinking { chars: chars(&block["thinking"]) },
        "redacted_thinking" => ModelEvent::Thinking { chars: 0 },
        _ => ModelEvent::Skipped,
    }
}
