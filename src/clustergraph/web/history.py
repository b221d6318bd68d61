"""Releases over HTTP: the list, one release with what it changed, differences."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from clustergraph.errors import GoneError, NotFoundError, UsageError
from clustergraph.rdf import Format
from clustergraph.web import respond, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.sparql import sparql

if TYPE_CHECKING:
    from clustergraph.patch import Patch
    from clustergraph.releases import Manifest

blueprint = Blueprint("history", __name__)

JSON = Format("JSON", "application/json", "json")
RDF_PATCH = Format("RDF Patch", "application/rdf-patch", "rdfp", ("text/x-rdf-patch",))
ATOM = Format("Atom", "application/atom+xml", "atom", ("application/xml", "text/xml"))
_PUBLIC = (
    "number", "parent", "created", "kind", "who", "why", "digest", "triples", "quads", "graphs",
    "added", "removed", "findings",
)  # fmt: skip
_SHOWN = 2000


def public(manifest: Manifest) -> dict[str, Any]:
    """What anybody may know of a release: nothing of what is restricted."""
    fields = asdict(manifest)
    return {name: fields[name] for name in _PUBLIC}


@blueprint.route("/releases")
def releases() -> Response:
    """All releases, those that are not kept any more too."""
    chosen = respond.acceptable((HTML, JSON))
    graph = views.graph()

    def make() -> str:
        kept = set(graph.archive.numbers())
        manifests = graph.archive.history()
        if chosen is JSON:
            entries = [public(each) | {"kept": each.number in kept} for each in manifests]
            return json.dumps({"releases": entries}, indent=1) + "\n"
        current = views.release().manifest.number
        return render_template("releases.html", manifests=manifests, kept=kept, current=current)

    return respond.represent(chosen, make)


@blueprint.route("/releases/<int:number>")
def release(number: int) -> Response:
    """One release: what it is, and what makes it out of its parent, or out of ``?from=``."""
    chosen = respond.acceptable((HTML, JSON, RDF_PATCH))
    graph = views.graph()
    manifest = graph.manifest(number)
    old = _former(manifest)

    def make() -> str | bytes:
        change = graph.diff(old, number) if old else graph.delta(number)
        if chosen is RDF_PATCH:
            return change.to_rdf_patch(_header(manifest, old))
        if chosen is JSON:
            return json.dumps(public(manifest) | _lines(change, old), indent=1) + "\n"
        things = graph.explained(change) if len(change) <= _SHOWN else []
        return render_template(
            "release.html",
            manifest=manifest,
            old=old,
            things=things,
            change=change,
            kept=number in graph.archive.numbers(),
            former=[each for each in graph.archive.known() if each != number],
        )

    return respond.represent(chosen, make)


def _former(manifest: Manifest) -> int | None:
    """The release that one is compared with.

    Raises:
        UsageError: the address names something that is no number.
    """
    text = request.args.get("from")
    if not text:
        return manifest.parent
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{text[:40]!r} is no number of a release.")
    return views.graph().manifest(int(text)).number


def _header(manifest: Manifest, old: int | None) -> list[tuple[str, str]]:
    base = views.graph().settings.iri("releases/")
    header = [("id", f"<{base}{manifest.number}>")]
    return header + ([("prev", f"<{base}{old}>")] if old else [])


def _lines(change: Patch, old: int | None) -> dict[str, Any]:
    return {
        "from": old,
        "patch": {
            "added": sorted(f"{quad} ." for quad in change.added),
            "removed": sorted(f"{quad} ." for quad in change.removed),
        },
    }


@blueprint.route("/releases/<int:number>/sparql", methods=["GET", "POST"])
def query(number: int) -> Response:
    """A query as it was, and will be, answered by that release, as long as it is kept."""
    return sparql()


@blueprint.route("/doc/<path:name>/history")
def thing(name: str) -> Response:
    """What changed in a thing, release by release."""
    return of(views.graph().settings.iri(f"id/{name}"))


def of(iri: str) -> Response:
    """What changed in what is said of a thing or a term, release by release.

    Raises:
        NotFoundError: nothing was ever said of it.
        GoneError: it was erased on request.
    """
    graph = views.graph()
    if graph.is_erased(iri):
        raise GoneError("What stood here was erased on request, with its history.")
    chosen = respond.acceptable((HTML, JSON))

    def make() -> str:
        versions = graph.versions(iri)
        if not versions:
            raise NotFoundError(f"The graph never said anything of <{iri}>.")
        if chosen is JSON:
            entries = [
                {**public(each.manifest), **_lines(each.patch, each.manifest.parent)}
                for each in versions
            ]
            return json.dumps({"thing": iri, "versions": entries}, indent=1) + "\n"
        shown = [(each.manifest, graph.explained(each.patch)) for each in versions]
        return render_template(
            "history.html", iri=iri, versions=shown, kept=set(graph.archive.numbers())
        )

    return respond.represent(chosen, make)
