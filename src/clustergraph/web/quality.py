"""Where the graph stands, over HTTP: a page, JSON, CSV, and a feed of findings."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template

from clustergraph import pages, rdf
from clustergraph.rdf import Format
from clustergraph.validation.forms import records
from clustergraph.web import respond, views
from clustergraph.web.history import ATOM, JSON
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clustergraph.quality import Change, Quality

blueprint = Blueprint("quality", __name__)

_CSV = Format("CSV", rdf.CSV.media_type, "csv")
_SHOWN = 200
_LISTED = 5000
_COLUMNS = ("measure", "about", "property", "kind", "number", "of")


@blueprint.route("/quality")
def quality() -> Response:
    """Findings and their history, completeness, evidence, links of a release."""
    chosen = respond.acceptable((HTML, JSON, _CSV))
    graph = views.graph()
    number = views.release().manifest.number

    def make() -> str:
        found = graph.quality(number)
        if chosen is JSON:
            return json.dumps(_fields(found, graph.findings_history()), indent=1) + "\n"
        if chosen is _CSV:
            return _table(found)
        return _page(found, graph.findings_history())

    return respond.represent(chosen, make)


@blueprint.route("/quality/atom")
def atom() -> Response:
    """The releases that brought findings or mended some, as a feed (RFC 4287)."""
    chosen = respond.acceptable((ATOM,))
    news = [each for each in views.graph().findings_history() if each.is_news]
    return respond.represent(
        chosen,
        lambda: render_template(
            "quality.atom", changes=news[:50], shown=20, manifest=views.release().manifest
        ),
    )


def _page(found: Quality, history: list[Change]) -> str:
    release = views.graph().release(found.manifest.number)
    measures = found.measures
    labels = pages.Labels(release.store, views.languages())
    labels.fetch(
        [
            *(each.cls for each in measures.completeness),
            *(each.property for each in measures.completeness),
            *measures.unattested[:_SHOWN],
            *(each.focus for each in found.findings[:_SHOWN] if each.focus != "[]"),
        ]
    )
    return render_template(
        "quality.html",
        quality=found,
        measures=measures,
        history=history[:50],
        label=labels.of,
        limit=_SHOWN,
    )


def _fields(found: Quality, history: list[Change]) -> dict[str, Any]:
    measures = found.measures
    return {
        "release": found.manifest.number,
        "counts": found.manifest.findings,
        "rules": [
            {"rule": rule, "severity": severity, "sourceShape": shape or None, "findings": number}
            for rule, severity, shape, number in found.rules
        ],
        "findings": [asdict(each) for each in found.findings[:_LISTED]],
        "history": [
            {
                "release": each.manifest.number,
                "created": each.manifest.created,
                "counts": each.manifest.findings,
                "new": None if each.came is None else len(each.came),
                "mended": None if each.mended is None else len(each.mended),
            }
            for each in history
        ],
        "completeness": [
            {
                "class": each.cls,
                "property": each.property,
                "required": each.required,
                "having": each.having,
                "instances": each.instances,
            }
            for each in measures.completeness
        ],
        "withoutEvidence": {
            "number": len(measures.unattested),
            "of": measures.things,
            "things": measures.unattested[:_LISTED],
        },
        "leadingNowhere": {
            "number": len(measures.nowhere),
            "links": [asdict(each) for each in measures.nowhere[:_LISTED]],
        },
    }


def _table(found: Quality) -> str:
    """All numbers in one table (RFC 4180)."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    rows.writerows([records.inert(str(cell)) for cell in row] for row in _rows(found))
    return out.getvalue()


def _rows(found: Quality) -> Iterator[tuple[object, ...]]:
    for rule, severity, shape, number in found.rules:
        yield "findings", rule, shape, severity, number, ""
    for each in found.measures.completeness:
        kind = "required" if each.required else "optional"
        yield "completeness", each.cls, each.property, kind, each.having, each.instances
    things = found.measures.things
    for kind, number in sorted(found.measures.unattested_by_kind.items()):
        yield "without evidence", kind, "", "", number, things
    for link in found.measures.nowhere:
        yield "leads nowhere", link.subject, link.property, link.object, 1, ""
