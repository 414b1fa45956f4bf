"""Usage as servers were publicly reported to send it: each report's shape, played on loopback, and what it comes to.

A name says where the shape was seen; figures are the report's where it has some. Of a stream each figure is the
largest that was reported, so that nothing is charged below what a service told."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from loopback import Converse, Loopback, Messages, Wire, event

import claude_code


class Events(Messages):
    """Whatever events end the stream, behind the text."""

    def __init__(self, first: dict[str, Any], *last: tuple[str, dict[str, Any]]) -> None:
        super().__init__(first)
        self.events = last

    def end(self, stop_reason: str) -> bytes:
        stop = {"stop_reason": stop_reason, "stop_sequence": None}
        ended = event("content_block_stop", index=0)
        for kind, fields in self.events:
            ended += event(kind, **{**fields, "delta": {**stop, **fields.get("delta", {})}})
            stop = {}
        return ended


def delta(**usage: Any) -> tuple[str, dict[str, Any]]:
    return "message_delta", {"usage": usage}


STOP = ("message_stop", dict[str, Any]())


def metrics(**counts: int) -> dict[str, Any]:
    return {"amazon-bedrock-invocationMetrics": counts}


def converse(tokens: int, output: int, **more: Any) -> dict[str, Any]:
    return {"inputTokens": tokens, "outputTokens": output, "totalTokens": tokens + output, **more}


# What counts: input, cache read, cache write for five minutes, for one hour, output.
COUNTED: list[tuple[str, Wire, list[int]]] = [
    (
        "sgl-project/sglang#20678: zeros first",
        Messages({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 123, "output_tokens": 45}),
        [123, 0, 0, 0, 45],
    ),
    (
        "sgl-project/sglang#20830: the prompt first, zero last",
        Messages({"input_tokens": 123, "output_tokens": 0}, {"input_tokens": 0, "output_tokens": 45}),
        [123, 0, 0, 0, 45],
    ),
    (
        "envoyproxy/ai-gateway#1631: the later event's zero overwrites",
        Messages({"input_tokens": 15, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 30}),
        [15, 0, 0, 0, 30],
    ),
    (
        "envoyproxy/ai-gateway#2239: both events have the prompt",
        Messages(
            {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 9},
            {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 30},
        ),
        [9, 4, 0, 0, 30],
    ),
    (
        "LibreChat-AI/agents#150: several cumulative message_delta",
        Events(
            {"input_tokens": 10, "output_tokens": 3}, delta(output_tokens=20), delta(output_tokens=50), STOP
        ),
        [10, 0, 0, 0, 50],
    ),
    (
        "LibreChat-AI/agents#308: input and cache only in the last event",
        Messages(
            {"input_tokens": 0, "output_tokens": 1},
            {"input_tokens": 13, "cache_creation_input_tokens": 7142, "output_tokens": 8},
        ),
        [13, 0, 7142, 0, 8],
    ),
    (
        "rashidrazak/opencode-cmd-provider#174: a usage-less message_stop comes last",
        Events({"input_tokens": 13, "output_tokens": 1}, delta(output_tokens=7), STOP),
        [13, 0, 0, 0, 7],
    ),
    (
        "karthink/gptel#1331: message_delta with the output alone",
        Messages(
            {
                "input_tokens": 9325,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 2,
            },
            {"output_tokens": 76},
        ),
        [9325, 0, 0, 0, 76],
    ),
    (
        "fumito-ito/AnthropicSwiftSDK#7: the usage below delta, as once documented",
        Events(
            {"input_tokens": 25, "output_tokens": 1},
            ("message_delta", {"delta": {"usage": {"output_tokens": 15}}}),
            STOP,
        ),
        [25, 0, 0, 0, 15],
    ),
    (
        "BerriAI/litellm#34373: cache counts in the invocation metrics",
        Events(
            {"input_tokens": 3, "output_tokens": 1},
            delta(output_tokens=11),
            (
                "message_stop",
                metrics(
                    inputTokenCount=3,
                    outputTokenCount=11,
                    cacheReadInputTokenCount=20_000,
                    cacheWriteInputTokenCount=500,
                ),
            ),
        ),
        [3, 20_000, 500, 0, 11],
    ),
    (
        "BerriAI/litellm#36878: cache counts in the usage of message_stop, beside metrics without them",
        Events(
            {"input_tokens": 10_174, "output_tokens": 1},
            delta(output_tokens=50),
            (
                "message_stop",
                {
                    "usage": {"cache_read_input_tokens": 9821},
                    **metrics(inputTokenCount=10_174, outputTokenCount=50),
                },
            ),
        ),
        [10_174, 9821, 0, 0, 50],
    ),
    (
        "BerriAI/litellm#31069: cache zeros first",
        Messages(
            {
                "input_tokens": 40,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "output_tokens": 1,
            },
            {"input_tokens": 40, "cache_read_input_tokens": 3000, "output_tokens": 12},
        ),
        [40, 3000, 0, 0, 12],
    ),
    (
        "vllm-project/vllm#40912: cache fields left out, later zero",
        Messages(
            {"input_tokens": 30, "output_tokens": 0},
            {
                "input_tokens": 14,
                "cache_read_input_tokens": 16,
                "cache_creation_input_tokens": 0,
                "output_tokens": 6,
            },
        ),
        [30, 16, 0, 0, 6],
    ),
    (
        "earendil-works/pi#5738: 600k for five minutes, 400k for an hour",
        Messages(
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 1_000_000,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 600_000,
                    "ephemeral_1h_input_tokens": 400_000,
                },
                "output_tokens": 1,
            },
            {"output_tokens": 2},
        ),
        [1, 0, 600_000, 400_000, 2],
    ),
    (
        "Wei-Shaw/claude-relay-service#1081: the split leaves a rest",
        Messages(
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 1000,
                "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 180},
                "output_tokens": 1,
            },
            {"output_tokens": 2},
        ),
        [1, 0, 820, 180, 2],
    ),
    (
        "miiiiiiich/agent-walker#70: the split is more than the total",
        Messages(
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 10_000,
                "cache_creation": {"ephemeral_1h_input_tokens": 50_000},
                "output_tokens": 1,
            },
            {"output_tokens": 2},
        ),
        [1, 0, 0, 50_000, 2],
    ),
    (
        "anthropics/anthropic-sdk-typescript#793: a stream has the total alone",
        Messages(
            {"input_tokens": 651, "output_tokens": 1},
            {"cache_creation_input_tokens": 7345, "output_tokens": 5},
        ),
        [651, 0, 7345, 0, 5],
    ),
    (
        "crmne/ruby_llm#871: Converse's input leaves the cache out already",
        Converse(converse(562, 20, cacheReadInputTokens=3059, cacheWriteInputTokens=0)),
        [562, 3059, 0, 0, 20],
    ),
    (
        "cline/cline#4683: counts under two names, which are one",
        Converse(converse(4, 832, cacheReadInputTokens=1490, cacheReadInputTokenCount=1490)),
        [4, 1490, 0, 0, 832],
    ),
    (
        "earendil-works/pi#9457: an hour's writes of Converse",
        Converse(
            converse(14, 4, cacheWriteInputTokens=9613, cacheDetails=[{"ttl": "1h", "inputTokens": 9613}])
        ),
        [14, 0, 0, 9613, 4],
    ),
    (
        "BerriAI/litellm#36762: cache details without a total",
        Converse(converse(14, 4, cacheDetails=[{"ttl": "1h", "inputTokens": 8851}])),
        [14, 0, 0, 8851, 4],
    ),
]

UNKNOWN: list[tuple[str, Wire]] = [
    (
        "farion1231/cc-switch#2485: zeros in place of a usage that never came",
        Messages({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 0, "output_tokens": 0}),
    ),
    (
        "musistudio/claude-code-router#1587: the output is zero",
        Messages({"input_tokens": 50, "output_tokens": 0}, {"output_tokens": 0}),
    ),
    (
        "earendil-works/pi#6567: message_delta without usage",
        Events({"input_tokens": 10, "output_tokens": 0}, ("message_delta", {}), STOP),
    ),
    (
        "pome-sh/digital-twins#246: the snapshot of message_start alone",
        Events({"input_tokens": 18, "output_tokens": 31}, ("message_delta", {"usage": None}), STOP),
    ),
    ("BerriAI/litellm#37992: explicit zeros of Converse", Converse(converse(0, 0))),
]


def generate(monkeypatch: pytest.MonkeyPatch, wire: Wire, model: str | None = None) -> claude_code.Generation:
    with Loopback(wire=wire) as server:
        server.use(monkeypatch)
        named = model or ("claude-sonnet-5-5" if isinstance(wire, Messages) else "sonnet")
        return claude_code.Client().generate("hello", model=named, cache="off", max_sends=1)


# Dollars per million tokens of Sonnet 5.5: input, cache read, five minutes, one hour, output.
PRICES = [Decimal(price) for price in ("2", "0.1", "2.5", "4", "10")]


@pytest.mark.parametrize(
    ("wire", "counted"), [case[1:] for case in COUNTED], ids=[case[0] for case in COUNTED]
)
def test_what_a_report_counts_is_on_the_receipt(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, counted: list[int]
) -> None:
    g = generate(monkeypatch, wire)
    kinds = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
    lines = {item.what: item.tokens for item in g.receipt.items}
    assert [lines.get(kind) or 0 for kind in kinds] == counted
    assert not g.attempts[0].unknown
    expected = sum(price * tokens for price, tokens in zip(PRICES, counted)) / 1_000_000
    assert g.receipt.total_usd == expected


@pytest.mark.parametrize("wire", [case[1] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_what_a_report_cannot_mean_is_charged_at_its_ceiling(
    monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    g = generate(monkeypatch, wire)
    assert g.accepted
    assert g.attempts[0].unknown
    assert [item.what for item in g.receipt.items] == ["unknown_outcome"]
    assert g.receipt.total_usd is not None
    assert g.receipt.total_usd > Decimal("0.01")


def test_us_inference_costs_a_tenth_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """anthropics/claude-code#60641: an uplift on every kind of token."""
    usage = {
        "input_tokens": 1000,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 1000,
        "output_tokens": 1,
        "service_tier": "standard",
    }
    last = {"output_tokens": 1000}
    plain = generate(monkeypatch, Messages(usage, last)).receipt.total_usd
    us = generate(monkeypatch, Messages({**usage, "inference_geo": "us"}, last)).receipt.total_usd
    assert plain is not None
    assert us == plain * 11 / 10


