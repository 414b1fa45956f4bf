"""Models and prices of one's own: a dict or a JSON file, from code or from the environment."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback

import claude_code
from claude_code import AsyncClient, Client

OWN: dict[str, Any] = {
    "models": [
        {"api_id": "claude-sonnet-5-5", "prices": {"global": {"output": "20"}}},
        {
            "api_id": "house-coder-2",
            "like": "claude-haiku-5-5",
            "prices": {
                "global": {"input": "1", "output": "2", "cache_read": "0.1", "cache_write_5m": "1.25"},
            },
        },
    ]
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "models.json"
    path.write_text(json.dumps(OWN))
    return path


def cost(client: Client, model: str) -> Decimal | None:
    return client.generate("hello", model=model, cache="off").receipt.total_usd


def test_a_corrected_price_and_an_added_model_are_billed(monkeypatch: pytest.MonkeyPatch, own: Path) -> None:
    with Loopback() as server:
        server.use(monkeypatch)
        # 10 tokens in and 9 out, in dollars per million.
        assert cost(Client(), "claude-sonnet-5-5") == Decimal("0.00011")
        for catalogue in (OWN, own, str(own), json.dumps(OWN)):
            client = Client(catalogue=catalogue)
            assert cost(client, "claude-sonnet-5-5") == Decimal("0.0002")
            assert cost(client, "house-coder-2") == Decimal("0.000028")
        assert cost(Client(), "house-coder-2") is None
        monkeypatch.setenv("CLAUDE_CODE_AWS_CATALOGUE", str(own))
        assert cost(Client(), "house-coder-2") == Decimal("0.000028")
        estimate = AsyncClient().estimate("hello", model="house-coder-2")
        assert estimate.worst_usd is not None


def test_a_receipt_names_the_table_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback() as server:
        server.use(monkeypatch)
        g = Client(catalogue={**OWN, "as_of": "house, January"}).generate("hello", model="claude-sonnet-5-5")
        assert g.receipt.price_table == "house, January"


def test_a_client_with_a_catalogue_is_pickled_with_it() -> None:
    for catalogue in (OWN, json.dumps(OWN)):
        client: Client = pickle.loads(pickle.dumps(Client(catalogue=catalogue)))
        estimate = client.estimate("hello", model="house-coder-2")
        assert estimate.worst_usd is not None


@pytest.mark.parametrize(
    ("catalogue", "told"),
    [
        ("none.json", r'^catalogue="none.json": it cannot be read'),
        ('{"models": 1}', "^catalogue: models is no list"),
        ({"models": [{"api_id": "x"}]}, "^catalogue: model x: it is new: say with"),
        ({"model": []}, '^catalogue: unknown field "model"'),
    ],
)
def test_what_cannot_be_used_is_one_error(catalogue: Any, told: str) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match=told) as caught:
        Client(catalogue=catalogue)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_used_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "models.json"
    path.write_text('{"models": [{"api_id": "claude-sonnet-5-5", "prices": {"global": {"inputs": "1"}}}]}')
    monkeypatch.setenv("CLAUDE_CODE_AWS_CATALOGUE", str(path))
    with pytest.raises(
        claude_code.InvalidRequestError, match=r"CLAUDE_CODE_AWS_CATALOGUE=.*prices\.global\.inputs"
    ):
        Client()
