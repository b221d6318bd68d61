"""JSON-LD contexts that are pinned: a document may name them, and nothing is ever fetched.

A project pins contexts in ``ontology/``: its own ``context.jsonld``, and what
``contexts/index.json`` lists (an object: the IRI of a context, and the file beside it that holds a
copy).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clustergraph.errors import SourceError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OWN = "ontology/context.jsonld"


def pinned(project: Path, written_base: str, base: str) -> dict[str, str]:
    """The contexts that a project pins: JSON text by IRI.

    Args:
        project: its folder.
        written_base: the base IRI in which its files are written.
        base: the one under which it is published.

    Raises:
        SourceError: the index cannot be read, or names a file that is not there.
    """
    found: dict[str, str] = {}
    own = project / OWN
    if own.is_file():
        text = own.read_text(encoding="utf-8").replace(written_base, base)
        found |= {written_base + OWN: text, base + OWN: text}
    index = project / "ontology/contexts/index.json"
    if not index.is_file():
        return found
    try:
        for iri, name in json.loads(index.read_text(encoding="utf-8")).items():
            found[iri] = (index.parent / str(name)).read_text(encoding="utf-8")
    except (OSError, ValueError, AttributeError) as error:
        raise SourceError(str(index), f"cannot be read: {error}") from error
    return found


def inlined(content: bytes, contexts: Mapping[str, str], *, name: str) -> bytes:
    """A document in which the contexts that it names stand themselves.

    Args:
        content: JSON, in UTF-8.
        contexts: those that are pinned.
        name: how the document is called in messages.

    Raises:
        SourceError: it is no JSON (names line and column), or names a context that is not pinned.
        TooLargeError: it is nested too deep.
    """
    try:
        document = json.loads(content)
        changed, document = _inlined(document, contexts, name)
    except json.JSONDecodeError as error:
        raise SourceError(name, error.msg + ".", line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise TooLargeError(f"{name} is nested too deep.", hint="Flatten it.") from error
    return json.dumps(document).encode() if changed else content


def _inlined(node: Any, contexts: Mapping[str, str], name: str) -> tuple[bool, Any]:
    """A JSON value with its contexts put in, and whether there were any."""
    if isinstance(node, list):
        parts = [_inlined(each, contexts, name) for each in node]
        return any(changed for changed, _ in parts), [part for _, part in parts]
    if not isinstance(node, dict):
        return False, node
    result: dict[str, Any] = {}
    changed = False
    for key, value in node.items():
        if key == "@context":
            inside, result[key] = _context(value, contexts, name)
        else:
            inside, result[key] = _inlined(value, contexts, name)
        changed = changed or inside
    return changed, result


def _context(value: Any, contexts: Mapping[str, str], name: str) -> tuple[bool, Any]:
    if isinstance(value, list):
        parts = [_context(each, contexts, name) for each in value]
        return any(changed for changed, _ in parts), [part for _, part in parts]
    if isinstance(value, dict) and "@import" in value:
        raise SourceError(name, "a context is imported from elsewhere.", hint=_hint(contexts))
    if not isinstance(value, str):
        return False, value
    if value not in contexts:
        raise SourceError(
            name,
            f"names the context <{value[:200]}>, which is not pinned here; none is ever fetched.",
            hint=_hint(contexts),
        )
    return True, json.loads(contexts[value]).get("@context")


def _hint(contexts: Mapping[str, str]) -> str:
    known = ", ".join(f"<{iri}>" for iri in sorted(contexts)) or "none"
    return f"Put the context itself into the document. Pinned: {known}."
