"""`check=`: the caller's own acceptance test."""

from __future__ import annotations

import asyncio
import os
import runpy
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import REVERSE

import claude_code
from claude_code import CodeFile, Diagnostic
from claude_code.testing import Twin

BARE = "```python add.py\ndef add(a, b):\n    return a + b\n```"
TYPED = "```python add.py\ndef add(a: int, b: int) -> int:\n    return a + b\n```"

Files = Mapping[str, CodeFile]


def annotated(files: Files) -> None:
    for name, file in files.items():
        if "->" not in file.content:
            # pytest would add its own words to an assert statement of this file.
            raise AssertionError(f"{name} has no annotations")


def test_what_a_check_asserts_in_vain_is_repaired(claude_twin: Twin) -> None:
    claude_twin.answer(BARE)
    claude_twin.answer(TYPED)
    g = claude_twin.client().generate("add two numbers", check=annotated)
    assert g.accepted
    assert "-> int" in g.code
    assert [attempt.why for attempt in g.attempts] == ["first", "repair"]
    assert "add.py has no annotations" in claude_twin.sent()[1].prompt


def test_what_stays_wrong_is_rejected_with_the_check_s_words(claude_twin: Twin) -> None:
    claude_twin.answer(BARE, times=2)
    g = claude_twin.client().generate("add", check=annotated, max_sends=2)
    assert not g.accepted
    (finding,) = g.diagnostics
    assert (finding.path, finding.message) == ("add.py", "add.py has no annotations")


# Where the command is built that makes the sandbox.
COMMANDS = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target")) / "debug"


def test_a_command_sees_the_given_files_and_its_failure_is_repaired(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{COMMANDS}{os.pathsep}{os.environ['PATH']}")
    claude_twin.answer(BARE)
    claude_twin.answer(TYPED, times=3)
    given = {"words.txt": "return type\n-> int\n"}
    g = claude_twin.client().generate("add two numbers", check="grep -f words.txt add.py", files=given)
    if any("no sandbox here" in told.message for told in g.diagnostics):
        pytest.skip("this machine gives no sandbox")
    assert g.accepted
    assert "-> int" in g.code
    assert [attempt.why for attempt in g.attempts] == ["first", "repair"]
    assert "`grep -f words.txt add.py` ended with 1" in claude_twin.sent()[1].prompt


def place(files: Files) -> Diagnostic:
    found = {"path": "add.py", "line": 2, "column": 1, "severity": "warning", "message": "plus?"}
    return Diagnostic.from_dict(found)


@pytest.mark.parametrize(
    ("check", "messages"),
    [
        (lambda files: None, []),
        (lambda files: True, []),
        (lambda files: [], []),
        (lambda files: False, ["the caller's own check refused the files"]),
        (lambda files: "too short", ["too short"]),
        (lambda files: ["one", "two"], ["one", "two"]),
        (lambda files: [place(files), "two"], ["plus?", "two"]),
        (lambda files: (f"no {name}" for name in files), ["no add.py"]),
    ],
)
def test_a_check_may_answer_in_several_ways(claude_twin: Twin, check: object, messages: list[str]) -> None:
    claude_twin.answer(BARE)
    g = claude_twin.client().generate("add", check=check, max_sends=1)  # type: ignore[arg-type]
    assert [finding.message for finding in g.diagnostics] == messages


def test_an_assertion_without_words_is_told_by_its_line(claude_twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("def check(files):\n    assert 'sub' in files['add.py'].content\n")
    claude_twin.answer(BARE)
    g = claude_twin.client().generate("add", check=runpy.run_path(str(path))["check"], max_sends=1)
    assert [finding.message for finding in g.diagnostics] == ["assert 'sub' in files['add.py'].content"]


def test_a_warning_of_a_check_is_no_error(claude_twin: Twin) -> None:
    claude_twin.answer(BARE)
    assert claude_twin.client().generate("add", check=place, max_sends=1).accepted


def broken(files: Files) -> None:
    raise LookupError("a bug in the check")


def test_another_exception_of_a_check_ends_the_call(claude_twin: Twin) -> None:
    claude_twin.answer(BARE, prompt="add")
    client = claude_twin.client()
    with pytest.raises(LookupError, match="a bug in the check"):
        client.generate("add", check=broken)
    with pytest.raises(LookupError, match="a bug in the check"):
        client.generate("add", check=broken, on_event=lambda event: None)
    with pytest.raises(LookupError, match="a bug in the check"):
        client.stream("add", check=broken).collect()
    with pytest.raises(LookupError, match="a bug in the check"):
        asyncio.run(awaited(claude_twin))
    with pytest.raises(TypeError, match="a check gives"):
        client.generate("add", check=lambda files: 5)
    with pytest.raises(TypeError, match="function of the files"):
        client.generate("add", check=5)  # type: ignore[arg-type]
    assert len(claude_twin.sent()) == 5


async def awaited(twin: Twin) -> claude_code.Generation:
    return await twin.async_client().generate("add", check=broken)


def test_a_check_may_take_its_time_and_make_calls_of_its_own(claude_twin: Twin) -> None:
    client = claude_twin.client()
    claude_twin.answer(BARE, prompt="add")
    inner: list[bool] = []

    def slow(files: Files) -> None:
        inner.append(client.generate(REVERSE, cache="off").accepted)
        time.sleep(0.3)

    done: list[bool] = []
    outer = threading.Thread(target=lambda: done.append(client.generate("add", check=slow).accepted))
    outer.start()
    while not inner:
        time.sleep(0.01)
    begun = time.monotonic()
    assert client.generate(REVERSE, cache="off").accepted, "the background thread is free"
    assert not done
    assert time.monotonic() - begun < 5
    outer.join(10)
    assert (inner, done) == ([True], [True])


def test_an_answer_with_a_check_is_not_served_from_the_cache(claude_twin: Twin) -> None:
    claude_twin.answer(BARE, prompt="add")
    client = claude_twin.client()
    client.generate("add")
    assert client.generate("add", check=lambda files: None).cached is None
