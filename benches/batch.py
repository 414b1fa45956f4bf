"""Batches and the disk store: stored generations one by one and 64 at once, 2,000 prompts of `batch`, a large file.

    python batch.py RELEASE_DIRECTORY [--package DIRECTORY] [--repeats N] [--check]

Against the mock of the Bedrock runtime, every client in a process of its own, medians of N rounds (3 unless told). With
--check it ends with 1 if a figure is outside its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PROMPTS, LATENCY, AT_ONCE = 2_000, 0.2, 64
IDEAL = -(-PROMPTS // AT_ONCE) * LATENCY
SEQUENTIAL, TOGETHER, LINES = 500, 4_000, 100_000
Figures = dict[str, float]


class Bench:
    """Where the programs are, and what their environment is."""

    def __init__(self, release: Path, package: Path, url: str) -> None:
        self.release = release.resolve()
        self.env = {
            "PYTHONPATH": str(package.resolve()),
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, directory: str, *program: object, **env: str) -> tuple[Figures, str]:
        """Wall, processor time and peak of memory of a process with all its threads, and what it printed."""
        own = {**self.env, "CLAUDE_CODE_AWS_LOCAL_DIR": directory, **env}
        begun = time.perf_counter()
        with open(Path(directory, "stdout"), "w+b") as out, open(Path(directory, "stderr"), "w+b") as err:
            child = subprocess.Popen(
                [*map(str, program)], env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begun
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            if child.returncode != 0:
                raise SystemExit(f"{program}: {err.read().decode()[-2000:]}")
            told = out.read().decode()
        return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1e3}, told

    def client(self, *arguments: object, **env: str) -> Figures:
        """What a bench client tells of itself, after its start."""
        with tempfile.TemporaryDirectory(dir=HERE.parent / "target") as directory:
            whole, told = self.run(directory, *arguments, **env)
        said = json.loads(told)
        return {
            **whole,
            "wall": said["wall_us"] / 1e6,
            "cpu": said["cpu_us"] / 1e6,
            "process_cpu": whole["cpu"],
        }

    def rust(self, scenario: str, calls: int, at_once: int, **env: str) -> Figures:
        return self.client(self.release / "examples/bench_client", scenario, calls, at_once, **env)

    def python(self, name: str, scenario: str, calls: int, at_once: int) -> Figures:
        return self.client(sys.executable, HERE / "client.py", name, scenario, calls, at_once)

    def batch(self, scenario: str, prompts: int, store: str) -> Figures:
        """`batch` over a file of prompts, from the start of the process to its end."""
        with tempfile.TemporaryDirectory(dir=HERE.parent / "target") as directory:
            file, results = Path(directory, "p.jsonl"), Path(directory, "r.jsonl")
            with file.open("w") as lines:
                for n in range(prompts):
                    prompt = f"Half of a number, {n}. scenario={scenario} "
                    lines.write(json.dumps({"prompt": prompt, "model": "haiku"}) + "\n")
            arguments = ["batch", file, "--out", results, "--concurrency", AT_ONCE, "--quiet"]
            command = self.release / "claude-code-aws"
            figures, _ = self.run(directory, command, *arguments, CLAUDE_CODE_AWS_STORE=store)
            with results.open() as lines:
                accepted = sum('"accepted":true' in line for line in lines)
            if accepted != prompts:
                raise SystemExit(f"{accepted} of {prompts} results are accepted")
        return figures


def median(repeats: int, measure: Callable[[], Figures]) -> Figures:
    runs = [measure() for _ in range(repeats)]
    print(".", end="", file=sys.stderr, flush=True)
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def fsync_ms() -> float:
    """What a synchronised write of a page costs on the disk of the measurements."""
    times = []
    with tempfile.NamedTemporaryFile(dir=HERE.parent / "target") as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def measure(bench: Bench, repeats: int) -> list[tuple[str, float, str, float]]:
    """Name, figure, `<=` or `>=`, bound (0: none)."""
    one = median(repeats, lambda: bench.python("claude_code_usual", "small", SEQUENTIAL, 1))
    bare = median(repeats, lambda: bench.python("claude_code_checked", "small", SEQUENTIAL, 1))
    sync = fsync_ms()
    usual = {"USUAL": "1", "CLAUDE_CODE_AWS_STORE": "disk"}
    rust = median(repeats, lambda: bench.rust("small", TOGETHER, AT_ONCE, **usual))
    python = median(repeats, lambda: bench.python("claude_code_usual", "small", TOGETHER, AT_ONCE))
    sdk = median(repeats, lambda: bench.rust("latency", PROMPTS, AT_ONCE, SDK="1"))
    streams = median(repeats, lambda: bench.python("boto3_stream", "latency", PROMPTS, AT_ONCE))
    whole = median(repeats, lambda: bench.python("boto3", "latency", PROMPTS, AT_ONCE))
    journal = median(repeats, lambda: bench.batch("latency", PROMPTS, "none"))
    disk = median(repeats, lambda: bench.batch("latency", PROMPTS, "disk"))
    large = bench.batch("small", LINES, "none")
    print(file=sys.stderr)
    cpu, wall = one["cpu"] / SEQUENTIAL * 1e3, one["wall"] / SEQUENTIAL * 1e3
    bare_cpu, bare_wall = bare["cpu"] / SEQUENTIAL * 1e3, bare["wall"] / SEQUENTIAL * 1e3
    return [
        ("a synchronised write of this disk, ms", sync, "<=", 0),
        ("Python, without a store: CPU of a call, ms", bare_cpu, "<=", 0),
        ("Python, disk store, one by one: CPU of a call, ms", cpu, "<=", 0.8),
        ("Python, disk store, one by one: wall of a call, ms", wall, "<=", 1.5 + sync),
        ("the same less a call without a store, ms", wall - bare_wall, "<=", 0),
        ("Rust, disk store, 64 at once: results a second", TOGETHER / rust["wall"], ">=", 1_500),
        ("Python, disk store, 64 at once: results a second", TOGETHER / python["wall"], ">=", 800),
        ("2,000 prompts at 200 ms: the AWS SDK's loop / ideal", sdk["wall"] / IDEAL, "<=", 0),
        ("2,000 prompts, journal, no store: wall / ideal", journal["wall"] / IDEAL, "<=", 1.05),
        ("2,000 prompts, disk store: wall / ideal", disk["wall"] / IDEAL, "<=", 1.10),
        ("2,000 prompts: CPU of the AWS SDK's loop, s", sdk["process_cpu"], "<=", 0),
        ("2,000 prompts, journal: CPU, s", journal["cpu"], "<=", 0),
        ("2,000 prompts, journal: CPU / the AWS SDK's loop", journal["cpu"] / sdk["process_cpu"], "<=", 1.3),
        (
            "the same, boto3's converse_stream in threads / ours",
            streams["process_cpu"] / journal["cpu"],
            ">=",
            6,
        ),
        ("the same, boto3's converse in threads / ours", whole["process_cpu"] / journal["cpu"], ">=", 0),
        ("2,000 prompts, disk store: CPU, s", disk["cpu"], "<=", 0),
        ("100,000 lines: peak of memory, MB", large["peak_mb"], "<=", 150),
        ("100,000 lines: results a second", LINES / large["wall"], ">=", 0),
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument(
        "release", type=Path, help="directory of the release build, such as target/release"
    )
    package = HERE.parent / "claude-code-py/python"
    arguments.add_argument("--package", type=Path, default=package, help="directory of claude_code")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--check", action="store_true", help="fail outside a bound")
    given = arguments.parse_args()
    mock = subprocess.Popen([given.release / "examples/mock_bedrock"], stdout=subprocess.PIPE, text=True)
    try:
        assert mock.stdout
        figures = measure(Bench(given.release, given.package, mock.stdout.readline().strip()), given.repeats)
    finally:
        mock.kill()
        mock.wait()
    missed = 0
    for name, figure, sense, bound in figures:
        holds = not bound or (figure <= bound if sense == "<=" else figure >= bound)
        missed += not holds
        wanted = f"{sense} {bound:g}" if bound else "-"
        print(f"{name:<54}{figure:>11.2f}   {wanted:<10}{'' if holds else 'MISSED'}")
    return 1 if missed and given.check else 0


raise SystemExit(main())
