"""Result classes: read-only values that pickle, compare, copy, and show neither prompt nor code."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from conftest import REVERSE

import claude_code
from claude_code import Client
from claude_code.testing import Twin


def written(client: Client) -> claude_code.ServiceCode:
    service = client.service()
    while service.example is not None:
        service.message(service.example)
    return service.generate()


@pytest.fixture
def values(claude_twin: Twin, client: Client) -> list[Any]:
    """One of each class."""
    twin = claude_twin.client()
    claude_twin.refuse("throttled")
    events = list(twin.stream(REVERSE, cache="off"))
    kinds = {type(event).__name__: event for event in events}
    g = client.generate(REVERSE)
    cached = client.generate(REVERSE).cached
    page = client.results.list(language="python")
    claude_twin.answer("```python\nimport os\npassword = 'hunter2hunter2'\ndef f(:\n```")
    wrong = twin.generate("something broken", max_sends=1)
    assert wrong.diagnostics
    answer = claude_code.read_answer(g.text)
    return [
        *kinds.values(),
        g,
        g.usage,
        g.receipt,
        g.receipt.items[0],
        g.attempts[0],
        wrong,
        wrong.diagnostics[0],
        cached,
        page,
        page[0],
        client.estimate(REVERSE),
        client.budget(),
        answer,
        answer.files[0],
        claude_twin.sent()[0],
        client.doctor()[0],
        written(client),
    ]


def test_every_class_is_there(values: list[Any]) -> None:
    seen = {type(value).__name__ for value in values}
    wanted = (
        "Answer Attempt Budget Cached CodeFile Diagnostic Estimate FileChunk FileFinished FileStarted "
        "Finding Finished Generation Notice Page Receipt ReceiptItem ResultRow Sent ServiceCode Text Usage"
    )
    assert seen == set(wanted.split())


def test_values_pickle_compare_copy_and_hash(values: list[Any]) -> None:
    for value in values:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(value, protocol))
            assert again == value, type(value)
            assert hash(again) == hash(value)
        assert copy.copy(value) is value
        assert copy.deepcopy(value) == value
        assert value != "something else"
        assert {value: 1}[value] == 1


def test_values_convert_to_plain_data_and_back(values: list[Any]) -> None:
    for value in values:
        data = json.loads(json.dumps(value.to_dict()))
        again = type(value).from_dict(data)
        assert again == value, type(value)
        assert again.to_dict() == value.to_dict(), type(value)


def test_values_cannot_be_changed(values: list[Any]) -> None:
    for value in values:
        name = next(name for name in dir(value) if not name.startswith("_"))
        with pytest.raises((AttributeError, TypeError)):
            setattr(value, name, None)
        with pytest.raises((AttributeError, TypeError)):
            value.something_new = 1


def test_no_repr_shows_prompt_or_code(values: list[Any]) -> None:
    for value in values:
        shown = repr(value)
        assert shown.startswith(type(value).__name__ + "(")
        assert len(shown) < 500
        for private in ("reverses a string", "def ", "hunter2", "return", "import"):
            assert private not in shown, shown


def test_the_schema_is_the_contract_s(client: Client) -> None:
    data = client.generate(REVERSE).to_dict()
    fields = (
        "id accepted language files text model tier tier_reason stop_reason usage receipt "
        "attempts diagnostics warnings cached stored s3_key generated_at"
    )
    assert set(fields.split()) <= set(data)
    assert "prompt" not in data
    assert {"path", "language", "size", "sha256", "complete", "content"} <= set(data["files"][0])
    assert data["receipt"]["total_usd"] == "0"
    assert data["generated_at"].endswith("Z")


def test_a_broken_dict_names_the_field() -> None:
    with pytest.raises(ValueError, match="accepted"):
        claude_code.Generation.from_dict({"id": "x"})
    with pytest.raises(TypeError):
        claude_code.Usage.from_dict({"input_tokens": object()})


def test_a_result_from_a_pickle_says_how_to_refine_it(client: Client) -> None:
    g = pickle.loads(pickle.dumps(client.generate(REVERSE)))
    with pytest.raises(claude_code.InvalidRequestError, match=r"client\.refactor"):
        g.refine("add a timeout")


def test_models_are_those_of_the_catalogue_with_the_ids_that_are_asked_for(client: Client) -> None:
    models = client.models()
    haiku = next(model for model in models if model["id"] == "global.anthropic.claude-haiku-5-5")
    assert haiku["family"] == "haiku"
    assert haiku["max_output_tokens"] > 0
    with pytest.raises(claude_code.InvalidRequestError, match=r"did you mean sonnet\?"):
        client.generate("x", model="sonet")
