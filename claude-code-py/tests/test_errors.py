from __future__ import annotations

import asyncio
import pickle
from decimal import Decimal
from typing import Any, Callable

import pytest
from conftest import REVERSE

import claude_code
from claude_code import ClaudeCodeError, Client
from claude_code.testing import Twin

ALL = [
    name
    for name in claude_code.__all__
    if isinstance(getattr(claude_code, name), type) and issubclass(getattr(claude_code, name), Exception)
]


def test_every_exception_has_the_base_and_its_fields() -> None:
    assert len(ALL) == 17
    for name in ALL:
        class_ = getattr(claude_code, name)
        assert issubclass(class_, ClaudeCodeError)
        assert class_.__module__ == "claude_code"
        assert class_.__doc__
        error = class_("made by hand")
        for field in ("kind", "hint", "request_id", "receipt", "partial", "retry_after"):
            assert getattr(error, field) is None


def test_an_unknown_prompt_offline_names_samples(client: Client) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match="ANTHROPIC_API_KEY") as caught:
        client.generate("Write a Python function that reverses a list.")
    error = caught.value
    assert error.kind == "no_sample"
    assert REVERSE in str(error)
    assert error.hint is not None
    assert "samples()" in error.hint


def test_an_incomplete_answer_carries_what_was_received(claude_twin: Twin) -> None:
    claude_twin.answer("```python long.py\n" + "x = 1\n" * 500 + "```")
    with pytest.raises(claude_code.IncompleteAnswerError) as caught:
        claude_twin.client().generate("much", max_tokens=20, max_sends=1)
    error = caught.value
    assert error.kind == "truncated"
    assert error.partial is not None
    assert "x = 1" in error.partial.text
    assert not error.partial.accepted
    assert error.receipt is not None
    assert error.receipt.total_usd is not None
    assert error.receipt.total_usd > 0
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.kind, again.partial) == (type(error), error.kind, error.partial)


def test_a_script_plays_what_goes_wrong(claude_twin: Twin) -> None:
    claude_twin.play("""{"steps": [
        {"answer": {"text": "no", "stop_reason": "refusal"}},
        {"faults": [{"damage": 2}]},
        {"error": {"code": "ExpiredTokenException", "status": 403}}]}""")
    said = [
        (claude_code.RefusedError, "refused"),
        (claude_code.UnavailableError, "protocol"),
        (claude_code.AuthenticationError, "credentials"),
    ]
    for error, kind in said:
        with pytest.raises(error) as caught:
            claude_twin.client().generate(REVERSE, max_sends=1, cache="off")
        assert caught.value.kind == kind
    with pytest.raises(claude_code.InvalidRequestError, match="script"):
        claude_twin.play("no script")


def test_throttling_is_a_rate_limit(claude_twin: Twin) -> None:
    claude_twin.refuse("throttled", times=50)
    with pytest.raises(claude_code.RateLimitError) as caught:
        claude_twin.client().generate(REVERSE, max_sends=1, timeout=2)
    assert caught.value.kind == "throttled"


def test_a_limit_on_waiting_is_also_a_timeout_error(claude_twin: Twin) -> None:
    claude_twin.fault(latency=60, times=9)
    with pytest.raises(TimeoutError) as caught:
        claude_twin.client().generate(REVERSE, timeout=0.3, max_sends=1)
    assert isinstance(caught.value, claude_code.RequestTimeoutError)
    assert isinstance(caught.value, ClaudeCodeError)
    assert caught.value.kind == "timeout"


def test_a_cap_refuses_before_sending(claude_twin: Twin) -> None:
    with pytest.raises(claude_code.BudgetExceededError):
        claude_twin.client().generate(REVERSE, max_usd="0.000001")
    assert claude_twin.sent() == []


def test_a_retired_model_is_refused_before_sending(claude_twin: Twin) -> None:
    with pytest.raises(claude_code.ModelRetiredError, match="sonnet"):
        claude_twin.client().generate(REVERSE, model="anthropic.claude-3-5-sonnet-20241022-v2:0")
    assert claude_twin.sent() == []


def test_no_credentials_are_an_authentication_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(claude_code.AuthenticationError) as caught:
        Client(store="none", region="us-east-1").generate(REVERSE)
    assert "Client.local()" in str(caught.value) + str(caught.value.hint)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"tier": "huge"}, "simple, medium, complex"),
        ({"effort": "some"}, "low, medium"),
        ({"cache": "maybe"}, "use, refresh, off"),
        ({"timeout": 0}, "above 0"),
        ({"timeout": -1}, "above 0"),
        ({"timeout": float("nan")}, "above 0"),
        ({"max_usd": "-1"}, "max_usd '-1' is not dollars"),
        ({"max_usd": "abc"}, "max_usd 'abc' is not dollars"),
        ({"max_usd": "$1"}, "max_usd"),
        ({"max_usd": True}, "max_usd True"),
        ({"max_usd": float("nan")}, "max_usd"),
        ({"max_usd": float("inf")}, "max_usd"),
        ({"max_usd": [1]}, "max_usd"),
        ({"max_usd": "0.0000000000001"}, "max_usd"),
        ({"model": "no spaces here"}, "model id"),
        ({"language": ""}, "language"),
    ],
)
def test_a_wrong_option_is_told(client: Client, options: dict[str, object], part: str) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match=part) as caught:
        client.generate(REVERSE, **options)  # type: ignore[arg-type]
    assert caught.value.kind == "invalid_request"


