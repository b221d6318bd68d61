"""OpenAPI: valid, and complete: every route of the application, and nothing else."""

from __future__ import annotations

import re

from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.web.conftest import Site

_OWN = frozenset({"/static/{}"})
_REFUSED = {("/update", "GET")}
"""Answered with 405 alone."""


def _bare(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def test_it_is_valid(site: Site) -> None:
    """By the schema of OpenAPI 3.1; every operation has a name of its own."""
    document = site.get("/openapi.json").json
    OpenAPIV31SpecValidator(document).validate()
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(names) == len(set(names))


def test_it_is_complete(site: Site) -> None:
    """The routes and their methods are those of the application."""
    document = site.get("/openapi.json").json
    described = {
        (_bare(path), method.upper())
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    routes = {
        (_bare(rule.rule), method)
        for rule in site.client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if _bare(rule.rule) not in _OWN
    } - _REFUSED
    stored = {(f"/query/{name}", "GET") for name in site.graph.release().queries}
    assert routes - described == set()
    assert described - routes == stored


def test_what_it_says_of_files_is_true(site: Site) -> None:
    """Statuses and types."""
    site.graph.dumps.write()
    document = site.get("/openapi.json").json
    told = document["paths"]["/dump/{release}/{name}"]["get"]["responses"]
    stem = site.graph.settings.stem
    for name, headers, status in (
        (f"{stem}.nq.gz", {}, "200"), (f"{stem}.ttl.zst", {}, "200"), ("SHA256SUMS", {}, "200"),
        (f"{stem}.nq.gz", {"Range": "bytes=0-1"}, "206"), (f"{stem}.nq", {}, "302"),
        (f"{stem}.nq.gz", {"Range": "bytes=99999999-"}, "416"),
    ):  # fmt: skip
        answer = site.get(f"/dump/latest/{name}", headers=headers)
        assert str(answer.status_code) == status
        if "content" in told[status]:
            assert answer.mimetype in told[status]["content"]
