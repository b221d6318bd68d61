"""Questions for those who write no SPARQL: a form that offers what the data hold, and its query.

Everything stands in the address: what was chosen, and so the query. The query is filled into a
template with terms, each written as one term whatever it contains.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Response, render_template

from clustergraph import pages, rdf, sparql, store
from clustergraph.errors import ClusterGraphError, UsageError, problem
from clustergraph.web import authorisation, parameters, respond, views
from clustergraph.web.negotiation import HTML
from clustergraph.web.sparql import finish, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from clustergraph.store import Row

blueprint = Blueprint("builder", __name__)

_TEMPLATE = "builder.rq"
_SECONDS = 5.0
"""How long the data may be asked for what the form offers."""
_SHOWN, _FILTERS = 12, 8
_ROWS, _MOST_ROWS = 100, 10_000
_LONGEST = 200
_NAMES = tuple(
    f"http://{each}"
    for each in (
        "www.w3.org/2004/02/skos/core#prefLabel", "www.w3.org/2000/01/rdf-schema#label",
        "purl.org/dc/terms/title", "xmlns.com/foaf/0.1/name",
    )
)  # fmt: skip
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_NUMBER = re.compile(r"[-+]?\d{1,18}([.]\d{1,18})?")
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Test:
    """What the values of a property must pass; the value is written as SPARQL writes it."""

    kind: str
    value: str
    length: int = 0


@dataclass
class Line:
    """A property in the form and in the query."""

    iri: str
    label: pages.Label
    kind: str
    things: int
    term: str
    variable: str
    choices: Sequence[pages.Choice] = ()
    chosen: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """What was written into its fields."""
    tests: Sequence[Test] = ()
    is_shown: bool = False
    is_filtered: bool = False

    @property
    def in_language(self) -> bool:
        """Whether its values are texts, of which the reader's are wanted."""
        return self.kind == "text"

    @property
    def values(self) -> Sequence[str]:
        """The thing that it must lead to, if one was chosen."""
        return [str(ox.NamedNode(self.chosen))] if self.chosen else ()


class _Terms:
    """Writes IRIs as people do, and remembers which prefixes that takes."""

    def __init__(self) -> None:
        self.prefixes: dict[str, str] = {}

    def write(self, iri: str) -> str:
        """An IRI as SPARQL writes it.

        Raises:
            UsageError: it is none.
        """
        prefix, colon, local = views.short(iri).partition(":")
        namespace = views.graph().prefixes.get(prefix, "")
        if colon and _LOCAL.fullmatch(local) and namespace + local == iri:
            self.prefixes[prefix] = namespace
            return f"{prefix}:{local}"
        try:
            return str(ox.NamedNode(iri))
        except ValueError as error:
            raise UsageError(f"{iri[:80]!r} is no IRI.") from error


@blueprint.route("/builder")
def builder() -> Response:
    """A question put together from what the data hold; its query, and its answer if wanted."""
    respond.acceptable((HTML,))
    given = parameters.from_address()
    try:
        return finish(_answered(given))
    except ClusterGraphError as error:
        status, _title = problem(error)
        body = render_template("builder.html", classes=_classes(), error=error, given=given)
        return finish(Response(body, status, content_type=HTML.content_type))


def _answered(given: MultiDict[str, str]) -> Response:
    kind = given.get("class", "")
    page: dict[str, object] = {"classes": _classes(), "given": given, "kind": kind}
    if kind:
        terms = _Terms()
        written = terms.write(kind)
        lines = _lines(kind, given, terms)
        text = _text(written, lines, given, terms)
        page |= {"lines": lines, "text": text, "limit": _limit(given)}
        page |= {"orders": [each for each in lines if each.is_shown]}
        if "run" in given:
            page |= shown(views.graph().parse(text), given)
    return Response(render_template("builder.html", **page), content_type=HTML.content_type)


def _classes() -> list[pages.Choice]:
    backend, settings = views.release().store, views.graph().settings
    known = pages.vocabulary(backend, settings)
    languages = views.languages()
    return pages.once(
        backend,
        ("classes", *languages),
        lambda: pages.classes(backend, known, settings.base, languages),
    )


def _ask(query: sparql.Query) -> list[Row]:
    """Bounded: what it takes depends on the data, and strangers choose what is asked."""
    answer = views.release().answer(
        query, rdf.JSON, client=authorisation.client(), seconds=_SECONDS
    )
    return store.solutions(b"".join(answer))


