//! The line of a batch's results, for its JSON schema only; a test validates what the command writes.
#![allow(dead_code, reason = "read by the derive, never built")]

use schemars::JsonSchema;

use super::schema::Generation;

/// What a line of a batch's results has: the result of its request, or an error.
#[derive(JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(rename = "A line of a batch's results")]
enum BatchLine {
    Answered {
        /// The number of the prompt's line, from 1.
        #[schemars(range(min = 1))]
        line: u64,
        /// The id that the prompt's line has.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        result: Generation,
    },
    Failed {
        /// The number of the prompt's line, from 1.
        #[schemars(range(min = 1))]
        line: u64,
        /// The id that the prompt's line has.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        error: BatchError,
    },
}

/// Why a request has no result.
#[derive(JsonSchema)]
struct BatchError {
    kind: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What was received before it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<Generation>,
}

/// The JSON schema of a line of a batch's results.
pub(crate) fn batch_line() -> serde_json::Value {
    schemars::schema_for!(BatchLine).to_value()
}
