"""Reads structs and enums with their doc comments from Rust source: enough for arguments and JSON bodies, no more."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ITEM = re.compile(r"^(?:pub(?:\([a-z]+\))? )?(struct|enum) (\w+)(?:<[^>]*>)? ?(\{)?")
FIELD = re.compile(r"^(?:pub(?:\([a-z]+\))? )?(?:r#)?(\w+): (.+?),?$")
VARIANT = re.compile(r"^([A-Z]\w*)(?:\((.+)\))?( \{\}?)?,?$")


@dataclass
class Entry:
    """A field or variant: its doc comment, attributes, name, type, and a variant's own fields."""

    doc: str
    attrs: str
    name: str
    type: str | None
    fields: list[Entry] = field(default_factory=list)


@dataclass
class Item:
    """A struct or enum."""

    kind: str
    doc: str
    attrs: str
    entries: list[Entry]


def items(path: Path) -> dict[str, Item]:
    """The structs and enums of a file by name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found: dict[str, Item] = {}
    at = 0
    while at < len(lines):
        doc, attrs, at = _head(lines, at)
        if at >= len(lines):
            break
        match = ITEM.match(lines[at].strip())
        if match and match[3] and not lines[at].startswith(" "):
            entries, at = _entries(lines, at + 1)
            found[match[2]] = Item(match[1], doc, attrs, entries)
        else:
            at += 1
    return found


def _head(lines: list[str], at: int) -> tuple[str, str, int]:
    """Doc comment and attributes that stand before an item."""
    docs: list[str] = []
    attrs: list[str] = []
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("///"):
            docs.append(line[3:].strip())
        elif line.startswith("#["):
            attrs.append(line)
            while attrs[-1].count("[") > attrs[-1].count("]"):
                at += 1
                attrs[-1] += " " + lines[at].strip()
        elif line and not line.startswith("//"):
            break
        else:
            docs.clear()
        at += 1
    return " ".join(docs), " ".join(attrs), at


def _entries(lines: list[str], at: int) -> tuple[list[Entry], int]:
    entries: list[Entry] = []
    while True:
        doc, attrs, at = _head(lines, at)
        line = lines[at].strip()
        at += 1
        if line.startswith("}"):
            return entries, at
        if line.endswith("{") and (match := re.match(r"(\w+) \{", line)):
            inner, at = _entries(lines, at)
            entries.append(Entry(doc, attrs, match[1], None, inner))
        elif match := FIELD.match(line):
            entries.append(Entry(doc, attrs, match[1], match[2]))
        elif match := VARIANT.match(line):
            entries.append(Entry(doc, attrs, match[1], match[2]))


def kebab(name: str) -> str:
    """`max_usd` and `MaxUsd` as `max-usd`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()
