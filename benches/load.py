"""25 times the load that there is room for: what callers see of a full `serve`, and what it costs.

    python load.py COMMAND [--repeats N] [--seconds S] [--check]

Each of N rounds (3 unless told; printed are medians) starts a twin whose model waits 200 ms and `serve` in front of it
with room for 16. First 16 callers, one request after the other; then requests at 25 times the rate that 16 places
give, at fixed times whether earlier ones are answered or not, and /health 20 times a second beside them. What was
paid is read from /budget. Last, bodies that are no requests, and the growth of the server's memory.
With --check it ends with 1 out of bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

ROOM, FACTOR, LATENCY = 16, 25, 0.2
ANSWER = '```python answer.py\n"""The answer."""\n\nvalue = 1\n```\n'
DEEP = 100_000

Answer = tuple[int, bytes]


class Caller:
    """One connection of HTTP/1.1, kept open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        """The status and the body of the answer."""
        if self.pipe is None:
            self.pipe = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.pipe
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            writer.write(head.encode() + body)
            await writer.drain()
        except (ConnectionResetError, BrokenPipeError):
            pass  # It answered before it had read all.
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        if fields.get(b"transfer-encoding") == b"chunked":
            answer = b""
            while size := int(await reader.readline(), 16):
                answer += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            answer = await reader.readexactly(int(fields[b"content-length"]))
        if fields.get(b"connection") == b"close":
            self.close()
        return int(lines[0].split()[1]), answer

    def close(self) -> None:
        if self.pipe:
            self.pipe[1].close()
        self.pipe = None


def prompt(number: int) -> bytes:
    return json.dumps({"prompt": f"number {number:08}", "model": "sonnet", "cache": "off"}).encode()


def p99(taken: list[float]) -> float:
    return sorted(taken)[max(0, int(len(taken) * 0.99) - 1)] * 1e3 if taken else float("nan")


async def unloaded(port: int, seconds: float) -> list[float]:
    """Times of answers while there is room for every caller."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        own = Caller(port)
        while (begun := time.perf_counter()) < end:
            status, answer = await own.ask("POST", "/generate", prompt(number))
            assert status == 200, answer
            taken.append(time.perf_counter() - begun)
            number += ROOM
        own.close()

    await asyncio.gather(*(caller(number) for number in range(ROOM)))
    return taken


async def overload(port: int, seconds: float) -> dict[int, list[float]]:
    """Times by status, each from the moment at which it was due; /health's under 0, and how late we were under -1."""
    taken: dict[int, list[float]] = {0: [], -1: []}
    idle: list[Caller] = []
    rate = FACTOR * ROOM / LATENCY
    begun = time.perf_counter()

    async def one(number: int) -> None:
        due = begun + number / rate
        taken[-1].append(time.perf_counter() - due)
        own = idle.pop() if idle else Caller(port)
        status, _ = await own.ask("POST", "/generate", prompt(10_000 + number))
        taken.setdefault(status, []).append(time.perf_counter() - due)
        idle.append(own)

    async def health() -> None:
        own = Caller(port)
        for number in range(int(seconds * 20)):
            due = begun + number / 20
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            status, _ = await own.ask("GET", "/health")
            assert status == 200
            taken[0].append(time.perf_counter() - due)

    beside = asyncio.create_task(health())
    tasks = []
    for number in range(int(seconds * rate)):
        wait = begun + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(beside, *tasks)
    return taken


def bodies() -> list[bytes]:
    """What is no request."""
    large = json.dumps({"prompt": "a" * (10 << 20)}).encode()
    nested = b'{"prompt":' + b"[" * DEEP + b"]" * DEEP + b"}"
    objects = b'{"a":' * DEEP + b"1" + b"}" * DEEP
    return [
        large,
        b'{"action":"' + b"a" * (10 << 20),
        nested,
        objects,
        b"[" * DEEP,
        b'{"prompt":5}',
        b'{"prompt":null,"files":{},"max_tokens":"x","action":[]}',
        b'{"prompt":"a","prompt":"b","action":"start","action":"start"}',
        b'{"prompt":"\\ud800"}',
        b'{"action":"message","conversation_id":"\\udfff","message":"\\ud800"}',
        b'{"prompt":"\xff\xfe"}',
        b"",
    ]


