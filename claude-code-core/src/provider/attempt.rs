//! Attempt: its timers, its size limit, the rule on terminal events, and the first error as its result.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::error::ErrorKind;
use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;
use crate::provider::ended::Ended;
use crate::provider::stop_signal::StopSignal;
use crate::provider::timer::Alarm;
use crate::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError, SentFlag, StopReason};
use crate::request::JobAnswer;

/// The longest answer that is taken, in bytes: far above 128,000 tokens.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// How long usage is awaited after the model's stop. It follows at once or never; shorter than connections are kept idle it
/// would be the next timer of the runtime, which is woken for it.
const USAGE_WAIT: Duration = Duration::from_secs(15);

/// How long a send may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the first event.
    pub first_event: Duration,
    /// Between events.
    pub idle: Duration,
    /// Waiting for the model, all in all.
    pub total: Duration,
}

/// An answer on its way.
pub struct Incoming {
    events: BoxStream<'static, Result<ModelEvent, ProviderError>>,
    sent_flag: SentFlag,
    timeouts: Timeouts,
    alarm: Alarm,
    begun: bool,
    opened: Instant,
    first_event: Option<Duration>,
    bytes: usize,
    skipped: u32,
    stop: Option<(StopReason, Option<String>)>,
    usage: Option<Usage>,
    geo: InferenceGeo,
    warnings: Vec<String>,
    fault: Option<ProviderError>,
    interrupt: StopSignal,
}

/// Sends the call. Nothing happens before the first [`next`](Incoming::next).
pub fn open(provider: &dyn ModelProvider, call: ModelCall, timeouts: Timeouts) -> Incoming {
    Incoming {
        sent_flag: call.sent_flag.clone(),
        events: match &call.answered {
            Some(answer) => replayed(answer),
            None => provider.stream(call),
        },
        timeouts,
        alarm: Alarm::default(),
        begun: false,
        opened: Instant::now(),
        first_event: None,
        bytes: 0,
        skipped: 0,
        stop: None,
        usage: None,
        geo: InferenceGeo::default(),
        warnings: Vec::new(),
        fault: None,
        interrupt: StopSignal::default(),
    }
}

/// A batch job's answer as the events of a stream.
fn replayed(answer: &JobAnswer) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
    let stop = ModelEvent::Stop { reason: answer.stop_reason.clone(), detail: None };
    let events =
        [Some(ModelEvent::Text(answer.text.clone())), Some(stop), answer.usage.map(ModelEvent::Usage)];
    stream::iter(events.into_iter().flatten().map(Ok)).boxed()
}

impl Incoming {
    /// The same, ended early by this signal.
    pub(crate) fn until(self, interrupt: StopSignal) -> Self {
        Incoming { interrupt, ..self }
    }

