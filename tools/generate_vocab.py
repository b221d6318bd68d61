"""Write src/clustergraph/vocab.py and ontology/context.jsonld from the ontology.

Both are generated so that code, context and ontology cannot disagree; a test runs this again and
compares the bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://w3id.org/clustergraph/"
CG = BASE + "ontology#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
RANGE = ox.NamedNode("https://schema.org/rangeIncludes")
PROPERTY_KINDS = ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")

ID_TYPES = (
    "organisation",
    "person",
    "cluster",
    "alliance",
    "group",
    "place",
    "programme",
    "call",
    "project",
    "award",
    "output",
    "agreement",
    "signature",
    "participation",
    "objective",
    "measure",
    "event",
    "series",
    "mission",
    "agenda-item",
    "deadline",
    "condition",
    "document",
    "announcement",
    "source",
    "passage",
    "statement",
    "figure",
    "contact-point",
    "membership",
    "post",
    "label",
    "attestation",
    "ambiguity",
    "reading",
)

EXTERNAL = {
    "adms": "http://www.w3.org/ns/adms#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "eurio": "http://data.europa.eu/s66#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "frapo": "http://purl.org/cerif/frapo/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "ldes": "https://w3id.org/ldes#",
    "locn": "http://www.w3.org/ns/locn#",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "owl": OWL,
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
    "time": "http://www.w3.org/2006/time#",
    "tree": "https://w3id.org/tree#",
    "vann": "http://purl.org/vocab/vann/",
    "voaf": "http://purl.org/vocommons/voaf#",
    "void": "http://rdfs.org/ns/void#",
    "vs": "http://www.w3.org/2003/06/sw-vocab-status/ns#",
    "xsd": XSD,
}

MODULE = '''"""Namespaces and terms of the ontology.

Written by tools/generate_vocab.py from the files of ontology/; change those and run it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PREFIXES: Mapping[str, str] = MappingProxyType(
{prefixes}
)
"""All prefixes; a namespace of our own is relative to the base IRI."""

ID_TYPES = (
{id_types}
)
"""The types of entities: the part of an entity's IRI between ``id/`` and its slug."""

SCHEMES = (
{schemes}
)
"""The concept schemes."""

CLASSES = frozenset(
{classes}
)
"""The names of the ontology's classes."""

PROPERTIES = frozenset(
{properties}
)
"""The names of the ontology's properties."""


def prefixes(base: str) -> Mapping[str, str]:
    """All prefixes with full namespaces.

    Args:
        base: the base IRI of what is published.
    """
    return {{
        prefix: namespace if ":" in namespace else base + namespace
        for prefix, namespace in PREFIXES.items()
    }}


@dataclass(frozen=True)
class Vocabulary:
    """IRIs of terms, concepts and entities under one base IRI."""

    base: str

    def cg(self, name: str) -> str:
        """The IRI of a class or property of the ontology.

        Raises:
            LookupError: the ontology has no such term.
        """
        if name not in CLASSES and name not in PROPERTIES:
            raise LookupError(f"The ontology has no term {{name!r}}.")
        return f"{{self.base}}ontology#{{name}}"

    def concept(self, scheme: str, notation: str) -> str:
        """The IRI of a concept.

        Raises:
            LookupError: there is no such scheme.
        """
        if scheme not in SCHEMES:
            raise LookupError(f"There is no concept scheme {{scheme!r}}.")
        return f"{{self.base}}scheme/{{scheme}}/{{notation}}"

    def entity(self, kind: str, slug: str) -> str:
        """The IRI of an entity.

        Raises:
            LookupError: there is no such type of entities.
        """
        if kind not in ID_TYPES:
            raise LookupError(f"There is no type of entities {{kind!r}}.")
        return f"{{self.base}}id/{{kind}}/{{slug}}"
