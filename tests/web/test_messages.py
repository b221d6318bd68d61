"""The words of the site: every catalogue is whole, and the reader's language is spoken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages import pofile
from tests.web.conftest import Site
from tools.messages import WEB, marked

CATALOGUES = sorted(WEB.glob("locale/*.po"))
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def forms(text: object) -> list[str]:
    """The forms of a message: one, or those of its numbers."""
    return list(text) if isinstance(text, list | tuple) else [str(text)]


def test_the_languages_of_the_alliances_are_there() -> None:
    """English is in the templates."""
    assert {path.stem for path in CATALOGUES} == {"ca", "de", "es", "fr", "it", "ja"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_is_whole(path: Path) -> None:
    """All that is marked is translated, nothing else, with the same placeholders."""
    with path.open("rb") as source:
        found = {str(forms(each.id)): each for each in pofile.read_po(source) if each.id}
    wanted = {str(forms(each.id)): each for each in marked() if each.id}
    assert found.keys() == wanted.keys()
    for key, message in found.items():
        assert all(forms(message.string)), key
        names = set(_PLACEHOLDER.findall(key))
        for form in forms(message.string):
            assert set(_PLACEHOLDER.findall(form)) == names, key


@pytest.mark.parametrize(
    ("accept", "language", "word"),
    [("de-AT,de;q=0.9", "de", "Suchen"), ("ja", "ja", "検索"), ("en", "en", "Search"),
     ("nl", "en", "Search"), ("nl,ca;q=0.5", "ca", "Cerca"), ("", "en", "Search")],
)  # fmt: skip
def test_the_page_speaks_the_readers_language(
    site: Site, accept: str, language: str, word: str
) -> None:
    """The best that there is, and says which it is."""
    page = site.get("/", headers={"Accept": "text/html", "Accept-Language": accept})
    assert f'<html lang="{language}">' in page.text
    assert word in page.text
    assert "Accept-Language" in page.headers["Vary"]


def test_the_address_may_name_the_language(site: Site) -> None:
    """Over what the browser says."""
    page = site.get("/?lang=fr", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert "Rechercher" in page.text
