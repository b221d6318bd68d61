"""Look the findings of a report up in the files: at which line and column each is.

Nothing is read before there is a finding, and only files that say something of it are read with
positions.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from clustergraph.positions import Place
from clustergraph.positions.source import GRAPH, OBJECT, PREDICATE, SUBJECT
from clustergraph.validation import suggest
from clustergraph.validation.report import Related, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clustergraph.positions import Source
    from clustergraph.positions.reader import Record
    from clustergraph.validation.report import Finding

Spot: TypeAlias = "tuple[Source, Record]"

_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_SH = "http://www.w3.org/ns/shacl#"
_STEP = re.compile(r"(\^?)<?([A-Za-z][A-Za-z0-9+.-]*:[^\s()|^*?>]+)")
_SEVERAL = {_SH + "MaxCountConstraintComponent", _SH + "UniqueLangConstraintComponent"}


def located(
    report: Report, sources: Sequence[Source], *, named: Callable[[str], str] = str
) -> Report:
    """The report with the places of its findings.

    Args:
        report: what was found.
        sources: the files, those of the data first.
        named: how the file of a rule is called to people.
    """
    if not report.findings:
        return report
    _tell(sources, report)
    search = _Search(sources, named)
    findings = [search.find(each) for each in report.findings]
    return replace(report, findings=tuple(sorted(findings, key=lambda each: each.order)))


def _tell(sources: Iterable[Source], report: Report) -> None:
    """Tell the files which things will be asked for."""
    things: set[str] = set()
    described: set[str] = set()
    for each in report.findings:
        exactly = each.exactly.shape if each.exactly is not None else None
        for term in (each.focus, each.value, exactly):
            if isinstance(term, ox.NamedNode):
                things.add(term.value)
        if isinstance(each.focus, ox.Literal):
            return  # it may be in any statement
        described.update(iri for _inverse, iri in _STEP.findall(each.path))
        described.add(each.shape)
    for source in sources:
        source.seek(things, described)


class _Search:
    def __init__(self, sources: Sequence[Source], named: Callable[[str], str]) -> None:
        self._sources = sources
        self._named = named
        self._rules: dict[object, Spot | None] = {}

    def find(self, each: Finding) -> Finding:
        """The finding with its place, and the others that help."""
        if each.place is not None:
            return each
        spots, role = self._best(each)
        if not spots:
            return replace(each, related=self._shape(each))
        (source, record), others = spots[0], spots[1:]
        related: list[Related] = []
        if each.component in _SEVERAL and others and each.value is None:
            *before, (source, record) = spots  # what came first may stay
            role = OBJECT
            related += [
                Related("it is also given here", at.place(one, role)) for at, one in before[:3]
            ]
        place = source.place(record, role)
        if not each.help:
            mended, suggestion = suggest.mend(each, record, role, self._sources)
            each = replace(each, help=mended, suggestion=suggestion)
        related += self._about(each, record, place)
        related += self._shape(each)
        return replace(each, place=place, related=tuple(related))

    def _best(self, each: Finding) -> tuple[list[Spot], int]:
        """The statements that a finding is about, and which of their terms is at fault."""
        found: list[Spot] = []
        for inverse, iri in _STEP.findall(each.path):
            step = ox.NamedNode(iri)
            if each.value is not None:
                pair = (each.value, each.focus) if inverse else (each.focus, each.value)
                found = self._records(pair[0], step, pair[1])
                if found:
                    return found, _fault(each, iri) if not inverse else SUBJECT
            found = (
                self._records(None, step, each.focus)
                if inverse
                else self._records(each.focus, step)
            )
            if found:
                return found, SUBJECT if inverse else PREDICATE
            break
        if each.value is not None and each.value != each.focus:
            found = self._records(each.focus, None, each.value)
            if found:
                return found, OBJECT
            if not isinstance(each.value, ox.Literal):
                found = self._records(each.value, None, each.focus)
                if found and not self._first(each.focus):
                    return found, OBJECT
        return self._targeted(each) or self._mention(each.focus)

    def _targeted(self, each: Finding) -> tuple[list[Spot], int] | None:
        """Where a thing has the property for which a shape without a path looks at it."""
        if each.path or not each.shape:
            return None
        shape = ox.NamedNode(each.shape)
        for name, is_value in (("targetSubjectsOf", False), ("targetObjectsOf", True)):
            for _source, record in self._records(shape, ox.NamedNode(_SH + name)):
                target = ox.NamedNode(record[OBJECT])
                found = (
                    self._records(None, target, each.focus)
                    if is_value
                    else self._records(each.focus, target)
                )
                if found:
                    return found[:1], OBJECT if is_value else PREDICATE
        return None

    def _mention(self, focus: object) -> tuple[list[Spot], int]:
        """Where a thing is first spoken of."""
        first = self._first(focus)
        if first:
            return [first], SUBJECT
        for role, found in (
            (OBJECT, self._records(None, None, focus)),
            (PREDICATE, self._records(None, focus)),
        ):
            if found:
                return found, role
        for source in self._sources:
            named = source.named(focus)
            if named:
                return [(source, named[0])], GRAPH
        return [], SUBJECT

    def _first(self, thing: object) -> Spot | None:
        """The statement in which a thing is first a subject; the one that gives its type first."""
        if isinstance(thing, ox.Literal):
            return None
        described = self._records(thing)
        if not described:
            return None
        typed = [spot for spot in described if spot[1][PREDICATE] == _TYPE.value]
        return (typed or described)[0]

    def _rule(self, shape: object) -> Spot | None:
        """Where a shape is described; asked of files of shapes first, since data may be large."""
        if shape not in self._rules:
            files = [each for each in self._sources if each.kind == "shapes"]
            spot = _Search(files, self._named)._first(shape) if files else None
            self._rules[shape] = spot or self._first(shape)
        return self._rules[shape]

    def _records(
        self, subject: object = None, predicate: object = None, value: object = None
    ) -> list[Spot]:
        return [
            (source, record)
            for source in self._sources
            for record in source.records(subject, predicate, value)
        ]

    def _about(self, each: Finding, record: Record, place: Place) -> Iterable[Related]:
        """The other node of a pair, the class of a value, the definition of the property."""
        value = each.value
        if isinstance(value, ox.NamedNode | ox.BlankNode) and value != each.focus:
            spot = self._first(value)
            if spot:
                name = "it is described here"
                if each.component == _SH + "ClassConstraintComponent":
                    name = "its class is given here"
                    role = OBJECT if spot[1][PREDICATE] == _TYPE.value else SUBJECT
                    yield Related(name, spot[0].place(spot[1], role))
                elif spot[0].place(spot[1], SUBJECT) != place:
                    yield Related(name, spot[0].place(spot[1], SUBJECT))
        steps = [iri for _inverse, iri in _STEP.findall(each.path)]
        iri = record[PREDICATE] if record[PREDICATE] in steps else (steps or [""])[0]
        spot = self._first(ox.NamedNode(iri)) if iri and len(steps) == 1 else None
        if spot and spot[0].kind == "ontology":
            place = spot[0].place(spot[1], SUBJECT)
            yield Related("the property is defined here", place, is_quoted=False)

    def _shape(self, each: Finding) -> tuple[Related, ...]:
        """The rule's own place."""
        if each.origin:
            rule = Place(self._named(each.origin))
            return (Related("the rule", rule, is_quoted=False),)
        shape: object = ox.NamedNode(each.shape) if each.shape else None
        if each.exactly is not None:
            shape = each.exactly.shape
        if shape is None or shape == each.focus:
            return ()
        spot = self._rule(shape)
        if spot is None and isinstance(shape, ox.BlankNode) and each.shape:
            spot = self._rule(ox.NamedNode(each.shape))
        if spot is None:
            return ()
        return (Related("the rule", spot[0].place(spot[1], SUBJECT), is_quoted=False),)


def _fault(each: Finding, predicate: str) -> int:
    """The term at fault in a statement: the value, unless the message is about the property."""
    value = getattr(each.value, "value", "")
    message = each.message.replace(f"'{each.label}'", "")  # a name may be the value
    is_property = predicate in message and value not in message
    return PREDICATE if is_property else OBJECT
