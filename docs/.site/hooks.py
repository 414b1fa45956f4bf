"""Hooks of mkdocs: `<!-- generate: NAME -->` becomes a reference page's body, or another document of the repository."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import cli  # noqa: E402
import http_api  # noqa: E402
import python_api  # noqa: E402

MARK = re.compile(r"^<!-- generate: ([\w./-]+) -->$", re.M)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its generated parts, without what tells readers of the source where they are."""
    if page.file.src_uri.startswith("decisions/"):
        page.meta.setdefault("search", {"boost": 0.3})  # for those who search for a reason, after those who have a problem
    markdown = re.sub(r"(?m)^The site has .*\n", "", markdown)
    return MARK.sub(lambda found: _generated(found[1]), markdown)


def _generated(name: str) -> str:
    pages = {"cli": cli.page, "http": http_api.page, "python": python_api.page, "decisions": _decisions}
    return pages[name](ROOT) if name in pages else _document(name)


def _decisions(root: Path) -> str:
    """A link to each page of the folder."""
    out = []
    for path in sorted((root / "docs/decisions").glob("*.md")):
        if path.name != "index.md":
            title = path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
            out.append(f"- [{title}]({path.name})")
    return "\n".join(out)


def _document(name: str) -> str:
    """A document of the repository without its title, with links that hold here."""
    text = (ROOT / name).read_text(encoding="utf-8").split("\n", 1)[1]
    return text.replace("](docs/", "](")
