"""OpenTelemetry: spans where the program has it, and nothing where it has not."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import REVERSE, Run

import claude_code
from claude_code import AsyncClient, Client
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


class Model:
    """A server with the Messages API: what it answers next, and the trace headers that it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.told: list[tuple[str, str | None]] = []
        self.text = "```python a.py\nx = 1\n```"
        self.message = "no"
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                model.told.append((self.headers["traceparent"], self.headers["tracestate"]))
                status = model.answers.pop(0) if model.answers else 200
                kind = {529: "overloaded_error", 400: "invalid_request_error"}.get(status)
                error = {"type": "error", "error": {"type": kind, "message": model.message}}
                body = events(model.text) if status == 200 else json.dumps(error)
                self.send_response(status)
                self.send_header("content-type", "text/event-stream" if status == 200 else "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def event(kind: str, **fields: object) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


USED = {"input_tokens": 9, "output_tokens": 7}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": USED}


def events(text: str) -> str:
    """An answer as a stream of events."""
    return "".join(
        [
            event("message_start", message=MESSAGE),
            event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}),
            event("content_block_stop", index=0),
            event("message_delta", delta={"stop_reason": "end_turn"}, usage=USED),
            event("message_stop"),
        ]
    )


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    server = Model()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{server.http.server_port}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_a_call_is_a_span_with_what_it_came_to(claude_twin: Twin) -> None:
    with PROVIDER.get_tracer("mine").start_as_current_span("mine") as mine:
        g = claude_twin.client().generate(REVERSE, model="haiku", max_tokens=900)
    attempt, span, _ = SPANS.get_finished_spans()
    assert span.name == "chat haiku"
    assert span.kind is trace.SpanKind.CLIENT
    assert attempt.parent.span_id == span.get_span_context().span_id
    assert span.parent.span_id == mine.get_span_context().span_id
    seen = dict(span.attributes)
    assert 0 < seen.pop("gen_ai.response.time_to_first_chunk") < 10
    assert seen == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "haiku",
        "gen_ai.request.max_tokens": 900,
        "gen_ai.request.stream": True,
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
    for _ in range(telemetry.TOGETHER + 1):
        claude_twin.client().generate(REVERSE, model="haiku", cache="off")
    assert points(kept)["gen_ai.client.inference.duration"].count == telemetry.TOGETHER + 2
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http/dup,claude_code/dup")
    telemetry._INSTRUMENTS.clear()
    claude_twin.client().generate(REVERSE, model="haiku", cache="off")
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= set(points(kept))


def test_each_attempt_is_a_span_below_its_request_and_the_service_is_told_it(model: Model) -> None:
    model.answers = [529, 200]
    with PROVIDER.get_tracer("mine").start_as_current_span("mine") as mine:
        Client(provider="anthropic", store="none").generate(REVERSE, model="haiku", cache="off", effort=None)
    *attempts, span, _ = SPANS.get_finished_spans()
    own = span.get_span_context()
    assert span.parent.span_id == mine.get_span_context().span_id
    assert [attempt.attributes["claude_code.reason"] for attempt in attempts] == ["first", "retry"]
    first, second = attempts
    assert (first.name, first.kind) == ("claude_code.attempt", trace.SpanKind.INTERNAL)
    assert first.attributes["error.type"] == first.attributes["claude_code.outcome"] == "unavailable"
    assert first.status.status_code is trace.StatusCode.ERROR
    assert "error.type" not in second.attributes
    assert second.attributes["claude_code.waited_ms"] > 0
    assert 0 <= second.attributes["gen_ai.response.time_to_first_chunk"] < 10
    assert {attempt.parent.span_id for attempt in attempts} == {own.span_id}
    assert second.resource is span.resource
    assert second.instrumentation_scope.name == "claude_code"
    assert span.start_time <= first.start_time <= first.end_time <= second.start_time <= second.end_time
    assert second.end_time <= span.end_time + 1_000_000
    told = [f"00-{own.trace_id:032x}-{each.get_span_context().span_id:016x}-01" for each in attempts]
    assert [parent for parent, _ in model.told] == told
    assert len({*told, f"00-{own.trace_id:032x}-{own.span_id:016x}-01"}) == 3


def test_a_trace_that_came_from_elsewhere_goes_on_to_the_service_with_its_state(model: Model) -> None:
    """A web framework does this with the headers of its request."""
    propagation = pytest.importorskip("opentelemetry.trace.propagation.tracecontext")
    context = pytest.importorskip("opentelemetry.context")
    came = {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "vendor=1",
    }
    token = context.attach(propagation.TraceContextTextMapPropagator().extract(came))
    try:
        client = Client(provider="anthropic", store="none")
        client.generate(REVERSE, model="haiku", cache="off")
        client.stream(REVERSE, model="haiku", cache="off").collect()
        asyncio.run(awaited())
    finally:
        context.detach(token)
    spans = [span for span in SPANS.get_finished_spans() if span.kind is trace.SpanKind.CLIENT]
    assert len(spans) == len(model.told) == 3
    assert {span.parent.span_id for span in spans} == {0x00F067AA0BA902B7}
    for parent, state in model.told:
        assert parent.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        assert state == "vendor=1"


async def awaited() -> None:
    await AsyncClient(provider="anthropic", store="none").generate(REVERSE, model="haiku", cache="off")


