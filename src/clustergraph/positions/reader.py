"""Read Turtle, TriG, N-Triples and N-Quads with the place of every term.

Follows the grammars of RDF 1.2 Turtle and TriG. After an error it goes on at the next statement,
so that one reading tells several errors.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TypeAlias

from clustergraph.positions import iri, lexer, terms

Record: TypeAlias = "tuple[str, str, str, str, int, int, int, int]"
"""Keys of subject, predicate, object and graph name, then where each begins.

The graph name is empty, and begins at -1, in the default graph.
"""

_DEEPEST = 200
_DIRECTIVES = {"prefix", "base", "version"}


@dataclass(frozen=True)
class Fault:
    """A syntax error, from ``start`` to before ``end``."""

    message: str
    start: int
    end: int
    hint: str = ""


@dataclass
class Reading:
    """What a text says, and where."""

    text: str
    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)


class _Wrong(Exception):  # noqa: N818  # is not seen outside
    """A statement cannot be read any further."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(message, start, end, hint)


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
    found = lexer.TOKEN.match(text, start)
    kind = found.lastgroup if found else None
    if found is None or kind is None or found.start(kind) != start:
        return min(start + 1, len(text))
    end = found.end(kind)
    if kind == "text":
        after = lexer.TOKEN.match(text, end)
        if after and after.lastgroup == "at":
            return after.end("at")
        if after and after["mark"] == "^^":
            datatype = lexer.TOKEN.match(text, after.end("mark"))
            if datatype and datatype.lastgroup in {"iri", "name"}:
                return datatype.end(datatype.lastgroup)
    return end


