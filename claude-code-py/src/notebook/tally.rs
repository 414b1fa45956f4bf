//! Running totals of this process, spent and saved, shown at the foot of every card.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use claude_code_aws::money::price::SignedPicoUsd;
use claude_code_aws::{Error, Generation, PicoUsd, Receipt};

/// So many results are remembered as counted: more do not end within the same moment.
const REMEMBERED: usize = 1_000;

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

static TALLY: Mutex<(Tally, VecDeque<String>)> = Mutex::new((
    Tally { results: 0, spent: PicoUsd(0), saved: SignedPicoUsd(0), is_lower_bound: false },
    VecDeque::new(),
));

/// Counts a result, where its call ends.
pub(crate) fn count(generation: &Generation) {
    add(&generation.id, &generation.receipt);
}

/// Counts what a failed call cost, where it ends.
pub(crate) fn failed(error: &Error) {
    error.partial().into_iter().for_each(count);
}

/// Counts a receipt, unless the same costs were counted before: who waited for the same answer has the same id.
pub(crate) fn add(id: &str, receipt: &Receipt) {
    let mut locked = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    let (tally, counted) = &mut *locked;
    let is_free = receipt.total().is_priced() && receipt.total().known() == PicoUsd(0);
    if !is_free {
        if counted.iter().any(|other| other == id) {
            return;
        }
        counted.truncate(REMEMBERED - 1);
        counted.push_front(id.to_owned());
    }
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
    TALLY.lock().unwrap_or_else(PoisonError::into_inner).0
}
