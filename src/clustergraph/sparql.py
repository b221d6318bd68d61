"""SPARQL texts as values: tokenised, told apart by form, guarded, with parameters bound as terms.

Only ``parse`` makes a ``Query``. The tokens follow the terminals of the SPARQL 1.1 grammar
(https://www.w3.org/TR/sparql11-query/#sparqlGrammar), after the codepoint escapes of section 19.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from clustergraph.errors import ParameterError, QueryError, QueryRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clustergraph.rdf import Term


class Form(Enum):
    """What a query answers with."""

    SELECT = "SELECT"
    ASK = "ASK"
    CONSTRUCT = "CONSTRUCT"
    DESCRIBE = "DESCRIBE"

    @property
    def is_graph(self) -> bool:
        """Whether the answer is an RDF graph, not solutions or a boolean."""
        return self in {Form.CONSTRUCT, Form.DESCRIBE}


@dataclass(frozen=True)
class Token:
    """One terminal: its kind, its text, and where it starts (offset in the unescaped text)."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class Query:
    """A query that may be run: ``text`` has its codepoint escapes resolved."""

    text: str
    form: Form
    declared: tuple[str, ...] = ()
    """Prefixes that were declared for its author, at the head of ``text``."""
    head: int = 0
    """How many characters of ``text`` declare them."""
    source: str = ""
    """What its author wrote."""

    @property
    def written(self) -> str:
        """The text without what was declared for its author."""
        return self.text[self.head :]

    def placed(self, error: QueryError) -> QueryError:
        """An error in ``text``, with the line and the column of what its author wrote."""
        if error.line is None or error.column is None or not self.source:
            return error
        offset = max(0, _offset(self.text, error.line, error.column) - self.head)
        for match in _ESCAPE.finditer(self.source):
            if match.start() >= offset:
                break
            offset += len(match[0]) - 1
        line, column = position(self.source, offset)
        return type(error)(error.reason, line=line, column=column, hint=error.hint)


