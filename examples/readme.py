"""Runs the commands of a README's console blocks and puts their real output behind them.

    python examples/readme.py README.md [--check]

The commands of one README run in order in one empty directory that has the repository's `examples` in it. With
--check the README must already say what the commands print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What differs from run to run.
CHANGING = [(re.compile(r"in \d+\.\d+s"), "in 0.1s"), (re.compile(r"/tmp/\S+?/work"), "/tmp/work")]


def commands(block: str) -> list[str]:
    """The commands of a block; a line that ends with a backslash goes on in the next one."""
    found: list[str] = []
    goes_on = False
    for line in block.splitlines():
        if goes_on:
            found[-1] += "\n" + line
        elif line.startswith("$ "):
            found.append(line[2:])
        goes_on = line.endswith("\\") and (goes_on or line.startswith("$ "))
    return found


def output(command: str, place: Path) -> str:
    done = subprocess.run(
        ["sh", "-c", f"{command}\n"],
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    text = done.stdout
    for pattern, usual in CHANGING:
        text = pattern.sub(usual, text)
    return text if not text or text.endswith("\n") else text + "\n"


def rendered(text: str, place: Path) -> str:
    """The README with what its commands print now."""

    def block(match: re.Match[str]) -> str:
        shown = (f"$ {command}\n{output(command, place)}" for command in commands(match.group(1)))
        return "```console\n" + "".join(shown) + "```"

    return BLOCK.sub(block, text)


def prepare(state: Path) -> None:
    """Finds the built programs and the Python package."""
    root = Path(__file__).resolve().parents[1]
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "debug"
    programs = [str(target / "examples"), str(target), str(Path(sys.executable).parent), os.environ["PATH"]]
    os.environ["PATH"] = os.pathsep.join(programs)
    os.environ["PYTHONPATH"] = str(root / "claude-code-py" / "python")
    os.environ["CLAUDE_CODE_AWS_LOCAL_DIR"] = str(state)
    os.environ["TERM"] = "dumb"


def main() -> int:
    readme, check = Path(sys.argv[1]), "--check" in sys.argv
    before = readme.read_text()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "work"
        place.mkdir()
        (place / "examples").symlink_to(Path(__file__).resolve().parent)
        prepare(Path(folder) / "state")
        after = rendered(before, place)
    if check:
        return 0 if after == before else 1
    readme.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
