"""Recorded traffic, played by the twin and read by boto3 and the anthropic package, gives what was expected of it.

A small corpus of our own is committed (claude-code-core/tests/corpus); the large one is read from
CLAUDE_CODE_AWS_CORPUS, else from beside the checkout. The number of records that ran is printed.
"""

import base64
import hashlib
import json
import os
import struct
import warnings
import zlib
from pathlib import Path

import anthropic
import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from botocore.parsers import ResponseParserError

from conftest import MODEL, Twin

OWN = Path(__file__).parents[3] / "claude-code-core" / "tests" / "corpus"
CORPUS = Path(os.environ.get("CLAUDE_CODE_AWS_CORPUS") or Path(__file__).parents[4] / "shared" / "corpus")
ONCE = Config(retries={"total_max_attempts": 1})
PATHS = {
    "converse": f"/model/{MODEL}/converse",
    "converse-stream": f"/model/{MODEL}/converse-stream",
    "invoke": f"/model/{MODEL}/invoke",
    "invoke-stream": f"/model/{MODEL}/invoke-with-response-stream",
    "messages": "/v1/messages",
}


def records(name):
    """The records of a file that the twin can play, each with a number of its own."""
    paths = [OWN / name, CORPUS / name]
    if not paths[1].exists():
        print(f"corpus {name}: only our own records ran ({paths[1]} is not there; set CLAUDE_CODE_AWS_CORPUS)")
    lines = [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]
    return [record | {"n": n} for n, record in enumerate(lines) if record["operation"] in PATHS]


def at_least(with_large, own):
    """How many records must have run, with the large corpus and without it."""
    return with_large if (CORPUS / "bedrock.jsonl").exists() else own


def is_of_its_api(record):
    """A few records are filed under an API whose shape they do not have: completions, a list of events."""
    member = {"converse": "output", "messages": "content"}.get(record["operation"])
    if record["streaming"] or record["response"]["status"] != 200 or not member:
        return True
    try:
        body = json.loads(record["response"]["body_text"])
    except json.JSONDecodeError:
        return False
    return isinstance(body, dict) and member in body


def turns(n):
    return [{"role": "user", "content": [{"text": f"record {n}"}]}]


def asked(record):
    """A request of its own for each record: what was asked then is often not known."""
    n, operation = record["n"], record["operation"]
    if operation.startswith("converse"):
        return {"messages": turns(n)}
    if operation.startswith("invoke"):
        return {"record": n}
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": f"record {n}"}]}
    return body | ({"stream": True} if record["streaming"] else {})


def framed(lines):
    """An event stream of events that were kept as lines of JSON."""
    stream = b""
    for line in filter(None, lines.splitlines()):
        ((kind, payload),) = json.loads(line).items()
        if payload.get("start") == {}:
            continue  # a project's addition: the service begins no block of text, and boto3 refuses an empty union
        names = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
        headers = b"".join(
            bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
            for name, value in names.items()
        )
        data = json.dumps(payload).encode()
        prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
        message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
        stream += message + struct.pack(">I", zlib.crc32(message))
    return base64.b64encode(stream).decode()


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """Starts a twin that plays these records."""
    started = []

    def start(found):
        place = tmp_path_factory.mktemp("corpus")
        with (place / "records.jsonl").open("w") as file:
            for record in found:
                request = {"method": "POST", "path": PATHS[record["operation"]], "body": asked(record)}
                response = dict(record["response"])
                if record["expected"]["kind"] == "converse-stream/lines":
                    response["body_base64"] = framed(response.pop("body_text"))
                    response["headers"] = {"content-type": "application/vnd.amazon.eventstream"}
                file.write(json.dumps({"request": request, "response": response}) + "\n")
        twin = Twin(place / "data", "--answers", str(place))
        started.append(twin)
        return twin

    yield start
    for twin in started:
        twin.close()


def bedrock(twin):
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y", "region_name": "us-east-1"}
    return boto3.client("bedrock-runtime", endpoint_url=twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], config=ONCE, **keys)


