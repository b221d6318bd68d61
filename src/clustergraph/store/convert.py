"""Answers in formats that an engine does not write, or not as we do: converted while they pass."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pyoxigraph as ox

from clustergraph import errors, rdf
from clustergraph.store.embedded import as_stored, stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from clustergraph.rdf import Format
    from clustergraph.store.backend import Answer

_BY_MEDIA_TYPE: dict[str, Format] = {
    each.media_type: each for each in (*rdf.RESULTS_FORMATS, *rdf.RDF_FORMATS)
}
_SOME = ox.NamedNode("urn:x")
_TOGETHER = 200  # rows that are written at once
_REMEMBERED = 10_000  # terms of an answer that are remembered
_XSD = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True)
class Wire:
    """How an engine's answers become ours."""

    exact: frozenset[str]
    """Media types that are passed on as they come."""
    results: str
    """Media type from which tables are made."""
    triples: str
    """Media type from which graphs are made."""
    datatypes: tuple[tuple[str, str], ...] = ()
    """Datatypes that come under another name, and what they are."""
    rows: int = 0
    """Most rows that the engine gives without saying so; 0: no limit is known."""

    def is_exact(self, fmt: Format) -> bool:
        """Whether answers in a format can be passed on as they come."""
        return fmt.media_type in self.exact and not self.rows

    def source(self, fmt: Format, *, exact: bool) -> Format:
        """The format in which the engine is asked for an answer in ``fmt``.

        Args:
            fmt: what is wanted.
            exact: whether it may be passed on as it comes.
        """
        if exact and self.is_exact(fmt):
            return fmt
        return _BY_MEDIA_TYPE[self.triples if isinstance(fmt, rdf.RdfFormat) else self.results]


def check(media_type: str, asked: Format, shown: str) -> None:
    """Refuse an answer that is in another format than was asked for.

    Raises:
        StoreError: it is.
    """
    if media_type and media_type not in {asked.media_type, *asked.aliases}:
        raise errors.EngineError(
            f"{shown} answers with {media_type[:60]} where {asked.media_type} was asked for.",
            hint="Is it the address of a SPARQL endpoint? clustergraph doctor --store URL tells.",
        )


def converted(
    chunks: Answer, given: Format, wanted: Format, wire: Wire, *, boolean: bool, blanks: str
) -> Answer:
    """An answer in another format, chunk by chunk; a slow reader slows it.

    Literals are written as the store that comes with the program writes them.

    Args:
        chunks: of the answer.
        given: its format.
        wanted: the other one.
        wire: of the engine.
        boolean: whether it answers ASK; some engines send a table with a row for yes.
        blanks: what begins the IRIs that stand for blank nodes; "" if there are none.

    Raises:
        StoreError: what came is not in the format that it should be in.
        AnswerLimitError: it may have been cut.
    """

    def run(output: IO[bytes]) -> None:
        try:
            work(output)
        except BaseException as error:  # its frames hold the parser, which must not leave here
            each: BaseException | None = error
            while each is not None:
                each.__traceback__ = None
                each = each.__cause__ or each.__context__
            raise

    def work(output: IO[bytes]) -> None:
        reader = cast("IO[bytes]", io.BufferedReader(_Reader(chunks), 1 << 16))
        try:
            if isinstance(wanted, rdf.RdfFormat) and isinstance(given, rdf.RdfFormat):
                terms = _Terms(wire, blanks)
                triples = (terms.triple(quad) for quad in ox.parse(reader, given.engine))
                ox.serialize(triples, output, wanted.engine)
            elif isinstance(wanted, rdf.ResultsFormat) and isinstance(given, rdf.ResultsFormat):
                terms = _Terms(wire, blanks)
                _results(reader, (given, wanted), output, terms, most=wire.rows, boolean=boolean)
        except (SyntaxError, ValueError) as error:
            raise errors.EngineError(f"The engine's answer cannot be read: {error}") from error
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    return stream(run)