async def fuzzed(port: int) -> dict[int, int]:
    """Statuses of bodies that are no requests, on every route that takes one."""
    counted: dict[int, int] = {}
    for _ in range(5):
        for path in ("/generate", "/refactor", "/conversation"):
            for body in bodies():
                own = Caller(port)
                status, _ = await own.ask("POST", path, body)
                counted[status] = counted.get(status, 0) + 1
                own.close()
    return counted


def memory(pid: int, field: str) -> float:
    """Megabytes that a process has (VmRSS), or had at most (VmHWM)."""
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(field))


async def spent(port: int) -> Decimal:
    own = Caller(port)
    _, answer = await own.ask("GET", "/budget")
    own.close()
    return Decimal(json.loads(answer)["spent"])


async def measured(port: int, pid: int, seconds: float) -> dict[str, float]:
    """The figures of one round."""
    free = await unloaded(port, seconds)
    each = await spent(port) / len(free)
    taken = await overload(port, seconds)
    paid = round((await spent(port)) / each) - len(free)
    before = memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # The peak counts from here.
    statuses = await fuzzed(port)
    assert set(taken) <= {-1, 0, 200, 429}, {status: len(times) for status, times in taken.items()}
    return {
        "unloaded p99 ms": p99(free),
        "admitted p99 ms": p99(taken[200]),
        "shed p99 ms": p99(taken[429]),
        "/health p99 ms": p99(taken[0]),
        "of these, our own delay p99 ms": p99(taken[-1]),
        "admitted": len(taken[200]),
        "shed": len(taken[429]),
        "paid calls beyond the admitted": paid - len(taken[200]),
        "fuzzed bodies": sum(statuses.values()),
        "of them not 4xx": sum(n for status, n in statuses.items() if not 400 <= status < 500),
        "memory growth MB": memory(pid, "VmHWM") - before,
    }


def started(command: list[str], env: dict[str, str], stream: str, word: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A process, once it has printed a line with this word; with the lines until then."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout if stream == "out" else process.stderr:  # type: ignore[union-attr]
        lines.append(line.rstrip())
        if word in line:
            return process, lines
    raise SystemExit(f"{command} ended: {lines}")


def round_of(command: str, seconds: float) -> dict[str, float]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLAUDE_CODE_AWS_"))}
    with tempfile.TemporaryDirectory() as directory:
        step = {"times": 100_000, "answer": {"text": ANSWER}, "faults": [{"latency_ms": int(LATENCY * 1e3)}]}
        script = Path(directory, "answers.json")
        script.write_text(json.dumps({"steps": [step]}))
        up = [command, "twin", "up", "--dir", f"{directory}/twin", "--answers", str(script)]
        twin, lines = started(up, own, "out", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        env = {**own, **exports, "CLAUDE_CODE_AWS_STORE": "none", "CLAUDE_CODE_AWS_MAX_USD_PER_DAY": "100000"}
        listen = [command, "serve", "--no-token", "--addr", "127.0.0.1:0", "--concurrency", str(ROOM)]
        try:
            server, lines = started(listen, env, "err", "listening")
            try:
                port = int(lines[-1].split("127.0.0.1:")[1].split("/")[0])
                return asyncio.run(measured(port, server.pid, seconds))
            finally:
                server.kill()
                server.wait()
        finally:
            twin.kill()
            twin.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    rounds = [round_of(args.command, args.seconds) for _ in range(args.repeats)]
    figures = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    # What must be nothing must be nothing in each round.
    for name in ("paid calls beyond the admitted", "of them not 4xx"):
        figures[name] = max(found[name] for found in rounds)
    for name, figure in figures.items():
        print(f"{name:32} {figure:8.1f}")
    bounds = {
        "admitted p99 ms": 2 * figures["unloaded p99 ms"],
        "shed p99 ms": 50,
        "/health p99 ms": 50,
        "paid calls beyond the admitted": 0,
        "of them not 4xx": 0,
        "memory growth MB": 64,
    }
    broken = [f"{name}: {figures[name]:.1f}, at most {most:.1f}" for name, most in bounds.items() if figures[name] > most]
    print("\n".join(broken) or "all within their bounds")
    return 1 if broken and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
