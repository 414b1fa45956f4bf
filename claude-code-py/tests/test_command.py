"""`python -m claude_code` is the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from conftest import REVERSE

import claude_code


def command(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "claude_code", *args],
        env={**os.environ, "PYTHONPATH": str(Path(claude_code.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_gives_the_same_schema() -> None:
    done = command("generate", REVERSE, "--offline", "--json")
    assert done.returncode == 0, done.stderr
    g = claude_code.Generation.from_dict(json.loads(done.stdout))
    assert g.accepted
    assert "def " in g.code


def test_a_wrong_use_exits_with_2() -> None:
    assert command("generate", "--no-such-option").returncode == 2


def test_serve_answers_offline() -> None:
    package = str(Path(claude_code.__file__).parents[1])
    program = [
        sys.executable,
        "-m",
        "claude_code",
        "serve",
        "--offline",
        "--no-token",
        "--addr",
        "127.0.0.1:0",
    ]
    with subprocess.Popen(
        program, env={**os.environ, "PYTHONPATH": package}, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            address = server.stderr.readline().split("listening on ")[1].split(";")[0]
            with urllib.request.urlopen(f"{address}health", timeout=30) as health:
                assert json.load(health)["status"] == "ok"
            body = json.dumps({"prompt": REVERSE}).encode()
            asked = urllib.request.Request(f"{address}generate", body, {"content-type": "application/json"})
            with urllib.request.urlopen(asked, timeout=30) as answer:
                assert claude_code.Generation.from_dict(json.load(answer)).accepted
        finally:
            server.terminate()
