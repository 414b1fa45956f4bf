//! Token estimates.
/// About so many tokens.
pub fn estimate_tokens(text: &str) -> u64 { text.len() as u64 / 3 + 1 }
