from __future__ import annotations

import asyncio
import collections.abc
import gc
import sys
import time
from pathlib import Path

import pytest
from conftest import REVERSE, Run
from loopback import Loopback

import claude_code
from claude_code import AsyncClient, Finished, Generation
from claude_code.testing import Twin


def test_every_call_is_awaited(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncClient.local(tmp_path) as client:
            g = await client.generate(REVERSE)
            assert g.stored
            assert (await client.results.get(g.id)) == g
            assert len(await client.results.list(language="python")) == 1
            await client.results.delete(g.id)
            assert (await client.budget()).spent == 0
            assert client.estimate(REVERSE).tier == "simple"

    asyncio.run(main())


def test_a_stream_is_read_with_async_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncClient.local(tmp_path).stream(REVERSE) as s:
            events = [event async for event in s]
        assert isinstance(events[-1], Finished)
        assert events[-1].generation == s.generation
        assert [event async for event in s] == []
        assert (await AsyncClient.local(tmp_path).stream(REVERSE).collect()).accepted

    asyncio.run(main())


def test_a_stream_that_comes_in_many_moments_is_collected(claude_twin: Twin) -> None:
    claude_twin.fault(pace=0.03)

    async def main() -> None:
        s = claude_twin.async_client().stream(REVERSE, cache="off")
        assert (await s.collect()).accepted

    asyncio.run(main())


def test_calls_work_as_tasks_in_gather_and_in_task_groups(claude_twin: Twin) -> None:
    async def main() -> None:
        client = claude_twin.async_client()
        task: asyncio.Task[Generation] = asyncio.create_task(client.generate(REVERSE, cache="off"))
        rest: list[Generation] = await asyncio.gather(
            *(client.generate(REVERSE, cache="off") for _ in range(5))
        )
        assert all(g.accepted for g in [await task, *rest])

    asyncio.run(main())
    assert len(claude_twin.sent()) == 6


def test_calls_run_at_the_same_time(claude_twin: Twin) -> None:
    claude_twin.fault(latency=0.5, times=20)

    async def main() -> float:
        client = claude_twin.async_client()
        started = time.monotonic()
        await asyncio.gather(*(client.generate(REVERSE, cache="off") for _ in range(20)))
        return time.monotonic() - started

    assert asyncio.run(main()) < 8


def test_it_is_a_coroutine_in_all_but_its_type(claude_twin: Twin) -> None:
    call = claude_twin.async_client().generate(REVERSE)
    assert isinstance(call, collections.abc.Coroutine)
    assert repr(call) == "<generate(), not awaited yet>"
    call.close()


def test_what_is_never_awaited_is_never_sent(claude_twin: Twin) -> None:
    async def main() -> None:
        client = claude_twin.async_client()
        client.generate(REVERSE)
        client.stream(REVERSE)
        client.stream(REVERSE).__anext__()
        client.generate(REVERSE, on_event=print)
        gc.collect()
        await asyncio.sleep(0.2)

    asyncio.run(main())
    assert claude_twin.sent() == []


def test_a_call_is_awaited_once(claude_twin: Twin) -> None:
    async def main() -> None:
        call = claude_twin.async_client().generate(REVERSE)
        await call
        with pytest.raises(RuntimeError, match="awaited before"):
            await call

    asyncio.run(main())


def test_a_timeout_closes_the_request(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0, times=3)

    async def main() -> None:
        client = claude_twin.async_client()
        started = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.generate(REVERSE), 0.2)
        s = client.stream(REVERSE, cache="off")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(s.__anext__(), 0.2)
        await s.aclose()
        assert [event async for event in s] == []
        with pytest.raises(claude_code.InvalidRequestError, match="was closed before its end"):
            await s.collect()
        assert time.monotonic() - started < 5

    asyncio.run(main())
    assert len(claude_twin.sent()) == 2


def test_a_stream_survives_a_heartbeat(claude_twin: Twin) -> None:
    """Waiting in pieces loses no event and sends nothing twice."""
    claude_twin.fault(pace=0.03)

    async def main() -> None:
        s = claude_twin.async_client().stream(REVERSE, cache="off")
        events: list[object] = []
        beats = 0
        while True:
            try:
                events.append(await asyncio.wait_for(s.__anext__(), 0.01))
            except asyncio.TimeoutError:
                beats += 1
            except StopAsyncIteration:
                break
        assert beats > 3
        g = s.generation
        text = "".join(event.text for event in events if isinstance(event, claude_code.FileChunk))
        assert text == g.code
        assert g.accepted
        assert isinstance(events[-1], claude_code.Finished)

    asyncio.run(main())
    assert len(claude_twin.sent()) == 1


def test_an_event_that_is_awaited_is_not_awaited_twice(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0)

    async def main() -> None:
        s = claude_twin.async_client().stream(REVERSE, cache="off")
        first = asyncio.ensure_future(awaited(s))
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="elsewhere"):
            await s.__anext__()
        await s.aclose()
        assert await first == "closed"

    async def awaited(s: claude_code.AsyncStream) -> object:
        try:
            return await s.__anext__()
        except StopAsyncIteration:
            return "closed"

    asyncio.run(main())
    assert len(claude_twin.sent()) == 1


