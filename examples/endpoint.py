"""The HTTP API as the scripts use the client: the same calls, answered by a server. Checks run here, not there."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

# Rounds of repair, as in process.
ROUNDS = 2
Check = Callable[[Mapping[str, "File"]], "list[str]"]


class EndpointError(Exception):
    """The server refuses, cannot be reached, or its answer does not pass."""

    kind = "endpoint"


@dataclass(frozen=True)
class File:
    """A file of an answer."""

    path: str
    content: str


@dataclass
class Receipt:
    total_usd: str | None


@dataclass
class Answer:
    """What a server answered, with what a repair changed."""

    files: dict[str, File]
    accepted: bool
    model: str
    receipt: Receipt
    findings: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        return next(iter(self.files.values())).content

    def raise_for_rejected(self) -> Answer:
        if not self.accepted:
            raise EndpointError("the answer is rejected: " + "; ".join(self.findings))
        return self

    def write_to(self, folder: str | Path, *, overwrite: bool = False) -> None:
        names = [Path(folder, name) for name in self.files]
        for name in self.files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise EndpointError(f"{name} leads out of {folder}: nothing was written")
        there = [str(name) for name in names if name.exists() and not overwrite]
        if there:
            raise EndpointError(f"{there[0]} exists: nothing was written")
        for path, file in zip(names, self.files.values()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content)


class Endpoint:
    """A server of the HTTP API; CLAUDE_CODE_AWS_SERVE_TOKEN is its key."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def generate(self, prompt: str, *, instructions: str = "", **options: Any) -> Answer:
        return self._checked("generate", {"prompt": f"{prompt}\n\n{instructions}".strip()}, **options)

    def test(self, files: Mapping[str, str], *, instructions: str = "", **options: Any) -> Answer:
        return self._checked("generate", {"prompt": instructions, "task": "test"}, files=files, **options)

    def refactor(self, files: Mapping[str, str], *, instructions: str, **options: Any) -> Answer:
        return self._checked("refactor", {"instructions": instructions}, files=files, **options)

    def _checked(
        self,
        route: str,
        body: dict[str, Any],
        *,
        files: Mapping[str, str] | None = None,
        language: str | None = None,
        check: Check | str | None = None,
        on_event: Callable[[Any], object] | None = None,
        store: bool = True,
    ) -> Answer:
        given = dict(files or {})
        asked = {**body, **({"language": language} if language else {})}
        answer = self._ask(route, {**asked, "files": listed(given)})
        for round_ in range(ROUNDS + 1):
            answer.findings += check(answer.files) if callable(check) else []
            answer.accepted = answer.accepted and not answer.findings
            if answer.accepted or round_ == ROUNDS:
                break
            words = (
                f"{body.get('prompt') or body['instructions']}\n\nAn answer to this was written, and these checks "
                f"failed:\n\n{chr(10).join(answer.findings)}\n\nMend the files so that they pass."
            )
            # What was answered stands first: it tells the language.
            written = {name: file.content for name, file in answer.files.items()}
            both = {**written, **{name: text for name, text in given.items() if name not in written}}
            mended = self._ask("refactor", {"instructions": words, "files": listed(both)})
            mended.receipt = added(answer, mended)
            mended.files = {**answer.files, **mended.files}
            answer = mended
        return answer

    def _ask(self, route: str, body: dict[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token := os.environ.get("CLAUDE_CODE_AWS_SERVE_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(f"{self.url}/{route}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                told = json.load(response)
        except urllib.error.HTTPError as refused:
            raise EndpointError(f"{self.url} answered {refused.code}: {detail(refused.read())}") from refused
        except OSError as lost:
            raise EndpointError(f"{self.url} cannot be reached: {lost}") from lost
        files = {file["path"]: File(file["path"], file["content"]) for file in told["files"]}
        receipt = Receipt(told["receipt"]["total_usd"])
        faults = [
            "{path}:{line}:{column}: error: {message}".format_map(found)
            for found in told["diagnostics"]
            if found["severity"] == "error"
        ]
        return Answer(files, told["accepted"], told["model"], receipt, faults)


def listed(files: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"path": path, "content": content} for path, content in files.items()]


def added(one: Answer, other: Answer) -> Receipt:
    """What both cost; unknown if one is."""
    costs = [answer.receipt.total_usd for answer in (one, other)]
    known = [float(cost) for cost in costs if cost is not None]
    return Receipt(f"{sum(known):g}" if len(known) == len(costs) else None)


def detail(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return "is it the HTTP API of this project?"
