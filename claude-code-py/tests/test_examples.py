"""The examples run, offline."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import claude_code
from claude_code.testing import Twin

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_basic_example_prints_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(claude_code.__file__).parents[1]))
    program = [sys.executable, str(EXAMPLES / "basic_claude_code.py")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "def " in done.stdout


def test_the_basic_example_takes_what_the_workshop_gives_it(claude_twin: Twin) -> None:
    claude_twin.answer("```python main.py\nx = 1\n```")
    claude = load("basic_claude_code").ClaudeCodeClient(claude_twin.client())
    assert claude.generate_code("a constant", "python", max_tokens=555, temperature=0.1).accepted
    assert claude_twin.sent()[0].max_tokens == 555
