"""Validation over HTTP: a page with a form, and an answer in any form of a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from clustergraph import rdf
from clustergraph.errors import ClusterGraphError, UsageError, problem
from clustergraph.rdf import Format
from clustergraph.validation import forms
from clustergraph.validator import Against, Document, received
from clustergraph.web import authorisation, excerpts, multipart, respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clustergraph.settings import Settings
    from clustergraph.validator import Outcome
    from clustergraph.web.multipart import Part

blueprint = Blueprint("validate", __name__)

_MEDIA_TYPES = {
    "text": "text/plain",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "turtle": rdf.TURTLE.media_type,
    "sarif": "application/sarif+json",
    "junit": "application/xml",
    "github": "text/plain",
    "markdown": "text/markdown",
    "html": HTML.media_type,
    "csv": "text/csv",
}
_FORMS = tuple(Format(each, _MEDIA_TYPES[each], each) for each in forms.FORMS)
_OFFERED = (*_FORMS, *rdf.RDF_FORMATS)
_SHOWN = 500


@dataclass(frozen=True)
class _Request:
    """What is to be validated, and how."""

    document: Document | str
    shapes: Document | None
    against: Against
    form: str
    """That of the report; empty: by Accept."""


@blueprint.route("/validate", methods=["GET", "POST"])
def validate() -> Response:
    """Validate a document (200 with the report, be it good or bad), or show the form."""
    if request.method != "POST":
        respond.acceptable((HTML,))
        return _finish(Response(_page(), content_type=HTML.content_type))
    named = request.args.get("format", "")
    try:
        asked = _asked()
        named = named or asked.form
        fmt = respond.acceptable(_OFFERED, named)
        page = fmt.media_type == HTML.media_type and not named
        outcome = views.graph().check_document(
            asked.document,
            shapes=asked.shapes,
            against=asked.against,
            form="json" if page else fmt.suffix,
            seconds=authorisation.query_seconds(),
            client=authorisation.client(),
        )
    except ClusterGraphError as error:
        if named or respond.acceptable(_OFFERED).media_type != HTML.media_type:
            raise
        status, _title = problem(error)
        response = Response(_page(error=error), status, content_type=HTML.content_type)
        retry = getattr(error, "retry_after", None)
        if retry is not None:
            response.headers["Retry-After"] = str(retry)
        return _finish(response)
    body = _result(asked, outcome) if page else outcome.report
    response = Response(body, 200 if outcome.readable else 400, content_type=fmt.content_type)
    if fmt.media_type == HTML.media_type and not page:  # it has its style inside, for a file
        response.headers["Content-Disposition"] = 'attachment; filename="report.html"'
    return _finish(response)


def _finish(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store" if request.method == "POST" else "no-cache"
    response.vary.update(("Accept", "Accept-Language"))
    return response


def _asked() -> _Request:
    """The request, from a document as the body or from a form.

    Raises:
        UsageError: it lacks a document, or has several.
        UnsupportedError, TooLargeError, SourceError: the document cannot be taken in.
    """
    settings = views.graph().settings
    body = request.get_data(cache=False)
    if request.mimetype != multipart.FORM:
        if not body:
            raise UsageError("No document was sent.", hint="Send it as the body.")
        sent = received(
            body,
            request.headers.get("Content-Type", ""),
            settings,
            encoding=request.headers.get("Content-Encoding", ""),
            name=request.args.get("name", ""),
        )
        return _Request(sent, None, _against(request.args.get("shapes", "")), "")
    found = multipart.parts(body, request.mimetype_params.get("boundary", ""))
    fields = {each.name: each.content.decode("utf-8", "replace").strip() for each in found}
    shapes = _document(found, "shapes", fields, settings)
    against = _against(request.args.get("shapes") or fields.get("against", ""))
    document = _document(found, "data", fields, settings)
    file = fields.get("file", "")
    if (document is None) == (not file):
        raise UsageError(
            "Nothing to validate was sent." if document is None else "Several things were sent.",
            hint="Send a document as 'data', or name a file of the project as 'file'.",
        )
    return _Request(
        document or file,
        shapes,
        Against.PROJECT if file else Against.OWN if shapes else against,
        fields.get("format", ""),
    )


def _against(name: str) -> Against:
    try:
        return Against(name or Against.PROJECT.value)
    except ValueError as error:
        raise UsageError(
            f"shapes={name[:40]!r} is not known.",
            hint="One of: " + ", ".join(each.value for each in Against),
        ) from error


def _document(
    found: Sequence[Part], name: str, fields: dict[str, str], settings: Settings
) -> Document | None:
    """The document in the fields of a name: a file, or a text in the format that ``type`` says."""
    sent = [each for each in found if each.name == name and each.content.strip()]
    if len(sent) > 1:
        raise UsageError(f"More than one document was sent as '{name}'.")
    for each in sent:
        kind = each.content_type if each.file else fields.get(f"{name}-type", rdf.TRIG.media_type)
        if each.file and not rdf.is_known(kind):
            kind = ""  # browsers do not know our formats: the suffix says it
        return received(
            each.content, kind, settings, encoding=each.encoding, name=each.file,
            stem="document" if name == "data" else name,
        )  # fmt: skip
    return None


def _page(**more: object) -> str:
    graph = views.graph()
    return render_template(
        "validate.html",
        files=graph.public_files(),
        types=rdf.RDF_FORMATS,
        forms=forms.FORMS,
        largest=graph.settings.max_body,
        **more,
    )


def _result(asked: _Request, outcome: Outcome) -> str:
    """The page with a report and the texts that it is about."""
    settings = views.graph().settings
    report = json.loads(outcome.report)
    findings = report["findings"][:_SHOWN]
    texts = {}
    if isinstance(asked.document, str):
        texts[asked.document] = rdf.text(settings.project / asked.document)
    else:
        texts[asked.document.name] = asked.document.text
    if asked.shapes is not None:
        texts[f"shapes/{asked.shapes.name}"] = asked.shapes.text
    shown = {
        path: (f"L{number}-", excerpts.lines(text, path, findings))
        for number, (path, text) in enumerate(texts.items(), start=1)
    }
    return _page(
        report=report,
        findings=findings,
        readable=outcome.readable,
        texts=shown,
        words={"Violation": "error", "Warning": "warning", "Info": "note"},
    )
