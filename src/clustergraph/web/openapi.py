"""The description of all addresses for programs: OpenAPI 3.1, the stored queries among them."""

from __future__ import annotations

import functools
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from flask import Blueprint, Response

from clustergraph import rdf
from clustergraph.errors import QueryError
from clustergraph.rdf import Format
from clustergraph.web import respond, views

if TYPE_CHECKING:
    from clustergraph.queries import Parameter, StoredQuery

blueprint = Blueprint("openapi", __name__)

_JSON = Format("OpenAPI", "application/json", "json", ("application/vnd.oai.openapi+json",))
_KINDS: dict[str, dict[str, str]] = {
    "iri": {"type": "string", "format": "iri-reference"},
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "boolean": {"type": "boolean"},
}
"""JSON Schema of the types of parameters."""


@blueprint.route("/openapi.json")
def openapi() -> Response:
    """All public addresses."""
    respond.acceptable((_JSON,))
    return respond.represent(
        _JSON, lambda: json.dumps(_document(), ensure_ascii=False, indent=1) + "\n"
    )


@functools.cache
def _fixed() -> str:
    """What is the same on every site, as JSON."""
    here = Path(__file__).resolve().parent
    document = yaml.safe_load((here / "openapi.yaml").read_text(encoding="utf-8"))
    for path in sorted(here.glob("openapi-*.yaml")):
        more = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["paths"] |= more["paths"]
        document["tags"] += more.get("tags", [])
    return json.dumps(document)


def _document() -> dict[str, Any]:
    settings = views.graph().settings
    document: dict[str, Any] = json.loads(_fixed())
    document["info"] |= {
        "title": settings.title,
        "description": settings.description or settings.title,
        "version": version("clustergraph"),
    }
    document["servers"] = [{"url": settings.public_url or "/"}]
    for query in sorted(views.release().queries.values(), key=lambda each: each.name):
        document["paths"][f"/query/{query.name}"] = {"get": _operation(query, document)}
    return document


def _operation(query: StoredQuery, document: dict[str, Any]) -> dict[str, Any]:
    """A stored query: its parameters, and the formats that its form can be answered in."""
    general = document["paths"]["/query/{name}"]["get"]
    protocol = [
        each for each in general["parameters"] if each["$ref"] != "#/components/parameters/name"
    ]
    try:
        is_graph = views.graph().parse(query.text).form.is_graph
    except QueryError:  # whoever calls it is told
        is_graph = False
    formats: tuple[rdf.Format, ...] = rdf.RDF_FORMATS if is_graph else rdf.RESULTS_FORMATS
    answer = document["components"]["responses"]["Answer"]
    offered = {each.media_type for each in formats} | {"text/html"}
    return {
        "tags": ["queries"],
        "operationId": f"query-{query.name}",
        "summary": query.title,
        "description": query.description or query.title,
        "parameters": [*(_parameter(each) for each in query.parameters), *protocol],
        "responses": general["responses"]
        | {
            "200": answer
            | {
                "description": "The answer.",
                "content": {
                    name: schema for name, schema in answer["content"].items() if name in offered
                },
            }
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_KINDS[parameter.type])
    if parameter.default is not None:
        plain = parameter.type in {"iri", "string", "date"}
        schema["default"] = parameter.default if plain else json.loads(parameter.default.lower())
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.default is None,
        "description": parameter.description or parameter.name,
        "schema": schema,
    }
