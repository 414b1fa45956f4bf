from __future__ import annotations

import asyncio
import copy
import json
import pickle
import time
from pathlib import Path

import pytest
from conftest import REVERSE

import claude_code
from claude_code import AsyncClient, Client
from claude_code.testing import Twin

HELLO = "```python hello.py\nprint('hello')\n```"


def tasks(count: int) -> list[str]:
    return [f"task {n}" for n in range(count)]


def test_every_request_is_answered_under_its_index(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    seen: list[tuple[int, int]] = []
    batch = claude_twin.client().batch(tasks(9), concurrency=4, progress=lambda *at: seen.append(at))
    assert len(batch) == 9
    items = sorted(batch, key=lambda item: item.index)
    assert [item.index for item in items] == list(range(9))
    assert [item.request for item in items] == tasks(9)
    assert all(item.error is None and item.generation is not None for item in items)
    assert seen == [(n, 9) for n in range(1, 10)]


def test_requests_may_have_options_of_their_own(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    requests = [{"prompt": "task", "max_tokens": 555, "model": "haiku"}]
    (item,) = claude_twin.client().batch(requests)
    assert item.request == requests[0]
    assert claude_twin.sent()[0].max_tokens == 555


def test_a_failure_is_that_item_s_own(client: Client) -> None:
    items = {item.index: item for item in client.batch([REVERSE, "no such sample", REVERSE])}
    assert isinstance(items[1].error, claude_code.InvalidRequestError)
    assert items[1].generation is None
    first, last = items[0].generation, items[2].generation
    assert first is not None
    assert last is not None
    assert first.id == last.id, "equal requests are sent once"
    assert "InvalidRequestError" in repr(items[1])


def test_a_wrong_request_is_told_before_anything_is_sent(claude_twin: Twin) -> None:
    client = claude_twin.client()
    wrong: list[tuple[object, str]] = [
        ([REVERSE, 5], "request 1"),
        ([{"language": "python"}], "request 0"),
        ([{"prompt": "x", "on_event": print}], "on_event"),
        ([{"prompt": "x", "langauge": "python"}], "did you mean language"),
    ]
    for requests, part in wrong:
        with pytest.raises(TypeError, match=part):
            client.batch(requests)  # type: ignore[arg-type]
    for wrong_number in (0, -1):
        with pytest.raises(claude_code.InvalidRequestError, match="concurrency"):
            client.batch([REVERSE], concurrency=wrong_number)
    with pytest.raises(TypeError, match="progress must be callable, got int"):
        client.batch([REVERSE], progress=5)  # type: ignore[arg-type]
    assert claude_twin.sent() == []


def test_nothing_is_sent_before_the_first_item_and_nothing_after_the_end(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0, times=100)
    client = claude_twin.client()
    batch = client.batch(tasks(50), concurrency=5)
    time.sleep(0.1)
    assert claude_twin.sent() == []
    batch.close()
    assert list(batch) == []
    assert claude_twin.sent() == []


def test_no_more_run_at_a_time_than_asked_for(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    claude_twin.fault(stall_at=0, times=100)

    async def main() -> None:
        async with claude_twin.async_client().batch(tasks(50), concurrency=5) as batch:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(batch.__anext__(), 0.3)
        assert [item async for item in batch] == []

    asyncio.run(main())
    assert len(claude_twin.sent()) == 5


def test_answers_go_on_while_the_caller_works(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    batch = claude_twin.client().batch(tasks(20), concurrency=4)
    next(batch)
    time.sleep(0.5)
    assert 4 <= len(claude_twin.sent()) <= 10, "some are ready, and not all: nobody has asked for them"


def test_it_is_read_with_async_for(tmp_path: object) -> None:
    async def main() -> None:
        client = AsyncClient.local(str(tmp_path))
        async with client.batch(client.samples()[:3]) as batch:
            assert all([item.error is None async for item in batch])

    asyncio.run(main())


def test_a_cancelled_step_takes_no_request_and_no_item_along(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")

    async def main() -> None:
        batch = claude_twin.async_client().batch(tasks(12), concurrency=3)
        seen: list[int] = []
        # Steps that are given up at once, before the first answer and at any moment after it.
        for turn in range(40):
            step: asyncio.Task[claude_code.BatchItem] = asyncio.create_task(batch.__anext__())
            await asyncio.sleep(0.002 * (turn % 8))
            step.cancel()
            try:
                seen.append((await step).index)
            except asyncio.CancelledError:
                continue
            except StopAsyncIteration:
                break
        seen += [item.index async for item in batch]
        assert sorted(seen) == list(range(12))

    asyncio.run(main())


@pytest.mark.parametrize("milliseconds", [0, 1, 3, 10])
def test_a_first_step_that_is_given_up_while_it_connects_leaves_the_requests(
    tmp_path: Path, milliseconds: int
) -> None:
    async def main() -> None:
        client = AsyncClient.local(tmp_path)
        batch = client.batch(client.samples()[:2])
        step: asyncio.Task[claude_code.BatchItem] = asyncio.create_task(batch.__anext__())
        await asyncio.sleep(milliseconds / 1000)
        step.cancel()
        first = await asyncio.gather(step, return_exceptions=True)
        items = [item for item in first if isinstance(item, claude_code.BatchItem)]
        assert len(items + [item async for item in batch]) == 2

    asyncio.run(main())


def test_an_item_at_which_progress_raises_comes_again(claude_twin: Twin) -> None:
    claude_twin.answer(HELLO, prompt="task")
    told: list[tuple[int, int]] = []

    def progress(done: int, of: int) -> None:
        told.append((done, of))
        if len(told) == 2:
            raise LookupError

    batch = claude_twin.client().batch(tasks(3), concurrency=1, progress=progress)
    first = next(batch)
    with pytest.raises(LookupError):
        next(batch)
    assert sorted([first.index, *(item.index for item in batch)]) == [0, 1, 2]
    assert told == [(1, 3), (2, 3), (2, 3), (3, 3)]


def test_a_step_that_fails_to_connect_fails_again_and_never_ends_silently(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    batch = Client.local(tmp_path / "file").batch([REVERSE])
    for _ in range(2):
        with pytest.raises(claude_code.StorageError):
            next(batch)


def test_items_pickle_compare_copy_and_convert(claude_twin: Twin) -> None:
    claude_twin.refuse("invalid")
    client = claude_twin.client()
    items = list(client.batch([REVERSE], concurrency=1)) + list(client.batch([{"prompt": REVERSE}]))
    assert items[0].error is not None
    assert items[1].generation is not None
    for item in items:
        again = pickle.loads(pickle.dumps(item))
        assert again == item
        assert again.request == item.request
        assert copy.deepcopy(item) == item
        assert item != items[1 - items.index(item)]
    told = json.loads(json.dumps([item.to_dict() for item in items]))
    assert told[0]["error"]["kind"] == "invalid_request"
    assert told[1]["generation"]["id"] == items[1].generation.id
