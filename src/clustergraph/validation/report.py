"""The report: typed findings with their places; ``forms`` writes it for people and tools."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import ValidationFailedError
from clustergraph.validation.forms import graph, records, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clustergraph.positions import Place


class Severity(Enum):
    """How grave a finding is; the gravest first."""

    VIOLATION = "Violation"
    WARNING = "Warning"
    INFO = "Info"

    @property
    def word(self) -> str:
        """The word that compilers use."""
        return {"Violation": "error", "Warning": "warning", "Info": "note"}[self.value]

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Exactly:
    """What a result says in RDF, beyond what a person needs (SHACL section 3.6.2)."""

    shape: rdf.Term
    """The node of the shape itself, be it nameless."""
    severity: rdf.Term
    messages: tuple[rdf.Term, ...] = ()
    """In all languages."""
    constraint: rdf.Term | None = None
    path: rdf.Term | None = None
    parts_of_path: tuple[ox.Triple, ...] = ()
    """The triples of a path that is a blank node."""


@dataclass(frozen=True)
class Related:
    """Another place that helps to understand a finding."""

    message: str
    place: Place
    is_quoted: bool = True
    """Whether its line is worth showing."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    """The rule's short name, such as R23."""
    severity: Severity
    message: str
    focus: rdf.Term
    """The node that the rule is about."""
    label: str = ""
    """The focus node's label, if it has one."""
    path: str = ""
    """The property, as an IRI or a SHACL path in text; empty where the node itself is at fault."""
    value: rdf.Term | None = None
    shape: str = ""
    """IRI of the shape or of the dataset rule."""
    component: str = ""
    """IRI of the constraint component."""
    origin: str = ""
    """The file of a rule that is no shape."""
    place: Place | None = None
    """Where in the files it is, once it was looked up (see ``locate``)."""
    related: tuple[Related, ...] = ()
    help: str = ""
    """How to mend it, where the message does not say it."""
    suggestion: str = ""
    """Text that may stand at the place instead."""
    instead: rdf.Term | None = field(default=None, compare=False)
    """What a rule says should stand there instead of the value."""
    exactly: Exactly | None = field(default=None, repr=False)

    @property
    def order(self) -> tuple[int, str, str, str, str, str]:
        """Gravest first, then as they stand in the files, by rule and node."""
        at = self.place
        place = f"{at.path}:{at.line:09}:{at.column:09}" if at else ""
        return self.severity.rank, place, self.rule, str(self.focus), self.path, str(self.value)

    @property
    def is_result(self) -> bool:
        """Whether a shape or rule gave it; else it is a note on the run itself."""
        return bool(self.shape) or self.exactly is not None


@dataclass(frozen=True)
class Report:
    """What validation found."""

    findings: tuple[Finding, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """For showing IRIs short."""

    @property
    def conforms(self) -> bool:
        """Whether there is no result at all, be it a violation or not (SHACL section 3.6.1)."""
        return not self.violations and not any(each.is_result for each in self.findings)

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that refuse a release."""
        return tuple(each for each in self.findings if each.severity is Severity.VIOLATION)

    def counts(self) -> dict[str, int]:
        """Number of findings by severity; all severities are there."""
        found = Counter(each.severity for each in self.findings)
        return {severity.value: found[severity] for severity in Severity}

    def fails(self, *, strict: bool = False) -> bool:
        """Whether a finding is grave enough to fail: a violation, if strict a warning too."""
        counts = self.counts()
        return bool(counts["Violation"] or (strict and counts["Warning"]))

    def within(self, paths: Collection[str]) -> Report:
        """The findings in these files, and those that are in no file."""
        kept = (each for each in self.findings if not each.place or each.place.path in paths)
        return replace(self, findings=tuple(kept))

    def raise_for_violations(self) -> None:
        """Do nothing if there is no violation; warnings and notes do not count.

        Raises:
            ValidationFailedError: there is one.
        """
        number = len(self.violations)
        if number:
            raise ValidationFailedError(
                f"{number} violation{'s' if number > 1 else ''} of the shapes.",
                self.to_text(),
                self.documents(),
            )

    def documents(self) -> dict[str, str]:
        """The report by media type."""
        return {
            "text/plain": self.to_text(),
            "application/json": self.to_json(),
            "text/turtle": self.to_turtle().decode(),
        }

    def short(self, iri: str) -> str:
        """An IRI with the longest prefix that fits."""
        best = max(
            (each for each in self.prefixes.items() if iri.startswith(each[1])),
            key=lambda each: len(each[1]),
            default=None,
        )
        return f"{best[0]}:{iri[len(best[1]) :]}" if best else f"<{iri}>"

    def show(self, term: rdf.Term) -> str:
        """A term as a person would write it in Turtle."""
        if isinstance(term, ox.BlankNode):
            return "[]"  # its label says nothing to anybody
        return self.short(term.value) if isinstance(term, ox.NamedNode) else str(term)

    def to_text(self, *, colour: bool = False) -> str:
        """For people: the gravest first, a summary last."""
        return text.write(self, colour=colour)

    def to_json(self) -> str:
        """For programs: one object with ``conforms``, ``counts`` and ``findings``."""
        return records.write_json(self)

    def to_turtle(self, *, places: bool = False) -> bytes:
        """The standard sh:ValidationReport (SHACL section 3.6).

        Args:
            places: also say where in the files each finding is: ``earl:pointer``, in the words of
                the W3C's Pointer Methods in RDF.
        """
        return graph.write(self, places=places)
