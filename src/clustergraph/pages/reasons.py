"""What surrounds a thing: what leads to it, and why its statements are believed; one query."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph.pages.labels import Label
from clustergraph.pages.queries import select
from clustergraph.pages.view import Ambiguity, Evidence, Named, Passage, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.pages.labels import Labels
    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row

Reasons: TypeAlias = "Mapping[tuple[Term, Term], tuple[Evidence, ...]]"
"""The attestations of each statement of a thing, by predicate and object."""

_NAMES = (
    "certainty", "rationale", "hasPassage", "firstLine", "lastLine", "inAnnouncement",
    "supportsTriple", "hasReading", "isPreferred", "passageSha256",
)  # fmt: skip
_LINKED = ("p", "o", "s", "certainty", "author", "value", "ambiguity", "reading")
_DETAILS = {
    "firstLine": "first", "lastLine": "last", "inAnnouncement": "told", "hasSource": "source",
    "passageSha256": "digest", "start": "start", "end": "end",
}  # fmt: skip
"""How the details of a passage are called here, by the end of their property."""


class Around:
    """What the graph says around a thing."""

    def __init__(self, backend: Backend, base: str, node: ox.NamedNode) -> None:
        """Ask.

        Args:
            backend: the store of the release.
            base: the base IRI.
            node: the thing.
        """
        terms = {f"cg_{name}": ox.NamedNode(f"{base}ontology#{name}") for name in _NAMES}
        self._node = node
        self._rows: dict[str, list[Row]] = defaultdict(list)
        for row in select(backend, "around", thing=node, **terms):
            self._rows[row["kind"].value].append(row)

    @property
    def links(self) -> list[Row]:
        """What points to the thing: ``p`` and ``s``."""
        return self._rows["link"]

    @property
    def supported(self) -> list[Row]:
        """What passages of the thing support: ``why``, the passage, and the statement if any."""
        return self._rows["support"]

    @property
    def places(self) -> list[Row]:
        """Where the thing is, or what it names: ``s`` with a code of a country or a point."""
        return self._rows["place"]

    def iris(self) -> set[str]:
        """Things that are named with the reasons and the links."""
        return {
            row[name].value
            for kind in ("link", "reason", "passage", "reading", "place")
            for row in self._rows[kind]
            for name in _LINKED
            if isinstance(row.get(name), ox.NamedNode)
        }

    def whole(self, labels: Labels) -> tuple[Evidence, ...]:
        """Why the thing is believed as a whole: its own passages."""
        found = [row for row in self._rows["reason"] if row["why"] == self._node]
        return self._evidence(found[:1], labels)

    def reasons(self, labels: Labels) -> Reasons:
        """The attestations of its statements."""
        grouped: dict[tuple[Term, Term], dict[Term, Row]] = defaultdict(dict)
        for row in self._rows["reason"]:
            if "p" in row and "o" in row:
                grouped[row["p"], row["o"]].setdefault(row["why"], row)
        return {key: self._evidence(found.values(), labels) for key, found in grouped.items()}

    def _evidence(self, rows: Iterable[Row], labels: Labels) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(
                row["why"].value,
                named(row.get("certainty"), labels),
                _label(row, "rationale"),
                named(row.get("author"), labels),
                _text(row, "created"),
                self._passages(row["why"], labels),
                self._ambiguities(row["why"], labels),
                whole=row["why"] == self._node,
            )
            for row in sorted(rows, key=lambda each: each["why"].value)
        )

    def _passages(self, why: Term, labels: Labels) -> tuple[Passage, ...]:
        held: dict[str, dict[str, Term]] = {}
        for row in self._rows["passage"]:
            if row["why"] == why:
                about = held.setdefault(row["passage"].value, {"passage": row["passage"]})
                if "detail" in row:
                    end = row["detail"].value.rpartition("#")[2]
                    about[_DETAILS[end]] = row["value"]
        found = {iri: passage(about, labels) for iri, about in held.items()}
        return tuple(sorted(found.values(), key=lambda each: (each.first or 0, each.iri)))

    def _ambiguities(self, why: Term, labels: Labels) -> tuple[Ambiguity, ...]:
        grouped: dict[str, dict[str, Reading]] = defaultdict(dict)
        mine = {row["mine"] for row in self._rows["reading"] if row["why"] == why}
        for row in self._rows["reading"]:
            if row["why"] == why:
                iri = row["reading"].value
                grouped[row["ambiguity"].value][iri] = Reading(
                    iri,
                    labels.of(iri),
                    _text(row, "preferred") in {"true", "1"},
                    row["reading"] in mine,
                    _label(row, "rationale"),
                )
        return tuple(
            Ambiguity(
                iri,
                labels.of(iri),
                tuple(sorted(found.values(), key=lambda each: (not each.preferred, each.iri))),
            )
            for iri, found in sorted(grouped.items())
        )


def of_whole(term: Term, whole: tuple[Evidence, ...], *, inferred: bool) -> tuple[Evidence, ...]:
    """What the evidence for a thing says of one statement about it that has none of its own.

    Args:
        term: the value of the statement.
        whole: the evidence for the thing.
        inferred: whether the statement follows by rule: no passage says it.
    """
    if inferred or (isinstance(term, ox.NamedNode) and is_evidence(term.value, whole)):
        return ()
    return whole


def is_evidence(iri: str, whole: Iterable[Evidence]) -> bool:
    """Whether it is a passage itself, or the author or the certainty that go with it."""
    return any(
        iri
        in {
            *(one.iri for one in each.passages),
            *(one.iri for one in (each.author, each.certainty) if one),
        }
        for each in whole
    )


def passage(row: Row, labels: Labels) -> Passage:
    """The passage that a solution describes."""
    return Passage(
        row["passage"].value,
        named(row.get("source"), labels),
        named(row.get("told"), labels),
        _number(row, "first"),
        _number(row, "last"),
        _number(row, "start"),
        _number(row, "end"),
        _text(row, "digest"),
    )


def named(term: Term | None, labels: Labels) -> Named | None:
    """A thing with its name; None if it is none."""
    return Named(term.value, labels.of(term.value)) if isinstance(term, ox.NamedNode) else None


def _text(row: Row, name: str) -> str:
    term = row.get(name)
    return term.value if isinstance(term, ox.Literal) else ""


def _label(row: Row, name: str) -> Label | None:
    term = row.get(name)
    return Label(term.value, term.language or "") if isinstance(term, ox.Literal) else None


def _number(row: Row, name: str) -> int | None:
    text = _text(row, name)
    return int(text) if text.isascii() and text.isdecimal() else None
