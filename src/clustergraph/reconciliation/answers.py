"""Suggestions, previews and values of things: what a client asks for beside candidates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.reconciliation import matching, names, scoring
from clustergraph.reconciliation.queries import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.reconciliation.things import Things

LATE = b"late"
"""What a worker says instead of an answer that takes too long."""
_XSD = "http://www.w3.org/2001/XMLSchema#"
_INTEGERS = frozenset(
    _XSD + each
    for each in (
        "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger",
        "negativeInteger", "nonPositiveInteger", "unsignedInt", "unsignedLong", "unsignedShort",
        "unsignedByte",
    )
)  # fmt: skip
_FLOATS = frozenset(_XSD + each for each in ("decimal", "double", "float"))
_INTEGER = re.compile(r"^[+-]?\d{1,300}$", re.ASCII)
_FLOAT = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$", re.ASCII)
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")
_LIKE = 60.0  # likeness at which a suggestion is made that does not begin with the text
_FACTS = 6  # statements in a preview
_DEFAULT_TYPES = 12


def types(things: Things, base: str, languages: Sequence[str]) -> list[dict[str, str]]:
    """The types that most things have: those of the project first, then others with a name."""
    known = [each for each, _ in things.counts.most_common() if things.has_name(each)]
    known.sort(key=lambda each: not each.startswith(base))
    return matching.named(things, known[:_DEFAULT_TYPES], languages)


def suggest(
    things: Things, kind: str, prefix: str, page: slice, languages: Sequence[str]
) -> list[dict[str, Any]]:
    """What a text may be the beginning of.

    Args:
        things: those of the release.
        kind: ``entity``, ``type`` or ``property``.
        prefix: what was typed: the beginning of a name, or an identifier.
        page: which suggestions are wanted; has an end.
        languages: in which they are named.
    """
    if kind == "entity":
        chosen = [things.iris[number] for number in _entities(things, prefix, page.stop)[page]]
    else:
        known = [each for each, _ in things.counts.most_common()] if kind == "type" \
            else things.properties  # fmt: skip
        chosen = _terms(things, known, prefix, languages)[page]
    return [_suggestion(things, iri, kind, languages) for iri in chosen]


def _entities(things: Things, prefix: str, most: int) -> list[int]:
    found: dict[int, None] = {}
    number = things.numbers.get(things.resolved(prefix))
    if number is not None:
        found[number] = None
    plain = names.folded(prefix)
    index = things.index
    if plain or not prefix.strip():
        begun = [index.names[each] for each in index.starting(plain, 4 * most + 40)]
        begun.sort(key=lambda each: (each.rank >= 5, len(each.folded), each.folded))
        found |= dict.fromkeys(each.thing for each in begun)
    if len(found) < most and plain:
        for each in index.candidates(plain, None, most + 50):
            name = index.names[each]
            likeness = scoring.score(plain, name.folded, name.rank, index.weight)
            if likeness >= _LIKE or _goes_on(plain, name.folded):
                found.setdefault(name.thing)
    return list(found)[:most]


def _goes_on(plain: str, name: str) -> bool:
    """Whether each word of a text is the beginning of a word of a name."""
    words = name.split()
    return all(any(word.startswith(each) for word in words) for each in plain.split())


def _terms(
    things: Things, known: Sequence[str], prefix: str, languages: Sequence[str]
) -> list[str]:
    plain, exact = names.folded(prefix), things.resolved(prefix)
    ranked: list[tuple[int, int, str]] = []
    for place, iri in enumerate(known):
        label = names.folded(things.name(iri, languages))
        local = names.folded(iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1])
        if iri == exact:
            ranked.append((0, place, iri))
        elif label.startswith(plain) or local.startswith(plain):
            ranked.append((1, place, iri))
        elif _goes_on(plain, label) or plain in local:
            ranked.append((2, place, iri))
    return [iri for _, _, iri in sorted(ranked)]


def _suggestion(things: Things, iri: str, kind: str, languages: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": iri, "name": things.name(iri, languages)}
    if kind == "entity":
        told["notable"] = matching.named(things, things.types_of(things.numbers[iri]), languages)
    description = things.description(iri, languages)
    return told | ({"description": description} if description else {})


def propose(
    things: Things, type_iri: str, most: int, languages: Sequence[str]
) -> list[dict[str, str]]:
    """The properties that things of a type have; with no type, all that are in use."""
    found = things.proposed(things.resolved(type_iri)) if type_iri else things.properties
    return matching.named(things, found[:most], languages)


def extend(
    things: Things,
    ids: Sequence[str],
    properties: Sequence[tuple[str, int]],
    languages: Sequence[str],
) -> dict[str, Any]:
    """Values of properties of things.

    Args:
        things: those of the release.
        ids: the things.
        properties: each with how many of its values are wanted; 0: all.
        languages: in which values are named; texts in other languages come after.

    Returns:
        ``meta`` (the properties with their names) and ``rows`` (by thing, by property, the values).
    """
    meta = [
        {"id": each, "name": things.name(things.resolved(each), languages)}
        for each, _ in properties
    ]
    rows = {
        each: {
            prop: _told(things, things.resolved(each), things.resolved(prop), most, languages)
            for prop, most in properties
        }
        for each in ids
    }
    return {"meta": meta, "rows": rows}


def _told(
    things: Things, iri: str, prop: str, most: int, languages: Sequence[str]
) -> list[dict[str, Any]]:
    values = things.values(iri, prop)
    values.sort(key=lambda each: _place(each, languages))
    told = [value(things, each, languages) for each in values if not isinstance(each, ox.BlankNode)]
    return told[:most] if most else told


def _place(term: Any, languages: Sequence[str]) -> int:
    language = (getattr(term, "language", None) or "").lower()
    return languages.index(language) if language in languages else len(languages)


def value(things: Things, term: Any, languages: Sequence[str]) -> dict[str, Any]:
    """A value as data extension gives it (section 7.4): thing, number, date or text."""
    if isinstance(term, ox.NamedNode):
        return {"id": term.value, "name": things.name(term.value, languages)}
    text, datatype = term.value, term.datatype.value
    found: dict[str, Any] = {"str": text}
    if datatype in _INTEGERS and _INTEGER.match(text):
        found = {"int": int(text)}
    elif datatype in _FLOATS and _FLOAT.match(text):  # JSON has no infinity
        found = {"float": float(text)}
    elif datatype == f"{_XSD}date" and _DAY.match(text):
        found = {"date": f"{text}T00:00:00Z"}
    elif datatype == f"{_XSD}dateTime" and _MOMENT.match(text):
        found = {"date": text}
    return found


def preview(things: Things, iri: str, languages: Sequence[str]) -> dict[str, Any] | None:
    """What a small page about a thing or a term shows; None if the graph does not know it."""
    iri = things.resolved(iri)
    number = things.numbers.get(iri)
    if number is None and not things.has_name(iri) and not things.is_known(iri):
        return None
    kinds = things.types_of(number) if number is not None else ()
    other: list[str] = []
    if number is not None:
        held = [things.index.names[each] for each in things.index.of_thing[number]]
        other = list(dict.fromkeys(each.text for each in sorted(held, key=lambda e: e.rank)))
    name = things.name(iri, languages)
    return {
        "id": iri,
        "name": name,
        "description": things.description(iri, languages),
        "types": [each["name"] for each in matching.named(things, kinds[:3], languages)],
        "names": [each for each in other if each != name][:_FACTS],
    }


def answer(things: Things, request: dict[str, Any]) -> Any:
    """What a request of the front is answered with."""
    languages = request["languages"]
    asked = request["do"]
    if asked == "match":
        return matching.match(things, Query.from_fields(request["query"]), languages)
    if asked == "suggest":
        page = slice(request["start"], request["start"] + request["most"])
        return suggest(things, request["kind"], request["prefix"], page, languages)
    if asked == "types":
        return types(things, request["base"], languages)
    if asked == "propose":
        return propose(things, request["type"], request["most"], languages)
    if asked == "extend":
        return extend(things, request["ids"], request["properties"], languages)
    if asked == "preview":
        return preview(things, request["id"], languages)
    raise ValueError(asked)
