"""One dataset on an engine: what it holds, and its change to another state in one update.

What is to be added and removed is loaded beside what is there, into graphs of its own, piece by
piece; one update then removes, adds, says which release is there now, and drops those graphs. So a
reader sees one state or the other. A small change is that one update alone.

Whatever is interrupted can be done again: a triple that is there is added in vain, one that is not
there is removed in vain, and until the marker says otherwise the state before it counts.
"""

from __future__ import annotations

import contextlib
import secrets
import string
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import errors, rdf, sparql
from clustergraph.store.engine.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from clustergraph.store.capabilities import Capabilities
    from clustergraph.store.engine.lines import Line
    from clustergraph.store.remote import RemoteStore

_FOLDER = Path(__file__).resolve().parent
_LOADING = "loading"
ADD, REMOVE = "add", "remove"


@dataclass(frozen=True)
class Marker:
    """What an engine says that it holds."""

    release: str
    """As it was told; "" if nothing is known."""
    graphs: frozenset[str] = frozenset()
    """The named graphs of it."""


@dataclass(frozen=True)
class Change:
    """What makes one state out of another, read as often as it is asked for."""

    removed: Callable[[], Iterable[Line]]
    added: Callable[[], Iterable[Line]]
    size: int
    """About how many lines these are."""


def _quiet(_step: str) -> None:
    """Progress that nobody watches."""


class Holding:
    """What a project keeps on one endpoint; to be changed by one writer at a time."""

    def __init__(
        self,
        store: RemoteStore,
        base: str,
        capabilities: Capabilities,
        *,
        step: Callable[[str], None] = _quiet,
    ) -> None:
        """Ask nothing yet.

        Args:
            store: the endpoint.
            base: of the project.
            capabilities: what the engine can do.
            step: called before each step that changes something on the engine, with its name.
        """
        self.store = store
        self.names = Names(base)
        self._can = capabilities
        self._step = step

    # -- what is there -------------------------------------------------------------------------

    def marker(self) -> Marker:
        """What the engine says that it holds.

        Raises:
            StoreError: it does not answer.
        """
        rows = self.store.select(sparql.parse(text("marker.rq", marker=self.names.marker)))
        releases = [row["release"].value for row in rows if "release" in row]
        graphs = frozenset(row["graph"].value for row in rows if "graph" in row)
        return Marker(releases[0] if len(releases) == 1 else "", graphs)

    def count(self, graph: str) -> int:
        """How many statements stand in a graph; "" is the default graph of the release."""
        query = sparql.parse(text("count.rq", graph=graph or self.names.default))
        row = self.store.select(query)[0]
        return int(row["n"].value)

    def beginning(self, prefix: str) -> set[str]:
        """The graphs on the engine whose names begin so."""
        rows = self.store.select(sparql.parse(text("graphs.rq", prefix=prefix)))
        return {row["g"].value for row in rows}

    # -- changing ------------------------------------------------------------------------------

    def change(self, change: Change, marker: Marker, dropped: Collection[str] = ()) -> None:
        """Apply a change, as a whole.

        Args:
            change: what is removed and added; it must fit what is there.
            marker: what is there afterwards.
            dropped: graphs that are not there any more.

        Raises:
            StoreError: it could not be done; the engine holds what it held, or the new state.
        """
        drops = [text("drop.ru", graph=graph) for graph in sorted(dropped)]
        if change.size <= self._can.update_lines:
            parts = self._direct(change)
            update = ";\n".join([*parts, *drops, *self._marking(marker)])
            if len(update) <= self._can.update_length:
                with contextlib.suppress(errors.QueryError):  # some literals are refused in a text
                    self._switch(update)
                    return
        run = secrets.token_hex(6)
        stages = _Stages(self.names, run)
        try:
            self._load(stages.lines("d", change.removed()))
            self._load(stages.lines("a", change.added()))
            parts = [
                text("take.ru" if kind == "d" else "add.ru", graph=self._graph(graph), stage=stage)
                for (kind, graph), stage in sorted(stages.names.items(), reverse=True)
            ]
            parts += [text("drop.ru", graph=stage) for stage in stages.names.values()]
            self._switch(";\n".join([*parts, *drops, *self._marking(marker)]))
        except errors.ClusterGraphError:
            self._give_up(stages)
            raise

    def replace(
        self, content: Callable[[], Iterable[Line]], marker: Marker, known: Collection[str]
    ) -> None:
        """Put a whole state in the place of whatever is there.

        Args:
            content: all lines.
            marker: what is there afterwards.
            known: graphs that may be there from before.

        Raises:
            StoreError: it could not be done; the engine holds what it held, or the new state.
        """
        held = self.marker()
        there = {*known, *held.graphs} - marker.graphs
        if not held.release and not self._has_any({*there, *marker.graphs, ""}):
            self._fill(content, marker)
            return
        run = secrets.token_hex(6)
        stages = _Stages(self.names, run)
        try:
            self._load(stages.lines("a", content()))
            parts = []
            targets = {*marker.graphs, ""}
            for graph in sorted(targets):
                stage = stages.names.get(("a", graph))
                parts.append(text("drop.ru", graph=self._graph(graph)))
                if stage is not None:
                    parts.append(text("add.ru", graph=self._graph(graph), stage=stage))
                    parts.append(text("drop.ru", graph=stage))
            parts += [text("drop.ru", graph=graph) for graph in sorted(there)]
            self._switch(";\n".join([*parts, *self._marking(marker)]))
        except errors.ClusterGraphError:
            self._give_up(stages)
            raise

    def _has_any(self, graphs: Iterable[str]) -> bool:
        return any(self.count(graph) for graph in sorted(graphs))

    def _fill(self, content: Callable[[], Iterable[Line]], marker: Marker) -> None:
        """Load into an engine on which nothing of ours is, so that nobody can see half of it.

        The marker says first that something is coming: what an interruption leaves is known then.
        """
        self._switch(";\n".join(self._marking(replace(marker, release=_LOADING))))
        self._load((self._graph(line.graph), line.triple) for line in content())
        self._switch(";\n".join(self._marking(marker)))

    def clean(self) -> None:
        """Drop what interrupted changes left; to be called when nobody changes anything.

        Raises:
            StoreError: it could not be done.
        """
        left = self.beginning(f"{self.names.reserved}staging/")
        if left:
            self._step("clean")
            self.store.update(";\n".join(text("drop.ru", graph=each) for each in sorted(left)))

    def _give_up(self, stages: _Stages) -> None:
        with contextlib.suppress(errors.ClusterGraphError):  # what is left, the next one drops
            if stages.names:
                drops = [text("drop.ru", graph=each) for each in stages.names.values()]
                self.store.update(";\n".join(drops))

    def _switch(self, update: str) -> None:
        self._step("switch")
        self.store.update(update)
        self._step("switched")

    def _graph(self, graph: str) -> str:
        return graph or self.names.default

    def _marking(self, marker: Marker) -> list[str]:
        name = self.names.marker
        data = text("version.txt", marker=name, release=marker.release)
        data += "".join(text("part.txt", marker=name, graph=each) for each in sorted(marker.graphs))
        return [
            text("clear.ru", graph=name),
            text("insert.ru", data=text("graph.txt", graph=name, data=data)),
        ]

    def _direct(self, change: Change) -> list[str]:
        parts = []
        for name, lines in (("delete.ru", change.removed()), ("insert.ru", change.added())):
            found: dict[str, list[bytes]] = {}
            for line in lines:
                found.setdefault(self._graph(line.graph), []).append(line.triple)
            if found:
                parts.append(text(name, data=_blocks(found)))
        return parts

    # -- loading -------------------------------------------------------------------------------

    def _load(self, lines: Iterable[tuple[str, bytes]]) -> None:
        """Add lines (graph, triple), piece by piece: memory stays flat, whatever comes."""
        waiting: dict[str, list[bytes]] = {}
        count = size = 0
        by_graph = self._can.load == "graph"
        most = self._can.load_lines if by_graph else self._can.update_lines
        longest = self._can.load_length if by_graph else self._can.update_length - 1000
        for graph, triple in lines:
            waiting.setdefault(graph, []).append(triple)
            count += 1
            size += len(triple) + 4
            if count >= most or size >= longest:
                self._send(waiting)
                waiting, count, size = {}, 0, 0
        self._send(waiting)

    def _send(self, waiting: dict[str, list[bytes]]) -> None:
        if not waiting:
            return
        self._step("load")
        if self._can.load == "quads":
            self.store.put("", _quads(waiting), rdf.N_QUADS, replace=False)
        elif self._can.load == "graph":
            for graph, triples in waiting.items():
                self.store.put(graph, b" .\n".join([*triples, b""]), replace=False)
        else:
            self.store.update(text("insert.ru", data=_blocks(waiting)))


