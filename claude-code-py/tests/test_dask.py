"""A map of Dask over two worker processes that share the local directory: one of them is killed, nothing is paid twice.

Runs where dask and distributed are installed; `make release-check` installs them.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from claude_code import Client, Generation
from claude_code.testing import Twin

distributed = pytest.importorskip("distributed")

HELLO = "```python hello.py\nprint('hello')\n```"
CAP = "0.50"
THREADS = 1


def test_two_workers_one_killed_pay_for_each_distinct_prompt_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = Twin(tmp_path / "twin")
    twin.answer(HELLO, prompt="task")
    twin.fault(latency=0.1, times=1000)
    for name, value in twin.listen().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLAUDE_CODE_AWS_MAX_USD_PER_DAY", CAP)

    # Of this function the workers get the code, not the name of a module that they would have to have.
    def generate(client: Client, prompt: str) -> Generation:
        return client.generate(prompt)

    # Forty prompts, twenty of them distinct.
    prompts = [f"task {n % 20}" for n in range(40)]
    with (
        Client(provider="bedrock", model="haiku", store="disk") as client,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=THREADS, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as dask,
    ):
        pids = dask.run(os.getpid)
        assert len(set(pids.values())) == 2
        futures = dask.map(generate, [client] * 40, prompts, pure=False)
        results: dict[int, Generation] = {}
        for future in distributed.as_completed(futures):
            results[futures.index(future)] = future.result()
            if len(results) == 5:
                os.kill(next(iter(pids.values())), signal.SIGKILL)
        spent, cap = client.budget().spent, client.budget().cap
    assert sorted(results) == list(range(40))
    assert all(generation.accepted for generation in results.values())
    # What was under way in the killed worker may have been paid for, and is asked again.
    sent = len(twin.sent())
    assert 20 <= sent <= 20 + THREADS
    assert cap is not None
    assert spent <= cap
    print(f"{sent} sends for 20 distinct prompts of 40, ${spent} of ${cap}")
