"""The embedded Oxigraph store: opens one release read-only and streams its answers."""

from __future__ import annotations

import io
import queue
import re
import threading
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import errors, rdf
from clustergraph.store.backend import STORED_DATASET, Answer, DatasetClause

if TYPE_CHECKING:
    from pathlib import Path

    from clustergraph.rdf import Format
    from clustergraph.sparql import Query

_CHUNK = 64 * 1024
_WAITING = 8  # chunks that a slow reader may leave waiting: bounds memory, makes the query pause
_ERROR_PLACE = re.compile(r"^error at (\d+):(\d+): expected (?:one of )?(.*)$", re.DOTALL)


class EmbeddedStore:
    """A release's store on disk, or a store in memory; read only, safe to use from many threads."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store

    @classmethod
    def open(cls, folder: Path) -> EmbeddedStore:
        """Open the store in ``folder``.

        Raises:
            CorruptedError: it is damaged.
            StoreError: it cannot be read.
        """
        try:
            return cls(ox.Store.read_only(str(folder)))
        except (OSError, RuntimeError) as error:
            raise store_error(error, folder) from error

    def answer(self, query: Query, fmt: Format, dataset: DatasetClause = STORED_DATASET) -> Answer:
        """See ``Backend.answer``."""
        try:
            results = self._store.query(
                query.text,
                default_graph=[ox.NamedNode(iri) for iri in dataset.default_graphs]
                if dataset
                else None,
                named_graphs=[ox.NamedNode(iri) for iri in dataset.named_graphs]
                if dataset
                else None,
            )
        except SyntaxError as error:
            raise query_error(error) from error
        except ValueError as error:  # an IRI of the dataset clause is none
            raise errors.QueryError(str(error)) from error
        except (OSError, RuntimeError) as error:
            raise store_error(error) from error
        if isinstance(results, ox.QueryBoolean):
            return iter([_whole(results.serialize(format=_results(fmt)))])
        return _stream(results, fmt)

    def close(self) -> None:
        """Nothing is held that the collector does not free."""


def _results(fmt: Format) -> ox.QueryResultsFormat:
    if not isinstance(fmt, rdf.ResultsFormat):
        raise TypeError(f"{fmt.name} cannot hold solutions")
    return fmt.engine


def _whole(content: bytes | None) -> bytes:
    return content or b""


class _ClosedError(Exception):
    """The reader has gone: the query is given up."""


class _Pipe(io.RawIOBase):
    """What the serialiser writes into: a bounded queue of chunks."""

    def __init__(self) -> None:
        self.chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(_WAITING)
        self.gone = threading.Event()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]  # a buffer, by RawIOBase's contract
        self.put(content)
        return len(content)

    def put(self, item: bytes | BaseException | None) -> None:
        while True:
            if self.gone.is_set():
                raise _ClosedError
            try:
                self.chunks.put(item, timeout=0.5)
            except queue.Full:
                continue
            return


def _stream(results: ox.QuerySolutions | ox.QueryTriples, fmt: Format) -> Answer:
    """Serialise in a thread of its own; yield the chunks as they come.

    The first chunk is awaited here, so that an error at the start is raised, not cut off.
    """
    pipe = _Pipe()

    def work() -> None:
        ended: BaseException | None = None
        try:
            buffered = io.BufferedWriter(pipe, _CHUNK)
            if isinstance(results, ox.QueryTriples):
                if not isinstance(fmt, rdf.RdfFormat):
                    raise TypeError(f"{fmt.name} cannot hold a graph")
                results.serialize(buffered, fmt.engine)
            else:
                results.serialize(buffered, _results(fmt))
            buffered.flush()
        except _ClosedError:
            return
        except BaseException as error:  # told to the reader, who raises it
            ended = error
        try:
            pipe.put(ended)
        except _ClosedError:
            return

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


def query_error(error: SyntaxError) -> errors.QueryError:
    """The engine's syntax error in our words, with the place that it names."""
    match = _ERROR_PLACE.match(error.msg or str(error))
    if match is None:
        return errors.QueryError(f"The query is not valid SPARQL: {error}")
    line, column, expected = int(match[1]), int(match[2]), match[3]
    if "Prefix not found" in expected:
        return errors.QueryError(
            "A prefix is used that is not declared.",
            line=line,
            column=column,
            hint="Declare it at the head of the query: PREFIX name: <IRI>",
        )
    if "unbound" in expected:
        return errors.QueryError(
            "The SELECT clause names a variable that is neither grouped nor aggregated.",
            line=line,
            column=column,
        )
    words = re.findall(r'"([^"]{1,12})"|\b([A-Z_]{2,})\b', re.sub(r"\[[^\]]*\]", "", expected))
    readable = ", ".join(dict.fromkeys(a or b for a, b in words))
    return errors.QueryError(
        "The query is not valid SPARQL"
        + (f"; here could stand: {readable}." if readable else " here."),
        line=line,
        column=column,
    )


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
