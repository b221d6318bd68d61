"""Styles and scripts: kept for good under the name of their content, asked for again otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.web.conftest import Site


def test_what_pages_use_is_kept_until_it_changes(site: Site) -> None:
    """The addresses that a page holds."""
    page = site.get("/", headers={"Accept": "text/html"}).text
    found = re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page)
    assert len(found) >= 2
    for address in found:
        with site.get(address) as answer:
            assert answer.status_code == 200, address
            assert "immutable" in answer.headers["Cache-Control"], address


def test_an_old_or_no_name_is_asked_for_again(site: Site) -> None:
    """What is not named by its content now."""
    for address in ("/static/site.css", "/static/site.css?v=0", "/static/icon.svg"):
        with site.get(address) as answer:
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "no-cache", address
            etag = answer.headers["ETag"]
        with site.get(address, headers={"If-None-Match": etag}) as again:
            assert again.status_code == 304
    assert site.get("/static/none.css?v=0").headers["Cache-Control"] == "no-cache"
