"""/llms.txt: what is here and how it is asked, for language models (llmstxt.org)."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from clustergraph import pages, rdf
from clustergraph.rdf import Format
from clustergraph.web import respond, views

blueprint = Blueprint("llms", __name__)

_PLAIN = Format("Markdown", "text/plain", "md", ("text/markdown",))
_QUERIES = 30


@blueprint.route("/llms.txt")
def llms() -> Response:
    """The site in one page of Markdown."""
    release, graph = views.release(), views.graph()

    def make() -> str:
        return render_template(
            "llms.txt",
            site=graph.settings.public_url,
            manifest=release.manifest,
            kinds=pages.kinds(release.store, graph.settings.base),
            queries=sorted(release.queries.values(), key=lambda each: each.name)[:_QUERIES],
            prefixes=graph.prefixes,
            formats=rdf.RDF_FORMATS,
        )

    return respond.represent(_PLAIN, make)
