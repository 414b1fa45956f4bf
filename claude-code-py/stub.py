"""Writes the docstrings of the built module into its stub, where editors read them; `tests/test_docs.py` compares them.

    python stub.py

Signatures are written by hand: mypy's stubtest compares those.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

STUB = Path(__file__).parent / "python/claude_code/_claude_code.pyi"


class Place(NamedTuple):
    """Where a docstring belongs: the node that has it, what comes behind that node, and the text."""

    node: ast.stmt
    after: ast.stmt | None
    text: str


def told(owner: Any, name: str) -> str | None:
    """The docstring of a member as the module has it; None: it has none, or one of Python's own."""
    member = vars(owner).get(name)
    text = getattr(member, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) and not name.startswith("_") else None


def owner_of(node: ast.ClassDef, tree: ast.Module, module: Any) -> Any:
    """The class; for one that only type checkers know the first below it."""
    if hasattr(module, node.name):
        return getattr(module, node.name)
    classes = (each for each in tree.body if isinstance(each, ast.ClassDef))
    below = (each for each in classes if any(ast.unparse(base) == node.name for base in each.bases))
    return next((getattr(module, each.name) for each in below if hasattr(module, each.name)), None)


def places(tree: ast.Module, module: Any) -> list[Place]:
    """Every docstring that the stub is to have, in its order."""
    found: list[Place] = []

    def members(body: list[ast.stmt], owner: Any) -> None:
        for node, after in zip(body, [*body[1:], None]):
            if isinstance(node, ast.FunctionDef) and not any(
                "overload" in ast.unparse(d) for d in node.decorator_list
            ):
                text = told(owner, node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                text = told(owner, node.target.id) if inspect.isclass(owner) else None
            else:
                text = None
            if text:
                found.append(Place(node, after, text))

    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            owner = owner_of(node, tree, module)
            if owner is not None and hasattr(module, node.name):
                found.append(Place(node, None, inspect.cleandoc(owner.__doc__)))
            if owner is not None and node.name not in {"_Record", "_FileEvent"}:
                members(node.body, owner)
    members(tree.body, module)
    return found


def is_text(node: ast.stmt | None) -> bool:
    """Whether a statement is a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def written(source: str, module: Any) -> str:
    """The stub with the module's docstrings."""
    lines = source.split("\n")
    for node, after, text in sorted(places(ast.parse(source), module), key=lambda place: -place.node.lineno):
        is_member = isinstance(node, ast.AnnAssign)
        old: Any = after if is_member else node.body[0]  # type: ignore[attr-defined]
        indent = node.col_offset + (0 if is_member else 4)
        doc = quoted(text, indent)
        if old is not None and is_text(old):
            lines[old.lineno - 1 : old.end_lineno] = [doc]
        elif is_member:
            lines.insert(node.end_lineno or node.lineno, doc)
        elif isinstance(node, ast.ClassDef) and old.lineno != node.lineno:
            first = min([old.lineno, *(d.lineno for d in getattr(old, "decorator_list", []))])
            lines.insert(first - 1, doc)
        else:
            at = (node.end_lineno or node.lineno) - 1
            lines[at] = lines[at].rstrip().removesuffix("...").rstrip()
            lines.insert(at + 1, doc)
    return "\n".join(lines)


def quoted(text: str, indent: int) -> str:
    """A docstring as source."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = text + " " if text.endswith('"') else text
    return textwrap.indent(f'"""{text}"""', " " * indent)


def main() -> int:
    sys.path.insert(0, str(STUB.parents[1]))
    from claude_code import _claude_code

    STUB.write_text(written(STUB.read_text(encoding="utf-8"), _claude_code), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
