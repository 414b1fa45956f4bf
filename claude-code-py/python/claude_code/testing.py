"""Tests without AWS and without a network: a twin of Bedrock inside the process.

The fixture `claude_twin` comes with the package:

    def test_my_tool(claude_twin):
        claude_twin.answer("```python app.py\\nprint('hi')\\n```")
        generation = claude_twin.client().generate("an app")
        assert generation.files["app.py"].content == "print('hi')\\n"
        assert claude_twin.sent()[0].max_tokens

Without a scripted answer it gives those of `Client.samples()`; `refuse` and `fault` script what goes wrong, and
`play` takes a whole script, as `twin up --answers` does: every fault that Bedrock is known for in three lines.

    def test_my_tool_takes_a_refusal(claude_twin):
        claude_twin.play('{"steps": [{"answer": {"text": "no", "stop_reason": "refusal"}}]}')
        with pytest.raises(claude_code.RefusedError):
            claude_twin.client().generate("anything")

Code that calls Bedrock by itself is tested with the same twin: `listen` gives the variables for its environment.

    def test_my_own_calls(claude_twin, monkeypatch):
        for name, value in claude_twin.listen().items():
            monkeypatch.setenv(name, value)
        claude_twin.answer("scripted")
        boto3.client("bedrock-runtime").converse(...)
        assert claude_twin.sent()[0].body["messages"]
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ._claude_code import Sent, Twin

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Sent", "Twin", "claude_twin"]


# Without pytest the twin is still there, for notebooks and other test runners.
if find_spec("pytest") is not None:
    import pytest

    @pytest.fixture
    def claude_twin(tmp_path: Path) -> Twin:
        """A twin for each test; `client(store="disk")` keeps results in the test's temporary directory."""
        return Twin(tmp_path / "claude-code")
