"""The catalogue (DCAT-AP 3) and the description of the dataset (VoID), for harvesters.

No blank nodes and one order, so that whoever compares two harvests sees what changed. Pages are
linked by Hydra, and end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request

from clustergraph import catalogue, rdf, sparql
from clustergraph.catalogue import DCAT, DCTERMS, FOAF, RDF, SPDX, VOID, XSD, Description, dcat
from clustergraph.errors import NotFoundError, UsageError
from clustergraph.store import DatasetClause
from clustergraph.web import respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clustergraph.dumps import Dump
    from clustergraph.reading import OpenRelease
    from clustergraph.settings import Settings

blueprint = Blueprint("catalog", __name__)

_HERE = Path(__file__).resolve().parent
_HYDRA = "http://www.w3.org/ns/hydra/core#"
PAGE = 100
"""Datasets on one page."""
_LONGEST = 9


@blueprint.route("/catalog")
@blueprint.route("/catalog.<suffix>")
def catalog(suffix: str = "") -> Response:
    """The catalogue: as a page, or a page of it in RDF."""
    chosen = _chosen(suffix)
    release, settings = views.release(), views.graph().settings
    dump = views.graph().dumps.newest()
    number = _number()
    others = datasets(release, settings)
    pages = -(-(len(others) + 1) // PAGE)
    if number > pages:
        raise NotFoundError(f"The catalogue has {pages} pages.")
    shown = [settings.dataset_iri, *others][(number - 1) * PAGE : number * PAGE]

    def make() -> str | bytes:
        if chosen is HTML:
            return render_template(
                "catalog.html", dump=dump, datasets=shown, number=number, pages=pages,
                services=services(release, settings), formats=rdf.RDF_FORMATS,
            )  # fmt: skip
        quads = described(release, settings, dump, shown, whole=number == 1)
        view = _Page(views.site(), number, pages, len(others) + 1)
        quads += _paged(settings, view)
        return _serialised(quads, chosen)

    links = [f'<{settings.public_url}/.well-known/void>; rel="describedby"', *_formats("catalog")]
    digest = dump.files[0].sha256[:16] if dump else ""
    return respond.represent(chosen, make, links=links, parts=(digest,))


@blueprint.route("/.well-known/void")
def void() -> Response:
    """The description of the dataset: what is counted, class by class and property by property."""
    chosen = _chosen("")
    release, settings = views.release(), views.graph().settings

    def make() -> str | bytes:
        quads = _construct(release, "graph", clause=(settings.iri(catalogue.GRAPH),))
        quads = quads or list(catalogue.about(settings))
        d = Description(settings.iri(catalogue.GRAPH))
        this = f"{settings.base}.well-known/void"
        d.add(this, RDF + "type", VOID + "DatasetDescription")
        d.text(this, DCTERMS + "title", f"Description of {settings.title}")
        d.add(this, FOAF + "primaryTopic", settings.dataset_iri)
        d.add(this, DCTERMS + "creator", f"{settings.dataset_iri}#maintainers")
        return _serialised([*quads, *d.quads], chosen)

    links = [
        f'<{views.uri(settings.dataset_iri)}>; rel="describes"',
        f'<{settings.public_url}/catalog>; rel="collection"',
    ]
    return respond.represent(chosen, make, links=links)


def datasets(release: OpenRelease, settings: Settings) -> list[str]:
    """The datasets under the base that the data describe, apart from the one that they are."""
    query = _query("datasets")
    values: dict[str, rdf.Term] = {
        "base": ox.Literal(settings.base),
        "main": ox.NamedNode(settings.dataset_iri),
    }
    rows = release.store.select(sparql.Query(sparql.bind(query.text, values), query.form))
    return [row["dataset"].value for row in rows]


def services(release: OpenRelease, settings: Settings) -> list[tuple[str, str]]:
    """The data services: title and address."""
    found: dict[str, dict[str, str]] = {}
    for quad in _catalogue(release, settings):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(
            quad.object, ox.NamedNode | ox.Literal
        ):
            found.setdefault(quad.subject.value, {})[quad.predicate.value] = quad.object.value
    return sorted(
        (about[DCTERMS + "title"], about[DCAT + "endpointURL"])
        for about in found.values()
        if DCAT + "endpointURL" in about
    )


def described(
    release: OpenRelease,
    settings: Settings,
    dump: Dump | None,
    shown: Sequence[str],
    *,
    whole: bool,
) -> list[ox.Quad]:
    """What is said of a catalogue and of some of its datasets.

    Args:
        release: whose catalogue it is.
        settings: of the project.
        dump: the files that there are.
        shown: the datasets of this page.
        whole: whether this is the first page, which describes the catalogue and its own dataset.
    """
    own = _catalogue(release, settings)
    node = ox.NamedNode(settings.iri("catalog"))
    if whole:
        quads = own
    else:  # who publishes it is said on every page, since each is validated by itself
        kept = {node, ox.NamedNode(f"{settings.dataset_iri}#maintainers")}
        linked = {DCAT + "dataset", DCAT + "service"}
        quads = [
            each for each in own if each.subject in kept and each.predicate.value not in linked
        ]
    others = [each for each in shown if each != settings.dataset_iri]
    if others:
        quads += _construct(release, "catalog-items", things=list(map(ox.NamedNode, others)))
    quads += [ox.Quad(node, ox.NamedNode(DCAT + "dataset"), ox.NamedNode(each)) for each in others]
    if whole:
        quads = [*_with_files(quads, settings, dump), *_of_release(quads, release, settings)]
    held = ox.Store()
    held.extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    types = held.query((_HERE / "catalog-types.rq").read_text(encoding="utf-8"))
    if isinstance(types, ox.QueryTriples):
        quads += [ox.Quad(each.subject, each.predicate, each.object) for each in types]
    return quads


def _of_release(
    quads: Iterable[ox.Quad], release: OpenRelease, settings: Settings
) -> Iterator[ox.Quad]:
    """Version and date of the dataset, where the project does not say when it was changed."""
    dataset, modified = ox.NamedNode(settings.dataset_iri), ox.NamedNode(DCTERMS + "modified")
    yield ox.Quad(dataset, ox.NamedNode(DCAT + "version"), ox.Literal(str(release.manifest.number)))
    for node in (dataset, ox.NamedNode(settings.iri("catalog"))):
        if not any(quad.subject == node and quad.predicate == modified for quad in quads):
            yield ox.Quad(node, modified, _moment(release.manifest.created))


def _with_files(
    quads: Iterable[ox.Quad], settings: Settings, dump: Dump | None
) -> Iterator[ox.Quad]:
    """The files as they are: size, checksum, and the address under which they never change."""
    if dump is None:
        yield from quads
        return
    download = ox.NamedNode(DCAT + "downloadURL")
    files = {
        dcat.distribution_iri(settings, fmt, suffix): file
        for fmt in rdf.DUMP_FORMATS
        for suffix in ("gz", "zst")
        for file in dump.files
        if file.name == f"{settings.stem}.{fmt.suffix}.{suffix}"
    }
    for quad in quads:
        if not (quad.predicate == download and getattr(quad.subject, "value", "") in files):
            yield quad
    d = Description(settings.iri(catalogue.GRAPH))
    for iri, file in files.items():
        d.add(iri, DCAT + "downloadURL", settings.iri(f"dump/{dump.release}/{file.name}"))
        size = ox.Literal(str(file.size), datatype=ox.NamedNode(XSD + "nonNegativeInteger"))
        d.add(iri, DCAT + "byteSize", size)
        d.add(iri, DCTERMS + "modified", _moment(dump.created))
        checksum = f"{iri}-checksum"
        d.add(iri, SPDX + "checksum", checksum)
        d.add(checksum, RDF + "type", SPDX + "Checksum")
        d.add(checksum, SPDX + "algorithm", SPDX + "checksumAlgorithm_sha256")
        value = ox.Literal(file.sha256.upper(), datatype=ox.NamedNode(XSD + "hexBinary"))
        d.add(checksum, SPDX + "checksumValue", value)
    yield from d.quads


@dataclass(frozen=True)
class _Page:
    """Where a page stands among others."""

    root: str
    number: int
    pages: int
    total: int

    def address(self, number: int) -> str:
        return f"{self.root}/catalog?page={number}"


def _paged(settings: Settings, page: _Page) -> list[ox.Quad]:
    """Hydra's links between pages; the last has no next one.

    Named in the way of today and as harvesters have known it for long (hydra:PagedCollection,
    hydra:nextPage).
    """
    d = Description(settings.iri(catalogue.GRAPH))
    catalog, this = settings.iri("catalog"), page.address(page.number)
    d.add(catalog, RDF + "type", _HYDRA + "Collection")
    d.number(catalog, _HYDRA + "totalItems", page.total)
    d.add(catalog, _HYDRA + "view", this)
    for kind in ("PartialCollectionView", "PagedCollection"):
        d.add(this, RDF + "type", _HYDRA + kind)
    d.number(this, _HYDRA + "totalItems", page.total)
    d.number(this, _HYDRA + "itemsPerPage", PAGE)
    linked = {"first": 1, "last": page.pages}
    if page.number > 1:
        linked["previous"] = page.number - 1
    if page.number < page.pages:
        linked["next"] = page.number + 1
    for name, number in linked.items():
        d.add(this, _HYDRA + name, page.address(number))
        d.add(this, f"{_HYDRA}{name}Page", page.address(number))
    return list(d.quads)


def _moment(text: str) -> ox.Literal:
    return ox.Literal(text, datatype=ox.NamedNode(XSD + "dateTime"))


def _chosen(suffix: str) -> rdf.Format:
    """The format by suffix or Accept; Turtle for whoever takes anything.

    Raises:
        NotFoundError: the suffix names none.
    """
    offered: tuple[rdf.Format, ...] = (
        respond.DOCUMENT_FORMATS if request.endpoint == "catalog.catalog" else rdf.RDF_FORMATS
    )
    if not suffix:
        return respond.acceptable(offered)
    found = next((each for each in offered if each.suffix == suffix), None)
    if found is None:
        raise NotFoundError(f"The catalogue is not given as {suffix[:20]!r}.")
    return found


def _number() -> int:
    """The page that is asked for.

    Raises:
        UsageError: that is no number.
    """
    text = request.args.get("page", "1")
    if not text.isdecimal() or len(text) > _LONGEST or int(text) < 1:
        raise UsageError(f"{text[:40]!r} is no number of a page.")
    return int(text)


def _formats(path: str) -> Iterator[str]:
    for each in rdf.RDF_FORMATS:
        address = f"{views.graph().settings.public_url}/{path}.{each.suffix}"
        yield f'<{address}>; rel="alternate"; type="{each.media_type}"'


def _catalogue(release: OpenRelease, settings: Settings) -> list[ox.Quad]:
    graph = ox.NamedNode(settings.iri(catalogue.GRAPH))
    return _construct(release, "catalog", catalogue=graph) or list(catalogue.about(settings))


@cache
def _query(name: str) -> sparql.Query:
    return sparql.parse((_HERE / f"{name}.rq").read_text(encoding="utf-8"))


def _construct(
    release: OpenRelease,
    name: str,
    *,
    clause: tuple[str, ...] = (),
    **values: rdf.Term | Sequence[rdf.Term],
) -> list[ox.Quad]:
    """The triples of one of our queries."""
    query = _query(name)
    bound = sparql.Query(sparql.bind(query.text, values), query.form)
    answer = release.store.answer(bound, rdf.N_TRIPLES, DatasetClause(clause))
    return list(ox.parse(b"".join(answer), rdf.N_TRIPLES.engine))


def _serialised(quads: Iterable[ox.Quad], fmt: rdf.Format) -> bytes:
    """In the default graph, whatever the format."""
    if not isinstance(fmt, rdf.RdfFormat):
        raise NotFoundError(f"This is not given as {fmt.name}.")
    plain = (ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    known = {"hydra": _HYDRA, "spdx": SPDX, "dcat": DCAT, "void": VOID}
    return rdf.serialise(plain, fmt, {**known, **views.graph().prefixes})
