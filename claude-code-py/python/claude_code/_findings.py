"""The list that `doctor` gives."""

from __future__ import annotations

from ._claude_code import Finding
from ._claude_code import _findings as table


class Findings(list[Finding]):
    """A list of Finding that shows itself: a line each, in a notebook a table."""

    def __repr__(self) -> str:
        return "\n".join(str(finding) for finding in self)

    def _repr_html_(self) -> str:
        return str(table(list(self)))
