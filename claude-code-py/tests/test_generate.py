from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Callable

import pytest
from conftest import REVERSE, Run

import claude_code
from claude_code import Client
from claude_code.testing import Twin

PALINDROME = "Write a Python function that checks whether a string is a palindrome, with tests."


def test_a_prompt_becomes_stored_code_without_an_account(client: Client) -> None:
    g = client.generate(REVERSE)
    assert g.accepted
    assert g.stored, g.stored_problem
    assert g.sample
    assert "def " in g.code
    assert list(g.files) == ["reverse_string.py"]
    assert g.files["reverse_string.py"].content == g.code
    assert g.tier == "simple"
    assert type(g.tier) is str
    assert g.stop_reason == "end_turn"
    assert g.usage.output_tokens > 50
    assert g.receipt.total_usd == Decimal(0)
    assert g.receipt.items[0].what == "input"
    assert g.attempts[0].why == "first"
    assert g.code in g.text or "def " in g.text
    assert g.diagnostics == []


def test_code_of_several_files_names_them(client: Client) -> None:
    g = client.generate(PALINDROME)
    assert len(g.files) > 1
    with pytest.raises(ValueError, match=next(iter(g.files)).replace(".", r"\.")):
        _ = g.code


def test_files_cannot_be_changed(client: Client) -> None:
    g = client.generate(REVERSE)
    with pytest.raises(TypeError):
        g.files["x"] = g.files["reverse_string.py"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        g.accepted = False  # type: ignore[misc]


def test_unnamed_files_have_a_name_in_the_mapping(claude_twin: Twin) -> None:
    claude_twin.answer("```python\nprint(1)\n```")
    one = claude_twin.client().generate("print one")
    assert list(one.files) == ["main.py"]
    assert one.files["main.py"].path is None
    claude_twin.answer("```python\nprint(1)\n```\nand\n```sql\nSELECT 1;\n```")
    several = claude_twin.client().generate("print one, and select it")
    assert list(several.files) == ["snippet-1.py", "snippet-2.sql"]


def test_files_are_written_all_or_none(client: Client, tmp_path: Path) -> None:
    g = client.generate(PALINDROME)
    out = tmp_path / "out"
    written = g.write_to(out)
    assert written == [out / name for name in g.files]
    assert all(path.read_text() == g.files[path.relative_to(out).as_posix()].content for path in written)
    with pytest.raises(claude_code.ConflictError):
        g.write_to(out)
    assert g.write_to(str(out), overwrite=True) == written


def test_an_equal_request_comes_from_the_cache(client: Client) -> None:
    first = client.generate(REVERSE)
    second = client.generate(REVERSE)
    assert first.cached is None
    assert second.cached
    assert second.id == first.id
    assert second.receipt.total_usd == Decimal(0)
    assert client.generate(REVERSE, cache="off").id != first.id


def test_a_model_s_answer_is_priced_exactly(claude_twin: Twin) -> None:
    g = claude_twin.client().generate(REVERSE, model="haiku")
    total = g.receipt.total_usd
    assert total is not None
    assert total > 0
    assert sum((item.usd for item in g.receipt.items if item.usd is not None), Decimal(0)) == total
    assert g.to_dict()["receipt"]["total_usd"] == str(total)


def test_an_unknown_price_is_none_and_never_zero(claude_twin: Twin) -> None:
    g = claude_twin.client().generate(
        REVERSE, model="arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    )
    assert g.receipt.total_usd is None
    assert g.receipt.priced is False
    assert g.attempts[0].cost is None


def test_options_arrive(claude_twin: Twin) -> None:
    claude_twin.answer("```python app.py\nprint('hi')\n```")
    g = claude_twin.client().generate(
        "say hi",
        language="python",
        files={"old.py": "x = 41\n"},
        instructions="use single quotes",
        model="sonnet",
        max_tokens=777,
        max_usd=0.5,
        timeout=30,
        validate=False,
        store=False,
    )
    (sent,) = claude_twin.sent()
    assert "sonnet" in sent.model
    assert sent.max_tokens == 777
    assert "x = 41" in sent.prompt
    assert "use single quotes" in sent.prompt + sent.system
    assert "say hi" in sent.prompt
    assert g.files["app.py"].content == "print('hi')\n"


def test_an_unknown_option_is_told_with_the_nearest(client: Client) -> None:
    with pytest.raises(TypeError, match=r"langauge.*did you mean language"):
        client.generate(REVERSE, langauge="python")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="max_tokens"):
        client.generate(REVERSE, max_tokens="many")  # type: ignore[arg-type]


def test_estimate_sends_nothing_and_needs_no_credentials() -> None:
    client = claude_code.Client()
    e = client.estimate("Write a lock-free queue with hazard pointers and prove that it is linearizable.")
    assert e.tier in {"simple", "medium", "complex"}
    assert type(e.tier) is str
    assert e.tier_reason
    assert e.input_tokens > 10
    assert e.worst_usd is not None
    assert e.worst_usd > 0


def test_estimate_works_offline_for_any_prompt(client: Client) -> None:
    assert client.estimate("nothing that a sample knows").model


def test_a_result_is_refined_by_its_client(claude_twin: Twin) -> None:
    claude_twin.answer("```python job.py\ndef job():\n    return 1\n```")
    g = claude_twin.client().generate("a job")
    claude_twin.answer("```python job.py\ndef job(timeout=1):\n    return timeout\n```")
    g2 = g.refine("add a timeout", max_tokens=500)
    assert "timeout" in g2.files["job.py"].content
    sent = claude_twin.sent()[-1]
    assert "def job():" in sent.prompt
    assert "add a timeout" in sent.prompt
    assert sent.max_tokens == 500


def test_a_refinement_of_a_refinement_sees_the_files_that_did_not_change(claude_twin: Twin) -> None:
    claude_twin.answer("```python a.py\nA = 1\n```\n\n```python b.py\nB = 1\n```")
    g = claude_twin.client().generate("two files")
    claude_twin.answer("```python a.py\nA = 2\n```")
    g2 = g.refine("make A two")
    assert list(g2.files) == ["a.py"]
    claude_twin.answer("```python a.py\nA = 3\n```")
    g2.refine("make A three")
    sent = claude_twin.sent()[-1].prompt
    assert "A = 2" in sent
    assert "B = 1" in sent


def test_stored_results_are_listed_read_and_erased(client: Client) -> None:
    g = client.generate(REVERSE)
    page = client.results.list(language="python")
    assert [row.id for row in page] == [g.id]
    assert len(page) == 1
    assert page[0].prompt == REVERSE
    assert page[-1] == page[0]
    assert client.results.get(g.id) == g
    client.results.delete(g.id)
    with pytest.raises(claude_code.NotFoundError):
        client.results.get(g.id)


def test_a_listing_becomes_a_dataframe(client: Client) -> None:
    pytest.importorskip("pandas")
    client.generate(REVERSE)
    frame = client.results.list(language="python").to_dataframe()
    assert list(frame["language"]) == ["python"]


def test_two_clients_of_one_process_share_a_directory(tmp_path: Path) -> None:
    first, second = Client.local(tmp_path), Client.local(tmp_path)
    g = first.generate(REVERSE)
    assert second.generate(REVERSE).id == g.id
    assert second.generate(REVERSE, cache="off").stored


def test_a_closed_client_says_so(client: Client) -> None:
    with client as same:
        g = same.generate(REVERSE)
    with pytest.raises(claude_code.InvalidRequestError, match="closed"):
        client.generate(REVERSE)
    assert g.accepted


def test_a_closed_client_frees_its_directory(run: Run, tmp_path: Path) -> None:
    client = Client.local(tmp_path)
    client.generate(REVERSE)
    client.close()
    program = f"""
        import claude_code
        g = claude_code.Client.local({str(tmp_path)!r}).generate({REVERSE!r})
        print(g.stored, bool(g.cached))
    """
    done: subprocess.CompletedProcess[str] = run(program)
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_nothing_happens_before_the_first_call(tmp_path: Path) -> None:
    Client.local(tmp_path / "never")
    Client(region="eu-central-1", model="opus", timeout=5)
    assert not (tmp_path / "never").exists()


def test_a_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CODE_AWS_MAX_SENDS", "several")
    with pytest.raises(claude_code.InvalidRequestError, match="CLAUDE_CODE_AWS_MAX_SENDS"):
        Client()


def test_an_answer_from_elsewhere_is_read() -> None:
    answer = claude_code.read_answer("Two:\n```python a.py\nx = 1\n```\n```\nplain\n```\n")
    assert [f.path for f in answer.files] == ["a.py", None]
    assert answer.complete
    assert not claude_code.read_answer("```python\nx = ").complete


def test_the_model_of_a_client_counts_where_a_request_names_neither_model_nor_tier(claude_twin: Twin) -> None:
    client = claude_twin.client(model="haiku")
    g = client.generate(REVERSE, cache="off")
    asks: list[tuple[Callable[[], object], str]] = [
        (lambda: g, "haiku"),
        (lambda: client.generate(REVERSE, cache="off", tier="complex"), "opus"),
        (lambda: client.generate(REVERSE, cache="off", tier="complex", model="sonnet"), "sonnet"),
        (lambda: g.refine("shorter"), "haiku"),
        (lambda: g.refine("shorter still", tier="complex"), "opus"),
        (lambda: client.stream(REVERSE, cache="off").collect(), "haiku"),
        (lambda: next(client.batch([{"prompt": REVERSE, "cache": "off"}])), "haiku"),
    ]
    for ask, name in asks:
        claude_twin.answer("```python reverse_string.py\ndef f(s):\n    return s\n```", prompt="shorter")
        ask()
        assert name in claude_twin.sent()[-1].model
    assert "haiku" in client.estimate(REVERSE).model
    assert "opus" in client.estimate(REVERSE, tier="complex").model


def test_the_time_of_a_client_counts_for_its_refinements_too(claude_twin: Twin) -> None:
    client = claude_twin.client(timeout=0.5)
    g = client.generate(REVERSE)
    claude_twin.fault(stall_at=0, times=9)
    with pytest.raises(claude_code.RequestTimeoutError):
        g.refine("shorter", max_sends=1)


def test_thinking_and_prompt_cache_arrive(claude_twin: Twin) -> None:
    client = claude_twin.client()
    g = client.generate(REVERSE, thinking=False, prompt_cache="1h", model="haiku")
    assert g.accepted
    warnings = client.estimate(REVERSE, thinking=True, temperature=0.5, model="opus").warnings
    assert any("left out" in warning for warning in warnings)
    with pytest.raises(claude_code.InvalidRequestError, match="5m, 1h"):
        client.generate(REVERSE, prompt_cache="2h")  # type: ignore[arg-type]


def test_a_stopped_budget_refuses_until_it_is_resumed(client: Client) -> None:
    assert not client.budget().stopped
    client.stop_budget()
    assert client.budget().stopped
    with pytest.raises(claude_code.BudgetExceededError, match="stopped"):
        client.generate(REVERSE)
    client.resume_budget()
    assert client.generate(REVERSE).accepted


def test_a_stored_result_is_downloaded(client: Client, tmp_path: Path) -> None:
    g = client.generate(PALINDROME)
    written = client.results.download(g.id, tmp_path / "out")
    assert [path.name for path in written] == list(g.files)
    with pytest.raises(claude_code.ConflictError):
        client.results.download(g.id, tmp_path / "out")
    assert client.results.download(g.id, tmp_path / "out", overwrite=True) == written


def test_a_page_is_a_sequence(client: Client) -> None:
    for _ in range(3):
        client.generate(REVERSE, cache="off")
    page = client.results.list(language="python")
    assert page[0:2] == [page[0], page[1]]
    assert page[::-1][0] == page[2]
    with pytest.raises(IndexError):
        _ = page[3]
