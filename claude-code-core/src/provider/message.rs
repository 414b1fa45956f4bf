//! Messages sent to a model.

use std::sync::Arc;

use crate::model::capability::CacheTtl;

/// Role of a message's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The caller.
    User,
    /// The model.
    Assistant,
}

/// A piece of text, and whether the prompt up to its end is worth keeping at the service.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextBlock {
    /// The text.
    pub text: Arc<str>,
    /// A cache point after this block.
    pub cache: Option<CacheTtl>,
}

impl TextBlock {
    /// Text without a cache point.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        TextBlock { text: text.into(), cache: None }
    }

    /// With a cache point of this kind after it, or none.
    pub fn kept(mut self, cache: Option<CacheTtl>) -> Self {
        self.cache = cache;
        self
    }
}

// Prompts are the user's: their text never reaches a log by way of Debug.
impl std::fmt::Debug for TextBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextBlock({} bytes)", self.text.len())
    }
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Role of a message's author.
    pub role: Role,
    /// What is said.
    pub blocks: Vec<TextBlock>,
}

impl Message {
    /// A turn of the caller.
    pub fn user(text: impl Into<Arc<str>>) -> Self {
        Message { role: Role::User, blocks: vec![TextBlock::new(text)] }
    }

    /// A turn of the model, replayed. Never the last one: current models refuse to continue it.
    pub fn assistant(text: impl Into<Arc<str>>) -> Self {
        Message { role: Role::Assistant, blocks: vec![TextBlock::new(text)] }
    }
}
