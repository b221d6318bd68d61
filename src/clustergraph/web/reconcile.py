"""Entity reconciliation (W3C community group): version 0.2, as OpenRefine speaks it, and the draft.

``/reconcile`` is the service of version 0.2, ``/reconcile/v1`` the one of the draft of 1.0. They
differ in their manifests and in how a batch is sent; everything else is the same below both.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.exceptions import UnsupportedMediaType

from clustergraph.errors import (
    ClusterGraphError,
    NotFoundError,
    TimeLimitError,
    TooLargeError,
    UsageError,
    problem,
)
from clustergraph.rdf import Format
from clustergraph.reconciliation import queries
from clustergraph.web import authorisation, manifests, parameters, respond, views
from clustergraph.web.negotiation import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response as WerkzeugResponse

    from clustergraph.reconciliation import Query

F = TypeVar("F", bound="Callable[..., Any]")

blueprint = Blueprint("reconcile", __name__)

_JSON = Format("JSON", "application/json", "json")
_CALLBACK = re.compile(r"[A-Za-z_$][\w$]{0,63}(\.[A-Za-z_$][\w$]{0,63}){0,3}", re.ASCII)
_BUDGET = 30.0
"""Seconds for all queries of a batch together."""
_SUGGESTED, _MOST_SUGGESTED, _DEEPEST = 10, 50, 1000
_AT_ONCE = 10
"""Things whose values are one question to the matcher."""
_MOST_IDS, _MOST_PROPERTIES = 300, 60
_FRAMED = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors *"
)
"""A preview is made to be framed by any site, and does nothing there."""


def _route(path: str, **options: Any) -> Callable[[F], F]:
    """Serve a path below both services."""

    def register(view: F) -> F:
        for root in ("/reconcile", "/reconcile/v1"):
            blueprint.add_url_rule(root + path, view_func=view, **options)
        return view

    return register


# -- manifests and batches --------------------------------------------------------------------


@blueprint.route("/reconcile", methods=["GET", "POST"], strict_slashes=False)
def service() -> Response:
    """The service of version 0.2: its manifest, or the answer to a batch of ``queries``.

    Sections 3.2, 4.4 and 7.3; ``extend`` asks for values instead.
    """
    if request.method == "POST" and request.mimetype == "application/json":
        return match()
    given = _parameters()
    if "queries" in given:
        found = queries.batch(queries.loaded(given["queries"], "queries"))
        parsed = [(key, each, queries.old) for key, each in found.items()]
        return _json(lambda: {key: _result(answer, "result") for key, answer in _matched(parsed)})
    if "extend" in given:
        asked = queries.loaded(given["extend"], "extend")
        return _json(lambda: _extended(asked))
    if request.method == "POST" or "query" in given:
        raise UsageError("No queries were sent.", hint="Send them as the parameter 'queries'.")
    return _json(lambda: manifests.old(_ask("types", base=views.graph().settings.base)))


@blueprint.route("/reconcile/v1", strict_slashes=False)
def draft() -> Response:
    """The manifest of the service of the draft (section 3.1)."""
    return _json(lambda: manifests.draft(_ask("types", base=views.graph().settings.base)))


@_route("/match", methods=["POST"])
def match() -> Response:
    """The answer to a batch of the draft (section 4.3)."""
    found = queries.draft_batch(_body())
    parsed = [(place, each, queries.draft) for place, each in enumerate(found)]
    return _json(lambda: {"results": [_result(each, "candidates") for _, each in _matched(parsed)]})


def _matched(
    parsed: Iterable[tuple[Any, object, Callable[[object], Query]]],
) -> list[tuple[Any, list[Any] | ClusterGraphError]]:
    """The candidates of each query; what is wrong with one, or takes too long, fails it alone."""
    answers: list[tuple[Any, list[Any] | ClusterGraphError]] = []
    ends = time.monotonic() + _BUDGET
    for key, each, read in parsed:
        try:
            query = read(each)
            if time.monotonic() > ends:
                raise TimeLimitError("The queries before it took too long.")
            answers.append((key, _ask("match", query=query.to_fields())))
        except UsageError as error:
            answers.append((key, error))
        except TimeLimitError as error:
            answers.append((key, error))
            g.setdefault("answered_by", set()).add(None)  # another time it may be answered
    return answers


def _result(answer: list[Any] | ClusterGraphError, name: str) -> dict[str, Any]:
    if isinstance(answer, ClusterGraphError):
        status, title = problem(answer)
        return {name: [], "error": {"status": status, "title": title, "detail": answer.message}}
    return {name: answer}


# -- suggestions, flyouts, previews -----------------------------------------------------------


@_route("/suggest/<name>")
def suggest(name: str) -> Response:
    """What begins as was typed (section 6)."""
    kind = _kind(name)
    given = _parameters()
    start = _number(given, "offset", _number(given, "cursor", 0, _DEEPEST), _DEEPEST)
    most = _number(given, "limit", _SUGGESTED, _MOST_SUGGESTED)
    prefix = given.get("prefix", "")[:300]

    def make() -> dict[str, Any]:
        found = _ask("suggest", kind=kind, prefix=prefix, most=most, start=start)
        return {"result": found}

    return _json(make)


@_route("/flyout/<name>")
def flyout(name: str) -> Response:
    """A suggestion in a few words of HTML (0.2, section 6.5)."""
    _kind(name)
    given = _parameters()
    shown = _shown(given.get("id", ""))
    page = render_template("reconcile-flyout.html", thing=shown)
    return _json(lambda: {"id": given["id"], "html": page})


def _kind(name: str) -> str:
    """What is suggested.

    Raises:
        NotFoundError: there is nothing of that name.
    """
    if name not in manifests.KINDS:
        raise NotFoundError("Entities, properties and types are suggested.")
    return name


@_route("/preview")
def preview() -> Response:
    """A small page about a thing, made to be framed (section 5)."""
    shown = _shown(_parameters().get("id", ""))
    response = Response(
        render_template("reconcile-preview.html", thing=shown), content_type=HTML.content_type
    )
    response.headers["Content-Security-Policy"] = _FRAMED
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.add("Accept-Language")
    return response


@_route("/view")
def view() -> WerkzeugResponse:
    """Where a thing is read; an address that the graph does not know is not followed."""
    shown = _shown(_parameters().get("id", ""))
    target = views.href(shown["id"])
    if not target:
        raise NotFoundError("There is no page about it.")
    return redirect(target, 303)


def _shown(iri: str) -> dict[str, Any]:
    """What is shown of a thing.

    Raises:
        UsageError: none is named.
        NotFoundError: the graph does not know it.
    """
    if not iri:
        raise UsageError("No thing is named.", hint="Name it as the parameter 'id'.")
    found: dict[str, Any] | None = _ask("preview", id=iri[:1000])
    if found is None:
        raise NotFoundError(f"The graph says nothing of <{iri[:200]}>.")
    return found


# -- data extension ---------------------------------------------------------------------------


@_route("/extend/propose")
def propose() -> Response:
    """The properties that things of a type have (section 7.2)."""
    given = _parameters()
    most = _number(given, "limit", 100, 500)
    kind = given.get("type", "")[:1000]

    def make() -> dict[str, Any]:
        asked = {"limit": most} if "limit" in given else {}
        return {"type": kind, "properties": _ask("propose", type=kind, most=most)} | asked

    return _json(make)


@_route("/extend", methods=["POST"])
def extend() -> Response:
    """Values of things, as the draft writes them (section 7.3)."""
    asked = _body()

    def make() -> dict[str, Any]:
        found = _extended(asked)
        rows = [
            {"id": iri, "properties": [{"id": prop, "values": each} for prop, each in row.items()]}
            for iri, row in found["rows"].items()
        ]
        return {"meta": found["meta"], "rows": rows}

    return _json(make)


def _extended(asked: object) -> dict[str, Any]:
    """Values of things, as version 0.2 writes them.

    Raises:
        UsageError: it is no data extension query.
        TooLargeError: it asks for too much.
    """
    ids = asked.get("ids") if isinstance(asked, dict) else None
    given = asked.get("properties") if isinstance(asked, dict) else None
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise UsageError('A data extension query has "ids", an array of identifiers.')
    if not isinstance(given, list):
        raise UsageError('A data extension query has "properties", an array of objects.')
    if len(ids) > _MOST_IDS or len(given) > _MOST_PROPERTIES:
        raise TooLargeError(
            f"{_MOST_IDS} things and {_MOST_PROPERTIES} properties at most.", hint="Send several."
        )
    wanted = []
    for each in given:
        name = each.get("id") if isinstance(each, dict) else None
        if not isinstance(name, str):
            raise UsageError('Each of the "properties" has an "id".')
        settings = each.get("settings")
        limit = settings.get("limit", 0) if isinstance(settings, dict) else 0
        text = str(limit or 0)
        if not text.isdecimal() or len(text) > 9:
            raise UsageError('The setting "limit" is a number from 0.')
        wanted.append((name[:1000], int(text)))
    found: dict[str, Any] = {"rows": {}}
    for start in range(0, max(1, len(ids)), _AT_ONCE):
        some = [each[:1000] for each in ids[start : start + _AT_ONCE]]
        part = _ask("extend", ids=some, properties=wanted)
        found = {"meta": part["meta"], "rows": found["rows"] | part["rows"]}
    return found


# -- requests and answers ---------------------------------------------------------------------


def _ask(what: str, **question: Any) -> Any:
    """The answer of the matcher; whoever asks, it knows the public graph alone."""
    asked = {"do": what, "languages": views.languages(), **question}
    number, found = views.graph().match(asked, client=authorisation.client())
    g.setdefault("answered_by", set()).add(number)
    return found


def _parameters() -> MultiDict[str, str]:
    """The parameters of the address and, of POST, the form.

    Raises:
        UsageError: they are not UTF-8, or too many.
        UnsupportedMediaType: a body that is no form.
    """
    given = parameters.from_address()
    if request.method == "POST":
        if request.mimetype != parameters.FORM:
            raise UnsupportedMediaType
        given.update(parameters.from_form(request.get_data()))
    return given


def _body() -> object:
    """What a body of JSON holds.

    Raises:
        UsageError: it is no JSON.
        UnsupportedMediaType: it says that it is something else.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return queries.loaded(parameters.text_of(request.get_data()), "The body")


