"""What is known of a store's default graph: found out once, kept as bytes that processes share.

The bytes are the length of a JSON object, that object, and the strings of the graph by predicate:
once as they are, once in lower case. Some 10 bytes a quad.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from clustergraph.rewriting.known import Known, Memory, Predicate, Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HERE = Path(__file__).resolve().parent
_LENGTH = 8
_STRINGS = frozenset(
    {
        ox.NamedNode("http://www.w3.org/2001/XMLSchema#string"),
        ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"),
    }
)
_MOST_ODD = 200
"""Texts beside the others that are looked at each time; with more, none are held."""
_LARGEST = 64 << 20
"""Bytes of strings, for all predicates; those of the others are not held."""


def found_out(store: ox.Store) -> bytes:
    """Find out what helps queries of a store; takes seconds a million triples.

    Args:
        store: which does not change any more.
    """
    literals = {iri: counts for iri, *counts in _rows(store, "literals")}
    predicates = {
        iri: [*counts, literals.get(iri, [0, 0])[0]] for iri, *counts in _rows(store, "predicates")
    }
    texts: dict[str, list[Any]] = {}
    pieces: list[bytes] = []
    size = 0
    for iri, (triples, _subjects, _objects, _literals) in predicates.items():
        if literals.get(iri, [0, 0])[1] != triples:
            continue
        terms = _terms(store, iri)
        if size + 2 * len(terms) <= _LARGEST:
            odd = _odd(terms)
            if len(odd) > _MOST_ODD:
                continue
            texts[iri] = [size, len(terms), odd]
            pieces += [terms, terms.lower()]  # bytes: of ASCII alone, so each keeps its place
            size += 2 * len(terms)
    head = json.dumps(
        {
            "triples": sum(counts[0] for counts in predicates.values()),
            "predicates": predicates,
            "frequent": list(_rows(store, "frequent")),
            "texts": texts,
        }
    ).encode()
    return b"".join([len(head).to_bytes(_LENGTH, "big"), head, *pieces])


def known(memory: Memory, start: int = 0) -> Known:
    """What was found out.

    Args:
        memory: holds it.
        start: where it begins there.
    """
    first = start + _LENGTH
    begin = first + int.from_bytes(memory[start:first], "big")
    head = json.loads(memory[first:begin])
    return Known(
        head["triples"],
        {iri: Predicate(*counts) for iri, counts in head["predicates"].items()},
        {(predicate, value): number for predicate, value, number in head["frequent"]},
        {
            iri: Texts(memory, begin + place, begin + place + length, length, tuple(odd))
            for iri, (place, length, odd) in head["texts"].items()
        },
    )


def grown(former: Known, added: Iterable[ox.Quad]) -> Known:
    """What is known after a small change; what is exact stays so, estimates stay as they were.

    What was taken away makes nothing wrong: a text that no statement has any more is found in vain.

    Args:
        former: before it.
        added: statements, in whatever graph.
    """
    predicates, texts = dict(former.predicates), dict(former.texts)
    for quad in added:
        iri, value = quad.predicate.value, quad.object
        if not isinstance(value, ox.Literal):
            texts.pop(iri, None)
            continue
        figures = former.predicate(iri)
        predicates[iri] = replace(figures, literals=max(1, figures.literals))
        if iri in texts and value.datatype in _STRINGS and len(texts[iri].odd) < _MOST_ODD:
            texts[iri] = replace(texts[iri], odd=(*texts[iri].odd, str(value)))
        else:
            texts.pop(iri, None)
    return replace(former, predicates=predicates, texts=texts)


def _rows(store: ox.Store, name: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query of ours: IRIs, then numbers."""
    text = (_HERE / f"{name}.rq").read_text(encoding="utf-8")
    for row in _solutions(store, text):
        yield tuple(
            int(each.value) if isinstance(each, ox.Literal) else each.value
            for each in row
            if each is not None
        )


def _terms(store: ox.Store, predicate: str) -> bytes:
    """The objects of a predicate, one a line, as SPARQL writes them."""
    text = Template((_HERE / "texts.rq").read_text(encoding="utf-8"))
    solutions = _solutions(store, text.substitute(predicate=ox.NamedNode(predicate)))
    content = solutions.serialize(format=ox.QueryResultsFormat.TSV)
    if content is None:
        raise TypeError("without a file, the bytes are given")
    return content[content.index(b"\n") :]  # behind the names of the columns


def _solutions(store: ox.Store, text: str) -> ox.QuerySolutions:
    found = store.query(text)
    if not isinstance(found, ox.QuerySolutions):
        raise TypeError("a SELECT query gives solutions")
    return found


def _odd(terms: bytes) -> list[str]:
    """Terms with a letter beyond ASCII that has a letter of ASCII in another case."""
    text = terms.decode()
    letters = {
        each
        for each in set(text)
        if not each.isascii()
        and any(
            other.isascii()
            for other in each.lower() + each.upper() + each.title() + each.casefold()
        )
    }
    if not letters:
        return []
    return [line for line in text.split("\n") if not letters.isdisjoint(line)]
