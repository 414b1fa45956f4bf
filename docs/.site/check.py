"""What must hold of the documents beyond mkdocs's own strictness. Prints every fault; exit 1 if there is one.

    python docs/.site/check.py SITE
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMITS = {"README.md": ("lines", 120), "CHANGELOG.md": ("lines", 60), "ARCHITECTURE.md": ("bytes", 8192)}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"<(?:script|img|iframe|source)[^>]+src=\"?(?:https?:)?//|<link[^>]+(?:stylesheet|preload|preconnect|icon)[^>]+href=\"?(?:https?:)?//|@import|url\(\s*[\"']?https?:")


def main(site: Path) -> int:
    """Runs every check."""
    faults = [*sizes(), *links(), *kinds(site), *messages(site), *variables(), *invariants(), *blocks(), *outside(site)]
    for fault in faults:
        print(f"docs: {fault}", file=sys.stderr)
    return 1 if faults else 0


def read(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def sizes() -> list[str]:
    """Documents stay short."""
    out = []
    for name, (unit, most) in LIMITS.items():
        size = len(read(name).splitlines()) if unit == "lines" else len(read(name).encode())
        if size > most:
            out.append(f"{name} has {size} {unit}, {most} are allowed")
    return out


def links() -> list[str]:
    """Relative links of the documents outside of the site lead somewhere."""
    out = []
    for path in [*ROOT.glob("*.md"), ROOT / "claude-code-py/README.md", ROOT / "benches/README.md"]:
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            file = target.split("#")[0]
            if file and "://" not in target and not (path.parent / file).exists():
                out.append(f"{path.relative_to(ROOT)}: {target} does not exist")
    return out


def kinds(site: Path) -> list[str]:
    """The site's search finds each kind of error."""
    found = re.findall(r'Kind::\w+ => "(\w+)"', read("claude-code-core/src/error.rs"))
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    text = " ".join(entry["text"] for entry in index["docs"] if entry["location"].startswith("troubleshooting"))
    out = [] if len(found) > 20 else ["no error kinds were found in claude-code-core/src/error.rs: adapt docs/.site/check.py"]
    return out + [f"docs/troubleshooting.md does not have the kind {kind}" for kind in found if kind not in text]


def messages(site: Path) -> list[str]:
    """Each message of the troubleshooting page is one that the source gives, and the search has its section first; each
    kind of error has such a section."""
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    _, _, page = read("docs/troubleshooting.md").partition("## Common issues")
    source = words(" ".join(path.read_text(encoding="utf-8") for path in ROOT.glob("claude-code-*/src/**/*.rs")))
    common, _, page = page.partition("## By message")
    out, told = [], set(re.findall(r"`(\w+)`", common))
    for section in page.split("\n### ")[1:]:
        title, _, text = section.partition("\n")
        told |= set(re.findall(r"`(\w+)`", text))
        for message in title.split(" / "):
            # What stands for a value is not in the source.
            parts = [words(part).split() for part in re.split(r"[A-Z]{4,}(?![_A-Z])|…|\$|`", message)]
            runs = [" ".join(part[at : at + 4]) for part in parts for at in range(max(1, len(part) - 3))]
            if not any(run in source for run in runs if run):
                out.append(f"docs/troubleshooting.md: no source has the message {message!r}")
            if not found_first(index, message, title):
                out.append(f"docs/troubleshooting.md: the search does not find {message!r} first")
    kinds_ = re.findall(r'Kind::\w+ => "(\w+)"', read("claude-code-core/src/error.rs"))
    return out + [f"docs/troubleshooting.md has no message of kind {kind}" for kind in kinds_ if kind not in told]


def words(text: str) -> str:
    """Text as the search compares it, and as it stands in a source whose lines are broken."""
    text = re.sub(r"\\\n\s*", "", text).replace("&amp;", "&")
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def found_first(index: list[dict[str, str]], message: str, title: str) -> bool:
    """Whether the section comes first for the words of a message: as many of them as possible, those of a title most."""
    asked = {word for word in words(message).split() if len(word) > 2}

    def score(entry: dict[str, str]) -> int:
        title, text = (set(words(plain(entry[part])).split()) for part in ("title", "text"))
        return 4 * len(asked & title) + len(asked & text)

    best = max(index, key=score)
    return words(plain(best["title"])) == words(title)


def plain(html: str) -> str:
    """Text without tags."""
    return re.sub(r"<[^>]+>", "", html)


def variables() -> list[str]:
    """Each environment variable is in the table."""
    files = ("env.rs", "metrics.rs")
    source, page = "".join(read(f"claude-code-aws/src/connect/config/{file}") for file in files), read("docs/reference/environment.md")
    named = set(re.findall(r'(?:get|parse|number|seconds|flag|list|text|dollars)\(\s*"([A-Z][A-Z_]+)"', source))
    named |= set(re.findall(r'\("([A-Z][A-Z_]+)", &mut config', source))
    out = [] if len(named) > 20 else ["no variables were found in connect/config/env.rs: adapt docs/.site/check.py"]
    return out + [f"docs/reference/environment.md does not have {name}" for name in sorted(named) if f"`{name}`" not in page]


def invariants() -> list[str]:
    """The test modules that ARCHITECTURE.md names exist."""
    out = []
    for row in re.findall(r"^\| \d+ \|.*$", read("ARCHITECTURE.md"), re.M):
        crate = "core"
        for word, module in re.findall(r"\b(core|aws)\b|`([a-z_:]+)`", row.split("|")[3]):
            crate = word or crate
            place = ROOT / f"claude-code-{crate}/tests" / module.replace("::", "/")
            if module and not (place.with_suffix(".rs").exists() or (place / "main.rs").exists()):
                out.append(f"ARCHITECTURE.md names the test module {module} of {crate}, which does not exist")
    return out


def blocks() -> list[str]:
    """Commands can be copied as they are, and cargo features that are named exist."""
    out = []
    manifest = read("claude-code-aws/Cargo.toml").split("[features]")[1].split("\n[")[0]
    features = {*re.findall(r"^(\w+) =", manifest, re.M), "rt", "macros"}
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        if path.name != "README.md" and re.search(r"(?m)^\$ ", text):
            out.append(f"{path.relative_to(ROOT)}: a command begins with $, which the copy button copies")
        for named in re.findall(r"features = \[([^\]]*)\]", text):
            unknown = {*re.findall(r"[\w-]+", named)} - features
            out += [f"{path.relative_to(ROOT)}: there is no cargo feature {name}" for name in sorted(unknown)]
    return out


def outside(site: Path) -> list[str]:
    """No page loads anything from another host."""
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    return [f"{page.relative_to(site)} loads from another host" for page in pages if OUTSIDE.search(page.read_text("utf-8"))]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
