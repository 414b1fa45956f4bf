from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import REVERSE, Run

from claude_code import Client, Generation, InvalidRequestError
from claude_code.testing import Twin

UNREACHED = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "CLAUDE_CODE_AWS_BUCKET_NAME": "generated-code",
}


@pytest.fixture
def reporting(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client whose calls report, while they are driven, that shared state is out of reach: nothing listens there."""
    closed = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
    closed.close()
    for name, value in UNREACHED.items():
        monkeypatch.setenv(name, value)
    return Client(provider="samples", store="aws")


def answer(client: Client) -> Generation:
    return client.generate(REVERSE, cache="off", store=False)


@contextmanager
def handled(handle: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            handle(record)

    handler = Handler()
    logger = logging.getLogger("claude_code")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def test_reports_go_to_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "dynamodb.sqlite").write_bytes(b"this is no database" * 100)
    with caplog.at_level(logging.INFO, logger="claude_code"):
        assert Client.local(tmp_path / "store").generate(REVERSE, timeout=20).accepted
    assert "damaged" in caplog.text
    assert REVERSE not in caplog.text


def test_a_call_that_runs_alone_is_driven_by_the_thread_that_waits_for_it(reporting: Client) -> None:
    threads: list[int | None] = []
    with handled(lambda record: threads.append(record.thread)):
        assert answer(reporting).accepted
    assert set(threads) == {threading.get_ident()}


def test_an_interrupt_heard_by_a_handler_is_the_call_s(reporting: Client) -> None:
    def interrupted(record: logging.LogRecord) -> None:
        raise KeyboardInterrupt(record.getMessage())

    with handled(interrupted), pytest.raises(KeyboardInterrupt, match="claude-code-state"):
        answer(reporting)


def test_what_else_a_handler_raises_is_not_the_call_s(reporting: Client) -> None:
    heard: list[str] = []

    def failed(record: logging.LogRecord) -> None:
        heard.append(record.getMessage())
        raise LookupError

    with handled(failed):
        assert answer(reporting).accepted
    assert heard


def test_a_call_within_a_handler_is_refused_and_the_outer_one_answered(reporting: Client) -> None:
    raised: list[InvalidRequestError] = []

    def calls(_: logging.LogRecord) -> None:
        with pytest.raises(InvalidRequestError, match="another thread") as error:
            answer(reporting)
        raised.append(error.value)

    with handled(calls):
        assert answer(reporting).accepted
    assert raised


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


def test_a_retry_is_a_warning_with_its_cause(claude_twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    claude_twin.refuse("throttled")
    g = claude_twin.client().generate(REVERSE)
    (record,) = [record for record in caplog.records if record.name == "claude_code"]
    assert record.levelno == logging.WARNING
    assert record.message.startswith("retry of ")
    assert "throttles" in record.message
    assert g.id in record.message
    assert "reverses a string" not in record.message
