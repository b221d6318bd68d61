"""What a maintainer may have meant: the nearest term or thing, a forgotten language tag."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.positions.source import OBJECT, PREDICATE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.positions import Source
    from clustergraph.positions.reader import Record
    from clustergraph.validation.report import Finding

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_NEAR = 0.7
_MOST = 5000


def mend(each: Finding, record: Record, role: int, sources: Sequence[Source]) -> tuple[str, str]:
    """A help in words and the text to put at the place; both empty if there is nothing to say.

    Args:
        each: the finding.
        record: the statement that it is about.
        role: which of its terms is at fault.
        sources: all files.
    """
    if role == SUBJECT:
        return "", ""
    key = record[OBJECT] if role == OBJECT else record[PREDICATE]
    if key.startswith('"'):
        return _language(each, record, key, sources) if role == OBJECT else ("", "")
    if key.startswith("_:") or ":" not in key or any(source.knows(key) for source in sources):
        return "", ""
    kind = "Property" if role == PREDICATE else "Class" if record[PREDICATE] == TYPE else ""
    near = _nearest(key, sources, kind)
    if not near:
        return "", ""
    short = _short(near, sources)
    return f"Do you mean {short}?", short


def _nearest(iri: str, sources: Sequence[Source], kind: str) -> str:
    """The thing in the same namespace whose name is most like it.

    Args:
        iri: what was written.
        sources: all files.
        kind: how the class of what may stand there ends; "" for anything.
    """
    cut = max(iri.rfind("/"), iri.rfind("#")) + 1
    namespace, name = iri[:cut], iri[cut:]
    names = dict.fromkeys(key[cut:] for source in sources for key in source.described(namespace))
    near = get_close_matches(name, list(names)[:_MOST], 5, _NEAR)
    fitting = (namespace + each for each in near if _is(namespace + each, kind, sources))
    return next(fitting, "")


def _is(iri: str, kind: str, sources: Sequence[Source]) -> bool:
    """Whether a thing may be of a kind: where nobody says of which it is, it may."""
    if not kind:
        return True
    thing, kinds = ox.NamedNode(iri), ox.NamedNode(TYPE)
    types = [record[OBJECT] for source in sources for record in source.records(thing, kinds)]
    return not types or any(each.endswith(kind) for each in types)


def _short(iri: str, sources: Sequence[Source]) -> str:
    """An IRI as the files write it."""
    best = ""
    for source in sources:
        old, new = source.moved
        for prefix, written in source.prefixes.items():
            start = new + written[len(old) :] if old and written.startswith(old) else written
            local = iri[len(start) :]
            if iri.startswith(start) and local.replace("-", "").replace("_", "").isalnum():
                short = f"{prefix}:{local}"
                best = short if not best or len(short) < len(best) else best
    return best or f"<{iri}>"


def _language(
    each: Finding, record: Record, key: str, sources: Sequence[Source]
) -> tuple[str, str]:
    """A text without a language where the other values of its property have one."""
    value = each.value
    is_plain = isinstance(value, ox.Literal) and key.endswith('"') and not value.language
    if not is_plain:
        return "", ""
    others = [
        other
        for source in sources
        for other in source.values(record[PREDICATE])
        if other.startswith('"') and other != key
    ]
    tagged = sum('"@' in other for other in others)
    if not others or tagged * 2 < len(others):
        return "", ""
    return f"Say its language: {value}@en, if it is English.", f"{value}@en"
