"""Signals, exits and threads: where bindings break."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from conftest import CAMPAIGN, REVERSE, Run

import claude_code
from claude_code.testing import Twin

STALLED = """
    import signal, sys, threading
    # A job in the background of a shell is born deaf to Ctrl-C: this one must hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from claude_code.testing import Twin
    twin = Twin()
    twin.fault(stall_at=0, times=1000)
    client = twin.client()
    PROMPT = "Write a Python function that reverses a string."
"""


@pytest.mark.parametrize(
    "call",
    [
        "client.generate(PROMPT)",
        "list(client.stream(PROMPT))",
        "client.generate(PROMPT, on_event=print)",
        "list(client.batch([PROMPT]))",
        "(twin.listen(), client.generate(PROMPT))",
        "asyncio.run(twin.async_client().generate(PROMPT))",
        "asyncio.run(main())",
    ],
)
def test_ctrl_c_is_heard_at_once(call: str) -> None:
    program = textwrap.dedent(STALLED) + textwrap.dedent(f"""
        import asyncio, time
        async def main():
            async with twin.async_client().stream(PROMPT) as s:
                async for event in s:
                    pass
        threading.Timer(0.5, lambda: print("waiting", flush=True)).start()
        try:
            {call}
        except KeyboardInterrupt:
            print(time.time())
            client.generate({REVERSE!r}, max_usd='0.0000001')
    """)
    package = str(Path(claude_code.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": package},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    sent = time.time()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=10)
    assert float(out.splitlines()[0]) - sent < (0.2 if CAMPAIGN else 1.0)
    assert "BudgetExceededError" in err, "the client works on after Ctrl-C"


EXITS = {
    "threads": """
        for _ in range(50):
            threading.Thread(target=client.generate, args=(PROMPT,), daemon=True).start()
        import time; time.sleep(0.1)
    """,
    "tasks": """
        import asyncio
        client = twin.async_client()
        async def main():
            tasks = [asyncio.create_task(client.generate(PROMPT, cache="off")) for _ in range(50)]
            await asyncio.sleep(0.1)
        asyncio.run(main())
    """,
    "loop left open": """
        import asyncio
        client = twin.async_client()
        calls = [client.generate(PROMPT, cache="off") for _ in range(50)]
        loop = asyncio.new_event_loop()
        async def main():
            for call in calls:
                call.send(None)
            await asyncio.sleep(0.1)
        loop.run_until_complete(main())
        loop.close()
    """,
    "streams": """
        streams = [client.stream(PROMPT, cache="off") for _ in range(50)]
        for s in streams:
            threading.Thread(target=next, args=(s,), daemon=True).start()
        import time; time.sleep(0.1)
    """,
    "loop": """
        twin = Twin()
        client, later = twin.client(), twin.async_client()
        def loop():
            while True:
                client.generate(PROMPT, cache="off")
        def awaits():
            import asyncio
            async def main():
                while True:
                    await later.generate(PROMPT, cache="off")
            asyncio.run(main())
        for work in [loop, awaits] * 4:
            threading.Thread(target=work, daemon=True).start()
        import time; time.sleep(0.5)
    """,
    "check": """
        import time
        client = Twin().client()
        def check(files):
            while True:
                time.sleep(0.01)
        for _ in range(4):
            work = lambda: client.generate(PROMPT, cache="off", check=check)
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.5)
    """,
    "loop of checks": """
        import time
        twin = Twin()
        client, later = twin.client(), twin.async_client()
        def loop():
            while True:
                client.generate(PROMPT, cache="off", check=lambda files: None)
        def awaits():
            import asyncio
            async def main():
                while True:
                    await later.generate(PROMPT, cache="off", check=lambda files: None)
            asyncio.run(main())
        for work in [loop, awaits] * 4:
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.5)
    """,
    "long check": """
        import time
        client = Twin().client()
        work = lambda: client.generate(PROMPT, check=lambda files: time.sleep(3))
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.5)
    """,
    "sys.exit": """
        for _ in range(50):
            threading.Thread(target=client.generate, args=(PROMPT,), daemon=True).start()
        import time; time.sleep(0.1)
        sys.exit(0)
    """,
}


@pytest.mark.parametrize("way", EXITS)
def test_exit_with_calls_in_flight_is_silent(run: Run, way: str) -> None:
    program = textwrap.dedent(STALLED) + textwrap.dedent(EXITS[way])
    for _ in range(40 if CAMPAIGN else 2):
        started = time.monotonic()
        done = run(program)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert time.monotonic() - started < 10


def test_a_call_while_the_interpreter_exits_is_refused(run: Run) -> None:
    done = run(f"""
        import atexit
        def late():
            try:
                client.generate({REVERSE!r})
            except claude_code.UnavailableError as error:
                print(error)
        atexit.register(late)
        import claude_code
        client = claude_code.Client.local()
        client.generate({REVERSE!r})
    """)
    assert "exiting" in done.stdout
    assert done.stderr == ""


def test_threads_loops_and_plain_calls_mix(claude_twin: Twin) -> None:
    rounds = 20 if CAMPAIGN else 3
    failures: list[BaseException] = []

    def plain() -> None:
        client = claude_twin.client()
        for _ in range(rounds):
            assert client.generate(REVERSE, cache="off").accepted
            assert client.stream(REVERSE, cache="off").collect().accepted

    async def mixed() -> None:
        client, inside = claude_twin.async_client(), claude_twin.client()
        for _ in range(rounds):
            await asyncio.gather(*(client.generate(REVERSE, cache="off") for _ in range(3)))
            assert inside.generate(REVERSE, cache="off").accepted
            async for _ in client.stream(REVERSE, cache="off"):
                pass

    def guarded(work: object) -> None:
        try:
            plain() if work is plain else asyncio.run(mixed())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(plain if n % 2 else mixed,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def test_the_interpreter_is_free_while_a_call_waits(claude_twin: Twin) -> None:
    claude_twin.fault(latency=0.5)
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    claude_twin.client().generate(REVERSE)
    done.set()
    counter.join()
    assert counted > 50


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_memory_stays_flat(claude_twin: Twin) -> None:
    calls = 10_000 if CAMPAIGN else 500
    client = claude_twin.client()

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # The twin remembers the last thousand questions, and allocators warm up.
    for _ in range(1_100 if CAMPAIGN else 300):
        client.generate(REVERSE, cache="off")
    before = resident()
    for _ in range(calls):
        client.generate(REVERSE, cache="off")
    grown = resident() - before
    print(f"{calls} calls, {grown / 1e6:+.1f} MB")
    assert grown < (2_000_000 if CAMPAIGN else 12_000_000)
