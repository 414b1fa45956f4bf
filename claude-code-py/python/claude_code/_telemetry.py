"""OpenTelemetry spans and metrics, for programs that use it: imported by the first call that finds it loaded.

Names follow the semantic conventions for generative AI, v0.1.0 (open-telemetry/semantic-conventions-genai). The names
that it replaced are sent too where OTEL_SEMCONV_STABILITY_OPT_IN lists `claude_code/dup`. The text of prompts and
answers is noted only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is true.

A request is a span of kind client, and each of its attempts one below it, whose id the service was told in the header
`traceparent`.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Optional

from opentelemetry import context, metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode

from ._claude_code import __version__

if TYPE_CHECKING:
    from . import Generation

OPERATION = "chat"
OLD_OPERATION = "generate_content"
PROVIDERS = {"bedrock": "aws.bedrock", "samples": "aws.bedrock"}
BOUNDARIES = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
USAGE = (
    "input_tokens",
    "output_tokens",
    "cache_read.input_tokens",
    "cache_write.input_tokens",
    "reasoning.output_tokens",
)
COST = len(USAGE)
# So many durations are recorded at a time.
TOGETHER = 64
# Tokens that most requests have none of, with their names on a span.
RARE = tuple((at, f"gen_ai.usage.{USAGE[at]}") for at in (2, 3, 4))
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
FAILED, UNSET = Status(StatusCode.ERROR), Status(StatusCode.UNSET)

# What metrics are labelled with, as a key: their names are always the same.
Labels = tuple[tuple[str, str], ...]
# A result in figures: (id, model, tier, stop reason, cost), tokens as in USAGE, (accepted, files, attempts, cached,
# sample).
Facts = tuple[
    tuple[str, str, str, Optional[str], Optional[str]],
    tuple[int, int, int, int, int],
    tuple[bool, int, int, bool, bool],
]
# An attempt: span id, start and end in nanoseconds, (reason, model, outcome, milliseconds waited, the service's id),
# seconds to the first event from its start and from the request's.
Attempt = tuple[int, int, int, tuple[str, str, str, int, Optional[str]], Optional[float], Optional[float]]
# A span as the headers `traceparent` and `tracestate`, and whether attempts are recorded below it.
Headers = tuple[str, Optional[str], bool]


class Instruments:
    """Tracer and instruments of one pair of providers. Counters are summed up here and read when metrics are collected:
    an `add` of each would cost a call more than all the rest of it. For the same reason there are no histograms of
    tokens: the sums are metrics, and each call's own are on its span; and durations are recorded some at a time, which
    takes the SDK half as long."""

    def __init__(self) -> None:
        self.tracing = trace.get_tracer_provider()
        self.metering = metrics.get_meter_provider()
        self.tracer = self.tracing.get_tracer("claude_code", __version__)
        # The SDK's; of another implementation attempts are events of their request's span.
        self.processor = getattr(self.tracer, "span_processor", None)
        self.readable = getattr(sys.modules.get("opentelemetry.sdk.trace"), "ReadableSpan", None)
        meter = self.metering.get_meter("claude_code", __version__)
        self.lock = threading.Lock()
        # Read once, as OpenTelemetry reads its variables.
        self.old_names = sends_old_names()
        self.captures = os.environ.get(CAPTURE, "").lower() == "true"
        self.sums: dict[Labels, list[float]] = {}
        self.durations: list[tuple[float, dict[str, str], Context]] = []
        self.duration = meter.create_histogram(
            "gen_ai.client.inference.duration",
            unit="s",
            description="From the request to its end.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        # For exemplars; older versions of OpenTelemetry take the current one.
        self.in_context = "context" in inspect.signature(self.duration.record).parameters
        for at, name in enumerate(USAGE):
            full = f"gen_ai.client.inference.usage.{name}"
            meter.create_observable_counter(full, [self.reader(at)], unit="{token}")
        meter.create_observable_counter(
            "claude_code.cost", [self.reader(COST)], unit="{USD}", description="What requests cost."
        )
        self.old_duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self.old_tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")

    def add(self, labels: dict[str, str], tokens: tuple[int, ...], cost: float) -> None:
        """Adds a call's tokens and cost."""
        key = tuple(labels.items())
        with self.lock:
            sums = self.sums.get(key)
            if sums is None:
                sums = self.sums[key] = [0] * (COST + 1)
            for at, figure in enumerate(tokens):
                if figure:
                    sums[at] += figure
            sums[COST] += cost

    def took(self, seconds: float, labels: dict[str, str]) -> None:
        """Notes a call's duration; those that wait are recorded when metrics are read, at the latest."""
        with self.lock:
            self.durations.append((seconds, labels, context.get_current()))
            enough = len(self.durations) >= TOGETHER
        if enough:
            self.record()

    def record(self) -> None:
        """Records the durations that wait."""
        with self.lock:
            waiting, self.durations = self.durations, []
        for seconds, labels, within in waiting:
            if self.in_context:
                self.duration.record(seconds, labels, within)
            else:
                self.duration.record(seconds, labels)

    def reader(self, at: int) -> Callable[[CallbackOptions], Iterable[Observation]]:
        """Gives one of the sums, for each combination of labels that has some."""

        def read(_: CallbackOptions) -> list[Observation]:
            self.record()
            with self.lock:
                return [Observation(sums[at], dict(labels)) for labels, sums in self.sums.items() if sums[at]]

        return read