class _Reader:
    def __init__(self, text: str, base: str, *, graphs: bool) -> None:
        self.reading = Reading(text)
        self._text = text
        self._base = base
        self._graphs = graphs
        self._kinds, self._starts, self._ends = lexer.tokens(text)
        self._at = 0
        self._known: dict[str, str] = {}
        self._blank = 0
        self._depth = 0
        self._graph, self._graph_start = "", -1
        self._in_block = False
        self._out = self.reading.records
        self._nested = {
            "[": self._brackets,
            "(": self._collection,
            "<<": self._reified,
            "<<(": self._triple_term,
        }

    # tokens

    def _raw(self) -> str:
        at = self._at
        return self._text[self._starts[at] : self._ends[at]]

    def _is(self, mark: str) -> bool:
        return self._kinds[self._at] == mark

    def _take(self, mark: str) -> bool:
        if self._kinds[self._at] == mark:
            self._at += 1
            return True
        return False

    def _wrong(self, message: str, hint: str = "") -> _Wrong:
        return _Wrong(message, self._starts[self._at], self._ends[self._at], hint)

    def _found(self) -> str:
        if self._kinds[self._at] == "end":
            return "the end of the file"
        raw = self._raw().split("\n", 1)[0]
        return raw if len(raw) <= 40 else raw[:39] + "…"

    def _missing(self, mark: str, opened: int | None = None) -> _Wrong:
        """Something should stand after the token before this one."""
        before = self._ends[self._at - 1] if self._at else 0
        hint = ""
        if opened is not None:
            line = self._text.count("\n", 0, opened) + 1
            hint = f"It closes the bracket opened in line {line}."
        return _Wrong(f"{mark} is missing before {self._found()}", before, before, hint)

    # statements

    def run(self, *, lines: bool) -> None:
        statement = self._line if lines else self._statement
        while self._kinds[self._at] != "end":
            first = self._at
            try:
                statement()
            except _Wrong as wrong:
                self.reading.faults.append(wrong.fault)
                self._recover(first)
        if self._in_block:
            end = len(self._text.rstrip())
            self.reading.faults.append(Fault("} is missing before the end of the file", end, end))

    def _recover(self, first: int) -> None:
        """Go to the next statement: after the full stop that ends a line, or at a new line's start
        where a full stop was forgotten."""
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

    def _is_first_of_line(self) -> bool:
        before = self._text[self._ends[self._at - 1] if self._at else 0 : self._starts[self._at]]
        return "\n" in before or "\r" in before or self._kinds[self._at] == "end"

    def _starts_statement(self) -> bool:
        """Whether the token looks like the first of a statement that others run into.

        It stands at the margin of its line, or a blank line is above it.
        """
        at = self._at
        kind = self._kinds[at]
        if not at or kind not in {"iri", "name", "blank", "at", "word"}:
            return False
        before = self._text[self._ends[at - 1] : self._starts[at]]
        continues = self._kinds[at - 1] in {";", ","}
        return (
            "\n" in before
            and not continues
            and (before.endswith("\n") or "\n\n" in before.replace("\r", ""))
        )

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
        raise self._missing("; or ,  or the full stop".replace("  ", " "))

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

    # triples

    def _emit(self, subject: str, predicate: str, value: str, starts: tuple[int, int, int]) -> None:
        self._out.append((subject, predicate, value, self._graph, *starts, self._graph_start))

    def _subject(self) -> tuple[str, bool]:
        """A subject, and whether it says something by itself."""
        if self._is("["):
            opened = self._at
            node = self._brackets()
            return node, self._at - opened > 2
        if self._is("<<"):
            return self._reified(), True
        return self._node("subject"), False

    def _node(self, role: str) -> str:
        """A term that can be a subject."""
        if self._kinds[self._at] in {"text", "number"}:
            raise self._wrong(f"The literal {self._found()} can be no {role}")
        return self._term(role)

    def _properties(self, subject: str, start: int) -> None:
        """A list of properties with their values; ends before what follows it."""
        kinds, starts, out = self._kinds, self._starts, self._out
        graph, at = self._graph, self._graph_start
        while True:
            predicate_start = starts[self._at]
            kind = kinds[self._at]
            if kind == "word" and self._raw() == "a":
                predicate = terms.RDF + "type"
                self._at += 1
            elif kind in {"iri", "name"}:
                predicate = self._term("predicate")
            else:
                raise self._unexpected("predicate")
            while True:
                value_start = starts[self._at]
                value = self._term("object")
                out.append(
                    (subject, predicate, value, graph, start, predicate_start, value_start, at)
                )
                if kinds[self._at] in {"~", "{|"}:
                    self._annotations(subject, predicate, value, value_start)
                if kinds[self._at] != ",":
                    break
                self._at += 1
            if kinds[self._at] != ";":
                return
            while kinds[self._at] == ";":
                self._at += 1
            if kinds[self._at] in {".", "]", "}", "|}"}:
                return

    def _annotations(self, subject: str, predicate: str, value: str, at: int) -> None:
        """What RDF 1.2 says of a triple: ``~ reifier {| ... |}``."""
        reifier = ""
        while True:
            start = self._starts[self._at]
            if self._take("~"):
                start = self._starts[self._at]
                if self._kinds[self._at] in {"iri", "name", "blank"}:
                    reifier = self._term("reifier")
                else:
                    reifier = self._fresh()
                self._reify(reifier, (subject, predicate, value), at)
            elif self._take("{|"):
                if not reifier:
                    reifier = self._fresh()
                    self._reify(reifier, (subject, predicate, value), at)
                self._properties(reifier, start)
                if not self._take("|}"):
                    raise self._missing("|}", start)
                reifier = ""
            else:
                return

    def _reify(self, reifier: str, triple: tuple[str, str, str], at: int) -> None:
        self._emit(reifier, terms.RDF + "reifies", terms.triple(*triple), (at, at, at))

    def _reified(self) -> str:
        """``<< s p o ~ reifier >>``."""
        at = self._starts[self._at]
        self._at += 1
        triple = (self._inner("subject"), self._inner("predicate"), self._inner("object"))
        reifier = ""
        if self._take("~") and not self._is(">>"):
            reifier = self._term("reifier")
        reifier = reifier or self._fresh()
        if not self._take(">>"):
            raise self._missing(">>", at)
        self._reify(reifier, triple, at)
        return reifier

    def _triple_term(self) -> str:
        """``<<( s p o )>>``."""
        at = self._starts[self._at]
        self._at += 1
        triple = (self._inner("subject"), self._inner("predicate"), self._inner("object"))
        if not self._take(")>>"):
            raise self._missing(")>>", at)
        return terms.triple(*triple)

    def _inner(self, role: str) -> str:
        if role == "predicate" and self._kinds[self._at] == "word" and self._raw() == "a":
            self._at += 1
            return terms.RDF + "type"
        return self._term(role)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong("This is nested too deep to tell places in it")

    def _brackets(self) -> str:
        """``[ ... ]``."""
        self._deeper()
        opened = self._starts[self._at]
        node = self._fresh()
        self._at += 1
        if not self._is("]"):
            self._properties(node, opened)
        if not self._take("]"):
            if self._kinds[self._at] in {"word", "bad", "at"}:
                raise self._unexpected("object")
            raise self._missing("]", opened)
        self._depth -= 1
        return node

    def _collection(self) -> str:
        """``( ... )``: the cells begin where their members do, the first at the bracket."""
        self._deeper()
        opened = start = self._starts[self._at]
        self._at += 1
        head = cell = ""
        while not self._is(")"):
            if self._kinds[self._at] in {"end", ".", ";", ",", "]", "}"}:
                raise self._missing(")", opened)
            at = self._starts[self._at]
            member = self._term("member of a list")
            node = self._fresh()
            if cell:
                self._emit(cell, terms.RDF + "rest", node, (start, at, at))
                start = at
            else:
                head = node
            self._emit(node, terms.RDF + "first", member, (start, at, at))
            cell = node
        closed = self._starts[self._at]
        self._at += 1
        self._depth -= 1
        if not cell:
            return terms.RDF + "nil"
        self._emit(cell, terms.RDF + "rest", terms.RDF + "nil", (start, closed, closed))
        return head

    # terms

    def _fresh(self) -> str:
        self._blank += 1
        return f"_:b{self._blank}"

    def _term(self, role: str) -> str:
        """Any term; ``role`` is for messages."""
        at = self._at
        kind = self._kinds[at]
        if kind in {"name", "iri"}:
            raw = self._raw()
            known = self._known.get(raw)
            if known is None:
                known = self._known[raw] = self._name(raw) if kind == "name" else self._iri(raw)
            self._at = at + 1
            return known
        if kind == "text":
            return self._literal()
        if kind in self._nested:
            return self._nested[kind]()
        return self._simple(kind, role)

    def _simple(self, kind: str, role: str) -> str:
        """A term that is one token."""
        raw = self._raw()
        if kind == "blank":
            key = "_:l" + raw[2:]
        elif kind == "number":
            key = _number(raw)
        elif kind == "word" and raw in {"true", "false"} and role != "predicate":
            key = terms.literal(raw, datatype=terms.XSD + "boolean")
        else:
            raise self._unexpected(role)
        self._at += 1
        return key

    def _iri(self, raw: str) -> str:
        try:
            return iri.resolve(lexer.unescaped(raw[1:-1]), self._base)
        except ValueError as error:
            raise self._wrong(str(error)) from error

    def _name(self, raw: str) -> str:
        prefix, _, local = raw.partition(":")
        namespace = self.reading.prefixes.get(prefix)
        if namespace is None:
            start = self._starts[self._at]
            raise _Wrong(
                f"The prefix {prefix}: is not declared",
                start,
                start + len(prefix) + 1,
                self._near(prefix),
            )
        return namespace + lexer.unescaped_local(local)

    def _near(self, prefix: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415  only for a fault

        near = get_close_matches(prefix, self.reading.prefixes, 1)
        if near:
            return f"Do you mean {near[0]}:? Else declare it: PREFIX {prefix}: <...>"
        return f"Declare it at the top of the file: PREFIX {prefix}: <...>"

    def _literal(self) -> str:
        at = self._at
        raw = self._raw()
        quotes = 3 if raw[:3] in {'"""', "'''"} and len(raw) > 5 else 1
        try:
            text = lexer.unescaped(raw[quotes:-quotes])
        except ValueError as error:
            raise self._wrong(
                f"In this text, {error}", r"Write \\ for a backslash, or \n \t \" \u00e9."
            ) from error
        at += 1
        self._at = at
        kind = self._kinds[at]
        if kind == "at":
            self._at = at + 1
            language = self._text[self._starts[at] + 1 : self._ends[at]]
            return terms.literal(text, language=language.lower())
        if kind == "^^":
            self._at = at + 1
            if self._kinds[self._at] not in {"iri", "name"}:
                raise self._wrong(f"{self._found()} is no datatype", "Such as xsd:date.")
            return terms.literal(text, datatype=self._term("datatype"))
        return terms.literal(text)

    def _unexpected(self, role: str) -> _Wrong:
        kind = self._kinds[self._at]
        raw = self._raw()
        hint = ""
        if kind in {"end", ".", ";", ",", "]", ")", "}"}:
            before = self._ends[self._at - 1] if self._at else 0
            return _Wrong(f"The {role} is missing before {self._found()}", before, before)
        if kind == "bad" and raw in "\"'":
            end = self._text.find("\n", self._starts[self._at])
            end = len(self._text) if end < 0 else end
            return _Wrong(
                "This text is not closed in its line",
                self._starts[self._at],
                end,
                f"Close it with {raw}, or put a text of several lines between {raw * 3}.",
            )
        if kind == "bad" and raw == "<":
            end = self._text.find(">", self._starts[self._at])
            line = self._text.find("\n", self._starts[self._at])
            line = len(self._text) if line < 0 else line
            return _Wrong(
                "This is no IRI",
                self._starts[self._at],
                end + 1 if -1 < end < line else self._ends[self._at],
                "An IRI holds no spaces or quotes; write them as %20 or %22.",
            )
        if kind == "word":
            lower = raw.lower()
            hint = (
                f"Write {lower} in small letters."
                if lower in {"true", "false", "a"} and raw != lower
                else "Put a text in quotes; a name needs a prefix."
            )
        elif kind == "bad" and raw == "\ufeff":
            hint = "Save the file as UTF-8 without a byte order mark."
        elif kind in {"text", "number"}:
            return self._wrong(f"The literal {self._found()} can be no {role}")
        return self._wrong(f"{self._found()} is no {role}", hint)


def _number(raw: str) -> str:
    if "e" in raw or "E" in raw:
        return terms.literal(raw, datatype=terms.XSD + "double")
    name = "decimal" if "." in raw else "integer"
    return terms.literal(raw, datatype=terms.XSD + name)