def _results(
    reader: IO[bytes],
    formats: tuple[rdf.ResultsFormat, rdf.ResultsFormat],
    output: IO[bytes],
    terms: _Terms,
    *,
    most: int,
    boolean: bool,
) -> None:
    given, wanted = formats
    results = ox.parse_query_results(reader, given.engine)
    if isinstance(results, ox.QuerySolutions) and boolean:
        said = json.dumps({"head": {}, "boolean": next(results, None) is not None})
        results = ox.parse_query_results(said.encode(), rdf.JSON.engine)
    if isinstance(results, ox.QueryBoolean):
        results.serialize(output, wanted.engine)
        return
    rows = _json(results, terms, most)
    if wanted == rdf.JSON:
        for piece in rows:
            output.write(piece)
        return
    again = cast("IO[bytes]", io.BufferedReader(_Reader(rows), 1 << 16))
    ox.parse_query_results(again, rdf.JSON.engine).serialize(output, wanted.engine)


def _json(solutions: ox.QuerySolutions, terms: _Terms, most: int) -> Iterator[bytes]:
    """A table in JSON, some rows at once."""
    names = [variable.value for variable in solutions.variables]
    yield b'{"head":{"vars":%b},"results":{"bindings":[' % json.dumps(names).encode()
    waiting: list[str] = []
    count = 0
    for row in solutions:
        bound = (f"{json.dumps(n)}:{terms.json(t)}" for n in names if (t := row[n]) is not None)
        waiting.append(("," if count else "") + "{" + ",".join(bound) + "}")
        count += 1
        if len(waiting) >= _TOGETHER:
            yield "".join(waiting).encode()
            waiting.clear()
    if most and count >= most:
        raise errors.AnswerLimitError(
            f"The engine gives {most} rows at most: the answer may be incomplete.",
            hint="Ask for parts of it: LIMIT and OFFSET with ORDER BY, or one graph.",
        )
    yield "".join([*waiting, "]}}"]).encode()


class _Terms:
    """Terms as the store that comes with the program gives them, of one answer."""

    def __init__(self, wire: Wire, blanks: str) -> None:
        self._datatypes = dict(wire.datatypes)
        self._blanks = blanks
        self._known: dict[object, str] = {}
        self._literals: dict[ox.Literal, ox.Literal] = {}

    def triple(self, quad: ox.Quad) -> ox.Triple:
        """A triple with its literal as ours is."""
        value = quad.object
        if isinstance(value, ox.Literal):
            return ox.Triple(self._node(quad.subject), quad.predicate, self.literal(value))
        if self._blanks:
            return ox.Triple(self._node(quad.subject), quad.predicate, self._node(value))
        return quad.triple

    def _node(self, term: Any) -> Any:
        """A term; a blank node where it stands for one."""
        if self._blanks and isinstance(term, ox.NamedNode) and term.value.startswith(self._blanks):
            return ox.BlankNode(term.value[len(self._blanks) :])
        return term

    def json(self, term: object) -> str:
        """A term in JSON."""
        found = self._known.get(term)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[term] = json.dumps(self._fields(term), ensure_ascii=False)
        return found

    def _fields(self, term: object) -> dict[str, str]:
        term = self._node(term)
        if isinstance(term, ox.NamedNode):
            return {"type": "uri", "value": term.value}
        if isinstance(term, ox.BlankNode):
            return {"type": "bnode", "value": term.value}
        if not isinstance(term, ox.Literal):
            raise ValueError(f"a term of a kind that is not known here: {term}")
        literal = self.literal(term)
        fields = {"type": "literal", "value": literal.value}
        if literal.language:
            fields["xml:lang"] = literal.language
        elif literal.datatype.value != f"{_XSD}string":
            fields["datatype"] = literal.datatype.value
        return fields

    def literal(self, literal: ox.Literal) -> ox.Literal:
        """A literal as ours is."""
        datatype = literal.datatype.value
        if datatype in self._datatypes:
            return ox.Literal(literal.value, datatype=ox.NamedNode(self._datatypes[datatype]))
        if literal.language:
            return ox.Literal(literal.value, language=literal.language.lower())
        if not datatype.startswith(_XSD) or datatype == f"{_XSD}string":
            return literal
        found = self._literals.get(literal)
        if found is None:
            if len(self._literals) > _REMEMBERED:
                self._literals.clear()
            quad = ox.Quad(_SOME, _SOME, literal)
            stored = next(iter(as_stored([quad]))).object
            found = self._literals[literal] = stored if isinstance(stored, ox.Literal) else literal
        return found


class _Reader(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # a buffer, by RawIOBase's contract
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
