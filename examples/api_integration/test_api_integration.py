"""The API integration from outside: the built program over samples, its clients against mocks and the real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import readme
from conftest import Run, stopped_at, tree

SPECS = "examples/api_integration/specs"
NEW = ("api_integration", f"{SPECS}/tasks.yaml", "--tag", "tasks", "-o", "out", "--offline")
OPERATIONS = ("generate", "listResults", "deleteResult", "health")
OWN = tuple(part for name in OPERATIONS for part in ("--operation", name))
PYTHON = {
    "openapi.json",
    "client/__init__.py",
    "client/models.py",
    "client/api.py",
    "client/runtime.py",
    "tests/test_client.py",
}
TYPESCRIPT = {
    "openapi.json",
    "client/models.ts",
    "client/api.ts",
    "client/runtime.ts",
    "tests/client.test.ts",
}


def needs(*programs: str) -> None:
    """Said aloud where a tool is not there, and a failure where CI requires it."""
    for program in programs:
        if shutil.which(program) is None:
            assert not os.environ.get("REQUIRE_TOOLS"), f"{program} is not installed"
            pytest.skip(f"NOT RUN: {program} is not installed")


def script(place: Path, *texts: str) -> str:
    path = place / "script.json"
    path.write_text(json.dumps({"steps": [{"answer": {"text": text}} for text in texts]}))
    return str(path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """`serve --offline`; its URL."""
    environment = {**os.environ, "CLAUDE_CODE_AWS_LOCAL_DIR": str(tmp_path / "server")}
    command = ["claude-code-aws", "serve", "--offline", "--no-token", "--addr", "127.0.0.1:0"]
    child = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    found = next(
        match for line in child.stderr if (match := re.search(r"listening on (http://[^/]*)/", line))
    )
    yield found[1]
    child.kill()
    child.wait()


def test_a_document_becomes_a_python_client_that_its_own_tests_and_mypy_pass(run: Run, place: Path) -> None:
    needs("mypy")
    done = run(*NEW)
    assert done.returncode == 0, done.stderr
    assert "checks: mypy --strict, its tests against a mock" in done.stderr
    assert "  repair:" in done.stderr
    assert set(tree(place / "out")) == PYTHON
    assert "in   GET /tasks  listTasks" in done.stdout
    assert run("mypy", "--strict", "out/client", "out/tests").returncode == 0


def test_a_document_becomes_a_typescript_client_that_its_own_tests_and_tsc_pass(
    run: Run, place: Path
) -> None:
    needs("node", "tsc")
    done = run(*NEW, "--language", "typescript")
    assert done.returncode == 0, done.stderr
    assert "checks: tsc --strict, its tests against a mock" in done.stderr
    assert "  repair:" in done.stderr
    assert set(tree(place / "out")) == TYPESCRIPT


def test_what_is_repaired_in_the_document_is_listed(run: Run) -> None:
    done = run("api_integration", f"{SPECS}/tasks.yaml", "--plan-only", "-o", "out")
    assert done.returncode == 0, done.stderr
    for repaired in (
        "repaired  $ref #/components/responses/Gone: leads nowhere",
        "repaired  nullable: 3 schemas",
        "repaired  POST /tasks: its operationId is missing; it is postTasks here",
        "repaired  DELETE /tasks/{id}: the parameter id of the path is not declared",
    ):
        assert repaired in done.stderr
    assert "3 operations in" in done.stdout


def test_a_small_budget_leaves_operations_out_and_says_so(run: Run) -> None:
    done = run("api_integration", f"{SPECS}/tasks.yaml", "--context", "420", "--plan-only", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "out  " in done.stdout
    size, bound = map(int, re.findall(r"about (\d+) of (\d+) tokens", done.stdout)[0])
    assert size <= bound == 420


def test_the_document_of_the_server_is_read_by_url_and_its_client_works_against_it(
    run: Run, place: Path, server: str
) -> None:
    done = run("api_integration", f"{server}/openapi.json", *OWN, "-o", "out", "--offline")
    assert done.returncode == 0, done.stderr
    assert set(tree(place / "out")) == PYTHON
    program = f"""
