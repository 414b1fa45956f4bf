//! One send that is to be made, and why.

use std::sync::Arc;
use std::time::Duration;

use crate::money::price::Cost;
use crate::provider::Field;
use crate::resume::Anchor;

/// Why a send is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptReason {
    /// The first one.
    First,
    /// The last fault was safe: nothing was generated.
    Retry,
    /// The last send may have been paid for and gave nothing: its one repeat.
    Repeat,
    /// Another model, after safe faults.
    Fallback,
    /// The same model in another place, after safe faults.
    Failover(Arc<str>),
    /// A cheaper tier, because a budget refused the one before it.
    Downgrade,
    /// The same again without a field that the model refused.
    Without(Field),
    /// The answer was cut: the rest of it.
    Resume,
    /// The answer is whole and a check found errors: the failing files again.
    Repair,
    /// The answer stays rejected: the tier above.
    Escalate,
}

impl std::fmt::Display for AttemptReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttemptReason::First => f.write_str("first"),
            AttemptReason::Retry => f.write_str("retry"),
            AttemptReason::Repeat => f.write_str("repeat"),
            AttemptReason::Fallback => f.write_str("fallback"),
            AttemptReason::Failover(place) => write!(f, "failover to {place}"),
            AttemptReason::Downgrade => f.write_str("downgrade"),
            AttemptReason::Without(field) => write!(f, "without {}", field.as_str()),
            AttemptReason::Resume => f.write_str("resume"),
            AttemptReason::Repair => f.write_str("repair"),
            AttemptReason::Escalate => f.write_str("escalate"),
        }
    }
}

/// One send that is to be made.
#[derive(Clone, Debug)]
pub struct NextAttempt {
    /// Its place among the plan's candidates.
    pub candidate: usize,
    /// Why it is made.
    pub why: AttemptReason,
    /// How long to wait before it.
    pub wait: Duration,
    /// The longest answer in tokens.
    pub max_tokens: u32,
    /// The most that it can cost.
    pub ceiling: Cost,
    /// Where a cut answer goes on.
    pub anchor: Option<Anchor>,
}

impl NextAttempt {
    /// The first send to the first candidate.
    pub(crate) fn first(max_tokens: u32, ceiling: Cost) -> Self {
        NextAttempt {
            candidate: 0,
            why: AttemptReason::First,
            wait: Duration::ZERO,
            max_tokens,
            ceiling,
            anchor: None,
        }
    }
}
