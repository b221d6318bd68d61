"""The things of a release that can be matched with: names, types, values, read from its store."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.reconciliation.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


_FOLDER = Path(__file__).resolve().parent
_DESCRIPTIONS = tuple(
    ox.NamedNode(each)
    for each in (
        "http://purl.org/dc/terms/description",
        "http://www.w3.org/2004/02/skos/core#definition",
        "https://schema.org/description",
        "http://www.w3.org/2000/01/rdf-schema#comment",
    )
)
_MOST = 1_000_000  # names that are held
_SHOWN = 200  # characters of a description
_SAMPLE = 300  # things by which the properties of a type are told
_VALUES = 500  # values of a property that are read


class Things:
    """All that questions are answered from. Names and types are in memory, values in the store."""

    def __init__(self, store: ox.Store, prefixes: Mapping[str, str]) -> None:
        """Read names and types.

        Args:
            store: of the public graph.
            prefixes: by which identifiers may be shortened.
        """
        self._store = store
        self._prefixes = prefixes
        self.iris: list[str] = []
        self.numbers: dict[str, int] = {}
        excluded = {row["thing"].value for row in self._rows("no-things")}
        labels: list[tuple[int, str, str, int]] = []
        self._other: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for row in self._rows("names"):
            iri, name, rank = row["thing"].value, row["name"], int(row["rank"].value)
            language = (name.language or "").lower()
            if iri in excluded:
                if rank < 5:
                    self._other[iri].append((rank, name.value, language))
                continue
            if len(labels) < _MOST:
                labels.append((self._number(iri), name.value, language, rank))
        if len(labels) >= _MOST:
            sys.stderr.write(f"Of the names of this release, {_MOST} can be matched with.\n")
        self.index = Index(labels)
        self._types: list[tuple[str, ...]] = [()] * len(self.iris)
        self._read_types()
        self.properties = self._used()

    def _number(self, iri: str) -> int:
        number = self.numbers.setdefault(iri, len(self.iris))
        if number == len(self.iris):
            self.iris.append(iri)
        return number

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The solutions of one of our queries over all public graphs together."""
        text = (_FOLDER / f"{name}.rq").read_text(encoding="utf-8")
        solutions = self._store.query(text, use_default_graph_as_union=True)
        if not isinstance(solutions, ox.QuerySolutions):
            raise TypeError(name)
        names = [variable.value for variable in solutions.variables]
        for solution in solutions:
            yield {name: solution[name] for name in names}

    def _read_types(self) -> None:
        above: dict[str, set[str]] = defaultdict(set)
        for row in self._rows("broader"):
            above[row["class"].value].add(row["above"].value)
        types: dict[int, set[str]] = defaultdict(set)
        for row in self._rows("types"):
            number = self.numbers.get(row["thing"].value)
            if number is not None:
                types[number].add(row["type"].value)
                types[number] |= above.get(row["type"].value, set())
        held: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.counts: Counter[str] = Counter()
        self._members: dict[str, list[int]] = defaultdict(list)
        for number, found in types.items():
            # the closest class first: the one with the most above it
            ordered = tuple(sorted(found, key=lambda each: (-len(above.get(each, ())), each)))
            self._types[number] = held.setdefault(ordered, ordered)
            self.counts.update(found)
            for each in found:
                if len(self._members[each]) < _SAMPLE:
                    self._members[each].append(number)

    def _used(self) -> list[str]:
        """The properties in use, those that have a name first."""
        found = {row["property"].value for row in self._rows("properties")}
        found = found or {row["property"].value for row in self._rows("all-properties")}
        return sorted(found, key=lambda each: (each not in self._other, each))

    # -- what is known of one thing -----------------------------------------------------------

    def resolved(self, text: str) -> str:
        """The IRI that a text stands for: itself, or a prefix and a name."""
        text = text.strip()
        prefix, colon, local = text.partition(":")
        if colon and not local.startswith("//") and prefix in self._prefixes:
            return self._prefixes[prefix] + local
        return text.strip("<>")

    def types_of(self, number: int) -> tuple[str, ...]:
        """The classes of a thing, the closest first."""
        return self._types[number]

    def name(self, iri: str, languages: Sequence[str]) -> str:
        """The name of a thing or a term in the language that suits best; the end of its IRI."""
        number = self.numbers.get(iri)
        if number is not None:
            held = [self.index.names[each] for each in self.index.of_thing[number]]
            return self._best([(each.rank, each.text, each.language) for each in held], languages)
        if iri in self._other:
            return self._best(self._other[iri], languages)
        return iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1] or iri

    def has_name(self, iri: str) -> bool:
        """Whether a thing or a term has a name of its own."""
        return iri in self.numbers or iri in self._other

    @staticmethod
    def _best(found: Iterable[tuple[int, str, str]], languages: Sequence[str]) -> str:
        def order(each: tuple[int, str, str]) -> tuple[bool, int, int, str]:
            rank, text, language = each
            known = language in languages
            place = languages.index(language) if known else len(languages) + bool(language)
            return rank >= 5, place, rank, text

        return min(found, key=order)[1]

    def description(self, iri: str, languages: Sequence[str]) -> str:
        """What the graph says a thing is, cut short; empty if it does not say."""
        for each in _DESCRIPTIONS:
            texts = [
                (1, value.value, (value.language or "").lower())
                for value in self.values(iri, each.value)
                if isinstance(value, ox.Literal)
            ]
            if texts:
                text = self._best(texts, languages)
                return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rsplit(' ', 1)[0]} …"
        return ""

    def values(self, iri: str, of: str) -> list[Any]:
        """The values of a property, each once; not too many of them."""
        try:
            subject, predicate = ox.NamedNode(iri), ox.NamedNode(of)
        except ValueError:
            return []
        found: dict[Any, None] = {}
        for quad in self._store.quads_for_pattern(subject, predicate, None, None):
            found[quad.object] = None
            if len(found) >= _VALUES:
                break
        return sorted(found, key=str)

    def is_known(self, iri: str) -> bool:
        """Whether the graph says anything of an IRI."""
        try:
            node = ox.NamedNode(iri)
        except ValueError:
            return False
        return next(iter(self._store.quads_for_pattern(node, None, None, None)), None) is not None

    def holders(self, of: str, value: Any, most: int) -> list[int]:
        """The things with a name of which a property has just that value.

        Args:
            of: the property.
            value: a term.
            most: how many.
        """
        try:
            predicate = ox.NamedNode(of)
        except ValueError:
            return []
        found: dict[int, None] = {}
        for seen, quad in enumerate(self._store.quads_for_pattern(None, predicate, value, None)):
            number = self.numbers.get(getattr(quad.subject, "value", ""))
            if number is not None and quad.object == value:  # scans on disk may go too far
                found[number] = None
            if len(found) >= most or seen > 100 * most:
                break
        return list(found)

    def literals(self, of: str, most: int) -> Iterator[tuple[int, Any]]:
        """Things with a name, each with a value of a property; the first ones."""
        try:
            predicate = ox.NamedNode(of)
        except ValueError:
            return
        for seen, quad in enumerate(self._store.quads_for_pattern(None, predicate, None, None)):
            if seen >= most:
                return
            number = self.numbers.get(getattr(quad.subject, "value", ""))
            if number is not None:
                yield number, quad.object

    def proposed(self, type_iri: str) -> list[str]:
        """The properties of things of a type, those that most of them have first."""
        seen: Counter[str] = Counter()
        for number in self._members.get(type_iri, ())[:_SAMPLE]:
            node = ox.NamedNode(self.iris[number])
            quads = self._store.quads_for_pattern(node, None, None, None)
            seen.update({quad.predicate.value for _, quad in zip(range(500), quads, strict=False)})
        return [each for each, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))]
