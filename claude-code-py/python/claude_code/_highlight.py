"""Syntax highlighting of notebook cards by Pygments, which every notebook has; plain text where it is missing."""

from __future__ import annotations

import time
from typing import Any

# Lexers by our names of languages. Others are not looked up: code and its language are what a model wrote.
ALIASES = {
    "bash": "bash",
    "c": "c",
    "cpp": "cpp",
    "csharp": "csharp",
    "css": "css",
    "dart": "dart",
    "dockerfile": "docker",
    "elixir": "elixir",
    "go": "go",
    "haskell": "haskell",
    "html": "html",
    "ini": "ini",
    "java": "java",
    "javascript": "javascript",
    "json": "json",
    "kotlin": "kotlin",
    "lua": "lua",
    "makefile": "make",
    "perl": "perl",
    "php": "php",
    "powershell": "powershell",
    "python": "python",
    "r": "r",
    "ruby": "ruby",
    "rust": "rust",
    "scala": "scala",
    "sql": "sql",
    "swift": "swift",
    "terraform": "terraform",
    "toml": "toml",
    "tsx": "tsx",
    "typescript": "typescript",
    "xml": "xml",
    "yaml": "yaml",
}
# Longer code and longer lines are shown plain: an expression of a lexer may take long for what was made to make it.
MAX_CHARACTERS = 60_000
MAX_LINE = 2_000
SECONDS = 0.5

# A piece of code, and the class that it is shown in: k(eyword), s(tring), c(omment), n(umber), or none.
Piece = tuple[str, str]


def pieces(code: str, language: str) -> list[Piece]:
    """The code in pieces, which are the code again when joined."""
    plain = [("", code)]
    alias = ALIASES.get(language)
    if alias is None or len(code) > MAX_CHARACTERS or any(len(line) > MAX_LINE for line in code.split("\n")):
        return plain
    try:
        from pygments.lexers import get_lexer_by_name
        from pygments.token import Token
    except ImportError:
        return plain
    lexer: Any = get_lexer_by_name(alias)
    classes = [
        (Token.Comment, "c"),
        (Token.Literal.String, "s"),
        (Token.Literal.Number, "n"),
        (Token.Keyword, "k"),
        (Token.Operator.Word, "k"),
        (Token.Name.Tag, "k"),
    ]
    until = time.monotonic() + SECONDS
    found: list[Piece] = []
    length = 0
    for _, kind, text in lexer.get_tokens_unprocessed(code):
        found.append((next((name for parent, name in classes if kind in parent), ""), text))
        length += len(text)
        if time.monotonic() > until:
            found.append(("", code[length:]))
            break
    return found if "".join(text for _, text in found) == code else plain
