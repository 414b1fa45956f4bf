"""A thousand event streams at once, and what /health takes beside them.

    python streams.py COMMAND [--streams N] [--check]

`serve --offline` with room for them all and a limit of 4,096 open files. Each stream lasts for two seconds at least; /health
is asked meanwhile, each time over a new connection, from a process of its own: callers share no thread. Then a hundred
callers hang up in the middle. The answers are samples, so nothing may be spent or reserved at the end.
With --check it ends with 1 if a stream did not come to its end, if 1 of 100 calls of /health took 200 ms or longer, or if
the day's budget is not as it was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import multiprocessing.connection
import multiprocessing.synchronize
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

FILES, BOUND = 4096, 0.2
ANSWER = {"text": '```python answer.py\n"""The answer to whatever was asked, in some lines."""\n\nvalue = 1\nother = value + 1\n```\n'}
# The bytes come in frames of twenty characters.
STEPS = {"steps": [{"times": 20_000, "answer": ANSWER, "faults": [{"pace_ms": 250}]}]}


def limited() -> None:
    """The limit of the server."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def opened(port: int, prompt: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream that was asked for."""
    body = json.dumps({"prompt": prompt, "model": "sonnet", "cache": "off"}).encode()
    head = f"POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: text/event-stream\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    return reader, writer


async def stream(port: int, number: int) -> bool:
    """Whether a stream came to its end."""
    reader, writer = await opened(port, f"a value, number {number}")
    answer = await reader.read(-1)
    writer.close()
    return b"event: finished" in answer


def health(port: int, over: multiprocessing.synchronize.Event, found: multiprocessing.connection.Connection) -> None:
    """Asks until it is over, and tells how long each call took."""
    times = []
    while not over.is_set():
        begun = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
            answer.read()
        times.append(time.perf_counter() - begun)
        time.sleep(0.01)
    found.send(times)


async def hung_up(port: int, number: int) -> None:
    """A stream whose caller goes away after its first bytes."""
    reader, writer = await opened(port, f"a value, given up {number}")
    answer = await reader.readuntil(b"event: ")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    writer.close()


async def all_hung_up(port: int) -> None:
    await asyncio.gather(*(hung_up(port, n) for n in range(100)))


def booked(port: int) -> float:
    """What is spent and reserved, 5 s later at most: the server gives back what dropped streams held every 3 s."""
    for _ in range(50):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/budget", timeout=10) as answer:
            budget = json.load(answer)
        left = float(budget["spent"]) + float(budget["reserved"])
        if not left:
            break
        time.sleep(0.1)
    return left


async def all_streams(port: int, streams: int) -> int:
    ended = await asyncio.gather(*(stream(port, n) for n in range(streams)), return_exceptions=True)
    return sum(one is True for one in ended)


def measured(command: str, streams: int) -> tuple[int, float, list[float], float]:
    """Streams that came to their end, the seconds that all took, the times of /health, and what stays booked."""
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "script.json"
        script.write_text(json.dumps(STEPS))
        args = ["serve", "--offline", "--no-token", "--addr", f"127.0.0.1:{port}", "--concurrency", str(streams * 2), "--answers", str(script)]
        environment = os.environ | {"CLAUDE_CODE_AWS_LOCAL_DIR": f"{place}/data"}
        with subprocess.Popen([command, *args], env=environment, preexec_fn=limited, stderr=subprocess.DEVNULL) as server:
            try:
                for _ in range(200):
                    try:
                        socket.create_connection(("127.0.0.1", port), 1).close()
                        break
                    except OSError:
                        time.sleep(0.05)
                over, (mine, its) = multiprocessing.Event(), multiprocessing.Pipe()
                asking = multiprocessing.Process(target=health, args=(port, over, its))
                asking.start()
                begun = time.perf_counter()
                ended = asyncio.run(all_streams(port, streams))
                took = time.perf_counter() - begun
                over.set()
                times = mine.recv()
                asking.join()
                asyncio.run(all_hung_up(port))
                left = booked(port)
            finally:
                server.terminate()
        return ended, took, sorted(times), left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, limit), limit))
    ended, took, times, left = measured(asked.command, asked.streams)
    p99 = times[int(len(times) * 0.99)]
    print(f"{ended} of {asked.streams} streams came to their ends in {took:.1f} s")
    print(f"/health, {len(times)} calls: median {times[len(times) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms")
    print(f"booked on the day's budget after them and 100 that hung up: ${left:g}")
    is_good = ended == asked.streams and p99 < BOUND and not left
    return 0 if is_good or not asked.check else 1


if __name__ == "__main__":
    sys.exit(main())
