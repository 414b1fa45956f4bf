"""OpenTelemetry: spans where the program has it, and nothing where it has not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from conftest import REVERSE, Run

import claude_code
from claude_code.testing import Twin

trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
telemetry = pytest.importorskip("claude_code._telemetry")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

PROVIDER = sdk.TracerProvider()
SPANS = memory.InMemorySpanExporter()
PROVIDER.add_span_processor(export.SimpleSpanProcessor(SPANS))


@pytest.fixture(autouse=True)
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: PROVIDER)
    SPANS.clear()
    telemetry._INSTRUMENTS.clear()
    yield
    SPANS.clear()


def test_a_call_is_a_span_with_what_it_came_to(claude_twin: Twin) -> None:
    with PROVIDER.get_tracer("mine").start_as_current_span("mine") as mine:
        g = claude_twin.client().generate(REVERSE, model="haiku", max_tokens=900)
    span, _ = SPANS.get_finished_spans()
    assert span.name == "chat haiku"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.parent.span_id == mine.get_span_context().span_id
    seen = dict(span.attributes)
    assert seen == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "haiku",
        "gen_ai.request.max_tokens": 900,
        "gen_ai.response.id": g.id,
        "gen_ai.response.model": g.model,
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": g.usage.input_tokens,
        "gen_ai.usage.output_tokens": g.usage.output_tokens,
        "claude_code.accepted": True,
        "claude_code.tier": "simple",
        "claude_code.files": 1,
        "claude_code.attempts": 1,
        "claude_code.cached": False,
        "claude_code.sample": False,
        "claude_code.cost_usd": str(g.receipt.total_usd),
    }


def test_metrics_have_the_names_of_the_conventions(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = pytest.importorskip("opentelemetry.metrics")
    kept = pytest.importorskip("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    provider = pytest.importorskip("opentelemetry.sdk.metrics").MeterProvider([kept])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    g = claude_twin.client().generate(REVERSE, model="haiku", cache="off")
    found = points(kept)
    labels = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "haiku",
        "gen_ai.response.model": g.model,
    }
    assert set(found) == {
        "gen_ai.client.inference.duration",
        "gen_ai.client.inference.usage.input_tokens",
        "gen_ai.client.inference.usage.output_tokens",
        "claude_code.cost",
    }
    duration = found["gen_ai.client.inference.duration"]
    assert dict(duration.attributes) == labels
    assert duration.explicit_bounds[:3] == (0.01, 0.02, 0.04)
    assert found["gen_ai.client.inference.usage.output_tokens"].value == g.usage.output_tokens
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http/dup,claude_code/dup")
    telemetry._INSTRUMENTS.clear()
    claude_twin.client().generate(REVERSE, model="haiku", cache="off")
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= set(points(kept))


def points(reader: Any) -> dict[str, Any]:
    data = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    return {metric.name: metric.data.data_points[0] for scope in scopes for metric in scope.metrics}


def test_neither_prompt_nor_answer_is_in_a_span_unless_asked_for(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = claude_twin.client()
    client.generate(REVERSE, cache="off")
    (span,) = SPANS.get_finished_spans()
    assert "reverse" not in span.to_json()
    SPANS.clear()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    telemetry._INSTRUMENTS.clear()
    client.generate(REVERSE, cache="off")
    (span,) = SPANS.get_finished_spans()
    assert REVERSE in span.attributes["gen_ai.input.messages"]
    assert "def " in span.attributes["gen_ai.output.messages"]


def test_every_way_of_asking_is_one_span(claude_twin: Twin) -> None:
    client, later = claude_twin.client(), claude_twin.async_client()

    async def main() -> None:
        await later.generate(REVERSE, cache="off")
        async for _ in later.stream(REVERSE, cache="off"):
            pass
        await later.generate(REVERSE, cache="off", on_event=lambda event: None)
        later.generate(REVERSE, cache="off").close()

    client.generate(REVERSE, cache="off")
    client.stream(REVERSE, cache="off").collect()
    client.generate(REVERSE, cache="off", on_event=lambda event: None)
    asyncio.run(main())
    spans = SPANS.get_finished_spans()
    assert len(spans) == 6
    assert len({span.attributes["gen_ai.response.id"] for span in spans}) == 6


def test_what_fails_is_an_error_with_its_kind(claude_twin: Twin) -> None:
    client = claude_twin.client()
    claude_twin.refuse("invalid", times=2)
    asks: list[Callable[[], object]] = [
        lambda: client.generate(REVERSE),
        lambda: client.stream(REVERSE).collect(),
    ]
    for ask in asks:
        with pytest.raises(claude_code.InvalidRequestError) as caught:
            ask()
        span = SPANS.get_finished_spans()[-1]
        assert span.attributes["error.type"] == caught.value.kind
        assert span.status.status_code is trace.StatusCode.ERROR


def test_a_closed_stream_and_a_cancelled_call_end_their_spans(claude_twin: Twin) -> None:
    claude_twin.fault(pace=0.02)
    with claude_twin.client().stream(REVERSE) as s:
        next(s)
    claude_twin.fault(stall_at=0)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(claude_twin.async_client().generate(REVERSE, cache="off"), 0.2)

    asyncio.run(main())
    gc.collect()
    spans = SPANS.get_finished_spans()
    assert [span.attributes["error.type"] for span in spans] == ["cancelled", "cancelled"]


def test_without_it_nothing_is_imported(run: Run) -> None:
    done = run(f"""
        import sys
        import claude_code
        claude_code.Client.local().generate({REVERSE!r})
        print([name for name in sys.modules if "opentelemetry" in name or "_telemetry" in name])
    """)
    assert (done.stdout, done.stderr) == ("[]\n", "")
