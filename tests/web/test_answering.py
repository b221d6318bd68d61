"""What is answered before Flask is answered as Flask would; the rest goes on to it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from urllib.parse import quote

import pytest
from tests.web.conftest import Site

from clustergraph.web import documents, protocol
from clustergraph.web.app import create_app

_ASK = f"/sparql?query={quote('ASK { ?s ?p ?o }')}"
_WRONG = "cg_0_0"
_THING = "/doc/organisation/example-cluster"
_DIRECT = ((_ASK, "*/*"), (_THING, "text/turtle"), ("/query/partners?format=csv", "*/*"))


def test_programs_are_answered_without_flask(site: Site) -> None:
    """Every header is there; HEAD says the same of what it does not send."""

    def dispatched() -> None:
        raise AssertionError("it came to Flask")

    site.client.application.before_request_funcs.setdefault(None, []).insert(0, dispatched)
    for address, accept in _DIRECT:
        answer = site.get(address, headers={"Accept": accept})
        assert answer.status_code == 200, address
        assert answer.headers["Clustergraph-Release"] == "1"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert {"Accept", "Accept-Datetime"} <= {*answer.vary}
        assert "timegate" in answer.headers["Link"]
        digest = base64.b64encode(hashlib.sha256(answer.data).digest()).decode()
        assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
        assert answer.content_length == len(answer.data) > 0
        head = site.client.head(address, headers={"Accept": accept})
        assert (head.status_code, head.data) == (200, b"")
        for name in ("ETag", "Content-Type", "Vary", "Link"):
            assert head.headers[name] == answer.headers[name]
        again = site.get(
            address, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]}
        )
        assert (again.status_code, again.data) == (304, b"")
        assert "Content-Type" not in again.headers


def test_answers_to_a_token_are_for_nobody_else(site: Site) -> None:
    """Whatever the answer is; a wrong token is no token."""
    for address, accept in _DIRECT:
        answer = site.send("GET", address, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Authorization" in answer.vary
        wrong = site.send("GET", address, token=_WRONG, headers={"Accept": accept})
        assert wrong.status_code == 401
        assert wrong.headers["WWW-Authenticate"]


def test_errors_are_told_in_the_form_that_is_wanted(site: Site) -> None:
    """As a page too, to whom that is dearer than the answer is."""
    for address in ("/sparql?query=nonsense&format=csv", "/doc/none/none.ttl", "/query/none"):
        answer = site.get(address, headers={"Accept": "text/csv"})
        assert answer.mimetype == "application/problem+json"
        assert 400 <= answer.status_code < 500
        page = site.get(address, headers={"Accept": "text/html;q=0.5, text/csv"})
        assert (page.status_code, page.mimetype) == (answer.status_code, "text/html")


def test_faults_of_our_own_tell_nothing_of_the_inside(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they are made."""

    def broken() -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(protocol, "direct", broken)
    monkeypatch.setattr(documents, "direct", broken)
    for address, accept in _DIRECT[:2]:
        answer = site.get(address, headers={"Accept": accept})
        assert answer.status_code == 500
        assert "secret" not in answer.text


def test_names_of_other_hosts_are_refused(site: Site) -> None:
    """Where the settings name those that are ours."""
    site.graph.settings = dataclasses.replace(site.graph.settings, trusted_hosts=("ours.example",))
    client = create_app(site.graph).test_client()
    for address, accept in _DIRECT:
        statuses = [
            client.get(address, headers={"Accept": accept, "Host": host}).status_code
            for host in ("ours.example", "theirs.example")
        ]
        assert statuses == [200, 400]


def test_the_address_of_an_earlier_state_keeps_what_was_asked(site: Site) -> None:
    """Without the release, however that is spelt, and without what would end the link."""
    answer = site.get('/sparql?%72elease=1&query=ASK%7B%7D&x=%3E;+<>"')
    original = answer.headers["Link"].split(">")[0]
    assert original == "</sparql?query=ASK%7B%7D&x=%3E;+%3C%3E%22"
    assert answer.headers["Memento-Datetime"]
