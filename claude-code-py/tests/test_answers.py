"""Who answers an offline client: a script, a file, a server."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import REVERSE, Run

import claude_code
from claude_code import Client

HELLO = "```python hello.py\nprint('hello')\n```"


def test_a_list_of_texts_is_answered_in_its_order() -> None:
    client = Client.local(answers=[HELLO, HELLO.replace("hello", "bye")])
    assert client.generate("a greeting", store=False).code == "print('hello')\n"
    second = client.generate("a farewell", store=False)
    assert list(second.files) == ["bye.py"]
    assert second.sample, "a script is no model"
    assert second.receipt.total_usd == 0
    assert client.generate(REVERSE, store=False).accepted, "after the last step come the samples"


def test_a_step_can_be_an_error_or_a_fault() -> None:
    throttled = {"error": {"code": "ThrottlingException", "status": 429, "message": "slow"}, "times": 2}
    cut = {"answer": {"text": HELLO}, "faults": [{"break_at": 300}]}
    g = Client.local(answers=[throttled, cut, HELLO]).generate("a greeting", store=False)
    assert g.accepted
    assert [attempt.why for attempt in g.attempts[:2]] == ["first", "retry"]
    assert len(g.attempts) >= 4


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"steps": [{"answer": {"text": HELLO}}]}))
    for answers in (path, str(path)):
        g = Client.local(tmp_path / "store", answers=answers).generate("hi", store=False, cache="off")
        assert g.code == "print('hello')\n"


def test_two_scripts_over_one_directory_do_not_answer_for_each_other(tmp_path: Path) -> None:
    bye = HELLO.replace("hello", "bye")
    for answers, code in ([HELLO], "print('hello')\n"), ([bye], "print('bye')\n"):
        with Client.local(tmp_path, answers=answers) as client:
            assert client.generate("a greeting").code == code


def test_scripted_results_are_stored_like_others(tmp_path: Path) -> None:
    client = Client.local(tmp_path, answers=[HELLO])
    g = client.generate("a greeting", language="python")
    assert g.stored, g.stored_problem
    assert client.results.list(language="python")[0].id == g.id
    assert client.results.list(language="python")[0].total_usd == g.receipt.total_usd


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ("example", "neither"),
        ("no/such/file.json", "cannot read"),
        ([{"answer": {"text": "x"}, "error": {"code": "X", "status": 400}}], "an answer and an error"),
        ([{"anser": {}}], "unknown field"),
        ({"step": []}, "unknown field"),
    ],
)
def test_a_wrong_script_is_told_at_once(answers: str | list[str | dict[str, object]], part: str) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match=part):
        Client.local(answers=answers)


def test_answers_of_a_wrong_type_are_told() -> None:
    with pytest.raises(TypeError, match="a path, a URL, or a script"):
        Client.local(answers=5)  # type: ignore[arg-type]


class Server:
    """A server with the Messages API that is overloaded, and the keys that it was sent."""

    def __init__(self) -> None:
        self.keys: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                server.keys.append(self.headers.get("x-api-key"))
                body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}'
                self.send_response(529)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    pair = Server(), Server()
    yield pair
    for server in pair:
        server.http.shutdown()
        server.http.server_close()


def test_a_server_is_asked_alone_and_without_a_key_that_was_meant_for_another(
    servers: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    named, other = servers
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-for-local-servers")
    monkeypatch.setenv("CLAUDE_CODE_AWS_FAILOVER_URLS", other.url)
    options = {"store": False, "cache": "off", "max_sends": 1}
    with pytest.raises(claude_code.ClaudeCodeError):
        Client.local(answers=named.url).generate("a greeting", **options)  # type: ignore[arg-type]
    assert set(named.keys) == {None}
    monkeypatch.setenv("ANTHROPIC_BASE_URL", named.url)
    named.keys.clear()
    with pytest.raises(claude_code.ClaudeCodeError):
        Client.local(answers=named.url + "/").generate("a greeting", **options)  # type: ignore[arg-type]
    assert set(named.keys) == {"sk-ant-not-for-local-servers"}
    assert other.keys == [], "places to fail over to are paid ones"


def test_a_server_with_the_messages_api_answers(run: Run, tmp_path: Path) -> None:
    """The server is a twin of another process, and the client knows nothing of AWS."""
    done = run(f"""
        import subprocess, sys
        up = [sys.executable, "-m", "claude_code", "twin", "up", "--dir", {str(tmp_path / "twin")!r}]
        server = subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            lines = (line.strip().partition("=") for line in server.stdout)
            url = next(value for name, _, value in lines if name == "export ANTHROPIC_BASE_URL")
            import claude_code
            client = claude_code.Client.local("store", answers=url)
            g = client.generate({REVERSE!r})
            print(g.accepted, g.stored, list(g.files))
        finally:
            server.terminate()
            server.wait()
    """)
    assert (done.stdout, done.stderr) == ("True True ['reverse_string.py']\n", "")


class OpenAi:
    """A server with OpenAI's chat completions, and the models that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.append((self.path, body["model"]))
                choice = {"message": {"role": "assistant", "content": HELLO}, "finish_reason": "stop"}
                answer = json.dumps(
                    {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 7}}
                )
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def test_a_url_says_which_api_a_server_has_as_on_the_command_line(tmp_path: Path, run: Run) -> None:
    server = OpenAi()
    try:
        for end in ("/v1", "/v1/", "/v1/chat/completions"):
            client = Client.local(tmp_path, answers=server.url + end, answers_model="qwen3-coder")
            g = client.generate("a greeting", cache="off", store=False)
            assert g.code == "print('hello')\n"
            assert not g.sample, "a model answered"
        assert set(server.asked) == {("/v1/chat/completions", "qwen3-coder")}
        again = pickle.loads(pickle.dumps(client))
        assert again.generate("a greeting", cache="off", store=False).accepted
        done = run(f"""
            import claude_code._claude_code as module, sys
            ask = ["generate", "a greeting", "--answers", {server.url + "/v1"!r}, "--answers-model", "qwen3-coder"]
            sys.exit(module._main(["claude-code-aws", *ask]))
        """)
        assert "print('hello')" in done.stdout, done.stderr
        assert len(server.asked) == 5
    finally:
        server.http.shutdown()
        server.http.server_close()


def test_a_models_name_without_a_server_is_told() -> None:
    with pytest.raises(claude_code.InvalidRequestError, match=r"answers_model 'qwen'|answers_model \"qwen\""):
        Client.local(answers_model="qwen")