def _number(given: MultiDict[str, str], name: str, usual: int, most: int) -> int:
    text = given.get(name, "")
    if not text:
        return usual
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{name}={text[:40]!r} is no number.")
    return min(int(text), most)


def _json(make: Callable[[], dict[str, Any]]) -> Response:
    """An answer in JSON, or in a call of ``callback`` (JSONP; 0.2, section 3.4).

    Raises:
        UsageError: ``callback`` is no name of a function.
    """
    callback = request.args.get("callback", "")
    if callback and (request.method != "GET" or not _CALLBACK.fullmatch(callback)):
        raise UsageError(f"callback={callback[:40]!r} is no name of a function.")
    etag = respond.tag(_JSON, *views.languages()) if request.method != "POST" else ""
    if etag and etag in request.if_none_match:
        response = Response(status=304)
    elif callback:  # the comment keeps the answer from beginning as somebody else chose
        text = f"/**/{callback}({json.dumps(make())});"
        response = Response(text, content_type="text/javascript;charset=utf-8")
    else:
        text = json.dumps(make(), ensure_ascii=False) + "\n"
        response = Response(text, content_type=_JSON.media_type)
    if etag and g.get("answered_by", set()) <= {views.release().manifest.number}:
        response.set_etag(etag)  # what an earlier release answered meanwhile is not kept
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept-Language")
    return response