def test_a_trace_that_is_not_recorded_is_told_on_as_it_is(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = sdk.TracerProvider(sampler=pytest.importorskip("opentelemetry.sdk.trace.sampling").ALWAYS_OFF)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: never)
    with never.get_tracer("mine").start_as_current_span("mine") as mine:
        Client(provider="anthropic", store="none").generate(REVERSE, model="haiku", cache="off")
    ((parent, _),) = model.told
    assert parent.endswith("-00")
    assert f"{mine.get_span_context().trace_id:032x}" in parent
    assert SPANS.get_finished_spans() == ()


def test_a_failed_request_tells_its_attempts_and_what_it_had_cost(claude_twin: Twin) -> None:
    claude_twin.answer("```python long.py\n" + "x = 1\n" * 500 + "```")
    with pytest.raises(claude_code.IncompleteAnswerError) as caught:
        claude_twin.client().generate("much", max_tokens=20, max_sends=1)
    attempt, span = SPANS.get_finished_spans()
    assert attempt.attributes["claude_code.outcome"] == "truncated"
    assert caught.value.receipt
    assert span.attributes["claude_code.cost_usd"] == str(caught.value.receipt.total_usd)
    assert span.attributes["error.type"] == "truncated"


def test_an_answer_of_the_cache_has_no_attempts(claude_twin: Twin, tmp_path: Path) -> None:
    client = Client.local(tmp_path)
    for _ in range(2):
        client.generate(REVERSE)
    *first, last = SPANS.get_finished_spans()
    assert [span.name for span in first] == ["claude_code.attempt", "chat"]
    assert last.attributes["claude_code.cached"] is True


def test_each_request_of_a_batch_is_a_span_below_the_one_that_began_it(model: Model) -> None:
    model.answers = [200, 400]
    with PROVIDER.get_tracer("mine").start_as_current_span("mine") as mine:
        batch = Client(provider="anthropic", store="none", model="haiku").batch(["one", "two"], concurrency=1)
    items = list(batch)
    assert [item.error is None for item in items] == [True, False]
    _, first, second = SPANS.get_finished_spans()
    assert {span.parent.span_id for span in (first, second)} == {mine.get_span_context().span_id}
    assert first.attributes["gen_ai.response.id"] == items[0].generation.id  # type: ignore[union-attr]
    assert first.start_time <= first.end_time
    assert second.attributes["error.type"] == "invalid_request"
    own = mine.get_span_context()
    assert {parent for parent, _ in model.told} == {f"00-{own.trace_id:032x}-{own.span_id:016x}-01"}


CANARIES = {
    "key": "sk-ant-canary-key",
    "AWS key": "AKIACANARYKEYID",
    "AWS secret": "canary-secret-access-key",
    "AWS token": "canary-session-token",
    "prompt": "canary-prompt",
    "instructions": "canary-instructions",
    "file": "canary_file_content",
    "path": "canary_given_path",
    "answer": "canary-answer-text",
    "code": "canary_answer_code",
    "module": "canary_answer_path",
    "message": "canary-service-message",
}


def test_twelve_canaries_are_in_no_span_metric_and_log_line(
    model: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = pytest.importorskip("opentelemetry.metrics")
    kept = pytest.importorskip("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    provider = pytest.importorskip("opentelemetry.sdk.metrics").MeterProvider([kept])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "claude_code/dup")
    for name, canary in (
        ("ANTHROPIC_API_KEY", CANARIES["key"]),
        ("AWS_ACCESS_KEY_ID", CANARIES["AWS key"]),
        ("AWS_SECRET_ACCESS_KEY", CANARIES["AWS secret"]),
        ("AWS_SESSION_TOKEN", CANARIES["AWS token"]),
    ):
        monkeypatch.setenv(name, canary)
    model.text = f"{CANARIES['answer']}\n```python {CANARIES['module']}.py\n{CANARIES['code']} = 1\n```"
    model.message = f"{CANARIES['message']}: {CANARIES['prompt']} does not fit"
    model.answers = [529, 200, 400]
    caplog.set_level(logging.DEBUG)
    client = Client(provider="anthropic", store="none", model="haiku")
    files = {f"{CANARIES['path']}.py": f"{CANARIES['file']} = 1\n"}
    options: Any = {"instructions": CANARIES["instructions"], "files": files, "cache": "off"}
    client.generate(CANARIES["prompt"], **options)
    with pytest.raises(claude_code.InvalidRequestError):
        client.generate(CANARIES["prompt"], **options)
    spans = [span.to_json() for span in SPANS.get_finished_spans()]
    assert len(spans) == 5
    told = "".join([*spans, kept.get_metrics_data().to_json(), caplog.text])
    assert "retry" in caplog.text
    assert [name for name, canary in CANARIES.items() if canary in told] == []


def points(reader: Any) -> dict[str, Any]:
    data = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    return {metric.name: metric.data.data_points[0] for scope in scopes for metric in scope.metrics}


def test_neither_prompt_nor_answer_is_in_a_span_unless_asked_for(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = claude_twin.client()
    client.generate(REVERSE, cache="off")
    attempt, span = SPANS.get_finished_spans()
    assert "reverse" not in span.to_json() + attempt.to_json()
    SPANS.clear()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    telemetry._INSTRUMENTS.clear()
    client.generate(REVERSE, cache="off")
    _, span = SPANS.get_finished_spans()
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
    spans = [span for span in SPANS.get_finished_spans() if span.kind is trace.SpanKind.CLIENT]
    assert len(spans) == 6
    assert len(SPANS.get_finished_spans()) == 12
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
