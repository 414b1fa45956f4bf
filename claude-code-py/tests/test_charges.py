"""Who is charged for a shared attempt: whatever callers do, the receipts of those that ended, with what nobody took,
are the ledger.

Each schedule starts callers of two prompts, some of which are equal and share an attempt; they cancel, close, fail,
wait in pieces or take their result. What all callers of an attempt gave up stands in the log of requests, as
`cancelled`."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from datetime import datetime, timezone
from decimal import Decimal
from typing import Callable, Union

import pytest
from conftest import CAMPAIGN
from loopback import Converse, Loopback, Messages, Wire

import claude_code
from claude_code import AsyncClient, Client, FileChunk, Finished, Generation

SCHEDULES = 1000 if CAMPAIGN else 100
WIRES = pytest.mark.parametrize("wire", [Messages, Converse])
Outcome = Union[Generation, claude_code.ClaudeCodeError, None]


def paid(outcome: Outcome) -> Decimal:
    if outcome is None or outcome.receipt is None:
        return Decimal(0)
    assert outcome.receipt.total_usd is not None
    return outcome.receipt.total_usd


def within_a_day(run: Callable[[], None]) -> None:
    """The ledger counts by the day: schedules between which midnight came say nothing, and run again."""
    day = datetime.now(timezone.utc).date()
    try:
        run()
    except pytest.fail.Exception:
        if datetime.now(timezone.utc).date() == day:
            raise
        run()


class Tally:
    """What the callers of all schedules received, beside the ledger of their one client."""

    def __init__(self, capfd: pytest.CaptureFixture[str], begun: claude_code.Budget) -> None:
        self.capfd = capfd
        self.before = begun.spent + begun.reserved
        self.receipts = self.nobodys = Decimal(0)
        self.ended = self.given_up = self.failed = self.shared = 0

    def add(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.receipts += paid(outcome)
            self.ended += outcome is not None
            self.given_up += outcome is None
            self.failed += isinstance(outcome, Exception)
            self.shared += isinstance(outcome, Generation) and outcome.cached is not None

    def is_even(self, budget: claude_code.Budget) -> bool:
        """Whether both sides agree, once what was given up has been dropped."""
        for line in self.capfd.readouterr().err.splitlines():
            seen = json.loads(line)
            if seen["outcome"] == "cancelled":
                self.nobodys += Decimal(seen["cost_usd"])
        return self.before + self.receipts + self.nobodys == budget.spent + budget.reserved

    def fail(self, budget: claude_code.Budget, schedule: int) -> None:
        pytest.fail(f"schedule {schedule}: {self.receipts} on receipts, {self.nobodys} nobody's, {budget!r}")

    def show(self, server: Loopback) -> None:
        with self.capfd.disabled():
            print(
                f"\n{SCHEDULES} schedules: {self.ended} callers ended, {self.failed} of them with an error, "
                f"{self.shared} with another's answer; {self.given_up} gave up; {len(server.heads)} sends, "
                f"${self.receipts} on receipts, ${self.nobodys} nobody's"
            )
        assert min(self.ended, self.shared, self.given_up, self.failed) > SCHEDULES // 8
        assert self.nobodys > 0, "some sends were given up by everybody"


class Schedule:
    """One schedule's chance; the requests of two prompts."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.chance = random.Random(number)
        self.lock = threading.Lock()

    def below(self, bound: int) -> int:
        with self.lock:
            return self.chance.randrange(bound)

    def moment(self, most: float) -> float:
        return self.below(1000) * most / 1000

    def prompt(self) -> str:
        return f"hello {self.number} {'two' if self.below(3) == 0 else 'one'}"


def server_of(wire: type[Wire], chance: random.Random) -> Loopback:
    """A server whose answers take up to 6 ms, and of which one in six ends at its token limit."""

    def ending() -> tuple[float, str]:
        return chance.random() * 0.006, "max_tokens" if chance.randrange(6) == 0 else "end_turn"

    return Loopback(wire=wire(), ending=ending)


async def pieces(client: AsyncClient, prompt: str, schedule: Schedule) -> Outcome:
    """Reads in pieces of a heartbeat, to the end."""
    s = client.stream(prompt, model="haiku", max_sends=1)
    while True:
        try:
            event: object = await asyncio.wait_for(s.__anext__(), 0.0005 + schedule.moment(0.002))
        except asyncio.TimeoutError:
            continue
        if isinstance(event, Finished):
            return event.generation


async def some(client: AsyncClient, prompt: str, schedule: Schedule) -> Outcome:
    """Reads some events and closes."""
    async with client.stream(prompt, model="haiku", max_sends=1) as s:
        for _ in range(schedule.below(4)):
            event = await s.__anext__()
            if isinstance(event, Finished):
                return event.generation
    return None


