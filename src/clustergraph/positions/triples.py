"""Terms and triples of Turtle and TriG, read from tokens."""

from __future__ import annotations

from clustergraph.positions import iri, lexer, terms
from clustergraph.positions.cursor import Cursor, Wrong

_DEEPEST = 200


class Triples(Cursor):
    """Reads terms, and the triples that brackets and lists of properties stand for."""

    def __init__(self, text: str, base: str) -> None:
        super().__init__(text)
        self._base = base
        self._known: dict[str, str] = {}
        self._blank = 0
        self._depth = 0
        self._graph, self._graph_start = "", -1
        self._out = self.reading.records
        self._nested = {
            "[": self._brackets,
            "(": self._collection,
            "<<": self._reified,
            "<<(": self._triple_term,
        }

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
            raise Wrong(
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


def _number(raw: str) -> str:
    if "e" in raw or "E" in raw:
        return terms.literal(raw, datatype=terms.XSD + "double")
    name = "decimal" if "." in raw else "integer"
    return terms.literal(raw, datatype=terms.XSD + name)
