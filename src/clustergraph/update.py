"""SPARQL 1.1 Update texts as values: guarded, told apart into operations; nothing is run here.

The texts of patterns stay texts (the engine reads them); templates and data become quads, with
variables as IRIs of a private scheme. Only ``parse`` makes an ``Update``.
(https://www.w3.org/TR/sparql11-update/, grammar: https://www.w3.org/TR/sparql11-query/#grammar)
"""

from __future__ import annotations

import contextlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import pyoxigraph as ox

from clustergraph import rdf, sparql
from clustergraph.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clustergraph.sparql import Token

VARIABLE = f"urn:x-variable-{secrets.token_hex(8)}:"
"""Stands before a variable's name in a template; differs in each process, so no data holds it."""

_SOLUTION = f"solution_{secrets.token_hex(8)}"
_PROLOGUE = frozenset({"PREFIX", "BASE", "VERSION"})
_THERE = ox.NamedNode(f"urn:x-graph-{secrets.token_hex(8)}")
"""A graph that exists wherever the grammar is checked."""
_MOST_PREFIXES = 1000
_LONGEST_DECLARED = 4096
_MOST_READ = 1 << 26
_NO_BREAK = re.compile(r"[^\r\n]")

DEFAULT, NAMED, ALL = "DEFAULT", "NAMED", "ALL"
Target: TypeAlias = ox.NamedNode | str
"""A graph, or one of DEFAULT, NAMED, ALL."""


@dataclass(frozen=True)
class Data:
    """INSERT DATA or DELETE DATA (3.1.1, 3.1.2): quads as written."""

    insert: bool
    quads: tuple[ox.Quad, ...]


@dataclass(frozen=True)
class Modify:
    """DELETE/INSERT ... WHERE (3.1.3), DELETE WHERE among it."""

    delete: tuple[ox.Quad, ...]
    insert: tuple[ox.Quad, ...]
    query: str
    """A SELECT query for the variables of the templates."""
    names: tuple[str, ...]
    """Those variables."""
    home: ox.NamedNode | None = None
    """The graph that WITH names."""
    using: tuple[str, ...] = ()
    using_named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clear:
    """CLEAR or DROP (3.1.5, 3.2.2)."""

    target: Target
    drop: bool
    silent: bool


@dataclass(frozen=True)
class Create:
    """CREATE (3.2.1)."""

    graph: ox.NamedNode
    silent: bool


@dataclass(frozen=True)
class Transfer:
    """COPY, MOVE or ADD (3.2.3 to 3.2.5)."""

    kind: str
    source: Target
    destination: Target
    silent: bool


Operation: TypeAlias = Data | Modify | Clear | Create | Transfer


@dataclass(frozen=True)
class Update:
    """An update request that may be run."""

    operations: tuple[Operation, ...]


def parse(
    text: str, *, base: str | None = None, max_length: int = 262_144, max_nesting: int = 64
) -> Update:
    """Make an update of a text that came from anywhere.

    The engine checks the grammar of the whole text before it is taken apart.

    Args:
        text: the request.
        base: what relative IRIs are resolved against.
        max_length: longest text, in characters.
        max_nesting: deepest nesting of brackets.

    Raises:
        QueryError: it is no SPARQL Update, too long or too deep; names the place.
        QueryRefusedError: it calls SERVICE or LOAD.
    """
    plain = _without_silent_loads(sparql.plain_text(text, max_length))
    tokens = list(sparql.tokens(plain))
    sparql.guard_update(plain, tokens, max_nesting=max_nesting)
    _check_grammar(plain, tokens, base)
    reader = _Reader(plain, tokens, base)
    return Update(tuple(reader.operations()))


