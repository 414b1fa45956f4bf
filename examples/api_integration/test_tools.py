"""What needs tools of others: clients against prism, the lines of other generators, documents of public APIs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from test_api_integration import NEW, needs


@pytest.fixture
def prism(run: Run, place: Path) -> Iterator[str]:
    """Prism over the document of the generated client; its URL."""
    needs("prism", "mypy")
    assert run(*NEW).returncode == 0
    # Prism answers a schema that holds itself with items that lack what they require.
    document = json.loads((place / "out/openapi.json").read_text())
    del document["components"]["schemas"]["Task"]["properties"]["subtasks"]
    (place / "served.json").write_text(json.dumps(document))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["prism", "mock", "served.json", "--port", str(port)]
    with (place / "prism.log").open("w") as log:
        child = subprocess.Popen(command, cwd=place, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    for _ in range(1200):
        try:
            urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError:
            break
        except OSError:
            assert child.poll() is None, (place / "prism.log").read_text()
            time.sleep(0.1)
    yield url
    os.killpg(child.pid, 9)
    child.wait()


def test_the_python_client_s_tests_pass_against_prism(place: Path, prism: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=place / "out",
        env={**os.environ, "API_URL": prism},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "9 passed" in done.stdout
    asked = (place / "prism.log").read_text()
    assert "422" in asked or "validation" in asked.lower(), asked


def test_the_typescript_client_s_tests_pass_against_prism(run: Run, place: Path, prism: str) -> None:
    needs("tsc", "node")
    made = run(*("ts" if part == "out" else part for part in NEW), "--language", "typescript")
    assert made.returncode == 0, made.stderr
    (place / "ts" / "package.json").write_text('{"type": "module"}\n')
    shutil.copy(place / "examples/api_integration/tsc.sh", place / "ts" / ".tsc.sh")
    built = subprocess.run(["sh", ".tsc.sh"], cwd=place / "ts", capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout
    done = subprocess.run(
        ["node", "--test", ".out/tests/client.test.js"],
        cwd=place / "ts",
        env={**os.environ, "API_URL": prism},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 7" in done.stdout


def lines(folder: Path) -> int:
    files = (path for path in folder.rglob("*.py") if "test" not in path.parts)
    return sum(len(path.read_text().splitlines()) for path in files)


def test_it_is_shorter_than_what_other_generators_write(run: Run, place: Path) -> None:
    needs("openapi-python-client", "openapi-generator-cli", "java")
    assert run(*NEW, "--check", "true").returncode == 0
    other = run(
        "openapi-python-client",
        "generate",
        "--path",
        "out/openapi.json",
        "--output-path",
        "opc",
        "--meta",
        "none",
    )
    assert other.returncode == 0, other.stderr
    another = run(
        "openapi-generator-cli", "generate", "-i", "out/openapi.json", "-g", "python", "-o", "og", timeout=300
    )
    assert another.returncode == 0, another.stderr
    counts = {name: lines(place / name) for name in ("out/client", "opc", "og/openapi_client")}
    print(counts)
    assert 0 < counts["out/client"] < min(counts["opc"], counts["og/openapi_client"])


# Public documents from npm packages, with what is chosen of them.
PUBLIC = [
    ("@octokit/openapi/generated/api.github.com.json", ("--path", "/gists"), 12_000),
    ("@scalar/galaxy/dist/latest.yaml", (), 6_000),
    ("@readme/oas-examples/3.1/json/train-travel.json", ("--tag", "Bookings"), 6_000),
]


@pytest.mark.parametrize(
    ("name", "choice", "tokens"), PUBLIC, ids=[name.split("/")[1] for name, _, _ in PUBLIC]
)
def test_a_public_document_is_read_and_cut_to_the_budget(
    run: Run, place: Path, name: str, choice: tuple[str, ...], tokens: int
) -> None:
    needs("prism")
    packages = Path(shutil.which("prism") or "").parent.parent
    done = run(
        "api_integration", str(packages / name), *choice, "--context", str(tokens), "--plan-only", "-o", "out"
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    print(name, last, f"{done.stderr.count('repaired')} repairs")
    count, size = int(last.split()[0]), int(last.split()[4])
    assert count > 0
    assert size <= tokens
