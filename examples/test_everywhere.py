"""What holds for every application and every script: its options, the HTTP API, a stop or a full disk at any point."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Run, stopped_at, tree

STACK = "A private bucket for uploads, a table for their metadata, and a queue for the work."
CONVERTER = "A Python library that converts lengths and weights."
# As the tests of each decide, in a tenth of their time.
APPLICATIONS: dict[str, tuple[str, ...]] = {
    "code_generator": (
        "code_generator",
        "new",
        CONVERTER,
        "--check",
        "grep -q 0.028349523125 converter/units.py || ! ls tests",
    ),
    "infra_automation": ("infra_automation", STACK, "--no-tools", "--yes"),
    "api_integration": (
        "api_integration",
        "examples/api_integration/specs/tasks.yaml",
        "--tag",
        "tasks",
        "--check",
        "! grep -q 'dict.str, int' client/api.py",
    ),
}
SCRIPTS: dict[str, tuple[str, ...]] = {
    "code_generator": ("examples/code_generator/code_generator.py", CONVERTER),
    "infra_automation": ("examples/infra_automation/infra_automation.py", STACK, "--yes"),
    "api_integration": ("examples/api_integration/api_integration.py", "openapi.json"),
}
each = pytest.mark.parametrize("name", list(APPLICATIONS))
# What a run says on its way, to its end.
POINTS = ["SAMPLE", "✓", "repair", "written"]


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """`serve --offline` with the sample answers of the application that is tested; its URL."""
    name = request.node.callspec.params["name"]
    environment = {**os.environ, "CLAUDE_CODE_AWS_LOCAL_DIR": str(tmp_path / "server")}
    samples = str(ROOT / "examples" / name / "samples")
    command = [
        "claude-code-aws",
        "serve",
        "--offline",
        "--no-token",
        "--addr",
        "127.0.0.1:0",
        "--answers",
        samples,
    ]
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


@pytest.fixture
def document(run: Run, place: Path) -> None:
    """The document that the script of the API integration reads."""
    done = run(*APPLICATIONS["api_integration"], "-o", "made", "--offline")
    assert done.returncode == 0, done.stderr
    shutil.copy(place / "made/openapi.json", place)


@each
def test_every_application_and_script_has_the_same_options(run: Run, name: str) -> None:
    command = [name, "new"] if name == "code_generator" else [name]
    told = run(*command, "--help").stdout
    for option in ("--offline", "-o, --output <DIR>", "--endpoint <URL>", "--budget <USD>", "--yes"):
        assert option in told
    told = run(sys.executable, SCRIPTS[name][0], "--help").stdout
    for option in ("--offline", "-o DIR", "--endpoint URL"):
        assert option in told


@each
def test_the_http_api_answers_an_application_and_a_script_as_the_client_does(
    run: Run, place: Path, server: str, document: None, name: str
) -> None:
    here = run(*APPLICATIONS[name], "-o", "here", "--offline")
    assert here.returncode == 0, here.stderr
    there = run(*APPLICATIONS[name], "-o", "there", "--endpoint", server)
    assert there.returncode == 0, there.stderr
    assert tree(place / "there") == tree(place / "here")
    script = run(sys.executable, *SCRIPTS[name], "-o", "script", "--endpoint", server)
    assert script.returncode == 0, script.stderr
    made = tree(place / "script")
    assert made
    assert made == {path: text for path, text in tree(place / "here").items() if path in made}


@each
def test_an_endpoint_that_is_not_there_is_said_in_one_line_and_nothing_is_written(
    run: Run, place: Path, document: None, name: str
) -> None:
    for command in (APPLICATIONS[name], (sys.executable, *SCRIPTS[name])):
        done = run(*command, "-o", "out", "--endpoint", "http://127.0.0.1:9")
        assert done.returncode == 1, done.stderr
        assert "cannot be reached" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        assert not (place / "out").exists()


@each
@pytest.mark.parametrize("word", POINTS)
def test_ctrl_c_at_any_point_leaves_all_or_nothing_and_says_how_to_go_on(
    run: Run, place: Path, name: str, word: str
) -> None:
    command = (*APPLICATIONS[name], "-o", "out", "--offline")
    whole = run(*(part if part != "out" else "whole" for part in command))
    assert whole.returncode == 0, whole.stderr
    code, told = stopped_at(place, command, word, signal.SIGINT)
    left = tree(place / "out") if (place / "out").exists() else {}
    assert left in ({}, tree(place / "whole"))
    assert code in (0, 130, -signal.SIGINT)
    if code == 130:
        assert "the same command goes on where this one was stopped" in told
    assert bool(left) == (code == 0) or code == -signal.SIGINT
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert tree(place / "out") == tree(place / "whole")
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


def has_small_disks() -> bool:
    """Whether a disk of one's own can be mounted here."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0 or not os.environ.get("REQUIRE_TOOLS"), done.stderr
    return done.returncode == 0


@each
@pytest.mark.parametrize("kilobytes", [4, 8, 16, 64])
@pytest.mark.parametrize("filled", ["output", "state"])
def test_a_full_disk_leaves_all_or_nothing(
    run: Run, place: Path, tmp_path: Path, name: str, kilobytes: int, filled: str
) -> None:
    if not has_small_disks():
        pytest.skip("NOT RUN: no disk can be mounted here")
    (place / "disk").mkdir()
    (tmp_path / "state").mkdir(exist_ok=True)
    small = "disk" if filled == "output" else str(tmp_path / "state")
    output = "disk/out" if filled == "output" else "out"
    whole = run(*APPLICATIONS[name], "-o", "whole", "--offline")
    assert whole.returncode == 0, whole.stderr
    line = (
        f'mount -t tmpfs -o size={kilobytes}k tmpfs {small} && shift && "$@"; code=$?; '
        f"mkdir -p kept && cp -r disk/. kept; exit $code"
    )
    command = (*APPLICATIONS[name], "-o", output, "--offline")
    done = run("unshare", "-rm", "sh", "-c", line, "sh", "x", *command)
    kept = place / ("kept/out" if filled == "output" else "out")
    left = tree(kept) if kept.exists() else {}
    assert left in ({}, tree(place / "whole")), done.stderr
    assert bool(left) == (done.returncode == 0), done.stderr
    if done.returncode:
        assert "No space left on device" in done.stderr
        assert "the same command goes on" in done.stderr
    assert [path.name for path in (place / "kept").glob(".*")] == []
