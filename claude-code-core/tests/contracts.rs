//! The stores in memory hold the contracts of their seams.
#![allow(missing_docs)]

use claude_code_core::state::memory::MemoryState;
use claude_code_core::store::memory::MemoryStore;
use claude_code_core::testing::{state_contract, store_contract};

#[tokio::test]
async fn state_in_memory_holds_the_contract() {
    state_contract::holds(&MemoryState::default()).await;
}

#[tokio::test]
async fn results_in_memory_hold_the_contract() {
    store_contract::holds(&MemoryStore::default()).await;
}
