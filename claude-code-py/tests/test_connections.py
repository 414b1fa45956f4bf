"""Who is asked, with which key; and that a request which nobody waits for any more is closed at the server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import pytest
from conftest import REVERSE
from loopback import Loopback

import claude_code
from claude_code import AsyncClient, Client


def ask(client: Client) -> None:
    assert client.generate(REVERSE, cache="off", store=False).accepted


def test_two_servers_are_asked_by_two_clients() -> None:
    with Loopback() as one, Loopback() as two:
        first, second = Client.local(answers=one.url), Client.local(answers=two.url)
        ask(first)
        ask(second)
        ask(Client.local(answers=one.url))
        assert (len(one.heads), len(two.heads)) == (2, 1)


def test_a_corrected_key_is_used_while_the_first_client_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        clients = []
        for key in ("first-key", "second-key"):
            monkeypatch.setenv("ANTHROPIC_API_KEY", key)
            clients.append(Client(provider="anthropic", store="none"))
            ask(clients[-1])
        assert ["x-api-key: first-key" in head for head in server.heads] == [True, False]
        assert "x-api-key: second-key" in server.heads[1]


def test_another_account_is_another_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials the call fails; with some it goes on to the server that the environment names."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    without = Client(store="none", region="us-east-1")
    with pytest.raises(claude_code.AuthenticationError):
        without.generate(REVERSE, max_sends=1)
    monkeypatch.setenv("AWS_PROFILE", "other")
    (tmp_path / ".aws").mkdir()
    keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    (tmp_path / ".aws" / "credentials").write_text(f"[other]\n{keys}")
    with pytest.raises(claude_code.UnavailableError):
        Client(store="none", region="us-east-1").generate(REVERSE, max_sends=1, timeout=5)


def closed(client: Client) -> None:
    s = client.stream(REVERSE)
    next(s)
    s.close()


def left(client: Client) -> None:
    with client.stream(REVERSE) as s:
        next(s)


def dropped(client: Client) -> None:
    s = client.stream(REVERSE)
    next(s)
    del s
    gc.collect()


def raised(client: Client) -> None:
    def enough(event: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        client.generate(REVERSE, on_event=enough)


def test_the_server_sees_that_a_batch_was_given_up() -> None:
    with Loopback(stall=True) as server:
        batch = Client.local(answers=server.url).batch([REVERSE])
        with pytest.raises(SystemExit):
            interrupted(batch, server)
        batch.close()
        assert server.hung_up.acquire(timeout=5)


def interrupted(batch: claude_code.Batch, server: Loopback) -> None:
    """Waits for an item until the server has its request."""

    def now(*_: object) -> None:
        raise SystemExit

    def send() -> None:
        if server.began.acquire(timeout=30):
            os.kill(os.getpid(), signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, now)
    try:
        threading.Thread(target=send, daemon=True).start()
        next(batch)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("way", [closed, left, dropped, raised])
def test_the_server_sees_that_a_request_was_given_up(way: Callable[[Client], None]) -> None:
    with Loopback(stall=True) as server:
        client = Client.local(answers=server.url)
        way(client)
        assert server.began.acquire(timeout=5)
        assert server.hung_up.acquire(timeout=5)


@pytest.mark.parametrize("way", ["cancel", "timeout", "close", "leave"])
def test_the_server_sees_that_a_task_was_cancelled(way: str) -> None:
    async def main(server: Loopback) -> None:
        client = AsyncClient.local(answers=server.url)
        if way == "cancel":
            task: asyncio.Task[claude_code.Generation] = asyncio.create_task(client.generate(REVERSE))
            await asyncio.to_thread(server.began.acquire)
            task.cancel()
        elif way == "timeout":
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.generate(REVERSE), 0.5)
        elif way == "close":
            call = client.generate(REVERSE)
            call.send(None)
            await asyncio.to_thread(server.began.acquire)
            call.close()
        else:
            async with client.stream(REVERSE) as s:
                await s.__anext__()
        assert await asyncio.to_thread(server.hung_up.acquire, True, 5)

    with Loopback(stall=True) as server:
        asyncio.run(main(server))


def test_the_server_sees_a_ctrl_c() -> None:
    program = f"""if True:
        import signal, sys
        import claude_code
        signal.signal(signal.SIGINT, signal.default_int_handler)
        client = claude_code.Client.local(answers=sys.argv[1])
        try:
            client.generate({REVERSE!r})
        except KeyboardInterrupt:
            print("heard", flush=True)
            sys.stdin.read()
    """
    package = str(Path(claude_code.__file__).parents[1])
    with Loopback(stall=True) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", program, server.url],
            env={**os.environ, "PYTHONPATH": package},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert server.began.acquire(timeout=20)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "heard\n"
        assert server.hung_up.acquire(timeout=5), "the child still runs, and its request is gone"
        child.communicate("")


def test_a_close_before_the_first_step_sends_nothing() -> None:
    async def main(server: Loopback) -> None:
        s = AsyncClient.local(answers=server.url).stream(REVERSE)
        call = s.__anext__()
        s.close()
        with pytest.raises(StopAsyncIteration):
            await call
        await asyncio.sleep(0.2)

    with Loopback() as server:
        asyncio.run(main(server))
        assert server.heads == []
