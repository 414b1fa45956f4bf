//! What this process has spent and saved so far: the running total at the foot of every card.

use std::sync::{Mutex, PoisonError};

use claude_code_aws::price::SignedPicoUsd;
use claude_code_aws::{PicoUsd, Receipt};

/// Sums over the results of this process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) results: u64,
    pub(crate) spent: PicoUsd,
    /// By response cache, prompt cache and tier.
    pub(crate) saved: SignedPicoUsd,
    /// Whether something without a known price is missing from `spent`.
    pub(crate) is_lower_bound: bool,
}

static TALLY: Mutex<Tally> =
    Mutex::new(Tally { results: 0, spent: PicoUsd(0), saved: SignedPicoUsd(0), is_lower_bound: false });

/// Counts a result, or what a failed call cost.
pub(crate) fn count(receipt: &Receipt) {
    let mut tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    let saved = &receipt.saved;
    tally.results += 1;
    tally.spent = tally.spent.saturating_add(receipt.total().known());
    for part in [saved.by_response_cache_usd, saved.by_prompt_cache_usd, saved.by_tier_usd] {
        tally.saved = tally.saved.saturating_add(part);
    }
    tally.is_lower_bound |= !receipt.total().is_priced();
}

/// The sums so far.
pub(crate) fn so_far() -> Tally {
    *TALLY.lock().unwrap_or_else(PoisonError::into_inner)
}
