"""The HTTP API as a Lambda on Python, on events as gateways send them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REVERSE
from test_examples import load

from claude_code import Client, RequestTimeoutError
from claude_code.aws_lambda import handler
from claude_code.testing import Twin

EVENTS = Path(__file__).parents[2] / "claude-code-aws" / "tests" / "http" / "events"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    # The application is made once in a process: the first test's directory is everybody's.
    monkeypatch.setenv("CLAUDE_CODE_AWS_PROVIDER", "samples")
    monkeypatch.setenv("CLAUDE_CODE_AWS_STORE", "disk")
    monkeypatch.setenv("CLAUDE_CODE_AWS_LOCAL_DIR", str(tmp_path_factory.getbasetemp() / "lambda"))


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", ["rest_v1", "http_v2", "function_url"])
def test_events_of_all_gateways_are_answered(name: str) -> None:
    answer = handler(event(name), Context())
    assert answer["statusCode"] == 200, answer
    body = json.loads(answer["body"])
    assert body["accepted"]
    assert "def reverse_string" in body["files"][0]["content"]


def test_the_example_is_the_same_handler() -> None:
    lambda_handler = load("lambda_claude_code").lambda_handler
    asked = event("function_url")
    asked["rawPath"] = "/health"
    asked["requestContext"]["http"]["method"] = "GET"
    answer = lambda_handler(asked, None)
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")


def test_the_example_takes_direct_invocations_by_the_workshops_names() -> None:
    lambda_handler = load("lambda_claude_code").lambda_handler
    answer = lambda_handler({"function": "generate_code", "prompt": REVERSE}, None)
    assert answer["accepted"]
    code = "def shipping_cost(order):\n    return 490\n"
    wish = next(prompt for prompt in Client.local().samples() if prompt.startswith("Refactor"))
    asked = {"function": "refactor_code", "code": code, "instructions": wish}
    changed = lambda_handler(asked, Context())
    assert changed["accepted"]
    assert "-    return 490\n" in changed["diff"]
    with pytest.raises(ValueError, match="no function 'drop'"):
        lambda_handler({"function": "drop"}, None)


def test_the_example_gives_up_before_lambda_ends_it(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 2_300

    module = load("lambda_claude_code")
    monkeypatch.setattr(module, "client", claude_twin.client())
    claude_twin.fault(stall_at=0, times=9)
    with pytest.raises(RequestTimeoutError):
        module.lambda_handler({"function": "generate_code", "prompt": REVERSE}, Late())


def test_who_is_not_vouched_for_stays_outside_and_callers_have_their_own_results() -> None:
    nobody = event("function_url")
    del nobody["requestContext"]["authorizer"]
    assert handler(nobody, Context())["statusCode"] == 401
    made = json.loads(handler(event("http_v2"), Context())["body"])["id"]
    read = event("http_v2")
    read["rawPath"] = f"/results/{made}"
    read["requestContext"]["http"]["method"] = "GET"
    assert handler(read, Context())["statusCode"] == 200
    iam = read["requestContext"]["authorizer"]["iam"]
    iam["userArn"] = iam["userArn"].replace("/developer/", "/operator/")
    assert handler(read, Context())["statusCode"] == 404


def test_problems_have_their_status() -> None:
    for body, status in [
        ("{", 400),
        ('{"prompt": "unknown"}', 422),
        (json.dumps({"prompt": REVERSE, "x": 1}), 422),
    ]:
        answer = handler({**event("http_v2"), "body": body}, Context())
        assert answer["statusCode"] == status, answer
        assert json.loads(answer["body"])["kind"] in ("malformed", "no_sample", "invalid_request")


def test_messages_of_the_queue_are_taken() -> None:
    batch = event("sqs")
    batch["Records"][0]["body"] = "names no job"
    # What cannot be read goes back, so that the dead-letter queue sees it.
    failed = [{"itemIdentifier": batch["Records"][0]["messageId"]}]
    assert handler(batch, Context()) == {"batchItemFailures": failed}
