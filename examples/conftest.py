"""The built applications, in an environment of their own: no credentials, a state directory that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CLAUDE_CODE_AWS_", "AWS_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    programs = [str(TARGET / "examples"), str(TARGET), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "claude-code-py" / "python"))
    monkeypatch.setenv("CLAUDE_CODE_AWS_LOCAL_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty working directory with the repository's examples in it."""
    place = tmp_path / "work"
    place.mkdir()
    (place / "examples").symlink_to(ROOT / "examples")
    return place


@pytest.fixture
def run(place: Path) -> Run:
    def run(*command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def stopped_at(place: Path, command: Sequence[str], word: str, sent: signal.Signals) -> tuple[int, str]:
    """A program that gets a signal at the first line with this word: its exit code, and what it said after."""
    child = subprocess.Popen(
        command,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if word in line:
            break
    child.send_signal(sent)
    told = child.stderr.read()
    return child.wait(), told