def _lines(kind: str, given: MultiDict[str, str], terms: _Terms) -> list[Line]:
    """The properties of a class, with what was chosen of each."""
    backend, languages = views.release().store, views.languages()
    found = pages.once(backend, ("facts", kind), functools.partial(pages.facts, _ask, kind))
    if not found:
        raise UsageError(
            f"Nothing is of the class {kind[:120]!r}.", hint="Choose a class of the list."
        )
    show, by = _several(given, "show", _SHOWN), _several(given, "by", _FILTERS)
    labels = pages.Labels(backend, languages)
    labels.fetch(each.iri for each in found)
    names: set[str] = {"thing", "name"}
    lines = []
    for fact in found:
        line = Line(
            fact.iri, labels.of(fact.iri), fact.kind, fact.things, "", "",
            is_shown=fact.iri in show, is_filtered=fact.iri in by,
        )  # fmt: skip
        if line.is_shown or line.is_filtered:
            line.term = terms.write(fact.iri)
            line.variable = _variable(fact.iri, names)
        if line.is_filtered:
            _choose(line, kind, given)
        lines.append(line)
    return lines


def _choose(line: Line, kind: str, given: MultiDict[str, str]) -> None:
    """What a property is held against."""
    backend = views.release().store
    if line.kind == "link":
        offered = pages.once(
            backend,
            ("values", kind, line.iri),
            functools.partial(pages.values, _ask, kind, line.iri),
        )
        line.choices = pages.named(backend, offered, views.languages())
        line.chosen = given.get(f"is:{line.iri}", "")
        if line.chosen and line.chosen not in {each.iri for each in line.choices}:
            try:
                ox.NamedNode(line.chosen)
            except ValueError as error:
                raise UsageError(f"{line.chosen[:80]!r} is no IRI.") from error
        return
    line.given = {
        name: given.get(f"{name}:{line.iri}", "").strip()[:_LONGEST]
        for name in ("has", "from", "to")
    }
    line.tests = list(_tests(line))


def _tests(line: Line) -> Iterable[Test]:
    """What was written into the fields of a property, each as a term.

    Raises:
        UsageError: it is no number, or no date.
    """
    if line.kind == "text" and line.given["has"]:
        yield Test("text", str(ox.Literal(line.given["has"])))
    for name in ("from", "to"):
        text = line.given[name]
        if not text or line.kind not in {"number", "day"}:
            continue
        wanted = _NUMBER if line.kind == "number" else _DAY
        if not (text.isascii() and wanted.fullmatch(text)):
            hint = "Write it like 12 or 12.5." if line.kind == "number" else "Write it like 2016."
            raise UsageError(f"{text[:40]!r} cannot be used for {line.label.text!r}.", hint=hint)
        value = text if line.kind == "number" else str(ox.Literal(text))
        yield Test(f"{name}-{line.kind}", value, len(text))


def _several(given: MultiDict[str, str], name: str, most: int) -> set[str]:
    found = set(given.getlist(name))
    if len(found) > most:
        raise UsageError(f"{name}= can be used up to {most} times.")
    return found


def _variable(iri: str, taken: set[str]) -> str:
    """A name for the values of a property, like that of the property."""
    local = re.search(r"[A-Za-z][A-Za-z0-9]*$", iri)
    name = stem = local[0] if local else "value"
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    taken.add(name)
    return name


def _limit(given: MultiDict[str, str]) -> int:
    text = given.get("limit") or str(_ROWS)
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _MOST_ROWS):
        raise UsageError(f"The number of rows is from 1 to {_MOST_ROWS}.")
    return int(text)


def _text(kind: str, lines: Sequence[Line], given: MultiDict[str, str], terms: _Terms) -> str:
    """The query, from its template."""
    present = {each.iri for each in lines}
    named = next((each for each in _NAMES if each in present), "")
    columns = [each for each in lines if each.is_shown and each.iri != named]
    order = next(
        (each.variable for each in columns if each.iri == given.get("order")),
        "name" if named else "thing",
    )
    name = terms.write(named) if named else ""
    text = render_template(
        _TEMPLATE,
        kind=kind,
        name=name,
        shown=columns,
        filters=[each for each in lines if each.values or each.tests],
        language=str(ox.Literal(views.languages()[0])),
        order=order,
        downwards=given.get("down") == "1",
        limit=_limit(given),
        prefixes=sorted(terms.prefixes.items()),
    )
    return sparql.parse(text).text
