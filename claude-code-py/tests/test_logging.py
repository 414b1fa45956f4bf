from __future__ import annotations

import logging
from pathlib import Path

import pytest
from conftest import REVERSE, Run

from claude_code import Client


def test_reports_go_to_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "dynamodb.sqlite").write_bytes(b"this is no database" * 100)
    with caplog.at_level(logging.INFO, logger="claude_code"):
        assert Client.local(tmp_path / "store").generate(REVERSE, timeout=20).accepted
    assert "damaged" in caplog.text
    assert REVERSE not in caplog.text


def test_a_program_without_logging_hears_nothing(run: Run) -> None:
    done = run(f"""
        import claude_code
        assert claude_code.Client.local().generate({REVERSE!r}).accepted
    """)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_import_loads_nothing_heavy(run: Run) -> None:
    done = run("""
        import sys
        before = set(sys.modules)
        import claude_code
        print(*sorted(set(sys.modules) - before))
    """)
    assert done.stdout.split() == ["atexit", "claude_code", "claude_code._claude_code"]
