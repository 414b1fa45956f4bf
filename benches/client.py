"""One Python client in one scenario of run.py; prints one line of JSON. Each runs in a process of its own.

    python client.py CLIENT SCENARIO CALLS [AT_A_TIME]

CLIENT: claude_code, claude_code_checked (with validation), claude_code_disk (with the disk store), claude_code_usual (as it
is by default: disk store, validation, response cache), boto3 (converse), boto3_stream (converse_stream).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

BEGUN = time.perf_counter()
MODEL = "global.anthropic.claude-haiku-5-5"


def prompt(scenario: str, n: int) -> str:
    return f"Half of a number, {n}. scenario={scenario} "


def cpu() -> float:
    return time.process_time() * 1e6


def resident() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def claude_code(store: bool, checked: bool, usual: bool = False) -> Callable[[str, int], object]:
    from claude_code import Client

    client = Client(provider="bedrock", store="disk" if store else "none")
    options = {"model": "haiku"} if usual else {"model": "haiku", "cache": "off", "validate": checked}

    def call(scenario: str, n: int) -> object:
        if scenario in ("deltas", "paced"):
            with client.stream(prompt(scenario, n), **options) as events:
                for _ in events:
                    pass
                return len(events.generation.text)
        return len(client.generate(prompt(scenario, n), store=store, **options).text)

    return call


def boto3(streams: bool, at_a_time: int) -> Callable[[str, int], object]:
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=max(10, at_a_time), retries={"total_max_attempts": 1})
    client = boto3.client("bedrock-runtime", config=config)

    def call(scenario: str, n: int) -> object:
        messages = [{"role": "user", "content": [{"text": prompt(scenario, n)}]}]
        inference = {"maxTokens": 8192}
        if not streams:
            answer = client.converse(modelId=MODEL, messages=messages, inferenceConfig=inference)
            return len(answer["output"]["message"]["content"][0]["text"])
        answer = client.converse_stream(modelId=MODEL, messages=messages, inferenceConfig=inference)
        deltas = (event.get("contentBlockDelta") for event in answer["stream"])
        return len("".join(delta["delta"]["text"] for delta in deltas if delta))

    return call


def main() -> None:
    name, scenario, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
    at_a_time = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if name.startswith("boto3"):
        call = boto3(name == "boto3_stream", at_a_time)
    else:
        usual = name == "claude_code_usual"
        call = claude_code(usual or name == "claude_code_disk", name == "claude_code_checked", usual)
    if calls > 1:
        call("small", 0)
    used, begun = cpu(), time.perf_counter()
    if at_a_time == 1:
        outcome = [call(scenario, n) for n in range(calls)][-1]
    else:
        # Its import is 9 ms and a megabyte, which a single call has no use for.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(at_a_time) as pool:
            outcome = list(pool.map(lambda n: call(scenario, n), range(calls)))[-1]
    wall, spent, memory = time.perf_counter() - begun, cpu() - (used if calls > 1 else 0), resident()
    # What only the report needs is no part of the memory that it tells.
    import json

    figures = {
        "cpu_us": spent,
        "wall_us": wall * 1e6,
        "since_start_us": (time.perf_counter() - BEGUN) * 1e6,
        "resident_kb": memory,
        "outcome": str(outcome),
    }
    print(json.dumps(figures))


main()
