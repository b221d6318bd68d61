"""The catalogue, the dataset, its files and the services that give it: DCAT-AP 3 and VoID."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from clustergraph import compression, rdf
from clustergraph.catalogue.graph import DCAT, DCTERMS, FOAF, RDF, VOID, XSD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clustergraph.catalogue.graph import Description
    from clustergraph.settings import Settings

_HERE = Path(__file__).resolve().parent
_LANGUAGE = "http://publications.europa.eu/resource/authority/language/"
_LANGUAGE_CODES = {
    "ca": "CAT", "de": "DEU", "en": "ENG", "es": "SPA", "fr": "FRA", "it": "ITA", "ja": "JPN",
}  # fmt: skip
_FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
_FILE_TYPES = {
    "nq": _FILE_TYPE + "RDF_N_QUADS", "trig": _FILE_TYPE + "RDF_TRIG",
    "ttl": _FILE_TYPE + "RDF_TURTLE", "jsonld": _FILE_TYPE + "JSON_LD",
    "nt": _FILE_TYPE + "RDF_N_TRIPLES", "jelly": "https://w3id.org/jelly",
}  # fmt: skip
_THEME = "http://publications.europa.eu/resource/authority/data-theme/"
_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
_VCARD = "http://www.w3.org/2006/vcard/ns#"
_IANA = "https://www.iana.org/assignments/media-types/"


def describe(d: Description, settings: Settings, vocabularies: Iterable[str]) -> None:
    """Say what the dataset is, apart from what is counted in it.

    Args:
        d: where it is said.
        settings: of the project.
        vocabularies: namespaces of the properties that it uses.
    """
    iri = settings.dataset_iri
    _catalog(d, settings)
    for kind in (DCAT + "Dataset", VOID + "Dataset"):
        d.add(iri, RDF + "type", kind)
    _common(d, iri, settings)
    d.add(iri, DCTERMS + "identifier", ox.Literal(iri, datatype=ox.NamedNode(XSD + "anyURI")))
    d.add(iri, DCTERMS + "conformsTo", settings.iri("shapes"))
    d.add(iri, DCTERMS + "accessRights", _PUBLIC)  # what is restricted is no part of it
    for theme in settings.themes:
        d.add(iri, DCAT + "theme", theme if ":" in theme else _THEME + theme)
    for keyword in settings.keywords:
        d.text(iri, DCAT + "keyword", keyword)
    if settings.contact:
        contact = f"{iri}#contact"
        d.add(iri, DCAT + "contactPoint", contact)
        d.add(contact, RDF + "type", _VCARD + "Kind")
        d.text(contact, _VCARD + "fn", settings.publisher or f"Maintainers of {settings.title}")
        is_mailbox = settings.contact.startswith("mailto:")
        d.add(contact, _VCARD + ("hasEmail" if is_mailbox else "hasURL"), settings.contact)
    d.add(iri, FOAF + "homepage", settings.base)
    d.add(iri, DCAT + "landingPage", settings.base)
    d.add(iri, VOID + "uriSpace", ox.Literal(settings.base))
    d.add(iri, VOID + "sparqlEndpoint", settings.iri("sparql"))
    if settings.example:
        d.add(iri, VOID + "exampleResource", settings.iri(settings.example))
    for vocabulary in sorted(vocabularies):
        d.add(iri, VOID + "vocabulary", vocabulary)
    for fmt in rdf.DUMP_FORMATS:
        for suffix in compression.SUFFIXES:
            _distribution(d, settings, fmt, suffix)
    _services(d, settings)


def _common(d: Description, iri: str, settings: Settings) -> None:
    """What a catalogue and the dataset in it say alike."""
    d.text(iri, DCTERMS + "title", settings.title)
    d.text(iri, DCTERMS + "description", settings.description or settings.title)
    d.day(iri, DCTERMS + "issued", settings.issued)
    d.day(iri, DCTERMS + "modified", settings.modified)
    if settings.licence:
        d.add(iri, DCTERMS + "license", settings.licence)
    for language in settings.languages:
        if language in _LANGUAGE_CODES:
            d.add(iri, DCTERMS + "language", _LANGUAGE + _LANGUAGE_CODES[language])
    publisher = f"{settings.dataset_iri}#maintainers"
    d.add(iri, DCTERMS + "publisher", publisher)
    d.add(publisher, RDF + "type", FOAF + "Agent")
    d.text(publisher, FOAF + "name", settings.publisher or f"Maintainers of {settings.title}")


def _catalog(d: Description, settings: Settings) -> None:
    catalog = settings.iri("catalog")
    d.add(catalog, RDF + "type", DCAT + "Catalog")
    _common(d, catalog, settings)
    d.add(catalog, FOAF + "homepage", settings.base)
    d.add(catalog, DCAT + "dataset", settings.dataset_iri)


def distribution_iri(settings: Settings, fmt: rdf.Format, suffix: str) -> str:
    """The IRI of a file of the dataset, whatever the release.

    Args:
        settings: of the project.
        fmt: of the file.
        suffix: of its compression.
    """
    return f"{settings.dataset_iri}#file-{fmt.suffix}-{suffix}"


def _distribution(d: Description, settings: Settings, fmt: rdf.Format, suffix: str) -> None:
    iri = distribution_iri(settings, fmt, suffix)
    file = settings.iri(f"dump/latest/{settings.stem}.{fmt.suffix}.{suffix}")
    d.add(settings.dataset_iri, DCAT + "distribution", iri)
    d.add(settings.dataset_iri, VOID + "dataDump", file)
    d.add(iri, RDF + "type", DCAT + "Distribution")
    d.text(iri, DCTERMS + "title", f"{fmt.name}, {compression.SUFFIXES[suffix]}")
    d.add(iri, DCAT + "accessURL", settings.iri("dump/"))
    d.add(iri, DCAT + "downloadURL", file)
    if fmt is not rdf.JELLY:  # has no registered type
        d.add(iri, DCAT + "mediaType", _IANA + fmt.media_type)
    d.add(iri, DCTERMS + "format", _FILE_TYPES[fmt.suffix])
    d.add(iri, DCAT + "compressFormat", _IANA + compression.MEDIA_TYPES[suffix])
    if settings.licence:
        d.add(iri, DCTERMS + "license", settings.licence)


def _services(d: Description, settings: Settings) -> None:
    text = string.Template((_HERE / "services.ttl").read_text(encoding="utf-8"))
    turtle = text.substitute(base=settings.base, dataset=settings.dataset_iri)
    for quad in rdf.parse(turtle.encode(), rdf.TURTLE, base=settings.base, name="services.ttl"):
        d.quads[ox.Quad(quad.subject, quad.predicate, quad.object, d.graph)] = None


def vocabularies(properties: Iterable[str]) -> set[str]:
    """The namespaces of properties; a property such as <urn:x> has none."""
    return {re.sub(r"[^#/]+$", "", each) for each in properties} - {""}
