"""One dataset on an engine: what it holds, and its change to another state in one update.

What is to be added and removed is loaded beside what is there, into graphs of its own, piece by
piece; one update then removes, adds, says which release is there now, and drops those graphs. So a
reader sees one state or the other. A small change is that one update alone.

Whatever is interrupted can be done again: a triple that is there is added in vain, one that is not
there is removed in vain, and until the marker says otherwise the state before it counts.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import string
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import errors, rdf, sparql
from clustergraph.store.backend import ask
from clustergraph.store.engine.lines import Line
from clustergraph.store.engine.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from clustergraph.store.capabilities import Capabilities
    from clustergraph.store.remote import RemoteStore

_FOLDER = Path(__file__).resolve().parent
_LOADING = "loading"
_HAS_PART = b"<http://purl.org/dc/terms/hasPart>"
_TOGETHER = 50  # graphs of which one text speaks
_OPERATIONS = 20  # operations of one text, where it gains nothing to have all in one


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

    def has(self, *graphs: str) -> bool:
        """Whether anything stands in one of some graphs of the engine; they should be few."""
        each = " UNION ".join(text("anything.txt", graph=graph) for graph in graphs)
        return ask(self.store, text("any.rq", graphs=each))

    # -- changing ------------------------------------------------------------------------------

    def change(self, change: Change, held: Marker, marker: Marker) -> None:
        """Apply a change, as a whole.

        Args:
            change: what is removed and added; it must fit what is there.
            held: what is there.
            marker: what is there afterwards.

        Raises:
            StoreError: it could not be done; the engine holds what it held, or the new state.
        """
        drops = [text("drop.ru", graph=graph) for graph in sorted(held.graphs - marker.graphs)]
        marks = self._marks(held, marker)
        if marks is not None and change.size <= self._can.update_lines:
            operations = [*self._direct(change), *drops, *marks]
            if sum(map(len, operations)) <= self._can.update_length:
                with contextlib.suppress(errors.QueryError):  # some literals are refused in a text
                    self._switch(operations)
                    return
        with self._stages() as stages:
            self._load(stages.lines("d", change.removed()))
            self._load(stages.lines("a", change.added()))
            marks = self._staged_marks(stages, held, marker)
            moves = [
                text("take.ru" if kind == "d" else "add.ru", graph=self._graph(graph), stage=stage)
                for (kind, graph), stage in sorted(stages.names.items(), reverse=True)
                if graph != self.names.marker
            ]
            self._switch([*moves, *drops, *marks, *self._unstaging(stages)])

    def replace(
        self,
        content: Callable[[], Iterable[Line]],
        held: Marker,
        marker: Marker,
        known: Collection[str],
    ) -> None:
        """Put a whole state in the place of whatever is there.

        Args:
            content: all lines.
            held: what is there, as far as it is known.
            marker: what is there afterwards.
            known: graphs that may be there from before.

        Raises:
            StoreError: it could not be done; the engine holds what it held, or the new state.
        """
        there = {*known, *held.graphs} - marker.graphs
        ours = map(self._graph, sorted({*there, *marker.graphs, ""}))
        if not held.release and not any(self.has(*some) for some in _some(ours, _TOGETHER)):
            self._fill(content, marker)
            return
        with self._stages() as stages:
            self._load(stages.lines("a", content()))
            marks = self._staged_marks(stages, held, marker)
            parts = []
            for graph in sorted({*marker.graphs, ""}):
                stage = stages.names.get(("a", graph))
                parts.append(text("drop.ru", graph=self._graph(graph)))
                if stage is not None:
                    parts.append(text("add.ru", graph=self._graph(graph), stage=stage))
            parts += [text("drop.ru", graph=graph) for graph in sorted(there)]
            self._switch([*parts, *marks, *self._unstaging(stages)])

    def _fill(self, content: Callable[[], Iterable[Line]], marker: Marker) -> None:
        """Load into an engine on which nothing of ours is, so that nobody can see half of it.

        The marker says first what is coming: what an interruption leaves is known then.
        """
        name = self.names.marker
        self._step("fill")
        self.store.update(";\n".join([text("clear.ru", graph=name), *self._versioned(_LOADING)]))
        self._load((name, self._part(graph)) for graph in sorted(marker.graphs))
        self._load((self._graph(line.graph), line.triple) for line in content())
        self._switch(self._versioned(marker.release))

    # -- what waits ----------------------------------------------------------------------------

    def clean(self) -> None:
        """Drop what interrupted changes left; to be called when nobody changes anything.

        Raises:
            StoreError: it could not be done.
        """
        rows = self.store.select(sparql.parse(text("waiting.rq", graph=self.names.waiting)))
        if not rows:
            return
        self._step("clean")
        for row in rows:
            # they were filled in the order of their numbers, and go from the last to the first
            left = list(itertools.takewhile(self.has, _numbered(row["run"].value)))
            for some in _some(reversed(left), _TOGETHER):
                self.store.update(";\n".join(text("drop.ru", graph=each) for each in some))
        self.store.update(text("clear.ru", graph=self.names.waiting))

    @contextlib.contextmanager
    def _stages(self) -> Iterator[_Stages]:
        """Graphs in which a change waits; the engine is told of them before there are any."""
        stages = _Stages(self.names.stages(secrets.token_hex(6)))
        waiting = self.names.waiting
        self._step("stage")
        run = b"<%b> %b <%b>" % (waiting.encode(), _HAS_PART, stages.run.encode())
        self.store.update(text("insert.ru", data=_blocks({waiting: [run]})))
        try:
            yield stages
        except errors.ClusterGraphError:
            with contextlib.suppress(errors.ClusterGraphError):  # what is left, the next one drops
                self.clean()
            raise

    def _unstaging(self, stages: _Stages) -> list[str]:
        drops = [text("drop.ru", graph=each) for each in reversed(stages.names.values())]
        return [*drops, text("clear.ru", graph=self.names.waiting)]

    # -- the marker ----------------------------------------------------------------------------

    def _versioned(self, release: str) -> list[str]:
        """What lets the marker name another release."""
        data = _blocks({self.names.marker: [self._version(release)]})
        return [text("unversion.ru", marker=self.names.marker), text("insert.ru", data=data)]

    def _version(self, release: str) -> bytes:
        name = self.names.marker.encode()
        return b'<%b> <http://purl.org/dc/terms/hasVersion> "%b"' % (name, release.encode())

    def _part(self, graph: str) -> bytes:
        return b"<%b> %b <%b>" % (self.names.marker.encode(), _HAS_PART, graph.encode())

    def _marks(self, held: Marker, marker: Marker) -> list[str] | None:
        """What makes one marker out of another; None if that is too much for a text."""
        name = self.names.marker
        gone = [self._part(each) for each in sorted(held.graphs - marker.graphs)]
        come = [self._part(each) for each in sorted(marker.graphs - held.graphs)]
        if len(gone) + len(come) > self._can.update_lines // 2:
            return None
        marks = []
        if gone:
            marks.append(text("delete.ru", data=_blocks({name: gone})))
        if come:
            marks.append(text("insert.ru", data=_blocks({name: come})))
        return [*marks, *self._versioned(marker.release)]

    def _staged_marks(self, stages: _Stages, held: Marker, marker: Marker) -> list[str]:
        """The same; where it is too much for a text, the marker waits beside the rest."""
        marks = self._marks(held, marker)
        if marks is None:
            name = self.names.marker
            parts = [self._part(each) for each in sorted(marker.graphs)]
            lines = (Line(each, name) for each in [*parts, self._version(marker.release)])
            self._load(stages.lines("a", lines))
            stage = stages.names["a", name]
            marks = [
                text("clear.ru", graph=name), text("add.ru", graph=name, stage=stage)
            ]  # fmt: skip
        return marks

    def _switch(self, operations: list[str]) -> None:
        """Do operations as one, if the engine can; else some at once, one after the other.

        Where it cannot, the marker says meanwhile that something is coming: if they are not all
        done, nobody knows what is there, and the next that carries loads the whole.
        """
        together = len(operations) if self._can.atomic else _OPERATIONS
        if not self._can.atomic:
            self._step("begin")
            self.store.update(";\n".join(self._versioned(_LOADING)))
        self._step("switch")
        for some in _some(operations, together):
            self.store.update(";\n".join(some))
        self._step("switched")

    def _graph(self, graph: str) -> str:
        return graph or self.names.default

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
        as_text = self._can.load == "insert"
        most = self._can.update_lines if as_text else self._can.load_lines
        longest = self._can.update_length - 1000 if as_text else self._can.load_length
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

    def __init__(self, run: str) -> None:
        self.run = run
        """What their names begin with."""
        self.names: dict[tuple[str, str], str] = {}
        """By kind and graph."""

    def lines(self, kind: str, lines: Iterable[Line]) -> Iterator[tuple[str, bytes]]:
        """Lines with the names of the graphs in which they wait."""
        for line in lines:
            key = kind, line.graph
            if key not in self.names:
                self.names[key] = f"{self.run}{len(self.names)}"
            yield self.names[key], line.triple


def _numbered(run: str) -> Iterator[str]:
    return (f"{run}{number}" for number in itertools.count())


def _some(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """The names, so many at once."""
    left = iter(names)
    while some := list(itertools.islice(left, size)):
        yield some


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
