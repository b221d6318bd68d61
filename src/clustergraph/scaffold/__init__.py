"""A first project: the files that ``clustergraph init`` writes."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

from clustergraph.errors import NoSpaceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEMPLATE = Path(__file__).resolve().parent / "template"
_BARE = Path(__file__).resolve().parent / "bare"
_MIRROR = Path(__file__).resolve().parent / "mirror"
DEFAULT_BASE = "http://127.0.0.1:8080/"
"""Works at once on the machine at hand; changed before the first publication."""


def init(
    folder: Path,
    *,
    title: str | None = None,
    base: str | None = None,
    bare: bool = False,
    mirrored: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a new project; gives the files written.

    Args:
        folder: where; made if it is not there, and must be empty if it is.
        title: of the dataset; its slug is made of the folder's name.
        base: the base IRI; ends with '/'.
        bare: an empty project that is served as a plain SPARQL store.
        mirrored: a project for a mirror instead: ``origin`` and ``default_graph`` of what it shows.

    Raises:
        UsageError: the folder holds something already.
        NoSpaceError: it cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", hint="Name a new folder.")
    slug = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "project"
    values = {
        "slug": slug,
        "title": (title or slug.replace("-", " ").capitalize()).replace('"', "'"),
        "base": base or DEFAULT_BASE,
    }
    written: list[Path] = []
    try:
        template = _MIRROR if mirrored else _BARE if bare else _TEMPLATE
        values |= mirrored or {}
        for source in sorted(path for path in template.rglob("*") if path.is_file()):
            target = folder / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = string.Template(source.read_text(encoding="utf-8")).safe_substitute(values)
            target.write_text(text, encoding="utf-8")
            written.append(target)
        ignored = folder / ".gitignore"
        ignored.write_text("/var/\n/data/restricted/\n", encoding="utf-8")
    except OSError as error:
        raise NoSpaceError(f"{folder} cannot be written: {error.strerror}") from error
    return [*written, ignored]
