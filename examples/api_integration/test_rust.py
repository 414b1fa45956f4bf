"""The Rust clients from outside: compiled and tested in the sandbox, without a network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from conftest import Run, tree
from test_api_integration import NEW, needs
from test_tools import prism  # noqa: F401

RUST = (*NEW, "--language", "rust")
FILES = {
    "openapi.json",
    "Cargo.toml",
    "src/lib.rs",
    "src/models.rs",
    "src/api.rs",
    "src/runtime/mod.rs",
    "src/runtime/error.rs",
    "src/runtime/wire.rs",
    "tests/client.rs",
}


def test_a_document_becomes_a_rust_client_that_compiles_and_its_own_tests_pass(run: Run, place: Path) -> None:
    needs("cargo")
    done = run(*RUST, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "checks: cargo test against a mock" in done.stderr
    assert "  repair:" in done.stderr, "the first answer has a wrong type, which the compiler finds"
    assert set(tree(place / "out")) == FILES
    assert "body: &NewTask" in (place / "out/src/api.rs").read_text()


def test_the_rust_client_s_tests_pass_against_prism(run: Run, place: Path, prism: str) -> None:  # noqa: F811
    needs("cargo")
    command = ("rust" if part == "out" else part for part in NEW)
    made = run(*command, "--language", "rust", "--check", "! grep -q 'body: &Task' src/api.rs")
    assert made.returncode == 0, made.stderr
    done = subprocess.run(
        ["cargo", "test", "--offline", "--no-default-features", "--quiet"],
        cwd=place / "rust",
        env={**os.environ, "API_URL": prism},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
