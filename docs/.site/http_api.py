"""The HTTP API's reference, from the table of routes and the types of bodies."""

from __future__ import annotations

import re
from pathlib import Path

from rust_source import Entry, Item, items

ROUTE = re.compile(r'^\s*"(/[^"]*)": \{', re.M)
METHOD = re.compile(r'"(get|post|put|patch|delete)":\s*(work|read)\(\s*"\w+",\s*"([^"]+)",\s*(.*)')
STATUS = {"Json": "JSON", "Work": "JSON, events, or a job (202)", "Events": "events", "Zip": "zip archive", "Nothing": "204"}


def page(root: Path) -> str:
    """Every route, then every type that they take and give."""
    http = root / "claude-code-aws/src/http"
    source = (http / "routes/openapi.rs").read_text(encoding="utf-8")
    types: dict[str, Item] = {}
    for path in sorted(http.rglob("*.rs")):
        types |= {name: item for name, item in items(path).items() if "JsonSchema" in item.attrs}
    out = ["## Routes\n", "| route | does | answers |", "|---|---|---|", *_routes(source)]
    out.append("\n## Bodies\n")
    for name, item in types.items():
        if item.entries and name != "Dollars":
            out += _type(name, item)
    return "\n".join(out)


def _routes(source: str) -> list[str]:
    rows: list[str] = []
    starts = [*ROUTE.finditer(source)]
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(source)
        for method, _, summary, rest in METHOD.findall(source[start.end() - 1 : end]):
            good = re.findall(r"\b(Json|Work|Events|Zip|Nothing)\b", rest)
            rows.append(f"| `{method.upper()} {start[1]}` | {summary} | {STATUS[good[0]] if good else ''} |")
    if not rows:
        raise ValueError("no route was found in http/routes/openapi.rs: adapt docs/.site/http_api.py")
    return rows


def _type(name: str, item: Item) -> list[str]:
    renamed = re.search(r'rename = "(\w+)"', item.attrs)
    out = [f"### {renamed[1] if renamed else name.removesuffix('Body')}\n", f"{item.doc}\n"]
    if item.kind == "enum" and not any(entry.fields for entry in item.entries):
        return [*out, ", ".join(f"`{entry.name.lower()}`" for entry in item.entries) + "\n"]
    out += ["| field | type | meaning |", "|---|---|---|"]
    for entry in item.entries:
        if item.kind == "enum":
            out.append(f"| `action: {entry.name.lower()}` | | {entry.doc} |")
        out += [_row(inner) for inner in (entry.fields if item.kind == "enum" else [entry])]
    return [*out, ""]


def _row(entry: Entry) -> str:
    kind = (entry.type or "").replace("serde_json::Value", "any")
    optional = re.match(r"^Option<(.+)>$", kind)
    kind = re.sub(r"Vec<(.+)>", r"list of \1", optional[1] if optional else kind)
    kind = kind.replace("Body", "").replace("String", "string").replace("bool", "boolean")
    kind = re.sub(r"\b[ui]\d+\b", "integer", kind).replace("f64", "number")
    return f"| `{entry.name}` | {kind}{' or null' if optional else ''} | {entry.doc} |"
