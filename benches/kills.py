"""kill -9 of `serve` at random points under load: what is stuck, lost or charged twice afterwards.

    python3 benches/kills.py COMMAND [KILLS]      COMMAND: the built claude-code-aws; 20 kills unless told

A Messages API in this process answers and keeps the bill. Callers post with idempotency keys, as streams, as jobs and in
conversations, and repeat what was not acknowledged. Exits 1 where a key or a job is stuck for more than 15 seconds after a
restart, an acknowledged result is gone, or the budget is less than the bill.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STUCK = 15.0
CALLERS = 12
ANSWER = "```python a.py\nvalue = 1\n```\n"
# What an answer is billed with; the price table of the command says what that costs.
TOKENS = {"input_tokens": 1000, "output_tokens": 2000}
bill = {"sent": 0, "ended": 0}
lock = threading.Lock()


class Model(BaseHTTPRequestHandler):
    """A Messages API that streams one answer within some tenths of a second."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        with lock:
            bill["sent"] += 1
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        usage = {"input_tokens": TOKENS["input_tokens"], "output_tokens": 1}
        start = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [], "usage": usage}
        try:
            self.event("message_start", {"message": start})
            self.event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
            for piece in ANSWER.splitlines(keepends=True):
                time.sleep(random.uniform(0.02, 0.3))
                self.event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": piece}})
            self.event("content_block_stop", {"index": 0})
            delta = {"stop_reason": "end_turn", "stop_sequence": None}
            self.event("message_delta", {"delta": delta, "usage": {"output_tokens": TOKENS["output_tokens"]}})
            self.event("message_stop", {})
            with lock:
                bill["ended"] += 1
        except OSError:
            pass
        self.close_connection = True

    def event(self, name: str, data: dict) -> None:
        self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())
        self.wfile.flush()