def _without_silent_loads(text: str) -> str:
    """LOAD SILENT fails here as LOAD does, and passes over its failure (3.1.4): nothing is done."""
    if "SILENT" not in text.upper():
        return text
    found = list(sparql.tokens(text))
    words = [each.text.upper() for each in found]
    pieces: list[str] = []
    end = at = 0
    while at < len(found) - 2:
        if words[at : at + 2] != ["LOAD", "SILENT"]:
            at += 1
            continue
        last = at + 2
        if words[last + 1 : last + 2] == ["INTO"]:
            last += 3 if words[last + 2 : last + 3] == ["GRAPH"] else 2
        names = [found[each].kind for each in {at + 2, last} if each < len(found)]
        if not names or not set(names) <= {"iri", "name"} or last >= len(found):
            at += 1  # no LOAD by the grammar, which will tell
            continue
        pieces += [text[end : found[at].start], f" DROP SILENT GRAPH <{VARIABLE}> "]
        end, at = found[last].start + len(found[last].text), last + 1
    return "".join([*pieces, text[end:]])


def _check_grammar(text: str, tokens: Sequence[Token], base: str | None) -> None:
    """Let the engine parse the text.

    It has no parser apart: so the first operation that it gets is one that fails, behind which
    nothing is run.
    """
    for head, body in _parts(tokens):
        try:
            _parse(f"{_joined(head, _plain)} CREATE GRAPH {_THERE} ; {_joined(body, _plain)}", base)
        except SyntaxError:
            try:
                _parse(_alone(text, [*head, *body]), base)
            except SyntaxError as error:  # now at its place
                raise sparql.engine_error(error, "update") from error


def _parse(text: str, base: str | None) -> None:
    """Raises SyntaxError where the engine cannot read a text."""
    store = ox.Store()
    store.add_graph(_THERE)
    with contextlib.suppress(RuntimeError, OSError):  # read, but not to be done
        store.update(text, base_iri=base)


def _parts(tokens: Sequence[Token]) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    """The parts of a text that the engine can read: prologue and operations.

    It knows no prologue behind a ';' (grammar rule 29). Where there is one, each operation is given
    for itself, behind all prologues before it.
    """
    parts: list[tuple[list[Token], list[Token]]] = [([], [])]
    depth = 0
    for token in tokens:
        depth += (token.text in "{([") - (token.text in "})]")
        if token.text == ";" and depth == 0:
            parts.append(([], []))
            continue
        prologue, body = parts[-1]
        word = token.text.upper()
        opening = not body and (word in _PROLOGUE or bool(prologue and _is_open(prologue)))
        (prologue if opening else body).append(token)
    if not any(prologue for prologue, _body in parts[1:]):
        length = len(parts[0][0])
        yield tokens[:length], tokens[length:]
        return
    heads: dict[str, list[Token]] = {}
    for prologue, body in parts:
        for declaration in _declarations(prologue):
            name = declaration[1].text if len(declaration) > 2 else declaration[0].text.upper()
            heads.pop(name, None)
            heads[name] = declaration
        if len(heads) > _MOST_PREFIXES:
            raise QueryError(f"More than {_MOST_PREFIXES} prefixes are declared.")
        if body:
            yield sorted((each for head in heads.values() for each in head), key=_start), body


def _start(token: Token) -> int:
    return token.start


def _declarations(prologue: Sequence[Token]) -> Iterator[list[Token]]:
    """Each declaration of a prologue."""
    declaration: list[Token] = []
    for token in prologue:
        if token.text.upper() in _PROLOGUE and declaration:
            yield declaration
            declaration = []
        declaration.append(token)
    if declaration:
        yield declaration


def _is_open(prologue: Sequence[Token]) -> bool:
    """Whether a declaration of a prologue lacks its last part."""
    words = [token.text.upper() for token in prologue[-2:]]
    return words[-1] in _PROLOGUE or (len(words) == 2 and words[0] == "PREFIX")


def _alone(text: str, kept: Sequence[Token]) -> str:
    """The text with blanks in the place of all tokens but some."""
    pieces: list[str] = []
    end = 0
    for token in kept:
        pieces += [_NO_BREAK.sub(" ", text[end : token.start]), token.text]
        end = token.start + len(token.text)
    return "".join(pieces)


