"""The Flask application: one blueprint for each surface, one place for headers and errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from clustergraph.web import (
    assets,
    atom,
    builder,
    catalog,
    documents,
    dumps,
    errors,
    explain,
    fragments,
    graphs,
    headers,
    history,
    home,
    ldes,
    llms,
    markup,
    memento,
    messages,
    openapi,
    quality,
    quoted,
    reconcile,
    search,
    signposting,
    sitemap,
    sparql,
    stored,
    terms,
    updates,
    validate,
    views,
    vocabulary,
)
from clustergraph.web.answering import Answering
from clustergraph.web.twin import Twin

if TYPE_CHECKING:
    from clustergraph.service import ClusterGraph


def create_app(graph: ClusterGraph) -> Flask:
    """Make the application that publishes a graph.

    Args:
        graph: the project; opened with ``public=True`` where strangers ask.
    """
    app = Flask("clustergraph.web")
    settings = graph.settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body
    if settings.trusted_hosts:
        app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts)
    app.extensions["clustergraph"] = graph
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["kept"] = views.kept
    app.jinja_env.filters["href"] = views.href
    app.jinja_env.filters["term"] = views.term_href
    app.jinja_env.filters["short"] = views.short
    app.jinja_env.filters["day"] = views.day
    app.jinja_env.globals["dataset_markup"] = markup.dataset
    bundle = Path(app.root_path) / "static" / "bundle"
    app.jinja_env.globals["islands"] = (bundle / "licences.txt").is_file()
    app.context_processor(views.common)
    assets.register(app)
    messages.register(app)
    quoted.register(app)
    errors.register(app)
    headers.register(app)
    memento.register(app)
    for surface in (
        home, history, atom, ldes, memento, sparql, builder, terms, explain, updates, graphs,
        stored, openapi, validate, quality, search, reconcile, fragments, dumps, catalog, sitemap,
        signposting, llms, vocabulary, documents,
    ):  # fmt: skip
        app.register_blueprint(surface.blueprint)
    direct = Answering(app.wsgi_app, graph)
    app.wsgi_app = Twin(direct, settings.public_url)  # type: ignore[method-assign]
    return app
