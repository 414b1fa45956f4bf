"""Batches with a cap, a quota, a lane and a deadline."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import claude_code
from claude_code.testing import Twin

HELLO = "```python hello.py\nprint('hello')\n```"
MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def requests(count: int) -> list[str | dict[str, Any]]:
    return [{"prompt": f"task {n}", "model": MODEL, "max_tokens": 900} for n in range(count)]


def test_requests_go_in_one_job_at_half_the_price_and_the_journal_has_their_answers(
    claude_twin: Twin, tmp_path: Path
) -> None:
    claude_twin.answer(HELLO, prompt="task")
    client = claude_twin.client(store="disk")
    prompts = [*requests(100), *requests(50)]
    options: dict[str, Any] = {"journal": tmp_path / "journal", "lane": "bedrock-batch", "deadline": 86_400.0}
    items = sorted(client.batch(prompts, **options), key=lambda item: item.index)
    assert [item.index for item in items] == list(range(150))
    generations = [item.generation for item in items]
    assert all(generation is not None and generation.accepted for generation in generations)
    assert len(claude_twin.sent()) == 100
    first = items[0].generation
    assert first is not None
    assert first.attempts[0].why == "batch job"
    assert any(item.what == "batch_discount" for item in first.receipt.items)
    again = list(client.batch(prompts, **options))
    assert all(item.resumed for item in again)
    assert len(claude_twin.sent()) == 100


def test_a_cap_over_the_batch_refuses_what_it_cannot_hold(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    client = claude_twin.client()
    worst = client.estimate("task 0", model=MODEL, max_tokens=900).worst_usd
    assert worst is not None
    items = list(client.batch(requests(30), concurrency=4, max_usd=worst * 2))
    refused = [item for item in items if item.error is not None]
    assert refused
    assert all(isinstance(item.error, claude_code.BudgetExceededError) for item in refused)
    spent = sum(
        (item.generation.receipt.total_usd or Decimal(0) for item in items if item.generation), Decimal(0)
    )
    assert 0 < spent <= worst * 2


def test_options_that_cannot_be_are_refused_before_anything_is_sent(
    claude_twin: Twin, tmp_path: Path
) -> None:
    client = claude_twin.client()
    wrong: list[dict[str, Any]] = [
        {"lane": "cheap"},
        {"lane": "bedrock-batch"},
        {"deadline": 86_400.0},
        {"deadline": -1.0, "journal": tmp_path / "j"},
        {"tokens_per_minute": 0},
        {"max_usd": "much"},
    ]
    for options in wrong:
        with pytest.raises(claude_code.InvalidRequestError):
            client.batch(["task"], **options)
    assert not claude_twin.sent()
