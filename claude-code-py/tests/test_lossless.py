from __future__ import annotations

from pathlib import Path

import pytest

from claude_code import Client, ConflictError, IncompleteAnswerError, InvalidRequestError, NotFoundError

CODE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n\n\ndef three():\n    return 3\n"
FILE = f"```python a.py\n{CODE}```\n"


@pytest.fixture(autouse=True)
def _local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CODE_AWS_LOCAL_DIR", str(tmp_path / "local"))


def answered(tmp_path: Path, *answers: str) -> Client:
    return Client.local(tmp_path / "data", answers=list(answers))


def test_a_write_is_undone_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    g = answered(tmp_path, FILE).generate("three functions", store=False)
    g.write_to(tmp_path, overwrite=True)
    assert (tmp_path / "a.py").read_text() == CODE
    assert [path.name for path in g.undo()] == ["a.py"]
    assert (tmp_path / "a.py").read_text() == "x = 1\n"
    with pytest.raises(NotFoundError):
        g.undo()


def test_an_undo_leaves_alone_what_was_changed_since(tmp_path: Path) -> None:
    g = answered(tmp_path, FILE).generate("three functions", store=False)
    (path,) = g.write_to(tmp_path)
    path.write_text("mine\n")
    with pytest.raises(ConflictError, match="changed since"):
        g.undo()
    assert path.read_text() == "mine\n"


def test_a_file_does_not_lose_most_of_what_it_holds_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(CODE + "".join(f"\n\ndef f{n}():\n    return {n}\n" for n in range(20)))
    g = answered(tmp_path, FILE).generate("three functions", store=False)
    with pytest.raises(ConflictError, match="allow_shrink"):
        g.write_to(tmp_path, overwrite=True)
    g.write_to(tmp_path, overwrite=True, allow_shrink=True)
    assert (tmp_path / "a.py").read_text() == CODE


def test_refused_names_cost_nothing_but_their_file(tmp_path: Path) -> None:
    answer = f"{FILE}\n```yaml .github/workflows/ci.yml\non: push\n```\n\n```bash .bashrc\necho hi\n```\n"
    g = answered(tmp_path, answer).generate("files", store=False)
    with pytest.raises(InvalidRequestError, match="skip_refused"):
        g.write_to(tmp_path / "out")
    assert [path.name for path in g.write_to(tmp_path / "out", skip_refused=True)] == ["a.py"]
    more = g.write_to(tmp_path / "more", skip_refused=True, allow_auto_exec=True)
    assert [path.name for path in more] == ["a.py", "ci.yml"]


def test_words_are_no_code_and_a_task_for_words_takes_them(tmp_path: Path) -> None:
    words = "I am sorry, I cannot do that."
    with pytest.raises(IncompleteAnswerError) as failed:
        answered(tmp_path, words, words).generate("a queue", store=False)
    assert failed.value.kind == "no_code"
    assert failed.value.partial is not None
    assert words in failed.value.partial.text
    for task in ("explain", "review"):
        ask = getattr(answered(tmp_path, "It adds two numbers."), task)
        g = ask("def add(a, b):\n    return a + b\n", store=False)
        assert g.accepted
        assert g.text == "It adds two numbers."


def test_a_documentation_shows_its_diff(tmp_path: Path) -> None:
    new = CODE.replace("def one():\n", 'def one():\n    """One."""\n')
    g = answered(tmp_path, f"```python a.py\n{new}```\n").document({"a.py": CODE}, store=False)
    assert g.accepted
    assert '+    """One."""' in (g.diff or "")
