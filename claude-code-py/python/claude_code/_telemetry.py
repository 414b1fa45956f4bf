"""OpenTelemetry spans and metrics, for programs that use it: imported by the first call that finds it loaded.

Names follow the semantic conventions for generative AI, v0.1.0 (open-telemetry/semantic-conventions-genai). The names
that it replaced are sent too where OTEL_SEMCONV_STABILITY_OPT_IN lists `claude_code/dup`. The text of prompts and
answers is noted only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is true.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from ._claude_code import __version__

if TYPE_CHECKING:
    from . import Generation

OPERATION = "chat"
OLD_OPERATION = "generate_content"
PROVIDERS = {"bedrock": "aws.bedrock", "samples": "aws.bedrock"}
BOUNDARIES = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
USAGE = {
    "input_tokens": "{token}",
    "output_tokens": "{token}",
    "cache_read.input_tokens": "{token}",
    "cache_write.input_tokens": "{token}",
    "reasoning.output_tokens": "{token}",
}


class Meters:
    """The instruments of one meter provider."""

    def __init__(self) -> None:
        self.provider = metrics.get_meter_provider()
        meter = metrics.get_meter("claude_code", __version__)
        self.duration = meter.create_histogram(
            "gen_ai.client.inference.duration",
            unit="s",
            description="From the request to its end.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        self.usage = {
            name: meter.create_counter(f"gen_ai.client.inference.usage.{name}", unit=unit)
            for name, unit in USAGE.items()
        }
        self.tokens = {
            name: meter.create_histogram(f"gen_ai.client.inference.operation.{name}", unit="{token}")
            for name in ("input_tokens", "output_tokens")
        }
        self.cost = meter.create_counter("claude_code.cost", unit="{USD}", description="What requests cost.")
        self.old_duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
        self.old_tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")


_METERS: list[Meters] = []


class Call:
    """A call under way: its span, when it began, and what its metrics are labelled with."""

    __slots__ = ("labels", "span", "started")

    def __init__(self, span: Span, labels: dict[str, Any]) -> None:
        self.span = span
        self.labels = labels
        self.started = time.monotonic()


def meters() -> Meters:
    """The instruments; made anew when the program sets another meter provider."""
    if not _METERS or _METERS[0].provider is not metrics.get_meter_provider():
        _METERS[:] = [Meters()]
    return _METERS[0]


def sends_old_names() -> bool:
    """Whether the names before v0.1.0 are sent too."""
    chosen = os.environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "")
    return "claude_code/dup" in [name.strip() for name in chosen.split(",")]


def begin(
    provider: str, model: str | None, max_tokens: int | None, temperature: float | None, prompt: str | None
) -> Call:
    """A call that begins now, with a span under the caller's current one."""
    attributes: dict[str, str | int | float] = {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": PROVIDERS.get(provider, provider),
    }
    given = {
        "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": max_tokens,
        "gen_ai.request.temperature": temperature,
    }
    attributes.update({name: value for name, value in given.items() if value is not None})
    labels: dict[str, Any] = {
        name: attributes[name]
        for name in ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model")
        if name in attributes
    }
    if prompt is not None:
        attributes["gen_ai.input.messages"] = message("user", prompt)
    tracer = trace.get_tracer("claude_code", __version__)
    span = tracer.start_span(
        f"{OPERATION} {model}" if model else OPERATION, kind=SpanKind.CLIENT, attributes=attributes
    )
    return Call(span, labels)


def finish(call: Call, generation: Generation) -> None:
    """Ends the span of a call that gave a result."""
    span = call.span
    usage, receipt = generation.usage, generation.receipt
    tokens = {
        "input_tokens": usage.input_tokens
        + usage.cache_read_input_tokens
        + usage.cache_creation_input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read.input_tokens": usage.cache_read_input_tokens,
        "cache_write.input_tokens": usage.cache_creation_input_tokens,
        "reasoning.output_tokens": usage.thinking_tokens or 0,
    }
    measure(call, {"gen_ai.response.model": generation.model}, tokens)
    if receipt.total_usd is not None:
        meters().cost.add(float(receipt.total_usd), {"gen_ai.response.model": generation.model})
    if not span.is_recording():
        span.end()
        return
    attributes: dict[str, Any] = {
        "gen_ai.response.id": generation.id,
        "gen_ai.response.model": generation.model,
        "gen_ai.conversation.id": generation.id,
        **{f"gen_ai.usage.{name}": count for name, count in tokens.items() if count or "." not in name},
        "claude_code.accepted": generation.accepted,
        "claude_code.tier": generation.tier,
        "claude_code.files": len(generation.files),
        "claude_code.attempts": len(generation.attempts),
        "claude_code.cached": generation.cached is not None,
        "claude_code.sample": generation.sample,
    }
    if generation.stop_reason is not None:
        attributes["gen_ai.response.finish_reasons"] = [generation.stop_reason]
    if receipt.total_usd is not None:
        attributes["claude_code.cost_usd"] = str(receipt.total_usd)
    if sends_old_names():
        attributes["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_creation_input_tokens
    span.set_attributes(attributes)
    for attempt in generation.attempts:
        span.add_event(
            "claude_code.attempt",
            {
                "claude_code.reason": attempt.why,
                "gen_ai.request.model": attempt.model,
                "claude_code.outcome": attempt.outcome,
            },
        )
    if os.environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").lower() == "true":
        span.set_attribute("gen_ai.output.messages", message("assistant", generation.text))
    span.end()


def measure(call: Call, more: dict[str, str], tokens: dict[str, int]) -> None:
    """Notes a call's duration and tokens in the program's metrics."""
    labels, took, to = {**call.labels, **more}, time.monotonic() - call.started, meters()
    to.duration.record(took, labels)
    for name, count in tokens.items():
        if count:
            to.usage[name].add(count, labels)
    for name in to.tokens:
        if name in tokens:
            to.tokens[name].record(tokens[name], labels)
    if sends_old_names():
        to.old_duration.record(took, {**labels, "gen_ai.operation.name": OLD_OPERATION})
        for kind in ("input", "output"):
            if f"{kind}_tokens" in tokens:
                to.old_tokens.record(tokens[f"{kind}_tokens"], {**labels, "gen_ai.token.type": kind})


def fail(call: Call, kind: str) -> None:
    """Ends the span of a call that raised."""
    span = call.span
    measure(call, {"error.type": kind}, {})
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def cancel(call: Call) -> None:
    """Ends the span of a call that nobody waited for any more."""
    fail(call, "cancelled")


def message(role: str, text: str) -> str:
    """One message in the conventions' JSON."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
