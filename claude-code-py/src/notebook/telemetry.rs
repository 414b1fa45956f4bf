//! OpenTelemetry, if the program has imported it: a span for each call and one for each attempt below it, written by
//! `claude_code._telemetry`. Without it nothing is imported and nothing is noted.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use claude_code_aws::metrics::AttemptSpan;
use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{Error, Generation as Made, GenerationStream, TraceContext};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::client::shared::Shared;
use crate::result::generation::Generation;
use crate::runtime::{self, Process};

/// The program imports this before it can have a tracer.
const LOADED: &str = "opentelemetry.trace";
/// The variable by which all of OpenTelemetry's instrumentations are asked for the text of messages.
const CAPTURE: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/// Trace of a call: what its span tells the request, which is sent later and elsewhere, and what that tells back.
#[derive(Default)]
pub(crate) struct Trace {
    /// The span that the service is told, and whether attempts have spans of their own.
    span: OnceLock<(TraceContext, bool)>,
    attempts: Mutex<Vec<AttemptSpan>>,
}

impl Trace {
    /// The request within its trace; called when it is sent.
    pub(crate) fn around(trace: Option<&Trace>, request: GenerateRequest) -> GenerateRequest {
        match trace.and_then(|trace| trace.span.get()).cloned() {
            Some((span, true)) => request.with_own_span(span),
            Some((span, false)) => request.with_trace(span),
            None => request,
        }
    }

    /// Keeps the attempts of a request whose result was handed out.
    pub(crate) fn keep(&self, stream: &mut GenerationStream) {
        *self.attempts.lock().unwrap_or_else(PoisonError::into_inner) = stream.attempts();
    }

    fn attempts(&self) -> Vec<Attempt> {
        let attempts = std::mem::take(&mut *self.attempts.lock().unwrap_or_else(PoisonError::into_inner));
        attempts.into_iter().map(attempt).collect()
    }
}

/// Begins a span in the caller's thread, as soon as the call itself begins.
pub(crate) struct Watch {
    trace: Arc<Trace>,
    provider: &'static str,
    model: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    effort: Option<&'static str>,
    /// The prompt, if its text was asked for.
    prompt: Option<String>,
    /// Of a request of a batch, which is told afterwards: its context, and where it is known its start in nanoseconds since
    /// 1970.
    within: Option<(Py<PyAny>, Option<i64>)>,
}

/// What a call is to note about itself; none where nobody listens.
pub(crate) fn watch(py: Python<'_>, request: &GenerateRequest, client: &Shared) -> Option<Watch> {
    if !is_loaded(py).unwrap_or(false) {
        return None;
    }
    let captures = std::env::var(CAPTURE).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    Some(Watch {
        trace: Arc::default(),
        provider: client.provider(),
        model: client.model(request),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        effort: request.effort.map(|effort| effort.as_str()),
        prompt: captures.then(|| request.prompt.clone()),
        within: None,
    })
}

/// The caller's context, and its span as a request is told it; none where nobody listens.
pub(crate) fn current(py: Python<'_>) -> Option<(Py<PyAny>, Option<TraceContext>)> {
    if !is_loaded(py).unwrap_or(false) {
        return None;
    }
    let told = ours(py).and_then(|module| module.call_method0("current")).ok()?;
    let (context, headers): (Py<PyAny>, Option<Headers>) = told.extract().ok()?;
    let span = headers.and_then(|(parent, state, _)| TraceContext::parse(&parent, state.as_deref()));
    Some((context, span))
}

fn is_loaded(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    modules.bind(py).contains(LOADED)
}

/// A span as the headers of a request have it, and whether its attempts are recorded below it.
type Headers = (String, Option<String>, bool);

impl Watch {
    /// The trace of the call that it begins.
    pub(crate) fn trace(&self) -> Arc<Trace> {
        self.trace.clone()
    }

    /// The same for a request that is over: its context, and its start in milliseconds since 1970.
    pub(crate) fn within(self, context: Py<PyAny>, began: Option<i64>) -> Self {
        let began = began.map(|milliseconds| milliseconds.saturating_mul(1_000_000));
        Watch { within: Some((context, began)), ..self }
    }

    /// The span of a call that begins now. What fails here costs the span and not the call.
    pub(crate) fn begin(self, py: Python<'_>) -> Option<Span> {
        let Watch { trace, provider, model, max_tokens, temperature, effort, prompt, within } = self;
        let begin = ours(py).and_then(|module| module.getattr("begin")).ok()?;
        let (context, began) = within.map_or((None, None), |(context, began)| (Some(context), began));
        let told = (provider, model, max_tokens, temperature, effort, prompt, began, context);
        let call = begin.call1(told).ok()?;
        let headers: Option<Headers> = call.getattr("headers").and_then(|headers| headers.extract()).ok()?;
        if let Some((parent, state, records)) = headers
            && let Some(span) = TraceContext::parse(&parent, state.as_deref())
        {
            let _ = trace.span.set((span, records));
        }
        Some(Span { call: Some(call.unbind()), trace, process: Process::current() })
    }
}

