"""Constraints on value nodes one by one, and on their number (SHACL sections 4.1 to 4.4, 4.8).

Each is evaluated once for all focus nodes of a shape: it says which of the distinct value nodes
fail, and every pair of a focus node and such a value is a violation.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from clustergraph.validation.engine import literals
from clustergraph.validation.engine.errors import UnsupportedShapeError, ill_formed
from clustergraph.validation.engine.nodes import (
    is_blank,
    is_iri,
    is_literal,
    parts,
    sh,
    value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from clustergraph.validation.engine.evaluate import Run
    from clustergraph.validation.engine.shapes import Shape, ShapesGraph


class Violation(NamedTuple):
    """A focus node that breaks a constraint; the last three where they are not the shape's own."""

    focus: str
    value: str | None
    path: str | None = None
    messages: tuple[str, ...] | None = None
    constraint: str | None = None


class ValueNodes:
    """The value nodes of each focus node of a shape (section 2.1)."""

    def __init__(self, by_focus: Mapping[str, Collection[str]]) -> None:
        self.by_focus = by_focus

    @cached_property
    def distinct(self) -> dict[str, None]:
        """All value nodes, each once."""
        return dict.fromkeys(node for nodes in self.by_focus.values() for node in nodes)

    def pairs(self, among: Collection[str]) -> Iterator[tuple[str, str]]:
        """The focus nodes with those of their value nodes that are among the given ones."""
        if among:
            for focus, nodes in self.by_focus.items():
                for node in nodes:
                    if node in among:
                        yield focus, node


class Constraint(ABC):
    """A constraint of a shape; ``component`` is its constraint component."""

    component: str
    shapes: tuple[Shape, ...] = ()
    """The shapes that it refers to."""

    @abstractmethod
    def violations(self, values: ValueNodes, run: Run) -> Iterable[Violation]:
        """What breaks the constraint."""

    @property
    def text(self) -> str:
        """What to tell where the shape has no message of its own."""
        return "The node breaks this shape."


class ValueConstraint(Constraint):
    """A constraint that each value node keeps or breaks by itself."""

    @abstractmethod
    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """Those of the nodes that break it."""

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        failing = self.failing(values.distinct, run)
        for focus, node in values.pairs(failing):
            yield Violation(focus, node)


@dataclass(eq=False)
class Test(ValueConstraint):
    """A constraint that looks at nothing but the value node itself."""

    __test__: ClassVar[bool] = False  # the name is no test's

    component: str
    passes: Callable[[str], bool]
    description: str

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        passes = self.passes
        return {node for node in nodes if not passes(node)}

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return self.description


@dataclass(eq=False)
class Class(ValueConstraint):
    """sh:class (section 4.1.1)."""

    of: str
    component = sh("ClassConstraintComponent")

    def failing(self, nodes: Collection[str], run: Run) -> Collection[str]:
        """See ``ValueConstraint``."""
        instances = run.graph.instances(self.of)
        return {node for node in nodes if node not in instances}

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return f"The value is no instance of {self.of}."


@dataclass(eq=False)
class Count(Constraint):
    """sh:minCount and sh:maxCount (section 4.2)."""

    component: str
    number: int
    is_least: bool

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        number, is_least = self.number, self.is_least
        for focus, nodes in values.by_focus.items():
            if len(nodes) < number if is_least else len(nodes) > number:
                yield Violation(focus, None)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return f"There are {'fewer' if self.is_least else 'more'} than {self.number} values."


