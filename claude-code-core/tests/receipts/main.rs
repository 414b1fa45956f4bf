//! Money without a client: prices, usage and receipts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

mod figures;
mod golden;
mod lines;
mod prices;
mod usage;

use claude_code_core::money::receipt::LineItem;
use claude_code_core::{Catalogue, ModelId, Receipt, Usage};

fn usage([input, output, read, write_5m, write_1h]: [u64; 5]) -> Usage {
    Usage {
        cache_read_input_tokens: read,
        cache_creation_5m_input_tokens: write_5m,
        cache_creation_1h_input_tokens: write_1h,
        ..Usage::new(input, output)
    }
}

fn id(text: &str) -> ModelId {
    ModelId::new(text).unwrap()
}

fn send(model: &str, tokens: [u64; 5]) -> Receipt {
    Receipt::of_send(Catalogue::builtin(), &id(model), &usage(tokens), false)
}

/// The key that a line has in JSON.
fn key(what: LineItem) -> String {
    serde_json::to_value(what).unwrap().as_str().unwrap().to_owned()
}
