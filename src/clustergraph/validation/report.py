"""The report: typed findings, and the same as sh:ValidationReport (SHACL section 3.6)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf
from clustergraph.errors import ValidationFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SH = "http://www.w3.org/ns/shacl#"
_RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_BOOLEAN = ox.NamedNode("http://www.w3.org/2001/XMLSchema#boolean")


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

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """Gravest first, then by rule and node."""
        return (self.severity.rank, self.rule, str(self.focus), self.path, str(self.value))


@dataclass(frozen=True)
class Report:
    """What validation found."""

    findings: tuple[Finding, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """For showing IRIs short."""

    @property
    def conforms(self) -> bool:
        """Whether no violation was found; warnings and notes do not count."""
        return not self.violations

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that refuse a release."""
        return tuple(each for each in self.findings if each.severity is Severity.VIOLATION)

    def counts(self) -> dict[str, int]:
        """Number of findings by severity; all severities are there."""
        found = Counter(each.severity for each in self.findings)
        return {severity.value: found[severity] for severity in Severity}

    def raise_for_violations(self) -> None:
        """Do nothing if the graph conforms.

        Raises:
            ValidationFailedError: it does not.
        """
        if not self.conforms:
            number = len(self.violations)
            raise ValidationFailedError(
                f"{number} violation{'s' if number > 1 else ''} of the shapes: "
                "the current release stays as it is.",
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
        return self.short(term.value) if isinstance(term, ox.NamedNode) else str(term)

    def to_text(self) -> str:
        """For people: the gravest first, a summary last."""
        blocks: list[str] = []
        for each in self.findings:
            name = f"{self.show(each.focus)}" + (f" '{each.label}'" if each.label else "")
            lines = [f"{each.severity.word}[{each.rule}] {each.message}", f"  at   {name}"]
            if each.path:
                lines.append(f"  path {each.path}")
            if each.value is not None and each.value != each.focus:
                lines.append(f"  value {self.show(each.value)}")
            blocks.append("\n".join(lines))
        counts = self.counts()
        summary = ", ".join(
            f"{number} {Severity(name).word}{'' if number == 1 else 's'}"
            for name, number in counts.items()
        )
        blocks.append(("conforms: " if self.conforms else "does not conform: ") + summary)
        return "\n\n".join(blocks) + "\n"

    def to_json(self) -> str:
        """For programs: one object with ``conforms``, ``counts`` and ``findings``."""
        return json.dumps(
            {
                "conforms": self.conforms,
                "counts": self.counts(),
                "findings": [
                    {
                        "rule": each.rule,
                        "severity": each.severity.value,
                        "message": each.message,
                        "focusNode": getattr(each.focus, "value", str(each.focus)),
                        "label": each.label or None,
                        "path": each.path or None,
                        "value": None if each.value is None else str(each.value),
                        "sourceShape": each.shape or None,
                        "sourceConstraintComponent": each.component or None,
                    }
                    for each in self.findings
                ],
            },
            indent=2,
            ensure_ascii=False,
        )

    def to_turtle(self) -> bytes:
        """The standard sh:ValidationReport."""
        quads: list[ox.Quad] = []

        def add(subject: ox.BlankNode, predicate: str, value: rdf.Term) -> None:
            quads.append(ox.Quad(subject, ox.NamedNode(_SH + predicate), value))

        report = ox.BlankNode("report")
        quads.append(ox.Quad(report, _RDF_TYPE, ox.NamedNode(_SH + "ValidationReport")))
        add(
            report,
            "conforms",
            ox.Literal("true" if not self.findings else "false", datatype=_BOOLEAN),
        )
        for number, each in enumerate(self.findings):
            result = ox.BlankNode(f"result{number}")
            add(report, "result", result)
            quads.append(ox.Quad(result, _RDF_TYPE, ox.NamedNode(_SH + "ValidationResult")))
            add(result, "resultSeverity", ox.NamedNode(_SH + each.severity.value))
            add(result, "focusNode", each.focus)
            add(result, "resultMessage", ox.Literal(each.message, language="en"))
            if each.value is not None:
                add(result, "value", each.value)
            if each.path and ":" in each.path and " " not in each.path:
                add(result, "resultPath", ox.NamedNode(each.path.strip("<>")))
            if each.shape:
                add(result, "sourceShape", ox.NamedNode(each.shape))
            if each.component:
                add(result, "sourceConstraintComponent", ox.NamedNode(each.component))
        return rdf.serialise(quads, rdf.TURTLE, {"sh": _SH, **self.prefixes})
