"""A thing in the words of schema.org, for search engines: JSON-LD in its page; data, no script.

What is said with schema.org's own terms is given as it is; other classes and properties by those of
schema.org to which the ontology aligns them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.pages import Page, Value, Vocabulary

_SCHEMA = ("https://schema.org/", "http://schema.org/")
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_MATCHING = (
    f"{_SKOS}exactMatch", f"{_SKOS}closeMatch", f"{_SKOS}broadMatch",
    "http://www.w3.org/2002/07/owl#equivalentClass",
    "http://www.w3.org/2002/07/owl#equivalentProperty",
    "http://www.w3.org/2000/01/rdf-schema#subClassOf",
    "http://www.w3.org/2000/01/rdf-schema#subPropertyOf",
)  # fmt: skip
_SAME = frozenset({f"{_SKOS}exactMatch", "http://www.w3.org/2002/07/owl#sameAs"})
_WELL_KNOWN = {
    "http://www.w3.org/ns/org#Organization": "Organization",
    "http://xmlns.com/foaf/0.1/Organization": "Organization",
    "http://xmlns.com/foaf/0.1/Person": "Person",
    "http://xmlns.com/foaf/0.1/Document": "CreativeWork",
    "http://xmlns.com/foaf/0.1/Project": "Project",
    "http://purl.org/dc/terms/Location": "Place",
    f"{_SKOS}Concept": "DefinedTerm",
    f"{_SKOS}ConceptScheme": "DefinedTermSet",
    "http://www.w3.org/ns/dcat#Dataset": "Dataset",
}
"""Classes of vocabularies that everybody uses, where no alignment says more."""
_MOST_VALUES = 20
_LONGEST = 1000


def thing(page: Page, known: Vocabulary, address: str) -> dict[str, Any]:
    """What a page shows, as schema.org has it.

    Args:
        page: of the thing.
        known: the vocabulary of the release.
        address: of the page.
    """
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@id": page.iri,
        "@type": _types(page, known),
        "name": _text(page.label.text, page.label.language),
        "url": address,
        "mainEntityOfPage": address,
    }
    for each in page.descriptions[:1]:
        found["description"] = _text(each.label.text, each.label.language)
    for predicate, value in _stated(page):
        if predicate in _SAME and value.iri:
            found.setdefault("sameAs", []).append(value.iri)
        for name in _properties(predicate, known):
            if name not in {"name", "description", "url"}:
                held = found.setdefault(name, [])
                if isinstance(held, list) and len(held) < _MOST_VALUES:
                    given = _value(value)
                    if given not in held:
                        held.append(given)
    return found


def _types(page: Page, known: Vocabulary) -> list[str]:
    found = {
        name
        for iri in page.classes
        for each in (iri, *known.values(iri, *_MATCHING))
        if (name := _own(each))
    }
    found = found or {_WELL_KNOWN[each] for each in page.classes if each in _WELL_KNOWN}
    return sorted(found) or ["Thing"]


def _stated(page: Page) -> Iterator[tuple[str, Value]]:
    placed = (each for group in page.groups for each in group.properties if not each.inverse)
    for each in (*placed, *page.stated, *page.inferred):
        for value in each.values:
            yield each.iri, value


def _properties(predicate: str, known: Vocabulary) -> Iterable[str]:
    own = _own(predicate)
    if own:
        return [own]
    return [name for each in known.values(predicate, *_MATCHING) if (name := _own(each))]


def _own(iri: str) -> str:
    """The name of a term of schema.org; nothing for any other."""
    for namespace in _SCHEMA:
        if iri.startswith(namespace):
            return iri.removeprefix(namespace)
    return ""


def _value(value: Value) -> object:
    if value.iri:
        name = _text(value.label.text, value.label.language)
        return {"@id": value.iri, "name": name} if value.iri.startswith("http") else value.iri
    if isinstance(value.term, ox.Literal) and value.term.language:
        return _text(value.term.value, value.term.language)
    return value.label.text[:_LONGEST]


def _text(text: str, language: str) -> object:
    short = text[:_LONGEST]
    return {"@value": short, "@language": language} if language else short
