"""A forked child has its parent's clients and none of its threads: it makes runtime and connections anew."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from conftest import CAMPAIGN, REVERSE, Run

from claude_code import Client

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")

# A hundred forks in all with CAMPAIGN=1.
TIMES = 20 if CAMPAIGN else 4

FORK = """
    import multiprocessing, os, sys, threading, time, warnings
    # From Python 3.12 on os.fork itself warns of threads.
    warnings.simplefilter("ignore", DeprecationWarning)
    import claude_code
    from claude_code.testing import Twin
    twin = Twin()
    client = twin.client()
    {before}
    def child(answers):
        try:
            {call}
        except claude_code.ForkedProcessError as error:
            answers.put(error.kind)
        except claude_code.ClaudeCodeError as error:
            answers.put(repr(error))
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    for _ in range({times}):
        process = context.Process(target=child, args=(answers,))
        process.start()
        print(answers.get(timeout=20))
        process.join(20)
        assert process.exitcode == 0, process.exitcode
    # A child that runs to the interpreter's own end must not hang on what stayed behind.
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    deadline = time.monotonic() + 5
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline, "the child hangs at its exit"
        time.sleep(0.01)
    {after}
"""
ANSWERED = f"answers.put('answered' if client.generate({REVERSE!r}, cache='off').accepted else 'rejected')"
AWAITED = (
    "import asyncio; made = asyncio.run(twin.async_client().generate("
    f"{REVERSE!r}, cache='off')); answers.put('answered' if made.accepted else 'rejected')"
)
WORKS_ON = f"assert client.generate({REVERSE!r}, cache='off').accepted"
USED = f"client.generate({REVERSE!r})"
BUSY = f"""
    def work():
        while True:
            client.generate({REVERSE!r}, cache="off")
    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.2)
"""
STREAMS = f"events = client.stream({REVERSE!r}, cache='off'); next(events)"
BATCHES = f"items = client.batch([{REVERSE!r}] * 9, concurrency=2); next(items)"


@pytest.mark.parametrize(
    ("before", "call", "answer"),
    [
        ("", ANSWERED, "answered"),
        ("client.estimate('x')", ANSWERED, "answered"),
        (USED, ANSWERED, "answered"),
        (USED, AWAITED, "answered"),
        (STREAMS, ANSWERED, "answered"),
        (BUSY.strip(), ANSWERED, "answered"),
        (f"client = claude_code.Client.local('local'); {USED}", ANSWERED, "answered"),
        (f"twin.fault(pace=0.3); {STREAMS}", "list(events)", "forked"),
        (BATCHES, "list(items)", "forked"),
    ],
    ids=["unused", "estimated", "used", "async", "streaming", "busy", "disk", "a stream", "a batch"],
)
def test_a_forked_child_answers_and_its_parents_work_stays_its_parents(
    run: Run, before: str, call: str, answer: str
) -> None:
    program = FORK.format(before=before, call=call, after=WORKS_ON, times=TIMES)
    done = run(program, timeout=240)
    assert done.stderr == ""
    assert done.stdout.split() == [answer] * TIMES


def _in_child(client: Client, prompt: str) -> tuple[str, bool]:
    made = client.generate(prompt)
    return made.id, made.cached is not None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_workers_share_the_directory_of_a_client_that_was_used_before(tmp_path: Path) -> None:
    client = Client.local(tmp_path / "shared")
    made = client.generate(REVERSE)
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        told = pool.starmap(_in_child, [(client, REVERSE)] * 40)
    assert told == [(made.id, True)] * 40
    assert client.generate(REVERSE).id == made.id
    assert [row.id for row in client.results.list(language="python")] == [made.id]


def test_a_directory_that_the_parent_works_in_is_refused_and_not_damaged(run: Run) -> None:
    done = run(f"""
        import os, sys, threading, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import claude_code
        step = {{"answer": {{"text": "```python a.py\\nx = 1\\n```"}}, "faults": [{{"latency_ms": 2000}}]}}
        open("script.json", "w").write(__import__("json").dumps({{"steps": [step]}}))
        client = claude_code.Client.local("local")
        client.generate({REVERSE!r})
        slow = claude_code.Client.local("local", answers="script.json")
        thread = threading.Thread(target=lambda: print(slow.generate("anything").accepted))
        thread.start()
        time.sleep(0.5)
        pid = os.fork()
        if pid == 0:
            try:
                client.generate({REVERSE!r})
                print("answered", flush=True)
            except claude_code.ForkedProcessError as error:
                print(error.kind, "fork while no call is under way" in str(error), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        thread.join()
        print(len(client.results.list(language="python").items))
    """)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["forked True", "True", "2"]


def test_a_grandchild_answers_too(run: Run) -> None:
    done = run(f"""
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import claude_code
        from claude_code.testing import Twin
        client = Twin().client()
        def down(generations):
            assert client.generate({REVERSE!r}, cache="off").accepted
            if generations:
                pid = os.fork()
                if pid == 0:
                    down(generations - 1)
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
                assert client.generate({REVERSE!r}, cache="off").accepted
            else:
                print("answered", flush=True)
        down(3)
    """)
    assert (done.stdout, done.stderr) == ("answered\n", "")