def test_errors_never_show_the_prompt(claude_twin: Twin) -> None:
    claude_twin.refuse("invalid", message="no")
    with pytest.raises(ClaudeCodeError) as caught:
        claude_twin.client().generate("the secret word is xyzzy")
    assert "xyzzy" not in repr(caught.value)
    assert "xyzzy" not in repr(vars(caught.value))


@pytest.mark.skipif(not hasattr(Twin, "_panic"), reason="a release build has no panics to order")
def test_a_panic_is_an_error_of_its_call_and_of_no_other(claude_twin: Twin) -> None:
    client = claude_twin.client()
    asks: list[Callable[[], object]] = [
        lambda: client.generate(REVERSE, cache="off"),
        lambda: client.stream(REVERSE, cache="off").collect(),
        lambda: client.generate(REVERSE, cache="off", on_event=lambda event: None),
        lambda: asyncio.run(awaited(claude_twin)),
    ]
    for ask in asks:
        claude_twin._panic()  # type: ignore[attr-defined]
        with pytest.raises(claude_code.UnavailableError, match="please report it"):
            ask()
    assert client.generate(REVERSE, cache="off").accepted


async def awaited(twin: Twin) -> claude_code.Generation:
    return await twin.async_client().generate(REVERSE, cache="off")


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 1e-9},
        {"timeout": 1e12},
        {"timeout": 1.8e19},
        {"timeout": float("inf")},
        {"max_tokens": 0},
        {"max_tokens": 2**32 - 1},
        {"max_tokens": 2**64},
        {"max_sends": 0},
        {"max_sends": 2**32 - 1},
        {"max_usd": "0"},
        {"max_usd": "1e9"},
        {"max_usd": "1e40"},
        {"temperature": float("nan")},
        {"temperature": -1e308},
        {"language": "\ud7ff" * 10_000},
        {"files": {"": ""}},
        {"files": {"\0": "x"}},
        {"files": {"a" * 100_000: "x"}},
        {"instructions": "</task>" * 1000},
        {"model": "arn:aws:bedrock:::"},
    ],
)
def test_extreme_options_are_taken_or_told_and_never_a_crash(
    claude_twin: Twin, options: dict[str, object]
) -> None:
    told = ""
    try:
        claude_twin.client().generate(REVERSE, cache="off", **options)  # type: ignore[arg-type]
    except (ClaudeCodeError, ValueError, TypeError) as error:
        told = str(error)
    assert "please report it" not in told


@pytest.mark.parametrize("amount", [0.1 + 0.2, 0.5, 1, "0.30", Decimal("0.3"), 5e-2])
def test_an_amount_is_taken_as_people_write_it(claude_twin: Twin, amount: Any) -> None:
    assert claude_twin.client().generate(REVERSE, max_usd=amount).accepted


@pytest.mark.parametrize(
    "options", [{"validate": "no"}, {"store": "none"}, {"store": 0}, {"on_event": 5}, {"thinking": "off"}]
)
def test_a_value_of_another_type_is_told_with_its_option(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        client.generate(REVERSE, **options)


def test_a_number_out_of_range_is_an_invalid_request(client: Client) -> None:
    for limit in (-1, 0, 101, 2**40):
        with pytest.raises(claude_code.InvalidRequestError, match="1 to 100"):
            client.results.list(language="python", limit=limit)


def test_a_rejected_answer_raises_only_where_it_is_asked_to(claude_twin: Twin) -> None:
    claude_twin.answer("```python bad.py\ndef f(:\n```")
    g = claude_twin.client().generate("broken", max_sends=1)
    with pytest.raises(claude_code.RejectedAnswerError, match=r"bad\.py") as caught:
        g.raise_for_rejected()
    assert caught.value.kind == "rejected"
    assert caught.value.partial == g
    assert not isinstance(caught.value, claude_code.InvalidRequestError), "it was sent, and paid for"


def test_a_hint_stands_below_the_message_of_a_traceback(client: Client) -> None:
    with pytest.raises(claude_code.InvalidRequestError) as caught:
        client.generate("Write a Python function that reverses a list.")
    # Notes came with Python 3.11.
    notes = getattr(caught.value, "__notes__", None)
    assert notes == ([f"hint: {caught.value.hint}"] if hasattr(caught.value, "add_note") else None)


def test_what_is_no_code_and_no_list_is_refused_with_what_was_meant(client: Client) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match=r"pathlib\.Path\(\"shipping\.py\"\)"):
        client.refactor("shipping.py", instructions="shorter")
    with pytest.raises(TypeError, match="batch takes a list of requests, got one"):
        client.batch("abc")
    with pytest.raises(TypeError, match="on_event must be callable, got int"):
        client.generate(REVERSE, on_event=5)  # type: ignore[arg-type]
