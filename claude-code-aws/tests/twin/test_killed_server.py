"""`serve` is killed at random points under load: what it had acknowledged is there, and nothing is stuck or charged twice."""

import http.client
import json
import os
import random
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import COMMAND

KILLS = 20 if os.environ.get("CAMPAIGN") else 2
# Every promise of a restarted server: keys and jobs of the one before it have their answers within this time.
SOON = 15
# The promise about money: what a dead process had reserved is given back or known as unknown.
MINUTE = 60
CALLERS = 8
MAX_TOKENS = 400
# What each answer is billed for: less than the ceiling of any request here.
USAGE = {"input": 100, "output": 20}
MODELS = json.loads((Path(__file__).parents[3] / "claude-code-core" / "models.json").read_text())["models"]
PRICES = {
    model["api_id"]: sum(Decimal(model["prices"]["global"][kind]) * USAGE[kind] for kind in USAGE) / 10**6
    for model in MODELS
    if "global" in model.get("prices", {})
}


class Model(ThreadingHTTPServer):
    """A Messages API server that keeps the bill: it charges each answer that it began, whoever still hears it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.bill, self.calls, self.models, self.lock = Decimal(0), 0, set(), threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A killed caller's connection is broken: that is what happens here."""


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def event(self, name, **data):
        self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())
        self.wfile.flush()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.bill += PRICES[body["model"]]
            self.server.calls += 1
            self.server.models.add(body["model"])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        usage = {"input_tokens": USAGE["input"], "output_tokens": 1}
        message = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "usage": usage,
        }
        self.event("message_start", message=message)
        self.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for piece in ("```python a.py\n", '"""An answer."""\n', "\nvalue = 1\n", "```\n"):
            time.sleep(random.uniform(0.0, 0.15))
            self.event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        self.event("content_block_stop", index=0)
        usage = {"output_tokens": USAGE["output"]}
        self.event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=usage)
        self.event("message_stop")


