"""Docstrings: everything public has one, and their examples run, offline."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Run

import claude_code
from claude_code import AsyncClient, Client, Generation

if TYPE_CHECKING:
    # mypy refuses both where refine gives Any: `make typed`.
    def refined(client: Client) -> Generation:
        return client.generate("a queue").refine("add a timeout").refine("and a test")

    async def awaited(client: AsyncClient) -> Generation:
        return await (await (await client.generate("a queue")).refine("add a timeout")).refine("and a test")


PUBLIC = [getattr(claude_code, name) for name in claude_code.__all__ if name != "__version__"]


def members(thing: object) -> list[tuple[str, object]]:
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return []
    return [(name, member) for name, member in vars(thing).items() if not name.startswith("_")]


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_everything_public_is_documented(thing: object) -> None:
    assert inspect.getdoc(thing), thing
    plumbing = {"send", "throw", "close", "to_dict", "from_dict"}
    for name, member in members(thing):
        assert name in plumbing or inspect.getdoc(member), f"{thing}.{name}"


def test_the_examples_run() -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    sync = [thing for thing in PUBLIC if thing is not claude_code.AsyncClient]
    for thing in [claude_code, *sync]:
        for name, member in [("", thing), *members(thing)]:
            text = inspect.getdoc(member) or ""
            test = parser.get_doctest(text, dict(vars(claude_code)), f"{thing!r}.{name}", None, 0)
            runner.run(test)
    assert runner.tries >= 10
    assert runner.failures == 0


def test_the_stub_has_the_docstrings_of_the_module() -> None:
    """`python stub.py` writes them."""
    place = Path(__file__).parents[1] / "stub.py"
    spec = importlib.util.spec_from_file_location("stub", place)
    assert spec
    assert spec.loader
    stub = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stub)
    source = stub.STUB.read_text(encoding="utf-8")
    assert source.count('"""') > 400, "they are there at all"
    assert stub.written(source, claude_code._claude_code) == source


@pytest.mark.parametrize("client", [claude_code.Client, claude_code.AsyncClient])
@pytest.mark.parametrize("call", ["generate", "refactor", "stream", "estimate"])
def test_every_option_of_a_signature_is_taken(client: type, call: str) -> None:
    signature = inspect.signature(getattr(client, call))
    options = {name: p.default for name, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY}
    options["instructions"] = "be brief"
    assert len(options) == 18
    made = client.local()  # type: ignore[attr-defined]
    result = getattr(made, call)("a prompt", **options) if client is claude_code.AsyncClient else None
    if call in {"stream", "estimate"}:
        result = getattr(made, call)("a prompt", **options)
    if inspect.isawaitable(result):
        result.close()  # type: ignore[attr-defined]


def test_the_twin_is_there_without_pytest(run: Run) -> None:
    done = run("""
        import sys
        sys.modules["pytest"] = None
        from claude_code.testing import Twin
        twin = Twin()
        twin.answer("```python a.py\\nx = 1\\n```")
        print(list(twin.client().generate("a constant").files))
    """)
    assert (done.stdout, done.stderr) == ("['a.py']\n", "")
