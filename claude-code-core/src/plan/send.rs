//! One send that is to be made, and why.

use std::sync::Arc;
use std::time::Duration;

use crate::money::price::Cost;
use crate::provider::Field;
use crate::resume::Anchor;

/// Why a send is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
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

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::First => f.write_str("first"),
            Why::Retry => f.write_str("retry"),
            Why::Repeat => f.write_str("repeat"),
            Why::Fallback => f.write_str("fallback"),
            Why::Failover(place) => write!(f, "failover to {place}"),
            Why::Downgrade => f.write_str("downgrade"),
            Why::Without(field) => write!(f, "without {}", field.as_str()),
            Why::Resume => f.write_str("resume"),
            Why::Repair => f.write_str("repair"),
            Why::Escalate => f.write_str("escalate"),
        }
    }
}

/// One send that is to be made.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Its place among the plan's candidates.
    pub candidate: usize,
    /// Why it is made.
    pub why: Why,
    /// How long to wait before it.
    pub wait: Duration,
    /// The longest answer in tokens.
    pub max_tokens: u32,
    /// The most that it can cost.
    pub ceiling: Cost,
    /// Where a cut answer goes on.
    pub anchor: Option<Anchor>,
}

impl Ask {
    /// The first send to the first candidate.
    pub(crate) fn first(max_tokens: u32, ceiling: Cost) -> Self {
        Ask { candidate: 0, why: Why::First, wait: Duration::ZERO, max_tokens, ceiling, anchor: None }
    }
}