class Server:
    """`serve` as a process, killed and started again at the same address."""

    def __init__(self, command: str, directory: str, model: int) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLAUDE_CODE_AWS_"))}
        self.env = {
            **own, "CLAUDE_CODE_AWS_PROVIDER": "anthropic", "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{model}", "CLAUDE_CODE_AWS_LOCAL_DIR": directory,
            "CLAUDE_CODE_AWS_MAX_USD_PER_DAY": "10000", "RUST_LOG": "warn",
        }
        self.command, self.port, self.log = command, 0, Path(directory, "server.log")
        self.up = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            mark = log.tell()
            arguments = [self.command, "serve", "--no-token", "--addr", f"127.0.0.1:{self.port}"]
            self.process = subprocess.Popen(arguments, env=self.env, stderr=log, stdout=subprocess.DEVNULL)
        for _ in range(200):
            told = self.log.read_text()[mark:]
            if "listening on http://127.0.0.1:" in told:
                self.port = int(told.split("http://127.0.0.1:")[1].split("/")[0])
                self.up = time.monotonic()
                return
            time.sleep(0.05)
        raise SystemExit(f"it does not start: {self.log.read_text()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, path: str, body: dict | None = None, **headers: str) -> tuple[int, dict]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"content-type": "application/json", **given})
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                text = answer.read().decode()
                if "event-stream" in answer.headers.get("content-type", ""):
                    last = [block for block in text.split("\n\n") if block][-1] if text else ""
                    if "event: finished" not in last:
                        return 0, {}
                    return 200, json.loads(last.split("data: ", 1)[1])["generation"]
                return answer.status, json.loads(text)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return 0, {}


class Caller(threading.Thread):
    """Posts one thing after another and repeats each until it is acknowledged."""

    def __init__(self, number: int, server: Server, found: dict) -> None:
        super().__init__(daemon=True)
        self.number, self.server, self.found, self.ending = number, server, found, False

    def run(self) -> None:
        for turn in range(1_000_000):
            if self.ending:
                return
            [self.whole, self.stream, self.job, self.talk][(self.number + turn) % 4](f"{self.number}-{turn}")

    def until_acknowledged(self, name: str, ask) -> dict | None:
        since = time.monotonic()
        while True:
            status, answer = ask()
            if status in (200, 202):
                return answer
            held = time.monotonic() - max(since, self.server.up)
            if status == 409:
                with lock:
                    self.found["longest"] = max(self.found["longest"], held)
                if held > STUCK:
                    self.found["wrong"].append(f"{name} is stuck for {held:.1f} s: {answer.get('detail')}")
                    return None
            elif status not in (0, 429, 500, 503):
                self.found["wrong"].append(f"{name}: {status} {answer.get('detail')}")
                return None
            time.sleep(0.2)

    def prompt(self, name: str) -> dict:
        return {"prompt": f"a value, {name}", "model": "sonnet", "cache": "off"}

    def keep(self, name: str, result: dict | None) -> None:
        if result:
            with lock:
                self.found["results"][name] = result["id"]

    def whole(self, name: str) -> None:
        ask = lambda: self.server.ask("/generate", self.prompt(name), idempotency_key=f"w-{name}")
        self.keep(f"w-{name}", self.until_acknowledged(f"key w-{name}", ask))

    def stream(self, name: str) -> None:
        ask = lambda: self.server.ask("/generate", self.prompt(name), idempotency_key=f"s-{name}", accept="text/event-stream")
        self.keep(f"s-{name}", self.until_acknowledged(f"stream s-{name}", ask))

    def job(self, name: str) -> None:
        ask = lambda: self.server.ask("/generate", self.prompt(name), idempotency_key=f"j-{name}", prefer="respond-async")
        job = self.until_acknowledged(f"job j-{name}", ask)
        if job:
            with lock:
                self.found["jobs"].append(job["id"])

    def talk(self, name: str) -> None:
        ask = lambda: self.server.ask("/conversation", {"action": "start"}, idempotency_key=f"c-{name}")
        talk = self.until_acknowledged(f"start c-{name}", ask)
        if not talk:
            return
        said = {"action": "message", "conversation_id": talk["conversation_id"], "message": "vFirewall", "step": 1}
        ask = lambda: self.server.ask("/conversation", said, idempotency_key=f"m-{name}")
        if self.until_acknowledged(f"message m-{name}", ask):
            with lock:
                self.found["talks"].append(talk["conversation_id"])


def main() -> int:
    command, kills = os.path.realpath(sys.argv[1]), int((sys.argv + ["20"])[2])
    model = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    model.daemon_threads = True
    threading.Thread(target=model.serve_forever, daemon=True).start()
    found: dict = {"results": {}, "jobs": [], "talks": [], "wrong": [], "longest": 0.0}
    with tempfile.TemporaryDirectory() as directory:
        server = Server(command, directory, model.server_port)
        server.start()
        callers = [Caller(number, server, found) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.3, 4.0))
            server.kill()
            server.start()
        for caller in callers:
            caller.ending = True
        for caller in callers:
            caller.join(60)
        restarted, slowest = server.up, 0.0
        for job in found["jobs"]:
            while True:
                status, told = server.ask(f"/jobs/{job}")
                if status == 200 and told["state"] in ("done", "failed"):
                    break
                slowest = time.monotonic() - restarted
                if slowest > 60:
                    found["wrong"].append(f"job {job} is stuck: {status} {told.get('state')}")
                    break
                time.sleep(0.2)
            if status == 200 and told["state"] == "failed":
                found.setdefault("failed", []).append(told["problem"]["detail"])
        for name, result in found["results"].items():
            if server.ask(f"/results/{result}")[0] != 200:
                found["wrong"].append(f"the acknowledged result of {name} is gone")
        for talk in found["talks"]:
            status, told = server.ask(f"/conversation/{talk}")
            if status != 200 or len(told["answers"]) != 1:
                found["wrong"].append(f"the acknowledged answer of {talk} is gone: {status}")
        if len(set(found["results"].values())) != len(found["results"]):
            found["wrong"].append("two keys have the same result")
        _, budget = server.ask("/budget")
        server.kill()
    one = Decimal(TOKENS["input_tokens"]) * 3 / 1_000_000 + Decimal(TOKENS["output_tokens"]) * 15 / 1_000_000
    least, most = one * bill["ended"], one * bill["sent"]
    charged = Decimal(budget["spent"]) + Decimal(budget["reserved"])
    print(f"{kills} kills, {len(found['results'])} results, {len(found['jobs'])} jobs, {len(found['talks'])} conversations")
    print(f"longest wait for a key after a restart: {found['longest']:.1f} s; jobs failed: {len(found.get('failed', []))}")
    print(f"bill between {least} and {most} for {bill['sent']} sends; spent {budget['spent']}, reserved {budget['reserved']}")
    if charged < least:
        found["wrong"].append(f"charged {charged} is less than the bill {least}")
    for wrong in found["wrong"]:
        print("WRONG:", wrong)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
