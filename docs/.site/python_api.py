"""The Python reference: signatures from the stub, words from the docstrings' sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path

FIRST = ("Client", "AsyncClient", "Generation", "Stream", "Batch", "BatchItem", "Receipt", "ReceiptItem", "CodeFile")
OWNER = re.compile(r"(?m)^[ \t]*(?:record! \{\s*(?:///[^\n]*\s*)*(?:#\[[^\n]*\s*)*|(?:pub(?:\(crate\))? )?struct |impl )\$?(\w+)\b(?! for)")
PIPE, NEWLINE = "\\|", "\n"
SHARED = {"Client": "_Client", "AsyncClient": "_Client"}
DOC = re.compile(r"((?:[ \t]*///[^\n]*\n)+)(?:[ \t]*#\[[^\n]*\n)*[ \t]*(?:pub(?:\(\w+\))? )?(?:fn (\w+)|(\w+)[:(])")


def page(root: Path) -> str:
    """Every public class with its members, then exceptions and functions."""
    package = root / "claude-code-py"
    tree = ast.parse((package / "python/claude_code/_claude_code.pyi").read_text(encoding="utf-8"))
    public = set(re.findall(r'"(\w+)"', (package / "python/claude_code/__init__.py").read_text().split("__all__")[1]))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    words = _words(package)
    out: list[str] = ["## Classes\n"]
    named = [name for name in (*FIRST, *sorted(classes)) if name in classes and name in public]
    errors = [name for name in dict.fromkeys(named) if name.endswith("Error")]
    for name in dict.fromkeys(named):
        if name not in errors:
            out += _class(name, classes, words)
    out += ["\n## Exceptions\n", "| exception | raised when |", "|---|---|"]
    source = (package / "src/convert/error.rs").read_text(encoding="utf-8")
    for name in errors:
        found = re.search(rf'\b{name}: "([^"]+)"', source) or re.search(rf'(?s){name},\s*PyException,\s*"(.*?)"', source)
        told = " ".join(found[1].replace("\\\n", "").split()) if found else "A limit on waiting passed. Also a TimeoutError."
        out.append(f"| `{name}` | {told} |")
    out.append("\nEach exception has `.kind`, `.hint`, `.request_id`, `.receipt`, `.partial` and `.retry_after`.\n")
    return "\n".join(out)


def _class(name: str, classes: dict[str, ast.ClassDef], words: dict[str, str]) -> list[str]:
    body = [*classes[name].body]
    if name in SHARED:
        body = [*classes[SHARED[name]].body, *body]
    out = [f"### {name}\n", _prose(words.get(name, "")) + "\n"]
    if name.startswith("Async") and name[5:] in classes:
        return [*out, f"Its members are those of [{name[5:]}](#{name[5:].lower()}); methods return awaitables.\n"]
    fields = [node for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    rows = []
    for node in fields:
        field = node.target.id  # type: ignore[union-attr]
        kind = re.sub(r"^(?:Final|ClassVar)\[(.*)\]$", r"\1", ast.unparse(node.annotation)).replace("|", PIPE)
        if not field.startswith("_"):
            rows.append(f"| `{field}` | `{kind}` | {_found(words, name, field).replace('|', PIPE).replace(NEWLINE, ' ')} |")
    if rows:
        out += ["| field | type | meaning |", "|---|---|---|", *rows, ""]
    seen: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in seen:
            seen.add(node.name)
            out += _method(name, node, words)
    return out


def _method(owner: str, node: ast.FunctionDef, words: dict[str, str]) -> list[str]:
    given = re.sub(r"^self(, )?", "", ast.unparse(node.args))
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    doc = ast.get_docstring(node) or _found(words, owner, node.name)
    return [f"#### {owner}.{node.name}\n", f"```python\n{owner}.{node.name}({given}){returns}\n```\n", _prose(doc) + "\n"]


def _found(words: dict[str, str], owner: str, member: str) -> str:
    return words.get(f"{owner}.{member}") or words.get(f".{member}") or ""


def _prose(doc: str) -> str:
    """Options as a list, examples as code."""
    out: list[str] = []
    example: list[str] = []
    for line in doc.splitlines():
        if line.startswith(">>>") or (example and line.strip()):
            example.append(line)
            continue
        if example:
            out.append("```pycon\n" + "\n".join(example) + "\n```")
            example = []
        option = re.match(r"^(\w+): (.*)", line)
        out.append(f"- `{option[1]}`: {option[2]}" if option else f"{line}")
    if example:
        out.append("```pycon\n" + "\n".join(example) + "\n```")
    return re.sub(r"(?m)^(?!- )(.+)\n(- `)", r"\1\n\n\2", "\n".join(out))


def _words(package: Path) -> dict[str, str]:
    """Docstrings by `Class` and `Class.member`, as the module's source has them."""
    words: dict[str, str] = {}
    alone: dict[str, set[str]] = {}
    for path in sorted((package / "src").rglob("*.rs")):
        text = path.read_text(encoding="utf-8")
        marks = [(m.start(), m[1]) for m in OWNER.finditer(text)]
        for found in DOC.finditer(text):
            doc = "\n".join(line.strip()[3:].removeprefix(" ") for line in found[1].strip().splitlines())
            owner = next((name for start, name in reversed(marks) if start <= found.start()), "")
            member = found[2] or found[3]
            if member[0].isupper():
                words.setdefault(member, doc)
            else:
                words.setdefault(f"{'Client' if owner == 'client' else owner}.{member}", doc)
                alone.setdefault(member, set()).add(doc)
        for found in re.finditer(r"((?:\s*///[^\n]*\n)+)(?:\s*#\[[^\n]*\n)*\s*pub(?:\(crate\))? struct (\w+)", text):
            words.setdefault(found[2], "\n".join(line.strip()[3:].strip() for line in found[1].strip().splitlines()))
    for path in (package / "docs").glob("*.md"):
        words[f"Client.{path.stem}"] = path.read_text(encoding="utf-8")
    # Macros hide the owner of some members: a name that has one docstring only is known without it.
    return words | {f".{member}": doc for member, docs in alone.items() if len(docs) == 1 for doc in docs}
