"""Relative references resolved against a base (RFC 3986 section 5.2), as the engine does it."""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)


def resolve(reference: str, base: str) -> str:
    """The absolute IRI that a reference stands for; itself if there is no base."""
    found = _PARTS.fullmatch(reference)
    if found is None or found["scheme"] is not None:
        return reference if found is None else _without_dots_in(reference)
    root = _PARTS.fullmatch(base)
    if not base or root is None:
        return reference
    authority, path, query = found["authority"], found["path"], found["query"]
    if authority is not None:
        path = _without_dots(path)
    else:
        authority = root["authority"]
        if not path:
            path = root["path"]
            query = root["query"] if query is None else query
        elif path.startswith("/"):
            path = _without_dots(path)
        else:
            folder = root["path"].rpartition("/")[0]
            has_folder = "/" in root["path"] or authority is not None
            path = _without_dots(f"{folder}/{path}" if has_folder else path)
    return _joined(root["scheme"], authority, path, query, found["fragment"])


def _without_dots_in(iri: str) -> str:
    """Section 5.2.2 takes dot segments out of references with a scheme too."""
    if "/." not in iri:
        return iri
    found = _PARTS.fullmatch(iri)
    if found is None:
        return iri
    return _joined(
        found["scheme"],
        found["authority"],
        _without_dots(found["path"]),
        found["query"],
        found["fragment"],
    )


def _joined(
    scheme: str | None, authority: str | None, path: str, query: str | None, fragment: str | None
) -> str:
    return "".join(
        (
            f"{scheme}:" if scheme is not None else "",
            f"//{authority}" if authority is not None else "",
            path,
            f"?{query}" if query is not None else "",
            f"#{fragment}" if fragment is not None else "",
        )
    )


def _without_dots(path: str) -> str:
    """Section 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment in {".", ".."}:
            if segment == ".." and len(kept) > 1:
                kept.pop()
            if is_last:
                kept.append("")
        else:
            kept.append(segment)
    return "/".join(kept)
