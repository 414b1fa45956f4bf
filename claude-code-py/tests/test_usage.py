"""What sloppy servers report as usage comes out as the right receipt, over the Messages API and over Converse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from loopback import Converse, Loopback, Messages, Wire

import claude_code


def generate(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> claude_code.Generation:
    with Loopback(wire=wire) as server:
        server.use(monkeypatch)
        model = "claude-sonnet-5-5" if isinstance(wire, Messages) else "sonnet"
        return claude_code.Client().generate("hello", model=model, cache="off", max_sends=1)


def converse(tokens: int, output: int, **more: Any) -> dict[str, Any]:
    return {"inputTokens": tokens, "outputTokens": output, "totalTokens": tokens + output, **more}


@pytest.mark.parametrize(
    "wire",
    [
        Messages(
            {"input_tokens": 5000, "cache_read_input_tokens": 40_000, "output_tokens": 1},
            {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 16},
        ),
        Converse(converse(5000, 16, cacheReadInputTokens=40_000), converse(0, 0, cacheReadInputTokens=0)),
        Converse(converse(0, 0, cacheReadInputTokens=40_000), converse(5000, 16, cacheReadInputTokens=0)),
    ],
    ids=["messages", "converse", "converse, zeros first"],
)
def test_zeros_in_another_report_erase_nothing(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    assert generate(monkeypatch, wire).receipt.total_usd == Decimal("0.01416")


SEED = {"input_tokens": 100, "output_tokens": 1}


@pytest.mark.parametrize(
    "wire",
    [
        *(Messages(SEED, last) for last in ({}, {"output_tokens": 0}, {"input_tokens": 5})),
        *(Converse(report) for report in (converse(100, 0), converse(0, 9), converse(0, 0))),
    ],
)
def test_an_end_without_a_count_is_charged_at_its_ceiling(
    monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    g = generate(monkeypatch, wire)
    assert g.accepted
    assert g.attempts[0].unknown
    assert g.receipt.total_usd is not None
    assert g.receipt.total_usd > Decimal("0.01")


@pytest.mark.parametrize(("geo", "total"), [("global", "2.0001"), ("us", "2.20011"), ("mars", None)])
@pytest.mark.parametrize("again", [{}, {"inference_geo": "not_available"}])
def test_where_inference_ran_is_priced_or_unpriced(
    monkeypatch: pytest.MonkeyPatch, geo: str, total: str | None, again: dict[str, Any]
) -> None:
    first = {"input_tokens": 1_000_000, "output_tokens": 1, "inference_geo": geo}
    g = generate(monkeypatch, Messages(first, {"output_tokens": 10, **again}))
    assert g.receipt.total_usd == (None if total is None else Decimal(total))


SPLIT = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200}
DETAILS = [{"ttl": "5m", "inputTokens": 300}, {"ttl": "1h", "inputTokens": 200}]


@pytest.mark.parametrize(
    ("total", "split", "told"),
    [(None, True, False), (500, True, False), (900, True, True), (100, True, True), (500, False, False)],
)
@pytest.mark.parametrize("wire", [Messages, Converse])
def test_cache_writes_count_by_split_or_total_and_a_contradiction_is_told(
    monkeypatch: pytest.MonkeyPatch, wire: type[Wire], total: int | None, split: bool, told: bool
) -> None:
    first: dict[str, Any] = {"input_tokens": 10, "output_tokens": 1}
    report = converse(10, 16)
    if split:
        first["cache_creation"] = SPLIT
        report["cacheDetails"] = DETAILS
    if total is not None:
        first["cache_creation_input_tokens"] = total
        report["cacheWriteInputTokens"] = total
    g = generate(
        monkeypatch, Messages(first, {"output_tokens": 16}) if wire is Messages else Converse(report)
    )
    assert g.usage.cache_creation_input_tokens == max(total or 0, 500 if split else 0)
    lines = {item.what: item.tokens for item in g.receipt.items}
    assert lines.get("cache_write_1h") == (200 if split else None)
    assert any("cache-write" in warning for warning in g.warnings) == told
