"""The shipped data: what a hand that edits them can break without any shape seeing it."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest

BASE = "https://w3id.org/clustergraph/"
CG = BASE + "ontology#"
OA = "http://www.w3.org/ns/oa#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SKOSXL = "http://www.w3.org/2008/05/skos-xl#"
DATA = Path(__file__).resolve().parents[2] / "data"
SLUG = re.compile(re.escape(BASE) + r"id/([a-z-]+)/([a-z0-9]+(?:-[a-z0-9]+)*)")
LONGEST_SLUG = 60

Values = dict[tuple[str, str], list[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple]]


@pytest.fixture(scope="module")
def quads() -> list[ox.Quad]:
    """Every quad of the data."""
    return [
        quad
        for path in sorted(DATA.rglob("*.trig"))
        if "restricted" not in path.parts
        for quad in ox.parse(path=path, format=ox.RdfFormat.TRIG, base_iri=BASE)
    ]


@pytest.fixture(scope="module")
def values(quads: list[ox.Quad]) -> Values:
    """The objects by subject and predicate."""
    found: Values = defaultdict(list)
    for quad in quads:
        assert isinstance(quad.subject, ox.NamedNode), f"a blank node: {quad}"
        found[quad.subject.value, quad.predicate.value].append(quad.object)
    return found


def typed(values: Values, name: str) -> list[str]:
    """The nodes of one class."""
    wanted = ox.NamedNode(name)
    return [iri for (iri, p), objects in values.items() if p == RDF + "type" and wanted in objects]


def text(values: Values, iri: str, name: str) -> str:
    """The only value, as text."""
    (value,) = values[iri, name]
    assert not isinstance(value, ox.Triple)
    return value.value


def mentioned(quads: list[ox.Quad]) -> set[str]:
    """Every entity that stands as subject or object."""
    return {
        term.value
        for quad in quads
        for term in (quad.subject, quad.object)
        if isinstance(term, ox.NamedNode) and term.value.startswith(BASE + "id/")
    }


def test_every_entity_is_described_with_one_class_and_a_proper_name(
    quads: list[ox.Quad], values: Values
) -> None:
    """No dangling IRI, no second class, no slug out of shape, no fragment without its owner."""
    for iri in mentioned(quads):
        assert len(values[iri, RDF + "type"]) == 1, iri
        owner, _, fragment = iri.partition("#")
        assert values[owner, RDF + "type"], iri
        if not fragment:
            match = SLUG.fullmatch(iri)
            assert match, iri
            assert len(match[2]) <= LONGEST_SLUG, iri


def test_everything_but_a_selector_has_an_english_label(
    quads: list[ox.Quad], values: Values
) -> None:
    """One preferred label in English, which is no alternative label as well."""
    for iri in mentioned(quads):
        if "#char=" in iri:
            continue
        labels = [
            label
            for label in values[iri, SKOS + "prefLabel"]
            if isinstance(label, ox.Literal) and label.language == "en"
        ]
        assert len(labels) == 1, iri
        assert labels[0] not in values.get((iri, SKOS + "altLabel"), []), iri


def test_attestations_are_named_after_their_triple(quads: list[ox.Quad], values: Values) -> None:
    """The name is the digest of triple and graph; only readings not preferred lack the triple."""
    graphs = defaultdict(list)
    for quad in quads:
        graphs[f"{quad.subject} {quad.predicate} {quad.object}"].append(quad.graph_name)
    other = {
        item
        for iri in typed(values, CG + "Reading")
        if text(values, iri, CG + "isPreferred") == "false"
        for item in values.get((iri, CG + "supportsTriple"), [])
    }
    source = ox.NamedNode(BASE + "graph/source/bioxclusters-blog")
    for iri in typed(values, CG + "Attestation"):
        parts = (values[iri, RDF + part][0] for part in ("subject", "predicate", "object"))
        triple = " ".join(map(str, parts))
        found = graphs.get(triple)
        assert found or ox.NamedNode(iri) in other, iri
        names = set()
        for graph in found or [source]:
            line = f"{triple} {graph} .".replace("<" + BASE, "<")
            names.add(hashlib.sha256(line.encode()).hexdigest()[:16])
        assert iri.rsplit("/", 1)[1] in names, iri


def test_passages_are_named_after_their_offsets(values: Values) -> None:
    """Slug, selector and offsets of a passage say the same."""
    passages = typed(values, CG + "Passage")
    assert passages
    for iri in passages:
        selector = text(values, iri, OA + "hasSelector")
        start, end = text(values, selector, OA + "start"), text(values, selector, OA + "end")
        assert iri.endswith(f"-{start}-{end}")
        assert selector == f"{iri}#char={start},{end}"
        assert int(start) < int(end)


def test_spellings_are_as_long_as_their_passages(values: Values) -> None:
    """A passage of a spelling covers the spelling and nothing else."""
    for iri in typed(values, SKOSXL + "Label"):
        length = len(text(values, iri, SKOSXL + "literalForm"))
        for passage in values[iri, CG + "hasPassage"]:
            assert isinstance(passage, ox.NamedNode)
            start, end = map(int, passage.value.rsplit("-", 2)[1:])
            assert end - start == length, iri


def test_the_registry_lists_exactly_the_entities(quads: list[ox.Quad]) -> None:
    """``iris.csv`` is sorted, has each IRI once, and no other."""
    with (DATA / "iris.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [row["iri"] for row in rows]
    assert listed == sorted(set(listed))
    current = {row["iri"] for row in rows if row["status"] == "current"}
    assert current == {iri[len(BASE) :] for iri in mentioned(quads) if "#" not in iri}


def test_nothing_private_is_in_the_public_data() -> None:
    """No e-mail address and no telephone number in any file of the public data."""
    for path in DATA.rglob("*"):
        if path.is_file() and "restricted" not in path.parts:
            content = path.read_text(encoding="utf-8")
            assert not re.search(r"[\w.]+@[\w-]+\.\w+", content), path
            assert not re.search(r"\+\d[\d ]{7,}\d", content), path


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (CG + "Announcement", 7),
        ("http://xmlns.com/foaf/0.1/Person", 11),
        (CG + "Signature", 6),
        (CG + "Quotation", 9),
        (CG + "Mission", 3),
        (CG + "Deadline", 2),
        (CG + "ClusterOrganisation", 4),
    ],
)
def test_counts_that_the_source_fixes(values: Values, name: str, count: int) -> None:
    """What can be counted in the source is as often in the data."""
    assert len(typed(values, name)) == count


def test_what_the_source_leaves_out_stays_out(values: Values) -> None:
    """No day and no person of the signing, no partner of the first project, no count for P6."""
    absent = {CG + "signedOn", CG + "isRepresentedBy"}
    assert not [key for key, objects in values.items() if key[1] in absent and objects]
    assert not values.get((BASE + "id/project/bioxclusters", CG + "hasParticipation"))
    post = BASE + "id/announcement/undated-usa-mission-report"
    assert not values.get((post, "https://schema.org/commentCount"))
    profiles = BASE + "id/deadline/japan-2016-bioxclusters-1"
    assert not values.get((profiles, CG + "isAddressedTo"))
