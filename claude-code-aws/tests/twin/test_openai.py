"""A server with OpenAI's chat completions behind the twin: it answers as if it were Bedrock."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from conftest import MODEL, Twin

ONCE = Config(retries={"total_max_attempts": 1})
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}


class Server:
    """Plays one answer after another and keeps what was asked."""

    def __init__(self):
        self.answers, self.asked, self.read_on = [], [], threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.append((self.path, self.headers, body))
                server.answers.pop(0)(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


def event(handler, data):
    handler.wfile.write(f"data: {json.dumps(data) if data != '[DONE]' else data}\n\n".encode())
    handler.wfile.flush()


def begin(handler, kind="text/event-stream"):
    handler.send_response(200)
    handler.send_header("content-type", kind)
    handler.end_headers()


def delta(text, reason=None):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}


def streams(reason="stop"):
    def play(handler):
        begin(handler)
        event(handler, {"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
        event(handler, delta("Hello "))
        event(handler, {"choices": [{"delta": {"reasoning_content": "hm"}, "finish_reason": None}]})
        event(handler, delta("world", reason))
        event(handler, {"choices": [], "usage": USAGE})
        event(handler, "[DONE]")

    return play


def whole(handler):
    begin(handler, "application/json")
    message = {"role": "assistant", "content": "Hello world"}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE}
    handler.wfile.write(json.dumps(body).encode())


def refuses(status, error, **headers):
    def play(handler):
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(json.dumps({"error": error}).encode())

    return play


def breaks(*last):
    def play(handler):
        begin(handler)
        event(handler, delta("Hello "))
        for data in last:
            event(handler, data)

    return play


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()


@pytest.fixture
def bedrock(server, tmp_path, environment):
    twin = Twin(tmp_path / "data", "--answers", server.url, "--answers-model", "qwen2.5-coder:7b")
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    yield boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    twin.close()


def ask(**more):
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "hi"}]}]} | more


@pytest.mark.parametrize("answer", [streams(), whole], ids=["streaming", "not"])
def test_an_answer_is_that_of_the_server(bedrock, server, answer):
    server.answers += [answer, answer]
    told = bedrock.converse(**ask(system=[{"text": "be brief"}], inferenceConfig={"maxTokens": 77}))
    assert told["output"]["message"]["content"] == [{"text": "Hello world"}]
    assert told["stopReason"] == "end_turn"
    usage = told["usage"]
    assert (usage["inputTokens"], usage["cacheReadInputTokens"], usage["outputTokens"]) == (7, 4, 5)
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions" and "authorization" not in headers
    assert (body["model"], body["max_tokens"], body["stream"]) == ("qwen2.5-coder:7b", 77, True)
    assert body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]

    events = list(bedrock.converse_stream(**ask())["stream"])
    text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)
    assert text == "Hello world"
    assert events[-2]["messageStop"]["stopReason"] == "end_turn" and events[-1]["metadata"]["usage"] == usage


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("length", "max_tokens"), ("content_filter", "content_filtered"), ("tool_calls", "tool_use")],
)
def test_reasons_to_stop_have_bedrocks_names(bedrock, server, reason, expected):
    server.answers.append(streams(reason))
    assert bedrock.converse(**ask())["stopReason"] == expected


def test_a_piece_is_read_before_the_next_one_is_written(bedrock, server):
    def waits(handler):
        begin(handler)
        event(handler, delta("Hello "))
        assert server.read_on.wait(20), "the first piece was not passed on"
        event(handler, delta("world", "stop"))
        event(handler, "[DONE]")

    server.answers.append(waits)
    texts = []
    for told in bedrock.converse_stream(**ask())["stream"]:
        if "contentBlockDelta" in told:
            texts.append(told["contentBlockDelta"]["delta"]["text"])
            server.read_on.set()
    assert texts == ["Hello ", "world"]


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (429, {"message": "slow down", "type": "rate_limit_exceeded"}, "ThrottlingException"),
        (401, {"message": "no key", "code": "invalid_api_key"}, "AccessDeniedException"),
        (404, {"message": "no such model", "code": "model_not_found"}, "ResourceNotFoundException"),
        (400, {"message": "bad temperature", "type": "invalid_request_error"}, "ValidationException"),
        (400, {"message": "too long", "code": "context_length_exceeded"}, "ValidationException"),
        (503, {"message": "loading", "type": "unavailable_error"}, "ServiceUnavailableException"),
    ],
)
def test_refusals_are_bedrocks_own(bedrock, server, status, error, code):
    server.answers += [refuses(status, error)] * 2
    for call in [bedrock.converse, bedrock.converse_stream]:
        with pytest.raises(ClientError) as refused:
            call(**ask())
        assert refused.value.response["Error"]["Code"] == code


def test_a_wait_that_the_server_asks_for_is_passed_on(bedrock, server):
    server.answers.append(refuses(429, {"message": "slow down"}, retry_after="7"))
    with pytest.raises(ClientError) as refused:
        bedrock.converse(**ask())
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


@pytest.mark.parametrize(
    "broken",
    [breaks(), breaks("[DONE]"), breaks({"error": {"message": "out of memory", "code": 500}}), breaks({"a": 1}, {})],
    ids=["cut", "no reason", "error", "nothing more"],
)
def test_an_answer_that_breaks_off_is_an_error_in_the_stream(bedrock, server, broken):
    server.answers += [broken, broken]
    with pytest.raises(EventStreamError):
        list(bedrock.converse_stream(**ask())["stream"])
    with pytest.raises(ClientError):
        bedrock.converse(**ask())