_INSTRUMENTS: list[Instruments] = []


class Call:
    """A call under way: its span, when it began, what its metrics are labelled with, and what the service is told."""

    __slots__ = ("headers", "labels", "span", "started", "to")

    def __init__(self, to: Instruments, span: Span, labels: dict[str, str], began: int | None) -> None:
        self.to = to
        self.span = span
        self.labels = labels
        records = to.processor is not None and to.readable is not None and span.is_recording()
        self.headers = headers(span.get_span_context(), records)
        self.started = (
            time.monotonic() if began is None else time.monotonic() - (time.time_ns() - began) / 1e9
        )


def instruments() -> Instruments:
    """The instruments; made anew when the program sets another provider."""
    if _INSTRUMENTS:
        known = _INSTRUMENTS[0]
        if known.tracing is trace.get_tracer_provider() and known.metering is metrics.get_meter_provider():
            return known
    _INSTRUMENTS[:] = [Instruments()]
    return _INSTRUMENTS[0]


def sends_old_names() -> bool:
    """Whether the names before v0.1.0 are sent too."""
    chosen = os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "")
    return "claude_code/dup" in [name.strip() for name in chosen.split(",")]


def headers(of: SpanContext, records: bool) -> Headers | None:
    """A span as W3C Trace Context writes it; None: there is none."""
    if not of.is_valid:
        return None
    state = of.trace_state.to_header() if of.trace_state else None
    return f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags & 1:02x}", state, records


def current() -> tuple[Context, Headers | None]:
    """The caller's context, and its span."""
    return context.get_current(), headers(trace.get_current_span().get_span_context(), False)


def begin(
    provider: str,
    model: str | None,
    max_tokens: int | None,
    temperature: float | None,
    effort: str | None,
    prompt: str | None,
    began: int | None,
    within: Context | None,
) -> Call:
    """A call that begins now, with a span under the caller's current one; or one that began before, in its context."""
    labels = {"gen_ai.operation.name": OPERATION, "gen_ai.provider.name": PROVIDERS.get(provider, provider)}
    if model is not None:
        labels["gen_ai.request.model"] = model
    attributes: dict[str, Any] = {**labels, "gen_ai.request.stream": True}
    if max_tokens is not None:
        attributes["gen_ai.request.max_tokens"] = max_tokens
    if temperature is not None:
        attributes["gen_ai.request.temperature"] = temperature
    if effort is not None:
        attributes["gen_ai.request.reasoning.level"] = effort
    if prompt is not None:
        attributes["gen_ai.input.messages"] = message("user", prompt)
    name = f"{OPERATION} {model}" if model else OPERATION
    to = instruments()
    span = to.tracer.start_span(name, within, SpanKind.CLIENT, attributes, start_time=began)
    return Call(to, span, labels, began)


