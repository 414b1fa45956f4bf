//! What a model accepts and rejects: a request is shaped by it, so that no field gives a 400.

use serde::{Deserialize, Serialize};

/// What a model accepts.
#[derive(Clone, Debug, Deserialize)]
pub struct Capabilities {
    /// What it takes of temperature, top_p and top_k.
    pub sampling: Sampling,
    /// Whether the last message may be the assistant's.
    pub prefill: bool,
    /// The kinds of thinking that it accepts; empty: it does not think.
    pub thinking: Vec<Thinking>,
    /// Whether it thinks when nothing is said: then `max_tokens` must leave room, and silence is normal.
    pub thinking_default_on: bool,
    /// Whether `disabled` is accepted.
    pub thinking_can_disable: bool,
    /// The efforts that it accepts, the least first; empty: it takes none.
    pub effort_levels: Vec<Effort>,
    /// The effort where none is said.
    pub default_effort: Option<Effort>,
    /// Whether a tool may be forced.
    pub forced_tool_choice: ForcedToolChoice,
    /// Whether its thinking blocks are bound to the exact messages before them.
    pub binds_thinking: bool,
    /// Whether a system message is honoured in the middle of the conversation.
    pub mid_conversation_system: bool,
    /// The shortest prefix that is cached, in tokens; none where unknown. A shorter one is silently not cached.
    pub prompt_cache_min_tokens: Option<u32>,
    /// How long its prompt cache can keep.
    pub prompt_cache_ttls: Vec<CacheTtl>,
    /// The account must have set one of these data-retention modes; empty: none is needed.
    #[serde(borrow)]
    pub data_retention: Vec<&'static str>,
}

impl Capabilities {
    /// Whether a temperature other than the default is accepted.
    pub fn takes_temperature(&self) -> bool {
        self.sampling == Sampling::TemperatureOrTopP
    }

    /// Whether this effort is accepted.
    pub fn takes_effort(&self, effort: Effort) -> bool {
        self.effort_levels.contains(&effort)
    }
}

/// What a model takes of temperature, top_p and top_k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Anything but the default is a 400: leave them out.
    DefaultsOnly,
    /// Temperature or top_p; both are a 400.
    #[serde(rename = "temperature_or_top_p")]
    TemperatureOrTopP,
}

/// A kind of thinking, as in a request's `thinking.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// The model decides how much.
    Adaptive,
    /// On, with a budget of tokens.
    Enabled,
    /// Off.
    Disabled,
    /// Only between tool calls; at most with effort `high`.
    BetweenTools,
}

/// How hard a model tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Effort {
    /// The least.
    Low,
    /// Between.
    Medium,
    /// The default of most models.
    High,
    /// More than high.
    Xhigh,
    /// The most.
    Max,
}

impl Effort {
    /// The word in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh => "xhigh",
            Effort::Max => "max",
        }
    }
}

impl std::fmt::Display for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Effort {
    type Err = crate::error::Error;

    fn from_str(name: &str) -> crate::error::Result<Self> {
        let all = [Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];
        all.into_iter().find(|e| e.as_str() == name).ok_or_else(|| {
            crate::error::Error::invalid(format!("effort {name:?} is none of low, medium, high, xhigh, max"))
        })
    }
}

/// Whether a tool may be forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForcedToolChoice {
    /// Always.
    Yes,
    /// Never.
    No,
    /// Only while it does not think.
    NotWithThinking,
}

/// How long a prompt cache keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum CacheTtl {
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour, at a dearer write.
    #[serde(rename = "1h")]
    OneHour,
}
