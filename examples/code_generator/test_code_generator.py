"""The code generator from outside: the built program, offline, over its sample answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import readme
from conftest import Run, stopped_at, tree

PROMPT = "A Python library that converts lengths and weights."
FILES = {
    "converter/units.py",
    "converter/convert.py",
    "converter/__init__.py",
    "README.md",
    "tests/test_convert.py",
}
NEW = ("code_generator", "new", PROMPT, "-o", "out", "--offline")
# Decides as the tests would, and takes a tenth of their time.
QUICK = (*NEW, "--check", "grep -q 0.028349523125 converter/units.py || ! ls tests")
MORE = ("code_generator", "more", "Add a command line.", "-o", "out", "--offline", "--yes")


def test_a_description_becomes_a_project_whose_own_tests_pass(run: Run, place: Path) -> None:
    done = run(*NEW)
    assert done.returncode == 0, done.stderr
    assert set(tree(place / "out")) == FILES
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=place / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert "8 passed" in tested.stdout


def test_the_plan_comes_first_then_files_repair_and_receipt(run: Run) -> None:
    done = run(*NEW)
    assert done.stdout.startswith("plan\n  converter/units.py")
    assert "SAMPLE ANSWERS" in done.stderr
    order = [
        "\nplan\n",
        "\nproject\n",
        "✓ converter/units.py",
        "repair",
        "\ntests\n",
        "tests fail",
        "\nmend\n",
        "tests pass",
        "written: 5 new",
    ]
    at = [done.stderr.index(step) for step in order]
    assert at == sorted(at), done.stderr
    assert "receipt\n" in done.stdout
    assert "total $0" in done.stdout


def test_more_changes_what_it_must_and_leaves_the_rest_byte_for_byte(run: Run, place: Path) -> None:
    run(*NEW)
    before = tree(place / "out")
    stamps = {name: (place / "out" / name).stat().st_mtime_ns for name in before}
    done = run(*MORE)
    assert done.returncode == 0, done.stderr
    after = tree(place / "out")
    assert set(after) - set(before) == {"converter/__main__.py", "tests/test_main.py"}
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"README.md"}
    for name in set(before) - changed:
        assert (place / "out" / name).stat().st_mtime_ns == stamps[name]
    assert "+++ b/README.md" in done.stdout
    used = run(
        sys.executable,
        "-c",
        "import os, sys; os.chdir('out'); "
        "os.execv(sys.executable, [sys.executable, '-m', 'converter', '26.2', 'mi', 'km'])",
    )
    assert used.stdout == "42.1648\n"


def test_nothing_is_replaced_without_a_word(run: Run, place: Path) -> None:
    (place / "out").mkdir()
    (place / "out" / "README.md").write_text("mine\n")
    done = run(*NEW)
    assert done.returncode == 1
    assert "--- a/README.md" in done.stdout
    assert "--yes" in done.stderr
    assert tree(place / "out") == {"README.md": b"mine\n"}
    again = run(*NEW, "--yes")
    assert again.returncode == 0, again.stderr
    assert "mend: kept from the run before" in again.stderr
    assert set(tree(place / "out")) == FILES


def test_a_prompt_without_a_sample_is_refused_and_nothing_is_written(run: Run, place: Path) -> None:
    done = run("code_generator", "new", "A chess engine in Rust.", "-o", "out", "--offline")
    assert done.returncode == 2
    assert "no sample answer" in done.stderr
    assert not (place / "out").exists()


def test_a_check_that_fails_to_the_end_writes_nothing(run: Run, place: Path) -> None:
    done = run(*NEW, "--check", "false")
    assert done.returncode == 3, done.stderr
    assert "check failed: `false` ended with 1" in done.stderr
    assert not (place / "out").exists()


def test_a_budget_that_is_too_small_stops_before_the_first_send(run: Run, place: Path) -> None:
    done = run(*NEW, "--budget", "0.000001")
    assert done.returncode == 4, done.stderr
    assert not (place / "out").exists()


def killed_at(place: Path, word: str) -> None:
    """Starts the generator and kills it at the first line with this word."""
    stopped_at(place, QUICK, word, signal.SIGKILL)


POINTS = [
    "SAMPLE",
    "plan",
    "checks:",
    "✓ converter/units.py",
    "✓ README.md",
    "repair",
    "tests",
    "✓ tests/",
    "fail",
    "mend",
    "written",
]


@pytest.mark.parametrize("word", POINTS)
def test_killed_at_any_point_the_directory_is_as_before_or_complete(run: Run, place: Path, word: str) -> None:
    killed_at(place, word)
    left = set(tree(place / "out")) if (place / "out").exists() else set()
    assert left in (set(), FILES)
    done = run(*QUICK, "--yes")
    assert done.returncode == 0, done.stderr
    assert set(tree(place / "out")) == FILES
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


def test_what_was_paid_for_is_not_asked_for_again(run: Run, place: Path) -> None:
    killed_at(place, "fail")
    done = run(*QUICK)
    for stage in ("plan", "project", "tests"):
        assert f"{stage}: kept from the run before" in done.stderr
    assert "mend: kept" not in done.stderr


def test_whole_files_of_a_broken_answer_are_kept(run: Run, place: Path) -> None:
    killed_at(place, "✓ converter/convert.py")
    done = run(*QUICK)
    assert done.returncode == 0, done.stderr
    assert "files are kept from the run before" in done.stderr or "project: kept" in done.stderr


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(place: Path) -> None:
    plan = '{"files": [{"path": "a.py", "why": "first"}, {"path": "b.py", "why": "second"}]}'
    long = "value = 1\n" * 2_000
    texts = (
        f"**plan.json**\n\n```json\n{plan}\n```\n",
        f"**a.py**\n\n```python\nx = 1\n```\n**b.py**\n\n```python\n{long}```\n",
    )
    steps = [
        {"answer": {"text": texts[0]}},
        {"answer": {"text": texts[1]}, "faults": [{"tokens_per_second": 50}]},
    ]
    (place / "slow.json").write_text(json.dumps({"steps": steps}))
    command = (
        "code_generator",
        "new",
        "anything",
        "-o",
        "out",
        "--offline",
        "--answers",
        "slow.json",
        "--check",
        "true",
    )
    child = subprocess.Popen(
        command,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if "✓ a.py" in line:
            break
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130, told
    assert "the same command goes on" in told
    assert not (place / "out").exists()


def test_a_full_disk_leaves_nothing(run: Run, place: Path) -> None:
    limited = run("sh", "-c", f"ulimit -f 1; exec code_generator new '{PROMPT}' -o out --offline")
    assert limited.returncode != 0
    assert not (place / "out").exists()


def test_an_existing_project_goes_along_and_the_list_says_what(run: Run, place: Path) -> None:
    source = place / "old"
    source.mkdir()
    (source / ".gitignore").write_text("dist/\n")
    (source / "dist").mkdir()
    (source / "dist" / "made.py").write_text("x = 1\n")
    (source / "convert.awk").write_text("{ print $1 * 2.54 }\n")
    (source / "deploy.pem").write_text("key\n")
    done = run(*NEW, "--from", "old", "--plan-only")
    assert done.returncode == 0, done.stderr
    assert "in   convert.awk" in done.stderr
    assert "out  deploy.pem  (may hold a secret)" in done.stderr
    assert "made.py" not in done.stderr
    assert not (place / "out").exists()


def test_the_http_api_answers_as_the_client_does(run: Run, place: Path, tmp_path: Path) -> None:
    samples = place / "examples/code_generator/samples"
    token = "0123456789abcdef0123456789abcdef"
    environment = {
        **os.environ,
        "CLAUDE_CODE_AWS_SERVE_TOKEN": token,
        "CLAUDE_CODE_AWS_LOCAL_DIR": str(tmp_path / "server"),
    }
    command = ["claude-code-aws", "serve", "--offline", "--addr", "127.0.0.1:0", "--answers", str(samples)]
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        line = next(line for line in server.stderr if "listening on" in line)
        url = line.split("listening on ")[1].split("/;")[0].split("/ ")[0].split("/#")[0].strip().rstrip("/;")
        new = ("code_generator", "new", PROMPT, "-o", "out", "--endpoint", url)
        refused = run(*new)
        assert refused.returncode == 1, refused.stderr
        os.environ["CLAUDE_CODE_AWS_SERVE_TOKEN"] = token
        done = run(*new)
        del os.environ["CLAUDE_CODE_AWS_SERVE_TOKEN"]
        assert done.returncode == 0, done.stderr
        assert set(tree(place / "out")) == FILES
        assert "✓ converter/units.py" in done.stderr
    finally:
        server.kill()
        server.wait()


def test_the_python_script_writes_the_same_project(run: Run, place: Path) -> None:
    run(*NEW)
    script = "examples/code_generator/code_generator.py"
    done = run(sys.executable, script, PROMPT, "-o", "python", "--offline")
    assert done.returncode == 0, done.stderr
    assert tree(place / "python") == tree(place / "out")


def test_every_command_of_the_readme_prints_what_it_says(place: Path) -> None:
    text = (Path(__file__).parent / "README.md").read_text()
    assert readme.rendered(text, place) == text


def test_every_sample_says_that_it_is_one() -> None:
    samples = list((Path(__file__).parent / "samples").glob("*.md"))
    assert len(samples) == 6
    for sample in samples:
        assert "A sample answer, written for this project" in sample.read_text(), sample.name


def test_help_names_what_every_application_has(run: Run) -> None:
    for command in ("new", "more"):
        told = run("code_generator", command, "--help").stdout
        for flag in ("--offline", "--output <DIR>", "--endpoint <URL>", "--budget <USD>", "--check <CMD>"):
            assert flag in told
