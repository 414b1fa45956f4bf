"""OpenTelemetry spans and metrics, for programs that use it: imported by the first call that finds it loaded.

Names follow the semantic conventions for generative AI, v0.1.0 (open-telemetry/semantic-conventions-genai). The names
that it replaced are sent too where OTEL_SEMCONV_STABILITY_OPT_IN lists `claude_code/dup`. The text of prompts and
answers is noted only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is true.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

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
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


# What metrics are labelled with, as a key: their names are always the same.
Labels = tuple[tuple[str, str], ...]


class Instruments:
    """Tracer and instruments of one pair of providers. Counters are summed up here and read when metrics are collected:
    an `add` of each would cost a call more than all the rest of it. For the same reason there are no histograms of
    tokens: the sums are metrics, and each call's own are on its span."""

    def __init__(self) -> None:
        self.tracing = trace.get_tracer_provider()
        self.metering = metrics.get_meter_provider()
        self.tracer = self.tracing.get_tracer("claude_code", __version__)
        meter = self.metering.get_meter("claude_code", __version__)
        self.lock = threading.Lock()
        # Read once, as OpenTelemetry reads its variables.
        self.old_names = sends_old_names()
        self.captures = os.environ.get(CAPTURE, "").lower() == "true"
        self.sums: dict[Labels, list[float]] = {}
        self.duration = meter.create_histogram(
            "gen_ai.client.inference.duration",
            unit="s",
            description="From the request to its end.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        for at, name in enumerate(USAGE):
            full = f"gen_ai.client.inference.usage.{name}"
            meter.create_observable_counter(full, [self.reader(at)], unit="{token}")
        meter.create_observable_counter(
            "claude_code.cost", [self.reader(COST)], unit="{USD}", description="What requests cost."
        )
        self.old_duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self.old_tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")

    def add(self, labels: dict[str, str], figures: tuple[float, ...]) -> None:
        """Adds a call's tokens and cost."""
        key = tuple(labels.items())
        with self.lock:
            sums = self.sums.get(key)
            if sums is None:
                sums = self.sums[key] = [0] * len(figures)
            for at, figure in enumerate(figures):
                sums[at] += figure

    def reader(self, at: int) -> Callable[[CallbackOptions], Iterable[Observation]]:
        """Gives one of the sums, for each combination of labels that has some."""

        def read(_: CallbackOptions) -> list[Observation]:
            with self.lock:
                return [Observation(sums[at], dict(labels)) for labels, sums in self.sums.items() if sums[at]]

        return read


_INSTRUMENTS: list[Instruments] = []


class Call:
    """A call under way: its span, when it began, and what its metrics are labelled with."""

    __slots__ = ("labels", "span", "started")

    def __init__(self, span: Span, labels: dict[str, str]) -> None:
        self.span = span
        self.labels = labels
        self.started = time.monotonic()


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


def begin(
    provider: str, model: str | None, max_tokens: int | None, temperature: float | None, prompt: str | None
) -> Call:
    """A call that begins now, with a span under the caller's current one."""
    labels = {"gen_ai.operation.name": OPERATION, "gen_ai.provider.name": PROVIDERS.get(provider, provider)}
    if model is not None:
        labels["gen_ai.request.model"] = model
    attributes: dict[str, str | int | float] = {**labels}
    if max_tokens is not None:
        attributes["gen_ai.request.max_tokens"] = max_tokens
    if temperature is not None:
        attributes["gen_ai.request.temperature"] = temperature
    if prompt is not None:
        attributes["gen_ai.input.messages"] = message("user", prompt)
    name = f"{OPERATION} {model}" if model else OPERATION
    span = instruments().tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
    return Call(span, labels)


def finish(call: Call, generation: Generation) -> None:
    """Ends the span of a call that gave a result."""
    span, usage, cost = call.span, generation.usage, generation.receipt.total_usd
    read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    tokens = (
        usage.input_tokens + read + written,
        usage.output_tokens,
        read,
        written,
        usage.thinking_tokens or 0,
    )
    call.labels["gen_ai.response.model"] = generation.model
    measure(call, (*tokens, float(cost or 0)))
    if not span.is_recording():
        span.end()
        return
    attempts = generation.attempts
    attributes: dict[str, Any] = {
        "gen_ai.response.id": generation.id,
        "gen_ai.response.model": generation.model,
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "claude_code.accepted": generation.accepted,
        "claude_code.tier": generation.tier,
        "claude_code.files": len(generation.files),
        "claude_code.attempts": len(attempts),
        "claude_code.cached": generation.cached is not None,
        "claude_code.sample": generation.sample,
    }
    for at in (2, 3, 4):
        if tokens[at]:
            attributes[f"gen_ai.usage.{USAGE[at]}"] = tokens[at]
    if generation.stop_reason is not None:
        attributes["gen_ai.response.finish_reasons"] = [generation.stop_reason]
    if cost is not None:
        attributes["claude_code.cost_usd"] = str(cost)
    to = instruments()
    if to.old_names:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = written
    if to.captures:
        attributes["gen_ai.output.messages"] = message("assistant", generation.text)
    span.set_attributes(attributes)
    # One attempt is the call itself.
    for attempt in attempts if len(attempts) > 1 else ():
        span.add_event(
            "claude_code.attempt",
            {
                "claude_code.reason": attempt.why,
                "gen_ai.request.model": attempt.model,
                "claude_code.outcome": attempt.outcome,
            },
        )
    span.end()


def measure(call: Call, figures: tuple[float, ...] = ()) -> None:
    """Notes a call's duration, tokens and cost in the program's metrics."""
    labels, took, to = call.labels, time.monotonic() - call.started, instruments()
    to.duration.record(took, labels)
    if figures:
        to.add(labels, figures)
    if to.old_names:
        to.old_duration.record(took, {**labels, "gen_ai.operation.name": OLD_OPERATION})
        for kind, count in zip(("input", "output"), figures):
            to.old_tokens.record(count, {**labels, "gen_ai.token.type": kind})


def fail(call: Call, kind: str) -> None:
    """Ends the span of a call that raised."""
    span = call.span
    call.labels["error.type"] = kind
    measure(call)
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def cancel(call: Call) -> None:
    """Ends the span of a call that nobody waited for any more."""
    fail(call, "cancelled")


def message(role: str, text: str) -> str:
    """One message in the conventions' JSON."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
