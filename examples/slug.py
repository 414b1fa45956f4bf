"""Titles as parts of URLs."""

import re
import unicodedata


def slug(title):
    """Return a title in lower case, its words joined by hyphens and without accents."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))