class Heard:
    """What a client made of an answer, in the words of `expected`."""

    def __init__(self):
        self.text, self.thinking, self.tools, self.usage = "", "", [], {}
        self.stop = self.error = self.message = self.status = self.damage = None

    def block(self, block):
        self.text += block.get("text", "")
        self.text += "".join(part.get("text", "") for part in block.get("citationsContent", {}).get("content", []))
        self.thinking += block.get("reasoningContent", {}).get("reasoningText", {}).get("text", "")
        if "toolUse" in block:
            self.tools.append((block["toolUse"]["name"], block["toolUse"]["input"]))

    def refused(self, error):
        self.error, self.message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


def whole(client, n):
    heard = Heard()
    try:
        answer = client.converse(modelId=MODEL, messages=turns(n))
    except ClientError as error:
        heard.refused(error)
        return heard
    for block in answer["output"]["message"]["content"]:
        heard.block(block)
    heard.stop, heard.usage = answer["stopReason"], answer["usage"]
    return heard


def streamed(client, n):
    heard, tools = Heard(), {}
    try:
        for event in client.converse_stream(modelId=MODEL, messages=turns(n))["stream"]:
            ((kind, data),) = event.items()
            if kind == "contentBlockStart" and "toolUse" in data["start"]:
                tools[data["contentBlockIndex"]] = [data["start"]["toolUse"]["name"], ""]
            elif kind == "contentBlockDelta":
                delta = data["delta"]
                heard.text += delta.get("text", "")
                heard.thinking += delta.get("reasoningContent", {}).get("text", "")
                if "toolUse" in delta:
                    tools[data["contentBlockIndex"]][1] += delta["toolUse"]["input"]
            elif kind == "messageStop":
                heard.stop = data["stopReason"]
            elif kind == "metadata":
                heard.usage = data.get("usage", {})
    except ChecksumMismatch as error:
        heard.damage = error
    except EventStreamError as error:
        heard.refused(error)
    except ClientError as error:
        heard.refused(error)
    heard.tools = [(name, json.loads(text or "{}")) for name, text in tools.values()]
    return heard


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check(heard, expected):
    """Every value that is expected of a record."""
    error = expected.get("error")
    if error:
        assert sha256(heard.message) == error["message_sha256"]
        assert heard.error == error["code"] or error["code"] is None
        assert error["in_stream"] or heard.status == expected["status"]
    else:
        assert heard.error is None
    assert (heard.damage is not None) == ("framing_error" in expected)
    if heard.damage:
        return  # botocore gives the frames before it, the expectation none
    assert (sha256(heard.text), len(heard.text)) == (expected["text_sha256"], expected["text_chars"])
    assert heard.stop == expected["stop_reason"]
    names = {"inputTokens": "input_tokens", "outputTokens": "output_tokens"}
    names |= {"cacheReadInputTokens": "cache_read_tokens", "cacheWriteInputTokens": "cache_write_tokens"}
    for name, figure in names.items():
        assert heard.usage.get(name) == expected[figure], name
    if "thinking_sha256" in expected:
        assert sha256(heard.thinking) == expected["thinking_sha256"]
    calls = [(name, sha256(compact(given))) for name, given in heard.tools]
    wanted = expected.get("tool_calls", [])
    assert calls == [(call["name"], call["input_sha256_sorted_json"]) for call in wanted]


def test_each_recorded_converse_answer_is_read_by_boto3_as_expected(play):
    filed = [record for record in records("bedrock.jsonl") if record["operation"].startswith("converse")]
    found = [record for record in filed if is_of_its_api(record)]
    client = bedrock(play(found))
    strange = []
    for record in found:
        hear = streamed if record["operation"] == "converse-stream" else whole
        try:
            check(hear(client, record["n"]), record["expected"])
        except ResponseParserError:
            strange.append(record)
        except AssertionError as error:
            raise AssertionError(f"{record['id']}: {error}") from error
    streams = sum(record["operation"] == "converse-stream" for record in found)
    ran = len(found) - len(strange)
    print(f"corpus bedrock.jsonl: {ran} of {len(filed)} Converse records ran, {streams} of them streams")
    # A project's own fixture, with a member that Converse does not have: boto3 refuses it from anywhere.
    assert len(strange) <= 1, [record["id"] for record in strange]
    assert streams >= at_least(30, own=4)


