"""Live progress in a notebook (or a terminal) while code is generated.

    from claude_code import Client
    from claude_code.notebook import Progress

    generation = Client().generate("a queue with a timeout", on_event=Progress())

Results show themselves as cards; this shows what comes before the result.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any, Callable

from ._claude_code import FileChunk, FileFinished, FileStarted, Finished, Notice, Text

__all__ = ["Progress"]


class Progress:
    """A function for `on_event=`: one line for each file, with its size so far, and one for each send.

    In a notebook the lines are updated in place as plain text, elsewhere they go to standard error. Names
    come from the model: what a terminal would obey is shown as a question mark.
    """

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}
        self._sizes: dict[int, int] = {}
        self._notices: list[str] = []
        self._shown = ""
        self._display: Any = None

    def __call__(self, event: FileStarted | FileChunk | FileFinished | Text | Notice | Finished) -> None:
        """Takes one event."""
        if isinstance(event, FileStarted):
            self._sizes[event.index] = 0
            self._lines[event.index] = f"… {event.path or 'unnamed'}"
        elif isinstance(event, FileChunk):
            self._sizes[event.index] = self._sizes.get(event.index, 0) + len(event.text)
            size = self._sizes[event.index]
            self._lines[event.index] = f"… {event.path or 'unnamed'}  {size:,} characters"
        elif isinstance(event, FileFinished):
            mark = "✓" if event.complete else "✗"
            size = self._sizes.get(event.index, 0)
            self._lines[event.index] = f"{mark} {event.path or 'unnamed'}  {size:,} characters"
        elif isinstance(event, Notice):
            wait = f" in {event.wait_seconds:.0f} s" if event.wait_seconds >= 1 else ""
            cause = f": {event.cause}" if event.cause else ""
            self._notices.append(f"{event.why}: {event.model}{wait}{cause}")
        elif isinstance(event, Finished):
            g = event.generation
            verdict = "accepted" if g.accepted else "not accepted"
            cost = "unpriced" if g.receipt.total_usd is None else f"${g.receipt.total_usd}"
            self._notices.append(f"{verdict} · {g.usage.output_tokens:,} tokens · {cost}")
        self._show()

    def text(self) -> str:
        """What is shown now."""
        lines = [*self._lines.values(), *self._notices]
        return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)

    def _show(self) -> None:
        text = self.text()
        if text == self._shown:
            return
        display = _notebook_display()
        if display is None:
            # A line may come twice, as a second retry does: what is new is counted, not looked for.
            new = Counter(text.splitlines()) - Counter(self._shown.splitlines())
            for line in new.elements():
                if not line.startswith("…"):
                    print(line, file=sys.stderr)
        elif self._display is None:
            self._display = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._display.update({"text/plain": text}, raw=True)
        self._shown = text


def _notebook_display() -> Callable[..., Any] | None:
    """IPython's display inside a notebook's kernel; None elsewhere, without importing anything."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    show: Callable[..., Any] = display
    return show
