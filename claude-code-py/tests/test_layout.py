"""The order of a trained module's functions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LAYOUT = Path(__file__).parent.parent / "layout.py"


def counts(*functions: tuple[str, list[int]]) -> str:
    """What `llvm-profdata merge --text` writes."""
    blocks = [
        f"{name}\n# Func Hash:\n7\n# Num Counters:\n{len(counters)}\n# Counter Values:\n"
        + "".join(f"{counter}\n" for counter in counters)
        for name, counters in functions
    ]
    return "# IR level Instrumentation Flag\n:ir\n" + "\n".join(blocks)


def test_functions_of_a_first_call_come_first_and_those_that_never_ran_are_not_named(tmp_path: Path) -> None:
    runs = {
        "first.txt": counts(("_ZNopen", [0, 3]), ("_ZNnever", [0, 0]), ("a.cgu.0;_ZNsend", [1])),
        "disk.txt": counts(("_ZNopen", [5]), ("_ZNstore", [2]), ("_ZNnever", [0, 0])),
    }
    paths = []
    for name, text in runs.items():
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    done = subprocess.run([sys.executable, LAYOUT, *paths], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()

    def place(name: str) -> int:
        return next(at for at, line in enumerate(lines) if f".text.{name}*" in line)

    assert place("_ZNopen") < place("_ZNsend") < place("_R") < place("_ZNstore")
    assert "_ZNnever" not in done.stdout
    assert sum("_ZNopen" in line for line in lines) == 1
    assert ".text.unlikely._ZNstore*" in lines[place("_ZNstore")], "what is written #[cold] is taken along"
