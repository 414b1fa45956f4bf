//! Token usage: what a model read and wrote.

use serde::{Deserialize, Serialize};

/// Tokens of one or more sends. `input_tokens` excludes what the prompt cache served or stored.
/// JSON has the four keys of the result schema and, beside them, the split of cache writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to the prompt cache.
    pub input_tokens: u64,
    /// Tokens written by the model, thinking included.
    pub output_tokens: u64,
    /// Prompt tokens read from the prompt cache.
    pub cache_read_input_tokens: u64,
    /// Prompt tokens stored in the prompt cache for five minutes.
    pub cache_creation_5m_input_tokens: u64,
    /// Prompt tokens stored in the prompt cache for one hour.
    pub cache_creation_1h_input_tokens: u64,
    /// How many of the output tokens were thinking, where the service says so.
    pub thinking_tokens: Option<u64>,
}

impl Usage {
    /// Tokens in and out, without any cache.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Usage { input_tokens, output_tokens, ..Usage::default() }
    }

    /// The whole prompt: what decides whether a long-prompt price applies.
    pub fn prompt_tokens(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_creation_input_tokens())
    }

    /// Prompt tokens stored in the prompt cache, for any time.
    pub fn cache_creation_input_tokens(&self) -> u64 {
        self.cache_creation_5m_input_tokens.saturating_add(self.cache_creation_1h_input_tokens)
    }

    /// The same tokens as if there were no prompt cache.
    pub fn uncached(&self) -> Usage {
        Usage::new(self.prompt_tokens(), self.output_tokens)
    }
}

impl std::ops::Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        let thinking = match (self.thinking_tokens, other.thinking_tokens) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        Usage {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_input_tokens: self
                .cache_read_input_tokens
                .saturating_add(other.cache_read_input_tokens),
            cache_creation_5m_input_tokens: self
                .cache_creation_5m_input_tokens
                .saturating_add(other.cache_creation_5m_input_tokens),
            cache_creation_1h_input_tokens: self
                .cache_creation_1h_input_tokens
                .saturating_add(other.cache_creation_1h_input_tokens),
            thinking_tokens: thinking,
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}

/// The keys in JSON.
#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Wire {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<Split>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_tokens: Option<u64>,
}

/// How long the cache keeps what was written.
#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Split {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

impl From<Wire> for Usage {
    fn from(wire: Wire) -> Self {
        // Without the split every write counts as one for five minutes, the only kind before it existed.
        let split = wire.cache_creation.unwrap_or(Split {
            ephemeral_5m_input_tokens: wire.cache_creation_input_tokens,
            ephemeral_1h_input_tokens: 0,
        });
        Usage {
            input_tokens: wire.input_tokens,
            output_tokens: wire.output_tokens,
            cache_read_input_tokens: wire.cache_read_input_tokens,
            cache_creation_5m_input_tokens: split.ephemeral_5m_input_tokens,
            cache_creation_1h_input_tokens: split.ephemeral_1h_input_tokens,
            thinking_tokens: wire.thinking_tokens,
        }
    }
}

impl From<Usage> for Wire {
    fn from(usage: Usage) -> Self {
        let written = usage.cache_creation_input_tokens();
        Wire {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_input_tokens: usage.cache_read_input_tokens,
            cache_creation_input_tokens: written,
            cache_creation: (written > 0).then_some(Split {
                ephemeral_5m_input_tokens: usage.cache_creation_5m_input_tokens,
                ephemeral_1h_input_tokens: usage.cache_creation_1h_input_tokens,
            }),
            thinking_tokens: usage.thinking_tokens,
        }
    }
}
