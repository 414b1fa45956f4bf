"""Starts a deployment package as Lambda does and asks it for /health and for a generation.

    python run_zip.py ZIP COMMAND

The environment is the one of the CloudFormation template; a local twin (COMMAND `twin up`) plays AWS, and a stand-in for Lambda's
Runtime API hands out the events. Ends with 1 where an answer is wrong or the zip is too large, with 77 where an emulator lacks.
"""

import json
import os
import platform
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from evaluate import Template

INFRA = Path(__file__).parents[2] / "infra"
EVENT = Path(__file__).parents[1] / "http/events/rest_v1.json"
MAX_ZIP = 18_000_000
LIBRARIES = Path("/usr/aarch64-linux-gnu")
ARM64 = 183
# What Lambda's own runtime does for a handler in Python.
PYTHON = """
import json, os, sys, time, urllib.request
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
module, name = os.environ["_HANDLER"].rsplit(".", 1)
handler = getattr(__import__(module, fromlist=[name]), name)
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
class Context:
    def __init__(self, end): self.end = end
    def get_remaining_time_in_millis(self): return int(self.end - time.time() * 1000)
while True:
    asked = urllib.request.urlopen(f"{api}/next")
    context = Context(int(asked.headers["Lambda-Runtime-Deadline-Ms"]))
    answer = json.dumps(handler(json.load(asked), context)).encode()
    urllib.request.urlopen(f"{api}/{asked.headers['Lambda-Runtime-Aws-Request-Id']}/response", answer).read()
"""


class RuntimeApi:
    """Lambda's side: hands out events one after the other and keeps their answers."""

    def __init__(self):
        api = self
        self.events, self.answers = queue.Queue(), queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                event = api.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 120) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:claude-code:live")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):
                chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
                body = b"".join(self.chunks()) if chunked else self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.answers.put((self.path.rsplit("/", 1)[1], body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def chunks(self):
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """The function is killed at the end, which resets its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"

    def ask(self, event, process):
        """The answer's status and body to an event; what it sends in a stream is put together."""
        self.events.put(json.dumps(event).encode())
        for _ in range(1200):
            try:
                kind, answer = self.answers.get(timeout=0.1)
                break
            except queue.Empty:
                if process.poll() is not None:
                    raise SystemExit(f"the function ended with {process.returncode}") from None
        else:
            raise SystemExit("the function gave no answer within two minutes")
        if kind != "response":
            raise SystemExit(f"the function failed: {answer.decode(errors='replace')[:1000]}")
        head, separator, streamed = answer.partition(b"\0" * 8)
        told = json.loads(head)
        return told["statusCode"], streamed.decode() if separator else told["body"], bool(separator)


def environment(python):
    """The function's environment as the template has it."""
    template = json.loads((INFRA / "cloudformation/claude-code.json").read_text())
    parameters = {"CodeBucket": "b", "CodeKey": "k", "Runtime": "python3.11" if python else "rust"}
    for logical, _, properties in Template(template, parameters).evaluated():
        if logical == "Function":
            variables = {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
            return variables | {"_HANDLER": properties["Handler"]}
    raise SystemExit("the template has no function")


@contextmanager
def twin(command):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLAUDE_CODE_AWS_", "ANTHROPIC_"))}
    with tempfile.TemporaryDirectory() as directory:
        up = subprocess.Popen([command, "twin", "up", "--dir", directory], env=own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            variables = {}
            for line in up.stdout:
                name, _, value = line.removeprefix("export ").rstrip().partition("=")
                variables[name] = value
                if name == "AWS_ENDPOINT_URL_BEDROCK_RUNTIME":
                    break
            yield own | variables
        finally:
            up.kill()
            up.wait()


def program(root):
    """The command that runs the unpacked function on this machine."""
    bootstrap = root / "bootstrap"
    if not bootstrap.exists():
        return [sys.executable, "-c", PYTHON]
    bootstrap.chmod(0o755)
    foreign = int.from_bytes(bootstrap.read_bytes()[18:20], "little") == ARM64 and platform.machine() not in ("aarch64", "arm64")
    if not foreign:
        return [str(bootstrap)]
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if emulator is None or not LIBRARIES.exists():
        sys.exit(77)
    return [emulator, "-L", str(LIBRARIES), str(bootstrap)]


def check(package, command):
    size = os.path.getsize(package)
    print(f"{package}: {size / 1e6:.2f} MB (at most {MAX_ZIP / 1e6:.0f})")
    if size > MAX_ZIP:
        raise SystemExit("the zip is too large")
    with tempfile.TemporaryDirectory() as directory, twin(command) as variables:
        root = Path(directory)
        with zipfile.ZipFile(package) as archive:
            archive.extractall(root)
        run = program(root)
        python = not (root / "bootstrap").exists()
        api = RuntimeApi()
        variables |= environment(python)
        variables |= {
            # The twin instead of AWS, and its bucket.
            "CLAUDE_CODE_AWS_ALLOW_ENDPOINT_OVERRIDE": "1",
            "CLAUDE_CODE_AWS_BUCKET_NAME": "claude-code-workshop-000000000000",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "claude-code",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/claude-code",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "LAMBDA_TASK_ROOT": str(root),
        }
        function = subprocess.Popen(run, env=variables, cwd=root)
        try:
            asked(api, function, streams=not python)
        finally:
            function.kill()
            function.wait()


def event(method, path):
    """An event of a REST API without a body."""
    given = json.loads(EVENT.read_text()) | {"httpMethod": method, "path": path, "resource": path, "body": None}
    given["requestContext"] = given["requestContext"] | {"path": f"/prod{path}", "resourcePath": path, "httpMethod": method}
    return given


def asked(api, function, streams):
    started = time.perf_counter()
    status, body, streamed = api.ask(event("GET", "/health"), function)
    print(f"GET /health: {status} {body} after {time.perf_counter() - started:.2f} s{', streamed' if streamed else ''}")
    if (status, json.loads(body)["status"], streamed) != (200, "ok", streams):
        raise SystemExit("/health is not answered as it should be")
    # An answer without a body has its head all the same: without one the gateway would answer 502.
    status, body, streamed = api.ask(event("OPTIONS", "/generate"), function)
    print(f"OPTIONS /generate: {status}")
    if status not in (200, 204) or streamed != streams:
        raise SystemExit(f"OPTIONS is not answered as it should be: {status} {body!r}")
    started = time.perf_counter()
    status, body, streamed = api.ask(json.loads(EVENT.read_text()), function)
    result = json.loads(body)
    taken = time.perf_counter() - started
    print(f"POST /generate: {status}, accepted {result.get('accepted')}, stored {result.get('stored')}, {result.get('model')}, after {taken:.2f} s")
    good = status == 200 and result["accepted"] and result["stored"] and "def reverse_string" in result["files"][0]["content"]
    if not good or streamed != streams:
        raise SystemExit(f"the generation is not as it should be: {body[:1000]}")


if __name__ == "__main__":
    check(sys.argv[1], sys.argv[2])
    print("1 passed, 0 failed")
