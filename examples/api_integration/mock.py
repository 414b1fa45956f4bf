"""A mock of an OpenAPI document: checks each request against it and answers from its schemas.

    python mock.py openapi.json                serves until it is ended, and prints its URL
    python mock.py openapi.json COMMAND...     serves while the command runs, which has its URL in API_URL

What the document does not allow is answered with 422 and the place of the fault, a missing token with 401. `Prefer:
code=404` asks for another of the documented answers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
TEXTS = {
    "date": "2026-11-30",
    "date-time": "2026-11-30T12:00:00Z",
    "uuid": "01a22d16-bcd7-7c0d-a21d-20b35453f76e",
    "uri": "https://example.com/",
}


class Document:
    """The document, with its references followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operations = [
            (re.compile(re.sub(r"\\\{[^}]+\\\}", "([^/]+)", re.escape(path)) + "$"), path, method, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict)
        ]

    def find(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, str]] | None:
        for pattern, template, wanted, operation in sorted(
            self.operations, key=lambda found: found[1].count("{")
        ):
            match = pattern.match(path)
            if match and wanted == method.lower():
                return operation, dict(
                    zip(re.findall(r"{([^}]+)}", template), map(urllib.parse.unquote, match.groups()))
                )
        return None

    def at(self, value: Any) -> Any:
        while isinstance(value, dict) and "$ref" in value:
            place: Any = self.document
            for part in value["$ref"].lstrip("#/").split("/"):
                place = place[part.replace("~1", "/").replace("~0", "~")]
            value = place
        return value

    def faults(self, schema: Any, value: Any, place: str) -> list[str]:
        schema = self.at(schema)
        if schema is True or not isinstance(schema, dict):
            return [] if schema is not False else [f"{place} is not allowed"]
        found: list[str] = []
        for part in schema.get("allOf", []):
            found += self.faults(part, value, place)
        for key in ("anyOf", "oneOf"):
            if key in schema and all(self.faults(part, value, place) for part in schema[key]):
                found.append(f"{place} fits none of {key}")
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(is_a(value, kind) for kind in kinds):
            return [*found, f"{place} is no {' or '.join(kinds)}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{place} is none of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            found.append(f"{place} is not {schema['const']!r}")
        return found + self.bounds(schema, value, place)

    def bounds(self, schema: dict[str, Any], value: Any, place: str) -> list[str]:
        found = []
        if isinstance(value, str):
            if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
                found.append(f"{place} has {len(value)} characters")
            if "pattern" in schema and not re.search(schema["pattern"], value):
                found.append(f"{place} does not match {schema['pattern']}")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                found.append(f"{place} is {value}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                found += self.faults(schema.get("items", True), item, f"{place}[{index}]")
        elif isinstance(value, dict):
            known = schema.get("properties", {})
            found += [
                f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value
            ]
            for name, item in value.items():
                rest = schema.get("additionalProperties", True)
                found += self.faults(known.get(name, rest), item, f"{place}.{name}")
        return found

    def sample(self, schema: Any, depth: int = 0) -> Any:
        schema = self.at(schema)
        if not isinstance(schema, dict):
            return None
        for key in ("example", "default", "const"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.sample(schema[key][0], depth)
        if "allOf" in schema:
            parts = [self.sample(part, depth) for part in schema["allOf"]]
            return {name: item for part in parts if isinstance(part, dict) for name, item in part.items()}
        kind = schema.get("type", "object" if "properties" in schema else "null")
        kind = kind if isinstance(kind, str) else kind[0]
        if kind == "object":
            required = schema.get("required", [])
            wanted = schema.get("properties", {}).items()
            return {
                name: self.sample(item, depth + 1) for name, item in wanted if depth < 3 or name in required
            }
        if kind == "array":
            return [] if depth > 2 else [self.sample(schema.get("items", {}), depth + 1)]
        if kind == "string":
            return TEXTS.get(schema.get("format", ""), "text".ljust(schema.get("minLength", 0), "t"))
        return {"integer": max(1, schema.get("minimum", 1)), "number": 1.5, "boolean": True}.get(kind)


def is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    return isinstance(value, TYPES.get(kind, object))


def from_text(schema: dict[str, Any], text: str) -> Any:
    """A value of a query, a header or a path, as its schema says it."""
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind or []
    try:
        if "integer" in kinds or "number" in kinds:
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    except ValueError:
        return text
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


class Handler(BaseHTTPRequestHandler):
    """Answers from the document."""

    document: Document
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Says nothing: the command's own output is what counts."""

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        found = self.document.find(self.command, url.path)
        if found is None:
            return self.answer(
                404, {"title": "Not Found", "status": 404, "detail": f"no {self.command} {url.path}"}
            )
        operation, parts = found
        security = operation.get("security", self.document.document.get("security", []))
        if (
            security
            and {} not in security
            and not any(name in self.headers for name in ("Authorization", "X-Api-Key"))
        ):
            return self.answer(401, {"title": "Unauthorized", "status": 401})
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        faults = self.parameters(operation, parts, query) + self.body(operation, raw)
        if faults:
            return self.answer(
                422, {"title": "Unprocessable Entity", "status": 422, "detail": "; ".join(faults)}
            )
        return self.documented(operation)

    def parameters(
        self, operation: dict[str, Any], parts: dict[str, str], query: dict[str, str]
    ) -> list[str]:
        found = []
        places: dict[str, Any] = {"path": parts, "query": query, "header": self.headers}
        known = [self.document.at(parameter) for parameter in operation.get("parameters", [])]
        for parameter in known:
            name, given = parameter["name"], places.get(parameter["in"], {})
            schema = self.document.at(parameter.get("schema", {}))
            if name in given:
                found += self.document.faults(schema, from_text(schema, given[name]), name)
            elif parameter.get("required"):
                found.append(f"{name} is missing")
        names = {parameter["name"] for parameter in known}
        return found + [f"{name} is not known" for name in query if name not in names]

    def body(self, operation: dict[str, Any], raw: bytes) -> list[str]:
        wanted = self.document.at(operation.get("requestBody"))
        if not wanted:
            return []
        if not raw:
            return ["the body is missing"] if wanted.get("required") else []
        schema: Any = next(
            (kind.get("schema", {}) for name, kind in wanted["content"].items() if "json" in name), {}
        )
        try:
            return self.document.faults(schema, json.loads(raw), "body")
        except ValueError:
            return ["the body is no JSON"]

    def documented(self, operation: dict[str, Any]) -> None:
        asked = re.search(r"code=(\d+)", self.headers.get("Prefer", ""))
        codes = [code for code in operation["responses"] if code.isdigit() and code.startswith("2")] or [
            "200"
        ]
        code = asked.group(1) if asked else codes[0]
        response = self.document.at(
            operation["responses"].get(code, operation["responses"].get("default", {}))
        )
        content = response.get("content", {})
        accepts = self.headers.get("Accept", "")
        if "text/event-stream" in content and "event-stream" in accepts:
            return self.send(
                int(code),
                "text/event-stream",
                b'event: message\ndata: {"text": "one"}\n\ndata: {"text": "two"}\n\n',
            )
        kind = next((kind for name, kind in content.items() if "json" in name), None)
        value = self.document.sample(kind.get("schema", {})) if kind else None
        if code.startswith("4") and value is None:
            value = {"title": response.get("description", "Error"), "status": int(code)}
        return self.answer(int(code), value)

    def answer(self, code: int, value: Any) -> None:
        kind = "application/problem+json" if code >= 400 else "application/json"
        self.send(code, kind, b"" if value is None else json.dumps(value).encode())

    def send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        if body:
            self.send_header("Content-Type", kind)
        if code == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any  # noqa: N815


def main() -> int:
    document = Document(json.loads(Path(sys.argv[1]).read_text()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"document": document}))
    url = f"http://127.0.0.1:{server.server_address[1]}"
    if len(sys.argv) == 2:
        print(url, flush=True)
        server.serve_forever()
        return 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return subprocess.run(sys.argv[2:], env={**os.environ, "API_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
