"""The scenarios of benches/README.md: our clients and boto3 against one mock of the Bedrock runtime.

    python run.py RELEASE_DIRECTORY [--package DIRECTORY] [--repeats N] [--check]

Every client runs in a process of its own, one after the other, N times over (3 unless told); printed are medians.
With --check it ends with 1 if a figure is outside its bound. Bounds are ratios within a run, or memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUST, SDK, OURS, CHECKED, DISK = "rust", "sdk", "claude_code", "claude_code_checked", "claude_code_disk"
CONVERSE, STREAM = "boto3", "boto3_stream"

# Name of a row: client, scenario, calls, calls at a time, what one unit of it is, units in a call.
ROWS = {
    "s1 AWS SDK for Rust": (SDK, "small", 2000, 1, "call", 1),
    "s1 rust": (RUST, "small", 2000, 1, "call", 1),
    "s1 python": (OURS, "small", 2000, 1, "call", 1),
    "s1 python, validated": (CHECKED, "small", 2000, 1, "call", 1),
    "s1 boto3 converse": (CONVERSE, "small", 1000, 1, "call", 1),
    "s1 boto3 converse_stream": (STREAM, "small", 1000, 1, "call", 1),
    "s2 AWS SDK for Rust": (SDK, "deltas", 10, 1, "delta", 8000),
    "s2 rust": (RUST, "deltas", 10, 1, "delta", 8000),
    "s2 python": (OURS, "deltas", 10, 1, "delta", 8000),
    "s2 boto3 converse_stream": (STREAM, "deltas", 4, 1, "delta", 8000),
    "s2p rust": (RUST, "paced", 2, 1, "delta", 2000),
    "s2p python": (OURS, "paced", 2, 1, "delta", 2000),
    "s2p boto3 converse_stream": (STREAM, "paced", 2, 1, "delta", 2000),
    "s3 rust": (RUST, "latency", 2000, 64, "call", 1),
    "s3 python": (OURS, "latency", 2000, 64, "call", 1),
    "s3 boto3 converse": (CONVERSE, "latency", 2000, 64, "call", 1),
    "s5 rust": (RUST, "small", 1, 1, "process", 1),
    "s5 python": (OURS, "small", 1, 1, "process", 1),
    "s5 python, disk store": (DISK, "small", 1, 1, "process", 1),
    "s5 boto3 converse": (CONVERSE, "small", 1, 1, "process", 1),
    "s5 boto3 converse_stream": (STREAM, "small", 1, 1, "process", 1),
    "10 MB answer": (RUST, "large", 1, 1, "call", 1),
    "frame of 1 GiB": (RUST, "claims", 1, 1, "call", 1),
}

# What a call of each client gives where all is well; figures of anything else are worth nothing.
SIZES = {"small": "186", "latency": "186", "deltas": "1600[0-9]{2}", "paced": "[34][0-9]{4}"}
OUTCOMES = {(RUST, "large"): "8 files", (RUST, "claims"): "a frame claims 1073741824 bytes.*"}
for _scenario, _size in SIZES.items():
    OUTCOMES[RUST, _scenario] = "1 files"
    OUTCOMES[SDK, _scenario] = f"{_size} bytes"
    OUTCOMES[CONVERSE, _scenario] = OUTCOMES[STREAM, _scenario] = _size
    for _ours in (OURS, CHECKED, DISK):
        OUTCOMES[_ours, _scenario] = _size


def run(release: Path, row: str, env: dict[str, str]) -> dict[str, Any]:
    client, scenario, calls, at_a_time, _, _ = ROWS[row]
    in_rust = client in (RUST, SDK)
    program = [release / "examples/bench_client"] if in_rust else [sys.executable, HERE / "client.py", client]
    with tempfile.TemporaryDirectory() as directory:
        env = {**env, "CLAUDE_CODE_AWS_LOCAL_DIR": directory, **({"SDK": "1"} if client == SDK else {})}
        before, begun = os.times(), time.perf_counter()
        done = subprocess.run(
            [*map(str, program), scenario, str(calls), str(at_a_time)],
            env=env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        after, wall = os.times(), time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(f"{row}: {done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    if not re.fullmatch(OUTCOMES[client, scenario], figures["outcome"]):
        raise SystemExit(f"{row}: not what the scenario gives: {figures['outcome']}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    figures["process_cpu_ms"] = used * 1e3
    figures["process_wall_ms"] = wall * 1e3
    return figures


def settle(package: Path) -> None:
    """Has the module in the page cache as reading leaves it. Just written it lies there in larger blocks, of which more is
    mapped around each page that is touched (seen on Linux 6.18)."""
    for module in package.glob("claude_code/*.so"):
        with module.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while file.read(1 << 16):
                pass


def import_time(module: str, env: dict[str, str]) -> float:
    """Milliseconds of `import module`, as -X importtime counts them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = next(line for line in done.stderr.splitlines() if re.search(rf"\|\s{module}$", line))
    return int(line.split("|")[1]) / 1e3


