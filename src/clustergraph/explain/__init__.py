"""Why a query answers nothing: the smallest part that nothing matches, and what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustergraph import sparql, syntax
from clustergraph.explain.patterns import Kind, Pattern
from clustergraph.explain.probes import Probes
from clustergraph.explain.reasons import Finding, Reasons
from clustergraph.explain.search import smallest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clustergraph.explain.patterns import Condition
    from clustergraph.sparql import Query
    from clustergraph.store import Backend

__all__ = ["Blamed", "Explanation", "Finding", "explain"]

_DEEPEST = 4
"""Groups within groups that are looked into."""


@dataclass(frozen=True)
class Blamed:
    """A smallest part of a query that nothing matches."""

    pattern: str
    """As the query writes it."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Explanation:
    """What became of a query."""

    summary: str
    has_answers: bool
    blamed: tuple[Blamed, ...]
    prologue: str
    """The prefixes that the patterns use."""
    asked: int
    """How many questions were put to the data."""
    complete: bool
    """Whether all of them were answered in time."""


def explain(
    query: Query, backend: Backend, prefixes: Mapping[str, str], *, seconds: float = 10.0
) -> Explanation:
    """Find out why a query answers nothing.

    Args:
        query: what was asked.
        backend: answers our questions, each within its limits.
        prefixes: for names in the findings.
        seconds: after which nothing more is asked.

    Raises:
        QueryError: it does not follow the grammar of SPARQL 1.1, or names an undeclared prefix.
        UsageError: it has no pattern.
        OverloadedError, StoreError: the backend cannot answer now.
    """
    pattern = Pattern(query)
    wrong = syntax.undeclared(query.text)
    if wrong is not None:
        raise query.placed(wrong)
    probes = Probes(backend, pattern, seconds=seconds)
    own = sparql.prefixes(pattern.prologue)
    reasons = Reasons(probes, own | {k: v for k, v in prefixes.items() if k not in own})
    blamed: list[Blamed] = []
    if probes.fails(pattern.conditions):
        blamed = list(_blamed(pattern, pattern.conditions, probes, reasons, _DEEPEST))
        summary = "Nothing matches:" if blamed else "Nothing matches the query as a whole."
        answers = False
    elif pattern.subquery and pattern.modifiers and not probes.has_rows():
        blamed = [Blamed(each, ()) for each in pattern.modifiers]
        summary, answers = "The pattern has solutions, but this leaves none:", False
    else:
        summary, answers = "The pattern of the query has solutions.", True
    if not probes.complete:
        if answers:
            summary, answers = "The data could not be asked in time.", False
        summary += " (Not everything could be looked at in time.)"
    return Explanation(
        summary, answers, tuple(blamed), pattern.prologue, probes.asked, probes.complete
    )


def _blamed(
    pattern: Pattern,
    group: Sequence[Condition],
    probes: Probes,
    reasons: Reasons,
    depth: int,
) -> Iterator[Blamed]:
    for conditions in smallest(group, probes.fails):
        only = conditions[0]
        inside = pattern.inside(only) if len(conditions) == 1 and depth else []
        if only.kind is Kind.GROUP and inside:
            for alternative in inside:
                yield from _blamed(pattern, alternative, probes, reasons, depth - 1)
        else:
            text = "\n".join(str(each).strip() for each in conditions)
            yield Blamed(text, tuple(reasons.of(conditions, group)))
