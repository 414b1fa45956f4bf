//! Stop reason: why a model ended its turn.

/// Why a model ended its turn, in the field's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// It had finished.
    EndTurn,
    /// It met a stop sequence.
    StopSequence,
    /// It met max_tokens: the answer is cut.
    MaxTokens,
    /// It met the end of its context: the answer is cut.
    ContextWindowExceeded,
    /// It declined.
    Refusal,
    /// A content filter stopped it.
    ContentFiltered,
    /// A guardrail stopped it.
    GuardrailIntervened,
    /// Anything else, as the service wrote it: never a success.
    Other(String),
}

impl StopReason {
    /// The reason by the name that Bedrock and the Messages API use.
    pub fn from_wire(name: &str) -> Self {
        match name {
            "end_turn" => StopReason::EndTurn,
            "stop_sequence" => StopReason::StopSequence,
            "max_tokens" => StopReason::MaxTokens,
            "model_context_window_exceeded" => StopReason::ContextWindowExceeded,
            "refusal" => StopReason::Refusal,
            "content_filtered" => StopReason::ContentFiltered,
            "guardrail_intervened" => StopReason::GuardrailIntervened,
            other => StopReason::Other(other.chars().filter(|c| !c.is_control()).take(64).collect()),
        }
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            StopReason::EndTurn => "end_turn",
            StopReason::StopSequence => "stop_sequence",
            StopReason::MaxTokens => "max_tokens",
            StopReason::ContextWindowExceeded => "model_context_window_exceeded",
            StopReason::Refusal => "refusal",
            StopReason::ContentFiltered => "content_filtered",
            StopReason::GuardrailIntervened => "guardrail_intervened",
            StopReason::Other(name) => name,
        }
    }

    /// Whether the answer is whole.
    pub fn is_complete(&self) -> bool {
        matches!(self, StopReason::EndTurn | StopReason::StopSequence)
    }

    /// Whether the answer is cut and can be resumed.
    pub fn is_truncated(&self) -> bool {
        matches!(self, StopReason::MaxTokens | StopReason::ContextWindowExceeded)
    }
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for StopReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for StopReason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Ok(StopReason::from_wire(&name))
    }
}
