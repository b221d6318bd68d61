"""The patterns of a group one by one, with how many solutions each has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph.rewriting.orders import Sized, sized

if TYPE_CHECKING:
    from clustergraph.grammar import Node
    from clustergraph.rewriting.known import Known
    from clustergraph.rewriting.reading import Reading

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_IRI = re.compile(r"<([A-Za-z][A-Za-z0-9+.\-]*:[^\\]*)>")
_NAMES = frozenset({"iri", "name", "ns", "a"})
_LITERALS = frozenset({"string", "number", "signed", "TRUE", "FALSE"})
_STEPS = 8.0
"""How many times as much a path of any length is taken to reach as one step."""


@dataclass(frozen=True)
class Unit:
    """A pattern that is evaluated at once."""

    node: Node
    text: str
    """As it is written; empty: as ``node`` is."""
    rows: float
    """Solutions."""
    values: dict[str, tuple[float, float]]
    """How many different values a variable has, and of how many that stand there otherwise."""
    is_triple: bool = True
    predicate: str = ""
    """IRI, where it is one step."""
    subject: str = ""
    object: str = ""
    may_be_literal: bool = True
    """Whether its object may be."""

    @property
    def size(self) -> Sized:
        """By which it is ordered."""
        return sized(self.rows, self.values, is_source=not self.is_triple)


class Splitter:
    """Takes patterns apart.

    Args:
        prefixes: of the query.
    """

    def __init__(self, reading: Reading, known: Known, prefixes: dict[str, str]) -> None:
        self._reading = reading
        self._known = known
        self._prefixes = prefixes

    @classmethod
    def of(cls, reading: Reading, known: Known) -> Splitter | None:
        """For a query; None if it is not certain what its names mean."""
        prefixes: dict[str, str] = {}
        for number, kind in enumerate(reading.kinds):
            if kind == "BASE":
                return None
            if kind == "PREFIX":
                match = _IRI.fullmatch(reading.tokens[number + 2].text)
                if match is None:
                    return None
                prefixes[reading.tokens[number + 1].text[:-1]] = match[1]
        return cls(reading, known, prefixes)

    def units(self, part: Node) -> list[Unit] | None:
        """The patterns of a part of a group; None if it is none that could be ordered."""
        if part.rule == "TriplesSameSubjectPath":
            return self._triples(part)
        if part.rule == "InlineData":
            return self._values(part)
        if part.rule == "GroupOrUnionGraphPattern" and len(part.parts) == 1:
            inner = part.parts[0].parts
            if len(inner) == 1 and inner[0].rule == "SubSelect":
                return self._selected(part, inner[0])
        return None

    def _values(self, part: Node) -> list[Unit]:
        names = list(dict.fromkeys(self._reading.variables(part.start, part.end)))
        number = sum(each.rule == "DataBlockValue" for each in part.parts)
        rows = number / max(1, len(names))
        return [Unit(part, "", rows, dict.fromkeys(names, (rows, rows)), is_triple=False)]

    def _selected(self, part: Node, select: Node) -> list[Unit] | None:
        """A subquery of a limited number of solutions."""
        clause = next(each for each in select.parts if each.rule == "SelectClause")
        limit = next((each for each in select.parts if each.rule == "LimitClause"), None)
        if limit is None or not clause.parts:
            return None
        rows = float(self._reading.tokens[limit.end - 1].text)
        names = [  # a variable, or what stands behind AS
            [*self._reading.variables(each.start, each.end)][-1]
            for each in clause.parts
            if each.rule == "SelectItem"
        ]
        return [Unit(part, "", rows, dict.fromkeys(names, (rows, rows)), is_triple=False)]

    def _triples(self, part: Node) -> list[Unit] | None:
        kinds = self._reading.kinds
        if not part.parts or part.parts[0].start - part.start != 1:
            return None
        found = []
        for path in part.parts:
            if not path.parts:
                return None
            for each in path.parts:
                unit = self._triple(part, (path.start, path.parts[0].start), each)
                if unit is None:
                    return None
                found.append(unit)
        return found if kinds[part.start] in {"var", "iri", "name", "ns"} else None

    def _triple(self, part: Node, predicate: tuple[int, int], value: Node) -> Unit | None:
        kinds = self._reading.kinds
        is_literal = kinds[value.start] in _LITERALS
        plain = value.end - value.start == 1 and kinds[value.start] in {"var", "iri", "name", "ns"}
        if not plain and not is_literal:
            return None
        constant = self._iri(value.start) if plain else None
        steps = self._steps(predicate, constant)
        if steps is None:
            return None
        rows, subjects, objects, name = steps
        subject = next(self._reading.variables(part.start, part.start + 1), "")
        object_ = next(self._reading.variables(value.start, value.end), "")
        if not object_:
            rows = (
                rows / objects
                if constant is None or not name
                else self._known.matching(name, constant)
            )
        predicates = float(max(1, len(self._known.predicates)))
        values = dict.fromkeys(self._reading.variables(*predicate), (predicates, predicates))
        if {subject, object_} & values.keys():
            return None
        if subject:
            values[subject] = min(subjects, rows), subjects
        else:
            rows /= subjects
        if object_:
            values[object_] = min(objects, rows), objects
        if subject == object_ or not values:
            return None
        text = " ".join(
            [self._reading.slice(part.start, part.start + 1), self._reading.slice(*predicate),
             self._reading.slice(value.start, value.end)]
        )  # fmt: skip
        may_be_literal = not name or self._known.predicate(name).literals > 0
        return Unit(
            part, text, max(rows, 0.01), values, predicate=name, subject=subject,
            object=object_, may_be_literal=may_be_literal,
        )  # fmt: skip

    def _steps(
        self, predicate: tuple[int, int], value: str | None
    ) -> tuple[float, float, float, str] | None:
        """Triples, subjects and objects of a path, and its predicate where it is one step."""
        start, end = predicate
        kinds = self._reading.kinds[start:end]
        if kinds == ["var"]:
            number = float(max(1, self._known.triples))
            return number, max(1.0, number / 5), max(1.0, number / 2), ""
        backwards = kinds[0] == "^"
        many = kinds[-1] == "+"
        inner = range(start + backwards, end - many)
        if len(inner) > 1 and not (backwards or many):
            return self._alternatives(inner)
        if len(inner) != 1 or kinds[backwards] not in _NAMES:
            return None
        name = self._iri(inner[0])
        if name is None:
            return None
        figures = self._known.predicate(name)
        rows, subjects, objects = map(float, (figures.triples, figures.subjects, figures.objects))
        if many:
            rows *= _STEPS
        if backwards:
            subjects, objects = objects, subjects
        return rows, subjects, objects, "" if backwards or many else name

    def _alternatives(self, tokens: range) -> tuple[float, float, float, str] | None:
        """Of predicates beside each other."""
        kinds = self._reading.kinds[tokens.start : tokens.stop]
        if len(kinds) % 2 == 0 or any(
            (kind not in _NAMES) if number % 2 == 0 else kind != "|"
            for number, kind in enumerate(kinds)
        ):
            return None
        names = [self._iri(tokens[number]) for number in range(0, len(tokens), 2)]
        if None in names:
            return None
        figures = [self._known.predicate(name) for name in names if name is not None]
        return (
            float(sum(each.triples for each in figures)),
            float(sum(each.subjects for each in figures)),
            float(sum(each.objects for each in figures)),
            "",
        )

    def _iri(self, number: int) -> str | None:
        """The IRI that a token stands for; None if it is none, or not certain."""
        kind, text = self._reading.kinds[number], self._reading.tokens[number].text
        if kind == "a":
            return _TYPE
        if kind == "iri":
            match = _IRI.fullmatch(text)
            return None if match is None else match[1]
        prefix, colon, local = text.partition(":")
        if not colon or "\\" in local or "%" in local or prefix not in self._prefixes:
            return None
        return self._prefixes[prefix] + local
