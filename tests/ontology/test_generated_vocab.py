"""What is generated from the ontology is up to date and does its work."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest

from clustergraph import vocab
from clustergraph.vocab import Vocabulary

if TYPE_CHECKING:
    from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[2]
CONTEXT = REPOSITORY / "ontology" / "context.jsonld"


def generator() -> ModuleType:
    """The generator, loaded from its file."""
    spec = importlib.util.spec_from_file_location(
        "generate_vocab", REPOSITORY / "tools" / "generate_vocab.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date() -> None:
    """Generating again gives the bytes that are there."""
    texts = generator().generate(REPOSITORY)
    assert len(texts) == 2
    for path, text in texts.items():
        assert path.read_bytes() == text.encode("utf-8"), path


def test_prefixes_follow_the_base() -> None:
    """Our own namespaces move with the base, those of others stay."""
    prefixes = vocab.prefixes("https://graph.example.org/")
    assert prefixes["cg"] == "https://graph.example.org/ontology#"
    assert prefixes["organisation"] == "https://graph.example.org/id/organisation/"
    assert prefixes["certainty"] == "https://graph.example.org/scheme/certainty/"
    assert prefixes["skos"] == "http://www.w3.org/2004/02/skos/core#"


def test_vocabulary_gives_iris_of_known_things() -> None:
    """Terms, concepts and entities have their IRIs under the base."""
    vocabulary = Vocabulary("https://graph.example.org/")
    assert vocabulary.cg("Cluster") == "https://graph.example.org/ontology#Cluster"
    assert vocabulary.cg("isSignedBy") == "https://graph.example.org/ontology#isSignedBy"
    assert vocabulary.concept("unit", "day") == "https://graph.example.org/scheme/unit/day"
    assert vocabulary.entity("place", "lyon") == "https://graph.example.org/id/place/lyon"


def test_vocabulary_refuses_unknown_names() -> None:
    """A name that the ontology lacks is an error, not an IRI."""
    vocabulary = Vocabulary("https://graph.example.org/")
    with pytest.raises(LookupError, match="no term 'Klaster'"):
        vocabulary.cg("Klaster")
    with pytest.raises(LookupError, match="no concept scheme 'colour'"):
        vocabulary.concept("colour", "red")
    with pytest.raises(LookupError, match="no type of entities 'thing'"):
        vocabulary.entity("thing", "x")


def test_context_reads_as_plain_json_with_our_terms() -> None:
    """With the context, plain keys become our terms, IRIs and typed literals."""
    document = {
        **json.loads(CONTEXT.read_text(encoding="utf-8")),
        "@id": "https://example.org/d",
        "@type": "Deadline",
        "boundDate": "2016-06-09",
        "hasAudience": {"@id": "https://example.org/a"},
        "isAddressedTo": "https://example.org/b",
        "schema:location": "https://example.org/p",
        "asWritten": "June 9th",
    }
    quads = ox.parse(json.dumps(document), format=ox.RdfFormat.JSON_LD)
    found = {(quad.predicate.value, str(quad.object)) for quad in quads}
    cg = "https://w3id.org/clustergraph/ontology#"
    assert found == {
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", f"<{cg}Deadline>"),
        (cg + "boundDate", '"2016-06-09"^^<http://www.w3.org/2001/XMLSchema#date>'),
        (cg + "hasAudience", "<https://example.org/a>"),
        (cg + "isAddressedTo", "<https://example.org/b>"),
        (cg + "asWritten", '"June 9th"'),
        ("https://schema.org/location", "<https://example.org/p>"),
    }