def measure(release: Path, env: dict[str, str], repeats: int) -> dict[str, dict[str, Any]]:
    fresh = run(release, "s5 python", env)["resident_kb"]
    settle(Path(env["PYTHONPATH"]))
    taken: dict[str, list[dict[str, Any]]] = {row: [] for row in ROWS}
    imports: dict[str, list[float]] = {"claude_code": [], "boto3": []}
    for _ in range(repeats):
        for row in ROWS:
            taken[row].append(run(release, row, env))
            print(".", end="", file=sys.stderr, flush=True)
        for module, times in imports.items():
            times.append(import_time(module, env))
    print(file=sys.stderr)
    medians: dict[str, dict[str, Any]] = {}
    for row, runs in taken.items():
        numbers = (key for key in runs[0] if key != "outcome")
        medians[row] = {key: statistics.median(one[key] for one in runs) for key in numbers}
        medians[row]["outcome"] = runs[0]["outcome"]
    for module, times in imports.items():
        medians[f"import {module}"] = {"ms": statistics.median(times)}
    medians["s5 python"]["fresh_kb"] = fresh
    return medians


def table(medians: dict[str, dict[str, Any]]) -> None:
    print(f"{'scenario':<28}{'unit':>8}{'CPU µs':>11}{'wall µs':>11}{'MB after':>10}   outcome")
    for row, (client, _, calls, _, unit, units) in ROWS.items():
        figures, count = medians[row], calls * units
        cpu, wall = figures["cpu_us"] / count, figures["wall_us"] / count
        if unit == "process":
            cpu, wall = figures["process_cpu_ms"] * 1e3, figures["process_wall_ms"] * 1e3
        memory = figures["resident_kb"] / 1e3
        print(f"{row:<28}{unit:>8}{cpu:>11.1f}{wall:>11.1f}{memory:>10.1f}   {figures['outcome']}")


def bounds(m: dict[str, dict[str, Any]]) -> list[tuple[str, float, str, float]]:
    """What must hold: name, figure, `<=` or `>=`, bound."""

    def cpu(row: str) -> float:
        return m[row]["cpu_us"] / (ROWS[row][2] * ROWS[row][5])

    def cold(row: str, key: str) -> float:
        return m[row][key]

    stream, plain, python = cpu("s1 boto3 converse_stream"), cpu("s1 boto3 converse"), cpu("s1 python")
    boto3_cold = m["s5 boto3 converse_stream"]["process_wall_ms"]
    return [
        ("CPU of a call: Rust / the AWS SDK alone", cpu("s1 rust") / cpu("s1 AWS SDK for Rust"), "<=", 1.4),
        ("CPU of a delta: Rust / the AWS SDK alone", cpu("s2 rust") / cpu("s2 AWS SDK for Rust"), "<=", 1.25),
        ("CPU of a call: converse_stream / ours", stream / python, ">=", 6),
        ("CPU of a call: converse / ours", plain / python, ">=", 4),
        ("CPU of a delta: boto3 / ours, as fast as read", cpu("s2 boto3 converse_stream") / cpu("s2 python"), ">=", 4),
        ("CPU of a delta: boto3 / ours, one each 0.5 ms", cpu("s2p boto3 converse_stream") / cpu("s2p python"), ">=", 0),
        ("cold process to first answer: boto3 / ours", boto3_cold / cold("s5 python", "process_wall_ms"), ">=", 6),
        ("import, ms", m["import claude_code"]["ms"], "<=", 20),
        ("import: boto3 / ours", m["import boto3"]["ms"] / m["import claude_code"]["ms"], ">=", 8),
        ("MB after the first call, no store", m["s5 python"]["resident_kb"] / 1e3, "<=", 20),
        ("the same, the module's file just written", m["s5 python"]["fresh_kb"] / 1e3, "<=", 0),
        ("MB after the first call, disk store", m["s5 python, disk store"]["resident_kb"] / 1e3, "<=", 30),
        ("MB above idle for a 10 MB answer", (m["10 MB answer"]["peak_kb"] - m["10 MB answer"]["idle_kb"]) / 1e3, "<=", 40),
        ("MB at most while a frame of 1 GiB is refused", m["frame of 1 GiB"]["peak_kb"] / 1e3, "<=", 32),
        ("s3 wall against 32 whole rounds of 200 ms, Rust", m["s3 rust"]["wall_us"] / 6.4e6, ">=", 0),
        ("s3 wall against 32 whole rounds of 200 ms, Python", m["s3 python"]["wall_us"] / 6.4e6, ">=", 0),
    ]  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("release", type=Path, help="directory of the release build, such as target/release")
    package = HERE.parent / "claude-code-py/python"
    arguments.add_argument("--package", type=Path, default=package, help="directory of claude_code")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--check", action="store_true", help="fail outside a bound")
    given = arguments.parse_args()
    mock = subprocess.Popen([given.release / "examples/mock_bedrock"], stdout=subprocess.PIPE, text=True)
    try:
        assert mock.stdout
        url = mock.stdout.readline().strip()
        env = {
            "PYTHONPATH": str(given.package),
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        medians = measure(given.release, env, given.repeats)
    finally:
        mock.kill()
        mock.wait()
    table(medians)
    print()
    missed = 0
    for name, figure, sense, bound in bounds(medians):
        holds = not bound or (figure <= bound if sense == "<=" else figure >= bound)
        missed += not holds
        wanted = f"{sense} {bound:g}" if bound else "-"
        print(f"{name:<52}{figure:>9.2f}   {wanted:<8}{'' if holds else 'MISSED'}")
    return 1 if missed and given.check else 0


raise SystemExit(main())