import sys; sys.path.insert(0, "out")
from client import Client, Transport, UnprocessableError
client = Client(Transport({server!r}))
assert client.health()["status"] == "ok", client.health()
result = client.generate({{"prompt": "Write a Python function that reverses a string."}}, idempotency_key="one")
assert result["accepted"] and "def " in result["files"][0]["content"]
again = client.generate({{"prompt": "Write a Python function that reverses a string."}}, idempotency_key="one")
assert again["id"] == result["id"]
names = [name for name, _ in client.generate_events({{"prompt": "Write a Python function that reverses a string."}})]
assert names[0] == "file.started" and names[-1] == "finished", names
listed = list(client.iter_results(language="python", limit=1))
assert result["id"] in [row["id"] for row in listed]
client.delete_result(result["id"])
try:
    client.generate({{"prompt": " "}})
except UnprocessableError as error:
    assert error.problem["field"] == "prompt", error.problem
else:
    raise AssertionError("an empty prompt was taken")
"""
    used = run(sys.executable, "-c", program)
    assert used.returncode == 0, used.stderr


def test_a_second_run_shows_a_diff_and_keeps_what_is_not_generated(run: Run, place: Path) -> None:
    assert run(*NEW, "--check", "true").returncode == 0
    (place / "out/client/mine.py").write_text("# mine\n")
    edited = place / "out/client/models.py"
    edited.write_text(edited.read_text() + "\n# a line by hand\n")
    asked = run(*NEW, "--check", "true")
    assert asked.returncode == 1
    assert "-# a line by hand" in asked.stdout
    assert "# a line by hand" in edited.read_text()
    done = run(*NEW, "--check", "true", "--yes")
    assert done.returncode == 0, done.stderr
    assert "# a line by hand" not in edited.read_text()
    assert (place / "out/client/mine.py").read_text() == "# mine\n"


def test_a_client_whose_tests_fail_is_not_written(run: Run, place: Path) -> None:
    answer = (
        "**client/api.py**\n\n```python\nx = 1\n```\n"
        "**tests/test_client.py**\n\n```python\ndef test_it():\n    assert False\n```\n"
    )
    done = run(*NEW, "--answers", script(place, *[answer] * 4))
    assert done.returncode == 3, done.stderr
    assert not (place / "out").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("swagger: '2.0'\n", "Swagger 2.0"),
        ("openapi: 2.5.0\npaths: {}\n", "OpenAPI 2.5.0"),
        ("openapi: 3.1.0\n", "no paths"),
        ("openapi: [\n", "neither JSON nor YAML"),
        ("hello: world\n", "no `openapi` version"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(run: Run, place: Path, text: str, told: str) -> None:
    (place / "bad.yaml").write_text(text)
    done = run("api_integration", "bad.yaml", "-o", "out", "--offline")
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize("word", ["SAMPLE", "client", "✓ client/__init__.py", "repair", "written"])
def test_killed_at_any_point_the_directory_is_as_before_or_complete(run: Run, place: Path, word: str) -> None:
    command = (*NEW, "--check", "! grep -q 'dict.str, int' client/api.py", "--yes")
    stopped_at(place, command, word, signal.SIGKILL)
    left = set(tree(place / "out")) if (place / "out").exists() else set()
    assert left in (set(), PYTHON)
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert set(tree(place / "out")) == PYTHON


def test_every_command_of_the_readme_prints_what_it_says(place: Path) -> None:
    needs("mypy")
    text = (Path(__file__).parent / "README.md").read_text()
    assert readme.rendered(text, place) == text


def test_every_sample_says_that_it_is_one() -> None:
    samples = list((Path(__file__).parent / "samples").glob("*.md"))
    assert len(samples) == 7
    for sample in samples:
        assert "A sample answer, written for this project" in sample.read_text(), sample.name
