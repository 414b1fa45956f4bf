from __future__ import annotations

import asyncio
import threading
import time

import pytest
from conftest import REVERSE

import claude_code
from claude_code import Client, FileChunk, FileFinished, FileStarted, Finished, Text
from claude_code.testing import Twin


def test_events_come_in_order_and_end_with_the_result(client: Client) -> None:
    with client.stream(REVERSE) as s:
        events = list(s)
    kinds = [type(event) for event in events]
    assert kinds.index(FileStarted) < kinds.index(FileChunk) < kinds.index(FileFinished)
    assert kinds[-1] is Finished
    assert Text in kinds
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.generation == s.generation
    shown = "".join(event.text for event in events if isinstance(event, FileChunk))
    assert shown == s.generation.code


def test_nothing_is_sent_before_the_first_event_is_asked_for(claude_twin: Twin) -> None:
    s = claude_twin.client().stream(REVERSE)
    time.sleep(0.1)
    assert claude_twin.sent() == []
    next(s)
    assert len(claude_twin.sent()) == 1


def test_deltas_that_come_together_cross_together(claude_twin: Twin) -> None:
    claude_twin.answer("```python long.py\n" + "x = 1\n" * 2000 + "```")
    events = list(claude_twin.client().stream("many lines"))
    chunks = [event for event in events if isinstance(event, FileChunk)]
    assert "".join(chunk.text for chunk in chunks) == "x = 1\n" * 2000
    assert len(chunks) < 200


def test_a_slow_stream_is_shown_while_it_is_written(claude_twin: Twin) -> None:
    claude_twin.fault(pace=0.05)
    moments = []
    for event in claude_twin.client().stream(REVERSE):
        if isinstance(event, FileChunk):
            moments.append(time.monotonic())
    assert len(moments) > 3


def test_collect_reads_to_the_end(client: Client) -> None:
    s = client.stream(REVERSE)
    next(s)
    assert s.collect().accepted
    assert s.collect() == s.generation


def test_an_unread_stream_has_no_result_yet(client: Client) -> None:
    s = client.stream(REVERSE)
    with pytest.raises(claude_code.InvalidRequestError, match="read"):
        _ = s.generation


def test_a_finished_stream_stays_finished(client: Client) -> None:
    s = client.stream(REVERSE)
    assert list(s)
    assert list(s) == []
    with pytest.raises(StopIteration):
        next(s)


def test_leaving_the_block_closes_the_request(claude_twin: Twin) -> None:
    claude_twin.fault(pace=0.02)
    with claude_twin.client().stream(REVERSE) as s:
        next(s)
    assert list(s) == []
    with pytest.raises(claude_code.InvalidRequestError):
        _ = s.generation


def test_closing_wakes_a_waiting_reader(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0)
    s = claude_twin.client().stream(REVERSE)
    got: list[object] = []
    reader = threading.Thread(target=lambda: got.extend(s))
    reader.start()
    time.sleep(0.2)
    s.close()
    reader.join(2)
    assert not reader.is_alive()
    assert got == []


def test_two_readers_at_once_are_refused(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0)
    s = claude_twin.client().stream(REVERSE)
    reader = threading.Thread(target=lambda: list(s))
    reader.start()
    time.sleep(0.2)
    with pytest.raises(RuntimeError, match="elsewhere"):
        next(s)
    s.close()
    reader.join(2)


def test_an_error_comes_after_what_arrived(claude_twin: Twin) -> None:
    claude_twin.answer("Before.\n\n```python a.py\n" + "x = 1\n" * 300 + "```")
    s = claude_twin.client().stream("much", max_tokens=100, max_sends=1)
    events = []
    with pytest.raises(claude_code.IncompleteAnswerError):
        for event in s:
            events.append(event)
    assert any(isinstance(event, FileChunk) for event in events)
    assert list(s) == []


def test_on_event_is_called_in_the_caller_s_thread(client: Client) -> None:
    seen: list[tuple[int, object]] = []
    g = client.generate(REVERSE, on_event=lambda event: seen.append((threading.get_ident(), event)))
    assert {ident for ident, _ in seen} == {threading.get_ident()}
    last = seen[-1][1]
    assert isinstance(last, Finished)
    assert last.generation == g


def test_what_on_event_raises_ends_the_call(claude_twin: Twin) -> None:
    claude_twin.fault(pace=0.01)

    def stop(event: object) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        claude_twin.client().generate(REVERSE, on_event=stop)


def test_a_stream_calls_on_event_too(claude_twin: Twin) -> None:
    seen: list[object] = []
    given = list(claude_twin.client().stream(REVERSE, on_event=seen.append))
    assert seen == given
    assert isinstance(given[-1], Finished)

    async def main() -> None:
        seen.clear()
        client = claude_twin.async_client()
        assert [event async for event in client.stream(REVERSE, on_event=seen.append)] == seen
        seen.clear()
        await client.stream(REVERSE, on_event=seen.append, cache="off").collect()
        assert isinstance(seen[-1], Finished)

    asyncio.run(main())

    def stop(event: object) -> None:
        raise LookupError("enough")

    s = claude_twin.client().stream(REVERSE, cache="off", on_event=stop)
    with pytest.raises(LookupError, match="enough"):
        next(s)
    assert list(s) == []
