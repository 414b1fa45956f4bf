"""Instructions of a call, a delta, a validation and a cache hit, as callgrind counts them: time is noisy, this is not.

    python instructions.py RELEASE_DIRECTORY [--write] [--check]

Compares with instructions.json, the counts of the last change that was meant: --check ends with 1 where one is more than 5 %
above, --write writes them anew. Without valgrind nothing is compared, and that is told. Each count is the difference of two
runs, divided: what a process does once is not in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = Path(__file__).with_name("instructions.json")
MORE = 1.05
# Scenario, what is set, calls of the shorter and of the longer run, units in a call.
COUNTED = {
    "call, AWS SDK alone": ("small", {"SDK": "1"}, 50, 250, 1),
    "call": ("small", {}, 50, 250, 1),
    "call, validated": ("small", {"CHECKED": "1"}, 50, 250, 1),
    "delta, AWS SDK alone": ("deltas", {"SDK": "1"}, 2, 4, 8_000),
    "delta": ("deltas", {}, 2, 4, 8_000),
    "cache hit": ("cached", {}, 100, 1_100, 1),
}


def instructions(release: Path, url: str, scenario: str, how: dict[str, str], calls: int) -> int:
    """Of one run, all of its threads."""
    env = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **how,
    }
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "out")
        program = [str(release.resolve() / "examples/bench_client"), scenario, str(calls), "1"]
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        done = subprocess.run([*tool, *program], env=env, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found = re.search(r"Collected : (\d+)", done.stderr)
    if not found:
        raise SystemExit(f"callgrind counted nothing: {done.stderr}")
    return int(found[1])


def main() -> int:
    release = Path(sys.argv[1])
    if not shutil.which("valgrind"):
        print("instructions are not counted: there is no valgrind")
        return 0
    mock = subprocess.Popen([release / "examples/mock_bedrock"], stdout=subprocess.PIPE, text=True)
    counts = {}
    try:
        assert mock.stdout
        url = mock.stdout.readline().strip()
        for name, (scenario, how, few, many, units) in COUNTED.items():
            less, more = (instructions(release, url, scenario, how, calls) for calls in (few, many))
            counts[name] = round((more - less) / (many - few) / units)
    finally:
        mock.kill()
        mock.wait()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    missed = 0
    for name, count in counts.items():
        before = kept.get(name)
        holds = before is None or count <= before * MORE
        missed += not holds
        change = f"{count / before - 1:+.1%}" if before else "new"
        print(f"{name:<24}{count:>12,}   {change:<8}{'' if holds else 'MORE THAN 5 %'}")
    print(f"a call is {counts['call'] / counts['call, AWS SDK alone']:.2f} of the AWS SDK's, a delta "
          f"{counts['delta'] / counts['delta, AWS SDK alone']:.2f}")  # fmt: skip
    if "--write" in sys.argv:
        KEPT.write_text(json.dumps(counts, indent=2) + "\n")
    return 1 if missed and "--check" in sys.argv else 0


raise SystemExit(main())
