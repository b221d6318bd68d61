"""Why nothing matches a smallest set of conditions, and what the data have instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph.explain.patterns import Condition, Kind, Term, Triple, written
from clustergraph.syntax import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clustergraph.explain.probes import Probes
    from clustergraph.store import Row

_FOUND = Term("?_found", is_variable=True)
_THING = Term("?_thing", is_variable=True)
_ANYTHING = Term("?_anything", is_variable=True)
_LOCAL = re.compile(r"[^#/:]*$")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_PLAIN = {
    "integer": re.compile(r"[+-]?\d+"),
    "decimal": re.compile(r"[+-]?\d*\.\d+"),
    "boolean": re.compile("true|false"),
}
"""Datatypes of literals that are written without quotes."""
_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """One thing that is so in the data."""

    message: str
    instead: tuple[str, ...] = ()
    """What could stand in the query in place of what nothing matches."""


class Reasons:
    """Looks for reasons, by asking the store."""

    def __init__(self, probes: Probes, prefixes: Mapping[str, str]) -> None:
        self._probes = probes
        self._prefixes = prefixes

    def of(self, blamed: Sequence[Condition], group: Sequence[Condition]) -> list[Finding]:
        """Why nothing satisfies some conditions together.

        Args:
            blamed: a smallest set.
            group: all conditions of its group.
        """
        if any(each.kind is Kind.TEST for each in blamed):
            return self._of_tests(blamed, group)
        found: list[Finding] = []
        if not any(each.around[0] for each in blamed):
            text = f"GRAPH ?_graph {{ {written(blamed)} }}"
            if self._probes.matches_text(text):
                return [Finding("A named graph has it; the default graph has not.", (text,))]
        for each in blamed:
            if each.triple is not None:
                found += self._otherwise(each, each.triple, blamed)
        if len(blamed) == 1:
            return self._of_one(blamed[0]) + found
        for each in blamed:
            if each.triple is not None:
                found += self._of_rest(each, each.triple, blamed)
        return found or [Finding("Each of these matches something; together they match nothing.")]

    # -- what would match ------------------------------------------------------------------------

    def _otherwise(
        self, condition: Condition, triple: Triple, blamed: Sequence[Condition]
    ) -> list[Finding]:
        """The same with a literal as the data write it, or in the other direction."""
        if triple.object.is_literal:
            return self._literal(condition, triple, blamed)
        if triple.predicate.text == "a" or triple.predicate.is_variable:
            return []
        turned = Triple(triple.object, triple.predicate, triple.subject)
        swapped = [_with(each, turned) if each is condition else each for each in blamed]
        if not self._probes.matches(swapped):
            return []
        return [
            Finding(
                f"{triple.predicate.text} leads the other way.", (_with(condition, turned).text,)
            )
        ]

    def _literal(
        self, condition: Condition, triple: Triple, blamed: Sequence[Condition]
    ) -> list[Finding]:
        """Literals that differ in language, datatype or case alone."""
        open_end = _with(condition, replace(triple, object=_FOUND))
        pattern = written(open_end if each is condition else each for each in blamed)
        for name, how in (
            ("same-text", "with another language or datatype"),
            ("same-letters", "in other letters"),
        ):
            rows = self._probes.rows(
                name, pattern, variable=_FOUND.text, literal=triple.object.text
            )
            if rows:
                values = tuple(self._shown(row["_found"]) for row in rows)
                return [
                    Finding(
                        f"The data have {triple.object.text} {how}: {', '.join(values)}.",
                        tuple(
                            f"{triple.subject.text} {triple.predicate.text} {each}"
                            for each in values
                        ),
                    )
                ]
        rows = self._probes.rows("values", pattern, variables=_FOUND.text)
        if not rows:
            return []
        values = tuple(self._shown(row["_found"]) for row in rows)
        return [Finding(f"{triple.predicate.text} has other values, such as {', '.join(values)}.")]

    # -- one condition that nothing satisfies ----------------------------------------------------

    def _of_one(self, condition: Condition) -> list[Finding]:
        triple = condition.triple
        if triple is None:
            return []
        found: list[Finding] = []
        if condition.around[0]:
            found += self._graph(condition)
            if found:
                return found
        if triple.predicate.text == "a" and triple.object.is_constant:
            return found + self._class(condition, triple)
        missing = [each for each in triple.predicate.names if self._unused(condition, each)]
        for each in missing:
            found.append(self._missing(condition, each, "predicates"))
        if missing:
            return found
        if triple.subject.is_constant:
            found += self._subject(condition, triple)
        elif triple.object.is_constant:
            found += self._object(condition, triple)
        return found

    def _unused(self, condition: Condition, name: str) -> bool:
        return self._empty(condition, Triple(_THING, _named(name), _ANYTHING))

    def _empty(self, condition: Condition, triple: Triple) -> bool:
        return self._probes.fails([_with(condition, triple)])

    def _missing(self, condition: Condition, name: str, template: str) -> Finding:
        rows = self._probes.rows(template, around=condition.around, subject=_THING.text)
        near = tuple(self._near(name, rows))
        message = f"Nothing has the {'class' if template == 'classes' else 'predicate'} {name}."
        if rows and not near:
            message += f" There are the {template} {self._list(rows)}."
        return Finding(message, near)

    def _class(self, condition: Condition, triple: Triple) -> list[Finding]:
        name = triple.object.text
        if self._empty(condition, Triple(_THING, triple.predicate, triple.object)):
            return [self._missing(condition, name, "classes")]
        rows = self._probes.rows("classes", around=condition.around, subject=triple.subject.text)
        return [
            Finding(f"{triple.subject.text} has the classes {self._list(rows)}.")
            if rows
            else Finding(f"Nothing says what {triple.subject.text} is.")
        ]

    def _subject(self, condition: Condition, triple: Triple) -> list[Finding]:
        name = triple.subject.text
        rows = self._probes.rows("predicates", around=condition.around, subject=name)
        if rows:
            near = tuple(self._near(triple.predicate.text, rows))
            return [Finding(f"{name} has the predicates {self._list(rows)}.", near)]
        if self._empty(condition, Triple(_THING, _ANYTHING, triple.subject)):
            return [Finding(f"{name} is not in the data.")]
        return [Finding(f"{name} is in the data, but as an object only.")]

    def _object(self, condition: Condition, triple: Triple) -> list[Finding]:
        name = triple.object.text
        pointing = Triple(_THING, _FOUND, triple.object)
        pattern = written([_with(condition, pointing)])
        rows = self._probes.rows("values", pattern, variables=_FOUND.text)
        if rows:
            return [Finding(f"{name} is the object of other predicates: {self._list(rows)}.")]
        if self._empty(condition, Triple(triple.object, _ANYTHING, _THING)):
            return [Finding(f"{name} is not in the data.")]
        return [Finding(f"{name} is in the data, but is the object of no triple.")]

    def _graph(self, condition: Condition) -> list[Finding]:
        """Whether the graph is there, and whether another has what is looked for."""
        name = condition.around[0].rpartition("{")[0].split()[-1]
        if name.startswith(("?", "$")):
            return []
        if not self._empty(condition, Triple(_THING, _FOUND, _ANYTHING)):
            return []
        near = tuple(self._near(name, self._probes.rows("graphs")))
        return [Finding(f"There is no graph {name}.", near)]

    # -- several that match alone ----------------------------------------------------------------

    def _of_rest(
        self, condition: Condition, triple: Triple, blamed: Sequence[Condition]
    ) -> list[Finding]:
        """What is said of the things that satisfy the others."""
        rest = [each for each in blamed if each is not condition]
        subject = triple.subject.text
        if not triple.subject.is_variable or not any(subject in each.variables for each in rest):
            return []
        others = " and ".join(each.text for each in rest)
        if triple.predicate.text == "a":
            rows = self._probes.rows("classes", written(rest), subject=subject)
            return (
                [Finding(f"With {others}, {subject} has the classes {self._list(rows)}.")]
                if rows
                else []
            )
        if not triple.predicate.is_constant:
            return []
        rows = self._probes.rows("predicates", written(rest), subject=subject)
        if not rows or any(self._shown(row["_found"]) == triple.predicate.text for row in rows):
            return []
        near = tuple(self._near(triple.predicate.text, rows))
        return [Finding(f"With {others}, {subject} has the predicates {self._list(rows)}.", near)]

    # -- tests -----------------------------------------------------------------------------------

    def _of_tests(self, blamed: Sequence[Condition], group: Sequence[Condition]) -> list[Finding]:
        """Values on which a test was made."""
        bound = [each for each in group if each.kind is not Kind.TEST]
        known = {name for each in bound for name in each.variables}
        wanted = [name for each in blamed for name in each.variables]
        unbound = [name for name in dict.fromkeys(wanted) if name not in known]
        found = [
            Finding(f"{name} is set nowhere else in this group, so that a test on it fails.")
            for name in unbound
            if any(each.text[:6].upper() == "FILTER" and "{" not in each.text for each in blamed)
        ]
        asked = [name for name in dict.fromkeys(wanted) if name in known]
        for literal in dict.fromkeys(text for each in blamed for text in each.literals[:2]):
            for name in asked[:2]:
                rows = self._probes.rows(
                    "same-text", written(bound), variable=name, literal=literal
                )
                values = ", ".join(self._shown(row[name[1:]]) for row in rows)
                found += [Finding(f"{name} has {literal} as {values}.")] if values else []
        if asked:
            rows = self._probes.rows("values", written(bound), variables=" ".join(asked))
            for row in rows:
                pairs = (f"?{name} = {self._shown(term)}" for name, term in row.items())
                found.append(Finding("Without it there is " + ", ".join(pairs) + "."))
        return found

    # -- how terms are shown ---------------------------------------------------------------------

    def _list(self, rows: Iterable[Row]) -> str:
        names = [self._shown(row["_found"]) for row in rows]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return ", ".join(names[:_SHOWN]) + more

    def _near(self, name: str, rows: Sequence[Row]) -> list[str]:
        """Names of the data that are almost like one; what follows the namespace counts."""
        by_local: dict[str, list[str]] = {}
        for row in rows:
            shown = self._shown(row["_found"])
            by_local.setdefault(_local(shown), []).append(shown)
        return [each for near in nearest(_local(name), by_local) for each in by_local[near]][:5]

    def _shown(self, term: object) -> str:
        """A term as a query would write it."""
        if isinstance(term, ox.Literal) and term.datatype and not term.language:
            text = str(ox.Literal(term.value))
            kind = term.datatype.value.removeprefix(_XSD)
            if kind in _PLAIN and _PLAIN[kind].fullmatch(term.value):
                return term.value
            return text if kind == "string" else f"{text}^^{self._shown(term.datatype)}"
        if not isinstance(term, ox.NamedNode):
            return str(term)
        if term.value == _TYPE:
            return "a"
        best = max(
            (each for each in self._prefixes.items() if term.value.startswith(each[1])),
            key=lambda each: len(each[1]),
            default=None,
        )
        local = term.value[len(best[1]) :] if best else ""
        if best is None or not re.fullmatch(r"\w([\w.-]*[\w-])?", local):
            return str(term)
        return f"{best[0]}:{local}"


def _with(condition: Condition, triple: Triple) -> Condition:
    parts = (triple.subject, triple.predicate, triple.object)
    return replace(condition, triple=triple, text=" ".join(each.text for each in parts))


def _named(name: str) -> Term:
    return Term(name, names=(name,))


def _local(name: str) -> str:
    match = _LOCAL.search(name.rstrip(">").rstrip("#/"))
    return match[0] if match else name
