//! What a model accepts and rejects: a request is shaped by it, so that no field gives a 400.

use serde::{Deserialize, Serialize};

/// The smallest budget of thinking that older models accept, in tokens; it must be below max_tokens.
const MIN_THINKING: u32 = 1_024;

/// Capabilities of a model: the request fields that it accepts.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
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

    /// What to send so that the model thinks, or does not; `None` inside: nothing has to be said. The outer `None`: the
    /// model cannot do as it is told with this effort and answers of at most `max_tokens`.
    pub fn thinking_as(
        &self,
        wish: Think,
        effort: Option<Effort>,
        max_tokens: u32,
    ) -> Option<Option<SentThinking>> {
        let accepts = |kind: Thinking| self.thinking.contains(&kind);
        let at_most_high = effort.is_none_or(|effort| effort <= Effort::High);
        match wish {
            Think::On if self.thinking_default_on => Some(None),
            Think::On if accepts(Thinking::Adaptive) => Some(Some(SentThinking::Adaptive)),
            Think::On if accepts(Thinking::Enabled) && max_tokens > MIN_THINKING => {
                Some(Some(SentThinking::Enabled { budget_tokens: (max_tokens / 2).max(MIN_THINKING) }))
            }
            Think::On => None,
            Think::Off if !self.thinking_default_on => Some(None),
            // Effort above high with thinking off is a 400 on all that accept both.
            Think::Off if !at_most_high => None,
            Think::Off if self.thinking_can_disable => Some(Some(SentThinking::Disabled)),
            Think::Off if accepts(Thinking::BetweenTools) => Some(Some(SentThinking::BetweenTools)),
            Think::Off => None,
        }
    }

    /// Whether this effort is accepted.
    pub fn takes_effort(&self, effort: Effort) -> bool {
        self.effort_levels.contains(&effort)
    }
}

/// Sampling parameters that a model takes: temperature, top_p and top_k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[non_exhaustive]
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

/// Whether a model shall think before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Think {
    /// It thinks, as much as it decides or at most half of max_tokens.
    On,
    /// It does not, as far as it can be told so.
    Off,
}

/// `thinking` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SentThinking {
    /// The model decides how much.
    Adaptive,
    /// On, with a budget. It is part of max_tokens.
    Enabled {
        /// Maximum number of thinking tokens.
        budget_tokens: u32,
    },
    /// Off.
    Disabled,
    /// Only between tool calls, of which there are none here: off, for the model that knows no other off.
    BetweenTools,
}

impl SentThinking {
    /// The `type` in a request.
    pub fn kind(self) -> &'static str {
        match self {
            SentThinking::Adaptive => "adaptive",
            SentThinking::Enabled { .. } => "enabled",
            SentThinking::Disabled => "disabled",
            SentThinking::BetweenTools => "between_tools",
        }
    }

    /// The budget in tokens, where it has one.
    pub fn budget_tokens(self) -> Option<u32> {
        match self {
            SentThinking::Enabled { budget_tokens } => Some(budget_tokens),
            _ => None,
        }
    }

    /// Whether the model thinks by it.
    pub fn is_on(self) -> bool {
        matches!(self, SentThinking::Adaptive | SentThinking::Enabled { .. })
    }
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
