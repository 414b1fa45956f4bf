"""A cold Lambda, ours beside one on boto3: from the start of the process to its first answer.

    python lambda.py LAMBDA_BINARY COMMAND [--repeats N] [--check]
    python lambda.py --zip LAMBDA_BINARY ZIP

A stand-in for Lambda's runtime API on loopback hands out one event of an HTTP API; both functions ask the same local
twin (COMMAND `twin up`), keep the code in its S3 and a row in its DynamoDB. Processes take turns, N times (5 unless
told); printed are medians. Init is from the start of the process to its first question for an event, answer from there
to the posted response. With --check it ends with 1 if ours is not ten times faster or its zip is over 15 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EVENT = HERE.parent / "claude-code-aws/tests/http/events/http_v2.json"
BOUND_RATIO, BOUND_ZIP = 10, 15e6
MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


class RuntimeApi:
    """Lambda's side of one process: one event, one answer, and when they came."""

    def __init__(self, event: bytes) -> None:
        api = self
        self.asked = self.answered = 0.0
        self.answer = b""
        self.done = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else the second packet of an answer waits 40 ms for the first one's acknowledgement.
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                now = time.perf_counter()
                if api.asked:
                    # The next event never comes: the process is ended while it waits.
                    api.done.wait(60)
                    return
                api.asked = now
                self.send_response(200)
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 300) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:bench",
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
                    "Content-Type": "application/json",
                    "Content-Length": str(len(event)),
                }
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    body = b"".join(self.chunks())
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.answered = time.perf_counter()
                api.answer = body if self.path.endswith("/response") else b"error " + body
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.wfile.flush()
                api.done.set()

            def chunks(self) -> Iterator[bytes]:
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A process that is killed resets its connections: that is how each of them ends."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"


def cold(program: list[str], env: dict[str, str], event: bytes) -> tuple[float, float]:
    """Milliseconds of init and of the first answer of a fresh process."""
    api = RuntimeApi(event)
    function = {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
    }
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(program, env={**env, **function}, stdout=errors, stderr=errors)
        in_time = api.done.wait(60)
        process.kill()
        process.wait()
        api.server.shutdown()
        errors.seek(0)
        said = errors.read().decode(errors="replace")[-2000:]
    answer = json.loads(api.answer) if in_time and not api.answer.startswith(b"error") else {}
    if answer.get("statusCode") != 200 or "def reverse_string" not in answer.get("body", ""):
        raise SystemExit(f"{program[0]} gave no answer: {api.answer[:500]!r} {said}")
    return (api.asked - started) * 1e3, (api.answered - api.asked) * 1e3


@contextmanager
def twin(command: str) -> Iterator[dict[str, str]]:
    """The environment of a twin that is up."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLAUDE_CODE_AWS_"))}
    with tempfile.TemporaryDirectory() as directory:
        up = subprocess.Popen(
            [command, "twin", "up", "--dir", directory], env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert up.stdout is not None
            env = dict(own)
            for line in up.stdout:
                name, _, value = line.removeprefix("export ").rstrip().partition("=")
                env[name] = value
                if name == "AWS_ENDPOINT_URL_BEDROCK_RUNTIME":
                    break
            assert up.stderr is not None
            up.stderr.readline()  # The stores are open.
            yield env
        finally:
            up.kill()
            up.wait()


def zipped(binary: str, target: str) -> int:
    """The deployment package; its size in bytes."""
    info = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o100755 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w", compresslevel=9) as package:
        package.writestr(info, Path(binary).read_bytes())
    return os.path.getsize(target)


def measure(binary: str, command: str, repeats: int) -> bool:
    """Prints the figures; whether they are within their bounds."""
    event = json.loads(EVENT.read_text())
    event["body"] = json.dumps({**json.loads(event["body"]), "cache": "off"})
    ours, theirs = [binary], [sys.executable, str(HERE / "lambda_boto3.py")]
    taken: dict[str, list[tuple[float, float]]] = {"ours": [], "boto3": []}
    with twin(command) as env:
        env = {
            **env,
            "CLAUDE_CODE_AWS_ALLOW_ENDPOINT_OVERRIDE": "1",
            "CLAUDE_CODE_AWS_BUCKET_NAME": "claude-code-workshop-000000000000",
            "CLAUDE_CODE_AWS_TABLE_NAME": "claude-code-results",
            "BENCH_MODEL": MODEL,
        }
        for _ in range(repeats + 1):
            for name, program in (("ours", ours), ("boto3", theirs)):
                taken[name].append(cold(program, env, json.dumps(event).encode()))
    # The first round fills the disk cache and compiles Python's bytecode: it does not count.
    figures = {name: [statistics.median(column) for column in zip(*rounds[1:])] for name, rounds in taken.items()}
    for name, (init, answer) in figures.items():
        print(f"{name:6} init {init:7.1f} ms   first answer {answer:7.1f} ms   together {init + answer:7.1f} ms")
    ratio = sum(figures["boto3"]) / sum(figures["ours"])
    with tempfile.TemporaryDirectory() as directory:
        size = zipped(binary, f"{directory}/lambda.zip")
    print(f"boto3 / ours: {ratio:.1f} (at least {BOUND_RATIO})")
    print(f"zip: {size / 1e6:.2f} MB (at most {BOUND_ZIP / 1e6:.0f})")
    return ratio >= BOUND_RATIO and size <= BOUND_ZIP


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the Lambda binary")
    parser.add_argument("other", help="the command, which runs the twin; with --zip the package to write")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--zip", action="store_true")
    args = parser.parse_args()
    if args.zip:
        print(f"{args.other}: {zipped(args.binary, args.other) / 1e6:.2f} MB")
        return 0
    within = measure(args.binary, args.other, args.repeats)
    return 0 if within or not args.check else 1


if __name__ == "__main__":
    sys.exit(main())
