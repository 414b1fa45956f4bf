//! Token quota of a minute, by Bedrock's rule: a request reserves its input and max_tokens when it begins; when it has
//! ended, it counts its input and five times its output. Each model has a quota of its own.
//!
//! The service does not tell when its minute began, so no minute at all may hold more than the quota: a sliding window.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::model::Tier;
use crate::money::usage::Usage;

/// What one token of an answer counts (AWS, token burndown rate: five for models from Claude 3.7 on).
const BURN: u64 = 5;
/// How long a request counts.
const MINUTE: Duration = Duration::from_secs(60);
/// Of a quota that throttled, so much is used from then on.
const BACK_OFF: (u64, u64) = (9, 10);
/// Answers that are seen before max_tokens is learned from them.
const SAMPLES: usize = 8;
/// Answers that it is learned from: the latest ones.
const LATEST: usize = 64;
/// Learned max_tokens are a multiple of this: equal requests shall stay equal.
const STEP: u32 = 512;

/// What a request counts in the end.
pub fn burnt(usage: &Usage) -> u64 {
    usage.input_tokens + usage.cache_creation_input_tokens() + BURN * usage.output_tokens
}

/// The window of one model. Times are since a moment of the caller's choice.
#[derive(Debug)]
pub struct Window {
    per_minute: Option<u64>,
    entries: VecDeque<Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    at: Duration,
    tokens: u64,
}

impl Window {
    /// A quota of so many tokens a minute; none: it is not known, and nothing waits before the service throttles.
    pub fn new(per_minute: Option<u64>) -> Self {
        Window { per_minute, entries: VecDeque::new(), next: 0 }
    }

    /// Books a request of so many tokens, or tells when to look again. One that is larger than the quota goes alone.
    pub fn reserve(&mut self, now: Duration, tokens: u64) -> Result<u64, Duration> {
        while self.entries.front().is_some_and(|first| now >= first.at + MINUTE) {
            self.entries.pop_front();
        }
        let used: u64 = self.entries.iter().map(|entry| entry.tokens).sum();
        if let (Some(quota), Some(first)) = (self.per_minute, self.entries.front())
            && used.saturating_add(tokens) > quota
        {
            return Err((first.at + MINUTE).saturating_sub(now));
        }
        self.next += 1;
        self.entries.push_back(Entry { id: self.next, at: now, tokens });
        Ok(self.next)
    }

    /// Counts a request as what it was in the end.
    pub fn settle(&mut self, id: u64, tokens: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.tokens = tokens;
        }
    }

    /// The service throttled: the quota is less than what was under way.
    pub fn throttled(&mut self) {
        let used: u64 = self.entries.iter().map(|entry| entry.tokens).sum();
        let seen = self.per_minute.map_or(used, |quota| quota.min(used));
        self.per_minute = Some((seen * BACK_OFF.0 / BACK_OFF.1).max(1));
    }

    /// Whether the quota is known or was met.
    pub fn is_limited(&self) -> bool {
        self.per_minute.is_some()
    }
}

/// How long answers were, by language and tier: what max_tokens need be.
#[derive(Debug, Default)]
pub struct Lengths(HashMap<(String, Tier), VecDeque<u64>>);

impl Lengths {
    /// Notes the tokens of an answer.
    pub fn note(&mut self, language: &str, tier: Tier, tokens: u64) {
        let seen = self.0.entry((language.to_owned(), tier)).or_default();
        seen.push_back(tokens);
        if seen.len() > LATEST {
            seen.pop_front();
        }
    }

    /// Twice the longest answer of the latest ones, where enough of them were seen. A longer one is resumed.
    pub fn max_tokens(&self, language: &str, tier: Tier) -> Option<u32> {
        let seen = self.0.get(&(language.to_owned(), tier)).filter(|seen| seen.len() >= SAMPLES)?;
        let longest = u32::try_from(seen.iter().max()?.saturating_mul(2)).ok()?;
        Some(longest.max(1).next_multiple_of(STEP))
    }
}
