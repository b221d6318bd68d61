"""A synthetic graph of clusters, their members, people and agreements; the same for each size."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BASE = "https://example.org/"
_RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_ORG, _FOAF = "http://www.w3.org/ns/org#", "http://xmlns.com/foaf/0.1/"
_LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
_COUNTRIES = ("FR", "DE", "ES", "IT", "BE", "JP", "US")
_SECTORS = ("health", "energy", "food")
_WRONG = 0.004
"""Share of facts that break a rule."""


def write(path: Path, triples: int, *, seed: int = 5) -> int:
    """Write the graph as N-Triples, whole units until there are so many triples; how many."""
    number = 0
    with path.open("w", encoding="utf-8") as out:
        for line in _lines(random.Random(seed)):  # noqa: S311  no secret
            if line:
                out.write(line)
                number += 1
            elif number >= triples:
                break
    return number


def _ex(name: str) -> str:
    return f"<{_BASE}ontology#{name}>"


def _lines(chance: random.Random) -> Iterator[str]:
    """Unit by unit without end; an empty line closes each."""

    def wrong() -> bool:
        return chance.random() < _WRONG

    unit = 0
    while True:
        cluster = f"<{_BASE}id/cluster/{unit}>"
        yield f"{cluster} {_RDF_TYPE} {_ex('Cluster')} .\n"
        yield f'{cluster} {_LABEL} "Cluster {unit}"@en .\n'
        sector = "steel" if wrong() else chance.choice(_SECTORS)
        yield f"{cluster} {_ex('sector')} {_ex(sector)} .\n"
        members = [f"<{_BASE}id/organisation/{unit}-{each}>" for each in range(6)]
        for position, member in enumerate(members):
            yield from _organisation(chance, member, cluster, f"{unit}-{position}", wrong)
        agreement = f"<{_BASE}id/agreement/{unit}>"
        yield f"{agreement} {_RDF_TYPE} {_ex('Agreement')} .\n"
        for member in chance.sample(members, 1 if wrong() else 3):
            yield f"{agreement} {_ex('signatory')} {member} .\n"
        begins, ends = (2016, 2012) if wrong() else (2012, 2016)
        yield f'{agreement} {_ex("begins")} "{begins}-01-15"^^<{_XSD}date> .\n'
        yield f'{agreement} {_ex("ends")} "{ends}-01-15"^^<{_XSD}date> .\n'
        if wrong():
            yield f'{agreement} {_ex("draft")} "true"^^<{_XSD}boolean> .\n'
        unit += 1
        yield ""


def _organisation(
    chance: random.Random, node: str, cluster: str, name: str, wrong: object
) -> Iterator[str]:
    assert callable(wrong)  # noqa: S101  for the type checker
    yield f"{node} {_RDF_TYPE} <{_ORG}Organization> .\n"
    yield f'{node} {_LABEL} "Organisation {name}"@{"nl" if wrong() else "en"} .\n'
    yield f'{node} {_LABEL} "Organisme {name}"@fr .\n'
    country = "France" if wrong() else chance.choice(_COUNTRIES)
    yield f'{node} {_ex("country")} "{country}" .\n'
    staff = "0" if wrong() else str(chance.randint(1, 900))
    yield f'{node} {_ex("staff")} "{staff}"^^<{_XSD}integer> .\n'
    yield f"{node} <{_FOAF}homepage> <https://www.example.com/{name}> .\n"
    yield f'{node} {_ex("founded")} "{chance.randint(1950, 2015)}"^^<{_XSD}gYear> .\n'
    yield f"{node} <{_ORG}memberOf> {node if wrong() else cluster} .\n"
    person = f"<{_BASE}id/person/{name}>"
    yield f"{person} {_RDF_TYPE} <{_FOAF}Person> .\n"
    if not wrong():
        yield f'{person} <{_FOAF}name> "Person {name}" .\n'
    yield f"{person} <{_ORG}headOf> {person if wrong() else node} .\n"
