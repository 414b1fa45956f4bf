//! The reason of an attempt.

use std::sync::Arc;

use crate::provider::Field;

/// Why a send is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptReason {
    /// The first one.
    First,
    /// The answer of a batch job, read: paid for before.
    BatchJob,
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
            AttemptReason::BatchJob => f.write_str("batch job"),
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
