"""Spans for programs that use OpenTelemetry: imported by the first call that finds it loaded, else never.

Names follow the semantic conventions for generative AI. The text of prompts and answers is noted only where
OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT is true.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from ._claude_code import __version__

if TYPE_CHECKING:
    from . import Generation

OPERATION = "generate_content"
PROVIDERS = {"bedrock": "aws.bedrock", "samples": "aws.bedrock"}


def begin(
    provider: str, model: str | None, max_tokens: int | None, temperature: float | None, prompt: str | None
) -> Span:
    """A span that begins now, under the caller's current one."""
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
    if prompt is not None:
        attributes["gen_ai.input.messages"] = message("user", prompt)
    tracer = trace.get_tracer("claude_code", __version__)
    return tracer.start_span(
        f"{OPERATION} {model}" if model else OPERATION, kind=SpanKind.CLIENT, attributes=attributes
    )


def finish(span: Span, generation: Generation) -> None:
    """Ends the span of a call that gave a result."""
    if not span.is_recording():
        span.end()
        return
    usage, receipt = generation.usage, generation.receipt
    span.set_attributes(
        {
            "gen_ai.response.id": generation.id,
            "gen_ai.response.model": generation.model,
            "gen_ai.usage.input_tokens": usage.input_tokens
            + usage.cache_read_input_tokens
            + usage.cache_creation_input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "claude_code.accepted": generation.accepted,
            "claude_code.attempts": len(generation.attempts),
            "claude_code.cached": generation.cached is not None,
            "claude_code.sample": generation.sample,
        }
    )
    if generation.stop_reason is not None:
        span.set_attribute("gen_ai.response.finish_reasons", [generation.stop_reason])
    if receipt.total_usd is not None:
        span.set_attribute("claude_code.cost_usd", str(receipt.total_usd))
    if os.environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").lower() == "true":
        span.set_attribute("gen_ai.output.messages", message("assistant", generation.text))
    span.end()


def fail(span: Span, kind: str) -> None:
    """Ends the span of a call that raised."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def cancel(span: Span) -> None:
    """Ends the span of a call that nobody waited for any more."""
    fail(span, "cancelled")


def message(role: str, text: str) -> str:
    """One message in the conventions' JSON."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
