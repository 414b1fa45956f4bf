"""The command line's reference, from the arguments that clap reads."""

from __future__ import annotations

import re
from pathlib import Path

from rust_source import Entry, Item, items, kebab


def page(root: Path) -> str:
    """Every command with its arguments."""
    source = root / "claude-code-aws/src/cli/args.rs"
    types = items(source)
    # Arguments are spread over files beside it.
    for path in sorted({*source.parent.glob("*.rs"), *source.with_suffix("").glob("*.rs")} - {source}):
        types |= items(path)
    out = ["## Options of every command\n", *_table(types, types["Global"].entries)]
    for entry in types["Command"].entries:
        out += _command(types, entry, "")
    return "\n".join(out)


def _command(types: dict[str, Item], entry: Entry, above: str) -> list[str]:
    name = f"{above}{kebab(entry.name)}"
    inner = re.sub(r"^Box<(.+)>$", r"\1", entry.type or "")
    out = [f"\n## {name}\n" if not above else f"\n### {name}\n", f"{_text(entry.doc)}.\n"]
    item = types.get(inner)
    if item and item.kind == "enum":
        for sub in item.entries:
            out += _command(types, sub, f"{name} ")
    else:
        out += _table(types, item.entries if item else entry.fields)
    return out


def _table(types: dict[str, Item], entries: list[Entry]) -> list[str]:
    rows = _rows(types, entries)
    return ["| argument | meaning |", "|---|---|", *rows] if rows else []


def _rows(types: dict[str, Item], entries: list[Entry]) -> list[str]:
    rows: list[str] = []
    for entry in entries:
        if "flatten" in entry.attrs or "subcommand" in entry.attrs:
            rows += _rows(types, types[entry.type or ""].entries if entry.type in types else [])
        else:
            rows.append(f"| `{_name(entry)}` | {_meaning(types, entry)} |")
    return rows


def _name(entry: Entry) -> str:
    attrs = entry.attrs
    value = re.search(r'value_name = "([^"]+)"', attrs)
    shown = value[1] if value else entry.name.upper()
    long = re.search(r'\blong(?: = "([^"]+)")?', attrs)
    if not long:
        return f"[{shown}]" if (entry.type or "").startswith("Option<") else shown
    flag = f"--{long[1] or kebab(entry.name)}"
    short = re.search(r"\bshort(?: = '(.)')?", attrs)
    if short:
        flag = f"-{short[1] or entry.name[0]}, {flag}"
    return flag if entry.type == "bool" else f"{flag} {shown}"


def _meaning(types: dict[str, Item], entry: Entry) -> str:
    text = _text(entry.doc)
    inner = re.sub(r"^Option<(.+)>$", r"\1", entry.type or "")
    values = types.get(inner)
    if values and values.kind == "enum" and not re.search(r"use, refresh|stop or resume", text, re.I):
        text += ". Values: " + ", ".join(f"`{kebab(value.name)}`" for value in values.entries)
    default = re.search(r'default_value(?:_t)? = (?:"([^"]*)"|([\w.]+))', entry.attrs)
    if default:
        text += f". Default: `{default[1] if default[1] is not None else default[2].replace('_', '')}`"
    return text


def _text(doc: str) -> str:
    return doc.replace("|", "\\|").replace("<", "&lt;").rstrip(".")
