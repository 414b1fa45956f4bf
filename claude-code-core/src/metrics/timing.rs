//! When a request's answer began, and how long each of its attempts took.

use std::time::Duration;

use crate::clock::UtcMillis;
use crate::generation::Attempt;
use crate::money::usage::Usage;
use crate::read::AnswerEvent;
use crate::trace::{RequestTrace, TraceContext};

/// When a request's answer began, counted from the request.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// Until the service's first event.
    pub first_event: Option<Duration>,
    /// Until the first file began.
    pub first_file: Option<Duration>,
    /// The attempts, where the request is traced.
    pub attempts: Vec<AttemptTiming>,
}

/// One attempt: when, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptTiming {
    /// Its place among the attempts of the request, from 0.
    pub number: usize,
    /// From the request to its start.
    pub start: Duration,
    /// From the request to its end.
    pub end: Duration,
    /// From the request to its first event.
    pub first_event: Option<Duration>,
    /// As the result tells it.
    pub attempt: Attempt,
    /// Its tokens, where the service told them.
    pub usage: Option<Usage>,
}

/// One attempt as a span of the request's trace.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttemptSpan {
    /// Its own span, which the service was told.
    pub context: TraceContext,
    /// When the request came: what the times of `timing` are counted from.
    pub origin: UtcMillis,
    /// When, and what became of it.
    pub timing: AttemptTiming,
}

impl AttemptSpan {
    pub(crate) fn new(origin: UtcMillis, trace: &RequestTrace, timing: AttemptTiming) -> Self {
        AttemptSpan { context: trace.attempt(timing.number), origin, timing }
    }
}

impl Timing {
    /// Notes when the first file begins.
    pub(crate) fn note(&mut self, piece: &AnswerEvent, now: impl FnOnce() -> Duration) {
        if self.first_file.is_none() && matches!(piece, AnswerEvent::FileStarted { .. }) {
            self.first_file = Some(now());
        }
    }

    /// Notes the attempt of this number.
    pub(crate) fn note_attempt(
        &mut self,
        (number, attempt): (usize, Attempt),
        (start, end): (Duration, Duration),
        first_event: Option<Duration>,
        usage: Option<Usage>,
    ) {
        self.attempts.push(AttemptTiming { number, start, end, first_event, attempt, usage });
    }
}
