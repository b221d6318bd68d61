"""The reports with which releases were published, read again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import CorruptedError
from clustergraph.rdf import SHACL
from clustergraph.releases.candidate import REPORT
from clustergraph.store.backend import read_solutions

if TYPE_CHECKING:
    from clustergraph.releases import Archive

_QUERY = Path(__file__).resolve().parent / "findings.rq"
_RULE = re.compile(r"[#/](R\d{2,3})\b")
_LAST = re.compile(r"([^#/]+)[#/]?$")


@dataclass(frozen=True, order=True)
class Found:
    """One finding of a release."""

    rule: str
    severity: str
    """Violation, Warning or Info."""
    focus: str
    path: str
    value: str
    message: str
    shape: str
    """IRI; empty if it has none."""


class Reports:
    """The findings of the releases that are kept, each report read once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._read: dict[int, frozenset[Found]] = {}

    def of(self, number: int) -> frozenset[Found]:
        """The findings of a release that is kept.

        Raises:
            CorruptedError: its report cannot be read.
        """
        found = self._read.get(number)
        if found is None:
            path = self._archive.path(number) / REPORT
            try:
                found = read(path.read_bytes())
            except (OSError, SyntaxError, ValueError) as error:
                raise CorruptedError(f"{path} cannot be read: {error}") from error
            self._read[number] = found
        return found

    def keep(self, numbers: set[int]) -> None:
        """Forget the reports of releases that are not kept any more."""
        self._read = {each: found for each, found in self._read.items() if each in numbers}


def read(report: bytes) -> frozenset[Found]:
    """The findings in a report in Turtle.

    Raises:
        SyntaxError: it is none.
    """
    store = ox.Store()
    store.bulk_load(report, ox.RdfFormat.TURTLE)
    solutions = store.query(_QUERY.read_text(encoding="utf-8"))
    if not isinstance(solutions, ox.QuerySolutions):
        raise TypeError("findings.rq must be a SELECT query")
    found = []
    for row in read_solutions(solutions):
        shape = _iri(row.get("shape"))
        named = _RULE.search(shape) or _LAST.search(shape)
        found.append(
            Found(
                rule=named[1] if named else "shape",
                severity=row["severity"].value.removeprefix(SHACL),
                focus=_text(row["focus"]),
                path=_iri(row.get("path")),
                value=_text(row.get("value")),
                message=_text(row.get("message")),
                shape=shape,
            )
        )
    return frozenset(found)


def _iri(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else ""


def _text(term: object) -> str:
    """A term for people; a blank node's label says nothing."""
    if isinstance(term, ox.NamedNode | ox.Literal):
        return term.value
    return "" if term is None else "[]"