class Server:
    """`serve` over one directory and at one address, again and again."""

    def __init__(self, directory, model):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "CLAUDE_CODE_AWS_LOCAL_DIR": str(directory / "data"),
            "CLAUDE_CODE_AWS_PROVIDER": "anthropic",
            "CLAUDE_CODE_AWS_MAX_USD_PER_DAY": "500",
            # One price for all, the questions of a conversation included.
            "CLAUDE_CODE_AWS_MODEL_ID": "claude-sonnet-5-5",
            "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{model.server_address[1]}",
        }
        self.log = open(directory / "serve.log", "ab")
        self.start()

    def start(self):
        args = [COMMAND, "serve", "--no-token", "--addr", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(args, env=self.environment, stderr=self.log)
        until = time.monotonic() + 30
        while True:
            try:
                return self.ask("GET", "/health")
            except OSError:
                assert time.monotonic() < until and self.process.poll() is None, "it does not start"
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, **headers):
        """Status and answer; OSError where there is none."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            named["content-type"] = "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


class Load:
    """Callers of every kind, who note what the server acknowledged and what they asked for under a key."""

    def __init__(self, server, name):
        self.server, self.name, self.over = server, name, threading.Event()
        self.jobs, self.results, self.keys, self.said, self.wrong = [], [], [], [], []
        self.threads = [threading.Thread(target=self.call, args=(n,), daemon=True) for n in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def call(self, caller):
        kinds = [self.job, self.stream, self.keyed, self.talk]
        turn = 0
        while not self.over.is_set():
            turn += 1
            try:
                kinds[caller % len(kinds)](f"{self.name}-{caller}-{turn}")
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            except Exception as error:  # A dead thread would be silence.
                self.wrong.append(repr(error))

    def body(self, name):
        return {
            "prompt": f"a value named {name}",
            "model": "sonnet",
            "max_tokens": MAX_TOKENS,
            "cache": "off",
        }

    def job(self, name):
        status, answer = self.server.ask("POST", "/generate", self.body(name), prefer="respond-async")
        if status == 202:
            self.jobs.append(json.loads(answer)["id"])
            time.sleep(0.1)
        elif status != 503:
            self.wrong.append(f"{status} {answer}")

    def stream(self, name):
        status, answer = self.server.ask("POST", "/generate", self.body(name), accept="text/event-stream")
        if status == 200 and "event: finished" in answer:
            data = answer.split("event: finished\ndata: ")[1].split("\n")[0]
            self.kept(json.loads(data)["generation"])

    def keyed(self, name):
        self.keys.append(name)
        status, answer = self.server.ask("POST", "/generate", self.body(name), idempotency_key=name)
        if status == 200:
            self.kept(json.loads(answer))

    def talk(self, name):
        _, answer = self.server.ask("POST", "/conversation", {"action": "start"})
        conversation = json.loads(answer)["conversation_id"]
        for step in (1, 2):
            said = {
                "action": "message",
                "conversation_id": conversation,
                "message": f"{name} {step}",
                "step": step,
            }
            status, _ = self.server.ask("POST", "/conversation", said)
            if status == 200:
                self.said.append((conversation, step, f"{name} {step}"))

    def kept(self, generation):
        assert generation["stored"], generation
        self.results.append(generation["id"])


def within(seconds, what, done):
    until = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < until, what
        time.sleep(0.1)
    return found


def assert_nothing_is_lost(server, load, restarted):
    """Gives how long after the restart the last key and job had their answers."""
    left = lambda: max(0.0, restarted + SOON - time.monotonic())  # noqa: E731
    for key in load.keys:

        def answered(key=key):
            status, answer = server.ask("POST", "/generate", load.body(key), idempotency_key=key)
            assert status in (200, 409), answer
            return json.loads(answer)["id"] if status == 200 else None

        first = within(left(), f"the key {key} is stuck", answered)
        assert answered() == first, "the same key, the same result"
    for job in load.jobs:

        def ended(job=job):
            status, answer = server.ask("GET", f"/jobs/{job}")
            assert status == 200, f"an acknowledged job is lost: {answer}"
            return json.loads(answer)["state"] in ("done", "failed") and json.loads(answer)

        found = within(left(), f"the job {job} is stuck", ended)
        assert found["state"] == "done", found
    took = time.monotonic() - restarted
    for result in load.results:
        status, answer = server.ask("GET", f"/results/{result}")
        assert status == 200, f"an acknowledged result is lost: {answer}"
    for conversation, step, words in load.said:
        status, answer = server.ask("GET", f"/conversation/{conversation}")
        assert status == 200, answer
        assert json.loads(answer)["answers"][step - 1]["answer"] == words, "an acknowledged answer is lost"
    return took


def assert_the_books_are_right(server, model, dearest):
    """Spent is what was seen to its end, at its price; reserved is at most one ceiling for each attempt that was cut."""

    def settled():
        budget = json.loads(server.ask("GET", "/budget")[1])
        return budget["unknown"] == budget["reserved"] and budget

    begun = time.monotonic()
    budget = within(MINUTE, "what the dead reserved is not told apart", settled)
    spent, reserved = Decimal(budget["spent"]), Decimal(budget["reserved"])
    (price,) = {price for name, price in PRICES.items() if name in model.models}
    ended = spent / price
    cut = model.calls - ended
    print(
        f"{model.calls} attempts billed at ${model.bill}: {ended} settled, {cut} cut, booked ${spent} and ${reserved}; "
        f"known {time.monotonic() - begun:.0f} s after the last answer"
    )
    assert ended == int(ended) and cut >= 0, (
        "an attempt that was seen to its end is booked once, at its price"
    )
    assert spent + reserved >= model.bill, "what the provider bills is booked"
    # Beside those on the bill, each caller may have had one that was about to be sent when its server was killed.
    assert reserved <= (cut + KILLS * CALLERS) * dearest, "one ceiling for each that was cut"


def ceiling(server, load, name):
    """The most that an attempt of this request can cost."""
    body = {key: value for key, value in load.body(name).items() if key != "cache"}
    return Decimal(json.loads(server.ask("POST", "/estimate", body)[1])["worst_usd"])


def test_a_server_that_is_killed_under_load_loses_nothing_and_keeps_its_books(tmp_path):
    model = Model()
    server = Server(tmp_path, model)
    took, ceilings = [], []
    try:
        for kill in range(KILLS):
            load = Load(server, f"k{kill}")
            time.sleep(random.uniform(0.3, 2.5))
            server.kill()
            load.over.set()
            server.start()
            restarted = time.monotonic()
            load.end()
            assert not load.wrong, load.wrong[:3]
            took.append(assert_nothing_is_lost(server, load, restarted))
            ceilings += [ceiling(server, load, name) for name in load.keys]
        print(f"{KILLS} kills: keys and jobs had their answers within {max(took):.1f} s of the restart")
        assert_the_books_are_right(server, model, max(ceilings))
    finally:
        server.kill()
        model.shutdown()
