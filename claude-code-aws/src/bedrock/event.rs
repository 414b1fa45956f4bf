//! From Converse's events to the core's.

use aws_sdk_bedrockruntime::types::{
    CacheTtl, ContentBlockDelta, ConverseStreamOutput, ReasoningContentBlockDelta, TokenUsage,
};
use claude_code_core::Usage;
use claude_code_core::provider::{ModelEvent, StopReason};

/// The event in the core's words; none for those that only frame others.
pub(super) fn translate(event: ConverseStreamOutput) -> Option<ModelEvent> {
    match event {
        ConverseStreamOutput::ContentBlockDelta(event) => match event.delta? {
            ContentBlockDelta::Text(text) => Some(ModelEvent::Text(text)),
            ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) => {
                Some(ModelEvent::Thinking { chars: text.chars().count() })
            }
            ContentBlockDelta::ReasoningContent(_) => Some(ModelEvent::Thinking { chars: 0 }),
            _ => Some(ModelEvent::Skipped),
        },
        ConverseStreamOutput::MessageStop(event) => {
            Some(ModelEvent::Stop { reason: StopReason::from_wire(event.stop_reason.as_str()), detail: None })
        }
        ConverseStreamOutput::Metadata(event) => {
            Some(event.usage.as_ref().map_or(ModelEvent::Skipped, |found| ModelEvent::Usage(usage(found))))
        }
        ConverseStreamOutput::MessageStart(_)
        | ConverseStreamOutput::ContentBlockStart(_)
        | ConverseStreamOutput::ContentBlockStop(_) => None,
        _ => Some(ModelEvent::Skipped),
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
