"""A description becomes a small project: planned, written, checked, tested, and then put on the disk.

python examples/code_generator/code_generator.py "A Python library that …" -o DIR [--offline | --endpoint URL]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from claude_code import ClaudeCodeError, Client, FileFinished

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from endpoint import Endpoint, EndpointError

SAMPLES = Path(__file__).parent / "samples"
PLAN = 'Plan only. Write one file, plan.json: {"files": [{"path": …, "why": …}]}, without tests.'
TESTS = "The given files are a new project that does what the task says. Write its tests: only test files."
MEND = "Mend the code so that it does what the task says; change a test only where it is wrong."


def show(event: object) -> None:
    if isinstance(event, FileFinished):
        print("  ✓", event.path, file=sys.stderr)


class Project:
    """The files of a project, and what they have cost."""

    def __init__(self, client: Any, description: str) -> None:
        self.client, self.description = client, description
        self.files: dict[str, str] = {}
        self.results: list[Any] = []

    def take(self, stage: str, generation: Any) -> None:
        print(f"{stage}: {generation.model}, ${generation.receipt.total_usd}", file=sys.stderr)
        generation.raise_for_rejected()
        self.results.append(generation)
        self.files |= {path: file.content for path, file in generation.files.items()}

    def plan(self) -> str:
        plan = self.client.generate(self.description, instructions=PLAN, language="json", store=False)
        files = json.loads(plan.code)["files"]
        return "".join(f"- {file['path']}: {file['why']}\n" for file in files)

    def write(self, plan: str) -> None:
        words = "Write the whole project: exactly the files of this plan, without tests.\n" + plan
        answer = self.client.generate(self.description, instructions=words, store=False, on_event=show)
        self.take("project", answer)

    def test(self) -> None:
        tests = self.client.test(self.files, instructions=f"{self.description}\n\n{TESTS}", on_event=show)
        self.take("tests", tests)
        words = f"{self.description}\n\nThe tests of this project fail. {MEND}"
        mended = self.client.refactor(self.files, instructions=words, check="python", on_event=show)
        self.take("mend", mended)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("description")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")
    parser.add_argument("--offline", action="store_true", help="sample answers; needs no AWS account")
    parser.add_argument(
        "--endpoint", metavar="URL", help="ask a server of the HTTP API; tests are not run then"
    )
    given = parser.parse_args()
    client: Any = Endpoint(given.endpoint) if given.endpoint else None
    client = client or (Client.local(answers=SAMPLES) if given.offline else Client())
    project = Project(client, given.description)
    try:
        plan = project.plan()
        print(plan, end="")
        project.write(plan)
        project.test()
        for generation in project.results:
            generation.write_to(given.output, overwrite=True)
    except (ClaudeCodeError, EndpointError) as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
