"""A Linked Data Event Stream as its pages tell it: what it is, its members, where more of it is."""

from __future__ import annotations

import datetime
import functools
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import SourceError
from clustergraph.releases import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LDES = "https://w3id.org/ldes#"
_TREE = "https://w3id.org/tree#"
_URI_SPACE = "http://rdfs.org/ns/void#uriSpace"
_FEATURE = "http://www.w3.org/ns/sparql-service-description#feature"
_TITLE = "http://purl.org/dc/terms/title"

Statements = dict[str, list[rdf.Term]]
"""Of one subject in the default graph: values by property."""


@dataclass(frozen=True)
class Change:
    """What became of one thing."""

    thing: rdf.Subject
    order: tuple[str, int]
    """Time and sequence number: the later one counts."""
    quads: tuple[ox.Quad, ...]
    """All that is said of it from then on; nothing if it is gone."""


@dataclass(frozen=True)
class Release:
    """What a stream of ours says of a release behind its members."""

    number: int
    digest: str
    quads: int


class Page:
    """One page."""

    def __init__(self, quads: Iterable[ox.Quad], url: str) -> None:
        self.url = url
        self.about: dict[object, Statements] = defaultdict(lambda: defaultdict(list))
        self.graphs: dict[object, list[ox.Quad]] = defaultdict(list)
        for quad in quads:
            if isinstance(quad.graph_name, ox.DefaultGraph):
                self.about[quad.subject][quad.predicate.value].append(quad.object)  # type: ignore[arg-type]  # no triple terms
            else:
                self.graphs[quad.graph_name].append(quad)

    def nodes(self) -> list[str]:
        """The pages that it leads to, the earliest members first where relations tell it."""
        found: dict[str, str] = {}
        for told in list(self.about.values()):
            for relation in told.get(_TREE + "relation", ()):
                about = self.about.get(relation, {})
                for node in about.get(_TREE + "node", ()):
                    least = max((each.value for each in about.get(_TREE + "value", ())), default="")
                    kinds = {each.value for each in about.get(members.TYPE, ())}
                    lower = least if any("GreaterThan" in each for each in kinds) else ""
                    found[node.value] = max(lower, found.get(node.value, ""))
        return sorted(found, key=lambda node: (found[node], len(node), node))

    def is_immutable(self) -> bool:
        """Whether it says of itself that it never changes."""
        told = self.about.get(ox.NamedNode(self.url), {})
        return any(each.value in {"true", "1"} for each in told.get(_LDES + "immutable", ()))

    def releases(self) -> Iterator[Release]:
        """The releases that end on it, if the stream is one of ours."""
        for told in list(self.about.values()):
            for digest in told.get(members.CHECKSUM, ()):
                value = _one(self.about.get(digest, {}).get(members.CHECKSUM_VALUE))
                number = _one(told.get(members.SEQUENCE))
                if number.isdigit() and value:
                    quads = _one(told.get(members.STATEMENTS))
                    yield Release(int(number), value, int(quads) if quads.isdigit() else 0)


