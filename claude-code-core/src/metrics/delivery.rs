//! Delivery: the moment when one caller receives its result. It settles who is charged and records the observation.

use std::sync::Arc;

use crate::cache::shared_result::SharedResult;
use crate::clock::{Clock, UtcMillis};
use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::metrics::observe::observation;
use crate::metrics::{AttemptSpan, MetricsSink};
use crate::plan::Plan;

/// A result on its way to one caller.
#[derive(Debug)]
pub(crate) struct Delivery {
    shared: SharedResult,
    recorder: Option<Recorder>,
}

/// Where the observation of a delivery goes.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub(crate) metrics: Arc<dyn MetricsSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) plan: Option<Arc<Plan>>,
    pub(crate) started: UtcMillis,
}

impl Delivery {
    /// A result that is recorded when it is delivered.
    pub(crate) fn new(shared: SharedResult, recorder: Recorder) -> Self {
        Delivery { shared, recorder: Some(recorder) }
    }

    /// A failure that nobody records.
    #[cfg(test)]
    pub(crate) fn failed(error: Error) -> Self {
        Delivery { shared: SharedResult::failed(error), recorder: None }
    }

    /// The attempts as spans, where somebody records them.
    pub(crate) fn attempts(&self) -> Vec<AttemptSpan> {
        let plan = self.recorder.as_ref().and_then(|recorder| recorder.plan.as_deref());
        let Some((plan, trace)) = plan.and_then(|plan| Some((plan, plan.trace.as_ref()?))) else {
            return Vec::new();
        };
        let timings = self.shared.timing.attempts.iter().cloned();
        timings.map(|timing| AttemptSpan::new(plan.started, trace, timing)).collect()
    }

    /// The result as this caller receives it. A cancelled caller never gets here, and is charged nothing.
    pub(crate) fn deliver(self) -> Result<Arc<Generation>, Error> {
        let Delivery { shared, recorder } = self;
        let Some(recorder) = recorder else { return shared.deliver(UtcMillis(0)) };
        let (now, timing) = (recorder.clock.now(), shared.timing.clone());
        let result = shared.deliver(now);
        let seen = observation(&result, recorder.plan.as_deref(), &timing, now.since(recorder.started));
        recorder.metrics.record(&seen);
        result
    }
}
