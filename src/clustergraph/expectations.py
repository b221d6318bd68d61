"""Stored queries that must give certain rows: run on every build, which they can refuse.

The rows stand in a CSV file beside the query, IRIs under the base without it.
"""

from __future__ import annotations

import difflib
import io
from typing import IO, TYPE_CHECKING, cast

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import UsageError, ValidationFailedError
from clustergraph.store import STORED_DATASET
from clustergraph.store.embedded import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clustergraph.queries import StoredQuery
    from clustergraph.settings import Settings

_SHOWN = 20  # lines of a difference


def check(queries: Iterable[StoredQuery], quads: Iterable[ox.Quad], settings: Settings) -> None:
    """Run the queries that have expected rows over a graph.

    Args:
        queries: the stored queries; those without expectations are not run.
        quads: all public quads, in named graphs.
        settings: of the project.

    Raises:
        ValidationFailedError: one gives other rows, or cannot be run.
    """
    wanted = [each for each in queries if each.expected is not None]
    if not wanted:
        return
    store = ox.Store()
    quads = list(quads)
    store.bulk_extend(quads)
    if settings.default_graph == "merge":
        store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in rdf.triples(quads))
    failed = {each.name: text for each in wanted if (text := _difference(each, store, settings))}
    if failed:
        number = len(failed)
        raise ValidationFailedError(
            f"{number} stored quer{'ies give' if number > 1 else 'y gives'} other rows than "
            f"expected: {', '.join(failed)}. Mend the data or the query; if the new rows are "
            "right, write them to the CSV file beside it.",
            "".join(failed.values()),
        )


def _difference(query: StoredQuery, store: ox.Store, settings: Settings) -> str:
    """How the rows of a query differ from those expected; empty if they do not."""
    try:
        parsed = sparql.parse(query.bound({}, settings.base), prefixes=None)
        if parsed.form.is_graph:
            return f"{query.name}: rows are expected, but it answers with a graph.\n"
        output = io.BytesIO()
        evaluate(store, parsed, rdf.CSV, STORED_DATASET, cast("IO[bytes]", output))
    except UsageError as error:
        return f"{query.name}: {error}\n"
    found = output.getvalue().decode().replace(settings.base, "").replace("\r\n", "\n")
    ordered = any(
        token.kind == "word" and token.text.upper() == "ORDER"
        for token in sparql.tokens(parsed.text)
    )
    lines, expected = found.splitlines(), (query.expected or "").splitlines()
    if not ordered:
        lines, expected = _sorted(lines), _sorted(expected)
    if lines == expected:
        return ""
    changes = list(_changes(expected, lines))
    more = f"  ... and {len(changes) - _SHOWN} lines more\n" if len(changes) > _SHOWN else ""
    return f"{query.name} (- expected, + found):\n" + "".join(changes[:_SHOWN]) + more


def _sorted(lines: list[str]) -> list[str]:
    return lines[:1] + sorted(lines[1:])


def _changes(expected: list[str], found: list[str]) -> Iterator[str]:
    compared = difflib.unified_diff(expected, found, lineterm="", n=0)
    return (f"  {line}\n" for line in compared if not line.startswith(("---", "+++", "@@")))
