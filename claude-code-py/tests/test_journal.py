"""The journal of a batch: what a killed run has paid for is not asked for again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from conftest import Run

import claude_code
from claude_code.testing import Twin

HELLO = "```python hello.py\nprint('hello')\n```"
TASKS = [f"task {n}" for n in range(6)]

KILLED = f"""
    import os, signal
    from claude_code.testing import Twin
    twin = Twin()
    twin.answer({HELLO!r}, times=3)
    twin.fault(stall_at=0, times=3)
    for count, item in enumerate(twin.client().batch({TASKS!r}, concurrency=1, journal="journal"), 1):
        assert item.generation
        if count == 3:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_batch_goes_on_where_it_was(run: Run, claude_twin: Twin, tmp_path: Path) -> None:
    assert run(KILLED).returncode == -signal.SIGKILL
    journal = tmp_path / "journal"
    assert len(journal.read_text().splitlines()) == 3
    with journal.open("a") as torn:
        torn.write('{"key":"half a li')
    claude_twin.answer(HELLO, prompt="task")
    # In another order, with one more: requests are known by what they ask, not by their places.
    batch = claude_twin.client().batch([*reversed(TASKS), TASKS[0]], journal=journal)
    items = sorted(batch, key=lambda item: item.index)
    assert [item.resumed for item in items] == [False] * 3 + [True] * 4
    assert all(item.generation is not None and item.generation.accepted for item in items)
    # A repeat shares the journalled answer: it is neither asked for nor paid again.
    assert len(claude_twin.sent()) == 3
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len({line["key"] for line in lines if "key" in line}) == 6
    again = claude_twin.client().batch(TASKS, journal=str(journal))
    assert all(item.resumed for item in again)
    assert len(claude_twin.sent()) == 3


def test_a_failure_is_asked_again_and_another_option_is_another_request(
    claude_twin: Twin, tmp_path: Path
) -> None:
    claude_twin.refuse("invalid")
    for resumed in (False, False, True):
        (item,) = claude_twin.client().batch(["task"], journal=tmp_path / "journal")
        assert item.resumed is resumed
        claude_twin.answer(HELLO, prompt="task")
    assert len(claude_twin.sent()) == 2
    other = {"prompt": "task", "language": "python"}
    (item,) = claude_twin.client().batch([other], journal=tmp_path / "journal")
    assert not item.resumed


def test_a_file_that_is_no_journal_stays_as_it_is(claude_twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    for text in ("my notes", '{"key": 1}\n', "two\nlines\n"):
        path.write_text(text)
        with pytest.raises(claude_code.InvalidRequestError, match="line 1 of"):
            next(claude_twin.client().batch(["task"], journal=path))
        assert path.read_text() == text
    with pytest.raises(claude_code.StorageError, match="cannot be opened"):
        next(claude_twin.client().batch(["task"], journal=tmp_path / "no" / "directory"))


def test_only_its_owner_reads_it_and_one_batch_writes_it(claude_twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    claude_twin.answer(HELLO, prompt="task")
    claude_twin.fault(stall_at=0, times=9)
    first = claude_twin.client().batch(["other"], journal=path)
    second = claude_twin.client().batch(["task"], journal=path)
    with first:
        threading.Thread(target=lambda: list(first), daemon=True).start()
        while not claude_twin.sent():
            time.sleep(0.01)
        with pytest.raises(claude_code.ConflictError, match="in use"):
            next(second)
    if hasattr(os, "fchmod"):
        assert path.stat().st_mode & 0o777 == 0o600