    /// The next piece of the answer's text; none at its end, whatever that end is.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            match self.event().await? {
                ModelEvent::Text(text) => {
                    self.bytes += text.len();
                    if self.stop.is_some() || self.bytes > MAX_ANSWER_BYTES {
                        return self.fail(self.disorder());
                    }
                    if !text.is_empty() {
                        return Some(text);
                    }
                }
                ModelEvent::Thinking { .. } if self.stop.is_none() => {}
                ModelEvent::Stop { reason, detail } if self.stop.is_none() => {
                    self.stop = Some((reason, detail))
                }
                ModelEvent::Usage(usage) if self.stop.is_some() => self.usage = Some(usage),
                ModelEvent::BillingNote { inference_geo, warning } => {
                    if inference_geo != InferenceGeo::Unrestricted {
                        self.geo = inference_geo;
                    }
                    self.warnings.extend(warning.filter(|warning| !self.warnings.contains(warning)));
                }
                ModelEvent::Alive => {}
                ModelEvent::Skipped => self.skipped += 1,
                _ => return self.fail(self.disorder()),
            }
        }
    }

    /// The next event within the limits, or none: at the end, at an error, at a limit.
    async fn event(&mut self) -> Option<ModelEvent> {
        if self.fault.is_some() {
            return None;
        }
        let (limit, name) = self.limit();
        let arrived = self.arrival(limit).await;
        if arrived.is_none() && self.stop.is_none() && self.interrupt.is_set() {
            return self.fail(interrupted());
        }
        match arrived {
            Some(Some(Ok(event))) => {
                // Whatever the provider says, this was sent.
                self.sent_flag.mark();
                let opened = self.opened;
                self.first_event.get_or_insert_with(|| opened.elapsed());
                self.begun |= event != ModelEvent::Alive;
                Some(event)
            }
            Some(Some(Err(fault))) => self.fail(fault),
            Some(None) => None,
            None if self.stop.is_some() => None,
            None => self.fail(self.too_slow(limit, name)),
        }
    }

    /// What arrives within the limit, the end of the stream being something too. What is there already takes no time.
    async fn arrival(&mut self, limit: Duration) -> Option<Option<Result<ModelEvent, ProviderError>>> {
        let mut asked = None;
        // The timer runs only while the model is awaited: a slow reader of the stream uses up none of it.
        let arrived = poll_fn(|cx| match self.events.poll_next_unpin(cx) {
            Poll::Ready(arrived) => Poll::Ready(Some(arrived)),
            Poll::Pending if self.interrupt.poll(cx).is_ready() => Poll::Ready(None),
            Poll::Pending => {
                let due = *asked.get_or_insert_with(Instant::now) + limit;
                self.alarm.poll(due, cx).map(|()| None)
            }
        })
        .await;
        if let Some(asked) = asked {
            self.timeouts.total = self.timeouts.total.saturating_sub(asked.elapsed());
        }
        arrived
    }

    fn limit(&self) -> (Duration, &'static str) {
        let (limit, name) = match (&self.stop, self.begun) {
            (Some(_), _) => (USAGE_WAIT, " without usage"),
            (None, false) => (self.timeouts.first_event, " without a first event"),
            (None, true) => (self.timeouts.idle, " without a next event"),
        };
        if self.timeouts.total < limit { (self.timeouts.total, "") } else { (limit, name) }
    }

    fn fail<T>(&mut self, fault: ProviderError) -> Option<T> {
        self.fault.get_or_insert(fault);
        None
    }

    fn too_slow(&self, limit: Duration, name: &str) -> ProviderError {
        ProviderError::new(
            ErrorKind::Timeout,
            Billing::Maybe,
            format!(
                "timed out after {} s{name}: raise the timeout, or ask for less at once",
                (limit.as_secs_f64() * 10.0).round() / 10.0
            ),
        )
    }

    fn disorder(&self) -> ProviderError {
        let what = if self.bytes > MAX_ANSWER_BYTES {
            format!("the answer is longer than {MAX_ANSWER_BYTES} bytes")
        } else {
            "events arrived after the end of the answer".to_owned()
        };
        ProviderError::new(
            ErrorKind::Protocol,
            Billing::Yes,
            format!("{what}: the stream is damaged, send it again"),
        )
    }

    /// What there is to say of events that this version does not know.
    pub fn passed_over(&self) -> Option<String> {
        (self.skipped > 0).then(|| {
            format!(
                "the answer had {} events that this version does not know; they were ignored",
                self.skipped
            )
        })
    }

    /// How long the first event took.
    pub fn first_event(&self) -> Option<Duration> {
        self.first_event
    }

    /// What to tell of the usage's figures.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Where inference ran, as far as it changes the price.
    pub fn inference_geo(&self) -> &InferenceGeo {
        &self.geo
    }

    /// How it ended, and what it used where the service said so.
    pub fn ended(self) -> (Ended, Option<Usage>) {
        let Incoming { stop, usage, fault, .. } = self;
        let ended = match (fault, stop) {
            (Some(fault), _) => Ended::Fault(fault),
            (None, None) => Ended::Fault(ProviderError::new(
                ErrorKind::Cut,
                Billing::Maybe,
                "the stream ended before the model's stop event: the answer is cut",
            )),
            (None, Some((reason, detail))) => judge(reason, detail.as_deref()),
        };
        (ended, usage)
    }
}

fn interrupted() -> ProviderError {
    ProviderError::new(
        ErrorKind::Interrupted,
        Billing::Maybe,
        "interrupted: the attempt under way was ended and is charged at its ceiling",
    )
}

/// Maps a stop reason to success or fault: only end_turn and stop_sequence are success.
fn judge(reason: StopReason, detail: Option<&str>) -> Ended {
    let detail = detail.map(|d| format!(" ({d})")).unwrap_or_default();
    let fault = |kind, message: String| Ended::Fault(ProviderError::new(kind, Billing::Yes, message));
    match reason {
        reason if reason.is_complete() => Ended::Complete(reason),
        reason if reason.is_truncated() => Ended::Truncated(reason),
        StopReason::Refusal => fault(
            ErrorKind::Refused,
            format!("the model declined{detail}: say what it is for, or ask otherwise"),
        ),
        StopReason::ContentFiltered => {
            fault(ErrorKind::Filtered, format!("a content filter stopped the answer{detail}: ask otherwise"))
        }
        StopReason::GuardrailIntervened => fault(
            ErrorKind::Guardrail,
            format!("the guardrail stopped the answer{detail}: ask otherwise or change it"),
        ),
        other => fault(
            ErrorKind::Protocol,
            format!(
                "stop reason {:?}{detail} is not one of an answer in text: nothing can be made of it",
                other.as_str()
            ),
        ),
    }
}
