"""Materialise what follows: CONSTRUCT rules run to a fixpoint over the public graph.

The rules that every project gets are the OWL 2 RL consequences in ``rules/``; a project adds its
own in ``ontology/rules/``. What they derive goes into ``graph/inferred`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import queries, rdf
from clustergraph.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clustergraph.queries import StoredQuery
    from clustergraph.settings import Settings

_ROUNDS = 100  # far above what any sensible rule set needs; a rule that never ends is an error


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
    store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in rdf.triples(quads))
    derived: dict[ox.Triple, str] = {}
    for _ in range(_ROUNDS):
        fresh: dict[ox.Triple, str] = {}
        for name, rule in sorted(rules.items()):
            for triple in _run(store, name, rule):
                if isinstance(triple.subject, ox.Literal) or triple in derived:
                    continue
                if ox.Quad(triple.subject, triple.predicate, triple.object) not in store:
                    fresh.setdefault(triple, name)
        if not fresh:
            return Inference(derived, rules)
        derived.update(fresh)
        store.extend(ox.Quad(t.subject, t.predicate, t.object) for t in fresh)
    endless = ", ".join(sorted(set(fresh.values())))
    raise SourceError(
        "ontology/rules",
        f"these rules still derive new triples after {_ROUNDS} rounds: {endless}.",
        hint="A rule must not feed itself for ever.",
    )


def _run(store: ox.Store, name: str, rule: StoredQuery) -> ox.QueryTriples:
    try:
        result = store.query(rule.text)
    except SyntaxError as error:
        raise SourceError(f"rules/{name}.rq", f"is not valid SPARQL: {error}") from error
    if not isinstance(result, ox.QueryTriples):
        raise SourceError(f"rules/{name}.rq", "must be a CONSTRUCT query.")
    return result
