//! The sequence, played against scripted models in paused time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "client/batch.rs"]
mod batch;
#[path = "client/bounds.rs"]
mod bounds;
#[path = "client/cached.rs"]
mod cached;
#[path = "client/checked.rs"]
mod checked;
#[path = "client/faults.rs"]
mod faults;
#[path = "client/going_on.rs"]
mod going_on;
#[path = "client/halves.rs"]
mod halves;
#[path = "client/main_job.rs"]
mod main_job;
#[path = "client/profiles.rs"]
mod profiles;
#[path = "client/refactored.rs"]
mod refactored;
#[path = "client/schedule.rs"]
mod schedule;
#[path = "client/traced.rs"]
mod traced;

#[path = "client/unreachable.rs"]
mod unreachable;
#[path = "client/words.rs"]
mod words;

use std::sync::Arc;

use claude_code_core::testing::{ScriptedProvider, builder};
use claude_code_core::{Client, ErrorKind, provider::Billing, provider::ProviderError};

pub const REVERSE: &str =
    "Here it is.\n\n```python reverse.py\ndef reverse(text):\n    return text[::-1]\n```\n";

pub fn client(provider: &Arc<ScriptedProvider>) -> Client {
    builder(provider.clone()).build()
}

pub fn throttled() -> ProviderError {
    ProviderError::new(ErrorKind::Throttled, Billing::No, "throttled: slow down")
}

pub fn cut() -> ProviderError {
    ProviderError::new(ErrorKind::Cut, Billing::Maybe, "the connection was reset")
}
