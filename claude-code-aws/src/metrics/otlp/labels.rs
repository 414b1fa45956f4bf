//! What tells requests apart in metrics: few values each, for every combination is a series that somebody stores.

use claude_code_core::metrics::Observation;

use super::names::{CHAT, attribute};
use super::protobuf::{Message, Value};

/// The attributes of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Labels {
    provider: &'static str,
    /// By its name in the catalogue: ids that callers send are of any number.
    model: &'static str,
    error: Option<&'static str>,
    tier: Option<&'static str>,
    lane: &'static str,
    is_cached: bool,
}

impl Labels {
    pub(super) fn of(provider: &'static str, seen: &Observation) -> Self {
        Labels {
            provider,
            model: seen.model_name,
            error: error(seen),
            tier: seen.tier,
            lane: seen.lane,
            is_cached: seen.cached,
        }
    }

    /// Writes them as attributes of a data point.
    pub(super) fn write(&self, point: &mut Message, field: u32, operation: &str) {
        for (name, value) in [
            (attribute::OPERATION, operation),
            (attribute::PROVIDER, self.provider),
            (attribute::REQUEST_MODEL, self.model),
            (attribute::RESPONSE_MODEL, self.model),
            ("claude_code.lane", self.lane),
        ] {
            point.attribute(field, name, Value::Text(value));
        }
        for (name, value) in [(attribute::ERROR_TYPE, self.error), ("claude_code.tier", self.tier)] {
            if let Some(value) = value {
                point.attribute(field, name, Value::Text(value));
            }
        }
        point.attribute(field, "claude_code.cached", Value::Bool(self.is_cached));
    }

    /// As [`write`](Self::write), for the operation of today.
    pub(super) fn write_chat(&self, point: &mut Message, field: u32) {
        self.write(point, field, CHAT);
    }
}

/// The kind of what went wrong: an error, or that nobody waited for the answer.
pub(super) fn error(seen: &Observation) -> Option<&'static str> {
    seen.error_kind.or((!seen.answered).then_some(seen.outcome))
}

/// The service in the conventions' words. Samples play Bedrock.
pub(super) fn provider(name: &str) -> &'static str {
    if name == "anthropic" { "anthropic" } else { "aws.bedrock" }
}
