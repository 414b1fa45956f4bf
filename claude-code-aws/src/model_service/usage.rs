//! The usage object of the Messages API, as InvokeModel gives it too, in the figures that are merged over a stream.

use claude_code_core::money::usage_figures::{InferenceGeo, UsageFigures};
use claude_code_core::provider::ModelEvent;
use serde_json::Value;

use super::faults::printable;

/// The figures of a `usage` object. Those that are missing, null or no count are not given.
pub(crate) fn of_messages(usage: &Value) -> UsageFigures {
    let split = &usage["cache_creation"];
    UsageFigures {
        input_tokens: given(&usage["input_tokens"]),
        output_tokens: tokens(&usage["output_tokens"]),
        cache_read_input_tokens: given(&usage["cache_read_input_tokens"]),
        cache_write_input_tokens: given(&usage["cache_creation_input_tokens"]),
        cache_write_5m_input_tokens: given(&split["ephemeral_5m_input_tokens"]),
        cache_write_1h_input_tokens: given(&split["ephemeral_1h_input_tokens"]),
        thinking_tokens: tokens(&usage["output_tokens_details"]["thinking_tokens"]),
        inference_geo: usage["inference_geo"].as_str().map(str::to_owned),
    }
}

/// The figures that Bedrock adds to the last event of an InvokeModel stream.
pub(crate) fn of_invocation_metrics(metrics: &Value) -> UsageFigures {
    UsageFigures {
        input_tokens: given(&metrics["inputTokenCount"]),
        output_tokens: tokens(&metrics["outputTokenCount"]),
        cache_read_input_tokens: given(&metrics["cacheReadInputTokenCount"]),
        cache_write_input_tokens: given(&metrics["cacheWriteInputTokenCount"]),
        ..UsageFigures::default()
    }
}

/// What an answer's end tells of its bill: a note where there is something to note, then the usage if it is known.
pub(crate) fn bill(figures: &UsageFigures, wrote: bool) -> (Option<ModelEvent>, Option<ModelEvent>) {
    let said = figures.inference_geo.as_deref().unwrap_or_default();
    let geo = figures.geo();
    // Which sample it is, where it was not asked for word for word.
    let label = (geo == InferenceGeo::Sample && said.contains(':')).then(|| printable(said, LABEL));
    let warning = label.or_else(|| figures.contradiction());
    let note = (geo != InferenceGeo::Unrestricted || warning.is_some())
        .then_some(ModelEvent::BillingNote { inference_geo: geo, warning });
    (note, figures.usage(wrote).map(ModelEvent::Usage))
}

/// The longest label that is told.
const LABEL: usize = 200;

fn given(figure: &Value) -> u64 {
    tokens(figure).unwrap_or(0)
}

/// A count of tokens; some servers write it as `16.0` or as `"16"`.
fn tokens(figure: &Value) -> Option<u64> {
    let written = || figure.as_str().map(str::to_owned).or_else(|| Some(figure.as_f64()?.to_string()));
    figure.as_u64().or_else(|| written()?.parse().ok())
}
