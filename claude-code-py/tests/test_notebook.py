"""Cards and progress: what a notebook shows, always escaped."""

from __future__ import annotations

import asyncio
import base64
import html
import html.parser
import re
import sys
from decimal import Decimal

import pytest
from conftest import REVERSE

import claude_code
from claude_code import Client, Generation
from claude_code._highlight import ALIASES, pieces
from claude_code.notebook import Progress
from claude_code.testing import Twin

TAGS = {"b", "div", "style", "span", "details", "summary", "pre", "code", "button", "a"}
ATTRIBUTES = {"class", "open", "type", "onclick", "download", "href"}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b]8;;http://x\x07"


class Tags(html.parser.HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.scripts: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        self.links += [given["href"] or ""] if "href" in given else []
        self.scripts |= {given["onclick"] or ""} if "onclick" in given else set()
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
    shown = re.sub(r"<[^>]+>", "", page.split('<pre class="m">')[1].split("</pre>")[0])
    assert "def " in shown
    assert tags(g).seen <= TAGS
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
    seen = tags(client.generate(REVERSE))
    assert seen.attributes <= ATTRIBUTES
    assert all(link.startswith("data:application/octet-stream;base64,") for link in seen.links)
    assert "http" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_all_that_a_model_wrote_is_escaped(claude_twin: Twin) -> None:
    claude_twin.answer(f"```html index.html\n{EVIL}\n```\n```python {EVIL[:20]}.py\nx = 1\n```\n{EVIL}")
    g = claude_twin.client().generate(f"a page {EVIL}", language="html")
    page = g._repr_html_()
    assert tags(g).seen <= TAGS
    assert tags(g).attributes <= ATTRIBUTES
    assert tags(g).scripts == tags(claude_twin.client().generate(REVERSE)).scripts, "one script for all"
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "U+202E" in page


def test_the_buttons_of_a_card_hold_the_file_to_the_byte(claude_twin: Twin) -> None:
    content = "x = 'ü\u202e'\n\ty = 1\n"
    claude_twin.answer(f"```python odd.py\n{content}```")
    g = claude_twin.client().generate("odd", max_sends=1)
    (link,) = tags(g).links
    assert base64.b64decode(link.split(",")[1]).decode() == g.code == content
    assert 'download="odd.py"' in g._repr_html_()
    assert len(tags(g).scripts) == 1


def test_a_long_file_has_no_buttons(claude_twin: Twin) -> None:
    claude_twin.answer("```python long.py\nx = 1\n```")
    short = claude_twin.client().generate("long").to_dict()
    short["files"][0]["content"] = "y = 'é'\n" * 40_000
    g = Generation.from_dict(short)
    assert len(g.code.encode()) > 256 * 1024
    assert tags(g).links == []


def test_every_line_of_a_file_is_numbered_once(claude_twin: Twin) -> None:
    code = 'def f():\n    """Two\n\n    lines."""\n\n    return 1\n'
    claude_twin.answer(f"```python f.py\n{code}```")
    g = claude_twin.client().generate("f")
    shown = g._repr_html_().split('<pre class="m">')[1].split("</pre>")[0]
    rows = shown.split('<span class="l">')[1:]
    assert len(rows) == code.count("\n")
    assert [html.unescape(re.sub(r"<[^>]+>", "", row)).rstrip("\n") for row in rows] == code.splitlines()


def test_code_is_coloured_by_pygments_and_plain_without_it(
    claude_twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    claude_twin.answer("```python f.py\n# a remark\ndef f():\n    return 'text', 7\n```", times=2)
    g = claude_twin.client().generate("f", cache="off")
    page = g._repr_html_()
    for part in ('"c"># a remark<', '"k">def<', '"n">7<'):
        assert part in page
    assert re.search(r'"s">[^<]*text', page)
    monkeypatch.setitem(sys.modules, "pygments.lexers", None)
    plain = g._repr_html_()
    assert 'class="k"' not in plain
    assert "return &#39;text&#39;, 7" in plain


@pytest.mark.parametrize("language", sorted(ALIASES))
def test_every_lexer_gives_the_code_back(language: str) -> None:
    pytest.importorskip("pygments.lexers")
    for code in ("a = 1\r\n\n\tb '\"` # // -- /* <x y='1'>\n", "\n\n", "", "\u202e\x00é\n", "{" * 500):
        assert "".join(text for _, text in pieces(code, language)) == code


def test_code_that_is_made_to_hold_a_lexer_up_is_shown_plain() -> None:
    for code in ("x = '" + "a" * 3000, "y = 1\n" * 20_000):
        assert pieces(code, "python") == [("", code)]


def test_a_card_tells_a_repair_and_each_part_of_the_cost(claude_twin: Twin) -> None:
    claude_twin.answer("```python bad.py\ndef f(:\n```")
    claude_twin.answer("```python bad.py\ndef f():\n    return 1\n```")
    g = claude_twin.client().generate("mend me")
    assert [attempt.why for attempt in g.attempts] == ["first", "repair"]
    page = g._repr_html_()
    assert "repaired once" in page
    costs = page.split("<summary>cost ")[1]
    assert costs.count("answer ") == 2


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
    assert "1 result<" in shown
    assert str(page).startswith(g.id)
    findings = client.doctor()
    assert "ok" in findings[0]._repr_html_()
    assert repr(findings).splitlines() == [str(finding) for finding in findings]
    assert findings._repr_html_().count("<tr>") == len(findings) + 1
    for table in (receipt, shown):
        assert "<script" not in table
        assert "http" not in table


def test_a_batch_shows_how_far_it_is(claude_twin: Twin) -> None:
    claude_twin.answer("```python a.py\nx = 1\n```", prompt="one")
    claude_twin.refuse("invalid")
    batch = claude_twin.client().batch(["one", "two"], concurrency=1)
    assert repr(batch).startswith("<Batch, 0 of 2 requests done, 0 failed")
    spent = sum(item.generation.receipt.known_usd for item in batch if item.generation)
    assert repr(batch) == f"<Batch, 2 of 2 requests done, 1 failed, 0 from the journal, ${spent} spent>"
    assert f'<td class="r">${spent}</td>' in batch._repr_html_()