'''


def read(path: Path) -> list[ox.Triple]:
    """The triples of a Turtle file."""
    return [quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)]


def names(triples: Iterable[ox.Triple], *kinds: str) -> list[str]:
    """The IRIs, sorted, of what is declared to be of one of these OWL kinds."""
    wanted = {ox.NamedNode(OWL + kind) for kind in kinds}
    return sorted(
        triple.subject.value
        for triple in triples
        if triple.predicate == TYPE
        and triple.object in wanted
        and isinstance(triple.subject, ox.NamedNode)
    )


def relative_prefixes(schemes: Iterable[str]) -> dict[str, str]:
    """The prefixes of our own namespaces, relative to the base."""
    own = {"cg": "ontology#", "cgsh": "shapes#", "id": "id/"}
    own |= {kind: f"id/{kind}/" for kind in ID_TYPES}
    return own | {scheme: f"scheme/{scheme}/" for scheme in schemes}


def block(items: Iterable[str], opening: str = "", closing: str = "", indent: int = 4) -> str:
    """Items one a line, as the formatter has them."""
    margin = " " * indent
    inner = margin + ("    " if opening else "")
    lines = [f"{inner}{item}," for item in items]
    return "\n".join([margin + opening, *lines, margin + closing] if opening else lines)


def module(core: list[ox.Triple], schemes: list[str]) -> str:
    """The text of vocab.py."""
    prefixes = relative_prefixes(schemes) | EXTERNAL
    quoted = json.dumps
    return MODULE.format(
        prefixes=block((f"{quoted(k)}: {quoted(v)}" for k, v in prefixes.items()), "{", "}"),
        id_types=block(quoted(kind) for kind in ID_TYPES),
        schemes=block(quoted(scheme) for scheme in schemes),
        classes=block(
            (quoted(iri.removeprefix(CG)) for iri in names(core, "Class") if iri.startswith(CG)),
            "{",
            "}",
        ),
        properties=block(
            (
                quoted(iri.removeprefix(CG))
                for iri in names(core, *PROPERTY_KINDS)
                if iri.startswith(CG)
            ),
            "{",
            "}",
        ),
    )


def compact(iri: str) -> str:
    """An IRI by the longest namespace that it begins with."""
    spaces = {"cg": CG, **EXTERNAL}
    prefix = max(
        (prefix for prefix, space in spaces.items() if iri.startswith(space)),
        key=lambda prefix: len(spaces[prefix]),
    )
    return f"{prefix}:{iri.removeprefix(spaces[prefix])}"


def definitions(triples: list[ox.Triple]) -> dict[str, object]:
    """The context's entry for each class and property; ours go by their bare names."""
    ranges: dict[str, set[str]] = {}
    for triple in triples:
        if triple.predicate == RANGE and isinstance(triple.object, ox.NamedNode):
            ranges.setdefault(str(getattr(triple.subject, "value", "")), set()).add(
                triple.object.value
            )
    found: dict[str, object] = {}
    objects = set(names(triples, "ObjectProperty"))
    for iri in names(triples, "Class", *PROPERTY_KINDS):
        short = compact(iri)
        key = short.removeprefix("cg:")
        types = {t for t in ranges.get(iri, set()) if t.startswith(XSD) and t != XSD + "string"}
        if iri in objects:
            found[key] = {"@id": short, "@type": "@id"}
        elif len(types) == 1:
            found[key] = {"@id": short, "@type": compact(types.pop())}
        elif short.startswith("cg:"):
            found[key] = short
    return dict(sorted(found.items()))


def context(triples: list[ox.Triple]) -> str:
    """The text of context.jsonld."""
    entries: Mapping[str, object] = {
        "@version": 1.1,
        "cg": CG,
        "cgsh": BASE + "shapes#",
        **EXTERNAL,
        **definitions(triples),
    }
    lines = [
        f"    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in entries.items()
    ]
    return '{\n  "@context": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def generate(root: Path) -> dict[Path, str]:
    """Each generated file with its text."""
    core = read(root / "ontology" / "clustergraph.ttl")
    external = read(root / "ontology" / "external-terms.ttl")
    schemes = sorted(path.stem for path in (root / "ontology" / "schemes").glob("*.ttl"))
    return {
        root / "src" / "clustergraph" / "vocab.py": module(core, schemes),
        root / "ontology" / "context.jsonld": context(core + external),
    }


def main() -> int:
    """Write the files that changed."""
    for path, text in generate(ROOT).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