def finish(call: Call, facts: Facts, attempts: list[Attempt], generation: Generation) -> None:
    """Ends the span of a call that gave a result."""
    span = call.span
    call.labels["gen_ai.response.model"] = facts[0][1]
    measure(call, facts)
    if not span.is_recording():
        span.end()
        return
    attributes = described(call.to, facts, attempts)
    if call.to.captures:
        attributes["gen_ai.output.messages"] = message("assistant", generation.text)
    span.set_attributes(attributes)
    if attempts:
        tell(call, attempts)
    elif facts[2][2] > 1 and not facts[2][3]:
        for attempt in generation.attempts:
            span.add_event("claude_code.attempt", of_attempt(attempt.why, attempt.model, attempt.outcome))
    span.end()


def described(to: Instruments, facts: Facts, attempts: list[Attempt]) -> dict[str, Any]:
    """What a span says of a result."""
    (name, model, tier, stop_reason, cost), tokens, (accepted, files, sends, cached, sample) = facts
    attributes: dict[str, Any] = {
        "gen_ai.response.id": name,
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "claude_code.accepted": accepted,
        "claude_code.tier": tier,
        "claude_code.files": files,
        "claude_code.attempts": sends,
        "claude_code.cached": cached,
    }
    for at, full in RARE:
        if tokens[at]:
            attributes[full] = tokens[at]
    if stop_reason is not None:
        attributes["gen_ai.response.finish_reasons"] = (stop_reason,)
    if cost is not None:
        attributes["claude_code.cost_usd"] = cost
    if sample:
        attributes["claude_code.sample"] = True
    for attempt in attempts:
        if attempt[5] is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = attempt[5]
            break
    if to.old_names:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = tokens[3]
    return attributes


def of_attempt(why: str, model: str, outcome: str) -> dict[str, Any]:
    """What each attempt says."""
    return {"claude_code.reason": why, "gen_ai.request.model": model, "claude_code.outcome": outcome}


def tell(call: Call, attempts: list[Attempt]) -> None:
    """A span for each attempt, below the request's. They are over, and the service has their ids: a tracer would give
    them others, and takes 16 us for each."""
    to = call.to
    span: Any = call.span
    make, processor = to.readable, to.processor
    if make is None or processor is None:
        return
    own = span.get_span_context()
    for number, start, end, (why, model, outcome, waited, request), first, _ in attempts:
        attributes = of_attempt(why, model, outcome)
        if waited:
            attributes["claude_code.waited_ms"] = waited
        if request is not None:
            attributes["aws.request_id"] = request
        if first is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = first
        failed = outcome != "complete"
        if failed:
            attributes["error.type"] = outcome
        begun = span.start_time
        told = make(
            "claude_code.attempt",
            SpanContext(own.trace_id, number, False, own.trace_flags, own.trace_state),
            own,
            span.resource,
            attributes,
            status=FAILED if failed else UNSET,
            start_time=start if start > begun else begun,
            end_time=end if end > begun else begun,
            instrumentation_scope=span.instrumentation_scope,
        )
        processor.on_end(told)


def measure(call: Call, facts: Facts | None) -> None:
    """Notes a call's duration, tokens and cost in the program's metrics."""
    labels, took, to = call.labels, time.monotonic() - call.started, call.to
    to.took(took, labels)
    if facts is not None:
        to.add(labels, facts[1], float(facts[0][4] or 0))
    if to.old_names:
        to.old_duration.record(took, {**labels, "gen_ai.operation.name": OLD_OPERATION})
        for kind, count in zip(("input", "output"), facts[1] if facts else ()):
            to.old_tokens.record(count, {**labels, "gen_ai.token.type": kind})


def fail(call: Call, kind: str, facts: Facts | None, attempts: list[Attempt]) -> None:
    """Ends the span of a call that raised; `facts` are of what it had received."""
    span = call.span
    call.labels["error.type"] = kind
    measure(call, facts)
    if span.is_recording():
        if facts is not None:
            span.set_attributes(described(call.to, facts, attempts))
        span.set_attribute("error.type", kind)
        span.set_status(FAILED)
        tell(call, attempts)
    span.end()


def cancel(call: Call) -> None:
    """Ends the span of a call that nobody waited for any more."""
    fail(call, "cancelled", None, [])


def message(role: str, text: str) -> str:
    """One message in the conventions' JSON."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
