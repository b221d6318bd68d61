"""Probes that only ask: formats, datasets, lengths, limits."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import ClusterGraphError
from clustergraph.store.backend import DatasetClause
from clustergraph.store.embedded import EmbeddedStore, as_stored
from clustergraph.store.probing.findings import table
from clustergraph.store.probing.run import SHORT, template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clustergraph.rdf import Format
    from clustergraph.store.probing.run import Run

_ROWS = 50  # values, three times multiplied: rows of a long answer
_LENGTHS = (10_000, 100_000, 262_144)
_TRIAL, _HEAVIEST = 12, 60  # values, five times multiplied
_SOON, _LATE = 1.0, 3.0
"""Seconds after which an engine is told to end a query, and after which we end it."""


def answers(run: Run) -> None:
    """Whether it answers at all."""
    try:
        query = sparql.parse(template("answers.rq").template)
        content = b"".join(run.store.answer(query, rdf.JSON, seconds=SHORT))
    except ClusterGraphError as error:
        run.tell("answers", False, error.message)
        return
    try:
        results = ox.parse_query_results(content, rdf.JSON.engine)
    except (SyntaxError, ValueError):
        run.tell("answers", False, "its answer cannot be read")
        return
    run.tell("answers", True, run.access.shown())
    plain = isinstance(results, ox.QueryBoolean)
    run.tell("ask", plain, "boolean" if plain else "a table")


def formats(run: Run) -> None:
    """Which formats are written, and which as we write them."""
    tables = _Kind("results", "results", "shape.rq", rdf.RESULTS_FORMATS,
                   exact=(rdf.JSON, rdf.XML), readable=(rdf.XML, rdf.JSON))  # fmt: skip
    order = (rdf.N_TRIPLES, rdf.TURTLE, rdf.RDF_XML)
    graphs = _Kind("graph-formats", "triples", "triples.rq", rdf.RDF_FORMATS,
                   exact=order, readable=order)  # fmt: skip
    exact = [*_written(run, tables), *_written(run, graphs)]
    run.learn(exact=tuple(each.media_type for each in exact))


@dataclass(frozen=True)
class _Kind:
    """Formats of answers of one kind."""

    finding: str
    field: str
    """Of ``Capabilities``: the format from which others are made."""
    text: str
    """What is asked."""
    formats: Sequence[Format]
    exact: tuple[Format, ...]
    """Those from which others are made, the best first, where they are written as we do."""
    readable: tuple[Format, ...]
    """The same, where none is."""


def _written(run: Run, kind: _Kind) -> list[Format]:
    """The formats that the engine writes as we do."""
    query = sparql.parse(template(kind.text).template)
    ours = EmbeddedStore(ox.Store())
    readable, same = [], []
    for fmt in kind.formats:
        expected = b"".join(ours.answer(query, fmt))
        content = _content(run, query, fmt)
        meaning = None if content is None else _meaning(content, fmt)
        if content is not None and meaning is not None and meaning == _meaning(expected, fmt):
            readable.append(fmt)
            if _is_exact(content, expected, fmt):
                same.append(fmt)
    best = next(
        itertools.chain(
            (each for each in kind.exact if each in same),
            (each for each in kind.readable if each in readable),
        ),
        None,
    )
    if best is not None:
        run.learn(**{kind.field: best.media_type})
    others = ", ".join(each.name for each in readable if each not in same)
    told = ", ".join(each.name for each in same) or "none as we do"
    if others and best is not None:
        told += f"; made from {best.name}: {others}"
    run.tell(kind.finding, best is not None, told)
    return same


def _content(run: Run, query: sparql.Query, fmt: Format) -> bytes | None:
    try:
        return b"".join(run.store.answer(query, fmt, seconds=SHORT))
    except ClusterGraphError:
        return None


def datasets(run: Run) -> None:
    """How a query is told which graphs it sees, and what it sees else."""
    if run.can.update:
        one, two = run.graph("one"), run.graph("two")
        rows: dict[str, int] = {one: 2, two: 1}
    else:
        try:
            found = run.ask(template("some.rq").template)
        except ClusterGraphError:
            found = []
        if not found:
            run.tell("dataset", None, "there is no graph to try it with")
            return
        one, two = found[0]["g"].value, ""
        rows = {}
    for way in ("parameters", "from"):
        if _chooses(run, way, one, rows.get(one)):
            run.learn(dataset=way)
            told = "by the protocol's parameters" if way == "parameters" else "by FROM alone"
            run.tell("dataset", True, told)
            break
    else:
        run.tell("dataset", False, "its graphs cannot be chosen")
        return
    if two:
        counted = run.count(run.can.dataset, DatasetClause((one, two)))
        run.learn(distinct=counted == 2)
        run.tell("distinct", counted == 2, "once" if counted == 2 else "twice")
        _default_graph(run)


def _default_graph(run: Run) -> None:
    try:
        union = bool(run.ask(run.text("anything.rq")))
    except ClusterGraphError:
        run.tell("default", None, "not known")
        return
    known = "separate"
    if union:
        known = "union" if run.can.distinct else "union with duplicates"
    opened = False
    with contextlib.suppress(ClusterGraphError):
        dataset = DatasetClause((run.prefix + "one",))
        opened = run.can.dataset == "parameters" and bool(run.ask(run.text("open.rq"), dataset))
    run.learn(default=known, open_graphs=opened)
    run.tell("default", True, known)


def _chooses(run: Run, way: str, graph: str, count: int | None) -> bool:
    """Whether a dataset is honoured that is given in some way."""
    with contextlib.suppress(ClusterGraphError, KeyError):
        hidden = run.asked(way, run.text("count.rq"), (run.nothing,), (graph,))
        shown = run.asked(way, run.text("count.rq"), (graph,), (run.nothing,))
        unseen = run.asked(way, run.text("seen.rq"), (graph,), (run.nothing,))
        seen = run.asked(way, run.text("seen.rq"), (run.nothing,), (graph,))
        number = int(shown[0]["n"].value)
        return (
            int(hidden[0]["n"].value) == 0
            and (number == count if count is not None else number > 0)
            and not unseen
            and [each["g"].value for each in seen] == [graph]
        )
    return False


def lengths(run: Run) -> None:
    """How long a query may be."""
    longest = 0
    for length in _LENGTHS:
        text = template("answers.rq").template
        text += f"# {'x' * (length - len(text) - 2)}"
        try:
            run.ask(text)
        except ClusterGraphError:
            break
        longest = length
    run.learn(query_length=longest)
    fine = longest == _LENGTHS[-1]
    run.tell("query-length", fine, f"{longest} characters{' or more' * fine}")


def row_limit(run: Run) -> None:
    """Whether long answers come whole."""
    values = " ".join(map(str, range(_ROWS)))
    text = template("rows.rq").substitute(values=values)
    try:
        count = len(run.ask(text))
    except ClusterGraphError as error:
        run.tell("rows", None, error.message)
        return
    if count == _ROWS**3:
        run.tell("rows", True, f"{count} rows or more")
        return
    run.learn(rows=count)
    run.tell("rows", False, f"{count} rows of {_ROWS**3}")


def timeouts(run: Run) -> None:
    """By which parameter the engine ends a query itself."""
    # an engine that cannot end it goes on when we have given it up: no longer than is needed
    took = max(_lasts(run, _heavy(_TRIAL)), 0.005)
    count = min(_HEAVIEST, math.ceil(_TRIAL * (1.5 * _LATE / took) ** (1 / 5)))
    query = _heavy(max(_TRIAL, count))
    if _lasts(run, query) < _LATE:
        run.tell("timeout", None, "no query took long enough to try it")
        return
    for name, units in table()["timeouts"].items():
        for unit in units:
            if _lasts(run, query, {name: str(round(_SOON * unit))}) < _LATE - _SOON / 2:
                run.learn(timeout=(name, unit))
                run.tell("timeout", True, f"{name} in 1/{unit} seconds")
                return
    run.tell("timeout", False, "not by any parameter that we know")


def _heavy(count: int) -> sparql.Query:
    """A query that goes through as many rows as the fifth power of a number."""
    values = " ".join(map(str, range(count)))
    lists = " ".join(f"VALUES ?a{index} {{ {values} }}" for index in range(5))
    return sparql.parse(template("heavy.rq").substitute(lists=lists))


def _lasts(run: Run, query: sparql.Query, parameters: Mapping[str, str] | None = None) -> float:
    """Seconds until its answer came, or was not awaited any longer."""
    began = time.monotonic()
    with contextlib.suppress(ClusterGraphError):
        chunks = run.store.answer(query, rdf.JSON, seconds=_LATE, parameters=parameters)
        for _ in chunks:
            pass
    return time.monotonic() - began


def _meaning(content: bytes, fmt: Format) -> object:
    """What an answer says, term by term; None if it cannot be read."""
    try:
        if isinstance(fmt, rdf.RdfFormat):
            return as_stored(ox.parse(content, fmt.engine))
        if fmt in {rdf.CSV, rdf.TSV}:
            return sorted(content.replace(b"\r", b"").splitlines())
        if isinstance(fmt, rdf.ResultsFormat):
            solutions = ox.parse_query_results(content, fmt.engine)
            if isinstance(solutions, ox.QueryBoolean):
                return bool(solutions)
            names = [each.value for each in solutions.variables]
            return sorted(str([(name, str(row[name])) for name in names]) for row in solutions)
    except (SyntaxError, ValueError):
        return None
    return None


def _is_exact(content: bytes, expected: bytes, fmt: Format) -> bool:
    """Whether every client reads an answer as it reads ours."""
    return fmt != rdf.JSON or (b'"typed-literal"' in content) == (b'"typed-literal"' in expected)
