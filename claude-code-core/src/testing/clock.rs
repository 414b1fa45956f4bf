//! Manual clock and seeded ids for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::answer::file::sha256_hex;
use crate::clock::{Clock, IdSource, UtcMillis};

/// 2026-11-21T20:46:00.123Z plus whatever tokio's clock has moved: one advance moves timers and clock.
#[derive(Debug)]
pub struct TestClock {
    start: UtcMillis,
    since: Instant,
}

impl Default for TestClock {
    fn default() -> Self {
        TestClock { start: UtcMillis(1_795_293_960_123), since: Instant::now() }
    }
}

impl Clock for TestClock {
    fn now(&self) -> UtcMillis {
        self.start.plus(self.since.elapsed())
    }
}

/// Chance that is the same in every run of a test.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    next: AtomicU64,
}

impl SeededIds {
    /// Chance from this seed.
    pub fn new(seed: u64) -> Self {
        SeededIds { seed, next: AtomicU64::new(0) }
    }
}

impl IdSource for SeededIds {
    fn random(&self) -> [u8; 16] {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = sha256_hex(format!("{}/{nth}", self.seed).as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        bytes
    }
}
