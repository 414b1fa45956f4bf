//! Sent flag: whether a request has left. What is cancelled before was never sent, and costs nothing.

use crate::sync::{Arc, AtomicBool, Ordering};

/// Shared by a call's money and its provider, which marks it when the first byte of the request is written, or before
/// it sends where it cannot tell.
#[derive(Clone, Debug)]
pub struct SentFlag(Arc<AtomicBool>);

impl Default for SentFlag {
    fn default() -> Self {
        SentFlag(Arc::new(AtomicBool::new(false)))
    }
}

impl SentFlag {
    /// From here on the send may be on the bill.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the send may be on the bill.
    pub fn is_sent(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
