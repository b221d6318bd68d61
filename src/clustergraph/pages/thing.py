"""The page of one thing: its statements with labels, graphs and evidence, and what leads to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.layout import Field, Layout, layout
from clustergraph.pages.maps import world_map
from clustergraph.pages.queries import select
from clustergraph.pages.reasons import Around, Reasons, is_evidence, of_whole
from clustergraph.pages.supports import Supported
from clustergraph.pages.view import (
    Evidence,
    Group,
    Incoming,
    Line,
    Page,
    Property,
    Table,
    Value,
    statement_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clustergraph.rdf import Term
    from clustergraph.store import Backend, Row

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_SKOSXL = "http://www.w3.org/2008/05/skos-xl#"
_DCTERMS = "http://purl.org/dc/terms/"
_SCHEMA = "https://schema.org/"
TYPE = _RDF + "type"
_DESCRIPTIONS = (_DCTERMS + "description", _SKOS + "definition", _SKOS + "scopeNote")
_FIRST = (
    _SKOS + "prefLabel",
    _SKOS + "altLabel",
    _DCTERMS + "title",
    "http://xmlns.com/foaf/0.1/name",
)
_PLAIN = frozenset({TYPE, *_FIRST, _SKOSXL + "prefLabel", _SKOSXL + "altLabel"})
"""Properties that are no column of a table: they stand in its first one."""
_ORDERING = (_SCHEMA + "startDate", _SCHEMA + "position")
"""Properties by which the lines of a table are ordered, before their names."""
_COLUMNS = 7
SHOWN = 25
"""Things that are shown of each kind of incoming links; the rest on a page of its own."""

_Key: TypeAlias = "tuple[str, bool]"


def page(
    backend: Backend,
    base: str,
    iri: str,
    languages: Sequence[str],
    *,
    everything: str = "",
    number: int = 1,
) -> Page | None:
    """The page of a thing, or None if nothing is said of it; three queries, whatever its size.

    Args:
        backend: the store of the release.
        base: the base IRI.
        iri: the thing.
        languages: those of the reader, the best first.
        everything: a property whose incoming links are all wanted.
        number: of a source, the page of what it supports.
    """
    node = ox.NamedNode(iri)
    fields = layout(backend, base)
    rows = select(
        backend,
        "statements",
        thing=node,
        parts=ox.Literal(iri + "#"),
        tables=_nodes(fields.tables),
        inverse_tables=_nodes(fields.inverse_tables),
        cg_measures=ox.NamedNode(f"{base}ontology#measures"),
        cg_isAbout=ox.NamedNode(f"{base}ontology#isAbout"),
        cg_isEditionOf=ox.NamedNode(f"{base}ontology#isEditionOf"),
    )
    rows = [row for row in rows if "s" in row]
    around = Around(backend, base, node)
    if not rows and not around.links:
        return None
    supported = Supported(around.supported, number)
    labels = Labels(backend, languages)
    labels.fetch(_iris(rows, iri) | around.iris() | supported.iris() | fields.groups)
    reader = _Reader(node, labels, fields, f"{base}graph/inferred", everything)
    found = reader.page(rows, around)
    return replace(found, supports=supported.page(labels), world=world_map(around.places, labels))


def _nodes(iris: Iterable[str]) -> list[ox.NamedNode]:
    return [ox.NamedNode(iri) for iri in sorted(iris)] or [ox.NamedNode("urn:x-none")]


def _iris(rows: Iterable[Row], iri: str) -> set[str]:
    found = {iri}
    for row in rows:
        found |= {term.value for term in row.values() if isinstance(term, ox.NamedNode)}
        graphs = row.get("graphs")
        if graphs is not None:
            found |= set(graphs.value.split())
    return found


class _Reader:
    """Makes a page of the solutions of its queries."""

    def __init__(
        self, node: ox.NamedNode, labels: Labels, fields: Layout, inferred: str, everything: str
    ) -> None:
        self._node = node
        self._labels = labels
        self._layout = fields
        self._inferred = inferred
        self._everything = everything
        self._tables: dict[_Key, dict[Term, list[Row]]] = defaultdict(lambda: defaultdict(list))
        self._leading: dict[str, set[str]] = defaultdict(set)
        self._rivals: dict[str, list[Value]] = defaultdict(list)

    def page(self, rows: Iterable[Row], around: Around) -> Page:
        """The page of the thing."""
        sections: dict[Term, list[Row]] = defaultdict(list)
        beside: dict[Term, list[Row]] = defaultdict(list)
        for row in rows:
            if "beside" in row:
                beside[row["s"]].append(row)
            elif "link" in row:
                self._tables[row["link"].value, False][row["s"]].append(row)
            elif "back" in row:
                self._tables[row["back"].value, True][row["s"]].append(row)
            else:
                sections[row["s"]].append(row)
        parts = tuple(
            self._section(subject, found, {})
            for subject, found in sorted(sections.items(), key=lambda each: str(each[0]))
            if subject != self._node
        )
        for row in around.links:
            if isinstance(row["s"], ox.NamedNode):
                self._leading[row["p"].value].add(row["s"].value)
        whole = around.whole(self._labels)
        own = sections.get(self._node, [])
        main = self._section(self._node, own, around.reasons(self._labels), whole)
        if len(beside) > 1 or (beside and self._node not in beside):
            kinds = {row["beside"].value for found in beside.values() for row in found}
            main = replace(main, beside=self._table(beside), beside_by=min(kinds))
        return replace(main, parts=parts, incoming=self._incoming())

    def _section(
        self, subject: Term, rows: Iterable[Row], reasons: Reasons,
        whole: tuple[Evidence, ...] = (),
    ) -> Page:  # fmt: skip
        values, descriptions, graphs = self._values(rows, reasons, whole)
        for (predicate, term), evidence in reasons.items():
            if not any(each.term == term for each in values.get(predicate.value, ())) and not any(
                each.term == term for each in descriptions
            ):
                self._rivals[predicate.value].append(
                    Value(
                        term, self._shown(term), (), evidence,
                        key=statement_key(subject, predicate, term), at=self._at(subject),
                        asserted=False,
                    )
                )  # fmt: skip
        types = [each for each in values.get(TYPE, []) if each.iri]
        classes = [each.iri for each in types]
        groups = self._groups(values, classes) if subject == self._node else ()
        for name in [each for each in values if each != TYPE and _told(values[each], whole)]:
            del values[name]
        labels = self._labels
        return Page(
            iri=subject.value,
            label=labels.of(subject.value),
            descriptions=self._best(descriptions),
            types=tuple(
                sorted((each for each in types if not each.inferred), key=lambda each: each.iri)
            ),
            groups=groups,
            stated=self._properties(values, inferred=False),
            inferred=self._properties(values, inferred=True),
            parts=(),
            incoming=(),
            graphs=tuple(sorted((name, labels.of(name)) for name in graphs)),
            whole=whole,
            classes=tuple(sorted(classes)),
            other_types=tuple(self._rivals.pop(TYPE, ())),
        )

    def _at(self, subject: Term) -> str:
        """The thing on whose page a statement is explained: for a part, that of the whole."""
        if isinstance(subject, ox.NamedNode) and not subject.value.startswith(
            f"{self._node.value}#"
        ):
            return subject.value
        return self._node.value

    def _best(self, descriptions: Iterable[Value]) -> tuple[Value, ...]:
        """Texts, those in the reader's languages first."""
        found = {each.term: each for each in descriptions}
        literals = [each for each in found if isinstance(each, ox.Literal)]
        return tuple(found[each] for each in self._labels.best(literals))

    def _values(
        self, rows: Iterable[Row], reasons: Reasons, whole: tuple[Evidence, ...] = ()
    ) -> tuple[dict[str, list[Value]], list[Value], set[str]]:
        """The values of each property; descriptions apart; the graphs that say anything."""
        values: dict[str, list[Value]] = defaultdict(list)
        descriptions: list[Value] = []
        graphs: set[str] = set()
        for row in rows:
            predicate, term = row["p"], row["o"]
            names = tuple(sorted(row["graphs"].value.split()))
            graphs |= set(names)
            inferred = names == (self._inferred,)
            value = Value(
                term, self._shown(term), names,
                reasons.get((predicate, term)) or of_whole(term, whole, inferred=inferred),
                inferred, statement_key(row["s"], predicate, term), self._at(row["s"]),
            )  # fmt: skip
            if predicate.value in _DESCRIPTIONS and isinstance(term, ox.Literal):
                descriptions.append(value)
            else:
                values[predicate.value].append(value)
        return values, descriptions, graphs

    def _shown(self, term: Term) -> Label:
        if isinstance(term, ox.NamedNode):
            return self._labels.of(term.value)
        if isinstance(term, ox.Literal):
            return Label(term.value, term.language or "")
        return Label("(unnamed)")

    # -- what the shapes place -----------------------------------------------------------------

    def _groups(self, values: dict[str, list[Value]], types: Iterable[str]) -> tuple[Group, ...]:
        """The groups of the thing's classes; takes what they hold out of the rest."""
        found: dict[str, list[Property]] = defaultdict(list)
        for field in self._layout.of(types):
            lines = self._tables.get(field.key, {})
            if field.inverse:
                iris = self._ordered(self._leading.pop(field.predicate, set()))
                held = [self._pointing(each, field.predicate) for each in iris]
            else:
                held = _sorted(values.pop(field.predicate, []))
            held = [each for each in held if each.term not in lines]
            shown = held
            if field.inverse and field.predicate != self._everything:
                shown = held[:SHOWN]
            if shown or lines:
                found[field.group].append(
                    Property(
                        field.predicate,
                        self._name(field),
                        tuple(shown),
                        field.inverse,
                        self._table(lines) if lines else None,
                        len(held),
                        () if field.inverse else tuple(self._rivals.pop(field.predicate, ())),
                    )
                )
        return tuple(
            Group(iri, self._labels.of(iri), tuple(properties)) for iri, properties in found.items()
        )

    def _pointing(self, iri: str, predicate: str) -> Value:
        """A thing whose statement leads here, with the name of that statement."""
        term = ox.NamedNode(iri)
        key = statement_key(term, ox.NamedNode(predicate), self._node)
        return Value(term, self._labels.of(iri), key=key, at=iri)

    def _name(self, field: Field) -> Label:
        literals = [ox.Literal(text, language=tag or None) for tag, text in field.names]
        for best in self._labels.best(literals)[:1]:
            return Label(best.value, best.language or "")
        return self._labels.of(field.predicate)

    def _table(self, found: Mapping[Term, list[Row]]) -> Table:
        """Values as lines, with the columns that their classes have."""
        things = {node: self._values(rows, {}) for node, rows in found.items()}
        every = {name for values, _, _ in things.values() for name in values}
        classes = {each.iri for values, _, _ in things.values() for each in values.get(TYPE, [])}
        placed = [each.predicate for each in self._layout.of(classes) if not each.inverse]
        columns = [
            name
            for name in (placed or sorted(every, key=self._place))
            if name not in _PLAIN and any(self._says(each[0], name) for each in things.values())
        ][:_COLUMNS]
        described = any(texts for _, texts, _ in things.values())
        lines = [
            (
                tuple(_number(values, name) for name in _ORDERING),
                Line(
                    node.value,
                    self._labels.of(node.value),
                    (
                        *((self._description(texts),) if described else ()),
                        *(self._cell(values, name) for name in columns),
                    ),
                ),
            )
            for node, (values, texts, _) in things.items()
        ]
        lines.sort(key=lambda each: (each[0], each[1].label.text.casefold(), each[1].iri))
        names = [*([_DESCRIPTIONS[0]] if described else []), *columns]
        return Table(
            tuple((name, self._labels.of(name)) for name in names),
            tuple(line for _order, line in lines),
        )

    def _description(self, texts: Iterable[Value]) -> tuple[Value, ...]:
        return self._best(texts)[:1]

    def _says(self, values: Mapping[str, list[Value]], name: str) -> bool:
        """Whether something is stated that no other column says."""
        return any(not each.inferred for each in self._cell(values, name))

    def _cell(self, values: Mapping[str, list[Value]], name: str) -> tuple[Value, ...]:
        """The values of a column, without the thing whose page it is."""
        return tuple(_sorted(each for each in values.get(name, ()) if each.term != self._node))

    # -- the rest ------------------------------------------------------------------------------

    def _properties(
        self, values: Mapping[str, list[Value]], *, inferred: bool
    ) -> tuple[Property, ...]:
        rivals = {} if inferred else self._rivals
        empty: dict[str, list[Value]] = {iri: [] for iri in rivals}
        found = empty | {
            iri: [each for each in held if each.inferred is inferred]
            for iri, held in values.items()
        }
        found.pop(TYPE, None)
        return tuple(
            Property(
                iri, self._labels.of(iri), tuple(_sorted(held)), rivals=tuple(rivals.pop(iri, ()))
            )
            for iri, held in sorted(found.items(), key=lambda each: self._place(each[0]))
            if held or iri in rivals
        )

    def _place(self, iri: str) -> tuple[int, str]:
        """Names first, then what the project's own vocabulary says, then the rest."""
        if iri in _FIRST:
            return (_FIRST.index(iri), "")
        own = "/ontology#" in iri
        return (len(_FIRST) + (0 if own else 1), self._labels.of(iri).text.casefold())

    def _ordered(self, iris: Iterable[str]) -> list[str]:
        return sorted(iris, key=lambda iri: (self._labels.of(iri).text.casefold(), iri))

    def _incoming(self) -> tuple[Incoming, ...]:
        sections = []
        for predicate in sorted(self._leading, key=lambda each: self._labels.of(each).text):
            ordered = self._ordered(self._leading[predicate])
            shown = ordered if self._everything == predicate else ordered[:SHOWN]
            sections.append(
                Incoming(
                    predicate,
                    self._labels.of(predicate),
                    tuple(self._pointing(iri, predicate) for iri in shown),
                    len(ordered),
                    len(shown) == len(ordered),
                )
            )
        return tuple(sections)


def _told(values: Iterable[Value], whole: tuple[Evidence, ...]) -> bool:
    """Whether all values are told where the page says why the thing is believed."""
    return all(is_evidence(each.iri, whole) for each in values)


def _sorted(values: Iterable[Value]) -> list[Value]:
    return sorted(values, key=lambda each: (each.label.text.casefold(), str(each.term)))


def _number(values: Mapping[str, list[Value]], name: str) -> tuple[float, str]:
    """By what a line is ordered: a number, or a text such as a date; what has none comes last."""
    text = min((each.term.value for each in values.get(name, ())), default="")
    try:
        return float(text), ""
    except ValueError:
        return float("inf"), text or "\uffff"
