"""The local twin under load: start to the first answered call, small Converse calls a second, memory.

    python twin.py RELEASE_DIRECTORY [--check]

Bounds: 150 ms, 2,000 calls a second on 2 cores (the load comes from the same machine), 60 MB, also after S3 took and
gave objects of 4 MB.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3

PROMPT = "Write a Python function that reverses a string."
CONNECTIONS, CALLS, RUNS = 4, 4000, 5
OBJECTS, OBJECT = 8, 4 << 20


def request(host: str) -> bytes:
    body = json.dumps(
        {
            "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
            "inferenceConfig": {"maxTokens": 1000},
        }
    ).encode()
    head = (
        f"POST /model/global.anthropic.claude-haiku-5-5/converse HTTP/1.1\r\nhost: {host}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def connect(host: str) -> socket.socket:
    name, port = host.split(":")
    connection = socket.create_connection((name, int(port)), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def call(connection: socket.socket, message: bytes) -> bytes:
    """Sends one call; gives the body of its answer."""
    connection.sendall(message)
    received = b""
    while True:
        received += connection.recv(65536)
        head, end, body = received.partition(b"\r\n\r\n")
        if not end:
            continue
        assert head.startswith(b"HTTP/1.1 200"), received
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length, head
        if len(body) >= int(length[1]):
            return body


def load(host: str) -> float:
    """Calls a second over a few connections."""
    message = request(host)

    def calls() -> None:
        with connect(host) as connection:
            for _ in range(CALLS // CONNECTIONS):
                call(connection, message)

    threads = [threading.Thread(target=calls) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CALLS / (time.perf_counter() - begun)


def resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e3


def objects(url: str) -> None:
    """Puts and gets objects, one after the other."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=url, **keys)
    s3.create_bucket(Bucket="bench")
    for n in range(OBJECTS):
        content = bytes([n]) * OBJECT
        s3.put_object(Bucket="bench", Key=str(n), Body=content)
        assert s3.get_object(Bucket="bench", Key=str(n))["Body"].read() == content


def start(command: Path, directory: str) -> tuple[subprocess.Popen[str], str, str, float]:
    """The twin, its Bedrock address, its S3, and milliseconds to its first answer."""
    begun = time.perf_counter()
    twin = subprocess.Popen(
        [command, "twin", "up", "--dir", directory, "--fresh"], stdout=subprocess.PIPE, text=True
    )
    assert twin.stdout
    for line in twin.stdout:
        if "AWS_ENDPOINT_URL_S3=" in line:
            s3 = line.strip().partition("=")[2]
        if "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" in line:
            host = urlsplit(line.strip().partition("=")[2].strip("'\"")).netloc
            break
    else:
        raise SystemExit("the twin printed no address")
    with connect(host) as connection:
        answer = json.loads(call(connection, request(host)))
    assert "def " in answer["output"]["message"]["content"][0]["text"]
    return twin, host, s3, (time.perf_counter() - begun) * 1e3


def main() -> int:
    arguments = argparse.ArgumentParser(description="The local twin under load.")
    arguments.add_argument("release", type=Path, help="directory of the release build, such as target/release")
    arguments.add_argument("--check", action="store_true", help="fail outside a bound")
    given = arguments.parse_args()
    starts, rates, memory, stored = [], [], 0.0, 0.0
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as directory:
            twin, host, s3, first = start(given.release / "claude-code-aws", directory)
            try:
                starts.append(first)
                rates.append(load(host))
                memory = max(memory, resident(twin.pid))
                objects(s3)
                stored = max(stored, resident(twin.pid))
            finally:
                twin.terminate()
                twin.wait()
    figures = [
        ("start to first answered call, ms", statistics.median(starts), 150, False),
        (f"Converse calls a second, {CONNECTIONS} connections", statistics.median(rates), 2000, True),
        ("MB resident at most", memory, 60, False),
        ("MB resident at most, after S3 put and get", stored, 60, False),
    ]
    missed = 0
    for name, figure, bound, least in figures:
        holds = figure >= bound if least else figure <= bound
        missed += not holds
        print(f"{name:<46}{figure:>9.1f}   {'>=' if least else '<='} {bound:<6}{'' if holds else 'MISSED'}")
    return 1 if missed and given.check else 0


sys.exit(main())