fn ours(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("claude_code._telemetry")
}

/// A span that is open. Dropped, it ends as cancelled.
pub(crate) struct Span {
    call: Option<Py<PyAny>>,
    trace: Arc<Trace>,
    process: &'static Process,
}

impl Span {
    /// Ends the span with a call's result, or what it raised.
    pub(crate) fn end(self, py: Python<'_>, result: Result<&Bound<'_, PyAny>, &PyErr>) {
        match result {
            Ok(value) => {
                let Ok(generation) = value.cast::<Generation>() else { return };
                self.finish(py, generation);
            }
            Err(error) => {
                let error = error.value(py);
                let kind = error.getattr("kind").ok().filter(|kind| !kind.is_none());
                let kind = kind.or_else(|| error.get_type().name().ok().map(Bound::into_any));
                let kind = kind.and_then(|kind| kind.extract::<String>().ok()).unwrap_or_default();
                let partial = error.getattr("partial").ok();
                let partial = partial.as_ref().and_then(|partial| partial.cast::<Generation>().ok());
                self.failed(py, &kind, partial.map(|partial| facts(&partial.get().value)));
            }
        }
    }

    /// Ends the span with a result.
    pub(crate) fn finish(mut self, py: Python<'_>, generation: &Bound<'_, Generation>) {
        let (call, facts) = (self.call.take(), facts(&generation.get().value));
        tell(py, "finish", (call, facts, self.trace.attempts(), generation));
    }

    /// Ends the span with an error.
    pub(crate) fn fail(self, py: Python<'_>, error: &Error) {
        self.failed(py, error.kind().as_str(), error.partial().map(facts));
    }

    fn failed(mut self, py: Python<'_>, kind: &str, partial: Option<Facts>) {
        let call = self.call.take();
        tell(py, "fail", (call, kind, partial, self.trace.attempts()));
    }
}

/// An exporter's trouble is not the caller's.
fn tell<'py>(py: Python<'py>, what: &str, values: impl pyo3::call::PyCallArgs<'py>) {
    drop(ours(py).and_then(|module| module.call_method1(what, values)));
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        if runtime::is_stopped() || !self.process.is_current() {
            return;
        }
        Python::try_attach(|py| {
            // What owns it may go while an exception is on its way: that one must come through.
            let raised = PyErr::take(py);
            tell(py, "cancel", (call,));
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}

/// A result in figures: (id, model, tier, stop reason, cost), tokens, (accepted, files, attempts, cached, sample).
type Facts = (
    (String, String, &'static str, Option<String>, Option<String>),
    (u64, u64, u64, u64, u64),
    (bool, usize, usize, bool, bool),
);

fn facts(made: &Made) -> Facts {
    let usage = &made.usage;
    let stop = made.stop_reason.as_ref().map(ToString::to_string);
    let cost = made.receipt.total().priced().map(|cost| cost.to_string());
    (
        (made.id.clone(), made.model.clone(), made.tier.as_str(), stop, cost),
        (
            usage.prompt_tokens(),
            usage.output_tokens,
            usage.cache_read_input_tokens,
            usage.cache_creation_input_tokens(),
            usage.thinking_tokens.unwrap_or_default(),
        ),
        (made.accepted, made.files.len(), made.attempts.len(), made.cached.is_some(), made.sample),
    )
}

/// An attempt: span id, start and end in nanoseconds since 1970, (reason, model, outcome, milliseconds waited, the service's
/// id), seconds to the first event from its start and from the request's.
type Attempt = (u64, u64, u64, (String, String, String, u64, Option<String>), Option<f64>, Option<f64>);

fn attempt(span: AttemptSpan) -> Attempt {
    let AttemptSpan { context, origin, timing, .. } = span;
    let origin = u64::try_from(origin.0).unwrap_or_default().saturating_mul(1_000_000);
    let at = |after: std::time::Duration| {
        origin.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX))
    };
    let first = timing.first_event.map(|first| first.as_secs_f64());
    let own = timing.first_event.map(|first| first.saturating_sub(timing.start).as_secs_f64());
    let told = timing.attempt;
    (
        u64::from_be_bytes(context.span_id),
        at(timing.start),
        at(timing.end.max(timing.start)),
        (told.why, told.model, told.outcome, told.waited_ms, told.request_id),
        own,
        first,
    )
}
