"""Where the linker puts a module's functions: those that a first call runs side by side, those that no work runs apart.

    python layout.py FIRST.txt [MORE.txt...] > layout.ld

Each argument is what `llvm-profdata merge --text` gives of one run; functions stand in the order of the arguments. A
system maps a module in windows of 64 kB and more around each function that is run, so functions that lie apart cost
memory that nobody reads.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# What has no counters of its own: the standard library; functions so small that of many equal ones the compiler keeps
# one, under whichever name; and what aws-lc does when it is loaded.
UNCOUNTED = ["_R", "*grow_one", "*call_once_force", "*is_end_stream", "*MutexGuard", "*tp_traverse"]
UNCOUNTED += ["*OPENSSL_cpuid_setup", "*CRYPTO_STATIC_MUTEX_"]
LOADED = "*-crypto.o(.text .text.*)"


def records(text: str) -> Iterator[list[str]]:
    """A name, a hash, the number of counters, the counters, and what else there is."""
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and line[0] not in "#:"]
        if len(lines) > 3:
            yield lines


def run(text: str) -> Iterator[str]:
    """Names of functions with a counter that is not zero. One of a single object has that object's name before it."""
    for name, _, count, *counters in records(text):
        if any(counter != "0" for counter in counters[: int(count)]):
            yield name.rpartition(";")[2]


def section(names: Iterable[str]) -> str:
    """Of each function the section: `hot` where it runs often, `unlikely` where it is written `#[cold]`."""
    return "\n".join(f"    *(.text.{name}* .text.hot.{name}* .text.unlikely.{name}*)" for name in names)


def main() -> None:
    first, *more = (run(Path(path).read_text()) for path in sys.argv[1:])
    names = dict.fromkeys(first)
    names.update(dict.fromkeys(UNCOUNTED))
    for run_later in more:
        names.update(dict.fromkeys(run_later))
    print(f"SECTIONS {{\n  .text.first : {{\n    {LOADED}\n{section(names)}\n  }}\n}} INSERT BEFORE .text;")
    print("SECTIONS { .text.rare : { *(.text.unlikely .text.unlikely.*) } } INSERT BEFORE .text.first;")


main()
