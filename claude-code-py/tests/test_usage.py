"""What sloppy servers report as usage comes out as the right receipt, over the Messages API on loopback."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from loopback import Loopback

import claude_code


def generate(
    monkeypatch: pytest.MonkeyPatch, first: dict[str, Any], last: dict[str, Any]
) -> claude_code.Generation:
    with Loopback(first=first, last=last) as server:
        monkeypatch.setenv("CLAUDE_CODE_AWS_PROVIDER", "anthropic")
        monkeypatch.setenv("CLAUDE_CODE_AWS_STORE", "none")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
        return claude_code.Client().generate("hello", model="claude-sonnet-5-5", cache="off")


def test_zeros_in_a_final_usage_erase_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"input_tokens": 5000, "cache_read_input_tokens": 40_000, "output_tokens": 1}
    last = {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 16}
    assert generate(monkeypatch, first, last).receipt.total_usd == Decimal("0.01416")


@pytest.mark.parametrize("last", [{}, {"output_tokens": 0}, {"input_tokens": 5}])
def test_an_end_without_a_count_is_charged_at_its_ceiling(
    monkeypatch: pytest.MonkeyPatch, last: dict[str, Any]
) -> None:
    g = generate(monkeypatch, {"input_tokens": 100, "output_tokens": 1}, last)
    assert g.attempts[0].unknown
    assert g.receipt.total_usd is not None
    assert g.receipt.total_usd > Decimal("0.01")


@pytest.mark.parametrize(("geo", "total"), [("global", "2.0001"), ("us", "2.20011"), ("mars", None)])
def test_where_inference_ran_is_priced_or_unpriced(
    monkeypatch: pytest.MonkeyPatch, geo: str, total: str | None
) -> None:
    first = {"input_tokens": 1_000_000, "output_tokens": 1, "inference_geo": geo}
    g = generate(monkeypatch, first, {"output_tokens": 10})
    assert g.receipt.total_usd == (None if total is None else Decimal(total))


def test_a_split_of_cache_writes_counts_without_its_total(monkeypatch: pytest.MonkeyPatch) -> None:
    split = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200}
    first = {"input_tokens": 10, "output_tokens": 1, "cache_creation": split}
    g = generate(monkeypatch, first, {"output_tokens": 16})
    assert g.usage.cache_creation_input_tokens == 500
    assert not g.warnings
    g = generate(monkeypatch, {**first, "cache_creation_input_tokens": 900}, {"output_tokens": 16})
    assert g.usage.cache_creation_input_tokens == 900
    assert any("cache-write" in warning for warning in g.warnings)
