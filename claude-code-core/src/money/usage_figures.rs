//! Usage accounting of one stream: the figures that a service reports are cumulative, so they are merged by maximum and
//! never fall. Servers in front of a model (gateways, inference engines) fill later events with zeros.

use crate::money::usage::Usage;

/// The usage figures that one answer has reported so far. A figure of 0 is one that was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFigures {
    /// Prompt tokens outside the prompt cache.
    pub input_tokens: u64,
    /// Tokens written by the model; `Some(0)` was given as 0.
    pub output_tokens: Option<u64>,
    /// Prompt tokens read from the prompt cache.
    pub cache_read_input_tokens: u64,
    /// Prompt tokens written to the prompt cache, however long they are kept.
    pub cache_write_input_tokens: u64,
    /// Of those, the tokens kept for five minutes.
    pub cache_write_5m_input_tokens: u64,
    /// Of those, the tokens kept for one hour.
    pub cache_write_1h_input_tokens: u64,
    /// Output tokens that were thinking.
    pub thinking_tokens: Option<u64>,
    /// Where inference ran, in the service's word.
    pub inference_geo: Option<String>,
}

impl UsageFigures {
    /// Merges a later report: of each figure the larger one stays.
    pub fn merge(&mut self, later: &UsageFigures) {
        fn rise(figure: &mut u64, later: u64) {
            *figure = later.max(*figure);
        }
        rise(&mut self.input_tokens, later.input_tokens);
        rise(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        rise(&mut self.cache_write_input_tokens, later.cache_write_input_tokens);
        rise(&mut self.cache_write_5m_input_tokens, later.cache_write_5m_input_tokens);
        rise(&mut self.cache_write_1h_input_tokens, later.cache_write_1h_input_tokens);
        self.output_tokens = self.output_tokens.max(later.output_tokens);
        self.thinking_tokens = self.thinking_tokens.max(later.thinking_tokens);
        // Repeated without its place, or as unrestricted, a report takes no place back.
        if later.geo() > self.geo() {
            self.inference_geo.clone_from(&later.inference_geo);
        }
    }

    /// The usage to bill. None where it is unknown: no prompt was counted, or no output although the model wrote.
    pub fn usage(&self, wrote: bool) -> Option<Usage> {
        let output = self.output_tokens.filter(|tokens| *tokens > 0 || !wrote)?;
        let rest = self.cache_write_input_tokens.saturating_sub(self.split());
        let usage = Usage {
            cache_read_input_tokens: self.cache_read_input_tokens,
            cache_creation_5m_input_tokens: self.cache_write_5m_input_tokens.saturating_add(rest),
            cache_creation_1h_input_tokens: self.cache_write_1h_input_tokens,
            thinking_tokens: self.thinking_tokens,
            ..Usage::new(self.input_tokens, output)
        };
        (usage.prompt_tokens() > 0).then_some(usage)
    }

    /// What to tell the caller where total and split of the cache writes contradict each other: the larger is billed.
    pub fn contradiction(&self) -> Option<String> {
        let (total, split) = (self.cache_write_input_tokens, self.split());
        (total > 0 && split > 0 && total != split).then(|| {
            format!(
                "the service reports {total} cache-write tokens, and {split} by how long they are kept: the larger figure is \
                 billed"
            )
        })
    }

    /// Where inference ran, as far as it changes the price.
    pub fn geo(&self) -> InferenceGeo {
        InferenceGeo::from_wire(self.inference_geo.as_deref().unwrap_or_default())
    }

    fn split(&self) -> u64 {
        self.cache_write_5m_input_tokens.saturating_add(self.cache_write_1h_input_tokens)
    }
}

/// Where inference ran, as far as it changes the price. The later ones are the dearer, or of no known price.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InferenceGeo {
    /// Not restricted, or not reported: the price goes by the model's id.
    #[default]
    Unrestricted,
    /// Nowhere: the answer is a sample of the local twin, which costs nothing.
    Sample,
    /// In the United States only, which has an uplift.
    Us,
    /// Somewhere that has no known price.
    Unknown(String),
}

impl InferenceGeo {
    /// The value of `usage.inference_geo`; the local twin says `sample`, or `sample for:` and the sample's prompt.
    pub fn from_wire(value: &str) -> Self {
        match value {
            "" | "global" | "not_available" => InferenceGeo::Unrestricted,
            "us" => InferenceGeo::Us,
            "sample" => InferenceGeo::Sample,
            label if label.starts_with("sample for: ") => InferenceGeo::Sample,
            other => InferenceGeo::Unknown(other.chars().filter(|c| c.is_ascii_graphic()).take(32).collect()),
        }
    }
}
