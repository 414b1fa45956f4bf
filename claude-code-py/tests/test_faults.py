"""Every fault that a caller must be able to take, three lines each: the rows are those of the Rust tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import claude_code
from claude_code.testing import Twin

ROWS = Path(__file__).parents[2] / "claude-code-aws" / "tests" / "engines" / "fault_rows.json"


@pytest.mark.parametrize("row", json.loads(ROWS.read_text()), ids=lambda row: row["row"])
def test_each_fault_is_scripted_in_three_lines(claude_twin: Twin, row: dict[str, Any]) -> None:
    claude_twin.play(json.dumps({"steps": [row["step"]]}))
    with pytest.raises(claude_code.ClaudeCodeError) as caught:
        claude_twin.client(timeout=1 if row["kind"] == "timeout" else 20).generate("anything", max_sends=1)
    assert caught.value.kind == row["kind"]
    assert len(claude_twin.sent()) == 1
