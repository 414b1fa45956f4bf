"""kill -9 of four processes that share a local directory: what was acknowledged is there, what it cost is counted.

    python store_kills.py RELEASE_DIRECTORY [KILLS [PACKAGE]]      200 kills unless told; PACKAGE: directory of claude_code

Each process generates against the mock of the Bedrock runtime with the disk store, and notes a result's id and cost when it
has it. Ends with 1 if a noted result cannot be read, if it is not what it was, or if less is counted than was noted.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

PROCESSES = 4
WORKER = """
import os, sys
from claude_code import Client
client = Client(provider="bedrock", model="haiku")
noted = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for n in range(10**9):
    made = client.generate(f"Half of a number, {os.getpid()} {n}. scenario=small ")
    assert made.stored and made.accepted, made.stored
    os.write(noted, f"{made.id} {made.receipt.total_usd} {made.files[next(iter(made.files))].sha256}\\n".encode())
"""
READER = """
import sys
from claude_code import Client
client = Client(provider="bedrock", model="haiku")
for line in sys.stdin:
    id, _, sha256 = line.split()
    try:
        made = client.results.get(id)
        if made.files[next(iter(made.files))].sha256 != sha256:
            print("changed", id)
    except Exception as error:
        print("lost", id, error)
budget = client.budget()
print("budget", budget.spent, budget.reserved)
"""


def environment(package: Path, directory: str, url: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(package.resolve()),
        "PATH": os.environ["PATH"],
        "HOME": directory,
        "CLAUDE_CODE_AWS_LOCAL_DIR": f"{directory}/shared",
        "CLAUDE_CODE_AWS_MAX_USD_PER_DAY": "100000",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def killed(env: dict[str, str], noted: list[Path], kills: int) -> None:
    """Four workers, one of them killed again and again; each goes on in a new process."""
    start = lambda path: subprocess.Popen([sys.executable, "-c", WORKER, str(path)], env=env, stderr=subprocess.PIPE)
    workers = [start(path) for path in noted]
    try:
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 0.5))
            at = random.randrange(PROCESSES)
            if workers[at].poll() is not None:
                assert workers[at].stderr
                raise SystemExit(f"a worker failed: {workers[at].stderr.read().decode()}")
            workers[at].kill()
            workers[at].wait()
            workers[at] = start(noted[at])
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def main() -> int:
    given = sys.argv[1:]
    release, kills = Path(given[0]), int(given[1]) if len(given) > 1 else 200
    package = Path(given[2]) if len(given) > 2 else Path(__file__).parent.parent / "claude-code-py/python"
    mock = subprocess.Popen([release / "examples/mock_bedrock"], stdout=subprocess.PIPE, text=True)
    try:
        assert mock.stdout
        with tempfile.TemporaryDirectory() as directory:
            env = environment(package, directory, mock.stdout.readline().strip())
            noted = [Path(directory, f"noted-{n}") for n in range(PROCESSES)]
            begun = time.monotonic()
            killed(env, noted, kills)
            took = time.monotonic() - begun
            lines = "".join(path.read_text() for path in noted)
            read = subprocess.run(
                [sys.executable, "-c", READER], env=env, input=lines, capture_output=True, text=True, check=False
            )
    finally:
        mock.kill()
        mock.wait()
    if read.returncode != 0:
        raise SystemExit(read.stderr)
    *wrong, budget = read.stdout.splitlines()
    _, spent, reserved = budget.split()
    ids = [line.split()[0] for line in lines.splitlines()]
    cost = sum(Decimal(line.split()[1]) for line in lines.splitlines())
    if len(set(ids)) != len(ids):
        wrong.append("two acknowledgements have one id")
    if Decimal(spent) < cost:
        wrong.append(f"{spent} is counted, {cost} was acknowledged")
    print(f"{kills} kills of {PROCESSES} processes in {took:.0f} s: {len(ids)} results acknowledged, {len(wrong)} wrong")
    print(f"acknowledged ${cost}, counted ${spent}, still held by killed calls ${reserved}")
    for one in wrong:
        print("WRONG:", one)
    return 1 if wrong else 0


raise SystemExit(main())
