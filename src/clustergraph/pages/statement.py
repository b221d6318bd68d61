"""One statement: who says so and where, by which rule, and what is said or read besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.queries import select
from clustergraph.pages.reasons import Around, of_whole
from clustergraph.pages.rules import RULE, applied, rules
from clustergraph.pages.view import Derivation, Named, Statement, Value, statement_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clustergraph.pages.reasons import Reasons
    from clustergraph.pages.rules import Rule
    from clustergraph.pages.view import Evidence
    from clustergraph.rdf import Term
    from clustergraph.settings import Settings
    from clustergraph.store import Backend, Row


def statement(
    backend: Backend, settings: Settings, iri: str, key: str, languages: Sequence[str]
) -> Statement | None:
    """A statement about a thing; None if there is none of that key. Three queries.

    Args:
        backend: the store of the release.
        settings: of the project.
        iri: the thing.
        key: see ``statement_key``.
        languages: those of the reader, the best first.

    Raises:
        SourceError: a rule of the project cannot be read.
    """
    node = ox.NamedNode(iri)
    rows = select(backend, "own", thing=node, parts=ox.Literal(iri + "#"))
    rows = [row for row in rows if "s" in row]
    chosen = next((row for row in rows if _key(row) == key), None)
    subject: Term = chosen["s"] if chosen else node
    inferred = settings.iri("graph/inferred")
    graphs = chosen["graphs"].value.split() if chosen else []
    known: Mapping[str, Rule] = {}
    found: list[Row] = []
    around: Around | None = None
    if chosen and graphs == [inferred]:
        known = rules(backend, settings)
        found = applied(backend, known, subject, chosen["p"], chosen["o"])
    elif isinstance(subject, ox.NamedNode):
        around = Around(backend, settings.base, subject)
    labels = Labels(backend, languages)
    wanted = {iri, *graphs} | (around.iris() if around else set())
    labels.fetch(wanted | _named(rows) | _named(found))
    reader = _Reader(iri, labels, around, inferred)
    values = [reader.value(row) for row in rows if row["s"] == subject]
    values += reader.unasserted(subject, rows)
    for value, predicate in values:
        if value.key == key:
            return Statement(
                Named(subject.value, labels.of(subject.value)),
                Named(predicate, labels.of(predicate)),
                value,
                tuple(Named(each, labels.of(each)) for each in value.graphs),
                tuple(reader.derivations(found, known, settings)),
                tuple(
                    each for each, name in values if name == predicate and each.key != key
                ),
            )  # fmt: skip
    return None


def _key(row: Row) -> str:
    return statement_key(row["s"], row["p"], row["o"])


def _named(rows: Iterable[Row]) -> set[str]:
    return {term.value for row in rows for term in row.values() if isinstance(term, ox.NamedNode)}


class _Reader:
    """Makes values of solutions."""

    def __init__(self, iri: str, labels: Labels, around: Around | None, inferred: str) -> None:
        self._iri = iri
        self._labels = labels
        self._inferred = inferred
        self._reasons: Reasons = around.reasons(labels) if around else {}
        self._whole: tuple[Evidence, ...] = around.whole(labels) if around else ()

    def value(self, row: Row) -> tuple[Value, str]:
        """The value of a statement that the graph makes, and its property."""
        predicate, term = row["p"], row["o"]
        graphs = tuple(sorted(row["graphs"].value.split()))
        inferred = graphs == (self._inferred,)
        evidence = self._reasons.get((predicate, term)) or of_whole(
            term, self._whole, inferred=inferred
        )
        label = self._shown(term)
        at = self._iri
        return Value(term, label, graphs, evidence, inferred, _key(row), at), predicate.value

    def unasserted(self, subject: Term, rows: Iterable[Row]) -> list[tuple[Value, str]]:
        """Statements that only another reading makes."""
        made = {(row["p"], row["o"]) for row in rows if row["s"] == subject}
        return [
            (
                Value(
                    term, self._shown(term), (), evidence,
                    key=statement_key(subject, predicate, term), at=self._iri, asserted=False,
                ),
                predicate.value,
            )
            for (predicate, term), evidence in self._reasons.items()
            if (predicate, term) not in made
        ]  # fmt: skip

    def derivations(
        self, found: Iterable[Row], known: Mapping[str, Rule], settings: Settings
    ) -> Iterable[Derivation]:
        """How the statement follows."""
        for row in found:
            rule = known[row[RULE].value]
            iri = settings.iri(f"graph/inferred#{rule.name}")
            yield Derivation(
                Named(iri, Label(rule.title or rule.name)),
                rule.description,
                tuple(
                    (name, Value(term, self._shown(term)))
                    for name, term in sorted(row.items())
                    if name != RULE
                ),
            )

    def _shown(self, term: Term) -> Label:
        if isinstance(term, ox.NamedNode):
            return self._labels.of(term.value)
        if isinstance(term, ox.Literal):
            return Label(term.value, term.language or "")
        return Label("")
