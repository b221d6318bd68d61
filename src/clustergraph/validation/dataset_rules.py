"""Rules that SHACL cannot say: plain SPARQL over quads, reported in the same form.

A rule is a file ``shapes/rules/Rnn.rq`` whose header gives ``title``, ``rule``, ``severity``,
``message`` (with ``{?variable}`` placeholders) and ``phase``. It selects ``?focusNode`` and, where
they help, ``?path``, ``?value``, ``?label``; and ``?instead``, if it knows what should stand there
instead of the value (``validate --fix`` then writes it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.errors import SourceError
from clustergraph.validation.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clustergraph.queries import StoredQuery
    from clustergraph.rdf import Term

_PLACEHOLDER = re.compile(r"\{[?$](\w+)\}")
PHASES = ("asserted", "inferred", "public")


@dataclass(frozen=True)
class DatasetRule:
    """One rule over quads."""

    rule: str
    severity: Severity
    message: str
    phase: str
    text: str
    origin: str = ""
    """Its file."""

    @property
    def _name(self) -> str:
        return self.origin or f"shapes/rules/{self.rule}.rq"

    def check(self, store: ox.Store, shape: str, *, named_only: bool = False) -> list[Finding]:
        """What the rule finds in a store.

        Args:
            store: the quads.
            shape: what stands for a shape in its findings.
            named_only: whether it sees no default graph, whatever is in it.

        Raises:
            SourceError: the rule is no SELECT query with ?focusNode.
        """
        try:
            solutions = store.query(self.text, default_graph=[] if named_only else None)
        except SyntaxError as error:
            raise SourceError(self._name, str(error)) from error
        if not isinstance(solutions, ox.QuerySolutions):
            raise SourceError(self._name, "must be a SELECT query.")
        names = [variable.value for variable in solutions.variables]
        if "focusNode" not in names:
            raise SourceError(self._name, "must select ?focusNode.")
        findings: dict[Finding, None] = {}
        for solution in solutions:
            row: dict[str, Term] = {
                name: term for name in names if (term := solution[name]) is not None
            }
            path = row.get("path")
            findings[
                Finding(
                    rule=self.rule,
                    severity=self.severity,
                    message=self._filled(row),
                    focus=row["focusNode"],
                    path=path.value if isinstance(path, ox.NamedNode) else "",
                    value=row.get("value"),
                    shape=shape,
                    component="http://www.w3.org/ns/shacl#SPARQLConstraintComponent",
                    origin=self.origin,
                    instead=row.get("instead"),
                )
            ] = None
        return list(findings)

    def _filled(self, row: Mapping[str, Term]) -> str:
        def text(match: re.Match[str]) -> str:
            term = row.get(match[1])
            return match[0] if term is None else term.value

        return _PLACEHOLDER.sub(text, self.message)


def shape(base: str, rule: DatasetRule) -> str:
    """What stands for a shape in the findings of a rule."""
    return f"{base}shapes#{rule.rule}"


def of(query: StoredQuery) -> DatasetRule:
    """Read a rule out of a query's header.

    Raises:
        SourceError: a header field is missing or has an unknown value.
    """
    path = f"shapes/rules/{query.name}.rq"
    fields = {name: str(value) for name, value in query.header.items()}
    missing = [name for name in ("rule", "severity", "message", "phase") if name not in fields]
    if missing:
        raise SourceError(path, f"the header lacks {', '.join(missing)}.")
    if fields["severity"] not in {each.value for each in Severity}:
        raise SourceError(path, f"unknown severity {fields['severity']!r}.")
    if fields["phase"] not in PHASES:
        raise SourceError(path, f"unknown phase {fields['phase']!r}.")
    return DatasetRule(
        rule=fields["rule"],
        severity=Severity(fields["severity"]),
        message=fields["message"],
        phase=fields["phase"],
        text=query.text,
        origin=path,
    )
