"""Files that a request takes along: their forms, and the names that the model sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import REVERSE

import claude_code
from claude_code import Client
from claude_code.testing import Twin


def test_files_are_taken_in_every_form(claude_twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "from_disk.py"
    path.write_text("on_disk = 1\n")
    answer = claude_code.read_answer("```python read.py\nread = 1\n```")
    client = claude_twin.client()
    for files, marker in [
        ({"a.py": "mapped = 1\n"}, "mapped = 1"),
        ({Path("a.py"): "by_path = 1\n"}, "by_path = 1"),
        ([("b.py", "paired = 1\n")], "paired = 1"),
        (answer.files, "read = 1"),
        (answer.files[0], "read = 1"),
        ([path], "on_disk = 1"),
        (path, "on_disk = 1"),
    ]:
        claude_twin.answer("```python\nprint(1)\n```")
        client.generate("go", files=files, store=False, cache="off")  # type: ignore[arg-type]
        assert marker in claude_twin.sent()[-1].prompt
    for broken in ("a.py", [1], [("a.py",)], {"a.py": 1}, 5):
        with pytest.raises(TypeError):
            client.generate("go", files=broken)  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["absolute", "relative", "dotted", "elsewhere"])
def test_a_path_is_named_below_the_current_directory_and_never_tells_where_it_is(
    claude_twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    here = tmp_path / "project"
    (here / "src").mkdir(parents=True)
    (here / "src" / "a.py").write_text("a = 1\n")
    (tmp_path / "a.py").write_text("a = 1\n")
    monkeypatch.chdir(here)
    path, name = {
        "absolute": (here / "src" / "a.py", "src/a.py"),
        "relative": (Path("src/a.py"), "src/a.py"),
        "dotted": (Path("./src/../src/a.py"), "src/a.py"),
        "elsewhere": (tmp_path / "a.py", "a.py"),
    }[where]
    claude_twin.answer(f"```python {name}\na = 2\n```")
    g = claude_twin.client().refactor(path, instructions="two")
    assert f": {name} ===" in claude_twin.sent()[-1].prompt
    assert str(tmp_path) not in claude_twin.sent()[-1].prompt
    assert list(g.files) == [name]
    assert g.diff is not None
    assert "-a = 1\n+a = 2" in g.diff


def test_two_files_of_one_name_are_refused(claude_twin: Twin, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("a = 1\n")
    files = [tmp_path / "one" / "a.py", tmp_path / "two" / "a.py"]
    with pytest.raises(claude_code.InvalidRequestError, match="a directory above both"):
        claude_twin.client().refactor(files, instructions="two")
    assert claude_twin.sent() == []


def test_a_file_that_cannot_be_read_is_told_by_its_path(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        client.generate(REVERSE, files=tmp_path / "missing.py")
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"image.* is not UTF-8"):
        client.generate(REVERSE, files=[tmp_path / "image"])


def test_a_refactoring_gives_the_changed_files(client: Client) -> None:
    old = "def shipping_cost(order):\n    return 490\n"
    prompt = next(p for p in client.samples() if p.startswith("Refactor"))
    g = client.refactor({"shipping.py": old}, instructions=prompt)
    assert g.accepted
    assert g.files["shipping.py"].content != old


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("def add(a, b):\n    return a+b\n", "python"),
        ("fn add(a: u32, b: u32) -> u32 {\n    a+b\n}\n", "rust"),
        ("const add = (a, b) => a+b;\n", "javascript"),
        ("adding, in words\n", None),
    ],
)
def test_code_without_a_name_is_told_in_its_own_language_or_in_none(
    claude_twin: Twin, code: str, language: str | None
) -> None:
    claude_twin.answer("```python main.py\ndef add(a, b):\n    return a + b\n```")
    g = claude_twin.client().refactor(code, instructions="spaces")
    told = [line for line in claude_twin.sent()[-1].prompt.splitlines() if line.startswith("Language: ")]
    assert told == ([f"Language: {language}"] if language else [])
    assert g.diff is not None
    assert f"-{code.splitlines()[-1]}\n" in g.diff, "what was given is the before of the only answered file"