class _Stages:
    """The graphs in which a change waits."""

    def __init__(self, names: Names, run: str) -> None:
        self._names = names
        self._run = run
        self.names: dict[tuple[str, str], str] = {}
        """By kind and graph."""

    def lines(self, kind: str, lines: Iterable[Line]) -> Iterator[tuple[str, bytes]]:
        """Lines with the names of the graphs in which they wait."""
        for line in lines:
            key = kind, line.graph
            if key not in self.names:
                self.names[key] = self._names.stage(self._run, kind, len(self.names))
            yield self.names[key], line.triple


def _blocks(found: dict[str, list[bytes]]) -> str:
    return "".join(
        text("graph.txt", graph=graph, data=b" .\n".join([*triples, b""]).decode())
        for graph, triples in found.items()
    )


def _quads(found: dict[str, list[bytes]]) -> bytes:
    return b"".join(
        b"%b <%b> .\n" % (triple, graph.encode())
        for graph, triples in found.items()
        for triple in triples
    )


@cache
def _template(name: str) -> string.Template:
    return string.Template((_FOLDER / name).read_text(encoding="utf-8"))


def text(name: str, **values: str) -> str:
    """A text of the folder, its places filled; names of graphs must be IRIs."""
    for key in ("graph", "stage", "marker"):
        if key in values:
            ox.NamedNode(values[key])
    return _template(name).substitute(values)
