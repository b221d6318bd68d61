"""Read Turtle, TriG, N-Triples and N-Quads with the place of every term.

Follows the grammars of RDF 1.2 Turtle and TriG. After an error it goes on at the next statement,
so that one reading tells several errors.
"""

from __future__ import annotations

import gc

from clustergraph.positions import lexer
from clustergraph.positions.cursor import Fault, Reading, Record, Wrong
from clustergraph.positions.triples import Triples

__all__ = ["Fault", "Reading", "Record", "end_of", "read"]

_DIRECTIVES = {"prefix", "base", "version"}
_MOST_FAULTS = 100
"""After so many, a text is not what it is taken for."""


def read(text: str, *, base: str = "", lines: bool = False, graphs: bool = True) -> Reading:
    """Read a text whole.

    Args:
        text: the document.
        base: what relative IRIs are resolved against.
        lines: it is N-Triples or N-Quads.
        graphs: it may name graphs: TriG or N-Quads.
    """
    was_enabled = gc.isenabled()
    gc.disable()  # millions of small objects, none in a cycle
    try:
        reader = _Reader(text, base, graphs=graphs)
        reader.run(lines=lines)
    finally:
        if was_enabled:
            gc.enable()
    return reader.reading


def end_of(text: str, start: int) -> int:
    """Where the term that begins at ``start`` ends; a bracket stands for what is in it."""
    found = lexer.token().match(text, start)
    kind = found.lastgroup if found else None
    if found is None or kind is None or found.start(kind) != start:
        return min(start + 1, len(text))
    end = found.end(kind)
    if kind == "text":
        after = lexer.token().match(text, end)
        if after and after.lastgroup == "at":
            return after.end("at")
        if after and after["mark"] == "^^":
            datatype = lexer.token().match(text, after.end("mark"))
            if datatype and datatype.lastgroup in {"iri", "name"}:
                return datatype.end(datatype.lastgroup)
    return end


class _Reader(Triples):
    def __init__(self, text: str, base: str, *, graphs: bool) -> None:
        super().__init__(text, base)
        self._graphs = graphs
        self._in_block = False

    def run(self, *, lines: bool) -> None:
        statement = self._line if lines else self._statement
        while self._kinds[self._at] != "end" and len(self.reading.faults) < _MOST_FAULTS:
            first = self._at
            try:
                statement()
            except Wrong as wrong:
                self.reading.faults.append(wrong.fault)
                self._recover(first)
        if self._in_block and self._kinds[self._at] == "end":
            end = len(self._text.rstrip())
            self.reading.faults.append(Fault("} is missing before the end of the file", end, end))

    def _recover(self, first: int) -> None:
        """Go to the next statement.

        It is after the full stop that ends a line, or, where one was forgotten, at a line's start.
        """
        self._depth = 0
        if self._at > first and self._starts_statement():
            return
        self._at = max(self._at, first)
        while self._kinds[self._at] != "end":
            if self._is("}") and self._in_block:
                return
            is_stop = self._is(".")
            self._at += 1
            if (is_stop and self._is_first_of_line()) or self._starts_statement():
                return

    def _line(self) -> None:
        """A line of N-Triples or N-Quads."""
        start = self._starts[self._at]
        subject = self._term("subject")
        predicate_start = self._starts[self._at]
        predicate = self._term("predicate")
        value_start = self._starts[self._at]
        value = self._term("object")
        graph, graph_start = "", -1
        if self._graphs and not self._is("."):
            graph_start = self._starts[self._at]
            graph = self._term("graph name")
        if not self._take("."):
            raise self._missing("the full stop")
        self._out.append(
            (subject, predicate, value, graph, start, predicate_start, value_start, graph_start)
        )

    def _statement(self) -> None:
        kind = self._kinds[self._at]
        if kind in {"word", "at"}:
            word = self._raw()
            name = word.lstrip("@").lower()
            if name in _DIRECTIVES and (kind == "word" or word[1:] == name):
                self._directive(name, closes=kind == "at")
                return
            if kind == "word" and name == "graph" and self._graphs:
                self._at += 1
                start = self._starts[self._at]
                self._open(self._node("graph name"), start)
                return
        if kind == "}" and self._in_block:
            self._at += 1
            self._close()
            return
        if kind == "{" and self._graphs and not self._in_block:
            self._open("", -1)
            return
        start = self._starts[self._at]
        subject, is_whole = self._subject()
        if self._is("{") and self._graphs and not self._in_block:
            self._open(subject, start)
            return
        if not (is_whole and (self._is(".") or self._is("}"))):
            self._properties(subject, start)
        self._end_of_statement()

    def _end_of_statement(self) -> None:
        if self._take("."):
            return
        if self._in_block and self._is("}"):
            return
        kind = self._kinds[self._at]
        if kind in {"at", "word", "bad"} and not self._starts_statement():
            raise self._unexpected("object")
        if kind in {"]", ")", "}"}:
            raise self._wrong(f"{self._raw()} closes nothing")
        raise self._missing("; or , or the full stop")

    def _open(self, graph: str, start: int) -> None:
        if not self._take("{"):
            raise self._missing("{")
        self._graph, self._graph_start, self._in_block = graph, start, True

    def _close(self) -> None:
        self._graph, self._graph_start, self._in_block = "", -1, False

    def _directive(self, name: str, *, closes: bool) -> None:
        self._at += 1
        kind = self._kinds[self._at]
        raw = self._raw()
        if name == "version":
            if kind != "text":
                raise self._wrong('The version should be a text such as "1.2"')
        else:
            if name == "prefix":
                if kind != "name" or not raw.endswith(":"):
                    raise self._wrong(
                        f"{self._found()} is no prefix", "A prefix ends with a colon: ex:"
                    )
                self._at += 1
                prefix, kind, raw = raw[:-1], self._kinds[self._at], self._raw()
            if kind != "iri":
                raise self._wrong(f"{self._found()} is no IRI", "An IRI stands between < and >.")
            value = self._iri(raw)
            if name == "prefix":
                self.reading.prefixes[prefix] = value
            else:
                self._base = value
            self._known.clear()
        self._at += 1
        if closes and not self._take("."):
            raise self._missing("the full stop")
