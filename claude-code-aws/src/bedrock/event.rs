//! Converse events, translated to the core's.

use aws_sdk_bedrockruntime::types::{
    CacheTtl, ContentBlockDelta, ConverseStreamMetadataEvent, ConverseStreamOutput,
    ReasoningContentBlockDelta, TokenUsage,
};
use claude_code_core::money::usage_figures::{InferenceGeo, UsageFigures};
use claude_code_core::provider::{ModelEvent, StopReason};

/// The event in the core's words; what it says of the usage is read by [`told`].
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
        ConverseStreamOutput::Metadata(_)
        | ConverseStreamOutput::MessageStart(_)
        | ConverseStreamOutput::ContentBlockStart(_)
        | ConverseStreamOutput::ContentBlockStop(_) => ModelEvent::Alive,
        _ => ModelEvent::Skipped,
    }
}

/// The figures of the last event, and the local twin's label of an answer that no model wrote.
pub(super) fn told(metadata: &ConverseStreamMetadataEvent) -> Option<UsageFigures> {
    let mut figures = figures(metadata.usage.as_ref()?);
    let router = metadata.trace.as_ref().and_then(|trace| trace.prompt_router.as_ref());
    let label = router.and_then(|router| router.invoked_model_id.clone());
    figures.inference_geo = label.filter(|label| InferenceGeo::from_wire(label) == InferenceGeo::Sample);
    Some(figures)
}

/// Bedrock's input_tokens leave out what the prompt cache served or stored, as ours do.
fn figures(found: &TokenUsage) -> UsageFigures {
    let count = |n: i32| u64::try_from(n).unwrap_or(0);
    let written = |ttl: &CacheTtl| {
        let kept = found.cache_details().iter().filter(|detail| detail.ttl() == ttl);
        kept.map(|detail| count(detail.input_tokens())).fold(0, u64::saturating_add)
    };
    UsageFigures {
        input_tokens: count(found.input_tokens()),
        output_tokens: Some(count(found.output_tokens())),
        cache_read_input_tokens: count(found.cache_read_input_tokens().unwrap_or(0)),
        cache_write_input_tokens: count(found.cache_write_input_tokens().unwrap_or(0)),
        cache_write_5m_input_tokens: written(&CacheTtl::FiveMinutes),
        cache_write_1h_input_tokens: written(&CacheTtl::OneHour),
        ..UsageFigures::default()
    }
}
