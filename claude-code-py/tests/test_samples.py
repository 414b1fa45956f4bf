"""The samples are what they say they are."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import claude_code

SHIPPING = Path(__file__).parents[2] / "examples" / "shipping.py"


def shipping_cost(source: str, order: dict[str, Any] | None) -> object:
    scope: dict[str, Any] = {}
    exec(compile(source, "shipping.py", "exec"), scope)
    return scope["shipping_cost"](order)


def test_the_refactored_sample_does_what_the_example_did(tmp_path: Path) -> None:
    before = SHIPPING.read_text()
    client = claude_code.Client.local(tmp_path)
    g = client.refactor({"shipping.py": before}, instructions="replace the nested ifs by early returns")
    after = g.files["shipping.py"].content
    assert after != before
    orders: list[dict[str, Any] | None] = [None]
    for items, country, express, total in itertools.product(
        [[], ["a"]], ["DE", "FR"], [True, False], [4999, 5000]
    ):
        orders.append({"items": items, "country": country, "express": express, "total_cents": total})
    for order in orders:
        assert shipping_cost(after, order) == shipping_cost(before, order), order