async def caller(client: AsyncClient, schedule: Schedule) -> Outcome:
    prompt, kind = schedule.prompt(), schedule.below(6)
    await asyncio.sleep(schedule.moment(0.006))
    try:
        if kind == 0:
            return await asyncio.wait_for(
                client.generate(prompt, model="haiku", max_sends=1), schedule.moment(0.012)
            )
        if kind == 1:
            task: asyncio.Task[Generation] = asyncio.ensure_future(
                client.generate(prompt, model="haiku", max_sends=1)
            )
            await asyncio.sleep(schedule.moment(0.012))
            task.cancel()
            return await task
        if kind == 2:
            return await pieces(client, prompt, schedule)
        if kind == 3:
            return await some(client, prompt, schedule)
        if kind == 4:
            return await client.stream(prompt, model="haiku", max_sends=1).collect()
        return await client.generate(prompt, model="haiku", max_sends=1)
    except (asyncio.TimeoutError, asyncio.CancelledError):
        return None
    except claude_code.ClaudeCodeError as error:
        return error


async def asked_again(client: AsyncClient, prompt: str) -> Outcome:
    try:
        return await client.generate(prompt, model="haiku", max_sends=1)
    except claude_code.ClaudeCodeError as error:
        return error


@WIRES
def test_receipts_of_async_callers_sum_to_the_ledger(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], wire: type[Wire]
) -> None:
    async def main(server: Loopback, client: AsyncClient) -> None:
        tally = Tally(capfd, await client.budget())
        for number in range(SCHEDULES):
            schedule = Schedule(number)
            callers = [caller(client, schedule) for _ in range(2 + schedule.below(5))]
            tally.add(await asyncio.gather(*callers))
            # Two more find in the cache what nobody took.
            tally.add([await asked_again(client, f"hello {number} {name}") for name in ("one", "two")])
            for _ in range(200):
                if tally.is_even(await client.budget()):
                    break
                await asyncio.sleep(0.05)
            else:
                tally.fail(await client.budget(), number)
        tally.show(server)

    monkeypatch.setenv("CLAUDE_CODE_AWS_LOG", "json")

    def run() -> None:
        with server_of(wire, random.Random(7)) as server:
            server.use(monkeypatch)
            asyncio.run(main(server, AsyncClient()))

    within_a_day(run)


def whole(client: Client, prompt: str, schedule: Schedule) -> Outcome:
    return client.generate(prompt, model="haiku", max_sends=1)


def read(client: Client, prompt: str, schedule: Schedule) -> Outcome:
    return client.stream(prompt, model="haiku", max_sends=1).collect()


def left(client: Client, prompt: str, schedule: Schedule) -> Outcome:
    """Reads some events and closes."""
    with client.stream(prompt, model="haiku", max_sends=1) as s:
        for _, event in zip(range(schedule.below(4)), s):
            if isinstance(event, Finished):
                return event.generation
    return None


def shut(client: Client, prompt: str, schedule: Schedule) -> Outcome:
    """Is closed from outside, at any moment."""
    s = client.stream(prompt, model="haiku", max_sends=1)
    closing = threading.Timer(schedule.moment(0.012), s.close)
    closing.start()
    last = None
    for event in s:
        last = event
    closing.join()
    return last.generation if isinstance(last, Finished) else None


def enough(client: Client, prompt: str, schedule: Schedule) -> Outcome:
    """Raises at the first piece of a file: the leader's, while it is written."""

    def raises(event: object) -> None:
        if isinstance(event, FileChunk):
            raise LookupError

    try:
        return client.generate(prompt, model="haiku", max_sends=1, on_event=raises)
    except LookupError:
        return None


WAYS: list[Callable[[Client, str, Schedule], Outcome]] = [whole, read, left, shut, enough]


@WIRES
def test_receipts_of_sync_callers_sum_to_the_ledger(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], wire: type[Wire]
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_AWS_LOG", "json")

    def called(client: Client, schedule: Schedule, outcomes: list[Outcome]) -> None:
        way, prompt = WAYS[schedule.below(len(WAYS))], schedule.prompt()
        time.sleep(schedule.moment(0.006))
        try:
            outcomes.append(way(client, prompt, schedule))
        except claude_code.ClaudeCodeError as error:
            outcomes.append(error)

    def run() -> None:
        with server_of(wire, random.Random(7)) as server:
            server.use(monkeypatch)
            client = Client()
            tally = Tally(capfd, client.budget())
            for number in range(SCHEDULES):
                schedule = Schedule(number)
                outcomes: list[Outcome] = []
                threads = [
                    threading.Thread(target=called, args=(client, schedule, outcomes))
                    for _ in range(2 + schedule.below(5))
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert len(outcomes) == len(threads)
                for name in ("one", "two"):
                    called_again: list[Outcome] = []
                    try:
                        called_again.append(
                            client.generate(f"hello {number} {name}", model="haiku", max_sends=1)
                        )
                    except claude_code.ClaudeCodeError as error:
                        called_again.append(error)
                    tally.add(called_again)
                tally.add(outcomes)
                for _ in range(200):
                    if tally.is_even(client.budget()):
                        break
                    time.sleep(0.05)
                else:
                    tally.fail(client.budget(), number)
            tally.show(server)

    within_a_day(run)
