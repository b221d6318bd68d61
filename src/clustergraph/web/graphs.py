"""The SPARQL 1.1 Graph Store HTTP Protocol: graphs read, replaced, added to, removed, patched."""

from __future__ import annotations

import functools
import uuid
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed, UnsupportedMediaType

from clustergraph import rdf, sparql, writing
from clustergraph.errors import NotFoundError, UsageError
from clustergraph.releases import Write
from clustergraph.store import STORED_DATASET, DatasetClause
from clustergraph.web import authorisation, respond, views, writes
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
    """One graph, named by ``?graph=`` or ``?default`` (section 4)."""
    graph = _graph()
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
    try:
        return rdf.checked_iri(named[0]).value
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
        chunks = release.answer(_contents(), fmt, clause, client=request.remote_addr or "")
        response = Response(chunks, content_type=fmt.content_type)
    response.set_etag(etag)
    response.vary.add("Accept")
    return response


def _store(graph: str | None) -> Response:
    """PUT or POST: replace a graph, or add to it; without a graph POST makes one or fills several."""
    token = authorisation.bearer()
    _check_default(graph)
    location = ""
    uploads = _uploads(graph)
    if graph is None and not all(each.fmt.dataset for each in uploads):
        graph = views.graph().settings.iri(f"graph/written/{uuid.uuid4().hex}")
        location = graph
        uploads = _uploads(graph) if request.mimetype != "multipart/form-data" else uploads
    if len(uploads) != 1:
        raise UsageError("Send one document at a time.")
    write = Write(
        method=request.method,
        payload=uploads[0].payload,
        media_type=uploads[0].fmt.media_type,
        graph=graph,
        base=uploads[0].base,
    )
    written = writes.publish(write, token)
    response = writes.answered(written, 201 if written.new_graph else 204)
    if location:
        response.headers["Location"] = (
            f"{views.graph().settings.public_url}/graphs?graph={quote(location, safe='')}"
        )
    return response


def _uploads(graph: str | None) -> list[writing.Upload]:
    """The documents of the body: itself, or the files of a form (section 5.5)."""
    settings = views.graph().settings
    if request.mimetype == "multipart/form-data":
        request.max_content_length = settings.max_upload << 20
        return [
            writing.received(
                each.read(), each.mimetype or "", settings, base=_base(graph), name=each.filename
                or "the document",
            )
            for each in request.files.values()
        ]  # fmt: skip
    if "body" not in request.environ:
        request.environ["body"] = writes.body()
    return [
        writing.received(
            request.environ["body"],
            request.content_type or "",
            settings,
            encoding=request.headers.get("Content-Encoding", ""),
            base=_base(graph),
        )
    ]
