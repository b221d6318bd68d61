"""The SPARQL 1.1 Graph Store HTTP Protocol: graphs read, replaced, added to, removed, patched."""

from __future__ import annotations

import functools
import uuid
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed, UnsupportedMediaType

from clustergraph import rdf, sparql, writing
from clustergraph.errors import NotFoundError, UsageError
from clustergraph.releases import Write
from clustergraph.store import STORED_DATASET, DatasetClause
from clustergraph.web import authorisation, multipart, respond, views, writes
from clustergraph.web.cached import INCOMPLETE
from clustergraph.web.incomplete import honest
from clustergraph.web.updates import BODY

blueprint = Blueprint("graphs", __name__)

_READ = ["GET", "HEAD", "OPTIONS"]
_WRITE = ["PUT", "POST", "DELETE", "PATCH"]
_DEFAULT = ""


@functools.cache
def _contents() -> sparql.Query:
    return sparql.parse((Path(__file__).parent / "graph.rq").read_text(encoding="utf-8"))


@blueprint.route("/graphs", methods=["GET", "PUT", "POST", "DELETE", "PATCH"])
def graphs() -> Response:
    """One graph, named by ``?graph=`` or ``?default`` (section 4.2)."""
    return _served(_graph())


@blueprint.route("/graphs/<path:name>", methods=["GET", "PUT", "POST", "DELETE", "PATCH"])
def direct(name: str) -> Response:
    """The graph whose IRI is this address itself, below the base (section 4.1)."""
    return _served(_checked(views.graph().settings.iri(f"graphs/{name}")))


def _served(graph: str | None) -> Response:
    if request.method in {"GET", "HEAD"}:
        return _get(graph)
    if not views.graph().tokens.configured():
        raise MethodNotAllowed(valid_methods=_READ)
    token = writes.author()
    if request.method == "PATCH":
        if request.mimetype != BODY:
            raise UnsupportedMediaType
        write = Write(method="PATCH", payload=writes.body(), graph=graph, base=_base(graph))
    elif request.method == "DELETE":
        write = Write(method="DELETE", graph=graph)
    else:
        return _store(graph)
    _check_default(graph)
    return writes.answered(writes.publish(write, token), 204)


def _graph() -> str | None:
    """The graph that the address names; "" for the default graph, None for none.

    Raises:
        UsageError: it names two, or something that is no graph.
    """
    named = request.args.getlist("graph")
    if len(named) + ("default" in request.args) > 1:
        raise UsageError("Name one graph: ?default or ?graph=IRI.")
    if "default" in request.args:
        return _DEFAULT
    if not named:
        if request.method == "POST":
            return None
        raise UsageError("Name a graph: ?default or ?graph=IRI.", hint="All graphs: /sparql")
    return _checked(named[0])


def _checked(iri: str) -> str:
    """The IRI of a graph.

    Raises:
        UsageError: it is none.
    """
    try:
        return rdf.checked_iri(iri).value
    except ValueError as error:
        raise UsageError(f"That is no graph: {error}.") from error


def _base(graph: str | None) -> str:
    return graph or views.graph().settings.iri("graphs")


def _check_default(graph: str | None) -> None:
    """The merge of all graphs can be added to, and nothing else.

    Raises:
        MethodNotAllowed: it was to be replaced or removed.
    """
    merged = views.graph().settings.default_graph == "merge"
    if graph == _DEFAULT and merged and request.method in {"PUT", "DELETE"}:
        raise MethodNotAllowed(
            valid_methods=[*_READ, "POST", "PATCH"],
            description="The default graph is the merge of all graphs: name the one you mean.",
        )


def _get(graph: str | None) -> Response:
    """A graph in the format that the client accepts."""
    release = views.release()
    if graph and graph not in release.graphs:
        raise NotFoundError(f"There is no graph <{graph}>.", hint="All graphs: /sparql")
    fmt = respond.acceptable(rdf.RDF_FORMATS)
    etag = respond.tag(fmt)
    if etag in request.if_none_match:
        response = Response(status=304)
    elif request.method == "HEAD":
        response = Response(content_type=fmt.content_type)
    else:
        clause = DatasetClause((graph,)) if graph else STORED_DATASET
        chunks = release.answer(_contents(), fmt, clause, client=authorisation.client())
        environ = request.environ
        whole = honest(chunks, fmt, lambda: environ.update({INCOMPLETE: True}))
        response = Response(whole, content_type=fmt.content_type)
    response.set_etag(etag)
    response.vary.add("Accept")
    return response


def _store(graph: str | None) -> Response:
    """PUT or POST: replace a graph, or add to it.

    POST without a graph fills the graphs that the document names; what names none gets a new one.
    """
    token = authorisation.bearer()
    _check_default(graph)
    minted = (
        views.graph().settings.iri(f"graph/written/{uuid.uuid4().hex}") if graph is None else ""
    )
    upload = _upload(graph or minted or views.graph().settings.iri("graphs"))
    write = Write(
        method=request.method,
        payload=upload.payload,
        media_type=upload.fmt.media_type,
        graph=graph,
        minted=minted,
        base=upload.base,
    )
    written = writes.publish(write, token)
    response = writes.answered(written, 201 if written.new_graph else 204)
    if minted and written.new_graph:
        response.headers["Location"] = minted
    return response


def _upload(base: str) -> writing.Upload:
    """The document: the body, or the files of a form together (section 5.5).

    Raises:
        UsageError: a form without a file.
    """
    settings = views.graph().settings
    if request.mimetype != multipart.FORM:
        encoding = request.headers.get("Content-Encoding", "")
        content_type = request.content_type or ""
        return writing.received(writes.body(), content_type, settings, encoding=encoding, base=base)
    found = multipart.parts(writes.body(), request.mimetype_params.get("boundary", ""))
    files = [
        writing.File(each.content, each.content_type, each.encoding, each.file)
        for each in found
        if each.file
    ]
    if not files:
        raise UsageError("The form holds no file.", hint="Send RDF documents as its files.")
    return writing.together(files, settings, base=base)
