"""Cards and progress: what a notebook shows, always escaped."""

from __future__ import annotations

import asyncio
import html.parser
import re
from decimal import Decimal

import pytest
from conftest import REVERSE

import claude_code
from claude_code import Client, Generation
from claude_code.notebook import Progress
from claude_code.testing import Twin

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b]8;;http://x\x07"


class Tags(html.parser.HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(g: Generation) -> Tags:
    parsed = Tags(g._repr_html_())
    assert parsed.open == []
    return parsed


def test_a_card_shows_files_model_tokens_and_cost(client: Client) -> None:
    g = client.generate(REVERSE)
    page = g._repr_html_()
    for part in (
        "accepted",
        "reverse_string.py",
        g.model,
        str(g.usage.output_tokens),
        "$0",
        g.id,
        "this notebook",
    ):
        assert part in page
    shown = re.sub(r"<[^>]+>", "", page.split("<pre>")[1].split("</pre>")[0])
    assert "def " in shown
    assert tags(g).seen <= {"b", "div", "style", "span", "details", "summary", "pre", "code"}
    assert "cached" in client.generate(REVERSE)._repr_html_()


def test_a_card_shows_what_a_refactoring_changed(claude_twin: Twin) -> None:
    claude_twin.answer("```python job.py\ndef job():\n    return 1\n```")
    claude_twin.answer("```python job.py\ndef job(timeout=1):\n    return timeout\n```")
    g = claude_twin.client().generate("a job").refine("add a timeout")
    assert g.diff is not None
    assert "+def job(timeout=1):" in g.diff
    page = g._repr_html_()
    assert '<span class="l i">+def job(timeout=1):</span>' in page
    assert '<span class="l d">-def job():</span>' in page
    assert '<span class="l h">+++ b/job.py</span>' in page


def test_code_in_a_card_has_letters_of_one_width(client: Client) -> None:
    """Notebooks give every element of an output the font of their prose."""
    style = client.generate(REVERSE)._repr_html_().split("<style>")[1].split("</style>")[0]
    rules = [rule for rule in style.split("}") if "monospace" in rule and ".ccg pre" in rule]
    assert any(".ccg pre span" in rule for rule in rules)


def test_nothing_in_a_card_comes_from_a_network(client: Client) -> None:
    page = client.generate(REVERSE)._repr_html_()
    assert tags(client.generate(REVERSE)).attributes <= {"class", "open"}
    assert "http" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_all_that_a_model_wrote_is_escaped(claude_twin: Twin) -> None:
    claude_twin.answer(f"```html index.html\n{EVIL}\n```\n```python {EVIL[:20]}.py\nx = 1\n```\n{EVIL}")
    g = claude_twin.client().generate(f"a page {EVIL}", language="html")
    page = g._repr_html_()
    assert tags(g).seen <= {"b", "div", "style", "span", "details", "summary", "pre", "code"}
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "U+202E" in page


def test_a_card_tells_findings(claude_twin: Twin) -> None:
    claude_twin.answer("```python bad.py\ndef f(:\n```")
    g = claude_twin.client().generate("broken", max_sends=1)
    page = g._repr_html_()
    assert "not accepted" in page
    assert "bad.py:1" in page


def test_the_running_total_grows(claude_twin: Twin) -> None:
    client = claude_twin.client()

    def total() -> float:
        found = re.search(r"\$([0-9.]+) spent", g._repr_html_())
        assert found
        return float(found[1])

    g = client.generate(REVERSE, cache="off")
    before = total()
    client.generate(REVERSE, cache="off")
    assert total() > before


def test_a_long_file_is_cut_in_the_card(claude_twin: Twin) -> None:
    claude_twin.answer("```python long.py\n" + "x = 1\n" * 3000 + "```")
    page = claude_twin.client().generate("much", max_tokens=30_000)._repr_html_()
    assert "2600 more lines" in page


def test_progress_tells_each_file(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    g = client.generate(REVERSE, on_event=progress)
    assert f"✓ reverse_string.py  {len(g.code)} characters" in progress.text()
    err = capsys.readouterr().err
    assert "reverse_string.py" in err
    assert "accepted" in err


def test_what_a_result_cost_counts_once(claude_twin: Twin) -> None:
    claude_twin.answer("```python bad.py\ndef f(:\n```", prompt="broken")
    client = claude_twin.client()
    first = client.generate("broken", max_sends=1, cache="off")

    def total() -> Decimal:
        found = re.search(r"\$([0-9.]+) spent", first._repr_html_())
        assert found
        return Decimal(found[1])

    before = total()
    for _ in range(2):
        with pytest.raises(claude_code.RejectedAnswerError):
            first.raise_for_rejected()
    assert total() == before
    claude_twin.answer("```python long.py\n" + "x = 1\n" * 500 + "```", prompt="much")
    claude_twin.fault(latency=0.3)

    async def flight() -> list[BaseException | Generation]:
        same = claude_twin.async_client()
        waiters = (same.generate("much", max_tokens=20, max_sends=1) for _ in range(3))
        return await asyncio.gather(*waiters, return_exceptions=True)

    errors = asyncio.run(flight())
    told = [error.receipt for error in errors if isinstance(error, claude_code.ClaudeCodeError)]
    spent = [receipt.total_usd for receipt in told if receipt]
    assert len(claude_twin.sent()) == 2
    assert total() - before == max(amount for amount in spent if amount is not None)


def test_progress_tells_a_line_as_often_as_it_comes(
    claude_twin: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    claude_twin.refuse("throttled", times=2)
    claude_twin.client().generate(REVERSE, on_event=Progress(), timeout=30)
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("retry: ") for line in lines) == 2


def test_figures_show_as_tables_of_escaped_text(client: Client) -> None:
    g = client.generate(REVERSE)
    receipt = g.receipt._repr_html_()
    assert "sample answer, not billed" in receipt
    assert "<th>model</th>" in receipt
    assert "prompt tokens" in client.estimate("<b>bold</b>")._repr_html_()
    client.generate("a queue with a timeout")
    page = client.results.list(language="python")
    shown = page._repr_html_()
    assert g.id in shown
    assert "1 results" in shown
    assert "ok" in client.doctor()[0]._repr_html_()
    for table in (receipt, shown):
        assert "<script" not in table
        assert "http" not in table
