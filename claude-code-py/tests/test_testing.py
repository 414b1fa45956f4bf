"""The twin for tests: scripts, rules, figures, and what was sent."""

from __future__ import annotations

import json
import math

import pytest

import claude_code
from claude_code.testing import Twin

MODEL = "global.anthropic.claude-haiku-5-5"
HELLO = "```python hello.py\nprint('hello')\n```"


def test_figures_of_an_answer_are_scripted(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, usage={"input": 900, "output": 7, "cache_read": 400})
    claude_twin.answer(HELLO, prompt="ruled", usage={"cache_write": 50})
    usage = claude_twin.client().generate("a greeting").usage
    assert (usage.input_tokens, usage.output_tokens) == (900, 7)
    assert usage.cache_read_input_tokens == 400
    assert claude_twin.client().generate("a ruled one").usage.cache_creation_input_tokens == 50
    with pytest.raises(claude_code.InvalidRequestError, match="unknown field"):
        claude_twin.answer(HELLO, usage={"inputs": 1})  # type: ignore[arg-type]


def test_a_stop_reason_is_scripted(claude_twin: Twin) -> None:
    claude_twin.answer("no", stop_reason="refusal")
    with pytest.raises(claude_code.RefusedError):
        claude_twin.client().generate("anything")


def test_a_step_without_an_answer_takes_the_one_of_the_rule(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="greeting")
    claude_twin.play('{"steps": [{"faults": [{"latency_ms": 1}]}]}')
    assert claude_twin.client().generate("a greeting").code == "print('hello')\n"


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(claude_twin: Twin, seconds: float) -> None:
    for name in ("latency", "pace"):
        with pytest.raises(claude_code.InvalidRequestError, match=f"{name} .*seconds"):
            claude_twin.fault(**{name: seconds})  # type: ignore[arg-type]


def test_what_was_sent_has_its_whole_body(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO)
    claude_twin.client().generate("a greeting", max_tokens=555)
    (sent,) = claude_twin.sent()
    assert sent.body["inferenceConfig"]["maxTokens"] == 555
    assert "a greeting" in json.dumps(sent.body["messages"])
    assert "greeting" not in repr(sent)
    assert type(sent).from_dict(sent.to_dict()) == sent


def test_other_programs_ask_the_same_twin(claude_twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3 = pytest.importorskip("boto3")
    for name, value in claude_twin.listen().items():
        monkeypatch.setenv(name, value)
    assert claude_twin.listen() == claude_twin.listen(), "it listens once"
    claude_twin.answer("scripted")
    claude_twin.refuse("throttled")
    once = boto3.session.Config(retries={"total_max_attempts": 1})
    bedrock = boto3.client("bedrock-runtime", config=once)
    ask = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "a question"}]}]}
    answer = bedrock.converse(**ask, inferenceConfig={"maxTokens": 77})
    assert answer["output"]["message"]["content"][0]["text"] == "scripted"
    with pytest.raises(bedrock.exceptions.ThrottlingException):
        bedrock.converse(**ask)
    first, second = claude_twin.sent()
    assert (first.model, first.prompt, first.max_tokens) == (MODEL, "a question", 77)
    assert second.body["messages"] == ask["messages"]


def test_other_programs_find_what_a_client_has_stored(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3 = pytest.importorskip("boto3")
    for name, value in claude_twin.listen().items():
        monkeypatch.setenv(name, value)
    claude_twin.answer(HELLO)
    g = claude_twin.client(store="disk").generate("a greeting")
    assert g.stored, g.stored_problem
    bucket = "claude-code-workshop-000000000000"
    assert boto3.client("s3").get_object(Bucket=bucket, Key=g.s3_key)["Body"].read() == b"print('hello')\n"
    rows = boto3.resource("dynamodb").Table("claude-code-results").scan()["Items"]
    assert [row["id"] for row in rows] == [g.id]


def test_a_twin_without_a_directory_has_bedrock_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = Twin().listen()
    assert "AWS_ENDPOINT_URL_BEDROCK_RUNTIME" in variables
    assert "ANTHROPIC_BASE_URL" in variables
    assert "AWS_ENDPOINT_URL_S3" not in variables