@dataclass(eq=False)
class HasValue(Constraint):
    """sh:hasValue (section 4.8.2)."""

    expected: str
    component = sh("HasValueConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        for focus, nodes in values.by_focus.items():
            if self.expected not in nodes:
                yield Violation(focus, None)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return f"The value {self.expected} is missing."


@dataclass(eq=False)
class UniqueLanguage(Constraint):
    """sh:uniqueLang (section 4.4.5)."""

    component = sh("UniqueLangConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        for focus, nodes in values.by_focus.items():
            if len(nodes) < 2:
                continue
            languages = [tag for node in nodes if (tag := _language(node))]
            for _ in {tag for tag in languages if languages.count(tag) > 1}:
                yield Violation(focus, None)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return "Two values have the same language."


@dataclass(eq=False)
class Closed(Constraint):
    """sh:closed with sh:ignoredProperties (section 4.8.1)."""

    allowed: frozenset[str]
    component = sh("ClosedConstraintComponent")

    def violations(self, values: ValueNodes, run: Run) -> Iterator[Violation]:
        """See ``Constraint``."""
        for predicate in run.graph.predicates:
            if predicate in self.allowed:
                continue
            index = run.graph.forward(predicate)
            for node in values.distinct if len(values.distinct) < len(index) else index:
                if node in index and node in values.distinct:
                    for extra in index[node]:
                        for focus in self._focus(values, node):
                            yield Violation(focus, extra, path=predicate)

    @staticmethod
    def _focus(values: ValueNodes, node: str) -> Iterable[str]:
        if node in values.by_focus and values.by_focus[node] == (node,):
            return (node,)
        return (focus for focus, nodes in values.by_focus.items() if node in nodes)

    @property
    def text(self) -> str:
        """See ``Constraint``."""
        return "The shape is closed, and this property is none of its own."


def _language(node: str) -> str:
    return parts(node).language if is_literal(node) else ""


# how they are read from a shape


def _class(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.iris(shape.node, "class"):
        yield Class(each)


def _datatype(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    shapes.one(shape.node, "datatype")
    for each in shapes.iris(shape.node, "datatype"):
        datatype = each[1:-1]

        def passes(node: str, datatype: str = datatype) -> bool:
            return (
                is_literal(node)
                and parts(node).datatype == datatype
                and literals.is_well_formed(node)
            )

        yield Test(
            sh("DatatypeConstraintComponent"), passes, f"The value has not the datatype {each}."
        )


_KINDS: dict[str, Callable[[str], bool]] = {
    sh("IRI"): is_iri,
    sh("BlankNode"): is_blank,
    sh("Literal"): is_literal,
    sh("BlankNodeOrIRI"): lambda node: not is_literal(node),
    sh("BlankNodeOrLiteral"): lambda node: not is_iri(node),
    sh("IRIOrLiteral"): lambda node: not is_blank(node),
}


def _node_kind(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    kind = shapes.one(shape.node, "nodeKind") or ""
    if kind not in _KINDS:
        raise ill_formed(shape.node, f"has sh:nodeKind {kind}, which is none of SHACL's.")
    yield Test(
        sh("NodeKindConstraintComponent"), _KINDS[kind], f"The value is not of the kind {kind}."
    )


def _count(name: str) -> Callable[[ShapesGraph, Shape], Iterator[Constraint]]:
    def read(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        number = shapes.integer(shape.node, name) or 0
        component = sh(f"{name[0].upper()}{name[1:]}ConstraintComponent")
        yield Count(component, number, is_least=name == "minCount")

    return read


def _range(
    name: str, compare: Callable[[str, str], bool]
) -> Callable[[ShapesGraph, Shape], Iterator[Constraint]]:
    """Section 4.3: the bound and the value must be comparable, and in order."""

    def read(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        bound = shapes.one(shape.node, name) or ""
        if not is_literal(bound):
            raise ill_formed(shape.node, f"has sh:{name} {bound}, which is no literal.")
        yield Test(
            sh(f"{name[0].upper()}{name[1:]}ConstraintComponent"),
            lambda node: compare(bound, node),
            f"The value is not within sh:{name} {bound}.",
        )

    return read


def _length(name: str) -> Callable[[ShapesGraph, Shape], Iterator[Constraint]]:
    def read(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
        number = shapes.integer(shape.node, name) or 0

        def passes(node: str) -> bool:
            if is_blank(node):
                return False
            length = len(value(node))
            return length >= number if name == "minLength" else length <= number

        yield Test(
            sh(f"{name[0].upper()}{name[1:]}ConstraintComponent"),
            passes,
            f"The length of the value is not within sh:{name} {number}.",
        )

    return read


_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


def _pattern(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    flags_node = shapes.one(shape.node, "flags")
    flags = shapes.string(shape.node, flags_node, "flags") if flags_node else ""
    for each in shapes.all(shape.node, "pattern"):
        pattern = shapes.string(shape.node, each, "pattern")
        search = _compile(shape.node, pattern, flags).search

        def passes(node: str, search: Callable[[str], re.Match[str] | None] = search) -> bool:
            return not is_blank(node) and search(value(node)) is not None

        yield Test(
            sh("PatternConstraintComponent"), passes, f"The value does not match '{pattern}'."
        )


def _compile(shape: str, pattern: str, flags: str) -> re.Pattern[str]:
    """A pattern of SPARQL's REGEX: its ``$`` is the end alone, not also before a last newline."""
    if "q" in flags:
        pattern = re.escape(pattern)
    elif "m" not in flags:
        pattern = _END.sub(lambda match: r"\Z" if match[0] == "$" else match[0], pattern)
    if any(flag not in _FLAGS and flag != "q" for flag in flags):
        raise ill_formed(shape, f"has sh:flags {flags!r}, which SPARQL does not know.")
    options = re.NOFLAG
    for flag in flags:
        options |= _FLAGS.get(flag, re.NOFLAG)
    try:
        return re.compile(pattern, options)
    except re.error as error:
        raise UnsupportedShapeError(shape, f"its sh:pattern '{pattern}': {error}.") from error


def _language_in(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    """Section 4.4.4, by SPARQL's langMatches: a range fits a tag that is it or starts with it."""
    head = shapes.one(shape.node, "languageIn") or ""
    ranges = [
        shapes.string(shape.node, each, "languageIn").lower()
        for each in shapes.items(shape.node, head, "languageIn")
    ]
    known: dict[str, bool] = {"": False}

    def passes(node: str) -> bool:
        tag = _language(node)
        if tag not in known:
            known[tag] = any(
                tag == each or tag.startswith(each + "-") or each == "*" for each in ranges
            )
        return known[tag]

    yield Test(
        sh("LanguageInConstraintComponent"),
        passes,
        f"The language of the value is none of {', '.join(ranges)}.",
    )


def _unique_language(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    if shapes.flag(shape.node, "uniqueLang"):
        yield UniqueLanguage()


def _has_value(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    for each in shapes.all(shape.node, "hasValue"):
        yield HasValue(each)


def _in(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    head = shapes.one(shape.node, "in") or ""
    members = frozenset(shapes.items(shape.node, head, "in"))
    yield Test(
        sh("InConstraintComponent"),
        members.__contains__,
        f"The value is none of {', '.join(sorted(members))}.",
    )


def _closed(shapes: ShapesGraph, shape: Shape) -> Iterator[Constraint]:
    if not shapes.flag(shape.node, "closed"):
        return
    allowed = {
        path
        for each in shapes.all(shape.node, "property")
        for path in shapes.all(each, "path")
        if is_iri(path)
    }
    ignored = shapes.one(shape.node, "ignoredProperties")
    if ignored is not None:
        members = shapes.items(shape.node, ignored, "ignoredProperties")
        if not all(map(is_iri, members)):
            raise ill_formed(shape.node, "has a value in sh:ignoredProperties that is no IRI.")
        allowed.update(members)
    yield Closed(frozenset(allowed))


READERS: dict[str, Callable[[ShapesGraph, Shape], Iterator[Constraint]]] = {
    "class": _class,
    "datatype": _datatype,
    "nodeKind": _node_kind,
    "minCount": _count("minCount"),
    "maxCount": _count("maxCount"),
    "minExclusive": _range("minExclusive", literals.is_less),
    "minInclusive": _range(
        "minInclusive", lambda bound, node: literals.is_less(bound, node, or_equal=True)
    ),
    "maxExclusive": _range("maxExclusive", lambda bound, node: literals.is_less(node, bound)),
    "maxInclusive": _range(
        "maxInclusive", lambda bound, node: literals.is_less(node, bound, or_equal=True)
    ),
    "minLength": _length("minLength"),
    "maxLength": _length("maxLength"),
    "pattern": _pattern,
    "languageIn": _language_in,
    "uniqueLang": _unique_language,
    "hasValue": _has_value,
    "in": _in,
    "closed": _closed,
}

ONLY_PROPERTY = frozenset({"minCount", "maxCount", "uniqueLang"})
