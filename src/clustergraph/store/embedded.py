"""The embedded Oxigraph store: opens one release read-only and streams its answers."""

from __future__ import annotations

import contextlib
import functools
import io
import queue
import re
import threading
from typing import IO, TYPE_CHECKING, Any, cast

import pyoxigraph as ox

from clustergraph import errors, rdf, rewriting, sparql, syntax
from clustergraph.store import flat
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause, Row, read_solutions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CHUNK = 64 * 1024
_SMALL = 1_000_000  # quads up to which a store is held in memory by whoever reads it
_BULK = 20_000  # quads from which on the bulk loader is faster than a transaction
_WAITING = 8  # chunks that a slow reader may leave waiting: bounds memory, makes the query pause
_UNKNOWN_FUNCTION = re.compile(r"custom function <(.+?)> is not supported")


class EmbeddedStore:
    """A release's store on disk, or a store in memory; read only, safe to use from many threads."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store

    @classmethod
    def open(cls, folder: Path, size: int | None = None) -> EmbeddedStore:
        """Open the store in ``folder``; see ``opened``.

        Raises:
            CorruptedError: it is damaged.
            StoreError: it cannot be read.
        """
        return cls(opened(folder, size))

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """See ``Backend.answer``."""
        return stream(functools.partial(evaluate, self._store, query, fmt, dataset))

    def select(self, query: Query) -> list[Row]:
        """See ``Backend.select``; nothing is serialised."""
        try:
            solutions = solve(self._store, query.text)
            if not isinstance(solutions, ox.QuerySolutions):
                raise TypeError("select() was given a query of another form")
            return read_solutions(solutions)
        except (OSError, RuntimeError) as error:
            raise store_error(error) from error

    def close(self) -> None:
        """Nothing is held that the collector does not free."""


def opened(folder: Path, size: int | None = None) -> ox.Store:
    """The store in ``folder``; a small one is held in memory, which is faster, and exact.

    Args:
        folder: of the store.
        size: how many quads it holds, if that is known: to count them takes time.

    Raises:
        CorruptedError: it is damaged.
        StoreError: it cannot be read.
    """
    try:
        store = ox.Store.read_only(str(folder))
        if (len(store) if size is None else size) > _SMALL:
            return store
        lines = folder.with_name(folder.name + flat.SUFFIX)
        return flat.load(lines) if lines.is_file() else in_memory(store)
    except (OSError, RuntimeError) as error:
        raise store_error(error, folder) from error


def evaluate(
    store: ox.Store,
    query: Query,
    fmt: Format,
    dataset: DatasetClause,
    output: IO[bytes],
    *,
    known: Callable[[], rewriting.Known | None] = lambda: None,
) -> None:
    """Run a query and serialise its answer, in one thread: the engine's results never move.

    Args:
        store: what is asked.
        query: that was guarded.
        fmt: of the answer.
        dataset: that it is asked of.
        output: takes the answer.
        known: what is known of the stored default graph.

    Raises:
        QueryError: the query is wrong.
        OSError, RuntimeError: as the engine tells them; see ``store_error``.
    """
    results = _results(store, query, dataset, known)
    try:
        if isinstance(results, ox.QueryTriples):
            results.serialize(output, _graph_format(fmt))
        else:
            results.serialize(output, _results_format(fmt))
    finally:
        del results  # an error's traceback travels to the reader's thread; they must not


def _results(
    store: ox.Store,
    query: Query,
    dataset: DatasetClause,
    known: Callable[[], rewriting.Known | None],
) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
    default = _names(dataset.default_graphs) if dataset else None
    named = _names(dataset.named_graphs) if dataset else None
    text = _in_order(query)
    faster = rewriting.faster(text) if dataset else rewriting.faster(text, known)
    if faster != text:
        with contextlib.suppress(errors.QueryError):  # told of the text as it was sent
            return solve(store, faster, default, named)
    return solve(store, text, default, named)


def _in_order(query: Query) -> str:
    """A query whose ``SELECT *`` gives its columns in the order in which the text names them.

    The engine has an order of its own; which variables there are, it tells over an empty store.
    """
    if query.star < 0:
        return query.text
    results = solve(ox.Store(), query.text)
    if not isinstance(results, ox.QuerySolutions):
        raise TypeError("SELECT * gives solutions")
    known = {variable.value for variable in results.variables}
    named = " ".join(f"?{name}" for name in sparql.variables(query.text) if name in known)
    return f"{query.text[: query.star]}{named or '*'} {query.text[query.star + 1 :]}"


def solve(
    store: ox.Store,
    text: str,
    default_graph: list[Any] | None = None,
    named_graphs: list[Any] | None = None,
) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
    """Evaluate a query; a function that nobody knows is an expression error (17.3).

    Args:
        store: what is asked.
        text: a query that was guarded.
        default_graph: graphs whose union stands in for the default graph; None: the stored one.
        named_graphs: the graphs that GRAPH sees; None: all.

    Raises:
        QueryError: the query is wrong.
        OSError, RuntimeError: as the engine tells them; see ``store_error``.
    """
    unknown: dict[ox.NamedNode, Callable[..., Any]] = {}
    while True:
        try:
            return store.query(
                text,
                default_graph=default_graph,
                named_graphs=named_graphs,
                custom_functions=unknown,
            )
        except SyntaxError as error:
            raise syntax.explained(sparql.engine_error(error), text) from error
        except ValueError as error:  # an IRI of the dataset clause is none
            raise errors.QueryError(str(error)) from error
        except RuntimeError as error:
            match = _UNKNOWN_FUNCTION.search(str(error))
            if match is None or ox.NamedNode(match[1]) in unknown:
                raise
            unknown[ox.NamedNode(match[1])] = lambda *_: None


def _graph_format(fmt: Format) -> ox.RdfFormat:
    if not isinstance(fmt, rdf.RdfFormat):
        raise TypeError(f"{fmt.name} cannot hold a graph")
    return fmt.engine


def _results_format(fmt: Format) -> ox.QueryResultsFormat:
    if not isinstance(fmt, rdf.ResultsFormat):
        raise TypeError(f"{fmt.name} cannot hold solutions")
    return fmt.engine


def _names(iris: tuple[str, ...]) -> list[Any]:
    return [ox.NamedNode(iri) for iri in iris]


def in_memory(store: ox.Store) -> ox.Store:
    """A copy of a store in memory.

    The engine's scans on disk (0.5.13) go too far where the last bound term is a number whose last
    byte is 255: asked for 255 they give 256 too. In memory they are exact.
    """
    copy = ox.Store()
    copy.bulk_extend(store)
    for graph in store.named_graphs():
        copy.add_graph(graph)
    return copy


def matching(store: ox.Store, quad: ox.Quad | ox.Triple) -> Iterator[ox.Quad]:
    """The stored quads with the subject, predicate and object of one, in any graph; see above."""
    wanted = (quad.subject, quad.predicate, quad.object)
    for each in store.quads_for_pattern(*wanted, None):
        if (each.subject, each.predicate, each.object) == wanted:
            yield each


def change(
    store: ox.Store, added: Iterable[ox.Quad], removed: Iterable[ox.Quad], *, merged: bool
) -> int:
    """Apply a change that fits what a store holds.

    Args:
        store: it becomes another.
        added: quads that it does not hold.
        removed: quads that it holds.
        merged: whether its default graph is the merge of the others, and is to stay so.

    Returns:
        By how many triples its default graph grew.
    """
    added, removed = list(added), list(removed)
    for quad in removed:
        store.remove(quad)
    extend(store, added)
    if not merged:
        return sum(map(_is_default, added)) - sum(map(_is_default, removed))
    gone = [
        triple
        for triple in dict.fromkeys(rdf.triples(removed))
        if not any(isinstance(each.graph_name, ox.NamedNode) for each in matching(store, triple))
    ]
    for triple in gone:
        store.remove(ox.Quad(triple.subject, triple.predicate, triple.object))
    new = [
        quad
        for triple in dict.fromkeys(rdf.triples(added))
        if (quad := ox.Quad(triple.subject, triple.predicate, triple.object)) not in store
    ]
    extend(store, new)
    return len(new) - len(gone)


def extend(store: ox.Store, quads: Collection[ox.Quad]) -> None:
    """Add quads to a store, many of them in the faster way."""
    if len(quads) >= _BULK:
        store.bulk_extend(quads)
    else:
        store.extend(quads)


def _is_default(quad: ox.Quad) -> bool:
    return isinstance(quad.graph_name, ox.DefaultGraph)


def as_stored(quads: Iterable[ox.Quad]) -> frozenset[ox.Quad]:
    """Quads as a store gives them back: it writes numbers and dates in its own way (01 as 1)."""
    store = ox.Store()
    store.bulk_extend(quads)
    return frozenset(store)


class _ClosedError(Exception):
    """The reader has gone: the query is given up."""


class _Pipe(io.RawIOBase):
    """What the serialiser writes into: chunks in a bounded queue, so that a slow reader slows it.

    What is not yet a full chunk when the query fails is dropped: the reader then gets the error.
    """

    def __init__(self) -> None:
        self.chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
        self.gone = threading.Event()
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]  # a buffer, by RawIOBase's contract
        self._waiting += content
        if len(self._waiting) >= _CHUNK:
            self._pass_on()
        return len(content)

    def end(self, error: BaseException | None) -> None:
        """Pass on what is waiting, and that nothing more comes, or why."""
        if error is None and self._waiting:
            self._pass_on()
        self._put(error)

    def _pass_on(self) -> None:
        self._put(bytes(self._waiting))
        self._waiting.clear()

    def _put(self, item: bytes | BaseException | None) -> None:
        while not self.gone.is_set():
            try:
                self.chunks.put(item, timeout=0.5)
            except queue.Full:
                continue
            return
        raise _ClosedError


def stream(run: Callable[[IO[bytes]], None]) -> Answer:
    """Let ``run`` write in a thread of its own; yield the chunks as they come.

    The first chunk is awaited here, so that an error at the start is raised, not cut off.
    """
    pipe = _Pipe()

    def work() -> None:
        ended: BaseException | None = None
        try:
            run(cast("IO[bytes]", pipe))
        except BaseException as error:  # told to the reader, who raises it
            ended = error
        with contextlib.suppress(_ClosedError):
            pipe.end(ended)

    threading.Thread(target=work, name="serialise", daemon=True).start()

    def chunks(first: bytes) -> Answer:
        try:
            yield first
            while (item := pipe.chunks.get()) is not None:
                if isinstance(item, BaseException):
                    raise _told(item)
                yield item
        finally:
            pipe.gone.set()

    head = pipe.chunks.get()
    if isinstance(head, BaseException):
        raise _told(head)
    return chunks(head) if head is not None else iter(())


def _told(error: BaseException) -> BaseException:
    if isinstance(error, (OSError, RuntimeError)):
        return store_error(error)
    return error


def store_error(error: OSError | RuntimeError, folder: Path | None = None) -> errors.StoreError:
    """RocksDB's and the system's errors in our words, matched on texts: they have no codes."""
    text = str(error)
    place = f" in {folder}" if folder else ""
    if "No space left" in text or "Read-only file system" in text:
        return errors.NoSpaceError(
            f"Nothing can be written{place}: {text}", hint="Free some space and try again."
        )
    if "LOCK" in text and "unavailable" in text:
        return errors.BusyError(f"Another process writes to the store{place}.")
    if "Corruption" in text or "checksum" in text or "No such file" in text:
        return errors.CorruptedError(
            f"The store{place} is damaged: {text}",
            hint="Build again, or go back to an earlier release.",
        )
    return errors.StoreError(f"The store{place} cannot be read: {text}")
