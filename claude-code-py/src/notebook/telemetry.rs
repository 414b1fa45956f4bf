//! OpenTelemetry, if the program has imported it: a span for each call, written by `claude_code._telemetry`. Without it
//! nothing is imported and nothing is noted.

use claude_code_aws::ErrorKind;
use claude_code_aws::request::GenerateRequest;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::client::shared::Shared;
use crate::runtime::{self, Process};

/// The program imports this before it can have a tracer.
const LOADED: &str = "opentelemetry.trace";
/// The variable by which all of OpenTelemetry's instrumentations are asked for the text of messages.
const CAPTURE: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/// Begins a span in the caller's thread, as soon as the call itself begins.
pub(crate) struct Watch {
    provider: &'static str,
    model: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    /// The prompt, if its text was asked for.
    prompt: Option<String>,
}

/// What a call is to note about itself; none where nobody listens.
pub(crate) fn watch(py: Python<'_>, request: &GenerateRequest, client: &Shared) -> Option<Watch> {
    if !is_loaded(py).unwrap_or(false) {
        return None;
    }
    let captures = std::env::var(CAPTURE).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    Some(Watch {
        provider: client.provider(),
        model: client.model(request),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        prompt: captures.then(|| request.prompt.clone()),
    })
}

fn is_loaded(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    modules.bind(py).contains(LOADED)
}

impl Watch {
    /// The span of a call that begins now. What fails here costs the span and not the call.
    pub(crate) fn begin(self, py: Python<'_>) -> Option<Span> {
        let Watch { provider, model, max_tokens, temperature, prompt } = self;
        let begin = ours(py).and_then(|module| module.getattr("begin")).ok()?;
        let span = begin.call1((provider, model, max_tokens, temperature, prompt)).ok()?;
        Some(Span(Some(span.unbind()), Process::current()))
    }
}

fn ours(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("claude_code._telemetry")
}

/// A span that is open. Dropped, it ends as cancelled.
pub(crate) struct Span(Option<Py<PyAny>>, &'static Process);

impl Span {
    /// Ends the span with a call's result, or what it raised.
    pub(crate) fn end(self, py: Python<'_>, result: Result<&Bound<'_, PyAny>, &PyErr>) {
        match result {
            Ok(generation) => self.tell(py, "finish", generation.clone()),
            Err(error) => {
                let error = error.value(py);
                let kind = error.getattr("kind").ok().filter(|kind| !kind.is_none());
                let kind = kind.or_else(|| error.get_type().name().ok().map(Bound::into_any));
                self.tell(py, "fail", kind.unwrap_or_else(|| py.None().into_bound(py)));
            }
        }
    }

    /// Ends the span with the kind of an error.
    pub(crate) fn fail(self, py: Python<'_>, kind: ErrorKind) {
        self.tell(py, "fail", PyString::new(py, kind.as_str()).into_any());
    }

    fn tell(mut self, py: Python<'_>, what: &str, value: Bound<'_, PyAny>) {
        let Some(span) = self.0.take() else { return };
        // An exporter's trouble is not the caller's.
        drop(ours(py).and_then(|module| module.call_method1(what, (span, value))));
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(span) = self.0.take() else { return };
        if runtime::is_stopped() || !self.1.is_current() {
            return;
        }
        Python::try_attach(|py| {
            // What owns it may go while an exception is on its way: that one must come through.
            let raised = PyErr::take(py);
            drop(ours(py).and_then(|module| module.call_method1("cancel", (span,))));
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}
