"""Probes that write: updates, loading, literals; in graphs of a moment."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pyoxigraph as ox

from clustergraph import dialect, errors, rdf, sparql
from clustergraph.errors import ClusterGraphError
from clustergraph.store.backend import DatasetClause
from clustergraph.store.embedded import as_stored
from clustergraph.store.probing.findings import table
from clustergraph.store.probing.run import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.store.probing.run import Run

_TRIED = 4.0  # seconds that an address may take which may be none
_LINES = (100, 1000, 5000)


def everything(run: Run) -> None:
    """All of these; what is found here, later ones rely on."""
    _find_update(run)
    if not run.can.update:
        return
    _find_graph_store(run)
    for name, words in (("one", ("both", "alone")), ("two", ("both",))):
        data = " ".join(map(run.triple, words))
        run.insert(run.graph(name), data)
    other = f"<{run.prefix}other> <{run.prefix}p> <{run.prefix}s> . {run.triple('it')}"
    run.insert(run.graph("described"), other)
    _moves(run)
    _halves(run)
    _update_length(run)
    _literals(run)
    _describes(run)


def _find_update(run: Run) -> None:
    given = run.access.update
    candidates = [given] if given else list(_addresses(run.access.query, "update"))
    first: ClusterGraphError | None = None
    given_access = run.access
    for number, address in enumerate(candidates):
        graph = run.graph(f"update/{number}")
        run.use(replace(given_access, update=address))
        try:
            run.insert(graph, run.triple("x"))
            if run.stands(graph):
                run.learn(update=address)
                run.tell("update", True, run.access.shown(address))
                return
        except ClusterGraphError as error:
            first = first or error
    run.tell("update", False, first.message if first else "what was written is not there")


def _find_graph_store(run: Run) -> None:
    given = run.access.graphs
    candidates = [given] if given else list(_addresses(run.access.query, "graphs"))
    given_access = run.access
    for number, address in enumerate(candidates):
        graph = run.graph(f"graphs/{number}")
        run.use(replace(given_access, graphs=address))
        with contextlib.suppress(ClusterGraphError):
            run.store.put(graph, f"{run.triple('x')}\n".encode(), seconds=_TRIED)
            if run.stands(graph):
                run.learn(graphs=address, load="graph")
                _quads(run)
                how = " (quads at once)" if run.can.load == "quads" else ""
                run.tell("graphs", True, f"{run.access.shown(address)}{how}")
                return
    run.use(given_access)
    run.tell("graphs", False, "none was found")


def _quads(run: Run) -> None:
    """Whether several graphs can be loaded at once."""
    graphs = run.graph("quads/1"), run.graph("quads/2")
    line = run.triple("x").removesuffix(".")
    with contextlib.suppress(ClusterGraphError):
        data = "".join(f"{line}<{graph}> .\n" for graph in graphs)
        run.store.put("", data.encode(), rdf.N_QUADS, replace=False)
        if all(map(run.stands, graphs)):
            run.learn(load="quads")


def _moves(run: Run) -> None:
    """Whether what stands in one graph is added to and removed from another."""
    graph = run.graph("moved")
    try:
        run.store.update(
            run.text("moved.ru", graph=graph, stage=run.graph("one"), other=run.graph("two")),
            seconds=SHORT,
        )
        left = _objects(run, graph)
    except ClusterGraphError as error:
        run.tell("switch", False, error.message)
        return
    run.tell("switch", left == {"alone"}, "as it should" if left == {"alone"} else "wrongly")


def _objects(run: Run, graph: str) -> set[str]:
    rows = run.ask(run.text("read.rq"), DatasetClause((graph,), (run.nothing,)))
    if run.can.dataset == "from" or not rows:
        query = dialect.with_dataset(sparql.parse(run.text("read.rq")), (graph,), ())
        rows = run.ask(query.text)
    return {row["o"].value for row in rows}


def _halves(run: Run) -> None:
    """Whether an update of which a part fails is not done at all."""
    graph = run.graph("halves")
    text = run.text("halves.ru", graph=graph)
    failed = False
    try:
        run.store.update(text, seconds=SHORT)
    except ClusterGraphError:
        failed = True
    there = run.stands(graph)
    run.learn(atomic=failed and not there)
    told = "yes" if not there else "no: what comes before a mistake stays"
    run.tell("atomic", failed and not there, told)


def _update_length(run: Run) -> None:
    taken = length = 0
    for lines in _LINES:
        graph = run.graph(f"lines/{lines}")
        data = "\n".join(
            f'<{run.prefix}{each}> <{run.prefix}p> "{"x" * 60}" .' for each in range(lines)
        )
        try:
            run.insert(graph, data)
        except ClusterGraphError:
            break
        if run.count("from", DatasetClause((graph,))) not in {lines, -1}:
            break
        taken, length = lines, len(data)
    if taken:
        run.learn(update_lines=taken, update_length=length)
    told = f"{taken} statements{' or more' * (taken == _LINES[-1])} in {length} characters"
    run.tell("update-length", bool(taken), told)


def _literals(run: Run) -> None:
    """What becomes of literals, loaded as releases are."""
    graph = run.graph("literals")
    lines = run.text("literals.nt").splitlines()
    written = {_object(line) for line in lines}
    try:
        _load(run, graph, lines)
        read = {row["o"] for row in run.ask_in(graph, "read.rq") if row["o"] is not None}
    except ClusterGraphError as error:
        run.tell("literals", False, error.message)
        return
    missing, more = written - read, read - written
    renamed: dict[str, str] = {}
    for term in more:
        for each in missing:
            if each.value == term.value and each.datatype != term.datatype:
                renamed[term.datatype.value] = each.datatype.value
    kept = {each.datatype.value for each in written}
    renamed = {new: old for new, old in renamed.items() if new not in kept}
    run.learn(datatypes=renamed)
    again = {
        ox.Literal(term.value, datatype=ox.NamedNode(renamed[term.datatype.value]))
        if term.datatype.value in renamed
        else term
        for term in read
    }
    lost = sorted(map(str, written - again))
    told = f"{len(lines) - len(lost)} of {len(lines)} kinds"
    run.tell("literals", not lost, told if not lost else f"{told}; not {', '.join(lost)}")
    _deletes(run, graph, lines)


def _load(run: Run, graph: str, lines: list[str]) -> None:
    content = "\n".join([*lines, ""])
    if run.can.load == "graph":
        run.store.put(graph, content.encode(), replace=False)
    elif run.can.load == "quads":
        quads = "".join(f"{line.removesuffix('.')}<{graph}> .\n" for line in lines)
        run.store.put("", quads.encode(), rdf.N_QUADS, replace=False)
    else:
        run.insert(graph, content)


def _deletes(run: Run, graph: str, lines: list[str]) -> None:
    """Whether what was loaded can be deleted by naming it."""
    refused = []
    try:
        for line in lines:
            with contextlib.suppress(errors.QueryError):
                text = run.text("delete.ru", graph=graph, data=line)
                run.store.update(text, seconds=SHORT)
        refused = [str(row["o"]) for row in run.ask_in(graph, "read.rq")]
    except ClusterGraphError as error:
        run.tell("delete", False, error.message)
        return
    told = f"{len(lines) - len(refused)} of {len(lines)} kinds"
    told += f"; not {', '.join(refused)}" if refused else ""
    run.tell("delete", not refused, told)


def _describes(run: Run) -> None:
    try:
        query = sparql.parse(run.text("describe.rq"))
        dataset = DatasetClause((run.graph("described"),), (run.nothing,))
        content = b"".join(run.store.answer(query, rdf.N_TRIPLES, dataset, seconds=SHORT))
        objects = {
            quad.subject.value
            if quad.subject.value != f"{run.prefix}s"
            else getattr(quad.object, "value", "")
            for quad in ox.parse(content, rdf.N_TRIPLES.engine)
        }
    except (ClusterGraphError, SyntaxError):
        objects = set()
    fine = objects == {"it"}
    run.learn(describe=fine)
    run.tell("describe", fine, "yes" if fine else "no")


def _object(line: str) -> Any:
    quad = next(iter(ox.parse(line, ox.RdfFormat.N_TRIPLES)))
    return next(iter(as_stored([ox.Quad(quad.subject, quad.predicate, quad.object)]))).object


def _addresses(address: str, kind: str) -> Iterator[str]:
    """Addresses that an engine may have beside the one for queries."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    for pattern in table()["addresses"][kind]:
        if pattern.startswith("../"):
            changed = path.rpartition("/")[0] + pattern[2:]
        else:
            changed = path + pattern if pattern else parts.path
        yield urlunsplit((parts.scheme, parts.netloc, changed, parts.query, ""))
