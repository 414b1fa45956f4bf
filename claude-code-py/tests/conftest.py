from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Callable

import pytest

import claude_code
from claude_code.testing import claude_twin as claude_twin

REVERSE = "Write a Python function that reverses a string."
# Full size with CAMPAIGN=1; otherwise this part of it.
CAMPAIGN = os.environ.get("CAMPAIGN") == "1"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CLAUDE_CODE_AWS_", "AWS_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CLAUDE_CODE_AWS_LOCAL_DIR", str(tmp_path / "local"))


@pytest.fixture
def client(tmp_path: Path) -> claude_code.Client:
    return claude_code.Client.local(tmp_path / "store")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a fresh interpreter; its output, errors and exit status come back."""
    package = str(Path(claude_code.__file__).parents[1])

    def run(program: str, *, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env={**os.environ, "PYTHONPATH": package},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