def test_each_recorded_invoke_answer_reaches_boto3_whole(play):
    found = [record for record in records("bedrock.jsonl") if record["operation"].startswith("invoke")]
    client = bedrock(play(found))
    for record in found:
        body, expected = json.dumps(asked(record)), record["expected"]
        try:
            if record["operation"] == "invoke":
                told = client.invoke_model(modelId=MODEL, body=body)["body"].read().decode()
                assert told == record["response"]["body_text"], record["id"]
                continue
            frames = list(client.invoke_model_with_response_stream(modelId=MODEL, body=body)["body"])
            assert len(frames) == expected.get("frames", len(frames)), record["id"]
        except (ClientError, EventStreamError) as error:
            wanted = expected.get("error")
            assert wanted and error.response["Error"]["Code"] == wanted["code"], record["id"]
            assert sha256(error.response["Error"]["Message"]) == wanted["message_sha256"], record["id"]
    print(f"corpus bedrock.jsonl: {len(found)} InvokeModel records ran")


def test_each_recorded_stream_of_text_is_framed_anew_and_read_as_expected(tmp_path):
    found = [
        record
        for record in records("bedrock.jsonl")
        if record["operation"] == "converse-stream"
        and record["expected"]["blocks"] == {"text": 1}
        and record["expected"]["stop_reason"]
    ]
    texts = []
    for record in found:
        stream, text = base64.b64decode(record["response"]["body_base64"]), ""
        while stream:
            length, headers = struct.unpack(">II", stream[:8])
            text += json.loads(stream[12 + headers : length - 4]).get("delta", {}).get("text", "")
            stream = stream[length:]
        texts.append(text)
    steps = [
        {"answer": {"text": text, "stop_reason": record["expected"]["stop_reason"]}}
        for text, record in zip(texts, found, strict=True)
    ]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"steps": steps}))
    twin = Twin(tmp_path / "data", "--answers", str(script))
    try:
        client = bedrock(twin)
        for record in found:
            heard = streamed(client, record["n"])
            assert sha256(heard.text) == record["expected"]["text_sha256"], record["id"]
            assert heard.stop == record["expected"]["stop_reason"], record["id"]
    finally:
        twin.close()
    print(f"corpus bedrock.jsonl: {len(found)} streams of text were framed anew")
    assert len(found) >= at_least(15, own=2)


def test_each_recorded_message_is_read_by_the_anthropic_package_as_expected(play):
    messages = records("anthropic.jsonl")
    found = [record for record in messages if is_of_its_api(record)]
    twin = play(found)
    client = anthropic.Anthropic(base_url=twin.env["ANTHROPIC_BASE_URL"], api_key="x", max_retries=0)
    for record in found:
        expected, text, stop = record["expected"], "", None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if record["streaming"]:
                    for event in client.messages.create(**asked(record)):
                        text += getattr(getattr(event, "delta", None), "text", None) or ""
                        started = getattr(event, "content_block", None)
                        text += (getattr(started, "text", None) or "") if getattr(started, "type", "") == "text" else ""
                        stop = getattr(getattr(event, "delta", None), "stop_reason", None) or stop
                else:
                    answer = client.messages.create(**asked(record))
                    blocks = [block for block in answer.content or [] if block.type == "text"]
                    text, stop = "".join(block.text for block in blocks), answer.stop_reason
            except anthropic.APIStatusError as error:
                assert expected.get("error"), record["id"]
                assert error.status_code == expected["status"] or expected["status"] == 200, record["id"]
                continue
        assert sha256(text) == expected["text_sha256"], record["id"]
        assert stop == expected["stop_reason"], record["id"]
    print(f"corpus anthropic.jsonl: {len(found)} of {len(messages)} Messages records ran")
