//! What a request had cost when the last of its callers gave it up: its future is dropped, and no receipt can tell.

use std::sync::Arc;

use crate::cache::charge::Charge;
use crate::clock::Clock;
use crate::metrics::MetricsSink;
use crate::metrics::observe::cancelled;
use crate::money::price::Cost;
use crate::plan::Plan;
use crate::provider::SentFlag;

/// The account of a request under way. Dropped before anybody was charged, it records an observation with outcome
/// `cancelled`.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) charge: Charge,
    plan: Arc<Plan>,
    metrics: Arc<dyn MetricsSink>,
    clock: Arc<dyn Clock>,
    booked: Cost,
    sends: u32,
    /// The attempt under way: its ceiling, and whether it has left.
    open: Option<(Cost, SentFlag)>,
}

impl Account {
    pub(crate) fn new(plan: &Arc<Plan>, metrics: &Arc<dyn MetricsSink>, clock: &Arc<dyn Clock>) -> Self {
        Account {
            charge: Charge::open(),
            plan: plan.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            booked: Cost::ZERO,
            sends: 0,
            open: None,
        }
    }

    /// An attempt begins.
    pub(crate) fn begins(&mut self, ceiling: Cost, sent_flag: SentFlag) {
        self.open = Some((ceiling, sent_flag));
    }

    /// It ended, and is on the receipt.
    pub(crate) fn booked(&mut self, total: Cost, sends: u32) {
        (self.booked, self.sends, self.open) = (total, sends, None);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.charge.is_settled_or_shared() {
            return;
        }
        let open = self.open.take().filter(|(_, sent_flag)| sent_flag.is_sent());
        let sends = self.sends.saturating_add(u32::from(open.is_some()));
        let spent = open.map_or(self.booked, |(ceiling, _)| self.booked + ceiling);
        let took = self.clock.now().since(self.plan.started);
        self.metrics.record(&cancelled(&self.plan, spent, sends, took));
    }
}
