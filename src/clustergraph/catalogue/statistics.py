"""What is counted of the data: triples, classes, properties, links to other datasets (VoID)."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.catalogue.graph import DCTERMS, RDF, VOID, Description

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from clustergraph.settings import Settings

_LOCAL = re.compile(r"([^#/]+)[#/]?$")
_HOST = re.compile(r"https?://([^/?#]+)")
_TYPE = ox.NamedNode(RDF + "type")
_LINKS = frozenset(
    ox.NamedNode(iri)
    for iri in (
        "http://www.w3.org/2002/07/owl#sameAs",
        "http://www.w3.org/2000/01/rdf-schema#seeAlso",
        *(
            f"http://www.w3.org/2004/02/skos/core#{kind}Match"
            for kind in ("exact", "close", "broad", "narrow", "related")
        ),
        *(f"{scheme}://schema.org/sameAs" for scheme in ("http", "https")),
    )
)
"""Properties that say that a thing is described elsewhere too."""


class Statistics:
    """What is counted of triples that come and go; one that came twice counts once."""

    def __init__(self, triples: Iterable[ox.Triple], base: str) -> None:
        self._base = base
        self._triples: Counter[ox.Triple] = Counter()
        self.subjects: Counter[object] = Counter()
        self.objects: Counter[object] = Counter()
        self.members: dict[str, set[object]] = {}
        self._typed: Counter[object] = Counter()
        self.uses: Counter[str] = Counter()
        self.links: dict[tuple[str, str], Counter[str]] = {}
        """What things under the base are linked to, by property and host of the target."""
        self.change(added=triples)

    def __len__(self) -> int:
        return len(self._triples)

    @property
    def entities(self) -> int:
        """How many things have a class."""
        return len(self._typed)

    def change(self, *, added: Iterable[ox.Triple] = (), removed: Iterable[ox.Triple] = ()) -> None:
        """Count triples that come, and no longer those that go: each as often as it came."""
        for triple in added:
            self._triples[triple] += 1
            if self._triples[triple] == 1:
                self._count(triple, 1)
        for triple in removed:
            if not _step(self._triples, triple, -1):
                self._count(triple, -1)

    def _count(self, triple: ox.Triple, step: int) -> None:
        subject, predicate, target = triple.subject, triple.predicate, triple.object
        _step(self.subjects, subject, step)
        _step(self.objects, target, step)
        _step(self.uses, predicate.value, step)
        if isinstance(target, ox.NamedNode):
            if predicate == _TYPE:
                self._member(subject, target.value, step)
            if predicate in _LINKS:
                self._link(subject, predicate.value, target.value, step)

    def _member(self, thing: object, kind: str, step: int) -> None:
        members = self.members.setdefault(kind, set())
        (members.add if step > 0 else members.discard)(thing)
        if not members:
            del self.members[kind]
        _step(self._typed, thing, step)

    def _link(self, subject: object, predicate: str, target: str, step: int) -> None:
        """Count a link, if it leads from us to others."""
        ours = isinstance(subject, ox.NamedNode) and subject.value.startswith(self._base)
        host = _HOST.match(target)
        if ours and host and not target.startswith(self._base):
            links = self.links.setdefault((predicate, host[1]), Counter())
            _step(links, target, step)
            if not links:
                del self.links[predicate, host[1]]


def _step(counter: Counter[Any], key: object, step: int) -> int:
    """Count up or down; what is not there any more is not kept."""
    counter[key] += step
    left = counter[key]
    if not left:
        del counter[key]
    return left


def count(d: Description, iri: str, statistics: Statistics, settings: Settings) -> None:
    """Say what was counted, of a dataset and of its parts."""
    members, uses = statistics.members, statistics.uses
    d.number(iri, VOID + "triples", len(statistics))
    d.number(iri, VOID + "distinctSubjects", len(statistics.subjects))
    d.number(iri, VOID + "distinctObjects", len(statistics.objects))
    d.number(iri, VOID + "classes", len(members))
    d.number(iri, VOID + "properties", len(uses))
    d.number(iri, VOID + "entities", statistics.entities)
    for name, kind in _partition_names(members, settings):
        d.take(_class_partition(d.graph.value, iri, name, kind, len(members[kind])))
    for name, predicate in _partition_names(uses, settings):
        d.take(_property_partition(d.graph.value, iri, name, predicate, uses[predicate]))
    for (predicate, host), targets in sorted(statistics.links.items()):
        ending = f"{_local(predicate)}-{re.sub(r'[^a-z0-9]+', '-', host.lower()).strip('-')}"
        part, target = f"{iri}#links-{ending}", f"{iri}#target-{ending}"
        d.add(iri, VOID + "subset", part)
        d.add(part, RDF + "type", VOID + "Linkset")
        d.text(part, DCTERMS + "title", f"Links to {host}: {_local(predicate)}")
        d.add(part, VOID + "linkPredicate", predicate)
        d.add(part, VOID + "subjectsTarget", iri)
        d.add(part, VOID + "objectsTarget", target)
        d.number(part, VOID + "triples", targets.total())
        d.add(target, RDF + "type", VOID + "Dataset")
        d.text(target, DCTERMS + "title", host)
        if space := _space(targets):
            d.add(target, VOID + "uriSpace", ox.Literal(space))


@lru_cache(maxsize=10_000)
def _class_partition(
    graph: str, iri: str, name: str, kind: str, entities: int
) -> tuple[ox.Quad, ...]:
    """What is said of a class; kept, since most counts stay as they are."""
    d, part = Description(graph), f"{iri}#class-{name}"
    d.add(iri, VOID + "classPartition", part)
    d.add(part, VOID + "class", kind)
    d.number(part, VOID + "entities", entities)
    return tuple(d.quads)


@lru_cache(maxsize=10_000)
def _property_partition(
    graph: str, iri: str, name: str, predicate: str, triples: int
) -> tuple[ox.Quad, ...]:
    """The same of a property."""
    d, part = Description(graph), f"{iri}#property-{name}"
    d.add(iri, VOID + "propertyPartition", part)
    d.add(part, VOID + "property", predicate)
    d.number(part, VOID + "triples", triples)
    return tuple(d.quads)


def _space(targets: Collection[str]) -> str:
    """What the IRIs of a dataset begin with."""
    first, last = min(targets), max(targets)
    alike = (
        position for position, each in enumerate(first) if last[position : position + 1] != each
    )
    common = first[: next(alike, len(first))]
    return common[: max(common.rfind("/"), common.rfind("#")) + 1]


@lru_cache(maxsize=10_000)
def _local(term: str) -> str:
    match = _LOCAL.search(term)
    return re.sub(r"[^\w-]+", "-", match[1]) if match else "x"


def _partition_names(terms: Iterable[str], settings: Settings) -> Iterator[tuple[str, str]]:
    """A readable fragment for each IRI; where two end alike, the later gets a number.

    Our own come first, so that the names do not depend on the base.
    """
    seen: Counter[str] = Counter()
    for term in sorted(terms, key=lambda iri: (not iri.startswith(settings.base), iri)):
        local = _local(term)
        seen[local] += 1
        yield (local if seen[local] == 1 else f"{local}-{seen[local]}"), term
