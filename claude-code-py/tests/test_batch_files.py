"""The two files of a batch on the command line keep the schemas in the documentation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import REVERSE
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import claude_code

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def validator(name: str) -> Draft202012Validator:
    schema: dict[str, Any] = json.loads((REFERENCE / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


# A line, and whether it is a request.
LINES: list[tuple[Any, bool]] = [
    (REVERSE, True),
    ({"prompt": REVERSE, "id": "a"}, True),
    # Some readers break lines at these, which JSON lets stand in a string.
    ({"prompt": REVERSE, "id": "a\u2028b\u2029c\x85d"}, True),
    ({"id": 7, "prompt": REVERSE, "language": "python", "cache": "off"}, True),
    ({"prompt": "nothing that is known of this"}, True),
    ({"instructions": "add hints", "code": "def f(x): return x\n", "language": "python"}, True),
    ("", False),
    ({}, False),
    (7, False),
    ([REVERSE], False),
    ({"prompt": REVERSE, "promt": 1}, False),
    ({"prompt": REVERSE, "id": ["a"]}, False),
    ({"prompt": REVERSE, "max_tokens": "many"}, False),
]


def test_lines_that_the_schema_takes_are_taken_and_every_result_keeps_its_schema(tmp_path: Path) -> None:
    prompts, results = tmp_path / "prompts.jsonl", tmp_path / "results.jsonl"
    prompts.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line, _ in LINES))
    package = str(Path(claude_code.__file__).parents[1])
    command = [sys.executable, "-m", "claude_code", "batch", "--offline", str(prompts), "--out", str(results)]
    env = {**os.environ, "PYTHONPATH": package, "CLAUDE_CODE_AWS_LOCAL_DIR": str(tmp_path / "local")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    told = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["line"] for line in told] == list(range(1, len(LINES) + 1))
    of_prompts, of_results = validator("batch-prompts"), validator("batch-results")
    assert told[2]["id"] == "a\u2028b\u2029c\x85d"
    for (line, is_request), result in zip(LINES, told):
        assert of_prompts.is_valid(line) is is_request, line
        is_bad = "error" in result and f"line {result['line']} of " in result["error"]["message"]
        assert is_bad is not is_request, result
        of_results.validate(result)
    assert not of_results.is_valid({"line": 1})
    assert not of_results.is_valid({"line": 1, "result": told[0]["result"], "error": told[4]["error"]})
