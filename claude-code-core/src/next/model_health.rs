//! Model health: the circuit breaker of each model (closed, open with a cooldown, one half-open probe), the request
//! fields that it refuses, and the client's bucket of repeats.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout};

use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::error::{Error, ErrorKind};
use crate::model::capability::Effort;
use crate::money::price::PicoUsd;
use crate::next;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};
use crate::provider::ended::Ended;
use crate::provider::{Billing, Field, ProviderError};

/// How long a model that throttles or fails is not asked first where another one can serve.
const COOLDOWN: Duration = Duration::from_secs(30);
/// The same for a model that this account cannot use: somebody has to enable it before that changes.
const CLOSED_COOLDOWN: Duration = Duration::from_secs(300);
/// Repeats of maybe-paid sends that a client may make in a row: smithy's bucket of 500 at 10 for each time-out.
const REPEATS: u32 = 50;
/// A permit that was not used for so long is nobody's: twice the longest interval between tries.
const ABANDONED: Duration = Duration::from_secs(60);
/// Models of which something is kept; ids come from callers, so they must be bounded.
const MODELS: usize = 256;

/// What is known from earlier requests. Clones of a client share it.
#[derive(Debug)]
pub(crate) struct ModelHealth {
    models: Mutex<HashMap<String, Known>>,
    /// How many more repeats there may be. A send that succeeds gives one back.
    repeats: Mutex<u32>,
}

/// What is known of one model in one place.
#[derive(Debug, Default)]
struct Known {
    /// Fields that it refused; of an effort the level, for it may take another one.
    refused: BTreeSet<(Field, Option<Effort>)>,
    cooldown_until: Option<Instant>,
    /// Whether its last answer was that it cannot answer now.
    is_open: bool,
    probe: Arc<tokio::sync::Mutex<()>>,
    /// When somebody last went to find out.
    asked: Option<Instant>,
}

/// The right to find out whether an open model answers again. One request has it; the others wait for what it
/// finds, so that a crowd sends no more than one caller would. Dropped, it goes to the next one.
#[derive(Debug, Default)]
pub(crate) struct ProbePermit(Option<OwnedMutexGuard<()>>);

impl Default for ModelHealth {
    fn default() -> Self {
        ModelHealth { models: Mutex::default(), repeats: Mutex::new(REPEATS) }
    }
}

impl ModelHealth {
    /// The candidate to begin with: the first one that is not resting, or the first if all are. Another one than the
    /// plan's first must be able to take the request.
    pub(crate) fn start(&self, plan: &mut Plan) {
        let now = Instant::now();
        let models = self.models();
        let is_cooling = |model: &str| {
            models.get(model).and_then(|known| known.cooldown_until).is_some_and(|until| now < until)
        };
        let takes = |id| id == CandidateId::FIRST || next::suits(plan, id, PicoUsd::ZERO);
        let awake = |id: &CandidateId| !is_cooling(&plan.candidate(*id).name()) && takes(*id);
        let mut listed = (0..plan.candidates.len()).map(CandidateId::Listed);
        plan.start = listed.find(awake).unwrap_or(CandidateId::FIRST);
        if plan.start != CandidateId::FIRST {
            plan.warnings.push(format!(
                "{} is left alone for a while after its last fault: {} is asked first",
                plan.first().name(),
                plan.candidate(plan.start).name()
            ));
        }
    }

    /// Fields that the plan's candidates were seen to refuse.
    pub(crate) fn refused(&self, plan: &Plan) -> BTreeSet<(CandidateId, Field)> {
        let models = self.models();
        let of = |id| models.get(&plan.candidate(id).name()).map(|known| &known.refused);
        plan.candidate_ids()
            .flat_map(|id| of(id).into_iter().flatten().map(move |refused| (id, *refused)))
            .filter(|(_, (field, level))| *level == level_of(plan, *field))
            .map(|(id, (field, _))| (id, field))
            .collect()
    }

