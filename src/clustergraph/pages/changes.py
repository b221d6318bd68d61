"""Changes for people: the statements of a patch grouped by thing, with labels for IRIs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.pages.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clustergraph.patch import Patch
    from clustergraph.settings import Settings
    from clustergraph.store import Backend

_LABELS = frozenset(
    {
        "http://www.w3.org/2004/02/skos/core#prefLabel",
        "http://www.w3.org/2000/01/rdf-schema#label",
        "http://purl.org/dc/terms/title",
    }
)


@dataclass(frozen=True)
class ChangedThing:
    """One thing that a patch changes."""

    iri: str
    label: str
    lines: tuple[tuple[str, str], ...]
    """``+`` or ``-``, and the rest of the statement: predicate, value, graph."""


def explained(
    backend: Backend, change: Patch, settings: Settings, prefixes: Mapping[str, str]
) -> list[ChangedThing]:
    """Group a patch by thing; what is computed comes last.

    Args:
        backend: the release that labels are taken from.
        change: the patch.
        settings: of the project: its languages.
        prefixes: for showing IRIs short.
    """
    lines: dict[str, list[tuple[str, str]]] = defaultdict(list)
    own: dict[str, str] = {}
    for mark, quads in (("-", change.removed), ("+", change.added)):
        for quad in sorted(quads, key=str):
            subject = _owner(quad.subject)
            lines[subject].append((mark, _statement(quad, settings, prefixes)))
            if quad.predicate.value in _LABELS and isinstance(quad.object, ox.Literal):
                own.setdefault(subject, quad.object.value)
    labels = Labels(backend, settings.languages)
    labels.fetch(iri for iri in lines if iri.startswith(("http:", "https:")))
    computed = (settings.dataset_iri, settings.iri("graph/"))
    return [
        ChangedThing(iri, labels.known(iri) or own.get(iri, ""), tuple(each))
        for iri, each in sorted(
            lines.items(), key=lambda item: (item[0].startswith(computed), item)
        )
    ]


def _owner(subject: object) -> str:
    """The thing that a statement is shown with: a part's statements with the whole's."""
    if isinstance(subject, ox.NamedNode):
        return subject.value
    return str(subject)


def _statement(quad: ox.Quad, settings: Settings, prefixes: Mapping[str, str]) -> str:
    def short(term: object) -> str:
        if not isinstance(term, ox.NamedNode):
            return str(term)
        best = max(
            (each for each in prefixes.items() if term.value.startswith(each[1])),
            key=lambda each: len(each[1]),
            default=None,
        )
        return f"{best[0]}:{term.value[len(best[1]) :]}" if best else f"<{term.value}>"

    graph = getattr(quad.graph_name, "value", "").removeprefix(settings.base)
    return f"{short(quad.predicate)} {short(quad.object)}" + (f"  [{graph}]" if graph else "")