def test_a_dropped_stream_closes_the_request_although_a_heartbeat_passed() -> None:
    with Loopback(stall=True) as server:

        async def main() -> None:
            client = AsyncClient.local(answers=server.url)
            s = client.stream(REVERSE, cache="off")
            events = 0
            while True:
                try:
                    await asyncio.wait_for(s.__anext__(), 0.2)
                    events += 1
                except asyncio.TimeoutError:
                    if events:
                        break
            assert not server.hung_up.acquire(blocking=False)
            del s
            for _ in range(100):
                await asyncio.sleep(0.02)
                if server.hung_up.acquire(blocking=False):
                    return
            pytest.fail("the request stayed open")

        asyncio.run(main())


def test_cancelling_a_task_drops_the_call_and_the_next_one_works(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0)

    async def main() -> None:
        client = claude_twin.async_client()
        task: asyncio.Task[Generation] = asyncio.create_task(client.generate(REVERSE))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.generate(REVERSE)).accepted

    asyncio.run(main())


def test_many_cancelled_calls_leave_nothing(claude_twin: Twin) -> None:
    claude_twin.fault(stall_at=0, times=200)

    async def main() -> None:
        client = claude_twin.async_client()
        tasks: list[asyncio.Task[Generation]] = [
            asyncio.create_task(client.generate(REVERSE, cache="off")) for _ in range(200)
        ]
        while len(claude_twin.sent()) < 200:
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        assert (await client.generate(REVERSE)).accepted

    asyncio.run(main())


def test_errors_are_raised_where_it_is_awaited(claude_twin: Twin) -> None:
    async def main() -> None:
        with pytest.raises(claude_code.BudgetExceededError):
            await claude_twin.async_client().generate(REVERSE, max_usd="0.000001")

    asyncio.run(main())


def test_on_event_runs_in_the_loop(claude_twin: Twin) -> None:
    async def main() -> None:
        loops = []
        g = await claude_twin.async_client().generate(
            REVERSE, on_event=lambda _: loops.append(asyncio.get_running_loop())
        )
        assert g.accepted
        assert set(loops) == {asyncio.get_running_loop()}

    asyncio.run(main())


def test_a_client_outlives_its_event_loops(claude_twin: Twin) -> None:
    client = claude_twin.async_client()

    async def main() -> bool:
        return (await client.generate(REVERSE, cache="off")).accepted

    assert all(asyncio.run(main()) for _ in range(3))


def test_without_a_loop_the_error_is_python_s(claude_twin: Twin) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        claude_twin.async_client().generate(REVERSE).send(None)


def test_a_result_of_an_async_client_is_refined_with_await(claude_twin: Twin) -> None:
    async def main() -> None:
        g = await claude_twin.async_client().generate(REVERSE)
        claude_twin.answer("```python reverse_string.py\ndef reverse(s): return s[::-1]\n```")
        assert "reverse" in (await g.refine("shorter")).code

    asyncio.run(main())


def test_the_sync_client_works_inside_a_running_loop(claude_twin: Twin) -> None:
    async def main() -> None:
        assert claude_twin.client().generate(REVERSE).accepted

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 10), reason="anext() came with Python 3.10")
def test_anext_with_a_default_at_the_end_gives_the_default(run: Run) -> None:
    """In a process of its own: Python 3.11 crashes where __anext__ raises before it is awaited."""
    done = run(f"""
        import asyncio
        import claude_code
        async def main():
            client = claude_code.AsyncClient.local()
            s = client.stream({REVERSE!r}, store=False)
            await s.collect()
            print(await anext(s, None), await anext(s, 1))
            batch = client.batch([])
            print(await anext(batch, None))
            busy = client.stream({REVERSE!r}, store=False)
            first = anext(busy)
            try:
                await anext(busy, None)
            except RuntimeError as error:
                print(error)
            await first
        asyncio.run(main())
    """)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["None 1", "None", "the stream is being read elsewhere"]


def test_an_awaitable_takes_a_type_in_annotations() -> None:
    assert "Generation" in repr(claude_code.Awaitable[Generation])


def test_an_async_client_is_closed_without_blocking_the_loop(tmp_path: Path) -> None:
    async def main() -> None:
        client = AsyncClient.local(tmp_path)
        g = await client.generate(REVERSE)
        await client.aclose()
        await client.aclose()
        with pytest.raises(claude_code.InvalidRequestError, match="closed"):
            await client.generate(REVERSE)
        again = AsyncClient.local(tmp_path)
        (path,) = await again.results.download(g.id, tmp_path / "out")
        assert path.read_text() == g.code
        await again.stop_budget()
        assert (await again.budget()).stopped
        await again.resume_budget()

    asyncio.run(main())


def test_a_call_that_is_never_awaited_says_so_and_sends_nothing(claude_twin: Twin) -> None:
    client = claude_twin.async_client()
    with pytest.warns(RuntimeWarning, match=r"generate\(\) was never awaited: nothing was sent"):
        client.generate(REVERSE)
    assert claude_twin.sent() == []