    /// Waits until the send may be made: as long as it asked for, and while its model is open until another request
    /// has found that it answers again. Fails if that is not in time.
    pub(crate) async fn wait(
        &self,
        plan: &Plan,
        attempt: &NextAttempt,
        permit: &mut ProbePermit,
        left: Duration,
    ) -> Result<(), Error> {
        if attempt.why == AttemptReason::BatchJob {
            return Ok(());
        }
        let begun = Instant::now();
        let model = &*plan.candidate(attempt.candidate).name();
        // Where another model can be asked, nobody waits for this one.
        let elsewhere = match attempt.candidate {
            CandidateId::Listed(asked) => (asked + 1..plan.candidates.len())
                .any(|at| next::suits(plan, CandidateId::Listed(at), PicoUsd::ZERO)),
            CandidateId::Escalation | CandidateId::Cheaper(_) => false,
        };
        if permit.0.is_none()
            && !elsewhere
            && let Some(probe) = self.open(model)
        {
            let Ok(taken) = timeout(left, self.permit(model, probe)).await else {
                return Err(still_open(model));
            };
            // Whoever had the permit before may have found the model well again: then nobody needs it.
            permit.0 = taken.filter(|_| self.open(model).is_some());
        }
        if begun.elapsed() + attempt.wait > left {
            return Err(still_open(model));
        }
        // A sleep of nothing takes until the timer's next tick, up to a millisecond.
        if !attempt.wait.is_zero() {
            tokio::time::sleep(attempt.wait).await;
        }
        Ok(())
    }

    /// The permit, or none if whoever has it does not use it: a stream that nobody reads must not hold up all others.
    async fn permit(&self, model: &str, probe: Arc<tokio::sync::Mutex<()>>) -> Option<OwnedMutexGuard<()>> {
        loop {
            if let Ok(taken) = timeout(ABANDONED, probe.clone().lock_owned()).await {
                return Some(taken);
            }
            let mut models = self.models();
            let known = models.get_mut(model)?;
            if known.asked.is_none_or(|asked| asked.elapsed() >= ABANDONED) {
                known.asked = Some(Instant::now());
                return None;
            }
        }
    }

    /// Learns from the draft's last send.
    pub(crate) fn note(
        &self,
        plan: &Plan,
        attempt: &NextAttempt,
        draft: &mut Draft,
        permit: &mut ProbePermit,
    ) {
        let Some(sent) = draft.attempts.last() else { return };
        let fault = match &sent.ended {
            Ended::Fault(fault) => Some(fault),
            Ended::Refused(_) => return,
            _ => None,
        };
        let is_open = fault.is_some_and(|fault| fault.paid == Billing::No && fault.kind.is_busy());
        let refused = fault.and_then(|fault| fault.refused_field).map(|field| (field, level_of(plan, field)));
        self.learn(&plan.candidate(attempt.candidate).name(), fault, refused, is_open);
        if !is_open {
            permit.0 = None;
        }
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.is_none() {
            *repeats = (*repeats + 1).min(REPEATS);
        }
        if attempt.why == AttemptReason::Repeat {
            *repeats = repeats.saturating_sub(1);
        }
        draft.may_repeat = *repeats > 0;
    }

    fn learn(
        &self,
        model: &str,
        fault: Option<&ProviderError>,
        refused: Option<(Field, Option<Effort>)>,
        is_open: bool,
    ) {
        let mut models = self.models();
        if models.len() >= MODELS && !models.contains_key(model) {
            models.retain(|_, known| known.is_open || !known.refused.is_empty());
            if models.len() >= MODELS {
                return;
            }
        }
        let known = models.entry(model.to_owned()).or_default();
        known.is_open = is_open;
        known.asked = Some(Instant::now());
        known.refused.extend(refused);
        known.cooldown_until = fault.and_then(cooldown).map(|cooldown| Instant::now() + cooldown);
    }

    fn open(&self, model: &str) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.models().get(model).filter(|known| known.is_open).map(|known| known.probe.clone())
    }

    fn models(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The level at which a request asks for a field that has levels.
fn level_of(plan: &Plan, field: Field) -> Option<Effort> {
    plan.request.effort.filter(|_| field == Field::Effort)
}

/// How long a model is left alone after this fault, if at all.
fn cooldown(fault: &ProviderError) -> Option<Duration> {
    match fault.kind {
        _ if fault.paid != Billing::No => None,
        kind if kind.is_busy() => Some(fault.retry_after.unwrap_or(COOLDOWN)),
        kind if kind.is_closed() => Some(CLOSED_COOLDOWN),
        _ => None,
    }
}

fn still_open(model: &str) -> Error {
    Error::new(
        ErrorKind::Throttled,
        format!("{model} did not answer again within the request's time: wait, or raise the timeout"),
    )
}