@dataclass(frozen=True)
class Stream:
    """What a stream is, from its root."""

    iri: str
    retention: str
    """Names how far back it goes; another one means: begin anew."""
    base: str
    """Of the graph, if the stream is one of ours; else ""."""
    title: str
    merged: bool
    """Whether the default graph is the merge of the others."""
    paths: dict[str, str] = field(default_factory=dict)
    """The values of ldes:timestampPath and the like, by local name."""

    def changes(self, page: Page) -> Iterator[Change]:
        """What the members on a page change.

        Raises:
            SourceError: one cannot be understood.
        """
        read = self._ours if self.base else self._theirs
        for member in page.about.get(ox.NamedNode(self.iri), {}).get(_TREE + "member", ()):
            if not isinstance(member, ox.NamedNode):
                raise SourceError(page.url, "has a member that is no IRI.")
            yield read(page, member)

    def _order(self, told: Statements) -> tuple[str, int]:
        number = _one(told.get(self.paths.get("sequencePath", "")))
        moment = _one(told.get(self.paths.get("timestampPath", "")))
        return _moment(moment), int(number if number.isdecimal() else 0)

    def _is_deleted(self, told: Statements) -> bool:
        path = self.paths.get("versionDeletePath", members.TYPE)
        marked = self.paths.get("versionDeleteObject", "")
        return bool(marked) and any(each.value == marked for each in told.get(path, ()))

    def _ours(self, page: Page, member: ox.NamedNode) -> Change:
        told = page.about[member]
        thing = _one(told.get(members.VERSION_OF))
        quads: list[ox.Quad] = []
        elsewhere: set[ox.Triple] = set()
        for part in told.get(members.HAS_PART, ()):
            content = page.graphs.get(part, [])
            elsewhere |= {quad.triple for quad in content}
            about = page.about.get(part, {})
            quads += self._placed((quad.triple for quad in content), about)
        rest = (quad.triple for quad in page.graphs.get(member, ()))
        quads += self._placed((each for each in rest if each not in elsewhere), told)
        if not thing or bool(quads) is self._is_deleted(told):
            raise SourceError(page.url, f"has a member that is not whole: {member}")
        return Change(self._named(thing), self._order(told), tuple(quads))

    def _placed(self, triples: Iterable[ox.Triple], told: Statements) -> Iterator[ox.Quad]:
        """Triples in the graph in which they stood, blank nodes as they were."""
        name = _one(told.get(members.GRAPH))
        graph = self._named(name) if name else rdf.DEFAULT_GRAPH
        for each in triples:
            yield ox.Quad(
                self._as_it_was(each.subject),  # type: ignore[arg-type]  # kinds are kept
                each.predicate,
                self._as_it_was(each.object),  # type: ignore[arg-type]
                graph,
            )

    def _named(self, iri: str) -> ox.NamedNode | ox.BlankNode:
        label = iri.removeprefix(self.base + members.GENID)
        return ox.NamedNode(iri) if label == iri else ox.BlankNode(label)

    def _as_it_was(self, term: object) -> object:
        return self._named(term.value) if isinstance(term, ox.NamedNode) else term

    def _theirs(self, page: Page, member: ox.NamedNode) -> Change:
        """A member of any stream: the thing's statements go into a graph named like the thing."""
        told = page.about.get(member, {})
        found = told.get(self.paths.get("versionOfPath", ""), [member])[0]
        thing = found if isinstance(found, ox.NamedNode) else member
        if self._is_deleted(told):
            return Change(thing, self._order(told), ())
        inside = page.graphs.get(member)
        quads = [ox.Quad(quad.subject, quad.predicate, quad.object, thing) for quad in inside or ()]
        if not inside:
            ours = {value for name, value in self.paths.items() if name.endswith("Path")}
            quads = [
                ox.Quad(thing if quad.subject == member else quad.subject, quad.predicate,
                        quad.object, thing)
                for quad in _star(page, member, set())
                if quad.subject != member or quad.predicate.value not in ours - {members.TYPE}
            ]  # fmt: skip
        prefix = "m" + hashlib.sha256(thing.value.encode()).hexdigest()[:16]
        return Change(thing, self._order(told), tuple(rdf.name_blank_nodes(quads, prefix)))


def stream_of(page: Page) -> tuple[Stream, str]:
    """The stream that a page is the root of, or names; and the address of its root.

    Raises:
        SourceError: it names none, or several.
    """
    views = [
        (subject, view.value)
        for subject, told in list(page.about.items())
        for view in told.get(_TREE + "view", ())
    ]
    here = [each for each in views if each[1] == page.url]
    if len(here or views) != 1:
        raise SourceError(
            page.url,
            "is no Linked Data Event Stream: it does not say of which it is a view."
            if not views
            else "is a view of several streams.",
            hint="Name the address of the feed, as in https://example.org/feed/ldes",
        )
    subject, root = (here or views)[0]
    told = page.about[subject]
    paths = {
        name.removeprefix(_LDES): values[0].value
        for name, values in told.items()
        if name.startswith(_LDES) and isinstance(values[0], ox.NamedNode)
    }
    about_root = page.about.get(ox.NamedNode(root), {})
    policies = about_root.get(_LDES + "retentionPolicy", ())
    retention = "\n".join(sorted(each.value for each in policies if isinstance(each, ox.NamedNode)))
    spaces = [value for each in list(page.about.values()) for value in each.get(_URI_SPACE, ())]
    ours = (
        paths.get("transactionPath") == members.GENERATED_BY
        and paths.get("sequencePath") == members.SEQUENCE
    )
    features = [
        value.value for each in list(page.about.values()) for value in each.get(_FEATURE, ())
    ]
    return Stream(
        iri=getattr(subject, "value", ""),
        retention=retention,
        base=spaces[0].value if ours and len(spaces) == 1 else "",
        title=_one(told.get(_TITLE)),
        merged=not ours or any(each.endswith("UnionDefaultGraph") for each in features),
        paths=paths,
    ), root


def _star(page: Page, subject: rdf.Subject, seen: set[rdf.Subject]) -> Iterator[ox.Quad]:
    """What is said of a member and of the blank nodes behind it (LDES 1.0, emitting members)."""
    waiting = [subject]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for name, values in page.about.get(node, {}).items():
            for value in values:
                yield ox.Quad(node, ox.NamedNode(name), value)
                if isinstance(value, ox.BlankNode):
                    waiting.append(value)


@functools.lru_cache(maxsize=1024)
def _moment(text: str) -> str:
    """A time such that texts are in the order of times; what is no time stays as it is."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return found.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _one(values: list[rdf.Term] | None) -> str:
    return values[0].value if values else ""
