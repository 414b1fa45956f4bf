//! Results, budgets and cache on the local twin: faults between every two steps, kills, races, clocks moved by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod downloads;
mod endpoints;
mod erased;
mod faulty;
mod forbidden;
mod janitor;
mod kills;
mod ledger;
mod rows;
mod service_creator;
mod service_writing;
mod shared;
mod steps;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::{self, BUCKET, Twin};
use claude_code_aws::storage::dynamodb::DynamoState;
use claude_code_aws::storage::results::AwsResults;
use claude_code_aws::testing::{Script, ScriptedProvider, SeededIds};
use claude_code_aws::{ClientBuilder, Clock, ModelProvider, UtcMillis};
use tempfile::TempDir;

pub const TABLE: &str = "claude-code-results";
pub const STATE: &str = "claude-code-state";
pub const REVERSE: &str = "```python reverse.py\ndef reverse(text):\n    return text[::-1]\n```\n";

/// As many of a campaign's runs as this run makes: all of them with CAMPAIGN=1, else one in twenty.
pub fn share(full: u64) -> u64 {
    if is_campaign() { full } else { full.div_ceil(20) }
}

pub fn is_campaign() -> bool {
    std::env::var_os("CAMPAIGN").is_some_and(|set| set == "1")
}

/// A clock that moves when it is told to: tokio's paused one would jump while an engine's thread is awaited.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl HandClock {
    /// At this moment of the system's clock, where objects get their times from.
    pub fn now() -> Arc<Self> {
        Arc::new(HandClock(AtomicI64::new(SystemClock.now().0)))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.0.load(Ordering::SeqCst))
    }
}

/// A twin with its tables and buckets, in a temporary directory.
pub async fn twin() -> (TempDir, Twin) {
    let dir = tempfile::tempdir().unwrap();
    drop(local::open(dir.path()).await.unwrap());
    let twin = Twin::open(dir.path()).unwrap();
    (dir, twin)
}

pub fn results(twin: &Twin, clock: &Arc<HandClock>) -> AwsResults {
    AwsResults::new(twin.dynamodb_client(), twin.s3_client(), TABLE, BUCKET).with_clock(clock.clone())
}

pub fn state(twin: &Twin) -> Arc<DynamoState> {
    Arc::new(DynamoState::new(twin.dynamodb_client(), STATE).with_bucket(twin.s3_client(), BUCKET))
}

pub fn answering() -> Arc<ScriptedProvider> {
    ScriptedProvider::new([Script::answer(REVERSE)])
}

/// A client in the making: with chance of its own, as another process would have.
pub fn builder(provider: Arc<dyn ModelProvider>, clock: Arc<dyn Clock>, seed: u64) -> ClientBuilder {
    ClientBuilder::new(provider, clock, Arc::new(SeededIds::new(seed)))
}