@dataclass
class _Reader:
    """Takes the operations of a request apart, token by token."""

    text: str
    tokens: Sequence[Token]
    base: str | None
    prefixes: dict[str, ox.NamedNode] = field(default_factory=dict)
    at: int = 0
    spent: int = 0
    """Characters of prologues that were read for its parts."""

    # -- tokens --------------------------------------------------------------------------------

    def peek(self) -> str:
        """The next token's text in upper case; "" at the end."""
        return self.tokens[self.at].text.upper() if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise QueryError("The update ends too early.")
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, *words: str) -> bool:
        if self.peek() in words:
            self.at += 1
            return True
        return False

    def unexpected(self) -> NoReturn:
        token = self.tokens[min(self.at, len(self.tokens) - 1)]
        line, column = sparql.position(self.text, token.start)
        raise QueryError(
            f"'{token.text[:40]}' cannot stand here.",
            line=line,
            column=column,
            hint="An update consists of INSERT, DELETE, WITH, CLEAR, DROP, CREATE, COPY, MOVE, "
            "ADD, separated by ';'. Put a space after each keyword.",
        )

    def group(self) -> tuple[int, int]:
        """The token range of a bracketed group, its braces excluded; goes on behind it."""
        if self.peek() != "{":
            self.unexpected()
        start, depth = self.at + 1, 0
        while True:
            text = self.take().text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return start, self.at - 1

    def source(self, start: int, end: int) -> str:
        """The text of a token range with a blank around; "" for an empty one."""
        if start >= end:
            return " "
        last = self.tokens[end - 1]
        return f" {self.text[self.tokens[start].start : last.start + len(last.text)]} "

    # -- operations ----------------------------------------------------------------------------

    def operations(self) -> Iterator[Operation]:
        while self.at < len(self.tokens):
            if self.accept("BASE"):
                self.base = self.declared().value
            elif self.accept("VERSION"):
                self.take()  # what is new in 1.2 is taken or refused whatever it says
            elif self.accept("PREFIX"):
                name = self.take().text
                self.prefixes[name] = self.declared()
            else:
                yield self.operation()
                if self.at < len(self.tokens) and not self.accept(";"):
                    self.unexpected()

    def operation(self) -> Operation:
        word = self.peek()
        if word in {"CLEAR", "DROP"}:
            self.at += 1
            silent = self.accept("SILENT")
            return Clear(self.target(), word == "DROP", silent)
        if word == "CREATE":
            self.at += 1
            silent = self.accept("SILENT")
            self.accept("GRAPH")
            return Create(self.iri(), silent)
        if word in {"COPY", "MOVE", "ADD"}:
            self.at += 1
            silent = self.accept("SILENT")
            source = self.target()
            if not self.accept("TO"):
                self.unexpected()
            return Transfer(word, source, self.target(), silent)
        return self.change()

    def change(self) -> Operation:
        """INSERT DATA, DELETE DATA, DELETE WHERE or a Modify."""
        home = self.iri() if self.accept("WITH") else None
        delete: tuple[int, int] | None = None
        insert: tuple[int, int] | None = None
        if self.accept("DELETE"):
            if self.accept("DATA"):
                return Data(insert=False, quads=self.quads(*self.group()))
            if self.accept("WHERE"):
                where = self.group()
                return self.modify(where, None, where, None)
            delete = self.group()
        if self.accept("INSERT"):
            if delete is None and home is None and self.accept("DATA"):
                return Data(insert=True, quads=self.quads(*self.group()))
            insert = self.group()
        if delete is None and insert is None:
            self.unexpected()
        using: list[str] = []
        using_named: list[str] = []
        while self.accept("USING"):
            (using_named if self.accept("NAMED") else using).append(self.iri().value)
        self.accept("WHERE")
        where = self.group()
        return self.modify(
            delete, insert, where, home, using=tuple(using), using_named=tuple(using_named)
        )

    def modify(
        self,
        delete: tuple[int, int] | None,
        insert: tuple[int, int] | None,
        where: tuple[int, int],
        home: ox.NamedNode | None,
        *,
        using: tuple[str, ...] = (),
        using_named: tuple[str, ...] = (),
    ) -> Modify:
        templates = [self.quads(*each) if each else () for each in (delete, insert)]
        names = tuple(
            dict.fromkeys(
                term.value[len(VARIABLE) :]
                for quads in templates
                for quad in quads
                for term in quad
                if isinstance(term, ox.NamedNode) and term.value.startswith(VARIABLE)
            )
        )
        shown = " ".join(f"?{name}" for name in names) or f"(1 AS ?{_SOLUTION})"
        query = f"{self.head()} SELECT {shown} WHERE {{{self.source(*where)}}}"
        return Modify(templates[0], templates[1], query, names, home, using, using_named)

    # -- terms ---------------------------------------------------------------------------------

    def head(self) -> str:
        """The prologue, for one more text that the engine reads.

        Raises:
            QueryError: it is long, and stands before too many operations.
        """
        base = [f"BASE <{self.base}>"] if self.base else []
        declared = (f"PREFIX {name} {iri}" for name, iri in self.prefixes.items())
        head = "\n".join([*base, *declared]) + "\n"
        self.spent += len(head)
        if self.spent > _MOST_READ:
            raise QueryError(
                "The prologue is too long for so many operations.",
                hint="Declare fewer prefixes, or send several requests.",
            )
        return head

    def target(self) -> Target:
        for word in (DEFAULT, NAMED, ALL):
            if self.accept(word):
                return word
        self.accept("GRAPH")
        return self.iri()

    def iri(self) -> ox.NamedNode:
        token = self.take()
        if token.kind not in {"iri", "name"}:
            self.at -= 1
            self.unexpected()
        (quad,) = self.trig(f"{token.text} <urn:x:p> <urn:x:o> .")
        if not isinstance(quad.subject, ox.NamedNode):
            self.unexpected()
        return quad.subject

    def declared(self) -> ox.NamedNode:
        """The IRI of a prologue, which each use of it will repeat."""
        iri = self.iri()
        if len(iri.value) > _LONGEST_DECLARED:
            raise QueryError(f"An IRI of the prologue has {len(iri.value)} characters.")
        return iri

    def quads(self, start: int, end: int) -> tuple[ox.Quad, ...]:
        """Data or a template as quads: the same text is TriG, once its parts are set apart."""
        pieces: list[str] = []
        plain: list[Token] = []
        at = start

        def close() -> None:
            if plain:
                pieces.append(f"{{ {_joined(plain, _as_trig)} }}")
                plain.clear()

        while at < end:
            token = self.tokens[at]
            if token.kind != "word" or token.text.upper() != "GRAPH":
                plain.append(token)
                at += 1
                continue
            close()
            name, at = self.tokens[at + 1], at + 3  # GRAPH name {
            inner: list[Token] = []
            depth = 1
            while depth:
                depth += (self.tokens[at].text == "{") - (self.tokens[at].text == "}")
                inner.append(self.tokens[at])
                at += 1
            pieces.append(f"GRAPH {_as_trig(name)} {{ {_joined(inner[:-1], _as_trig)} }}")
            if at < end and self.tokens[at].text == ".":
                at += 1
        close()
        quads = tuple(self.trig("\n".join(pieces)))
        if any(isinstance(quad.object, ox.Triple) for quad in quads):
            line, column = sparql.position(self.text, self.tokens[start].start)
            raise QueryError(
                rdf.NO_TRIPLE_TERMS[:-1] + ".", line=line, column=column, hint=rdf.REIFY
            )
        return quads

    def trig(self, body: str) -> list[ox.Quad]:
        try:
            return list(
                ox.parse(
                    (self.head() + body).encode(),
                    ox.RdfFormat.TRIG,
                    base_iri=self.base,
                    rename_blank_nodes=True,
                )
            )
        except (SyntaxError, ValueError) as error:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
            raise QueryError(
                f"The quads of the update cannot be read: {text}",
                hint="Put a space after each keyword.",
            ) from error


def _joined(tokens: Sequence[Token], written: Callable[[Token], str]) -> str:
    """Tokens as a text; those that touch in the source touch here (``"1"^^<type>``)."""
    pieces: list[str] = []
    end = -1
    for token in tokens:
        pieces.append(written(token) if token.start == end else f" {written(token)}")
        end = token.start + len(token.text)
    return "".join(pieces)


def _plain(token: Token) -> str:
    return token.text


def _as_trig(token: Token) -> str:
    return f"<{VARIABLE}{token.text[1:]}>" if token.kind == "variable" else token.text
