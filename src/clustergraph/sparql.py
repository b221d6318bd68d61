"""SPARQL texts as values: tokenised, told apart by form, guarded, with parameters bound as terms.

Only ``parse`` makes a ``Query``. The tokens follow the terminals of the SPARQL 1.1 grammar
(https://www.w3.org/TR/sparql11-query/#sparqlGrammar), after the codepoint escapes of section 19.2.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, NoReturn

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


class Token(NamedTuple):
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
    """How many characters of ``text`` declare them, and what relative IRIs are relative to."""
    source: str = ""
    """What its author wrote."""
    star: int = -1
    """Where the ``*`` of SELECT * stands in ``text``; -1 if it says something else."""
    key: str = ""
    """The same for texts that differ in nothing but white space and comments."""
    shape: str = ""
    """The same for texts that differ beside that in strings and numbers."""

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
            offset += len(match[0]) - 1 if match.lastindex else 0
        line, column = position(self.source, offset)
        return type(error)(error.reason, line=line, column=column, hint=error.hint)


UPDATE_FORMS = frozenset(
    {"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"}
)
_PROLOGUE = frozenset({"BASE", "PREFIX", "VERSION"})
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:")
_ERROR_PLACE = re.compile(r"^error at (\d+):(\d+): expected (?:one of )?(.*)$", re.DOTALL)
_LONGEST_CHAIN = 4000
_CHAINING, _SIGNS = frozenset("!/|*&"), frozenset("+-")
_CLAUSES = frozenset({"UNION", "OPTIONAL", "MINUS", "BIND", "FILTER", "EXISTS"})
_VALUES = frozenset({"string", "number"})
_OPEN, _CLOSE = {"{": "}", "(": ")", "[": "]"}, {"}", ")", "]"}

_ESCAPE = re.compile(r"\\\\|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
"""A codepoint escape; or a backslash that is escaped itself, behind which none begins."""
_MARKS = "·\u0300-\u036f\u203f\u2040"
"""What may stand in a name beside letters, digits and ``_`` (rule 167)."""
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_WORD = r"[^\W\d_]\w*"
_TOKEN = re.compile(
    rf"""
      (?P<space>[\x20\t\r\n]+)
    | (?P<comment>\#[^\n\r]*)
    | (?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*+'''
                |"(?!"")(?:[^"\\\n\r]|\\.)*+"|'(?!'')(?:[^'\\\n\r]|\\.)*+')
    | (?P<open>["'])
    | (?P<iri><[^\x00-\x20<>"{{}}|^`\\]*+>)
    | (?P<variable>[?$][\w{_MARKS}]+)
    | (?P<blank>_:[\w{_MARKS}.\-]*)
    | (?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    | (?P<name>(?:[^\W\d_](?:[\w{_MARKS}.\-]*[\w{_MARKS}\-])?)?:
               (?:[\w{_MARKS}:.\-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])*)
    | (?P<number>{_NUMBER})
    | (?P<run>[^\W\d_][\w{_MARKS}.\-]*+)
    | (?P<punctuation>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Linear in the text: what fails behind a long look is never looked at again. A ``run`` is letters
in which no colon follows, ``open`` a quote that nothing closes."""
_RUN = re.compile(rf"(?P<word>{_WORD})|(?P<number>{_NUMBER})|(?P<punctuation>.)", re.DOTALL)


def unescape(text: str) -> str:
    """Resolve the codepoint escapes that SPARQL allows anywhere (section 19.2).

    Raises:
        QueryError: an escape names no character that can stand in a text.
    """

    def character(match: re.Match[str]) -> str:
        if match.lastindex is None:
            return match[0]
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
    """The tokens of an unescaped text, without white space and comments.

    Raises:
        QueryError: a string is never closed.
    """
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space" or kind == "comment":  # noqa: PLR1714  quicker than a set
            continue
        if kind == "run" or kind == "open":  # noqa: PLR1714
            for each in _taken_apart(match, text):
                yield Token(each.lastgroup or "", each[0], each.start())
        else:
            yield Token(kind or "", match[0], match.start())


def _matches(text: str) -> Iterator[re.Match[str]]:
    """All pieces of a text, one behind the other."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup in {"run", "open"}:
            yield from _taken_apart(match, text)
        else:
            yield match


def _taken_apart(match: re.Match[str], text: str) -> Iterator[re.Match[str]]:
    """The pieces of a ``run``.

    Raises:
        QueryError: it is a quote that nothing closes.
    """
    if match.lastgroup == "open":
        line, column = position(text, match.start())
        raise QueryError("A string is not closed.", line=line, column=column)
    return _RUN.finditer(text, match.start(), match.end())


def parse(
    text: str,
    *,
    max_length: int = 262_144,
    max_nesting: int = 64,
    prefixes: Mapping[str, str] | None = None,
    base: str = "",
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
        base: what relative IRIs are resolved against until the query says BASE (section 4.1.1.2);
            "" if nothing is known: the engine refuses them.

    Raises:
        QueryError: empty, an update, two queries, too long, too deep, unbalanced.
        QueryRefusedError: it calls SERVICE.
    """
    plain = plain_text(text, max_length)
    found: list[Token] = []
    mistake: QueryError | None = None
    try:
        try:
            found.extend(tokens(plain))
        except QueryError as error:  # what stands before it may be wrong too, and is told first
            mistake = error
        form = _guarded_form(found, mistake, plain, max_nesting)
    except QueryError as error:
        raise Query(plain, Form.ASK, source=text).placed(error) from None
    missing = dict.fromkeys(prefix for prefix, _ in undeclared(found))
    declared = tuple(prefix for prefix in missing if prefixes and prefix in prefixes)
    head = "".join(f"PREFIX {each}: <{(prefixes or {})[each]}> " for each in declared)
    if base and any(each.kind == "iri" and not _ABSOLUTE.match(each.text) for each in found):
        head = f"BASE <{base}> {head}"
    star = _star(found)
    words = [head, *(token.text for token in found)]
    shape = [head, *("0" if token.kind in _VALUES else token.text for token in found)]
    return Query(
        head + plain,
        form,
        declared,
        len(head),
        text,
        star + len(head) if star >= 0 else -1,
        _digest(words),
        _digest(shape),
    )


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _guarded_form(
    found: Iterable[Token], mistake: QueryError | None, plain: str, max_nesting: int
) -> Form:
    """The form of a query whose tokens were read up to its end, or to a mistake.

    Raises:
        QueryError, QueryRefusedError: see ``parse``.
    """
    form: Form | None = None
    nesting = _Nesting(plain, max_nesting)
    previous = Token("", "", 0)
    for token in found:
        kind = token.kind
        if kind == "punctuation":
            nesting.see(token, previous)
            if form is not None:
                previous = token
                continue
        if kind == "word":
            nesting.see(token, previous)
            word = token.text.upper()
            if form is None:
                form = _form(word, token, plain)
            elif "SERVICE" in word:
                _no_service(token, plain)
        elif kind == "name" and form is not None:
            if token.text.upper().startswith("SERVICE"):
                _no_service(token, plain)
        elif form is None and not (
            kind in {"iri", "punctuation"}
            or (kind == "name" and previous.text.upper() == "PREFIX")
            or (kind == "string" and previous.text.upper() == "VERSION")
        ):
            _no_query(token, plain)
        previous = token
    if mistake is not None:
        raise mistake
    if form is None:
        raise QueryError(
            "The text holds no query.", hint="Start with SELECT, ASK, CONSTRUCT or DESCRIBE."
        )
    nesting.end()
    return form


def _star(found: Sequence[Token]) -> int:
    """Where the ``*`` of the outermost SELECT stands; -1 if it names its columns."""
    words: list[str] = []
    for token in found:
        words.append(token.text.upper())
        if token.text == "{":
            break
        if token.text == "*":
            return token.start if "SELECT" in words[-3:-1] else -1
    return -1


def variables(text: str) -> Iterator[str]:
    """The names of variables in the order in which a text first names them."""
    seen = (token.text[1:] for token in tokens(text) if token.kind == "variable")
    return iter(dict.fromkeys(seen))


def guard_update(plain: str, found: Iterable[Token], *, max_nesting: int) -> None:
    """Check the tokens of an update before it is read on.

    Args:
        plain: its text, with codepoint escapes resolved.
        found: its tokens.
        max_nesting: deepest nesting of brackets.

    Raises:
        QueryError: too deep, unbalanced.
        QueryRefusedError: it calls SERVICE or LOAD.
    """
    nesting = _Nesting(plain, max_nesting)
    previous, former = "", Token("", "", 0)
    for token in found:
        word = token.text.upper()
        nesting.see(token, former)
        former = token
        if token.kind == "word":
            if "SERVICE" in word:
                _no_service(token, plain)
            if "LOAD" in word and not nesting.depth:
                _no_load(token, plain)
        elif token.kind == "name" and previous != "PREFIX":
            if word.startswith("SERVICE"):
                _no_service(token, plain)
            if word.startswith("LOAD") and not nesting.depth:
                _no_load(token, plain)
        previous = word
    nesting.end()


def plain_text(text: str, max_length: int) -> str:
    """A text with its codepoint escapes resolved.

    Raises:
        QueryError: it is too long, or an escape names no character.
    """
    if len(text) > max_length:
        raise QueryError(
            f"The text has {len(text)} characters; at most {max_length} are read.",
            hint="Move long lists of values into several requests.",
        )
    return unescape(text)


class _Nesting:
    """Watches brackets and chains of operators: the engine's parser recurses on both.

    It comes to its end at some 5,000 operators behind each other, in however many open groups.
    """

    def __init__(self, text: str, deepest: int) -> None:
        self._text = text
        self._deepest = deepest
        self._open: list[tuple[str, int, int]] = []
        self._expressions: list[bool] = []
        self._chain = 0

    @property
    def depth(self) -> int:
        """Brackets that are open."""
        return len(self._open)

    def see(self, token: Token, previous: Token) -> None:
        """Take note of a token; only words and punctuation matter.

        Args:
            token: the next one.
            previous: the one before it.

        Raises:
            QueryError: a bracket that closes nothing; too many open; a chain too long.
        """
        if token.kind == "punctuation":
            if token.text in _OPEN:
                called = token.text == "(" and previous.kind == "word"
                self._open.append((token.text, token.start, self._chain))
                self._expressions.append(called or (token.text == "(" and self._is_expression()))
                if len(self._open) > self._deepest:
                    self._wrong(
                        token.start,
                        f"Brackets are nested more than {self._deepest} deep.",
                        "Flatten the query; most nested groups can go.",
                    )
            elif token.text in _CLOSE:
                self._close(token)
            elif token.text == ";" and not self._open:
                self._chain = 0
            elif token.text in _CHAINING or (token.text in _SIGNS and self._is_binary(previous)):
                self._chain += 1
        elif token.kind == "word" and token.text.upper() in _CLAUSES:
            self._chain += 2
        elif token.kind == "word" and token.text.upper() == "AS" and self._open:
            bracket, start, chain = self._open[-1]  # the next column hangs on this one
            self._open[-1] = bracket, start, chain + 2
        if self._chain > _LONGEST_CHAIN:
            self._wrong(
                token.start,
                "Too many operators or clauses stand behind each other.",
                "Use VALUES or IN for long lists of alternatives.",
            )

    def _is_binary(self, previous: Token) -> bool:
        """Whether a sign stands between two operands, not before a number."""
        operand = previous.kind != "punctuation" or previous.text in _CLOSE
        return operand and self._is_expression()

    def _is_expression(self) -> bool:
        """Whether the innermost bracket holds an expression, not a list of values."""
        return bool(self._expressions) and self._expressions[-1]

    def _close(self, token: Token) -> None:
        if not self._open or _OPEN[self._open[-1][0]] != token.text:
            self._wrong(token.start, f"'{token.text}' closes nothing.")
        *_rest, self._chain = self._open.pop()
        self._expressions.pop()

    def end(self) -> None:
        """The text is at its end.

        Raises:
            QueryError: a bracket is open.
        """
        if self._open:
            bracket, start, _chain = self._open[-1]
            self._wrong(start, f"'{bracket}' is never closed.")

    def _wrong(self, start: int, message: str, hint: str | None = None) -> NoReturn:
        line, column = position(self._text, start)
        raise QueryError(message, line=line, column=column, hint=hint)


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
    texts, names = _split(text, frozenset(values))
    missing = sorted(set(values) - set(names))
    if missing:
        raise ParameterError("The query has no parameter " + ", ".join(missing) + ".")
    pieces = [texts[0]]
    for name, following in zip(names, texts[1:], strict=True):
        value = values[name]
        terms = value if isinstance(value, Sequence) else (value,)
        pieces += (" ".join(str(term) for term in terms), following)
    return "".join(pieces)


@functools.lru_cache(maxsize=256)
def _split(text: str, wanted: frozenset[str]) -> tuple[list[str], list[str]]:
    """A text without some of its variables, and their names: one between each two pieces."""
    texts, names, since = [], [], 0
    for match in _matches(text):
        if match.lastgroup == "variable" and match[0][1:] in wanted:
            texts.append(text[since : match.start()])
            names.append(match[0][1:])
            since = match.end()
    return [*texts, text[since:]], names


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