def test_closed_streams_use_up_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """BerriAI/litellm#30522 and #33736: what a caller gives up was billed, so that it cannot be given up for ever."""
    with Loopback(stall=True) as server:
        server.use(monkeypatch)
        estimate = claude_code.Client().estimate("hello 0", model="claude-sonnet-5-5").worst_usd
        assert estimate is not None
        monkeypatch.setenv("CLAUDE_CODE_AWS_MAX_USD_PER_DAY", str(estimate * Decimal("3.5")))
        client = claude_code.Client()
        for n in range(3):
            with client.stream(f"hello {n}", model="claude-sonnet-5-5") as s:
                next(s)
        with pytest.raises(claude_code.BudgetExceededError, match="is reserved"):
            client.generate("hello 3", model="claude-sonnet-5-5")
        assert len(server.heads) == 3
        assert client.budget().reserved > estimate * Decimal("2.9")


def test_a_kept_task_polled_by_wait_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """inclusionAI/Avernet#2057, Kiln-AI/Kiln#1435: heartbeats by asyncio.wait, by wait_for and by a timeout block."""

    async def beats(client: claude_code.AsyncClient, way: str) -> list[object]:
        s = client.stream(f"hello {way}", model="claude-sonnet-5-5", cache="off")
        events: list[object] = []
        pending: asyncio.Future[object] | None = None
        while True:
            try:
                if way == "wait":
                    pending = pending or asyncio.ensure_future(step(s))
                    done, _ = await asyncio.wait([pending], timeout=0.01)
                    if not done:
                        continue
                    got, pending = pending.result(), None
                elif way == "shield":
                    pending = pending or asyncio.ensure_future(step(s))
                    got = await asyncio.wait_for(asyncio.shield(pending), 0.01)
                    pending = None
                else:
                    got = await asyncio.wait_for(step(s), 0.01)
            except asyncio.TimeoutError:
                continue
            if got is None:
                return events
            events.append(got)

    async def step(s: claude_code.AsyncStream) -> object:
        try:
            return await s.__anext__()
        except StopAsyncIteration:
            return None

    with Loopback(ending=lambda: (0.08, "end_turn")) as server:
        server.use(monkeypatch)

        async def main() -> None:
            client = claude_code.AsyncClient()
            for way in ("wait", "shield", "wait_for"):
                events = await beats(client, way)
                text = "".join(e.text for e in events if isinstance(e, claude_code.FileChunk))
                assert text.strip() == "print('hello')"
                assert isinstance(events[-1], claude_code.Finished)

        asyncio.run(main())
        assert len(server.heads) == 3


def test_every_report_is_named_with_its_source() -> None:
    names = [case[0] for case in COUNTED] + [case[0] for case in UNKNOWN]
    assert len(set(names)) == len(names) >= 25
    assert all("#" in name.split(":")[0] for name in names)
