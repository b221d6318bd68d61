"""Pre-bound variables (SHACL section 5.3.1): one SPARQL text, asked for many nodes at once.

Three ways give the same answers, and the quickest that is safe is taken:

- *free*: the text runs once with its variable unbound, and solutions for other nodes are dropped.
  Safe where the text itself binds the variable in every place that looks at it.
- *table*: the nodes are inserted as VALUES at the start of every group, many at a time; this is
  the specification's definition (Values Insertion), with a row number that solutions carry along.
- *single*: the same with one node at a time, for texts that count, cut off or nest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from clustergraph.errors import QueryError
from clustergraph.sparql import Token, tokens, unescape
from clustergraph.validation.engine import patterns
from clustergraph.validation.engine.binding import binds_itself
from clustergraph.validation.engine.errors import ill_formed
from clustergraph.validation.engine.nodes import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROW = "_row"
_BLANK = "urn:x-clustergraph:blank:"
_FORBIDDEN = frozenset({"MINUS", "SERVICE", "VALUES"})
_KINDS = {"ISBLANK": "", "ISIRI": "!", "ISURI": "!"}
_SUBJECT = re.compile(r"^_:(\S+)(?= )", re.MULTILINE)
_OBJECT = re.compile(r" _:(\S+)(?= \.$)", re.MULTILINE)


class Way(Enum):
    """How a text is asked for many nodes."""

    FREE = "free"
    TABLE = "table"
    SINGLE = "single"


def skolemise(content: str) -> str:
    """N-Triples with an IRI in place of each blank node, so that a query can name it."""
    if "_:" not in content:
        return content
    return _OBJECT.sub(rf" <{_BLANK}\1>", _SUBJECT.sub(rf"<{_BLANK}\1>", content))


def skolem(node: str) -> str:
    """A node as the store of the queries knows it."""
    return f"<{_BLANK}{node[2:]}>" if is_blank(node) else node


def unskolem(node: str) -> str:
    """A node of the data for one of the store."""
    return f"_:{node[len(_BLANK) + 1 : -1]}" if node.startswith(f"<{_BLANK}") else node


@dataclass(frozen=True)
class Query:
    """A SELECT or ASK text of the shapes graph, ready to get values for ``names``."""

    shape: str
    header: str
    """Its PREFIX lines."""
    text: str
    names: tuple[str, ...]
    """The pre-bound variables that differ between nodes: ``this``, or also ``value``."""
    constants: dict[str, str] = field(default_factory=dict)
    """The pre-bound variables that are the same for all nodes."""
    structure: patterns.Select = field(init=False)
    way: Way = field(init=False)

    def __post_init__(self) -> None:
        try:
            structure = patterns.read(self.text)
        except QueryError as error:
            raise ill_formed(self.shape, f"has a query that cannot be used: {error}") from error
        object.__setattr__(self, "structure", structure)
        _check(self.shape, self.text, structure, {*self.names, *self.constants})
        object.__setattr__(self, "way", self._find_way())

    @property
    def is_ask(self) -> bool:
        """Whether it answers yes or no."""
        return _first_word(self.text) == "ASK"

    def mentions(self, name: str) -> bool:
        """Whether it uses a variable."""
        return any(
            token.kind == "variable" and token.text[1:] == name for token in tokens(self.text)
        )

    def _find_way(self) -> Way:
        if self.names == ("this",) and not self.is_ask and binds_itself(self.structure, "this"):
            return Way.FREE
        return Way.TABLE if _fits_table(self.structure) else Way.SINGLE

    @property
    def fits_table(self) -> bool:
        """Whether it may be asked with a table of nodes."""
        return _fits_table(self.structure)

    def free(self, *, has_blank: bool) -> str:
        """The text with its variable unbound."""
        return self._filled((), [()], has_blank=has_blank)

    def single(self, row: Sequence[str], *, has_blank: bool) -> str:
        """The text for one node."""
        return self._filled(self.names, [row], has_blank=has_blank)

    def table(self, rows: Iterable[Sequence[str]], *, has_blank: bool) -> str:
        """The text for many nodes; solutions carry the number of the row as ``ROW``."""
        numbered = [(*row, str(number)) for number, row in enumerate(rows)]
        text = self._filled((*self.names, ROW), numbered, has_blank=has_blank)
        if self.is_ask:
            return re.sub(r"\bASK\b", f"SELECT DISTINCT ?{ROW}", text, count=1, flags=re.IGNORECASE)
        if "*" in [token.text for token in self.structure.projection]:
            return text
        start = r"\bSELECT(\s+(?:DISTINCT|REDUCED)\b)?"
        return re.sub(start, rf"SELECT\1 ?{ROW} ", text, count=1, flags=re.IGNORECASE)

    def _filled(
        self, names: Sequence[str], rows: Sequence[Sequence[str]], *, has_blank: bool
    ) -> str:
        text = _without_blank_tests(self.text) if has_blank else self.text
        constants = {name: node for name, node in self.constants.items() if self.mentions(name)}
        columns = [*names, *constants]
        if not columns:
            return self.header + text
        fixed = list(constants.values())
        table = " ".join("(" + " ".join(map(skolem, (*row, *fixed))) + ")" for row in rows)
        head = " ".join(f"?{name}" for name in columns)
        within_exists = len(rows) == 1
        return self.header + _inserted(text, f" VALUES ({head}) {{ {table} }} ", within_exists)


def substitute_path(text: str, path: str) -> str:
    """Write a property path in place of $PATH (section 5.2.1)."""
    plain = unescape(text)
    edits = [
        (token.start, token.start + len(token.text), path)
        for token in tokens(plain)
        if token.kind == "variable" and token.text[1:] == "PATH"
    ]
    return _edited(plain, edits)


def _first_word(text: str) -> str:
    for token in tokens(text):
        if token.kind == "word" and token.text.upper() in {"SELECT", "ASK"}:
            return token.text.upper()
    return ""


def _check(shape: str, text: str, structure: patterns.Select, names: set[str]) -> None:
    """What a text with pre-bound variables must not hold (section 5.3.1 and appendix A).

    Raises:
        UsageError: it does.
    """
    previous = ""
    for token in tokens(text):
        word = token.text.upper() if token.kind == "word" else ""
        if word in _FORBIDDEN:
            raise ill_formed(shape, f"has a query with {word}, which SHACL does not allow.")
        if token.kind == "variable" and previous == "AS" and token.text[1:] in names:
            raise ill_formed(shape, f"has a query that assigns {token.text}, which is pre-bound.")
        previous = word
    needed = names - {"shapesGraph", "currentShape"}
    for element in structure.group.walk():
        if isinstance(element, patterns.Select):
            for name in sorted(needed):
                if not patterns.mentions(element.projection, name):
                    raise ill_formed(shape, f"has a subquery that does not select ${name}.")


def _fits_table(structure: patterns.Select) -> bool:
    """Whether each solution belongs to one row: nothing counts, cuts off or selects within."""
    if patterns.has_word(structure.modifiers, frozenset({"GROUP", "HAVING", "LIMIT", "OFFSET"})):
        return False
    if patterns.has_word(structure.projection, patterns.AGGREGATES):
        return False
    return all(_is_plain(element) for element in structure.group.walk())


def _is_plain(element: patterns.Element) -> bool:
    if isinstance(element, patterns.Select):
        return False
    if isinstance(element, patterns.Filter | patterns.Bind):
        # within EXISTS the outer row counts, in the EXISTS group itself but not safely below it
        return all(
            isinstance(each, patterns.Pattern | patterns.Filter) and not getattr(each, "groups", ())
            for group in element.groups
            for each in group.elements
        )
    return not isinstance(element, patterns.Branch) or element.keyword != "GRAPH"


def _inserted(text: str, values: str, within_exists: bool) -> str:
    """The text with something inserted at the start of every group graph pattern."""
    found = [*tokens(text), Token("end", "", len(text))]
    edits: list[tuple[int, int, str]] = []
    exists: list[bool] = []
    for at, token in enumerate(found[:-1]):
        if token.text == "}" and token.kind == "punctuation":
            exists.pop()
        elif token.text == "{" and token.kind == "punctuation":
            is_exists = found[at - 1].text.upper() == "EXISTS" or any(exists)
            exists.append(is_exists)
            follows_select = found[at + 1].text.upper() == "SELECT"
            if not follows_select and (within_exists or not is_exists):
                edits.append((token.start + 1, token.start + 1, values))
    return _edited(text, edits)


def _without_blank_tests(text: str) -> str:
    """The text with isBlank and isIRI written for nodes that stand for blank ones."""
    found = list(tokens(text))
    edits: list[tuple[int, int, str]] = []
    for at, token in enumerate(found[:-1]):
        negation = _KINDS.get(token.text.upper()) if token.kind == "word" else None
        if negation is None or found[at + 1].text != "(":
            continue
        depth, end = 0, at + 1
        for end in range(at + 1, len(found)):
            if found[end].kind == "punctuation":
                depth += {"(": 1, ")": -1}.get(found[end].text, 0)
            if depth == 0:
                break
        inner = text[found[at + 1].start : found[end].start + 1]
        test = f'(isIRI{inner} && {negation}STRSTARTS(STR{inner}, "{_BLANK}"))'
        edits.append((token.start, found[end].start + 1, test))
    return _edited(text, edits)


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