UPDATE_FORMS = frozenset(
    {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
)
_PROLOGUE = frozenset({"BASE", "PREFIX", "VERSION"})
_ERROR_PLACE = re.compile(r"^error at (\d+):(\d+): expected (?:one of )?(.*)$", re.DOTALL)
_OPEN, _CLOSE = {"{": "}", "(": ")", "[": "]"}, {"}", ")", "]"}

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>\#[^\n\r]*)
    | (?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''
                |"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
    | (?P<iri><[^\x00-\x20<>"{}|^`\\]*>)
    | (?P<variable>[?$]\w+)
    | (?P<blank>_:[\w·.\-]*)
    | (?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    | (?P<name>(?:[^\W\d_](?:[\w·.\-]*[\w·\-])?)?:
               (?:[\w·:.\-]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d_]\w*)
    | (?P<punctuation>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def unescape(text: str) -> str:
    """Resolve the codepoint escapes that SPARQL allows anywhere (section 19.2).

    Raises:
        QueryError: an escape names no character that can stand in a text.
    """

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            line, column = position(text, match.start())
            raise QueryError(f"{match[0]} is no character.", line=line, column=column)
        return chr(code)

    return _ESCAPE.sub(character, text) if "\\" in text else text


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character offset."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _offset(text: str, line: int, column: int) -> int:
    """The character offset of a line and column, from 1."""
    offset = 0
    for _ in range(line - 1):
        offset = text.find("\n", offset) + 1
    return offset + column - 1


def undeclared(found: Iterable[Token]) -> Iterator[tuple[str, Token]]:
    """The prefixed names whose prefix no PREFIX before them declares: prefix and name."""
    known: set[str] = set()
    previous = ""
    for token in found:
        if token.kind == "name":
            prefix = token.text.partition(":")[0]
            if previous == "PREFIX":
                known.add(prefix)
            elif prefix not in known:
                yield prefix, token
        previous = token.text.upper() if token.kind == "word" else ""


def prefixes(text: str) -> dict[str, str]:
    """The prefixes that a text declares, with their namespaces."""
    found: dict[str, str] = {}
    former = [Token("", "", 0)] * 2
    for token in tokens(text):
        if token.kind == "iri" and former[0].text.upper() == "PREFIX":
            found[former[1].text.removesuffix(":")] = token.text[1:-1]
        former = [former[1], token]
    return found


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an unescaped text, without white space and comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind not in {"space", "comment"}:
            yield Token(kind, match[0], match.start())


def parse(
    text: str,
    *,
    max_length: int = 262_144,
    max_nesting: int = 64,
    prefixes: Mapping[str, str] | None = None,
) -> Query:
    """Make a query of a text that came from anywhere.

    The engine checks the grammar later; here stands what must be known before it is run: that it
    is a query and no update, that it reaches out to no other service, and that its nesting and
    length cannot exhaust the parser.

    Args:
        text: of the query.
        max_length: in characters.
        max_nesting: of brackets.
        prefixes: declared for the author where the query uses one and declares none of that name.

    Raises:
        QueryError: empty, an update, two queries, too long, too deep, unbalanced.
        QueryRefusedError: it calls SERVICE.
    """
    plain = _read(text, max_length)
    found: list[Token] = []
    try:
        form = _guarded_form(_kept(tokens(plain), found), plain, max_nesting)
    except QueryError as error:
        raise Query(plain, Form.ASK, source=text).placed(error) from None
    missing = dict.fromkeys(prefix for prefix, _ in undeclared(found))
    declared = tuple(prefix for prefix in missing if prefixes and prefix in prefixes)
    head = "".join(f"PREFIX {each}: <{(prefixes or {})[each]}> " for each in declared)
    return Query(head + plain, form, declared, len(head), text)


def _kept(read: Iterable[Token], found: list[Token]) -> Iterator[Token]:
    """Tokens as they are read, each put into ``found``: a mistake ends the reading."""
    for token in read:
        found.append(token)
        yield token


def _guarded_form(found: Iterable[Token], plain: str, max_nesting: int) -> Form:
    form: Form | None = None
    expected: list[tuple[str, int]] = []
    previous = Token("", "", 0)
    for token in found:
        if token.kind == "punctuation":
            _nest(token, expected, plain, max_nesting)
        elif token.kind == "word":
            word = token.text.upper()
            if form is None:
                form = _form(word, token, plain)
            elif "SERVICE" in word:
                _no_service(token, plain)
        elif token.kind == "name" and form is not None:
            if token.text.upper().startswith("SERVICE"):
                _no_service(token, plain)
        elif form is None and not (
            token.kind == "iri"
            or (token.kind == "name" and previous.text.upper() == "PREFIX")
            or (token.kind == "string" and previous.text.upper() == "VERSION")
        ):
            _no_query(token, plain)
        previous = token
    if form is None:
        raise QueryError(
            "The text holds no query.", hint="Start with SELECT, ASK, CONSTRUCT or DESCRIBE."
        )
    _closed(expected, plain)
    return form


def guarded(text: str, *, max_length: int, max_nesting: int) -> str:
    """The text of an update with its codepoint escapes resolved, if it may be read on.

    Raises:
        QueryError: too long, too deep, unbalanced.
        QueryRefusedError: it calls SERVICE or LOAD.
    """
    plain = _read(text, max_length)
    expected: list[tuple[str, int]] = []
    previous = ""
    for token in tokens(plain):
        word = token.text.upper()
        if token.kind == "punctuation":
            _nest(token, expected, plain, max_nesting)
        elif token.kind == "word":
            if "SERVICE" in word:
                _no_service(token, plain)
            if "LOAD" in word and not expected:
                _no_load(token, plain)
        elif token.kind == "name" and previous != "PREFIX":
            if word.startswith("SERVICE"):
                _no_service(token, plain)
            if word.startswith("LOAD") and not expected:
                _no_load(token, plain)
        previous = word
    _closed(expected, plain)
    return plain


def _read(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise QueryError(
            f"The text has {len(text)} characters; at most {max_length} are read.",
            hint="Move long lists of values into several requests.",
        )
    return unescape(text)


def _closed(expected: list[tuple[str, int]], text: str) -> None:
    if expected:
        bracket, start = expected[-1]
        line, column = position(text, start)
        raise QueryError(f"'{bracket}' is never closed.", line=line, column=column)


def _nest(token: Token, expected: list[tuple[str, int]], text: str, deepest: int) -> None:
    if token.text in _OPEN:
        expected.append((token.text, token.start))
        if len(expected) > deepest:
            line, column = position(text, token.start)
            raise QueryError(
                f"Brackets are nested more than {deepest} deep.",
                line=line,
                column=column,
                hint="Flatten the query; most nested groups can go.",
            )
    elif token.text in _CLOSE:
        if not expected or _OPEN[expected[-1][0]] != token.text:
            line, column = position(text, token.start)
            raise QueryError(f"'{token.text}' closes nothing.", line=line, column=column)
        expected.pop()


def _form(word: str, token: Token, text: str) -> Form | None:
    if word in Form.__members__:
        return Form[word]
    if word in UPDATE_FORMS:
        line, column = position(text, token.start)
        raise QueryError(
            f"{word} belongs to SPARQL Update; this address answers queries.",
            line=line,
            column=column,
        )
    if word not in _PROLOGUE:
        _no_query(token, text)
    return None


def _no_service(token: Token, text: str) -> NoReturn:
    """Refuse a call of another service.

    The engine's parser wants no space around keywords: it reads ``SERVICESILENT<x:>`` and
    ``SERVICEa:b`` as calls. So every word that holds SERVICE is refused, and every prefixed name
    that begins with it.
    """
    line, column = position(text, token.start)
    raise QueryRefusedError(
        "SERVICE is not allowed here.",
        line=line,
        column=column,
        hint="Ask the other endpoint itself and join the answers on your side."
        if token.kind == "word"
        else "If it is a prefix, give it a name that does not begin with 'service'.",
    )


def _no_load(token: Token, text: str) -> NoReturn:
    """LOAD would make the server fetch an address that a stranger names."""
    line, column = position(text, token.start)
    raise QueryRefusedError(
        "LOAD is not allowed here.",
        line=line,
        column=column,
        hint="Fetch the document yourself and send it to /graphs."
        if token.kind == "word"
        else "If it is a prefix, give it a name that does not begin with 'load'.",
    )


def _no_query(token: Token, text: str) -> NoReturn:
    line, column = position(text, token.start)
    raise QueryError(
        f"'{token.text[:40]}' cannot stand here.",
        line=line,
        column=column,
        hint="A query starts with SELECT, ASK, CONSTRUCT or DESCRIBE, after its PREFIX lines.",
    )


def bind(text: str, values: Mapping[str, Term | Sequence[Term]]) -> str:
    """Put terms in the place of the variables named ``values``, token by token.

    Several terms are written one after the other, as VALUES takes them.

    A value is written as one term, whatever it contains: it cannot end a string or an IRI.

    Raises:
        ParameterError: the text has no such variable.
    """
    pieces: list[str] = []
    used: set[str] = set()
    for match in _TOKEN.finditer(text):
        name = match[0][1:] if match.lastgroup == "variable" else ""
        if name in values:
            used.add(name)
            value = values[name]
            terms = value if isinstance(value, Sequence) else (value,)
            pieces.append(" ".join(str(term) for term in terms))
        else:
            pieces.append(match[0])
    missing = sorted(set(values) - used)
    if missing:
        raise ParameterError("The query has no parameter " + ", ".join(missing) + ".")
    return "".join(pieces)


def engine_error(error: SyntaxError, kind: str = "query") -> QueryError:
    """The engine's syntax error in our words, with the place that it names."""
    match = _ERROR_PLACE.match(error.msg or str(error))
    if match is None:
        return QueryError(f"The {kind} is not valid SPARQL: {error}")
    line, column, expected = int(match[1]), int(match[2]), match[3]
    if "Prefix not found" in expected:
        return QueryError(
            "A prefix is used that is not declared.",
            line=line,
            column=column,
            hint=f"Declare it at the head of the {kind}: PREFIX name: <IRI>",
        )
    if "unbound" in expected:
        return QueryError(
            "The SELECT clause names a variable that is neither grouped nor aggregated.",
            line=line,
            column=column,
        )
    words = re.findall(r'"([^"]{1,12})"|\b([A-Z_]{2,})\b', re.sub(r"\[[^\]]*\]", "", expected))
    readable = ", ".join(dict.fromkeys(a or b for a, b in words))
    return QueryError(
        f"The {kind} is not valid SPARQL"
        + (f"; here could stand: {readable}." if readable else " here."),
        line=line,
        column=column,
    )
