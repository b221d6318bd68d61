"""The words of a passage, where whoever runs the site holds the text of the source.

A text belongs to its authors, so none is published with the graph. What is shown is proven to be
the passage: its characters have the digest that the graph gives.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph.web import views

if TYPE_CHECKING:
    from flask import Flask

    from clustergraph.pages import Passage

_LONGEST = 600
_LARGEST = 16 << 20
"""Bytes of a text beyond which it is left out."""
_CONTACT = re.compile(r"\S+@\S+\.\w|\+?\d[\d ()/.-]{7,}\d")
"""An e-mail address or a telephone number: never shown, whatever the graph says."""


def register(app: Flask) -> None:
    """Let templates quote passages."""
    app.jinja_env.filters["quoted"] = quoted


def quoted(passage: Passage) -> str:
    """The words of a passage; nothing if no text is at hand, or the words are others there."""
    settings = views.graph().settings
    if not settings.texts or passage.start is None or passage.end is None or not passage.digest:
        return ""
    for text in _texts(settings.project / settings.texts):
        words = text[passage.start : passage.end]
        if hashlib.sha256(words.encode()).hexdigest() == passage.digest:
            if _CONTACT.search(words):
                return ""
            return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"
    return ""


@lru_cache(maxsize=4)
def _texts(folder: Path) -> tuple[str, ...]:
    found = []
    for path in sorted(folder.glob("*.txt")):
        if path.is_file() and path.stat().st_size <= _LARGEST:
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return tuple(found)
