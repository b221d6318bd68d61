"""Each kind of page in both colour schemes and two widths: axe, console, overflow, pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pyoxigraph as ox
import pytest
from tests.browser.conftest import Tab

from clustergraph.pages.view import statement_key

QUERY = quote("SELECT ?who ?name { ?who a cg:Place ; skos:prefLabel ?name } LIMIT 20")
AGREEMENT = "/id/agreement/europe-australia-super-cluster-2016"
BASE = "https://w3id.org/clustergraph"
KIND = statement_key(
    *(
        ox.NamedNode(BASE + path)
        for path in (
            AGREEMENT, "/ontology#isSignedAt", "/id/event/bio-international-convention-2016"
        )
    )
)  # fmt: skip
CLASS = quote(f"{BASE}/ontology#Agreement")
PAGES = {
    "home": "/",
    "thing": "/doc/place/catalonia",
    "agreement": AGREEMENT.replace("/id/", "/doc/"),
    "why": f"{AGREEMENT.replace('/id/', '/doc/')}?why={KIND}",
    "organisation": "/doc/organisation/biocat",
    "alliance": "/doc/alliance/bioxclusters",
    "project": "/doc/project/bioxclusters-plus",
    "mission": "/doc/mission/japan-2016-bioxclusters",
    "event": "/doc/event/bio-europe-2014",
    "person": "/doc/person/stephanie-wehnelt",
    "programme": "/doc/programme/cosme",
    "figure": "/doc/figure/site-followers-1",
    "post": "/doc/announcement/undated-usa-mission-report",
    "search": "/search?q=cluster",
    "source": "/doc/source/bioxclusters-blog",
    "class": "/term/cg:Figure",
    "property": "/term/cg:isSignedBy",
    "scheme": "/scheme/sector",
    "list": "/doc/place",
    "ontology": "/ontology",
    "questions": "/query",
    "question": "/query/competency-q06",
    "builder": "/builder",
    "builder-filled": f"/builder?class={CLASS}&by={quote(f'{BASE}/ontology#concernsPlace')}&run=1",
    "sparql": "/sparql",
    "sparql-answer": f"/sparql?query={QUERY}",
    "explain": f"/sparql/explain?query={quote('SELECT * { ?s a cg:Clustr }')}",
    "validate": "/validate",
    "quality": "/quality",
    "releases": "/releases",
    "release": "/releases/1",
    "history": "/doc/place/catalonia/history",
    "not-found": "/doc/place/nowhere",
}
COLOURS = ("color-contrast", "link-in-text-block")
"""Rules of axe that a colour scheme can break; the others were asked in the first."""


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_are_for_everyone(tab_like: Callable[..., Tab], width: int) -> None:
    """axe finds nothing in either colour scheme, and nothing is wider than the window."""
    tab = tab_like(viewport={"width": width, "height": 800})
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        page = tab.open(path)
        troubles = []
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            troubles.append("the page is wider than the window")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            rules = COLOURS if scheme == "dark" else ()
            troubles += [f"{scheme}: {each}" for each in tab.axe(*rules)]
            tab.picture(f"{name}-{width}-{scheme}")
        if troubles:
            found[name] = troubles
    assert not found, json.dumps(found, indent=1)
