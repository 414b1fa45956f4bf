//! From Converse's events to the core's.

use aws_sdk_bedrockruntime::types::{
    CacheTtl, ContentBlockDelta, ConverseStreamOutput, ReasoningContentBlockDelta, TokenUsage,
};
use claude_code_core::Usage;
use claude_code_core::provider::{ModelEvent, StopReason};

/// The event in the core's words.
pub(super) fn translate(event: ConverseStreamOutput) -> ModelEvent {
    match event {
        ConverseStreamOutput::ContentBlockDelta(event) => match event.delta {
            Some(ContentBlockDelta::Text(text)) => ModelEvent::Text(text),
            Some(ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))) => {
                ModelEvent::Thinking { chars: text.chars().count() }
            }
            Some(ContentBlockDelta::ReasoningContent(_)) => ModelEvent::Thinking { chars: 0 },
            Some(_) => ModelEvent::Skipped,
            None => ModelEvent::Alive,
        },
        ConverseStreamOutput::MessageStop(event) => {
            ModelEvent::Stop { reason: StopReason::from_wire(event.stop_reason.as_str()), detail: None }
        }
        ConverseStreamOutput::Metadata(event) => {
            event.usage.as_ref().map_or(ModelEvent::Alive, |found| ModelEvent::Usage(usage(found)))
        }
        ConverseStreamOutput::MessageStart(_)
        | ConverseStreamOutput::ContentBlockStart(_)
        | ConverseStreamOutput::ContentBlockStop(_) => ModelEvent::Alive,
        _ => ModelEvent::Skipped,
    }
}

/// Bedrock's input_tokens leave out what the prompt cache served or stored, as ours do.
fn usage(found: &TokenUsage) -> Usage {
    let count = |n: i32| u64::try_from(n).unwrap_or(0);
    let written = count(found.cache_write_input_tokens().unwrap_or(0));
    let for_an_hour = found
        .cache_details()
        .iter()
        .filter(|detail| *detail.ttl() == CacheTtl::OneHour)
        .map(|detail| count(detail.input_tokens()))
        .sum::<u64>()
        .min(written);
    Usage {
        cache_read_input_tokens: count(found.cache_read_input_tokens().unwrap_or(0)),
        cache_creation_5m_input_tokens: written - for_an_hour,
        cache_creation_1h_input_tokens: for_an_hour,
        ..Usage::new(count(found.input_tokens()), count(found.output_tokens()))
    }
}
