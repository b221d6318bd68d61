"""Materialise what follows: CONSTRUCT rules run to a fixpoint over the public graph.

The rules that every project gets are the OWL 2 RL consequences in ``rules/``; a project adds its
own in ``ontology/rules/``. What they derive goes into ``graph/inferred`` alone.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import queries, rdf
from clustergraph.errors import SourceError
from clustergraph.narrowing import Narrowable, UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.queries import StoredQuery
    from clustergraph.settings import Settings

ROUNDS = 100
"""Far above what any sensible rule set needs; a rule that never ends is an error."""


@dataclass(frozen=True)
class Inference:
    """What the rules derived: each new triple with the name of the rule that gave it first."""

    derived: Mapping[ox.Triple, str]
    rules: Mapping[str, StoredQuery]

    def quads(self, settings: Settings) -> list[ox.Quad]:
        """The derived triples, in ``graph/inferred``."""
        graph = ox.NamedNode(settings.iri("graph/inferred"))
        return [ox.Quad(t.subject, t.predicate, t.object, graph) for t in self.derived]


def owl_rules(settings: Settings) -> Mapping[str, StoredQuery]:
    """The rules that come with the program."""
    folder = Path(__file__).resolve().parent / "rules"
    return queries.read_folder(folder, written_base=settings.written_base, base=settings.base)


def infer(quads: Iterable[ox.Quad], rules: Mapping[str, StoredQuery]) -> Inference:
    """Run ``rules`` over the merge of ``quads`` until nothing new comes.

    Args:
        quads: the asserted, public quads.
        rules: CONSTRUCT queries, by name; they see the merge as the default graph.

    Raises:
        SourceError: a rule is no valid CONSTRUCT query, or the rules never come to an end.
    """
    store = ox.Store()
    store.bulk_extend(map(_quad, rdf.triples(quads)))
    return Inference(fixpoint(store, rules), rules)


def fixpoint(store: ox.Store, rules: Mapping[str, StoredQuery]) -> dict[ox.Triple, str]:
    """Run rules over the default graph of a store until nothing new comes; it goes in there too.

    Rules that deny or count run when the others have nothing more to give, so that what they see
    does not depend on the order in which it was found.

    Raises:
        SourceError: see ``infer``.
    """
    return staged(store, rules)[0]


def staged(
    store: ox.Store, rules: Mapping[str, StoredQuery]
) -> tuple[dict[ox.Triple, str], set[ox.Triple]]:
    """The same; and what of it came only when rules that deny or count had run."""
    plain = {name: rule for name, rule in rules.items() if is_plain(rule.text)}
    others = {name: rule for name, rule in rules.items() if name not in plain}
    derived: dict[ox.Triple, str] = {}
    early: set[ox.Triple] | None = None
    for _ in range(ROUNDS):
        fresh = _once(store, plain, derived)
        if not fresh:
            early = set(derived) if early is None else early
            fresh = _once(store, others, derived)
        if not fresh:
            return derived, set(derived) - (early or set())
    endless = ", ".join(sorted(set(fresh.values())))
    raise SourceError(
        "ontology/rules",
        f"these rules still derive new triples after {ROUNDS} rounds: {endless}.",
        hint="A rule must not feed itself for ever.",
    )


def _once(
    store: ox.Store, rules: Mapping[str, StoredQuery], derived: dict[ox.Triple, str]
) -> dict[ox.Triple, str]:
    """What each rule gives that is new; it is added to both."""
    fresh: dict[ox.Triple, str] = {}
    for name, rule in sorted(rules.items()):
        for triple in run(store, name, rule.text):
            if isinstance(triple.subject, ox.Literal) or triple in derived:
                continue
            if _quad(triple) not in store:
                fresh.setdefault(triple, name)
    derived.update(fresh)
    store.extend(map(_quad, fresh))
    return fresh


@functools.lru_cache(maxsize=256)
def is_plain(text: str) -> bool:
    """Whether more statements can only give a rule more to derive, as far as can be told."""
    try:
        rule = Narrowable(text)
    except UnfitError:
        return False
    return not rule.negated and not rule.is_grouped


def run(store: ox.Store, name: str, text: str) -> ox.QueryTriples:
    """What a rule constructs from a store.

    Raises:
        SourceError: it is no valid CONSTRUCT query.
    """
    try:
        result = store.query(text)
    except SyntaxError as error:
        raise SourceError(f"rules/{name}.rq", f"is not valid SPARQL: {error}") from error
    if not isinstance(result, ox.QueryTriples):
        raise SourceError(f"rules/{name}.rq", "must be a CONSTRUCT query.")
    return result


def _quad(triple: ox.Triple) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object)
